/* SPDX-License-Identifier: Apache-2.0
 *
 * How busy the register is: entries of the last four weeks, by day and by what they are about. The log only
 * grows, so what was counted stays counted, and each call counts only what came since the one before.
 *
 * Threads: any.
 */
#ifndef ACCORD_HTTP_ACTIVITY_H
#define ACCORD_HTTP_ACTIVITY_H

#include "ledger/ledger.h"

enum { ACTIVITY_DAYS = 28, ACTIVITY_KINDS = 6 };

struct activity_table {
    int32_t from; /* the first day; the last is the one that was asked for */
    int64_t n[ACTIVITY_DAYS][ACTIVITY_KINDS];
};
/* "Needs and offers", by number of kind. */
extern const char *const activity_kinds[ACTIVITY_KINDS];

struct activity;
struct activity *activity_new(void);
void activity_free(struct activity *a); /* NULL is fine */

/* The four weeks that end with `today` (days since 1970, UTC), of the log as this connection sees it or a later
   state of it. */
MUST_CHECK enum status activity_count(struct activity *a, struct ledger *l, int32_t today,
                                      struct activity_table *out, struct err *e);

#endif
