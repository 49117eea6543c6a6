/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/rounding.h"

#include <math.h>

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
    case ROUNDING_CONTROLLED:
    case ROUNDING_CELL_KEY:
        return round_nearest(n, base);
    case ROUNDING_EVEN:
        return round_even(n, base);
    case ROUNDING_MIDPOINT:
        return round_midpoint(n, base);
    default:
        return n;
    }
}

/* Knowing that counts of 1 .. minimum - 1 are hidden: a printed zero is then a zero. */
static struct count_range above_minimum(int64_t printed, struct count_range r, int64_t minimum)
{
    if (printed == 0)
        return (struct count_range){0, r.high < minimum ? 0 : r.high};
    if (r.low < minimum)
        r.low = minimum;
    return r;
}

struct count_range round_range(int64_t printed, enum rounding kind, int64_t base, int64_t minimum)
{
    struct count_range r = {printed, printed};
    switch (kind) {
    case ROUNDING_NEAREST:
    case ROUNDING_CELL_KEY:
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
    case ROUNDING_CONTROLLED:
        r = (struct count_range){printed - base, printed + base};
        break;
    default:
        break;
    }
    return above_minimum(printed, r, minimum);
}

struct count_range print_range(const struct policy *p, int64_t printed, int64_t minimum)
{
    struct count_range noisy = {printed - p->noise_most, printed + p->noise_most};
    if (p->rounding != ROUNDING_CELL_KEY)
        return round_range(printed, (enum rounding)p->rounding, p->base, minimum);
    /* Noise leaves zeros alone, and what it would make less than the minimum is hidden. */
    return printed == 0 ? (struct count_range){0, 0} : above_minimum(printed, noisy, minimum);
}

struct count_range print_worst(const struct policy *p, int64_t n, int64_t minimum)
{
    enum rounding kind = p->rounding == ROUNDING_CONTROLLED ? ROUNDING_NEAREST : (enum rounding)p->rounding;
    if (kind == ROUNDING_CELL_KEY)
        return print_range(p, n, minimum);
    return round_range(round_count(n, kind, p->base), kind, p->base, minimum);
}

bool print_allowed(const struct policy *p, int64_t printed, int64_t minimum)
{
    struct count_range r = print_range(p, printed, minimum);
    bool own = true;
    if (p->rounding == ROUNDING_CELL_KEY)
        own = printed == 0 || printed >= minimum;
    else if (p->rounding != ROUNDING_NONE)
        own = round_count(printed, (enum rounding)p->rounding, p->base) == printed;
    return own && printed >= 0 && !(printed > 0 && r.high < minimum) && r.low <= r.high;
}

int figure_digits(enum output_type type)
{
    static const int digits[OUTPUT_TYPES] = {
        [OUTPUT_RATE] = 3,       [OUTPUT_SUM] = 4,  [OUTPUT_QUANTILE] = 2,
        [OUTPUT_REGRESSION] = 4, [OUTPUT_TEST] = 4, [OUTPUT_MODEL] = 4};
    return digits[type];
}

double round_significant(double v, int digits)
{
    if (!isfinite(v) || v == 0)
        return v;
    double unit = pow(10, floor(log10(fabs(v))) - digits + 1);
    return unit < 1 ? nearbyint(v * nearbyint(1 / unit)) / nearbyint(1 / unit) : nearbyint(v / unit) * unit;
}
