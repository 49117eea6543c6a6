/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/quantile.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "stats/special.h"

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void quantile_sort(double *x, size_t n)
{
    qsort(x, n, sizeof *x, ascending);
}

static double at(const double *sorted, size_t n, double j)
{
    return sorted[j < 1 ? 0 : j > (double)n ? n - 1 : (size_t)j - 1];
}

/* Types 1 to 3 step; the rest interpolate at position n p + m. The fuzz keeps n p that is whole but for
 * rounding on the right side, as R does. */
double quantile_of(const double *sorted, size_t n, double p, int type)
{
    static const double a[10] = {0, 0, 0, 0, 0, 0.5, 0, 1, 1.0 / 3, 3.0 / 8};
    static const double b[10] = {0, 0, 0, 0, 1, 0.5, 0, 1, 1.0 / 3, 3.0 / 8};
    double count = (double)n, fuzz = 4 * DBL_EPSILON;
    if (n == 0)
        return (double)NAN;
    if (type <= 3) {
        double pos = type == 3 ? count * p - 0.5 : count * p, j = floor(pos + fuzz), g = pos - j > fuzz;
        if (type == 2 && g == 0)
            return (at(sorted, n, j) + at(sorted, n, j + 1)) / 2;
        bool next = type == 3 ? g != 0 || fmod(j, 2) != 0 : g != 0;
        return at(sorted, n, next ? j + 1 : j);
    }
    double pos = a[type] + p * (count + 1 - a[type] - b[type]);
    double j = floor(pos + fuzz), h = pos - j;
    h = fabs(h) < fuzz ? 0 : h;
    double low = at(sorted, n, j), high = at(sorted, n, j + 1);
    return h == 0 ? low : h == 1 ? high : (1 - h) * low + h * high;
}

static double binomial_below(double k, double n, double p) /* P(B <= k) */
{
    return k < 0 ? 0 : k >= n ? 1 : beta_lower(1 - p, p, n - k, k + 1);
}

struct interval quantile_interval(const double *sorted, size_t n, double p, double confidence)
{
    double tail = (1 - confidence) / 2, count = (double)n;
    size_t low = 0, high = 0; /* ranks, 0 = none */
    for (size_t r = 1; r <= n && binomial_below((double)r - 1, count, p) <= tail; r++)
        low = r;
    for (size_t r = n; r >= 1 && 1 - binomial_below((double)r - 1, count, p) <= tail; r--)
        high = r;
    return (struct interval){low ? sorted[low - 1] : (double)NAN, high ? sorted[high - 1] : (double)NAN};
}

struct ranked {
    double value;
    size_t row;
};

static int by_value(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
                                : (x->row > y->row) - (x->row < y->row);
}

/* Lowest ranks from 1 by row; NaN rows get 0. Returns the number ranked. */
static size_t lowest_ranks(const double *values, size_t n, bool invert, double *rank)
{
    struct ranked *r = xcalloc(n + 1, sizeof *r);
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        rank[i] = 0;
        if (!isnan(values[i]))
            r[m++] = (struct ranked){invert ? -values[i] : values[i], i};
    }
    qsort(r, m, sizeof *r, by_value);
    for (size_t i = 0, first = 0; i < m; i++) {
        first = i > 0 && r[i].value == r[i - 1].value ? first : i;
        rank[r[i].row] = (double)first + 1;
    }
    free(r);
    return m;
}

void quantile_groups(const double *values, size_t n, int groups, bool invert, int *out, const char **reason)
{
    double *rank = xcalloc(n + 1, sizeof *rank);
    size_t m = lowest_ranks(values, n, invert, rank);
    double count = (double)m, q = groups;
    *reason = count < q ? reason_too_few_areas : NULL;
    for (size_t i = 0; i < n; i++) {
        double group = floor(q + 1 - ceil((count + 1 - rank[i]) / (count / q)));
        out[i] = *reason || rank[i] == 0 ? 0 : group < 1 ? 1 : (int)group;
    }
    free(rank);
}
