/* SPDX-License-Identifier: Apache-2.0
 *
 * Who the actor is and whether the permission table lets them: a person with a grant that counts, a node's
 * key, the hub's key. A grant counts on a day when it is held, within its dates, the role's proof of training
 * is current, interests were declared within twelve months where the role decides, and none of the body's
 * checks has run out. */
#ifndef ACCORD_GOVERN_ACCESS_H
#define ACCORD_GOVERN_ACCESS_H

#include "govern/items.h"

enum { INTERESTS_DAYS = 365 };

/* Fills c->person, c->node, c->actor_body from the entry's key. */
MUST_CHECK enum status access_identify(struct change *c, struct err *e);
/* Refuses with the rule `permission` unless some role of the verb is held for a body in the right relation.
 */
MUST_CHECK enum status access_check(struct change *c, struct err *e);
/* Whether the grant counts; when not, what is missing is appended to `why` (may be NULL). */
MUST_CHECK enum status access_counts(struct db *d, const char *person, enum role role, const char *body,
                                     int32_t day, bool *out, struct buf *why, struct err *e);
/* The rule by which the person is not ready for the role (training, interests, no longer registered), RULES =
 * ready. */
MUST_CHECK enum status access_person_lacks(struct db *d, const char *person, enum role role, int32_t day,
                                           enum rule *out, struct err *e);
/* Refuses with `conflict-of-interest` when the person declared a live interest in a party of the item. */
MUST_CHECK enum status access_no_interest(struct db *d, const char *person, const char *noun, const char *id,
                                          int32_t day, struct err *e);

#endif
