/* SPDX-License-Identifier: Apache-2.0
 *
 * Snapshots: read-only connections to the register and the board, so that pages are read while a command
 * commits (SQLite's WAL). A request that only reads takes one, sees one state of the register throughout, and
 * gives it back; there are never more than requests in work at once.
 *
 * Threads: any.
 */
#ifndef ACCORD_HTTP_SNAPSHOT_H
#define ACCORD_HTTP_SNAPSHOT_H

#include "govern/register.h"
#include "grid/board.h"

struct snapshot {
    struct registry *registry;
    struct board *board;
    struct snapshot *next;
};

struct snapshots;
/* The two files, which exist, and the key that signs checkpoints (borrowed). */
struct snapshots *snapshots_new(const char *register_path, const char *board_path,
                                const struct identity *hub);
void snapshots_free(struct snapshots *s); /* NULL is fine; all were given back */
MUST_CHECK enum status snapshot_take(struct snapshots *s, struct snapshot **out, struct err *e);
void snapshot_give(struct snapshots *s, struct snapshot *taken); /* NULL is fine */

#endif
