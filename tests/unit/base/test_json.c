/* SPDX-License-Identifier: Apache-2.0
 * The JSON door: what it refuses, and RFC 8785's own examples of canonical form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"

static void foreign_text_is_refused_strictly(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",         "{",   "{\"a\":1,\"a\":2}",           "[1,]", "NaN", "\"\\u0000\"",
        "\"\xff\"", "1 2", "{\"a\":9223372036854775808}", "[01]", "'a'", "{a:1}",
        "\"\x01\"",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct js *j;
        struct err e = {0};
        if (js_parse(slice_of(bad[i]), "text", &j, &e) != ST_INVALID)
            fail_msg("accepted: %s", bad[i]);
        assert_null(j);
    }
}

static void a_fault_says_where_and_keeps_values_out_of_the_public_text(void **state)
{
    (void)state;
    struct js *j;
    struct err e = {0};
    assert_int_equal(js_parse(SLICE("{\n \"nhs\": 9434765919x}"), "body", &j, &e), ST_INVALID);
    assert_non_null(strstr(e.text, "line 2"));
    assert_null(strstr(e.text, "9434765919"));
}

static void canonical(const char *in, const char *expected)
{
    struct js *j;
    struct err e = {0};
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(js_parse(slice_of(in), "t", &j, &e), ST_OK);
    assert_int_equal(js_canonical(j, &out, &e), ST_OK);
    assert_string_equal(out.p, expected);
    buf_deinit(&out);
    js_free(j);
}

static void canonical_form_follows_rfc_8785(void **state)
{
    (void)state;
    canonical("{\"numbers\": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],"
              "\"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\", \"literals\": "
              "[null, true, false]}",
              "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
              "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
    /* RFC 8785 section 3.2.3: keys by UTF-16 code units: U+1F600 (D83D DE00) sorts before U+FB33 */
    canonical(
        "{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,\"\\u00f6\":7}",
        "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,\"\xf0\x9f\x98\x80\":5,"
        "\"\xef\xac\xb3\":3}");
}

static void numbers_print_as_ecmascript_does(void **state)
{
    (void)state;
    static const struct {
        uint64_t bits;
        const char *text;
    } cases[] = {
        /* RFC 8785 appendix B */
        {0x0000000000000000, "0"},
        {0x8000000000000000, "0"},
        {0x0000000000000001, "5e-324"},
        {0x8000000000000001, "-5e-324"},
        {0x7fefffffffffffff, "1.7976931348623157e+308"},
        {0xffefffffffffffff, "-1.7976931348623157e+308"},
        {0x4340000000000000, "9007199254740992"},
        {0xc340000000000000, "-9007199254740992"},
        {0x4430000000000000, "295147905179352830000"},
        {0x44b52d02c7e14af5, "9.999999999999997e+22"},
        {0x44b52d02c7e14af6, "1e+23"},
        {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
        {0x444b1ae4d6e2ef4e, "999999999999999700000"},
        {0x444b1ae4d6e2ef4f, "999999999999999900000"},
        {0x444b1ae4d6e2ef50, "1e+21"},
        {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
        {0x3eb0c6f7a0b5ed8d, "0.000001"},
        {0x41b3de4355555553, "333333333.3333332"},
        {0x41b3de4355555557, "333333333.33333343"},
        {0xbecbf647612f3696, "-0.0000033333333333333333"},
        {0x43143ff3c1cb0959, "1424953923781206.2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double v;
        char text[32];
        memcpy(&v, &cases[i].bits, sizeof v);
        js_format_double(v, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void integers_beyond_2_53_have_no_canonical_form(void **state)
{
    (void)state;
    struct js *j = js_array();
    struct err e = {0};
    struct buf out;
    buf_init(&out, 100);
    js_push(j, js_integer(((int64_t)1 << 53)));
    assert_int_equal(js_canonical(j, &out, &e), ST_INVALID);
    js_free(j);
    buf_deinit(&out);
}

static void an_unknown_field_names_its_path_and_the_nearest_known_one(void **state)
{
    (void)state;
    static const char *const allowed[] = {"title", "cohorts", NULL};
    struct js *j;
    struct err e = {0};
    assert_int_equal(js_parse(SLICE("{\"titel\": 1}"), "t", &j, &e), ST_OK);
    assert_int_equal(js_only(j, allowed, "$", &e), ST_INVALID);
    assert_non_null(strstr(e.text, "$.titel"));
    assert_non_null(strstr(e.text, "did you mean 'title'"));
    js_free(j);
}

static void what_was_built_reads_back_equal(void **state)
{
    (void)state;
    struct js *j = js_object(), *back;
    struct err e = {0};
    js_put_str(j, "name", "line\nbreak \"quoted\"");
    js_put_int(j, "n", INT64_MAX);
    js_put(j, "real", js_real(3.0));
    js_put(j, "nothing", js_real(0.0 / 0.0));
    js_put(j, "list", js_array());
    js_push((struct js *)(uintptr_t)js_get(j, "list"), js_boolean(true));
    for (int style = JS_COMPACT; style <= JS_PRETTY; style++) {
        struct buf text;
        buf_init(&text, 1000);
        js_format(j, (enum js_style)style, &text);
        assert_int_equal(js_parse(buf_slice(&text), "t", &back, &e), ST_OK);
        assert_true(js_equal(j, back));
        js_free(back);
        buf_deinit(&text);
    }
    js_free(j);
}

static void a_text_is_found_among_elements_of_any_kind(void **state)
{
    (void)state;
    struct js *j;
    struct err e;
    assert_int_equal(js_parse(SLICE("[1,null,{},[\"b\"],\"a\"]"), "t", &j, &e), ST_OK);
    assert_true(js_has_text(j, "a"));
    assert_false(js_has_text(j, "b") || js_has_text(j, "") || js_has_text(j, NULL));
    assert_false(js_has_text(js_at(j, 2), "a") || js_has_text(js_at(j, 0), "a") || js_has_text(NULL, "a"));
    js_free(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_text_is_refused_strictly),
        cmocka_unit_test(a_fault_says_where_and_keeps_values_out_of_the_public_text),
        cmocka_unit_test(canonical_form_follows_rfc_8785),
        cmocka_unit_test(numbers_print_as_ecmascript_does),
        cmocka_unit_test(integers_beyond_2_53_have_no_canonical_form),
        cmocka_unit_test(an_unknown_field_names_its_path_and_the_nearest_known_one),
        cmocka_unit_test(what_was_built_reads_back_equal),
        cmocka_unit_test(a_text_is_found_among_elements_of_any_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
