/* SPDX-License-Identifier: Apache-2.0
 * What the guard's files share: the known sets, their sketches, who is in which. Only they and
 * their tests include this.
 */
#ifndef ACCORD_DISCLOSE_GUARD_SETS_H
#define ACCORD_DISCLOSE_GUARD_SETS_H

#include "disclose/guard.h"

enum { GUARD_TRIALS = 16, PARITY_WORDS = 4 };
/* A print at most this wide still tells something in a sum of several. */
enum { TIGHT_WIDTH = 2 };

/* Linear sketches of a set: they add up as sets do.
   weight[t]: the persons that trial t samples, each with a random 64-bit weight, modulo 2^64;
   weight[GUARD_TRIALS]: everybody. parity: each person flips one of 256 bits, so that two sets that differ by
   d persons differ in at most d bits. */
struct sketch {
    uint64_t weight[GUARD_TRIALS + 1];
    uint64_t parity[PARITY_WORDS];
};

struct known {
    struct persons *set; /* NULL until it is needed */
    uint64_t key;
    struct sketch sketch;
    int64_t low, high;
    uint32_t last;  /* the largest number in it */
    uint32_t place; /* in the source's index; 0 = none */
    bool open, tight;
    uint32_t request; /* that printed it first */
    uint32_t *projects;
    size_t n_projects, projects_room;
};

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
static inline uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Who is in which sets: of each person the sets' places, as differences in varints, in chained blocks of 32
   bytes (guard_holders.c). */
struct holders_block {
    uint32_t next; /* number + 1 */
    uint8_t n;
    uint8_t bytes[27];
};
struct holding {
    uint32_t first, newest; /* blocks, number + 1; 0 = in no set */
    uint32_t last, n;
};
struct holders {
    struct holding *of; /* per person */
    size_t n_persons;
    struct holders_block *blocks;
    size_t n_blocks, room;
};

/* What was found of a person in this decision. */
struct looked_up {
    uint32_t person, n;
    size_t at;
};
enum { LOOKED_UP = 4096 };

struct guard {
    int64_t minimum;
    struct guard_source source;
    uint64_t seed[6];
    uint64_t lanes; /* of a hash's four 16-bit lanes, the bits that are zero in a sample */
    struct known *known;
    int64_t *sizes; /* persons of each known set */
    size_t n_known, known_room, sizes_room;
    /* (trial, weight) -> known, open addressing; ref 0 = free. Trials only know tight sets. */
    struct slot {
        uint32_t tag, ref;
    } * slots;
    size_t n_slots, n_used;
    /* The tight sets in the order in which they became so. The first n_indexed are in `holders`, or in the
       source's index: then by_place has where they are in `tight`, + 1. */
    uint32_t *tight;
    size_t n_tight, n_indexed, tight_room;
    struct holders holders;
    uint32_t *by_place;
    size_t n_places, places_room;
    int64_t unplaced;
    struct guard_places found; /* of the persons looked up in this decision */
    struct looked_up *looked_up;
    int8_t *tally; /* per person, zero between uses */
    size_t n_persons;
    struct persons *nobody; /* in the place of what could not be fetched */
    enum status failed;
    struct err *failure; /* of the decision under way */
};

void sketch_of(const struct guard *g, const struct persons *set, struct sketch *out);
bool guard_sampled(const struct guard *g, int trial, uint32_t person);
/* The known sets with that weight in a trial: start with *at = 0; SIZE_MAX at the end. */
size_t guard_find(const struct guard *g, int trial, uint64_t weight, size_t *at);
struct known *guard_find_same(const struct guard *g, int64_t n, const struct sketch *sketch);
/* The set, fetched if need be; nobody, and g->failed, where that is not possible. */
const struct persons *guard_need(struct guard *g, uint32_t known);
/* Room for a person's entry in the tally. */
void guard_reach(struct guard *g, uint32_t person);

/* guard_holders.c. Places must not be less than before. */
void holders_add(struct holders *h, const struct persons *set, uint32_t place);
void holders_find(const struct holders *h, uint32_t person, struct guard_places *into); /* in order */
void holders_deinit(struct holders *h);
/* Before a search: what became tight is indexed, what was looked up is forgotten. */
void guard_index(struct guard *g);
/* The tight sets that hold a person, as indices of `tight`; until the next call. */
const uint32_t *guard_holders(struct guard *g, uint32_t person, size_t *n);
void places_add(struct guard_places *p, uint32_t place);

#endif
