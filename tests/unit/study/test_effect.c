/* SPDX-License-Identifier: Apache-2.0
 *
 * comparative_effect over 2, 3 and 5 sites beside the pooled rows with a column for each site, by the
 * numerics of plain tables: scores, the four weightings, and the doubly robust estimate; and what matching
 * must do.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "pooled_fit.h"
#include "sites.h"
#include "stats/propensity.h"
#include "study/effect.h"

enum { SITE_PERSONS = 4000, MOST_ROWS = 20000, MOST_P = 24 };

static const char analysis[] = "{\"kind\": \"comparative_effect\", \"name\": \"t\", \"cohort\": "
                               "\"hypertension\", \"treatment\": {\"by\": "
                               "\"concept\", \"name\": \"ramipril\", \"concepts\": [1334456], \"window\": "
                               "[0, 0]}, \"outcome\": \"tia\", "
                               "\"window\": [1, 365], \"exclude_prior\": false, \"truncate\": 0.01, "
                               "\"covariates\": [\"sex\", {\"number\": "
                               "\"age\", \"per\": 10, \"centre\": 60}, {\"by\": \"concept\", \"name\": "
                               "\"diabetes\", \"concepts\": [201826], "
                               "\"window\": [null, 0]}]}";

/* The pooled rows: columns of the design, then one per site. */
struct pooled {
    size_t n, p, sites;
    double *x[MOST_P], y[MOST_ROWS], treated[MOST_ROWS];
};

static struct effect *parse(const struct study *study, struct arena *a)
{
    const struct js *document = study_document(study);
    const char *names[32];
    const struct js *definitions[32];
    struct err e;
    void *spec;
    size_t n = study_n_cohorts(study);
    for (size_t i = 0; i < n; i++) {
        names[i] = study_cohort_name(study, i);
        definitions[i] = js_get(js_at(js_get(document, "cohorts"), i), "definition");
    }
    struct analysis_scope scope = {"$", "t", names, definitions, n, a, NULL};
    if (analysis_find("comparative_effect")
            ->parse(js_at(js_get(document, "analyses"), 0), &scope, &spec, &e) != ST_OK)
        fail_msg("%s", e.text);
    return spec;
}

static void add_site(struct pooled *all, const struct effect *c, const struct study *study,
                     struct store *store, size_t number, struct arena *a)
{
    struct err e;
    struct site *site;
    struct index_rows rows;
    double *x;
    assert_int_equal(study_site_open(study, store, NULL, &site, &e), ST_OK);
    struct cohort_rows *cohorts = arena_array(a, study_n_cohorts(study), sizeof *cohorts);
    for (size_t i = 0; i < study_n_cohorts(study); i++)
        cohorts[i] = *study_site_cohort(site, i);
    struct study_site view = {.store = store,
                              .end_person = store_persons(store)->n,
                              .cohorts = cohorts,
                              .n_cohorts = study_n_cohorts(study)};
    index_rows_init(&cohorts[c->cohort], &rows);
    double *y = arena_array(a, rows.n + 1, sizeof *y), *treated = arena_array(a, rows.n + 1, sizeof *treated);
    uint16_t *level = arena_array(a, rows.n + 1, sizeof *level);
    assert_int_equal(outcome_values(&c->outcome, &view, &rows, y, treated, &e), ST_OK);
    assert_int_equal(dimension_levels(&c->treatment, &view, &rows, level, &e), ST_OK);
    struct parallel parallel[] = {{y, sizeof *y}, {level, sizeof *level}};
    assert_int_equal(design_matrix(&c->design, &view, &rows, parallel, 2, &x, &e), ST_OK);
    for (size_t i = 0; i < rows.n; i++) {
        assert_true(all->n < MOST_ROWS);
        for (size_t k = 0; k < c->design.p; k++)
            all->x[k][all->n] = x[i * c->design.p + k];
        for (size_t s = 0; s < all->sites; s++)
            all->x[c->design.p + s][all->n] = s == number;
        all->y[all->n] = y[i];
        all->treated[all->n++] = level[i];
    }
    free(x);
    index_rows_deinit(&rows);
    study_site_close(site);
}

static void fitted(const struct pooled *all, const double *y, const double *of, double want, bool logistic,
                   double *out, struct arena *a)
{
    pooled_fitted((const double *const *)all->x, all->n, all->p, y, of, want, logistic, out, a);
}

static const struct result_table *table(const struct result *r, const char *name)
{
    for (uint32_t i = 0; i < r->n_tables; i++)
        if (strcmp(r->tables[i].name, name) == 0)
            return &r->tables[i];
    fail_msg("no table %s", name);
    return NULL;
}

static void near(double computed, double expected)
{
    if (!(fabs(computed - expected) <= 1e-10 * fmax(1, fabs(expected))))
        fail_msg("%.17g, expected %.17g", computed, expected);
}

static void weightings_agree(const struct pooled *all, const double *score, const struct result_table *effect)
{
    static const enum estimand of[] = {ESTIMAND_ATE, ESTIMAND_ATT, ESTIMAND_OVERLAP};
    for (int k = 0; k < 3; k++) {
        double w[2] = {0}, wy[2] = {0};
        for (size_t i = 0; i < all->n; i++) {
            int arm = all->treated[i] != 0;
            double weight = propensity_weight(of[k], arm, fmin(fmax(score[i], 0.01), 0.99));
            w[arm] += weight;
            wy[arm] += weight * all->y[i];
        }
        const struct result_cell *cells = effect->cells + (ATE + k) * 4;
        near(cells[0].value, wy[1] / w[1]);
        near(cells[1].value, wy[0] / w[0]);
    }
}

static void doubly_robust_agrees(const struct pooled *all, const double *score, const double *m1,
                                 const double *m0, const struct result_table *effect)
{
    double sum = 0, squares = 0, n = (double)all->n;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < all->n; i++) {
            double e = fmin(fmax(score[i], 0.01), 0.99), t = all->treated[i],
                   part =
                       m1[i] - m0[i] + t * (all->y[i] - m1[i]) / e - (1 - t) * (all->y[i] - m0[i]) / (1 - e);
            sum += pass ? 0 : part;
            squares += pass ? (part - sum / n) * (part - sum / n) : 0;
        }
    const struct result_cell *cell = effect->cells + N_WEIGHTS * 4 + 2;
    near(cell->value, sum / n);
    near((cell->upper - cell->lower) / (2 * 1.959963984540054), sqrt(squares / (n - 1) / n));
}

static void cut_into(const struct sites *s, size_t sites)
{
    struct arena *a = arena_new();
    struct study *study = study_of(analysis);
    const struct effect *c = parse(study, a);
    struct pooled *all = arena_alloc(a, sizeof *all);
    *all = (struct pooled){.p = c->design.p + sites, .sites = sites};
    for (size_t k = 0; k < all->p; k++)
        all->x[k] = arena_array(a, MOST_ROWS, sizeof(double));
    for (size_t i = 0; i < sites; i++)
        add_site(all, c, study, s->site[i], i, a);
    double *score = arena_array(a, all->n, sizeof *score), *m1 = arena_array(a, all->n, sizeof *m1),
           *m0 = arena_array(a, all->n, sizeof *m0);
    fitted(all, all->treated, NULL, 0, true, score, a);
    fitted(all, all->y, all->treated, 1, false, m1, a);
    fitted(all, all->y, all->treated, 0, false, m0, a);
    struct result *r = run_over(study, s->site, sites, 0);
    const struct result_table *effect = table(r, "t_effect");
    weightings_agree(all, score, effect);
    doubly_robust_agrees(all, score, m1, m0, effect);
    result_free(r);
    study_free(study);
    arena_free(a);
}

static void sites_give_the_effects_of_the_pooled_rows(void **state)
{
    cut_into(*state, 1);
    cut_into(*state, 2);
    cut_into(*state, 3);
    cut_into(*state, 5);
}

/* Matched arms weigh the same, and are more alike than before. */
static void matching_balances(void **state)
{
    const struct sites *s = *state;
    struct study *study = study_of(analysis);
    struct result *r = run_over(study, s->site, 3, 0);
    const struct result_table *balance = table(r, "t_balance"), *size = table(r, "t_effective_size");
    double before = 0, after = 0;
    for (uint64_t i = 0; i < balance->n_cells; i++) {
        before += balance->cells[i].at[1] == UNWEIGHTED ? fabs(balance->cells[i].value) : 0;
        after += balance->cells[i].at[1] == MATCHED ? fabs(balance->cells[i].value) : 0;
    }
    assert_true(after < before / 2);
    near(size->cells[MATCHED * 2].value, size->cells[MATCHED * 2 + 1].value);
    result_free(r);
    study_free(study);
}

static int make(void **state)
{
    struct store *shuffled;
    *state = sites_make_shuffled(N_SITES, SITE_PERSONS, &shuffled);
    store_close(shuffled);
    return 0;
}

static int destroy(void **state)
{
    sites_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sites_give_the_effects_of_the_pooled_rows),
        cmocka_unit_test(matching_balances),
    };
    return cmocka_run_group_tests(tests, make, destroy);
}
