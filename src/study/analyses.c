/* SPDX-License-Identifier: Apache-2.0
 *
 * The one list of analyses. To add one: write study/<kind>.c with its functions, declare and list it here.
 */
#include <string.h>

#include "study/analysis.h"

extern const struct analysis count_analysis, crosstab_analysis, descriptive_analysis,
    characterisation_analysis, incidence_analysis, prevalence_analysis, standardised_analysis,
    inequality_analysis, variation_analysis, survival_analysis, cox_analysis, fine_gray_analysis,
    regression_analysis, effect_analysis, before_after_analysis, risk_model_analysis, pathways_analysis,
    life_expectancy_analysis, control_chart_analysis, early_warning_analysis;

const struct analysis *const analyses[] = {
    &count_analysis,
    &crosstab_analysis,
    &descriptive_analysis,
    &characterisation_analysis,
    &incidence_analysis,
    &prevalence_analysis,
    &standardised_analysis,
    &inequality_analysis,
    &variation_analysis,
    &control_chart_analysis,
    &life_expectancy_analysis,
    &survival_analysis,
    &cox_analysis,
    &fine_gray_analysis,
    &regression_analysis,
    &effect_analysis,
    &before_after_analysis,
    &risk_model_analysis,
    &pathways_analysis,
    &early_warning_analysis,
    NULL,
};

const struct analysis *analysis_find(const char *kind)
{
    for (const struct analysis *const *a = analyses; *a; a++)
        if (strcmp((*a)->kind, kind) == 0)
            return *a;
    return NULL;
}
