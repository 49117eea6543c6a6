/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine and the oracle agree on random cohorts over random small CDMs. ACCORD_CASES says on how many
 * (scripts/cohort-cases.sh runs a million), ACCORD_SEED where to begin; a difference prints what repeats it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cohort/evaluate.h"
#include "memory_store.h"
#include "oracle.h"
#include "random_case.h"

enum { COHORTS_PER_CDM = 40, DEFAULT_CASES = 20000 };

static uint64_t number_from(const char *variable, uint64_t absent)
{
    uint64_t v;
    const char *text = getenv(variable);
    return text && parse_u64(slice_of(text), &v) ? v : absent;
}

static bool rows_agree(const struct cohort_rows *r, const struct oracle_rows *o)
{
    if (r->n != o->n || r->n_steps != o->n_steps + 1)
        return false;
    for (size_t i = 0; i < r->n; i++)
        if (r->person[i] != o->at[i].person || r->start[i] != o->at[i].start || r->end[i] != o->at[i].end)
            return false;
    for (size_t i = 0; i < o->n_steps; i++)
        if (r->steps[i].persons != o->step_persons[i] || r->steps[i].events != o->step_events[i])
            return false;
    return true;
}

static void show(const struct js *cohort, uint64_t seed, const struct cohort_rows *r,
                 const struct oracle_rows *o)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    js_format(cohort, JS_COMPACT, &text);
    fprintf(stderr, "ACCORD_SEED=%llu ACCORD_CASES=1: the engine has %zu rows, the oracle %zu:\n%s\n",
            (unsigned long long)seed, r->n, o->n, text.p);
    for (size_t i = 0; i + 1 < r->n_steps; i++)
        fprintf(stderr, "  %s: %llu events, %zu\n", r->steps[i].name, (unsigned long long)r->steps[i].events,
                o->step_events[i]);
    buf_deinit(&text);
}

static bool agrees(const struct js *cohort, const struct cdm *c, const struct store *s, struct pool *pool,
                   uint64_t seed, bool *found)
{
    struct cohort_definition *d;
    struct cohort_rows rows;
    struct oracle_rows expected;
    struct err e = {0};
    if (cohort_parse(cohort, &d, &e) != ST_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed, e.text);
    oracle_evaluate(d, c, &expected);
    uint32_t persons_each = (uint32_t)(seed % 4); /* 0: as many as the engine likes */
    assert_int_equal(cohort_evaluate_ranges(d, s, pool, persons_each, &rows, &e), ST_OK);
    bool same = rows_agree(&rows, &expected);
    *found = rows.n > 0;
    if (!same)
        show(cohort, seed, &rows, &expected);
    cohort_rows_deinit(&rows);
    oracle_rows_deinit(&expected);
    cohort_definition_free(d);
    return same;
}

/* Returns how many of the cohorts have members. */
static uint64_t one_cdm(uint64_t seed, uint64_t cohorts, struct pool *pool)
{
    uint64_t with_members = 0;
    struct rng d = {seed};
    bool overlapping = dice_one_in(&d, 10);
    struct cdm *c = random_cdm(&d, overlapping);
    struct store *s = memory_store_new(c);
    for (uint64_t i = 0; i < cohorts; i++) {
        struct js *cohort = random_cohort(&d, overlapping);
        bool found;
        assert_true(agrees(cohort, c, s, pool, seed, &found));
        with_members += found;
        js_free(cohort);
    }
    memory_store_free(s);
    cdm_free(c);
    return with_members;
}

static void engine_and_oracle_agree_on_random_cases(void **state)
{
    (void)state;
    uint64_t cases = number_from("ACCORD_CASES", DEFAULT_CASES), seed = number_from("ACCORD_SEED", 1);
    struct pool *pools[2] = {pool_new(1), pool_new(3)};
    uint64_t with_members = 0, done = 0;
    for (; done < cases; done += COHORTS_PER_CDM, seed++)
        with_members += one_cdm(seed, COHORTS_PER_CDM, pools[seed % 2]);
    print_message("%llu cases, %llu with members\n", (unsigned long long)done,
                  (unsigned long long)with_members);
    assert_true(with_members > done / 4); /* else the cases prove little */
    pool_free(pools[0]);
    pool_free(pools[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine_and_oracle_agree_on_random_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
