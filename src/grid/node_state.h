/* SPDX-License-Identifier: Apache-2.0
 * What the files of the node share; nobody else includes this. */
#ifndef ACCORD_GRID_NODE_STATE_H
#define ACCORD_GRID_NODE_STATE_H

#include <stdatomic.h>

#include "base/config.h"
#include "base/crypto.h"
#include "base/db.h"
#include "base/pool.h"
#include "grid/hub_client.h"
#include "grid/mask.h"
#include "grid/node.h"
#include "grid/order.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "store/store.h"
#include "study/study.h"

enum admission { ADMIT_AUTOMATIC, ADMIT_PERSON };
enum differencing { DIFFERENCING_REVIEW, DIFFERENCING_REFUSE };

/* node.yaml */
struct node_policy {
    int admission;                     /* enum admission */
    int differencing;                  /* enum differencing: what becomes of a run that the guard refuses */
    const char *disclosure;            /* a profile or a policy file */
    int64_t opt_out_days;              /* refuse when opt-outs were checked longer ago */
    bool opt_out_required;             /* false for synthetic data only */
    const struct config *analyses;     /* kinds that this site takes part in; NULL = all */
    const char *discovery_approved_by; /* who lets counts out to cohort discovery; NULL = nobody */
    struct config *tree;               /* owns the texts */
};

struct node {
    char *data;
    struct db *db;
    struct identity *id;
    char key_hex[65];
    struct node_policy policy;
    char *hub_url, *ca_file, *body;
    struct note_key hub_key;
    struct hub_client *hub;
    const char *store_path;
    struct pool *pool;
};

/* Opens folder, key, database and policy. `enrolled`: it must be, and the hub's client is opened with `stop`.
 */
MUST_CHECK enum status node_open(const char *data, bool enrolled, const atomic_bool *stop, struct node **out,
                                 struct err *e);
void node_close(struct node *n); /* NULL is fine */
/* Reads node.yaml again; after an error (file and line are named) the policy is the one from before. */
MUST_CHECK enum status node_policy_reload(struct node *n, struct err *e);

/* meta values; *out is malloced, NULL when absent. */
MUST_CHECK enum status meta_get(struct node *n, const char *key, char **out, struct err *e);
MUST_CHECK enum status meta_set(struct node *n, const char *key, const char *value, struct err *e);

/* Rows of a query as objects with these names, for the lists that people see. */
MUST_CHECK enum status node_list(const char *data, const char *sql, const char *const *names, struct js **out,
                                 struct err *e);
/* Why everything is stopped here; NULL when nothing is. malloced. */
MUST_CHECK enum status node_halted(struct node *n, char **reason, struct err *e);

/* Runs. */
struct node_run {
    char state[16];     /* "" = unknown; checked, asking, admitted, refused, over */
    struct js *request; /* the signed run.request entry; NULL unless known */
    struct js *terms;   /* of the agreement, as checked */
};
MUST_CHECK enum status node_run_find(struct node *n, const char *run, struct node_run *out, struct err *e);
void node_run_deinit(struct node_run *r);
MUST_CHECK enum status node_run_put(struct node *n, const char *run, const char *state, const char *why,
                                    const struct js *request, const struct js *terms, struct err *e);
MUST_CHECK enum status node_run_state(struct node *n, const char *run, const char *state, const char *why,
                                      struct err *e);

/* Signs a command about a run and puts it into the outbox; takes body over. `sealed` (may be NULL) goes with
   it. Call inside a transaction with what the command tells. */
MUST_CHECK enum status node_tell(struct node *n, const char *run, const char *verb, struct js *body,
                                 const struct buf *sealed, struct err *e);
/* Puts a command that somebody else signed into the outbox. */
MUST_CHECK enum status node_forward(struct node *n, const char *run, const struct js *command, struct err *e);
/* Sends what is waiting, in order. ST_NETWORK and the like leave it for later; refused items are set aside
   with the reason in the log. */
MUST_CHECK enum status node_flush(struct node *n, struct err *e);

/* Faults that trying again can mend: the way to the hub, its present load, our clock. */
bool worth_another_try(enum status s);

/* node_request.c: is this run to be done here? The name of the rule that refuses goes to `rule` ("" = none,
   then an error is not a refusal but a fault on the way). */
MUST_CHECK enum status request_check(struct node *n, const struct js *dossier, struct node_run *out,
                                     char rule[32], struct err *e);
void rule_set(char rule[32], const char *name);
/* node_analyst.c: is the key that signed the request that of an analyst for one of the parties, today? By the
   register's entries in the dossier's member "analyst"; `rule` as for request_check. */
MUST_CHECK enum status analyst_check(struct node *n, const struct js *shown, const char *key,
                                     const struct js *parties, char rule[32], struct err *e);
/* The day national data opt-outs were applied to the store; not known for a store without. */
MUST_CHECK enum status opt_out_day(struct node *n, char day[11], bool *known, struct err *e);
/* ST_DENIED (rule "opt-out-age") when they were applied too long ago for anything to be computed. */
MUST_CHECK enum status opt_outs_check(struct node *n, char rule[32], struct err *e);
/* The attempt as the hub tells it, against the terms: sites, lead, order of a later round. */
MUST_CHECK enum status attempt_check(struct node *n, const struct node_run *r, const struct js *work,
                                     struct err *e);
MUST_CHECK enum status attempt_sites(const struct js *work, struct site_key **sites, size_t *n_sites,
                                     struct err *e);
/* The sealed order that came with the work of a later round, as the lead node's entry names it. */
MUST_CHECK enum status attempt_order(const struct js *work, struct buf *out, struct err *e);

/* node_follow.c: the hub's log, read by this node itself, so that a hub can leave nothing out. */
struct log_mention {
    char *subject;
    int64_t seq;
};
struct log_reading {
    struct merkle_edge edge; /* the tree up to where was read */
    uint64_t before;         /* entries that node.db knows of */
    struct log_mention *mentions;
    size_t n, room;
};
/* Goes on from what node.db holds; takes entries in order (ST_CORRUPT when one is missing); keeps them when
   they give the checkpoint's root, else ST_CORRUPT and nothing is kept. */
MUST_CHECK enum status log_reading_load(struct node *n, struct log_reading *out, struct err *e);
MUST_CHECK enum status log_reading_page(struct log_reading *r, const struct js *entries, struct err *e);
MUST_CHECK enum status log_reading_keep(struct node *n, const struct log_reading *r,
                                        const struct checkpoint *c, struct err *e);
void log_reading_deinit(struct log_reading *r);
/* All of it against the hub, up to its newest checkpoint. */
MUST_CHECK enum status log_follow(struct node *n, struct err *e);
/* Entries about a subject (an agreement, person, grant or the register) that were read. */
MUST_CHECK enum status log_count(struct node *n, const char *subject, int64_t *entries, struct err *e);
/* After request_check: ST_DENIED unless the dossier shows every entry that was read about the agreement and
   the analyst. Puts into the terms what log_moved compares. */
MUST_CHECK enum status dossier_whole(struct node *n, const struct js *dossier, struct js *terms,
                                     struct err *e);
/* Reads on; *moved: there is something new about what the run rests on, so that it is to be checked again. */
MUST_CHECK enum status log_moved(struct node *n, const struct js *terms, bool *moved, struct err *e);

/* node_site.c, node_lead.c: one item of work each. */
MUST_CHECK enum status site_work(struct node *n, const struct js *work, struct err *e);
MUST_CHECK enum status lead_work(struct node *n, const struct js *work, struct err *e);
/* node_output.c: sends what two checkers have approved; *held says whether any output still waits. */
MUST_CHECK enum status outputs_settle(struct node *n, bool *held, struct err *e);

/* node_guard.c: may this site's part in the run's cells be given out, after all that was given before?
   ST_UNSAFE when not; where a person is to look at it, the run then is "asking", and the yes counts for the
   store's content of that moment (`snapshot`, of the store that `site` reads). */
MUST_CHECK enum status differencing_check(struct node *n, const struct node_run *r, const char *run,
                                          const char *snapshot, struct site *site, struct err *e);
/* A person let it pass: the run goes on as it was admitted before. *mine: the guard had asked for that. */
MUST_CHECK enum status differencing_passed(struct node *n, const char *run, bool *mine, struct err *e);

struct released;
/* What the counts of a new output, beside the outputs that this node led before over other sites, show of the
   sites between them (disclose/network.h): an array that the caller frees. */
MUST_CHECK enum status differencing_network(struct node *n, const struct released *fresh,
                                            struct js **findings, struct err *e);

/* The study of a run; caller frees. */
MUST_CHECK enum status run_study(const struct node_run *r, struct study **out, struct err *e);
/* Its run, not yet begun: with keys of cells where the agreed policy prints counts with their noise. */
MUST_CHECK enum status run_begin(const struct node_run *r, const struct study *s, struct study_run **out,
                                 struct err *e);
/* Whether that policy does. */
MUST_CHECK enum status run_has_keys(const struct node_run *r, bool *out, struct err *e);

#endif
