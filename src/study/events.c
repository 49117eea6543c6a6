/* SPDX-License-Identifier: Apache-2.0 */
#include "study/events.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "base/vectors.h"

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

VECTORS static bool one_each(const uint32_t *person, size_t n)
{
    uint32_t same = 0;
    for (size_t i = 1; i < n; i++)
        same |= person[i] == person[i - 1];
    return !same;
}

void index_rows_view(const struct cohort_rows *rows, struct index_rows *out)
{
    if (one_each(rows->person, rows->n))
        *out = (struct index_rows){rows->n, rows->person, rows->start, rows->end, .borrowed = true};
    else
        index_rows_init(rows, out);
}

void index_rows_copy(const struct index_rows *rows, struct index_rows *out)
{
    size_t n = rows->n;
    *out = (struct index_rows){.n = n,
                               .person = xmalloc((n + 1) * sizeof *out->person),
                               .start = xmalloc((n + 1) * sizeof *out->start),
                               .end = xmalloc((n + 1) * sizeof *out->end)};
    if (n == 0)
        return;
    memcpy(out->person, rows->person, n * sizeof *out->person);
    memcpy(out->start, rows->start, n * sizeof *out->start);
    memcpy(out->end, rows->end, n * sizeof *out->end);
}

void index_rows_keep(const struct index_rows *rows, const uint8_t *mask, struct index_rows *out)
{
    size_t room = rows->n + 1;
    *out = (struct index_rows){.person = xmalloc(room * sizeof *out->person),
                               .start = xmalloc(room * sizeof *out->start),
                               .end = xmalloc(room * sizeof *out->end)};
    bits_keep32(out->person, rows->person, mask, rows->n);
    bits_keep32(out->start, rows->start, mask, rows->n);
    out->n = bits_keep32(out->end, rows->end, mask, rows->n);
}

void index_rows_unmap(struct index_rows *r)
{
    free((void *)(uintptr_t)r->members.words);
    free(r->rank);
    r->members = (struct bits){0};
    r->rank = NULL;
}

void index_rows_deinit(struct index_rows *r)
{
    index_rows_unmap(r);
    if (!r->borrowed) {
        free(r->person);
        free(r->start);
        free(r->end);
    }
    *r = (struct index_rows){0};
}

VECTORS static void rank_words(const uint64_t *restrict words, size_t n, uint32_t *restrict rank)
{
    uint32_t before = 0;
    for (size_t w = 0; w < n; w++) {
        rank[w] = before;
        before += (uint32_t)__builtin_popcountll(words[w]);
    }
}

void index_rows_map(struct index_rows *r, const struct study_site *site)
{
    uint32_t n = site->end_person - site->first_person;
    size_t n_words = (size_t)n / 64 + 1;
    uint64_t *words = xcalloc(n_words, sizeof *words);
    r->rank = xmalloc(n_words * sizeof *r->rank);
    bits_add(words, site->first_person, r->person, NULL, r->n);
    rank_words(words, n_words, r->rank);
    r->members = (struct bits){site->first_person, n, words};
}

/* Members before the word, and those before the person in it. */
VECTORS static void rows_of(struct bits members, const uint32_t *restrict rank,
                            const uint32_t *restrict person, const uint16_t *restrict at, size_t n,
                            uint32_t *restrict row)
{
    for (size_t k = 0; k < n; k++) {
        uint32_t bit = person[at[k]] - members.first;
        uint64_t below = members.words[bit / 64] & (((uint64_t)1 << bit % 64) - 1);
        row[k] = rank[bit / 64] + (uint32_t)__builtin_popcountll(below);
    }
}

size_t index_rows_find(const struct index_rows *r, const uint32_t *person, size_t n, uint16_t *places,
                       uint32_t *row)
{
    size_t found = bits_find(r->members, person, n, places);
    rows_of(r->members, r->rank, person, places, found, row);
    return found;
}

/* One block of a table, as far as it was needed, and what is asked for of its hits, side by side. */
struct block {
    int32_t person[STORE_BLOCK_ROWS], start[STORE_BLOCK_ROWS];
    uint8_t mask[STORE_BLOCK_ROWS]; /* 1 for hits */
    uint16_t at[STORE_BLOCK_ROWS + BITS_SLACK];
    size_t hits;
    uint32_t row[STORE_BLOCK_ROWS + BITS_SLACK]; /* index row */
    int32_t day[STORE_BLOCK_ROWS], end[STORE_BLOCK_ROWS];
    double value[STORE_BLOCK_ROWS];
};
/* What is done with the hits of a block; it may overwrite them. */
typedef void (*block_fn)(void *context, struct block *b);

/* Rows by person, where a good part of the site's persons have one: a look-up per event is then cheaper than
 * to find the hits among bits first. */
struct by_person {
    uint32_t first, n;
    int32_t *
        start; /* of person first + i, and of all others at n; NO_START without a row. NULL where bits are better */
    uint32_t *row; /* where there is one */
};
/* Further from any day than days are from each other. */
enum { NO_START = -2000000000, FAR = 1000000000 };

struct scan {
    const struct study_site *site;
    const struct index_rows *rows; /* mapped, unless there is `dense` */
    struct by_person dense;
    int32_t from, to; /* the window, whose open ends are FAR */
    bool windowed;
    unsigned fields;
    block_fn fn;
    void *context;
    struct block *block;
};

static bool is_windowed(struct day_window window)
{
    return window.from != -SPEC_UNBOUNDED || window.to != SPEC_UNBOUNDED;
}

static int32_t near(int32_t days)
{
    return days < -FAR ? -FAR : days > FAR ? FAR : days;
}

/* Whether a window lets a start pass on that day: distances of days are below FAR. */
static inline uint8_t passes(int32_t day, int32_t start, int32_t from, int32_t to)
{
    int32_t distance = (int32_t)((uint32_t)day - (uint32_t)start);
    return (uint8_t)((distance >= from) & (distance <= to));
}

/* --- hits by bits --- */

VECTORS static void mark_window(const struct index_rows *rows, const int32_t *restrict start,
                                const uint16_t *restrict at, const uint32_t *restrict row, size_t n,
                                int32_t from, int32_t to, uint8_t *restrict mask)
{
    const int32_t *restrict index = rows->start;
    for (size_t k = 0; k < n; k++)
        mask[k] = passes(start[at[k]], index[row[k]], from, to);
}

/* Of the hits those in the window; `start` has the days of the places. */
static void keep_in_window(const struct index_rows *rows, int32_t from, int32_t to, const int32_t *start,
                           struct block *b)
{
    size_t kept = 0;
    mark_window(rows, start, b->at, b->row, b->hits, from, to, b->mask);
    for (size_t k = 0; k < b->hits; k++) {
        b->at[kept] = b->at[k];
        kept += b->mask[k];
    }
    b->hits = bits_keep32(b->row, b->row, b->mask, b->hits);
}

static void mark_places(struct block *b, size_t n)
{
    memset(b->mask, 0, n);
    for (size_t k = 0; k < b->hits; k++) {
        b->mask[b->at[k]] = 1;
        b->day[k] = b->start[b->at[k]];
    }
}

static enum status hits_by_bits(const struct scan *c, struct block *b, enum store_table t, uint64_t first,
                                uint64_t n, struct err *e)
{
    b->hits = index_rows_find(c->rows, (const uint32_t *)b->person, n, b->at, b->row);
    if (b->hits == 0)
        return ST_OK;
    enum status st = store_read_i32(c->site->store, t, COL_START, first, n, b->start, e);
    if (st == ST_OK && c->windowed)
        keep_in_window(c->rows, c->from, c->to, b->start, b);
    if (st == ST_OK)
        mark_places(b, n);
    return st;
}

/* --- hits by persons --- */

VECTORS static void set_days(int32_t *restrict day, int32_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        day[i] = value;
}

static void dense_init(struct scan *c)
{
    const struct index_rows *rows = c->rows;
    uint32_t first = c->site->first_person, n = c->site->end_person - first;
    struct by_person *d = &c->dense;
    *d = (struct by_person){first, n, xmalloc(((size_t)n + 1) * sizeof *d->start),
                            xmalloc(((size_t)n + 1) * sizeof *d->row)};
    set_days(d->start, NO_START, (size_t)n + 1); /* the last for whom the site does not look at */
    for (size_t i = 0; i < rows->n; i++) {
        uint32_t at = rows->person[i] - first;
        d->start[at] = rows->start[i];
        d->row[at] = (uint32_t)i;
    }
}

static void dense_deinit(struct by_person *d)
{
    free(d->start);
    free(d->row);
}

VECTORS static size_t mark_dense(const struct by_person *d, const uint32_t *restrict person,
                                 const int32_t *restrict start, size_t n, int32_t from, int32_t to,
                                 uint8_t *restrict mask)
{
    const int32_t *restrict index = d->start;
    uint32_t first = d->first, persons = d->n, hits = 0;
    int32_t at[STORE_BLOCK_ROWS]; /* there are no more than INT32_MAX persons */
    for (size_t i = 0; i < n; i++) {
        uint32_t place = person[i] - first;
        at[i] = (int32_t)(place < persons ? place : persons);
    }
    for (size_t i = 0; i < n; i++) {
        uint8_t in = passes(start[i], index[at[i]], from, to);
        mask[i] = in;
        hits += in;
    }
    return hits;
}

VECTORS static void rows_of_persons(const struct by_person *d, size_t n, uint32_t *restrict row)
{
    const uint32_t *restrict of = d->row;
    for (size_t k = 0; k < n; k++)
        row[k] = of[row[k] - d->first];
}

static enum status hits_by_person(const struct scan *c, struct block *b, enum store_table t, uint64_t first,
                                  uint64_t n, struct err *e)
{
    const uint32_t *person = (const uint32_t *)b->person;
    enum status st = store_read_i32(c->site->store, t, COL_START, first, n, b->start, e);
    b->hits = st == ST_OK ? mark_dense(&c->dense, person, b->start, n, c->from, c->to, b->mask) : 0;
    if (b->hits == 0)
        return st;
    bits_keep32(b->row, person, b->mask, n);
    rows_of_persons(&c->dense, b->hits, b->row);
    bits_keep32(b->day, b->start, b->mask, n);
    return ST_OK;
}

/* --- what is asked for of the hits --- */

static enum status read_ends(const struct scan *c, struct block *b, enum store_table t, uint64_t first,
                             uint64_t n, struct err *e)
{
    if (store_column_kind(t, COL_END) != KIND_I32) {
        memcpy(b->end, b->day, b->hits * sizeof *b->end);
        return ST_OK;
    }
    enum status st = store_pick_ends(c->site->store, t, first, n, b->mask, b->day, b->end, e);
    for (size_t k = 0; st == ST_OK && k < b->hits; k++)
        b->end[k] = b->end[k] > b->day[k] ? b->end[k] : b->day[k];
    return st;
}

static enum status read_values(const struct scan *c, struct block *b, enum store_table t, uint64_t first,
                               uint64_t n, struct err *e)
{
    if (store_column_kind(t, COL_VALUE_NUMBER) == KIND_F64)
        return store_pick_f64(c->site->store, t, COL_VALUE_NUMBER, first, n, b->mask, b->value, e);
    for (size_t k = 0; k < b->hits; k++)
        b->value[k] = (double)NAN;
    return ST_OK;
}

/* Rows [first, first + n) of one block: the hits, and what is asked for of them. */
static enum status read_hits(const struct scan *c, enum store_table t, uint64_t first, uint64_t n,
                             struct err *e)
{
    struct block *b = c->block;
    b->hits = 0;
    enum status st = store_read_i32(c->site->store, t, COL_PERSON, first, n, b->person, e);
    if (st == ST_OK)
        st = c->dense.start ? hits_by_person(c, b, t, first, n, e) : hits_by_bits(c, b, t, first, n, e);
    if (st == ST_OK && b->hits && (c->fields & EVENT_END))
        st = read_ends(c, b, t, first, n, e);
    if (st == ST_OK && b->hits && (c->fields & EVENT_VALUE))
        st = read_values(c, b, t, first, n, e);
    return st;
}

/* The first block from `low` to `high`, which ascend, that begins with a person at or behind `person`, or
 * high. */
static uint64_t block_at(const uint32_t *begins, uint64_t low, uint64_t high, uint32_t person)
{
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (begins[middle] < person)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Which rows of a run may belong to the persons that the site looks at: in whole blocks, so that none is
 * decoded for it. Those of others are not hits. */
static enum status range_of(const struct study_site *site, enum store_table t, const struct store_run *run,
                            uint64_t *first, uint64_t *end, struct err *e)
{
    const uint32_t *begins;
    uint64_t n, second = run->first / STORE_BLOCK_ROWS + 1,
                behind = (run->first + run->n - 1) / STORE_BLOCK_ROWS + 1;
    *first = run->first;
    *end = run->first + run->n;
    if (interrupted())
        return interrupted_err(e);
    store_block_persons(site->store, t, &begins, &n);
    uint64_t from = block_at(begins, second, behind, site->first_person) - 1,
             to = block_at(begins, second, behind, site->end_person);
    *first = from < second ? *first : from * STORE_BLOCK_ROWS;
    *end = to < behind ? to * STORE_BLOCK_ROWS : *end;
    return ST_OK;
}

/* The end of the block that `row` is in, or `end`. */
static uint64_t block_end(uint64_t row, uint64_t end)
{
    uint64_t next = (row / STORE_BLOCK_ROWS + 1) * STORE_BLOCK_ROWS;
    return next < end ? next : end;
}

static enum status scan_run(const struct scan *c, enum store_table t, const struct store_run *run,
                            struct err *e)
{
    uint64_t first, end;
    enum status st = range_of(c->site, t, run, &first, &end, e);
    for (uint64_t next; st == ST_OK && first < end; first = next) {
        next = block_end(first, end);
        st = read_hits(c, t, first, next - first, e);
        if (st == ST_OK && c->block->hits)
            c->fn(c->context, c->block);
    }
    return st;
}

static enum status scan_concept(const struct scan *c, int32_t id, struct err *e)
{
    enum status st = ST_OK;
    for (int t = 0; st == ST_OK && t < STORE_N_TABLES; t++) {
        struct store_run run;
        if (store_run_find(c->site->store, (enum store_table)t, id, &run))
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

/* From so many of the site's persons on rows are looked up by person. */
static bool is_dense(const struct study_site *site, const struct index_rows *rows)
{
    return rows->n >= (site->end_person - site->first_person) / 4 && rows->n > 0;
}

static enum status scan_blocks(const struct study_site *site, const struct concept_list *concepts,
                               const struct index_rows *rows, struct day_window window, unsigned fields,
                               block_fn fn, void *context, struct err *e)
{
    size_t n;
    struct block block;
    int32_t *ids = expand(site->store, concepts, &n);
    struct index_rows mapped = *rows;
    struct scan c = {.site = site,
                     .rows = &mapped,
                     .from = near(window.from),
                     .to = near(window.to),
                     .windowed = is_windowed(window),
                     .fields = fields,
                     .fn = fn,
                     .context = context,
                     .block = &block};
    enum status st = ST_OK;
    if (!rows->rank && is_dense(site, rows))
        dense_init(&c);
    else if (!rows->rank)
        index_rows_map(&mapped, site);
    for (size_t i = 0; st == ST_OK && i < n; i++)
        st = scan_concept(&c, ids[i], e);
    if (!rows->rank)
        index_rows_unmap(&mapped);
    dense_deinit(&c.dense);
    free(ids);
    return st;
}

/* Events one by one, for those who want them so. */
struct each {
    unsigned fields;
    event_fn fn;
    void *context;
};

static void tell_each(void *context, struct block *b)
{
    const struct each *x = context;
    for (size_t k = 0; k < b->hits; k++)
        x->fn(x->context, &(struct event){b->row[k], b->day[k], x->fields & EVENT_END ? b->end[k] : b->day[k],
                                          x->fields & EVENT_VALUE ? b->value[k] : (double)NAN});
}

enum status events_scan(const struct study_site *site, const struct concept_list *concepts,
                        const struct index_rows *rows, struct day_window window, unsigned fields, event_fn fn,
                        void *context, struct err *e)
{
    struct each each = {fields, fn, context};
    return scan_blocks(site, concepts, rows, window, fields, tell_each, &each, e);
}

/* --- run after run --- */

struct run_reader {
    const struct study_site *site;
    enum store_table table;
    const struct index_rows *rows;
    int32_t from, to;
    bool windowed, everybody;     /* everybody: there is a row for each person of the site */
    uint64_t persons_of, days_of; /* the blocks that were decoded last; UINT64_MAX for none */
    struct block block;
};

struct run_reader *run_reader_new(const struct study_site *site, enum store_table t,
                                  const struct index_rows *rows, struct day_window window)
{
    struct run_reader *r = xmalloc(sizeof *r);
    r->site = site;
    r->table = t;
    r->rows = rows;
    r->from = near(window.from);
    r->to = near(window.to);
    r->windowed = is_windowed(window);
    r->everybody = rows->n == store_persons(site->store)->n;
    r->persons_of = r->days_of = UINT64_MAX;
    return r;
}

void run_reader_free(struct run_reader *r)
{
    free(r);
}

static enum status decode(const struct run_reader *r, enum store_column c, uint64_t block, uint64_t *decoded,
                          int32_t *out, struct err *e)
{
    uint64_t first = block * STORE_BLOCK_ROWS, left = store_rows(r->site->store, r->table) - first;
    if (*decoded == block)
        return ST_OK;
    *decoded = UINT64_MAX;
    enum status st = store_read_i32(r->site->store, r->table, c, first,
                                    left < STORE_BLOCK_ROWS ? left : STORE_BLOCK_ROWS, out, e);
    if (st == ST_OK)
        *decoded = block;
    return st;
}

/* The distinct rows of the hits; `last` is the last one before them. */
static size_t add_distinct(const struct block *b, uint32_t *last, uint32_t *out)
{
    size_t n = 0;
    for (size_t k = 0; k < b->hits; k++) {
        uint32_t row = b->row[k], fresh = row != *last;
        if (out)
            out[n] = row;
        n += fresh;
        *last = row;
    }
    return n;
}

/* Rows [from, from + n) of a block, as far as the run has them. `last` is the last person, or with a window
   or a list the last row, that was seen. */
static enum status add_block(struct run_reader *r, uint64_t block, size_t from, size_t n, uint32_t *last,
                             uint32_t *out, size_t *found, struct err *e)
{
    struct block *b = &r->block;
    enum status st = decode(r, COL_PERSON, block, &r->persons_of, b->person, e);
    if (st != ST_OK)
        return st;
    if (!out && !r->windowed) {
        *found += bits_count_distinct(r->rows->members, (const uint32_t *)b->person + from, n, *last);
        *last = (uint32_t)b->person[from + n - 1];
        return ST_OK;
    }
    b->hits = index_rows_find(r->rows, (const uint32_t *)b->person + from, n, b->at, b->row);
    if (r->windowed && b->hits)
        st = decode(r, COL_START, block, &r->days_of, b->start, e);
    if (st == ST_OK && r->windowed)
        keep_in_window(r->rows, r->from, r->to, b->start + from, b);
    if (st == ST_OK)
        *found += add_distinct(b, last, out ? out + *found : NULL);
    return st;
}

enum status run_reader_rows(struct run_reader *r, const struct store_run *run, uint32_t *out, size_t *n,
                            struct err *e)
{
    uint32_t last = UINT32_MAX; /* a run lies in person order: the rows of one person follow each other */
    uint64_t first, end;
    *n = 0;
    if (r->everybody && !r->windowed && !out) {
        *n = run->persons; /* sealed at import */
        return ST_OK;
    }
    enum status st = range_of(r->site, r->table, run, &first, &end, e);
    for (uint64_t next; st == ST_OK && first < end; first = next) {
        next = block_end(first, end);
        st = add_block(r, first / STORE_BLOCK_ROWS, (size_t)(first % STORE_BLOCK_ROWS),
                       (size_t)(next - first), &last, out, n, e);
    }
    return st;
}

/* --- what most want of events --- */

struct latest {
    int32_t *day;
    double *value;
    size_t next; /* rows from here on have had no hit */
};

/* All with a value, but those that the next hit, of the same row and with a value, comes after; how many. */
VECTORS static size_t mark_latest(const uint32_t *restrict row, const int32_t *restrict day,
                                  const double *restrict value, size_t n, uint8_t *restrict mask)
{
    uint32_t kept = 0;
    for (size_t k = 0; k + 1 < n; k++) {
        uint8_t beaten =
            (uint8_t)((row[k + 1] == row[k]) & (day[k + 1] > day[k]) & (value[k + 1] == value[k + 1]));
        mask[k] = (uint8_t)((value[k] == value[k]) & !beaten);
        kept += mask[k];
    }
    mask[n - 1] = value[n - 1] == value[n - 1];
    return kept + mask[n - 1];
}

VECTORS static bool ascend(const uint32_t *row, size_t n)
{
    uint32_t disorder = 0;
    for (size_t k = 1; k < n; k++)
        disorder |= row[k] <= row[k - 1];
    return !disorder;
}

/* One hit each for rows that had none. */
static void put_first(const struct latest *l, const struct block *b)
{
    size_t n = b->hits, first = b->row[0];
    int32_t *day = l->day;
    double *value = l->value;
    if (b->row[n - 1] - first == n - 1) {
        memcpy(day + first, b->day, n * sizeof *day);
        memcpy(value + first, b->value, n * sizeof *value);
        return;
    }
    for (size_t k = 0; k < n; k++) {
        day[b->row[k]] = b->day[k];
        value[b->row[k]] = b->value[k];
    }
}

/* Without branches: which of the values is the latest is not to be foreseen. */
static void put_later(const struct latest *l, const struct block *b)
{
    int32_t *days = l->day;
    double *values = l->value;
    for (size_t k = 0; k < b->hits; k++) {
        uint32_t row = b->row[k];
        int32_t day = b->day[k], old_day = days[row];
        double value = b->value[k], old = values[row];
        bool better = (day > old_day) | ((day == old_day) & (value > old));
        days[row] = better ? day : old_day;
        values[row] = better ? value : old;
    }
}

/* What a row has lies together in a run, the latest last: the others are dropped before what was found so far
 * is looked at, which also keeps a store from being followed at once by a load from the same place. Of the
 * first run, and often of the only one, nothing was found before. */
static void keep_latest(void *context, struct block *b)
{
    struct latest *l = context;
    if (mark_latest(b->row, b->day, b->value, b->hits, b->mask) < b->hits) {
        bits_keep32(b->day, b->day, b->mask, b->hits);
        bits_keep64(b->value, b->value, b->mask, b->hits);
        b->hits = bits_keep32(b->row, b->row, b->mask, b->hits);
    }
    if (b->hits == 0)
        return;
    size_t behind = (size_t)b->row[b->hits - 1] + 1; /* rows ascend, as the persons of a run do */
    if (b->row[0] < l->next || !ascend(b->row, b->hits))
        put_later(l, b);
    else
        put_first(l, b);
    l->next = behind > l->next ? behind : l->next;
}

enum status events_latest_value(const struct study_site *site, const struct concept_list *concepts,
                                const struct index_rows *rows, struct day_window window, double *out,
                                struct err *e)
{
    struct latest l = {xmalloc((rows->n + 1) * sizeof *l.day), out, 0};
    for (size_t i = 0; i < rows->n; i++) {
        out[i] = (double)NAN;
        l.day[i] = DATE_NONE; /* before all days */
    }
    enum status st = scan_blocks(site, concepts, rows, window, EVENT_VALUE, keep_latest, &l, e);
    free(l.day);
    return st;
}

static void mark(void *context, struct block *b)
{
    uint8_t *any = context;
    for (size_t k = 0; k < b->hits; k++)
        any[b->row[k]] = 1;
}

enum status events_any(const struct study_site *site, const struct concept_list *concepts,
                       const struct index_rows *rows, struct day_window window, uint8_t *out, struct err *e)
{
    if (rows->n)
        memset(out, 0, rows->n);
    return scan_blocks(site, concepts, rows, window, 0, mark, out, e);
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
