/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/rounding.h"

int64_t round_nearest(int64_t n, int64_t base)
{
    return (n + base / 2) / base * base;
}

int64_t round_even(int64_t n, int64_t base)
{
    int64_t below = n / base, twice = 2 * (n % base);
    return (below + (twice > base || (twice == base && below % 2 == 1))) * base;
}

int64_t round_midpoint(int64_t n, int64_t base)
{
    return n == 0 ? 0 : (n + base - 1) / base * base - base / 2;
}

int64_t round_count(int64_t n, enum rounding kind, int64_t base)
{
    switch (kind) {
    case ROUNDING_NEAREST:
        return round_nearest(n, base);
    case ROUNDING_EVEN:
        return round_even(n, base);
    case ROUNDING_MIDPOINT:
        return round_midpoint(n, base);
    default:
        return n;
    }
}

struct count_range round_range(int64_t printed, enum rounding kind, int64_t base, int64_t minimum)
{
    struct count_range r = {printed, printed};
    switch (kind) {
    case ROUNDING_NEAREST:
        r.low = printed - base / 2;
        r.high = printed + (base - 1) - base / 2;
        break;
    case ROUNDING_EVEN: {
        int64_t half = base / 2 - (base % 2 == 0 && printed / base % 2 == 1);
        r = (struct count_range){printed - half, printed + half};
        break;
    }
    case ROUNDING_MIDPOINT:
        if (printed > 0) {
            r.low = printed - base / 2 + 1;
            r.high = printed + base / 2;
        }
        break;
    default:
        break;
    }
    /* A printed zero is a zero where 1 .. minimum - 1 would have been hidden. */
    if (printed == 0)
        return (struct count_range){0, r.high < minimum ? 0 : r.high};
    if (r.low < minimum)
        r.low = minimum;
    return r;
}
