/* SPDX-License-Identifier: Apache-2.0
 *
 * Working days: Monday to Friday without the bank holidays of the vocabulary `bank-holidays` (codes are
 * dates). */
#ifndef ACCORD_GOVERN_CALENDAR_H
#define ACCORD_GOVERN_CALENDAR_H

#include "base/db.h"

MUST_CHECK enum status working_day(struct db *d, int32_t day, bool *out, struct err *e);
/* The day that lies n working days behind `day`. */
MUST_CHECK enum status working_days_on(struct db *d, int32_t day, int n, int32_t *out, struct err *e);
/* Working days after `from` up to and with `to`; 0 when to <= from. */
MUST_CHECK enum status working_days_between(struct db *d, int32_t from, int32_t to, int64_t *out,
                                            struct err *e);

#endif
