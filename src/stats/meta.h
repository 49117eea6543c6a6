/* SPDX-License-Identifier: Apache-2.0
 *
 * Meta-analysis of estimates with variances, and of 2 x 2 tables. The estimators of tau2 are those of metafor
 * (W. Viechtbauer, J. Stat. Softw. 36 (2010) 3); REML, ML, EB and PM are iterated until tau2 stands still
 * (metafor stops REML, ML and EB at a change of 1e-5 and PM's root search at 1e-4).
 */
#ifndef ACCORD_STATS_META_H
#define ACCORD_STATS_META_H

#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "stats/survival.h"

enum meta_method { META_FE, META_DL, META_HE, META_SJ, META_ML, META_REML, META_EB, META_PM };

struct meta {
    size_t k, p;
    double *beta, *covariance, *se; /* p: the mean, or intercept and slopes */
    double tau2, i2, h2, q, q_p;
    double qm, qm_p;        /* test of the slopes (chi2, or F with Knapp-Hartung); NaN without */
    double df;              /* of the t distribution with Knapp-Hartung, infinite else */
    double *blup, *blup_se; /* k; NULL for FE */
};
/* y and v (> 0): k estimates and variances. x: p - 1 moderators beside the intercept, may be NULL. knapp:
 * Hartung and Knapp's (2001) variance and t distribution. Refused: fewer than p + 1 estimates, a variance not
 * above 0. */
MUST_CHECK enum status meta_fit(const double *y, const double *v, size_t k, const double *const *x,
                                size_t moderators, enum meta_method method, int knapp, struct arena *a,
                                struct meta *out, struct err *e);

struct two_by_two {
    double a, b, c, d; /* exposed with and without the event, unexposed with and without */
};
struct meta_tables {
    double estimate, se;                   /* log odds ratio */
    struct test test, breslow_day, tarone; /* Mantel-Haenszel: CMH with continuity correction */
};
/* Mantel and Haenszel's odds ratio with the variance of J. Robins, N. Breslow, S. Greenland, Biometrics 42
 * (1986) 311. */
MUST_CHECK enum status meta_mantel_haenszel(const struct two_by_two *t, size_t k, struct meta_tables *out,
                                            struct err *e);
/* Peto's one-step odds ratio (S. Yusuf et al. 1985). */
MUST_CHECK enum status meta_peto(const struct two_by_two *t, size_t k, struct meta_tables *out,
                                 struct err *e);
/* Log odds ratio, log risk ratio or risk difference of a table with its large-sample variance; 0.5 is added
 * to every cell of a table with an empty one. */
enum meta_measure { META_LOG_OR, META_LOG_RR, META_RD };
void meta_effect(const struct two_by_two *t, enum meta_measure m, double *y, double *v);

#endif
