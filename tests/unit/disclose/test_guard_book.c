/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/db.h"
#include "base/file.h"
#include "disclose/guard_book.h"

enum { PEOPLE = 400 };
static uint8_t pseudonyms[PEOPLE][PSEUDONYM_BYTES];
static char folder[64], path[96];

static int set_up(void **state)
{
    (void)state;
    crypto_init();
    for (int i = 0; i < PEOPLE; i++) {
        uint8_t hash[HASH_BYTES];
        sha256(&i, sizeof i, hash);
        memcpy(pseudonyms[i], hash, PSEUDONYM_BYTES);
    }
    snprintf(folder, sizeof folder, "/tmp/accord-guard-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/guard.db", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    struct err e;
    return dir_remove(folder, &e);
}

static struct guard_book *book(void)
{
    struct guard_book *b;
    struct err e;
    assert_int_equal(guard_book_open(path, 10, &b, &e), ST_OK);
    return b;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The persons from..to of the pseudonyms, met in the order that `step` gives. */
static struct persons *people(struct guard_book *b, int from, int to, int step)
{
    uint32_t numbers[PEOPLE];
    size_t n = 0;
    for (int i = step > 0 ? from : to - 1; i >= from && i < to; i += step)
        guard_book_number(b, pseudonyms[i], 1, &numbers[n++]);
    qsort(numbers, n, sizeof *numbers, by_number);
    return persons_new(numbers, n);
}

/* Asks for the count of persons from..to, and records it where `record` says so. */
static enum guard_verdict ask(const char *run, const char *project, int from, int to, bool record)
{
    struct err e;
    struct guard_book *b = book();
    struct persons *all = people(b, 0, PEOPLE, to % 2 ? 1 : -1), *some = people(b, from, to, 1);
    int64_t n = (int64_t)persons_count(some);
    struct guard_print print = {"count: all", some, n, n, false};
    struct guard_request r = {run, project, "a study", "snapshot", "given", all, &print, 1};
    struct guard_answer answer;
    assert_int_equal(guard_book_ask(b, &r, &answer, &e), ST_OK);
    if (record)
        assert_int_equal(guard_book_record(b, &r, &e), ST_OK);
    persons_free(all);
    persons_free(some);
    guard_book_close(b);
    return answer.verdict;
}

static void a_recorded_release_is_remembered(void **state)
{
    (void)state;
    assert_int_equal(ask("run-1", "heart", 0, 100, true), GUARD_ALLOW);
    assert_int_equal(ask("run-2", "heart", 0, 101, false), GUARD_REFUSE);
    assert_int_equal(ask("run-2", "lungs", 0, 101, false), GUARD_REVIEW);
    assert_int_equal(ask("run-1", "heart", 0, 100, true), GUARD_ALLOW);   /* the same run, tried again */
    assert_int_equal(ask("run-3", "heart", 0, 397, false), GUARD_REFUSE); /* all but three of everybody */
    assert_int_equal(ask("run-4", "heart", 0, 150, true), GUARD_ALLOW);
}

static void what_was_withdrawn_counts_no_more(void **state)
{
    (void)state;
    struct err e;
    struct guard_book *b = book();
    assert_int_equal(guard_book_withdraw(b, "run-1", &e), ST_OK);
    assert_int_equal(guard_book_withdraw(b, "run-1", &e), ST_NOT_FOUND);
    guard_book_close(b);
    assert_int_equal(ask("run-2", "heart", 0, 101, false), GUARD_ALLOW);
    assert_int_equal(ask("run-1", "heart", 0, 100, true), GUARD_ALLOW);
    assert_int_equal(ask("run-2", "heart", 0, 101, false), GUARD_REFUSE);
}

static void the_history_says_what_overlaps_and_no_numbers_of_persons(void **state)
{
    (void)state;
    struct err e;
    struct js *j;
    struct buf text;
    assert_int_equal(ask("run-9", "lungs", 300, 390, true), GUARD_ALLOW);
    struct guard_book *b = book();
    assert_int_equal(guard_book_history(b, "heart", &j, &e), ST_OK);
    assert_int_equal(js_size(j), 2);
    assert_string_equal(js_get_str(js_at(j, 0), "run"), "run-4");
    assert_string_equal(js_str(js_at(js_get(js_at(j, 0), "overlaps"), 0)), "run-1");
    assert_int_equal(js_size(js_get(js_at(j, 0), "overlaps")), 1);
    buf_init(&text, 1 << 16);
    js_format(j, JS_COMPACT, &text);
    assert_null(strstr(text.p, "100"));
    buf_deinit(&text);
    js_free(j);
    guard_book_close(b);
}

static void the_book_is_for_the_site_alone(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void damage_is_found(void **state)
{
    (void)state;
    struct db *db;
    struct err e;
    struct guard_book *b;
    assert_int_equal(db_open(path, DB_WRITE, (const char *const[]){""}, 1, &db, &e), ST_OK);
    assert_int_equal(db_exec(db, "UPDATE personset SET bytes=zeroblob(length(bytes)) WHERE id=2", &e), ST_OK);
    db_close(db);
    assert_int_equal(guard_book_open(path, 10, &b, &e), ST_CORRUPT);
    assert_null(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recorded_release_is_remembered),
        cmocka_unit_test(what_was_withdrawn_counts_no_more),
        cmocka_unit_test(the_history_says_what_overlaps_and_no_numbers_of_persons),
        cmocka_unit_test(the_book_is_for_the_site_alone),
        cmocka_unit_test(damage_is_found),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
