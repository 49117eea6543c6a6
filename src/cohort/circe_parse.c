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

enum { MOST_DEPTH = 64 }; /* of groups and nested criteria; ATLAS users reach 3 */

static enum status parse_group(struct parser *p, const struct js *o, const struct where *w,
                               struct group *out);

/* --- attributes --- */

static enum status parse_attribute(struct parser *p, const struct js *v, const struct where *w,
                                   struct attribute *out)
{
    const struct attribute_spec *spec = out->spec;
    switch (spec->kind) {
    case ATTR_INTEGER:
    case ATTR_DECIMAL:
        return field_number_range(p, v, w, spec->kind == ATTR_INTEGER, &out->number);
    case ATTR_DATE:
        return field_date_range(p, v, w, &out->date);
    case ATTR_TEXT:
        return field_text_filter(p, v, w, &out->text);
    case ATTR_LIST:
        return js_is(v, JS_ARRAY) ? field_concepts(p, v, w, &out->list)
                                  : circe_refuse(p, w, "expected an array of concepts");
    case ATTR_CHOICE:
        return field_choice(p, v, w, &out->choice);
    case ATTR_UNAVAILABLE:
        return unsupported(p, w, spec->key, "it needs tables or columns that OMOP CDM 5.3 and 5.4 lack");
    default:
        return ST_OK;
    }
}

/* Flags, bare codeset ids and the exclude flag of a list are read from the object that holds them. */
static enum status parse_scalar_attribute(struct parser *p, const struct js *o, const struct where *w,
                                          struct attribute *out)
{
    if (out->spec->kind == ATTR_FLAG)
        return field_bool(p, o, w, out->spec->key, false, &out->flag);
    return field_int(p, o, w, out->spec->key, 0, &out->choice.has_set, &out->choice.set);
}

static enum status parse_exclude(struct parser *p, const struct js *o, const struct where *w,
                                 const struct attribute_spec *list, struct attribute *out)
{
    const struct attribute_spec *flag = list + 1;
    if (flag->key && flag->kind == ATTR_LIST_FLAG)
        return field_bool(p, o, w, flag->key, false, &out->list.exclude);
    return ST_OK;
}

/* An empty list or a false flag filters nothing. */
static bool filters(const struct attribute *a)
{
    if (a->spec->kind == ATTR_LIST)
        return a->list.n > 0;
    return a->spec->kind == ATTR_FLAG ? a->flag : true;
}

static enum status parse_one(struct parser *p, const struct js *o, const struct where *w,
                             const struct attribute_spec *spec, struct attribute *out)
{
    struct where at = at_key(w, spec->key);
    out->spec = spec;
    if (spec->kind == ATTR_FLAG || spec->kind == ATTR_SET)
        return parse_scalar_attribute(p, o, w, out);
    enum status s = parse_attribute(p, js_get(o, spec->key), &at, out);
    if (s == ST_OK && spec->kind == ATTR_LIST)
        s = parse_exclude(p, o, w, spec, out);
    return s;
}

static enum status parse_attributes(struct parser *p, const struct js *o, const struct where *w,
                                    const struct attribute_spec *specs, struct attribute **out, size_t *n)
{
    size_t most = 0;
    for (const struct attribute_spec *spec = specs; spec->key; spec++)
        most += js_get(o, spec->key) != NULL;
    *out = arena_array(p->arena, most, sizeof **out);
    for (const struct attribute_spec *spec = specs; spec->key; spec++) {
        const struct js *v = js_get(o, spec->key);
        if (!v || js_is(v, JS_NULL) || spec->kind == ATTR_IGNORED || spec->kind == ATTR_LIST_FLAG)
            continue;
        struct attribute *a = &(*out)[*n];
        enum status s = parse_one(p, o, w, spec, a);
        if (s != ST_OK)
            return s;
        *n += filters(a);
    }
    return ST_OK;
}

/* --- criteria --- */

static enum status parse_base(struct parser *p, const struct js *o, const struct where *w, const char *key,
                              bool absent, bool *end)
{
    const char *text;
    enum status s = field_text(p, o, w, key, &text);
    *end = absent;
    if (s != ST_OK || !text)
        return s;
    *end = strcmp(text, "END_DATE") == 0;
    struct where at = at_key(w, key);
    return *end || strcmp(text, "START_DATE") == 0 ? ST_OK
                                                   : circe_refuse(p, &at, "expected START_DATE or END_DATE");
}

static enum status parse_adjustment(struct parser *p, const struct js *o, const struct where *w,
                                    struct criterion *c)
{
    static const char *const keys[] = {"StartWith", "StartOffset", "EndWith", "EndOffset", NULL};
    struct date_adjustment *a = arena_alloc(p->arena, sizeof *a);
    bool end_with_end;
    c->adjustment = a;
    enum status s = check_keys(p, o, w, keys, NULL);
    if (s == ST_OK)
        s = parse_base(p, o, w, "StartWith", false, &a->start_with_end);
    if (s == ST_OK)
        s = parse_base(p, o, w, "EndWith", true, &end_with_end);
    if (s == ST_OK)
        s = field_int(p, o, w, "StartOffset", 0, NULL, &a->start_offset);
    if (s == ST_OK)
        s = field_int(p, o, w, "EndOffset", 0, NULL, &a->end_offset);
    a->end_with_start = s == ST_OK && !end_with_end;
    return s;
}

static enum status parse_user_period(struct parser *p, const struct js *o, const struct where *w,
                                     struct criterion *c)
{
    static const char *const keys[] = {"StartDate", "EndDate", NULL};
    struct user_period *u = arena_alloc(p->arena, sizeof *u);
    bool has_start, has_end;
    enum status s = check_keys(p, o, w, keys, NULL);
    if (s == ST_OK)
        s = field_date(p, o, w, "StartDate", &has_start, &u->start);
    if (s == ST_OK)
        s = field_date(p, o, w, "EndDate", &has_end, &u->end);
    if (s == ST_OK && (has_start || has_end))
        c->period = u;
    return s;
}

static enum status parse_nested(struct parser *p, const struct js *o, const struct where *w,
                                struct criterion *c)
{
    const struct js *nested;
    enum status s = field_object(p, o, w, "CorrelatedCriteria", &nested);
    if (s != ST_OK || !nested)
        return s;
    struct where at = at_key(w, "CorrelatedCriteria");
    struct group *g = arena_alloc(p->arena, sizeof *g);
    s = parse_group(p, nested, &at, g);
    if (s == ST_OK && group_size(g) > 0) /* an empty one does nothing, not even ask for a period */
        c->nested = g;
    return s;
}

static enum status parse_sets(struct parser *p, const struct js *o, const struct where *w,
                              const struct criterion_spec *spec, struct criterion *c)
{
    enum status s = ST_OK;
    if (spec->has_set)
        s = field_int(p, o, w, "CodesetId", 0, &c->has_set, &c->set);
    if (s == ST_OK && spec->source_key)
        s = field_int(p, o, w, spec->source_key, 0, &c->has_source_set, &c->source_set);
    if (s == ST_OK && spec->has_first)
        s = field_bool(p, o, w, "First", false, &c->first);
    return s;
}

static enum status check_criterion_keys(struct parser *p, const struct js *o, const struct where *w,
                                        const struct criterion_spec *spec)
{
    const char *known[8] = {"CorrelatedCriteria", "DateAdjustment"};
    size_t n = 2;
    if (spec->has_set)
        known[n++] = "CodesetId";
    if (spec->has_first)
        known[n++] = "First";
    if (spec->source_key)
        known[n++] = spec->source_key;
    if (spec == &criterion_specs[CRIT_OBSERVATION_PERIOD] || spec == &criterion_specs[CRIT_PAYER_PLAN])
        known[n++] = "UserDefinedPeriod";
    return check_keys(p, o, w, known, spec->attributes);
}

static enum status parse_criterion_body(struct parser *p, const struct js *o, const struct where *w,
                                        struct criterion *c)
{
    const struct criterion_spec *spec = &criterion_specs[c->type];
    const struct js *adjustment, *period = NULL;
    enum status s = check_criterion_keys(p, o, w, spec);
    if (s == ST_OK)
        s = parse_sets(p, o, w, spec, c);
    if (s == ST_OK)
        s = parse_attributes(p, o, w, spec->attributes, &c->attributes, &c->n_attributes);
    if (s == ST_OK)
        s = field_object(p, o, w, "DateAdjustment", &adjustment);
    if (s == ST_OK && adjustment) {
        struct where at = at_key(w, "DateAdjustment");
        s = parse_adjustment(p, adjustment, &at, c);
    }
    if (s == ST_OK && (c->type == CRIT_OBSERVATION_PERIOD || c->type == CRIT_PAYER_PLAN))
        s = field_object(p, o, w, "UserDefinedPeriod", &period);
    if (s == ST_OK && period) {
        struct where at = at_key(w, "UserDefinedPeriod");
        s = parse_user_period(p, period, &at, c);
    }
    return s == ST_OK ? parse_nested(p, o, w, c) : s;
}

static enum status criterion_type_find(struct parser *p, const char *key, const struct where *w,
                                       enum criterion_type *out)
{
    if (strcmp(key, "LocationRegion") == 0)
        return unsupported(p, w, key, "it needs LOCATION_HISTORY and region_concept_id of OMOP CDM 6");
    if (strcmp(key, "Episode") == 0)
        return unsupported(p, w, key, "only newer versions of Circe know it");
    const char *names[N_CRITERION_TYPES];
    for (int t = 0; t < CRIT_PERSON; t++) {
        names[t] = criterion_specs[t].key;
        *out = (enum criterion_type)t;
        if (strcmp(key, names[t]) == 0)
            return ST_OK;
    }
    const char *near = text_nearest(key, names, CRIT_PERSON);
    return circe_refuse(p, w, "this type of criterion is not known%s%s%s", near ? "; did you mean '" : "",
                        near ? near : "", near ? "'?" : "");
}

/* {"ConditionOccurrence": {...}} */
static enum status parse_criterion(struct parser *p, const struct js *o, const struct where *w,
                                   struct criterion *out)
{
    if (!js_is(o, JS_OBJECT) || js_size(o) != 1)
        return circe_refuse(p, w,
                            "expected an object with one criterion, such as {\"ConditionOccurrence\": {}}");
    void *it = js_first(o);
    struct where at = at_key(w, js_key(it));
    enum status s = criterion_type_find(p, js_key(it), &at, &out->type);
    if (s != ST_OK)
        return s;
    if (!js_is(js_value(it), JS_OBJECT))
        return circe_refuse(p, &at, "expected an object");
    out->path = where_format(&at, p->arena);
    return parse_criterion_body(p, js_value(it), &at, out);
}

static enum status parse_criteria(struct parser *p, const struct js *o, const struct where *w,
                                  const char *key, struct criterion **out, size_t *n)
{
    const struct js *list;
    enum status s = field_array(p, o, w, key, &list);
    struct where at = at_key(w, key);
    *n = js_size(list);
    *out = arena_array(p->arena, *n, sizeof **out);
    for (size_t i = 0; s == ST_OK && i < *n; i++) {
        struct where each = at_index(&at, i);
        s = parse_criterion(p, js_at(list, i), &each, &(*out)[i]);
    }
    return s;
}

/* --- windows and counts --- */

static enum status parse_bound(struct parser *p, const struct js *o, const struct where *w, const char *key,
                               struct window_bound *out)
{
    static const char *const keys[] = {"Days", "Coeff", NULL};
    const struct js *v;
    int32_t days, coefficient;
    bool has_days, has_coefficient;
    struct where at = at_key(w, key);
    enum status s = field_object(p, o, w, key, &v);
    if (s == ST_OK && !v)
        s = circe_refuse(p, &at, "expected an object with Days and Coeff");
    if (s == ST_OK)
        s = check_keys(p, v, &at, keys, NULL);
    if (s == ST_OK)
        s = field_int(p, v, &at, "Days", 0, &has_days, &days);
    if (s == ST_OK)
        s = field_int(p, v, &at, "Coeff", 0, &has_coefficient, &coefficient);
    if (s != ST_OK)
        return s;
    if (!has_coefficient || abs(coefficient) > 1)
        return circe_refuse(p, &at, "expected Coeff -1 (before) or 1 (after)");
    if (days > 4000000 || days < -4000000)
        return circe_refuse(p, &at, "Days lies beyond the calendar");
    *out = (struct window_bound){!has_days, days * coefficient, !has_days && coefficient == -1};
    return ST_OK;
}

static enum status parse_window(struct parser *p, const struct js *o, const struct where *w, bool event_end,
                                struct window *out)
{
    static const char *const keys[] = {"Start", "End", "UseIndexEnd", "UseEventEnd", NULL};
    enum status s = check_keys(p, o, w, keys, NULL);
    if (s == ST_OK)
        s = parse_bound(p, o, w, "Start", &out->start);
    if (s == ST_OK)
        s = parse_bound(p, o, w, "End", &out->end);
    if (s == ST_OK)
        s = field_bool(p, o, w, "UseIndexEnd", false, &out->use_index_end);
    if (s == ST_OK)
        s = field_bool(p, o, w, "UseEventEnd", event_end, &out->use_event_end);
    return s;
}

static enum status parse_windows(struct parser *p, const struct js *o, const struct where *w,
                                 struct correlated *out)
{
    const struct js *start, *end;
    struct where at_start = at_key(w, "StartWindow"), at_end = at_key(w, "EndWindow");
    enum status s = field_object(p, o, w, "StartWindow", &start);
    if (s == ST_OK && !start)
        s = circe_refuse(p, &at_start, "expected a window with Start and End");
    if (s == ST_OK)
        s = parse_window(p, start, &at_start, false, &out->start_window);
    if (s == ST_OK)
        s = field_object(p, o, w, "EndWindow", &end);
    out->has_end_window = s == ST_OK && end;
    return out->has_end_window ? parse_window(p, end, &at_end, true, &out->end_window) : s;
}

static enum status parse_count_column(struct parser *p, const struct js *o, const struct where *w,
                                      enum criterion_type type, enum count_column *out)
{
    const char *name;
    enum status s = field_text(p, o, w, "CountColumn", &name);
    *out = COUNT_DOMAIN_CONCEPT;
    if (s != ST_OK || !name)
        return s;
    struct where at = at_key(w, "CountColumn");
    for (int i = 0; i < N_COUNT_COLUMNS; i++)
        if (strcmp(name, count_column_names[i]) == 0) {
            *out = (enum count_column)i;
            if (count_column_fits(*out, type))
                return ST_OK;
            return circe_refuse(p, &at, "a %s has no %s to count", criterion_specs[type].noun, name);
        }
    return unsupported(p, &at, "CountColumn", "counts by this column are not defined");
}

static enum status parse_occurrence(struct parser *p, const struct js *o, const struct where *w,
                                    enum criterion_type criterion, struct occurrence *out)
{
    static const char *const keys[] = {"Type", "Count", "IsDistinct", "CountColumn", NULL};
    int32_t type = -1;
    bool has;
    enum status s = check_keys(p, o, w, keys, NULL);
    if (s == ST_OK)
        s = field_int(p, o, w, "Type", -1, &has, &type);
    struct where at = at_key(w, "Type");
    if (s == ST_OK && (type < 0 || type > 2))
        s = circe_refuse(p, &at, "expected 0 (exactly), 1 (at most) or 2 (at least)");
    out->type = (enum occurrence_type)type;
    if (s == ST_OK)
        s = field_int(p, o, w, "Count", 0, &has, &out->count);
    if (s == ST_OK)
        s = field_bool(p, o, w, "IsDistinct", false, &out->distinct);
    if (s == ST_OK && out->distinct)
        s = parse_count_column(p, o, w, criterion, &out->column);
    return s;
}

static enum status parse_correlated(struct parser *p, const struct js *o, const struct where *w,
                                    struct correlated *out)
{
    static const char *const keys[] = {"Criteria",   "StartWindow",   "EndWindow",
                                       "Occurrence", "RestrictVisit", "IgnoreObservationPeriod",
                                       NULL};
    const struct js *criterion = NULL, *occurrence = NULL;
    struct where at_criterion = at_key(w, "Criteria"), at_occurrence = at_key(w, "Occurrence");
    enum status s = check_keys(p, o, w, keys, NULL);
    if (s == ST_OK)
        s = field_object(p, o, w, "Criteria", &criterion);
    if (s == ST_OK)
        s = parse_criterion(p, criterion, &at_criterion, &out->criterion);
    if (s == ST_OK)
        s = parse_windows(p, o, w, out);
    if (s == ST_OK)
        s = field_object(p, o, w, "Occurrence", &occurrence);
    if (s == ST_OK && !occurrence)
        s = circe_refuse(p, &at_occurrence, "expected an object with Type and Count");
    if (s == ST_OK)
        s = parse_occurrence(p, occurrence, &at_occurrence, out->criterion.type, &out->occurrence);
    if (s == ST_OK)
        s = field_bool(p, o, w, "RestrictVisit", false, &out->restrict_visit);
    if (s == ST_OK)
        s = field_bool(p, o, w, "IgnoreObservationPeriod", false, &out->ignore_observation_period);
    return s;
}

/* --- groups --- */

static enum status parse_demographic(struct parser *p, const struct js *o, const struct where *w,
                                     struct demographic *out)
{
    enum status s = check_keys(p, o, w, NULL, demographic_attributes);
    return s == ST_OK
               ? parse_attributes(p, o, w, demographic_attributes, &out->attributes, &out->n_attributes)
               : s;
}

static enum status parse_members(struct parser *p, const struct js *o, const struct where *w,
                                 struct group *out)
{
    const struct js *criteria = NULL, *demographics = NULL, *groups = NULL;
    enum status s = field_array(p, o, w, "CriteriaList", &criteria);
    if (s == ST_OK)
        s = field_array(p, o, w, "DemographicCriteriaList", &demographics);
    if (s == ST_OK)
        s = field_array(p, o, w, "Groups", &groups);
    out->n_criteria = js_size(criteria);
    out->n_demographics = js_size(demographics);
    out->n_groups = js_size(groups);
    out->criteria = arena_array(p->arena, out->n_criteria, sizeof *out->criteria);
    out->demographics = arena_array(p->arena, out->n_demographics, sizeof *out->demographics);
    out->groups = arena_array(p->arena, out->n_groups, sizeof *out->groups);
    struct where at = at_key(w, "CriteriaList");
    for (size_t i = 0; s == ST_OK && i < out->n_criteria; i++) {
        struct where each = at_index(&at, i);
        s = parse_correlated(p, js_at(criteria, i), &each, &out->criteria[i]);
    }
    at = at_key(w, "DemographicCriteriaList");
    for (size_t i = 0; s == ST_OK && i < out->n_demographics; i++) {
        struct where each = at_index(&at, i);
        s = parse_demographic(p, js_at(demographics, i), &each, &out->demographics[i]);
    }
    at = at_key(w, "Groups");
    for (size_t i = 0; s == ST_OK && i < out->n_groups; i++) {
        struct where each = at_index(&at, i);
        s = parse_group(p, js_at(groups, i), &each, &out->groups[i]);
    }
    return s;
}

static enum status parse_group_type(struct parser *p, const struct js *o, const struct where *w,
                                    struct group *out)
{
    static const char *const names[] = {"ALL", "ANY", "AT_LEAST", "AT_MOST"};
    const char *type;
    bool has_count;
    enum status s = field_text(p, o, w, "Type", &type);
    if (s == ST_OK)
        s = field_int(p, o, w, "Count", 0, &has_count, &out->count);
    if (s != ST_OK || (!type && group_size(out) == 0))
        return s;
    struct where at = at_key(w, "Type"), at_count = at_key(w, "Count");
    for (int i = 0; type && i < 4; i++)
        if (strcasecmp(type, names[i]) == 0) {
            out->type = (enum group_type)i;
            bool needs = out->type == GROUP_AT_LEAST || out->type == GROUP_AT_MOST;
            return needs && !has_count && group_size(out) ? circe_refuse(p, &at_count, "expected a count")
                                                          : ST_OK;
        }
    return group_size(out) ? circe_refuse(p, &at, "expected ALL, ANY, AT_LEAST or AT_MOST") : ST_OK;
}

static enum status parse_group(struct parser *p, const struct js *o, const struct where *w, struct group *out)
{
    static const char *const keys[] = {"Type",   "Count", "CriteriaList", "DemographicCriteriaList",
                                       "Groups", NULL};
    if (++p->depth > MOST_DEPTH)
        return circe_refuse(p, w, "groups are nested deeper than %d", MOST_DEPTH);
    enum status s = check_keys(p, o, w, keys, NULL);
    if (s == ST_OK)
        s = parse_members(p, o, w, out);
    if (s == ST_OK)
        s = parse_group_type(p, o, w, out);
    p->depth--;
    return s;
}

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
        s = parse_set(p, js_at(list, i), &each, &d->sets[i]);
        if (s == ST_OK && definition_set_find(d, d->sets[i].id))
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
        s = parse_criteria(p, primary, &at, "CriteriaList", &d->primary, &d->n_primary);
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
    return p->d->has_additional ? parse_group(p, v, &at, &p->d->additional) : s;
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
    return s == ST_OK ? parse_group(p, expression, &at, &out->group) : s;
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
        s = parse_criteria(p, o, w, "CensoringCriteria", &d->censoring, &d->n_censoring);
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

enum status cohort_parse(const struct js *circe, struct cohort_definition **out, struct err *e)
{
    struct parser p = {.arena = arena_new(), .d = xcalloc(1, sizeof *p.d), .e = e};
    struct js *owned = NULL;
    const struct js *o = NULL;
    *out = NULL;
    p.d->arena = p.arena;
    p.d->as_of = DATE_NONE;
    enum status s = unwrap(circe, &owned, &o, e);
    if (s == ST_OK)
        s = parse_expression(&p, o, &ROOT);
    js_free(owned);
    if (s != ST_OK) {
        cohort_definition_free(p.d);
        return s;
    }
    *out = p.d;
    return ST_OK;
}

void cohort_definition_free(struct cohort_definition *d)
{
    if (!d)
        return;
    free(d->ignored);
    arena_free(d->arena);
    free(d);
}
