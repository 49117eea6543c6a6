/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/guard_book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "disclose/guard_tables.h"

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
    "CREATE INDEX cell_request ON cell(request);",
    "CREATE TABLE sketch(personset INTEGER NOT NULL REFERENCES personset(id), sampling INTEGER NOT NULL,"
    " n INTEGER NOT NULL, last INTEGER NOT NULL, bytes BLOB NOT NULL, sum BLOB NOT NULL,"
    " PRIMARY KEY(sampling, personset)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE numbering(population TEXT PRIMARY KEY, n INTEGER NOT NULL, sha256 BLOB NOT NULL,"
    " bytes BLOB NOT NULL) STRICT;"
    "CREATE INDEX cell_personset ON cell(personset);",
    "CREATE TABLE held(personset INTEGER PRIMARY KEY REFERENCES personset(id),"
    " place INTEGER NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE segment(id INTEGER PRIMARY KEY AUTOINCREMENT, first INTEGER NOT NULL,"
    " last INTEGER NOT NULL, persons INTEGER NOT NULL) STRICT;"
    "CREATE TABLE holders(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL, sum INTEGER NOT NULL) STRICT;"};

/* --- transactions ------------------------------------------------------------------------------------- */

enum { BEGIN_TRIES = 60 }; /* of ten seconds each: another process may be numbering a first import */

enum status book_begin(struct guard_book *b, struct err *e)
{
    enum status s = ST_TIMEOUT;
    for (int i = 0; i < BEGIN_TRIES && s == ST_TIMEOUT && !interrupted(); i++)
        s = db_begin(b->db, e);
    return s;
}

enum status book_end(struct guard_book *b, enum status s, struct err *e)
{
    if (s == ST_OK)
        s = db_commit(b->db, e);
    if (s != ST_OK)
        db_rollback(b->db);
    return s;
}

/* --- opening ------------------------------------------------------------------------------------------ */

static enum status find_secret(struct guard_book *b, bool *found, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(b->db, "SELECT value FROM meta WHERE key='secret'", &q, e);
    if (s != ST_OK)
        return s;
    s = stmt_step(q, found, e);
    if (s == ST_OK && *found && stmt_blob(q, 0).n != HASH_BYTES)
        s = err_set(e, ST_CORRUPT, "the guard's book has no secret of %d bytes", HASH_BYTES);
    else if (s == ST_OK && *found)
        memcpy(b->secret, stmt_blob(q, 0).p, HASH_BYTES);
    stmt_done(q);
    return s;
}

/* Made with the book; of two processes that make it, one is first. */
static enum status read_secret(struct guard_book *b, struct err *e)
{
    struct stmt *q;
    uint8_t fresh[HASH_BYTES];
    bool found;
    enum status s = find_secret(b, &found, e);
    if (s != ST_OK || found)
        return s;
    random_bytes(fresh, sizeof fresh);
    s = db_prepare(b->db, "INSERT INTO meta VALUES('secret', ?1) ON CONFLICT DO NOTHING", &q, e);
    if (s == ST_OK) {
        stmt_bind_blob(q, 1, fresh, sizeof fresh);
        s = stmt_run(q, e);
    }
    secret_wipe(fresh, sizeof fresh);
    return s == ST_OK ? find_secret(b, &found, e) : s;
}

static struct book_set *set_of(struct guard_book *b, uint64_t id)
{
    while (b->n_sets <= id) {
        GROW(b->sets, b->n_sets + 1, b->sets_room);
        b->sets[b->n_sets++] = (struct book_set){0};
    }
    return &b->sets[id];
}

static enum status read_places(struct guard_book *b, struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s =
        db_prepare(b->db, "SELECT place, personset FROM held WHERE place>?1 ORDER BY place", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, b->last_place);
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct book_set *set = set_of(b, (uint64_t)stmt_int(q, 1));
        b->last_place = stmt_int(q, 0);
        set->place = (uint32_t)b->last_place;
        if (set->known)
            guard_place(b->guard, set->known - 1, set->place);
    }
    stmt_done(q);
    return s;
}

/* Columns: row, personset, n, last, bytes, sum of a sketch, then those of a cell (not of a snapshot). A set
   without a sketch ends it. */
static enum status read_row(struct guard_book *b, struct stmt *q, bool *have, struct err *e)
{
    struct guard_kept kept;
    enum status s = sketch_read(q, 1, b->sampling, &kept, have, e);
    if (s != ST_OK || !*have)
        return s;
    struct guard_cell cell = {NULL,
                              stmt_int(q, 6),
                              stmt_int(q, 7),
                              stmt_int(q, 8) != 0,
                              (uint32_t)stmt_int(q, 9),
                              (uint32_t)stmt_int(q, 10)};
    struct book_set *set = set_of(b, kept.key);
    kept.place = set->place;
    set->known = guard_add_kept(b->guard, &kept, &cell) + 1;
    return ST_OK;
}

static enum status read_rows(struct guard_book *b, const char *sql, int64_t *last, bool *have, struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s = *have ? db_prepare(b->db, sql, &q, e) : ST_OK;
    if (s != ST_OK || !*have)
        return s;
    stmt_bind_int(q, 1, b->sampling);
    stmt_bind_int(q, 2, *last);
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        if ((s = read_row(b, q, have, e)) != ST_OK || !*have)
            break;
        *last = stmt_int(q, 0);
    }
    stmt_done(q);
    return s;
}

enum status book_catch_up(struct guard_book *b, bool *have, struct err *e)
{
    *have = true;
    enum status s = read_places(b, e);
    if (s == ST_OK)
        s = read_rows(b,
                      "SELECT s.rowid, s.personset, k.n, k.last, k.bytes, k.sum, k.n, k.n, 0, 0, 0"
                      " FROM snapshot s LEFT JOIN sketch k ON k.personset=s.personset AND"
                      " k.sampling=?1 WHERE s.rowid>?2 ORDER BY s.rowid",
                      &b->last_snapshot, have, e);
    return s == ST_OK
               ? read_rows(b,
                           "SELECT c.rowid, c.personset, k.n, k.last, k.bytes, k.sum, c.low, c.high, c.open,"
                           " r.project, r.id FROM cell c JOIN request r ON r.id=c.request LEFT JOIN sketch k"
                           " ON k.personset=c.personset AND k.sampling=?1"
                           " WHERE c.rowid>?2 AND r.state<>'withdrawn' ORDER BY c.rowid",
                           &b->last_cell, have, e)
               : s;
}

static enum status fetch(void *context, uint64_t key, struct persons **out, struct err *e)
{
    return set_read(context, (int64_t)key, out, e);
}

static enum status holders_of(void *context, uint32_t person, struct guard_places *into, struct err *e)
{
    return index_holders(context, person, into, e);
}

static void forget(struct guard_book *b)
{
    guard_free(b->guard);
    b->guard = guard_new(b->minimum, b->secret, (struct guard_source){fetch, holders_of, b});
    b->n_sets = 0;
    b->last_cell = b->last_snapshot = b->last_place = 0;
    b->stale = false;
}

/* Within a transaction: an old book, or one that was kept for another k, has its sketches made once. */
static enum status load_anew(struct guard_book *b, struct err *e)
{
    bool have;
    forget(b);
    enum status s = sketches_make(b, e);
    if (s == ST_OK)
        s = book_catch_up(b, &have, e);
    return s == ST_OK && !have ? err_set(e, ST_CORRUPT, "the guard's book has cells without a set") : s;
}

/* Most of the reading is done while others may still write. */
static enum status load(struct guard_book *b, struct err *e)
{
    bool have;
    if (b->stale || !b->guard)
        forget(b);
    enum status s = book_catch_up(b, &have, e);
    if (s != ST_OK || have)
        return s;
    s = book_begin(b, e);
    return s == ST_OK ? book_end(b, load_anew(b, e), e) : s;
}

enum status guard_book_open(const char *path, int64_t minimum, struct guard_book **out, struct err *e)
{
    struct guard_book *b = xcalloc(1, sizeof *b);
    enum status s = ST_OK;
    *out = NULL;
    b->minimum = minimum < GUARD_MOST_MINIMUM ? minimum : GUARD_MOST_MINIMUM;
    b->sampling = guard_sampling(b->minimum);
    if (!file_exists(path))
        s = file_replace(path, SLICE(""), 0600, e); /* SQLite keeps the mode, also for its WAL */
    if (s == ST_OK)
        s = db_open(path, DB_CREATE, migrations, 3, &b->db, e);
    if (s == ST_OK)
        s = read_secret(b, e);
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
    guard_free(b->guard);
    secret_wipe(b->secret, sizeof b->secret);
    db_close(b->db);
    free(b->sets);
    free(b->segments);
    free(b);
}

/* --- writing ------------------------------------------------------------------------------------------ */

static enum status request_find(struct guard_book *b, const char *run, bool *found, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(b->db, "SELECT 1 FROM request WHERE run=?1 AND state<>'withdrawn'", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    s = stmt_step(q, found, e);
    stmt_done(q);
    return s;
}

/* The project's number, made when it is new. */
static enum status project_number(struct guard_book *b, const char *name, int64_t *out, struct err *e)
{
    struct stmt *q;
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
    return stmt_number(q, out, e);
}

/* A run that was withdrawn and is asked for again is a new request: rows are never deleted, so that other
   processes see what came after those that they have. */
static enum status step_aside(struct guard_book *b, const char *run, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(b->db, "UPDATE request SET run=run || ' (' || id || ')' WHERE run=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    return stmt_run(q, e);
}

static enum status write_request(struct guard_book *b, const struct guard_request *r, struct guard_cell *cell,
                                 struct err *e)
{
    struct stmt *q;
    int64_t project;
    char now[21];
    time_format(time_now_ms(), now);
    enum status s = project_number(b, r->project, &project, e);
    if (s == ST_OK)
        s = step_aside(b, r->run, e);
    if (s == ST_OK)
        s = db_prepare(b->db,
                       "INSERT INTO request(run, project, title, snapshot, state, made)"
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
    cell->project = (uint32_t)project;
    cell->request = (uint32_t)db_last_id(b->db);
    return s;
}

static enum status write_cell(struct guard_book *b, const struct guard_cell *cell, const char *name,
                              struct err *e)
{
    struct stmt *q;
    int64_t set;
    enum status s = set_write(b, cell->persons, &set, e);
    if (s == ST_OK)
        s = db_prepare(b->db, "INSERT INTO cell VALUES(?1, ?2, ?3, ?4, ?5, ?6)", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, cell->request);
    stmt_bind_text(q, 2, name);
    stmt_bind_int(q, 3, set);
    stmt_bind_int(q, 4, cell->low);
    stmt_bind_int(q, 5, cell->high);
    stmt_bind_int(q, 6, cell->open);
    return stmt_run(q, e);
}

/* --- deciding ----------------------------------------------------------------------------------------- */

/* Sets are kept by the guard and by whoever asked: it gets its own. */
static struct persons *copy_of(const struct persons *p)
{
    uint32_t *list = persons_list(p);
    struct persons *out = persons_new(list, persons_count(p));
    free(list);
    return out;
}

/* An earlier cell of the finding, as it was printed first. */
static enum status name_earlier(struct guard_book *b, const struct guard_finding *f, size_t n, char *out,
                                struct err *e)
{
    struct stmt *q;
    bool row = false;
    uint64_t key = 0;
    for (int i = 0; i < f->n_with && !key; i++)
        key = guard_key(b->guard, f->with[i]);
    snprintf(out, n, "%s", f->entangled ? "more earlier cells than could be searched" : "everybody");
    enum status s = key ? db_prepare(b->db,
                                     "SELECT r.run, c.name FROM cell c JOIN request r ON r.id=c.request"
                                     " WHERE c.personset=?1 ORDER BY c.rowid LIMIT 1",
                                     &q, e)
                        : ST_OK;
    if (s != ST_OK || !key)
        return s;
    stmt_bind_int(q, 1, (int64_t)key);
    s = stmt_step(q, &row, e);
    if (s == ST_OK && row)
        snprintf(out, n, "%s %s", stmt_text(q, 0), stmt_text(q, 1));
    stmt_done(q);
    return s;
}

static enum status judge(struct guard_book *b, const struct guard_print *print, const struct guard_cell *cell,
                         struct guard_answer *out, struct err *e)
{
    struct guard_finding f;
    enum status s = guard_ask(b->guard, cell, &f, e);
    if (s == ST_OK && f.verdict > out->verdict) {
        out->verdict = f.verdict;
        snprintf(out->cell, sizeof out->cell, "%s", print->name);
        s = name_earlier(b, &f, sizeof out->with, out->with, e);
    }
    guard_add(b->guard, copy_of(cell->persons), cell);
    return s;
}

static struct guard_cell cell_of(const struct guard_print *print, const struct guard_cell *whose)
{
    return (struct guard_cell){print->persons, print->low,     print->high,
                               print->open,    whose->project, whose->request};
}

static enum status judge_all(struct guard_book *b, const struct guard_request *r,
                             const struct guard_cell *whose, struct guard_answer *out, struct err *e)
{
    enum status s = ST_OK;
    for (size_t i = 0; i < r->n_prints; i++) {
        struct guard_cell cell = cell_of(&r->prints[i], whose);
        guard_announce(b->guard, &cell);
    }
    for (size_t i = 0; s == ST_OK && i < r->n_prints; i++) {
        struct guard_cell cell = cell_of(&r->prints[i], whose);
        s = judge(b, &r->prints[i], &cell, out, e);
    }
    if (s == ST_OK && r->insist)
        out->verdict = GUARD_ALLOW;
    for (size_t i = 0; s == ST_OK && out->verdict == GUARD_ALLOW && i < r->n_prints; i++) {
        struct guard_cell cell = cell_of(&r->prints[i], whose);
        s = write_cell(b, &cell, r->prints[i].name, e);
    }
    return s;
}

/* Within the transaction. The guard takes cells in before they are written: unless the transaction is
   committed, it must be made anew. */
static enum status decide(struct guard_book *b, const struct guard_request *r, struct guard_answer *out,
                          bool *found, struct err *e)
{
    struct guard_cell whose = {0};
    bool have = true;
    enum status s = request_find(b, r->run, found, e);
    if (s == ST_OK && !*found)
        s = book_catch_up(b, &have, e);
    if (s == ST_OK && !have)
        s = load_anew(b, e);
    if (s == ST_OK && !*found)
        s = index_open(b, e);
    if (s != ST_OK || *found)
        return s;
    s = write_request(b, r, &whose, e);
    b->stale = true;
    return s == ST_OK ? judge_all(b, r, &whose, out, e) : s;
}

enum status guard_book_decide(struct guard_book *b, const struct guard_request *r, struct guard_answer *out,
                              struct err *e)
{
    bool found = false;
    *out = (struct guard_answer){.verdict = GUARD_ALLOW};
    enum status s = load(b, e);
    if (s != ST_OK || (s = book_begin(b, e)) != ST_OK)
        return s;
    s = decide(b, r, out, &found, e);
    if (s != ST_OK || out->verdict != GUARD_ALLOW) {
        db_rollback(b->db);
        return s;
    }
    s = book_end(b, s, e);
    b->stale = b->stale && s != ST_OK;
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

int64_t guard_answer_at(int64_t started_ns, int64_t now_ns)
{
    const int64_t period = (int64_t)GUARD_PERIOD_MS * 1000000;
    return started_ns + ((now_ns - started_ns) / period + 1) * period;
}

void guard_wait(int64_t started_ns)
{
    int64_t end = guard_answer_at(started_ns, time_monotonic_ns()), left;
    while ((left = end - time_monotonic_ns()) > 0 && !interrupted()) {
        struct timespec t = {(time_t)(left / 1000000000), (long)(left % 1000000000)};
        nanosleep(&t, NULL); /* a signal ends it early */
    }
}
