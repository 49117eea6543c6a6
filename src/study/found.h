/* SPDX-License-Identifier: Apache-2.0
 *
 * How many index rows have each of the concepts that a discovery found: one pass over the runs of its tables.
 * With roll-up a row has a concept when it has any of its descendants.
 */
#ifndef ACCORD_STUDY_FOUND_H
#define ACCORD_STUDY_FOUND_H

#include "study/discovery.h"
#include "study/events.h"

/* Adds to out's counts [at, at + n); `found` is the discovery's list, `rows` must have been mapped. */
MUST_CHECK enum status found_count(const struct discovery *d, const struct found_concept *found, size_t n,
                                   const struct study_site *site, const struct index_rows *rows,
                                   struct day_window window, struct sums *out, size_t at, struct err *e);

#endif
