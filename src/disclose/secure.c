/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of counts (or of rates over counted events) as a system: its cells, the sums over its levels, and,
 * where a dimension is nested, the differences of neighbours, which nobody prints but everybody can form.
 *
 * Two attackers are held off. The first takes a hidden cell to be any count: its interval must hold 1 and
 * the minimum less one. The second knows that zeros are printed, so that every hidden cell is at least 1: it
 * must not find any exactly.
 */
#include <math.h>
#include <stdlib.h>

#include "disclose/attack.h"
#include "disclose/gate.h"
#include "disclose/rounding.h"

enum { WHOLE_MOST = 1500 };

struct secured {
    const struct result_table *table;
    const struct policy *policy;
    struct verdict *verdicts;
    int64_t minimum;
    struct arena *arena;
    struct lattice lattice;
    struct system system;
    double *hidden_low, *hidden_high, *weight;
    bool *hidden;
    uint32_t n_cells; /* variables below this are cells, the others differences */
    struct demand *demands;
    uint32_t n_demands;
};

/* The count behind a cell that could be worked out: of rates, the events. */
static double count_of(const struct result_table *t, const struct result_cell *c)
{
    if (t->type == OUTPUT_RATE)
        return c->event_persons >= 0 ? (double)c->event_persons : c->numerator;
    return c->value;
}

static bool applies(const struct result_table *t)
{
    if (t->type != OUTPUT_COUNT && t->type != OUTPUT_RATE)
        return false;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        double n = count_of(t, &t->cells[i]);
        if (!(n >= 0) || n != floor(n))
            return false;
    }
    for (uint32_t d = 0; d < t->n_dimensions; d++) {
        if (t->dimensions[d].nested)
            return true;
        for (uint32_t i = 0; i < t->dimensions[d].n_levels; i++)
            if (t->dimensions[d].levels[i].parent >= 0)
                return true;
    }
    return false;
}

static struct lattice_sum sum_of(const struct result_dimension *d, uint32_t total, struct arena *a)
{
    uint32_t *children = arena_array(a, d->n_levels, sizeof *children), n = 0;
    for (uint32_t i = 0; i < d->n_levels; i++)
        if (d->levels[i].parent == (int32_t)total)
            children[n++] = i;
    return (struct lattice_sum){total, n, children};
}

static struct lattice_dimension lattice_dimension_of(const struct result_dimension *d, struct arena *a)
{
    struct lattice_sum *sums = arena_array(a, d->n_levels, sizeof *sums);
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->n_levels; i++) {
        struct lattice_sum sum = sum_of(d, i, a);
        if (sum.n_children)
            sums[n++] = sum;
    }
    return (struct lattice_dimension){d->n_levels, sums, n};
}

static void add_cells(struct secured *s)
{
    const struct result_table *t = s->table;
    struct lattice_dimension *dimensions = arena_array(s->arena, t->n_dimensions, sizeof *dimensions);
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        dimensions[d] = lattice_dimension_of(&t->dimensions[d], s->arena);
    s->lattice = (struct lattice){dimensions, t->n_dimensions,
                                  arena_array(s->arena, t->n_cells, sizeof(struct lattice_cell)), t->n_cells};
    for (uint32_t i = 0; i < t->n_cells; i++) {
        double n = count_of(t, &t->cells[i]);
        struct count_range r = round_range((int64_t)n, ROUNDING_NONE, 1, 0);
        if (s->verdicts[i].mark == CELL_SHOWN && s->policy->rounding != ROUNDING_NONE)
            r = round_range(round_count((int64_t)n, (enum rounding)s->policy->rounding, s->policy->base),
                            (enum rounding)s->policy->rounding, s->policy->base, s->minimum);
        system_add_variable(&s->system, n, (double)r.low, (double)r.high);
        s->lattice.cells[i] = (struct lattice_cell){lattice_key(&s->lattice, t->cells[i].at), i};
    }
    s->n_cells = (uint32_t)t->n_cells;
    lattice_sort(&s->lattice);
}

/* Differences of neighbours along nested dimensions. */
static void add_differences(struct secured *s)
{
    const struct result_table *t = s->table;
    uint32_t *at = arena_array(s->arena, t->n_dimensions + 1, sizeof *at);
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        for (uint32_t i = 0; t->dimensions[d].nested && i < s->n_cells; i++) {
            for (uint32_t k = 0; k < t->n_dimensions; k++)
                at[k] = t->cells[i].at[k] + (k == d);
            const struct lattice_cell *next = at[d] < t->dimensions[d].n_levels
                                                  ? lattice_find(&s->lattice, lattice_key(&s->lattice, at))
                                                  : NULL;
            if (!next)
                continue;
            double gap = s->system.value[i] - s->system.value[next->variable];
            uint32_t difference = system_add_variable(&s->system, gap, 0, HUGE_VAL);
            system_add_term(&s->system, i, 1);
            system_add_term(&s->system, next->variable, -1);
            system_add_term(&s->system, difference, -1);
            system_end_equation(&s->system);
        }
}

/* A part that is not zero needs its whole in the table, and the parts must add up to it. */
static enum status check_structure(const struct secured *s, struct err *e)
{
    const struct result_table *t = s->table;
    uint32_t *at = arena_array(s->arena, t->n_dimensions + 1, sizeof *at), equation = 0;
    for (uint32_t i = 0; i < s->n_cells; i++)
        for (uint32_t d = 0; s->system.value[i] > 0 && d < t->n_dimensions; d++) {
            int32_t parent = t->dimensions[d].levels[t->cells[i].at[d]].parent;
            for (uint32_t k = 0; k < t->n_dimensions; k++)
                at[k] = k == d && parent >= 0 ? (uint32_t)parent : t->cells[i].at[k];
            if (!lattice_find(&s->lattice, lattice_key(&s->lattice, at)))
                return err_set(e, ST_INVALID, "table '%s': the total of a cell that is not zero is left out",
                               t->name);
        }
    for (uint32_t v = s->n_cells; v < s->system.n_variables; v++)
        if (s->system.value[v] < 0)
            return err_set(e, ST_INVALID, "table '%s': a nested level counts more than the one before",
                           t->name);
    if (system_worst_gap(&s->system, &equation) > 0)
        return err_set(e, ST_INVALID,
                       "table '%s': levels with a parent do not add up to it; give them no parent if persons "
                       "may be in several",
                       t->name);
    return ST_OK;
}

/* What hiding gives away: nothing but the least count. Zeros that are shown stay shown. */
static void set_room(struct secured *s, double least)
{
    for (uint32_t v = 0; v < s->system.n_variables; v++) {
        bool fixed = v < s->n_cells && s->system.value[v] == 0 && s->verdicts[v].mark == CELL_SHOWN;
        s->hidden_low[v] = v >= s->n_cells || fixed || s->system.value[v] == 0 ? 0 : least;
        s->hidden_high[v] = fixed ? s->system.high[v] : HUGE_VAL;
    }
}

/* Hidden cells, whatever rule hides them, and small differences. */
static bool needs_protection(const struct secured *s, uint32_t v)
{
    double n = s->system.value[v];
    if (v < s->n_cells)
        return s->verdicts[v].mark == CELL_PRIMARY;
    return n > 0 && n < (double)s->minimum;
}

static void set_demands(struct secured *s, bool interval)
{
    /* Programmes in whole numbers are asked where they can be answered: exact prints, tables of a usual size.
     */
    bool whole = s->policy->rounding == ROUNDING_NONE && s->system.n_variables <= WHOLE_MOST;
    s->n_demands = 0;
    for (uint32_t v = 0; v < s->system.n_variables; v++) {
        double n = s->system.value[v];
        if (!needs_protection(s, v))
            continue;
        double reach = (double)s->minimum - 1;
        /* A small count: 1 and the minimum less one. Others, hidden for their persons or contributors: as far
           either way. */
        bool small = n > 0 && n <= reach;
        struct demand d = {.variable = v,
                           .down = small ? n - 1 : fmin(n, reach),
                           .up = small ? reach - n : reach,
                           .whole = whole};
        if (!interval)
            d = (struct demand){.variable = v, .down = 1, .up = 1, .either = true, .whole = whole};
        s->demands[s->n_demands++] = d;
    }
}

static enum status hold_off(struct secured *s, double least, bool interval, struct proof *proof,
                            struct err *e)
{
    struct room room = {s->system.low, s->system.high, s->hidden_low, s->hidden_high};
    struct protection p = {.hidden = s->hidden};
    struct attack_report report;
    set_room(s, least);
    set_demands(s, interval);
    enum status status = protect_run(&s->system, &room, s->weight, s->demands, s->n_demands, NULL, &p, e);
    if (status != ST_OK)
        return err_wrap(e, "table '%s'", s->table->name);
    attack_run(&s->system, &room, s->hidden, s->demands, s->n_demands, NULL, &report);
    proof->solves += report.solves + p.solves;
    proof->demands = s->n_demands;
    proof->whole = s->n_demands && s->demands[0].whole;
    for (uint32_t i = 0; interval && i < s->n_demands; i++)
        if (s->demands[i].variable < s->n_cells) {
            s->verdicts[s->demands[i].variable].surely_low = fmax(0, ceil(report.low[i] - 1e-6));
            s->verdicts[s->demands[i].variable].surely_high = floor(report.high[i] + 1e-6);
        }
    if (report.n_safe < s->n_demands)
        status =
            err_set(e, ST_UNSAFE, "table '%s': its hidden cells could not be proven safe", s->table->name);
    attack_report_deinit(&report);
    return status;
}

static void make_arrays(struct secured *s)
{
    uint32_t n = s->system.n_variables;
    s->hidden_low = arena_array(s->arena, n, sizeof *s->hidden_low);
    s->hidden_high = arena_array(s->arena, n, sizeof *s->hidden_high);
    s->weight = arena_array(s->arena, n, sizeof *s->weight);
    s->hidden = arena_array(s->arena, n, sizeof *s->hidden);
    s->demands = arena_array(s->arena, n, sizeof *s->demands);
    for (uint32_t v = 0; v < n; v++) {
        s->weight[v] = pow(1 + s->system.value[v], 0.85);
        s->hidden[v] = v >= s->n_cells || s->verdicts[v].mark != CELL_SHOWN;
    }
}

static enum status secure(struct secured *s, struct proof *proof, struct err *e)
{
    enum status status = lattice_check(&s->lattice, e);
    if (status != ST_OK)
        return status;
    lattice_add_equations(&s->lattice, UINT32_MAX, NULL, &s->system);
    add_differences(s);
    system_close(&s->system);
    system_place(&s->system, &s->lattice);
    status = check_structure(s, e);
    if (status != ST_OK)
        return status;
    make_arrays(s);
    set_demands(s, true);
    if (s->n_demands == 0)
        return ST_OK;
    status = hold_off(s, 0, true, proof, e);
    if (status == ST_OK && s->policy->zero_shown)
        status = hold_off(s, 1, false, proof, e);
    for (uint32_t v = 0; status == ST_OK && v < s->n_cells; v++)
        if (s->hidden[v] && s->verdicts[v].mark == CELL_SHOWN)
            verdict_hide(&s->verdicts[v], CELL_SECONDARY, "complementary");
    return status;
}

enum status secure_table(const struct result_table *t, const struct policy *p, struct verdict *verdicts,
                         struct proof *proof, struct err *e)
{
    if (!applies(t))
        return ST_OK;
    struct secured s = {.table = t,
                        .policy = p,
                        .verdicts = verdicts,
                        .minimum = policy_minimum(p, t->type),
                        .arena = arena_new()};
    system_init(&s.system);
    add_cells(&s);
    enum status status = secure(&s, proof, e);
    system_deinit(&s.system);
    arena_free(s.arena);
    return status;
}
