/* SPDX-License-Identifier: Apache-2.0
 *
 * The door to cryptography: libsodium (Ed25519, X25519, sealed boxes, XChaCha20, random, constant-time
 * comparison) and OpenSSL's EVP for SHA-256 and HMAC (it uses the CPU's SHA instructions). Call crypto_init
 * once before anything else.
 */
#ifndef ACCORD_BASE_CRYPTO_H
#define ACCORD_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

enum {
    HASH_BYTES = 32,
    SIGN_PUBLIC_BYTES = 32,
    SIGN_SECRET_BYTES = 64,
    SIGNATURE_BYTES = 64,
    SEED_BYTES = 32
};
enum { BOX_PUBLIC_BYTES = 32, BOX_SECRET_BYTES = 32, SEAL_OVERHEAD = 48, STREAM_KEY_BYTES = 32 };

void crypto_init(void); /* aborts if the machine has no randomness */

/* SHA-256. */
struct sha256;
void sha256(const void *bytes, size_t n, uint8_t out[HASH_BYTES]);
struct sha256 *sha256_new(void);
void sha256_add(struct sha256 *h, const void *bytes, size_t n);
void sha256_end(struct sha256 *h, uint8_t out[HASH_BYTES]); /* frees h */
void sha256_hex(struct slice s, char out[2 * HASH_BYTES + 1]);
void hmac_sha256(struct slice key, struct slice message, uint8_t out[HASH_BYTES]);
/* The same for many messages under one key, which lies in locked memory. */
struct hmac_key;
struct hmac_key *hmac_key_new(struct slice key);
void hmac_key_free(struct hmac_key *key);
void hmac_sha256_with(const struct hmac_key *key, struct slice message, uint8_t out[HASH_BYTES]);
/* For one-time codes (RFC 6238) only. */
enum { HMAC_SHA1_BYTES = 20 };
void hmac_sha1(struct slice key, struct slice message, uint8_t out[HMAC_SHA1_BYTES]);

void random_bytes(void *out, size_t n);
bool secret_equal(const void *a, const void *b, size_t n); /* constant time */
void secret_wipe(void *p, size_t n);
/* Passwords, tokens and keys from files: one that others than its owner may read is refused (ST_DENIED).
   secret_deinit wipes what was read before it frees it. */
MUST_CHECK enum status secret_file_read(const char *path, struct buf *out, struct err *e);
void secret_deinit(struct buf *b);

/* A person's, node's or hub's identity: an Ed25519 key, and an X25519 key made from the same seed for sealed
   boxes and key agreement. The struct lies in memory locked and guarded by libsodium; free it with
   identity_free. */
struct identity {
    uint8_t sign_public[SIGN_PUBLIC_BYTES];
    uint8_t sign_secret[SIGN_SECRET_BYTES];
    uint8_t box_public[BOX_PUBLIC_BYTES];
    uint8_t box_secret[BOX_SECRET_BYTES];
    uint8_t seed[SEED_BYTES];
};
struct identity *identity_new(void);
struct identity *identity_from_seed(const uint8_t seed[SEED_BYTES]);
void identity_free(struct identity *id);
/* Key files: one line "accord-key-1:<base64 seed>\n", mode 0600; a file that others can read is refused. */
MUST_CHECK enum status identity_save(const struct identity *id, const char *path, struct err *e);
MUST_CHECK enum status identity_load(const char *path, struct identity **out, struct err *e);
/* As load, but makes and saves a new one where there is no file. */
MUST_CHECK enum status identity_load_or_make(const char *path, struct identity **out, struct err *e);

/* The X25519 key for sealing to, and agreeing with, the owner of an Ed25519 key; false if it is not a usable
 * key.
 */
bool box_public_of(const uint8_t sign_public[SIGN_PUBLIC_BYTES], uint8_t out[BOX_PUBLIC_BYTES]);

void sign_detached(const struct identity *id, struct slice message, uint8_t out[SIGNATURE_BYTES]);
bool sign_verify(const uint8_t public_key[SIGN_PUBLIC_BYTES], struct slice message,
                 const uint8_t sig[SIGNATURE_BYTES]);

/* Sealed boxes: anyone can seal to a public key, only its owner opens. seal_open returns false if it was
 * tampered with. */
void seal(const uint8_t box_public[BOX_PUBLIC_BYTES], struct slice message, struct buf *out);
bool seal_open(const struct identity *id, struct slice sealed, struct buf *out);

/* X25519 agreement: the 32-byte shared secret hashed (BLAKE2b, keyed) with both public keys in byte order and
   `context`, so both sides get the same key. False for a public key of low order. */
bool agree_key(const struct identity *id, const uint8_t other_box_public[BOX_PUBLIC_BYTES],
               struct slice context, uint8_t out[STREAM_KEY_BYTES]);
/* XChaCha20 keystream bytes [offset_block * 64, +n) of a key with the all-zero nonce: a key must serve one
 * purpose only. */
void stream_bytes(const uint8_t key[STREAM_KEY_BYTES], uint64_t offset_block, uint8_t *out, size_t n);
/* Authenticated encryption with a random nonce in front (XChaCha20-Poly1305). */
void secret_encrypt(const uint8_t key[STREAM_KEY_BYTES], struct slice message, struct slice associated,
                    struct buf *out);
bool secret_decrypt(const uint8_t key[STREAM_KEY_BYTES], struct slice sealed, struct slice associated,
                    struct buf *out);
/* Argon2id, 64 MiB, two passes: the encoded text of a password, and its check. */
MUST_CHECK enum status password_hash(const char *password, char out[128], struct err *e);
bool password_check(const char *encoded, const char *password);

#endif
