/* SPDX-License-Identifier: Apache-2.0
 * Blocks give back what was put in, whatever its width, and take no more room than promised. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/table.h"
#include "store/block.h"
#include "store/idmap.h"

static unsigned seed = 11;

static uint64_t random_bits(unsigned bits)
{
    uint64_t v = (uint64_t)rand_r(&seed) << 42 ^ (uint64_t)rand_r(&seed) << 21 ^ (uint64_t)rand_r(&seed);
    return bits == 64 ? v : v & (((uint64_t)1 << bits) - 1);
}

static void check(const int64_t *values)
{
    uint8_t bytes[BLOCK_MOST_BYTES];
    int64_t wide[BLOCK_ROWS], one;
    int32_t narrow[BLOCK_ROWS];
    size_t n = block_encode(values, 42, bytes);
    assert_int_equal(n, block_cost(values));
    assert_int_equal(n % 8, 0);
    assert_int_equal(block_user(bytes), 42);
    assert_true(block_decode_i64(bytes, n, wide));
    assert_memory_equal(wide, values, sizeof wide);
    bool fits = block_decode_i32(bytes, n, narrow);
    for (unsigned i = 0; i < BLOCK_ROWS; i++) {
        assert_true(block_value(bytes, n, i, &one));
        assert_int_equal(one, values[i]);
        if (fits && (values[i] == NONE_I64 || (values[i] > INT32_MIN && values[i] <= INT32_MAX)))
            assert_int_equal(narrow[i], values[i] == NONE_I64 ? NONE_I32 : values[i]);
    }
    for (size_t cut = 0; cut < n; cut += 8)
        assert_false(block_decode_i64(bytes, cut, wide));
}

/* What a block's packing promises, its values keep; and it does promise where width and base leave no doubt.
 */
static void check_bounds(const int64_t *values, int32_t least, int32_t most)
{
    uint8_t bytes[BLOCK_MOST_BYTES];
    int32_t narrow[BLOCK_ROWS];
    size_t n = block_encode(values, 0, bytes);
    if (block_decode_i32(bytes, n, narrow) && block_surely_within(bytes, least, most))
        assert_true(block_within(narrow, least, most));
}

static void bounds_that_a_block_promises_hold(void **state)
{
    (void)state;
    int64_t values[BLOCK_ROWS];
    uint8_t bytes[BLOCK_MOST_BYTES];
    for (int round = 0; round < 2000; round++) {
        unsigned width = (unsigned)random_bits(5);
        int64_t base = (int64_t)random_bits(20) - (1 << 19);
        for (unsigned i = 0; i < BLOCK_ROWS; i++)
            values[i] = base + (int64_t)random_bits(i % 100 == 7 ? width + 3 : width);
        if (round % 5 == 0)
            values[random_bits(9)] = NONE_I64;
        check_bounds(values, (int32_t)base + (int32_t)random_bits(4) - 8,
                     (int32_t)(base + ((int64_t)1 << width) - 1 + (int64_t)random_bits(4) - 8));
    }
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        values[i] = 100 + i;
    block_encode(values, 0, bytes);
    assert_true(block_surely_within(bytes, 100, 611));
    assert_false(block_surely_within(bytes, 101, 611));
    assert_false(block_surely_within(bytes, 100, 610));
    values[7] = 100000; /* an exception */
    block_encode(values, 0, bytes);
    assert_true(block_surely_within(bytes, 100, 100000));
    assert_false(block_surely_within(bytes, 100, 99999));
}

static void every_width_comes_back(void **state)
{
    (void)state;
    int64_t values[BLOCK_ROWS];
    for (unsigned width = 0; width <= 64; width++)
        for (int variant = 0; variant < 4; variant++) {
            int64_t base = variant & 1 ? -(int64_t)random_bits(40) : (int64_t)random_bits(20);
            for (unsigned i = 0; i < BLOCK_ROWS; i++) {
                values[i] =
                    width == 64 ? (int64_t)random_bits(64) : (int64_t)((uint64_t)base + random_bits(width));
                if (variant & 2 && i % 9 == 0)
                    values[i] = NONE_I64;
            }
            check(values);
        }
}

static void few_large_values_do_not_widen_the_others(void **state)
{
    (void)state;
    int64_t values[BLOCK_ROWS];
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        values[i] = (int64_t)random_bits(3);
    values[7] = 1 << 30;
    values[500] = (int64_t)1 << 60;
    check(values);
    assert_true(block_cost(values) <= 8 + 64 * 3 + 8 + 16);
}

static void equal_and_missing_values_take_a_header_only(void **state)
{
    (void)state;
    int64_t values[BLOCK_ROWS];
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        values[i] = 38000177;
    check(values);
    assert_int_equal(block_cost(values), 8);
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        values[i] = NONE_I64;
    check(values);
    assert_int_equal(block_cost(values), 8);
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        values[i] = i % 2 ? INT64_MAX : INT64_MIN + 1;
    values[3] = NONE_I64;
    check(values);
}

static void ids_of_any_kind_are_found(void **state)
{
    (void)state;
    int64_t ids[1000];
    for (int kind = 0; kind < 2; kind++) {
        struct idmap m;
        for (int i = 0; i < 1000; i++)
            ids[i] = kind ? (int64_t)((uint64_t)i * 0x9e3779b97f4a7c15U) : 100 - i * 3;
        ids[999] = ids[5];
        idmap_init(&m, ids, 1000);
        for (uint32_t i = 0; i < 999; i++)
            assert_int_equal(idmap_find(&m, ids[i]), i);
        assert_int_equal(idmap_find(&m, 101), IDMAP_NONE);
        assert_int_equal(idmap_find(&m, INT64_MIN), IDMAP_NONE);
        idmap_deinit(&m);
        assert_int_equal(idmap_find(&m, 0), IDMAP_NONE);
    }
}

static void differences_sum_to_values(void **state)
{
    (void)state;
    int32_t v[BLOCK_ROWS];
    uint32_t expected[BLOCK_ROWS], sum = 0xfffffff0u, most = 0;
    for (unsigned i = 0; i < BLOCK_ROWS; i++) {
        v[i] = i == 300 ? -40000 : (int32_t)(i * 7919 % 1000); /* wraps round, and goes back once */
        sum += (uint32_t)v[i];
        expected[i] = sum;
        most = sum > most ? sum : most;
    }
    assert_int_equal(block_sum(v, 0xfffffff0u), most);
    assert_memory_equal(v, expected, sizeof v);
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        v[i] = 3;
    assert_int_equal(block_sum(v, 10), 10 + 3 * BLOCK_ROWS);
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        v[i] = 1 << 22; /* 2^31 in all: the largest is the last, and is not where they run over */
    assert_int_equal(block_sum(v, 0), 1U << 31);
    v[0] = INT32_MAX;
    for (unsigned i = 1; i < BLOCK_ROWS; i++)
        v[i] = 1 << 23;
    assert_int_equal(block_sum(v, 0), UINT32_MAX);
}

static void bounds_hold_for_all_but_missing_values(void **state)
{
    (void)state;
    int32_t v[BLOCK_ROWS];
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        v[i] = i % 3 ? (int32_t)i : NONE_I32;
    assert_true(block_within(v, 1, 511));
    assert_true(block_within(v, INT32_MIN + 1, INT32_MAX));
    assert_false(block_within(v, 2, 511));
    assert_false(block_within(v, 1, 510));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_width_comes_back),
        cmocka_unit_test(bounds_that_a_block_promises_hold),
        cmocka_unit_test(few_large_values_do_not_widen_the_others),
        cmocka_unit_test(equal_and_missing_values_take_a_header_only),
        cmocka_unit_test(differences_sum_to_values),
        cmocka_unit_test(bounds_hold_for_all_but_missing_values),
        cmocka_unit_test(ids_of_any_kind_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
