/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jws.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { TOKEN_MOST = 16384, NUMBER_MOST = 1024, LEAST_RSA_BITS = 2048, COORDINATE = 32, ED25519_BYTES = 32 };

const char *const jws_algorithm_names[] = {
    [JWS_RS256] = "RS256", [JWS_RS512] = "RS512", [JWS_PS256] = "PS256",
    [JWS_ES256] = "ES256", [JWS_EDDSA] = "EdDSA", NULL};

void base64url_encode(const uint8_t *bytes, size_t n, struct buf *out)
{
    size_t from = out->n;
    base64_encode(bytes, n, out);
    while (out->n > from && out->p[out->n - 1] == '=')
        out->p[--out->n] = '\0';
    for (size_t i = from; i < out->n; i++)
        out->p[i] = out->p[i] == '+' ? '-' : out->p[i] == '/' ? '_' : out->p[i];
}

long base64url_decode(struct slice s, uint8_t *out, size_t most)
{
    if (s.n > 2 * TOKEN_MOST || memchr(s.p, '+', s.n) || memchr(s.p, '/', s.n) || memchr(s.p, '=', s.n))
        return -1;
    char *text = xmalloc(s.n + 4);
    size_t n = s.n;
    for (size_t i = 0; i < n; i++)
        text[i] = s.p[i] == '-' ? '+' : s.p[i] == '_' ? '/' : s.p[i];
    while (n % 4)
        text[n++] = '=';
    long got = base64_decode((struct slice){text, n}, out, most);
    free(text);
    return got;
}

/* The three parts of a compact token, still encoded. */
struct token {
    struct slice header, payload, signature, signed_part;
};

static bool token_split(struct slice s, struct token *out)
{
    const char *first = memchr(s.p, '.', s.n), *end = s.p + s.n;
    const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
    if (s.n > TOKEN_MOST || !second || memchr(second + 1, '.', (size_t)(end - second - 1)))
        return false;
    *out = (struct token){{s.p, (size_t)(first - s.p)},
                          {first + 1, (size_t)(second - first - 1)},
                          {second + 1, (size_t)(end - second - 1)},
                          {s.p, (size_t)(second - s.p)}};
    return true;
}

static enum status part_parse(struct slice part, const char *name, struct js **out, struct err *e)
{
    uint8_t *bytes = xmalloc(TOKEN_MOST);
    long n = base64url_decode(part, bytes, TOKEN_MOST);
    *out = NULL;
    enum status s = n < 0 ? ST_UNAUTHENTICATED
                          : js_parse((struct slice){(const char *)bytes, (size_t)n}, name, out, NULL);
    free(bytes);
    if (s == ST_OK && js_is(*out, JS_OBJECT))
        return ST_OK;
    js_free(*out);
    *out = NULL;
    return err_set(e, ST_UNAUTHENTICATED, "%s is no JSON object", name);
}

/* --- keys ---------------------------------------------------------------------------------------------- */

static bool is_or_absent(const struct js *object, const char *key, const char *text)
{
    const struct js *v = js_get(object, key);
    return !v || (js_str(v) && strcmp(js_str(v), text) == 0);
}

static bool key_fits(const struct js *key, const char *kid, enum jws_algorithm algorithm)
{
    static const char *const types[] = {[JWS_RS256] = "RSA",
                                        [JWS_RS512] = "RSA",
                                        [JWS_PS256] = "RSA",
                                        [JWS_ES256] = "EC",
                                        [JWS_EDDSA] = "OKP"};
    const char *type = js_get_str(key, "kty"), *id = js_get_str(key, "kid");
    if (!type || strcmp(type, types[algorithm]) != 0 || (kid && (!id || strcmp(id, kid) != 0)))
        return false;
    return is_or_absent(key, "use", "sig") && is_or_absent(key, "alg", jws_algorithm_names[algorithm]);
}

static const struct js *key_find(const struct js *keys, const char *kid, enum jws_algorithm algorithm)
{
    const struct js *list = js_get(keys, "keys");
    for (size_t i = 0; i < js_size(list); i++)
        if (key_fits(js_at(list, i), kid, algorithm))
            return js_at(list, i);
    return NULL;
}

static long member_bytes(const struct js *key, const char *name, uint8_t *out, size_t most)
{
    const char *text = js_get_str(key, name);
    return text ? base64url_decode(slice_of(text), out, most) : -1;
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *b)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!params || !c || EVP_PKEY_fromdata_init(c) != 1 ||
        EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(c);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *rsa_key(const struct js *jwk)
{
    uint8_t n[NUMBER_MOST], x[16];
    long n_size = member_bytes(jwk, "n", n, sizeof n), x_size = member_bytes(jwk, "e", x, sizeof x);
    if (n_size <= 0 || x_size <= 0)
        return NULL;
    BIGNUM *modulus = BN_bin2bn(n, (int)n_size, NULL), *exponent = BN_bin2bn(x, (int)x_size, NULL);
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (BN_num_bits(modulus) >= LEAST_RSA_BITS && BN_is_odd(exponent) && BN_num_bits(exponent) > 1 &&
        OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, modulus) &&
        OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, exponent))
        key = from_params("RSA", b);
    OSSL_PARAM_BLD_free(b);
    BN_free(modulus);
    BN_free(exponent);
    return key;
}

static EVP_PKEY *ec_key(const struct js *jwk)
{
    uint8_t point[1 + 2 * COORDINATE] = {4}; /* uncompressed; OpenSSL checks that it lies on the curve */
    const char *curve = js_get_str(jwk, "crv");
    if (!curve || strcmp(curve, "P-256") != 0 ||
        member_bytes(jwk, "x", point + 1, COORDINATE) != COORDINATE ||
        member_bytes(jwk, "y", point + 1 + COORDINATE, COORDINATE) != COORDINATE)
        return NULL;
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) &&
        OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point))
        key = from_params("EC", b);
    OSSL_PARAM_BLD_free(b);
    return key;
}

static EVP_PKEY *ed_key(const struct js *jwk)
{
    uint8_t x[ED25519_BYTES];
    const char *curve = js_get_str(jwk, "crv");
    if (!curve || strcmp(curve, "Ed25519") != 0 || member_bytes(jwk, "x", x, sizeof x) != ED25519_BYTES)
        return NULL;
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, sizeof x);
}

static EVP_PKEY *key_make(const struct js *jwk, enum jws_algorithm algorithm)
{
    switch (algorithm) {
    case JWS_RS256:
    case JWS_RS512:
    case JWS_PS256:
        return rsa_key(jwk);
    case JWS_ES256:
        return ec_key(jwk);
    case JWS_EDDSA:
        return ed_key(jwk);
    }
    return NULL;
}

/* --- signatures ---------------------------------------------------------------------------------------- */

/* JWS has the two numbers of an ECDSA signature side by side; OpenSSL wants them as DER. */
static int ecdsa_der(const uint8_t *raw, size_t n, uint8_t **der)
{
    *der = NULL;
    if (n != 2 * COORDINATE)
        return -1;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, COORDINATE, NULL), *s = BN_bin2bn(raw + COORDINATE, COORDINATE, NULL);
    ECDSA_SIG_set0(sig, r, s);
    int size = i2d_ECDSA_SIG(sig, der);
    ECDSA_SIG_free(sig);
    return size;
}

const EVP_MD *jws_digest(enum jws_algorithm algorithm)
{
    if (algorithm == JWS_EDDSA)
        return NULL;
    return algorithm == JWS_RS512 ? EVP_sha512() : EVP_sha256();
}

static bool verify_bytes(EVP_PKEY *key, enum jws_algorithm algorithm, const uint8_t *sig, size_t n,
                         struct slice text)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    EVP_PKEY_CTX *how = NULL;
    bool good = EVP_DigestVerifyInit(c, &how, jws_digest(algorithm), NULL, key) == 1;
    if (good && algorithm == JWS_PS256)
        good = EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1;
    if (good)
        good = EVP_DigestVerify(c, sig, n, (const uint8_t *)text.p, text.n) == 1;
    EVP_MD_CTX_free(c);
    return good;
}

static bool signature_right(const struct token *t, const struct js *jwk, enum jws_algorithm algorithm)
{
    uint8_t sig[NUMBER_MOST], *der = NULL;
    long n = base64url_decode(t->signature, sig, sizeof sig);
    EVP_PKEY *key = n > 0 ? key_make(jwk, algorithm) : NULL;
    bool good = false;
    if (key && algorithm == JWS_ES256) {
        int size = ecdsa_der(sig, (size_t)n, &der);
        good = size > 0 && verify_bytes(key, algorithm, der, (size_t)size, t->signed_part);
    } else if (key) {
        good = verify_bytes(key, algorithm, sig, (size_t)n, t->signed_part);
    }
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    return good;
}

static enum status check_header(const struct js *header, enum jws_algorithm algorithm, struct err *e)
{
    const char *alg = js_get_str(header, "alg");
    if (!alg || strcmp(alg, jws_algorithm_names[algorithm]) != 0)
        return err_set(e, ST_UNAUTHENTICATED, "the token is signed with '%.20s'; %s is what this hub accepts",
                       alg ? alg : "nothing", jws_algorithm_names[algorithm]);
    if (js_get(header, "crit"))
        return err_set(e, ST_UNAUTHENTICATED, "the token asks for an extension that this hub does not know");
    return ST_OK;
}

bool jws_key_known(struct slice token, const struct js *keys, enum jws_algorithm algorithm)
{
    struct token t;
    struct js *header = NULL;
    bool known = token_split(token, &t) &&
                 part_parse(t.header, "the token's header", &header, NULL) == ST_OK &&
                 key_find(keys, js_get_str(header, "kid"), algorithm);
    js_free(header);
    return known;
}

enum status jws_verify(struct slice token, const struct js *keys, enum jws_algorithm algorithm,
                       struct js **claims, struct err *e)
{
    struct token t;
    struct js *header = NULL;
    *claims = NULL;
    if (!token_split(token, &t))
        return err_set(e, ST_UNAUTHENTICATED, "this is no signed token (three parts, at most %d bytes)",
                       TOKEN_MOST);
    enum status s = part_parse(t.header, "the token's header", &header, e);
    if (s == ST_OK)
        s = check_header(header, algorithm, e);
    const struct js *key = s == ST_OK ? key_find(keys, js_get_str(header, "kid"), algorithm) : NULL;
    if (s == ST_OK && !key)
        s = err_set(e, ST_UNAUTHENTICATED, "the token's key is not one of the issuer's published keys");
    if (s == ST_OK && !signature_right(&t, key, algorithm))
        s = err_set(e, ST_UNAUTHENTICATED, "the token's signature is not right");
    if (s == ST_OK)
        s = part_parse(t.payload, "the token's payload", claims, e);
    js_free(header);
    return s;
}
