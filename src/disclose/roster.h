/* SPDX-License-Identifier: Apache-2.0
 * Pseudonyms to numbers 0, 1, ... in the order of their first appearance; in memory, for guard_book.c. */
#ifndef ACCORD_DISCLOSE_ROSTER_H
#define ACCORD_DISCLOSE_ROSTER_H

#include "disclose/guard_book.h"

struct roster {
    uint8_t (*pseudonyms)[PSEUDONYM_BYTES];
    size_t n, room;
    uint32_t *slots; /* open addressing; number + 1, 0 = free */
    size_t n_slots;
};
void roster_deinit(struct roster *r); /* fine on a zeroed struct, which is an empty roster */
uint32_t roster_number(struct roster *r, const uint8_t pseudonym[PSEUDONYM_BYTES]);

#endif
