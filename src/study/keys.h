/* SPDX-License-Identifier: Apache-2.0
 *
 * Cell keys of a study (disclose/cellkey.h): for every cell of which an analysis says who is counted in it
 * (struct analysis.members), two sums in the first round beside those of the analyses: the persons' record
 * keys and the persons. Keys are added modulo 2^32 at each site, then over sites like every other sum, under
 * the same masks; modulo 2^32 again the total is the key of the persons of all sites together. A cell takes a
 * key only if as many persons stand behind it as behind the count: else it has none and is not printed.
 *
 * Who adds up learns of a cell's persons a number that is the same whenever they are the same persons, beside
 * the count that he sees anyway; which is why sites give keys only where the agreed policy asks for them.
 */
#ifndef ACCORD_STUDY_KEYS_H
#define ACCORD_STUDY_KEYS_H

#include "disclose/record_keys.h"
#include "disclose/result.h"
#include "study/parts.h"

enum { KEY_SUMS = 2 }; /* of a cell: its key, its persons */

MUST_CHECK enum status keys_size(const struct study *s, size_t *n, struct err *e);
sum_t keys_bound(size_t i);
MUST_CHECK enum status keys_local(const struct study *s, const struct study_site *site,
                                  const struct record_keys *keys, struct sums *out, struct err *e);
/* Gives the tables of counts their cells' keys. */
MUST_CHECK enum status keys_give(const struct study *s, const struct sums *total, struct result *r,
                                 struct err *e);

#endif
