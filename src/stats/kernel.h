/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops over rows that regression spends its time in: columns in blocks, eight running sums a dot
 * product, no fused multiply-add, so that every processor gives the same bits. kernel.c is compiled with -O3.
 */
#ifndef ACCORD_STATS_KERNEL_H
#define ACCORD_STATS_KERNEL_H

#include <stddef.h>

enum { KERNEL_ROWS = 512 }; /* the most rows of one call */

/* out[i] = exp(in[i]) to within 2 ulp; 0 below -708, infinity above 709. */
void kernel_exp(const double *in, double *out, size_t n);
/* eta[i] = offset[from + i] + sum_j x[j][from + i] beta[j]; offset may be NULL. */
void kernel_linear(const double *const *x, size_t p, const double *beta, const double *offset, size_t from,
                   size_t n, double *eta);
/* cross (lower triangle of p x p, row-major) += sum_i w[i] x x', score += sum_i r[i] x over the block's rows.
 * Both are plain sums of at most KERNEL_ROWS terms: the caller adds blocks up with compensation. */
void kernel_cross(const double *const *x, size_t p, size_t from, size_t n, const double *w, const double *r,
                  double *cross, double *score);
/* For a packed lower triangle s2 (p (p + 1) / 2): s1 += w x, s2 += w x x'. */
void kernel_rank_one(double *restrict s1, double *restrict s2, const double *restrict x, size_t p, double w);

#endif
