/* SPDX-License-Identifier: Apache-2.0
 *
 * A proof that one entry is in the log, as one JSON document that stands by itself (docs/formats/ledger.md):
 *
 *     {"accord_proof":1,"entry":{…},"path":["<base64 hash>",…],"checkpoint":"<signed note>","key":"<vkey>"}
 *
 * path goes from the leaf upwards (RFC 6962 section 2.1.1).
 */
#ifndef ACCORD_LEDGER_PROOF_H
#define ACCORD_LEDGER_PROOF_H

#include "ledger/ledger.h"

/* Proof of an entry against the newest checkpoint (signing one when the ledger has the hub's key).
   ST_NOT_FOUND when the entry is newer than that. Caller frees. */
MUST_CHECK enum status proof_make(struct ledger *l, int64_t seq, struct js **out, struct err *e);
/* Needs nothing but the document; pinned as in ledger_verify. The entry's own signature is checked too. */
MUST_CHECK enum status proof_check(const struct js *proof, const struct note_key *pinned,
                                   struct ledger_entry *entry, struct checkpoint *checkpoint, struct err *e);

struct js *proof_path_format(const struct merkle_proof *p);
MUST_CHECK enum status proof_path_parse(const struct js *path, struct merkle_proof *out, struct err *e);

#endif
