/* SPDX-License-Identifier: Apache-2.0
 *
 * A relation between concept ids while it is read: pairs (from, to), then sorted, each once.
 */
#ifndef ACCORD_STORE_PAIRS_H
#define ACCORD_STORE_PAIRS_H

#include <stddef.h>
#include <stdint.h>

#include "store/arrays.h"

struct pairs {
    uint64_t *packed; /* from << 32 | to */
    size_t n, capacity;
};
void pairs_add(struct pairs *p, int32_t from, int32_t to); /* ids are not negative */
void pairs_sort(struct pairs *p);
/* As arrays NAME (the distinct froms), NAME.at (where their tos begin, and the end), NAME.to. */
void pairs_write(const struct pairs *p, const char *name, struct arrays_writer *w);
/* The first pair at or behind (from, 0). */
size_t pairs_find(const struct pairs *p, int32_t from);
void pairs_deinit(struct pairs *p);

#endif
