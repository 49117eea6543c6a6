/* SPDX-License-Identifier: Apache-2.0
 *
 * Maximum likelihood over sites by joint Newton steps, for any model that can say its log-likelihood,
 * gradient and information at given coefficients. Round 1 starts at the information-weighted mean of the
 * sites' own fits, sum(H_s)^-1 sum(H_s b_s); each later round is one exact Newton step on the summed g and H,
 * halved when the log-likelihood fell, until the decrement g' H^-1 g is below 1e-18 or NEWTON_MOST_ROUNDS are
 * over. The estimates are those of the pooled data; only sums cross the wire.
 *
 * A column that the summed information of round 1 shows to be a combination of the columns before it (or all
 * zero) is left out at every site, and said.
 */
#ifndef ACCORD_STUDY_NEWTON_H
#define ACCORD_STUDY_NEWTON_H

#include "study/analysis.h"

enum { NEWTON_MOST_ROUNDS = 8, NEWTON_MOST_THIRD = 24 /* columns */ };

/* What a site's data say at `beta`: the log-likelihood, its gradient (p) and minus its Hessian (p x p,
 * whole). */
struct likelihood {
    size_t p;
    const void *data;
    double (*at)(const void *data, const double *beta, double *gradient, double *information);
    /* Adds sum of dw/deta x_i x_j x_k, i >= j >= k, row by row; NULL where a model has none. */
    void (*third)(const void *data, const double *beta, double *tensor);
};

/* The shape of a model's rounds: columns, and whether third derivatives come along. */
struct newton_form {
    size_t p;
    bool third;
    bool identity; /* the response has its own scale: coefficients may be of any size */
};
struct newton_form newton_form(size_t p, bool has_third);

/* Facts of a site's rows that disclosure control needs: rows, events, and per column how many rows are not 0
   there, and events among them (a number column counts all rows); and the squares of each column's deviations
   from its mean at the site, which say how far its effect can reach. */
struct model_counts {
    int64_t rows, events, sites;
    int64_t *column_rows, *column_events; /* p each */
    double *column_squares;               /* p */
};
struct model_counts model_counts_new(size_t p); /* zeros */
void model_counts_free(struct model_counts *c);

size_t newton_size(struct newton_form f, bool first);
/* Checks the parameters of a later round. */
MUST_CHECK enum status newton_check(const struct js *parameters, size_t p, struct err *e);
sum_t newton_bound(struct newton_form f, bool first, size_t i);
/* A site's sums of a round. */
void newton_local(const struct likelihood *l, const struct js *parameters, const struct model_counts *counts,
                  struct sums *out);
/* `terms` name the columns where there is no estimate (no_estimate.h: no_rows, no_events, separation,
   no_information, not_converged); *next is then NULL too. */
MUST_CHECK enum status newton_next(struct newton_form f, const char *const *terms,
                                   const struct js *parameters, const struct sums *total, struct js **state,
                                   struct js **next, struct err *e);

/* The fit that a finished run's state holds; arrays in the arena. */
struct fit {
    size_t p;
    double *beta, *se;  /* NaN where aliased */
    double *covariance; /* p x p, 0 where aliased */
    bool *aliased;
    double log_likelihood;
    int64_t rows, events, sites, rank;
    int64_t *column_rows, *column_events;
    int rounds;
    bool converged;
    const char *const
        *extra; /* names of parameters behind a design's columns; NULL as newton_fit_of leaves it */
};
MUST_CHECK enum status newton_fit_of(const struct js *state, size_t p, struct arena *a, struct fit *out,
                                     struct err *e);

#endif
