/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts under differential privacy, for open dashboards and feasibility queries: noise on the cells without
 * parts, nothing below 0, totals added up again from the noisy cells (so that tables stay additive and the
 * ordinary gate judges them). What it costs is charged to the project's budget before any noise is drawn.
 */
#ifndef ACCORD_DISCLOSE_PRIVATE_H
#define ACCORD_DISCLOSE_PRIVATE_H

#include "disclose/noise.h"
#include "disclose/privacy.h"
#include "disclose/result.h"

struct private_how {
    bool laplace;             /* else Gaussian */
    double rho;               /* to be spent on the whole result */
    int64_t cells_per_person; /* most cells of one table that a person can be in; 0 = 1, where levels make up
                                 their totals */
    const char *data_set, *project;
    const struct noise_source *from;
};
/* Charges and draws. *record is what the disclosure record says of it; the caller frees both. ST_INVALID for
   tables that are no counts or leave cells out (which cells are there would be told without noise). */
MUST_CHECK enum status private_result(const struct result *raw, const struct private_how *how,
                                      struct privacy_book *book, struct result **out, struct js **record,
                                      struct err *e);

/* What such a release would cost and how large its noise would be, as the record would say it, and what the
   budget has left for it ("left"): nothing is drawn or charged. Refusals as of private_result. */
MUST_CHECK enum status private_plan(const struct result *raw, const struct private_how *how,
                                    struct privacy_book *book, struct js **record, struct err *e);

#endif
