/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed requests: one profile of RFC 9421 (HTTP Message Signatures) with Ed25519. Exactly this is accepted:
 *
 *     Content-Digest: sha-256=:<base64 of the body's SHA-256>:                          (RFC 9530)
 *     Signature-Input: sig1=("@method" "@path" "@query" "content-digest");created=<unix s>;
 *                      nonce="<1 to 64 of A-Za-z0-9_->";keyid="<Ed25519 public key, hex>";alg="ed25519"
 *     Signature: sig1=:<base64>:
 *
 * The signature base is that of RFC 9421 section 2.5: one line per component, then "@signature-params". A
 * body is always covered (an empty one too), so method, target and content are bound to key and time.
 *
 * A replay guard remembers nonces inside the clock window. It is in memory: signatures created before the
 * guard are refused, so a restart forgets nothing that matters.
 */
#ifndef ACCORD_GRID_SIGNATURE_H
#define ACCORD_GRID_SIGNATURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/text.h"

enum { SIGNATURE_NONCE_MOST = 64, SIGNATURE_SKEW_MS = 60000 };

/* What is signed: the target as it goes over the wire (still percent-encoded). */
struct signed_message {
    const char *method;
    struct slice path, query; /* query without '?' */
    struct slice body;
};

struct signature_headers {
    struct buf digest, input, signature; /* whole header lines "Name: value" */
};
void signature_headers_init(struct signature_headers *h);
void signature_headers_deinit(struct signature_headers *h);
/* Makes the three headers. created_ms: now. */
void signature_make(const struct signed_message *m, const struct identity *id, int64_t created_ms,
                    struct signature_headers *out);

struct signature {
    uint8_t key[SIGN_PUBLIC_BYTES];
    int64_t created_ms;
    char nonce[SIGNATURE_NONCE_MOST + 1];
};
/* Checks the three header values (NULL = absent) against the message. ST_UNAUTHENTICATED says what is wrong;
 * time and replay are the guard's matter. */
MUST_CHECK enum status signature_check(const struct signed_message *m, const char *digest, const char *input,
                                       const char *signature, struct signature *out, struct err *e);

/* Thread-safe. */
struct replay_guard;
struct replay_guard *replay_guard_new(int64_t now_ms);
void replay_guard_free(struct replay_guard *g); /* NULL is fine */
/* ST_UNAUTHENTICATED for a signature outside the clock window or seen before. */
MUST_CHECK enum status replay_guard_admit(struct replay_guard *g, const struct signature *s, int64_t now_ms,
                                          struct err *e);

#endif
