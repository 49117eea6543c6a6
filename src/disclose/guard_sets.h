/* SPDX-License-Identifier: Apache-2.0
 * What the guard's files share: the known sets and their sketches. Nobody else includes this. */
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
    struct persons *set;
    struct sketch sketch;
    int64_t n, low, high;
    bool open, tight;
    uint32_t request; /* that printed it first */
    uint32_t *projects;
    size_t n_projects, projects_room;
};

struct guard {
    int64_t minimum;
    uint64_t seed[GUARD_TRIALS + 2];
    uint64_t sampled; /* a person is in a trial's sample when its hash is below */
    struct known *known;
    size_t n_known, known_room;
    /* (trial, weight) -> known, open addressing; number + 1, 0 = free */
    uint32_t *slots;
    size_t n_slots, n_used;
    /* person -> tight known sets, as chained chunks */
    uint32_t *head;
    size_t n_persons;
    struct chunk *chunks;
    size_t n_chunks, chunks_room;
    int8_t *tally; /* per person, zero between uses */
};

struct chunk {
    uint32_t n, next; /* next: number + 1 */
    uint32_t known[6];
};

void sketch_of(const struct guard *g, const struct persons *set, struct sketch *out);
bool guard_sampled(const struct guard *g, int trial, uint32_t person);
/* The known sets with that weight in a trial: start with *at = 0; SIZE_MAX at the end. */
size_t guard_find(const struct guard *g, int trial, uint64_t weight, size_t *at);
struct known *guard_find_same(const struct guard *g, int64_t n, const struct sketch *sketch);
/* Room for a person's entries in head and tally. */
void guard_reach(struct guard *g, uint32_t person);

#endif
