/* SPDX-License-Identifier: Apache-2.0
 * The NHS rounding rule repaired on a table of four dimensions, and the totals of a network that hide a site:
 * what was released is audited from the document alone. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "disclose/gate.h"
#include "drawn.h"

static uint32_t n_small_hidden;

static void no_small_cell_is_recovered(const struct result *r, const char *profile)
{
    struct released *released;
    struct policy p;
    struct err e;
    assert_int_equal(policy_profile(profile, &p, &e), ST_OK);
    if (disclose_release(r, &p, NULL, &released, &e) != ST_OK)
        fail_msg("%s", e.text);
    assert_int_equal(drawn_given_away(r, released, &p, &n_small_hidden), 0);
    assert_int_equal(released_verify(released, &e), ST_OK);
    released_free(released);
}

/* Hides 1-7, rounds all others to 5, totals on their own: by itself the rule gives small cells away. */
static void the_nhs_rule_is_repaired_in_four_dimensions(void **test_state)
{
    (void)test_state;
    static const uint32_t levels[] = {4, 4, 3, 4};
    struct policy p;
    struct gate *g;
    struct err e;
    uint32_t repaired = 0;
    assert_int_equal(policy_profile("nhs-hes", &p, &e), ST_OK);
    for (uint64_t seed = 1; seed <= 2; seed++) {
        drawn_state = seed;
        struct result *r = drawn_table(levels, 4, 60);
        assert_int_equal(gate_run(r, &p, &g, &e), ST_OK);
        for (uint64_t i = 0; i < r->tables[0].n_cells; i++)
            repaired += g->verdicts[0][i].mark == CELL_SECONDARY;
        gate_free(g);
        no_small_cell_is_recovered(r, "nhs-hes");
        result_free(r);
    }
    assert_true(repaired > 0 && n_small_hidden > 0);
}

/* A site that is hidden is not the network's total less the others: 2 to 12 sites, exact and rounded. */
static void a_hidden_site_is_not_in_the_network_total(void **test_state)
{
    (void)test_state;
    n_small_hidden = 0;
    static const char *const profiles[] = {"gel-5", "sde-10", "nhs-hes", "ons-10-5"};
    for (uint32_t sites = 2; sites <= 12; sites++)
        for (size_t p = 0; p < sizeof profiles / sizeof *profiles; p++) {
            const uint32_t levels[] = {sites + 1, 4};
            drawn_state = sites * 100 + p;
            struct result *r = drawn_table(levels, 2, 90);
            no_small_cell_is_recovered(r, profiles[p]);
            result_free(r);
        }
    assert_true(n_small_hidden > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nhs_rule_is_repaired_in_four_dimensions),
        cmocka_unit_test(a_hidden_site_is_not_in_the_network_total),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
