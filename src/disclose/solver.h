/* SPDX-License-Identifier: Apache-2.0
 *
 * The one door to linear and integer programming: CLP and CBC (EPL) behind a small interface, so that another
 * solver is one file. Problems are minimisations over columns with bounds and rows with fixed activity.
 * Nothing here is trusted: callers check the solutions they use (attack.c), and anything but an optimum is a
 * failure that closes the gate. No time limits, only iteration limits, so that results are the same on every
 * machine.
 */
#ifndef ACCORD_DISCLOSE_SOLVER_H
#define ACCORD_DISCLOSE_SOLVER_H

#include <stdbool.h>
#include <stdint.h>

#define LP_INFINITY 1e30

/* A problem by columns: column j has entries start[j] .. start[j + 1] - 1 of (row, coefficient). */
struct lp_form {
    int n_columns, n_rows;
    const int *start;
    const int *row;
    const double *coefficient;
    const double *lower, *upper, *cost; /* per column */
    const double *row_lower, *row_upper;
};

enum lp_status { LP_OPTIMAL, LP_INFEASIBLE, LP_UNBOUNDED, LP_FAILED };
enum lp_start {
    LP_COLD, /* dual simplex from the basis of all rows: feasible there when no cost is negative */
    LP_WARM  /* primal simplex from the last basis */
};

struct lp;
struct lp *lp_new(const struct lp_form *form); /* copies; never NULL */
void lp_free(struct lp *lp);                   /* NULL is fine */
void lp_set_bounds(struct lp *lp, int column, double lower, double upper);
void lp_set_cost(struct lp *lp, int column, double cost);
enum lp_status lp_minimise(struct lp *lp, enum lp_start start);
/* After LP_OPTIMAL: dives to a solution in whole numbers near the optimum, by fixing one fractional column
   after the other at its nearer whole number and solving again (dual simplex), the other side where that has
   no solution. At most `solves`; LP_FAILED where no dive got there. Bounds are left as they were. */
enum lp_status lp_dive(struct lp *lp, int solves);
/* After LP_OPTIMAL, until the next call. */
const double *lp_solution(const struct lp *lp);
const double *lp_row_duals(const struct lp *lp);
double lp_objective(const struct lp *lp);
void lp_limit(struct lp *lp, int iterations); /* of one solve; LP_FAILED beyond */
int64_t lp_iterations(const struct lp *lp);   /* of all solves so far */

/* One integer programme: the columns marked in `integer` take whole values. `nodes` bounds the search.
   LP_OPTIMAL fills solution[n_columns]; LP_FAILED when the limit came first. */
enum lp_status mip_minimise(const struct lp_form *form, const bool *integer, int nodes, double *solution);

#endif
