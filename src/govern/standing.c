/* SPDX-License-Identifier: Apache-2.0 */
#include "govern/standing.h"

#include <stdio.h>

#include "base/date.h"
#include "govern/access.h"
#include "govern/agreement.h"
#include "govern/fields.h"

/* Roles */

static enum status push_role(const struct standing *p, struct stmt *q, struct js *list, struct err *e)
{
    enum role role;
    bool counts = false;
    struct buf why;
    char until[11];
    struct js *row = js_object();
    buf_init(&why, 400);
    enum status s = role_find(stmt_text(q, 0), &role)
                        ? access_counts(ledger_db(registry_ledger(p->registry)), p->person, role,
                                        stmt_text(q, 1), (int32_t)(p->now_ms / 86400000), &counts, &why, e)
                        : ST_OK;
    js_put_str(row, "role", stmt_text(q, 0));
    js_put_str(row, "body", stmt_text(q, 1));
    js_put_str(row, "body_name", stmt_text(q, 4));
    if (*stmt_text(q, 2))
        js_put_str(row, "scope", stmt_text(q, 2));
    if (stmt_int(q, 3) < DATE_MAX) {
        date_format((int32_t)stmt_int(q, 3), until);
        js_put_str(row, "until", until);
    }
    js_put(row, "counts", js_boolean(counts));
    if (why.n)
        js_put_str(row, "why", why.p);
    js_push(list, row);
    buf_deinit(&why);
    return s;
}

enum status standing_roles(const struct standing *p, struct js **out, struct err *e)
{
    struct stmt *q;
    bool row = true;
    *out = js_array();
    enum status s = db_prepare(ledger_db(registry_ledger(p->registry)),
                               "SELECT h.role, h.body, h.scope, h.until_day, coalesce(json_extract(b.doc, "
                               "'$.name'), h.body) FROM held h LEFT JOIN item b ON b.noun='body' AND "
                               "b.id=h.body WHERE h.person=?1 ORDER BY h.body, h.role, h.scope",
                               &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, p->person);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row)
        s = push_role(p, q, *out, e);
    stmt_done(q);
    return s;
}

/* Verbs of an item */

static bool done_by_people(const struct verb *v)
{
    return (v->roles & ~(ROLE(NODE) | ROLE(HUB))) != 0;
}

/* Signing needs the hash of the terms as they are: with it the guard can be asked. */
static enum status body_for(const struct standing *p, const char *verb, const char *id, struct js **out,
                            struct err *e)
{
    char hex[2 * HASH_BYTES + 1];
    struct js *doc = NULL;
    *out = NULL;
    if (strcmp(verb, "agreement.sign") != 0)
        return ST_OK;
    enum status s = registry_item(p->registry, "agreement", id, &doc, e);
    if (s == ST_OK)
        s = agreement_terms(doc, hex, e);
    if (s == ST_OK) {
        *out = js_object();
        js_put_str(*out, "terms", hex);
    }
    js_free(doc);
    return s;
}

enum status standing_try(const struct standing *p, const char *verb, const char *noun, const char *id,
                         bool *open, struct err *why, struct err *e)
{
    char subject[COMMAND_SUBJECT_MOST + 1];
    struct js *body = NULL;
    *open = false;
    *why = (struct err){0};
    snprintf(subject, sizeof subject, "%s:%s", noun, id);
    enum status s = body_for(p, verb, id, &body, e);
    if (s != ST_OK)
        return s;
    s = registry_may(p->registry, p->key, verb, subject, body, p->now_ms, why);
    js_free(body);
    *open = s == ST_OK;
    if (s == ST_OK || s == ST_DENIED || s == ST_CONFLICT || s == ST_INVALID || s == ST_NOT_FOUND)
        return ST_OK;
    if (e)
        *e = *why;
    return s;
}

enum status standing_verbs(const struct standing *p, const char *noun, const char *id, struct js **out,
                           struct err *e)
{
    struct js *item = NULL;
    *out = js_array();
    enum status s = registry_item(p->registry, noun, id, &item, e);
    js_free(item);
    size_t n = strlen(noun);
    for (const struct verb *v = verbs; s == ST_OK && v->name; v++) {
        struct err why;
        bool open;
        if (strncmp(v->name, noun, n) != 0 || v->name[n] != '.' || !v->from || !done_by_people(v))
            continue;
        s = standing_try(p, v->name, noun, id, &open, &why, e);
        struct js *row = js_object();
        js_put_str(row, "verb", v->name);
        js_put_str(row, "about", v->about);
        js_put(row, "open", js_boolean(open));
        if (!open)
            js_put_str(row, "why", why.text);
        js_push(*out, row);
    }
    return s;
}

/* Forms */

static struct js *split(const char *words)
{
    struct js *list = js_array();
    for (const char *p = words; *p;) {
        char word[128];
        size_t n = strcspn(p, "|");
        snprintf(word, sizeof word, "%.*s", (int)n, p);
        js_push(list, js_string(word));
        p += n + (p[n] == '|');
    }
    return list;
}

static struct js *fields_describe(const struct field *fields)
{
    struct js *list = js_array();
    for (const struct field *f = fields; f && f->name; f++) {
        struct js *one = js_object();
        js_put_str(one, "name", f->name);
        js_put_str(one, "type", field_type_name(f->type));
        js_put(one, "required", js_boolean(f->required));
        if (f->arg && (f->type == F_ENUM || f->type == F_ABOUT))
            js_put(one, f->type == F_ENUM ? "choices" : "nouns", split(f->arg));
        else if (f->arg)
            js_put_str(one, f->type == F_CODE ? "scheme" : "noun", f->arg);
        if (f->type == F_TEXT || f->most)
            js_put_int(one, "most", f->most ? f->most : FIELD_TEXT_MOST);
        if (f->sub)
            js_put(one, "fields", fields_describe(f->sub));
        js_push(list, one);
    }
    return list;
}

struct js *verb_describe(const struct verb *v)
{
    struct js *one = js_object(), *roles = js_array();
    js_put_str(one, "verb", v->name);
    js_put_str(one, "about", v->about);
    for (int r = 0; r < ROLES; r++)
        if (v->roles >> r & 1)
            js_push(roles, js_string(role_name((enum role)r)));
    js_put(one, "roles", roles);
    js_put_str(one, "from", v->from ? v->from : "");
    js_put_str(one, "to", v->to ? v->to : "");
    js_put(one, "fields", fields_describe(v->fields));
    return one;
}
