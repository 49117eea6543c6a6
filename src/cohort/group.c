/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups of criteria over index events. Children are taken cheapest first: demographic criteria, then
 * criteria by the rows they read, then sub-groups. After each child the events whose fate is sealed (an ALL
 * that missed one, an ANY that hit) drop out, and the next child is fetched only for the persons of those
 * left.
 */
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/mem.h"
#include "base/vectors.h"
#include "cohort/engine.h"

/* --- what is needed of index events --- */

static unsigned window_needs(const struct window *w)
{
    return w->use_index_end ? NEED_END : 0;
}

unsigned group_needs(const struct group *g)
{
    unsigned needs = 0;
    for (size_t i = 0; i < g->n_criteria; i++) {
        const struct correlated *c = &g->criteria[i];
        needs |= window_needs(&c->start_window) | (c->has_end_window ? window_needs(&c->end_window) : 0);
        needs |= c->restrict_visit ? NEED_VISIT : 0;
    }
    for (size_t i = 0; i < g->n_demographics; i++)
        for (size_t k = 0; k < g->demographics[i].n_attributes; k++)
            needs |= g->demographics[i].attributes[k].spec->operand == BY_END ? NEED_END : 0;
    for (size_t i = 0; i < g->n_groups; i++)
        needs |= group_needs(&g->groups[i]);
    return needs;
}

/* --- correlated criteria --- */

struct bounds {
    int32_t low, high;
};

static int32_t saturated(int64_t day)
{
    return day < INT32_MIN + 1 ? INT32_MIN + 1 : day > INT32_MAX ? INT32_MAX : (int32_t)day;
}

/* A window over a list of index events: for event i the days from low[i] + low_days to high[i] + high_days.
 */
struct days_allowed {
    const int32_t *low, *high;
    int64_t low_days, high_days;
    const int32_t *needed; /* an event without this date allows none; NULL for no such date */
};

static const int32_t *side_of(const struct window *w, const struct window_bound *b,
                              const struct events *index, bool ignore_op, int64_t far, int64_t *days)
{
    *days = b->all ? 0 : b->days;
    if (!b->all)
        return w->use_index_end ? index->end : index->start;
    if (!ignore_op)
        return b->before ? index->op_start : index->op_end;
    *days = far; /* beyond any day */
    return index->start;
}

static struct days_allowed days_of_window(const struct window *w, const struct events *index, bool ignore_op)
{
    const int64_t far = (int64_t)1 << 40;
    struct days_allowed d = {.needed = NULL};
    d.low = side_of(w, &w->start, index, ignore_op, -far, &d.low_days);
    d.high = side_of(w, &w->end, index, ignore_op, far, &d.high_days);
    if (w->use_index_end && (!w->start.all || !w->end.all))
        d.needed = index->end;
    return d;
}

static inline struct bounds days_allowed(const struct days_allowed *d, size_t i)
{
    if (d->needed && d->needed[i] == DATE_NONE)
        return (struct bounds){1, 0};
    return (struct bounds){saturated(d->low[i] + d->low_days), saturated(d->high[i] + d->high_days)};
}

struct correlating {
    const struct correlated *c;
    const struct events *index, *events;
    const uint8_t *open; /* index events that still matter */
    uint8_t *hit;
    struct days_allowed start, end;
};

static struct correlating correlating_of(const struct correlated *c, const struct events *index,
                                         const uint8_t *open, uint8_t *hit)
{
    struct correlating x = {.c = c, .index = index, .open = open, .hit = hit};
    x.start = days_of_window(&c->start_window, index, c->ignore_observation_period);
    if (c->has_end_window)
        x.end = days_of_window(&c->end_window, index, c->ignore_observation_period);
    return x;
}

static bool in_bounds(struct bounds b, int32_t day)
{
    return day != DATE_NONE && day >= b.low && day <= b.high;
}

static bool unbounded(const struct window *w, bool ignore_op)
{
    return w->start.all && w->end.all && ignore_op;
}

struct matcher {
    struct bounds observed, start, end;
    bool start_free, end_free; /* no bound at all: a missing date passes too */
    int64_t visit;
};

static struct matcher matcher_of(const struct correlating *x, size_t i)
{
    const struct correlated *c = x->c;
    bool ignore = c->ignore_observation_period;
    struct matcher m = {.observed = {INT32_MIN + 1, INT32_MAX}};
    if (!ignore)
        m.observed = (struct bounds){x->index->op_start[i], x->index->op_end[i]};
    m.start = days_allowed(&x->start, i);
    m.start_free = unbounded(&c->start_window, ignore);
    m.end_free = !c->has_end_window || unbounded(&c->end_window, ignore);
    if (c->has_end_window)
        m.end = days_allowed(&x->end, i);
    m.visit = c->restrict_visit ? x->index->visit[i] : NONE_I64;
    return m;
}

static bool matches(const struct correlating *x, const struct matcher *m, size_t k)
{
    const struct correlated *c = x->c;
    const struct events *v = x->events;
    if (!in_bounds(m->observed, v->start[k]))
        return false;
    if (!m->start_free && !in_bounds(m->start, c->start_window.use_event_end ? v->end[k] : v->start[k]))
        return false;
    if (!m->end_free && !in_bounds(m->end, c->end_window.use_event_end ? v->end[k] : v->start[k]))
        return false;
    return !c->restrict_visit || (m->visit != NONE_I64 && v->visit[k] == m->visit);
}

static int compare_keys(const void *a, const void *b)
{
    int64_t p = *(const int64_t *)a, q = *(const int64_t *)b;
    return (p > q) - (p < q);
}

static size_t count_distinct(int64_t *keys, size_t n)
{
    size_t distinct = n > 0;
    if (n > 1)
        qsort(keys, n, sizeof *keys, compare_keys);
    for (size_t i = 1; i < n; i++)
        distinct += keys[i] != keys[i - 1];
    return distinct;
}

/* Events [low, high) are the person's; keys has room for them where the count is distinct. */
static size_t count_matches(const struct correlating *x, size_t i, size_t low, size_t high, int64_t *keys)
{
    if (low == high)
        return 0;
    struct matcher m = matcher_of(x, i);
    size_t n = 0;
    for (size_t k = low; k < high; k++) {
        if (!matches(x, &m, k))
            continue;
        if (!keys)
            n++;
        else if (x->events->key[k] != NONE_I64)
            keys[n++] = x->events->key[k];
    }
    return keys ? count_distinct(keys, n) : n;
}

/* How many events make a hit. */
static struct bounds hits_wanted(const struct occurrence *o)
{
    return (struct bounds){o->type == AT_MOST ? 0 : o->count, o->type == AT_LEAST ? INT32_MAX : o->count};
}

static bool occurs(struct bounds wanted, size_t n)
{
    return ((int64_t)n >= wanted.low) & ((int64_t)n <= wanted.high);
}

static void correlate_events(const struct correlating *x)
{
    const struct events *index = x->index, *v = x->events;
    struct bounds wanted = hits_wanted(&x->c->occurrence);
    int64_t *keys = NULL;
    size_t low = 0, high = 0, capacity = 0;
    for (size_t i = 0; i < index->n; i++) {
        if (i == 0 || index->person[i] != index->person[i - 1]) {
            low = events_find(v, high, index->person[i]);
            high = low;
            while (high < v->n && v->person[high] == index->person[i])
                high++;
            if (x->c->occurrence.distinct)
                GROW(keys, high - low + 1, capacity);
        }
        if (x->open[i])
            x->hit[i] = occurs(wanted, count_matches(x, i, low, high, keys));
    }
    free(keys);
}

static bool event_end_counts(const struct correlated *c)
{
    return c->start_window.use_event_end || (c->has_end_window && c->end_window.use_event_end);
}

static enum status correlate_listed(const struct engine *g, const struct person_set *candidates,
                                    struct correlating *x, struct err *e)
{
    const struct correlated *c = x->c;
    struct events v;
    unsigned needs = (event_end_counts(c) ? NEED_END : 0) | (c->restrict_visit ? NEED_VISIT : 0) |
                     (c->occurrence.distinct ? NEED_KEY : 0);
    enum status s = criterion_fetch(g, &c->criterion, candidates, needs, c->occurrence.column, &v, e);
    x->events = &v;
    if (s == ST_OK)
        correlate_events(x);
    events_deinit(&v);
    return s;
}

/* --- where the start of an event decides --- */

static bool starts_decide(const struct correlated *c)
{
    return !c->start_window.use_event_end && !c->has_end_window && !c->restrict_visit &&
           !c->occurrence.distinct && tally_applies(&c->criterion);
}

/* The days an event may start on, of each open index event; returns how many are open. What is not open is
 * written over by the next, because which are open is not to be foreseen. */
static size_t open_tallies(const struct correlating *x, uint32_t *person, struct tally *tallies)
{
    const struct events *index = x->index;
    const struct days_allowed days = x->start;
    bool ignore = x->c->ignore_observation_period;
    size_t n = 0;
    for (size_t i = 0; i < index->n; i++) {
        struct bounds b = days_allowed(&days, i);
        int32_t low = ignore ? b.low : index->op_start[i], high = ignore ? b.high : index->op_end[i];
        person[n] = index->person[i];
        tallies[n] = (struct tally){b.low > low ? b.low : low, b.high < high ? b.high : high, 0};
        n += x->open[i];
    }
    return n;
}

static void hits_of_tallies(const struct correlating *x, const struct tally *tallies)
{
    struct bounds wanted = hits_wanted(&x->c->occurrence);
    size_t k = 0;
    for (size_t i = 0; i < x->index->n; i++) {
        x->hit[i] = x->open[i] & occurs(wanted, tallies[k].n);
        k += x->open[i];
    }
}

static enum status correlate_starts(const struct engine *g, const struct person_set *candidates,
                                    const struct correlating *x, struct err *e)
{
    struct tally *tallies = xmalloc((x->index->n + 1) * sizeof *tallies);
    uint32_t *person = xmalloc((x->index->n + 1) * sizeof *person);
    size_t n = open_tallies(x, person, tallies);
    enum status s = tally_rows(g, &x->c->criterion, candidates, person, n, tallies, e);
    if (s == ST_OK)
        hits_of_tallies(x, tallies);
    free(tallies);
    free(person);
    return s;
}

/* --- groups --- */

enum child_kind { CHILD_DEMOGRAPHIC, CHILD_CRITERION, CHILD_GROUP };
struct child {
    enum child_kind kind;
    size_t at;
    uint64_t cost;
};

static void add_cost(struct cohort_cost *sum, struct cohort_cost part)
{
    sum->read += part.read;
    sum->listed = part.listed > sum->listed ? part.listed : sum->listed;
}

struct cohort_cost group_cost(const struct engine *g, const struct group *group)
{
    struct cohort_cost cost = {0};
    for (size_t i = 0; i < group->n_criteria; i++) {
        const struct correlated *c = &group->criteria[i];
        uint64_t rows = criterion_rows(g, &c->criterion);
        struct cohort_cost nested = {0};
        if (c->criterion.nested)
            nested = group_cost(g, c->criterion.nested);
        uint64_t listed = starts_decide(c) ? 0 : rows + nested.listed;
        add_cost(&cost, (struct cohort_cost){rows + nested.read, listed});
    }
    for (size_t i = 0; i < group->n_groups; i++)
        add_cost(&cost, group_cost(g, &group->groups[i]));
    return cost;
}

static int compare_children(const void *a, const void *b)
{
    const struct child *p = a, *q = b;
    if (p->cost != q->cost)
        return p->cost < q->cost ? -1 : 1;
    if (p->kind != q->kind)
        return p->kind < q->kind ? -1 : 1;
    return (p->at > q->at) - (p->at < q->at);
}

static struct child *children_of(const struct engine *g, const struct group *group)
{
    struct child *out = xcalloc(group_size(group), sizeof *out);
    size_t n = 0;
    for (size_t i = 0; i < group->n_demographics; i++)
        out[n++] = (struct child){CHILD_DEMOGRAPHIC, i, 0};
    for (size_t i = 0; i < group->n_criteria; i++)
        out[n++] = (struct child){CHILD_CRITERION, i, 1 + criterion_rows(g, &group->criteria[i].criterion)};
    for (size_t i = 0; i < group->n_groups; i++)
        out[n++] = (struct child){CHILD_GROUP, i, 1 + group_cost(g, &group->groups[i]).read};
    qsort(out, n, sizeof *out, compare_children);
    return out;
}

struct deciding {
    const struct engine *g;
    const struct group *group;
    const struct events *index;
    struct person_set persons; /* of the events that are still open */
    int32_t *hits;
    uint8_t *open, *hit;
};

static void open_persons(struct deciding *x)
{
    memset(x->persons.words, 0, person_set_words(&x->persons) * sizeof *x->persons.words);
    person_set_add_all(&x->persons, x->index->person, x->open, x->index->n);
}

static void demographic_hits(const struct deciding *x, const struct demographic *d)
{
    const struct events *v = x->index;
    for (size_t i = 0; i < v->n; i++)
        if (x->open[i])
            x->hit[i] = demographic_holds(x->g, d, v->person[i], v->start[i], v->end ? v->end[i] : DATE_NONE);
}

static enum status subgroup_hits(const struct deciding *x, const struct group *group, struct err *e)
{
    const struct events *v = x->index;
    struct events some;
    uint8_t *mask = xcalloc(v->n, 1);
    size_t n = 0;
    events_init(&some, v->needs);
    events_reserve(&some, v->n);
    for (size_t i = 0; i < v->n; i++)
        if (x->open[i])
            events_copy(&some, some.n++, v, i);
    enum status s = group_evaluate(x->g, group, &some, mask, e);
    for (size_t i = 0; s == ST_OK && i < v->n; i++)
        if (x->open[i])
            x->hit[i] = mask[n++];
    free(mask);
    events_deinit(&some);
    return s;
}

static enum status child_hits(struct deciding *x, const struct child *c, struct err *e)
{
    const struct group *group = x->group;
    memset(x->hit, 0, x->index->n);
    if (c->kind == CHILD_DEMOGRAPHIC) {
        demographic_hits(x, &group->demographics[c->at]);
        return ST_OK;
    }
    if (c->kind == CHILD_GROUP)
        return subgroup_hits(x, &group->groups[c->at], e);
    open_persons(x);
    const struct correlated *criterion = &group->criteria[c->at];
    struct correlating correlating = correlating_of(criterion, x->index, x->open, x->hit);
    return starts_decide(criterion) ? correlate_starts(x->g, &x->persons, &correlating, e)
                                    : correlate_listed(x->g, &x->persons, &correlating, e);
}

/* An event stays open while its hits lie between: with so many, `left` more children after `done` can still
 * change the outcome. */
static struct bounds open_hits(const struct group *g, size_t done, size_t left)
{
    switch (g->type) {
    case GROUP_ALL:
        return (struct bounds){(int32_t)done, (int32_t)done};
    case GROUP_ANY:
        return (struct bounds){0, 0};
    case GROUP_AT_LEAST:
        return (struct bounds){saturated((int64_t)g->count - (int64_t)left),
                               saturated((int64_t)g->count - 1)};
    default:
        return (struct bounds){saturated((int64_t)g->count - (int64_t)left + 1), g->count};
    }
}

static bool holds(const struct group *g, int64_t hits, int64_t children)
{
    switch (g->type) {
    case GROUP_ALL:
        return hits == children;
    case GROUP_ANY:
        return hits > 0;
    case GROUP_AT_LEAST:
        return hits >= g->count;
    default:
        return hits <= g->count;
    }
}

VECTORS static size_t add_hits(int32_t *restrict hits, const uint8_t *restrict hit, uint8_t *restrict open,
                               size_t n, int32_t low, int32_t high)
{
    size_t still = 0;
    for (size_t i = 0; i < n; i++) {
        hits[i] += hit[i] & open[i];
        open[i] &= (uint8_t)((hits[i] >= low) & (hits[i] <= high));
        still += open[i];
    }
    return still;
}

/* Closes decided events; returns how many stay open. An AT_MOST that can no longer fail keeps its few hits.
 */
static size_t settle(struct deciding *x, size_t done, size_t left)
{
    struct bounds b = open_hits(x->group, done, left);
    return add_hits(x->hits, x->hit, x->open, x->index->n, b.low, b.high);
}

enum status group_evaluate(const struct engine *g, const struct group *group, const struct events *index,
                           uint8_t *mask, struct err *e)
{
    size_t n = group_size(group);
    enum status s = ST_OK;
    memset(mask, 1, index->n);
    if (n == 0 || index->n == 0)
        return s;
    struct deciding x = {.g = g, .group = group, .index = index, .persons = person_set_like(&g->range)};
    x.hits = xcalloc(index->n, sizeof *x.hits);
    x.open = xcalloc(index->n, 1);
    x.hit = xcalloc(index->n, 1);
    memset(x.open, 1, index->n);
    struct child *children = children_of(g, group);
    size_t open = settle(&x, 0, n); /* AT_LEAST 0 holds without looking */
    for (size_t i = 0; s == ST_OK && i < n && open > 0; i++) {
        s = child_hits(&x, &children[i], e);
        open = settle(&x, i + 1, n - i - 1);
    }
    for (size_t i = 0; i < index->n; i++)
        mask[i] = holds(group, x.hits[i], (int64_t)n);
    free(children);
    free(x.persons.words);
    free(x.hits);
    free(x.open);
    free(x.hit);
    return s;
}
