/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/guard_book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "base/db.h"
#include "base/file.h"
#include "base/mem.h"
#include "disclose/roster.h"

static const char *const migrations[] = {
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;"
    "CREATE TABLE roster(first INTEGER PRIMARY KEY, pseudonyms BLOB NOT NULL) STRICT;"
    "CREATE TABLE personset(id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL) STRICT;"
    "CREATE TABLE project(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE request(id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL UNIQUE,"
    " project INTEGER NOT NULL REFERENCES project(id), title TEXT NOT NULL, snapshot TEXT NOT NULL,"
    " state TEXT NOT NULL, made TEXT NOT NULL) STRICT;"
    "CREATE TABLE snapshot(id TEXT PRIMARY KEY, personset INTEGER NOT NULL REFERENCES personset(id)) STRICT;"
    "CREATE TABLE cell(request INTEGER NOT NULL REFERENCES request(id), name TEXT NOT NULL,"
    " personset INTEGER NOT NULL REFERENCES personset(id), low INTEGER NOT NULL, high INTEGER NOT NULL,"
    " open INTEGER NOT NULL) STRICT;"
    "CREATE INDEX cell_request ON cell(request);"};

struct guard_book {
    struct db *db;
    int64_t minimum;
    struct guard *guard;
    char **names; /* per known set of the guard: what it was printed as first */
    size_t n_names, names_room;
    struct roster roster;
    size_t n_written; /* of the roster */
    bool asked;
};

static char *run_name(const char *run, const char *cell)
{
    return xasprintf("%s %s", run, cell);
}

/* Gives the set to the guard. */
static void know(struct guard_book *b, struct persons *set, const struct guard_cell *cell, char *name)
{
    uint32_t known = guard_add(b->guard, set, cell);
    if (known < b->n_names) {
        free(name);
        return;
    }
    GROW(b->names, b->n_names + 1, b->names_room);
    b->names[b->n_names++] = name;
}

/* --- reading ------------------------------------------------------------------------------------------ */

static enum status read_secret(struct guard_book *b, uint8_t secret[HASH_BYTES], struct err *e)
{
    struct stmt *q;
    bool row = false;
    uint8_t fresh[HASH_BYTES];
    random_bytes(fresh, sizeof fresh);
    enum status s = db_prepare(b->db, "INSERT INTO meta VALUES('secret', ?1) ON CONFLICT DO NOTHING", &q, e);
    if (s == ST_OK) {
        stmt_bind_blob(q, 1, fresh, sizeof fresh);
        s = stmt_run(q, e);
    }
    if (s == ST_OK)
        s = db_prepare(b->db, "SELECT value FROM meta WHERE key='secret'", &q, e);
    if (s != ST_OK)
        return s;
    s = stmt_step(q, &row, e);
    if (s == ST_OK && (!row || stmt_blob(q, 0).n != HASH_BYTES))
        s = err_set(e, ST_CORRUPT, "the guard's book has no secret of %d bytes", HASH_BYTES);
    else if (s == ST_OK)
        memcpy(secret, stmt_blob(q, 0).p, HASH_BYTES);
    stmt_done(q);
    return s;
}

static enum status read_roster(struct guard_book *b, struct err *e)
{
    struct stmt *q;
    bool row = false;
    roster_deinit(&b->roster);
    enum status s = db_prepare(b->db, "SELECT first, pseudonyms FROM roster ORDER BY first", &q, e);
    if (s != ST_OK)
        return s;
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct slice bytes = stmt_blob(q, 1);
        if (stmt_int(q, 0) != (int64_t)b->roster.n || bytes.n % PSEUDONYM_BYTES) {
            s = err_set(e, ST_CORRUPT, "the roster of the guard's book has a gap");
            break;
        }
        for (size_t i = 0; i < bytes.n; i += PSEUDONYM_BYTES)
            roster_number(&b->roster, (const uint8_t *)bytes.p + i);
        if (b->roster.n != (size_t)stmt_int(q, 0) + bytes.n / PSEUDONYM_BYTES) {
            s = err_set(e, ST_CORRUPT, "the roster of the guard's book names somebody twice");
            break;
        }
    }
    stmt_done(q);
    b->n_written = b->roster.n;
    return s;
}

static enum status read_set(const struct guard_book *b, struct stmt *q, int hash, int bytes,
                            struct persons **out, struct err *e)
{
    *out = NULL;
    if (stmt_blob(q, hash).n != HASH_BYTES)
        return err_set(e, ST_CORRUPT, "the guard's book has a set without its hash");
    enum status s = persons_decode(stmt_blob(q, bytes), (const uint8_t *)stmt_blob(q, hash).p, out, e);
    if (s == ST_OK && persons_count(*out) && persons_last(*out) >= b->roster.n) {
        persons_free(*out);
        *out = NULL;
        s = err_set(e, ST_CORRUPT, "the guard's book counts a person who is not on its roster");
    }
    return s;
}

static enum status read_snapshots(struct guard_book *b, struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s = db_prepare(
        b->db, "SELECT s.id, p.sha256, p.bytes FROM snapshot s JOIN personset p ON p.id=s.personset", &q, e);
    if (s != ST_OK)
        return s;
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct persons *set;
        if ((s = read_set(b, q, 1, 2, &set, e)) != ST_OK)
            break;
        int64_t n = (int64_t)persons_count(set);
        struct guard_cell cell = {set, n, n, false, GUARD_EVERYBODY, GUARD_EVERYBODY};
        know(b, set, &cell, xstrdup("everybody"));
    }
    stmt_done(q);
    return s;
}

static enum status read_cells(struct guard_book *b, struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s =
        db_prepare(b->db,
                   "SELECT r.run, r.project, r.id, c.name, c.low, c.high, c.open, p.sha256, p.bytes"
                   " FROM cell c JOIN request r ON r.id=c.request JOIN personset p ON"
                   " p.id=c.personset WHERE r.state<>'withdrawn' ORDER BY c.rowid",
                   &q, e);
    if (s != ST_OK)
        return s;
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct persons *set;
        if ((s = read_set(b, q, 7, 8, &set, e)) != ST_OK)
            break;
        struct guard_cell cell = {set,
                                  stmt_int(q, 4),
                                  stmt_int(q, 5),
                                  stmt_int(q, 6) != 0,
                                  (uint32_t)stmt_int(q, 1),
                                  (uint32_t)stmt_int(q, 2)};
        know(b, set, &cell, run_name(stmt_text(q, 0), stmt_text(q, 3)));
    }
    stmt_done(q);
    return s;
}

static void forget(struct guard_book *b)
{
    guard_free(b->guard);
    b->guard = NULL;
    for (size_t i = 0; i < b->n_names; i++)
        free(b->names[i]);
    b->n_names = 0;
}

static enum status load(struct guard_book *b, struct err *e)
{
    uint8_t secret[HASH_BYTES];
    forget(b);
    enum status s = read_secret(b, secret, e);
    if (s == ST_OK)
        s = read_roster(b, e);
    if (s != ST_OK)
        return s;
    b->guard = guard_new(b->minimum, secret);
    secret_wipe(secret, sizeof secret);
    s = read_snapshots(b, e);
    return s == ST_OK ? read_cells(b, e) : s;
}

enum status guard_book_open(const char *path, int64_t minimum, struct guard_book **out, struct err *e)
{
    struct guard_book *b = xcalloc(1, sizeof *b);
    enum status s = ST_OK;
    *out = NULL;
    b->minimum = minimum < GUARD_MOST_MINIMUM ? minimum : GUARD_MOST_MINIMUM;
    if (!file_exists(path))
        s = file_replace(path, SLICE(""), 0600, e); /* SQLite keeps the mode, also for its WAL */
    if (s == ST_OK)
        s = db_open(path, DB_CREATE, migrations, 1, &b->db, e);
    if (s == ST_OK)
        s = load(b, e);
    if (s == ST_OK)
        *out = b;
    else
        guard_book_close(b);
    return s;
}

void guard_book_close(struct guard_book *b)
{
    if (!b)
        return;
    forget(b);
    free(b->names);
    roster_deinit(&b->roster);
    db_close(b->db);
    free(b);
}

void guard_book_number(struct guard_book *b, const uint8_t *pseudonyms, size_t n, uint32_t *numbers)
{
    for (size_t i = 0; i < n; i++)
        numbers[i] = roster_number(&b->roster, pseudonyms + i * PSEUDONYM_BYTES);
}

/* --- asking ------------------------------------------------------------------------------------------- */

static enum status request_find(struct guard_book *b, const char *run, int64_t *id, struct err *e)
{
    struct stmt *q;
    bool row = false;
    *id = 0;
    enum status s = db_prepare(b->db, "SELECT id FROM request WHERE run=?1 AND state<>'withdrawn'", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    s = stmt_step(q, &row, e);
    *id = s == ST_OK && row ? stmt_int(q, 0) : 0;
    stmt_done(q);
    return s;
}

/* The project's number, made when it is new. */
static enum status project_number(struct guard_book *b, const char *name, int64_t *out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    *out = 0;
    enum status s = db_prepare(b->db, "INSERT INTO project(name) VALUES(?1) ON CONFLICT DO NOTHING", &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, name);
        s = stmt_run(q, e);
    }
    if (s == ST_OK)
        s = db_prepare(b->db, "SELECT id FROM project WHERE name=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, name);
    s = stmt_step(q, &row, e);
    *out = s == ST_OK && row ? stmt_int(q, 0) : 0;
    stmt_done(q);
    return s;
}

/* Sets are kept by the guard and by whoever asked: it gets its own. */
static struct persons *copy_of(const struct persons *p)
{
    uint32_t *list = persons_list(p);
    struct persons *out = persons_new(list, persons_count(p));
    free(list);
    return out;
}

static struct guard_cell cell_of(const struct guard_print *print, int64_t project)
{
    return (struct guard_cell){print->persons, print->low,        print->high,
                               print->open,    (uint32_t)project, UINT32_MAX};
}

static void judge(struct guard_book *b, const struct guard_request *r, const struct guard_print *print,
                  int64_t project, struct guard_answer *out)
{
    struct guard_finding f;
    struct guard_cell cell = cell_of(print, project);
    guard_ask(b->guard, &cell, &f);
    if (f.verdict > out->verdict) {
        out->verdict = f.verdict;
        snprintf(out->cell, sizeof out->cell, "%s", print->name);
        snprintf(out->with, sizeof out->with, "%s",
                 f.entangled ? "more earlier cells than could be searched" : b->names[f.with[0]]);
    }
    know(b, copy_of(print->persons), &cell, run_name(r->run, print->name));
}

enum status guard_book_ask(struct guard_book *b, const struct guard_request *r, struct guard_answer *out,
                           struct err *e)
{
    int64_t known, project, n = (int64_t)persons_count(r->everybody);
    *out = (struct guard_answer){.verdict = GUARD_ALLOW};
    enum status s = request_find(b, r->run, &known, e);
    if (s != ST_OK || known)
        return s;
    if (b->asked)
        return err_set(e, ST_INTERNAL, "the guard's book was asked twice");
    s = project_number(b, r->project, &project, e);
    if (s != ST_OK)
        return s;
    b->asked = true;
    struct guard_cell everybody = {r->everybody, n, n, false, GUARD_EVERYBODY, GUARD_EVERYBODY};
    know(b, copy_of(r->everybody), &everybody, xstrdup("everybody"));
    for (size_t i = 0; i < r->n_prints; i++) {
        struct guard_cell cell = cell_of(&r->prints[i], project);
        guard_announce(b->guard, &cell);
    }
    for (size_t i = 0; i < r->n_prints; i++)
        judge(b, r, &r->prints[i], project, out);
    return ST_OK;
}

/* --- writing ------------------------------------------------------------------------------------------ */

static enum status write_roster(struct guard_book *b, struct err *e)
{
    struct stmt *q;
    if (b->roster.n == b->n_written)
        return ST_OK;
    enum status s = db_prepare(b->db, "INSERT INTO roster VALUES(?1, ?2)", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, (int64_t)b->n_written);
    stmt_bind_blob(q, 2, b->roster.pseudonyms[b->n_written], (b->roster.n - b->n_written) * PSEUDONYM_BYTES);
    return stmt_run(q, e);
}

static enum status write_set(struct guard_book *b, const struct persons *set, int64_t *id, struct err *e)
{
    struct stmt *q;
    struct buf bytes;
    bool row = false;
    uint8_t hash[HASH_BYTES];
    buf_init(&bytes, (size_t)1 << 30);
    persons_encode(set, &bytes, hash);
    enum status s = buf_check(&bytes, "a set of persons", e);
    if (s == ST_OK)
        s = db_prepare(b->db, "INSERT INTO personset(sha256, bytes) VALUES(?1, ?2) ON CONFLICT DO NOTHING",
                       &q, e);
    if (s == ST_OK) {
        stmt_bind_blob(q, 1, hash, sizeof hash);
        stmt_bind_blob(q, 2, bytes.p, bytes.n);
        s = stmt_run(q, e);
    }
    buf_deinit(&bytes);
    if (s == ST_OK)
        s = db_prepare(b->db, "SELECT id FROM personset WHERE sha256=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_blob(q, 1, hash, sizeof hash);
    s = stmt_step(q, &row, e);
    *id = s == ST_OK && row ? stmt_int(q, 0) : 0;
    stmt_done(q);
    return s;
}

static enum status write_snapshot(struct guard_book *b, const struct guard_request *r, struct err *e)
{
    struct stmt *q;
    int64_t set;
    enum status s = write_set(b, r->everybody, &set, e);
    if (s == ST_OK)
        s = db_prepare(b->db, "INSERT INTO snapshot VALUES(?1, ?2) ON CONFLICT DO NOTHING", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, r->snapshot);
    stmt_bind_int(q, 2, set);
    return stmt_run(q, e);
}

/* A run that was withdrawn and is asked for again takes its place anew. */
static enum status write_request(struct guard_book *b, const struct guard_request *r, int64_t *id,
                                 struct err *e)
{
    struct stmt *q;
    int64_t project;
    char now[21];
    time_format(time_now_ms(), now);
    enum status s = project_number(b, r->project, &project, e);
    if (s == ST_OK)
        s = db_prepare(b->db, "DELETE FROM cell WHERE request IN (SELECT id FROM request WHERE run=?1)", &q,
                       e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, r->run);
        s = stmt_run(q, e);
    }
    if (s == ST_OK)
        s = db_prepare(b->db,
                       "INSERT OR REPLACE INTO request(run, project, title, snapshot, state, made)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                       &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, r->run);
    stmt_bind_int(q, 2, project);
    stmt_bind_text(q, 3, r->title);
    stmt_bind_text(q, 4, r->snapshot);
    stmt_bind_text(q, 5, r->state);
    stmt_bind_text(q, 6, now);
    s = stmt_run(q, e);
    *id = db_last_id(b->db);
    return s;
}

static enum status write_cell(struct guard_book *b, int64_t request, const struct guard_print *print,
                              struct err *e)
{
    struct stmt *q;
    int64_t set;
    enum status s = write_set(b, print->persons, &set, e);
    if (s == ST_OK)
        s = db_prepare(b->db, "INSERT INTO cell VALUES(?1, ?2, ?3, ?4, ?5, ?6)", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, request);
    stmt_bind_text(q, 2, print->name);
    stmt_bind_int(q, 3, set);
    stmt_bind_int(q, 4, print->low);
    stmt_bind_int(q, 5, print->high);
    stmt_bind_int(q, 6, print->open);
    return stmt_run(q, e);
}

enum status guard_book_record(struct guard_book *b, const struct guard_request *r, struct err *e)
{
    int64_t id;
    enum status s = request_find(b, r->run, &id, e);
    if (s != ST_OK || id)
        return s;
    if ((s = db_begin(b->db, e)) != ST_OK)
        return s;
    s = write_roster(b, e);
    if (s == ST_OK)
        s = write_snapshot(b, r, e);
    if (s == ST_OK)
        s = write_request(b, r, &id, e);
    for (size_t i = 0; s == ST_OK && i < r->n_prints; i++)
        s = write_cell(b, id, &r->prints[i], e);
    if (s == ST_OK)
        s = db_commit(b->db, e);
    else
        db_rollback(b->db);
    if (s == ST_OK)
        b->n_written = b->roster.n;
    return s;
}

enum status guard_book_withdraw(struct guard_book *b, const char *run, struct err *e)
{
    struct stmt *q;
    enum status s =
        db_prepare(b->db, "UPDATE request SET state='withdrawn' WHERE run=?1 AND state='given'", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    s = stmt_run(q, e);
    return s == ST_OK && !db_changes(b->db)
               ? err_set(e, ST_NOT_FOUND,
                         "the guard's book has no run '%.60s' whose outcome is open; 'accord disclose "
                         "history' lists them",
                         run)
               : s;
}

/* --- history ------------------------------------------------------------------------------------------ */

/* Everybody that a request counts. */
static enum status members_of(struct guard_book *b, int64_t request, struct persons **out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    *out = persons_new(NULL, 0);
    enum status s = db_prepare(
        b->db, "SELECT p.sha256, p.bytes FROM cell c JOIN personset p ON p.id=c.personset WHERE c.request=?1",
        &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, request);
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct persons *set;
        if ((s = read_set(b, q, 0, 1, &set, e)) != ST_OK)
            break;
        persons_join(*out, set);
        persons_free(set);
    }
    stmt_done(q);
    return s;
}

struct past {
    struct js *json;
    struct persons *members;
    bool wanted;
};

static enum status read_past(struct guard_book *b, const char *project, struct past **out, size_t *n,
                             struct err *e)
{
    static const char *const names[] = {"project", "run", "title", "state", "made", "snapshot"};
    struct stmt *q;
    bool row = false;
    size_t room = 0;
    *out = NULL;
    *n = 0;
    enum status s = db_prepare(b->db,
                               "SELECT p.name, r.run, r.title, r.state, r.made, r.snapshot, r.id,"
                               " (SELECT count(*) FROM cell WHERE request=r.id) FROM request r JOIN project p"
                               " ON p.id=r.project WHERE r.state<>'withdrawn' ORDER BY r.id",
                               &q, e);
    if (s != ST_OK)
        return s;
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        GROW(*out, *n + 1, room);
        struct past *p = &(*out)[(*n)++];
        *p = (struct past){js_object(), NULL, !project || strcmp(project, stmt_text(q, 0)) == 0};
        for (int i = 0; i < 6; i++)
            js_put_str(p->json, names[i], stmt_text(q, i));
        js_put_int(p->json, "cells", stmt_int(q, 7));
        if ((s = members_of(b, stmt_int(q, 6), &p->members, e)) != ST_OK)
            break;
    }
    stmt_done(q);
    return s;
}

enum status guard_book_history(struct guard_book *b, const char *project, struct js **out, struct err *e)
{
    struct past *past;
    size_t n;
    struct js *list = js_array();
    enum status s = read_past(b, project, &past, &n, e);
    for (size_t i = 0; s == ST_OK && i < n; i++) {
        struct js *overlaps = js_array();
        for (size_t k = 0; k < n; k++)
            if (k != i && persons_meet(past[i].members, past[k].members))
                js_push(overlaps, js_string(js_get_str(past[k].json, "run")));
        js_put(past[i].json, "overlaps", overlaps);
        if (past[i].wanted)
            js_push(list, js_share(past[i].json));
    }
    for (size_t i = 0; i < n; i++) {
        js_free(past[i].json);
        persons_free(past[i].members);
    }
    free(past);
    *out = s == ST_OK ? js_share(list) : NULL;
    js_free(list);
    return s;
}

void guard_wait(int64_t started_ns)
{
    int64_t period = (int64_t)GUARD_PERIOD_MS * 1000000;
    int64_t left = period - (time_monotonic_ns() - started_ns) % period;
    struct timespec t = {(time_t)(left / 1000000000), (long)(left % 1000000000)};
    nanosleep(&t, NULL);
}
