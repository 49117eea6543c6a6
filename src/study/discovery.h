/* SPDX-License-Identifier: Apache-2.0
 *
 * Which concepts are recorded anywhere, found from sums alone, so that nobody has to list them and no site
 * sends a list of its own. Concept ids are 31-bit numbers: the first round counts the persons of every run
 * per value of their first 11 bits, each further one splits what at least `min_persons` stand behind by 5
 * bits more, until whole ids are left. Only run directories are read, never rows. With
 * roll-up the concepts are those with their descendants; what counts towards `min_persons` is then one
 * descendant that enough persons have, or that most have: never more than have any. What sites hear of each
 * other is in the rounds' parameters: the ids that at least `min_persons` persons have over all sites
 * together.
 *
 * Parameters are {"bits": bits not yet known, "prefixes": [[ascending numbers], ...one list per domain]}.
 * Without any domain nothing is looked for, there are no such rounds and every function says so with 0.
 */
#ifndef ACCORD_STUDY_DISCOVERY_H
#define ACCORD_STUDY_DISCOVERY_H

#include "study/spec.h"

enum { DISCOVERY_DOMAINS = 6, DISCOVERY_MOST = 60000 };

struct discovery {
    enum store_table table[DISCOVERY_DOMAINS];
    const char *domain[DISCOVERY_DOMAINS];
    size_t n; /* domains */
    int64_t min_persons;
    bool roll_up;
};
/* "domains": "all" or a list of names ("condition", "drug", ...), absent = none; "min_persons", "roll_up". */
void discovery_read(struct spec *s, struct discovery *out);

MUST_CHECK enum status discovery_check(const struct discovery *d, const struct js *parameters, struct err *e);
/* Whether whole ids are known: what the parameters hold are then the concepts. */
bool discovery_done(const struct discovery *d, const struct js *parameters);
size_t discovery_size(const struct discovery *d, const struct js *parameters); /* sums of a search round */
void discovery_local(const struct discovery *d, const struct js *parameters, const struct store *s,
                     struct sums *out);
/* Parameters of the next round; the caller frees them. ST_INVALID when more than DISCOVERY_MOST are left. */
MUST_CHECK enum status discovery_next(const struct discovery *d, const struct js *parameters,
                                      const struct sums *total, struct js **next, struct err *e);

struct found_concept {
    size_t domain; /* of the discovery */
    int32_t id;
};
size_t discovery_n_found(const struct discovery *d, const struct js *parameters); /* 0 before the end */
/* The concepts, domain by domain, ids ascending; the caller frees. */
struct found_concept *discovery_found(const struct discovery *d, const struct js *parameters);

#endif
