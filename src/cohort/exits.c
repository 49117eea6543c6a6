/* SPDX-License-Identifier: Apache-2.0
 *
 * When persons leave: the end of each event that is left, and events put together to rows.
 */
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/mem.h"
#include "base/vectors.h"
#include "cohort/engine.h"

/* What ends events early: spans of drug eras or days of censoring events, per person. */
struct ending {
    const struct engine *g;
    const struct events *index;
    struct events exposures;  /* CustomEra */
    struct events *censoring; /* one list per criterion */
    int32_t *end;             /* out: per index event, DATE_NONE where there is none */
};

static void earlier(int64_t candidate, int32_t start, int32_t *end)
{
    if (candidate >= start && candidate <= INT32_MAX && (*end == DATE_NONE || candidate < *end))
        *end = (int32_t)candidate;
}

static void end_by_offset(const struct ending *x, size_t i)
{
    const struct exit_strategy *exit = &x->g->d->exit;
    const struct events *v = x->index;
    int32_t base = exit->from_end ? v->end[i] : v->start[i];
    if (base == DATE_NONE)
        return;
    int64_t day = (int64_t)base + exit->offset;
    earlier(day > v->op_end[i] ? v->op_end[i] : day, v->start[i], &x->end[i]);
}

/* Eras of the person's exposures [low, high), which are in order of start, for the events [first, last). */
static void end_by_eras(const struct ending *x, size_t low, size_t high, size_t first, size_t last)
{
    const struct exit_strategy *exit = &x->g->d->exit;
    const struct events *v = &x->exposures;
    for (size_t k = low; k < high;) {
        int32_t start = v->start[k];
        int64_t most = INT64_MIN;
        for (; k < high && (most == INT64_MIN || v->start[k] <= most); k++) {
            int64_t end =
                exit->has_supply_override ? (int64_t)v->start[k] + exit->supply_override : v->end[k];
            end += (int64_t)exit->offset + exit->gap_days;
            most = end > most ? end : most;
        }
        for (size_t i = first; i < last; i++)
            if (start <= x->index->start[i] && x->index->start[i] <= most - exit->gap_days)
                earlier(most - exit->gap_days, x->index->start[i], &x->end[i]);
    }
}

static void end_by_censoring(const struct ending *x, const struct events *v, size_t low, size_t high,
                             size_t i)
{
    for (size_t k = low; k < high; k++)
        if (v->start[k] >= x->index->start[i] && v->start[k] <= x->index->op_end[i])
            earlier(v->start[k], x->index->start[i], &x->end[i]);
}

static size_t person_end(const struct events *v, size_t at, uint32_t person)
{
    while (at < v->n && v->person[at] == person)
        at++;
    return at;
}

static void end_person(const struct ending *x, size_t first, size_t last)
{
    const struct exit_strategy *exit = &x->g->d->exit;
    uint32_t person = x->index->person[first];
    for (size_t i = first; i < last; i++) {
        x->end[i] = DATE_NONE;
        if (exit->type == END_OFFSET)
            end_by_offset(x, i);
        else
            earlier(x->index->op_end[i], x->index->start[i], &x->end[i]);
    }
    if (exit->type == END_ERA) {
        size_t low = events_find(&x->exposures, 0, person);
        end_by_eras(x, low, person_end(&x->exposures, low, person), first, last);
    }
    for (size_t c = 0; c < x->g->d->n_censoring; c++) {
        size_t low = events_find(&x->censoring[c], 0, person);
        size_t high = person_end(&x->censoring[c], low, person);
        for (size_t i = first; i < last; i++)
            end_by_censoring(x, &x->censoring[c], low, high, i);
    }
}

/* Exposures whose concept or whose source concept is in the set; one that is in by both counts once more,
 * which changes nothing. */
static enum status fetch_exposures(const struct engine *g, const struct person_set *candidates,
                                   struct events *out, struct err *e)
{
    const struct exit_strategy *exit = &g->d->exit;
    unsigned needs = exit->has_supply_override ? 0 : NEED_END;
    struct criterion by_concept = {.type = CRIT_DRUG_EXPOSURE,
                                   .has_set = true,
                                   .set = exit->drug_set,
                                   .path = "$.EndStrategy.CustomEra"};
    struct criterion by_source = {.type = CRIT_DRUG_EXPOSURE,
                                  .has_source_set = true,
                                  .source_set = exit->drug_set,
                                  .path = "$.EndStrategy.CustomEra"};
    struct events pieces[2];
    events_init(&pieces[0], needs);
    events_init(&pieces[1], needs);
    events_init(out, needs);
    enum status s = criterion_fetch(g, &by_concept, candidates, needs, 0, &pieces[0], e);
    if (s == ST_OK && engine_set(g, exit->drug_set)->n > 0)
        s = criterion_fetch(g, &by_source, candidates, needs, 0, &pieces[1], e);
    if (s == ST_OK)
        events_merge(pieces, 2, g->persons->n, out);
    events_deinit(&pieces[0]);
    events_deinit(&pieces[1]);
    return s;
}

static enum status fetch_endings(struct ending *x, struct err *e)
{
    const struct engine *g = x->g;
    struct person_set persons = person_set_like(&g->range);
    person_set_add_all(&persons, x->index->person, NULL, x->index->n);
    enum status s = ST_OK;
    if (g->d->exit.type == END_ERA)
        s = fetch_exposures(g, &persons, &x->exposures, e);
    for (size_t c = 0; s == ST_OK && c < g->d->n_censoring; c++)
        s = criterion_fetch(g, &g->d->censoring[c], &persons, 0, 0, &x->censoring[c], e);
    free(persons.words);
    return s;
}

/* Where nothing has to be looked up. */
VECTORS static void end_with_period(const int32_t *restrict start, const int32_t *restrict op_end, size_t n,
                                    int32_t *restrict end)
{
    for (size_t i = 0; i < n; i++)
        end[i] = op_end[i] >= start[i] ? op_end[i] : DATE_NONE;
}

VECTORS static void end_with_offset(const int32_t *restrict start, const int32_t *restrict base,
                                    const int32_t *restrict op_end, int32_t offset, size_t n,
                                    int32_t *restrict end)
{
    for (size_t i = 0; i < n; i++) {
        int64_t day = (int64_t)base[i] + offset, last = day > op_end[i] ? op_end[i] : day;
        end[i] = ((base[i] != DATE_NONE) & (last >= start[i])) ? (int32_t)last : DATE_NONE;
    }
}

static void end_alone(const struct ending *x)
{
    const struct exit_strategy *exit = &x->g->d->exit;
    const struct events *v = x->index;
    if (exit->type == END_OFFSET)
        end_with_offset(v->start, exit->from_end ? v->end : v->start, v->op_end, exit->offset, v->n, x->end);
    else
        end_with_period(v->start, v->op_end, v->n, x->end);
}

static enum status end_by_events(struct ending *x, struct err *e)
{
    const struct events *index = x->index;
    enum status s = fetch_endings(x, e);
    for (size_t i = 0; s == ST_OK && i < index->n;) {
        size_t next = person_end(index, i, index->person[i]);
        end_person(x, i, next);
        i = next;
    }
    return s;
}

static enum status find_ends(const struct engine *g, const struct events *index, int32_t *end, struct err *e)
{
    struct ending x = {.g = g, .index = index, .end = end};
    enum status s = ST_OK;
    x.censoring = xcalloc(g->d->n_censoring + 1, sizeof *x.censoring);
    if (g->d->exit.type == END_ERA || g->d->n_censoring)
        s = end_by_events(&x, e);
    else
        end_alone(&x);
    for (size_t c = 0; c < g->d->n_censoring; c++)
        events_deinit(&x.censoring[c]);
    events_deinit(&x.exposures);
    free(x.censoring);
    return s;
}

/* --- collapse --- */

VECTORS static bool in_start_order(const struct events *v)
{
    const uint32_t *restrict person = v->person;
    const int32_t *restrict start = v->start;
    uint32_t disorder = 0;
    for (size_t i = 1; i < v->n; i++)
        disorder |= (person[i] == person[i - 1]) & (start[i] < start[i - 1]);
    return !disorder;
}

static bool has_window(const struct cohort_definition *d)
{
    return d->censor_start != DATE_NONE || d->censor_end != DATE_NONE;
}

/* Whether all events end, and those of a person in the order in which they start. */
VECTORS static bool in_end_order(const uint32_t *restrict person, const int32_t *restrict end, size_t n)
{
    uint32_t disorder = n > 0 && end[0] == DATE_NONE;
    for (size_t i = 1; i < n; i++)
        disorder |= (end[i] == DATE_NONE) | ((person[i] == person[i - 1]) & (end[i] < end[i - 1]));
    return !disorder;
}

/* Which events begin a row and which end one, where the end of the one before decides it. */
VECTORS static void mark_bounds(int32_t pad, size_t n, const uint32_t *restrict person,
                                const int32_t *restrict start, const int32_t *restrict end,
                                uint8_t *restrict begins, uint8_t *restrict ends)
{
    begins[0] = 1;
    for (size_t i = 1; i < n; i++) {
        uint8_t apart = (uint8_t)((person[i] != person[i - 1]) | (start[i] > (int64_t)end[i - 1] + pad));
        begins[i] = apart;
        ends[i - 1] = apart;
    }
    ends[n - 1] = 1;
}

static size_t merge_in_order(int32_t pad, size_t n, uint32_t *person, int32_t *start, int32_t *end)
{
    uint8_t *begins = xmalloc(n), *ends = xmalloc(n);
    mark_bounds(pad, n, person, start, end, begins, ends);
    bits_keep32(person, person, begins, n);
    bits_keep32(start, start, begins, n);
    size_t rows = bits_keep32(end, end, ends, n);
    free(begins);
    free(ends);
    return rows;
}

/* Events of a person become one row while the next start lies within the largest padded end so far. In place:
 * rows are no more than events. Every event is written where its row is, whether that is a new one or not,
 * because which it will be is not to be foreseen. */
static size_t merge_events(int32_t pad, size_t n, uint32_t *person, int32_t *start, int32_t *end)
{
    if (n > 0 && in_end_order(person, end, n))
        return merge_in_order(pad, n, person, start, end);
    size_t row = SIZE_MAX; /* the last one, before the first */
    int64_t most = INT64_MIN;
    uint32_t last = UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        if (end[i] == DATE_NONE)
            continue;
        uint32_t p = person[i];
        int32_t from = start[i];
        int64_t to = (int64_t)end[i] + pad;
        bool joins = (p == last) & (from <= most);
        most = joins && most > to ? most : to;
        row += !joins;
        person[row] = p;
        start[row] = joins ? start[row] : from;
        end[row] = (int32_t)(most - pad);
        last = p;
    }
    return row + 1;
}

static void cut_to_window(const struct cohort_definition *d, struct cohort_rows *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < out->n; i++) {
        int32_t start = out->start[i], end = out->end[i];
        if (d->censor_start != DATE_NONE && start < d->censor_start)
            start = d->censor_start;
        if (d->censor_end != DATE_NONE && end > d->censor_end)
            end = d->censor_end;
        out->person[kept] = out->person[i];
        out->start[kept] = start;
        out->end[kept] = end;
        kept += start <= end;
    }
    out->n = kept;
}

static void *exactly(void *p, size_t n, size_t size)
{
    void *copy = xmalloc(n * size);
    if (n)
        memcpy(copy, p, n * size);
    free(p);
    return copy;
}

VECTORS static size_t mark_ended(const int32_t *restrict end, size_t n, uint8_t *restrict mask)
{
    size_t ended = 0;
    for (size_t i = 0; i < n; i++) {
        mask[i] = end[i] != DATE_NONE;
        ended += end[i] != DATE_NONE;
    }
    return ended;
}

/* Of events that stand alone nothing is merged: padding is taken off again. */
static void keep_ended(size_t n, struct cohort_rows *out)
{
    uint8_t *mask = xmalloc(n + 1);
    out->n = mark_ended(out->end, n, mask);
    if (out->n < n) {
        bits_keep32(out->person, out->person, mask, n);
        bits_keep32(out->start, out->start, mask, n);
        bits_keep32(out->end, out->end, mask, n);
    }
    free(mask);
}

/* In place: takes the persons and starts of v, and `end`. */
static void collapse(const struct cohort_definition *d, struct events *v, int32_t *end,
                     struct cohort_rows *out)
{
    out->person = v->person;
    out->start = v->start;
    out->end = end;
    if (v->one_each)
        keep_ended(v->n, out);
    else
        out->n = merge_events(d->era_pad, v->n, out->person, out->start, out->end);
    if (has_window(d))
        cut_to_window(d, out);
    v->person = NULL;
    v->start = NULL;
    if (out->n > v->n / 2)
        return;
    out->person = exactly(out->person, out->n, sizeof *out->person);
    out->start = exactly(out->start, out->n, sizeof *out->start);
    out->end = exactly(out->end, out->n, sizeof *out->end);
}

enum status find_exits(const struct engine *g, struct events *v, struct cohort_rows *out, struct err *e)
{
    events_drop(v, v->needs & (NEED_END | NEED_PERIOD)); /* from here on the order is by start */
    struct events sorted;
    enum status s = ST_OK;
    if (!v->one_each && !in_start_order(v)) {
        events_init(&sorted, v->needs);
        events_merge(v, 1, g->persons->n, &sorted);
        *v = sorted;
    }
    int32_t *end = xmalloc(v->n * sizeof *end);
    s = find_ends(g, v, end, e);
    if (s == ST_OK)
        collapse(g->d, v, end, out);
    else
        free(end);
    return s;
}

struct cohort_cost exits_cost(const struct engine *g)
{
    struct cohort_cost cost = {0};
    struct criterion exposures = {.type = CRIT_DRUG_EXPOSURE, .has_set = true, .set = g->d->exit.drug_set};
    for (size_t i = 0; i < g->d->n_censoring; i++)
        cost.listed += criterion_rows(g, &g->d->censoring[i]);
    if (g->d->exit.type == END_ERA)
        cost.listed += criterion_rows(g, &exposures);
    cost.read = cost.listed;
    return cost;
}
