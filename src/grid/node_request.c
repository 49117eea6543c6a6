/* SPDX-License-Identifier: Apache-2.0
 *
 * What a node checks for itself before it computes anything. The hub's word counts for nothing here: the hub
 * is known by the key pinned at enrolment, and everything that it shows must lie in its signed log.
 *
 *     rule             what it refuses
 *     inclusion        an entry that is not proven to be in the hub's log
 *     request          a request that is not a well-formed, signed run.request for this agreement
 *     study-hash       another study than the one whose hash was signed
 *     study            a study that this program does not understand
 *     agreement        an agreement that is not signed by as many as it has parties, on exactly these terms
 *     in-force         ... or was revoked, ended or varied, or is outside its dates
 *     site             ... or does not name this site
 *     analyst          a key that is not that of an analyst of a party today (node_analyst.c)
 *     interests-declared, training
 *                      ... or whose declaration or training is not current
 *     annex            a study or analysis that the annex does not allow
 *     opt-out-age      a store whose national data opt-outs were applied too long ago
 *     policy           what the site's own policy does not take part in; disclosure rules looser than its own
 *
 * That the hub leaves nothing out of what it shows (rule complete) is checked by node_follow.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/mem.h"
#include "disclose/policy.h"
#include "govern/agreement.h"
#include "grid/node_state.h"
#include "ledger/command.h"
#include "ledger/proof.h"

void rule_set(char rule[32], const char *name)
{
    snprintf(rule, 32, "%s", name);
}

/* --- the agreement as the log tells it ----------------------------------------------------------------- */

struct agreed {
    struct js *doc; /* the members of its terms, as drafted and edited */
    size_t signatures;
    const char *ended; /* verb that ended it; NULL while it holds */
};

static void merge(struct js *into, const struct js *body)
{
    for (void *it = js_first(body); it; it = js_next(body, it))
        js_put(into, js_key(it), js_copy(js_value(it)));
}

static enum status take_signature(struct agreed *a, const struct ledger_entry *entry, struct err *e)
{
    char terms[2 * HASH_BYTES + 1];
    const char *signed_terms = js_get_str(entry->body, "terms");
    enum status s = agreement_terms(a->doc, terms, e);
    if (s == ST_OK && (!signed_terms || strcmp(signed_terms, terms) != 0))
        return err_set(e, ST_DENIED, "a signature of the agreement is for other terms");
    a->signatures++;
    return s;
}

static enum status fold_agreement(struct agreed *a, const struct ledger_entry *entry, struct err *e)
{
    const char *verb = entry->verb;
    if (strcmp(verb, "agreement.draft") == 0 || strcmp(verb, "agreement.edit") == 0 ||
        strcmp(verb, "agreement.summarise") == 0) {
        merge(a->doc, entry->body);
    } else if (strcmp(verb, "agreement.sign") == 0) {
        return take_signature(a, entry, e);
    } else if (strcmp(verb, "agreement.vary") == 0) {
        a->signatures = 0;
        js_drop(a->doc, "summary");
    } else if (strcmp(verb, "agreement.revoke") == 0 || strcmp(verb, "agreement.end") == 0) {
        a->ended = strcmp(verb, "agreement.end") == 0 ? "ended" : "revoked";
    }
    return ST_OK;
}

static enum status read_agreement(struct node *n, const struct js *proofs, const char *id, struct agreed *a,
                                  char rule[32], struct err *e)
{
    char subject[RUN_ID_MOST + 16];
    snprintf(subject, sizeof subject, "agreement:%s", id);
    int64_t last = -1;
    for (size_t i = 0; i < js_size(proofs); i++) {
        struct ledger_entry entry = {0};
        struct checkpoint checkpoint;
        enum status s = proof_check(js_at(proofs, i), &n->hub_key, &entry, &checkpoint, e);
        if (s == ST_OK && (strcmp(entry.subject, subject) != 0 || entry.seq <= last))
            s = err_set(e, ST_DENIED, "the entries shown are not those of agreement %s in order", id);
        if (s != ST_OK)
            rule_set(rule, "inclusion");
        last = entry.seq;
        if (s == ST_OK && (s = fold_agreement(a, &entry, e)) != ST_OK)
            rule_set(rule, "agreement");
        ledger_entry_deinit(&entry);
        if (s != ST_OK)
            return s;
    }
    return ST_OK;
}

static enum status check_in_force(const struct agreed *a, const char *id, char rule[32], struct err *e)
{
    const struct js *parties = js_get(a->doc, "parties");
    int32_t from, to, today = (int32_t)(time_now_ms() / 86400000);
    const char *from_text = js_get_str(a->doc, "from"), *to_text = js_get_str(a->doc, "to");
    if (js_size(parties) < 2 || a->signatures < js_size(parties)) {
        rule_set(rule, "agreement");
        return err_set(e, ST_DENIED, "agreement %s has %zu signatures of %zu parties", id, a->signatures,
                       js_size(parties));
    }
    rule_set(rule, "in-force");
    if (a->ended)
        return err_set(e, ST_DENIED, "agreement %s was %s", id, a->ended);
    if (!from_text || !to_text || !date_parse(slice_of(from_text), &from) ||
        !date_parse(slice_of(to_text), &to) || today < from || today > to)
        return err_set(e, ST_DENIED, "agreement %s is for %s to %s", id, from_text ? from_text : "?",
                       to_text ? to_text : "?");
    rule[0] = '\0';
    return ST_OK;
}

static enum status check_annex(const struct agreed *a, const struct study *study, char rule[32],
                               struct err *e)
{
    const struct js *annex = js_get(a->doc, "annex"), *studies = js_get(annex, "studies");
    const struct js *kinds = js_get(annex, "analyses");
    char hash[2 * HASH_BYTES + 1];
    study_hash(study, hash);
    rule_set(rule, "annex");
    if (!js_has_text(studies, "any") && !js_has_text(studies, hash))
        return err_set(e, ST_DENIED, "the agreement's annex does not name study %.16s...", hash);
    for (size_t i = 0; i < study_n_analyses(study); i++)
        if (!js_has_text(kinds, "any") && !js_has_text(kinds, study_analysis_kind(study, i)))
            return err_set(e, ST_DENIED, "the agreement's annex does not name the analysis '%s'",
                           study_analysis_kind(study, i));
    rule[0] = '\0';
    return ST_OK;
}

/* What the rest of the run needs of the agreement: {agreement, sites: [body], lead_site}. */
static enum status make_terms(const struct agreed *a, const char *id, const char *own_body, struct js **out,
                              char rule[32], struct err *e)
{
    const struct js *parties = js_get(a->doc, "parties");
    struct js *terms = js_object(), *sites = js_array();
    bool here = false;
    js_put_str(terms, "agreement", id);
    js_put(terms, "sites", sites);
    if (js_get_str(a->doc, "project"))
        js_put_str(terms, "project", js_get_str(a->doc, "project"));
    for (size_t i = 0; i < js_size(parties); i++) {
        const char *role = js_get_str(js_at(parties, i), "role"),
                   *body = js_get_str(js_at(parties, i), "body");
        bool leads = role && strcmp(role, "lead_site") == 0;
        if (!role || !body || (!leads && strcmp(role, "site") != 0))
            continue;
        js_push(sites, js_string(body));
        if (leads)
            js_put_str(terms, "lead_site", body);
        here = here || strcmp(body, own_body) == 0;
    }
    *out = terms;
    if (here)
        return ST_OK;
    rule_set(rule, "site");
    return err_set(e, ST_DENIED, "agreement %s does not name this site (%s)", id, own_body);
}

/* The disclosure policy of the agreement (the default profile where it names none) governs the run; a site
   that is stricter takes no part. So the strictest of the sites' policies always governs, and all can read it
   beforehand. */
static enum status check_disclosure(struct node *n, const struct agreed *a, struct js *terms, char rule[32],
                                    struct err *e)
{
    struct policy agreed, own, both;
    char agreed_hash[2 * HASH_BYTES + 1], both_hash[2 * HASH_BYTES + 1];
    const struct js *doc = js_get(a->doc, "policy");
    rule_set(rule, "policy");
    enum status s = doc ? policy_from_json(doc, &agreed, e) : policy_profile(NULL, &agreed, e);
    if (s == ST_OK)
        s = policy_load(n->policy.disclosure, &own, e);
    if (s != ST_OK)
        return s;
    memcpy(own.name, agreed.name, sizeof own.name);
    memcpy(own.approved_by, agreed.approved_by, sizeof own.approved_by);
    policy_strictest(&agreed, &own, &both);
    policy_hash(&agreed, agreed_hash);
    policy_hash(&both, both_hash);
    if (strcmp(agreed_hash, both_hash) != 0)
        return err_set(
            e, ST_DENIED,
            "this site's disclosure policy is stricter than the agreement's; the parties can agree on a "
            "stricter 'policy'");
    js_put(terms, "policy", policy_to_json(&agreed));
    rule[0] = '\0';
    return ST_OK;
}

/* --- the request --------------------------------------------------------------------------------------- */

static enum status check_study(struct node *n, const struct js *body, struct study **out, char rule[32],
                               struct err *e)
{
    char hash[2 * HASH_BYTES + 1];
    const char *named = js_get_str(body, "study_hash");
    rule_set(rule, "study");
    enum status s = study_parse(js_get(body, "study"), out, e);
    if (s != ST_OK)
        return s;
    study_hash(*out, hash);
    rule_set(rule, "study-hash");
    if (!named || strcmp(named, hash) != 0)
        return err_set(e, ST_DENIED, "the study is not the one whose hash was signed");
    rule_set(rule, "policy");
    for (size_t i = 0; n->policy.analyses && i < study_n_analyses(*out); i++) {
        const char *kind = study_analysis_kind(*out, i);
        bool allowed = false;
        for (size_t k = 0; !allowed && k < config_size(n->policy.analyses); k++)
            allowed = strcmp(config_text(config_at(n->policy.analyses, k)), kind) == 0;
        if (!allowed)
            return err_set(e, ST_DENIED, "this site takes no part in the analysis '%s'", kind);
    }
    rule[0] = '\0';
    return ST_OK;
}

enum status opt_out_day(struct node *n, char day[11], bool *known, struct err *e)
{
    struct store *store = NULL;
    int32_t checked = DATE_NONE;
    enum status s = store_open(n->store_path, &store, e);
    if (s != ST_OK)
        return s;
    const char *text = js_get_str(js_get(store_manifest(store), "opt_outs"), "checked");
    *known = text && strlen(text) >= 10 && date_parse((struct slice){text, 10}, &checked);
    date_format(checked, day);
    store_close(store);
    return ST_OK;
}

enum status opt_outs_check(struct node *n, char rule[32], struct err *e)
{
    char day[11];
    bool known = false;
    int32_t checked;
    if (!n->policy.opt_out_required)
        return ST_OK;
    enum status s = opt_out_day(n, day, &known, e);
    if (s != ST_OK)
        return s;
    rule_set(rule, "opt-out-age");
    if (!known)
        return err_set(e, ST_DENIED, "the store does not say when national data opt-outs were applied");
    if (!date_parse(slice_of(day), &checked) ||
        (int32_t)(time_now_ms() / 86400000) - checked > n->policy.opt_out_days)
        return err_set(e, ST_DENIED,
                       "national data opt-outs were last applied on %s, over %" PRId64 " days ago", day,
                       n->policy.opt_out_days);
    rule[0] = '\0';
    return ST_OK;
}

enum status request_check(struct node *n, const struct js *dossier, struct node_run *out, char rule[32],
                          struct err *e)
{
    struct ledger_entry entry = {0};
    struct checkpoint checkpoint;
    struct agreed agreed = {.doc = js_object()};
    struct study *study = NULL;
    const char *id = NULL;
    rule_set(rule, "inclusion");
    enum status s = proof_check(js_get(dossier, "request"), &n->hub_key, &entry, &checkpoint, e);
    if (s == ST_OK) {
        rule_set(rule, "request");
        id = js_get_str(entry.body, "agreement");
        if (strcmp(entry.verb, "run.request") != 0 || !id || strlen(id) > RUN_ID_MOST)
            s = err_set(e, ST_DENIED, "the entry shown is not a request for a run");
    }
    if (s == ST_OK)
        s = check_study(n, entry.body, &study, rule, e);
    if (s == ST_OK)
        s = read_agreement(n, js_get(dossier, "agreement"), id, &agreed, rule, e);
    if (s == ST_OK)
        s = check_in_force(&agreed, id, rule, e);
    if (s == ST_OK)
        s = make_terms(&agreed, id, n->body, &out->terms, rule, e);
    if (s == ST_OK)
        s = analyst_check(n, js_get(dossier, "analyst"), entry.actor, js_get(agreed.doc, "parties"), rule, e);
    if (s == ST_OK)
        s = check_disclosure(n, &agreed, out->terms, rule, e);
    if (s == ST_OK)
        s = check_annex(&agreed, study, rule, e);
    if (s == ST_OK)
        s = opt_outs_check(n, rule, e);
    if (s == ST_OK)
        out->request = js_share(entry.json);
    ledger_entry_deinit(&entry);
    js_free(agreed.doc);
    study_free(study);
    return s;
}

/* --- an attempt ---------------------------------------------------------------------------------------- */

enum status attempt_sites(const struct js *work, struct site_key **sites, size_t *n_sites, struct err *e)
{
    const struct js *list = js_get(work, "sites");
    *n_sites = js_size(list);
    *sites = xcalloc(*n_sites ? *n_sites : 1, sizeof **sites);
    for (size_t i = 0; i < *n_sites; i++) {
        const char *hex = js_get_str(js_at(list, i), "node");
        if (!hex || !hex_decode(slice_of(hex), (*sites)[i].bytes, SIGN_PUBLIC_BYTES))
            return err_set(e, ST_INVALID, "the attempt names a site without its key");
    }
    return ST_OK;
}

/* The key of a site's node is pinned when it is first seen, so that a hub cannot put its own in its place. */
static enum status check_peer(struct node *n, const char *body, const char *key, struct err *e)
{
    struct stmt *q;
    bool row = false, same = true;
    enum status s =
        db_prepare(n->db, "INSERT INTO peer(body, key) VALUES(?1, ?2) ON CONFLICT DO NOTHING", &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, body);
        stmt_bind_text(q, 2, key);
        s = stmt_run(q, e);
    }
    if (s == ST_OK)
        s = db_prepare(n->db, "SELECT key FROM peer WHERE body=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, body);
    s = stmt_step(q, &row, e);
    if (s == ST_OK && row)
        same = strcmp(stmt_text(q, 0), key) == 0;
    stmt_done(q);
    if (s == ST_OK && !same)
        s = err_set(e, ST_DENIED,
                    "the node key of %s is not the one known here; ask them, then run 'accord node trust'",
                    body);
    return s;
}

enum status node_trust(const char *data, const char *body, const char *key_hex, struct err *e)
{
    struct node *n;
    struct stmt *q;
    uint8_t key[SIGN_PUBLIC_BYTES];
    if (!hex_decode(slice_of(key_hex), key, sizeof key))
        return err_set(e, ST_USAGE, "a key is 64 hex digits, as 'accord node status' prints it");
    enum status s = node_open(data, false, NULL, &n, e);
    if (s != ST_OK)
        return s;
    s = db_prepare(n->db, "INSERT INTO peer VALUES(?1, ?2) ON CONFLICT(body) DO UPDATE SET key=?2", &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, body);
        stmt_bind_text(q, 2, key_hex);
        s = stmt_run(q, e);
    }
    node_close(n);
    return s;
}

enum status attempt_order(const struct js *work, struct buf *out, struct err *e)
{
    char hash[2 * HASH_BYTES + 1];
    const char *named = js_get_str(js_get(js_get(work, "order"), "body"), "hash");
    const char *text = js_get_str(work, "sealed");
    size_t n = text ? strlen(text) : 0;
    uint8_t *bytes = xmalloc(n + 1);
    long got = base64_decode((struct slice){text, n}, bytes, n);
    if (got > 0)
        buf_add(out, bytes, (size_t)got);
    free(bytes);
    sha256_hex(buf_slice(out), hash);
    return named && got > 0 && strcmp(hash, named) == 0
               ? ST_OK
               : err_set(e, ST_DENIED, "the order of this round is not the one that the lead node signed");
}

/* The sites of a later round are those whose numbers the lead node has summed. */
static enum status check_sealed(const struct js *work, struct err *e)
{
    struct mask_place summed = {.round = (int)js_get_int(work, "round", 0) - 1};
    struct site_key *sites = NULL;
    size_t n_sites = 0;
    struct buf sealed;
    snprintf(summed.run, sizeof summed.run, "%s", js_get_str(work, "run"));
    buf_init(&sealed, ORDER_MOST);
    enum status s = attempt_order(work, &sealed, e);
    if (s == ST_OK)
        s = attempt_sites(work, &sites, &n_sites, e);
    if (s == ST_OK && !order_names(&summed, buf_slice(&sealed), sites, n_sites))
        s = err_set(e, ST_DENIED, "the sites of round %d are not those of the round before",
                    summed.round + 1);
    free(sites);
    buf_deinit(&sealed);
    return s;
}

/* A later round's parameters are the lead node's, in an entry that it signed. */
static enum status check_order(const struct js *work, struct err *e)
{
    const struct js *order = js_get(work, "order"), *body = js_get(order, "body");
    const char *actor = js_get_str(order, "actor"), *verb = js_get_str(order, "verb");
    const char *subject = js_get_str(order, "subject"), *run = js_get_str(work, "run");
    if (js_get_int(work, "round", 0) == 1)
        return order ? err_set(e, ST_DENIED, "the first round's parameters follow from the study alone")
                     : ST_OK;
    if (!order || !actor || !verb || !subject || strcmp(actor, js_get_str(work, "lead")) != 0 ||
        strcmp(verb, "run.round") != 0 || strncmp(subject, "run:", 4) != 0 || strcmp(subject + 4, run) != 0 ||
        js_get_int(body, "round", 0) + 1 != js_get_int(work, "round", 0))
        return err_set(e, ST_DENIED, "the lead node has not asked for this round");
    enum status s = check_sealed(work, e);
    return s == ST_OK ? command_check_signature(order, e) : s;
}

enum status attempt_check(struct node *n, const struct node_run *r, const struct js *work, struct err *e)
{
    const struct js *list = js_get(work, "sites"), *agreed = js_get(r->terms, "sites");
    const char *lead = js_get_str(work, "lead"), *lead_site = js_get_str(r->terms, "lead_site");
    bool lead_there = false;
    enum status s = ST_OK;
    if (!lead || !lead_site)
        return err_set(e, ST_DENIED, "the agreement or the attempt names no lead");
    for (size_t i = 0; s == ST_OK && i < js_size(list); i++) {
        const char *body = js_get_str(js_at(list, i), "body"), *key = js_get_str(js_at(list, i), "node");
        if (!body || !key || !js_has_text(agreed, body))
            return err_set(e, ST_DENIED, "the attempt names a site that is not of the agreement");
        if (strcmp(body, n->body) == 0 && strcmp(key, n->key_hex) != 0)
            return err_set(e, ST_DENIED, "the attempt names another node for this site");
        lead_there = lead_there || (strcmp(key, lead) == 0 && strcmp(body, lead_site) == 0);
        s = check_peer(n, body, key, e);
    }
    if (s == ST_OK && !lead_there)
        s = err_set(e, ST_DENIED, "the attempt's lead is not the node of the agreement's lead site");
    return s == ST_OK ? check_order(work, e) : s;
}
