/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies of commands made from the table of verbs: minimal ones that are valid, random ones that mostly are.
 */
#ifndef GENERATE_H
#define GENERATE_H

#include "govern/verb.h"

/* xorshift64*: the same seed gives the same test. */
struct random {
    uint64_t state;
};
uint64_t random_below(struct random *r, uint64_t n);

/* Ids that references may name: pool("body") gives NULL-terminated ids. */
typedef const char *const *(*id_pool)(const char *noun);

/* r NULL: the smallest valid body (required members only, first choices). */
struct js *generate_body(const struct verb *v, struct random *r, id_pool pool, int32_t today);

#endif
