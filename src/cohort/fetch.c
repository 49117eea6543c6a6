/* SPDX-License-Identifier: Apache-2.0
 *
 * From a criterion to the list of its events: blocks of rows (scan.c), their attributes, whatever else is
 * needed of them, sorted at the end.
 *
 * First is decided over all rows of the concept set before any attribute (rule 6), so there the attributes
 * are noted (NEED_PASS) instead of dropping the row, and of one run only a person's first row can matter.
 */
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/mem.h"
#include "base/vectors.h"
#include "cohort/engine.h"
#include "store/only_period.h"

struct fetching {
    const struct engine *g;
    const struct criterion *c;
    struct scan scan;
    struct first_days first_days; /* with First over several runs; else empty */
    enum count_column key;
    struct events events;           /* found so far */
    struct store_id_bases id_bases; /* where many ids are read; else empty */
    int32_t last;                   /* with First: the person of the last row of the run */
};

/* The dates that an event has: those that the definition gives a period in place of its own, where it does. */
static int32_t start_of(const struct criterion *c, const struct block *b, uint16_t at)
{
    return c->period && c->period->start != DATE_NONE ? c->period->start : b->start[at];
}

static int32_t end_of(const struct criterion *c, const struct block *b, uint16_t at)
{
    return c->period && c->period->end != DATE_NONE ? c->period->end : b->end[at];
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
            out[b->sel[i]] = key_of_days(f->key, start_of(f->c, b, b->sel[i]), end_of(f->c, b, b->sel[i]));
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

/* Of the selected rows, side by side. */
static enum status read_ids(const struct fetching *f, struct block *b, int64_t *out, struct err *e)
{
    if (b->table != STORE_N_TABLES) {
        b->bytes += b->n_sel * sizeof *out;
        return store_pick_ids(f->g->store, b->table, b->first, b->sel, b->n_sel, b->person, &f->id_bases, out,
                              e);
    }
    for (size_t i = 0; i < b->n_sel; i++)
        out[i] = f->g->periods->id[b->b.i64[b->sel[i]]];
    return ST_OK;
}

/* --- a block to events --- */

static void emit_days(const struct fetching *f, const struct block *b, const int32_t *raw_start,
                      struct events *out)
{
    for (size_t i = 0; i < b->n_sel; i++) {
        uint16_t at = b->sel[i];
        size_t to = out->n + i;
        out->person[to] = (uint32_t)b->person[at];
        out->start[to] = start_of(f->c, b, at);
        if (out->end)
            out->end[to] = end_of(f->c, b, at);
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

static enum status emit(struct fetching *f, struct block *b, const int32_t *raw_start, const uint8_t *pass,
                        struct err *e)
{
    struct events *out = &f->events;
    int64_t wide[BLOCK];
    enum status s = ST_OK;
    events_reserve(out, out->n + b->n_sel);
    if (out->id)
        s = read_ids(f, b, out->id + out->n, e);
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
        kept += b->start[at] == d->day[(uint32_t)b->person[at] - d->range.first];
    }
    b->n_sel = kept;
}

static enum status emit_first(struct fetching *f, struct block *b, struct err *e)
{
    uint8_t pass[BLOCK] = {0};
    uint16_t all[BLOCK];
    int32_t raw_start[BLOCK];
    size_t n = b->n_sel;
    memcpy(all, b->sel, n * sizeof *all);
    memcpy(raw_start, b->start, b->n * sizeof *raw_start);
    enum status s = scan_filter(&f->scan, b, e);
    for (size_t i = 0; i < b->n_sel; i++)
        pass[b->sel[i]] = 1;
    memcpy(b->sel, all, n * sizeof *all);
    b->n_sel = n;
    return s == ST_OK ? emit(f, b, raw_start, pass, e) : s;
}

static enum status visit(void *context, struct block *b, struct err *e)
{
    struct fetching *f = context;
    if (!f->c->first) {
        enum status s = scan_filter(&f->scan, b, e);
        return s == ST_OK && b->n_sel ? emit(f, b, NULL, NULL, e) : s;
    }
    if (b->run_begins)
        f->last = -1;
    if (b->table != STORE_N_TABLES)
        keep_first_of_person(b, &f->last);
    if (f->first_days.day)
        keep_first_days(&f->first_days, b);
    return b->n_sel ? emit_first(f, b, e) : ST_OK;
}

/* --- observation periods and persons --- */

static enum status flush_periods(struct fetching *f, struct block *b, struct err *e)
{
    block_select_all(b);
    enum status s = b->n ? visit(f, b, e) : ST_OK;
    b->n = 0;
    return s;
}

static enum status add_period(struct fetching *f, struct block *b, uint32_t person, uint32_t k, struct err *e)
{
    const struct store_periods *p = f->g->periods;
    size_t at = b->n++;
    f->scan.rows++;
    b->person[at] = (int32_t)person;
    b->start[at] = p->start[k];
    b->end[at] = p->end[k];
    b->period_type[at] = p->type[k];
    b->b.i64[at] = k;
    return b->n == BLOCK ? flush_periods(f, b, e) : ST_OK;
}

/* Persons have as many periods as everybody has on average, or one with First. */
static uint64_t estimate_periods(const struct fetching *f)
{
    const struct engine *g = f->g;
    const struct person_set *candidates = f->scan.candidates;
    uint64_t persons = candidates->words ? 0 : g->range.n;
    for (size_t w = 0; candidates->words && w < person_set_words(candidates); w++)
        persons += (uint64_t)__builtin_popcountll(candidates->words[w]);
    double each = g->persons->n ? (double)g->periods->offset[g->persons->n] / g->persons->n : 0;
    return (uint64_t)((double)persons * (f->c->first && each > 1 ? 1 : each) + 0.5);
}

static enum status fetch_periods(struct fetching *f, struct err *e)
{
    const struct engine *g = f->g;
    f->scan.estimate = estimate_periods(f);
    struct block *b = xmalloc(sizeof *b);
    enum status s = ST_OK;
    b->table = STORE_N_TABLES;
    b->run_begins = false;
    b->n = 0;
    for (uint32_t p = g->range.first; s == ST_OK && p < g->range.first + g->range.n; p++) {
        if (!person_set_has(f->scan.candidates, p))
            continue;
        uint32_t n = g->periods->offset[p + 1] - g->periods->offset[p];
        if (f->c->first && n > 1)
            n = 1; /* periods are sorted by start */
        for (uint32_t k = 0; s == ST_OK && k < n; k++)
            s = add_period(f, b, p, g->periods->offset[p] + k, e);
    }
    if (s == ST_OK)
        s = flush_periods(f, b, e);
    free(b);
    return s;
}

/* One event per PERSON row, on the day the definition is asked. */
static void everybody(struct fetching *f)
{
    const struct store_persons *p = f->g->persons;
    const struct person_set *range = &f->g->range;
    struct events *out = &f->events;
    events_reserve(out, range->n);
    for (uint32_t i = range->first; i < range->first + range->n; i++) {
        if (!p->in_person[i] || !person_set_has(f->scan.candidates, i))
            continue;
        out->person[out->n] = i;
        out->start[out->n] = f->g->d->as_of;
        if (out->end)
            out->end[out->n] = f->g->d->as_of;
        if (out->sort)
            out->sort[out->n] = f->g->d->as_of;
        if (out->id)
            out->id[out->n] = 0;
        if (out->visit)
            out->visit[out->n] = NONE_I64;
        if (out->key)
            out->key[out->n] = NONE_I64;
        out->n++;
    }
}

/* --- the whole --- */

bool criterion_asks_of_row(const struct criterion *c)
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
        out |= several_runs && (criterion_asks_of_row(c) || out) ? NEED_ID : 0;
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

static enum status keep_nested(const struct engine *g, const struct criterion *c, struct events *v,
                               struct err *e)
{
    struct events index, copy;
    size_t *origin = NULL;
    events_clone(v, &copy);
    join_periods(g, &copy, 0, 0, &index, &origin);
    uint8_t *passes = xcalloc(index.n, 1), *keep = xcalloc(v->n, 1);
    enum status s = group_evaluate(g, c->nested, &index, passes, e);
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

static bool has_several_runs(const struct engine *g, const struct criterion *c)
{
    const struct store_run *runs;
    struct store_run run;
    uint32_t n, found = 0;
    enum store_table t = criterion_specs[c->type].table;
    if (t == STORE_N_TABLES)
        return false;
    store_runs(g->store, t, &runs, &n);
    if (!c->has_set)
        return n > 1;
    const struct id_set *set = engine_set(g, c->set);
    for (size_t i = 0; i < set->n && found < 2; i++)
        found += store_run_find(g->store, t, set->ids[i], &run);
    return found > 1;
}

static enum status fetch_events(struct fetching *f, struct err *e)
{
    enum status s = ST_OK;
    if (f->c->type == CRIT_PERSON) {
        everybody(f);
        return s;
    }
    if (f->c->type == CRIT_OBSERVATION_PERIOD)
        return fetch_periods(f, e);
    if (f->c->first && f->scan.by_run)
        s = first_days_find(f->g, f->c, f->scan.candidates, &f->first_days, e);
    return s == ST_OK ? scan_rows(&f->scan, visit, f, e) : s;
}

static bool needs_end(unsigned needs, enum count_column key)
{
    return (needs & NEED_END) || key == COUNT_END_DATE || key == COUNT_DURATION;
}

/* Reading one base costs so many times what it costs beside all others of the range. */
enum { BASE_ALONE = 32 };

/* The range has its share of the criterion's rows. */
static enum status fetch_id_bases(struct fetching *f, struct err *e)
{
    const struct engine *g = f->g;
    enum store_table t = criterion_specs[f->c->type].table;
    if (!(f->events.needs & NEED_ID) || t == STORE_N_TABLES ||
        criterion_rows(g, f->c) < g->persons->n / BASE_ALONE)
        return ST_OK;
    return store_id_bases_read(g->store, t, g->range.first, g->range.n, &f->id_bases, e);
}

enum status criterion_fetch(const struct engine *g, const struct criterion *c,
                            const struct person_set *candidates, unsigned needs, enum count_column key,
                            struct events *out, struct err *e)
{
    struct fetching f = {.g = g, .c = c, .key = key};
    bool several = c->first && has_several_runs(g, c);
    unsigned own = own_needs(c, needs, several);
    scan_init(&f.scan, g, c, candidates, needs_end(own, key));
    f.scan.by_run = several;
    events_init(&f.events, own);
    enum status s = fetch_id_bases(&f, e);
    if (s == ST_OK)
        s = fetch_events(&f, e);
    events_init(out, own);
    if (s == ST_OK)
        events_merge(&f.events, 1, g->persons->n, out);
    events_deinit(&f.events);
    if (s == ST_OK && c->first && c->type != CRIT_PERSON)
        keep_first(out);
    scan_note(&f.scan, out->n);
    if (s == ST_OK && c->nested && out->n > 0)
        s = keep_nested(g, c, out, e);
    events_drop(out, needs);
    scan_deinit(&f.scan);
    store_id_bases_deinit(&f.id_bases);
    first_days_deinit(&f.first_days);
    return s;
}

/* --- observation periods of events --- */

struct joining {
    const struct engine *g;
    struct events *v;
    int32_t prior_days, post_days;
    uint8_t *fits; /* 0 no period, 1 one */
    bool wants_origin;
};

static bool period_fits(const struct joining *x, int32_t start, uint32_t k)
{
    const struct store_periods *p = x->g->periods;
    return start >= p->start[k] && start <= p->end[k] && (int64_t)start - x->prior_days >= p->start[k] &&
           (int64_t)start + x->post_days <= p->end[k];
}

VECTORS static void fit_periods(const uint32_t *restrict only, int32_t prior, int32_t post,
                                const struct events *v, uint8_t *restrict fits)
{
    const uint32_t *restrict person = v->person;
    const int32_t *restrict day = v->start;
    int32_t *restrict op_start = v->op_start, *restrict op_end = v->op_end;
    for (size_t i = 0; i < v->n; i++) {
        uint32_t period = only[person[i]];
        int32_t start = only_period_start(period), end = only_period_end(period);
        bool in = (day[i] >= start + prior) & (day[i] <= end - post);
        op_start[i] = start;
        op_end[i] = end;
        fits[i] = only_period_known(period) ? in : FITS_UNKNOWN;
    }
}

/* The start has to lie in the period too, so that fewer days than none bind nobody; nor do periods that have
 * their 32 bits reach as far as FAR. */
static int32_t days_wanted(int32_t days)
{
    enum { FAR = 1 << 20 };
    return days < 0 ? 0 : days < FAR ? days : FAR;
}

void find_only_periods(const struct engine *g, struct events *v, int32_t prior_days, int32_t post_days,
                       uint8_t *fits)
{
    fits[v->n] = FITS_UNKNOWN;
    fit_periods(g->periods->only, days_wanted(prior_days), days_wanted(post_days), v, fits);
}

/* How many periods contain event i; it gets the last. */
static uint32_t count_periods(const struct joining *x, size_t i)
{
    const struct store_periods *p = x->g->periods;
    struct events *v = x->v;
    uint32_t found = 0;
    for (uint32_t k = p->offset[v->person[i]]; k < p->offset[v->person[i] + 1]; k++) {
        if (!period_fits(x, v->start[i], k))
            continue;
        v->op_start[i] = p->start[k];
        v->op_end[i] = p->end[k];
        found++;
    }
    return found;
}

/* Whether several periods contain some event. */
static bool find_periods(const struct joining *x)
{
    bool several = false;
    find_only_periods(x->g, x->v, x->prior_days, x->post_days, x->fits);
    for (size_t i = 0; i < x->v->n; i++) {
        if (x->fits[i] != FITS_UNKNOWN)
            continue;
        uint32_t found = count_periods(x, i);
        x->fits[i] = found > 0;
        several |= found > 1;
    }
    return several;
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
    size_t n = 0, *from = x->wants_origin ? xmalloc((v->n + 1) * sizeof *from) : NULL;
    for (size_t i = 0; from && i < v->n; i++) {
        from[n] = i;
        n += x->fits[i];
    }
    events_keep(v, x->fits);
    *out = *v;
    events_init(v, 0);
    *origin = from;
}

void join_periods(const struct engine *g, struct events *v, int32_t prior_days, int32_t post_days,
                  struct events *out, size_t **origin)
{
    struct joining x = {
        .g = g, .v = v, .prior_days = prior_days, .post_days = post_days, .wants_origin = origin != NULL};
    size_t *from;
    events_add(v, NEED_PERIOD);
    x.fits = xmalloc(v->n + 1);
    if (find_periods(&x))
        join_several(&x, out, &from);
    else
        join_one(&x, out, &from);
    if (origin)
        *origin = from;
    else
        free(from);
    free(x.fits);
}
