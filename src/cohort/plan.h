/* SPDX-License-Identifier: Apache-2.0
 *
 * What an evaluation read and found, step by step: `accord cohort explain` prints it. Steps are noted in the
 * order they ran.
 */
#ifndef ACCORD_COHORT_PLAN_H
#define ACCORD_COHORT_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "cohort/tree.h"

struct plan_step {
    const char *path;    /* of the criterion, "" for the engine's own; lives as long as the definition */
    const char *what;    /* "condition occurrence" */
    uint64_t runs, rows; /* of the store that had to be looked at, from its statistics */
    uint64_t bytes;      /* of columns, decoded */
    uint64_t events;     /* found */
};
struct cohort_plan {
    size_t n, capacity;
    struct plan_step *steps;
};
void plan_note_fetch(struct cohort_plan *p, const struct criterion *c, uint64_t runs, uint64_t rows,
                     uint64_t bytes, uint64_t events);
/* Adds what was read and found for another range of persons. */
void plan_add(struct cohort_plan *p, const struct cohort_plan *part);
void plan_deinit(struct cohort_plan *p);

#endif
