/* SPDX-License-Identifier: Apache-2.0
 *
 * Controlled rounding (Cox, "A constructive procedure for unbiased controlled rounding", JASA 82, 1987;
 * Salazar-Gonzalez, "Mathematical models for applying cell suppression methodology in statistical data
 * protection", EJOR 154, 2004): every count becomes a multiple of the base beside it, chosen so that all sums
 * of the system still hold to the unit and the counts move as little as they can in all. Multiples of the
 * base stay what they are (zero-restricted) where that is possible, which in more than two dimensions it need
 * not be; then they may move by one base as well, zeros never.
 *
 * A linear programme over "the nearest multiple or the other one" for each cell, which has a solution in
 * whole numbers in two dimensions by itself; dives and branch and bound (CBC) find one where it has not.
 */
#ifndef ACCORD_DISCLOSE_CONTROLLED_H
#define ACCORD_DISCLOSE_CONTROLLED_H

#include "disclose/system.h"

/* The rounded values of the first n_cells variables of a closed system of whole counts; what is no cell (a
   difference, a rest) only has to stay whole and not negative. ST_UNSAFE where none was found. */
MUST_CHECK enum status controlled_round(const struct system *s, uint32_t n_cells, int64_t base, double *out,
                                        struct err *e);

#endif
