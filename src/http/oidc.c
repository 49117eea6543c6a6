/* SPDX-License-Identifier: Apache-2.0 */
#include "http/oidc.h"

#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/config.h"
#include "base/crypto.h"
#include "base/date.h"
#include "base/file.h"
#include "base/http_client.h"
#include "base/jws.h"

enum {
    ATTEMPT_MS = 600000,
    METADATA_MS = 3600000,
    KEYS_AGAIN_MS = 60000,
    CALL_MS = 5000,
    REPLY_MOST = 1 << 20
};
enum { SKEW_S = 60, TOKEN_AGE_S = 600, ASSERTION_AGE_S = 60, SECRET_BYTES = 32, TALKS = 2 };

struct settings {
    const char *issuer, *client_id, *client_secret_file, *public_url, *name, *scope, *acr, *ca_file;
    const char *client_key_file, *client_key_id;
    int algorithm, client_key_algorithm;
};

struct oidc {
    struct config *file; /* owns the texts of the settings */
    struct settings settings;
    struct buf secret;
    struct jws_signer *signer; /* instead of a secret; NULL */
    sem_t talks;
    pthread_mutex_t lock; /* around what follows */
    struct js *metadata, *keys;
    int64_t metadata_ms, keys_ms;
};

/* --- settings ------------------------------------------------------------------------------------------ */

static const struct config_field fields[] = {
    {.key = "issuer", .type = CONFIG_TEXT, .offset = offsetof(struct settings, issuer), .required = true},
    {.key = "client_id",
     .type = CONFIG_TEXT,
     .offset = offsetof(struct settings, client_id),
     .required = true},
    {.key = "client_secret_file",
     .type = CONFIG_TEXT,
     .offset = offsetof(struct settings, client_secret_file)},
    {.key = "client_key_file", .type = CONFIG_TEXT, .offset = offsetof(struct settings, client_key_file)},
    {.key = "client_key_id", .type = CONFIG_TEXT, .offset = offsetof(struct settings, client_key_id)},
    {.key = "client_key_algorithm",
     .type = CONFIG_CHOICE,
     .offset = offsetof(struct settings, client_key_algorithm),
     .choices = jws_algorithm_names},
    {.key = "public_url",
     .type = CONFIG_TEXT,
     .offset = offsetof(struct settings, public_url),
     .required = true},
    {.key = "algorithm",
     .type = CONFIG_CHOICE,
     .offset = offsetof(struct settings, algorithm),
     .choices = jws_algorithm_names},
    {.key = "name", .type = CONFIG_TEXT, .offset = offsetof(struct settings, name)},
    {.key = "scope", .type = CONFIG_TEXT, .offset = offsetof(struct settings, scope)},
    {.key = "acr", .type = CONFIG_TEXT, .offset = offsetof(struct settings, acr)},
    {.key = "ca_file", .type = CONFIG_TEXT, .offset = offsetof(struct settings, ca_file)},
    {0},
};

static enum status read_secret(struct oidc *o, struct err *e)
{
    buf_init(&o->secret, 4096);
    if (!o->settings.client_secret_file)
        return ST_OK;
    enum status s = secret_file_read(o->settings.client_secret_file, &o->secret, e);
    while (s == ST_OK && o->secret.n && strchr("\r\n", o->secret.p[o->secret.n - 1]))
        o->secret.p[--o->secret.n] = '\0';
    return s;
}

static enum status open_signer(struct oidc *o, struct err *e)
{
    const struct settings *c = &o->settings;
    if (!c->client_key_file)
        return ST_OK;
    if (c->client_secret_file)
        return err_set(e, ST_USAGE,
                       "sign-in settings: name 'client_secret_file' or 'client_key_file', not both");
    enum status s = jws_signer_open(c->client_key_file, (enum jws_algorithm)c->client_key_algorithm,
                                    c->client_key_id, &o->signer, e);
    if (s != ST_OK)
        err_wrap(e, "sign-in settings, 'client_key_file'");
    return s;
}

/* Cuts "https://host[:port]/path" in two; false for what is no such address. */
static bool address_split(struct arena *a, const char *url, const char **base, const char **target)
{
    const char *host = strstr(url, "://"), *path = host ? strchr(host + 3, '/') : NULL;
    if (!host || !host[3] || (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0))
        return false;
    *base = path ? arena_strndup(a, url, (size_t)(path - url)) : arena_strdup(a, url);
    *target = path ? arena_strdup(a, path) : "/";
    return true;
}

/* The client refuses plain HTTP to anywhere but this machine: said when the hub starts, not at the first use.
 */
static enum status check_address(const char *key, const char *url, const char *ca, struct err *e)
{
    struct arena *a = arena_new();
    struct http_client *client = NULL;
    const char *base, *target;
    enum status s = address_split(a, url, &base, &target)
                        ? http_client_open(base, ca, NULL, &client, e)
                        : err_set(e, ST_USAGE, "expected an address that begins with https://");
    http_client_close(client);
    arena_free(a);
    if (s != ST_OK)
        err_wrap(e, "sign-in settings, '%s'", key);
    return s;
}

enum status oidc_open(const char *path, struct oidc **out, struct err *e)
{
    struct oidc *o = xcalloc(1, sizeof *o);
    *out = NULL;
    o->settings = (struct settings){.name = "your organisation's sign-in", .scope = "openid"};
    sem_init(&o->talks, 0, TALKS);
    pthread_mutex_init(&o->lock, NULL);
    enum status s = config_load(path, &o->file, e);
    if (s == ST_OK)
        s = config_read(o->file, fields, &o->settings, e);
    if (s == ST_OK)
        s = check_address("issuer", o->settings.issuer, o->settings.ca_file, e);
    if (s == ST_OK)
        s = check_address("public_url", o->settings.public_url, NULL, e);
    if (s == ST_OK)
        s = read_secret(o, e);
    if (s == ST_OK)
        s = open_signer(o, e);
    if (s == ST_OK)
        *out = o;
    else
        oidc_close(o);
    return s;
}

void oidc_close(struct oidc *o)
{
    if (!o)
        return;
    js_free(o->metadata);
    js_free(o->keys);
    secret_deinit(&o->secret);
    jws_signer_close(o->signer);
    config_free(o->file);
    sem_destroy(&o->talks);
    pthread_mutex_destroy(&o->lock);
    free(o);
}

const char *oidc_issuer(const struct oidc *o)
{
    return o->settings.issuer;
}

const char *oidc_name(const struct oidc *o)
{
    return o->settings.name;
}

/* --- talking to the provider --------------------------------------------------------------------------- */

static enum status send_call(const struct oidc *o, const char *base, const struct http_call *call,
                             struct http_reply *reply, struct err *e)
{
    struct http_client *client;
    enum status s = http_client_open(base, o->settings.ca_file, NULL, &client, e);
    if (s != ST_OK)
        return s;
    s = http_client_send(client, call, reply, e);
    http_client_close(client);
    return s;
}

/* One call; the answer must be a JSON object. What the provider says is never shown as it is. */
static enum status talk(struct oidc *o, const char *url, struct http_call call, struct js **out,
                        struct err *e)
{
    struct arena *a = arena_new();
    struct http_reply reply = {0};
    const char *base;
    *out = NULL;
    call.timeout_ms = CALL_MS;
    buf_init(&reply.body, REPLY_MOST);
    enum status s = ST_OK;
    if (!address_split(a, url, &base, &call.target))
        s = err_set(e, ST_NETWORK, "it names an address that is none");
    if (s == ST_OK && sem_trywait(&o->talks) != 0)
        s = err_set(e, ST_TIMEOUT, "too many people are signing in; try again");
    else if (s == ST_OK) {
        s = send_call(o, base, &call, &reply, e);
        sem_post(&o->talks);
    }
    if (s == ST_OK && reply.code != 200)
        s = err_set(e, reply.code < 500 ? ST_UNAUTHENTICATED : ST_NETWORK, "it answered with code %d",
                    reply.code);
    if (s == ST_OK &&
        (js_parse(buf_slice(&reply.body), "answer", out, NULL) != ST_OK || !js_is(*out, JS_OBJECT)))
        s = err_set(e, ST_NETWORK, "its answer is no JSON object");
    if (s != ST_OK) {
        err_wrap(e, "the sign-in provider");
        js_free(*out);
        *out = NULL;
    }
    buf_deinit(&reply.body);
    arena_free(a);
    return s;
}

static enum status check_metadata(const struct oidc *o, const struct js *m, struct err *e)
{
    static const char *const needed[] = {"authorization_endpoint", "token_endpoint", "jwks_uri"};
    const char *issuer = js_get_str(m, "issuer");
    if (!issuer || strcmp(issuer, o->settings.issuer) != 0)
        return err_set(e, ST_NETWORK,
                       "the sign-in provider calls itself another issuer than the settings do");
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!js_get_str(m, needed[i]))
            return err_set(e, ST_NETWORK, "the sign-in provider's metadata lacks '%s'", needed[i]);
    return ST_OK;
}

/* One more reference to the metadata, fetched when there is none or it is old. */
static enum status metadata_get(struct oidc *o, int64_t now_ms, struct js **out, struct err *e)
{
    struct js *fresh = NULL;
    pthread_mutex_lock(&o->lock);
    *out = o->metadata && now_ms - o->metadata_ms < METADATA_MS ? js_copy(o->metadata) : NULL;
    pthread_mutex_unlock(&o->lock);
    if (*out)
        return ST_OK;
    size_t n = strlen(o->settings.issuer);
    bool slash = n && o->settings.issuer[n - 1] == '/';
    char *url = xasprintf("%s%s.well-known/openid-configuration", o->settings.issuer, slash ? "" : "/");
    enum status s = talk(o, url, (struct http_call){.method = "GET"}, &fresh, e);
    free(url);
    if (s == ST_OK)
        s = check_metadata(o, fresh, e);
    if (s != ST_OK) {
        js_free(fresh);
        return s;
    }
    *out = js_copy(fresh);
    pthread_mutex_lock(&o->lock);
    js_free(o->metadata);
    o->metadata = fresh;
    o->metadata_ms = now_ms;
    pthread_mutex_unlock(&o->lock);
    return ST_OK;
}

const char *oidc_end_session(struct oidc *o, struct arena *a)
{
    pthread_mutex_lock(&o->lock);
    const char *url = js_get_str(o->metadata, "end_session_endpoint");
    const char *copy = url ? arena_strdup(a, url) : NULL;
    pthread_mutex_unlock(&o->lock);
    return copy;
}

/* The provider's keys; fetched again when the token's is not among those that we have. */
static enum status keys_get(struct oidc *o, const char *url, struct slice token, int64_t now_ms,
                            struct js **out, struct err *e)
{
    struct js *fresh = NULL;
    enum jws_algorithm algorithm = (enum jws_algorithm)o->settings.algorithm;
    pthread_mutex_lock(&o->lock);
    int64_t age = now_ms - o->keys_ms;
    bool good =
        o->keys && age < METADATA_MS && (age < KEYS_AGAIN_MS || jws_key_known(token, o->keys, algorithm));
    *out = good ? js_copy(o->keys) : NULL;
    pthread_mutex_unlock(&o->lock);
    if (good)
        return ST_OK;
    enum status s = talk(o, url, (struct http_call){.method = "GET"}, &fresh, e);
    if (s != ST_OK)
        return s;
    *out = js_copy(fresh);
    pthread_mutex_lock(&o->lock);
    js_free(o->keys);
    o->keys = fresh;
    o->keys_ms = now_ms;
    pthread_mutex_unlock(&o->lock);
    return ST_OK;
}

/* --- beginning ----------------------------------------------------------------------------------------- */

static void random_text(struct buf *out)
{
    uint8_t bytes[SECRET_BYTES];
    random_bytes(bytes, sizeof bytes);
    base64url_encode(bytes, sizeof bytes, out);
}

static void put_random(struct js *attempt, const char *key)
{
    struct buf text;
    buf_init(&text, 256);
    random_text(&text);
    js_put_str(attempt, key, text.p);
    buf_deinit(&text);
}

static void add_member(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "%s%s=", out->n && !strchr("?&", out->p[out->n - 1]) ? "&" : "", name);
    buf_url(out, value);
}

static void add_redirect(const struct oidc *o, struct buf *out)
{
    size_t n = strlen(o->settings.public_url);
    bool slash = n && o->settings.public_url[n - 1] == '/';
    char *url = xasprintf("%s%ssign-in/callback", o->settings.public_url, slash ? "" : "/");
    add_member(out, "redirect_uri", url);
    free(url);
}

static void add_challenge(const char *verifier, struct buf *out)
{
    uint8_t hash[HASH_BYTES];
    struct buf text;
    buf_init(&text, 256);
    sha256(verifier, strlen(verifier), hash);
    base64url_encode(hash, sizeof hash, &text);
    add_member(out, "code_challenge", text.p);
    add_member(out, "code_challenge_method", "S256");
    buf_deinit(&text);
}

enum status oidc_begin(struct oidc *o, struct arena *a, int64_t now_ms, const char **url, struct js **attempt,
                       struct err *e)
{
    struct js *metadata = NULL;
    struct buf text;
    *attempt = NULL;
    enum status s = metadata_get(o, now_ms, &metadata, e);
    if (s != ST_OK)
        return s;
    const char *endpoint = js_get_str(metadata, "authorization_endpoint");
    *attempt = js_object();
    put_random(*attempt, "state");
    put_random(*attempt, "nonce");
    put_random(*attempt, "verifier");
    js_put_int(*attempt, "begun_ms", now_ms);
    buf_init(&text, 8192);
    buf_printf(&text, "%s%c", endpoint, strchr(endpoint, '?') ? '&' : '?');
    add_member(&text, "response_type", "code");
    add_member(&text, "client_id", o->settings.client_id);
    add_redirect(o, &text);
    add_member(&text, "scope", o->settings.scope);
    add_member(&text, "state", js_get_str(*attempt, "state"));
    add_member(&text, "nonce", js_get_str(*attempt, "nonce"));
    add_challenge(js_get_str(*attempt, "verifier"), &text);
    if (o->settings.acr)
        add_member(&text, "acr_values", o->settings.acr);
    s = buf_check(&text, "the sign-in address", e);
    if (s == ST_OK)
        *url = arena_strdup(a, text.p);
    buf_deinit(&text);
    js_free(metadata);
    return s;
}

/* --- finishing ----------------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return a && b && strlen(a) == strlen(b) && secret_equal(a, b, strlen(a));
}

static bool names_client(const struct js *claims, const char *client)
{
    const struct js *aud = js_get(claims, "aud");
    const char *azp = js_get_str(claims, "azp");
    if (js_str(aud))
        return strcmp(js_str(aud), client) == 0 && (!azp || strcmp(azp, client) == 0);
    return js_has_text(aud, client) && (js_size(aud) == 1 || azp) && (!azp || strcmp(azp, client) == 0);
}

enum status oidc_check_claims(const struct js *claims, const struct oidc_expected *x, struct err *e)
{
    const char *issuer = js_get_str(claims, "iss"), *subject = js_get_str(claims, "sub");
    const char *acr = js_get_str(claims, "acr");
    const struct js *expires = js_get(claims, "exp"), *issued = js_get(claims, "iat"),
                    *from = js_get(claims, "nbf");
    double now = (double)x->now_ms / 1000;
    if (!issuer || strcmp(issuer, x->issuer) != 0)
        return err_set(e, ST_UNAUTHENTICATED, "the token is of another issuer");
    if (!names_client(claims, x->client))
        return err_set(e, ST_UNAUTHENTICATED, "the token is meant for another client than this hub");
    if (!js_is_number(expires) || js_num(expires) <= now - SKEW_S)
        return err_set(e, ST_UNAUTHENTICATED, "the token has expired");
    if (!js_is_number(issued) || js_num(issued) > now + SKEW_S || js_num(issued) < now - TOKEN_AGE_S)
        return err_set(e, ST_UNAUTHENTICATED, "the token was not issued just now");
    if (from && (!js_is_number(from) || js_num(from) > now + SKEW_S))
        return err_set(e, ST_UNAUTHENTICATED, "the token is not valid yet");
    if (!same_text(js_get_str(claims, "nonce"), x->nonce))
        return err_set(e, ST_UNAUTHENTICATED, "the token's nonce is not that of this sign-in");
    if (x->acr && (!acr || strcmp(acr, x->acr) != 0))
        return err_set(e, ST_UNAUTHENTICATED,
                       "the provider did not authenticate as strongly as this hub asks");
    if (!subject || !*subject || strlen(subject) > 255)
        return err_set(e, ST_UNAUTHENTICATED, "the token names nobody");
    return ST_OK;
}

/* Name and secret are form-encoded before they are joined (RFC 6749, section 2.3.1). */
static void add_basic(const struct oidc *o, struct arena *a, const char **headers)
{
    struct buf pair, text;
    buf_init(&pair, 16384);
    buf_init(&text, 32768);
    buf_url(&pair, o->settings.client_id);
    buf_addc(&pair, ':');
    buf_url(&pair, o->secret.p);
    base64_encode((const uint8_t *)pair.p, pair.n, &text);
    headers[0] = arena_printf(a, "Authorization: Basic %s", text.p);
    secret_deinit(&pair);
    secret_deinit(&text);
}

/* private_key_jwt (OpenID Connect Core 1.0, section 9; RFC 7523): who has the key is the client. */
static enum status add_assertion(const struct oidc *o, const char *audience, struct buf *form, struct err *e)
{
    struct js *claims = js_object();
    struct buf token;
    int64_t now = time_now_ms() / 1000;
    buf_init(&token, 8192);
    js_put_str(claims, "iss", o->settings.client_id);
    js_put_str(claims, "sub", o->settings.client_id);
    js_put_str(claims, "aud", audience);
    js_put_int(claims, "iat", now);
    js_put_int(claims, "exp", now + ASSERTION_AGE_S);
    put_random(claims, "jti");
    enum status s = jws_sign(o->signer, claims, &token, e);
    if (s == ST_OK) {
        add_member(form, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        add_member(form, "client_assertion", token.p);
    }
    js_free(claims);
    secret_deinit(&token);
    return s;
}

static enum status exchange(struct oidc *o, struct arena *a, const char *url, const struct js *attempt,
                            const char *code, struct js **answer, struct err *e)
{
    struct buf form;
    const char *headers[2] = {NULL};
    buf_init(&form, 16384);
    add_member(&form, "grant_type", "authorization_code");
    add_member(&form, "code", code);
    add_redirect(o, &form);
    add_member(&form, "code_verifier", js_get_str(attempt, "verifier"));
    enum status s = ST_OK;
    if (o->secret.n)
        add_basic(o, a, headers);
    else
        add_member(&form, "client_id", o->settings.client_id);
    if (o->signer)
        s = add_assertion(o, url, &form, e);
    if (s == ST_OK)
        s = buf_check(&form, "the code", e);
    if (s == ST_OK)
        s = talk(o, url,
                 (struct http_call){.method = "POST",
                                    .headers = headers,
                                    .type = "application/x-www-form-urlencoded",
                                    .body = buf_slice(&form)},
                 answer, e);
    secret_deinit(&form);
    return s;
}

static enum status check_attempt(const struct js *attempt, const char *state, int64_t now_ms, struct err *e)
{
    int64_t begun = js_get_int(attempt, "begun_ms", 0);
    if (!same_text(js_get_str(attempt, "state"), state))
        return err_set(e, ST_UNAUTHENTICATED,
                       "this answer is not to a sign-in that this browser began; begin again");
    if (now_ms < begun || now_ms - begun > ATTEMPT_MS)
        return err_set(e, ST_UNAUTHENTICATED, "the sign-in took longer than ten minutes; begin again");
    return ST_OK;
}

static enum status check_token(struct oidc *o, const struct js *metadata, const struct js *attempt,
                               const char *token, int64_t now_ms, struct js **claims, struct err *e)
{
    struct js *keys = NULL;
    const struct oidc_expected expected = {.issuer = o->settings.issuer,
                                           .client = o->settings.client_id,
                                           .nonce = js_get_str(attempt, "nonce"),
                                           .acr = o->settings.acr,
                                           .now_ms = now_ms};
    if (!token)
        return err_set(e, ST_UNAUTHENTICATED, "the sign-in provider gave no ID token");
    enum status s = keys_get(o, js_get_str(metadata, "jwks_uri"), slice_of(token), now_ms, &keys, e);
    if (s == ST_OK)
        s = jws_verify(slice_of(token), keys, (enum jws_algorithm)o->settings.algorithm, claims, e);
    if (s == ST_OK)
        s = oidc_check_claims(*claims, &expected, e);
    js_free(keys);
    return s;
}

enum status oidc_finish(struct oidc *o, struct arena *a, const struct js *attempt, const char *state,
                        const char *code, int64_t now_ms, const char **subject, struct err *e)
{
    struct js *metadata = NULL, *answer = NULL, *claims = NULL;
    enum status s = check_attempt(attempt, state, now_ms, e);
    if (s == ST_OK)
        s = metadata_get(o, now_ms, &metadata, e);
    if (s == ST_OK)
        s = exchange(o, a, js_get_str(metadata, "token_endpoint"), attempt, code, &answer, e);
    if (s == ST_OK)
        s = check_token(o, metadata, attempt, js_get_str(answer, "id_token"), now_ms, &claims, e);
    if (s == ST_OK)
        *subject = arena_strdup(a, js_get_str(claims, "sub"));
    js_free(metadata);
    js_free(answer);
    js_free(claims);
    return s;
}
