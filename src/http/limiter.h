/* SPDX-License-Identifier: Apache-2.0
 *
 * Token buckets by name ("login:192.0.2.7"), for rate limits. In memory; names that are full again are
 * forgotten. Thread-safe.
 */
#ifndef ACCORD_HTTP_LIMITER_H
#define ACCORD_HTTP_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

struct limiter;
struct limiter *limiter_new(void);
void limiter_free(struct limiter *l); /* NULL is fine */
/* Takes one token of a bucket of `most` that fills up in `seconds`; false when it is empty. */
bool limiter_take(struct limiter *l, const char *name, unsigned most, unsigned seconds, int64_t now_ns);
/* For a login: by the client's address and by the name tried. 0 = go on, else seconds to wait. */
unsigned limiter_login(struct limiter *l, const char *peer, const char *person, int64_t now_ns);

#endif
