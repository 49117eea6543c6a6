/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/shrink.h"

#include <math.h>

#include "base/mem.h"
#include "stats/glm.h"
#include "stats/special.h"

static enum status check(const double *x, const double *n, size_t units, struct err *e)
{
    for (size_t i = 0; i < units; i++)
        if (!(x[i] >= 0) || !(n[i] > 0) || !isfinite(x[i]) || !isfinite(n[i]))
            return err_set(e, ST_INVALID,
                           "row %zu: a count of 0 or more and a denominator above 0 are needed", i + 1);
    return units >= 2 ? ST_OK : err_set(e, ST_INVALID, "two units at least are needed");
}

enum status shrink_marshall(const double *x, const double *n, size_t units, double *out, struct marshall *fit,
                            struct err *e)
{
    double sum_x = 0, sum_n = 0, spread = 0;
    enum status st = check(x, n, units, e);
    if (st != ST_OK)
        return st;
    for (size_t i = 0; i < units; i++) {
        sum_x += x[i];
        sum_n += n[i];
    }
    double m = sum_x / sum_n;
    for (size_t i = 0; i < units; i++)
        spread += n[i] * (x[i] / n[i] - m) * (x[i] / n[i] - m);
    double a = fmax(0, spread / sum_n - m / (sum_n / (double)units));
    for (size_t i = 0; i < units; i++)
        out[i] = m + (a > 0 ? a / (a + m / n[i]) : 0) * (x[i] / n[i] - m);
    *fit = (struct marshall){m, a};
    return ST_OK;
}

/* Marginally x is negative binomial with theta = alpha and mean n alpha / beta: an intercept with log n as
 * offset. */
static enum status marginal_fit(const double *x, const double *n, size_t units, struct arena *a,
                                struct poisson_gamma *fit, struct err *e)
{
    static const char *const names[] = {"_intercept"};
    double *ones = arena_array(a, units, sizeof *ones), *offset = arena_array(a, units, sizeof *offset);
    for (size_t i = 0; i < units; i++) {
        ones[i] = 1;
        offset[i] = log(n[i]);
    }
    const double *columns[] = {ones};
    struct glm_data d = {units, 1, columns, x, offset, NULL};
    struct nb_fit nb;
    enum status st = nb_fit(GLM_LOG, &d, names, a, &nb, e);
    if (st == ST_OK && nb.poisson_limit)
        return err_set(e, ST_INVALID,
                       "the units vary no more than chance would have it: nothing to shrink by");
    if (st == ST_OK)
        *fit = (struct poisson_gamma){nb.theta, nb.theta / exp(nb.glm.beta[0]), nb.glm.log_likelihood};
    return st;
}

enum status shrink_poisson_gamma(const double *x, const double *n, size_t units, double confidence,
                                 struct estimate *out, struct poisson_gamma *fit, struct err *e)
{
    double tail = (1 - confidence) / 2;
    enum status st = check(x, n, units, e);
    if (st != ST_OK)
        return st;
    struct arena *a = arena_new();
    st = marginal_fit(x, n, units, a, fit, e);
    for (size_t i = 0; st == ST_OK && i < units; i++) {
        double shape = x[i] + fit->alpha, rate = n[i] + fit->beta;
        out[i] = (struct estimate){.value = shape / rate,
                                   .lower = gamma_quantile(shape, tail) / rate,
                                   .upper = gamma_quantile_upper(shape, tail) / rate};
    }
    arena_free(a);
    return st;
}
