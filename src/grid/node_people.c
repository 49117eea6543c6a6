/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs as the site's people see them and decide on them: admit or refuse one that asks, and stop everything.
 *
 * Stopping is a state of the node, not a message: runs that come later are refused until somebody resumes.
 * Runs that are under way are declined (a held output fails its run); sums that have been sent already cannot
 * be called back from here, which is what the controller's revocation of the agreement is for.
 */
#include <stdlib.h>

#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "grid/node_state.h"

static enum status list_rows(struct node *n, const char *sql, const char *const *names, struct js **out,
                             struct err *e)
{
    struct stmt *q;
    bool row = false;
    *out = js_array();
    enum status s = db_prepare(n->db, sql, &q, e);
    if (s != ST_OK)
        return s;
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct js *o = js_object();
        for (int i = 0; names[i]; i++)
            js_put_str(o, names[i], stmt_text(q, i) ? stmt_text(q, i) : "");
        js_push(*out, o);
    }
    stmt_done(q);
    return s;
}

enum status node_list(const char *data, const char *sql, const char *const *names, struct js **out,
                      struct err *e)
{
    struct node *n;
    *out = NULL;
    enum status s = node_open(data, false, NULL, &n, e);
    if (s != ST_OK)
        return s;
    s = list_rows(n, sql, names, out, e);
    if (s != ST_OK) {
        js_free(*out);
        *out = NULL;
    }
    node_close(n);
    return s;
}

enum status node_runs(const char *data, struct js **out, struct err *e)
{
    static const char *const names[] = {"run", "state", "agreement", "title", "why", NULL};
    return node_list(data,
                     "SELECT id, state, coalesce(json_extract(terms, '$.agreement'), ''),"
                     " coalesce(json_extract(request, '$.body.study.title'), ''), why FROM run"
                     " ORDER BY changed_ms DESC, id",
                     names, out, e);
}

static enum status need_known(struct node *n, const char *run, struct node_run *r, struct err *e)
{
    enum status s = node_run_find(n, run, r, e);
    return s == ST_OK && !r->state[0]
               ? err_set(e, ST_NOT_FOUND, "this node knows no run '%.40s'; 'accord node runs' lists them",
                         run)
               : s;
}

enum status node_run_show(const char *data, const char *run, struct js **out, struct err *e)
{
    struct node *n;
    struct node_run r = {0};
    *out = NULL;
    enum status s = node_open(data, false, NULL, &n, e);
    if (s != ST_OK)
        return s;
    s = need_known(n, run, &r, e);
    if (s == ST_OK) {
        *out = js_object();
        js_put_str(*out, "run", run);
        js_put_str(*out, "state", r.state);
        if (r.request)
            js_put(*out, "request", js_share(r.request));
        if (r.terms)
            js_put(*out, "terms", js_share(r.terms));
    }
    node_run_deinit(&r);
    node_close(n);
    return s;
}

static enum status need_asking(struct node *n, const char *run, struct err *e)
{
    struct node_run r = {0};
    enum status s = need_known(n, run, &r, e);
    if (s == ST_OK && strcmp(r.state, "asking") != 0)
        s = err_set(e, ST_CONFLICT, "the run is '%s' here; only one that asks can be decided on", r.state);
    node_run_deinit(&r);
    return s;
}

enum status node_admit(const char *data, const char *run, struct err *e)
{
    struct node *n;
    enum status s = node_open(data, false, NULL, &n, e);
    if (s != ST_OK)
        return s;
    s = need_asking(n, run, e);
    if (s == ST_OK)
        s = node_run_state(n, run, "admitted", "", e);
    node_close(n);
    return s;
}

enum status node_refuse(const char *data, const char *run, const char *reason, struct err *e)
{
    struct node *n;
    enum status s = node_open(data, false, NULL, &n, e);
    if (s != ST_OK)
        return s;
    s = need_asking(n, run, e);
    if (s == ST_OK)
        s = db_begin(n->db, e);
    if (s == ST_OK) {
        struct js *body = js_object();
        js_put_str(body, "reason", reason);
        s = node_tell(n, run, "run.decline", body, NULL, e);
        if (s == ST_OK)
            s = node_run_state(n, run, "refused", reason, e);
        if (s == ST_OK)
            s = db_commit(n->db, e);
        else
            db_rollback(n->db);
    }
    node_close(n);
    return s;
}

/* --- stop everything ----------------------------------------------------------------------------------- */

enum status node_halted(struct node *n, char **reason, struct err *e)
{
    enum status s = meta_get(n, "halted", reason, e);
    if (s == ST_OK && *reason && !**reason) {
        free(*reason);
        *reason = NULL;
    }
    return s;
}

/* Ids of runs under way, and whether an output of theirs is held here. */
static enum status under_way(struct node *n, struct js **out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    *out = js_array();
    enum status s = db_prepare(n->db,
                               "SELECT id, EXISTS(SELECT 1 FROM output WHERE run=r.id AND state='held')"
                               " FROM run r WHERE state IN ('asking', 'admitted', 'checked') ORDER BY id",
                               &q, e);
    if (s != ST_OK)
        return s;
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct js *o = js_object();
        js_put_str(o, "run", stmt_text(q, 0));
        js_put(o, "held", js_boolean(stmt_int(q, 1) != 0));
        js_push(*out, o);
    }
    stmt_done(q);
    return s;
}

static enum status drop_held(struct node *n, const char *run, const char *reason, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(
        n->db, "UPDATE output SET state='stopped', why=?2, checks='' WHERE run=?1 AND state='held'", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    stmt_bind_text(q, 2, reason);
    return stmt_run(q, e);
}

static enum status halt_run(struct node *n, const char *run, bool held, const char *reason, struct err *e)
{
    struct js *body = js_object();
    char *told = xasprintf("the site has stopped everything: %s", reason);
    js_put_str(body, "reason", told);
    free(told);
    enum status s = node_tell(n, run, held ? "run.fail" : "run.decline", body, NULL, e);
    if (s == ST_OK)
        s = node_run_state(n, run, "refused", reason, e);
    return s == ST_OK ? drop_held(n, run, reason, e) : s;
}

static enum status halt_all(struct node *n, const char *reason, int *stopped, struct err *e)
{
    struct js *runs = NULL;
    enum status s = under_way(n, &runs, e);
    for (size_t i = 0; s == ST_OK && i < js_size(runs); i++)
        s = halt_run(n, js_get_str(js_at(runs, i), "run"), js_bool(js_get(js_at(runs, i), "held")), reason,
                     e);
    *stopped = (int)js_size(runs);
    js_free(runs);
    return s == ST_OK ? meta_set(n, "halted", reason, e) : s;
}

enum status node_halt(const char *data, const char *reason, int *stopped, struct err *e)
{
    struct node *n;
    *stopped = 0;
    if (!reason[0])
        return err_set(e, ST_USAGE, "say why, for the public log");
    enum status s = node_open(data, true, NULL, &n, e);
    if (s != ST_OK)
        return s;
    s = db_begin(n->db, e);
    if (s == ST_OK) {
        s = halt_all(n, reason, stopped, e);
        if (s == ST_OK)
            s = db_commit(n->db, e);
        else
            db_rollback(n->db);
    }
    if (s == ST_OK)
        log_event(LOG_WARN, "node.halted", "reason", reason, NULL);
    node_close(n);
    return s;
}

enum status node_resume(const char *data, struct err *e)
{
    struct node *n;
    enum status s = node_open(data, true, NULL, &n, e);
    if (s != ST_OK)
        return s;
    s = meta_set(n, "halted", "", e);
    if (s == ST_OK)
        log_event(LOG_WARN, "node.resumed", NULL);
    node_close(n);
    return s;
}
