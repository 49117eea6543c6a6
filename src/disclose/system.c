/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/system.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void system_init(struct system *s)
{
    *s = (struct system){0};
    GROW(s->first, 1, s->equations_capacity);
    s->first[0] = 0;
}

void system_deinit(struct system *s)
{
    free(s->value);
    free(s->low);
    free(s->high);
    free(s->first);
    free(s->variable);
    free(s->coefficient);
    free(s->by_first);
    free(s->by_equation);
    free(s->by_coefficient);
    free(s->key);
    *s = (struct system){0};
}

uint32_t system_add_variable(struct system *s, double value, double low, double high)
{
    size_t capacity = s->variables_capacity, n = s->n_variables;
    GROW(s->value, n + 1, s->variables_capacity);
    if (s->variables_capacity != capacity) {
        s->low = xrealloc_array(s->low, s->variables_capacity, sizeof *s->low);
        s->high = xrealloc_array(s->high, s->variables_capacity, sizeof *s->high);
    }
    s->value[n] = value;
    s->low[n] = low;
    s->high[n] = high;
    return s->n_variables++;
}

/* first[n_equations] counts the terms of the open equation while it grows behind the closed ones. */
static uint32_t open_end(const struct system *s)
{
    return s->first[s->n_equations];
}

void system_add_term(struct system *s, uint32_t variable, double coefficient)
{
    size_t n = open_end(s), capacity = s->terms_capacity;
    GROW(s->variable, n + 1, s->terms_capacity);
    if (s->terms_capacity != capacity)
        s->coefficient = xrealloc_array(s->coefficient, s->terms_capacity, sizeof *s->coefficient);
    s->variable[n] = variable;
    s->coefficient[n] = coefficient;
    s->first[s->n_equations]++;
}

void system_end_equation(struct system *s)
{
    uint32_t start = s->n_equations ? s->first[s->n_equations - 1] : 0;
    /* first[k] is the end of equation k until system_close shifts it. */
    if (open_end(s) == start)
        return;
    GROW(s->first, s->n_equations + 3, s->equations_capacity);
    s->first[s->n_equations + 1] = s->first[s->n_equations];
    s->n_equations++;
}

void system_close(struct system *s)
{
    GROW(s->first, s->n_equations + 2, s->equations_capacity);
    for (uint32_t k = s->n_equations; k > 0; k--)
        s->first[k] = s->first[k - 1];
    s->first[0] = 0;
    uint32_t n_terms = s->first[s->n_equations];
    s->by_first = xcalloc((size_t)s->n_variables + 2, sizeof *s->by_first);
    s->by_equation = xcalloc((size_t)n_terms + 1, sizeof *s->by_equation);
    s->by_coefficient = xcalloc((size_t)n_terms + 1, sizeof *s->by_coefficient);
    for (uint32_t i = 0; i < n_terms; i++)
        s->by_first[s->variable[i] + 2]++;
    for (uint32_t v = 0; v < s->n_variables; v++)
        s->by_first[v + 2] += s->by_first[v + 1];
    for (uint32_t k = 0; k < s->n_equations; k++)
        for (uint32_t i = s->first[k]; i < s->first[k + 1]; i++) {
            uint32_t at = s->by_first[s->variable[i] + 1]++;
            s->by_equation[at] = k;
            s->by_coefficient[at] = s->coefficient[i];
        }
}

void system_place(struct system *s, const struct lattice *l)
{
    s->places = *l;
    s->n_placed = (uint32_t)l->n_cells;
    s->key = xcalloc((size_t)s->n_placed + 1, sizeof *s->key);
    for (uint64_t i = 0; i < l->n_cells; i++)
        s->key[l->cells[i].variable] = l->cells[i].key;
}

double system_worst_gap(const struct system *s, uint32_t *equation)
{
    double worst = 0;
    for (uint32_t k = 0; k < s->n_equations; k++) {
        double sum = 0;
        for (uint32_t i = s->first[k]; i < s->first[k + 1]; i++)
            sum += s->coefficient[i] * s->value[s->variable[i]];
        if (fabs(sum) > worst) {
            worst = fabs(sum);
            *equation = k;
        }
    }
    return worst;
}

enum status lattice_check(const struct lattice *l, struct err *e)
{
    uint64_t product = 1;
    for (uint32_t d = 0; d < l->n_dimensions; d++)
        if (__builtin_mul_overflow(product, (uint64_t)l->dimensions[d].n_levels, &product) || product >> 63)
            return err_set(e, ST_UNSUPPORTED, "the dimensions have over 2^63 combinations of levels");
    return ST_OK;
}

uint64_t lattice_key(const struct lattice *l, const uint32_t *at)
{
    uint64_t key = 0;
    for (uint32_t d = 0; d < l->n_dimensions; d++)
        key = key * l->dimensions[d].n_levels + at[d];
    return key;
}

static int compare_cells(const void *a, const void *b)
{
    const struct lattice_cell *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}

void lattice_sort(struct lattice *l)
{
    qsort(l->cells, l->n_cells, sizeof *l->cells, compare_cells);
}

const struct lattice_cell *lattice_find(const struct lattice *l, uint64_t key)
{
    struct lattice_cell wanted = {.key = key};
    return bsearch(&wanted, l->cells, l->n_cells, sizeof *l->cells, compare_cells);
}

/* How far apart neighbouring levels of dimension d lie in keys. */
static uint64_t stride_of(const struct lattice *l, uint32_t d)
{
    uint64_t stride = 1;
    for (uint32_t k = d + 1; k < l->n_dimensions; k++)
        stride *= l->dimensions[k].n_levels;
    return stride;
}

static bool at_rest(const struct lattice *l, uint64_t key, uint32_t uses, const uint32_t *rest)
{
    for (uint32_t d = l->n_dimensions; d-- > 0;) {
        uint32_t level = (uint32_t)(key % l->dimensions[d].n_levels);
        key /= l->dimensions[d].n_levels;
        if (!(uses >> d & 1) && level != rest[d])
            return false;
    }
    return true;
}

static void add_sum(const struct lattice *l, const struct lattice_cell *total, const struct lattice_sum *sum,
                    uint64_t stride, struct system *s)
{
    uint64_t base = total->key - sum->total * stride;
    system_add_term(s, total->variable, -1);
    for (uint32_t c = 0; c < sum->n_children; c++) {
        const struct lattice_cell *child = lattice_find(l, base + sum->children[c] * stride);
        if (child)
            system_add_term(s, child->variable, 1);
    }
    system_end_equation(s);
}

void lattice_add_equations(const struct lattice *l, uint32_t uses, const uint32_t *rest, struct system *s)
{
    for (uint64_t i = 0; i < l->n_cells; i++) {
        const struct lattice_cell *cell = &l->cells[i];
        if (!at_rest(l, cell->key, uses, rest))
            continue;
        for (uint32_t d = 0; d < l->n_dimensions; d++) {
            uint64_t stride = stride_of(l, d);
            uint32_t level = (uint32_t)(cell->key / stride % l->dimensions[d].n_levels);
            if (uses >> d & 1)
                for (uint32_t k = 0; k < l->dimensions[d].n_sums; k++)
                    if (l->dimensions[d].sums[k].total == level)
                        add_sum(l, cell, &l->dimensions[d].sums[k], stride, s);
        }
    }
}
