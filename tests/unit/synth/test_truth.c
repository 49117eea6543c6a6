/* SPDX-License-Identifier: Apache-2.0
 *
 * What is planted is found again: each truth is estimated from the events alone, the naive way, and must lie
 * within four standard errors. The seed is fixed, so a failure is a change and never bad luck.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "population_fixture.h"

enum { PERSONS = 60000 };
static struct fixture made;
static struct synth_summary summary;

static int make(void **state)
{
    (void)state;
    fixture_make(&made, "Birmingham and Solihull", 11, PERSONS);
    truth_report(&made.chunk.tally, &summary);
    return 0;
}

static int release(void **state)
{
    (void)state;
    fixture_free(&made);
    return 0;
}

static double truth(const char *name)
{
    for (size_t i = 0; i < summary.n_truths; i++)
        if (strcmp(summary.truths[i].name, name) == 0)
            return summary.truths[i].value;
    fail_msg("there is no truth '%s'", name);
    return 0;
}

static void assert_near(double found, double expected, double standard_error)
{
    if (fabs(found - expected) > 4 * standard_error)
        fail_msg("found %g, planted %g, standard error %g", found, expected, standard_error);
}

/* With a constant hazard the ratio of rates is the hazard ratio. */
static void test_hazard_ratio(void **state)
{
    (void)state;
    int32_t *index = first_days(&made, TABLE_CONDITION, CODE_T2DM),
            *drug = first_days(&made, TABLE_DRUG, CODE_DAPAGLIFLOZIN);
    int32_t *admission = first_days(&made, TABLE_CONDITION, CODE_DM_ADMISSION);
    double events[2] = {0}, years[2] = {0};
    for (uint32_t i = 0; i < PERSONS; i++) {
        if (index[i] == DATE_NONE)
            continue;
        int treated = drug[i] == index[i];
        int32_t end = admission[i] != DATE_NONE ? admission[i] : made.chunk.persons[i].end;
        events[treated] += admission[i] != DATE_NONE;
        years[treated] += (end - index[i]) / 365.25;
    }
    assert_true(events[0] > 500 && events[1] > 500);
    double rate = events[0] / years[0];
    assert_near(log(events[1] / years[1] / rate), log(truth("hazard_ratio")),
                sqrt(1 / events[0] + 1 / events[1]));
    assert_near(rate, truth("untreated_rate_per_person_year"), rate / sqrt(events[0]));
    free(index), free(drug), free(admission);
}

/* In each of the eight groups of covariates the share is the planted odds'. */
static void test_odds_ratios(void **state)
{
    (void)state;
    int32_t *index = first_days(&made, TABLE_CONDITION, CODE_T2DM);
    int32_t *pressure = first_days(&made, TABLE_CONDITION, CODE_HYPERTENSION);
    int32_t *eyes = first_days(&made, TABLE_CONDITION, CODE_RETINOPATHY);
    double n[8] = {0}, cases[8] = {0};
    for (uint32_t i = 0; i < PERSONS; i++) {
        const struct person *p = &made.chunk.persons[i];
        if (index[i] == DATE_NONE || p->end - index[i] < 365)
            continue;
        int group =
            (pressure[i] != DATE_NONE && pressure[i] <= index[i]) + 2 * p->female + 4 * (p->decile <= 2);
        n[group]++;
        cases[group] += eyes[i] != DATE_NONE && eyes[i] <= index[i] + 365;
    }
    for (int g = 0; g < 8; g++) {
        double odds = 1.0 / 9 * (g & 1 ? truth("odds_ratio_hypertension") : 1) *
                      (g & 2 ? truth("odds_ratio_female") : 1) *
                      (g & 4 ? truth("odds_ratio_most_deprived_fifth") : 1);
        double p = odds / (1 + odds);
        assert_true(n[g] > 50);
        assert_near(cases[g] / n[g], p, sqrt(p * (1 - p) / n[g]));
    }
    free(index), free(pressure), free(eyes);
}

static int years_of_age(const struct person *p, int32_t day)
{
    int by, bm, bd, y, m, d;
    date_parts(p->birth, &by, &bm, &bd);
    date_parts(day, &y, &m, &d);
    return y - by - (m < bm || (m == bm && d < bd));
}

/* Standardised over the eight groups of confounders the difference is the truth; the crude one is far off. */
static void test_confounded_risk_difference(void **state)
{
    (void)state;
    int32_t *index = first_days(&made, TABLE_CONDITION, CODE_HYPERTENSION),
            *ramipril = first_days(&made, TABLE_DRUG, CODE_RAMIPRIL);
    int32_t *amlodipine = first_days(&made, TABLE_DRUG, CODE_AMLODIPINE),
            *diabetes = first_days(&made, TABLE_CONDITION, CODE_T2DM);
    int32_t *outcome = first_days(&made, TABLE_CONDITION, CODE_TIA);
    double n[8][2] = {{0}}, cases[8][2] = {{0}}, all = 0;
    for (uint32_t i = 0; i < PERSONS; i++) {
        const struct person *p = &made.chunk.persons[i];
        if (index[i] == DATE_NONE || p->end - index[i] < 365)
            continue;
        int treated = ramipril[i] == index[i];
        assert_true(treated != (amlodipine[i] == index[i]));
        int group = (years_of_age(p, index[i]) >= 55) +
                    2 * (diabetes[i] != DATE_NONE && diabetes[i] <= index[i]) +
                    4 * (strchr("MNP", ethnic_groups[p->ethnic].code) != NULL);
        n[group][treated]++;
        cases[group][treated] += outcome[i] != DATE_NONE && outcome[i] <= index[i] + 365;
        all++;
    }
    double adjusted = 0, variance = 0, c[2] = {0}, m[2] = {0};
    for (int g = 0; g < 8; g++) {
        double share = (n[g][0] + n[g][1]) / all, risk[2];
        for (int t = 0; t < 2; t++) {
            risk[t] = cases[g][t] / n[g][t];
            variance += share * share * risk[t] * (1 - risk[t]) / n[g][t];
            c[t] += cases[g][t], m[t] += n[g][t];
        }
        adjusted += share * (risk[1] - risk[0]);
    }
    assert_near(adjusted, truth("risk_difference"), sqrt(variance));
    assert_true(c[1] / m[1] - c[0] / m[0] < truth("risk_difference") - 0.01);
    free(index), free(ramipril), free(amlodipine), free(diabetes), free(outcome);
}

static void test_incidence(void **state)
{
    (void)state;
    double events = 0, years = 0;
    for (uint32_t i = 0; i < PERSONS; i++)
        years += (made.chunk.persons[i].end - made.chunk.persons[i].start + 1) / 365.25;
    for (size_t k = 0; k < made.chunk.events[TABLE_CONDITION].n; k++)
        events += records(&made.chunk.events[TABLE_CONDITION].v[k], CODE_ZOSTER);
    double rate = events / years * 1000;
    assert_near(rate, truth("incidence_per_1000_person_years"), rate / sqrt(events));
}

static void test_difference_in_differences(void **state)
{
    (void)state;
    int32_t *programme = first_days(&made, TABLE_OBSERVATION, CODE_PROGRAMME);
    double n[2][2] = {{0}}, checks[2][2] = {{0}}; /* [programme][from 2022] */
    for (int year = 2020; year <= 2023; year++)
        for (uint32_t i = 0; i < PERSONS; i++) {
            const struct person *p = &made.chunk.persons[i];
            int32_t first = date_of(year, 1, 1);
            int age = years_of_age(p, first);
            n[programme[i] != DATE_NONE][year >= 2022] +=
                p->start <= first && p->end >= date_of(year, 12, 31) && age >= 40 && age <= 74;
        }
    for (size_t k = 0; k < made.chunk.events[TABLE_PROCEDURE].n; k++) {
        const struct event *ev = &made.chunk.events[TABLE_PROCEDURE].v[k];
        if (records(ev, CODE_HEALTH_CHECK))
            checks[programme[ev->person] != DATE_NONE][date_year(ev->start) >= 2022]++;
    }
    double difference[2], variance = 0;
    for (int g = 0; g < 2; g++) {
        double share[2] = {checks[g][0] / n[g][0], checks[g][1] / n[g][1]};
        difference[g] = share[1] - share[0];
        variance += share[0] * (1 - share[0]) / n[g][0] + share[1] * (1 - share[1]) / n[g][1];
    }
    assert_near(difference[1] - difference[0], truth("difference_in_differences"), sqrt(variance));
    free(programme);
}

static void test_slope_of_inequality(void **state)
{
    (void)state;
    int32_t *copd = first_days(&made, TABLE_CONDITION, CODE_COPD);
    double n[DECILES] = {0}, cases[DECILES] = {0}, all = 0, below = 0, sxy = 0, sxx = 0, variance = 0;
    for (uint32_t i = 0; i < PERSONS; i++) {
        const struct person *p = &made.chunk.persons[i];
        if (p->start > census_day || p->end < census_day || years_of_age(p, census_day) < 40)
            continue;
        n[p->decile - 1]++, all++;
        cases[p->decile - 1] += copd[i] != DATE_NONE && copd[i] <= census_day;
    }
    for (int d = 0; d < DECILES; d++) {
        double rank = (below + n[d] / 2) / all - 0.5, share = cases[d] / n[d];
        sxy += n[d] * rank * share, sxx += n[d] * rank * rank;
        variance += n[d] * rank * rank * share * (1 - share);
        below += n[d];
    }
    assert_near(sxy / sxx, truth("slope_index_of_inequality"), sqrt(variance) / sxx);
    assert_true(truth("slope_index_of_inequality") < -0.02 && truth("relative_index_of_inequality") < 0.5);
    free(copd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hazard_ratio),        cmocka_unit_test(test_odds_ratios),
        cmocka_unit_test(test_incidence),           cmocka_unit_test(test_confounded_risk_difference),
        cmocka_unit_test(test_slope_of_inequality), cmocka_unit_test(test_difference_in_differences),
    };
    return cmocka_run_group_tests(tests, make, release);
}
