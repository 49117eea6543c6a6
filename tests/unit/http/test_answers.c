/* SPDX-License-Identifier: Apache-2.0
 * A kept answer is given again, and only at the version that it was made at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "http/answers.h"

static void keep(struct answers *a, int64_t version, const char *address, const char *text, size_t n)
{
    struct http_response r = {.code = 200, .type = "application/json"};
    char name[] = "ETag", value[] = "\"1\""; /* gone when it is found again */
    response_header(&r, name, value);
    buf_init(&r.body, (size_t)1 << 28);
    for (size_t i = 0; i < n; i++)
        buf_adds(&r.body, text);
    answers_keep(a, version, address, &r);
    buf_deinit(&r.body);
}

static bool find(struct answers *a, int64_t version, const char *address, const char *text)
{
    struct http_response r = {0};
    struct arena *arena = arena_new();
    buf_init(&r.body, (size_t)1 << 28);
    bool found = answers_find(a, version, address, arena, &r);
    if (found) {
        assert_int_equal(r.code, 200);
        assert_string_equal(r.type, "application/json");
        assert_int_equal(r.n_extra, 1);
        assert_true(slice_is(r.extra[0].value, "\"1\""));
        assert_true(slice_is(buf_slice(&r.body), text));
    }
    buf_deinit(&r.body);
    arena_free(arena);
    return found;
}

static void an_answer_is_given_again_at_its_version_only(void **state)
{
    struct answers *a = answers_new();
    (void)state;
    assert_false(find(a, 0, "/x?", ""));
    keep(a, 7, "/x?", "seven", 1);
    assert_true(find(a, 7, "/x?", "seven"));
    assert_false(find(a, 8, "/x?", ""));
    assert_false(find(a, 7, "/x?y", ""));
    keep(a, 8, "/y?", "eight", 1); /* a newer version: the older ones go */
    assert_false(find(a, 7, "/x?", ""));
    assert_true(find(a, 8, "/y?", "eight"));
    keep(a, 7, "/x?", "late", 1); /* made from an older snapshot: not kept */
    assert_false(find(a, 7, "/x?", ""));
    assert_true(find(a, 8, "/y?", "eight"));
    answers_free(a);
}

static void what_is_kept_is_bounded(void **state)
{
    struct answers *a = answers_new();
    int found = 0;
    (void)state;
    for (int i = 0; i < 40; i++) {
        char address[16];
        snprintf(address, sizeof address, "/%d?", i);
        keep(a, 1, address, "0123456789abcdef", 1 << 18); /* 4 MiB each */
    }
    for (int i = 0; i < 40; i++) {
        struct http_response r = {0};
        struct arena *arena = arena_new();
        char address[16];
        snprintf(address, sizeof address, "/%d?", i);
        buf_init(&r.body, (size_t)1 << 28);
        found += answers_find(a, 1, address, arena, &r);
        buf_deinit(&r.body);
        arena_free(arena);
    }
    assert_in_range(found, 1, ANSWERS_MOST >> 22);
    keep(a, 1, "/huge?", "0123456789abcdef", 1 << 20);
    assert_false(find(a, 1, "/huge?", ""));
    answers_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_given_again_at_its_version_only),
        cmocka_unit_test(what_is_kept_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
