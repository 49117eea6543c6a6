/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is behind the cells of a study's tables at a site: for the differencing guard there, and for nothing
 * else. Every cohort is a cell of its own; analyses that count persons by more add theirs
 * (struct analysis.members). The cells follow from the study alone, in number and order, never from data.
 */
#ifndef ACCORD_STUDY_MEMBERS_H
#define ACCORD_STUDY_MEMBERS_H

#include "study/dimension.h"

struct members;
struct members *members_new(void);
void members_free(struct members *m); /* NULL is fine */
/* Persons ascend strictly (indices of the store). */
void members_add(struct members *m, const char *name, const uint32_t *persons, size_t n);
/* Every cell of a table from table_new: each of n persons is in one stratum (strata_levels), and so in the
   totals above it. */
void members_table(struct members *m, const char *name, const struct dimension *dimensions,
                   size_t n_dimensions, const uint32_t *persons, const uint32_t *stratum, size_t n);
/* A cell's name, from its table's and its levels' ("total" for a total). malloced. */
char *members_cell_name(const char *table, const char *const *labels, size_t n);
size_t members_n(const struct members *m);
const char *members_name(const struct members *m, size_t i);
const uint32_t *members_persons(const struct members *m, size_t i, size_t *n);

/* The cells of a study at a site; the caller frees them. */
struct study;
MUST_CHECK enum status members_collect(const struct study *s, const struct study_site *site,
                                       struct members **out, struct err *e);

#endif
