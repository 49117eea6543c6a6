/* SPDX-License-Identifier: Apache-2.0
 *
 * Moves: other tables that an attacker cannot tell from the true one. A move is a deviation of every variable
 * from its true value that keeps every equation and every bound; the attacker's interval of a cell holds
 * value + d exactly when there is a move with deviation d there. Each move that is found proves something
 * about every cell it touches (a witness), so most questions need no solve of their own.
 *
 * Columns of the linear programme: for each variable its free room up and down (what the print leaves open),
 * and, where a cell may still be hidden, the further room that hiding it would give, at a cost. Moves are
 * sought from the zero deviation with the least cost, by dual simplex, which keeps them short.
 */
#ifndef ACCORD_DISCLOSE_MOVES_H
#define ACCORD_DISCLOSE_MOVES_H

#include "disclose/system.h"

/* What the print gives and what hiding would give, by variable. A variable that may not be hidden (a zero
   that is known to be one, a cell that must be published) has hidden bounds equal to its printed ones. */
struct room {
    const double *low, *high;               /* printed */
    const double *hidden_low, *hidden_high; /* were it hidden */
};

/* A move: variables in rising order. */
struct move {
    uint32_t n;
    uint32_t *variable;
    double *deviation;
};
void move_free(struct move *m);

struct moves;
/* `hidden` marks what is hidden already. `weight` is the cost by variable of hiding one more; NULL = nothing
   more may be hidden. Borrows all but `hidden`. */
struct moves *moves_new(const struct system *s, const struct room *room, const bool *hidden,
                        const double *weight);
void moves_free(struct moves *m); /* NULL is fine */
/* A variable is hidden (its whole room is free), open (hiding it costs its weight) or closed (it stays
   printed). */
void moves_hide(struct moves *m, uint32_t variable);
void moves_open(struct moves *m, uint32_t variable);
void moves_close(struct moves *m, uint32_t variable);
/* Sets what hiding one more costs (moves_new's weight). */
void moves_weigh(struct moves *m, uint32_t variable, double weight);
/* Holds a variable at its true value (an insider who knows it), or lets it go again. */
void moves_hold(struct moves *m, uint32_t variable, bool held);

enum move_answer { MOVE_FOUND, MOVE_NONE, MOVE_FAILED };
/* A move of least cost with exactly this deviation of the variable. The result was checked against equations
   and bounds, not only claimed by the solver; *out is the caller's. */
enum move_answer moves_find(struct moves *m, uint32_t variable, double deviation, struct move *out);
/* The furthest deviation in the direction of `sign`; infinity where there is no end. */
enum move_answer moves_furthest(struct moves *m, uint32_t variable, int sign, double *out);
/* The same as moves_find in whole numbers (CBC). */
enum move_answer moves_find_whole(struct moves *m, uint32_t variable, double deviation, struct move *out);
/* Solves give up (MOVE_FAILED) beyond so many iterations. */
void moves_limit(struct moves *m, int iterations);
int64_t moves_iterations(const struct moves *m);
/* The cost of the last move found. */
double moves_cost(const struct moves *m);

#endif
