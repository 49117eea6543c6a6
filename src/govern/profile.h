/* SPDX-License-Identifier: Apache-2.0
 *
 * What the register says about a body as a whole: what lies under it, who acts for it, which data it lacks,
 * how it answers; and what two forms ask differently. All are JSON that the caller frees.
 */
#ifndef ACCORD_GOVERN_PROFILE_H
#define ACCORD_GOVERN_PROFILE_H

#include "govern/register.h"

/* The body and all under it, parents first: [{"id","name","kind","state","parent","depth"}]. ST_NOT_FOUND. */
MUST_CHECK enum status profile_tree(struct registry *r, const char *body, struct js **out, struct err *e);
/* Every domain of the vocabulary data-domain: [{"domain","label","held","from","lag_days","coverage_percent",
   "gaps"}]; held is "yes" or "missing". ST_NOT_FOUND. */
MUST_CHECK enum status profile_gaps(struct registry *r, const char *body, struct js **out, struct err *e);
/* Who acts for the body: [{"person","post","role","scope","training","interests","declared"}]; training is
   "current", "expired" or "not asked for" on that day. */
MUST_CHECK enum status profile_team(struct registry *r, const char *body, int32_t day, struct js **out,
                                    struct err *e);
/* Every ICB of that day with its leads and how it answers: [{"body","name","leads","contacts","answered",
   "median_days"}]; "leads" is empty where the post is vacant. */
MUST_CHECK enum status profile_leads(struct registry *r, int32_t day, struct js **out, struct err *e);
/* One body:
   {"id","name","kind","lay","decides","next_meeting","capabilities","priorities","leads","contacts",
   "answered","median_days","warnings"}. ST_NOT_FOUND. */
MUST_CHECK enum status profile_body(struct registry *r, const char *body, int32_t day, struct js **out,
                                    struct err *e);
/* Questions that two forms (vocabularies) do not have in common or ask in other words:
   [{"question","difference","a","b"}]. ST_NOT_FOUND. */
MUST_CHECK enum status profile_forms(struct registry *r, const char *a, const char *b, struct js **out,
                                     struct err *e);

#endif
