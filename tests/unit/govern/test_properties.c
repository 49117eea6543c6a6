/* SPDX-License-Identifier: Apache-2.0
 * Random commands of random people in random order, most of them refused: whatever came through, the
 * invariants hold, and a replay gives the same bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/date.h"
#include "base/mem.h"
#include "generate.h"
#include "govern/agreement.h"
#include "govern/export.h"
#include "govern/items.h"
#include "story.h"

enum { STEPS = 4000, ACTORS = 24 };

struct world {
    struct story *s;
    struct random random;
    const struct identity *actors[ACTORS];
    enum role roles[ACTORS];
    size_t n_actors, accepted;
    struct identity *made[8];
    size_t n_made;
};

static struct world *world_now; /* the pool function has no context */

static const char *const *pool(const char *noun)
{
    static const char *const bodies[] = {"T0", "T1", "T2", "acme", "uni", NULL};
    static const char *const people[] = {"ada", "chris", "carol", "cerys", "signer0",
                                         "lea", "mia",   "rev",   NULL};
    static const char *const vocabularies[] = {"prices-sde", NULL};
    static const char *const ids[] = {"a1", "i0", "i1", "i2", "i3", NULL};
    if (strcmp(noun, "body") == 0)
        return bodies;
    if (strcmp(noun, "vocabulary") == 0)
        return vocabularies;
    return strcmp(noun, "person") == 0 ? people : ids;
}

static struct identity *add_person(struct world *w, const char *id, const char *body, const char *role,
                                   const char *scope)
{
    struct identity *who = person_with(w->s, id, body, role, scope);
    w->made[w->n_made++] = who;
    return who;
}

static void world_init(struct world *w, uint64_t seed)
{
    *w = (struct world){.random = {seed}};
    world_now = w;
    w->s = story_new();
    story_people(w->s);
    must(w->s, w->s->steward, "vocabulary.load", "vocabulary:pathway-stage",
         "{'version': '1', 'source': 'test', 'rows': [{'code': 'c1', 'label': 'one'}, {'code': 'c2', "
         "'label': 'two'}]}");
    add_person(w, "lea", "T0", "lead", NULL);
    add_person(w, "mia", "T0", "member", NULL);
    add_person(w, "lena", "acme", "lead", NULL);
    add_person(w, "rev", "uni", "reviewer", "patient");
    add_person(w, "fin", "uni", "reviewer", "finance");
    story_agreement(w->s);
    const struct identity *all[] = {w->s->hub,        w->s->steward,   w->s->analyst,   w->s->checker[0],
                                    w->s->checker[1], w->s->certifier, w->s->signer[0], w->s->signer[1],
                                    w->s->signer[2],  w->s->signer[3], w->s->node[0],   w->s->node[1],
                                    w->s->node[2],    w->made[0],      w->made[1],      w->made[2],
                                    w->made[3],       w->made[4]};
    static const enum role roles[] = {
        ROLE_HUB,       ROLE_STEWARD,   ROLE_ANALYST,   ROLE_CHECKER,   ROLE_CHECKER,  ROLE_CERTIFIER,
        ROLE_SIGNATORY, ROLE_SIGNATORY, ROLE_SIGNATORY, ROLE_SIGNATORY, ROLE_NODE,     ROLE_NODE,
        ROLE_NODE,      ROLE_LEAD,      ROLE_MEMBER,    ROLE_LEAD,      ROLE_REVIEWER, ROLE_REVIEWER};
    for (; w->n_actors < sizeof all / sizeof *all; w->n_actors++) {
        w->actors[w->n_actors] = all[w->n_actors];
        w->roles[w->n_actors] = roles[w->n_actors];
    }
}

static void world_deinit(struct world *w)
{
    for (size_t i = 0; i < w->n_made; i++)
        identity_free(w->made[i]);
    story_free(w->s);
}

static struct db *db_of(struct world *w)
{
    return ledger_db(registry_ledger(w->s->r));
}

/* Verbs that end the game for everybody are rare, or the rest would never be reached. */
static const struct verb *random_verb(struct world *w)
{
    size_t n = 0;
    while (verbs[n].name)
        n++;
    for (;;) {
        const struct verb *v = &verbs[random_below(&w->random, n)];
        bool ends = strstr(v->name, "erase") || strstr(v->name, "revoke") || strstr(v->name, "rekey") ||
                    strstr(v->name, "leave") || strstr(v->name, "retire") || strstr(v->name, "suspend") ||
                    strstr(v->name, "body.close") || strstr(v->name, "body.check") ||
                    strstr(v->name, "vocabulary") || strstr(v->name, "end") || strstr(v->name, "vary") ||
                    strstr(v->name, "declare");
        if (!ends || random_below(&w->random, 40) == 0)
            return v;
    }
}

static const char *random_id(struct world *w, const struct verb *v, char noun[24], struct arena *a)
{
    static const char *const ids[] = {"i0", "i1", "i2", "i3", "a1"};
    const char *found = NULL;
    char offset[24];
    int64_t n;
    snprintf(noun, 24, "%.*s", (int)strcspn(v->name, "."), v->name);
    assert_int_equal(
        db_number(db_of(w), "SELECT count(*) FROM item WHERE noun=?1", PARAMS(noun), 0, &n, NULL), ST_OK);
    snprintf(offset, sizeof offset, "%d", (int)random_below(&w->random, (uint64_t)n));
    if (v->from && n && random_below(&w->random, 8))
        assert_int_equal(
            db_text(db_of(w), a,
                    "SELECT id FROM item WHERE noun=?1 ORDER BY id LIMIT 1 OFFSET CAST(?2 AS INT)",
                    PARAMS(noun, offset), &found, NULL),
            ST_OK);
    return found ? found : ids[random_below(&w->random, 5)];
}

/* Mostly somebody with a role of the verb, so that something happens; sometimes anybody. */
static const struct identity *random_actor(struct world *w, const struct verb *v)
{
    for (int tries = 0;; tries++) {
        size_t i = random_below(&w->random, w->n_actors);
        if (tries > 40 || (v->roles & ROLE(PUBLIC)) || (v->roles >> w->roles[i] & 1) ||
            random_below(&w->random, 60) == 0)
            return w->actors[i];
    }
}

/* A random body is rarely right about hashes: those that the register works out are put in. */
static void help(struct world *w, const struct verb *v, const char *id, struct js *body)
{
    char hex[2 * HASH_BYTES + 1];
    struct js *item = NULL;
    const char *hashed = strcmp(v->name, "run.request") == 0        ? "study"
                         : strcmp(v->name, "artefact.release") == 0 ? "document"
                                                                    : NULL;
    if (hashed) {
        assert_int_equal(doc_hash(js_get(body, hashed), hex, NULL), ST_OK);
        js_put_str(body, strcmp(hashed, "study") == 0 ? "study_hash" : "hash", hex);
    }
    if (strcmp(v->name, "agreement.sign") == 0 &&
        registry_item(w->s->r, "agreement", id, &item, NULL) == ST_OK) {
        assert_int_equal(agreement_terms(item, hex, NULL), ST_OK);
        js_put_str(body, "terms", hex);
    }
    js_free(item);
}

static void step(struct world *w)
{
    char noun[24], subject[120];
    struct arena *a = arena_new();
    struct err e = {0};
    const struct verb *v = random_verb(w);
    const char *id = random_id(w, v, noun, a);
    struct js *command, *body = generate_body(v, &w->random, pool, (int32_t)(time_now_ms() / 86400000));
    help(w, v, id, body);
    snprintf(subject, sizeof subject, "%s:%s", noun, id);
    assert_int_equal(command_make(random_actor(w, v), v->name, subject, body, &command, &e), ST_OK);
    enum status s = registry_apply(w->s->r, command, NULL, &e);
    if (s == ST_OK)
        w->accepted++;
    else if (status_http(s) >= 500)
        fail_msg("%s %s: %s %s", v->name, subject, e.text, e.detail);
    js_free(command);
    arena_free(a);
}

static void none(struct world *w, const char *what, const char *sql)
{
    int64_t n;
    struct err e = {0};
    if (db_number(db_of(w), sql, NULL, 0, &n, &e) != ST_OK)
        fail_msg("%s: %s", what, e.detail);
    if (n)
        fail_msg("%s: %d cases", what, (int)n);
}

#define PARTY_OF(item, body)                                                                                 \
    "(WITH RECURSIVE up(k) AS (SELECT " item                                                                 \
    " UNION SELECT i.about FROM item i JOIN up ON i.noun || ':' || i.id=up.k "                               \
    "WHERE i.about IS NOT NULL) SELECT count(*) FROM up JOIN party p ON p.noun || ':' || p.id=up.k AND "     \
    "p.body=" body ")"

/* The invariants of the register that can be read off its state. */
static void check_invariants(struct world *w)
{
    none(w, "a run goes on outside an agreement in force",
         "SELECT count(*) FROM item r JOIN item a ON a.noun='agreement' AND r.about='agreement:' || a.id "
         "WHERE "
         "r.noun='run' AND r.state IN ('asked', 'admitted', 'running') AND a.state<>'in_force'");
    none(w, "an output left without two checkers",
         "SELECT count(*) FROM item o WHERE o.noun='artefact' AND o.state IN ('released', 'open') AND "
         "o.about IS NOT NULL "
         "AND (SELECT count(DISTINCT json_extract(v.doc, '$.person')) FROM item v WHERE v.noun='review' AND "
         "v.about='artefact:' || o.id AND v.state='given' AND json_extract(v.doc, '$.verdict')='yes' AND "
         "json_extract(v.doc, '$.hash')=json_extract(o.doc, '$.hash'))<2");
    none(w, "a party's own person decided",
         "SELECT count(*) FROM item v JOIN item p ON p.noun='person' AND p.id=json_extract(v.doc, "
         "'$.person') WHERE "
         "v.noun='review' AND v.state='given' AND " PARTY_OF("v.about", "p.body") ">0");
    none(w, "signed before the public summary",
         "SELECT count(*) FROM item a, json_each(a.doc, '$.signatures') s WHERE a.noun='agreement' AND "
         "json_extract(s.value, '$.at')<coalesce(json_extract(a.doc, '$.summarised.at'), 1e12)");
    none(w, "in force without every party's signature",
         "SELECT count(*) FROM item a WHERE a.noun='agreement' AND a.state='in_force' AND "
         "json_array_length(a.doc, '$.signatures')<>json_array_length(a.doc, '$.parties')");
    none(w, "old opt-outs",
         "SELECT count(*) FROM entry WHERE verb='run.admit' AND json_extract(text, '$.body.synthetic') IS "
         "NOT 1 AND "
         "julianday(substr(json_extract(text, '$.time'), 1, 10))-julianday(json_extract(text, "
         "'$.body.opt_outs_checked'))>20");
    none(w, "approved without a benefit for patients",
         "SELECT count(*) FROM item p WHERE p.noun='project' AND p.state IN ('approved', 'agreed', 'live', "
         "'closed') AND NOT "
         "EXISTS (SELECT 1 FROM item m WHERE m.noun='measure' AND m.about='project:' || p.id AND "
         "m.state<>'proposed' AND "
         "json_extract(m.doc, '$.for')='patients')");
    none(w, "a budget line confirmed by another body",
         "SELECT count(*) FROM item p, json_each(p.doc, '$.substitutes') l WHERE p.noun='project' AND "
         "json_extract(l.value, '$.confirmed') IS NOT NULL AND json_extract(l.value, '$.confirmed.body')<>"
         "json_extract(l.value, '$.owner')");
    none(w, "two needs of one rank",
         "SELECT count(*) FROM (SELECT body FROM item WHERE noun='signal' AND state='published' AND "
         "json_extract(doc, "
         "'$.side')='need' GROUP BY body, json_extract(doc, '$.rank') HAVING count(*)>1)");
}

/* The yearly sheet adds up to the transfers that were made. */
static void check_disclosure(struct world *w)
{
    struct js *rows;
    int64_t made, total = 0;
    int y, m, d;
    char year[8];
    date_parts((int32_t)(time_now_ms() / 86400000), &y, &m, &d);
    snprintf(year, sizeof year, "%04d", y);
    assert_int_equal(
        db_number(
            db_of(w),
            "SELECT coalesce(sum(json_extract(doc, '$.amount')), 0) FROM item WHERE noun='transfer' AND "
            "state IN ('made', 'disclosed') AND substr(json_extract(doc, '$.date'), 1, 4)=?1",
            PARAMS(year), 0, &made, NULL),
        ST_OK);
    assert_int_equal(export_disclosure(w->s->r, y, &rows, NULL), ST_OK);
    for (size_t i = 1; i < js_size(rows); i++)
        total += js_int(js_at(js_at(rows, i), 7));
    assert_int_equal(total, made);
    js_free(rows);
}

/* Every entry's key belonged to somebody, or the entry is one that makes its key known. */
static enum status key_is_known(void *context, struct db *d, const struct ledger_entry *entry, struct err *e)
{
    int64_t *strangers = context;
    (void)d, (void)e;
    const struct verb *v = verb_find(entry->verb);
    assert_non_null(v);
    assert_int_equal(command_check_signature(entry->json, NULL), ST_OK);
    *strangers += !v->roles;
    return ST_OK;
}

static void run_world(uint64_t seed)
{
    struct world w;
    int64_t strangers = 0;
    world_init(&w, seed);
    for (int i = 0; i < STEPS; i++) {
        step(&w);
        if (i % 500 == 499)
            check_invariants(&w);
    }
    check_disclosure(&w);
    assert_int_equal(ledger_walk(registry_ledger(w.s->r), 0, -1, NULL, key_is_known, &strangers, NULL),
                     ST_OK);
    assert_int_equal(strangers, 0);
    assert_replay_equal(w.s);
    if (w.accepted < STEPS / 50)
        fail_msg("only %zu commands were accepted", w.accepted);
    world_deinit(&w);
}

static void whatever_people_do_the_invariants_hold(void **state)
{
    (void)state;
    run_world(20261122);
}

static void and_with_another_seed(void **state)
{
    (void)state;
    run_world(7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_people_do_the_invariants_hold),
        cmocka_unit_test(and_with_another_seed),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
