/* SPDX-License-Identifier: Apache-2.0
 *
 * The text form and Circe JSON say the same: random cohorts go round without loss, and errors point at the
 * character.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cohort/cohort.h"
#include "cohort/tree.h"
#include "random_case.h"

static struct js *circe_of(const struct cohort_definition *d)
{
    struct js *out;
    struct err e = {0};
    assert_int_equal(cohort_to_circe(d, &out, &e), ST_OK);
    return out;
}

static struct cohort_definition *read_text(const char *text)
{
    struct cohort_definition *d;
    struct err e = {0};
    if (cohort_parse_text(slice_of(text), "test", &d, &e) != ST_OK)
        fail_msg("%s\n%s (%s)", text, e.text, e.detail);
    return d;
}

/* JSON -> tree -> text -> tree -> JSON, and JSON -> tree -> JSON -> tree -> text. */
static void go_round(const struct js *cohort)
{
    struct cohort_definition *first, *second, *third;
    struct err e = {0};
    struct buf text, again;
    assert_int_equal(cohort_parse(cohort, &first, &e), ST_OK);
    buf_init(&text, 1 << 22);
    buf_init(&again, 1 << 22);
    cohort_format_text(first, &text);
    second = read_text(text.p);
    struct js *a = circe_of(first), *b = circe_of(second);
    if (!js_equal(a, b))
        fail_msg("%s", text.p);
    assert_int_equal(cohort_parse(a, &third, &e), ST_OK);
    cohort_format_text(third, &again);
    assert_string_equal(text.p, again.p);
    js_free(a);
    js_free(b);
    cohort_definition_free(first);
    cohort_definition_free(second);
    cohort_definition_free(third);
    buf_deinit(&text);
    buf_deinit(&again);
}

static void random_cohorts_go_round_without_loss(void **state)
{
    (void)state;
    struct rng d = {11};
    for (int i = 0; i < 4000; i++) {
        struct js *cohort = random_cohort(&d, false);
        go_round(cohort);
        js_free(cohort);
    }
}

/* Every definition can be told in English, to the end. */
static void random_cohorts_can_be_described(void **state)
{
    (void)state;
    struct rng d = {13};
    for (int i = 0; i < 2000; i++) {
        struct js *cohort = random_cohort(&d, false);
        struct cohort_definition *definition;
        struct err e = {0};
        struct buf text;
        buf_init(&text, 1 << 22);
        assert_int_equal(cohort_parse(cohort, &definition, &e), ST_OK);
        cohort_describe(definition, &text);
        assert_int_equal(buf_check(&text, "text", &e), ST_OK);
        assert_non_null(strstr(text.p, "leaves the cohort"));
        assert_int_equal(text.p[text.n - 1], '\n');
        cohort_definition_free(definition);
        buf_deinit(&text);
        js_free(cohort);
    }
}

static void what_an_analyst_types_means_what_it_says(void **state)
{
    (void)state;
    struct cohort_definition *d =
        read_text("# adults with COPD\n"
                  "cohort \"COPD\"\n"
                  "set 0 \"COPD\" { 255573 + descendants \"COPD\" not 4 }\n"
                  "entry { condition in set 0 first where age >= 18 and gender in (8507, 8532) }\n"
                  "limit entry first observed 365 days before 0 days after\n"
                  "rule \"no asthma\" all of { exactly 0 condition in set 0 starting all before to 1 days "
                  "before index start }\n"
                  "exit end +30 days pad 7 days no later than 2020-12-31\n");
    assert_string_equal(d->title, "COPD");
    assert_int_equal(d->sets[0].n_items, 2);
    assert_true(d->sets[0].items[0].descendants && d->sets[0].items[1].excluded);
    assert_true(d->primary[0].first);
    assert_int_equal(d->primary[0].n_attributes, 2);
    assert_int_equal(d->prior_days, 365);
    assert_int_equal(d->rules[0].group.criteria[0].start_window.end.days, -1);
    assert_int_equal(d->exit.offset, 30);
    assert_true(d->exit.from_end);
    assert_int_equal(d->era_pad, 7);
    cohort_definition_free(d);
}

static void errors_point_at_the_character(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "line 1, column 1: expected 'cohort', found the end"},
        {"cohort \"x\"\nentry { condition where age > old }",
         "line 2, column 31: expected a number, found 'old'"},
        {"cohort \"x\"\nentry { conditon }",
         "line 2, column 9: this is no kind of event; did you mean 'condition'?"},
        {"cohort \"x\"\nentry { drug where days-suply > 3 }",
         "line 2, column 20: there is no such attribute here; did "
         "you mean 'days-supply'?"},
        {"cohort \"x\" entry { death } no later than 2010-02-30", "line 1, column 42: there is no such day"},
        {"cohort \"x", "line 1, column 8: this text in quotes has no end"},
        {"cohort \"x\" set 1 \"a\" {} entry { death in set 1 \"b\" }", "set 1 has another name"},
        {"cohort \"x\" entry { }", "there is no 'entry' with at least one kind of event"},
        {"cohort \"x\" entry { person }", "needs a day"},
        {"cohort \"x\" entry { death } $", "expected a statement"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cohort_definition *d;
        struct err e = {0};
        assert_int_equal(cohort_parse_text(slice_of(cases[i].text), "test", &d, &e), ST_INVALID);
        if (!strstr(e.text, cases[i].says))
            fail_msg("expected '%s', found '%s'", cases[i].says, e.text);
    }
}

static void damaged_text_is_refused_or_read(void **state)
{
    (void)state;
    struct rng d = {17};
    for (int i = 0; i < 3000; i++) {
        struct js *cohort = random_cohort(&d, false);
        struct cohort_definition *definition;
        struct err e = {0};
        struct buf text;
        buf_init(&text, 1 << 22);
        assert_int_equal(cohort_parse(cohort, &definition, &e), ST_OK);
        cohort_format_text(definition, &text);
        cohort_definition_free(definition);
        for (uint64_t n = 1 + dice_roll(&d, 3); n > 0; n--)
            text.p[dice_roll(&d, text.n)] = (char)(dice_roll(&d, 256));
        if (cohort_parse_text(buf_slice(&text), "damaged", &definition, &e) != ST_OK)
            assert_non_null(strstr(e.text, "line "));
        cohort_definition_free(definition);
        buf_deinit(&text);
        js_free(cohort);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_cohorts_go_round_without_loss),
        cmocka_unit_test(random_cohorts_can_be_described),
        cmocka_unit_test(what_an_analyst_types_means_what_it_says),
        cmocka_unit_test(errors_point_at_the_character),
        cmocka_unit_test(damaged_text_is_refused_or_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
