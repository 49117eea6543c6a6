/* SPDX-License-Identifier: Apache-2.0
 *
 * NEWS2 against the chart of the Royal College of Physicians (2017), cell by cell: every whole value of every
 * part, and the bands of every total.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/news2.h"

/* The chart's cells: [from, to] in chart units (tenths for the temperature) and the points printed there. */
struct cell {
    int from, to, points;
};
struct chart {
    enum news2_part part;
    bool scale_2, oxygen;
    int divisor;
    struct cell cells[10];
};

static const struct chart charts[] = {
    {NEWS2_RESPIRATION, 0, 0, 1, {{0, 8, 3}, {9, 11, 1}, {12, 20, 0}, {21, 24, 2}, {25, 120, 3}}},
    {NEWS2_SPO2, 0, 0, 1, {{30, 91, 3}, {92, 93, 2}, {94, 95, 1}, {96, 100, 0}}},
    {NEWS2_SPO2, 0, 1, 1, {{30, 91, 3}, {92, 93, 2}, {94, 95, 1}, {96, 100, 0}}},
    {NEWS2_SPO2, 1, 0, 1, {{30, 83, 3}, {84, 85, 2}, {86, 87, 1}, {88, 100, 0}}},
    {NEWS2_SPO2,
     1,
     1,
     1,
     {{30, 83, 3}, {84, 85, 2}, {86, 87, 1}, {88, 92, 0}, {93, 94, 1}, {95, 96, 2}, {97, 100, 3}}},
    {NEWS2_SYSTOLIC, 0, 0, 1, {{20, 90, 3}, {91, 100, 2}, {101, 110, 1}, {111, 219, 0}, {220, 350, 3}}},
    {NEWS2_PULSE,
     0,
     0,
     1,
     {{0, 40, 3}, {41, 50, 1}, {51, 90, 0}, {91, 110, 1}, {111, 130, 2}, {131, 350, 3}}},
    {NEWS2_TEMPERATURE,
     0,
     0,
     10,
     {{200, 350, 3}, {351, 360, 1}, {361, 380, 0}, {381, 390, 1}, {391, 460, 2}}},
};

static void every_value_has_the_points_of_its_cell(void **unused)
{
    (void)unused;
    for (size_t c = 0; c < sizeof charts / sizeof *charts; c++) {
        const struct chart *chart = &charts[c];
        double least, most;
        news2_plausible(chart->part, &least, &most);
        assert_true(chart->cells[0].from == (int)(least * chart->divisor));
        for (const struct cell *cell = chart->cells; cell->to; cell++)
            for (int v = cell->from; v <= cell->to; v++)
                assert_int_equal(
                    news2_points(chart->part, (double)v / chart->divisor, chart->scale_2, chart->oxygen),
                    cell->points);
    }
    assert_int_equal(news2_points(NEWS2_OXYGEN, 1, false, true), 2);
    assert_int_equal(news2_points(NEWS2_CONSCIOUSNESS, 0, false, false), 3);
}

static void readings_between_cells_round_half_up(void **unused)
{
    (void)unused;
    assert_int_equal(news2_points(NEWS2_SPO2, 95.4, false, false), 1);
    assert_int_equal(news2_points(NEWS2_SPO2, 95.5, false, false), 0);
    assert_int_equal(news2_points(NEWS2_TEMPERATURE, 38.04, false, false), 0);
    assert_int_equal(news2_points(NEWS2_TEMPERATURE, 38.06, false, false), 1);
}

static void totals_have_the_bands_of_the_chart(void **unused)
{
    (void)unused;
    for (int total = 0; total <= 20; total++)
        for (int three = 0; three < 2; three++) {
            enum news2_band expected = total >= 7   ? NEWS2_HIGH
                                       : total >= 5 ? NEWS2_MEDIUM
                                       : three      ? NEWS2_LOW_MEDIUM
                                       : total >= 1 ? NEWS2_LOW
                                                    : NEWS2_ZERO;
            assert_int_equal(news2_band_of(total, three), expected);
        }
}

static void the_score_adds_up_and_a_missing_reading_leaves_none(void **unused)
{
    (void)unused;
    /* 2 + 2 + 2 + 1 + 1 + 0 + 1 */
    struct news2_reading r = {22, 93, 105, 95, 38.5, false, true, true};
    struct news2 n = news2_score(&r);
    assert_int_equal(n.total, 9);
    assert_int_equal(n.band, NEWS2_HIGH);
    r.alert = false;
    assert_int_equal(news2_score(&r).total, 12);
    r.pulse = NAN;
    n = news2_score(&r);
    assert_int_equal(n.total, -1);
    assert_int_equal(n.points[NEWS2_PULSE], -1);
    struct news2_reading well = {16, 97, 120, 70, 37, false, false, true};
    assert_int_equal(news2_score(&well).total, 0);
    assert_int_equal(news2_score(&well).band, NEWS2_ZERO);
    well.scale_2 = well.oxygen = true; /* 3 for too much oxygen, 2 for oxygen */
    assert_int_equal(news2_score(&well).total, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_has_the_points_of_its_cell),
        cmocka_unit_test(readings_between_cells_round_half_up),
        cmocka_unit_test(totals_have_the_bands_of_the_chart),
        cmocka_unit_test(the_score_adds_up_and_a_missing_reading_leaves_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
