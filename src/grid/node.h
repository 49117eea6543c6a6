/* SPDX-License-Identifier: Apache-2.0
 *
 * A site's node. Its folder holds node.key (its identity), node.db (runs, parts, outputs, what is still to be
 * sent) and node.yaml (the site's own policy). It opens connections to the hub, never the other way round.
 *
 * Killed at any moment it goes on where it was: whatever it tells the hub is written to its database before
 * it is sent, in the transaction that made it, and sent again until the hub has it; the hub takes a repeated
 * command as one. Local sums and totals lie in node.db (mode 0600) and go when their run is over.
 */
#ifndef ACCORD_GRID_NODE_H
#define ACCORD_GRID_NODE_H

#include "base/crypto.h"
#include "base/err.h"
#include "base/json.h"

/* Makes the folder with key, database and a policy to start from; what is there already is kept. */
MUST_CHECK enum status node_init(const char *data, char key_hex[65], struct err *e);

struct node_enrolment {
    const char *hub_url, *ca_file; /* ca_file may be NULL */
    const char *token;
    const char *name;    /* the id it was invited by ("node:<name>") */
    const char *hub_key; /* the hub's vkey if known beforehand, else it is pinned on first use; may be NULL */
};
/* Registers the node's key at the hub and pins the hub's. *answer (caller frees): {body, name, hub_key}. */
MUST_CHECK enum status node_enrol(const char *data, const struct node_enrolment *how, struct js **answer,
                                  struct err *e);

/* Serves runs until interrupted. store: path of the site's patient store; threads as for pool_new. */
MUST_CHECK enum status node_serve(const char *data, const char *store, unsigned threads, struct err *e);

/* What the site's people see and do; each opens the database beside a serving node. Callers free what they
   get. */
MUST_CHECK enum status node_status(const char *data, struct js **out, struct err *e);
MUST_CHECK enum status node_runs(const char *data, struct js **out, struct err *e);
/* One of them: {"run", "state", "request" (the signed log entry, with the study), "terms" (the agreement's)}.
 */
MUST_CHECK enum status node_run_show(const char *data, const char *run, struct js **out, struct err *e);
/* A person's decision where the policy asks for one. */
MUST_CHECK enum status node_admit(const char *data, const char *run, struct err *e);
MUST_CHECK enum status node_refuse(const char *data, const char *run, const char *reason, struct err *e);

/* Stops everything at this site: runs under way are declined, held outputs are not released, new runs are
   refused until node_resume. *stopped: how many runs. The reason goes to the public log. */
MUST_CHECK enum status node_halt(const char *data, const char *reason, int *stopped, struct err *e);
MUST_CHECK enum status node_resume(const char *data, struct err *e);

/* Takes a site's new node key for right; the operator asked that site. */
MUST_CHECK enum status node_trust(const char *data, const char *body, const char *key_hex, struct err *e);

MUST_CHECK enum status node_outputs(const char *data, struct js **out, struct err *e);
/* The document as it would be released: for checkers, at the site. */
MUST_CHECK enum status node_output(const char *data, const char *id, struct js **document, struct err *e);
/* The checker's view of a held output (docs/formats/checks.md): raw counts, for checkers, at the site. */
MUST_CHECK enum status node_output_checks(const char *data, const char *id, struct js **view, struct err *e);
/* A checker's verdict with their own key. Two yeses of different people release; one no returns the output.
   The register decides whether they may: refusals name its rule. *left says how many more are needed. */
MUST_CHECK enum status node_output_approve(const char *data, const char *id, const struct identity *checker,
                                           int *left, struct err *e);
MUST_CHECK enum status node_output_return(const char *data, const char *id, const struct identity *checker,
                                          const char *reason, struct err *e);

#endif
