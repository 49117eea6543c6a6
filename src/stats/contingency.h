/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of counts: tests of independence, trend and change, and what epidemiology takes from a 2 x 2 table.
 */
#ifndef ACCORD_STATS_CONTINGENCY_H
#define ACCORD_STATS_CONTINGENCY_H

#include <stddef.h>

#include "stats/interval.h"
#include "stats/meta.h"

/* Pearson's chi-squared over rows x columns (row-major); rows and columns of nothing take no part. */
struct test chi2_independence(const double *counts, size_t rows, size_t columns);
/* Q. McNemar's test of change over a square table, with continuity correction for 2 x 2; symmetry otherwise.
 */
struct test mcnemar_test(const double *counts, size_t size);
/* P. Armitage's test of trend: x out of n at scores 1, 2, ... */
struct test trend_test(const double *x, const double *n, size_t groups);

/* Fisher's exact test, or over strata the exact conditional test: the common odds ratio by conditional
 * maximum likelihood with its exact interval, and the two-sided p-value of 1 (all tables no more likely). The
 * statistic is the sum of a. The sum of the smallest margins should not exceed about 1e6. */
struct exact_odds {
    struct estimate odds_ratio;
    double statistic, p;
};
struct exact_odds exact_odds_ratio(const struct two_by_two *t, size_t strata, double confidence);

/* a: exposed with the event. Intervals: Wald on the log scale (ratios) or as is; attributable fractions from
 * those of the risk ratio; population fraction after N. Jewell, Statistics for Epidemiology (2003) 4.4;
 * number needed to treat from the limits of the difference. */
struct risk_table {
    struct estimate risk_ratio, odds_ratio, difference, attributable_fraction, population_difference,
        population_fraction, number_needed;
    struct interval odds_ratio_score, difference_score; /* R. Mee, Biometrics 40 (1984) 1175 */
};
struct risk_table risks_of(const struct two_by_two *t, double confidence);

#endif
