/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/meta.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/glm.h"
#include "stats/linalg.h"
#include "stats/special.h"

struct problem {
    const double *y, *v;
    size_t k, p;
    const double *const *x;
    double *w, *fit, *beta, *cross; /* weights; fitted; p; (X'WX)^-1 */
    double *proj;                   /* P = W - W X (X'WX)^-1 X'W, k x k */
};

static double design(const struct problem *m, size_t i, size_t j)
{
    return j == 0 ? 1 : m->x[j - 1][i];
}

/* Weighted least squares at the present weights. */
static void solve(struct problem *m)
{
    size_t p = m->p;
    struct glm_sums s;
    struct glm_step step;
    glm_sums_init(&s, p);
    glm_step_init(&step, p);
    for (size_t i = 0; i < m->k; i++)
        for (size_t a = 0; a < p; a++) {
            s.score[a] += m->w[i] * design(m, i, a) * m->y[i];
            for (size_t b = 0; b < p; b++)
                s.information[a * p + b] += m->w[i] * design(m, i, a) * design(m, i, b);
        }
    glm_step(&s, &step);
    memcpy(m->beta, step.delta, p * sizeof *m->beta);
    memcpy(m->cross, step.inverse, p * p * sizeof *m->cross);
    glm_sums_deinit(&s);
    glm_step_deinit(&step);
    for (size_t i = 0; i < m->k; i++) {
        m->fit[i] = 0;
        for (size_t a = 0; a < p; a++)
            m->fit[i] += design(m, i, a) * m->beta[a];
    }
}

static double hat(const struct problem *m, size_t i, size_t j)
{
    double h = 0;
    for (size_t a = 0; a < m->p; a++)
        for (size_t b = 0; b < m->p; b++)
            h += design(m, i, a) * m->cross[a * m->p + b] * design(m, j, b);
    return h;
}

static void project(struct problem *m)
{
    for (size_t i = 0; i < m->k; i++)
        for (size_t j = 0; j < m->k; j++)
            m->proj[i * m->k + j] = (i == j ? m->w[i] : 0) - m->w[i] * hat(m, i, j) * m->w[j];
}

static void set_weights(struct problem *m, double tau2)
{
    for (size_t i = 0; i < m->k; i++)
        m->w[i] = 1 / (m->v[i] + tau2);
    solve(m);
}

static double weighted_squares(const struct problem *m)
{
    double s = 0;
    for (size_t i = 0; i < m->k; i++)
        s += m->w[i] * (m->y[i] - m->fit[i]) * (m->y[i] - m->fit[i]);
    return s;
}

static double trace(const struct problem *m)
{
    double s = 0;
    for (size_t i = 0; i < m->k; i++)
        s += m->w[i] * (1 - m->w[i] * hat(m, i, i));
    return s;
}

static double dersimonian_laird(struct problem *m)
{
    set_weights(m, 0);
    return (weighted_squares(m) - (double)(m->k - m->p)) / trace(m);
}

static double hedges(struct problem *m)
{
    double v = 0;
    for (size_t i = 0; i < m->k; i++)
        m->w[i] = 1;
    solve(m);
    for (size_t i = 0; i < m->k; i++)
        v += m->v[i] * (1 - hat(m, i, i));
    return (weighted_squares(m) - v) / (double)(m->k - m->p);
}

static double sidik_jonkman(struct problem *m)
{
    double mean = 0, s = 0;
    for (size_t i = 0; i < m->k; i++)
        mean += m->y[i] / (double)m->k;
    for (size_t i = 0; i < m->k; i++)
        s += (m->y[i] - mean) * (m->y[i] - mean) / (double)m->k;
    set_weights(m, s);
    return s * weighted_squares(m) / (double)(m->k - m->p);
}

/* One Fisher-scoring step of ML, REML or EB at tau2. */
static double scoring_step(struct problem *m, enum meta_method method, double tau2)
{
    size_t k = m->k;
    double quadratic = 0, tr = 0, tr2 = 0, w1 = 0, w2 = 0, q;
    set_weights(m, tau2);
    q = weighted_squares(m);
    project(m);
    for (size_t i = 0; i < k; i++) {
        double r = m->w[i] * (m->y[i] - m->fit[i]);
        quadratic += r * r;
        tr += m->proj[i * k + i];
        w1 += m->w[i];
        w2 += m->w[i] * m->w[i];
        for (size_t j = 0; j < k; j++)
            tr2 += m->proj[i * k + j] * m->proj[j * k + i];
    }
    if (method == META_REML)
        return (quadratic - tr) / tr2;
    if (method == META_ML)
        return (quadratic - w1) / w2;
    return (q * (double)k / (double)(k - m->p) - (double)k) / w1;
}

static double by_scoring(struct problem *m, enum meta_method method)
{
    double tau2 = fmax(0, hedges(m)), change = 1;
    for (int i = 0; i < 1000 && change > 1e-15 * tau2; i++) {
        double step = scoring_step(m, method, tau2);
        for (int h = 0; h < 60 && tau2 + step < 0; h++)
            step /= 2;
        change = fabs(step);
        tau2 = fmax(0, tau2 + step);
    }
    return tau2;
}

/* Paule and Mandel: the tau2 at which the weighted squares equal their expectation, by Newton. */
static double paule_mandel(struct problem *m)
{
    double tau2 = 0, want = (double)(m->k - m->p);
    for (int i = 0; i < 200; i++) {
        set_weights(m, tau2);
        double slope = 0;
        for (size_t j = 0; j < m->k; j++) {
            double r = m->w[j] * (m->y[j] - m->fit[j]);
            slope += r * r;
        }
        double step = (weighted_squares(m) - want) / slope;
        if (i == 0 && step <= 0)
            return 0;
        tau2 = fmax(0, tau2 + step);
        if (fabs(step) <= 1e-15 * tau2)
            break;
    }
    return tau2;
}

static double estimate_tau2(struct problem *m, enum meta_method method)
{
    switch (method) {
    case META_DL:
        return dersimonian_laird(m);
    case META_HE:
        return hedges(m);
    case META_SJ:
        return sidik_jonkman(m);
    case META_PM:
        return paule_mandel(m);
    case META_FE:
        return 0;
    default:
        return by_scoring(m, method);
    }
}

static void fill_heterogeneity(struct problem *m, enum meta_method method, struct meta *out)
{
    double df = (double)(m->k - m->p);
    set_weights(m, 0);
    out->q = weighted_squares(m);
    out->q_p = df > 0 ? chi2_upper(out->q, df) : (double)NAN;
    double typical = df / trace(m);
    out->i2 =
        method == META_FE ? fmax(0, 100 * (out->q - df) / out->q) : 100 * out->tau2 / (typical + out->tau2);
    out->h2 = method == META_FE ? out->q / df : out->tau2 / typical + 1;
}

static void fill_slopes(struct meta *out, int knapp)
{
    size_t m = out->p - 1, rank;
    out->qm = out->qm_p = (double)NAN;
    if (m == 0)
        return;
    double *v = xcalloc(m * m, sizeof *v);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++)
            v[i * m + j] = out->covariance[(i + 1) * out->p + j + 1];
    out->qm = quadratic_inverse(v, out->beta + 1, m, 1e-14, &rank);
    if (knapp)
        out->qm /= (double)m;
    out->qm_p = knapp ? f_upper(out->qm, (double)m, out->df) : chi2_upper(out->qm, (double)m);
    free(v);
}

static void fill_blups(const struct problem *m, struct meta *out)
{
    for (size_t i = 0; i < m->k; i++) {
        double share = out->tau2 / (out->tau2 + m->v[i]), fitted = 0;
        for (size_t a = 0; a < m->p; a++)
            for (size_t b = 0; b < m->p; b++)
                fitted += design(m, i, a) * out->covariance[a * m->p + b] * design(m, i, b);
        out->blup[i] = share * m->y[i] + (1 - share) * m->fit[i];
        out->blup_se[i] = sqrt(share * m->v[i] + (1 - share) * (1 - share) * fitted);
    }
}

static void fill_meta(struct problem *m, enum meta_method method, int knapp, struct meta *out)
{
    out->tau2 = fmax(0, estimate_tau2(m, method));
    fill_heterogeneity(m, method, out);
    set_weights(m, out->tau2);
    double df = (double)(m->k - m->p), scale = knapp ? weighted_squares(m) / df : 1;
    out->df = knapp ? df : (double)INFINITY;
    memcpy(out->beta, m->beta, m->p * sizeof *out->beta);
    for (size_t i = 0; i < m->p * m->p; i++)
        out->covariance[i] = m->cross[i] * scale;
    for (size_t i = 0; i < m->p; i++)
        out->se[i] = sqrt(out->covariance[i * m->p + i]);
    fill_slopes(out, knapp);
    if (method != META_FE)
        fill_blups(m, out);
}

enum status meta_fit(const double *y, const double *v, size_t k, const double *const *x, size_t moderators,
                     enum meta_method method, int knapp, struct arena *a, struct meta *out, struct err *e)
{
    size_t p = moderators + 1;
    if (k < p + 1)
        return err_set(e, ST_INVALID,
                       "a meta-analysis with %zu coefficients needs at least %zu estimates, here are %zu", p,
                       p + 1, k);
    for (size_t i = 0; i < k; i++)
        if (!(v[i] > 0) || isnan(y[i]))
            return err_set(e, ST_INVALID, "estimate %zu: it is missing, or its variance is not above 0",
                           i + 1);
    *out = (struct meta){.k = k,
                         .p = p,
                         .beta = arena_array(a, p, sizeof *out->beta),
                         .covariance = arena_array(a, p * p, sizeof *out->covariance),
                         .se = arena_array(a, p, sizeof *out->se)};
    if (method != META_FE) {
        out->blup = arena_array(a, k, sizeof *out->blup);
        out->blup_se = arena_array(a, k, sizeof *out->blup_se);
    }
    struct problem m = {.y = y, .v = v, .k = k, .p = p, .x = x};
    m.w = arena_array(a, k, sizeof *m.w);
    m.fit = arena_array(a, k, sizeof *m.fit);
    m.beta = arena_array(a, p, sizeof *m.beta);
    m.cross = arena_array(a, p * p, sizeof *m.cross);
    m.proj = arena_array(a, k * k, sizeof *m.proj);
    fill_meta(&m, method, knapp, out);
    return ST_OK;
}
