/* SPDX-License-Identifier: Apache-2.0
 *
 * Time to an event: for each index row, the days from entry to the first start of an outcome after it, or to
 * the end of follow-up. Follow-up ends with the observation period that entry lies in, with the cohort row
 * where asked, after `horizon` days, or on a study end date. Persons with the outcome on or before the day of
 * entry (of interest to "new" events) are left out unless `keep_prevalent`.
 */
#ifndef ACCORD_STUDY_FOLLOWUP_H
#define ACCORD_STUDY_FOLLOWUP_H

#include "study/events.h"

struct followup {
    size_t outcome, competing; /* cohorts; competing SIZE_MAX = none */
    bool until_row_end, keep_prevalent;
    int32_t horizon; /* days; INT32_MAX = none */
    int32_t until;   /* last day; DATE_MAX = none */
};
extern const char *const followup_members[];
void followup_read(struct spec *s, struct followup *f);

enum { CENSORED, EVENT, COMPETING };
/* Rows that take part are kept in order, `rows` shrinks to them; days[i] >= 1, status[i] of the enum. */
void followup_times(const struct followup *f, const struct study_site *site, struct index_rows *rows,
                    int32_t *days, uint8_t *status);

#endif
