/* SPDX-License-Identifier: Apache-2.0
 *
 * Propensity weights and the doubly robust estimate: what they promise, on data whose truth is known.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/propensity.h"

enum { N = 400, P = 2 };

static double ones[N], x[N], y[N], treated[N], score[N], weight[N];
static const double *const columns[P] = {ones, x};
static const char *const names[P] = {"_intercept", "x"};

/* x decides on both treatment and outcome; the effect is 3. */
static void make(double share_low, double share_high)
{
    for (int i = 0; i < N; i++) {
        ones[i] = 1;
        x[i] = i % 4 < 2;
        score[i] = x[i] != 0 ? share_high : share_low;
        treated[i] = (i / 4) % 10 < (int)(10 * score[i] + 0.5);
        y[i] = 2 + 5 * x[i] + 3 * treated[i];
    }
}

static void near(double a, double b)
{
    assert_true(fabs(a - b) <= 1e-10 * fmax(1, fabs(b)));
}

static void every_weighting_takes_the_confounding_away(void **unused)
{
    (void)unused;
    struct arena *a = arena_new();
    struct weighted_means w;
    struct err e;
    make(0.2, 0.7);
    for (int i = 0; i < N; i++)
        weight[i] = 1;
    assert_int_equal(weighted_difference(y, weight, treated, N, a, &w, &e), ST_OK);
    assert_true(w.difference > 4 && standardised_difference(x, NULL, treated, N) > 0.5);
    near(effective_size(weight, treated, N, true) + effective_size(weight, treated, N, false), N);
    for (int of = ESTIMAND_ATE; of <= ESTIMAND_OVERLAP; of++) {
        for (int i = 0; i < N; i++)
            weight[i] = propensity_weight((enum estimand)of, treated[i] != 0, score[i]);
        assert_int_equal(weighted_difference(y, weight, treated, N, a, &w, &e), ST_OK);
        near(w.difference, 3);
        near(standardised_difference(x, weight, treated, N), 0);
        assert_true(w.se[0][1] < w.se[1][1] && w.survey[1] > w.se[0][1]);
    }
    arena_free(a);
}

static void either_model_is_enough_for_the_doubly_robust(void **unused)
{
    (void)unused;
    struct arena *a = arena_new();
    struct doubly_robust d;
    struct err e;
    make(0.2, 0.7);
    /* A wrong outcome model, the intercept alone, and right scores. */
    assert_int_equal(doubly_robust_difference(y, score, treated, columns, 1, N, names, a, &d, &e), ST_OK);
    near(d.difference, 3);
    /* A right outcome model and scores that are wrong for everybody. */
    for (int i = 0; i < N; i++)
        score[i] = 0.5;
    assert_int_equal(doubly_robust_difference(y, score, treated, columns, P, N, names, a, &d, &e), ST_OK);
    near(d.difference, 3);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_weighting_takes_the_confounding_away),
        cmocka_unit_test(either_model_is_enough_for_the_doubly_robust),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
