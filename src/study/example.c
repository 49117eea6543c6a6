/* SPDX-License-Identifier: Apache-2.0 */
#include "study/example.h"

#include <stdio.h>
#include <stdlib.h>

/* The cohorts that a new study's analyses refer to: examples to replace. */
static const struct {
    const char *name, *concept_name;
    int32_t concept_id;
} example_cohorts[] = {{"target", "Chronic obstructive lung disease", 255573},
                       {"comparator", "Asthma", 317009},
                       {"outcome", "Myocardial infarction", 4329847}};

/* First diagnosis of a concept or its descendants, until the end of observation. */
static struct js *example_cohort(const char *name, const char *concept_name, int32_t concept_id)
{
    char *text = xasprintf(
        "{\"name\": \"%s\","
        " \"comment\": \"first diagnosis of %s (an example: replace the definition, e.g. by one from "
        "ATLAS)\","
        " \"definition\": {\"ConceptSets\": [{\"id\": 0, \"name\": \"%s\", \"expression\": {\"items\":"
        " [{\"concept\": {\"CONCEPT_ID\": %d}, \"includeDescendants\": true}]}}],"
        " \"PrimaryCriteria\": {\"CriteriaList\": [{\"ConditionOccurrence\": {\"CodesetId\": 0}}],"
        " \"ObservationWindow\": {\"PriorDays\": 0, \"PostDays\": 0}, \"PrimaryCriteriaLimit\": {\"Type\": "
        "\"First\"}},"
        " \"QualifiedLimit\": {\"Type\": \"First\"}, \"ExpressionLimit\": {\"Type\": \"First\"},"
        " \"InclusionRules\": [], \"CensoringCriteria\": [], \"CollapseSettings\":"
        " {\"CollapseType\": \"ERA\", \"EraPad\": 0}}}",
        name, concept_name, concept_name, concept_id);
    struct js *j = NULL;
    struct err e;
    if (js_parse(slice_of(text), "example cohort", &j, &e) != ST_OK)
        j = js_null();
    free(text);
    return j;
}

enum status study_example(const struct analysis *a, struct js **out, struct err *e)
{
    struct js *cohorts = js_array(), *list = js_array(), *one = NULL;
    *out = js_object();
    for (size_t i = 0; i < sizeof example_cohorts / sizeof *example_cohorts; i++) {
        char quoted[40];
        snprintf(quoted, sizeof quoted, ": \"%s\"", example_cohorts[i].name);
        if (strstr(a->template, quoted))
            js_push(cohorts, example_cohort(example_cohorts[i].name, example_cohorts[i].concept_name,
                                            example_cohorts[i].concept_id));
    }
    js_put_str(*out, "title", "What the study asks");
    js_put_str(*out, "comment", a->summary);
    js_put(*out, "cohorts", cohorts);
    js_put(*out, "analyses", list);
    enum status s = js_parse(slice_of(a->template), a->kind, &one, e);
    if (s == ST_OK)
        js_push(list, one);
    return s;
}
