/* SPDX-License-Identifier: Apache-2.0
 *
 * The log: an append-only list of signed entries in one SQLite file, each a leaf of a Merkle tree (merkle.h),
 * the whole attested by checkpoints that the hub signs (note.h). What is in the product is in the log:
 * everything else is a fold over its entries, kept in tables of the same file and written in the same
 * transaction (ledger_fold).
 *
 * An entry is the signed command (command.h) plus what the hub adds, as canonical JSON (RFC 8785):
 *
 *     {"actor":…,"body":{…},"nonce":…,"seq":n,"signature":…,"subject":…,"time":"2026-11-22T18:25:00Z","v":1,"verb":…}
 *
 * seq is the leaf's number, from 0. Times never go back. (actor, nonce) is unique: a command sent twice gives
 * the first entry again, so that a client may repeat what it is not sure of.
 *
 * Durability: an append returns after the commit has reached the disk; killed at any moment, the log has the
 * whole entry with its projections, or nothing of it. Threads: a struct ledger belongs to one thread at a
 * time; several may be open on one file, also in several processes (SQLite locks; the tree is read inside the
 * transaction).
 */
#ifndef ACCORD_LEDGER_LEDGER_H
#define ACCORD_LEDGER_LEDGER_H

#include "base/crypto.h"
#include "base/db.h"
#include "base/json.h"
#include "ledger/command.h"
#include "ledger/merkle.h"
#include "ledger/note.h"

struct ledger;

/* One entry, owned by whoever asked for it. The texts borrow from json. */
struct ledger_entry {
    int64_t seq;
    int64_t time_ms; /* of `time` */
    const char *time, *actor, *verb, *subject, *nonce;
    const struct js *body;
    struct js *json;
    struct buf text; /* canonical: what is hashed */
    bool repeated;   /* ledger_append found the same command already there */
};
void ledger_entry_deinit(struct ledger_entry *entry); /* fine on a zeroed one */
/* From its canonical text; ST_CORRUPT says what is wrong with it. The signature is not checked here. */
MUST_CHECK enum status ledger_entry_parse(struct slice text, struct ledger_entry *out, struct err *e);

/* Opens the register's file. DB_CREATE with a hub key and an origin begins a log where there is none; later
   opens must bring the same key (ST_DENIED otherwise). DB_WRITE and DB_READ take the hub key when checkpoints
   are to be signed, else NULL. */
MUST_CHECK enum status ledger_open(const char *path, enum db_mode mode, const struct identity *hub,
                                   const char *origin, struct ledger **out, struct err *e);
void ledger_close(struct ledger *l); /* NULL is fine */
struct db *ledger_db(struct ledger *l);
const char *ledger_origin(const struct ledger *l);
const struct note_key *ledger_key(const struct ledger *l); /* the hub's, as a note key */
bool ledger_read_only(const struct ledger *l);
const struct identity *ledger_hub(const struct ledger *l); /* NULL = cannot sign */

/* Called inside the transaction of an append, with the entry as it will be: refuses it (by a rule) or writes
   the projections. During a replay the same function is called for each entry in order. */
typedef enum status (*ledger_fold)(void *context, struct db *d, const struct ledger_entry *entry,
                                   struct err *e);

/* Checks the command (shape, signature, personal texts), gives it seq and time, stores it with its tree
   nodes, calls fold (may be NULL), commits. On any error nothing remains. `out` may be NULL. ST_CONFLICT: the
   nonce was used for another command. */
MUST_CHECK enum status ledger_append(struct ledger *l, const struct js *command, ledger_fold fold,
                                     void *context, struct ledger_entry *out, struct err *e);
/* Appends an entry as it stands, canonical text and all, when it is the next one: from a copy whose
   signatures and tree were checked (ledger_restore). Inside a batch only. ST_CORRUPT: it is not the next. */
MUST_CHECK enum status ledger_append_entry(struct ledger *l, struct slice text, ledger_fold fold,
                                           void *context, struct err *e);
/* Several appends in one commit (and one wait for the disk). A refused command leaves the others untouched.
 */
MUST_CHECK enum status ledger_begin(struct ledger *l, struct err *e);
MUST_CHECK enum status ledger_commit(struct ledger *l, struct err *e);
void ledger_rollback(struct ledger *l);

/* Reading. */
MUST_CHECK enum status ledger_size(struct ledger *l, int64_t *out, struct err *e);
MUST_CHECK enum status ledger_get(struct ledger *l, int64_t seq, struct ledger_entry *out, struct err *e);
/* The entry of (actor, nonce), ST_NOT_FOUND if there is none. */
MUST_CHECK enum status ledger_find_nonce(struct ledger *l, const char *actor, const char *nonce,
                                         struct ledger_entry *out, struct err *e);
/* The numbers of a subject's entries, in order, put behind those that are there. Start with {0}; free v. */
struct ledger_numbers {
    int64_t *v;
    size_t n, capacity;
};
MUST_CHECK enum status ledger_numbers_of(struct ledger *l, const char *subject, struct ledger_numbers *into,
                                         struct err *e);
/* fold over entries [from, to) in order; to -1 = all. With a subject, only its entries. */
MUST_CHECK enum status ledger_walk(struct ledger *l, int64_t from, int64_t to, const char *subject,
                                   ledger_fold fold, void *context, struct err *e);
/* How many entries of [from, to) there are of each verb on each day (UTC, days since 1970): each pair is told
   once, in no order. Reads no entry's text. */
MUST_CHECK enum status ledger_tally(struct ledger *l, int64_t from, int64_t to,
                                    void (*tell)(void *context, int32_t day, const char *verb, int64_t n),
                                    void *context, struct err *e);
/* A personal text by its hash; ST_NOT_FOUND when it was erased or never given. */
MUST_CHECK enum status ledger_personal(struct ledger *l, const char *hash, struct buf *out, struct err *e);
/* Removes text and salt for good (also from SQLite's free pages). Fine when already gone. */
MUST_CHECK enum status ledger_personal_erase(struct db *d, const char *hash, struct err *e);

/* Proofs. size -1 = now. */
MUST_CHECK enum status ledger_root(struct ledger *l, int64_t size, uint8_t out[HASH_BYTES], struct err *e);
MUST_CHECK enum status ledger_inclusion(struct ledger *l, int64_t seq, int64_t size, struct merkle_proof *out,
                                        struct err *e);
MUST_CHECK enum status ledger_consistency(struct ledger *l, int64_t from, int64_t to,
                                          struct merkle_proof *out, struct err *e);
/* The signed checkpoint of the present size, with the cosignatures that it has (out is appended to). Signed
   once and then kept, unless the log is open for reading only (the signature of the same tree is the same).
   ST_DENIED without the hub's key when this size was never signed. */
MUST_CHECK enum status ledger_checkpoint(struct ledger *l, struct buf *out, struct err *e);
/* The newest checkpoint that was signed, without signing. */
MUST_CHECK enum status ledger_checkpoint_last(struct ledger *l, struct buf *out, struct err *e);

/* Witnesses: others who sign what they saw, so that a hub cannot show two histories. A witness is registered
   by its key; its line is checked against our checkpoint of that size and kept. */
MUST_CHECK enum status ledger_witness_add(struct ledger *l, const struct note_key *witness, struct err *e);
MUST_CHECK enum status ledger_cosign(struct ledger *l, struct slice note, struct err *e);
/* The vkeys of the witnesses, as a JSON array; caller frees. */
MUST_CHECK enum status ledger_witnesses(struct ledger *l, struct js **out, struct err *e);

#endif
