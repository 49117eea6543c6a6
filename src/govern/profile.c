/* SPDX-License-Identifier: Apache-2.0 */
#include "govern/profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "govern/access.h"
#include "govern/calendar.h"

enum { LEAST_PRIORITIES = 5 }; /* of the medicines optimisation opportunities, NHS England 2023/24 */

static struct db *db_of(struct registry *r)
{
    return ledger_db(registry_ledger(r));
}

/* Rows of a query with text parameters as objects: a column named "#x" is a whole number. */
static enum status rows_of(struct registry *r, const char *sql, const char *const *params,
                           const char *const *columns, struct js **out, struct err *e)
{
    struct stmt *q;
    bool row = true;
    struct js *list = js_array();
    *out = list;
    enum status s = db_prepare(db_of(r), sql, &q, e);
    if (s != ST_OK)
        return s;
    for (int i = 0; params[i]; i++)
        stmt_bind_text(q, i + 1, params[i]);
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct js *object = js_object();
        for (int i = 0; columns[i]; i++)
            if (columns[i][0] == '#' && !stmt_is_null(q, i))
                js_put_int(object, columns[i] + 1, stmt_int(q, i));
            else if (columns[i][0] != '#')
                js_put_str(object, columns[i], stmt_text(q, i) ? stmt_text(q, i) : "");
        js_push(list, object);
    }
    stmt_done(q);
    return s;
}
#define COLUMNS(...) ((const char *const[]){__VA_ARGS__, NULL})

static enum status need_item(struct registry *r, const char *noun, const char *id, struct err *e)
{
    bool there;
    enum status s = item_exists(db_of(r), noun, id, &there, e);
    return s == ST_OK && !there ? err_set(e, ST_NOT_FOUND, "there is no %s '%.64s'", noun, id) : s;
}

enum status profile_tree(struct registry *r, const char *body, struct js **out, struct err *e)
{
    static const char sql[] =
        "WITH RECURSIVE child(id, parent) AS MATERIALIZED (SELECT id, json_extract(doc, '$.parent') FROM "
        "item "
        "WHERE noun='body'), under(id, parent, depth, path) AS (SELECT ?1, '', 0, ?1 UNION ALL SELECT c.id, "
        "u.id, "
        "u.depth + 1, u.path || '/' || c.id FROM under u JOIN child c ON c.parent=u.id WHERE u.depth < 8) "
        "SELECT "
        "u.id, json_extract(i.doc, '$.name'), i.kind, i.state, u.parent, u.depth FROM under u JOIN item i ON "
        "i.noun='body' AND i.id=u.id ORDER BY u.path";
    *out = NULL;
    enum status s = need_item(r, "body", body, e);
    return s == ST_OK ? rows_of(r, sql, PARAMS(body),
                                COLUMNS("id", "name", "kind", "state", "parent", "#depth"), out, e)
                      : s;
}

enum status profile_gaps(struct registry *r, const char *body, struct js **out, struct err *e)
{
    static const char sql[] =
        "SELECT v.code, v.label, CASE WHEN d.value IS NULL THEN 'missing' ELSE 'yes' END,"
        " json_extract(d.value, '$.from'), json_extract(d.value, '$.gaps'), json_extract(d.value, "
        "'$.lag_days'),"
        " json_extract(d.value, '$.coverage_percent') FROM vocabulary v LEFT JOIN (SELECT j.value FROM item "
        "b,"
        " json_each(b.doc, '$.data') j WHERE b.noun='body' AND b.id=?1) d ON json_extract(d.value, "
        "'$.domain')="
        "v.code WHERE v.scheme='data-domain' ORDER BY v.code";
    *out = NULL;
    enum status s = need_item(r, "body", body, e);
    return s == ST_OK
               ? rows_of(r, sql, PARAMS(body),
                         COLUMNS("domain", "label", "held", "from", "gaps", "#lag_days", "#coverage_percent"),
                         out, e)
               : s;
}

/* Whether the person's proofs carry the role on that day. */
static enum status add_training(struct registry *r, struct js *member, int32_t day, struct err *e)
{
    enum role role;
    enum rule lacks;
    if (!role_find(js_get_str(member, "role"), &role))
        return ST_OK;
    enum status s = access_person_lacks(db_of(r), js_get_str(member, "person"), role, day, &lacks, e);
    js_put_str(member, "training",
               !*role_proof(role)       ? "not asked for"
               : lacks == RULE_TRAINING ? "expired"
                                        : "current");
    return s;
}

enum status profile_team(struct registry *r, const char *body, int32_t day, struct js **out, struct err *e)
{
    static const char sql[] =
        "SELECT h.person, json_extract(p.doc, '$.post'), h.role, h.scope, json_extract(p.doc, '$.declared'),"
        " coalesce(json_array_length(p.doc, '$.interests'), 0) FROM held h JOIN item p ON p.noun='person' AND"
        " p.id=h.person WHERE h.body=?1 AND CAST(?2 AS INT) BETWEEN h.from_day AND h.until_day ORDER BY 1, "
        "3, 4";
    char today[16];
    *out = NULL;
    snprintf(today, sizeof today, "%" PRId32, day);
    enum status s = need_item(r, "body", body, e);
    if (s == ST_OK)
        s = rows_of(r, sql, PARAMS(body, today),
                    COLUMNS("person", "post", "role", "scope", "declared", "#interests"), out, e);
    for (size_t i = 0; s == ST_OK && i < js_size(*out); i++)
        s = add_training(r, js_edit_at(*out, i), day, e);
    return s;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int32_t day_of(const char *time)
{
    int64_t ms;
    return time && time_parse(slice_of(time), &ms) ? (int32_t)(ms / 86400000) : DATE_NONE;
}

/* What was sent to the body: how many, how many answered, and the median of the working days until then. */
static enum status add_answers(struct registry *r, const char *body, struct js *into, struct err *e)
{
    static const char sql[] =
        "SELECT json_extract(doc, '$.sent.time'), json_extract(doc, '$.answers[0].time') FROM "
        "item WHERE noun='contact' AND body=?1 ORDER BY id";
    struct js *list = NULL;
    enum status s = rows_of(r, sql, PARAMS(body), COLUMNS("sent", "answered"), &list, e);
    int64_t *days = xcalloc(js_size(list) + 1, sizeof *days);
    size_t n = 0;
    for (size_t i = 0; s == ST_OK && i < js_size(list); i++) {
        int32_t sent = day_of(js_get_str(js_at(list, i), "sent")),
                answered = day_of(js_get_str(js_at(list, i), "answered"));
        if (sent != DATE_NONE && answered != DATE_NONE)
            s = working_days_between(db_of(r), sent, answered, &days[n++], e);
    }
    if (n)
        qsort(days, n, sizeof *days, by_number);
    js_put_int(into, "contacts", (int64_t)js_size(list));
    js_put_int(into, "answered", (int64_t)n);
    if (n)
        js_put_int(into, "median_days", days[(n - 1) / 2]);
    free(days);
    js_free(list);
    return s;
}

static enum status add_leads(struct registry *r, const char *body, int32_t day, struct js *into,
                             struct err *e)
{
    char today[16];
    struct arena *a = arena_new();
    const char *people = NULL;
    snprintf(today, sizeof today, "%" PRId32, day);
    enum status s =
        db_text(db_of(r), a,
                "SELECT group_concat(person, ' ') FROM (SELECT DISTINCT person FROM held WHERE body=?1 "
                "AND role='lead' AND CAST(?2 AS INT) BETWEEN from_day AND until_day ORDER BY person)",
                PARAMS(body, today), &people, e);
    js_put_str(into, "leads", people ? people : "");
    arena_free(a);
    return s == ST_OK ? add_answers(r, body, into, e) : s;
}

enum status profile_leads(struct registry *r, int32_t day, struct js **out, struct err *e)
{
    static const char sql[] =
        "SELECT id, json_extract(doc, '$.name') FROM item WHERE noun='body' AND kind='icb' AND "
        "state='registered' AND coalesce(json_extract(doc, '$.from'), '')<=?1 AND "
        "coalesce(json_extract(doc, '$.to'), '9999')>=?1 ORDER BY id";
    char today[11];
    date_format(day, today);
    struct reading reading = reads_begin(r);
    enum status s = rows_of(r, sql, PARAMS(today), COLUMNS("body", "name"), out, e);
    for (size_t i = 0; s == ST_OK && i < js_size(*out); i++) {
        struct js *one = js_edit_at(*out, i);
        s = add_leads(r, js_get_str(one, "body"), day, one, e);
    }
    reads_nouns(r, "body|grant|person|register|contact|vocabulary");
    reads_end(r, reading);
    return s;
}

static const char *next_meeting(const struct js *body, int32_t day)
{
    const struct js *meetings = js_get(body, "meetings");
    const char *next = NULL;
    for (size_t i = 0; i < js_size(meetings); i++) {
        const char *date = js_get_str(js_at(meetings, i), "date");
        if (doc_day(js_at(meetings, i), "date") >= day && (!next || strcmp(date, next) < 0))
            next = date;
    }
    return next;
}

static size_t priorities_of(const struct js *body, const char *scheme)
{
    const struct js *list = js_get(body, "priorities");
    size_t n = 0;
    for (size_t i = 0; i < js_size(list); i++)
        n += doc_is(js_at(list, i), "scheme", scheme);
    return n;
}

static void add_warnings(const struct js *body, struct js *profile)
{
    struct js *list = js_array();
    bool icb = doc_is(body, "kind", "icb");
    if (icb && priorities_of(body, "medicines-optimisation") < LEAST_PRIORITIES)
        js_push(list, js_string("fewer than 5 of the 16 medicines optimisation opportunities are chosen"));
    if (icb && !*js_get_str(profile, "leads"))
        js_push(list, js_string("the post of the lead is vacant"));
    if (icb && !js_get(body, "decides"))
        js_push(list, js_string("it does not say who decides"));
    js_put(profile, "warnings", list);
}

enum status profile_body(struct registry *r, const char *body, int32_t day, struct js **out, struct err *e)
{
    static const char *const kept[] = {"name",         "kind",       "lay",     "decides",
                                       "capabilities", "priorities", "standard"};
    struct js *item = NULL, *profile = js_object();
    struct reading reading = reads_begin(r);
    *out = NULL;
    enum status s = registry_item(r, "body", body, &item, e);
    for (size_t i = 0; s == ST_OK && i < sizeof kept / sizeof *kept; i++)
        if (js_get(item, kept[i]))
            js_put(profile, kept[i], js_share(js_get(item, kept[i])));
    if (s == ST_OK) {
        js_put_str(profile, "id", body);
        if (next_meeting(item, day))
            js_put_str(profile, "next_meeting", next_meeting(item, day));
        s = add_leads(r, body, day, profile, e);
    }
    if (s == ST_OK)
        add_warnings(item, profile);
    reads_item(r, "body", body);
    reads_of_body(r, "contact", body);
    reads_nouns(r, "grant|person|register|vocabulary");
    reads_end(r, reading);
    js_free(item);
    if (s == ST_OK)
        *out = profile;
    else
        js_free(profile);
    return s;
}

enum status profile_forms(struct registry *r, const char *a, const char *b, struct js **out, struct err *e)
{
    static const char sql[] =
        "SELECT x.code, CASE WHEN y.code IS NULL THEN 'only the first asks it' ELSE 'in other words' END, "
        "x.label,"
        " y.label FROM vocabulary x LEFT JOIN vocabulary y ON y.scheme=?2 AND y.code=x.code WHERE "
        "x.scheme=?1 AND"
        " (y.code IS NULL OR y.label<>x.label) UNION ALL SELECT y.code, 'only the second asks it', NULL, "
        "y.label"
        " FROM vocabulary y WHERE y.scheme=?2 AND NOT EXISTS(SELECT 1 FROM vocabulary x WHERE x.scheme=?1 AND"
        " x.code=y.code) ORDER BY 1";
    *out = NULL;
    enum status s = need_item(r, "vocabulary", a, e);
    if (s == ST_OK)
        s = need_item(r, "vocabulary", b, e);
    return s == ST_OK ? rows_of(r, sql, PARAMS(a, b), COLUMNS("question", "difference", "a", "b"), out, e)
                      : s;
}
