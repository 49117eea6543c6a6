/* SPDX-License-Identifier: Apache-2.0
 *
 * A definition over all persons: range after range, on all threads, and put together in order. A person
 * belongs to one range and nobody looks at another person, so neither the number of ranges nor that of
 * threads shows in the result.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cohort/engine.h"
#include "cohort/evaluate.h"
#include "cohort/plan.h"

/* --- ranges --- */

struct combinations {
    struct cohort_combination *at;
    size_t n, capacity;
};

struct part {
    struct engine g;
    struct cohort_plan plan;
    struct cohort_trace trace;
    struct cohort_rows rows;
    struct combinations combinations;
};
struct parts {
    struct part *at;
    size_t n;
};

/* How many ranges: as many as keep lists and arrays by person within bounds and, where there is much to read,
 * as give every thread something to do. Never so many that the rows a range reads in vain weigh. */
static uint32_t count_ranges(const struct engine *g)
{
    enum { LISTED_ROWS = 1 << 19, READ_ROWS = 1 << 21, PERSONS = 1 << 20, LEAST_PERSONS = 1 << 10 };
    struct cohort_cost cost = evaluation_cost(g);
    uint64_t n = 1 + cost.listed / LISTED_ROWS, by_work = 1 + cost.read / READ_ROWS;
    enum { ENOUGH = 16 };
    by_work = by_work < ENOUGH ? by_work : ENOUGH;
    n = n > by_work ? n : by_work;
    n = n > 1 + (uint64_t)g->persons->n / PERSONS ? n : 1 + (uint64_t)g->persons->n / PERSONS;
    uint32_t most = 1 + g->persons->n / LEAST_PERSONS;
    return n < most ? (uint32_t)n : most;
}

static struct parts make_parts(const struct engine *g, uint32_t persons_each, bool plans, bool traces)
{
    uint32_t n_persons = g->persons->n;
    uint32_t each = persons_each ? persons_each : n_persons / count_ranges(g) + 1;
    struct parts parts = {.n = n_persons / each + 1};
    parts.at = xcalloc(parts.n, sizeof *parts.at);
    for (size_t i = 0; i < parts.n; i++) {
        struct part *p = &parts.at[i];
        uint32_t first = (uint32_t)i * each, left = n_persons - first;
        p->g = *g;
        p->g.range = (struct person_set){.first = first, .n = left < each ? left : each};
        p->g.plan = plans ? &p->plan : NULL;
        p->g.trace = traces ? &p->trace : NULL;
    }
    return parts;
}

static void parts_deinit(struct parts *parts)
{
    for (size_t i = 0; i < parts->n; i++) {
        plan_deinit(&parts->at[i].plan);
        cohort_trace_deinit(&parts->at[i].trace);
        cohort_rows_deinit(&parts->at[i].rows);
        free(parts->at[i].combinations.at);
    }
    free(parts->at);
}

static enum status evaluate_part(void *context, size_t i, struct err *e)
{
    struct part *p = &((struct parts *)context)->at[i];
    return interrupted() ? interrupted_err(e) : evaluate_range(&p->g, &p->rows, e);
}

/* --- ranges to one result --- */

static char *step_name(const struct cohort_definition *d, size_t i)
{
    if (i < 2)
        return xstrdup(i == 0 ? "cohort entry events" : "qualified events");
    if (i == d->n_rules + 2)
        return xstrdup("cohort");
    return *d->rules[i - 2].name ? xstrdup(d->rules[i - 2].name) : xasprintf("rule %zu", i - 1);
}

static void add_steps(const struct cohort_definition *d, const struct parts *parts, struct cohort_rows *out)
{
    out->steps = xcalloc(d->n_rules + 3, sizeof *out->steps);
    out->n_steps = d->n_rules + 3;
    for (size_t k = 0; k < out->n_steps; k++) {
        out->steps[k].name = step_name(d, k);
        for (size_t i = 0; i < parts->n; i++) {
            out->steps[k].persons += parts->at[i].rows.steps[k].persons;
            out->steps[k].events += parts->at[i].rows.steps[k].events;
        }
    }
}

static void take_rows(struct cohort_rows *from, struct cohort_rows *out)
{
    out->person = from->person;
    out->start = from->start;
    out->end = from->end;
    from->person = NULL;
    from->start = from->end = NULL;
}

static void join_rows(struct parts *parts, struct cohort_rows *out)
{
    size_t at = 0;
    for (size_t i = 0; i < parts->n; i++) {
        out->n += parts->at[i].rows.n;
        out->n_persons += parts->at[i].rows.n_persons;
    }
    if (parts->n == 1) {
        take_rows(&parts->at[0].rows, out);
        return;
    }
    out->person = xmalloc(out->n * sizeof *out->person);
    out->start = xmalloc(out->n * sizeof *out->start);
    out->end = xmalloc(out->n * sizeof *out->end);
    for (size_t i = 0; i < parts->n; i++) {
        const struct cohort_rows *r = &parts->at[i].rows;
        if (r->n == 0)
            continue;
        memcpy(out->person + at, r->person, r->n * sizeof *r->person);
        memcpy(out->start + at, r->start, r->n * sizeof *r->start);
        memcpy(out->end + at, r->end, r->n * sizeof *r->end);
        at += r->n;
    }
}

static void join_traces(const struct parts *parts, uint32_t n_persons, struct cohort_trace *out)
{
    out->n_words = (size_t)n_persons / 64 + 1;
    out->n_steps = parts->at[0].trace.n_steps;
    out->persons = xcalloc(out->n_steps, sizeof *out->persons);
    for (size_t k = 0; k < out->n_steps; k++) {
        out->persons[k] = xcalloc(out->n_words, sizeof **out->persons);
        struct person_set all = {0, n_persons, out->persons[k]};
        for (size_t i = 0; i < parts->n; i++) {
            struct person_set part = parts->at[i].g.range;
            part.words = parts->at[i].trace.persons[k];
            for (uint32_t p = part.first; p < part.first + part.n; p++)
                if (person_set_has(&part, p))
                    person_set_add(&all, p);
        }
    }
}

void cohort_trace_deinit(struct cohort_trace *t)
{
    for (size_t i = 0; i < t->n_steps; i++)
        free(t->persons[i]);
    free(t->persons);
    *t = (struct cohort_trace){0};
}

/* persons_each 0: as many ranges as are best. */
static enum status evaluate(const struct cohort_definition *d, const struct store *store, struct pool *pool,
                            uint32_t persons_each, struct cohort_plan *plan, struct cohort_trace *trace,
                            struct cohort_rows *out, struct err *e)
{
    struct engine g;
    *out = (struct cohort_rows){0};
    engine_init(&g, d, store);
    struct parts parts = make_parts(&g, persons_each, plan != NULL, trace != NULL);
    enum status s = pool_run(pool, parts.n, evaluate_part, &parts, e);
    if (s == ST_OK) {
        add_steps(d, &parts, out);
        join_rows(&parts, out);
    }
    for (size_t i = 0; s == ST_OK && plan && i < parts.n; i++)
        plan_add(plan, &parts.at[i].plan);
    if (s == ST_OK && trace)
        join_traces(&parts, g.persons->n, trace);
    parts_deinit(&parts);
    engine_deinit(&g);
    return s;
}

enum status cohort_evaluate_noted(const struct cohort_definition *d, const struct store *store,
                                  struct pool *pool, struct cohort_plan *plan, struct cohort_trace *trace,
                                  struct cohort_rows *out, struct err *e)
{
    return evaluate(d, store, pool, 0, plan, trace, out, e);
}

enum status cohort_evaluate_ranges(const struct cohort_definition *d, const struct store *store,
                                   struct pool *pool, uint32_t persons_each, struct cohort_rows *out,
                                   struct err *e)
{
    return evaluate(d, store, pool, persons_each, NULL, NULL, out, e);
}

enum status cohort_evaluate(const struct cohort_definition *d, const struct store *s, struct pool *pool,
                            struct cohort_rows *out, struct err *e)
{
    return cohort_evaluate_noted(d, s, pool, NULL, NULL, out, e);
}

void cohort_rows_deinit(struct cohort_rows *r)
{
    for (size_t i = 0; i < r->n_steps; i++)
        free((char *)(uintptr_t)r->steps[i].name);
    free(r->steps);
    free(r->person);
    free(r->start);
    free(r->end);
    *r = (struct cohort_rows){0};
}

/* --- combinations of rules --- */

struct masked {
    uint64_t mask;
    uint32_t person;
};

static int compare_masked(const void *a, const void *b)
{
    const struct masked *p = a, *q = b;
    if (p->mask != q->mask)
        return p->mask < q->mask ? -1 : 1;
    return (p->person > q->person) - (p->person < q->person);
}

static void count_combinations(struct masked *events, size_t n, struct combinations *out)
{
    if (n)
        qsort(events, n, sizeof *events, compare_masked);
    for (size_t i = 0; i < n; i++) {
        bool fresh = i == 0 || events[i].mask != events[i - 1].mask;
        if (fresh) {
            GROW(out->at, out->n + 1, out->capacity);
            out->at[out->n++] = (struct cohort_combination){.mask = events[i].mask};
        }
        out->at[out->n - 1].events++;
        out->at[out->n - 1].persons += fresh || events[i].person != events[i - 1].person;
    }
}

/* Every rule on every qualified event: nothing is pruned by the rules before. */
static enum status mask_events(const struct engine *g, const struct events *v, struct masked *out,
                               struct err *e)
{
    uint8_t *passes = xcalloc(v->n, 1);
    enum status s = ST_OK;
    for (size_t i = 0; i < v->n; i++)
        out[i].person = v->person[i];
    for (size_t r = 0; s == ST_OK && r < g->d->n_rules; r++) {
        s = group_evaluate(g, &g->d->rules[r].group, v, passes, e);
        for (size_t i = 0; s == ST_OK && i < v->n; i++)
            out[i].mask |= (uint64_t)passes[i] << r;
    }
    free(passes);
    return s;
}

static enum status combine_part(void *context, size_t i, struct err *e)
{
    struct part *p = &((struct parts *)context)->at[i];
    struct events v = {0};
    p->rows.steps = xcalloc(2, sizeof *p->rows.steps);
    enum status s = interrupted() ? interrupted_err(e) : qualified_events(&p->g, &v, &p->rows, e);
    struct masked *events = xcalloc(v.n + 1, sizeof *events);
    if (s == ST_OK)
        s = mask_events(&p->g, &v, events, e);
    if (s == ST_OK)
        count_combinations(events, v.n, &p->combinations);
    free(events);
    events_deinit(&v);
    return s;
}

static int compare_combinations(const void *a, const void *b)
{
    const struct cohort_combination *p = a, *q = b;
    return (p->mask > q->mask) - (p->mask < q->mask);
}

static void join_combinations(const struct parts *parts, struct cohort_combination **out, size_t *n)
{
    struct combinations all = {0};
    for (size_t i = 0; i < parts->n; i++)
        for (size_t k = 0; k < parts->at[i].combinations.n; k++) {
            GROW(all.at, all.n + 1, all.capacity);
            all.at[all.n++] = parts->at[i].combinations.at[k];
        }
    if (all.n)
        qsort(all.at, all.n, sizeof *all.at, compare_combinations);
    size_t kept = 0;
    for (size_t i = 0; i < all.n; i++) {
        if (kept == 0 || all.at[kept - 1].mask != all.at[i].mask) {
            all.at[kept++] = all.at[i];
            continue;
        }
        all.at[kept - 1].events += all.at[i].events;
        all.at[kept - 1].persons += all.at[i].persons;
    }
    *out = all.at;
    *n = kept;
}

enum status cohort_combinations(const struct cohort_definition *d, const struct store *store,
                                struct pool *pool, struct cohort_combination **out, size_t *n, struct err *e)
{
    struct engine g;
    *out = NULL;
    *n = 0;
    if (d->n_rules > 64)
        return err_set(e, ST_UNSUPPORTED, "combinations of more than 64 rules");
    engine_init(&g, d, store);
    struct parts parts = make_parts(&g, 0, false, false);
    enum status s = pool_run(pool, parts.n, combine_part, &parts, e);
    if (s == ST_OK)
        join_combinations(&parts, out, n);
    parts_deinit(&parts);
    engine_deinit(&g);
    return s;
}
