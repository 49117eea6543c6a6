/* SPDX-License-Identifier: Apache-2.0
 *
 * A node as a worker of HDR UK Cohort Discovery: it polls a task API (a link connector or a relay), answers
 * what it is given (discovery_task.h), and goes on. Counts leave here without two checkers for each, so the
 * site's node.yaml must say who approved that, and national data opt-outs must be as fresh as for a run.
 */
#ifndef ACCORD_GRID_DISCOVERY_WORKER_H
#define ACCORD_GRID_DISCOVERY_WORKER_H

#include <stdbool.h>

#include "base/err.h"

struct discovery_connection {
    const char *url;           /* "https://relay.example.nhs.uk/link_connector_api": path included */
    const char *ca_file;       /* may be NULL */
    const char *collection;    /* this data set's id in the network */
    const char *queue;         /* "a" availability, "b" distribution; NULL where the server has one queue */
    const char *user;          /* HTTP Basic */
    const char *password_file; /* mode 0600 */
    int poll_seconds;
    bool once; /* ends after the first poll that finds nothing */
};
/* data: the node's folder; store: the site's patient store. Serves until interrupted. */
MUST_CHECK enum status discovery_work(const char *data, const char *store, unsigned threads,
                                      const struct discovery_connection *to, struct err *e);

#endif
