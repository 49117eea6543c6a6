/* SPDX-License-Identifier: Apache-2.0
 *
 * HDR UK Cohort Discovery: one task of its task API (the RQuest link connector) to its answer. Two kinds of
 * task: how many persons does this query find (availability), and which codes or sexes are there
 * (distribution). Every count passes the release gate under the site's policy, once; what is hidden goes out
 * as the protocol's 0 or is left out of a distribution. The differencing guard compares the persons behind
 * each count with all that the site gave out before; all askers are one project to it.
 *
 * What is not understood is answered with status "error" and the reason: nobody waits for a time-out, and
 * nothing is dropped from a query in silence (docs/formats/cohort-discovery.md).
 */
#ifndef ACCORD_GRID_DISCOVERY_TASK_H
#define ACCORD_GRID_DISCOVERY_TASK_H

#include "base/json.h"
#include "base/pool.h"
#include "disclose/guard_book.h"
#include "disclose/policy.h"
#include "store/store.h"

struct discovery_site {
    const struct store *store;
    struct pool *pool; /* may be NULL */
    const struct policy *policy;
    const char *collection;   /* the name of this data set in the network; goes back with every answer */
    int32_t today;            /* ages and months count back from it */
    struct guard_book *guard; /* NULL where the answer stays at the site */
};

/* {status, protocolVersion, uuid, collection_id, message, queryResult: {count, datasetCount, files}}; the
   caller frees it. Never NULL: faults of the site's own are told as such, with their detail in its log. */
struct js *discovery_answer(const struct js *task, const struct discovery_site *site);

#endif
