/* SPDX-License-Identifier: Apache-2.0
 *
 * Which rows of which runs make up the table, in order: parts of one concept each, small enough to be put in
 * order in memory. A concept of many rows is cut between persons. Parts are planned as they are needed, so that
 * the plan takes memory for each run, not for each concept of each run.
 */
#ifndef ACCORD_STORE_MERGE_PLAN_H
#define ACCORD_STORE_MERGE_PLAN_H

#include "store/run.h"

enum { PART_ROWS = 1 << 16 };

struct piece {
    uint32_t run;
    uint32_t first, n; /* rows of the run */
};
struct part {
    uint32_t key;
    size_t first_piece, n_pieces, rows;
};
struct merge_plan {
    const struct run *runs;
    struct looks looks;
    struct piece *pieces; /* of the parts at hand */
    struct part *parts;
    size_t n_pieces, n_parts, cap_pieces, cap_parts;
    uint64_t rows;  /* of all runs */
    uint32_t *heap; /* runs by their next concept, then by number */
    size_t n_heap;
    size_t *next; /* concept of each run */
    struct segment *segments;
};
/* The runs are borrowed. */
void merge_plan_init(struct merge_plan *p, const struct run *runs, size_t n_runs, struct scratch *scratch);
/* Forgets the parts at hand and plans the next concepts, until there are `parts` parts or `rows` rows, and at
 * least one where any is left. */
void merge_plan_next(struct merge_plan *p, size_t parts, size_t rows);
bool merge_plan_ended(const struct merge_plan *p); /* no concept is left beside those at hand */
void merge_plan_deinit(struct merge_plan *p);

#endif
