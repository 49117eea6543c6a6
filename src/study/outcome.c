/* SPDX-License-Identifier: Apache-2.0 */
#include "study/outcome.h"

#include <math.h>

const char *const outcome_members[] = {"outcome",          "value",         "window",
                                       "require_observed", "exclude_prior", NULL};
#define DAYS_PER_YEAR 365.25

static void read_value(struct spec *s, struct outcome *o)
{
    static const char *const allowed[] = {"concepts", "descendants", NULL};
    const struct js *j = js_get(s->object, "value");
    if (!j) {
        spec_fault(s, "value", "required: {\"concepts\": [...]} of the measurement to explain");
        return;
    }
    struct spec v = spec_open(j, spec_path(s, "value"), s->scope, allowed, s->e);
    o->concepts = spec_concepts(&v, true);
    spec_join(s, spec_done(&v));
}

void outcome_read(struct spec *s, enum outcome_kind kind, struct outcome *o)
{
    o->kind = kind;
    o->window = spec_window(s, "window", (struct day_window){1, 365});
    o->require_observed = spec_bool(s, "require_observed", kind == OUTCOME_BINARY);
    o->exclude_prior = spec_bool(s, "exclude_prior", kind != OUTCOME_VALUE);
    if (kind == OUTCOME_VALUE)
        spec_refuse(s, "outcome", "a linear model explains a \"value\", not a cohort");
    else
        spec_refuse(s, "value", "is for linear models; others explain an \"outcome\" cohort");
    if (kind == OUTCOME_VALUE && spec_goes_on(s))
        read_value(s, o);
    else if (kind != OUTCOME_VALUE)
        o->cohort = spec_cohort(s, "outcome", true);
    if (s->status == ST_OK && kind != OUTCOME_VALUE &&
        (o->window.from < -100000 || o->window.to == SPEC_UNBOUNDED))
        spec_fault(s, "window", "both ends are needed here");
}

/* Days of the window that the person is observed in the period that holds the index day. */
static int32_t observed_days(const struct store_periods *p, uint32_t person, int32_t index,
                             struct day_window w, bool *throughout)
{
    *throughout = false;
    for (uint32_t i = p->offset[person]; i < p->offset[person + 1]; i++) {
        if (p->start[i] > index || p->end[i] < index)
            continue;
        int32_t from = index + w.from > p->start[i] ? index + w.from : p->start[i];
        int32_t to = index + w.to < p->end[i] ? index + w.to : p->end[i];
        *throughout = from == index + w.from && to == index + w.to;
        return to >= from ? to - from + 1 : 0;
    }
    return 0;
}

struct cursor {
    const struct cohort_rows *rows;
    size_t at;
};

static void count_starts(struct cursor *c, uint32_t person, int32_t index, struct day_window w, int *within,
                         bool *before)
{
    *within = 0;
    *before = false;
    while (c->at < c->rows->n && c->rows->person[c->at] < person)
        c->at++;
    for (size_t i = c->at; i < c->rows->n && c->rows->person[i] == person; i++) {
        *within += in_window(w, index, c->rows->start[i]);
        *before |= c->rows->start[i] < index + w.from;
    }
}

static void keep_row(struct index_rows *rows, size_t to, size_t from)
{
    rows->person[to] = rows->person[from];
    rows->start[to] = rows->start[from];
    rows->end[to] = rows->end[from];
}

static void cohort_outcome(const struct outcome *o, const struct study_site *site, struct index_rows *rows,
                           double *y, double *offset)
{
    struct cursor cursor = {&site->cohorts[o->cohort], 0};
    size_t kept = 0;
    for (size_t i = 0; i < rows->n; i++) {
        bool before, throughout;
        int within;
        count_starts(&cursor, rows->person[i], rows->start[i], o->window, &within, &before);
        int32_t days = observed_days(store_periods(site->store), rows->person[i], rows->start[i], o->window,
                                     &throughout);
        if ((before && o->exclude_prior) || days == 0 || (o->require_observed && !throughout))
            continue;
        keep_row(rows, kept, i);
        y[kept] = o->kind == OUTCOME_BINARY ? within > 0 : within;
        offset[kept++] = o->kind == OUTCOME_COUNT ? log(days / DAYS_PER_YEAR) : 0;
    }
    rows->n = kept;
}

enum status outcome_values(const struct outcome *o, const struct study_site *site, struct index_rows *rows,
                           double *y, double *offset, struct err *e)
{
    if (o->kind != OUTCOME_VALUE) {
        cohort_outcome(o, site, rows, y, offset);
        return ST_OK;
    }
    enum status st = events_latest_value(site, &o->concepts, rows, o->window, y, e);
    size_t kept = 0;
    for (size_t i = 0; st == ST_OK && i < rows->n; i++) {
        if (isnan(y[i]))
            continue;
        keep_row(rows, kept, i);
        y[kept] = y[i];
        offset[kept++] = 0;
    }
    rows->n = kept;
    return st;
}
