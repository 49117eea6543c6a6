/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures of inequality: of one quantity over units, and of an outcome over ordered groups.
 */
#ifndef ACCORD_STATS_GINI_H
#define ACCORD_STATS_GINI_H

#include <stddef.h>

#include "base/err.h"
#include "stats/interval.h"

enum inequality_index {
    GINI,           /* sum (2i - n - 1) x_i / (n sum x), x rising */
    GINI_CORRECTED, /* times n / (n - 1) */
    ATKINSON,       /* 1 - (mean x^(1-e))^(1/(1-e)) / mean x; e = 1: geometric mean */
    THEIL_T,        /* mean (x/m) log(x/m) */
    THEIL_L,        /* mean log(m/x) */
    HERFINDAHL      /* sum of squared shares */
};
/* With a jackknife interval (B. Efron, C. Stein 1981), normal. `aversion` is Atkinson's e. Values must be 0
 * or more with a positive sum; where an index needs them above 0 and one is not: reason not_positive. x is
 * sorted in place. */
MUST_CHECK enum status inequality(double *x, size_t n, enum inequality_index index, double aversion,
                                  double confidence, struct estimate *out, struct err *e);

struct social_group {
    double value, population; /* in social order, the most deprived first */
};
struct social_gradient {
    struct estimate
        concentration; /* 2 cov(y, rank) / mean, weighted midpoint ranks; interval by convenient regression */
    double erreygers, wagstaff; /* for values bounded by low and high */
    double slope,
        relative; /* weighted least squares on rank: SII; fitted value at the top over that at the bottom */
    double mean, between_variance;
    double attributable_percent; /* (mean - best) / mean, in percent; best = the lowest value */
    double disparity; /* mean absolute difference of the other groups from the best, over the best, % */
    double gini;      /* population-weighted, from the trapezoid Lorenz curve */
};
MUST_CHECK enum status social_gradient(const struct social_group *g, size_t k, double low, double high,
                                       double confidence, struct social_gradient *out, struct err *e);

#endif
