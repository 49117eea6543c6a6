/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/propensity.h"

#include <math.h>

#include "stats/glm.h"

double effective_size(const double *w, const double *treated, size_t n, bool of_treated)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        if ((treated[i] != 0) == of_treated) {
            sum += w[i];
            squares += w[i] * w[i];
        }
    return sum * sum / squares;
}

/* Mean of x in an arm under weights (NULL: 1), and the variance around it with n - 1. */
static double arm_mean(const double *x, const double *w, const double *treated, size_t n, bool of_treated,
                       double *variance)
{
    double sum = 0, weights = 0, squares = 0, persons = 0;
    for (size_t i = 0; i < n; i++)
        if ((treated[i] != 0) == of_treated) {
            sum += (w ? w[i] : 1) * x[i];
            weights += w ? w[i] : 1;
            persons++;
        }
    double mean = sum / weights;
    for (size_t i = 0; i < n && variance; i++)
        if ((treated[i] != 0) == of_treated)
            squares += (x[i] - mean) * (x[i] - mean);
    if (variance)
        *variance = squares / (persons - 1);
    return mean;
}

double standardised_difference(const double *x, const double *w, const double *treated, size_t n)
{
    double spread[2];
    for (int arm = 0; arm < 2; arm++)
        arm_mean(x, NULL, treated, n, arm, &spread[arm]);
    return (arm_mean(x, w, treated, n, true, NULL) - arm_mean(x, w, treated, n, false, NULL)) /
           sqrt((spread[0] + spread[1]) / 2);
}

enum status weighted_difference(const double *y, const double *w, const double *treated, size_t n,
                                struct arena *a, struct weighted_means *out, struct err *e)
{
    static const char *const names[] = {"_intercept", "treated"};
    static const int kinds[] = {0, 1, 3};
    double *ones = arena_array(a, n, sizeof *ones), covariance[4];
    for (size_t i = 0; i < n; i++)
        ones[i] = 1;
    const double *columns[] = {ones, treated};
    struct glm_model model = {GLM_GAUSSIAN, GLM_IDENTITY, 0};
    struct glm_data d = {n, 2, columns, y, NULL, w};
    struct glm_fit fit;
    enum status s = glm_fit(&model, &d, names, a, &fit, e);
    if (s != ST_OK)
        return s;
    *out = (struct weighted_means){.mean_untreated = fit.beta[0], .difference = fit.beta[1]};
    for (int k = 0; k < 3; k++) {
        glm_robust(&model, &d, &fit, kinds[k], covariance);
        out->se[k][0] = sqrt(covariance[0]);
        out->se[k][1] = sqrt(covariance[3]);
    }
    for (int j = 0; j < 2; j++)
        out->survey[j] = out->se[0][j] * sqrt((double)n / ((double)n - 1));
    return ST_OK;
}

/* Fitted outcomes of everybody by the linear model of one arm. */
static enum status arm_outcomes(const double *y, const double *treated, bool of_treated,
                                const double *const *x, size_t p, size_t n, const char *const *names,
                                struct arena *a, double *fitted, struct err *e)
{
    const double **own = arena_array(a, p, sizeof *own);
    double *own_y = arena_array(a, n, sizeof *own_y);
    size_t m = 0;
    for (size_t j = 0; j < p; j++) {
        double *column = arena_array(a, n, sizeof *column);
        m = 0;
        for (size_t i = 0; i < n; i++)
            if ((treated[i] != 0) == of_treated) {
                column[m] = x[j][i];
                own_y[m++] = y[i];
            }
        own[j] = column;
    }
    struct glm_model model = {GLM_GAUSSIAN, GLM_IDENTITY, 0};
    struct glm_data d = {m, p, own, own_y, NULL, NULL};
    struct glm_fit fit;
    enum status s = glm_fit(&model, &d, names, a, &fit, e);
    for (size_t i = 0; s == ST_OK && i < n; i++) {
        fitted[i] = 0;
        for (size_t j = 0; j < p; j++)
            fitted[i] += fit.aliased[j] ? 0 : fit.beta[j] * x[j][i];
    }
    return s == ST_OK ? s : err_wrap(e, "the outcome among the %streated", of_treated ? "" : "un");
}

enum status doubly_robust_difference(const double *y, const double *score, const double *treated,
                                     const double *const *x, size_t p, size_t n, const char *const *names,
                                     struct arena *a, struct doubly_robust *out, struct err *e)
{
    double *m[2], *influence = arena_array(a, n, sizeof *influence), sum = 0, squares = 0;
    for (int arm = 0; arm < 2; arm++) {
        m[arm] = arena_array(a, n, sizeof *m[arm]);
        enum status s = arm_outcomes(y, treated, arm, x, p, n, names, a, m[arm], e);
        if (s != ST_OK)
            return s;
    }
    for (size_t i = 0; i < n; i++) {
        influence[i] = m[1][i] - m[0][i] + treated[i] * (y[i] - m[1][i]) / score[i] -
                       (1 - treated[i]) * (y[i] - m[0][i]) / (1 - score[i]);
        sum += influence[i];
    }
    out->difference = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (influence[i] - out->difference) * (influence[i] - out->difference);
    out->se = sqrt(squares / ((double)n - 1) / (double)n);
    return ST_OK;
}
