/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/solver.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <coin/Cbc_C_Interface.h>
#include <coin/Clp_C_Interface.h>

#include "base/mem.h"

enum { MAX_ITERATIONS = 20000 };

struct lp {
    Clp_Simplex *clp;
    int n_columns, n_rows;
    unsigned char *rows_basic; /* the status of every column and row in the basis of all rows */
    int64_t iterations;
};

/* CLP's codes for a variable's place (Clp_getColumnStatus): 1 = basic, 3 = at its lower bound. */
enum { CLP_BASIC = 1, CLP_AT_LOWER = 3 };

struct lp *lp_new(const struct lp_form *f)
{
    struct lp *lp = xcalloc(1, sizeof *lp);
    lp->clp = Clp_newModel();
    lp->n_columns = f->n_columns;
    lp->n_rows = f->n_rows;
    Clp_setLogLevel(lp->clp, 0);
    Clp_loadProblem(lp->clp, f->n_columns, f->n_rows, f->start, f->row, f->coefficient, f->lower, f->upper,
                    f->cost, f->row_lower, f->row_upper);
    Clp_scaling(lp->clp, 0);
    Clp_setMaximumIterations(lp->clp, MAX_ITERATIONS);
    size_t n = (size_t)f->n_columns + (size_t)f->n_rows;
    lp->rows_basic = xmalloc(n);
    memset(lp->rows_basic, CLP_AT_LOWER, (size_t)f->n_columns);
    memset(lp->rows_basic + f->n_columns, CLP_BASIC, (size_t)f->n_rows);
    return lp;
}

void lp_free(struct lp *lp)
{
    if (!lp)
        return;
    Clp_deleteModel(lp->clp);
    free(lp->rows_basic);
    free(lp);
}

void lp_set_bounds(struct lp *lp, int column, double lower, double upper)
{
    Clp_columnLower(lp->clp)[column] = lower;
    Clp_columnUpper(lp->clp)[column] = upper;
}

void lp_set_cost(struct lp *lp, int column, double cost)
{
    Clp_objective(lp->clp)[column] = cost;
}

enum lp_status lp_minimise(struct lp *lp, enum lp_start start)
{
    if (start == LP_COLD) {
        Clp_copyinStatus(lp->clp, lp->rows_basic);
        Clp_dual(lp->clp, 0);
    } else {
        Clp_primal(lp->clp, 0);
    }
    lp->iterations += Clp_numberIterations(lp->clp);
    switch (Clp_status(lp->clp)) {
    case 0:
        return LP_OPTIMAL;
    case 1:
        return LP_INFEASIBLE;
    case 2:
        return LP_UNBOUNDED;
    default:
        return LP_FAILED;
    }
}

/* The column furthest from a whole number; -1 when there is none. */
static int most_fractional(const struct lp *lp)
{
    const double *x = Clp_getColSolution(lp->clp);
    double worst = 1e-7;
    int found = -1;
    for (int i = 0; i < lp->n_columns; i++)
        if (fabs(x[i] - nearbyint(x[i])) > worst) {
            worst = fabs(x[i] - nearbyint(x[i]));
            found = i;
        }
    return found;
}

static bool solves_again(struct lp *lp, int column, double at)
{
    lp_set_bounds(lp, column, at, at);
    Clp_dual(lp->clp, 0);
    lp->iterations += Clp_numberIterations(lp->clp);
    return Clp_status(lp->clp) == 0;
}

enum lp_status lp_dive(struct lp *lp, int solves)
{
    size_t n = (size_t)lp->n_columns;
    double *lower = xcalloc(2 * n + 1, sizeof *lower), *upper = lower + n;
    memcpy(lower, Clp_columnLower(lp->clp), n * sizeof *lower);
    memcpy(upper, Clp_columnUpper(lp->clp), n * sizeof *upper);
    bool good = true;
    int column;
    while (good && (column = most_fractional(lp)) >= 0 && solves > 0) {
        double x = Clp_getColSolution(lp->clp)[column], near = nearbyint(x);
        solves -= 2;
        good = solves_again(lp, column, near) || solves_again(lp, column, near > x ? near - 1 : near + 1);
    }
    good = good && column < 0;
    memcpy(Clp_columnLower(lp->clp), lower, n * sizeof *lower);
    memcpy(Clp_columnUpper(lp->clp), upper, n * sizeof *upper);
    free(lower);
    return good ? LP_OPTIMAL : LP_FAILED;
}

const double *lp_solution(const struct lp *lp)
{
    return Clp_getColSolution(lp->clp);
}

const double *lp_row_duals(const struct lp *lp)
{
    return Clp_getRowPrice(lp->clp);
}

double lp_objective(const struct lp *lp)
{
    return Clp_getObjValue(lp->clp);
}

int64_t lp_iterations(const struct lp *lp)
{
    return lp->iterations;
}

enum lp_status mip_minimise(const struct lp_form *f, const bool *integer, int nodes, double *solution)
{
    char limit[16];
    Cbc_Model *m = Cbc_newModel();
    Cbc_loadProblem(m, f->n_columns, f->n_rows, f->start, f->row, f->coefficient, f->lower, f->upper, f->cost,
                    f->row_lower, f->row_upper);
    for (int i = 0; i < f->n_columns; i++)
        if (integer[i])
            Cbc_setInteger(m, i);
    snprintf(limit, sizeof limit, "%d", nodes);
    Cbc_setParameter(m, "maxNodes", limit);
    Cbc_setParameter(m, "log", "0");
    Cbc_setLogLevel(m, 0);
    Cbc_solve(m);
    enum lp_status s = LP_FAILED;
    if (Cbc_isProvenOptimal(m))
        s = LP_OPTIMAL;
    else if (Cbc_isProvenInfeasible(m))
        s = LP_INFEASIBLE;
    if (s == LP_OPTIMAL)
        memcpy(solution, Cbc_getColSolution(m), (size_t)f->n_columns * sizeof *solution);
    Cbc_deleteModel(m);
    return s;
}

void lp_limit(struct lp *lp, int iterations)
{
    Clp_setMaximumIterations(lp->clp, iterations);
}
