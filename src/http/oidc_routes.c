/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes of signing in through an OpenID provider, and of linking an identity there to one's account.
 */
#include "base/date.h"
#include "base/jws.h"
#include "http/hub.h"
#include "http/oidc.h"
#include "http/public.h"
#include "http/tables.h"

enum { TRIES = 30, TRY_SECONDS = 60, COOKIE_SECONDS = 600, SEALED_MOST = 2048 };
/* The provider sends the browser back from another site, so the cookie must be Lax; only these paths get it.
 */
#define ATTEMPT_COOKIE     "accord_sign_in"
#define ATTEMPT_ATTRIBUTES "Path=/sign-in; HttpOnly; SameSite=Lax"
static const char purpose[] = "accord-sign-in-1";

static enum status need_provider(struct call *c, struct err *e)
{
    return c->hub->oidc ? ST_OK : err_set(e, ST_NOT_FOUND, "this hub has no sign-in provider");
}

static void keep_attempt(struct call *c, const struct js *attempt)
{
    struct buf text, sealed, encoded;
    buf_init(&text, SEALED_MOST);
    buf_init(&sealed, SEALED_MOST);
    buf_init(&encoded, 2 * SEALED_MOST);
    js_format(attempt, JS_COMPACT, &text);
    account_seal(c->hub->accounts, buf_slice(&text), purpose, &sealed);
    base64url_encode((const uint8_t *)sealed.p, sealed.n, &encoded);
    call_set_cookie(c, ATTEMPT_COOKIE, encoded.p, ATTEMPT_ATTRIBUTES, COOKIE_SECONDS);
    secret_deinit(&text);
    buf_deinit(&sealed);
    buf_deinit(&encoded);
}

static enum status attempt_of(struct call *c, struct js **out, struct err *e)
{
    const char *cookie = call_cookie(c, ATTEMPT_COOKIE);
    uint8_t sealed[SEALED_MOST];
    struct buf text;
    long n = cookie ? base64url_decode(slice_of(cookie), sealed, sizeof sealed) : -1;
    *out = NULL;
    buf_init(&text, SEALED_MOST);
    bool good =
        n > 0 &&
        account_unseal(c->hub->accounts, (struct slice){(const char *)sealed, (size_t)n}, purpose, &text) &&
        js_parse(buf_slice(&text), "attempt", out, NULL) == ST_OK;
    secret_deinit(&text);
    return good ? ST_OK
                : err_set(e, ST_UNAUTHENTICATED,
                          "this browser began no sign-in, or its cookie was lost on the way; begin again");
}

/* Begins an attempt; `person` is who links an identity, NULL to sign in. */
static enum status begin(struct call *c, const char *person, const char **url, struct err *e)
{
    struct js *attempt = NULL;
    enum status s = need_provider(c, e);
    if (s == ST_OK)
        s = call_limit(c, "sign-in", c->request->peer, TRIES, TRY_SECONDS, e);
    if (s == ST_OK)
        s = oidc_begin(c->hub->oidc, c->request->arena, time_now_ms(), url, &attempt, e);
    if (s == ST_OK && person)
        js_put_str(attempt, "link", person);
    if (s == ST_OK)
        keep_attempt(c, attempt);
    js_free(attempt);
    return s;
}

static enum status get_provider(struct call *c, struct err *e)
{
    struct js *answer = js_object();
    (void)e;
    if (c->hub->oidc) {
        const char *logout = oidc_end_session(c->hub->oidc, c->request->arena);
        js_put_str(answer, "name", oidc_name(c->hub->oidc));
        js_put_str(answer, "url", "/sign-in");
        if (logout)
            js_put_str(answer, "logout", logout);
    }
    return call_json(c, 200, answer);
}

static enum status get_sign_in(struct call *c, struct err *e)
{
    const char *url;
    enum status s = begin(c, NULL, &url, e);
    if (s != ST_OK)
        return s;
    response_header(c->response, "Location", url);
    c->response->code = 303;
    c->response->type = "text/plain";
    return ST_OK;
}

/* What the provider itself says went wrong: a word of its own, shown only when it is one. */
static enum status refused_there(const char *error, struct err *e)
{
    bool word = *error && strlen(error) < 60 && strspn(error, "abcdefghijklmnopqrstuvwxyz_") == strlen(error);
    return err_set(e, ST_UNAUTHENTICATED, "the sign-in provider did not sign you in: %s",
                   word ? error : "no reason given");
}

static enum status answered_subject(struct call *c, const struct js *attempt, const char **subject,
                                    struct err *e)
{
    const char *state, *code, *error;
    enum status s = call_query(c, "state", &state, e);
    if (s == ST_OK)
        s = call_query(c, "code", &code, e);
    if (s == ST_OK)
        s = call_query(c, "error", &error, e);
    if (s == ST_OK && error)
        return refused_there(error, e);
    if (s == ST_OK && (!state || !code || strlen(code) > SEALED_MOST))
        s = err_set(e, ST_UNAUTHENTICATED,
                    "the sign-in provider's answer lacks 'state' or 'code'; begin again");
    return s == ST_OK
               ? oidc_finish(c->hub->oidc, c->request->arena, attempt, state, code, time_now_ms(), subject, e)
               : s;
}

/* The session's cookie is SameSite=Strict, so the next page must be asked for from a page of ours: this one.
 */
static enum status send_on(struct call *c, const char *title, struct err *e)
{
    enum status s = public_notice(c, title, "One moment; if nothing happens, choose Your work.", e);
    if (s == ST_OK)
        response_header(c->response, "Refresh", "0; url=/work?signed-in");
    return s;
}

static enum status finish(struct call *c, const struct js *attempt, struct err *e)
{
    const char *subject, *link = js_get_str(attempt, "link"), *issuer = oidc_issuer(c->hub->oidc);
    struct session_new made;
    enum status s = answered_subject(c, attempt, &subject, e);
    if (s == ST_OK && link) {
        s = account_link(c->hub->accounts, link, issuer, subject, e);
        return s == ST_OK ? send_on(c, "Your identity is linked", e) : s;
    }
    if (s == ST_OK)
        s = account_login_linked(c->hub->accounts, issuer, subject, time_now_ms(), &made, e);
    if (s == ST_OK)
        call_session(c, made.token, SESSION_SECONDS);
    return s == ST_OK ? send_on(c, "You are signed in", e) : s;
}

static enum status get_callback(struct call *c, struct err *e)
{
    struct js *attempt = NULL;
    enum status s = need_provider(c, e);
    if (s == ST_OK)
        s = call_limit(c, "callback", c->request->peer, TRIES, TRY_SECONDS, e);
    if (s == ST_OK)
        s = attempt_of(c, &attempt, e);
    if (s == ST_OK) {
        call_set_cookie(c, ATTEMPT_COOKIE, "", ATTEMPT_ATTRIBUTES, 0); /* one answer to one attempt */
        s = finish(c, attempt, e);
    }
    js_free(attempt);
    return s;
}

static enum status need_session(struct call *c, struct err *e)
{
    enum status s = need_provider(c, e);
    if (s == ST_OK && !account_may(c->account, "*"))
        s = err_set(e, ST_DENIED, "this is done in a session, not with an API token");
    return s;
}

static enum status post_identity(struct call *c, struct err *e)
{
    const char *url;
    enum status s = need_session(c, e);
    if (s == ST_OK)
        s = begin(c, c->account->person, &url, e);
    if (s != ST_OK)
        return s;
    struct js *answer = js_object();
    js_put_str(answer, "url", url);
    return call_json(c, 201, answer);
}

static enum status get_identity(struct call *c, struct err *e)
{
    char subject[ACCOUNT_SUBJECT_MOST + 1] = "";
    enum status s = need_session(c, e);
    if (s == ST_OK)
        s = account_linked(c->hub->accounts, c->account->person, oidc_issuer(c->hub->oidc), subject, e);
    if (s != ST_OK)
        return s;
    struct js *answer = js_object();
    js_put_str(answer, "issuer", oidc_issuer(c->hub->oidc));
    js_put_str(answer, "subject", subject);
    return call_json(c, 200, answer);
}

static enum status delete_identity(struct call *c, struct err *e)
{
    enum status s = need_session(c, e);
    if (s == ST_OK)
        s = account_unlink(c->hub->accounts, c->account->person, oidc_issuer(c->hub->oidc), e);
    return s == ST_OK ? call_empty(c) : s;
}

const struct route oidc_routes[] = {
    {"GET", "/api/v1/sign-in", ACCESS_PUBLIC, "the provider through which people can sign in", NULL, NULL,
     "name, url, logout; nothing where there is none", get_provider, HOLD_NOTHING},
    {"POST", "/api/v1/identity", ACCESS_ACCOUNT,
     "begin to link one's identity at the provider to one's account", NULL, NULL,
     "url: where to send the browser", post_identity, HOLD_NOTHING},
    {"GET", "/api/v1/identity", ACCESS_ACCOUNT, "one's identity at the provider", NULL, NULL,
     "issuer, subject (empty when none is linked)", get_identity, HOLD_NOTHING},
    {"DELETE", "/api/v1/identity", ACCESS_ACCOUNT, "end the link", NULL, NULL, NULL, delete_identity,
     HOLD_NOTHING},
    {"GET", "/sign-in", ACCESS_PUBLIC, "to the provider", NULL, NULL, "a redirect", get_sign_in,
     HOLD_NOTHING},
    {"GET", "/sign-in/callback", ACCESS_PUBLIC, "back from the provider",
     "state=of the attempt|code=for the token|error=what went wrong there", NULL, "HTML", get_callback,
     HOLD_NOTHING},
    {0},
};
