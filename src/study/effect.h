/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside comparative_effect only: its specification, the layout of the last round's sums, what a site adds up,
 * and the tables made of it.
 */
#ifndef ACCORD_STUDY_EFFECT_H
#define ACCORD_STUDY_EFFECT_H

#include "study/models.h"
#include "study/outcome.h"

enum { UNWEIGHTED, ATE, ATT, OVERLAP, STRATIFIED, MATCHED, N_WEIGHTS };
enum { ARM_OTHER, ARM_TREATED, N_ARMS };
/* Sums of one arm under one weighting for one outcome. */
enum { PERSONS, CASES, W, WY, W2, W2Y, FIGURES };
/* Sums of the doubly robust estimate: persons; each one's risk if treated and if not, made up for by the
   score; their squares and products. */
enum { ROBUST_PERSONS, RISK_1, RISK_0, RISK_11, RISK_00, RISK_10, N_ROBUST };
enum { PREFERENCE_BANDS = 20, MOST_CONTROLS = 100 };

struct effect {
    const char *name;
    size_t cohort;
    struct dimension treatment; /* two levels: no, yes */
    struct outcome outcome;
    struct design design;
    double truncate;
    size_t strata;
    size_t match_ratio;
    bool match_replace;
    double caliper;               /* standard deviations of the score's logit at the site */
    size_t *controls, n_controls; /* cohorts */
    const char **control_names;
};

/* Of the last round's vector: an outcome's (0: the outcome, then the controls) figures by weighting and arm;
   first and second moments of a column; persons by preference score and arm; the doubly robust sums. */
size_t effect_figures_at(size_t outcome, int weighting, int arm);
size_t effect_moments_at(const struct effect *c, int weighting, int arm, size_t column);
size_t effect_preference_at(const struct effect *c, size_t band, int arm);
size_t effect_robust_at(const struct effect *c, size_t figure);
size_t effect_size_of(const struct effect *c);

/* The rows of a site with their scores and weights under each estimand. */
struct scored {
    const struct effect *c;
    const struct glm_data *data; /* y: treated */
    const struct index_rows *rows;
    double *score, *weight; /* n; N_WEIGHTS x n */
};

/* effect_weights.c: the last round's sums, with scores under the joint coefficients and this site's own
   intercept. A site where everybody or nobody is treated has no scores and nothing to compare: it is left
   out. `y` is the outcome of the rows. */
MUST_CHECK enum status effect_weighted_sums(const struct effect *c, const struct js *parameters,
                                            const struct study_site *site, const struct index_rows *rows,
                                            const struct glm_data *data, const double *y, struct sums *out,
                                            struct err *e);

/* effect_robust.c: linear models of the outcome in each arm. Round 1 has their normal equations from sum `at`
   on, at sites that have both arms: per arm X'y and the lower triangle of X'X, about the site's means. */
size_t effect_normal_size(size_t p); /* of one arm */
void effect_normal_sums(const struct glm_data *data, const double *y, size_t at, struct sums *out);
/* The coefficients, one list per arm; columns that repeat others get 0. The caller frees. */
struct js *effect_models(size_t p, size_t at, const struct sums *total);
/* Those of the parameters of the last round. */
MUST_CHECK enum status effect_check_models(const struct js *parameters, size_t p, struct err *e);
void effect_add_robust(const struct scored *s, const struct js *parameters, const double *y,
                       struct sums *out);

void effect_tables(const struct effect *c, const struct fit *score, const struct sums *total,
                   struct result *into);

#endif
