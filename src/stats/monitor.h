/* SPDX-License-Identifier: Apache-2.0
 *
 * Charts over outcomes in time order, one after the other.
 */
#ifndef ACCORD_STATS_MONITOR_H
#define ACCORD_STATS_MONITOR_H

#include <stddef.h>

/* Risk-adjusted CUSUM (S. Steiner et al., Biostatistics 1 (2000) 441) of outcomes y (0 or 1) with predicted
 * risks p in (0, 1): S = max(0, S + W), W = y log R - log(1 - p + R p), against odds that are R times as
 * high. */
void cusum_risk_adjusted(const double *y, const double *p, size_t n, double odds_ratio, double *out);
/* Variable life-adjusted display (J. Lovegrove et al., Lancet 350 (1997) 1128): running sum of p - y, the
 * lives gained against prediction. */
void vlad(const double *y, const double *p, size_t n, double *out);
/* Exponentially weighted moving average, lambda in (0, 1], from `start`. */
void ewma(const double *y, size_t n, double lambda, double start, double *out);

#endif
