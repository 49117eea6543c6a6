/* SPDX-License-Identifier: Apache-2.0
 *
 * What the board shows: work for a node, and runs for everybody.
 */
#include <stdio.h>
#include <stdlib.h>

#include "grid/board_state.h"

static enum status add_sites(struct board *b, const char *run, int64_t round, int64_t attempt, bool answers,
                             struct js *into, struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s = db_prepare(b->db,
                               "SELECT node, body, answer, why, (SELECT f.record_key FROM site f WHERE"
                               " f.run=s.run AND f.node=s.node AND f.record_key IS NOT NULL ORDER BY f.round,"
                               " f.attempt DESC LIMIT 1)"
                               " FROM site s WHERE run=?1 AND round=?2 AND attempt=?3 ORDER BY node",
                               &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    stmt_bind_int(q, 2, round);
    stmt_bind_int(q, 3, attempt);
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct js *site = js_object();
        js_put_str(site, "node", stmt_text(q, 0));
        js_put_str(site, "body", stmt_text(q, 1));
        if (stmt_text(q, 4))
            js_put_str(site, "record_key", stmt_text(q, 4));
        if (answers) {
            js_put_str(site, "answer", stmt_text(q, 2));
            js_put_str(site, "why", stmt_text(q, 3));
        }
        js_push(into, site);
    }
    stmt_done(q);
    return s;
}

static void add_order(struct js *w, struct slice sealed)
{
    struct buf text;
    buf_init(&text, 2 * sealed.n + 16);
    base64_encode((const uint8_t *)sealed.p, sealed.n, &text);
    js_put_str(w, "sealed", text.p ? text.p : "");
    buf_deinit(&text);
}

/* Columns: id, round, attempt, lead, ordered, mine (1 = this node's part is wanted), sealed order. */
static enum status work_item(struct board *b, struct stmt *q, struct js *list, struct err *e)
{
    struct js *w = js_object(), *sites = js_array(), *order = NULL;
    const char *text = stmt_text(q, 4);
    js_put_str(w, "do", stmt_int(q, 5) ? "part" : "total");
    js_put_str(w, "run", stmt_text(q, 0));
    js_put_int(w, "round", stmt_int(q, 1));
    js_put_int(w, "attempt", stmt_int(q, 2));
    js_put_str(w, "lead", stmt_text(q, 3));
    js_put(w, "sites", sites);
    enum status s = add_sites(b, stmt_text(q, 0), stmt_int(q, 1), stmt_int(q, 2), false, sites, e);
    if (s == ST_OK && text)
        s = js_parse(slice_of(text), "grid.db", &order, e);
    if (order)
        js_put(w, "order", order);
    if (order)
        add_order(w, stmt_blob(q, 6));
    js_push(list, w);
    return s;
}

static enum status work_list(struct board *b, const char *node, struct js *list, struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s = db_prepare(
        b->db,
        "SELECT r.id, r.round, r.attempt, r.lead, r.ordered, s.answer IN ('', 'deferred'), d.sealed"
        " FROM run r JOIN site s ON s.run=r.id AND s.round=r.round AND s.attempt=r.attempt"
        " LEFT JOIN ordered d ON d.run=r.id AND d.round=r.round-1"
        " WHERE (r.round=1 OR d.sealed IS NOT NULL) AND r.state IN ('running', 'waiting') AND s.node=?1 AND "
        "(s.answer IN ('', 'deferred') OR"
        " (r.lead=?1 AND NOT EXISTS(SELECT 1 FROM site o WHERE o.run=r.id AND o.round=r.round AND"
        " o.attempt=r.attempt AND o.sealed IS NULL))) ORDER BY r.seq",
        &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, node);
    while ((s = stmt_step(q, &row, e)) == ST_OK && row)
        if ((s = work_item(b, q, list, e)) != ST_OK)
            break;
    stmt_done(q);
    return s;
}

static enum status active_list(struct board *b, const char *node, struct js *list, struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s =
        db_prepare(b->db,
                   "SELECT id FROM run r WHERE state IN ('asked', 'running', 'waiting', 'held')"
                   " AND EXISTS(SELECT 1 FROM site s WHERE s.run=r.id AND s.node=?1) ORDER BY seq",
                   &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, node);
    while ((s = stmt_step(q, &row, e)) == ST_OK && row)
        js_push(list, js_string(stmt_text(q, 0)));
    stmt_done(q);
    return s;
}

enum status board_work(struct board *b, const char *node, struct js **out, struct err *e)
{
    struct js *answer = js_object(), *work = js_array(), *runs = js_array();
    js_put(answer, "work", work);
    js_put(answer, "runs", runs);
    *out = NULL;
    enum status s = work_list(b, node, work, e);
    if (s == ST_OK)
        s = active_list(b, node, runs, e);
    if (s == ST_OK)
        *out = answer;
    else
        js_free(answer);
    return s;
}

static const char run_columns[] = "SELECT id, agreement, analyst, title, study_hash, requested, changed,"
                                  " state, why, lead, round, attempt, seq, released_seq, artefact FROM run ";

static struct js *run_object(struct stmt *q)
{
    static const char *const names[] = {"id",           "agreement",  "analyst", "title", "study_hash",
                                        "requested_at", "changed_at", "state",   "why",   "lead"};
    struct js *r = js_object();
    for (int i = 0; i < 10; i++)
        js_put_str(r, names[i], stmt_text(q, i));
    js_put_int(r, "round", stmt_int(q, 10));
    js_put_int(r, "attempt", stmt_int(q, 11));
    js_put_int(r, "entry", stmt_int(q, 12));
    if (stmt_int(q, 13) >= 0)
        js_put_int(r, "released_entry", stmt_int(q, 13));
    if (!stmt_is_null(q, 14))
        js_put_str(r, "artefact", stmt_text(q, 14));
    return r;
}

static enum status add_missing(struct board *b, const char *run, struct js *into, struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s = db_prepare(b->db, "SELECT body, why FROM missing WHERE run=?1 ORDER BY body", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct js *m = js_object();
        js_put_str(m, "body", stmt_text(q, 0));
        js_put_str(m, "why", stmt_text(q, 1));
        js_push(into, m);
    }
    stmt_done(q);
    return s;
}

enum status board_run(struct board *b, const char *run, struct js **out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    char sql[400];
    *out = NULL;
    snprintf(sql, sizeof sql, "%sWHERE id=?1", run_columns);
    enum status s = db_prepare(b->db, sql, &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    s = stmt_step(q, &row, e);
    struct js *r = s == ST_OK && row ? run_object(q) : NULL;
    stmt_done(q);
    if (s == ST_OK && !r)
        return err_set(e, ST_NOT_FOUND, "there is no run '%.40s'", run);
    if (s != ST_OK)
        return s;
    struct js *sites = js_array(), *missing = js_array();
    js_put(r, "sites", sites);
    js_put(r, "missing", missing);
    s = add_sites(b, run, js_get_int(r, "round", 0), js_get_int(r, "attempt", 0), true, sites, e);
    if (s == ST_OK)
        s = add_missing(b, run, missing, e);
    if (s == ST_OK)
        *out = r;
    else
        js_free(r);
    return s;
}

enum status board_runs(struct board *b, const char *before, int most, struct js **out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    char sql[500];
    *out = NULL;
    snprintf(sql, sizeof sql,
             "%sWHERE ?1 IS NULL OR seq < (SELECT seq FROM run WHERE id=?1) ORDER BY seq DESC LIMIT ?2",
             run_columns);
    enum status s = db_prepare(b->db, sql, &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, before);
    stmt_bind_int(q, 2, most);
    struct js *list = js_array();
    while ((s = stmt_step(q, &row, e)) == ST_OK && row)
        js_push(list, run_object(q));
    stmt_done(q);
    if (s == ST_OK)
        *out = list;
    else
        js_free(list);
    return s;
}

enum status board_run_entries(struct board *b, const char *run, int64_t *request, int64_t *release,
                              struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s = db_prepare(b->db, "SELECT seq, released_seq FROM run WHERE id=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    s = stmt_step(q, &row, e);
    if (s == ST_OK && row) {
        *request = stmt_int(q, 0);
        *release = stmt_int(q, 1);
    }
    stmt_done(q);
    return s == ST_OK && !row ? err_set(e, ST_NOT_FOUND, "there is no run '%.40s'", run) : s;
}
