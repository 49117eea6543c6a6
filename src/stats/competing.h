/* SPDX-License-Identifier: Apache-2.0
 *
 * Competing risks: cumulative incidence, Gray's test, Fine and Gray's regression. A state is 0 (censored) or
 * a cause from 1.
 */
#ifndef ACCORD_STATS_COMPETING_H
#define ACCORD_STATS_COMPETING_H

#include "stats/survival.h"

/* One time after the other: events of the cause and of others among those at risk. Start with survival = 1.
 * Returns the variance of the incidence by O. Aalen, Ann. Stat. 6 (1978) 534 (ties hypergeometric). */
struct aalen {
    double survival, incidence, v1, v2, v3;
};
double aalen_time(struct aalen *s, double events, double others, double at_risk);
/* On the log(-log) scale of the incidence; NaN at 0 and 1. */
void cif_limits(double incidence, double se, double confidence, double *lower, double *upper);

struct cif_row {
    double time, incidence, se, lower, upper; /* limits on the log(-log) scale of the incidence */
};
/* Aalen-Johansen incidence of one cause at each time with an event of it. Returns the number of rows, which
 * lie in the arena. */
size_t cif_curve(const double *time, const int *state, size_t n, int cause, double confidence,
                 struct arena *a, struct cif_row **out);

/* R. Gray's test of equal incidence of a cause over groups (Ann. Stat. 16 (1988) 1141), weights (1 - F)^rho:
 * one time after the other from each group's counts (times without any event may be left out; every group has
 * somebody), or of rows. */
struct gray *gray_new(size_t groups, double rho, struct arena *a);
void gray_time(struct gray *t, const double *events, const double *others, const double *at_risk);
struct test gray_test(const struct gray *t);

struct test cif_gray_test(const double *time, const int *state, const uint32_t *group, size_t n,
                          size_t groups, int cause, double rho);

struct finegray_fit {
    size_t p;
    double *beta, *covariance; /* sandwich with the variance of the censoring curve */
    double log_likelihood_null, log_likelihood, n, events;
    int iterations;
};
/* Proportional subdistribution hazards (J. Fine, R. Gray, JASA 94 (1999) 496): those with another event stay
 * at risk with weight G(t-) / G(T-), G the Kaplan-Meier curve of being uncensored; ties as Breslow. O(n p^2)
 * for each step. */
MUST_CHECK enum status finegray_fit(const double *time, const int *state, size_t n, const double *const *x,
                                    size_t p, int cause, struct arena *a, struct finegray_fit *out,
                                    struct err *e);

/* The same in parts, for sums over sites: each site has its own baseline and censoring curve. The rows in
 * order (x is n x p, row by row), in the arena; their log-likelihood, score and information; and the sum of
 * the squares of what each row adds to the score, which makes the variance inverse x meat x inverse. */
struct finegray_rows;
struct finegray_rows *finegray_rows(const double *time, const int *state, size_t n, const double *x, size_t p,
                                    int cause, struct arena *a);
double finegray_at(const void *finegray_rows, const double *beta, double *score, double *information);
void finegray_meat(const struct finegray_rows *rows, const double *beta, double *meat);
void finegray_sandwich(const double *inverse, const double *meat, size_t p, double *out);

#endif
