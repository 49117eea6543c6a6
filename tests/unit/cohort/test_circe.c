/* SPDX-License-Identifier: Apache-2.0
 *
 * Circe JSON to the tree: defaults, tolerance, and errors that name the path.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/date.h"
#include "cohort/cohort.h"
#include "cohort/tree.h"
#include "random_case.h"

/* A definition around one primary criterion; NULL for a plain one. */
static char *around(const char *criterion, const char *more)
{
    return xasprintf("{\"PrimaryCriteria\":{\"CriteriaList\":[%s]}%s%s}",
                     criterion ? criterion : "{\"ConditionOccurrence\":{}}", more ? "," : "",
                     more ? more : "");
}

static enum status parse(const char *text, struct cohort_definition **out, struct err *e)
{
    struct js *j;
    *e = (struct err){0};
    assert_int_equal(js_parse(slice_of(text), "test", &j, e), ST_OK);
    enum status s = cohort_parse(j, out, e);
    js_free(j);
    return s;
}

static struct cohort_definition *good(const char *criterion, const char *more)
{
    char *text = around(criterion, more);
    struct cohort_definition *d;
    struct err e;
    if (parse(text, &d, &e) != ST_OK)
        fail_msg("%s: %s", text, e.text);
    free(text);
    return d;
}

static void refused(enum status want, const char *criterion, const char *more, const char *says)
{
    char *text = around(criterion, more);
    struct cohort_definition *d;
    struct err e;
    assert_int_equal(parse(text, &d, &e), want);
    assert_null(d);
    if (!strstr(e.text, says))
        fail_msg("expected '%s' in: %s", says, e.text);
    free(text);
}

static void missing_parts_have_circe_s_defaults(void **state)
{
    (void)state;
    struct cohort_definition *d = good(NULL, NULL);
    assert_int_equal(d->primary_limit, LIMIT_FIRST);
    assert_int_equal(d->qualified_limit, LIMIT_FIRST);
    assert_int_equal(d->expression_limit, LIMIT_FIRST);
    assert_int_equal(d->exit.type, END_OBSERVATION);
    assert_false(d->has_additional);
    assert_int_equal(d->n_rules + d->n_censoring + (size_t)d->era_pad, 0);
    assert_int_equal(d->censor_start, DATE_NONE);
    cohort_definition_free(d);
}

static void windows_have_circe_s_defaults(void **state)
{
    (void)state;
    struct cohort_definition *d =
        good(NULL, "\"AdditionalCriteria\":{\"Type\":\"ALL\",\"CriteriaList\":[{\"Criteria\":{\"Death\":{}},"
                   "\"StartWindow\":{\"Start\":{\"Coeff\":-1},\"End\":{\"Days\":30,\"Coeff\":-1}},"
                   "\"EndWindow\":{\"Start\":{\"Days\":5,\"Coeff\":1},\"End\":{\"Coeff\":1}},"
                   "\"Occurrence\":{\"Type\":2,\"Count\":1}}]}");
    const struct correlated *c = &d->additional.criteria[0];
    assert_false(c->start_window.use_event_end || c->start_window.use_index_end);
    assert_true(c->end_window.use_event_end); /* for the end window the event's end is the default */
    assert_false(c->end_window.use_index_end);
    assert_true(c->start_window.start.all && c->start_window.start.before);
    assert_int_equal(c->start_window.end.days, -30);
    assert_int_equal(c->end_window.start.days, 5);
    cohort_definition_free(d);
}

static void scalars_are_coerced_as_jackson_does(void **state)
{
    (void)state;
    struct cohort_definition *d =
        good("{\"ConditionOccurrence\":{\"CodesetId\":\"3\",\"Age\":{\"Op\":\"gt\",\"Value\":29.9}}}", NULL);
    assert_true(d->primary[0].has_set);
    assert_int_equal(d->primary[0].set, 3);
    assert_true(d->primary[0].attributes[0].number.value == 29);
    cohort_definition_free(d);
}

static void decimals_are_rounded_half_up_to_four_digits(void **state)
{
    (void)state;
    struct cohort_definition *d = good(
        "{\"Measurement\":{\"ValueAsNumber\":{\"Op\":\"bt\",\"Value\":1.00005,\"Extent\":-0.99995}}}", NULL);
    assert_true(d->primary[0].attributes[0].number.value == 1.0001);
    assert_true(d->primary[0].attributes[0].number.extent == -1.0);
    cohort_definition_free(d);
}

static void empty_lists_and_nulls_filter_nothing(void **state)
{
    (void)state;
    struct cohort_definition *d =
        good("{\"ConditionOccurrence\":{\"Gender\":[],\"Age\":null,\"First\":null,\"CodesetId\":null,"
             "\"CorrelatedCriteria\":{\"Type\":\"ALL\",\"CriteriaList\":[]}}}",
             "\"EndStrategy\":null,\"InclusionRules\":null");
    assert_int_equal(d->primary[0].n_attributes, 0);
    assert_false(d->primary[0].has_set || d->primary[0].first);
    assert_null(d->primary[0].nested);
    cohort_definition_free(d);
}

static void an_empty_additional_group_counts_as_present(void **state)
{
    (void)state;
    struct cohort_definition *d = good(NULL, "\"AdditionalCriteria\":{\"CriteriaList\":[]}");
    assert_true(d->has_additional);
    cohort_definition_free(d);
}

static void a_web_service_wrapper_is_taken_off(void **state)
{
    (void)state;
    struct cohort_definition *d;
    struct err e;
    assert_int_equal(parse("{\"id\":3,\"name\":\"x\",\"expression\":{\"PrimaryCriteria\":{\"CriteriaList\":"
                           "[{\"Death\":{}}]}}}",
                           &d, &e),
                     ST_OK);
    cohort_definition_free(d);
    assert_int_equal(
        parse("{\"expression\":\"{\\\"PrimaryCriteria\\\":{\\\"CriteriaList\\\":[{\\\"Death\\\":{}}]}}\"}",
              &d, &e),
        ST_OK);
    cohort_definition_free(d);
}

static void fields_that_circe_ignores_are_accepted_and_named(void **state)
{
    (void)state;
    struct cohort_definition *d = good("{\"Death\":{\"Comment\":\"why\"}}",
                                       "\"Title\":\"t\",\"cdmVersionRange\":\">=5\",\"note\":{\"a\":1}");
    assert_string_equal(cohort_ignored_field(d, 0), "$.note");
    assert_string_equal(cohort_ignored_field(d, 1), "$.PrimaryCriteria.CriteriaList[0].Death.Comment");
    assert_null(cohort_ignored_field(d, 2));
    cohort_definition_free(d);
}

static void what_could_change_the_result_is_refused_with_its_path(void **state)
{
    (void)state;
    static const struct {
        const char *criterion, *more, *says;
    } cases[] = {
        {"{\"ConditionOccurrence\":{\"Severity\":{\"Op\":\"gt\",\"Value\":1}}}", NULL,
         "$.PrimaryCriteria.CriteriaList[0].ConditionOccurrence.Severity: this looks like a condition"},
        {"{\"ConditionOccurrence\":{\"codesetID\":1}}", NULL, "did you mean 'CodesetId'"},
        {"{\"ConditionOccurrence\":{\"Agee\":{\"Op\":\"gt\",\"Value\":1}}}", NULL, "did you mean 'Age'"},
        {NULL, "\"InclusionRule\":[]", "$.InclusionRule: Circe does not know this field"},
        {NULL, "\"CensorWindow\":{\"StartDate\":\"2010-02-30\"}",
         "$.CensorWindow.StartDate: expected a date"},
        {"{\"ConditionOccurence\":{}}", NULL, "did you mean 'ConditionOccurrence'"},
        {"{\"Death\":{},\"Specimen\":{}}", NULL, "CriteriaList[0]: expected an object with one criterion"},
        {"{\"Measurement\":{\"ValueAsNumber\":{\"Op\":\"between\",\"Value\":1}}}", NULL,
         "ValueAsNumber.Op: expected one of"},
        {"{\"Measurement\":{\"ValueAsNumber\":{\"Op\":\"bt\",\"Value\":1}}}", NULL,
         "ValueAsNumber.Extent: expected a number"},
        {"{\"Measurement\":{\"Unit\":[{\"CONCEPT_ID\":\"x\"}]}}", NULL,
         "Unit[0].CONCEPT_ID: expected a number"},
        {NULL, "\"ExpressionLimit\":{\"Type\":\"Most\"}",
         "$.ExpressionLimit: expected Type All, First or Last"},
        {NULL, "\"EndStrategy\":{\"DateOffset\":{\"DateField\":\"Middle\"}}",
         "$.EndStrategy.DateOffset.DateField: expected StartDate or EndDate"},
        {NULL, "\"EndStrategy\":{\"CustomEra\":{}}", "CustomEra.DrugCodesetId: expected the id"},
        {NULL, "\"ConceptSets\":[{\"id\":1},{\"id\":1}]",
         "$.ConceptSets[1]: another concept set has the id 1"},
        {NULL, "\"AdditionalCriteria\":{\"Type\":\"SOME\",\"DemographicCriteriaList\":[{}]}",
         "$.AdditionalCriteria.Type: expected ALL, ANY, AT_LEAST or AT_MOST"},
        {NULL, "\"AdditionalCriteria\":{\"Type\":\"AT_LEAST\",\"DemographicCriteriaList\":[{}]}",
         "$.AdditionalCriteria.Count: expected a count"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(ST_INVALID, cases[i].criterion, cases[i].more, cases[i].says);
}

static void what_circe_has_and_the_data_model_lacks_is_unsupported_by_name(void **state)
{
    (void)state;
    refused(ST_UNSUPPORTED, "{\"LocationRegion\":{}}", NULL,
            "Circe feature LocationRegion at $.PrimaryCriteria.CriteriaList[0].LocationRegion");
    refused(ST_UNSUPPORTED, "{\"VisitOccurrence\":{\"PlaceOfServiceLocation\":3}}", NULL,
            "Circe feature PlaceOfServiceLocation at");
    refused(ST_UNSUPPORTED, "{\"DrugExposure\":{\"IntervalUnit\":\"hour\"}}", NULL,
            "newer versions of Circe");
    struct cohort_definition *d = good("{\"DrugExposure\":{\"IntervalUnit\":\"day\"}}", NULL);
    cohort_definition_free(d);
}

static void deep_nesting_is_refused_and_not_followed(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < 500; i++)
        buf_adds(&text, i ? "{\"Groups\":[" : "\"AdditionalCriteria\":{\"Groups\":[");
    for (int i = 0; i < 500; i++)
        buf_adds(&text, "]}");
    refused(ST_INVALID, NULL, text.p, "nested deeper than 64");
    buf_deinit(&text);
}

static void a_hundred_thousand_concepts_are_fine(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 64 << 20);
    buf_adds(&text, "\"ConceptSets\":[{\"id\":0,\"expression\":{\"items\":[");
    for (int i = 0; i < 100000; i++)
        buf_printf(&text, "%s{\"concept\":{\"CONCEPT_ID\":%d}}", i ? "," : "", i);
    buf_adds(&text, "]}}]");
    struct cohort_definition *d = good(NULL, text.p);
    assert_int_equal(d->sets[0].n_items, 100000);
    cohort_definition_free(d);
    buf_deinit(&text);
}

/* Random cohorts with random bytes changed: every outcome is a definition or an error with a text. */
static void damaged_definitions_are_refused_or_read_never_followed_blindly(void **state)
{
    (void)state;
    struct rng d = {7};
    for (int i = 0; i < 3000; i++) {
        struct js *cohort = random_cohort(&d, false), *j;
        struct buf text;
        buf_init(&text, 1 << 20);
        js_format(cohort, JS_COMPACT, &text);
        for (uint64_t n = 1 + dice_roll(&d, 4); n > 0; n--)
            text.p[dice_roll(&d, text.n)] = (char)(32 + dice_roll(&d, 95));
        struct err e = {0};
        struct cohort_definition *definition;
        if (js_parse(buf_slice(&text), "damaged", &j, &e) == ST_OK) {
            if (cohort_parse(j, &definition, &e) != ST_OK)
                assert_true(e.text[0] == '$' || strstr(e.text, "$."));
            cohort_definition_free(definition);
            js_free(j);
        }
        buf_deinit(&text);
        js_free(cohort);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_parts_have_circe_s_defaults),
        cmocka_unit_test(windows_have_circe_s_defaults),
        cmocka_unit_test(scalars_are_coerced_as_jackson_does),
        cmocka_unit_test(decimals_are_rounded_half_up_to_four_digits),
        cmocka_unit_test(empty_lists_and_nulls_filter_nothing),
        cmocka_unit_test(an_empty_additional_group_counts_as_present),
        cmocka_unit_test(a_web_service_wrapper_is_taken_off),
        cmocka_unit_test(fields_that_circe_ignores_are_accepted_and_named),
        cmocka_unit_test(what_could_change_the_result_is_refused_with_its_path),
        cmocka_unit_test(what_circe_has_and_the_data_model_lacks_is_unsupported_by_name),
        cmocka_unit_test(deep_nesting_is_refused_and_not_followed),
        cmocka_unit_test(a_hundred_thousand_concepts_are_fine),
        cmocka_unit_test(damaged_definitions_are_refused_or_read_never_followed_blindly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
