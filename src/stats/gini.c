/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/gini.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "stats/quantile.h"
#include "stats/special.h"
#include "stats/sum.h"

/* What every index is a function of, so that leaving one value out is a subtraction. */
struct totals {
    double n, sum, logs, x_log_x, power, squares, ranked; /* ranked: sum i x_i */
};

static double power_of(double x, double e)
{
    return e == 1 ? log(x) : pow(x, 1 - e);
}

static double x_log_x(double x)
{
    return x > 0 ? x * log(x) : 0;
}

static double index_of(const struct totals *t, enum inequality_index index, double e)
{
    double n = t->n, mean = t->sum / n;
    double gini = 2 * t->ranked / (n * t->sum) - (n + 1) / n;
    switch (index) {
    case GINI:
        return gini;
    case GINI_CORRECTED:
        return gini * n / (n - 1);
    case ATKINSON:
        return 1 - (e == 1 ? exp(t->power / n) : pow(t->power / n, 1 / (1 - e))) / mean;
    case THEIL_T:
        return t->x_log_x / t->sum - log(mean);
    case THEIL_L:
        return log(mean) - t->logs / n;
    default:
        return t->squares / (t->sum * t->sum);
    }
}

static struct totals add_up(const double *x, size_t n, double e)
{
    struct csum s[6] = {{0, 0}};
    for (size_t i = 0; i < n; i++) {
        csum_add(&s[0], x[i]);
        csum_add(&s[1], x[i] > 0 ? log(x[i]) : 0);
        csum_add(&s[2], x_log_x(x[i]));
        csum_add(&s[3], x[i] > 0 || e < 1 ? power_of(x[i], e) : 0);
        csum_add(&s[4], x[i] * x[i]);
        csum_add(&s[5], (double)(i + 1) * x[i]);
    }
    return (struct totals){(double)n,         csum_value(&s[0]), csum_value(&s[1]), csum_value(&s[2]),
                           csum_value(&s[3]), csum_value(&s[4]), csum_value(&s[5])};
}

static double jackknife_variance(const double *x, size_t n, const struct totals *t,
                                 enum inequality_index index, double e)
{
    double *left = xcalloc(n, sizeof *left), above = t->sum;
    struct csum mean = {0}, squares = {0};
    for (size_t i = 0; i < n; i++) {
        above -= x[i];
        struct totals u = {t->n - 1,
                           t->sum - x[i],
                           t->logs - (x[i] > 0 ? log(x[i]) : 0),
                           t->x_log_x - x_log_x(x[i]),
                           t->power - (x[i] > 0 || e < 1 ? power_of(x[i], e) : 0),
                           t->squares - x[i] * x[i],
                           t->ranked - (double)(i + 1) * x[i] - above};
        left[i] = index_of(&u, index, e);
        csum_add(&mean, left[i]);
    }
    double m = csum_value(&mean) / (double)n;
    for (size_t i = 0; i < n; i++)
        csum_add(&squares, (left[i] - m) * (left[i] - m));
    free(left);
    return csum_value(&squares) * (double)(n - 1) / (double)n;
}

enum status inequality(double *x, size_t n, enum inequality_index index, double e_, double confidence,
                       struct estimate *out, struct err *e)
{
    quantile_sort(x, n);
    if (n < 3)
        return err_set(e, ST_INVALID, "a measure of inequality needs at least three values, here are %zu", n);
    if (!(x[0] >= 0) || !(x[n - 1] > 0))
        return err_set(e, ST_INVALID, "values must be 0 or more, and not all 0");
    struct totals t = add_up(x, n, e_);
    bool positive = index == THEIL_L || (index == ATKINSON && e_ >= 1);
    if (positive && x[0] == 0) {
        *out = (struct estimate){(double)NAN, (double)NAN, (double)NAN, reason_not_positive};
        return ST_OK;
    }
    double v = index_of(&t, index, e_);
    double half = normal_z(confidence) * sqrt(jackknife_variance(x, n, &t, index, e_));
    *out = (struct estimate){v, v - half, v + half, NULL};
    return ST_OK;
}

struct ranks {
    double *share, *rank; /* of the population; midpoint */
    double mean, centre, spread, slope;
};

static void rank_groups(const struct social_group *g, size_t k, struct ranks *r)
{
    double total = 0, run = 0;
    for (size_t i = 0; i < k; i++)
        total += g[i].population;
    for (size_t i = 0; i < k; i++) {
        r->share[i] = g[i].population / total;
        r->rank[i] = run + r->share[i] / 2;
        run += r->share[i];
        r->mean += r->share[i] * g[i].value;
        r->centre += r->share[i] * r->rank[i];
    }
    double cross = 0;
    for (size_t i = 0; i < k; i++) {
        r->spread += r->share[i] * (r->rank[i] - r->centre) * (r->rank[i] - r->centre);
        cross += r->share[i] * (r->rank[i] - r->centre) * (g[i].value - r->mean);
    }
    r->slope = cross / r->spread;
}

/* N. Kakwani et al., J. Econometrics 77 (1997) 87: 2 s2 y / mean on rank has the index as its slope;
 * Student's t with k - 2 degrees of freedom. */
static struct estimate concentration(const struct social_group *g, size_t k, const struct ranks *r,
                                     double confidence)
{
    double value = 2 * r->spread * r->slope / r->mean, residual = 0, scale = 2 * r->spread / r->mean;
    for (size_t i = 0; i < k; i++) {
        double d = scale * (g[i].value - r->mean) - value * (r->rank[i] - r->centre);
        residual += r->share[i] * d * d;
    }
    double df = (double)k - 2, se = sqrt(residual / df / r->spread);
    double t = t_quantile(confidence + (1 - confidence) / 2, df);
    return (struct estimate){value, value - t * se, value + t * se, NULL};
}

struct by_value {
    double value, population;
};

static int rising(const void *a, const void *b)
{
    const struct by_value *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

static double lorenz_gini(const struct social_group *g, size_t k)
{
    struct by_value *v = xcalloc(k, sizeof *v);
    double people = 0, amount = 0, run = 0, area = 0;
    for (size_t i = 0; i < k; i++) {
        v[i] = (struct by_value){g[i].value, g[i].population};
        people += g[i].population;
        amount += g[i].value * g[i].population;
    }
    qsort(v, k, sizeof *v, rising);
    for (size_t i = 0; i < k; i++) {
        double add = v[i].value * v[i].population;
        area += v[i].population / people * (2 * run + add) / amount;
        run += add;
    }
    free(v);
    return 1 - area;
}

static void fill_gaps(const struct social_group *g, size_t k, const struct ranks *r,
                      struct social_gradient *out)
{
    double best = g[0].value, gap = 0;
    for (size_t i = 0; i < k; i++)
        best = fmin(best, g[i].value);
    for (size_t i = 0; i < k; i++) {
        gap += fabs(g[i].value - best);
        out->between_variance += r->share[i] * (g[i].value - r->mean) * (g[i].value - r->mean);
    }
    out->attributable_percent = 100 * (r->mean - best) / r->mean;
    out->disparity = 100 * gap / (double)(k - 1) / best;
}

enum status social_gradient(const struct social_group *g, size_t k, double low, double high,
                            double confidence, struct social_gradient *out, struct err *e)
{
    *out = (struct social_gradient){0};
    if (k < 3)
        return err_set(e, ST_INVALID, "a concentration index needs at least three groups, here are %zu", k);
    for (size_t i = 0; i < k; i++)
        if (!(g[i].population > 0) || isnan(g[i].value))
            return err_set(e, ST_INVALID, "group %zu: the value is missing, or the population is not above 0",
                           i + 1);
    struct ranks r = {.share = xcalloc(k, sizeof *r.share), .rank = xcalloc(k, sizeof *r.rank)};
    rank_groups(g, k, &r);
    double intercept = r.mean - r.slope * r.centre, width = high - low;
    out->concentration = concentration(g, k, &r, confidence);
    out->erreygers = 4 * r.mean * out->concentration.value / width;
    out->wagstaff = out->concentration.value * r.mean * width / ((high - r.mean) * (r.mean - low));
    out->slope = r.slope;
    out->relative = (intercept + r.slope) / intercept;
    out->mean = r.mean;
    out->gini = lorenz_gini(g, k);
    fill_gaps(g, k, &r, out);
    free(r.share);
    free(r.rank);
    return ST_OK;
}
