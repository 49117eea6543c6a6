/* SPDX-License-Identifier: Apache-2.0
 * What a site keeps between rounds: one block per analysis and range of persons, as long as there is room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "study/kept.h"

static void *block_of(int value)
{
    int *block = malloc(sizeof *block);
    *block = value;
    return block;
}

static void a_block_is_found_by_analysis_and_range(void **state)
{
    (void)state;
    int a, b;
    struct kept *k = kept_new(1000);
    assert_null(kept_get(k, &a, 0, 64));
    kept_put(k, &a, 0, 64, block_of(1), sizeof(int));
    kept_put(k, &a, 64, 128, block_of(2), sizeof(int));
    kept_put(k, &b, 0, 64, block_of(3), sizeof(int));
    kept_put(k, &b, 0, 64, block_of(4),
             sizeof(int)); /* the first one stays: who borrowed it may still look */
    assert_int_equal(*(const int *)kept_get(k, &a, 0, 64), 1);
    assert_int_equal(*(const int *)kept_get(k, &a, 64, 128), 2);
    assert_int_equal(*(const int *)kept_get(k, &b, 0, 64), 3);
    assert_null(kept_get(k, &a, 0, 128));
    kept_free(k);
}

static void what_has_no_room_is_not_kept(void **state)
{
    (void)state;
    int a, b;
    struct kept *k = kept_new(10);
    kept_put(k, &a, 0, 1, block_of(1), 8);
    kept_put(k, &a, 1, 2, block_of(2), 3);
    kept_put(k, &b, 0, 1, block_of(3), 2);
    assert_non_null(kept_get(k, &a, 0, 1));
    assert_null(kept_get(k, &a, 1, 2));
    assert_non_null(kept_get(k, &b, 0, 1));
    kept_free(k);
    kept_put(NULL, &a, 0, 1, block_of(1), 8);
    assert_null(kept_get(NULL, &a, 0, 1));
    kept_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_block_is_found_by_analysis_and_range),
                                       cmocka_unit_test(what_has_no_room_is_not_kept)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
