/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/exact.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "disclose/attack.h"
#include "disclose/solver.h"

enum { NODES = 5000, NONE = -1 };

struct entry {
    int column, row;
    double value;
};

/* The programme while it grows. */
struct programme {
    struct entry *entries;
    double *lower, *upper, *cost, *row_lower, *row_upper;
    bool *integer;
    size_t n_entries, n_columns, n_rows;
    size_t entries_room, columns_room[4], rows_room[2];
};

struct search {
    const struct system *system;
    const struct room *room;
    const double *weight;
    const struct demand *demands;
    uint32_t n_demands;
    const bool *must;
    uint32_t *component; /* of each variable: the least of it */
    double reach;        /* no alternative moves further */
    int *hides;          /* by variable: its binary column, NONE */
    struct programme p;
};

static int add_column(struct programme *p, double lower, double upper, double cost, bool integer)
{
    size_t n = p->n_columns++;
    GROW(p->lower, n + 1, p->columns_room[0]);
    GROW(p->upper, n + 1, p->columns_room[1]);
    GROW(p->cost, n + 1, p->columns_room[2]);
    GROW(p->integer, n + 1, p->columns_room[3]);
    p->lower[n] = lower;
    p->upper[n] = upper;
    p->cost[n] = cost;
    p->integer[n] = integer;
    return (int)n;
}

static int add_row(struct programme *p, double lower, double upper)
{
    size_t n = p->n_rows++;
    GROW(p->row_lower, n + 1, p->rows_room[0]);
    GROW(p->row_upper, n + 1, p->rows_room[1]);
    p->row_lower[n] = lower;
    p->row_upper[n] = upper;
    return (int)n;
}

static void add_entry(struct programme *p, int column, int row, double value)
{
    GROW(p->entries, p->n_entries + 1, p->entries_room);
    p->entries[p->n_entries++] = (struct entry){column, row, value};
}

static void programme_deinit(struct programme *p)
{
    free(p->entries);
    free(p->lower);
    free(p->upper);
    free(p->cost);
    free(p->integer);
    free(p->row_lower);
    free(p->row_upper);
    *p = (struct programme){0};
}

/* --- components ---------------------------------------------------------------------------------------- */

static uint32_t root_of(uint32_t *up, uint32_t v)
{
    while (up[v] != v)
        v = up[v] = up[up[v]];
    return v;
}

/* How far the variable may move in a direction, printed or hidden. */
static double room_of(const struct search *s, uint32_t v, int sign, bool hidden)
{
    const struct room *r = s->room;
    double value = s->system->value[v];
    double end = sign > 0 ? (hidden ? r->hidden_high[v] : r->high[v]) - value
                          : value - (hidden ? r->hidden_low[v] : r->low[v]);
    return fmin(fmax(end, 0), s->reach);
}

static bool moves_at_all(const struct search *s, uint32_t v)
{
    for (int hidden = 0; hidden < 2; hidden++)
        if (room_of(s, v, 1, hidden) > 0 || room_of(s, v, -1, hidden) > 0)
            return true;
    return false;
}

static void find_components(struct search *s)
{
    const struct system *y = s->system;
    for (uint32_t v = 0; v < y->n_variables; v++)
        s->component[v] = v;
    for (uint32_t k = 0; k < y->n_equations; k++) {
        uint32_t first = UINT32_MAX;
        for (uint32_t i = y->first[k]; i < y->first[k + 1]; i++) {
            if (!moves_at_all(s, y->variable[i]))
                continue;
            uint32_t a = root_of(s->component, y->variable[i]);
            uint32_t b = first == UINT32_MAX ? a : root_of(s->component, first);
            s->component[a > b ? a : b] = a < b ? a : b;
            first = a < b ? a : b;
        }
    }
    for (uint32_t v = 0; v < y->n_variables; v++)
        s->component[v] = root_of(s->component, v);
}

/* --- the programme ------------------------------------------------------------------------------------- */

static bool could_hide(const struct search *s, uint32_t v)
{
    return !s->must[v] && (room_of(s, v, 1, true) > room_of(s, v, 1, false) ||
                           room_of(s, v, -1, true) > room_of(s, v, -1, false));
}

/* deviation <= what printing leaves + what hiding adds times its binary, on both sides. */
static void add_limits(struct search *s, uint32_t v, int deviation)
{
    struct programme *p = &s->p;
    double lower = -room_of(s, v, -1, s->must[v]), upper = room_of(s, v, 1, s->must[v]);
    p->lower[deviation] = s->hides[v] == NONE ? lower : -room_of(s, v, -1, true);
    p->upper[deviation] = s->hides[v] == NONE ? upper : room_of(s, v, 1, true);
    if (s->hides[v] == NONE)
        return;
    int above = add_row(p, -LP_INFINITY, upper), below = add_row(p, lower, LP_INFINITY);
    add_entry(p, deviation, above, 1);
    add_entry(p, s->hides[v], above, upper - p->upper[deviation]);
    add_entry(p, deviation, below, 1);
    add_entry(p, s->hides[v], below, lower - p->lower[deviation]);
}

/* The deviation of the protected variable itself: as demanded; of "either" demands one way or the other. */
static void add_demand(struct search *s, const struct demand *d, int sign, int deviation)
{
    struct programme *p = &s->p;
    if (sign != 0) {
        p->lower[deviation] = p->upper[deviation] = sign > 0 ? d->up : -d->down;
        return;
    }
    int which = add_column(p, 0, 1, 0, true), row = add_row(p, -d->down, -d->down);
    p->lower[deviation] = -d->down;
    p->upper[deviation] = d->up;
    add_entry(p, deviation, row, 1);
    add_entry(p, which, row, -(d->up + d->down));
}

/* One attacker's question: an alternative table. columns[v] is scratch, NONE between calls. */
static void add_question(struct search *s, uint32_t component, const struct demand *d, int sign, int *columns)
{
    const struct system *y = s->system;
    for (uint32_t v = component; v < y->n_variables; v++) {
        if (s->component[v] != component || !moves_at_all(s, v))
            continue;
        columns[v] = add_column(&s->p, 0, 0, 0, d->whole);
        if (v == d->variable)
            add_demand(s, d, sign, columns[v]);
        else
            add_limits(s, v, columns[v]);
    }
    for (uint32_t k = 0; k < y->n_equations; k++) {
        int row = NONE;
        for (uint32_t i = y->first[k]; i < y->first[k + 1]; i++) {
            if (columns[y->variable[i]] == NONE)
                continue;
            row = row == NONE ? add_row(&s->p, 0, 0) : row;
            add_entry(&s->p, columns[y->variable[i]], row, y->coefficient[i]);
        }
    }
    for (uint32_t v = component; v < y->n_variables; v++)
        columns[v] = NONE;
}

static void pose(struct search *s, uint32_t component)
{
    uint32_t n = s->system->n_variables;
    int *columns = xcalloc((size_t)n + 1, sizeof *columns);
    for (uint32_t v = 0; v < n; v++) {
        columns[v] = NONE;
        s->hides[v] = s->component[v] == component && could_hide(s, v)
                          ? add_column(&s->p, 0, 1, s->weight[v], true)
                          : NONE;
    }
    for (uint32_t i = 0; i < s->n_demands; i++) {
        const struct demand *d = &s->demands[i];
        if (s->component[d->variable] != component)
            continue;
        if (d->either)
            add_question(s, component, d, 0, columns);
        if (!d->either && d->up > 0)
            add_question(s, component, d, 1, columns);
        if (!d->either && d->down > 0)
            add_question(s, component, d, -1, columns);
    }
    free(columns);
}

/* CLP and CBC read problems by columns. */
static enum lp_status solve(const struct programme *p, double *solution)
{
    int *start = xcalloc(p->n_columns + 2, sizeof *start), *next = xcalloc(p->n_columns + 1, sizeof *next);
    int *row = xcalloc(p->n_entries + 1, sizeof *row);
    double *value = xcalloc(p->n_entries + 1, sizeof *value);
    for (size_t i = 0; i < p->n_entries; i++)
        start[p->entries[i].column + 1]++;
    for (size_t c = 0; c < p->n_columns; c++) {
        start[c + 1] += start[c];
        next[c] = start[c];
    }
    for (size_t i = 0; i < p->n_entries; i++) {
        int at = next[p->entries[i].column]++;
        row[at] = p->entries[i].row;
        value[at] = p->entries[i].value;
    }
    struct lp_form form = {(int)p->n_columns, (int)p->n_rows, start,   row,          value,
                           p->lower,          p->upper,       p->cost, p->row_lower, p->row_upper};
    enum lp_status status = mip_minimise(&form, p->integer, NODES, solution);
    free(start);
    free(next);
    free(row);
    free(value);
    return status;
}

/* --- components one by one ----------------------------------------------------------------------------- */

/* Nothing is cheaper than hiding nothing more. */
static bool hides_more(const struct search *s, uint32_t component, const bool *hidden)
{
    for (uint32_t v = component; v < s->system->n_variables; v++)
        if (s->component[v] == component && hidden[v] && !s->must[v] && s->weight[v] > 0)
            return true;
    return false;
}

static double cost_of(const struct search *s, const bool *hidden)
{
    double cost = 0;
    for (uint32_t v = 0; v < s->system->n_variables; v++)
        cost += hidden[v] && !s->must[v] ? s->weight[v] : 0;
    return cost;
}

static bool is_safe(const struct search *s, const bool *hidden)
{
    struct attack_report report;
    attack_run(s->system, s->room, hidden, s->demands, s->n_demands, NULL, &report);
    bool safe = report.n_safe == s->n_demands;
    attack_report_deinit(&report);
    return safe;
}

/* Takes the optimum over where it is cheaper; true where the component's pattern is now the cheapest. */
static bool improve(struct search *s, uint32_t component, bool *hidden)
{
    uint32_t n = s->system->n_variables;
    pose(s, component);
    double *x = xcalloc(s->p.n_columns + 1, sizeof *x);
    bool *other = xcalloc((size_t)n + 1, sizeof *other), proven = solve(&s->p, x) == LP_OPTIMAL;
    memcpy(other, hidden, n * sizeof *other);
    for (uint32_t v = 0; proven && v < n; v++)
        if (s->component[v] == component && !s->must[v])
            other[v] = s->hides[v] != NONE && x[s->hides[v]] > 0.5;
    double before = cost_of(s, hidden), after = cost_of(s, other);
    bool cheaper = proven && after < before * (1 - 1e-9) - 1e-9;
    if (cheaper && is_safe(s, other))
        memcpy(hidden, other, n * sizeof *hidden);
    else if (cheaper)
        proven = false;
    programme_deinit(&s->p);
    free(x);
    free(other);
    return proven;
}

static uint32_t n_questions(const struct demand *d)
{
    return d->either || d->up <= 0 || d->down <= 0 ? (d->up > 0 || d->down > 0 ? 1 : 0) : 2;
}

static uint32_t size_of(const struct search *s, uint32_t component)
{
    uint32_t variables = 0, questions = 0;
    for (uint32_t v = component; v < s->system->n_variables; v++)
        variables += s->component[v] == component && moves_at_all(s, v) ? 1 : 0;
    for (uint32_t i = 0; i < s->n_demands; i++)
        if (s->component[s->demands[i].variable] == component)
            questions += n_questions(&s->demands[i]);
    return variables * questions;
}

static double largest_demand(const struct demand *demands, uint32_t n)
{
    double most = 0;
    for (uint32_t i = 0; i < n; i++)
        most = fmax(most, fmax(demands[i].up, demands[i].down));
    return most;
}

double exact_improve(const struct system *s, const struct room *room, const double *weight,
                     const struct demand *demands, uint32_t n_demands, const bool *must, uint32_t most,
                     bool *hidden, uint32_t *n_optimal, uint32_t *n_components)
{
    struct search x = {.system = s,
                       .room = room,
                       .weight = weight,
                       .demands = demands,
                       .n_demands = n_demands,
                       .must = must,
                       .reach = EXACT_REACH * largest_demand(demands, n_demands)};
    x.component = xcalloc((size_t)s->n_variables + 1, sizeof *x.component);
    x.hides = xcalloc((size_t)s->n_variables + 1, sizeof *x.hides);
    double before = cost_of(&x, hidden);
    *n_optimal = *n_components = 0;
    find_components(&x);
    for (uint32_t v = 0; v < s->n_variables; v++) {
        uint32_t size = x.component[v] == v ? size_of(&x, v) : 0;
        *n_components += size > 0;
        if (size > 0 && !hides_more(&x, v, hidden))
            ++*n_optimal;
        else if (size > 0 && size <= most)
            *n_optimal += improve(&x, v, hidden) ? 1 : 0;
    }
    free(x.component);
    free(x.hides);
    return before - cost_of(&x, hidden);
}
