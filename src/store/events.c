/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading event tables. Files come from a disk that may lie, so each block is checked while it is decoded:
 * persons are below the number of persons, days are days, codes have a value.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/date.h"
#include "base/mem.h"
#include "base/vectors.h"
#include "store/reader.h"

static enum status check_runs(const struct store *s, struct table_files *t, struct err *e)
{
    uint64_t row = 0;
    bool fine = true;
    for (uint32_t i = 0; fine && i < t->n_runs; i++) {
        const struct store_run *r = &t->runs[i];
        fine = r->first == row && r->n > 0 && r->n <= UINT64_MAX - row && r->persons <= s->persons.n &&
               r->persons <= r->n && t->by_concept[i] < t->n_runs;
        row += r->n;
    }
    for (uint32_t i = 1; fine && i < t->n_runs; i++)
        fine = t->runs[t->by_concept[i - 1]].concept_id < t->runs[t->by_concept[i]].concept_id;
    t->rows = row;
    return fine && row <= (uint64_t)1 << 48 ? ST_OK
                                            : store_damaged(t->runs_file.name, "its runs are not valid", e);
}

static enum status open_runs(const struct store *s, const char *file, struct table_files *t, struct err *e)
{
    const void *p;
    uint64_t n;
    enum status st = store_open_arrays(s, file, &t->runs_file, e);
    if (st != ST_OK)
        return st;
    arrays_fetch(&t->runs_file, NULL);
    t->runs = arrays_get(&t->runs_file, "runs", sizeof *t->runs, &n);
    if (!t->runs || n == 0 || n >= UINT32_MAX)
        return store_damaged(file, "it has no runs", e);
    t->n_runs = (uint32_t)n;
    st = arrays_need(&t->runs_file, "by_concept", 4, n, &p, e);
    t->by_concept = p;
    return st == ST_OK ? check_runs(s, t, e) : st;
}

static enum status open_column(const struct store *s, enum store_table t, size_t i, struct err *e)
{
    const struct schema_table *schema = schema_table(t);
    struct table_files *table = (struct table_files *)(uintptr_t)&s->tables[t];
    enum store_column c = schema->columns[i].column;
    char *file = xasprintf("%s.%s.acc", schema->file, schema_column_name(c));
    enum status st = ST_OK;
    if (store_lists_file(s, file)) {
        char *path = xasprintf("%s/%s", s->folder, file);
        st = column_open(path, store_column_kind(t, c), table->rows, s->persons.n, &table->columns[i], e);
        if (st == ST_NOT_FOUND)
            st = store_damaged(file, "the file is not there", e);
        table->has[i] = st == ST_OK;
        free(path);
    } else if (c == COL_PERSON || c == COL_START) {
        st = store_damaged(file, "the file is not there", e);
    }
    free(file);
    return st;
}

static bool codings_fit(const struct table_files *t)
{
    return t->columns[0].meta.coding == CODING_PERSON && t->columns[2].meta.coding == CODING_PLAIN;
}

enum status events_open(struct store *s, enum store_table t, struct err *e)
{
    const struct schema_table *schema = schema_table(t);
    struct table_files *table = &s->tables[t];
    char *file = xasprintf("%s.runs.acc", schema->file);
    enum status st = ST_OK;
    table->present = store_lists_file(s, file);
    if (table->present)
        st = open_runs(s, file, table, e);
    for (size_t i = 0; st == ST_OK && table->present && i < schema->n; i++)
        if (schema->columns[i].column != COL_CONCEPT)
            st = open_column(s, t, i, e);
    if (st == ST_OK && table->present && !codings_fit(table))
        st = store_damaged(file, "its columns are not coded as they should be", e);
    free(file);
    return st;
}

void events_close(struct table_files *t)
{
    for (size_t i = 0; i < SCHEMA_MOST_COLUMNS; i++)
        column_close(&t->columns[i]);
    arrays_close(&t->runs_file);
    *t = (struct table_files){0};
}

const char *store_table_name(enum store_table t)
{
    return schema_table(t)->name;
}

uint64_t store_rows(const struct store *s, enum store_table t)
{
    return s->tables[t].rows;
}

enum store_kind store_column_kind(enum store_table t, enum store_column c)
{
    if (t == STORE_VISIT && c == COL_VISIT)
        return KIND_I64;
    int at = schema_find(t, c);
    if (at < 0)
        return KIND_ABSENT;
    const struct schema_column *column = &schema_table(t)->columns[at];
    if (c == COL_ID)
        return KIND_I64;
    if (column->origin != FROM_SOURCE)
        return KIND_I32;
    switch (column->source.kind) {
    case TABLE_I64:
        return KIND_I64;
    case TABLE_F64:
        return KIND_F64;
    case TABLE_TEXT:
        return KIND_TEXT;
    default:
        return KIND_I32;
    }
}

void store_runs(const struct store *s, enum store_table t, const struct store_run **runs, uint32_t *n)
{
    *runs = s->tables[t].runs;
    *n = s->tables[t].n_runs;
}

const uint32_t *store_runs_by_concept(const struct store *s, enum store_table t)
{
    return s->tables[t].by_concept;
}

bool store_run_find(const struct store *s, enum store_table t, int32_t concept_id, struct store_run *out)
{
    const struct table_files *f = &s->tables[t];
    uint32_t low = 0, high = f->n_runs;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (f->runs[f->by_concept[mid]].concept_id < concept_id)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == f->n_runs || f->runs[f->by_concept[low]].concept_id != concept_id)
        return false;
    *out = f->runs[f->by_concept[low]];
    return true;
}

void store_block_persons(const struct store *s, enum store_table t, const uint32_t **first, uint64_t *n)
{
    *first = s->tables[t].columns[0].first;
    *n = *first ? block_count(s->tables[t].rows) : 0;
}

/* The column, with COL_VISIT of visits being their id; NULL when no row has a value or the table is not
 * there. */
static const struct column *column_of(const struct store *s, enum store_table t, enum store_column c)
{
    int at = schema_find(t, t == STORE_VISIT && c == COL_VISIT ? COL_ID : c);
    return at >= 0 && s->tables[t].has[at] ? &s->tables[t].columns[at] : NULL;
}

bool store_has_values(const struct store *s, enum store_table t, enum store_column c)
{
    return c == COL_CONCEPT ? s->tables[t].rows > 0 : column_of(s, t, c) != NULL;
}

static enum status bad_block(const struct column *c, struct err *e)
{
    return store_damaged(c->file.name, "a block is not valid", e);
}

static bool decode_persons(const struct store *s, const struct table_files *t, uint64_t b, int32_t *out)
{
    const struct column *c = &t->columns[0];
    const uint8_t *bytes;
    size_t n;
    if (!packed_block(&c->packed, b, &bytes, &n) || !block_decode_i32(bytes, n, out))
        return false;
    return block_sum(out, c->first[b]) < s->persons.n;
}

VECTORS static void add_days(const int32_t *restrict start, int32_t *restrict out)
{
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        out[i] = out[i] == NONE_I32 ? NONE_I32 : (int32_t)((uint32_t)out[i] + (uint32_t)start[i]);
}

static bool add_starts(const struct table_files *t, uint64_t b, int32_t *out)
{
    int32_t starts[BLOCK_ROWS];
    const uint8_t *bytes;
    size_t n;
    if (!packed_block(&t->columns[2].packed, b, &bytes, &n) || !block_decode_i32(bytes, n, starts))
        return false;
    add_days(starts, out);
    return true;
}

VECTORS static void values_of_codes(const int64_t *restrict distinct, int32_t *restrict out)
{
    for (unsigned i = 0; i < BLOCK_ROWS; i++) {
        bool none = out[i] == NONE_I32;
        int32_t value = (int32_t)distinct[none ? 0 : out[i]];
        out[i] = none ? NONE_I32 : value;
    }
}

static bool from_codes(const struct column *c, int32_t *out)
{
    if (!block_within(out, 0, (int32_t)c->n_distinct - 1))
        return false;
    if (c->n_distinct > 0)
        values_of_codes(c->distinct, out);
    return true;
}

static bool from_text_codes(const struct column *c, int32_t *out)
{
    bool fine = block_within(out, 0, (int32_t)c->n_texts - 1);
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        out[i] = out[i] == NONE_I32 ? -1 : out[i];
    return fine;
}

static bool decode_i32(const struct store *s, enum store_table t, const struct column *c, uint64_t b,
                       int32_t *out)
{
    const struct table_files *f = &s->tables[t];
    const uint8_t *bytes;
    size_t n;
    if (c->meta.coding == CODING_PERSON)
        return decode_persons(s, f, b, out);
    if (!packed_block(&c->packed, b, &bytes, &n) || !block_decode_i32(bytes, n, out))
        return false;
    if (c == &f->columns[2])
        return block_surely_within(bytes, DATE_MIN, DATE_MAX) || block_within(out, DATE_MIN, DATE_MAX);
    if (c->meta.coding == CODING_FROM_START && block_user(bytes) == COLUMN_CODES && !from_codes(c, out))
        return false;
    if (c->meta.coding == CODING_FROM_START)
        return add_starts(f, b, out) && block_within(out, DATE_MIN, DATE_MAX);
    if (c->meta.coding == CODING_DISTINCT)
        return from_codes(c, out);
    if (c->meta.coding == CODING_TEXT)
        return from_text_codes(c, out);
    return c->meta.coding == CODING_PLAIN;
}

static bool add_base(const struct store *s, const struct table_files *f, const struct column *c, uint64_t b,
                     int64_t *out)
{
    int32_t persons[BLOCK_ROWS];
    int64_t base = 0;
    if (c->meta.coding != CODING_ID || !decode_persons(s, f, b, persons))
        return false;
    for (unsigned i = 0; i < BLOCK_ROWS; i++) {
        if ((i == 0 || persons[i] != persons[i - 1]) && !packed_value(&c->base, (uint64_t)persons[i], &base))
            return false;
        out[i] = out[i] == NONE_I64 ? NONE_I64 : (int64_t)((uint64_t)out[i] + (uint64_t)base);
    }
    return true;
}

static bool decode_i64(const struct store *s, enum store_table t, const struct column *c, uint64_t b,
                       int64_t *out)
{
    const uint8_t *bytes;
    size_t n;
    if (!packed_block(&c->packed, b, &bytes, &n) || !block_decode_i64(bytes, n, out))
        return false;
    if (c->meta.coding != CODING_ID && c->meta.coding != CODING_PLAIN)
        return false;
    return block_user(bytes) == 0 || add_base(s, &s->tables[t], c, b, out);
}

/* Decimals: the integer by a power of ten, which gives back the double that was imported. */
VECTORS static void divide(const int64_t *restrict v, size_t n, double by, double *restrict out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = v[i] == NONE_I64 ? (double)NAN : (double)v[i] / by;
}

VECTORS static bool codes_fit(const int64_t *codes, size_t n, uint64_t n_distinct)
{
    uint64_t wrong = 0;
    for (size_t i = 0; i < n; i++)
        wrong += (codes[i] != NONE_I64) & ((uint64_t)codes[i] >= n_distinct);
    return !wrong;
}

/* The doubles that codes, which fit, stand for. */
VECTORS static void look_up(const int64_t *restrict code, size_t n, const int64_t *restrict distinct,
                            double *restrict out)
{
    int64_t bits[BLOCK_ROWS];
    for (size_t i = 0; i < n; i++)
        bits[i] = distinct[code[i] == NONE_I64 ? 0 : code[i]];
    memcpy(out, bits, n * sizeof *bits);
    for (size_t i = 0; i < n; i++)
        out[i] = code[i] == NONE_I64 ? (double)NAN : out[i];
}

static void copy_bits(const int64_t *v, size_t n, double *out)
{
    memcpy(out, v, n * sizeof *v);
    for (size_t i = 0; i < n; i++)
        out[i] = v[i] == NONE_I64 ? (double)NAN : out[i];
}

/* What n integers of a block (512 at most) stand for. */
static bool numbers_of(const struct column *c, unsigned how, const int64_t *v, size_t n, double *out)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    if (how == COLUMN_NUMBER_CODES && (c->n_distinct == 0 || !codes_fit(v, n, c->n_distinct)))
        return false;
    if (how <= COLUMN_MOST_DECIMALS)
        divide(v, n, powers[how], out);
    else if (how == COLUMN_NUMBER_CODES)
        look_up(v, n, c->distinct, out);
    else
        copy_bits(v, n, out);
    return how <= COLUMN_MOST_DECIMALS || how == COLUMN_NUMBER_BITS || how == COLUMN_NUMBER_CODES;
}

/* The integers of a block of numbers, and what they are. */
static bool decode_numbers(const struct column *c, uint64_t b, int64_t *out, unsigned *how)
{
    const uint8_t *bytes;
    size_t n;
    if (c->meta.coding != CODING_NUMBER || !packed_block(&c->packed, b, &bytes, &n) ||
        !block_decode_i64(bytes, n, out))
        return false;
    *how = block_user(bytes);
    return true;
}

static bool decode_f64(const struct column *c, uint64_t b, double *out)
{
    int64_t values[BLOCK_ROWS];
    unsigned how;
    return decode_numbers(c, b, values, &how) && numbers_of(c, how, values, BLOCK_ROWS, out);
}

static enum status check_range(const struct store *s, enum store_table t, enum store_column c, bool kind_fits,
                               uint64_t first, uint64_t n, struct err *e)
{
    if (!kind_fits)
        return err_set(e, ST_INTERNAL, "the column %s of %s is not of the type asked for",
                       schema_column_name(c), schema_table(t)->name);
    if (first > s->tables[t].rows || n > s->tables[t].rows - first)
        return err_set(e, ST_INTERNAL, "rows behind the end of %s were asked for", schema_table(t)->name);
    return ST_OK;
}

/* Which part of block b the rows [first, first + n) take. */
struct span {
    unsigned from, n;
};
static struct span span_of(uint64_t b, uint64_t first, uint64_t n)
{
    uint64_t start = b * BLOCK_ROWS, end = start + BLOCK_ROWS;
    uint64_t from = first > start ? first : start, to = first + n < end ? first + n : end;
    return (struct span){(unsigned)(from - start), (unsigned)(to - from)};
}

/* Walks over the blocks of a range into `out`: whole ones are decoded in place, others beside. `decode` is an
 * expression over b, the number of the block, and `to`, where its rows go. */
#define READ_BLOCKS(beside, to, decode)                                                                      \
    for (uint64_t b = first / BLOCK_ROWS, done = 0; done < n; b++) {                                         \
        struct span part = span_of(b, first, n);                                                             \
        (to) = part.n == BLOCK_ROWS ? out + done : (beside);                                                 \
        if (!(decode))                                                                                       \
            return bad_block(column, e);                                                                     \
        if ((to) == (beside))                                                                                \
            memcpy(out + done, (beside) + part.from, part.n * sizeof *out);                                  \
        done += part.n;                                                                                      \
    }                                                                                                        \
    return ST_OK

static uint32_t run_of_row(const struct table_files *t, uint64_t row)
{
    uint32_t low = 0, high = t->n_runs - 1;
    while (low < high) {
        uint32_t mid = low + (high - low + 1) / 2;
        if (t->runs[mid].first <= row)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}

static void read_concepts(const struct table_files *t, uint64_t first, uint64_t n, int32_t *out)
{
    uint32_t run = n ? run_of_row(t, first) : 0;
    for (uint64_t i = 0; i < n; i++) {
        while (first + i >= t->runs[run].first + t->runs[run].n)
            run++;
        out[i] = t->runs[run].concept_id;
    }
}

/* What nearly every block is read for, persons and first days, is found without asking what kind of column it is
 * (codings_fit); NULL for all others, and where the rows are not there. */
static const struct column *scanned_column(const struct store *s, enum store_table t, enum store_column c,
                                           uint64_t first, uint64_t n)
{
    const struct table_files *f = &s->tables[t];
    if ((c != COL_PERSON && c != COL_START) || first > f->rows || n > f->rows - first)
        return NULL;
    return f->rows ? &f->columns[c == COL_PERSON ? 0 : 2] : NULL;
}

enum status store_read_i32(const struct store *s, enum store_table t, enum store_column c, uint64_t first,
                           uint64_t n, int32_t *out, struct err *e)
{
    int32_t beside[BLOCK_ROWS], *to;
    const struct column *column = scanned_column(s, t, c, first, n);
    if (column) {
        READ_BLOCKS(beside, to, decode_i32(s, t, column, b, to));
    }
    enum store_kind kind = store_column_kind(t, c);
    enum status st = check_range(s, t, c, kind == KIND_I32 || kind == KIND_TEXT, first, n, e);
    if (st != ST_OK)
        return st;
    column = column_of(s, t, c);
    if (c == COL_CONCEPT) {
        read_concepts(&s->tables[t], first, n, out);
        return ST_OK;
    }
    if (!column || column->meta.coding == CODING_CONSTANT) {
        int32_t value = column ? (int32_t)column->meta.constant : kind == KIND_TEXT ? -1 : NONE_I32;
        for (uint64_t i = 0; i < n; i++)
            out[i] = value;
        return ST_OK;
    }
    READ_BLOCKS(beside, to, decode_i32(s, t, column, b, to));
}

enum status store_read_i64(const struct store *s, enum store_table t, enum store_column c, uint64_t first,
                           uint64_t n, int64_t *out, struct err *e)
{
    enum status st = check_range(s, t, c, store_column_kind(t, c) == KIND_I64, first, n, e);
    if (st != ST_OK)
        return st;
    const struct column *column = column_of(s, t, c);
    if (!column || column->meta.coding == CODING_CONSTANT) {
        for (uint64_t i = 0; i < n; i++)
            out[i] = column ? column->meta.constant : NONE_I64;
        return ST_OK;
    }
    int64_t beside[BLOCK_ROWS], *to;
    READ_BLOCKS(beside, to, decode_i64(s, t, column, b, to));
}

/* A column without blocks: its one value, or NaN. */
static double constant_f64(const struct column *c)
{
    double value = (double)NAN;
    if (c)
        memcpy(&value, &c->meta.constant, sizeof value);
    return value;
}

enum status store_read_f64(const struct store *s, enum store_table t, enum store_column c, uint64_t first,
                           uint64_t n, double *out, struct err *e)
{
    enum status st = check_range(s, t, c, store_column_kind(t, c) == KIND_F64, first, n, e);
    if (st != ST_OK)
        return st;
    const struct column *column = column_of(s, t, c);
    if (!column || column->meta.coding == CODING_CONSTANT) {
        for (uint64_t i = 0; i < n; i++)
            out[i] = constant_f64(column);
        return ST_OK;
    }
    double beside[BLOCK_ROWS], *to;
    READ_BLOCKS(beside, to, decode_f64(column, b, to));
}

enum status store_pick_f64(const struct store *s, enum store_table t, enum store_column c, uint64_t first,
                           uint64_t n, const uint8_t *mask, double *out, struct err *e)
{
    enum status st = check_range(s, t, c, store_column_kind(t, c) == KIND_F64, first, n, e);
    if (st != ST_OK)
        return st;
    const struct column *column = column_of(s, t, c);
    bool constant = !column || column->meta.coding == CODING_CONSTANT;
    int64_t values[BLOCK_ROWS];
    unsigned how;
    for (uint64_t b = first / BLOCK_ROWS, done = 0; done < n; b++) {
        struct span part = span_of(b, first, n);
        if (!constant && !decode_numbers(column, b, values, &how))
            return bad_block(column, e);
        size_t kept = bits_keep64(values, values + part.from, mask + done, part.n);
        for (size_t i = 0; constant && i < kept; i++)
            out[i] = constant_f64(column);
        if (!constant && !numbers_of(column, how, values, kept, out))
            return bad_block(column, e);
        out += kept;
        done += part.n;
    }
    return ST_OK;
}

/* Days from the start, or codes of them, to days. */
static bool ends_of(const struct column *c, bool codes, const int32_t *start, size_t n, int32_t *v)
{
    bool fine = true;
    for (size_t i = 0; i < n; i++) {
        if (v[i] == NONE_I32)
            continue;
        if (codes && (uint32_t)v[i] >= c->n_distinct)
            return false;
        int32_t days = codes ? (int32_t)c->distinct[v[i]] : v[i];
        v[i] = (int32_t)((uint32_t)start[i] + (uint32_t)days);
        fine &= v[i] == NONE_I32 || (v[i] >= DATE_MIN && v[i] <= DATE_MAX);
    }
    return fine;
}

/* The masked rows of a part of block b; how many. */
static bool pick_ends(const struct store *s, enum store_table t, const struct column *c, uint64_t b,
                      struct span part, const uint8_t *mask, const int32_t *starts, int32_t *out,
                      size_t *kept)
{
    int32_t values[BLOCK_ROWS];
    const uint8_t *bytes;
    size_t n;
    bool apart = c->meta.coding == CODING_FROM_START;
    if (apart ? !packed_block(&c->packed, b, &bytes, &n) || !block_decode_i32(bytes, n, values)
              : !decode_i32(s, t, c, b, values))
        return false;
    *kept = bits_keep32(values, values + part.from, mask, part.n);
    memcpy(out, values, *kept * sizeof *out);
    return !apart || ends_of(c, block_user(bytes) == COLUMN_CODES, starts, *kept, out);
}

enum status store_pick_ends(const struct store *s, enum store_table t, uint64_t first, uint64_t n,
                            const uint8_t *mask, const int32_t *starts, int32_t *out, struct err *e)
{
    enum status st = check_range(s, t, COL_END, store_column_kind(t, COL_END) == KIND_I32, first, n, e);
    if (st != ST_OK)
        return st;
    const struct column *column = column_of(s, t, COL_END);
    bool constant = !column || column->meta.coding == CODING_CONSTANT;
    for (uint64_t b = first / BLOCK_ROWS, done = 0; done < n; b++) {
        struct span part = span_of(b, first, n);
        size_t kept = 0;
        if (!constant && !pick_ends(s, t, column, b, part, mask + done, starts, out, &kept))
            return bad_block(column, e);
        for (unsigned i = 0; constant && i < part.n; i++)
            if (mask[done + i])
                out[kept++] = column ? (int32_t)column->meta.constant : NONE_I32;
        starts += kept;
        out += kept;
        done += part.n;
    }
    return ST_OK;
}

enum status store_id_bases_read(const struct store *s, enum store_table t, uint32_t first, uint32_t n,
                                struct store_id_bases *out, struct err *e)
{
    const struct column *c = column_of(s, t, COL_ID);
    *out = (struct store_id_bases){.first = first};
    if (!c || c->meta.coding != CODING_ID)
        return ST_OK;
    int64_t *base = xmalloc(((size_t)n + 1) * sizeof *base), all[BLOCK_ROWS];
    for (uint64_t b = first / BLOCK_ROWS; b * BLOCK_ROWS < (uint64_t)first + n; b++) {
        struct span part = span_of(b, first, n);
        const uint8_t *bytes;
        size_t size;
        if (!packed_block(&c->base, b, &bytes, &size) || !block_decode_i64(bytes, size, all)) {
            free(base);
            return bad_block(c, e);
        }
        memcpy(base + (b * BLOCK_ROWS + part.from - first), all + part.from, part.n * sizeof *base);
    }
    out->n = n;
    out->base = base;
    return ST_OK;
}

void store_id_bases_deinit(struct store_id_bases *b)
{
    free(b->base);
    *b = (struct store_id_bases){0};
}

static bool base_of(const struct column *c, const struct store_id_bases *known, uint32_t person, int64_t *out)
{
    if (person - known->first < known->n) {
        *out = known->base[person - known->first];
        return true;
    }
    return packed_value(&c->base, person, out);
}

/* The ids of those of the n rows first + at[i] that lie in the block of the first of them; returns how many, 0
 * where the block is not valid. */
static size_t pick_block_ids(const struct column *c, uint64_t first, const uint16_t *at, size_t n,
                             const int32_t *person, const struct store_id_bases *bases, int64_t *out)
{
    uint64_t block = (first + at[0]) / BLOCK_ROWS;
    const uint8_t *bytes;
    size_t size, i = 0;
    int64_t codes[BLOCK_ROWS], base = 0;
    if (!packed_block(&c->packed, block, &bytes, &size) || !block_decode_i64(bytes, size, codes))
        return 0;
    bool has_base = block_user(bytes) != 0;
    if (c->meta.coding != CODING_PLAIN && c->meta.coding != CODING_ID)
        return 0;
    for (; i < n && (first + at[i]) / BLOCK_ROWS == block; i++) {
        int64_t code = codes[(first + at[i]) % BLOCK_ROWS];
        if (has_base && (c->meta.coding != CODING_ID || !base_of(c, bases, (uint32_t)person[at[i]], &base)))
            return 0;
        out[i] = code == NONE_I64 ? NONE_I64 : (int64_t)((uint64_t)code + (uint64_t)base);
    }
    return i;
}

enum status store_pick_ids(const struct store *s, enum store_table t, uint64_t first, const uint16_t *at,
                           size_t n, const int32_t *person, const struct store_id_bases *bases, int64_t *out,
                           struct err *e)
{
    enum status st = check_range(s, t, COL_ID, true, first, n ? at[n - 1] + 1ULL : 0, e);
    const struct column *column = column_of(s, t, COL_ID);
    if (st != ST_OK)
        return st;
    if (!column || column->meta.coding == CODING_CONSTANT) {
        for (size_t i = 0; i < n; i++)
            out[i] = column ? column->meta.constant : NONE_I64;
        return ST_OK;
    }
    for (size_t i = 0, taken; i < n; i += taken) {
        taken = pick_block_ids(column, first, at + i, n - i, person, bases, out + i);
        if (taken == 0)
            return bad_block(column, e);
    }
    return ST_OK;
}

const char *store_text(const struct store *s, enum store_table t, enum store_column c, int32_t code)
{
    const struct column *column = column_of(s, t, c);
    if (!column || code < 0 || (uint64_t)code >= column->n_texts)
        return NULL;
    return column->text + column->text_at[code];
}

int32_t store_n_texts(const struct store *s, enum store_table t, enum store_column c)
{
    const struct column *column = column_of(s, t, c);
    return column ? (int32_t)column->n_texts : 0;
}

enum status store_run_seek(const struct store *s, enum store_table t, const struct store_run *r,
                           uint32_t person, uint64_t *row, struct err *e)
{
    const struct column *c = &s->tables[t].columns[0];
    uint64_t end = r->first + r->n;
    /* The last block that begins in the run with a smaller person; the first row at or behind `person` is in
     * it or begins the next. */
    uint64_t low = r->first / BLOCK_ROWS, high = (end - 1) / BLOCK_ROWS;
    while (low < high) {
        uint64_t mid = low + (high - low + 1) / 2;
        if (c->first[mid] < person)
            low = mid;
        else
            high = mid - 1;
    }
    int32_t persons[BLOCK_ROWS];
    if (!decode_persons(s, &s->tables[t], low, persons))
        return bad_block(c, e);
    uint64_t at = low * BLOCK_ROWS > r->first ? low * BLOCK_ROWS : r->first;
    uint64_t stop = (low + 1) * BLOCK_ROWS < end ? (low + 1) * BLOCK_ROWS : end;
    while (at < stop && (uint32_t)persons[at % BLOCK_ROWS] < person)
        at++;
    *row = at;
    return ST_OK;
}
