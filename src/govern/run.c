/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs and artefacts: a study asked for under an agreement, what the nodes did, and the output on its way
 * from held to released to open. The register holds hashes of parts and of held outputs, never a number that
 * was not released. */
#include <inttypes.h>

#include "base/date.h"
#include "govern/agreement.h"
#include "govern/nouns.h"
#include "govern/project.h"

enum { OPT_OUT_DAYS = 20, CHECKERS_NEEDED = 2 };

const struct field run_request_fields[] = {
    {"agreement", F_ID, true, "agreement", 0, NULL},
    {"study", F_OBJECT, true, NULL, 0, NULL},
    {"study_hash", F_HASH, true, NULL, 0, NULL},
    {"decision", F_TEXT, true, NULL, 1000, NULL},
    {0},
};
const struct field run_admit_fields[] = {
    {"opt_outs_checked", F_DATE, false, NULL, 0, NULL},
    {"synthetic", F_BOOL, false, NULL, 0, NULL}, /* instead: nobody's data, nobody to opt out */
    {"store", F_HASH, false, NULL, 0, NULL},
    {0},
};
static const struct field attempt_site_fields[] = {
    {"body", F_ID, true, "body", 0, NULL},
    {"node", F_HASH, true, NULL, 0, NULL},
    {0},
};
static const struct field missing_site_fields[] = {
    {"body", F_ID, true, "body", 0, NULL},
    {"why", F_TEXT, true, NULL, 1000, NULL},
    {0},
};
const struct field run_attempt_fields[] = {
    {"round", F_INT, true, NULL, 10000, NULL},
    {"attempt", F_INT, true, NULL, 10000, NULL},
    {"lead", F_HASH, true, NULL, 0, NULL},
    {"sites", F_LIST, true, NULL, 500, attempt_site_fields},
    {"missing", F_LIST, false, NULL, 500, missing_site_fields},
    {0},
};
const struct field run_part_fields[] = {
    {"round", F_INT, true, NULL, 10000, NULL},
    {"attempt", F_INT, true, NULL, 10000, NULL},
    {"hash", F_HASH, true, NULL, 0, NULL},
    {"record_key", F_TEXT, false, NULL, 16, NULL}, /* names the secret behind a site's cell keys */
    {0},
};
const struct field run_round_fields[] = {
    {"round", F_INT, true, NULL, 10000, NULL},
    {"attempt", F_INT, true, NULL, 10000, NULL},
    {"hash", F_HASH, true, NULL, 0, NULL}, /* of the next round's parameters, sealed to the sites */
    {0},
};
const struct field artefact_hold_fields[] = {
    {"run", F_ID, true, "run", 0, NULL},
    {"kind", F_ENUM, true, "result|model", 0, NULL},
    {"hash", F_HASH, true, NULL, 0, NULL},
    {"missing", F_IDS, false, "body", 100, NULL},
    {0},
};
const struct field run_act_fields[] = {
    {"taken", F_BOOL, true, NULL, 0, NULL},
    {"owner", F_ID, true, "person", 0, NULL},
    {"text", F_TEXT, true, NULL, 2000, NULL},
    {0},
};
const struct field artefact_release_fields[] = {
    {"document", F_OBJECT, true, NULL, 0, NULL},
    {"hash", F_HASH, true, NULL, 0, NULL},
    {0},
};
const struct field artefact_open_fields[] = {
    {"licence", F_ENUM, true, "OGL-UK-3.0|CC-BY-4.0|CC0-1.0|Apache-2.0|MIT", 0, NULL},
    {"title", F_TEXT, true, NULL, 0, NULL},
    {"lay", F_TEXT, true, NULL, 8000, NULL},
    {0},
};
const struct field artefact_publish_fields[] = {
    {"body", F_ID, true, "body", 0, NULL},
    {"title", F_TEXT, true, NULL, 150, NULL},
    {"kind", F_ENUM, true, "dataset|document|model|code|standard", 0, NULL},
    {"hash", F_HASH, false, NULL, 0, NULL},
    {"licence", F_ENUM, true, "OGL-UK-3.0|CC-BY-4.0|CC0-1.0|Apache-2.0|MIT|controlled", 0, NULL},
    {"lay", F_TEXT, true, NULL, 8000, NULL},
    {"metadata", F_OBJECT, false, NULL, 0, NULL},
    {"deidentified", F_TEXT, false, NULL, 2000, NULL},
    {"codes", F_CODES, false, NULL, 0, NULL},
    {0},
};

/* Runs */

/* Every analysis of the study, and the study itself, must be allowed by name or by "any". */
static enum status check_annex(const struct js *annex, const struct js *study, const char *hash,
                               struct err *e)
{
    const struct js *kinds = js_get(annex, "analyses"), *hashes = js_get(annex, "studies");
    const struct js *analyses = js_get(study, "analyses");
    if (!js_has_text(hashes, "any") && !js_has_text(hashes, hash))
        return refuse(e, RULE_ANNEX, "study %s is not in it", hash);
    if (js_has_text(kinds, "any"))
        return ST_OK;
    for (size_t i = 0; i < js_size(analyses); i++) {
        const char *kind = js_get_str(js_at(analyses, i), "kind");
        if (!kind || !js_has_text(kinds, kind))
            return refuse(e, RULE_ANNEX, "analysis '%.40s' is not in it", kind ? kind : "?");
    }
    return ST_OK;
}

static enum status check_lane_open(struct change *c, const char *id, struct err *e)
{
    struct item project;
    bool found;
    enum status s = item_find(c->db, "project", id, &project, &found, e);
    bool closed = s == ST_OK && found && project_lane_closed(project.doc, c->today);
    item_deinit(&project);
    return closed ? refuse(e, RULE_EMERGENCY, "that of project %s has closed", id) : s;
}

GUARD(run_request_guard)
{
    char hex[2 * HASH_BYTES + 1];
    const char *id = js_get_str(c->body, "agreement"), *hash = js_get_str(c->body, "study_hash");
    const struct js *study = js_get(c->body, "study");
    struct item agreement = {0};
    bool in_force, found;
    enum status s = registry_in_force(c->registry, id, c->today, &in_force, e);
    if (s == ST_OK && !in_force)
        s = refuse(e, RULE_IN_FORCE, "agreement %s", id);
    if (s == ST_OK)
        s = doc_hash(study, hex, e);
    if (s == ST_OK && strcmp(hex, hash) != 0)
        s = refuse(e, RULE_STUDY_HASH, "expected %s", hex);
    if (s == ST_OK)
        s = item_find(c->db, "agreement", id, &agreement, &found, e);
    if (s == ST_OK)
        s = check_annex(js_get(agreement.doc, "annex"), study, hash, e);
    if (s == ST_OK && js_get_str(agreement.doc, "project"))
        s = check_lane_open(c, js_get_str(agreement.doc, "project"), e);
    item_deinit(&agreement);
    return s;
}

FOLD(run_request_fold)
{
    struct item agreement;
    bool found;
    struct js *sites = js_array();
    enum status s = item_find(c->db, "agreement", js_get_str(c->body, "agreement"), &agreement, &found, e);
    merge_all(c);
    const struct js *parties = js_get(agreement.doc, "parties");
    for (size_t i = 0; s == ST_OK && i < js_size(parties); i++) {
        const char *body = js_get_str(js_at(parties, i), "body");
        if (!agreement_is_site(agreement.doc, body))
            continue;
        struct js *site = js_object();
        js_put_str(site, "body", body);
        js_put_str(site, "state", "asked");
        js_push(sites, site);
    }
    js_put(c->doc, "sites", sites);
    js_put(c->doc, "asked", done_by(c));
    if (agreement_lead(agreement.doc))
        js_put_str(c->doc, "lead", agreement_lead(agreement.doc));
    c->owner = c->actor_body;
    item_deinit(&agreement);
    return s == ST_OK ? index_text(c, e) : s;
}

/* The node's body must be a site of the run. */
GUARD(run_site_guard)
{
    if (c->node && !list_find(js_get(c->doc, "sites"), "body", c->actor_body))
        return refuse(e, RULE_RUN_SITE, "%s", c->actor_body);
    return ST_OK;
}

GUARD(run_admit_guard)
{
    bool in_force;
    int32_t checked = doc_day(c->body, "opt_outs_checked");
    const char *agreement = js_get_str(c->doc, "agreement");
    enum status s = run_site_guard(c, e);
    if (s == ST_OK && js_bool(js_get(c->body, "synthetic")))
        checked = c->today;
    else if (s == ST_OK && checked == DATE_NONE)
        s = err_set(e, ST_INVALID, "$.body.opt_outs_checked: expected the day, or 'synthetic': true");
    if (s == ST_OK && (checked > c->today || c->today - checked > OPT_OUT_DAYS))
        s = refuse(e, RULE_OPT_OUT_AGE, "they were checked %" PRId32 " days ago", c->today - checked);
    if (s == ST_OK)
        s = registry_in_force(c->registry, agreement, c->today, &in_force, e);
    return s == ST_OK && !in_force ? refuse(e, RULE_IN_FORCE, "agreement %s", agreement) : s;
}

static struct js *site_of(struct change *c)
{
    struct js *sites = js_edit(c->doc, "sites");
    for (size_t i = 0; i < js_size(sites); i++)
        if (doc_is(js_at(sites, i), "body", c->actor_body))
            return js_edit_at(sites, i);
    return NULL;
}

FOLD(run_admit_fold)
{
    struct js *site = site_of(c);
    (void)e;
    if (site) {
        js_put_str(site, "state", "admitted");
        const char *checked = js_get_str(c->body, "opt_outs_checked");
        js_put_str(site, "opt_outs_checked", checked ? checked : "synthetic");
        js_put_int(site, "at", c->entry->seq);
    }
    c->to = strcmp(c->state, "asked") == 0 ? "admitted" : c->state;
    return ST_OK;
}

static bool was_summed(const struct js *doc)
{
    const struct js *events = js_get(doc, "events");
    for (size_t i = 0; i < js_size(events); i++)
        if (doc_is(js_at(events, i), "verb", "run.round"))
            return true;
    return false;
}

/* A run cannot go on without its lead site; nor, once a round was summed, without any site whose numbers are
   in it. */
FOLD(run_decline_fold)
{
    struct js *site = site_of(c);
    if (site) {
        js_put_str(site, "state", "declined");
        js_put_str(site, "reason", js_get_str(c->body, "reason"));
        js_put_int(site, "at", c->entry->seq);
    }
    if (!site || !(doc_is(c->doc, "lead", c->actor_body) || was_summed(c->doc)))
        return ST_OK;
    c->to = "failed";
    return keep_reason_fold(c, e);
}

GUARD(run_lead_guard)
{
    const char *lead = js_get_str(c->doc, "lead");
    if (!lead || strcmp(lead, c->actor_body) != 0)
        return refuse(e, RULE_LEAD_NODE, "the lead of run %s is %s", c->id, lead ? lead : "nobody");
    return ST_OK;
}

/* Attempts, parts and rounds are events of the run: each entry's own facts, in order. */
FOLD(run_event_fold)
{
    struct js *event = js_copy(c->body);
    (void)e;
    js_put_str(event, "verb", c->verb->name);
    js_put(event, "by", done_by(c));
    js_push(doc_list(c->doc, "events"), event);
    return ST_OK;
}

/* What became of the decision that the run was to inform, and who answers for it. */
FOLD(run_act_fold)
{
    struct js *action = js_copy(c->body);
    (void)e;
    js_put(action, "by", done_by(c));
    js_push(doc_list(c->doc, "actions"), action);
    return ST_OK;
}

/* Artefacts */

static enum status check_lead(struct change *c, const char *run, struct err *e)
{
    struct item i;
    bool found;
    enum status s = item_find(c->db, "run", run, &i, &found, e);
    if (s != ST_OK || !found)
        return s;
    const char *lead = js_get_str(i.doc, "lead");
    if (!word_in("admitted|running|held", i.state))
        s = refuse(e, RULE_STATE, "run %s is %s", run, i.state);
    else if (!lead || !c->actor_body || strcmp(lead, c->actor_body) != 0)
        s = refuse(e, RULE_LEAD_NODE, "the lead of run %s is %s", run, lead ? lead : "nobody");
    item_deinit(&i);
    return s;
}

GUARD(artefact_hold_guard)
{
    return check_lead(c, js_get_str(c->body, "run"), e);
}

FOLD(artefact_hold_fold)
{
    merge_all(c);
    js_put_str(c->doc, "body", c->actor_body);
    return item_set_state(c, "run", js_get_str(c->body, "run"), "held", e);
}

/* Distinct people, none of a party (their reviews say so), who said yes to exactly the held bytes. */
static enum status yes_count(struct change *c, int64_t *out, struct err *e)
{
    char *about = arena_printf(c->arena, "artefact:%s", c->id);
    return db_number(
        c->db,
        "SELECT count(DISTINCT json_extract(doc, '$.person')) FROM item WHERE noun='review' AND about=?1 "
        "AND state='given' AND json_extract(doc, '$.perspective')='statistical' AND "
        "json_extract(doc, '$.verdict')='yes' AND json_extract(doc, '$.hash')=?2",
        PARAMS(about, js_get_str(c->doc, "hash")), 0, out, e);
}

GUARD(artefact_release_guard)
{
    char hex[2 * HASH_BYTES + 1];
    int64_t yes = 0;
    enum status s = check_lead(c, js_get_str(c->doc, "run"), e);
    if (s == ST_OK)
        s = yes_count(c, &yes, e);
    if (s == ST_OK && yes < CHECKERS_NEEDED)
        s = refuse(e, RULE_TWO_CHECKERS, "%" PRId64 " of 2 so far", yes);
    if (s == ST_OK)
        s = doc_hash(js_get(c->body, "document"), hex, e);
    if (s == ST_OK && !doc_is(c->body, "hash", hex))
        s = err_set(e, ST_INVALID, "$.body.hash: the document hashes to %s", hex);
    if (s == ST_OK && !doc_is(c->doc, "hash", hex))
        s = refuse(e, RULE_TWO_CHECKERS, "the document is not the one that was held and checked");
    return s;
}

FOLD(artefact_release_fold)
{
    const char *run = js_get_str(c->doc, "run");
    js_put(c->doc, "document", js_share(js_get(c->body, "document")));
    js_put_str(c->doc, "released_hash", js_get_str(c->body, "hash"));
    js_put(c->doc, "released", done_by(c));
    enum status s = run ? item_set_state(c, "run", run, "done", e) : ST_OK;
    return s == ST_OK ? index_text(c, e) : s;
}

FOLD(artefact_open_fold)
{
    merge_all(c);
    js_put(c->doc, "opened", done_by(c));
    return index_text(c, e);
}

/* A tombstone: who, when, why; the bytes are gone from what the register shows. */
FOLD(artefact_withdraw_fold)
{
    js_drop(c->doc, "document");
    return keep_reason_fold(c, e);
}

GUARD(artefact_publish_guard)
{
    bool dataset = doc_is(c->body, "kind", "dataset");
    if (dataset && !js_get(c->body, "deidentified"))
        return err_set(e, ST_INVALID,
                       "$.body.deidentified: a dataset says how it was made non-identifying, and who "
                       "attests it");
    return ST_OK;
}
