/* SPDX-License-Identifier: Apache-2.0
 * A run from the agreement to the released table: what is allowed, what each rule refuses, and the replay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "story.h"

#define H1 "'1111111111111111111111111111111111111111111111111111111111111111'"
#define H2 "'2222222222222222222222222222222222222222222222222222222222222222'"
static int setup(void **state)
{
    struct story *s = story_new();
    story_people(s);
    story_agreement(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    story_free(*state);
    return 0;
}

static char *request_body(const char *agreement, const char *study, const char *wrong_hash)
{
    char hex[2 * HASH_BYTES + 1];
    struct js *j;
    struct buf text;
    buf_init(&text, 10000);
    for (const char *p = study; *p; p++)
        buf_addc(&text, *p == '\'' ? '"' : *p);
    assert_int_equal(js_parse(buf_slice(&text), "study", &j, NULL), ST_OK);
    buf_clear(&text);
    assert_int_equal(js_canonical(j, &text, NULL), ST_OK);
    sha256_hex(buf_slice(&text), hex);
    js_free(j);
    buf_deinit(&text);
    return xasprintf(
        "{'agreement': '%s', 'study': %s, 'study_hash': '%s', 'decision': 'where to send spirometers'}",
        agreement, study, wrong_hash ? wrong_hash : hex);
}

static enum status request(struct story *s, const struct identity *who, const char *run, const char *study,
                           struct err *e)
{
    char *body = request_body("a1", study, NULL), *subject = xasprintf("run:%s", run);
    enum status status = act_err(s, who, "run.request", subject, body, e);
    free(body);
    free(subject);
    return status;
}

#define EMPTY "'44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'" /* of {} */
#define OTHER "'015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862'" /* of {"a":1} */
#define ATTEMPT                                                                                              \
    "{'round': 1, 'attempt': 1, 'lead': " H1 ", 'sites': [{'body': 'T0', 'node': " H1 "}, {'body': 'T1', "   \
    "'node': " H2 "}, {'body': 'T2', 'node': " EMPTY "}]}"
static const char count_study[] = "{'title': 'COPD', 'analyses': [{'kind': 'count'}]}";

static void refused(struct story *s, const struct identity *who, const char *verb, const char *subject,
                    const char *body, const char *rule)
{
    struct err e = {0};
    char *says = xasprintf("rule %s:", rule);
    if (act_err(s, who, verb, subject, body, &e) == ST_OK || strncmp(e.text, says, strlen(says)) != 0)
        fail_msg("%s %s: expected rule %s, got '%s'", verb, subject, rule, e.text);
    free(says);
}

static void a_run_goes_from_request_to_an_open_table(void **state)
{
    struct story *s = *state;
    struct err e = {0};
    if (request(s, s->analyst, "r1", count_study, &e) != ST_OK)
        fail_msg("%s", e.text);
    for (int i = 0; i < SITES; i++)
        must(s, s->node[i], "run.admit", "run:r1", "{'opt_outs_checked': '$day'}");
    must(s, s->hub, "run.attempt", "run:r1", ATTEMPT);
    for (int i = 0; i < SITES; i++)
        must(s, s->node[i], "run.part", "run:r1", "{'round': 1, 'attempt': 1, 'hash': " H2 "}");
    refused(s, s->node[1], "artefact.hold", "artefact:o1", "{'run': 'r1', 'kind': 'result', 'hash': " H1 "}",
            "lead-node");
    must(s, s->node[0], "artefact.hold", "artefact:o1", "{'run': 'r1', 'kind': 'result', 'hash': " EMPTY "}");
    assert_string_equal(state_of(s, "run", "r1"), "held");
    const char *release = "{'document': {}, 'hash': " EMPTY "}",
               *other = "{'document': {'a': 1}, 'hash': " OTHER "}";
    const char *yes =
        "{'about': 'artefact:o1', 'perspective': 'statistical', 'verdict': 'yes', 'hash': " EMPTY "}";
    refused(s, s->node[0], "artefact.release", "artefact:o1", release, "two-checkers");
    must(s, s->checker[0], "review.give", "review:v1", yes);
    refused(s, s->checker[0], "review.give", "review:v2", yes, "one-verdict");
    refused(s, s->node[0], "artefact.release", "artefact:o1", release, "two-checkers");
    must(s, s->checker[1], "review.give", "review:v3",
         "{'about': 'artefact:o1', 'perspective': 'statistical', 'verdict': 'yes', 'hash': " H2 "}");
    refused(s, s->node[0], "artefact.release", "artefact:o1", release,
            "two-checkers"); /* she saw other bytes */
    struct identity *third = person_with(s, "cleo", "uni", "checker", NULL);
    must(s, third, "review.give", "review:v4", yes);
    refused(s, s->node[0], "artefact.release", "artefact:o1", other, "two-checkers"); /* not what they saw */
    must(s, s->node[0], "artefact.release", "artefact:o1", release);
    assert_string_equal(state_of(s, "run", "r1"), "done");
    assert_string_equal(state_of(s, "artefact", "o1"), "released");
    assert_replay_equal(s);
    identity_free(third);
}

static void a_run_ends_without_its_lead_or_a_site_that_was_summed(void **state)
{
    struct story *s = *state;
    struct err e = {0};
    const char *part = "{'round': 1, 'attempt': 1, 'hash': " H2 "}",
               *no = "{'reason': 'rule halted: a test'}";
    for (int lead = 0; lead < 2; lead++) {
        const char *id = lead ? "r2" : "r1", *subject = lead ? "run:r2" : "run:r1";
        assert_int_equal(request(s, s->analyst, id, count_study, &e), ST_OK);
        for (int i = 0; i < SITES; i++)
            must(s, s->node[i], "run.admit", subject, "{'opt_outs_checked': '$day'}");
        must(s, s->hub, "run.attempt", subject, ATTEMPT);
        must(s, s->node[1], "run.decline", subject, no); /* nothing was summed: the others go on */
        assert_string_equal(state_of(s, "run", id), "running");
        for (int i = 0; i < SITES && !lead; i++)
            must(s, s->node[i], "run.part", subject, part);
        if (!lead)
            must(s, s->node[0], "run.round", subject, part);
        must(s, s->node[lead ? 0 : 2], "run.decline", subject, no);
        assert_string_equal(state_of(s, "run", id), "failed");
    }
    assert_replay_equal(s);
}

static void a_request_outside_the_agreement_is_refused(void **state)
{
    struct story *s = *state;
    struct err e = {0};
    assert_int_equal(request(s, s->analyst, "r1", "{'analyses': [{'kind': 'cox'}]}", &e), ST_DENIED);
    assert_non_null(strstr(e.text, "rule annex"));
    assert_int_equal(request(s, s->signer[0], "r1", count_study, &e), ST_DENIED); /* no analyst's grant */
    assert_non_null(strstr(e.text, "rule permission"));
    char *wrong =
        request_body("a1", count_study, "1111111111111111111111111111111111111111111111111111111111111111");
    refused(s, s->analyst, "run.request", "run:r1", wrong, "study-hash");
    free(wrong);
    struct identity *outsider = person_with(s, "olga", "uni", "analyst", NULL);
    assert_int_equal(request(s, outsider, "r1", count_study, &e), ST_DENIED);
    identity_free(outsider);
}

static void old_opt_outs_and_strange_nodes_are_refused(void **state)
{
    struct story *s = *state;
    struct err e = {0};
    assert_int_equal(request(s, s->analyst, "r1", count_study, &e), ST_OK);
    refused(s, s->node[0], "run.admit", "run:r1", "{'opt_outs_checked': '2026-01-01'}", "opt-out-age");
    must(s, s->steward, "body.add", "body:T9", "{'name': 'Another trust', 'kind': 'trust'}");
    must(s, s->hub, "node.invite", "node:n9",
         "{'body': 'T9', 'until': '$later', 'token_hash': "
         "'9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'}");
    struct identity *node = identity_new();
    refused(s, node, "node.enrol", "node:n9", "{'token': 'wrong', 'box_key': " H1 "}", "enrolment-token");
    must(s, node, "node.enrol", "node:n9", "{'token': 'test', 'box_key': " H1 "}");
    refused(s, node, "run.admit", "run:r1", "{'opt_outs_checked': '$day'}", "permission");
    assert_int_equal(act(s, node, "node.enrol", "node:n9", "{'token': 'test', 'box_key': " H1 "}"),
                     ST_CONFLICT);
    identity_free(node);
}

static void a_controllers_revoke_stops_every_run_at_once(void **state)
{
    struct story *s = *state;
    struct err e = {0};
    bool in_force;
    assert_int_equal(request(s, s->analyst, "r1", count_study, &e), ST_OK);
    must(s, s->node[0], "run.admit", "run:r1", "{'opt_outs_checked': '$day'}");
    refused(s, s->analyst, "agreement.revoke", "agreement:a1", "{'reason': 'x'}", "permission");
    must(s, s->controller, "agreement.revoke", "agreement:a1", "{'reason': 'a question of trust'}");
    assert_string_equal(state_of(s, "run", "r1"), "killed");
    assert_int_equal(registry_in_force(s->r, "a1", 30000, &in_force, NULL), ST_OK);
    assert_false(in_force);
    refused(s, s->node[1], "run.admit", "run:r1", "{'opt_outs_checked': '$day'}", "state");
    assert_int_equal(request(s, s->analyst, "r2", count_study, &e), ST_DENIED);
    assert_non_null(strstr(e.text, "rule in-force"));
    assert_replay_equal(s);
}

static void a_partys_checker_and_one_with_an_interest_cannot_decide(void **state)
{
    struct story *s = *state;
    struct err e = {0};
    assert_int_equal(request(s, s->analyst, "r1", count_study, &e), ST_OK);
    must(s, s->node[0], "run.admit", "run:r1", "{'opt_outs_checked': '$day'}");
    must(s, s->node[0], "artefact.hold", "artefact:o1", "{'run': 'r1', 'kind': 'result', 'hash': " H1 "}");
    const char *yes =
        "{'about': 'artefact:o1', 'perspective': 'statistical', 'verdict': 'yes', 'hash': " H1 "}";
    struct identity *inside = person_with(s, "ingrid", "T2", "checker", NULL);
    refused(s, inside, "review.give", "review:v1", yes, "permission");
    must(s, s->checker[0], "person.declare", "person:chris",
         "{'interests': [{'kind': 'financial', 'body': 'acme', 'note': 'shares'}]}");
    refused(s, s->checker[0], "review.give", "review:v1", yes, "conflict-of-interest");
    identity_free(inside);
}

static void a_check_that_ran_out_suspends_the_grants_the_same_day(void **state)
{
    struct story *s = *state;
    struct err e = {0};
    must(s, s->steward, "body.check", "body:acme", "{'kind': 'dspt', 'until': '2026-01-01'}");
    assert_int_equal(request(s, s->analyst, "r1", count_study, &e), ST_DENIED);
    must(s, s->steward, "body.check", "body:acme", "{'kind': 'dspt', 'until': '$later'}");
    assert_int_equal(request(s, s->analyst, "r1", count_study, &e), ST_OK);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_run_goes_from_request_to_an_open_table),
        CASE(a_run_ends_without_its_lead_or_a_site_that_was_summed),
        CASE(a_request_outside_the_agreement_is_refused),
        CASE(old_opt_outs_and_strange_nodes_are_refused),
        CASE(a_controllers_revoke_stops_every_run_at_once),
        CASE(a_partys_checker_and_one_with_an_interest_cannot_decide),
        CASE(a_check_that_ran_out_suspends_the_grants_the_same_day),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
