/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/whole_group.h"

#include <stdlib.h>

#include "disclose/system.h"

static const char all[] = "all of a group", none[] = "none of a group";

/* A cell as one of its line: the others of the line differ from it in one dimension only. */
struct member {
    uint64_t line; /* the key of the place without that dimension */
    int32_t parent;
    uint64_t cell;
};

static int by_line(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return (x->parent > y->parent) - (x->parent < y->parent);
}

static uint32_t n_siblings(const struct result_dimension *d, int32_t parent)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->n_levels; i++)
        n += d->levels[i].parent == parent;
    return n;
}

/* One line: with one cell of all its levels taken that one is all of the group; with any taken an empty cell
   is none of it. */
static void flag_line(const struct result_table *t, uint32_t d, const struct member *m, uint64_t n,
                      const char **flags)
{
    uint64_t taken = 0;
    for (uint64_t i = 0; i < n; i++)
        taken += t->cells[m[i].cell].value > 0;
    bool alone = taken == 1 && n_siblings(&t->dimensions[d], m->parent) > 1;
    for (uint64_t i = 0; i < n; i++)
        if (t->cells[m[i].cell].value > 0 && alone)
            flags[m[i].cell] = all;
        else if (t->cells[m[i].cell].value == 0 && taken && !flags[m[i].cell])
            flags[m[i].cell] = none;
}

static void flag_dimension(const struct result_table *t, uint32_t d, const struct lattice *l,
                           const char **flags)
{
    struct member *m = xcalloc(t->n_cells + 1, sizeof *m);
    uint32_t *at = xcalloc(t->n_dimensions, sizeof *at);
    for (uint64_t i = 0; i < t->n_cells; i++) {
        for (uint32_t k = 0; k < t->n_dimensions; k++)
            at[k] = k == d ? 0 : t->cells[i].at[k];
        m[i] = (struct member){lattice_key(l, at), t->dimensions[d].levels[t->cells[i].at[d]].parent, i};
    }
    qsort(m, t->n_cells, sizeof *m, by_line);
    for (uint64_t i = 0, end; i < t->n_cells; i = end) {
        for (end = i + 1; end < t->n_cells && by_line(&m[i], &m[end]) == 0;)
            end++;
        flag_line(t, d, &m[i], end - i, flags);
    }
    free(at);
    free(m);
}

static void flag_counts(const struct result_table *t, struct arena *a, const char **flags)
{
    struct lattice_dimension *dimensions = arena_array(a, t->n_dimensions, sizeof *dimensions);
    struct lattice l = {.dimensions = dimensions, .n_dimensions = t->n_dimensions};
    struct err ignored;
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        dimensions[d].n_levels = t->dimensions[d].n_levels;
    if (lattice_check(&l, &ignored) != ST_OK)
        return;
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        if (!t->dimensions[d].nested)
            flag_dimension(t, d, &l, flags);
}

static const char *flag_of_share(const struct result_cell *c)
{
    double with = c->event_persons >= 0 ? (double)c->event_persons : c->numerator;
    if (c->persons == 0 || (double)c->persons != c->denominator)
        return NULL;
    return with == 0 ? none : with == (double)c->persons ? all : NULL;
}

const char *const *whole_groups(const struct result_table *t, struct arena *a)
{
    const char **flags = arena_array(a, t->n_cells, sizeof *flags);
    if (t->type == OUTPUT_COUNT)
        flag_counts(t, a, flags);
    for (uint64_t i = 0; t->type == OUTPUT_RATE && i < t->n_cells; i++)
        flags[i] = flag_of_share(&t->cells[i]);
    return flags;
}
