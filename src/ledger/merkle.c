/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/merkle.h"

#include <inttypes.h>

void merkle_leaf(struct slice entry, uint8_t out[HASH_BYTES])
{
    struct sha256 *h = sha256_new();
    sha256_add(h, "\x00", 1);
    sha256_add(h, entry.p, entry.n);
    sha256_end(h, out);
}

void merkle_node(const uint8_t left[HASH_BYTES], const uint8_t right[HASH_BYTES], uint8_t out[HASH_BYTES])
{
    uint8_t both[1 + 2 * HASH_BYTES] = {0x01};
    memcpy(both + 1, left, HASH_BYTES);
    memcpy(both + 1 + HASH_BYTES, right, HASH_BYTES);
    sha256(both, sizeof both, out);
}

/* The largest power of two smaller than n, n > 1: where RFC 6962 splits a tree. */
static uint64_t split_of(uint64_t n)
{
    return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

/* The hash of leaves [start, start + n). RFC 6962 splits at the left first, so a range with a power of two of
   leaves always begins at a multiple of it, and is kept. */
static enum status range_hash(const struct merkle_nodes *t, uint64_t start, uint64_t n,
                              uint8_t out[HASH_BYTES], struct err *e)
{
    if ((n & (n - 1)) == 0) {
        unsigned level = (unsigned)__builtin_ctzll(n);
        return t->get(t->context, level, start >> level, out, e);
    }
    uint8_t left[HASH_BYTES], right[HASH_BYTES];
    uint64_t k = split_of(n);
    enum status s = range_hash(t, start, k, left, e);
    if (s == ST_OK)
        s = range_hash(t, start + k, n - k, right, e);
    if (s == ST_OK)
        merkle_node(left, right, out);
    return s;
}

enum status merkle_append(const struct merkle_nodes *t, uint64_t size, const uint8_t leaf[HASH_BYTES],
                          struct err *e)
{
    uint8_t hash[HASH_BYTES], left[HASH_BYTES];
    memcpy(hash, leaf, HASH_BYTES);
    enum status s = t->put(t->context, 0, size, hash, e);
    uint64_t index = size;
    for (unsigned level = 0; s == ST_OK && (index & 1); level++, index >>= 1) {
        s = t->get(t->context, level, index - 1, left, e);
        if (s != ST_OK)
            break;
        merkle_node(left, hash, hash);
        s = t->put(t->context, level + 1, index >> 1, hash, e);
    }
    return s;
}

enum status merkle_root(const struct merkle_nodes *t, uint64_t size, uint8_t out[HASH_BYTES], struct err *e)
{
    if (size == 0) {
        sha256("", 0, out);
        return ST_OK;
    }
    return range_hash(t, 0, size, out, e);
}

static enum status proof_add(const struct merkle_nodes *t, uint64_t start, uint64_t n, struct merkle_proof *p,
                             struct err *e)
{
    return range_hash(t, start, n, p->hash[p->n++], e);
}

static enum status path(const struct merkle_nodes *t, uint64_t m, uint64_t start, uint64_t n,
                        struct merkle_proof *p, struct err *e)
{
    if (n == 1)
        return ST_OK;
    uint64_t k = split_of(n);
    bool left = m < k;
    enum status s = left ? path(t, m, start, k, p, e) : path(t, m - k, start + k, n - k, p, e);
    if (s != ST_OK)
        return s;
    return left ? proof_add(t, start + k, n - k, p, e) : proof_add(t, start, k, p, e);
}

enum status merkle_inclusion(const struct merkle_nodes *t, uint64_t index, uint64_t size,
                             struct merkle_proof *out, struct err *e)
{
    out->n = 0;
    if (index >= size)
        return err_set(e, ST_INVALID, "entry %" PRIu64 " is not in a tree of %" PRIu64 " entries", index,
                       size);
    return path(t, index, 0, size, out, e);
}

/* SUBPROOF(m, D[start:start+n], known) of RFC 6962 section 2.1.2. */
static enum status subproof(const struct merkle_nodes *t, uint64_t m, uint64_t start, uint64_t n, bool known,
                            struct merkle_proof *p, struct err *e)
{
    if (m == n)
        return known ? ST_OK : proof_add(t, start, n, p, e);
    uint64_t k = split_of(n);
    bool left = m <= k;
    enum status s =
        left ? subproof(t, m, start, k, known, p, e) : subproof(t, m - k, start + k, n - k, false, p, e);
    if (s != ST_OK)
        return s;
    return left ? proof_add(t, start + k, n - k, p, e) : proof_add(t, start, k, p, e);
}

enum status merkle_consistency(const struct merkle_nodes *t, uint64_t from, uint64_t to,
                               struct merkle_proof *out, struct err *e)
{
    out->n = 0;
    if (from == 0 || from > to)
        return err_set(e, ST_INVALID,
                       "a consistency proof goes from a tree of at least 1 entry to one at least as large, "
                       "not from %" PRIu64 " to %" PRIu64,
                       from, to);
    return subproof(t, from, 0, to, true, out, e);
}

bool merkle_check_inclusion(const struct merkle_proof *p, uint64_t index, uint64_t size,
                            const uint8_t leaf[HASH_BYTES], const uint8_t root[HASH_BYTES])
{
    if (index >= size)
        return false;
    uint64_t fn = index, sn = size - 1;
    uint8_t r[HASH_BYTES];
    memcpy(r, leaf, HASH_BYTES);
    for (unsigned i = 0; i < p->n; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) || fn == sn) {
            merkle_node(p->hash[i], r, r);
            while (!(fn & 1) && fn) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            merkle_node(r, p->hash[i], r);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && secret_equal(r, root, HASH_BYTES);
}

/* The walk of RFC 9162 section 2.1.4.2, steps 4 to 7: `at` is the first hash of the path not yet used. */
static bool consistency_walk(const struct merkle_proof *p, unsigned at, uint64_t fn, uint64_t sn,
                             uint8_t fr[HASH_BYTES], uint8_t sr[HASH_BYTES])
{
    for (; at < p->n; at++) {
        if (sn == 0)
            return false;
        if ((fn & 1) || fn == sn) {
            merkle_node(p->hash[at], fr, fr);
            merkle_node(p->hash[at], sr, sr);
            while (!(fn & 1) && fn) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            merkle_node(sr, p->hash[at], sr);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0;
}

bool merkle_check_consistency(const struct merkle_proof *p, uint64_t from, uint64_t to,
                              const uint8_t from_root[HASH_BYTES], const uint8_t to_root[HASH_BYTES])
{
    if (from == 0 || from > to)
        return false;
    if (from == to)
        return p->n == 0 && secret_equal(from_root, to_root, HASH_BYTES);
    bool whole =
        (from & (from - 1)) == 0; /* the old tree is one complete subtree: its root begins the path */
    if (!whole && p->n == 0)
        return false;
    uint8_t fr[HASH_BYTES], sr[HASH_BYTES];
    memcpy(fr, whole ? from_root : p->hash[0], HASH_BYTES);
    memcpy(sr, fr, HASH_BYTES);
    uint64_t fn = from - 1, sn = to - 1;
    while (fn & 1) {
        fn >>= 1;
        sn >>= 1;
    }
    return consistency_walk(p, whole ? 0 : 1, fn, sn, fr, sr) && secret_equal(fr, from_root, HASH_BYTES) &&
           secret_equal(sr, to_root, HASH_BYTES);
}

void merkle_edge_add(struct merkle_edge *m, const uint8_t leaf[HASH_BYTES])
{
    uint8_t hash[HASH_BYTES];
    unsigned level = 0;
    memcpy(hash, leaf, HASH_BYTES);
    for (; m->size >> level & 1; level++)
        merkle_node(m->hash[level], hash, hash);
    memcpy(m->hash[level], hash, HASH_BYTES);
    m->size++;
}

void merkle_edge_root(const struct merkle_edge *m, uint8_t out[HASH_BYTES])
{
    bool first = true;
    if (m->size == 0)
        sha256("", 0, out);
    for (unsigned level = 0; level < 64; level++) {
        if (!(m->size >> level & 1))
            continue;
        if (first)
            memcpy(out, m->hash[level], HASH_BYTES);
        else
            merkle_node(m->hash[level], out, out);
        first = false;
    }
}
