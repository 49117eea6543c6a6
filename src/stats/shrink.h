/* SPDX-License-Identifier: Apache-2.0
 *
 * Empirical Bayes smoothing of ratios x / n of small areas or units (n: population or expected events)
 * towards their common mean, the more the less is known of one.
 */
#ifndef ACCORD_STATS_SHRINK_H
#define ACCORD_STATS_SHRINK_H

#include <stddef.h>

#include "base/err.h"
#include "stats/interval.h"

struct marshall {
    double mean, variance; /* m = sum x / sum n; A, between units */
};
/* R. Marshall, Appl. Stat. 40 (1991) 283, by moments: m + B (x/n - m), B = A / (A + m/n), A = max(0, s2 - m /
 * mean n), s2 the variance of x/n weighted by n. Refused: a unit with n not above 0. */
MUST_CHECK enum status shrink_marshall(const double *x, const double *n, size_t units, double *out,
                                       struct marshall *fit, struct err *e);

struct poisson_gamma {
    double alpha, beta; /* of the gamma distribution of the units' ratios */
    double log_likelihood;
};
/* D. Clayton, J. Kaldor, Biometrics 43 (1987) 671, by maximum likelihood: means of the posterior, gamma with
 * x + alpha and n + beta, and its central interval. Refused: no spread between units beyond Poisson's. */
MUST_CHECK enum status shrink_poisson_gamma(const double *x, const double *n, size_t units, double confidence,
                                            struct estimate *out, struct poisson_gamma *fit, struct err *e);

#endif
