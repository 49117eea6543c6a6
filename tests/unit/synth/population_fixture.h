/* SPDX-License-Identifier: Apache-2.0
 * A population in memory, made person by person as synth.c does, for looking at without files. */
#ifndef POPULATION_FIXTURE_H
#define POPULATION_FIXTURE_H

#include "synth/population.h"

struct fixture {
    struct synth_options options;
    struct population population;
    struct chunk chunk; /* everybody in one chunk */
};
void fixture_make(struct fixture *f, const char *site, uint64_t seed, uint32_t persons);
void fixture_free(struct fixture *f);

/* Is a recorded concept the code itself or one of its synthetic descendants? */
bool records(const struct event *ev, enum code c);
/* The first day a code is in a table for each person, DATE_NONE where it is not; caller frees. */
int32_t *first_days(const struct fixture *f, enum table t, enum code c);

#endif
