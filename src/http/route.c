/* SPDX-License-Identifier: Apache-2.0 */
#include "http/route.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/date.h"
#include "base/log.h"
#include "base/zip.h"
#include "grid/signature.h"
#include "http/accounts.h"
#include "http/hub.h"
#include "http/public.h"

static const char json_type[] = "application/json";

/* --- answers ------------------------------------------------------------------------------------------- */

enum status call_json(struct call *c, int code, struct js *j)
{
    c->response->code = code;
    c->response->type = json_type;
    js_format(j, JS_COMPACT, &c->response->body);
    js_free(j);
    return ST_OK;
}

enum status call_bytes(struct call *c, const char *type, struct slice bytes)
{
    c->response->code = 200;
    c->response->type = type;
    buf_add(&c->response->body, bytes.p, bytes.n);
    return ST_OK;
}

enum status call_empty(struct call *c)
{
    c->response->code = 204;
    return ST_OK;
}

bool call_park(struct call *c, int seconds)
{
    c->request->park_until = c->request->arrived_ns + (int64_t)seconds * 1000000000;
    c->parked = !c->request->stopping && time_monotonic_ns() < c->request->park_until;
    return c->parked;
}

enum status call_query(struct call *c, const char *name, const char **out, struct err *e)
{
    return request_query(c->request, name, out, e);
}

enum status call_query_int(struct call *c, const char *name, int64_t min, int64_t max, int64_t absent,
                           int64_t *out, struct err *e)
{
    const char *text;
    *out = absent;
    enum status s = request_query(c->request, name, &text, e);
    if (s == ST_OK && text && (!parse_i64(slice_of(text), out) || *out < min || *out > max))
        s = err_set(e, ST_USAGE, "query member '%s': expected a whole number from %" PRId64 " to %" PRId64,
                    name, min, max);
    return s;
}

/* RFC 9110, 13.1.1: any version, or one of a list. */
static bool has_tag(const char *expected, const char *tag)
{
    if (slice_is(slice_trim(slice_of(expected)), "*"))
        return true;
    for (const char *p = expected; *p;) {
        size_t n = strcspn(p, ",");
        if (slice_is(slice_trim((struct slice){p, n}), tag))
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}

enum status call_if_match(struct call *c, const char *subject, struct err *e)
{
    const char *expected = request_header(c->request, "If-Match"), *colon = strchr(subject, ':');
    struct js *item = NULL;
    char now[32] = "";
    if (!expected || !colon)
        return ST_OK;
    const char *noun = arena_strndup(c->request->arena, subject, (size_t)(colon - subject));
    enum status s = registry_item(c->registry, noun, colon + 1, &item, e);
    bool there = s == ST_OK && item;
    if (there)
        snprintf(now, sizeof now, "\"%" PRId64 "\"", js_get_int(item, "changed", -1));
    js_free(item);
    if (there && has_tag(expected, now))
        return ST_OK;
    c->code = 412;
    return err_set(e, ST_CONFLICT, "%s was changed since you read it; read it again", subject);
}

bool call_etag(struct call *c, int64_t version)
{
    const char *known = request_header(c->request, "If-None-Match");
    char *tag = arena_printf(c->request->arena, "\"%" PRId64 "\"", version);
    response_header(c->response, "ETag", tag);
    response_header(c->response, "Cache-Control", "no-cache");
    if (!known || strcmp(known, tag) != 0)
        return false;
    c->response->code = 304;
    return true;
}

void respond_problem(struct http_response *r, const struct err *e, int code)
{
    struct js *p = js_object();
    r->code = code ? code : status_http(e->status);
    r->type = "application/problem+json";
    js_put_str(p, "type", "about:blank");
    js_put_str(p, "title", status_title(e->status));
    js_put_int(p, "status", r->code);
    js_put_str(p, "detail", e->text);
    js_put_str(p, "code", status_name(e->status));
    buf_clear(&r->body);
    js_format(p, JS_COMPACT, &r->body);
    js_free(p);
}

/* --- matching ------------------------------------------------------------------------------------------ */

bool route_match(const char *pattern, const char *path, struct arena *a, const char **param)
{
    size_t n_params = 0;
    while (*pattern == '/' && *path == '/') {
        size_t np = strcspn(++pattern, "/"), nq = strcspn(++path, "/");
        if (*pattern == '{') {
            const char *value = nq ? percent_decode(a, (struct slice){path, nq}) : NULL;
            if (!value || n_params == ROUTE_PARAMS)
                return false;
            param[n_params++] = value;
        } else if (np != nq || memcmp(pattern, path, np) != 0) {
            return false;
        }
        pattern += np;
        path += nq;
    }
    return !*pattern && !*path;
}

static const struct route *find(struct call *c, bool *other_method)
{
    const struct http_request *r = c->request;
    *other_method = false;
    for (const struct route *const *t = route_tables; *t; t++)
        for (const struct route *route = *t; route->method; route++) {
            if (!route_match(route->pattern, r->path, r->arena, c->param))
                continue;
            if (strcmp(route->method, r->method) == 0)
                return route;
            *other_method = true;
        }
    return NULL;
}

/* --- the checks before a handler ----------------------------------------------------------------------- */

static enum status authenticate(struct call *c, const struct route *route, struct err *e)
{
    const struct http_request *r = c->request;
    const char *input = request_header(r, "Signature-Input"), *sig = request_header(r, "Signature");
    if (!input && !sig && route->access == ACCESS_PUBLIC)
        return ST_OK;
    struct signed_message m = {r->method, slice_of(r->path), slice_of(r->query ? r->query : ""), r->body};
    struct signature s;
    enum status status = signature_check(&m, request_header(r, "Content-Digest"), input, sig, &s, e);
    /* A parked request comes here again with the nonce it was admitted with. */
    if (status == ST_OK && !r->parked_before)
        status = replay_guard_admit(c->hub->guard, &s, time_now_ms(), e);
    if (status == ST_OK) {
        char *hex = arena_alloc(r->arena, 2 * SIGN_PUBLIC_BYTES + 1);
        hex_encode(s.key, SIGN_PUBLIC_BYTES, hex);
        c->signer = hex;
    }
    return status;
}

const char *call_cookie(struct call *c, const char *name)
{
    return request_cookie(c->request, name);
}

void call_set_cookie(struct call *c, const char *name, const char *value, const char *scope, int max_age)
{
    bool tls = strncmp(server_url(c->hub->server), "https:", 6) == 0;
    response_header(c->response, "Set-Cookie",
                    arena_printf(c->request->arena, "%s=%s; %s; Max-Age=%d%s", name, value, scope, max_age,
                                 tls ? "; Secure" : ""));
}

enum status call_too_many(struct call *c, unsigned wait_s, struct err *e)
{
    c->code = 429;
    response_header(c->response, "Retry-After", arena_printf(c->request->arena, "%u", wait_s));
    return err_set(e, ST_DENIED, "too many tries; wait %u seconds", wait_s);
}

enum status call_limit(struct call *c, const char *what, const char *who, unsigned most, unsigned seconds,
                       struct err *e)
{
    char *name = arena_printf(c->request->arena, "%s:%s", what, who);
    return limiter_take(c->hub->limiter, name, most, seconds, time_monotonic_ns())
               ? ST_OK
               : call_too_many(c, seconds / most + 1, e);
}

void call_session(struct call *c, const char *token, int max_age)
{
    call_set_cookie(c, SESSION_COOKIE, token, "Path=/; HttpOnly; SameSite=Strict", max_age);
}

/* A cookie goes with every request a browser makes, so a change must show what only our page knows. */
static enum status check_csrf(struct call *c, const struct account_use *use, struct err *e)
{
    const char *given = request_header(c->request, "X-CSRF-Token");
    char hash[2 * HASH_BYTES + 1] = "";
    if (strcmp(c->request->method, "GET") == 0)
        return ST_OK;
    if (given)
        sha256_hex(slice_of(given), hash);
    if (!given || !secret_equal(hash, use->csrf_hash, sizeof hash))
        return err_set(e, ST_DENIED, "X-CSRF-Token: expected the token that the session began with");
    return ST_OK;
}

static enum status identify_account(struct call *c, struct err *e)
{
    static const char bearer[] = "Bearer ";
    struct account_use *use = arena_alloc(c->request->arena, sizeof *use);
    const char *authorization = request_header(c->request, "Authorization"),
               *cookie = call_cookie(c, SESSION_COOKIE);
    enum status s;
    if (authorization && strncmp(authorization, bearer, sizeof bearer - 1) == 0) {
        s = account_by_token(c->hub->accounts, authorization + sizeof bearer - 1, time_now_ms(), use, e);
    } else if (cookie) {
        s = account_by_session(c->hub->accounts, cookie, time_now_ms(), use, e);
        if (s == ST_OK)
            s = check_csrf(c, use, e);
    } else {
        s = err_set(e, ST_UNAUTHENTICATED, "this needs a session (POST /api/v1/session) or an API token");
    }
    c->account = use;
    return s;
}

static enum status read_body(struct call *c, const struct route *route, struct js **body, struct err *e)
{
    const char *type = request_header(c->request, "Content-Type");
    if (!route->takes)
        return c->request->body.n ? err_set(e, ST_USAGE, "this takes no body") : ST_OK;
    if (!type || strncmp(type, json_type, sizeof json_type - 1) != 0)
        return err_set(e, ST_USAGE, "Content-Type: expected application/json");
    enum status s = js_parse(c->request->body, "body", body, e);
    if (s == ST_OK && !js_is(*body, JS_OBJECT))
        s = err_set(e, ST_INVALID, "body: expected a JSON object");
    return s;
}

static enum status check_node(struct call *c, struct err *e)
{
    char *body;
    enum status s = hub_node_body(c->hub, c->signer, c->request->arena, &body, e);
    return s == ST_NOT_FOUND ? err_set(e, ST_DENIED, "the request's key is not that of an enrolled node") : s;
}

/* What the request sees; changes up to there are made known to the kept answers. */
static enum status moment_of(struct call *c, struct moment *out, struct err *e)
{
    struct answers *kept = c->hub->answers;
    int64_t known = answers_known(kept);
    out->day = time_now_ms() / 86400000;
    enum status s = ledger_size(registry_ledger(c->registry), &out->size, e);
    if (s != ST_OK || out->size <= known)
        return s;
    s = registry_changes(c->registry, known, answers_changed, kept, e);
    if (s == ST_OK)
        answers_seen(kept, out->size);
    return s;
}

static enum status run_and_keep(struct call *c, const struct route *route, const char *address,
                                struct moment now, struct err *e)
{
    struct reads from;
    registry_watch(c->registry, &from);
    enum status s = route->run(c, e);
    registry_unwatch(c->registry);
    if (s == ST_OK && !c->passing && !c->parked && c->response->code == 200)
        answers_keep(c->hub->answers, now, &from, address, c->response);
    return s;
}

static enum status run_kept(struct call *c, const struct route *route, struct err *e)
{
    const struct http_request *r = c->request;
    struct answers *kept = c->hub->answers;
    struct moment now;
    if (request_header(r, "If-None-Match"))
        return route->run(c, e);
    const char *address = arena_printf(r->arena, "%s?%s", r->path, r->query ? r->query : "");
    enum status s = moment_of(c, &now, e);
    if (s != ST_OK || answers_find(kept, now, address, r->arena, c->response))
        return s;
    if (!answers_claim(kept, address) && answers_find(kept, now, address, r->arena, c->response))
        return s;
    s = run_and_keep(c, route, address, now, e);
    answers_made(kept, address);
    return s;
}

static enum status run_snapshot(struct call *c, const struct route *route, struct err *e)
{
    enum status s = snapshot_take(c->hub->snapshots, &c->snapshot, e);
    if (s != ST_OK)
        return s;
    c->registry = c->snapshot->registry;
    c->board = c->snapshot->board;
    s = route->hold == HOLD_REGISTER && route->access == ACCESS_PUBLIC ? run_kept(c, route, e)
                                                                       : route->run(c, e);
    snapshot_give(c->hub->snapshots, c->snapshot);
    c->snapshot = NULL;
    return s;
}

static enum status run_locked(struct call *c, const struct route *route, struct err *e)
{
    enum status s = ST_OK;
    hub_lock(c->hub);
    c->locked = true;
    c->registry = c->hub->registry;
    c->board = c->hub->board;
    if (route->access == ACCESS_NODE)
        s = check_node(c, e);
    if (s == ST_OK)
        s = route->run(c, e);
    hub_unlock(c->hub);
    c->locked = false;
    return s;
}

/* Runs the handler with what it needs, unless that is held already (a page that shows an API's resource). */
static enum status run_handler(struct call *c, const struct route *route, struct err *e)
{
    if (route->hold == HOLD_NOTHING || c->locked)
        return route->run(c, e);
    if (route->hold == HOLD_HUB)
        return run_locked(c, route, e);
    return c->snapshot ? route->run(c, e) : run_snapshot(c, route, e);
}

static bool takes_query(const struct route *route, struct slice name)
{
    for (const char *q = route->query; q && *q;) {
        size_t n = strcspn(q, "|"), n_name = strcspn(q, "=|");
        if (n_name == name.n && memcmp(q, name.p, n_name) == 0)
            return true;
        q += n + (q[n] == '|');
    }
    return false;
}

/* A member that a resource does not know would change nothing, and nobody would notice. Pages take what links bring. */
static enum status check_query(const struct call *c, const struct route *route, struct err *e)
{
    if (strncmp(route->pattern, "/api/", 5) != 0)
        return ST_OK;
    for (const char *p = c->request->query; p && *p;) {
        size_t n = strcspn(p, "&"), n_name = strcspn(p, "=&");
        if (n && !takes_query(route, (struct slice){p, n_name}))
            return err_set(e, ST_USAGE,
                           "query member '%.*s' is not known here; /api/v1/openapi.json says what is",
                           n_name < 60 ? (int)n_name : 60, p);
        p += n + (p[n] == '&');
    }
    return ST_OK;
}

static enum status call_route(struct call *c, const struct route *route, struct err *e)
{
    struct js *body = NULL;
    bool account = route->access == ACCESS_ACCOUNT ||
                   (route->access == ACCESS_PERSON && !request_header(c->request, "Signature"));
    enum status s = account ? identify_account(c, e) : authenticate(c, route, e);
    if (s == ST_OK)
        s = check_query(c, route, e);
    if (s == ST_OK)
        s = read_body(c, route, &body, e);
    c->body = body;
    if (s == ST_OK)
        s = run_handler(c, route, e);
    js_free(body);
    return s;
}

enum status call_get(struct call *c, const char *path, struct js **out, struct err *e)
{
    const char *mark = strchr(path, '?');
    struct http_request request = {
        .method = "GET",
        .path = mark ? arena_strndup(c->request->arena, path, (size_t)(mark - path)) : path,
        .query = mark ? mark + 1 : NULL,
        .arena = c->request->arena,
        .stopping = true};
    struct http_response response = {0};
    struct call inner = {.hub = c->hub,
                         .request = &request,
                         .response = &response,
                         .registry = c->registry,
                         .board = c->board,
                         .snapshot = c->snapshot,
                         .locked = c->locked};
    bool other_method;
    *out = NULL;
    const struct route *route = find(&inner, &other_method);
    if (!route || route->access != ACCESS_PUBLIC)
        return err_set(e, ST_NOT_FOUND, "there is nothing at %s", path);
    buf_init(&response.body, c->response->body.max);
    enum status s = run_handler(&inner, route, e);
    c->passing |= inner.passing || route->hold != HOLD_REGISTER;
    if (s == ST_OK)
        s = js_parse(buf_slice(&response.body), "answer", out, e);
    buf_deinit(&response.body);
    return s;
}

enum status route_read(struct registry *r, const char *target, struct buf *out, struct err *e)
{
    struct arena *a = arena_new();
    size_t n = strcspn(target, "?");
    struct http_request request = {.method = "GET",
                                   .path = arena_strndup(a, target, n),
                                   .query = target[n] ? target + n + 1 : NULL,
                                   .arena = a,
                                   .stopping = true};
    struct http_response response = {0};
    struct call c = {.request = &request, .response = &response, .registry = r};
    bool other_method;
    const struct route *route = find(&c, &other_method);
    buf_init(&response.body, out->max);
    enum status s = route && route->access == ACCESS_PUBLIC && route->hold == HOLD_REGISTER
                        ? route->run(&c, e)
                        : err_set(e, ST_NOT_FOUND, "the register has nothing at %.200s", target);
    if (s == ST_OK)
        buf_add(out, response.body.p, response.body.n);
    buf_deinit(&response.body);
    arena_free(a);
    return s;
}

/* Pages and pictures go compressed to whoever takes that. They hold nothing secret, so their length tells
   nothing (RFC 9325 section 2.6 is about pages that do). */
static void compress(const struct http_request *request, struct http_response *response)
{
    enum { LEAST = 1024 };
    const char *accepts = request_header(request, "Accept-Encoding");
    struct buf zipped;
    struct err ignored;
    if (response->code != 200 || response->body.n < LEAST || !response->type ||
        (strncmp(response->type, "text/html", 9) != 0 && strcmp(response->type, "image/svg+xml") != 0))
        return;
    response_header(response, "Vary", "Accept-Encoding");
    if (!accepts || !strstr(accepts, "gzip"))
        return;
    buf_init(&zipped, response->body.max);
    if (zip_add(ZIP_GZIP, buf_slice(&response->body), &zipped, &ignored) == ST_OK && !zipped.failed) {
        struct buf plain = response->body;
        response->body = zipped;
        zipped = plain;
        response_header(response, "Content-Encoding", "gzip");
    }
    buf_deinit(&zipped);
}

/* Whoever opens a page in a browser reads a page, also where there is none. */
static bool wants_page(const struct http_request *request)
{
    const char *accepts = request_header(request, "Accept");
    return strcmp(request->method, "GET") == 0 && strncmp(request->path, "/api/", 5) != 0 && accepts &&
           strstr(accepts, "text/html");
}

static void respond_error(struct call *c, const struct err *e, int code)
{
    struct err ignored;
    bool missing = e->status == ST_NOT_FOUND;
    char *says =
        arena_printf(c->request->arena, "%s. %s", e->text,
                     missing ? "The menu above leads to everything that there is."
                             : "Go back and try again; the menu above leads to everything that there is.");
    if (*says >= 'a' && *says <= 'z')
        *says = (char)(*says - 'a' + 'A');
    buf_clear(&c->response->body);
    if (wants_page(c->request) &&
        public_notice(c, missing ? "Page not found" : "This did not work", says, &ignored) == ST_OK)
        c->response->code = code ? code : status_http(e->status);
    else
        respond_problem(c->response, e, code);
}

enum http_turn route_handle(void *context, struct http_request *request, struct http_response *response)
{
    struct call c = {.hub = context, .request = request, .response = response};
    struct err e = {0};
    bool other_method;
    const struct route *route = find(&c, &other_method);
    if (!route) {
        err_set(&e, other_method ? ST_USAGE : ST_NOT_FOUND,
                other_method ? "this path has no such method; /api/v1/openapi.json lists them"
                             : "there is nothing here; /api/v1/openapi.json lists what there is");
        respond_error(&c, &e, other_method ? 405 : 404);
        return HTTP_ANSWER;
    }
    if (call_route(&c, route, &e) != ST_OK) {
        if (status_http(e.status) >= 500)
            log_err(LOG_ERROR, "http.fault", &e);
        respond_error(&c, &e, c.code);
        return HTTP_ANSWER;
    }
    if (!c.parked)
        compress(request, response);
    return c.parked ? HTTP_PARK : HTTP_ANSWER;
}

/* --- OpenAPI ------------------------------------------------------------------------------------------- */

static struct js *parameter(const char *name, size_t n, const char *in, const char *about, size_t n_about)
{
    struct js *p = js_object(), *schema = js_object();
    char text[200];
    snprintf(text, sizeof text, "%.*s", (int)n, name);
    js_put_str(p, "name", text);
    js_put_str(p, "in", in);
    if (strcmp(in, "path") == 0)
        js_put(p, "required", js_boolean(true));
    snprintf(text, sizeof text, "%.*s", (int)n_about, about);
    if (n_about)
        js_put_str(p, "description", text);
    js_put_str(schema, "type", "string");
    js_put(p, "schema", schema);
    return p;
}

static struct js *parameters_of(const struct route *r)
{
    struct js *list = js_array();
    for (const char *p = strchr(r->pattern, '{'); p; p = strchr(p, '{')) {
        size_t n = strcspn(++p, "}");
        js_push(list, parameter(p, n, "path", "", 0));
    }
    for (const char *q = r->query; q && *q;) {
        size_t n = strcspn(q, "|"), n_name = strcspn(q, "=");
        js_push(list, parameter(q, n_name, "query", q + n_name + 1, n - n_name - 1));
        q += n + (q[n] == '|');
    }
    return list;
}

static struct js *content(const char *type, const char *about)
{
    struct js *c = js_object(), *types = js_object(), *media = js_object(), *schema = js_object();
    js_put_str(c, "description", about);
    js_put_str(schema, "type", "object");
    js_put(media, "schema", schema);
    js_put(types, type, media);
    js_put(c, "content", types);
    return c;
}

/* One of several schemes of which any will do. */
static void push_scheme(struct js *security, const char *name)
{
    struct js *one = js_object();
    js_put(one, name, js_array());
    js_push(security, one);
}

static struct js *operation(const struct route *r)
{
    static const char *const access[] = {[ACCESS_PUBLIC] = "public",
                                         [ACCESS_SIGNED] = "signed request",
                                         [ACCESS_NODE] = "enrolled node",
                                         [ACCESS_ACCOUNT] = "session or API token",
                                         [ACCESS_PERSON] = "signed request, session or API token"};
    struct js *o = js_object(), *responses = js_object();
    js_put_str(o, "summary", r->summary);
    js_put_str(o, "x-access", access[r->access]);
    js_put(o, "parameters", parameters_of(r));
    if (r->takes)
        js_put(o, "requestBody", content(json_type, r->takes));
    js_put(responses, "2XX", content(json_type, r->gives ? r->gives : "nothing"));
    js_put(responses, "default", content("application/problem+json", "what was wrong and what to do"));
    js_put(o, "responses", responses);
    if (r->access != ACCESS_PUBLIC) {
        struct js *security = js_array();
        if (r->access != ACCESS_ACCOUNT)
            push_scheme(security, "signature");
        if (r->access == ACCESS_ACCOUNT || r->access == ACCESS_PERSON)
            push_scheme(security, "account");
        js_put(o, "security", security);
    }
    return o;
}

static void put_operation(struct js *paths, const struct route *r)
{
    char method[8] = "";
    for (size_t i = 0; r->method[i] && i + 1 < sizeof method; i++)
        method[i] = (char)(r->method[i] | 0x20);
    const struct js *old = js_get(paths, r->pattern);
    struct js *item = old ? js_copy(old) : js_object();
    js_put(item, method, operation(r));
    js_put(paths, r->pattern, item);
}

static struct js *account_scheme(void)
{
    struct js *account = js_object();
    js_put_str(account, "type", "http");
    js_put_str(account, "scheme", "bearer");
    js_put_str(account, "description", "an API token; browsers use the session's cookie with X-CSRF-Token");
    return account;
}

struct js *openapi_document(void)
{
    struct js *d = js_object(), *info = js_object(), *paths = js_object(), *components = js_object();
    struct js *schemes = js_object(), *signature = js_object();
    js_put_str(d, "openapi", "3.1.0");
    js_put_str(info, "title", "Accord");
    js_put_str(info, "version", ACCORD_VERSION);
    js_put(d, "info", info);
    for (const struct route *const *t = route_tables; *t; t++)
        for (const struct route *r = *t; r->method; r++)
            if (strncmp(r->pattern, "/api/", 5) == 0)
                put_operation(paths, r);
    js_put(d, "paths", paths);
    js_put_str(signature, "type", "http");
    js_put_str(signature, "scheme", "signature");
    js_put_str(signature, "description",
               "HTTP Message Signatures (RFC 9421) with Ed25519; docs/formats/signed-requests.md");
    js_put(schemes, "signature", signature);
    js_put(schemes, "account", account_scheme());
    js_put(components, "securitySchemes", schemes);
    js_put(d, "components", components);
    return d;
}
