/* SPDX-License-Identifier: Apache-2.0 */
#include "http/node_pages.h"

#include <stdlib.h>

#include "base/date.h"
#include "base/log.h"
#include "grid/node.h"
#include "http/assets.h"
#include "http/route.h"
#include "http/visit.h"

enum { BODY_MOST = 64 << 10, WORKERS = 2, MEMBER_MOST = 2000, SESSION_S = 12 * 3600, COOKIE_DIGITS = 8 };

const char node_account_roles[] = "checker|controller";

bool visit_may(const struct visit *v, const char *role)
{
    return word_in(v->who.roles, role);
}

enum status visit_member(struct visit *v, const char *name, size_t most, const char **out, struct err *e)
{
    enum status s = request_query(v->form, name, out, e);
    if (s != ST_OK)
        return s;
    struct slice value = slice_trim(slice_of(*out ? *out : ""));
    if (value.n > most)
        return err_set(e, ST_INVALID, "%s: at most %zu characters", name, most);
    *out = arena_strndup(v->request->arena, value.p, value.n);
    return ST_OK;
}

void visit_go(struct visit *v, const char *path)
{
    v->response->code = 303;
    v->response->type = "text/plain; charset=utf-8";
    response_header(v->response, "Location", path);
}

/* --- sessions ------------------------------------------------------------------------------------------ */

/* Cookies are shared by all ports of a host, so each node's has a name of its own. */
static const char *cookie_name(struct visit *v)
{
    char hex[2 * SIGN_PUBLIC_BYTES + 1];
    hex_encode(v->pages->id->sign_public, SIGN_PUBLIC_BYTES, hex);
    return arena_printf(v->request->arena, "accord_node_%.*s", COOKIE_DIGITS, hex);
}

static void set_cookie(struct visit *v, const char *token, int max_age)
{
    bool tls = strncmp(server_url(v->pages->server), "https:", 6) == 0;
    response_header(v->response, "Set-Cookie",
                    arena_printf(v->request->arena, "%s=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d%s",
                                 cookie_name(v), token, max_age, tls ? "; Secure" : ""));
}

/* Who comes with this request; nobody when its cookie is absent or over. */
static void recognise(struct visit *v)
{
    struct err ignored;
    const char *token = request_cookie(v->request, cookie_name(v));
    if (!token || account_by_session(v->pages->accounts, token, time_now_ms(), &v->who, &ignored) != ST_OK) {
        v->who = (struct account_use){0};
        return;
    }
    account_csrf(v->pages->accounts, token, v->csrf);
}

static enum status check_csrf(struct visit *v, struct err *e)
{
    const char *given;
    char hash[2 * HASH_BYTES + 1];
    enum status s = visit_member(v, "csrf", ACCOUNT_TOKEN_DIGITS, &given, e);
    if (s != ST_OK)
        return s;
    sha256_hex(slice_of(given), hash);
    return secret_equal(hash, v->who.csrf_hash, sizeof hash)
               ? ST_OK
               : err_set(e, ST_DENIED, "this form is not of your present session; open the page again");
}

/* --- what people do ------------------------------------------------------------------------------------ */

static enum status sign_in(struct visit *v, struct err *e)
{
    const char *person, *password, *code;
    struct session_new made;
    enum status s = visit_member(v, "person", ACCOUNT_PERSON_MOST, &person, e);
    if (s == ST_OK)
        s = visit_member(v, "password", MEMBER_MOST, &password, e);
    if (s == ST_OK)
        s = visit_member(v, "code", MEMBER_MOST, &code, e);
    if (s != ST_OK)
        return s;
    unsigned wait = limiter_login(v->pages->limiter, v->request->peer, person, time_monotonic_ns());
    if (wait) {
        v->code = 429;
        return err_set(e, ST_DENIED, "too many tries; wait %u seconds", wait);
    }
    s = account_login(v->pages->accounts, person, password, code, time_now_ms(), &made, e);
    if (s != ST_OK)
        return s;
    log_event(LOG_INFO, "node.signed_in", "account", person, NULL);
    set_cookie(v, made.token, SESSION_S);
    visit_go(v, "/");
    return ST_OK;
}

static enum status sign_out(struct visit *v, struct err *e)
{
    enum status s = account_logout(v->pages->accounts, request_cookie(v->request, cookie_name(v)), e);
    set_cookie(v, "", 0);
    visit_go(v, "/sign-in");
    return s;
}

static enum status need_reason(struct visit *v, const char **reason, struct err *e)
{
    enum status s = visit_member(v, "reason", MEMBER_MOST, reason, e);
    return s == ST_OK && !**reason ? err_set(e, ST_INVALID, "Say why: the reason is needed") : s;
}

static void note(struct visit *v, const char *event)
{
    log_event(LOG_INFO, event, "account", v->who.person, "id", v->id ? v->id : "", NULL);
}

static enum status admit(struct visit *v, struct err *e)
{
    enum status s = node_admit(v->pages->data, v->id, e);
    if (s == ST_OK)
        note(v, "node.admitted");
    return s;
}

static enum status refuse(struct visit *v, struct err *e)
{
    const char *reason;
    enum status s = need_reason(v, &reason, e);
    if (s == ST_OK)
        s = node_refuse(v->pages->data, v->id, reason, e);
    if (s == ST_OK)
        note(v, "node.refused");
    return s;
}

static enum status approve(struct visit *v, struct err *e)
{
    struct identity *checker = NULL;
    int left;
    enum status s = account_identity(v->pages->accounts, v->who.person, &checker, e);
    if (s == ST_OK)
        s = node_output_approve(v->pages->data, v->id, checker, &left, e);
    if (s == ST_OK)
        note(v, "node.approved");
    identity_free(checker);
    return s;
}

static enum status give_back(struct visit *v, struct err *e)
{
    struct identity *checker = NULL;
    const char *reason;
    enum status s = need_reason(v, &reason, e);
    if (s == ST_OK)
        s = account_identity(v->pages->accounts, v->who.person, &checker, e);
    if (s == ST_OK)
        s = node_output_return(v->pages->data, v->id, checker, reason, e);
    if (s == ST_OK)
        note(v, "node.returned");
    identity_free(checker);
    return s;
}

static enum status stop(struct visit *v, struct err *e)
{
    const char *reason;
    int stopped;
    enum status s = need_reason(v, &reason, e);
    if (s == ST_OK)
        s = node_halt(v->pages->data, reason, &stopped, e);
    if (s == ST_OK)
        note(v, "node.stop");
    return s;
}

static enum status resume(struct visit *v, struct err *e)
{
    enum status s = node_resume(v->pages->data, e);
    if (s == ST_OK)
        note(v, "node.resume");
    return s;
}

/* --- routes -------------------------------------------------------------------------------------------- */

static const struct place {
    const char *pattern;
    const char *role; /* that the visitor needs; "" = any account, NULL = none */
    enum status (*act)(struct visit *v, struct err *e);  /* of a POST; NULL: this is a page */
    enum status (*view)(struct visit *v, struct err *e); /* the page, or the one that shows a form's fault */
} places[] = {
    {"/", "", NULL, view_home},
    {"/sign-in", NULL, NULL, view_sign_in},
    {"/sign-in", NULL, sign_in, view_sign_in},
    {"/sign-out", "", sign_out, view_home},
    {"/runs/{id}", "", NULL, view_run},
    {"/runs/{id}/admit", "controller", admit, view_run},
    {"/runs/{id}/refuse", "controller", refuse, view_run},
    {"/outputs/{id}", "checker", NULL, view_output},
    {"/outputs/{id}/pictures/{table}", "checker", NULL, view_picture},
    {"/outputs/{id}/approve", "checker", approve, view_output},
    {"/outputs/{id}/return", "checker", give_back, view_output},
    {"/stop", "controller", NULL, view_stop},
    {"/stop", "controller", stop, view_stop},
    {"/resume", "controller", resume, view_stop},
};

static const struct place *find(struct visit *v, const char **param)
{
    bool post = strcmp(v->request->method, "POST") == 0;
    if (!post && strcmp(v->request->method, "GET") != 0)
        return NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if ((places[i].act != NULL) == post &&
            route_match(places[i].pattern, v->request->path, v->request->arena, param))
            return &places[i];
    return NULL;
}

static enum status read_form(struct visit *v, struct err *e)
{
    static const char type[] = "application/x-www-form-urlencoded";
    const char *given = request_header(v->request, "Content-Type");
    if (!given || strncmp(given, type, sizeof type - 1) != 0)
        return err_set(e, ST_USAGE, "Content-Type: expected %s", type);
    if (memchr(v->request->body.p, 0, v->request->body.n))
        return err_set(e, ST_USAGE, "the form holds a NUL");
    struct http_request *form = arena_alloc(v->request->arena, sizeof *form);
    *form = (struct http_request){
        .query = arena_strndup(v->request->arena, v->request->body.p, v->request->body.n),
        .arena = v->request->arena};
    v->form = form;
    return ST_OK;
}

/* Where a form leads when it was taken: the page it stands on, or home. */
static void go_on(struct visit *v)
{
    if (v->response->code == 303)
        return;
    size_t n = v->id ? strcspn(v->request->path + 1, "/") : 0;
    visit_go(v,
             v->id ? arena_printf(v->request->arena, "/%.*s/%s", (int)n, v->request->path + 1, v->id) : "/");
}

static enum status act(struct visit *v, const struct place *place, struct err *e)
{
    struct err fault = {0};
    enum status s = read_form(v, e);
    if (s == ST_OK && place->role)
        s = check_csrf(v, e);
    if (s != ST_OK)
        return s;
    s = place->act(v, &fault);
    if (s == ST_OK) {
        go_on(v);
        return ST_OK;
    }
    v->response->n_extra = 0;
    v->fault = &fault;
    v->response->code = v->code ? v->code : status_http(fault.status);
    s = place->view(v, e);
    v->fault = NULL;
    return s;
}

static enum status visit_place(struct visit *v, struct err *e)
{
    const char *param[ROUTE_PARAMS] = {0};
    struct asset asset;
    if (route_match("/assets/{file}", v->request->path, v->request->arena, param))
        return asset_find(param[0], &asset) ? asset_answer(v->request, &asset, v->response)
                                            : err_set(e, ST_NOT_FOUND, "there is no such file");
    const struct place *place = find(v, param);
    if (!place)
        return err_set(e, ST_NOT_FOUND, "there is no such page at this node");
    v->id = param[0];
    recognise(v);
    if (place->role && !v->who.person[0]) {
        visit_go(v, "/sign-in");
        return ST_OK;
    }
    if (place->role && place->role[0] && !visit_may(v, place->role))
        return err_set(e, ST_DENIED, "your account at this node is not a %s's", place->role);
    return place->act ? act(v, place, e) : place->view(v, e);
}

static enum http_turn handle(void *context, struct http_request *request, struct http_response *response)
{
    struct visit v = {.pages = context, .request = request, .response = response};
    struct err e = {0};
    if (visit_place(&v, &e) != ST_OK) {
        if (status_http(e.status) >= 500)
            log_err(LOG_ERROR, "node.page", &e);
        buf_clear(&response->body);
        response->n_extra = 0;
        response->code = status_http(e.status);
        view_fault(&v, &e);
    }
    if (!response->code)
        response->code = 200;
    return HTTP_ANSWER;
}

/* --- the server ---------------------------------------------------------------------------------------- */

static enum status accounts_of(const char *data, struct identity **id, struct accounts **out, struct err *e)
{
    char *key = xasprintf("%s/node.key", data), *path = xasprintf("%s/accounts.db", data);
    enum status s = identity_load(key, id, e);
    if (s == ST_OK)
        s = accounts_open(path, *id, out, e);
    free(path);
    free(key);
    return s;
}

enum status node_accounts_open(const char *data, struct accounts **out, struct err *e)
{
    struct identity *id = NULL;
    *out = NULL;
    enum status s = accounts_of(data, &id, out, e);
    identity_free(id);
    return s;
}

enum status node_pages_open(const struct node_pages_options *o, struct node_pages **out, struct err *e)
{
    struct node_pages *p = xcalloc(1, sizeof *p);
    struct server_options server = {.listen = o->listen,
                                    .certificate = o->certificate,
                                    .key_path = o->key_path,
                                    .max_body = BODY_MOST,
                                    .threads = WORKERS,
                                    .handler = handle,
                                    .context = p};
    *out = NULL;
    p->data = xstrdup(o->data);
    p->limiter = limiter_new();
    enum status s = accounts_of(o->data, &p->id, &p->accounts, e);
    if (s == ST_OK)
        s = server_open(&server, &p->server, e);
    if (s != ST_OK) {
        node_pages_close(p);
        return s;
    }
    log_event(LOG_INFO, "node.pages", "url", server_url(p->server), NULL);
    *out = p;
    return ST_OK;
}

void node_pages_close(struct node_pages *p)
{
    if (!p)
        return;
    server_close(p->server);
    accounts_close(p->accounts);
    limiter_free(p->limiter);
    identity_free(p->id);
    free(p->data);
    free(p);
}
