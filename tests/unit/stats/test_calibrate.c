/* SPDX-License-Identifier: Apache-2.0
 *
 * Empirical calibration: the systematic error is where the controls' likelihood is highest, and taking it off
 * keeps what it promises.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stats/calibrate.h"
#include "stats/special.h"
#include "../../lib/random.h"

enum { N = 40 };

static struct rng seed = {3};

static double normal(void)
{
    return normal_quantile(random_uniform(&seed));
}

static double log_likelihood(const double *y, const double *se, double mean, double sd)
{
    double sum = 0;
    for (int i = 0; i < N; i++) {
        double v = sd * sd + se[i] * se[i];
        sum -= log(v) / 2 + (y[i] - mean) * (y[i] - mean) / (2 * v);
    }
    return sum;
}

static void make(double *y, double *se, double mean, double sd)
{
    for (int i = 0; i < N; i++) {
        se[i] = 0.05 + 0.01 * i;
        y[i] = mean + sd * normal() + se[i] * normal();
    }
}

static void the_error_is_where_the_likelihood_is_highest(void **unused)
{
    (void)unused;
    double y[N], se[N], h = 1e-4;
    struct systematic_error s;
    struct err e;
    make(y, se, 0.3, 0.25);
    assert_int_equal(systematic_error_fit(y, se, N, &s, &e), ST_OK);
    assert_int_equal(s.controls, N);
    assert_true(s.mean > 0.1 && s.mean < 0.5 && s.sd > 0.1 && s.sd < 0.45);
    double top = log_likelihood(y, se, s.mean, s.sd);
    for (int side = -1; side <= 1; side += 2) {
        assert_true(log_likelihood(y, se, s.mean + side * h, s.sd) < top);
        assert_true(log_likelihood(y, se, s.mean, s.sd + side * h) < top);
    }
    double slope =
        (log_likelihood(y, se, s.mean, s.sd + h) - log_likelihood(y, se, s.mean, s.sd - h)) / (2 * h);
    assert_true(fabs(slope) < 1e-4);
}

static void without_error_nothing_changes(void **unused)
{
    (void)unused;
    struct calibrated c = calibrate_estimate(&(struct systematic_error){0, 0, N}, 0.5, 0.2, 0.95);
    assert_true(fabs(c.log_ratio - 0.5) < 1e-15 && fabs(c.se - 0.2) < 1e-15);
    assert_true(fabs(c.p - 2 * normal_upper(2.5)) < 1e-15);
    assert_true(fabs(c.upper - 0.5 - 0.2 * normal_z(0.95)) < 1e-15);
}

/* Controls calibrated by their own error: about 5% have p < 0.05, where a third had before. */
static void controls_are_right_after_calibration(void **unused)
{
    (void)unused;
    double y[N], se[N];
    struct systematic_error s;
    struct err e;
    int before = 0, after = 0;
    for (int trial = 0; trial < 50; trial++) {
        make(y, se, 0.3, 0.25);
        assert_int_equal(systematic_error_fit(y, se, N, &s, &e), ST_OK);
        for (int i = 0; i < N; i++) {
            before += 2 * normal_upper(fabs(y[i]) / se[i]) < 0.05;
            after += calibrate_estimate(&s, y[i], se[i], 0.95).p < 0.05;
        }
    }
    assert_true(before > 50 * N * 0.25);
    assert_in_range(after, 50 * N * 0.03, 50 * N * 0.07);
}

static void too_few_controls_are_refused(void **unused)
{
    (void)unused;
    double y[N], se[N];
    struct systematic_error s;
    struct err e;
    make(y, se, 0, 0.1);
    assert_int_equal(systematic_error_fit(y, se, CALIBRATE_FEWEST - 1, &s, &e), ST_INVALID);
    assert_non_null(strstr(e.text, "at least 5 are needed"));
    se[2] = 0;
    assert_int_equal(systematic_error_fit(y, se, N, &s, &e), ST_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_error_is_where_the_likelihood_is_highest),
        cmocka_unit_test(without_error_nothing_changes),
        cmocka_unit_test(controls_are_right_after_calibration),
        cmocka_unit_test(too_few_controls_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
