/* SPDX-License-Identifier: Apache-2.0
 *
 * Proportional hazards over sites beside the Cox model of src/stats on the pooled rows (which has R's
 * digits): the test of proportional hazards, one baseline on a common grid, and cells that show nobody.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "stats/cox.h"
#include "stats/linalg.h"
#include "study/hazards.h"
#include "../../lib/random.h"

enum { ROWS = 900, P = 3, SITES = 3, STEP = 30, STEPS = 20, TERMS = 2 };

static const size_t term_of[P] = {0, 1, 1};
static const bool none_aliased[P];

struct rows {
    double x[ROWS * P], column[P][ROWS], time[ROWS];
    int32_t days[ROWS];
    uint8_t event[ROWS];
    int status[ROWS];
    uint32_t site[ROWS];
};

static struct rng seed = {14};

/* Rows in descending days; the first column's hazard ratio falls with time. */
static struct rows *make_rows(void)
{
    struct rows *r = calloc(1, sizeof *r);
    for (size_t i = 0; i < ROWS; i++) {
        double *x = r->x + i * P, share = (double)i / ROWS;
        x[0] = random_uniform(&seed) < 0.5;
        x[1] = 2 * random_uniform(&seed) - 1;
        x[2] = random_uniform(&seed) < 0.3;
        r->days[i] = (int32_t)((1 - share) * STEP * STEPS) + 1;
        if (r->days[i] > STEP * STEPS)
            r->days[i] = STEP * STEPS;
        r->event[i] = random_uniform(&seed) < 0.3 + 0.4 * x[0] * share + 0.2 * x[2];
        r->status[i] = r->event[i];
        r->site[i] = (uint32_t)(random_uniform(&seed) * SITES);
        for (size_t k = 0; k < P; k++)
            r->column[k][i] = x[k];
    }
    return r;
}

/* The rows of a site, packed. */
static struct hazard_data site_rows(const struct rows *r, uint32_t site, struct rows *own)
{
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        if (r->site[i] == site) {
            memcpy(own->x + n * P, r->x + i * P, P * sizeof(double));
            own->days[n] = r->days[i];
            own->event[n++] = r->event[i];
        }
    return (struct hazard_data){n, P, own->x, own->days, own->event};
}

static struct cox_data pooled(const struct rows *r, const double **columns, bool by_site)
{
    for (size_t k = 0; k < P; k++)
        columns[k] = r->column[k];
    return (struct cox_data){.rows = {ROWS, NULL, r->time, r->status, NULL},
                             .p = P,
                             .x = columns,
                             .stratum = by_site ? r->site : NULL};
}

static struct cox_fit pooled_fit(const struct cox_data *d, struct arena *a, struct test *tests)
{
    static const char *const names[P] = {"a", "b", "c"};
    struct cox_fit fit;
    struct err e;
    assert_int_equal(cox_fit(d, COX_EFRON, names, a, &fit, &e), ST_OK);
    cox_zph(d, &fit, COX_EFRON, COX_IDENTITY, term_of, TERMS, tests);
    return fit;
}

static void assert_near(double computed, double expected, double tolerance)
{
    if (!(fabs(computed - expected) <= tolerance * fabs(expected)))
        fail_msg("%.17g, expected %.17g", computed, expected);
}

static void assert_tests(const struct test *computed, const struct test *expected)
{
    for (int t = 0; t <= TERMS; t++) {
        assert_near(computed[t].statistic, expected[t].statistic, 1e-9);
        assert_near(computed[t].p, expected[t].p, 1e-8);
        assert_true(computed[t].df == expected[t].df);
    }
    assert_true(expected[0].statistic > 2 && expected[TERMS].df == P);
}

static void the_test_over_sites_is_that_of_the_stratified_pooled_rows(void **unused)
{
    (void)unused;
    struct rows *r = make_rows(), *own = calloc(1, sizeof *own);
    struct arena *a = arena_new();
    const double *columns[P];
    struct test expected[TERMS + 1], computed[TERMS + 1];
    double *sums = calloc(hazard_test_size(P), sizeof *sums);
    for (size_t i = 0; i < ROWS; i++)
        r->time[i] = r->days[i];
    struct cox_data whole = pooled(r, columns, true);
    struct cox_fit fit = pooled_fit(&whole, a, expected);
    for (uint32_t s = 0; s < SITES; s++) {
        struct hazard_data d = site_rows(r, s, own);
        hazard_test_sums(&d, fit.beta, TRANSFORM_IDENTITY, sums);
    }
    hazard_tests(P, sums, none_aliased, term_of, TERMS, computed);
    assert_tests(computed, expected);
    free(sums);
    arena_free(a);
    free(own);
    free(r);
}

/* Totals of all sites at beta. */
static void add_sites(const struct rows *r, struct rows *own, const struct grid *g, const double *beta,
                      double *cells)
{
    memset(cells, 0, grid_size(g) * sizeof *cells);
    for (uint32_t s = 0; s < SITES; s++) {
        struct hazard_data d = site_rows(r, s, own);
        grid_sums(g, &d, beta, 0.3, cells);
    }
}

static void one_baseline_on_a_grid_is_the_pooled_fit_of_grid_times(void **unused)
{
    (void)unused;
    struct rows *r = make_rows(), *own = calloc(1, sizeof *own);
    struct arena *a = arena_new();
    const double *columns[P];
    double end[STEPS], beta[P] = {0}, gradient[P], information[P * P], inverse[P * P];
    bool aliased[P];
    struct test expected[TERMS + 1], computed[TERMS + 1];
    struct grid g = {P, STEPS, end};
    for (int c = 0; c < STEPS; c++)
        end[c] = (c + 1) * STEP;
    for (size_t i = 0; i < ROWS; i++)
        r->time[i] = (r->days[i] + STEP - 1) / STEP * STEP;
    struct cox_data whole = pooled(r, columns, false);
    struct cox_fit fit = pooled_fit(&whole, a, expected);
    double *cells = calloc(grid_size(&g), sizeof *cells), *sums = calloc(hazard_test_size(P), sizeof *sums),
           log_likelihood = 0;
    for (int step = 0; step < 20; step++) {
        add_sites(r, own, &g, beta, cells);
        log_likelihood = grid_at(&g, cells, beta, 0.3, TRANSFORM_IDENTITY, gradient, information,
                                 step == 19 ? sums : NULL);
        ldl_factor(information, P, 1e-12, aliased);
        ldl_inverse(information, P, aliased, inverse);
        ldl_solve(information, P, aliased, gradient);
        for (size_t k = 0; k < P; k++)
            beta[k] += gradient[k];
    }
    assert_near(log_likelihood, fit.log_likelihood, 1e-12);
    for (size_t k = 0; k < P; k++) {
        assert_near(beta[k], fit.beta[k], 1e-10);
        assert_near(inverse[k * P + k], fit.covariance[k * P + k], 1e-10);
    }
    hazard_tests(P, sums, none_aliased, term_of, TERMS, computed);
    assert_tests(computed, expected);
    free(cells);
    free(sums);
    arena_free(a);
    free(own);
    free(r);
}

static void an_aliased_column_takes_no_part_in_the_test(void **unused)
{
    (void)unused;
    struct rows *r = make_rows();
    struct arena *a = arena_new();
    static const bool aliased[P] = {false, false, true};
    double *sums = calloc(hazard_test_size(P), sizeof *sums), beta[P] = {0.2, 0.1, 0};
    struct test tests[TERMS + 1];
    for (size_t i = 0; i < ROWS; i++)
        r->x[i * P + 2] = r->x[i * P + 1];
    struct hazard_data d = {ROWS, P, r->x, r->days, r->event};
    hazard_test_sums(&d, beta, TRANSFORM_LOG, sums);
    hazard_tests(P, sums, aliased, term_of, TERMS, tests);
    assert_true(tests[0].df == 1 && tests[1].df == 1 && tests[2].df == 2);
    assert_true(isfinite(tests[2].statistic) && tests[2].statistic > 0);
    free(sums);
    arena_free(a);
    free(r);
}

/* Whatever the counts: no cell has few events or few censorings, and nobody is left out. */
static void no_cell_of_a_grid_has_few_people(void **unused)
{
    (void)unused;
    enum { LEAST = 10 };
    int64_t events[STEPS], censored[STEPS];
    size_t ends[STEPS], made = 0;
    for (int trial = 0; trial < 2000; trial++) {
        double scale = trial % 4 == 0 ? 4 : 30;
        for (int i = 0; i < STEPS; i++) {
            events[i] = (int64_t)(random_uniform(&seed) * scale);
            censored[i] = random_uniform(&seed) < 0.5 ? 0 : (int64_t)(random_uniform(&seed) * scale);
        }
        size_t n = grid_cells(events, censored, STEPS, LEAST, ends), from = 0;
        made += n;
        for (size_t c = 0; c < n; c++) {
            int64_t with = 0, without = 0;
            for (; from < ends[c]; from++) {
                with += events[from];
                without += censored[from];
            }
            assert_true(with >= LEAST && (without == 0 || without >= LEAST));
        }
        assert_true(n == 0 || from == STEPS);
    }
    assert_true(made > 2000);
    memset(events, 0, sizeof events);
    assert_int_equal(grid_cells(events, censored, STEPS, LEAST, ends), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_test_over_sites_is_that_of_the_stratified_pooled_rows),
        cmocka_unit_test(one_baseline_on_a_grid_is_the_pooled_fit_of_grid_times),
        cmocka_unit_test(an_aliased_column_takes_no_part_in_the_test),
        cmocka_unit_test(no_cell_of_a_grid_has_few_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
