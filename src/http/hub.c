/* SPDX-License-Identifier: Apache-2.0 */
#include "http/hub.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/date.h"
#include "base/file.h"
#include "base/log.h"
#include "govern/due.h"
#include "grid/mask.h"
#include "http/route.h"

enum { TICK_MS = 100, CHECKPOINT_MS = 1000, DUE_MS = 2000, WORKERS = 4, BODY_MOST = 96 << 20 };

void hub_lock(struct hub *h)
{
    pthread_mutex_lock(&h->lock);
}

void hub_unlock(struct hub *h)
{
    pthread_mutex_unlock(&h->lock);
}

enum status hub_node_body(struct hub *h, const char *key_hex, struct arena *a, char **body, struct err *e)
{
    struct js *actor = NULL;
    *body = NULL;
    enum status s = registry_actor(h->registry, key_hex, &actor, e);
    const char *kind = js_get_str(actor, "kind"), *of = js_get_str(actor, "body");
    if (s == ST_OK && (!kind || strcmp(kind, "node") != 0 || !of))
        s = err_set(e, ST_NOT_FOUND, "this key is not that of an enrolled node");
    if (s == ST_OK)
        *body = arena_strdup(a, of);
    js_free(actor);
    return s;
}

/* Was this very command taken before? Then the board's state has moved on and must not refuse it. */
static bool is_repeated(struct hub *h, const struct js *command)
{
    struct ledger_entry entry = {0};
    struct err ignored;
    const char *actor = js_get_str(command, "actor"), *nonce = js_get_str(command, "nonce");
    bool found = actor && nonce &&
                 ledger_find_nonce(registry_ledger(h->registry), actor, nonce, &entry, &ignored) == ST_OK;
    ledger_entry_deinit(&entry);
    return found;
}

/* The register ends the runs of an agreement that was revoked, ended or varied. */
static enum status stop_killed(struct hub *h, struct err *e)
{
    struct js *ids = NULL;
    enum status s = board_active(h->board, &ids, e);
    for (size_t i = 0; s == ST_OK && i < js_size(ids); i++) {
        struct js *run = NULL;
        s = registry_item(h->registry, "run", js_str(js_at(ids, i)), &run, e);
        const char *state = js_get_str(run, "state");
        if (s == ST_OK && state && strcmp(state, "killed") == 0)
            s = board_stop(h->board, js_str(js_at(ids, i)), "the agreement is no longer in force", e);
        js_free(run);
    }
    js_free(ids);
    return s;
}

static enum status catch_up(struct hub *h, bool *changed, struct err *e)
{
    int64_t before = 0, after = 0;
    enum status s = board_next(h->board, &before, e);
    if (s == ST_OK)
        s = board_catch_up(h->board, registry_ledger(h->registry), e);
    if (s == ST_OK)
        s = board_next(h->board, &after, e);
    *changed = after != before;
    return s == ST_OK && *changed ? stop_killed(h, e) : s;
}

static enum status apply(struct hub *h, const struct js *command, struct ledger_entry *entry, struct err *e)
{
    bool changed = false;
    enum status s = is_repeated(h, command) ? ST_OK : board_check(h->board, command, e);
    if (s == ST_OK)
        s = registry_apply(h->registry, command, entry, e);
    if (s == ST_OK)
        s = catch_up(h, &changed, e);
    if (changed && h->server)
        server_wake(h->server);
    return s;
}

enum status hub_say(struct hub *h, const char *verb, const char *subject, struct js *body, struct err *e)
{
    struct js *command = NULL;
    enum status s = command_make(h->id, verb, subject, body, &command, e);
    if (s == ST_OK)
        s = apply(h, command, NULL, e);
    js_free(command);
    return s;
}

/* The present node of a body: {"node", "body"}, or {"body", "why"}. */
static enum status site_of(struct hub *h, const char *body, struct js **out, bool *there, struct err *e)
{
    struct registry_query q = {.noun = "node", .state = "enrolled", .body = body, .limit = 1000};
    struct js *nodes = NULL, *site = js_object();
    enum status s = registry_list(h->registry, &q, &nodes, e);
    const struct js *newest = NULL;
    for (size_t i = 0; s == ST_OK && i < js_size(nodes); i++)
        if (!newest || js_get_int(js_at(nodes, i), "changed", 0) > js_get_int(newest, "changed", 0))
            newest = js_at(nodes, i);
    js_put_str(site, "body", body);
    *there = newest != NULL;
    if (newest)
        js_put_str(site, "node", js_get_str(newest, "key"));
    else
        js_put_str(site, "why", "no node is enrolled");
    js_free(nodes);
    *out = site;
    return s;
}

/* The agreement's sites in two lists, and the lead site's node (borrowed from them). */
static enum status divide_sites(struct hub *h, const struct js *agreement, struct js *sites,
                                struct js *missing, const char **lead_key, struct err *e)
{
    const struct js *parties = js_get(agreement, "parties");
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < js_size(parties); i++) {
        struct js *site;
        bool there;
        const char *role = js_get_str(js_at(parties, i), "role");
        bool leads = role && strcmp(role, "lead_site") == 0;
        if (!role || (!leads && strcmp(role, "site") != 0))
            continue;
        s = site_of(h, js_get_str(js_at(parties, i), "body"), &site, &there, e);
        if (there && leads)
            *lead_key = js_get_str(site, "node");
        js_push(there ? sites : missing, site);
    }
    return s;
}

static enum status first_attempt(struct hub *h, const char *run, const char *agreement_id, struct err *e)
{
    struct js *agreement = NULL, *body = js_object(), *sites = js_array(), *missing = js_array();
    const char *lead_key = NULL;
    char *subject = xasprintf("run:%s", run);
    enum status s = registry_item(h->registry, "agreement", agreement_id, &agreement, e);
    if (s == ST_OK)
        s = divide_sites(h, agreement, sites, missing, &lead_key, e);
    bool enough = s == ST_OK && lead_key && js_size(sites) >= MASK_LEAST_SITES;
    js_put_int(body, "round", 1);
    js_put_int(body, "attempt", 1);
    js_put_str(body, "lead", lead_key ? lead_key : "");
    js_put(body, "sites", sites);
    if (js_size(missing))
        js_put(body, "missing", js_share(missing));
    js_free(missing);
    if (enough) {
        s = hub_say(h, "run.attempt", subject, body, e);
    } else {
        js_free(body);
        if (s == ST_OK)
            s = board_note(
                h->board, run,
                "waiting: at least three sites of the agreement, the lead site among them, need an "
                "enrolled node",
                e);
    }
    js_free(agreement);
    free(subject);
    return s;
}

/* What comes about by itself on its day: looked for when the log or the day is another than at the last look.
 */
static enum status say_due(struct hub *h, int64_t now_ms, struct err *e)
{
    struct js *due = NULL;
    int64_t size = 0, day = now_ms / 86400000;
    if (now_ms - h->due_ms < DUE_MS)
        return ST_OK;
    h->due_ms = now_ms;
    enum status s = ledger_size(registry_ledger(h->registry), &size, e);
    if (s != ST_OK || (size == h->due_size && day == h->due_day))
        return s;
    s = registry_due(h->registry, (int32_t)day, &due, e);
    for (size_t i = 0; s == ST_OK && i < js_size(due); i++)
        s = hub_say(h, js_get_str(js_at(due, i), "verb"), js_get_str(js_at(due, i), "subject"), js_object(),
                    e);
    js_free(due);
    if (s == ST_OK) {
        h->due_size = size;
        h->due_day = day;
    }
    return s;
}

/* What the hub itself has to say now. */
static enum status settle(struct hub *h, struct err *e)
{
    struct js *asked = NULL, *again = NULL;
    enum status s = board_due(h->board, time_now_ms(), &asked, &again, e);
    for (size_t i = 0; s == ST_OK && i < js_size(asked); i++)
        s = first_attempt(h, js_get_str(js_at(asked, i), "run"), js_get_str(js_at(asked, i), "agreement"), e);
    for (size_t i = 0; s == ST_OK && i < js_size(again); i++) {
        char *subject = xasprintf("run:%s", js_get_str(js_at(again, i), "run"));
        s = hub_say(h, "run.attempt", subject, js_copy(js_get(js_at(again, i), "body")), e);
        free(subject);
    }
    js_free(asked);
    js_free(again);
    return s;
}

enum status hub_submit(struct hub *h, const struct js *command, struct ledger_entry *entry, struct err *e)
{
    struct err later = {0};
    enum status s = apply(h, command, entry, e);
    if (s == ST_OK && settle(h, &later) != ST_OK)
        log_err(LOG_ERROR, "hub.settle", &later); /* the command stands; the next tick tries again */
    return s;
}

/* --- the process --------------------------------------------------------------------------------------- */

static enum status open_parts(struct hub *h, const struct hub_options *o, struct err *e)
{
    char *key = xasprintf("%s/hub.key", o->data), *reg = xasprintf("%s/register.db", o->data);
    char *grid = xasprintf("%s/grid.db", o->data), *accounts = xasprintf("%s/accounts.db", o->data);
    enum status s = ST_OK;
    if (!file_exists(reg) || !file_exists(key))
        s = err_set(
            e, ST_NOT_FOUND,
            "there is no register in this folder; begin it with 'accord register found DIR/register.db "
            "--hub-identity DIR/hub.key' and the first steward's key");
    if (s == ST_OK)
        s = dir_lock(o->data, &h->folder, e);
    if (s == ST_OK)
        s = identity_load(key, &h->id, e);
    if (s == ST_OK)
        s = registry_open(reg, DB_WRITE, h->id, NULL, &h->registry, e);
    if (s == ST_OK)
        s = accounts_open(accounts, h->id, &h->accounts, e);
    if (s == ST_OK)
        s = board_open(grid, &o->board, &h->board, e);
    if (s == ST_OK)
        s = board_catch_up(h->board, registry_ledger(h->registry), e);
    if (s == ST_OK)
        s = stop_killed(h, e);
    if (s == ST_OK)
        h->snapshots = snapshots_new(reg, grid, h->id);
    free(key);
    free(reg);
    free(grid);
    free(accounts);
    return s;
}

enum status hub_open(const struct hub_options *o, struct hub **out, struct err *e)
{
    struct hub *h = xcalloc(1, sizeof *h);
    struct server_options server = {.listen = o->listen,
                                    .certificate = o->certificate,
                                    .key_path = o->key_path,
                                    .max_body = BODY_MOST,
                                    .threads = WORKERS,
                                    .handler = route_handle,
                                    .context = h};
    *out = NULL;
    h->folder = -1;
    pthread_mutex_init(&h->lock, NULL);
    h->guard = replay_guard_new(time_now_ms());
    h->limiter = limiter_new();
    h->answers = answers_new();
    h->activity = activity_new();
    enum status s = open_parts(h, o, e);
    if (s == ST_OK && o->sign_in)
        s = oidc_open(o->sign_in, &h->oidc, e);
    if (s == ST_OK) {
        struct server *opened;
        hub_lock(h); /* requests may come before h->server is set */
        s = server_open(&server, &opened, e);
        h->server = s == ST_OK ? opened : NULL;
        hub_unlock(h);
    }
    if (s == ST_OK)
        *out = h;
    else
        hub_close(h);
    return s;
}

/* Readers sign checkpoints and keep none: so that one is in the file for `accord ledger prove`, one is kept
   once a second while the log grows. */
static enum status keep_checkpoint(struct hub *h, int64_t now_ms, struct err *e)
{
    int64_t size = 0;
    struct buf note;
    if (now_ms - h->checkpoint_ms < CHECKPOINT_MS)
        return ST_OK;
    h->checkpoint_ms = now_ms;
    enum status s = ledger_size(registry_ledger(h->registry), &size, e);
    if (s != ST_OK || size == h->checkpoint_size)
        return s;
    buf_init(&note, NOTE_MOST);
    s = ledger_checkpoint(registry_ledger(h->registry), &note, e);
    buf_deinit(&note);
    if (s == ST_OK)
        h->checkpoint_size = size;
    return s;
}

/* Entries that other processes appended (accord commands beside the hub), and what is over time. */
static void tick(struct hub *h, struct err *last)
{
    struct err e = {0};
    bool changed = false;
    hub_lock(h);
    enum status s = catch_up(h, &changed, &e);
    if (changed)
        server_wake(h->server);
    if (s == ST_OK)
        s = settle(h, &e);
    if (s == ST_OK)
        s = say_due(h, time_now_ms(), &e);
    if (s == ST_OK)
        s = keep_checkpoint(h, time_now_ms(), &e);
    hub_unlock(h);
    if (s != ST_OK && strcmp(e.text, last->text) != 0)
        log_err(LOG_ERROR, "hub.tick", &e);
    *last = e; /* the same trouble is told once */
}

enum status hub_serve(struct hub *h, struct err *e)
{
    struct err last = {0};
    (void)e;
    log_event(LOG_INFO, "hub.serving", "url", server_url(h->server), NULL);
    while (!interrupted()) {
        struct timespec pause = {0, TICK_MS * 1000000L};
        nanosleep(&pause, NULL);
        tick(h, &last);
    }
    log_event(LOG_INFO, "hub.stopping", NULL);
    return ST_OK;
}

void hub_close(struct hub *h)
{
    if (!h)
        return;
    server_close(h->server);
    snapshots_free(h->snapshots);
    answers_free(h->answers);
    activity_free(h->activity);
    board_close(h->board);
    registry_close(h->registry);
    identity_free(h->id);
    replay_guard_free(h->guard);
    limiter_free(h->limiter);
    accounts_close(h->accounts);
    if (h->folder >= 0)
        close(h->folder);
    oidc_close(h->oidc);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
