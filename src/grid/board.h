/* SPDX-License-Identifier: Apache-2.0
 *
 * The board: the hub's working memory of runs and nodes (grid.db). It is a fold over the entries of the log
 * (board_catch_up applies those it has not seen) plus what is not for the log: sealed parts, which go as soon
 * as their attempt is over, sealed orders, which go with their run, and hashes of enrolment tokens. It never
 * holds a number that it could read.
 *
 * The verbs it follows, in the order of a run's life (govern/verbs.c is the whole table; subjects are
 * "run:<id>" and "artefact:<id>"):
 *
 *     run.request       analyst  {agreement, study, study_hash, decision}
 *     run.attempt       hub      {round, attempt, sites: [{body, node}], lead, missing: [{body, why}]}
 *     run.defer         site     {reason}                      a person must admit the run there
 *     run.decline       site     {reason}                      it will not take part, and why
 *     run.part          site     {round, attempt, hash}        of the sealed part
 *     run.round         lead     {round, attempt, hash}        that attempt was summed; of the next round's
 *                                                              sealed order (order.h)
 *     run.fail          lead     {reason}
 *     artefact.hold     lead     {run, kind, hash, missing}    an output waits for its checkers
 *     artefact.release  lead     {document, hash}              public from here
 *     run.stop          analyst or controller  {reason}
 *
 * States: asked, running, waiting (too few sites answer; or one does not in a later round), held, released,
 * failed, declined, stopped.
 * One thread at a time.
 */
#ifndef ACCORD_GRID_BOARD_H
#define ACCORD_GRID_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "ledger/ledger.h"

struct board;
struct board_options {
    int64_t attempt_ms;   /* a site that has neither answered nor asked for work for so long is left out */
    int64_t admission_ms; /* ... where a person must admit the run: after the deferral */
};
MUST_CHECK enum status board_open(const char *path, const struct board_options *o, struct board **out,
                                  struct err *e);
/* A second connection to a board that is open elsewhere, for the functions that only read. */
MUST_CHECK enum status board_open_read(const char *path, struct board **out, struct err *e);
void board_close(struct board *b); /* NULL is fine */

/* Applies the entries that came since; board_next is the number of the first that was not applied. */
MUST_CHECK enum status board_catch_up(struct board *b, struct ledger *l, struct err *e);
MUST_CHECK enum status board_next(struct board *b, int64_t *seq, struct err *e);
/* May this command of a run be appended now? Verbs that are not the board's pass. ST_DENIED, ST_CONFLICT. */
MUST_CHECK enum status board_check(struct board *b, const struct js *command, struct err *e);

/* Sealed parts. Put wants the part's entry applied before; a part of an attempt that is over is dropped. */
MUST_CHECK enum status board_part_put(struct board *b, const char *run, int round, int attempt,
                                      const char *site, struct slice sealed, struct err *e);
MUST_CHECK enum status board_part_get(struct board *b, const char *run, int round, int attempt,
                                      const char *site, struct buf *out, struct err *e);

/* The sealed order of the round behind `round`, which its entry (applied before) says was summed. One of a
   round that is over is dropped; all go when the run ends. */
MUST_CHECK enum status board_order_put(struct board *b, const char *run, int round, struct slice sealed,
                                       struct err *e);

/* A node asked for work: it is alive, and waited for while it computes. Kept in memory only. */
void board_seen(struct board *b, const char *node, int64_t now_ms);
/* What a node is asked to do now, in the order of the runs, and the runs it is a site of that are not over:
   {work: [{do: "part"|"total", run, round, attempt, sites, lead, order, sealed}], runs: [id]}. `order` is the
   lead's run.round entry and `sealed` the order that it names (base64), absent in round 1. */
MUST_CHECK enum status board_work(struct board *b, const char *node, struct js **out, struct err *e);

/* Runs for status pages: one as an object, all as an array (newest first, from `before` on, at most `most`).
 */
MUST_CHECK enum status board_run(struct board *b, const char *run, struct js **out, struct err *e);
MUST_CHECK enum status board_runs(struct board *b, const char *before, int most, struct js **out,
                                  struct err *e);
/* Entry numbers: the run's request, and its release (-1 before it). */
MUST_CHECK enum status board_run_entries(struct board *b, const char *run, int64_t *request, int64_t *release,
                                         struct err *e);

/* What the hub itself must say now: runs without their first attempt (`asked`, an array of {run, agreement}),
   and commands' bodies for attempts that are over time or were refused (`again`, an array of {run, body}).
   Runs that cannot go on are marked waiting. */
MUST_CHECK enum status board_due(struct board *b, int64_t now_ms, struct js **asked, struct js **again,
                                 struct err *e);

/* Runs that are not over, as ids; and ending one that the register has ended with its agreement. */
MUST_CHECK enum status board_active(struct board *b, struct js **ids, struct err *e);
MUST_CHECK enum status board_stop(struct board *b, const char *run, const char *why, struct err *e);
/* Says why a run does not start, for its status. */
MUST_CHECK enum status board_note(struct board *b, const char *run, const char *why, struct err *e);

#endif
