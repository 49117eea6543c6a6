/* SPDX-License-Identifier: Apache-2.0
 *
 * Regressions of pooled rows by the numerics of plain tables (stats/glm.h), whose names clash with study's.
 */
#ifndef TESTS_STUDY_POOLED_FIT_H
#define TESTS_STUDY_POOLED_FIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

/* Fitted means of all n rows by the logistic or linear regression of those where of[i] is `want` (NULL: all)
   on p columns; where columns repeat others, without them. */
void pooled_fitted(const double *const *x, size_t n, size_t p, const double *y, const double *of, double want,
                   bool logistic, double *out, struct arena *a);

#endif
