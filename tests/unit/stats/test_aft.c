/* SPDX-License-Identifier: Apache-2.0
 *
 * Accelerated failure time models: closed forms, laws, and what they refuse.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "stats/aft.h"

enum { N = 60 };

static double ones[N], x[N], when[N];
static int status[N];
static const double *const columns[] = {ones, x};
static const char *const names[] = {"_intercept", "x"};

static void make(void)
{
    for (int i = 0; i < N; i++) {
        ones[i] = 1;
        x[i] = i % 3;
        when[i] = 1 + (i * 37 % 61) + 5 * x[i];
        status[i] = i % 5 != 0;
    }
}

static void near(double a, double b, double tolerance)
{
    assert_true(fabs(a - b) <= tolerance * fmax(1, fabs(b)));
}

static void exponential_without_covariates_is_time_per_event(void **unused)
{
    (void)unused;
    struct arena *a = arena_new();
    struct aft_fit f;
    struct err e;
    double time = 0, events = 0;
    make();
    for (int i = 0; i < N; i++) {
        time += when[i];
        events += status[i];
    }
    assert_int_equal(aft_fit(AFT_EXPONENTIAL, when, status, N, columns, 1, names, a, &f, &e), ST_OK);
    near(f.beta[0], log(time / events), 1e-12);
    near(f.covariance[0], 1 / events, 1e-12);
    near(f.log_likelihood, -events * (1 + log(time / events)), 1e-12);
    near(f.log_likelihood_null, f.log_likelihood, 1e-12);
    arena_free(a);
}

/* Time in days or years moves the intercept and the likelihood, and nothing else. */
static void the_unit_of_time_moves_only_the_intercept(void **unused)
{
    (void)unused;
    double years[N];
    make();
    for (int i = 0; i < N; i++)
        years[i] = when[i] / 365.25;
    for (int of = AFT_WEIBULL; of <= AFT_LOGLOGISTIC; of++) {
        struct arena *a = arena_new();
        struct aft_fit f, g;
        struct err e;
        assert_int_equal(aft_fit((enum aft_distribution)of, when, status, N, columns, 2, names, a, &f, &e),
                         ST_OK);
        assert_int_equal(aft_fit((enum aft_distribution)of, years, status, N, columns, 2, names, a, &g, &e),
                         ST_OK);
        near(f.beta[0] - g.beta[0], log(365.25), 1e-9);
        near(f.beta[1], g.beta[1], 1e-9);
        near(f.scale, g.scale, 1e-9);
        near(f.covariance[f.p + 1], g.covariance[f.p + 1], 1e-9);
        assert_true(f.log_likelihood > f.log_likelihood_null);
        arena_free(a);
    }
}

static void what_cannot_be_fitted_is_named(void **unused)
{
    (void)unused;
    const double *const twice[] = {ones, x, x};
    static const char *const three[] = {"_intercept", "x", "again"};
    struct arena *a = arena_new();
    struct aft_fit f;
    struct err e;
    make();
    assert_int_equal(aft_fit(AFT_WEIBULL, when, status, N, twice, 3, three, a, &f, &e), ST_INVALID);
    assert_non_null(strstr(e.text, "'again'"));
    when[7] = 0;
    assert_int_equal(aft_fit(AFT_WEIBULL, when, status, N, columns, 2, names, a, &f, &e), ST_INVALID);
    assert_non_null(strstr(e.text, "row 8"));
    make();
    memset(status, 0, sizeof status);
    assert_int_equal(aft_fit(AFT_WEIBULL, when, status, N, columns, 2, names, a, &f, &e), ST_INVALID);
    assert_non_null(strstr(e.text, "no events"));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exponential_without_covariates_is_time_per_event),
        cmocka_unit_test(the_unit_of_time_moves_only_the_intercept),
        cmocka_unit_test(what_cannot_be_fitted_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
