/* SPDX-License-Identifier: Apache-2.0
 *
 * Fine and Gray's model. Rows are put in order of time once. At each time with an event of the cause the sums
 * over everybody still at risk (from the end) and, with their weights, over those with another event before
 * (from the beginning) give likelihood, score and information; what each row adds to the score, and what
 * estimating the censoring curve adds, are cumulative sums of the same: O(n p^2) in all.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/competing.h"
#include "stats/glm.h"
#include "stats/linalg.h"

struct finegray_rows {
    size_t n, p, times; /* times with an event of the cause */
    double *x;          /* n x p, rows in order of time */
    double *time;
    int *state;
    int cause;
    double *g;         /* per row: probability of being uncensored just before its time */
    double *at, *g_at; /* per event time: the time, and that probability */
    double *d;         /* events there */
};

struct place {
    double time;
    size_t row;
};

static int by_time(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return x->time != y->time ? (x->time > y->time) - (x->time < y->time)
                              : (x->row > y->row) - (x->row < y->row);
}

static void sort_rows(struct finegray_rows *f, const double *time, const int *state, const double *x)
{
    struct place *order = xcalloc(f->n + 1, sizeof *order);
    for (size_t i = 0; i < f->n; i++)
        order[i] = (struct place){time[i], i};
    qsort(order, f->n, sizeof *order, by_time);
    for (size_t i = 0; i < f->n; i++) {
        f->time[i] = order[i].time;
        f->state[i] = state[order[i].row];
        memcpy(f->x + i * f->p, x + order[i].row * f->p, f->p * sizeof *x);
    }
    free(order);
}

/* Kaplan-Meier of not being censored, just before each row's time and each event time; everybody whose time
 * is no earlier is at risk. */
static void curves(struct finegray_rows *f)
{
    double g = 1;
    for (size_t i = 0, j; i < f->n; i = j) {
        double censored = 0, events = 0;
        for (j = i; j < f->n && f->time[j] == f->time[i]; j++) {
            f->g[j] = g;
            censored += f->state[j] == 0;
            events += f->state[j] == f->cause;
        }
        if (events > 0) {
            f->at[f->times] = f->time[i];
            f->g_at[f->times] = g;
            f->d[f->times++] = events;
        }
        g *= 1 - censored / (double)(f->n - i);
    }
}

struct finegray_rows *finegray_rows(const double *time, const int *state, size_t n, const double *x, size_t p,
                                    int cause, struct arena *a)
{
    struct finegray_rows *f = arena_alloc(a, sizeof *f);
    *f = (struct finegray_rows){.n = n, .p = p, .cause = cause};
    f->x = arena_array(a, n * p + 1, sizeof *f->x);
    f->time = arena_array(a, n + 1, sizeof *f->time);
    f->state = arena_array(a, n + 1, sizeof *f->state);
    f->g = arena_array(a, n + 1, sizeof *f->g);
    f->at = arena_array(a, n + 1, sizeof *f->at);
    f->g_at = arena_array(a, n + 1, sizeof *f->g_at);
    f->d = arena_array(a, n + 1, sizeof *f->d);
    sort_rows(f, time, state, x);
    curves(f);
    return f;
}

static size_t set_size(size_t p)
{
    return 1 + p + p * (p + 1) / 2;
}

static void add_row(double *set, const double *x, double w, size_t p)
{
    double *s2 = set + 1 + p;
    set[0] += w;
    for (size_t j = 0; j < p; j++) {
        set[1 + j] += w * x[j];
        for (size_t k = 0; k <= j; k++)
            *s2++ += w * x[j] * x[k];
    }
}

static bool competes(const struct finegray_rows *f, size_t i)
{
    return f->state[i] != 0 && f->state[i] != f->cause;
}

/* exp(x beta - the largest): the likelihood does not change when all move together. */
static double *risks(const struct finegray_rows *f, const double *beta, double *eta)
{
    double *r = xcalloc(f->n + 1, sizeof *r), most = -INFINITY;
    for (size_t i = 0; i < f->n; i++) {
        eta[i] = 0;
        for (size_t j = 0; j < f->p; j++)
            eta[i] += beta[j] * f->x[i * f->p + j];
        most = fmax(most, eta[i]);
    }
    for (size_t i = 0; i < f->n; i++)
        r[i] = exp(eta[i] -= most);
    return r;
}

/* Weighted sums of 1, x and x x' over the risk set of each event time: times x set_size. */
static double *risk_sets(const struct finegray_rows *f, const double *r)
{
    size_t p = f->p, m = set_size(p), i = f->n;
    double *sets = xcalloc(f->times * m + 1, sizeof *sets), *run = xcalloc(m, sizeof *run);
    for (size_t t = f->times; t-- > 0;) {
        for (; i > 0 && f->time[i - 1] >= f->at[t]; i--)
            add_row(run, f->x + (i - 1) * p, r[i - 1], p);
        memcpy(sets + t * m, run, m * sizeof *run);
    }
    memset(run, 0, m * sizeof *run);
    i = 0;
    for (size_t t = 0; t < f->times; t++) {
        for (; i < f->n && f->time[i] < f->at[t]; i++)
            if (competes(f, i))
                add_row(run, f->x + i * p, r[i] / f->g[i], p);
        for (size_t k = 0; k < m; k++)
            sets[t * m + k] += f->g_at[t] * run[k];
    }
    free(run);
    return sets;
}

double finegray_at(const void *rows, const double *beta, double *score, double *information)
{
    const struct finegray_rows *f = rows;
    size_t p = f->p, m = set_size(p);
    double l = 0, *eta = xcalloc(f->n + 1, sizeof *eta), *r = risks(f, beta, eta), *sets = risk_sets(f, r);
    memset(score, 0, p * sizeof *score);
    memset(information, 0, p * p * sizeof *information);
    for (size_t i = 0; i < f->n; i++) {
        if (f->state[i] != f->cause)
            continue;
        l += eta[i];
        for (size_t j = 0; j < p; j++)
            score[j] += f->x[i * p + j];
    }
    for (size_t t = 0; t < f->times; t++) {
        const double *s = sets + t * m, *s2 = s + 1 + p;
        l -= f->d[t] * log(s[0]);
        for (size_t j = 0; j < p; j++) {
            score[j] -= f->d[t] * s[1 + j] / s[0];
            for (size_t k = 0; k <= j; k++)
                information[j * p + k] += f->d[t] * (*s2++ / s[0] - s[1 + j] / s[0] * (s[1 + k] / s[0]));
        }
    }
    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k < j; k++)
            information[k * p + j] = information[j * p + k];
    free(eta);
    free(r);
    free(sets);
    return l;
}

/* Sums over the event times up to and with each: of d / s0 and d / s0 xbar (h, hx), and of G times those
   (k, kx). Entry 0 is before all. */
struct cumulative {
    double *h, *hx, *k, *kx;
};

static struct cumulative cumulate(const struct finegray_rows *f, const double *sets)
{
    size_t p = f->p, m = set_size(p), n = f->times + 1;
    struct cumulative c = {xcalloc(n, sizeof(double)), xcalloc(n * p + 1, sizeof(double)),
                           xcalloc(n, sizeof(double)), xcalloc(n * p + 1, sizeof(double))};
    for (size_t t = 0; t < f->times; t++) {
        const double *s = sets + t * m;
        double step = f->d[t] / s[0];
        c.h[t + 1] = c.h[t] + step;
        c.k[t + 1] = c.k[t] + f->g_at[t] * step;
        for (size_t j = 0; j < p; j++) {
            double mean = s[1 + j] / s[0];
            c.hx[(t + 1) * p + j] = c.hx[t * p + j] + step * mean;
            c.kx[(t + 1) * p + j] = c.kx[t * p + j] + f->g_at[t] * step * mean;
        }
    }
    return c;
}

static void cumulative_free(struct cumulative *c)
{
    free(c->h);
    free(c->hx);
    free(c->k);
    free(c->kx);
}

/* Each row's martingale integral of the score. `behind` is the number of event times up to its own. */
static void score_parts(const struct finegray_rows *f, const double *r, const double *sets,
                        const struct cumulative *c, double *eta)
{
    size_t p = f->p, m = set_size(p), behind = 0;
    for (size_t i = 0; i < f->n; i++) {
        const double *x = f->x + i * p;
        while (behind < f->times && f->at[behind] <= f->time[i])
            behind++;
        double weight = competes(f, i) ? r[i] / f->g[i] : 0;
        for (size_t j = 0; j < p; j++) {
            double *out = &eta[i * p + j];
            if (f->state[i] == f->cause) {
                const double *s = sets + (behind - 1) * m;
                *out += x[j] - s[1 + j] / s[0];
            }
            *out -= r[i] * (x[j] * c->h[behind] - c->hx[behind * p + j]);
            *out -= weight * (x[j] * (c->k[f->times] - c->k[behind]) -
                              (c->kx[f->times * p + j] - c->kx[behind * p + j]));
        }
    }
}

/* What estimating the censoring curve adds: at each time u with censorings q(u) / Y(u) goes to those censored
   there and, times their hazard, off everybody still at risk. */
static void censoring_parts(const struct finegray_rows *f, const double *r, const struct cumulative *c,
                            double *eta)
{
    size_t p = f->p, behind = 0;
    double *set = xcalloc(set_size(p), sizeof *set), *q = xcalloc(p + 1, sizeof *q),
           *taken = xcalloc(p + 1, sizeof *taken);
    for (size_t i = 0, j; i < f->n; i = j) {
        double censored = 0, at_risk = (double)(f->n - i);
        while (behind < f->times && f->at[behind] <= f->time[i])
            behind++;
        for (j = i; j < f->n && f->time[j] == f->time[i]; j++) {
            censored += f->state[j] == 0;
            if (competes(f, j))
                add_row(set, f->x + j * p, r[j] / f->g[j], p);
        }
        for (size_t k = 0; k < p && censored > 0; k++) {
            q[k] = set[1 + k] * (c->k[f->times] - c->k[behind]) -
                   set[0] * (c->kx[f->times * p + k] - c->kx[behind * p + k]);
            taken[k] += q[k] / at_risk * (censored / at_risk);
        }
        for (size_t row = i; row < j; row++)
            for (size_t k = 0; k < p; k++)
                eta[row * p + k] += (f->state[row] == 0 ? q[k] / at_risk : 0) - taken[k];
    }
    free(set);
    free(q);
    free(taken);
}

void finegray_meat(const struct finegray_rows *f, const double *beta, double *out)
{
    size_t p = f->p;
    double *linear = xcalloc(f->n + 1, sizeof *linear), *r = risks(f, beta, linear), *sets = risk_sets(f, r),
           *eta = xcalloc(f->n * p + 1, sizeof *eta);
    struct cumulative c = cumulate(f, sets);
    score_parts(f, r, sets, &c, eta);
    censoring_parts(f, r, &c, eta);
    memset(out, 0, p * p * sizeof *out);
    for (size_t i = 0; i < f->n; i++)
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++)
                out[j * p + k] += eta[i * p + j] * eta[i * p + k];
    cumulative_free(&c);
    free(linear);
    free(r);
    free(sets);
    free(eta);
}

void finegray_sandwich(const double *inverse, const double *meat, size_t p, double *out)
{
    double *half = xcalloc(p * p + 1, sizeof *half);
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++)
                half[i * p + j] += inverse[i * p + k] * meat[k * p + j];
    memset(out, 0, p * p * sizeof *out);
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++)
                out[i * p + j] += half[i * p + k] * inverse[k * p + j];
    free(half);
}

static enum status newton(const struct finegray_rows *f, struct glm_sums *s, struct glm_step *step,
                          struct finegray_fit *out, struct err *e)
{
    double last = finegray_at(f, out->beta, s->score, s->information);
    out->log_likelihood_null = last;
    for (out->iterations = 1; out->iterations <= 50; out->iterations++) {
        glm_step(s, step);
        if (step->rank < f->p)
            return err_set(e, ST_INVALID, "singular: a column is a linear combination of the others");
        double now = last - 1;
        for (int halving = 0; halving < 30 && !(now >= last - 1e-12 * fabs(last)); halving++) {
            for (size_t j = 0; j < f->p; j++)
                out->beta[j] += halving ? -step->delta[j] * pow(0.5, halving) : step->delta[j];
            now = finegray_at(f, out->beta, s->score, s->information);
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
    struct arena *scratch = arena_new();
    double *rows = arena_array(scratch, n * p + 1, sizeof *rows),
           *meat = arena_array(scratch, p * p, sizeof *meat);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++)
            rows[i * p + j] = x[j][i];
    const struct finegray_rows *f = finegray_rows(time, state, n, rows, p, cause, scratch);
    struct glm_sums s;
    struct glm_step step;
    glm_sums_init(&s, p);
    glm_step_init(&step, p);
    enum status st = newton(f, &s, &step, out, e);
    if (st == ST_OK) {
        finegray_meat(f, out->beta, meat);
        finegray_sandwich(step.inverse, meat, p, out->covariance);
    }
    glm_sums_deinit(&s);
    glm_step_deinit(&step);
    arena_free(scratch);
    return st;
}
