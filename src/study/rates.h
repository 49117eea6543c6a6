/* SPDX-License-Identifier: Apache-2.0
 *
 * What incidence, prevalence, standardised rates and inequality have in common: persons, days at risk, events
 * and persons with an event, per calendar interval and stratum. Person-time and its rules are in
 * person_time.h.
 *
 * Age bands are those of each day: a span is cut at birthdays. A person (and a person with events) is counted
 * in the stratum of the first day (first event) within the interval, so that strata add up to the total.
 */
#ifndef ACCORD_STUDY_RATES_H
#define ACCORD_STUDY_RATES_H

#include "study/person_time.h"
#include "study/tables.h"

enum rates_figure { RATES_PERSONS, RATES_DAYS, RATES_EVENTS, RATES_EVENT_PERSONS, RATES_N_FIGURES };
#define DAYS_PER_YEAR 365.25

struct rates {
    const char *name;
    bool prevalence;
    size_t outcome;
    struct denominator denominator;
    struct calendar calendar;
    int32_t washout;
    bool repeated, full_contribution;
    struct dimension *by; /* the age band, if any, is `age`; the others are facts of the first day */
    size_t n_by, n_strata;
    struct dimension *fixed;
    size_t n_fixed;
    const struct dimension *age;
    size_t age_stride; /* what one age band is worth in a stratum's number */
};

/* Reads the members of rates_members into `r`, without calendar and strata. */
extern const char *const rates_members[]; /* ended by NULL */
void rates_read(struct spec *s, bool prevalence, struct rates *r);
/* Then the calendar and the strata over r->by. */
void rates_prepare(struct spec *s, enum interval_kind interval, bool whole, struct rates *r);

MUST_CHECK enum status rates_sums(const struct rates *r, const struct study_site *site, struct sums *out,
                                  struct err *e);
/* What of the strata is printed: the cells of these dimensions. `place` says which of them a stratum is in
   (strata_levels), or RATES_UNPRINTED; NULL where the dimensions are r->by. */
#define RATES_UNPRINTED UINT32_MAX
struct rates_printed {
    const struct dimension *dimensions;
    size_t n;
    uint32_t (*place)(const struct rates *r, uint32_t stratum);
};
/* For the guard: the persons of every denominator and those of them with an outcome, by interval (the first
   60) and what is printed of it (NULL: every stratum); exactly those whom rates_sums counts. */
MUST_CHECK enum status rates_collect(const struct rates *r, const struct rates_printed *printed,
                                     const struct study_site *site, struct members *into, struct err *e);
static inline size_t rates_n_sums(const struct rates *r)
{
    return r->calendar.n * r->n_strata * RATES_N_FIGURES;
}
/* One figure per interval and stratum, row-major; in the arena. */
double *rates_figure(struct arena *a, const struct rates *r, const struct sums *total,
                     enum rates_figure which);

#endif
