/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/contingency.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "stats/special.h"

static struct test chi2_test(double statistic, double df)
{
    return (struct test){
        .statistic = statistic, .df = df, .p = df > 0 ? chi2_upper(statistic, df) : (double)NAN};
}

struct test chi2_independence(const double *counts, size_t rows, size_t columns)
{
    double *row = xcalloc(rows + 1, sizeof *row), *column = xcalloc(columns + 1, sizeof *column), all = 0,
           sum = 0, used_rows = 0, used_columns = 0;
    for (size_t i = 0; i < rows * columns; i++) {
        row[i / columns] += counts[i];
        column[i % columns] += counts[i];
        all += counts[i];
    }
    for (size_t i = 0; i < rows * columns; i++) {
        double expected = row[i / columns] * column[i % columns] / all;
        sum += expected > 0 ? (counts[i] - expected) * (counts[i] - expected) / expected : 0;
    }
    for (size_t i = 0; i < rows; i++)
        used_rows += row[i] > 0;
    for (size_t i = 0; i < columns; i++)
        used_columns += column[i] > 0;
    free(row);
    free(column);
    return chi2_test(sum, (used_rows - 1) * (used_columns - 1));
}

struct test mcnemar_test(const double *counts, size_t size)
{
    double sum = 0, df = 0, correction = size == 2 ? 1 : 0;
    for (size_t i = 0; i < size; i++)
        for (size_t k = 0; k < i; k++) {
            double a = counts[i * size + k], b = counts[k * size + i], d = fmax(0, fabs(a - b) - correction);
            df += a + b > 0;
            sum += a + b > 0 ? d * d / (a + b) : 0;
        }
    return chi2_test(sum, df);
}

struct test trend_test(const double *x, const double *n, size_t groups)
{
    double cases = 0, all = 0, score = 0, s1 = 0, s2 = 0;
    for (size_t i = 0; i < groups; i++) {
        cases += x[i];
        all += n[i];
    }
    double p = cases / all;
    for (size_t i = 0; i < groups; i++) {
        double s = (double)i + 1;
        score += s * (x[i] - n[i] * p);
        s1 += n[i] * s;
        s2 += n[i] * s * s;
    }
    return chi2_test(score * score / (p * (1 - p) * (s2 - s1 * s1 / all)), 1);
}

/* The distribution of sum a given all margins at an odds ratio of 1: a convolution over strata. */
struct conditional {
    double low, *log_weight; /* of low, low + 1, ... */
    size_t n;
    double observed;
};

static double log_choose(double n, double k)
{
    return log_gamma(n + 1) - log_gamma(k + 1) - log_gamma(n - k + 1);
}

static void add_stratum(struct conditional *c, const struct two_by_two *t)
{
    double exposed = t->a + t->b, other = t->c + t->d, cases = t->a + t->c;
    double low = fmax(0, cases - other), high = fmin(exposed, cases), top = -INFINITY;
    size_t m = (size_t)(high - low) + 1, n = c->n + m - 1;
    double *own = xcalloc(m, sizeof *own), *out = xcalloc(n, sizeof *out);
    for (size_t i = 0; i < m; i++)
        own[i] = log_choose(exposed, low + (double)i) + log_choose(other, cases - low - (double)i);
    for (size_t i = 0; i < m; i++)
        top = fmax(top, own[i]);
    double most = -INFINITY;
    for (size_t i = 0; i < c->n; i++)
        most = fmax(most, c->log_weight[i]);
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; k < m; k++)
            out[i + k] += exp(c->log_weight[i] - most + own[k] - top);
    for (size_t i = 0; i < n; i++)
        out[i] = log(out[i]);
    free(own);
    free(c->log_weight);
    *c = (struct conditional){c->low + low, out, n, c->observed + t->a};
}

/* At log odds ratio b: the mean, and the two tails with the observed sum. */
struct tails {
    double mean, lower, upper;
};

static struct tails tails_at(const struct conditional *c, double b)
{
    double top = -INFINITY, all = 0;
    struct tails t = {0, 0, 0};
    for (size_t i = 0; i < c->n; i++)
        top = fmax(top, c->log_weight[i] + b * (double)i);
    for (size_t i = 0; i < c->n; i++) {
        double at = c->low + (double)i, w = exp(c->log_weight[i] + b * (double)i - top);
        all += w;
        t.mean += w * at;
        t.lower += at <= c->observed ? w : 0;
        t.upper += at >= c->observed ? w : 0;
    }
    return (struct tails){t.mean / all, t.lower / all, t.upper / all};
}

enum side { MEAN, LOWER_TAIL, UPPER_TAIL };

/* The log odds ratio at which a tail (or the mean) is as wanted: all are monotone. */
static double solve(const struct conditional *c, enum side side, double wanted)
{
    double low = -50, high = 50;
    for (int i = 0; i < 200 && high - low > 1e-15 * fmax(1, fabs(low)); i++) {
        double mid = (low + high) / 2;
        struct tails t = tails_at(c, mid);
        bool below = side == MEAN         ? t.mean < wanted
                     : side == LOWER_TAIL ? t.lower > wanted
                                          : t.upper < wanted;
        if (below)
            low = mid;
        else
            high = mid;
    }
    return (low + high) / 2;
}

struct exact_odds exact_odds_ratio(const struct two_by_two *t, size_t strata, double confidence)
{
    struct conditional c = {0, xcalloc(1, sizeof(double)), 1, 0};
    double tail = (1 - confidence) / 2, all = 0, top = -INFINITY;
    for (size_t i = 0; i < strata; i++)
        add_stratum(&c, &t[i]);
    struct exact_odds out = {.statistic = c.observed};
    size_t at = (size_t)(c.observed - c.low), last = c.n - 1;
    out.odds_ratio.value = at == 0 ? 0 : at == last ? (double)INFINITY : exp(solve(&c, MEAN, c.observed));
    out.odds_ratio.lower = at == 0 ? 0 : exp(solve(&c, UPPER_TAIL, tail));
    out.odds_ratio.upper = at == last ? (double)INFINITY : exp(solve(&c, LOWER_TAIL, tail));
    for (size_t i = 0; i < c.n; i++)
        top = fmax(top, c.log_weight[i]);
    for (size_t i = 0; i < c.n; i++) {
        double w = exp(c.log_weight[i] - top);
        all += w;
        /* R's tolerance for equally likely tables */
        out.p += c.log_weight[i] <= c.log_weight[at] + log1p(1e-7) ? w : 0;
    }
    out.p /= all;
    free(c.log_weight);
    return out;
}

static struct estimate log_interval(double value, double se, double z)
{
    return (struct estimate){value, value * exp(-z * se), value * exp(z * se), NULL};
}

/* Score statistics of a 2 x 2 table at a hypothesis, with the variance of the risks that fit it best. */
struct pair {
    double x1, n1, x0, n0;
};

static double score_of_difference(const struct pair *t, double d)
{
    /* The restricted risks: the root of the cubic of their equation. */
    double n = t->n1 + t->n0, l3 = n, l2 = (t->n1 + 2 * t->n0) * d - n - t->x1 - t->x0;
    double l1 = (t->n0 * d - n - 2 * t->x0) * d + t->x1 + t->x0, l0 = t->x0 * d * (1 - d);
    double q = l2 * l2 * l2 / (27 * l3 * l3 * l3) - l1 * l2 / (6 * l3 * l3) + l0 / (2 * l3);
    double p = copysign(sqrt(fmax(0, l2 * l2 / (9 * l3 * l3) - l1 / (3 * l3))), q);
    double angle = p != 0 ? (M_PI + acos(fmax(-1, fmin(1, q / (p * p * p))))) / 3 : 0;
    double r0 = 2 * p * cos(angle) - l2 / (3 * l3), r1 = r0 + d;
    double v = r1 * (1 - r1) / t->n1 + r0 * (1 - r0) / t->n0;
    return (t->x1 / t->n1 - t->x0 / t->n0 - d) / sqrt(v);
}

static double score_of_odds(const struct pair *t, double log_odds)
{
    double psi = exp(log_odds), a = t->n0 * (psi - 1), b = t->n1 * psi + t->n0 - (t->x1 + t->x0) * (psi - 1),
           c = -(t->x1 + t->x0);
    double r0 = 2 * -c / (b + sqrt(b * b - 4 * a * c)), r1 = r0 * psi / (1 + r0 * (psi - 1));
    double v = 1 / (t->n1 * r1 * (1 - r1)) + 1 / (t->n0 * r0 * (1 - r0));
    return ((t->x1 / t->n1 - r1) / (r1 * (1 - r1)) - (t->x0 / t->n0 - r0) / (r0 * (1 - r0))) / sqrt(v);
}

typedef double (*score_fn)(const struct pair *t, double at);

/* Where the falling score passes z, between low and high. */
static double invert(const struct pair *t, score_fn f, double z, double low, double high)
{
    for (int i = 0; i < 200 && high - low > 1e-16; i++) {
        double mid = (low + high) / 2;
        if (f(t, mid) > z)
            low = mid;
        else
            high = mid;
    }
    return (low + high) / 2;
}

struct risk_table risks_of(const struct two_by_two *t, double confidence)
{
    double z = normal_z(confidence), n1 = t->a + t->b, n0 = t->c + t->d, all = n1 + n0, cases = t->a + t->c;
    double r1 = t->a / n1, r0 = t->c / n0, risk = cases / all, d = r1 - r0, ratio = r1 / r0;
    struct pair pair = {t->a, n1, t->c, n0};
    struct risk_table out = {
        .risk_ratio = log_interval(ratio, sqrt(1 / t->a - 1 / n1 + 1 / t->c - 1 / n0), z),
        .odds_ratio =
            log_interval(t->a * t->d / (t->b * t->c), sqrt(1 / t->a + 1 / t->b + 1 / t->c + 1 / t->d), z)};
    double se = sqrt(r1 * (1 - r1) / n1 + r0 * (1 - r0) / n0);
    out.difference = (struct estimate){d, d - z * se, d + z * se, NULL};
    out.attributable_fraction =
        (struct estimate){1 - 1 / ratio, 1 - 1 / out.risk_ratio.lower, 1 - 1 / out.risk_ratio.upper, NULL};
    se = sqrt(risk * (1 - risk) / all + r0 * (1 - r0) / n0);
    out.population_difference = (struct estimate){risk - r0, risk - r0 - z * se, risk - r0 + z * se, NULL};
    double fraction = 1 - r0 / risk;
    se = sqrt((t->b + fraction * (t->a + t->d)) / (all * t->c));
    out.population_fraction = (struct estimate){fraction, 1 - (1 - fraction) * exp(z * se),
                                                1 - (1 - fraction) * exp(-z * se), NULL};
    out.number_needed = (struct estimate){1 / d, 1 / out.difference.upper, 1 / out.difference.lower, NULL};
    out.difference_score = (struct interval){invert(&pair, score_of_difference, z, -1, d),
                                             invert(&pair, score_of_difference, -z, d, 1)};
    double log_odds = log(out.odds_ratio.value);
    out.odds_ratio_score = (struct interval){exp(invert(&pair, score_of_odds, z, log_odds - 50, log_odds)),
                                             exp(invert(&pair, score_of_odds, -z, log_odds, log_odds + 50))};
    return out;
}
