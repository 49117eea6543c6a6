/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside comparative_effect only: its specification, the layout of the last round's sums, and the tables made
 * of them.
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

void effect_tables(const struct effect *c, const struct fit *score, const struct sums *total,
                   struct result *into);

#endif
