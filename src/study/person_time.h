/* SPDX-License-Identifier: Apache-2.0
 *
 * Person-time on OMOP data: who is observed when (denominator spans), when they are at risk of an outcome,
 * and the calendar intervals and age bands that time is cut into. Both ends of a span count. The rules are
 * those of DARWIN EU's IncidencePrevalence (docs/analyses/incidence.md), which the reference test compares:
 *
 * - a denominator span is one observation period, from the latest of study start, minimum-age birthday and
 *   observation start + prior days, to the earliest of study end, the day before the birthday at maximum age
 *   + 1, and observation end;
 * - with a target cohort, entry must lie in the observation period; with requirements at entry the span must
 *   have begun by then and starts at entry, without it starts when both hold; the entry's end and the time at
 *   risk [a, b] days after entry cut it (a > 0 starts it then, even where a requirement is met later);
 * - the event day counts as at risk and ends the span; after an outcome a person is at risk again wash-out +
 * 1 days after its end; infinite wash-out excludes anyone with an earlier outcome, in whatever observation
 *   period.
 */
#ifndef ACCORD_STUDY_PERSON_TIME_H
#define ACCORD_STUDY_PERSON_TIME_H

#include "study/dimension.h"

struct span {
    uint32_t person;
    int32_t start, end;
    int32_t birth; /* of the person */
};

struct denominator {
    size_t cohort; /* SIZE_MAX = everybody observed */
    int32_t from, to;
    int min_age, max_age; /* completed years; -1 = no limit */
    int32_t prior_days;
    bool at_entry;
    struct day_window risk; /* days after entry */
};
extern const char *const denominator_members[]; /* what denominator_read reads, ended by NULL */
void denominator_read(struct spec *s, struct denominator *d);

/* The span of one observation period (and one target row, or NULL) of a person; false when there is none. */
struct target_row {
    int32_t start, end;
};
bool denominator_span(const struct denominator *d, int32_t birth, int32_t observed_from, int32_t observed_to,
                      const struct target_row *target, int32_t *start, int32_t *end);
/* All spans of a site by person, then start, side by side; the caller calls spans_deinit. */
struct spans {
    size_t n;
    uint32_t *person;
    int32_t *start, *end, *birth;
};
void denominator_spans(const struct denominator *d, const struct study_site *site, struct spans *out);
void spans_deinit(struct spans *s);

/* Time at risk in a span of a person whose outcomes are [first, first + n) of starts and ends, sorted by
   start. emit's event says whether the span ends with one. wash-out INT32_MAX = infinite. `repeated` false
   stops after the first event: the return value says that there was one. Here, so that `emit` is no call. */
typedef void (*risk_fn)(void *context, int32_t start, int32_t end, bool event);
int32_t at_risk_again(int32_t day, int32_t washout); /* the first day after an outcome that ends on `day` */
static inline bool risk_spans(const struct span *span, const int32_t *starts, const int32_t *ends, size_t n,
                              int32_t washout, bool repeated, risk_fn emit, void *context)
{
    size_t i = 0;
    int32_t at = span->start;
    while (i < n && starts[i] < span->start)
        i++;
    if (i > 0) {
        int32_t again = at_risk_again(ends[i - 1], washout);
        at = again > at ? again : at;
    }
    for (; i < n && starts[i] <= span->end; i++) {
        bool counted = at <= starts[i];
        if (counted)
            emit(context, at, starts[i], true);
        if (counted && (!repeated || washout == INT32_MAX))
            return true;
        at = at_risk_again(ends[i], washout);
    }
    if (at <= span->end)
        emit(context, at, span->end, false);
    return false;
}

/* Prevalence: the days [*first, *last] of a span that fall into the interval [from, to]; false where none do, or
   with `full` not all of the interval's. */
bool span_contributes(const struct span *span, int32_t from, int32_t to, bool full, int32_t *first,
                      int32_t *last);
/* Whether one of n outcomes is under way on one of the days. */
bool outcome_overlaps(const int32_t *starts, const int32_t *ends, size_t n, int32_t first, int32_t last);

/* Calendar intervals over [from, to]: ISO weeks, months, quarters, years, or one overall. Only whole ones
   when `whole`. In the arena. */
enum interval_kind { INTERVAL_WEEKS, INTERVAL_MONTHS, INTERVAL_QUARTERS, INTERVAL_YEARS, INTERVAL_OVERALL };
extern const char *const interval_names[];
struct calendar {
    size_t n;
    int32_t *start, *end;
    const char **labels;
    uint32_t *of_day; /* from start[0] to the last end: the interval calendar_find gives */
};
struct calendar calendar_of(struct arena *a, int32_t from, int32_t to, enum interval_kind kind, bool whole);
/* The first interval that ends on or after `day`; n when there is none. */
static inline size_t calendar_find(const struct calendar *c, int32_t day)
{
    if (c->n == 0)
        return 0;
    int32_t first = c->start[0], last = c->end[c->n - 1], near = day < last ? day : last;
    return c->of_day[(near > first ? near : first) - first] + (day > last); /* no branch on the day */
}

/* First day on which someone born then has that completed age. */
int32_t birthday(int32_t birth, int age);

#endif
