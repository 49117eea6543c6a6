/* SPDX-License-Identifier: Apache-2.0
 * Fields to values, beside the plain parsers of base and on what real exports hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/date.h"
#include "source/value.h"

static void every_day_is_read_as_base_reads_it(void **state)
{
    (void)state;
    for (int32_t day = DATE_MIN; day <= DATE_MAX; day += 13) {
        char text[11];
        int32_t found;
        date_format(day, text);
        assert_true(value_date(slice_of(text), &found));
        assert_int_equal(found, day);
    }
}

static void any_ten_bytes_are_a_date_only_where_base_says_so(void **state)
{
    (void)state;
    static const char bytes[] = "0123456789-/: 9012";
    unsigned seed = 3;
    for (int i = 0; i < 300000; i++) {
        char text[11] = "2020-02-29";
        int32_t a = 0, b = 0;
        for (int k = rand_r(&seed) % 3; k >= 0; k--)
            text[rand_r(&seed) % 10] = bytes[(unsigned)rand_r(&seed) % (sizeof bytes - 1)];
        bool wanted = date_parse(slice_of(text), &a);
        assert_int_equal(value_date(slice_of(text), &b), wanted);
        if (wanted)
            assert_int_equal(a, b);
    }
}

/* With and without bytes behind the text that may be read. */
static bool read_i64(struct slice s, int64_t *out)
{
    char room[64] = {0};
    int64_t beside = 0;
    memcpy(room, s.p, s.n);
    memset(room + s.n, '7', 8);
    bool fine = value_i64(s, s.p + s.n, out);
    assert_int_equal(value_i64((struct slice){room, s.n}, room + sizeof room, &beside), fine);
    assert_true(!fine || beside == *out);
    return fine;
}

static void whole_numbers_are_read_as_base_reads_them(void **state)
{
    (void)state;
    static const char bytes[] = "01234567890123456789012345678901234567890123456789-+. x/:";
    unsigned seed = 11;
    for (int i = 0; i < 400000; i++) {
        char text[24];
        int64_t a = 0, b = 0;
        size_t n = 1 + (size_t)rand_r(&seed) % 20;
        bool odd = rand_r(&seed) % 4 == 0;
        for (size_t k = 0; k < n; k++)
            text[k] = bytes[(unsigned)rand_r(&seed) % (odd ? sizeof bytes - 1 : 10)];
        if (rand_r(&seed) % 4 == 0)
            text[0] = '-';
        struct slice s = {text, n};
        bool wanted = parse_i64(s, &a);
        bool whole = memchr(text, '.', n) != NULL; /* "7.0" is read here only */
        if (whole)
            continue;
        assert_int_equal(read_i64(s, &b), wanted);
        assert_true(!wanted || a == b);
    }
}

static void whole_numbers_may_have_zeros_behind_the_point(void **state)
{
    (void)state;
    int64_t v;
    int32_t narrow;
    assert_true(read_i64(SLICE("-9223372036854775807"), &v) && v == -INT64_MAX);
    assert_true(read_i64(SLICE("17.0"), &v) && v == 17);
    assert_true(read_i64(SLICE("-0"), &v) && v == 0);
    static const char *const wrong[] = {"",     "-",  "1.5", "x", "1 ", ".0", "9223372036854775808",
                                        "0x10", "1e3"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(read_i64(slice_of(wrong[i]), &v));
    struct slice most = SLICE("2147483647"), more = SLICE("2147483648");
    assert_false(value_i32(more, more.p + more.n, &narrow));
    assert_true(value_i32(most, most.p + most.n, &narrow));
}

static void decimals_round_as_strtod_rounds(void **state)
{
    (void)state;
    unsigned seed = 5;
    for (int i = 0; i < 300000; i++) {
        char text[40];
        double v;
        snprintf(text, sizeof text, "%s%u.%0*u", i % 2 ? "-" : "", (unsigned)rand_r(&seed) % 1000000,
                 1 + i % 9, (unsigned)rand_r(&seed));
        assert_true(value_double(slice_of(text), &v));
        assert_true(v == strtod(text, NULL));
    }
    double v;
    assert_true(value_double(SLICE("1e300"), &v) && v == 1e300);
    assert_false(value_double(SLICE("nan"), &v));
    assert_false(value_double(SLICE("1.2.3"), &v));
    assert_false(value_double(SLICE("."), &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_is_read_as_base_reads_it),
        cmocka_unit_test(any_ten_bytes_are_a_date_only_where_base_says_so),
        cmocka_unit_test(whole_numbers_are_read_as_base_reads_them),
        cmocka_unit_test(whole_numbers_may_have_zeros_behind_the_point),
        cmocka_unit_test(decimals_round_as_strtod_rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
