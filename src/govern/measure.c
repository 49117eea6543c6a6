/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures: a baseline, a target, readings in order; a guardrail that is breached pauses its project. And
 * transfers: value that moves, from the promise to its disclosure. */
#include "base/date.h"
#include "govern/nouns.h"

const struct field measure_propose_fields[] = {
    {"project", F_ID, true, "project", 0, NULL},
    {"title", F_TEXT, true, NULL, 0, NULL},
    {"role", F_ENUM, true, "benefit|guardrail|equity|efficiency|relationship|adoption", 0, NULL},
    {"for", F_ENUM, true, "patients|nhs|partner|public|clinicians", 0, NULL},
    {"unit", F_TEXT, true, NULL, 60, NULL},
    {"better", F_ENUM, true, "higher|lower", 0, NULL},
    {"target", F_NUMBER, false, NULL, 0, NULL},
    {"floor", F_NUMBER, false, NULL, 0, NULL},
    {"by", F_DATE, false, NULL, 0, NULL},
    {"group", F_TEXT, false, NULL, 0, NULL},
    {0},
};
const struct field measure_baseline_fields[] = {
    {"baseline", F_NUMBER, true, NULL, 0, NULL},
    {"date", F_DATE, true, NULL, 0, NULL},
    {"source", F_TEXT, true, NULL, 1000, NULL},
    {0},
};
const struct field measure_read_fields[] = {
    {"value", F_NUMBER, true, NULL, 0, NULL},
    {"date", F_DATE, true, NULL, 0, NULL},
    {"source", F_TEXT, true, NULL, 1000, NULL},
    {"final", F_BOOL, false, NULL, 0, NULL},
    {0},
};
const struct field transfer_promise_fields[] = {
    {"agreement", F_ID, true, "agreement", 0, NULL},
    {"from", F_ID, true, "body", 0, NULL},
    {"to", F_ID, true, "body", 0, NULL},
    {"mechanism", F_ENUM, true, "upfront|subscription|milestone|royalty|equity|in_kind|open_release|quote", 0,
     NULL},
    {"amount", F_MONEY, true, NULL, 0, NULL},
    {"due", F_DATE, false, NULL, 0, NULL},
    {"what", F_TEXT, false, NULL, 1000, NULL},
    {"base", F_MONEY, false, NULL, 0, NULL},
    {"project", F_ID, false, "project", 0, NULL},
    {"country", F_TEXT, false, NULL, 60, NULL},
    {0},
};
const struct field transfer_make_fields[] = {
    {"date", F_DATE, true, NULL, 0, NULL},
    {"category", F_ENUM, true,
     "donation|event-sponsorship|event-registration|event-travel|service-fee|service-expenses|joint-working|"
     "research",
     0, NULL},
    {"reference", F_TEXT, false, NULL, 0, NULL},
    {"named", F_BOOL, false, NULL, 0, NULL},
    {0},
};

/* Measures */

FOLD(measure_propose_fold)
{
    (void)e;
    merge_all(c);
    c->owner = c->actor_body;
    js_put(c->doc, "proposed", done_by(c));
    return ST_OK;
}

FOLD(measure_accept_fold)
{
    (void)e;
    js_put(c->doc, "accepted", done_by(c));
    return ST_OK;
}

GUARD(measure_read_guard)
{
    const struct js *readings = js_get(c->doc, "readings");
    size_t n = js_size(readings);
    int32_t last = n ? doc_day(js_at(readings, n - 1), "date") : doc_day(c->doc, "date");
    int32_t day = doc_day(c->body, "date");
    if (last != DATE_NONE && day < last)
        return refuse(e, RULE_READING, "the last one is of a later day");
    return day > c->today ? refuse(e, RULE_READING, "a reading lies in the future") : ST_OK;
}

static bool reached(const struct js *doc, const char *key, double value)
{
    const struct js *limit = js_get(doc, key);
    bool lower = doc_is(doc, "better", "lower");
    return limit && (lower ? value <= js_num(limit) : value >= js_num(limit));
}

/* A guardrail on the wrong side of its floor: the project stops until somebody decides. */
static enum status breach(struct change *c, struct err *e)
{
    const char *project = js_get_str(c->doc, "project");
    bool live;
    c->to = "breached";
    enum status s = item_state_is(c->db, "project", project, "live|agreed", &live, e);
    return s == ST_OK && live ? item_set_state(c, "project", project, "paused", e) : s;
}

FOLD(measure_read_fold)
{
    struct js *reading = js_copy(c->body);
    double value = js_num(js_get(c->body, "value"));
    bool final = js_bool(js_get(c->body, "final"));
    bool guardrail = doc_is(c->doc, "role", "guardrail");
    js_put(reading, "by", done_by(c));
    js_push(doc_list(c->doc, "readings"), reading);
    c->to = "tracked";
    if (guardrail && js_get(c->doc, "floor") && !reached(c->doc, "floor", value))
        return breach(c, e);
    if (final)
        c->to = !js_get(c->doc, "target") || reached(c->doc, "target", value) ? "met" : "missed";
    return ST_OK;
}

/* Transfers */

FOLD(transfer_promise_fold)
{
    (void)e;
    merge_all(c);
    js_put_str(c->doc, "body", js_get_str(c->body, "from"));
    return ST_OK;
}

FOLD(transfer_make_fold)
{
    (void)e;
    merge_all(c);
    js_put(c->doc, "made_by", done_by(c)); /* `made` is the item's own: the entry that made it */
    return ST_OK;
}

GUARD(transfer_waive_guard)
{
    int64_t n;
    char *about = arena_printf(c->arena, "transfer:%s", c->id);
    enum status s =
        db_number(c->db,
                  "SELECT count(*) FROM item WHERE noun='review' AND about=?1 AND state='given' AND "
                  "json_extract(doc, '$.perspective')='finance' AND json_extract(doc, '$.verdict')='yes'",
                  PARAMS(about), 0, &n, e);
    return s == ST_OK && n == 0 ? refuse(e, RULE_WAIVER, NULL) : s;
}
