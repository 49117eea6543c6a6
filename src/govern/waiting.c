/* SPDX-License-Identifier: Apache-2.0
 *
 * What waits for a person: for each verb that somebody is waiting for, the items on which it may be this
 * person's turn, each tried before it is listed. */
#include <stdio.h>

#include "base/date.h"
#include "govern/items.h"
#include "govern/standing.h"

#define MINE     "IN (SELECT body FROM held WHERE person=?1)"
#define MY_PARTY "EXISTS (SELECT 1 FROM party y WHERE y.noun=i.noun AND y.id=i.id AND y.body " MINE ")"
#define MY_PROJECT                                                                                           \
    "EXISTS (SELECT 1 FROM party y WHERE y.noun='project' AND y.id=json_extract(i.doc, '$.project') AND "    \
    "y.body " MINE ")"
#define FIELD(name) "json_extract(i.doc, '$." name "')"

static const struct {
    const char *verb, *noun, *due, *where;
} turns[] = {
    {"grant.hold", "grant", "NULL", "i.state='offered' AND " FIELD("person") "=?1"},
    {"review.give", "review", FIELD("due"), "i.state='asked' AND " FIELD("person") "=?1"},
    {"body.register", "body", "NULL", "i.state='applied'"},
    {"contact.answer", "contact", FIELD("due"), "i.state='open' AND i.body " MINE},
    {"question.answer", "question", "NULL", "i.state='open'"},
    {"signal.publish", "signal", "NULL", "i.state='draft' AND i.body " MINE},
    {"project.edit", "project", "NULL", "i.state='returned' AND " MY_PARTY},
    {"project.submit", "project", "NULL", "i.state='draft' AND " MY_PARTY},
    {"project.approve", "project", "NULL", "i.state='submitted' AND " MY_PARTY},
    {"project.start", "project", FIELD("starts"), "i.state='agreed' AND " MY_PARTY},
    {"project.resume", "project", "NULL", "i.state='paused' AND " MY_PARTY},
    {"measure.accept", "measure", "NULL", "i.state='proposed'"},
    {"measure.baseline", "measure", FIELD("by"), "i.state='accepted' AND " MY_PROJECT},
    {"measure.read", "measure", FIELD("by"),
     "(i.state='baselined' OR (i.state='tracked' AND " FIELD("by") "<=?2)) AND " MY_PROJECT},
    {"agreement.check", "agreement", "NULL", "i.state='draft'"},
    {"agreement.summarise", "agreement", FIELD("from"), "i.state='checked' AND " MY_PARTY},
    {"agreement.sign", "agreement", FIELD("from"), "i.state='summarised' AND " MY_PARTY},
    {"transfer.due", "transfer", FIELD("due"),
     "i.state='promised' AND " FIELD("due") "<=?2 AND (i.body " MINE " OR " FIELD("to") " " MINE ")"},
    {"transfer.make", "transfer", FIELD("due"), "i.state='due' AND i.body " MINE},
    {"transfer.disclose", "transfer", "NULL", "i.state='made' AND i.body " MINE},
    {"artefact.open", "artefact", "NULL", "i.state='released'"},
};

/* What has no title of its own goes by that of what it is about: a result by its study's. */
#define OF_ABOUT                                                                                             \
    "(SELECT coalesce(json_extract(o.doc, '$.title'), json_extract(o.doc, '$.study.title')) FROM item o "    \
    "WHERE o.noun=substr(i.about, 1, instr(i.about, ':') - 1) AND o.id=substr(i.about, instr(i.about, ':') " \
    "+ 1))"

static struct js *waiting_row(const struct standing *p, const char *verb, const char *noun, struct stmt *q)
{
    char today[11];
    struct js *row = js_object();
    date_format((int32_t)(p->now_ms / 86400000), today);
    js_put_str(row, "verb", verb);
    js_put_str(row, "noun", noun);
    js_put_str(row, "id", stmt_text(q, 0));
    js_put_str(row, "state", stmt_text(q, 1));
    js_put_str(row, "title", stmt_text(q, 2));
    if (!stmt_is_null(q, 3)) {
        js_put_str(row, "due", stmt_text(q, 3));
        js_put(row, "late", js_boolean(strcmp(stmt_text(q, 3), today) < 0));
    }
    return row;
}

static enum status list_turn(const struct standing *p, size_t turn, struct js *list, struct err *e)
{
    char sql[1800], today[11];
    struct stmt *q;
    bool row = true;
    date_format((int32_t)(p->now_ms / 86400000), today);
    snprintf(sql, sizeof sql,
             "SELECT i.id, i.state, coalesce(" FIELD("title") ", " FIELD("name") ", " FIELD(
                 "what") ", " OF_ABOUT
                         ", i.about, i.id), %s FROM item i WHERE i.noun='%s' AND ?1<>'' AND ?2<>'' AND (%s) "
                         "ORDER BY i.id LIMIT 200",
             turns[turn].due, turns[turn].noun, turns[turn].where);
    enum status s = db_prepare(ledger_db(registry_ledger(p->registry)), sql, &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, p->person);
    stmt_bind_text(q, 2, today);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct err why;
        bool open;
        s = standing_try(p, turns[turn].verb, turns[turn].noun, stmt_text(q, 0), &open, &why, e);
        bool unfinished =
            !open && why.status == ST_INVALID && strcmp(turns[turn].verb, "project.submit") == 0;
        if (s == ST_OK && (open || unfinished))
            js_push(list,
                    waiting_row(p, unfinished ? "project.edit" : turns[turn].verb, turns[turn].noun, q));
    }
    stmt_done(q);
    return s;
}

/* Verdicts that are due on projects in a perspective that the person holds, and that they may give. */
static enum status list_verdicts(const struct standing *p, struct js *list, struct err *e)
{
    struct stmt *q;
    bool row = true;
    enum status s = db_prepare(
        ledger_db(registry_ledger(p->registry)),
        "SELECT i.id, i.state, " FIELD("title") ", json_extract(r.value, '$.due'), h.scope FROM item i, "
                                                "json_each(i.doc, '$.reviews_due') r JOIN held h ON "
                                                "h.person=?1 AND h.role='reviewer' AND "
                                                "h.scope=json_extract(r.value, '$.perspective') WHERE "
                                                "i.noun='project' AND (i.state='submitted' OR "
                                                "(json_extract(r.value, '$.after') AND i.state IN "
                                                "('approved', 'agreed', 'live', 'paused', 'closed'))) "
                                                "ORDER BY i.id LIMIT 200",
        &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, p->person);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row) {
        char about[100];
        struct err ignored;
        struct js *body = js_object();
        snprintf(about, sizeof about, "project:%s", stmt_text(q, 0));
        js_put_str(body, "about", about);
        js_put_str(body, "perspective", stmt_text(q, 4));
        js_put_str(body, "verdict", "yes");
        if (registry_may(p->registry, p->key, "review.give", "review:a-new-one", body, p->now_ms, &ignored) ==
            ST_OK) {
            struct js *one = waiting_row(p, "review.give", "project", q);
            js_put_str(one, "perspective", stmt_text(q, 4));
            js_push(list, one);
        }
        js_free(body);
    }
    stmt_done(q);
    return s;
}

/* Budget lines that the person's body owns and has not confirmed. */
static enum status list_budget_lines(const struct standing *p, struct js *list, struct err *e)
{
    struct stmt *q;
    bool row = true;
    enum status s = db_prepare(
        ledger_db(registry_ledger(p->registry)),
        "SELECT i.id, i.state, " FIELD(
            "title") ", NULL, json_extract(l.value, '$.line') FROM item "
                     "i, json_each(i.doc, '$.substitutes') l WHERE i.noun='project' AND i.state IN ('draft', "
                     "'submitted', 'approved', 'agreed', 'live', 'paused') AND json_extract(l.value, "
                     "'$.confirmed') IS NULL AND json_extract(l.value, '$.owner') IN (SELECT body FROM held "
                     "WHERE person=?1 AND role='signatory') ORDER BY i.id LIMIT 200",
        &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, p->person);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct js *one = waiting_row(p, "project.confirm", "project", q);
        js_put_str(one, "line", stmt_text(q, 4));
        js_push(list, one);
    }
    stmt_done(q);
    return s;
}

/* A role that decides stops counting when interests were not declared for a year. */
static enum status add_declaration(const struct standing *p, struct js *list, struct err *e)
{
    struct js *roles = NULL;
    enum status s = standing_roles(p, &roles, e);
    for (size_t i = 0; s == ST_OK && i < js_size(roles); i++) {
        const char *why = js_get_str(js_at(roles, i), "why");
        if (!why || !strstr(why, "interests"))
            continue;
        struct js *one = js_object();
        js_put_str(one, "verb", "person.declare");
        js_put_str(one, "noun", "person");
        js_put_str(one, "id", p->person);
        js_put_str(one, "title", p->person);
        js_put_str(one, "state", "registered");
        js_push(list, one);
        break;
    }
    js_free(roles);
    return s;
}

/* Late ones first, then those with a date in its order, then the rest as they came. */
static struct js *sorted_by_due(const struct js *list)
{
    struct js *sorted = js_array();
    size_t n = js_size(list);
    char last[16] = "";
    for (;;) {
        const char *next = NULL;
        for (size_t i = 0; i < n; i++) {
            const char *due = js_get_str(js_at(list, i), "due");
            if (due && strcmp(due, last) > 0 && (!next || strcmp(due, next) < 0))
                next = due;
        }
        for (size_t i = 0; i < n; i++) {
            const char *due = js_get_str(js_at(list, i), "due");
            if (next ? due && strcmp(due, next) == 0 : !due)
                js_push(sorted, js_share(js_at(list, i)));
        }
        if (!next)
            return sorted;
        snprintf(last, sizeof last, "%s", next);
    }
}

enum status standing_waiting(const struct standing *p, struct js **out, struct err *e)
{
    struct js *list = js_array();
    enum status s = add_declaration(p, list, e);
    if (s == ST_OK)
        s = list_verdicts(p, list, e);
    if (s == ST_OK)
        s = list_budget_lines(p, list, e);
    for (size_t i = 0; s == ST_OK && i < sizeof turns / sizeof *turns; i++)
        s = list_turn(p, i, list, e);
    *out = sorted_by_due(list);
    js_free(list);
    return s;
}
