/* SPDX-License-Identifier: Apache-2.0
 *
 * Agreements: draft, checked by a certifier, summarised in public, signed by every party, in force. What is
 * signed is the hash of the terms, so that nobody signs what they did not see. */
#include <stdio.h>

#include "base/date.h"
#include "govern/agreement.h"
#include "govern/nouns.h"

static const struct field party_fields[] = {
    {"body", F_ID, true, "body", 0, NULL},
    {"role", F_ENUM, true, "site|lead_site|partner|sponsor|custodian", 0, NULL},
    {0},
};
static const struct field annex_fields[] = {
    {"analyses", F_TEXTS, true, NULL, 100, NULL},
    {"studies", F_TEXTS, true, NULL, 1000, NULL},
    {"datasets", F_TEXTS, false, NULL, 100, NULL},
    {0},
};
static const struct field quote_fields[] = {
    {"code", F_TEXT, true, NULL, 60, NULL},
    {"quantity", F_INT, true, NULL, 1000000, NULL},
    {0},
};
static const struct field waiver_fields[] = {
    {"reason", F_TEXT, true, NULL, 2000, NULL},
    {"by", F_ID, true, "person", 0, NULL},
    {0},
};
static const struct field mechanism_fields[] = {
    {"kind", F_ENUM, true, "upfront|subscription|milestone|royalty|equity|in_kind|open_release", 0, NULL},
    {"from", F_ID, true, "body", 0, NULL},
    {"to", F_ID, true, "body", 0, NULL},
    {"amount", F_MONEY, false, NULL, 0, NULL},
    {"due", F_DATE, false, NULL, 0, NULL},
    {"period_months", F_INT, false, NULL, 120, NULL},
    {"until", F_DATE, false, NULL, 0, NULL},
    {"trigger", F_TEXT, false, NULL, 500, NULL},
    {"rate_percent", F_NUMBER, false, NULL, 0, NULL},
    {"base", F_ID, false, "measure", 0, NULL},
    {"floor", F_MONEY, false, NULL, 0, NULL},
    {"cap", F_MONEY, false, NULL, 0, NULL},
    {"what", F_TEXT, false, NULL, 1000, NULL},
    {"estimated_by", F_TEXT, false, NULL, 0, NULL},
    {0},
};
static const struct field foreground_fields[] = {
    {"owner", F_ID, true, "body", 0, NULL},
    {"licence", F_TEXT, true, NULL, 500, NULL},
    {0},
};
static const struct field exclusive_fields[] = {
    {"over", F_ENUM, true, "raw-data|outputs|product", 0, NULL},
    {"what", F_TEXT, true, NULL, 1000, NULL},
    {"until", F_DATE, true, NULL, 0, NULL},
    {0},
};

#define TERMS(required)                                                                                      \
    {"title", F_TEXT, required, NULL, 0, NULL}, {"template", F_HASH, required, NULL, 0, NULL},               \
        {"parties", F_LIST, required, NULL, 60, party_fields},                                               \
        {"annex", F_OBJECT, required, NULL, 0, annex_fields}, {"from", F_DATE, required, NULL, 0, NULL},     \
        {"to", F_DATE, required, NULL, 0, NULL}, {"purpose", F_TEXT, required, NULL, 500, NULL},             \
        {"access", F_ENUM, required, "nhs_runs|sde|out", 0, NULL},                                           \
        {"use", F_ENUM, required, "commercial|non-commercial", 0, NULL},                                     \
        {"policy", F_OBJECT, false, NULL, 0, NULL}, {"project", F_ID, false, "project", 0, NULL},            \
        {"parent", F_ID, false, "agreement", 0, NULL}, {"exit_plan", F_TEXT, false, NULL, 4000, NULL},       \
        {"prices", F_ID, false, "vocabulary", 0, NULL}, {"quote", F_LIST, false, NULL, 100, quote_fields},   \
        {"waiver", F_OBJECT, false, NULL, 0, waiver_fields},                                                 \
        {"mechanisms", F_LIST, false, NULL, 40, mechanism_fields},                                           \
        {"nhs_share_percent", F_NUMBER, false, NULL, 0, NULL},                                               \
        {"background_ip", F_TEXTS, false, NULL, 100, NULL},                                                  \
        {"foreground_ip", F_OBJECT, false, NULL, 0, foreground_fields},                                      \
        {"exclusivity", F_LIST, false, NULL, 20, exclusive_fields},                                          \
        {"consent_to_commercialise", F_BOOL, false, NULL, 0, NULL},                                          \
        {"charges_patients", F_BOOL, false, NULL, 0, NULL}, {"limits_care", F_BOOL, false, NULL, 0, NULL},   \
        {"publication", F_TEXT, false, NULL, 2000, NULL}, {"audit", F_TEXT, false, NULL, 2000, NULL},        \
        {"open_after_days", F_INT, false, NULL, 365, NULL},                                                  \
    {                                                                                                        \
        0                                                                                                    \
    }

const struct field agreement_draft_fields[] = {TERMS(true)};
const struct field agreement_edit_fields[] = {TERMS(false)};
const struct field agreement_summarise_fields[] = {{"summary", F_TEXT, true, NULL, 8000, NULL}, {0}};
const struct field agreement_sign_fields[] = {{"terms", F_HASH, true, NULL, 0, NULL}, {0}};

enum status agreement_terms(const struct js *doc, char hex[2 * HASH_BYTES + 1], struct err *e)
{
    static const char *const beside[] = {"summary", "private_annexes"};
    struct js *terms = js_object();
    for (const struct field *f = agreement_draft_fields; f->name; f++)
        if (js_get(doc, f->name))
            js_put(terms, f->name, js_share(js_get(doc, f->name)));
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        if (js_get(doc, beside[i]))
            js_put(terms, beside[i], js_share(js_get(doc, beside[i])));
    enum status s = doc_hash(terms, hex, e);
    js_free(terms);
    return s;
}

const char *agreement_lead(const struct js *doc)
{
    return js_get_str(list_find(js_get(doc, "parties"), "role", "lead_site"), "body");
}

bool agreement_is_site(const struct js *doc, const char *body)
{
    const char *role = js_get_str(list_find(js_get(doc, "parties"), "body", body), "role");
    return role && word_in("site|lead_site", role);
}

GUARD(agreement_draft_guard)
{
    if (doc_is(c->body, "access", "out"))
        return refuse(e, RULE_ACCESS_OUT, NULL);
    return ST_OK;
}

FOLD(agreement_draft_fold)
{
    merge_all(c);
    js_put(c->doc, "drafted", done_by(c));
    c->owner = c->actor_body;
    return parties_set(c->db, "agreement", c->id, js_get(c->doc, "parties"), e);
}

FOLD(agreement_edit_fold)
{
    struct js *edit = done_by(c), *names = js_array();
    merge_all(c);
    for (void *it = js_first(c->body); it; it = js_next(c->body, it))
        js_push(names, js_string(js_key(it)));
    js_put(edit, "fields", names);
    js_push(doc_list(c->doc, "edits"), edit);
    js_drop(c->doc, "certified");
    return parties_set(c->db, "agreement", c->id, js_get(c->doc, "parties"), e);
}

FOLD(agreement_check_fold)
{
    (void)e;
    js_put(c->doc, "certified", done_by(c));
    return ST_OK;
}

FOLD(agreement_summarise_fold)
{
    merge_all(c);
    js_put(c->doc, "summarised", done_by(c));
    return index_text(c, e);
}

GUARD(agreement_sign_guard)
{
    char hex[2 * HASH_BYTES + 1];
    bool good = true;
    const char *project = js_get_str(c->doc, "project");
    if (list_find(js_get(c->doc, "signatures"), "body", c->actor_body))
        return refuse(e, RULE_SIGNED_ONCE, "%s has signed", c->actor_body);
    enum status s = agreement_terms(c->doc, hex, e);
    if (s == ST_OK && !doc_is(c->body, "terms", hex))
        s = err_set(e, ST_CONFLICT, "$.body.terms: the terms on the register hash to %s; read them again",
                    hex);
    if (s == ST_OK && project)
        s = item_state_is(c->db, "project", project, "approved|agreed|live", &good, e);
    return s == ST_OK && !good ? refuse(e, RULE_PROJECT_AGREED, "project %s", project) : s;
}

FOLD(agreement_sign_fold)
{
    const struct js *parties = js_get(c->doc, "parties");
    const char *project = js_get_str(c->doc, "project");
    char day[11];
    js_push(doc_list(c->doc, "signatures"), done_by(c));
    if (js_size(js_get(c->doc, "signatures")) < js_size(parties))
        return ST_OK;
    c->to = "in_force";
    date_format(c->today, day);
    js_put_str(c->doc, "in_force", day);
    enum status s = transfers_schedule(c, e);
    if (s == ST_OK && project)
        s = item_set_state(c, "project", project, "agreed", e);
    return s;
}

enum status runs_kill(struct change *c, const char *agreement, struct err *e)
{
    struct stmt *q;
    bool row = true;
    struct js *ids = js_array();
    enum status s = db_prepare(
        c->db,
        "WITH RECURSIVE under(id) AS (SELECT ?1 UNION SELECT a.id FROM item a JOIN under u ON "
        "a.noun='agreement' AND json_extract(a.doc, '$.parent')=u.id) "
        "SELECT r.id FROM item r JOIN under u ON r.noun='run' AND r.about='agreement:' || u.id WHERE "
        "r.state IN ('asked', 'admitted', 'running', 'held') ORDER BY r.id",
        &q, e);
    if (s == ST_OK)
        stmt_bind_text(q, 1, agreement);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row)
        js_push(ids, js_string(stmt_text(q, 0)));
    stmt_done(q);
    for (size_t i = 0; s == ST_OK && i < js_size(ids); i++)
        s = item_set_state(c, "run", js_str(js_at(ids, i)), "killed", e);
    js_free(ids);
    return s;
}

FOLD(agreement_stop_fold)
{
    enum status s = keep_reason_fold(c, e);
    return s == ST_OK ? runs_kill(c, c->id, e) : s;
}

/* A variation begins again: new terms are checked, summarised and signed like the first. */
FOLD(agreement_vary_fold)
{
    js_drop(c->doc, "signatures");
    js_drop(c->doc, "summary");
    js_drop(c->doc, "certified");
    js_put_int(c->doc, "version", js_get_int(c->doc, "version", 1) + 1);
    return agreement_stop_fold(c, e);
}
