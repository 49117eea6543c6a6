/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/survival.h"

#include <math.h>
#include <stdlib.h>

#include "stats/special.h"
#include "stats/sum.h"

enum status survival_check(const struct survival_rows *r, struct err *e)
{
    if (r->n == 0)
        return err_set(e, ST_INVALID, "no rows are left");
    for (size_t i = 0; i < r->n; i++) {
        if (!(r->time[i] >= 0) || (r->entry && !(r->entry[i] >= 0)))
            return err_set(e, ST_INVALID, "row %zu: a time is missing or negative", i + 1);
        if (r->entry && !(r->entry[i] < r->time[i]))
            return err_set(e, ST_INVALID, "row %zu: the entry time is not before the exit time", i + 1);
        if (r->status[i] != 0 && r->status[i] != 1)
            return err_set(e, ST_INVALID, "row %zu: the status must be 0 or 1", i + 1);
        if (r->weight && !(r->weight[i] > 0))
            return err_set(e, ST_INVALID, "row %zu: a weight must be above 0", i + 1);
    }
    return ST_OK;
}

static int by_value(const void *a, const void *b)
{
    double x = **(double *const *)a, y = **(double *const *)b;
    return (x > y) - (x < y);
}

void survival_merge_times(double *const *arrays, size_t n_arrays, size_t n)
{
    double **all = xcalloc(n_arrays * n + 1, sizeof *all);
    size_t m = 0;
    for (size_t a = 0; a < n_arrays; a++)
        for (size_t i = 0; arrays[a] && i < n; i++)
            all[m++] = &arrays[a][i];
    qsort(all, m, sizeof *all, by_value);
    for (size_t i = 1; i < m; i++)
        if (*all[i] - *all[i - 1] <= 1e-9 * fabs(*all[i]))
            *all[i] = *all[i - 1];
    free(all);
}

struct moment { /* one row's exit (or entry) */
    double time;
    size_t row;
};

static int by_time(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;
    return x->time != y->time ? (x->time > y->time) - (x->time < y->time)
                              : (x->row > y->row) - (x->row < y->row);
}

static struct moment *sorted(const double *v, size_t n)
{
    struct moment *m = xcalloc(n + 1, sizeof *m);
    for (size_t i = 0; i < n; i++)
        m[i] = (struct moment){v[i], i};
    qsort(m, n, sizeof *m, by_time);
    return m;
}

static double weight_of(const struct survival_rows *r, size_t i)
{
    return r->weight ? r->weight[i] : 1;
}

void km_curve(const struct survival_rows *r, enum km_interval type, double confidence, struct arena *a,
              struct km *out)
{
    struct moment *exits = sorted(r->time, r->n), *entries = r->entry ? sorted(r->entry, r->n) : NULL;
    double at_risk = 0;
    size_t entered = 0;
    for (size_t i = 0; !entries && i < r->n; i++)
        at_risk += weight_of(r, i);
    *out = (struct km){arena_array(a, r->n, sizeof *out->rows), 0};
    for (size_t i = 0; i < r->n;) {
        struct km_row *row = &out->rows[out->n++];
        row->time = exits[i].time;
        for (; entries && entered < r->n && entries[entered].time < row->time; entered++)
            at_risk += weight_of(r, entries[entered].row);
        row->at_risk = at_risk;
        for (; i < r->n && exits[i].time == row->time; i++)
            *(r->status[exits[i].row] ? &row->events : &row->censored) += weight_of(r, exits[i].row);
        at_risk -= row->events + row->censored;
    }
    free(exits);
    free(entries);
    km_finish(out, type, confidence);
}

/* Limits from S and the standard error of log S (R's survfit). */
static struct interval limits(double s, double se, enum km_interval type, double z)
{
    double step;
    if (s == 0)
        return (struct interval){(double)NAN, (double)NAN};
    switch (type) {
    case KM_PLAIN:
        return (struct interval){fmax(0, s - z * se * s), fmin(1, s + z * se * s)};
    case KM_LOG_LOG:
        step = z * se / log(s);
        if (s == 1)
            return (struct interval){(double)NAN, (double)NAN};
        return (struct interval){exp(-exp(log(-log(s)) - step)), exp(-exp(log(-log(s)) + step))};
    case KM_LOGIT:
        step = z * se / (1 - s);
        if (s == 1)
            return (struct interval){(double)NAN, (double)NAN};
        return (struct interval){1 / (1 + exp(-log(s / (1 - s)) + step)),
                                 1 / (1 + exp(-log(s / (1 - s)) - step))};
    case KM_ARCSIN:
        step = s == 1 ? 0 : 0.5 * z * se * sqrt(s / (1 - s));
        double low = sin(fmax(0, asin(sqrt(s)) - step)), high = sin(fmin(M_PI_2, asin(sqrt(s)) + step));
        return (struct interval){low * low, high * high};
    default:
        return (struct interval){exp(log(s) - z * se), fmin(1, exp(log(s) + z * se))};
    }
}

void km_finish(struct km *k, enum km_interval type, double confidence)
{
    double s = 1, z = normal_z(confidence);
    struct csum variance = {0}, hazard = {0}, hazard_variance = {0};
    for (size_t i = 0; i < k->n; i++) {
        struct km_row *r = &k->rows[i];
        double n = r->at_risk, d = r->events;
        if (d > 0) {
            s *= (n - d) / n;
            csum_add(&variance, d / (n * (n - d)));
            csum_add(&hazard, d / n);
            csum_add(&hazard_variance, d / (n * n));
        }
        double se = sqrt(csum_value(&variance));
        r->survival = s;
        r->se = s > 0 ? s * se : (double)NAN;
        r->hazard = csum_value(&hazard);
        r->se_hazard = sqrt(csum_value(&hazard_variance));
        struct interval i95 = limits(s, se, type, z);
        r->lower = i95.lower;
        r->upper = i95.upper;
    }
}

static double curve_at(const struct km_row *r, int which)
{
    return which == 0 ? r->survival : which < 0 ? r->lower : r->upper;
}

/* Where one of the three curves falls to 1 - p. Missing limits are passed over. */
static double crossing(const struct km *k, double p, int which)
{
    double fuzz = 1.5e-8;
    for (size_t i = 0; i < k->n; i++) {
        double v = 1 - curve_at(&k->rows[i], which);
        if (isnan(v) || v < p - fuzz)
            continue;
        if (v > p + fuzz)
            return k->rows[i].time;
        for (size_t j = i + 1; j < k->n; j++)
            if (1 - curve_at(&k->rows[j], which) > p + fuzz)
                return (k->rows[i].time + k->rows[j].time) / 2;
        return (k->rows[i].time + k->rows[k->n - 1].time) / 2;
    }
    return (double)NAN;
}

struct estimate km_quantile(const struct km *k, double p)
{
    struct estimate q = {crossing(k, p, 0), crossing(k, p, -1), crossing(k, p, 1), NULL};
    q.reason = isnan(q.value) || isnan(q.upper) || isnan(q.lower) ? reason_not_reached : NULL;
    return q;
}

struct rmst km_restricted_mean(const struct km *k, double tau)
{
    double area = 0, variance = 0, to = tau;
    size_t n = k->n;
    while (n > 0 && k->rows[n - 1].time >= tau)
        n--;
    for (size_t i = n; i-- > 0;) {
        const struct km_row *r = &k->rows[i];
        area += r->survival * (to - r->time);
        to = r->time;
        double left = r->at_risk - r->events;
        if (r->events > 0 && left > 0)
            variance += area * area * r->events / (r->at_risk * left);
    }
    return (struct rmst){area + to, sqrt(variance)};
}
