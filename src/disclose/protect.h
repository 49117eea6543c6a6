/* SPDX-License-Identifier: Apache-2.0
 *
 * Secondary suppression: which further cells must be hidden so that no attacker gets a protected cell exactly
 * or too narrowly from what is still printed.
 *
 * Sequential linear programmes (Sande; Kelly, Golden and Assad, "Cell suppression: disclosure protection for
 * sensitive tabular data", Networks 22, 1992): for each protected cell, largest first, and each direction not
 * yet proven by an earlier move, the cheapest move to its demand is found and the cells it touches are
 * hidden. The move is itself the attacker's alternative table, so the pattern is safe by construction. Then
 * cells are published again, dearest first, wherever every proof that used them has another; and small
 * systems are improved by exchange, small components replaced by their optimum (exact.h). attack.h audits the outcome independently.
 */
#ifndef ACCORD_DISCLOSE_PROTECT_H
#define ACCORD_DISCLOSE_PROTECT_H

#include "disclose/moves.h"

/* How far from its true value the attacker's interval of a variable must reach. */
struct demand {
    uint32_t variable;
    double down, up;
    bool either; /* one of the two is enough: only exact recovery must be impossible */
    bool whole;  /* an alternative in whole numbers must exist (counts) */
};

struct protection {
    bool *hidden; /* by variable: in, what must be hidden; out, all that is */
    uint32_t n_added;
    uint32_t n_components,
        n_optimal; /* that have demands; those whose pattern is proven cheapest (exact.h) */
    int64_t solves, iterations;
};

/* `weight` is the cost of hiding by variable. insiders: variables whose value one contributor knows, each of
   whom must not learn the others; may be NULL. ST_UNSAFE when a demand cannot be met whatever is hidden. */
struct insiders {
    const uint32_t *variable;
    uint32_t n;
};
MUST_CHECK enum status protect_run(const struct system *s, const struct room *room, const double *weight,
                                   const struct demand *demands, uint32_t n_demands,
                                   const struct insiders *insiders, struct protection *p, struct err *e);

#endif
