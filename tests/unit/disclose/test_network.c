/* SPDX-License-Identifier: Apache-2.0
 *
 * Totals of several runs over different sites, beside a naive reader who subtracts every pair.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "disclose/network.h"
#include "disclose/rounding.h"
#include "histories.h"

enum { CELLS = 6 };

/* The release of `total` (a list of CELLS counts) over the sites of a mask. */
static struct released *release_of(const int64_t *total, unsigned sites, const char *profile,
                                   const char *cohort, const char *table)
{
    struct result *r = result_new("network");
    struct result_table *t = result_add_table(r, table, table, OUTPUT_COUNT, 1, CELLS);
    struct result_level *levels = arena_array(r->arena, CELLS, sizeof *levels);
    uint32_t *at = arena_array(r->arena, CELLS, sizeof *at);
    struct js *context = js_object(), *names = js_array(), *cohorts = js_object();
    struct released *out = NULL;
    struct policy policy;
    struct err e;
    for (uint32_t i = 0; i < CELLS; i++) {
        levels[i] = (struct result_level){arena_printf(r->arena, "level %u", i), -1};
        at[i] = i;
        t->cells[i].at = &at[i];
        t->cells[i].persons = total[i];
        t->cells[i].value = (double)total[i];
    }
    t->unit = "persons";
    t->dimensions[0] = (struct result_dimension){"by", levels, CELLS, false};
    for (unsigned s = 0; s < 12; s++)
        if (sites >> s & 1)
            js_push(names, js_string(arena_printf(r->arena, "body:%u", s)));
    js_put_str(cohorts, "any name", cohort);
    js_put_str(context, "run", arena_printf(r->arena, "run-%u", sites));
    js_put(context, "cohorts_sha256", cohorts);
    js_put(context, "sites", names);
    assert_int_equal(policy_profile(profile, &policy, &e), ST_OK);
    if (disclose_release(r, &policy, context, &out, &e) != ST_OK)
        fail_msg("%s", e.text);
    js_free(context);
    result_free(r);
    return out;
}

static size_t found_beside(const struct released *fresh, struct released *const *earlier, size_t n_earlier)
{
    struct err e;
    struct js *findings = js_array();
    assert_int_equal(network_compare(fresh, earlier, n_earlier, findings, &e), ST_OK);
    size_t n = js_size(findings);
    js_free(findings);
    return n;
}

static size_t found(const struct released *fresh, struct released *earlier)
{
    return found_beside(fresh, &earlier, 1);
}

/* What a reader of both tables works out by hand: the bounds of each difference, from the printed numbers. */
static size_t naive(const struct released *more, const struct released *fewer, const char *profile)
{
    struct policy p;
    struct err e;
    size_t n = 0;
    assert_int_equal(policy_profile(profile, &p, &e), ST_OK);
    for (uint32_t i = 0; i < CELLS; i++) {
        const struct released_cell *a = released_cell_find(released_table(more, 0), &i),
                                   *b = released_cell_find(released_table(fewer, 0), &i);
        if ((a && a->hidden) || (b && b->hidden))
            continue;
        int64_t least = INT64_MAX, most = INT64_MIN, k = policy_minimum(&p, OUTPUT_COUNT);
        for (int64_t x = 0; x < 400; x++)
            for (int64_t y = 0; y < 400; y++) {
                bool fits =
                    (x == 0 || x >= k) && (y == 0 || y >= k) &&
                    round_count(x, (enum rounding)p.rounding, p.base) == (a ? (int64_t)a->value : 0) &&
                    round_count(y, (enum rounding)p.rounding, p.base) == (b ? (int64_t)b->value : 0);
                least = fits && x - y < least ? x - y : least;
                most = fits && x - y > most ? x - y : most;
            }
        n += least > 0 && most < k;
    }
    return n;
}

static void a_site_between_two_totals_is_found(void **state)
{
    (void)state;
    const int64_t three[CELLS] = {103, 60, 70, 80, 90, 100}, two[CELLS] = {101, 40, 50, 60, 70, 80};
    struct released *all = release_of(three, 7, "gel-5", "aa", "t"),
                    *part = release_of(two, 3, "gel-5", "aa", "t"),
                    *renamed = release_of(two, 3, "gel-5", "aa", "another_name"),
                    *other = release_of(two, 3, "gel-5", "bb", "t"),
                    *apart = release_of(two, 24, "gel-5", "aa", "t"),
                    *again = release_of(two, 7, "gel-5", "aa", "t");
    assert_int_equal(found(all, part), 1); /* the third site has two persons in the first cell */
    assert_int_equal(found(part, all), 1); /* in whatever order they come */
    assert_int_equal(found(renamed, all), 1);
    assert_int_equal(found(other, all), 0); /* other persons are counted */
    assert_int_equal(found(apart, all), 0); /* neither's sites are all the other's */
    assert_int_equal(found(again, all), 0); /* the same sites: each compares its own persons */
    struct released *list[] = {all, part, renamed, other, apart, again};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        released_free(list[i]);
}

/* 3 to 12 sites, runs over a random half of them and over all: exactly what the naive reader finds. */
static void random_networks_give_what_a_reader_works_out(void **state)
{
    (void)state;
    static const char *const profiles[] = {"gel-5", "sde-10", "opensafely"};
    struct world w = {.random = {5}};
    size_t total_found = 0;
    for (int trial = 0; trial < 60; trial++) {
        unsigned n = 3 + (unsigned)world_draw(&w, 10), all = (1u << n) - 1;
        unsigned part = all & ~(1u << world_draw(&w, n)) & ~(world_draw(&w, 2) ? 1u << world_draw(&w, n) : 0);
        int64_t more[CELLS] = {0}, fewer[CELLS] = {0};
        for (int c = 0; c < CELLS; c++)
            for (unsigned s = 0; s < n; s++) {
                int64_t here = (int64_t)world_draw(&w, world_draw(&w, 2) ? 6 : 40);
                more[c] += here;
                fewer[c] += part >> s & 1 ? here : 0;
            }
        const char *profile = profiles[trial % 3];
        struct released *a = release_of(more, all, profile, "aa", "t"),
                        *b = release_of(fewer, part, profile, "aa", "t");
        size_t n_found = found(a, b);
        assert_int_equal(n_found, naive(a, b, profile));
        assert_int_equal(n_found, found(b, a));
        total_found += n_found;
        released_free(a);
        released_free(b);
    }
    assert_true(total_found > 20);
}

/* The release of what the sites of a mask hold: here[site][cell]. */
static struct released *release_over(int64_t here[][CELLS], unsigned sites, const char *profile)
{
    int64_t total[CELLS] = {0};
    for (int c = 0; c < CELLS; c++)
        for (unsigned s = 0; s < 12; s++)
            total[c] += sites >> s & 1 ? here[s][c] : 0;
    return release_of(total, sites, profile, "aa", "t");
}

/* Is the last release found beside the others, and only it? */
static void last_is_found(int64_t here[][CELLS], const unsigned *sites, size_t n, const char *profile,
                          size_t expected)
{
    struct released *all[16];
    for (size_t i = 0; i < n; i++)
        all[i] = release_over(here, sites[i], profile);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(found_beside(all[i], all, i), i + 1 < n ? 0 : expected);
    for (size_t i = 0; i < n; i++)
        released_free(all[i]);
}

/* No total's sites are all another's, and yet sums and differences of them leave one site's four persons. */
static void a_site_in_sums_of_many_totals_is_found(void **state)
{
    (void)state;
    int64_t here[12][CELLS] = {{4, 80, 80, 80, 80, 80}};
    static const unsigned cycle[] = {3, 6, 5}, /* A+B, B+C, A+C */
        left_out[] = {30, 29, 27, 23, 15},     /* each of five sites left out once */
        apart[] = {3, 12, 48};
    for (int s = 1; s < 12; s++)
        for (int c = 0; c < CELLS; c++)
            here[s][c] = 50 + 7 * s + c;
    last_is_found(here, cycle, 3, "gel-5", 1);
    last_is_found(here, left_out, 5, "gel-5", 1);
    last_is_found(here, apart, 3, "gel-5", 0);
    last_is_found(here, cycle, 3, "sde-10", 1); /* twice the site within 6 of 10 */
}

/* Random networks with exact totals of any sites, beside a reader who tries all sums of -3 to 3 of each. */
static void random_sums_give_what_a_reader_works_out(void **state)
{
    (void)state;
    enum { SITES = 4, RUNS = 4, MOST = 3 };
    struct world w = {.random = {11}};
    size_t n_found = 0;
    for (int trial = 0; trial < 150; trial++) {
        int64_t here[12][CELLS] = {{0}};
        struct released *all[RUNS];
        unsigned sites[RUNS];
        bool tells[CELLS] = {false}, told[CELLS] = {false}; /* with the last total, and without */
        for (int s = 0; s < SITES; s++)
            for (int c = 0; c < CELLS; c++)
                here[s][c] =
                    world_draw(&w, 3) ? 20 + (int64_t)world_draw(&w, 50) : (int64_t)world_draw(&w, 10);
        for (int i = 0; i < RUNS; i++) {
            bool again = true;
            while (again) {
                sites[i] = 1 + (unsigned)world_draw(&w, (1 << SITES) - 1);
                again = false;
                for (int k = 0; k < i; k++)
                    again = again || sites[k] == sites[i];
            }
            all[i] = release_over(here, sites[i], "gel-5");
        }
        for (int code = 0; code < 7 * 7 * 7 * 7; code++) {
            int left[SITES] = {0}, unit = 0;
            bool whole = true;
            int times[RUNS] = {code % 7 - MOST, code / 7 % 7 - MOST, code / 49 % 7 - MOST, code / 343 - MOST};
            for (int i = 0; i < RUNS; i++)
                for (int s = 0; s < SITES; s++)
                    left[s] += sites[i] >> s & 1 ? times[i] : 0;
            for (int s = 0; s < SITES; s++) {
                whole = whole && (!left[s] || !unit || left[s] == unit);
                unit = left[s] ? left[s] : unit;
            }
            for (uint32_t c = 0; c < CELLS && whole && unit > 0; c++) {
                int64_t sum = 0;
                bool visible = true;
                for (int i = 0; i < RUNS; i++) {
                    const struct released_cell *cell = released_cell_find(released_table(all[i], 0), &c);
                    visible = visible && (!times[i] || !cell || !cell->hidden);
                    sum += visible && times[i] && cell ? times[i] * (int64_t)cell->value : 0;
                }
                bool *of = times[RUNS - 1] ? tells : told;
                of[c] = of[c] || (visible && sum > 0 && sum < 5 * unit);
            }
        }
        struct err e;
        struct js *findings = js_array();
        assert_int_equal(network_compare(all[RUNS - 1], all, RUNS - 1, findings, &e), ST_OK);
        for (uint32_t c = 0; c < CELLS; c++) {
            bool is_there = false;
            if (told[c])
                continue; /* nothing new */
            char place[16];
            snprintf(place, sizeof place, "level %u", c);
            for (size_t i = 0; i < js_size(findings); i++)
                is_there = is_there || strcmp(js_get_str(js_at(findings, i), "place"), place) == 0;
            assert_int_equal(is_there, tells[c]);
            n_found += is_there;
        }
        js_free(findings);
        for (int i = 0; i < RUNS; i++)
            released_free(all[i]);
    }
    assert_true(n_found > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_site_between_two_totals_is_found),
        cmocka_unit_test(random_networks_give_what_a_reader_works_out),
        cmocka_unit_test(a_site_in_sums_of_many_totals_is_found),
        cmocka_unit_test(random_sums_give_what_a_reader_works_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
