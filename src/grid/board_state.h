/* SPDX-License-Identifier: Apache-2.0
 * What the files of the board share; nobody else includes this. */
#ifndef ACCORD_GRID_BOARD_STATE_H
#define ACCORD_GRID_BOARD_STATE_H

#include "base/db.h"
#include "grid/board.h"

struct seen_node {
    char key[65];
    int64_t at_ms;
};

struct board {
    struct db *db;
    struct board_options options;
    struct seen_node *seen;
    size_t n_seen, cap_seen;
    bool live; /* entries are new, not read again after a start */
};

/* The present state of a run. */
struct board_place {
    char state[16];
    char lead[65];
    int round, attempt;
};
MUST_CHECK enum status board_place_of(struct board *b, const char *run, struct board_place *out,
                                      struct err *e);
#endif
