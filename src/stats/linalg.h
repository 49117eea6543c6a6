/* SPDX-License-Identifier: Apache-2.0
 *
 * Dense symmetric linear algebra for normal equations and information matrices (p up to a few hundred).
 * Matrices are p x p, row-major, whole. One order of operations, no threads: the same bits everywhere.
 */
#ifndef ACCORD_STATS_LINALG_H
#define ACCORD_STATS_LINALG_H

#include <stdbool.h>
#include <stddef.h>

/* Factorises a = L D L' in place, in column order (G. Golub, C. Van Loan, Matrix Computations, 4.1.2). A
 * column whose pivot falls to `tolerance` of its diagonal or less is a linear combination of those before it:
 * it is marked in aliased[] and left out. Returns the rank. Only the lower triangle of `a` is read. */
size_t ldl_factor(double *a, size_t p, double tolerance, bool *aliased);
/* Solves in place; aliased components become 0. */
void ldl_solve(const double *ldl, size_t p, const bool *aliased, double *b);
/* The inverse over the columns that are not aliased, 0 elsewhere. */
void ldl_inverse(const double *ldl, size_t p, const bool *aliased, double *out);
/* log of the determinant over the columns that are not aliased. */
double ldl_log_det(const double *ldl, size_t p, const bool *aliased);
/* a' M b. */
double bilinear(const double *a, const double *m, const double *b, size_t p);

/* Generalised inverse and quadratic form of a symmetric positive semi-definite matrix: x' M^- x, with its
 * rank. */
double quadratic_inverse(const double *m, const double *x, size_t p, double tolerance, size_t *rank);

#endif
