/* SPDX-License-Identifier: Apache-2.0
 *
 * One table: scale the columns, iterate, scale back.
 *
 * Columns far from 0 for their spread (years, deflators) lose digits in X'WX. Where any has a mean over 30
 * standard deviations, the fit works on centred and scaled copies (centred only when there is a constant
 * column to take up the difference); everything goes back to the original scale at the end.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats/glm.h"
#include "stats/kernel.h"
#include "stats/linalg.h"
#include "stats/sum.h"

enum { MOST_ROUNDS = 100, MOST_HALVINGS = 40, SEPARATION_FROM = 10 };

struct scaled {
    size_t p, constant; /* constant: index of the intercept column, p = none */
    double *centre, *scale;
    bool copied;
    double **x; /* the copies */
    struct glm_data data;
};

/* Sums of (x - from)^power, power 1 or 2: plain within blocks, compensated between them. */
static double sum_from(const double *x, size_t n, double from, int power)
{
    struct csum s = {0};
    for (size_t i = 0; i < n; i += KERNEL_ROWS) {
        double block = 0;
        for (size_t k = i; k < n && k < i + KERNEL_ROWS; k++)
            block += power == 1 ? x[k] - from : (x[k] - from) * (x[k] - from);
        csum_add(&s, block);
    }
    return csum_value(&s);
}

static void column_moments(const double *x, size_t n, double *mean, double *sd, bool *constant)
{
    size_t i = 1;
    while (i < n && x[i] == x[0])
        i++;
    *constant = i >= n;
    *mean = *constant ? x[0] : sum_from(x, n, 0, 1) / (double)n;
    *sd = *constant ? 0 : sqrt(sum_from(x, n, *mean, 2) / (double)n);
}

static void copy_columns(const struct glm_data *d, struct scaled *s)
{
    s->x = xcalloc(d->p + 1, sizeof *s->x);
    for (size_t j = 0; j < d->p; j++) {
        s->x[j] = xcalloc(d->n + 1, sizeof **s->x);
        for (size_t i = 0; i < d->n; i++)
            s->x[j][i] = (d->x[j][i] - s->centre[j]) / s->scale[j];
    }
    s->data.x = (const double *const *)s->x;
}

static void scale_open(const struct glm_data *d, struct scaled *s)
{
    *s = (struct scaled){.p = d->p, .constant = d->p, .data = *d};
    s->centre = xcalloc(d->p + 1, sizeof *s->centre);
    s->scale = xcalloc(d->p + 1, sizeof *s->scale);
    for (size_t j = 0; j < d->p; j++) {
        bool constant;
        column_moments(d->x[j], d->n, &s->centre[j], &s->scale[j], &constant);
        if (constant && s->centre[j] != 0 && s->constant == d->p)
            s->constant = j;
        s->copied = s->copied || (!constant && fabs(s->centre[j]) > 30 * s->scale[j]);
    }
    for (size_t j = 0; j < d->p; j++) {
        bool is_constant = s->scale[j] == 0;
        if (j == s->constant || s->constant == d->p)
            s->centre[j] = 0;
        if (is_constant)
            s->scale[j] = 1;
    }
    if (s->copied)
        copy_columns(d, s);
}

static void scale_close(struct scaled *s)
{
    for (size_t j = 0; s->copied && j < s->p; j++)
        free(s->x[j]);
    free(s->x);
    free(s->centre);
    free(s->scale);
}

/* Coefficients and covariance back on the original columns: beta_j = g_j / s_j, and the intercept's takes
 * -sum g_j m_j / s_j over its constant value. */
static void unscale(const struct scaled *s, const struct glm_data *d, double *beta, double *before, double *v)
{
    size_t p = s->p, c = s->constant;
    if (!s->copied)
        return;
    double *t = xcalloc(p * p + 1, sizeof *t), *tv = xcalloc(p * p + 1, sizeof *tv),
           *b = xcalloc(2 * p + 1, sizeof *b);
    for (size_t j = 0; j < p; j++) {
        t[j * p + j] = 1 / s->scale[j];
        if (c < p && j != c)
            t[c * p + j] = -s->centre[j] / s->scale[j] / d->x[c][0];
    }
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            b[i] += t[i * p + j] * beta[j];
            b[p + i] += t[i * p + j] * before[j];
            for (size_t k = 0; k < p; k++)
                tv[i * p + j] += t[i * p + k] * v[k * p + j];
        }
    memset(v, 0, p * p * sizeof *v);
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++)
                v[i * p + j] += tv[i * p + k] * t[j * p + k];
    memcpy(beta, b, p * sizeof *beta);
    memcpy(before, b + p, p * sizeof *before);
    free(t);
    free(tv);
    free(b);
}

struct search {
    const struct glm_model *model;
    const struct glm_data *data;
    struct glm_sums sums;
    struct glm_step step;
    double *beta, *old;
    int round;
    bool stepped; /* old holds a beta */
};

/* Sums at beta; where the deviance rose or a mean left its range, beta goes half way back to `old`. */
static bool settle(struct search *s, double old_deviance)
{
    for (int halving = 0; halving < MOST_HALVINGS; halving++) {
        glm_local(s->model, s->data, s->beta, &s->sums);
        double rise = s->sums.deviance - old_deviance;
        bool worse = !isfinite(s->sums.deviance) || rise > 1e-9 * (fabs(old_deviance) + 0.1);
        if (s->sums.valid && !worse)
            return true;
        for (size_t j = 0; j < s->data->p; j++)
            s->beta[j] = (s->beta[j] + s->old[j]) / 2;
    }
    return false;
}

static double mean_outcome(const struct glm_data *d)
{
    struct csum y = {0}, w = {0};
    for (size_t i = 0; i < d->n; i++) {
        double pw = d->weight ? d->weight[i] : 1;
        csum_add(&y, pw * d->y[i]);
        csum_add(&w, pw);
    }
    return csum_value(&y) / csum_value(&w);
}

/* A first beta inside the family's range: scoring from y, or else the intercept alone at the mean outcome.
 * Returns the deviance of the start, NaN where there is none. */
static double first_beta(struct search *s)
{
    size_t p = s->data->p;
    glm_local(s->model, s->data, NULL, &s->sums);
    double start = s->sums.deviance;
    glm_step(&s->sums, &s->step);
    memcpy(s->beta, s->step.delta, p * sizeof *s->beta);
    glm_local(s->model, s->data, s->beta, &s->sums);
    if (s->sums.valid && isfinite(s->sums.deviance))
        return start;
    memset(s->beta, 0, p * sizeof *s->beta);
    for (size_t j = 0; j < p; j++) {
        double mean, sd;
        bool constant;
        column_moments(s->data->x[j], s->data->n, &mean, &sd, &constant);
        if (constant && mean != 0) {
            s->beta[j] = glm_link_of(s->model->link, mean_outcome(s->data)) / mean;
            break;
        }
    }
    glm_local(s->model, s->data, s->beta, &s->sums);
    return s->sums.valid && isfinite(s->sums.deviance) ? (double)INFINITY : (double)NAN;
}

static bool bounded_outcome(enum glm_family f)
{
    return f != GLM_GAUSSIAN && f != GLM_GAMMA && f != GLM_INVERSE_GAUSSIAN;
}

/* Separation: fitted means run to the edge of their range while some coefficient keeps growing by about the
 * same step each round (A. Albert, J. Anderson, Biometrika 71 (1984) 1). Lists those columns. */
static bool separated(const struct search *s, const struct scaled *scale, const char *const *names,
                      char *list, size_t size)
{
    double most = 0;
    if (!bounded_outcome(s->model->family) || s->round < SEPARATION_FROM || s->sums.max_eta < 15)
        return false;
    size_t p = s->data->p;
    for (size_t j = 0; j < p; j++)
        most = fmax(most, fabs(s->step.delta[j]) * (scale->copied ? 1 : scale->scale[j]));
    if (most < 0.05)
        return false;
    list[0] = '\0';
    for (size_t j = 0; j < p; j++) {
        double move = fabs(s->step.delta[j]) * (scale->copied ? 1 : scale->scale[j]);
        if (move < 0.05 * most || (j == scale->constant && p > 1))
            continue;
        size_t at = strlen(list);
        snprintf(list + at, size - at, "%s%s", at ? ", " : "", names[j]);
    }
    return true;
}

/* R's rule at 1e-14, where R's default is 1e-8: the deviance stands still. Coefficients are those of the last
 * solve and the covariance is that solve's, with the weights it used, as summary.glm reports it. */
static bool stands_still(double deviance, double before)
{
    return fabs(deviance - before) < 1e-14 * (fabs(deviance) + 0.1);
}

/* Coefficients given on the original columns, on the scaled ones. */
static double given_beta(struct search *s, const struct scaled *scale, const struct glm_data *d,
                         const double *start)
{
    size_t p = scale->p, c = scale->constant;
    memcpy(s->beta, start, p * sizeof *s->beta);
    for (size_t j = 0; scale->copied && j < p; j++) {
        s->beta[j] = start[j] * scale->scale[j];
        if (c < p && j != c)
            s->beta[c] += start[j] * scale->centre[j] / d->x[c][0];
    }
    glm_local(s->model, s->data, s->beta, &s->sums);
    return s->sums.valid ? (double)INFINITY : (double)NAN;
}

static enum status iterate(struct search *s, const struct scaled *scale, const char *const *names,
                           double before, struct err *e)
{
    char list[300];
    if (isnan(before))
        return err_set(
            e, ST_INVALID,
            "no starting point: the %s link gives means outside the range of the %s family; use another link",
            glm_link_name(s->model->link), glm_family_name(s->model->family));
    for (s->round = 1; s->round <= MOST_ROUNDS; s->round++) {
        if (stands_still(s->sums.deviance, before))
            return ST_OK;
        before = s->sums.deviance;
        glm_step(&s->sums, &s->step);
        if (separated(s, scale, names, list, sizeof list))
            return err_set(
                e, ST_INVALID,
                "separation: the outcome is predicted perfectly by %s, so there is no finite estimate; leave "
                "the column out or merge its levels",
                list);
        memcpy(s->old, s->beta, scale->p * sizeof *s->old);
        s->stepped = true;
        for (size_t j = 0; j < scale->p; j++)
            s->beta[j] += s->step.delta[j];
        if (!settle(s, before))
            return err_set(e, ST_INVALID, "no convergence: every step from round %d makes the fit worse",
                           s->round);
    }
    return err_set(e, ST_INVALID, "no convergence in %d rounds", MOST_ROUNDS);
}

static bool plain_bernoulli(const struct glm_model *m, const struct glm_data *d)
{
    bool plain = m->family == GLM_BINOMIAL && m->link == GLM_LOGIT && !d->weight;
    for (size_t i = 0; plain && i < d->n; i++)
        plain = d->y[i] == 0 || d->y[i] == 1;
    return plain;
}

static void fill_likelihood(const struct glm_model *m, const struct glm_data *d, const double *beta,
                            double weight, struct glm_fit *out)
{
    bool quasi = m->family == GLM_QUASIBINOMIAL || m->family == GLM_QUASIPOISSON;
    double parameters = (double)out->rank + (out->dispersion_estimated && !quasi);
    if (quasi)
        out->log_likelihood = (double)NAN;
    else
        out->log_likelihood = plain_bernoulli(m, d) ? -out->deviance / 2
                                                    : glm_log_likelihood(m, d, beta, out->deviance / weight);
    out->aic = 2 * parameters - 2 * out->log_likelihood;
    out->bic = parameters * log(out->n) - 2 * out->log_likelihood;
}

/* Sum of w u^2 with the last solve's weights w and the working residuals u at the end: summary.glm's
 * dispersion times its degrees of freedom. */
static double working_chi2(const struct glm_model *m, const struct glm_data *d, const struct glm_fit *f)
{
    struct csum s = {0};
    double eta[KERNEL_ROWS], w[2][KERNEL_ROWS], r[2][KERNEL_ROWS];
    for (size_t from = 0; from < d->n; from += KERNEL_ROWS) {
        size_t n = d->n - from < KERNEL_ROWS ? d->n - from : KERNEL_ROWS;
        for (int k = 0; k < 2; k++) {
            struct glm_block b = {.w = w[k], .r = r[k], .valid = true};
            kernel_linear(d->x, d->p, k ? f->beta : f->beta_before, d->offset, from, n, eta);
            glm_family_block(m, d, from, n, eta, false, &b);
        }
        for (size_t i = 0; i < n; i++) {
            double u = r[1][i] / w[1][i];
            csum_add(&s, w[0][i] * u * u);
        }
    }
    return csum_value(&s);
}

static void fill_fit(const struct search *s, const struct scaled *scale, const struct glm_data *d,
                     struct glm_fit *out)
{
    size_t p = d->p;
    out->rank = s->step.rank;
    out->n = s->sums.n;
    out->deviance = s->sums.deviance;
    out->pearson = s->sums.pearson;
    out->df_residual = out->n - (double)out->rank;
    out->dispersion_estimated = glm_dispersion_estimated(s->model->family);
    out->iterations = s->round;
    out->log_det = s->step.log_det;
    memcpy(out->beta, s->beta, p * sizeof *out->beta);
    memcpy(out->beta_before, s->stepped ? s->old : s->beta, p * sizeof *out->beta_before);
    memcpy(out->aliased, s->step.aliased, p * sizeof *out->aliased);
    memcpy(out->covariance, s->step.inverse, p * p * sizeof *out->covariance);
    fill_likelihood(s->model, s->data, s->beta, s->sums.weight, out);
    out->dispersion = 1;
    if (out->dispersion_estimated)
        out->dispersion =
            out->df_residual > 0 ? working_chi2(s->model, s->data, out) / out->df_residual : (double)NAN;
    unscale(scale, d, out->beta, out->beta_before, out->covariance);
    for (size_t j = 0; scale->copied && j < p; j++)
        out->log_det += out->aliased[j] ? 0 : 2 * log(scale->scale[j]);
    for (size_t i = 0; i < p * p; i++)
        out->covariance[i] *= out->dispersion;
}

static void search_open(struct search *s, const struct glm_model *m, const struct glm_data *d)
{
    *s = (struct search){.model = m, .data = d};
    glm_sums_init(&s->sums, d->p);
    glm_step_init(&s->step, d->p);
    s->beta = xcalloc(d->p + 1, sizeof *s->beta);
    s->old = xcalloc(d->p + 1, sizeof *s->old);
}

static void search_close(struct search *s)
{
    glm_sums_deinit(&s->sums);
    glm_step_deinit(&s->step);
    free(s->beta);
    free(s->old);
}

/* The deviance of the intercept alone (with the offset), or of the offset where there is no intercept. */
static enum status null_deviance(const struct glm_model *m, const struct glm_data *d, bool intercept,
                                 double *out, struct err *e)
{
    double *ones = xcalloc(d->n + 1, sizeof *ones);
    for (size_t i = 0; i < d->n; i++)
        ones[i] = 1;
    const double *x[1] = {ones};
    const char *name = "_intercept";
    struct glm_data only = *d;
    only.x = x;
    only.p = intercept;
    struct search s;
    struct scaled scale = {.p = only.p, .constant = 0, .scale = (double[]){1}};
    search_open(&s, m, &only);
    enum status st = ST_OK;
    if (intercept && d->offset)
        st = iterate(&s, &scale, &name, first_beta(&s), e);
    else if (intercept) /* without an offset the fitted mean is the weighted mean outcome */
        s.beta[0] = glm_link_of(m->link, mean_outcome(d));
    if (!intercept || !d->offset)
        glm_local(m, &only, s.beta, &s.sums);
    *out = s.sums.deviance;
    search_close(&s);
    free(ones);
    return st;
}

enum status glm_fit(const struct glm_model *m, const struct glm_data *d, const char *const *names,
                    struct arena *a, struct glm_fit *out, struct err *e)
{
    return glm_fit_from(m, d, names, NULL, a, out, e);
}

enum status glm_fit_from(const struct glm_model *m, const struct glm_data *d, const char *const *names,
                         const double *start, struct arena *a, struct glm_fit *out, struct err *e)
{
    enum status st = glm_check(m, d, e);
    if (st != ST_OK)
        return st;
    size_t p = d->p;
    *out = (struct glm_fit){.p = p,
                            .aliased = arena_array(a, p, sizeof *out->aliased),
                            .beta = arena_array(a, p, sizeof *out->beta),
                            .beta_before = arena_array(a, p, sizeof *out->beta_before),
                            .covariance = arena_array(a, p * p, sizeof *out->covariance)};
    struct scaled scale;
    struct search s;
    scale_open(d, &scale);
    search_open(&s, m, &scale.data);
    st = iterate(&s, &scale, names, start ? given_beta(&s, &scale, d, start) : first_beta(&s), e);
    bool intercept = scale.constant < p;
    if (st == ST_OK) {
        fill_fit(&s, &scale, d, out);
        out->df_null = out->n - intercept;
        st = null_deviance(m, d, intercept, &out->null_deviance, e);
    }
    search_close(&s);
    scale_close(&scale);
    return st;
}

static double leverage(const struct glm_data *d, const double *inverse, size_t i, double w)
{
    double h = 0;
    for (size_t j = 0; j < d->p; j++)
        for (size_t k = 0; k < d->p; k++)
            h += d->x[j][i] * inverse[j * d->p + k] * d->x[k][i];
    return h * w;
}

/* One block's scores and, for HC3, what is left of each after its leverage. */
static void robust_block(const struct glm_model *m, const struct glm_data *d, const struct glm_fit *f,
                         const double *inverse, size_t from, size_t n, double *u)
{
    double eta[KERNEL_ROWS], w[KERNEL_ROWS], r[KERNEL_ROWS], before[KERNEL_ROWS];
    struct glm_block b = {.w = before, .r = r, .valid = true};
    kernel_linear(d->x, d->p, f->beta_before, d->offset, from, n, eta);
    glm_family_block(m, d, from, n, eta, false, &b);
    b = (struct glm_block){.w = w, .r = r, .valid = true};
    kernel_linear(d->x, d->p, f->beta, d->offset, from, n, eta);
    glm_family_block(m, d, from, n, eta, false, &b);
    for (size_t i = 0; i < n; i++) {
        u[i] = before[i] * r[i] / w[i];
        if (inverse)
            u[i] /= 1 - leverage(d, inverse, from + i, before[i]);
    }
}

void glm_robust(const struct glm_model *m, const struct glm_data *d, const struct glm_fit *f, int kind,
                double *out)
{
    size_t p = d->p;
    double u[KERNEL_ROWS];
    double *inverse = xcalloc(p * p + 1, sizeof *inverse), *half = xcalloc(p * p + 1, sizeof *half);
    struct csum *meat = xcalloc(p * p + 1, sizeof *meat);
    for (size_t i = 0; i < p * p; i++)
        inverse[i] = f->covariance[i] / f->dispersion;
    for (size_t from = 0; from < d->n; from += KERNEL_ROWS) {
        size_t n = d->n - from < KERNEL_ROWS ? d->n - from : KERNEL_ROWS;
        robust_block(m, d, f, kind == 3 ? inverse : NULL, from, n, u);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < p; j++)
                for (size_t k = 0; k < p; k++)
                    csum_add(&meat[j * p + k], u[i] * d->x[j][from + i] * u[i] * d->x[k][from + i]);
    }
    double factor = kind == 1 ? f->n / f->df_residual : 1;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++)
                half[i * p + j] += inverse[i * p + k] * csum_value(&meat[k * p + j]);
    memset(out, 0, p * p * sizeof *out);
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++)
                out[i * p + j] += factor * half[i * p + k] * inverse[k * p + j];
    free(inverse);
    free(half);
    free(meat);
}
