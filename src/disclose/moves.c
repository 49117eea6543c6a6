/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/moves.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "disclose/near.h"
#include "disclose/solver.h"

/* Places of a small lattice around a cell, and of a larger one; systems under LOCAL_LEAST variables are
   solved whole at once. */
enum {
    LOCAL_LEAST = 600,
    LOCAL_SMALL = 300,
    LOCAL_LARGE = 1500,
    WHOLE_MOST = 4000000,
    DIVE_SOLVES = 200,
    SEARCH_NODES = 2000
};
#define WHOLE_SLACK 1.25

/* A segment of a variable's room in one direction: one column. */
struct segment {
    uint32_t variable;
    int sign;
    bool extra; /* only open to a hidden variable */
    double length, cost;
};

struct moves {
    const struct system *system;
    struct room room;
    bool *hidden, *closed, *held;
    double *weight;   /* NULL: nothing more may be hidden */
    double free_cost; /* of hidden room: small, so that moves stay short */
    struct segment *segments;
    uint32_t n_segments;
    uint32_t
        *first; /* of a variable: segments first[v] .. first[v + 1] - 1, nearest first in each direction */
    struct lp_form form; /* kept for integer programmes */
    int *starts, *rows;
    double *coefficients, *lower, *upper, *cost, *row_zero;
    struct lp *lp;
    double *deviation; /* scratch by variable */
    double *residual;  /* scratch by equation */
    struct near *near;
    double *price;    /* by variable: of moving it, for near_list */
    uint32_t *listed; /* scratch by variable */
    double *columns;  /* scratch by segment */
    int *local_row;   /* scratch by equation: its row in a local programme, -1 */
    int64_t local_iterations;
    double cost_found; /* of the last move found */
};

void move_free(struct move *m)
{
    free(m->variable);
    free(m->deviation);
    *m = (struct move){0};
}

static double room_left(double length)
{
    return length > 0 ? length : 0;
}

static void add_segment(struct moves *m, uint32_t v, int sign, bool extra, double length)
{
    if (!(length > 0))
        return;
    m->segments[m->n_segments++] =
        (struct segment){v, sign, extra, length > LP_INFINITY ? LP_INFINITY : length, 0};
}

/* Up to four segments: free and extra, up and down. */
static void make_segments(struct moves *m, bool more)
{
    const struct system *s = m->system;
    m->segments = xcalloc((size_t)s->n_variables * 4 + 1, sizeof *m->segments);
    m->first = xcalloc((size_t)s->n_variables + 1, sizeof *m->first);
    for (uint32_t v = 0; v < s->n_variables; v++) {
        double value = s->value[v];
        double up = room_left(m->room.high[v] - value), down = room_left(value - m->room.low[v]);
        m->first[v] = m->n_segments;
        add_segment(m, v, 1, false, up);
        add_segment(m, v, -1, false, down);
        if (more || m->hidden[v]) {
            add_segment(m, v, 1, true, room_left(m->room.hidden_high[v] - value) - up);
            add_segment(m, v, -1, true, room_left(value - m->room.hidden_low[v]) - down);
        }
    }
    m->first[s->n_variables] = m->n_segments;
}

static bool is_open(const struct moves *m, const struct segment *g)
{
    if (m->held[g->variable])
        return false;
    return !g->extra || m->hidden[g->variable] || (m->weight && !m->closed[g->variable]);
}

/* Hidden room costs little, and less in large cells, which carry a move in fewer steps. */
static double free_cost(const struct moves *m, uint32_t v)
{
    return m->free_cost / (1e-3 + fabs(m->system->value[v]));
}

static double cost_of(const struct moves *m, const struct segment *g)
{
    return g->extra && !m->hidden[g->variable] && m->weight ? m->weight[g->variable]
                                                            : free_cost(m, g->variable);
}

/* Printed room costs nothing, hidden room next to nothing. */
static double price_of(const struct moves *m, uint32_t v)
{
    double price = INFINITY;
    for (uint32_t i = m->first[v]; i < m->first[v + 1]; i++)
        if (m->upper[i] > 0)
            price = fmin(price, m->cost[i]);
    return price;
}

static void refresh(struct moves *m, uint32_t v)
{
    for (uint32_t i = m->first[v]; i < m->first[v + 1]; i++) {
        const struct segment *g = &m->segments[i];
        m->upper[i] = is_open(m, g) ? g->length : 0;
        m->cost[i] = cost_of(m, g);
        if (m->lp) {
            lp_set_bounds(m->lp, (int)i, 0, m->upper[i]);
            lp_set_cost(m->lp, (int)i, m->cost[i]);
        }
    }
    m->price[v] = price_of(m, v);
}

static void make_columns(struct moves *m)
{
    const struct system *s = m->system;
    size_t n = m->n_segments, terms = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t v = m->segments[i].variable;
        terms += s->by_first[v + 1] - s->by_first[v];
    }
    m->starts = xcalloc(n + 1, sizeof *m->starts);
    m->rows = xcalloc(terms + 1, sizeof *m->rows);
    m->coefficients = xcalloc(terms + 1, sizeof *m->coefficients);
    int at = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct segment *g = &m->segments[i];
        m->starts[i] = at;
        for (uint32_t k = s->by_first[g->variable]; k < s->by_first[g->variable + 1]; k++) {
            m->rows[at] = (int)s->by_equation[k];
            m->coefficients[at++] = s->by_coefficient[k] * g->sign;
        }
    }
    m->starts[n] = at;
}

/* A thousandth of the smallest weight: hardly worth hiding one more cell to save a free one. */
static double smallest_weight(const struct moves *m)
{
    double least = INFINITY;
    for (uint32_t v = 0; m->weight && v < m->system->n_variables; v++)
        if (m->weight[v] > 0 && m->weight[v] < least)
            least = m->weight[v];
    return isfinite(least) ? least * 1e-3 : 100;
}

struct moves *moves_new(const struct system *s, const struct room *room, const bool *hidden,
                        const double *weight)
{
    struct moves *m = xcalloc(1, sizeof *m);
    size_t n = (size_t)s->n_variables + 1;
    m->system = s;
    m->room = *room;
    m->hidden = xcalloc(n, sizeof *m->hidden);
    m->closed = xcalloc(n, sizeof *m->closed);
    m->held = xcalloc(n, sizeof *m->held);
    m->deviation = xcalloc(n, sizeof *m->deviation);
    m->residual = xcalloc((size_t)s->n_equations + 1, sizeof *m->residual);
    m->near = near_new(s);
    m->price = xcalloc(n, sizeof *m->price);
    m->listed = xcalloc(n, sizeof *m->listed);
    m->local_row = xcalloc((size_t)s->n_equations + 1, sizeof *m->local_row);
    for (uint32_t k = 0; k < s->n_equations; k++)
        m->local_row[k] = -1;
    memcpy(m->hidden, hidden, s->n_variables * sizeof *hidden);
    if (weight) {
        m->weight = xcalloc(n, sizeof *m->weight);
        memcpy(m->weight, weight, s->n_variables * sizeof *weight);
    }
    m->free_cost = smallest_weight(m);
    make_segments(m, weight != NULL);
    make_columns(m);
    m->lower = xcalloc((size_t)m->n_segments + 1, sizeof *m->lower);
    m->upper = xcalloc((size_t)m->n_segments + 1, sizeof *m->upper);
    m->cost = xcalloc((size_t)m->n_segments + 1, sizeof *m->cost);
    m->columns = xcalloc((size_t)m->n_segments + 1, sizeof *m->columns);
    m->row_zero = xcalloc((size_t)s->n_equations + 1, sizeof *m->row_zero);
    for (uint32_t v = 0; v < s->n_variables; v++)
        refresh(m, v);
    m->form = (struct lp_form){(int)m->n_segments, (int)s->n_equations,
                               m->starts,          m->rows,
                               m->coefficients,    m->lower,
                               m->upper,           m->cost,
                               m->row_zero,        m->row_zero};
    m->lp = lp_new(&m->form);
    return m;
}

void moves_free(struct moves *m)
{
    if (!m)
        return;
    lp_free(m->lp);
    free(m->hidden);
    free(m->closed);
    free(m->held);
    free(m->weight);
    free(m->segments);
    free(m->first);
    free(m->starts);
    free(m->rows);
    free(m->coefficients);
    free(m->lower);
    free(m->upper);
    free(m->cost);
    free(m->row_zero);
    free(m->deviation);
    free(m->residual);
    near_free(m->near);
    free(m->price);
    free(m->listed);
    free(m->columns);
    free(m->local_row);
    free(m);
}

static void set_state(struct moves *m, uint32_t variable, bool hidden, bool closed)
{
    m->hidden[variable] = hidden;
    m->closed[variable] = closed;
    refresh(m, variable);
}

void moves_hide(struct moves *m, uint32_t variable)
{
    set_state(m, variable, true, false);
}

void moves_open(struct moves *m, uint32_t variable)
{
    set_state(m, variable, false, false);
}

void moves_close(struct moves *m, uint32_t variable)
{
    set_state(m, variable, false, true);
}

void moves_weigh(struct moves *m, uint32_t variable, double weight)
{
    m->weight[variable] = weight;
    refresh(m, variable);
}

void moves_hold(struct moves *m, uint32_t variable, bool held)
{
    m->held[variable] = held;
    refresh(m, variable);
}

/* Holds the variable's net deviation: nearest segments are filled first, the other direction is shut. False
   when there is not enough room. */
static bool pin(struct moves *m, uint32_t v, double deviation)
{
    int sign = deviation < 0 ? -1 : 1;
    double left = fabs(deviation);
    for (uint32_t i = m->first[v]; i < m->first[v + 1]; i++) {
        const struct segment *g = &m->segments[i];
        double part = 0;
        if (g->sign == sign && is_open(m, g))
            part = left < g->length ? left : g->length;
        left -= part;
        m->lower[i] = m->upper[i] = part;
        lp_set_bounds(m->lp, (int)i, part, part);
    }
    return left <= 1e-9 * fabs(deviation);
}

static void unpin(struct moves *m, uint32_t v)
{
    for (uint32_t i = m->first[v]; i < m->first[v + 1]; i++)
        m->lower[i] = 0;
    refresh(m, v);
}

/* The columns' values as deviations by variable; tiny ones are dropped. */
static uint32_t gather(struct moves *m, const double *columns, double tiny)
{
    uint32_t n = 0;
    for (uint32_t v = 0; v < m->system->n_variables; v++) {
        double d = 0;
        for (uint32_t i = m->first[v]; i < m->first[v + 1]; i++)
            d += columns[i] * m->segments[i].sign;
        m->deviation[v] = fabs(d) > tiny ? d : 0;
        n += m->deviation[v] != 0;
    }
    return n;
}

static bool within_room(const struct moves *m, uint32_t v, double tolerance)
{
    double d = m->deviation[v], up = 0, down = 0;
    for (uint32_t i = m->first[v]; i < m->first[v + 1]; i++)
        if (is_open(m, &m->segments[i]))
            *(m->segments[i].sign > 0 ? &up : &down) += m->segments[i].length;
    return d <= up + tolerance && -d <= down + tolerance;
}

/* Whether the gathered deviations keep every equation and bound: the solver's word is not enough. */
static bool holds(struct moves *m, double scale)
{
    const struct system *s = m->system;
    double tolerance = 1e-5 * scale;
    bool good = true;
    memset(m->residual, 0, s->n_equations * sizeof *m->residual);
    for (uint32_t v = 0; v < s->n_variables; v++) {
        if (m->deviation[v] == 0)
            continue;
        good &= within_room(m, v, tolerance);
        for (uint32_t k = s->by_first[v]; k < s->by_first[v + 1]; k++)
            m->residual[s->by_equation[k]] += s->by_coefficient[k] * m->deviation[v];
    }
    for (uint32_t k = 0; k < s->n_equations; k++)
        good &= fabs(m->residual[k]) <= tolerance;
    return good;
}

static bool is_whole(const struct moves *m)
{
    for (uint32_t v = 0; v < m->system->n_variables; v++)
        if (fabs(m->deviation[v] - nearbyint(m->deviation[v])) > 1e-6)
            return false;
    return true;
}

static enum move_answer take(struct moves *m, const double *columns, double deviation, bool whole,
                             struct move *out)
{
    double scale = fabs(deviation);
    uint32_t n = gather(m, columns, 1e-6 * scale);
    if (!holds(m, scale) || (whole && !is_whole(m)))
        return MOVE_FAILED;
    *out = (struct move){n, xcalloc((size_t)n + 1, sizeof *out->variable),
                         xcalloc((size_t)n + 1, sizeof *out->deviation)};
    uint32_t at = 0;
    for (uint32_t v = 0; v < m->system->n_variables; v++)
        if (m->deviation[v] != 0) {
            out->variable[at] = v;
            out->deviation[at++] = m->deviation[v];
        }
    return MOVE_FOUND;
}

/* A programme over a few variables while it is put together. */
struct local {
    int n_columns, n_rows;
    uint32_t *column, *equation; /* of the whole */
    int *start, *row;
    double *coefficient, *bounds, *zero;
};

static void add_local_column(struct moves *m, struct local *l, uint32_t segment)
{
    const struct system *s = m->system;
    const struct segment *g = &m->segments[segment];
    int at = l->start[l->n_columns];
    for (uint32_t k = s->by_first[g->variable]; k < s->by_first[g->variable + 1]; k++) {
        uint32_t equation = s->by_equation[k];
        if (m->local_row[equation] < 0) {
            l->equation[l->n_rows] = equation;
            m->local_row[equation] = l->n_rows++;
        }
        l->row[at] = m->local_row[equation];
        l->coefficient[at++] = s->by_coefficient[k] * g->sign;
    }
    l->start[++l->n_columns] = at;
}

/* Solves into solution[]; in whole numbers by a dive from the optimum in fractions. */
static enum lp_status solve_in(struct moves *m, struct lp *lp, int n_columns, bool whole, double *solution)
{
    enum lp_status status = lp_minimise(lp, LP_COLD);
    if (status == LP_OPTIMAL && whole)
        status = lp_dive(lp, DIVE_SOLVES);
    m->cost_found = status == LP_OPTIMAL ? lp_objective(lp) : (double)INFINITY;
    if (status == LP_OPTIMAL)
        memcpy(solution, lp_solution(lp), (size_t)n_columns * sizeof *solution);
    return status;
}

/* The programme over the listed variables alone: its columns are their open segments, its rows their
   equations, numbered as they are met. Solves it into columns[] of the whole. */
static enum lp_status solve_local(struct moves *m, const uint32_t *near, uint32_t n, bool whole,
                                  double *columns)
{
    const struct system *s = m->system;
    struct local l = {0};
    size_t terms = 0, most = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t segments = m->first[near[i] + 1] - m->first[near[i]];
        most += segments;
        terms += segments * (s->by_first[near[i] + 1] - s->by_first[near[i]]);
    }
    l.column = xcalloc(most + 1, sizeof *l.column);
    l.start = xcalloc(most + 2, sizeof *l.start);
    l.row = xcalloc(terms + 1, sizeof *l.row);
    l.coefficient = xcalloc(terms + 1, sizeof *l.coefficient);
    l.bounds = xcalloc(3 * most + 3, sizeof *l.bounds);
    l.zero = xcalloc(terms + 1, sizeof *l.zero);
    l.equation = xcalloc(terms + 1, sizeof *l.equation);
    double *lower = l.bounds, *upper = l.bounds + most + 1, *cost = l.bounds + 2 * (most + 1);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t g = m->first[near[i]]; g < m->first[near[i] + 1]; g++) {
            if (m->upper[g] <= 0)
                continue;
            lower[l.n_columns] = m->lower[g];
            upper[l.n_columns] = m->upper[g];
            cost[l.n_columns] = m->cost[g];
            l.column[l.n_columns] = g;
            add_local_column(m, &l, g);
        }
    struct lp_form form = {l.n_columns, l.n_rows, l.start, l.row,  l.coefficient,
                           lower,       upper,    cost,    l.zero, l.zero};
    double *solution = xcalloc(most + 1, sizeof *solution);
    struct lp *lp = lp_new(&form);
    enum lp_status status = solve_in(m, lp, l.n_columns, whole, solution);
    m->local_iterations += lp_iterations(lp);
    lp_free(lp);
    memset(columns, 0, m->n_segments * sizeof *columns);
    for (int i = 0; status == LP_OPTIMAL && i < l.n_columns; i++)
        columns[l.column[i]] = solution[i];
    free(solution);
    for (int i = 0; i < l.n_rows; i++)
        m->local_row[l.equation[i]] = -1;
    free(l.column);
    free(l.start);
    free(l.row);
    free(l.coefficient);
    free(l.bounds);
    free(l.zero);
    free(l.equation);
    return status;
}

/* A move within a small lattice around the variable; MOVE_NONE where that has none. */
static enum move_answer find_local(struct moves *m, uint32_t variable, double deviation, uint32_t most,
                                   bool whole, struct move *out)
{
    uint32_t n = near_list(m->near, variable, m->price, most, m->listed);
    if (n == 0 || solve_local(m, m->listed, n, whole, m->columns) != LP_OPTIMAL)
        return MOVE_NONE;
    return take(m, m->columns, deviation, whole, out);
}

/* Where no dive ends: branch and bound over the whole system. */
static enum lp_status search(struct moves *m)
{
    bool *whole = xcalloc((size_t)m->n_segments + 1, sizeof *whole);
    memset(whole, true, m->n_segments * sizeof *whole);
    enum lp_status s = mip_minimise(&m->form, whole, SEARCH_NODES, m->columns);
    m->cost_found = 0;
    for (uint32_t i = 0; s == LP_OPTIMAL && i < m->n_segments; i++)
        m->cost_found += m->cost[i] * m->columns[i];
    free(whole);
    return s;
}

static enum move_answer find_anywhere(struct moves *m, double deviation, bool whole, struct move *out)
{
    enum lp_status s = solve_in(m, m->lp, (int)m->n_segments, whole, m->columns);
    if (s == LP_FAILED && whole && m->system->n_variables <= WHOLE_MOST)
        s = search(m);
    if (s == LP_OPTIMAL)
        return take(m, m->columns, deviation, whole, out);
    return s == LP_INFEASIBLE ? MOVE_NONE : MOVE_FAILED;
}

/* Whether a move stays within what is printed and what is hidden already. */
static bool is_free(const struct moves *m, const struct move *move)
{
    for (uint32_t i = 0; i < move->n; i++) {
        uint32_t v = move->variable[i];
        double at = m->system->value[v] + move->deviation[i];
        if (!m->hidden[v] && (at < m->room.low[v] - 1e-6 || at > m->room.high[v] + 1e-6))
            return false;
    }
    return true;
}

/* Keeps the cheaper of two moves. */
static bool keep_cheaper(struct moves *m, struct move *best, double *cost, struct move *other)
{
    bool cheaper = m->cost_found < *cost;
    move_free(cheaper ? best : other);
    if (cheaper) {
        *best = *other;
        *cost = m->cost_found;
    }
    return cheaper;
}

/* Looked for in ever larger parts until one costs no more than `enough` or hides nothing; a large system is
   searched whole only when its parts have no move. */
static enum move_answer find(struct moves *m, uint32_t variable, double deviation, bool whole, double enough,
                             struct move *out)
{
    static const uint32_t parts[] = {LOCAL_SMALL, LOCAL_LARGE};
    enum move_answer answer = MOVE_NONE;
    struct move other;
    double cost = INFINITY;
    *out = (struct move){0};
    for (size_t i = 0; i < sizeof parts / sizeof *parts && m->system->n_variables > parts[i]; i++) {
        if (find_local(m, variable, deviation, parts[i], whole, &other) != MOVE_FOUND)
            continue;
        keep_cheaper(m, out, &cost, &other);
        answer = MOVE_FOUND;
        if (cost <= enough || is_free(m, out))
            break;
    }
    if (answer != MOVE_FOUND || (cost > enough && m->system->n_variables <= WHOLE_MOST && !is_free(m, out))) {
        enum move_answer last = find_anywhere(m, deviation, whole, &other);
        if (last == MOVE_FOUND)
            keep_cheaper(m, out, &cost, &other);
        if (answer != MOVE_FOUND)
            answer = last;
    }
    m->cost_found = cost;
    return answer;
}

enum move_answer moves_find(struct moves *m, uint32_t variable, double deviation, struct move *out)
{
    enum move_answer answer =
        pin(m, variable, deviation) ? find(m, variable, deviation, false, 0, out) : MOVE_NONE;
    unpin(m, variable);
    return answer;
}

enum move_answer moves_find_whole(struct moves *m, uint32_t variable, double deviation, struct move *out)
{
    enum move_answer answer = MOVE_NONE;
    if (pin(m, variable, deviation)) {
        /* A whole move is good enough when it costs little more than one in fractions. */
        answer = find(m, variable, deviation, false, 0, out);
        if (answer == MOVE_FOUND) {
            double enough = WHOLE_SLACK * m->cost_found;
            move_free(out);
            answer = find(m, variable, deviation, true, enough, out);
        }
    }
    unpin(m, variable);
    return answer;
}

enum move_answer moves_furthest(struct moves *m, uint32_t variable, int sign, double *out)
{
    for (uint32_t i = 0; i < m->n_segments; i++)
        lp_set_cost(m->lp, (int)i, 0);
    for (uint32_t i = m->first[variable]; i < m->first[variable + 1]; i++)
        lp_set_cost(m->lp, (int)i, -sign * m->segments[i].sign);
    enum lp_status s = lp_minimise(m->lp, LP_WARM);
    *out = s == LP_OPTIMAL ? -lp_objective(m->lp) : (double)INFINITY;
    for (uint32_t i = 0; i < m->n_segments; i++)
        lp_set_cost(m->lp, (int)i, m->cost[i]);
    return s == LP_OPTIMAL || s == LP_UNBOUNDED ? MOVE_FOUND : MOVE_FAILED;
}

int64_t moves_iterations(const struct moves *m)
{
    return lp_iterations(m->lp) + m->local_iterations;
}

double moves_cost(const struct moves *m)
{
    return m->cost_found;
}

void moves_limit(struct moves *m, int iterations)
{
    lp_limit(m->lp, iterations);
}
