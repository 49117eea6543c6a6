/* SPDX-License-Identifier: Apache-2.0
 *
 * Models over sites: the joint fit equals a naive fit of the pooled rows, whatever the cut into sites, and in
 * few rounds. Oracles: Newton on the pooled rows with explicit site columns; a double loop over risk sets.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stats/linalg.h"
#include "study/hazards.h"
#include "study/models.h"

enum { ROWS = 1500, P = 3, MOST_SITES = 5, MOST_P = P + MOST_SITES };

struct rows {
    double x[ROWS * P], y[ROWS], offset[ROWS];
    int32_t days[ROWS];
    uint8_t event[ROWS];
    size_t site[ROWS];
};

static uint64_t seed = 20261122;

static double uniform(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (double)(seed >> 11) * 0x1p-53;
}

/* Rows in descending days; sites differ in their base rates. */
static void make_rows(struct rows *r, enum family family, size_t sites)
{
    for (size_t i = 0; i < ROWS; i++) {
        double *x = r->x + i * P;
        r->site[i] = (size_t)(uniform() * (double)sites);
        x[0] = uniform() < 0.4;
        x[1] = 2 * uniform() - 1 + 0.3 * (double)r->site[i];
        x[2] = uniform() < 0.5 ? 1 : 0;
        r->offset[i] = family == FAMILY_POISSON ? log(0.5 + uniform()) : 0;
        double eta = -0.5 + 0.4 * (double)r->site[i] + 0.8 * x[0] - 0.5 * x[1] + 0.3 * x[2] + r->offset[i];
        r->y[i] = family == FAMILY_LOGISTIC  ? uniform() < 1 / (1 + exp(-eta))
                  : family == FAMILY_POISSON ? floor(exp(eta) + uniform())
                                             : eta + uniform();
        r->days[i] = (int32_t)((ROWS - i) / 3) + 1;
        r->event[i] = uniform() < 0.3 + 0.3 * x[0];
    }
}

static struct design design_of(void)
{
    static struct covariate covariates[P];
    static const char *terms[P] = {"a", "b", "c"};
    for (int k = 0; k < P; k++)
        covariates[k] = (struct covariate){.is_number = true};
    return (struct design){.covariates = covariates, .n = P, .terms = terms, .p = P};
}

/* The rows of one site, packed. */
static size_t pack(const struct rows *r, size_t sites, size_t site, struct rows *out)
{
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++) {
        if (sites > 1 && r->site[i] != site)
            continue;
        memcpy(out->x + n * P, r->x + i * P, P * sizeof(double));
        out->y[n] = r->y[i];
        out->offset[n] = r->offset[i];
        out->days[n] = r->days[i];
        out->event[n++] = r->event[i];
    }
    return n;
}

struct model {
    bool cox, profile;
    enum family family;
};

static void site_sums(const struct model *m, const struct rows *r, size_t n, const struct js *parameters,
                      struct sums *out)
{
    struct design d = design_of();
    struct glm_data glm = {m->family, m->profile, n, P, r->x, r->y, r->offset, 0};
    struct hazard_data cox = {n, P, r->x, r->days, r->event};
    struct likelihood l = {P, m->cox ? (const void *)&cox : &glm, m->cox ? cox_at : glm_at,
                           m->cox ? NULL : glm_third};
    int64_t in[P] = {0}, with[P] = {0};
    struct model_counts counts = {.column_rows = in, .column_events = with};
    double *happened = calloc(ROWS, sizeof *happened);
    for (size_t i = 0; i < n; i++)
        happened[i] = m->cox ? r->event[i] : m->family == FAMILY_LINEAR ? 1 : r->y[i];
    model_count(&d, r->x, happened, n, &counts);
    sums_init(out, newton_size(newton_form(P, !m->cox), !parameters));
    newton_local(&l, parameters, &counts, out);
    free(happened);
}

/* A whole run; sites answer in the order first, first + 1, ... modulo sites. */
static struct fit run(const struct model *m, const struct rows *r, size_t sites, size_t first,
                      struct arena *a)
{
    struct design d = design_of();
    struct js *parameters = NULL, *state = NULL, *next = NULL;
    struct rows *own = malloc(sizeof *own);
    struct err e;
    struct fit fit;
    do {
        struct sums total;
        sums_init(&total, newton_size(newton_form(P, !m->cox), !parameters));
        for (size_t s = 0; s < sites; s++) {
            struct sums part;
            size_t n = pack(r, sites, (first + s) % sites, own);
            site_sums(m, own, n, parameters, &part);
            assert_int_equal(sums_add(&total, &part, &e), ST_OK);
            sums_deinit(&part);
        }
        next = NULL;
        assert_int_equal(newton_next(newton_form(P, !m->cox), d.terms, parameters, &total, &state, &next, &e),
                         ST_OK);
        sums_deinit(&total);
        js_free(parameters);
        parameters = next;
    } while (parameters);
    assert_int_equal(newton_fit_of(state, P, a, &fit, &e), ST_OK);
    js_free(state);
    free(own);
    return fit;
}

/* Naive: Newton from zero over the pooled rows with one column per site. */
static void oracle_glm(enum family family, const struct rows *r, size_t sites, double *beta, double *se)
{
    size_t p = P + sites;
    double b[MOST_P] = {0};
    for (int step = 0; step < 50; step++) {
        double g[MOST_P] = {0}, h[MOST_P * MOST_P] = {0}, inverse[MOST_P * MOST_P];
        bool aliased[MOST_P];
        for (size_t i = 0; i < ROWS; i++) {
            double x[MOST_P] = {0}, eta = r->offset[i];
            memcpy(x, r->x + i * P, P * sizeof *x);
            x[P + r->site[i]] = 1;
            for (size_t k = 0; k < p; k++)
                eta += x[k] * b[k];
            double mu = family == FAMILY_LOGISTIC  ? 1 / (1 + exp(-eta))
                        : family == FAMILY_POISSON ? exp(eta)
                                                   : eta;
            double w = family == FAMILY_LOGISTIC ? mu * (1 - mu) : family == FAMILY_POISSON ? mu : 1;
            for (size_t k = 0; k < p; k++) {
                g[k] += (r->y[i] - mu) * x[k];
                for (size_t j = 0; j < p; j++)
                    h[k * p + j] += w * x[k] * x[j];
            }
        }
        ldl_factor(h, p, 1e-12, aliased);
        ldl_inverse(h, p, aliased, inverse);
        ldl_solve(h, p, aliased, g);
        for (size_t k = 0; k < p; k++)
            b[k] += g[k];
        for (size_t k = 0; k < P; k++)
            se[k] = sqrt(inverse[k * p + k]);
    }
    memcpy(beta, b, P * sizeof *beta);
}

static void check_family(enum family family)
{
    struct rows *r = malloc(sizeof *r);
    static const size_t cuts[] = {2, 3, 5};
    for (size_t c = 0; c < 3; c++) {
        double beta[P], se[P];
        struct arena *a = arena_new();
        make_rows(r, family, cuts[c]);
        oracle_glm(family, r, cuts[c], beta, se);
        struct fit fit = run(&(struct model){false, true, family}, r, cuts[c], 0, a);
        assert_true(fit.converged);
        assert_in_range(fit.rounds, 2, 3);
        for (size_t k = 0; k < P; k++) {
            assert_true(fabs(fit.beta[k] - beta[k]) < 1e-10 * fabs(beta[k]));
            assert_true(fabs(fit.se[k] - se[k]) < 1e-10 * se[k]);
        }
        arena_free(a);
    }
    free(r);
}

static void a_model_with_a_site_term_equals_the_pooled_fit_with_site_columns(void **unused)
{
    (void)unused;
    check_family(FAMILY_LOGISTIC);
    check_family(FAMILY_POISSON);
    check_family(FAMILY_LINEAR);
}

static void the_order_of_sites_does_not_change_a_bit(void **unused)
{
    (void)unused;
    struct rows *r = malloc(sizeof *r);
    struct arena *a = arena_new();
    make_rows(r, FAMILY_LOGISTIC, 5);
    struct model m = {false, true, FAMILY_LOGISTIC};
    struct fit one = run(&m, r, 5, 0, a);
    for (size_t first = 1; first < 5; first++) {
        struct fit other = run(&m, r, 5, first, a);
        assert_memory_equal(one.beta, other.beta, P * sizeof *one.beta);
        assert_memory_equal(one.se, other.se, P * sizeof *one.se);
    }
    arena_free(a);
    free(r);
}

/* Efron's log-likelihood of one stratum by a loop over all pairs. */
static double oracle_cox(const struct rows *r, size_t sites, const double *beta)
{
    double total = 0;
    for (size_t s = 0; s < sites; s++)
        for (int32_t day = 1; day <= ROWS; day++) {
            double risk = 0, dead = 0, m = 0;
            for (size_t i = 0; i < ROWS; i++) {
                if (r->site[i] != s || r->days[i] < day)
                    continue;
                double eta = 0;
                for (size_t k = 0; k < P; k++)
                    eta += r->x[i * P + k] * beta[k];
                risk += exp(eta);
                if (r->days[i] == day && r->event[i]) {
                    dead += exp(eta);
                    total += eta;
                    m++;
                }
            }
            for (double l = 0; l < m; l++)
                total -= log(risk - l / m * dead);
        }
    return total;
}

static void cox_stratified_by_site_is_where_the_likelihood_is_highest(void **unused)
{
    (void)unused;
    struct rows *r = malloc(sizeof *r);
    struct arena *a = arena_new();
    make_rows(r, FAMILY_LOGISTIC, 3);
    struct fit fit = run(&(struct model){.cox = true}, r, 3, 0, a);
    assert_true(fit.converged);
    assert_in_range(fit.rounds, 2, 5);
    /* Central differences: the gradient is 0, the curvature is the inverse covariance. */
    double h = 1e-3, top = oracle_cox(r, 3, fit.beta), inverse[P * P], curvature[P * P];
    bool aliased[P];
    memcpy(curvature, fit.covariance, sizeof curvature);
    ldl_factor(curvature, P, 1e-12, aliased);
    ldl_inverse(curvature, P, aliased, inverse);
    for (size_t k = 0; k < P; k++) {
        double up[P], down[P];
        memcpy(up, fit.beta, sizeof up);
        memcpy(down, fit.beta, sizeof down);
        up[k] += h;
        down[k] -= h;
        double f_up = oracle_cox(r, 3, up), f_down = oracle_cox(r, 3, down);
        assert_true(fabs(f_up - f_down) / (2 * h) < 1e-4 * inverse[k * P + k]);
        assert_true(fabs((2 * top - f_up - f_down) / (h * h) - inverse[k * P + k]) <
                    1e-4 * inverse[k * P + k]);
    }
    arena_free(a);
    free(r);
}

static enum status one_round(const struct rows *r, struct err *e)
{
    struct design d = design_of();
    struct sums total;
    struct js *state = NULL, *next = NULL;
    struct model m = {false, true, FAMILY_LOGISTIC};
    /* "a" as a 0/1 column, so that its events count */
    static struct dimension two = {.n_levels = 2};
    d.covariates[0] = (struct covariate){.dimension = two};
    struct glm_data glm = {m.family, true, ROWS, P, r->x, r->y, NULL, 0};
    struct likelihood l = {P, &glm, glm_at, glm_third};
    int64_t in[P] = {0}, with[P] = {0};
    struct model_counts counts = {.column_rows = in, .column_events = with};
    model_count(&d, r->x, r->y, ROWS, &counts);
    sums_init(&total, newton_size(newton_form(P, true), true));
    newton_local(&l, NULL, &counts, &total);
    enum status st = newton_next(newton_form(P, true), d.terms, NULL, &total, &state, &next, e);
    sums_deinit(&total);
    js_free(state);
    js_free(next);
    return st;
}

static void what_has_no_estimate_is_refused_by_name(void **unused)
{
    (void)unused;
    struct rows *r = malloc(sizeof *r);
    struct err e;
    make_rows(r, FAMILY_LOGISTIC, 1);
    assert_int_equal(one_round(r, &e), ST_OK);
    for (size_t i = 0; i < ROWS; i++)
        if (r->x[i * P] != 0)
            r->y[i] = 0;
    assert_int_equal(one_round(r, &e), ST_INVALID);
    assert_non_null(strstr(e.text, "separation: no events have 'a'"));
    memset(r->y, 0, sizeof r->y);
    assert_int_equal(one_round(r, &e), ST_INVALID);
    assert_non_null(strstr(e.text, "no events"));
    free(r);
}

static void a_column_that_repeats_another_is_left_out_everywhere(void **unused)
{
    (void)unused;
    struct rows *r = malloc(sizeof *r);
    struct arena *a = arena_new();
    make_rows(r, FAMILY_LOGISTIC, 3);
    for (size_t i = 0; i < ROWS; i++)
        r->x[i * P + 2] = 2 * r->x[i * P];
    struct fit fit = run(&(struct model){false, true, FAMILY_LOGISTIC}, r, 3, 0, a);
    assert_true(fit.converged);
    assert_false(fit.aliased[0]);
    assert_true(fit.aliased[2]);
    assert_true(isnan(fit.beta[2]) && isnan(fit.se[2]));
    assert_int_equal(fit.rank, 2);
    struct design d = design_of();
    struct result *result = result_new("t");
    model_tables("t", &d, &fit, 1, true, "odds ratio", result);
    assert_non_null(strstr(result->tables[0].title, "left out as combinations of others: c"));
    assert_true(isnan(result->tables[0].cells[2].value));
    result_free(result);
    arena_free(a);
    free(r);
}

static void swapping_the_outcome_negates_logistic_coefficients(void **unused)
{
    (void)unused;
    struct rows *r = malloc(sizeof *r);
    struct arena *a = arena_new();
    make_rows(r, FAMILY_LOGISTIC, 3);
    struct model m = {false, true, FAMILY_LOGISTIC};
    struct fit one = run(&m, r, 3, 0, a);
    for (size_t i = 0; i < ROWS; i++)
        r->y[i] = 1 - r->y[i];
    struct fit other = run(&m, r, 3, 0, a);
    for (size_t k = 0; k < P; k++)
        assert_true(fabs(one.beta[k] + other.beta[k]) < 1e-10);
    arena_free(a);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_with_a_site_term_equals_the_pooled_fit_with_site_columns),
        cmocka_unit_test(the_order_of_sites_does_not_change_a_bit),
        cmocka_unit_test(cox_stratified_by_site_is_where_the_likelihood_is_highest),
        cmocka_unit_test(what_has_no_estimate_is_refused_by_name),
        cmocka_unit_test(a_column_that_repeats_another_is_left_out_everywhere),
        cmocka_unit_test(swapping_the_outcome_negates_logistic_coefficients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
