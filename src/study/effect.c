/* SPDX-License-Identifier: Apache-2.0
 *
 * comparative_effect: what a treatment does to a binary outcome, by the propensity score: weighting and
 * stratification, balance, equipoise, and negative controls that show the systematic error.
 *
 * The score is a logistic regression of the treatment on the covariates over all sites with a site term,
 * fitted as any other (newton.h). One more round then adds up, per arm: weights and weighted outcomes
 * (unweighted, ATE w = T/e + (1-T)/(1-e), ATT w = T + (1-T) e/(1-e), overlap w = T (1-e) + (1-T) e,
 * stratified w = persons / persons of the arm in the site's stratum of the score), the weighted and
 * unweighted sums of every covariate for balance, the same figures for each negative control, and persons by
 * preference score. Scores are truncated to [truncate, 1 - truncate] for weighting. Matching stays inside a
 * site: the treated and their nearest neighbours there, w = 1 and the shares of the matches they are.
 *
 * Doubly robust: round 1 also adds up the normal equations of a linear outcome model in each arm, within
 * sites; with the pooled solutions the last round adds up each person's m_a(x) + [T = a] (y - m_a(x)) / P(T =
 * a).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/calibrate.h"
#include "stats/linalg.h"
#include "stats/matching.h"
#include "stats/propensity.h"
#include "study/effect.h"
#include "study/no_estimate.h"

#define ALIAS_TOLERANCE 1e-9

static void read_controls(struct spec *s, struct effect *c)
{
    c->controls = spec_cohorts(s, "negative_controls", MOST_CONTROLS, &c->n_controls);
    c->control_names = arena_array(s->scope->arena, c->n_controls, sizeof *c->control_names);
    for (size_t i = 0; i < c->n_controls; i++) {
        c->control_names[i] = s->scope->cohorts[c->controls[i]];
        if (c->controls[i] == c->outcome.cohort)
            spec_fault(s, "negative_controls", "'%s' is the outcome itself", c->control_names[i]);
    }
    if (c->n_controls && c->n_controls < CALIBRATE_FEWEST)
        spec_fault(s, "negative_controls", "at least %d are needed to know the systematic error",
                   CALIBRATE_FEWEST);
}

static enum status effect_parse(const struct js *specification, const struct analysis_scope *scope,
                                void **spec, struct err *e)
{
    const char *allowed[20] = {"kind",          "cohort", "treatment",         "covariates",
                               "truncate",      "strata", "negative_controls", "match_ratio",
                               "match_replace", "caliper"};
    size_t n = 10;
    for (size_t i = 0; outcome_members[i]; i++)
        allowed[n++] = outcome_members[i];
    struct effect *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    c->name = scope->name;
    c->cohort = spec_cohort(&s, "cohort", true);
    if (s.status == ST_OK)
        s.status = dimension_parse(js_get(specification, "treatment"), spec_path(&s, "treatment"), scope,
                                   &c->treatment, e);
    if (s.status == ST_OK && c->treatment.n_levels != N_ARMS)
        spec_fault(&s, "treatment", "expected a dimension with the levels no and yes: concept or cohort");
    c->truncate = spec_number(&s, "truncate", 0, 0.2, 0.01);
    c->strata = (size_t)spec_int(&s, "strata", 2, 20, 5);
    c->match_ratio = (size_t)spec_int(&s, "match_ratio", 1, 10, 1);
    c->match_replace = spec_bool(&s, "match_replace", false);
    c->caliper = spec_number(&s, "caliper", 0.001, 100, 0.2);
    outcome_read(&s, OUTCOME_BINARY, &c->outcome);
    read_controls(&s, c);
    design_read(&s, true, false, &c->design);
    *spec = c;
    return spec_done(&s);
}

static bool weighting(const struct js *parameters)
{
    return js_bool(js_get(parameters, "weighting"));
}

size_t effect_figures_at(size_t outcome, int weighting, int arm)
{
    return ((outcome * N_WEIGHTS + (size_t)weighting) * N_ARMS + (size_t)arm) * FIGURES;
}

size_t effect_moments_at(const struct effect *c, int weighting, int arm, size_t column)
{
    size_t first = effect_figures_at(1 + c->n_controls, 0, 0);
    return first + (((size_t)weighting * N_ARMS + (size_t)arm) * c->design.p + column) * 2;
}

size_t effect_preference_at(const struct effect *c, size_t band, int arm)
{
    return effect_moments_at(c, N_WEIGHTS, 0, 0) + band * N_ARMS + (size_t)arm;
}

size_t effect_robust_at(const struct effect *c, size_t figure)
{
    return effect_preference_at(c, PREFERENCE_BANDS, 0) + figure;
}

size_t effect_size_of(const struct effect *c)
{
    return effect_robust_at(c, N_ROBUST);
}

/* Behind round 1's sums of the score: per arm X'y and the lower triangle of X'X, about the site's means. */
static size_t normal_size(size_t p)
{
    return p + p * (p + 1) / 2;
}

static struct newton_form form_of(const struct effect *c)
{
    return newton_form(c->design.p, true);
}

/* The outcome models' coefficients, one list per arm. */
static enum status check_outcome_models(const struct js *parameters, size_t p, struct err *e)
{
    const struct js *arms = js_get(parameters, "outcome_models");
    bool good = js_size(arms) == N_ARMS;
    for (size_t arm = 0; good && arm < N_ARMS; arm++) {
        good = js_size(js_at(arms, arm)) == p;
        for (size_t k = 0; good && k < p; k++)
            good = js_is_number(js_at(js_at(arms, arm), k)) && fabs(js_num(js_at(js_at(arms, arm), k))) < 1e9;
    }
    return good ? ST_OK : err_set(e, ST_INVALID, "outcome_models: expected two lists of %zu numbers", p);
}

static enum status effect_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    const struct effect *c = spec;
    *n = weighting(parameters) ? effect_size_of(c) : newton_size(form_of(c), !parameters);
    if (!parameters) {
        *n += N_ARMS * normal_size(c->design.p);
        return ST_OK;
    }
    enum status st = newton_check(parameters, c->design.p, e);
    return st == ST_OK && weighting(parameters) ? check_outcome_models(parameters, c->design.p, e) : st;
}

static sum_t effect_bound(const void *spec, const struct js *parameters, size_t i)
{
    const struct effect *c = spec;
    if (!weighting(parameters))
        return i < newton_size(form_of(c), !parameters) ? newton_bound(form_of(c), !parameters, i)
                                                        : SUM_REAL_BOUND;
    bool count = i < effect_moments_at(c, 0, 0, 0)
                     ? i % FIGURES <= CASES
                     : i >= effect_preference_at(c, 0, 0) && i <= effect_robust_at(c, ROBUST_PERSONS);
    return count ? SUM_COUNT_BOUND : SUM_REAL_BOUND;
}

/* The rows of a site with their scores and weights under each estimand. */
struct scored {
    const struct effect *c;
    const struct glm_data *data; /* y: treated */
    const struct index_rows *rows;
    double *score, *weight; /* n; N_WEIGHTS x n */
};

static void inverse_weights(struct scored *s, size_t i)
{
    double e = fmin(fmax(s->score[i], s->c->truncate), 1 - s->c->truncate);
    bool treated = s->data->y[i] != 0;
    size_t n = s->data->n;
    s->weight[UNWEIGHTED * n + i] = 1;
    s->weight[ATE * n + i] = propensity_weight(ESTIMAND_ATE, treated, e);
    s->weight[ATT * n + i] = propensity_weight(ESTIMAND_ATT, treated, e);
    s->weight[OVERLAP * n + i] = propensity_weight(ESTIMAND_OVERLAP, treated, e);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Which stratum of the site's scores each row is in: equal scores are never parted. */
static void strata_of(const struct scored *s, size_t *stratum)
{
    size_t n = s->data->n, strata = s->c->strata;
    double *sorted = xmalloc((n + 1) * sizeof *sorted);
    memcpy(sorted, s->score, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, ascending);
    for (size_t i = 0; i < n; i++) {
        stratum[i] = 0;
        for (size_t k = 1; k < strata; k++)
            stratum[i] += s->score[i] > sorted[(n * k + strata - 1) / strata - 1];
    }
    free(sorted);
}

/* persons / persons of the arm; strata where an arm is missing are left out. */
static void stratum_weights(struct scored *s)
{
    size_t n = s->data->n, *stratum = xcalloc(n + 1, sizeof *stratum);
    double *persons = xcalloc(s->c->strata * N_ARMS, sizeof *persons);
    strata_of(s, stratum);
    for (size_t i = 0; i < n; i++)
        persons[stratum[i] * N_ARMS + (s->data->y[i] != 0)]++;
    for (size_t i = 0; i < n; i++) {
        const double *of = persons + stratum[i] * N_ARMS;
        bool both = of[ARM_OTHER] > 0 && of[ARM_TREATED] > 0;
        s->weight[STRATIFIED * n + i] = both ? (of[0] + of[1]) / of[s->data->y[i] != 0] : 0;
    }
    free(stratum);
    free(persons);
}

/* By the logit of the score, within a caliper of its standard deviation at the site. */
static void matched_weights(struct scored *s)
{
    size_t n = s->data->n, ratio = s->c->match_ratio;
    double *logit = xcalloc(n + 1, sizeof *logit), mean = 0, squares = 0;
    long *match = xcalloc(n * ratio + 1, sizeof *match);
    for (size_t i = 0; i < n; i++) {
        logit[i] = log(s->score[i] / (1 - s->score[i]));
        mean += logit[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++)
        squares += (logit[i] - mean) * (logit[i] - mean);
    struct matching how = {.ratio = ratio,
                           .replace = s->c->match_replace,
                           .closest_first = true,
                           .caliper = s->c->caliper * sqrt(squares / (double)(n - 1))};
    match_nearest(logit, s->data->y, n, &how, match);
    match_weights(match, s->data->y, n, ratio, s->weight + MATCHED * n);
    free(logit);
    free(match);
}

static void add_outcome(const struct scored *s, size_t outcome, size_t i, double y, struct sums *out)
{
    for (int k = 0; k < N_WEIGHTS; k++) {
        size_t at = effect_figures_at(outcome, k, s->data->y[i] != 0);
        double w = s->weight[(size_t)k * s->data->n + i];
        if (w == 0)
            continue;
        sums_count(out, at + PERSONS, 1);
        sums_count(out, at + CASES, y != 0);
        sums_real(out, at + W, w);
        sums_real(out, at + WY, w * y);
        sums_real(out, at + W2, w * w);
        sums_real(out, at + W2Y, w * w * y);
    }
}

static void add_moments(const struct scored *s, size_t i, struct sums *out)
{
    const double *x = s->data->x + i * s->data->p;
    for (int k = 0; k < N_WEIGHTS; k++) {
        double w = s->weight[(size_t)k * s->data->n + i];
        for (size_t j = 0; j < s->data->p; j++) {
            size_t at = effect_moments_at(s->c, k, s->data->y[i] != 0, j);
            sums_real(out, at, w * x[j]);
            sums_real(out, at + 1, w * x[j] * x[j]);
        }
    }
}

/* The score as it would be if half of the site's people were treated (A. Walker et al., Comp. Eff. Res. 3
   (2013) 11). */
static void add_preference(const struct scored *s, double treated_share, size_t i, struct sums *out)
{
    double odds = s->score[i] / (1 - s->score[i]) / (treated_share / (1 - treated_share));
    double preference = isfinite(odds) ? odds / (1 + odds) : 1;
    size_t band = (size_t)fmin(preference * PREFERENCE_BANDS, PREFERENCE_BANDS - 1);
    sums_count(out, effect_preference_at(s->c, band, s->data->y[i] != 0), 1);
}

/* Intercepts of the arms at this site, under the pooled outcome models. */
static void site_intercepts(const struct scored *s, const struct js *models, const double *y,
                            double intercept[N_ARMS])
{
    double persons[N_ARMS] = {0};
    memset(intercept, 0, N_ARMS * sizeof *intercept);
    for (size_t i = 0; i < s->data->n; i++) {
        size_t arm = s->data->y[i] != 0;
        persons[arm]++;
        intercept[arm] += y[i];
        for (size_t k = 0; k < s->data->p; k++)
            intercept[arm] -= js_num(js_at(js_at(models, arm), k)) * s->data->x[i * s->data->p + k];
    }
    for (size_t arm = 0; arm < N_ARMS; arm++)
        intercept[arm] /= persons[arm];
}

static void add_robust(const struct scored *s, const struct js *parameters, const double *y, struct sums *out)
{
    const struct js *models = js_get(parameters, "outcome_models");
    size_t p = s->data->p, at = effect_robust_at(s->c, 0);
    double intercept[N_ARMS];
    site_intercepts(s, models, y, intercept);
    for (size_t i = 0; i < s->data->n; i++) {
        double e = fmin(fmax(s->score[i], s->c->truncate), 1 - s->c->truncate), risk[N_ARMS];
        for (size_t arm = 0; arm < N_ARMS; arm++) {
            risk[arm] = intercept[arm];
            for (size_t k = 0; k < p; k++)
                risk[arm] += js_num(js_at(js_at(models, arm), k)) * s->data->x[i * p + k];
            if ((s->data->y[i] != 0) == (arm == ARM_TREATED))
                risk[arm] += (y[i] - risk[arm]) / (arm == ARM_TREATED ? e : 1 - e);
        }
        sums_count(out, at + ROBUST_PERSONS, 1);
        sums_real(out, at + RISK_1, risk[ARM_TREATED]);
        sums_real(out, at + RISK_0, risk[ARM_OTHER]);
        sums_real(out, at + RISK_11, risk[ARM_TREATED] * risk[ARM_TREATED]);
        sums_real(out, at + RISK_00, risk[ARM_OTHER] * risk[ARM_OTHER]);
        sums_real(out, at + RISK_10, risk[ARM_TREATED] * risk[ARM_OTHER]);
    }
}

/* A negative control's outcome among the rows that can have it. */
static enum status add_control(const struct scored *s, const struct study_site *site, size_t k,
                               struct sums *out, struct err *e)
{
    struct outcome outcome = s->c->outcome;
    struct index_rows rows;
    index_rows_copy(s->rows, &rows);
    double *y = xmalloc((rows.n + 1) * sizeof *y), *offset = xmalloc((rows.n + 1) * sizeof *offset);
    outcome.cohort = s->c->controls[k];
    enum status st = outcome_values(&outcome, site, &rows, y, offset, e);
    for (size_t i = 0, at = 0; st == ST_OK && i < rows.n; i++, at++) {
        while (s->rows->person[at] != rows.person[i])
            at++;
        add_outcome(s, 1 + k, at, y[i], out);
    }
    free(y);
    free(offset);
    index_rows_deinit(&rows);
    return st;
}

/* Scores under the joint coefficients and this site's own intercept. A site where everybody or nobody is
   treated has no scores and nothing to compare: it is left out. */
static enum status weighted_sums(const struct effect *c, const struct js *parameters,
                                 const struct study_site *site, const struct index_rows *rows,
                                 const struct glm_data *data, const double *y, struct sums *out,
                                 struct err *e)
{
    double *beta = xmalloc((data->p + 1) * sizeof *beta), treated = 0;
    struct scored s = {c, data, rows, xmalloc((data->n + 1) * sizeof(double)),
                       xmalloc((N_WEIGHTS * data->n + 1) * sizeof(double))};
    enum status st = ST_OK;
    for (size_t i = 0; i < data->p; i++)
        beta[i] = js_num(js_at(js_get(parameters, "beta"), i));
    if (glm_fitted(data, beta, s.score)) {
        for (size_t i = 0; i < data->n; i++) {
            inverse_weights(&s, i);
            treated += data->y[i];
        }
        stratum_weights(&s);
        matched_weights(&s);
        for (size_t i = 0; i < data->n; i++) {
            add_outcome(&s, 0, i, y[i], out);
            add_moments(&s, i, out);
            add_preference(&s, treated / (double)data->n, i, out);
        }
        add_robust(&s, parameters, y, out);
        for (size_t k = 0; st == ST_OK && k < c->n_controls; k++)
            st = add_control(&s, site, k, out, e);
    }
    free(beta);
    free(s.score);
    free(s.weight);
    return st;
}

/* Normal equations of the outcome in each arm, at a site that has both. */
static void normal_sums(const struct effect *c, const struct glm_data *data, const double *y,
                        struct sums *out)
{
    size_t p = data->p, n[N_ARMS] = {0}, at = newton_size(form_of(c), true);
    double *x[N_ARMS], *own[N_ARMS], *zero = xcalloc(p + 1, sizeof *zero),
                                     *gradient = xcalloc(p + 1, sizeof *gradient),
                                     *information = xcalloc(p * p + 1, sizeof *information);
    for (size_t arm = 0; arm < N_ARMS; arm++) {
        x[arm] = xcalloc(data->n * p + 1, sizeof **x);
        own[arm] = xcalloc(data->n + 1, sizeof **own);
    }
    for (size_t i = 0; i < data->n; i++) {
        size_t arm = data->y[i] != 0;
        memcpy(x[arm] + n[arm] * p, data->x + i * p, p * sizeof **x);
        own[arm][n[arm]++] = y[i];
    }
    for (size_t arm = 0; arm < N_ARMS; arm++) {
        struct glm_data linear = {FAMILY_LINEAR, true, n[arm], p, x[arm], own[arm], NULL, 0};
        glm_at(&linear, zero, gradient, information);
        for (size_t i = 0; i < p && n[0] && n[1]; i++)
            sums_real(out, at + i, gradient[i]);
        for (size_t i = 0, k = at + p; i < p && n[0] && n[1]; i++)
            for (size_t j = 0; j <= i; j++)
                sums_real(out, k++, information[i * p + j]);
        at += normal_size(p);
        free(x[arm]);
        free(own[arm]);
    }
    free(zero);
    free(gradient);
    free(information);
}

static void score_sums(const struct effect *c, const struct js *parameters, const struct glm_data *data,
                       struct sums *out)
{
    struct likelihood likelihood = {data->p, data, glm_at, glm_third};
    struct model_counts counts = model_counts_new(data->p);
    model_count(&c->design, data->x, data->y, data->n, &counts);
    struct sums newton = sums_part(out, 0, newton_size(form_of(c), !parameters));
    newton_local(&likelihood, parameters, &counts, &newton);
    out->failed |= newton.failed;
    model_counts_free(&counts);
}

static enum status effect_local(const void *spec, const struct js *parameters, const struct study_site *site,
                                struct sums *out, struct err *e)
{
    const struct effect *c = spec;
    struct index_rows rows;
    index_rows_init(&site->cohorts[c->cohort], &rows);
    size_t most = rows.n + 1;
    double *y = xmalloc(most * sizeof *y), *treated = xmalloc(most * sizeof *treated), *x = NULL;
    uint16_t *level = xmalloc(most * sizeof *level);
    enum status st = outcome_values(&c->outcome, site, &rows, y, treated, e);
    if (st == ST_OK)
        st = dimension_levels(&c->treatment, site, &rows, level, e);
    for (size_t i = 0; st == ST_OK && i < rows.n; i++)
        treated[i] = level[i];
    struct parallel parallel[] = {{y, sizeof *y}, {treated, sizeof *treated}};
    if (st == ST_OK)
        st = design_matrix(&c->design, site, &rows, parallel, 2, &x, e);
    if (st == ST_OK) {
        struct glm_data data = {FAMILY_LOGISTIC, true, rows.n, c->design.p, x, treated, NULL, 0};
        if (weighting(parameters))
            st = weighted_sums(c, parameters, site, &rows, &data, y, out, e);
        else
            score_sums(c, parameters, &data, out);
        if (!parameters)
            normal_sums(c, &data, y, out);
    }
    free(x);
    free(y);
    free(treated);
    free(level);
    index_rows_deinit(&rows);
    return st;
}

/* The outcome models, from round 1's normal equations; columns that repeat others get 0. */
static struct js *outcome_models(const struct effect *c, const struct sums *total)
{
    size_t p = c->design.p, at = newton_size(form_of(c), true);
    double *m = xcalloc(p * p + 1, sizeof *m), *v = xcalloc(p + 1, sizeof *v);
    bool *aliased = xcalloc(p + 1, sizeof *aliased);
    struct js *arms = js_array();
    for (int arm = 0; arm < N_ARMS; arm++, at += normal_size(p)) {
        struct js *list = js_array();
        for (size_t i = 0, k = at + p; i < p; i++) {
            v[i] = sums_get_real(total, at + i);
            for (size_t j = 0; j <= i; j++, k++)
                m[i * p + j] = m[j * p + i] = sums_get_real(total, k);
        }
        ldl_factor(m, p, ALIAS_TOLERANCE, aliased);
        ldl_solve(m, p, aliased, v);
        for (size_t i = 0; i < p; i++)
            js_push(list, js_real(aliased[i] ? 0 : v[i]));
        js_push(arms, list);
    }
    free(m);
    free(v);
    free(aliased);
    return arms;
}

/* Kept in the state from round 1 on. */
static void keep_outcome_models(struct js **state, struct js *models)
{
    struct js *j = js_copy(*state);
    js_put(j, "outcome_models", models);
    js_free(*state);
    *state = j;
}

static enum status effect_next(const void *spec, const struct js *parameters, const struct sums *total,
                               struct js **state, struct js **next, struct err *e)
{
    const struct effect *c = spec;
    if (weighting(parameters))
        return ST_OK;
    struct sums newton = sums_part(total, 0, newton_size(form_of(c), !parameters));
    enum status st = newton_next(form_of(c), c->design.terms, parameters, &newton, state, next, e);
    if (st == ST_OK && !parameters && !no_estimate(*state))
        keep_outcome_models(state, outcome_models(c, total));
    if (st == ST_OK && !*next && !no_estimate(*state)) {
        *next = js_object();
        js_put(*next, "beta", js_copy(js_get(*state, "estimate")));
        js_put(*next, "weighting", js_boolean(true));
        js_put(*next, "outcome_models", js_copy(js_get(*state, "outcome_models")));
    }
    return st;
}

static enum status effect_finish(const void *spec, const struct js *parameters, const struct sums *total,
                                 const struct js *state, struct result *into, struct err *e)
{
    (void)parameters;
    const struct effect *c = spec;
    struct fit score;
    enum status st = newton_fit_of(state, c->design.p, into->arena, &score, e);
    if (st != ST_OK)
        return st;
    effect_tables(c, &score, total, into);
    uint32_t first = into->n_tables;
    model_tables(arena_printf(into->arena, "%s_score", c->name), &c->design, &score, 1, true, NULL, into);
    model_saturated(&c->design, &score, FAMILY_LOGISTIC, true, into, first);
    return ST_OK;
}

const struct analysis effect_analysis = {
    .kind = "comparative_effect",
    .summary = "effect of a treatment by propensity score: weights, strata, matches, doubly robust; negative "
               "controls",
    .template = "{\"kind\": \"comparative_effect\", \"name\": \"effect\", \"cohort\": \"target\","
                " \"treatment\": {\"by\": \"concept\", \"name\": \"ramipril\", \"concepts\": [1334456], "
                "\"window\": [0, 0]},"
                " \"outcome\": \"outcome\", \"window\": [1, 365], \"covariates\": [\"sex\","
                " {\"by\": \"age_band\", \"cuts\": [55]}, {\"by\": \"concept\", \"name\": \"diabetes\","
                " \"concepts\": [201826]}]}",
    .output = OUTPUT_RATE,
    .parse = effect_parse,
    .size = effect_size,
    .bound = effect_bound,
    .local = effect_local,
    .next = effect_next,
    .finish = effect_finish,
};
