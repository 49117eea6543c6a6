/* SPDX-License-Identifier: Apache-2.0
 *
 * The safe side of the airlock. A struct released is made only by disclose_release, from a raw result under a
 * policy, or read back with released_from_json from what disclose_release wrote (a hub stores and shows what
 * a node sent). Grid, http and every exporter accept this type and no other.
 *
 * Its document is canonical JSON (RFC 8785): the title, the tables with what may be printed, and the
 * disclosure record (rules, versions, hashes, counts of cells, how it was proven). Marks do not say whether a
 * hidden cell was small itself or hidden to protect another.
 */
#ifndef ACCORD_DISCLOSE_RELEASE_H
#define ACCORD_DISCLOSE_RELEASE_H

#include <stdio.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/json.h"
#include "disclose/policy.h"
#include "disclose/result.h"

struct released;

/* `context` (may be NULL; borrowed) is put into the record as it is: project, agreement, run, study hash,
   cohort hashes, sites. It is public: no patient values. A table that may
   not leave is named in the record with the rule that withholds it; ST_UNSAFE where no table may. Any failure
   of the proof withholds or refuses, and never releases. */
MUST_CHECK enum status disclose_release(const struct result *result, const struct policy *policy,
                                        const struct js *context, struct released **out, struct err *e);
/* The same, and the checker's view of it (gate_view), which holds raw counts and stays at the site. */
MUST_CHECK enum status disclose_release_viewed(const struct result *result, const struct policy *policy,
                                               const struct js *context, struct released **out,
                                               struct js **view, struct err *e);
void released_free(struct released *r); /* NULL is fine */

/* The document, one reference more (the caller gives it back with js_free); and its reading, which checks the
   form and the hash of the tables in the record. */
struct js *released_to_json(const struct released *r);
MUST_CHECK enum status released_from_json(const struct js *j, struct released **out, struct err *e);
/* SHA-256 of the canonical document: what checkers sign. */
MUST_CHECK enum status released_hash(const struct released *r, char hex[2 * HASH_BYTES + 1], struct err *e);

/* A second look, on nothing but the document: no printed count below the minimum, every printed count a
   rounded one, printed totals that their parts allow, and no hidden cell that sums give away exactly.
   ST_UNSAFE says which table. */
MUST_CHECK enum status released_verify(const struct released *r, struct err *e);

struct released_cell {
    const uint32_t *at;
    bool hidden;                /* nothing is printed: value, lower and upper are NaN */
    bool not_estimated;         /* hidden, but by no rule: there is no estimate */
    double value, lower, upper; /* lower and upper are NaN where there is no interval */
};
struct released_table {
    const char *name, *title, *unit;
    enum output_type type;
    enum picture_kind picture;
    struct result_dimension *dimensions;
    uint32_t n_dimensions;
    struct released_cell *cells; /* a cell that is not listed is a zero */
    uint64_t n_cells;
};
const char *released_title(const struct released *r);
uint32_t released_n_tables(const struct released *r);
const struct released_table *released_table(const struct released *r, uint32_t i);
const struct js *released_record(const struct released *r);
/* The k-th table that stayed in: {"name", "withheld": the rule} of the record; NULL behind the last. */
const struct js *released_withheld(const struct released *r, uint32_t k);
/* What stands for a cell that prints nothing, of the marks of UK official statistics (Government Analysis
   Function, "Symbols in tables"): [c], suppressed to protect confidentiality; [x], not available: there is no
   estimate. NULL where it prints. */
const char *released_mark(const struct released_cell *c);
uint64_t released_n_suppressed(const struct released_table *t);
uint64_t released_n_not_estimated(const struct released_table *t);
/* The cell at these levels, or NULL. */
const struct released_cell *released_cell_find(const struct released_table *t, const uint32_t *at);

/* For people: every table aligned, with its marks, a note on what was done, and what was withheld. */
void released_print(const struct released *r, FILE *to);
/* One table as CSV: the dimensions, value, lower, upper, status ("shown", "suppressed", "not estimated"). */
void released_csv(const struct released_table *t, struct buf *out);
/* A number as it is printed in tables, pictures and CSV. */
void released_format(double v, char out[32]);

#endif
