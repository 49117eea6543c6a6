/* SPDX-License-Identifier: Apache-2.0
 *
 * What an analysis has read of a site's store in one round and would read again, the same, in the next: the
 * site keeps it while it is open, as far as there is room. Nothing hangs on it: a round must do without where
 * it is not there, and gives the same sums. Any number of threads may put and get.
 */
#ifndef ACCORD_STUDY_KEPT_H
#define ACCORD_STUDY_KEPT_H

#include <stddef.h>
#include <stdint.h>

enum { KEPT_BYTES = 16 << 20 }; /* of one site */

struct kept;
struct kept *kept_new(size_t most_bytes);
void kept_free(struct kept *k); /* NULL is fine */
/* Takes over a block of the heap: what the analysis with that specification has of the persons [first, end).
 * Frees it where k is NULL, there is no room, or there is one already. */
void kept_put(struct kept *k, const void *spec, uint32_t first, uint32_t end, void *block, size_t bytes);
/* Borrowed until kept_free; NULL where there is none, or k is NULL. */
const void *kept_get(struct kept *k, const void *spec, uint32_t first, uint32_t end);

#endif
