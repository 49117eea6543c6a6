/* SPDX-License-Identifier: Apache-2.0
 *
 * Accelerated failure time: log T = x b + sigma W, W extreme value (Weibull; exponential with sigma 1),
 * normal (log-normal) or logistic (log-logistic), by maximum likelihood with right censoring, as R's survreg
 * (J. Kalbfleisch, R. Prentice, The Statistical Analysis of Failure Time Data (2002) 3).
 */
#ifndef ACCORD_STATS_AFT_H
#define ACCORD_STATS_AFT_H

#include "stats/survival.h"

enum aft_distribution { AFT_WEIBULL, AFT_EXPONENTIAL, AFT_LOGNORMAL, AFT_LOGLOGISTIC };

struct aft_fit {
    size_t p; /* parameters: the columns, and log(sigma) last unless exponential */
    double *beta, *covariance;
    double scale, log_likelihood, log_likelihood_null; /* null: the first column, an intercept, alone */
    int iterations;
};
/* p columns of x, the first an intercept; times above 0; status 1 = event. Refused: no events, columns that
 * are combinations of others (named), no convergence. */
MUST_CHECK enum status aft_fit(enum aft_distribution of, const double *time, const int *status, size_t n,
                               const double *const *x, size_t p, const char *const *names, struct arena *a,
                               struct aft_fit *out, struct err *e);

#endif
