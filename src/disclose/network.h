/* SPDX-License-Identifier: Apache-2.0
 *
 * Network totals beside earlier ones. A released document of many sites prints totals only. Yet where the
 * same cell was printed before over more sites, or over fewer, the two totals differ by what the sites
 * between them hold: a site that is nowhere in the output can be worked out, and at that site the cell may be
 * of a few persons. The sites' own guards cannot see it: those that took part twice counted the same persons,
 * and the one that is in question was asked once.
 *
 * Cells are the same when their dimensions and levels are, and the documents' cohorts have a definition in
 * common; what tables are called does not matter, so that a new name hides nothing.
 */
#ifndef ACCORD_DISCLOSE_NETWORK_H
#define ACCORD_DISCLOSE_NETWORK_H

#include "disclose/release.h"

/* Adds to `findings` (an array) {table, place, earlier} for each count whose print, beside the earlier one,
   shows that the sites between them hold 1 to minimum - 1 persons in it. `earlier` is the other document's
   run. Where one document's sites are not all among the other's, there is nothing to find. */
MUST_CHECK enum status network_compare(const struct released *fresh, const struct released *earlier,
                                       struct js *findings, struct err *e);

#endif
