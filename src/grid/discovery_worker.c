/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/discovery_worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "base/http_client.h"
#include "base/log.h"
#include "base/mem.h"
#include "grid/discovery_task.h"
#include "grid/node_state.h"

enum {
    TASK_MOST = 4 << 20,
    REPLY_MOST = 1 << 20,
    CALL_MS = 30000,
    TRIES = 4,
    TRY_AGAIN_SECONDS = 5,
    LONGEST_PAUSE_SECONDS = 60,
    UUID_MOST = 128
};

struct worker {
    struct node *n;
    struct store *store;
    struct policy policy;
    const struct discovery_connection *to;
    struct http_client *http;
    struct guard_book *guard;
    const char *prefix;   /* path of the API on its server */
    struct buf authorise; /* the header with the password */
};

/* False when interrupted. */
static bool pause_seconds(int seconds)
{
    struct timespec tick = {0, 100000000};
    for (int i = 0; i < seconds * 10 && !interrupted(); i++)
        nanosleep(&tick, NULL);
    return !interrupted();
}

static enum status call(struct worker *w, const char *method, const char *target, struct slice body,
                        struct http_reply *reply, struct err *e)
{
    const char *headers[] = {w->authorise.p, "Accept: application/json", NULL};
    struct http_call c = {method, target, headers, body.n ? "application/json" : NULL, body, CALL_MS};
    buf_clear(&reply->body);
    return http_client_send(w->http, &c, reply, e);
}

/* --- one task --------------------------------------------------------------------------------------------
 */

/* What goes into a path: the task API's ids are UUIDs; anything else could name another resource. */
static bool plain_id(const char *id)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t n = id ? strlen(id) : 0;
    return n > 0 && n <= UUID_MOST && id[0] != '.' && strspn(id, allowed) == n;
}

/* Handed in when the server took it or says that it does not want it; its own faults are worth more tries. */
static enum status hand_in(struct worker *w, const struct js *answer, struct err *e)
{
    struct buf body;
    struct http_reply reply = {0};
    char *target =
        xasprintf("%s/task/result/%s/%s", w->prefix, js_get_str(answer, "uuid"), w->to->collection);
    enum status s = ST_NETWORK;
    buf_init(&body, (size_t)128 << 20);
    buf_init(&reply.body, REPLY_MOST);
    js_format(answer, JS_COMPACT, &body);
    for (int i = 0; i < TRIES && s != ST_OK; i++) {
        if (i && !pause_seconds(TRY_AGAIN_SECONDS))
            break;
        s = call(w, "POST", target, buf_slice(&body), &reply, e);
        if (s == ST_OK && reply.code >= 500)
            s = err_set(e, ST_NETWORK, "the task server answered %d to a result", reply.code);
    }
    if (s == ST_OK && reply.code >= 400)
        log_event(LOG_WARN, "discovery.unwanted", "uuid", js_get_str(answer, "uuid"), NULL);
    buf_deinit(&reply.body);
    buf_deinit(&body);
    free(target);
    return s;
}

static enum status do_task(struct worker *w, struct slice text, struct err *e)
{
    struct js *task = NULL;
    struct discovery_site site = {
        w->store, w->n->pool, &w->policy, w->to->collection, (int32_t)(time_now_ms() / 86400000), w->guard};
    enum status s = js_parse(text, "task", &task, e);
    if (s != ST_OK)
        return s;
    const char *uuid = js_get_str(task, "uuid");
    if (!plain_id(uuid)) {
        js_free(task);
        return err_set(e, ST_INVALID, "the task server gave a task without a usable uuid");
    }
    int64_t start = time_monotonic_ns();
    struct js *answer = discovery_answer(task, &site);
    char ms[24];
    snprintf(ms, sizeof ms, "%.1f", (double)(time_monotonic_ns() - start) / 1e6);
    log_event(LOG_INFO, "discovery.answered", "uuid", uuid, "status", js_get_str(answer, "status"), "message",
              js_get_str(answer, "message"), "ms", ms, NULL);
    s = hand_in(w, answer, e);
    js_free(answer);
    js_free(task);
    return s;
}

/* --- polling ---------------------------------------------------------------------------------------------
 */

/* One poll; *found says whether there was a task. */
static enum status poll_once(struct worker *w, bool *found, struct err *e)
{
    struct http_reply reply = {0};
    char *target = xasprintf("%s/task/nextjob/%s%s%s", w->prefix, w->to->collection, w->to->queue ? "." : "",
                             w->to->queue ? w->to->queue : "");
    buf_init(&reply.body, TASK_MOST);
    enum status s = call(w, "GET", target, (struct slice){0}, &reply, e);
    *found = s == ST_OK && reply.code == 200;
    if (s == ST_OK && (reply.code == 401 || reply.code == 403))
        s = err_set(e, ST_UNAUTHENTICATED, "the task server does not know this user and password (%d)",
                    reply.code);
    else if (s == ST_OK && reply.code != 200 && reply.code != 204)
        s = err_set(e, ST_NETWORK, "the task server answered %d where 200 or 204 was expected", reply.code);
    if (*found)
        s = do_task(w, buf_slice(&reply.body), e);
    buf_deinit(&reply.body);
    free(target);
    return s;
}

static enum status poll_until_interrupted(struct worker *w, struct err *e)
{
    int trouble = 0;
    while (!interrupted()) {
        bool found = false;
        enum status s = poll_once(w, &found, e);
        if (w->to->once && !found)
            return s;
        if (s == ST_UNAUTHENTICATED)
            return s;
        if (s != ST_OK && s != ST_INTERRUPTED)
            log_err(LOG_WARN, "discovery.trouble", e);
        trouble = s == ST_OK ? 0 : trouble + TRY_AGAIN_SECONDS;
        trouble = trouble > LONGEST_PAUSE_SECONDS ? LONGEST_PAUSE_SECONDS : trouble;
        if (!found && !pause_seconds(trouble ? trouble : w->to->poll_seconds))
            break;
    }
    return ST_OK;
}

/* --- opening ---------------------------------------------------------------------------------------------
 */

static enum status check_allowed(struct worker *w, struct err *e)
{
    char rule[32];
    if (!w->n->policy.discovery_approved_by)
        return err_set(
            e, ST_DENIED,
            "node.yaml does not say who lets this site answer cohort discovery without two checkers "
            "for each answer: add 'discovery:' with 'approved_by: NAME'");
    return opt_outs_check(w->n, rule, e);
}

static enum status read_password(struct worker *w, struct err *e)
{
    struct buf pair, text;
    buf_init(&text, 4096);
    buf_init(&pair, 8192);
    buf_init(&w->authorise, 16384);
    enum status s = secret_file_read(w->to->password_file, &text, e);
    struct slice password = slice_trim(buf_slice(&text));
    if (s == ST_OK && !password.n)
        s = err_set(e, ST_INVALID, "the password file is empty");
    if (s == ST_OK) {
        buf_printf(&pair, "%s:", w->to->user);
        buf_add(&pair, password.p, password.n);
        buf_adds(&w->authorise, "Authorization: Basic ");
        base64_encode((const uint8_t *)pair.p, pair.n, &w->authorise);
    }
    secret_deinit(&pair);
    secret_deinit(&text);
    return s;
}

/* "https://host/api": the client takes the server, the calls take the path. */
static enum status connect_to(struct worker *w, struct err *e)
{
    const char *host = strstr(w->to->url, "://"), *path = host ? strchr(host + 3, '/') : NULL;
    char *server = path ? xasprintf("%.*s", (int)(path - w->to->url), w->to->url) : xstrdup(w->to->url);
    w->prefix = path && path[1] ? path : "";
    enum status s = ST_OK;
    if (*w->prefix && w->prefix[strlen(w->prefix) - 1] == '/')
        s = err_set(e, ST_USAGE, "the address of the task API must not end with '/'");
    if (s == ST_OK)
        s = http_client_open(server, w->to->ca_file, NULL, &w->http, e);
    free(server);
    return s;
}

static enum status open_guard(struct worker *w, const char *data, struct err *e)
{
    char *path = xasprintf("%s/guard.db", data);
    enum status s = guard_book_open(path, policy_minimum(&w->policy, OUTPUT_COUNT), &w->guard, e);
    free(path);
    return s;
}

enum status discovery_work(const char *data, const char *store, unsigned threads,
                           const struct discovery_connection *to, struct err *e)
{
    struct worker w = {.to = to};
    if (!plain_id(to->collection))
        return err_set(e, ST_USAGE, "a collection's id has letters, digits, '-', '_' and '.' only");
    enum status s = node_open(data, false, NULL, &w.n, e);
    if (s != ST_OK)
        return s;
    w.n->store_path = store;
    w.n->pool = pool_new(threads);
    s = check_allowed(&w, e);
    if (s == ST_OK)
        s = policy_load(w.n->policy.disclosure, &w.policy, e);
    if (s == ST_OK)
        s = open_guard(&w, data, e);
    if (s == ST_OK)
        s = store_open(store, &w.store, e);
    if (s == ST_OK)
        s = read_password(&w, e);
    if (s == ST_OK)
        s = connect_to(&w, e);
    if (s == ST_OK) {
        log_event(LOG_INFO, "discovery.serving", "collection", to->collection, "url", to->url, "approved_by",
                  w.n->policy.discovery_approved_by, NULL);
        s = poll_until_interrupted(&w, e);
        log_event(LOG_INFO, "discovery.stopped", NULL);
    }
    http_client_close(w.http);
    secret_deinit(&w.authorise);
    store_close(w.store);
    guard_book_close(w.guard);
    pool_free(w.n->pool);
    node_close(w.n);
    return s;
}
