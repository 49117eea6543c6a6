/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder of CSV files as a source. While the pieces of one block are parsed on all threads, one of them
 * reads (and decompresses) the next block first: two blocks take turns.
 */
#include "source/source.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/csv.h"
#include "base/file.h"
#include "source/value.h"

enum { PIECE_BYTES = 1 << 19, MOST_PIECES = 64, LEAST_ROWS = 4096 };

struct csv_source {
    struct table_source base;
    char *folder;
    char **files;
    size_t n_files;
};

/* Everything of one piece: reused from block to block. */
struct piece {
    struct table_chunk chunk;
    struct slice bytes;
    struct csv_scan scan;
    size_t capacity; /* rows in the arrays of the chunk */
    uint32_t *line;
    bool broken; /* the scan has an error to tell */
};

struct csv_table {
    struct table_scan base;
    struct csv *csv;
    struct csv_block blocks[2];
    int current; /* the block to parse next, once `ready` */
    bool ready;
    struct piece *pieces;
    size_t n_pieces;
    uint64_t lines;
    int *wanted; /* the positions of the columns that are there */
    size_t n_wanted;
};

static size_t width_of(enum table_kind kind)
{
    return kind == TABLE_TEXT ? sizeof(struct slice) : kind == TABLE_I32 || kind == TABLE_DATE ? 4 : 8;
}

static void piece_reserve(const struct csv_table *t, struct piece *p, size_t rows)
{
    if (rows <= p->capacity)
        return;
    size_t capacity = p->capacity ? p->capacity * 2 : LEAST_ROWS;
    capacity = capacity < rows ? rows : capacity;
    for (size_t i = 0; i < t->base.n_columns; i++)
        if (t->base.positions[i] >= 0)
            p->chunk.columns[i] =
                xrealloc_array(p->chunk.columns[i], capacity, width_of(t->base.columns[i].kind));
    p->line = xrealloc_array(p->line, capacity, sizeof *p->line);
    p->chunk.line = p->line;
    p->capacity = capacity;
}

static void set_missing(enum table_kind kind, void *array, size_t row)
{
    if (kind == TABLE_I64)
        ((int64_t *)array)[row] = NONE_I64;
    else if (kind == TABLE_F64)
        ((double *)array)[row] = (double)NAN;
    else if (kind == TABLE_TEXT)
        ((struct slice *)array)[row] = (struct slice){0};
    else
        ((int32_t *)array)[row] = NONE_I32;
}

static inline bool set_value(enum table_kind kind, void *array, size_t row, struct slice text,
                             const char *end)
{
    switch (kind) {
    case TABLE_I32:
        return value_i32(text, end, (int32_t *)array + row);
    case TABLE_I64:
        return value_i64(text, end, (int64_t *)array + row);
    case TABLE_F64:
        return value_double(text, (double *)array + row);
    case TABLE_DATE:
        return value_date(text, (int32_t *)array + row);
    case TABLE_TEXT:
        ((struct slice *)array)[row] = text;
        return true;
    }
    return false;
}

/* What programs write where there is no value. */
static bool stands_for_nothing(struct slice text)
{
    static const char *const words[] = {"NULL", "NA", "\\N", "NaN", "None", "."};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text.n == strlen(words[i]) && strncasecmp(text.p, words[i], text.n) == 0)
            return true;
    return false;
}

static const char *expectation(enum table_kind kind, struct slice found)
{
#define OR_NOTHING ", or an empty field where there is no value (not NULL, NA or \\N)"
    static const char *const texts[] = {[TABLE_I32] = "a whole number of 32 bits",
                                        [TABLE_I64] = "a whole number",
                                        [TABLE_F64] = "a number",
                                        [TABLE_DATE] = "a date YYYY-MM-DD",
                                        [TABLE_TEXT] = "text"};
    static const char *const longer[] = {[TABLE_I32] = "a whole number of 32 bits" OR_NOTHING,
                                         [TABLE_I64] = "a whole number" OR_NOTHING,
                                         [TABLE_F64] = "a number" OR_NOTHING,
                                         [TABLE_DATE] = "a date YYYY-MM-DD" OR_NOTHING,
                                         [TABLE_TEXT] = "text"};
#undef OR_NOTHING
    return stands_for_nothing(found) ? longer[kind] : texts[kind];
}

/* False when the row is at fault. */
static bool parse_row(const struct csv_table *t, struct piece *p, const struct slice *fields)
{
    struct table_chunk *c = &p->chunk;
    const char *end = p->bytes.p + p->bytes.n;
    for (size_t i = 0; i < t->base.n_columns; i++) {
        int at = t->base.positions[i];
        if (at < 0)
            continue;
        const struct table_column *column = &t->base.columns[i];
        struct slice text = fields[at];
        const char *expected = NULL;
        if (text.n == 0) {
            set_missing(column->kind, c->columns[i], c->n);
            if (column->need == TABLE_VALUE)
                expected = "a value, found none";
        } else if (!set_value(column->kind, c->columns[i], c->n, text, end)) {
            expected = expectation(column->kind, text);
        }
        if (expected) {
            table_fault_add(c, (uint32_t)p->scan.row_line + 1, i, expected);
            return false;
        }
    }
    return true;
}

static void *place_in(const struct piece *p, size_t column, enum table_kind kind)
{
    return (char *)p->chunk.columns[column] + p->chunk.n * width_of(kind);
}

/* False when a row of them is at fault; nothing is kept then. */
static bool parse_rows(const struct csv_table *t, struct piece *p, const struct csv_rows *rows)
{
    piece_reserve(t, p, p->chunk.n + rows->n);
    for (size_t i = 0; i < t->base.n_columns; i++) {
        const struct table_column *c = &t->base.columns[i];
        int at = t->base.positions[i];
        if (at >= 0 &&
            !value_column(c->kind, rows, (size_t)at, c->need == TABLE_VALUE, place_in(p, i, c->kind)))
            return false;
    }
    for (size_t i = 0; i < rows->n; i++)
        p->line[p->chunk.n + i] = (uint32_t)(rows->line + i) + 1;
    p->chunk.n += rows->n;
    return true;
}

/* The next `most` rows one by one; false at the end, and at a fault that stops. */
static bool parse_each(const struct csv_table *t, struct piece *p, size_t most)
{
    const struct slice *fields;
    for (size_t i = 0; i < most; i++) {
        if (!csv_scan_next(&p->scan, &fields) || !fields)
            return false;
        piece_reserve(t, p, p->chunk.n + 1);
        p->line[p->chunk.n] = (uint32_t)p->scan.row_line + 1;
        if (parse_row(t, p, fields))
            p->chunk.n++;
        else if (!t->base.skip)
            return false;
    }
    return true;
}

/* Column by column where rows are plain and without fault; row by row where not, so that faults are told in
 * their order. */
static void parse_piece(const struct csv_table *t, struct piece *p)
{
    struct csv_rows rows;
    bool more = true;
    p->chunk.n = 0;
    p->chunk.faults.n = 0;
    csv_scan_init(&p->scan, t->csv, p->bytes);
    csv_scan_want(&p->scan, t->wanted, t->n_wanted);
    while (more) {
        bool plain = csv_scan_rows(&p->scan, &rows);
        if (plain && parse_rows(t, p, &rows))
            csv_scan_pass(&p->scan, &rows);
        else
            more = parse_each(t, p, plain ? rows.n : 1);
    }
    p->broken = p->scan.wrong != NULL;
    csv_scan_deinit(&p->scan);
}

/* Task 0 reads the next block, the others parse the pieces of this one. */
static enum status work(void *context, size_t i, struct err *e)
{
    struct csv_table *t = context;
    if (i == 0)
        return csv_take(t->csv, &t->blocks[1 - t->current], t->n_pieces * PIECE_BYTES, e);
    parse_piece(t, &t->pieces[i - 1]);
    return ST_OK;
}

static enum status reserve_pieces(struct csv_table *t, struct pool *pool, struct err *e)
{
    size_t n = 2 * (size_t)pool_threads(pool);
    t->n_pieces = n < MOST_PIECES ? n : MOST_PIECES;
    t->pieces = xcalloc(t->n_pieces, sizeof *t->pieces);
    for (size_t i = 0; i < t->n_pieces; i++)
        t->pieces[i].chunk.columns = xcalloc(t->base.n_columns, sizeof(void *));
    return csv_take(t->csv, &t->blocks[0], t->n_pieces * PIECE_BYTES, e);
}

static enum status table_next(struct table_scan *scan, struct pool *pool, struct table_chunk **chunks,
                              size_t *n_out, struct err *e)
{
    struct csv_table *t = (struct csv_table *)scan;
    enum status st = t->pieces ? ST_OK : reserve_pieces(t, pool, e);
    *n_out = 0;
    if (st != ST_OK)
        return st;
    struct csv_block *block = &t->blocks[t->current];
    struct slice bytes[MOST_PIECES];
    size_t n = csv_split(t->csv, block, bytes, t->n_pieces);
    for (size_t i = 0; i < n; i++)
        t->pieces[i].bytes = bytes[i];
    st = n ? pool_run(pool, n + 1, work, t, e) : ST_OK;
    for (size_t i = 0; st == ST_OK && i < n; i++) {
        struct piece *p = &t->pieces[i];
        p->chunk.lines_before = t->lines;
        if (p->broken)
            st = csv_scan_error(&p->scan, t->lines, e);
        t->lines += p->scan.line;
        chunks[i] = &p->chunk;
    }
    t->current = 1 - t->current;
    *n_out = n;
    return st;
}

static void table_progress(const struct table_scan *scan, uint64_t *done, uint64_t *total)
{
    const struct csv_table *t = (const struct csv_table *)scan;
    *done = csv_taken(t->csv);
    *total = csv_size(t->csv);
}

static void table_close(struct table_scan *scan)
{
    struct csv_table *t = (struct csv_table *)scan;
    for (size_t i = 0; i < t->n_pieces; i++) {
        for (size_t k = 0; k < t->base.n_columns; k++)
            free(t->pieces[i].chunk.columns[k]);
        free(t->pieces[i].chunk.columns);
        free(t->pieces[i].line);
    }
    free(t->pieces);
    free(t->wanted);
    csv_block_deinit(&t->blocks[0]);
    csv_block_deinit(&t->blocks[1]);
    csv_close(t->csv);
    table_scan_deinit(&t->base);
    free(t);
}

static const struct table_scan_ops csv_table_ops = {table_next, table_progress, table_close};

static enum status place_columns(struct csv_table *t, struct err *e)
{
    struct table_scan *s = &t->base;
    t->wanted = xcalloc(s->n_columns, sizeof *t->wanted);
    for (size_t i = 0; i < s->n_columns; i++) {
        const struct table_column *c = &s->columns[i];
        s->positions[i] = csv_find(t->csv, c->name);
        if (s->positions[i] < 0 && c->alias)
            s->positions[i] = csv_find(t->csv, c->alias);
        if (s->positions[i] < 0 && c->need != TABLE_OPTIONAL) {
            int unused;
            return csv_need(t->csv, c->name, &unused, e);
        }
        if (s->positions[i] >= 0)
            t->wanted[t->n_wanted++] = s->positions[i];
    }
    for (int k = 0; k < csv_columns(t->csv); k++) {
        bool asked = false;
        for (size_t i = 0; i < s->n_columns && !asked; i++)
            asked = s->positions[i] == k;
        if (asked)
            continue;
        s->unknown = xrealloc_array(s->unknown, s->n_unknown + 1, sizeof *s->unknown);
        s->unknown[s->n_unknown++] = xstrdup(csv_column(t->csv, k));
    }
    return ST_OK;
}

/* "PERSON.csv.gz" is the table "person". */
static bool file_holds(const char *file, const char *table)
{
    static const char *const endings[] = {".csv", ".tsv", ".txt"};
    static const char *const packings[] = {"", ".gz", ".zst"};
    size_t n = strlen(table);
    if (strncasecmp(file, table, n) != 0)
        return false;
    for (size_t i = 0; i < 9; i++) {
        char rest[16];
        snprintf(rest, sizeof rest, "%s%s", endings[i / 3], packings[i % 3]);
        if (strcasecmp(file + n, rest) == 0)
            return true;
    }
    return false;
}

static enum status find_file(const struct csv_source *s, const char *table, const char **file, struct err *e)
{
    *file = NULL;
    for (size_t i = 0; i < s->n_files; i++) {
        if (!file_holds(s->files[i], table))
            continue;
        if (*file)
            return err_set(e, ST_INVALID, "both %s and %s hold the table %s; keep one", *file, s->files[i],
                           table);
        *file = s->files[i];
    }
    if (!*file)
        return err_set(e, ST_NOT_FOUND,
                       "there is no %s.csv (or .tsv, .txt, also with .gz or .zst) in the folder", table);
    return ST_OK;
}

static enum status source_open(struct table_source *source, const char *table,
                               const struct table_column *columns, size_t n_columns, bool skip,
                               struct table_scan **out, struct err *e)
{
    struct csv_source *s = (struct csv_source *)source;
    const char *file;
    *out = NULL;
    enum status st = find_file(s, table, &file, e);
    if (st != ST_OK)
        return st;
    struct csv_table *t = xcalloc(1, sizeof *t);
    t->base = (struct table_scan){.ops = &csv_table_ops,
                                  .name = xstrdup(file),
                                  .columns = columns,
                                  .n_columns = n_columns,
                                  .skip = skip};
    t->base.positions = xcalloc(n_columns, sizeof *t->base.positions);
    t->lines = 1;
    char *path = xasprintf("%s/%s", s->folder, file);
    st = csv_open(path, &t->csv, e);
    free(path);
    if (st == ST_OK)
        st = place_columns(t, e);
    if (st == ST_OK)
        *out = &t->base;
    else
        table_close(&t->base);
    return st;
}

static void source_close(struct table_source *source)
{
    struct csv_source *s = (struct csv_source *)source;
    if (!s)
        return;
    dir_list_free(s->files, s->n_files);
    free(s->folder);
    free(s);
}

enum status source_open_csv(const char *folder, struct table_source **out, struct err *e)
{
    struct csv_source *s = xcalloc(1, sizeof *s);
    s->base = (struct table_source){source_open, source_close, "csv"};
    s->folder = xstrdup(folder);
    *out = NULL;
    enum status st = dir_list(folder, &s->files, &s->n_files, e);
    if (st == ST_OK)
        *out = &s->base;
    else
        source_close(&s->base);
    return st;
}
