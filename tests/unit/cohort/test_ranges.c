/* SPDX-License-Identifier: Apache-2.0
 *
 * A crowd large enough that runs have many blocks: however persons are cut into ranges and whatever the
 * threads, the rows are the oracle's; and blocks without a candidate are passed over, not lost.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "cohort/evaluate.h"
#include "cohort/plan.h"
#include "memory_store.h"
#include "oracle.h"
#include "random_case.h"

enum { PERSONS = 4000, COHORTS = 30 };

struct crowd {
    struct cdm *cdm;
    struct store *store;
    struct pool *pool;
};

/* Nearly every event is of one concept, so that its runs are long. */
static void make_common(struct cdm *c, enum store_table t)
{
    for (size_t i = 0; i < c->tables[t].n; i++)
        if (i % 50)
            c->tables[t].rows[i].v[COL_CONCEPT].i = 1;
}

static void crowd_init(struct crowd *x, uint64_t seed)
{
    struct rng d = {seed};
    x->cdm = random_crowd(&d, PERSONS, false);
    make_common(x->cdm, STORE_CONDITION);
    make_common(x->cdm, STORE_DRUG);
    make_common(x->cdm, STORE_MEASUREMENT);
    x->store = memory_store_new(x->cdm);
    x->pool = pool_new(3);
}

static void crowd_deinit(struct crowd *x)
{
    pool_free(x->pool);
    memory_store_free(x->store);
    cdm_free(x->cdm);
}

static void assert_rows(const struct cohort_rows *r, const struct oracle_rows *o)
{
    assert_int_equal(r->n, o->n);
    for (size_t i = 0; i < r->n; i++) {
        assert_int_equal(r->person[i], o->at[i].person);
        assert_int_equal(r->start[i], o->at[i].start);
        assert_int_equal(r->end[i], o->at[i].end);
    }
    for (size_t i = 0; i < o->n_steps; i++) {
        assert_int_equal(r->steps[i].persons, o->step_persons[i]);
        assert_int_equal(r->steps[i].events, o->step_events[i]);
    }
}

/* Returns how many rows it has. */
static size_t assert_agrees(const struct crowd *x, const struct js *cohort, uint32_t persons_each)
{
    struct cohort_definition *d;
    struct cohort_rows rows;
    struct oracle_rows expected;
    struct err e = {0};
    assert_int_equal(cohort_parse(cohort, &d, &e), ST_OK);
    oracle_evaluate(d, x->cdm, &expected);
    assert_int_equal(cohort_evaluate_ranges(d, x->store, x->pool, persons_each, &rows, &e), ST_OK);
    assert_rows(&rows, &expected);
    size_t n = rows.n;
    cohort_rows_deinit(&rows);
    oracle_rows_deinit(&expected);
    cohort_definition_free(d);
    return n;
}

static void ranges_and_threads_do_not_show(void **state)
{
    (void)state;
    static const uint32_t each[] = {0, 64, 100, 1777, PERSONS, PERSONS + 1};
    struct crowd x;
    struct rng d = {77};
    crowd_init(&x, 5);
    for (size_t i = 0; i < COHORTS; i++) {
        struct js *cohort = random_cohort(&d, false);
        assert_agrees(&x, cohort, each[i % (sizeof each / sizeof *each)]);
        js_free(cohort);
    }
    crowd_deinit(&x);
}

/* Persons over 150, who are few. */
static const char few_cohort[] =
    "{\"ConceptSets\":[{\"id\":0,\"name\":\"common\",\"expression\":{\"items\":[{\"concept\":{\"CONCEPT_ID\":"
    "1},"
    "\"isExcluded\":false,\"includeDescendants\":false,\"includeMapped\":false}]}}],"
    "\"PrimaryCriteria\":{\"CriteriaList\":[{\"ObservationPeriod\":{\"First\":true,"
    "\"AgeAtStart\":{\"Value\":150,\"Op\":\"gt\"}}}],"
    "\"ObservationWindow\":{\"PriorDays\":0,\"PostDays\":0},\"PrimaryCriteriaLimit\":{\"Type\":\"All\"}},"
    "\"QualifiedLimit\":{\"Type\":\"All\"},\"ExpressionLimit\":{\"Type\":\"All\"},"
    "\"InclusionRules\":[{\"name\":\"r\",\"expression\":{\"Type\":\"ANY\",\"CriteriaList\":["
    "{\"Criteria\":{\"ConditionOccurrence\":{\"CodesetId\":0}},\"StartWindow\":{\"Start\":{\"Days\":0,"
    "\"Coeff\":-1},"
    "\"End\":{\"Coeff\":1}},\"Occurrence\":{\"Type\":2,\"Count\":1}},"
    "{\"Criteria\":{\"DrugExposure\":{\"CodesetId\":0,\"First\":true}},\"StartWindow\":{\"Start\":{\"Days\":"
    "0,\"Coeff\":-1},"
    "\"End\":{\"Coeff\":1}},\"Occurrence\":{\"Type\":2,\"Count\":1}}],"
    "\"DemographicCriteriaList\":[],\"Groups\":[]}}],\"CensoringCriteria\":[],"
    "\"CollapseSettings\":{\"CollapseType\":\"ERA\",\"EraPad\":0},\"CensorWindow\":{}}";

/* The first and the last persons, and a handful between: born when nobody else was. */
static void make_few(struct crowd *x)
{
    static const size_t few[] = {0, 1, 300, 700, 701, 1500, 2100, 2999, 3000, PERSONS - 2, PERSONS - 1};
    for (size_t i = 0; i < sizeof few / sizeof *few; i++) {
        struct cdm_person *p = &x->cdm->persons[few[i]];
        p->in_person = true;
        p->birth_year = 1850;
    }
    memory_store_free(x->store);
    x->store = memory_store_new(x->cdm);
}

/* What was noted of a criterion's step. */
static struct plan_step noted_of(const struct crowd *x, const struct js *cohort, const char *what)
{
    struct cohort_definition *d;
    struct cohort_plan plan = {0};
    struct cohort_rows rows;
    struct err e = {0};
    struct plan_step noted = {0};
    assert_int_equal(cohort_parse(cohort, &d, &e), ST_OK);
    assert_int_equal(cohort_evaluate_noted(d, x->store, x->pool, &plan, NULL, &rows, &e), ST_OK);
    for (size_t i = 0; i < plan.n; i++)
        if (strstr(plan.steps[i].path, what))
            noted = plan.steps[i];
    plan_deinit(&plan);
    cohort_rows_deinit(&rows);
    cohort_definition_free(d);
    return noted;
}

static void blocks_without_a_candidate_are_passed_over(void **state)
{
    (void)state;
    struct crowd x;
    struct js *cohort;
    struct err e = {0};
    crowd_init(&x, 9);
    make_few(&x);
    assert_int_equal(js_parse(slice_of(few_cohort), "cohort", &cohort, &e), ST_OK);
    assert_true(assert_agrees(&x, cohort, 0) > 2);
    assert_true(assert_agrees(&x, cohort, 2500) > 2);
    struct plan_step noted = noted_of(&x, cohort, "ConditionOccurrence");
    assert_true(noted.bytes < 4 * x.cdm->tables[STORE_CONDITION].n);
    assert_true(noted.rows < x.cdm->tables[STORE_CONDITION].n);
    js_free(cohort);
    crowd_deinit(&x);
}

/* The estimate of a step is made before it: it has to be near what is then read, blocks that are passed over included. */
static void the_estimate_is_within_twice_of_the_rows_read(void **state)
{
    (void)state;
    static const char *const steps[] = {"ConditionOccurrence", "DrugExposure", "ObservationPeriod"};
    struct crowd x;
    struct js *cohort;
    struct err e = {0};
    crowd_init(&x, 9);
    make_few(&x);
    assert_int_equal(js_parse(slice_of(few_cohort), "cohort", &cohort, &e), ST_OK);
    for (size_t i = 0; i < 3; i++) {
        struct plan_step noted = noted_of(&x, cohort, steps[i]);
        assert_true(noted.rows > 0);
        assert_in_range(noted.estimate, noted.rows / 2, 2 * noted.rows);
    }
    js_free(cohort);
    crowd_deinit(&x);
}

/* The last one: the flag stays. */
static void a_signal_stops_between_ranges(void **state)
{
    (void)state;
    struct crowd x;
    struct js *cohort;
    struct cohort_definition *d;
    struct cohort_rows rows;
    struct err e = {0};
    crowd_init(&x, 9);
    assert_int_equal(js_parse(slice_of(few_cohort), "cohort", &cohort, &e), ST_OK);
    assert_int_equal(cohort_parse(cohort, &d, &e), ST_OK);
    interrupt_watch();
    raise(SIGINT);
    assert_int_equal(cohort_evaluate_ranges(d, x.store, x.pool, 100, &rows, &e), ST_INTERRUPTED);
    cohort_rows_deinit(&rows);
    cohort_definition_free(d);
    js_free(cohort);
    crowd_deinit(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_and_threads_do_not_show),
        cmocka_unit_test(blocks_without_a_candidate_are_passed_over),
        cmocka_unit_test(the_estimate_is_within_twice_of_the_rows_read),
        cmocka_unit_test(a_signal_stops_between_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
