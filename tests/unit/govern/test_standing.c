/* SPDX-License-Identifier: Apache-2.0
 * What a person may do: what is said to be open is accepted, what is said to be closed is refused, and what
 * waits is the one whose turn it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/date.h"
#include "base/mem.h"
#include "govern/items.h"
#include "govern/standing.h"
#include "story.h"

static const char draft[] =
    "{'title': 'Terms', 'template': "
    "'0000000000000000000000000000000000000000000000000000000000000008', 'parties': [{'body': 'T0', 'role': "
    "'lead_site'}, {'body': 'acme', 'role': 'partner'}], 'annex': {'analyses': ['any'], 'studies': ['any']}, "
    "'from': '$day', 'to': '$later', 'purpose': 'Find people', 'access': 'nhs_runs', 'use': 'commercial', "
    "'exit_plan': 'It ends.', 'quote': [{'code': 'application', 'quantity': 1}]}";

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

struct asker {
    struct standing p;
    char key[2 * SIGN_PUBLIC_BYTES + 1], person[72];
};

static struct asker asker_of(struct story *s, const struct identity *who)
{
    struct asker a;
    struct js *actor;
    hex_encode(who->sign_public, SIGN_PUBLIC_BYTES, a.key);
    assert_int_equal(registry_actor(s->r, a.key, &actor, NULL), ST_OK);
    snprintf(a.person, sizeof a.person, "%s", js_get_str(actor, "id"));
    js_free(actor);
    return a;
}

static void point(struct asker *a, struct story *s)
{
    a->p = (struct standing){s->r, a->key, a->person, time_now_ms()};
}

static struct js *verbs_of(struct story *s, const struct identity *who, const char *noun, const char *id)
{
    struct asker a = asker_of(s, who);
    struct js *list;
    struct err e = {0};
    point(&a, s);
    if (standing_verbs(&a.p, noun, id, &list, &e) != ST_OK)
        fail_msg("%s", e.text);
    return list;
}

static bool is_open(struct story *s, const struct identity *who, const char *noun, const char *id,
                    const char *verb)
{
    struct js *list = verbs_of(s, who, noun, id);
    const struct js *row = list_find(list, "verb", verb);
    assert_non_null(row);
    bool open = js_bool(js_get(row, "open"));
    assert_true(open || js_get_str(row, "why"));
    js_free(list);
    return open;
}

static bool waits(struct story *s, const struct identity *who, const char *verb, const char *id)
{
    struct asker a = asker_of(s, who);
    struct js *list;
    bool found = false;
    struct err e = {0};
    point(&a, s);
    if (standing_waiting(&a.p, &list, &e) != ST_OK)
        fail_msg("%s", e.text);
    for (size_t i = 0; i < js_size(list); i++)
        found |= strcmp(js_get_str(js_at(list, i), "verb"), verb) == 0 &&
                 strcmp(js_get_str(js_at(list, i), "id"), id) == 0;
    js_free(list);
    return found;
}

static void test_an_agreement_waits_for_each_in_turn(void **state)
{
    struct story *s = *state;
    must(s, s->signer[SITES], "agreement.draft", "agreement:a2", draft);
    assert_true(waits(s, s->certifier, "agreement.check", "a2"));
    assert_false(waits(s, s->signer[0], "agreement.sign", "a2"));
    must(s, s->certifier, "agreement.check", "agreement:a2", "");
    assert_false(waits(s, s->certifier, "agreement.check", "a2"));
    assert_true(waits(s, s->signer[0], "agreement.summarise", "a2"));
    must(s, s->signer[0], "agreement.summarise", "agreement:a2", "{'summary': 'Who, what, why.'}");
    assert_true(waits(s, s->signer[0], "agreement.sign", "a2"));
    assert_false(waits(s, s->signer[1], "agreement.sign", "a2")); /* of no party */
    char *terms = terms_of(s, "a2");
    must(s, s->signer[0], "agreement.sign", "agreement:a2", terms);
    free(terms);
    assert_false(waits(s, s->signer[0], "agreement.sign", "a2")); /* signed once */
    assert_true(waits(s, s->signer[SITES], "agreement.sign", "a2"));
}

/* Of verbs without fields nothing is left to the body: open means accepted, closed means refused. */
static void test_what_is_said_is_what_happens(void **state)
{
    struct story *s = *state;
    const struct identity *people[] = {s->steward, s->analyst, s->certifier, s->signer[0], s->signer[SITES]};
    must(s, s->signer[SITES], "agreement.draft", "agreement:a2", draft);
    for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
        struct js *list = verbs_of(s, people[i], "agreement", "a2");
        for (size_t k = 0; k < js_size(list); k++) {
            const char *verb = js_get_str(js_at(list, k), "verb");
            if (verb_find(verb)->fields)
                continue;
            bool open = js_bool(js_get(js_at(list, k), "open"));
            assert_int_equal(act(s, people[i], verb, "agreement:a2", "") == ST_OK, open);
        }
        js_free(list);
    }
    assert_string_equal(state_of(s, "agreement", "a2"), "checked");
}

static void test_asking_changes_nothing(void **state)
{
    struct story *s = *state;
    uint8_t before[HASH_BYTES], after[HASH_BYTES];
    must(s, s->signer[SITES], "agreement.draft", "agreement:a2", draft);
    assert_int_equal(registry_digest(s->r, before, NULL), ST_OK);
    assert_true(is_open(s, s->certifier, "agreement", "a2", "agreement.check"));
    assert_false(is_open(s, s->analyst, "agreement", "a2", "agreement.check"));
    assert_true(waits(s, s->certifier, "agreement.check", "a2"));
    assert_int_equal(registry_digest(s->r, after, NULL), ST_OK);
    assert_memory_equal(before, after, HASH_BYTES);
}

static void test_a_role_that_does_not_count_says_why(void **state)
{
    struct story *s = *state;
    struct asker a = asker_of(s, s->signer[0]);
    struct js *roles;
    point(&a, s);
    assert_int_equal(standing_roles(&a.p, &roles, NULL), ST_OK);
    assert_true(js_bool(js_get(js_at(roles, 0), "counts")));
    js_free(roles);
    must(s, s->steward, "body.suspend", "body:T0", "{'reason': 'a test'}");
    assert_int_equal(standing_roles(&a.p, &roles, NULL), ST_OK);
    assert_false(js_bool(js_get(js_at(roles, 0), "counts")));
    assert_non_null(strstr(js_get_str(js_at(roles, 0), "why"), "not registered"));
    js_free(roles);
}

static void test_a_verb_describes_its_fields(void **state)
{
    (void)state;
    struct js *v = verb_describe(verb_find("agreement.draft"));
    const struct js *fields = js_get(v, "fields"), *parties = list_find(fields, "name", "parties");
    assert_string_equal(js_get_str(parties, "type"), "list of objects");
    assert_true(js_bool(js_get(parties, "required")));
    const struct js *role = list_find(js_get(parties, "fields"), "name", "role");
    assert_int_equal(js_size(js_get(role, "choices")), 5);
    assert_int_equal(js_get_int(list_find(fields, "name", "title"), "most", 0), 200);
    assert_string_equal(js_get_str(list_find(fields, "name", "project"), "noun"), "project");
    js_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_agreement_waits_for_each_in_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_said_is_what_happens, setup, teardown),
        cmocka_unit_test_setup_teardown(test_asking_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_role_that_does_not_count_says_why, setup, teardown),
        cmocka_unit_test(test_a_verb_describes_its_fields),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
