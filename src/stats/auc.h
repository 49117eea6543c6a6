/* SPDX-License-Identifier: Apache-2.0
 *
 * How well a risk score tells who has the outcome: discrimination, calibration, net benefit.
 */
#ifndef ACCORD_STATS_AUC_H
#define ACCORD_STATS_AUC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "stats/interval.h"
#include "stats/survival.h"

struct auc {
    double value, variance;
    double *cases, *controls; /* each one's share of pairs won: DeLong's structural components */
    size_t n_cases, n_controls;
};
/* Area under the ROC curve, ties a half, with the variance of E. DeLong et al., Biometrics 44 (1988) 837 by
 * midranks (X. Sun, W. Xu, IEEE SPL 21 (2014) 1389). Higher scores stand for cases. Refused: an outcome other
 * than 0 and 1, fewer than two cases or controls. */
MUST_CHECK enum status auc_fit(const double *score, const double *y, size_t n, struct arena *a,
                               struct auc *out, struct err *e);
struct estimate auc_interval(const struct auc *a, double confidence); /* normal, within [0, 1] */
/* Difference of two scores on the same people. */
struct test auc_compare(const struct auc *a, const struct auc *b);

struct calibration {
    double brier, log_loss, observed, expected; /* sums over people for the last two */
    struct estimate slope, intercept;           /* of logit(p); in the large (slope 1) */
    double slope_se, intercept_se;
};
/* p: predicted probabilities in (0, 1). */
MUST_CHECK enum status calibration_fit(const double *p, const double *y, size_t n, double confidence,
                                       struct arena *a, struct calibration *out, struct err *e);

struct calibration_group {
    double n, mean_predicted, observed_rate;
};
/* Hosmer and Lemeshow's test over g groups of equal size by rank (ties share a group); df = g - 2. */
struct test hosmer_lemeshow(const double *p, const double *y, size_t n, size_t g,
                            struct calibration_group *groups);

/* Net benefit of treating those with p >= threshold: TP/n - FP/n t/(1 - t) (A. Vickers, E. Elkin 2006); and
 * of all. */
struct net_benefit {
    double model, all, true_positives, false_positives;
};
struct net_benefit net_benefit(const double *p, const double *y, size_t n, double threshold);

#endif
