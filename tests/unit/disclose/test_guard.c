/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "histories.h"

static const uint8_t secret[HASH_BYTES] = {7};
enum { K = 10 };

static struct guard_cell exact(size_t n, uint32_t project, uint32_t request)
{
    return (struct guard_cell){.low = (int64_t)n, .high = (int64_t)n, .project = project, .request = request};
}

/* Rounded to the nearest 5, as sde-10 prints. */
static struct guard_cell rounded(size_t n, uint32_t project, uint32_t request)
{
    int64_t printed = ((int64_t)n + 2) / 5 * 5, low = printed - 2;
    return (struct guard_cell){
        .low = low < K ? K : low, .high = printed + 2, .project = project, .request = request};
}

static enum guard_verdict ask(struct guard *g, const uint32_t *v, size_t n, struct guard_cell cell)
{
    struct guard_finding f;
    struct persons *set = persons_new(v, n);
    cell.persons = set;
    struct err e;
    assert_int_equal(guard_ask(g, &cell, &f, &e), ST_OK);
    persons_free(set);
    return f.verdict;
}

static void add(struct guard *g, const uint32_t *v, size_t n, struct guard_cell cell)
{
    struct persons *set = persons_new(v, n);
    cell.persons = set;
    guard_add(g, set, &cell);
}

/* Persons from `first` to before `end`. */
static struct crowd range(uint32_t first, uint32_t end)
{
    struct crowd c = {0};
    for (uint32_t p = first; p < end; p++)
        crowd_add(&c, p);
    return c;
}

static void one_person_more_is_refused(void **state)
{
    (void)state;
    struct crowd a = range(0, 100), b = range(0, 101), c = range(0, 110);
    struct guard *g = guard_new(K, secret, (struct guard_source){0});
    add(g, a.v, a.n, exact(a.n, 1, 1));
    assert_int_equal(ask(g, a.v, a.n, exact(a.n, 1, 2)), GUARD_ALLOW); /* the same persons again */
    assert_int_equal(ask(g, b.v, b.n, exact(b.n, 1, 2)), GUARD_REFUSE);
    assert_int_equal(ask(g, b.v, b.n, exact(b.n, 2, 2)), GUARD_REVIEW); /* another project */
    assert_int_equal(ask(g, c.v, c.n, exact(c.n, 1, 2)), GUARD_ALLOW);  /* ten are not few */
    guard_free(g);
    free(a.v);
    free(b.v);
    free(c.v);
}

static void a_rounded_print_that_stays_tells_nothing(void **state)
{
    (void)state;
    struct crowd a = range(0, 100), b = range(0, 101), c = range(0, 104);
    struct guard *g = guard_new(K, secret, (struct guard_source){0});
    add(g, a.v, a.n, rounded(a.n, 1, 1));
    assert_int_equal(ask(g, b.v, b.n, rounded(b.n, 1, 2)), GUARD_ALLOW);
    assert_int_equal(ask(g, c.v, c.n, rounded(c.n, 1, 2)), GUARD_REFUSE);
    struct guard_cell open = rounded(b.n, 1, 2);
    open.open = true; /* a total over sites, not known yet */
    assert_int_equal(ask(g, b.v, b.n, open), GUARD_REFUSE);
    guard_free(g);
    free(a.v);
    free(b.v);
    free(c.v);
}

static void everybody_but_a_few_is_refused(void **state)
{
    (void)state;
    struct crowd all = range(0, 1000), most = range(3, 1000);
    struct guard *g = guard_new(K, secret, (struct guard_source){0});
    add(g, all.v, all.n, exact(all.n, GUARD_EVERYBODY, GUARD_EVERYBODY));
    assert_int_equal(ask(g, most.v, most.n, exact(most.n, 4, 1)), GUARD_REFUSE);
    guard_free(g);
    free(all.v);
    free(most.v);
}

/* A count of everybody is a count like others: that the population may be known is no reason to print it. */
static void everybody_and_one_more_is_refused(void **state)
{
    (void)state;
    struct crowd before = range(0, 1000), after = range(0, 1001);
    struct guard *g = guard_new(K, secret, (struct guard_source){0});
    add(g, before.v, before.n, exact(before.n, GUARD_EVERYBODY, GUARD_EVERYBODY));
    assert_int_equal(ask(g, before.v, before.n, exact(before.n, 4, 1)), GUARD_ALLOW);
    add(g, before.v, before.n, exact(before.n, 4, 1));
    add(g, after.v, after.n, exact(after.n, GUARD_EVERYBODY, GUARD_EVERYBODY));
    assert_int_equal(ask(g, after.v, after.n, exact(after.n, 4, 2)), GUARD_REFUSE);
    guard_free(g);
    free(before.v);
    free(after.v);
}

/* a + b, b + c and c + a give twice a, b and c. */
static void a_cycle_is_refused(void **state)
{
    (void)state;
    struct crowd ab = range(0, 54), bc = range(4, 104), ca = range(54, 104);
    free(ca.v);
    ca = range(0, 4);
    for (uint32_t p = 54; p < 104; p++)
        crowd_add(&ca, p);
    struct guard *g = guard_new(K, secret, (struct guard_source){0});
    add(g, ab.v, ab.n, exact(ab.n, 1, 1));
    add(g, bc.v, bc.n, exact(bc.n, 1, 2));
    assert_int_equal(ask(g, ca.v, ca.n, exact(ca.n, 1, 3)), GUARD_REFUSE);
    guard_free(g);
    free(ab.v);
    free(bc.v);
    free(ca.v);
}

/* A total that was printed before and is printed again with its parts is the gate's business. */
static void parts_of_an_old_total_are_the_gates(void **state)
{
    (void)state;
    struct crowd total = range(0, 100), part = range(0, 95);
    struct guard *g = guard_new(K, secret, (struct guard_source){0});
    struct persons *again = persons_new(total.v, total.n);
    struct guard_cell cell = exact(total.n, 1, 2);
    add(g, total.v, total.n, exact(total.n, 1, 1));
    assert_int_equal(ask(g, part.v, part.n, exact(part.n, 1, 2)), GUARD_REFUSE);
    cell.persons = again;
    guard_announce(g, &cell);
    assert_int_equal(ask(g, part.v, part.n, exact(part.n, 1, 2)), GUARD_ALLOW);
    assert_int_equal(ask(g, part.v, part.n, exact(part.n, 1, 3)), GUARD_REFUSE);
    persons_free(again);
    guard_free(g);
    free(total.v);
    free(part.v);
}

/* --- random trackers ---------------------------------------------------------------------------------- */

struct release {
    struct guard *g;
    uint32_t project, request;
    bool round;
    int verdicts[3];
};

static void release_cell(void *context, const uint32_t *v, size_t n)
{
    struct release *r = context;
    struct guard_cell cell = r->round ? rounded(n, r->project, r->request) : exact(n, r->project, r->request);
    enum guard_verdict verdict = ask(r->g, v, n, cell);
    r->verdicts[verdict]++;
    if (verdict == GUARD_ALLOW)
        add(r->g, v, n, cell);
}

/* Other people's work that lies about: tables of a few cohorts. */
static void decoys(struct world *w, struct guard *g, int n)
{
    struct release r = {.g = g, .project = 9};
    for (int i = 0; i < n; i++) {
        struct crowd cohort = world_cohort(w, 50 + world_draw(w, 400));
        r.request = 100 + (uint32_t)i;
        world_crosstab(w, &cohort, (int)world_draw(w, 4), 4 + (int)world_draw(w, 4), K, release_cell, &r);
        free(cohort.v);
    }
}

/* Cell after cell, as a requester would; some trackers are complete before their last cell. */
static bool caught(struct guard *g, const struct tracker *t)
{
    for (int c = 0; c < t->n; c++) {
        const struct crowd *v = &t->cell[c];
        struct guard_cell cell = exact(v->n, 1, 1 + (uint32_t)c);
        if (ask(g, v->v, v->n, cell) == GUARD_REFUSE)
            return true;
        add(g, v->v, v->n, cell);
    }
    return false;
}

static void every_random_tracker_is_caught(void **state)
{
    (void)state;
    enum { TRACKERS = 30 };
    const uint64_t worlds = getenv("ACCORD_WORLDS") ? (uint64_t)atol(getenv("ACCORD_WORLDS")) : 3;
    struct world w;
    int made = 0, missed[GUARD_DEPTH + 1] = {0};
    for (uint64_t seed = 1; seed <= worlds; seed++) {
        world_init(&w, 2000, seed);
        for (int i = 0; i < TRACKERS; i++) {
            int depth = 1 + (int)world_draw(&w, GUARD_DEPTH);
            struct tracker t;
            if (!world_tracker(&w, depth, K, w.n, &t)) {
                tracker_deinit(&t);
                continue;
            }
            struct guard *g = guard_new(K, secret, (struct guard_source){0});
            decoys(&w, g, (int)world_draw(&w, 3));
            made++;
            missed[depth] += !caught(g, &t);
            guard_free(g);
            tracker_deinit(&t);
        }
        world_deinit(&w);
    }
    print_message("%d trackers, missed by depth: %d %d %d %d\n", made, missed[1], missed[2], missed[3],
                  missed[4]);
    assert_true(made > 40);
    for (int d = 1; d <= GUARD_DEPTH; d++)
        assert_int_equal(missed[d], 0);
}

/* A programme of work: projects with cohorts of their own, a few cross-tabulations of each, some asked again.
   One blocked cell makes the whole history blocked. */
static bool honest_history_blocked(uint64_t seed, bool round)
{
    struct world w;
    struct release r = {.round = round};
    world_init(&w, 10000, seed);
    r.g = guard_new(K, secret, (struct guard_source){0});
    for (uint32_t project = 1; project <= 4; project++) {
        struct crowd cohort = world_cohort(&w, 20 + world_draw(&w, 300));
        r.project = project;
        for (int i = 0; i < 4; i++, r.request++) {
            int a = (int)world_draw(&w, 4), b = 4 + (int)world_draw(&w, 4);
            world_crosstab(&w, &cohort, a, b, K, release_cell, &r);
            if (world_draw(&w, 4) == 0)
                world_crosstab(&w, &cohort, a, b, K, release_cell, &r);
        }
        free(cohort.v);
    }
    guard_free(r.g);
    world_deinit(&w);
    return r.verdicts[GUARD_REVIEW] + r.verdicts[GUARD_REFUSE] > 0;
}

static void honest_histories_pass(void **state)
{
    (void)state;
    const int histories = getenv("ACCORD_HISTORIES") ? atoi(getenv("ACCORD_HISTORIES")) : 2;
    int blocked[2] = {0};
    for (uint64_t seed = 0; seed < (uint64_t)histories; seed++)
        for (int round = 0; round < 2; round++)
            blocked[round] += honest_history_blocked(1000 + seed, round);
    print_message("honest histories blocked of %d: exact %d, rounded %d\n", histories, blocked[0],
                  blocked[1]);
    assert_true(blocked[0] * 100 <= histories && blocked[1] * 100 <= histories);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_person_more_is_refused),
        cmocka_unit_test(a_rounded_print_that_stays_tells_nothing),
        cmocka_unit_test(everybody_but_a_few_is_refused),
        cmocka_unit_test(everybody_and_one_more_is_refused),
        cmocka_unit_test(a_cycle_is_refused),
        cmocka_unit_test(parts_of_an_old_total_are_the_gates),
        cmocka_unit_test(every_random_tracker_is_caught),
        cmocka_unit_test(honest_histories_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
