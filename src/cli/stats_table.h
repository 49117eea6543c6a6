/* SPDX-License-Identifier: Apache-2.0
 *
 * What every `accord stats` method shares: the CSV file as columns in memory, the choice of columns by option
 * or by the usual names, groups of rows, and the answer as one JSON document whose main array is also the CSV
 * and the table. Everything lives in the table's arena.
 */
#ifndef ACCORD_CLI_STATS_TABLE_H
#define ACCORD_CLI_STATS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/command.h"
#include "stats/interval.h"

struct stats_table {
    struct arena *arena;
    const char *name; /* of the file, for errors */
    size_t n_columns, n_rows;
    const char **columns;
    const char ***cells; /* cells[column][row]; NULL is missing: blank or NA */
    uint64_t *lines;     /* of each row in the file */
};

/* Reads the command's first operand, keeps the rows that every --where COLUMN=VALUE allows. */
MUST_CHECK enum status stats_table_open(const struct args *a, struct stats_table **out, struct err *e);
void stats_table_close(struct stats_table *t); /* NULL is fine */
/* Any CSV file. */
MUST_CHECK enum status stats_table_read(const char *path, struct stats_table **out, struct err *e);
/* The rows of keep[] that are true, in place. */
void stats_table_keep(struct stats_table *t, const bool *keep);

/* The index of a column by name, whatever the case; ST_INVALID with the nearest name. */
MUST_CHECK enum status stats_column(const struct stats_table *t, const char *name, int *out, struct err *e);
/* The column an option names, or else the first of `usual` (words parted by spaces) that the file has; -1
 * when there is none and it is not needed. */
MUST_CHECK enum status stats_choose(const struct args *a, const struct stats_table *t, const char *option,
                                    const char *usual, bool needed, int *out, struct err *e);
/* A column as numbers; NaN is missing. TRUE and FALSE are 1 and 0, thousands separators are refused. */
MUST_CHECK enum status stats_numbers(const struct stats_table *t, int column, double **out, struct err *e);
/* stats_choose and stats_numbers; *out is NULL when there is no such column. */
MUST_CHECK enum status stats_choose_numbers(const struct args *a, const struct stats_table *t,
                                            const char *option, const char *usual, bool needed, double **out,
                                            struct err *e);
bool stats_is_number(const char *cell);
/* Wraps an error with the file, the row's line and what it belongs to. */
enum status stats_at(const struct stats_table *t, size_t row, struct err *e);

/* Rows grouped by the values of the columns that the option names (comma-separated), in order of first
 * appearance. Without the option: one group. */
struct stats_groups {
    size_t n_groups, n_keys;
    int *keys;     /* columns */
    uint32_t *of;  /* group of each row */
    size_t *first; /* a row of each group */
    size_t **rows; /* rows of each group */
    size_t *size;
};
MUST_CHECK enum status stats_group(const struct args *a, const struct stats_table *t, const char *option,
                                   struct stats_groups *out, struct err *e);
MUST_CHECK enum status stats_group_by(const struct stats_table *t, const int *keys, size_t n_keys,
                                      struct stats_groups *out, struct err *e);
/* "sex=1, site=2"; "" for one group. */
const char *stats_group_name(const struct stats_table *t, const struct stats_groups *g, size_t group);
void stats_put_keys(struct js *row, const struct stats_table *t, const struct stats_groups *g, size_t group);
void stats_put_cell(struct js *row, const struct stats_table *t, int column, size_t row_index);

/* Comma-separated words of an option, in the arena; n = 0 when it is not given. */
const char **stats_words(struct arena *arena, const char *text, size_t *n);
MUST_CHECK enum status stats_option_number(const struct args *a, const char *name, double absent, double *out,
                                           struct err *e);
/* --confidence: one level, or two. Without `any_pair` two must be 0.95 and 0.998. */
struct confidences {
    double level[2];
    int n;
};
MUST_CHECK enum status stats_confidences(const struct args *a, bool any_pair, struct confidences *out,
                                         struct err *e);
/* One of `choices` (NULL-ended) as its index; the first is the default. */
MUST_CHECK enum status stats_option_choice(const struct args *a, const char *name, const char *const *choices,
                                           int *out, struct err *e);

void stats_put(struct js *row, const char *key, double v); /* NaN and infinities become null */
/* value, lower, upper (and lower99_8, upper99_8 for a second level; e[] has one entry per level), and the
 * reason with its sentence when there is one. */
void stats_put_estimate(struct js *row, const struct estimate *levels, const struct confidences *c);
struct js *stats_document(const char *method);
void stats_put_confidence(struct js *doc, const struct confidences *c);
/* Prints and frees doc. `main_array` is the member that becomes the table in CSV and on the screen. */
MUST_CHECK enum status stats_print(const struct args *a, struct js *doc, const char *main_array,
                                   struct err *e);

#endif
