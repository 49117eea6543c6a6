/* SPDX-License-Identifier: Apache-2.0
 * Marginals are what the tables declare, and every event lies in a life. The seed is fixed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "population_fixture.h"

enum { PERSONS = 40000 };
static struct fixture made;

static int make(void **state)
{
    (void)state;
    fixture_make(&made, "South East London", 5, PERSONS);
    return 0;
}

static int release(void **state)
{
    (void)state;
    fixture_free(&made);
    return 0;
}

static void assert_share(double count, double of, double share)
{
    if (fabs(count / of - share) > 4 * sqrt(share * (1 - share) / of))
        fail_msg("%g of %g instead of a share of %g", count, of, share);
}

static void test_every_mix_sums_to_a_thousand(void **state)
{
    (void)state;
    for (size_t i = 0; synth_site_name(i); i++) {
        struct site site;
        struct err e = {0};
        unsigned ages = 0, ethnicity = 0, deciles = 0;
        assert_int_equal(site_find(synth_site_name(i), &site, &e), ST_OK);
        assert_int_equal(site.number, i);
        for (int k = 0; k < AGE_BANDS; k++)
            ages += site.mix->ages[k];
        for (int k = 0; k < ETHNIC_GROUPS; k++)
            ethnicity += site.mix->ethnicity[k];
        for (int k = 0; k < DECILES; k++)
            deciles += site.mix->deciles[k];
        assert_int_equal(ages, 1000);
        assert_int_equal(ethnicity, 1000);
        assert_int_equal(deciles, 1000);
    }
}

static void test_unknown_sites_take_englands_mix_and_their_own_ids(void **state)
{
    (void)state;
    struct site a, b;
    struct err e = {0};
    assert_int_equal(site_find("Ambridge", &a, &e), ST_OK);
    assert_int_equal(site_find("Borchester", &b, &e), ST_OK);
    assert_string_equal(a.mix->name, "England");
    assert_true(a.number != b.number && a.number >= 7);
    assert_int_equal(site_find("West Yorkshir", &a, &e), ST_INVALID);
    assert_non_null(strstr(e.text, "West Yorkshire"));
    assert_int_equal(site_find("", &a, &e), ST_INVALID);
    assert_int_equal(site_find("a,b", &a, &e), ST_INVALID);
}

static void test_people_have_the_mix_of_their_site(void **state)
{
    (void)state;
    const struct site_mix *mix = made.population.site.mix;
    double ethnic[ETHNIC_GROUPS] = {0}, deciles[DECILES] = {0}, women = 0;
    for (uint32_t i = 0; i < PERSONS; i++) {
        const struct person *p = &made.chunk.persons[i];
        ethnic[p->ethnic]++;
        deciles[p->decile - 1]++;
        women += p->female;
    }
    for (int k = 0; k < ETHNIC_GROUPS; k++)
        assert_share(ethnic[k], PERSONS, mix->ethnicity[k] / 1000.0);
    for (int k = 0; k < DECILES; k++)
        assert_share(deciles[k], PERSONS, mix->deciles[k] / 1000.0);
    assert_share(women, PERSONS, 0.506);
}

static void test_prevalence_is_what_is_declared(void **state)
{
    (void)state;
    const struct tally *t = &made.chunk.tally;
    assert_true(t->at_risk > PERSONS / 2);
    for (enum disease d = 0; d < N_DISEASES; d++) {
        double expected = (double)t->expected[d] / (1 << 20), observed = (double)t->observed[d];
        if (disease_is_lethal(d))
            assert_true(observed < expected + 4 * sqrt(expected));
        else
            assert_true(fabs(observed - expected) < 4 * sqrt(expected));
    }
}

static void test_gradients_point_the_right_way(void **state)
{
    (void)state;
    struct person p = {.decile = 1}, q = {.decile = 10};
    int32_t age = 70 * 365;
    assert_true(disease_prevalence(&p, SICK_COPD, age) > 3 * disease_prevalence(&q, SICK_COPD, age));
    assert_true(disease_prevalence(&p, SICK_COPD, age) > disease_prevalence(&p, SICK_COPD, 50 * 365));
    q = p;
    q.ethnic = 8; /* Pakistani */
    assert_true(disease_prevalence(&q, SICK_T2DM, age) > 2 * disease_prevalence(&p, SICK_T2DM, age));
    q = p;
    q.female = true;
    assert_int_equal(disease_prevalence(&q, SICK_PROSTATE_CANCER, age), 0);
    assert_true(disease_prevalence(&q, SICK_BREAST_CANCER, age) >
                20 * disease_prevalence(&p, SICK_BREAST_CANCER, age));
}

static void test_deaths_rise_with_age_and_deprivation(void **state)
{
    (void)state;
    double years[2][2] = {{0}}, deaths[2][2] = {{0}}; /* [over 75][deprived half] */
    for (uint32_t i = 0; i < PERSONS; i++) {
        const struct person *p = &made.chunk.persons[i];
        int old = p->start - p->birth > 75 * 365, deprived = p->decile <= 5;
        years[old][deprived] += (p->end - p->start + 1) / 365.25;
        deaths[old][deprived] += p->death != DATE_NONE;
    }
    double all = (deaths[0][0] + deaths[0][1] + deaths[1][0] + deaths[1][1]) /
                 (years[0][0] + years[0][1] + years[1][0] + years[1][1]);
    assert_true(all > 0.004 && all < 0.013); /* England and Wales: about 0.0095; this site is young */
    assert_true(deaths[1][1] / years[1][1] > 0.04 && deaths[1][1] / years[1][1] < 0.16);
    assert_true(deaths[1][1] / years[1][1] > deaths[1][0] / years[1][0]);
    assert_true(deaths[0][1] / years[0][1] > deaths[0][0] / years[0][0]);
}

static void test_events_lie_in_their_persons_observation(void **state)
{
    (void)state;
    for (int t = TABLE_PERIOD; t < SYNTH_TABLES; t++) {
        assert_true(made.chunk.events[t].n > 100);
        for (size_t k = 0; k < made.chunk.events[t].n; k++) {
            const struct event *ev = &made.chunk.events[t].v[k];
            const struct person *p = &made.chunk.persons[ev->person];
            assert_true(ev->start >= p->start && ev->start <= p->end && p->start >= p->birth);
            assert_true(ev->end == DATE_NONE || ev->end >= ev->start);
            if (ev->visit != NO_VISIT)
                assert_int_equal(made.chunk.events[TABLE_VISIT].v[ev->visit].person, ev->person);
        }
    }
}

static void test_values_are_plausible(void **state)
{
    (void)state;
    static const struct {
        enum code code;
        double least, most;
    } ranges[] = {{CODE_HBA1C, 20, 130},     {CODE_EGFR, 5, 160},    {CODE_SYSTOLIC, 75, 230},
                  {CODE_DIASTOLIC, 35, 140}, {CODE_BMI, 13, 55},     {CODE_CHOLESTEROL, 1.5, 11},
                  {CODE_FEV1, 0.3, 7},       {CODE_FEV1_FVC, 20, 97}};
    static const double tens[] = {1, 10, 100};
    int seen[8] = {0};
    for (size_t k = 0; k < made.chunk.events[TABLE_MEASUREMENT].n; k++) {
        const struct event *ev = &made.chunk.events[TABLE_MEASUREMENT].v[k];
        for (int i = 0; i < 8; i++)
            if (ev->concept == code_id(ranges[i].code)) {
                double v = ev->value / tens[ev->decimals];
                assert_true(v >= ranges[i].least && v <= ranges[i].most);
                assert_true(ev->unit > 0);
                seen[i]++;
            }
    }
    for (int i = 0; i < 8; i++)
        assert_true(seen[i] > 100);
}

static void test_a_person_does_not_depend_on_the_others(void **state)
{
    (void)state;
    struct person alone;
    life_draw(&made.population, 777, &alone);
    assert_memory_equal(&alone, &made.chunk.persons[777], sizeof alone);
}

static void test_ancestors_are_those_of_a_naive_walk(void **state)
{
    (void)state;
    const struct vocabulary *v = &made.population.vocabulary;
    size_t two_parents = 0;
    for (size_t i = 0; i < v->n; i++) {
        struct ancestor found[MOST_ANCESTORS];
        size_t n = vocabulary_ancestors(v, i, found);
        assert_int_equal(found[0].index, i);
        for (size_t k = 1; k < n; k++) {
            bool below = false; /* each ancestor is a parent of one nearer by one level */
            for (size_t j = 0; j < n; j++)
                for (int p = 0; p < 2; p++)
                    below |= found[j].least + 1 == found[k].least &&
                             v->concepts[found[j].index].parents[p] == found[k].index;
            assert_true(below);
        }
        for (size_t k = i + 1; k < v->n; k++)
            assert_true(v->concepts[k].id != v->concepts[i].id);
        two_parents += v->concepts[i].parents[1] != NO_PARENT;
    }
    assert_true(two_parents > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_mix_sums_to_a_thousand),
        cmocka_unit_test(test_unknown_sites_take_englands_mix_and_their_own_ids),
        cmocka_unit_test(test_people_have_the_mix_of_their_site),
        cmocka_unit_test(test_prevalence_is_what_is_declared),
        cmocka_unit_test(test_gradients_point_the_right_way),
        cmocka_unit_test(test_deaths_rise_with_age_and_deprivation),
        cmocka_unit_test(test_events_lie_in_their_persons_observation),
        cmocka_unit_test(test_values_are_plausible),
        cmocka_unit_test(test_a_person_does_not_depend_on_the_others),
        cmocka_unit_test(test_ancestors_are_those_of_a_naive_walk),
    };
    return cmocka_run_group_tests(tests, make, release);
}
