/* SPDX-License-Identifier: Apache-2.0
 * Counts whose print does not follow from the count alone: with the noise of their keys, or rounded so that
 * tables still add up. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "disclose/controlled.h"
#include "disclose/gate.h"
#include "disclose/rounding.h"
#include "drawn.h"

static struct policy policy_from(const char *profile, const char *rules)
{
    struct policy p;
    struct err e = {0};
    char yaml[400];
    snprintf(yaml, sizeof yaml, "name: t\nversion: 1\napproved_by: A Checker\ninherits: %s\n%s", profile,
             rules);
    if (policy_parse(slice_of(yaml), "t.yaml", &p, &e) != ST_OK)
        fail_msg("%s", e.text);
    return p;
}

#define NOISE      "rounding: cell_key\nnoise_most: 5\nnoise_variance: 3\nnoise_skip: 2\n"
#define CONTROLLED "rounding: controlled\nbase: 5\n"

static const uint32_t shapes[][4] = {{6, 7}, {5, 4, 3}, {4, 3, 3, 3}};
static const uint32_t n_dimensions[] = {2, 3, 4};

/* Whether the total of a dimension is the sum of its levels wherever all are printed. */
static uint32_t n_sums_that_hold(const struct released_table *t, uint32_t *n_sums)
{
    uint32_t good = 0;
    for (uint64_t i = 0; i < t->n_cells; i++)
        for (uint32_t d = 0; d < t->n_dimensions; d++) {
            uint64_t inner = 1;
            double sum = 0;
            for (uint32_t k = d + 1; k < t->n_dimensions; k++)
                inner *= t->dimensions[k].n_levels;
            if (t->cells[i].at[d] != 0 || t->dimensions[d].n_levels < 2)
                continue;
            for (uint32_t l = 1; l < t->dimensions[d].n_levels; l++)
                sum += t->cells[i + l * inner].value;
            if (isnan(sum - t->cells[i].value))
                continue;
            ++*n_sums;
            good += sum == t->cells[i].value;
        }
    return good;
}

static void every_print_is_safe_and_within(const char *rules, double most, bool additive)
{
    static const char *const profiles[] = {"sde-10", "nhs-hes", "opensafely", "ons-10-5", "gel-5"};
    uint32_t n_small = 0, n_sums = 0, n_moved = 0;
    for (size_t p = 0; p < sizeof profiles / sizeof *profiles; p++)
        for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
            struct policy policy = policy_from(profiles[p], rules);
            drawn_state = 10 * p + k;
            struct result *r = drawn_table(shapes[k], n_dimensions[k], k == 0 ? 150 : 80);
            struct released *out = verified_release(r, &policy);
            const struct released_table *t = released_table(out, 0);
            assert_int_equal(drawn_given_away(r, out, &policy, &n_small), 0);
            for (uint64_t i = 0; i < t->n_cells; i++) {
                double far = fabs(t->cells[i].value - r->tables[0].cells[i].value);
                assert_true(t->cells[i].hidden || far <= most);
                n_moved += far > 0;
            }
            uint32_t sums = 0, good = n_sums_that_hold(t, &sums);
            assert_true(!additive || good == sums);
            n_sums += sums;
            released_free(out);
            result_free(r);
        }
    assert_true(n_small > 50 && n_sums > 20 && n_moved > 100);
}

static void noise_hides_and_stays_within_its_limit(void **state)
{
    (void)state;
    every_print_is_safe_and_within(NOISE, 5, false);
}

static void rounded_tables_add_up_and_stay_within_a_base(void **state)
{
    (void)state;
    every_print_is_safe_and_within(CONTROLLED, 5, true);
}

/* --- noise ---------------------------------------------------------------------------------------------- */

static struct result *one_cell(const char *name, int64_t persons, int64_t key)
{
    struct result *r = result_new("t");
    struct result_table *t = result_add_table(r, name, "t", OUTPUT_COUNT, 1, 1);
    struct result_level *level = arena_alloc(r->arena, sizeof *level);
    uint32_t *at = arena_alloc(r->arena, sizeof *at);
    *level = (struct result_level){"a", -1};
    *at = 0;
    t->dimensions[0] = (struct result_dimension){name, level, 1, false};
    t->cells[0].at = at;
    t->cells[0].persons = persons;
    t->cells[0].value = (double)persons;
    t->cells[0].key = key;
    return r;
}

static double printed(const char *name, int64_t persons, int64_t key)
{
    struct policy p = policy_from("sde-10", NOISE);
    struct result *r = one_cell(name, persons, key);
    struct released *out = verified_release(r, &p);
    double value = released_table(out, 0)->cells[0].value;
    released_free(out);
    result_free(r);
    return value;
}

/* Against the p-table itself, over all keys: the same key gives the same print whatever the table is called.
 */
static void the_same_persons_get_the_same_noise(void **state)
{
    (void)state;
    struct ptable_rules rules = {5, 3, 2, 0};
    struct ptable *t;
    struct err e;
    double mean = 0, square = 0;
    enum { KEYS = 400 };
    assert_int_equal(ptable_make(&rules, &t, &e), ST_OK);
    for (uint32_t i = 0; i < KEYS; i++) {
        int64_t key = (int64_t)i * (UINT32_MAX / KEYS);
        double noise = printed("x", 200, key) - 200;
        assert_true(noise == (double)ptable_noise(t, 200, cell_key_u((uint32_t)key)));
        assert_true(printed("another", 200, key) == 200 + noise);
        mean += noise / KEYS;
        square += noise * noise / KEYS;
    }
    assert_true(fabs(mean) < 0.05 && fabs(square - 3) < 0.1);
    ptable_free(t);
}

static void counts_without_a_key_are_hidden(void **state)
{
    (void)state;
    assert_true(isnan(printed("x", 200, -1)));
    assert_true(isnan(printed("x", 9, 77)));
    assert_true(printed("x", 0, -1) == 0);
    /* What noise would make less than the minimum is hidden too: nothing below it is ever printed. */
    uint32_t hidden = 0;
    for (int64_t i = 0; i < 100; i++) {
        double v = printed("x", 11, i * (UINT32_MAX / 100));
        assert_true(isnan(v) || v >= 10);
        hidden += isnan(v) ? 1 : 0;
    }
    assert_true(hidden > 5 && hidden < 60);
}

/* Counts of something else than the persons whose keys were added have no noise of their own. */
static void events_have_no_noise(void **state)
{
    (void)state;
    struct policy p = policy_from("sde-10", NOISE);
    struct result *r = one_cell("x", 200, 5);
    r->tables[0].cells[0].value = 300;
    struct gate *g;
    struct err e;
    assert_int_equal(gate_run(r, &p, &g, &e), ST_OK);
    assert_string_equal(g->verdicts[0][0].rule, "no cell key");
    gate_free(g);
    result_free(r);
}

/* A judge that was given no p-table hides what it should have made noise for. */
static void without_a_table_of_noise_nothing_is_printed(void **state)
{
    (void)state;
    struct policy p = policy_from("sde-10", NOISE);
    struct result *r = one_cell("x", 200, 5);
    struct verdict v = {0};
    struct err e;
    assert_int_equal(judge_table(&r->tables[0], &p, NULL, &v, &(const char *){NULL}, &e), ST_OK);
    assert_int_equal(v.mark, CELL_SECONDARY);
    result_free(r);
}

/* --- controlled rounding -------------------------------------------------------------------------------- */

/* Two rows and three columns with their totals, as a system by hand. */
struct grid {
    struct system s;
    double rounded[12];
};

static void grid_init(struct grid *g, const double inner[2][3])
{
    double value[3][4] = {{0}};
    system_init(&g->s);
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 3; k++) {
            value[i][k] = inner[i][k];
            value[i][3] += inner[i][k];
            value[2][k] += inner[i][k];
            value[2][3] += inner[i][k];
        }
    for (int i = 0; i < 12; i++)
        system_add_variable(&g->s, value[i / 4][i % 4], 0, 0);
    for (uint32_t i = 0; i < 3; i++) {
        for (uint32_t k = 0; k < 4; k++)
            system_add_term(&g->s, 4 * i + k, k < 3 ? 1 : -1);
        system_end_equation(&g->s);
    }
    for (uint32_t k = 0; k < 4; k++) {
        for (uint32_t i = 0; i < 3; i++)
            system_add_term(&g->s, 4 * i + k, i < 2 ? 1 : -1);
        system_end_equation(&g->s);
    }
    system_close(&g->s);
}

/* The least that counts move in all, by trying both multiples beside each inner count. */
static double least_moved(const double inner[2][3], double base)
{
    double best = INFINITY;
    for (unsigned up = 0; up < 64; up++) {
        double at[3][4] = {{0}}, value[3][4] = {{0}}, moved = 0;
        bool good = true;
        for (int i = 0; i < 6; i++) {
            double n = inner[i / 3][i % 3], low = floor(n / base) * base;
            double r = low == n ? n : low + (up >> i & 1 ? base : 0);
            const int row[] = {i / 3, 2}, column[] = {i % 3, 3};
            for (int m = 0; m < 4; m++) {
                at[row[m / 2]][column[m % 2]] += r;
                value[row[m / 2]][column[m % 2]] += n;
            }
        }
        for (int i = 0; i < 12; i++) {
            double far = fabs(at[i / 4][i % 4] - value[i / 4][i % 4]);
            moved += far;
            good = good && far < base;
        }
        if (good && moved < best)
            best = moved;
    }
    return best;
}

static void counts_move_as_little_as_they_can(void **state)
{
    (void)state;
    drawn_state = 5;
    for (int run = 0; run < 200; run++) {
        double inner[2][3], moved = 0;
        struct grid g;
        struct err e;
        for (int i = 0; i < 6; i++)
            inner[i / 3][i % 3] = draw(40);
        grid_init(&g, (const double(*)[3])inner);
        assert_int_equal(controlled_round(&g.s, 12, 5, g.rounded, &e), ST_OK);
        for (int i = 0; i < 12; i++) {
            assert_true(fmod(g.rounded[i], 5) == 0);
            moved += fabs(g.rounded[i] - g.s.value[i]);
        }
        assert_true(moved == least_moved((const double(*)[3])inner, 5));
        system_deinit(&g.s);
    }
}

/* A system that adds up in no way is not rounded at all. */
static void what_cannot_add_up_is_refused(void **state)
{
    (void)state;
    struct system s;
    struct err e;
    double rounded[2];
    system_init(&s);
    system_add_variable(&s, 7, 0, 0);
    system_add_variable(&s, 107, 0, 0);
    system_add_term(&s, 0, 1);
    system_add_term(&s, 1, -1);
    system_end_equation(&s);
    system_close(&s);
    assert_int_equal(controlled_round(&s, 2, 5, rounded, &e), ST_UNSAFE);
    system_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_hides_and_stays_within_its_limit),
        cmocka_unit_test(rounded_tables_add_up_and_stay_within_a_base),
        cmocka_unit_test(the_same_persons_get_the_same_noise),
        cmocka_unit_test(counts_without_a_key_are_hidden),
        cmocka_unit_test(events_have_no_noise),
        cmocka_unit_test(without_a_table_of_noise_nothing_is_printed),
        cmocka_unit_test(counts_move_as_little_as_they_can),
        cmocka_unit_test(what_cannot_add_up_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
