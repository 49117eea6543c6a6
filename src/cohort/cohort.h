/* SPDX-License-Identifier: Apache-2.0
 *
 * Cohorts: OHDSI Circe cohort expressions (and RQuest queries) to a typed tree, and the tree over a store to
 * rows of (person, start, end). One engine gives a cohort its meaning everywhere; the reference is circe-be's
 * SQL on PostgreSQL.
 */
#ifndef ACCORD_COHORT_COHORT_H
#define ACCORD_COHORT_COHORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/pool.h"
#include "store/store.h"

struct cohort_definition; /* immutable once parsed; shareable between threads */
/* ST_INVALID names the JSON path of a fault, ST_UNSUPPORTED "Circe feature X at path Y is not supported". */
MUST_CHECK enum status cohort_parse(const struct js *circe, struct cohort_definition **out, struct err *e);
void cohort_definition_free(struct cohort_definition *d);

/* Attrition: persons and events after each step, in order: primary events, qualified, each inclusion rule
 * (cumulative), rows. */
struct cohort_step {
    const char *name; /* owned by the rows */
    uint64_t persons, events;
};

/* Rows sorted by person index, then start; parallel arrays. Never leaves the site. */
struct cohort_rows {
    size_t n;
    uint32_t *person;
    int32_t *start, *end;
    uint32_t n_persons; /* distinct */
    size_t n_steps;
    struct cohort_step *steps;
};
MUST_CHECK enum status cohort_evaluate(const struct cohort_definition *d, const struct store *s,
                                       struct pool *pool, struct cohort_rows *out, struct err *e);
void cohort_rows_deinit(struct cohort_rows *r);

#endif
