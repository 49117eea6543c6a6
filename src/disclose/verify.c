/* SPDX-License-Identifier: Apache-2.0
 *
 * A second look at a released document by a second way: not by linear programmes from the true values, but by
 * narrowing intervals over the printed sums until nothing changes (interval propagation). It finds every
 * cell that plain additions and subtractions give away, on nothing but the document. Figures that are no
 * counts are looked at for their digits, and the record for counting what is there.
 */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "disclose/release.h"
#include "disclose/rounding.h"
#include "disclose/system.h"

struct look {
    const struct released_table *table;
    struct policy policy;
    int64_t minimum;
    struct system system;
};

static enum status look_at_cell(const struct look *l, const struct released_cell *c, struct count_range *r,
                                struct err *e)
{
    const struct policy *p = &l->policy;
    int64_t n = c->hidden ? 0 : (int64_t)c->value;
    *r = (struct count_range){0, INT64_C(1) << 53};
    if (c->hidden)
        return ST_OK;
    *r = print_range(p, n, l->minimum);
    if (c->value != floor(c->value) || !print_allowed(p, n, l->minimum))
        return err_set(e, ST_UNSAFE, "table '%s': a printed count is not one its policy allows",
                       l->table->name);
    return ST_OK;
}

static void add_table(struct look *l, struct lattice *lattice, struct arena *a)
{
    const struct released_table *t = l->table;
    struct lattice_dimension *dimensions = arena_array(a, t->n_dimensions, sizeof *dimensions);
    for (uint32_t d = 0; d < t->n_dimensions; d++) {
        uint32_t n = t->dimensions[d].n_levels;
        struct lattice_sum *sums = arena_array(a, n, sizeof *sums);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t *children = arena_array(a, n, sizeof *children);
            sums[i] = (struct lattice_sum){i, 0, children};
            for (uint32_t k = 0; k < n; k++)
                if (t->dimensions[d].levels[k].parent == (int32_t)i)
                    children[sums[i].n_children++] = k;
        }
        /* Levels without parts are no sums. */
        uint32_t kept = 0;
        for (uint32_t i = 0; i < n; i++)
            if (sums[i].n_children)
                sums[kept++] = sums[i];
        dimensions[d] = (struct lattice_dimension){n, sums, kept};
    }
    *lattice = (struct lattice){dimensions, t->n_dimensions,
                                arena_array(a, t->n_cells, sizeof *lattice->cells), t->n_cells};
}

/* One equation narrows each of its variables by what the others leave. Returns -1 when nothing can satisfy
   it, 1 when something changed. */
static int narrow(struct system *s, uint32_t k)
{
    double low = 0, high = 0;
    int changed = 0;
    for (uint32_t i = s->first[k]; i < s->first[k + 1]; i++) {
        double c = s->coefficient[i];
        low += c > 0 ? s->low[s->variable[i]] : -s->high[s->variable[i]];
        high += c > 0 ? s->high[s->variable[i]] : -s->low[s->variable[i]];
    }
    if (low > 1e-9 || high < -1e-9)
        return -1;
    for (uint32_t i = s->first[k]; i < s->first[k + 1]; i++) {
        uint32_t v = s->variable[i];
        double c = s->coefficient[i];
        double others_low = low - (c > 0 ? s->low[v] : -s->high[v]);
        double others_high = high - (c > 0 ? s->high[v] : -s->low[v]);
        double least = c > 0 ? -others_high : others_low, most = c > 0 ? -others_low : others_high;
        if (least > s->low[v] + 0.5) {
            low += c > 0 ? least - s->low[v] : 0;
            high -= c > 0 ? 0 : least - s->low[v];
            s->low[v] = least;
            changed = 1;
        }
        if (most < s->high[v] - 0.5) {
            high -= c > 0 ? s->high[v] - most : 0;
            low += c > 0 ? 0 : s->high[v] - most;
            s->high[v] = most;
            changed = 1;
        }
    }
    return changed;
}

static bool propagate(struct system *s)
{
    enum { MOST_ROUNDS = 200 };
    bool changed = true;
    for (int round = 0; changed && round < MOST_ROUNDS; round++) {
        changed = false;
        for (uint32_t k = 0; k < s->n_equations; k++) {
            int n = narrow(s, k);
            if (n < 0)
                return false;
            changed |= n > 0;
        }
    }
    return true;
}

/* Printed sums of counts that were rounded to add up, to the unit. */
static bool adds_up(const struct look *l)
{
    const struct system *s = &l->system;
    for (uint32_t k = 0; k < s->n_equations; k++) {
        double sum = 0;
        for (uint32_t i = s->first[k]; i < s->first[k + 1]; i++)
            sum += s->coefficient[i] * l->table->cells[s->variable[i]].value; /* NaN where hidden */
        if (!isnan(sum) && sum != 0)
            return false;
    }
    return true;
}

static enum status look_at_sums(struct look *l, struct err *e)
{
    if (l->policy.rounding == ROUNDING_CONTROLLED && !adds_up(l))
        return err_set(e, ST_UNSAFE, "table '%s': its rounded cells do not add up", l->table->name);
    if (!propagate(&l->system))
        return err_set(e, ST_UNSAFE, "table '%s': its printed cells contradict each other", l->table->name);
    for (uint64_t i = 0; i < l->table->n_cells; i++)
        if (l->table->cells[i].hidden && l->system.high[i] - l->system.low[i] < 0.5 && l->system.high[i] > 0)
            return err_set(e, ST_UNSAFE, "table '%s': a hidden cell can be worked out exactly",
                           l->table->name);
    return ST_OK;
}

static enum status look_at_table(struct look *l, struct err *e)
{
    struct arena *a = arena_new();
    struct lattice lattice;
    enum status s = ST_OK;
    system_init(&l->system);
    add_table(l, &lattice, a);
    for (uint32_t i = 0; s == ST_OK && i < l->table->n_cells; i++) {
        struct count_range r;
        s = look_at_cell(l, &l->table->cells[i], &r, e);
        system_add_variable(&l->system, (double)NAN, (double)r.low, (double)r.high);
        lattice.cells[i] = (struct lattice_cell){lattice_key(&lattice, l->table->cells[i].at), i};
    }
    if (s == ST_OK)
        s = lattice_check(&lattice, e);
    if (s == ST_OK) {
        lattice_sort(&lattice);
        lattice_add_equations(&lattice, UINT32_MAX, NULL, &l->system);
        system_close(&l->system);
        s = look_at_sums(l, e);
    }
    system_deinit(&l->system);
    arena_free(a);
    return s;
}

/* --- figures that are no counts, and what the record says ----------------------------------------------- */

/* Curves print to a thousandth, whatever their size. */
static bool is_coarse(enum output_type type, double v)
{
    if (!isfinite(v))
        return true;
    if (type == OUTPUT_SURVIVAL)
        return !(fabs(v * 1000 - nearbyint(v * 1000)) > fmax(1e-6, 1e-12 * fabs(v * 1000)));
    return fabs(v - round_significant(v, figure_digits(type))) <= 1e-9 * fabs(v);
}

static enum status look_at_figures(const struct released_table *t, struct err *e)
{
    bool any = t->type == OUTPUT_SURVIVAL || figure_digits(t->type) > 0;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const struct released_cell *c = &t->cells[i];
        if (!c->hidden && !any)
            return err_set(e, ST_UNSAFE, "table '%s': prints what never leaves", t->name);
        if (!c->hidden &&
            !(is_coarse(t->type, c->value) && is_coarse(t->type, c->lower) && is_coarse(t->type, c->upper)))
            return err_set(e, ST_UNSAFE, "table '%s': a figure has more digits than its type prints",
                           t->name);
    }
    return ST_OK;
}

/* The record counts the tables that are there, as they are, and those withheld are not there. */
static enum status look_at_record(const struct released *r, struct err *e)
{
    const struct js *tables = js_get(released_record(r), "tables");
    uint32_t at = 0;
    for (size_t i = 0; i < js_size(tables); i++) {
        const struct js *j = js_at(tables, i);
        const struct released_table *t = released_table(r, at);
        if (js_get(j, "withheld"))
            continue;
        const char *name = js_get_str(j, "name");
        if (!t || !name || strcmp(name, t->name) != 0 || js_get_int(j, "cells", -1) != (int64_t)t->n_cells ||
            js_get_int(j, "hidden", -1) != (int64_t)released_n_suppressed(t) ||
            js_get_int(j, "not_estimated", 0) != (int64_t)released_n_not_estimated(t))
            return err_set(e, ST_UNSAFE, "$.record.tables[%zu]: does not count the table that is there", i);
        at++;
    }
    return at == released_n_tables(r)
               ? ST_OK
               : err_set(e, ST_UNSAFE, "a table is there that the record does not name");
}

enum status released_verify(const struct released *r, struct err *e)
{
    struct look l = {0};
    enum status s = policy_from_json(js_get(released_record(r), "policy"), &l.policy, e);
    l.minimum = policy_minimum(&l.policy, OUTPUT_COUNT);
    if (s == ST_OK)
        s = look_at_record(r, e);
    for (uint32_t i = 0; s == ST_OK && i < released_n_tables(r); i++) {
        l.table = released_table(r, i);
        s = l.table->type == OUTPUT_COUNT ? look_at_table(&l, e) : look_at_figures(l.table, e);
    }
    return s;
}
