/* SPDX-License-Identifier: Apache-2.0
 *
 * The interface of store.h over a CDM in memory, so that the engine can be compared with the oracle on a
 * million small data sets without writing one of them to disk. A test program that links this file gets these
 * functions instead of src/store's; the reference tests run on the real one.
 */
#ifndef TESTS_COHORT_MEMORY_STORE_H
#define TESTS_COHORT_MEMORY_STORE_H

#include "cdm.h"

struct store *memory_store_new(const struct cdm *c); /* borrows the CDM */
void memory_store_free(struct store *s);

#endif
