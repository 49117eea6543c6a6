/* SPDX-License-Identifier: Apache-2.0
 * The release gate: what is hidden, for each type of output, and that nothing hidden can be worked out. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "disclose/gate.h"
#include "disclose/release.h"
#include "disclose/rounding.h"

static struct policy policy_of(const char *profile)
{
    struct policy p;
    struct err e;
    assert_int_equal(policy_profile(profile, &p, &e), ST_OK);
    return p;
}

static struct result_level levels_with_total[] = {{"total", -1}, {"a", 0}, {"b", 0}, {"c", 0}};
static struct result_level levels_plain[] = {{"a", -1}, {"b", -1}, {"c", -1}, {"d", -1}};

static void place(struct result *r, struct result_table *t)
{
    for (uint64_t i = 0; i < t->n_cells; i++) {
        uint32_t *at = arena_array(r->arena, t->n_dimensions, sizeof *at);
        uint64_t left = i;
        for (uint32_t d = t->n_dimensions; d-- > 0; left /= t->dimensions[d].n_levels)
            at[d] = (uint32_t)(left % t->dimensions[d].n_levels);
        t->cells[i].at = at;
    }
}

/* A square table with totals over the given inner counts. */
static struct result *square(const int64_t inner[3][3])
{
    struct result *r = result_new("square");
    struct result_table *t = result_add_table(r, "t", "t", OUTPUT_COUNT, 2, 16);
    t->dimensions[0] = (struct result_dimension){"x", levels_with_total, 4, false};
    t->dimensions[1] = (struct result_dimension){"y", levels_with_total, 4, false};
    place(r, t);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            const int add[] = {0, i + 1};
            const int to[] = {0, k + 1};
            for (int m = 0; m < 4; m++)
                t->cells[add[m / 2] * 4 + to[m % 2]].persons += inner[i][k];
        }
    for (int i = 0; i < 16; i++)
        t->cells[i].value = (double)t->cells[i].persons;
    return r;
}

/* Whether any whole-numbered table other than the true one prints the same: enumerated, no programme. The
   hidden cells of each row and column have to keep their sums; here inner cells only are hidden. */
static bool another_table(const struct gate *g, uint32_t target)
{
    const struct result_table *t = &g->result->tables[0];
    const struct verdict *v = g->verdicts[0];
    for (uint32_t i = 1; i < 4; i++)
        for (uint32_t k = 1; k < 4; k++) {
            uint32_t a = target, ar = a / 4, ac = a % 4, b = ar * 4 + k, c = i * 4 + ac, d = i * 4 + k;
            if (i == ar || k == ac || v[a].mark == CELL_SHOWN || v[b].mark == CELL_SHOWN ||
                v[c].mark == CELL_SHOWN || v[d].mark == CELL_SHOWN)
                continue;
            if ((t->cells[b].value >= 1 && t->cells[c].value >= 1) ||
                (t->cells[a].value >= 1 && t->cells[d].value >= 1))
                return true;
        }
    return false;
}

static void a_hidden_inner_cell_is_not_alone(void **state)
{
    (void)state;
    const int64_t inner[3][3] = {{4, 52, 104}, {12, 58, 100}, {30, 40, 50}};
    struct result *r = square(inner);
    struct policy p = policy_of("gel-5");
    struct gate *g;
    struct err e;
    assert_int_equal(gate_run(r, &p, &g, &e), ST_OK);
    assert_int_equal(g->verdicts[0][5].mark, CELL_PRIMARY);
    assert_true(another_table(g, 5));
    assert_true(g->verdicts[0][5].surely_low <= 1 && g->verdicts[0][5].surely_high >= 4);
    gate_free(g);
    result_free(r);
}

static void rounding_alone_is_repaired(void **state)
{
    (void)state;
    /* Only the small count is hidden by the NHS rule; row and column totals round to 50 and 50 while the
       others print 25 each, so it would be pinned to a few values. */
    const int64_t inner[3][3] = {{1, 23, 27}, {23, 100, 100}, {27, 100, 100}};
    struct result *r = square(inner);
    struct policy p = policy_of("nhs-hes");
    struct gate *g;
    struct err e;
    assert_int_equal(gate_run(r, &p, &g, &e), ST_OK);
    assert_true(g->verdicts[0][5].surely_low <= 1 && g->verdicts[0][5].surely_high >= 7);
    gate_free(g);
    result_free(r);
}

static void tables_that_contradict_themselves_are_refused(void **state)
{
    (void)state;
    const int64_t inner[3][3] = {{4, 52, 104}, {12, 58, 100}, {30, 40, 50}};
    struct result *r = square(inner);
    struct policy p = policy_of("sde-10");
    struct gate *g;
    struct err e;
    r->tables[0].cells[0].persons++;
    r->tables[0].cells[0].value++;
    assert_int_equal(gate_run(r, &p, &g, &e), ST_INVALID);
    assert_null(g);
    result_free(r);
}

static const int64_t leaking[3][3] = {{4, 52, 104}, {12, 58, 100}, {30, 40, 50}};

/* A one-way table over x beside the square; `missing` persons are left out of its first count. */
static struct result *beside(int64_t missing)
{
    struct result *r = square(leaking);
    struct result_table *one_way = result_add_table(r, "by_x", "by x", OUTPUT_COUNT, 1, 3);
    one_way->dimensions[0] = (struct result_dimension){"x", levels_plain, 3, false};
    place(r, one_way);
    for (int i = 0; i < 3; i++)
        one_way->cells[i].value =
            (double)(one_way->cells[i].persons =
                         leaking[i][0] + leaking[i][1] + leaking[i][2] - (i == 0 ? missing : 0));
    return r;
}

/* The row totals of the square and the one-way table are one: what one prints the other prints too. */
static void tables_of_one_population_are_one_system(void **state)
{
    (void)state;
    struct result *r = beside(0);
    struct policy exact = policy_of("gel-5");
    struct gate *g;
    struct err e;
    assert_int_equal(gate_run(r, &exact, &g, &e), ST_OK);
    assert_int_equal(g->proofs[0].tables, 2);
    assert_true(another_table(g, 5));
    for (int i = 0; i < 3; i++)
        assert_int_equal(g->verdicts[1][i].mark == CELL_SHOWN,
                         g->verdicts[0][4 * (i + 1)].mark == CELL_SHOWN);
    gate_free(g);
    result_free(r);
}

/* ACRO's leak: a crosstab without margins, each row of which hides one cell, and its safe one-way table. */
static void a_one_way_table_does_not_give_a_crosstab_away(void **state)
{
    (void)state;
    const char *const profiles[] = {"gel-5", "sde-10", "nhs-hes", "opensafely", "ons-10-5"};
    for (size_t p = 0; p < sizeof profiles / sizeof *profiles; p++) {
        struct result *r = result_new("crosstab");
        struct result_table *t = result_add_table(r, "t", "t", OUTPUT_COUNT, 2, 9);
        struct result_table *rows;
        struct policy policy = policy_of(profiles[p]);
        struct gate *g;
        struct err e;
        t->dimensions[0] = (struct result_dimension){"x", levels_plain, 3, false};
        t->dimensions[1] = (struct result_dimension){"y", levels_plain, 3, false};
        place(r, t);
        for (int i = 0; i < 9; i++)
            t->cells[i].value = (double)(t->cells[i].persons = leaking[i / 3][i % 3]);
        rows = result_add_table(r, "rows", "rows", OUTPUT_COUNT, 1, 3);
        t = &r->tables[0];
        rows->dimensions[0] = (struct result_dimension){"x", levels_plain, 3, false};
        place(r, rows);
        for (int i = 0; i < 9; i++)
            rows->cells[i / 3].value = (double)(rows->cells[i / 3].persons += t->cells[i].persons);
        assert_int_equal(gate_run(r, &policy, &g, &e), ST_OK);
        assert_int_equal(g->verdicts[0][0].mark, CELL_PRIMARY);
        assert_true(g->verdicts[0][0].surely_low <= 1 &&
                    g->verdicts[0][0].surely_high >= (double)policy.minimum - 1);
        bool alone = g->verdicts[0][1].mark == CELL_SHOWN && g->verdicts[0][2].mark == CELL_SHOWN &&
                     g->verdicts[1][0].mark == CELL_SHOWN;
        assert_true(!alone || policy.rounding != ROUNDING_NONE);
        gate_free(g);
        result_free(r);
    }
}

/* 50 persons, 3 of them in one of two levels: with the 50 beside them the 47 must not be printed. */
static void a_total_of_its_own_does_not_give_a_level_away(void **state)
{
    (void)state;
    struct result *r = result_new("total");
    struct result_table *t = result_add_table(r, "all", "all", OUTPUT_COUNT, 0, 1);
    struct policy exact = policy_of("gel-5");
    struct gate *g;
    struct err e;
    place(r, t);
    t->cells[0].value = (double)(t->cells[0].persons = 50);
    t = result_add_table(r, "by_x", "by x", OUTPUT_COUNT, 1, 2);
    t->dimensions[0] = (struct result_dimension){"x", levels_plain, 2, false};
    place(r, t);
    t->cells[0].value = (double)(t->cells[0].persons = 3);
    t->cells[1].value = (double)(t->cells[1].persons = 47);
    assert_int_equal(gate_run(r, &exact, &g, &e), ST_OK);
    assert_int_equal(g->verdicts[1][0].mark, CELL_PRIMARY);
    assert_true(g->verdicts[1][1].mark != CELL_SHOWN || g->verdicts[0][0].mark != CELL_SHOWN);
    gate_free(g);
    result_free(r);
}

static struct result *two_ways(const int64_t counts[2][2])
{
    struct result *r = result_new("two ways");
    for (int way = 0; way < 2; way++) {
        struct result_table *t = result_add_table(r, way ? "by_y" : "by_x", "one way", OUTPUT_COUNT, 1, 2);
        t->dimensions[0] = (struct result_dimension){way ? "y" : "x", levels_plain, 2, false};
        place(r, t);
        for (int i = 0; i < 2; i++)
            t->cells[i].value = (double)(t->cells[i].persons = counts[way][i]);
    }
    return r;
}

/* One person hidden under a minimum of 2, and no zero printed: 1 alone would be an interval that holds. */
static void one_person_is_not_worked_out_under_a_minimum_of_2(void **state)
{
    (void)state;
    static const char rules[] =
        "name: p\nversion: 1\napproved_by: t\ninherits: ons-10-5\nrounding: none\nminimum: 2\n";
    struct result *r = result_new("two");
    struct result_table *t = result_add_table(r, "t", "t", OUTPUT_COUNT, 1, 4);
    static const int64_t counts[] = {6, 1, 2, 3};
    struct policy p;
    struct gate *g;
    struct err e;
    assert_int_equal(policy_parse(slice_of(rules), "p", &p, &e), ST_OK);
    assert_false(p.zero_shown);
    t->dimensions[0] = (struct result_dimension){"x", levels_with_total, 4, false};
    place(r, t);
    for (int i = 0; i < 4; i++)
        t->cells[i].value = (double)(t->cells[i].persons = counts[i]);
    assert_int_equal(gate_run(r, &p, &g, &e), ST_OK);
    assert_int_equal(g->verdicts[0][1].mark, CELL_PRIMARY);
    assert_true(g->verdicts[0][0].mark != CELL_SHOWN || g->verdicts[0][2].mark != CELL_SHOWN ||
                g->verdicts[0][3].mark != CELL_SHOWN);
    gate_free(g);
    result_free(r);
}

/* No total is printed, but either table has it as its sum. */
static void tables_of_one_sum_are_one_system(void **state)
{
    (void)state;
    static const int64_t counts[2][2] = {{3, 47}, {20, 30}};
    struct result *r = two_ways(counts);
    struct policy exact = policy_of("gel-5");
    struct gate *g;
    struct err e;
    assert_int_equal(gate_run(r, &exact, &g, &e), ST_OK);
    assert_int_equal(g->verdicts[0][0].mark, CELL_PRIMARY);
    assert_true(g->verdicts[0][1].mark != CELL_SHOWN || g->verdicts[1][0].mark != CELL_SHOWN ||
                g->verdicts[1][1].mark != CELL_SHOWN);
    gate_free(g);
    r->tables[1].cells[0].value = (double)++r->tables[1].cells[0].persons;
    assert_int_equal(gate_run(r, &exact, &g, &e), ST_OK);
    assert_int_equal(g->system[1], 1);
    gate_free(g);
    result_free(r);
}

/* 20 and 30 are at least 46 persons, 35 at most 37: nine are hidden, no fewer. */
static void rounded_tables_of_one_sum_are_one_system(void **state)
{
    (void)state;
    static const int64_t counts[2][2] = {{9, 37}, {18, 28}};
    struct result *r = two_ways(counts);
    struct policy rounded = policy_of("sde-10");
    struct gate *g;
    struct err e;
    assert_int_equal(gate_run(r, &rounded, &g, &e), ST_OK);
    assert_int_equal(g->proofs[0].tables, 2);
    assert_true(g->verdicts[0][0].surely_low <= 1 && g->verdicts[0][0].surely_high >= 9);
    assert_true(g->verdicts[0][1].mark != CELL_SHOWN || g->verdicts[1][0].mark != CELL_SHOWN ||
                g->verdicts[1][1].mark != CELL_SHOWN);
    gate_free(g);
    result_free(r);
}

/* A table of three ways in two, without any total, and what each of its rows sums up to by `ways` of them. */
static struct result *without_margins(uint32_t ways, bool one_way)
{
    struct result *r = result_new("crosstabs");
    uint64_t n = ways == 3 ? 18 : 9;
    struct result_table *t = result_add_table(r, "by_y", "by y", OUTPUT_COUNT, ways, n), *other;
    for (uint32_t d = 0; d < ways; d++)
        t->dimensions[d] = (struct result_dimension){(const char *const[]){"x", "y", "z"}[d], levels_plain,
                                                     d == 2 ? 2 : 3, false};
    place(r, t);
    for (uint64_t i = 0; i < n; i++)
        t->cells[i].value =
            (double)(t->cells[i].persons = leaking[i * 3 / n][i % 3] + (int64_t)(i % 2) * 20 * (ways == 3));
    other = result_add_table(r, "other", "other", OUTPUT_COUNT, one_way ? 1 : 2, one_way ? 3 : 6);
    t = &r->tables[0];
    other->dimensions[0] = (struct result_dimension){"x", levels_plain, 3, false};
    if (!one_way)
        other->dimensions[1] = (struct result_dimension){"w", levels_plain, 2, false};
    place(r, other);
    for (uint64_t i = 0; i < n; i++)
        other->cells[one_way ? i * 3 / n : i * 3 / n * 2 + i % 2].persons += t->cells[i].persons;
    for (uint64_t i = 0; i < other->n_cells; i++)
        other->cells[i].value = (double)other->cells[i].persons;
    return r;
}

/* Each row of one table sums up to the same as that row of the other, so a row of which one cell is hidden
   needs another that is. */
static void a_margin_that_nobody_prints_gives_no_cell_away(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        struct result *r = without_margins(way == 0 ? 2 : 3, way == 2);
        struct policy exact = policy_of("gel-5");
        struct gate *g;
        struct err e;
        uint32_t hidden[3] = {0};
        assert_int_equal(gate_run(r, &exact, &g, &e), ST_OK);
        for (uint32_t t = 0; t < 2; t++)
            for (uint64_t i = 0; i < r->tables[t].n_cells; i++)
                hidden[r->tables[t].cells[i].at[0]] += g->verdicts[t][i].mark != CELL_SHOWN;
        assert_int_equal(g->verdicts[0][0].mark, CELL_PRIMARY);
        assert_true(hidden[0] >= 2);
        assert_true(g->verdicts[0][0].surely_low <= 1 && g->verdicts[0][0].surely_high >= 4);
        gate_free(g);
        result_free(r);
    }
}

/* Two counts of one place: whose is which nobody knows here, so exact ones do not leave together. */
static void tables_of_two_populations_do_not_leave_exactly(void **state)
{
    (void)state;
    struct result *r = beside(3);
    struct policy exact = policy_of("gel-5"), rounded = policy_of("sde-10");
    struct gate *g;
    struct err e;
    assert_int_equal(gate_run(r, &exact, &g, &e), ST_OK);
    assert_non_null(g->withheld[0]); /* it hides a cell, the other none */
    assert_null(g->withheld[1]);
    gate_free(g);
    assert_int_equal(gate_run(r, &rounded, &g, &e), ST_OK);
    assert_null(g->withheld[0]);
    assert_int_equal(g->proofs[0].tables, 1);
    gate_free(g);
    result_free(r);
}

static void small_differences_of_nested_counts_are_protected(void **state)
{
    (void)state;
    struct result *r = result_new("attrition");
    struct result_table *t = result_add_table(r, "t", "t", OUTPUT_COUNT, 1, 3);
    static const int64_t counts[] = {5000, 4996, 330};
    struct policy p = policy_of("gel-5");
    struct gate *g;
    struct err e;
    t->dimensions[0] = (struct result_dimension){"step", levels_plain, 3, true};
    place(r, t);
    for (int i = 0; i < 3; i++)
        t->cells[i].value = (double)(t->cells[i].persons = counts[i]);
    assert_int_equal(gate_run(r, &p, &g, &e), ST_OK);
    assert_true(g->verdicts[0][0].mark != CELL_SHOWN || g->verdicts[0][1].mark != CELL_SHOWN);
    gate_free(g);
    result_free(r);
}

/* Three persons with fifty events: the count is not small, but it must not be worked out either. */
static void cells_hidden_for_their_persons_are_protected_too(void **state)
{
    (void)state;
    const int64_t inner[3][3] = {{50, 52, 104}, {12, 58, 100}, {30, 40, 50}};
    struct result *r = square(inner);
    struct policy p = policy_of("gel-5");
    struct gate *g;
    struct err e;
    r->tables[0].cells[5].persons = 3;
    assert_int_equal(gate_run(r, &p, &g, &e), ST_OK);
    assert_int_equal(g->verdicts[0][5].mark, CELL_PRIMARY);
    assert_true(another_table(g, 5));
    gate_free(g);
    result_free(r);
}

/* One cell of a type under sde-10: its mark. */
static enum cell_mark mark_of(enum output_type type, struct result_cell cell)
{
    struct result *r = result_new("one");
    struct result_table *t = result_add_table(r, "t", "t", type, 1, 1);
    struct policy p = policy_of("sde-10");
    struct gate *g;
    struct err e;
    static const uint32_t at[] = {0};
    t->dimensions[0] = (struct result_dimension){"d", levels_plain, 1, false};
    t->degrees_of_freedom = t->persons = 100;
    t->parameters = 4;
    cell.at = at;
    t->cells[0] = cell;
    if (gate_run(r, &p, &g, &e) != ST_OK)
        fail_msg("%s", e.text);
    enum cell_mark mark = g->verdicts[0][0].mark;
    gate_free(g);
    result_free(r);
    return mark;
}

#define BLANK                                                                                                \
    .lower = NAN, .upper = NAN, .numerator = NAN, .denominator = NAN, .top1 = NAN, .top2 = NAN,              \
    .quantile = NAN, .event_persons = -1, .below = -1, .above = -1, .level_persons = -1

static struct result_cell cell(int64_t persons, double value)
{
    return (struct result_cell){BLANK, .persons = persons, .value = value};
}

static void dominance_follows_the_published_cases(void **state)
{
    (void)state;
    static const struct {
        double sum, top1, top2;
        bool hidden;
    } cases[] = {{100, 50, 30, false},
                 {100, 90, 5, true},
                 {100, 60, 30, true},
                 {160, 100, 50, true},
                 {0, 0, 0, true} /* every value is known */};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct result_cell c = cell(20, cases[i].sum);
        c.top1 = cases[i].top1;
        c.top2 = cases[i].top2;
        assert_int_equal(mark_of(OUTPUT_SUM, c) != CELL_SHOWN, cases[i].hidden);
    }
    assert_int_equal(mark_of(OUTPUT_SUM, cell(20, 100)), CELL_PRIMARY); /* contributions not known */
}

static void quantiles_need_persons_on_both_sides(void **state)
{
    (void)state;
    struct result_cell c = cell(40, 61);
    c.quantile = 0.5;
    c.below = 20;
    c.above = 19;
    assert_int_equal(mark_of(OUTPUT_QUANTILE, c), CELL_SHOWN);
    c.quantile = 0.05;
    assert_int_equal(mark_of(OUTPUT_QUANTILE, c), CELL_PRIMARY);
    c.quantile = 0.5;
    c.above = 9;
    assert_int_equal(mark_of(OUTPUT_QUANTILE, c), CELL_PRIMARY);
}

static void extremes_never_leave(void **state)
{
    (void)state;
    assert_int_equal(mark_of(OUTPUT_EXTREME, cell(100000, 104)), CELL_PRIMARY);
}

static void rates_need_numerator_denominator_and_complement(void **state)
{
    (void)state;
    struct result_cell c = cell(100, 0.3);
    c.denominator = 100;
    c.numerator = 30;
    c.event_persons = 30;
    assert_int_equal(mark_of(OUTPUT_RATE, c), CELL_SHOWN);
    c.numerator = 9;
    c.event_persons = 9;
    assert_int_equal(mark_of(OUTPUT_RATE, c), CELL_PRIMARY);
    c.numerator = 95;
    c.event_persons = 95;
    assert_int_equal(mark_of(OUTPUT_RATE, c), CELL_PRIMARY);
    c.persons = 9;
    c.denominator = 9;
    c.numerator = 0;
    c.event_persons = 0;
    assert_int_equal(mark_of(OUTPUT_RATE, c), CELL_PRIMARY);
}

static void regression_terms_need_persons_and_events(void **state)
{
    (void)state;
    struct result_cell c = cell(100, 1.2);
    c.level_persons = 30;
    c.numerator = 12;
    assert_int_equal(mark_of(OUTPUT_REGRESSION, c), CELL_SHOWN);
    c.level_persons = 9;
    assert_int_equal(mark_of(OUTPUT_REGRESSION, c), CELL_PRIMARY);
    c.level_persons = 30;
    c.numerator = 3;
    assert_int_equal(mark_of(OUTPUT_REGRESSION, c), CELL_PRIMARY);
}

/* A count is held by its persons and by what it counts, whichever is small. */
static void a_small_count_of_many_persons_is_hidden(void **state)
{
    (void)state;
    static const struct {
        int64_t persons;
        double value;
        bool shown;
    } cases[] = {{50, 4, false}, {4, 50, false}, {0, 4, false},
                 {50, 0, true},  {50, 40, true}, {10, 10, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct result *r = result_new("counts");
        struct result_table *t = result_add_table(r, "t", "t", OUTPUT_COUNT, 0, 1);
        struct policy p = policy_of("sde-10");
        struct verdict v = {0};
        struct err e;
        t->cells[0].persons = cases[i].persons;
        t->cells[0].value = cases[i].value;
        assert_int_equal(judge_table(t, &p, NULL, &v, &(const char *){NULL}, &e), ST_OK);
        assert_int_equal(v.mark == CELL_SHOWN, cases[i].shown);
        result_free(r);
    }
}

/* Residual degrees of freedom and saturation: the published cases. */
static void small_models_are_refused(void **state)
{
    (void)state;
    static const struct {
        int64_t persons, parameters, freedom;
        bool leaves;
    } cases[] = {{10, 4, 6, false},   {811, 4, 807, true}, {811, 5, 806, true}, {30, 9, 21, true},
                 {30, 10, 20, false}, {100, 33, 67, true}, {100, 34, 66, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct result *r = result_new("model");
        struct result_table *t = result_add_table(r, "t", "t", OUTPUT_REGRESSION, 1, 1);
        struct policy p = policy_of("sde-10");
        struct verdict v = {0};
        struct err e;
        t->degrees_of_freedom = cases[i].freedom;
        t->persons = cases[i].persons;
        t->parameters = cases[i].parameters;
        t->cells[0].value = 1.5;
        t->cells[0].persons = cases[i].persons;
        bool leaves =
            judge_table(t, &p, NULL, &v, &(const char *){NULL}, &e) == ST_OK && v.mark == CELL_SHOWN;
        assert_int_equal(leaves, cases[i].leaves);
        result_free(r);
    }
}

/* No printed step has 1..9 events or a drop of the risk set of 1..9 since the last printed one. */
static void survival_steps_are_merged(void **state)
{
    (void)state;
    enum { STEPS = 40 };
    struct result *r = result_new("curve");
    struct result_table *t = result_add_table(r, "t", "t", OUTPUT_SURVIVAL, 1, STEPS);
    struct policy p = policy_of("sde-10");
    struct verdict v[STEPS] = {0};
    struct err e;
    struct result_level levels[STEPS];
    double at_risk = 400, survival = 1;
    for (int i = 0; i < STEPS; i++)
        levels[i] = (struct result_level){"day", -1};
    t->dimensions[0] = (struct result_dimension){"time", levels, STEPS, false};
    place(r, t);
    for (int i = 0; i < STEPS; i++) {
        double events = (i * 7) % 5, censored = (i * 3) % 11;
        survival *= 1 - events / at_risk;
        t->cells[i].persons = (int64_t)at_risk;
        t->cells[i].denominator = at_risk;
        t->cells[i].numerator = events;
        t->cells[i].value = survival;
        at_risk -= events + censored;
    }
    assert_int_equal(judge_table(t, &p, NULL, v, &(const char *){NULL}, &e), ST_OK);
    double events = 0, from = 400;
    int shown = 0;
    for (int i = 0; i < STEPS; i++) {
        double left = i + 1 < STEPS ? t->cells[i + 1].denominator : at_risk;
        events += t->cells[i].numerator;
        if (v[i].mark != CELL_SHOWN)
            continue;
        assert_true(events == 0 || events >= 10);
        assert_true(from == left || from - left >= 10);
        events = 0;
        from = left;
        shown++;
    }
    assert_true(shown > 3);
    result_free(r);
}

enum { CURVE_STEPS = 40, RISK_EVERY = 4, RISK_COLUMNS = CURVE_STEPS / RISK_EVERY };

/* A curve of one group, and the numbers at risk on every fourth day beside it. */
static struct result *curve_with_numbers(void)
{
    struct result *r = result_new("curve");
    (void)result_add_table(r, "curve", "curve", OUTPUT_SURVIVAL, 2, CURVE_STEPS);
    struct result_table *risk = result_add_table(r, "at_risk", "at risk", OUTPUT_COUNT, 2, RISK_COLUMNS);
    struct result_level *all = arena_alloc(r->arena, sizeof *all);
    struct result_level *days = arena_array(r->arena, CURVE_STEPS, sizeof *days);
    struct result_level *columns = arena_array(r->arena, RISK_COLUMNS, sizeof *columns);
    *all = (struct result_level){"all", -1};
    struct result_table *curve = &r->tables[0];
    curve->dimensions[0] = risk->dimensions[0] = (struct result_dimension){"group", all, 1, false};
    curve->dimensions[1] = (struct result_dimension){"time", days, CURVE_STEPS, false};
    risk->dimensions[1] = (struct result_dimension){"at risk on", columns, RISK_COLUMNS, true};
    place(r, curve);
    place(r, risk);
    double at_risk = 400, survival = 1;
    for (int i = 0; i < CURVE_STEPS; i++) {
        double events = (i * 7) % 5, censored = (i * 3) % 11;
        days[i] = (struct result_level){arena_printf(r->arena, "day %d", i + 1), -1};
        survival *= 1 - events / at_risk;
        curve->cells[i].persons = (int64_t)at_risk;
        curve->cells[i].denominator = at_risk;
        curve->cells[i].numerator = events;
        curve->cells[i].value = survival;
        if (i % RISK_EVERY == 0) {
            columns[i / RISK_EVERY] = (struct result_level){arena_printf(r->arena, "day %d", i), -1};
            risk->cells[i / RISK_EVERY].persons = (int64_t)at_risk;
            risk->cells[i / RISK_EVERY].value = at_risk;
        }
        at_risk -= events + censored;
    }
    return r;
}

/* Printed exactly, a number at risk stands only where a printed step of the curve ends, or at the start. */
static void numbers_at_risk_tell_nothing_inside_a_merged_step(void **state)
{
    (void)state;
    struct result *r = curve_with_numbers();
    struct policy p = policy_of("sde-10");
    struct gate *g;
    struct err e = {0};
    int inside = 0, shown = 0;
    assert_int_equal(gate_run(r, &p, &g, &e), ST_OK);
    for (int i = 0; i < RISK_COLUMNS; i++)
        assert_int_equal(g->verdicts[1][i].mark, CELL_SHOWN); /* rounded: nothing to hide */
    gate_free(g);
    p.rounding = ROUNDING_NONE;
    if (gate_run(r, &p, &g, &e) != ST_OK)
        fail_msg("%s", e.text);
    for (int i = 1; i < RISK_COLUMNS; i++) {
        bool ends = g->verdicts[0][i * RISK_EVERY - 1].mark == CELL_SHOWN;
        bool printed = g->verdicts[1][i].mark == CELL_SHOWN;
        assert_true(ends || !printed);
        inside += !ends;
        shown += printed;
    }
    assert_true(inside > 0 && shown > 0);
    gate_free(g);
    result_free(r);
}

static void rounding_follows_its_sources(void **state)
{
    (void)state;
    assert_int_equal(round_midpoint(0, 6), 0);
    assert_int_equal(round_midpoint(1, 6), 3);
    assert_int_equal(round_midpoint(6, 6), 3);
    assert_int_equal(round_midpoint(7, 6), 9);
    assert_int_equal(round_nearest(12, 5), 10);
    assert_int_equal(round_nearest(13, 5), 15);
    for (int64_t n = 0; n < 200; n++)
        for (int kind = ROUNDING_NONE; kind <= ROUNDING_MIDPOINT; kind++) {
            int64_t base = kind == ROUNDING_MIDPOINT ? 6 : 5;
            if (n > 0 && n < 8)
                continue; /* hidden */
            struct count_range r = round_range(round_count(n, kind, base), kind, base, 8);
            assert_true(n >= r.low && n <= r.high);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hidden_inner_cell_is_not_alone),
        cmocka_unit_test(cells_hidden_for_their_persons_are_protected_too),
        cmocka_unit_test(rounding_alone_is_repaired),
        cmocka_unit_test(tables_that_contradict_themselves_are_refused),
        cmocka_unit_test(tables_of_one_population_are_one_system),
        cmocka_unit_test(a_one_way_table_does_not_give_a_crosstab_away),
        cmocka_unit_test(a_total_of_its_own_does_not_give_a_level_away),
        cmocka_unit_test(one_person_is_not_worked_out_under_a_minimum_of_2),
        cmocka_unit_test(tables_of_one_sum_are_one_system),
        cmocka_unit_test(rounded_tables_of_one_sum_are_one_system),
        cmocka_unit_test(a_margin_that_nobody_prints_gives_no_cell_away),
        cmocka_unit_test(tables_of_two_populations_do_not_leave_exactly),
        cmocka_unit_test(small_differences_of_nested_counts_are_protected),
        cmocka_unit_test(dominance_follows_the_published_cases),
        cmocka_unit_test(quantiles_need_persons_on_both_sides),
        cmocka_unit_test(extremes_never_leave),
        cmocka_unit_test(rates_need_numerator_denominator_and_complement),
        cmocka_unit_test(regression_terms_need_persons_and_events),
        cmocka_unit_test(a_small_count_of_many_persons_is_hidden),
        cmocka_unit_test(small_models_are_refused),
        cmocka_unit_test(survival_steps_are_merged),
        cmocka_unit_test(numbers_at_risk_tell_nothing_inside_a_merged_step),
        cmocka_unit_test(rounding_follows_its_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
