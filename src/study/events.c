/* SPDX-License-Identifier: Apache-2.0 */
#include "study/events.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"

enum { BLOCK = 1 << 15 };

void index_rows_init(const struct cohort_rows *rows, struct index_rows *out)
{
    size_t most = rows->n ? rows->n : 1;
    *out = (struct index_rows){.person = xmalloc(most * sizeof *out->person),
                               .start = xmalloc(most * sizeof *out->start),
                               .end = xmalloc(most * sizeof *out->end)};
    for (size_t i = 0; i < rows->n; i++) {
        if (out->n && out->person[out->n - 1] == rows->person[i])
            continue;
        out->person[out->n] = rows->person[i];
        out->start[out->n] = rows->start[i];
        out->end[out->n++] = rows->end[i];
    }
}

void index_rows_copy(const struct index_rows *rows, struct index_rows *out)
{
    size_t n = rows->n;
    *out = (struct index_rows){.n = n,
                               .person = xmalloc((n + 1) * sizeof *out->person),
                               .start = xmalloc((n + 1) * sizeof *out->start),
                               .end = xmalloc((n + 1) * sizeof *out->end)};
    memcpy(out->person, rows->person, n * sizeof *out->person);
    memcpy(out->start, rows->start, n * sizeof *out->start);
    memcpy(out->end, rows->end, n * sizeof *out->end);
}

void index_rows_deinit(struct index_rows *r)
{
    free(r->person);
    free(r->start);
    free(r->end);
    free(r->row_of);
    free(r->has_row);
    *r = (struct index_rows){0};
}

void index_rows_map(struct index_rows *r, const struct store *s)
{
    uint32_t n = store_persons(s)->n;
    r->row_of = xmalloc((n + 1) * sizeof *r->row_of);
    r->has_row = xcalloc((size_t)n / 64 + 1, sizeof *r->has_row);
    for (size_t i = 0; i < r->n; i++) {
        r->row_of[r->person[i]] = (uint32_t)i;
        r->has_row[r->person[i] / 64] |= (uint64_t)1 << r->person[i] % 64;
    }
}

struct block {
    int32_t person[BLOCK], day[BLOCK], end[BLOCK];
    double value[BLOCK];
};

struct scan {
    const struct store *store;
    const struct index_rows *rows;
    struct day_window window;
    event_fn fn;
    void *context;
    struct block *block;
};

static enum status read_block(const struct scan *c, enum store_table t, uint64_t first, uint64_t n,
                              struct err *e)
{
    enum status st = store_read_i32(c->store, t, COL_PERSON, first, n, c->block->person, e);
    if (st == ST_OK)
        st = store_read_i32(c->store, t, COL_START, first, n, c->block->day, e);
    if (st == ST_OK && store_column_kind(t, COL_END) == KIND_I32)
        st = store_read_i32(c->store, t, COL_END, first, n, c->block->end, e);
    else
        memcpy(c->block->end, c->block->day, n * sizeof *c->block->end);
    if (st != ST_OK)
        return st;
    if (store_column_kind(t, COL_VALUE_NUMBER) == KIND_F64)
        return store_read_f64(c->store, t, COL_VALUE_NUMBER, first, n, c->block->value, e);
    for (uint64_t i = 0; i < n; i++)
        c->block->value[i] = NAN;
    return ST_OK;
}

/* The row of a person at or after *row; rows->n when there is none. Runs and rows are both in person order,
   so without a map this is a merge. */
static size_t row_of(const struct index_rows *rows, uint32_t person, size_t *row)
{
    if (rows->row_of)
        return rows->has_row[person / 64] >> person % 64 & 1 ? rows->row_of[person] : rows->n;
    while (*row < rows->n && rows->person[*row] < person)
        (*row)++;
    return *row < rows->n && rows->person[*row] == person ? *row : rows->n;
}

static void emit(const struct scan *c, size_t row, size_t i)
{
    int32_t day = c->block->day[i], end = c->block->end[i];
    c->fn(c->context, &(struct event){row, day, end > day ? end : day, c->block->value[i]});
}

static enum status scan_run(const struct scan *c, enum store_table t, const struct store_run *run,
                            struct err *e)
{
    size_t merged = 0;
    for (uint64_t at = 0; at < run->n; at += BLOCK) {
        uint64_t n = run->n - at < BLOCK ? run->n - at : BLOCK;
        enum status st = read_block(c, t, run->first + at, n, e);
        if (st != ST_OK)
            return st;
        if (interrupted())
            return interrupted_err(e);
        for (uint64_t i = 0; i < n; i++) {
            size_t row = row_of(c->rows, (uint32_t)c->block->person[i], &merged);
            if (row < c->rows->n && in_window(c->window, c->rows->start[row], c->block->day[i]))
                emit(c, row, i);
        }
    }
    return ST_OK;
}

static enum status scan_concept(const struct scan *c, int32_t id, struct err *e)
{
    enum status st = ST_OK;
    for (int t = 0; st == ST_OK && t < STORE_N_TABLES; t++) {
        struct store_run run;
        if (store_run_find(c->store, (enum store_table)t, id, &run))
            st = scan_run(c, (enum store_table)t, &run, e);
    }
    return st;
}

static int by_id(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* The distinct ids of the list with their descendants; the caller frees. */
static int32_t *expand(const struct store *s, const struct concept_list *list, size_t *n_out)
{
    int32_t *ids = NULL;
    size_t n = 0, capacity = 0;
    for (size_t i = 0; i < list->n; i++) {
        const int32_t *below = NULL;
        uint32_t n_below = 0;
        if (list->descendants)
            store_descendants(s, list->ids[i], &below, &n_below);
        GROW(ids, n + n_below + 1, capacity);
        ids[n++] = list->ids[i];
        if (n_below)
            memcpy(ids + n, below, n_below * sizeof *ids);
        n += n_below;
    }
    size_t kept = 0;
    if (n)
        qsort(ids, n, sizeof *ids, by_id);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || ids[i] != ids[i - 1])
            ids[kept++] = ids[i];
    *n_out = kept;
    return ids;
}

enum status events_scan(const struct store *s, const struct concept_list *concepts,
                        const struct index_rows *rows, struct day_window window, event_fn fn, void *context,
                        struct err *e)
{
    size_t n;
    int32_t *ids = expand(s, concepts, &n);
    struct scan c = {s, rows, window, fn, context, xmalloc(sizeof(struct block))};
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < n; i++)
        st = scan_concept(&c, ids[i], e);
    free(c.block);
    free(ids);
    return st;
}

/* Where in a block the rows of interest are; `at` has room for one more than n. */
static size_t hits_of(const struct index_rows *rows, const int32_t *person, size_t n, uint32_t *at)
{
    size_t hits = 0;
    for (size_t i = 0; i < n; i++) {
        at[hits] = (uint32_t)i;
        hits += rows->has_row[(uint32_t)person[i] / 64] >> (uint32_t)person[i] % 64 & 1;
    }
    return hits;
}

/* A run lies in person order, so that the rows of one person follow each other. */
struct distinct {
    const struct index_rows *rows;
    struct day_window window;
    bool windowed;
    uint32_t last, *out;
    size_t n;
};

static void add_hits(struct distinct *d, const int32_t *person, const int32_t *day, const uint32_t *at,
                     size_t hits)
{
    for (size_t k = 0; k < hits; k++) {
        uint32_t row = d->rows->row_of[person[at[k]]];
        if (row == d->last || (d->windowed && !in_window(d->window, d->rows->start[row], day[at[k]])))
            continue;
        if (d->out)
            d->out[d->n] = row;
        d->last = row;
        d->n++;
    }
}

/* Which rows of a run belong to the persons that the site looks at. */
static enum status range_of(const struct study_site *site, enum store_table t, const struct store_run *run,
                            uint64_t *first, uint64_t *end, struct err *e)
{
    *first = run->first;
    *end = run->first + run->n;
    enum status st = ST_OK;
    if (site->first_person > 0)
        st = store_run_seek(site->store, t, run, site->first_person, first, e);
    if (st == ST_OK && site->end_person < store_persons(site->store)->n)
        st = store_run_seek(site->store, t, run, site->end_person, end, e);
    return st;
}

enum { PIECE = 4096 }; /* rows at a time: what they need stays in the first-level cache */

enum status events_rows(const struct study_site *site, enum store_table t, const struct store_run *run,
                        const struct index_rows *rows, struct day_window window, uint32_t *out, size_t *n,
                        struct err *e)
{
    struct distinct d = {rows,       window, window.from != -SPEC_UNBOUNDED || window.to != SPEC_UNBOUNDED,
                         UINT32_MAX, out,    0};
    int32_t person[PIECE], day[PIECE];
    uint32_t at[PIECE + 1];
    uint64_t first, end;
    *n = 0;
    enum status st = interrupted() ? interrupted_err(e) : range_of(site, t, run, &first, &end, e);
    if (st != ST_OK)
        return st;
    for (uint64_t next; st == ST_OK && first < end; first = next) {
        next = first / PIECE * PIECE + PIECE < end ? first / PIECE * PIECE + PIECE : end;
        st = store_read_i32(site->store, t, COL_PERSON, first, next - first, person, e);
        size_t hits = st == ST_OK ? hits_of(rows, person, next - first, at) : 0;
        if (hits && d.windowed)
            st = store_read_i32(site->store, t, COL_START, first, next - first, day, e);
        if (st == ST_OK)
            add_hits(&d, person, day, at, hits);
    }
    *n = d.n;
    return st;
}

struct latest {
    int32_t *day;
    double *value;
};

static void keep_latest(void *context, const struct event *event)
{
    struct latest *l = context;
    size_t i = event->row;
    if (isnan(event->value))
        return;
    if (isnan(l->value[i]) || event->day > l->day[i] ||
        (event->day == l->day[i] && event->value > l->value[i])) {
        l->day[i] = event->day;
        l->value[i] = event->value;
    }
}

enum status events_latest_value(const struct store *s, const struct concept_list *concepts,
                                const struct index_rows *rows, struct day_window window, double *out,
                                struct err *e)
{
    struct latest l = {xcalloc(rows->n ? rows->n : 1, sizeof *l.day), out};
    for (size_t i = 0; i < rows->n; i++)
        out[i] = NAN;
    enum status st = events_scan(s, concepts, rows, window, keep_latest, &l, e);
    free(l.day);
    return st;
}

static void mark(void *context, const struct event *event)
{
    ((uint8_t *)context)[event->row] = 1;
}

enum status events_any(const struct store *s, const struct concept_list *concepts,
                       const struct index_rows *rows, struct day_window window, uint8_t *out, struct err *e)
{
    memset(out, 0, rows->n);
    return events_scan(s, concepts, rows, window, mark, out, e);
}

void cohort_any(const struct cohort_rows *cohort, const struct index_rows *rows, struct day_window window,
                uint8_t *out)
{
    size_t k = 0;
    for (size_t i = 0; i < rows->n; i++) {
        out[i] = 0;
        while (k < cohort->n && cohort->person[k] < rows->person[i])
            k++;
        for (; k < cohort->n && cohort->person[k] == rows->person[i]; k++)
            out[i] |= in_window(window, rows->start[i], cohort->start[k]);
    }
}

int32_t person_birth(const struct store_persons *p, uint32_t person)
{
    int year = p->birth_year[person], month = p->birth_month[person], day = p->birth_day[person];
    if (year < 1 || year > 9999)
        return DATE_NONE;
    if (!date_valid(year, month, 1))
        month = 1;
    return date_of(year, month, date_valid(year, month, day) ? day : 1);
}

int age_on(int32_t birth, int32_t day)
{
    int by, bm, bd, y, m, d;
    date_parts(birth, &by, &bm, &bd);
    date_parts(day, &y, &m, &d);
    if (bm == 2 && bd == 29 && !date_valid(y, 2, 29))
        bd = 28;
    return y - by - (m < bm || (m == bm && d < bd));
}
