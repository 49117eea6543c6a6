/* SPDX-License-Identifier: Apache-2.0
 * What a node checks for itself: a true dossier passes, and each thing wrong with it is refused by its rule.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../govern/story.h"
#include "base/file.h"
#include "base/mem.h"
#include "grid/node_state.h"
#include "ledger/proof.h"

static const char study[] =
    "{'title': 'Count', 'cohorts': [{'name': 'all', 'definition': {'ConceptSets': [], 'PrimaryCriteria': "
    "{'CriteriaList': [{'ConditionOccurrence': {}}], 'ObservationWindow': {'PriorDays': 0, 'PostDays': 0}, "
    "'PrimaryCriteriaLimit': {'Type': 'First'}}, 'QualifiedLimit': {'Type': 'First'}, 'ExpressionLimit': "
    "{'Type': "
    "'First'}, 'InclusionRules': [], 'CensoringCriteria': [], 'CollapseSettings': {'CollapseType': 'ERA', "
    "'EraPad': "
    "0}}}], 'analyses': [{'kind': 'count', 'name': 'n', 'cohort': 'all'}]}";

struct world {
    struct story *s;
    struct node *node; /* of T1 */
    char folder[64];
};

static void request_run(struct world *w, const struct identity *analyst, const char *run)
{
    struct err e = {0};
    struct buf text;
    struct js *document = NULL, *body = js_object();
    char hash[2 * HASH_BYTES + 1], *quoted = xstrdup(study), *subject = xasprintf("run:%s", run);
    for (char *p = quoted; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    assert_int_equal(js_parse(slice_of(quoted), "study", &document, &e), ST_OK);
    buf_init(&text, 1 << 20);
    assert_int_equal(js_canonical(document, &text, &e), ST_OK);
    sha256_hex(buf_slice(&text), hash);
    js_put_str(body, "agreement", "a1");
    js_put(body, "study", document);
    js_put_str(body, "study_hash", hash);
    js_put_str(body, "decision", "a test");
    if (registry_act(w->s->r, analyst, "run.request", subject, body, &e) != ST_OK)
        fail_msg("%s", e.text);
    buf_deinit(&text);
    free(quoted);
    free(subject);
}

static void open_node(struct world *w)
{
    struct err e = {0};
    struct buf vkey;
    char key[65], *policy = xasprintf("%s/node.yaml", w->folder);
    assert_int_equal(node_init(w->folder, key, &e), ST_OK);
    assert_int_equal(file_replace(policy, SLICE("opt_out:\n  required: false\n"), 0644, &e), ST_OK);
    assert_int_equal(node_open(w->folder, false, NULL, &w->node, &e), ST_OK);
    buf_init(&vkey, 1024);
    note_vkey_format(ledger_key(registry_ledger(w->s->r)), &vkey);
    assert_int_equal(note_vkey_parse(buf_slice(&vkey), &w->node->hub_key, &e), ST_OK);
    w->node->body = xstrdup("T1");
    buf_deinit(&vkey);
    free(policy);
}

static int begin(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    w->s = story_new();
    story_people(w->s);
    story_agreement(w->s);
    snprintf(w->folder, sizeof w->folder, "/tmp/accord-node-%ld", (long)getpid());
    open_node(w);
    request_run(w, w->s->analyst, "r1");
    *state = w;
    return 0;
}

static int end(void **state)
{
    struct world *w = *state;
    node_close(w->node);
    story_free(w->s);
    assert_int_equal(dir_remove(w->folder, NULL), ST_OK);
    free(w);
    return 0;
}

static enum status note_number(void *context, struct db *d, const struct ledger_entry *entry, struct err *e)
{
    (void)d, (void)e;
    js_push(context, js_integer(entry->seq));
    return ST_OK;
}

/* Takes the numbers over. */
static struct js *prove_all(struct ledger *l, struct js *numbers)
{
    struct js *proofs = js_array();
    struct err e = {0};
    for (size_t i = 0; i < js_size(numbers); i++) {
        struct js *proof;
        assert_int_equal(proof_make(l, js_int(js_at(numbers, i)), &proof, &e), ST_OK);
        js_push(proofs, proof);
    }
    js_free(numbers);
    return proofs;
}

static struct js *proofs_of(struct world *w, const char *subject)
{
    struct ledger *l = registry_ledger(w->s->r);
    struct js *numbers = js_array();
    struct err e = {0};
    assert_int_equal(ledger_walk(l, 0, -1, subject, note_number, numbers, &e), ST_OK);
    return prove_all(l, numbers);
}

struct picked {
    const char *const *subjects;
    struct js *numbers;
};

static enum status pick(void *context, struct db *d, const struct ledger_entry *entry, struct err *e)
{
    struct picked *p = context;
    for (int i = 0; p->subjects[i]; i++)
        if (strcmp(entry->subject, p->subjects[i]) == 0)
            return note_number(p->numbers, d, entry, e);
    return ST_OK;
}

/* What a hub shows of an analyst, from its log. */
static struct js *analyst_in(struct ledger *l, const char *person, const char *body)
{
    char *registered = xasprintf("person:%s", person),
         *grant = xasprintf("grant:%s.analyst.%s", person, body);
    const char *const subjects[] = {"register:accord", registered, grant, NULL};
    struct picked p = {subjects, js_array()};
    struct js *shown = js_object();
    struct err e = {0};
    assert_int_equal(ledger_walk(l, 0, -1, NULL, pick, &p, &e), ST_OK);
    js_put_str(shown, "person", person);
    js_put_str(shown, "body", body);
    js_put(shown, "entries", prove_all(l, p.numbers));
    free(registered);
    free(grant);
    return shown;
}

static struct js *dossier_of(struct world *w, const char *run)
{
    struct js *d = js_object();
    char *subject = xasprintf("run:%s", run);
    struct js *requests = proofs_of(w, subject);
    js_put(d, "request", js_share(js_at(requests, 0)));
    js_put(d, "agreement", proofs_of(w, "agreement:a1"));
    js_put(d, "analyst", analyst_in(registry_ledger(w->s->r), "ada", "acme"));
    js_free(requests);
    free(subject);
    return d;
}

/* Takes the dossier over; rule NULL = it is to pass. */
static void expect_rule(struct world *w, struct js *dossier, const char *rule)
{
    struct node_run r = {0};
    struct err e = {0};
    char named[32] = "";
    enum status s = request_check(w->node, dossier, &r, named, &e);
    if (rule ? s == ST_OK || strcmp(named, rule) != 0 : s != ST_OK)
        fail_msg("expected %s, got '%s': %s", rule ? rule : "no refusal", named, e.text);
    node_run_deinit(&r);
    js_free(dossier);
}

static void a_true_dossier_passes(void **state)
{
    struct world *w = *state;
    struct node_run r = {0};
    char rule[32] = "";
    struct js *d = dossier_of(w, "r1");
    assert_int_equal(request_check(w->node, d, &r, rule, NULL), ST_OK);
    assert_string_equal(js_get_str(r.terms, "lead_site"), "T0");
    assert_int_equal(js_size(js_get(r.terms, "sites")), 3);
    node_run_deinit(&r);
    js_free(d);
}

static void a_changed_entry_is_not_in_the_log(void **state)
{
    struct world *w = *state;
    struct js *true_one = dossier_of(w, "r1"), *d = js_copy(true_one);
    struct js *request = js_copy(js_get(d, "request")), *entry = js_copy(js_get(request, "entry"));
    js_put_str(entry, "subject", "run:other");
    js_put(request, "entry", entry);
    js_put(d, "request", request);
    js_free(true_one);
    expect_rule(w, d, "inclusion");
}

static void another_hubs_log_counts_for_nothing(void **state)
{
    struct world *w = *state;
    struct identity *other = identity_new();
    struct note_key kept = w->node->hub_key;
    memcpy(w->node->hub_key.public_key, other->sign_public, SIGN_PUBLIC_BYTES);
    expect_rule(w, dossier_of(w, "r1"), "inclusion");
    w->node->hub_key = kept;
    identity_free(other);
}

static void a_missing_signature_is_seen(void **state)
{
    struct world *w = *state;
    struct js *d = dossier_of(w, "r1"), *fewer = js_array();
    const struct js *all = js_get(d, "agreement");
    for (size_t i = 0; i + 1 < js_size(all); i++)
        js_push(fewer, js_share(js_at(all, i)));
    js_put(d, "agreement", fewer);
    expect_rule(w, d, "agreement");
}

static void entries_of_another_item_or_order_are_refused(void **state)
{
    struct world *w = *state;
    struct js *d = dossier_of(w, "r1"), *twice = js_array();
    const struct js *all = js_get(d, "agreement");
    for (size_t i = 0; i < js_size(all); i++)
        js_push(twice, js_share(js_at(all, 0)));
    js_put(d, "agreement", twice);
    expect_rule(w, d, "inclusion");
    d = dossier_of(w, "r1");
    js_put(d, "request", js_share(js_at(js_get(d, "agreement"), 0)));
    expect_rule(w, d, "request");
}

static void a_site_that_is_not_named_takes_no_part(void **state)
{
    struct world *w = *state;
    char *kept = w->node->body;
    w->node->body = xstrdup("T9");
    expect_rule(w, dossier_of(w, "r1"), "site");
    free(w->node->body);
    w->node->body = kept;
}

/* The dossier of r1 without the analyst's entries of a verb. */
static struct js *dossier_without(struct world *w, const char *verb)
{
    struct js *d = dossier_of(w, "r1"), *kept = js_array(), *shown = js_edit(d, "analyst");
    const struct js *all = js_get(shown, "entries");
    for (size_t i = 0; i < js_size(all); i++)
        if (strcmp(js_get_str(js_get(js_at(all, i), "entry"), "verb"), verb) != 0)
            js_push(kept, js_share(js_at(all, i)));
    assert_true(js_size(kept) < js_size(all));
    js_put(shown, "entries", kept);
    return d;
}

static struct js *dossier_by(struct world *w, const char *run, const char *person, const char *body)
{
    struct js *d = dossier_of(w, run);
    js_put(d, "analyst", analyst_in(registry_ledger(w->s->r), person, body));
    return d;
}

static void what_makes_an_analyst_must_be_shown(void **state)
{
    struct world *w = *state;
    struct js *d = dossier_of(w, "r1");
    js_drop(d, "analyst");
    expect_rule(w, d, "analyst");
    expect_rule(w, dossier_without(w, "person.register"), "analyst");
    expect_rule(w, dossier_without(w, "grant.offer"), "analyst");
    expect_rule(w, dossier_without(w, "grant.hold"), "analyst");
    expect_rule(w, dossier_without(w, "person.declare"), "interests-declared");
    expect_rule(w, dossier_without(w, "person.prove"), "training");
}

static void another_analyst_is_not_the_one_who_asked(void **state)
{
    struct world *w = *state;
    struct identity *olga = person_with(w->s, "olga", "acme", "analyst", NULL);
    expect_rule(w, dossier_by(w, "r1", "olga", "acme"), "analyst");
    struct js *d = dossier_of(w, "r1");
    js_put_str(js_edit(d, "analyst"), "person", "olga"); /* with ada's entries */
    expect_rule(w, d, "inclusion");
    identity_free(olga);
}

static void an_analyst_of_no_party_is_refused(void **state)
{
    struct world *w = *state;
    must(w->s, w->s->steward, "grant.offer", "grant:ada.analyst.uni",
         "{'person': 'ada', 'role': 'analyst', 'body': 'uni', 'until': '$later'}");
    must(w->s, w->s->analyst, "grant.hold", "grant:ada.analyst.uni", "");
    expect_rule(w, dossier_by(w, "r1", "ada", "uni"), "analyst");
}

static void the_analysts_entries_are_of_this_log_and_in_order(void **state)
{
    struct world *w = *state;
    struct story *other = story_new();
    story_people(other);
    struct js *d = dossier_of(w, "r1"), *turned = js_array();
    js_put(d, "analyst", analyst_in(registry_ledger(other->r), "ada", "acme"));
    expect_rule(w, d, "inclusion");
    story_free(other);
    d = dossier_of(w, "r1");
    const struct js *all = js_get(js_get(d, "analyst"), "entries");
    for (size_t i = js_size(all); i-- > 0;)
        js_push(turned, js_share(js_at(all, i)));
    js_put(js_edit(d, "analyst"), "entries", turned);
    expect_rule(w, d, "inclusion");
}

/* What was true at the hub when the run was asked for, and no longer is. */
static void training_that_has_run_out_is_no_training(void **state)
{
    struct world *w = *state;
    struct identity *late = person_with(w->s, "late", "acme", "analyst", NULL);
    request_run(w, late, "r2");
    expect_rule(w, dossier_by(w, "r2", "late", "acme"), NULL);
    must(w->s, w->s->steward, "person.prove", "person:late",
         "{'kind': 'safe-researcher', 'until': '2020-01-01'}");
    struct js *d = dossier_by(w, "r2", "late", "acme"), *kept = js_array(), *shown = js_edit(d, "analyst");
    const struct js *all = js_get(shown, "entries");
    for (size_t i = 0; i < js_size(all); i++) {
        const struct js *entry = js_get(js_at(all, i), "entry");
        if (strcmp(js_get_str(entry, "verb"), "person.prove") != 0 || i + 1 == js_size(all))
            js_push(kept, js_share(js_at(all, i)));
    }
    js_put(shown, "entries", kept);
    expect_rule(w, d, "training");
    identity_free(late);
}

static void a_revoked_grant_counts_again_when_it_is_taken_on_again(void **state)
{
    struct world *w = *state;
    const char *grant = "grant:ada.analyst.acme";
    must(w->s, w->s->steward, "grant.revoke", grant, "{'reason': 'a test'}");
    expect_rule(w, dossier_of(w, "r1"), "analyst");
    must(w->s, w->s->steward, "grant.renew", grant, "{'until': '$later'}");
    expect_rule(w, dossier_of(w, "r1"), "analyst");
    must(w->s, w->s->analyst, "grant.hold", grant, "");
    expect_rule(w, dossier_of(w, "r1"), NULL);
    must(w->s, w->s->steward, "grant.renew", grant, "{'until': '2020-01-01'}");
    expect_rule(w, dossier_of(w, "r1"), NULL); /* offered, not yet taken on */
    must(w->s, w->s->analyst, "grant.hold", grant, "");
    expect_rule(w, dossier_of(w, "r1"), "analyst");
    must(w->s, w->s->steward, "grant.renew", grant, "{'until': '$later'}");
    must(w->s, w->s->analyst, "grant.hold", grant, "");
}

static void the_founding_steward_may_be_an_analyst(void **state)
{
    struct world *w = *state;
    struct identity *sue = person_with(w->s, "sue", "national", "steward", NULL);
    const char *grant = "grant:stella.analyst.acme";
    must(w->s, sue, "person.prove", "person:stella", "{'kind': 'safe-researcher', 'until': '$later'}");
    must(w->s, w->s->steward, "person.declare", "person:stella", "{'nil': true}");
    must(w->s, sue, "grant.offer", grant,
         "{'person': 'stella', 'role': 'analyst', 'body': 'acme', 'until': '$later'}");
    must(w->s, w->s->steward, "grant.hold", grant, "");
    request_run(w, w->s->steward, "r3");
    expect_rule(w, dossier_by(w, "r3", "stella", "acme"), NULL);
    identity_free(sue);
}

static void a_key_that_was_given_up_is_refused(void **state)
{
    struct world *w = *state;
    struct identity *old = person_with(w->s, "rex", "acme", "analyst", NULL), *new = identity_new();
    char hex[65];
    request_run(w, old, "r4");
    expect_rule(w, dossier_by(w, "r4", "rex", "acme"), NULL);
    hex_encode(new->sign_public, SIGN_PUBLIC_BYTES, hex);
    char *body = xasprintf("{'key': '%s'}", hex);
    must(w->s, old, "person.rekey", "person:rex", body);
    expect_rule(w, dossier_by(w, "r4", "rex", "acme"), "analyst");
    request_run(w, new, "r5");
    expect_rule(w, dossier_by(w, "r5", "rex", "acme"), NULL);
    must(w->s, new, "person.erase", "person:rex", "");
    expect_rule(w, dossier_by(w, "r5", "rex", "acme"), "analyst");
    free(body);
    identity_free(old);
    identity_free(new);
}

static struct js *work_of(struct world *w, const char *const *bodies)
{
    struct js *work = js_object(), *sites = js_array();
    char hex[65];
    for (int i = 0; bodies[i]; i++) {
        struct js *site = js_object();
        const uint8_t *key =
            strcmp(bodies[i], "T1") == 0 ? w->node->id->sign_public : w->s->node[i]->sign_public;
        hex_encode(key, SIGN_PUBLIC_BYTES, hex);
        js_put_str(site, "body", bodies[i]);
        js_put_str(site, "node", hex);
        js_push(sites, site);
        if (i == 0)
            js_put_str(work, "lead", hex);
    }
    js_put_str(work, "run", "r1");
    js_put_int(work, "round", 1);
    js_put_int(work, "attempt", 1);
    js_put(work, "sites", sites);
    return work;
}

static void check_attempt(struct world *w, struct js *work, const char *says)
{
    struct node_run r = {0};
    struct err e = {0};
    char rule[32];
    struct js *d = dossier_of(w, "r1");
    assert_int_equal(request_check(w->node, d, &r, rule, &e), ST_OK);
    enum status s = attempt_check(w->node, &r, work, &e);
    if (says ? s == ST_OK || !strstr(e.text, says) : s != ST_OK)
        fail_msg("expected '%s', got %s", says ? says : "no refusal", e.text);
    node_run_deinit(&r);
    js_free(d);
    js_free(work);
}

static void attempts_are_checked_too(void **state)
{
    struct world *w = *state;
    const char *good[] = {"T0", "T1", "T2", NULL}, *strange[] = {"T0", "T1", "acme", NULL},
               *other_lead[] = {"T2", "T1", "T0", NULL};
    check_attempt(w, work_of(w, good), NULL);
    check_attempt(w, work_of(w, strange), "not of the agreement");
    struct js *work = work_of(w, good), *site = js_copy(js_at(js_get(work, "sites"), 2)), *sites = js_array();
    js_put_str(site, "node", "0000000000000000000000000000000000000000000000000000000000000000");
    js_push(sites, js_share(js_at(js_get(work, "sites"), 0)));
    js_push(sites, js_share(js_at(js_get(work, "sites"), 1)));
    js_push(sites, site);
    js_put(work, "sites", sites);
    check_attempt(w, work, "not the one known here"); /* T2's key was pinned above */
    work = work_of(w, good);
    js_put_int(work, "round", 2);
    check_attempt(w, work, "has not asked for this round");
    assert_int_equal(node_trust(w->folder, "T0", w->node->key_hex, NULL), ST_OK);
    check_attempt(w, work_of(w, other_lead), "not the one known here");
}

static void a_revoked_agreement_ends_it(void **state)
{
    struct world *w = *state;
    must(w->s, w->s->controller, "agreement.revoke", "agreement:a1", "{'reason': 'a test'}");
    expect_rule(w, dossier_of(w, "r1"), "in-force");
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_true_dossier_passes),
        cmocka_unit_test(a_changed_entry_is_not_in_the_log),
        cmocka_unit_test(another_hubs_log_counts_for_nothing),
        cmocka_unit_test(a_missing_signature_is_seen),
        cmocka_unit_test(entries_of_another_item_or_order_are_refused),
        cmocka_unit_test(a_site_that_is_not_named_takes_no_part),
        cmocka_unit_test(what_makes_an_analyst_must_be_shown),
        cmocka_unit_test(another_analyst_is_not_the_one_who_asked),
        cmocka_unit_test(an_analyst_of_no_party_is_refused),
        cmocka_unit_test(the_analysts_entries_are_of_this_log_and_in_order),
        cmocka_unit_test(training_that_has_run_out_is_no_training),
        cmocka_unit_test(a_revoked_grant_counts_again_when_it_is_taken_on_again),
        cmocka_unit_test(the_founding_steward_may_be_an_analyst),
        cmocka_unit_test(a_key_that_was_given_up_is_refused),
        cmocka_unit_test(attempts_are_checked_too),
        cmocka_unit_test(a_revoked_agreement_ends_it),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
