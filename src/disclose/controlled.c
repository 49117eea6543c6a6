/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/controlled.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "disclose/rounding.h"
#include "disclose/solver.h"

enum { DIVE_SOLVES = 2000, SEARCH_NODES = 2000, SEARCH_MOST = 5000 };

/* A column moves its variable by so many bases for each unit. */
struct column {
    uint32_t variable;
    double sign;
};

struct problem {
    const struct system *system;
    uint32_t n_cells;
    int64_t base;
    struct column *columns;
    int n_columns;
    double *lower, *upper, *cost, *row; /* row: the activity that closes each equation */
    int *start, *row_of;
    double *coefficient;
    size_t columns_room, bounds_room[3], starts_room, terms_room;
};

static double nearest(const struct problem *p, uint32_t v)
{
    return v < p->n_cells ? (double)round_nearest((int64_t)p->system->value[v], p->base) : 0;
}

static void add_column(struct problem *p, uint32_t v, double sign, double upper, double cost)
{
    const struct system *s = p->system;
    size_t n = (size_t)p->n_columns + 1;
    GROW(p->columns, n, p->columns_room);
    GROW(p->lower, n, p->bounds_room[0]);
    GROW(p->upper, n, p->bounds_room[1]);
    GROW(p->cost, n, p->bounds_room[2]);
    GROW(p->start, n + 1, p->starts_room);
    p->columns[n - 1] = (struct column){v, sign};
    p->lower[n - 1] = 0;
    p->upper[n - 1] = upper;
    p->cost[n - 1] = cost;
    int at = n == 1 ? 0 : p->start[n - 1];
    p->start[n - 1] = at;
    size_t terms = (size_t)at + s->by_first[v + 1] - s->by_first[v];
    if (terms > p->terms_room) {
        p->terms_room = 2 * terms + 64;
        p->row_of = xrealloc_array(p->row_of, p->terms_room, sizeof *p->row_of);
        p->coefficient = xrealloc_array(p->coefficient, p->terms_room, sizeof *p->coefficient);
    }
    for (uint32_t k = s->by_first[v]; k < s->by_first[v + 1]; k++, at++) {
        p->row_of[at] = (int)s->by_equation[k];
        p->coefficient[at] = sign * s->by_coefficient[k];
    }
    p->start[n] = at;
    p->n_columns = (int)n;
}

/* What the variable may be beside its nearest multiple. The cost is how much further that is from the count.
 */
static void add_columns(struct problem *p, uint32_t v, bool restricted)
{
    double n = p->system->value[v], far = n - nearest(p, v), base = (double)p->base;
    if (v >= p->n_cells)
        add_column(p, v, 1, LP_INFINITY, 0);
    else if (far != 0)
        add_column(p, v, far > 0 ? 1 : -1, 1, base - 2 * fabs(far));
    else if (!restricted && n > 0) {
        add_column(p, v, 1, 1, base);
        add_column(p, v, -1, 1, base);
    }
}

static void pose(struct problem *p, bool restricted)
{
    const struct system *s = p->system;
    p->n_columns = 0;
    for (uint32_t v = 0; v < s->n_variables; v++)
        add_columns(p, v, restricted);
    for (uint32_t k = 0; k < s->n_equations; k++) {
        p->row[k] = 0;
        for (uint32_t i = s->first[k]; i < s->first[k + 1]; i++)
            p->row[k] -= s->coefficient[i] * nearest(p, s->variable[i]) / (double)p->base;
    }
}

/* A dive first; where that leads nowhere, branch and bound if the system is not too large. */
static bool solve(const struct problem *p, double *x)
{
    struct lp_form form = {p->n_columns,   (int)p->system->n_equations,
                           p->start,       p->row_of,
                           p->coefficient, p->lower,
                           p->upper,       p->cost,
                           p->row,         p->row};
    struct lp *lp = lp_new(&form);
    enum lp_status status = lp_minimise(lp, LP_COLD), whole = LP_FAILED;
    if (status == LP_OPTIMAL)
        whole = lp_dive(lp, DIVE_SOLVES);
    if (whole == LP_OPTIMAL)
        memcpy(x, lp_solution(lp), (size_t)p->n_columns * sizeof *x);
    lp_free(lp);
    if (whole == LP_OPTIMAL || status != LP_OPTIMAL || p->n_columns > SEARCH_MOST)
        return whole == LP_OPTIMAL;
    bool *integer = xcalloc((size_t)p->n_columns + 1, sizeof *integer);
    memset(integer, true, (size_t)p->n_columns * sizeof *integer);
    whole = mip_minimise(&form, integer, SEARCH_NODES, x);
    free(integer);
    return whole == LP_OPTIMAL;
}

/* Nothing the solver says is believed: every cell within a base of its count and every sum to the unit. */
static bool holds(const struct problem *p, const double *rounded)
{
    const struct system *s = p->system;
    for (uint32_t v = 0; v < s->n_variables; v++)
        if (rounded[v] < 0 || (v < p->n_cells && (fabs(rounded[v] - s->value[v]) > (double)p->base ||
                                                  (s->value[v] == 0 && rounded[v] != 0))))
            return false;
    for (uint32_t k = 0; k < s->n_equations; k++) {
        double sum = 0;
        for (uint32_t i = s->first[k]; i < s->first[k + 1]; i++)
            sum += s->coefficient[i] * rounded[s->variable[i]];
        if (sum != 0)
            return false;
    }
    return true;
}

static bool round_all(struct problem *p, bool restricted, double *rounded)
{
    pose(p, restricted);
    double *x = xcalloc((size_t)p->n_columns + 1, sizeof *x);
    bool good = p->n_columns == 0 || solve(p, x);
    for (uint32_t v = 0; v < p->system->n_variables; v++)
        rounded[v] = nearest(p, v);
    for (int i = 0; good && i < p->n_columns; i++)
        rounded[p->columns[i].variable] += p->columns[i].sign * nearbyint(x[i]) * (double)p->base;
    free(x);
    return good && holds(p, rounded);
}

enum status controlled_round(const struct system *s, uint32_t n_cells, int64_t base, double *out,
                             struct err *e)
{
    struct problem p = {.system = s, .n_cells = n_cells, .base = base};
    double *rounded = xcalloc((size_t)s->n_variables + 1, sizeof *rounded);
    p.row = xcalloc((size_t)s->n_equations + 1, sizeof *p.row);
    bool good = round_all(&p, true, rounded) || round_all(&p, false, rounded);
    if (good)
        memcpy(out, rounded, n_cells * sizeof *out);
    free(rounded);
    free(p.row);
    free(p.columns);
    free(p.lower);
    free(p.upper);
    free(p.cost);
    free(p.start);
    free(p.row_of);
    free(p.coefficient);
    return good ? ST_OK
                : err_set(e, ST_UNSAFE,
                          "no rounding to multiples of %lld was found that keeps the sums; use 'rounding: "
                          "nearest'",
                          (long long)base);
}
