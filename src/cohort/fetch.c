/* SPDX-License-Identifier: Apache-2.0
 *
 * From a criterion to its events. The runs of its concepts are cut into tasks of about TASK_ROWS rows; each
 * task walks its rows in blocks: persons first, then only where a candidate is, start dates, attributes and
 * whatever else is needed. Each task's events are sorted on their own and then merged.
 *
 * First is decided over all rows of the concept set before any attribute (rule 6), so there the attributes
 * are noted (NEED_PASS) instead of dropping the row, and of one run only a person's first row can matter.
 */
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "cohort/engine.h"
#include "cohort/plan.h"

enum { TASK_ROWS = 1 << 16 };

struct span {
    uint64_t first, n;
    bool continues; /* the run of the span before goes on */
};

struct task {
    size_t first_span, n_spans;
};

struct fetching {
    const struct engine *g;
    const struct criterion *c;
    const struct criterion_spec *spec;
    const struct person_set *candidates;
    const struct id_set *source_set; /* NULL for none */
    struct first_days first_days;    /* with First over several runs; else empty */
    struct filter *filter;
    unsigned needs;
    enum count_column key;
    struct span *spans;
    size_t n_spans, spans_capacity;
    struct task *tasks;
    size_t n_tasks, tasks_capacity;
    struct events *pieces;
    uint64_t *bytes; /* decoded by each task */
};

/* --- which rows --- */

static void add_span(struct fetching *f, uint64_t first, uint64_t n)
{
    for (uint64_t at = 0; at < n; at += TASK_ROWS) {
        uint64_t part = n - at < TASK_ROWS ? n - at : TASK_ROWS;
        GROW(f->spans, f->n_spans + 1, f->spans_capacity);
        f->spans[f->n_spans++] = (struct span){first + at, part, at > 0};
    }
}

/* The runs of the set's concepts, in row order: looks each concept up, or walks over all runs where they are
 * fewer. */
static void spans_of_set(struct fetching *f, const struct id_set *set)
{
    const struct store_run *runs;
    struct store_run run;
    uint32_t n;
    store_runs(f->g->store, f->spec->table, &runs, &n);
    for (uint32_t i = 0; i < n && n <= set->n; i++)
        if (id_set_has(set, runs[i].concept_id))
            add_span(f, runs[i].first, runs[i].n);
    for (size_t i = 0; i < set->n && n > set->n; i++)
        if (store_run_find(f->g->store, f->spec->table, set->ids[i], &run))
            add_span(f, run.first, run.n);
}

static void spans_of_table(struct fetching *f)
{
    const struct store_run *runs;
    uint32_t n;
    store_runs(f->g->store, f->spec->table, &runs, &n);
    for (uint32_t i = 0; i < n; i++)
        add_span(f, runs[i].first, runs[i].n);
}

static int compare_spans(const void *a, const void *b)
{
    const struct span *p = a, *q = b;
    return (p->first > q->first) - (p->first < q->first);
}

/* One task takes spans until it has TASK_ROWS rows; a part of a longer run stands alone. */
static void make_tasks(struct fetching *f)
{
    uint64_t rows = TASK_ROWS;
    if (f->n_spans)
        qsort(f->spans, f->n_spans, sizeof *f->spans, compare_spans);
    for (size_t i = 0; i < f->n_spans; i++) {
        if (rows + f->spans[i].n > TASK_ROWS || f->spans[i].continues) {
            GROW(f->tasks, f->n_tasks + 1, f->tasks_capacity);
            f->tasks[f->n_tasks++] = (struct task){i, 0};
            rows = 0;
        }
        f->tasks[f->n_tasks - 1].n_spans++;
        rows += f->spans[i].n;
    }
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

/* --- the columns of a block --- */

static bool wants_end(const struct fetching *f)
{
    return (f->needs & NEED_END) || filter_uses_end(f->filter) || f->c->adjustment || f->c->period ||
           f->key == COUNT_END_DATE || f->key == COUNT_DURATION;
}

static enum status read_days(const struct fetching *f, struct block *b, struct err *e)
{
    const struct engine *g = f->g;
    enum end_rule rule = f->spec->end;
    bool by_supply = rule == END_ELSE_SUPPLY_ELSE_NEXT_DAY;
    enum status s = block_i32(g, b, COL_START, b->start, e);
    if (s != ST_OK || !wants_end(f))
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
        b->end[at] = b->start[at] + (supply ? b->a.i32[at] : 1);
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
        b->start[at] = start + a->start_offset;
        b->end[at] = end + a->end_offset;
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

static enum status keep_source_set(const struct fetching *f, struct block *b, struct err *e)
{
    if (!f->source_set || b->n_sel == 0)
        return ST_OK;
    size_t kept = 0;
    enum status s = block_i32(f->g, b, COL_SOURCE_CONCEPT, b->a.i32, e);
    for (size_t i = 0; s == ST_OK && i < b->n_sel; i++) {
        uint16_t at = b->sel[i];
        b->sel[kept] = at;
        kept += b->a.i32[at] != NONE_I32 && id_set_has(f->source_set, b->a.i32[at]);
    }
    b->n_sel = s == ST_OK ? kept : b->n_sel;
    return s;
}

/* --- keys of distinct counts --- */

/* Equal numbers give equal keys: -0 and 0 too. */
static int64_t key_of_number(double v)
{
    int64_t bits;
    v += 0.0;
    memcpy(&bits, &v, sizeof bits);
    return v != v ? NONE_I64 : bits;
}

static enum status read_column_keys(const struct fetching *f, struct block *b, enum store_column column,
                                    int64_t *out, struct err *e)
{
    enum store_kind kind = store_column_kind(b->table, column);
    enum status s = ST_OK;
    if (kind == KIND_I64)
        return block_i64(f->g, b, column, out, e);
    if (kind == KIND_F64)
        s = block_f64(f->g, b, column, b->a.f64, e);
    if (kind == KIND_I32)
        s = block_i32(f->g, b, column, b->a.i32, e);
    for (size_t i = 0; s == ST_OK && i < b->n_sel; i++) {
        uint16_t at = b->sel[i];
        if (kind == KIND_F64)
            out[at] = key_of_number(b->a.f64[at]);
        else
            out[at] = kind == KIND_I32 && b->a.i32[at] != NONE_I32 ? b->a.i32[at] : NONE_I64;
    }
    return s;
}

static int64_t key_of_days(enum count_column key, int32_t start, int32_t end)
{
    if (key == COUNT_START_DATE)
        return start;
    if (end == DATE_NONE)
        return NONE_I64;
    return key == COUNT_END_DATE ? end : (int64_t)end - start;
}

static enum status read_keys(const struct fetching *f, struct block *b, int64_t *out, struct err *e)
{
    if (f->key == COUNT_START_DATE || f->key == COUNT_END_DATE || f->key == COUNT_DURATION) {
        for (size_t i = 0; i < b->n_sel; i++)
            out[b->sel[i]] = key_of_days(f->key, b->start[b->sel[i]], b->end[b->sel[i]]);
        return ST_OK;
    }
    if (b->table == STORE_N_TABLES) {
        bool type = f->key == COUNT_DOMAIN_CONCEPT && f->c->type == CRIT_OBSERVATION_PERIOD;
        for (size_t i = 0; i < b->n_sel; i++) {
            int32_t v = b->period_type[b->sel[i]];
            out[b->sel[i]] = type && v != NONE_I32 ? v : NONE_I64;
        }
        return ST_OK;
    }
    enum status s = read_column_keys(f, b, count_column_of(f->key, b->table), out, e);
    for (size_t i = 0; s == ST_OK && f->c->type == CRIT_DEATH && i < b->n_sel; i++)
        if (f->key == COUNT_DOMAIN_CONCEPT && out[b->sel[i]] == NONE_I64)
            out[b->sel[i]] = 0; /* an unknown cause is one cause */
    return s;
}

static enum status read_wide(const struct fetching *f, struct block *b, enum store_column column,
                             int64_t *out, struct err *e)
{
    if (b->table != STORE_N_TABLES && store_column_kind(b->table, column) == KIND_I64)
        return block_i64(f->g, b, column, out, e);
    for (size_t i = 0; i < b->n_sel; i++)
        out[b->sel[i]] = NONE_I64;
    return ST_OK;
}

/* --- a block to events --- */

static void emit_days(const struct fetching *f, const struct block *b, const int32_t *raw_start,
                      struct events *out)
{
    const struct user_period *u = f->c->period;
    for (size_t i = 0; i < b->n_sel; i++) {
        uint16_t at = b->sel[i];
        size_t to = out->n + i;
        out->person[to] = (uint32_t)b->person[at];
        out->start[to] = u && u->start != DATE_NONE ? u->start : b->start[at];
        if (out->end)
            out->end[to] = u && u->end != DATE_NONE ? u->end : b->end[at];
        if (out->sort)
            out->sort[to] = b->start[at];
        if (out->raw)
            out->raw[to] = raw_start[at];
    }
}

static void emit_wide(const struct block *b, const int64_t *from, int64_t *to)
{
    for (size_t i = 0; i < b->n_sel; i++)
        to[i] = from[b->sel[i]];
}

static enum status emit(const struct fetching *f, struct block *b, const int32_t *raw_start,
                        const uint8_t *pass, struct events *out, struct err *e)
{
    int64_t wide[BLOCK];
    enum status s = ST_OK;
    events_reserve(out, out->n + b->n_sel);
    for (size_t i = 0; out->row && i < b->n_sel; i++)
        out->row[out->n + i] =
            b->table == STORE_N_TABLES ? (uint64_t)b->b.i64[b->sel[i]] : b->first + b->sel[i];
    if (s == ST_OK && out->visit)
        s = read_wide(f, b, COL_VISIT, wide, e);
    if (s == ST_OK && out->visit)
        emit_wide(b, wide, out->visit + out->n);
    if (s == ST_OK && out->key)
        s = read_keys(f, b, wide, e);
    if (s == ST_OK && out->key)
        emit_wide(b, wide, out->key + out->n);
    emit_days(f, b, raw_start, out);
    for (size_t i = 0; out->pass && i < b->n_sel; i++)
        out->pass[out->n + i] = pass[b->sel[i]];
    out->n += b->n_sel;
    return s;
}

/* Of one run a person's first row comes first; `last` is the person of the last row emitted. */
static void keep_first_of_person(struct block *b, int32_t *last)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->n_sel; i++) {
        uint16_t at = b->sel[i];
        b->sel[kept] = at;
        kept += b->person[at] != *last;
        *last = b->person[at];
    }
    b->n_sel = kept;
}

/* Rows on the first day of their person: only they can be the first. */
static void keep_first_days(const struct first_days *d, struct block *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->n_sel; i++) {
        uint16_t at = b->sel[i];
        b->sel[kept] = at;
        kept += b->start[at] == d->day[b->person[at]];
    }
    b->n_sel = kept;
}

static enum status pass_block(const struct fetching *f, struct block *b, struct err *e)
{
    adjust_days(f->c, b);
    enum status s = filter_block(f->filter, b, e);
    if (s == ST_OK)
        keep_user_periods(f->c, b);
    return s;
}

static enum status use_block(const struct fetching *f, struct block *b, int32_t *last, struct events *out,
                             struct err *e)
{
    if (!f->c->first) {
        enum status s = pass_block(f, b, e);
        return s == ST_OK && b->n_sel ? emit(f, b, NULL, NULL, out, e) : s;
    }
    if (b->table != STORE_N_TABLES)
        keep_first_of_person(b, last);
    if (f->first_days.day)
        keep_first_days(&f->first_days, b);
    if (b->n_sel == 0)
        return ST_OK;
    uint8_t pass[BLOCK] = {0};
    uint16_t all[BLOCK];
    int32_t raw_start[BLOCK];
    size_t n = b->n_sel;
    memcpy(all, b->sel, n * sizeof *all);
    memcpy(raw_start, b->start, b->n * sizeof *raw_start);
    enum status s = pass_block(f, b, e);
    for (size_t i = 0; i < b->n_sel; i++)
        pass[b->sel[i]] = 1;
    memcpy(b->sel, all, n * sizeof *all);
    b->n_sel = n;
    return s == ST_OK ? emit(f, b, raw_start, pass, out, e) : s;
}

static void select_candidates(const struct fetching *f, struct block *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->n; i++) {
        b->sel[kept] = (uint16_t)i;
        kept += person_set_has(f->candidates, (uint32_t)b->person[i]);
    }
    b->n_sel = kept;
}

static enum status table_block(const struct fetching *f, struct block *b, int32_t *last, struct events *out,
                               struct err *e)
{
    enum status s = store_read_i32(f->g->store, b->table, COL_PERSON, b->first, b->n, b->person, e);
    b->bytes += b->n * sizeof *b->person;
    if (s != ST_OK)
        return s;
    select_candidates(f, b);
    s = keep_source_set(f, b, e);
    if (s != ST_OK || b->n_sel == 0)
        return s;
    s = read_days(f, b, e);
    return s == ST_OK ? use_block(f, b, last, out, e) : s;
}

static enum status table_task(void *context, size_t i, struct err *e)
{
    const struct fetching *f = context;
    const struct task *t = &f->tasks[i];
    struct block *b = xmalloc(sizeof *b);
    enum status s = ST_OK;
    b->table = f->spec->table;
    b->bytes = 0;
    for (size_t k = t->first_span; s == ST_OK && k < t->first_span + t->n_spans; k++) {
        int32_t last = -1;
        for (uint64_t at = 0; s == ST_OK && at < f->spans[k].n; at += BLOCK) {
            b->first = f->spans[k].first + at;
            b->n = f->spans[k].n - at < BLOCK ? (size_t)(f->spans[k].n - at) : BLOCK;
            s = table_block(f, b, &last, &f->pieces[i], e);
        }
    }
    f->bytes[i] = b->bytes;
    free(b);
    return s;
}

/* --- observation periods and persons --- */

enum { PERSONS_PER_TASK = 1 << 14 };

static enum status flush_persons(const struct fetching *f, struct block *b, struct events *out, struct err *e)
{
    int32_t last = -1;
    enum status s = ST_OK;
    for (size_t i = 0; i < b->n; i++)
        b->sel[i] = (uint16_t)i;
    b->n_sel = b->n;
    if (b->n)
        s = use_block(f, b, &last, out, e);
    b->n = 0;
    return s;
}

static enum status add_period(const struct fetching *f, struct block *b, uint32_t person, uint32_t k,
                              struct events *out, struct err *e)
{
    const struct store_periods *p = f->g->periods;
    size_t at = b->n++;
    b->person[at] = (int32_t)person;
    b->start[at] = p->start[k];
    b->end[at] = p->end[k];
    b->period_type[at] = p->type[k];
    b->b.i64[at] = k;
    return b->n == BLOCK ? flush_persons(f, b, out, e) : ST_OK;
}

static enum status person_task(void *context, size_t i, struct err *e)
{
    const struct fetching *f = context;
    const struct engine *g = f->g;
    struct block *b = xmalloc(sizeof *b);
    uint32_t first = (uint32_t)i * PERSONS_PER_TASK, end = first + PERSONS_PER_TASK;
    enum status s = ST_OK;
    b->table = STORE_N_TABLES;
    b->n = 0;
    for (uint32_t p = first; s == ST_OK && p < end && p < g->persons->n; p++) {
        if (!person_set_has(f->candidates, p))
            continue;
        uint32_t n = g->periods->offset[p + 1] - g->periods->offset[p];
        if (f->c->first && n > 1)
            n = 1; /* periods are sorted by start */
        for (uint32_t k = 0; s == ST_OK && k < n; k++)
            s = add_period(f, b, p, g->periods->offset[p] + k, &f->pieces[i], e);
    }
    if (s == ST_OK)
        s = flush_persons(f, b, &f->pieces[i], e);
    free(b);
    return s;
}

/* One event per PERSON row, on the day the definition is asked. */
static void everybody(const struct fetching *f, struct events *out)
{
    const struct store_persons *p = f->g->persons;
    events_reserve(out, p->n);
    for (uint32_t i = 0; i < p->n; i++) {
        if (!p->in_person[i] || !person_set_has(f->candidates, i))
            continue;
        out->person[out->n] = i;
        out->start[out->n] = f->g->d->as_of;
        if (out->end)
            out->end[out->n] = f->g->d->as_of;
        if (out->sort)
            out->sort[out->n] = f->g->d->as_of;
        if (out->row)
            out->row[out->n] = 0;
        if (out->visit)
            out->visit[out->n] = NONE_I64;
        if (out->key)
            out->key[out->n] = NONE_I64;
        out->n++;
    }
}

/* --- the whole --- */

/* Whether two rows of one person and day can differ in what the criterion asks. */
static bool asks_of_row(const struct criterion *c)
{
    for (size_t i = 0; i < c->n_attributes; i++) {
        enum operand by = c->attributes[i].spec->operand;
        if (by != BY_START && by != BY_AGE_AT_START && by != BY_GENDER)
            return true;
    }
    return c->adjustment || c->period;
}

static unsigned own_needs(const struct criterion *c, unsigned needs, bool several_runs)
{
    unsigned out = needs;
    if (c->nested)
        out |= group_needs(c->nested);
    if (c->first) {
        bool all_pass = !c->n_attributes && !c->adjustment && !c->period;
        out |= several_runs && (asks_of_row(c) || out) ? NEED_ROW : 0;
        out |= (all_pass ? 0 : NEED_PASS) | (c->adjustment ? NEED_RAW : 0);
    }
    return out | (c->period ? NEED_SORT : 0);
}

static void keep_first(struct events *v)
{
    uint8_t *mask = xcalloc(v->n, 1);
    for (size_t i = 0; i < v->n; i++)
        mask[i] = (i == 0 || v->person[i] != v->person[i - 1]) && (!v->pass || v->pass[i]);
    events_keep(v, mask);
    events_drop(v, v->needs & ~(unsigned)(NEED_PASS | NEED_RAW));
    free(mask);
}

static enum status run_tasks(struct fetching *f, size_t n, pool_task task, struct events *out, struct err *e)
{
    f->pieces = xcalloc(n, sizeof *f->pieces);
    for (size_t i = 0; i < n; i++) {
        events_init(&f->pieces[i], f->needs);
        f->pieces[i].ids = out->ids;
    }
    enum status s = pool_run(f->g->pool, n, task, f, e);
    if (s == ST_OK && n > 0)
        s = events_merge(f->g->pool, f->pieces, n, f->g->persons->n, out, e);
    for (size_t i = 0; i < n; i++)
        events_deinit(&f->pieces[i]);
    free(f->pieces);
    return s;
}

static enum status fetch_table(struct fetching *f, struct events *out, struct err *e)
{
    enum status s = ST_OK;
    make_tasks(f);
    if (f->c->first && !f->source_set && f->n_spans > 1)
        s = first_days_find(f->g, f->c, f->candidates, &f->first_days, e);
    if (s != ST_OK)
        return s;
    f->bytes = xcalloc(f->n_tasks, sizeof *f->bytes);
    return run_tasks(f, f->n_tasks, table_task, out, e);
}

static enum status keep_nested(const struct engine *g, const struct criterion *c, struct events *v,
                               struct err *e)
{
    struct events index, copy;
    size_t *origin = NULL;
    events_clone(v, &copy);
    enum status s = join_periods(g, &copy, 0, 0, &index, &origin, e);
    uint8_t *passes = xcalloc(index.n, 1), *keep = xcalloc(v->n, 1);
    if (s == ST_OK)
        s = group_evaluate(g, c->nested, &index, passes, e);
    for (size_t i = 0; i < index.n; i++)
        keep[origin[i]] |= passes[i];
    if (s == ST_OK)
        events_keep(v, keep);
    free(keep);
    free(passes);
    free(origin);
    events_deinit(&copy);
    events_deinit(&index);
    return s;
}

static void note(const struct fetching *f, const struct events *out)
{
    uint64_t rows = 0, runs = 0, bytes = 0;
    for (size_t i = 0; i < f->n_spans; i++) {
        rows += f->spans[i].n;
        runs += !f->spans[i].continues;
    }
    for (size_t i = 0; i < f->n_tasks; i++)
        bytes += f->bytes[i];
    plan_note_fetch(f->g->plan, f->c, runs, rows, bytes, out->n);
}

enum status criterion_fetch(const struct engine *g, const struct criterion *c,
                            const struct person_set *candidates, unsigned needs, enum count_column key,
                            struct events *out, struct err *e)
{
    struct fetching f = {
        .g = g, .c = c, .spec = &criterion_specs[c->type], .candidates = candidates, .key = key};
    enum status s = ST_OK;
    f.source_set = c->has_source_set ? engine_set(g, c->source_set) : NULL;
    if (f.spec->table != STORE_N_TABLES && c->has_set)
        spans_of_set(&f, engine_set(g, c->set));
    else if (f.spec->table != STORE_N_TABLES)
        spans_of_table(&f);
    f.needs = own_needs(c, needs, f.n_spans > 1);
    f.filter = filter_new(g, c);
    events_init(out, f.needs);
    out->ids = &g->ids[f.spec->table];
    if (c->type == CRIT_PERSON)
        everybody(&f, out);
    else if (c->type == CRIT_OBSERVATION_PERIOD)
        s = run_tasks(&f, (g->persons->n + PERSONS_PER_TASK - 1) / PERSONS_PER_TASK, person_task, out, e);
    else
        s = fetch_table(&f, out, e);
    if (s == ST_OK && c->first && c->type != CRIT_PERSON)
        keep_first(out);
    if (s == ST_OK && g->plan)
        note(&f, out);
    if (s == ST_OK && c->nested && out->n > 0)
        s = keep_nested(g, c, out, e);
    events_drop(out, needs);
    filter_free(f.filter);
    free(f.spans);
    free(f.tasks);
    free(f.bytes);
    first_days_deinit(&f.first_days);
    return s;
}

/* --- observation periods of events --- */

struct joining {
    const struct engine *g;
    struct events *v;
    const size_t *bounds;
    int32_t prior_days, post_days;
    uint8_t *fits; /* 0 no period, 1 one */
    bool *several; /* per task: periods overlap around some event */
};

static bool period_fits(const struct joining *x, int32_t start, uint32_t k)
{
    const struct store_periods *p = x->g->periods;
    return start >= p->start[k] && start <= p->end[k] && (int64_t)start - x->prior_days >= p->start[k] &&
           (int64_t)start + x->post_days <= p->end[k];
}

static enum status join_task(void *context, size_t t, struct err *e)
{
    (void)e;
    const struct joining *x = context;
    const struct store_periods *p = x->g->periods;
    struct events *v = x->v;
    for (size_t i = x->bounds[t]; i < x->bounds[t + 1]; i++) {
        uint32_t found = 0;
        for (uint32_t k = p->offset[v->person[i]]; k < p->offset[v->person[i] + 1]; k++) {
            if (!period_fits(x, v->start[i], k))
                continue;
            v->op_start[i] = p->start[k];
            v->op_end[i] = p->end[k];
            found++;
        }
        x->fits[i] = found > 0;
        x->several[t] |= found > 1;
    }
    return ST_OK;
}

/* Where periods overlap, one event per period that contains it. */
static void join_several(const struct joining *x, struct events *out, size_t **origin)
{
    const struct store_periods *p = x->g->periods;
    const struct events *v = x->v;
    size_t *from = NULL, capacity = 0;
    events_init(out, v->needs);
    for (size_t i = 0; i < v->n; i++)
        for (uint32_t k = p->offset[v->person[i]]; k < p->offset[v->person[i] + 1]; k++) {
            if (!period_fits(x, v->start[i], k))
                continue;
            events_reserve(out, out->n + 1);
            GROW(from, out->n + 1, capacity);
            from[out->n] = i;
            events_copy(out, out->n, v, i);
            out->op_start[out->n] = p->start[k];
            out->op_end[out->n++] = p->end[k];
        }
    *origin = from;
}

static void join_one(const struct joining *x, struct events *out, size_t **origin)
{
    struct events *v = x->v;
    size_t n = 0, *from = xmalloc(v->n * sizeof *from);
    for (size_t i = 0; i < v->n; i++) {
        from[n] = i;
        n += x->fits[i];
    }
    events_keep(v, x->fits);
    *out = *v;
    events_init(v, 0);
    *origin = from;
}

enum status join_periods(const struct engine *g, struct events *v, int32_t prior_days, int32_t post_days,
                         struct events *out, size_t **origin, struct err *e)
{
    enum { TASK_EVENTS = 1 << 14 };
    struct joining x = {.g = g, .v = v, .prior_days = prior_days, .post_days = post_days};
    size_t *bounds = xcalloc(v->n / TASK_EVENTS + 2, sizeof *bounds), *from;
    size_t n = events_cut(v, TASK_EVENTS, bounds);
    bool several = false;
    events_add(v, NEED_PERIOD);
    x.bounds = bounds;
    x.fits = xmalloc(v->n);
    x.several = xcalloc(n, sizeof *x.several);
    enum status s = pool_run(g->pool, n, join_task, &x, e);
    for (size_t t = 0; t < n; t++)
        several |= x.several[t];
    if (several)
        join_several(&x, out, &from);
    else
        join_one(&x, out, &from);
    if (origin)
        *origin = from;
    else
        free(from);
    free(bounds);
    free(x.fits);
    free(x.several);
    return s;
}
