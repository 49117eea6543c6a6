/* SPDX-License-Identifier: Apache-2.0 */
#include "study/followup.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/vectors.h"
#include "store/only_period.h"

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

/* For persons who have one period the same; the others are marked in `other`. */
VECTORS static void observed_by_one(const uint32_t *restrict only, const uint32_t *restrict person,
                                    const int32_t *restrict day, size_t n, int32_t *restrict until,
                                    uint8_t *restrict other)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t period = only[person[i]];
        int32_t from = only_period_start(period), to = only_period_end(period);
        until[i] = ((from <= day[i]) & (day[i] <= to)) ? to : day[i];
        other[i] = !only_period_known(period);
    }
}

/* --- the rows of another cohort around the entries --- */

enum { CHUNK = 512 }; /* rows at a time */

/* First start after the entry of each row, INT32_MAX for none; before[i] says whether one is on or before it.
 * The rows are mapped. */
static void find_starts(const struct cohort_rows *starts, const struct index_rows *rows, int32_t *after,
                        uint8_t *before)
{
    uint16_t at[CHUNK + BITS_SLACK];
    uint32_t row[CHUNK + BITS_SLACK];
    for (size_t i = 0; i < rows->n; i++)
        after[i] = INT32_MAX;
    memset(before, 0, rows->n);
    for (size_t i = 0; i < starts->n; i += CHUNK) {
        size_t n = starts->n - i < CHUNK ? starts->n - i : CHUNK;
        size_t hits = index_rows_find(rows, starts->person + i, n, at, row);
        for (size_t k = 0; k < hits; k++) {
            int32_t day = starts->start[i + at[k]], known = after[row[k]];
            bool late = day > rows->start[row[k]];
            before[row[k]] |= !late;
            after[row[k]] = (late & (day < known)) ? day : known;
        }
    }
}

/* --- follow-up --- */

struct ends {
    int32_t *event, *other; /* first outcome and competing event after the entry, by row */
    uint8_t *before, *unused;
};

static void find_ends(const struct followup *f, const struct study_site *site, struct index_rows *rows,
                      struct ends *out)
{
    static const struct cohort_rows none = {0};
    size_t room = rows->n + 1;
    *out = (struct ends){xmalloc(room * sizeof *out->event), xmalloc(room * sizeof *out->other),
                         xmalloc(room), xmalloc(room)};
    index_rows_map(rows, site);
    find_starts(&site->cohorts[f->outcome], rows, out->event, out->before);
    find_starts(f->competing == SIZE_MAX ? &none : &site->cohorts[f->competing], rows, out->other,
                out->unused);
    index_rows_unmap(rows);
}

static void ends_deinit(struct ends *e)
{
    free(e->event);
    free(e->other);
    free(e->before);
    free(e->unused);
}

/* When observation of n rows (CHUNK at most) ends. */
static void observed_until_all(const struct store_periods *p, const uint32_t *person, const int32_t *start,
                               size_t n, int32_t *until)
{
    uint8_t other[CHUNK];
    observed_by_one(p->only, person, start, n, until, other);
    for (size_t i = 0; i < n; i++)
        if (other[i])
            until[i] = observed_until(p, person[i], start[i]);
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

/* Keeps of n rows from `from` on those that take part, behind the `kept` ones. */
static size_t keep_rows(const struct followup *f, const struct ends *e, const int32_t *until, size_t from,
                        size_t n, size_t kept, struct index_rows *rows, int32_t *days, uint8_t *status)
{
    for (size_t k = 0; k < n; k++) {
        size_t i = from + k;
        int32_t start = rows->start[i], end = last_day(f, rows, i, until[k]);
        int32_t event = e->event[i], other = e->other[i], first = event <= other ? event : other;
        bool out = (e->before[i] & !f->keep_prevalent) | (end <= start);
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
    const struct store_periods *p = store_periods(site->store);
    struct ends ends;
    int32_t until[CHUNK];
    size_t kept = 0;
    find_ends(f, site, rows, &ends);
    for (size_t i = 0, n; i < rows->n; i += n) {
        n = rows->n - i < CHUNK ? rows->n - i : CHUNK;
        observed_until_all(p, rows->person + i, rows->start + i, n, until);
        kept = keep_rows(f, &ends, until, i, n, kept, rows, days, status);
    }
    rows->n = kept;
    ends_deinit(&ends);
}
