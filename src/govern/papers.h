/* SPDX-License-Identifier: Apache-2.0
 *
 * Papers made from the register, as lists of lines; the caller frees them. */
#ifndef ACCORD_GOVERN_PAPERS_H
#define ACCORD_GOVERN_PAPERS_H

#include "govern/register.h"

/* A custodian's form (a vocabulary of questions) filled from the answers that the project gave once:
   [{"question","asks","answer"}]. ST_NOT_FOUND. */
MUST_CHECK enum status paper_form(struct registry *r, const char *project, const char *form, struct js **out,
                                  struct err *e);
/* An agreement's terms, one page: [{"term","says"}], nothing in it but what its fields say. ST_NOT_FOUND. */
MUST_CHECK enum status paper_sheet(struct registry *r, const char *agreement, int32_t day, struct js **out,
                                   struct err *e);
/* Each entry that set fields of an agreement: [{"entry","time","actor","field","value"}]. ST_NOT_FOUND. */
MUST_CHECK enum status paper_diff(struct registry *r, const char *agreement, struct js **out, struct err *e);

/* What such a list is made of: {member: name, "says": text}; and pence as "£1234.50". */
void paper_line(struct js *list, const char *member, const char *name, const char *format, ...)
    PRINTF_LIKE(4, 5);
void paper_pounds(int64_t pence, char out[40]);

#endif
