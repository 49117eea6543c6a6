/* SPDX-License-Identifier: Apache-2.0
 *
 * Named cases: data as it should not be, and semantics that are easy to get wrong. Each is evaluated by the
 * engine and the oracle; the rows must agree and be the ones written here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/date.h"
#include "memory_store.h"
#include "oracle.h"

static int32_t on(const char *text)
{
    int32_t day;
    assert_true(date_parse(slice_of(text), &day));
    return day;
}

/* One person, born 1980, observed throughout 2010 to 2012; concepts 1 to 5. */
static struct cdm *one_person(void)
{
    struct cdm *c = cdm_new();
    GROW(c->persons, 1, c->persons_capacity);
    c->persons[c->n_persons++] = (struct cdm_person){7, true, 1980, 8532, 1, 1};
    for (int64_t id = 1; id <= 5; id++) {
        GROW(c->concepts, c->n_concepts + 1, c->concepts_capacity);
        c->concepts[c->n_concepts++] = (struct cdm_concept){id, false};
    }
    return c;
}

static void observe(struct cdm *c, const char *start, const char *end)
{
    GROW(c->periods, c->n_periods + 1, c->periods_capacity);
    c->periods[c->n_periods] = (struct cdm_period){
        .person_id = 7, .id = (int64_t)c->n_periods, .type = 1, .start = on(start), .end = on(end)};
    c->n_periods++;
}

static struct cdm_row *add(struct cdm *c, enum store_table t, int64_t id, int64_t concept, const char *start,
                           const char *end)
{
    struct cdm_row *r = cdm_add(c, t);
    r->person_id = 7;
    r->v[COL_ID].i = id;
    r->v[COL_CONCEPT].i = concept;
    r->v[COL_START].i = on(start);
    if (end)
        r->v[COL_END].i = on(end);
    return r;
}

/* Evaluates and compares with `rows`, e.g. "2010-01-01..2010-01-02 2011-...". Frees the CDM. */
static void gives(struct cdm *c, const char *circe, const char *rows)
{
    struct js *j;
    struct cohort_definition *d;
    struct cohort_rows r;
    struct oracle_rows o;
    struct err e = {0};
    struct buf found, expected;
    cdm_index(c);
    struct store *s = memory_store_new(c);
    assert_int_equal(js_parse(slice_of(circe), "case", &j, &e), ST_OK);
    if (cohort_parse(j, &d, &e) != ST_OK || cohort_evaluate(d, s, NULL, &r, &e) != ST_OK)
        fail_msg("%s", e.text);
    oracle_evaluate(d, c, &o);
    buf_init(&found, 1 << 20);
    buf_init(&expected, 1 << 20);
    buf_adds(&found, "");
    buf_adds(&expected, "");
    char start[11], end[11];
    for (size_t i = 0; i < r.n; i++) {
        date_format(r.start[i], start);
        date_format(r.end[i], end);
        buf_printf(&found, "%s%s..%s", i ? " " : "", start, end);
    }
    for (size_t i = 0; i < o.n; i++) {
        date_format(o.at[i].start, start);
        date_format(o.at[i].end, end);
        buf_printf(&expected, "%s%s..%s", i ? " " : "", start, end);
    }
    assert_string_equal(found.p, expected.p);
    assert_string_equal(found.p, rows);
    buf_deinit(&found);
    buf_deinit(&expected);
    cohort_rows_deinit(&r);
    oracle_rows_deinit(&o);
    cohort_definition_free(d);
    js_free(j);
    memory_store_free(s);
    cdm_free(c);
}

#define SETS                                                                                                 \
    "\"ConceptSets\":[{\"id\":1,\"expression\":{\"items\":[{\"concept\":{\"CONCEPT_ID\":1}}]}},"             \
    "{\"id\":2,\"expression\":{\"items\":[{\"concept\":{\"CONCEPT_ID\":2}}]}}],"
#define ALL_EVENTS "\"QualifiedLimit\":{\"Type\":\"All\"},\"ExpressionLimit\":{\"Type\":\"All\"},"
#define PRIMARY(criterion)                                                                                   \
    "\"PrimaryCriteria\":{\"CriteriaList\":[" criterion "],\"PrimaryCriteriaLimit\":{\"Type\":\"All\"}}"
#define CONDITION  "{\"ConditionOccurrence\":{\"CodesetId\":1}}"
#define TO_THE_END "\"EndStrategy\":{\"DateOffset\":{\"DateField\":\"EndDate\",\"Offset\":0}},"

static void an_event_outside_every_period_is_no_entry(void **state)
{
    (void)state;
    struct cdm *c = one_person();
    observe(c, "2010-01-01", "2010-12-31");
    add(c, STORE_CONDITION, 1, 1, "2009-12-31", NULL);
    add(c, STORE_CONDITION, 2, 1, "2010-12-31", NULL);
    add(c, STORE_CONDITION, 3, 1, "2011-01-01", NULL);
    gives(c, "{" SETS ALL_EVENTS PRIMARY(CONDITION) "}", "2010-12-31..2010-12-31");
}

static void a_person_without_periods_has_no_rows(void **state)
{
    (void)state;
    struct cdm *c = one_person();
    add(c, STORE_CONDITION, 1, 1, "2010-06-01", NULL);
    gives(c, "{" SETS ALL_EVENTS PRIMARY(CONDITION) "}", "");
}

static void an_end_before_its_start_makes_the_event_vanish(void **state)
{
    (void)state;
    struct cdm *c = one_person();
    observe(c, "2010-01-01", "2012-12-31");
    add(c, STORE_CONDITION, 1, 1, "2010-06-10", "2010-06-01");
    add(c, STORE_CONDITION, 2, 1, "2010-07-10", "2010-07-10");
    gives(c, "{" SETS ALL_EVENTS TO_THE_END PRIMARY(CONDITION) "}", "2010-07-10..2010-07-10");
}

static void dates_at_both_ends_of_the_calendar(void **state)
{
    (void)state;
    struct cdm *c = one_person();
    observe(c, "0001-01-01", "9999-12-31");
    add(c, STORE_CONDITION, 1, 1, "0001-01-01", "0001-01-02");
    add(c, STORE_CONDITION, 2, 1, "9999-12-30", "9999-12-31");
    gives(c,
          "{" SETS ALL_EVENTS TO_THE_END PRIMARY(
              CONDITION) ",\"InclusionRules\":[{\"expression\":{\"Type\":\"ALL\",\"CriteriaList\":[{"
                         "\"Criteria\":" CONDITION
                         ",\"StartWindow\":{\"Start\":{\"Days\":4000000,\"Coeff\":-1},"
                         "\"End\":{\"Days\":4000000,\"Coeff\":1}},\"Occurrence\":{\"Type\":0,\"Count\":2}}]}}"
                         "]}",
          "0001-01-01..0001-01-02 9999-12-30..9999-12-31");
}

static void what_would_lie_beyond_the_calendar_stops_at_its_end(void **state)
{
    (void)state;
    struct cdm *c = one_person();
    observe(c, "0001-01-01", "9999-12-31");
    add(c, STORE_DRUG, 1, 1, "2010-06-01", NULL)->v[COL_DAYS_SUPPLY].i = INT32_MAX;
    add(c, STORE_DRUG, 2, 1, "9999-12-31", NULL)->v[COL_DAYS_SUPPLY].i = NONE_I64;
    gives(c,
          "{" SETS ALL_EVENTS TO_THE_END PRIMARY(
              "{\"DrugExposure\":{\"CodesetId\":1,\"DateAdjustment\":{\"StartWith\":\"START_DATE\","
              "\"StartOffset\":-2147483647,\"EndWith\":\"END_DATE\",\"EndOffset\":2147483647}}}") "}",
          "0001-01-01..9999-12-31");
}

static void first_is_decided_before_any_attribute(void **state)
{
    (void)state;
    struct cdm *c = one_person();
    observe(c, "2010-01-01", "2012-12-31");
    add(c, STORE_CONDITION, 1, 1, "2010-06-01", NULL);
    add(c, STORE_CONDITION, 2, 1, "2012-06-01", NULL);
    gives(c,
          "{" SETS ALL_EVENTS PRIMARY("{\"ConditionOccurrence\":{\"CodesetId\":1,\"First\":true,"
                                      "\"Age\":{\"Op\":\"gt\",\"Value\":31}}}") "}",
          "");
}

static void of_two_rows_of_a_day_the_lower_id_is_first(void **state)
{
    (void)state;
    struct cdm *c = one_person();
    observe(c, "2010-01-01", "2012-12-31");
    add(c, STORE_DRUG, 9, 1, "2010-06-01", "2010-06-05");
    add(c, STORE_DRUG, 4, 2, "2010-06-01", "2010-06-20");
    gives(c, "{" SETS ALL_EVENTS TO_THE_END PRIMARY("{\"DrugExposure\":{\"First\":true}}") "}",
          "2010-06-01..2010-06-20");
}

static void duplicate_ids_are_events_of_their_own(void **state)
{
    (void)state;
    struct cdm *c = one_person();
    observe(c, "2010-01-01", "2012-12-31");
    add(c, STORE_CONDITION, 1, 1, "2010-06-01", "2010-06-02");
    add(c, STORE_CONDITION, 1, 1, "2010-08-01", "2010-08-02");
    gives(c, "{" SETS ALL_EVENTS TO_THE_END PRIMARY(CONDITION) "}",
          "2010-06-01..2010-06-02 2010-08-01..2010-08-02");
}

static void touching_rows_merge_and_consecutive_days_do_not(void **state)
{
    (void)state;
    struct cdm *c = one_person();
    observe(c, "2010-01-01", "2012-12-31");
    add(c, STORE_CONDITION, 1, 1, "2010-06-01", "2010-06-05");
    add(c, STORE_CONDITION, 2, 1, "2010-06-05", "2010-06-09");
    add(c, STORE_CONDITION, 3, 1, "2010-06-10", "2010-06-12");
    gives(c, "{" SETS ALL_EVENTS TO_THE_END PRIMARY(CONDITION) "}",
          "2010-06-01..2010-06-09 2010-06-10..2010-06-12");
}

static void all_before_as_an_upper_bound_is_the_start_of_observation(void **state)
{
    (void)state;
    struct cdm *c = one_person();
    observe(c, "2010-01-01", "2012-12-31");
    add(c, STORE_CONDITION, 1, 1, "2010-06-01", "2010-06-05");
    add(c, STORE_CONDITION, 2, 2, "2010-01-01", "2010-01-05");
    add(c, STORE_CONDITION, 3, 2, "2010-01-02", "2010-01-05");
    gives(c,
          "{" SETS ALL_EVENTS TO_THE_END PRIMARY(
              CONDITION) ",\"InclusionRules\":[{\"expression\":{\"Type\":\"ALL\",\"CriteriaList\":[{"
                         "\"Criteria\":"
                         "{\"ConditionOccurrence\":{\"CodesetId\":2}},\"StartWindow\":{\"Start\":{\"Coeff\":-"
                         "1},"
                         "\"End\":{\"Coeff\":-1}},\"Occurrence\":{\"Type\":0,\"Count\":1}}]}}]}",
          "2010-06-01..2010-06-05");
}

static void gap_days_borrow_the_range_of_the_era_length(void **state)
{
    (void)state;
    struct cdm *c = one_person();
    observe(c, "2010-01-01", "2012-12-31");
    add(c, STORE_DRUG_ERA, 1, 1, "2010-06-01", "2010-06-11")->v[COL_GAP_DAYS].i = 10;
    add(c, STORE_DRUG_ERA, 2, 1, "2010-07-01", "2010-07-11")->v[COL_GAP_DAYS].i = 3;
    gives(c,
          "{" SETS ALL_EVENTS TO_THE_END PRIMARY(
              "{\"DrugEra\":{\"CodesetId\":1,\"EraLength\":{\"Op\":\"eq\",\"Value\":10},"
              "\"GapDays\":{\"Op\":\"eq\",\"Value\":3}}}") "}",
          "2010-06-01..2010-06-11");
}

static void the_censor_window_cuts_after_the_collapse(void **state)
{
    (void)state;
    struct cdm *c = one_person();
    observe(c, "2010-01-01", "2012-12-31");
    add(c, STORE_CONDITION, 1, 1, "2010-06-01", "2010-06-05");
    add(c, STORE_CONDITION, 2, 1, "2010-06-08", "2010-06-20");
    gives(c,
          "{" SETS ALL_EVENTS TO_THE_END
          "\"CollapseSettings\":{\"EraPad\":5},\"CensorWindow\":{\"StartDate\":"
          "\"2010-06-03\",\"EndDate\":\"2010-06-10\"}," PRIMARY(CONDITION) "}",
          "2010-06-03..2010-06-10");
}

/* The year of a day is found without a table: both ends of every year. */
static void ages_change_with_the_year(void **state)
{
    (void)state;
    for (int year = 1800; year <= 2200; year++) {
        char first[11], last[11], age[32], rows[64];
        struct cdm *c = one_person();
        struct buf circe;
        date_format(date_of(year, 1, 1), first);
        date_format(date_of(year, 12, 31), last);
        snprintf(age, sizeof age, "%d", year - 1980);
        snprintf(rows, sizeof rows, "%s..%s %s..%s", first, first, last, last);
        observe(c, "1700-01-01", "2300-12-31");
        add(c, STORE_CONDITION, 1, 1, first, first);
        add(c, STORE_CONDITION, 2, 1, last, last);
        buf_init(&circe, 1 << 16);
        buf_printf(
            &circe, "{%s%s%s%s%s", SETS, ALL_EVENTS, TO_THE_END,
            PRIMARY("{\"ConditionOccurrence\":{\"CodesetId\":1,\"Age\":{\"Op\":\"eq\",\"Value\":AGE}}}"),
            "}");
        char *at = strstr(circe.p, "AGE}");
        char *text = xasprintf("%.*s%s%s", (int)(at - circe.p), circe.p, age, at + 3);
        gives(c, text, rows);
        free(text);
        buf_deinit(&circe);
    }
}

/* Dates given to a period are its dates for whoever counts them, too. */
static void given_dates_of_periods_are_counted_as_given(void **state)
{
    (void)state;
    static const char *const columns[] = {"START_DATE", "END_DATE", "DURATION"};
    for (int i = 0; i < 3; i++) {
        struct cdm *c = one_person();
        struct buf circe;
        observe(c, "2010-01-01", "2012-12-31");
        add(c, STORE_CONDITION, 1, 1, "2010-02-01", "2010-02-02");
        add(c, STORE_PAYER_PLAN, 1, 1, "2010-03-01", "2010-05-31");
        add(c, STORE_PAYER_PLAN, 2, 1, "2010-03-02", "2010-06-30");
        buf_init(&circe, 1 << 16);
        buf_printf(
            &circe,
            "{%s%s%s%s,\"InclusionRules\":[{\"expression\":{\"Type\":\"ALL\",\"CriteriaList\":[{\"Criteria\":"
            "{\"PayerPlanPeriod\":{\"UserDefinedPeriod\":{\"StartDate\":\"2010-04-01\",\"EndDate\":\"2010-04-"
            "30\"}}},"
            "\"StartWindow\":{\"Start\":{\"Days\":0,\"Coeff\":1},\"End\":{\"Coeff\":1}},\"Occurrence\":{"
            "\"Type\":0,"
            "\"Count\":1,\"IsDistinct\":true,\"CountColumn\":\"%s\"}}]}}]}",
            SETS, ALL_EVENTS, TO_THE_END, PRIMARY(CONDITION), columns[i]);
        gives(c, circe.p, "2010-02-01..2010-02-02");
        buf_deinit(&circe);
    }
}

/* SQL divides decimals: 0.3 over 0.1 is 3 there, which it is not in binary; over 0 there is no ratio. */
static void ratios_are_those_of_decimals(void **state)
{
    (void)state;
    static const double ranges[] = {0.1, 0};
    static const char *const ops[] = {"eq", "gte", "lt", "gt"};
    for (int i = 0; i < 8; i++) {
        struct cdm *c = one_person();
        struct buf circe;
        observe(c, "2010-01-01", "2012-12-31");
        struct cdm_row *r = add(c, STORE_MEASUREMENT, 1, 1, "2010-02-01", NULL);
        r->v[COL_VALUE_NUMBER].d = 0.3;
        r->v[COL_RANGE_LOW].d = ranges[i / 4];
        buf_init(&circe, 1 << 16);
        buf_printf(&circe,
                   "{%s%s%s\"PrimaryCriteria\":{\"CriteriaList\":[{\"Measurement\":{\"CodesetId\":1,"
                   "\"RangeLowRatio\":"
                   "{\"Op\":\"%s\",\"Value\":3}}}],\"PrimaryCriteriaLimit\":{\"Type\":\"All\"}}}",
                   SETS, ALL_EVENTS, TO_THE_END, ops[i % 4]);
        gives(c, circe.p, i < 2 ? "2010-02-01..2010-02-02" : "");
        buf_deinit(&circe);
    }
}

/* A number of SQL has no sign of its own where it is zero. */
static void zeros_of_either_sign_are_one_value_to_count(void **state)
{
    (void)state;
    for (int twice = 0; twice < 2; twice++) {
        struct cdm *c = one_person();
        observe(c, "2010-01-01", "2012-12-31");
        add(c, STORE_CONDITION, 1, 1, "2010-02-01", "2010-02-02");
        add(c, STORE_MEASUREMENT, 1, 2, "2010-03-01", NULL)->v[COL_VALUE_NUMBER].d = -0.0;
        add(c, STORE_MEASUREMENT, 2, 2, "2010-03-02", NULL)->v[COL_VALUE_NUMBER].d = twice;
        gives(c,
              "{" SETS ALL_EVENTS TO_THE_END PRIMARY(
                  CONDITION) ",\"InclusionRules\":[{\"expression\":{\"Type\":\"ALL\","
                             "\"CriteriaList\":[{\"Criteria\":{\"Measurement\":{\"CodesetId\":2}},"
                             "\"StartWindow\":{\"Start\":{\"Days\":0,\"Coeff\":1},\"End\":{\"Coeff\":1}},"
                             "\"Occurrence\":{\"Type\":2,\"Count\":2,\"IsDistinct\":true,\"CountColumn\":"
                             "\"VALUE_AS_NUMBER\"}}]}}]}",
              twice ? "2010-02-01..2010-02-02" : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_outside_every_period_is_no_entry),
        cmocka_unit_test(a_person_without_periods_has_no_rows),
        cmocka_unit_test(an_end_before_its_start_makes_the_event_vanish),
        cmocka_unit_test(dates_at_both_ends_of_the_calendar),
        cmocka_unit_test(what_would_lie_beyond_the_calendar_stops_at_its_end),
        cmocka_unit_test(first_is_decided_before_any_attribute),
        cmocka_unit_test(of_two_rows_of_a_day_the_lower_id_is_first),
        cmocka_unit_test(duplicate_ids_are_events_of_their_own),
        cmocka_unit_test(touching_rows_merge_and_consecutive_days_do_not),
        cmocka_unit_test(all_before_as_an_upper_bound_is_the_start_of_observation),
        cmocka_unit_test(gap_days_borrow_the_range_of_the_era_length),
        cmocka_unit_test(the_censor_window_cuts_after_the_collapse),
        cmocka_unit_test(ages_change_with_the_year),
        cmocka_unit_test(given_dates_of_periods_are_counted_as_given),
        cmocka_unit_test(ratios_are_those_of_decimals),
        cmocka_unit_test(zeros_of_either_sign_are_one_value_to_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
