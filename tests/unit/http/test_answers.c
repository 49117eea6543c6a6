/* SPDX-License-Identifier: Apache-2.0
 * A kept answer is given again as long as nothing that it was made from has changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "http/answers.h"

enum { NAME = 77, OTHER = 78 };
static const struct reads name = {.n = 1, .of = {NAME}}, everything = {.everything = true};

static void keep(struct answers *a, int64_t size, const struct reads *from, const char *address,
                 const char *text, size_t n)
{
    struct http_response r = {.code = 200, .type = "application/json"};
    char header[] = "ETag", value[] = "\"1\""; /* gone when it is found again */
    response_header(&r, header, value);
    buf_init(&r.body, (size_t)1 << 28);
    for (size_t i = 0; i < n; i++)
        buf_adds(&r.body, text);
    answers_keep(a, (struct moment){size, 1}, from, address, &r);
    buf_deinit(&r.body);
}

static bool find_on(struct answers *a, int64_t size, int64_t day, const char *address, const char *text)
{
    struct http_response r = {0};
    struct arena *arena = arena_new();
    buf_init(&r.body, (size_t)1 << 28);
    bool found = answers_find(a, (struct moment){size, day}, address, arena, &r);
    if (found && text) {
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

static bool find(struct answers *a, int64_t size, const char *address, const char *text)
{
    return find_on(a, size, 1, address, text);
}

static void an_answer_is_given_again_until_what_it_was_made_from_changes(void **state)
{
    struct answers *a = answers_new();
    (void)state;
    answers_seen(a, 7);
    assert_false(find(a, 7, "/x?", NULL));
    keep(a, 7, &name, "/x?", "seven", 1);
    keep(a, 7, &everything, "/log?", "log", 1);
    assert_true(find(a, 7, "/x?", "seven"));
    assert_true(find(a, 7, "/log?", "log"));
    assert_false(find(a, 7, "/x?y", NULL));
    assert_int_equal(answers_known(a), 7);
    answers_changed(a, OTHER, 8);
    answers_seen(a, 8);
    assert_true(find(a, 8, "/x?", "seven")); /* the log grew by what it does not show */
    assert_false(find(a, 8, "/log?", NULL));
    answers_changed(a, NAME, 9);
    answers_seen(a, 9);
    assert_false(find(a, 9, "/x?", NULL));
    keep(a, 8, &name, "/x?", "late", 1); /* made from an older snapshot: not kept */
    assert_false(find(a, 9, "/x?", NULL));
    keep(a, 9, &name, "/x?", "nine", 1);
    assert_true(find(a, 9, "/x?", "nine"));
    assert_true(find(a, 8, "/x?", "nine")); /* a request that began before gets the newer one */
    assert_false(find_on(a, 9, 2, "/x?", NULL));
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
        keep(a, 1, &name, address, "0123456789abcdef", 1 << 18); /* 4 MiB each */
    }
    for (int i = 0; i < 40; i++) {
        char address[16];
        snprintf(address, sizeof address, "/%d?", i);
        found += find(a, 1, address, NULL);
    }
    assert_in_range(found, 1, ANSWERS_MOST >> 22);
    keep(a, 1, &name, "/huge?", "0123456789abcdef", 1 << 20);
    assert_false(find(a, 1, "/huge?", NULL));
    answers_free(a);
}

struct maker {
    struct answers *a;
    atomic_int *made;
};

static void *make_one(void *context)
{
    struct maker *m = context;
    if (find(m->a, 1, "/slow?", NULL))
        return NULL;
    if (!answers_claim(m->a, "/slow?") && find(m->a, 1, "/slow?", NULL))
        return NULL;
    usleep(50000);
    atomic_fetch_add(m->made, 1);
    keep(m->a, 1, &name, "/slow?", "slow", 1);
    answers_made(m->a, "/slow?");
    return NULL;
}

static void one_makes_an_answer_and_the_others_wait_for_it(void **state)
{
    struct answers *a = answers_new();
    pthread_t thread[8];
    atomic_int made = 0;
    struct maker m = {a, &made};
    (void)state;
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, make_one, &m), 0);
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    assert_int_equal(made, 1);
    answers_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_given_again_until_what_it_was_made_from_changes),
        cmocka_unit_test(what_is_kept_is_bounded),
        cmocka_unit_test(one_makes_an_answer_and_the_others_wait_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
