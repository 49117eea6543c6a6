/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums over the register: value that moved, what a project brought to whom, the network of secure data
 * environments. All callers free what they get. */
#ifndef ACCORD_GOVERN_REPORT_H
#define ACCORD_GOVERN_REPORT_H

#include "govern/register.h"

/* Transfers made, in pence, by the year they were made in and in all (the last row, its year "all"):
   [{"year", "payments", "to_nhs", "from_nhs", "among_others", "made"}]; made is the sum of the three. */
MUST_CHECK enum status report_transfers(struct registry *r, struct js **out, struct err *e);

/* A project: {"population", "groups": ["scheme:code"], "areas": [LSOA codes], "money": [{"country",
   "payments", "pence"}] made for it by the payer's country, "measures": [{"group", "id", "title", "role",
   "unit", "baseline", "latest", "change", "target", "state"}] in order of their groups of people; "" is
   everybody}. */
MUST_CHECK enum status report_project(struct registry *r, const char *project, struct js **out,
                                      struct err *e);

/* The secure data environments that are registered: [{"body", "name", "region", "minimum_count",
   "minimum_count_source", "prices", "contact", "nodes"}]. An environment that has said no smallest count is
   under the policy that agreements have by default; one without a price list of its own gives a quote. */
MUST_CHECK enum status report_environments(struct registry *r, struct js **out, struct err *e);

#endif
