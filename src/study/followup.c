/* SPDX-License-Identifier: Apache-2.0 */
#include "study/followup.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/vectors.h"

const char *const followup_members[] = {
    "outcome", "competing", "until_row_end", "keep_prevalent", "horizon_days", "until", NULL};

void followup_read(struct spec *s, struct followup *f)
{
    f->outcome = spec_cohort(s, "outcome", true);
    f->competing = spec_cohort(s, "competing", false);
    f->until_row_end = spec_bool(s, "until_row_end", false);
    f->keep_prevalent = spec_bool(s, "keep_prevalent", false);
    f->horizon = (int32_t)spec_int(s, "horizon_days", 1, 36500, INT32_MAX);
    f->until = spec_date(s, "until", DATE_MAX);
}

/* End of the observation period that holds `day`; `day` itself when none does. */
static int32_t observed_until(const struct store_periods *p, uint32_t person, int32_t day)
{
    for (uint32_t i = p->offset[person]; i < p->offset[person + 1]; i++)
        if (p->start[i] <= day && day <= p->end[i])
            return p->end[i];
    return day;
}

/* For persons who have one period the same; the others are marked in `other`. There is at least one period.
 */
VECTORS static void observed_by_one(const struct store_periods *p, const uint32_t *restrict person,
                                    const int32_t *restrict day, size_t n, int32_t *restrict until,
                                    uint8_t *restrict other)
{
    const uint32_t *restrict offset = p->offset;
    const int32_t *restrict start = p->start, *restrict end = p->end;
    for (size_t i = 0; i < n; i++) {
        uint32_t k = offset[person[i]], one = offset[person[i] + 1] - k == 1;
        int32_t from = start[one ? k : 0], to = end[one ? k : 0];
        until[i] = ((from <= day[i]) & (day[i] <= to)) ? to : day[i];
        other[i] = !one;
    }
}

/* --- the rows of a cohort, person by person --- */

struct starts {
    const struct cohort_rows *rows;
    struct index_rows persons; /* mapped */
    size_t *first;             /* row of each person, and the end */
};

static void starts_init(struct starts *s, const struct cohort_rows *rows, const struct study_site *site)
{
    *s = (struct starts){.rows = rows, .first = xrealloc_array(NULL, rows->n + 2, sizeof *s->first)};
    s->persons.person = xrealloc_array(NULL, rows->n + 1, sizeof *s->persons.person);
    size_t n = 0;
    for (size_t i = 0; i < rows->n; i++) { /* what is not the first of a person is written over */
        s->persons.person[n] = rows->person[i];
        s->first[n] = i;
        n += i == 0 || rows->person[i] != rows->person[i - 1];
    }
    s->persons.n = n;
    s->first[n] = rows->n;
    index_rows_map(&s->persons, site);
}

static void starts_deinit(struct starts *s)
{
    index_rows_deinit(&s->persons);
    free(s->first);
}

enum { CHUNK = 512 }; /* rows at a time */
/* First starts after the entry of each row, INT32_MAX for none; before[i] says whether one is on or before
 * it. */
static void first_after(const struct starts *s, const uint32_t *person, const int32_t *day, size_t n,
                        int32_t *after, uint8_t *before)
{
    uint16_t at[CHUNK + BITS_SLACK];
    uint32_t of[CHUNK + BITS_SLACK];
    size_t hits = index_rows_find(&s->persons, person, n, at, of);
    for (size_t i = 0; i < n; i++)
        after[i] = INT32_MAX;
    memset(before, 0, n);
    for (size_t k = 0; k < hits; k++) {
        size_t row = s->first[of[k]], end = s->first[of[k] + 1];
        while (row < end && s->rows->start[row] <= day[at[k]])
            row++;
        before[at[k]] = row > s->first[of[k]];
        after[at[k]] = row < end ? s->rows->start[row] : INT32_MAX;
    }
}

/* --- follow-up --- */

struct chunk {
    size_t n;
    int32_t end[CHUNK], event[CHUNK], other[CHUNK];
    uint8_t before[CHUNK], several[CHUNK], unused[CHUNK];
};

static void read_chunk(const struct store_periods *p, const struct starts *outcome,
                       const struct starts *competing, const uint32_t *person, const int32_t *start,
                       bool any_period, struct chunk *c)
{
    memset(c->several, 1, c->n);
    if (any_period)
        observed_by_one(p, person, start, c->n, c->end, c->several);
    for (size_t i = 0; i < c->n; i++)
        if (c->several[i])
            c->end[i] = observed_until(p, person[i], start[i]);
    first_after(outcome, person, start, c->n, c->event, c->before);
    first_after(competing, person, start, c->n, c->other, c->unused);
}

static int32_t last_day(const struct followup *f, const struct index_rows *rows, size_t i, int32_t end)
{
    if (f->until_row_end && rows->end[i] < end)
        end = rows->end[i];
    if (f->until < end)
        end = f->until;
    if (f->horizon != INT32_MAX && rows->start[i] + f->horizon < end)
        end = rows->start[i] + f->horizon;
    return end;
}

/* Keeps the rows of the chunk from `from` on that take part, behind the `kept` ones. */
static size_t keep_chunk(const struct followup *f, const struct chunk *c, size_t from, size_t kept,
                         struct index_rows *rows, int32_t *days, uint8_t *status)
{
    for (size_t k = 0; k < c->n; k++) {
        size_t i = from + k;
        int32_t start = rows->start[i], end = last_day(f, rows, i, c->end[k]);
        int32_t event = c->event[k], other = c->other[k], first = event <= other ? event : other;
        bool out = (c->before[k] & !f->keep_prevalent) | (end <= start);
        status[kept] = first > end ? CENSORED : event <= other ? EVENT : COMPETING;
        days[kept] = (first > end ? end : first) - start;
        rows->person[kept] = rows->person[i];
        rows->start[kept] = start;
        rows->end[kept] = rows->end[i];
        kept += !out;
    }
    return kept;
}

void followup_times(const struct followup *f, const struct study_site *site, struct index_rows *rows,
                    int32_t *days, uint8_t *status)
{
    static const struct cohort_rows none = {0};
    const struct store_periods *p = store_periods(site->store);
    bool any_period = p->offset[store_persons(site->store)->n] > 0;
    struct starts outcome, competing;
    struct chunk c;
    size_t kept = 0;
    starts_init(&outcome, &site->cohorts[f->outcome], site);
    starts_init(&competing, f->competing == SIZE_MAX ? &none : &site->cohorts[f->competing], site);
    for (size_t i = 0; i < rows->n; i += c.n) {
        c.n = rows->n - i < CHUNK ? rows->n - i : CHUNK;
        read_chunk(p, &outcome, &competing, rows->person + i, rows->start + i, any_period, &c);
        kept = keep_chunk(f, &c, i, kept, rows, days, status);
    }
    rows->n = kept;
    starts_deinit(&outcome);
    starts_deinit(&competing);
}
