/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "disclose/guard_sets.h"

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t person_hash(const struct guard *g, int trial, uint32_t person)
{
    return mix(g->seed[trial] + (uint64_t)person * 0x9e3779b97f4a7c15u);
}

struct guard *guard_new(int64_t minimum, const uint8_t secret[HASH_BYTES])
{
    struct guard *g = xcalloc(1, sizeof *g);
    g->minimum = minimum;
    for (int t = 0; t < GUARD_TRIALS + 2; t++) {
        uint8_t name = (uint8_t)t, hash[HASH_BYTES];
        hmac_sha256((struct slice){(const char *)secret, HASH_BYTES}, (struct slice){(const char *)&name, 1},
                    hash);
        memcpy(&g->seed[t], hash, sizeof g->seed[t]);
    }
    /* One person in 1.6 k is sampled: a trial misses a group of k - 1 with probability 1 - exp(-1 / 1.6), or
       0.46, and 16 of them with 5e-6. */
    g->sampled = (uint64_t)((double)UINT64_MAX / (1.6 * (double)minimum));
    g->n_slots = 1024;
    g->slots = xcalloc(g->n_slots, sizeof *g->slots);
    return g;
}

void guard_free(struct guard *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->n_known; i++) {
        persons_free(g->known[i].set);
        free(g->known[i].projects);
    }
    free(g->known);
    free(g->slots);
    free(g->head);
    free(g->chunks);
    free(g->tally);
    free(g);
}

bool guard_sampled(const struct guard *g, int trial, uint32_t person)
{
    return person_hash(g, trial, person) < g->sampled;
}

struct sketching {
    const struct guard *g;
    struct sketch *sketch;
};

static bool add_person(uint32_t person, void *context)
{
    const struct sketching *s = context;
    uint64_t parity = person_hash(s->g, GUARD_TRIALS + 1, person);
    for (int t = 0; t < GUARD_TRIALS; t++) {
        uint64_t hash = person_hash(s->g, t, person);
        if (hash < s->g->sampled)
            s->sketch->weight[t] += mix(hash);
    }
    s->sketch->weight[GUARD_TRIALS] += person_hash(s->g, GUARD_TRIALS, person);
    s->sketch->parity[parity >> 62] ^= (uint64_t)1 << (parity & 63);
    return true;
}

void sketch_of(const struct guard *g, const struct persons *set, struct sketch *out)
{
    *out = (struct sketch){0};
    persons_each(set, add_person, &(struct sketching){g, out});
}

/* --- (trial, weight) -> known ------------------------------------------------------------------------- */

static size_t slot_of(const struct guard *g, int trial, uint64_t weight)
{
    return (size_t)mix(weight + (uint64_t)trial) & (g->n_slots - 1);
}

static void slot_put(struct guard *g, int trial, uint64_t weight, uint32_t known)
{
    size_t at = slot_of(g, trial, weight);
    while (g->slots[at])
        at = (at + 1) & (g->n_slots - 1);
    g->slots[at] = known * (GUARD_TRIALS + 1) + (uint32_t)trial + 1;
    g->n_used++;
}

/* A set without a sampled person is no use in that trial. */
static void index_known(struct guard *g, uint32_t known)
{
    for (int t = 0; t <= GUARD_TRIALS; t++)
        if (g->known[known].sketch.weight[t])
            slot_put(g, t, g->known[known].sketch.weight[t], known);
}

static void make_room(struct guard *g)
{
    if ((g->n_used + GUARD_TRIALS + 1) * 2 < g->n_slots)
        return;
    g->n_slots *= 2;
    g->n_used = 0;
    free(g->slots);
    g->slots = xcalloc(g->n_slots, sizeof *g->slots);
    for (uint32_t i = 0; i < g->n_known; i++)
        index_known(g, i);
}

size_t guard_find(const struct guard *g, int trial, uint64_t weight, size_t *at)
{
    size_t start = slot_of(g, trial, weight);
    for (;; ++*at) {
        uint32_t slot = g->slots[(start + *at) & (g->n_slots - 1)];
        if (!slot)
            return SIZE_MAX;
        uint32_t known = (slot - 1) / (GUARD_TRIALS + 1);
        if ((slot - 1) % (GUARD_TRIALS + 1) == (uint32_t)trial &&
            g->known[known].sketch.weight[trial] == weight) {
            ++*at;
            return known;
        }
    }
}

struct known *guard_find_same(const struct guard *g, int64_t n, const struct sketch *sketch)
{
    size_t at = 0, i;
    while ((i = guard_find(g, GUARD_TRIALS, sketch->weight[GUARD_TRIALS], &at)) != SIZE_MAX)
        if (g->known[i].n == n &&
            memcmp(g->known[i].sketch.parity, sketch->parity, sizeof sketch->parity) == 0)
            return &g->known[i];
    return NULL;
}

/* --- person -> tight sets ----------------------------------------------------------------------------- */

void guard_reach(struct guard *g, uint32_t person)
{
    if (person < g->n_persons)
        return;
    size_t n = g->n_persons ? g->n_persons : 1024;
    while (n <= person)
        n *= 2;
    g->head = xrealloc_array(g->head, n, sizeof *g->head);
    g->tally = xrealloc_array(g->tally, n, sizeof *g->tally);
    memset(g->head + g->n_persons, 0, (n - g->n_persons) * sizeof *g->head);
    memset(g->tally + g->n_persons, 0, n - g->n_persons);
    g->n_persons = n;
}

struct holding {
    struct guard *g;
    uint32_t known;
};

static bool add_holder(uint32_t person, void *context)
{
    const struct holding *h = context;
    struct guard *g = h->g;
    uint32_t first = g->head[person];
    if (!first || g->chunks[first - 1].n == sizeof g->chunks->known / sizeof *g->chunks->known) {
        GROW(g->chunks, g->n_chunks + 1, g->chunks_room);
        g->chunks[g->n_chunks++] = (struct chunk){.next = first};
        first = g->head[person] = (uint32_t)g->n_chunks;
    }
    struct chunk *c = &g->chunks[first - 1];
    c->known[c->n++] = h->known;
    return true;
}

/* --- remembering -------------------------------------------------------------------------------------- */

static void add_project(struct known *k, uint32_t project)
{
    for (size_t i = 0; i < k->n_projects; i++)
        if (k->projects[i] == project)
            return;
    GROW(k->projects, k->n_projects + 1, k->projects_room);
    k->projects[k->n_projects++] = project;
}

/* Two prints of one set: what both tell. */
static void narrow(struct guard *g, struct known *k, const struct guard_cell *cell)
{
    if (!cell->open) {
        k->low = !k->open && k->low > cell->low ? k->low : cell->low;
        k->high = !k->open && k->high < cell->high ? k->high : cell->high;
        k->open = false;
    }
    if (!k->tight && !k->open && k->high - k->low <= TIGHT_WIDTH) {
        k->tight = true;
        persons_each(k->set, add_holder, &(struct holding){g, (uint32_t)(k - g->known)});
    }
}

uint32_t guard_add(struct guard *g, struct persons *persons, const struct guard_cell *cell)
{
    struct sketch sketch;
    sketch_of(g, persons, &sketch);
    struct known *k = guard_find_same(g, (int64_t)persons_count(persons), &sketch);
    if (k) {
        persons_free(persons);
    } else {
        make_room(g);
        guard_reach(g, persons_last(persons));
        GROW(g->known, g->n_known + 1, g->known_room);
        k = &g->known[g->n_known++];
        *k = (struct known){.set = persons,
                            .sketch = sketch,
                            .n = (int64_t)persons_count(persons),
                            .low = 0,
                            .high = INT64_MAX,
                            .open = true,
                            .request = cell->request};
        index_known(g, (uint32_t)(k - g->known));
    }
    narrow(g, k, cell);
    add_project(k, cell->project);
    return (uint32_t)(k - g->known);
}

void guard_announce(struct guard *g, const struct guard_cell *cell)
{
    struct sketch sketch;
    sketch_of(g, cell->persons, &sketch);
    struct known *k = guard_find_same(g, (int64_t)persons_count(cell->persons), &sketch);
    if (k && (k->open || (!cell->open && cell->low >= k->low && cell->high <= k->high)))
        k->request = cell->request;
}

size_t guard_n_sets(const struct guard *g)
{
    return g->n_known;
}
