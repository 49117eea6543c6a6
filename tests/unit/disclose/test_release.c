/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "disclose/release.h"

/* Sex by age: 4 women under 40, everything else above the threshold. */
static const char two_by_two[] =
    "{\"format\":\"accord-result-1\",\"title\":\"COPD\",\"tables\":[{\"name\":\"by_sex_age\",\"title\":"
    "\"Adults "
    "with "
    "COPD\",\"unit\":\"persons\",\"type\":\"count\",\"dimensions\":[{\"name\":\"sex\",\"levels\":[{\"label\":"
    "\"female\"},{\"label\":\"male\"}]},{\"name\":\"age\",\"levels\":[{\"label\":\"18-39\"},{\"label\":\"40+"
    "\"}]}],"
    "\"cells\":[{\"at\":[0,0],\"persons\":4},{\"at\":[0,1],\"persons\":103},{\"at\":[1,0],\"persons\":12},{"
    "\"at\":"
    "[1,1],\"persons\":98}]}]}";

static struct result *result_of(const char *text)
{
    struct js *j;
    struct result *r;
    struct err e;
    assert_int_equal(js_parse(slice_of(text), "result", &j, &e), ST_OK);
    if (result_from_json(j, &r, &e) != ST_OK)
        fail_msg("%s", e.text);
    js_free(j);
    return r;
}

static struct released *release_of(const char *text, const char *profile)
{
    struct result *r = result_of(text);
    struct released *out;
    struct policy p;
    struct err e;
    assert_int_equal(policy_profile(profile, &p, &e), ST_OK);
    if (disclose_release(r, &p, NULL, &out, &e) != ST_OK)
        fail_msg("%s", e.text);
    result_free(r);
    return out;
}

static void small_counts_are_hidden_and_others_rounded(void **state)
{
    (void)state;
    struct released *r = release_of(two_by_two, "sde-10");
    const struct released_table *t = released_table(r, 0);
    assert_true(t->cells[0].hidden);
    assert_true(isnan(t->cells[0].value));
    assert_int_equal((int)t->cells[1].value, 105);
    assert_int_equal((int)t->cells[2].value, 10);
    assert_int_equal((int)t->cells[3].value, 100);
    released_free(r);
}

static void a_document_reads_back_and_a_changed_one_does_not(void **state)
{
    (void)state;
    struct released *r = release_of(two_by_two, "sde-10"), *again;
    struct err e;
    char x[65], y[65];
    struct js *j = released_to_json(r), *changed = js_copy(j);
    assert_int_equal(released_from_json(j, &again, &e), ST_OK);
    assert_int_equal(released_hash(r, x, &e), ST_OK);
    assert_int_equal(released_hash(again, y, &e), ST_OK);
    assert_string_equal(x, y);
    js_put_str(changed, "title", "another");
    struct released *bad;
    assert_int_equal(released_from_json(changed, &bad, &e), ST_CORRUPT);
    assert_null(bad);
    js_free(changed);
    js_free(j);
    released_free(again);
    released_free(r);
}

static void print_and_csv_mark_hidden_cells(void **state)
{
    (void)state;
    struct released *r = release_of(two_by_two, "sde-10");
    char *text;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    released_print(r, to);
    fclose(to);
    assert_non_null(strstr(text, "female    [c]  105"));
    assert_non_null(strstr(text, "male       10  100"));
    free(text);
    struct buf csv;
    buf_init(&csv, 1 << 20);
    released_csv(released_table(r, 0), &csv);
    assert_non_null(strstr(csv.p, "female,18-39,,,,suppressed\nfemale,40+,105,,,shown\n"));
    buf_deinit(&csv);
    released_free(r);
}

static void a_raw_result_reads_back_from_its_json(void **state)
{
    (void)state;
    struct result *r = result_of(two_by_two), *again;
    struct js *j = result_to_json(r);
    struct err e;
    assert_int_equal(result_from_json(j, &again, &e), ST_OK);
    struct js *k = result_to_json(again);
    assert_true(js_equal(j, k));
    js_free(k);
    js_free(j);
    result_free(again);
    result_free(r);
}

static void malformed_results_are_refused(void **state)
{
    (void)state;
#define TABLE(dimensions, cells)                                                                             \
    "{\"format\":\"accord-result-1\",\"title\":\"t\",\"tables\":[{\"name\":\"a\",\"title\":\"t\",\"unit\":"  \
    "\"p\","                                                                                                 \
    "\"type\":\"count\",\"dimensions\":" dimensions ",\"cells\":" cells "}]}"
    static const char *const bad[] = {
        "[]",
        "{\"format\":\"accord-result-2\",\"title\":\"t\",\"tables\":[]}",
        TABLE("[{\"name\":\"d\",\"levels\":[]}]", "[]"),
        TABLE("[{\"name\":\"d\",\"levels\":[{\"label\":\"x\",\"parent\":0}]}]", "[]"),
        TABLE("[{\"name\":\"d\",\"levels\":[{\"label\":\"x\",\"parent\":7}]}]", "[]"),
        TABLE("[{\"name\":\"d\",\"levels\":[{\"label\":\"x\"}]}]", "[{\"at\":[1],\"persons\":3}]"),
        TABLE("[{\"name\":\"d\",\"levels\":[{\"label\":\"x\"}]}]", "[{\"at\":[0],\"persons\":-3}]"),
        TABLE("[{\"name\":\"d\",\"levels\":[{\"label\":\"x\"}]}]",
              "[{\"at\":[0],\"persons\":3,\"value\":2.5}]"),
        TABLE("[{\"name\":\"d\",\"levels\":[{\"label\":\"x\"}]}]",
              "[{\"at\":[0],\"persons\":3},{\"at\":[0],\"persons\":3}]"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct js *j;
        struct result *r;
        struct err e;
        assert_int_equal(js_parse(slice_of(bad[i]), "result", &j, &e), ST_OK);
        assert_int_equal(result_from_json(j, &r, &e), ST_INVALID);
        js_free(j);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_counts_are_hidden_and_others_rounded),
        cmocka_unit_test(a_document_reads_back_and_a_changed_one_does_not),
        cmocka_unit_test(print_and_csv_mark_hidden_cells),
        cmocka_unit_test(a_raw_result_reads_back_from_its_json),
        cmocka_unit_test(malformed_results_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
