/* SPDX-License-Identifier: Apache-2.0
 *
 * What must hold for every analysis there is, over synthetic sites: the order of rows and of sites does not
 * show in a bit, and a site that is counted twice doubles counts and leaves rates and estimates as they are.
 * A kind that truth_study.json lacks fails the first test.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sites.h"
#include "study/analysis.h"

enum { THREE = 3, SITE_PERSONS = 2500 };

struct fixture {
    struct sites *sites;
    struct store *shuffled;
    struct study *study; /* every kind */
};

static int make(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->sites = sites_make_shuffled(THREE, SITE_PERSONS, &f->shuffled);
    f->study = truth_study((const char *const[]){NULL}, false);
    *state = f;
    return 0;
}

static int destroy(void **state)
{
    struct fixture *f = *state;
    store_close(f->shuffled);
    sites_free(f->sites);
    study_free(f->study);
    free(f);
    return 0;
}

static void every_kind_takes_part(void **state)
{
    const struct fixture *f = *state;
    for (const struct analysis *const *a = analyses; *a; a++) {
        size_t i = 0;
        while (i < study_n_analyses(f->study) && strcmp(study_analysis_kind(f->study, i), (*a)->kind) != 0)
            i++;
        if (i == study_n_analyses(f->study))
            fail_msg("no analysis of kind '%s' in truth_study.json", (*a)->kind);
    }
}

/* Table by table, to name the one that differs. */
static void assert_same(struct result *a, struct result *b)
{
    struct js *x = result_to_json(a), *y = result_to_json(b);
    const struct js *tables = js_get(x, "tables"), *others = js_get(y, "tables");
    assert_int_equal(js_size(tables), js_size(others));
    for (size_t i = 0; i < js_size(tables); i++)
        if (!js_equal(js_at(tables, i), js_at(others, i)))
            fail_msg("%s differs", js_get_str(js_at(tables, i), "name"));
    js_free(x);
    js_free(y);
    result_free(a);
    result_free(b);
}

static void the_order_of_rows_does_not_show(void **state)
{
    const struct fixture *f = *state;
    assert_same(run_over(f->study, f->sites->site, 1, 0), run_over(f->study, &f->shuffled, 1, 0));
}

static void the_order_of_sites_does_not_show(void **state)
{
    const struct fixture *f = *state;
    for (size_t first = 1; first < THREE; first++)
        assert_same(run_over(f->study, f->sites->site, THREE, 0),
                    run_over(f->study, f->sites->site, THREE, first));
}

/* Models have a site term or a baseline per site; all others are the same on the pooled rows. */
static void sites_equal_their_pooled_rows(void **state)
{
    static const char *const models[] = {"cox",        "fine_gray", "regression", "comparative_effect",
                                         "risk_model", NULL};
    const struct fixture *f = *state;
    struct study *study = truth_study(models, false);
    assert_same(run_over(study, f->sites->site, THREE, 0), run_over(study, &f->sites->pooled[THREE], 1, 0));
    study_free(study);
}

static void near(const struct result_table *t, double computed, double expected)
{
    if (!(fabs(computed - expected) <= 1e-8 * fabs(expected)) && !(isnan(computed) && isnan(expected)))
        fail_msg("%s: %.17g, expected %.17g", t->name, computed, expected);
}

static void assert_doubled(const struct result_table *once, const struct result_table *twice)
{
    assert_string_equal(once->name, twice->name);
    for (uint64_t i = 0; i < once->n_cells; i++) {
        const struct result_cell *a = &once->cells[i], *b = &twice->cells[i];
        if (once->type == OUTPUT_COUNT)
            near(once, b->value, 2 * a->value);
        if (once->type == OUTPUT_REGRESSION) {
            near(once, b->value, a->value);
            if (strstr(once->name, "coefficients"))
                near(once, (b->upper - b->lower) * sqrt(2), a->upper - a->lower);
        }
        if (once->type == OUTPUT_SURVIVAL)
            near(once, b->value, a->value);
    }
}

/* Each site's baseline and intercept are its own, so that its copy has the same; one baseline for both would
   have new ties. */
static void a_site_counted_twice_doubles_counts_and_keeps_estimates(void **state)
{
    static const char *const kinds[] = {"count",    "crosstab",   "incidence",          "survival", "cox",
                                        "pathways", "regression", "comparative_effect", NULL};
    const struct fixture *f = *state;
    struct study *study = truth_study(kinds, true);
    struct store *both[] = {f->sites->site[0], f->sites->site[0]};
    struct result *once = run_over(study, both, 1, 0), *twice = run_over(study, both, 2, 0);
    uint32_t compared = 0;
    assert_int_equal(once->n_tables, twice->n_tables);
    for (uint32_t i = 0; i < once->n_tables; i++) {
        if (strstr(once->tables[i].name, "common"))
            continue;
        assert_doubled(&once->tables[i], &twice->tables[i]);
        compared++;
    }
    assert_true(compared > 10);
    result_free(once);
    result_free(twice);
    study_free(study);
}

static const struct result_table *named(const struct result *r, const char *name)
{
    for (uint32_t i = 0; i < r->n_tables; i++)
        if (strcmp(r->tables[i].name, name) == 0)
            return &r->tables[i];
    fail_msg("no table %s", name);
    abort(); /* which fail_msg does not tell the compiler */
}

/* The coefficients of a model of age (so many years from `centre`, per `per`) and sex over the three sites. */
static void coefficients(const struct fixture *f, const char *model, double centre, double per, double *out,
                         size_t n)
{
    char text[600];
    snprintf(text, sizeof text,
             "{\"name\": \"t\", %s, \"covariates\": [\"sex\", {\"number\": \"age\", \"centre\": %g, \"per\": "
             "%g}]}",
             model, centre, per);
    struct study *study = study_of(text);
    struct result *r = run_over(study, f->sites->site, THREE, 0);
    const struct result_table *t = named(r, "t_coefficients");
    assert_int_equal(t->n_cells, n);
    for (size_t k = 0; k < n; k++)
        out[k] = t->cells[k].value;
    result_free(r);
    study_free(study);
}

static void close_to(double computed, double expected)
{
    if (!(fabs(computed - expected) <= 1e-9 * fmax(1, fabs(expected))) &&
        !(isnan(computed) && isnan(expected)))
        fail_msg("%.17g, expected %.17g", computed, expected);
}

/* Age from 60 instead of from 0 moves the intercept by 60 times its coefficient, and nothing else; per ten years
   it is ten times as large. Where the sites have intercepts or baselines of their own, nothing moves. */
static void a_constant_added_to_a_covariate_moves_only_the_intercept(void **state)
{
    static const char *const with[] = {"\"kind\": \"regression\", \"family\": \"logistic\", \"site_term\": "
                                       "false, \"cohort\": \"hypertension\","
                                       " \"outcome\": \"tia\", \"exclude_prior\": false",
                                       "\"kind\": \"regression\", \"family\": \"poisson\", \"site_term\": "
                                       "false, \"cohort\": \"hypertension\","
                                       " \"outcome\": \"tia\", \"exclude_prior\": false"};
    static const char *const without[] = {
        "\"kind\": \"regression\", \"family\": \"logistic\", \"cohort\": \"hypertension\", \"outcome\": "
        "\"tia\","
        " \"exclude_prior\": false",
        "\"kind\": \"cox\", \"cohort\": \"diabetes\", \"outcome\": \"admission\"",
        "\"kind\": \"fine_gray\", \"cohort\": \"diabetes\", \"outcome\": \"admission\", \"competing\": "
        "\"death\""};
    enum { INTERCEPT, SEX, OTHER, AGE, N };
    double from_0[N], from_60[N], tens[N];
    for (size_t m = 0; m < sizeof with / sizeof *with; m++) {
        coefficients(*state, with[m], 0, 1, from_0, N);
        coefficients(*state, with[m], 60, 1, from_60, N);
        coefficients(*state, with[m], 0, 10, tens, N);
        close_to(from_60[INTERCEPT], from_0[INTERCEPT] + 60 * from_0[AGE]);
        close_to(tens[AGE], 10 * from_0[AGE]);
        for (size_t k = SEX; k < N; k++)
            close_to(from_60[k], from_0[k]);
    }
    for (size_t m = 0; m < sizeof without / sizeof *without; m++) {
        coefficients(*state, without[m], 0, 1, from_0, N - 1);
        coefficients(*state, without[m], 60, 1, from_60, N - 1);
        coefficients(*state, without[m], 0, 10, tens, N - 1);
        close_to(tens[AGE - 1], 10 * from_0[AGE - 1]);
        for (size_t k = 0; k < N - 1; k++)
            close_to(from_60[k], from_0[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_takes_part),
        cmocka_unit_test(the_order_of_rows_does_not_show),
        cmocka_unit_test(the_order_of_sites_does_not_show),
        cmocka_unit_test(sites_equal_their_pooled_rows),
        cmocka_unit_test(a_site_counted_twice_doubles_counts_and_keeps_estimates),
        cmocka_unit_test(a_constant_added_to_a_covariate_moves_only_the_intercept),
    };
    return cmocka_run_group_tests(tests, make, destroy);
}
