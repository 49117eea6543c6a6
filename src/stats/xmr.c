/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/xmr.h"

#include <math.h>

#include "stats/sum.h"

enum { RUN = 7 };

static double mean_of(const double *x, size_t n)
{
    struct csum s = {0};
    for (size_t i = 0; i < n; i++)
        csum_add(&s, x[i]);
    return csum_value(&s) / (double)n;
}

/* Mean of the moving ranges of y[0..n-1] that are below `ceiling`. */
static double mean_range(const double *y, size_t n, double ceiling)
{
    struct csum s = {0};
    size_t used = 0;
    for (size_t i = 1; i < n; i++)
        if (fabs(y[i] - y[i - 1]) < ceiling) {
            csum_add(&s, fabs(y[i] - y[i - 1]));
            used++;
        }
    return used ? csum_value(&s) / (double)used : 0;
}

static void set_limits(const double *y, size_t n, size_t basis, bool screen, struct xmr_point *p)
{
    double mean = mean_of(y, basis), range = mean_range(y, basis, (double)INFINITY);
    if (screen && range > 0)
        range = mean_range(y, basis, 3.267 * range);
    double reach = 2.66 * range;
    for (size_t i = 0; i < n; i++) {
        p[i] = (struct xmr_point){.mean = mean, .lower = mean - reach, .upper = mean + reach};
        p[i].moving_range = i ? fabs(y[i] - y[i - 1]) : (double)NAN;
        p[i].side = (y[i] > mean) - (y[i] < mean);
        p[i].outside = y[i] > mean + reach || y[i] < mean - reach;
        p[i].close = !p[i].outside && fabs(y[i] - mean) > reach * 2 / 3;
    }
}

/* Marks, weakest rule first so that a stronger one overwrites. */
static void mark_sides(struct xmr_point *p, size_t n)
{
    int run = 0;
    for (size_t i = 0; i < n; i++) {
        run = i > 0 && p[i].side == p[i - 1].side ? run + 1 : 1;
        for (size_t j = i + 1 - RUN; run >= RUN && p[i].side != 0 && j <= i; j++)
            p[j].cause = p[i].side > 0 ? XMR_RUN_HIGH : XMR_RUN_LOW;
    }
}

static void mark_two_of_three(struct xmr_point *p, size_t n)
{
    for (size_t i = 2; i < n; i++) {
        int near = 0;
        for (size_t j = i - 2; j <= i; j++)
            near += p[j].close ? p[j].side : 0;
        for (size_t j = i - 2; near * near >= 4 && j <= i; j++)
            if (p[j].close && p[j].side * near > 0)
                p[j].cause = near > 0 ? XMR_2_OF_3_HIGH : XMR_2_OF_3_LOW;
    }
}

static void mark_trends(const double *y, struct xmr_point *p, size_t n)
{
    int run = 1, direction = 0;
    for (size_t i = 1; i < n; i++) {
        int now = (y[i] > y[i - 1]) - (y[i] < y[i - 1]);
        run = now != 0 && now == direction ? run + 1 : 2;
        direction = now;
        for (size_t j = i + 1 - RUN; now != 0 && run >= RUN && j <= i; j++)
            p[j].cause = now > 0 ? XMR_RISING : XMR_FALLING;
    }
}

static void judge_segment(const double *y, size_t n, size_t fix_after, bool screen, struct xmr_point *p)
{
    set_limits(y, n, fix_after && fix_after < n ? fix_after : n, screen, p);
    mark_sides(p, n);
    mark_two_of_three(p, n);
    mark_trends(y, p, n);
    for (size_t i = 0; i < n; i++)
        if (p[i].outside)
            p[i].cause = p[i].side > 0 ? XMR_ABOVE : XMR_BELOW;
}

enum status stats_xmr(const double *y, size_t n, const bool *rebase, size_t fix_after, bool screen,
                      struct xmr_point *out, struct err *e)
{
    for (size_t start = 0, end; start < n || n == 0; start = end) {
        for (end = start + 1; end < n && !(rebase && rebase[end]); end++)
            ;
        if (end > n || end - start < 2 || fix_after == 1)
            return err_set(e, ST_INVALID,
                           "an XmR chart needs at least two points in every segment and for its limits");
        judge_segment(y + start, end - start, fix_after, screen, out + start);
    }
    return ST_OK;
}

const char *xmr_cause_text(enum xmr_cause c)
{
    static const char *const texts[] = {"Common Cause",
                                        "Above UCL",
                                        "Below LCL",
                                        "7 Point Trend (Increasing)",
                                        "7 Point Trend (Decreasing)",
                                        "2 in 3 Above CL",
                                        "2 in 3 Below CL",
                                        "7 Points Above CL",
                                        "7 Points Below CL"};
    return texts[c];
}

const char *xmr_point_type(enum xmr_cause c, int side, enum xmr_better better)
{
    if (c == XMR_COMMON)
        return "common_cause";
    bool high = c == XMR_RISING || c == XMR_FALLING ? c == XMR_RISING : side > 0;
    if (better == XMR_NEUTRAL)
        return high ? "special_cause_neutral_high" : "special_cause_neutral_low";
    return high == (better == XMR_INCREASE) ? "special_cause_improvement" : "special_cause_concern";
}

const char *xmr_assurance(const struct xmr_point *p, double target, enum xmr_better better)
{
    if (better == XMR_NEUTRAL || isnan(target))
        return "not_applicable";
    if (target >= p->lower && target <= p->upper)
        return "inconsistent";
    bool below = target < p->lower;
    return below == (better == XMR_INCREASE) ? "consistently_pass" : "consistently_fail";
}
