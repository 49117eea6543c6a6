/* SPDX-License-Identifier: Apache-2.0
 *
 * Matching needs with offers. It starts from the needs of NHS bodies, never from a product, and can be
 * checked by hand:
 *
 *     points(need, offer) = share of the need's codes that the offer has
 *                         * 1 / rank of the need
 *                         * p / (p + 100,000), p = people the need is about (1/2 when not said)
 *                         * 1 when both are of the same pathway stage, else 1/2
 *     score(body, body)   = for each need the best offer's points, added up
 *
 * Needs and offers of a closed body count for its successors. Results are JSON arrays, best first, each
 * element with the lines that its score is made of:
 *
 *     {"body":…,"name":…,"score":…,"lines":[{"need":…,"offer":…,"rank":…,"share":…,"codes":["scheme:code"],"points":…}]}
 */
#ifndef ACCORD_GOVERN_MATCH_H
#define ACCORD_GOVERN_MATCH_H

#include "govern/register.h"

/* The best counterparts of a body: of its needs, of its offers, or both. Caller frees. */
MUST_CHECK enum status match_body(struct registry *r, const char *body, int limit, struct js **out,
                                  struct err *e);
/* The best pairs of a need and an offer that no project names: lines as above with "needs_body" and
 * "offers_body". */
MUST_CHECK enum status match_suggest(struct registry *r, int limit, struct js **out, struct err *e);
/* What two bodies have in common: codes of both, with where each stands:
 * {"scheme","code","label","a":[…],"b":[…]}. */
MUST_CHECK enum status match_common(struct registry *r, const char *a, const char *b, struct js **out,
                                    struct err *e);

/* The formula, for its test. share in [0, 1]; rank 0 counts as 1; population -1 = not said. */
double match_points(double share, int64_t rank, int64_t population, bool same_stage);

#endif
