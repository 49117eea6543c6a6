/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed JSON as others send it: verifying a compact JWS (RFC 7515) against a set of public keys (RFC 7517).
 * The algorithm is the caller's, never the token's own choice: a header that names another one, or "none",
 * is refused. The second door to OpenSSL, beside crypto.c.
 */
#ifndef ACCORD_BASE_JWS_H
#define ACCORD_BASE_JWS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"

/* RS256 and PS256 with 2,048 bits or more, ES256 on P-256, EdDSA on Ed25519 (RFC 7518, RFC 8037). */
enum jws_algorithm { JWS_RS256, JWS_PS256, JWS_ES256, JWS_EDDSA };
extern const char *const jws_algorithm_names[]; /* "RS256" …, ended by NULL */

/* Whether the set ({"keys": [...]}) has a key that this token may be signed with: of the algorithm, for
   signatures, and of the token's "kid" where it names one. False for what is no token, too. */
bool jws_key_known(struct slice token, const struct js *keys, enum jws_algorithm algorithm);

/* The payload, an object, of a token whose signature is right. ST_UNAUTHENTICATED says what is wrong; the
   caller frees *claims and checks what they say. */
MUST_CHECK enum status jws_verify(struct slice token, const struct js *keys, enum jws_algorithm algorithm,
                                  struct js **claims, struct err *e);

/* base64url without padding (RFC 4648 section 5). Decoding returns the number of bytes, -1 when it is none or
   does not fit. */
void base64url_encode(const uint8_t *bytes, size_t n, struct buf *out);
long base64url_decode(struct slice s, uint8_t *out, size_t most);

#endif
