/* SPDX-License-Identifier: Apache-2.0
 *
 * Needs and offers, contacts between bodies, and questions to an adviser. */
#include <inttypes.h>
#include <stdio.h>

#include "base/date.h"
#include "govern/calendar.h"
#include "govern/nouns.h"

enum { ANSWER_WORKING_DAYS = 5 };

#define SIGNAL(required)                                                                                     \
    {"title", F_TEXT, required, NULL, 0, NULL},                                                              \
        {"type", F_ENUM, required, "capability|capacity|cash|data", 0, NULL},                                \
        {"codes", F_CODES, required, NULL, 0, NULL}, {"lay", F_TEXT, false, NULL, 4000, NULL},               \
        {"stage", F_CODE, false, "pathway-stage", 0, NULL},                                                  \
        {"population", F_INT, false, NULL, 100000000, NULL}, {"place", F_TEXT, false, NULL, 0, NULL},        \
        {"group", F_TEXT, false, NULL, 0, NULL}, {"rank", F_INT, false, NULL, 1000, NULL},                   \
        {"evidence", F_TEXT, false, NULL, 2000, NULL}, {"until", F_DATE, false, NULL, 0, NULL},              \
        {"impact", F_INT, false, NULL, 1000000000, NULL}, {"months", F_INT, false, NULL, 240, NULL},         \
        {"product", F_TEXT, false, NULL, 0, NULL}, {"budget_line", F_TEXT, false, NULL, 0, NULL},            \
    {                                                                                                        \
        0                                                                                                    \
    }

const struct field signal_draft_fields[] = {
    {"body", F_ID, true, "body", 0, NULL}, {"side", F_ENUM, true, "need|offer", 0, NULL}, SIGNAL(true)};
const struct field signal_edit_fields[] = {SIGNAL(false)};
const struct field signal_idea_fields[] = {
    {"title", F_TEXT, true, NULL, 0, NULL},
    {"lay", F_TEXT, true, NULL, 4000, NULL},
    {"codes", F_CODES, false, NULL, 0, NULL},
    {0},
};
const struct field contact_fields[] = {
    {"body", F_ID, true, "body", 0, NULL},
    {"signal", F_ID, false, "signal", 0, NULL},
    {"purpose", F_TEXT, false, NULL, 1000, NULL},
    {"text", F_TEXT, true, NULL, 8000, NULL},
    {0},
};
const struct field text_fields[] = {{"text", F_TEXT, true, NULL, 8000, NULL}, {0}};
const struct field question_fields[] = {
    {"about", F_ABOUT, true, NULL, 0, NULL}, {"text", F_TEXT, true, NULL, 8000, NULL}, {0}};

GUARD(signal_publish_guard)
{
    char rank[24];
    int64_t n = 0;
    if (!doc_is(c->doc, "side", "need"))
        return ST_OK;
    if (!js_get(c->doc, "rank"))
        return refuse(e, RULE_RANK_UNIQUE, "the need has no rank");
    snprintf(rank, sizeof rank, "%" PRId64, js_get_int(c->doc, "rank", 0));
    enum status s =
        db_number(c->db,
                  "SELECT count(*) FROM item WHERE noun='signal' AND body=?1 AND state='published' AND "
                  "json_extract(doc, '$.side')='need' AND json_extract(doc, '$.rank')=CAST(?2 AS INT)",
                  PARAMS(js_get_str(c->doc, "body"), rank), 0, &n, e);
    return s == ST_OK && n ? refuse(e, RULE_RANK_UNIQUE, "rank %s is taken", rank) : s;
}

/* What matching reads of a need or an offer (pairs.h). */
static enum status signal_put(struct change *c, struct err *e)
{
    struct stmt *q;
    enum status s =
        db_prepare(c->db, "INSERT INTO signal VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, c->id);
    stmt_bind_text(q, 2, js_get_str(c->doc, "body"));
    stmt_bind_text(q, 3, js_get_str(c->doc, "side"));
    stmt_bind_text(q, 4, js_get_str(c->doc, "stage"));
    stmt_bind_int(q, 5, js_get_int(c->doc, "rank", 1));
    stmt_bind_int(q, 6, js_get_int(c->doc, "population", -1));
    return stmt_run(q, e);
}

FOLD(signal_publish_fold)
{
    js_put(c->doc, "published", done_by(c));
    if (!js_get(c->doc, "evidence"))
        js_put(c->doc, "without_evidence", js_boolean(true));
    enum status s = codes_set(c->db, "signal", c->id, js_get(c->doc, "codes"), e);
    if (s == ST_OK && !doc_is(c->doc, "side", "idea"))
        s = signal_put(c, e);
    return s == ST_OK ? index_text(c, e) : s;
}

FOLD(signal_idea_fold)
{
    merge_all(c);
    js_put_str(c->doc, "side", "idea");
    return signal_publish_fold(c, e);
}

FOLD(signal_end_fold)
{
    enum status s = keep_reason_fold(c, e);
    if (s == ST_OK)
        s = db_change(c->db, "DELETE FROM signal WHERE id=?1", PARAMS(c->id), e);
    return s == ST_OK ? db_change(c->db, "DELETE FROM code WHERE noun='signal' AND id=?1", PARAMS(c->id), e)
                      : s;
}

GUARD(contact_guard)
{
    if (!js_get(c->body, "signal") && !js_get(c->body, "purpose"))
        return refuse(e, RULE_NEED_CODE, NULL);
    return ST_OK;
}

FOLD(contact_fold)
{
    int32_t due;
    char day[11];
    merge_all(c);
    js_put_str(c->doc, "from", c->actor_body ? c->actor_body : "");
    js_put(c->doc, "sent", done_by(c));
    enum status s = working_days_on(c->db, c->today, ANSWER_WORKING_DAYS, &due, e);
    date_format(due, day);
    js_put_str(c->doc, "due", day);
    return s;
}

FOLD(contact_answer_fold)
{
    struct js *answer = done_by(c);
    (void)e;
    js_put_str(answer, "text", js_get_str(c->body, "text"));
    js_push(doc_list(c->doc, "answers"), answer);
    return ST_OK;
}
