/* SPDX-License-Identifier: Apache-2.0 */
#include "govern/items.h"

#include <stdlib.h>

#include "base/date.h"
#include "base/mem.h"

const char *const projections_schema =
    "CREATE TABLE item(noun TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, body TEXT, about TEXT,"
    " doc TEXT NOT NULL, made INTEGER NOT NULL, changed INTEGER NOT NULL, kind TEXT, PRIMARY KEY(noun, id)) "
    "STRICT, WITHOUT ROWID;"
    "CREATE INDEX item_state ON item(noun, state, id);"
    "CREATE INDEX item_kind ON item(noun, kind, id) WHERE kind IS NOT NULL;"
    "CREATE INDEX item_body ON item(noun, body, id);"
    "CREATE INDEX item_about ON item(noun, about, id);"
    "CREATE INDEX item_changed ON item(changed);"
    "CREATE TABLE actor(key TEXT PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE held(person TEXT NOT NULL, role TEXT NOT NULL, body TEXT NOT NULL, scope TEXT NOT NULL,"
    " from_day INTEGER NOT NULL, until_day INTEGER NOT NULL, PRIMARY KEY(person, role, body, scope)) STRICT,"
    " WITHOUT ROWID;"
    "CREATE INDEX held_body ON held(body, role);"
    "CREATE TABLE party(noun TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, role TEXT NOT NULL,"
    " PRIMARY KEY(noun, id, body)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX party_body ON party(body, noun, id);"
    "CREATE TABLE code(noun TEXT NOT NULL, id TEXT NOT NULL, scheme TEXT NOT NULL, code TEXT NOT NULL,"
    " PRIMARY KEY(noun, id, scheme, code)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX code_code ON code(scheme, code, noun, id);"
    "CREATE TABLE signal(id TEXT PRIMARY KEY, body TEXT NOT NULL, side TEXT NOT NULL, stage TEXT,"
    " rank INTEGER NOT NULL, population INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE project_signal(signal TEXT NOT NULL, project TEXT NOT NULL, PRIMARY KEY(project, signal)) "
    "STRICT, WITHOUT ROWID;"
    "CREATE INDEX project_signal_signal ON project_signal(signal);"
    "CREATE TABLE vocabulary(scheme TEXT NOT NULL, code TEXT NOT NULL, from_day INTEGER NOT NULL,"
    " until_day INTEGER NOT NULL, label TEXT NOT NULL, parent TEXT NOT NULL, amount INTEGER,"
    " PRIMARY KEY(scheme, code, from_day)) STRICT, WITHOUT ROWID;"
    "CREATE VIRTUAL TABLE search USING fts5(noun UNINDEXED, id UNINDEXED, text, tokenize='unicode61 "
    "remove_diacritics 2');";

const struct projection projections[] = {
    {"item", "SELECT noun, id, state, body, about, doc, made, changed, kind FROM item ORDER BY noun, id"},
    {"actor", "SELECT key, kind, id FROM actor ORDER BY key"},
    {"held",
     "SELECT person, role, body, scope, from_day, until_day FROM held ORDER BY person, role, body, scope"},
    {"party", "SELECT noun, id, body, role FROM party ORDER BY noun, id, body"},
    {"code", "SELECT noun, id, scheme, code FROM code ORDER BY noun, id, scheme, code"},
    {"signal", "SELECT id, body, side, stage, rank, population FROM signal ORDER BY id"},
    {"project_signal", "SELECT signal, project FROM project_signal ORDER BY project, signal"},
    {"vocabulary", "SELECT scheme, code, from_day, until_day, label, parent, amount FROM vocabulary "
                   "ORDER BY scheme, code, from_day"},
    {"search", "SELECT rowid, noun, id, text FROM search ORDER BY rowid"},
    {0},
};

void item_deinit(struct item *i)
{
    js_free(i->doc);
    free(i->state);
    free(i->body);
    free(i->about);
    *i = (struct item){0};
}

static char *copy_or_null(const char *s)
{
    return s ? xstrdup(s) : NULL;
}

enum status item_find(struct db *d, const char *noun, const char *id, struct item *out, bool *found,
                      struct err *e)
{
    struct stmt *q;
    *out = (struct item){0};
    *found = false;
    enum status s = db_prepare(
        d, "SELECT state, body, about, doc, made, changed FROM item WHERE noun=?1 AND id=?2", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, noun);
    stmt_bind_text(q, 2, id);
    s = stmt_step(q, found, e);
    if (s == ST_OK && *found) {
        s = js_parse(stmt_blob(q, 3), "item", &out->doc, e);
        out->state = copy_or_null(stmt_text(q, 0));
        out->body = copy_or_null(stmt_text(q, 1));
        out->about = copy_or_null(stmt_text(q, 2));
        out->made = stmt_int(q, 4);
        out->changed = stmt_int(q, 5);
    }
    stmt_done(q);
    if (s != ST_OK)
        item_deinit(out);
    return s;
}

enum status item_put(struct db *d, const char *noun, const char *id, const struct item *i, struct err *e)
{
    struct stmt *q;
    struct buf doc;
    buf_init(&doc, 2 * (size_t)COMMAND_MOST);
    enum status s = js_canonical(i->doc, &doc, e);
    if (s == ST_OK)
        s = db_prepare(
            d,
            "INSERT INTO item VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO UPDATE SET "
            "state=excluded.state, body=excluded.body, about=excluded.about, doc=excluded.doc, "
            "changed=excluded.changed, kind=excluded.kind",
            &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, noun);
        stmt_bind_text(q, 2, id);
        stmt_bind_text(q, 3, i->state);
        stmt_bind_text(q, 4, i->body);
        stmt_bind_text(q, 5, i->about);
        stmt_bind_text(q, 6, doc.p);
        stmt_bind_int(q, 7, i->made);
        stmt_bind_int(q, 8, i->changed);
        stmt_bind_text(q, 9, js_get_str(i->doc, "kind"));
        s = stmt_run(q, e);
    }
    buf_deinit(&doc);
    return s;
}

static enum status prepare_with(struct db *d, const char *sql, const char *const *params, struct stmt **q,
                                struct err *e)
{
    enum status s = db_prepare(d, sql, q, e);
    for (int i = 0; s == ST_OK && params && params[i]; i++)
        stmt_bind_text(*q, i + 1, params[i]);
    return s;
}

enum status db_number(struct db *d, const char *sql, const char *const *params, int64_t absent, int64_t *out,
                      struct err *e)
{
    struct stmt *q;
    bool row = false;
    *out = absent;
    enum status s = prepare_with(d, sql, params, &q, e);
    if (s != ST_OK)
        return s;
    s = stmt_step(q, &row, e);
    if (s == ST_OK && row && !stmt_is_null(q, 0))
        *out = stmt_int(q, 0);
    stmt_done(q);
    return s;
}

enum status db_text(struct db *d, struct arena *a, const char *sql, const char *const *params,
                    const char **out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    *out = NULL;
    enum status s = prepare_with(d, sql, params, &q, e);
    if (s != ST_OK)
        return s;
    s = stmt_step(q, &row, e);
    if (s == ST_OK && row && !stmt_is_null(q, 0))
        *out = arena_strdup(a, stmt_text(q, 0));
    stmt_done(q);
    return s;
}

enum status db_change(struct db *d, const char *sql, const char *const *params, struct err *e)
{
    struct stmt *q;
    enum status s = prepare_with(d, sql, params, &q, e);
    return s == ST_OK ? stmt_run(q, e) : s;
}

enum status item_exists(struct db *d, const char *noun, const char *id, bool *out, struct err *e)
{
    int64_t n;
    enum status s = db_number(d, "SELECT 1 FROM item WHERE noun=?1 AND id=?2", PARAMS(noun, id), 0, &n, e);
    *out = n == 1;
    return s;
}

enum status item_state_is(struct db *d, const char *noun, const char *id, const char *states, bool *out,
                          struct err *e)
{
    struct arena *a = arena_new();
    const char *state;
    enum status s =
        db_text(d, a, "SELECT state FROM item WHERE noun=?1 AND id=?2", PARAMS(noun, id), &state, e);
    *out = s == ST_OK && state && word_in(states, state);
    arena_free(a);
    return s;
}

static bool id_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool item_id_valid(const char *id)
{
    size_t n = strlen(id);
    if (n == 0 || n > 64 || !id_char(id[0]))
        return false;
    for (size_t i = 1; i < n; i++)
        if (!id_char(id[i]) && !strchr("._-", id[i]))
            return false;
    return true;
}

bool about_split(const char *about, char noun[24], char id[72])
{
    const char *colon = strchr(about, ':');
    size_t n = colon ? (size_t)(colon - about) : 0;
    if (n == 0 || n >= 24 || strspn(about, "abcdefghijklmnopqrstuvwxyz_") != n || !item_id_valid(colon + 1))
        return false;
    memcpy(noun, about, n);
    noun[n] = '\0';
    memcpy(id, colon + 1, strlen(colon + 1) + 1);
    return true;
}

enum status parties_set(struct db *d, const char *noun, const char *id, const struct js *list, struct err *e)
{
    enum status s = db_change(d, "DELETE FROM party WHERE noun=?1 AND id=?2", PARAMS(noun, id), e);
    for (size_t i = 0; s == ST_OK && i < js_size(list); i++) {
        const struct js *p = js_at(list, i);
        const char *role = js_get_str(p, "role");
        s = db_change(d, "INSERT INTO party VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                      PARAMS(noun, id, js_get_str(p, "body"), role ? role : "party"), e);
    }
    return s;
}

enum status parties_have(struct db *d, const char *noun, const char *id, const char *body, bool *out,
                         struct err *e)
{
    /* What an item is about leads from a review to an artefact, its run, its agreement: the first with
     * parties decides. */
    int64_t n;
    enum status s =
        db_number(d,
                  "WITH RECURSIVE up(noun, id, depth) AS (SELECT ?1, ?2, 0 UNION SELECT substr(i.about, 1, "
                  "instr(i.about, ':')-1),"
                  " substr(i.about, instr(i.about, ':')+1), up.depth+1 FROM item i JOIN up ON i.noun=up.noun "
                  "AND i.id=up.id"
                  " WHERE i.about IS NOT NULL AND up.depth<6)"
                  " SELECT count(*) FROM up JOIN party p ON p.noun=up.noun AND p.id=up.id AND p.body=?3",
                  PARAMS(noun, id, body), 0, &n, e);
    *out = n > 0;
    return s;
}

enum status codes_set(struct db *d, const char *noun, const char *id, const struct js *list, struct err *e)
{
    enum status s = db_change(d, "DELETE FROM code WHERE noun=?1 AND id=?2", PARAMS(noun, id), e);
    for (size_t i = 0; s == ST_OK && i < js_size(list); i++) {
        const struct js *c = js_at(list, i);
        s = db_change(d, "INSERT INTO code VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                      PARAMS(noun, id, js_get_str(c, "scheme"), js_get_str(c, "code")), e);
    }
    return s;
}

enum status search_set(struct db *d, int64_t made, const char *noun, const char *id, const char *text,
                       struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(d, "DELETE FROM search WHERE rowid=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, made);
    s = stmt_run(q, e);
    if (s == ST_OK)
        s = db_prepare(d, "INSERT INTO search(rowid, noun, id, text) VALUES(?1, ?2, ?3, ?4)", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, made);
    stmt_bind_text(q, 2, noun);
    stmt_bind_text(q, 3, id);
    stmt_bind_text(q, 4, text);
    return stmt_run(q, e);
}

struct js *doc_list(struct js *doc, const char *key)
{
    if (!js_is(js_get(doc, key), JS_ARRAY))
        js_put(doc, key, js_array());
    return js_edit(doc, key);
}

const struct js *list_find(const struct js *list, const char *key, const char *value)
{
    for (size_t i = 0; i < js_size(list); i++) {
        const char *v = js_get_str(js_at(list, i), key);
        if (v && strcmp(v, value) == 0)
            return js_at(list, i);
    }
    return NULL;
}

int32_t doc_day(const struct js *doc, const char *key)
{
    int32_t day;
    const char *text = js_get_str(doc, key);
    return text && date_parse(slice_of(text), &day) ? day : DATE_NONE;
}

bool doc_is(const struct js *doc, const char *key, const char *text)
{
    const char *v = js_get_str(doc, key);
    return v && strcmp(v, text) == 0;
}

enum status doc_hash(const struct js *doc, char hex[2 * HASH_BYTES + 1], struct err *e)
{
    struct buf text;
    buf_init(&text, COMMAND_MOST);
    enum status s = js_canonical(doc, &text, e);
    if (s == ST_OK)
        sha256_hex(buf_slice(&text), hex);
    buf_deinit(&text);
    return s;
}
