/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/linalg.h"
#include "stats/special.h"
#include "stats/survival.h"

void logrank_init(struct logrank *l, size_t groups, double rho, struct arena *a)
{
    *l = (struct logrank){.groups = groups, .rho = rho, .survival = 1};
    l->observed = arena_array(a, groups, sizeof *l->observed);
    l->expected = arena_array(a, groups, sizeof *l->expected);
    l->variance = arena_array(a, groups * groups, sizeof *l->variance);
}

void logrank_stratum(struct logrank *l)
{
    l->survival = 1;
}

void logrank_time(struct logrank *l, const double *events, const double *at_risk)
{
    double d = 0, n = 0;
    for (size_t g = 0; g < l->groups; g++) {
        d += events[g];
        n += at_risk[g];
    }
    if (!(d > 0))
        return;
    double w = l->rho == 0 ? 1 : pow(l->survival, l->rho);
    double v = n > 1 ? w * w * d * (n - d) / (n - 1) : 0;
    for (size_t g = 0; g < l->groups; g++) {
        double share = at_risk[g] / n;
        l->observed[g] += w * events[g];
        l->expected[g] += w * d * share;
        for (size_t h = 0; h < l->groups; h++)
            l->variance[g * l->groups + h] += v * share * ((g == h) - at_risk[h] / n);
    }
    l->survival *= (n - d) / n;
}

/* The first group with an expectation is left out; those without one carry no information. */
struct test logrank_test(const struct logrank *l)
{
    size_t used = 0, rank, *at = xcalloc(l->groups + 1, sizeof *at);
    double *m = xcalloc(l->groups * l->groups + 1, sizeof *m), *x = xcalloc(l->groups + 1, sizeof *x);
    for (size_t g = 0; g < l->groups; g++)
        if (l->expected[g] > 0)
            at[used++] = g;
    size_t k = used ? used - 1 : 0;
    for (size_t i = 0; i < k; i++) {
        x[i] = l->observed[at[i + 1]] - l->expected[at[i + 1]];
        for (size_t j = 0; j < k; j++)
            m[i * k + j] = l->variance[at[i + 1] * l->groups + at[j + 1]];
    }
    struct test t = {.statistic = quadratic_inverse(m, x, k, 1e-12, &rank), .df = (double)k};
    t.p = k ? chi2_upper(t.statistic, t.df) : (double)NAN;
    free(at);
    free(m);
    free(x);
    return t;
}

struct test logrank_trend(const struct logrank *l)
{
    double *score = xcalloc(l->groups + 1, sizeof *score), u = 0;
    for (size_t g = 0; g < l->groups; g++) {
        score[g] = (double)(g + 1);
        u += score[g] * (l->observed[g] - l->expected[g]);
    }
    struct test t = {.statistic = u * u / bilinear(score, l->variance, score, l->groups), .df = 1};
    t.p = chi2_upper(t.statistic, 1);
    free(score);
    return t;
}

struct exit_row {
    uint32_t stratum;
    double time;
    size_t row;
};

static int by_exit(const void *a, const void *b)
{
    const struct exit_row *x = a, *y = b;
    if (x->stratum != y->stratum)
        return x->stratum < y->stratum ? -1 : 1;
    return x->time != y->time ? (x->time > y->time) - (x->time < y->time)
                              : (x->row > y->row) - (x->row < y->row);
}

static struct exit_row *sorted_rows(const double *v, const uint32_t *stratum, size_t n)
{
    struct exit_row *m = xcalloc(n + 1, sizeof *m);
    for (size_t i = 0; i < n; i++)
        m[i] = (struct exit_row){stratum ? stratum[i] : 0, v[i], i};
    qsort(m, n, sizeof *m, by_exit);
    return m;
}

struct walk {
    const struct survival_rows *r;
    const uint32_t *group;
    struct exit_row *exits, *entries;
    double *events, *at_risk;
    size_t i, entered;
};

static double weight_of(const struct survival_rows *r, size_t i)
{
    return r->weight ? r->weight[i] : 1;
}

static void walk_stratum(struct walk *w, struct logrank *l, uint32_t stratum, size_t end)
{
    memset(w->at_risk, 0, l->groups * sizeof *w->at_risk);
    for (size_t j = w->i; !w->entries && j < end; j++)
        w->at_risk[w->group[w->exits[j].row]] += weight_of(w->r, w->exits[j].row);
    while (w->entries && w->entered < w->r->n && w->entries[w->entered].stratum < stratum)
        w->entered++;
    logrank_stratum(l);
    while (w->i < end) {
        double t = w->exits[w->i].time;
        for (; w->entries && w->entered < w->r->n && w->entries[w->entered].stratum == stratum &&
               w->entries[w->entered].time < t;
             w->entered++)
            w->at_risk[w->group[w->entries[w->entered].row]] += weight_of(w->r, w->entries[w->entered].row);
        memset(w->events, 0, l->groups * sizeof *w->events);
        size_t j = w->i;
        for (; j < end && w->exits[j].time == t; j++)
            if (w->r->status[w->exits[j].row])
                w->events[w->group[w->exits[j].row]] += weight_of(w->r, w->exits[j].row);
        logrank_time(l, w->events, w->at_risk);
        for (; w->i < j; w->i++)
            w->at_risk[w->group[w->exits[w->i].row]] -= weight_of(w->r, w->exits[w->i].row);
    }
}

void logrank_rows(struct logrank *l, const struct survival_rows *r, const uint32_t *group,
                  const uint32_t *stratum, size_t strata)
{
    struct walk w = {.r = r,
                     .group = group,
                     .exits = sorted_rows(r->time, stratum, r->n),
                     .entries = r->entry ? sorted_rows(r->entry, stratum, r->n) : NULL,
                     .events = xcalloc(l->groups + 1, sizeof *w.events),
                     .at_risk = xcalloc(l->groups + 1, sizeof *w.at_risk)};
    for (uint32_t s = 0; s < strata; s++) {
        size_t end = w.i;
        while (end < r->n && w.exits[end].stratum == s)
            end++;
        walk_stratum(&w, l, s, end);
    }
    free(w.exits);
    free(w.entries);
    free(w.events);
    free(w.at_risk);
}
