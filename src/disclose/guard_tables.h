/* SPDX-License-Identifier: Apache-2.0
 * The tables of the guard's book, for its own files (docs/formats/guard.md). Nobody else includes this. */
#ifndef ACCORD_DISCLOSE_GUARD_TABLES_H
#define ACCORD_DISCLOSE_GUARD_TABLES_H

#include "base/db.h"
#include "disclose/guard_book.h"

struct guard_book {
    struct db *db;
    int64_t minimum;
    int sampling;
    uint8_t secret[HASH_BYTES];
    struct guard *guard;
    int64_t last_cell, last_snapshot; /* rows that the guard has; rows are never deleted */
    bool stale;                       /* the guard knows cells that were not written */
};

/* BEGIN IMMEDIATE, however long others take with it, unless interrupted. */
MUST_CHECK enum status book_begin(struct guard_book *b, struct err *e);
/* Commits, or rolls back where s is no success; returns what became of it. */
MUST_CHECK enum status book_end(struct guard_book *b, enum status s, struct err *e);

/* guard_keep.c: sets and their sketches. The same set is kept once. */
MUST_CHECK enum status set_read(struct guard_book *b, int64_t id, struct persons **out, struct err *e);
MUST_CHECK enum status set_write(struct guard_book *b, const struct persons *set, int64_t *id, struct err *e);
/* Columns from `first` on: personset, n, last, bytes, sum. *have is false where there is no sketch. */
MUST_CHECK enum status sketch_read(struct stmt *q, int first, int sampling, struct guard_kept *out,
                                   bool *have, struct err *e);
/* Sketches of all sets that lack one for this sampling; within a transaction. */
MUST_CHECK enum status sketches_make(struct guard_book *b, struct err *e);

#endif
