/* SPDX-License-Identifier: Apache-2.0
 *
 * The differencing guard: would a new cell, together with cells that were printed before, give away 1 to
 * k - 1 persons? It decides on the exact sets of persons behind the cells, never on how the cohorts were
 * worded, so that a tracker, a cycle, the complement to everybody and a snapshot that grew by one person are
 * all the same question: is there a sum of the new set and earlier ones, added and subtracted, that leaves
 * fewer than k persons?
 *
 * One earlier cell is compared exactly, whatever was printed (a print that did not change tells nothing).
 * Sums over two to four earlier cells tell something only where the prints are exact or nearly so, and are
 * looked for among those (guard_search.c says how). A set that is itself a sum of earlier exact prints tells
 * nothing new and passes.
 *
 * Of every set the guard keeps a sketch of a hundred and seventy bytes in memory; the set itself may lie
 * elsewhere (guard_book.h) and is fetched when a decision comes to it. One thread at a time.
 */
#ifndef ACCORD_DISCLOSE_GUARD_H
#define ACCORD_DISCLOSE_GUARD_H

#include "disclose/persons.h"

enum { GUARD_DEPTH = 4 };       /* earlier cells in one sum */
#define GUARD_EVERYBODY    0    /* the project and request of sets that anybody may know: the population */
#define GUARD_MOST_MINIMUM 1000 /* k may not be larger */

enum guard_verdict {
    GUARD_ALLOW,
    GUARD_REVIEW, /* with cells of another project, or too entangled to be searched in full */
    GUARD_REFUSE  /* with cells of the same project */
};

struct guard_cell {
    const struct persons *persons;
    int64_t low, high; /* what the print tells of their number; both are the number for an exact print */
    bool open;         /* the print is not known yet (a total over sites): at worst it tells any difference */
    uint32_t project;
    uint32_t request; /* cells of one request are judged together by the gate, not by the guard */
};

/* For the site's own people; it says no numbers of persons. */
struct guard_finding {
    enum guard_verdict verdict;
    bool entangled;             /* given up: too many cells overlap there */
    uint32_t with[GUARD_DEPTH]; /* the earlier cells, as guard_add numbered them */
    int n_with;
};

struct guard_places {
    uint32_t *v;
    size_t n, room;
};
/* Where the sets lie that are not in memory: `key` is what guard_add_kept was told. `holders` adds the places
   of the sets that hold a person, each once; it is asked where a set has a place. */
struct guard_source {
    enum status (*fetch)(void *context, uint64_t key, struct persons **out, struct err *e);
    enum status (*holders)(void *context, uint32_t person, struct guard_places *into, struct err *e);
    void *context;
};

struct guard;
/* minimum is k; the secret makes the search's sampling unpredictable to requesters. */
struct guard *guard_new(int64_t minimum, const uint8_t secret[HASH_BYTES], struct guard_source source);
void guard_free(struct guard *g); /* NULL is fine */

/* Before a request's cells are asked for, each is announced: where the same set was printed before, no
   narrower, the gate has weighed it with the request's other cells, and it is no earlier cell to them. */
void guard_announce(struct guard *g, const struct guard_cell *cell);
/* Any error is one of fetching a set, and no decision. */
MUST_CHECK enum status guard_ask(struct guard *g, const struct guard_cell *cell, struct guard_finding *out,
                                 struct err *e);
/* Remembers a printed cell; takes `persons` over. Returns its number: equal sets are one. */
uint32_t guard_add(struct guard *g, struct persons *persons, const struct guard_cell *cell);
size_t guard_n_sets(const struct guard *g);

/* A set's sketch: GUARD_SKETCH_BYTES that depend on the set, the secret and the sampling, whose name
   (guard_sampling) is the same for every k up to 10. */
enum { GUARD_SKETCH_BYTES = 168 };
int guard_sampling(int64_t minimum);
void guard_sketch(const struct guard *g, const struct persons *set, uint8_t out[GUARD_SKETCH_BYTES]);
/* As guard_add (cell.persons is not used), for a set that the source has: its sketch, its number of persons
   and the largest number among them, and its place in the source's index of who is in which set. */
struct guard_kept {
    uint64_t key;
    int64_t n;
    uint32_t last, place; /* place 0 = none */
    const uint8_t *sketch;
};
uint32_t guard_add_kept(struct guard *g, const struct guard_kept *kept, const struct guard_cell *cell);
/* The key of a set that the source has; 0 of others. */
uint64_t guard_key(const struct guard *g, uint32_t known);

/* Sets that sums are looked for among and that have no place are read in full before a sum is: how many
   persons that is, with GUARD_SET_WORK a set; each of them (start with *at = 0; false at the end); a place. */
enum { GUARD_SET_WORK = 512 };
int64_t guard_unplaced(const struct guard *g);
bool guard_next_unplaced(const struct guard *g, size_t *at, uint32_t *known, int64_t *n);
void guard_place(struct guard *g, uint32_t known, uint32_t place);

#endif
