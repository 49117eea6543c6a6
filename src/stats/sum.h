/* SPDX-License-Identifier: Apache-2.0
 *
 * Compensated sums: A. Neumaier, ZAMM 54 (1974) 39. The error of the total does not grow with the number of
 * terms, so the order of rows shows in the last bit at most.
 */
#ifndef ACCORD_STATS_SUM_H
#define ACCORD_STATS_SUM_H

#include <math.h>

struct csum {
    double total, lost;
};

static inline void csum_add(struct csum *s, double v)
{
    double t = s->total + v;
    s->lost += fabs(s->total) >= fabs(v) ? (s->total - t) + v : (v - t) + s->total;
    s->total = t;
}

static inline double csum_value(const struct csum *s)
{
    return s->total + s->lost;
}

#endif
