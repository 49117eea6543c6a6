/* SPDX-License-Identifier: Apache-2.0
 *
 * The last round's sums at a site: every row's weight under each estimand, by its score, by the strata of the
 * site's scores and by matching there, and what the weighted rows add up to.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/matching.h"
#include "stats/propensity.h"
#include "study/effect.h"

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

enum status effect_weighted_sums(const struct effect *c, const struct js *parameters,
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
        effect_add_robust(&s, parameters, y, out);
        for (size_t k = 0; st == ST_OK && k < c->n_controls; k++)
            st = add_control(&s, site, k, out, e);
    }
    free(beta);
    free(s.score);
    free(s.weight);
    return st;
}
