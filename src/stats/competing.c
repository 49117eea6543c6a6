/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/competing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/linalg.h"
#include "stats/special.h"

struct at {
    double time;
    size_t row;
};

static int by_time(const void *a, const void *b)
{
    const struct at *x = a, *y = b;
    return x->time != y->time ? (x->time > y->time) - (x->time < y->time)
                              : (x->row > y->row) - (x->row < y->row);
}

static struct at *in_order(const double *time, size_t n)
{
    struct at *o = xcalloc(n + 1, sizeof *o);
    for (size_t i = 0; i < n; i++)
        o[i] = (struct at){time[i], i};
    qsort(o, n, sizeof *o, by_time);
    return o;
}

/* 1 - (d - 1) / (n - 1): the share of a binomial variance that ties leave. */
static double tie_share(double d, double n)
{
    return d > 1 ? 1 - (d - 1) / (n - 1) : 1;
}

static void aalen_add(struct aalen *s, double own, double part, double d, double at_risk,
                      double survival_before)
{
    double t = survival_before * survival_before * tie_share(d, at_risk) * d / (at_risk * at_risk);
    s->v1 += own * own * t;
    s->v2 += own * part * t;
    s->v3 += part * part * t;
}

double aalen_time(struct aalen *s, double d, double others, double at_risk)
{
    double before = s->survival, after = before * (at_risk - d - others) / at_risk;
    s->incidence += before * d / at_risk;
    double inverse = after > 0 ? 1 / after : 0;
    if (others > 0 && after > 0)
        aalen_add(s, s->incidence * inverse, inverse, others, at_risk, before);
    if (d > 0)
        aalen_add(s, 1 + s->incidence * inverse, inverse, d, at_risk, before);
    s->survival = after;
    double f = s->incidence;
    return s->v1 + f * f * s->v3 - 2 * f * s->v2;
}

void cif_limits(double incidence, double se, double confidence, double *lower, double *upper)
{
    double step = normal_z(confidence) * se / (incidence * log(incidence));
    bool open = !(incidence > 0 && incidence < 1);
    *lower = open ? (double)NAN : pow(incidence, exp(-step));
    *upper = open ? (double)NAN : pow(incidence, exp(step));
}

size_t cif_curve(const double *time, const int *state, size_t n, int cause, double confidence,
                 struct arena *a, struct cif_row **out)
{
    struct at *o = in_order(time, n);
    struct aalen s = {.survival = 1};
    size_t rows = 0;
    *out = arena_array(a, n, sizeof **out);
    for (size_t i = 0, j; i < n; i = j) {
        double d = 0, others = 0;
        for (j = i; j < n && o[j].time == o[i].time; j++) {
            d += state[o[j].row] == cause;
            others += state[o[j].row] != cause && state[o[j].row] != 0;
        }
        if (d + others == 0)
            continue;
        double v = aalen_time(&s, d, others, (double)(n - i));
        if (d > 0) {
            struct cif_row *r = &(*out)[rows++];
            *r = (struct cif_row){.time = o[i].time, .incidence = s.incidence, .se = sqrt(fmax(0, v))};
            cif_limits(r->incidence, r->se, confidence, &r->lower, &r->upper);
        }
    }
    free(o);
    return rows;
}

/* Gray's test: one of these a group, plus matrices a and c between groups (a: the weights of the score at
 * this time, c: their integral against the pooled subdistribution hazard). */
struct gray_group {
    double at_risk, survival, survival_after, incidence, incidence_after, d, others, v3;
};

struct gray {
    size_t k;
    struct gray_group *g;
    double *a, *c, *v2, *score, *variance; /* k x k, score k */
    double pooled, rho;
};

static double gray_weight(const struct gray_group *g)
{
    return g->at_risk > 0 ? g->at_risk / g->survival : 0;
}

/* Moves the curves over one time and adds to score, a and c. */
static void gray_scores(struct gray *t, double d, double total, double weighted)
{
    double w = pow(1 - t->pooled, t->rho);
    for (size_t i = 0; i < t->k; i++) {
        struct gray_group *g = &t->g[i];
        double own = gray_weight(g);
        if (g->at_risk > 0)
            t->score[i] += w * (g->d - d * own * (1 - g->incidence) / weighted);
        for (size_t j = 0; j < t->k; j++) {
            double a = w * own * ((i == j) - gray_weight(&t->g[j]) / total);
            t->a[i * t->k + j] = a;
            t->c[i * t->k + j] += a * d / (total * (1 - t->pooled));
        }
    }
}

static void gray_add(struct gray *t, size_t k, double share, double own, double v)
{
    t->g[k].v3 += share * share * v;
    for (size_t i = 0; i < t->k; i++) {
        double ti = own * t->a[i * t->k + k] - share * t->c[i * t->k + k];
        t->v2[i * t->k + k] += ti * share * v;
        for (size_t j = 0; j < t->k; j++)
            t->variance[i * t->k + j] += ti * (own * t->a[j * t->k + k] - share * t->c[j * t->k + k]) * v;
    }
}

void gray_time(struct gray *t, const double *events, const double *others, const double *at_risk)
{
    double d = 0, total = 0, weighted = 0;
    for (size_t i = 0; i < t->k; i++) {
        struct gray_group *g = &t->g[i];
        g->d = events[i];
        g->others = others[i];
        g->at_risk = at_risk[i];
        d += g->d;
        total += gray_weight(g);
        weighted += gray_weight(g) * (1 - g->incidence);
        g->survival_after =
            g->at_risk > 0 ? g->survival * (g->at_risk - g->d - g->others) / g->at_risk : g->survival;
        g->incidence_after = g->at_risk > 0 ? g->incidence + g->survival * g->d / g->at_risk : g->incidence;
    }
    gray_scores(t, d, total, weighted);
    double after = t->pooled + d / total;
    for (size_t k = 0; k < t->k; k++) {
        struct gray_group *g = &t->g[k];
        if (d > 0 && g->at_risk > 0) {
            double share = g->survival_after > 0 ? 1 - (1 - after) / g->survival_after : 1;
            gray_add(t, k, share, 1,
                     tie_share(d, total * g->survival) * g->survival * d / (total * g->at_risk));
        }
        if (g->others > 0 && g->survival_after > 0) {
            double share = (1 - after) / g->survival_after;
            double v = tie_share(g->others, g->at_risk) * g->survival * g->survival * g->others;
            gray_add(t, k, -share, 0, v / (g->at_risk * g->at_risk));
        }
        g->survival = g->survival_after;
        g->incidence = g->incidence_after;
    }
    t->pooled = after;
}

struct test gray_test(const struct gray *t)
{
    size_t k = t->k, m = k - 1, rank;
    double *v = xcalloc(m * m + 1, sizeof *v);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++) {
            double s = t->variance[i * k + j];
            for (size_t l = 0; l < k; l++)
                s += t->c[i * k + l] * t->c[j * k + l] * t->g[l].v3 + t->c[i * k + l] * t->v2[j * k + l] +
                     t->c[j * k + l] * t->v2[i * k + l];
            v[i * m + j] = s;
        }
    struct test out = {.statistic = quadratic_inverse(v, t->score, m, 1e-12, &rank), .df = (double)m};
    out.p = chi2_upper(out.statistic, out.df);
    free(v);
    return out;
}

struct gray *gray_new(size_t groups, double rho, struct arena *a)
{
    struct gray *t = arena_alloc(a, sizeof *t);
    size_t cells = groups * groups;
    *t = (struct gray){.k = groups, .rho = rho, .g = arena_array(a, groups, sizeof *t->g)};
    t->a = arena_array(a, cells, sizeof *t->a);
    t->c = arena_array(a, cells, sizeof *t->c);
    t->v2 = arena_array(a, cells, sizeof *t->v2);
    t->variance = arena_array(a, cells, sizeof *t->variance);
    t->score = arena_array(a, groups, sizeof *t->score);
    for (size_t i = 0; i < groups; i++)
        t->g[i].survival = 1;
    return t;
}

struct test cif_gray_test(const double *time, const int *state, const uint32_t *group, size_t n,
                          size_t groups, int cause, double rho)
{
    struct at *o = in_order(time, n);
    struct arena *arena = arena_new();
    struct gray *t = gray_new(groups, rho, arena);
    double *d = arena_array(arena, groups, sizeof *d), *others = arena_array(arena, groups, sizeof *others),
           *at_risk = arena_array(arena, groups, sizeof *at_risk);
    for (size_t i = 0; i < n; i++)
        at_risk[group[i]]++;
    for (size_t i = 0, j; i < n; i = j) {
        double events = 0;
        memset(d, 0, groups * sizeof *d);
        memset(others, 0, groups * sizeof *others);
        for (j = i; j < n && o[j].time == o[i].time; j++) {
            int is = state[o[j].row];
            d[group[o[j].row]] += is == cause;
            others[group[o[j].row]] += is != cause && is != 0;
            events += is != 0;
        }
        if (events > 0)
            gray_time(t, d, others, at_risk);
        for (size_t k = i; k < j; k++)
            at_risk[group[o[k].row]]--;
    }
    struct test out = gray_test(t);
    arena_free(arena);
    free(o);
    return out;
}
