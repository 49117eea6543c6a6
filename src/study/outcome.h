/* SPDX-License-Identifier: Apache-2.0
 *
 * The outcome of a regression, per index row, in a window of days from entry (day 1 to 365 unless given):
 * whether a cohort starts there (binary), how often it starts while the person is observed (count, with the
 * logarithm of the years observed as offset), or the latest value of a measurement (value).
 */
#ifndef ACCORD_STUDY_OUTCOME_H
#define ACCORD_STUDY_OUTCOME_H

#include "study/events.h"

enum outcome_kind { OUTCOME_BINARY, OUTCOME_COUNT, OUTCOME_VALUE };

struct outcome {
    enum outcome_kind kind;
    size_t cohort;
    struct concept_list concepts; /* of a value */
    struct day_window window;
    bool require_observed; /* binary: drop rows that are not observed throughout the window */
    bool exclude_prior;    /* drop rows with the outcome before the window, from entry's day back */
};
extern const char *const outcome_members[];
void outcome_read(struct spec *s, enum outcome_kind kind, struct outcome *o);

/* y and offset (years observed in the window, logged; counts only) of the rows that stay; both n long. */
MUST_CHECK enum status outcome_values(const struct outcome *o, const struct study_site *site,
                                      struct index_rows *rows, double *y, double *offset, struct err *e);

#endif
