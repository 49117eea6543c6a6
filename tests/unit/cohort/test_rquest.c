/* SPDX-License-Identifier: Apache-2.0
 *
 * Cohort Discovery queries: what other readers drop in silence, and so count too many for, is answered as it
 * says or refused with its path (../shared/data/rquest/README.md, "Behaviour we should NOT copy").
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

static enum status parse(const char *rule, const char *oper, struct cohort_definition **out, struct err *e)
{
    char *text = xasprintf("{\"cohort\":{\"groups\":[{\"rules\":[%s],\"rules_oper\":\"%s\"}],"
                           "\"groups_oper\":\"OR\"}}",
                           rule, oper);
    struct js *j;
    *e = (struct err){0};
    assert_int_equal(js_parse(slice_of(text), "query", &j, e), ST_OK);
    enum status s = cohort_parse_rquest(j, date_of(2026, 3, 31), out, e);
    js_free(j);
    free(text);
    return s;
}

static struct cohort_definition *good(const char *rule)
{
    struct cohort_definition *d;
    struct err e;
    if (parse(rule, "OR", &d, &e) != ST_OK)
        fail_msg("%s: %s", rule, e.text);
    return d;
}

static const struct group *rule_of(const struct cohort_definition *d)
{
    return &d->rules[0].group.groups[0].groups[0];
}

#define RULE(varname, varcat, type, oper, value)                                                             \
    "{\"varname\":\"" varname "\",\"varcat\":\"" varcat "\",\"type\":\"" type "\",\"oper\":\"" oper          \
    "\",\"value\":\"" value "\""

static void a_one_sided_range_is_one_sided(void **state)
{
    (void)state;
    struct cohort_definition *d = good(RULE("OMOP=3", "Measurement", "NUM", "=", "2.5|") "}");
    assert_int_equal(rule_of(d)->n_criteria, 2); /* measurements and observations have values */
    assert_int_equal(rule_of(d)->criteria[0].criterion.attributes[0].number.op, OP_GTE);
    cohort_definition_free(d);
    d = good(RULE("OMOP=3", "Measurement", "NUM", "=", "1..3") "}");
    assert_int_equal(rule_of(d)->criteria[0].criterion.attributes[0].number.op, OP_BT);
    assert_true(rule_of(d)->criteria[0].criterion.attributes[0].number.extent == 3);
    cohort_definition_free(d);
}

static void an_exclusion_is_none_of_what_it_names(void **state)
{
    (void)state;
    static const char *const rules[] = {RULE("AGE", "Person", "NUM", "!=", "20|30") "}",
                                        RULE("OMOP", "Condition", "TEXT", "!=", "4") "}"};
    for (int i = 0; i < 2; i++) {
        struct cohort_definition *d = good(rules[i]);
        assert_int_equal(d->rules[0].group.groups[0].type, GROUP_ANY); /* OR stays OR */
        assert_int_equal(rule_of(d)->type, GROUP_AT_MOST);
        assert_int_equal(rule_of(d)->count, 0);
        cohort_definition_free(d);
    }
}

static void a_person_rule_holds_for_nobody_where_the_concept_is_unknown(void **state)
{
    (void)state;
    struct cohort_definition *d = good(RULE("OMOP", "Person", "TEXT", "=", "999") "}");
    assert_int_equal(rule_of(d)->type, GROUP_ANY);
    assert_int_equal(rule_of(d)->n_demographics, 3); /* gender, race, ethnicity */
    cohort_definition_free(d);
}

static void months_count_back_from_the_day_of_asking(void **state)
{
    (void)state;
    struct cohort_definition *d =
        good(RULE("OMOP", "Condition", "TEXT", "=", "4") ",\"time\":\"|1:TIME:M\"}");
    const struct window *w = &rule_of(d)->criteria[0].start_window;
    assert_int_equal(w->start.days, -31); /* 31 March to 28 February */
    assert_true(w->end.all);
    cohort_definition_free(d);
    d = good(RULE("OMOP", "Condition", "TEXT", "=", "4") ",\"time\":\"1|:TIME:M\"}");
    w = &rule_of(d)->criteria[0].start_window;
    assert_true(w->start.all);
    assert_int_equal(w->end.days, -31);
    cohort_definition_free(d);
}

static void what_is_not_understood_is_refused_with_its_path(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *says;
    } cases[] = {
        {RULE("OMOP=3", "Measurement", "NUM", "=", "low") "}", "rules[0].value: expected a range"},
        {RULE("OMOP", "Condition", "TEXT", "=", "COPD") "}", "rules[0].value: expected a concept id"},
        {RULE("OMOP", "Condition", "TEXT", "~", "4") "}", "rules[0].oper: expected = or !="},
        {RULE("SEX", "Person", "TEXT", "=", "4") "}", "rules[0].varname: expected AGE or OMOP"},
        {RULE("OMOP", "Condition", "DATE", "=", "4") "}", "rule type at $.cohort.groups[0].rules[0].type"},
        {RULE("OMOP", "Condition", "TEXT", "=", "4") ",\"time\":\"3|:TIME:W\"}",
         "rules[0].time: expected AGE in"},
        {RULE("OMOP", "Condition", "TEXT", "=", "4") ",\"time\":\"soon\"}", "rules[0].time: expected a time"},
        {RULE("OMOP", "Location", "GEO_RADIUS", "=", "55.9|-3.2") "}", "rules[0].value: expected latitude"},
        {RULE("OMOP", "Location", "GEO_RADIUS", "=", "55.9|-3.2|inf") "}",
         "rules[0].value: expected latitude"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cohort_definition *d;
        struct err e;
        assert_int_not_equal(parse(cases[i].rule, "AND", &d, &e), ST_OK);
        if (!strstr(e.text, cases[i].says))
            fail_msg("expected '%s', found '%s'", cases[i].says, e.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_one_sided_range_is_one_sided),
        cmocka_unit_test(an_exclusion_is_none_of_what_it_names),
        cmocka_unit_test(a_person_rule_holds_for_nobody_where_the_concept_is_unknown),
        cmocka_unit_test(months_count_back_from_the_day_of_asking),
        cmocka_unit_test(what_is_not_understood_is_refused_with_its_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
