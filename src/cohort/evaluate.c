/* SPDX-License-Identifier: Apache-2.0
 *
 * A definition over a range of persons: entry events, additional criteria, limits, inclusion rules, exits,
 * collapse (../shared/circe.md, "Order of work"). Every stage narrows one list of index events.
 */
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/mem.h"
#include "base/vectors.h"
#include "cohort/engine.h"
#include "cohort/evaluate.h"

/* --- which columns of the entry events anybody looks at --- */

static unsigned later_needs(const struct cohort_definition *d)
{
    unsigned needs = d->exit.type == END_OFFSET && d->exit.from_end ? NEED_END : 0;
    if (d->has_additional)
        needs |= group_needs(&d->additional);
    for (size_t i = 0; i < d->n_rules; i++)
        needs |= group_needs(&d->rules[i].group);
    return needs;
}

/* Which of the events of one day is first matters only if they differ in something that is looked at. */
static unsigned primary_needs(const struct cohort_definition *d)
{
    unsigned needs = later_needs(d);
    bool limited = d->primary_limit != LIMIT_ALL || d->expression_limit != LIMIT_ALL ||
                   (d->has_additional && d->qualified_limit != LIMIT_ALL);
    for (size_t i = 0; i < d->n_primary; i++)
        needs |= d->primary[i].period ? NEED_SORT : 0;
    return needs | (limited && needs ? NEED_ID : 0);
}

/* --- entry events --- */

/* Events that are always under observation: RQuest asks for persons, not for observed time. */
static void observe_always(struct events *v)
{
    events_add(v, NEED_PERIOD);
    for (size_t i = 0; i < v->n; i++) {
        v->op_start[i] = DATE_MIN;
        v->op_end[i] = DATE_MAX;
    }
}

static enum status fetch_primary(const struct engine *g, unsigned needs, struct events *out, struct err *e)
{
    const struct cohort_definition *d = g->d;
    struct events *pieces = xcalloc(d->n_primary, sizeof *pieces);
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < d->n_primary; i++)
        s = criterion_fetch(g, &d->primary[i], &g->range, needs, COUNT_DOMAIN_CONCEPT, &pieces[i], e);
    events_init(out, needs);
    if (s == ST_OK && d->n_primary == 1) { /* in order already */
        *out = pieces[0];
        events_init(&pieces[0], needs);
    } else if (s == ST_OK) {
        events_merge(pieces, d->n_primary, g->persons->n, out);
    }
    events_drop(out, needs & ~(unsigned)NEED_ID); /* tables are mixed from here on */
    for (size_t i = 0; i < d->n_primary; i++)
        events_deinit(&pieces[i]);
    free(pieces);
    return s;
}

/* Per person the one event that `better` prefers to all others; of equals the one that stands first. */
static void keep_best(struct events *v, bool (*better)(const struct events *v, size_t a, size_t b))
{
    if (v->one_each)
        return;
    uint8_t *mask = xcalloc(v->n, 1);
    for (size_t i = 0; i < v->n;) {
        size_t best = i, j = i + 1;
        for (; j < v->n && v->person[j] == v->person[i]; j++)
            if (better(v, j, best))
                best = j;
        mask[best] = 1;
        i = j;
    }
    events_keep(v, mask);
    v->one_each = true;
    free(mask);
}

static bool sorts_later(const struct events *v, size_t a, size_t b)
{
    return events_sort_day(v, a) > events_sort_day(v, b);
}

static bool never(const struct events *v, size_t a, size_t b)
{
    (void)v, (void)a, (void)b;
    return false;
}

static bool starts_earlier(const struct events *v, size_t a, size_t b)
{
    return v->start[a] < v->start[b];
}

static bool starts_later(const struct events *v, size_t a, size_t b)
{
    return v->start[a] > v->start[b];
}

/* Events lie in the order of their numbers, which is what decides between events of one day. */
static void apply_limit(struct events *v, enum limit limit)
{
    if (limit == LIMIT_FIRST)
        keep_best(v, starts_earlier);
    if (limit == LIMIT_LAST)
        keep_best(v, starts_later);
}

static enum status entry_events(const struct engine *g, struct events *out, struct err *e)
{
    const struct cohort_definition *d = g->d;
    struct events found;
    if (earliest_applies(d, primary_needs(d)))
        return earliest_events(g, out, e);
    if (observed_applies(d, later_needs(d))) {
        observed_events(g, out);
        return ST_OK;
    }
    enum status s = fetch_primary(g, primary_needs(d), &found, e);
    if (s == ST_OK && d->primary[0].type == CRIT_PERSON) {
        observe_always(&found);
        *out = found;
        return s;
    }
    if (s == ST_OK)
        join_periods(g, &found, d->prior_days, d->post_days, out, NULL);
    events_deinit(&found);
    if (s == ST_OK && d->primary_limit != LIMIT_ALL)
        keep_best(out, d->primary_limit == LIMIT_LAST ? sorts_later : never);
    return s;
}

/* --- attrition --- */

VECTORS static uint32_t distinct_persons(const uint32_t *person, size_t n)
{
    uint32_t persons = n > 0;
    for (size_t i = 1; i < n; i++)
        persons += person[i] != person[i - 1];
    return persons;
}

static void trace_persons(const struct engine *g, const uint32_t *person, size_t n)
{
    struct cohort_trace *t = g->trace;
    if (!t)
        return;
    struct person_set left = person_set_like(&g->range);
    person_set_add_all(&left, person, NULL, n);
    t->persons = xrealloc_array(t->persons, t->n_steps + 1, sizeof *t->persons);
    t->persons[t->n_steps++] = left.words;
}

static void step(const struct engine *g, struct cohort_rows *out, const struct events *v)
{
    uint64_t persons = v->one_each ? v->n : distinct_persons(v->person, v->n);
    trace_persons(g, v->person, v->n);
    out->steps[out->n_steps++] = (struct cohort_step){NULL, persons, v->n};
}

/* --- one range of persons --- */

static enum status keep_group(const struct engine *g, const struct group *group, struct events *v,
                              struct err *e)
{
    uint8_t *mask = xcalloc(v->n, 1);
    enum status s = group_evaluate(g, group, v, mask, e);
    if (s == ST_OK)
        events_keep(v, mask);
    free(mask);
    return s;
}

enum status qualified_events(const struct engine *g, struct events *v, struct cohort_rows *out, struct err *e)
{
    enum status s = entry_events(g, v, e);
    step(g, out, v);
    if (s == ST_OK && g->d->has_additional) {
        s = keep_group(g, &g->d->additional, v, e);
        apply_limit(v, g->d->qualified_limit);
    }
    step(g, out, v);
    return s;
}

static enum status apply_rules(const struct engine *g, struct events *v, struct cohort_rows *out,
                               struct err *e)
{
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < g->d->n_rules; i++) {
        s = keep_group(g, &g->d->rules[i].group, v, e);
        step(g, out, v);
    }
    return s;
}

enum status evaluate_range(const struct engine *g, struct cohort_rows *out, struct err *e)
{
    struct events v = {0};
    bool one_each = false;
    out->steps = xcalloc(g->d->n_rules + 3, sizeof *out->steps);
    enum status s = qualified_events(g, &v, out, e);
    if (s == ST_OK)
        s = apply_rules(g, &v, out, e);
    if (s == ST_OK) {
        apply_limit(&v, g->d->expression_limit);
        one_each = v.one_each;
        s = find_exits(g, &v, out, e);
    }
    if (s == ST_OK) {
        trace_persons(g, out->person, out->n);
        out->n_persons = one_each ? (uint32_t)out->n : distinct_persons(out->person, out->n);
        out->steps[out->n_steps++] = (struct cohort_step){NULL, out->n_persons, out->n};
    }
    events_deinit(&v);
    return s;
}

/* --- what it takes --- */

static void add_group_cost(const struct engine *g, const struct group *group, struct cohort_cost *out)
{
    struct cohort_cost cost = group_cost(g, group);
    out->read += cost.read;
    out->listed = cost.listed > out->listed ? cost.listed : out->listed;
}

struct cohort_cost evaluation_cost(const struct engine *g)
{
    const struct cohort_definition *d = g->d;
    struct cohort_cost entry = {0}, later = {0};
    bool listed = !earliest_applies(d, primary_needs(d)) && !observed_applies(d, later_needs(d));
    for (size_t i = 0; i < d->n_primary; i++) {
        uint64_t rows = criterion_rows(g, &d->primary[i]);
        entry.read += rows;
        entry.listed += listed ? rows : 0;
        if (d->primary[i].nested)
            add_group_cost(g, d->primary[i].nested, &later);
    }
    if (d->has_additional)
        add_group_cost(g, &d->additional, &later);
    for (size_t i = 0; i < d->n_rules; i++)
        add_group_cost(g, &d->rules[i].group, &later);
    struct cohort_cost exits = exits_cost(g);
    later.listed = exits.listed > later.listed ? exits.listed : later.listed;
    return (struct cohort_cost){entry.read + later.read + exits.read, entry.listed + later.listed};
}
