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
 * site: the treated and their nearest neighbours there, w = 1 and the shares of the matches they are
 * (effect_weights.c). The same round makes the estimate doubly robust (effect_robust.c).
 */
#include <stdlib.h>

#include "stats/calibrate.h"
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
    spec_dimension(&s, js_get(specification, "treatment"), spec_path(&s, "treatment"), &c->treatment);
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

static struct newton_form form_of(const struct effect *c)
{
    return newton_form(c->design.p, true);
}

static enum status effect_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    const struct effect *c = spec;
    *n = weighting(parameters) ? effect_size_of(c) : newton_size(form_of(c), !parameters);
    if (!parameters) {
        *n += N_ARMS * effect_normal_size(c->design.p);
        return ST_OK;
    }
    enum status st = newton_check(parameters, c->design.p, e);
    return st == ST_OK && weighting(parameters) ? effect_check_models(parameters, c->design.p, e) : st;
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
            st = effect_weighted_sums(c, parameters, site, &rows, &data, y, out, e);
        else
            score_sums(c, parameters, &data, out);
        if (!parameters)
            effect_normal_sums(&data, y, newton_size(form_of(c), true), out);
    }
    free(x);
    free(y);
    free(treated);
    free(level);
    index_rows_deinit(&rows);
    return st;
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
        keep_outcome_models(state, effect_models(c->design.p, newton_size(form_of(c), true), total));
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
