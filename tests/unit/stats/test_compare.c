/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests between groups and of tables: textbook answers, brute force over all tables, and laws.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "stats/compare.h"
#include "stats/contingency.h"

/* Student's own data: extra sleep under two drugs (Biometrika 6 (1908) 1). */
static const double first[] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2},
                    second[] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
static const struct sample drugs[] = {{first, 10}, {second, 10}};

static void near(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance * fmax(1, fabs(b))))
        fail_msg("%.17g, expected %.17g", a, b);
}

static void students_sleep_has_students_t(void **unused)
{
    (void)unused;
    struct comparison c, d;
    struct err e;
    assert_int_equal(t_test(&drugs[0], &drugs[1], T_PAIRED, 0.95, &c, &e), ST_OK);
    near(c.statistic, -4.062127683382037, 1e-13);
    near(c.p, 0.002832890197384256, 1e-12);
    assert_int_equal(t_test(&drugs[0], &drugs[1], T_STUDENT, 0.95, &c, &e), ST_OK);
    assert_int_equal(t_test(&drugs[1], &drugs[0], T_STUDENT, 0.95, &d, &e), ST_OK);
    near(c.statistic, -d.statistic, 1e-15);
    near(c.difference.lower, -d.difference.upper, 1e-15);
    near(c.df, 18, 0);
    /* Two groups: Welch's analysis of variance is the square of Welch's t. */
    assert_int_equal(t_test(&drugs[0], &drugs[1], T_WELCH, 0.95, &c, &e), ST_OK);
    assert_int_equal(welch_anova(drugs, 2, &d, &e), ST_OK);
    near(d.statistic, c.statistic * c.statistic, 1e-12);
    near(d.df2, c.df, 1e-12);
    near(d.p, c.p, 1e-12);
}

static void groups_without_spread_are_refused(void **unused)
{
    (void)unused;
    const double same[] = {2, 2, 2};
    const struct sample flat[] = {{same, 3}, {same, 3}, {first, 1}};
    struct comparison c;
    struct correlation r;
    struct err e;
    assert_int_equal(t_test(&flat[0], &flat[1], T_WELCH, 0.95, &c, &e), ST_INVALID);
    assert_int_equal(t_test(&flat[0], &drugs[0], T_PAIRED, 0.95, &c, &e), ST_INVALID);
    assert_int_equal(rank_sum_test(&flat[0], &flat[1], true, &c, &e), ST_INVALID);
    assert_int_equal(bartlett_test(flat, 2, &c, &e), ST_INVALID);
    assert_non_null(strstr(e.text, "group 1"));
    assert_int_equal(correlate(same, first, 3, PEARSON, 0.95, &r, &e), ST_INVALID);
}

static void correlations_of_a_line_are_1_and_turn_with_it(void **unused)
{
    (void)unused;
    double down[10];
    struct correlation up, r;
    struct err e;
    for (int i = 0; i < 10; i++)
        down[i] = -second[i];
    for (int kind = PEARSON; kind <= KENDALL; kind++) {
        assert_int_equal(correlate(first, second, 10, (enum correlation_kind)kind, 0.95, &up, &e), ST_OK);
        assert_int_equal(correlate(first, down, 10, (enum correlation_kind)kind, 0.95, &r, &e), ST_OK);
        near(r.value, -up.value, 1e-14);
        near(r.p, up.p, 1e-12);
        assert_true(up.value > 0.5 && up.p < 0.05);
        assert_int_equal(correlate(first, first, 10, (enum correlation_kind)kind, 0.95, &r, &e), ST_OK);
        near(r.value, 1, 1e-14);
    }
}

/* Fisher's tea: 3 of 4 cups right (The Design of Experiments (1935) 2). */
static void fishers_tea_is_what_he_said(void **unused)
{
    (void)unused;
    const struct two_by_two tea = {3, 1, 1, 3}, all = {4, 0, 0, 4};
    struct exact_odds x = exact_odds_ratio(&tea, 1, 0.95);
    near(x.p, 34.0 / 70, 1e-12);
    near(x.odds_ratio.value, 6.408309, 1e-5);
    /* Of 1, 16, 36, 16, 1 tables: at the estimate the expected number is the observed one, at the limits a
       tail has 2.5%. (R's upper limit, 621.93, is where its search stopped.) */
    double w[] = {1, 16, 36, 16, 1}, sum[3] = {0}, mean = 0, upper = 0, lower = 0;
    for (int k = 0; k < 5; k++) {
        double at[] = {w[k] * pow(x.odds_ratio.value, k), w[k] * pow(x.odds_ratio.lower, k),
                       w[k] * pow(x.odds_ratio.upper, k)};
        for (int i = 0; i < 3; i++)
            sum[i] += at[i];
        mean += k * at[0];
        upper += k >= 3 ? at[1] : 0;
        lower += k <= 3 ? at[2] : 0;
    }
    near(mean / sum[0], 3, 1e-12);
    near(upper / sum[1], 0.025, 1e-12);
    near(lower / sum[2], 0.025, 1e-12);
    x = exact_odds_ratio(&all, 1, 0.95);
    assert_true(isinf(x.odds_ratio.value) && isinf(x.odds_ratio.upper) && x.odds_ratio.lower > 1);
    /* Two strata of the same table: the same estimate, a narrower interval. */
    const struct two_by_two twice[] = {{3, 1, 1, 3}, {3, 1, 1, 3}};
    struct exact_odds y = exact_odds_ratio(twice, 2, 0.95);
    near(y.odds_ratio.value, 6.408309, 1e-5);
    assert_true(y.odds_ratio.lower > 0.2117 && y.odds_ratio.upper < 626 && y.statistic == 6);
}

static void score_limits_are_where_the_score_is_z(void **unused)
{
    (void)unused;
    const struct two_by_two t = {13, 87, 5, 95}, turned = {5, 95, 13, 87};
    struct risk_table x = risks_of(&t, 0.95), y = risks_of(&turned, 0.95);
    near(x.difference.value, 0.08, 1e-15);
    near(x.difference_score.lower, -y.difference_score.upper, 1e-12);
    near(log(x.odds_ratio_score.lower), -log(y.odds_ratio_score.upper), 1e-10);
    near(x.risk_ratio.lower * y.risk_ratio.upper, 1, 1e-14);
    near(x.number_needed.value, 12.5, 1e-12);
    /* An interval that just reaches no effect has a chi-squared test that just has its level. */
    double confidence = 0.5, step = 0.25;
    for (int i = 0; i < 50; i++, step /= 2)
        confidence += risks_of(&t, confidence).difference_score.lower > 0 ? step : -step;
    const double counts[] = {13, 87, 5, 95};
    near(1 - confidence, chi2_independence(counts, 2, 2).p, 1e-9);
}

static void tables_of_counts_have_their_tests(void **unused)
{
    (void)unused;
    const double proportional[] = {10, 20, 30, 20, 40, 60}, change[] = {794, 86, 150, 570},
                 x[] = {10, 20, 30}, n[] = {100, 100, 100}, flat[] = {20, 20, 20};
    struct test t = chi2_independence(proportional, 2, 3);
    near(t.statistic, 0, 1e-12);
    near(t.df, 2, 0);
    near(mcnemar_test(change, 2).statistic, 63.0 * 63 / 236, 1e-12);
    assert_true(trend_test(x, n, 3).statistic > 10);
    near(trend_test(flat, n, 3).statistic, 0, 1e-12);
}

static void adjusted_p_values_keep_their_order(void **unused)
{
    (void)unused;
    const double p[] = {0.01, 0.04, 0.03, 0.5};
    double out[4], hommel[4], hochberg[4];
    adjust_p(p, 4, ADJUST_HOLM, out);
    near(out[0], 0.04, 1e-15);
    near(out[2], 0.09, 1e-15);
    near(out[1], 0.09, 1e-15);
    adjust_p(p, 4, ADJUST_BH, out);
    near(out[1], 0.04 * 4 / 3, 1e-15);
    near(out[2], 0.04 * 4 / 3, 1e-15);
    adjust_p(p, 4, ADJUST_HOCHBERG, hochberg);
    adjust_p(p, 4, ADJUST_HOMMEL, hommel);
    for (int i = 0; i < 4; i++)
        assert_true(p[i] <= hommel[i] && hommel[i] <= hochberg[i] + 1e-15);
    adjust_p(p, 1, ADJUST_HOMMEL, out);
    near(out[0], 0.01, 1e-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(students_sleep_has_students_t),
        cmocka_unit_test(groups_without_spread_are_refused),
        cmocka_unit_test(correlations_of_a_line_are_1_and_turn_with_it),
        cmocka_unit_test(fishers_tea_is_what_he_said),
        cmocka_unit_test(score_limits_are_where_the_score_is_z),
        cmocka_unit_test(tables_of_counts_have_their_tests),
        cmocka_unit_test(adjusted_p_values_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
