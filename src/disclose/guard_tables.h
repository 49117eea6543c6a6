/* SPDX-License-Identifier: Apache-2.0
 * The tables of the guard's book, for its own files (docs/formats/guard.md),
 * its tests and its benchmark. Nobody else includes this. */
#ifndef ACCORD_DISCLOSE_GUARD_TABLES_H
#define ACCORD_DISCLOSE_GUARD_TABLES_H

#include "base/db.h"
#include "disclose/guard_book.h"

/* A part of the index: places first .. end - 1, `persons` over all its sets. */
struct segment {
    int64_t id, first, end, persons;
};
/* A kept set, by its number: what it is in the guard (+ 1), and its place in the index; 0 = none. */
struct book_set {
    uint32_t known, place;
};

struct guard_book {
    struct db *db;
    int64_t minimum;
    int sampling;
    uint8_t secret[HASH_BYTES];
    struct guard *guard;
    struct book_set *sets;
    size_t n_sets, sets_room;
    struct segment *segments; /* as they were when the decision under way began */
    size_t n_segments, segments_room;
    int64_t last_cell, last_snapshot, last_place; /* that the guard has; rows are never deleted */
    bool stale;                                   /* the guard knows what was not written */
};

/* BEGIN IMMEDIATE, however long others take with it, unless interrupted. */
MUST_CHECK enum status book_begin(struct guard_book *b, struct err *e);
/* Commits, or rolls back where s is no success; returns what became of it. */
MUST_CHECK enum status book_end(struct guard_book *b, enum status s, struct err *e);

/* The guard learns what was written since: by this process, or by another. *have is false where a set has no
   sketch. */
MUST_CHECK enum status book_catch_up(struct guard_book *b, bool *have, struct err *e);

/* guard_index.c: who is in which exactly printed sets. Segments are read at the beginning of a decision. */
MUST_CHECK enum status index_open(struct guard_book *b, struct err *e);
MUST_CHECK enum status index_holders(struct guard_book *b, uint32_t person, struct guard_places *into,
                                     struct err *e);
/* A row: of each person in order, from `first` on, how many numbers were left out, how many sets, the first
   one's place in the segment (which begins at `place`) and how far each other is from the one before. False
   where it ends too early. */
bool index_row_find(struct slice bytes, uint32_t first, uint32_t person, int64_t place,
                    struct guard_places *into);

/* guard_keep.c: sets and their sketches. The same set is kept once. */
MUST_CHECK enum status set_read(struct guard_book *b, int64_t id, struct persons **out, struct err *e);
MUST_CHECK enum status set_write(struct guard_book *b, const struct persons *set, int64_t *id, struct err *e);
/* Columns from `first` on: personset, n, last, bytes, sum. *have is false where there is no sketch. */
MUST_CHECK enum status sketch_read(struct stmt *q, int first, int sampling, struct guard_kept *out,
                                   bool *have, struct err *e);
/* Sketches of all sets that lack one for this sampling; within a transaction. */
MUST_CHECK enum status sketches_make(struct guard_book *b, struct err *e);

#endif
