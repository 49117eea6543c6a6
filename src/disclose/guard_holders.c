/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is in which tight sets. Most of it lies in the book (guard_index.c) and is read person by person; here
 * in memory are only the sets that have no place there yet. The search asks for the same few persons again and
 * again, so what was found is kept for the decision under way.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "disclose/guard_sets.h"

enum { VARINT_BYTES = 5 };

void places_add(struct guard_places *p, uint32_t place)
{
    GROW(p->v, p->n + 1, p->room);
    p->v[p->n++] = place;
}

/* --- in memory ---------------------------------------------------------------------------------------- */

static void put(struct holders_block *b, uint32_t v)
{
    for (; v > 127; v >>= 7)
        b->bytes[b->n++] = (uint8_t)(v | 128);
    b->bytes[b->n++] = (uint8_t)v;
}

static struct holders_block *new_block(struct holders *h, struct holding *of)
{
    GROW(h->blocks, h->n_blocks + 1, h->room);
    h->blocks[h->n_blocks++] = (struct holders_block){0};
    if (of->newest)
        h->blocks[of->newest - 1].next = (uint32_t)h->n_blocks;
    else
        of->first = (uint32_t)h->n_blocks;
    of->newest = (uint32_t)h->n_blocks;
    return &h->blocks[of->newest - 1];
}

struct indexing {
    struct holders *h;
    uint32_t place;
};

static void index_block(const uint32_t *person, size_t n, void *context)
{
    const struct indexing *in = context;
    for (size_t i = 0; i < n; i++) {
        struct holding *of = &in->h->of[person[i]];
        struct holders_block *b = of->newest ? &in->h->blocks[of->newest - 1] : NULL;
        if (!b || b->n + VARINT_BYTES > (int)sizeof b->bytes)
            b = new_block(in->h, of);
        put(b, in->place - of->last);
        of->last = in->place;
        of->n++;
    }
}

void holders_add(struct holders *h, const struct persons *set, uint32_t place)
{
    if (!persons_count(set))
        return;
    if (persons_last(set) >= h->n_persons) {
        size_t n = 2 * (size_t)persons_last(set) + 1;
        struct holding *of = xcalloc(n, sizeof *of); /* pages that nobody is in are never touched */
        if (h->n_persons)
            memcpy(of, h->of, h->n_persons * sizeof *of);
        free(h->of);
        h->of = of;
        h->n_persons = n;
    }
    persons_blocks(set, index_block, &(struct indexing){h, place});
}

void holders_find(const struct holders *h, uint32_t person, struct guard_places *into)
{
    uint32_t value = 0, more = 0;
    int shift = 0;
    for (uint32_t at = person < h->n_persons ? h->of[person].first : 0; at; at = h->blocks[at - 1].next) {
        const struct holders_block *b = &h->blocks[at - 1];
        for (int i = 0; i < b->n; i++) {
            more |= (uint32_t)(b->bytes[i] & 127) << shift;
            shift += 7;
            if (b->bytes[i] & 128)
                continue;
            places_add(into, value += more);
            more = 0;
            shift = 0;
        }
    }
}

void holders_deinit(struct holders *h)
{
    free(h->of);
    free(h->blocks);
    *h = (struct holders){0};
}

/* --- the guard's own ---------------------------------------------------------------------------------- */

/* The source has it: only where it is in `tight` is noted. */
static void note_place(struct guard *g, uint32_t place, uint32_t at)
{
    while (g->n_places <= place) {
        GROW(g->by_place, g->n_places + 1, g->places_room);
        g->by_place[g->n_places++] = 0;
    }
    g->by_place[place] = at + 1;
}

static void index_set(struct guard *g, uint32_t known, uint32_t at)
{
    bool was_here = g->known[known].set != NULL;
    const struct persons *set = guard_need(g, known);
    if (g->failed != ST_OK)
        return;
    holders_add(&g->holders, set, at);
    if (!was_here) {
        persons_free(g->known[known].set);
        g->known[known].set = NULL;
    }
}

void guard_index(struct guard *g)
{
    for (; g->n_indexed < g->n_tight; g->n_indexed++) {
        uint32_t known = g->tight[g->n_indexed];
        if (g->known[known].place)
            note_place(g, g->known[known].place, (uint32_t)g->n_indexed);
        else
            index_set(g, known, (uint32_t)g->n_indexed);
        if (g->failed != ST_OK)
            return; /* it counts as not indexed */
    }
    if (!g->looked_up)
        g->looked_up = xmalloc(LOOKED_UP * sizeof *g->looked_up);
    memset(g->looked_up, 0xff, LOOKED_UP * sizeof *g->looked_up);
    g->found.n = 0;
}

/* The source's places to indices of `tight`: sets of runs that were withdrawn, and those that became tight
   here before they had a place, fall away. */
static void ask_source(struct guard *g, uint32_t person)
{
    size_t from = g->found.n, to = from;
    if (!g->n_places || g->failed != ST_OK)
        return;
    g->failed = g->source.holders(g->source.context, person, &g->found, g->failure);
    for (size_t i = from; i < g->found.n; i++) {
        uint32_t place = g->found.v[i], at = place < g->n_places ? g->by_place[place] : 0;
        if (at)
            g->found.v[to++] = at - 1;
    }
    g->found.n = to;
}

const uint32_t *guard_holders(struct guard *g, uint32_t person, size_t *n)
{
    struct looked_up *l = &g->looked_up[person % LOOKED_UP];
    if (l->person != person || l->n == UINT32_MAX) {
        size_t at = g->found.n;
        holders_find(&g->holders, person, &g->found);
        ask_source(g, person);
        *l = (struct looked_up){person, (uint32_t)(g->found.n - at), at};
    }
    *n = l->n;
    return g->found.v + l->at;
}
