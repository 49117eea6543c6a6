/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of a criterion's table, block after block: of the runs of its concepts, and of those only the part
 * that belongs to the range of persons. Persons are decoded first; a block without a candidate costs no more.
 * Where candidates are few, whole blocks are passed over by the person each begins with.
 */
#include <math.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/mem.h"
#include "cohort/engine.h"
#include "cohort/plan.h"

/* Runs shorter than this are not searched for a range of persons, and are read together with their
 * neighbours. */
enum { SHORT_RUN = 4 * STORE_BLOCK_ROWS };

struct span {
    uint64_t first, n;
    bool long_run; /* all of one run: its blocks are in the order of persons */
};

struct spans {
    struct span *at;
    size_t n, capacity;
};

struct person_set person_set_like(const struct person_set *range)
{
    struct person_set s = {range->first, range->n, NULL};
    s.words = xcalloc(person_set_words(&s), sizeof *s.words);
    return s;
}

void person_set_add_all(const struct person_set *s, const uint32_t *persons, const uint8_t *mask, size_t n)
{
    bits_add(s->words, s->first, persons, mask, n);
}

void block_select_all(struct block *b)
{
    for (size_t i = 0; i < BLOCK; i++)
        b->sel[i] = (uint16_t)i;
    b->n_sel = b->n;
}

/* --- which rows --- */

static bool whole(const struct engine *g)
{
    return g->range.n == g->persons->n;
}

static enum status clip(const struct scan *x, const struct store_run *r, struct span *out, struct err *e)
{
    const struct person_set *range = &x->g->range;
    enum store_table t = x->spec->table;
    uint64_t from = r->first, to = r->first + r->n;
    enum status s = ST_OK;
    bool is_long = r->n >= SHORT_RUN;
    if (is_long && range->first > 0)
        s = store_run_seek(x->g->store, t, r, range->first, &from, e);
    if (s == ST_OK && is_long && range->first + range->n < x->g->persons->n)
        s = store_run_seek(x->g->store, t, r, range->first + range->n, &to, e);
    *out = (struct span){from, to - from, is_long};
    return s;
}

static enum status add_run(struct scan *x, const struct store_run *r, struct spans *out, struct err *e)
{
    struct span span;
    enum status s = clip(x, r, &span, e);
    x->runs++;
    if (s != ST_OK || span.n == 0)
        return s;
    GROW(out->at, out->n + 1, out->capacity);
    out->at[out->n++] = span;
    return s;
}

/* The runs of the set's concepts: looks each concept up, or walks over all runs where they are fewer. */
static enum status spans_of_set(struct scan *x, const struct id_set *set, struct spans *out, struct err *e)
{
    const struct store_run *runs;
    struct store_run run;
    uint32_t n;
    enum status s = ST_OK;
    store_runs(x->g->store, x->spec->table, &runs, &n);
    for (uint32_t i = 0; s == ST_OK && i < n && n <= set->n; i++)
        if (id_set_has(set, runs[i].concept_id))
            s = add_run(x, &runs[i], out, e);
    for (size_t i = 0; s == ST_OK && i < set->n && n > set->n; i++)
        if (store_run_find(x->g->store, x->spec->table, set->ids[i], &run))
            s = add_run(x, &run, out, e);
    return s;
}

static enum status spans_of_table(struct scan *x, struct spans *out, struct err *e)
{
    const struct store_run *runs;
    uint32_t n;
    enum status s = ST_OK;
    store_runs(x->g->store, x->spec->table, &runs, &n);
    for (uint32_t i = 0; s == ST_OK && i < n; i++)
        s = add_run(x, &runs[i], out, e);
    return s;
}

static int compare_spans(const void *a, const void *b)
{
    const struct span *p = a, *q = b;
    return (p->first > q->first) - (p->first < q->first);
}

/* In row order; short runs that touch become one span. */
static void order_spans(const struct scan *x, struct spans *v)
{
    size_t n = 0;
    if (v->n)
        qsort(v->at, v->n, sizeof *v->at, compare_spans);
    for (size_t i = 0; i < v->n; i++) {
        struct span *last = n ? &v->at[n - 1] : NULL;
        bool joins = last && !x->by_run && !last->long_run && !v->at[i].long_run &&
                     last->first + last->n == v->at[i].first;
        if (joins)
            last->n += v->at[i].n;
        else
            v->at[n++] = v->at[i];
    }
    v->n = n;
}

uint64_t criterion_rows(const struct engine *g, const struct criterion *c)
{
    const struct criterion_spec *spec = &criterion_specs[c->type];
    if (spec->table == STORE_N_TABLES)
        return g->persons->n;
    if (!c->has_set)
        return store_rows(g->store, spec->table);
    uint64_t rows = 0;
    struct store_run run;
    const struct id_set *set = engine_set(g, c->set);
    for (size_t i = 0; i < set->n; i++)
        rows += store_run_find(g->store, spec->table, set->ids[i], &run) ? run.n : 0;
    return rows;
}

/* --- dates --- */

/* What would lie beyond the calendar stops at its end: PostgreSQL would stop the whole query. */
static int32_t days_on(int32_t day, int32_t days)
{
    int64_t at = (int64_t)day + days;
    return at < DATE_MIN ? DATE_MIN : at > DATE_MAX ? DATE_MAX : (int32_t)at;
}

static enum status read_days(const struct scan *x, struct block *b, struct err *e)
{
    const struct engine *g = x->g;
    enum end_rule rule = x->spec->end;
    bool by_supply = rule == END_ELSE_SUPPLY_ELSE_NEXT_DAY;
    enum status s = block_i32(g, b, COL_START, b->start, e);
    if (s != ST_OK || !x->ends)
        return s;
    if (rule != END_NEXT_DAY)
        s = block_i32(g, b, COL_END, b->end, e);
    if (s == ST_OK && by_supply)
        s = block_i32(g, b, COL_DAYS_SUPPLY, b->a.i32, e);
    for (size_t i = 0; s == ST_OK && i < b->n_sel; i++) {
        uint16_t at = b->sel[i];
        if (rule == END_AS_IS || (rule != END_NEXT_DAY && b->end[at] != DATE_NONE))
            continue;
        bool supply = by_supply && b->a.i32[at] != NONE_I32;
        b->end[at] = days_on(b->start[at], supply ? b->a.i32[at] : 1);
    }
    return s;
}

/* Drops rows whose adjusted end lies before their adjusted start. */
static void adjust_days(const struct criterion *c, struct block *b)
{
    const struct date_adjustment *a = c->adjustment;
    if (!a || c->type == CRIT_SPECIMEN)
        return;
    bool death = c->type == CRIT_DEATH;
    size_t kept = 0;
    for (size_t i = 0; i < b->n_sel; i++) {
        uint16_t at = b->sel[i];
        int32_t start = a->start_with_end && !death ? b->end[at] : b->start[at];
        int32_t end = a->end_with_start && !death ? b->start[at] : b->end[at];
        if (start == DATE_NONE || end == DATE_NONE)
            continue;
        b->start[at] = days_on(start, a->start_offset);
        b->end[at] = days_on(end, a->end_offset);
        b->sel[kept] = at;
        kept += b->end[at] >= b->start[at];
    }
    b->n_sel = kept;
}

static bool holds_day(const struct block *b, uint16_t at, int32_t day)
{
    return day == DATE_NONE || (b->start[at] <= day && b->end[at] != DATE_NONE && b->end[at] >= day);
}

static void keep_user_periods(const struct criterion *c, struct block *b)
{
    size_t kept = 0;
    for (size_t i = 0; c->period && i < b->n_sel; i++) {
        uint16_t at = b->sel[i];
        b->sel[kept] = at;
        kept += holds_day(b, at, c->period->start) && holds_day(b, at, c->period->end);
    }
    b->n_sel = c->period ? kept : b->n_sel;
}

enum status scan_filter(const struct scan *x, struct block *b, struct err *e)
{
    adjust_days(x->c, b);
    enum status s = filter_block(x->filter, b, e);
    if (s == ST_OK)
        keep_user_periods(x->c, b);
    return s;
}

/* --- blocks --- */

static void select_candidates(const struct scan *x, struct block *b)
{
    const struct person_set set = *x->candidates;
    const uint32_t *person = (const uint32_t *)b->person;
    size_t kept = 0;
    if (set.words) {
        b->n_sel = bits_find((struct bits){set.first, set.n, set.words}, person, b->n, b->sel);
        return;
    }
    if (whole(x->g)) {
        block_select_all(b);
        return;
    }
    for (size_t i = 0; i < b->n; i++) {
        b->sel[kept] = (uint16_t)i;
        kept += person_set_has(&set, person[i]);
    }
    b->n_sel = kept;
}

static enum status keep_source_set(const struct scan *x, struct block *b, struct err *e)
{
    if (!x->source_set || b->n_sel == 0)
        return ST_OK;
    size_t kept = 0;
    enum status s = block_i32(x->g, b, COL_SOURCE_CONCEPT, b->a.i32, e);
    for (size_t i = 0; s == ST_OK && i < b->n_sel; i++) {
        uint16_t at = b->sel[i];
        b->sel[kept] = at;
        kept += b->a.i32[at] != NONE_I32 && id_set_has(x->source_set, b->a.i32[at]);
    }
    b->n_sel = s == ST_OK ? kept : b->n_sel;
    return s;
}

static enum status scan_block(struct scan *x, struct block *b, scan_visit visit, void *context, struct err *e)
{
    enum status s = store_read_i32(x->g->store, b->table, COL_PERSON, b->first, b->n, b->person, e);
    b->bytes += b->n * sizeof *b->person;
    x->rows += b->n;
    if (s != ST_OK)
        return s;
    select_candidates(x, b);
    s = keep_source_set(x, b, e);
    if (s != ST_OK || b->n_sel == 0)
        return s;
    s = read_days(x, b, e);
    return s == ST_OK ? visit(context, b, e) : s;
}

/* --- few candidates --- */

/* The candidates one by one, ascending, where they are so few that most blocks have none. */
struct few {
    uint32_t *person;
    size_t n;
};

static struct few few_candidates(const struct scan *x, const struct spans *spans)
{
    const struct person_set *c = x->candidates;
    uint64_t most = 0, n = 0;
    for (size_t i = 0; i < spans->n; i++)
        most = spans->at[i].n > most ? spans->at[i].n : most;
    for (size_t w = 0; c->words && w < person_set_words(c); w++)
        n += (uint64_t)__builtin_popcountll(c->words[w]);
    struct few few = {NULL, 0};
    if (!c->words || n > most / STORE_BLOCK_ROWS)
        return few;
    few.person = xmalloc((n + 1) * sizeof *few.person);
    for (size_t w = 0; w < person_set_words(c); w++)
        for (uint64_t left = c->words[w]; left; left &= left - 1)
            few.person[few.n++] = c->first + (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(left);
    return few;
}

/* From row `at` of a long run on: the first row of a block that may have a candidate, or `end`. */
static uint64_t next_block(const struct scan *x, const struct few *few, size_t *next, uint64_t at,
                           uint64_t end)
{
    const uint32_t *first;
    uint64_t n;
    store_block_persons(x->g->store, x->spec->table, &first, &n);
    for (uint64_t b = at / STORE_BLOCK_ROWS; at < end; at = ++b * STORE_BLOCK_ROWS) {
        uint64_t after = (b + 1) * STORE_BLOCK_ROWS;
        bool begins_here = at == b * STORE_BLOCK_ROWS; /* else its first row may be of the run before */
        while (begins_here && *next < few->n && few->person[*next] < first[b])
            ++*next;
        if (*next == few->n)
            return end;
        if (after >= end || few->person[*next] <= first[b + 1])
            return at;
    }
    return end;
}

/* Rows of the spans that will be looked at: of a long run, where few persons are left, those of the blocks that one of
 * them falls into when they fall like dice. */
static uint64_t estimate_rows(const struct spans *spans, const struct few *few)
{
    double rows = 0;
    for (size_t i = 0; i < spans->n; i++) {
        double n = (double)spans->at[i].n, blocks = ceil(n / STORE_BLOCK_ROWS);
        bool skips = few->person && spans->at[i].long_run;
        rows += skips ? n * (1 - pow(1 - 1 / blocks, (double)few->n)) : n;
    }
    return (uint64_t)(rows + 0.5);
}

/* --- the whole --- */

static enum status scan_span(struct scan *x, const struct span *span, const struct few *few, struct block *b,
                             scan_visit visit, void *context, struct err *e)
{
    uint64_t at = span->first, end = span->first + span->n;
    bool skips = few->person && span->long_run;
    size_t next = 0;
    enum status s = ST_OK;
    b->run_begins = true;
    while (s == ST_OK && at < end) {
        at = skips ? next_block(x, few, &next, at, end) : at;
        uint64_t n = (skips ? STORE_BLOCK_ROWS : BLOCK) - at % STORE_BLOCK_ROWS; /* ends with a block */
        b->first = at;
        b->n = (size_t)(n < end - at ? n : end - at);
        if (b->n > 0)
            s = scan_block(x, b, visit, context, e);
        b->run_begins = false;
        at += b->n;
    }
    return s;
}

enum status scan_rows(struct scan *x, scan_visit visit, void *context, struct err *e)
{
    struct spans spans = {0};
    x->runs = 0;
    enum status s = x->c->has_set ? spans_of_set(x, engine_set(x->g, x->c->set), &spans, e)
                                  : spans_of_table(x, &spans, e);
    order_spans(x, &spans);
    struct few few = few_candidates(x, &spans);
    x->estimate += estimate_rows(&spans, &few);
    struct block *b = xmalloc(sizeof *b);
    b->table = x->spec->table;
    b->bytes = 0;
    for (size_t i = 0; s == ST_OK && i < spans.n; i++)
        s = scan_span(x, &spans.at[i], &few, b, visit, context, e);
    x->bytes += b->bytes;
    free(b);
    free(few.person);
    free(spans.at);
    return s;
}

void scan_init(struct scan *x, const struct engine *g, const struct criterion *c,
               const struct person_set *candidates, bool ends)
{
    *x = (struct scan){.g = g, .c = c, .spec = &criterion_specs[c->type], .candidates = candidates};
    x->source_set = c->has_source_set ? engine_set(g, c->source_set) : NULL;
    x->filter = filter_new(g, c);
    x->ends = ends || filter_uses_end(x->filter) || c->adjustment || c->period;
}

void scan_deinit(struct scan *x)
{
    filter_free(x->filter);
}

void scan_note(const struct scan *x, uint64_t events)
{
    struct plan_step found = {
        .runs = x->runs, .estimate = x->estimate, .rows = x->rows, .bytes = x->bytes, .events = events};
    if (x->g->plan)
        plan_note_fetch(x->g->plan, x->c, &found);
}
