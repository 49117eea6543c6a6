/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/audit.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "disclose/audit_table.h"
#include "disclose/solver.h"

enum { WHOLE_MOST = 400, WHOLE_NODES = 2000 };

struct programme {
    const struct audit *audit;
    struct lp_form form;
    struct lp *lp;
    double *cost, *solution;
    bool *whole;
};

/* The cells of one place are one variable, which every table's print narrows. */
static enum status add_variables(struct audit *a, struct lattice *l, struct err *e)
{
    uint32_t n = 0;
    for (uint64_t i = 0; i < a->n_cells; i++)
        l->cells[i] = (struct lattice_cell){lattice_key(l, a->cells[i].at), (uint32_t)i};
    lattice_sort(l);
    for (uint64_t i = 0; i < a->n_cells; i++) {
        struct audit_entry *c = &a->cells[l->cells[i].variable];
        bool again = n && l->cells[n - 1].key == l->cells[i].key;
        if (!again) {
            l->cells[n] = (struct lattice_cell){
                l->cells[i].key, system_add_variable(&a->system, (double)NAN, c->low, c->high)};
            GROW(a->entries, n + 1, a->entries_capacity);
            a->entries[n++] = c;
        }
        double *low = &a->system.low[n - 1], *high = &a->system.high[n - 1];
        *low = fmax(*low, c->low);
        *high = fmin(*high, c->high);
        a->entries[n - 1]->hidden |= c->hidden;
        if (*low > *high + 1e-9)
            return err_set(e, ST_INVALID, "the tables print different values for '%s'", audit_place(a, c));
    }
    l->n_cells = n;
    return ST_OK;
}

/* An equation where a total and at least one of its parts is printed; a table may print totals only. */
static void add_sum(struct audit *a, const struct lattice *l, const struct lattice_cell *total, uint32_t d,
                    uint64_t stride)
{
    const struct result_dimension *dimension = &a->dimensions[d];
    uint32_t level = a->entries[total->variable]->at[d], n = 0;
    for (uint32_t k = 0; k < dimension->n_levels; k++) {
        if (dimension->levels[k].parent != (int32_t)level)
            continue;
        const struct lattice_cell *part = lattice_find(l, total->key - level * stride + (uint64_t)k * stride);
        if (part) {
            system_add_term(&a->system, part->variable, 1);
            n++;
        }
    }
    if (n)
        system_add_term(&a->system, total->variable, -1);
    system_end_equation(&a->system);
}

/* Each level of a nested dimension is within the one before: what lies between is not negative. */
static void add_nesting(struct audit *a, const struct lattice *l, const struct lattice_cell *outer,
                        uint32_t d, uint64_t stride)
{
    const struct lattice_cell *inner = a->entries[outer->variable]->at[d] + 1 < a->dimensions[d].n_levels
                                           ? lattice_find(l, outer->key + stride)
                                           : NULL;
    if (!inner)
        return;
    uint32_t between = system_add_variable(&a->system, (double)NAN, 0, LP_INFINITY);
    system_add_term(&a->system, outer->variable, 1);
    system_add_term(&a->system, inner->variable, -1);
    system_add_term(&a->system, between, -1);
    system_end_equation(&a->system);
}

static enum status make_system(struct audit *a, struct err *e)
{
    struct lattice_dimension *dimensions = arena_array(a->arena, a->n_dimensions, sizeof *dimensions);
    for (uint32_t d = 0; d < a->n_dimensions; d++)
        dimensions[d].n_levels = a->dimensions[d].n_levels;
    struct lattice l = {dimensions, a->n_dimensions, arena_array(a->arena, a->n_cells, sizeof *l.cells),
                        a->n_cells};
    enum status s = lattice_check(&l, e);
    if (s == ST_OK)
        s = add_variables(a, &l, e);
    if (s != ST_OK)
        return s;
    uint64_t stride = 1;
    for (uint32_t d = a->n_dimensions; d-- > 0; stride *= a->dimensions[d].n_levels)
        for (uint64_t i = 0; i < l.n_cells; i++)
            if (a->dimensions[d].nested)
                add_nesting(a, &l, &l.cells[i], d, stride);
            else
                add_sum(a, &l, &l.cells[i], d, stride);
    system_close(&a->system);
    a->n_entries = (uint32_t)l.n_cells;
    return ST_OK;
}

static int *ints_of(struct arena *a, const uint32_t *from, size_t n)
{
    int *out = arena_array(a, n + 1, sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i] = (int)from[i];
    return out;
}

/* Sums of fractions are right up to the last digits of their terms. */
static double *slack_of(struct audit *a, double sign)
{
    struct system *s = &a->system;
    double *slack = arena_array(a->arena, (size_t)s->n_equations + 1, sizeof *slack);
    for (uint32_t k = 0; k < s->n_equations && !a->whole; k++)
        for (uint32_t i = s->first[k]; i < s->first[k + 1]; i++)
            if (s->low[s->variable[i]] == s->high[s->variable[i]])
                slack[k] += sign * 1e-9 * (1 + s->high[s->variable[i]]);
    return slack;
}

static void programme_init(struct programme *p, struct audit *a)
{
    struct system *s = &a->system;
    size_t terms = s->first[s->n_equations];
    p->audit = a;
    p->cost = arena_array(a->arena, s->n_variables, sizeof *p->cost);
    p->solution = arena_array(a->arena, s->n_variables, sizeof *p->solution);
    p->whole = arena_array(a->arena, s->n_variables, sizeof *p->whole);
    for (uint32_t v = 0; v < s->n_variables; v++)
        p->whole[v] = true;
    p->form = (struct lp_form){(int)s->n_variables,
                               (int)s->n_equations,
                               ints_of(a->arena, s->by_first, (size_t)s->n_variables + 1),
                               ints_of(a->arena, s->by_equation, terms),
                               s->by_coefficient,
                               s->low,
                               s->high,
                               p->cost,
                               slack_of(a, -1),
                               slack_of(a, 1)};
    p->lp = lp_new(&p->form);
}

/* The least value of `sign` times the variable; infinity below, NaN where there is no answer. */
static double least(struct programme *p, uint32_t v, int sign)
{
    lp_set_cost(p->lp, (int)v, sign);
    enum lp_status s = lp_minimise(p->lp, LP_WARM);
    lp_set_cost(p->lp, (int)v, 0);
    if (s == LP_UNBOUNDED)
        return -HUGE_VAL;
    return s == LP_OPTIMAL ? sign * lp_solution(p->lp)[v] : (double)NAN;
}

/* The same in whole numbers; the programme's own answer stands where the search has none. */
static double least_whole(struct programme *p, uint32_t v, int sign, double otherwise)
{
    p->cost[v] = sign;
    enum lp_status s = mip_minimise(&p->form, p->whole, WHOLE_NODES, p->solution);
    p->cost[v] = 0;
    return s == LP_OPTIMAL ? sign * p->solution[v] : otherwise;
}

static bool is_short(const struct audit_cell *c, int64_t minimum)
{
    return c->high - c->low < (double)(minimum - 2) - 1e-6;
}

/* Solvers answer to six digits; counts are whole. */
static void tidy(const struct audit *a, struct audit_cell *c)
{
    if (a->whole) {
        c->low = ceil(c->low - 1e-6);
        c->high = floor(c->high + 1e-6);
    }
    c->low = fmax(0, c->low);
    c->high = c->high >= LP_INFINITY ? HUGE_VAL : c->high;
}

static enum status ask(struct programme *p, uint32_t v, int64_t minimum, struct audit_cell *c, struct err *e)
{
    const struct audit *a = p->audit;
    c->low = least(p, v, 1);
    c->high = -least(p, v, -1);
    if (isnan(c->low) || isnan(c->high))
        return err_set(e, ST_UNSAFE, "the solver has no answer for the cell '%s'", c->place);
    tidy(a, c);
    if (a->whole && is_short(c, minimum) && c->low < c->high && a->system.n_variables <= WHOLE_MOST) {
        c->low = least_whole(p, v, 1, c->low);
        c->high = -least_whole(p, v, -1, -c->high);
        tidy(a, c);
    }
    bool exact = !isinf(c->high) && c->high - c->low <= 1e-6 * fmax(1, c->high);
    c->finding = exact ? FOUND_EXACT : is_short(c, minimum) ? FOUND_SHORT : FOUND_SAFE;
    return ST_OK;
}

enum status audit_run(struct audit *a, int64_t minimum, struct err *e)
{
    struct programme p = {0};
    enum status s = make_system(a, e);
    if (s != ST_OK)
        return s;
    programme_init(&p, a);
    if (lp_minimise(p.lp, LP_COLD) != LP_OPTIMAL)
        s = err_set(e, ST_INVALID,
                    "the printed cells contradict their totals; were they rounded (--base), or is a label a "
                    "total of its own (--total)?");
    a->found = arena_array(a->arena, a->n_entries, sizeof *a->found);
    for (uint32_t v = 0; s == ST_OK && v < a->n_entries; v++) {
        if (!a->entries[v]->hidden)
            continue;
        struct audit_cell *c = &a->found[a->n_found++];
        c->place = audit_place(a, a->entries[v]);
        s = ask(&p, v, minimum, c, e);
    }
    lp_free(p.lp);
    return s;
}

uint32_t audit_n_cells(const struct audit *a)
{
    return a->n_found;
}

const struct audit_cell *audit_cell(const struct audit *a, uint32_t i)
{
    return &a->found[i];
}
