/* SPDX-License-Identifier: Apache-2.0
 *
 * Histories of released cells for the guard's tests and its benchmark: populations with a few attributes,
 * cohorts, cross-tabulations of them, trackers that isolate a chosen group, and honest programmes of work.
 */
#ifndef ACCORD_TESTS_HISTORIES_H
#define ACCORD_TESTS_HISTORIES_H

#include "disclose/guard.h"
#include "synth/rng.h"

enum { ATTRIBUTES = 8 };
struct world {
    uint32_t n;
    uint8_t *attribute[ATTRIBUTES]; /* each person's level */
    uint8_t levels[ATTRIBUTES];
    struct rng random;
};
void world_init(struct world *w, uint32_t n, uint64_t seed);
void world_deinit(struct world *w);
uint64_t world_draw(struct world *w, uint64_t below);

/* A growing list of person numbers in order. */
struct crowd {
    uint32_t *v;
    size_t n, room;
};
void crowd_add(struct crowd *c, uint32_t person);

/* A cohort of about share/1000 of everybody, by a rule of its own. */
struct crowd world_cohort(struct world *w, uint64_t share);
/* The cells of a cohort over two attributes, totals included, if none has 1 to minimum - 1 persons: a table
   with such cells is the gate's business, and would be asked again in coarser levels. */
typedef void (*cell_fn)(void *context, const uint32_t *persons, size_t n);
void world_crosstab(const struct world *w, const struct crowd *cohort, int a, int b, size_t minimum,
                    cell_fn fn, void *context);

struct tracker {
    struct crowd cell[GUARD_DEPTH + 1]; /* the last is asked, the others were released */
    int n;
};
/* Cells over at most so many persons whose sum, with signs, leaves a random group of 1 to minimum - 1 of
   them. False where it does not come about; to be freed in any case. */
bool world_tracker(struct world *w, int depth, uint64_t minimum, uint32_t most, struct tracker *t);
void tracker_deinit(struct tracker *t);

#endif
