/* SPDX-License-Identifier: Apache-2.0
 *
 * Special functions against numbers known to 16 digits, against naive sums, and against each other.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "stats/linalg.h"
#include "stats/special.h"
#include "stats/sum.h"

static void near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance * fabs(want)))
        fail_msg("%.17g, expected %.17g", got, want);
}

static void known_values(void **state)
{
    (void)state;
    near(normal_quantile(0.975), 1.959963984540054, 1e-15);
    near(normal_quantile(1e-300), -37.047096299361201, 1e-15);
    near(digamma(1), -0.57721566490153286, 1e-14);
    near(digamma(0.5), -1.9635100260214235, 1e-14);
    near(trigamma(1), M_PI * M_PI / 6, 1e-14);
    near(trigamma(0.5), M_PI * M_PI / 2, 1e-14);
    near(chi2_quantile(0.95, 1), 3.841458820694124, 1e-14);
    near(chi2_quantile(0.5, 2), 2 * M_LN2, 1e-14);
    near(t_quantile(0.975, 1), 12.706204736174698, 1e-13);
    near(t_quantile(0.975, 2), 4.302652729749464, 1e-13);
    near(f_upper(4, 1, 1), 2 / M_PI * atan(0.5), 1e-13);
}

/* P(Poisson(x) <= a - 1) term by term. */
static void gamma_is_a_poisson_sum(void **state)
{
    (void)state;
    static const double means[] = {0.1, 1, 3.7, 20, 140};
    for (size_t m = 0; m < 5; m++)
        for (int a = 1; a < 300; a += 7) {
            struct csum s = {0};
            double term = exp(-means[m]);
            for (int k = 0; k < a; k++, term *= means[m] / k)
                csum_add(&s, term);
            near(gamma_upper(a, means[m]), csum_value(&s), 1e-12);
        }
}

static void beta_is_a_binomial_sum(void **state)
{
    (void)state;
    for (int n = 1; n < 60; n += 9)
        for (int k = 0; k < n; k++) {
            struct csum s = {0};
            double p = 0.37, term = pow(1 - p, n);
            for (int i = 0; i <= k; i++, term *= (double)(n - i + 1) / i * p / (1 - p))
                csum_add(&s, term);
            near(beta_lower(1 - p, p, n - k, k + 1), csum_value(&s), 1e-12);
        }
}

/* Quantile then distribution gives the probability back, far into both tails and up to shapes of 1e9. */
static void quantiles_invert(void **state)
{
    (void)state;
    static const double shape[] = {1e-3, 0.5, 1, 2.5, 50, 1e4, 1e9}, p[] = {1e-200, 1e-12, 0.001, 0.3, 0.5};
    for (size_t i = 0; i < 7; i++)
        for (size_t j = 0; j < 5; j++) {
            double low = gamma_quantile(shape[i], p[j]), high = gamma_quantile_upper(shape[i], p[j]);
            if (low > 1e-290)
                near(gamma_lower(shape[i], low), p[j], shape[i] > 1e6 ? 1e-7 : 1e-10);
            near(gamma_upper(shape[i], high), p[j], shape[i] > 1e6 ? 1e-7 : 1e-10);
        }
    for (double df = 0.5; df < 1e5; df *= 3.1)
        for (size_t j = 1; j < 4; j++)
            near(t_upper(-t_quantile(p[j], df), df), p[j], 1e-11);
    for (double a = 0.5; a < 1e4; a *= 5)
        for (double b = 0.5; b < 1e4; b *= 5)
            for (size_t j = 1; j < 4; j++) {
                double x = beta_quantile(p[j], a, b);
                near(beta_lower(x, 1 - x, a, b), p[j], 1e-8);
            }
}

static void tails_add_up_to_one(void **state)
{
    (void)state;
    for (double x = 0.01; x < 100; x *= 1.7) {
        near(gamma_lower(3.3, x) + gamma_upper(3.3, x), 1, 1e-14);
        near(normal_cdf(x) + normal_upper(x), 1, 1e-14);
        near(t_upper(x, 4) + t_upper(-x, 4), 1, 1e-14);
    }
}

static void outside_the_domain_is_nan(void **state)
{
    (void)state;
    assert_true(isnan(digamma(0)) && isnan(gamma_lower(-1, 1)) && isnan(gamma_quantile(1, 1.5)));
    assert_true(isnan(beta_lower(2, -1, 1, 1)) && isnan(normal_quantile(-0.1)) && isnan(t_quantile(0.5, -1)));
}

static void ldl_solves_and_finds_aliases(void **state)
{
    (void)state;
    double a[9] = {4, 2, 6, 2, 5, 7, 6, 7, 13}, b[3] = {1, 2, 3}, l[9], inverse[9], x[3];
    bool aliased[3];
    for (int i = 0; i < 9; i++)
        l[i] = a[i];
    /* the third row is the sum of the first two */
    assert_int_equal(ldl_factor(l, 3, 1e-12, aliased), 2);
    assert_true(!aliased[0] && !aliased[1] && aliased[2]);
    for (int i = 0; i < 3; i++)
        x[i] = b[i];
    ldl_solve(l, 3, aliased, x);
    near(4 * x[0] + 2 * x[1], 1, 1e-14);
    near(2 * x[0] + 5 * x[1], 2, 1e-14);
    ldl_inverse(l, 3, aliased, inverse);
    near(inverse[0], 5.0 / 16, 1e-14);
    near(ldl_log_det(l, 3, aliased), log(16), 1e-14);
}

static void compensated_sums_keep_small_terms(void **state)
{
    (void)state;
    struct csum s = {0};
    csum_add(&s, 1e16);
    for (int i = 0; i < 1000; i++)
        csum_add(&s, 0.5);
    csum_add(&s, -1e16);
    near(csum_value(&s), 500, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(gamma_is_a_poisson_sum),
        cmocka_unit_test(beta_is_a_binomial_sum),
        cmocka_unit_test(quantiles_invert),
        cmocka_unit_test(tails_add_up_to_one),
        cmocka_unit_test(outside_the_domain_is_nan),
        cmocka_unit_test(ldl_solves_and_finds_aliases),
        cmocka_unit_test(compensated_sums_keep_small_terms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
