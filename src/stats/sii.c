/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/sii.h"

#include <math.h>

#include "stats/special.h"

enum { MOST_GROUPS = 100, NODES = 200 };

/* One fit: the value at the lower end of the line and at its upper end are sum low[i] y[i] and sum high[i]
 * y[i]. */
struct fit {
    size_t k;
    enum sii_scale scale;
    bool transform;
    double y[MOST_GROUPS], se[MOST_GROUPS]; /* on the scale of the errors */
    double low[MOST_GROUPS], high[MOST_GROUPS];
};

static double forward(enum sii_scale s, double v)
{
    return s == SII_NORMAL ? v : s == SII_RATE ? log(v) : log(v / (1 - v));
}

static double backward(enum sii_scale s, double u)
{
    return s == SII_NORMAL ? u : s == SII_RATE ? exp(u) : 1 / (1 + exp(-u));
}

static enum status check_group(const struct sii_group *g, size_t i, enum sii_scale scale, struct err *e)
{
    bool limits = !isnan(g->lower) && !isnan(g->upper);
    if (!(g->population > 0))
        return err_set(e, ST_INVALID, "group %zu: the population is missing, 0 or negative", i + 1);
    if (isnan(g->value))
        return err_set(e, ST_INVALID, "group %zu: the value is missing", i + 1);
    if (g->se < 0)
        return err_set(e, ST_INVALID, "group %zu: the standard error is negative", i + 1);
    if (isnan(g->se) && !limits)
        return err_set(e, ST_INVALID, "group %zu: neither a standard error nor both 95%% limits are given",
                       i + 1);
    if (limits && g->lower > g->upper)
        return err_set(e, ST_INVALID, "group %zu: the lower limit is above the upper", i + 1);
    if (scale == SII_RATE && (!(g->value > 0) || (limits && !(g->lower > 0))))
        return err_set(e, ST_INVALID,
                       "group %zu: a rate and its limits must be above 0 (errors are on the log scale)",
                       i + 1);
    bool inside = g->value > 0 && g->value < 1 && (!limits || (g->lower > 0 && g->upper < 1));
    if (scale == SII_PROPORTION && !inside)
        return err_set(e, ST_INVALID, "group %zu: a proportion and its limits must be between 0 and 1",
                       i + 1);
    return ST_OK;
}

static void fit_line(const struct sii_group *g, size_t k, struct fit *f)
{
    double total = 0, run = 0, b[MOST_GROUPS], a[MOST_GROUPS], centre = 0, spread = 0;
    for (size_t i = 0; i < k; i++)
        total += g[i].population;
    for (size_t i = 0; i < k; i++) {
        a[i] = g[i].population / total;
        run += a[i];
        b[i] = run - a[i] / 2;
        centre += a[i] * b[i];
    }
    for (size_t i = 0; i < k; i++)
        spread += a[i] * (b[i] - centre) * (b[i] - centre);
    for (size_t i = 0; i < k; i++) {
        double slope = a[i] * (b[i] - centre) / spread;
        f->low[i] = a[i] - centre * slope;
        f->high[i] = f->low[i] + slope;
    }
}

static double dot(const double *c, const double *y, size_t k)
{
    double s = 0;
    for (size_t i = 0; i < k; i++)
        s += c[i] * y[i];
    return s;
}

/* The first four cumulants of backward(N(mu, se)), by the trapezoid rule over +-8.5 sd (spectrally accurate
 * for a smooth integrand). */
static void cumulants(enum sii_scale scale, double mu, double se, double k[4])
{
    double centre = backward(scale, mu), raw[5] = {0};
    for (int j = -NODES; j <= NODES; j++) {
        double z = 8.5 * j / NODES, w = exp(-z * z / 2) * 8.5 / NODES / sqrt(2 * M_PI);
        double d = backward(scale, mu + se * z) - centre;
        for (int p = 0; p <= 4; p++, w *= d)
            raw[p] += w;
    }
    double m1 = raw[1], m2 = raw[2] - m1 * m1, m3 = raw[3] - 3 * m1 * raw[2] + 2 * m1 * m1 * m1;
    double m4 = raw[4] - 4 * m1 * raw[3] + 6 * m1 * m1 * raw[2] - 3 * m1 * m1 * m1 * m1;
    k[0] = centre + m1;
    k[1] = m2;
    k[2] = m3;
    k[3] = m4 - 3 * m2 * m2;
}

/* Quantile of sum c_i backward(N(y_i, se_i)) at the normal quantile z: Cornish-Fisher to the fourth cumulant.
 */
static double combination_quantile(const struct fit *f, double k[][4], const double *c, double z)
{
    double t[4] = {0};
    for (size_t i = 0; i < f->k; i++) {
        double power = c[i];
        for (int p = 0; p < 4; p++, power *= c[i])
            t[p] += power * k[i][p];
    }
    double sd = sqrt(t[1]);
    if (!(sd > 0))
        return t[0];
    double skew = t[2] / (sd * sd * sd), excess = t[3] / (t[1] * t[1]), z2 = z * z;
    double w = z + (z2 - 1) * skew / 6 + z * (z2 - 3) * excess / 24 - z * (2 * z2 - 5) * skew * skew / 36;
    return t[0] + sd * w;
}

/* The r with quantile_z(high end - r x low end) = 0: the limit of the ratio of the ends. */
static double ratio_limit(const struct fit *f, double k[][4], double z, double around)
{
    double low = around / 64, high = around * 64, c[MOST_GROUPS];
    for (int step = 0; step < 200 && high - low > 1e-15 * high; step++) {
        double r = (low + high) / 2;
        for (size_t i = 0; i < f->k; i++)
            c[i] = f->high[i] - r * f->low[i];
        *(combination_quantile(f, k, c, z) > 0 ? &low : &high) = r;
    }
    return (low + high) / 2;
}

struct ends {
    double low, high, sd_low, sd_high, slope,
        sd_rest; /* high given low: mean slope * (low - mean), sd_rest */
};

static struct ends ends_of(const struct fit *f)
{
    double ll = 0, lh = 0, hh = 0;
    for (size_t i = 0; i < f->k; i++) {
        double v = f->se[i] * f->se[i];
        ll += f->low[i] * f->low[i] * v;
        lh += f->low[i] * f->high[i] * v;
        hh += f->high[i] * f->high[i] * v;
    }
    double slope = ll > 0 ? lh / ll : 0;
    return (struct ends){dot(f->low, f->y, f->k),       dot(f->high, f->y, f->k), sqrt(ll), sqrt(hh), slope,
                         sqrt(fmax(0, hh - slope * lh))};
}

/* P(high end - low end <= v) or P(high end / low end <= v) on the natural scale. */
static double transformed_cdf(const struct fit *f, const struct ends *d, bool ratio, double v)
{
    double p = 0, total = 0;
    for (int j = -NODES; j <= NODES; j++) {
        double z = 8.5 * j / NODES, w = exp(-z * z / 2), low = d->low + d->sd_low * z;
        double natural = backward(f->scale, low), edge = ratio ? v * natural : v + natural;
        double u = edge <= 0                                 ? -(double)INFINITY
                   : f->scale == SII_PROPORTION && edge >= 1 ? (double)INFINITY
                                                             : forward(f->scale, edge);
        p += w * normal_cdf((u - d->high - d->slope * (low - d->low)) / fmax(d->sd_rest, 1e-300));
        total += w;
    }
    return p / total;
}

static double transformed_limit(const struct fit *f, const struct ends *d, bool ratio, double tail,
                                double around)
{
    double width = ratio ? around / 64 : fabs(around) / 16 + 1e-12, low = around, high = around;
    for (int i = 0; i < 200 && transformed_cdf(f, d, ratio, low) > tail; i++, width *= 2)
        low -= width;
    for (int i = 0; i < 200 && transformed_cdf(f, d, ratio, high) < tail; i++, width *= 2)
        high += width;
    for (int i = 0; i < 200 && high - low > 1e-14 * fabs(around); i++) {
        double mid = (low + high) / 2;
        *(transformed_cdf(f, d, ratio, mid) < tail ? &low : &high) = mid;
    }
    return (low + high) / 2;
}

static void limits_transformed(const struct fit *f, double confidence, struct sii *out)
{
    struct ends d = ends_of(f);
    double low = (1 - confidence) / 2, high = 1 - low;
    if (!(d.sd_low > 0))
        return;
    out->sii.lower = transformed_limit(f, &d, false, low, out->sii.value);
    out->sii.upper = transformed_limit(f, &d, false, high, out->sii.value);
    out->rii.lower = transformed_limit(f, &d, true, low, out->rii.value);
    out->rii.upper = transformed_limit(f, &d, true, high, out->rii.value);
}

static void limits_natural(const struct fit *f, double confidence, struct sii *out)
{
    double k[MOST_GROUPS][4], c[MOST_GROUPS], z = normal_z(confidence);
    for (size_t i = 0; i < f->k; i++) {
        cumulants(f->scale, f->y[i], f->se[i], k[i]);
        c[i] = f->high[i] - f->low[i];
    }
    out->sii.lower = combination_quantile(f, k, c, -z);
    out->sii.upper = combination_quantile(f, k, c, z);
    out->rii.lower = ratio_limit(f, k, -z, out->rii.value);
    out->rii.upper = ratio_limit(f, k, z, out->rii.value);
}

static void limits_normal(const struct fit *f, double confidence, struct sii *out)
{
    double variance = 0, z = normal_z(confidence), k[MOST_GROUPS][4] = {0};
    for (size_t i = 0; i < f->k; i++) {
        double c = (f->high[i] - f->low[i]) * f->se[i];
        variance += c * c;
        k[i][0] = f->y[i];
        k[i][1] = f->se[i] * f->se[i];
    }
    out->sii.lower = out->sii.value - z * sqrt(variance);
    out->sii.upper = out->sii.value + z * sqrt(variance);
    out->rii.lower = ratio_limit(f, k, -z, out->rii.value);
    out->rii.upper = ratio_limit(f, k, z, out->rii.value);
}

static void apply_multiplier(struct sii *s, bool transform, double multiplier)
{
    s->intercept *= transform ? fabs(multiplier) : 1;
    struct estimate a = s->sii, r = s->rii;
    bool turn = multiplier < 0;
    s->sii = (struct estimate){a.value * multiplier, (turn ? a.upper : a.lower) * multiplier,
                               (turn ? a.lower : a.upper) * multiplier, NULL};
    if (turn)
        s->rii = (struct estimate){1 / r.value, 1 / r.upper, 1 / r.lower, NULL};
}

static enum status check_all(const struct sii_group *g, size_t k, enum sii_scale scale, bool transform,
                             struct err *e)
{
    if (k < 5 || k > MOST_GROUPS)
        return err_set(e, ST_INVALID, "the slope index needs 5 to %d groups, here are %zu", MOST_GROUPS, k);
    if (transform && scale == SII_NORMAL)
        return err_set(e, ST_INVALID,
                       "a transformation needs rates or proportions, not values on their own scale");
    for (size_t i = 0; i < k; i++) {
        if (transform && !isnan(g[i].se))
            return err_set(e, ST_INVALID, "with a transformation give 95%% limits, not standard errors");
        enum status s = check_group(&g[i], i, scale, e);
        if (s != ST_OK)
            return s;
    }
    return ST_OK;
}

enum status stats_sii(const struct sii_group *g, size_t k, enum sii_scale scale, bool transform,
                      double multiplier, double confidence, struct sii *out, struct err *e)
{
    enum status s = check_all(g, k, scale, transform, e);
    if (s != ST_OK)
        return s;
    struct fit f = {.k = k, .scale = scale, .transform = transform};
    double natural[MOST_GROUPS], z = normal_z(0.95);
    for (size_t i = 0; i < k; i++) {
        f.y[i] = forward(scale, g[i].value);
        f.se[i] =
            !isnan(g[i].se) ? g[i].se : (forward(scale, g[i].upper) - forward(scale, g[i].lower)) / (2 * z);
        natural[i] = transform ? f.y[i] : g[i].value;
    }
    fit_line(g, k, &f);
    double low = dot(f.low, natural, k), high = dot(f.high, natural, k);
    if (transform) {
        low = backward(scale, low);
        high = backward(scale, high);
    }
    *out = (struct sii){
        {high - low, (double)NAN, (double)NAN, NULL}, {high / low, (double)NAN, (double)NAN, NULL}, low};
    if (transform)
        limits_transformed(&f, confidence, out);
    else if (scale == SII_NORMAL)
        limits_normal(&f, confidence, out);
    else
        limits_natural(&f, confidence, out);
    apply_multiplier(out, transform, multiplier);
    return ST_OK;
}
