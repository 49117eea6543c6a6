/* SPDX-License-Identifier: Apache-2.0
 * Text, numbers, encodings and dates beside naive oracles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/date.h"
#include "base/mem.h"
#include "base/text.h"

static void numbers_are_strict(void **state)
{
    (void)state;
    int64_t i;
    uint64_t u;
    double d;
    assert_true(parse_i64(SLICE("-9223372036854775808"), &i));
    assert_int_equal(i, INT64_MIN);
    assert_true(parse_i64(SLICE("9223372036854775807"), &i));
    assert_int_equal(i, INT64_MAX);
    assert_true(parse_u64(SLICE("18446744073709551615"), &u));
    static const char *const bad[] = {"", "-", " 1", "1 ", "+1", "0x1", "1.0", "9223372036854775808", "--1"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        assert_false(parse_i64(slice_of(bad[k]), &i));
    assert_true(parse_double(SLICE("-1.5e-3"), &d));
    assert_true(d == -0.0015);
    static const char *const bad_reals[] = {"", "nan", "inf", "0x1p3", "1,5", "1e", "e5", ".", "1e999"};
    for (size_t k = 0; k < sizeof bad_reals / sizeof *bad_reals; k++)
        assert_false(parse_double(slice_of(bad_reals[k]), &d));
}

static void every_day_of_ten_thousand_years_round_trips(void **state)
{
    (void)state;
    int32_t day = DATE_MIN;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (int y = 1; y <= 9999; y++)
        for (int m = 1; m <= 12; m++) {
            bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
            int length = lengths[m - 1] + (m == 2 && leap);
            for (int d = 1; d <= length; d++, day++) {
                int y2, m2, d2;
                date_parts(day, &y2, &m2, &d2);
                if (date_of(y, m, d) != day || y2 != y || m2 != m || d2 != d)
                    fail_msg("day %d is not %04d-%02d-%02d", day, y, m, d);
            }
            assert_false(date_valid(y, m, length + 1));
        }
    assert_int_equal(day - 1, DATE_MAX);
    assert_int_equal(date_weekday(date_of(2026, 11, 22)), 6);
}

static void dates_parse_as_written(void **state)
{
    (void)state;
    int32_t d;
    char text[11];
    assert_true(date_parse(SLICE("2024-02-29"), &d));
    date_format(d, text);
    assert_string_equal(text, "2024-02-29");
    static const char *const bad[] = {"2023-02-29",  "2024-13-01", "2024-1-01", "20240101",
                                      "2024-02-29 ", "0000-01-01", ""};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        assert_false(date_parse(slice_of(bad[k]), &d));
    static const char *const loose[] = {"20240229",
                                        "2024-02-29",
                                        "2024-02-29 00:00:00",
                                        "2024-02-29T10:11:12.123Z",
                                        "2024-02-29 10:11",
                                        "2024-02-29 10:11:12+01:00",
                                        "2024-02-29 10:11:12 +0100"};
    for (size_t k = 0; k < sizeof loose / sizeof *loose; k++) {
        assert_true(date_parse_loose(slice_of(loose[k]), &d));
        assert_int_equal(d, date_of(2024, 2, 29));
    }
    static const char *const bad_loose[] = {"2024-02-29 x", "2024-02-29T", "2024-02-29 1:00:00",
                                            "2024-02-30 10:00"};
    for (size_t k = 0; k < sizeof bad_loose / sizeof *bad_loose; k++)
        assert_false(date_parse_loose(slice_of(bad_loose[k]), &d));
}

static void times_round_trip(void **state)
{
    (void)state;
    static const int64_t times[] = {0, -1000, 951782400000, 1795371900000, -62135596800000};
    for (size_t k = 0; k < sizeof times / sizeof *times; k++) {
        char text[21];
        int64_t back;
        time_format(times[k], text);
        assert_true(time_parse(slice_of(text), &back));
        assert_int_equal(back, times[k]);
    }
}

static void base64_takes_back_what_it_gave_and_nothing_else(void **state)
{
    (void)state;
    uint8_t bytes[67], back[67];
    for (size_t n = 0; n < sizeof bytes; n++) {
        struct buf text;
        buf_init(&text, 200);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)(i * 37 + n);
        base64_encode(bytes, n, &text);
        assert_int_equal(base64_decode(buf_slice(&text), back, sizeof back), n);
        assert_memory_equal(bytes, back, n);
        buf_deinit(&text);
    }
    static const char *const bad[] = {
        "A", "AA==A===", "AB==", "AAB=", "A===", "AA=A", "AA A", "****", "AAAA===="};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        assert_int_equal(base64_decode(slice_of(bad[k]), back, sizeof back), -1);
}

static void the_nearest_name_is_offered_only_when_near(void **state)
{
    (void)state;
    static const char *const names[] = {"store", "study", "stats"};
    assert_string_equal(text_nearest("stroe", names, 3), "store");
    assert_null(text_nearest("ledger", names, 3));
    assert_int_equal(text_distance("kitten", "sitting"), 3);
    assert_int_equal(text_distance("ab", "ba"), 1);
}

static void a_buffer_never_grows_past_its_ceiling(void **state)
{
    (void)state;
    struct buf b;
    struct err e;
    buf_init(&b, 10);
    buf_adds(&b, "12345");
    assert_int_equal(buf_check(&b, "text", &e), ST_OK);
    buf_printf(&b, "%d", 123456);
    assert_int_equal(buf_check(&b, "text", &e), ST_NO_MEMORY);
    assert_int_equal(b.n, 5);
    buf_deinit(&b);
}

static void text_for_xml_and_csv_cannot_break_out(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    buf_xml(&b, "<a href=\"x\">'&\x01\t\xc3\xa9");
    assert_string_equal(b.p, "&lt;a href=&quot;x&quot;&gt;&#39;&amp;\t\xc3\xa9");
    buf_clear(&b);
    buf_csv(&b, "a,\"b\"\n");
    assert_string_equal(b.p, "\"a,\"\"b\"\"\n\"");
    buf_clear(&b);
    buf_csv(&b, "plain");
    assert_string_equal(b.p, "plain");
    buf_deinit(&b);
}

static void plain_text_has_no_controls_and_turns_no_direction(void **state)
{
    (void)state;
    static const char *const plain[] = {"", "COPD in Kent", "caf\xc3\xa9\r\n\tna\xc3\xafve",
                                        "\xf0\x9f\xab\x81 \xe2\x80\x8f\xd7\xa9\xd7\x9c"};
    static const char *const not_plain[] = {"a\x07",        "\x1b[31m",      "a\x7f",         "\xc2\x85",
                                            "\xe2\x80\xae", "x\xe2\x81\xa6", "\xef\xbb\xbfx", "\xef\xbf\xbf"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        assert_true(text_is_plain(plain[i]));
    for (size_t i = 0; i < sizeof not_plain / sizeof *not_plain; i++)
        assert_false(text_is_plain(not_plain[i]));
}

static void a_budget_refuses_what_goes_over_and_what_it_is_told_to(void **state)
{
    (void)state;
    struct budget b;
    struct err e;
    void *p, *q;
    budget_init(&b, 100);
    assert_int_equal(budget_take(&b, 60, "index", &p, &e), ST_OK);
    assert_int_equal(budget_take(&b, 60, "index", &q, &e), ST_NO_MEMORY);
    assert_null(q);
    budget_give(&b, p, 60);
    b.fail_after = 1;
    assert_int_equal(budget_take(&b, 60, "index", &p, &e), ST_OK);
    assert_int_equal(budget_take(&b, 1, "index", &q, &e), ST_NO_MEMORY);
    budget_give(&b, p, 60);
    assert_int_equal(b.used_bytes, 0);
    assert_int_equal(b.peak_bytes, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_strict),
        cmocka_unit_test(every_day_of_ten_thousand_years_round_trips),
        cmocka_unit_test(dates_parse_as_written),
        cmocka_unit_test(times_round_trip),
        cmocka_unit_test(base64_takes_back_what_it_gave_and_nothing_else),
        cmocka_unit_test(the_nearest_name_is_offered_only_when_near),
        cmocka_unit_test(a_buffer_never_grows_past_its_ceiling),
        cmocka_unit_test(text_for_xml_and_csv_cannot_break_out),
        cmocka_unit_test(plain_text_has_no_controls_and_turns_no_direction),
        cmocka_unit_test(a_budget_refuses_what_goes_over_and_what_it_is_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
