/* SPDX-License-Identifier: Apache-2.0
 *
 * One column of an event table: a file of blocks (block.h). How a value becomes the integer that is packed
 * depends on the column:
 *
 *   person     distance to the row before; the first person of each block lies beside and is its zone map
 *   end        days from the start of the row
 *   id, visit  per block, either as it is or relative to the least such id of the row's person, which lies in
 * a second, small stream of blocks: a person's ids are close together numbers    per block, a decimal scaled
 * to an integer where that gives back every double exactly, else its bits the rest   an index into the
 * column's distinct values, most frequent first, where those are few, else as is text       an index into the
 * column's dictionary
 *
 * A column all of whose values are missing has no file.
 */
#ifndef ACCORD_STORE_COLUMN_H
#define ACCORD_STORE_COLUMN_H

#include <stdbool.h>
#include <stdint.h>

#include "store/arrays.h"
#include "store/block.h"
#include "store/scratch.h"
#include "store/store.h"

enum column_coding {
    CODING_PLAIN,
    CODING_PERSON,
    CODING_FROM_START,
    CODING_ID,
    CODING_NUMBER,
    CODING_DISTINCT,
    CODING_TEXT,
    CODING_CONSTANT /* every row has the value `constant`; no blocks */
};
enum { COLUMN_MOST_DISTINCT = 4096, COLUMN_FEW_DISTINCT = 64, COLUMN_SUPER = 64 };
/* What the user bits of a block say. */
enum { COLUMN_RELATIVE = 1 }; /* CODING_ID: to the person's least id */
enum { COLUMN_CODES = 1 };    /* CODING_FROM_START: places in `distinct` */
enum {
    COLUMN_MOST_DECIMALS = 9,
    COLUMN_NUMBER_CODES = 62,
    COLUMN_NUMBER_BITS = 63
}; /* CODING_NUMBER, or decimals */

struct column_meta {
    uint32_t kind, coding; /* enum store_kind, enum column_coding */
    uint64_t rows;
    int64_t constant; /* of CODING_CONSTANT; the bits of a double for numbers */
    uint64_t reserved;
};

/* A stream of blocks in a file of arrays. */
struct packed {
    const uint8_t *blocks;
    uint64_t bytes, rows;
    const uint64_t *super;  /* byte offset of every 64th block */
    const uint16_t *offset; /* of each block from there, in 8 bytes */
};

struct column {
    struct arrays file;
    struct column_meta meta;
    struct packed packed, base; /* base: CODING_ID, the least id of each person */
    const uint32_t *first;      /* CODING_PERSON: of each block */
    const int64_t *distinct;
    uint64_t n_distinct;
    const char *text; /* CODING_TEXT: NUL-terminated texts, and where each begins */
    const uint64_t *text_at;
    uint64_t n_texts;
};

static inline uint64_t block_count(uint64_t rows)
{
    return (rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
}

MUST_CHECK enum status column_open(const char *path, enum store_kind kind, uint64_t rows, uint64_t persons,
                                   struct column *out, struct err *e);
void column_close(struct column *c);

/* The bytes of block b; false when they are not there. */
bool packed_block(const struct packed *p, uint64_t b, const uint8_t **bytes, size_t *n);
/* One value of a stream. */
bool packed_value(const struct packed *p, uint64_t row, int64_t *out);

/* Writing: blocks one after the other, then column_write_end. */
struct column_writer;
MUST_CHECK enum status column_create(const char *path, const struct column_meta *meta,
                                     struct column_writer **out, struct err *e);
struct arrays_writer *column_file(struct column_writer *w); /* for arrays beside the blocks, after _end */
void column_write_block(struct column_writer *w, const int64_t *values, unsigned user);
void column_write_end(struct column_writer *w);
MUST_CHECK enum status column_commit(struct column_writer *w, struct err *e); /* frees w in any case */
void column_abandon(struct column_writer *w);
/* A second stream in the same file, whole: n values under the names base, base.super, base.offset. */
void column_add_base(struct column_writer *w, const int64_t *values, uint64_t n, struct scratch *s);

#endif
