/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/connect.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_client.h"
#include "grid/hub_client.h"
#include "http/route.h"

enum { TIMEOUT_MS = 30000, REPLY_MOST = 64 << 20 };

static enum status place(const struct args *a, const char **out, struct err *e)
{
    *out = args_get_or(a, "at", getenv("ACCORD_REGISTER"));
    return *out ? ST_OK : err_set(e, ST_USAGE, "--at is needed: the register's file, or the hub's address");
}

bool connect_is_url(const char *at)
{
    return strncmp(at, "https://", 8) == 0 || strncmp(at, "http://", 7) == 0;
}

enum status connect_identity(const struct args *a, struct identity **out, struct err *e)
{
    const char *path = args_get_or(a, "identity", getenv("ACCORD_IDENTITY"));
    *out = NULL;
    if (!path)
        return err_set(e, ST_USAGE,
                       "--identity is needed: the key file that signs ('accord key new' makes one)");
    return identity_load(path, out, e);
}

enum status connect_file(const struct args *a, enum db_mode mode, struct registry **out, struct err *e)
{
    const char *at;
    *out = NULL;
    enum status s = place(a, &at, e);
    if (s == ST_OK && connect_is_url(at))
        s = err_set(e, ST_USAGE, "this works on the register's file only; --at names a hub");
    return s == ST_OK ? registry_open(at, mode, NULL, NULL, out, e) : s;
}

/* What a hub says about a refusal: the title and detail of its problem+json. */
static enum status refusal(const struct http_reply *reply, struct err *e)
{
    struct js *problem = NULL;
    enum status s = ST_NETWORK;
    for (int i = 0; i < ST_COUNT; i++)
        if (i != ST_OK && status_http((enum status)i) == reply->code) {
            s = (enum status)i;
            break;
        }
    const char *detail = NULL;
    if (js_parse(buf_slice(&reply->body), "reply", &problem, NULL) == ST_OK)
        detail = js_get_str(problem, "detail") ? js_get_str(problem, "detail") : js_get_str(problem, "title");
    err_set(e, s, "%s", detail ? detail : "the hub refused without saying why");
    js_free(problem);
    return s;
}

/* The answer's bytes; a refusal is an error. */
static enum status exchange(struct http_client *client, const struct http_call *request, struct buf *out,
                            struct err *e)
{
    struct http_reply reply = {0};
    buf_init(&reply.body, REPLY_MOST);
    enum status s = http_client_send(client, request, &reply, e);
    if (s == ST_OK && reply.code >= 400)
        s = refusal(&reply, e);
    if (s == ST_OK)
        buf_add(out, reply.body.p, reply.body.n);
    buf_deinit(&reply.body);
    return s;
}

enum status connect_open(const struct args *a, const char *url, struct http_client **out, struct err *e)
{
    return http_client_open(url, args_get(a, "ca"), NULL, out, e);
}

enum status connect_get_over(struct http_client *client, const char *target, struct js **out, struct err *e)
{
    const struct http_call request = {.method = "GET", .target = target, .timeout_ms = TIMEOUT_MS};
    struct buf text;
    buf_init(&text, REPLY_MOST);
    *out = NULL;
    enum status s = exchange(client, &request, &text, e);
    if (s == ST_OK)
        s = js_parse(buf_slice(&text), "the hub's answer", out, e);
    buf_deinit(&text);
    return s;
}

static enum status fetch_bytes(const struct args *a, const char *url, const struct http_call *request,
                               struct buf *out, struct err *e)
{
    struct http_client *client;
    enum status s = connect_open(a, url, &client, e);
    if (s != ST_OK)
        return s;
    s = exchange(client, request, out, e);
    http_client_close(client);
    return s;
}

static enum status fetch(const struct args *a, const char *url, const struct http_call *request,
                         struct js **out, struct err *e)
{
    struct buf text;
    buf_init(&text, REPLY_MOST);
    *out = NULL;
    enum status s = fetch_bytes(a, url, request, &text, e);
    if (s == ST_OK)
        s = js_parse(buf_slice(&text), "the hub's answer", out, e);
    buf_deinit(&text);
    return s;
}

enum status connect_bytes(const struct args *a, const char *target, struct buf *out, struct err *e)
{
    const char *at;
    struct registry *r = NULL;
    const struct http_call request = {.method = "GET", .target = target, .timeout_ms = TIMEOUT_MS};
    enum status s = place(a, &at, e);
    if (s == ST_OK && connect_is_url(at))
        return fetch_bytes(a, at, &request, out, e);
    if (s == ST_OK)
        s = connect_file(a, DB_READ, &r, e);
    if (s == ST_OK)
        s = route_read(r, target, out, e);
    registry_close(r);
    return s;
}

enum status connect_read(const struct args *a, const char *target, struct js **out, struct err *e)
{
    struct buf text;
    buf_init(&text, REPLY_MOST);
    *out = NULL;
    enum status s = connect_bytes(a, target, &text, e);
    if (s == ST_OK)
        s = js_parse(buf_slice(&text), "the register's answer", out, e);
    buf_deinit(&text);
    return s;
}

enum status connect_read_as(const struct args *a, const struct identity *id, const char *target,
                            struct js **out, struct err *e)
{
    const char *at;
    struct hub_client *client;
    *out = NULL;
    enum status s = place(a, &at, e);
    if (s == ST_OK && !connect_is_url(at))
        s = err_set(e, ST_USAGE, "--at: this is asked of a hub, by its address");
    if (s == ST_OK)
        s = hub_client_open(at, args_get(a, "ca"), id, NULL, &client, e);
    if (s != ST_OK)
        return s;
    s = hub_get(client, target, TIMEOUT_MS, out, e);
    hub_client_close(client);
    return s;
}

enum status connect_get(const struct args *a, const char *url, const char *target, struct js **out,
                        struct err *e)
{
    const struct http_call request = {.method = "GET", .target = target, .timeout_ms = TIMEOUT_MS};
    return fetch(a, url, &request, out, e);
}

static enum status apply_at_hub(const struct args *a, const char *url, const struct js *command,
                                struct js **entry, struct err *e)
{
    struct buf text;
    buf_init(&text, COMMAND_MOST + 65536);
    js_format(command, JS_COMPACT, &text);
    const struct http_call request = {.method = "POST",
                                      .target = "/api/v1/commands",
                                      .type = "application/json",
                                      .body = buf_slice(&text),
                                      .timeout_ms = TIMEOUT_MS};
    enum status s = fetch(a, url, &request, entry, e);
    buf_deinit(&text);
    return s;
}

static enum status apply_in_file(const struct args *a, const struct js *command, struct js **out,
                                 struct err *e)
{
    struct registry *r;
    struct ledger_entry entry;
    enum status s = connect_file(a, DB_WRITE, &r, e);
    if (s != ST_OK)
        return s;
    s = registry_apply(r, command, &entry, e);
    if (s == ST_OK) {
        *out = js_share(entry.json);
        ledger_entry_deinit(&entry);
    }
    registry_close(r);
    return s;
}

enum status connect_apply(const struct args *a, const struct js *command, struct js **entry, struct err *e)
{
    const char *at;
    struct js *made = NULL;
    enum status s = place(a, &at, e);
    if (s == ST_OK)
        s = connect_is_url(at) ? apply_at_hub(a, at, command, &made, e) : apply_in_file(a, command, &made, e);
    if (s == ST_OK && entry)
        *entry = made;
    else
        js_free(made);
    return s;
}

void target_add_part(struct buf *target, const char *text)
{
    buf_addc(target, '/');
    buf_url(target, text);
}

void target_add_member(struct buf *target, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(target, "%c%s=", strchr(target->p, '?') ? '&' : '?', name);
    buf_url(target, value);
}

static enum status get_at_hub(const struct args *a, const char *url, const char *target, struct js **out,
                              struct err *e)
{
    const struct http_call request = {.method = "GET", .target = target, .timeout_ms = TIMEOUT_MS};
    return fetch(a, url, &request, out, e);
}

/* A list's answer is {"items": [...], "next_after"?}. */
static enum status items_at_hub(const struct args *a, const char *url, const char *target, struct js **out,
                                struct err *e)
{
    struct js *answer = NULL;
    enum status s = get_at_hub(a, url, target, &answer, e);
    if (s == ST_OK && !js_is(js_get(answer, "items"), JS_ARRAY))
        s = err_set(e, ST_NETWORK, "the hub's answer has no items");
    if (s == ST_OK)
        *out = js_share(js_get(answer, "items"));
    js_free(answer);
    return s;
}

enum status connect_item(const struct args *a, const char *noun, const char *id, struct js **out,
                         struct err *e)
{
    const char *at;
    struct registry *r;
    struct buf target;
    *out = NULL;
    enum status s = place(a, &at, e);
    if (s == ST_OK && connect_is_url(at)) {
        buf_init(&target, 512);
        buf_printf(&target, "/api/v1/register/%.24s/%.64s", noun, id);
        s = get_at_hub(a, at, target.p, out, e);
        buf_deinit(&target);
        return s;
    }
    if (s == ST_OK)
        s = connect_file(a, DB_READ, &r, e);
    if (s != ST_OK)
        return s;
    s = registry_item_personal(r, noun, id, out, e);
    registry_close(r);
    return s;
}

enum status connect_list(const struct args *a, const struct registry_query *q, struct js **out, struct err *e)
{
    const char *at;
    struct registry *r;
    struct buf target;
    *out = NULL;
    enum status s = place(a, &at, e);
    if (s == ST_OK && connect_is_url(at)) {
        buf_init(&target, 2048);
        buf_printf(&target, "/api/v1/register/%.24s?limit=%" PRId64, q->noun, q->limit);
        target_add_member(&target, "state", q->state);
        target_add_member(&target, "body", q->body);
        target_add_member(&target, "about", q->about);
        target_add_member(&target, "after", q->after);
        target_add_member(&target, "kind", q->kind);
        target_add_member(&target, "on", q->on);
        target_add_member(&target, "stage", q->stage);
        target_add_member(&target, "code", q->code);
        target_add_member(&target, "place", q->place);
        target_add_member(&target, "sort", q->by_value ? "value" : NULL);
        s = items_at_hub(a, at, target.p, out, e);
        buf_deinit(&target);
        return s;
    }
    if (s == ST_OK)
        s = connect_file(a, DB_READ, &r, e);
    if (s != ST_OK)
        return s;
    s = registry_list(r, q, out, e);
    registry_close(r);
    return s;
}
