/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes of people whose key the hub holds: accounts, sessions, API tokens, and acting on the register.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "http/hub.h"
#include "http/tables.h"

enum { NEW_ACCOUNTS = 10, NEW_SECONDS = 3600, TOKEN_DAYS_MOST = 366, KEY_MOST = 200 };

static enum status post_account(struct call *c, struct err *e)
{
    static const char *const members[] = {"person", "password", NULL};
    const char *person, *password;
    struct account_new made;
    enum status s = js_only(c->body, members, "$", e);
    if (s == ST_OK)
        s = js_need_str(c->body, "person", "$", &person, e);
    if (s == ST_OK)
        s = js_need_str(c->body, "password", "$", &password, e);
    if (s == ST_OK)
        s = call_limit(c, "account", c->request->peer, NEW_ACCOUNTS, NEW_SECONDS, e);
    if (s == ST_OK)
        s = account_create(c->hub->accounts, &(struct account_wanted){.person = person, .password = password},
                           &made, e);
    if (s != ST_OK)
        return s;
    struct js *answer = js_object();
    js_put_str(answer, "person", person);
    js_put_str(answer, "key", made.key_hex);
    js_put_str(answer, "totp_secret", made.totp_secret);
    js_put_str(answer, "otpauth",
               arena_printf(c->request->arena, "otpauth://totp/Accord:%s?secret=%s&issuer=Accord", person,
                            made.totp_secret));
    return call_json(c, 201, answer);
}

static enum status login(struct call *c, const char *person, const char *password, const char *code,
                         struct err *e)
{
    struct session_new made;
    unsigned wait = limiter_login(c->hub->limiter, c->request->peer, person, time_monotonic_ns());
    enum status s = wait ? call_too_many(c, wait, e) : ST_OK;
    if (s == ST_OK)
        s = account_login(c->hub->accounts, person, password, code, time_now_ms(), &made, e);
    if (s != ST_OK)
        return s;
    struct js *answer = js_object();
    js_put_str(answer, "person", person);
    js_put_str(answer, "csrf_token", made.csrf);
    call_session(c, made.token, SESSION_SECONDS);
    return call_json(c, 201, answer);
}

static enum status post_session(struct call *c, struct err *e)
{
    static const char *const members[] = {"person", "password", "code", NULL};
    const char *person, *password, *code;
    enum status s = js_only(c->body, members, "$", e);
    if (s == ST_OK)
        s = js_need_str(c->body, "person", "$", &person, e);
    if (s == ST_OK)
        s = js_need_str(c->body, "password", "$", &password, e);
    if (s == ST_OK)
        s = js_need_str(c->body, "code", "$", &code, e);
    if (s == ST_OK && strlen(person) > ACCOUNT_PERSON_MOST)
        s = err_set(e, ST_INVALID, "person: at most %d characters", ACCOUNT_PERSON_MOST);
    return s == ST_OK ? login(c, person, password, code, e) : s;
}

static enum status get_session(struct call *c, struct err *e)
{
    (void)e;
    char csrf[ACCOUNT_TOKEN_DIGITS + 1];
    const char *cookie = call_cookie(c, SESSION_COOKIE);
    struct js *answer = js_object();
    js_put_str(answer, "person", c->account->person);
    js_put_str(answer, "scopes", c->account->scopes);
    if (cookie && *c->account->csrf_hash) {
        account_csrf(c->hub->accounts, cookie, csrf);
        js_put_str(answer, "csrf_token", csrf);
    }
    return call_json(c, 200, answer);
}

static enum status delete_session(struct call *c, struct err *e)
{
    const char *cookie = call_cookie(c, SESSION_COOKIE);
    enum status s = cookie ? account_logout(c->hub->accounts, cookie, e) : ST_OK;
    call_session(c, "", 0);
    return s == ST_OK ? call_empty(c) : s;
}

/* --- API tokens ---------------------------------------------------------------------------------------- */

/* Tokens are made and ended in a session: one token cannot make another. */
static enum status need_session(struct call *c, struct err *e)
{
    return account_may(c->account, "*")
               ? ST_OK
               : err_set(e, ST_DENIED, "this is done in a session, not with an API token");
}

static enum status get_tokens(struct call *c, struct err *e)
{
    struct js *list = NULL;
    enum status s = need_session(c, e);
    if (s == ST_OK)
        s = account_tokens(c->hub->accounts, c->account->person, &list, e);
    if (s != ST_OK) {
        js_free(list);
        return s;
    }
    struct js *answer = js_object();
    js_put(answer, "items", list);
    return call_json(c, 200, answer);
}

static enum status post_token(struct call *c, struct err *e)
{
    static const char *const members[] = {"name", "scopes", "days", NULL};
    const char *name, *scopes;
    int64_t days;
    char token[ACCOUNT_TOKEN_DIGITS + 1];
    enum status s = need_session(c, e);
    if (s == ST_OK)
        s = js_only(c->body, members, "$", e);
    if (s == ST_OK)
        s = js_need_str(c->body, "name", "$", &name, e);
    if (s == ST_OK)
        s = js_need_str(c->body, "scopes", "$", &scopes, e);
    if (s == ST_OK)
        s = js_need_int(c->body, "days", "$", 1, TOKEN_DAYS_MOST, &days, e);
    if (s == ST_OK && (!name[0] || strlen(name) > ACCOUNT_PERSON_MOST))
        s = err_set(e, ST_INVALID, "name: expected 1 to %d characters", ACCOUNT_PERSON_MOST);
    if (s == ST_OK)
        s = account_token_new(c->hub->accounts, c->account->person, name, scopes,
                              time_now_ms() + days * 86400000, token, e);
    if (s != ST_OK)
        return s;
    struct js *answer = js_object();
    js_put_str(answer, "name", name);
    js_put_str(answer, "token", token);
    return call_json(c, 201, answer);
}

static enum status delete_token(struct call *c, struct err *e)
{
    enum status s = need_session(c, e);
    if (s == ST_OK)
        s = account_token_end(c->hub->accounts, c->account->person, c->param[0], e);
    return s == ST_OK ? call_empty(c) : s;
}

/* --- acting -------------------------------------------------------------------------------------------- */

/* The same Idempotency-Key gives the same nonce, and so the same entry. */
static const char *nonce_of(struct call *c)
{
    const char *key = request_header(c->request, "Idempotency-Key");
    char hex[2 * HASH_BYTES + 1];
    if (!key)
        return NULL;
    sha256_hex(slice_of(key), hex);
    return arena_strndup(c->request->arena, hex, 32);
}

static enum status put_personal(struct js *command, const struct js *personal, struct err *e)
{
    for (void *it = js_first(personal); it; it = js_next(personal, it)) {
        if (!js_str(js_value(it)))
            return err_set(e, ST_INVALID, "$.personal.%.40s: expected a string", js_key(it));
        command_put_personal(command, js_key(it), js_str(js_value(it)));
    }
    return ST_OK;
}

static enum status sign_for(struct call *c, const char *verb, const char *subject, struct js **command,
                            struct err *e)
{
    const struct js *body = js_get(c->body, "body"), *personal = js_get(c->body, "personal");
    struct identity *id = NULL;
    *command = command_new(verb, subject, body ? js_copy(body) : js_object(), nonce_of(c));
    enum status s = personal ? put_personal(*command, personal, e) : ST_OK;
    if (s == ST_OK)
        s = account_identity(c->hub->accounts, c->account->person, &id, e);
    if (s == ST_OK)
        s = command_sign(*command, id, e);
    if (id)
        identity_free(id);
    return s;
}

static enum status check_act(struct call *c, const char **verb, const char **subject, struct err *e)
{
    static const char *const members[] = {"verb", "subject", "body", "personal", NULL};
    const char *key = request_header(c->request, "Idempotency-Key");
    enum status s = js_only(c->body, members, "$", e);
    if (s == ST_OK)
        s = js_need_str(c->body, "verb", "$", verb, e);
    if (s == ST_OK)
        s = js_need_str(c->body, "subject", "$", subject, e);
    if (s == ST_OK && key && strlen(key) > KEY_MOST)
        s = err_set(e, ST_USAGE, "Idempotency-Key: at most %d characters", KEY_MOST);
    if (s != ST_OK)
        return s;
    char *scope = arena_printf(c->request->arena, "act:%.*s", (int)strcspn(*verb, "."), *verb);
    if (!account_may(c->account, scope))
        return err_set(e, ST_DENIED, "this token has not the scope '%s'", scope);
    return ST_OK;
}

/* What was asked for, but for personal texts: their salts are fresh each time. */
static bool same_request(struct call *c, const struct ledger_entry *entry, const char *verb,
                         const char *subject)
{
    const struct js *body = js_get(c->body, "body");
    bool same = strcmp(entry->verb, verb) == 0 && strcmp(entry->subject, subject) == 0;
    for (void *it = js_first(body); same && it; it = js_next(body, it))
        same = js_equal(js_value(it), js_get(entry->body, js_key(it)));
    return same;
}

/* The entry that this Idempotency-Key made before. */
static enum status find_made(struct call *c, const struct js *command, struct ledger_entry *entry,
                             struct err *e)
{
    struct err ignored;
    enum status s = ledger_find_nonce(registry_ledger(c->hub->registry), js_get_str(command, "actor"),
                                      js_get_str(command, "nonce"), entry, &ignored);
    entry->repeated = s == ST_OK;
    if (s != ST_OK || same_request(c, entry, js_get_str(command, "verb"), js_get_str(command, "subject")))
        return ST_OK;
    return err_set(e, ST_CONFLICT, "Idempotency-Key: it was used for something else before");
}

static enum status post_act(struct call *c, struct err *e)
{
    const char *verb, *subject;
    struct js *command = NULL;
    struct ledger_entry entry = {0};
    enum status s = check_act(c, &verb, &subject, e);
    if (s == ST_OK)
        s = sign_for(c, verb, subject, &command, e);
    if (s == ST_OK)
        s = find_made(c, command, &entry, e);
    if (s == ST_OK && !entry.repeated)
        s = call_if_match(c, subject, e);
    if (s == ST_OK && !entry.repeated)
        s = hub_submit(c->hub, command, &entry, e);
    if (s == ST_OK)
        s = call_json(c, entry.repeated ? 200 : 201, js_share(entry.json));
    ledger_entry_deinit(&entry);
    js_free(command);
    return s;
}

const struct route account_routes[] = {
    {"POST", "/api/v1/accounts", ACCESS_PUBLIC, "make an account: a key that the hub holds for a person",
     NULL, "person (a name of one's own choice), password",
     "key, totp_secret and otpauth for an authenticator app", post_account, HOLD_NOTHING},
    {"POST", "/api/v1/session", ACCESS_PUBLIC, "log in", NULL, "person, password, code (six digits)",
     "csrf_token for the header X-CSRF-Token; the session is a cookie", post_session, HOLD_NOTHING},
    {"GET", "/api/v1/session", ACCESS_ACCOUNT, "whose session or token this is", NULL, NULL,
     "person, scopes, csrf_token (of a session)", get_session, HOLD_NOTHING},
    {"DELETE", "/api/v1/session", ACCESS_ACCOUNT, "log out", NULL, NULL, NULL, delete_session, HOLD_NOTHING},
    {"GET", "/api/v1/tokens", ACCESS_ACCOUNT, "one's API tokens", NULL, NULL, "items", get_tokens,
     HOLD_NOTHING},
    {"POST", "/api/v1/tokens", ACCESS_ACCOUNT, "make an API token", NULL,
     "name, scopes ('read', 'act', 'act:NOUN', separated by spaces), days", "token, shown this once",
     post_token, HOLD_NOTHING},
    {"DELETE", "/api/v1/tokens/{name}", ACCESS_ACCOUNT, "end an API token", NULL, NULL, NULL, delete_token,
     HOLD_NOTHING},
    {"POST", "/api/v1/act", ACCESS_ACCOUNT,
     "do something on the register with the key that the hub holds; Idempotency-Key and If-Match are heeded",
     NULL, "verb, subject, body; personal: texts of which only salted hashes go into the log", "the entry",
     post_act, HOLD_HUB},
    {0},
};
