/* SPDX-License-Identifier: Apache-2.0
 *
 * Nearly everybody has one period of observation, and every cohort asks for many persons whether a day lies
 * in it. So it lies once more in 32 bits a person: the low half says when it starts, the high one when it
 * ends, in days from 1900-01-01. Who has none or several, or one that does not fit, has one that ends before
 * it starts; then `offset`, `start` and `end` of struct store_periods say it.
 */
#ifndef ACCORD_STORE_ONLY_PERIOD_H
#define ACCORD_STORE_ONLY_PERIOD_H

#include <stdint.h>

#define ONLY_PERIOD_NONE 0x0000ffffu
enum { ONLY_PERIOD_EPOCH = -25567, ONLY_PERIOD_LAST = 0xffff };

/* Of a person with one period (days). */
static inline uint32_t only_period_of(int32_t start, int32_t end)
{
    int64_t from = (int64_t)start - ONLY_PERIOD_EPOCH, to = (int64_t)end - ONLY_PERIOD_EPOCH;
    return from < 0 || to > ONLY_PERIOD_LAST || from > to ? ONLY_PERIOD_NONE : (uint32_t)(from | to << 16);
}

/* Whether it is there; then the days. */
static inline int only_period_known(uint32_t only)
{
    return (only & 0xffff) <= only >> 16;
}

static inline int32_t only_period_start(uint32_t only)
{
    return (int32_t)(only & 0xffff) + ONLY_PERIOD_EPOCH;
}

static inline int32_t only_period_end(uint32_t only)
{
    return (int32_t)(only >> 16) + ONLY_PERIOD_EPOCH;
}

#endif
