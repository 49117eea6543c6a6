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
#include "study/no_estimate.h"
#include "../../lib/random.h"

enum { ROWS = 1500, P = 3, MOST_SITES = 5, MOST_P = P + MOST_SITES };

struct rows {
    double x[ROWS * P], y[ROWS], offset[ROWS];
    int32_t days[ROWS];
    uint8_t event[ROWS];
    size_t site[ROWS];
};

static struct rng seed = {20261122};

/* Rows in descending days; sites differ in their base rates. */
static void make_rows(struct rows *r, enum family family, size_t sites)
{
    for (size_t i = 0; i < ROWS; i++) {
        double *x = r->x + i * P;
        r->site[i] = (size_t)(random_uniform(&seed) * (double)sites);
        x[0] = random_uniform(&seed) < 0.4;
        x[1] = 2 * random_uniform(&seed) - 1 + 0.3 * (double)r->site[i];
        x[2] = random_uniform(&seed) < 0.5 ? 1 : 0;
        r->offset[i] = family == FAMILY_POISSON ? log(0.5 + random_uniform(&seed)) : 0;
        double eta = -0.5 + 0.4 * (double)r->site[i] + 0.8 * x[0] - 0.5 * x[1] + 0.3 * x[2] + r->offset[i];
        r->y[i] = family == FAMILY_LOGISTIC  ? random_uniform(&seed) < 1 / (1 + exp(-eta))
                  : family == FAMILY_POISSON ? floor(exp(eta) + random_uniform(&seed))
                                             : eta + random_uniform(&seed);
        r->days[i] = (int32_t)((ROWS - i) / 3) + 1;
        r->event[i] = random_uniform(&seed) < 0.3 + 0.3 * x[0];
    }
}

static bool a_has_levels; /* "a" is no number but two levels, so that its persons and events count */

static struct design design_of(void)
{
    static struct covariate covariates[P];
    static const char *terms[P] = {"a", "b", "c"};
    for (int k = 0; k < P; k++)
        covariates[k] = (struct covariate){.is_number = true};
    if (a_has_levels)
        covariates[0] = (struct covariate){.dimension = {.n_levels = 2}};
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
    struct model_counts counts = model_counts_new(P);
    double *happened = calloc(ROWS, sizeof *happened);
    for (size_t i = 0; i < n; i++)
        happened[i] = m->cox ? r->event[i] : m->family == FAMILY_LINEAR ? 1 : r->y[i];
    model_count(&d, r->x, happened, n, &counts);
    sums_init(out, newton_size(newton_form(P, !m->cox), !parameters));
    newton_local(&l, parameters, &counts, out);
    model_counts_free(&counts);
    free(happened);
}

static struct newton_form form_of(const struct model *m)
{
    struct newton_form form = newton_form(P, !m->cox);
    form.identity = m->family == FAMILY_LINEAR;
    return form;
}

/* The state a whole run ends with; sites answer in the order first, first + 1, ... modulo sites. */
static struct js *run_state(const struct model *m, const struct rows *r, size_t sites, size_t first)
{
    struct design d = design_of();
    struct js *parameters = NULL, *state = NULL, *next = NULL;
    struct rows *own = malloc(sizeof *own);
    struct err e;
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
        assert_int_equal(newton_next(form_of(m), d.terms, parameters, &total, &state, &next, &e), ST_OK);
        sums_deinit(&total);
        js_free(parameters);
        parameters = next;
    } while (parameters);
    free(own);
    return state;
}

static struct fit run(const struct model *m, const struct rows *r, size_t sites, size_t first,
                      struct arena *a)
{
    struct js *state = run_state(m, r, sites, first);
    struct err e = {0};
    struct fit fit;
    if (no_estimate(state) || newton_fit_of(state, P, a, &fit, &e) != ST_OK)
        fail_msg("%s %s", js_get_str(js_get(state, "no_estimate"), "text"), e.text);
    js_free(state);
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

static void gives_no_estimate(const struct model *m, const struct rows *r, const char *reason,
                              const char *columns)
{
    struct js *state = run_state(m, r, 3, 0);
    const struct js *why = js_get(state, "no_estimate");
    struct buf named;
    buf_init(&named, 1000);
    if (!why)
        fail_msg("%s: an estimate after all", reason);
    assert_string_equal(js_get_str(why, "reason"), reason);
    if (js_get(why, "columns"))
        js_format(js_get(why, "columns"), JS_COMPACT, &named);
    assert_string_equal(named.p ? named.p : "", columns);
    buf_deinit(&named);
    js_free(state);
}

static void what_has_no_estimate_is_named_with_its_columns(void **unused)
{
    (void)unused;
    static const struct model logistic = {false, true, FAMILY_LOGISTIC}, hazards = {.cox = true};
    struct rows *r = malloc(sizeof *r), *all = malloc(sizeof *all);
    make_rows(all, FAMILY_LOGISTIC, 3);
    for (int levels = 0; levels < 2; levels++) {
        a_has_levels = levels;
        *r = *all; /* nobody with a has the event */
        for (size_t i = 0; i < ROWS; i++)
            if (r->x[i * P] != 0)
                r->y[i] = r->event[i] = 0;
        gives_no_estimate(&logistic, r, "separation", "[\"a\"]");
        gives_no_estimate(&hazards, r, "separation", "[\"a\"]");
        *r = *all; /* everybody with a has it */
        for (size_t i = 0; i < ROWS; i++)
            if (r->x[i * P] != 0)
                r->y[i] = 1;
        gives_no_estimate(&logistic, r, "separation", "[\"a\"]");
    }
    *r = *all; /* five with a: the column is not named */
    for (size_t i = 0, left = 5; i < ROWS; i++) {
        r->x[i * P] = r->x[i * P] != 0 && left && left--;
        if (r->x[i * P] != 0)
            r->y[i] = 0;
    }
    gives_no_estimate(&logistic, r, "separation", "[]");
    a_has_levels = false;
    *r = *all; /* a threshold of a number */
    for (size_t i = 0; i < ROWS; i++)
        r->y[i] = r->x[i * P + 1] > 0.2;
    gives_no_estimate(&logistic, r, "separation", "[\"b\"]");
    *r = *all;
    memset(r->y, 0, sizeof r->y);
    memset(r->event, 0, sizeof r->event);
    gives_no_estimate(&logistic, r, "no_events", "");
    gives_no_estimate(&hazards, r, "no_events", "");
    for (size_t i = 0; i < ROWS; i++)
        r->y[i] = 1;
    gives_no_estimate(&logistic, r, "no_information", "[\"a\",\"b\",\"c\"]");
    free(r);
    free(all);
}

/* A real effect of any size is none of these: rates of a thousand to one, millimetres or kilometres. */
static void large_effects_are_estimates(void **unused)
{
    (void)unused;
    static const struct model models[] = {{false, true, FAMILY_POISSON}, {false, true, FAMILY_LINEAR}};
    struct rows *r = malloc(sizeof *r);
    struct arena *a = arena_new();
    for (size_t m = 0; m < 2; m++) {
        make_rows(r, models[m].family, 3);
        for (size_t i = 0; i < ROWS; i++)
            r->y[i] = m ? r->y[i] * 1e6 * (r->x[i * P + 1] > 0) : r->x[i * P] != 0 ? 3000 + r->y[i] : r->y[i];
        assert_true(run(&models[m], r, 3, 0, a).converged);
    }
    arena_free(a);
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

/* Of one grouping with an intercept a model's tables tell the gate the groups; of more they do not. */
static void one_grouping_is_told_as_its_groups(void **unused)
{
    (void)unused;
    int64_t rows[] = {1000, 200, 300}, events[] = {150, 40, 60};
    double beta[] = {-2, 0.1, 0.2}, se[] = {0.1, 0.1, 0.1};
    bool aliased[3] = {false};
    const char *terms[] = {"(intercept)", "area: b", "area: c"}, *labels[] = {"a", "b", "c"};
    struct covariate covariate = {.dimension = {.name = "area", .labels = labels, .n_levels = 3}};
    struct design d = {&covariate, 1, true, terms, 3};
    struct fit fit = {.p = 3,
                      .beta = beta,
                      .se = se,
                      .aliased = aliased,
                      .column_rows = rows,
                      .column_events = events,
                      .rows = 1000,
                      .events = 150,
                      .rank = 3,
                      .sites = 3};
    struct result *r = result_new("t");
    model_tables("m", &d, &fit, 1, false, "odds ratio", r);
    model_saturated(&d, &fit, FAMILY_LOGISTIC, false, r, 0);
    assert_int_equal(r->tables[0].saturated, SATURATED_LOG_ODDS);
    assert_int_equal(r->tables[1].saturated, SATURATED_ODDS);
    for (int i = 0; i < 2; i++) {
        const struct result_cell *c = r->tables[i].cells;
        assert_true(c[0].denominator == 500 && c[0].event_persons == 50 && c[0].against == -1);
        assert_true(c[1].denominator == 200 && c[1].event_persons == 40 && c[1].against == 500);
        assert_true(c[2].denominator == 300 && c[2].against_events == 50);
    }
    struct covariate number = {.is_number = true};
    struct design other = {&number, 1, true, terms, 2};
    struct fit of_two = fit;
    uint32_t first = r->n_tables;
    of_two.p = 2;
    model_tables("n", &other, &of_two, 1, false, "odds ratio", r);
    model_saturated(&other, &of_two, FAMILY_LOGISTIC, false, r, first);
    assert_int_equal(r->tables[first].saturated, SATURATED_NOT);
    d.intercept = false; /* three sites have three baselines */
    covariate.dimension.n_levels = 4;
    model_saturated(&d, &fit, FAMILY_LOGISTIC, true, r, first);
    assert_int_equal(r->tables[first].saturated, SATURATED_NOT);
    result_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_with_a_site_term_equals_the_pooled_fit_with_site_columns),
        cmocka_unit_test(the_order_of_sites_does_not_change_a_bit),
        cmocka_unit_test(cox_stratified_by_site_is_where_the_likelihood_is_highest),
        cmocka_unit_test(what_has_no_estimate_is_named_with_its_columns),
        cmocka_unit_test(one_grouping_is_told_as_its_groups),
        cmocka_unit_test(large_effects_are_estimates),
        cmocka_unit_test(a_column_that_repeats_another_is_left_out_everywhere),
        cmocka_unit_test(swapping_the_outcome_negates_logistic_coefficients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
