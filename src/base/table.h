/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables on their way from a source (source/: CSV, databases) to whoever reads them (store/): chunks of typed
 * columns. A source is a table of functions, so that the store knows no format and a source knows no store.
 *
 * The reader asks for columns by name and type. A chunk holds one array per column asked for, in the type
 * asked for; NULL for an optional column that the table does not have. Missing values are NONE_I32, NONE_I64,
 * NaN, and a slice with p = NULL.
 *
 * A row that does not fit (a bad date, an unknown person) is a fault. The policy of the import decides: stop
 * with an error, or drop the row, count it and keep the first few texts.
 */
#ifndef ACCORD_BASE_TABLE_H
#define ACCORD_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/text.h"

#define NONE_I32 INT32_MIN
#define NONE_I64 INT64_MIN

enum table_kind { TABLE_I32, TABLE_I64, TABLE_F64, TABLE_DATE, TABLE_TEXT };
enum table_need {
    TABLE_OPTIONAL, /* the column may be missing, and its values too */
    TABLE_COLUMN,   /* the column must be there, values may be missing */
    TABLE_VALUE     /* the column must be there and every row must have a value */
};
struct table_column {
    const char *name;
    const char *alias; /* its name in another version of the data model; may be NULL */
    enum table_kind kind;
    enum table_need need;
};

/* Faults of rows, in their order: how many, and where and what the first ones were. No values. */
enum { FAULTS_KEPT = 8 };
struct table_fault {
    uint64_t line;
    uint32_t column;      /* of those asked for */
    const char *expected; /* "a date YYYY-MM-DD"; static */
};
struct table_faults {
    uint64_t n;
    struct table_fault first[FAULTS_KEPT];
};

struct table_chunk {
    size_t n;
    void **columns;       /* int32_t*, int64_t*, double*, int32_t* (days), struct slice* */
    const uint32_t *line; /* of each row, counted from lines_before */
    uint64_t lines_before;
    struct table_faults faults; /* of rows that were dropped */
};

struct table_scan;
struct table_source;
struct table_scan_ops {
    /* Up to `most` chunks in order; *n = 0 at the end. They are valid until the next call or close. */
    enum status (*next)(struct table_scan *s, struct pool *pool, struct table_chunk **chunks, size_t *n,
                        struct err *e);
    /* How far: bytes (or rows) taken of a total; total 0 = unknown. */
    void (*progress)(const struct table_scan *s, uint64_t *done, uint64_t *total);
    void (*close)(struct table_scan *s);
};
struct table_scan {
    const struct table_scan_ops *ops;
    char *name; /* what errors call the table: "person.csv.gz" */
    const struct table_column *columns;
    size_t n_columns;
    int *positions; /* of each column in the table; -1 where it is not there */
    char **unknown; /* names of columns in the table that were not asked for */
    size_t n_unknown;
    bool skip; /* drop faulty rows instead of stopping */
};

struct table_source {
    /* ST_NOT_FOUND when there is no such table. */
    enum status (*open)(struct table_source *s, const char *table, const struct table_column *columns,
                        size_t n_columns, bool skip, struct table_scan **out, struct err *e);
    void (*close)(struct table_source *s);
    const char *kind; /* "csv" */
};

/* Notes a fault of a row of the chunk (line counted from lines_before). */
void table_fault_add(struct table_chunk *c, uint32_t line, size_t column, const char *expected);
/* When faults are not skipped: ST_INVALID with the first one, "NAME line 17, column 4 (x): expected ...".
 * Else adds the chunk's faults to `total`. */
MUST_CHECK enum status table_faults_take(const struct table_scan *s, struct table_chunk *c,
                                         struct table_faults *total, struct err *e);
void table_fault_format(const struct table_scan *s, const struct table_fault *f, struct err *e);
void table_scan_deinit(struct table_scan *s); /* what is common to all scans */

#endif
