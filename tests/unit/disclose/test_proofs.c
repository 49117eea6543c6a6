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

#include "disclose/audit.h"
#include "disclose/gate.h"

static uint64_t state;
static uint32_t n_small_hidden;

static uint32_t draw(uint32_t below) /* Knuth's linear congruential generator, high bits */
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % below;
}

/* A table over dimensions with one total each; inner counts are drawn, many small, some zero. */
static struct result *draw_table(const uint32_t *levels, uint32_t n_dimensions, uint32_t most)
{
    struct result *r = result_new("drawn");
    uint64_t places = 1;
    for (uint32_t d = 0; d < n_dimensions; d++)
        places *= levels[d];
    struct result_table *t = result_add_table(r, "t", "t", OUTPUT_COUNT, n_dimensions, places);
    for (uint32_t d = 0; d < n_dimensions; d++) {
        struct result_level *l = arena_array(r->arena, levels[d], sizeof *l);
        for (uint32_t i = 0; i < levels[d]; i++)
            l[i] = (struct result_level){arena_printf(r->arena, "%u", i), i ? 0 : -1};
        t->dimensions[d] = (struct result_dimension){arena_printf(r->arena, "d%u", d), l, levels[d], false};
    }
    for (uint64_t i = 0; i < places; i++) {
        uint32_t *at = arena_array(r->arena, n_dimensions, sizeof *at);
        uint64_t rest = i;
        for (uint32_t d = n_dimensions; d-- > 0; rest /= levels[d])
            at[d] = (uint32_t)(rest % levels[d]);
        t->cells[i].at = at;
    }
    for (uint64_t i = 0; i < places; i++) {
        const uint32_t *at = t->cells[i].at;
        bool inner = true;
        for (uint32_t d = 0; d < n_dimensions; d++)
            inner &= at[d] > 0;
        int64_t n = inner ? (int64_t)draw(draw(3) ? most : most / 8) : 0;
        for (uint32_t margins = 0; inner && margins < 1u << n_dimensions; margins++) {
            uint64_t to = 0;
            for (uint32_t d = 0; d < n_dimensions; d++)
                to = to * levels[d] + (margins >> d & 1 ? 0 : at[d]);
            t->cells[to].persons += n;
        }
    }
    for (uint64_t i = 0; i < places; i++)
        t->cells[i].value = (double)t->cells[i].persons;
    return r;
}

static int64_t count_at(const struct result *r, const char *place)
{
    const struct result_table *t = &r->tables[0];
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const char *own = "";
        for (uint32_t d = 0; d < t->n_dimensions; d++)
            own = arena_printf(r->arena, "%s%s%u", own, d ? ", " : "", t->cells[i].at[d]);
        if (strcmp(own, place) == 0)
            return t->cells[i].persons;
    }
    return -1;
}

/* Small cells that the document gives away, exactly or too narrowly. (Of a large one, hidden for others'
   sake, the reader may learn that it is not small.) */
static uint32_t n_given_away(const struct result *raw, const struct released *r, const struct policy *p)
{
    struct audit *audit = audit_new();
    struct err e;
    uint32_t n = 0, hidden = 0;
    assert_int_equal(audit_add_released(audit, released_table(r, 0), p, &e), ST_OK);
    assert_int_equal(audit_run(audit, p->minimum, &e), ST_OK);
    for (uint32_t i = 0; i < audit_n_cells(audit); i++) {
        const struct audit_cell *c = audit_cell(audit, i);
        int64_t count = count_at(raw, c->place);
        assert_true(count >= 0 && (double)count >= c->low && (double)count <= c->high);
        if (count > 0 && count < p->minimum) {
            hidden++;
            n += c->finding != FOUND_SAFE;
        }
    }
    audit_free(audit);
    n_small_hidden += hidden;
    return n;
}

static void no_small_cell_is_recovered(const struct result *r, const char *profile)
{
    struct released *released;
    struct policy p;
    struct err e;
    assert_int_equal(policy_profile(profile, &p, &e), ST_OK);
    if (disclose_release(r, &p, NULL, &released, &e) != ST_OK)
        fail_msg("%s", e.text);
    assert_int_equal(n_given_away(r, released, &p), 0);
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
    for (state = 1; state <= 2; state++) {
        uint64_t seed = state;
        struct result *r = draw_table(levels, 4, 60);
        assert_int_equal(gate_run(r, &p, &g, &e), ST_OK);
        for (uint64_t i = 0; i < r->tables[0].n_cells; i++)
            repaired += g->verdicts[0][i].mark == CELL_SECONDARY;
        gate_free(g);
        no_small_cell_is_recovered(r, "nhs-hes");
        result_free(r);
        state = seed;
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
            state = sites * 100 + p;
            struct result *r = draw_table(levels, 2, 90);
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
