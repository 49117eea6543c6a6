/* SPDX-License-Identifier: Apache-2.0
 *
 * The register: what bodies, people, agreements, runs and so on there are, as a fold over the log. A signed
 * command is checked against the permission table (verbs.c) and the rules (rules.def), appended, and folded
 * into tables of the same file in the same transaction. The tables can be dropped and rebuilt from the log,
 * byte for byte.
 *
 * Every noun is an item: an id, a state, a JSON document. docs/formats/register.md describes verbs and
 * documents; `accord perms` prints who may do what.
 *
 * Threads: as for struct ledger, one thread at a time; open one per thread. Readers see the last commit.
 */
#ifndef ACCORD_GOVERN_REGISTER_H
#define ACCORD_GOVERN_REGISTER_H

#include <stdio.h>

#include "base/pool.h"
#include "ledger/ledger.h"

struct registry;

/* As ledger_open. When the program's projections have another form than those in the file, they are rebuilt.
 */
MUST_CHECK enum status registry_open(const char *path, enum db_mode mode, const struct identity *hub,
                                     const char *origin, struct registry **out, struct err *e);
void registry_close(struct registry *r); /* NULL is fine */
struct ledger *registry_ledger(struct registry *r);

/* The first entry, signed by the hub: a national body and its first steward, who can then do the rest.
   ST_CONFLICT when the register was founded before by somebody else. */
MUST_CHECK enum status registry_found(struct registry *r, const char *body_id, const char *body_name,
                                      const char *steward_id, const uint8_t steward_key[SIGN_PUBLIC_BYTES],
                                      struct err *e);

/* Applies a signed command. Refusals: ST_INVALID (a field, named), ST_NOT_FOUND (no such item), ST_DENIED
   (the permission table or a rule, named), ST_CONFLICT (the item's state, or it exists already),
   ST_UNAUTHENTICATED (the signature). The same command again gives the entry of the first time
   (entry->repeated). `entry` may be NULL. */
MUST_CHECK enum status registry_apply(struct registry *r, const struct js *command,
                                      struct ledger_entry *entry, struct err *e);
/* Makes, signs and applies a command; takes body over. */
MUST_CHECK enum status registry_act(struct registry *r, const struct identity *actor, const char *verb,
                                    const char *subject, struct js *body, struct err *e);
/* Whether a command of this actor (a key, hex) would pass now: everything that registry_apply checks but the
   signature. body NULL: it is not known yet, so fields, and guards of verbs that have fields, are left out.
 */
MUST_CHECK enum status registry_may(struct registry *r, const char *actor, const char *verb,
                                    const char *subject, const struct js *body, int64_t now_ms,
                                    struct err *e);
/* Takes what the register lacks from a copy of its log (ledger/copy.h), which is verified first against the
   register's key; all of it or nothing. *added: entries. Personal texts are in no copy and stay absent. */
MUST_CHECK enum status registry_restore(struct registry *r, FILE *copy, struct pool *pool, int64_t *added,
                                        struct err *e);
/* Several commands with one wait for the disk, as ledger_begin and ledger_commit. */
MUST_CHECK enum status registry_begin(struct registry *r, struct err *e);
MUST_CHECK enum status registry_commit(struct registry *r, struct err *e);

/* One state of the register for all reads in between, whatever is committed meanwhile (a registry opened with
   DB_READ). */
MUST_CHECK enum status registry_read_begin(struct registry *r, struct err *e);
void registry_read_end(struct registry *r);

/* An item as {"noun","id","state","made":seq,"changed":seq, …members of its document}; personal members that
   were not erased appear as plain text from registry_item_personal, else as their hash. Caller frees.
   ST_NOT_FOUND. */
MUST_CHECK enum status registry_item(struct registry *r, const char *noun, const char *id, struct js **out,
                                     struct err *e);
MUST_CHECK enum status registry_item_personal(struct registry *r, const char *noun, const char *id,
                                              struct js **out, struct err *e);

/* What lists call an item: its title, name, or what says most about it; "" when nothing does. Borrowed. */
const char *registry_item_title(const struct js *item);

/* Items of a noun in order of id, as an array. Members that are NULL do not filter. */
struct registry_query {
    const char *noun;
    const char *state;
    const char *body; /* the item's owner: the body it belongs to */
    const char
        *about; /* what it refers to ("agreement:a1"): runs of an agreement, artefacts of a run, reviews */
    const char *after; /* ids behind this one */
    const char *kind;  /* of this kind (bodies, artefacts, projects) */
    const char *on;    /* a date: what was there then, by its members from and to (bodies in time) */
    int64_t limit;     /* 0 = 1,000 */
    int64_t skip;      /* so many of the first are left out */
    const char *side;  /* need or offer (signals) */
    const char *stage; /* of this pathway stage */
    const char *code;  /* "scheme:code": that has this code */
    const char *place; /* of this place */
    bool by_value; /* most stated impact for the months until the result first, instead of in order of id */
    bool brief;    /* only {"id","title","state","kind","body","changed"} of each */
};
MUST_CHECK enum status registry_list(struct registry *r, const struct registry_query *q, struct js **out,
                                     struct err *e);

/* How many there are of them, whatever limit and skip say. */
MUST_CHECK enum status registry_count(struct registry *r, const struct registry_query *q, int64_t *out,
                                      struct err *e);
/* The texts that a member has among a noun's items, each once and in order, as an array; the caller frees it.
   `member` is a name of the program's own, never foreign text. */
MUST_CHECK enum status registry_values(struct registry *r, const char *noun, const char *member,
                                       struct js **out, struct err *e);

/* Who a key belongs to: {"kind":"person"|"node"|"hub","id":…,"body":…}. ST_NOT_FOUND. Caller frees. */
MUST_CHECK enum status registry_actor(struct registry *r, const char *key_hex, struct js **out,
                                      struct err *e);
/* Whether the person has the role for the body (NULL = any) on a day: the grant is held and in its dates, the
   proofs that the role asks for are current, and so are the body's checks. *why (may be NULL) then says what
   is missing. */
MUST_CHECK enum status registry_has_role(struct registry *r, const char *person, const char *role,
                                         const char *body, int32_t day, bool *out, struct buf *why,
                                         struct err *e);
/* Whether the agreement is in force on a day: signed by every party, within its dates, not revoked. */
MUST_CHECK enum status registry_in_force(struct registry *r, const char *agreement, int32_t day, bool *out,
                                         struct err *e);

/* Drops every projection and folds the whole log again, in one transaction. */
MUST_CHECK enum status registry_replay(struct registry *r, struct err *e);
/* SHA-256 over every row of every projection: equal for equal states. */
MUST_CHECK enum status registry_digest(struct registry *r, uint8_t out[HASH_BYTES], struct err *e);

#endif
