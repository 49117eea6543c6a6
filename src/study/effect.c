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
 * preference score. Scores are truncated to [truncate, 1 - truncate] for weighting.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/calibrate.h"
#include "stats/propensity.h"
#include "study/effect.h"
#include "study/no_estimate.h"

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
    const char *allowed[16] = {"kind",     "cohort", "treatment",        "covariates",
                               "truncate", "strata", "negative_controls"};
    size_t n = 7;
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

size_t effect_size_of(const struct effect *c)
{
    return effect_preference_at(c, PREFERENCE_BANDS, 0);
}

static enum status effect_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    const struct effect *c = spec;
    *n = weighting(parameters) ? effect_size_of(c) : newton_size(newton_form(c->design.p, true), !parameters);
    return parameters ? newton_check(parameters, c->design.p, e) : ST_OK;
}

static sum_t effect_bound(const void *spec, const struct js *parameters, size_t i)
{
    const struct effect *c = spec;
    if (!weighting(parameters))
        return newton_bound(newton_form(c->design.p, true), !parameters, i);
    bool count =
        i < effect_moments_at(c, 0, 0, 0) ? i % FIGURES <= CASES : i >= effect_preference_at(c, 0, 0);
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
        for (size_t i = 0; i < data->n; i++) {
            add_outcome(&s, 0, i, y[i], out);
            add_moments(&s, i, out);
            add_preference(&s, treated / (double)data->n, i, out);
        }
        for (size_t k = 0; st == ST_OK && k < c->n_controls; k++)
            st = add_control(&s, site, k, out, e);
    }
    free(beta);
    free(s.score);
    free(s.weight);
    return st;
}

static void score_sums(const struct effect *c, const struct js *parameters, const struct glm_data *data,
                       struct sums *out)
{
    struct likelihood likelihood = {data->p, data, glm_at, glm_third};
    struct model_counts counts = model_counts_new(data->p);
    model_count(&c->design, data->x, data->y, data->n, &counts);
    newton_local(&likelihood, parameters, &counts, out);
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
    }
    free(x);
    free(y);
    free(treated);
    free(level);
    index_rows_deinit(&rows);
    return st;
}

static enum status effect_next(const void *spec, const struct js *parameters, const struct sums *total,
                               struct js **state, struct js **next, struct err *e)
{
    const struct effect *c = spec;
    if (weighting(parameters))
        return ST_OK;
    enum status st =
        newton_next(newton_form(c->design.p, true), c->design.terms, parameters, total, state, next, e);
    if (st == ST_OK && !*next && !no_estimate(*state)) {
        *next = js_object();
        js_put(*next, "beta", js_copy(js_get(*state, "estimate")));
        js_put(*next, "weighting", js_boolean(true));
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
    model_tables(arena_printf(into->arena, "%s_score", c->name), &c->design, &score, 1, true, NULL, into);
    return ST_OK;
}

const struct analysis effect_analysis = {
    .kind = "comparative_effect",
    .summary = "effect of a treatment by propensity score: weighting, strata, balance, negative controls",
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
