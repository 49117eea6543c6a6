/* SPDX-License-Identifier: Apache-2.0
 *
 * A command is what a person, node or hub wants to change, signed with their own key. The hub turns it into
 * an entry by adding seq and time; the signature stays, so that anyone can check later who asked for what.
 *
 *     {"actor":"<Ed25519 public key, hex>","body":{...},"nonce":"...","signature":"<hex>","subject":"...",
 *      "v":1,"verb":"..."}
 *
 * The signature is over the canonical JSON (RFC 8785) of the command without `signature` and `personal`.
 *
 * Personal text (a name, an address) is never in a signed body. There stands {"hashed":"<hex>"}, an
 * HMAC-SHA-256 of the text under a random 32-byte salt; text and salt travel beside it, in `personal`, and
 * can be erased later while every signature and proof still holds. Without the salt the hash tells nothing
 * about the text.
 */
#ifndef ACCORD_LEDGER_COMMAND_H
#define ACCORD_LEDGER_COMMAND_H

#include "base/crypto.h"
#include "base/json.h"

enum {
    COMMAND_MOST = 4 << 20, /* bytes of the canonical form: a study or a released table fits */
    COMMAND_VERB_MOST = 64,
    COMMAND_SUBJECT_MOST = 200,
    COMMAND_NONCE_MOST = 64,
    COMMAND_SALT_BYTES = 32,
    COMMAND_PERSONAL_MOST = 16000 /* bytes of one personal text */
};

/* An unsigned command; takes body over. nonce NULL makes a random one. Subject: what it is about
 * ("agreement:a1"). */
struct js *command_new(const char *verb, const char *subject, struct js *body, const char *nonce);
/* Puts `text` where body.key is to hold it: its hash in the body, text and salt in `personal`. Before
 * signing. */
void command_put_personal(struct js *command, const char *key, const char *text);
/* Sets actor and signature. ST_INVALID when a number in the body has no canonical form. */
MUST_CHECK enum status command_sign(struct js *command, const struct identity *actor, struct err *e);
/* All three steps. */
MUST_CHECK enum status command_make(const struct identity *actor, const char *verb, const char *subject,
                                    struct js *body, struct js **out, struct err *e);

/* Shape, sizes, signature and personal texts. ST_INVALID names the member, ST_UNAUTHENTICATED a wrong
 * signature. */
MUST_CHECK enum status command_check(const struct js *command, struct err *e);
/* The signature alone, of a command or of an entry (the same members plus seq and time). */
MUST_CHECK enum status command_check_signature(const struct js *command, struct err *e);
void command_personal_hash(const uint8_t salt[COMMAND_SALT_BYTES], const char *text,
                           char hex[2 * HASH_BYTES + 1]);

#endif
