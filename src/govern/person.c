/* SPDX-License-Identifier: Apache-2.0
 *
 * People, their keys, proofs and interests, and the grants that let them act for a body. */
#include <stdio.h>

#include "base/date.h"
#include "govern/nouns.h"

#define PROOFS                                                                                               \
    "safe-researcher|output-checking|accredited-researcher|identity|conflicts-of-interest|information-"      \
    "governance"
#define INTERESTS "financial|non-financial-professional|non-financial-personal|indirect"
#define GRANTED                                                                                              \
    "member|lead|signatory|reviewer|certifier|controller|checker|operator|analyst|steward|auditor|adviser|"  \
    "ip_lead"
#define BY_STEWARD   "reviewer|certifier|checker|steward|auditor"
#define PERSPECTIVES "patient|clinical|research|finance|commercial|ig|statistical"

const struct field person_register_fields[] = {
    {"name", F_PERSONAL, true, NULL, 0, NULL},
    {"body", F_ID, false, "body", 0, NULL},
    {"email", F_PERSONAL, false, NULL, 0, NULL},
    {"post", F_TEXT, false, NULL, 0, NULL},
    {0},
};
const struct field person_prove_fields[] = {
    {"kind", F_ENUM, true, PROOFS, 0, NULL},
    {"until", F_DATE, true, NULL, 0, NULL},
    {"reference", F_TEXT, false, NULL, 0, NULL},
    {0},
};
static const struct field interest_fields[] = {
    {"kind", F_ENUM, true, INTERESTS, 0, NULL}, {"body", F_ID, true, "body", 0, NULL},
    {"from", F_DATE, false, NULL, 0, NULL},     {"to", F_DATE, false, NULL, 0, NULL},
    {"note", F_TEXT, false, NULL, 1000, NULL},  {0},
};
const struct field person_declare_fields[] = {
    {"interests", F_LIST, false, NULL, 100, interest_fields},
    {"nil", F_BOOL, false, NULL, 0, NULL},
    {0},
};
const struct field person_rekey_fields[] = {{"key", F_HASH, true, NULL, 0, NULL}, {0}};
const struct field grant_offer_fields[] = {
    {"person", F_ID, true, "person", 0, NULL},
    {"role", F_ENUM, true, GRANTED, 0, NULL},
    {"body", F_ID, true, "body", 0, NULL},
    {"scope", F_ENUM, false, PERSPECTIVES, 0, NULL},
    {"from", F_DATE, false, NULL, 0, NULL},
    {"until", F_DATE, true, NULL, 0, NULL},
    {0},
};
const struct field grant_renew_fields[] = {{"until", F_DATE, true, NULL, 0, NULL}, {0}};

GUARD(person_register_guard)
{
    return actor_is_free(c, c->entry->actor, e);
}

FOLD(person_register_fold)
{
    merge_all(c);
    js_put_str(c->doc, "key", c->entry->actor);
    return actor_add(c, c->entry->actor, "person", c->id, e);
}

GUARD(person_prove_guard)
{
    if (c->person && strcmp(c->person, c->id) == 0)
        return refuse(e, RULE_CERTIFY_OWN, "somebody else confirms a proof");
    return ST_OK;
}

FOLD(person_prove_fold)
{
    struct js *proof = js_copy(c->body);
    (void)e;
    js_put(proof, "by", done_by(c));
    js_push(doc_list(c->doc, "proofs"), proof);
    return ST_OK;
}

GUARD(person_declare_guard)
{
    bool nil = js_bool(js_get(c->body, "nil")), some = js_size(js_get(c->body, "interests")) > 0;
    if (nil != some)
        return ST_OK;
    return err_set(e, ST_INVALID, "$.body: expected 'interests', or 'nil': true when there are none");
}

FOLD(person_declare_fold)
{
    char day[11];
    (void)e;
    date_format(c->today, day);
    js_drop(c->doc, "interests");
    merge_all(c);
    js_put_str(c->doc, "declared", day);
    return ST_OK;
}

GUARD(person_rekey_guard)
{
    return actor_is_free(c, js_get_str(c->body, "key"), e);
}

FOLD(person_rekey_fold)
{
    enum status s = db_change(c->db, "DELETE FROM actor WHERE kind='person' AND id=?1", PARAMS(c->id), e);
    merge_all(c);
    return s == ST_OK ? actor_add(c, js_get_str(c->body, "key"), "person", c->id, e) : s;
}

/* The texts go; what others see of the person from then on is the hash, and the key that signed. */
FOLD(person_erase_fold)
{
    enum status s = ST_OK;
    for (void *it = js_first(c->doc); it && s == ST_OK; it = js_next(c->doc, it)) {
        const char *hash = js_get_str(js_value(it), "hashed");
        if (hash)
            s = ledger_personal_erase(c->db, hash, e);
    }
    if (s == ST_OK)
        s = db_change(c->db, "DELETE FROM held WHERE person=?1", PARAMS(c->id), e);
    return s == ST_OK ? db_change(c->db, "DELETE FROM actor WHERE kind='person' AND id=?1", PARAMS(c->id), e)
                      : s;
}

/* Grants */

GUARD(grant_offer_guard)
{
    char id[256];
    const char *role = js_get_str(c->body, "role"), *scope = js_get_str(c->body, "scope");
    snprintf(id, sizeof id, "%s.%s.%s%s%s", js_get_str(c->body, "person"), role, js_get_str(c->body, "body"),
             scope ? "." : "", scope ? scope : "");
    if (strcmp(id, c->id) != 0)
        return refuse(e, RULE_GRANT_ID, "expected grant:%.64s", id);
    int64_t steward = 0;
    enum status s = c->person
                        ? db_number(c->db, "SELECT count(*) FROM held WHERE person=?1 AND role='steward'",
                                    PARAMS(c->person), 0, &steward, e)
                        : ST_OK;
    if (s == ST_OK && !steward && word_in(BY_STEWARD, role))
        s = refuse(e, RULE_GRANT_SCOPE, "%s is given by a steward", role);
    return s;
}

/* At the moment of taking the role, proof and interests must be there; later they are asked for at each use.
 */
GUARD(grant_hold_guard)
{
    enum role role;
    enum rule lacks;
    if (!role_find(js_get_str(c->doc, "role"), &role))
        return err_set(e, ST_INTERNAL, "the grant has an unknown role");
    enum status s = access_person_lacks(c->db, js_get_str(c->doc, "person"), role, c->today, &lacks, e);
    if (s == ST_OK && lacks != RULES)
        s = refuse(e, lacks, "%s%s%s", role_name(role), *role_proof(role) ? " needs " : "", role_proof(role));
    return s;
}

FOLD(grant_hold_fold)
{
    return held_add(c, js_get_str(c->doc, "person"), js_get_str(c->doc, "role"), js_get_str(c->doc, "body"),
                    js_get_str(c->doc, "scope"), doc_day(c->doc, "from"), doc_day(c->doc, "until"), e);
}

FOLD(grant_revoke_fold)
{
    const char *scope = js_get_str(c->doc, "scope");
    merge_all(c);
    return db_change(c->db, "DELETE FROM held WHERE person=?1 AND role=?2 AND body=?3 AND scope=?4",
                     PARAMS(js_get_str(c->doc, "person"), js_get_str(c->doc, "role"),
                            js_get_str(c->doc, "body"), scope ? scope : ""),
                     e);
}
