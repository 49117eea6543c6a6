/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/sccs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats/glm.h"
#include "stats/sum.h"

/* One person's intervals from .. to. */
static double person_sums(const struct sccs_data *d, const double *beta, size_t from, size_t to, double *mean,
                          double *score, double *information)
{
    size_t p = d->p;
    double events = 0, total = 0, l = 0;
    memset(mean, 0, p * sizeof *mean);
    for (size_t i = from; i < to; i++)
        events += d->events[i];
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = from; i < to; i++) {
            double eta = log(d->days[i]);
            for (size_t j = 0; j < p; j++)
                eta += d->x[j][i] * beta[j];
            double w = exp(eta);
            if (pass == 0) {
                total += w;
                l += d->events[i] > 0 ? d->events[i] * eta : 0;
                continue;
            }
            double share = w / total;
            for (size_t j = 0; j < p; j++) {
                mean[j] += share * d->x[j][i];
                score[j] += (d->events[i] - events * share) * d->x[j][i];
                for (size_t k = 0; k < p; k++)
                    information[j * p + k] += events * share * d->x[j][i] * d->x[k][i];
            }
        }
    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k < p; k++)
            information[j * p + k] -= events * mean[j] * mean[k];
    return l - events * log(total);
}

void sccs_local(const struct sccs_data *d, const double *beta, struct sccs_sums *out)
{
    struct csum l = {0};
    double *mean = xcalloc(d->p + 1, sizeof *mean);
    memset(out->score, 0, d->p * sizeof *out->score);
    memset(out->information, 0, d->p * d->p * sizeof *out->information);
    for (size_t from = 0, to; from < d->n; from = to) {
        for (to = from; to < d->n && d->person[to] == d->person[from]; to++)
            ;
        csum_add(&l, person_sums(d, beta, from, to, mean, out->score, out->information));
    }
    out->log_likelihood = csum_value(&l);
    free(mean);
}

/* A column whose persons have all or none of their events in it has no finite estimate. */
static enum status check_columns(const struct sccs_data *d, const char *const *names, double *events,
                                 struct err *e)
{
    *events = 0;
    for (size_t i = 0; i < d->n; i++)
        *events += d->events[i];
    if (*events == 0)
        return err_set(e, ST_INVALID, "no_events: there are no events under observation");
    for (size_t j = 0; j < d->p; j++) {
        double inside = 0;
        for (size_t i = 0; i < d->n; i++)
            inside += d->x[j][i] != 0 ? d->events[i] : 0;
        if (inside == 0 || inside == *events)
            return err_set(e, ST_INVALID,
                           "separation: %s has %s of the events; widen the window or leave it out", names[j],
                           inside == 0 ? "none" : "all");
    }
    return ST_OK;
}

/* Newton stops where R's clogit does, at a relative change of the log-likelihood of 1e-9: published series
 * come out the same, and coefficients are within about 1e-9 of the maximum. */
enum status sccs_fit(const struct sccs_data *d, const char *const *names, struct arena *a,
                     struct sccs_fit *out, struct err *e)
{
    size_t p = d->p;
    *out = (struct sccs_fit){.p = p, .beta = arena_array(a, p, sizeof *out->beta)};
    out->covariance = arena_array(a, p * p, sizeof *out->covariance);
    enum status s = check_columns(d, names, &out->events, e);
    if (s != ST_OK)
        return s;
    struct glm_sums g;
    struct glm_step step;
    glm_sums_init(&g, p);
    glm_step_init(&step, p);
    struct sccs_sums sums = {p, 0, g.score, g.information};
    sccs_local(d, out->beta, &sums);
    double before;
    do {
        before = sums.log_likelihood;
        glm_step(&g, &step);
        for (size_t j = 0; j < p; j++)
            out->beta[j] += step.delta[j];
        sccs_local(d, out->beta, &sums);
    } while (++out->iterations < 60 && fabs(1 - before / sums.log_likelihood) > 1e-9);
    glm_step(&g, &step);
    out->log_likelihood = sums.log_likelihood;
    memcpy(out->covariance, step.inverse, p * p * sizeof *out->covariance);
    if (step.rank < p)
        s = err_set(e, ST_INVALID, "singular: two of the columns (windows, age groups) cannot be told apart");
    glm_sums_deinit(&g);
    glm_step_deinit(&step);
    return s;
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The last days of intervals, sorted and within the observation time. */
static size_t collect_edges(const struct sccs_person *p, const double *cuts, size_t n_cuts, double *edge)
{
    size_t n = 0, kept = 0;
    edge[n++] = p->end;
    for (size_t i = 0; i < n_cuts; i++)
        edge[n++] = cuts[i] - 1;
    for (size_t i = 0; i < p->n_windows; i++) {
        edge[n++] = p->windows[i].from - 1;
        edge[n++] = p->windows[i].to;
    }
    qsort(edge, n, sizeof *edge, rising);
    for (size_t i = 0; i < n; i++)
        if (edge[i] >= p->start && edge[i] <= p->end && (kept == 0 || edge[i] > edge[kept - 1]))
            edge[kept++] = edge[i];
    return kept;
}

size_t sccs_cut(const struct sccs_person *p, const double *cuts, size_t n_cuts, struct sccs_interval *out)
{
    double *edge = xcalloc(2 * p->n_windows + n_cuts + 1, sizeof *edge), first = p->start;
    size_t n = collect_edges(p, cuts, n_cuts, edge);
    for (size_t i = 0; i < n; i++) {
        double last = edge[i];
        struct sccs_interval *v = &out[i];
        *v = (struct sccs_interval){.days = last - first + 1};
        for (size_t k = 0; k < p->n_events; k++)
            v->events += p->events[k] >= first && p->events[k] <= last;
        for (size_t k = 0; k < p->n_windows; k++)
            if (p->windows[k].from <= first && last <= p->windows[k].to)
                v->level = p->windows[k].level;
        for (size_t k = 0; k < n_cuts; k++)
            v->age += cuts[k] <= first;
        first = last + 1;
    }
    free(edge);
    return n;
}
