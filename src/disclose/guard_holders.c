/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is in which tight sets: per person the places of those sets, in the order in which they became tight,
 * so that differences are small and take a byte or two. A hundred thousand cells of a million persons are
 * half a gigabyte so; it is built when a search over several cells first needs it, and where all prints are
 * rounded none does.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "disclose/guard_sets.h"

enum { VARINT_BYTES = 5 };

static uint32_t varint_put(uint8_t *at, uint32_t v)
{
    uint32_t n = 0;
    for (; v > 127; v >>= 7)
        at[n++] = (uint8_t)(v | 128);
    at[n++] = (uint8_t)v;
    return n;
}

static struct holders_block *new_block(struct guard *g, struct holding *h)
{
    GROW(g->blocks, g->n_blocks + 1, g->blocks_room);
    g->blocks[g->n_blocks++] = (struct holders_block){.next = h->head, .base = h->last};
    h->head = (uint32_t)g->n_blocks;
    return &g->blocks[g->n_blocks - 1];
}

struct indexing {
    struct guard *g;
    uint32_t place;
};

static void index_block(const uint32_t *person, size_t n, void *context)
{
    const struct indexing *in = context;
    struct guard *g = in->g;
    for (size_t i = 0; i < n; i++) {
        struct holding *h = &g->holdings[person[i]];
        struct holders_block *b = h->head ? &g->blocks[h->head - 1] : NULL;
        if (!b || b->n + VARINT_BYTES > (int)sizeof b->bytes)
            b = new_block(g, h);
        b->n = (uint8_t)(b->n + varint_put(b->bytes + b->n, in->place - h->last));
        h->last = in->place;
        h->n++;
    }
}

void guard_index(struct guard *g)
{
    for (; g->n_indexed < g->n_tight && g->failed == ST_OK; g->n_indexed++) {
        uint32_t known = g->tight[g->n_indexed];
        bool was_here = g->known[known].set != NULL;
        const struct persons *set = guard_need(g, known);
        if (g->failed != ST_OK)
            return; /* it counts as not indexed */
        guard_reach(g, g->known[known].last);
        persons_blocks(set, index_block, &(struct indexing){g, (uint32_t)g->n_indexed});
        if (!was_here) {
            persons_free(g->known[known].set);
            g->known[known].set = NULL;
        }
    }
}

size_t guard_holders(const struct guard *g, uint32_t person, uint32_t **list, size_t n, size_t *room)
{
    if (person >= g->n_persons)
        return n;
    GROW(*list, n + g->holdings[person].n + 1, *room);
    for (uint32_t at = g->holdings[person].head; at; at = g->blocks[at - 1].next) {
        const struct holders_block *b = &g->blocks[at - 1];
        uint32_t value = b->base, more = 0;
        int shift = 0;
        for (int i = 0; i < b->n; i++) {
            more |= (uint32_t)(b->bytes[i] & 127) << shift;
            shift += 7;
            if (b->bytes[i] & 128)
                continue;
            (*list)[n++] = value += more;
            more = 0;
            shift = 0;
        }
    }
    return n;
}
