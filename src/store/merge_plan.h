/* SPDX-License-Identifier: Apache-2.0
 *
 * Which rows of which runs make up the table, in order: parts of one concept each, small enough to be put in
 * order in memory. A concept of many rows is cut between persons.
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
    struct piece *pieces;
    struct part *parts;
    size_t n_pieces, n_parts, cap_pieces, cap_parts;
    uint64_t rows;
};
void merge_plan_init(struct merge_plan *p, const struct run *runs, size_t n_runs);
void merge_plan_deinit(struct merge_plan *p);

#endif
