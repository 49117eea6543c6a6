/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/board.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/mem.h"
#include "grid/board_state.h"
#include "grid/mask.h"

static const char *const migrations[] = {
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;"
    "INSERT INTO meta VALUES('next_seq', 0);"
    "CREATE TABLE run(id TEXT PRIMARY KEY, seq INTEGER NOT NULL, agreement TEXT NOT NULL,"
    " analyst TEXT NOT NULL, title TEXT NOT NULL, study_hash TEXT NOT NULL, requested TEXT NOT NULL,"
    " changed TEXT NOT NULL, state TEXT NOT NULL, why TEXT NOT NULL DEFAULT '', lead TEXT NOT NULL DEFAULT "
    "'',"
    " round INTEGER NOT NULL DEFAULT 0, attempt INTEGER NOT NULL DEFAULT 0, ordered TEXT,"
    " deadline_ms INTEGER NOT NULL DEFAULT 0, released_seq INTEGER NOT NULL DEFAULT -1, artefact TEXT) "
    "STRICT;"
    "CREATE INDEX run_by_state ON run(state);"
    "CREATE INDEX run_by_artefact ON run(artefact);"
    "CREATE TABLE site(run TEXT NOT NULL, round INTEGER NOT NULL, attempt INTEGER NOT NULL,"
    " node TEXT NOT NULL, body TEXT NOT NULL, answer TEXT NOT NULL DEFAULT '', why TEXT NOT NULL DEFAULT '',"
    " sealed BLOB, PRIMARY KEY(run, round, attempt, node)) STRICT;"
    "CREATE TABLE missing(run TEXT NOT NULL, body TEXT NOT NULL, why TEXT NOT NULL,"
    " PRIMARY KEY(run, body)) STRICT;",
    "CREATE TABLE ordered(run TEXT PRIMARY KEY, round INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;",
    "ALTER TABLE site ADD COLUMN record_key TEXT;"};

/* After a pause of the hub nobody could answer, so every open attempt gets its whole time again. */
static enum status renew_deadlines(struct board *b, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(b->db,
                               "UPDATE run SET deadline_ms = max(deadline_ms, ?1)"
                               " WHERE state IN ('running', 'waiting')",
                               &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, time_now_ms() + b->options.attempt_ms);
    return stmt_run(q, e);
}

enum status board_open(const char *path, const struct board_options *o, struct board **out, struct err *e)
{
    struct board *b = xcalloc(1, sizeof *b);
    b->options = *o;
    *out = NULL;
    enum status s =
        db_open(path, DB_CREATE, migrations, (int)(sizeof migrations / sizeof *migrations), &b->db, e);
    if (s == ST_OK)
        s = renew_deadlines(b, e);
    if (s != ST_OK) {
        board_close(b);
        return s;
    }
    *out = b;
    return ST_OK;
}

enum status board_open_read(const char *path, struct board **out, struct err *e)
{
    struct board *b = xcalloc(1, sizeof *b);
    enum status s = db_open(path, DB_READ, NULL, 0, &b->db, e);
    *out = s == ST_OK ? b : NULL;
    if (s != ST_OK)
        board_close(b);
    return s;
}

void board_close(struct board *b)
{
    if (!b)
        return;
    db_close(b->db);
    free(b->seen);
    free(b);
}

enum status board_place_of(struct board *b, const char *run, struct board_place *out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    *out = (struct board_place){0};
    enum status s = db_prepare(b->db, "SELECT state, lead, round, attempt FROM run WHERE id=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    s = stmt_step(q, &row, e);
    if (s == ST_OK && row) {
        snprintf(out->state, sizeof out->state, "%s", stmt_text(q, 0));
        snprintf(out->lead, sizeof out->lead, "%s", stmt_text(q, 1));
        out->round = (int)stmt_int(q, 2);
        out->attempt = (int)stmt_int(q, 3);
    }
    stmt_done(q);
    if (s == ST_OK && !row)
        s = err_set(e, ST_NOT_FOUND, "there is no run '%.40s'", run);
    return s;
}

/* --- sealed parts -------------------------------------------------------------------------------------- */

static enum status bind_part(struct board *b, const char *sql, const char *run, int round, int attempt,
                             const char *site, struct stmt **q, struct err *e)
{
    enum status s = db_prepare(b->db, sql, q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(*q, 1, run);
    stmt_bind_int(*q, 2, round);
    stmt_bind_int(*q, 3, attempt);
    stmt_bind_text(*q, 4, site);
    return ST_OK;
}

enum status board_part_put(struct board *b, const char *run, int round, int attempt, const char *site,
                           struct slice sealed, struct err *e)
{
    struct stmt *q;
    enum status s = bind_part(b,
                              "UPDATE site SET sealed=?5 WHERE run=?1 AND round=?2 AND attempt=?3 AND node=?4"
                              " AND answer='part' AND sealed IS NULL AND EXISTS(SELECT 1 FROM run WHERE id=?1"
                              " AND round=?2 AND attempt=?3 AND state IN ('running', 'waiting'))",
                              run, round, attempt, site, &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_blob(q, 5, sealed.p, sealed.n);
    return stmt_run(q, e);
}

enum status board_part_get(struct board *b, const char *run, int round, int attempt, const char *site,
                           struct buf *out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s = bind_part(b,
                              "SELECT sealed FROM site WHERE run=?1 AND round=?2 AND attempt=?3 AND node=?4"
                              " AND sealed IS NOT NULL",
                              run, round, attempt, site, &q, e);
    if (s != ST_OK)
        return s;
    s = stmt_step(q, &row, e);
    if (s == ST_OK && row) {
        struct slice sealed = stmt_blob(q, 0);
        buf_add(out, sealed.p, sealed.n);
    }
    stmt_done(q);
    if (s == ST_OK && !row)
        s = err_set(e, ST_NOT_FOUND, "there is no such part (any more)");
    return s == ST_OK ? buf_check(out, "a sealed part", e) : s;
}

enum status board_order_put(struct board *b, const char *run, int round, struct slice sealed, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(b->db,
                               "INSERT OR REPLACE INTO ordered SELECT id, ?2, ?3 FROM run WHERE id=?1 AND"
                               " round=?2+1 AND state IN ('running', 'waiting')",
                               &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    stmt_bind_int(q, 2, round);
    stmt_bind_blob(q, 3, sealed.p, sealed.n);
    return stmt_run(q, e);
}

/* --- what is due --------------------------------------------------------------------------------------- */

void board_seen(struct board *b, const char *node, int64_t now_ms)
{
    size_t i = 0;
    while (i < b->n_seen && strcmp(b->seen[i].key, node) != 0)
        i++;
    if (i == b->n_seen) {
        GROW(b->seen, b->n_seen + 1, b->cap_seen);
        snprintf(b->seen[b->n_seen++].key, sizeof b->seen->key, "%s", node);
    }
    b->seen[i].at_ms = now_ms;
}

static bool is_alive(const struct board *b, const char *node, int64_t now_ms)
{
    for (size_t i = 0; i < b->n_seen; i++)
        if (strcmp(b->seen[i].key, node) == 0)
            return now_ms - b->seen[i].at_ms <= b->options.attempt_ms;
    return false;
}

static enum status due_first(struct board *b, struct js *asked, struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s =
        db_prepare(b->db, "SELECT id, agreement FROM run WHERE state='asked' ORDER BY seq", &q, e);
    if (s != ST_OK)
        return s;
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct js *r = js_object();
        js_put_str(r, "run", stmt_text(q, 0));
        js_put_str(r, "agreement", stmt_text(q, 1));
        js_push(asked, r);
    }
    stmt_done(q);
    return s;
}

/* The sites of an attempt in two lists: those that go on, those that do not (with why). late_since: now, when
   the attempt is over time, else 0. */
static enum status divide(struct board *b, const char *run, const struct board_place *p, int64_t late_since,
                          struct js *sites, struct js *missing, bool *lead_there, struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s = db_prepare(b->db,
                               "SELECT node, body, answer, why, sealed IS NOT NULL FROM site WHERE run=?1"
                               " AND round=?2 AND attempt=?3 ORDER BY node",
                               &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    stmt_bind_int(q, 2, p->round);
    stmt_bind_int(q, 3, p->attempt);
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        const char *answer = stmt_text(q, 2);
        bool refused = strcmp(answer, "declined") == 0;
        bool goes_on =
            !refused && (stmt_int(q, 4) || !late_since || is_alive(b, stmt_text(q, 0), late_since));
        struct js *site = js_object();
        js_put_str(site, "body", stmt_text(q, 1));
        if (goes_on)
            js_put_str(site, "node", stmt_text(q, 0));
        else
            js_put_str(site, "why", refused ? stmt_text(q, 3) : "did not answer in time");
        *lead_there = *lead_there || (goes_on && strcmp(stmt_text(q, 0), p->lead) == 0);
        js_push(goes_on ? sites : missing, site);
    }
    stmt_done(q);
    return s;
}

static enum status set_waiting(struct board *b, const char *run, int round, const struct js *missing,
                               struct err *e)
{
    struct buf why;
    struct stmt *q;
    buf_init(&why, 4096);
    if (round > 1)
        buf_printf(&why, "round %d needs every site of the rounds before; missing:", round);
    else
        buf_printf(&why, "at least %d sites with the lead node are needed; missing:", MASK_LEAST_SITES);
    for (size_t i = 0; i < js_size(missing); i++)
        buf_printf(&why, "%s %s (%s)", i ? "," : "", js_get_str(js_at(missing, i), "body"),
                   js_get_str(js_at(missing, i), "why"));
    enum status s =
        db_prepare(b->db, "UPDATE run SET state='waiting', why=?2 WHERE id=?1 AND state<>'waiting'", &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, run);
        stmt_bind_text(q, 2, why.failed ? "too few sites answer" : why.p);
        s = stmt_run(q, e);
    }
    buf_deinit(&why);
    return s;
}

/* The first round can be repeated without a site. The later ones cannot: the rounds that were summed hold its
   numbers, and the answer is to be that of one set of sites. */
static enum status due_again_for(struct board *b, const char *run, int64_t deadline_ms, int64_t now_ms,
                                 struct js *again, struct err *e)
{
    struct board_place p;
    struct js *sites = js_array(), *missing = js_array();
    bool lead_there = false;
    enum status s = board_place_of(b, run, &p, e);
    if (s == ST_OK)
        s = divide(b, run, &p, now_ms > deadline_ms ? now_ms : 0, sites, missing, &lead_there, e);
    if (s == ST_OK && p.round == 1 && js_size(missing) && js_size(sites) >= MASK_LEAST_SITES && lead_there) {
        struct js *one = js_object(), *body = js_object();
        js_put_int(body, "round", p.round);
        js_put_int(body, "attempt", p.attempt + 1);
        js_put_str(body, "lead", p.lead);
        js_put(body, "sites", js_share(sites));
        js_put(body, "missing", js_share(missing));
        js_put_str(one, "run", run);
        js_put(one, "body", body);
        js_push(again, one);
    } else if (s == ST_OK && js_size(missing)) {
        s = set_waiting(b, run, p.round, missing, e);
    }
    js_free(sites);
    js_free(missing);
    return s;
}

/* Attempts with a refusal, or past their time, that are not complete. */
static enum status due_again(struct board *b, int64_t now_ms, struct js *again, struct err *e)
{
    struct stmt *q;
    bool row = false;
    struct js *late = js_array();
    enum status s = db_prepare(b->db,
                               "SELECT id, deadline_ms FROM run r WHERE state IN ('running', 'waiting') AND"
                               " EXISTS(SELECT 1 FROM site s WHERE s.run=r.id AND s.round=r.round AND"
                               " s.attempt=r.attempt AND (s.answer='declined' OR (s.answer<>'part' AND"
                               " r.deadline_ms<?1))) ORDER BY seq",
                               &q, e);
    if (s == ST_OK) {
        stmt_bind_int(q, 1, now_ms);
        while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
            struct js *r = js_object();
            js_put_str(r, "run", stmt_text(q, 0));
            js_put_int(r, "deadline_ms", stmt_int(q, 1));
            js_push(late, r);
        }
        stmt_done(q);
    }
    for (size_t i = 0; s == ST_OK && i < js_size(late); i++)
        s = due_again_for(b, js_get_str(js_at(late, i), "run"), js_get_int(js_at(late, i), "deadline_ms", 0),
                          now_ms, again, e);
    js_free(late);
    return s;
}

enum status board_due(struct board *b, int64_t now_ms, struct js **asked, struct js **again, struct err *e)
{
    *asked = js_array();
    *again = js_array();
    enum status s = due_first(b, *asked, e);
    if (s == ST_OK)
        s = due_again(b, now_ms, *again, e);
    if (s != ST_OK) {
        js_free(*asked);
        js_free(*again);
        *asked = *again = NULL;
    }
    return s;
}

enum status board_note(struct board *b, const char *run, const char *why, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(b->db, "UPDATE run SET why=?2 WHERE id=?1 AND why<>?2", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    stmt_bind_text(q, 2, why);
    return stmt_run(q, e);
}

enum status board_active(struct board *b, struct js **ids, struct err *e)
{
    struct stmt *q;
    bool row = false;
    *ids = js_array();
    enum status s = db_prepare(b->db,
                               "SELECT id FROM run WHERE state IN ('asked', 'running', 'waiting', 'held')"
                               " ORDER BY seq",
                               &q, e);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row)
        js_push(*ids, js_string(stmt_text(q, 0)));
    stmt_done(q);
    return s;
}

enum status board_stop(struct board *b, const char *run, const char *why, struct err *e)
{
    static const char *const statements[] = {
        "UPDATE site SET sealed=NULL WHERE run=?1 AND ?2 IS NOT NULL",
        "DELETE FROM ordered WHERE run=?1 AND ?2 IS NOT NULL",
        ("UPDATE run SET state='stopped', why=?2 WHERE id=?1 AND state IN ('asked', 'running', 'waiting',"
         " 'held')"),
    };
    for (size_t i = 0; i < 3; i++) {
        struct stmt *q;
        enum status s = db_prepare(b->db, statements[i], &q, e);
        if (s != ST_OK)
            return s;
        stmt_bind_text(q, 1, run);
        stmt_bind_text(q, 2, why);
        s = stmt_run(q, e);
        if (s != ST_OK)
            return s;
    }
    return ST_OK;
}
