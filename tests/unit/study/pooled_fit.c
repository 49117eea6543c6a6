/* SPDX-License-Identifier: Apache-2.0 */
#include "pooled_fit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "stats/glm.h"

void pooled_fitted(const double *const *x, size_t n, size_t p, const double *y, const double *of, double want,
                   bool logistic, double *out, struct arena *a)
{
    const double **columns = arena_array(a, p, sizeof *columns);
    const char **names = arena_array(a, p, sizeof *names);
    double *own_y = arena_array(a, n, sizeof *own_y);
    size_t m = 0;
    for (size_t k = 0; k < p; k++) {
        double *column = arena_array(a, n, sizeof *column);
        m = 0;
        for (size_t i = 0; i < n; i++)
            if (!of || of[i] == want) {
                column[m] = x[k][i];
                own_y[m++] = y[i];
            }
        columns[k] = column;
        names[k] = "x";
    }
    struct glm_model model = {logistic ? GLM_BINOMIAL : GLM_GAUSSIAN, logistic ? GLM_LOGIT : GLM_IDENTITY, 0};
    struct glm_data d = {m, p, columns, own_y, NULL, NULL};
    struct glm_fit fit;
    struct err e = {0};
    if (glm_fit(&model, &d, names, a, &fit, &e) != ST_OK)
        fail_msg("%s", e.text);
    for (size_t i = 0; i < n; i++) {
        double eta = 0;
        for (size_t k = 0; k < p; k++)
            eta += fit.aliased[k] ? 0 : fit.beta[k] * x[k][i];
        out[i] = logistic ? glm_mean_of(GLM_LOGIT, eta) : eta;
    }
}
