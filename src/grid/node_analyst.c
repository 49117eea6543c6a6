/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether the key that signed a request is that of an analyst: the register's entries of the person and of
 * their grant, each proven to be in the hub's log, are folded here as the register folds them
 * (govern/person.c).
 *
 *     rule                 what it refuses
 *     inclusion            entries that are not proven, of somebody else, or out of order
 *     analyst              a key that is not the person's own any more; a body that is no party of the
 *                          agreement; a grant that was not offered and then taken on by the person
 *                          themselves, that was left or revoked, or is outside its dates
 *     interests-declared   no declaration of interests within a year
 *     training             no proof of training that is current today, confirmed by somebody else
 *
 * A hub cannot change, reorder or sign in another's name any of these, nor leave one out (node_follow.c).
 * What remains to it: to let entries in that its rules forbid. For the node takes from it that whoever
 * offered the grant or confirmed the training had the role to do so, and that the body's own checks are
 * current. Both stay in the log for everybody who copies it to see.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/mem.h"
#include "govern/access.h"
#include "grid/node_state.h"
#include "ledger/proof.h"

enum { DAY_MS = 86400000 };

struct span {
    int32_t from, until;
};

struct analyst {
    const char *person, *body; /* as the dossier names them; entries must be about them */
    char *registered, *grant;  /* the subjects that follow from that */
    char hub[2 * SIGN_PUBLIC_BYTES + 1];
    char key[2 * SIGN_PUBLIC_BYTES + 1]; /* of the person, "" = none */
    int32_t trained_until, declared;     /* DATE_NONE = never */
    struct span offered, held;           /* from DATE_NONE in offered: from the day it is taken on */
    bool holds;
};

static int32_t day_in(const struct js *body, const char *key, int32_t absent)
{
    int32_t day;
    const char *text = js_get_str(body, key);
    return text && date_parse(slice_of(text), &day) ? day : absent;
}

static int32_t day_of(const struct ledger_entry *entry)
{
    return (int32_t)(entry->time_ms / DAY_MS);
}

static bool is(const struct js *body, const char *key, const char *text)
{
    const char *found = js_get_str(body, key);
    return found && strcmp(found, text) == 0;
}

static void take_key(struct analyst *a, const char *key)
{
    snprintf(a->key, sizeof a->key, "%s", key && strlen(key) < sizeof a->key ? key : "");
}

/* --- the fold ------------------------------------------------------------------------------------------ */

/* The hub's word is enough here: its founding entry is the root of the register. */
static void fold_founding(struct analyst *a, const struct ledger_entry *entry)
{
    if (strcmp(entry->verb, "register.found") == 0 && strcmp(entry->actor, a->hub) == 0 &&
        is(entry->body, "steward", a->person))
        take_key(a, js_get_str(entry->body, "key"));
}

static void fold_person(struct analyst *a, const struct ledger_entry *entry)
{
    const char *verb = entry->verb;
    bool own = strcmp(entry->actor, a->key) == 0;
    if (strcmp(verb, "person.register") == 0 && !a->key[0]) {
        take_key(a, entry->actor);
    } else if (strcmp(verb, "person.rekey") == 0 && own) {
        take_key(a, js_get_str(entry->body, "key"));
    } else if (strcmp(verb, "person.erase") == 0) {
        take_key(a, NULL);
    } else if (strcmp(verb, "person.declare") == 0 && own) {
        a->declared = day_of(entry);
    } else if (strcmp(verb, "person.prove") == 0 && !own &&
               is(entry->body, "kind", role_proof(ROLE_ANALYST))) {
        int32_t until = day_in(entry->body, "until", DATE_NONE);
        a->trained_until = until > a->trained_until ? until : a->trained_until;
    }
}

/* A grant that is offered again keeps counting until its old end; the new one begins when it is taken on. */
static void fold_grant(struct analyst *a, const struct ledger_entry *entry)
{
    const char *verb = entry->verb;
    const struct js *body = entry->body;
    if (strcmp(verb, "grant.offer") == 0 && is(body, "person", a->person) && is(body, "body", a->body) &&
        is(body, "role", role_name(ROLE_ANALYST))) {
        a->offered = (struct span){day_in(body, "from", DATE_NONE), day_in(body, "until", DATE_NONE)};
    } else if (strcmp(verb, "grant.renew") == 0) {
        a->offered.until = day_in(body, "until", DATE_NONE);
    } else if (strcmp(verb, "grant.hold") == 0 && strcmp(entry->actor, a->key) == 0 &&
               a->offered.until != DATE_NONE) {
        a->held = a->offered;
        a->held.from = a->held.from == DATE_NONE ? day_of(entry) : a->held.from;
        a->holds = true;
    } else if (strcmp(verb, "grant.leave") == 0 || strcmp(verb, "grant.revoke") == 0) {
        a->holds = false;
    }
}

static bool fold(struct analyst *a, const struct ledger_entry *entry)
{
    if (strcmp(entry->subject, "register:accord") == 0)
        fold_founding(a, entry);
    else if (strcmp(entry->subject, a->registered) == 0)
        fold_person(a, entry);
    else if (strcmp(entry->subject, a->grant) == 0)
        fold_grant(a, entry);
    else
        return false;
    return true;
}

static enum status read_entries(struct node *n, const struct js *proofs, struct analyst *a, struct err *e)
{
    int64_t last = -1;
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < js_size(proofs); i++) {
        struct ledger_entry entry = {0};
        struct checkpoint checkpoint;
        s = proof_check(js_at(proofs, i), &n->hub_key, &entry, &checkpoint, e);
        if (s == ST_OK && (entry.seq <= last || !fold(a, &entry)))
            s = err_set(e, ST_DENIED, "the entries shown are not those of analyst %s in order", a->person);
        last = entry.seq;
        ledger_entry_deinit(&entry);
    }
    return s;
}

/* --- what must be true today --------------------------------------------------------------------------- */

static bool is_party(const struct js *parties, const char *body)
{
    for (size_t i = 0; i < js_size(parties); i++)
        if (is(js_at(parties, i), "body", body))
            return true;
    return false;
}

static enum status check_grant(const struct analyst *a, const char *key, const struct js *parties,
                               int32_t today, struct err *e)
{
    char from[11], until[11];
    if (strcmp(a->key, key) != 0)
        return err_set(e, ST_DENIED, "the key that signed the request is not that of %s", a->person);
    if (!is_party(parties, a->body))
        return err_set(e, ST_DENIED, "%s, for whom %s asks, is no party of the agreement", a->body,
                       a->person);
    if (!a->holds)
        return err_set(e, ST_DENIED, "%s does not hold the role analyst for %s", a->person, a->body);
    date_format(a->held.from, from);
    date_format(a->held.until, until);
    if (today < a->held.from || today > a->held.until)
        return err_set(e, ST_DENIED, "%s is analyst for %s from %s to %s", a->person, a->body, from, until);
    return ST_OK;
}

static enum status check_today(const struct analyst *a, const char *key, const struct js *parties,
                               char rule[32], struct err *e)
{
    int32_t today = (int32_t)(time_now_ms() / DAY_MS);
    rule_set(rule, "analyst");
    enum status s = check_grant(a, key, parties, today, e);
    if (s != ST_OK)
        return s;
    rule_set(rule, rule_name(RULE_INTERESTS));
    if (a->declared == DATE_NONE || a->declared + INTERESTS_DAYS < today)
        return err_set(e, ST_DENIED, "%s has not declared interests within a year", a->person);
    rule_set(rule, rule_name(RULE_TRAINING));
    if (a->trained_until == DATE_NONE || a->trained_until < today)
        return err_set(e, ST_DENIED, "%s has no current proof of training (%s)", a->person,
                       role_proof(ROLE_ANALYST));
    rule[0] = '\0';
    return ST_OK;
}

enum status analyst_check(struct node *n, const struct js *shown, const char *key, const struct js *parties,
                          char rule[32], struct err *e)
{
    struct analyst a = {.person = js_get_str(shown, "person"), .body = js_get_str(shown, "body")};
    rule_set(rule, "analyst");
    if (!a.person || !a.body)
        return err_set(e, ST_DENIED, "the hub does not show who asked for the run; it may need an update");
    a.declared = a.trained_until = a.offered.until = DATE_NONE;
    a.offered.from = DATE_NONE;
    a.registered = xasprintf("person:%s", a.person);
    a.grant = xasprintf("grant:%s.%s.%s", a.person, role_name(ROLE_ANALYST), a.body);
    hex_encode(n->hub_key.public_key, SIGN_PUBLIC_BYTES, a.hub);
    rule_set(rule, "inclusion");
    enum status s = read_entries(n, js_get(shown, "entries"), &a, e);
    if (s == ST_OK)
        s = check_today(&a, key, parties, rule, e);
    free(a.registered);
    free(a.grant);
    return s;
}
