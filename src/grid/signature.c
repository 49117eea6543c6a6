/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/signature.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

enum { LINE_MOST = 16384, NONCE_BYTES = 16, KEY_HEX = 2 * SIGN_PUBLIC_BYTES };

static const char components[] = "(\"@method\" \"@path\" \"@query\" \"content-digest\")";

void signature_headers_init(struct signature_headers *h)
{
    buf_init(&h->digest, LINE_MOST);
    buf_init(&h->input, LINE_MOST);
    buf_init(&h->signature, LINE_MOST);
}

void signature_headers_deinit(struct signature_headers *h)
{
    buf_deinit(&h->digest);
    buf_deinit(&h->input);
    buf_deinit(&h->signature);
}

static void add_digest(struct slice body, struct buf *out)
{
    uint8_t hash[HASH_BYTES];
    sha256(body.p, body.n, hash);
    buf_adds(out, "sha-256=:");
    base64_encode(hash, sizeof hash, out);
    buf_addc(out, ':');
}

static void add_params(int64_t created_ms, const char *nonce, const char *key_hex, struct buf *out)
{
    buf_printf(out, "%s;created=%" PRId64 ";nonce=\"%s\";keyid=\"%s\";alg=\"ed25519\"", components,
               created_ms / 1000, nonce, key_hex);
}

/* RFC 9421 section 2.5. An absent query is "?" (section 2.2.7). */
static void add_base(const struct signed_message *m, struct slice digest, struct slice params,
                     struct buf *out)
{
    buf_printf(out, "\"@method\": %s\n\"@path\": ", m->method);
    buf_add(out, m->path.p, m->path.n);
    buf_adds(out, "\n\"@query\": ?");
    buf_add(out, m->query.p, m->query.n);
    buf_adds(out, "\n\"content-digest\": ");
    buf_add(out, digest.p, digest.n);
    buf_adds(out, "\n\"@signature-params\": ");
    buf_add(out, params.p, params.n);
}

void signature_make(const struct signed_message *m, const struct identity *id, int64_t created_ms,
                    struct signature_headers *out)
{
    uint8_t random[NONCE_BYTES], sig[SIGNATURE_BYTES];
    char nonce[2 * NONCE_BYTES + 1], key_hex[KEY_HEX + 1];
    struct buf digest, params, base;
    buf_init(&digest, LINE_MOST);
    buf_init(&params, LINE_MOST);
    buf_init(&base, 4 * LINE_MOST);
    random_bytes(random, sizeof random);
    hex_encode(random, sizeof random, nonce);
    hex_encode(id->sign_public, SIGN_PUBLIC_BYTES, key_hex);
    add_digest(m->body, &digest);
    add_params(created_ms, nonce, key_hex, &params);
    add_base(m, buf_slice(&digest), buf_slice(&params), &base);
    sign_detached(id, buf_slice(&base), sig);
    buf_printf(&out->digest, "Content-Digest: %s", digest.p);
    buf_printf(&out->input, "Signature-Input: sig1=%s", params.p);
    buf_adds(&out->signature, "Signature: sig1=:");
    base64_encode(sig, sizeof sig, &out->signature);
    buf_addc(&out->signature, ':');
    buf_deinit(&digest);
    buf_deinit(&params);
    buf_deinit(&base);
}

/* Takes `literal` off the front of s. */
static bool take(struct slice *s, const char *literal)
{
    size_t n = strlen(literal);
    if (s->n < n || memcmp(s->p, literal, n) != 0)
        return false;
    s->p += n;
    s->n -= n;
    return true;
}

static struct slice take_until(struct slice *s, char end)
{
    const char *at = memchr(s->p, end, s->n);
    struct slice head = {s->p, at ? (size_t)(at - s->p) : s->n};
    s->p += head.n;
    s->n -= head.n;
    return head;
}

static bool nonce_valid(struct slice s)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    for (size_t i = 0; i < s.n; i++)
        if (!s.p[i] || !strchr(allowed, s.p[i]))
            return false;
    return s.n >= 1 && s.n <= SIGNATURE_NONCE_MOST;
}

static bool parse_params(struct slice s, struct signature *out)
{
    int64_t seconds;
    if (!take(&s, components) || !take(&s, ";created="))
        return false;
    if (!parse_i64(take_until(&s, ';'), &seconds) || seconds < 0 || seconds > INT64_MAX / 1000 ||
        !take(&s, ";nonce=\""))
        return false;
    struct slice nonce = take_until(&s, '"');
    if (!nonce_valid(nonce) || !take(&s, "\";keyid=\""))
        return false;
    struct slice key = take_until(&s, '"');
    if (!hex_decode(key, out->key, SIGN_PUBLIC_BYTES) || !take(&s, "\";alg=\"ed25519\"") || s.n)
        return false;
    out->created_ms = seconds * 1000;
    memcpy(out->nonce, nonce.p, nonce.n);
    out->nonce[nonce.n] = '\0';
    return true;
}

static bool parse_signature(const char *text, uint8_t out[SIGNATURE_BYTES])
{
    struct slice s = slice_of(text);
    if (!take(&s, "sig1=:"))
        return false;
    struct slice value = take_until(&s, ':');
    return slice_is(s, ":") && base64_decode(value, out, SIGNATURE_BYTES) == SIGNATURE_BYTES;
}

static bool verify(const struct signed_message *m, const struct slice digest, struct slice params,
                   const struct signature *sig, const uint8_t bytes[SIGNATURE_BYTES])
{
    struct buf base;
    buf_init(&base, 4 * LINE_MOST);
    add_base(m, digest, params, &base);
    bool good = !base.failed && sign_verify(sig->key, buf_slice(&base), bytes);
    buf_deinit(&base);
    return good;
}

enum status signature_check(const struct signed_message *m, const char *digest, const char *input,
                            const char *signature, struct signature *out, struct err *e)
{
    uint8_t bytes[SIGNATURE_BYTES];
    struct buf expected;
    if (!digest || !input || !signature)
        return err_set(e, ST_UNAUTHENTICATED,
                       "this needs a signed request: headers Content-Digest, Signature-Input and Signature");
    buf_init(&expected, 256);
    add_digest(m->body, &expected);
    bool same = slice_equal(slice_of(digest), buf_slice(&expected));
    buf_deinit(&expected);
    if (!same)
        return err_set(e, ST_UNAUTHENTICATED, "Content-Digest does not fit the body");
    struct slice params = slice_of(input);
    if (!take(&params, "sig1=") || !parse_params(params, out))
        return err_set(
            e, ST_UNAUTHENTICATED,
            "Signature-Input is not of the accepted profile: expected sig1=%s with created, nonce, "
            "keyid and alg, in this order",
            components);
    if (!parse_signature(signature, bytes) || !verify(m, slice_of(digest), params, out, bytes))
        return err_set(e, ST_UNAUTHENTICATED, "the request's signature is not right");
    return ST_OK;
}

/* Nonces in a ring of one-second buckets would save memory; a hash set of digests with their expiry, swept
   when it doubles, is simpler and enough: 100 requests a second are 12,000 entries. */
struct seen {
    uint8_t digest[HASH_BYTES];
    int64_t until_ms;
};

struct replay_guard {
    pthread_mutex_t lock;
    int64_t since_ms;
    struct seen *slots; /* open addressing; until_ms 0 = free */
    size_t n_slots, used;
};

enum { FIRST_SLOTS = 1024 };

struct replay_guard *replay_guard_new(int64_t now_ms)
{
    struct replay_guard *g = xcalloc(1, sizeof *g);
    pthread_mutex_init(&g->lock, NULL);
    g->since_ms = now_ms - now_ms % 1000;
    g->n_slots = FIRST_SLOTS;
    g->slots = xcalloc(g->n_slots, sizeof *g->slots);
    return g;
}

void replay_guard_free(struct replay_guard *g)
{
    if (!g)
        return;
    pthread_mutex_destroy(&g->lock);
    free(g->slots);
    free(g);
}

static struct seen *slot_of(struct seen *slots, size_t n, const uint8_t digest[HASH_BYTES])
{
    size_t at = 0;
    memcpy(&at, digest, sizeof at);
    for (;; at++) {
        struct seen *s = &slots[at & (n - 1)];
        if (s->until_ms == 0 || memcmp(s->digest, digest, HASH_BYTES) == 0)
            return s;
    }
}

/* Makes room: drops what is past its time, doubles when that is not enough. */
static void make_room(struct replay_guard *g, int64_t now_ms)
{
    if (g->used * 2 < g->n_slots)
        return;
    size_t live = 0;
    for (size_t i = 0; i < g->n_slots; i++)
        live += g->slots[i].until_ms >= now_ms;
    size_t n = live * 4 > g->n_slots ? g->n_slots * 2 : g->n_slots;
    struct seen *slots = xcalloc(n, sizeof *slots);
    for (size_t i = 0; i < g->n_slots; i++)
        if (g->slots[i].until_ms >= now_ms)
            *slot_of(slots, n, g->slots[i].digest) = g->slots[i];
    free(g->slots);
    g->slots = slots;
    g->n_slots = n;
    g->used = live;
}

static bool remember(struct replay_guard *g, const struct signature *s, int64_t now_ms)
{
    struct seen new = {.until_ms = s->created_ms + SIGNATURE_SKEW_MS + 1000};
    uint8_t text[SIGN_PUBLIC_BYTES + sizeof s->nonce] = {0};
    memcpy(text, s->key, SIGN_PUBLIC_BYTES);
    memcpy(text + SIGN_PUBLIC_BYTES, s->nonce, strlen(s->nonce));
    sha256(text, sizeof text, new.digest);
    pthread_mutex_lock(&g->lock);
    make_room(g, now_ms);
    struct seen *slot = slot_of(g->slots, g->n_slots, new.digest);
    bool fresh = slot->until_ms == 0;
    if (fresh) {
        *slot = new;
        g->used++;
    }
    pthread_mutex_unlock(&g->lock);
    return fresh;
}

enum status replay_guard_admit(struct replay_guard *g, const struct signature *s, int64_t now_ms,
                               struct err *e)
{
    int64_t off = now_ms - s->created_ms;
    if (off > SIGNATURE_SKEW_MS || off < -SIGNATURE_SKEW_MS)
        return err_set(e, ST_UNAUTHENTICATED,
                       "the signature's time is more than %d s from the hub's clock; set the clock",
                       SIGNATURE_SKEW_MS / 1000);
    if (s->created_ms < g->since_ms)
        return err_set(e, ST_UNAUTHENTICATED, "the signature is older than the hub's start; sign anew");
    if (!remember(g, s, now_ms))
        return err_set(e, ST_UNAUTHENTICATED, "this signed request was seen before");
    return ST_OK;
}
