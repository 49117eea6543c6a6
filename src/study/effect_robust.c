/* SPDX-License-Identifier: Apache-2.0
 *
 * The doubly robust part of comparative_effect: round 1 also adds up the normal equations of a linear outcome
 * model in each arm, within sites; with the pooled solutions the last round adds up each person's
 * m_a(x) + [T = a] (y - m_a(x)) / P(T = a).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/linalg.h"
#include "study/effect.h"

#define ALIAS_TOLERANCE 1e-9

size_t effect_normal_size(size_t p)
{
    return p + p * (p + 1) / 2;
}

enum status effect_check_models(const struct js *parameters, size_t p, struct err *e)
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

void effect_normal_sums(const struct glm_data *data, const double *y, size_t at, struct sums *out)
{
    size_t p = data->p, n[N_ARMS] = {0};
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
        at += effect_normal_size(p);
        free(x[arm]);
        free(own[arm]);
    }
    free(zero);
    free(gradient);
    free(information);
}

struct js *effect_models(size_t p, size_t at, const struct sums *total)
{
    double *m = xcalloc(p * p + 1, sizeof *m), *v = xcalloc(p + 1, sizeof *v);
    bool *aliased = xcalloc(p + 1, sizeof *aliased);
    struct js *arms = js_array();
    for (int arm = 0; arm < N_ARMS; arm++, at += effect_normal_size(p)) {
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

void effect_add_robust(const struct scored *s, const struct js *parameters, const double *y, struct sums *out)
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
