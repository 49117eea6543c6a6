/* SPDX-License-Identifier: Apache-2.0
 *
 * Made-up numbers for tests, from the generator of the synthetic population: the same on every machine, and any
 * seed will do. Whole numbers come from rng_next and rng_below themselves.
 */
#ifndef ACCORD_TESTS_RANDOM_H
#define ACCORD_TESTS_RANDOM_H

#include "synth/rng.h"

/* From [0, 1). */
static inline double random_uniform(struct rng *r)
{
    return (double)(rng_next(r) >> 11) * 0x1p-53;
}

#endif
