/* SPDX-License-Identifier: Apache-2.0
 *
 * An analysis that has no estimate says why and is done; the study's other analyses go on. `next` leaves the
 * reason in its state and *next NULL; the run then asks neither for another round nor for `finish`, and the
 * result has a table "<analysis>_no_estimate" whose title is the text, with the reason (and the columns
 * involved) as its levels and nothing in its cells.
 *
 * What is said here leaves with the result: no number, and no column that under NO_ESTIMATE_NAMED people have
 * or lack.
 */
#ifndef ACCORD_STUDY_NO_ESTIMATE_H
#define ACCORD_STUDY_NO_ESTIMATE_H

#include "base/json.h"
#include "base/mem.h"
#include "disclose/result.h"

enum { NO_ESTIMATE_NAMED = 10 };

/* reason: one word for programs ("separation"); persons behind the model; columns: a JSON array of names,
   taken over, or NULL; text: for people, what was wrong and what to do. */
void no_estimate_set(struct js **state, const char *reason, int64_t persons, struct js *columns,
                     const char *text);
bool no_estimate(const struct js *state);
void no_estimate_table(const struct js *state, const char *analysis, struct result *into);

#endif
