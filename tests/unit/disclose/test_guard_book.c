/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/date.h"
#include "base/db.h"
#include "base/file.h"
#include "base/mem.h"
#include "disclose/guard_sets.h"
#include "disclose/guard_tables.h"

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

/* Everybody, in one of two orders: each is a population of its own. */
static void pseudonym_of(const void *context, size_t person, uint8_t out[PSEUDONYM_BYTES])
{
    memcpy(out, pseudonyms[*(const int *)context > 0 ? person : PEOPLE - 1 - person], PSEUDONYM_BYTES);
}

static void number(struct guard_book *b, int step, uint32_t numbers[PEOPLE])
{
    struct err e;
    uint32_t listed[PEOPLE];
    struct guard_population p = {step > 0 ? "forwards" : "backwards", PEOPLE, pseudonym_of, &step};
    assert_int_equal(guard_book_number(b, &p, listed, &e), ST_OK);
    for (int i = 0; i < PEOPLE; i++)
        numbers[i] = listed[step > 0 ? i : PEOPLE - 1 - i];
}

/* The persons from..to of the pseudonyms. */
static struct persons *people(struct guard_book *b, int from, int to, int step)
{
    uint32_t numbers[PEOPLE];
    number(b, step, numbers);
    return persons_gather(numbers + from, (size_t)(to - from));
}

static enum guard_verdict ask_book(struct guard_book *b, const char *run, const char *project, int from,
                                   int to)
{
    struct err e;
    struct persons *some = people(b, from, to, to % 2 ? 1 : -1);
    int64_t n = (int64_t)persons_count(some);
    struct guard_print print = {"count: all", some, n, n, false};
    struct guard_request r = {run, project, "a study", "snapshot", "given", false, &print, 1};
    struct guard_answer answer;
    enum status s = guard_book_decide(b, &r, &answer, &e);
    if (s != ST_OK)
        print_message("%s (%s)\n", e.text, e.detail);
    assert_int_equal(s, ST_OK);
    persons_free(some);
    return answer.verdict;
}

/* Asks for the count of persons from..to; it is recorded when it may pass. */
static enum guard_verdict ask(const char *run, const char *project, int from, int to)
{
    struct guard_book *b = book();
    enum guard_verdict verdict = ask_book(b, run, project, from, to);
    guard_book_close(b);
    return verdict;
}

static void a_recorded_release_is_remembered(void **state)
{
    (void)state;
    assert_int_equal(ask("run-1", "heart", 0, 100), GUARD_ALLOW);
    assert_int_equal(ask("run-2", "heart", 0, 101), GUARD_REFUSE);
    assert_int_equal(ask("run-2", "lungs", 0, 101), GUARD_REVIEW);
    assert_int_equal(ask("run-1", "heart", 0, 100), GUARD_ALLOW);  /* the same run, tried again */
    assert_int_equal(ask("run-3", "heart", 0, 397), GUARD_REFUSE); /* all but three of everybody */
    assert_int_equal(ask("run-4", "heart", 0, 150), GUARD_ALLOW);
}

static void what_was_withdrawn_counts_no_more(void **state)
{
    (void)state;
    struct err e;
    struct guard_book *b = book();
    assert_int_equal(guard_book_withdraw(b, "run-1", &e), ST_OK);
    assert_int_equal(guard_book_withdraw(b, "run-1", &e), ST_NOT_FOUND);
    guard_book_close(b);
    assert_int_equal(ask("run-5", "heart", 0, 101), GUARD_ALLOW);
    assert_int_equal(ask("run-1", "heart", 0, 100), GUARD_REFUSE); /* and a run that was is asked for anew */
}

static void the_history_says_what_overlaps_and_no_numbers_of_persons(void **state)
{
    (void)state;
    struct err e;
    struct js *j;
    struct buf text;
    assert_int_equal(ask("run-9", "lungs", 300, 390), GUARD_ALLOW);
    struct guard_book *b = book();
    assert_int_equal(guard_book_history(b, "heart", &j, &e), ST_OK);
    assert_int_equal(js_size(j), 2);
    assert_string_equal(js_get_str(js_at(j, 0), "run"), "run-4");
    assert_string_equal(js_str(js_at(js_get(js_at(j, 0), "overlaps"), 0)), "run-5");
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

/* A book that is kept open sees what others write, and forgets what it refused. */
static void a_book_kept_open_follows_the_others(void **state)
{
    (void)state;
    struct guard_book *kept = book();
    assert_int_equal(ask("run-20", "eyes", 200, 260), GUARD_ALLOW);
    assert_int_equal(ask_book(kept, "run-21", "eyes", 200, 261), GUARD_REFUSE);
    assert_int_equal(ask_book(kept, "run-22", "eyes", 200, 275), GUARD_ALLOW);
    assert_int_equal(ask_book(kept, "run-23", "eyes", 200, 276), GUARD_REFUSE);
    assert_int_equal(ask_book(kept, "run-24", "eyes", 200, 290), GUARD_ALLOW);
    assert_int_equal(ask("run-25", "eyes", 200, 291), GUARD_REFUSE);
    guard_book_close(kept);
}

/* Another k may need another sampling: sketches are made anew, and the answers are those of that k. */
static void another_minimum_reads_the_same_book(void **state)
{
    (void)state;
    struct err e;
    struct guard_book *b;
    assert_int_equal(guard_book_open(path, 25, &b, &e), ST_OK);
    assert_int_equal(ask_book(b, "run-30", "eyes", 200, 308), GUARD_REFUSE);
    guard_book_close(b);
    assert_int_equal(ask("run-30", "eyes", 200, 308), GUARD_ALLOW);
}

/* --- what the requester learns ------------------------------------------------------------------------ */

/* Whatever the size of the group that a cell would single out, the verdict and every byte that even the site's
   own people are told are the same. */
static void an_answer_says_nothing_of_the_groups_size(void **state)
{
    (void)state;
    struct err e;
    struct guard_answer first = {0};
    snprintf(path, sizeof path, "%s/sizes.db", folder);
    assert_int_equal(ask("r", "heart", 0, 100), GUARD_ALLOW);
    struct guard_book *b = book();
    for (int size = 1; size < 10; size++) {
        struct guard_answer answer = {0};
        struct persons *some = people(b, 0, 100 + size, 1);
        struct guard_print print = {"count: all", some, 100 + size, 100 + size, false};
        struct guard_request r = {"again", "heart", "a study", "snapshot", "given", false, &print, 1};
        assert_int_equal(guard_book_decide(b, &r, &answer, &e), ST_OK);
        assert_int_equal(answer.verdict, GUARD_REFUSE);
        if (size == 1)
            first = answer;
        assert_memory_equal(&answer, &first, sizeof answer);
        persons_free(some);
    }
    guard_book_close(b);
    for (const char *c = GUARD_REFUSAL; *c; c++)
        assert_false(*c >= '0' && *c <= '9');
    snprintf(path, sizeof path, "%s/guard.db", folder);
}

/* Work of any length within a period is answered at the same moment. */
static void an_answers_time_says_nothing_of_the_work(void **state)
{
    (void)state;
    const int64_t ms = 1000000, started = 123456789;
    for (int64_t work = 0; work < GUARD_PERIOD_MS; work += 7)
        assert_int_equal(guard_answer_at(started, started + work * ms), started + GUARD_PERIOD_MS * ms);
    assert_int_equal(guard_answer_at(started, started + GUARD_PERIOD_MS * ms),
                     started + 2 * GUARD_PERIOD_MS * ms);
}

static void on_alarm(int signal)
{
    (void)signal;
}

static void a_signal_does_not_bring_an_answer_forward(void **state)
{
    (void)state;
    struct sigaction act = {.sa_handler = on_alarm}, before;
    struct itimerval soon = {{0},
                             {0, 100000}}; /* within the last 0.3 s of a period, if not too late by then */
    int64_t started = time_monotonic_ns() - (int64_t)(GUARD_PERIOD_MS - 300) * 1000000;
    int64_t end = guard_answer_at(started, time_monotonic_ns());
    assert_int_equal(sigaction(SIGALRM, &act, &before), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
    guard_wait(started);
    assert_true(time_monotonic_ns() >= end);
    assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
}

/* --- several processes -------------------------------------------------------------------------------- */

/* Both wait for `go`, then ask for sets that differ by one person; the exit code tells. */
static pid_t start_rival(int go, int trial, int who)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    char run[32], byte;
    snprintf(run, sizeof run, "race-%d-%d", trial, who);
    struct guard_book *b = book();
    persons_free(people(b, 0, 1, 1)); /* the population is numbered before the race */
    persons_free(people(b, 0, 1, -1));
    int ok = read(go, &byte, 1) == 1;
    enum guard_verdict v = ask_book(b, run, "race", 0, 30 + 2 * trial + who);
    guard_book_close(b);
    _exit(!ok ? 9 : v == GUARD_ALLOW ? 0 : 1);
}

static void of_two_that_ask_at_once_one_passes(void **state)
{
    (void)state;
    for (int trial = 0; trial < 8; trial++) {
        int go[2], code, passed = 0;
        char name[96];
        snprintf(name, sizeof name, "%s/race-%d.db", folder, trial);
        snprintf(path, sizeof path, "%s", name);
        assert_int_equal(pipe(go), 0);
        guard_book_close(book());
        pid_t rival[2] = {start_rival(go[0], trial, 0), start_rival(go[0], trial, 1)};
        assert_int_equal(write(go[1], "go", 2), 2);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(waitpid(rival[i], &code, 0), rival[i]);
            assert_true(WIFEXITED(code) && WEXITSTATUS(code) < 2);
            passed += WEXITSTATUS(code) == 0;
        }
        assert_int_equal(passed, 1);
        close(go[0]);
        close(go[1]);
    }
    snprintf(path, sizeof path, "%s/guard.db", folder);
}

static int64_t rows(const char *sql)
{
    struct db *db;
    struct stmt *q;
    struct err e;
    bool row;
    assert_int_equal(db_open(path, DB_READ, NULL, 0, &db, &e), ST_OK);
    assert_int_equal(db_prepare(db, sql, &q, &e), ST_OK);
    assert_int_equal(stmt_step(q, &row, &e), ST_OK);
    int64_t n = stmt_int(q, 0);
    stmt_done(q);
    db_close(db);
    return n;
}

/* Requests of many cells, one after the other, until it is killed. */
enum { CELLS = 40 };
static void write_on(void)
{
    struct err e;
    struct guard_book *b = book();
    for (int i = 0;; i++) {
        char run[32], names[CELLS][16];
        struct guard_print prints[CELLS];
        struct guard_answer answer;
        snprintf(run, sizeof run, "killed-%d-%d", (int)getpid(), i);
        for (int c = 0; c < CELLS; c++) {
            snprintf(names[c], sizeof names[c], "cell %d", c);
            struct persons *set = people(b, (i + c) % 100, 200 + (i * 7 + c) % 190, 1);
            prints[c] = (struct guard_print){names[c], set, 10, 1000, false};
        }
        struct guard_request r = {run, "killed", "a study", "snapshot", "given", true, prints, CELLS};
        if (guard_book_decide(b, &r, &answer, &e) != ST_OK)
            _exit(9);
        for (int c = 0; c < CELLS; c++)
            persons_free(prints[c].persons);
    }
}

static void a_killed_process_leaves_whole_requests_and_no_lock(void **state)
{
    (void)state;
    for (int kill_after = 1; kill_after <= 12; kill_after++) {
        struct timespec pause = {0, kill_after * 9000000L};
        int code;
        pid_t writer = fork();
        if (!writer)
            write_on();
        nanosleep(&pause, NULL);
        kill(writer, SIGKILL);
        assert_int_equal(waitpid(writer, &code, 0), writer);
        assert_true(WIFSIGNALED(code)); /* it did not stop by itself */
        char run[32];
        snprintf(run, sizeof run, "after-%d", kill_after);
        ask(run, "after", 0, 300);
        assert_int_equal(rows("SELECT count(*) FROM request r WHERE r.run LIKE 'killed-%' AND"
                              " (SELECT count(*) FROM cell WHERE request=r.id)<>40"),
                         0);
    }
    assert_true(rows("SELECT count(*) FROM request WHERE run LIKE 'killed-%'") > 0);
}

static void spoil(const char *sql)
{
    struct db *db;
    struct err e;
    assert_int_equal(db_open(path, DB_WRITE, (const char *const[]){"", "", ""}, 3, &db, &e), ST_OK);
    assert_int_equal(db_exec(db, sql, &e), ST_OK);
    db_close(db);
}

/* --- the index ---------------------------------------------------------------------------------------- */

/* A book with everybody numbered, and a request for what write_sets adds. */
static void new_book(const char *name)
{
    struct err e;
    snprintf(path, sizeof path, "%s/%s.db", folder, name);
    struct guard_book *b = book();
    persons_free(people(b, 0, 1, 1));
    assert_int_equal(
        db_exec(b->db,
                "INSERT INTO project(id, name) VALUES(1, 'index');"
                "INSERT INTO request VALUES(1, 'long ago', 1, 'many', 'all', 'released', 'then')",
                &e),
        ST_OK);
    guard_book_close(b);
}

/* Exactly printed sets of persons from 200 on, each of some seventy: as many in one transaction as a study has
   cells. Other tests ask for the persons before 200. */
static void write_sets(struct guard_book *b, int from, int n)
{
    struct err e;
    assert_int_equal(book_begin(b, &e), ST_OK);
    for (int i = from; i < from + n; i++) {
        uint32_t some[PEOPLE];
        struct stmt *q;
        int64_t id;
        size_t k = 0;
        for (uint32_t p = 200; p < PEOPLE; p++)
            if (mix((uint64_t)i << 32 | p) % 3 == 0)
                some[k++] = p;
        struct persons *set = persons_new(some, k);
        assert_int_equal(set_write(b, set, &id, &e), ST_OK);
        assert_int_equal(db_prepare(b->db, "INSERT INTO cell VALUES(1, 'c', ?1, ?2, ?2, 0)", &q, &e), ST_OK);
        stmt_bind_int(q, 1, id);
        stmt_bind_int(q, 2, (int64_t)k);
        assert_int_equal(stmt_run(q, &e), ST_OK);
        persons_free(set);
    }
    assert_int_equal(book_end(b, ST_OK, &e), ST_OK);
}

/* Every set with a place is in the index with all its persons, and nobody else is. Returns how many there
   are. */
static size_t check_index(void)
{
    struct err e;
    struct guard_book *b = book();
    struct guard_places found = {0};
    uint8_t *in = xcalloc((size_t)b->last_place + 1, PEOPLE);
    size_t n = 0;
    assert_int_equal(index_open(b, &e), ST_OK);
    for (uint32_t p = 0; p < PEOPLE; p++) {
        found.n = 0;
        assert_int_equal(index_holders(b, p, &found, &e), ST_OK);
        for (size_t i = 0; i < found.n; i++) {
            assert_in_range(found.v[i], 1, b->last_place);
            assert_int_equal(in[found.v[i] * PEOPLE + p]++, 0);
        }
    }
    for (size_t id = 0; id < b->n_sets; id++) {
        struct persons *set;
        if (!b->sets[id].place)
            continue;
        n++;
        assert_int_equal(set_read(b, (int64_t)id, &set, &e), ST_OK);
        for (uint32_t p = 0; p < PEOPLE; p++)
            assert_int_equal(in[b->sets[id].place * PEOPLE + p], persons_has(set, p));
        persons_free(set);
    }
    free(in);
    free(found.v);
    guard_book_close(b);
    return n;
}

static void tidy(void)
{
    struct guard_book *b = book();
    guard_book_tidy(b);
    assert_true(guard_unplaced(b->guard) < 1 << 18);
    guard_book_close(b);
}

/* Segments of new sets swallow older ones; a book that is kept open meets places that others gave. */
static void the_index_has_everybody_in_every_set(void **state)
{
    (void)state;
    new_book("index");
    struct guard_book *kept = book();
    for (int i = 0; i < 7; i++) {
        struct guard_book *b = i % 3 ? book() : kept;
        write_sets(b, i * 300, 300);
        if (b != kept)
            guard_book_close(b);
        if (i % 2)
            tidy();
        assert_int_equal(ask_book(kept, i % 2 ? "odd" : "even", "index", 0, 200), GUARD_ALLOW);
        guard_book_tidy(kept);
        check_index();
    }
    guard_book_close(kept);
    assert_true(check_index() > 1500);
    assert_true(rows("SELECT count(*) FROM segment") < 4);
    snprintf(path, sizeof path, "%s/guard.db", folder);
}

/* a, b and c over 400 persons with a - b + c = a few: a and b are known from the index only. */
static void a_tracker_through_the_index_is_refused(void **state)
{
    (void)state;
    new_book("tracker");
    assert_int_equal(ask("a", "heart", 0, 150), GUARD_ALLOW);
    assert_int_equal(ask("b", "heart", 100, 150), GUARD_ALLOW);
    struct guard_book *b = book();
    write_sets(b, 0, 600);
    guard_book_close(b);
    tidy();
    assert_true(rows("SELECT count(*) FROM held JOIN cell USING(personset) WHERE request>1") == 2);
    assert_int_equal(ask("c", "heart", 3, 100), GUARD_REFUSE);
    assert_int_equal(ask("c", "heart", 30, 100), GUARD_ALLOW);
    spoil("UPDATE holders SET sum=sum+1");
    b = book();
    struct err e;
    struct persons *some = people(b, 3, 100, 1);
    struct guard_print print = {"count: all", some, 97, 97, false};
    struct guard_request r = {"d", "heart", "a study", "all", "given", false, &print, 1};
    struct guard_answer answer;
    assert_int_equal(guard_book_decide(b, &r, &answer, &e), ST_CORRUPT);
    persons_free(some);
    guard_book_close(b);
    snprintf(path, sizeof path, "%s/guard.db", folder);
}

static void a_killed_process_leaves_a_whole_index(void **state)
{
    (void)state;
    new_book("killed");
    for (int kill_after = 1; kill_after <= 12; kill_after++) {
        struct timespec pause = {0, kill_after * 11000000L};
        int code, from = (int)rows("SELECT count(*) FROM cell");
        pid_t writer = fork();
        for (; !writer; from += 200) {
            struct guard_book *b = book();
            guard_book_tidy(b);
            write_sets(b, from, 200);
            guard_book_close(b);
        }
        nanosleep(&pause, NULL);
        kill(writer, SIGKILL);
        assert_int_equal(waitpid(writer, &code, 0), writer);
        assert_true(WIFSIGNALED(code));
        check_index();
    }
    struct guard_book *b = book();
    write_sets(b, 1 << 20, 600);
    guard_book_close(b);
    tidy();
    assert_true(check_index() >= 600);
    snprintf(path, sizeof path, "%s/guard.db", folder);
}

/* --- damage ------------------------------------------------------------------------------------------- */

/* A damaged set is found when a decision comes to it, a damaged sketch when the book is opened. */
static void damage_is_found(void **state)
{
    (void)state;
    struct err e;
    struct guard_answer answer;
    spoil("UPDATE personset SET bytes=zeroblob(length(bytes))");
    struct guard_book *b = book();
    struct persons *some = people(b, 0, 102, 1);
    struct guard_print print = {"count: all", some, 102, 102, false};
    struct guard_request r = {"run-40", "heart", "a study", "snapshot", "given", false, &print, 1};
    assert_int_equal(guard_book_decide(b, &r, &answer, &e), ST_CORRUPT);
    persons_free(some);
    guard_book_close(b);
    assert_int_equal(rows("SELECT count(*) FROM request WHERE run='run-40'"), 0);
    spoil("UPDATE sketch SET bytes=zeroblob(length(bytes))");
    assert_int_equal(guard_book_open(path, 10, &b, &e), ST_CORRUPT);
    assert_null(b);
}

/* A book of an older form has neither sketches nor numberings nor an index: they are made when it is opened. */
static void an_old_book_is_read(void **state)
{
    (void)state;
    uint32_t numbers[PEOPLE];
    spoil("DELETE FROM sketch; DELETE FROM numbering; DROP TABLE held; DROP TABLE segment;"
          "DROP TABLE holders; PRAGMA user_version=2");
    assert_int_equal(ask("run-50", "heart", 0, 102), GUARD_REFUSE);
    assert_true(rows("SELECT count(*) FROM sketch") > 0);
    struct guard_book *b = book();
    number(b, 1, numbers);
    for (int i = 0; i < PEOPLE; i++)
        for (int k = 0; k < i; k++)
            assert_int_not_equal(numbers[i], numbers[k]);
    guard_book_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recorded_release_is_remembered),
        cmocka_unit_test(what_was_withdrawn_counts_no_more),
        cmocka_unit_test(the_history_says_what_overlaps_and_no_numbers_of_persons),
        cmocka_unit_test(the_book_is_for_the_site_alone),
        cmocka_unit_test(a_book_kept_open_follows_the_others),
        cmocka_unit_test(another_minimum_reads_the_same_book),
        cmocka_unit_test(an_answer_says_nothing_of_the_groups_size),
        cmocka_unit_test(an_answers_time_says_nothing_of_the_work),
        cmocka_unit_test(a_signal_does_not_bring_an_answer_forward),
        cmocka_unit_test(of_two_that_ask_at_once_one_passes),
        cmocka_unit_test(a_killed_process_leaves_whole_requests_and_no_lock),
        cmocka_unit_test(the_index_has_everybody_in_every_set),
        cmocka_unit_test(a_tracker_through_the_index_is_refused),
        cmocka_unit_test(a_killed_process_leaves_a_whole_index),
        cmocka_unit_test(an_old_book_is_read),
        cmocka_unit_test(damage_is_found),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
