/* SPDX-License-Identifier: Apache-2.0
 *
 * A block: 512 integers in as few bits as they need. Values are taken relative to the least one (frame of
 * reference) and packed in `width` bits; the few that need more are kept apart as exceptions (patched frame
 * of reference; Zukowski et al., "Super-scalar RAM-CPU cache compression", ICDE 2006). Value i lies in lane i
 * % 16 of 16 interleaved lanes of 32-bit words, so that the plain loops below become SIMD code without
 * intrinsics (layout of Lemire and Boytsov, "Decoding billions of integers per second", 2015).
 *
 * docs/formats/store.md has the bytes. A block is decoded only within the bytes it is given and checked on
 * the way: wrong bytes give false, never a wild access.
 */
#ifndef ACCORD_STORE_BLOCK_H
#define ACCORD_STORE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BLOCK_ROWS = 512, BLOCK_LANES = 16, BLOCK_MOST_BYTES = 16 + 8 * BLOCK_ROWS + 10 * BLOCK_ROWS };

/* Flags that a block carries for its user; the codec keeps them. */
enum { BLOCK_MISSING = 1, BLOCK_WIDE_BASE = 2, BLOCK_USER_SHIFT = 2, BLOCK_USER_MOST = 63 };

/* What values lie between, the missing ones (NONE_I64) aside: least > most where all are missing. */
struct block_range {
    int64_t least, most;
    bool missing; /* at least one is */
};
struct block_range block_range(const int64_t *values, size_t n);

/* Encodes 512 values (pad the last block with its last value), NONE_I64 being a missing one; returns the
   bytes written, a multiple of 8. `user` (0..63) can be read back with block_user. */
size_t block_encode(const int64_t *values, unsigned user, uint8_t *out);
/* The size that block_encode would give. */
size_t block_cost(const int64_t *values);

bool block_decode_i64(const uint8_t *p, size_t n, int64_t *out /* 512 */);
/* Modulo 2^32; missing values become NONE_I32. */
bool block_decode_i32(const uint8_t *p, size_t n, int32_t *out /* 512 */);
/* Differences to values: v[i] = from + v[0] + ... + v[i], modulo 2^32. Returns the largest. */
uint32_t block_sum(int32_t *v /* 512 */, uint32_t from);
/* Whether all values but missing ones lie in [least, most]. */
bool block_within(const int32_t *v /* 512 */, int32_t least, int32_t most);
/* Whether that follows from how a block, which was decoded, is packed: base and width leave room for no
 * other. */
bool block_surely_within(const uint8_t *p, int32_t least, int32_t most);
unsigned block_user(const uint8_t *p);
/* One value of a block, without decoding the others. */
bool block_value(const uint8_t *p, size_t n, unsigned i, int64_t *out);

#endif
