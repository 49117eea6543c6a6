/* SPDX-License-Identifier: Apache-2.0
 *
 * The first half of the external sort: a batch gathers rows of one table as they come; a slice of it is
 * sorted by (concept, person, start, id) into a sorted run, whose columns take as few whole bytes as they
 * need. Runs lie in memory while there is room and in scratch files otherwise.
 */
#ifndef ACCORD_STORE_RUN_H
#define ACCORD_STORE_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/schema.h"
#include "store/scratch.h"
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
    const uint32_t *keys, *first; /* the concepts in order, and their first rows; first[n_keys] = n */
    struct run_column columns[SCHEMA_MOST_COLUMNS];
    uint8_t *memory; /* of the spare, or of scratch: keys, first, codes */
    size_t bytes;
    struct spare *spare;     /* borrowed */
    struct scratch *scratch; /* borrowed; NULL while it lies in memory */
};

/* Sorts rows [from, to) of the batch into a run; memory comes from the spare, which must outlive the run. */
void run_make(const struct batch *b, size_t from, size_t to, struct spare *spare, struct run *out);
/* Moves the run from memory into scratch, which must outlive it. */
MUST_CHECK enum status run_spill(struct run *r, struct scratch *scratch, struct err *e);
void run_deinit(struct run *r);

static inline bool run_spilled(const struct run *r)
{
    return r->scratch;
}

/* Pages that n rows of the column from one on take. */
static inline size_t run_pages(const struct run_column *c, size_t n)
{
    return n * c->width / SCRATCH_PAGE + 1;
}

int64_t run_value(const struct run_column *c, size_t row);
/* Rows [from, from + n). */
void run_copy(const struct run_column *c, size_t from, size_t n, int64_t *restrict out);

#endif
