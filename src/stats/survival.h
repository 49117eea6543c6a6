/* SPDX-License-Identifier: Apache-2.0
 *
 * Kaplan-Meier curves and log-rank tests. Both are made of counts at times, so that a curve over many sites
 * comes from the added counts; the functions over rows count first and then do the same.
 *
 * Times that differ by less than 1e-9 of their size are one time (R merges them too). At a tie events come
 * before censorings. With entry times a row is at risk in (entry, time].
 */
#ifndef ACCORD_STATS_SURVIVAL_H
#define ACCORD_STATS_SURVIVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "stats/interval.h"

struct survival_rows {
    size_t n;
    const double *entry; /* NULL: everybody from the beginning */
    const double *time;
    const int *status;    /* 0 censored, 1 event */
    const double *weight; /* NULL: all 1 */
};

/* Refused: missing or negative times, entry at or after time, a status other than 0 and 1, weights not above
 * 0. */
MUST_CHECK enum status survival_check(const struct survival_rows *r, struct err *e);

/* Merges times that are one but for rounding, in place over all arrays given (entries and times together). */
void survival_merge_times(double *const *arrays, size_t n_arrays, size_t n);

enum km_interval { KM_LOG, KM_PLAIN, KM_LOG_LOG, KM_LOGIT, KM_ARCSIN };

struct km_row {
    double time, at_risk, events, censored;
    double survival, se;      /* Greenwood (1926): S sqrt(sum d / (n (n - d))) */
    double lower, upper;      /* NaN where the scale has none (S = 0; S = 1 on log-log) */
    double hazard, se_hazard; /* Nelson-Aalen, sqrt(sum d / n^2) */
};
struct km {
    struct km_row *rows;
    size_t n;
};
/* One row for each distinct time. */
void km_curve(const struct survival_rows *r, enum km_interval type, double confidence, struct arena *a,
              struct km *out);
/* The same from counts: fills everything from time, at_risk, events, censored. */
void km_finish(struct km *k, enum km_interval type, double confidence);
/* The time at which survival falls to 1 - p, with the times at which the limits do (NaN: not reached). Where
 * the curve is flat at 1 - p, the middle of the flat part. */
struct estimate km_quantile(const struct km *k, double p);
/* Restricted mean up to tau: the area under the curve, and its standard error (P. Andersen et al. 1993,
 * IV.3). */
struct rmst {
    double mean, se;
};
struct rmst km_restricted_mean(const struct km *k, double tau);

/* G-rho log-rank tests (T. Fleming, D. Harrington 1991): weights S(t-)^rho, hypergeometric variance. rho 0 is
 * the log-rank test, 1 Peto and Peto's modification of the Gehan-Wilcoxon test. Feed the times of one stratum
 * in rising order; a new stratum starts the pooled curve anew. */
struct logrank {
    size_t groups;
    double rho, survival;
    double *observed, *expected, *variance; /* groups; groups x groups */
};
void logrank_init(struct logrank *l, size_t groups, double rho, struct arena *a);
void logrank_stratum(struct logrank *l);
/* events and numbers at risk of each group at one time. */
void logrank_time(struct logrank *l, const double *events, const double *at_risk);
struct test {
    double statistic, df, p;
};
struct test logrank_test(const struct logrank *l);
/* Against a trend over groups with scores 1, 2, ... */
struct test logrank_trend(const struct logrank *l);
/* Over rows: group and stratum (NULL: one) of each row, numbered from 0. */
void logrank_rows(struct logrank *l, const struct survival_rows *r, const uint32_t *group,
                  const uint32_t *stratum, size_t strata);

#endif
