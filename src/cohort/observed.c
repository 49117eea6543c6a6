/* SPDX-License-Identifier: Apache-2.0
 *
 * The short way to the entry events of a cohort that takes each person's first period of observation (or the
 * first that contains given days): periods lie in the store by person and start, so that the first one that
 * fits is found where it lies, and nothing is listed or sorted.
 *
 * The event of a period is on the day the definition asks for, else on the first of the period; it counts
 * where it lies, with the days wanted before and behind, in some period of the person. That is nearly always
 * the same one.
 */
#include <string.h>

#include "base/date.h"
#include "base/vectors.h"
#include "cohort/engine.h"
#include "cohort/plan.h"
#include "store/only_period.h"

bool observed_applies(const struct cohort_definition *d, unsigned needs)
{
    const struct criterion *c = &d->primary[0];
    return d->n_primary == 1 && c->type == CRIT_OBSERVATION_PERIOD && d->primary_limit == LIMIT_FIRST &&
           needs == 0 && !c->nested && !c->n_attributes && !c->adjustment;
}

/* What a definition asks, where days that bind nobody stand for those that are not given. */
struct asked {
    int32_t first, last; /* the period begins by `first` and ends on or behind `last` */
    int32_t day;         /* of the event; DATE_NONE for the first day of the period */
    int32_t prior, post;
};

static void ask_for(struct asked *a, int32_t day)
{
    if (day == DATE_NONE)
        return;
    a->first = day < a->first ? day : a->first;
    a->last = day > a->last ? day : a->last;
}

static struct asked asked_of(const struct cohort_definition *d)
{
    const struct user_period *u = d->primary[0].period;
    struct asked a = {INT32_MAX, INT32_MIN, u ? u->start : DATE_NONE, d->prior_days, d->post_days};
    if (u) {
        ask_for(&a, u->start);
        ask_for(&a, u->end);
    }
    return a;
}

static inline int holds(struct asked a, int32_t start, int32_t end)
{
    return (start <= a.first) & (end >= a.last);
}

static inline int contains(struct asked a, int32_t start, int32_t end, int32_t day)
{
    return (start <= day) & (day <= end) & ((int64_t)day - a.prior >= start) & ((int64_t)day + a.post <= end);
}

/* --- persons with one period each --- */

VECTORS static size_t one_each(const uint32_t *only, size_t n)
{
    uint32_t others = 0;
    for (size_t i = 0; i < n; i++)
        others += !only_period_known(only[i]);
    return others == 0;
}

VECTORS static void take_apart(const uint32_t *restrict only, size_t n, int32_t *restrict start,
                               int32_t *restrict end)
{
    for (size_t i = 0; i < n; i++) {
        start[i] = only_period_start(only[i]);
        end[i] = only_period_end(only[i]);
    }
}

VECTORS static void fit(struct asked a, const int32_t *restrict start, const int32_t *restrict end, size_t n,
                        uint8_t *restrict fits)
{
    for (size_t i = 0; i < n; i++) {
        int32_t day = a.day == DATE_NONE ? start[i] : a.day;
        fits[i] = (uint8_t)(holds(a, start[i], end[i]) & contains(a, start[i], end[i], day));
    }
}

VECTORS static void number(uint32_t *restrict person, uint32_t first, size_t n)
{
    for (size_t i = 0; i < n; i++)
        person[i] = first + (uint32_t)i;
}

VECTORS static void set_all(int32_t *restrict day, int32_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        day[i] = value;
}

enum { CHUNK = 1024 }; /* persons: what a pass looks at stays in the first-level cache */

static void add_singles(const struct engine *g, struct asked a, uint32_t first, size_t n, struct events *out)
{
    uint8_t fits[CHUNK];
    int32_t start[CHUNK], end[CHUNK];
    take_apart(g->periods->only + first, n, start, end);
    fit(a, start, end, n, fits);
    number(out->person + out->n, first, n);
    size_t kept = bits_keep32(out->person + out->n, out->person + out->n, fits, n);
    bits_keep32(out->op_start + out->n, start, fits, n);
    bits_keep32(out->op_end + out->n, end, fits, n);
    if (a.day == DATE_NONE)
        memcpy(out->start + out->n, out->op_start + out->n, kept * sizeof *out->start);
    else
        set_all(out->start + out->n, a.day, kept);
    out->n += kept;
}

/* --- others --- */

static bool add_event(const struct store_periods *p, struct asked a, uint32_t person, uint32_t k,
                      struct events *out)
{
    int32_t day = a.day == DATE_NONE ? p->start[k] : a.day;
    for (uint32_t in = p->offset[person]; in < p->offset[person + 1]; in++) {
        if (!contains(a, p->start[in], p->end[in], day))
            continue;
        out->person[out->n] = person;
        out->start[out->n] = day;
        out->op_start[out->n] = p->start[in];
        out->op_end[out->n++] = p->end[in];
        return true;
    }
    return false;
}

static void add_person(const struct engine *g, struct asked a, uint32_t person, struct events *out)
{
    const struct store_periods *p = g->periods;
    uint32_t end = p->offset[person + 1];
    if (g->d->primary[0].first && end > p->offset[person])
        end = p->offset[person] + 1;
    for (uint32_t k = p->offset[person]; k < end; k++)
        if (holds(a, p->start[k], p->end[k]) && add_event(p, a, person, k, out))
            return;
}

static void note_periods(const struct engine *g, uint64_t events)
{
    const uint32_t *offset = g->periods->offset;
    uint64_t periods = offset[g->range.first + g->range.n] - offset[g->range.first];
    struct plan_step found = {.estimate = periods, .rows = periods, .events = events};
    plan_note_fetch(g->plan, &g->d->primary[0], &found);
}

void observed_events(const struct engine *g, struct events *out)
{
    struct asked a = asked_of(g->d);
    uint32_t end = g->range.first + g->range.n;
    events_init(out, NEED_PERIOD);
    events_reserve(out, g->range.n);
    for (uint32_t p = g->range.first, n; p < end; p += n) {
        n = end - p < CHUNK ? end - p : CHUNK;
        if (one_each(g->periods->only + p, n)) {
            add_singles(g, a, p, n, out);
            continue;
        }
        for (uint32_t i = 0; i < n; i++)
            add_person(g, a, p + i, out);
    }
    out->one_each = true;
    if (g->plan)
        note_periods(g, out->n);
}
