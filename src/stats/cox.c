/* SPDX-License-Identifier: Apache-2.0
 *
 * Likelihood, score and information of one site; Newton's method on totals.
 *
 * Efron's sums over the d steps of a tie need only five scalars: with c_l = s0 - f_l d0,
 *   sum 1/c, sum f/c, sum 1/c^2, sum f/c^2, sum f^2/c^2,
 * because every matrix in them is one of s2, d2, s1 s1', s1 d1' + d1 s1', d1 d1'. A tie of 5,000 deaths costs
 * 5,000 divisions and one matrix update.
 */
#include "stats/cox.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats/cox_exact.h"
#include "stats/cox_rows.h"
#include "stats/glm.h"
#include "stats/linalg.h"
#include "stats/special.h"
#include "stats/sum.h"

void cox_sums_init(struct cox_sums *s, size_t p)
{
    *s = (struct cox_sums){.p = p,
                           .score = xcalloc(p + 1, sizeof *s->score),
                           .information = xcalloc(p * p + 1, sizeof *s->information)};
}

void cox_sums_deinit(struct cox_sums *s)
{
    free(s->score);
    free(s->information);
}

void cox_sums_add(struct cox_sums *into, const struct cox_sums *other)
{
    for (size_t i = 0; i < into->p; i++)
        into->score[i] += other->score[i];
    for (size_t i = 0; i < into->p * into->p; i++)
        into->information[i] += other->information[i];
    into->log_likelihood += other->log_likelihood;
    into->n += other->n;
    into->events += other->events;
}

struct gather {
    struct cox_sums *out;
    struct csum *score, *information; /* p; packed */
    struct csum log_likelihood;
    const double *beta; /* scaled */
    enum cox_ties ties;
    double *scratch; /* p */
};

static double linear(const struct cox_rows *r, size_t i, const double *beta)
{
    double eta = r->offset[i];
    for (size_t j = 0; j < r->p; j++)
        eta += r->x[i * r->stride + j] * beta[j];
    return eta;
}

double cox_contribution(const struct cox_rows *r, const struct cox_set *s, bool efron, double *score,
                        double *information)
{
    double d = (double)s->deaths, a1 = 0, af = 0, b1 = 0, bf = 0, bff = 0, logs = 0;
    size_t steps = efron ? s->deaths : 1;
    for (size_t l = 0; l < steps; l++) {
        double f = (double)l / d, c = s->s0 - f * s->d0, w = s->death_weight / (double)steps;
        logs += w * (log(c) + r->shift);
        a1 += w / c;
        af += w * f / c;
        b1 += w / (c * c);
        bf += w * f / (c * c);
        bff += w * f * f / (c * c);
    }
    for (size_t j = 0, at = 0; j < r->p; j++) {
        double u = b1 * s->s1[j] - bf * s->d1[j], v = bff * s->d1[j] - bf * s->s1[j];
        score[j] = af * s->d1[j] - a1 * s->s1[j];
        for (size_t i = s->first; i < s->first + s->deaths; i++)
            score[j] += r->weight[i] * r->x[i * r->stride + j];
        for (size_t k = 0; k <= j; k++, at++)
            information[at] = a1 * s->s2[at] - af * s->d2[at] - u * s->s1[k] - v * s->d1[k];
    }
    return -logs;
}

static void at_time(void *context, const struct cox_rows *r, const struct cox_set *s)
{
    struct gather *g = context;
    size_t p = r->p;
    csum_add(&g->log_likelihood, cox_contribution(r, s, g->ties == COX_EFRON, g->scratch, g->scratch + p));
    for (size_t i = s->first; i < s->first + s->deaths; i++)
        csum_add(&g->log_likelihood, r->weight[i] * linear(r, i, g->beta));
    for (size_t j = 0; j < p; j++)
        csum_add(&g->score[j], g->scratch[j]);
    for (size_t k = 0; k < p * (p + 1) / 2; k++)
        csum_add(&g->information[k], g->scratch[p + k]);
    g->out->events += (double)s->deaths;
}

static void unscale_sums(const struct gather *g, const struct cox_rows *r, struct cox_sums *out)
{
    for (size_t j = 0, at = 0; j < r->p; j++) {
        out->score[j] = csum_value(&g->score[j]) * r->scale[j];
        for (size_t k = 0; k <= j; k++, at++)
            out->information[j * r->p + k] = out->information[k * r->p + j] =
                csum_value(&g->information[at]) * r->scale[j] * r->scale[k];
    }
    out->log_likelihood = csum_value(&g->log_likelihood);
    out->n = (double)r->n;
}

void cox_local(const struct cox_rows *rows, const double *beta, enum cox_ties ties, struct cox_sums *out)
{
    struct cox_rows r = *rows; /* risk is scratch of its own here, so that rows can be shared */
    size_t p = r.p;
    r.risk = xcalloc(r.n + 1, sizeof *r.risk);
    double *scaled = xcalloc(p + 1, sizeof *scaled);
    for (size_t j = 0; j < p; j++)
        scaled[j] = beta[j] * r.scale[j];
    cox_rows_risk(&r, scaled);
    struct gather g = {.out = out,
                       .score = xcalloc(p + 1, sizeof *g.score),
                       .information = xcalloc(p * (p + 1) / 2 + 1, sizeof *g.information),
                       .beta = scaled,
                       .ties = ties,
                       .scratch = xcalloc(p + p * (p + 1) / 2 + 1, sizeof *g.scratch)};
    out->events = 0;
    if (ties == COX_EXACT)
        cox_exact_walk(&r, scaled, g.score, g.information, &g.log_likelihood, &out->events);
    else
        cox_walk(&r, true, at_time, &g);
    unscale_sums(&g, &r, out);
    free(r.risk);
    free(scaled);
    free(g.scratch);
    free(g.score);
    free(g.information);
}

size_t cox_newton(const struct cox_sums *total, double *delta, double *inverse, bool *aliased)
{
    struct glm_sums as = {.p = total->p, .information = total->information, .score = total->score};
    struct glm_step step;
    glm_step_init(&step, total->p);
    glm_step(&as, &step);
    memcpy(delta, step.delta, total->p * sizeof *delta);
    memcpy(inverse, step.inverse, total->p * total->p * sizeof *inverse);
    memcpy(aliased, step.aliased, total->p * sizeof *aliased);
    size_t rank = step.rank;
    glm_step_deinit(&step);
    return rank;
}

static double score_statistic(const struct cox_sums *s, const double *inverse)
{
    return bilinear(s->score, inverse, s->score, s->p);
}

enum { MOST_ROUNDS = 60 };
/* With a large log-likelihood a relative 1e-14 is not the end: a step must also be below 1e-8 standard
 * errors. */
#define SMALL_STEP 1e-16

struct search {
    const struct cox_rows *rows;
    enum cox_ties ties;
    struct cox_sums sums;
    double *beta, *delta, *inverse;
    bool *aliased;
};

/* A coefficient runs away when it keeps moving by much while the likelihood no longer does: name it. */
static enum status runaway(const struct search *s, const char *const *names, struct err *e)
{
    char list[300] = "";
    for (size_t j = 0; j < s->sums.p; j++) {
        double reach = fabs(s->beta[j]) * s->rows->scale[j], move = fabs(s->delta[j]) * s->rows->scale[j];
        if (s->aliased[j] || reach < 4 || move < 0.1)
            continue;
        size_t at = strlen(list);
        snprintf(list + at, sizeof list - at, "%s%s", at ? ", " : "", names[j]);
    }
    return list[0] ? err_set(e, ST_INVALID,
                             "separation: the likelihood has no maximum, the coefficient of %s is infinite; "
                             "leave the "
                             "column out or merge its levels",
                             list)
                   : ST_OK;
}

/* Newton with halving as coxph has it, at relative tolerance 1e-14 of the log-likelihood; the covariance is
 * that of the last coefficients. */
static enum status iterate(struct search *s, const char *const *names, struct cox_fit *out, struct err *e)
{
    size_t p = s->sums.p;
    double last = s->sums.log_likelihood;
    for (int round = 1, halvings = 0; round <= MOST_ROUNDS; round++) {
        for (size_t j = 0; j < p; j++)
            s->beta[j] += s->delta[j];
        cox_local(s->rows, s->beta, s->ties, &s->sums);
        double now = s->sums.log_likelihood;
        bool worse = !(now >= last) && fabs(1 - last / now) > 1e-12;
        out->iterations = round;
        if (worse && halvings++ < 30) {
            for (size_t j = 0; j < p; j++) {
                s->beta[j] -= s->delta[j];
                s->delta[j] /= 2;
            }
            continue;
        }
        bool still = fabs(1 - last / now) <= 1e-14;
        enum status st = still ? runaway(s, names, e) : ST_OK;
        out->rank = cox_newton(&s->sums, s->delta, s->inverse, s->aliased);
        if (st != ST_OK || p == 0 || (still && score_statistic(&s->sums, s->inverse) < SMALL_STEP))
            return st;
        last = now;
    }
    enum status st = runaway(s, names, e);
    return st == ST_OK ? err_set(e, ST_INVALID, "no convergence in %d rounds", MOST_ROUNDS) : st;
}

static void fill_tests(struct cox_fit *f, double score)
{
    double df = (double)f->rank;
    f->likelihood_ratio = (struct test){2 * (f->log_likelihood - f->log_likelihood_null), df, 0};
    f->score = (struct test){score, df, 0};
    f->likelihood_ratio.p = chi2_upper(fmax(0, f->likelihood_ratio.statistic), df);
    f->score.p = chi2_upper(score, df);
    size_t rank;
    f->wald.statistic = quadratic_inverse(f->covariance, f->beta, f->p, 1e-14, &rank);
    f->wald.df = df;
    f->wald.p = chi2_upper(f->wald.statistic, df);
}

static enum status fit_rows(struct search *s, const char *const *names, struct cox_fit *out, struct err *e)
{
    cox_local(s->rows, s->beta, s->ties, &s->sums);
    out->n = s->sums.n;
    out->events = s->sums.events;
    out->log_likelihood_null = s->sums.log_likelihood;
    if (s->sums.events == 0)
        return err_set(e, ST_INVALID, "no_events: nobody has the event, so there is nothing to estimate");
    out->rank = cox_newton(&s->sums, s->delta, s->inverse, s->aliased);
    double score = score_statistic(&s->sums, s->inverse);
    enum status st = iterate(s, names, out, e);
    if (st != ST_OK)
        return st;
    out->log_likelihood = s->sums.log_likelihood;
    memcpy(out->beta, s->beta, out->p * sizeof *out->beta);
    memcpy(out->aliased, s->aliased, out->p * sizeof *out->aliased);
    memcpy(out->covariance, s->inverse, out->p * out->p * sizeof *out->covariance);
    memcpy(out->naive, s->inverse, out->p * out->p * sizeof *out->naive);
    fill_tests(out, score);
    return ST_OK;
}

enum status cox_fit(const struct cox_data *d, enum cox_ties ties, const char *const *names, struct arena *a,
                    struct cox_fit *out, struct err *e)
{
    size_t p = d->p;
    enum status st = survival_check(&d->rows, e);
    if (st != ST_OK)
        return st;
    *out = (struct cox_fit){.p = p,
                            .beta = arena_array(a, p, sizeof *out->beta),
                            .covariance = arena_array(a, p * p, sizeof *out->covariance),
                            .naive = arena_array(a, p * p, sizeof *out->naive),
                            .aliased = arena_array(a, p, sizeof *out->aliased)};
    struct cox_rows *rows = cox_rows_new(d);
    struct search s = {.rows = rows,
                       .ties = ties,
                       .beta = xcalloc(p + 1, sizeof *s.beta),
                       .delta = xcalloc(p + 1, sizeof *s.delta),
                       .inverse = xcalloc(p * p + 1, sizeof *s.inverse),
                       .aliased = xcalloc(p + 1, sizeof *s.aliased)};
    cox_sums_init(&s.sums, p);
    st = fit_rows(&s, names, out, e);
    cox_sums_deinit(&s.sums);
    free(s.beta);
    free(s.delta);
    free(s.inverse);
    free(s.aliased);
    cox_rows_free(rows);
    return st;
}
