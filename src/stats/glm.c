/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums of one site and the solver of totals.
 */
#include "stats/glm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/kernel.h"
#include "stats/linalg.h"
#include "stats/sum.h"

void glm_sums_init(struct glm_sums *s, size_t p)
{
    *s = (struct glm_sums){.p = p, .valid = true};
    s->information = xcalloc(p * p + 1, sizeof *s->information);
    s->score = xcalloc(p + 1, sizeof *s->score);
}

void glm_sums_deinit(struct glm_sums *s)
{
    free(s->information);
    free(s->score);
}

void glm_sums_clear(struct glm_sums *s)
{
    memset(s->information, 0, s->p * s->p * sizeof *s->information);
    memset(s->score, 0, s->p * sizeof *s->score);
    s->deviance = s->pearson = s->n = s->weight = s->max_eta = 0;
    s->valid = true;
}

void glm_sums_add(struct glm_sums *into, const struct glm_sums *other)
{
    for (size_t i = 0; i < into->p * into->p; i++)
        into->information[i] += other->information[i];
    for (size_t i = 0; i < into->p; i++)
        into->score[i] += other->score[i];
    into->deviance += other->deviance;
    into->pearson += other->pearson;
    into->n += other->n;
    into->weight += other->weight;
    into->max_eta = fmax(into->max_eta, other->max_eta);
    into->valid = into->valid && other->valid;
}

/* Totals with compensation: cells of the information, then of the score. */
struct totals {
    struct csum *cell;
    double *block;
    struct csum deviance, pearson, weight;
};

static void add_block(const struct glm_data *d, size_t from, size_t n, const struct glm_block *b,
                      struct totals *t)
{
    size_t p = d->p, cells = p * p + p;
    memset(t->block, 0, cells * sizeof *t->block);
    kernel_cross(d->x, p, from, n, b->w, b->r, t->block, t->block + p * p);
    for (size_t i = 0; i < cells; i++)
        csum_add(&t->cell[i], t->block[i]);
    csum_add(&t->deviance, b->deviance);
    csum_add(&t->pearson, b->pearson);
    for (size_t i = 0; d->weight && i < n; i++)
        csum_add(&t->weight, d->weight[from + i]);
    if (!d->weight)
        csum_add(&t->weight, (double)n);
}

static void finish_totals(const struct totals *t, size_t p, struct glm_sums *out)
{
    for (size_t j = 0; j < p; j++) {
        for (size_t k = 0; k <= j; k++)
            out->information[j * p + k] = out->information[k * p + j] = csum_value(&t->cell[j * p + k]);
        out->score[j] = csum_value(&t->cell[p * p + j]);
    }
    out->deviance = csum_value(&t->deviance);
    out->pearson = csum_value(&t->pearson);
    out->weight = csum_value(&t->weight);
}

void glm_local(const struct glm_model *m, const struct glm_data *d, const double *beta, struct glm_sums *out)
{
    size_t p = d->p;
    struct totals t = {.cell = xcalloc(p * p + p + 1, sizeof *t.cell),
                       .block = xcalloc(p * p + p + 1, sizeof *t.block)};
    double eta[KERNEL_ROWS], w[KERNEL_ROWS], r[KERNEL_ROWS];
    glm_sums_clear(out);
    out->n = (double)d->n;
    for (size_t from = 0; from < d->n; from += KERNEL_ROWS) {
        size_t n = d->n - from < KERNEL_ROWS ? d->n - from : KERNEL_ROWS;
        struct glm_block b = {.w = w, .r = r, .valid = true};
        if (beta)
            kernel_linear(d->x, p, beta, d->offset, from, n, eta);
        glm_family_block(m, d, from, n, eta, !beta, &b);
        add_block(d, from, n, &b, &t);
        out->valid = out->valid && b.valid;
        out->max_eta = fmax(out->max_eta, b.max_eta);
    }
    finish_totals(&t, p, out);
    free(t.cell);
    free(t.block);
}

void glm_step_init(struct glm_step *s, size_t p)
{
    *s = (struct glm_step){.delta = xcalloc(p + 1, sizeof *s->delta),
                           .aliased = xcalloc(p + 1, sizeof *s->aliased),
                           .inverse = xcalloc(p * p + 1, sizeof *s->inverse)};
}

void glm_step_deinit(struct glm_step *s)
{
    free(s->delta);
    free(s->aliased);
    free(s->inverse);
}

/* A column whose remaining information is this share of its own is a combination of those before it. Rounding
 * leaves about 1e-15 of an exact combination; columns that are nearly one (a variance inflation of 1e10) stay
 * in. */
#define ALIAS_TOLERANCE 1e-11

void glm_step(const struct glm_sums *total, struct glm_step *out)
{
    size_t p = total->p;
    double *a = xcalloc(p * p + 1, sizeof *a), *scale = xcalloc(p + 1, sizeof *scale);
    for (size_t j = 0; j < p; j++) {
        double d = total->information[j * p + j];
        scale[j] = d > 0 ? 1 / sqrt(d) : 0;
    }
    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k < p; k++)
            a[j * p + k] = total->information[j * p + k] * scale[j] * scale[k];
    out->rank = ldl_factor(a, p, ALIAS_TOLERANCE, out->aliased);
    ldl_inverse(a, p, out->aliased, out->inverse);
    out->log_det = ldl_log_det(a, p, out->aliased);
    for (size_t j = 0; j < p; j++)
        out->delta[j] = total->score[j] * scale[j];
    ldl_solve(a, p, out->aliased, out->delta);
    out->decrement = 0;
    for (size_t j = 0; j < p; j++) {
        out->delta[j] *= scale[j];
        out->decrement += out->aliased[j] ? 0 : out->delta[j] * total->score[j];
        out->log_det -= out->aliased[j] ? 0 : 2 * log(scale[j]);
        for (size_t k = 0; k < p; k++)
            out->inverse[j * p + k] *= scale[j] * scale[k];
    }
    free(a);
    free(scale);
}
