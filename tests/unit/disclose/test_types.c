/* SPDX-License-Identifier: Apache-2.0
 * Every type of output on its whole way: judged, released, read back, looked at again, as text, CSV, picture
 * and SACRO results; what may not leave stays in without the rest of the result, and what has no estimate is
 * told apart from what is suppressed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "disclose/gate.h"
#include "disclose/picture.h"
#include "disclose/release.h"
#include "disclose/sacro.h"
#include "disclose/texts.h"
#include "disclose/whole_group.h"
#include "drawn.h"

static struct policy policy_of(const char *profile)
{
    struct policy p;
    struct err e;
    assert_int_equal(policy_profile(profile, &p, &e), ST_OK);
    return p;
}

static const uint32_t places[] = {0, 1, 2, 3, 4, 5, 6, 7};
static struct result_level levels[] = {{"a", -1}, {"b", -1}, {"c", -1}, {"d", -1},
                                       {"e", -1}, {"f", -1}, {"g", -1}, {"h", -1}};

/* A table over one dimension of its own; n at most 8. */
static struct result_table *add(struct result *r, const char *name, enum output_type type, uint32_t n)
{
    struct result_table *t = result_add_table(r, name, name, type, 1, n);
    t->dimensions[0] = (struct result_dimension){arena_printf(r->arena, "of %s", name), levels, n, false};
    for (uint32_t i = 0; i < n; i++)
        t->cells[i].at = &places[i];
    return t;
}

/* Of n persons, the value; every other member is good enough for every rule. */
static void fill(struct result_cell *c, int64_t persons, double value)
{
    c->persons = c->level_persons = persons;
    c->event_persons = persons / 2;
    c->below = c->above = persons / 2;
    c->value = value;
    c->numerator = (double)(persons / 2);
    c->denominator = (double)persons;
    c->quantile = 0.5;
    c->top1 = c->top2 = 2 * fabs(value);
}

static void make_leave(struct result_table *t)
{
    t->persons = 1000;
    t->parameters = 3;
    t->degrees_of_freedom = 997;
}

static void make_model(struct result_table *t, const char *kind)
{
    struct js *notes = js_object();
    js_put_str(notes, "kind", kind);
    js_put_int(notes, "smallest_leaf", 50);
    js_put(notes, "train_auc", js_real(0.8));
    js_put(notes, "test_auc", js_real(0.79));
    t->notes = notes;
}

/* A table of each type; in each, where the type has that, a figure, one of 3 persons, and one without an
   estimate. */
static struct result *one_of_each(struct js **notes)
{
    struct result *r = result_new("one of each");
    for (int type = 0; type < OUTPUT_TYPES; type++) {
        struct result_table *t = add(r, output_type_name((enum output_type)type), (enum output_type)type, 3);
        make_leave(t);
        t->mean = type == OUTPUT_SUM;
        for (int i = 0; i < 3; i++) {
            fill(&t->cells[i], i == 1 ? 3 : 1000, 0.123456789);
            if (type == OUTPUT_COUNT)
                t->cells[i].value = (double)t->cells[i].persons;
            else if (i == 2)
                t->cells[i].value = NAN;
        }
        if (type == OUTPUT_SURVIVAL)
            for (int i = 0; i < 3; i++)
                t->cells[i].denominator = 1000 - 200 * i, t->cells[i].numerator = i == 1 ? 3 : 100;
    }
    make_model(&r->tables[OUTPUT_MODEL], "regression");
    r->tables[OUTPUT_TEST].persons = -1;
    *notes = (struct js *)(uintptr_t)r->tables[OUTPUT_MODEL].notes;
    return r;
}

static char *printed(const struct released *r)
{
    char *text;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    released_print(r, to);
    fclose(to);
    return text;
}

/* --- each type ------------------------------------------------------------------------------------------ */

static void every_type_leaves_as_its_rule_says(void **state)
{
    (void)state;
    static const char marks[OUTPUT_TYPES][4] = {
        [OUTPUT_COUNT] = "vcv",    [OUTPUT_RATE] = "vcx",       [OUTPUT_SUM] = "vcx",
        [OUTPUT_QUANTILE] = "vcx", [OUTPUT_EXTREME] = "ccc",    [OUTPUT_SURVIVAL] = "vcx",
        [OUTPUT_TEST] = "vcx",     [OUTPUT_REGRESSION] = "vcx", [OUTPUT_MODEL] = "vvx"};
    static const double shown[OUTPUT_TYPES] = {
        [OUTPUT_COUNT] = 1000,    [OUTPUT_RATE] = 0.123,    [OUTPUT_SUM] = 0.1235,
        [OUTPUT_QUANTILE] = 0.12, [OUTPUT_TEST] = 0.1235,   [OUTPUT_REGRESSION] = 0.1235,
        [OUTPUT_MODEL] = 0.1235,  [OUTPUT_SURVIVAL] = 0.123};
    struct js *notes;
    struct result *r = one_of_each(&notes);
    struct policy p = policy_of("sde-10");
    struct released *out = verified_release(r, &p);
    assert_int_equal(released_n_tables(out), OUTPUT_TYPES);
    for (int type = 0; type < OUTPUT_TYPES; type++) {
        const struct released_table *t = released_table(out, (uint32_t)type);
        for (int i = 0; i < 3; i++) {
            const char *mark = released_mark(&t->cells[i]);
            char is = mark ? mark[1] : 'v';
            if (is != marks[type][i])
                fail_msg("%s, cell %d: %c", t->name, i, is);
        }
        if (marks[type][0] == 'v')
            assert_true(t->cells[0].value == shown[type]);
    }
    released_free(out);
    result_free(r);
    js_free(notes);
}

/* The form that SACRO Viewer opens, for each: counts of what is flagged are those of the cells. */
static void every_type_is_in_the_results_of_sacro(void **state)
{
    (void)state;
    struct js *notes;
    struct result *r = one_of_each(&notes);
    struct policy p = policy_of("sde-10");
    struct released *out = verified_release(r, &p);
    struct js *j = sacro_json(out, "2026-01-01T00:00:00Z");
    for (uint32_t i = 0; i < released_n_tables(out); i++) {
        const struct released_table *t = released_table(out, i);
        const struct js *output = js_get(js_get(j, "results"), t->name),
                        *file = js_at(js_get(output, "files"), 0), *sdc = js_get(file, "sdc");
        assert_string_equal(js_get_str(output, "status"), "pass");
        assert_string_equal(js_get_str(output, "type"),
                            t->type == OUTPUT_REGRESSION ? "regression" : "table");
        assert_int_equal(js_get_int(js_get(sdc, "summary"), "threshold", -1), released_n_suppressed(t));
        assert_int_equal(js_get_int(js_get(sdc, "summary"), "missing", -1), released_n_not_estimated(t));
        assert_int_equal(js_size(js_get(js_get(sdc, "cells"), "threshold")), released_n_suppressed(t));
        assert_int_equal(js_size(js_get(js_get(sdc, "cells"), "missing")), released_n_not_estimated(t));
    }
    js_free(j);
    released_free(out);
    result_free(r);
    js_free(notes);
}

/* The document with one figure changed and its hash made to fit. */
static enum status verified_after(const struct released *r, uint32_t table, const char *member, double value)
{
    struct js *j = released_to_json(r), *changed = js_copy(j), *body = js_object();
    struct js *cell =
        (struct js *)(uintptr_t)js_at(js_get(js_at(js_get(changed, "tables"), table), "cells"), 0);
    struct js *record = (struct js *)(uintptr_t)js_get(changed, "record");
    char hex[2 * HASH_BYTES + 1];
    struct released *out = NULL;
    struct buf text;
    struct err e;
    buf_init(&text, 1 << 20);
    js_put(cell, member, js_number(value));
    js_put(body, "title", js_share(js_get(changed, "title")));
    js_put(body, "tables", js_share(js_get(changed, "tables")));
    assert_int_equal(js_canonical(body, &text, &e), ST_OK);
    sha256_hex(buf_slice(&text), hex);
    js_put_str(record, "tables_sha256", hex);
    enum status s = released_from_json(changed, &out, &e);
    if (s == ST_OK)
        s = released_verify(out, &e);
    released_free(out);
    buf_deinit(&text);
    js_free(body);
    js_free(changed);
    js_free(j);
    return s;
}

static void the_second_look_finds_a_forged_figure_of_every_type(void **state)
{
    (void)state;
    struct js *notes;
    struct result *r = one_of_each(&notes);
    struct policy p = policy_of("sde-10");
    struct released *out = verified_release(r, &p);
    for (uint32_t i = 0; i < OUTPUT_TYPES; i++) {
        assert_int_not_equal(verified_after(out, i, "value", 0.123456789), ST_OK);
        if (i == OUTPUT_EXTREME || i == OUTPUT_COUNT)
            continue;
        assert_int_not_equal(verified_after(out, i, "upper", 7.654321), ST_OK);
        assert_int_equal(verified_after(out, i, "value", 0.12), ST_OK); /* what the digits do not tell */
    }
    assert_int_not_equal(verified_after(out, OUTPUT_COUNT, "value", 7), ST_OK);
    released_free(out);
    result_free(r);
    js_free(notes);
}

/* --- what has no estimate ------------------------------------------------------------------------------- */

static void no_estimate_is_told_apart_everywhere(void **state)
{
    (void)state;
    struct result *r = result_new("a model");
    struct result_table *t = add(r, "m_ratios", OUTPUT_REGRESSION, 3);
    make_leave(t);
    t->unit = "odds ratio";
    t->picture = PICTURE_FOREST;
    for (int i = 0; i < 3; i++)
        fill(&t->cells[i], i == 1 ? 3 : 500, i == 2 ? (double)NAN : 1.5);
    struct policy p = policy_of("sde-10");
    struct released *out = verified_release(r, &p), *again;
    struct js *j = released_to_json(out);
    struct err e;
    struct buf text;
    buf_init(&text, 1 << 20);
    const struct js *cells = js_get(js_at(js_get(j, "tables"), 0), "cells");
    assert_true(js_bool(js_get(js_at(cells, 1), "hidden")) && !js_get(js_at(cells, 1), "not_estimated"));
    assert_true(js_bool(js_get(js_at(cells, 2), "not_estimated")) && !js_get(js_at(cells, 2), "hidden"));
    assert_int_equal(released_from_json(j, &again, &e), ST_OK);
    assert_true(released_table(again, 0)->cells[2].not_estimated);
    released_csv(released_table(out, 0), &text);
    assert_non_null(strstr(text.p, "b,,,,suppressed\nc,,,,not estimated\n"));
    buf_clear(&text);
    released_svg(out, 0, NULL, PICTURE_WIDE, &text);
    assert_non_null(strstr(text.p, "[x]: not available"));
    assert_non_null(strstr(text.p, "1 of 3 values are not available"));
    assert_non_null(strstr(text.p, "1 of 3 values are suppressed"));
    char *said = printed(out);
    assert_non_null(strstr(said, "[x] not available"));
    assert_non_null(strstr(said, "[c] suppressed"));
    free(said);
    buf_deinit(&text);
    js_free(j);
    released_free(again);
    released_free(out);
    result_free(r);
}

/* A figure without an estimate is none after a raw result was written and read either: left out it would be
   its persons. */
static void no_estimate_is_written_and_read(void **state)
{
    (void)state;
    struct result *r = result_new("a model"), *again;
    struct result_table *t = add(r, "m_ratios", OUTPUT_REGRESSION, 2);
    struct err e;
    make_leave(t);
    fill(&t->cells[0], 500, 1.5);
    fill(&t->cells[1], 500, NAN);
    add(r, "m_no_estimate", OUTPUT_TEST, 1)->no_estimate = NO_ESTIMATE_OF_NONE;
    struct js *j = result_to_json(r);
    assert_int_equal(result_from_json(j, &again, &e), ST_OK);
    assert_true(again->tables[0].cells[0].value == 1.5);
    assert_true(isnan(again->tables[0].cells[1].value));
    assert_int_equal(again->tables[1].no_estimate, NO_ESTIMATE_OF_NONE);
    js_free(j);
    result_free(again);
    result_free(r);
}

/* Nobody of 4 persons has the event: that must not leave, as a reason, where the 4 may not. */
static void a_reason_of_few_persons_stays_in(void **state)
{
    (void)state;
    static const struct {
        const char *profile;
        int64_t persons;
        enum no_estimate why;
        bool leaves;
    } cases[] = {{"sde-10", 4, NO_ESTIMATE_SAID, false},
                 {"sde-10", 0, NO_ESTIMATE_OF_NONE, false},
                 {"sde-10", 50, NO_ESTIMATE_OF_NONE, true},
                 {"ons-10-5", 50, NO_ESTIMATE_OF_NONE, false},
                 {"ons-10-5", 50, NO_ESTIMATE_SAID, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct result *r = result_new("a model");
        struct result_table *t = add(r, "other", OUTPUT_COUNT, 1);
        t->cells[0].value = (double)(t->cells[0].persons = 500);
        t = add(r, "m_no_estimate", OUTPUT_TEST, 1);
        t->title = "No estimate: nobody in the model has the event";
        t->no_estimate = cases[i].why;
        t->persons = t->cells[0].persons = cases[i].persons;
        t->cells[0].value = NAN;
        struct policy p = policy_of(cases[i].profile);
        struct released *out = verified_release(r, &p);
        char *said = printed(out);
        assert_int_equal(released_n_tables(out) == 2, cases[i].leaves);
        assert_int_equal(strstr(said, "nobody in the model") != NULL, cases[i].leaves);
        free(said);
        released_free(out);
        result_free(r);
    }
}

/* --- what is withheld ----------------------------------------------------------------------------------- */

static void a_table_that_may_not_leave_does_not_keep_the_others(void **state)
{
    (void)state;
    static const struct {
        enum output_type type;
        const char *kind;
        int64_t persons, parameters, freedom;
        const char *rule;
    } cases[] = {{OUTPUT_REGRESSION, NULL, 12, 4, 8, "too few degrees of freedom"},
                 {OUTPUT_REGRESSION, NULL, 30, 15, 15, "too many parameters"},
                 {OUTPUT_TEST, NULL, 12, -1, 9, "too few degrees of freedom"},
                 {OUTPUT_MODEL, "knn", 1000, 3, 997, "a model that holds its training data"},
                 {OUTPUT_MODEL, NULL, 1000, 3, 997, "leaves of too few persons"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct result *r = result_new("two");
        struct result_table *t = add(r, "first", cases[i].type, 2);
        t->persons = cases[i].persons;
        t->parameters = cases[i].parameters;
        t->degrees_of_freedom = cases[i].freedom;
        if (cases[i].kind)
            make_model(t, cases[i].kind);
        struct js *notes = (struct js *)(uintptr_t)t->notes;
        for (int k = 0; k < 2; k++)
            fill(&t->cells[k], 1000, 7.654);
        t = add(r, "second", OUTPUT_COUNT, 1);
        t->cells[0].value = (double)(t->cells[0].persons = 500);
        struct policy p = policy_of("sde-10");
        struct released *out = verified_release(r, &p);
        char *said = printed(out);
        assert_int_equal(released_n_tables(out), 1);
        assert_string_equal(released_table(out, 0)->name, "second");
        assert_string_equal(js_get_str(released_withheld(out, 0), "name"), "first");
        assert_string_equal(js_get_str(released_withheld(out, 0), "withheld"), cases[i].rule);
        assert_null(released_withheld(out, 1));
        assert_non_null(strstr(said, "withheld: first"));
        assert_null(strstr(said, "7.65"));
        free(said);
        released_free(out);
        r->n_tables = 1; /* and alone it is no release */
        struct err e;
        assert_int_equal(disclose_release(r, &p, NULL, &out, &e), ST_UNSAFE);
        assert_non_null(strstr(e.text, cases[i].rule));
        result_free(r);
        js_free(notes);
    }
}

/* Where zeros are not printed, neither is what says one: a share of none or of all, a curve's step without
   events, levels that are listed because somebody has them. */
static void zeros_are_not_told_another_way(void **state)
{
    (void)state;
    static const struct {
        double events;
        bool shown[2]; /* under sde-10, ons-10-5 */
    } rates[] = {{0, {true, false}}, {100, {true, false}}, {50, {true, true}}};
    static const char *const profiles[] = {"sde-10", "ons-10-5"};
    for (int k = 0; k < 2; k++) {
        struct policy p = policy_of(profiles[k]);
        struct result *r = result_new("zeros");
        struct result_table *t = add(r, "shares", OUTPUT_RATE, 3);
        for (int i = 0; i < 3; i++) {
            fill(&t->cells[i], 100, rates[i].events / 100);
            t->cells[i].numerator = rates[i].events;
            t->cells[i].event_persons = (int64_t)rates[i].events;
        }
        t = add(r, "paths", OUTPUT_COUNT, 2);
        t->found = true;
        for (int i = 0; i < 2; i++)
            t->cells[i].value = (double)(t->cells[i].persons = i ? 4 : 400);
        t = add(r, "curve", OUTPUT_SURVIVAL, 3);
        for (int i = 0; i < 3; i++) {
            fill(&t->cells[i], 1000 - 100 * i, i == 2 ? 0.9 : 1);
            t->cells[i].denominator = 1000 - 100 * i;
            t->cells[i].numerator = i == 2 ? 90 : 0;
        }
        struct released *out = verified_release(r, &p);
        for (int i = 0; i < 3; i++)
            assert_int_equal(!released_table(out, 0)->cells[i].hidden, rates[i].shown[k]);
        assert_int_equal(released_n_tables(out), k ? 2 : 3);
        t = NULL;
        const struct released_table *curve = released_table(out, released_n_tables(out) - 1);
        assert_int_equal(curve->cells[0].hidden, k == 1);
        assert_false(curve->cells[2].hidden);
        released_free(out);
        result_free(r);
    }
}

/* --- saturated models ----------------------------------------------------------------------------------- */

struct group {
    int64_t persons, events;
};

/* What a logistic model of two groups prints for the second beside the first; NaN where it is hidden. */
static double printed_odds(struct group own, struct group other, const struct policy *p)
{
    struct result *r = result_new("saturated");
    struct result_table *t = add(r, "m_ratios", OUTPUT_REGRESSION, 1);
    struct result_cell *c = &t->cells[0];
    make_leave(t);
    t->saturated = SATURATED_ODDS;
    double a = (double)own.events, b = (double)(own.persons - own.events), d = (double)other.events,
           f = (double)(other.persons - other.events), se = sqrt(1 / a + 1 / b + 1 / d + 1 / f);
    fill(c, own.persons + other.persons, a / b / (d / f));
    c->lower = c->value * exp(-1.96 * se);
    c->upper = c->value * exp(1.96 * se);
    c->level_persons = own.persons < other.persons ? own.persons : other.persons;
    c->numerator = fmin(a, d);
    c->denominator = (double)own.persons;
    c->event_persons = own.events;
    c->against = other.persons;
    c->against_events = other.events;
    struct released *out = verified_release(r, p);
    double value = released_table(out, 0)->cells[0].value;
    released_free(out);
    result_free(r);
    return value;
}

/* One grouping and nothing else is a table of shares: small cells of it are hidden, those of people without
   the event too, and what prints follows from the rounded counts alone. */
static void a_saturated_model_is_held_as_the_table_it_is(void **state)
{
    (void)state;
    struct policy p = policy_of("sde-10");
    assert_true(isnan(printed_odds((struct group){200, 195}, (struct group){300, 60}, &p)));
    assert_true(isnan(printed_odds((struct group){300, 60}, (struct group){200, 195}, &p)));
    assert_true(isnan(printed_odds((struct group){200, 4}, (struct group){300, 60}, &p)));
    double odds = printed_odds((struct group){200, 50}, (struct group){300, 60}, &p);
    assert_true(fabs(odds - (50.0 / 150) / (60.0 / 240)) < 0.005);
    for (int64_t n = 198; n <= 202; n++)
        for (int64_t k = 48; k <= 52; k++)
            assert_true(printed_odds((struct group){n, k}, (struct group){300, 60}, &p) == odds);
    assert_true(printed_odds((struct group){200, 53}, (struct group){300, 60}, &p) != odds);
}

static void a_mean_of_a_group_stays_in_and_a_difference_leaves(void **state)
{
    (void)state;
    struct result *r = result_new("saturated");
    struct result_table *t = add(r, "m_coefficients", OUTPUT_REGRESSION, 3);
    struct policy p = policy_of("sde-10");
    make_leave(t);
    t->saturated = SATURATED_MEANS;
    for (int i = 0; i < 3; i++) {
        fill(&t->cells[i], 500, 4.56789);
        t->cells[i].lower = 4;
        t->cells[i].upper = 5;
        t->cells[i].denominator = i == 2 ? 6 : 200;
        t->cells[i].against = i ? 300 : -1;
    }
    struct released *out = verified_release(r, &p);
    const struct released_cell *cells = released_table(out, 0)->cells;
    assert_true(cells[0].hidden && !cells[0].not_estimated && cells[2].hidden);
    assert_true(cells[1].value == 4.568);
    released_free(out);
    result_free(r);
}

static void a_perfect_fit_stays_in(void **state)
{
    (void)state;
    struct result *r = result_new("perfect");
    struct result_table *t = add(r, "m", OUTPUT_REGRESSION, 2);
    struct policy p = policy_of("sde-10");
    struct gate *g;
    struct err e;
    make_leave(t);
    for (int i = 0; i < 2; i++) {
        fill(&t->cells[i], 500, 2);
        t->cells[i].lower = t->cells[i].upper = 2;
    }
    assert_int_equal(gate_run(r, &p, &g, &e), ST_OK);
    assert_string_equal(g->withheld[0], "perfect fit");
    gate_free(g);
    t->cells[1].upper = 2.1;
    assert_int_equal(gate_run(r, &p, &g, &e), ST_OK);
    assert_null(g->withheld[0]);
    gate_free(g);
    result_free(r);
}

/* --- text ----------------------------------------------------------------------------------------------- */

static void text_that_looks_like_a_persons_data_is_shown_to_checkers(void **state)
{
    (void)state;
    static const char *const like[] = {"seen as 943 476 5919", "9434765919", "943-476-5919",
                                       "ask j.doe@nhs.net", "two\nlines"};
    static const char *const plain[] = {
        "",      "9434765918",   "12345678901234567890",       "94347659190", "at 10 @ 5", "a@b c.",
        "18-39", "drug 1332418", "COPD > 40 + m\xc3\xa4nnlich"};
    for (size_t i = 0; i < sizeof like / sizeof *like; i++)
        if (!text_like_data(like[i]))
            fail_msg("%s", like[i]);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (text_like_data(plain[i]))
            fail_msg("%s", plain[i]);
    struct result *r = result_new("t");
    struct result_table *t = add(r, "t", OUTPUT_COUNT, 2);
    struct result_level own[] = {{"943 476 5919", -1}, {"other", -1}};
    struct policy p = policy_of("sde-10");
    struct gate *g;
    struct err e;
    t->dimensions[0].levels = own;
    for (int i = 0; i < 2; i++)
        t->cells[i].value = (double)(t->cells[i].persons = 50);
    assert_int_equal(gate_run(r, &p, &g, &e), ST_OK);
    struct js *view = gate_view(g, NULL);
    assert_int_equal(js_size(js_get(view, "texts")), 1);
    assert_string_equal(js_get_str(js_at(js_get(view, "texts"), 0), "like"), "an NHS number");
    js_free(view);
    gate_free(g);
    result_free(r);
}

/* --- class disclosure ----------------------------------------------------------------------------------- */

static struct result_level two[] = {{"total", -1}, {"x", 0}, {"y", 0}};

/* All of row 1 are in one column; of row 2 some are in either. */
static void whole_groups_are_flagged_for_the_checker(void **state)
{
    (void)state;
    static const int64_t counts[3][3] = {{90, 70, 20}, {40, 40, 0}, {50, 30, 20}};
    static const char *const wanted[3][3] = {
        {NULL, NULL, NULL}, {NULL, "all of a group", "none of a group"}, {NULL, NULL, "all of a group"}};
    struct result *r = result_new("groups");
    struct result_table *t = result_add_table(r, "t", "t", OUTPUT_COUNT, 2, 9);
    t->dimensions[0] = (struct result_dimension){"row", two, 3, false};
    t->dimensions[1] = (struct result_dimension){"column", two, 3, false};
    for (uint32_t i = 0; i < 9; i++) {
        uint32_t *at = arena_array(r->arena, 2, sizeof *at);
        at[0] = i / 3;
        at[1] = i % 3;
        t->cells[i].at = at;
        t->cells[i].value = (double)(t->cells[i].persons = counts[i / 3][i % 3]);
    }
    t = add(r, "shares", OUTPUT_RATE, 3);
    for (int i = 0; i < 3; i++) {
        fill(&t->cells[i], 50, 0.5 * i);
        t->cells[i].event_persons = 25 * i;
        t->cells[i].numerator = 25 * i;
    }
    const char *const *flags = whole_groups(&r->tables[0], r->arena);
    for (int i = 0; i < 9; i++)
        if (wanted[i / 3][i % 3])
            assert_string_equal(flags[i], wanted[i / 3][i % 3]);
        else
            assert_null(flags[i]);
    flags = whole_groups(&r->tables[1], r->arena);
    assert_string_equal(flags[0], "none of a group");
    assert_null(flags[1]);
    assert_string_equal(flags[2], "all of a group");
    result_free(r);
}

/* What the flag says is hidden where a policy prints no zeros: neither the empty cell, nor the full one beside
   a total. */
static void whole_groups_are_hidden_where_zeros_are(void **state)
{
    (void)state;
    static const int64_t counts[] = {40, 40, 0};
    struct result *r = result_new("groups");
    struct result_table *t = add(r, "t", OUTPUT_COUNT, 3);
    t->dimensions[0].levels = two;
    for (int i = 0; i < 3; i++)
        t->cells[i].value = (double)(t->cells[i].persons = counts[i]);
    struct policy p = policy_of("ons-10-5");
    struct gate *g;
    struct err e;
    assert_int_equal(gate_run(r, &p, &g, &e), ST_OK);
    assert_int_equal(g->verdicts[0][2].mark, CELL_PRIMARY);
    assert_true(g->verdicts[0][0].mark != CELL_SHOWN || g->verdicts[0][1].mark != CELL_SHOWN);
    gate_free(g);
    result_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_leaves_as_its_rule_says),
        cmocka_unit_test(every_type_is_in_the_results_of_sacro),
        cmocka_unit_test(the_second_look_finds_a_forged_figure_of_every_type),
        cmocka_unit_test(no_estimate_is_told_apart_everywhere),
        cmocka_unit_test(no_estimate_is_written_and_read),
        cmocka_unit_test(a_reason_of_few_persons_stays_in),
        cmocka_unit_test(a_table_that_may_not_leave_does_not_keep_the_others),
        cmocka_unit_test(zeros_are_not_told_another_way),
        cmocka_unit_test(a_saturated_model_is_held_as_the_table_it_is),
        cmocka_unit_test(a_mean_of_a_group_stays_in_and_a_difference_leaves),
        cmocka_unit_test(a_perfect_fit_stays_in),
        cmocka_unit_test(text_that_looks_like_a_persons_data_is_shown_to_checkers),
        cmocka_unit_test(whole_groups_are_flagged_for_the_checker),
        cmocka_unit_test(whole_groups_are_hidden_where_zeros_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
