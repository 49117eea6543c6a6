/* SPDX-License-Identifier: Apache-2.0
 *
 * From a table to a model matrix: which columns are the outcome, offset, weights and covariates, factors by
 * treatment contrasts, products, and rows with a missing value left out (R's na.omit).
 */
#ifndef ACCORD_CLI_STATS_DESIGN_H
#define ACCORD_CLI_STATS_DESIGN_H

#include "cli/stats_table.h"

struct stats_design {
    size_t n, p;
    const char **names;
    double **x; /* p columns of n */
    size_t dropped;
    size_t n_terms, *term; /* which term each column belongs to */
    const char **terms;
};

/* Columns that are not covariates by default (ended by -1), and the numbers that must not be missing either.
 */
struct stats_roles {
    int used[16];
    double *needed[8]; /* of the table's rows, ended by NULL; packed to the rows that stay */
};

/* --x lists terms: COLUMN, factor(COLUMN), or products A:B and A*B; without it every column that has no role
 * is one. A column of text, or one named by --factor, becomes one column for each level but the first
 * (numbers by size, text by byte order, or as --levels COLUMN=A,B,C says). `intercept` puts a column
 * "_intercept" first unless the table has one. Rows with a missing value in any used column are dropped from
 * the table, from needed[] and from x. */
MUST_CHECK enum status stats_design(const struct args *a, struct stats_table *t, struct stats_roles *roles,
                                    bool intercept, struct stats_design *out, struct err *e);
/* One coefficient as a row: term, estimate, se, lower, upper, statistic, p; `df` infinite for the normal.
 * Aliased columns get nulls and the reason "aliased". */
struct js *stats_coefficient(const char *term, double estimate, double se, double confidence, double df,
                             bool aliased);
/* {"terms": [...], "matrix": [[...]]}. */
struct js *stats_matrix(const char *const *names, const double *m, size_t p);

#endif
