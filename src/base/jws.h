/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed JSON: verifying a compact JWS (RFC 7515) as others send it against a set of public keys (RFC 7517), and
 * signing one (jws_sign.c).
 * The algorithm is the caller's, never the token's own choice: a header that names another one, or "none",
 * is refused. The second door to OpenSSL (jws.c and jws_sign.c), beside crypto.c.
 */
#ifndef ACCORD_BASE_JWS_H
#define ACCORD_BASE_JWS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"

/* RS256, RS512 and PS256 with 2,048 bits or more, ES256 on P-256, EdDSA on Ed25519 (RFC 7518, RFC 8037). */
enum jws_algorithm { JWS_RS256, JWS_RS512, JWS_PS256, JWS_ES256, JWS_EDDSA };
extern const char *const jws_algorithm_names[]; /* "RS256" …, ended by NULL */

/* Whether the set ({"keys": [...]}) has a key that this token may be signed with: of the algorithm, for
   signatures, and of the token's "kid" where it names one. False for what is no token, too. */
bool jws_key_known(struct slice token, const struct js *keys, enum jws_algorithm algorithm);

/* The payload, an object, of a token whose signature is right. ST_UNAUTHENTICATED says what is wrong; the
   caller frees *claims and checks what they say. */
MUST_CHECK enum status jws_verify(struct slice token, const struct js *keys, enum jws_algorithm algorithm,
                                  struct js **claims, struct err *e);

/* A private key that signs. From a PEM file that only its owner may read; ST_INVALID where its key is not one for
   the algorithm. kid (may be NULL) names the key in tokens. */
struct jws_signer;
MUST_CHECK enum status jws_signer_open(const char *path, enum jws_algorithm algorithm, const char *kid,
                                       struct jws_signer **out, struct err *e);
void jws_signer_close(struct jws_signer *s); /* NULL is fine */
/* Appends the compact token of the claims. */
MUST_CHECK enum status jws_sign(const struct jws_signer *s, const struct js *claims, struct buf *out,
                                struct err *e);

/* OpenSSL's digest of the algorithm, NULL for EdDSA; for the two files of this header. */
const struct evp_md_st *jws_digest(enum jws_algorithm algorithm);

/* base64url without padding (RFC 4648 section 5). Decoding returns the number of bytes, -1 when it is none or
   does not fit. */
void base64url_encode(const uint8_t *bytes, size_t n, struct buf *out);
long base64url_decode(struct slice s, uint8_t *out, size_t most);

#endif
