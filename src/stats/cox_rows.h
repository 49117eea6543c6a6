/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the Cox files: rows in order, and the walk over death times that likelihood, residuals and tests
 * share.
 */
#ifndef ACCORD_STATS_COX_ROWS_H
#define ACCORD_STATS_COX_ROWS_H

#include "stats/cox.h"

struct cox_rows {
    size_t n, p, stride; /* stride: doubles from row to row of x */
    double *x;           /* (value - centre) / scale, in order */
    double *centre, *scale;
    double *time, *entry, *weight, *offset; /* in order; entry NULL without entry times */
    int *status;
    uint32_t *stratum;
    size_t *row;      /* the original row */
    size_t *by_entry; /* positions, by stratum and falling entry time */
    double *risk;     /* exp(linear predictor - shift), filled by cox_rows_risk */
    double shift;
};
/* Order: stratum, then falling time; at a tie deaths first. Fills risk at scaled coefficients. */
void cox_rows_risk(struct cox_rows *r, const double *scaled_beta);

/* The sums over a risk set. s2 and d2 are packed lower triangles. */
struct cox_set {
    double *s1, *s2, *d1, *d2; /* risk set; deaths at this time */
    double s0, d0;
    double death_weight;
    size_t deaths, first,
        last; /* positions of the rows at this time: deaths are first .. first + deaths - 1 */
};
typedef void (*cox_at_time)(void *context, const struct cox_rows *r, const struct cox_set *s);
/* Calls f at each death time, strata in order, times falling. Second moments only where `second`. */
void cox_walk(const struct cox_rows *r, bool second, cox_at_time f, void *context);
/* What one death time adds to the score and the packed information (both of scaled columns, overwritten), and
 * to the log-likelihood (returned). */
double cox_contribution(const struct cox_rows *r, const struct cox_set *s, bool efron, double *score,
                        double *information);

#endif
