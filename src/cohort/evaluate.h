/* SPDX-License-Identifier: Apache-2.0
 *
 * Evaluation that also says what it read, for `accord cohort explain`.
 */
#ifndef ACCORD_COHORT_EVALUATE_H
#define ACCORD_COHORT_EVALUATE_H

#include "cohort/cohort.h"
#include "cohort/plan.h"

/* As cohort_evaluate; steps are added to `plan` (NULL for none). */
MUST_CHECK enum status cohort_evaluate_noted(const struct cohort_definition *d, const struct store *store,
                                             struct pool *pool, struct cohort_plan *plan,
                                             struct cohort_rows *out, struct err *e);

#endif
