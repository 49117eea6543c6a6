/* SPDX-License-Identifier: Apache-2.0
 *
 * A second look at a released document by a second way: not by linear programmes from the true values, but by
 * narrowing intervals over the printed sums until nothing changes (interval propagation). It finds every
 * cell that plain additions and subtractions give away, on nothing but the document.
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

enum status released_verify(const struct released *r, struct err *e)
{
    struct look l = {0};
    enum status s = policy_from_json(js_get(released_record(r), "policy"), &l.policy, e);
    l.minimum = policy_minimum(&l.policy, OUTPUT_COUNT);
    for (uint32_t i = 0; s == ST_OK && i < released_n_tables(r); i++) {
        l.table = released_table(r, i);
        if (l.table->type == OUTPUT_COUNT)
            s = look_at_table(&l, e);
    }
    return s;
}
