/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/cox_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/kernel.h"
#include "stats/sum.h"

struct key {
    uint32_t stratum;
    int status;
    double time;
    size_t row;
};

static int falling(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    if (x->stratum != y->stratum)
        return x->stratum < y->stratum ? -1 : 1;
    if (x->time != y->time)
        return x->time > y->time ? -1 : 1;
    if (x->status != y->status)
        return x->status > y->status ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static void scale_columns(const struct cox_data *d, struct cox_rows *r)
{
    size_t n = d->rows.n;
    for (size_t j = 0; j < d->p; j++) {
        struct csum s = {0}, q = {0};
        for (size_t i = 0; i < n; i++)
            csum_add(&s, d->x[j][i]);
        r->centre[j] = csum_value(&s) / (double)n;
        for (size_t i = 0; i < n; i++) {
            double v = d->x[j][i] - r->centre[j];
            csum_add(&q, v * v);
        }
        double sd = sqrt(csum_value(&q) / (double)n);
        r->scale[j] = sd > 1e-14 * fabs(r->centre[j]) ? sd : 1;
    }
}

static void fill_row(const struct cox_data *d, struct cox_rows *r, size_t at, size_t row)
{
    r->row[at] = row;
    r->time[at] = d->rows.time[row];
    r->status[at] = d->rows.status[row];
    r->stratum[at] = d->stratum ? d->stratum[row] : 0;
    r->weight[at] = d->rows.weight ? d->rows.weight[row] : 1;
    r->offset[at] = d->offset ? d->offset[row] : 0;
    if (r->entry)
        r->entry[at] = d->rows.entry[row];
    for (size_t j = 0; j < d->p; j++)
        r->x[at * r->stride + j] = (d->x[j][row] - r->centre[j]) / r->scale[j];
}

static struct key *make_keys(const struct cox_data *d)
{
    struct key *k = xcalloc(d->rows.n + 1, sizeof *k);
    for (size_t i = 0; i < d->rows.n; i++)
        k[i] = (struct key){d->stratum ? d->stratum[i] : 0, d->rows.status[i], d->rows.time[i], i};
    qsort(k, d->rows.n, sizeof *k, falling);
    return k;
}

static void sort_entries(struct cox_rows *r)
{
    struct key *k = xcalloc(r->n + 1, sizeof *k);
    r->by_entry = xcalloc(r->n + 1, sizeof *r->by_entry);
    for (size_t i = 0; i < r->n; i++)
        k[i] = (struct key){r->stratum[i], 0, r->entry[i], i};
    qsort(k, r->n, sizeof *k, falling);
    for (size_t i = 0; i < r->n; i++)
        r->by_entry[i] = k[i].row;
    free(k);
}

struct cox_rows *cox_rows_new(const struct cox_data *d)
{
    size_t n = d->rows.n, p = d->p;
    struct cox_rows *r = xcalloc(1, sizeof *r);
    *r = (struct cox_rows){.n = n, .p = p, .stride = p ? p : 1};
    r->x = xrealloc_array(NULL, n * r->stride + 1, sizeof *r->x);
    r->centre = xcalloc(p + 1, sizeof *r->centre);
    r->scale = xcalloc(p + 1, sizeof *r->scale);
    r->time = xcalloc(n + 1, sizeof *r->time);
    r->weight = xcalloc(n + 1, sizeof *r->weight);
    r->offset = xcalloc(n + 1, sizeof *r->offset);
    r->status = xcalloc(n + 1, sizeof *r->status);
    r->stratum = xcalloc(n + 1, sizeof *r->stratum);
    r->row = xcalloc(n + 1, sizeof *r->row);
    r->risk = xcalloc(n + 1, sizeof *r->risk);
    r->entry = d->rows.entry ? xcalloc(n + 1, sizeof *r->entry) : NULL;
    scale_columns(d, r);
    struct key *k = make_keys(d);
    for (size_t i = 0; i < n; i++)
        fill_row(d, r, i, k[i].row);
    free(k);
    if (r->entry)
        sort_entries(r);
    return r;
}

void cox_rows_free(struct cox_rows *r)
{
    if (!r)
        return;
    free(r->x);
    free(r->centre);
    free(r->scale);
    free(r->time);
    free(r->entry);
    free(r->weight);
    free(r->offset);
    free(r->status);
    free(r->stratum);
    free(r->row);
    free(r->by_entry);
    free(r->risk);
    free(r);
}

void cox_rows_risk(struct cox_rows *r, const double *beta)
{
    r->shift = -(double)INFINITY;
    for (size_t i = 0; i < r->n; i++) {
        double eta = r->offset[i];
        const double *x = r->x + i * r->stride;
        for (size_t j = 0; j < r->p; j++)
            eta += x[j] * beta[j];
        r->risk[i] = eta;
        r->shift = eta > r->shift ? eta : r->shift;
    }
    for (size_t i = 0; i < r->n; i++)
        r->risk[i] -= r->shift;
    for (size_t i = 0; i < r->n; i += KERNEL_ROWS)
        kernel_exp(r->risk + i, r->risk + i, r->n - i < KERNEL_ROWS ? r->n - i : KERNEL_ROWS);
}

static void add_row(const struct cox_rows *r, size_t i, double sign, bool second, double *s0, double *s1,
                    double *s2)
{
    double w = sign * r->weight[i] * r->risk[i];
    const double *x = r->x + i * r->stride;
    *s0 += w;
    if (second) {
        kernel_rank_one(s1, s2, x, r->p, w);
        return;
    }
    for (size_t j = 0; j < r->p; j++)
        s1[j] += w * x[j];
}

static void clear_set(struct cox_set *s, size_t p, bool deaths_only)
{
    memset(s->d1, 0, p * sizeof *s->d1);
    memset(s->d2, 0, p * (p + 1) / 2 * sizeof *s->d2);
    s->d0 = s->death_weight = 0;
    s->deaths = 0;
    if (deaths_only)
        return;
    memset(s->s1, 0, p * sizeof *s->s1);
    memset(s->s2, 0, p * (p + 1) / 2 * sizeof *s->s2);
    s->s0 = 0;
}

/* Takes in the rows of one time, whose first is i; returns the position behind them. Without a tie the one
 * death's own sums are not needed (its share f is 0). */
static size_t enter_time(const struct cox_rows *r, size_t i, bool second, struct cox_set *s)
{
    size_t end = i;
    s->first = i;
    for (; end < r->n && r->stratum[end] == r->stratum[i] && r->time[end] == r->time[i]; end++) {
        add_row(r, end, 1, second, &s->s0, s->s1, s->s2);
        if (r->status[end]) {
            s->deaths++;
            s->death_weight += r->weight[end];
        }
    }
    s->last = end;
    for (size_t k = i; k < i + s->deaths; k++)
        add_row(r, k, 1, second && s->deaths > 1, &s->d0, s->d1, s->d2);
    return end;
}

void cox_walk(const struct cox_rows *r, bool second, cox_at_time f, void *context)
{
    size_t p = r->p, packed = p * (p + 1) / 2, left = 0;
    double *space = xcalloc(2 * (p + packed) + 1, sizeof *space);
    struct cox_set s = {.s1 = space, .d1 = space + p, .s2 = space + 2 * p, .d2 = space + 2 * p + packed};
    for (size_t i = 0; i < r->n;) {
        uint32_t stratum = r->stratum[i];
        bool fresh = i == 0 || r->stratum[i - 1] != stratum;
        clear_set(&s, p, !fresh);
        double t = r->time[i];
        i = enter_time(r, i, second, &s);
        while (r->entry && left < r->n && r->stratum[r->by_entry[left]] < stratum)
            left++;
        for (; r->entry && left < r->n && r->stratum[r->by_entry[left]] == stratum &&
               r->entry[r->by_entry[left]] >= t;
             left++)
            add_row(r, r->by_entry[left], -1, second, &s.s0, s.s1, s.s2);
        if (s.deaths)
            f(context, r, &s);
    }
    free(space);
}
