/* SPDX-License-Identifier: Apache-2.0
 *
 * Criteria and groups of Circe JSON: the recursive part of the tree.
 */
#include <stdlib.h>
#include <strings.h>

#include "base/date.h"
#include "cohort/circe_fields.h"

enum { MOST_DEPTH = 64 }; /* of groups and nested criteria; ATLAS users reach 3 */

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
    s = circe_group(p, nested, &at, g);
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
                                       enum criterion_type *out, bool *known)
{
    if (strcmp(key, "LocationRegion") == 0)
        return unsupported(p, w, key, "it needs LOCATION_HISTORY and region_concept_id of OMOP CDM 6");
    if (strcmp(key, "Episode") == 0)
        return unsupported(p, w, key, "only newer versions of Circe know it");
    const char *names[N_CRITERION_TYPES];
    for (int t = 0; t < CRIT_PERSON; t++) {
        names[t] = criterion_specs[t].key;
        *out = (enum criterion_type)t;
        *known = strcmp(key, names[t]) == 0;
        if (*known)
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
    bool known = false;
    enum status s = criterion_type_find(p, js_key(it), &at, &out->type, &known);
    if (!known)
        return s;
    if (!js_is(js_value(it), JS_OBJECT))
        return circe_refuse(p, &at, "expected an object");
    out->path = where_format(&at, p->arena);
    return parse_criterion_body(p, js_value(it), &at, out);
}

enum status circe_criteria(struct parser *p, const struct js *o, const struct where *w, const char *key,
                           struct criterion **out, size_t *n)
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
                                      const struct criterion *c, enum count_column *out)
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
            if (!c->path || count_column_fits(*out, c->type)) /* no path: of an unknown type */
                return ST_OK;
            return circe_refuse(p, &at, "a %s has no %s to count", criterion_specs[c->type].noun, name);
        }
    return unsupported(p, &at, "CountColumn", "counts by this column are not defined");
}

static enum status parse_occurrence(struct parser *p, const struct js *o, const struct where *w,
                                    const struct criterion *c, struct occurrence *out)
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
        s = parse_count_column(p, o, w, c, &out->column);
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
        s = parse_occurrence(p, occurrence, &at_occurrence, &out->criterion, &out->occurrence);
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
        s = circe_group(p, js_at(groups, i), &each, &out->groups[i]);
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

enum status circe_group(struct parser *p, const struct js *o, const struct where *w, struct group *out)
{
    static const char *const keys[] = {"Type",   "Count", "CriteriaList", "DemographicCriteriaList",
                                       "Groups", NULL};
    if (p->depth == MOST_DEPTH)
        return circe_refuse(p, w, "groups are nested deeper than %d", MOST_DEPTH);
    p->depth++;
    enum status s = check_keys(p, o, w, keys, NULL);
    if (s == ST_OK)
        s = parse_members(p, o, w, out);
    if (s == ST_OK)
        s = parse_group_type(p, o, w, out);
    p->depth--;
    return s;
}
