/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the register: items, lists, actors. */
#include <inttypes.h>
#include <stdio.h>

#include "base/date.h"
#include "base/mem.h"
#include "govern/access.h"

enum { LIST_DEFAULT = 1000, LIST_CEILING = 100000 };

/* Moves the item's document into *out with what the register adds to it. */
static struct js *item_view(const char *noun, const char *id, struct item *i)
{
    struct js *j = i->doc;
    i->doc = NULL;
    js_put_str(j, "noun", noun);
    js_put_str(j, "id", id);
    js_put_str(j, "state", i->state);
    js_put_int(j, "made", i->made);
    js_put_int(j, "changed", i->changed);
    return j;
}

enum status registry_item(struct registry *r, const char *noun, const char *id, struct js **out,
                          struct err *e)
{
    struct item i;
    bool found;
    *out = NULL;
    struct reading reading = reads_begin(r);
    enum status s = item_find(ledger_db(registry_ledger(r)), noun, id, &i, &found, e);
    reads_item(r, noun, id);
    reads_end(r, reading);
    if (s == ST_OK && !found)
        s = err_set(e, ST_NOT_FOUND, "there is no %.24s '%.64s'", noun, id);
    if (s == ST_OK)
        *out = item_view(noun, id, &i);
    item_deinit(&i);
    return s;
}

/* Puts the text in the place of each hash that still has one. */
static enum status reveal(struct registry *r, struct js *doc, struct err *e)
{
    enum status s = ST_OK;
    struct js *names = js_array();
    for (void *it = js_first(doc); it; it = js_next(doc, it))
        if (js_get_str(js_value(it), "hashed"))
            js_push(names, js_string(js_key(it)));
    for (size_t i = 0; s == ST_OK && i < js_size(names); i++) {
        const char *name = js_str(js_at(names, i));
        struct buf text;
        buf_init(&text, COMMAND_PERSONAL_MOST);
        s = ledger_personal(registry_ledger(r), js_get_str(js_get(doc, name), "hashed"), &text, e);
        if (s == ST_OK)
            js_put_str(doc, name, text.p ? text.p : "");
        else if (s == ST_NOT_FOUND)
            s = ST_OK;
        buf_deinit(&text);
    }
    js_free(names);
    return s;
}

enum status registry_item_personal(struct registry *r, const char *noun, const char *id, struct js **out,
                                   struct err *e)
{
    enum status s = registry_item(r, noun, id, out, e);
    if (s == ST_OK)
        s = reveal(r, *out, e);
    if (s != ST_OK) {
        js_free(*out);
        *out = NULL;
    }
    return s;
}

#define LIST_SELECT "SELECT id, state, doc, made, changed FROM item WHERE noun=?1 AND id>?2 "

/* Each combination of filters is a query of its own, so that each uses its index. */
static void filter_sql(const struct registry_query *q, struct buf *out)
{
    if (q->body)
        buf_adds(out, "AND body=?4 ");
    if (q->about)
        buf_adds(out, "AND about=?5 ");
    if (q->kind)
        buf_adds(out, "AND kind=?7 ");
    if (q->state)
        buf_adds(out, "AND state=?3 ");
    if (q->on)
        buf_adds(out,
                 "AND coalesce(json_extract(doc, '$.from'), '')<=?8 AND coalesce(json_extract(doc, '$.to'), "
                 "'9999')>=?8 ");
    if (q->stage)
        buf_adds(out, "AND json_extract(doc, '$.stage')=?9 ");
    if (q->code)
        buf_adds(out,
                 "AND EXISTS(SELECT 1 FROM code c WHERE c.noun=?1 AND c.id=item.id AND c.scheme || ':' || "
                 "c.code=?10) ");
    if (q->place)
        buf_adds(out, "AND json_extract(doc, '$.place')=?11 ");
    if (q->side)
        buf_adds(out, "AND json_extract(doc, '$.side')=?12 ");
}

static void order_sql(const struct registry_query *q, struct buf *out)
{
    buf_adds(out, q->by_value ? "ORDER BY coalesce(json_extract(doc, '$.impact'), 0) * 1.0 / "
                                "max(coalesce(json_extract(doc, '$.months'), 12), 1) DESC, id "
                              : "ORDER BY id ");
    buf_adds(out, q->skip ? "LIMIT ?6 OFFSET ?13" : "LIMIT ?6");
}

const char *registry_item_title(const struct js *item)
{
    static const char *const members[] = {"title",    "name", "summary", "purpose",
                                          "decision", "role", "verdict", "text"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (js_get_str(item, members[i]))
            return js_get_str(item, members[i]);
    return "";
}

static struct js *brief_of(const struct js *item)
{
    static const char *const rest[] = {"state", "kind", "body"};
    struct js *brief = js_object();
    js_put_str(brief, "id", js_get_str(item, "id"));
    js_put_str(brief, "title", registry_item_title(item));
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        js_put_str(brief, rest[i], js_get_str(item, rest[i]) ? js_get_str(item, rest[i]) : "");
    js_put_int(brief, "changed", js_get_int(item, "changed", 0));
    return brief;
}

static enum status push_row(struct stmt *q, const struct registry_query *query, struct js *list,
                            struct err *e)
{
    struct item i = {
        .state = (char *)(uintptr_t)stmt_text(q, 1), .made = stmt_int(q, 3), .changed = stmt_int(q, 4)};
    enum status s = js_parse(stmt_blob(q, 2), "item", &i.doc, e);
    if (s != ST_OK)
        return s;
    struct js *item = item_view(query->noun, stmt_text(q, 0), &i);
    js_push(list, query->brief ? brief_of(item) : js_share(item));
    js_free(item);
    return s;
}

/* What the list shows changes with the items of its noun; of one body or about one item, with those alone. */
static void note_list(struct registry *r, const struct registry_query *query)
{
    if (query->about)
        reads_about(r, query->noun, query->about);
    else if (query->body)
        reads_of_body(r, query->noun, query->body);
    else
        reads_nouns(r, query->noun);
}

static enum status list_prepare(struct registry *r, const struct registry_query *query, const char *select,
                                bool ordered, struct stmt **out, struct err *e)
{
    struct buf sql;
    struct reading reading = reads_begin(r);
    int64_t limit = query->limit ? query->limit : LIST_DEFAULT;
    buf_init(&sql, 2048);
    buf_adds(&sql, select);
    filter_sql(query, &sql);
    if (ordered)
        order_sql(query, &sql);
    enum status s = db_prepare(ledger_db(registry_ledger(r)), sql.p, out, e);
    buf_deinit(&sql);
    note_list(r, query);
    reads_end(r, reading);
    if (s != ST_OK)
        return s;
    stmt_bind_text(*out, 1, query->noun);
    stmt_bind_text(*out, 2, query->after ? query->after : "");
    stmt_bind_text(*out, 3, query->state);
    stmt_bind_text(*out, 4, query->body);
    stmt_bind_text(*out, 5, query->about);
    stmt_bind_int(*out, 6, limit < LIST_CEILING ? limit : LIST_CEILING);
    stmt_bind_text(*out, 7, query->kind);
    stmt_bind_text(*out, 8, query->on);
    stmt_bind_text(*out, 9, query->stage);
    stmt_bind_text(*out, 10, query->code);
    stmt_bind_text(*out, 11, query->place);
    stmt_bind_text(*out, 12, query->side);
    stmt_bind_int(*out, 13, query->skip);
    return ST_OK;
}

enum status registry_count(struct registry *r, const struct registry_query *query, int64_t *out,
                           struct err *e)
{
    struct stmt *q;
    *out = 0;
    enum status s =
        list_prepare(r, query, "SELECT count(*) FROM item WHERE noun=?1 AND id>?2 ", false, &q, e);
    return s == ST_OK ? stmt_number(q, out, e) : s;
}

enum status registry_values(struct registry *r, const char *noun, const char *member, struct js **out,
                            struct err *e)
{
    static const char *const columns[] = {"kind", "state", "body"};
    struct stmt *q;
    struct buf sql;
    bool row = true, column = false;
    struct reading reading = reads_begin(r);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        column = column || strcmp(columns[i], member) == 0;
    *out = NULL;
    buf_init(&sql, 512);
    buf_printf(&sql,
               column ? "SELECT DISTINCT %s AS v FROM item WHERE noun=?1 AND v IS NOT NULL ORDER BY v"
                      : "SELECT DISTINCT json_extract(doc, '$.%s') AS v FROM item WHERE noun=?1 AND v IS NOT "
                        "NULL ORDER BY v",
               member);
    enum status s = db_prepare(ledger_db(registry_ledger(r)), sql.p, &q, e);
    buf_deinit(&sql);
    reads_nouns(r, noun);
    reads_end(r, reading);
    if (s != ST_OK)
        return s;
    struct js *list = js_array();
    stmt_bind_text(q, 1, noun);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row)
        js_push(list, js_string(stmt_text(q, 0)));
    stmt_done(q);
    if (s == ST_OK)
        *out = list;
    else
        js_free(list);
    return s;
}

enum status registry_list(struct registry *r, const struct registry_query *query, struct js **out,
                          struct err *e)
{
    struct stmt *q;
    bool row = true;
    *out = NULL;
    enum status s = list_prepare(r, query, LIST_SELECT, true, &q, e);
    if (s != ST_OK)
        return s;
    struct js *list = js_array();
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row)
        s = push_row(q, query, list, e);
    stmt_done(q);
    if (s == ST_OK)
        *out = list;
    else
        js_free(list);
    return s;
}

enum status registry_actor(struct registry *r, const char *key_hex, struct js **out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    *out = NULL;
    struct reading reading = reads_begin(r);
    enum status s =
        db_prepare(ledger_db(registry_ledger(r)),
                   "SELECT a.kind, a.id, i.body FROM actor a LEFT JOIN item i ON i.noun=a.kind AND "
                   "i.id=a.id WHERE a.key=?1",
                   &q, e);
    reads_nouns(r, "person|node|register");
    reads_end(r, reading);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, key_hex);
    s = stmt_step(q, &row, e);
    if (s == ST_OK && row) {
        *out = js_object();
        js_put_str(*out, "kind", stmt_text(q, 0));
        js_put_str(*out, "id", stmt_text(q, 1));
        if (!stmt_is_null(q, 2))
            js_put_str(*out, "body", stmt_text(q, 2));
    }
    stmt_done(q);
    return s == ST_OK && !row ? err_set(e, ST_NOT_FOUND, "this key belongs to nobody on the register") : s;
}

enum status registry_has_role(struct registry *r, const char *person, const char *role, const char *body,
                              int32_t day, bool *out, struct buf *why, struct err *e)
{
    struct db *d = ledger_db(registry_ledger(r));
    struct stmt *q;
    enum role wanted;
    bool row = true;
    *out = false;
    if (!role_find(role, &wanted))
        return err_set(e, ST_INVALID, "there is no role '%.40s'", role);
    enum status s =
        db_prepare(d,
                   "SELECT DISTINCT body FROM held WHERE person=?1 AND role=?2 AND (?3 IS NULL OR "
                   "body=?3)",
                   &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, person);
    stmt_bind_text(q, 2, role);
    stmt_bind_text(q, 3, body);
    while (s == ST_OK && !*out && (s = stmt_step(q, &row, e)) == ST_OK && row)
        s = access_counts(d, person, wanted, stmt_text(q, 0), day, out, why, e);
    stmt_done(q);
    return s;
}

enum status registry_in_force(struct registry *r, const char *agreement, int32_t day, bool *out,
                              struct err *e)
{
    struct item i;
    bool found;
    *out = false;
    enum status s = item_find(ledger_db(registry_ledger(r)), "agreement", agreement, &i, &found, e);
    if (s != ST_OK || !found)
        return s;
    int32_t from = doc_day(i.doc, "from"), to = doc_day(i.doc, "to");
    *out = strcmp(i.state, "in_force") == 0 && from != DATE_NONE && from <= day &&
           (to == DATE_NONE || day <= to);
    item_deinit(&i);
    return s;
}
