/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stats/linalg.h"
#include "stats/special.h"

enum { P = SEGMENT_TERMS };

size_t segmented_lag(size_t n)
{
    return (size_t)floor(4 * pow((double)n / 100, 2.0 / 9));
}

static void row_of(size_t t, size_t change, double x[P])
{
    bool after = t >= change;
    x[SEGMENT_LEVEL] = 1;
    x[SEGMENT_TREND] = (double)t;
    x[SEGMENT_LEVEL_CHANGE] = after;
    x[SEGMENT_TREND_CHANGE] = after ? (double)(t - change) : 0;
}

/* into += weight (a b' + b a') / 2 */
static void add_outer(double into[P * P], double weight, const double a[P], const double b[P])
{
    for (int i = 0; i < P; i++)
        for (int k = 0; k < P; k++)
            into[i * P + k] += weight * (a[i] * b[k] + b[i] * a[k]) / 2;
}

static void least_squares(const double *y, size_t n, size_t change, double beta[P], double inverse[P * P])
{
    double x[P], cross[P * P] = {0};
    bool aliased[P];
    memset(beta, 0, P * sizeof *beta);
    for (size_t t = 0; t < n; t++) {
        row_of(t, change, x);
        add_outer(cross, 1, x, x);
        for (int i = 0; i < P; i++)
            beta[i] += x[i] * y[t];
    }
    ldl_factor(cross, P, 1e-12, aliased); /* of full rank: two points at least on either side */
    ldl_solve(cross, P, aliased, beta);
    ldl_inverse(cross, P, aliased, inverse);
}

/* The middle of the sandwich: sums of e_t e_(t-l) x_t x_(t-l)', weighted by lag. */
static void autocovariance(const double *residual, size_t n, size_t change, size_t lag, double out[P * P])
{
    double x[P], before[P];
    memset(out, 0, P * P * sizeof *out);
    for (size_t l = 0; l <= lag; l++) {
        double weight = l ? 2 * (1 - (double)l / (double)(lag + 1)) : 1;
        for (size_t t = l; t < n; t++) {
            row_of(t, change, x);
            row_of(t - l, change, before);
            add_outer(out, weight * residual[t] * residual[t - l], x, before);
        }
    }
}

/* inverse middle inverse n / (n - P) */
static void sandwich(const double inverse[P * P], const double middle[P * P], size_t n, double out[P * P])
{
    for (size_t i = 0; i < P; i++)
        for (size_t k = 0; k < P; k++)
            out[i * P + k] =
                bilinear(inverse + i * P, middle, inverse + k * P, P) * (double)n / (double)(n - P);
}

static struct estimate estimate_of(double value, double se, double width)
{
    return (struct estimate){value, value - width * se, value + width * se, NULL};
}

static void estimates(const double beta[P], const double v[P * P], double width, struct segmented *out)
{
    enum { A = SEGMENT_TREND, B = SEGMENT_TREND_CHANGE };
    for (int i = 0; i < P; i++) {
        out->se[i] = sqrt(fmax(0, v[i * P + i]));
        out->terms[i] = estimate_of(beta[i], out->se[i], width);
    }
    out->se_trend_after = sqrt(fmax(0, v[A * P + A] + v[B * P + B] + 2 * v[A * P + B]));
    out->trend_after = estimate_of(beta[A] + beta[B], out->se_trend_after, width);
}

static enum status check(const double *y, size_t n, size_t change, size_t lag, struct err *e)
{
    if (change < SEGMENT_LEAST || n < change + SEGMENT_LEAST)
        return err_set(e, ST_INVALID, "a segmented regression needs %d points before and after the change",
                       SEGMENT_LEAST);
    if (lag > SEGMENT_MOST_LAG || lag >= n)
        return err_set(e, ST_INVALID, "lag %zu: expected at most %d and fewer than the points", lag,
                       SEGMENT_MOST_LAG);
    for (size_t t = 0; t < n; t++)
        if (!isfinite(y[t]))
            return err_set(e, ST_INVALID, "point %zu of the series is missing", t + 1);
    return ST_OK;
}

enum status segmented_fit(const double *y, size_t n, size_t change, size_t lag, double confidence,
                          struct segmented *out, struct err *e)
{
    double beta[P], inverse[P * P], middle[P * P], covariance[P * P], x[P];
    enum status st = check(y, n, change, lag, e);
    if (st != ST_OK)
        return st;
    least_squares(y, n, change, beta, inverse);
    double *residual = xmalloc(n * sizeof *residual);
    for (size_t t = 0; t < n; t++) {
        row_of(t, change, x);
        residual[t] = y[t];
        for (int i = 0; i < P; i++)
            residual[t] -= x[i] * beta[i];
    }
    autocovariance(residual, n, change, lag, middle);
    sandwich(inverse, middle, n, covariance);
    estimates(beta, covariance, t_quantile(confidence + (1 - confidence) / 2, (double)(n - P)), out);
    free(residual);
    return ST_OK;
}
