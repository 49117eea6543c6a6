/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/hub_client.h"

#include <stdlib.h>

#include "base/date.h"
#include "base/http_client.h"
#include "base/mem.h"
#include "grid/signature.h"

enum { ANSWER_MOST = 256 << 20 };

struct hub_client {
    struct http_client *http;
    const struct identity *id;
};

enum status hub_client_open(const char *url, const char *ca_file, const struct identity *id,
                            const atomic_bool *stop, struct hub_client **out, struct err *e)
{
    struct hub_client *c = xcalloc(1, sizeof *c);
    c->id = id;
    *out = NULL;
    enum status s = http_client_open(url, ca_file, stop, &c->http, e);
    if (s != ST_OK) {
        free(c);
        return s;
    }
    *out = c;
    return ST_OK;
}

void hub_client_close(struct hub_client *c)
{
    if (!c)
        return;
    http_client_close(c->http);
    free(c);
}

/* The status that the hub named, or the nearest to the HTTP code. */
static enum status status_of(const struct js *problem, int code)
{
    const char *name = js_get_str(problem, "code");
    for (int s = 1; name && s < ST_COUNT; s++)
        if (strcmp(status_name((enum status)s), name) == 0)
            return (enum status)s;
    return code == 404 ? ST_NOT_FOUND : code == 401 ? ST_UNAUTHENTICATED : code < 500 ? ST_USAGE : ST_NETWORK;
}

static enum status refusal(const struct http_reply *reply, struct err *e)
{
    struct js *problem = NULL;
    struct err ignored;
    if (js_parse(buf_slice(&reply->body), "answer", &problem, &ignored) != ST_OK)
        return err_set(e, ST_NETWORK, "the hub answered %d with something that is not JSON", reply->code);
    const char *detail = js_get_str(problem, "detail");
    enum status s =
        err_set(e, status_of(problem, reply->code), "the hub says: %s", detail ? detail : "no reason given");
    js_free(problem);
    return s;
}

static enum status send(struct hub_client *c, const char *method, const char *target, struct slice body,
                        int timeout_ms, struct http_reply *reply, struct err *e)
{
    struct signature_headers h;
    signature_headers_init(&h);
    size_t n_path = strcspn(target, "?");
    struct signed_message m = {
        .method = method,
        .path = {target, n_path},
        .query = slice_of(target[n_path] ? target + n_path + 1 : ""),
        .body = body,
    };
    if (c->id)
        signature_make(&m, c->id, time_now_ms(), &h);
    const char *headers[] = {c->id ? h.digest.p : NULL, h.input.p, h.signature.p, NULL};
    struct http_call call = {.method = method,
                             .target = target,
                             .headers = headers,
                             .type = body.n ? "application/json" : NULL,
                             .body = body,
                             .timeout_ms = timeout_ms ? timeout_ms : HUB_CALL_MS};
    enum status s = http_client_send(c->http, &call, reply, e);
    if (s == ST_OK && (reply->code < 200 || reply->code > 299))
        s = refusal(reply, e);
    signature_headers_deinit(&h);
    return s;
}

static enum status call_json(struct hub_client *c, const char *method, const char *target, struct slice body,
                             int timeout_ms, struct js **out, struct err *e)
{
    struct http_reply reply = {0};
    buf_init(&reply.body, ANSWER_MOST);
    enum status s = send(c, method, target, body, timeout_ms, &reply, e);
    if (s == ST_OK && out && reply.code != 204)
        s = js_parse(buf_slice(&reply.body), "the hub's answer", out, e);
    buf_deinit(&reply.body);
    return s;
}

enum status hub_get(struct hub_client *c, const char *target, int timeout_ms, struct js **out, struct err *e)
{
    *out = NULL;
    return call_json(c, "GET", target, SLICE(""), timeout_ms, out, e);
}

enum status hub_post(struct hub_client *c, const char *target, const struct js *body, struct js **out,
                     struct err *e)
{
    struct buf text;
    if (out)
        *out = NULL;
    buf_init(&text, ANSWER_MOST);
    js_format(body, JS_COMPACT, &text);
    enum status s = buf_check(&text, "the request", e);
    if (s == ST_OK)
        s = call_json(c, "POST", target, buf_slice(&text), 0, out, e);
    buf_deinit(&text);
    return s;
}

enum status hub_get_bytes(struct hub_client *c, const char *target, struct buf *out, struct err *e)
{
    struct http_reply reply = {.body = *out};
    enum status s = send(c, "GET", target, SLICE(""), 0, &reply, e);
    *out = reply.body;
    return s;
}
