/* SPDX-License-Identifier: Apache-2.0
 *
 * Network totals beside earlier ones. A released document of many sites prints totals only. Yet where the
 * same cell was printed before over more sites, or over fewer, the two totals differ by what the sites
 * between them hold: a site that is nowhere in the output can be worked out, and at that site the cell may be
 * of a few persons. The sites' own guards cannot see it: those that took part twice counted the same persons,
 * and the one that is in question was asked once.
 *
 * Two totals are subtracted where one's sites are all among the other's. Of more, whatever sums and differences
 * of totals, any number of times each, leave the total of some sites are looked for by reducing the matrix of
 * which output is over which sites: A+B, B+C and A+C give A though none is within another. Rounded prints are
 * ranges, which such sums widen.
 *
 * Cells are the same when their dimensions and levels are, and the documents' cohorts have a definition in
 * common; what tables are called does not matter, so that a new name hides nothing.
 */
#ifndef ACCORD_DISCLOSE_NETWORK_H
#define ACCORD_DISCLOSE_NETWORK_H

#include "disclose/release.h"

/* Adds to `findings` (an array) {table, place, earlier} for each count whose print, beside the n earlier ones
   (in the order in which they were made), shows that some of the sites hold 1 to minimum - 1 persons in it.
   `earlier` names the other documents' runs. Errors: a document that cannot be read, more sites than can be compared. */
MUST_CHECK enum status network_compare(const struct released *fresh, struct released *const *earlier,
                                       size_t n, struct js *findings, struct err *e);

#endif
