/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing in through an OpenID provider (OpenID Connect Core 1.0, authorisation code flow with PKCE S256).
 * The provider says who somebody is; whether that opens a session is for accounts.h: only an identity that
 * was linked to an account beforehand does.
 *
 * What must come back unchanged (state, nonce, code verifier) waits in a sealed cookie at the browser, so the
 * hub keeps nothing between the two requests. The provider's metadata and keys are fetched when first needed
 * and kept for an hour; keys again at once, at most once a minute, when a token names one that is not there.
 *
 * Threads: any; at most two talk to the provider at a time.
 */
#ifndef ACCORD_HTTP_OIDC_H
#define ACCORD_HTTP_OIDC_H

#include "base/json.h"
#include "base/mem.h"

struct oidc;
/* Reads the YAML file that docs/operator describes: issuer, client_id, client_secret_file or client_key_file with
   client_key_id and client_key_algorithm, public_url, algorithm, name, scope, acr, ca_file. */
MUST_CHECK enum status oidc_open(const char *path, struct oidc **out, struct err *e);
void oidc_close(struct oidc *o); /* NULL is fine */
const char *oidc_issuer(const struct oidc *o);
const char *oidc_name(const struct oidc *o); /* for people: "NHS CIS2" */
/* The address for logging out at the provider, NULL when it names none (or was not asked yet). Arena memory.
 */
const char *oidc_end_session(struct oidc *o, struct arena *a);

/* Begins: the address to send the browser to, and the attempt to keep sealed: {"state","nonce","verifier",
   "begun_ms"} (the caller may add members, seals it and frees it). */
MUST_CHECK enum status oidc_begin(struct oidc *o, struct arena *a, int64_t now_ms, const char **url,
                                  struct js **attempt, struct err *e);
/* Ends: with the attempt, the state and the code that the browser brought. *subject is arena memory.
   ST_UNAUTHENTICATED says what did not fit. */
MUST_CHECK enum status oidc_finish(struct oidc *o, struct arena *a, const struct js *attempt,
                                   const char *state, const char *code, int64_t now_ms, const char **subject,
                                   struct err *e);

/* What an ID token must say (section 3.1.3.7), once its signature is right. Apart for its tests. */
struct oidc_expected {
    const char *issuer, *client, *nonce, *acr; /* acr NULL = any */
    int64_t now_ms;
};
MUST_CHECK enum status oidc_check_claims(const struct js *claims, const struct oidc_expected *x,
                                         struct err *e);

#endif
