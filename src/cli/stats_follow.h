/* SPDX-License-Identifier: Apache-2.0
 *
 * Follow-up data for the survival methods of `accord stats`: time, status, entry and weight columns.
 */
#ifndef ACCORD_CLI_STATS_FOLLOW_H
#define ACCORD_CLI_STATS_FOLLOW_H

#include "cli/stats_design.h"
#include "stats/special.h"
#include "stats/survival.h"

struct follow_up {
    struct stats_table *table;
    double *time, *state, *start, *weight; /* of the table's rows; the last two may be NULL */
    int columns[4];
    size_t dropped;
};
/* Finds and reads the columns; the state is still as in the file. */
MUST_CHECK enum status stats_follow_up(const struct args *a, struct stats_table *t, struct follow_up *f,
                                       struct err *e);
/* The state as 0 and 1. */
MUST_CHECK enum status stats_status(const struct args *a, const struct stats_table *t, int column, double *v,
                                    struct err *e);
/* The columns as roles of a model. */
void stats_follow_roles(const struct follow_up *f, struct stats_roles *roles);
/* Drops rows with a missing number or key; group again afterwards. */
MUST_CHECK enum status stats_follow_drop(struct follow_up *f, const struct stats_groups *g, struct err *e);
/* Checked rows with times merged; every state but 0 counts as an event. */
MUST_CHECK enum status stats_follow_rows(struct follow_up *f, struct survival_rows *out, struct err *e);
/* The group of each row by an option's columns; NULL when it is not given. */
MUST_CHECK enum status stats_group_column(const struct stats_table *t, const struct args *a,
                                          const char *option, struct stats_groups *g, uint32_t **out,
                                          struct err *e);
void stats_put_test(struct js *doc, const char *name, const struct test *t);

typedef enum status (*stats_fill)(const struct args *a, struct stats_table *t,
                                  const struct confidences *level, struct js *doc, struct err *e);
MUST_CHECK enum status stats_run_document(const struct args *a, const char *method, const char *main_array,
                                          stats_fill f, struct err *e);

#endif
