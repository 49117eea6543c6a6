/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crypto.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"

static _Noreturn void broken(const char *what)
{
    fprintf(stderr, "accord: %s failed; the machine's cryptography is unusable\n", what);
    exit(status_exit_code(ST_INTERNAL));
}

void crypto_init(void)
{
    if (sodium_init() < 0)
        broken("libsodium's start");
}

void sha256(const void *bytes, size_t n, uint8_t out[HASH_BYTES])
{
    if (EVP_Digest(bytes, n, out, NULL, EVP_sha256(), NULL) != 1)
        broken("SHA-256");
}

struct sha256 *sha256_new(void)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (!c || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1)
        broken("SHA-256");
    return (struct sha256 *)c;
}

void sha256_add(struct sha256 *h, const void *bytes, size_t n)
{
    if (EVP_DigestUpdate((EVP_MD_CTX *)h, bytes, n) != 1)
        broken("SHA-256");
}

void sha256_end(struct sha256 *h, uint8_t out[HASH_BYTES])
{
    if (EVP_DigestFinal_ex((EVP_MD_CTX *)h, out, NULL) != 1)
        broken("SHA-256");
    EVP_MD_CTX_free((EVP_MD_CTX *)h);
}

void sha256_hex(struct slice s, char out[2 * HASH_BYTES + 1])
{
    uint8_t h[HASH_BYTES];
    sha256(s.p, s.n, h);
    hex_encode(h, sizeof h, out);
}

void hmac_sha256(struct slice key, struct slice message, uint8_t out[HASH_BYTES])
{
    unsigned n = HASH_BYTES;
    if (!HMAC(EVP_sha256(), key.p, (int)key.n, (const uint8_t *)message.p, message.n, out, &n))
        broken("HMAC-SHA-256");
}

struct hmac_key {
    crypto_auth_hmacsha256_state begun;
};

struct hmac_key *hmac_key_new(struct slice key)
{
    struct hmac_key *k = sodium_malloc(sizeof *k);
    if (!k)
        broken("locked memory");
    crypto_auth_hmacsha256_init(&k->begun, (const unsigned char *)key.p, key.n);
    return k;
}

void hmac_key_free(struct hmac_key *key)
{
    sodium_free(key);
}

void hmac_sha256_with(const struct hmac_key *key, struct slice message, uint8_t out[HASH_BYTES])
{
    crypto_auth_hmacsha256_state state = key->begun;
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)message.p, message.n);
    crypto_auth_hmacsha256_final(&state, out);
}

void hmac_sha1(struct slice key, struct slice message, uint8_t out[HMAC_SHA1_BYTES])
{
    unsigned n = HMAC_SHA1_BYTES;
    if (!HMAC(EVP_sha1(), key.p, (int)key.n, (const uint8_t *)message.p, message.n, out, &n))
        broken("HMAC-SHA-1");
}

void random_bytes(void *out, size_t n)
{
    randombytes_buf(out, n);
}

bool secret_equal(const void *a, const void *b, size_t n)
{
    return sodium_memcmp(a, b, n) == 0;
}

void secret_wipe(void *p, size_t n)
{
    sodium_memzero(p, n);
}

struct identity *identity_from_seed(const uint8_t seed[SEED_BYTES])
{
    struct identity *id = sodium_malloc(sizeof *id);
    if (!id)
        broken("locked memory");
    memcpy(id->seed, seed, SEED_BYTES);
    if (crypto_sign_seed_keypair(id->sign_public, id->sign_secret, seed) != 0 ||
        crypto_sign_ed25519_pk_to_curve25519(id->box_public, id->sign_public) != 0 ||
        crypto_sign_ed25519_sk_to_curve25519(id->box_secret, id->sign_secret) != 0)
        broken("Ed25519");
    sodium_mprotect_readonly(id);
    return id;
}

struct identity *identity_new(void)
{
    uint8_t seed[SEED_BYTES];
    random_bytes(seed, sizeof seed);
    struct identity *id = identity_from_seed(seed);
    secret_wipe(seed, sizeof seed);
    return id;
}

void identity_free(struct identity *id)
{
    sodium_free(id);
}

static const char key_prefix[] = "accord-key-1:";

enum status identity_save(const struct identity *id, const char *path, struct err *e)
{
    struct buf line;
    buf_init(&line, 256);
    buf_adds(&line, key_prefix);
    base64_encode(id->seed, SEED_BYTES, &line);
    buf_addc(&line, '\n');
    enum status s = file_replace(path, buf_slice(&line), 0600, e);
    secret_wipe(line.p, line.n);
    buf_deinit(&line);
    return s;
}

enum status secret_file_read(const char *path, struct buf *out, struct err *e)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return err_errno(e, errno, "cannot open the file of a secret", path);
    if (st.st_mode & 077) {
        enum status s =
            err_set(e, ST_DENIED, "the file of a secret can be read by others; run 'chmod 600' on it");
        err_detail(e, "%s", path);
        return s;
    }
    return file_read(path, out, e);
}

void secret_deinit(struct buf *b)
{
    if (b->p)
        secret_wipe(b->p, b->n);
    buf_deinit(b);
}

enum status identity_load(const char *path, struct identity **out, struct err *e)
{
    struct buf text;
    uint8_t seed[SEED_BYTES];
    *out = NULL;
    buf_init(&text, 4096);
    enum status s = secret_file_read(path, &text, e);
    struct slice line = slice_trim(buf_slice(&text));
    size_t n_prefix = sizeof key_prefix - 1;
    if (s == ST_OK &&
        (line.n < n_prefix || memcmp(line.p, key_prefix, n_prefix) != 0 ||
         base64_decode((struct slice){line.p + n_prefix, line.n - n_prefix}, seed, SEED_BYTES) != SEED_BYTES))
        s = err_set(e, ST_INVALID, "this is not an Accord key file (expected one line beginning with '%s')",
                    key_prefix);
    if (s == ST_OK)
        *out = identity_from_seed(seed);
    secret_wipe(seed, sizeof seed);
    secret_deinit(&text);
    return s;
}

enum status identity_load_or_make(const char *path, struct identity **out, struct err *e)
{
    if (file_exists(path))
        return identity_load(path, out, e);
    struct identity *id = identity_new();
    enum status s = identity_save(id, path, e);
    if (s == ST_OK) {
        *out = id;
        return ST_OK;
    }
    identity_free(id);
    *out = NULL;
    return s;
}

bool box_public_of(const uint8_t sign_public[SIGN_PUBLIC_BYTES], uint8_t out[BOX_PUBLIC_BYTES])
{
    return crypto_sign_ed25519_pk_to_curve25519(out, sign_public) == 0;
}

void sign_detached(const struct identity *id, struct slice message, uint8_t out[SIGNATURE_BYTES])
{
    if (crypto_sign_detached(out, NULL, (const uint8_t *)message.p, message.n, id->sign_secret) != 0)
        broken("Ed25519");
}

bool sign_verify(const uint8_t public_key[SIGN_PUBLIC_BYTES], struct slice message,
                 const uint8_t sig[SIGNATURE_BYTES])
{
    return crypto_sign_verify_detached(sig, (const uint8_t *)message.p, message.n, public_key) == 0;
}

void seal(const uint8_t box_public[BOX_PUBLIC_BYTES], struct slice message, struct buf *out)
{
    size_t n = message.n + crypto_box_SEALBYTES;
    uint8_t *c = xmalloc(n);
    if (crypto_box_seal(c, (const uint8_t *)message.p, message.n, box_public) != 0)
        broken("sealing");
    buf_add(out, c, n);
    free(c);
}

bool seal_open(const struct identity *id, struct slice sealed, struct buf *out)
{
    if (sealed.n < crypto_box_SEALBYTES)
        return false;
    size_t n = sealed.n - crypto_box_SEALBYTES;
    uint8_t *m = xmalloc(n);
    bool good =
        crypto_box_seal_open(m, (const uint8_t *)sealed.p, sealed.n, id->box_public, id->box_secret) == 0;
    if (good)
        buf_add(out, m, n);
    secret_wipe(m, n);
    free(m);
    return good && !out->failed;
}

bool agree_key(const struct identity *id, const uint8_t other[BOX_PUBLIC_BYTES], struct slice context,
               uint8_t out[STREAM_KEY_BYTES])
{
    uint8_t shared[crypto_scalarmult_BYTES];
    if (crypto_scalarmult(shared, id->box_secret, other) != 0)
        return false;
    bool mine_first = memcmp(id->box_public, other, BOX_PUBLIC_BYTES) < 0;
    crypto_generichash_state h;
    crypto_generichash_init(&h, shared, sizeof shared, STREAM_KEY_BYTES);
    crypto_generichash_update(&h, mine_first ? id->box_public : other, BOX_PUBLIC_BYTES);
    crypto_generichash_update(&h, mine_first ? other : id->box_public, BOX_PUBLIC_BYTES);
    crypto_generichash_update(&h, (const uint8_t *)context.p, context.n);
    crypto_generichash_final(&h, out, STREAM_KEY_BYTES);
    secret_wipe(shared, sizeof shared);
    return true;
}

void stream_bytes(const uint8_t key[STREAM_KEY_BYTES], uint64_t offset_block, uint8_t *out, size_t n)
{
    static const uint8_t nonce[crypto_stream_xchacha20_NONCEBYTES];
    memset(out, 0, n);
    crypto_stream_xchacha20_xor_ic(out, out, n, nonce, offset_block, key);
}

void secret_encrypt(const uint8_t key[STREAM_KEY_BYTES], struct slice message, struct slice associated,
                    struct buf *out)
{
    enum {
        NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
        TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES
    };
    uint8_t *c = xmalloc(NONCE + message.n + TAG);
    random_bytes(c, NONCE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(c + NONCE, NULL, (const uint8_t *)message.p, message.n,
                                               (const uint8_t *)associated.p, associated.n, NULL, c, key);
    buf_add(out, c, NONCE + message.n + TAG);
    free(c);
}

bool secret_decrypt(const uint8_t key[STREAM_KEY_BYTES], struct slice sealed, struct slice associated,
                    struct buf *out)
{
    enum {
        NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
        TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES
    };
    if (sealed.n < NONCE + TAG)
        return false;
    size_t n = sealed.n - NONCE - TAG;
    uint8_t *m = xmalloc(n);
    const uint8_t *c = (const uint8_t *)sealed.p;
    bool good =
        crypto_aead_xchacha20poly1305_ietf_decrypt(m, NULL, NULL, c + NONCE, n + TAG,
                                                   (const uint8_t *)associated.p, associated.n, c, key) == 0;
    if (good)
        buf_add(out, m, n);
    secret_wipe(m, n);
    free(m);
    return good && !out->failed;
}

enum status password_hash(const char *password, char out[128], struct err *e)
{
    _Static_assert(crypto_pwhash_STRBYTES <= 128, "encoded password");
    if (crypto_pwhash_str(out, password, strlen(password), 2, (size_t)64 << 20) != 0)
        return err_set(e, ST_NO_MEMORY, "hashing a password needs 64 MiB, which could not be had");
    return ST_OK;
}

bool password_check(const char *encoded, const char *password)
{
    return crypto_pwhash_str_verify(encoded, password, strlen(password)) == 0;
}
