/* SPDX-License-Identifier: Apache-2.0
 *
 * The cheapest pattern of a small component, exactly (Fischetti and Salazar-Gonzalez, "Models and algorithms
 * for optimizing cell suppression in tabular data with linear constraints", JASA 95, 2000, written out instead
 * of cut by cut): one integer programme with a binary for every variable that might be hidden and, for each
 * question an attacker may ask, an alternative table of its own that moves only within what would then be
 * printed and hidden. A component is what sums connect; its pattern is nobody else's business.
 *
 * Rooms without an end are cut at EXACT_REACH times the largest demand: moves in tables hardly ever need more
 * than that demand itself.
 */
#ifndef ACCORD_DISCLOSE_EXACT_H
#define ACCORD_DISCLOSE_EXACT_H

#include "disclose/protect.h"

enum {
    EXACT_MOST = 150,
    EXACT_REACH = 16
}; /* alternatives' variables of one component, over its questions */

/* Betters the pattern of a finished protection component by component: those of at most `most` variables over
   their questions, where a proven optimum costs less and the attacker confirms it. `must` are those hidden in
   any case. Returns what was saved; *n_optimal counts the components whose pattern is now known to be the
   cheapest, *n_components all that have demands. */
double exact_improve(const struct system *s, const struct room *room, const double *weight,
                     const struct demand *demands, uint32_t n_demands, const bool *must, uint32_t most,
                     bool *hidden, uint32_t *n_optimal, uint32_t *n_components);

#endif
