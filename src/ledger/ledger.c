/* SPDX-License-Identifier: Apache-2.0
 *
 * Layout of the register's file, the part that is the truth (all other tables are projections):
 *
 *     log          one row: origin and the hub's public key
 *     entry        seq, canonical text, and the columns that are looked up by
 *     tree         complete subtrees: (level, at) to hash; about two rows an entry, never changed
 *     personal     texts beside the hashes that entries hold; a row goes away when it is erased
 *     checkpoint   notes signed so far, by size
 *     witness, cosignature
 */
#include "ledger/ledger.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/mem.h"

static const char *const migrations[] = {
    "CREATE TABLE log(one INTEGER PRIMARY KEY CHECK(one=1), origin TEXT NOT NULL, key TEXT NOT NULL) STRICT;"
    "CREATE TABLE entry(seq INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, actor TEXT NOT NULL, nonce TEXT "
    "NOT NULL,"
    " verb TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL, UNIQUE(actor, nonce)) STRICT;"
    "CREATE INDEX entry_subject ON entry(subject, seq);"
    "CREATE TABLE tree(level INTEGER NOT NULL, at INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY(level, "
    "at))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE personal(hash TEXT PRIMARY KEY, salt TEXT NOT NULL, text TEXT NOT NULL) STRICT, WITHOUT "
    "ROWID;"
    "CREATE TABLE checkpoint(size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;"
    "CREATE TABLE witness(name TEXT PRIMARY KEY, vkey TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE cosignature(size INTEGER NOT NULL, witness TEXT NOT NULL REFERENCES witness(name),"
    " line TEXT NOT NULL, PRIMARY KEY(size, witness)) STRICT, WITHOUT ROWID;",
};
enum { MIGRATIONS = sizeof migrations / sizeof *migrations };

struct ledger {
    struct db *db;
    const struct identity *hub; /* borrowed; NULL = cannot sign */
    struct note_key key;        /* name = origin */
    bool in_batch, read_only;
};

struct db *ledger_db(struct ledger *l)
{
    return l->db;
}

const char *ledger_origin(const struct ledger *l)
{
    return l->key.name;
}

const struct note_key *ledger_key(const struct ledger *l)
{
    return &l->key;
}

bool ledger_read_only(const struct ledger *l)
{
    return l->read_only;
}

const struct identity *ledger_hub(const struct ledger *l)
{
    return l->hub;
}

static enum status begin_log(struct ledger *l, const struct identity *hub, const char *origin, struct err *e)
{
    char hex[2 * SIGN_PUBLIC_BYTES + 1];
    struct stmt *q;
    if (!hub || !origin)
        return err_set(e, ST_NOT_FOUND,
                       "there is no log in this file; begin one with the hub's key and an origin");
    if (!note_name_valid(origin))
        return err_set(e, ST_INVALID,
                       "the origin of a log is 1 to %d printable characters without spaces or '+', such as "
                       "'accord.example/register'",
                       NOTE_NAME_MOST);
    hex_encode(hub->sign_public, SIGN_PUBLIC_BYTES, hex);
    enum status s = db_prepare(l->db, "INSERT INTO log VALUES(1, ?1, ?2) ON CONFLICT DO NOTHING", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, origin);
    stmt_bind_text(q, 2, hex);
    return stmt_run(q, e);
}

/* Reads origin and key; *found false when the file has no log yet. */
static enum status read_log(struct ledger *l, bool *found, struct err *e)
{
    struct stmt *q;
    *found = false;
    enum status s = db_prepare(l->db, "SELECT origin, key FROM log", &q, e);
    if (s != ST_OK)
        return s;
    s = stmt_step(q, found, e);
    if (s == ST_OK && *found) {
        const char *origin = stmt_text(q, 0);
        l->key.type = NOTE_ED25519;
        if (!note_name_valid(origin) ||
            !hex_decode(slice_of(stmt_text(q, 1)), l->key.public_key, SIGN_PUBLIC_BYTES))
            s = err_set(e, ST_CORRUPT, "the log's origin or key is damaged");
        else
            memcpy(l->key.name, origin, strlen(origin) + 1);
    }
    stmt_done(q);
    return s;
}

static enum status open_log(struct ledger *l, enum db_mode mode, const struct identity *hub,
                            const char *origin, struct err *e)
{
    bool found;
    enum status s = mode == DB_READ ? ST_OK : db_exec(l->db, "PRAGMA secure_delete=ON", e);
    if (s == ST_OK)
        s = read_log(l, &found, e);
    if (s == ST_OK && !found) {
        s = begin_log(l, mode == DB_CREATE ? hub : NULL, origin, e);
        if (s == ST_OK)
            s = read_log(l, &found, e);
    }
    if (s == ST_OK && hub && memcmp(hub->sign_public, l->key.public_key, SIGN_PUBLIC_BYTES) != 0)
        s = err_set(e, ST_DENIED, "this log belongs to another hub key");
    return s;
}

enum status ledger_open(const char *path, enum db_mode mode, const struct identity *hub, const char *origin,
                        struct ledger **out, struct err *e)
{
    struct ledger *l = xcalloc(1, sizeof *l);
    *out = NULL;
    l->hub = hub;
    l->read_only = mode == DB_READ;
    enum status s = db_open(path, mode, migrations, MIGRATIONS, &l->db, e);
    if (s == ST_OK)
        s = open_log(l, mode, hub, origin, e);
    if (s == ST_OK) {
        *out = l;
        return ST_OK;
    }
    err_wrap(e, "opening the log");
    ledger_close(l);
    return s;
}

void ledger_close(struct ledger *l)
{
    if (!l)
        return;
    ledger_rollback(l);
    db_close(l->db);
    free(l);
}

/* Entries */

void ledger_entry_deinit(struct ledger_entry *entry)
{
    js_free(entry->json);
    buf_deinit(&entry->text);
    *entry = (struct ledger_entry){0};
}

/* Fills the borrowed members from entry->json. */
static enum status entry_read(struct ledger_entry *entry, struct err *e)
{
    const struct js *j = entry->json;
    entry->seq = js_get_int(j, "seq", -1);
    entry->time = js_get_str(j, "time");
    entry->actor = js_get_str(j, "actor");
    entry->verb = js_get_str(j, "verb");
    entry->subject = js_get_str(j, "subject");
    entry->nonce = js_get_str(j, "nonce");
    entry->body = js_get(j, "body");
    if (entry->seq < 0 || !entry->time || !entry->actor || !entry->verb || !entry->subject || !entry->nonce ||
        !js_is(entry->body, JS_OBJECT) || js_size(j) != 9 || !js_get_str(j, "signature") ||
        js_get_int(j, "v", 0) != 1)
        return err_set(e, ST_CORRUPT, "this is not an entry of version 1 (nine members, seq from 0)");
    if (!time_parse(slice_of(entry->time), &entry->time_ms))
        return err_set(e, ST_CORRUPT, "the entry's time is not of the form 2026-11-22T18:25:00Z");
    return ST_OK;
}

enum status ledger_entry_parse(struct slice text, struct ledger_entry *out, struct err *e)
{
    *out = (struct ledger_entry){0};
    enum status s = js_parse(text, "entry", &out->json, e);
    if (s != ST_OK && e)
        s = e->status = ST_CORRUPT;
    if (s == ST_OK)
        s = entry_read(out, e);
    buf_init(&out->text, COMMAND_MOST + 1024);
    if (s == ST_OK)
        s = js_canonical(out->json, &out->text, e);
    if (s == ST_OK && !slice_equal(text, buf_slice(&out->text)))
        s = err_set(e, ST_CORRUPT, "the entry is not in canonical form");
    if (s != ST_OK)
        ledger_entry_deinit(out);
    return s == ST_OK ? s : ST_CORRUPT;
}

/* A query whose only row, if any, is an entry's text. */
static enum status entry_from(struct stmt *q, struct ledger_entry *out, bool *found, struct err *e)
{
    enum status s = stmt_step(q, found, e);
    if (s == ST_OK && *found)
        s = ledger_entry_parse(stmt_blob(q, 0), out, e);
    stmt_done(q);
    return s;
}

enum status ledger_get(struct ledger *l, int64_t seq, struct ledger_entry *out, struct err *e)
{
    struct stmt *q;
    bool found = false;
    *out = (struct ledger_entry){0};
    enum status s = db_prepare(l->db, "SELECT text FROM entry WHERE seq=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, seq);
    s = entry_from(q, out, &found, e);
    if (s == ST_OK && !found)
        s = err_set(e, ST_NOT_FOUND, "the log has no entry %" PRId64, seq);
    return s;
}

enum status ledger_find_nonce(struct ledger *l, const char *actor, const char *nonce,
                              struct ledger_entry *out, struct err *e)
{
    struct stmt *q;
    bool found = false;
    *out = (struct ledger_entry){0};
    enum status s = db_prepare(l->db, "SELECT text FROM entry WHERE actor=?1 AND nonce=?2", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, actor);
    stmt_bind_text(q, 2, nonce);
    s = entry_from(q, out, &found, e);
    if (s == ST_OK && !found)
        s = err_set(e, ST_NOT_FOUND, "the log has no entry with this actor and nonce");
    return s;
}

enum status ledger_size(struct ledger *l, int64_t *out, struct err *e)
{
    struct stmt *q;
    *out = 0;
    enum status s = db_prepare(l->db, "SELECT coalesce(max(seq) + 1, 0) FROM entry", &q, e);
    return s == ST_OK ? stmt_number(q, out, e) : s;
}

enum status ledger_numbers_of(struct ledger *l, const char *subject, struct ledger_numbers *into,
                              struct err *e)
{
    struct stmt *q;
    bool row = true;
    enum status s = db_prepare(l->db, "SELECT seq FROM entry WHERE subject=?1 ORDER BY seq", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, subject);
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        GROW(into->v, into->n + 1, into->capacity);
        into->v[into->n++] = stmt_int(q, 0);
    }
    stmt_done(q);
    return s;
}

enum status ledger_walk(struct ledger *l, int64_t from, int64_t to, const char *subject, ledger_fold fold,
                        void *context, struct err *e)
{
    struct stmt *q;
    bool row = true;
    enum status s =
        db_prepare(l->db,
                   subject ? "SELECT text FROM entry WHERE seq>=?1 AND seq<?2 AND subject=?3 ORDER BY seq"
                           : "SELECT text FROM entry WHERE seq>=?1 AND seq<?2 ORDER BY seq",
                   &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, from);
    stmt_bind_int(q, 2, to < 0 ? INT64_MAX : to);
    if (subject)
        stmt_bind_text(q, 3, subject);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct ledger_entry entry;
        s = ledger_entry_parse(stmt_blob(q, 0), &entry, e);
        if (s != ST_OK)
            break;
        s = fold(context, l->db, &entry, e);
        ledger_entry_deinit(&entry);
    }
    stmt_done(q);
    return s;
}

enum status ledger_tally(struct ledger *l, int64_t from, int64_t to,
                         void (*tell)(void *context, int32_t day, const char *verb, int64_t n), void *context,
                         struct err *e)
{
    struct stmt *q;
    bool row = true;
    enum status s = db_prepare(l->db,
                               "SELECT time_ms/86400000, verb, count(*) FROM entry WHERE seq>=?1 AND seq<?2 "
                               "GROUP BY 1, 2",
                               &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, from);
    stmt_bind_int(q, 2, to);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row)
        tell(context, (int32_t)stmt_int(q, 0), stmt_text(q, 1), stmt_int(q, 2));
    stmt_done(q);
    return s;
}

/* Appending */

static enum status tree_get(void *context, unsigned level, uint64_t at, uint8_t out[HASH_BYTES],
                            struct err *e)
{
    struct ledger *l = context;
    struct stmt *q;
    bool row = false;
    enum status s = db_prepare(l->db, "SELECT hash FROM tree WHERE level=?1 AND at=?2", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, level);
    stmt_bind_int(q, 2, (int64_t)at);
    s = stmt_step(q, &row, e);
    if (s == ST_OK && (!row || stmt_blob(q, 0).n != HASH_BYTES))
        s = err_set(e, ST_CORRUPT, "the log's tree lacks the hash of level %u, number %" PRIu64, level, at);
    if (s == ST_OK)
        memcpy(out, stmt_blob(q, 0).p, HASH_BYTES);
    stmt_done(q);
    return s;
}

static enum status tree_put(void *context, unsigned level, uint64_t at, const uint8_t hash[HASH_BYTES],
                            struct err *e)
{
    struct ledger *l = context;
    struct stmt *q;
    enum status s = db_prepare(l->db, "INSERT INTO tree VALUES(?1, ?2, ?3)", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, level);
    stmt_bind_int(q, 2, (int64_t)at);
    stmt_bind_blob(q, 3, hash, HASH_BYTES);
    return stmt_run(q, e);
}

static struct merkle_nodes tree_of(struct ledger *l)
{
    return (struct merkle_nodes){l, tree_get, tree_put};
}

/* Now, but never before the last entry's time: a clock that was set back does not reorder history. */
static enum status next_time(struct ledger *l, char out[21], struct err *e)
{
    struct stmt *q;
    bool row = false;
    int64_t now = time_now_ms(), last = 0;
    enum status s = db_prepare(l->db, "SELECT time_ms FROM entry ORDER BY seq DESC LIMIT 1", &q, e);
    if (s != ST_OK)
        return s;
    s = stmt_step(q, &row, e);
    if (s == ST_OK && row)
        last = stmt_int(q, 0);
    stmt_done(q);
    time_format(now > last ? now : last, out);
    return s;
}

/* The entry is read back from its own canonical text, so that a fold sees it now exactly as in a replay:
   members in canonical order, numbers as they are written. */
static enum status make_entry(struct ledger *l, const struct js *command, struct ledger_entry *out,
                              struct err *e)
{
    char now[21];
    int64_t size;
    struct buf text;
    enum status s = ledger_size(l, &size, e);
    if (s == ST_OK)
        s = next_time(l, now, e);
    if (s != ST_OK)
        return s;
    struct js *json = js_copy(command);
    js_drop(json, "personal");
    js_put_int(json, "seq", size);
    js_put_str(json, "time", now);
    buf_init(&text, COMMAND_MOST + 1024);
    s = js_canonical(json, &text, e);
    if (s == ST_OK)
        s = ledger_entry_parse(buf_slice(&text), out, e);
    js_free(json);
    buf_deinit(&text);
    return s;
}

static enum status store_entry(struct ledger *l, const struct ledger_entry *entry, struct err *e)
{
    struct stmt *q;
    uint8_t leaf[HASH_BYTES];
    enum status s = db_prepare(l->db, "INSERT INTO entry VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, entry->seq);
    stmt_bind_int(q, 2, entry->time_ms);
    stmt_bind_text(q, 3, entry->actor);
    stmt_bind_text(q, 4, entry->nonce);
    stmt_bind_text(q, 5, entry->verb);
    stmt_bind_text(q, 6, entry->subject);
    stmt_bind_text(q, 7, entry->text.p);
    s = stmt_run(q, e);
    struct merkle_nodes tree = tree_of(l);
    merkle_leaf(buf_slice(&entry->text), leaf);
    return s == ST_OK ? merkle_append(&tree, (uint64_t)entry->seq, leaf, e) : s;
}

static enum status store_personal(struct ledger *l, const struct js *personal, struct err *e)
{
    enum status s = ST_OK;
    for (void *it = js_first(personal); it && s == ST_OK; it = js_next(personal, it)) {
        struct stmt *q;
        s = db_prepare(l->db, "INSERT INTO personal VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING", &q, e);
        if (s != ST_OK)
            break;
        stmt_bind_text(q, 1, js_key(it));
        stmt_bind_text(q, 2, js_get_str(js_value(it), "salt"));
        stmt_bind_text(q, 3, js_get_str(js_value(it), "text"));
        s = stmt_run(q, e);
    }
    return s;
}

/* The entry that this very command already gave; ST_CONFLICT if its nonce served another one. */
static enum status find_repeated(struct ledger *l, const struct js *command, struct ledger_entry *out,
                                 bool *found, struct err *e)
{
    *found = false;
    enum status s = ledger_find_nonce(l, js_get_str(command, "actor"), js_get_str(command, "nonce"), out, e);
    if (s == ST_NOT_FOUND)
        return ST_OK;
    if (s != ST_OK)
        return s;
    if (strcmp(js_get_str(out->json, "signature"), js_get_str(command, "signature")) != 0) {
        ledger_entry_deinit(out);
        return err_set(e, ST_CONFLICT, "$.nonce: this actor used it for another command; make a new one");
    }
    *found = out->repeated = true;
    return ST_OK;
}

static enum status append_inside(struct ledger *l, const struct js *command, ledger_fold fold, void *context,
                                 struct ledger_entry *out, struct err *e)
{
    bool repeated;
    enum status s = find_repeated(l, command, out, &repeated, e);
    if (s != ST_OK || repeated)
        return s;
    s = make_entry(l, command, out, e);
    if (s == ST_OK)
        s = store_entry(l, out, e);
    if (s == ST_OK)
        s = store_personal(l, js_get(command, "personal"), e);
    if (s == ST_OK && fold)
        s = fold(context, l->db, out, e);
    return s;
}

/* Undoes what one refused command wrote inside a batch. */
static void undo_one(struct ledger *l)
{
    if (db_exec(l->db, "ROLLBACK TO one; RELEASE one", NULL) != ST_OK)
        ledger_rollback(
            l); /* a full disk may have ended the transaction: then the batch is gone, and commit says so */
}

enum status ledger_append(struct ledger *l, const struct js *command, ledger_fold fold, void *context,
                          struct ledger_entry *out, struct err *e)
{
    struct ledger_entry entry = {0};
    bool batch = l->in_batch;
    enum status s = command_check(command, e);
    if (s == ST_OK)
        s = batch ? db_exec(l->db, "SAVEPOINT one", e) : db_begin(l->db, e);
    if (s != ST_OK)
        return s;
    s = append_inside(l, command, fold, context, &entry, e);
    if (s == ST_OK)
        s = batch ? db_exec(l->db, "RELEASE one", e) : db_commit(l->db, e);
    if (s != ST_OK && batch)
        undo_one(l);
    else if (s != ST_OK)
        db_rollback(l->db);
    if (s == ST_OK && out)
        *out = entry;
    else
        ledger_entry_deinit(&entry);
    return s;
}

enum status ledger_append_entry(struct ledger *l, struct slice text, ledger_fold fold, void *context,
                                struct err *e)
{
    struct ledger_entry entry = {0};
    int64_t size = 0;
    enum status s = ledger_size(l, &size, e);
    if (s == ST_OK)
        s = ledger_entry_parse(text, &entry, e);
    if (s == ST_OK && entry.seq != size)
        s = err_set(e, ST_CORRUPT, "entry %" PRId64 " is not the next one, %" PRId64 " is", entry.seq, size);
    if (s == ST_OK)
        s = store_entry(l, &entry, e);
    if (s == ST_OK)
        s = fold(context, l->db, &entry, e);
    ledger_entry_deinit(&entry);
    return s;
}

enum status ledger_begin(struct ledger *l, struct err *e)
{
    enum status s = db_begin(l->db, e);
    l->in_batch = s == ST_OK;
    return s;
}

enum status ledger_commit(struct ledger *l, struct err *e)
{
    if (!l->in_batch)
        return err_set(e, ST_IO, "the batch was lost with an earlier error; nothing of it was stored");
    enum status s = db_commit(l->db, e);
    if (s != ST_OK)
        db_rollback(l->db);
    l->in_batch = false;
    return s;
}

void ledger_rollback(struct ledger *l)
{
    if (l->db)
        db_rollback(l->db);
    l->in_batch = false;
}

/* Personal texts */

enum status ledger_personal(struct ledger *l, const char *hash, struct buf *out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s = db_prepare(l->db, "SELECT text FROM personal WHERE hash=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, hash);
    s = stmt_step(q, &row, e);
    if (s == ST_OK && row)
        buf_adds(out, stmt_text(q, 0));
    stmt_done(q);
    return s == ST_OK && !row ? err_set(e, ST_NOT_FOUND, "this text was erased") : s;
}

enum status ledger_personal_erase(struct db *d, const char *hash, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(d, "DELETE FROM personal WHERE hash=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, hash);
    return stmt_run(q, e);
}

/* Proofs */

static enum status size_or_now(struct ledger *l, int64_t *size, struct err *e)
{
    int64_t now;
    enum status s = ledger_size(l, &now, e);
    if (s != ST_OK)
        return s;
    if (*size < 0)
        *size = now;
    if (*size > now)
        return err_set(e, ST_INVALID, "the log has %" PRId64 " entries, not %" PRId64, now, *size);
    return ST_OK;
}

enum status ledger_root(struct ledger *l, int64_t size, uint8_t out[HASH_BYTES], struct err *e)
{
    struct merkle_nodes tree = tree_of(l);
    enum status s = size_or_now(l, &size, e);
    return s == ST_OK ? merkle_root(&tree, (uint64_t)size, out, e) : s;
}

enum status ledger_inclusion(struct ledger *l, int64_t seq, int64_t size, struct merkle_proof *out,
                             struct err *e)
{
    struct merkle_nodes tree = tree_of(l);
    enum status s = size_or_now(l, &size, e);
    if (s == ST_OK && seq < 0)
        s = err_set(e, ST_INVALID, "entries are numbered from 0");
    return s == ST_OK ? merkle_inclusion(&tree, (uint64_t)seq, (uint64_t)size, out, e) : s;
}

enum status ledger_consistency(struct ledger *l, int64_t from, int64_t to, struct merkle_proof *out,
                               struct err *e)
{
    struct merkle_nodes tree = tree_of(l);
    enum status s = size_or_now(l, &to, e);
    if (s == ST_OK && from < 0)
        s = err_set(e, ST_INVALID, "sizes are numbers from 1");
    return s == ST_OK ? merkle_consistency(&tree, (uint64_t)from, (uint64_t)to, out, e) : s;
}
