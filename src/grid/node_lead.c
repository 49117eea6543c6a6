/* SPDX-License-Identifier: Apache-2.0
 *
 * The lead node's side of a run: opens the parts of one attempt of a round, and of one only (two attempts
 * with different sites would differ by one site's part), adds them up, and asks the study for the next round
 * or finishes: raw result -> disclose/ -> an output that is held here until two checkers have approved it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "disclose/guard_book.h"
#include "disclose/release.h"
#include "grid/node_state.h"

struct lead {
    struct node *n;
    const struct js *work;
    struct mask_place place;
    struct node_run run;
    struct study *study;
    struct study_run *progress;
};

/* Claims the round for this attempt. *done: it was summed before. */
static enum status claim(struct lead *l, bool *done, struct err *e)
{
    struct stmt *q;
    bool row = false;
    *done = false;
    enum status s = db_prepare(
        l->n->db, "INSERT INTO opened(run, round, attempt) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, l->place.run);
    stmt_bind_int(q, 2, l->place.round);
    stmt_bind_int(q, 3, l->place.attempt);
    s = stmt_run(q, e);
    if (s == ST_OK)
        s = db_prepare(l->n->db, "SELECT attempt, done FROM opened WHERE run=?1 AND round=?2", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, l->place.run);
    stmt_bind_int(q, 2, l->place.round);
    s = stmt_step(q, &row, e);
    if (s == ST_OK && row && stmt_int(q, 0) != l->place.attempt)
        s = err_set(e, ST_DENIED,
                    "attempt %d of round %d was opened before; a second one is never opened, because the "
                    "difference would show one site's part",
                    (int)stmt_int(q, 0), l->place.round);
    *done = s == ST_OK && row && stmt_int(q, 1);
    stmt_done(q);
    return s;
}

static enum status fetch_part(struct lead *l, const char *site_hex, size_t n_sums, struct sums *total,
                              struct err *e)
{
    struct site_key site;
    struct sums part = {0};
    struct buf sealed;
    char *target =
        xasprintf("/api/v1/runs/%s/parts/%d/%d/%s", l->place.run, l->place.round, l->place.attempt, site_hex);
    buf_init(&sealed, (size_t)MASK_MOST_SUMS * SUM_BYTES + 4096);
    enum status s = hub_get_bytes(l->n->hub, target, &sealed, e);
    if (s == ST_OK && !hex_decode(slice_of(site_hex), site.bytes, sizeof site.bytes))
        s = err_set(e, ST_INVALID, "a site's key is not 64 hex digits");
    if (s == ST_OK)
        s = part_open(l->n->id, &site, &l->place, buf_slice(&sealed), n_sums, &part, e);
    if (s == ST_OK)
        s = sums_add(total, &part, e);
    sums_deinit(&part);
    buf_deinit(&sealed);
    free(target);
    return s;
}

static enum status check_total(struct lead *l, const struct sums *total, struct err *e)
{
    sum_t *bounds = xcalloc(total->n ? total->n : 1, sizeof *bounds);
    enum status s = study_bounds(l->study, study_run_parameters(l->progress), bounds, total->n, e);
    if (s == ST_OK)
        s = mask_check_total(total, bounds, js_size(js_get(l->work, "sites")), e);
    free(bounds);
    return s;
}

static enum status add_up(struct lead *l, struct sums *total, struct err *e)
{
    const struct js *sites = js_get(l->work, "sites");
    size_t n_sums = 0;
    enum status s = study_size(l->study, study_run_parameters(l->progress), &n_sums, e);
    if (s != ST_OK)
        return s;
    sums_init(total, n_sums);
    for (size_t i = 0; s == ST_OK && i < js_size(sites); i++)
        s = fetch_part(l, js_get_str(js_at(sites, i), "node"), n_sums, total, e);
    return s == ST_OK ? check_total(l, total, e) : s;
}

static enum status progress_load(struct lead *l, struct err *e)
{
    struct stmt *q;
    bool row = false;
    struct js *saved = NULL;
    enum status s = db_prepare(l->n->db, "SELECT state FROM progress WHERE run=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, l->place.run);
    s = stmt_step(q, &row, e);
    if (s == ST_OK && row)
        s = js_parse(slice_of(stmt_text(q, 0)), "node.db", &saved, e);
    stmt_done(q);
    if (s == ST_OK && saved)
        s = study_run_restore(l->study, saved, &l->progress, e);
    else if (s == ST_OK)
        s = run_begin(&l->run, l->study, &l->progress, e);
    js_free(saved);
    if (s == ST_OK && study_run_round(l->progress) != l->place.round)
        s = err_set(e, ST_CONFLICT, "the hub is at round %d, this lead node at %d", l->place.round,
                    study_run_round(l->progress));
    return s;
}

static enum status progress_keep(struct lead *l, struct err *e)
{
    struct stmt *q;
    struct buf text;
    struct js *saved = study_run_save(l->progress);
    buf_init(&text, (size_t)256 << 20);
    js_format(saved, JS_COMPACT, &text);
    js_free(saved);
    enum status s = buf_check(&text, "the state of the run", e);
    if (s == ST_OK)
        s = db_prepare(l->n->db, "INSERT OR REPLACE INTO progress VALUES(?1, ?2)", &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, l->place.run);
        stmt_bind_text(q, 2, text.p);
        s = stmt_run(q, e);
    }
    buf_deinit(&text);
    if (s == ST_OK)
        s = db_prepare(l->n->db, "UPDATE opened SET done=1 WHERE run=?1 AND round=?2", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, l->place.run);
    stmt_bind_int(q, 2, l->place.round);
    return stmt_run(q, e);
}

static struct js *placed_body(const struct lead *l)
{
    struct js *body = js_object();
    js_put_int(body, "round", l->place.round);
    js_put_int(body, "attempt", l->place.attempt);
    return body;
}

/* The parameters are numbers made of the data: only the sites can read them. */
static enum status tell_next_round(struct lead *l, struct err *e)
{
    char hash[2 * HASH_BYTES + 1];
    struct site_key *sites = NULL;
    size_t n_sites = 0;
    struct buf sealed;
    buf_init(&sealed, ORDER_MOST);
    enum status s = attempt_sites(l->work, &sites, &n_sites, e);
    if (s == ST_OK)
        s = order_seal(sites, n_sites, &l->place, study_run_parameters(l->progress), &sealed, e);
    if (s == ST_OK) {
        struct js *body = placed_body(l);
        sha256_hex(buf_slice(&sealed), hash);
        js_put_str(body, "hash", hash);
        s = node_tell(l->n, l->place.run, "run.round", body, &sealed, e);
    }
    free(sites);
    buf_deinit(&sealed);
    return s;
}

static bool took_part(const struct js *sites, const char *body)
{
    for (size_t i = 0; i < js_size(sites); i++)
        if (strcmp(js_get_str(js_at(sites, i), "body"), body) == 0)
            return true;
    return false;
}

static struct js *missing_of(const struct lead *l)
{
    const struct js *sites = js_get(l->work, "sites"), *agreed = js_get(l->run.terms, "sites");
    struct js *missing = js_array();
    for (size_t i = 0; i < js_size(agreed); i++)
        if (!took_part(sites, js_str(js_at(agreed, i))))
            js_push(missing, js_string(js_str(js_at(agreed, i))));
    return missing;
}

/* Whose secret made the cell keys, by its id, as the site told the log. */
static struct js *key_of_site(const struct js *site)
{
    struct js *j = js_object();
    js_put_str(j, "site", js_get_str(site, "body"));
    js_put_str(j, "id", js_get_str(site, "record_key"));
    return j;
}

/* What the disclosure record says of where the numbers come from; all of it is public. */
static struct js *context_of(const struct lead *l)
{
    const struct js *sites = js_get(l->work, "sites");
    struct js *c = js_object(), *names = js_array(), *keys = js_array();
    char hash[2 * HASH_BYTES + 1];
    study_hash(l->study, hash);
    js_put_str(c, "run", l->place.run);
    js_put_str(c, "agreement", js_get_str(l->run.terms, "agreement"));
    js_put_str(c, "study_sha256", hash);
    js_put(c, "cohorts_sha256", study_cohort_hashes(l->study));
    js_put_int(c, "rounds", l->place.round);
    for (size_t i = 0; i < js_size(sites); i++)
        js_push(names, js_string(js_get_str(js_at(sites, i), "body")));
    js_put(c, "sites", names);
    for (size_t i = 0; i < js_size(sites); i++)
        if (js_get_str(js_at(sites, i), "record_key"))
            js_push(keys, key_of_site(js_at(sites, i)));
    if (js_size(keys))
        js_put(c, "record_keys", js_share(keys));
    js_free(keys);
    js_put(c, "missing", missing_of(l));
    return c;
}

static enum status put_output(struct lead *l, const struct released *r, const struct js *view,
                              const char *hash, struct err *e)
{
    struct stmt *q;
    struct js *document = released_to_json(r);
    struct buf text, checks;
    char now[21];
    time_format(time_now_ms(), now);
    buf_init(&text, (size_t)64 << 20);
    buf_init(&checks, (size_t)256 << 20);
    js_format(document, JS_COMPACT, &text);
    js_format(view, JS_COMPACT, &checks);
    js_free(document);
    enum status s = buf_check(&text, "the output", e);
    if (s == ST_OK)
        s = buf_check(&checks, "the checker's view", e);
    if (s == ST_OK)
        s = db_prepare(l->n->db,
                       "INSERT INTO output(id, run, title, document, sha256, state, made, checks)"
                       " VALUES(?1, ?1, ?2, ?3, ?4, 'held', ?5, ?6)",
                       &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, l->place.run);
        stmt_bind_text(q, 2, released_title(r));
        stmt_bind_text(q, 3, text.p);
        stmt_bind_text(q, 4, hash);
        stmt_bind_text(q, 5, now);
        stmt_bind_text(q, 6, checks.p);
        s = stmt_run(q, e);
    }
    buf_deinit(&checks);
    buf_deinit(&text);
    return s;
}

static enum status hold(struct lead *l, const struct released *r, const struct js *view, struct err *e)
{
    char hash[2 * HASH_BYTES + 1];
    enum status s = released_hash(r, hash, e);
    if (s == ST_OK)
        s = put_output(l, r, view, hash, e);
    if (s != ST_OK)
        return s;
    struct js *body = js_object(), *missing = missing_of(l);
    js_put_str(body, "run", l->place.run);
    js_put_str(body, "kind", "result");
    js_put_str(body, "hash", hash);
    js_put(body, "missing", missing);
    return node_tell(l->n, l->place.run, "artefact.hold", body, NULL, e);
}

static enum status tell_failure(struct lead *l, const char *reason, struct err *e)
{
    struct js *body = js_object();
    js_put_str(body, "reason", reason);
    return node_tell(l->n, l->place.run, "run.fail", body, NULL, e);
}

/* Why an analysis cannot go on may tell something of the data ("no events in ..."), so it stays at this node,
   where people can read it; the log only hears that it is so. */
static enum status tell_data_failure(struct lead *l, const struct err *why, struct err *e)
{
    log_err(LOG_WARN, "node.analysis", why);
    enum status s = node_run_state(l->n, l->place.run, "failed", why->text, e);
    return s == ST_OK
               ? tell_failure(l,
                              "the analysis could not be finished with these data; the lead node's people "
                              "can see why and say what may be said",
                              e)
               : s;
}

/* Totals that single out a site's few persons beside earlier ones are for the checkers to see, or refused
   where this node's rules say so. */
static enum status beside_earlier(struct lead *l, const struct released *r, struct js *view, struct err *why)
{
    struct js *findings = NULL;
    enum status s = differencing_network(l->n, r, &findings, why);
    bool found = s == ST_OK && js_size(findings) > 0;
    if (found && l->n->policy.differencing == DIFFERENCING_REFUSE)
        s = err_set(why, ST_UNSAFE, "the differencing rule: " GUARD_REFUSAL);
    else if (found)
        js_put(view, "differencing", js_share(findings));
    js_free(findings);
    return s;
}

/* A result that disclosure control refuses ends the run with the rule; nothing of it is kept. */
static enum status make_output(struct lead *l, struct err *e)
{
    struct result *result = NULL;
    struct released *released = NULL;
    struct policy policy;
    struct err why = {0};
    struct js *context = context_of(l), *view = NULL;
    enum status s = study_run_finish(l->progress, &result, &why);
    if (s != ST_OK) {
        js_free(context);
        return tell_data_failure(l, &why, e);
    }
    s = policy_from_json(js_get(l->run.terms, "policy"), &policy, &why);
    if (s == ST_OK)
        s = disclose_release_viewed(result, &policy, context, &released, &view, &why);
    if (s == ST_OK)
        s = beside_earlier(l, released, view, &why);
    s = s == ST_OK ? hold(l, released, view, e) : tell_failure(l, why.text, e);
    js_free(view);
    js_free(context);
    released_free(released);
    result_free(result);
    return s;
}

static enum status conclude(struct lead *l, const struct sums *total, struct err *e)
{
    struct err why = {0};
    struct node_run now;
    enum status s = db_begin(l->n->db, e);
    if (s != ST_OK)
        return s;
    s = node_run_find(l->n, l->place.run, &now, e);
    bool halted = s == ST_OK && strcmp(now.state, "refused") == 0;
    node_run_deinit(&now);
    if (s != ST_OK || halted) {
        db_rollback(l->n->db);
        return halted ? err_set(e, ST_CONFLICT, "the lead site has stopped the run") : s;
    }
    if (study_run_advance(l->progress, total, &why) != ST_OK)
        s = tell_data_failure(l, &why, e);
    else if (study_run_finished(l->progress))
        s = make_output(l, e);
    else
        s = tell_next_round(l, e);
    if (s == ST_OK)
        s = progress_keep(l, e);
    if (s == ST_OK)
        return db_commit(l->n->db, e);
    db_rollback(l->n->db);
    return s;
}

static enum status sum_round(struct lead *l, struct err *e)
{
    struct sums total = {0};
    enum status s = l->run.terms ? attempt_check(l->n, &l->run, l->work, e)
                                 : err_set(e, ST_CONFLICT, "this node has not taken part in the run");
    if (s == ST_OK)
        s = run_study(&l->run, &l->study, e);
    if (s == ST_OK)
        s = progress_load(l, e);
    if (s == ST_OK)
        s = add_up(l, &total, e);
    if (s == ST_OK)
        s = conclude(l, &total, e);
    sums_deinit(&total);
    return s;
}

/* What would be so again, such as a part that its site did not make, ends the run and says why. */
static enum status fail_run(struct lead *l, const char *why, struct err *e)
{
    struct stmt *q;
    enum status s = db_begin(l->n->db, e);
    if (s != ST_OK)
        return s;
    s = tell_failure(l, why, e);
    if (s == ST_OK)
        s = db_prepare(l->n->db, "UPDATE opened SET done=1 WHERE run=?1", &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, l->place.run);
        s = stmt_run(q, e);
    }
    if (s == ST_OK)
        return db_commit(l->n->db, e);
    db_rollback(l->n->db);
    return s;
}

static bool is_final(enum status s)
{
    return s == ST_DENIED || s == ST_INVALID || s == ST_UNSUPPORTED || s == ST_CORRUPT || s == ST_CONFLICT;
}

enum status lead_work(struct node *n, const struct js *work, struct err *e)
{
    struct lead l = {.n = n, .work = work};
    struct err why = {0};
    bool done = false;
    snprintf(l.place.run, sizeof l.place.run, "%s", js_get_str(work, "run"));
    l.place.round = (int)js_get_int(work, "round", 0);
    l.place.attempt = (int)js_get_int(work, "attempt", 0);
    enum status s = claim(&l, &done, &why);
    if (s == ST_OK && !done)
        s = node_run_find(n, l.place.run, &l.run, &why);
    if (s == ST_OK && !done)
        s = sum_round(&l, &why);
    if (s == ST_OK && !done)
        log_event(LOG_INFO, "node.total", "run", l.place.run, NULL);
    if (s != ST_OK && is_final(s))
        s = fail_run(&l, why.text, e);
    else if (s != ST_OK && e)
        *e = why;
    study_run_free(l.progress);
    study_free(l.study);
    node_run_deinit(&l.run);
    return s;
}
