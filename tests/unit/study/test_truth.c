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

static void the_truths_that_synth_plants_are_found_again(void **unused)
{
    (void)unused;
    struct synth_summary planted;
    struct sites *s = sites_make_planted(&planted);
    struct study *study = truth_study((const char *const[]){NULL}, false);
    struct result *r = run_over(study, s->site, 1, 0);
    covers(r, "hazard_ratio_ratios", "dapagliflozin: yes", planted_value(&planted, "hazard_ratio"), 1);
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
    for (int weights = 1; weights < 4; weights++)
        assert_true(within(&effect[4 * weights + 2], truth, 1));
    result_free(r);
    study_free(study);
    sites_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_truths_that_synth_plants_are_found_again)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
