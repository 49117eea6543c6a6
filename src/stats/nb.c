/* SPDX-License-Identifier: Apache-2.0
 *
 * Negative binomial regression: a Newton step for theta between refits of the coefficients, until both stand
 * still.
 */
#include <float.h>
#include <math.h>

#include "stats/glm.h"
#include "stats/kernel.h"
#include "stats/special.h"
#include "stats/sum.h"

/* Above this the data do not tell the model from Poisson's. */
#define THETA_CEILING 1e8

struct nb_theta_sums nb_theta_local(const struct glm_data *d, enum glm_link link, const double *beta,
                                    double theta)
{
    struct csum score = {0}, information = {0};
    double eta[KERNEL_ROWS], at = digamma(theta), slope = trigamma(theta);
    for (size_t from = 0; from < d->n; from += KERNEL_ROWS) {
        size_t n = d->n - from < KERNEL_ROWS ? d->n - from : KERNEL_ROWS;
        kernel_linear(d->x, d->p, beta, d->offset, from, n, eta);
        for (size_t i = 0; i < n; i++) {
            double y = d->y[from + i], w = d->weight ? d->weight[from + i] : 1,
                   mu = glm_mean_of(link, eta[i]);
            double m = mu + theta, s = y + theta;
            csum_add(&score, w * (digamma(s) - at + log(theta / m) + 1 - s / m));
            csum_add(&information, w * (slope - trigamma(s) - 1 / theta + 2 / m - s / (m * m)));
        }
    }
    return (struct nb_theta_sums){csum_value(&score), csum_value(&information)};
}

/* The moment start of MASS: n / sum (y / mu - 1)^2. */
static double start_theta(const struct glm_data *d, enum glm_link link, const double *beta)
{
    struct csum s = {0}, n = {0};
    double eta[KERNEL_ROWS];
    for (size_t from = 0; from < d->n; from += KERNEL_ROWS) {
        size_t k = d->n - from < KERNEL_ROWS ? d->n - from : KERNEL_ROWS;
        kernel_linear(d->x, d->p, beta, d->offset, from, k, eta);
        for (size_t i = 0; i < k; i++) {
            double w = d->weight ? d->weight[from + i] : 1,
                   q = d->y[from + i] / glm_mean_of(link, eta[i]) - 1;
            csum_add(&s, w * q * q);
            csum_add(&n, w);
        }
    }
    return csum_value(&n) / csum_value(&s);
}

struct theta {
    double value, se;
    bool runs_away;
};

/* MASS's theta.ml: Newton from the moment start, at most 24 steps, until a step is below eps^(1/4). */
static struct theta solve_theta(const struct glm_data *d, enum glm_link link, const double *beta)
{
    struct theta t = {.value = start_theta(d, link, beta)};
    double step = 1, stop = sqrt(sqrt(DBL_EPSILON));
    for (int i = 1; i < 25 && fabs(step) > stop; i++) {
        t.value = fabs(t.value);
        struct nb_theta_sums s = nb_theta_local(d, link, beta, t.value);
        step = s.score / s.information;
        t.se = 1 / sqrt(s.information);
        t.value += step;
    }
    t.runs_away = !(t.value > 0) || t.value > THETA_CEILING || fabs(step) > stop || !isfinite(t.se);
    return t;
}

static enum status poisson_limit(enum glm_link link, const struct glm_data *d, const char *const *names,
                                 struct arena *a, struct nb_fit *out, struct err *e)
{
    struct glm_model poisson = {GLM_POISSON, link, 0};
    out->poisson_limit = true;
    out->theta = out->se_theta = (double)NAN;
    enum status s = glm_fit(&poisson, d, names, a, &out->glm, e);
    out->log_likelihood2 = 2 * out->glm.log_likelihood;
    return s;
}

static void add_theta(const struct glm_data *d, const struct glm_model *m, struct nb_fit *out)
{
    struct glm_fit *f = &out->glm;
    f->log_likelihood = glm_log_likelihood(m, d, f->beta, 1);
    f->aic = 2 * (double)(f->rank + 1) - 2 * f->log_likelihood;
    f->bic = log(f->n) * (double)(f->rank + 1) - 2 * f->log_likelihood;
    out->theta = m->theta;
    out->log_likelihood2 = 2 * f->log_likelihood;
}

/* theta follows the means of the round before, as glm.nb has it; the loop ends when neither theta nor the
 * likelihood moves. */
enum status nb_fit(enum glm_link link, const struct glm_data *d, const char *const *names, struct arena *a,
                   struct nb_fit *out, struct err *e)
{
    *out = (struct nb_fit){.theta = (double)NAN};
    struct glm_model m = {GLM_POISSON, link, 0};
    enum status s = glm_fit(&m, d, names, a, &out->glm, e);
    if (s != ST_OK)
        return s;
    struct theta t = solve_theta(d, link, out->glm.beta);
    if (t.runs_away)
        return poisson_limit(link, d, names, a, out, e);
    m = (struct glm_model){GLM_NEGATIVE_BINOMIAL, link, t.value};
    double scale = sqrt(2 * fmax(1, out->glm.df_residual)), moved = 1;
    double now = glm_log_likelihood(&m, d, out->glm.beta, 1), before = now + 2 * scale;
    const double *beta = out->glm.beta;
    for (int round = 1; round <= 100 && fabs(before - now) / scale + fabs(moved) > 1e-14; round++) {
        s = glm_fit_from(&m, d, names, beta, a, &out->glm, e);
        if (s != ST_OK)
            return s;
        t = solve_theta(d, link, beta);
        if (t.runs_away)
            return poisson_limit(link, d, names, a, out, e);
        moved = m.theta - t.value;
        m.theta = t.value;
        beta = out->glm.beta;
        before = now;
        now = glm_log_likelihood(&m, d, beta, 1);
    }
    out->se_theta = t.se;
    add_theta(d, &m, out);
    return ST_OK;
}
