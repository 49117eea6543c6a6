/* SPDX-License-Identifier: Apache-2.0
 *
 * Self-controlled case series (C. Farrington, Biometrics 51 (1995) 228; H. Whitaker et al., Stat. Med. 25
 * (2006) 1768): each case's observation time is cut at the edges of risk windows and age groups, and events
 * are Poisson with an effect of each person, which the conditional likelihood removes. The sums over persons
 * add up over sites.
 */
#ifndef ACCORD_STATS_SCCS_H
#define ACCORD_STATS_SCCS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

/* Intervals, those of a person together. */
struct sccs_data {
    size_t n, p;
    const uint32_t *person;
    const double *events, *days; /* days > 0 */
    const double *const *x;      /* p columns of 0 and 1 (or doses) */
};

struct sccs_sums {
    size_t p;
    double log_likelihood, *score, *information;
};
/* At beta; score p, information p x p, overwritten. With w_j = days_j exp(x_j beta), a person with N events
 * contributes sum y_j log(w_j / sum w). */
void sccs_local(const struct sccs_data *d, const double *beta, struct sccs_sums *out);

struct sccs_fit {
    size_t p;
    double *beta, *covariance, log_likelihood, events;
    int iterations;
};
/* Refused: no events; a column without events in it or with nothing else (the ratio is 0 or infinite), by
 * name. */
MUST_CHECK enum status sccs_fit(const struct sccs_data *d, const char *const *names, struct arena *a,
                                struct sccs_fit *out, struct err *e);

/* One risk window after an exposure: days from .. to of it, both counted; level is numbered from 1. Age
 * groups: group 2 begins with day cut[0], group 3 with cut[1] ... Later windows take days from earlier ones.
 */
struct sccs_window {
    double from, to;
    int level;
};
struct sccs_person {
    double start, end; /* first and last day under observation */
    const double *events;
    size_t n_events;
    const struct sccs_window *windows;
    size_t n_windows;
};
struct sccs_interval {
    double days, events;
    int level, age; /* 0 = outside every window; age group from 0 */
};
/* Cuts one person's time; room for 2 windows + cuts + 1 intervals. Returns how many. */
size_t sccs_cut(const struct sccs_person *p, const double *cuts, size_t n_cuts, struct sccs_interval *out);

#endif
