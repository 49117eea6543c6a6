/* SPDX-License-Identifier: Apache-2.0
 *
 * Projects: drafted in a minute (an incomplete draft is kept, its faults are listed), submitted whole,
 * reviewed in every perspective that is due, agreed, live, closed with what came of it. */
#include "govern/project.h"

#include <inttypes.h>

#include "base/date.h"
#include "govern/calendar.h"
#include "govern/nouns.h"

enum { REVIEW_WORKING_DAYS = 10, CLOSE_OUT_ANSWERS = 7, EMERGENCY_DAYS = 90, AFTER_REVIEW_DAYS = 28 };

static const struct field contribution_fields[] = {
    {"type", F_ENUM, true, "capability|capacity|cash|data", 0, NULL},
    {"what", F_TEXT, true, NULL, 1000, NULL},
    {"value", F_MONEY, true, NULL, 0, NULL},
    {"estimated_by", F_TEXT, false, NULL, 0, NULL},
    {0},
};
static const struct field party_fields[] = {
    {"body", F_ID, true, "body", 0, NULL},
    {"role", F_TEXT, false, NULL, 0, NULL},
    {"contributions", F_LIST, false, NULL, 40, contribution_fields},
    {"note", F_TEXT, false, NULL, 1000, NULL},
    {0},
};
static const struct field benefit_fields[] = {
    {"patients", F_TEXT, false, NULL, 4000, NULL},
    {"nhs", F_TEXT, false, NULL, 4000, NULL},
    {"partner", F_TEXT, false, NULL, 4000, NULL},
    {"uk", F_TEXT, false, NULL, 4000, NULL},
    {0},
};
static const struct field substitute_fields[] = {
    {"line", F_TEXT, true, NULL, 60, NULL},
    {"what", F_TEXT, true, NULL, 1000, NULL},
    {"owner", F_ID, true, "body", 0, NULL},
    {"cost_per_year", F_MONEY, true, NULL, 0, NULL},
    {"cash_releasing", F_BOOL, true, NULL, 0, NULL},
    {"stops", F_DATE, false, NULL, 0, NULL},
    {"double_running_until", F_DATE, false, NULL, 0, NULL},
    {"frees", F_TEXT, false, NULL, 1000, NULL},
    {0},
};

static const struct field emergency_fields[] = {
    {"reason", F_TEXT, true, NULL, 2000, NULL},
    {"until", F_DATE, true, NULL, 0, NULL},
    {0},
};

#define PROJECT                                                                                              \
    {"parties", F_LIST, false, NULL, 60, party_fields}, {"signals", F_IDS, false, "signal", 0, NULL},        \
        {"lay", F_TEXT, false, NULL, 8000, NULL}, {"purpose", F_TEXT, false, NULL, 500, NULL},               \
        {"purpose_kind",                                                                                     \
         F_ENUM,                                                                                             \
         false,                                                                                              \
         "care|planning|research|public-health|innovation|statistics|marketing|insurance|advertising|harm",  \
         0,                                                                                                  \
         NULL},                                                                                              \
        {"kind", F_ENUM, false, "collaborative|joint|research|evaluation|donation", 0, NULL},                \
        {"data", F_ENUM, false, "open|aggregate|record-level", 0, NULL},                                     \
        {"access", F_ENUM, false, "nhs_runs|sde|out", 0, NULL},                                              \
        {"use", F_ENUM, false, "commercial|non-commercial", 0, NULL},                                        \
        {"decision", F_TEXT, false, NULL, 1000, NULL},                                                       \
        {"benefits", F_OBJECT, false, NULL, 0, benefit_fields}, {"groups", F_CODES, false, NULL, 0, NULL},   \
        {"areas", F_TEXTS, false, NULL, 100, NULL}, {"population", F_TEXT, false, NULL, 0, NULL},            \
        {"codes", F_CODES, false, NULL, 0, NULL}, {"cost_per_year", F_MONEY, false, NULL, 0, NULL},          \
        {"substitutes", F_LIST, false, NULL, 100, substitute_fields},                                        \
        {"funder", F_ID, false, "body", 0, NULL}, {"answers", F_OBJECT, false, NULL, 0, NULL},               \
        {"red_questions", F_OBJECT, false, NULL, 0, NULL},                                                   \
        {"prescribing_link", F_TEXT, false, NULL, 2000, NULL},                                               \
        {"machine_learning", F_BOOL, false, NULL, 0, NULL}, {"model_plan", F_TEXT, false, NULL, 4000, NULL}, \
        {"emergency", F_OBJECT, false, NULL, 0, emergency_fields}, {"starts", F_DATE, false, NULL, 0, NULL}, \
        {"ends", F_DATE, false, NULL, 0, NULL},                                                              \
    {                                                                                                        \
        0                                                                                                    \
    }

const struct field project_draft_fields[] = {
    {"title", F_TEXT, true, NULL, 0, NULL}, {"body", F_ID, true, "body", 0, NULL}, PROJECT};
const struct field project_edit_fields[] = {{"title", F_TEXT, false, NULL, 0, NULL}, PROJECT};
const struct field project_confirm_fields[] = {{"line", F_TEXT, true, NULL, 60, NULL}, {0}};
const struct field project_close_fields[] = {
    {"outcome", F_ENUM, true, "positive|negative|mixed", 0, NULL},
    {"text", F_TEXT, true, NULL, 8000, NULL},
    {"close_out", F_TEXTS, true, NULL, CLOSE_OUT_ANSWERS, NULL},
    {0},
};

static enum status signals_set(struct change *c, const struct js *ids, struct err *e)
{
    enum status s = db_change(c->db, "DELETE FROM project_signal WHERE project=?1", PARAMS(c->id), e);
    for (size_t i = 0; s == ST_OK && i < js_size(ids); i++)
        s = db_change(c->db, "INSERT INTO project_signal VALUES(?1, ?2) ON CONFLICT DO NOTHING",
                      PARAMS(js_str(js_at(ids, i)), c->id), e);
    return s;
}

FOLD(project_draft_fold)
{
    enum status s = ST_OK;
    merge_all(c);
    if (!c->state)
        js_put(c->doc, "drafted", done_by(c));
    if (js_get(c->body, "parties"))
        s = parties_set(c->db, "project", c->id, js_get(c->doc, "parties"), e);
    return s == ST_OK && js_get(c->body, "signals") ? signals_set(c, js_get(c->doc, "signals"), e) : s;
}

/* An emergency's lane is short, and has an end. */
static enum status check_lane(struct change *c, struct err *e)
{
    int32_t until = doc_day(js_get(c->doc, "emergency"), "until");
    if (until == DATE_NONE || (until >= c->today && until - c->today <= EMERGENCY_DAYS))
        return ST_OK;
    return refuse(e, RULE_EMERGENCY, "give 'until' a day from today to %d days on", EMERGENCY_DAYS);
}

GUARD(project_submit_guard)
{
    struct js *faults = js_array();
    struct err first = {0};
    enum status s = project_faults(c->db, c->doc, faults, &first);
    size_t n = js_size(faults);
    js_free(faults);
    if (s == ST_OK && n == 0)
        return check_lane(c, e);
    if (e)
        *e = first;
    return first.status;
}

static void push_due(struct js *reviews, const char *perspective, int32_t due, bool after)
{
    char day[11];
    struct js *r = js_object();
    date_format(due, day);
    js_put_str(r, "perspective", perspective);
    js_put_str(r, "due", day);
    if (after)
        js_put(r, "after", js_boolean(true));
    js_push(reviews, r);
}

/* An emergency is reviewed whole afterwards. */
static void push_after(struct js *reviews, const struct js *project)
{
    int32_t until = doc_day(js_get(project, "emergency"), "until");
    for (const char *const *p = project_all_perspectives(); until != DATE_NONE && *p; p++)
        if (!list_find(reviews, "perspective", *p))
            push_due(reviews, *p, until + AFTER_REVIEW_DAYS, true);
}

/* Each perspective that is due gets its clock. */
FOLD(project_submit_fold)
{
    int32_t due;
    struct js *reviews = js_array();
    enum status s = working_days_on(c->db, c->today, REVIEW_WORKING_DAYS, &due, e);
    for (const char *const *p = project_perspectives(c->doc); *p; p++)
        push_due(reviews, *p, due, false);
    push_after(reviews, c->doc);
    js_put(c->doc, "reviews_due", reviews);
    js_put(c->doc, "submitted", done_by(c));
    if (s == ST_OK && js_get(c->doc, "codes"))
        s = codes_set(c->db, "project", c->id, js_get(c->doc, "codes"), e);
    return s == ST_OK ? index_text(c, e) : s;
}

/* Verdicts of a kind in one perspective on the project as it was submitted last. */
static enum status verdicts(struct change *c, const char *perspective, const char *verdict, int64_t *n,
                            struct err *e)
{
    char *about = arena_printf(c->arena, "project:%s", c->id);
    char *since = arena_printf(c->arena, "%" PRId64, js_get_int(js_get(c->doc, "submitted"), "at", 0));
    return db_number(c->db,
                     "SELECT count(*) FROM item WHERE noun='review' AND about=?1 AND state='given' AND "
                     "json_extract(doc, '$.perspective')=?2 AND json_extract(doc, '$.verdict')=?3 AND "
                     "json_extract(doc, '$.given.at')>CAST(?4 AS INT)",
                     PARAMS(about, perspective, verdict, since), 0, n, e);
}

static enum status check_perspectives(struct change *c, struct err *e)
{
    enum status s = ST_OK;
    for (const char *const *p = project_perspectives(c->doc); s == ST_OK && *p; p++) {
        int64_t yes;
        s = verdicts(c, *p, "yes", &yes, e);
        if (s == ST_OK && yes == 0)
            s = refuse(e, RULE_PERSPECTIVES, "'%s' is missing", *p);
    }
    return s;
}

/* First the patients: no sum of money removes this condition. */
static enum status check_patient_benefit(struct change *c, struct err *e)
{
    int64_t n;
    char *about = arena_printf(c->arena, "project:%s", c->id);
    enum status s = db_number(c->db,
                              "SELECT count(*) FROM item WHERE noun='measure' AND about=?1 AND state NOT IN "
                              "('proposed') AND json_extract(doc, '$.role')='benefit' AND json_extract(doc, "
                              "'$.for')='patients'",
                              PARAMS(about), 0, &n, e);
    return s == ST_OK && n == 0 ? refuse(e, RULE_PATIENT_BENEFIT, NULL) : s;
}

/* It is an NHS body's lead who accepts a project, not the partner's. */
static enum status check_nhs_lead(struct change *c, struct err *e)
{
    int64_t n;
    enum status s =
        db_number(c->db,
                  "SELECT count(*) FROM item WHERE noun='body' AND id=?1 AND json_extract(doc, '$.kind') "
                  "IN ('icb', 'trust', 'place', 'pcn', 'sde')",
                  PARAMS(c->actor_body ? c->actor_body : ""), 0, &n, e);
    return s == ST_OK && n == 0 ? refuse(e, RULE_PERMISSION, "an NHS body's lead accepts projects") : s;
}

GUARD(project_approve_guard)
{
    int64_t yes = 1;
    enum status s = check_nhs_lead(c, e);
    if (s == ST_OK)
        s = check_patient_benefit(c, e);
    if (s == ST_OK)
        s = check_perspectives(c, e);
    if (s == ST_OK && substitution_of(c->doc, c->today).class == ADDITIVE)
        s = verdicts(c, "finance", "yes", &yes, e);
    return s == ST_OK && yes == 0 ? refuse(e, RULE_ADDITIVE, NULL) : s;
}

static struct js *line_of(struct change *c)
{
    struct js *lines = js_edit(c->doc, "substitutes");
    for (size_t i = 0; i < js_size(lines); i++)
        if (doc_is(js_at(lines, i), "line", js_get_str(c->body, "line")))
            return js_edit_at(lines, i);
    return NULL;
}

GUARD(project_confirm_guard)
{
    const struct js *line = line_of(c);
    if (!line)
        return err_set(e, ST_NOT_FOUND, "$.body.line: the project has no such line");
    if (!c->actor_body || !doc_is(line, "owner", c->actor_body))
        return refuse(e, RULE_BUDGET_OWNER, "it is %s's", js_get_str(line, "owner"));
    return ST_OK;
}

FOLD(project_confirm_fold)
{
    struct js *line = line_of(c);
    (void)e;
    if (line)
        js_put(line, "confirmed", done_by(c));
    return ST_OK;
}

GUARD(project_start_guard)
{
    int64_t n;
    char *about = arena_printf(c->arena, "project:%s", c->id);
    enum status s =
        db_number(c->db, "SELECT count(*) FROM item WHERE noun='agreement' AND about=?1 AND state='in_force'",
                  PARAMS(about), 0, &n, e);
    if (s == ST_OK && n == 0)
        s = refuse(e, RULE_IN_FORCE, "no agreement of this project is");
    return s == ST_OK && project_lane_closed(c->doc, c->today) ? refuse(e, RULE_EMERGENCY, "it closed") : s;
}

GUARD(project_close_guard)
{
    int64_t open;
    char *about = arena_printf(c->arena, "project:%s", c->id);
    if (js_size(js_get(c->body, "close_out")) != CLOSE_OUT_ANSWERS)
        return refuse(e, RULE_FINAL_READING, "%d answers are asked for", CLOSE_OUT_ANSWERS);
    enum status s =
        db_number(c->db,
                  "SELECT count(*) FROM item WHERE noun='measure' AND about=?1 AND state NOT IN ('met', "
                  "'missed') AND json_extract(doc, '$.role')<>'guardrail'",
                  PARAMS(about), 0, &open, e);
    return s == ST_OK && open ? refuse(e, RULE_FINAL_READING, "%" PRId64 " measures lack it", open) : s;
}
