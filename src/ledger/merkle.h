/* SPDX-License-Identifier: Apache-2.0
 *
 * The Merkle tree of RFC 6962 section 2.1 (the same as RFC 9162 section 2.1), SHA-256.
 *
 *     leaf hash   = SHA-256(0x00 || entry)
 *     node hash   = SHA-256(0x01 || left || right)
 *
 * The tree itself is not held in memory. A struct merkle_nodes gives the hash of any *complete* subtree of
 * 2^level leaves by (level, index); every other hash is worked out from those, so that an append writes about
 * two of them and a root or a proof reads O(log n). Complete subtrees never change once written, hence any
 * earlier size can be asked for as well.
 *
 * The check functions need no tree: they are what an outsider runs. No function here keeps state, all may be
 * called from any thread.
 */
#ifndef ACCORD_LEDGER_MERKLE_H
#define ACCORD_LEDGER_MERKLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/text.h"

void merkle_leaf(struct slice entry, uint8_t out[HASH_BYTES]);
void merkle_node(const uint8_t left[HASH_BYTES], const uint8_t right[HASH_BYTES], uint8_t out[HASH_BYTES]);

/* Where complete subtrees are kept: leaves [index << level, (index + 1) << level). */
struct merkle_nodes {
    void *context;
    enum status (*get)(void *context, unsigned level, uint64_t index, uint8_t out[HASH_BYTES], struct err *e);
    enum status (*put)(void *context, unsigned level, uint64_t index, const uint8_t hash[HASH_BYTES],
                       struct err *e);
};

/* A list of hashes from the leaf upwards. 2^63 leaves need no more than this. */
enum { MERKLE_PROOF_MOST = 66 };
struct merkle_proof {
    uint8_t hash[MERKLE_PROOF_MOST][HASH_BYTES];
    unsigned n;
};

/* Adds the leaf with number `size` (so far the tree has that many). */
MUST_CHECK enum status merkle_append(const struct merkle_nodes *t, uint64_t size,
                                     const uint8_t leaf[HASH_BYTES], struct err *e);
/* The tree hash of the first `size` leaves; of none it is SHA-256 of nothing. */
MUST_CHECK enum status merkle_root(const struct merkle_nodes *t, uint64_t size, uint8_t out[HASH_BYTES],
                                   struct err *e);
/* PATH(index, D[size]); ST_INVALID unless index < size. */
MUST_CHECK enum status merkle_inclusion(const struct merkle_nodes *t, uint64_t index, uint64_t size,
                                        struct merkle_proof *out, struct err *e);
/* PROOF(from, D[to]); ST_INVALID unless 0 < from <= to. */
MUST_CHECK enum status merkle_consistency(const struct merkle_nodes *t, uint64_t from, uint64_t to,
                                          struct merkle_proof *out, struct err *e);

/* RFC 9162 sections 2.1.3.2 and 2.1.4.2. */
bool merkle_check_inclusion(const struct merkle_proof *p, uint64_t index, uint64_t size,
                            const uint8_t leaf[HASH_BYTES], const uint8_t root[HASH_BYTES]);
bool merkle_check_consistency(const struct merkle_proof *p, uint64_t from, uint64_t to,
                              const uint8_t from_root[HASH_BYTES], const uint8_t to_root[HASH_BYTES]);

/* The root of a stream of leaves in constant memory: the hashes of the complete subtrees on its right edge.
 */
struct merkle_edge {
    uint8_t hash[64][HASH_BYTES]; /* [level], valid where that bit of size is set */
    uint64_t size;
};
void merkle_edge_add(struct merkle_edge *m, const uint8_t leaf[HASH_BYTES]);
void merkle_edge_root(const struct merkle_edge *m, uint8_t out[HASH_BYTES]);

#endif
