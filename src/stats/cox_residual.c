/* SPDX-License-Identifier: Apache-2.0
 *
 * Residuals, sandwich covariance and baseline hazard. One walk over the death times records what each adds to
 * the cumulative hazard and to its first moment; running sums of those over rising time give every row's
 * residuals. Within an Efron tie a dying row bears only the share 1 - f of each step (T. Therneau, P.
 * Grambsch, Modeling Survival Data (2000) 3.3, 4.2, 7.1).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/cox_rows.h"
#include "stats/linalg.h"
#include "stats/special.h"

struct jump {
    uint32_t stratum;
    double time, hazard, own; /* own: the dying rows' share of the hazard */
    double *moment, *own_moment,
        *mean; /* p each: hazard times mean x; the dying rows' share; mean x over the steps */
};

struct jumps {
    struct jump *v;
    size_t n, capacity;
    struct arena *arena;
    bool efron;
};

static void record(void *context, const struct cox_rows *r, const struct cox_set *s)
{
    struct jumps *all = context;
    GROW(all->v, all->n + 1, all->capacity);
    struct jump *j = &all->v[all->n++];
    size_t p = r->p, steps = all->efron ? s->deaths : 1;
    *j = (struct jump){.stratum = r->stratum[s->first], .time = r->time[s->first]};
    j->moment = arena_array(all->arena, 3 * p + 1, sizeof *j->moment);
    j->own_moment = j->moment + p;
    j->mean = j->moment + 2 * p;
    for (size_t l = 0; l < steps; l++) {
        double f = (double)l / (double)s->deaths, c = s->s0 - f * s->d0;
        double h = s->death_weight / (double)steps / c;
        j->hazard += h;
        j->own += (1 - f) * h;
        for (size_t k = 0; k < p; k++) {
            double mean = (s->s1[k] - f * s->d1[k]) / c;
            j->moment[k] += h * mean;
            j->own_moment[k] += (1 - f) * h * mean;
            j->mean[k] += mean / (double)steps;
        }
    }
}

/* The jumps in order of stratum and rising time: the walk gives times falling within each stratum. */
static void turn_round(struct jumps *all)
{
    for (size_t from = 0, to; from < all->n; from = to) {
        for (to = from; to < all->n && all->v[to].stratum == all->v[from].stratum; to++)
            ;
        for (size_t a = from, b = to - 1; a < b; a++, b--) {
            struct jump t = all->v[a];
            all->v[a] = all->v[b];
            all->v[b] = t;
        }
    }
}

static struct cox_rows *rows_at_fit(const struct cox_data *d, const struct cox_fit *f)
{
    struct cox_rows *r = cox_rows_new(d);
    double *scaled = xcalloc(d->p + 1, sizeof *scaled);
    for (size_t j = 0; j < d->p; j++)
        scaled[j] = f->beta[j] * r->scale[j];
    cox_rows_risk(r, scaled);
    free(scaled);
    return r;
}

static void collect(const struct cox_rows *r, enum cox_ties ties, struct arena *a, struct jumps *out)
{
    *out = (struct jumps){.arena = a, .efron = ties == COX_EFRON};
    cox_walk(r, true, record, out);
    turn_round(out);
}

/* Running sums of hazard (column 0) and moments (1..p) before jump i: cumulative[i * (p + 1)], from 0 in each
 * stratum; the entry behind a stratum's last jump is held by `after`. */
static double *accumulate(const struct jumps *all, size_t p)
{
    double *c = xcalloc((all->n + 1) * (p + 1), sizeof *c), *run = xcalloc(p + 1, sizeof *run);
    for (size_t i = 0; i < all->n; i++) {
        if (i > 0 && all->v[i].stratum != all->v[i - 1].stratum)
            memset(run, 0, (p + 1) * sizeof *run);
        run[0] += all->v[i].hazard;
        for (size_t k = 0; k < p; k++)
            run[1 + k] += all->v[i].moment[k];
        memcpy(c + i * (p + 1), run, (p + 1) * sizeof *run);
    }
    free(run);
    return c;
}

/* The last jump of the stratum at or before t (before t, when strict); all->n when there is none. */
static size_t find_jump(const struct jumps *all, uint32_t stratum, double t, bool strict)
{
    size_t low = 0, high = all->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        const struct jump *j = &all->v[mid];
        bool inside =
            j->stratum < stratum || (j->stratum == stratum && (strict ? j->time < t : j->time <= t));
        if (inside)
            low = mid + 1;
        else
            high = mid;
    }
    return low > 0 && all->v[low - 1].stratum == stratum ? low - 1 : all->n;
}

struct residual_pass {
    const struct cox_rows *r;
    const struct jumps *all;
    const double *cumulative;
    struct cox_residuals *out;
    double *moment; /* p + 1 scratch */
};

static void add_cumulative(struct residual_pass *s, size_t jump, double sign)
{
    size_t p = s->r->p;
    for (size_t k = 0; jump < s->all->n && k <= p; k++)
        s->moment[k] += sign * s->cumulative[jump * (p + 1) + k];
}

static void row_residuals(struct residual_pass *s, size_t i)
{
    const struct cox_rows *r = s->r;
    size_t p = r->p, row = r->row[i];
    bool death = r->status[i] != 0;
    memset(s->moment, 0, (p + 1) * sizeof *s->moment);
    add_cumulative(s, find_jump(s->all, r->stratum[i], r->time[i], death), 1);
    if (r->entry)
        add_cumulative(s, find_jump(s->all, r->stratum[i], r->entry[i], false), -1);
    const struct jump *own = death ? &s->all->v[find_jump(s->all, r->stratum[i], r->time[i], false)] : NULL;
    double hazard = s->moment[0] + (own ? own->own : 0), m = death - r->risk[i] * hazard;
    s->out->martingale[row] = m;
    double inside = death ? log(death - m) : 0;
    s->out->deviance[row] = (m < 0 ? -1 : 1) * sqrt(fmax(0, -2 * (m + inside)));
    for (size_t k = 0; k < p; k++) {
        double x = r->x[i * r->stride + k], first = s->moment[1 + k] + (own ? own->own_moment[k] : 0);
        double u = (own ? x - own->mean[k] : 0) - r->risk[i] * (x * hazard - first);
        s->out->score[row * p + k] = u * r->scale[k];
    }
}

void cox_residuals(const struct cox_data *d, const struct cox_fit *f, enum cox_ties ties, struct arena *a,
                   struct cox_residuals *out)
{
    size_t n = d->rows.n, p = d->p;
    *out = (struct cox_residuals){arena_array(a, n, sizeof *out->martingale),
                                  arena_array(a, n, sizeof *out->deviance),
                                  arena_array(a, n * p, sizeof *out->score)};
    struct cox_rows *r = rows_at_fit(d, f);
    struct jumps all;
    struct arena *scratch = arena_new();
    collect(r, ties, scratch, &all);
    double *cumulative = accumulate(&all, p);
    struct residual_pass s = {r, &all, cumulative, out, xcalloc(p + 1, sizeof *s.moment)};
    for (size_t i = 0; i < n; i++)
        row_residuals(&s, i);
    free(s.moment);
    free(cumulative);
    free(all.v);
    arena_free(scratch);
    cox_rows_free(r);
}

void cox_robust(const struct cox_data *d, const struct cox_residuals *r, const uint32_t *cluster,
                size_t clusters, struct cox_fit *f)
{
    size_t n = d->rows.n, p = d->p, groups = cluster ? clusters : n;
    double *sum = xcalloc(groups * p + 1, sizeof *sum), *beta = xcalloc(p + 1, sizeof *beta);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++)
            sum[(cluster ? cluster[i] : i) * p + j] +=
                (d->rows.weight ? d->rows.weight[i] : 1) * r->score[i * p + j];
    memset(f->covariance, 0, p * p * sizeof *f->covariance);
    for (size_t g = 0; g < groups; g++) {
        memset(beta, 0, p * sizeof *beta);
        for (size_t i = 0; i < p; i++)
            for (size_t j = 0; j < p; j++)
                beta[i] += f->naive[i * p + j] * sum[g * p + j];
        for (size_t i = 0; i < p; i++)
            for (size_t j = 0; j < p; j++)
                f->covariance[i * p + j] += beta[i] * beta[j];
    }
    f->robust = true;
    size_t rank;
    f->wald.statistic = quadratic_inverse(f->covariance, f->beta, p, 1e-14, &rank);
    f->wald.p = chi2_upper(f->wald.statistic, f->wald.df);
    free(sum);
    free(beta);
}

size_t cox_baseline(const struct cox_data *d, const struct cox_fit *f, enum cox_ties ties, struct arena *a,
                    struct cox_hazard **out)
{
    struct cox_rows *r = rows_at_fit(d, f);
    struct jumps all;
    struct arena *scratch = arena_new();
    collect(r, ties, scratch, &all);
    double to_zero = -r->shift, run = 0;
    for (size_t j = 0; j < d->p; j++)
        to_zero -= r->centre[j] * f->beta[j];
    *out = arena_array(a, r->n, sizeof **out);
    size_t n = 0, next = 0;
    for (size_t from = 0, to; from < r->n; from = to) { /* a stratum, its rows backwards */
        for (to = from; to < r->n && r->stratum[to] == r->stratum[from]; to++)
            ;
        run = 0;
        for (size_t i = to; i-- > from;) {
            if (i + 1 < to && r->time[i] == r->time[i + 1])
                continue;
            if (next < all.n && all.v[next].stratum == r->stratum[i] && all.v[next].time == r->time[i])
                run += all.v[next++].hazard;
            (*out)[n++] = (struct cox_hazard){r->stratum[i], r->time[i], run * exp(to_zero)};
        }
    }
    free(all.v);
    arena_free(scratch);
    cox_rows_free(r);
    return n;
}
