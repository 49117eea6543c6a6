/* SPDX-License-Identifier: Apache-2.0
 *
 * Cox's proportional hazards model (D. Cox, J. R. Stat. Soc. B 34 (1972) 187) with strata, entry times,
 * weights, and ties by Efron (JASA 72 (1977) 557), Breslow, or the exact conditional likelihood.
 *
 * Two halves, as for the GLM: cox_local gives one site's log-likelihood, score and information at given
 * coefficients; stratified by site they add up, so cox_newton on the totals is the pooled, site-stratified
 * fit. cox_fit runs both on one table.
 *
 * For each death time with d deaths of total weight D: with S(f) the risk set's weighted sums less the share
 * f of the deaths', Efron sums over f = 0, 1/d, ... (d - 1)/d with weight D / d each; Breslow takes f = 0 for
 * all.
 */
#ifndef ACCORD_STATS_COX_H
#define ACCORD_STATS_COX_H

#include "stats/survival.h"

enum cox_ties { COX_EFRON, COX_BRESLOW, COX_EXACT };

struct cox_data {
    struct survival_rows rows;
    size_t p;
    const double *const *x;  /* p columns */
    const double *offset;    /* NULL: none */
    const uint32_t *stratum; /* NULL: one; numbered from 0 */
};

/* Rows in the order the sums need, columns centred and scaled, laid out row by row. */
struct cox_rows;
struct cox_rows *cox_rows_new(const struct cox_data *d);
void cox_rows_free(struct cox_rows *r); /* NULL is fine */

struct cox_sums {
    size_t p;
    double log_likelihood, *score, *information; /* p; p x p */
    double n, events;
};
void cox_sums_init(struct cox_sums *s, size_t p);
void cox_sums_deinit(struct cox_sums *s);
void cox_sums_add(struct cox_sums *into, const struct cox_sums *other);
/* At coefficients of the original columns; so are score and information. Exact ties need whole weights of 1.
 */
void cox_local(const struct cox_rows *r, const double *beta, enum cox_ties ties, struct cox_sums *out);

/* One step from totals: delta = information^-1 score; aliased columns get 0. Returns the rank. inverse p x p.
 */
size_t cox_newton(const struct cox_sums *total, double *delta, double *inverse, bool *aliased);

struct cox_fit {
    size_t p, rank;
    double *beta, *covariance, *naive; /* covariance is naive unless cox_robust replaced it */
    bool *aliased, robust;
    double n, events, log_likelihood_null, log_likelihood;
    struct test likelihood_ratio, wald, score;
    int iterations;
};
/* names for errors. Refused: no events; a coefficient that runs to infinity (the likelihood has no maximum),
 * by name; no convergence. */
MUST_CHECK enum status cox_fit(const struct cox_data *d, enum cox_ties ties, const char *const *names,
                               struct arena *a, struct cox_fit *out, struct err *e);

/* Per row at a fit: what follows from the baseline hazard. */
struct cox_residuals {
    double *martingale, *deviance; /* n */
    double *score;                 /* n x p, row by row */
};
void cox_residuals(const struct cox_data *d, const struct cox_fit *f, enum cox_ties ties, struct arena *a,
                   struct cox_residuals *out);
/* Sandwich covariance from score residuals summed over clusters (NULL: each row its own): replaces
 * f->covariance. */
void cox_robust(const struct cox_data *d, const struct cox_residuals *r, const uint32_t *cluster,
                size_t clusters, struct cox_fit *f);

struct cox_hazard {
    uint32_t stratum;
    double time, hazard; /* cumulative, for covariates of 0 */
};
/* Cumulative baseline hazard at each distinct time. Returns the number of rows. */
size_t cox_baseline(const struct cox_data *d, const struct cox_fit *f, enum cox_ties ties, struct arena *a,
                    struct cox_hazard **out);

struct concordance {
    double concordant, discordant, tied_x, tied_y, tied_xy;
    double value, se; /* (concordant + tied_x / 2) / comparable; infinitesimal jackknife */
};
/* Harrell's C of a risk score: for each death, those still at risk afterwards. The jackknife goes over
 * clusters (NULL: rows). O(n log n). */
void cox_concordance(const struct cox_data *d, const double *risk, const uint32_t *cluster, size_t clusters,
                     struct concordance *out);

/* Score tests of proportional hazards against x g(t) (P. Grambsch, T. Therneau, Biometrika 81 (1994) 515, as
 * cox.zph since survival 3.0): one for each group of columns in term[] (numbered from 0), and the global one
 * last. */
enum cox_transform { COX_KM, COX_RANK, COX_IDENTITY };
void cox_zph(const struct cox_data *d, const struct cox_fit *f, enum cox_ties ties, enum cox_transform g,
             const size_t *term, size_t terms, struct test *out);

#endif
