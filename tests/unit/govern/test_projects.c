/* SPDX-License-Identifier: Apache-2.0
 * From a need to what came of it: the rules on the way, matching, money, erasure, clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/date.h"
#include "base/mem.h"
#include "govern/calendar.h"
#include "govern/export.h"
#include "govern/items.h"
#include "govern/match.h"
#include "govern/project.h"
#include "govern/search.h"
#include "story.h"

static struct identity *lead, *partner_lead, *reviewer[5], *finance_owner;
static const char *const perspectives[] = {"patient", "clinical", "research", "finance", "commercial"};

static int setup(void **state)
{
    struct story *s = story_new();
    story_people(s);
    lead = person_with(s, "lea", "T0", "lead", NULL);
    partner_lead = person_with(s, "lena", "acme", "lead", NULL);
    finance_owner = person_with(s, "finn", "T2", "signatory", NULL);
    for (int i = 0; i < 5; i++) {
        char *id = xasprintf("rev-%s", perspectives[i]);
        reviewer[i] = person_with(s, id, "uni", "reviewer", perspectives[i]);
        free(id);
    }
    must(s, s->steward, "vocabulary.load", "vocabulary:qof",
         "{'version': '1', 'source': 'test', 'rows': [{'code': 'COPD', 'label': 'COPD'}, {'code': 'AST', "
         "'label': "
         "'Asthma'}, {'code': 'HF', 'label': 'Heart failure'}, {'code': 'OLD', 'label': 'Retired', 'to': "
         "'2020-01-01'}]}");
    must(s, s->steward, "vocabulary.load", "vocabulary:pathway-stage",
         "{'version': '1', 'source': 'test', 'rows': [{'code': 'diagnostics', 'label': 'Diagnostics'}]}");
    must(s, s->steward, "vocabulary.load", "vocabulary:bank-holidays",
         "{'version': '1', 'source': 'test', 'rows': [{'code': '2026-12-25', 'label': 'Christmas Day'}, "
         "{'code': "
         "'2026-12-28', 'label': 'Boxing Day'}]}");
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    identity_free(lead);
    identity_free(partner_lead);
    identity_free(finance_owner);
    for (int i = 0; i < 5; i++)
        identity_free(reviewer[i]);
    story_free(*state);
    return 0;
}

static void assert_near(double a, double b)
{
    if (a - b > 1e-12 || b - a > 1e-12)
        fail_msg("%.15g is not %.15g", a, b);
}

static void refused(struct story *s, const struct identity *who, const char *verb, const char *subject,
                    const char *body, const char *rule)
{
    struct err e = {0};
    char *says = xasprintf("rule %s:", rule);
    if (act_err(s, who, verb, subject, body, &e) == ST_OK || strncmp(e.text, says, strlen(says)) != 0)
        fail_msg("%s %s: expected rule %s, got '%s'", verb, subject, rule, e.text);
    free(says);
}

#define PARTIES                                                                                              \
    "'parties': [{'body': 'T0', 'role': 'lead', 'contributions': [{'type': 'data', 'what': 'records', "      \
    "'value': "                                                                                              \
    "500000}]}, {'body': 'acme', 'role': 'partner', 'contributions': [{'type': 'cash', 'what': 'money', "    \
    "'value': "                                                                                              \
    "500000}]}]"
#define BENEFITS                                                                                             \
    "'benefits': {'patients': 'found early', 'nhs': 'fewer admissions', 'partner': 'evidence', 'uk': "       \
    "'here'}"
#define REST                                                                                                 \
    "'kind': 'collaborative', 'red_questions': {'pool': true, 'open': true}, 'cost_per_year': 100000, "      \
    "'substitutes': "                                                                                        \
    "[{'line': 'l1', 'what': 'old clinic', 'owner': 'T2', 'cost_per_year': 100000, 'cash_releasing': "       \
    "true}], "                                                                                               \
    "'purpose_kind': 'care', 'access': 'nhs_runs'"
#define WHOLE "{'title': 'COPD', 'body': 'T0', 'data': 'record-level', " PARTIES ", " BENEFITS ", " REST "}"

static void a_draft_is_kept_as_it_is_and_submitted_only_whole(void **state)
{
    static const struct {
        const char *change, *rule;
    } cases[] = {
        {"{'benefits': {'patients': 'x', 'nhs': 'y', 'uk': 'z'}}", "triple-benefit"},
        {"{'benefits': {'patients': 'x', 'nhs': 'y', 'partner': 'z'}}", "uk-benefit"},
        {"{'parties': [{'body': 'acme', 'role': 'a', 'contributions': [{'type': 'cash', 'what': 'x', "
         "'value': 1}]}, "
         "{'body': 'T0', 'role': 'b'}]}",
         "contributions"},
        {"{'parties': [{'body': 'T0', 'contributions': [{'type': 'cash', 'what': 'x', 'value': 1}]}]}",
         "roles-complete"},
        {"{'substitutes': [{'line': 'l1', 'what': 'x', 'owner': 'T2', 'cost_per_year': 0, 'cash_releasing': "
         "false}]}",
         "additive"},
        {"{'purpose_kind': 'marketing'}", "purpose"},
        {"{'access': 'out'}", "access-out"},
        {"{'red_questions': {'pool': true, 'open': false}}", "clause-20"},
        {"{'machine_learning': true}", "ml-plan"},
    };
    struct story *s = *state;
    must(s, lead, "project.draft", "project:empty",
         "{'title': 'An idea', 'body': 'T0', 'parties': [{'body': 'T0'}]}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *subject = xasprintf("project:p%zu", i);
        must(s, lead, "project.draft", subject, WHOLE);
        must(s, lead, "project.edit", subject, cases[i].change);
        refused(s, lead, "project.submit", subject, "", cases[i].rule);
        free(subject);
    }
    must(s, lead, "project.draft", "project:good", WHOLE);
    must(s, lead, "project.submit", "project:good", "");
    assert_replay_equal(s);
}

static void propose_measures(struct story *s)
{
    must(s, lead, "measure.propose", "measure:found",
         "{'project': 'p', 'title': 'COPD found', 'role': 'benefit', 'for': 'patients', 'unit': 'people', "
         "'better': "
         "'higher', 'target': 120}");
    must(s, lead, "measure.propose", "measure:waits",
         "{'project': 'p', 'title': 'Waits', 'role': 'guardrail', 'for': 'patients', 'unit': 'days', "
         "'better': 'lower', "
         "'floor': 30}");
}

static void accept_measure(struct story *s, const char *subject)
{
    must(s, reviewer[0], "measure.accept", subject, "");
    must(s, lead, "measure.baseline", subject, "{'baseline': 100, 'date': '2026-01-01', 'source': 'QOF'}");
}

static void give_verdicts(struct story *s, int from)
{
    for (int i = from; i < 5; i++) {
        char *subject = xasprintf("review:v%d", i);
        char *body =
            xasprintf("{'about': 'project:p', 'perspective': '%s', 'verdict': 'yes'}", perspectives[i]);
        must(s, reviewer[i], "review.give", subject, body);
        free(subject);
        free(body);
    }
}

static void no_money_makes_up_for_a_missing_benefit_and_no_perspective_is_left_out(void **state)
{
    struct story *s = *state;
    must(s, lead, "project.draft", "project:p", WHOLE);
    must(s, lead, "project.submit", "project:p", "");
    refused(s, lead, "project.approve", "project:p", "", "patient-benefit");
    propose_measures(s);
    refused(s, lead, "project.approve", "project:p", "", "patient-benefit"); /* proposed is not accepted */
    accept_measure(s, "measure:found");
    give_verdicts(s, 1);
    refused(s, lead, "project.approve", "project:p", "", "perspectives");
    must(s, reviewer[0], "review.give", "review:v0",
         "{'about': 'project:p', 'perspective': 'patient', 'verdict': 'yes', 'text': 'This helps my "
         "mother.'}");
    refused(s, partner_lead, "project.approve", "project:p", "", "permission");
    must(s, lead, "project.approve", "project:p", "");
}

static void a_verdict_is_on_what_was_submitted(void **state)
{
    struct story *s = *state;
    static const char yes[] = "{'about': 'project:p', 'perspective': 'patient', 'verdict': 'yes'}";
    must(s, lead, "project.draft", "project:p", WHOLE);
    refused(s, reviewer[0], "review.give", "review:early", yes, "state");
    must(s, lead, "project.submit", "project:p", "");
    propose_measures(s);
    accept_measure(s, "measure:found");
    give_verdicts(s, 0);
    refused(s, reviewer[0], "review.give", "review:twice", yes, "one-verdict");
    must(s, lead, "project.return", "project:p", "{'reason': 'The plan is thin.'}");
    must(s, lead, "project.edit", "project:p", "{'title': 'Something else'}");
    must(s, lead, "project.submit", "project:p", "");
    refused(s, lead, "project.approve", "project:p", "",
            "perspectives"); /* those verdicts were on another text */
    must(s, reviewer[0], "review.give", "review:again", yes);
    assert_replay_equal(s);
}

static bool is_overdue(struct story *s, int32_t day, const char *what)
{
    struct js *list;
    bool found = false;
    assert_int_equal(clocks(s->r, day, true, &list, NULL), ST_OK);
    for (size_t i = 0; i < js_size(list); i++)
        found |= strcmp(js_get_str(js_at(list, i), "what"), what) == 0;
    js_free(list);
    return found;
}

static void in_an_emergency(struct story *s, const char *subject, int32_t until)
{
    char day[11];
    date_format(until, day);
    char *body = xasprintf("{'emergency': {'reason': 'A new virus', 'until': '%s'}}", day);
    must(s, lead, "project.edit", subject, body);
    free(body);
}

static void the_emergency_lane_is_short_closes_itself_and_is_reviewed_afterwards(void **state)
{
    struct story *s = *state;
    int32_t today = (int32_t)(time_now_ms() / 86400000);
    struct identity *ig = person_with(s, "rev-ig", "uni", "reviewer", "ig");
    must(s, lead, "project.draft", "project:p", WHOLE);
    in_an_emergency(s, "project:p", today + 91);
    refused(s, lead, "project.submit", "project:p", "", "emergency-lane");
    in_an_emergency(s, "project:p", today - 1);
    refused(s, lead, "project.submit", "project:p", "", "emergency-lane");
    in_an_emergency(s, "project:p", today + 30);
    must(s, lead, "project.submit", "project:p", "");
    propose_measures(s);
    accept_measure(s, "measure:found");
    must(s, reviewer[0], "review.give", "review:v0",
         "{'about': 'project:p', 'perspective': 'patient', 'verdict': 'yes'}");
    refused(s, lead, "project.approve", "project:p", "", "perspectives");
    must(s, ig, "review.give", "review:ig", "{'about': 'project:p', 'perspective': 'ig', 'verdict': 'yes'}");
    must(s, lead, "project.approve", "project:p", "");
    must(s, reviewer[1], "review.give", "review:v1",
         "{'about': 'project:p', 'perspective': 'clinical', 'verdict': 'no', 'text': 'It did not help.'}");
    assert_false(is_overdue(s, today + 58, "research"));
    assert_true(is_overdue(s, today + 59, "research"));
    assert_false(is_overdue(s, today + 59, "clinical")); /* it was reviewed */
    assert_true(is_overdue(s, today + 31, "A new virus"));
    struct js *project;
    assert_int_equal(registry_item(s->r, "project", "p", &project, NULL), ST_OK);
    assert_false(project_lane_closed(project, today + 30));
    assert_true(project_lane_closed(project, today + 31));
    js_free(project);
    identity_free(ig);
    assert_replay_equal(s);
}

static void who_declared_an_interest_is_recused_by_the_system(void **state)
{
    struct story *s = *state;
    must(s, lead, "project.draft", "project:p", WHOLE);
    must(s, lead, "project.submit", "project:p", "");
    must(s, reviewer[3], "person.declare", "person:rev-finance",
         "{'interests': [{'kind': 'financial', 'body': 'acme'}]}");
    must(s, lead, "review.ask", "review:f",
         "{'about': 'project:p', 'perspective': 'finance', 'person': 'rev-finance'}");
    assert_string_equal(state_of(s, "review", "f"), "recused");
    refused(s, reviewer[3], "review.give", "review:g",
            "{'about': 'project:p', 'perspective': 'finance', 'verdict': 'yes'}", "conflict-of-interest");
}

static void only_the_owner_confirms_a_budget_line(void **state)
{
    struct story *s = *state;
    struct js *p;
    must(s, lead, "project.draft", "project:p", WHOLE);
    refused(s, s->signer[0], "project.confirm", "project:p", "{'line': 'l1'}", "budget-owner");
    assert_int_equal(registry_item(s->r, "project", "p", &p, NULL), ST_OK);
    assert_int_equal(substitution_of(p, 0).claimed_pence, 100000);
    assert_int_equal(substitution_of(p, 0).confirmed_pence, 0);
    js_free(p);
    must(s, finance_owner, "project.confirm", "project:p", "{'line': 'l1'}");
    assert_int_equal(registry_item(s->r, "project", "p", &p, NULL), ST_OK);
    assert_int_equal(substitution_of(p, 0).confirmed_pence, 100000);
    assert_int_equal(substitution_of(p, 0).class, SUBSTITUTIVE);
    assert_true(contribution_balance(p) > 0.999999);
    js_free(p);
}

static struct js *parse(const char *text)
{
    struct js *j;
    char *copy = xstrdup(text);
    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    assert_int_equal(js_parse(slice_of(copy), "test", &j, NULL), ST_OK);
    free(copy);
    return j;
}

static void substitution_and_balance_are_computed(void **state)
{
    static const struct {
        const char *project;
        enum substitution class;
        double balance;
    } cases[] = {
        {"{'cost_per_year': 100, 'substitutes': [{'cost_per_year': 100, 'cash_releasing': true}]}",
         SUBSTITUTIVE, 0},
        {"{'cost_per_year': 100, 'substitutes': [{'cost_per_year': 60, 'cash_releasing': true}]}",
         SUBSTITUTION_PART, 0},
        {"{'cost_per_year': 100, 'substitutes': [{'cost_per_year': 60, 'cash_releasing': false}]}", ADDITIVE,
         0},
        {"{'parties': [{'contributions': [{'value': 3}]}, {'contributions': [{'value': 1}]}]}",
         SUBSTITUTION_NONE, 0.8112781244591328}, /* entropy of (3/4, 1/4) in bits */
        {"{'parties': [{'contributions': [{'value': 3}]}, {}]}", SUBSTITUTION_NONE, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct js *p = parse(cases[i].project);
        assert_int_equal(substitution_of(p, 0).class, cases[i].class);
        assert_near(contribution_balance(p), cases[i].balance);
        js_free(p);
    }
}

#define AGREEMENT(more)                                                                                      \
    "{'title': 'COPD', 'project': 'p', 'template': "                                                         \
    "'0000000000000000000000000000000000000000000000000000000000000008', "                                   \
    "'parties': [{'body': 'T0', 'role': 'lead_site'}, {'body': 'acme', 'role': 'partner'}], 'annex': "       \
    "{'analyses': "                                                                                          \
    "['any'], 'studies': ['any']}, 'from': '$day', 'to': '$later', 'purpose': 'Find COPD', 'access': "       \
    "'nhs_runs', 'use': "                                                                                    \
    "'commercial'" more "}"

static void every_value_rule_refuses_by_name(void **state)
{
    static const struct {
        const char *terms, *rule;
    } cases[] = {
        {AGREEMENT(", 'exit_plan': 'x'"), "quote"},
        {AGREEMENT(", 'exit_plan': 'x', 'quote': [{'code': 'nonsense', 'quantity': 1}]"), "vocabulary"},
        {AGREEMENT(", 'quote': [{'code': 'set-up', 'quantity': 1}]"), "exit-plan"},
        {AGREEMENT(
             ", 'exit_plan': 'x', 'quote': [{'code': 'set-up', 'quantity': 1}], 'exclusivity': [{'over': "
             "'raw-data', 'what': 'all', 'until': '$later'}]"),
         "exclusivity"},
        {AGREEMENT(
             ", 'exit_plan': 'x', 'quote': [{'code': 'set-up', 'quantity': 1}], 'charges_patients': true"),
         "free-care"},
    };
    struct story *s = *state;
    must(s, lead, "project.draft", "project:p", WHOLE);
    refused(s, lead, "agreement.draft", "agreement:x",
            "{'title': 'COPD', 'template': "
            "'0000000000000000000000000000000000000000000000000000000000000008', 'parties': "
            "[{'body': 'T0', 'role': 'lead_site'}], 'annex': {'analyses': ['any'], 'studies': ['any']}, "
            "'from': '$day', "
            "'to': '$later', 'purpose': 'x', 'access': 'out', 'use': 'commercial'}",
            "access-out");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *subject = xasprintf("agreement:g%zu", i);
        must(s, lead, "agreement.draft", subject, cases[i].terms);
        refused(s, s->certifier, "agreement.check", subject, "", cases[i].rule);
        free(subject);
    }
}

static int64_t promised(struct story *s, const char *mechanism, int64_t *count)
{
    const struct registry_query q = {.noun = "transfer"};
    struct js *list;
    int64_t sum = 0;
    *count = 0;
    assert_int_equal(registry_list(s->r, &q, &list, NULL), ST_OK);
    for (size_t i = 0; i < js_size(list); i++)
        if (strcmp(js_get_str(js_at(list, i), "mechanism"), mechanism) == 0) {
            sum += js_get_int(js_at(list, i), "amount", 0);
            ++*count;
        }
    js_free(list);
    return sum;
}

static void approve(struct story *s)
{
    must(s, lead, "project.draft", "project:p", WHOLE);
    must(s, lead, "project.submit", "project:p", "");
    propose_measures(s);
    accept_measure(s, "measure:found");
    accept_measure(s, "measure:waits");
    give_verdicts(s, 0);
    must(s, lead, "project.approve", "project:p", "");
}

static void agree(struct story *s)
{
    must(
        s, lead, "agreement.draft", "agreement:g",
        AGREEMENT(
            ", 'exit_plan': 'x', 'quote': [{'code': 'application', 'quantity': 1}, {'code': 'set-up', "
            "'quantity': "
            "2}], 'mechanisms': [{'kind': 'upfront', 'from': 'acme', 'to': 'T0', 'amount': 1000000}, "
            "{'kind': "
            "'subscription', 'from': 'acme', 'to': 'T0', 'amount': 5000, 'due': '$day', 'period_months': 3}, "
            "{'kind': 'milestone', 'from': 'acme', 'to': 'T0', 'amount': 70000, 'trigger': 'measure:found "
            "met'}]"));
    must(s, s->certifier, "agreement.check", "agreement:g", "");
    char *terms = terms_of(s, "g");
    assert_int_equal(act(s, s->signer[0], "agreement.sign", "agreement:g", terms),
                     ST_CONFLICT); /* no summary yet */
    free(terms);
    must(s, lead, "agreement.summarise", "agreement:g", "{'summary': 'What everybody should know.'}");
    refused(s, lead, "project.start", "project:p", "", "in-force");
    terms = terms_of(s, "g");
    must(s, s->signer[0], "agreement.sign", "agreement:g", terms);
    refused(s, s->signer[0], "agreement.sign", "agreement:g", terms, "signed-once");
    must(s, s->signer[SITES], "agreement.sign", "agreement:g", terms);
    free(terms);
}

static void money_falls_due_by_quote_and_mechanism_and_the_sheet_adds_up(void **state)
{
    struct story *s = *state;
    struct js *rows;
    int64_t n, total = 0;
    int y, m, d;
    approve(s);
    agree(s);
    assert_string_equal(state_of(s, "project", "p"), "agreed");
    assert_int_equal(promised(s, "quote", &n), 143100 + 2 * 43400); /* the price list's lines, by hand */
    assert_int_equal(promised(s, "upfront", &n), 1000000);
    assert_int_equal(promised(s, "subscription", &n), 4 * 5000); /* every three months in 360 days */
    assert_int_equal(n, 4);
    refused(s, s->signer[0], "transfer.make", "transfer:g.t1",
            "{'date': '$day', 'category': 'joint-working'}",
            "permission"); /* the payer says so, not the payee */
    must(s, s->signer[SITES], "transfer.make", "transfer:g.t1",
         "{'date': '$day', 'category': 'joint-working'}");
    must(s, s->signer[SITES], "transfer.make", "transfer:g.t2", "{'date': '$day', 'category': 'research'}");
    refused(s, s->signer[0], "transfer.waive", "transfer:g.t3", "{'reason': 'kindness'}", "waiver");
    date_parts((int32_t)(time_now_ms() / 86400000), &y, &m, &d);
    assert_int_equal(export_disclosure(s->r, y, &rows, NULL), ST_OK);
    assert_int_equal(js_size(rows), 3);
    for (size_t i = 1; i < js_size(rows); i++)
        total += js_int(js_at(js_at(rows, i), 7));
    assert_int_equal(total, 143100 + 2 * 43400 + 1000000);
    js_free(rows);
    assert_replay_equal(s);
}

static void a_breached_guardrail_pauses_and_a_close_needs_final_readings(void **state)
{
    struct story *s = *state;
    static const char close[] =
        "{'outcome': 'mixed', 'text': 'what we learnt', 'close_out': ['1', '2', '3', '4', '5', "
        "'6', '7']}";
    approve(s);
    agree(s);
    must(s, lead, "project.start", "project:p", "");
    refused(s, lead, "measure.read", "measure:found", "{'value': 110, 'date': '2025-01-01', 'source': 'x'}",
            "reading");
    must(s, lead, "measure.read", "measure:waits", "{'value': 20, 'date': '$day', 'source': 'x'}");
    assert_string_equal(state_of(s, "project", "p"), "live");
    must(s, lead, "measure.read", "measure:waits", "{'value': 31, 'date': '$day', 'source': 'x'}");
    assert_string_equal(state_of(s, "measure", "waits"), "breached");
    assert_string_equal(state_of(s, "project", "p"), "paused");
    refused(s, lead, "project.close", "project:p", close, "final-reading");
    must(s, lead, "measure.read", "measure:found",
         "{'value': 121, 'date': '$day', 'source': 'x', 'final': true}");
    assert_string_equal(state_of(s, "measure", "found"), "met");
    must(s, lead, "project.close", "project:p", close);
    assert_replay_equal(s);
}

static void publish(struct story *s, const struct identity *who, const char *id, const char *body)
{
    char *subject = xasprintf("signal:%s", id);
    must(s, who, "signal.draft", subject, body);
    must(s, who, "signal.publish", subject, "");
    free(subject);
}

static void a_match_equals_the_hand_calculation(void **state)
{
    struct story *s = *state;
    struct js *list;
    refused(s, lead, "signal.draft", "signal:x",
            "{'body': 'T0', 'side': 'need', 'title': 'x', 'type': 'data', 'codes': [{'scheme': 'qof', "
            "'code': 'OLD'}]}",
            "vocabulary");
    publish(s, lead, "n1",
            "{'body': 'T0', 'side': 'need', 'title': 'COPD', 'type': 'capability', 'rank': 1, 'population': "
            "300000, "
            "'stage': 'diagnostics', 'codes': [{'scheme': 'qof', 'code': 'COPD'}, {'scheme': 'qof', 'code': "
            "'AST'}]}");
    publish(s, lead, "n2",
            "{'body': 'T0', 'side': 'need', 'title': 'HF', 'type': 'capability', 'rank': 2, 'codes': "
            "[{'scheme': 'qof', "
            "'code': 'HF'}]}");
    must(s, lead, "signal.draft", "signal:n3",
         "{'body': 'T0', 'side': 'need', 'title': 'HF', 'type': 'data', 'rank': 2, 'codes': [{'scheme': "
         "'qof', 'code': "
         "'HF'}]}");
    refused(s, lead, "signal.publish", "signal:n3", "", "rank-unique");
    publish(s, partner_lead, "o1",
            "{'body': 'acme', 'side': 'offer', 'title': 'Both', 'type': 'capability', 'stage': "
            "'diagnostics', 'codes': "
            "[{'scheme': 'qof', 'code': 'COPD'}, {'scheme': 'qof', 'code': 'HF'}]}");
    publish(s, partner_lead, "o2",
            "{'body': 'acme', 'side': 'offer', 'title': 'A product', 'type': 'capability', 'product': "
            "'Puffer', 'codes': "
            "[{'scheme': 'qof', 'code': 'COPD'}]}");
    assert_int_equal(match_body(s->r, "T0", 10, &list, NULL), ST_OK);
    assert_int_equal(js_size(list), 1);
    /* n1 with o1: 1/2 of the codes, rank 1, 300/400, same stage; n2 with o1: all, rank 2, 1/2, other stage
     * 1/2. */
    assert_near(js_num(js_get(js_at(list, 0), "score")), 0.5 * 0.75 + 1.0 / 2 * 0.5 * 0.5);
    assert_int_equal(js_size(js_get(js_at(list, 0), "lines")), 2);
    js_free(list);
    assert_int_equal(match_body(s->r, "acme", 10, &list, NULL), ST_OK);
    assert_string_equal(js_get_str(js_at(list, 0), "body"), "T0");
    js_free(list);
    assert_int_equal(match_suggest(s->r, 10, &list, NULL), ST_OK);
    assert_string_equal(js_get_str(js_at(list, 0), "need"), "n1");
    js_free(list);
    must(s, s->steward, "body.close", "body:T0", "{'to': '$day', 'successors': ['T1']}");
    assert_int_equal(match_body(s->r, "T1", 10, &list, NULL), ST_OK); /* the needs went to its successor */
    assert_int_equal(js_size(list), 1);
    js_free(list);
}

static void words_are_found_and_syntax_is_only_text(void **state)
{
    static const struct {
        const char *words;
        size_t hits;
    } cases[] = {{"copd", 1},           {"COP*", 1},     {"spirometry", 0}, {"\"copd", 1},
                 {"copd OR asthma", 0}, {"lay:copd", 0}, {"NEAR(copd)", 0}, {"copd\" OR \"x", 0}};
    struct story *s = *state;
    struct js *list;
    publish(
        s, lead, "n1",
        "{'body': 'T0', 'side': 'need', 'title': 'COPD diagnosis', 'type': 'capability', 'rank': 1, 'codes': "
        "[{'scheme': 'qof', 'code': 'COPD'}]}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(search_text(s->r, cases[i].words, NULL, 10, &list, NULL), ST_OK);
        if (js_size(list) != cases[i].hits)
            fail_msg("'%s': %zu hits", cases[i].words, js_size(list));
        js_free(list);
    }
    assert_int_equal(search_text(s->r, "  ", NULL, 10, &list, NULL), ST_INVALID);
    js_free(list);
}

static void working_days_leave_out_weekends_and_bank_holidays(void **state)
{
    struct story *s = *state;
    struct db *d = ledger_db(registry_ledger(s->r));
    int32_t day;
    int64_t n;
    assert_int_equal(working_days_on(d, date_of(2026, 12, 23), 2, &day, NULL),
                     ST_OK); /* Thu 24, then Tue 29 */
    assert_int_equal(day, date_of(2026, 12, 29));
    assert_int_equal(working_days_between(d, date_of(2026, 12, 23), date_of(2026, 12, 29), &n, NULL), ST_OK);
    assert_int_equal(n, 2);
}

static void an_unanswered_contact_is_late_for_everybody_to_see(void **state)
{
    struct story *s = *state;
    struct js *list;
    int32_t today = (int32_t)(time_now_ms() / 86400000);
    refused(s, partner_lead, "contact.send", "contact:c1", "{'body': 'T0', 'text': 'hello'}", "need-code");
    must(s, partner_lead, "contact.send", "contact:c1", "{'body': 'T0', 'purpose': 'COPD', 'text': 'hello'}");
    assert_int_equal(clocks(s->r, today, true, &list, NULL), ST_OK);
    assert_int_equal(js_size(list), 0);
    js_free(list);
    assert_int_equal(clocks(s->r, today + 30, true, &list, NULL), ST_OK);
    assert_int_equal(js_size(list), 1);
    js_free(list);
    must(s, lead, "contact.answer", "contact:c1", "{'text': 'welcome'}");
    assert_int_equal(clocks(s->r, today + 30, true, &list, NULL), ST_OK);
    assert_int_equal(js_size(list), 0);
    js_free(list);
}

static void erased_text_is_gone_and_everything_still_proves(void **state)
{
    struct story *s = *state;
    struct js *p;
    assert_int_equal(registry_item_personal(s->r, "person", "ada", &p, NULL), ST_OK);
    assert_string_equal(js_get_str(p, "name"), "ada");
    js_free(p);
    must(s, s->analyst, "person.erase", "person:ada", "");
    assert_int_equal(registry_item_personal(s->r, "person", "ada", &p, NULL), ST_OK);
    assert_null(js_get_str(p, "name"));
    assert_non_null(js_get_str(js_get(p, "name"), "hashed"));
    js_free(p);
    assert_replay_equal(s);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_draft_is_kept_as_it_is_and_submitted_only_whole),
        CASE(a_verdict_is_on_what_was_submitted),
        CASE(the_emergency_lane_is_short_closes_itself_and_is_reviewed_afterwards),
        CASE(no_money_makes_up_for_a_missing_benefit_and_no_perspective_is_left_out),
        CASE(who_declared_an_interest_is_recused_by_the_system),
        CASE(only_the_owner_confirms_a_budget_line),
        cmocka_unit_test(substitution_and_balance_are_computed),
        CASE(every_value_rule_refuses_by_name),
        CASE(money_falls_due_by_quote_and_mechanism_and_the_sheet_adds_up),
        CASE(a_breached_guardrail_pauses_and_a_close_needs_final_readings),
        CASE(a_match_equals_the_hand_calculation),
        CASE(words_are_found_and_syntax_is_only_text),
        CASE(working_days_leave_out_weekends_and_bank_holidays),
        CASE(an_unanswered_contact_is_late_for_everybody_to_see),
        CASE(erased_text_is_gone_and_everything_still_proves),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
