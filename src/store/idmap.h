/* SPDX-License-Identifier: Apache-2.0
 *
 * Source ids (any signed 64-bit numbers) to dense indices: a plain table where the ids lie close together,
 * else open addressing, or, over sorted ids, a table of where each of equal ranges of ids begins: ids that
 * are asked for in about their order are then found in memory that lies together. Read-only once built, so
 * threads may share it.
 */
#ifndef ACCORD_STORE_IDMAP_H
#define ACCORD_STORE_IDMAP_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/scratch.h"

struct idmap {
    int64_t least;
    uint64_t range;  /* of the plain table; 0 = another way */
    uint32_t *index; /* IDMAP_NONE = no such id */
    const int64_t *ids;
    uint64_t mask; /* of the hash */
    bool sorted;   /* ids of range i, (id - least) >> shift, are those from index[i] to index[i + 1] */
    unsigned shift;
    uint64_t ranges;
    struct scratch *scratch; /* that the index lies in; NULL = the heap */
};
#define IDMAP_NONE UINT32_MAX

/* ids is borrowed and must outlive the map; of equal ids the first counts. At most 2^32 - 2 of them. */
void idmap_init(struct idmap *m, const int64_t *ids, size_t n);
/* The same for ascending ids, each once, with the index in scratch memory: 4 bytes an id, or up to 16 where
 * most numbers of a range are ids. */
MUST_CHECK enum status idmap_init_sorted(struct idmap *m, const int64_t *ids, size_t n, struct scratch *s,
                                         struct err *e);
void idmap_deinit(struct idmap *m);

static inline uint64_t idmap_hash(int64_t id)
{
    uint64_t x = (uint64_t)id * 0x9e3779b97f4a7c15U; /* Knuth's multiplicative hashing: 2^64 / golden ratio */
    return x ^ x >> 32;
}

uint32_t idmap_search(const struct idmap *m, int64_t id); /* idmap_find's third way */

static inline uint32_t idmap_find(const struct idmap *m, int64_t id)
{
    if (m->range) {
        uint64_t at = (uint64_t)id - (uint64_t)m->least;
        return at < m->range ? m->index[at] : IDMAP_NONE;
    }
    if (!m->index)
        return IDMAP_NONE;
    if (m->sorted)
        return idmap_search(m, id);
    for (uint64_t at = idmap_hash(id) & m->mask;; at = (at + 1) & m->mask) {
        uint32_t i = m->index[at];
        if (i == IDMAP_NONE || m->ids[i] == id)
            return i;
    }
}

#endif
