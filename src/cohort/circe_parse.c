/* SPDX-License-Identifier: Apache-2.0
 *
 * Circe JSON, as ATLAS writes it and the PhenotypeLibrary publishes it, to the typed tree. Defaults and
 * tolerance follow circe-be's reader (fields of CohortExpression.java and the classes below it), with one
 * difference: what could change the result and is not understood is refused with its path.
 */
#include <stdlib.h>
#include <strings.h>

#include "base/date.h"
#include "cohort/circe_fields.h"
#include "cohort/cohort.h"

/* --- concept sets --- */

static enum status parse_item(struct parser *p, const struct js *o, const struct where *w,
                              struct concept_item *out)
{
    static const char *const keys[] = {"concept", "isExcluded", "includeDescendants", "includeMapped", NULL};
    const struct js *concept = NULL;
    struct where at = at_key(w, "concept");
    bool has = false;
    enum status s = check_keys(p, o, w, keys, NULL);
    if (s == ST_OK)
        s = field_object(p, o, w, "concept", &concept);
    if (s == ST_OK && concept)
        s = field_int(p, concept, &at, "CONCEPT_ID", 0, &has, &out->id);
    if (s == ST_OK && !has)
        s = circe_refuse(p, &at, "expected a concept with a CONCEPT_ID");
    const char *name = js_get_str(concept, "CONCEPT_NAME");
    out->name = arena_strdup(p->arena, name ? name : "");
    if (s == ST_OK)
        s = field_bool(p, o, w, "isExcluded", false, &out->excluded);
    if (s == ST_OK)
        s = field_bool(p, o, w, "includeDescendants", false, &out->descendants);
    if (s == ST_OK)
        s = field_bool(p, o, w, "includeMapped", false, &out->mapped);
    return s;
}

static enum status parse_items(struct parser *p, const struct js *o, const struct where *w,
                               struct concept_set *out)
{
    const struct js *items = NULL;
    enum status s = field_array(p, o, w, "items", &items);
    struct where at = at_key(w, "items");
    out->n_items = js_size(items);
    out->items = arena_array(p->arena, out->n_items, sizeof *out->items);
    for (size_t i = 0; s == ST_OK && i < out->n_items; i++) {
        struct where each = at_index(&at, i);
        s = parse_item(p, js_at(items, i), &each, &out->items[i]);
    }
    return s;
}

static enum status parse_set(struct parser *p, const struct js *o, const struct where *w,
                             struct concept_set *out)
{
    static const char *const keys[] = {"id", "name", "expression", NULL};
    const struct js *expression = NULL;
    const char *name = NULL;
    bool has;
    enum status s = check_keys(p, o, w, keys, NULL);
    if (s == ST_OK)
        s = field_int(p, o, w, "id", 0, &has, &out->id);
    struct where at = at_key(w, "id"), at_expression = at_key(w, "expression");
    if (s == ST_OK && !has)
        s = circe_refuse(p, &at, "expected a whole number");
    if (s == ST_OK)
        s = field_text(p, o, w, "name", &name);
    if (s == ST_OK)
        s = field_object(p, o, w, "expression", &expression);
    out->name = arena_strdup(p->arena, name ? name : "");
    return s == ST_OK ? parse_items(p, expression, &at_expression, out) : s;
}

static enum status parse_concept_sets(struct parser *p, const struct js *o, const struct where *w)
{
    struct cohort_definition *d = p->d;
    const struct js *list;
    enum status s = field_array(p, o, w, "ConceptSets", &list);
    struct where at = at_key(w, "ConceptSets");
    d->sets = arena_array(p->arena, js_size(list), sizeof *d->sets);
    for (size_t i = 0; s == ST_OK && i < js_size(list); i++) {
        struct where each = at_index(&at, i);
        size_t before = p->n_places;
        s = parse_set(p, js_at(list, i), &each, &d->sets[i]);
        if (s == ST_OK && p->n_places == before && definition_set_find(d, d->sets[i].id))
            s = circe_refuse(p, &each, "another concept set has the id %d already", d->sets[i].id);
        d->n_sets++;
    }
    return s;
}

/* --- the expression --- */

static enum status parse_limit(struct parser *p, const struct js *o, const struct where *w, const char *key,
                               enum limit *out)
{
    static const char *const names[] = {"All", "First", "Last"};
    static const char *const keys[] = {"Type", NULL};
    const struct js *v;
    const char *type = NULL;
    struct where at = at_key(w, key);
    enum status s = field_object(p, o, w, key, &v);
    if (s == ST_OK && v)
        s = check_keys(p, v, &at, keys, NULL);
    if (s == ST_OK && v)
        s = field_text(p, v, &at, "Type", &type);
    *out = LIMIT_FIRST;
    for (int i = 0; type && i < 3; i++)
        if (strcasecmp(type, names[i]) == 0) {
            *out = (enum limit)i;
            return s;
        }
    return s == ST_OK && type ? circe_refuse(p, &at, "expected Type All, First or Last") : s;
}

static enum status parse_primary(struct parser *p, const struct js *o, const struct where *w)
{
    static const char *const keys[] = {"CriteriaList", "ObservationWindow", "PrimaryCriteriaLimit", NULL};
    static const char *const window_keys[] = {"PriorDays", "PostDays", NULL};
    struct cohort_definition *d = p->d;
    const struct js *primary, *window = NULL;
    struct where at = at_key(w, "PrimaryCriteria"), at_window = at_key(&at, "ObservationWindow");
    enum status s = field_object(p, o, w, "PrimaryCriteria", &primary);
    if (s == ST_OK && !primary)
        s = circe_refuse(p, &at, "expected the cohort entry events; is this a Circe cohort definition?");
    if (s == ST_OK)
        s = check_keys(p, primary, &at, keys, NULL);
    if (s == ST_OK)
        s = circe_criteria(p, primary, &at, "CriteriaList", &d->primary, &d->n_primary);
    if (s == ST_OK && d->n_primary == 0) {
        struct where list = at_key(&at, "CriteriaList");
        s = circe_refuse(p, &list, "expected at least one criterion");
    }
    if (s == ST_OK)
        s = field_object(p, primary, &at, "ObservationWindow", &window);
    if (s == ST_OK && window)
        s = check_keys(p, window, &at_window, window_keys, NULL);
    if (s == ST_OK)
        s = field_int(p, window, &at_window, "PriorDays", 0, NULL, &d->prior_days);
    if (s == ST_OK)
        s = field_int(p, window, &at_window, "PostDays", 0, NULL, &d->post_days);
    if (s == ST_OK)
        s = parse_limit(p, primary, &at, "PrimaryCriteriaLimit", &d->primary_limit);
    return s;
}

static enum status parse_additional(struct parser *p, const struct js *o, const struct where *w)
{
    const struct js *v;
    struct where at = at_key(w, "AdditionalCriteria");
    enum status s = field_object(p, o, w, "AdditionalCriteria", &v);
    p->d->has_additional = s == ST_OK && v;
    return p->d->has_additional ? circe_group(p, v, &at, &p->d->additional) : s;
}

static enum status parse_rule(struct parser *p, const struct js *o, const struct where *w,
                              struct inclusion_rule *out)
{
    static const char *const keys[] = {"name", "description", "expression", NULL};
    const struct js *expression = NULL;
    const char *name = NULL, *description = NULL;
    struct where at = at_key(w, "expression");
    enum status s = check_keys(p, o, w, keys, NULL);
    if (s == ST_OK)
        s = field_text(p, o, w, "name", &name);
    if (s == ST_OK)
        s = field_text(p, o, w, "description", &description);
    if (s == ST_OK)
        s = field_object(p, o, w, "expression", &expression);
    if (s == ST_OK && !expression)
        s = circe_refuse(p, &at, "expected a group of criteria");
    out->name = arena_strdup(p->arena, name ? name : "");
    out->description = arena_strdup(p->arena, description ? description : "");
    return s == ST_OK ? circe_group(p, expression, &at, &out->group) : s;
}

static enum status parse_rules(struct parser *p, const struct js *o, const struct where *w)
{
    struct cohort_definition *d = p->d;
    const struct js *list;
    enum status s = field_array(p, o, w, "InclusionRules", &list);
    struct where at = at_key(w, "InclusionRules");
    d->n_rules = js_size(list);
    d->rules = arena_array(p->arena, d->n_rules, sizeof *d->rules);
    for (size_t i = 0; s == ST_OK && i < d->n_rules; i++) {
        struct where each = at_index(&at, i);
        s = parse_rule(p, js_at(list, i), &each, &d->rules[i]);
    }
    return s;
}

static enum status parse_date_offset(struct parser *p, const struct js *o, const struct where *w,
                                     struct exit_strategy *out)
{
    static const char *const keys[] = {"DateField", "Offset", NULL};
    const char *field = NULL;
    enum status s = check_keys(p, o, w, keys, NULL);
    if (s == ST_OK)
        s = field_text(p, o, w, "DateField", &field);
    struct where at = at_key(w, "DateField");
    out->type = END_OFFSET;
    out->from_end = field && strcmp(field, "EndDate") == 0;
    if (s == ST_OK && !out->from_end && (!field || strcmp(field, "StartDate") != 0))
        s = circe_refuse(p, &at, "expected StartDate or EndDate");
    return s == ST_OK ? field_int(p, o, w, "Offset", 0, NULL, &out->offset) : s;
}

static enum status parse_custom_era(struct parser *p, const struct js *o, const struct where *w,
                                    struct exit_strategy *out)
{
    static const char *const keys[] = {"DrugCodesetId", "GapDays", "Offset", "DaysSupplyOverride", NULL};
    bool has;
    enum status s = check_keys(p, o, w, keys, NULL);
    out->type = END_ERA;
    if (s == ST_OK)
        s = field_int(p, o, w, "DrugCodesetId", 0, &has, &out->drug_set);
    struct where at = at_key(w, "DrugCodesetId");
    if (s == ST_OK && !has)
        s = circe_refuse(p, &at, "expected the id of a concept set of drugs");
    if (s == ST_OK)
        s = field_int(p, o, w, "GapDays", 0, NULL, &out->gap_days);
    if (s == ST_OK)
        s = field_int(p, o, w, "Offset", 0, NULL, &out->offset);
    if (s == ST_OK)
        s = field_int(p, o, w, "DaysSupplyOverride", 0, &out->has_supply_override, &out->supply_override);
    return s;
}

static enum status parse_exit(struct parser *p, const struct js *o, const struct where *w)
{
    static const char *const keys[] = {"DateOffset", "CustomEra", NULL};
    const struct js *v, *offset = NULL, *era = NULL;
    struct where at = at_key(w, "EndStrategy");
    enum status s = field_object(p, o, w, "EndStrategy", &v);
    if (s != ST_OK || !v)
        return s;
    s = check_keys(p, v, &at, keys, NULL);
    if (s == ST_OK)
        s = field_object(p, v, &at, "DateOffset", &offset);
    if (s == ST_OK)
        s = field_object(p, v, &at, "CustomEra", &era);
    struct where at_offset = at_key(&at, "DateOffset"), at_era = at_key(&at, "CustomEra");
    if (s == ST_OK && offset && era)
        return circe_refuse(p, &at, "expected one of DateOffset and CustomEra, found both");
    if (s == ST_OK && offset)
        s = parse_date_offset(p, offset, &at_offset, &p->d->exit);
    if (s == ST_OK && era)
        s = parse_custom_era(p, era, &at_era, &p->d->exit);
    return s;
}

static enum status parse_collapse(struct parser *p, const struct js *o, const struct where *w)
{
    static const char *const keys[] = {"CollapseType", "EraPad", NULL};
    const struct js *v;
    const char *type = NULL;
    struct where at = at_key(w, "CollapseSettings");
    enum status s = field_object(p, o, w, "CollapseSettings", &v);
    if (s == ST_OK && v)
        s = check_keys(p, v, &at, keys, NULL);
    if (s == ST_OK)
        s = field_text(p, v, &at, "CollapseType", &type);
    if (s == ST_OK && type && strcasecmp(type, "ERA") != 0)
        s = unsupported(p, &at, "CollapseType", "only ERA is defined");
    return s == ST_OK ? field_int(p, v, &at, "EraPad", 0, NULL, &p->d->era_pad) : s;
}

static enum status parse_censor_window(struct parser *p, const struct js *o, const struct where *w)
{
    static const char *const keys[] = {"StartDate", "EndDate", NULL};
    const struct js *v;
    bool has;
    struct where at = at_key(w, "CensorWindow");
    enum status s = field_object(p, o, w, "CensorWindow", &v);
    p->d->censor_start = p->d->censor_end = DATE_NONE;
    if (s == ST_OK && v)
        s = check_keys(p, v, &at, keys, NULL);
    if (s == ST_OK)
        s = field_date(p, v, &at, "StartDate", &has, &p->d->censor_start);
    if (s == ST_OK)
        s = field_date(p, v, &at, "EndDate", &has, &p->d->censor_end);
    return s;
}

static enum status parse_expression(struct parser *p, const struct js *o, const struct where *w)
{
    static const char *const keys[] = {"Title",
                                       "ConceptSets",
                                       "PrimaryCriteria",
                                       "AdditionalCriteria",
                                       "QualifiedLimit",
                                       "InclusionRules",
                                       "ExpressionLimit",
                                       "EndStrategy",
                                       "CensoringCriteria",
                                       "CollapseSettings",
                                       "CensorWindow",
                                       "cdmVersionRange",
                                       NULL};
    struct cohort_definition *d = p->d;
    const char *title = NULL;
    enum status s = check_keys(p, o, w, keys, NULL);
    if (s == ST_OK)
        s = field_text(p, o, w, "Title", &title);
    d->title = arena_strdup(p->arena, title ? title : "");
    if (s == ST_OK)
        s = parse_concept_sets(p, o, w);
    if (s == ST_OK)
        s = parse_primary(p, o, w);
    if (s == ST_OK)
        s = parse_additional(p, o, w);
    if (s == ST_OK)
        s = parse_limit(p, o, w, "QualifiedLimit", &d->qualified_limit);
    if (s == ST_OK)
        s = parse_rules(p, o, w);
    if (s == ST_OK)
        s = parse_limit(p, o, w, "ExpressionLimit", &d->expression_limit);
    if (s == ST_OK)
        s = parse_exit(p, o, w);
    if (s == ST_OK)
        s = circe_criteria(p, o, w, "CensoringCriteria", &d->censoring, &d->n_censoring);
    if (s == ST_OK)
        s = parse_collapse(p, o, w);
    return s == ST_OK ? parse_censor_window(p, o, w) : s;
}

/* ATLAS's web service wraps the expression: {"name": ..., "expression": {...} or the same as a text}. */
static enum status unwrap(const struct js *o, struct js **owned, const struct js **out, struct err *e)
{
    const struct js *inner = js_get(o, "expression");
    *out = o;
    *owned = NULL;
    if (!js_is(o, JS_OBJECT) || js_get(o, "PrimaryCriteria") || !inner)
        return ST_OK;
    if (js_is(inner, JS_OBJECT))
        *out = inner;
    if (!js_str(inner))
        return ST_OK;
    enum status s = js_parse(slice_of(js_str(inner)), "$.expression", owned, e);
    *out = *owned;
    return s;
}

static struct parser parser_new(struct err *e)
{
    struct parser p = {.arena = arena_new(), .d = xcalloc(1, sizeof *p.d), .e = e};
    p.d->arena = p.arena;
    p.d->as_of = DATE_NONE;
    return p;
}

enum status cohort_parse(const struct js *circe, struct cohort_definition **out, struct err *e)
{
    struct parser p = parser_new(e);
    struct js *owned = NULL;
    const struct js *o = NULL;
    *out = NULL;
    enum status s = unwrap(circe, &owned, &o, e);
    if (s == ST_OK)
        s = parse_expression(&p, o, &ROOT);
    const char *name = o == circe ? NULL : js_get_str(circe, "name");
    if (s == ST_OK && name && !*p.d->title)
        p.d->title = arena_strdup(p.arena, name);
    js_free(owned);
    if (s != ST_OK) {
        cohort_definition_free(p.d);
        return s;
    }
    *out = p.d;
    return ST_OK;
}

enum status cohort_faults(const struct js *circe, const char *prefix, struct js *faults, struct err *e)
{
    struct err first = {0};
    struct parser p = parser_new(&first);
    struct js *owned = NULL;
    const struct js *o = NULL;
    p.faults = faults;
    p.prefix = prefix;
    if (unwrap(circe, &owned, &o, &first) == ST_OK)
        (void)parse_expression(&p, o, &ROOT);
    else
        js_push(faults, js_string(first.text));
    js_free(owned);
    free(p.places);
    cohort_definition_free(p.d);
    if (first.status != ST_OK && e)
        *e = first;
    return first.status;
}

void cohort_definition_free(struct cohort_definition *d)
{
    if (!d)
        return;
    free(d->ignored);
    arena_free(d->arena);
    free(d);
}
