/* SPDX-License-Identifier: Apache-2.0
 *
 * Population health: edge cases, refusals and laws.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "stats/auc.h"
#include "stats/funnel.h"
#include "stats/gini.h"
#include "stats/life.h"
#include "stats/meta.h"
#include "stats/quantile.h"
#include "stats/series.h"
#include "stats/sii.h"
#include "stats/standardise.h"
#include "stats/xmr.h"

static void near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance * (1 + fabs(want))))
        fail_msg("%.17g, expected %.17g", got, want);
}

static void edges_of_proportions_and_rates(void **state)
{
    (void)state;
    struct err e = {0};
    struct estimate v;
    assert_int_equal(stats_proportion(0, 10, false, 1, 0.95, &v, &e), ST_OK);
    assert_true(v.value == 0 && v.lower == 0 && v.upper > 0);
    assert_int_equal(stats_proportion(10, 10, false, 1, 0.95, &v, &e), ST_OK);
    near(v.upper, 1, 1e-15);
    assert_int_equal(stats_proportion(5, 10, false, 1, 1, &v, &e), ST_OK);
    assert_true(v.lower == 0 && v.upper == 1);
    assert_int_equal(stats_rate(0, 10, RATE_PHE, 1, 0.95, &v, &e), ST_OK);
    assert_true(v.lower == 0);
    near(v.upper, -log(0.025) / 10, 1e-13); /* P(no events) = 0.025 */
    assert_int_equal(stats_rate((double)NAN, 10, RATE_PHE, 1, 0.95, &v, &e), ST_OK);
    assert_true(isnan(v.value) && v.reason == reason_missing);
    assert_true(interval_byar(0, 0.95).lower == 0);
}

/* All counts up to where nothing is left, one by one. */
static void the_poisson_test_adds_what_is_no_more_probable(void **state)
{
    (void)state;
    static const double means[] = {0.3, 1, 4, 8, 20.5};
    for (size_t m = 0; m < sizeof means / sizeof *means; m++)
        for (int x = 0; x < 60; x++) {
            double p = 0, own = exp(-means[m] + x * log(means[m]) - lgamma(x + 1.0));
            for (int y = 0; y < 300; y++) {
                double density = exp(-means[m] + y * log(means[m]) - lgamma(y + 1.0));
                p += density <= own * (1 + 1e-7) ? density : 0;
            }
            near(poisson_test(x, means[m]), x == means[m] ? 1 : p, 1e-11);
        }
    struct interval mid = interval_byar_mid(0, 0.95);
    assert_true(mid.lower == 0 && mid.upper > interval_byar_mid(0, 0.9).upper);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    struct err e = {0};
    struct estimate v;
    double c;
    struct dsr d;
    struct stratum s = {20, 20, 100, 5000};
    assert_int_equal(stats_proportion(11, 10, false, 1, 0.95, &v, &e), ST_INVALID);
    assert_int_equal(stats_proportion(-1, 10, false, 1, 0.95, &v, &e), ST_INVALID);
    assert_int_equal(stats_rate(1, 0, RATE_PHE, 1, 0.95, &v, &e), ST_INVALID);
    assert_int_equal(stats_confidence(0.5, &c, &e), ST_INVALID);
    assert_int_equal(stats_confidence(50, &c, &e), ST_INVALID);
    assert_int_equal(stats_confidence(95, &c, &e), ST_OK);
    near(c, 0.95, 0);
    s.population = 0;
    assert_int_equal(stats_dsr(&s, 1, 1, 0.95, &d, &e), ST_INVALID);
    s = (struct stratum){20, 20, 100, (double)NAN};
    assert_int_equal(stats_dsr(&s, 1, 1, 0.95, &d, &e), ST_INVALID);
}

static void scaling_the_standard_changes_nothing(void **state)
{
    (void)state;
    struct err e = {0};
    struct stratum s[3] = {{12, 12, 900, 5000}, {7, 7, 800, 6000}, {30, 30, 700, 4000}};
    struct dsr one, ten;
    assert_int_equal(stats_dsr(s, 3, 1e5, 0.95, &one, &e), ST_OK);
    for (int i = 0; i < 3; i++)
        s[i].standard *= 10;
    assert_int_equal(stats_dsr(s, 3, 1e5, 0.95, &ten, &e), ST_OK);
    near(ten.rate.value, one.rate.value, 1e-14);
    near(ten.rate.upper, one.rate.upper, 1e-14);
    s[0].events = s[1].events = s[2].events = 3;
    assert_int_equal(stats_dsr(s, 3, 1e5, 0.95, &one, &e), ST_OK);
    assert_true(isnan(one.rate.value) && one.rate.reason == reason_few_events);
}

static void equal_areas_have_no_slope(void **state)
{
    (void)state;
    struct err e = {0};
    struct sii_group g[5];
    struct sii out;
    for (int i = 0; i < 5; i++)
        g[i] = (struct sii_group){100 + i, 70, 1, (double)NAN, (double)NAN};
    assert_int_equal(stats_sii(g, 5, SII_NORMAL, false, 1, 0.95, &out, &e), ST_OK);
    near(out.sii.value, 0, 1e-12);
    near(out.rii.value, 1, 1e-12);
    near(out.sii.lower, -out.sii.upper, 1e-10);
    assert_int_equal(stats_sii(g, 4, SII_NORMAL, false, 1, 0.95, &out, &e), ST_INVALID);
    assert_int_equal(stats_sii(g, 5, SII_NORMAL, true, 1, 0.95, &out, &e), ST_INVALID);
    g[2].population = 0;
    assert_int_equal(stats_sii(g, 5, SII_NORMAL, false, 1, 0.95, &out, &e), ST_INVALID);
}

static void a_constant_hazard_gives_its_inverse(void **state)
{
    (void)state;
    struct err e = {0};
    struct life_band b[200];
    struct life_row r[200];
    for (int i = 0; i < 200; i++) /* one-year bands, the hazard is 1 / 80 */
        b[i] = (struct life_band){i, 80000, 1000};
    assert_int_equal(stats_life(b, 200, 0.95, r, &e), ST_OK);
    near(r[1].expectancy.value, 80, 1e-4);
    assert_true(r[1].expectancy.lower < 80 && r[1].expectancy.upper > 80);
    b[199].deaths = 0;
    assert_int_equal(stats_life(b, 200, 0.95, r, &e), ST_OK);
    assert_ptr_equal(r[0].expectancy.reason, reason_no_deaths);
    b[3].start = 2;
    assert_int_equal(stats_life(b, 200, 0.95, r, &e), ST_INVALID);
}

static void quantile_types_agree_on_the_median_of_an_odd_sample(void **state)
{
    (void)state;
    double v[5] = {1, 2, 3, 5, 8};
    for (int type = 1; type <= 9; type++)
        near(quantile_of(v, 5, 0.5, type), type == 4 ? 2.5 : 3, type == 3 ? 1 : 0);
    double even[4] = {1, 2, 3, 4};
    near(quantile_of(even, 4, 0.25, 7), 1.75, 0);
    near(quantile_of(even, 4, 1, 6), 4, 0);
    assert_true(isnan(quantile_of(even, 0, 0.5, 7)));
    assert_true(isnan(quantile_interval(even, 4, 0.5, 0.95).lower));
}

static void too_few_areas_have_no_quantiles(void **state)
{
    (void)state;
    double v[3] = {1, 2, (double)NAN};
    int q[3];
    const char *reason;
    quantile_groups(v, 3, 5, false, q, &reason);
    assert_ptr_equal(reason, reason_too_few_areas);
    quantile_groups(v, 3, 2, true, q, &reason);
    assert_true(!reason && q[0] == 2 && q[1] == 1 && q[2] == 0);
}

static void an_xmr_chart_names_the_strongest_rule(void **state)
{
    (void)state;
    struct err e = {0};
    double y[12] = {1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 30, 1};
    struct xmr_point p[12];
    assert_int_equal(stats_xmr(y, 12, NULL, 10, true, p, &e), ST_OK);
    assert_string_equal(xmr_cause_text(p[10].cause), "Above UCL");
    assert_string_equal(xmr_point_type(p[10].cause, p[10].side, XMR_DECREASE), "special_cause_concern");
    near(p[0].mean, 1.5, 0);
    near(p[0].upper, 1.5 + 2.66, 1e-15);
    assert_int_equal(stats_xmr(y, 1, NULL, 0, true, p, &e), ST_INVALID);
}

static void funnels_open_towards_small_units(void **state)
{
    (void)state;
    struct interval few = funnel_proportion(0.3, 20, 0.025), many = funnel_proportion(0.3, 2000, 0.025);
    assert_true(few.lower < many.lower && few.upper > many.upper);
    assert_int_equal(funnel_place_ratio(40, 20), FUNNEL_HIGH_3S);
    assert_int_equal(funnel_place_ratio(20, 20), FUNNEL_INSIDE);
    double axis[5];
    funnel_axis(1, 1000, axis, 5);
    near(axis[4], 1000, 0);
}

static void the_gini_of_equals_is_zero(void **state)
{
    (void)state;
    struct err e = {0};
    struct estimate out;
    double equal[4] = {3, 3, 3, 3}, one[4] = {0, 0, 0, 8}, wrong[3] = {-1, 2, 3};
    assert_int_equal(inequality(equal, 4, GINI, 0, 0.95, &out, &e), ST_OK);
    near(out.value, 0, 1e-15);
    assert_int_equal(inequality(one, 4, GINI_CORRECTED, 0, 0.95, &out, &e), ST_OK);
    near(out.value, 1, 1e-15);
    assert_int_equal(inequality(one, 4, THEIL_L, 0, 0.95, &out, &e), ST_OK);
    assert_ptr_equal(out.reason, reason_not_positive);
    assert_int_equal(inequality(wrong, 3, GINI, 0, 0.95, &out, &e), ST_INVALID);
}

static void a_perfect_score_has_area_one(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct err e = {0};
    struct auc out;
    double y[6] = {0, 1, 0, 1, 0, 1}, p[6] = {0.1, 0.8, 0.2, 0.9, 0.3, 0.7}, flat[6] = {1, 1, 1, 1, 1, 1};
    assert_int_equal(auc_fit(p, y, 6, a, &out, &e), ST_OK);
    near(out.value, 1, 0);
    assert_int_equal(auc_fit(flat, y, 6, a, &out, &e), ST_OK);
    near(out.value, 0.5, 0);
    assert_int_equal(auc_fit(p, flat, 6, a, &out, &e), ST_INVALID);
    arena_free(a);
}

/* With one study left out of account the pooled estimate of equal studies is theirs, and tau2 is 0. */
static void equal_studies_have_no_heterogeneity(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct err e = {0};
    struct meta out;
    double y[4] = {0.4, 0.4, 0.4, 0.4}, v[4] = {0.1, 0.2, 0.3, 0.4};
    for (int method = META_FE; method <= META_PM; method++) {
        if (method == META_SJ) /* it starts from the variance of the estimates, 0 here */
            continue;
        assert_int_equal(meta_fit(y, v, 4, NULL, 0, (enum meta_method)method, 0, a, &out, &e), ST_OK);
        near(out.beta[0], 0.4, 1e-14);
        near(out.tau2, 0, 1e-14);
    }
    v[1] = 0;
    assert_int_equal(meta_fit(y, v, 4, NULL, 0, META_REML, 0, a, &out, &e), ST_INVALID);
    arena_free(a);
}

static void moments_of_parts_join(void **state)
{
    (void)state;
    double v[7] = {1e6, 1e6 + 1, 1e6 + 4, 1e6 - 3, 1e6 + 2, 1e6, 1e6 + 9};
    struct moments whole = moments_of(v, 7), joined = moments_join(moments_of(v, 3), moments_of(v + 3, 4));
    near(joined.mean, whole.mean, 1e-15);
    near(joined.m2, whole.m2, 1e-11);
    near(joined.m3, whole.m3, 1e-10);
    near(joined.m4, whole.m4, 1e-10);
}

/* Coefficients and errors of R (matrix algebra; 20 points, the change before the 12th). */
static void a_segmented_regression_is_that_of_r(void **state)
{
    (void)state;
    static const double y[] = {20, 22, 19, 24, 23, 21, 26, 25, 27, 24,
                               28, 33, 31, 36, 34, 35, 40, 37, 41, 39},
                        beta[] = {20.045454545454561, 0.69999999999999829, 4.3434343434343487,
                                  0.33333333333333498},
                        se[2][5] = {{0.91270202213928031, 0.15186110641758852, 1.51875177875839062,
                                     0.26625463029337582, 0.21870009718856576},
                                    {0.363817494958362297, 0.076742038262436765, 0.889962217426170432,
                                     0.128247388537908791, 0.119663761709565553}};
    struct segmented fit;
    struct err e;
    for (size_t lag = 0; lag <= 2; lag += 2) {
        assert_int_equal(segmented_fit(y, 20, 11, lag, 0.95, &fit, &e), ST_OK);
        for (int i = 0; i < SEGMENT_TERMS; i++) {
            near(fit.terms[i].value, beta[i], 1e-12);
            near(fit.se[i], se[lag / 2][i], 1e-12);
            near(fit.terms[i].upper, beta[i] + 2.1199052992212541 * se[lag / 2][i], 1e-12);
        }
        near(fit.trend_after.value, beta[1] + beta[3], 1e-12);
        near(fit.se_trend_after, se[lag / 2][4], 1e-12);
    }
    assert_int_equal(segmented_lag(20), 2);
    assert_int_equal(segmented_fit(y, 20, 7, 2, 0.95, &fit, &e), ST_INVALID);
    assert_int_equal(segmented_fit(y, 20, 13, 2, 0.95, &fit, &e), ST_INVALID);
    assert_int_equal(segmented_fit(y, 20, 11, 20, 0.95, &fit, &e), ST_INVALID);
    double gap[20];
    memcpy(gap, y, sizeof y);
    gap[4] = (double)NAN;
    assert_int_equal(segmented_fit(gap, 20, 11, 2, 0.95, &fit, &e), ST_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_of_proportions_and_rates),
        cmocka_unit_test(the_poisson_test_adds_what_is_no_more_probable),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(scaling_the_standard_changes_nothing),
        cmocka_unit_test(equal_areas_have_no_slope),
        cmocka_unit_test(a_constant_hazard_gives_its_inverse),
        cmocka_unit_test(quantile_types_agree_on_the_median_of_an_odd_sample),
        cmocka_unit_test(too_few_areas_have_no_quantiles),
        cmocka_unit_test(an_xmr_chart_names_the_strongest_rule),
        cmocka_unit_test(funnels_open_towards_small_units),
        cmocka_unit_test(the_gini_of_equals_is_zero),
        cmocka_unit_test(a_perfect_score_has_area_one),
        cmocka_unit_test(equal_studies_have_no_heterogeneity),
        cmocka_unit_test(moments_of_parts_join),
        cmocka_unit_test(a_segmented_regression_is_that_of_r),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
