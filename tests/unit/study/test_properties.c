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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_takes_part),
        cmocka_unit_test(the_order_of_rows_does_not_show),
        cmocka_unit_test(the_order_of_sites_does_not_show),
        cmocka_unit_test(sites_equal_their_pooled_rows),
        cmocka_unit_test(a_site_counted_twice_doubles_counts_and_keeps_estimates),
    };
    return cmocka_run_group_tests(tests, make, destroy);
}
