/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts on their way out to cohort discovery: each knows who is behind it, so that the release gate and the
 * differencing guard can judge it.
 */
#ifndef ACCORD_GRID_DISCOVERY_TALLY_H
#define ACCORD_GRID_DISCOVERY_TALLY_H

#include "cohort/cohort.h"
#include "grid/discovery_task.h"

/* Who is counted: the persons of one concept's rows, those with a value of an attribute, or a cohort's. */
struct tally {
    const char *category; /* "Condition"; a plain word */
    int32_t concept;
    int64_t persons;
    enum store_table table;   /* of the rows */
    uint64_t first, n;        /* the rows; n 0 = none of them */
    const int32_t *attribute; /* per person; NULL = none */
    const struct cohort_rows *rows;
};
struct tallies {
    struct tally *list;
    size_t n, capacity;
};

/* What may be told of each count, in `told` of t->n; -1 where it is hidden. */
MUST_CHECK enum status tallies_gate(const struct tallies *t, const struct policy *policy, int64_t *told,
                                    struct err *e);
/* Asks the guard's book about what is told, and writes it down. `question` names what was asked: the same
   question on the same data is one. ST_UNSAFE, after a whole period, when it may not be told. */
MUST_CHECK enum status tallies_guard(const struct tallies *t, const int64_t *told, const char *question,
                                     const struct discovery_site *site, struct err *e);

#endif
