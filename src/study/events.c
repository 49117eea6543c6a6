/* SPDX-License-Identifier: Apache-2.0 */
#include "study/events.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"

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

void index_rows_map(struct index_rows *r, const struct study_site *site)
{
    uint32_t n = site->end_person - site->first_person;
    r->first_person = site->first_person;
    r->row_of = xmalloc(((size_t)n + 1) * sizeof *r->row_of);
    r->has_row = xcalloc((size_t)n / 64 + 1, sizeof *r->has_row);
    for (size_t i = 0; i < r->n; i++) {
        uint32_t at = r->person[i] - r->first_person;
        r->row_of[at] = (uint32_t)i;
        r->has_row[at / 64] |= (uint64_t)1 << at % 64;
    }
}

/* One block of a table, as far as it is needed, and which of its rows are. */
struct block {
    int32_t person[STORE_BLOCK_ROWS], day[STORE_BLOCK_ROWS], end[STORE_BLOCK_ROWS];
    double value[STORE_BLOCK_ROWS];
    uint32_t row[STORE_BLOCK_ROWS]; /* index row of each hit */
    uint16_t at[STORE_BLOCK_ROWS + 1];
    size_t hits;
};

struct scan {
    const struct study_site *site;
    const struct index_rows *rows; /* mapped */
    struct day_window window;
    bool windowed;
    unsigned fields;
    event_fn fn;
    void *context;
    struct block *block;
};

static struct scan scan_of(const struct study_site *site, const struct index_rows *rows,
                           struct day_window window, struct block *block)
{
    return (struct scan){.site = site,
                         .rows = rows,
                         .window = window,
                         .windowed = window.from != -SPEC_UNBOUNDED || window.to != SPEC_UNBOUNDED,
                         .block = block};
}

/* Persons of the block to hits: without a branch per row, because most rows are of nobody in the cohort. */
static void find_hits(const struct index_rows *rows, struct block *b, size_t n)
{
    size_t hits = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t at = (uint32_t)b->person[i] - rows->first_person;
        b->at[hits] = (uint16_t)i;
        hits += rows->has_row[at / 64] >> at % 64 & 1;
    }
    for (size_t k = 0; k < hits; k++)
        b->row[k] = rows->row_of[(uint32_t)b->person[b->at[k]] - rows->first_person];
    b->hits = hits;
}

static void keep_in_window(const struct scan *c, struct block *b)
{
    size_t kept = 0;
    for (size_t k = 0; k < b->hits; k++) {
        uint16_t at = b->at[k];
        uint32_t row = b->row[k];
        b->at[kept] = at;
        b->row[kept] = row;
        kept += in_window(c->window, c->rows->start[row], b->day[at]);
    }
    b->hits = kept;
}

/* Rows [first, first + n) of one block: the hits, and their days where the window or `days` asks for them. */
static enum status read_hits(const struct scan *c, enum store_table t, uint64_t first, uint64_t n, bool days,
                             struct err *e)
{
    struct block *b = c->block;
    enum status st = store_read_i32(c->site->store, t, COL_PERSON, first, n, b->person, e);
    if (st != ST_OK)
        return st;
    find_hits(c->rows, b, n);
    if (b->hits && (c->windowed || days))
        st = store_read_i32(c->site->store, t, COL_START, first, n, b->day, e);
    if (st == ST_OK && c->windowed)
        keep_in_window(c, b);
    return st;
}

static enum status read_fields(const struct scan *c, enum store_table t, uint64_t first, uint64_t n,
                               struct err *e)
{
    const struct store *s = c->site->store;
    struct block *b = c->block;
    bool end = (c->fields & EVENT_END) && store_column_kind(t, COL_END) == KIND_I32;
    bool value = (c->fields & EVENT_VALUE) && store_column_kind(t, COL_VALUE_NUMBER) == KIND_F64;
    enum status st = end ? store_read_i32(s, t, COL_END, first, n, b->end, e) : ST_OK;
    if (st == ST_OK && value)
        st = store_read_f64(s, t, COL_VALUE_NUMBER, first, n, b->value, e);
    for (size_t k = 0; st == ST_OK && k < b->hits; k++) {
        uint16_t i = b->at[k];
        int32_t last = end && b->end[i] > b->day[i] ? b->end[i] : b->day[i];
        c->fn(c->context, &(struct event){b->row[k], b->day[i], last, value ? b->value[i] : (double)NAN});
    }
    return st;
}

/* Which rows of a run belong to the persons that the site looks at. */
static enum status range_of(const struct study_site *site, enum store_table t, const struct store_run *run,
                            uint64_t *first, uint64_t *end, struct err *e)
{
    *first = run->first;
    *end = run->first + run->n;
    if (interrupted())
        return interrupted_err(e);
    enum status st = ST_OK;
    if (site->first_person > 0)
        st = store_run_seek(site->store, t, run, site->first_person, first, e);
    if (st == ST_OK && site->end_person < store_persons(site->store)->n)
        st = store_run_seek(site->store, t, run, site->end_person, end, e);
    return st;
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
        st = read_hits(c, t, first, next - first, true, e);
        if (st == ST_OK && c->block->hits)
            st = read_fields(c, t, first, next - first, e);
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

enum status events_scan(const struct study_site *site, const struct concept_list *concepts,
                        const struct index_rows *rows, struct day_window window, unsigned fields, event_fn fn,
                        void *context, struct err *e)
{
    size_t n;
    struct block block;
    int32_t *ids = expand(site->store, concepts, &n);
    struct index_rows mapped = *rows;
    struct scan c = scan_of(site, &mapped, window, &block);
    enum status st = ST_OK;
    c.fields = fields;
    c.fn = fn;
    c.context = context;
    if (!rows->row_of)
        index_rows_map(&mapped, site);
    for (size_t i = 0; st == ST_OK && i < n; i++)
        st = scan_concept(&c, ids[i], e);
    if (!rows->row_of) {
        free(mapped.row_of);
        free(mapped.has_row);
    }
    free(ids);
    return st;
}

enum status events_rows(const struct study_site *site, enum store_table t, const struct store_run *run,
                        const struct index_rows *rows, struct day_window window, uint32_t *out, size_t *n,
                        struct err *e)
{
    struct block block;
    struct scan c = scan_of(site, rows, window, &block);
    uint32_t last = UINT32_MAX; /* a run lies in person order: the rows of one person follow each other */
    uint64_t first, end;
    *n = 0;
    enum status st = range_of(site, t, run, &first, &end, e);
    for (uint64_t next; st == ST_OK && first < end; first = next) {
        next = block_end(first, end);
        st = read_hits(&c, t, first, next - first, false, e);
        for (size_t k = 0; st == ST_OK && k < block.hits; k++) {
            if (block.row[k] == last)
                continue;
            last = block.row[k];
            if (out)
                out[*n] = last;
            ++*n;
        }
    }
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

enum status events_latest_value(const struct study_site *site, const struct concept_list *concepts,
                                const struct index_rows *rows, struct day_window window, double *out,
                                struct err *e)
{
    struct latest l = {xcalloc(rows->n ? rows->n : 1, sizeof *l.day), out};
    for (size_t i = 0; i < rows->n; i++)
        out[i] = NAN;
    enum status st = events_scan(site, concepts, rows, window, EVENT_VALUE, keep_latest, &l, e);
    free(l.day);
    return st;
}

static void mark(void *context, const struct event *event)
{
    ((uint8_t *)context)[event->row] = 1;
}

enum status events_any(const struct study_site *site, const struct concept_list *concepts,
                       const struct index_rows *rows, struct day_window window, uint8_t *out, struct err *e)
{
    memset(out, 0, rows->n);
    return events_scan(site, concepts, rows, window, 0, mark, out, e);
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

static int years_between(int by, int bm, int bd, int y, int m, int d)
{
    if (bm == 2 && bd == 29 && !date_valid(y, 2, 29))
        bd = 28;
    return y - by - (m < bm || (m == bm && d < bd));
}

int age_on(int32_t birth, int32_t day)
{
    int by, bm, bd, y, m, d;
    date_parts(birth, &by, &bm, &bd);
    date_parts(day, &y, &m, &d);
    return years_between(by, bm, bd, y, m, d);
}

void ages_at_start(const struct store_persons *p, const struct index_rows *rows, int16_t *out)
{
    int y = 0, m = 0, d = 0;
    for (size_t i = 0; i < rows->n; i++) {
        uint32_t person = rows->person[i];
        int year = p->birth_year[person], month = p->birth_month[person], day = p->birth_day[person];
        if (i == 0 || rows->start[i] != rows->start[i - 1])
            date_parts(rows->start[i], &y, &m, &d);
        month = month < 1 || month > 12 ? 1 : month;
        day = day <= 28 || date_valid(year, month, day) ? day : 1;
        bool known = year >= 1 && year <= 9999;
        out[i] = (int16_t)(known ? years_between(year, month, day < 1 ? 1 : day, y, m, d) : AGE_UNKNOWN);
    }
}
