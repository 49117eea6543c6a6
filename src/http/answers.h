/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers that are kept: what the register says at one address is the same until something that it was made
 * from changes (or the day ends, for clocks), so that pages which many read are made once. Each answer is
 * kept with what was read for it (govern/reads.h) and the size of the log then. Of each name only the size
 * behind its last change is remembered, in a table of fixed size: two names in one place make an answer be
 * made once too often, never once too seldom. At most ANSWERS_MOST bytes.
 *
 * Nobody ever gets an answer older than the state that their request sees.
 *
 * Threads: any. One makes an answer; others who ask for the same meanwhile wait for it.
 */
#ifndef ACCORD_HTTP_ANSWERS_H
#define ACCORD_HTTP_ANSWERS_H

#include "govern/reads.h"
#include "http/server.h"

enum { ANSWERS_MOST = 64 << 20 };

/* What a request sees: the size of the log and the day. */
struct moment {
    int64_t size, day;
};

struct answers;
struct answers *answers_new(void);
void answers_free(struct answers *a); /* NULL is fine */

/* Up to which size of the log changes are known; registry_changes from there on go into answers_changed, and
   then answers_seen says how far they went. */
int64_t answers_known(struct answers *a);
void answers_changed(void *answers, uint64_t name, int64_t size);
void answers_seen(struct answers *a, int64_t size);

/* Fills the response with the answer kept for this address, if it still holds. Changes up to the moment's
   size are known. */
bool answers_find(struct answers *a, struct moment now, const char *address, struct arena *arena,
                  struct http_response *response);
/* Whether the caller is to make the answer; false after having waited for another who made it. Whoever makes
   it calls answers_made at the end, whatever came of it. */
bool answers_claim(struct answers *a, const char *address);
void answers_made(struct answers *a, const char *address);
void answers_keep(struct answers *a, struct moment made, const struct reads *from, const char *address,
                  const struct http_response *response);

#endif
