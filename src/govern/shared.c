/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/date.h"
#include "govern/nouns.h"

const struct field reason_fields[] = {{"reason", F_TEXT, true, NULL, 2000, NULL}, {0}};

void merge_all(struct change *c)
{
    for (void *it = js_first(c->body); it; it = js_next(c->body, it))
        js_put(c->doc, js_key(it), js_share(js_value(it)));
}

FOLD(keep_reason_fold)
{
    struct js *event = done_by(c);
    (void)e;
    js_put_str(event, "reason", js_get_str(c->body, "reason"));
    js_put_str(event, "verb", c->verb->name);
    js_push(doc_list(c->doc, "events"), event);
    return ST_OK;
}

enum status item_set_state(struct change *c, const char *noun, const char *id, const char *state,
                           struct err *e)
{
    struct item i;
    bool found;
    enum status s = item_find(c->db, noun, id, &i, &found, e);
    if (s != ST_OK || !found)
        return s;
    char *was = i.state;
    i.state = (char *)(uintptr_t)state;
    i.changed = c->entry->seq;
    s = item_put(c->db, noun, id, &i, e);
    i.state = was;
    item_deinit(&i);
    return s;
}

struct js *done_by(const struct change *c)
{
    struct js *by = js_object();
    if (c->person)
        js_put_str(by, "person", c->person);
    if (c->node)
        js_put_str(by, "node", c->node);
    if (c->actor_body)
        js_put_str(by, "body", c->actor_body);
    js_put_int(by, "at", c->entry->seq);
    js_put_str(by, "time", c->entry->time);
    return by;
}

enum status actor_add(struct change *c, const char *key, const char *kind, const char *id, struct err *e)
{
    return db_change(c->db, "INSERT INTO actor VALUES(?1, ?2, ?3)", PARAMS(key, kind, id), e);
}

enum status actor_is_free(struct change *c, const char *key, struct err *e)
{
    int64_t n;
    enum status s = db_number(c->db, "SELECT count(*) FROM actor WHERE key=?1", PARAMS(key), 0, &n, e);
    return s == ST_OK && n ? refuse(e, RULE_KEY_USED, NULL) : s;
}

enum status held_add(struct change *c, const char *person, const char *role, const char *body,
                     const char *scope, int32_t from, int32_t until, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(c->db,
                               "INSERT INTO held VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET "
                               "from_day=excluded.from_day, until_day=excluded.until_day",
                               &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, person);
    stmt_bind_text(q, 2, role);
    stmt_bind_text(q, 3, body);
    stmt_bind_text(q, 4, scope ? scope : "");
    stmt_bind_int(q, 5, from == DATE_NONE ? c->today : from);
    stmt_bind_int(q, 6, until == DATE_NONE ? DATE_MAX : until);
    return stmt_run(q, e);
}

enum status index_text(struct change *c, struct err *e)
{
    static const char *const members[] = {"name", "title", "lay", "purpose", "summary", "decision", "text"};
    struct buf text;
    buf_init(&text, COMMAND_MOST);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const char *t = js_get_str(c->doc, members[i]);
        if (t)
            buf_printf(&text, "%s%s", text.n ? "\n" : "", t);
    }
    struct item before;
    bool found;
    enum status s = item_find(c->db, c->noun, c->id, &before, &found, e);
    if (s == ST_OK && text.n)
        s = search_set(c->db, found ? before.made : c->entry->seq, c->noun, c->id, text.p, e);
    item_deinit(&before);
    buf_deinit(&text);
    return s;
}
