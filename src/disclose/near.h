/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a move of one cell is looked for first. A table of many dimensions has far more cells than any move
 * needs: in each dimension a move can stay among the siblings of the cell's level and what lies below them,
 * because what the siblings win and lose together leaves their total as it is. The product of a few such
 * levels in each dimension is a small lattice of its own that holds whole moves, which a neighbourhood in
 * steps (cells of common equations) does not: a move in the inner cells of four dimensions has sixteen cells,
 * four steps apart.
 */
#ifndef ACCORD_DISCLOSE_NEAR_H
#define ACCORD_DISCLOSE_NEAR_H

#include "disclose/system.h"

struct near;
struct near *near_new(const struct system *s);
void near_free(struct near *n); /* NULL is fine */
/* The variables of such a lattice around `variable`, at most `most` places, into out[] (room for every
   variable). price: by variable, what moving it costs; infinite where it cannot move. Cheap levels are
   preferred. Returns their number; 0 where the variable has no place or the lattice is not small. */
uint32_t near_list(struct near *n, uint32_t variable, const double *price, uint32_t most, uint32_t *out);

#endif
