/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/cox_exact.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* B(k) and its derivatives for k = 0..d over the rows taken in so far, each row of the table laid out as
 * value, p first and p (p + 1) / 2 second derivatives. Values are kept within range by a common factor per
 * row of the table: here the risks are at most 1, and a division by the number at risk keeps the sums near 1.
 */
static void take_row(double *table, size_t d, size_t p, double risk, const double *x)
{
    size_t width = 1 + p + p * (p + 1) / 2;
    for (size_t k = d; k >= 1; k--) {
        double *to = table + k * width;
        const double *from = table + (k - 1) * width;
        const double *first = from + 1, *second = from + 1 + p;
        double *to2 = to + 1 + p;
        for (size_t i = 0; i < p; i++)
            for (size_t j = 0; j <= i; j++, second++, to2++)
                *to2 += risk * (*second + x[i] * first[j] + x[j] * first[i] + x[i] * x[j] * from[0]);
        for (size_t i = 0; i < p; i++)
            to[1 + i] += risk * (first[i] + x[i] * from[0]);
        to[0] += risk * from[0];
    }
}

struct tie {
    size_t deaths, first, n; /* at risk: the rows of at[] */
    const size_t *at;
};

static void add_tie(const struct cox_rows *r, const struct tie *t, const double *beta, struct csum *score,
                    struct csum *information, struct csum *log_likelihood)
{
    size_t p = r->p, width = 1 + p + p * (p + 1) / 2, d = t->deaths;
    double *table = xcalloc((d + 1) * width, sizeof *table), factor = 0;
    table[0] = 1;
    for (size_t i = 0; i < t->n; i++)
        factor += r->risk[t->at[i]];
    factor = factor > 0 ? (double)d / factor : 1;
    for (size_t i = 0; i < t->n; i++)
        take_row(table, d, p, r->risk[t->at[i]] * factor, r->x + t->at[i] * r->stride);
    const double *b = table + d * width;
    csum_add(log_likelihood, -(log(b[0]) + (double)d * (r->shift - log(factor))));
    for (size_t i = t->first; i < t->first + d; i++) {
        double eta = r->offset[i];
        for (size_t j = 0; j < p; j++) {
            eta += r->x[i * r->stride + j] * beta[j];
            csum_add(&score[j], r->x[i * r->stride + j]);
        }
        csum_add(log_likelihood, eta);
    }
    for (size_t i = 0, k = 0; i < p; i++) {
        csum_add(&score[i], -b[1 + i] / b[0]);
        for (size_t j = 0; j <= i; j++, k++)
            csum_add(&information[k], b[1 + p + k] / b[0] - b[1 + i] / b[0] * (b[1 + j] / b[0]));
    }
    free(table);
}

void cox_exact_walk(const struct cox_rows *r, const double *beta, struct csum *score,
                    struct csum *information, struct csum *log_likelihood, double *events)
{
    size_t *at = xcalloc(r->n + 1, sizeof *at), start = 0;
    for (size_t i = 0; i < r->n;) {
        size_t end = i, deaths = 0, n = 0;
        if (i > 0 && r->stratum[i] != r->stratum[i - 1])
            start = i;
        for (; end < r->n && r->stratum[end] == r->stratum[i] && r->time[end] == r->time[i]; end++)
            deaths += r->status[end] != 0;
        for (size_t k = start; deaths && k < end; k++)
            if (!r->entry || r->entry[k] < r->time[i])
                at[n++] = k;
        if (deaths)
            add_tie(r, &(struct tie){deaths, i, n, at}, beta, score, information, log_likelihood);
        *events += (double)deaths;
        i = end;
    }
    free(at);
}
