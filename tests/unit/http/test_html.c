/* SPDX-License-Identifier: Apache-2.0
 * Pages let no text become markup, and dates, money and items read as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http/show.h"

static void is_text(struct buf *out, const char *expected)
{
    assert_string_equal(out->p, expected);
    buf_clear(out);
}

static void text_is_escaped_and_the_format_is_not(void **state)
{
    (void)state;
    const char *volatile nothing = NULL;
    struct buf out;
    buf_init(&out, 4096);
    html_add(&out, "<b title=\"%s\">%s</b> %d%% of %ld %s", "\"><img>", "a & <b>", -7, 12345678901L, nothing);
    is_text(&out, "<b title=\"&quot;&gt;&lt;img&gt;\">a &amp; &lt;b&gt;</b> -7% of 12345678901 ");
    buf_deinit(&out);
}

static void values_read_as_people_write_them(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    html_day(&out, "2026-11-02");
    is_text(&out, "<time datetime=\"2026-11-02\">2 November 2026</time>");
    html_time(&out, "2026-01-31T09:05:44Z");
    is_text(&out, "<time datetime=\"2026-01-31T09:05:44Z\">31 January 2026 at 09:05</time>");
    html_day(&out, "<soon>");
    is_text(&out, "&lt;soon&gt;");
    html_day(&out, "2026");
    is_text(&out, "2026");
    html_pounds(&out, 2500000);
    is_text(&out, "£25,000");
    html_pounds(&out, 143150);
    is_text(&out, "£1,431.50");
    html_number(&out, -1234567);
    is_text(&out, "-1,234,567");
    html_words(&out, "nhs_runs");
    is_text(&out, "The NHS runs the study where the data is");
    html_words(&out, "qof_list-nhs");
    is_text(&out, "QOF list NHS");
    html_figure(&out, 1234567);
    html_figure(&out, -12345.6);
    html_figure(&out, 0.03951);
    html_figure(&out, 999.96);
    is_text(&out, "1,234,567-12,3460.039511000");
    html_result_title(&out, "Persons & more [by_sex_age]");
    html_result_title(&out, "No [name] at its end");
    is_text(&out, "Persons &amp; more (by sex age)No [name] at its end");
    html_words(&out, "lead_site");
    is_text(&out, "Lead site");
    html_state(&out, "in_force");
    is_text(&out, "<strong class=\"nhsuk-tag nhsuk-tag--green\">in force</strong>");
    buf_deinit(&out);
}

static const struct shown fields[] = {
    {"name", "Name", SHOW_TEXT, NULL},          {"body", "Whose", SHOW_BODY, NULL},
    {"signals", "From", SHOW_ITEMS, "signals"}, {"mechanisms", "Terms", SHOW_VALUE, NULL},
    {"absent", "Absent", SHOW_DAY, NULL},       {0}};

static void an_item_shows_what_its_table_names(void **state)
{
    (void)state;
    struct js *item, *by_id;
    struct err e;
    struct buf out;
    buf_init(&out, 1 << 16);
    assert_int_equal(
        js_parse(SLICE("{\"name\":\"<script>\",\"secret\":\"not shown\",\"body\":\"a\",\"signals\":"
                       "[\"s1\"],\"mechanisms\":[{\"kind\":\"royalty\",\"from\":\"b\",\"to\":\"a\","
                       "\"rate_percent\":2,\"floor\":500000}]}"),
                 "t", &item, &e),
        ST_OK);
    assert_int_equal(js_parse(SLICE("{\"a\":\"Kent & Medway\"}"), "t", &by_id, &e), ST_OK);
    show_item(&out, &(struct names){by_id, NULL}, fields, item);
    assert_null(strstr(out.p, "<script>"));
    assert_null(strstr(out.p, "not shown"));
    assert_null(strstr(out.p, "Absent"));
    assert_non_null(strstr(out.p, "<a href=\"/bodies/a\">Kent &amp; Medway</a>"));
    assert_non_null(strstr(out.p, "<a href=\"/signals/s1\">s1</a>"));
    assert_non_null(strstr(out.p,
                           "Royalty: b gives <a href=\"/bodies/a\">Kent &amp; Medway</a> 2% of income, at "
                           "least £5,000"));
    js_free(item);
    js_free(by_id);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_escaped_and_the_format_is_not),
        cmocka_unit_test(values_read_as_people_write_them),
        cmocka_unit_test(an_item_shows_what_its_table_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
