/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "disclose/guard_sets.h"

_Static_assert(sizeof(struct sketch) == GUARD_SKETCH_BYTES, "a sketch is what guard.h says");
enum { LANES = 4, LANE_HASHES = GUARD_TRIALS / LANES, SEED_ALL = LANE_HASHES, SEED_PARITY };

static uint64_t person_hash(const struct guard *g, int seed, uint32_t person)
{
    return mix(g->seed[seed] + (uint64_t)person * 0x9e3779b97f4a7c15u);
}

/* One person in 2^b is sampled, at most one in 1.6 k: a trial misses a group of k - 1 with probability
   1 - exp(-1 / 1.6), or 0.46, and 16 of them with 5e-6. */
int guard_sampling(int64_t minimum)
{
    int bits = 4;
    while ((double)(1 << bits) < 1.6 * (double)minimum)
        bits++;
    return bits;
}

struct guard *guard_new(int64_t minimum, const uint8_t secret[HASH_BYTES], struct guard_source source)
{
    struct guard *g = xcalloc(1, sizeof *g);
    g->minimum = minimum;
    g->source = source;
    for (size_t i = 0; i < sizeof g->seed / sizeof *g->seed; i++) {
        uint8_t name = (uint8_t)i, hash[HASH_BYTES];
        hmac_sha256((struct slice){(const char *)secret, HASH_BYTES}, (struct slice){(const char *)&name, 1},
                    hash);
        memcpy(&g->seed[i], hash, sizeof g->seed[i]);
    }
    g->lanes = (uint64_t)(((1 << guard_sampling(minimum)) - 1) << (16 - guard_sampling(minimum))) *
               0x0001000100010001u;
    g->n_slots = 1024;
    g->slots = xcalloc(g->n_slots, sizeof *g->slots);
    g->nobody = persons_new(NULL, 0);
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
    persons_free(g->nobody);
    free(g->known);
    free(g->sizes);
    free(g->slots);
    free(g->tight);
    holders_deinit(&g->holders);
    free(g->by_place);
    free(g->found.v);
    free(g->looked_up);
    free(g->tally);
    free(g);
}

/* --- sketches ----------------------------------------------------------------------------------------- */

bool guard_sampled(const struct guard *g, int trial, uint32_t person)
{
    uint64_t lanes = person_hash(g, trial / LANES, person) & g->lanes;
    return !(lanes >> 16 * (trial % LANES) & 0xffff);
}

/* The top bit of each 16-bit lane that is zero. */
static uint64_t zero_lanes(uint64_t x)
{
    const uint64_t most = 0x7fff7fff7fff7fffu;
    return ~(((x & most) + most) | x | most);
}

struct sketching {
    const struct guard *g;
    struct sketch *sketch;
};

static void sketch_block(const uint32_t *person, size_t n, void *context)
{
    const struct guard *g = ((struct sketching *)context)->g;
    struct sketch *s = ((struct sketching *)context)->sketch;
    for (size_t i = 0; i < n; i++) {
        uint64_t all = person_hash(g, SEED_ALL, person[i]);
        uint64_t parity = person_hash(g, SEED_PARITY, person[i]);
        s->weight[GUARD_TRIALS] += all;
        s->parity[parity >> 62] ^= (uint64_t)1 << (parity & 63);
        for (int h = 0; h < LANE_HASHES; h++)
            for (uint64_t in = zero_lanes(person_hash(g, h, person[i]) & g->lanes); in; in &= in - 1) {
                int t = h * LANES + __builtin_ctzll(in) / 16;
                s->weight[t] += mix(all + (uint64_t)t + 1);
            }
    }
}

void sketch_of(const struct guard *g, const struct persons *set, struct sketch *out)
{
    *out = (struct sketch){0};
    persons_blocks(set, sketch_block, &(struct sketching){g, out});
}

void guard_sketch(const struct guard *g, const struct persons *set, uint8_t out[GUARD_SKETCH_BYTES])
{
    struct sketch s;
    sketch_of(g, set, &s);
    memcpy(out, &s, sizeof s);
}

/* --- (trial, weight) -> known ------------------------------------------------------------------------- */

static uint64_t slot_hash(int trial, uint64_t weight)
{
    return mix(weight + (uint64_t)trial);
}

static void slot_put(struct guard *g, int trial, uint64_t weight, uint32_t known)
{
    uint64_t hash = slot_hash(trial, weight);
    size_t at = (size_t)hash & (g->n_slots - 1);
    while (g->slots[at].ref)
        at = (at + 1) & (g->n_slots - 1);
    g->slots[at] = (struct slot){(uint32_t)(hash >> 32), known * (GUARD_TRIALS + 1) + (uint32_t)trial + 1};
    g->n_used++;
}

/* A set without a sampled person is no use in that trial. */
static void slots_put(struct guard *g, uint32_t known, int from, int to)
{
    for (int t = from; t <= to; t++)
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
        slots_put(g, i, g->known[i].tight ? 0 : GUARD_TRIALS, GUARD_TRIALS);
}

size_t guard_find(const struct guard *g, int trial, uint64_t weight, size_t *at)
{
    uint64_t hash = slot_hash(trial, weight);
    for (;; ++*at) {
        struct slot slot = g->slots[((size_t)hash + *at) & (g->n_slots - 1)];
        if (!slot.ref)
            return SIZE_MAX;
        uint32_t known = (slot.ref - 1) / (GUARD_TRIALS + 1);
        if (slot.tag == (uint32_t)(hash >> 32) && (slot.ref - 1) % (GUARD_TRIALS + 1) == (uint32_t)trial &&
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
        if (g->sizes[i] == n && memcmp(&g->known[i].sketch, sketch, sizeof *sketch) == 0)
            return &g->known[i];
    return NULL;
}

/* --- remembering -------------------------------------------------------------------------------------- */

const struct persons *guard_need(struct guard *g, uint32_t known)
{
    struct known *k = &g->known[known];
    struct persons *set;
    if (k->set)
        return k->set;
    enum status s = g->failed;
    if (s == ST_OK)
        s = g->source.fetch(g->source.context, k->key, &set, g->failure);
    if (s == ST_OK && (int64_t)persons_count(set) == g->sizes[known] &&
        (!g->sizes[known] || persons_last(set) == k->last))
        return k->set = set;
    if (s == ST_OK) {
        persons_free(set);
        s = err_set(g->failure, ST_CORRUPT, "a sketch in the guard's book is not of its set");
    }
    g->failed = s;
    return g->nobody;
}

void guard_reach(struct guard *g, uint32_t person)
{
    if (person < g->n_persons)
        return;
    size_t n = g->n_persons ? g->n_persons : 1024;
    while (n <= person)
        n *= 2;
    g->tally = xrealloc_array(g->tally, n, sizeof *g->tally);
    memset(g->tally + g->n_persons, 0, n - g->n_persons);
    g->n_persons = n;
}

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
        make_room(g);
        k->tight = true;
        slots_put(g, (uint32_t)(k - g->known), 0, GUARD_TRIALS - 1);
        GROW(g->tight, g->n_tight + 1, g->tight_room);
        g->tight[g->n_tight++] = (uint32_t)(k - g->known);
        if (!k->place)
            g->unplaced += g->sizes[k - g->known] + GUARD_SET_WORK;
    }
}

static uint32_t remember(struct guard *g, const struct known *what, int64_t n, const struct guard_cell *cell)
{
    struct known *k = guard_find_same(g, n, &what->sketch);
    if (!k) {
        make_room(g);
        GROW(g->known, g->n_known + 1, g->known_room);
        GROW(g->sizes, g->n_known + 1, g->sizes_room);
        g->sizes[g->n_known] = n;
        k = &g->known[g->n_known++];
        *k = *what;
        k->high = INT64_MAX;
        k->open = true;
        k->request = cell->request;
        slots_put(g, (uint32_t)(k - g->known), GUARD_TRIALS, GUARD_TRIALS);
    } else {
        k->key = k->key ? k->key : what->key;
        guard_place(g, (uint32_t)(k - g->known), what->place);
        persons_free(what->set);
    }
    narrow(g, k, cell);
    add_project(k, cell->project);
    return (uint32_t)(k - g->known);
}

uint32_t guard_add(struct guard *g, struct persons *persons, const struct guard_cell *cell)
{
    struct known what = {.set = persons, .last = persons_count(persons) ? persons_last(persons) : 0};
    sketch_of(g, persons, &what.sketch);
    return remember(g, &what, (int64_t)persons_count(persons), cell);
}

uint32_t guard_add_kept(struct guard *g, const struct guard_kept *kept, const struct guard_cell *cell)
{
    struct known what = {.key = kept->key, .last = kept->last, .place = kept->place};
    memcpy(&what.sketch, kept->sketch, sizeof what.sketch);
    return remember(g, &what, kept->n, cell);
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

uint64_t guard_key(const struct guard *g, uint32_t known)
{
    return g->known[known].key;
}

/* --- the source's index ------------------------------------------------------------------------------- */

int64_t guard_unplaced(const struct guard *g)
{
    return g->unplaced;
}

bool guard_next_unplaced(const struct guard *g, size_t *at, uint32_t *known, int64_t *n)
{
    while (*at < g->n_tight) {
        *known = g->tight[(*at)++];
        *n = g->sizes[*known];
        if (!g->known[*known].place)
            return true;
    }
    return false;
}

void guard_place(struct guard *g, uint32_t known, uint32_t place)
{
    struct known *k = &g->known[known];
    if (k->place || !place)
        return;
    k->place = place;
    if (k->tight)
        g->unplaced -= g->sizes[known] + GUARD_SET_WORK;
}
