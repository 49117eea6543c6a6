/* SPDX-License-Identifier: Apache-2.0
 *
 * Evaluation that also says what it read, for `accord cohort explain`.
 */
#ifndef ACCORD_COHORT_EVALUATE_H
#define ACCORD_COHORT_EVALUATE_H

#include "cohort/cohort.h"

struct cohort_plan; /* cohort/plan.h */

/* Who is left after each step of cohort_rows: bitmaps over person indexes. */
struct cohort_trace {
    size_t n_words, n_steps;
    uint64_t **persons;
};
void cohort_trace_deinit(struct cohort_trace *t);

/* As cohort_evaluate; what was read is added to `plan`, who was left to `trace` (each NULL for none). */
MUST_CHECK enum status cohort_evaluate_noted(const struct cohort_definition *d, const struct store *store,
                                             struct pool *pool, struct cohort_plan *plan,
                                             struct cohort_trace *trace, struct cohort_rows *out,
                                             struct err *e);

/* As cohort_evaluate, for so many persons at a time: tests show that it does not show. */
MUST_CHECK enum status cohort_evaluate_ranges(const struct cohort_definition *d, const struct store *store,
                                              struct pool *pool, uint32_t persons_each,
                                              struct cohort_rows *out, struct err *e);

/* Attrition by combination: how many qualified events, and persons with such an event, pass exactly the rules
   of `mask` (bit i = rule i). Sorted by mask; malloced. ST_UNSUPPORTED over 64 rules. */
struct cohort_combination {
    uint64_t mask;
    uint64_t events, persons;
};
MUST_CHECK enum status cohort_combinations(const struct cohort_definition *d, const struct store *store,
                                           struct pool *pool, struct cohort_combination **out, size_t *n,
                                           struct err *e);

#endif
