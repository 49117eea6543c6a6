/* SPDX-License-Identifier: Apache-2.0
 *
 * A set of persons, given by the numbers that the node's roster (guard_book.h) never gives to
 * anybody else, compressed as a Roaring bitmap. Equal sets have equal bytes and so equal hashes: a set is
 * named by its content. persons.c is the door to libroaring.
 */
#ifndef ACCORD_DISCLOSE_PERSONS_H
#define ACCORD_DISCLOSE_PERSONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/text.h"

struct persons;
/* Numbers must ascend strictly. */
struct persons *persons_new(const uint32_t *numbers, size_t n);
/* The same of numbers in any order, some perhaps twice; they are sorted in place. */
struct persons *persons_gather(uint32_t *numbers, size_t n);
void persons_free(struct persons *p); /* NULL is fine */

size_t persons_count(const struct persons *p);
bool persons_has(const struct persons *p, uint32_t number);
uint32_t persons_last(const struct persons *p); /* the largest number; 0 of an empty set */
bool persons_meet(const struct persons *a, const struct persons *b); /* somebody is in both */
void persons_join(struct persons *into, const struct persons *other);
/* All numbers in order; persons_count of them, malloced. */
uint32_t *persons_list(const struct persons *p);
/* Calls fn in order until it returns false. */
typedef bool (*persons_fn)(uint32_t number, void *context);
void persons_each(const struct persons *p, persons_fn fn, void *context);
/* The same for whole loops: some thousand numbers at a time. */
typedef void (*persons_block_fn)(const uint32_t *numbers, size_t n, void *context);
void persons_blocks(const struct persons *p, persons_block_fn fn, void *context);

/* The bytes (the shorter of Roaring's portable form and the gaps between the numbers; docs/formats/guard.md)
   and their SHA-256. Decoding takes only bytes with that hash, because the library does not validate what it
   reads: ST_CORRUPT otherwise. */
void persons_encode(const struct persons *p, struct buf *out, uint8_t hash[HASH_BYTES]);
MUST_CHECK enum status persons_decode(struct slice bytes, const uint8_t hash[HASH_BYTES],
                                      struct persons **out, struct err *e);

#endif
