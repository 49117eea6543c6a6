/* SPDX-License-Identifier: Apache-2.0
 *
 * A study to start from: one analysis of a kind as its template has it, with the cohorts that it names. */
#ifndef ACCORD_STUDY_EXAMPLE_H
#define ACCORD_STUDY_EXAMPLE_H

#include "study/analysis.h"

MUST_CHECK enum status study_example(const struct analysis *a, struct js **out,
                                     struct err *e); /* the caller frees it */

#endif
