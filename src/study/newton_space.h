/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside newton.h only: the layout of its sums, its work space, and when there is no estimate
 * (newton_judge.c).
 */
#ifndef ACCORD_STUDY_NEWTON_SPACE_H
#define ACCORD_STUDY_NEWTON_SPACE_H

#include "study/newton.h"

/* Layout of round 1: counts, then information-weighted fit, information and squares; of later rounds:
   log-likelihood, gradient, information. The information is its lower triangle. */
enum { ROWS, EVENTS, SITES, COLUMNS };

/* Work space of a p-parameter model. */
struct space {
    size_t p;
    double *beta, *gradient, *information, *factor, *step;
    bool *aliased;
};

/* Is there no estimate? *state then says why. First by round 1's counts: nobody, no events, a 0/1 column that
   all or no events have. */
bool newton_counts_tell(size_t p, const char *const *terms, const struct sums *total, struct js **state);
/* Then by each step, with the state of round 1: no information, separation, and behind the last step those
   that have not come to an end. */
bool newton_step_tells(const struct space *s, struct newton_form f, const char *const *terms,
                       double decrement, bool last, struct js **state);

#endif
