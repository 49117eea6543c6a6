/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts: people whose signing key the hub holds for them, and how they prove who they are (accounts.db).
 *
 * A password (Argon2id, 64 MiB) and a one-time code open a session; a session or an API token lets the hub
 * sign with the account's key. Nothing here is in the log; what people do with it is. Session and API tokens
 * are random and kept as SHA-256; keys and code secrets are encrypted with a key derived from the hub's own
 * (so the file alone is of no use). Thread-safe: every function takes the lock for its database work and
 * hashes passwords outside it, two at a time.
 */
#ifndef ACCORD_HTTP_ACCOUNTS_H
#define ACCORD_HTTP_ACCOUNTS_H

#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/json.h"

enum {
    ACCOUNT_TOKEN_DIGITS = 64,
    ACCOUNT_PERSON_MOST = 64,
    ACCOUNT_PASSWORD_LEAST = 12,
    ACCOUNT_SUBJECT_MOST = 255
};

struct accounts;
MUST_CHECK enum status accounts_open(const char *path, const struct identity *hub, struct accounts **out,
                                     struct err *e);
void accounts_close(struct accounts *a); /* NULL is fine */

struct account_new {
    char key_hex[2 * SIGN_PUBLIC_BYTES + 1];
    char totp_secret[33]; /* base32, for the authenticator app; never shown again */
};
struct account_wanted {
    const char *person, *password;
    const char *roles;          /* what the account may do at a node, separated by '|'; "" at a hub */
    const struct identity *key; /* one that the person has already; NULL makes a new one */
};
/* ST_CONFLICT when the name is taken, ST_INVALID for a password that is too short or too plain. */
MUST_CHECK enum status account_create(struct accounts *a, const struct account_wanted *wanted,
                                      struct account_new *out, struct err *e);
/* [{"person", "roles", "key", "made"}]; and the end of one, with its sessions and tokens. */
MUST_CHECK enum status account_list(struct accounts *a, struct js **out, struct err *e);
MUST_CHECK enum status account_remove(struct accounts *a, const char *person, struct err *e);

struct session_new {
    char token[ACCOUNT_TOKEN_DIGITS + 1]; /* for the cookie */
    char csrf[ACCOUNT_TOKEN_DIGITS + 1];  /* for the header X-CSRF-Token of changes */
};
/* ST_UNAUTHENTICATED without saying which of the three was wrong. */
MUST_CHECK enum status account_login(struct accounts *a, const char *person, const char *password,
                                     const char *code, int64_t now_ms, struct session_new *out,
                                     struct err *e);
/* The CSRF token of a session: made from its token with a key of the hub's, so that a page that was loaded
   again can ask for it (GET /session) and another tab's stays good. */
void account_csrf(const struct accounts *a, const char *token, char csrf[ACCOUNT_TOKEN_DIGITS + 1]);
/* Identities of an OpenID provider: (issuer, subject) opens the sessions of the one account that it is linked
   to. ST_DENIED when it is linked to none; ST_CONFLICT when either side is linked already. */
MUST_CHECK enum status account_link(struct accounts *a, const char *person, const char *issuer,
                                    const char *subject, struct err *e);
MUST_CHECK enum status account_unlink(struct accounts *a, const char *person, const char *issuer,
                                      struct err *e);
/* The linked subject, "" without one. */
MUST_CHECK enum status account_linked(struct accounts *a, const char *person, const char *issuer,
                                      char subject[ACCOUNT_SUBJECT_MOST + 1], struct err *e);
MUST_CHECK enum status account_login_linked(struct accounts *a, const char *issuer, const char *subject,
                                            int64_t now_ms, struct session_new *out, struct err *e);
/* A text that a browser keeps for us in a cookie, unread and unchanged. */
void account_seal(const struct accounts *a, struct slice text, const char *purpose, struct buf *out);
bool account_unseal(const struct accounts *a, struct slice sealed, const char *purpose, struct buf *out);
MUST_CHECK enum status account_logout(struct accounts *a, const char *token, struct err *e);

/* Who a request acts for. */
struct account_use {
    char person[ACCOUNT_PERSON_MOST + 1];
    char csrf_hash[65]; /* SHA-256 hex of a session's CSRF token; "" for API tokens */
    char scopes[256];   /* of an API token, separated by spaces; "*" for sessions */
    char roles[64];     /* of the account, in a session */
};
MUST_CHECK enum status account_by_session(struct accounts *a, const char *token, int64_t now_ms,
                                          struct account_use *out, struct err *e);
MUST_CHECK enum status account_by_token(struct accounts *a, const char *token, int64_t now_ms,
                                        struct account_use *out, struct err *e);
/* The scope "read", "act" (any verb) or "act:<noun>". */
bool account_may(const struct account_use *u, const char *scope);

/* API tokens; `scopes` separated by spaces. The token is shown once. */
MUST_CHECK enum status account_token_new(struct accounts *a, const char *person, const char *name,
                                         const char *scopes, int64_t expires_ms,
                                         char token[ACCOUNT_TOKEN_DIGITS + 1], struct err *e);
MUST_CHECK enum status account_tokens(struct accounts *a, const char *person, struct js **out, struct err *e);
MUST_CHECK enum status account_token_end(struct accounts *a, const char *person, const char *name,
                                         struct err *e);

/* The key that the hub holds for a person; identity_free it. */
MUST_CHECK enum status account_identity(struct accounts *a, const char *person, struct identity **out,
                                        struct err *e);

#endif
