/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of counts (or of rates over counted events) as a system: their cells, the sums over their levels,
 * what links them (linked.h), and, where a dimension is nested, the differences of neighbours, which nobody
 * prints but everybody can form, as are the margins of linked tables that print none.
 *
 * Two attackers are held off. The first takes a hidden cell to be any count: its interval must hold 1 and
 * the minimum less one. The second knows that zeros are printed, so that every hidden cell is at least 1: it
 * must not find any exactly.
 */
#include <math.h>
#include <stdlib.h>

#include "disclose/attack.h"
#include "disclose/controlled.h"
#include "disclose/gate.h"
#include "disclose/linked.h"
#include "disclose/rounding.h"

enum { WHOLE_MOST = 1500 };

struct reach {
    double low, high;
};

struct secured {
    const struct gate *gate;
    const struct policy *policy;
    const struct result_table **tables;
    const uint32_t *index; /* of the tables in the result */
    uint32_t n_tables;
    int64_t minimum;
    struct arena *arena;
    struct linked linked;
    struct system system;
    enum cell_mark *mark; /* by cell: the strictest of its tables' */
    double *hidden_low, *hidden_high, *weight;
    bool *hidden;
    double *rounded;     /* by cell: what it prints as under controlled rounding, else NULL */
    struct reach *reach; /* what the attacker's interval surely holds; NaN = not asked */
    uint32_t n_cells;    /* variables below this are cells, the others margins and differences */
    struct demand *demands;
    uint32_t n_demands;
};

/* Whether its cells are whole counts. */
static bool is_counted(const struct result_table *t)
{
    if (t->type != OUTPUT_COUNT && t->type != OUTPUT_RATE)
        return false;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        double n = count_of(t, &t->cells[i]);
        if (!(n >= 0) || n != floor(n))
            return false;
    }
    return true;
}

static bool has_sums(const struct result_table *t)
{
    for (uint32_t d = 0; d < t->n_dimensions; d++) {
        if (t->dimensions[d].nested)
            return true;
        for (uint32_t i = 0; i < t->dimensions[d].n_levels; i++)
            if (t->dimensions[d].levels[i].parent >= 0)
                return true;
    }
    return false;
}

/* What is left of two ranges that both hold the count. */
static struct count_range both(struct count_range a, struct count_range b)
{
    return (struct count_range){a.low > b.low ? a.low : b.low, a.high < b.high ? a.high : b.high};
}

/* What a figure made of the count rounded by itself gives away. */
static struct count_range rounded_range(const struct secured *s, int64_t n)
{
    enum rounding kind = (enum rounding)s->policy->rounding;
    if (kind == ROUNDING_CONTROLLED || kind == ROUNDING_CELL_KEY)
        kind = ROUNDING_NEAREST;
    return round_range(round_count(n, kind, s->policy->base), kind, s->policy->base, s->minimum);
}

/* What the print of a count gives away. Of controlled rounding the attacker may know that counts move as
   little as the sums let them: a print at the nearest multiple is taken for one that is known to be that.
   Rates beside counts with noise are made of counts rounded by themselves, which tells as well. */
static struct count_range print_of(const struct secured *s, const struct result_table *t, uint32_t v,
                                   double printed)
{
    int64_t n = (int64_t)s->system.value[v];
    enum rounding kind = (enum rounding)s->policy->rounding;
    struct count_range alone = rounded_range(s, n);
    if (t->type != OUTPUT_COUNT || (kind != ROUNDING_CONTROLLED && kind != ROUNDING_CELL_KEY))
        return alone;
    if (kind == ROUNDING_CONTROLLED && round_nearest(n, s->policy->base) == (int64_t)printed)
        return alone;
    struct count_range r = print_range(s->policy, (int64_t)printed, s->minimum);
    return s->gate->has_rates ? both(r, alone) : r;
}

static void add_cells(struct secured *s)
{
    s->n_cells = s->linked.n_cells;
    s->mark = arena_array(s->arena, s->n_cells, sizeof *s->mark);
    double *n = arena_array(s->arena, s->n_cells, sizeof *n);
    for (uint32_t t = 0; t < s->n_tables; t++)
        for (uint64_t c = 0; c < s->tables[t]->n_cells; c++) {
            uint32_t v = s->linked.variable[t][c];
            n[v] = count_of(s->tables[t], &s->tables[t]->cells[c]);
            enum cell_mark mark = s->gate->verdicts[s->index[t]][c].mark;
            if (mark == CELL_PRIMARY || s->mark[v] == CELL_SHOWN)
                s->mark[v] = mark;
        }
    for (uint32_t v = 0; v < s->n_cells; v++)
        system_add_variable(&s->system, n[v], n[v], n[v]);
}

/* Bounds from the prints; a cell that several tables print is within all of them. */
static void set_prints(struct secured *s)
{
    bool *seen = arena_array(s->arena, s->n_cells, sizeof *seen);
    for (uint32_t t = 0; t < s->n_tables; t++)
        for (uint64_t c = 0; c < s->tables[t]->n_cells; c++) {
            uint32_t v = s->linked.variable[t][c];
            double printed = s->rounded ? s->rounded[v] : s->gate->verdicts[s->index[t]][c].value;
            if (s->mark[v] != CELL_SHOWN)
                continue;
            struct count_range r = print_of(s, s->tables[t], v, printed);
            if (seen[v])
                r = both(r, (struct count_range){(int64_t)s->system.low[v], (int64_t)s->system.high[v]});
            s->system.low[v] = (double)r.low;
            s->system.high[v] = (double)r.high;
            seen[v] = true;
        }
}

/* Differences of neighbours along nested dimensions. */
static void add_differences(struct secured *s)
{
    const struct result_table *t = s->tables[0];
    const struct lattice *l = &s->linked.lattice;
    uint32_t *at = arena_array(s->arena, t->n_dimensions + 1, sizeof *at);
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        for (uint32_t i = 0; t->dimensions[d].nested && i < s->n_cells; i++) {
            for (uint32_t k = 0; k < t->n_dimensions; k++)
                at[k] = t->cells[i].at[k] + (k == d);
            const struct lattice_cell *next =
                at[d] < t->dimensions[d].n_levels ? lattice_find(l, lattice_key(l, at)) : NULL;
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
    const struct result_table *t = s->tables[0];
    const struct lattice *l = &s->linked.lattice;
    uint32_t *at = arena_array(s->arena, t->n_dimensions + 1, sizeof *at), equation = 0;
    for (uint32_t i = 0; i < s->n_cells; i++)
        for (uint32_t d = 0; s->system.value[i] > 0 && d < t->n_dimensions; d++) {
            int32_t parent = t->dimensions[d].levels[t->cells[i].at[d]].parent;
            for (uint32_t k = 0; k < t->n_dimensions; k++)
                at[k] = k == d && parent >= 0 ? (uint32_t)parent : t->cells[i].at[k];
            if (!lattice_find(l, lattice_key(l, at)))
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
        bool fixed = v < s->n_cells && s->system.value[v] == 0 && s->mark[v] == CELL_SHOWN;
        s->hidden_low[v] = v >= s->n_cells || fixed || s->system.value[v] == 0 ? 0 : least;
        s->hidden_high[v] = fixed ? s->system.high[v] : HUGE_VAL;
    }
}

/* Hidden cells, whatever rule hides them, small margins and small differences. */
static bool needs_protection(const struct secured *s, uint32_t v)
{
    double n = s->system.value[v];
    if (v < s->n_cells)
        return s->mark[v] == CELL_PRIMARY;
    return n > 0 && n < (double)s->minimum;
}

static void set_demands(struct secured *s, bool interval)
{
    /* Alternatives in whole numbers are asked for in tables of a usual size. */
    bool whole = s->system.n_variables <= WHOLE_MOST;
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
        return err_wrap(e, "table '%s'", s->tables[0]->name);
    attack_run(&s->system, &room, s->hidden, s->demands, s->n_demands, NULL, &report);
    proof->solves += report.solves + p.solves;
    proof->demands = s->n_demands;
    proof->whole = s->n_demands && s->demands[0].whole;
    for (uint32_t i = 0; interval && i < s->n_demands; i++)
        s->reach[s->demands[i].variable] =
            (struct reach){fmax(0, ceil(report.low[i] - 1e-6)), floor(report.high[i] + 1e-6)};
    if (report.n_safe < s->n_demands)
        status = err_set(e, ST_UNSAFE, "table '%s': its hidden cells could not be proven safe",
                         s->tables[0]->name);
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
    s->reach = arena_array(s->arena, n, sizeof *s->reach);
    for (uint32_t v = 0; v < n; v++) {
        s->reach[v] = (struct reach){NAN, NAN};
        s->weight[v] = pow(1 + s->system.value[v], 0.85);
        s->hidden[v] = v >= s->n_cells || s->mark[v] != CELL_SHOWN;
    }
}

static enum status lay_out(struct secured *s, struct err *e)
{
    enum status status = linked_lay(s->tables, s->n_tables, s->arena, &s->linked, e);
    if (status != ST_OK)
        return status;
    add_cells(s);
    linked_add_margins(&s->linked, &s->system);
    if (!linked_add_equations(&s->linked, s->n_tables, &s->system))
        return err_set(e, ST_INVALID, "linked tables do not add up");
    if (s->n_tables == 1)
        add_differences(s);
    system_close(&s->system);
    system_place(&s->system, &s->linked.lattice);
    return s->n_tables == 1 ? check_structure(s, e) : ST_OK;
}

/* Counts that are rounded to let their sums add up. */
static enum status round_cells(struct secured *s, struct err *e)
{
    if (s->policy->rounding != ROUNDING_CONTROLLED || s->tables[0]->type != OUTPUT_COUNT)
        return ST_OK;
    s->rounded = arena_array(s->arena, s->n_cells, sizeof *s->rounded);
    enum status status = controlled_round(&s->system, s->n_cells, s->policy->base, s->rounded, e);
    return status == ST_OK ? ST_OK : err_wrap(e, "table '%s'", s->tables[0]->name);
}

/* What was decided for the variables goes back to the cells of every table. */
static void tell_verdicts(const struct secured *s, const struct proof *proof)
{
    for (uint32_t t = 0; t < s->n_tables; t++) {
        struct verdict *verdicts = s->gate->verdicts[s->index[t]];
        s->gate->proofs[s->index[t]] = *proof;
        for (uint64_t c = 0; c < s->tables[t]->n_cells; c++) {
            uint32_t v = s->linked.variable[t][c];
            if (s->hidden[v] && verdicts[c].mark == CELL_SHOWN)
                verdict_hide(&verdicts[c], CELL_SECONDARY, "complementary");
            verdicts[c].surely_low = s->reach[v].low;
            verdicts[c].surely_high = s->reach[v].high;
            if (s->rounded && verdicts[c].mark == CELL_SHOWN)
                verdicts[c].value = s->rounded[v];
        }
    }
}

static enum status secure(struct secured *s, struct err *e)
{
    struct proof proof = {.tables = s->n_tables};
    enum status status;
    make_arrays(s);
    set_demands(s, true);
    bool asked = s->n_demands > 0;
    status = asked ? hold_off(s, 0, true, &proof, e) : ST_OK;
    /* Of a minimum of 2 the interval that must hold is 1 alone, and zeros that are hidden too may be it. */
    if (status == ST_OK && asked && (s->policy->zero_shown || s->minimum <= 2))
        status = hold_off(s, s->policy->zero_shown ? 1 : 0, false, &proof, e);
    if (status == ST_OK && (asked || s->rounded))
        tell_verdicts(s, &proof);
    return status;
}

bool secure_links(const struct result_table *t)
{
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        if (t->dimensions[d].nested)
            return false;
    return t->type == OUTPUT_COUNT && is_counted(t);
}

static void secured_init(struct secured *s, const struct gate *g, const uint32_t *index, uint32_t n)
{
    struct arena *a = arena_new();
    *s = (struct secured){.gate = g,
                          .policy = g->policy,
                          .tables = arena_array(a, n, sizeof *s->tables),
                          .index = index,
                          .n_tables = n,
                          .minimum = policy_minimum(g->policy, g->result->tables[index[0]].type),
                          .arena = a};
    for (uint32_t t = 0; t < n; t++)
        s->tables[t] = &g->result->tables[index[t]];
    system_init(&s->system);
}

static void secured_deinit(struct secured *s)
{
    system_deinit(&s->system);
    arena_free(s->arena);
}

enum status secure_check(const struct gate *g, uint32_t index, struct err *e)
{
    struct secured s;
    secured_init(&s, g, &index, 1);
    enum status status = lay_out(&s, e);
    secured_deinit(&s);
    return status;
}

enum status secure_tables(const struct gate *g, const uint32_t *index, uint32_t n, struct err *e)
{
    const struct result_table *only = &g->result->tables[index[0]];
    struct secured s;
    if (n == 1 && !(is_counted(only) && has_sums(only)))
        return ST_OK;
    secured_init(&s, g, index, n);
    enum status status = lay_out(&s, e);
    if (status == ST_OK)
        status = round_cells(&s, e);
    if (status == ST_OK) {
        set_prints(&s);
        status = secure(&s, e);
    }
    secured_deinit(&s);
    return status;
}
