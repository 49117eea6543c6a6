/* SPDX-License-Identifier: Apache-2.0
 *
 * The door to SQLite (only db.c includes it). Every database is opened in WAL mode with synchronous=FULL,
 * foreign keys on, DEFENSIVE, no extension loading, a 10 s busy time-out, and brought to its newest schema by
 * numbered migrations (PRAGMA user_version). A struct db belongs to one thread at a time; open one per thread
 * for concurrent readers.
 */
#ifndef ACCORD_BASE_DB_H
#define ACCORD_BASE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

struct db;
struct stmt;

enum db_mode { DB_CREATE, DB_WRITE, DB_READ };
/* migrations[i] is the SQL that brings version i to i + 1; a database newer than n is refused. A read-only
   open does not migrate. path ":memory:" works. */
MUST_CHECK enum status db_open(const char *path, enum db_mode mode, const char *const *migrations, int n,
                               struct db **out, struct err *e);
void db_close(struct db *d); /* NULL is fine; statements must be finished before */
MUST_CHECK enum status db_exec(struct db *d, const char *sql, struct err *e);
/* Transactions: BEGIN IMMEDIATE. db_rollback is fine when none is open. */
MUST_CHECK enum status db_begin(struct db *d, struct err *e);
MUST_CHECK enum status db_commit(struct db *d, struct err *e);
void db_rollback(struct db *d);
int64_t db_last_id(struct db *d);
int64_t db_changes(struct db *d);
MUST_CHECK enum status db_backup(struct db *d, const char *path, struct err *e); /* online copy */

/* How many statements were asked for since it was opened: whether anything was read in between. */
int64_t db_statements(const struct db *d);

/* Statements. db_prepare caches by the SQL text's address-independent content; stmt_done gives it back
 * (resets, clears). */
MUST_CHECK enum status db_prepare(struct db *d, const char *sql, struct stmt **out, struct err *e);
void stmt_done(struct stmt *s); /* NULL is fine */
/* Parameters are numbered from 1. Text and bytes are copied. */
void stmt_bind_int(struct stmt *s, int at, int64_t v);
void stmt_bind_real(struct stmt *s, int at, double v);
void stmt_bind_text(struct stmt *s, int at, const char *utf8); /* NULL binds NULL */
void stmt_bind_blob(struct stmt *s, int at, const void *bytes, size_t n);
void stmt_bind_null(struct stmt *s, int at);
/* *row says whether there is one. Constraint violations are ST_CONFLICT, a full disk ST_NO_SPACE. */
MUST_CHECK enum status stmt_step(struct stmt *s, bool *row, struct err *e);
/* For statements without rows: step once and stmt_done. */
MUST_CHECK enum status stmt_run(struct stmt *s, struct err *e);
/* For statements of one number: its first column, 0 where there is no row, and stmt_done. */
MUST_CHECK enum status stmt_number(struct stmt *s, int64_t *out, struct err *e);
/* Columns are numbered from 0; text and bytes live until the next step. */
int64_t stmt_int(struct stmt *s, int column);
double stmt_real(struct stmt *s, int column);
const char *stmt_text(struct stmt *s, int column); /* NULL for NULL */
struct slice stmt_blob(struct stmt *s, int column);
bool stmt_is_null(struct stmt *s, int column);

#endif
