/* SPDX-License-Identifier: Apache-2.0
 * The vector kernels give what the plain ones give, and those what the words mean: dense and sparse sets,
 * numbers near each other and far apart, before the set and behind it, every length and every place in
 * memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/bits.h"

enum { MOST = 700 };
static unsigned seed = 5;

static uint32_t up_to(uint32_t n)
{
    return n ? (uint32_t)(((uint64_t)rand_r(&seed) << 20 ^ (uint64_t)rand_r(&seed)) % n) : 0;
}

/* A set whose last word is its last: what reads behind it, the sanitizer sees. */
static struct bits random_set(uint32_t first, uint32_t n, uint32_t percent)
{
    uint64_t *words = calloc((size_t)n / 64 + 1, sizeof *words);
    for (uint32_t i = 0; i < n; i++)
        if (up_to(100) < percent)
            words[i / 64] |= (uint64_t)1 << i % 64;
    return (struct bits){first, n, words};
}

static int is_in(struct bits set, uint32_t v)
{
    return v >= set.first && v - set.first < set.n &&
           (set.words[(v - set.first) / 64] >> (v - set.first) % 64 & 1);
}

/* Ascending, in steps of less than `step`, some twice; they may begin before the set and end behind it. */
static void ascending(uint32_t *v, size_t n, struct bits set, uint32_t step)
{
    uint32_t at = set.first + up_to(set.n);
    if (up_to(4) == 0)
        at = set.first > 100 ? set.first - up_to(100) : 0;
    for (size_t i = 0; i < n; i++) {
        v[i] = at;
        at += up_to(3) ? up_to(step) : 0;
    }
}

static void check_find(struct bits set, const uint32_t *v, size_t n)
{
    uint16_t fast[MOST + BITS_SLACK], plain[MOST + BITS_SLACK];
    size_t found = bits_find(set, v, n, fast), k = 0;
    assert_int_equal(found, bits_find_plain(set, v, n, plain));
    for (size_t i = 0; i < n; i++)
        if (is_in(set, v[i])) {
            assert_true(k < found);
            assert_int_equal(fast[k], i);
            assert_int_equal(plain[k++], i);
        }
    assert_int_equal(found, k);
}

static void check_distinct(struct bits set, const uint32_t *v, size_t n)
{
    uint32_t before = n && up_to(2) ? v[0] : UINT32_MAX;
    size_t distinct = 0;
    for (size_t i = 0; i < n; i++)
        distinct += is_in(set, v[i]) && v[i] != (i ? v[i - 1] : before);
    assert_int_equal(bits_count_distinct(set, v, n, before), distinct);
    assert_int_equal(bits_count_distinct_plain(set, v, n, before), distinct);
}

static void members_are_found(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 31, 32, 33, 64, 511, 512, 513, 5000, 100000},
                          steps[] = {2, 5, 40, 3000};
    uint32_t *room = malloc((MOST + 16) * sizeof *room);
    for (int round = 0; round < 3000; round++) {
        struct bits set = random_set(up_to(3) * 64000, sizes[up_to(10)], up_to(101));
        size_t n = up_to(4) ? up_to(80) : up_to(MOST);
        uint32_t *v = room + MOST + 16 - n; /* ends where the memory ends */
        if (up_to(8))
            ascending(v, n, set, steps[up_to(4)]);
        else
            for (size_t i = 0; i < n; i++)
                v[i] = set.first + up_to(set.n + 200) - 100;
        check_find(set, v, n);
        check_distinct(set, v, n);
        free((void *)(uintptr_t)set.words);
    }
    free(room);
}

static void bits_are_added(void **state)
{
    (void)state;
    for (int round = 0; round < 500; round++) {
        struct bits from = random_set(up_to(2) * 640, 1 + up_to(2000), up_to(101));
        uint64_t *words = calloc((size_t)from.n / 64 + 1, sizeof *words);
        uint32_t *v = calloc(from.n, sizeof *v);
        uint8_t *mask = calloc(from.n, 1);
        for (uint32_t i = 0; i < from.n; i++) {
            v[i] = from.first + i;
            mask[i] = (uint8_t)is_in(from, v[i]);
        }
        bits_add(words, from.first, v, mask, from.n);
        assert_memory_equal(words, from.words, ((size_t)from.n / 64 + 1) * sizeof *words);
        free(mask);
        free(v);
        free(words);
        free((void *)(uintptr_t)from.words);
    }
}

typedef size_t keep(void *to, const void *from, const uint8_t *mask, size_t n);

/* Elements of `size` bytes: apart, in place, and to a place before. */
static void check_keeping(keep *fast, keep *plain_keep, size_t size)
{
    size_t n = up_to(4) ? up_to(70) : up_to(MOST), gap = up_to(3) ? 0 : up_to(40), kept = 0;
    uint8_t *from = malloc((n + gap) * size + 1), *apart = malloc(n * size + 1);
    uint8_t *plain = malloc(n * size + 1), *wanted = malloc(n * size + 1);
    uint8_t *mask = malloc(n + 1);
    uint32_t percent = up_to(3) ? up_to(101) : up_to(2) * 100;
    for (size_t i = 0; i < (n + gap) * size; i++)
        from[i] = (uint8_t)up_to(256);
    for (size_t i = 0; i < n; i++) {
        mask[i] = up_to(100) < percent;
        if (mask[i])
            memcpy(wanted + kept++ * size, from + (gap + i) * size, size);
    }
    assert_int_equal(fast(apart, from + gap * size, mask, n), kept);
    assert_int_equal(plain_keep(plain, from + gap * size, mask, n), kept);
    assert_int_equal(fast(from, from + gap * size, mask, n), kept);
    assert_memory_equal(apart, wanted, kept * size);
    assert_memory_equal(plain, wanted, kept * size);
    assert_memory_equal(from, wanted, kept * size);
    free(mask);
    free(wanted);
    free(plain);
    free(apart);
    free(from);
}

static void masked_elements_are_kept(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        check_keeping(bits_keep32, bits_keep32_plain, 4);
        check_keeping(bits_keep64, bits_keep64_plain, 8);
    }
}

static void elements_are_listed_with_their_numbers(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        size_t n = up_to(4) ? up_to(70) : up_to(MOST), kept = 0, all = 0;
        uint32_t first = up_to(3) * 64000, percent = up_to(3) ? up_to(101) : up_to(2) * 100;
        uint32_t *from = malloc((n + 1) * sizeof *from);
        uint8_t *mask = malloc(n + 1);
        for (size_t i = 0; i < n; i++) {
            from[i] = up_to(UINT32_MAX);
            mask[i] = up_to(100) < percent;
            all += mask[i];
        }
        size_t room = (all + BITS_SLACK) * sizeof(uint32_t);
        uint32_t *number = malloc(room), *fast = malloc(room), *plain_number = malloc(room),
                 *plain = malloc(room);
        assert_int_equal(bits_list32(number, fast, first, from, mask, n), all);
        assert_int_equal(bits_list32_plain(plain_number, plain, first, from, mask, n), all);
        for (size_t i = 0; i < n; i++)
            if (mask[i]) {
                assert_int_equal(number[kept], first + i);
                assert_int_equal(fast[kept++], from[i]);
            }
        assert_memory_equal(number, plain_number, all * sizeof *number);
        assert_memory_equal(fast, plain, all * sizeof *fast);
        free(plain);
        free(plain_number);
        free(fast);
        free(number);
        free(mask);
        free(from);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(members_are_found), cmocka_unit_test(bits_are_added),
                                       cmocka_unit_test(masked_elements_are_kept),
                                       cmocka_unit_test(elements_are_listed_with_their_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
