/* SPDX-License-Identifier: Apache-2.0
 *
 * What an attacker can write down: one variable for every cell of all linked tables (a cell that several
 * tables share is one variable), an equation for every sum of every hierarchy at every combination of the
 * other dimensions, and bounds from what is printed (exact, rounded, hidden).
 */
#ifndef ACCORD_DISCLOSE_SYSTEM_H
#define ACCORD_DISCLOSE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A lattice: dimensions with sums, and cells as one level per dimension. */
struct lattice_sum {
    uint32_t total, n_children;
    const uint32_t *children;
};
struct lattice_dimension {
    uint32_t n_levels;
    const struct lattice_sum *sums;
    uint32_t n_sums;
};
struct lattice_cell {
    uint64_t key;      /* set by lattice_sort */
    uint32_t variable; /* in the system */
};
struct lattice {
    const struct lattice_dimension *dimensions;
    uint32_t n_dimensions;
    struct lattice_cell *cells;
    uint64_t n_cells;
};

struct system {
    uint32_t n_variables, n_equations;
    double *value;      /* the true one; NaN where it is not known (an audit of somebody else's table) */
    double *low, *high; /* what the print gives away; equal where it is exact */
    /* Equation k: the sum of coefficient * variable over terms first[k] .. first[k + 1] - 1 is zero. */
    uint32_t *first, *variable;
    double *coefficient;
    /* The same by variable, made by system_close: its equations at by_first[v] .. by_first[v + 1] - 1. */
    uint32_t *by_first, *by_equation;
    double *by_coefficient;
    /* Where variables lie, after system_place: keys by variable, of the first n_placed. */
    struct lattice places;
    uint64_t *key;
    uint32_t n_placed;
    size_t variables_capacity, terms_capacity, equations_capacity;
};

void system_init(struct system *s);
void system_deinit(struct system *s);
uint32_t system_add_variable(struct system *s, double value, double low, double high);
/* Terms are added to the open equation; end closes it (an equation of under two terms is dropped unless its
   one variable is thereby zero). */
void system_add_term(struct system *s, uint32_t variable, double coefficient);
void system_end_equation(struct system *s);
/* Indexes by variable; no more may be added. */
void system_close(struct system *s);
/* Tells where the variables of a sorted lattice lie, for what looks near a cell first (near.h). They must be
   the first l->n_cells variables. Borrows the lattice's arrays. */
void system_place(struct system *s, const struct lattice *l);
/* The largest gap of any equation on the true values, and its number. */
double system_worst_gap(const struct system *s, uint32_t *equation);

/* The key of a place; ST_UNSUPPORTED from lattice_check where the product of the levels is over 2^63. */
MUST_CHECK enum status lattice_check(const struct lattice *l, struct err *e);
uint64_t lattice_key(const struct lattice *l, const uint32_t *at);
void lattice_sort(struct lattice *l);
/* The cell with this key, or NULL. */
const struct lattice_cell *lattice_find(const struct lattice *l, uint64_t key);
/* Adds every equation over the dimensions in `uses` (a mask) at cells for which all other dimensions are at
   the level `rest[d]`; absent cells are zero. Equations already added by an earlier call may come twice,
   which does no harm. */
void lattice_add_equations(const struct lattice *l, uint32_t uses, const uint32_t *rest, struct system *s);

#endif
