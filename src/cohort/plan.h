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
    const char *path;  /* of the criterion, "" for the engine's own; lives as long as the definition */
    const char *what;  /* "condition occurrence" */
    uint64_t runs;     /* of the store that hold rows of the criterion */
    uint64_t estimate; /* rows to look at, from the store's statistics and who is left; made before */
    uint64_t rows;     /* that were looked at */
    uint64_t bytes;    /* of columns, decoded */
    uint64_t events;   /* found */
};
struct cohort_plan {
    size_t n, capacity;
    struct plan_step *steps;
};
/* Adds `more` (its path and name are set here) to what was noted of the criterion. */
void plan_note_fetch(struct cohort_plan *p, const struct criterion *c, const struct plan_step *more);
/* Adds what was read and found for another range of persons. */
void plan_add(struct cohort_plan *p, const struct cohort_plan *part);
void plan_deinit(struct cohort_plan *p);

#endif
