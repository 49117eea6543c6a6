/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine: one path for a new command and for a replayed entry. */
#include "govern/register.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "govern/fields.h"
#include "govern/nouns.h"
#include "ledger/copy.h"

struct registry {
    struct ledger *ledger;
    bool replaying;
    struct watch watch;
};

struct watch *registry_watching(struct registry *r)
{
    return &r->watch;
}

struct ledger *registry_ledger(struct registry *r)
{
    return r->ledger;
}

/* Projections */

static enum status projection_version(struct db *d, int64_t *version, struct err *e)
{
    int64_t there;
    *version = 0;
    enum status s =
        db_number(d, "SELECT count(*) FROM sqlite_schema WHERE name='projection'", NULL, 0, &there, e);
    return s == ST_OK && there ? db_number(d, "SELECT version FROM projection", NULL, 0, version, e) : s;
}

static enum status make_projections(struct db *d, struct err *e)
{
    char sql[160];
    enum status s = ST_OK;
    for (const struct projection *p = projections; s == ST_OK && p->table; p++) {
        snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS %s", p->table);
        s = db_exec(d, sql, e);
    }
    if (s == ST_OK)
        s = db_exec(d, projections_schema, e);
    snprintf(sql, sizeof sql,
             "CREATE TABLE IF NOT EXISTS projection(version INTEGER NOT NULL) STRICT; DELETE FROM projection;"
             "INSERT INTO projection VALUES(%d)",
             PROJECTION_VERSION);
    return s == ST_OK ? db_exec(d, sql, e) : s;
}

static enum status apply_entry(void *context, struct db *d, const struct ledger_entry *entry, struct err *e);

static enum status replay_inside(struct registry *r, struct err *e)
{
    struct db *d = ledger_db(r->ledger);
    enum status s = make_projections(d, e);
    r->replaying = true;
    if (s == ST_OK)
        s = ledger_walk(r->ledger, 0, -1, NULL, apply_entry, r, e);
    r->replaying = false;
    return s;
}

enum status registry_replay(struct registry *r, struct err *e)
{
    enum status s = ledger_begin(r->ledger, e);
    if (s != ST_OK)
        return s;
    s = replay_inside(r, e);
    if (s == ST_OK)
        return ledger_commit(r->ledger, e);
    ledger_rollback(r->ledger);
    return s;
}

static enum status bring_up(struct registry *r, enum db_mode mode, struct err *e)
{
    int64_t version;
    enum status s = projection_version(ledger_db(r->ledger), &version, e);
    if (s != ST_OK || version == PROJECTION_VERSION)
        return s;
    if (mode == DB_READ)
        return err_set(e, ST_UNSUPPORTED,
                       "the register's tables are of another version of accord; open it once for writing "
                       "('accord ledger replay')");
    return registry_replay(r, e);
}

enum status registry_open(const char *path, enum db_mode mode, const struct identity *hub, const char *origin,
                          struct registry **out, struct err *e)
{
    struct registry *r = xcalloc(1, sizeof *r);
    *out = NULL;
    enum status s = ledger_open(path, mode, hub, origin, &r->ledger, e);
    if (s == ST_OK)
        s = bring_up(r, mode, e);
    if (s == ST_OK)
        *out = r;
    else
        registry_close(r);
    return s;
}

void registry_close(struct registry *r)
{
    if (!r)
        return;
    ledger_close(r->ledger);
    free(r);
}

/* Applying */

static enum status find_verb(struct change *c, struct err *e)
{
    const char *names[256];
    size_t n = 0;
    c->verb = verb_find(c->entry->verb);
    if (c->verb)
        return ST_OK;
    for (const struct verb *v = verbs; v->name && n < 256; v++)
        names[n++] = v->name;
    const char *near = text_nearest(c->entry->verb, names, n);
    return err_set(e, ST_INVALID, "$.verb: there is no verb '%.60s'%s%s%s", c->entry->verb,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static enum status find_subject(struct change *c, struct item *item, struct err *e)
{
    bool found;
    size_t n = strcspn(c->verb->name, ".");
    if (!about_split(c->entry->subject, c->noun, c->id) || strlen(c->noun) != n ||
        memcmp(c->noun, c->verb->name, n) != 0)
        return err_set(e, ST_INVALID, "$.subject: %s is about '%.*s:id'", c->verb->name, (int)n,
                       c->verb->name);
    enum status s = item_find(c->db, c->noun, c->id, item, &found, e);
    if (s != ST_OK)
        return s;
    if (!found)
        item->doc = js_object();
    c->doc = item->doc;
    c->state = found ? item->state : NULL;
    c->owner = item->body;
    c->about = item->about;
    return ST_OK;
}

/* What a new item is about: the member that says so. */
static void find_about(struct change *c)
{
    static const char *const members[] = {"agreement", "run", "artefact", "project", "signal"};
    if (c->state)
        return;
    c->about = js_get_str(c->body, "about");
    for (size_t i = 0; !c->about && i < sizeof members / sizeof *members; i++) {
        const char *id = js_get_str(c->body, members[i]);
        if (id && strcmp(members[i], c->noun) != 0)
            c->about = arena_printf(c->arena, "%s:%s", members[i], id);
    }
}

static enum status check_state(const struct change *c, struct err *e)
{
    if (!c->verb->from && c->state)
        return refuse(e, RULE_EXISTS, "%s", c->entry->subject);
    if (!c->state && !verb_in_state(c->verb, NULL))
        return err_set(e, ST_NOT_FOUND, "there is no %s", c->entry->subject);
    return ST_OK;
}

static enum status check_new(struct change *c, struct err *e)
{
    enum status s = texts_check(c->body, "$.body", e);
    if (s == ST_OK)
        s = fields_check(c->db, c->body, c->verb->fields, c->today, e);
    if (s == ST_OK)
        s = check_state(c, e);
    if (s == ST_OK)
        s = access_identify(c, e);
    if (s == ST_OK)
        s = access_check(c, e);
    if (s == ST_OK && !verb_in_state(c->verb, c->state))
        s = refuse(e, RULE_STATE, "%s needs %s, it is %s", c->verb->name, c->verb->from, c->state);
    if (s == ST_OK && c->verb->guard)
        s = c->verb->guard(c, e);
    return s;
}

/* In a replay: who acted, and for which body, as it was then. What was allowed then stays allowed. */
static enum status identify_again(struct change *c, struct err *e)
{
    enum status s = access_identify(c, e);
    if (s == ST_OK)
        s = access_check(c, e);
    return s == ST_DENIED ? ST_OK : s;
}

static enum status save(struct change *c, const struct item *before, struct err *e)
{
    const char *owner = c->owner ? c->owner : js_get_str(c->doc, "body");
    const struct item after = {
        .doc = c->doc,
        .state = (char *)(uintptr_t)(c->to ? c->to : c->state),
        .body = (char *)(uintptr_t)owner,
        .about = (char *)(uintptr_t)c->about,
        .made = c->state ? before->made : c->entry->seq,
        .changed = c->entry->seq,
    };
    return item_put(c->db, c->noun, c->id, &after, e);
}

static enum status apply_change(struct registry *r, struct change *c, struct item *item, struct err *e)
{
    enum status s = find_verb(c, e);
    if (s == ST_OK)
        s = find_subject(c, item, e);
    if (s != ST_OK)
        return s;
    find_about(c);
    s = r->replaying ? identify_again(c, e) : check_new(c, e);
    if (s != ST_OK)
        return s;
    c->to = c->verb->to;
    if (c->verb->fold)
        s = c->verb->fold(c, e);
    else
        merge_all(c);
    return s == ST_OK ? save(c, item, e) : s;
}

static enum status apply_entry(void *context, struct db *d, const struct ledger_entry *entry, struct err *e)
{
    struct registry *r = context;
    struct item item = {0};
    struct change c = {.registry = r, .db = d, .entry = entry, .body = entry->body};
    c.arena = arena_new();
    c.today = (int32_t)(entry->time_ms / 86400000);
    enum status s = apply_change(r, &c, &item, e);
    item_deinit(&item);
    arena_free(c.arena);
    if (s != ST_OK && r->replaying)
        err_wrap(e, "entry %" PRId64, entry->seq);
    if (s == ST_OK && r->replaying && interrupted())
        s = interrupted_err(e);
    return s;
}

enum status registry_apply(struct registry *r, const struct js *command, struct ledger_entry *entry,
                           struct err *e)
{
    return ledger_append(r->ledger, command, apply_entry, r, entry, e);
}

static enum status restore_inside(struct registry *r, FILE *copy, const struct ledger_verified *checked,
                                  int64_t *added, struct err *e)
{
    r->replaying = true;
    enum status s = ledger_restore(r->ledger, copy, checked, apply_entry, r, added, e);
    r->replaying = false;
    return s;
}

enum status registry_restore(struct registry *r, FILE *copy, struct pool *pool, int64_t *added, struct err *e)
{
    struct ledger_verified checked;
    *added = 0;
    enum status s = ledger_verify(copy, ledger_key(r->ledger), pool, &checked, e);
    if (s == ST_OK)
        s = ledger_begin(r->ledger, e);
    if (s != ST_OK)
        return s;
    s = restore_inside(r, copy, &checked, added, e);
    if (s == ST_OK)
        return ledger_commit(r->ledger, e);
    ledger_rollback(r->ledger);
    return s;
}

enum status registry_act(struct registry *r, const struct identity *actor, const char *verb,
                         const char *subject, struct js *body, struct err *e)
{
    struct js *command;
    enum status s = command_make(actor, verb, subject, body, &command, e);
    if (s != ST_OK)
        return s;
    s = registry_apply(r, command, NULL, e);
    js_free(command);
    return s;
}

/* Everything that check_new looks at but the body's fields and what the guard makes of them. */
static enum status check_without_body(struct change *c, struct err *e)
{
    enum status s = check_state(c, e);
    if (s == ST_OK)
        s = access_identify(c, e);
    if (s == ST_OK)
        s = access_check(c, e);
    if (s == ST_OK && !verb_in_state(c->verb, c->state))
        s = refuse(e, RULE_STATE, "%s needs %s, it is %s", c->verb->name, c->verb->from, c->state);
    return s == ST_OK && c->verb->guard && !c->verb->fields ? c->verb->guard(c, e) : s;
}

enum status registry_may(struct registry *r, const char *actor, const char *verb, const char *subject,
                         const struct js *body, int64_t now_ms, struct err *e)
{
    struct js *empty = js_object();
    struct ledger_entry entry = {
        .time_ms = now_ms, .actor = actor, .verb = verb, .subject = subject, .body = body ? body : empty};
    struct item item = {0};
    struct change c = {.registry = r, .db = ledger_db(r->ledger), .entry = &entry, .body = entry.body};
    c.arena = arena_new();
    c.today = (int32_t)(now_ms / 86400000);
    enum status s = find_verb(&c, e);
    if (s == ST_OK)
        s = find_subject(&c, &item, e);
    if (s == ST_OK) {
        find_about(&c);
        s = body ? check_new(&c, e) : check_without_body(&c, e);
    }
    item_deinit(&item);
    arena_free(c.arena);
    js_free(empty);
    return s;
}

enum status registry_begin(struct registry *r, struct err *e)
{
    return ledger_begin(r->ledger, e);
}

enum status registry_commit(struct registry *r, struct err *e)
{
    return ledger_commit(r->ledger, e);
}

enum status registry_read_begin(struct registry *r, struct err *e)
{
    return db_exec(ledger_db(r->ledger), "BEGIN", e);
}

void registry_read_end(struct registry *r)
{
    db_rollback(ledger_db(r->ledger));
}

enum status registry_found(struct registry *r, const char *body_id, const char *body_name,
                           const char *steward_id, const uint8_t steward_key[SIGN_PUBLIC_BYTES],
                           struct err *e)
{
    char key[2 * SIGN_PUBLIC_BYTES + 1];
    struct js *body = js_object(), *command;
    hex_encode(steward_key, SIGN_PUBLIC_BYTES, key);
    js_put_str(body, "body", body_id);
    js_put_str(body, "name", body_name);
    js_put_str(body, "steward", steward_id);
    js_put_str(body, "key", key);
    command = command_new("register.found", "register:accord", body, "founding-of-the-register");
    enum status s = ledger_hub(r->ledger) ? command_sign(command, ledger_hub(r->ledger), e)
                                          : err_set(e, ST_DENIED, "only the hub founds its register");
    if (s == ST_OK)
        s = registry_apply(r, command, NULL, e);
    js_free(command);
    return s;
}

/* Digest: length-prefixed columns, so that no two different states write the same bytes. */

static void hash_column(struct sha256 *h, struct stmt *q, int column)
{
    uint64_t n = UINT64_MAX;
    if (stmt_is_null(q, column)) {
        sha256_add(h, &n, sizeof n);
        return;
    }
    struct slice bytes = stmt_blob(q, column);
    n = bytes.n;
    sha256_add(h, &n, sizeof n);
    sha256_add(h, bytes.p, bytes.n);
}

static int columns_of(const char *rows)
{
    const char *from = strstr(rows, " FROM ");
    int n = 1;
    for (const char *p = rows; p && p < from; p++)
        n += *p == ',';
    return n;
}

static enum status hash_table(struct db *d, const struct projection *p, struct sha256 *h, struct err *e)
{
    struct stmt *q;
    bool row = true;
    int columns = columns_of(p->rows);
    enum status s = db_prepare(d, p->rows, &q, e);
    if (s != ST_OK)
        return s;
    sha256_add(h, p->table, strlen(p->table) + 1);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row)
        for (int i = 0; i < columns; i++)
            hash_column(h, q, i);
    stmt_done(q);
    return s;
}

enum status registry_digest(struct registry *r, uint8_t out[HASH_BYTES], struct err *e)
{
    struct sha256 *h = sha256_new();
    enum status s = ST_OK;
    for (const struct projection *p = projections; s == ST_OK && p->table; p++)
        s = hash_table(ledger_db(r->ledger), p, h, e);
    sha256_end(h, out);
    return s;
}
