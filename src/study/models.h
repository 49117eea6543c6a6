/* SPDX-License-Identifier: Apache-2.0
 *
 * The likelihoods that newton.h maximises, over a design matrix in memory, and how a fit becomes tables. With
 * a site term each site's own intercept is profiled out where its data are, so that neither an intercept nor
 * the number of rows of one site ever leaves it; a Cox model stratified by site has the same effect.
 */
#ifndef ACCORD_STUDY_MODELS_H
#define ACCORD_STUDY_MODELS_H

#include "study/design.h"
#include "study/newton.h"

enum family { FAMILY_LOGISTIC, FAMILY_POISSON, FAMILY_LINEAR };

struct glm_data {
    enum family family;
    bool profile; /* the site's own intercept */
    size_t n, p;
    const double *x, *y;  /* n x p; n */
    const double *offset; /* n, or NULL */
    double ridge; /* this site's share of lambda: log-likelihood - ridge |beta|^2 / 2, but the intercept */
};
double glm_at(const void *glm_data, const double *beta, double *gradient, double *information);
void glm_third(const void *glm_data, const double *beta, double *tensor);
/* Fitted means per row; false where the site's own intercept is infinite. */
bool glm_fitted(const struct glm_data *d, const double *beta, double *fitted);

/* Rows, events and what each column has of them, into new `counts`. */
void model_count(const struct design *d, const double *x, const double *y, size_t n,
                 struct model_counts *counts);

/* Tables of a fit: "<name>_coefficients" with 95% intervals, "<name>_ratios" = exp of them where `ratio`
   names them ("odds ratio"), NULL for none. `dispersion` scales the variances. A fit may have parameters
   behind the design's columns, which fit->extra names: they have no ratio. */
void model_tables(const char *name, const struct design *d, const struct fit *fit, double dispersion,
                  bool site_term, const char *ratio, struct result *into);
/* Where one grouping of persons is all that is in a model of one baseline (an intercept, or the term of a
   single site), its tables, which are those from `first` on, say so with the groups behind their terms. */
void model_saturated(const struct design *d, const struct fit *fit, enum family family, bool site_term,
                     struct result *into, uint32_t first);

#endif
