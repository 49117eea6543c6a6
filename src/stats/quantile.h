/* SPDX-License-Identifier: Apache-2.0
 *
 * Quantiles of samples and quantile groups of areas.
 */
#ifndef ACCORD_STATS_QUANTILE_H
#define ACCORD_STATS_QUANTILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "stats/interval.h"

void quantile_sort(double *x, size_t n); /* ascending; no NaN */

/* Quantile of sorted values, definitions 1 to 9 of R. Hyndman, Y. Fan, Am. Stat. 50 (1996) 361. 7 is the
 * default of R, of spreadsheets and of SQL's PERCENTILE_CONT. */
double quantile_of(const double *sorted, size_t n, double p, int type);
/* Distribution-free interval of a quantile from order statistics, by the binomial distribution of the number
 * of values below it (D. Altman et al., Statistics with Confidence (2000) 5): at least the confidence where
 * the sample allows it, else NaN limits. */
struct interval quantile_interval(const double *sorted, size_t n, double p, double confidence);

/* Puts each of n areas into one of `groups` quantiles (1 = first): rank with ties taking the lowest rank,
 * values negated when invert; q = floor((Q + 1) - ceil(((N + 1) - rank) / (N / Q))), 0 becomes 1
 * (PHEindicatormethods phe_quantile). NaN values get 0 and do not count. Fewer areas than groups: all 0 and
 * *reason is set. */
void quantile_groups(const double *values, size_t n, int groups, bool invert, int *out, const char **reason);

#endif
