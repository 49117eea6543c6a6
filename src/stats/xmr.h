/* SPDX-License-Identifier: Apache-2.0
 *
 * XmR charts (statistical process control) with the rules of NHS England's "Making Data Count".
 *
 * Limits are mean -+ 2.66 mean moving range (2.66 = 3 / 1.128; D. Wheeler, Understanding Variation (2000)),
 * moving ranges of 3.267 times their mean or more are left out once. Rules, the first that fits names the
 * point: outside the limits; a run of 7 points rising or falling; 2 of 3 points in a row beyond two thirds of
 * the way to the limit on one side; 7 points in a row on one side of the mean. Every point of a run is
 * marked.
 */
#ifndef ACCORD_STATS_XMR_H
#define ACCORD_STATS_XMR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum xmr_cause {
    XMR_COMMON,
    XMR_ABOVE,
    XMR_BELOW,
    XMR_RISING,
    XMR_FALLING,
    XMR_2_OF_3_HIGH,
    XMR_2_OF_3_LOW,
    XMR_RUN_HIGH,
    XMR_RUN_LOW
};
enum xmr_better { XMR_NEUTRAL, XMR_INCREASE, XMR_DECREASE };

struct xmr_point {
    double mean, lower, upper;
    double moving_range; /* from the point before in the segment; NaN for its first */
    bool outside, close; /* beyond the limits; beyond two thirds of the way but inside */
    int side;            /* -1, 0, 1 of the mean */
    enum xmr_cause cause;
};

/* Points in time order, no NaN. rebase[i] true starts a new segment at i (limits and runs anew); may be NULL.
 * Limits come from the first fix_after points of a segment, 0 = all. Refused: fewer than 2 points in a
 * segment. */
MUST_CHECK enum status stats_xmr(const double *y, size_t n, const bool *rebase, size_t fix_after, bool screen,
                                 struct xmr_point *out, struct err *e);
const char *
xmr_cause_text(enum xmr_cause c); /* "Above UCL", "7 Point Trend (Increasing)", "Common Cause" ... */
/* "common_cause", "special_cause_improvement", "special_cause_concern", "special_cause_neutral_high" ... */
const char *xmr_point_type(enum xmr_cause c, int side, enum xmr_better better);
/* "consistently_pass", "consistently_fail", "inconsistent" (the target lies within the limits),
 * "not_applicable". */
const char *xmr_assurance(const struct xmr_point *p, double target, enum xmr_better better);

#endif
