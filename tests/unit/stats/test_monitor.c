/* SPDX-License-Identifier: Apache-2.0
 *
 * Charts over outcomes and smoothing of small areas, beside numbers worked out by hand and their laws.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "stats/monitor.h"
#include "stats/shrink.h"

enum { N = 5 };

static void near(double a, double b)
{
    assert_true(fabs(a - b) <= 1e-12 * fmax(1, fabs(b)));
}

static void a_cusum_rises_with_deaths_and_never_falls_below_0(void **unused)
{
    (void)unused;
    const double y[N] = {1, 0, 0, 1, 1}, p[N] = {0.1, 0.5, 0.9, 0.2, 0.3};
    double s[N], v[N];
    cusum_risk_adjusted(y, p, N, 2, s);
    near(s[0], log(2) - log(1.1));
    near(s[1], fmax(0, s[0] - log(1.5)));
    near(s[2], 0);
    near(s[4], 2 * log(2) - log(1.2) - log(1.3));
    vlad(y, p, N, v);
    near(v[0], -0.9);
    near(v[4], -1);
    /* Looking out for a fall, deaths pull the other way. */
    cusum_risk_adjusted(y, p, N, 0.5, s);
    near(s[0], 0);
    near(s[2], -log(0.75) - log(0.55));
}

static void an_average_of_equal_values_stays_where_it_is(void **unused)
{
    (void)unused;
    const double y[N] = {3, 3, 3, 3, 3}, step[N] = {0, 0, 1, 1, 1};
    double out[N];
    ewma(y, N, 0.2, 3, out);
    near(out[4], 3);
    ewma(step, N, 0.2, 0, out);
    near(out[1], 0);
    near(out[4], 1 - 0.8 * 0.8 * 0.8);
    ewma(step, N, 1, 9, out);
    assert_memory_equal(out, step, sizeof out);
}

static void smoothing_pulls_the_small_further(void **unused)
{
    (void)unused;
    const double n[N] = {10, 100, 1000, 10, 1000}, x[N] = {4, 20, 90, 0, 210};
    double out[N], mean = 324.0 / 2120;
    struct marshall m;
    struct estimate gamma[N];
    struct poisson_gamma fit;
    struct err e;
    assert_int_equal(shrink_marshall(x, n, N, out, &m, &e), ST_OK);
    near(m.mean, mean);
    for (int i = 0; i < N; i++)
        assert_true((x[i] / n[i] - mean) * (out[i] - mean) >= 0 &&
                    fabs(out[i] - mean) <= fabs(x[i] / n[i] - mean));
    assert_true(fabs(out[0] - mean) / fabs(0.4 - mean) < fabs(out[4] - mean) / fabs(0.21 - mean));
    assert_int_equal(shrink_poisson_gamma(x, n, N, 0.95, gamma, &fit, &e), ST_OK);
    for (int i = 0; i < N; i++) {
        near(gamma[i].value, (x[i] + fit.alpha) / (n[i] + fit.beta));
        assert_true(gamma[i].lower < gamma[i].value && gamma[i].value < gamma[i].upper);
    }
    assert_true(gamma[0].upper - gamma[0].lower > gamma[4].upper - gamma[4].lower);
}

static void equal_units_and_bad_ones_are_explained(void **unused)
{
    (void)unused;
    const double n[N] = {100, 100, 100, 100, 100}, x[N] = {10, 10, 10, 10, 10}, zero[N] = {1, 1, 0, 1, 1};
    double out[N];
    struct marshall m;
    struct estimate gamma[N];
    struct poisson_gamma fit;
    struct err e;
    assert_int_equal(shrink_marshall(x, n, N, out, &m, &e), ST_OK);
    assert_true(m.variance == 0);
    near(out[3], 0.1);
    assert_int_equal(shrink_poisson_gamma(x, n, N, 0.95, gamma, &fit, &e), ST_INVALID);
    assert_non_null(strstr(e.text, "no more than chance"));
    assert_int_equal(shrink_marshall(x, zero, N, out, &m, &e), ST_INVALID);
    assert_non_null(strstr(e.text, "row 3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cusum_rises_with_deaths_and_never_falls_below_0),
        cmocka_unit_test(an_average_of_equal_values_stays_where_it_is),
        cmocka_unit_test(smoothing_pulls_the_small_further),
        cmocka_unit_test(equal_units_and_bad_ones_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
