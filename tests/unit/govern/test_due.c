/* SPDX-License-Identifier: Apache-2.0
 * What comes about by itself on its day, private annexes, and the sums over the register. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/date.h"
#include "base/mem.h"
#include "govern/agreement.h"
#include "govern/due.h"
#include "govern/items.h"
#include "govern/project.h"
#include "govern/report.h"
#include "story.h"

#define STUDY                                                                                                \
    "{'agreement': 'a1', 'decision': 'Where to look', 'study': {'title': 'COPD by age', 'analyses': "        \
    "[{'kind': 'count'}]}, 'study_hash': '%s'}"

static int32_t today(void)
{
    return (int32_t)(time_now_ms() / 86400000);
}

static int setup(void **state)
{
    struct story *s = story_new();
    story_people(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    story_free(*state);
    return 0;
}

static void refused(struct story *s, const struct identity *who, const char *verb, const char *subject,
                    const char *body, const char *rule)
{
    struct err e = {0};
    char wanted[80];
    snprintf(wanted, sizeof wanted, "rule %s", rule);
    if (act_err(s, who, verb, subject, body, &e) == ST_OK || !strstr(e.text, wanted))
        fail_msg("%s %s: expected '%s', got '%s'", verb, subject, wanted, e.text);
}

static void sql(struct story *s, const char *text)
{
    struct err e = {0};
    if (db_exec(ledger_db(registry_ledger(s->r)), text, &e) != ST_OK)
        fail_msg("%s: %s", text, e.detail);
}

/* What the hub would have to say on a day, as "verb subject;…". */
static char *due_on(struct story *s, int32_t day)
{
    struct js *list;
    struct buf text;
    struct err e = {0};
    buf_init(&text, 4096);
    if (registry_due(s->r, day, &list, &e) != ST_OK)
        fail_msg("due: %s %s", e.text, e.detail);
    buf_adds(&text, "");
    for (size_t i = 0; i < js_size(list); i++)
        buf_printf(&text, "%s %s;", js_get_str(js_at(list, i), "verb"),
                   js_get_str(js_at(list, i), "subject"));
    js_free(list);
    return text.p ? buf_steal(&text) : xstrdup("");
}

static void assert_due(struct story *s, int32_t day, const char *expected)
{
    char *said = due_on(s, day);
    assert_string_equal(said, expected);
    free(said);
}

/* An output of agreement a1, released today: by every rule. */
static void release_output(struct story *s)
{
    struct js *study;
    char hex[2 * HASH_BYTES + 1], hold[300], give[400], release[400];
    assert_int_equal(js_parse(SLICE("{\"title\":\"COPD by age\",\"analyses\":[{\"kind\":\"count\"}]}"),
                              "study", &study, NULL),
                     ST_OK);
    assert_int_equal(doc_hash(study, hex, NULL), ST_OK);
    js_free(study);
    char *request = xasprintf(STUDY, hex);
    must(s, s->analyst, "run.request", "run:r1", request);
    free(request);
    must(s, s->node[0], "run.admit", "run:r1", "{'opt_outs_checked': '$day'}");
    sha256_hex(SLICE("{\"n\":12}"), hex);
    snprintf(hold, sizeof hold, "{'run': 'r1', 'kind': 'result', 'hash': '%s'}", hex);
    must(s, s->node[0], "artefact.hold", "artefact:o1", hold);
    snprintf(give, sizeof give,
             "{'about': 'artefact:o1', 'perspective': 'statistical', 'verdict': 'yes', 'hash': '%s'}", hex);
    must(s, s->checker[0], "review.give", "review:c0", give);
    must(s, s->checker[1], "review.give", "review:c1", give);
    snprintf(release, sizeof release, "{'document': {'n': 12}, 'hash': '%s'}", hex);
    must(s, s->node[0], "artefact.release", "artefact:o1", release);
}

static void a_released_output_becomes_open_by_itself_unless_a_reason_is_given(void **state)
{
    struct story *s = *state;
    char until[11], withhold[120];
    struct identity *lea = person_with(s, "lea", "T0", "lead", NULL);
    story_agreement(s);
    release_output(s);
    assert_due(s, today() + 27, "");
    assert_due(s, today() + 28, "artefact.fall_open artefact:o1;");
    refused(s, s->hub, "artefact.fall_open", "artefact:o1", "", "not-due");
    date_format(today() + 400, until);
    snprintf(withhold, sizeof withhold, "{'reason': 'The journal asks for it', 'until': '%s'}", until);
    refused(s, lea, "artefact.withhold", "artefact:o1", withhold, "withhold");
    assert_int_equal(act(s, lea, "artefact.withhold", "artefact:o1", "{'until': '$later'}"), ST_INVALID);
    date_format(today() + 40, until);
    snprintf(withhold, sizeof withhold, "{'reason': 'The journal asks for it', 'until': '%s'}", until);
    must(s, lea, "artefact.withhold", "artefact:o1", withhold);
    assert_due(s, today() + 40, "");
    assert_due(s, today() + 41, "artefact.fall_open artefact:o1;");
    assert_replay_equal(s);
    sql(s, "UPDATE item SET doc=json_set(json_remove(doc, '$.withheld'), '$.released.time', "
           "'2020-01-01T00:00:00Z') WHERE noun='artefact'");
    must(s, s->hub, "artefact.fall_open", "artefact:o1", "");
    assert_string_equal(state_of(s, "artefact", "o1"), "open");
    struct js *item;
    assert_int_equal(registry_item(s->r, "artefact", "o1", &item, NULL), ST_OK);
    assert_string_equal(js_get_str(item, "licence"), "OGL-UK-3.0");
    assert_string_equal(js_get_str(item, "title"), "COPD by age");
    assert_non_null(strstr(js_get_str(item, "lay"), "Where to look"));
    js_free(item);
    assert_due(s, today() + 400, "");
    identity_free(lea);
}

static void an_agreement_sets_its_own_days(void **state)
{
    struct story *s = *state;
    story_agreement(s);
    release_output(s);
    sql(s, "UPDATE item SET doc=json_set(doc, '$.open_after_days', 3) WHERE noun='agreement'");
    assert_due(s, today() + 2, "");
    assert_due(s, today() + 3, "artefact.fall_open artefact:o1;");
    sql(s, "UPDATE item SET doc=json_set(doc, '$.open_after_days', 0) WHERE noun='agreement'");
    assert_due(s, today(), "artefact.fall_open artefact:o1;");
    must(s, s->hub, "artefact.fall_open", "artefact:o1", "");
}

static void an_emergency_lane_closes_itself_and_ends_its_runs(void **state)
{
    struct story *s = *state;
    char hex[2 * HASH_BYTES + 1];
    struct identity *lea = person_with(s, "lea", "T0", "lead", NULL);
    story_agreement(s);
    must(s, lea, "project.draft", "project:p",
         "{'title': 'A new virus', 'body': 'T0', 'parties': [{'body': 'T0', 'role': 'lead'}], 'emergency': "
         "{'reason': 'A new virus', 'until': '$day'}}");
    sql(s, "UPDATE item SET state='live' WHERE noun='project'; UPDATE item SET about='project:p' WHERE "
           "noun='agreement'");
    struct js *study;
    assert_int_equal(js_parse(SLICE("{\"title\":\"COPD by age\",\"analyses\":[{\"kind\":\"count\"}]}"),
                              "study", &study, NULL),
                     ST_OK);
    assert_int_equal(doc_hash(study, hex, NULL), ST_OK);
    js_free(study);
    char *request = xasprintf(STUDY, hex);
    must(s, s->analyst, "run.request", "run:r1", request);
    free(request);
    assert_due(s, today(), "");
    assert_due(s, today() + 1, "project.lapse project:p;");
    refused(s, s->hub, "project.lapse", "project:p", "", "not-due");
    refused(s, lea, "project.lapse", "project:p", "", "permission");
    sql(s, "UPDATE item SET doc=json_set(doc, '$.emergency.until', '2020-01-01') WHERE noun='project'");
    must(s, s->hub, "project.lapse", "project:p", "");
    assert_string_equal(state_of(s, "project", "p"), "paused");
    assert_string_equal(state_of(s, "run", "r1"), "killed");
    refused(s, lea, "project.resume", "project:p", "{'reason': 'on with it'}", "emergency-lane");
    identity_free(lea);
}

/* --- private annexes ------------------------------------------------------------------------------------ */

#define ANNEX(agreement, body)                                                                               \
    "{'agreement': '" agreement "', 'body': '" body                                                          \
    "', 'title': 'Unit prices', 'why': 'Commercial', 'text': "                                               \
    "'personal:Forty pounds a device.'}"
#define DRAFT                                                                                                \
    "{'title': 'COPD', 'template': '0000000000000000000000000000000000000000000000000000000000000008', "     \
    "'parties': [{'body': 'T0', 'role': 'lead_site'}, {'body': 'acme', 'role': 'partner'}, {'body': "        \
    "'rival', 'role': 'partner'}], 'annex': {'analyses': ['count'], 'studies': ['any']}, 'from': '$day', "   \
    "'to': '$later', 'purpose': 'Find undiagnosed COPD', 'access': 'nhs_runs', 'use': 'commercial', "        \
    "'exit_plan': 'The work ends with the term.', 'quote': [{'code': 'application', 'quantity': 1}]}"

static enum status reads(struct story *s, const char *person, struct js **out)
{
    struct err e = {0};
    enum status status = annex_read(s->r, "x1", person, today(), out, &e);
    if (status == ST_DENIED)
        assert_non_null(strstr(e.text, "rule private-annex"));
    return status;
}

static void a_private_annex_is_read_by_its_own_company_and_the_nhs_alone(void **state)
{
    struct story *s = *state;
    static const char *const may[] = {"sid", "signer0", "cerys", "una"}, *const may_not[] = {
                                                                             "rhea", "chris", "ada",
                                                                             "cert-of-rival", "nobody"};
    must(s, s->steward, "body.add", "body:rival", "{'name': 'Rival', 'kind': 'company'}");
    struct identity *rhea = person_with(s, "rhea", "rival", "signatory", NULL),
                    *una = person_with(s, "una", "acme", "lead", NULL),
                    *cert = person_with(s, "cert-of-rival", "rival", "certifier", NULL);
    must(s, s->signer[SITES], "agreement.draft", "agreement:a2", DRAFT);
    refused(s, rhea, "annex.add", "annex:x1", ANNEX("a2", "acme"), "permission");
    refused(s, s->signer[1], "annex.add", "annex:x1", ANNEX("a2", "T1"), "permission"); /* no party */
    must(s, s->signer[SITES], "annex.add", "annex:x1", ANNEX("a2", "acme"));
    must(s, rhea, "annex.add", "annex:x2", ANNEX("a2", "rival"));
    for (size_t i = 0; i < sizeof may / sizeof *may; i++) {
        struct js *annex = NULL;
        assert_int_equal(reads(s, may[i], &annex), ST_OK);
        assert_string_equal(js_get_str(annex, "text"), "Forty pounds a device.");
        js_free(annex);
    }
    for (size_t i = 0; i < sizeof may_not / sizeof *may_not; i++) {
        struct js *annex = NULL;
        assert_int_equal(reads(s, may_not[i], &annex), ST_DENIED);
        assert_null(annex);
    }
    identity_free(rhea);
    identity_free(una);
    identity_free(cert);
    assert_replay_equal(s);
}

static void a_private_annex_is_among_the_terms_that_are_signed(void **state)
{
    struct story *s = *state;
    must(s, s->steward, "body.add", "body:rival", "{'name': 'Rival', 'kind': 'company'}");
    must(s, s->signer[SITES], "agreement.draft", "agreement:a2", DRAFT);
    char *before = terms_of(s, "a2");
    must(s, s->signer[SITES], "annex.add", "annex:x1", ANNEX("a2", "acme"));
    char *with = terms_of(s, "a2");
    assert_string_not_equal(before, with);
    must(s, s->signer[SITES], "annex.add", "annex:x1", ANNEX("a2", "acme")); /* another salt, another hash */
    char *changed = terms_of(s, "a2");
    assert_string_not_equal(with, changed);
    must(s, s->signer[SITES], "annex.withdraw", "annex:x1", "{'reason': 'Not needed'}");
    must(s, s->signer[SITES], "annex.add", "annex:x3", ANNEX("a2", "acme"));
    must(s, s->certifier, "agreement.check", "agreement:a2", "");
    refused(s, s->signer[SITES], "annex.add", "annex:x3", ANNEX("a2", "acme"), "annex-in-draft");
    refused(s, s->signer[SITES], "annex.withdraw", "annex:x3", "{'reason': 'x'}", "annex-in-draft");
    free(before);
    free(with);
    free(changed);
    assert_replay_equal(s);
}

/* --- sums -------------------------------------------------------------------------------------------------
 */

static void the_total_of_transfers_is_the_sum_of_those_made(void **state)
{
    struct story *s = *state;
    struct js *rows, *all;
    int64_t sum = 0;
    story_agreement(s);
    must(s, s->signer[SITES], "transfer.promise", "transfer:t1",
         "{'agreement': 'a1', 'from': 'acme', 'to': 'T0', 'mechanism': 'royalty', 'amount': 12345}");
    must(s, s->signer[0], "transfer.promise", "transfer:t2",
         "{'agreement': 'a1', 'from': 'T0', 'to': 'acme', 'mechanism': 'in_kind', 'amount': 500}");
    must(s, s->signer[SITES], "transfer.make", "transfer:a1.t1",
         "{'date': '2025-03-01', 'category': 'service-fee'}");
    must(s, s->signer[SITES], "transfer.make", "transfer:t1",
         "{'date': '2026-03-01', 'category': 'research'}");
    must(s, s->signer[SITES], "transfer.disclose", "transfer:t1", "");
    must(s, s->signer[0], "transfer.make", "transfer:t2",
         "{'date': '2026-04-01', 'category': 'joint-working'}");
    assert_int_equal(report_transfers(s->r, &rows, NULL), ST_OK);
    assert_int_equal(js_size(rows), 3);
    all = js_share(js_at(rows, 2));
    assert_string_equal(js_get_str(all, "year"), "all");
    assert_string_equal(js_get_str(js_at(rows, 1), "year"), "2026");
    assert_int_equal(js_get_int(js_at(rows, 1), "to_nhs", -1), 12345);
    assert_int_equal(js_get_int(js_at(rows, 1), "from_nhs", -1), 500);
    assert_int_equal(js_get_int(js_at(rows, 0), "made", -1), 143100 + 2 * 43400);
    for (size_t i = 0; i < 2; i++)
        sum += js_get_int(js_at(rows, i), "made", 0);
    assert_int_equal(js_get_int(all, "made", -1), sum);
    assert_int_equal(js_get_int(all, "payments", -1), 3);
    js_free(all);
    js_free(rows);
}

/* The document's member has a name of its own, so that the API shows both. */
static void who_made_a_transfer_is_not_hidden_by_when_the_item_was_made(void **state)
{
    struct story *s = *state;
    struct js *item;
    story_agreement(s);
    must(s, s->signer[SITES], "transfer.make", "transfer:a1.t1",
         "{'date': '2026-03-01', 'category': 'service-fee'}");
    assert_int_equal(registry_item(s->r, "transfer", "a1.t1", &item, NULL), ST_OK);
    assert_string_equal(js_get_str(js_get(item, "made_by"), "person"), "sid");
    assert_true(js_get_int(item, "made", -1) > 0);
    assert_true(js_get_int(item, "made", -1) < js_get_int(js_get(item, "made_by"), "at", -1));
    js_free(item);
}

static void a_project_reports_by_group(void **state)
{
    struct story *s = *state;
    struct js *report;
    struct identity *lea = person_with(s, "lea", "T0", "lead", NULL),
                    *rev = person_with(s, "rev", "uni", "reviewer", "patient");
    must(s, s->steward, "vocabulary.load", "vocabulary:plus-group",
         "{'version': '1', 'source': 'test', 'rows': [{'code': 'homeless', 'label': 'People without a "
         "home'}]}");
    must(s, lea, "project.draft", "project:p",
         "{'title': 'x', 'body': 'T0', 'parties': [{'body': 'T0', 'role': 'lead'}], 'areas': ['E01000001'], "
         "'groups': [{'scheme': 'plus-group', 'code': 'homeless'}]}");
    must(s, lea, "measure.propose", "measure:m1",
         "{'project': 'p', 'title': 'Found', 'role': 'benefit', 'for': 'patients', 'unit': 'people', "
         "'better': "
         "'higher', 'group': 'plus-group:homeless'}");
    must(s, rev, "measure.accept", "measure:m1", "");
    must(s, lea, "measure.baseline", "measure:m1", "{'baseline': 10, 'date': '2025-01-01', 'source': 'x'}");
    must(s, lea, "measure.read", "measure:m1", "{'value': 14, 'date': '2026-01-01', 'source': 'x'}");
    assert_int_equal(report_project(s->r, "p", &report, NULL), ST_OK);
    const struct js *m = js_at(js_get(report, "measures"), 0);
    assert_string_equal(js_get_str(m, "group"), "plus-group:homeless");
    assert_true(js_num(js_get(m, "change")) == 4.0);
    assert_string_equal(js_str(js_at(js_get(report, "areas"), 0)), "E01000001");
    assert_string_equal(js_str(js_at(js_get(report, "groups"), 0)), "plus-group:homeless");
    js_free(report);
    must(s, lea, "project.edit", "project:p", "{'areas': ['LS1 4AP']}");
    struct js *item, *faults = js_array();
    bool named = false;
    assert_int_equal(registry_item(s->r, "project", "p", &item, NULL), ST_OK);
    assert_int_equal(project_faults(ledger_db(registry_ledger(s->r)), item, faults, NULL), ST_OK);
    for (size_t i = 0; i < js_size(faults); i++)
        named |= strstr(js_str(js_at(faults, i)), "rule small-area") != NULL;
    assert_true(named);
    js_free(item);
    js_free(faults);
    identity_free(lea);
    identity_free(rev);
}

static void twelve_environments_are_listed_with_count_price_and_contact(void **state)
{
    struct story *s = *state;
    struct js *list;
    must(s, s->steward, "body.add", "body:sde-1",
         "{'name': 'One', 'kind': 'sde', 'prices': 'prices-sde', 'contact': 'https://one.example', "
         "'minimum_count': 7}");
    must(s, s->steward, "body.add", "body:sde-2", "{'name': 'Two', 'kind': 'sde', 'contact': 'https://two'}");
    assert_int_equal(report_environments(s->r, &list, NULL), ST_OK);
    assert_int_equal(js_size(list), 2);
    assert_int_equal(js_get_int(js_at(list, 0), "minimum_count", 0), 7);
    assert_string_equal(js_get_str(js_at(list, 0), "minimum_count_source"), "its own");
    assert_int_equal(js_get_int(js_at(list, 1), "minimum_count", 0), 10);
    assert_string_equal(js_get_str(js_at(list, 1), "prices"), "by quote");
    js_free(list);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_released_output_becomes_open_by_itself_unless_a_reason_is_given),
        CASE(an_agreement_sets_its_own_days),
        CASE(an_emergency_lane_closes_itself_and_ends_its_runs),
        CASE(a_private_annex_is_read_by_its_own_company_and_the_nhs_alone),
        CASE(a_private_annex_is_among_the_terms_that_are_signed),
        CASE(the_total_of_transfers_is_the_sum_of_those_made),
        CASE(who_made_a_transfer_is_not_hidden_by_when_the_item_was_made),
        CASE(a_project_reports_by_group),
        CASE(twelve_environments_are_listed_with_count_price_and_contact),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
