/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "disclose/policy.h"

static struct policy profile(const char *name)
{
    struct policy p;
    struct err e;
    assert_int_equal(policy_profile(name, &p, &e), ST_OK);
    return p;
}

static void profiles_are_what_their_sources_say(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int minimum, rounding, base;
    } want[] = {{"sde-10", 10, ROUNDING_NEAREST, 5},
                {"nhs-hes", 8, ROUNDING_NEAREST, 5},
                {"opensafely", 8, ROUNDING_NEAREST, 5},
                {"ons-10-5", 10, ROUNDING_NEAREST, 5},
                {"gel-5", 5, ROUNDING_NONE, 1}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        struct policy p = profile(want[i].name);
        assert_int_equal(p.minimum, want[i].minimum);
        assert_int_equal(p.rounding, want[i].rounding);
        assert_int_equal(p.base, want[i].base);
    }
    assert_string_equal(profile(NULL).name, "sde-10");
}

static void a_file_tightens_a_profile(void **state)
{
    (void)state;
    struct policy p;
    struct err e;
    struct slice yaml = SLICE("name: kent\nversion: 2\ninherits: nhs-hes\nminimum: 15\nminimum_sum: 20\n");
    assert_int_equal(policy_parse(yaml, "p.yaml", &p, &e), ST_OK);
    assert_int_equal(policy_minimum(&p, OUTPUT_COUNT), 15);
    assert_int_equal(policy_minimum(&p, OUTPUT_SUM), 20);
    assert_int_equal(p.base, 5);
    assert_string_equal(p.inherits, "nhs-hes");
}

static void loosening_needs_an_approver(void **state)
{
    (void)state;
    struct policy p;
    struct err e;
    struct slice bare = SLICE("name: kent\nversion: 1\nminimum: 5\n");
    struct slice approved = SLICE("name: kent\nversion: 1\nminimum: 5\napproved_by: Dr A Caldicott\n");
    struct slice unrounded = SLICE("name: kent\nversion: 1\nrounding: none\n");
    assert_int_equal(policy_parse(bare, "p.yaml", &p, &e), ST_DENIED);
    assert_non_null(strstr(e.text, "'minimum' is looser"));
    assert_int_equal(policy_parse(unrounded, "p.yaml", &p, &e), ST_DENIED);
    assert_int_equal(policy_parse(approved, "p.yaml", &p, &e), ST_OK);
    assert_string_equal(p.approved_by, "Dr A Caldicott");
}

static void the_strictest_rule_governs(void **state)
{
    (void)state;
    struct policy hes = profile("nhs-hes"), gel = profile("gel-5"), p;
    gel.top2_share = 0.5;
    policy_strictest(&gel, &hes, &p);
    assert_int_equal(p.minimum, 8);
    assert_int_equal(p.rounding, ROUNDING_NEAREST);
    assert_int_equal(p.base, 5);
    assert_true(p.top2_share < 0.51);
}

static enum status parse(const char *yaml, struct policy *p, struct err *e)
{
    *e = (struct err){0};
    return policy_parse(slice_of(yaml), "p.yaml", p, e);
}

static void noise_needs_a_table_that_exists(void **state)
{
    (void)state;
    struct policy p;
    struct err e;
#define HEAD "name: k\nversion: 1\n"
    assert_int_equal(
        parse(HEAD "rounding: cell_key\nnoise_most: 5\nnoise_variance: 3\nnoise_skip: 2\n", &p, &e), ST_OK);
    assert_int_equal(p.noise_most, 5);
    assert_int_equal(parse(HEAD "rounding: cell_key\n", &p, &e), ST_INVALID);
    assert_non_null(strstr(e.text, "needs noise_most and noise_variance"));
    assert_int_equal(parse(HEAD "noise_most: 5\n", &p, &e), ST_INVALID);
    assert_non_null(strstr(e.text, "belongs to 'rounding: cell_key'"));
    assert_int_equal(parse(HEAD "rounding: cell_key\nnoise_most: 2\nnoise_variance: 100\n", &p, &e),
                     ST_INVALID);
    assert_int_equal(parse(HEAD "rounding: controlled\ninherits: gel-5\n", &p, &e), ST_INVALID);
    /* Noise of at most 1 says more of a count than rounding to 5 does. */
    assert_int_equal(parse(HEAD "rounding: cell_key\nnoise_most: 1\nnoise_variance: 0.5\n", &p, &e),
                     ST_DENIED);
}

static void the_wider_print_governs(void **state)
{
    (void)state;
    struct policy noisy, rounded = profile("sde-10"), p;
    struct err e;
    assert_int_equal(
        parse(HEAD "rounding: cell_key\nnoise_most: 5\nnoise_variance: 3\nnoise_skip: 2\n", &noisy, &e),
        ST_OK);
    policy_strictest(&rounded, &noisy, &p);
    assert_int_equal(p.rounding, ROUNDING_CELL_KEY);
    assert_int_equal(p.noise_most, 5);
    rounded.base = 20;
    policy_strictest(&noisy, &rounded, &p);
    assert_int_equal(p.rounding, ROUNDING_NEAREST);
    assert_int_equal(p.noise_most, 0);
    struct js *j = policy_to_json(&p);
    assert_int_equal(policy_from_json(j, &p, &e), ST_OK);
    js_free(j);
    j = policy_to_json(&noisy);
    assert_int_equal(policy_from_json(j, &p, &e), ST_OK);
    assert_true(p.noise_variance == 3);
    js_free(j);
}

static void the_hash_is_of_the_rules_only(void **state)
{
    (void)state;
    struct policy a, b;
    struct err e;
    char x[65], y[65];
    assert_int_equal(policy_parse(SLICE("name: k\nversion: 1\nminimum: 12\n"), "p", &a, &e), ST_OK);
    assert_int_equal(policy_parse(SLICE("# why\nminimum: 12\nversion: 1\nname: \"k\"\n"), "p", &b, &e),
                     ST_OK);
    policy_hash(&a, x);
    policy_hash(&b, y);
    assert_string_equal(x, y);
    b.minimum = 13;
    policy_hash(&b, y);
    assert_string_not_equal(x, y);
}

static void json_gives_the_same_policy_back(void **state)
{
    (void)state;
    struct policy a = profile("opensafely"), b;
    struct err e;
    char x[65], y[65];
    struct js *j = policy_to_json(&a);
    assert_int_equal(policy_from_json(j, &b, &e), ST_OK);
    policy_hash(&a, x);
    policy_hash(&b, y);
    assert_string_equal(x, y);
    js_put_int(j, "minimum", 0);
    assert_int_equal(policy_from_json(j, &b, &e), ST_INVALID);
    js_free(j);
}

/* An agreement's policy is an entry on the register: nobody loosens one there without being named. */
static void an_agreement_cannot_loosen_quietly(void **state)
{
    (void)state;
    struct policy p = profile("sde-10"), back;
    struct err e;
    p.minimum = 5;
    struct js *j = policy_to_json(&p);
    assert_int_equal(policy_from_json(j, &back, &e), ST_DENIED);
    assert_non_null(strstr(e.text, "'minimum' is looser"));
    js_put_str(j, "approved_by", "Dr A Caldicott");
    assert_int_equal(policy_from_json(j, &back, &e), ST_OK);
    assert_string_equal(back.approved_by, "Dr A Caldicott");
    js_put_str(j, "inherits", "none-such");
    assert_int_equal(policy_from_json(j, &back, &e), ST_INVALID);
    js_free(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles_are_what_their_sources_say),
        cmocka_unit_test(a_file_tightens_a_profile),
        cmocka_unit_test(loosening_needs_an_approver),
        cmocka_unit_test(the_strictest_rule_governs),
        cmocka_unit_test(noise_needs_a_table_that_exists),
        cmocka_unit_test(the_wider_print_governs),
        cmocka_unit_test(the_hash_is_of_the_rules_only),
        cmocka_unit_test(json_gives_the_same_policy_back),
        cmocka_unit_test(an_agreement_cannot_loosen_quietly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
