/* SPDX-License-Identifier: Apache-2.0
 *
 * Fine and Gray's model. Rows are put in order of time once; at each time with an event of the cause the
 * weighted sums over everybody still at risk, and over those with another event before, give likelihood,
 * score and information.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/competing.h"
#include "stats/glm.h"
#include "stats/linalg.h"

struct fg {
    size_t n, p, times; /* times with an event of the cause */
    const double *const *x;
    const double *time;
    const int *state;
    int cause;
    double *g;         /* per row: G just before its time */
    double *at, *g_at; /* per event time: the time, and G just before it */
    double *d;         /* events there */
    double *risk;      /* exp(x beta) */
    double *s0, *s1;   /* weighted sums at each event time: times, times x p */
};

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kaplan-Meier of not being censored, just before each row's time and each event time. At a tie events come
 * first, so those with an event at t are no longer at risk of being censored at t. */
static void censoring_curve(struct fg *f)
{
    double *sorted = xcalloc(f->n + 1, sizeof *sorted);
    memcpy(sorted, f->time, f->n * sizeof *sorted);
    qsort(sorted, f->n, sizeof *sorted, rising);
    for (size_t i = 0; i < f->n; i++)
        f->g[i] = 1;
    for (size_t t = 0; t < f->times; t++)
        f->g_at[t] = 1;
    for (size_t i = 0, j; i < f->n; i = j) {
        double censored = 0, at_risk = (double)(f->n - i);
        for (j = i; j < f->n && sorted[j] == sorted[i]; j++)
            ;
        for (size_t r = 0; r < f->n; r++)
            censored += f->time[r] == sorted[i] && f->state[r] == 0;
        if (censored == 0)
            continue;
        double factor = 1 - censored / at_risk;
        for (size_t r = 0; r < f->n; r++)
            f->g[r] *= f->time[r] > sorted[i] ? factor : 1;
        for (size_t t = 0; t < f->times; t++)
            f->g_at[t] *= f->at[t] > sorted[i] ? factor : 1;
    }
    free(sorted);
}

static void event_times(struct fg *f)
{
    size_t m = 0;
    for (size_t i = 0; i < f->n; i++)
        if (f->state[i] == f->cause)
            f->at[m++] = f->time[i];
    qsort(f->at, m, sizeof *f->at, rising);
    for (size_t i = 0; i < m; i++) {
        if (i == 0 || f->at[i] != f->at[f->times - 1])
            f->at[f->times++] = f->at[i];
        f->d[f->times - 1]++;
    }
}

/* The weight of row i in the risk set at event time t. */
static double weight(const struct fg *f, size_t i, size_t t)
{
    if (f->time[i] >= f->at[t])
        return 1;
    return f->state[i] != 0 && f->state[i] != f->cause ? f->g_at[t] / f->g[i] : 0;
}

static double evaluate(struct fg *f, const double *beta, double *score, double *information)
{
    size_t p = f->p;
    double l = 0, *s2 = xcalloc(p * p + 1, sizeof *s2);
    memset(score, 0, p * sizeof *score);
    memset(information, 0, p * p * sizeof *information);
    for (size_t i = 0; i < f->n; i++) {
        double eta = 0;
        for (size_t j = 0; j < p; j++)
            eta += beta[j] * f->x[j][i];
        f->risk[i] = exp(eta);
        l += f->state[i] == f->cause ? eta : 0;
        for (size_t j = 0; f->state[i] == f->cause && j < p; j++)
            score[j] += f->x[j][i];
    }
    for (size_t t = 0; t < f->times; t++) {
        double *s1 = f->s1 + t * p;
        f->s0[t] = 0;
        memset(s1, 0, p * sizeof *s1);
        memset(s2, 0, p * p * sizeof *s2);
        for (size_t i = 0; i < f->n; i++) {
            double w = weight(f, i, t) * f->risk[i];
            if (w == 0)
                continue;
            f->s0[t] += w;
            for (size_t j = 0; j < p; j++) {
                s1[j] += w * f->x[j][i];
                for (size_t k = 0; k < p; k++)
                    s2[j * p + k] += w * f->x[j][i] * f->x[k][i];
            }
        }
        l -= f->d[t] * log(f->s0[t]);
        for (size_t j = 0; j < p; j++) {
            score[j] -= f->d[t] * s1[j] / f->s0[t];
            for (size_t k = 0; k < p; k++)
                information[j * p + k] +=
                    f->d[t] * (s2[j * p + k] / f->s0[t] - s1[j] / f->s0[t] * (s1[k] / f->s0[t]));
        }
    }
    free(s2);
    return l;
}

/* eta_i: the score's martingale integral of each row. */
static void score_parts(const struct fg *f, double *eta)
{
    size_t p = f->p;
    for (size_t i = 0; i < f->n; i++)
        for (size_t t = 0; t < f->times; t++) {
            double dm = (f->state[i] == f->cause && f->time[i] == f->at[t]) -
                        weight(f, i, t) * f->risk[i] * f->d[t] / f->s0[t];
            for (size_t j = 0; j < p; j++)
                eta[i * p + j] += (f->x[j][i] - f->s1[t * p + j] / f->s0[t]) * dm;
        }
}

/* psi_i: what estimating G adds. At each censoring time u, q(u) / Y(u) spreads over the censored at u and,
 * negative, over those still at risk. */
static void censoring_parts(const struct fg *f, double *eta)
{
    size_t p = f->p;
    double *q = xcalloc(p + 1, sizeof *q);
    for (size_t c = 0; c < f->n; c++) {
        bool first = f->state[c] == 0;
        for (size_t b = 0; first && b < c; b++)
            first = !(f->state[b] == 0 && f->time[b] == f->time[c]);
        if (!first)
            continue;
        double u = f->time[c], at_risk = 0, censored = 0;
        memset(q, 0, p * sizeof *q);
        for (size_t i = 0; i < f->n; i++) {
            at_risk += f->time[i] >= u;
            censored += f->state[i] == 0 && f->time[i] == u;
            if (f->state[i] == 0 || f->state[i] == f->cause || f->time[i] > u)
                continue;
            for (size_t t = 0; t < f->times; t++) {
                if (f->at[t] <= u)
                    continue;
                double h = weight(f, i, t) * f->risk[i] * f->d[t] / f->s0[t];
                for (size_t j = 0; j < p; j++)
                    q[j] += (f->x[j][i] - f->s1[t * p + j] / f->s0[t]) * h;
            }
        }
        for (size_t i = 0; i < f->n; i++) {
            double dm = (f->state[i] == 0 && f->time[i] == u) - (f->time[i] >= u) * censored / at_risk;
            for (size_t j = 0; dm != 0 && j < p; j++)
                eta[i * p + j] += q[j] / at_risk * dm;
        }
    }
    free(q);
}

static void sandwich(const struct fg *f, const double *inverse, double *out)
{
    size_t p = f->p;
    double *eta = xcalloc(f->n * p + 1, sizeof *eta), *row = xcalloc(p + 1, sizeof *row);
    score_parts(f, eta);
    censoring_parts(f, eta);
    memset(out, 0, p * p * sizeof *out);
    for (size_t i = 0; i < f->n; i++) {
        memset(row, 0, p * sizeof *row);
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++)
                row[j] += inverse[j * p + k] * eta[i * p + k];
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++)
                out[j * p + k] += row[j] * row[k];
    }
    free(eta);
    free(row);
}

static enum status newton(struct fg *f, struct glm_sums *s, struct glm_step *step, struct finegray_fit *out,
                          struct err *e)
{
    double last = evaluate(f, out->beta, s->score, s->information);
    out->log_likelihood_null = last;
    for (out->iterations = 1; out->iterations <= 50; out->iterations++) {
        glm_step(s, step);
        if (step->rank < f->p)
            return err_set(e, ST_INVALID, "singular: a column is a linear combination of the others");
        double now = last - 1;
        for (int halving = 0; halving < 30 && !(now >= last - 1e-12 * fabs(last)); halving++) {
            for (size_t j = 0; j < f->p; j++)
                out->beta[j] += halving ? -step->delta[j] * pow(0.5, halving) : step->delta[j];
            now = evaluate(f, out->beta, s->score, s->information);
        }
        if (fabs(now - last) < 1e-14 * fabs(now) && step->decrement < 1e-16)
            break;
        last = now;
    }
    out->log_likelihood = last;
    glm_step(s, step);
    return out->iterations <= 50 ? ST_OK : err_set(e, ST_INVALID, "no convergence in 50 rounds");
}

enum status finegray_fit(const double *time, const int *state, size_t n, const double *const *x, size_t p,
                         int cause, struct arena *a, struct finegray_fit *out, struct err *e)
{
    *out = (struct finegray_fit){.p = p, .n = (double)n, .beta = arena_array(a, p, sizeof *out->beta)};
    out->covariance = arena_array(a, p * p, sizeof *out->covariance);
    for (size_t i = 0; i < n; i++)
        out->events += state[i] == cause;
    if (out->events == 0)
        return err_set(e, ST_INVALID, "no_events: nobody has an event of cause %d", cause);
    size_t m = (size_t)out->events;
    struct arena *scratch = arena_new();
    struct fg f = {.n = n, .p = p, .x = x, .time = time, .state = state, .cause = cause};
    f.g = arena_array(scratch, n, sizeof *f.g);
    f.at = arena_array(scratch, m, sizeof *f.at);
    f.g_at = arena_array(scratch, m, sizeof *f.g_at);
    f.d = arena_array(scratch, m, sizeof *f.d);
    f.risk = arena_array(scratch, n, sizeof *f.risk);
    f.s0 = arena_array(scratch, m, sizeof *f.s0);
    f.s1 = arena_array(scratch, m * p, sizeof *f.s1);
    event_times(&f);
    censoring_curve(&f);
    struct glm_sums s;
    struct glm_step step;
    glm_sums_init(&s, p);
    glm_step_init(&step, p);
    enum status st = newton(&f, &s, &step, out, e);
    if (st == ST_OK)
        sandwich(&f, step.inverse, out->covariance);
    glm_sums_deinit(&s);
    glm_step_deinit(&step);
    arena_free(scratch);
    return st;
}
