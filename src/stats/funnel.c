/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/funnel.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "stats/quantile.h"
#include "stats/special.h"
#include "stats/sum.h"

struct interval funnel_proportion(double p0, double n, double tail)
{
    double half = -normal_quantile(tail) * sqrt(p0 * (1 - p0) / n);
    return (struct interval){fmax(0, p0 - half), fmin(1, p0 + half)};
}

struct interval funnel_expected(double observed, double tail)
{
    return interval_poisson(observed, 1 - 2 * tail);
}

struct interval funnel_ratio(double expected, double tail)
{
    struct interval i = funnel_expected(expected, tail);
    return (struct interval){i.lower / expected, i.upper / expected};
}

enum funnel_place funnel_place_proportion(double p0, double x, double n)
{
    double p = x / n;
    struct interval outer = funnel_proportion(p0, n, FUNNEL_TAIL_3S),
                    inner = funnel_proportion(p0, n, FUNNEL_TAIL_2S);
    if (p < outer.lower || p > outer.upper)
        return p < p0 ? FUNNEL_LOW_3S : FUNNEL_HIGH_3S;
    if (p < inner.lower || p > inner.upper)
        return p < p0 ? FUNNEL_LOW_2S : FUNNEL_HIGH_2S;
    return FUNNEL_INSIDE;
}

enum funnel_place funnel_place_ratio(double observed, double expected)
{
    struct interval outer = funnel_expected(observed, FUNNEL_TAIL_3S),
                    inner = funnel_expected(observed, FUNNEL_TAIL_2S);
    if (expected < outer.lower || expected > outer.upper)
        return expected < outer.lower ? FUNNEL_HIGH_3S : FUNNEL_LOW_3S;
    if (expected < inner.lower || expected > inner.upper)
        return expected < inner.lower ? FUNNEL_HIGH_2S : FUNNEL_LOW_2S;
    return FUNNEL_INSIDE;
}

const char *funnel_place_text(enum funnel_place p)
{
    static const char *const texts[] = {"Not significant", "Low (0.025)", "High (0.025)", "Low (0.001)",
                                        "High (0.001)"};
    return texts[p];
}

void funnel_axis(double low, double high, double *out, size_t n)
{
    out[0] = low;
    for (size_t i = 1; i < n; i++)
        out[i] = fmax(out[i - 1] + 1, round(out[i - 1] * pow(high / out[i - 1], 1.0 / (double)(n - i))));
}

double funnel_axis_end(double v, bool up)
{
    if (!(v > 0))
        return 0;
    double unit = pow(10, floor(log10(v)) - 1);
    return (up ? ceil(v / unit) : floor(v / unit)) * unit;
}

/* y, s of each unit and the common target. */
static double transform(struct funnel_unit *u, size_t n, enum funnel_kind kind, enum funnel_trim trim)
{
    struct csum x = {0}, d = {0};
    for (size_t i = 0; i < n; i++) {
        double a = u[i].numerator, b = u[i].denominator, a5 = a + 0.5, b5 = b + 0.5;
        csum_add(&x, a);
        csum_add(&d, b);
        if (kind == FUNNEL_PROPORTION) {
            u[i].y = asin(sqrt(a / b));
            u[i].s = 1 / (2 * sqrt(b));
        } else if (kind == FUNNEL_RATIO_OF_COUNTS) {
            u[i].y = log(a5 / b5);
            u[i].s = sqrt(a / (a5 * a5) + b / (b5 * b5));
        } else if (trim == FUNNEL_WINSORISE) {
            u[i].y = sqrt(a / b);
            u[i].s = 1 / (2 * sqrt(b));
        } else {
            u[i].y = log((a == 0 ? 0.5 : a) / b);
            u[i].s = 1 / sqrt(b);
        }
    }
    double ratio = csum_value(&x) / csum_value(&d);
    if (kind == FUNNEL_RATIO)
        return trim == FUNNEL_WINSORISE ? 1 : 0;
    return kind == FUNNEL_PROPORTION ? asin(sqrt(ratio)) : log(ratio);
}

static void trim_scores(struct funnel_unit *u, size_t n, enum funnel_trim trim, double share)
{
    double *z = xcalloc(n, sizeof *z);
    for (size_t i = 0; i < n; i++)
        z[i] = u[i].z;
    quantile_sort(z, n);
    double low = quantile_of(z, n, share, 7), high = quantile_of(z, n, 1 - share, 7);
    for (size_t i = 0; i < n; i++) {
        bool outside = u[i].z < low || u[i].z > high;
        u[i].z_used = !outside ? u[i].z : trim == FUNNEL_TRUNCATE ? (double)NAN : u[i].z < low ? low : high;
    }
    free(z);
}

enum status funnel_overdispersion(struct funnel_unit *u, size_t n, enum funnel_kind kind,
                                  enum funnel_trim trim, double share, struct funnel_dispersion *out,
                                  struct err *e)
{
    if (n < 3)
        return err_set(e, ST_INVALID, "over-dispersion needs at least 3 units, here are %zu", n);
    for (size_t i = 0; i < n; i++)
        if (!(u[i].numerator >= 0) || !(u[i].denominator > 0))
            return err_set(e, ST_INVALID,
                           "unit %zu: the numerator must be 0 or more and the denominator above 0", i + 1);
    out->target = transform(u, n, kind, trim);
    for (size_t i = 0; i < n; i++)
        u[i].z = (u[i].y - out->target) / u[i].s;
    trim_scores(u, n, trim, share);
    struct csum squares = {0}, w1 = {0}, w2 = {0};
    out->used = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(u[i].z_used))
            continue;
        double w = 1 / (u[i].s * u[i].s);
        out->used++;
        csum_add(&squares, u[i].z_used * u[i].z_used);
        csum_add(&w1, w);
        csum_add(&w2, w * w);
    }
    double m = (double)out->used, w = csum_value(&w1);
    out->phi = csum_value(&squares) / m;
    out->tau2 = fmax(0, (m * out->phi - (m - 1)) / (w - csum_value(&w2) / w));
    for (size_t i = 0; i < n; i++)
        u[i].z_adjusted = (u[i].y - out->target) / sqrt(u[i].s * u[i].s + out->tau2);
    return ST_OK;
}

static double natural(enum funnel_kind kind, enum funnel_trim trim, double y)
{
    if (kind == FUNNEL_PROPORTION)
        return y <= 0 ? 0 : y >= M_PI_2 ? 1 : sin(y) * sin(y);
    if (kind == FUNNEL_RATIO && trim == FUNNEL_WINSORISE)
        return y <= 0 ? 0 : y * y;
    return exp(y);
}

struct interval funnel_adjusted(enum funnel_kind kind, enum funnel_trim trim, double target, double tau2,
                                double n, double tail)
{
    bool log_scale = kind == FUNNEL_RATIO_OF_COUNTS || (kind == FUNNEL_RATIO && trim == FUNNEL_TRUNCATE);
    double s2 = log_scale ? 1 / n : 1 / (4 * n), half = -normal_quantile(tail) * sqrt(s2 + tau2);
    return (struct interval){natural(kind, trim, target - half), natural(kind, trim, target + half)};
}
