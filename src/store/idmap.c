/* SPDX-License-Identifier: Apache-2.0 */
#include "store/idmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* A plain table has at most so many entries for each id, and some more. */
enum { MOST_GAPS = 4, FEW = 65536, RANGE_IDS = 8 };

static void fill_table(struct idmap *m, const int64_t *ids, size_t n)
{
    for (size_t i = n; i-- > 0;)
        m->index[(uint64_t)ids[i] - (uint64_t)m->least] = (uint32_t)i;
}

static void fill_hash(struct idmap *m, const int64_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t at = idmap_hash(ids[i]) & m->mask;
        while (m->index[at] != IDMAP_NONE && ids[m->index[at]] != ids[i])
            at = (at + 1) & m->mask;
        if (m->index[at] == IDMAP_NONE)
            m->index[at] = (uint32_t)i;
    }
}

void idmap_init(struct idmap *m, const int64_t *ids, size_t n)
{
    *m = (struct idmap){.ids = ids};
    if (!n)
        return;
    int64_t most = ids[0];
    m->least = ids[0];
    for (size_t i = 1; i < n; i++) {
        m->least = ids[i] < m->least ? ids[i] : m->least;
        most = ids[i] > most ? ids[i] : most;
    }
    uint64_t range = (uint64_t)most - (uint64_t)m->least + 1;
    uint64_t slots = 16;
    while (slots < 2 * (uint64_t)n)
        slots *= 2;
    m->mask = slots - 1;
    m->range = range && range <= MOST_GAPS * (uint64_t)n + FEW ? range : 0;
    uint64_t entries = m->range ? m->range : slots;
    m->index = xrealloc_array(NULL, entries, sizeof *m->index);
    memset(m->index, 0xff, entries * sizeof *m->index);
    if (m->range)
        fill_table(m, ids, n);
    else
        fill_hash(m, ids, n);
}

static void fill_sorted_table(struct idmap *m, size_t n)
{
    struct looks looks = {.scratch = m->scratch};
    uint64_t at = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t to = (uint64_t)m->ids[i] - (uint64_t)m->least;
        for (; at < to; at++)
            m->index[at] = IDMAP_NONE;
        m->index[at++] = (uint32_t)i;
        look_at(&looks, to * sizeof *m->index);
    }
    looks_end(&looks);
}

static void fill_ranges(struct idmap *m, size_t n)
{
    struct looks looks = {.scratch = m->scratch};
    uint64_t range = 0;
    for (size_t i = 0; i < n; i++) {
        for (; range <= ((uint64_t)m->ids[i] - (uint64_t)m->least) >> m->shift; range++)
            m->index[range] = (uint32_t)i;
        look_at(&looks, i * sizeof *m->ids);
    }
    while (range <= m->ranges)
        m->index[range++] = (uint32_t)n;
    looks_end(&looks);
}

enum status idmap_init_sorted(struct idmap *m, const int64_t *ids, size_t n, struct scratch *s, struct err *e)
{
    *m = (struct idmap){.ids = ids, .scratch = s};
    if (!n)
        return ST_OK;
    uint64_t last = (uint64_t)ids[n - 1] - (uint64_t)ids[0];
    m->least = ids[0];
    if (last < MOST_GAPS * (uint64_t)n + FEW)
        m->range = last + 1;
    m->sorted = !m->range;
    while (m->sorted && last >> m->shift > n / RANGE_IDS + 1)
        m->shift++;
    m->ranges = (last >> m->shift) + 1;
    void *index;
    enum status st = scratch_map(s, (m->range ? m->range : m->ranges + 1) * sizeof *m->index, &index, e);
    m->index = index;
    if (st == ST_OK && m->range)
        fill_sorted_table(m, n);
    else if (st == ST_OK)
        fill_ranges(m, n);
    return st;
}

uint32_t idmap_search(const struct idmap *m, int64_t id)
{
    uint64_t range = ((uint64_t)id - (uint64_t)m->least) >> m->shift;
    if (id < m->least || range >= m->ranges)
        return IDMAP_NONE;
    uint32_t low = m->index[range], end = m->index[range + 1], high = end;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (m->ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < end && m->ids[low] == id ? low : IDMAP_NONE;
}

void idmap_deinit(struct idmap *m)
{
    if (m->scratch)
        scratch_unmap(m->scratch, m->index);
    else
        free(m->index);
    *m = (struct idmap){0};
}
