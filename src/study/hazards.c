/* SPDX-License-Identifier: Apache-2.0 */
#include "study/hazards.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stats/linalg.h"
#include "stats/special.h"

const char *const hazard_transforms[] = {"identity", "log", NULL};
#define DAYS_PER_YEAR 365.25

static size_t triangle(size_t p)
{
    return p * (p + 1) / 2;
}

/* Sums over a set of rows of r = exp(eta), r x and r x x' (lower triangle, packed), in one array. */
struct set {
    double *s0, *s1, *s2;
};

static size_t set_size(size_t p)
{
    return 1 + p + triangle(p);
}

static struct set set_at(double *v, size_t p)
{
    return (struct set){v, v + 1, v + 1 + p};
}

static void set_add_row(const struct set *s, size_t p, double r, const double *x)
{
    *s->s0 += r;
    for (size_t i = 0, at = 0; i < p; i++) {
        double rx = r * x[i];
        s->s1[i] += rx;
        if (rx == 0)
            at += i + 1;
        else
            for (size_t k = 0; k <= i; k++)
                s->s2[at++] += rx * x[k];
    }
}

/* What one time with events says: its part of the log-likelihood, score and information. */
struct moment {
    size_t p;
    double day, log_likelihood;
    double *score, *information; /* p; packed triangle */
};
typedef void (*moment_fn)(void *context, const struct moment *m);

/* Efron: the l-th of m tied events sees the risk set less l / m of the events. */
static void take_events(struct moment *t, const double *all, const double *dead, size_t m)
{
    size_t p = t->p;
    for (size_t l = 0; l < m; l++) {
        double f = (double)l / (double)m, s0 = all[0] - f * dead[0];
        t->log_likelihood -= log(s0);
        for (size_t i = 0, at = 0; i < p; i++) {
            double mean = (all[1 + i] - f * dead[1 + i]) / s0;
            t->score[i] -= mean;
            for (size_t k = 0; k <= i; k++, at++)
                t->information[at] += (all[1 + p + at] - f * dead[1 + p + at]) / s0 -
                                      mean * (all[1 + k] - f * dead[1 + k]) / s0;
        }
    }
}

/* Work space of a walk over times. */
struct walk {
    struct moment moment;
    double *all, *dead;
};

static struct walk walk_new(size_t p)
{
    return (struct walk){{p, 0, 0, xcalloc(p + 1, sizeof(double)), xcalloc(triangle(p) + 1, sizeof(double))},
                         xcalloc(set_size(p), sizeof(double)),
                         xcalloc(set_size(p), sizeof(double))};
}

static void walk_clear(struct walk *w)
{
    size_t p = w->moment.p;
    w->moment.log_likelihood = 0;
    memset(w->moment.score, 0, p * sizeof(double));
    memset(w->moment.information, 0, triangle(p) * sizeof(double));
    memset(w->dead, 0, set_size(p) * sizeof(double));
}

static void walk_free(struct walk *w)
{
    free(w->moment.score);
    free(w->moment.information);
    free(w->all);
    free(w->dead);
}

/* One day, rows [first, last): all join the risk set, then its events count. */
static void walk_day(struct walk *w, const struct hazard_data *d, const double *eta, size_t first,
                     size_t last, moment_fn fn, void *context)
{
    size_t p = d->p, m = 0;
    struct set all = set_at(w->all, p), dead = set_at(w->dead, p);
    walk_clear(w);
    for (size_t i = first; i < last; i++) {
        const double *x = d->x + i * p;
        double r = exp(eta[i]);
        set_add_row(&all, p, r, x);
        if (!d->event[i])
            continue;
        set_add_row(&dead, p, r, x);
        m++;
        w->moment.log_likelihood += eta[i];
        for (size_t k = 0; k < p; k++)
            w->moment.score[k] += x[k];
    }
    if (m == 0)
        return;
    take_events(&w->moment, w->all, w->dead, m);
    w->moment.day = d->days[first];
    fn(context, &w->moment);
}

/* Calls fn at each day with events, the latest first. */
static void walk_days(const struct hazard_data *d, const double *beta, moment_fn fn, void *context)
{
    struct walk w = walk_new(d->p);
    double *eta = xcalloc(d->n + 1, sizeof *eta), largest = -INFINITY;
    for (size_t i = 0; i < d->n; i++) {
        for (size_t k = 0; k < d->p; k++)
            eta[i] += d->x[i * d->p + k] * beta[k];
        largest = fmax(largest, eta[i]);
    }
    /* The partial likelihood does not change when all etas move together. */
    for (size_t i = 0; i < d->n; i++)
        eta[i] -= largest;
    for (size_t i = 0, last; i < d->n; i = last) {
        for (last = i + 1; last < d->n && d->days[last] == d->days[i];)
            last++;
        walk_day(&w, d, eta, i, last, fn, context);
    }
    free(eta);
    walk_free(&w);
}

/* Where moments are added up; gradient and information may be NULL, and so may test. */
struct total {
    double log_likelihood, *gradient, *information; /* whole matrix, lower triangle filled */
    double *test;
    enum hazard_transform transform;
};

static void add_test(struct total *t, const struct moment *m)
{
    size_t p = m->p, all = triangle(p);
    double years = m->day / DAYS_PER_YEAR, g = t->transform == TRANSFORM_LOG ? log(years) : years;
    double *score = t->test, *information = score + p, *g_score = information + all,
           *g_information = g_score + p, *gg_information = g_information + all;
    for (size_t i = 0; i < p; i++) {
        score[i] += m->score[i];
        g_score[i] += g * m->score[i];
    }
    for (size_t at = 0; at < all; at++) {
        information[at] += m->information[at];
        g_information[at] += g * m->information[at];
        gg_information[at] += g * g * m->information[at];
    }
}

static void add_moment(void *context, const struct moment *m)
{
    struct total *t = context;
    t->log_likelihood += m->log_likelihood;
    for (size_t i = 0, at = 0; i < m->p && t->gradient; i++) {
        t->gradient[i] += m->score[i];
        for (size_t k = 0; k <= i; k++)
            t->information[i * m->p + k] += m->information[at++];
    }
    if (t->test)
        add_test(t, m);
}

static void total_clear(struct total *t, size_t p)
{
    memset(t->gradient, 0, p * sizeof *t->gradient);
    memset(t->information, 0, p * p * sizeof *t->information);
}

static void mirror(double *m, size_t p)
{
    for (size_t i = 0; i < p; i++)
        for (size_t k = 0; k < i; k++)
            m[k * p + i] = m[i * p + k];
}

double cox_at(const void *hazard_data, const double *beta, double *gradient, double *information)
{
    const struct hazard_data *d = hazard_data;
    struct total t = {.gradient = gradient, .information = information};
    total_clear(&t, d->p);
    walk_days(d, beta, add_moment, &t);
    mirror(information, d->p);
    return t.log_likelihood;
}

size_t hazard_test_size(size_t p)
{
    return 2 * p + 3 * triangle(p);
}

void hazard_test_sums(const struct hazard_data *d, const double *beta, enum hazard_transform g, double *out)
{
    struct total t = {.test = out, .transform = g};
    walk_days(d, beta, add_moment, &t);
}

static double packed(const double *m, size_t i, size_t k)
{
    return i >= k ? m[triangle(i) + k] : m[triangle(k) + i];
}

/* The score test of theta = 0 in exp(x beta + x g(t) theta), over the columns that take part: beta is at its
   estimate, so that its own score is 0. */
static struct test test_columns(size_t p, const double *sums, const bool *aliased, const bool *tested)
{
    size_t *at = xcalloc(2 * p + 1, sizeof *at), own = 0, rank;
    for (size_t i = 0; i < p; i++)
        if (!aliased[i])
            at[own++] = i;
    size_t m = own;
    for (size_t i = 0; i < own; i++)
        if (tested[at[i]])
            at[m++] = at[i];
    const double *g_score = sums + p + triangle(p);
    const double *blocks[] = {sums + p, g_score + p, g_score + p + triangle(p)};
    double *h = xcalloc(m * m + 1, sizeof *h), *u = xcalloc(m + 1, sizeof *u);
    for (size_t i = 0; i < m; i++) {
        u[i] = i < own ? 0 : g_score[at[i]];
        for (size_t k = 0; k < m; k++)
            h[i * m + k] = packed(blocks[(i >= own) + (k >= own)], at[i], at[k]);
    }
    struct test t = {.statistic = quadratic_inverse(h, u, m, 1e-12, &rank), .df = (double)(m - own)};
    t.p = m > own ? chi2_upper(t.statistic, t.df) : (double)NAN;
    free(at);
    free(h);
    free(u);
    return t;
}

void hazard_tests(size_t p, const double *sums, const bool *aliased, const size_t *of, size_t groups,
                  struct test *out)
{
    bool *tested = xcalloc(p + 1, sizeof *tested);
    for (size_t g = 0; g <= groups; g++) {
        for (size_t i = 0; i < p; i++)
            tested[i] = g == groups || of[i] == g;
        out[g] = test_columns(p, sums, aliased, tested);
    }
    free(tested);
}

/* Neither nobody nor a crowd. */
static bool few(int64_t n, int64_t least)
{
    return n > 0 && n < least;
}

size_t grid_cells(const int64_t *events, const int64_t *censored, size_t n, int64_t least, size_t *ends)
{
    int64_t *last = xcalloc(n + 1, sizeof *last), with = 0, without = 0;
    size_t cells = 0;
    for (size_t i = 0; i < n; i++) {
        with += events[i];
        without += censored[i];
        if (with < least || few(without, least))
            continue;
        last[cells] = without;
        ends[cells++] = i + 1;
        with = without = 0;
    }
    /* What is left at the end joins the last cell; that may need the one before it too. */
    for (; cells; cells--) {
        without += last[cells - 1];
        if (!few(without, least))
            break;
    }
    if (cells)
        ends[cells - 1] = n;
    free(last);
    return cells;
}

static size_t cell_size(size_t p)
{
    return 2 * set_size(p) + 1 + p;
}

size_t grid_size(const struct grid *g)
{
    return g->cells * cell_size(g->p);
}

void grid_sums(const struct grid *g, const struct hazard_data *d, const double *beta, double shift,
               double *out)
{
    size_t p = g->p, cell = g->cells;
    for (size_t i = 0; i < d->n; i++) {
        const double *x = d->x + i * p;
        double eta = -shift;
        while (cell > 1 && d->days[i] <= g->end[cell - 2])
            cell--;
        double *at = out + (cell - 1) * cell_size(p);
        struct set leaving = set_at(at, p), dead = set_at(at + set_size(p), p);
        for (size_t k = 0; k < p; k++)
            eta += x[k] * beta[k];
        set_add_row(&leaving, p, exp(eta), x);
        if (!d->event[i])
            continue;
        set_add_row(&dead, p, exp(eta), x);
        at += 2 * set_size(p);
        (*at)++;
        for (size_t k = 0; k < p; k++)
            at[1 + k] += x[k];
    }
}

double grid_at(const struct grid *g, const double *cells, const double *beta, double shift,
               enum hazard_transform transform, double *gradient, double *information, double *test)
{
    size_t p = g->p;
    struct total t = {.gradient = gradient, .information = information, .test = test, .transform = transform};
    struct walk w = walk_new(p);
    total_clear(&t, p);
    for (size_t c = g->cells; c-- > 0;) {
        const double *leaving = cells + c * cell_size(p), *dead = leaving + set_size(p),
                     *with = dead + set_size(p);
        walk_clear(&w);
        for (size_t k = 0; k < set_size(p); k++)
            w.all[k] += leaving[k];
        take_events(&w.moment, w.all, dead, (size_t)with[0]);
        w.moment.log_likelihood -= with[0] * shift;
        for (size_t k = 0; k < p; k++) {
            w.moment.log_likelihood += beta[k] * with[1 + k];
            w.moment.score[k] += with[1 + k];
        }
        w.moment.day = g->end[c];
        add_moment(&t, &w.moment);
    }
    mirror(information, p);
    walk_free(&w);
    return t.log_likelihood;
}
