/* SPDX-License-Identifier: Apache-2.0
 *
 * What a verb is: who may do it, in which states, what its body holds, what else must be true (guard), and
 * what it does (fold). The one table is verbs.c; permissions, the check of bodies, documentation and the
 * tests that walk every cell are made from it.
 *
 * A guard may look at anything and change nothing; it runs when a command is new, never in a replay. A fold
 * changes the item's document (c->doc) and other projections; it runs in both, sees only what is in the log,
 * and cannot refuse.
 */
#ifndef ACCORD_GOVERN_VERB_H
#define ACCORD_GOVERN_VERB_H

#include "base/mem.h"
#include "govern/register.h"

enum role {
#define X(name, text, proof, interests, about) ROLE_##name,
#include "govern/roles.def"
#undef X
    ROLES
};
const char *role_name(enum role r);
bool role_find(const char *name, enum role *out);
const char *role_proof(enum role r); /* kind of training proof, "" = none */
bool role_needs_interests(enum role r);
const char *role_about(enum role r);

enum rule {
#define X(name, text, status, about) RULE_##name,
#include "govern/rules.def"
#undef X
    RULES
};
const char *rule_name(enum rule r);
const char *rule_about(enum rule r);
/* "rule name: what it says; detail" with the rule's status. `format` may be NULL. */
enum status refuse(struct err *e, enum rule r, const char *format, ...) PRINTF_LIKE(3, 4);

enum field_type {
    F_TEXT,     /* up to `most` bytes (0 = 200), not blank */
    F_PERSONAL, /* {"hashed":…}, see command.h */
    F_ID,       /* the id of an item of noun `arg`, which must exist; arg NULL = any well-formed id */
    F_ABOUT, /* "noun:id" of an item that must exist; arg = the nouns allowed, separated by | (NULL = any) */
    F_ENUM,  /* one of `arg`, separated by | */
    F_CODE,  /* a code of scheme `arg` that is valid today */
    F_INT,   /* a whole number from 0 to `most` (0 = 2^53 - 1) */
    F_NUMBER,
    F_MONEY, /* whole pence, 0 to 10^13 */
    F_DATE,
    F_BOOL,
    F_HASH,   /* 64 lower-case hex digits */
    F_OBJECT, /* of `sub`, or any object when sub is NULL */
    F_LIST,   /* of objects of `sub`, 1 to `most` (0 = 200) */
    F_TEXTS,  /* a list of texts */
    F_IDS,    /* a list of ids of noun `arg` */
    F_CODES,  /* a list of {"scheme","code"}, each valid today */
    F_ANY
};
struct field {
    const char *name;
    enum field_type type;
    bool required;
    const char *arg;
    int64_t most;
    const struct field *sub;
};

/* For which body an actor must hold the role. */
enum relation {
    OF_ANY,     /* whichever */
    OF_SELF,    /* the person whom the item is about */
    OF_OWNER,   /* the item's body; when the item is made, the command's "body" member */
    OF_PARTY,   /* a party of the item (of its agreement, of its project) */
    OF_OUTSIDE, /* any body but a party */
};

struct change;
struct verb {
    const char *name; /* "agreement.sign"; the noun before the dot is that of the subject */
    uint32_t roles;   /* bits of enum role */
    enum relation relation;
    const char *from; /* states separated by |, "*" = any, NULL = it makes the item; "new" among them = it may
                         make it */
    const char *to;   /* state afterwards, NULL = as it was */
    const struct field *fields; /* NULL = an empty body */
    enum status (*guard)(struct change *c, struct err *e);
    enum status (*fold)(struct change *c,
                        struct err *e); /* NULL = the body's members replace those of the document */
    const char *about;
};
extern const struct verb verbs[]; /* ended by an empty entry */
const struct verb *verb_find(const char *name);
bool verb_in_state(const struct verb *v, const char *state); /* state NULL = the item does not exist */

#define ROLE(name) (1u << ROLE_##name)

/* One change as guards and folds see it. */
struct change {
    struct registry *registry;
    struct db *db;
    const struct ledger_entry *entry;
    const struct verb *verb;
    const struct js *body;
    char noun[24], id[72];
    struct js *doc;         /* the item's document: as it is for a guard, to be changed by a fold */
    const char *state;      /* before; NULL when it is made */
    const char *to;         /* after; a fold may set another */
    const char *owner;      /* a fold may set the body that the item belongs to (else doc.body) */
    const char *about;      /* and what it refers to (else doc.about) */
    const char *person;     /* the actor when a person, else NULL */
    const char *node;       /* the actor when a node */
    const char *actor_body; /* the body that the allowed role is held for, or the node's */
    int32_t today;          /* of the entry's time, UTC */
    struct arena *arena;    /* lives as long as the change */
};

#endif
