/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/compare.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stats/interval.h"
#include "stats/special.h"

const char *const adjustment_names[] = {"bonferroni", "holm", "hochberg", "hommel", "BH", "BY", NULL};

struct mean {
    double n, mean, variance;
};

static struct mean mean_of(const struct sample *s)
{
    struct moments m = moments_of(s->v, s->n);
    return (struct mean){m.n, m.mean, m.m2 / (m.n - 1)};
}

/* What is left of a difference of numbers that are the same is rounding, and no spread (R's t.test draws this line too). */
static bool beyond_rounding(double se, double x, double y)
{
    return se > 10 * DBL_EPSILON * fmax(fabs(x), fabs(y));
}

static enum status need(bool good, const char *what, struct err *e)
{
    return good ? ST_OK : err_set(e, ST_INVALID, "%s", what);
}

static void t_finish(double difference, double se, double df, double confidence, struct comparison *out)
{
    double reach = -t_quantile((1 - confidence) / 2, df) * se;
    *out = (struct comparison){difference / se,
                               df,
                               NAN,
                               t_two_sided(difference / se, df),
                               {difference, difference - reach, difference + reach, NULL}};
}

static enum status paired(const struct sample *a, const struct sample *b, double confidence,
                          struct comparison *out, struct err *e)
{
    if (a->n != b->n)
        return err_set(e, ST_INVALID, "pairs: the groups have %zu and %zu values", a->n, b->n);
    double *v = xcalloc(a->n + 1, sizeof *v);
    for (size_t i = 0; i < a->n; i++)
        v[i] = a->v[i] - b->v[i];
    struct mean d = mean_of(&(struct sample){v, a->n});
    free(v);
    enum status s =
        need(a->n >= 2 && beyond_rounding(sqrt(d.variance / d.n), mean_of(a).mean, mean_of(b).mean),
             "two pairs and some spread of differences are needed", e);
    if (s == ST_OK)
        t_finish(d.mean, sqrt(d.variance / d.n), d.n - 1, confidence, out);
    return s;
}

enum status t_test(const struct sample *a, const struct sample *b, enum t_kind kind, double confidence,
                   struct comparison *out, struct err *e)
{
    if (kind == T_PAIRED)
        return paired(a, b, confidence, out, e);
    struct mean x = mean_of(a), y = mean_of(b);
    double ex = x.variance / x.n, ey = y.variance / y.n, df = x.n + y.n - 2;
    enum status s = need(a->n >= 2 && b->n >= 2 && beyond_rounding(sqrt(ex + ey), x.mean, y.mean),
                         "each group needs two values at least, and some spread", e);
    if (s != ST_OK)
        return s;
    double pooled = ((x.n - 1) * x.variance + (y.n - 1) * y.variance) / df;
    if (kind == T_STUDENT)
        t_finish(x.mean - y.mean, sqrt(pooled * (1 / x.n + 1 / y.n)), df, confidence, out);
    else
        t_finish(x.mean - y.mean, sqrt(ex + ey),
                 (ex + ey) * (ex + ey) / (ex * ex / (x.n - 1) + ey * ey / (y.n - 1)), confidence, out);
    return ST_OK;
}

struct at_value {
    double v;
    size_t i;
};

static int by_value(const void *a, const void *b)
{
    const struct at_value *x = a, *y = b;
    return x->v != y->v ? (x->v > y->v) - (x->v < y->v) : (x->i > y->i) - (x->i < y->i);
}

/* Mean ranks; returns the sum of t^3 - t over ties of t values. */
static double ranks_of(const double *v, size_t n, double *rank)
{
    struct at_value *o = xcalloc(n + 1, sizeof *o);
    double ties = 0;
    for (size_t i = 0; i < n; i++)
        o[i] = (struct at_value){v[i], i};
    qsort(o, n, sizeof *o, by_value);
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i; j < n && o[j].v == o[i].v;)
            j++;
        double t = (double)(j - i);
        ties += t * t * t - t;
        for (size_t k = i; k < j; k++)
            rank[o[k].i] = (double)(i + j + 1) / 2;
    }
    free(o);
    return ties;
}

enum status rank_sum_test(const struct sample *a, const struct sample *b, bool continuity,
                          struct comparison *out, struct err *e)
{
    size_t n = a->n + b->n;
    double na = (double)a->n, nb = (double)b->n, all = na + nb, w = -na * (na + 1) / 2;
    double *v = xcalloc(n + 1, sizeof *v), *rank = xcalloc(n + 1, sizeof *rank);
    memcpy(v, a->v, a->n * sizeof *v);
    memcpy(v + a->n, b->v, b->n * sizeof *v);
    double ties = ranks_of(v, n, rank);
    for (size_t i = 0; i < a->n; i++)
        w += rank[i];
    free(v);
    free(rank);
    double variance = na * nb / 12 * (all + 1 - ties / (all * (all - 1))), z = w - na * nb / 2;
    enum status s =
        need(na > 0 && nb > 0 && variance > 0, "both groups need values, and not all the same", e);
    if (s != ST_OK)
        return s;
    z = (z - (continuity ? (z > 0) * 0.5 - (z < 0) * 0.5 : 0)) / sqrt(variance);
    *out = (struct comparison){.statistic = w, .df = NAN, .df2 = NAN, .p = 2 * normal_upper(fabs(z))};
    return ST_OK;
}

/* 1 - K(x), A. Kolmogorov's distribution: the two series converge fast on either side of 1. */
static double kolmogorov_upper(double x)
{
    double sum = 0;
    if (x < 1) {
        double z = -(M_PI * M_PI) / (8 * x * x);
        for (int k = 1; k < 40; k += 2)
            sum += exp(k * k * z);
        return 1 - sum * sqrt(2 * M_PI) / x;
    }
    for (int k = 1; k < 40; k++)
        sum += (k % 2 ? 2 : -2) * exp(-2.0 * k * k * x * x);
    return sum;
}

enum status ks_test(const struct sample *a, const struct sample *b, struct comparison *out, struct err *e)
{
    size_t n = a->n + b->n;
    struct at_value *o = xcalloc(n + 1, sizeof *o);
    double difference = 0, d = 0;
    for (size_t i = 0; i < n; i++)
        o[i] = (struct at_value){i < a->n ? a->v[i] : b->v[i - a->n], i};
    qsort(o, n, sizeof *o, by_value);
    for (size_t i = 0; i < n; i++) {
        difference += o[i].i < a->n ? 1 / (double)a->n : -1 / (double)b->n;
        if (i + 1 == n || o[i + 1].v != o[i].v)
            d = fmax(d, fabs(difference));
    }
    free(o);
    double scale = sqrt((double)a->n * (double)b->n / (double)n);
    *out = (struct comparison){.statistic = d, .df = NAN, .df2 = NAN, .p = kolmogorov_upper(scale * d)};
    return need(a->n > 0 && b->n > 0, "both groups need values", e);
}

static enum status spread_in_each(const struct sample *groups, size_t k, struct err *e)
{
    for (size_t g = 0; g < k; g++)
        if (groups[g].n < 2 || !(mean_of(&groups[g]).variance > 0))
            return err_set(e, ST_INVALID, "group %zu: two values at least are needed, and some spread",
                           g + 1);
    return need(k >= 2, "two groups at least are needed", e);
}

enum status welch_anova(const struct sample *groups, size_t k, struct comparison *out, struct err *e)
{
    enum status s = spread_in_each(groups, k, e);
    double weight = 0, mean = 0, between = 0, lost = 0, m = (double)k;
    for (size_t g = 0; s == ST_OK && g < k; g++) {
        struct mean x = mean_of(&groups[g]);
        weight += x.n / x.variance;
        mean += x.n / x.variance * x.mean;
    }
    for (size_t g = 0; s == ST_OK && g < k; g++) {
        struct mean x = mean_of(&groups[g]);
        double w = x.n / x.variance, share = 1 - w / weight;
        between += w * (x.mean - mean / weight) * (x.mean - mean / weight);
        lost += share * share / (x.n - 1) / (m * m - 1);
    }
    double f = between / ((m - 1) * (1 + 2 * (m - 2) * lost)), df2 = 1 / (3 * lost);
    if (s == ST_OK)
        *out = (struct comparison){.statistic = f, .df = m - 1, .df2 = df2, .p = f_upper(f, m - 1, df2)};
    return s;
}

enum status bartlett_test(const struct sample *groups, size_t k, struct comparison *out, struct err *e)
{
    enum status s = spread_in_each(groups, k, e);
    double df = 0, pooled = 0, logs = 0, inverse = 0, m = (double)k;
    for (size_t g = 0; s == ST_OK && g < k; g++) {
        struct mean x = mean_of(&groups[g]);
        df += x.n - 1;
        pooled += (x.n - 1) * x.variance;
        logs += (x.n - 1) * log(x.variance);
        inverse += 1 / (x.n - 1);
    }
    double t = (df * log(pooled / df) - logs) / (1 + (inverse - 1 / df) / (3 * (m - 1)));
    if (s == ST_OK)
        *out = (struct comparison){.statistic = t, .df = m - 1, .df2 = NAN, .p = chi2_upper(t, m - 1)};
    return s;
}

static double product_moment(const double *x, const double *y, size_t n)
{
    struct mean mx = mean_of(&(struct sample){x, n}), my = mean_of(&(struct sample){y, n});
    double s = 0;
    for (size_t i = 0; i < n; i++)
        s += (x[i] - mx.mean) * (y[i] - my.mean) / ((double)n - 1);
    return fmax(-1, fmin(1, s / sqrt(mx.variance * my.variance)));
}

static void pearson(const double *x, const double *y, size_t n, double confidence, struct correlation *out)
{
    double r = product_moment(x, y, n), df = (double)n - 2, t = r * sqrt(df / (1 - r * r));
    double z = atanh(r), reach = normal_z(confidence) / sqrt((double)n - 3);
    *out = (struct correlation){r, t, t_two_sided(t, df), tanh(z - reach), tanh(z + reach)};
}

static void spearman(const double *x, const double *y, size_t n, struct correlation *out)
{
    double *rx = xcalloc(n + 1, sizeof *rx), *ry = xcalloc(n + 1, sizeof *ry), m = (double)n;
    ranks_of(x, n, rx);
    ranks_of(y, n, ry);
    double r = product_moment(rx, ry, n), t = r * sqrt((m - 2) / (1 - r * r));
    *out = (struct correlation){r, (m * m * m - m) * (1 - r) / 6, t_two_sided(t, m - 2), NAN, NAN};
    free(rx);
    free(ry);
}

/* Sums over ties of t values: t(t-1), t(t-1)(t-2), t(t-1)(2t+5). */
static void tie_sums(const double *v, size_t n, double out[3])
{
    double *sorted = xcalloc(n + 1, sizeof *sorted);
    memset(out, 0, 3 * sizeof *out);
    ranks_of(v, n, sorted);
    for (size_t i = 0; i < n; i++) {
        double t = 0; /* each member of a tie adds its share */
        for (size_t k = 0; k < n; k++)
            t += sorted[k] == sorted[i];
        out[0] += t - 1;
        out[1] += (t - 1) * (t - 2);
        out[2] += (t - 1) * (2 * t + 5);
    }
    free(sorted);
}

/* M. Kendall, Rank Correlation Methods (1970), with the variance for ties. */
static void kendall(const double *x, const double *y, size_t n, struct correlation *out)
{
    double s = 0, tx[3], ty[3], m = (double)n;
    tie_sums(x, n, tx);
    tie_sums(y, n, ty);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            s += ((x[i] > x[k]) - (x[i] < x[k])) * ((y[i] > y[k]) - (y[i] < y[k]));
    double pairs = m * (m - 1), variance = (pairs * (2 * m + 5) - tx[2] - ty[2]) / 18 +
                                           tx[0] * ty[0] / (2 * pairs) +
                                           tx[1] * ty[1] / (9 * pairs * (m - 2));
    double z = s / sqrt(variance);
    *out = (struct correlation){2 * s / sqrt((pairs - tx[0]) * (pairs - ty[0])), z, 2 * normal_upper(fabs(z)),
                                NAN, NAN};
}

enum status correlate(const double *x, const double *y, size_t n, enum correlation_kind kind,
                      double confidence, struct correlation *out, struct err *e)
{
    bool spread = n >= 4 && mean_of(&(struct sample){x, n}).variance > 0 &&
                  mean_of(&(struct sample){y, n}).variance > 0;
    enum status s = need(spread, "four pairs at least are needed, and some spread on both sides", e);
    if (s == ST_OK && kind == PEARSON)
        pearson(x, y, n, confidence, out);
    else if (s == ST_OK && kind == SPEARMAN)
        spearman(x, y, n, out);
    else if (s == ST_OK)
        kendall(x, y, n, out);
    return s;
}

/* In ascending order; from the largest down, each at most the one before (Hochberg and the false discovery
   rates) or from the smallest up, each at least the one before (Holm). */
static void stepwise(const struct at_value *o, size_t n, enum adjustment kind, double *out)
{
    double m = (double)n, harmonic = 0, last = kind == ADJUST_HOLM ? 0 : 1;
    for (size_t i = 1; i <= n; i++)
        harmonic += 1 / (double)i;
    for (size_t step = 0; step < n; step++) {
        size_t i = kind == ADJUST_HOLM ? step : n - 1 - step;
        double rank = (double)i + 1;
        double factor = kind == ADJUST_BH ? m / rank : kind == ADJUST_BY ? m / rank * harmonic : m - rank + 1;
        double p = fmin(1, factor * o[i].v);
        last = kind == ADJUST_HOLM ? fmax(last, p) : fmin(last, p);
        out[o[i].i] = last;
    }
}

static void hommel(const struct at_value *o, size_t n, double *out)
{
    double *q = xcalloc(n + 1, sizeof *q), *best = xcalloc(n + 1, sizeof *best), least = 1, m = (double)n;
    for (size_t i = 0; i < n; i++)
        least = fmin(least, m * o[i].v / ((double)i + 1));
    for (size_t i = 0; i < n; i++)
        q[i] = best[i] = least;
    for (size_t j = n - 1; j >= 2; j--) {
        double lowest = INFINITY;
        for (size_t k = 2; k <= j; k++)
            lowest = fmin(lowest, (double)j * o[n - j + k - 1].v / (double)k);
        for (size_t i = 0; i <= n - j; i++)
            q[i] = fmin((double)j * o[i].v, lowest);
        for (size_t i = n - j + 1; i < n; i++)
            q[i] = q[n - j];
        for (size_t i = 0; i < n; i++)
            best[i] = fmax(best[i], q[i]);
    }
    for (size_t i = 0; i < n; i++)
        out[o[i].i] = fmax(best[i], o[i].v);
    free(q);
    free(best);
}

void adjust_p(const double *p, size_t n, enum adjustment kind, double *out)
{
    struct at_value *o = xcalloc(n + 1, sizeof *o);
    for (size_t i = 0; i < n; i++)
        o[i] = (struct at_value){p[i], i};
    qsort(o, n, sizeof *o, by_value);
    if (kind == ADJUST_HOMMEL)
        hommel(o, n, out);
    else if (kind != ADJUST_BONFERRONI)
        stepwise(o, n, kind, out);
    for (size_t i = 0; i < n && kind == ADJUST_BONFERRONI; i++)
        out[i] = fmin(1, (double)n * p[i]);
    free(o);
}
