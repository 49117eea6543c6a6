/* SPDX-License-Identifier: Apache-2.0
 *
 * The secret behind a site's record keys (cellkey.h): 32 random bytes in a file of the node's folder, mode
 * 0600, made when it is first needed and never shown. As long as it stays the same, the same persons get the
 * same noise, in every study and after every refresh of the data; who replaces it lets noise be averaged out.
 */
#ifndef ACCORD_DISCLOSE_RECORD_KEYS_H
#define ACCORD_DISCLOSE_RECORD_KEYS_H

#include "base/crypto.h"
#include "base/err.h"

struct record_keys {
    uint8_t secret[HASH_BYTES];
    char id[17]; /* names the secret in disclosure records and tells nothing of it */
};

/* <folder>/record.key. ST_DENIED where others can read the file, ST_CORRUPT where it is none. Of several
   processes that make it at once all get the same. */
MUST_CHECK enum status record_keys_open(const char *folder, struct record_keys *out, struct err *e);
void record_keys_wipe(struct record_keys *k);

#endif
