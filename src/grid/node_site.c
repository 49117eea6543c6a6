/* SPDX-License-Identifier: Apache-2.0
 *
 * A site's side of a run: check the request once, compute the sums of a round once, mask and seal them for
 * each attempt. The sums of a round are kept until the run is over, so that a repeated attempt sends the same
 * sums under fresh masks.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "disclose/record_keys.h"
#include "grid/node_state.h"

static enum status refuse_run(struct node *n, const char *run, const char *rule, const char *reason,
                              struct err *e)
{
    struct js *body = js_object();
    char *told = xasprintf("rule %s: %s", rule, reason);
    js_put_str(body, "reason", told);
    free(told);
    log_event(LOG_WARN, "node.refused", "run", run, "rule", rule, "text", reason, NULL);
    enum status s = db_begin(n->db, e);
    if (s != ST_OK) {
        js_free(body);
        return s;
    }
    s = node_run_put(n, run, "refused", reason, NULL, NULL, e);
    if (s == ST_OK)
        s = node_tell(n, run, "run.decline", body, NULL, e);
    else
        js_free(body);
    if (s == ST_OK)
        return db_commit(n->db, e);
    db_rollback(n->db);
    return s;
}

/* Tells the hub that this site takes part, with the day of its opt-outs. */
static enum status tell_admitted(struct node *n, const char *run, struct err *e)
{
    char day[11];
    bool known = false;
    enum status s = opt_out_day(n, day, &known, e);
    if (s != ST_OK)
        return s;
    struct js *body = js_object();
    if (known)
        js_put_str(body, "opt_outs_checked", day);
    else
        js_put(body, "synthetic", js_boolean(true));
    return node_tell(n, run, "run.admit", body, NULL, e);
}

static enum status tell_deferred(struct node *n, const char *run, struct err *e)
{
    struct js *body = js_object();
    js_put_str(body, "reason", "a person at this site admits each run");
    return node_tell(n, run, "run.defer", body, NULL, e);
}

/* Keeps what was checked, and tells whether a person is to be asked first. */
static enum status take(struct node *n, const char *run, const struct node_run *r, struct err *e)
{
    bool ask = strcmp(r->state, "asking") == 0;
    enum status s = db_begin(n->db, e);
    if (s != ST_OK)
        return s;
    s = ask ? tell_deferred(n, run, e) : tell_admitted(n, run, e);
    if (s == ST_OK)
        s = node_run_put(n, run, r->state, "", r->request, r->terms, e);
    if (s == ST_OK)
        return db_commit(n->db, e);
    db_rollback(n->db);
    return s;
}

/* A person of the site said yes (node_admit). */
static enum status take_admitted(struct node *n, const char *run, struct node_run *r, struct err *e)
{
    bool guarded = false;
    snprintf(r->state, sizeof r->state, "checked");
    enum status s = differencing_passed(n, run, &guarded, e);
    if (s != ST_OK || guarded)
        return s;
    return take(n, run, r, e);
}

static enum status refuse_halted(struct node *n, const char *run, struct node_run *r, bool *refused,
                                 struct err *e)
{
    char *reason = NULL;
    enum status s = node_halted(n, &reason, e);
    *refused = reason != NULL;
    if (s == ST_OK && reason)
        s = refuse_run(n, run, "halted", reason, e);
    if (reason)
        snprintf(r->state, sizeof r->state, "refused");
    free(reason);
    return s;
}

static enum status get_dossier(struct node *n, const char *run, struct js **out, struct err *e)
{
    char *target = xasprintf("/api/v1/runs/%s/dossier", run);
    enum status s = hub_get(n->hub, target, 0, out, e);
    free(target);
    return s;
}

/* Fetches what proves the run and checks it by the site's policy as it is now; also that nothing was left out,
   by what this node has read of the log itself. */
static enum status check_dossier(struct node *n, const char *run, struct node_run *r, char rule[32],
                                 struct err *e)
{
    struct js *dossier = NULL;
    rule[0] = '\0';
    enum status s = node_policy_reload(n, e);
    if (s == ST_OK)
        s = get_dossier(n, run, &dossier, e);
    if (s == ST_OK)
        s = log_follow(n, e);
    if (s == ST_OK)
        s = request_check(n, dossier, r, rule, e);
    if (s == ST_OK) {
        s = dossier_whole(n, dossier, r->terms, e);
        if (s == ST_DENIED)
            rule_set(rule, "complete");
    }
    js_free(dossier);
    return s;
}

/* The same; once more when the log went on between dossier and reading. Refuses the run by the rule. */
static enum status check_or_refuse(struct node *n, const char *run, struct node_run *r, struct err *e)
{
    char rule[32];
    struct err why = {0};
    node_run_deinit(r);
    enum status s = check_dossier(n, run, r, rule, &why);
    if (strcmp(rule, "complete") == 0) {
        node_run_deinit(r);
        s = check_dossier(n, run, r, rule, &why);
    }
    if (s != ST_OK && rule[0]) {
        s = refuse_run(n, run, rule, why.text, e);
        snprintf(r->state, sizeof r->state, "refused");
    } else if (s != ST_OK && e) {
        *e = why;
    }
    return s;
}

/* First sight of a run: check, then take or refuse. */
static enum status meet(struct node *n, const char *run, struct node_run *r, struct err *e)
{
    bool refused;
    enum status s = refuse_halted(n, run, r, &refused, e);
    if (s != ST_OK || refused)
        return s;
    s = check_or_refuse(n, run, r, e);
    if (s != ST_OK || strcmp(r->state, "refused") == 0)
        return s;
    snprintf(r->state, sizeof r->state, n->policy.admission == ADMIT_PERSON ? "asking" : "checked");
    log_event(LOG_INFO, "node.checked", "run", run, NULL);
    return take(n, run, r, e);
}

/* A run that was checked before is checked again when its agreement or its analyst has new entries: a
   revocation counts from the moment it is in the log, whatever the hub asks for afterwards. */
static enum status check_again(struct node *n, const char *run, struct node_run *r, struct err *e)
{
    bool moved = false;
    char state[sizeof r->state];
    memcpy(state, r->state, sizeof state);
    enum status s = log_moved(n, r->terms, &moved, e);
    if (s != ST_OK || !moved)
        return s;
    s = check_or_refuse(n, run, r, e);
    if (s != ST_OK || strcmp(r->state, "refused") == 0)
        return s;
    memcpy(r->state, state, sizeof state);
    return node_run_put(n, run, r->state, "", r->request, r->terms, e);
}

static enum status local_find(struct node *n, const char *run, int round, struct sums *out, bool *found,
                              struct err *e)
{
    struct stmt *q;
    *found = false;
    enum status s = db_prepare(n->db, "SELECT sums FROM local WHERE run=?1 AND round=?2", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    stmt_bind_int(q, 2, round);
    s = stmt_step(q, found, e);
    if (s == ST_OK && *found) {
        struct slice bytes = stmt_blob(q, 0);
        s = sums_decode(bytes, bytes.n / SUM_BYTES, out, e);
    }
    stmt_done(q);
    return s;
}

static enum status local_keep(struct node *n, const char *run, int round, const char *snapshot,
                              const struct sums *v, struct err *e)
{
    struct buf bytes;
    struct stmt *q;
    buf_init(&bytes, v->n * SUM_BYTES);
    sums_encode(v, &bytes);
    enum status s = db_prepare(n->db, "INSERT OR REPLACE INTO local VALUES(?1, ?2, ?3, ?4)", &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, run);
        stmt_bind_int(q, 2, round);
        stmt_bind_blob(q, 3, bytes.p, bytes.n);
        stmt_bind_text(q, 4, snapshot);
        s = stmt_run(q, e);
    }
    buf_deinit(&bytes);
    return s;
}

/* All rounds of a run count the same persons, whom the guard was asked about in the first. */
static enum status same_snapshot(struct node *n, const char *run, const struct store *store, struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s = db_prepare(
        n->db, "SELECT 1 FROM local WHERE run=?1 AND snapshot<>'' AND snapshot<>?2 LIMIT 1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    stmt_bind_text(q, 2, store_snapshot_id(store));
    s = stmt_step(q, &row, e);
    stmt_done(q);
    if (s == ST_OK && row)
        return err_set(e, ST_DENIED,
                       "this site's data were imported anew since the run's first round; it has to be asked "
                       "for again");
    return s;
}

static enum status check_bounds(const struct study *study, const struct js *parameters, const struct sums *v,
                                struct err *e)
{
    sum_t *bounds = xcalloc(v->n ? v->n : 1, sizeof *bounds);
    enum status s = study_bounds(study, parameters, bounds, v->n, e);
    if (s == ST_OK)
        s = mask_check_bounds(v, bounds, e);
    free(bounds);
    return s;
}

/* Computes a round's sums and keeps them. The differencing guard is asked once, before those of the first
   round leave. */
static enum status compute(struct node *n, const struct node_run *r, const struct mask_place *place,
                           const struct study *study, const struct js *parameters, struct sums *out,
                           struct err *e)
{
    bool first = place->round == 1;
    struct store *store = NULL;
    struct site *site = NULL;
    struct record_keys keys = {0};
    bool keyed = false;
    enum status s = first ? run_has_keys(r, &keyed, e) : ST_OK;
    if (s == ST_OK && keyed)
        s = record_keys_open(n->data, &keys, e);
    if (s == ST_OK)
        s = store_open(n->store_path, &store, e);
    if (s == ST_OK)
        s = same_snapshot(n, place->run, store, e);
    if (s == ST_OK)
        s = study_site_open(study, store, n->pool, &site, e);
    if (s == ST_OK && keyed)
        study_site_give_keys(site, &keys);
    if (s == ST_OK)
        s = study_local(site, parameters, out, e);
    if (s == ST_OK)
        s = check_bounds(study, parameters, out, e);
    if (s == ST_OK && first)
        s = differencing_check(n, r, place->run, store_snapshot_id(store), site, e);
    if (s == ST_OK)
        s = local_keep(n, place->run, place->round, store_snapshot_id(store), out, e);
    study_site_close(site);
    store_close(store);
    record_keys_wipe(&keys);
    return s;
}

/* The first round's parameters follow from the study; later ones come with the work, sealed. */
static enum status parameters_of(struct node *n, const struct node_run *r, const struct study *study,
                                 const struct js *work, struct js **out, struct err *e)
{
    struct mask_place summed = {.round = (int)js_get_int(work, "round", 0) - 1};
    snprintf(summed.run, sizeof summed.run, "%s", js_get_str(work, "run"));
    if (summed.round == 0) {
        struct study_run *first;
        enum status begun = run_begin(r, study, &first, e);
        if (begun == ST_OK)
            *out = js_copy(study_run_parameters(first));
        study_run_free(first);
        return begun;
    }
    struct buf sealed;
    buf_init(&sealed, ORDER_MOST);
    enum status s = attempt_order(work, &sealed, e);
    if (s == ST_OK)
        s = order_open(n->id, &summed, buf_slice(&sealed), out, e);
    buf_deinit(&sealed);
    return s;
}

static enum status sums_of(struct node *n, const struct node_run *r, const struct js *work,
                           const struct mask_place *place, struct sums *out, struct err *e)
{
    struct study *study = NULL;
    struct js *parameters = NULL;
    bool found = false;
    enum status s = local_find(n, place->run, place->round, out, &found, e);
    if (s != ST_OK || found)
        return s;
    s = run_study(r, &study, e);
    if (s == ST_OK)
        s = parameters_of(n, r, study, work, &parameters, e);
    if (s == ST_OK)
        s = compute(n, r, place, study, parameters, out, e);
    js_free(parameters);
    study_free(study);
    return s;
}

static enum status part_done(struct node *n, const struct mask_place *place, bool *done, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(n->db, "SELECT 1 FROM part WHERE run=?1 AND round=?2 AND attempt=?3", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, place->run);
    stmt_bind_int(q, 2, place->round);
    stmt_bind_int(q, 3, place->attempt);
    s = stmt_step(q, done, e);
    stmt_done(q);
    return s;
}

static enum status part_mark(struct node *n, const struct mask_place *place, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(n->db, "INSERT INTO part(run, round, attempt) VALUES(?1, ?2, ?3)", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, place->run);
    stmt_bind_int(q, 2, place->round);
    stmt_bind_int(q, 3, place->attempt);
    return stmt_run(q, e);
}

static enum status why_refused(struct node *n, const char *run, char **out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s = db_prepare(n->db, "SELECT why FROM run WHERE id=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, run);
    s = stmt_step(q, &row, e);
    *out = xstrdup(s == ST_OK && row ? stmt_text(q, 0) : "");
    stmt_done(q);
    return s;
}

/* A refusal that came after this site's part of a round was sent is not heard for that round: it is told again
   when the site is asked for another one. */
static enum status decline_again(struct node *n, const struct mask_place *place, struct err *e)
{
    char *why = NULL;
    struct js *body = js_object();
    enum status s = why_refused(n, place->run, &why, e);
    char *told = xasprintf("this site has refused the run: %s", why ? why : "");
    js_put_str(body, "reason", told);
    if (s == ST_OK)
        s = db_begin(n->db, e);
    if (s == ST_OK) {
        s = node_tell(n, place->run, "run.decline", js_share(body), NULL, e);
        if (s == ST_OK)
            s = part_mark(n, place, e);
        if (s == ST_OK)
            s = db_commit(n->db, e);
        else
            db_rollback(n->db);
    }
    js_free(body);
    free(told);
    free(why);
    return s;
}

/* Everything may have been stopped while the sums were computed. */
static enum status still_wanted(struct node *n, const char *run, struct err *e)
{
    struct node_run r;
    enum status s = node_run_find(n, run, &r, e);
    if (s == ST_OK && strcmp(r.state, "checked") != 0)
        s = err_set(e, ST_CONFLICT, "the run was stopped at this site");
    node_run_deinit(&r);
    return s;
}

/* Which secret the cell keys of a first round's part were made with, by its id: for the disclosure record. */
static enum status name_record_key(struct node *n, const struct node_run *r, const struct mask_place *place,
                                   struct js *body, struct err *e)
{
    struct record_keys keys = {0};
    bool keyed = false;
    enum status s = run_has_keys(r, &keyed, e);
    if (s != ST_OK || !keyed || place->round != 1)
        return s;
    s = record_keys_open(n->data, &keys, e);
    if (s == ST_OK)
        js_put_str(body, "record_key", keys.id);
    record_keys_wipe(&keys);
    return s;
}

static enum status tell_part(struct node *n, const struct node_run *r, const struct mask_place *place,
                             const struct buf *sealed, struct err *e)
{
    char hash[2 * HASH_BYTES + 1];
    struct js *body = js_object();
    sha256_hex(buf_slice(sealed), hash);
    js_put_int(body, "round", place->round);
    js_put_int(body, "attempt", place->attempt);
    js_put_str(body, "hash", hash);
    enum status s = name_record_key(n, r, place, body, e);
    if (s == ST_OK)
        s = db_begin(n->db, e);
    if (s != ST_OK) {
        js_free(body);
        return s;
    }
    s = still_wanted(n, place->run, e);
    if (s == ST_OK)
        s = node_tell(n, place->run, "run.part", js_share(body), sealed, e);
    js_free(body);
    if (s == ST_OK)
        s = part_mark(n, place, e);
    if (s == ST_OK)
        return db_commit(n->db, e);
    db_rollback(n->db);
    return s;
}

static enum status make_part(struct node *n, const struct node_run *r, const struct js *work,
                             const struct mask_place *place, struct err *e)
{
    struct sums v = {0};
    struct site_key *sites = NULL, lead;
    size_t n_sites = 0;
    struct buf sealed;
    buf_init(&sealed, (size_t)MASK_MOST_SUMS * SUM_BYTES + 4096);
    enum status s = attempt_check(n, r, work, e);
    if (s == ST_OK)
        s = attempt_sites(work, &sites, &n_sites, e);
    if (s == ST_OK && !hex_decode(slice_of(js_get_str(work, "lead")), lead.bytes, sizeof lead.bytes))
        s = err_set(e, ST_INVALID, "the lead node's key is not 64 hex digits");
    if (s == ST_OK)
        s = sums_of(n, r, work, place, &v, e);
    if (s == ST_OK)
        s = mask_apply(n->id, sites, n_sites, place, &v, e);
    if (s == ST_OK)
        s = part_seal(n->id, &lead, place, &v, &sealed, e);
    if (s == ST_OK)
        s = tell_part(n, r, place, &sealed, e);
    if (s == ST_OK)
        log_event(LOG_INFO, "node.part", "run", place->run, NULL);
    sums_deinit(&v);
    free(sites);
    buf_deinit(&sealed);
    return s;
}

/* Faults that will be the same next time are told as refusals, so that nobody waits for this site. */
static bool is_final(enum status s)
{
    return s == ST_INVALID || s == ST_UNSUPPORTED || s == ST_DENIED || s == ST_INTERNAL || s == ST_UNSAFE;
}

/* The guard's answer, unless it left the run to a person. */
static enum status refuse_differencing(struct node *n, const char *run, const struct err *why, struct err *e)
{
    struct node_run r;
    enum status s = node_run_find(n, run, &r, e);
    if (s == ST_OK && strcmp(r.state, "asking") != 0)
        s = refuse_run(n, run, "differencing", why->text, e);
    node_run_deinit(&r);
    return s;
}

/* An attempt that is not right is told in full; what went wrong in computing may tell something of the data,
   so the log only hears that it did. */
static enum status refuse_computing(struct node *n, const char *run, enum status why_status,
                                    const struct err *why, struct err *e)
{
    log_err(LOG_WARN, "node.computation", why);
    if (why_status == ST_DENIED)
        return refuse_run(n, run, "attempt", why->text, e);
    if (why_status == ST_UNSAFE)
        return refuse_differencing(n, run, why, e);
    return refuse_run(n, run, "computation", "this site could not compute its sums; its operator can see why",
                      e);
}

enum status site_work(struct node *n, const struct js *work, struct err *e)
{
    struct mask_place place = {.round = (int)js_get_int(work, "round", 0),
                               .attempt = (int)js_get_int(work, "attempt", 0)};
    const char *run = js_get_str(work, "run");
    struct node_run r;
    bool done = false;
    snprintf(place.run, sizeof place.run, "%s", run);
    enum status s = part_done(n, &place, &done, e);
    if (s != ST_OK || done)
        return s;
    s = node_run_find(n, run, &r, e);
    if (s == ST_OK && strcmp(r.state, "refused") == 0)
        s = decline_again(n, &place, e);
    else if (s == ST_OK && !r.state[0])
        s = meet(n, run, &r, e);
    else if (s == ST_OK && (strcmp(r.state, "checked") == 0 || strcmp(r.state, "admitted") == 0))
        s = check_again(n, run, &r, e);
    if (s == ST_OK && strcmp(r.state, "admitted") == 0)
        s = take_admitted(n, run, &r, e);
    if (s == ST_OK && strcmp(r.state, "checked") == 0) {
        struct err why = {0};
        s = make_part(n, &r, work, &place, &why);
        if (s != ST_OK && is_final(s))
            s = refuse_computing(n, run, s, &why, e);
        else if (s != ST_OK && e)
            *e = why;
    }
    node_run_deinit(&r);
    return s;
}
