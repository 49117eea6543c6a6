/* SPDX-License-Identifier: Apache-2.0
 *
 * Random small CDMs and random cohorts over them: dense dates, many ties, missing values, ends before starts,
 * events outside every observation period, persons without a PERSON row. The same seed gives the same case.
 */
#ifndef TESTS_COHORT_RANDOM_CASE_H
#define TESTS_COHORT_RANDOM_CASE_H

#include "base/json.h"
#include "cdm.h"
#include "synth/rng.h"

uint64_t dice_roll(struct rng *d, uint64_t sides); /* 0 .. sides - 1 */
static inline bool dice_one_in(struct rng *d, uint64_t n)
{
    return dice_roll(d, n) == 0;
}

/* `overlapping`: observation periods of a person may overlap, which OMOP forbids and data has. */
struct cdm *random_cdm(struct rng *d, bool overlapping); /* up to 8 persons */
struct cdm *random_crowd(struct rng *d, int n_persons, bool overlapping);
/* Circe JSON. `all_events`: without limits (which of two overlapping periods an event of one day belongs to
 * is not defined). */
struct js *random_cohort(struct rng *d, bool all_events);

#endif
