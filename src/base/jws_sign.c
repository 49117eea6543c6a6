/* SPDX-License-Identifier: Apache-2.0
 * The signing half of jws.h: what a hub says of itself to a provider. */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/jws.h"
#include "base/mem.h"

enum { PEM_MOST = 65536, SIGNATURE_MOST = 1024, LEAST_RSA_BITS = 2048, COORDINATE = 32 };

struct jws_signer {
    EVP_PKEY *key;
    enum jws_algorithm algorithm;
    char *kid; /* NULL: not named */
};

static bool is_p256(const EVP_PKEY *key)
{
    char name[64] = "";
    size_t n;
    return EVP_PKEY_get_group_name(key, name, sizeof name, &n) == 1 &&
           (strcmp(name, "prime256v1") == 0 || strcmp(name, "P-256") == 0);
}

static bool key_is_for(const EVP_PKEY *key, enum jws_algorithm algorithm)
{
    int type = EVP_PKEY_get_base_id(key);
    switch (algorithm) {
    case JWS_RS256:
    case JWS_RS512:
    case JWS_PS256:
        return type == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) >= LEAST_RSA_BITS;
    case JWS_ES256:
        return type == EVP_PKEY_EC && is_p256(key);
    case JWS_EDDSA:
        return type == EVP_PKEY_ED25519;
    }
    return false;
}

static EVP_PKEY *read_pem(struct slice text)
{
    BIO *b = BIO_new_mem_buf(text.p, (int)text.n);
    EVP_PKEY *key = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, (void *)(uintptr_t) "") : NULL;
    BIO_free(b);
    return key;
}

enum status jws_signer_open(const char *path, enum jws_algorithm algorithm, const char *kid,
                            struct jws_signer **out, struct err *e)
{
    struct buf text;
    *out = NULL;
    buf_init(&text, PEM_MOST);
    enum status s = secret_file_read(path, &text, e);
    EVP_PKEY *key = s == ST_OK ? read_pem(buf_slice(&text)) : NULL;
    secret_deinit(&text);
    if (s != ST_OK)
        return s;
    if (!key || !key_is_for(key, algorithm)) {
        EVP_PKEY_free(key);
        return err_set(e, ST_INVALID,
                       "the key file must hold one private key for %s in PEM form, without a passphrase "
                       "(RSA of 2,048 bits or more, P-256, or Ed25519)",
                       jws_algorithm_names[algorithm]);
    }
    *out = xcalloc(1, sizeof **out);
    **out = (struct jws_signer){key, algorithm, kid ? xstrdup(kid) : NULL};
    return ST_OK;
}

void jws_signer_close(struct jws_signer *s)
{
    if (!s)
        return;
    EVP_PKEY_free(s->key);
    free(s->kid);
    free(s);
}

static void add_part(const struct js *part, struct buf *out)
{
    struct buf text;
    buf_init(&text, PEM_MOST);
    js_format(part, JS_COMPACT, &text);
    base64url_encode((const uint8_t *)text.p, text.n, out);
    buf_deinit(&text);
}

static void add_header(const struct jws_signer *s, struct buf *out)
{
    struct js *header = js_object();
    js_put_str(header, "alg", jws_algorithm_names[s->algorithm]);
    js_put_str(header, "typ", "JWT");
    if (s->kid)
        js_put_str(header, "kid", s->kid);
    add_part(header, out);
    js_free(header);
}

/* OpenSSL gives an ECDSA signature as DER; JWS wants the two numbers side by side. */
static bool from_der(uint8_t *sig, size_t *n)
{
    const uint8_t *p = sig;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &p, (long)*n);
    bool good = pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), sig, COORDINATE) == COORDINATE &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), sig + COORDINATE, COORDINATE) == COORDINATE;
    *n = 2 * COORDINATE;
    ECDSA_SIG_free(pair);
    return good;
}

static bool sign_bytes(const struct jws_signer *s, struct slice text, uint8_t *sig, size_t *n)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    EVP_PKEY_CTX *how = NULL;
    bool good = EVP_DigestSignInit(c, &how, jws_digest(s->algorithm), NULL, s->key) == 1;
    if (good && s->algorithm == JWS_PS256)
        good = EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1;
    good = good && EVP_DigestSign(c, sig, n, (const uint8_t *)text.p, text.n) == 1;
    EVP_MD_CTX_free(c);
    return good && (s->algorithm != JWS_ES256 || from_der(sig, n));
}

enum status jws_sign(const struct jws_signer *s, const struct js *claims, struct buf *out, struct err *e)
{
    uint8_t sig[SIGNATURE_MOST];
    size_t n = sizeof sig, from = out->n;
    add_header(s, out);
    buf_addc(out, '.');
    add_part(claims, out);
    enum status done = buf_check(out, "a signed token", e);
    if (done != ST_OK)
        return done;
    if (!sign_bytes(s, (struct slice){out->p + from, out->n - from}, sig, &n))
        return err_set(e, ST_INTERNAL, "the token could not be signed");
    buf_addc(out, '.');
    base64url_encode(sig, n, out);
    return buf_check(out, "a signed token", e);
}
