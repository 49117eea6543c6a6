/* SPDX-License-Identifier: Apache-2.0
 *
 * The first half of the external sort: a batch gathers rows of one table as they come; a slice of it is
 * sorted by (concept, person, start, id) into a sorted run, whose columns take as few whole bytes as they
 * need. Runs lie in memory while there is room and in unlinked files otherwise.
 */
#ifndef ACCORD_STORE_RUN_H
#define ACCORD_STORE_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/schema.h"
#include "store/spare.h"

/* The four columns that every table begins with (schema.c). */
enum { AT_PERSON, AT_CONCEPT, AT_START, AT_ID };

/* Concepts sort by this: rank in the hierarchy; unknown concepts behind, by id; missing ones last. */
#define KEY_UNKNOWN 0x80000000U
#define KEY_MISSING UINT32_MAX

struct batch {
    size_t n, capacity, n_columns;
    uint32_t persons; /* how many there are */
    /* int32_t* (person, concept key: uint32_t*), or int64_t* where wide; numbers as their bits. NULL =
     * absent. */
    void *columns[SCHEMA_MOST_COLUMNS];
    bool wide[SCHEMA_MOST_COLUMNS];
};
struct run_column {
    uint8_t width; /* bytes: 0 (constant), 1, 2, 4, 8 */
    bool missing;  /* code 0 is a missing value, the others are one more than the distance to base */
    bool present;
    int64_t base;
    const uint8_t *codes;
};

struct run {
    size_t n, n_keys;
    uint32_t *keys, *first; /* the concepts of the run in order, and their first rows; first[n_keys] = n */
    struct run_column columns[SCHEMA_MOST_COLUMNS];
    uint8_t *memory; /* of the spare, or mapped */
    size_t bytes;
    bool mapped;
    struct spare *spare; /* borrowed */
};

/* Sorts rows [from, to) of the batch into a run; memory comes from the spare, which must outlive the run. */
void run_make(const struct batch *b, size_t from, size_t to, struct spare *spare, struct run *out);
/* Moves the codes from memory into an unlinked file in `folder`. */
MUST_CHECK enum status run_spill(struct run *r, const char *folder, struct err *e);
/* Gives the memory of a run in a file back to the system, which reads it again when it is wanted. */
void run_rest(const struct run *r);
void run_deinit(struct run *r);

int64_t run_value(const struct run_column *c, size_t row);
/* Rows [from, from + n). */
void run_copy(const struct run_column *c, size_t from, size_t n, int64_t *restrict out);

#endif
