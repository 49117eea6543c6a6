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

static void request_run(struct world *w, const char *run)
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
    if (registry_act(w->s->r, w->s->analyst, "run.request", subject, body, &e) != ST_OK)
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
    request_run(w, "r1");
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

static struct js *proofs_of(struct world *w, const char *subject)
{
    struct ledger *l = registry_ledger(w->s->r);
    struct js *numbers = js_array(), *proofs = js_array();
    struct err e = {0};
    assert_int_equal(ledger_walk(l, 0, -1, subject, note_number, numbers, &e), ST_OK);
    for (size_t i = 0; i < js_size(numbers); i++) {
        struct js *proof;
        assert_int_equal(proof_make(l, js_int(js_at(numbers, i)), &proof, &e), ST_OK);
        js_push(proofs, proof);
    }
    js_free(numbers);
    return proofs;
}

static struct js *dossier_of(struct world *w, const char *run)
{
    struct js *d = js_object();
    char *subject = xasprintf("run:%s", run);
    struct js *requests = proofs_of(w, subject);
    js_put(d, "request", js_share(js_at(requests, 0)));
    js_put(d, "agreement", proofs_of(w, "agreement:a1"));
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
        cmocka_unit_test(attempts_are_checked_too),
        cmocka_unit_test(a_revoked_agreement_ends_it),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
