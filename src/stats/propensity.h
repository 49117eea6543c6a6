/* SPDX-License-Identifier: Apache-2.0
 *
 * Effects of a treatment by propensity scores e = P(treated | x): weights, what they leave of the sample and
 * of imbalance, the weighted difference of means, and the doubly robust estimate.
 */
#ifndef ACCORD_STATS_PROPENSITY_H
#define ACCORD_STATS_PROPENSITY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

enum estimand { ESTIMAND_ATE, ESTIMAND_ATT, ESTIMAND_OVERLAP };
/* ATE 1/e and 1/(1 - e); ATT 1 and e/(1 - e); overlap (F. Li, K. Morgan, A. Zaslavsky, JASA 113 (2018) 390) 1
 * - e and e. */
static inline double propensity_weight(enum estimand of, bool treated, double e)
{
    switch (of) {
    case ESTIMAND_ATE:
        return treated ? 1 / e : 1 / (1 - e);
    case ESTIMAND_ATT:
        return treated ? 1 : e / (1 - e);
    case ESTIMAND_OVERLAP:
        break;
    }
    return treated ? 1 - e : e;
}

/* (sum w)^2 / sum w^2 of one arm. */
double effective_size(const double *w, const double *treated, size_t n, bool of_treated);
/* Difference of weighted means of x over the unweighted spread, sqrt of the mean of both arms' variances. */
double standardised_difference(const double *x, const double *w, const double *treated, size_t n);

struct weighted_means {
    double mean_untreated, difference;
    double se[3][2];  /* HC0, HC1, HC3 of the mean and of the difference, the weights taken as known */
    double survey[2]; /* HC0 times sqrt(n / (n - 1)), as survey's svyglm has it */
};
MUST_CHECK enum status weighted_difference(const double *y, const double *w, const double *treated, size_t n,
                                           struct arena *a, struct weighted_means *out, struct err *e);

struct doubly_robust {
    double difference, se; /* by the influence function */
};
/* J. Robins, A. Rotnitzky, L. Zhao, JASA 89 (1994) 846: linear outcome models in each arm on the p columns of
 * x (an intercept among them), made up for by the score. */
MUST_CHECK enum status doubly_robust_difference(const double *y, const double *score, const double *treated,
                                                const double *const *x, size_t p, size_t n,
                                                const char *const *names, struct arena *a,
                                                struct doubly_robust *out, struct err *e);

#endif
