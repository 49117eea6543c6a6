/* SPDX-License-Identifier: Apache-2.0
 *
 * The short way to the entry events of a cohort that keeps one event per person, the earliest, and looks at
 * nothing of it but its day: no sorting, one number per person. A third of the published cohorts enter so.
 *
 * The event has to lie in a period of observation. Nearly always a person's earliest row does, so the rows
 * are first walked without looking at periods; only for the persons whose earliest day is not observed they
 * are walked once more, row by row beside the periods. With First it is the earliest day of all that has to
 * be observed, and to have the attributes. A bitmap says who has a day, so the days need no clearing.
 */
#include <stdlib.h>

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

/* Without branches: whether a person has a day already is as good as random. */
VECTORS static void offer_rows(const uint16_t *restrict sel, size_t n, const int32_t *restrict person,
                               const int32_t *restrict start, uint32_t first, uint64_t *restrict words,
                               int32_t *restrict days)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t at = (uint32_t)person[sel[i]] - first;
        uint64_t word = words[at >> 6];
        int32_t day = start[sel[i]], none = (int32_t)(word >> (at & 63) & 1) - 1; /* all ones for none yet */
        int32_t best = (days[at] & ~none) | (INT32_MAX & none);
        days[at] = day < best ? day : best;
        words[at >> 6] = word | (uint64_t)1 << (at & 63);
    }
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
        offer_rows(b->sel, b->n_sel, b->person, b->start, x->days.has.first, x->days.has.words, x->days.day);
    return s;
}

static void earliest_init(struct earliest *x, const struct engine *g, const struct criterion *c,
                          const struct person_set *candidates)
{
    *x = (struct earliest){.g = g};
    scan_init(&x->scan, g, c, candidates, false);
    x->filters = !c->first && (c->n_attributes || c->adjustment);
    x->days.has = person_set_like(&g->range);
    x->days.day = xmalloc(((size_t)g->range.n + 1) * sizeof *x->days.day);
}

enum status first_days_find(const struct engine *g, const struct criterion *c,
                            const struct person_set *candidates, struct first_days *out, struct err *e)
{
    struct earliest x;
    earliest_init(&x, g, c, candidates);
    enum status s = scan_rows(&x.scan, visit, &x, e);
    *out = x.days;
    scan_deinit(&x.scan);
    return s;
}

void first_days_deinit(struct first_days *d)
{
    free(d->has.words);
    free(d->day);
}

/* --- days to events --- */

/* Persons that have a day, and the day. */
static size_t list_days(const struct first_days *days, struct events *out)
{
    const struct person_set *has = &days->has;
    size_t n = 0;
    for (size_t w = 0; w < person_set_words(has); w++)
        n += (size_t)__builtin_popcountll(has->words[w]);
    events_reserve(out, n);
    n = 0;
    for (size_t w = 0; w < person_set_words(has); w++)
        for (uint64_t left = has->words[w]; left; left &= left - 1) {
            uint32_t at = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(left);
            out->person[n] = has->first + at;
            out->start[n++] = days->day[at];
        }
    return n;
}

/* One event per person whose day is observed; returns how many are not, in `missed`. */
static size_t collect(const struct earliest *x, struct person_set *missed, struct events *out)
{
    const struct store_periods *p = x->g->periods;
    size_t n = list_days(&x->days, out), kept = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t person = out->person[i];
        int32_t day = out->start[i];
        uint32_t period = period_of(x->g, person, day);
        if (period == UINT32_MAX) {
            person_set_add(missed, person);
            continue;
        }
        out->person[kept] = person;
        out->start[kept] = day;
        out->op_start[kept] = p->start[period];
        out->op_end[kept++] = p->end[period];
    }
    out->n = kept;
    return n - kept;
}

/* Of the missed, the earliest day that is observed. */
static enum status look_again(struct earliest *x, const struct person_set *missed, struct events *out,
                              struct err *e)
{
    for (size_t w = 0; w < person_set_words(missed); w++)
        x->days.has.words[w] &= ~missed->words[w];
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
