/* SPDX-License-Identifier: Apache-2.0
 * The gate fails closed. Every call of a solver that a release makes is answered wrongly in turn: out of
 * iterations, no solution, no end, or a solution that is none; once, and from there on. Then nothing leaves,
 * or (where what failed would only have made the pattern cheaper, or was asked another way) what leaves is
 * found safe by an attacker whose solver works. The calls are caught by the linker (tests/CMakeLists.txt).
 * ACCORD_FAULTS=all walks through all calls, for minutes; else every few. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "disclose/gate.h"
#include "disclose/solver.h"
#include "drawn.h"

enum lp_status __real_lp_minimise(struct lp *lp, enum lp_start start);
enum lp_status __real_lp_dive(struct lp *lp, int solves);
enum lp_status __real_mip_minimise(const struct lp_form *form, const bool *integer, int nodes,
                                   double *solution);

static struct {
    int64_t calls, first, last; /* calls so far; which are answered wrongly */
    enum lp_status answer;
} fault;

static bool fails(void)
{
    fault.calls++;
    return fault.calls >= fault.first && fault.calls <= fault.last;
}

enum lp_status __wrap_lp_minimise(struct lp *lp, enum lp_start start)
{
    return fails() ? fault.answer : __real_lp_minimise(lp, start);
}

enum lp_status __wrap_lp_dive(struct lp *lp, int solves)
{
    return fails() ? fault.answer : __real_lp_dive(lp, solves);
}

enum lp_status __wrap_mip_minimise(const struct lp_form *form, const bool *integer, int nodes,
                                   double *solution)
{
    return fails() ? fault.answer : __real_mip_minimise(form, integer, nodes, solution);
}

struct world {
    struct result *result;
    struct policy policy;
    uint32_t n_held, n_left;
};

/* Releases with calls first to last answered wrongly. True where the table stayed in. */
static bool holds_or_is_safe(struct world *w, int64_t first, int64_t last, enum lp_status answer)
{
    struct released *released = NULL;
    struct err e;
    uint32_t n_small = 0;
    fault.calls = 0;
    fault.first = first;
    fault.last = last;
    fault.answer = answer;
    enum status s = disclose_release(w->result, &w->policy, NULL, &released, &e);
    fault.first = INT64_MAX;
    assert_true(s == ST_OK || s == ST_UNSAFE);
    assert_true((s == ST_OK) == (released != NULL));
    if (s == ST_OK && drawn_given_away(w->result, released, &w->policy, &n_small) > 0)
        fail_msg("call %lld to %lld answered %d: a cell is given away", (long long)first, (long long)last,
                 (int)answer);
    released_free(released);
    w->n_held += s != ST_OK;
    w->n_left += s == ST_OK;
    return s != ST_OK;
}

static void walk(const char *rules, const uint32_t *levels, uint32_t n_dimensions, uint32_t most)
{
    static const enum lp_status answers[] = {LP_FAILED, LP_INFEASIBLE, LP_UNBOUNDED, LP_OPTIMAL};
    struct world w = {.result = drawn_table(levels, n_dimensions, most)};
    struct err e;
    assert_int_equal(policy_parse(slice_of(rules), "p", &w.policy, &e), ST_OK);
    assert_false(holds_or_is_safe(&w, INT64_MAX, INT64_MAX, LP_OPTIMAL));
    int64_t calls = fault.calls;
    assert_true(calls > 10);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        w.n_held = 0;
        assert_true(holds_or_is_safe(&w, 1, INT64_MAX - 1, answers[i]));
        for (int64_t k = 1; k <= calls; k += getenv("ACCORD_FAULTS") ? 1 : 1 + calls / 20) {
            holds_or_is_safe(&w, k, k, answers[i]);
            holds_or_is_safe(&w, k, INT64_MAX - 1, answers[i]);
        }
        /* A call that proves something is one that holds the release. */
        assert_true(w.n_held > 1);
    }
    result_free(w.result);
}

#define RULES(profile, more) "name: p\nversion: 1\napproved_by: t\ninherits: " profile "\n" more "\n"

static void exact_counts(void **state)
{
    (void)state;
    static const uint32_t levels[] = {4, 4};
    drawn_state = 3;
    walk(RULES("gel-5", "rounding: none"), levels, 2, 30);
}

static void rounded_counts_in_three_dimensions(void **state)
{
    (void)state;
    static const uint32_t levels[] = {3, 4, 3};
    drawn_state = 5;
    walk(RULES("nhs-hes", "rounding: nearest\nbase: 5"), levels, 3, 40);
}

static void counts_rounded_to_add_up(void **state)
{
    (void)state;
    static const uint32_t levels[] = {4, 4};
    drawn_state = 7;
    walk(RULES("sde-10", "rounding: controlled\nbase: 5"), levels, 2, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_counts),
        cmocka_unit_test(rounded_counts_in_three_dimensions),
        cmocka_unit_test(counts_rounded_to_add_up),
    };
    fault.first = INT64_MAX;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
