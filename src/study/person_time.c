/* SPDX-License-Identifier: Apache-2.0 */
#include "study/person_time.h"

#include <stdlib.h>

#include "base/bits.h"
#include "base/date.h"
#include "base/vectors.h"
#include "store/only_period.h"

const char *const denominator_members[] = {
    "cohort",       "from", "to", "min_age", "max_age", "prior_observation_days", "requirements_at_entry",
    "time_at_risk", NULL};
const char *const interval_names[] = {"weeks", "months", "quarters", "years", "overall", NULL};

void denominator_read(struct spec *s, struct denominator *d)
{
    d->cohort = spec_cohort(s, "cohort", false);
    d->from = spec_date(s, "from", DATE_NONE);
    d->to = spec_date(s, "to", DATE_NONE);
    d->min_age = (int)spec_int(s, "min_age", 0, 150, -1);
    d->max_age = (int)spec_int(s, "max_age", 0, 150, -1);
    d->prior_days = (int32_t)spec_int(s, "prior_observation_days", 0, 36500, 0);
    d->at_entry = spec_bool(s, "requirements_at_entry", true);
    d->risk = spec_window(s, "time_at_risk", (struct day_window){0, SPEC_UNBOUNDED});
    if (s->status == ST_OK && d->to < d->from)
        spec_fault(s, "to", "lies before 'from'");
    if (s->status == ST_OK && d->risk.from < 0)
        spec_fault(s, "time_at_risk", "starts before entry");
    if (s->status == ST_OK && d->max_age >= 0 && d->max_age < d->min_age)
        spec_fault(s, "max_age", "is below 'min_age'");
}

int32_t birthday(int32_t birth, int age)
{
    int y, m, d;
    if (age == 0)
        return birth;
    date_parts(birth, &y, &m, &d);
    y += age;
    if (y > 9999)
        return DATE_MAX;
    return date_of(y, m, date_valid(y, m, d) ? d : 28);
}

static int32_t later(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static int32_t earlier(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* Cuts a span that is eligible in [*start, *end] by a target row; false when nothing is left. */
static bool cut_by_target(const struct denominator *d, const struct target_row *target, int32_t observed_from,
                          int32_t observed_to, int32_t *start, int32_t *end)
{
    if (target->start < observed_from || target->start > observed_to)
        return false;
    if (d->at_entry && (*start > target->start || *end < target->start))
        return false;
    *end = earlier(*end, target->end);
    if (d->risk.to != SPEC_UNBOUNDED)
        *end = earlier(*end, target->start + d->risk.to);
    *start = later(*start, target->start);
    if (*start > *end)
        return false;
    if (d->risk.from > 0)
        *start = target->start + d->risk.from;
    return true;
}

static inline bool span_of(const struct denominator *d, int32_t birth, int32_t observed_from,
                           int32_t observed_to, const struct target_row *target, int32_t *start, int32_t *end)
{
    *start = later(later(d->from, observed_from + d->prior_days),
                   d->min_age > 0 ? birthday(birth, d->min_age) : birth);
    *end = earlier(d->to, observed_to);
    if (d->max_age >= 0)
        *end = earlier(*end, birthday(birth, d->max_age + 1) - 1);
    if (target && !cut_by_target(d, target, observed_from, observed_to, start, end))
        return false;
    return *start <= *end;
}

bool denominator_span(const struct denominator *d, int32_t birth, int32_t observed_from, int32_t observed_to,
                      const struct target_row *target, int32_t *start, int32_t *end)
{
    return birth != DATE_NONE && span_of(d, birth, observed_from, observed_to, target, start, end);
}

static void spans_init(struct spans *s, size_t room)
{
    *s = (struct spans){.person = xmalloc((room + 1) * sizeof *s->person),
                        .start = xmalloc((room + 1) * sizeof *s->start),
                        .end = xmalloc((room + 1) * sizeof *s->end),
                        .birth = xmalloc((room + 1) * sizeof *s->birth)};
}

void spans_deinit(struct spans *s)
{
    free(s->person);
    free(s->start);
    free(s->end);
    free(s->birth);
    *s = (struct spans){0};
}

/* There is room for all of the person's periods. */
static inline void add_spans(const struct denominator *d, const struct store_periods *periods,
                             uint32_t person, int32_t birth, const struct target_row *target,
                             struct spans *out)
{
    if (birth == DATE_NONE)
        return;
    for (uint32_t i = periods->offset[person]; i < periods->offset[person + 1]; i++) {
        out->person[out->n] = person;
        out->birth[out->n] = birth;
        out->n += span_of(d, birth, periods->start[i], periods->end[i], target, &out->start[out->n],
                          &out->end[out->n]);
    }
}

/* Spans of n persons (at most BIRTHS) from `first` on, where ages do not matter. */
struct chunk {
    uint32_t first, n;
    const int32_t *birth;
    const uint32_t *only; /* their periods (only_period.h) */
    uint32_t person[BIRTHS];
    int32_t start[BIRTHS], end[BIRTHS];
    uint8_t mask[BIRTHS]; /* 1 where there is a span */
};

/* False where the one period of somebody is not known: then this is not how. */
VECTORS static bool chunk_spans(const struct denominator *d, struct chunk *restrict c)
{
    const int32_t *restrict birth = c->birth;
    const uint32_t *restrict only = c->only;
    int32_t least = d->from, most = d->to, prior = d->prior_days;
    uint32_t unknown = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        unknown |= !only_period_known(only[i]);
        c->person[i] = c->first + i;
        c->start[i] = later(later(least, only_period_start(only[i]) + prior), birth[i]);
        c->end[i] = earlier(most, only_period_end(only[i]));
        c->mask[i] = (birth[i] != DATE_NONE) & (c->start[i] <= c->end[i]);
    }
    return !unknown;
}

static void add_chunk(const struct chunk *c, struct spans *out)
{
    bits_keep32(out->person + out->n, c->person, c->mask, c->n);
    bits_keep32(out->start + out->n, c->start, c->mask, c->n);
    bits_keep32(out->end + out->n, c->end, c->mask, c->n);
    out->n += bits_keep32(out->birth + out->n, c->birth, c->mask, c->n);
}

static void add_everybody(const struct denominator *d, const struct study_site *site, struct spans *out)
{
    const struct store_persons *persons = store_persons(site->store);
    const struct store_periods *periods = store_periods(site->store);
    int32_t birth[BIRTHS];
    struct chunk c;
    c.birth = birth;
    bool ages = d->min_age > 0 || d->max_age >= 0;
    spans_init(out, periods->offset[site->end_person] - periods->offset[site->first_person]);
    for (uint32_t first = site->first_person, n; first < site->end_person; first += n) {
        n = site->end_person - first < BIRTHS ? site->end_person - first : BIRTHS;
        person_births(persons, first, n, birth);
        c.first = first;
        c.n = n;
        c.only = periods->only + first;
        if (!ages && chunk_spans(d, &c))
            add_chunk(&c, out);
        else
            for (uint32_t i = 0; i < n; i++)
                add_spans(d, periods, first + i, birth[i], NULL, out);
    }
}

static void add_targets(const struct denominator *d, const struct study_site *site,
                        const struct cohort_rows *rows, struct spans *out)
{
    const struct store_persons *persons = store_persons(site->store);
    const struct store_periods *periods = store_periods(site->store);
    size_t room = 0;
    for (size_t i = 0; i < rows->n; i++)
        room += periods->offset[rows->person[i] + 1] - periods->offset[rows->person[i]];
    spans_init(out, room);
    for (size_t i = 0; i < rows->n; i++)
        add_spans(d, periods, rows->person[i], person_birth(persons, rows->person[i]),
                  &(struct target_row){rows->start[i], rows->end[i]}, out);
}

void denominator_spans(const struct denominator *d, const struct study_site *site, struct spans *out)
{
    if (d->cohort == SIZE_MAX)
        add_everybody(d, site, out);
    else
        add_targets(d, site, &site->cohorts[d->cohort], out);
}

/* `day` + wash-out + 1, without running off the calendar; never with an infinite one. */
int32_t at_risk_again(int32_t day, int32_t washout)
{
    int64_t again = (int64_t)day + washout + 1;
    return washout == INT32_MAX || again > DATE_MAX ? DATE_MAX : (int32_t)again;
}

bool span_contributes(const struct span *span, int32_t from, int32_t to, bool full, int32_t *first,
                      int32_t *last)
{
    *first = span->start > from ? span->start : from;
    *last = span->end < to ? span->end : to;
    return full ? *first == from && *last == to : *first <= *last;
}

bool outcome_overlaps(const int32_t *starts, const int32_t *ends, size_t n, int32_t first, int32_t last)
{
    for (size_t i = 0; i < n; i++)
        if (starts[i] <= last && ends[i] >= first)
            return true;
    return false;
}

/* First day of the interval that `day` lies in, and of the one after. */
static int32_t interval_floor(int32_t day, enum interval_kind kind)
{
    int y, m, d;
    date_parts(day, &y, &m, &d);
    switch (kind) {
    case INTERVAL_WEEKS:
        return day - date_weekday(day);
    case INTERVAL_MONTHS:
        return date_of(y, m, 1);
    case INTERVAL_QUARTERS:
        return date_of(y, (m - 1) / 3 * 3 + 1, 1);
    case INTERVAL_YEARS:
        return date_of(y, 1, 1);
    case INTERVAL_OVERALL:
        break;
    }
    return day;
}

static int32_t interval_after(int32_t floor_day, enum interval_kind kind)
{
    enum { OVER_A_WEEK = 7, OVER_A_MONTH = 31, OVER_A_QUARTER = 92, OVER_A_YEAR = 366 };
    static const int32_t surely_after[] = {OVER_A_WEEK, OVER_A_MONTH, OVER_A_QUARTER, OVER_A_YEAR};
    return interval_floor(floor_day + surely_after[kind], kind);
}

static const char *interval_label(struct arena *a, int32_t start, int32_t end, enum interval_kind kind)
{
    int y, m, d;
    char from[11], to[11];
    date_parts(start, &y, &m, &d);
    date_format(start, from);
    date_format(end, to);
    switch (kind) {
    case INTERVAL_WEEKS:
        return arena_printf(a, "week of %s", from);
    case INTERVAL_MONTHS:
        return arena_printf(a, "%04d-%02d", y, m);
    case INTERVAL_QUARTERS:
        return arena_printf(a, "%04d-Q%d", y, (m - 1) / 3 + 1);
    case INTERVAL_YEARS:
        return arena_printf(a, "%04d", y);
    case INTERVAL_OVERALL:
        break;
    }
    return arena_printf(a, "%s to %s", from, to);
}

static size_t most_intervals(int32_t from, int32_t to, enum interval_kind kind)
{
    static const int least_days[] = {7, 28, 90, 365, INT32_MAX};
    return (size_t)((to - from) / least_days[kind]) + 3;
}

/* Where the intervals are found by day, without a search. */
static void calendar_index(struct arena *a, struct calendar *c)
{
    if (c->n == 0)
        return;
    size_t days = (size_t)(c->end[c->n - 1] - c->start[0]) + 1, i = 0;
    c->of_day = arena_array(a, days, sizeof *c->of_day);
    for (size_t k = 0; k < days; k++) {
        i += c->end[i] < c->start[0] + (int32_t)k;
        c->of_day[k] = (uint32_t)i;
    }
}

struct calendar calendar_of(struct arena *a, int32_t from, int32_t to, enum interval_kind kind, bool whole)
{
    size_t most = most_intervals(from, to, kind);
    struct calendar c = {.start = arena_array(a, most, sizeof *c.start),
                         .end = arena_array(a, most, sizeof *c.end),
                         .labels = arena_array(a, most, sizeof *c.labels)};
    for (int32_t day = from; day <= to;) {
        int32_t first = interval_floor(day, kind);
        int32_t next = kind == INTERVAL_OVERALL ? to + 1 : interval_after(first, kind);
        bool cut = first < from || next - 1 > to;
        if (!whole || !cut) {
            c.start[c.n] = later(first, from);
            c.end[c.n] = earlier(next - 1, to);
            c.labels[c.n] = interval_label(a, c.start[c.n], c.end[c.n], kind);
            c.n++;
        }
        day = next;
    }
    calendar_index(a, &c);
    return c;
}
