/* SPDX-License-Identifier: Apache-2.0 */
#include "study/tables.h"

#include <string.h>

const char *table_name(struct result *r, const char *analysis, const char *suffix)
{
    return *suffix ? arena_printf(r->arena, "%s_%s", analysis, suffix) : arena_strdup(r->arena, analysis);
}

static void place_cells(struct result_table *t, struct arena *a)
{
    uint32_t *at = arena_array(a, (t->n_cells + 1) * (t->n_dimensions + 1), sizeof *at);
    for (uint64_t c = 0; c < t->n_cells; c++) {
        uint64_t rest = c;
        for (uint32_t d = t->n_dimensions; d-- > 0;) {
            at[c * t->n_dimensions + d] = (uint32_t)(rest % t->dimensions[d].n_levels);
            rest /= t->dimensions[d].n_levels;
        }
        t->cells[c].at = at + c * t->n_dimensions;
    }
}

static void fill_dimension(struct result_dimension *out, const struct dimension *d, bool total,
                           struct arena *a)
{
    uint32_t shift = total ? 1 : 0;
    out->name = arena_strdup(a, d->name);
    out->n_levels = d->n_levels + shift;
    out->levels = arena_array(a, out->n_levels, sizeof *out->levels);
    if (total)
        out->levels[0] = (struct result_level){"total", -1};
    for (uint32_t i = 0; i < d->n_levels; i++)
        out->levels[i + shift] = (struct result_level){arena_strdup(a, d->labels[i]), total ? 0 : -1};
}

/* A study may have many tables of one title: the name tells which it is. */
static const char *full_title(struct result *r, const char *name, const char *title)
{
    return arena_printf(r->arena, "%s [%s]", title, name);
}

struct result_table *table_new(struct result *r, const char *name, const char *title, const char *unit,
                               enum output_type type, const struct dimension *dimensions, size_t n)
{
    uint64_t n_cells = 1;
    for (size_t i = 0; i < n; i++)
        n_cells *= dimensions[i].n_levels + (dimensions[i].no_total ? 0 : 1);
    struct result_table *t =
        result_add_table(r, name, full_title(r, name, title), type, (uint32_t)n, n_cells);
    t->unit = unit;
    for (size_t i = 0; i < n; i++)
        fill_dimension(&t->dimensions[i], &dimensions[i], !dimensions[i].no_total, r->arena);
    place_cells(t, r->arena);
    return t;
}

struct dimension plain_dimension(const char *name, const char **labels, size_t n)
{
    return (struct dimension){.name = name, .labels = labels, .n_levels = (uint32_t)n};
}

struct dimension labelled_dimension(const char *name, const char *const *labels, size_t n, struct arena *a)
{
    const char **copy = arena_array(a, n, sizeof *copy);
    memcpy(copy, labels, n * sizeof *copy);
    struct dimension d = plain_dimension(name, copy, n);
    d.no_total = true;
    return d;
}

struct result_table *table_of_list(struct result *r, const char *name, const char *title, const char *unit,
                                   enum output_type type, const char *dimension, const char **labels,
                                   size_t n)
{
    struct result_table *t = result_add_table(r, name, full_title(r, name, title), type, 1, n);
    struct dimension d = plain_dimension(dimension, labels, n);
    t->unit = unit;
    fill_dimension(&t->dimensions[0], &d, false, r->arena);
    place_cells(t, r->arena);
    return t;
}

static uint32_t has_total(const struct result_dimension *d)
{
    return d->n_levels > 1 && d->levels[1].parent == 0 ? 1 : 0;
}

/* Adds the levels of dimension d into its total, for every place in the other dimensions. */
static void roll_up_dimension(const struct result_table *t, uint32_t d, double *cells)
{
    uint64_t inner = 1, n = t->dimensions[d].n_levels;
    for (uint32_t k = d + 1; k < t->n_dimensions; k++)
        inner *= t->dimensions[k].n_levels;
    for (uint64_t c = 0; c < t->n_cells; c++)
        if (c / inner % n == 0)
            for (uint64_t level = 1; level < n; level++)
                cells[c] += cells[c + level * inner];
}

double *table_roll_up(struct result *r, const struct result_table *t, const double *strata)
{
    double *cells = arena_array(r->arena, t->n_cells, sizeof *cells);
    for (uint64_t c = 0; c < t->n_cells; c++) {
        uint64_t stratum = 0;
        bool total = false;
        for (uint32_t d = 0; d < t->n_dimensions; d++) {
            uint32_t at = t->cells[c].at[d], shift = has_total(&t->dimensions[d]);
            total |= at < shift;
            stratum = stratum * (t->dimensions[d].n_levels - shift) + (at < shift ? 0 : at - shift);
        }
        if (!total)
            cells[c] = strata[stratum];
    }
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        if (has_total(&t->dimensions[d]))
            roll_up_dimension(t, d, cells);
    return cells;
}

void table_rests_on(struct result_cell *cell, double persons, double event_persons)
{
    cell->persons = (int64_t)persons;
    cell->denominator = persons;
    cell->event_persons = (int64_t)event_persons;
}
