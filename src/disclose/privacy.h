/* SPDX-License-Identifier: Apache-2.0
 *
 * Privacy budgets: how much rho (noise.h) each project may spend on each data set, and what it has spent. A
 * charge is on disk before the answer is made; whoever is killed between the two has paid for nothing, which
 * is the safe side. Durable like every database here (base/db.h).
 */
#ifndef ACCORD_DISCLOSE_PRIVACY_H
#define ACCORD_DISCLOSE_PRIVACY_H

#include "base/err.h"
#include "base/json.h"

struct privacy_book;
MUST_CHECK enum status privacy_open(const char *path, struct privacy_book **out, struct err *e);
void privacy_close(struct privacy_book *b); /* NULL is fine */

/* Sets what may be spent in all; more than before needs the name of who approved it. ST_DENIED below what is
   spent already. */
MUST_CHECK enum status privacy_allow(struct privacy_book *b, const char *data_set, const char *project,
                                     double rho, const char *approved_by, struct err *e);
/* ST_UNSAFE when it is not there: then nothing is charged. */
MUST_CHECK enum status privacy_charge(struct privacy_book *b, const char *data_set, const char *project,
                                      double rho, const char *what, struct err *e);
/* The same question without a charge: what is left before it. */
MUST_CHECK enum status privacy_left(struct privacy_book *b, const char *data_set, const char *project,
                                    double rho, double *left, struct err *e);
/* Array of {data_set, project, allowed, spent, approved_by}; the caller frees it. */
MUST_CHECK enum status privacy_list(struct privacy_book *b, struct js **out, struct err *e);

#endif
