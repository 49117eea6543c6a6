/* SPDX-License-Identifier: Apache-2.0
 *
 * The study document is read strictly and its mistakes are explained with their path; parameters from another
 * machine are checked; sums survive the wire; estimates match published examples.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stats/competing.h"
#include "study/analysis.h"
#include "study/study.h"

#define COHORT                                                                                               \
    "{\"name\": \"a\", \"definition\": {\"ConceptSets\": [], \"PrimaryCriteria\": {\"CriteriaList\":"        \
    " [{\"ConditionOccurrence\": {}}], \"ObservationWindow\": {\"PriorDays\": 0, \"PostDays\": 0},"          \
    " \"PrimaryCriteriaLimit\": {\"Type\": \"First\"}}, \"InclusionRules\": [{\"name\": \"r\","              \
    " \"expression\": {\"Type\": \"ALL\", \"CriteriaList\": [], \"DemographicCriteriaList\": [],"            \
    " \"Groups\": []}}]}}"

/* Parses a study with these analyses; the error's text is left in e. */
static enum status parse(const char *analyses_text, struct study **out, struct err *e)
{
    char *text =
        xasprintf("{\"title\": \"T\", \"cohorts\": [%s], \"analyses\": [%s]}", COHORT, analyses_text);
    struct js *j;
    *out = NULL;
    enum status st = js_parse(slice_of(text), "study", &j, e);
    if (st == ST_OK) {
        st = study_parse(j, out, e);
        js_free(j);
    }
    free(text);
    return st;
}

static void refused(const char *analyses_text, const char *because)
{
    struct study *s;
    struct err e = {0};
    assert_int_not_equal(parse(analyses_text, &s, &e), ST_OK);
    assert_null(s);
    if (!strstr(e.text, because))
        fail_msg("'%s' does not say '%s'", e.text, because);
}

#define TABLE1 "{\"kind\": \"characterisation\", \"name\": \"x\", \"cohort\": \"a\", "

#define EFFECT                                                                                               \
    "{\"kind\": \"comparative_effect\", \"name\": \"x\", \"cohort\": \"a\", \"outcome\": \"a\", "            \
    "\"treatment\": "                                                                                        \
    "{\"by\": \"concept\", \"concepts\": [1]}, \"covariates\": [\"sex\"], "
#define CHANGE                                                                                               \
    "{\"kind\": \"before_after\", \"name\": \"x\", \"outcome\": \"a\", \"from\": \"2019-01-01\", \"to\": "   \
    "\"2022-12-31\", \"change\": \"2021-01-01\", \"reached\": {\"by\": \"cohort\", \"cohort\": \"a\"}, "

static void mistakes_are_explained_with_their_path(void **unused)
{
    (void)unused;
    refused("{\"kind\": \"cuont\", \"name\": \"x\", \"cohort\": \"a\"}",
            "$.analyses[0].kind: there is no analysis 'cuont', did you mean 'count'?");
    refused("{\"kind\": \"count\", \"name\": \"x\", \"chort\": \"a\"}", "$.analyses[0]");
    refused("{\"kind\": \"count\", \"name\": \"x\", \"chort\": \"a\"}", "cohort");
    refused("{\"kind\": \"count\", \"name\": \"x\", \"cohort\": \"b\"}", "'b' is not a cohort of this study");
    refused("{\"kind\": \"count\", \"name\": \"X Y\", \"cohort\": \"a\"}", "$.analyses[0].name");
    refused("{\"kind\": \"count\", \"name\": \"x\"}", "$.analyses[0].cohort: required");
    refused("{\"kind\": \"count\", \"name\": \"x\", \"cohort\": \"a\"}, {\"kind\": \"count\", \"name\": "
            "\"x\", \"cohort\": \"a\"}",
            "already an analysis called 'x'");
    refused("{\"kind\": \"crosstab\", \"name\": \"x\", \"cohort\": \"a\", \"by\": [\"sxe\"]}",
            "$.analyses[0].by[0].by: 'sxe'");
    refused("{\"kind\": \"crosstab\", \"name\": \"x\", \"cohort\": \"a\", \"by\": [\"sex\", \"sex\"]}",
            "'sex' is there twice");
    refused("{\"kind\": \"crosstab\", \"name\": \"x\", \"cohort\": \"a\", \"by\": [{\"by\": \"age_band\", "
            "\"cuts\": [40, 30]}]}",
            "must ascend");
    refused("{\"kind\": \"incidence\", \"name\": \"x\", \"outcome\": \"a\", \"from\": \"2020-13-01\", "
            "\"to\": \"2021-01-01\"}",
            "$.analyses[0].from: expected a date");
    refused("{\"kind\": \"incidence\", \"name\": \"x\", \"outcome\": \"a\", \"from\": \"2020-02-01\", "
            "\"to\": \"2020-11-01\"}",
            "no whole interval");
    refused("{\"kind\": \"prevalence\", \"name\": \"x\", \"outcome\": \"a\", \"from\": \"2020-01-01\", "
            "\"to\": \"2020-12-31\", \"washout_days\": 3}",
            "$.analyses[0].washout_days: is for incidence");
    refused("{\"kind\": \"regression\", \"family\": \"linear\", \"name\": \"x\", \"cohort\": \"a\", "
            "\"outcome\": \"a\", \"value\": {\"concepts\": [1]}, \"covariates\": [\"sex\"]}",
            "a linear model explains");
    refused("{\"kind\": \"survival\", \"name\": \"x\", \"cohort\": \"a\", \"outcome\": \"a\"}",
            "horizon_days: required");
    refused("{\"kind\": \"cox\", \"name\": \"x\", \"cohort\": \"a\", \"outcome\": \"a\", \"covariates\": "
            "[\"sex\"], "
            "\"baseline\": \"common\"}",
            "$.analyses[0].horizon_days: required");
    refused("{\"kind\": \"cox\", \"name\": \"x\", \"cohort\": \"a\", \"outcome\": \"a\", \"covariates\": "
            "[\"sex\"], "
            "\"step_days\": 7}",
            "$.analyses[0].step_days: belongs to");
    refused("{\"kind\": \"cox\", \"name\": \"x\", \"cohort\": \"a\", \"outcome\": \"a\", \"covariates\": []}",
            "$.analyses[0].covariates");
    refused("{\"kind\": \"inequality\", \"name\": \"x\", \"outcome\": \"a\", \"from\": \"2020-01-01\", "
            "\"to\": \"2020-01-01\", \"by\": \"sex\"}",
            "at least 5 ordered levels");
    refused("{\"kind\": \"regression\", \"family\": \"logistic\", \"name\": \"x\", \"cohort\": \"a\", "
            "\"outcome\": \"a\", \"covariates\": [{\"number\": \"age\", \"per\": 0}]}",
            "$.analyses[0].covariates[0].per");
    refused(EFFECT "\"negative_controls\": [\"a\"]}", "'a' is the outcome itself");
    refused(EFFECT "\"negative_controls\": [\"b\"]}", "'b' is not a cohort of this study");
    refused(EFFECT "\"strata\": 1}", "$.analyses[0].strata");
    refused(CHANGE "\"segmented\": true}", "8 whole intervals before and after the change");
    refused(CHANGE "\"lag\": 2}", "it belongs to \"segmented\"");
    refused(TABLE1 "\"domains\": \"everything\"}", "expected \"all\" or a list of condition");
    refused(TABLE1 "\"domains\": [\"drug\", \"drug\"]}", "'drug' is listed twice");
    refused(TABLE1 "\"by\": [\"sex\"], \"min_persons\": 20}", "it belongs to \"domains\"");
    refused(TABLE1 "\"domains\": [\"drug\"], \"min_persons\": 1}", "$.analyses[0].min_persons");
}

static void every_template_is_a_good_analysis(void **unused)
{
    (void)unused;
    for (const struct analysis *const *a = analyses; *a; a++) {
        struct js *j;
        struct err e = {0};
        assert_int_equal(js_parse(slice_of((*a)->template), "template", &j, &e), ST_OK);
        static const char *const names[] = {"target", "comparator", "outcome"};
        struct js *none = js_object();
        const struct js *definitions[] = {none, none, none};
        struct arena *arena = arena_new();
        struct analysis_scope scope = {"$", "t", names, definitions, 3, arena, NULL};
        void *spec;
        size_t n;
        if ((*a)->parse(j, &scope, &spec, &e) != ST_OK)
            fail_msg("%s: %s", (*a)->kind, e.text);
        assert_int_equal((*a)->size(spec, NULL, &n, &e), ST_OK);
        assert_in_range(n, 1, SUMS_MAX);
        arena_free(arena);
        js_free(none);
        js_free(j);
    }
}

static void cells_from_elsewhere_are_checked(void **unused)
{
    (void)unused;
    static const char *const cells[] = {"[]",     "[1, 2]", "[2, 2, 3]", "[3, 1]",
                                        "[0, 3]", "[1, 4]", "3",         "[1, 3]"};
    struct study *s;
    struct err e;
    assert_int_equal(
        parse("{\"kind\": \"cox\", \"name\": \"y\", \"cohort\": \"a\", \"outcome\": \"a\", \"baseline\": "
              "\"common\", \"horizon_days\": 21, \"covariates\": [{\"number\": \"age\"}]}",
              &s, &e),
        ST_OK);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        char text[200];
        struct js *j;
        size_t n;
        snprintf(
            text, sizeof text,
            "{\"round\": 2, \"analyses\": [{\"name\": \"y\", \"parameters\": {\"beta\": [0.1], \"shift\": 1, "
            "\"cells\": %s}}]}",
            cells[i]);
        assert_int_equal(js_parse(slice_of(text), "parameters", &j, &e), ST_OK);
        assert_int_equal(study_size(s, j, &n, &e),
                         i + 1 == sizeof cells / sizeof *cells ? ST_OK : ST_INVALID);
        js_free(j);
    }
    study_free(s);
}

static void the_hash_follows_content_not_layout(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "{\"title\": \"T\", \"cohorts\": [" COHORT
        "], \"analyses\": [{\"kind\": \"count\", \"name\": \"x\", \"cohort\": \"a\"}]}",
        "{ \"analyses\": [ {\"cohort\": \"a\", \"name\": \"x\", \"kind\": \"count\"} ],\n \"cohorts\": "
        "[" COHORT "], \"title\": \"T\" }",
        "{\"title\": \"U\", \"cohorts\": [" COHORT
        "], \"analyses\": [{\"kind\": \"count\", \"name\": \"x\", \"cohort\": \"a\"}]}"};
    char hash[3][2 * HASH_BYTES + 1];
    for (int i = 0; i < 3; i++) {
        struct js *j;
        struct study *s;
        struct err e;
        assert_int_equal(js_parse(slice_of(texts[i]), "study", &j, &e), ST_OK);
        assert_int_equal(study_parse(j, &s, &e), ST_OK);
        study_hash(s, hash[i]);
        study_free(s);
        js_free(j);
    }
    assert_string_equal(hash[0], hash[1]);
    assert_string_not_equal(hash[0], hash[2]);
}

static void parameters_from_elsewhere_are_checked(void **unused)
{
    (void)unused;
    static const char *const bad[] = {
        "{}",
        "{\"round\": 1, \"analyses\": []}",
        "{\"round\": 1, \"analyses\": [{\"name\": \"z\"}]}",
        "{\"round\": 1, \"analyses\": [{\"name\": \"y\"}, {\"name\": \"x\"}]}",
        "{\"round\": 1, \"analyses\": [{\"name\": \"x\", \"extra\": 1}]}",
        "{\"round\": 1, \"analyses\": [{\"name\": \"x\", \"parameters\": {}}]}",
        "{\"round\": 2, \"analyses\": [{\"name\": \"y\", \"parameters\": {\"beta\": [1, 2]}}]}",
        "{\"round\": 2, \"analyses\": [{\"name\": \"y\", \"parameters\": {\"beta\": [1e9]}}]}",
        "{\"round\": 2, \"analyses\": [{\"name\": \"y\", \"parameters\": {\"beta\": \"1\"}}]}",
    };
    struct study *s;
    struct err e;
    assert_int_equal(parse("{\"kind\": \"count\", \"name\": \"x\", \"cohort\": \"a\"}, {\"kind\": \"cox\", "
                           "\"name\": \"y\", \"cohort\": \"a\","
                           " \"outcome\": \"a\", \"covariates\": [{\"number\": \"age\"}]}",
                           &s, &e),
                     ST_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct js *j;
        size_t n;
        assert_int_equal(js_parse(slice_of(bad[i]), "parameters", &j, &e), ST_OK);
        assert_int_equal(study_size(s, j, &n, &e), ST_INVALID);
        js_free(j);
    }
    struct study_run *run = study_run_new(s);
    size_t n;
    assert_int_equal(study_size(s, study_run_parameters(run), &n, &e), ST_OK);
    sum_t *bounds = calloc(n, sizeof *bounds);
    assert_int_equal(study_bounds(s, study_run_parameters(run), bounds, n, &e), ST_OK);
    assert_true(bounds[0] == SUM_COUNT_BOUND && bounds[n - 1] == SUM_REAL_BOUND);
    struct sums wrong;
    sums_init(&wrong, n + 1);
    assert_int_equal(study_run_advance(run, &wrong, &e), ST_INVALID);
    assert_int_equal(study_run_round(run), 1);
    sums_deinit(&wrong);
    free(bounds);
    study_run_free(run);
    study_free(s);
}

static void found_concepts_from_elsewhere_are_checked(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "{\"bits\": 5, \"prefixes\": [[1, 2], [67108863]]}", /* the only good ones: 3 prefixes, 2 ids */
        "{\"bits\": 0, \"prefixes\": [[], [7, 2147483647]]}",
        "{}",
        "[]",
        "{\"bits\": 4, \"prefixes\": [[1], [2]]}",
        "{\"bits\": 25, \"prefixes\": [[1], [2]]}",
        "{\"bits\": -5, \"prefixes\": [[1], [2]]}",
        "{\"bits\": 5, \"prefixes\": [[1]]}",
        "{\"bits\": 5, \"prefixes\": [[2, 1], []]}",
        "{\"bits\": 5, \"prefixes\": [[1, 1], []]}",
        "{\"bits\": 5, \"prefixes\": [[67108864], []]}",
        "{\"bits\": 0, \"prefixes\": [[0], []]}",
        "{\"bits\": 0, \"prefixes\": [[-1], []]}",
        "{\"bits\": 0, \"prefixes\": [[1.5], []]}",
        "{\"bits\": 0, \"prefixes\": [[1], []], \"more\": 1}",
    };
    static const size_t sizes[] = {3 << 5, 3};
    struct study *s;
    struct err e;
    assert_int_equal(parse(TABLE1 "\"domains\": [\"drug\", \"condition\"]}", &s, &e), ST_OK);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct js *own, *all = js_object(), *list = js_array(), *one = js_object();
        size_t n;
        assert_int_equal(js_parse(slice_of(texts[i]), "parameters", &own, &e), ST_OK);
        js_put_str(one, "name", "x");
        js_put(one, "parameters", own);
        js_push(list, one);
        js_put_int(all, "round", 2);
        js_put(all, "analyses", list);
        assert_int_equal(study_size(s, all, &n, &e), i < 2 ? ST_OK : ST_INVALID);
        if (i < 2)
            assert_int_equal(n, sizes[i]);
        js_free(all);
    }
    study_free(s);
}

static void sums_survive_the_wire_and_refuse_what_is_not_finite(void **unused)
{
    (void)unused;
    struct sums a, b;
    struct err e;
    struct buf bytes;
    sums_init(&a, 4);
    sums_count(&a, 0, -3);
    sums_real(&a, 1, -1.0 / 3);
    sums_real(&a, 2, 0x1p52);
    sums_real(&a, 3, 1e-18);
    assert_true(fabs(sums_get_real(&a, 1) + 1.0 / 3) < 0x1p-60);
    buf_init(&bytes, 1000);
    sums_encode(&a, &bytes);
    assert_int_equal(sums_decode(buf_slice(&bytes), 4, &b, &e), ST_OK);
    assert_memory_equal(a.v, b.v, 4 * sizeof *a.v);
    sums_deinit(&b);
    assert_int_equal(sums_decode(buf_slice(&bytes), 5, &b, &e), ST_INVALID);
    assert_false(a.failed);
    sums_real(&a, 1, NAN);
    assert_true(a.failed);
    sums_deinit(&a);
    buf_deinit(&bytes);
}

/* Sums made by hand through an analysis's finish. */
struct finished {
    struct arena *arena;
    struct result *result;
};

static void finish(const char *specification, const int64_t *counts, size_t n, struct finished *out)
{
    struct js *j;
    struct err e = {0};
    static const char *const names[] = {"a"};
    static const struct js *const definitions[] = {NULL};
    out->arena = arena_new();
    struct analysis_scope scope = {"$", "t", names, definitions, 1, out->arena, NULL};
    assert_int_equal(js_parse(slice_of(specification), "specification", &j, &e), ST_OK);
    const struct analysis *a = analysis_find(js_get_str(j, "kind"));
    void *spec;
    size_t size;
    if (a->parse(j, &scope, &spec, &e) != ST_OK)
        fail_msg("%s", e.text);
    assert_int_equal(a->size(spec, NULL, &size, &e), ST_OK);
    assert_int_equal(size, n);
    struct sums total;
    sums_init(&total, n);
    for (size_t i = 0; i < n; i++)
        sums_count(&total, i, counts[i]);
    out->result = result_new("T");
    if (a->finish(spec, NULL, &total, NULL, out->result, &e) != ST_OK)
        fail_msg("%s", e.text);
    assert_int_equal(result_check(out->result, &e), ST_OK);
    sums_deinit(&total);
    js_free(j);
}

static void finished_free(struct finished *f)
{
    result_free(f->result);
    arena_free(f->arena);
}

/* Remission in weeks of 42 children with leukaemia (E. Freireich et al., Blood 21 (1963) 699), by week:
   events, competing, censored; the figures are those that textbooks and R's survfit and survdiff give. */
static void survival_of_the_leukaemia_trial_is_that_of_the_textbooks(void **unused)
{
    (void)unused;
    enum { WEEKS = 35 };
    static const int mercaptopurine[] = {6, 6, 6, 7, 10, 13, 16, 22, 23};
    static const int censored[] = {6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35};
    static const int placebo[] = {1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23};
    int64_t counts[2 * WEEKS * 3] = {0};
    for (size_t i = 0; i < sizeof mercaptopurine / sizeof(int); i++)
        counts[(WEEKS + mercaptopurine[i] - 1) * 3]++;
    for (size_t i = 0; i < sizeof censored / sizeof(int); i++)
        counts[(WEEKS + censored[i] - 1) * 3 + 2]++;
    for (size_t i = 0; i < sizeof placebo / sizeof(int); i++)
        counts[(placebo[i] - 1) * 3]++;
    struct finished f;
    finish("{\"kind\": \"survival\", \"name\": \"t\", \"cohort\": \"a\", \"outcome\": \"a\", "
           "\"horizon_days\": 35,"
           " \"step_days\": 1, \"by\": [{\"by\": \"cohort\", \"cohort\": \"a\"}]}",
           counts, 2 * WEEKS * 3, &f);
    const struct result_table *curve = &f.result->tables[0], *at_risk = &f.result->tables[1],
                              *mean = &f.result->tables[2], *test = &f.result->tables[3];
    /* On days 0, 7, 14, 21 and 28; within each group every set lies in the one before. */
    static const int64_t expected[2][5] = {{21, 12, 4, 2, 0}, {21, 16, 11, 7, 4}};
    assert_int_equal(at_risk->n_cells, 10);
    assert_true(at_risk->dimensions[1].nested && at_risk->picture == PICTURE_NONE);
    assert_string_equal(at_risk->dimensions[1].levels[2].label, "day 14");
    for (int i = 0; i < 10; i++)
        assert_int_equal(at_risk->cells[i].persons, expected[i / 5][i % 5]);
    assert_true(curve->picture == PICTURE_SURVIVAL);
    const struct result_cell *week6 = &curve->cells[WEEKS + 5], *week23 = &curve->cells[WEEKS + 22];
    assert_true(fabs(week6->value - 18.0 / 21) < 1e-12);
    assert_int_equal(week6->persons, 21);
    assert_true(fabs(week23->value - 0.448179271708683) < 1e-12);
    assert_true(fabs(week6->lower - 0.6197179552659839) < 1e-12 &&
                fabs(week6->upper - 0.9515517476469970) < 1e-12);
    assert_true(fabs(test->cells[0].value - 16.79294098921653) < 1e-10);
    assert_true(fabs(test->cells[1].value - 1) < 1e-12);
    assert_true(fabs(mean->cells[0].value - 182.0 / 21) < 1e-10);
    assert_true(fabs(mean->cells[1].value - 23.28739495798319) < 1e-10);
    assert_true(fabs(mean->cells[1].upper - mean->cells[1].value - 1.959963984540054 * 2.82746762337144) <
                1e-10);
    finished_free(&f);
}

/* Counts per group and day, and the same people as rows for src/stats, which has R's digits. */
enum { DAYS = 40, ARMS = 3, PEOPLE = ARMS * DAYS * 3 * 4 };
struct people {
    int64_t counts[ARMS * DAYS * 3];
    double time[PEOPLE];
    int state[PEOPLE];
    uint32_t group[PEOPLE];
    size_t n, of_first;
};

/* The third group is empty, as "unknown" often is. */
static struct people *people_make(void)
{
    static const int states[] = {1, 2, 0};
    struct people *p = calloc(1, sizeof *p);
    for (size_t i = 0; i < 2 * DAYS * 3; i++) {
        p->counts[i] = (int64_t)((i * 7 + i / 11) % 4);
        for (int64_t k = 0; k < p->counts[i]; k++) {
            p->time[p->n] = (double)(i / 3 % DAYS) + 1;
            p->state[p->n] = states[i % 3];
            p->group[p->n++] = (uint32_t)(i / 3 / DAYS);
        }
        p->of_first = i < DAYS * 3 ? p->n : p->of_first;
    }
    return p;
}

static void competing_risks_have_the_incidence_and_the_test_of_rows(void **unused)
{
    (void)unused;
    struct people *p = people_make();
    struct finished f;
    struct arena *a = arena_new();
    struct cif_row *rows;
    finish("{\"kind\": \"survival\", \"name\": \"t\", \"cohort\": \"a\", \"outcome\": \"a\", \"competing\": "
           "\"a\","
           " \"horizon_days\": 40, \"step_days\": 1, \"by\": [{\"by\": \"measurement\", \"concepts\": [1],"
           " \"cuts\": [1]}]}",
           p->counts, ARMS * DAYS * 3, &f);
    assert_int_equal(f.result->n_tables, 6);
    const struct result_table *incidence = &f.result->tables[1], *gray = &f.result->tables[5];
    size_t n = cif_curve(p->time, p->state, p->of_first, 1, 0.95, a, &rows);
    assert_true(n > 20);
    for (size_t i = 0; i < n; i++) {
        const struct result_cell *c = &incidence->cells[(size_t)rows[i].time - 1];
        assert_true(fabs(c->value - rows[i].incidence) < 1e-12 * rows[i].incidence);
        assert_true(fabs(c->lower - rows[i].lower) < 1e-10 * rows[i].lower);
        assert_true(fabs(c->upper - rows[i].upper) < 1e-10 * rows[i].upper);
    }
    struct test expected = cif_gray_test(p->time, p->state, p->group, p->n, 2, 1, 0);
    assert_string_equal(gray->name, "t_gray");
    assert_true(fabs(gray->cells[0].value - expected.statistic) < 1e-10 * expected.statistic);
    assert_true(gray->cells[1].value == 1 && expected.statistic > 0.001);
    arena_free(a);
    finished_free(&f);
    free(p);
}

static void all_censored_gives_a_survival_of_one(void **unused)
{
    (void)unused;
    int64_t counts[3 * 3] = {0, 0, 5, 0, 0, 7, 0, 0, 9};
    struct finished f;
    finish("{\"kind\": \"survival\", \"name\": \"t\", \"cohort\": \"a\", \"outcome\": \"a\", "
           "\"horizon_days\": 3, \"step_days\": 1}",
           counts, 9, &f);
    for (int i = 0; i < 3; i++)
        assert_true(f.result->tables[0].cells[i].value == 1);
    finished_free(&f);
}

/* Five groups of 1,000, one interval: persons, days, events, persons with events; the sixth is unknown. */
static void inequality_of_equal_groups_is_nothing_and_of_a_slope_the_slope(void **unused)
{
    (void)unused;
    static const char spec[] =
        "{\"kind\": \"inequality\", \"name\": \"t\", \"measure\": \"prevalence\", \"outcome\": \"a\","
        " \"from\": \"2020-01-01\", \"to\": \"2020-01-01\", \"by\": \"deprivation_quintile\"}";
    for (int slope = 0; slope <= 10; slope += 10) {
        int64_t counts[6 * 4] = {0};
        for (int g = 0; g < 5; g++) {
            counts[g * 4] = counts[g * 4 + 1] = 1000;
            counts[g * 4 + 2] = counts[g * 4 + 3] = 100 - slope * g;
        }
        struct finished f;
        finish(spec, counts, 24, &f);
        const struct result_cell *index = f.result->tables[1].cells;
        assert_true(fabs(index[0].value + slope * 0.005) < 1e-12);
        assert_true(fabs(index[1].value - (slope ? 0.055 / 0.105 : 1)) < 1e-12);
        assert_true(index[0].lower < index[0].value && index[0].value < index[0].upper);
        assert_true(fabs(index[2].value + slope * 0.004) < 1e-12);
        assert_true(fabs(index[4].value + slope * 0.01) < 1e-12);
        finished_free(&f);
    }
}

/* Mortality of 1 in 100 a year at every age: exponential but for the bands, so e is 100 less what the bands'
   halves cost; the whole and each of two equal groups agree, and one death in the open band is too few. */
static void life_tables_are_those_of_their_deaths(void **unused)
{
    (void)unused;
    int64_t counts[3 * 21 * 4] = {0}; /* male, female, other; 20 bands and unknown */
    for (int g = 0; g < 2; g++)
        for (int band = 0; band < 20; band++) {
            int64_t *at = counts + (g * 21 + band) * 4;
            at[0] = 2000;
            at[1] = 146100000; /* days of 400,000 years */
            at[2] = at[3] = 4000;
        }
    struct finished f;
    finish("{\"kind\": \"life_expectancy\", \"name\": \"t\", \"outcome\": \"a\", \"from\": \"2020-01-01\","
           " \"to\": \"2020-12-31\", \"by\": \"sex\", \"ages\": [0, 65, 90]}",
           counts, 3 * 21 * 4, &f);
    const struct result_table *t = &f.result->tables[0];
    assert_int_equal(t->n_cells, 4 * 3);
    for (int row = 0; row < 3; row++) {
        assert_true(fabs(t->cells[row * 3 + 2].value - 100) < 1e-9);
        assert_true(fabs(t->cells[row * 3].value - 99.97) < 0.05);
        assert_true(t->cells[row * 3].lower < 99.9 && t->cells[row * 3].upper > 100);
        assert_true(t->cells[row * 3].value == t->cells[0].value);
    }
    assert_int_equal(t->cells[0].persons, 2 * 20 * 2000);
    assert_true(isnan(t->cells[9].value)); /* nobody there */
    finished_free(&f);
}

/* Eighteen months of 100 and six of 200 in 1,000 years: limits from the first 12, the rise is above them; the
   month before it lies above the mean and makes a run of 7. */
static void a_control_chart_sees_a_rise(void **unused)
{
    (void)unused;
    int64_t counts[24 * 4];
    for (int i = 0; i < 24; i++) {
        int64_t events = i < 18 ? 100 + (i % 2 ? 4 : -4) : 200;
        int64_t month[4] = {12000, 365250, events, events};
        memcpy(counts + (ptrdiff_t)i * 4, month, sizeof month);
    }
    struct finished f;
    finish("{\"kind\": \"control_chart\", \"name\": \"t\", \"outcome\": \"a\", \"from\": \"2020-01-01\","
           " \"to\": \"2021-12-31\", \"multiplier\": 1000, \"fix_after\": 12, \"cusum_ratio\": 1.5}",
           counts, 24 * 4, &f);
    const struct result_table *t = &f.result->tables[0];
    assert_int_equal(t->n_cells, 24 * 6);
    for (int i = 0; i < 24; i++) {
        const struct result_cell *c = t->cells + (ptrdiff_t)i * 6;
        assert_true(fabs(c[1].value - 100) < 1e-9 && fabs(c[3].value - c[1].value - 2.66 * 8) < 1e-9);
        assert_true(c[4].value == (i >= 17 ? 1 : 0));
        assert_true(i < 18 ? c[5].value < 1
                           : c[5].value > 10); /* 104 log 1.5 - 50 < 0; 200 log 1.5 - 50 = 31 */
    }
    finished_free(&f);
}

/* One month with 3 events: what the other months and the mean would give away is held by the least of them.
 */
static void limits_rest_on_the_least_interval(void **unused)
{
    (void)unused;
    int64_t counts[12 * 4];
    for (int i = 0; i < 12; i++) {
        int64_t month[4] = {12000, 365250, i == 5 ? 3 : 100, i == 5 ? 3 : 100};
        memcpy(counts + (ptrdiff_t)i * 4, month, sizeof month);
    }
    struct finished f;
    finish("{\"kind\": \"control_chart\", \"name\": \"t\", \"outcome\": \"a\", \"from\": \"2020-01-01\","
           " \"to\": \"2020-12-31\"}",
           counts, 12 * 4, &f);
    for (int i = 0; i < 12; i++)
        for (int k = 1; k < 5; k++)
            assert_int_equal(f.result->tables[0].cells[i * 5 + k].event_persons, 3);
    finished_free(&f);
}

static void rates_have_exact_intervals(void **unused)
{
    (void)unused;
    int64_t counts[4] = {900, 1461000, 12, 11}; /* 4,000 years */
    struct finished f;
    finish("{\"kind\": \"incidence\", \"name\": \"t\", \"outcome\": \"a\", \"from\": \"2020-01-01\", \"to\": "
           "\"2020-12-31\"}",
           counts, 4, &f);
    const struct result_cell *c = f.result->tables[0].cells;
    assert_true(fabs(c->value - 300) < 1e-9);
    assert_true(fabs(c->lower - 155.014377718055) < 1e-9 && fabs(c->upper - 524.039626204424) < 1e-9);
    assert_int_equal(c->event_persons, 11);
    finished_free(&f);
}

static void variation_of_three_units_lies_within_the_funnel(void **unused)
{
    (void)unused;
    int64_t counts[5 * 4] = {0};
    for (int u = 0; u < 3; u++) {
        counts[u * 4] = counts[u * 4 + 1] = 1000;
        counts[u * 4 + 2] = counts[u * 4 + 3] = 90 + 10 * u;
    }
    struct finished f;
    finish("{\"kind\": \"variation\", \"name\": \"t\", \"measure\": \"prevalence\", \"outcome\": \"a\", "
           "\"from\":"
           " \"2020-01-01\", \"to\": \"2020-01-01\", \"units\": {\"by\": \"care_site\", \"levels\": "
           "[{\"label\": \"p\","
           " \"ids\": [1]}, {\"label\": \"q\", \"ids\": [2]}, {\"label\": \"r\", \"ids\": [3]}]}}",
           counts, 20, &f);
    const struct result_table *ratios = &f.result->tables[0], *funnel = &f.result->tables[1];
    for (int u = 0; u < 3; u++) {
        assert_true(fabs(ratios->cells[u].value - (0.9 + 0.1 * u)) < 1e-12);
        const struct result_cell *limits = &funnel->cells[5 * u];
        assert_true(fabs(limits[4].value - 100) < 1e-9); /* 1,000 people at the share of all */
        assert_true(limits[0].value < limits[1].value && limits[2].value < limits[3].value);
        assert_true(fabs(limits[1].value - 0.8136399125) < 1e-9 && limits[2].value > 1.1);
    }
    finished_free(&f);
}

/* Eleven units with shares 0.10, 0.11, ... 0.20: the deciles are the inner nine; the least has 100 cases. */
static void deciles_lie_over_the_units(void **unused)
{
    (void)unused;
    enum { UNITS = 11 };
    int64_t counts[(UNITS + 2) * 4] = {0};
    struct buf spec;
    struct finished f;
    buf_init(&spec, 4096);
    buf_adds(&spec,
             "{\"kind\": \"variation\", \"name\": \"t\", \"measure\": \"prevalence\", \"outcome\": \"a\","
             " \"from\": \"2020-01-01\", \"to\": \"2020-01-01\", \"units\": {\"by\": \"care_site\", "
             "\"levels\": [");
    for (int u = 0; u < UNITS; u++) {
        counts[u * 4] = counts[u * 4 + 1] = 1000;
        counts[u * 4 + 2] = counts[u * 4 + 3] = 200 - 10 * u;
        buf_printf(&spec, "%s{\"label\": \"u%d\", \"ids\": [%d]}", u ? ", " : "", u, u);
    }
    buf_adds(&spec, "]}}");
    finish(spec.p, counts, (UNITS + 2) * 4, &f);
    const struct result_table *deciles = &f.result->tables[2];
    assert_int_equal(deciles->n_cells, 9);
    for (int k = 0; k < 9; k++) {
        assert_true(fabs(deciles->cells[k].value - (0.11 + 0.01 * k)) < 1e-12);
        assert_int_equal(deciles->cells[k].event_persons, 100);
    }
    finished_free(&f);
    buf_deinit(&spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deciles_lie_over_the_units),
        cmocka_unit_test(mistakes_are_explained_with_their_path),
        cmocka_unit_test(every_template_is_a_good_analysis),
        cmocka_unit_test(the_hash_follows_content_not_layout),
        cmocka_unit_test(parameters_from_elsewhere_are_checked),
        cmocka_unit_test(cells_from_elsewhere_are_checked),
        cmocka_unit_test(found_concepts_from_elsewhere_are_checked),
        cmocka_unit_test(sums_survive_the_wire_and_refuse_what_is_not_finite),
        cmocka_unit_test(survival_of_the_leukaemia_trial_is_that_of_the_textbooks),
        cmocka_unit_test(competing_risks_have_the_incidence_and_the_test_of_rows),
        cmocka_unit_test(all_censored_gives_a_survival_of_one),
        cmocka_unit_test(life_tables_are_those_of_their_deaths),
        cmocka_unit_test(a_control_chart_sees_a_rise),
        cmocka_unit_test(limits_rest_on_the_least_interval),
        cmocka_unit_test(inequality_of_equal_groups_is_nothing_and_of_a_slope_the_slope),
        cmocka_unit_test(rates_have_exact_intervals),
        cmocka_unit_test(variation_of_three_units_lies_within_the_funnel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
