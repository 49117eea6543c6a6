/* SPDX-License-Identifier: Apache-2.0
 *
 * What `accord synth` plants (docs/synthetic-data.md) is found again within intervals of three standard
 * errors (a dozen at once: one in 95% intervals would often miss): the hazard ratio, odds ratios, a
 * confounded risk difference, an incidence, a difference in differences, and the slope of inequality (whose
 * truth is that of the very people generated).
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sites.h"

static const struct result_cell *cell(const struct result *r, const char *table, const char *label)
{
    for (uint32_t i = 0; i < r->n_tables; i++) {
        const struct result_table *t = &r->tables[i];
        for (uint64_t k = 0; k < t->n_cells && strcmp(t->name, table) == 0; k++)
            for (uint32_t d = 0; d < t->n_dimensions; d++)
                if (strcmp(t->dimensions[d].levels[t->cells[k].at[d]].label, label) == 0)
                    return &t->cells[k];
    }
    fail_msg("no cell '%s' in table '%s'", label, table);
    return NULL;
}

/* The 95% interval, widened by a half: on the log scale for what is always positive. */
static bool within(const struct result_cell *c, double truth, double scale)
{
    double value = c->value * scale, lower = c->lower * scale, upper = c->upper * scale;
    if (lower > 0)
        return value * pow(lower / value, 1.5) <= truth && truth <= value * pow(upper / value, 1.5);
    return value + 1.5 * (lower - value) <= truth && truth <= value + 1.5 * (upper - value);
}

static void covers(const struct result *r, const char *table, const char *label, double truth, double scale)
{
    const struct result_cell *c = cell(r, table, label);
    if (!within(c, truth, scale))
        fail_msg("%s, %s: %g to %g is far from %g", table, label, c->lower * scale, c->upper * scale, truth);
    /* An interval that covers everything proves nothing. */
    assert_true(c->upper - c->lower < 1.5 * fabs(c->value));
}

static struct synth_summary planted;

static int make(void **state)
{
    *state = sites_make_planted(&planted);
    return 0;
}

static int destroy(void **state)
{
    sites_free(*state);
    return 0;
}

static void the_truths_that_synth_plants_are_found_again(void **state)
{
    const struct sites *s = *state;
    struct study *study = truth_study((const char *const[]){NULL}, false);
    struct result *r = run_over(study, s->site, 1, 0);
    covers(r, "hazard_ratio_ratios", "dapagliflozin: yes", planted_value(&planted, "hazard_ratio"), 1);
    covers(r, "hazard_ratio_common_ratios", "dapagliflozin: yes", planted_value(&planted, "hazard_ratio"), 1);
    /* Few die before: the planted hazard ratio is nearly that of the subdistribution. */
    covers(r, "subdistribution_ratios", "dapagliflozin: yes", planted_value(&planted, "hazard_ratio"), 1);
    covers(r, "odds_ratios_ratios", "hypertension: yes", planted_value(&planted, "odds_ratio_hypertension"),
           1);
    covers(r, "odds_ratios_ratios", "sex: female", planted_value(&planted, "odds_ratio_female"), 1);
    covers(r, "odds_ratios_ratios", "deprivation_decile: under 3",
           planted_value(&planted, "odds_ratio_most_deprived_fifth"), 1);
    covers(r, "zoster", "2000-01-01 to 2030-12-31",
           planted_value(&planted, "incidence_per_1000_person_years"), 0.01);
    covers(r, "programme_effect", "difference in differences",
           planted_value(&planted, "difference_in_differences"), 1);
    covers(r, "copd_indices", "slope index of inequality",
           planted_value(&planted, "slope_index_of_inequality"), 1);
    covers(r, "copd_indices", "relative index of inequality",
           planted_value(&planted, "relative_index_of_inequality"), 1);
    covers(r, "untreated_rate", "no", planted_value(&planted, "untreated_rate_per_person_year"), 1e-5);
    /* Weighting takes the confounding away; without it the difference is another. */
    const struct result_cell *effect = cell(r, "risk_difference_effect", "unweighted");
    double truth = planted_value(&planted, "risk_difference");
    assert_true(effect[2].value < truth);
    for (int weights = 1; weights < 7; weights++) /* and the doubly robust estimate */
        assert_true(within(&effect[4 * weights + 2], truth, 1));
    /* What has no estimate says so with the columns, and the others go on. */
    cell(r, "no_events_no_estimate", "no_events");
    cell(r, "separated_no_estimate", "separation");
    cell(r, "separated_no_estimate", "itself: yes");
    result_free(r);
    study_free(study);
}

/* A score of sex alone, with one threshold below, between and above its two risks. */
static struct result *score_by_sex(const struct sites *s, double threshold)
{
    struct js *document, *score;
    struct study *study;
    struct err e;
    struct buf text;
    buf_init(&text, 1000);
    buf_printf(&text,
               "[{\"kind\": \"risk_model\", \"name\": \"score\", \"cohort\": \"hypertension\", \"outcome\": "
               "\"tia\", \"window\": [1, 365], \"exclude_prior\": false, \"covariates\": [\"sex\"], "
               "\"by\": [\"sex\"], \"thresholds\": [0.001, %.17g, 0.999]}]",
               threshold);
    assert_int_equal(js_load(SOURCE_DIR "/tests/unit/study/truth_study.json", &document, &e), ST_OK);
    assert_int_equal(js_parse((struct slice){text.p, text.n}, "score", &score, &e), ST_OK);
    js_put(document, "analyses", score);
    if (study_parse(document, &study, &e) != ST_OK)
        fail_msg("%s", e.text);
    struct result *r = run_over(study, s->site, 1, 0);
    study_free(study);
    js_free(document);
    buf_deinit(&text);
    return r;
}

/* Cells of a set: thresholds by { by the score, everybody }. */
static const struct result_cell *benefit(const struct result *r, const char *set)
{
    return cell(r, "score_net_benefit", set);
}

static void net_benefit_counts_those_at_the_threshold_or_above(void **state)
{
    struct result *r = score_by_sex(*state, 0.5);
    const struct result_cell *b = cell(r, "score_coefficients", "sex: female") - 1;
    double male = 1 / (1 + exp(-b[0].value)), female = 1 / (1 + exp(-b[0].value - b[1].value));
    result_free(r);
    r = score_by_sex(*state, (male + female) / 2);
    const struct result_cell *all = benefit(r, "test set"), *men = benefit(r, "test set, sex: male"),
                             *women = benefit(r, "test set, sex: female");
    const struct result_cell *flagged = male > female ? men : women, *spared = male > female ? women : men;
    assert_true(male > 0.001 && female > 0.001 && male != female);
    for (int set = 0; set < 3; set++) {
        const struct result_cell *c = set == 0 ? all : set == 1 ? men : women;
        assert_true(c[0].value == c[1].value && c[0].value > 0); /* everybody is above 0.001 */
        assert_true(c[4].value == 0 && c[5].value < 0);          /* nobody is above 0.999 */
    }
    assert_true(spared[2].value == 0);
    assert_true(flagged[2].value == flagged[3].value);
    double of_flagged = flagged[2].value * (double)flagged[2].persons / (double)all[2].persons;
    assert_true(fabs(all[2].value - of_flagged) < 1e-12);
    result_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_truths_that_synth_plants_are_found_again),
        cmocka_unit_test(net_benefit_counts_those_at_the_threshold_or_above),
    };
    return cmocka_run_group_tests(tests, make, destroy);
}
