/* SPDX-License-Identifier: Apache-2.0
 *
 * A copy of the log that anyone can keep and check without the hub (docs/formats/ledger.md). JSON Lines,
 * UTF-8:
 *
 *     {"accord_log":1,"checkpoint":"<signed note>","entries":n,"key":"<the hub's vkey>","witnesses":["<vkey>",…]}
 *     {"entry":{…},"leaf":"<leaf hash, hex>"}            once per entry, in order
 *
 * Every line is canonical JSON and ends in one newline. The leaf hash beside each entry lets the check name
 * the entry that was changed; it proves nothing by itself, the checkpoint does. Personal texts are never in a
 * copy.
 *
 * The check covers every byte: each line's form, each entry's number, time, leaf hash and signature, the
 * tree's root against the checkpoint, its signature and every cosignature.
 */
#ifndef ACCORD_LEDGER_COPY_H
#define ACCORD_LEDGER_COPY_H

#include <stdio.h>

#include "base/pool.h"
#include "ledger/ledger.h"

/* Writes the log up to its newest checkpoint (signing one when the ledger has the hub's key). */
MUST_CHECK enum status ledger_copy(struct ledger *l, FILE *to, struct err *e);

/* The two kinds of line, for whoever has header and entries from elsewhere (a hub's API). key: the hub's
   vkey; witnesses: an array of vkeys. */
MUST_CHECK enum status copy_write_header(const char *checkpoint, const char *key, int64_t entries,
                                         const struct js *witnesses, FILE *to, struct err *e);
MUST_CHECK enum status copy_write_entry(struct slice canonical, FILE *to, struct err *e);

struct ledger_verified {
    struct checkpoint checkpoint;
    struct note_key key;
    unsigned witnesses; /* cosignatures that are right */
    char first_time[21], last_time[21];
};
/* Reads a copy to its end. `pinned` is the key that the hub is known by, NULL = take the file's word for it.
   ST_CORRUPT names the line or the entry that is wrong. pool NULL = one thread. */
MUST_CHECK enum status ledger_verify(FILE *from, const struct note_key *pinned, struct pool *pool,
                                     struct ledger_verified *out, struct err *e);

/* Appends the entries that a ledger lacks from a copy that ledger_verify passed, read from its start again;
   fold as in a replay. Inside a batch (ledger_begin), which the caller ends. ST_CORRUPT unless the ledger's
   entries then have the copy's root. *added: how many. */
MUST_CHECK enum status ledger_restore(struct ledger *l, FILE *from, const struct ledger_verified *copy,
                                      ledger_fold fold, void *context, int64_t *added, struct err *e);

/* Appends to `out` the checkpoint of a copy (read from its start again) with the witness's cosignature added:
   what a witness hands back after ledger_verify passed. */
MUST_CHECK enum status copy_cosign(FILE *from, const char *name, const struct identity *witness,
                                   struct buf *out, struct err *e);

#endif
