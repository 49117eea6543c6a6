/* SPDX-License-Identifier: Apache-2.0
 *
 * Proportional hazards with Efron's ties (B. Efron, JASA 72 (1977) 557) as sums that may cross the wire. Two
 * models:
 *
 * - stratified by site: each site has its own baseline hazard, and only the log-likelihood, its gradient and
 *   information leave it (cox_at);
 * - one baseline for all sites, on a grid of cells that all have in common. A cell's sums over those who
 * leave in it, and over those of them with the event, are all that the pooled likelihood needs (grid_sums),
 * and the lead puts it together (grid_at). Sums at each event time would show single people: the cells are
 * wide enough that neither the events nor the censorings of one are few (grid_cells).
 *
 * The score test of proportional hazards (P. Grambsch, T. Therneau, Biometrika 81 (1994) 515, as cox.zph
 * since survival 3.0) adds up over times, and so over sites.
 */
#ifndef ACCORD_STUDY_HAZARDS_H
#define ACCORD_STUDY_HAZARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stats/survival.h"

/* Rows in descending days. */
struct hazard_data {
    size_t n, p;
    const double *x; /* n x p */
    const int32_t *days;
    const uint8_t *event;
};
/* A likelihood of newton.h. */
double cox_at(const void *hazard_data, const double *beta, double *gradient, double *information);

/* What x g(t) is tested against: g is the time since entry in years, or its logarithm. */
enum hazard_transform { TRANSFORM_IDENTITY, TRANSFORM_LOG };
extern const char *const hazard_transforms[]; /* ended by NULL */

/* The test's sums at `beta`, added to out: score and information, the same times g, information times g^2. */
size_t hazard_test_size(size_t p);
void hazard_test_sums(const struct hazard_data *d, const double *beta, enum hazard_transform g, double *out);
/* Tests of the columns of each of the groups of[column] = 0 .. groups - 1, then of all; aliased columns take
   no part. */
void hazard_tests(size_t p, const double *sums, const bool *aliased, const size_t *of, size_t groups,
                  struct test *out);

/* Cells made of the steps 0 .. n - 1 from their events and censorings: each has at least `least` events, and
   no censorings or at least as many. ends[] (n long) gets the steps behind each cell's last, the last being
   n. Returns the number of cells, 0 where not even one is safe. */
size_t grid_cells(const int64_t *events, const int64_t *censored, size_t n, int64_t least, size_t *ends);

struct grid {
    size_t p, cells;
    const double *end; /* day on which each cell ends */
};
/* Per cell: sums of r = exp(x beta - shift), r x and r x x' (lower triangle) over those who leave in it, the
   same over those with the event, how many these are, and their sum of x. Added to out. */
size_t grid_size(const struct grid *g);
void grid_sums(const struct grid *g, const struct hazard_data *d, const double *beta, double shift,
               double *out);
/* The pooled log-likelihood, gradient and information from the cells' totals. test, if not NULL, is added
   what hazard_test_sums would give with each cell's last day as the time. */
double grid_at(const struct grid *g, const double *cells, const double *beta, double shift,
               enum hazard_transform transform, double *gradient, double *information, double *test);

#endif
