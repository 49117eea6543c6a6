/* SPDX-License-Identifier: Apache-2.0
 *
 * Full-text search over the register's public text (SQLite FTS5), and the clocks that run. */
#ifndef ACCORD_GOVERN_SEARCH_H
#define ACCORD_GOVERN_SEARCH_H

#include "govern/register.h"

/* Items whose text has every word (a word may end in * for a beginning), best first:
   {"noun","id","state","title", "snippet"}. Anything else in the words is taken as text, never as query
   syntax. Caller frees. */
MUST_CHECK enum status search_text(struct registry *r, const char *words, const char *noun, int limit,
                                   struct js **out, struct err *e);
/* What is due and what is overdue on a day: contacts without an answer, verdicts, measures without a reading,
   transfers, double-running past its end: {"kind","noun","id","body","what","due","working_days_late"}.
   Caller frees. */
MUST_CHECK enum status clocks(struct registry *r, int32_t day, bool overdue_only, struct js **out,
                              struct err *e);

#endif
