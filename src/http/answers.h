/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers that are kept: what the register says at one address is the same until the log grows (or the day
 * ends, for clocks), so that pages which many read are made once. All kept answers are of one version; the
 * first request that sees another drops them. At most ANSWERS_MOST bytes.
 *
 * Threads: any.
 */
#ifndef ACCORD_HTTP_ANSWERS_H
#define ACCORD_HTTP_ANSWERS_H

#include "http/server.h"

enum { ANSWERS_MOST = 64 << 20 };

struct answers;
struct answers *answers_new(void);
void answers_free(struct answers *a); /* NULL is fine */
/* Fills the response with the answer kept for this address at this version; false when there is none. */
bool answers_find(struct answers *a, int64_t version, const char *address, struct arena *arena,
                  struct http_response *response);
void answers_keep(struct answers *a, int64_t version, const char *address,
                  const struct http_response *response);

#endif
