/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed notes (C2SP signed-note) and what they carry here: checkpoints (C2SP tlog-checkpoint) and the
 * witnesses' cosignatures (C2SP tlog-cosignature, cosignature/v1).
 *
 *     accord.example/register            origin, also the name of the hub's key
 *     7                                  tree size
 *     <base64 of the root hash>
 *
 *     — accord.example/register <base64 of: key id (4 bytes), Ed25519 signature (64 bytes)>
 *     — witness.example/w1 <base64 of: key id (4), unix time (8, big endian), signature (64)>
 *
 * Key id = first 4 bytes of SHA-256(name, "\n", type, public key), type 0x01 for a note signature and 0x04
 * for a cosignature. A key is written as text (vkey) "name+<hex key id>+<base64 of type, public key>".
 */
#ifndef ACCORD_LEDGER_NOTE_H
#define ACCORD_LEDGER_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/text.h"

enum { NOTE_NAME_MOST = 120, NOTE_MOST = 16384 };
enum note_key_type { NOTE_ED25519 = 0x01, NOTE_COSIGNATURE = 0x04 };

struct note_key {
    char name[NOTE_NAME_MOST + 1];
    uint8_t type; /* enum note_key_type */
    uint8_t public_key[SIGN_PUBLIC_BYTES];
};
/* A name is 1 to 120 printable ASCII characters without spaces and '+'. */
bool note_name_valid(const char *name);
void note_vkey_format(const struct note_key *k, struct buf *out);
MUST_CHECK enum status note_vkey_parse(struct slice text, struct note_key *out, struct err *e);

struct checkpoint {
    char origin[NOTE_NAME_MOST + 1];
    uint64_t size;
    uint8_t root[HASH_BYTES];
};
/* The note signed by the log's own key; its name is the origin. */
void checkpoint_sign(const struct checkpoint *c, const struct identity *hub, struct buf *out);
/* Reads and checks a note: the log's signature with `key` must be there and right. Lines of unknown keys are
 * passed over, as the format asks. ST_INVALID for a text that is not a checkpoint, ST_CORRUPT for a wrong
 * signature. */
MUST_CHECK enum status checkpoint_check(struct slice note, const struct note_key *key, struct checkpoint *out,
                                        struct err *e);
/* A witness adds its line to a note that it has checked. */
void checkpoint_cosign(struct slice note, const char *witness_name, const struct identity *witness,
                       int64_t unix_time, struct buf *line);
/* The time of the witness's cosignature, checked; ST_NOT_FOUND when it has not signed. */
MUST_CHECK enum status checkpoint_cosigned(struct slice note, const struct note_key *witness,
                                           int64_t *unix_time, struct err *e);
/* Signature lines in the note, whosever. */
unsigned checkpoint_signatures(struct slice note);

#endif
