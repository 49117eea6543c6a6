/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the Cox files: the exact conditional likelihood of ties. With d deaths among n at risk, the
 * denominator is the sum over all subsets of d of exp(sum of linear predictors), an elementary symmetric
 * function, built with its first two derivatives by B(d, n) = B(d, n-1) + r_n B(d-1, n-1) (M. Gail et al.,
 * Biometrika 68 (1981) 703). It is also the likelihood of conditional logistic regression.
 */
#ifndef ACCORD_STATS_COX_EXACT_H
#define ACCORD_STATS_COX_EXACT_H

#include "stats/cox_rows.h"
#include "stats/sum.h"

/* Adds log-likelihood, score and packed information (on scaled columns) over every death time. */
void cox_exact_walk(const struct cox_rows *r, const double *scaled_beta, struct csum *score,
                    struct csum *information, struct csum *log_likelihood, double *events);

#endif
