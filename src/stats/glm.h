/* SPDX-License-Identifier: Apache-2.0
 *
 * Generalised linear models (P. McCullagh, J. Nelder, Generalized Linear Models (1989)) by Fisher scoring.
 *
 * Two halves, so that a fit over many sites is the same code as one over a table:
 *   glm_local   one site's rows and the present coefficients -> struct glm_sums, which simply add up over
 * sites; glm_step    the total sums -> the next step, which columns are aliased, how far the end is. glm_fit
 * runs the two on one table. With d = dmu/deta and V the variance function, a row of prior weight w has
 * working weight W = w d^2 / V and score w (y - mu) d / V; information = X'WX, step = information^-1
 * X'(score).
 *
 * Rows must have no NaN. Weights must be above 0 (drop the others before). x is an array of p columns; an
 * intercept is a column of ones like any other.
 */
#ifndef ACCORD_STATS_GLM_H
#define ACCORD_STATS_GLM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

enum glm_family {
    GLM_GAUSSIAN,
    GLM_BINOMIAL,
    GLM_POISSON,
    GLM_GAMMA,
    GLM_INVERSE_GAUSSIAN,
    GLM_QUASIBINOMIAL,
    GLM_QUASIPOISSON,
    GLM_NEGATIVE_BINOMIAL,
    GLM_FAMILIES
};
enum glm_link {
    GLM_IDENTITY,
    GLM_LOGIT,
    GLM_PROBIT,
    GLM_CLOGLOG,
    GLM_CAUCHIT,
    GLM_LOG,
    GLM_INVERSE,
    GLM_SQRT,
    GLM_INVERSE_SQUARE,
    GLM_LINKS
};

struct glm_model {
    enum glm_family family;
    enum glm_link link;
    double theta; /* of the negative binomial: V = mu + mu^2 / theta */
};

struct glm_data {
    size_t n, p;
    const double *const *x;
    const double *y;
    const double *offset, *weight; /* NULL: none, all 1 */
};

/* family.c */
const char *glm_family_name(enum glm_family f);
const char *glm_link_name(enum glm_link l);
enum glm_link glm_default_link(enum glm_family f);
bool glm_dispersion_estimated(enum glm_family f);
double glm_link_of(enum glm_link l, double mu);
double glm_mean_of(enum glm_link l, double eta);
/* y within what the family can have, naming the row; weights above 0; some variation in the outcome of counts
 * and proportions ("no events"). */
MUST_CHECK enum status glm_check(const struct glm_model *m, const struct glm_data *d, struct err *e);
/* What one block of rows adds: working weights, scores, deviance, Pearson chi2; false where a mean leaves the
 * range of the family. With `start`, means come from y as R starts them, and r becomes W z (z the working
 * response). */
struct glm_block {
    double *w, *r;
    double deviance, pearson, max_eta;
    bool valid;
};
void glm_family_block(const struct glm_model *m, const struct glm_data *d, size_t from, size_t n,
                      const double *eta, bool start, struct glm_block *out);
/* The log-likelihood of the rows at given linear predictors; `dispersion` is the ML one, deviance / sum of
 * weights, where the family has one (R's AIC does the same). NaN for quasi families. */
double glm_log_likelihood(const struct glm_model *m, const struct glm_data *d, const double *beta,
                          double dispersion);

struct glm_sums {
    size_t p;
    double *information; /* p x p, whole */
    double *score;       /* p; X'Wz when started */
    double deviance, pearson, n, weight, max_eta;
    bool valid; /* every mean is within the family's range */
};
void glm_sums_init(struct glm_sums *s, size_t p);
void glm_sums_deinit(struct glm_sums *s);
void glm_sums_clear(struct glm_sums *s);
void glm_sums_add(struct glm_sums *into, const struct glm_sums *other);

/* One site's sums at beta; beta NULL starts from y (score is then X'Wz and glm_step gives beta itself). */
void glm_local(const struct glm_model *m, const struct glm_data *d, const double *beta, struct glm_sums *out);

struct glm_step {
    double *delta; /* p */
    bool *aliased; /* p: linear combinations of columns before them */
    size_t rank;
    double decrement; /* score' delta: what a Newton step is expected to gain, twice over */
    double *inverse;  /* p x p: of the information */
    double log_det;
};
void glm_step_init(struct glm_step *s, size_t p);
void glm_step_deinit(struct glm_step *s);
/* Solves the totals. Columns are scaled to unit information first, so that one tolerance serves all. */
void glm_step(const struct glm_sums *total, struct glm_step *out);

struct glm_fit {
    size_t p, rank;
    bool *aliased;
    double *beta, *covariance; /* 0 for aliased columns */
    double *beta_before;       /* of the round before: R takes the last solve's weights from there */
    double deviance, null_deviance, log_likelihood, aic, bic, pearson, dispersion, log_det;
    double n, df_residual, df_null;
    bool dispersion_estimated;
    int iterations;
};

/* names: of the columns, for errors. Refused by name: separation, no events, a column that takes the fit out
 * of the range of its family, no convergence in 100 rounds. */
MUST_CHECK enum status glm_fit(const struct glm_model *m, const struct glm_data *d, const char *const *names,
                               struct arena *a, struct glm_fit *out, struct err *e);

/* The same from given coefficients instead of R's start. */
MUST_CHECK enum status glm_fit_from(const struct glm_model *m, const struct glm_data *d,
                                    const char *const *names, const double *start, struct arena *a,
                                    struct glm_fit *out, struct err *e);

/* Heteroskedasticity-consistent covariances (H. White 1980; J. MacKinnon, H. White 1985): HC0, HC1 = HC0 n /
 * (n - p), HC3 with scores over 1 - h. Scores are working residuals times the last solve's weights, as in R's
 * sandwich. kind 0, 1 or 3; out p x p. */
void glm_robust(const struct glm_model *m, const struct glm_data *d, const struct glm_fit *f, int kind,
                double *out);

/* Negative binomial with log link (or another), theta by maximum likelihood, alternating with the
 * coefficients (W. Venables, B. Ripley, Modern Applied Statistics with S (2002) 7.4). Where the data are not
 * over-dispersed theta has no finite maximum: poisson_limit is true, theta is NaN and the fit is Poisson's.
 */
struct nb_fit {
    struct glm_fit glm;
    double theta, se_theta, log_likelihood2; /* twice the log-likelihood, as MASS reports */
    bool poisson_limit;
};
MUST_CHECK enum status nb_fit(enum glm_link link, const struct glm_data *d, const char *const *names,
                              struct arena *a, struct nb_fit *out, struct err *e);
/* Sums for theta at given means: score and information of theta; they add up over sites. */
struct nb_theta_sums {
    double score, information;
};
struct nb_theta_sums nb_theta_local(const struct glm_data *d, enum glm_link link, const double *beta,
                                    double theta);

#endif
