/* SPDX-License-Identifier: Apache-2.0
 *
 * Which of many numbers are in a set, where the set is kept as bits: the test that every row of a scan goes
 * through. Numbers that ascend, as the persons of a run do, are fastest: sixteen at a time find their bits in
 * one register while they lie within 480 of each other.
 *
 * What the machine can is asked at run time. The plain functions give the same without any of it; they are
 * what other machines run, and what tests compare with.
 */
#ifndef ACCORD_BASE_BITS_H
#define ACCORD_BASE_BITS_H

#include <stddef.h>
#include <stdint.h>

/* The numbers first .. first + n - 1; `words` has n / 64 + 1 of them, with no bit behind the n-th. */
struct bits {
    uint32_t first, n;
    const uint64_t *words;
};

enum { BITS_SLACK = 16 };
/* Places, ascending, of those of v[0 .. n) that are in the set; n is at most 65,536. `places` has room for n
 * + BITS_SLACK. Returns how many. */
size_t bits_find(struct bits set, const uint32_t *v, size_t n, uint16_t *places);
size_t bits_find_plain(struct bits set, const uint32_t *v, size_t n, uint16_t *places);

/* How many different numbers of v[0 .. n), which ascend, are in the set; one that equals `before` is not
 * counted again (UINT32_MAX for none). */
size_t bits_count_distinct(struct bits set, const uint32_t *v, size_t n, uint32_t before);
size_t bits_count_distinct_plain(struct bits set, const uint32_t *v, size_t n, uint32_t before);

/* Sets the bits of v[0 .. n) where mask is 1 (no mask for all): the numbers ascend, from `first` on. */
void bits_add(uint64_t *words, uint32_t first, const uint32_t *v, const uint8_t *mask, size_t n);

/* Copies those of n elements of 32 or 64 bits whose mask is 1, in order, and returns how many. `to` has room
 * for all n; it may be `from`, or lie before it. */
size_t bits_keep32(void *to, const void *from, const uint8_t *mask, size_t n);
size_t bits_keep32_plain(void *to, const void *from, const uint8_t *mask, size_t n);
size_t bits_keep64(void *to, const void *from, const uint8_t *mask, size_t n);
size_t bits_keep64_plain(void *to, const void *from, const uint8_t *mask, size_t n);

/* The same of 32 bits, and beside each the number it has, which count on from `first`. Neither may be `from`;
 * both have room for those that are kept and BITS_SLACK more. */
size_t bits_list32(uint32_t *numbers, void *to, uint32_t first, const void *from, const uint8_t *mask,
                   size_t n);
size_t bits_list32_plain(uint32_t *numbers, void *to, uint32_t first, const void *from, const uint8_t *mask,
                         size_t n);

#endif
