/* SPDX-License-Identifier: Apache-2.0
 *
 * Private annexes: what one company and the NHS bodies settle beside the terms that all parties share. The
 * log holds a salted hash of the text, which is among the terms that every party signs; the text lies beside
 * it, as personal texts do, and is read by those whom it concerns. */
#include "base/date.h"
#include "govern/agreement.h"
#include "govern/nouns.h"

const struct field annex_add_fields[] = {
    {"agreement", F_ID, true, "agreement", 0, NULL},
    {"body", F_ID, true, "body", 0, NULL},
    {"title", F_TEXT, true, NULL, 0, NULL},
    {"why", F_TEXT, true, NULL, 1000, NULL}, /* it is withheld from everybody else, for all to see */
    {"text", F_PERSONAL, true, NULL, 0, NULL},
    {0},
};

static enum status check_draft(struct change *c, const char *agreement, struct err *e)
{
    bool draft;
    enum status s = item_state_is(c->db, "agreement", agreement, "draft", &draft, e);
    return s == ST_OK && !draft ? refuse(e, RULE_ANNEX_OPEN, "agreement %s", agreement) : s;
}

GUARD(annex_add_guard)
{
    const char *agreement = js_get_str(c->body, "agreement"), *body = js_get_str(c->body, "body");
    bool party = false;
    if (c->state && (!doc_is(c->doc, "agreement", agreement) || !doc_is(c->doc, "body", body)))
        return err_set(e, ST_INVALID, "$.body: this annex is %s's, of agreement %s",
                       js_get_str(c->doc, "body"), js_get_str(c->doc, "agreement"));
    if (!c->actor_body || strcmp(c->actor_body, body) != 0)
        return refuse(e, RULE_PERMISSION, "a private annex is added by its own body");
    enum status s = parties_have(c->db, "agreement", agreement, body, &party, e);
    if (s == ST_OK && !party)
        s = err_set(e, ST_INVALID, "$.body.body: %s is no party of the agreement", body);
    return s == ST_OK ? check_draft(c, agreement, e) : s;
}

GUARD(annex_withdraw_guard)
{
    return check_draft(c, js_get_str(c->doc, "agreement"), e);
}

/* The agreement's own list of its annexes: `added` (taken over) in the place of this one, or NULL. */
static enum status list_annex(struct change *c, struct js *added, struct err *e)
{
    struct item agreement;
    bool found;
    const char *id = js_get_str(c->doc, "agreement");
    struct js *kept = js_array();
    enum status s = item_find(c->db, "agreement", id, &agreement, &found, e);
    const struct js *old = js_get(agreement.doc, "private_annexes");
    for (size_t i = 0; i < js_size(old); i++)
        if (!doc_is(js_at(old, i), "annex", c->id))
            js_push(kept, js_share(js_at(old, i)));
    if (added)
        js_push(kept, added);
    if (s == ST_OK && found) {
        js_put(agreement.doc, "private_annexes", js_share(kept));
        agreement.changed = c->entry->seq;
        s = item_put(c->db, "agreement", id, &agreement, e);
    }
    js_free(kept);
    item_deinit(&agreement);
    return s;
}

FOLD(annex_add_fold)
{
    struct js *line = js_object();
    merge_all(c);
    js_put(c->doc, "added", done_by(c));
    js_put_str(line, "annex", c->id);
    js_put_str(line, "body", js_get_str(c->doc, "body"));
    js_put_str(line, "title", js_get_str(c->doc, "title"));
    js_put_str(line, "hash", js_get_str(js_get(c->doc, "text"), "hashed"));
    return list_annex(c, line, e);
}

FOLD(annex_withdraw_fold)
{
    enum status s = keep_reason_fold(c, e);
    return s == ST_OK ? list_annex(c, NULL, e) : s;
}

/* --- who may read one ----------------------------------------------------------------------------------- */

static bool is_nhs(struct db *d, const char *body)
{
    struct item i;
    bool found, nhs = false;
    if (item_find(d, "body", body, &i, &found, NULL) != ST_OK)
        return false;
    const char *kind = js_get_str(i.doc, "kind");
    nhs = found && kind && word_in("icb|trust|place|pcn|sde", kind);
    item_deinit(&i);
    return nhs;
}

/* Its own body's people and those of the agreement's NHS bodies; certifiers and auditors of no party. */
static enum status role_reads(struct db *d, const struct js *annex, enum role role, const char *body,
                              bool *out, struct err *e)
{
    bool party = false;
    enum status s = parties_have(d, "agreement", js_get_str(annex, "agreement"), body, &party, e);
    if (!party)
        *out = role == ROLE_CERTIFIER || role == ROLE_AUDITOR;
    else
        *out = (ROLE(MEMBER) | ROLE(LEAD) | ROLE(SIGNATORY) | ROLE(CONTROLLER) | ROLE(IP_LEAD)) >> role & 1 &&
               (doc_is(annex, "body", body) || is_nhs(d, body));
    return s;
}

static enum status person_reads(struct db *d, const struct js *annex, const char *person, int32_t day,
                                bool *out, struct err *e)
{
    struct stmt *q;
    bool row = true;
    enum status s = db_prepare(d, "SELECT DISTINCT role, body FROM held WHERE person=?1", &q, e);
    *out = false;
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, person);
    while (s == ST_OK && !*out && (s = stmt_step(q, &row, e)) == ST_OK && row) {
        enum role role;
        bool reads = false;
        if (role_find(stmt_text(q, 0), &role))
            s = role_reads(d, annex, role, stmt_text(q, 1), &reads, e);
        if (s == ST_OK && reads)
            s = access_counts(d, person, role, stmt_text(q, 1), day, out, NULL, e);
    }
    stmt_done(q);
    return s;
}

enum status annex_read(struct registry *r, const char *id, const char *person, int32_t day, struct js **out,
                       struct err *e)
{
    bool may = false;
    enum status s = registry_item_personal(r, "annex", id, out, e);
    if (s == ST_OK)
        s = person_reads(ledger_db(registry_ledger(r)), *out, person, day, &may, e);
    if (s == ST_OK && !may)
        s = refuse(e, RULE_PRIVATE_ANNEX, "it is %s's", js_get_str(*out, "body"));
    if (s != ST_OK) {
        js_free(*out);
        *out = NULL;
    }
    return s;
}
