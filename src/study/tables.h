/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums to result tables. A table's dimensions come from struct dimension with a total level (index 0) above
 * the others, so that disclosure control sees the additive structure; cells lie row-major over them.
 */
#ifndef ACCORD_STUDY_TABLES_H
#define ACCORD_STUDY_TABLES_H

#include "study/dimension.h"

/* "<analysis>_<suffix>", or the analysis's name alone when suffix is "". */
const char *table_name(struct result *r, const char *analysis, const char *suffix);
/* A table over the dimensions, with totals; every cell has its place (`at`). */
struct result_table *table_new(struct result *r, const char *name, const char *title, const char *unit,
                               enum output_type type, const struct dimension *dimensions, size_t n);
/* A dimension made of labels, to put beside others in table_new. */
struct dimension plain_dimension(const char *name, const char **labels, size_t n);
/* The same of labels that do not add up (statistics, arms), copied to the arena. */
struct dimension labelled_dimension(const char *name, const char *const *labels, size_t n, struct arena *a);
/* A table over one list of levels, without a total. */
struct result_table *table_of_list(struct result *r, const char *name, const char *title, const char *unit,
                                   enum output_type type, const char *dimension, const char **labels,
                                   size_t n);

/* Values of the strata (row-major, without totals) added up for every cell of a table from table_new; in the
   result's arena. Whole numbers stay exact below 2^53. */
double *table_roll_up(struct result *r, const struct result_table *t, const double *strata);

/* What disclosure control must know of a figure that rests on counts without being their ratio (a difference,
   an index, an area under a curve): the persons, and those of them with the event. */
void table_rests_on(struct result_cell *cell, double persons, double event_persons);

#endif
