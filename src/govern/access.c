/* SPDX-License-Identifier: Apache-2.0 */
#include "govern/access.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/date.h"
#include "base/mem.h"

enum status access_identify(struct change *c, struct err *e)
{
    const char *kind, *id, *key = c->entry->actor;
    enum status s = db_text(c->db, c->arena, "SELECT kind FROM actor WHERE key=?1", PARAMS(key), &kind, e);
    if (s == ST_OK)
        s = db_text(c->db, c->arena, "SELECT id FROM actor WHERE key=?1", PARAMS(key), &id, e);
    if (s != ST_OK || !kind)
        return s;
    if (strcmp(kind, "person") == 0)
        c->person = id;
    if (strcmp(kind, "node") == 0) {
        c->node = id;
        return db_text(c->db, c->arena, "SELECT body FROM item WHERE noun='node' AND id=?1", PARAMS(id),
                       &c->actor_body, e);
    }
    return ST_OK;
}

static void missing(struct buf *why, const char *what)
{
    if (why)
        buf_printf(why, "%s%s", why->n ? "; " : "", what);
}

static bool proof_current(const struct js *person, const char *kind, int32_t day)
{
    const struct js *proofs = js_get(person, "proofs");
    for (size_t i = 0; i < js_size(proofs); i++) {
        const struct js *p = js_at(proofs, i);
        const char *k = js_get_str(p, "kind");
        int32_t until = doc_day(p, "until");
        if (k && strcmp(k, kind) == 0 && until >= day)
            return true;
    }
    return false;
}

static bool interests_declared(const struct js *person, int32_t day)
{
    int32_t declared = doc_day(person, "declared");
    return declared != DATE_NONE && declared + INTERESTS_DAYS >= day;
}

/* The newest of each kind of check counts: a renewed one replaces the old. */
static bool body_current(const struct item *body, int32_t day)
{
    const struct js *checks = js_get(body->doc, "checks");
    int32_t from = doc_day(body->doc, "from"), to = doc_day(body->doc, "to");
    if (strcmp(body->state, "registered") != 0 || (from != DATE_NONE && from > day) ||
        (to != DATE_NONE && to < day))
        return false;
    for (size_t i = 0; i < js_size(checks); i++) {
        int32_t until = doc_day(js_at(checks, i), "until");
        if (until != DATE_NONE && until < day)
            return false;
    }
    return true;
}

enum status access_person_lacks(struct db *d, const char *person, enum role role, int32_t day, enum rule *out,
                                struct err *e)
{
    struct item i;
    bool found;
    *out = RULE_PERMISSION;
    enum status s = item_find(d, "person", person, &i, &found, e);
    if (s != ST_OK || !found)
        return s;
    if (strcmp(i.state, "registered") != 0)
        *out = RULE_PERMISSION;
    else if (*role_proof(role) && !proof_current(i.doc, role_proof(role), day))
        *out = RULE_TRAINING;
    else if (role_needs_interests(role) && !interests_declared(i.doc, day))
        *out = RULE_INTERESTS;
    else
        *out = RULES;
    item_deinit(&i);
    return s;
}

static enum status body_ready(struct db *d, const char *body, int32_t day, bool *out, struct buf *why,
                              struct err *e)
{
    struct item i;
    bool found;
    *out = false;
    enum status s = item_find(d, "body", body, &i, &found, e);
    if (s != ST_OK || !found)
        return s;
    *out = body_current(&i, day);
    if (!*out)
        missing(why, "the body is not registered, or one of its checks has run out");
    item_deinit(&i);
    return s;
}

enum status access_counts(struct db *d, const char *person, enum role role, const char *body, int32_t day,
                          bool *out, struct buf *why, struct err *e)
{
    char text[16];
    int64_t n;
    enum rule lacks;
    *out = false;
    snprintf(text, sizeof text, "%" PRId32, day);
    enum status s = db_number(d,
                              "SELECT count(*) FROM held WHERE person=?1 AND role=?2 AND body=?3 AND "
                              "from_day<=CAST(?4 AS INT) AND until_day>=CAST(?4 AS INT)",
                              PARAMS(person, role_name(role), body, text), 0, &n, e);
    if (s != ST_OK || n == 0)
        return s;
    s = access_person_lacks(d, person, role, day, &lacks, e);
    if (s == ST_OK && lacks != RULES)
        missing(why, rule_about(lacks));
    return s == ST_OK && lacks == RULES ? body_ready(d, body, day, out, why, e) : s;
}

/* The body that the item belongs to, or is to belong to. */
static const char *owner_of(const struct change *c)
{
    const char *named = js_get_str(c->state ? c->doc : c->body, "body");
    return c->state && !named ? c->owner : named;
}

/* What a new item is about: it is not in the tables yet. */
static bool party_context(const struct change *c, char noun[24], char id[72])
{
    if (c->state) {
        memcpy(noun, c->noun, 24);
        memcpy(id, c->id, 72);
        return true;
    }
    return c->about && about_split(c->about, noun, id);
}

static enum status relation_holds(struct change *c, const char *body, bool *out, struct err *e)
{
    char noun[24], id[72];
    const char *owner = owner_of(c), *self = js_get_str(c->doc, "person");
    *out = false;
    switch (c->verb->relation) {
    case OF_ANY:
        *out = true;
        return ST_OK;
    case OF_OWNER:
        *out = owner && strcmp(owner, body) == 0;
        return ST_OK;
    case OF_SELF:
        self = strcmp(c->noun, "person") == 0 ? c->id : self;
        *out = self && c->person && strcmp(self, c->person) == 0;
        return ST_OK;
    case OF_PARTY:
    case OF_OUTSIDE:
        if (!party_context(c, noun, id))
            return ST_OK;
        enum status s = parties_have(c->db, noun, id, body, out, e);
        if (c->verb->relation == OF_OUTSIDE)
            *out = !*out;
        return s;
    }
    return ST_OK;
}

/* A new draft has no parties in the tables: there they are in the command. */
static enum status relation_of(struct change *c, const char *body, enum role role, bool *out, struct err *e)
{
    const struct js *parties = js_get(c->body, "parties");
    if (role == ROLE_STEWARD || role == ROLE_AUDITOR) {
        *out = true; /* they act for the register as a whole */
        return ST_OK;
    }
    if (!c->state && c->verb->relation == OF_PARTY && parties) {
        *out = list_find(parties, "body", body) != NULL;
        return ST_OK;
    }
    return relation_holds(c, body, out, e);
}

static enum status person_may(struct change *c, bool *out, struct buf *why, struct err *e)
{
    struct stmt *q;
    bool row = true;
    enum status s =
        db_prepare(c->db, "SELECT DISTINCT role, body FROM held WHERE person=?1 ORDER BY role, body", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, c->person);
    while (s == ST_OK && !*out && (s = stmt_step(q, &row, e)) == ST_OK && row) {
        enum role role;
        bool related = false;
        const char *body = stmt_text(q, 1);
        if (!role_find(stmt_text(q, 0), &role) || !(c->verb->roles >> role & 1))
            continue;
        s = relation_of(c, body, role, &related, e);
        if (s == ST_OK && related)
            s = access_counts(c->db, c->person, role, body, c->today, out, why, e);
        if (s == ST_OK && *out)
            c->actor_body = arena_strdup(c->arena, body);
    }
    stmt_done(q);
    return s;
}

static enum status node_may(struct change *c, bool *out, struct err *e)
{
    *out = false;
    if (!(c->verb->roles & ROLE(NODE)) || !c->actor_body)
        return ST_OK;
    return relation_holds(c, c->actor_body, out, e);
}

static bool is_hub(const struct change *c)
{
    char key[2 * SIGN_PUBLIC_BYTES + 1];
    hex_encode(ledger_key(registry_ledger(c->registry))->public_key, SIGN_PUBLIC_BYTES, key);
    return strcmp(key, c->entry->actor) == 0;
}

static void list_roles(uint32_t roles, struct buf *out)
{
    for (int r = 0; r < ROLES; r++)
        if (roles >> r & 1)
            buf_printf(out, "%s%s", out->n ? ", " : "", role_name((enum role)r));
}

static const char *relation_words(enum relation r)
{
    static const char *const words[] = {[OF_ANY] = "",
                                        [OF_SELF] = " (only for themselves)",
                                        [OF_OWNER] = " of the body that it belongs to",
                                        [OF_PARTY] = " of a party",
                                        [OF_OUTSIDE] = " of no party"};
    return words[r];
}

enum status access_check(struct change *c, struct err *e)
{
    const struct verb *v = c->verb;
    struct buf why, wanted;
    bool may = false;
    enum status s = ST_OK;
    buf_init(&why, 400);
    buf_init(&wanted, 400);
    if (v->roles & ROLE(HUB))
        may = is_hub(c);
    if (!may && (v->roles & ROLE(PUBLIC)) && v->relation != OF_SELF)
        may = true;
    if (!may && (v->roles & ROLE(PUBLIC)) && c->person)
        s = relation_holds(c, "", &may, e);
    if (s == ST_OK && !may && c->person)
        s = person_may(c, &may, &why, e);
    if (s == ST_OK && !may && c->node)
        s = node_may(c, &may, e);
    if (s == ST_OK && !may) {
        list_roles(v->roles, &wanted);
        s = refuse(e, RULE_PERMISSION, "%s is for: %s%s%s%s", v->name, wanted.p ? wanted.p : "nobody",
                   relation_words(v->relation), why.n ? "; " : "", why.p ? why.p : "");
    }
    buf_deinit(&why);
    buf_deinit(&wanted);
    return s;
}

static enum status interest_in(struct db *d, const struct js *interest, const char *noun, const char *id,
                               int32_t day, bool *out, struct err *e)
{
    int32_t from = doc_day(interest, "from"), to = doc_day(interest, "to");
    const char *body = js_get_str(interest, "body");
    *out = false;
    if (!body || (from != DATE_NONE && from > day) || (to != DATE_NONE && to < day))
        return ST_OK;
    return parties_have(d, noun, id, body, out, e);
}

enum status access_no_interest(struct db *d, const char *person, const char *noun, const char *id,
                               int32_t day, struct err *e)
{
    struct item i;
    bool found, conflict = false;
    enum status s = item_find(d, "person", person, &i, &found, e);
    if (s != ST_OK || !found)
        return s;
    const struct js *interests = js_get(i.doc, "interests");
    for (size_t k = 0; s == ST_OK && !conflict && k < js_size(interests); k++) {
        s = interest_in(d, js_at(interests, k), noun, id, day, &conflict, e);
        if (s == ST_OK && conflict)
            s = refuse(e, RULE_CONFLICT_OF_INTEREST, "%s declared an interest in %s", person,
                       js_get_str(js_at(interests, k), "body"));
    }
    item_deinit(&i);
    return s;
}
