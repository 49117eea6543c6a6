/* SPDX-License-Identifier: Apache-2.0
 * The cheapest pattern of a small table: against all patterns there are, and against the heuristic. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "disclose/attack.h"
#include "disclose/exact.h"
#include "drawn.h"

enum { ROWS = 3, COLUMNS = 4, CELLS = ROWS * COLUMNS, LEAST = 5 };

/* Counts of 2 x 3 with their totals; under 5 they are protected: 1 and 4 must stay possible. */
struct table {
    struct system s;
    double low[CELLS], high[CELLS], weight[CELLS];
    bool primary[CELLS];
    struct demand demands[CELLS];
    uint32_t n_demands;
    struct room room;
};

static void sum(struct system *s, uint32_t first, uint32_t step, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        system_add_term(s, first + i * step, i + 1 < n ? 1 : -1);
    system_end_equation(s);
}

static void draw_table(struct table *t, bool either)
{
    double value[CELLS] = {0};
    *t = (struct table){0};
    for (uint32_t i = 0; i < ROWS - 1; i++)
        for (uint32_t k = 0; k < COLUMNS - 1; k++) {
            double n = 1 + draw(draw(2) ? 9 : 60);
            value[i * COLUMNS + k] = n;
            value[i * COLUMNS + COLUMNS - 1] += n;
            value[(ROWS - 1) * COLUMNS + k] += n;
            value[CELLS - 1] += n;
        }
    system_init(&t->s);
    for (uint32_t v = 0; v < CELLS; v++) {
        system_add_variable(&t->s, value[v], value[v], value[v]);
        t->high[v] = HUGE_VAL;
        t->weight[v] = pow(1 + value[v], 0.85);
        t->primary[v] = value[v] < LEAST;
        struct demand d = {.variable = v, .down = value[v] - 1, .up = LEAST - 1 - value[v], .whole = true};
        if (either)
            d.down = d.up = 1, d.either = true;
        if (t->primary[v])
            t->demands[t->n_demands++] = d;
    }
    for (uint32_t i = 0; i < ROWS; i++)
        sum(&t->s, i * COLUMNS, 1, COLUMNS);
    for (uint32_t k = 0; k < COLUMNS; k++)
        sum(&t->s, k, COLUMNS, ROWS);
    system_close(&t->s);
    t->room = (struct room){t->s.low, t->s.high, t->low, t->high};
}

static bool is_safe(const struct table *t, const bool *hidden)
{
    struct attack_report r;
    attack_run(&t->s, &t->room, hidden, t->demands, t->n_demands, NULL, &r);
    bool safe = r.n_safe == t->n_demands;
    attack_report_deinit(&r);
    return safe;
}

static double cost_of(const struct table *t, const bool *hidden)
{
    double cost = 0;
    for (uint32_t v = 0; v < CELLS; v++)
        cost += hidden[v] && !t->primary[v] ? t->weight[v] : 0;
    return cost;
}

/* All patterns that cost less than this are tried: none of them may be safe. */
static uint32_t n_cheaper_and_safe(const struct table *t, double cost)
{
    uint32_t found = 0;
    for (uint32_t pattern = 0; pattern < 1u << CELLS; pattern++) {
        bool hidden[CELLS], good = true;
        for (uint32_t v = 0; v < CELLS; v++) {
            hidden[v] = pattern >> v & 1;
            good = good && (hidden[v] || !t->primary[v]);
        }
        if (good && cost_of(t, hidden) < cost * (1 - 1e-9) - 1e-9)
            found += is_safe(t, hidden) ? 1 : 0;
    }
    return found;
}

static void no_pattern_is_cheaper(void **state)
{
    (void)state;
    double heuristic = 0, exact = 0;
    uint32_t asked = 0;
    drawn_state = 3;
    for (uint32_t run = 0; run < 12; run++) {
        struct table t;
        bool hidden[CELLS];
        struct err e;
        uint32_t n_optimal, n_components;
        draw_table(&t, run % 3 == 2);
        memcpy(hidden, t.primary, sizeof hidden);
        struct protection p = {.hidden = hidden};
        if (t.n_demands &&
            protect_run(&t.s, &t.room, t.weight, t.demands, t.n_demands, NULL, &p, &e) == ST_OK) {
            double before = cost_of(&t, hidden);
            double saved = exact_improve(&t.s, &t.room, t.weight, t.demands, t.n_demands, t.primary,
                                         EXACT_MOST, hidden, &n_optimal, &n_components);
            assert_int_equal(n_components, 1);
            assert_int_equal(n_optimal, 1);
            assert_true(is_safe(&t, hidden));
            assert_true(fabs(before - saved - cost_of(&t, hidden)) < 1e-9 && saved >= 0);
            assert_int_equal(n_cheaper_and_safe(&t, cost_of(&t, hidden)), 0);
            heuristic += before;
            exact += cost_of(&t, hidden);
            asked++;
        }
        system_deinit(&t.s);
    }
    assert_true(asked > 6 && exact <= heuristic);
}

/* A dear pattern is bettered to what the brute force would find; one component beyond the limit is left. */
static void a_dear_pattern_is_bettered(void **state)
{
    (void)state;
    struct table t = {0};
    bool all[CELLS], left[CELLS];
    uint32_t n_optimal, n_components;
    drawn_state = 8;
    do {
        system_deinit(&t.s);
        draw_table(&t, false);
    } while (t.n_demands == 0);
    memset(all, true, sizeof all);
    memset(left, true, sizeof left);
    assert_true(is_safe(&t, all));
    assert_true(exact_improve(&t.s, &t.room, t.weight, t.demands, t.n_demands, t.primary, EXACT_MOST, all,
                              &n_optimal, &n_components) > 0);
    assert_true(is_safe(&t, all));
    assert_int_equal(n_cheaper_and_safe(&t, cost_of(&t, all)), 0);
    assert_true(exact_improve(&t.s, &t.room, t.weight, t.demands, t.n_demands, t.primary, 1, left, &n_optimal,
                              &n_components) == 0);
    assert_int_equal(n_optimal, 0);
    assert_int_equal(n_components, 1);
    system_deinit(&t.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_pattern_is_cheaper),
        cmocka_unit_test(a_dear_pattern_is_bettered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
