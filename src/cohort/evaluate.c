/* SPDX-License-Identifier: Apache-2.0
 *
 * A definition over a store: entry events, additional criteria, limits, inclusion rules, exits, collapse
 * (../shared/circe.md, "Order of work"). Every stage narrows one list of index events.
 */
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "cohort/engine.h"
#include "cohort/evaluate.h"
#include "cohort/plan.h"

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
    return needs | (limited && needs ? NEED_ROW : 0);
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
        s = criterion_fetch(g, &d->primary[i], &(struct person_set){0}, needs, COUNT_DOMAIN_CONCEPT,
                            &pieces[i], e);
    events_init(out, needs);
    if (s == ST_OK)
        s = events_merge(g->pool, pieces, d->n_primary, g->persons->n, out, e);
    events_drop(out, needs & ~(unsigned)NEED_ROW); /* tables are mixed from here on */
    for (size_t i = 0; i < d->n_primary; i++)
        events_deinit(&pieces[i]);
    free(pieces);
    return s;
}

/* Per person the one event that `better` prefers to all others; of equals the one that stands first. */
static void keep_best(struct events *v, bool (*better)(const struct events *v, size_t a, size_t b))
{
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
    enum status s = fetch_primary(g, primary_needs(d), &found, e);
    if (s == ST_OK && d->primary[0].type == CRIT_PERSON) {
        observe_always(&found);
        *out = found;
        return s;
    }
    if (s == ST_OK)
        s = join_periods(g, &found, d->prior_days, d->post_days, out, NULL, e);
    events_deinit(&found);
    if (s == ST_OK && d->primary_limit != LIMIT_ALL)
        keep_best(out, d->primary_limit == LIMIT_LAST ? sorts_later : never);
    return s;
}

/* --- attrition --- */

static uint32_t distinct_persons(const uint32_t *person, size_t n)
{
    uint32_t persons = n > 0;
    for (size_t i = 1; i < n; i++)
        persons += person[i] != person[i - 1];
    return persons;
}

static void trace_persons(struct cohort_trace *t, uint32_t n_persons, const uint32_t *person, size_t n)
{
    if (!t)
        return;
    t->n_words = (size_t)n_persons / 64 + 1;
    t->persons = xrealloc_array(t->persons, t->n_steps + 1, sizeof *t->persons);
    uint64_t *words = t->persons[t->n_steps++] = xcalloc(t->n_words, sizeof *words);
    for (size_t i = 0; i < n; i++)
        words[person[i] >> 6] |= (uint64_t)1 << (person[i] & 63);
}

void cohort_trace_deinit(struct cohort_trace *t)
{
    for (size_t i = 0; i < t->n_steps; i++)
        free(t->persons[i]);
    free(t->persons);
    *t = (struct cohort_trace){0};
}

static void step(const struct engine *g, struct cohort_rows *out, const char *name, const struct events *v)
{
    trace_persons(g->trace, g->persons->n, v->person, v->n);
    out->steps[out->n_steps++] = (struct cohort_step){xstrdup(name), distinct_persons(v->person, v->n), v->n};
}

/* --- exits --- */

/* What ends events early: spans of drug eras or days of censoring events, per person. */
struct ending {
    const struct engine *g;
    const struct events *index;
    struct events exposures;  /* CustomEra */
    struct events *censoring; /* one list per criterion */
    const size_t *bounds;
    int32_t *end; /* out: per index event, DATE_NONE where there is none */
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

static enum status end_task(void *context, size_t t, struct err *e)
{
    (void)e;
    const struct ending *x = context;
    for (size_t i = x->bounds[t]; i < x->bounds[t + 1];) {
        size_t next = person_end(x->index, i, x->index->person[i]);
        end_person(x, i, next);
        i = next;
    }
    return ST_OK;
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
        s = events_merge(g->pool, pieces, 2, g->persons->n, out, e);
    events_deinit(&pieces[0]);
    events_deinit(&pieces[1]);
    return s;
}

static enum status fetch_endings(struct ending *x, struct err *e)
{
    const struct engine *g = x->g;
    struct person_set persons = {.n_words = (size_t)g->persons->n / 64 + 1};
    persons.words = xcalloc(persons.n_words, sizeof *persons.words);
    for (size_t i = 0; i < x->index->n; i++)
        persons.words[x->index->person[i] >> 6] |= (uint64_t)1 << (x->index->person[i] & 63);
    enum status s = ST_OK;
    if (g->d->exit.type == END_ERA)
        s = fetch_exposures(g, &persons, &x->exposures, e);
    for (size_t c = 0; s == ST_OK && c < g->d->n_censoring; c++)
        s = criterion_fetch(g, &g->d->censoring[c], &persons, 0, 0, &x->censoring[c], e);
    free(persons.words);
    return s;
}

static enum status find_ends(const struct engine *g, const struct events *index, int32_t *end, struct err *e)
{
    enum { TASK_EVENTS = 1 << 13 };
    struct ending x = {.g = g, .index = index, .end = end};
    x.censoring = xcalloc(g->d->n_censoring, sizeof *x.censoring);
    size_t *bounds = xcalloc(index->n / TASK_EVENTS + 2, sizeof *bounds);
    size_t n = events_cut(index, TASK_EVENTS, bounds);
    x.bounds = bounds;
    enum status s = fetch_endings(&x, e);
    if (s == ST_OK)
        s = pool_run(g->pool, n, end_task, &x, e);
    for (size_t c = 0; c < g->d->n_censoring; c++)
        events_deinit(&x.censoring[c]);
    events_deinit(&x.exposures);
    free(x.censoring);
    free(bounds);
    return s;
}

/* --- collapse --- */

static bool in_start_order(const struct events *v)
{
    for (size_t i = 1; i < v->n; i++)
        if (v->person[i] == v->person[i - 1] && v->start[i] < v->start[i - 1])
            return false;
    return true;
}

static void add_row(const struct cohort_definition *d, uint32_t person, int32_t start, int64_t padded_end,
                    struct cohort_rows *out)
{
    int32_t end = (int32_t)(padded_end - d->era_pad);
    bool windowed = d->censor_start != DATE_NONE || d->censor_end != DATE_NONE;
    if (d->censor_start != DATE_NONE && start < d->censor_start)
        start = d->censor_start;
    if (d->censor_end != DATE_NONE && end > d->censor_end)
        end = d->censor_end;
    if (windowed && start > end)
        return;
    out->person[out->n] = person;
    out->start[out->n] = start;
    out->end[out->n++] = end;
}

/* Rows of a person are merged while the next start lies within the largest padded end so far. */
static void collapse(const struct cohort_definition *d, const struct events *v, const int32_t *end,
                     struct cohort_rows *out)
{
    out->person = xcalloc(v->n, sizeof *out->person);
    out->start = xcalloc(v->n, sizeof *out->start);
    out->end = xcalloc(v->n, sizeof *out->end);
    for (size_t i = 0; i < v->n;) {
        int64_t most = INT64_MIN;
        size_t first = i;
        for (; i < v->n && v->person[i] == v->person[first]; i++) {
            if (end[i] == DATE_NONE)
                continue;
            if (most != INT64_MIN && v->start[i] > most)
                break;
            first = most == INT64_MIN ? i : first;
            most = (int64_t)end[i] + d->era_pad > most ? (int64_t)end[i] + d->era_pad : most;
        }
        if (most != INT64_MIN)
            add_row(d, v->person[first], v->start[first], most, out);
    }
    out->n_persons = distinct_persons(out->person, out->n);
}

static enum status exits(const struct engine *g, struct events *v, struct cohort_rows *out, struct err *e)
{
    events_drop(v, v->needs & (NEED_END | NEED_PERIOD)); /* from here on the order is by start */
    struct events sorted;
    enum status s = ST_OK;
    if (!in_start_order(v)) {
        events_init(&sorted, v->needs);
        s = events_merge(g->pool, v, 1, g->persons->n, &sorted, e);
        *v = sorted;
    }
    int32_t *end = xcalloc(v->n, sizeof *end);
    if (s == ST_OK)
        s = find_ends(g, v, end, e);
    if (s == ST_OK)
        collapse(g->d, v, end, out);
    free(end);
    return s;
}

/* --- the whole --- */

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

static enum status qualify(const struct engine *g, struct events *v, struct cohort_rows *out, struct err *e)
{
    enum status s = ST_OK;
    step(g, out, "cohort entry events", v);
    if (g->d->has_additional) {
        s = keep_group(g, &g->d->additional, v, e);
        apply_limit(v, g->d->qualified_limit);
    }
    step(g, out, "qualified events", v);
    return s;
}

static char *rule_name(const struct cohort_definition *d, size_t i)
{
    return *d->rules[i].name ? xstrdup(d->rules[i].name) : xasprintf("rule %zu", i + 1);
}

static enum status apply_rules(const struct engine *g, struct events *v, struct cohort_rows *out,
                               struct err *e)
{
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < g->d->n_rules; i++) {
        char *name = rule_name(g->d, i);
        s = keep_group(g, &g->d->rules[i].group, v, e);
        step(g, out, name, v);
        free(name);
    }
    return s;
}

enum status cohort_evaluate_noted(const struct cohort_definition *d, const struct store *store,
                                  struct pool *pool, struct cohort_plan *plan, struct cohort_trace *trace,
                                  struct cohort_rows *out, struct err *e)
{
    struct engine g;
    struct events v = {0};
    *out = (struct cohort_rows){0};
    out->steps = xcalloc(d->n_rules + 3, sizeof *out->steps);
    engine_init(&g, d, store, pool);
    g.plan = plan;
    g.trace = trace;
    enum status s = entry_events(&g, &v, e);
    if (s == ST_OK)
        s = qualify(&g, &v, out, e);
    if (s == ST_OK)
        s = apply_rules(&g, &v, out, e);
    if (s == ST_OK) {
        apply_limit(&v, d->expression_limit);
        s = exits(&g, &v, out, e);
    }
    if (s == ST_OK)
        s = engine_check(&g, e);
    if (s == ST_OK) {
        trace_persons(trace, g.persons->n, out->person, out->n);
        out->steps[out->n_steps++] = (struct cohort_step){xstrdup("cohort"), out->n_persons, out->n};
    }
    events_deinit(&v);
    engine_deinit(&g);
    if (s != ST_OK)
        cohort_rows_deinit(out);
    return s;
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

static void count_combinations(struct masked *events, size_t n, struct cohort_combination *out, size_t *n_out)
{
    if (n)
        qsort(events, n, sizeof *events, compare_masked);
    for (size_t i = 0; i < n; i++) {
        bool fresh = i == 0 || events[i].mask != events[i - 1].mask;
        if (fresh)
            out[(*n_out)++] = (struct cohort_combination){.mask = events[i].mask};
        out[*n_out - 1].events++;
        out[*n_out - 1].persons += fresh || events[i].person != events[i - 1].person;
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

enum status cohort_combinations(const struct cohort_definition *d, const struct store *store,
                                struct pool *pool, struct cohort_combination **out, size_t *n, struct err *e)
{
    struct engine g;
    struct events v = {0};
    struct cohort_rows unused = {.steps = xcalloc(2, sizeof *unused.steps)};
    *out = NULL;
    *n = 0;
    engine_init(&g, d, store, pool);
    enum status s =
        d->n_rules > 64 ? err_set(e, ST_UNSUPPORTED, "combinations of more than 64 rules") : ST_OK;
    if (s == ST_OK)
        s = entry_events(&g, &v, e);
    if (s == ST_OK)
        s = qualify(&g, &v, &unused, e);
    struct masked *events = xcalloc(v.n, sizeof *events);
    if (s == ST_OK)
        s = mask_events(&g, &v, events, e);
    if (s == ST_OK) {
        *out = xcalloc(v.n, sizeof **out);
        count_combinations(events, v.n, *out, n);
    }
    free(events);
    cohort_rows_deinit(&unused);
    events_deinit(&v);
    engine_deinit(&g);
    return s;
}
