/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit of published tables, ours or somebody else's: between which two values must each hidden cell lie,
 * given only what is printed? Two programmes for each hidden cell, over the sums of all its tables at once; a
 * short interval is asked for again in whole numbers. Nothing is known here of the true values.
 *
 * Values are not negative. Cells that are left out are zeros. Tables added to one audit are linked by the
 * names of their dimensions: a dimension that a table does not have is at its total there, so that a cell
 * hidden in one table and printed, or implied, by another is found.
 */
#ifndef ACCORD_DISCLOSE_AUDIT_H
#define ACCORD_DISCLOSE_AUDIT_H

#include "disclose/attack.h"
#include "disclose/release.h"

/* How a CSV file is read. The value column is `value`, or when that is NULL the one called value, count or n,
   or the last; the dimensions are all other columns but lower, upper and status. Totals are the labels Total
   and All in any case and `total`; every other label adds up to them. Hidden are an empty field, *, c, [c],
   x, [x], NA, [REDACTED], and <N and <=N, which give an upper end away. */
struct audit_form {
    const char *value, *total; /* may be NULL */
    int64_t base;              /* printed values were rounded to the nearest multiple of this; 1 = exact */
};

struct audit_cell {
    const char *place; /* "2010, R/G" */
    double low, high;  /* the attacker's interval; infinity where there is no end */
    enum finding finding;
};

struct audit;
struct audit *audit_new(void);
void audit_free(struct audit *a); /* NULL is fine */
MUST_CHECK enum status audit_add_csv(struct audit *a, const char *path, const struct audit_form *form,
                                     struct err *e);
/* A released table of counts; `policy` says how it was rounded. It stays alone in its audit. */
MUST_CHECK enum status audit_add_released(struct audit *a, const struct released_table *t,
                                          const struct policy *policy, struct err *e);
/* Asks for every hidden cell. An interval is short (FOUND_SHORT) when a count of 1 and one of minimum - 1
   cannot both be in it. ST_INVALID where the printed cells contradict each other; ST_UNSAFE where the solver
   has no answer. */
MUST_CHECK enum status audit_run(struct audit *a, int64_t minimum, struct err *e);
/* After audit_run: the hidden cells in the order of their levels. */
uint32_t audit_n_cells(const struct audit *a);
const struct audit_cell *audit_cell(const struct audit *a, uint32_t i);

#endif
