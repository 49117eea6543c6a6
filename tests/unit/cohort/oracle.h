/* SPDX-License-Identifier: Apache-2.0
 *
 * The naive oracle: evaluates a cohort definition over a CDM in memory, person by person and row by row, as
 * ../shared/circe.md says it, with no index, no plan and no code of the engine.
 */
#ifndef TESTS_COHORT_ORACLE_H
#define TESTS_COHORT_ORACLE_H

#include "cdm.h"
#include "cohort/cohort.h"
#include "cohort/tree.h"

struct oracle_row {
    uint32_t person;
    int32_t start, end;
};
struct oracle_rows {
    struct oracle_row *at; /* sorted by person, then start; free with free() */
    size_t n;
    size_t *step_persons, *step_events; /* primary, qualified, each rule; free with free() */
    size_t n_steps;
};
void oracle_evaluate(const struct cohort_definition *d, const struct cdm *c, struct oracle_rows *out);
void oracle_rows_deinit(struct oracle_rows *r);

#endif
