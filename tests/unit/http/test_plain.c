/* SPDX-License-Identifier: Apache-2.0
 * The plain HTML view shows every value of a resource and lets none of it become markup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http/plain.h"

static char *page_of(const char *json)
{
    struct js *j;
    struct err e = {0};
    struct buf out;
    buf_init(&out, 1 << 20);
    assert_int_equal(js_parse(slice_of(json), "t", &j, &e), ST_OK);
    struct plain_page page = {"A <title>", "What & why.", "/api/v1/things?a=\"b\"", j};
    plain_write(&page, &out);
    js_free(j);
    return buf_steal(&out);
}

static void hostile_text_stays_text(void **state)
{
    (void)state;
    char *html =
        page_of("{\"<b>k\":\"<script>alert('x')</script>\",\"rows\":[{\"a\":\"\\\"><img src=x>\"}]}");
    assert_null(strstr(html, "<script>alert"));
    assert_null(strstr(html, "<img"));
    assert_null(strstr(html, "<b>"));
    assert_non_null(strstr(html, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    assert_non_null(strstr(html, "A &lt;title&gt;"));
    assert_non_null(strstr(html, "href=\"/api/v1/things?a=&quot;b&quot;\""));
    free(html);
}

static void rows_of_scalars_are_a_table_and_the_rest_are_lists(void **state)
{
    (void)state;
    char *html =
        page_of("{\"site_names\":[\"Kent\"],\"rows\":[{\"age_band\":\"18-29\",\"n\":105},{\"n\":10,\"age_"
                "band\":\"30-39\"}],"
                "\"nested\":[{\"x\":{\"y\":1}}],\"none\":[],\"gone\":null,\"yes\":true,\"real\":0.5}");
    assert_non_null(strstr(html, "<th scope=\"col\">Age band</th><th scope=\"col\">N</th>"));
    assert_non_null(strstr(html, "<tr><td>30-39</td><td class=\"nhsuk-table__cell--numeric\">10</td></tr>"));
    assert_non_null(strstr(html, "Site names"));
    assert_non_null(strstr(html, "<ul><li>Kent</li></ul>"));
    assert_non_null(strstr(html, "not given"));
    assert_non_null(strstr(html, ">0.5<"));
    free(html);
}

static void depth_is_bounded(void **state)
{
    (void)state;
    struct buf deep;
    buf_init(&deep, 4096);
    for (int i = 0; i < 500; i++)
        buf_addc(&deep, '[');
    for (int i = 0; i < 500; i++)
        buf_addc(&deep, ']');
    char *html = page_of(deep.p);
    assert_true(strlen(html) < 4096);
    free(html);
    buf_deinit(&deep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_text_stays_text),
        cmocka_unit_test(rows_of_scalars_are_a_table_and_the_rest_are_lists),
        cmocka_unit_test(depth_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
