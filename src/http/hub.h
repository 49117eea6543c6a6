/* SPDX-License-Identifier: Apache-2.0
 *
 * The hub: the register (govern/), the board of runs (grid/) and the server, in one folder:
 *
 *     hub.key       the hub's identity: signs checkpoints and what the hub itself says
 *     register.db   the log and its projections
 *     grid.db       the board
 *     accounts.db   passwords, sessions, API tokens and the keys held for people
 *
 * One lock guards register and board: commands take it in turn. What only reads has a snapshot of its own and
 * waits for nobody. Every command goes through hub_submit: checked by board and register, appended, folded,
 * and whoever waits for news is woken.
 */
#ifndef ACCORD_HTTP_HUB_H
#define ACCORD_HTTP_HUB_H

#include <pthread.h>

#include "base/mem.h"
#include "govern/register.h"
#include "grid/board.h"
#include "grid/signature.h"
#include "http/accounts.h"
#include "http/activity.h"
#include "http/answers.h"
#include "http/limiter.h"
#include "http/oidc.h"
#include "http/server.h"
#include "http/snapshot.h"

struct hub {
    int folder; /* holds the lock of the folder; -1 before */
    struct identity *id;
    struct registry *registry;
    struct board *board;
    struct replay_guard *guard;
    struct accounts *accounts;
    struct limiter *limiter;
    struct oidc *oidc; /* NULL = no sign-in provider */
    struct server *server;
    struct snapshots *snapshots;
    struct answers *answers;
    struct activity *activity;
    pthread_mutex_t lock;
    int64_t checkpoint_ms, checkpoint_size; /* when a checkpoint was last kept, and of which size */
    int64_t due_ms, due_size, due_day;      /* when, and at which state, what is due was last looked for */
};

struct hub_options {
    const char *data;
    const char *listen, *certificate, *key_path;
    const char *sign_in; /* the settings of a sign-in provider, a file; may be NULL */
    struct board_options board;
};
MUST_CHECK enum status hub_open(const struct hub_options *o, struct hub **out, struct err *e);
/* Serves until interrupted; says on the log where. */
MUST_CHECK enum status hub_serve(struct hub *h, struct err *e);
void hub_close(struct hub *h); /* NULL is fine */

void hub_lock(struct hub *h);
void hub_unlock(struct hub *h);

/* With the lock held. */
MUST_CHECK enum status hub_submit(struct hub *h, const struct js *command, struct ledger_entry *entry,
                                  struct err *e);
/* The hub's own command; takes body over. */
MUST_CHECK enum status hub_say(struct hub *h, const char *verb, const char *subject, struct js *body,
                               struct err *e);
/* The body of an enrolled node; arena memory. ST_NOT_FOUND. */
MUST_CHECK enum status hub_node_body(struct hub *h, const char *key_hex, struct arena *a, char **body,
                                     struct err *e);

#endif
