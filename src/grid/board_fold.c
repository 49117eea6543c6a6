/* SPDX-License-Identifier: Apache-2.0
 *
 * Entries of the log to the state of the board, and the checks before an entry is made. The checks refuse
 * what would not apply, so that applying never has to.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/mem.h"
#include "grid/board_state.h"
#include "grid/mask.h"

struct step {
    struct board *b;
    const struct ledger_entry *entry;
    const char *run;
    const struct js *body;
};

/* "run:<id>" -> id */
static const char *id_of_subject(const char *subject)
{
    const char *colon = subject ? strchr(subject, ':') : NULL;
    return colon && colon[1] ? colon + 1 : NULL;
}

static enum status set_state(const struct step *t, const char *state, const char *why, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(t->b->db, "UPDATE run SET state=?2, why=?3, changed=?4 WHERE id=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, t->run);
    stmt_bind_text(q, 2, state);
    stmt_bind_text(q, 3, why ? why : "");
    stmt_bind_text(q, 4, t->entry->time);
    return stmt_run(q, e);
}

static enum status drop_parts(const struct step *t, struct err *e)
{
    struct stmt *q;
    enum status s =
        db_prepare(t->b->db, "UPDATE site SET sealed=NULL WHERE run=?1 AND sealed IS NOT NULL", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, t->run);
    return stmt_run(q, e);
}

static enum status drop_order(const struct step *t, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(t->b->db, "DELETE FROM ordered WHERE run=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, t->run);
    return stmt_run(q, e);
}

static enum status apply_request(const struct step *t, struct err *e)
{
    struct stmt *q;
    enum status s =
        db_prepare(t->b->db,
                   "INSERT INTO run(id, seq, agreement, analyst, title, study_hash, requested, changed,"
                   " state) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, 'asked')",
                   &q, e);
    if (s != ST_OK)
        return s;
    const char *title = js_get_str(js_get(t->body, "study"), "title");
    stmt_bind_text(q, 1, t->run);
    stmt_bind_int(q, 2, t->entry->seq);
    stmt_bind_text(q, 3, js_get_str(t->body, "agreement"));
    stmt_bind_text(q, 4, t->entry->actor);
    stmt_bind_text(q, 5, title ? title : "");
    stmt_bind_text(q, 6, js_get_str(t->body, "study_hash"));
    stmt_bind_text(q, 7, t->entry->time);
    return stmt_run(q, e);
}

static enum status put_site(const struct step *t, int round, int attempt, const char *node, const char *body,
                            struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(
        t->b->db, "INSERT INTO site(run, round, attempt, node, body) VALUES(?1, ?2, ?3, ?4, ?5)", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, t->run);
    stmt_bind_int(q, 2, round);
    stmt_bind_int(q, 3, attempt);
    stmt_bind_text(q, 4, node);
    stmt_bind_text(q, 5, body);
    return stmt_run(q, e);
}

static enum status put_missing(const struct step *t, const struct js *m, struct err *e)
{
    struct stmt *q;
    enum status s =
        db_prepare(t->b->db, "INSERT OR IGNORE INTO missing(run, body, why) VALUES(?1, ?2, ?3)", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, t->run);
    stmt_bind_text(q, 2, js_get_str(m, "body"));
    stmt_bind_text(q, 3, js_get_str(m, "why"));
    return stmt_run(q, e);
}

/* Moves the run to a round and attempt with a fresh deadline. */
static enum status open_attempt(const struct step *t, int round, int attempt, struct err *e)
{
    struct stmt *q;
    enum status s = drop_parts(t, e);
    if (s == ST_OK)
        s = set_state(t, "running", "", e);
    if (s == ST_OK)
        s = db_prepare(t->b->db, "UPDATE run SET round=?2, attempt=?3, deadline_ms=?4 WHERE id=?1", &q, e);
    if (s != ST_OK)
        return s;
    int64_t from = t->b->live ? t->entry->time_ms : time_now_ms();
    stmt_bind_text(q, 1, t->run);
    stmt_bind_int(q, 2, round);
    stmt_bind_int(q, 3, attempt);
    stmt_bind_int(q, 4, from + t->b->options.attempt_ms);
    return stmt_run(q, e);
}

static enum status apply_attempt(const struct step *t, struct err *e)
{
    int round = (int)js_get_int(t->body, "round", 0), attempt = (int)js_get_int(t->body, "attempt", 0);
    const struct js *sites = js_get(t->body, "sites"), *missing = js_get(t->body, "missing");
    struct stmt *q;
    enum status s = open_attempt(t, round, attempt, e);
    if (s == ST_OK)
        s = db_prepare(t->b->db, "UPDATE run SET lead=?2 WHERE id=?1", &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, t->run);
        stmt_bind_text(q, 2, js_get_str(t->body, "lead"));
        s = stmt_run(q, e);
    }
    for (size_t i = 0; s == ST_OK && i < js_size(sites); i++)
        s = put_site(t, round, attempt, js_get_str(js_at(sites, i), "node"),
                     js_get_str(js_at(sites, i), "body"), e);
    for (size_t i = 0; s == ST_OK && i < js_size(missing); i++)
        s = put_missing(t, js_at(missing, i), e);
    return s;
}

/* A site's answer to the present attempt: "part", "deferred" or "declined". A part of the first round may name
   the secret behind its cell keys (record_key). */
static enum status set_answer(const struct step *t, const char *answer, const char *why, struct err *e)
{
    const char *key = js_get_str(t->body, "record_key");
    struct stmt *q;
    enum status s = db_prepare(t->b->db,
                               "UPDATE site SET answer=?3, why=?4, record_key=?5 WHERE run=?1 AND node=?2 "
                               "AND answer IN ('', 'deferred')"
                               " AND (round, attempt)=(SELECT round, attempt FROM run WHERE id=?1)",
                               &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, t->run);
    stmt_bind_text(q, 2, t->entry->actor);
    stmt_bind_text(q, 3, answer);
    stmt_bind_text(q, 4, why ? why : "");
    stmt_bind_text(q, 5, key);
    return stmt_run(q, e);
}

static enum status apply_part(const struct step *t, struct err *e)
{
    return set_answer(t, "part", "", e);
}

static enum status apply_defer(const struct step *t, struct err *e)
{
    struct stmt *q;
    enum status s = set_answer(t, "deferred", js_get_str(t->body, "reason"), e);
    if (s == ST_OK)
        s = db_prepare(t->b->db, "UPDATE run SET deadline_ms=max(deadline_ms, ?2) WHERE id=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, t->run);
    stmt_bind_int(q, 2, t->entry->time_ms + t->b->options.admission_ms);
    return stmt_run(q, e);
}

/* The next round has the sites of the attempt that was summed. The whole entry is kept: sites see in it that
   the lead node asked for the round, and the hash of its sealed order. */
static enum status apply_round(const struct step *t, struct err *e)
{
    int round = (int)js_get_int(t->body, "round", 0), attempt = (int)js_get_int(t->body, "attempt", 0);
    struct stmt *q;
    enum status s = open_attempt(t, round + 1, 1, e);
    if (s == ST_OK)
        s = db_prepare(t->b->db, "UPDATE run SET ordered=?2 WHERE id=?1", &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, t->run);
        stmt_bind_text(q, 2, t->entry->text.p);
        s = stmt_run(q, e);
    }
    if (s == ST_OK)
        s = db_prepare(t->b->db,
                       "INSERT INTO site(run, round, attempt, node, body) SELECT run, round+1, 1, node, body"
                       " FROM site WHERE run=?1 AND round=?2 AND attempt=?3",
                       &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, t->run);
    stmt_bind_int(q, 2, round);
    stmt_bind_int(q, 3, attempt);
    return stmt_run(q, e);
}

static enum status end_with(const struct step *t, const char *state, struct err *e)
{
    enum status s = drop_parts(t, e);
    if (s == ST_OK)
        s = drop_order(t, e);
    return s == ST_OK ? set_state(t, state, js_get_str(t->body, "reason"), e) : s;
}

/* A run cannot go on without its lead node; nor, once a round was summed, without any site whose numbers are
   in it. */
static enum status apply_decline(const struct step *t, struct err *e)
{
    struct board_place p;
    enum status s = set_answer(t, "declined", js_get_str(t->body, "reason"), e);
    if (s == ST_OK)
        s = board_place_of(t->b, t->run, &p, e);
    if (s == ST_OK && (p.round > 1 || strcmp(p.lead, t->entry->actor) == 0))
        s = end_with(t, "declined", e);
    return s;
}

static enum status apply_hold(const struct step *t, struct err *e)
{
    struct stmt *q;
    enum status s = end_with(t, "held", e);
    if (s == ST_OK)
        s = db_prepare(t->b->db, "UPDATE run SET artefact=?2 WHERE id=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, t->run);
    stmt_bind_text(q, 2, id_of_subject(t->entry->subject));
    return stmt_run(q, e);
}

static enum status apply_release(const struct step *t, struct err *e)
{
    struct stmt *q;
    enum status s = end_with(t, "released", e);
    if (s == ST_OK)
        s = db_prepare(t->b->db, "UPDATE run SET released_seq=?2 WHERE id=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, t->run);
    stmt_bind_int(q, 2, t->entry->seq);
    return stmt_run(q, e);
}

static enum status apply_fail(const struct step *t, struct err *e)
{
    return end_with(t, "failed", e);
}

static enum status apply_stop(const struct step *t, struct err *e)
{
    return end_with(t, "stopped", e);
}

/* Who may say a verb, and in which states it means anything. */
enum speaker { BY_ANYONE, BY_SITE, BY_LEAD };
struct verb {
    const char *name;
    enum speaker speaker;
    const char *states; /* comma-separated; "" = the run must not exist yet */
    enum status (*apply)(const struct step *t, struct err *e);
};

static const struct verb verbs[] = {
    {"run.request", BY_ANYONE, "", apply_request},
    {"run.attempt", BY_ANYONE, "asked,running,waiting", apply_attempt},
    {"run.defer", BY_SITE, "running,waiting", apply_defer},
    {"run.decline", BY_SITE, "running,waiting", apply_decline},
    {"run.part", BY_SITE, "running,waiting", apply_part},
    {"run.round", BY_LEAD, "running,waiting", apply_round},
    {"run.fail", BY_LEAD, "running,waiting,held", apply_fail},
    {"run.stop", BY_ANYONE, "asked,running,waiting,held", apply_stop},
    {"artefact.hold", BY_LEAD, "running,waiting", apply_hold},
    {"artefact.release", BY_LEAD, "held", apply_release},
};

static const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static bool in_list(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; p && *p; p = strchr(p, ','), p = p ? p + 1 : NULL)
        if (strncmp(p, word, n) == 0 && (p[n] == ',' || p[n] == '\0'))
            return true;
    return false;
}

/* The run that a command or entry is about; ST_NOT_FOUND for artefacts that are no run's. */
static enum status run_of(struct board *b, const char *subject, const struct js *body,
                          char run[RUN_ID_MOST + 1], struct err *e)
{
    const char *id = id_of_subject(subject), *named = js_get_str(body, "run");
    struct stmt *q;
    bool row = false;
    if (!id || strlen(id) > RUN_ID_MOST || (named && strlen(named) > RUN_ID_MOST))
        return err_set(e, ST_INVALID,
                       "subject: expected 'run:' or 'artefact:' and an id of at most %d characters",
                       RUN_ID_MOST);
    snprintf(run, RUN_ID_MOST + 1, "%s", named ? named : id);
    if (named || strncmp(subject, "run:", 4) == 0)
        return ST_OK;
    enum status s = db_prepare(b->db, "SELECT id FROM run WHERE artefact=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, id);
    s = stmt_step(q, &row, e);
    if (s == ST_OK && row)
        snprintf(run, RUN_ID_MOST + 1, "%s", stmt_text(q, 0));
    stmt_done(q);
    return s == ST_OK && !row ? err_set(e, ST_NOT_FOUND, "no run has this output") : s;
}

/* --- checks -------------------------------------------------------------------------------------------- */

static enum status check_site(struct board *b, const char *run, const char *actor, struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s = db_prepare(b->db,
                               "SELECT answer FROM site WHERE run=?1 AND node=?2 AND (round, attempt)="
                               "(SELECT round, attempt FROM run WHERE id=?1)",
                               &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    stmt_bind_text(q, 2, actor);
    s = stmt_step(q, &row, e);
    if (s == ST_OK && !row)
        s = err_set(e, ST_DENIED, "this node is not a site of the run's present attempt");
    else if (s == ST_OK && stmt_text(q, 0)[0] && strcmp(stmt_text(q, 0), "deferred") != 0)
        s = err_set(e, ST_CONFLICT, "this site has already answered the present attempt");
    stmt_done(q);
    return s;
}

static enum status check_place(const struct board_place *p, const struct js *body, struct err *e)
{
    if (js_get_int(body, "round", 0) == p->round && js_get_int(body, "attempt", 0) == p->attempt)
        return ST_OK;
    return err_set(e, ST_CONFLICT, "the run is at round %d, attempt %d now", p->round, p->attempt);
}

static enum status check_all_there(struct board *b, const char *run, struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s = db_prepare(b->db,
                               "SELECT 1 FROM site WHERE run=?1 AND sealed IS NULL AND (round, attempt)="
                               "(SELECT round, attempt FROM run WHERE id=?1)",
                               &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    s = stmt_step(q, &row, e);
    stmt_done(q);
    return s == ST_OK && row ? err_set(e, ST_CONFLICT, "not every part of the attempt is there") : s;
}

static enum status check_state(struct board *b, const struct verb *v, const char *run,
                               struct board_place *place, struct err *e)
{
    enum status s = board_place_of(b, run, place, e);
    if (!v->states[0]) {
        if (s == ST_NOT_FOUND)
            return ST_OK;
        return s == ST_OK ? err_set(e, ST_CONFLICT, "there is already a run '%.40s'", run) : s;
    }
    if (s == ST_OK && !in_list(v->states, place->state))
        return err_set(e, ST_CONFLICT, "the run is %s; %s is not possible", place->state, v->name);
    return s;
}

enum status board_check(struct board *b, const struct js *command, struct err *e)
{
    const char *name = js_get_str(command, "verb"), *actor = js_get_str(command, "actor");
    const struct js *body = js_get(command, "body");
    const struct verb *v = name ? verb_find(name) : NULL;
    struct board_place place;
    if (!v)
        return ST_OK;
    char run[RUN_ID_MOST + 1];
    enum status s = run_of(b, js_get_str(command, "subject"), body, run, e);
    if (s == ST_OK)
        s = check_state(b, v, run, &place, e);
    if (s == ST_OK && v->speaker == BY_LEAD && strcmp(place.lead, actor) != 0)
        s = err_set(e, ST_DENIED, "only the run's lead node may do this");
    if (s == ST_OK && v->speaker == BY_SITE)
        s = check_site(b, run, actor, e);
    if (s == ST_OK && (v->apply == apply_part || v->apply == apply_round))
        s = check_place(&place, body, e);
    if (s == ST_OK && (v->apply == apply_round || v->apply == apply_hold))
        s = check_all_there(b, run, e);
    return s;
}

/* --- the fold ------------------------------------------------------------------------------------------ */

static enum status apply(struct board *b, const struct ledger_entry *entry, struct err *e)
{
    const struct verb *v = verb_find(entry->verb);
    char run[RUN_ID_MOST + 1];
    if (!v)
        return ST_OK;
    enum status s = run_of(b, entry->subject, entry->body, run, e);
    struct step t = {b, entry, run, entry->body};
    return s == ST_OK ? v->apply(&t, e) : s == ST_NOT_FOUND ? ST_OK : s;
}

struct catching {
    struct board *b;
    int64_t next;
};

static enum status on_entry(void *context, struct db *d, const struct ledger_entry *entry, struct err *e)
{
    (void)d;
    struct catching *c = context;
    enum status s = apply(c->b, entry, e);
    c->next = entry->seq + 1;
    return s;
}

enum status board_next(struct board *b, int64_t *out, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(b->db, "SELECT value FROM meta WHERE key='next_seq'", &q, e);
    return s == ST_OK ? stmt_number(q, out, e) : s;
}

static enum status set_next_seq(struct board *b, int64_t next, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(b->db, "UPDATE meta SET value=?1 WHERE key='next_seq'", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, next);
    return stmt_run(q, e);
}

enum status board_catch_up(struct board *b, struct ledger *l, struct err *e)
{
    int64_t size = 0;
    struct catching c = {.b = b};
    enum status s = ledger_size(l, &size, e);
    if (s == ST_OK)
        s = board_next(b, &c.next, e);
    if (s == ST_OK && c.next < size) {
        s = db_begin(b->db, e);
        if (s == ST_OK)
            s = ledger_walk(l, c.next, size, NULL, on_entry, &c, e);
        if (s == ST_OK)
            s = set_next_seq(b, c.next, e);
        if (s == ST_OK)
            s = db_commit(b->db, e);
        else
            db_rollback(b->db);
    }
    b->live = b->live || s == ST_OK;
    return s;
}
