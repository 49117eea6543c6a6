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
/* Every fault that can be told without mending another first, at most a hundred: texts as of cohort_parse, with
   `prefix` before each, are added to the array `faults`. The status and `e` are those of the first (without
   the prefix); ST_OK where there is none. */
MUST_CHECK enum status cohort_faults(const struct js *circe, const char *prefix, struct js *faults,
                                     struct err *e);
void cohort_definition_free(struct cohort_definition *d); /* NULL is fine */

/* HDR UK Cohort Discovery (RQuest) availability queries; `today` is the day that ages and months count back
   from. What the query language leaves open, or its other readers over-count, is refused (rquest.c). */
MUST_CHECK enum status cohort_parse_rquest(const struct js *query, int32_t today,
                                           struct cohort_definition **out, struct err *e);
/* The text form (docs/cohort-language.md); `name` is what errors call it. Errors point at the character. */
MUST_CHECK enum status cohort_parse_text(struct slice text, const char *name, struct cohort_definition **out,
                                         struct err *e);
/* A file in any of the three notations, told apart by its content. */
MUST_CHECK enum status cohort_load(const char *path, struct cohort_definition **out, struct err *e);
/* The same; every fault of Circe JSON is added to `faults` as cohort_faults does it. */
MUST_CHECK enum status cohort_load_all(const char *path, struct js *faults, struct cohort_definition **out,
                                       struct err *e);

/* Writing. Parsing what is written gives the same tree. */
MUST_CHECK enum status cohort_to_circe(const struct cohort_definition *d, struct js **out, struct err *e);
void cohort_format_text(const struct cohort_definition *d, struct buf *out);
/* What the definition means, in plain English, for people who know neither Circe nor the text form. */
void cohort_describe(const struct cohort_definition *d, struct buf *out);
/* Fields that were ignored because Circe does not know them and they change nothing: paths, i from 0; NULL
 * behind the last. */
const char *cohort_ignored_field(const struct cohort_definition *d, size_t i);

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
/* ST_INTERRUPTED, between ranges of persons, when a signal asks to stop (base/log.h). */
MUST_CHECK enum status cohort_evaluate(const struct cohort_definition *d, const struct store *s,
                                       struct pool *pool, struct cohort_rows *out, struct err *e);
void cohort_rows_deinit(struct cohort_rows *r);

#endif
