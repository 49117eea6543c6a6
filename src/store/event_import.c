/* SPDX-License-Identifier: Apache-2.0
 *
 * One event table: chunks of the source become rows of a batch (persons looked up, providers, visits and care
 * sites resolved), full batches become sorted runs, and runs are merged into the columns of the store
 * (merge.c). Each step is split over the threads by chunk, by slice or by column, and put together in order.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/importing.h"

/* A batch and its sort take at most a quarter of the memory; runs stay in memory up to a quarter of it, the
 * dictionaries of a table take an eighth. A quarter is for what is resident of scratch (import.c), the rest
 * for the source's chunks, concepts and the merge. */
enum { SORT_BYTES = 24, MOST_SLICE = 1 << 20, LEAST_BATCH = 1024, MOST_STEP = 64 };
static const uint64_t batch_share = 4, runs_share = 4, texts_share = 8;

struct events {
    struct import *im;
    enum store_table table;
    const struct schema_table *schema;
    struct table_column source[SCHEMA_MOST_COLUMNS]; /* what is asked for: each name once */
    size_t n_source;
    int from[SCHEMA_MOST_COLUMNS]; /* the source column of each stored one */
    struct batch batch;
    struct run *runs;
    size_t n_runs, cap_runs;
    uint64_t run_bytes;
    struct text_list *texts[SCHEMA_MOST_COLUMNS];
    int64_t *least_id[SCHEMA_MOST_COLUMNS];
    /* The step at hand. */
    struct table_chunk **chunks;
    uint32_t *persons[MOST_STEP]; /* of each row; IDMAP_NONE = left out */
    size_t cap_persons[MOST_STEP], kept[MOST_STEP], at[MOST_STEP];
    uint64_t opted_out[MOST_STEP];
};

/* The distinct source columns of the table, and which stored column is made from which. */
static void plan_columns(struct events *v)
{
    for (size_t i = 0; i < v->schema->n; i++) {
        const struct table_column *c = &v->schema->columns[i].source;
        size_t k = 0;
        while (k < v->n_source && strcmp(v->source[k].name, c->name) != 0)
            k++;
        if (k == v->n_source)
            v->source[v->n_source++] = *c;
        v->from[i] = (int)k;
    }
}

static bool stored_wide(const struct schema_column *c)
{
    if (c->column == COL_ID)
        return true;
    return c->origin == FROM_SOURCE && (c->source.kind == TABLE_I64 || c->source.kind == TABLE_F64);
}

static bool is_id_column(const struct schema_column *c)
{
    return c->column == COL_ID || c->column == COL_VISIT || c->column == COL_CARE_SITE;
}

static size_t count_texts(const struct schema_table *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += s->columns[i].source.kind == TABLE_TEXT;
    return n;
}

static enum status make_least_ids(struct events *v, struct err *e)
{
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < v->schema->n; i++) {
        if (!is_id_column(&v->schema->columns[i]) || !v->batch.columns[i])
            continue;
        void *least;
        st = scratch_map(v->im->scratch, v->im->n_persons * sizeof(int64_t), &least, e);
        v->least_id[i] = least;
    }
    return st;
}

/* Room for a batch with the columns that the source has. */
static enum status make_batch(struct events *v, const struct table_scan *scan, struct err *e)
{
    struct batch *b = &v->batch;
    size_t row_bytes = 0;
    bool present[SCHEMA_MOST_COLUMNS];
    b->n_columns = v->schema->n;
    b->persons = v->im->n_persons;
    for (size_t i = 0; i < b->n_columns; i++) {
        b->wide[i] = stored_wide(&v->schema->columns[i]);
        present[i] = i <= AT_ID || scan->positions[v->from[i]] >= 0;
        row_bytes += present[i] ? (b->wide[i] ? 8 : 4) : 0;
    }
    uint64_t rows = v->im->o->memory_bytes / batch_share / (row_bytes + SORT_BYTES);
    uint64_t most = (uint64_t)MOST_SLICE * pool_threads(v->im->o->pool);
    b->capacity = rows > most ? most : rows < LEAST_BATCH ? LEAST_BATCH : rows;
    for (size_t i = 0; i < b->n_columns; i++) {
        if (!present[i])
            continue;
        b->columns[i] = spare_take(v->im->spare, b->capacity * (b->wide[i] ? 8 : 4));
        if (v->schema->columns[i].source.kind == TABLE_TEXT)
            v->texts[i] = text_list_new(v->im->o->memory_bytes / texts_share / count_texts(v->schema));
    }
    return make_least_ids(v, e);
}

/* Looks the persons of a chunk up and refuses rows of nobody. */
static enum status look_up(void *context, size_t k, struct err *e)
{
    (void)e;
    struct events *v = context;
    struct table_chunk *c = v->chunks[k];
    const int64_t *ids = c->columns[v->from[AT_PERSON]];
    const int32_t *concepts = c->columns[v->from[AT_CONCEPT]];
    GROW(v->persons[k], c->n, v->cap_persons[k]);
    v->kept[k] = 0;
    v->opted_out[k] = 0;
    struct looks looks = {.scratch = v->im->scratch};
    for (size_t i = 0; i < c->n; i++) {
        uint32_t person = idmap_find(&v->im->persons, ids[i]);
        look_at(&looks, person * sizeof *ids);
        if (person == IDMAP_NONE && idmap_find(&v->im->opted_out, ids[i]) != IDMAP_NONE) {
            v->opted_out[k]++;
        } else if (person == IDMAP_NONE) {
            table_fault_add(c, c->line[i], (size_t)v->from[AT_PERSON],
                            "a person that person or observation_period has");
        } else if (concepts && concepts[i] < 0 && concepts[i] != NONE_I32) {
            table_fault_add(c, c->line[i], (size_t)v->from[AT_CONCEPT], "a concept id of 0 or more");
            person = IDMAP_NONE;
        }
        v->persons[k][i] = person;
        v->kept[k] += person != IDMAP_NONE;
    }
    looks_end(&looks);
    return ST_OK;
}

#define EACH_KEPT_ROW(body)                                                                                  \
    do {                                                                                                     \
        for (size_t i = 0, to = v->at[k]; i < c->n; i++)                                                     \
            if (persons[i] != IDMAP_NONE) {                                                                  \
                body;                                                                                        \
                to++;                                                                                        \
            }                                                                                                \
    } while (0)

static void put_keys(struct events *v, size_t k)
{
    const struct table_chunk *c = v->chunks[k];
    const uint32_t *persons = v->persons[k];
    const int32_t *concepts = c->columns[v->from[AT_CONCEPT]], *days = c->columns[v->from[AT_START]];
    const int64_t *ids = c->columns[v->from[AT_ID]];
    bool by_person = v->schema->columns[AT_ID].origin == FROM_PERSON;
    uint32_t *person = v->batch.columns[AT_PERSON], *key = v->batch.columns[AT_CONCEPT];
    int32_t *start = v->batch.columns[AT_START];
    int64_t *id = v->batch.columns[AT_ID];
    EACH_KEPT_ROW({
        person[to] = persons[i];
        key[to] = concepts ? concept_key(&v->im->ranks, concepts[i]) : KEY_MISSING;
        start[to] = days[i];
        id[to] = by_person                   ? (int64_t)persons[i] + 1
                 : ids && ids[i] != NONE_I64 ? ids[i]
                                             : (int64_t)(c->lines_before + c->line[i]) - 1;
    });
}

static void put_resolved(struct events *v, size_t k, enum column_origin origin, const int64_t *ids,
                         int32_t *out)
{
    const struct table_chunk *c = v->chunks[k];
    const uint32_t *persons = v->persons[k];
    const struct lookup *l = origin == FROM_PROVIDER ? &v->im->providers : &v->im->care_sites;
    if (origin == FROM_VISIT) {
        struct looks looks = {.scratch = v->im->scratch};
        EACH_KEPT_ROW({
            look_at(&looks, persons[i] * sizeof(struct visit_index));
            out[to] = visit_index_concept(&v->im->visits, persons[i], ids[i]);
        });
        looks_end(&looks);
    } else {
        EACH_KEPT_ROW({
            uint32_t at = ids[i] == NONE_I64 ? IDMAP_NONE : idmap_find(&l->map, ids[i]);
            out[to] = at == IDMAP_NONE ? NONE_I32 : l->concept[at];
        });
    }
}

static int64_t bits_of_number(double d)
{
    int64_t bits;
    if (isnan(d))
        return NONE_I64;
    memcpy(&bits, &d, sizeof bits);
    return bits == NONE_I64 ? 0 : bits; /* -0.0 has those bits, and equals 0 */
}

static void put_column(struct events *v, size_t k, size_t column)
{
    const struct table_chunk *c = v->chunks[k];
    const uint32_t *persons = v->persons[k];
    const struct schema_column *s = &v->schema->columns[column];
    const void *in = c->columns[v->from[column]];
    int32_t *narrow = v->batch.columns[column];
    int64_t *wide = v->batch.columns[column];
    if (s->origin != FROM_SOURCE)
        put_resolved(v, k, s->origin, in, narrow);
    else if (s->source.kind == TABLE_I64)
        EACH_KEPT_ROW(wide[to] = ((const int64_t *)in)[i]);
    else if (s->source.kind == TABLE_F64)
        EACH_KEPT_ROW(wide[to] = bits_of_number(((const double *)in)[i]));
    else if (s->source.kind != TABLE_TEXT)
        EACH_KEPT_ROW(narrow[to] = ((const int32_t *)in)[i]);
}

static enum status put_rows(void *context, size_t k, struct err *e)
{
    (void)e;
    struct events *v = context;
    put_keys(v, k);
    for (size_t column = AT_ID + 1; column < v->schema->n; column++)
        if (v->batch.columns[column])
            put_column(v, k, column);
    return ST_OK;
}

/* Texts get their codes in the order of the rows, so this is the work of one thread. */
static enum status put_texts(struct events *v, size_t k, struct err *e)
{
    const struct table_chunk *c = v->chunks[k];
    const uint32_t *persons = v->persons[k];
    for (size_t column = 0; column < v->schema->n; column++) {
        if (!v->texts[column])
            continue;
        const struct slice *in = c->columns[v->from[column]];
        int32_t *out = v->batch.columns[column], worst = 0;
        EACH_KEPT_ROW({
            out[to] = in[i].p ? text_list_add(v->texts[column], in[i]) : NONE_I32;
            worst = out[to] == -2 ? -2 : worst;
        });
        if (worst)
            return err_set(e, ST_NO_MEMORY,
                           "%s: the distinct texts of %s take more memory than the import may use",
                           v->schema->name, v->schema->columns[column].source.name);
    }
    return ST_OK;
}

struct slices {
    struct events *v;
    struct run *runs; /* one per slice */
    size_t rows;      /* in each but the last */
};

static enum status sort_slice(void *context, size_t i, struct err *e)
{
    (void)e;
    struct slices *s = context;
    size_t from = i * s->rows, to = from + s->rows;
    run_make(&s->v->batch, from, to < s->v->batch.n ? to : s->v->batch.n, s->v->im->spare, &s->runs[i]);
    return ST_OK;
}

/* The least id of each person, which the ids of the blocks are taken from. One task per id column. */
static enum status gather_least(void *context, size_t column, struct err *e)
{
    (void)e;
    struct events *v = context;
    int64_t *least = v->least_id[column];
    const uint32_t *person = v->batch.columns[AT_PERSON];
    const int64_t *ids = v->batch.columns[column];
    if (!least || !ids)
        return ST_OK;
    struct looks looks = {.scratch = v->im->scratch};
    for (size_t i = 0; i < v->batch.n; i++) {
        int64_t *known = &least[person[i]];
        look_at(&looks, person[i] * sizeof *least);
        if (ids[i] != NONE_I64 && ids[i] < (*known ^ LEAST_NONE))
            *known = ids[i] ^ LEAST_NONE;
    }
    looks_end(&looks);
    return ST_OK;
}

static enum status spill_runs(struct events *v, size_t from, struct err *e)
{
    enum status st = ST_OK;
    for (size_t i = from; i < v->n_runs; i++)
        v->run_bytes += v->runs[i].bytes;
    for (size_t i = 0; st == ST_OK && i < v->n_runs; i++) {
        if (v->run_bytes <= v->im->o->memory_bytes / runs_share || run_spilled(&v->runs[i]))
            continue;
        st = run_spill(&v->runs[i], v->im->scratch, e);
        v->run_bytes -= v->runs[i].bytes;
    }
    return st;
}

/* Makes sorted runs of what the batch holds and empties it. */
static enum status flush(struct events *v, struct err *e)
{
    if (!v->batch.n)
        return ST_OK;
    size_t threads = pool_threads(v->im->o->pool);
    size_t rows = (v->batch.n + threads - 1) / threads;
    rows = rows > MOST_SLICE ? MOST_SLICE : rows;
    size_t n = (v->batch.n + rows - 1) / rows, from = v->n_runs;
    GROW(v->runs, v->n_runs + n, v->cap_runs);
    memset(v->runs + from, 0, n * sizeof *v->runs);
    struct slices s = {v, v->runs + from, rows};
    enum status st = pool_run(v->im->o->pool, n, sort_slice, &s, e);
    v->n_runs += n;
    if (st == ST_OK)
        st = pool_run(v->im->o->pool, v->schema->n, gather_least, v, e);
    if (st == ST_OK)
        st = spill_runs(v, from, e);
    v->batch.n = 0;
    return st;
}

static void batch_deinit(struct batch *b, struct spare *spare)
{
    for (size_t i = 0; i < SCHEMA_MOST_COLUMNS; i++) {
        spare_give(spare, b->columns[i]);
        b->columns[i] = NULL;
    }
}

/* The batch is emptied where the rows do not fit, and grows where they never would. */
static enum status make_room(struct events *v, size_t rows, struct err *e)
{
    struct batch *b = &v->batch;
    enum status st = b->n + rows > b->capacity ? flush(v, e) : ST_OK;
    if (st != ST_OK || rows <= b->capacity)
        return st;
    b->capacity = rows;
    for (size_t i = 0; i < v->schema->n; i++) {
        if (!b->columns[i])
            continue;
        spare_give(v->im->spare, b->columns[i]);
        b->columns[i] = spare_take(v->im->spare, rows * (b->wide[i] ? 8 : 4));
    }
    return ST_OK;
}

static enum status take_events(struct import *im, struct table_scan *scan, struct table_chunk **chunks,
                               size_t n, void *context, struct err *e)
{
    struct events *v = context;
    enum status st = v->batch.columns[AT_PERSON] ? ST_OK : make_batch(v, scan, e);
    v->chunks = chunks;
    if (st == ST_OK)
        st = pool_run(im->o->pool, n, look_up, v, e);
    size_t rows = 0;
    for (size_t k = 0; k < n; k++)
        rows += v->kept[k];
    if (st == ST_OK)
        st = make_room(v, rows, e);
    for (size_t k = 0, at = v->batch.n; k < n; k++) {
        v->at[k] = at;
        at += v->kept[k];
        im->n_opted_out += v->opted_out[k];
    }
    if (st == ST_OK)
        st = pool_run(im->o->pool, n, put_rows, v, e);
    for (size_t k = 0; st == ST_OK && k < n; k++)
        st = put_texts(v, k, e);
    v->batch.n += rows;
    return st;
}

static void events_deinit(struct events *v)
{
    for (size_t i = 0; i < SCHEMA_MOST_COLUMNS; i++) {
        scratch_unmap(v->im->scratch, v->least_id[i]);
        text_list_free(v->texts[i]);
    }
    batch_deinit(&v->batch, v->im->spare);
    for (size_t i = 0; i < v->n_runs; i++)
        run_deinit(&v->runs[i]);
    free(v->runs);
    for (size_t k = 0; k < MOST_STEP; k++)
        free(v->persons[k]);
}

static enum status merge(struct events *v, struct err *e)
{
    struct merge_input in = {.table = v->table, .runs = v->runs, .n_runs = v->n_runs};
    for (size_t i = 0; i < v->schema->n; i++) {
        in.least_id[i] = v->least_id[i];
        in.texts[i] = v->texts[i];
    }
    batch_deinit(&v->batch, v->im->spare);
    enum status st = v->table == STORE_VISIT ? visit_index_build(v->im, v->runs, v->n_runs, e) : ST_OK;
    return st == ST_OK ? merge_table(v->im, &in, e) : st;
}

enum status import_events(struct import *im, enum store_table t, struct err *e)
{
    struct events *v = xcalloc(1, sizeof *v);
    bool found;
    *v = (struct events){.im = im, .table = t, .schema = schema_table(t)};
    plan_columns(v);
    struct import_table table = {v->schema->name, v->source, v->n_source, false};
    enum status st = import_read_steps(im, &table, take_events, v, &found, e);
    if (st == ST_OK)
        st = flush(v, e);
    if (st == ST_OK && v->n_runs)
        st = merge(v, e);
    events_deinit(v);
    free(v);
    return st;
}
