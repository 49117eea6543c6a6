/* SPDX-License-Identifier: Apache-2.0 */
#include "store/encode.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { AHEAD = 32 }; /* rows looked ahead, so that memory comes in time */

/* Distinct values of a column with their numbers of rows, in an open hash; given up when there are too many.
 */
struct distinct {
    int64_t value[2 * COLUMN_MOST_DISTINCT];
    uint64_t rows[2 * COLUMN_MOST_DISTINCT]; /* 0 = free */
    int32_t code[2 * COLUMN_MOST_DISTINCT];
    size_t n;
};

struct encoder {
    struct column_writer *w; /* NULL for a constant: its file is written at once */
    enum column_coding coding;
    struct distinct *distinct;
    int64_t *values; /* of the codes */
    int64_t *base;   /* of each person: the least id, or the base of the person before; borrowed */
    uint32_t n_persons;
    struct scratch *scratch;
    const struct text_list *texts;
    uint32_t *first;
    size_t n_first, cap_first;
};

static size_t slot_of(const struct distinct *d, int64_t value)
{
    size_t mask = 2 * COLUMN_MOST_DISTINCT - 1, at = (size_t)idmap_hash(value) & mask;
    while (d->rows[at] && d->value[at] != value)
        at = (at + 1) & mask;
    return at;
}

static bool count_value(struct distinct *d, int64_t value, uint64_t rows)
{
    size_t at = slot_of(d, value);
    if (!d->rows[at] && ++d->n > COLUMN_MOST_DISTINCT)
        return false;
    d->value[at] = value;
    d->rows[at] += rows;
    return true;
}

/* Rows [from, from + n) of a column of a run as they are coded: ends as days from the start (`start`, else NULL). */
static void coded_values(const struct run_column *c, const struct run_column *start, size_t from, size_t n,
                         int64_t *out)
{
    int64_t starts[BLOCK_ROWS];
    run_copy(c, from, n, out);
    if (!start)
        return;
    run_copy(start, from, n, starts);
    for (size_t i = 0; i < n; i++)
        out[i] = out[i] == NONE_I64 ? NONE_I64 : out[i] - starts[i];
}

/* Counts repeated values of neighbours at once: rows of one concept often agree. False where there are more than
 * `most`. */
static bool count_values(struct distinct *d, const int64_t *values, size_t n, size_t most)
{
    for (size_t i = 0, same; i < n; i += same) {
        int64_t v = values[i];
        for (same = 1; i + same < n && values[i + same] == v;)
            same++;
        if (v != NONE_I64 && (!count_value(d, v, same) || d->n > most))
            return false;
    }
    return true;
}

static bool count_column(struct distinct *d, const struct run_column *c, const struct run_column *start,
                         size_t rows, size_t most)
{
    int64_t values[BLOCK_ROWS];
    bool few = true;
    if (!c->width && !start)
        return c->missing || (count_value(d, c->base, rows) && d->n <= most);
    for (size_t from = 0; few && from < rows; from += BLOCK_ROWS) {
        size_t n = rows - from < BLOCK_ROWS ? rows - from : BLOCK_ROWS;
        coded_values(c, start, from, n, values);
        few = count_values(d, values, n, most);
    }
    return few;
}

struct frequent {
    uint64_t rows;
    int64_t value;
};

static int by_frequency(const void *a, const void *b)
{
    const struct frequent *x = a, *y = b;
    if (x->rows != y->rows)
        return x->rows > y->rows ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

/* Codes by frequency, so that the usual ones are small. */
static int64_t *number_values(struct distinct *d)
{
    struct frequent *f = xrealloc_array(NULL, d->n, sizeof *f);
    int64_t *values = xrealloc_array(NULL, d->n, sizeof *values);
    size_t n = 0;
    for (size_t i = 0; i < 2 * COLUMN_MOST_DISTINCT; i++)
        if (d->rows[i])
            f[n++] = (struct frequent){d->rows[i], d->value[i]};
    qsort(f, n, sizeof *f, by_frequency);
    for (size_t i = 0; i < n; i++) {
        values[i] = f[i].value;
        d->code[slot_of(d, f[i].value)] = (int32_t)i;
    }
    free(f);
    return values;
}

/* The column's values where there are at most `most`; else NULL. */
static struct distinct *find_distinct(const struct merge_input *in, size_t column, bool from_start,
                                      size_t most, struct scratch *scratch)
{
    struct distinct *d = xcalloc(1, sizeof *d);
    for (size_t r = 0; r < in->n_runs; r++) {
        const struct run *run = &in->runs[r];
        const struct run_column *c = &run->columns[column],
                                *start = from_start ? &run->columns[AT_START] : NULL;
        bool few = count_column(d, c, start, run->n, most);
        scratch_touched(scratch, run_pages(c, run->n) + (start ? run_pages(start, run->n) : 0));
        if (!few) {
            free(d);
            return NULL;
        }
    }
    return d;
}

enum uniformity { VARIED, CONSTANT, ALL_MISSING };
static enum uniformity uniformity_of(const struct merge_input *in, size_t column, int64_t *value)
{
    const struct run_column *first = &in->runs[0].columns[column];
    for (size_t r = 0; r < in->n_runs; r++) {
        const struct run_column *c = &in->runs[r].columns[column];
        if (c->width || c->missing != first->missing || c->base != first->base)
            return VARIED;
    }
    *value = first->base;
    return first->missing ? ALL_MISSING : CONSTANT;
}

static enum column_coding coding_of(const struct schema_column *c)
{
    switch (c->column) {
    case COL_PERSON:
        return CODING_PERSON;
    case COL_END:
        return CODING_FROM_START;
    case COL_ID:
    case COL_VISIT:
    case COL_CARE_SITE:
        return CODING_ID;
    case COL_START:
        return CODING_PLAIN;
    default:
        break;
    }
    if (c->origin == FROM_SOURCE && c->source.kind == TABLE_F64)
        return CODING_NUMBER;
    return c->source.kind == TABLE_TEXT ? CODING_TEXT : CODING_DISTINCT;
}

static char *column_path(const struct import *im, enum store_table t, size_t column)
{
    const struct schema_table *s = schema_table(t);
    char *file = xasprintf("%s.%s.acc", s->file, schema_column_name(s->columns[column].column));
    char *path = import_path(im, file);
    free(file);
    return path;
}

static void make_bases(const struct encoder *x)
{
    struct looks looks = {.scratch = x->scratch};
    int64_t before = 0;
    for (uint32_t p = 0; p < x->n_persons; p++) {
        before = x->base[p] ? x->base[p] ^ LEAST_NONE : before;
        x->base[p] = before;
        look_at(&looks, p * sizeof *x->base);
    }
    looks_end(&looks);
}

static void prepare(struct encoder *x, const struct import *im, const struct merge_input *in, size_t column)
{
    if (x->coding == CODING_DISTINCT) {
        x->distinct = find_distinct(in, column, false, COLUMN_MOST_DISTINCT, im->scratch);
        x->coding = x->distinct ? CODING_DISTINCT : CODING_PLAIN;
    } else if (x->coding == CODING_NUMBER || x->coding == CODING_FROM_START) {
        x->distinct =
            find_distinct(in, column, x->coding == CODING_FROM_START, COLUMN_FEW_DISTINCT, im->scratch);
    }
    if (x->distinct)
        x->values = number_values(x->distinct);
    x->texts = in->texts[column];
    x->scratch = im->scratch;
    if (x->coding == CODING_ID) {
        x->n_persons = im->n_persons;
        x->base = in->least_id[column];
        make_bases(x);
    }
}

enum status encoder_open(struct import *im, const struct merge_input *in, size_t column, uint64_t rows,
                         struct encoder **out, struct err *e)
{
    const struct schema_column *c = &schema_table(in->table)->columns[column];
    struct column_meta meta = {.rows = rows};
    *out = NULL;
    enum uniformity u = uniformity_of(in, column, &meta.constant);
    if (u == ALL_MISSING)
        return ST_OK;
    struct encoder *x = xcalloc(1, sizeof *x);
    x->coding = coding_of(c);
    bool constant = u == CONSTANT && (x->coding == CODING_DISTINCT || x->coding == CODING_NUMBER);
    if (constant)
        x->coding = CODING_CONSTANT;
    else
        prepare(x, im, in, column);
    meta.kind = (uint32_t)store_column_kind(in->table, c->column);
    meta.coding = (uint32_t)x->coding;
    meta.constant = constant ? meta.constant : 0;
    char *path = column_path(im, in->table, column);
    enum status st = column_create(path, &meta, &x->w, e);
    free(path);
    if (st == ST_OK)
        *out = x;
    else
        encoder_abandon(x);
    return st;
}

static unsigned make_person(struct encoder *x, const int64_t *persons, int64_t *block)
{
    GROW(x->first, x->n_first + 1, x->cap_first);
    x->first[x->n_first++] = (uint32_t)persons[0];
    block[0] = 0;
    for (unsigned i = 1; i < BLOCK_ROWS; i++)
        block[i] = (int64_t)(uint32_t)((uint32_t)persons[i] - (uint32_t)persons[i - 1]);
    return 0;
}

static void make_from_start(const int64_t *values, const int64_t *starts, int64_t *block)
{
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        block[i] = values[i] == NONE_I64 ? NONE_I64 : values[i] - starts[i];
}

static unsigned make_id(const struct encoder *x, const int64_t *values, const int64_t *persons,
                        int64_t *block)
{
    for (size_t from = 0, to; from < BLOCK_ROWS; from = to) { /* in order but where another concept begins */
        to = scratch_risen(x->scratch, persons, from, BLOCK_ROWS, sizeof *x->base);
        for (size_t i = from; i < to; i++) {
            if (i + AHEAD < BLOCK_ROWS)
                __builtin_prefetch(&x->base[persons[i + AHEAD]]);
            block[i] = values[i] == NONE_I64 ? NONE_I64
                                             : (int64_t)((uint64_t)values[i] - (uint64_t)x->base[persons[i]]);
        }
    }
    if (block_cost(block) < block_cost(values))
        return COLUMN_RELATIVE;
    memcpy(block, values, BLOCK_ROWS * sizeof *block);
    return 0;
}

static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

/* Whole numbers under 2^53 and powers of ten up to 10^22 are exact, so the division rounds once: what the
 * decimal text of the source was rounded to. */
static bool scale(double v, unsigned decimals, int64_t *out)
{
    double scaled = nearbyint(v * powers[decimals]);
    if (!(fabs(scaled) < 9007199254740992.0) || scaled / powers[decimals] != v)
        return false;
    *out = (int64_t)scaled;
    return true;
}

static double number_of(int64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static unsigned make_number(const int64_t *values, int64_t *block)
{
    unsigned decimals = 0;
    for (unsigned i = 0; i < BLOCK_ROWS && decimals <= COLUMN_MOST_DECIMALS; i++) {
        int64_t unused;
        while (values[i] != NONE_I64 && decimals <= COLUMN_MOST_DECIMALS &&
               !scale(number_of(values[i]), decimals, &unused))
            decimals++;
    }
    bool exact = decimals <= COLUMN_MOST_DECIMALS;
    for (unsigned i = 0; i < BLOCK_ROWS && exact; i++)
        if (values[i] == NONE_I64)
            block[i] = NONE_I64;
        else
            exact = scale(number_of(values[i]), decimals, &block[i]);
    if (exact)
        return decimals;
    memcpy(block, values, BLOCK_ROWS * sizeof *block);
    return COLUMN_NUMBER_BITS;
}

/* Places in `distinct`; in and out may be the same. */
static void make_codes(const struct encoder *x, const int64_t *in, int64_t *out)
{
    int64_t value = NONE_I64, code = NONE_I64;
    for (unsigned i = 0; i < BLOCK_ROWS; i++) {
        if (in[i] != value) {
            value = in[i];
            code = value == NONE_I64 ? NONE_I64 : x->distinct->code[slot_of(x->distinct, value)];
        }
        out[i] = code;
    }
}

static unsigned make_block(struct encoder *x, const int64_t *values, const int64_t *persons,
                           const int64_t *starts, int64_t *block)
{
    switch (x->coding) {
    case CODING_PERSON:
        return make_person(x, persons, block);
    case CODING_ID:
        return make_id(x, values, persons, block);
    case CODING_FROM_START:
        make_from_start(values, starts, block);
        if (x->distinct)
            make_codes(x, block, block);
        return x->distinct ? COLUMN_CODES : 0;
    case CODING_NUMBER:
        if (!x->distinct)
            return make_number(values, block);
        make_codes(x, values, block);
        return COLUMN_NUMBER_CODES;
    case CODING_DISTINCT:
        make_codes(x, values, block);
        return 0;
    default:
        memcpy(block, values, BLOCK_ROWS * sizeof *block);
        return 0;
    }
}

static void encode_block(struct encoder *x, const int64_t *values, const int64_t *persons,
                         const int64_t *starts)
{
    int64_t block[BLOCK_ROWS];
    unsigned user = make_block(x, values, persons, starts, block);
    column_write_block(x->w, block, user);
}

/* The last rows, repeated to fill a block. */
static void encode_rest(struct encoder *x, const int64_t *values, const int64_t *persons,
                        const int64_t *starts, size_t n)
{
    int64_t v[BLOCK_ROWS], p[BLOCK_ROWS], s[BLOCK_ROWS];
    for (size_t i = 0; i < BLOCK_ROWS; i++) {
        size_t from = i < n ? i : n - 1;
        v[i] = values[from];
        p[i] = persons[from];
        s[i] = starts[from];
    }
    encode_block(x, v, p, s);
}

void encoder_add(struct encoder *x, const int64_t *values, const int64_t *persons, const int64_t *starts,
                 size_t n)
{
    if (x->coding == CODING_CONSTANT)
        return;
    size_t at = 0;
    for (; at + BLOCK_ROWS <= n; at += BLOCK_ROWS)
        encode_block(x, values + at, persons + at, starts + at);
    if (at < n)
        encode_rest(x, values + at, persons + at, starts + at, n - at);
}

static void encoder_free(struct encoder *x)
{
    free(x->distinct);
    free(x->values);
    free(x->first);
    free(x);
}

enum status encoder_commit(struct encoder *x, struct err *e)
{
    if (!x)
        return ST_OK;
    column_write_end(x->w);
    struct arrays_writer *file = column_file(x->w);
    if (x->coding == CODING_PERSON)
        arrays_add(file, "first", sizeof *x->first, x->first, x->n_first);
    else if (x->coding == CODING_ID)
        column_add_base(x->w, x->base, x->n_persons, x->scratch);
    else if (x->coding == CODING_TEXT)
        text_list_write(x->texts, "text", file);
    if (x->distinct)
        arrays_add(file, "distinct", sizeof *x->values, x->values, x->distinct->n);
    enum status st = column_commit(x->w, e);
    encoder_free(x);
    return st;
}

void encoder_abandon(struct encoder *x)
{
    if (!x)
        return;
    column_abandon(x->w);
    encoder_free(x);
}
