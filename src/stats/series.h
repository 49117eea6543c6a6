/* SPDX-License-Identifier: Apache-2.0
 *
 * Interrupted time series: segmented regression (A. Wagner et al., J. Clin. Pharm. Ther. 27 (2002) 299),
 *
 *     y_t = level + trend t + [t >= change] (change in level + change in trend (t - change)) + e_t,
 *
 * by least squares, with standard errors that hold under autocorrelation up to a lag L and unequal variance:
 * W. Newey and K. West, Econometrica 55 (1987) 703, Bartlett weights 1 - l / (L + 1), times n / (n - 4).
 */
#ifndef ACCORD_STATS_SERIES_H
#define ACCORD_STATS_SERIES_H

#include <stddef.h>

#include "base/err.h"
#include "stats/interval.h"

enum { SEGMENT_MOST_LAG = 24, SEGMENT_LEAST = 8 /* points on either side (R. Penfold, F. Zhang 2013) */ };
enum segment_term { SEGMENT_LEVEL, SEGMENT_TREND, SEGMENT_LEVEL_CHANGE, SEGMENT_TREND_CHANGE, SEGMENT_TERMS };

struct segmented {
    struct estimate terms[SEGMENT_TERMS]; /* the level is that of the first point; limits by t, n - 4 df */
    struct estimate trend_after;
    double se[SEGMENT_TERMS], se_trend_after;
};
/* The lag that is usual for n points: floor(4 (n / 100)^(2/9)). */
size_t segmented_lag(size_t n);
/* y: points in time order; `change`: the first one after it. ST_INVALID: a point that is not finite, fewer
 * than SEGMENT_LEAST points on either side, a lag above SEGMENT_MOST_LAG or not below n. */
MUST_CHECK enum status segmented_fit(const double *y, size_t n, size_t change, size_t lag, double confidence,
                                     struct segmented *out, struct err *e);

#endif
