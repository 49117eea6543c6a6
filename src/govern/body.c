/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies in time, vocabularies and templates: what the steward keeps. */
#include <stdio.h>

#include "base/date.h"
#include "govern/nouns.h"

#define BODY_KINDS "icb|trust|place|pcn|council|university|company|charity|sde|national|regulator"
#define CHECKS     "dspt|cyber_essentials|cyber_essentials_plus|iso27001|abpi_signatory|ico|sanctions"

const struct field found_fields[] = {
    {"body", F_ID, true, NULL, 0, NULL},
    {"name", F_TEXT, true, NULL, 0, NULL},
    {"steward", F_ID, true, NULL, 0, NULL},
    {"key", F_HASH, true, NULL, 0, NULL},
    {0},
};
const struct field body_apply_fields[] = {
    {"name", F_TEXT, true, NULL, 0, NULL},       {"kind", F_ENUM, true, BODY_KINDS, 0, NULL},
    {"parent", F_ID, false, "body", 0, NULL},    {"country", F_TEXT, false, NULL, 60, NULL},
    {"lay", F_TEXT, false, NULL, 4000, NULL},    {"ods", F_TEXT, false, NULL, 12, NULL},
    {"email", F_PERSONAL, false, NULL, 0, NULL}, {0},
};
const struct field body_add_fields[] = {
    {"name", F_TEXT, true, NULL, 0, NULL},
    {"kind", F_ENUM, true, BODY_KINDS, 0, NULL},
    {"parent", F_ID, false, "body", 0, NULL},
    {"country", F_TEXT, false, NULL, 60, NULL},
    {"lay", F_TEXT, false, NULL, 4000, NULL},
    {"ods", F_TEXT, false, NULL, 12, NULL},
    {"gss", F_TEXT, false, NULL, 12, NULL},
    {"region", F_TEXT, false, NULL, 60, NULL},
    {"from", F_DATE, false, NULL, 0, NULL},
    {"to", F_DATE, false, NULL, 0, NULL},
    {"successors", F_IDS, false, NULL, 0, NULL},
    {"prices", F_TEXT, false, NULL, 60, NULL},
    {"contact", F_TEXT, false, NULL, 0, NULL},
    {"minimum_count", F_INT, false, NULL, 1000, NULL},
    {0},
};
const struct field body_check_fields[] = {
    {"kind", F_ENUM, true, CHECKS, 0, NULL},
    {"until", F_DATE, true, NULL, 0, NULL},
    {"reference", F_TEXT, false, NULL, 0, NULL},
    {0},
};
static const struct field capability_fields[] = {
    {"text", F_TEXT, true, NULL, 1000, NULL},
    {"evidence", F_TEXT, false, NULL, 1000, NULL},
    {0},
};
static const struct field data_fields[] = {
    {"domain", F_TEXT, true, NULL, 60, NULL},     {"from", F_DATE, false, NULL, 0, NULL},
    {"lag_days", F_INT, false, NULL, 3650, NULL}, {"coverage_percent", F_INT, false, NULL, 100, NULL},
    {"gaps", F_TEXT, false, NULL, 1000, NULL},    {0},
};
static const struct field meeting_fields[] = {
    {"what", F_TEXT, true, NULL, 0, NULL},
    {"date", F_DATE, true, NULL, 0, NULL},
    {0},
};
const struct field body_describe_fields[] = {
    {"lay", F_TEXT, false, NULL, 4000, NULL},
    {"capabilities", F_LIST, false, NULL, 50, capability_fields},
    {"data", F_LIST, false, NULL, 50, data_fields},
    {"decides", F_TEXTS, false, NULL, 50, NULL},
    {"meetings", F_LIST, false, NULL, 50, meeting_fields},
    {"priorities", F_CODES, false, NULL, 0, NULL},
    {"standard", F_TEXT, false, NULL, 0, NULL},
    {"minimum_count", F_INT, false, NULL, 1000, NULL},
    {"prices", F_TEXT, false, NULL, 60, NULL},
    {"contact", F_TEXT, false, NULL, 0, NULL}, /* of the body: a page or a shared mailbox, nobody's own */
    {0},
};
const struct field body_close_fields[] = {
    {"to", F_DATE, true, NULL, 0, NULL},
    {"successors", F_IDS, false, "body", 0, NULL},
    {"none", F_BOOL, false, NULL, 0, NULL},
    {0},
};
static const struct field row_fields[] = {
    {"code", F_TEXT, true, NULL, 60, NULL},
    {"label", F_TEXT, true, NULL, 500, NULL},
    {"parent", F_TEXT, false, NULL, 60, NULL},
    {"from", F_DATE, false, NULL, 0, NULL},
    {"to", F_DATE, false, NULL, 0, NULL},
    {"amount", F_MONEY, false, NULL, 0, NULL},
    {0},
};
const struct field vocabulary_fields[] = {
    {"version", F_TEXT, true, NULL, 60, NULL},
    {"source", F_TEXT, true, NULL, 500, NULL},
    {"rows", F_LIST, true, NULL, 20000, row_fields},
    {0},
};
const struct field template_fields[] = {
    {"name", F_TEXT, true, NULL, 0, NULL},
    {"kind", F_ENUM, true, "SRA|mICRA|mCTA|DAA|DSA|JWA", 0, NULL},
    {"version", F_TEXT, true, NULL, 60, NULL},
    {"hash", F_HASH, true, NULL, 0, NULL},
    {"source", F_TEXT, false, NULL, 500, NULL},
    {"fields", F_TEXTS, false, NULL, 0, NULL},
    {0},
};

GUARD(found_guard)
{
    if (strcmp(c->id, "accord") != 0)
        return refuse(e, RULE_EXISTS, "the one register is register:accord");
    return actor_is_free(c, js_get_str(c->body, "key"), e);
}

static enum status put_new(struct change *c, const char *noun, const char *id, const char *body,
                           struct js *doc, struct err *e)
{
    const struct item i = {.doc = doc,
                           .state = (char *)(uintptr_t) "registered",
                           .body = (char *)(uintptr_t)body,
                           .made = c->entry->seq,
                           .changed = c->entry->seq};
    enum status s = item_put(c->db, noun, id, &i, e);
    js_free(doc);
    return s;
}

FOLD(found_fold)
{
    const char *body = js_get_str(c->body, "body"), *steward = js_get_str(c->body, "steward");
    struct js *doc = js_object(), *person = js_object();
    js_put_str(doc, "name", js_get_str(c->body, "name"));
    js_put_str(doc, "kind", "national");
    js_put_str(person, "body", body);
    js_put_str(person, "key", js_get_str(c->body, "key"));
    merge_all(c);
    enum status s = put_new(c, "body", body, body, doc, e);
    enum status other = put_new(c, "person", steward, body, person, s == ST_OK ? e : NULL);
    if (s == ST_OK)
        s = other;
    if (s == ST_OK)
        s = actor_add(c, js_get_str(c->body, "key"), "person", steward, e);
    return s == ST_OK ? held_add(c, steward, role_name(ROLE_STEWARD), body, NULL, DATE_NONE, DATE_NONE, e)
                      : s;
}

FOLD(body_add_fold)
{
    merge_all(c);
    c->owner = c->id;
    if (c->person && strcmp(c->verb->name, "body.apply") == 0)
        js_put_str(c->doc, "applicant", c->person);
    return index_text(c, e);
}

FOLD(body_register_fold)
{
    const char *applicant = js_get_str(c->doc, "applicant");
    struct item person = {0};
    bool found = false;
    enum status s = applicant ? item_find(c->db, "person", applicant, &person, &found, e) : ST_OK;
    if (s == ST_OK && found && !person.body) { /* who applied before the body was there now belongs to it */
        person.body = (char *)(uintptr_t)c->id;
        js_put_str(person.doc, "body", c->id);
        person.changed = c->entry->seq;
        s = item_put(c->db, "person", applicant, &person, e);
        person.body = NULL;
    }
    item_deinit(&person);
    if (s == ST_OK && found)
        s = held_add(c, applicant, role_name(ROLE_LEAD), c->id, NULL, DATE_NONE, DATE_NONE, e);
    if (s == ST_OK && found)
        s = held_add(c, applicant, role_name(ROLE_MEMBER), c->id, NULL, DATE_NONE, DATE_NONE, e);
    return s;
}

FOLD(body_check_fold)
{
    struct js *kept = js_array();
    const struct js *checks = js_get(c->doc, "checks");
    (void)e;
    for (size_t i = 0; i < js_size(checks); i++)
        if (!doc_is(js_at(checks, i), "kind", js_get_str(c->body, "kind")))
            js_push(kept, js_share(js_at(checks, i)));
    js_push(kept, js_copy(c->body));
    js_put(c->doc, "checks", kept);
    return ST_OK;
}

GUARD(body_close_guard)
{
    bool none = js_bool(js_get(c->body, "none")), some = js_size(js_get(c->body, "successors")) > 0;
    return none != some ? ST_OK : refuse(e, RULE_SUCCESSORS, "give 'successors' or 'none': true");
}

static enum status put_code(struct change *c, const struct js *row, struct err *e)
{
    struct stmt *q;
    int32_t from = doc_day(row, "from"), to = doc_day(row, "to");
    const char *parent = js_get_str(row, "parent");
    enum status s = db_prepare(
        c->db,
        "INSERT INTO vocabulary VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET "
        "until_day=excluded.until_day, label=excluded.label, parent=excluded.parent, amount=excluded.amount",
        &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, c->id);
    stmt_bind_text(q, 2, js_get_str(row, "code"));
    stmt_bind_int(q, 3, from == DATE_NONE ? DATE_MIN : from);
    stmt_bind_int(q, 4, to == DATE_NONE ? DATE_MAX : to);
    stmt_bind_text(q, 5, js_get_str(row, "label"));
    stmt_bind_text(q, 6, parent ? parent : "");
    if (js_is(js_get(row, "amount"), JS_INTEGER))
        stmt_bind_int(q, 7, js_get_int(row, "amount", 0));
    else
        stmt_bind_null(q, 7);
    return stmt_run(q, e);
}

FOLD(vocabulary_fold)
{
    const struct js *rows = js_get(c->body, "rows");
    enum status s = db_change(c->db, "DELETE FROM vocabulary WHERE scheme=?1", PARAMS(c->id), e);
    for (size_t i = 0; s == ST_OK && i < js_size(rows); i++)
        s = put_code(c, js_at(rows, i), e);
    js_put_str(c->doc, "version", js_get_str(c->body, "version"));
    js_put_str(c->doc, "source", js_get_str(c->body, "source"));
    js_put_int(c->doc, "codes", (int64_t)js_size(rows));
    return s;
}
