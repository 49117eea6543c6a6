/* SPDX-License-Identifier: Apache-2.0 */
#include "store/idmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

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
    m->range = range && range <= 4 * (uint64_t)n + 65536 ? range : 0;
    uint64_t entries = m->range ? m->range : slots;
    m->index = xrealloc_array(NULL, entries, sizeof *m->index);
    memset(m->index, 0xff, entries * sizeof *m->index);
    if (m->range)
        fill_table(m, ids, n);
    else
        fill_hash(m, ids, n);
}

void idmap_deinit(struct idmap *m)
{
    free(m->index);
    *m = (struct idmap){0};
}
