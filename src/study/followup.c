/* SPDX-License-Identifier: Apache-2.0 */
#include "study/followup.h"

#include "base/date.h"

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

/* A cursor over the rows of a cohort, person by person in ascending order. */
struct cursor {
    const struct cohort_rows *rows;
    size_t at;
};

/* First start of the person's rows after `day`; *before says whether one starts on or before it. */
static int32_t first_after(struct cursor *c, uint32_t person, int32_t day, bool *before)
{
    *before = false;
    while (c->at < c->rows->n && c->rows->person[c->at] < person)
        c->at++;
    for (; c->at < c->rows->n && c->rows->person[c->at] == person; c->at++) {
        if (c->rows->start[c->at] > day)
            return c->rows->start[c->at];
        *before = true;
    }
    return INT32_MAX;
}

static int32_t last_day(const struct followup *f, const struct study_site *site,
                        const struct index_rows *rows, size_t i)
{
    int32_t start = rows->start[i], end = observed_until(store_periods(site->store), rows->person[i], start);
    if (f->until_row_end && rows->end[i] < end)
        end = rows->end[i];
    if (f->until < end)
        end = f->until;
    if (f->horizon != INT32_MAX && start + f->horizon < end)
        end = start + f->horizon;
    return end;
}

void followup_times(const struct followup *f, const struct study_site *site, struct index_rows *rows,
                    int32_t *days, uint8_t *status)
{
    static const struct cohort_rows none = {0};
    struct cursor outcome = {&site->cohorts[f->outcome], 0};
    struct cursor competing = {f->competing == SIZE_MAX ? &none : &site->cohorts[f->competing], 0};
    size_t kept = 0;
    for (size_t i = 0; i < rows->n; i++) {
        bool before, unused;
        int32_t event = first_after(&outcome, rows->person[i], rows->start[i], &before);
        int32_t other = first_after(&competing, rows->person[i], rows->start[i], &unused);
        int32_t end = last_day(f, site, rows, i);
        if ((before && !f->keep_prevalent) || end <= rows->start[i])
            continue;
        int32_t first = event <= other ? event : other;
        status[kept] = first > end ? CENSORED : event <= other ? EVENT : COMPETING;
        days[kept] = (first > end ? end : first) - rows->start[i];
        rows->person[kept] = rows->person[i];
        rows->start[kept] = rows->start[i];
        rows->end[kept++] = rows->end[i];
    }
    rows->n = kept;
}
