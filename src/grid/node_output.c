/* SPDX-License-Identifier: Apache-2.0
 *
 * Outputs held at the lead node, and their checkers. A checker looks at the document here, at the site, and
 * signs a verdict on its hash with their own key. The register decides whether they may (a checker's grant,
 * of no party, no interest), before the verdict counts here: approve sends it at once and keeps it only when
 * it was taken. With two yeses the serving node releases.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "grid/node_state.h"
#include "ledger/command.h"

enum { CHECKERS_NEEDED = 2 };

enum status node_outputs(const char *data, struct js **out, struct err *e)
{
    static const char *const names[] = {"id",        "run", "title",     "state", "made",
                                        "approvals", "why", "approvers", NULL};
    return node_list(
        data,
        "SELECT id, run, title, state, made, (SELECT CAST(count(*) AS TEXT) FROM approval WHERE"
        " output=o.id AND taken=1), why, (SELECT coalesce(group_concat(person, ' '), '') FROM approval"
        " WHERE output=o.id AND taken=1) FROM output o ORDER BY made, id",
        names, out, e);
}

struct output {
    char run[RUN_ID_MOST + 1];
    char hash[2 * HASH_BYTES + 1];
    char state[16];
    struct js *document;
};

static enum status output_find(struct node *n, const char *id, struct output *out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    *out = (struct output){0};
    enum status s = db_prepare(n->db, "SELECT run, sha256, state, document FROM output WHERE id=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, id);
    s = stmt_step(q, &row, e);
    if (s == ST_OK && row) {
        snprintf(out->run, sizeof out->run, "%s", stmt_text(q, 0));
        snprintf(out->hash, sizeof out->hash, "%s", stmt_text(q, 1));
        snprintf(out->state, sizeof out->state, "%s", stmt_text(q, 2));
        s = js_parse(slice_of(stmt_text(q, 3)), "node.db", &out->document, e);
    }
    stmt_done(q);
    return s == ST_OK && !row ? err_set(e, ST_NOT_FOUND,
                                        "this node holds no output '%.40s'; 'accord node output list' shows "
                                        "what it holds",
                                        id)
                              : s;
}

enum status node_output(const char *data, const char *id, struct js **document, struct err *e)
{
    struct node *n;
    struct output o = {0};
    *document = NULL;
    enum status s = node_open(data, false, NULL, &n, e);
    if (s != ST_OK)
        return s;
    s = output_find(n, id, &o, e);
    *document = o.document;
    node_close(n);
    return s;
}

enum status node_output_checks(const char *data, const char *id, struct js **view, struct err *e)
{
    struct node *n;
    struct stmt *q;
    bool row = false;
    *view = NULL;
    enum status s = node_open(data, false, NULL, &n, e);
    if (s != ST_OK)
        return s;
    s = db_prepare(n->db, "SELECT checks FROM output WHERE id=?1 AND checks<>''", &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, id);
        s = stmt_step(q, &row, e);
        if (s == ST_OK && row)
            s = js_parse(slice_of(stmt_text(q, 0)), "node.db", view, e);
        else if (s == ST_OK)
            s = err_set(e, ST_NOT_FOUND, "this node holds no output '%.40s' that waits for its checkers", id);
        stmt_done(q);
    }
    node_close(n);
    return s;
}

/* Once it is decided the checker's view, with its raw counts, goes. */
static enum status output_state(struct node *n, const char *id, const char *state, const char *why,
                                struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(n->db, "UPDATE output SET state=?2, why=?3, checks='' WHERE id=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, id);
    stmt_bind_text(q, 2, state);
    stmt_bind_text(q, 3, why);
    return stmt_run(q, e);
}

/* The verdict as the register knows it (govern/review.c). */
static enum status make_verdict(const struct identity *checker, const char *id, const struct output *o,
                                const char *verdict, const char *text, struct js **out, struct err *e)
{
    uint8_t random[8];
    char hex[17], *subject, *about = xasprintf("artefact:%s", id);
    random_bytes(random, sizeof random);
    hex_encode(random, sizeof random, hex);
    subject = xasprintf("review:%s", hex);
    struct js *body = js_object();
    js_put_str(body, "about", about);
    js_put_str(body, "perspective", "statistical");
    js_put_str(body, "verdict", verdict);
    js_put_str(body, "hash", o->hash);
    if (text)
        js_put_str(body, "text", text);
    enum status s = command_make(checker, "review.give", subject, body, out, e);
    free(subject);
    free(about);
    return s;
}

/* The verdict of this checker that was made before and perhaps never arrived; NULL if there is none. */
static enum status verdict_find(struct node *n, const char *id, const char *person, struct js **out,
                                struct err *e)
{
    struct stmt *q;
    bool row = false;
    *out = NULL;
    enum status s = db_prepare(n->db, "SELECT command FROM approval WHERE output=?1 AND person=?2", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, id);
    stmt_bind_text(q, 2, person);
    s = stmt_step(q, &row, e);
    if (s == ST_OK && row)
        s = js_parse(slice_of(stmt_text(q, 0)), "node.db", out, e);
    stmt_done(q);
    return s;
}

static enum status verdict_keep(struct node *n, const char *id, const struct js *command, struct err *e)
{
    struct stmt *q;
    struct buf text;
    char now[21];
    time_format(time_now_ms(), now);
    buf_init(&text, 1 << 16);
    js_format(command, JS_COMPACT, &text);
    enum status s = db_prepare(
        n->db, "INSERT INTO approval(output, person, command, made) VALUES(?1, ?2, ?3, ?4)", &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, id);
        stmt_bind_text(q, 2, js_get_str(command, "actor"));
        stmt_bind_text(q, 3, text.p);
        stmt_bind_text(q, 4, now);
        s = stmt_run(q, e);
    }
    buf_deinit(&text);
    return s;
}

/* The register took it, or never will. */
static enum status verdict_settle(struct node *n, const char *id, const char *person, bool taken,
                                  struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(n->db,
                               taken ? "UPDATE approval SET taken=1 WHERE output=?1 AND person=?2"
                                     : "DELETE FROM approval WHERE output=?1 AND person=?2 AND taken=0",
                               &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, id);
    stmt_bind_text(q, 2, person);
    return stmt_run(q, e);
}

/* Kept before it is sent, so that a verdict which the register took is never lost here. */
static enum status verdict_give(struct node *n, const char *id, const struct js *command, struct err *e)
{
    struct err ignored = {0};
    const char *person = js_get_str(command, "actor");
    enum status s = hub_post(n->hub, "/api/v1/commands", command, NULL, e);
    if (s == ST_OK)
        return verdict_settle(n, id, person, true, e);
    if (!worth_another_try(s) && verdict_settle(n, id, person, false, &ignored) != ST_OK)
        log_err(LOG_WARN, "node.verdict", &ignored);
    return s;
}

static enum status approvals(struct node *n, const char *id, int *out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    *out = 0;
    enum status s = db_prepare(n->db, "SELECT count(*) FROM approval WHERE output=?1 AND taken=1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, id);
    s = stmt_step(q, &row, e);
    *out = s == ST_OK && row ? (int)stmt_int(q, 0) : 0;
    stmt_done(q);
    return s;
}

struct checking {
    struct node *n;
    struct output output;
};

static enum status checking_begin(struct checking *c, const char *data, const char *id, struct err *e)
{
    *c = (struct checking){0};
    enum status s = node_open(data, true, NULL, &c->n, e);
    if (s == ST_OK)
        s = output_find(c->n, id, &c->output, e);
    if (s == ST_OK && strcmp(c->output.state, "held") != 0)
        s = err_set(e, ST_CONFLICT, "this output is %s; only a held one is checked", c->output.state);
    return s;
}

static void checking_end(struct checking *c)
{
    js_free(c->output.document);
    node_close(c->n);
}

enum status node_output_approve(const char *data, const char *id, const struct identity *checker, int *left,
                                struct err *e)
{
    struct checking c;
    struct js *command = NULL;
    char person[2 * SIGN_PUBLIC_BYTES + 1];
    int given = 0;
    enum status s = checking_begin(&c, data, id, e);
    if (s == ST_OK) {
        hex_encode(checker->sign_public, SIGN_PUBLIC_BYTES, person);
        s = verdict_find(c.n, id, person, &command, e);
    }
    if (s == ST_OK && !command) {
        s = make_verdict(checker, id, &c.output, "yes", NULL, &command, e);
        if (s == ST_OK)
            s = verdict_keep(c.n, id, command, e);
    }
    if (s == ST_OK)
        s = verdict_give(c.n, id, command, e);
    if (s == ST_OK)
        s = approvals(c.n, id, &given, e);
    *left = given < CHECKERS_NEEDED ? CHECKERS_NEEDED - given : 0;
    js_free(command);
    checking_end(&c);
    return s;
}

enum status node_output_return(const char *data, const char *id, const struct identity *checker,
                               const char *reason, struct err *e)
{
    struct checking c;
    struct js *command = NULL, *body = js_object();
    enum status s = checking_begin(&c, data, id, e);
    if (s == ST_OK)
        s = make_verdict(checker, id, &c.output, "return", reason, &command, e);
    if (s == ST_OK)
        s = hub_post(c.n->hub, "/api/v1/commands", command, NULL, e);
    char *why = xasprintf("a checker returned the output: %s", reason);
    js_put_str(body, "reason", why);
    if (s == ST_OK)
        s = db_begin(c.n->db, e);
    if (s == ST_OK) {
        s = node_tell(c.n, c.output.run, "run.fail", js_share(body), NULL, e);
        if (s == ST_OK)
            s = output_state(c.n, id, "returned", reason, e);
        if (s == ST_OK)
            s = db_commit(c.n->db, e);
        else
            db_rollback(c.n->db);
    }
    js_free(body);
    js_free(command);
    free(why);
    checking_end(&c);
    return s;
}

/* --- release ------------------------------------------------------------------------------------------- */

static enum status release(struct node *n, const char *id, struct err *e)
{
    struct output o;
    struct js *body = js_object(), *command = NULL;
    char *subject = xasprintf("artefact:%s", id);
    enum status s = output_find(n, id, &o, e);
    if (s == ST_OK) {
        js_put(body, "document", js_share(o.document));
        js_put_str(body, "hash", o.hash);
        s = command_make(n->id, "artefact.release", subject, js_share(body), &command, e);
    }
    if (s == ST_OK)
        s = db_begin(n->db, e);
    if (s == ST_OK) {
        s = node_forward(n, o.run, command, e);
        if (s == ST_OK)
            s = output_state(n, id, "released", "", e);
        if (s == ST_OK)
            s = db_commit(n->db, e);
        else
            db_rollback(n->db);
    }
    if (s == ST_OK)
        log_event(LOG_INFO, "node.release", "run", o.run, NULL);
    js_free(command);
    js_free(body);
    js_free(o.document);
    free(subject);
    return s;
}

enum status outputs_settle(struct node *n, bool *held, struct err *e)
{
    struct stmt *q;
    bool row = false;
    struct js *ready = js_array();
    *held = false;
    enum status s = db_prepare(n->db,
                               "SELECT id, (SELECT count(*) FROM approval WHERE output=o.id AND taken=1)"
                               " FROM output o WHERE state='held' ORDER BY id",
                               &q, e);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row) {
        if (stmt_int(q, 1) >= CHECKERS_NEEDED)
            js_push(ready, js_string(stmt_text(q, 0)));
        else
            *held = true;
    }
    stmt_done(q);
    for (size_t i = 0; s == ST_OK && i < js_size(ready); i++)
        s = release(n, js_str(js_at(ready, i)), e);
    js_free(ready);
    return s;
}
