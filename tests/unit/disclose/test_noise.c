/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "disclose/privacy.h"
#include "disclose/noise.h"
#include "stats/special.h"
#include "synth/rng.h"

/* Seeded, so that the test says the same every time. */
static void seeded_bytes(void *context, void *out, size_t n)
{
    struct rng *random = context;
    for (size_t at = 0; at < n; at += sizeof(uint64_t)) {
        uint64_t z = rng_next(random);
        memcpy((char *)out + at, &z, n - at < sizeof z ? n - at : sizeof z);
    }
}

enum { REACH = 400, DRAWS_DEFAULT = 1000000 };

/* Pearson's statistic of draws against P(x) ~ exp(-weight(x)), cells of at least 25 expected draws. */
static double chi_square(const int64_t *seen, double n, double (*weight)(double x, double parameter),
                         double parameter)
{
    double p[2 * REACH + 1], sum = 0, statistic = 0, expected = 0, observed = 0;
    int cells = 0;
    for (int i = 0; i <= 2 * REACH; i++)
        sum += p[i] = exp(-weight(i - REACH, parameter));
    for (int i = 0; i <= 2 * REACH; i++) {
        expected += n * p[i] / sum;
        observed += (double)seen[i];
        if (expected < 25)
            continue;
        statistic += (observed - expected) * (observed - expected) / expected;
        cells++;
        expected = observed = 0;
    }
    return gamma_upper((cells - 1) / 2.0, statistic / 2);
}

static double laplace_weight(double x, double scale)
{
    return fabs(x) / scale;
}

static double gaussian_weight(double x, double variance)
{
    return x * x / (2 * variance);
}

static int n_draws(void)
{
    const char *text = getenv("ACCORD_DRAWS");
    return text ? atoi(text) : DRAWS_DEFAULT;
}

static void check(bool gaussian, uint64_t a, uint64_t b)
{
    struct rng random = {42};
    struct noise_source from = {seeded_bytes, &random};
    int64_t seen[2 * REACH + 1] = {0};
    int draws = n_draws();
    for (int i = 0; i < draws; i++) {
        int64_t x = gaussian ? noise_gaussian(&from, a, b) : noise_laplace(&from, a, b);
        assert_in_range(x + REACH, 0, 2 * REACH);
        seen[x + REACH]++;
    }
    double p = gaussian ? chi_square(seen, draws, gaussian_weight, (double)a / (double)b)
                        : chi_square(seen, draws, laplace_weight, (double)b / (double)a);
    print_message("%s %d/%d: p = %.3f\n", gaussian ? "gaussian" : "laplace", (int)a, (int)b, p);
    assert_true(p >= 1e-4 && p <= 1 - 1e-9);
}

static void draws_follow_the_law(void **state)
{
    (void)state;
    check(false, 1, 3);
    check(false, 5, 2);
    check(true, 16, 1);
    check(true, 5, 2);
}

static void conversion_is_the_tight_one(void **state)
{
    (void)state;
    /* OpenDP's figure; the plain rho + 2 sqrt(rho ln 1/delta) would be 0.960. */
    assert_true(fabs(epsilon_of(1.0 / 32, 1e-3) - 0.688) < 5e-4);
    assert_true(rho_of_gaussian(16, 1) == 1.0 / 32);
    assert_true(rho_of_laplace(4, 2) == 0.125);
}

static void a_budget_is_never_overspent(void **state)
{
    (void)state;
    struct err e;
    struct privacy_book *b;
    struct js *list;
    char folder[] = "/tmp/accord-budget-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/budget.db", folder);
    assert_int_equal(privacy_open(path, &b, &e), ST_OK);
    assert_int_equal(privacy_charge(b, "hes", "heart", 0.1, "a", &e), ST_UNSAFE);
    assert_int_equal(privacy_allow(b, "hes", "heart", 0.5, NULL, &e), ST_DENIED);
    assert_int_equal(privacy_allow(b, "hes", "heart", 0.5, "Dr A Caldicott", &e), ST_OK);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(privacy_charge(b, "hes", "heart", 0.1, "a", &e), ST_OK);
        privacy_close(b); /* whatever was charged is there after any end of the program */
        assert_int_equal(privacy_open(path, &b, &e), ST_OK);
    }
    assert_int_equal(privacy_charge(b, "hes", "heart", 0.001, "a", &e), ST_UNSAFE);
    assert_int_equal(privacy_charge(b, "hes", "lungs", 0.1, "a", &e), ST_UNSAFE);
    assert_int_equal(privacy_charge(b, "hes", "heart", NAN, "a", &e), ST_INVALID);
    assert_int_equal(privacy_charge(b, "hes", "heart", -1, "a", &e), ST_INVALID);
    assert_int_equal(privacy_allow(b, "hes", "heart", 0.4, NULL, &e), ST_DENIED);
    assert_int_equal(privacy_list(b, &list, &e), ST_OK);
    assert_true(fabs(js_num(js_get(js_at(list, 0), "spent")) - 0.5) < 1e-9);
    js_free(list);
    privacy_close(b);
    assert_int_equal(dir_remove(folder, &e), ST_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_follow_the_law),
        cmocka_unit_test(conversion_is_the_tight_one),
        cmocka_unit_test(a_budget_is_never_overspent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
