/* SPDX-License-Identifier: Apache-2.0
 * Draws are fixed by seed, site, person and purpose, and have the distributions they say. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "synth/rng.h"

enum { DRAWS = 400000 };

static struct rng stream(uint64_t person)
{
    return rng_stream(rng_key(1, 2), person, 3);
}

static void test_streams_differ_by_every_part(void **state)
{
    (void)state;
    struct rng same = rng_stream(rng_key(1, 2), 3, 4), again = rng_stream(rng_key(1, 2), 3, 4);
    assert_int_equal(rng_next(&same), rng_next(&again));
    struct rng others[] = {rng_stream(rng_key(2, 2), 3, 4), rng_stream(rng_key(1, 3), 3, 4),
                           rng_stream(rng_key(1, 2), 4, 4), rng_stream(rng_key(1, 2), 3, 5)};
    same = rng_stream(rng_key(1, 2), 3, 4);
    uint64_t first = rng_next(&same);
    for (int i = 0; i < 4; i++)
        assert_int_not_equal(rng_next(&others[i]), first);
}

/* The published first outputs of SplitMix64 for the state 1234567. */
static void test_splitmix_gives_the_published_numbers(void **state)
{
    (void)state;
    struct rng r = {1234567};
    assert_true(rng_next(&r) == 6457827717110365317u);
    assert_true(rng_next(&r) == 3203168211198807973u);
}

static void test_exponential_is_minus_ln(void **state)
{
    (void)state;
    struct rng r = stream(1), copy = r;
    double sum = 0;
    for (int i = 0; i < DRAWS; i++) {
        double u = (double)(rng_next(&copy) | 1) / 18446744073709551616.0;
        double drawn = (double)rng_exponential(&r) / (1 << 24);
        assert_true(fabs(drawn + log(u)) < 2e-6);
        sum += drawn;
    }
    assert_true(fabs(sum / DRAWS - 1) < 4 / sqrt(DRAWS));
}

static void test_waits_have_the_rate(void **state)
{
    (void)state;
    struct rng r = stream(2);
    double days = 0;
    for (int i = 0; i < DRAWS; i++)
        days += (double)rng_wait_days(&r, 50000);
    double per_year = DRAWS / (days / 365.25);
    assert_true(fabs(per_year / 0.05 - 1) < 4 / sqrt(DRAWS));
}

static void test_normal_has_mean_and_deviation(void **state)
{
    (void)state;
    struct rng r = stream(3);
    double sum = 0, squares = 0;
    for (int i = 0; i < DRAWS; i++) {
        double x = rng_normal(&r, 10000);
        sum += x;
        squares += x * x;
    }
    assert_true(fabs(sum / DRAWS) < 4 * 10000 / sqrt(DRAWS));
    assert_true(fabs(sqrt(squares / DRAWS) / 10000 - 1) < 0.005);
}

static void test_weights_and_chances_are_kept(void **state)
{
    (void)state;
    static const uint16_t weights[] = {1, 0, 700, 299};
    struct rng r = stream(4);
    int counts[4] = {0}, hits = 0;
    for (int i = 0; i < DRAWS; i++) {
        counts[rng_weighted(&r, weights, 4, 1000)]++;
        hits += rng_chance(&r, PER_10000(2500));
    }
    assert_int_equal(counts[1], 0);
    for (int i = 0; i < 4; i++)
        assert_true(fabs((double)counts[i] / DRAWS - weights[i] / 1000.0) < 4 * sqrt(0.25 / DRAWS));
    assert_true(fabs((double)hits / DRAWS - 0.25) < 4 * sqrt(0.1875 / DRAWS));
    for (int i = 0; i < 1000; i++) {
        assert_false(rng_chance(&r, 0));
        assert_true(rng_chance(&r, P_ONE));
        assert_true(rng_below(&r, 7) < 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams_differ_by_every_part),
        cmocka_unit_test(test_splitmix_gives_the_published_numbers),
        cmocka_unit_test(test_exponential_is_minus_ln),
        cmocka_unit_test(test_waits_have_the_rate),
        cmocka_unit_test(test_normal_has_mean_and_deviation),
        cmocka_unit_test(test_weights_and_chances_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
