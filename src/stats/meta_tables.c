/* SPDX-License-Identifier: Apache-2.0
 *
 * Meta-analysis of 2 x 2 tables.
 */
#include <math.h>

#include "stats/meta.h"
#include "stats/special.h"

static enum status check_tables(const struct two_by_two *t, size_t k, struct err *e)
{
    for (size_t i = 0; i < k; i++)
        if (!(t[i].a >= 0) || !(t[i].b >= 0) || !(t[i].c >= 0) || !(t[i].d >= 0))
            return err_set(e, ST_INVALID, "table %zu: a count is missing or negative", i + 1);
    return k ? ST_OK : err_set(e, ST_INVALID, "there are no tables");
}

/* Expectation and hypergeometric variance of a at an odds ratio of 1. */
static void null_moments(const struct two_by_two *t, double *mean, double *variance)
{
    double r1 = t->a + t->b, r2 = t->c + t->d, c1 = t->a + t->c, c2 = t->b + t->d, n = r1 + r2;
    *mean = n > 0 ? r1 * c1 / n : 0;
    *variance = n > 1 ? r1 * r2 * c1 * c2 / (n * n * (n - 1)) : 0;
}

/* The a that the margins give at an odds ratio, and its asymptotic variance. */
static void fitted_cell(const struct two_by_two *t, double odds, double *a, double *variance)
{
    double r1 = t->a + t->b, c1 = t->a + t->c, n = r1 + t->c + t->d;
    double q = 1 - odds, b = n - r1 - c1 + odds * (r1 + c1), c = -odds * r1 * c1;
    *a = fabs(q) < 1e-12 ? r1 * c1 / n : -2 * c / (b + sqrt(b * b - 4 * q * c));
    double x = *a;
    *variance = 1 / (1 / x + 1 / (r1 - x) + 1 / (c1 - x) + 1 / (n - r1 - c1 + x));
}

static void homogeneity(const struct two_by_two *t, size_t k, double odds, struct meta_tables *out)
{
    double sum = 0, variance = 0, bd = 0, df = (double)k - 1;
    for (size_t i = 0; i < k; i++) {
        double a, v;
        fitted_cell(&t[i], odds, &a, &v);
        bd += (t[i].a - a) * (t[i].a - a) / v;
        sum += t[i].a - a;
        variance += v;
    }
    double ta = bd - sum * sum / variance;
    out->breslow_day = (struct test){bd, df, chi2_upper(bd, df)};
    out->tarone = (struct test){ta, df, chi2_upper(ta, df)};
}

enum status meta_mantel_haenszel(const struct two_by_two *t, size_t k, struct meta_tables *out, struct err *e)
{
    double r = 0, s = 0, pr = 0, ps_qr = 0, qs = 0, a = 0, mean = 0, variance = 0;
    enum status st = check_tables(t, k, e);
    if (st != ST_OK)
        return st;
    for (size_t i = 0; i < k; i++) {
        double n = t[i].a + t[i].b + t[i].c + t[i].d, m, v;
        double ri = t[i].a * t[i].d / n, si = t[i].b * t[i].c / n, p = (t[i].a + t[i].d) / n,
               q = (t[i].b + t[i].c) / n;
        r += ri;
        s += si;
        pr += p * ri;
        ps_qr += p * si + q * ri;
        qs += q * si;
        null_moments(&t[i], &m, &v);
        a += t[i].a;
        mean += m;
        variance += v;
    }
    if (!(r > 0 && s > 0))
        return err_set(e, ST_INVALID, "no_events: the Mantel-Haenszel odds ratio is 0 or infinite");
    out->estimate = log(r / s);
    out->se = sqrt(pr / (2 * r * r) + ps_qr / (2 * r * s) + qs / (2 * s * s));
    double gap = fabs(a - mean), step = gap - 0.5;
    out->test = (struct test){step * step / variance, 1, 0};
    out->test.p = chi2_upper(out->test.statistic, 1);
    homogeneity(t, k, r / s, out);
    return ST_OK;
}

enum status meta_peto(const struct two_by_two *t, size_t k, struct meta_tables *out, struct err *e)
{
    double sum = 0, variance = 0, q = 0;
    enum status st = check_tables(t, k, e);
    if (st != ST_OK)
        return st;
    for (size_t i = 0; i < k; i++) {
        double m, v;
        null_moments(&t[i], &m, &v);
        sum += t[i].a - m;
        variance += v;
        q += v > 0 ? (t[i].a - m) * (t[i].a - m) / v : 0;
    }
    if (!(variance > 0))
        return err_set(e, ST_INVALID, "no_events: no table has both events and non-events in both groups");
    *out = (struct meta_tables){.estimate = sum / variance, .se = 1 / sqrt(variance)};
    double z = sum * sum / variance, df = (double)k - 1;
    out->test = (struct test){z, 1, chi2_upper(z, 1)};
    q -= z;
    out->breslow_day = out->tarone = (struct test){q, df, df > 0 ? chi2_upper(q, df) : (double)NAN};
    return ST_OK;
}

void meta_effect(const struct two_by_two *t, enum meta_measure m, double *y, double *v)
{
    double add = t->a == 0 || t->b == 0 || t->c == 0 || t->d == 0 ? 0.5 : 0;
    double a = t->a + add, b = t->b + add, c = t->c + add, d = t->d + add, p1 = a / (a + b), p2 = c / (c + d);
    if (m == META_LOG_OR) {
        *y = log(a * d / (b * c));
        *v = 1 / a + 1 / b + 1 / c + 1 / d;
    } else if (m == META_LOG_RR) {
        *y = log(p1 / p2);
        *v = 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d);
    } else {
        *y = p1 - p2;
        *v = p1 * (1 - p1) / (a + b) + p2 * (1 - p2) / (c + d);
    }
}
