/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tables of text: RFC 4180 CSV, or tab-separated, plain, gzip or zstd. The first row is the header;
 * its delimiter decides. LF or CRLF (or CR alone, when the header ends in one), a byte order mark of UTF-8, a
 * missing last newline and blank lines are fine; UTF-16 is an error that says so, and a row with another number
 * of fields than the header, a stray quote or text behind a closing quote is an error that names file, line and
 * column. In tab-separated files a quote is an ordinary character (the OHDSI
 * vocabulary files are like that), unless the header itself is quoted.
 *
 * Two ways to read. One row after the other: csv_next. On many threads: csv_take cuts the file into blocks of
 * whole rows, csv_split a block into pieces, and a csv_scan walks over a piece; csv_take of the next block
 * may run while scans of another block do.
 *
 * Error texts never hold a value of the file; those go into the detail.
 */
#ifndef ACCORD_BASE_CSV_H
#define ACCORD_BASE_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

enum { CSV_MOST_COLUMNS = 1024, CSV_MOST_ROW_BYTES = 16 << 20 };

struct csv;
MUST_CHECK enum status csv_open(const char *path, struct csv **out, struct err *e);
/* Over borrowed bytes (compressed or not); `name` is what errors call them. */
MUST_CHECK enum status csv_open_memory(struct slice bytes, const char *name, struct csv **out, struct err *e);
void csv_close(struct csv *c); /* NULL is fine */

const char *csv_name(const struct csv *c); /* the file's name without its folder */
int csv_columns(const struct csv *c);
const char *csv_column(const struct csv *c, int i);
int csv_find(const struct csv *c, const char *column); /* whatever the case; -1 when there is none */
MUST_CHECK enum status csv_need(const struct csv *c, const char *column, int *out, struct err *e);
uint64_t csv_size(const struct csv *c);  /* bytes of the file as it lies there */
uint64_t csv_taken(const struct csv *c); /* of those, read so far: for progress */

/* The next row: as many fields as columns, valid until the next call; NULL at the end. */
MUST_CHECK enum status csv_next(struct csv *c, const struct slice **fields, struct err *e);
uint64_t csv_line(const struct csv *c); /* of the row last given; the header is line 1 */

/* Fields of the row last given, as numbers and dates. An empty field, or column -1, gives `absent`. */
MUST_CHECK enum status csv_i64(const struct csv *c, int column, int64_t absent, int64_t *out, struct err *e);
MUST_CHECK enum status csv_double(const struct csv *c, int column, double absent, double *out, struct err *e);
MUST_CHECK enum status csv_date(const struct csv *c, int column, int32_t absent, int32_t *out, struct err *e);
/* "FILE line 17, column 4 (condition_start_date): expected ..."; the value goes into the detail. */
enum status csv_expected(const struct csv *c, int column, const char *expected, struct err *e);

/* A block of whole rows, owned by the caller; start with {0}, reuse, deinit. */
struct csv_block {
    char *bytes; /* n of them; one more is a writable spare */
    size_t n, capacity;
};
void csv_block_deinit(struct csv_block *b);
/* The next rows, about `bytes` of them (of a plain file up to 2 MiB more) or one longer row; n = 0 at the end. */
MUST_CHECK enum status csv_take(struct csv *c, struct csv_block *b, size_t bytes, struct err *e);
/* Cuts a block into at most `most` pieces of whole rows; returns how many. */
size_t csv_split(const struct csv *c, const struct csv_block *b, struct slice *pieces, size_t most);

/* A walk over a piece. Fields lie in the piece, which is changed where a quoted field holds quotes. Members
 * are csv.c's own, but for row_line: the lines of the piece before the row last given. */
enum { CSV_INDEX = 4096 };
struct csv_scan {
    const struct csv *c;
    char *p;
    size_t n;
    size_t row;              /* where the next row begins */
    size_t indexed;          /* bytes that the index covers */
    uint64_t inside;         /* all ones when `indexed` lies in quotes */
    bool quotes;             /* quotes were seen in the piece */
    uint64_t line;           /* lines before the next row */
    uint64_t row_line;       /* lines before the row last given */
    uint32_t at, n_ends;     /* ends[at..n_ends) are not used yet */
    uint32_t at_row, n_rows; /* and neither are rows[at_row..n_rows) */
    const int *wanted;       /* columns; NULL = all */
    size_t n_wanted;
    struct slice *fields;
    const char *wrong; /* the fault, in which column (-1: the row), and the number of fields found */
    int wrong_column;
    uint32_t found;
    uint32_t ends[CSV_INDEX + 64]; /* where fields end: delimiters and newlines outside quotes */
    uint16_t rows[CSV_INDEX + 64]; /* which of those are newlines */
};
/* The piece is at most 4 GiB. */
void csv_scan_init(struct csv_scan *s, const struct csv *c, struct slice piece);
/* Only the fields of these columns will be read (borrowed); the others are then not set. All are by default.
 */
void csv_scan_want(struct csv_scan *s, const int *columns, size_t n);
void csv_scan_deinit(struct csv_scan *s);
/* The next row's fields (as many as columns, until the next call), or NULL at the end. False on an error,
   which csv_scan_error then tells; `lines_before` are those of the file before the piece. */
bool csv_scan_next(struct csv_scan *s, const struct slice **fields);

/* Rows that are plain: with as many fields as the header and no quotes, one right behind the other. Valid
 * until the scan goes on. Their fields can be gone through column by column, which is quicker. */
struct csv_rows {
    const char *p, *end; /* the piece */
    const uint32_t *ends;
    size_t n, columns, from;
    uint64_t line; /* lines of the piece before the first */
};
/* The next rows, as far as the scan knows them to be plain: false when there are none and csv_scan_next must
 * look. The scan goes on behind them only with csv_scan_pass. */
bool csv_scan_rows(struct csv_scan *s, struct csv_rows *rows);
void csv_scan_pass(struct csv_scan *s, const struct csv_rows *rows);
static inline struct slice csv_rows_field(const struct csv_rows *r, size_t row, size_t column)
{
    size_t k = row * r->columns + column, from = k ? (size_t)r->ends[k - 1] + 1 : r->from, end = r->ends[k];
    if (column + 1 == r->columns && end > from && r->p[end - 1] == '\r')
        end--;
    return (struct slice){r->p + from, end - from};
}

enum status csv_scan_error(const struct csv_scan *s, uint64_t lines_before, struct err *e);

#endif
