/* SPDX-License-Identifier: Apache-2.0
 *
 * The second half of the sort. Parts of the plan are put in order on all threads, each into its place of a
 * buffer; then each column of the buffer is encoded on a thread of its own. Rows that do not fill a block
 * wait for the next round. The plan alone decides what goes where, so the bytes do not depend on the number
 * of threads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/encode.h"
#include "store/importing.h"
#include "store/merge_plan.h"

enum { ROUND_PARTS = 64, ROUND_ROWS = 1 << 18 };

struct part_facts {
    uint32_t persons;
    int32_t first_day, last_day;
    struct quality_counts quality;
};

struct merge {
    struct import *im;
    const struct merge_input *in;
    struct merge_plan plan;
    const struct schema_table *schema;
    struct encoder *encoders[SCHEMA_MOST_COLUMNS]; /* NULL = not stored */
    int64_t *columns[SCHEMA_MOST_COLUMNS];         /* the buffer; NULL = the source does not have it */
    size_t waiting, rows, capacity;                /* rows left from the round before; all */
    size_t first_part;                             /* of the round */
    size_t at[ROUND_PARTS];
    struct part_facts facts[ROUND_PARTS];
    struct quality_counts quality;
    uint64_t missing[SCHEMA_MOST_COLUMNS];
    struct store_run *table_runs;
    size_t n_table_runs, cap_table_runs;
};

/* Copies a part's rows of one column one piece behind the other. */
static void copy_pieces(const struct merge *m, const struct part *p, size_t column, int64_t *out)
{
    size_t pages = 0;
    for (size_t i = 0; i < p->n_pieces; i++) {
        const struct piece *piece = &m->plan.pieces[p->first_piece + i];
        const struct run_column *c = &m->in->runs[piece->run].columns[column];
        run_copy(c, piece->first, piece->n, out);
        out += piece->n;
        pages += run_pages(c, piece->n);
        if (pages >= SCRATCH_LOOKS) {
            scratch_touched(m->im->scratch, pages);
            pages = 0;
        }
    }
    scratch_touched(m->im->scratch, pages);
}

static int compare_rows(const int64_t *person, const int64_t *start, const int64_t *id, size_t a, size_t b)
{
    if (person[a] != person[b])
        return person[a] < person[b] ? -1 : 1;
    if (start[a] != start[b])
        return start[a] < start[b] ? -1 : 1;
    return (id[a] > id[b]) - (id[a] < id[b]);
}

struct row {
    int64_t person, start, id;
    uint32_t at;
};

static int by_row(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->person != y->person)
        return x->person < y->person ? -1 : 1;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* The order of the part's rows, or NULL where the pieces already follow one another. */
static uint32_t *order_part(struct merge *m, const struct part *p, size_t to)
{
    const int64_t *person = m->columns[AT_PERSON] + to, *start = m->columns[AT_START] + to,
                  *id = m->columns[AT_ID] + to;
    size_t i = 1;
    while (i < p->rows && compare_rows(person, start, id, i - 1, i) <= 0)
        i++;
    if (i >= p->rows)
        return NULL;
    struct row *rows = xrealloc_array(NULL, p->rows, sizeof *rows);
    uint32_t *order = xrealloc_array(NULL, p->rows, sizeof *order);
    for (i = 0; i < p->rows; i++)
        rows[i] = (struct row){person[i], start[i], id[i], (uint32_t)i};
    qsort(rows, p->rows, sizeof *rows, by_row);
    for (i = 0; i < p->rows; i++)
        order[i] = rows[i].at;
    free(rows);
    return order;
}

static void reorder(int64_t *values, const uint32_t *order, size_t n)
{
    int64_t *copy = xrealloc_array(NULL, n, sizeof *copy);
    memcpy(copy, values, n * sizeof *copy);
    for (size_t i = 0; i < n; i++)
        values[i] = copy[order[i]];
    free(copy);
}

static struct part_facts facts_of(const struct merge *m, size_t from, size_t n)
{
    const int64_t *person = m->columns[AT_PERSON] + from, *start = m->columns[AT_START] + from;
    struct part_facts f = {.persons = 1, .first_day = INT32_MAX, .last_day = INT32_MIN};
    for (size_t i = 0; i < n; i++) {
        f.persons += i && person[i] != person[i - 1];
        f.first_day = start[i] < f.first_day ? (int32_t)start[i] : f.first_day;
        f.last_day = start[i] > f.last_day ? (int32_t)start[i] : f.last_day;
    }
    return f;
}

static const int64_t *rows_of(const struct merge *m, enum store_column c, size_t from)
{
    int at = schema_find(m->in->table, c);
    return at >= 0 && m->columns[at] ? m->columns[at] + from : NULL;
}

static void check_quality(const struct merge *m, const struct part *p, size_t from,
                          struct quality_counts *out)
{
    struct quality_rows r = {.person = m->columns[AT_PERSON] + from,
                             .start = m->columns[AT_START] + from,
                             .end = rows_of(m, COL_END, from),
                             .visit = rows_of(m, COL_VISIT, from),
                             .visit_concept = rows_of(m, COL_VISIT_CONCEPT, from),
                             .n = p->rows,
                             .key = p->key,
                             .concept = concept_of_key(&m->im->ranks, p->key)};
    quality_count(&m->im->known, &r, out);
}

static enum status put_part(void *context, size_t i, struct err *e)
{
    (void)e;
    struct merge *m = context;
    const struct part *p = &m->plan.parts[m->first_part + i];
    for (size_t k = 0; k < m->schema->n; k++)
        if (m->columns[k])
            copy_pieces(m, p, k, m->columns[k] + m->at[i]);
    uint32_t *order = p->n_pieces > 1 ? order_part(m, p, m->at[i]) : NULL;
    for (size_t k = 0; order && k < m->schema->n; k++)
        if (m->columns[k])
            reorder(m->columns[k] + m->at[i], order, p->rows);
    free(order);
    m->facts[i] = facts_of(m, m->at[i], p->rows);
    check_quality(m, p, m->at[i], &m->facts[i].quality);
    return ST_OK;
}

static void add_facts(struct merge *m, const struct part *p, const struct part_facts *f)
{
    int32_t concept = concept_of_key(&m->im->ranks, p->key);
    quality_add(&m->quality, &f->quality);
    struct store_run *last = m->n_table_runs ? &m->table_runs[m->n_table_runs - 1] : NULL;
    if (last && last->concept_id == concept) {
        last->n += p->rows;
        last->persons += f->persons;
        last->first_day = f->first_day < last->first_day ? f->first_day : last->first_day;
        last->last_day = f->last_day > last->last_day ? f->last_day : last->last_day;
        return;
    }
    uint64_t first = last ? last->first + last->n : 0;
    GROW(m->table_runs, m->n_table_runs + 1, m->cap_table_runs);
    struct store_run *r = &m->table_runs[m->n_table_runs++];
    memset(r, 0, sizeof *r);
    r->concept_id = concept;
    r->first = first;
    r->n = p->rows;
    r->persons = f->persons;
    r->first_day = f->first_day;
    r->last_day = f->last_day;
}

static bool parts_left(const struct merge *m)
{
    return m->first_part < m->plan.n_parts || !merge_plan_ended(&m->plan);
}

static enum status encode_column(void *context, size_t column, struct err *e)
{
    (void)e;
    struct merge *m = context;
    size_t n = parts_left(m) ? m->rows - m->rows % BLOCK_ROWS : m->rows;
    uint64_t missing = 0;
    if (!m->encoders[column])
        return ST_OK;
    encoder_add(m->encoders[column], m->columns[column], m->columns[AT_PERSON], m->columns[AT_START], n);
    for (size_t i = 0; i < n; i++)
        missing += m->columns[column][i] == NONE_I64;
    m->missing[column] += missing;
    return ST_OK;
}

static void reserve(struct merge *m, size_t rows)
{
    if (rows <= m->capacity)
        return;
    m->capacity = rows + rows / 4;
    for (size_t k = 0; k < m->schema->n; k++)
        if (m->columns[k])
            m->columns[k] = xrealloc_array(m->columns[k], m->capacity, sizeof(int64_t));
}

static enum status merge_round(struct merge *m, struct err *e)
{
    size_t n = 0;
    m->rows = m->waiting;
    if (m->first_part == m->plan.n_parts) {
        merge_plan_next(&m->plan, ROUND_PARTS, ROUND_ROWS);
        m->first_part = 0;
    }
    for (size_t i = m->first_part; i < m->plan.n_parts && n < ROUND_PARTS && m->rows < ROUND_ROWS; i++) {
        m->at[n++] = m->rows;
        m->rows += m->plan.parts[i].rows;
    }
    reserve(m, m->rows);
    enum status st = pool_run(m->im->o->pool, n, put_part, m, e);
    for (size_t i = 0; st == ST_OK && i < n; i++)
        add_facts(m, &m->plan.parts[m->first_part + i], &m->facts[i]);
    m->first_part += n;
    if (st == ST_OK)
        st = pool_run(m->im->o->pool, m->schema->n, encode_column, m, e);
    m->waiting = m->rows % BLOCK_ROWS;
    for (size_t k = 0; k < m->schema->n; k++)
        if (m->columns[k])
            memmove(m->columns[k], m->columns[k] + (m->rows - m->waiting), m->waiting * sizeof(int64_t));
    if (st == ST_OK && interrupted())
        st = interrupted_err(e);
    return st;
}

struct place {
    int32_t concept_id;
    uint32_t run;
};

static int by_concept(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return (x->concept_id > y->concept_id) - (x->concept_id < y->concept_id);
}

/* The runs in the order of their concept ids. */
static void write_by_concept(const struct merge *m, struct arrays_writer *w)
{
    struct place *places = xrealloc_array(NULL, m->n_table_runs, sizeof *places);
    for (size_t i = 0; i < m->n_table_runs; i++)
        places[i] = (struct place){m->table_runs[i].concept_id, (uint32_t)i};
    qsort(places, m->n_table_runs, sizeof *places, by_concept);
    arrays_begin(w, "by_concept", sizeof places->run);
    for (size_t i = 0; i < m->n_table_runs; i++)
        arrays_append(w, &places[i].run, sizeof places[i].run);
    arrays_end(w);
    free(places);
}

static enum status write_runs(const struct merge *m, struct err *e)
{
    struct arrays_writer *w;
    char *file = xasprintf("%s.runs.acc", m->schema->file), *path = import_path(m->im, file);
    enum status st = arrays_create(path, &w, e);
    free(path);
    free(file);
    if (st != ST_OK)
        return st;
    arrays_add(w, "runs", sizeof *m->table_runs, m->table_runs, m->n_table_runs);
    write_by_concept(m, w);
    return arrays_commit(w, e);
}

static enum status open_column(void *context, size_t column, struct err *e)
{
    struct merge *m = context;
    if (column == AT_CONCEPT || !m->in->runs[0].columns[column].present)
        return ST_OK;
    m->columns[column] = xmalloc(sizeof(int64_t));
    return encoder_open(m->im, m->in, column, m->plan.rows, &m->encoders[column], e);
}

static enum status commit_column(void *context, size_t column, struct err *e)
{
    struct merge *m = context;
    struct encoder *x = m->encoders[column];
    m->encoders[column] = NULL;
    return encoder_commit(x, e);
}

static enum status close_columns(struct merge *m, enum status st, struct err *e)
{
    if (st == ST_OK)
        st = pool_run(m->im->o->pool, m->schema->n, commit_column, m, e);
    for (size_t k = 0; k < m->schema->n; k++) {
        encoder_abandon(m->encoders[k]);
        free(m->columns[k]);
    }
    return st;
}

/* Columns without a file are missing in every row. */
static void report_quality(struct merge *m)
{
    struct js *notes = import_table_notes(m->im, m->schema->name);
    for (size_t k = 0; k < m->schema->n; k++)
        if (!m->encoders[k])
            m->missing[k] = m->plan.rows;
    quality_report(m->im->checks, m->in->table, m->plan.rows, (uint64_t)js_get_int(notes, "rejected", 0),
                   &m->quality, m->missing);
    js_put_int(notes, "stored", (int64_t)m->plan.rows);
    js_put_int(notes, "concepts", (int64_t)m->n_table_runs);
    m->im->n_events += m->plan.rows;
}

enum status merge_table(struct import *im, const struct merge_input *in, struct err *e)
{
    struct merge *m = xcalloc(1, sizeof *m);
    m->im = im;
    m->in = in;
    m->schema = schema_table(in->table);
    merge_plan_init(&m->plan, in->runs, in->n_runs, im->scratch);
    enum status st = pool_run(im->o->pool, m->schema->n, open_column, m, e);
    while (st == ST_OK && parts_left(m))
        st = merge_round(m, e);
    if (st == ST_OK)
        report_quality(m);
    st = close_columns(m, st, e);
    if (st == ST_OK)
        st = write_runs(m, e);
    merge_plan_deinit(&m->plan);
    free(m->table_runs);
    free(m);
    return st;
}
