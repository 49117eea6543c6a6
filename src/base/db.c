/* SPDX-License-Identifier: Apache-2.0 */
#include "base/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"

/* Statements in use are marked; finished ones wait in the list for the same SQL. */
struct stmt {
    sqlite3_stmt *handle;
    struct db *db;
    struct stmt *next;
    char *sql;
    bool in_use;
};

struct db {
    sqlite3 *handle;
    struct stmt *statements;
    int64_t prepared;
};

/* Why a file cannot be written, as an errno; 0 = not known. SQLite's own is often that of a later call, so
   the place is looked at: never by opening the file itself, whose closing would drop this process's locks. */
static int why_unwritable(struct db *d)
{
    const char *path = sqlite3_db_filename(d->handle, "main");
    int err = sqlite3_system_errno(d->handle);
    struct rlimit limit;
    if (err == EROFS || err == EPERM || err == ENOSPC || err == EDQUOT || err == EFBIG || !path || !*path)
        return err;
    if (access(path, W_OK) != 0)
        return errno;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        return EFBIG;
    char *folder = xasprintf("%.*s", (int)(strrchr(path, '/') ? strrchr(path, '/') - path : 0), path);
    int fd = open(*folder ? folder : ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    err = fd < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    free(folder);
    return err;
}

/* A disk that turned read-only, or a file that was made unchangeable, is another thing than no permission:
   nobody may write, and it passes. */
static enum status status_of_disk(struct db *d, int code)
{
    switch (why_unwritable(d)) {
    case EROFS:
    case EPERM:
        return ST_READ_ONLY;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ST_NO_SPACE;
    default:
        return code == SQLITE_READONLY ? ST_DENIED : ST_IO;
    }
}

static enum status status_of(struct db *d, int code)
{
    switch (code) {
    case SQLITE_FULL:
        return ST_NO_SPACE;
    case SQLITE_CONSTRAINT:
        return ST_CONFLICT;
    case SQLITE_PERM:
        return ST_DENIED;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ST_TIMEOUT;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ST_CORRUPT;
    case SQLITE_NOMEM:
        return ST_NO_MEMORY;
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return status_of_disk(d, code);
    default:
        return ST_IO;
    }
}

static enum status fault(struct db *d, const char *doing, struct err *e)
{
    int code = d->handle ? sqlite3_errcode(d->handle) : SQLITE_NOMEM;
    enum status s = status_of(d, code & 0xff);
    if (s == ST_READ_ONLY)
        err_set(
            e, s,
            "database: %s: the disk or the file is read-only; what is there can be read, and writing goes "
            "on by itself when it can be written again",
            doing);
    else if (s == ST_NO_SPACE)
        err_set(
            e, s,
            "database: %s: no space is left on the disk (or a quota or limit is reached); writing goes on "
            "by itself when there is some",
            doing);
    else
        err_set(e, s, "database: %s: %s", doing, sqlite3_errstr(code));
    err_detail(e, "%s", d->handle ? sqlite3_errmsg(d->handle) : "no handle");
    return s;
}

enum status db_exec(struct db *d, const char *sql, struct err *e)
{
    if (sqlite3_exec(d->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        return fault(d, "cannot run a statement", e);
    return ST_OK;
}

static enum status version_get(struct db *d, int *version, struct err *e)
{
    struct stmt *q = NULL;
    bool row = false;
    enum status s = db_prepare(d, "PRAGMA user_version", &q, e);
    if (s == ST_OK)
        s = stmt_step(q, &row, e);
    *version = s == ST_OK && row ? (int)stmt_int(q, 0) : 0;
    stmt_done(q);
    return s;
}

static enum status migrate(struct db *d, const char *const *migrations, int n, struct err *e)
{
    int version = 0;
    enum status s = version_get(d, &version, e);
    if (s == ST_OK && version == n)
        return ST_OK; /* without waiting for whoever writes */
    if (s == ST_OK)
        s = db_begin(d, e);
    if (s == ST_OK)
        s = version_get(d, &version, e);
    if (s == ST_OK && version > n)
        s = err_set(e, ST_UNSUPPORTED,
                    "the database has schema version %d, this program knows up to %d; use a newer accord",
                    version, n);
    for (int i = version; s == ST_OK && i < n; i++) {
        char pragma[64];
        snprintf(pragma, sizeof pragma, "PRAGMA user_version=%d", i + 1);
        s = db_exec(d, migrations[i], e);
        if (s == ST_OK)
            s = db_exec(d, pragma, e);
    }
    if (s == ST_OK)
        return db_commit(d, e);
    db_rollback(d);
    return s;
}

static enum status configure(struct db *d, enum db_mode mode, struct err *e)
{
    sqlite3_extended_result_codes(d->handle, 0);
    sqlite3_busy_timeout(d->handle, 10000);
    sqlite3_db_config(d->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(d->handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_db_config(d->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    enum status s = db_exec(d, "PRAGMA cache_size=-16384", e); /* KiB at most: a large log's inner pages */
    if (s != ST_OK)
        return s;
    if (mode == DB_READ)
        return db_exec(d, "PRAGMA foreign_keys=ON; PRAGMA query_only=ON", e);
    return db_exec(d, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON", e);
}

enum status db_open(const char *path, enum db_mode mode, const char *const *migrations, int n,
                    struct db **out, struct err *e)
{
    struct db *d = xcalloc(1, sizeof *d);
    *out = NULL;
    int flags = mode == DB_READ ? SQLITE_OPEN_READONLY
                                : SQLITE_OPEN_READWRITE | (mode == DB_CREATE ? SQLITE_OPEN_CREATE : 0);
    enum status s = ST_OK;
    if (sqlite3_open_v2(path, &d->handle, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        s = fault(d, "cannot open", e);
        err_detail(e, "%s", path);
    }
    if (s == ST_OK)
        s = configure(d, mode, e);
    if (s == ST_OK && mode != DB_READ)
        s = migrate(d, migrations, n, e);
    if (s != ST_OK) {
        db_close(d);
        return s;
    }
    *out = d;
    return ST_OK;
}

void db_close(struct db *d)
{
    if (!d)
        return;
    for (struct stmt *s = d->statements; s;) {
        struct stmt *next = s->next;
        sqlite3_finalize(s->handle);
        free(s->sql);
        free(s);
        s = next;
    }
    sqlite3_close(d->handle);
    free(d);
}

enum status db_begin(struct db *d, struct err *e)
{
    return db_exec(d, "BEGIN IMMEDIATE", e);
}

enum status db_commit(struct db *d, struct err *e)
{
    return db_exec(d, "COMMIT", e);
}

void db_rollback(struct db *d)
{
    if (!sqlite3_get_autocommit(d->handle))
        sqlite3_exec(d->handle, "ROLLBACK", NULL, NULL, NULL);
}

int64_t db_last_id(struct db *d)
{
    return sqlite3_last_insert_rowid(d->handle);
}

int64_t db_changes(struct db *d)
{
    return sqlite3_changes64(d->handle);
}

enum status db_backup(struct db *d, const char *path, struct err *e)
{
    struct db to = {0};
    enum status s = ST_OK;
    if (sqlite3_open(path, &to.handle) != SQLITE_OK) {
        s = fault(&to, "cannot create the copy", e);
    } else {
        sqlite3_backup *b = sqlite3_backup_init(to.handle, "main", d->handle, "main");
        if (!b || sqlite3_backup_step(b, -1) != SQLITE_DONE)
            s = fault(&to, "cannot copy", e);
        if (b && sqlite3_backup_finish(b) != SQLITE_OK && s == ST_OK)
            s = fault(&to, "cannot copy", e);
    }
    sqlite3_close(to.handle);
    return s;
}

int64_t db_statements(const struct db *d)
{
    return d->prepared;
}

enum status db_prepare(struct db *d, const char *sql, struct stmt **out, struct err *e)
{
    d->prepared++;
    *out = NULL;
    for (struct stmt *s = d->statements; s; s = s->next)
        if (!s->in_use && strcmp(s->sql, sql) == 0) {
            s->in_use = true;
            *out = s;
            return ST_OK;
        }
    sqlite3_stmt *handle;
    if (sqlite3_prepare_v3(d->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, NULL) != SQLITE_OK)
        return fault(d, "cannot prepare a statement", e);
    struct stmt *s = xcalloc(1, sizeof *s);
    *s = (struct stmt){handle, d, d->statements, xstrdup(sql), true};
    d->statements = s;
    *out = s;
    return ST_OK;
}

void stmt_done(struct stmt *s)
{
    if (!s)
        return;
    sqlite3_reset(s->handle);
    sqlite3_clear_bindings(s->handle);
    s->in_use = false;
}

void stmt_bind_int(struct stmt *s, int at, int64_t v)
{
    sqlite3_bind_int64(s->handle, at, v);
}

void stmt_bind_real(struct stmt *s, int at, double v)
{
    sqlite3_bind_double(s->handle, at, v);
}

void stmt_bind_text(struct stmt *s, int at, const char *utf8)
{
    sqlite3_bind_text(s->handle, at, utf8, -1, SQLITE_TRANSIENT);
}

void stmt_bind_blob(struct stmt *s, int at, const void *bytes, size_t n)
{
    sqlite3_bind_blob64(s->handle, at, n ? bytes : "", n, SQLITE_TRANSIENT);
}

void stmt_bind_null(struct stmt *s, int at)
{
    sqlite3_bind_null(s->handle, at);
}

enum status stmt_step(struct stmt *s, bool *row, struct err *e)
{
    int code = sqlite3_step(s->handle);
    *row = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return ST_OK;
    return fault(s->db, "a statement failed", e);
}

enum status stmt_run(struct stmt *s, struct err *e)
{
    bool row;
    enum status status = stmt_step(s, &row, e);
    stmt_done(s);
    return status;
}

enum status stmt_number(struct stmt *s, int64_t *out, struct err *e)
{
    bool row = false;
    enum status status = stmt_step(s, &row, e);
    *out = status == ST_OK && row ? stmt_int(s, 0) : 0;
    stmt_done(s);
    return status;
}

int64_t stmt_int(struct stmt *s, int column)
{
    return sqlite3_column_int64(s->handle, column);
}

double stmt_real(struct stmt *s, int column)
{
    return sqlite3_column_double(s->handle, column);
}

const char *stmt_text(struct stmt *s, int column)
{
    return (const char *)sqlite3_column_text(s->handle, column);
}

struct slice stmt_blob(struct stmt *s, int column)
{
    const char *p = sqlite3_column_blob(s->handle, column);
    return (struct slice){p ? p : "", (size_t)sqlite3_column_bytes(s->handle, column)};
}

bool stmt_is_null(struct stmt *s, int column)
{
    return sqlite3_column_type(s->handle, column) == SQLITE_NULL;
}
