/* SPDX-License-Identifier: Apache-2.0
 *
 * What others need to know of an agreement's document. */
#ifndef ACCORD_GOVERN_AGREEMENT_H
#define ACCORD_GOVERN_AGREEMENT_H

#include "govern/verb.h"

/* The hash that the parties sign: SHA-256 of the canonical JSON of the terms and the public summary. */
MUST_CHECK enum status agreement_terms(const struct js *doc, char hex[2 * HASH_BYTES + 1], struct err *e);
/* The lead site's body, NULL if there is none. Borrowed from the document. */
const char *agreement_lead(const struct js *doc);
bool agreement_is_site(const struct js *doc, const char *body);
/* Ends the runs of an agreement that are under way, and those of the agreements beneath it. */
MUST_CHECK enum status runs_kill(struct change *c, const char *agreement, struct err *e);
/* A private annex with its text, for a person who may read it that day: of its own body or of one of the
   agreement's NHS bodies, or a certifier or auditor of no party (annex.c). ST_DENIED by the rule
   `private-annex`. Caller frees. */
MUST_CHECK enum status annex_read(struct registry *r, const char *id, const char *person, int32_t day,
                                  struct js **out, struct err *e);
/* When an agreement comes into force: the transfers that its quote and mechanisms promise (terms.c). */
MUST_CHECK enum status transfers_schedule(struct change *c, struct err *e);
/* The same as documents, for terms that are not in force yet: what would be promised on that day. Terms that
   are incomplete promise what they can. Caller frees. */
struct js *agreement_promises(struct db *d, const struct js *doc, int32_t day);
/* The sum of the quote in pence from the price list on a day; ST_INVALID names a line without a price. */
MUST_CHECK enum status quote_total(struct db *d, const struct js *doc, int32_t day, int64_t *pence,
                                   struct err *e);

#endif
