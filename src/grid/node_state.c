/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/node_state.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "disclose/policy.h"
#include "ledger/command.h"

static const char *const migrations[] = {
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;"
    "CREATE TABLE run(id TEXT PRIMARY KEY, state TEXT NOT NULL, why TEXT NOT NULL, request TEXT, terms TEXT,"
    " changed_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE local(run TEXT NOT NULL, round INTEGER NOT NULL, sums BLOB NOT NULL,"
    " PRIMARY KEY(run, round)) STRICT;"
    "CREATE TABLE part(run TEXT NOT NULL, round INTEGER NOT NULL, attempt INTEGER NOT NULL,"
    " PRIMARY KEY(run, round, attempt)) STRICT;"
    "CREATE TABLE opened(run TEXT NOT NULL, round INTEGER NOT NULL, attempt INTEGER NOT NULL,"
    " done INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(run, round)) STRICT;"
    "CREATE TABLE progress(run TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT;"
    "CREATE TABLE output(id TEXT PRIMARY KEY, run TEXT NOT NULL UNIQUE, title TEXT NOT NULL,"
    " document TEXT NOT NULL, sha256 TEXT NOT NULL, state TEXT NOT NULL, why TEXT NOT NULL DEFAULT '',"
    " made TEXT NOT NULL) STRICT;"
    "CREATE TABLE approval(output TEXT NOT NULL, person TEXT NOT NULL, command TEXT NOT NULL,"
    " taken INTEGER NOT NULL DEFAULT 0, made TEXT NOT NULL, PRIMARY KEY(output, person)) STRICT;"
    "CREATE TABLE peer(body TEXT PRIMARY KEY, key TEXT NOT NULL) STRICT;"
    "CREATE TABLE outbox(id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, verb TEXT NOT NULL,"
    " command TEXT NOT NULL, sealed BLOB, refused TEXT) STRICT;",
    /* The checker's view of a held output; it goes when the output is no longer held. */
    "ALTER TABLE output ADD COLUMN checks TEXT NOT NULL DEFAULT '';",
    /* The hub's log as far as this node has read it (node_follow.c). */
    "CREATE TABLE followed(one INTEGER PRIMARY KEY CHECK(one = 1), size INTEGER NOT NULL, edge BLOB NOT "
    "NULL) "
    "STRICT;"
    "CREATE TABLE log_entry(subject TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(subject, seq)) STRICT,"
    " WITHOUT ROWID;",
    /* The store's content that a round was computed from: the later rounds must have the same. */
    "ALTER TABLE local ADD COLUMN snapshot TEXT NOT NULL DEFAULT '';"};
enum { N_MIGRATIONS = sizeof migrations / sizeof *migrations };

enum { TEXT_MOST = 64 << 20 };

static const char first_policy[] =
    "# The site's own policy: what this node does without asking, and what it never does.\n"
    "# See docs/operator/node.md.\n"
    "\n"
    "# automatic: a run that passes every check starts at once; person: somebody admits each run\n"
    "# (accord node run admit ID)\n"
    "admission: automatic\n"
    "\n"
    "# A run whose cells, with those given before, could single out a few persons: review = somebody looks "
    "at\n"
    "# it (accord node run admit or refuse); refuse = it is refused at once\n"
    "differencing: review\n"
    "\n"
    "# Disclosure rules: a built-in profile (sde-10, nhs-hes, opensafely, ons-10-5, gel-5) or a policy "
    "file.\n"
    "disclosure: sde-10\n"
    "\n"
    "# National data opt-outs: a run is refused when they were last applied longer ago than this.\n"
    "# Set required to false for synthetic data only.\n"
    "opt_out:\n"
    "  required: true\n"
    "  days: 20\n";

struct opt_out {
    bool required;
    int64_t days;
};

static enum status load_policy(struct node *n, struct err *e)
{
    static const char *const admissions[] = {"automatic", "person", NULL};
    static const char *const differencings[] = {"review", "refuse", NULL};
    struct policy_file {
        int admission, differencing;
        const char *disclosure;
        const struct config *opt_out, *analyses, *discovery;
    } file = {ADMIT_AUTOMATIC, DIFFERENCING_REVIEW, "sde-10", NULL, NULL, NULL};
    struct opt_out opt_out = {true, 20};
    static const struct config_field fields[] = {
        {"admission", CONFIG_CHOICE, offsetof(struct policy_file, admission), 0, 0, admissions, false},
        {"differencing", CONFIG_CHOICE, offsetof(struct policy_file, differencing), 0, 0, differencings,
         false},
        {"disclosure", CONFIG_TEXT, offsetof(struct policy_file, disclosure), 0, 0, NULL, false},
        {"opt_out", CONFIG_MAP, offsetof(struct policy_file, opt_out), 0, 0, NULL, false},
        {"analyses", CONFIG_LIST, offsetof(struct policy_file, analyses), 0, 0, NULL, false},
        {"discovery", CONFIG_MAP, offsetof(struct policy_file, discovery), 0, 0, NULL, false},
        {0}};
    static const struct config_field discovery_fields[] = {
        {"approved_by", CONFIG_TEXT, offsetof(struct node_policy, discovery_approved_by), 0, 0, NULL, true},
        {0}};
    static const struct config_field opt_fields[] = {
        {"required", CONFIG_FLAG, offsetof(struct opt_out, required), 0, 0, NULL, false},
        {"days", CONFIG_INT, offsetof(struct opt_out, days), 0, 20, NULL, false},
        {0}};
    char *path = xasprintf("%s/node.yaml", n->data);
    enum status s = config_load(path, &n->policy.tree, e);
    if (s == ST_OK)
        s = config_read(n->policy.tree, fields, &file, e);
    if (s == ST_OK && file.opt_out)
        s = config_read(file.opt_out, opt_fields, &opt_out, e);
    if (s == ST_OK && file.discovery)
        s = config_read(file.discovery, discovery_fields, &n->policy, e);
    n->policy.admission = file.admission;
    n->policy.differencing = file.differencing;
    n->policy.disclosure = file.disclosure;
    n->policy.analyses = file.analyses;
    n->policy.opt_out_required = opt_out.required;
    n->policy.opt_out_days = opt_out.days;
    free(path);
    return s;
}

enum status node_policy_reload(struct node *n, struct err *e)
{
    struct node_policy before = n->policy;
    n->policy = (struct node_policy){0};
    enum status s = load_policy(n, e);
    config_free(s == ST_OK ? before.tree : n->policy.tree);
    if (s != ST_OK)
        n->policy = before;
    return s;
}

enum status node_init(const char *data, char key_hex[65], struct err *e)
{
    char *key_path = xasprintf("%s/node.key", data), *db_path = xasprintf("%s/node.db", data);
    char *policy_path = xasprintf("%s/node.yaml", data);
    struct identity *id = NULL;
    struct db *db = NULL;
    enum status s = dir_make(data, e);
    if (s == ST_OK)
        s = identity_load_or_make(key_path, &id, e);
    if (s == ST_OK && !file_exists(db_path))
        s = file_replace(db_path, SLICE(""), 0600, e); /* SQLite keeps the mode, also for its WAL */
    if (s == ST_OK)
        s = db_open(db_path, DB_CREATE, migrations, N_MIGRATIONS, &db, e);
    if (s == ST_OK && !file_exists(policy_path))
        s = file_replace(policy_path, slice_of(first_policy), 0644, e);
    if (s == ST_OK)
        hex_encode(id->sign_public, SIGN_PUBLIC_BYTES, key_hex);
    db_close(db);
    identity_free(id);
    free(key_path);
    free(db_path);
    free(policy_path);
    return s;
}

enum status meta_get(struct node *n, const char *key, char **out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    *out = NULL;
    enum status s = db_prepare(n->db, "SELECT value FROM meta WHERE key=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, key);
    s = stmt_step(q, &row, e);
    if (s == ST_OK && row)
        *out = xstrdup(stmt_text(q, 0));
    stmt_done(q);
    return s;
}

enum status meta_set(struct node *n, const char *key, const char *value, struct err *e)
{
    struct stmt *q;
    enum status s =
        db_prepare(n->db, "INSERT INTO meta VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value=?2", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, key);
    stmt_bind_text(q, 2, value);
    return stmt_run(q, e);
}

static enum status load_hub(struct node *n, const atomic_bool *stop, struct err *e)
{
    char *vkey = NULL;
    enum status s = meta_get(n, "hub_url", &n->hub_url, e);
    if (s == ST_OK)
        s = meta_get(n, "ca_file", &n->ca_file, e);
    if (s == ST_OK)
        s = meta_get(n, "body", &n->body, e);
    if (s == ST_OK)
        s = meta_get(n, "hub_key", &vkey, e);
    if (s == ST_OK && (!n->hub_url || !vkey || !n->body))
        s = err_set(e, ST_CONFLICT, "this node is not enrolled; run 'accord node enrol' first");
    if (s == ST_OK)
        s = note_vkey_parse(slice_of(vkey), &n->hub_key, e);
    if (s == ST_OK)
        s = hub_client_open(n->hub_url, n->ca_file, n->id, stop, &n->hub, e);
    free(vkey);
    return s;
}

enum status node_open(const char *data, bool enrolled, const atomic_bool *stop, struct node **out,
                      struct err *e)
{
    struct node *n = xcalloc(1, sizeof *n);
    char *key_path = xasprintf("%s/node.key", data), *db_path = xasprintf("%s/node.db", data);
    *out = NULL;
    n->data = xstrdup(data);
    enum status s = ST_OK;
    if (!file_exists(key_path) || !file_exists(db_path))
        s = err_set(e, ST_NOT_FOUND,
                    "there is no node in this folder; run 'accord node init --data DIR' first");
    if (s == ST_OK)
        s = identity_load(key_path, &n->id, e);
    if (s == ST_OK)
        s = db_open(db_path, DB_WRITE, migrations, N_MIGRATIONS, &n->db, e);
    if (s == ST_OK)
        s = load_policy(n, e);
    if (s == ST_OK)
        hex_encode(n->id->sign_public, SIGN_PUBLIC_BYTES, n->key_hex);
    if (s == ST_OK && enrolled)
        s = load_hub(n, stop, e);
    free(key_path);
    free(db_path);
    if (s == ST_OK)
        *out = n;
    else
        node_close(n);
    return s;
}

void node_close(struct node *n)
{
    if (!n)
        return;
    hub_client_close(n->hub);
    db_close(n->db);
    identity_free(n->id);
    config_free(n->policy.tree);
    free(n->hub_url);
    free(n->ca_file);
    free(n->body);
    free(n->data);
    free(n);
}

/* --- runs ---------------------------------------------------------------------------------------------- */

static enum status read_json(struct stmt *q, int column, struct js **out, struct err *e)
{
    *out = NULL;
    const char *text = stmt_text(q, column);
    return text ? js_parse(slice_of(text), "node.db", out, e) : ST_OK;
}

enum status node_run_find(struct node *n, const char *run, struct node_run *out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    *out = (struct node_run){0};
    enum status s = db_prepare(n->db, "SELECT state, request, terms FROM run WHERE id=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    s = stmt_step(q, &row, e);
    if (s == ST_OK && row) {
        snprintf(out->state, sizeof out->state, "%s", stmt_text(q, 0));
        s = read_json(q, 1, &out->request, e);
        if (s == ST_OK)
            s = read_json(q, 2, &out->terms, e);
    }
    stmt_done(q);
    return s;
}

void node_run_deinit(struct node_run *r)
{
    js_free(r->request);
    js_free(r->terms);
    *r = (struct node_run){0};
}

static void bind_json(struct stmt *q, int at, const struct js *j)
{
    struct buf text;
    buf_init(&text, TEXT_MOST);
    if (j)
        js_format(j, JS_COMPACT, &text);
    stmt_bind_text(q, at, j && !text.failed ? text.p : NULL);
    buf_deinit(&text);
}

enum status node_run_put(struct node *n, const char *run, const char *state, const char *why,
                         const struct js *request, const struct js *terms, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(
        n->db,
        "INSERT INTO run(id, state, why, request, terms, changed_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
        " ON CONFLICT(id) DO UPDATE SET state=?2, why=?3, request=?4, terms=?5, changed_ms=?6",
        &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    stmt_bind_text(q, 2, state);
    stmt_bind_text(q, 3, why);
    bind_json(q, 4, request);
    bind_json(q, 5, terms);
    stmt_bind_int(q, 6, time_now_ms());
    return stmt_run(q, e);
}

enum status node_run_state(struct node *n, const char *run, const char *state, const char *why, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(n->db, "UPDATE run SET state=?2, why=?3, changed_ms=?4 WHERE id=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    stmt_bind_text(q, 2, state);
    stmt_bind_text(q, 3, why);
    stmt_bind_int(q, 4, time_now_ms());
    return stmt_run(q, e);
}

enum status run_study(const struct node_run *r, struct study **out, struct err *e)
{
    const struct js *study = js_get(js_get(r->request, "body"), "study");
    *out = NULL;
    return study ? study_parse(study, out, e)
                 : err_set(e, ST_INVALID, "the run request carries no study document");
}

enum status run_has_keys(const struct node_run *r, bool *out, struct err *e)
{
    struct policy policy;
    enum status s = policy_from_json(js_get(r->terms, "policy"), &policy, e);
    *out = s == ST_OK && policy.rounding == ROUNDING_CELL_KEY;
    return s;
}

enum status run_begin(const struct node_run *r, const struct study *s, struct study_run **out, struct err *e)
{
    bool keyed = false;
    enum status st = run_has_keys(r, &keyed, e);
    *out = st == ST_OK ? study_run_new(s) : NULL;
    if (keyed)
        study_run_ask_keys(*out);
    return st;
}

/* --- the outbox ---------------------------------------------------------------------------------------- */

static enum status outbox_put(struct node *n, const char *run, const struct js *command,
                              const struct buf *sealed, struct err *e)
{
    struct stmt *q;
    enum status s =
        db_prepare(n->db, "INSERT INTO outbox(run, verb, command, sealed) VALUES(?1, ?2, ?3, ?4)", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    stmt_bind_text(q, 2, js_get_str(command, "verb"));
    bind_json(q, 3, command);
    if (sealed)
        stmt_bind_blob(q, 4, sealed->p, sealed->n);
    else
        stmt_bind_null(q, 4);
    return stmt_run(q, e);
}

enum status node_tell(struct node *n, const char *run, const char *verb, struct js *body,
                      const struct buf *sealed, struct err *e)
{
    struct js *command = NULL;
    char *subject = xasprintf("%s:%s", strncmp(verb, "artefact.", 9) == 0 ? "artefact" : "run", run);
    enum status s = command_make(n->id, verb, subject, body, &command, e);
    if (s == ST_OK)
        s = outbox_put(n, run, command, sealed, e);
    js_free(command);
    free(subject);
    return s;
}

enum status node_forward(struct node *n, const char *run, const struct js *command, struct err *e)
{
    return outbox_put(n, run, command, NULL, e);
}

/* A message as it goes to the hub: a command alone, or a run.part with its sealed part. */
struct message {
    int64_t id; /* 0 = none is waiting */
    char *verb, *target;
    struct js *body;
};

static void message_deinit(struct message *m)
{
    free(m->verb);
    free(m->target);
    js_free(m->body);
}

static void add_sealed(struct message *m, const char *run, struct slice sealed)
{
    struct buf text;
    struct js *both = js_object();
    buf_init(&text, 2 * sealed.n + 16);
    base64_encode((const uint8_t *)sealed.p, sealed.n, &text);
    js_put(both, "command", m->body);
    js_put_str(both, "sealed", text.p);
    m->body = both;
    m->target = xasprintf("/api/v1/runs/%s/parts", run);
    buf_deinit(&text);
}

static enum status outbox_next(struct node *n, struct message *m, struct err *e)
{
    struct stmt *q;
    bool row = false;
    *m = (struct message){0};
    enum status s = db_prepare(n->db,
                               "SELECT id, verb, command, run, sealed FROM outbox WHERE refused IS NULL"
                               " ORDER BY id LIMIT 1",
                               &q, e);
    if (s != ST_OK)
        return s;
    s = stmt_step(q, &row, e);
    if (s == ST_OK && row)
        s = read_json(q, 2, &m->body, e);
    if (s == ST_OK && row) {
        m->id = stmt_int(q, 0);
        m->verb = xstrdup(stmt_text(q, 1));
        if (stmt_is_null(q, 4))
            m->target = xstrdup("/api/v1/commands");
        else
            add_sealed(m, stmt_text(q, 3), stmt_blob(q, 4));
    }
    stmt_done(q);
    return s;
}

static enum status outbox_end(struct node *n, int64_t id, const char *refused, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(n->db,
                               refused ? "UPDATE outbox SET refused=?2, sealed=NULL WHERE id=?1"
                                       : "DELETE FROM outbox WHERE id=?1",
                               &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, id);
    if (refused)
        stmt_bind_text(q, 2, refused);
    return stmt_run(q, e);
}

bool worth_another_try(enum status s)
{
    return s == ST_NETWORK || s == ST_TIMEOUT || s == ST_INTERRUPTED || s == ST_NO_MEMORY ||
           s == ST_NO_SPACE || s == ST_IO || s == ST_INTERNAL || s == ST_UNAUTHENTICATED || s == ST_CORRUPT;
}

static enum status give_up(struct node *n, const struct message *m, const char *why, struct err *e)
{
    const char *subject = js_get_str(js_get(m->body, "command"), "subject");
    enum status s = db_begin(n->db, e);
    if (s != ST_OK)
        return s;
    struct js *body = js_object();
    js_put_str(body, "reason", why);
    s = node_tell(n, subject + strlen("run:"), "run.decline", body, NULL, e);
    if (s == ST_OK)
        s = outbox_end(n, m->id, why, e);
    if (s == ST_OK)
        return db_commit(n->db, e);
    db_rollback(n->db);
    return s;
}

static enum status send(struct node *n, const struct message *m, struct err *e)
{
    struct err refusal = {0};
    enum status s = hub_post(n->hub, m->target, m->body, NULL, &refusal);
    if (s == ST_OK) {
        log_event(LOG_INFO, "node.told", "verb", m->verb, NULL);
        return outbox_end(n, m->id, NULL, e);
    }
    if (worth_another_try(s)) {
        if (e)
            *e = refusal;
        return s;
    }
    log_event(LOG_WARN, "node.told.refused", "verb", m->verb, "text", refusal.text, NULL);
    /* A conflict says that the attempt went on without this part; anything else would be so again. */
    if (strcmp(m->verb, "run.part") == 0 && s != ST_CONFLICT)
        return give_up(n, m, refusal.text, e);
    return outbox_end(n, m->id, refusal.text, e);
}

enum status node_flush(struct node *n, struct err *e)
{
    struct message m;
    enum status s;
    while ((s = outbox_next(n, &m, e)) == ST_OK && m.id) {
        s = send(n, &m, e);
        message_deinit(&m);
        if (s != ST_OK)
            break;
    }
    return s;
}
