/* SPDX-License-Identifier: Apache-2.0
 *
 * Source ids (any signed 64-bit numbers) to dense indices: a plain table where the ids lie close together,
 * else open addressing. Read-only once built, so threads may share it.
 */
#ifndef ACCORD_STORE_IDMAP_H
#define ACCORD_STORE_IDMAP_H

#include <stddef.h>
#include <stdint.h>

struct idmap {
    int64_t least;
    uint64_t range;  /* of the plain table; 0 = hashed */
    uint32_t *index; /* IDMAP_NONE = no such id */
    const int64_t *ids;
    uint64_t mask;
};
#define IDMAP_NONE UINT32_MAX

/* ids is borrowed and must outlive the map; of equal ids the first counts. At most 2^32 - 2 of them. */
void idmap_init(struct idmap *m, const int64_t *ids, size_t n);
void idmap_deinit(struct idmap *m);

static inline uint64_t idmap_hash(int64_t id)
{
    uint64_t x = (uint64_t)id * 0x9e3779b97f4a7c15U; /* Knuth's multiplicative hashing: 2^64 / golden ratio */
    return x ^ x >> 32;
}

static inline uint32_t idmap_find(const struct idmap *m, int64_t id)
{
    if (m->range) {
        uint64_t at = (uint64_t)id - (uint64_t)m->least;
        return at < m->range ? m->index[at] : IDMAP_NONE;
    }
    if (!m->index)
        return IDMAP_NONE;
    for (uint64_t at = idmap_hash(id) & m->mask;; at = (at + 1) & m->mask) {
        uint32_t i = m->index[at];
        if (i == IDMAP_NONE || m->ids[i] == id)
            return i;
    }
}

#endif
