/* SPDX-License-Identifier: Apache-2.0
 *
 * The short way to the entry events of a cohort that keeps one event per person, the earliest, and looks at
 * nothing of it but its day: no sorting, one number per person. A third of the published cohorts enter so.
 *
 * The event has to lie in a period of observation. Nearly always a person's earliest row does, so the rows
 * are first walked without looking at periods; only for the persons whose earliest day is not observed they
 * are walked once more, row by row beside the periods. With First it is the earliest day of all that has to
 * be observed, and to have the attributes.
 *
 * A byte per person says whether there is a day yet, so that only bytes are cleared before. A person's rows lie
 * together in a run, the earliest first: the others are dropped before days are looked at, which also keeps a
 * store from being followed at once by a load from the same place.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vectors.h"
#include "cohort/engine.h"

struct earliest {
    const struct engine *g;
    struct scan scan;
    bool filters;  /* rows have to have the attributes */
    bool observed; /* only days that lie in a period of observation count */
    struct first_days days;
};

bool earliest_applies(const struct cohort_definition *d, unsigned needs)
{
    const struct criterion *c = &d->primary[0];
    return d->n_primary == 1 && d->primary_limit == LIMIT_FIRST && needs == 0 && !c->period && !c->nested &&
           (!c->first || !criterion_asks_of_row(c)) && criterion_specs[c->type].table != STORE_N_TABLES;
}

/* The period that a day lies in with all the days wanted before and behind it; UINT32_MAX for none. */
static uint32_t period_of(const struct engine *g, uint32_t person, int32_t day)
{
    const struct store_periods *p = g->periods;
    for (uint32_t k = p->offset[person]; k < p->offset[person + 1]; k++)
        if (day >= p->start[k] && day <= p->end[k] && (int64_t)day - g->d->prior_days >= p->start[k] &&
            (int64_t)day + g->d->post_days <= p->end[k])
            return k;
    return UINT32_MAX;
}

/* --- rows to days --- */

static void days_init(struct first_days *d, const struct person_set *range)
{
    *d = (struct first_days){.range = {range->first, range->n, NULL}};
    d->day = xmalloc(((size_t)range->n + 1) * sizeof *d->day);
    d->has = xcalloc((size_t)range->n + 1, 1);
}

/* All but the rows that follow one of the same person that does not start later. */
VECTORS static void mark_first(const int32_t *restrict person, const int32_t *restrict start, size_t n,
                               uint8_t *restrict mask)
{
    mask[0] = 1;
    for (size_t i = 1; i < n; i++)
        mask[i] = (person[i] != person[i - 1]) | (start[i] < start[i - 1]);
}

/* The selected rows, side by side. */
static size_t gather(const struct block *b, int32_t *person, int32_t *start)
{
    for (size_t i = 0; i < b->n_sel; i++) {
        person[i] = b->person[b->sel[i]];
        start[i] = b->start[b->sel[i]];
    }
    return b->n_sel;
}

enum { AHEAD = 24 }; /* rows: as long as memory takes */

/* Without branches: whether a person had a day before, and whether it was earlier, is not to be foreseen. */
static void add_days(struct first_days *d, const uint32_t *person, const int32_t *start, size_t n)
{
    uint32_t first = d->range.first;
    uint8_t *has = d->has;
    int32_t *day = d->day;
    size_t fresh = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t at = person[i] - first, later = person[i + AHEAD < n ? i + AHEAD : n - 1] - first;
        __builtin_prefetch(&has[later], 1);
        __builtin_prefetch(&day[later], 1);
        int32_t old = has[at], known = (day[at] & -old) | (INT32_MAX & (old - 1)); /* none: behind all days */
        fresh += (size_t)(1 - old);
        has[at] = 1;
        day[at] = start[i] < known ? start[i] : known;
    }
    d->n += fresh;
}

static void offer_rows(const struct block *b, struct first_days *d)
{
    int32_t person[BLOCK], start[BLOCK];
    const int32_t *from_person = b->person, *from_start = b->start;
    uint8_t mask[BLOCK];
    size_t n = b->n_sel;
    if (n < b->n) {
        n = gather(b, person, start);
        from_person = person;
        from_start = start;
    }
    if (n == 0)
        return;
    mark_first(from_person, from_start, n, mask);
    bits_keep32(start, from_start, mask, n);
    n = bits_keep32(person, from_person, mask, n);
    add_days(d, (const uint32_t *)person, start, n);
}

static void keep_observed(const struct engine *g, struct block *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->n_sel; i++) {
        uint16_t at = b->sel[i];
        b->sel[kept] = at;
        kept += period_of(g, (uint32_t)b->person[at], b->start[at]) != UINT32_MAX;
    }
    b->n_sel = kept;
}

static enum status visit(void *context, struct block *b, struct err *e)
{
    struct earliest *x = context;
    enum status s = x->filters ? scan_filter(&x->scan, b, e) : ST_OK;
    if (x->observed)
        keep_observed(x->g, b);
    if (s == ST_OK)
        offer_rows(b, &x->days);
    return s;
}

static void earliest_init(struct earliest *x, const struct engine *g, const struct criterion *c,
                          const struct person_set *candidates)
{
    *x = (struct earliest){.g = g};
    scan_init(&x->scan, g, c, candidates, false);
    x->filters = !c->first && (c->n_attributes || c->adjustment);
    days_init(&x->days, &g->range);
}

enum status first_days_find(const struct engine *g, const struct criterion *c,
                            const struct person_set *candidates, struct first_days *out, struct err *e)
{
    struct earliest x;
    earliest_init(&x, g, c, candidates);
    enum status s = scan_rows(&x.scan, visit, &x, e);
    x.scan.runs = 0; /* counted when the events are read */
    scan_note(&x.scan, 0);
    *out = x.days;
    scan_deinit(&x.scan);
    return s;
}

void first_days_deinit(struct first_days *d)
{
    free(d->has);
    free(d->day);
}

/* --- days to events --- */

static void look_closer(const struct engine *g, const struct events *v, size_t i, uint8_t *fits)
{
    uint32_t period = period_of(g, v->person[i], v->start[i]);
    fits[i] = period != UINT32_MAX;
    if (fits[i]) {
        v->op_start[i] = g->periods->start[period];
        v->op_end[i] = g->periods->end[period];
    }
}

/* One event per person whose day is observed; returns how many are not, in `missed`. */
static size_t collect(const struct earliest *x, struct person_set *missed, struct events *out)
{
    const struct first_days *d = &x->days;
    events_reserve(out, d->n + BITS_SLACK);
    out->n = bits_list32(out->person, out->start, d->range.first, d->day, d->has, d->range.n);
    uint8_t *fits = xmalloc(out->n + 1);
    size_t n = out->n;
    find_only_periods(x->g, out, x->g->d->prior_days, x->g->d->post_days, fits);
    for (size_t i = 0; i < n; i++) {
        if (fits[i] == FITS_UNKNOWN)
            look_closer(x->g, out, i, fits);
        if (!fits[i])
            person_set_add(missed, out->person[i]);
    }
    events_keep(out, fits);
    free(fits);
    return n - out->n;
}

/* Of the missed, the earliest day that is observed. */
static enum status look_again(struct earliest *x, const struct person_set *missed, struct events *out,
                              struct err *e)
{
    for (uint32_t i = 0; i < missed->n; i++)
        if (person_set_has(missed, missed->first + i)) {
            x->days.has[i] = 0;
            x->days.n--;
        }
    x->scan.candidates = missed;
    x->observed = true;
    enum status s = scan_rows(&x->scan, visit, x, e);
    struct person_set none = person_set_like(missed);
    if (s == ST_OK)
        collect(x, &none, out);
    free(none.words);
    return s;
}

/* The attributes of first events, which look at nothing but the person and the day. */
static enum status keep_by_attributes(const struct earliest *x, struct events *v, struct err *e)
{
    uint8_t *mask = xcalloc(v->n + 1, 1);
    struct block *b = xmalloc(sizeof *b);
    enum status s = ST_OK;
    b->table = STORE_N_TABLES;
    for (size_t at = 0; s == ST_OK && at < v->n; at += b->n) {
        b->n = v->n - at < BLOCK ? v->n - at : BLOCK;
        for (size_t i = 0; i < b->n; i++) {
            b->person[i] = (int32_t)v->person[at + i];
            b->start[i] = v->start[at + i];
        }
        block_select_all(b);
        s = filter_block(x->scan.filter, b, e);
        for (size_t i = 0; i < b->n_sel; i++)
            mask[at + b->sel[i]] = 1;
    }
    if (s == ST_OK)
        events_keep(v, mask);
    free(b);
    free(mask);
    return s;
}

enum status earliest_events(const struct engine *g, struct events *out, struct err *e)
{
    const struct criterion *c = &g->d->primary[0];
    struct earliest x;
    struct person_set missed = person_set_like(&g->range);
    earliest_init(&x, g, c, &g->range);
    events_init(out, NEED_PERIOD);
    enum status s = scan_rows(&x.scan, visit, &x, e);
    if (s == ST_OK && collect(&x, &missed, out) > 0 && !c->first)
        s = look_again(&x, &missed, out, e);
    if (s == ST_OK && c->first && c->n_attributes)
        s = keep_by_attributes(&x, out, e);
    out->one_each = true;
    scan_note(&x.scan, out->n);
    free(missed.words);
    first_days_deinit(&x.days);
    scan_deinit(&x.scan);
    return s;
}
