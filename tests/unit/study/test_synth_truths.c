/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole path from synthetic files over the store and the cohort engine to the analyses finds what accord
 * synth planted: each raw estimate lies within four of its own standard errors of the truth. The seed is
 * fixed, so a failure is a change and never bad luck.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "source/source.h"
#include "store/import.h"
#include "study/study.h"
#include "synth/synth.h"

enum { PERSONS = 60000 };
static char folder[] = "/tmp/accord-truths-XXXXXX";
static struct result *found;
static struct synth_summary planted;

static void must(enum status s, const struct err *e)
{
    if (s != ST_OK)
        fail_msg("%s (%s)", e->text, e->detail);
}

static void make_store(const char *data, const char *store_path)
{
    struct err e = {0};
    struct js *report = NULL;
    struct synth_options o = {
        .site = "Birmingham and Solihull", .folder = data, .persons = PERSONS, .seed = 5};
    must(synth_generate(&o, NULL, &planted, &e), &e);
    struct import_options import = {.source_name = "synth", .store = store_path};
    must(source_open_csv(data, &import.source, &e), &e);
    must(store_import(&import, &report, &e), &e);
    import.source->close(import.source);
    js_free(report);
}

static int make(void **state)
{
    struct err e = {0};
    struct study *study;
    struct store *store;
    struct site *site;
    (void)state;
    assert_non_null(mkdtemp(folder));
    char *data = xasprintf("%s/data", folder), *store_path = xasprintf("%s/store", folder);
    make_store(data, store_path);
    must(study_load(SOURCE_DIR "/tests/unit/study/synth_truths.json", &study, &e), &e);
    must(store_open(store_path, &store, &e), &e);
    must(study_site_open(study, store, NULL, &site, &e), &e);
    must(study_run_at(study, &site, 1, &found, &e), &e);
    study_site_close(site);
    store_close(store);
    study_free(study);
    free(data), free(store_path);
    return 0;
}

static int release(void **state)
{
    struct err e = {0};
    (void)state;
    result_free(found);
    must(dir_remove(folder, &e), &e);
    return 0;
}

static double truth(const char *name)
{
    for (size_t i = 0; i < planted.n_truths; i++)
        if (strcmp(planted.truths[i].name, name) == 0)
            return planted.truths[i].value;
    fail_msg("there is no truth '%s'", name);
    return 0;
}

/* The cell of a table whose last levels are `label` (and `before` in the dimension before, unless NULL). */
static const struct result_cell *cell(const char *table, const char *before, const char *label)
{
    for (uint32_t t = 0; t < found->n_tables; t++) {
        const struct result_table *in = &found->tables[t];
        if (strcmp(in->name, table) != 0)
            continue;
        const struct result_dimension *last = &in->dimensions[in->n_dimensions - 1];
        for (uint64_t i = 0; i < in->n_cells; i++)
            if (strcmp(last->levels[in->cells[i].at[in->n_dimensions - 1]].label, label) == 0 &&
                (!before || strcmp(in->dimensions[0].levels[in->cells[i].at[0]].label, before) == 0))
                return &in->cells[i];
    }
    fail_msg("there is no cell '%s' in '%s'", label, table);
    return NULL;
}

static void assert_near(double estimate, double lower, double upper, double expected)
{
    double error = (upper - lower) / (2 * 1.959964);
    assert_true(error > 0);
    if (!(fabs(estimate - expected) <= 4 * error))
        fail_msg("found %g (%g to %g), planted %g", estimate, lower, upper, expected);
}

static void assert_covers(const struct result_cell *c, double expected)
{
    assert_near(c->value, c->lower, c->upper, expected);
}

static void assert_ratio_covers(const struct result_cell *c, double expected)
{
    assert_near(log(c->value), log(c->lower), log(c->upper), log(expected));
}

static void test_cox_finds_the_hazard_ratio(void **state)
{
    (void)state;
    assert_ratio_covers(cell("hazard_ratios", NULL, "dapagliflozin: yes"), truth("hazard_ratio"));
}

static void test_logistic_regression_finds_the_odds_ratios(void **state)
{
    (void)state;
    assert_ratio_covers(cell("odds_ratios", NULL, "hypertension: yes"), truth("odds_ratio_hypertension"));
    assert_ratio_covers(cell("odds_ratios", NULL, "sex: female"), truth("odds_ratio_female"));
    assert_ratio_covers(cell("odds_ratios", NULL, "deprivation_quintile: 1 (most deprived)"),
                        truth("odds_ratio_most_deprived_fifth"));
    assert_ratio_covers(cell("odds_ratios", NULL, "deprivation_quintile: 3"), 1);
}

static void test_weighting_removes_the_confounding(void **state)
{
    (void)state;
    const struct result_cell *crude = cell("ramipril_effect", "unweighted", "risk difference");
    const char *const estimands[] = {"average effect", "effect in the treated", "overlap"};
    for (int i = 0; i < 3; i++)
        assert_covers(cell("ramipril_effect", estimands[i], "risk difference"), truth("risk_difference"));
    assert_true(crude->value < truth("risk_difference") - 0.01);
}

static void test_incidence_finds_the_rate(void **state)
{
    (void)state;
    const struct result_cell *c = cell("zoster_rate", NULL, "2018-01-01 to 2025-12-31");
    assert_near(c->value, c->lower, c->upper, 100 * truth("incidence_per_1000_person_years"));
}

static void test_differences_find_the_programme(void **state)
{
    (void)state;
    assert_covers(cell("programme_effect", NULL, "difference in differences"),
                  truth("difference_in_differences"));
}

static void test_inequality_finds_the_slope(void **state)
{
    (void)state;
    assert_covers(cell("copd_slope_indices", NULL, "slope index of inequality"),
                  truth("slope_index_of_inequality"));
    assert_ratio_covers(cell("copd_slope_indices", NULL, "relative index of inequality"),
                        truth("relative_index_of_inequality"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cox_finds_the_hazard_ratio),
        cmocka_unit_test(test_logistic_regression_finds_the_odds_ratios),
        cmocka_unit_test(test_weighting_removes_the_confounding),
        cmocka_unit_test(test_incidence_finds_the_rate),
        cmocka_unit_test(test_differences_find_the_programme),
        cmocka_unit_test(test_inequality_finds_the_slope),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, make, release);
}
