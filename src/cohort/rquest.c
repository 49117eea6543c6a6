/* SPDX-License-Identifier: Apache-2.0
 *
 * HDR UK Cohort Discovery (RQuest) availability queries to the typed tree. A query asks for persons, not for
 * events under observation: the entry event is one event per person on the day of asking, and one inclusion
 * rule holds the query's groups.
 *
 *   concept rule     at least one event with exactly that concept in any of six tables, at any time
 *   Person rule      gender, race or ethnicity is that concept
 *   AGE              age on the day of asking; time "n|:AGE:Y" age at the event; "n|:TIME:M" months ago
 *   Location rule    the person lives within so many metres of a place
   "!="             none of what "=" asks for
 *
 * Known readers of this language over-count in silence (../shared/data/rquest/README.md): they drop what they
 * do not understand. Here each of those is answered as it says or refused with its path.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "cohort/circe_fields.h"
#include "cohort/cohort.h"

/* What a rule asks of the events of its concept. */
struct event_rule {
    int32_t concept;
    bool has_age, has_value;
    struct number_range age, value;
    bool has_months;
    bool at_least; /* months ago: at least, else at most */
    int32_t days;  /* before the day of asking */
    struct concept_list types;
};

static const struct attribute_spec *spec_of(const struct attribute_spec *specs, const char *key)
{
    while (strcmp(specs->key, key) != 0)
        specs++;
    return specs;
}

/* --- ranges --- */

/* "20|30", "20|", "|30", "1.5..3"; either end may be missing, not both. */
static bool parse_ends(const char *text, struct number_range *out)
{
    const char *bar = strchr(text, '|'), *dots = strstr(text, "..");
    const char *middle = bar ? bar : dots;
    if (!middle)
        return false;
    struct slice left = slice_trim((struct slice){text, (size_t)(middle - text)});
    struct slice right = slice_trim(slice_of(middle + (bar ? 1 : 2)));
    double low = 0, high = 0;
    if ((left.n && !parse_double(left, &low)) || (right.n && !parse_double(right, &high)))
        return false;
    out->op = left.n && right.n ? OP_BT : left.n ? OP_GTE : OP_LTE;
    out->value = left.n ? low : high;
    out->extent = high;
    return left.n || right.n;
}

static enum status field_ends(struct parser *p, const struct js *o, const struct where *w, const char *key,
                              struct number_range *out)
{
    const char *text;
    struct where at = at_key(w, key);
    enum status s = field_text(p, o, w, key, &text);
    if (s != ST_OK)
        return s;
    return text && parse_ends(text, out) ? ST_OK
                                         : circe_refuse(p, &at, "expected a range such as 20|30, 20| or |30");
}

/* The same day n months before, or the last day of that month. */
static int32_t months_before(int32_t day, int32_t months)
{
    int year, month, of_month;
    date_parts(day, &year, &month, &of_month);
    int total = year * 12 + month - 1 - months;
    year = total / 12;
    month = total % 12 + 1;
    while (!date_valid(year, month, of_month) && of_month > 28)
        of_month--;
    return date_valid(year, month, of_month) ? date_of(year, month, of_month) : DATE_MIN;
}

/* "50|:AGE:Y": age at the event at least 50. "|1:TIME:M": at most one month ago. */
static enum status parse_time(struct parser *p, const struct js *o, const struct where *w,
                              struct event_rule *r)
{
    const char *text;
    char number[32] = "", kind[8] = "", unit = 0;
    struct where at = at_key(w, "time");
    enum status s = field_text(p, o, w, "time", &text);
    if (s != ST_OK || !text || !*text)
        return s;
    struct number_range range;
    if (sscanf(text, "%31[^:]:%7[A-Z]:%c", number, kind, &unit) != 3 || !parse_ends(number, &range) ||
        range.op == OP_BT || range.value != trunc(range.value) || range.value < 0 || range.value > 12000)
        return circe_refuse(p, &at, "expected a time such as 50|:AGE:Y or |6:TIME:M");
    if (strcmp(kind, "AGE") == 0 && unit == 'Y') {
        r->has_age = true;
        r->age = range;
        return ST_OK;
    }
    if (strcmp(kind, "TIME") != 0 || unit != 'M')
        return circe_refuse(p, &at, "expected AGE in years (Y) or TIME in months (M)");
    r->has_months = true;
    r->at_least = range.op == OP_GTE;
    r->days = p->d->as_of - months_before(p->d->as_of, (int32_t)range.value);
    return ST_OK;
}

/* --- rules to groups --- */

static void add_demographic(struct parser *p, struct group *g, const char *key, int32_t concept)
{
    struct demographic *d = &g->demographics[g->n_demographics++];
    d->attributes = arena_alloc(p->arena, sizeof *d->attributes);
    d->n_attributes = 1;
    d->attributes->spec = spec_of(demographic_attributes, key);
    d->attributes->list.items = arena_alloc(p->arena, sizeof(struct concept_ref));
    *d->attributes->list.items = (struct concept_ref){concept, ""};
    d->attributes->list.n = 1;
}

static void person_rule(struct parser *p, int32_t concept, struct group *out)
{
    out->demographics = arena_array(p->arena, 3, sizeof *out->demographics);
    add_demographic(p, out, "Gender", concept);
    add_demographic(p, out, "Race", concept);
    add_demographic(p, out, "Ethnicity", concept);
}

static void age_rule(struct parser *p, const struct number_range *range, struct group *out)
{
    struct demographic *d = arena_alloc(p->arena, sizeof *d);
    d->attributes = arena_alloc(p->arena, sizeof *d->attributes);
    d->n_attributes = 1;
    *d->attributes = (struct attribute){.spec = spec_of(demographic_attributes, "Age"), .number = *range};
    out->demographics = d;
    out->n_demographics = 1;
}

static void add_number(struct criterion *c, const char *key, const struct number_range *range)
{
    c->attributes[c->n_attributes++] =
        (struct attribute){.spec = spec_of(criterion_specs[c->type].attributes, key), .number = *range};
}

static void add_events(struct parser *p, const struct event_rule *r, enum criterion_type type, int32_t set,
                       const char *path, struct group *out)
{
    struct correlated *c = &out->criteria[out->n_criteria++];
    c->criterion = (struct criterion){.type = type, .has_set = true, .set = set, .path = path};
    c->criterion.attributes = arena_array(p->arena, 3, sizeof *c->criterion.attributes);
    if (r->has_age)
        add_number(&c->criterion, "Age", &r->age);
    if (r->has_value)
        add_number(&c->criterion, "ValueAsNumber", &r->value);
    if (r->types.n)
        c->criterion.attributes[c->criterion.n_attributes++] = (struct attribute){
            .spec = spec_of(criterion_specs[type].attributes, "ConditionType"), .list = r->types};
    c->start_window = (struct window){.start = {.all = true, .before = true}, .end = {.all = true}};
    if (r->has_months && r->at_least)
        c->start_window.end = (struct window_bound){.days = -r->days};
    if (r->has_months && !r->at_least)
        c->start_window.start = (struct window_bound){.days = -r->days};
    c->occurrence = (struct occurrence){.type = AT_LEAST, .count = 1};
    c->ignore_observation_period = true;
}

/* A condition type is a matter of conditions, a value of measurements and observations. */
static bool table_fits(const struct event_rule *r, enum criterion_type t)
{
    if (r->types.n && t != CRIT_CONDITION_OCCURRENCE)
        return false;
    return !r->has_value || t == CRIT_MEASUREMENT || t == CRIT_OBSERVATION;
}

static void event_group(struct parser *p, const struct event_rule *r, const char *path, struct group *out)
{
    static const enum criterion_type types[] = {
        CRIT_CONDITION_OCCURRENCE, CRIT_DRUG_EXPOSURE, CRIT_MEASUREMENT,
        CRIT_OBSERVATION,          CRIT_PROCEDURE,     CRIT_SPECIMEN};
    enum { N_TYPES = sizeof types / sizeof *types };
    struct cohort_definition *d = p->d;
    struct concept_set *set = &d->sets[d->n_sets];
    *set = (struct concept_set){.id = (int32_t)d->n_sets++, .name = "", .literal = true, .n_items = 1};
    set->items = arena_alloc(p->arena, sizeof *set->items);
    *set->items = (struct concept_item){.id = r->concept, .name = ""};
    out->criteria = arena_array(p->arena, N_TYPES, sizeof *out->criteria);
    for (int i = 0; i < N_TYPES; i++)
        if (table_fits(r, types[i]))
            add_events(p, r, types[i], set->id, path, out);
}

/* --- reading rules --- */

static enum status parse_concept(struct parser *p, const struct where *w, const char *key, const char *text,
                                 int32_t *out)
{
    int64_t id;
    struct where at = at_key(w, key);
    if (!text || !parse_i64(slice_trim(slice_of(text)), &id) || id < INT32_MIN || id > INT32_MAX)
        return circe_refuse(p, &at, "expected a concept id");
    *out = (int32_t)id;
    return ST_OK;
}

static enum status parse_modifiers(struct parser *p, const struct js *o, const struct where *w,
                                   struct event_rule *r)
{
    const struct js *list;
    enum status s = field_array(p, o, w, "secondary_modifier", &list);
    struct where at = at_key(w, "secondary_modifier");
    r->types.items = arena_array(p->arena, js_size(list), sizeof *r->types.items);
    for (size_t i = 0; s == ST_OK && i < js_size(list); i++) {
        const struct js *v = js_at(list, i);
        int64_t id = js_int(v);
        struct where each = at_index(&at, i);
        if (!js_is(v, JS_INTEGER) && (!js_str(v) || !parse_i64(slice_of(js_str(v)), &id)))
            return circe_refuse(p, &each, "expected a concept id");
        r->types.items[r->types.n++] = (struct concept_ref){(int32_t)id, ""};
    }
    return s;
}

static enum status parse_event_rule(struct parser *p, const struct js *o, const struct where *w,
                                    const char *varname, const char *type, struct group *out)
{
    struct event_rule r = {0};
    const char *value;
    enum status s = field_text(p, o, w, "value", &value);
    bool number = strcmp(type, "NUM") == 0;
    struct where at = at_key(w, "type");
    if (s == ST_OK && !number && strcmp(type, "TEXT") != 0 && strcmp(type, "BOOLEAN") != 0)
        s = unsupported(p, &at, "rule type", "rules of type TEXT and NUM are understood");
    if (s == ST_OK && number)
        s = parse_concept(p, w, "varname", strncmp(varname, "OMOP=", 5) == 0 ? varname + 5 : NULL,
                          &r.concept);
    else if (s == ST_OK)
        s = parse_concept(p, w, "value", value, &r.concept);
    r.has_value = number;
    if (s == ST_OK && number)
        s = field_ends(p, o, w, "value", &r.value);
    if (s == ST_OK)
        s = parse_time(p, o, w, &r);
    if (s == ST_OK)
        s = parse_modifiers(p, o, w, &r);
    if (s == ST_OK)
        event_group(p, &r, where_format(w, p->arena), out);
    return s;
}

static enum status parse_person_rule(struct parser *p, const struct js *o, const struct where *w,
                                     const char *varname, struct group *out)
{
    struct number_range range;
    const char *value;
    int32_t concept = 0;
    enum status s;
    if (strcmp(varname, "AGE") == 0) {
        s = field_ends(p, o, w, "value", &range);
        range.value = trunc(range.value);
        range.extent = trunc(range.extent);
        if (s == ST_OK)
            age_rule(p, &range, out);
        return s;
    }
    struct where at = at_key(w, "varname");
    if (strcmp(varname, "OMOP") != 0)
        return circe_refuse(p, &at, "expected AGE or OMOP for a Person rule");
    s = field_text(p, o, w, "value", &value);
    if (s == ST_OK)
        s = parse_concept(p, w, "value", value, &concept);
    if (s == ST_OK)
        person_rule(p, concept, out);
    return s;
}

/* "55.95|-3.19|10000": the person lives within so many metres of that place. */
static enum status parse_location_rule(struct parser *p, const struct js *o, const struct where *w,
                                       const char *type, struct group *out)
{
    const char *value;
    struct near_place near;
    struct where at = at_key(w, "value"), at_type = at_key(w, "type");
    int used = 0;
    if (strcmp(type, "GEO_RADIUS") != 0)
        return unsupported(p, &at_type, "rule type", "of a Location rule only GEO_RADIUS is understood");
    enum status s = field_text(p, o, w, "value", &value);
    if (s != ST_OK)
        return s;
    if (!value || sscanf(value, "%lf|%lf|%lf%n", &near.latitude, &near.longitude, &near.metres, &used) != 3 ||
        value[used] || !(fabs(near.latitude) <= 90) || !(fabs(near.longitude) <= 180) ||
        !(near.metres >= 0 && near.metres <= 4e7))
        return circe_refuse(p, &at, "expected latitude|longitude|metres, such as 55.95|-3.19|10000");
    struct demographic *d = arena_alloc(p->arena, sizeof *d);
    d->attributes = arena_alloc(p->arena, sizeof *d->attributes);
    *d->attributes = (struct attribute){.spec = &near_attribute, .near = near};
    d->n_attributes = 1;
    out->demographics = d;
    out->n_demographics = 1;
    return ST_OK;
}

static enum status parse_oper(struct parser *p, const struct js *o, const struct where *w, struct group *out)
{
    const char *oper;
    struct where at = at_key(w, "oper");
    enum status s = field_text(p, o, w, "oper", &oper);
    if (s != ST_OK)
        return s;
    bool exclude = oper && strcmp(oper, "!=") == 0;
    if (!exclude && (!oper || strcmp(oper, "=") != 0))
        return circe_refuse(p, &at, "expected = or !=");
    out->type = exclude ? GROUP_AT_MOST : GROUP_ANY;
    out->count = 0;
    return ST_OK;
}

static enum status parse_rule(struct parser *p, const struct js *o, const struct where *w, struct group *out)
{
    static const char *const keys[] = {
        "varname", "varcat", "type", "oper", "value", "time", "secondary_modifier", "ext", "unit", NULL};
    const char *varname = NULL, *varcat = NULL, *type = NULL;
    struct where at = at_key(w, "varname"), at_cat = at_key(w, "varcat"), at_type = at_key(w, "type");
    enum status s = check_keys(p, o, w, keys, NULL);
    if (s == ST_OK)
        s = parse_oper(p, o, w, out);
    if (s == ST_OK)
        s = field_text(p, o, w, "varname", &varname);
    if (s == ST_OK)
        s = field_text(p, o, w, "varcat", &varcat);
    if (s == ST_OK)
        s = field_text(p, o, w, "type", &type);
    if (s != ST_OK)
        return s;
    if (!varname)
        return circe_refuse(p, &at, "expected OMOP, OMOP=<concept id> or AGE");
    if (!varcat)
        return circe_refuse(p, &at_cat, "expected a category such as Condition or Person");
    if (!type)
        return circe_refuse(p, &at_type, "expected TEXT or NUM");
    if (strcmp(varcat, "Location") == 0)
        return parse_location_rule(p, o, w, type, out);
    if (strcmp(varcat, "Person") == 0)
        return parse_person_rule(p, o, w, varname, out);
    return parse_event_rule(p, o, w, varname, type, out);
}

static enum status parse_joined(struct parser *p, const struct js *o, const struct where *w, const char *key,
                                enum group_type *out)
{
    const char *oper;
    struct where at = at_key(w, key);
    enum status s = field_text(p, o, w, key, &oper);
    if (s != ST_OK)
        return s;
    *out = oper && strcmp(oper, "OR") == 0 ? GROUP_ANY : GROUP_ALL;
    return *out == GROUP_ANY || (oper && strcmp(oper, "AND") == 0)
               ? ST_OK
               : circe_refuse(p, &at, "expected AND or OR");
}

static enum status parse_rules(struct parser *p, const struct js *o, const struct where *w, struct group *out)
{
    static const char *const keys[] = {"rules", "rules_oper", NULL};
    const struct js *rules = NULL;
    enum status s = check_keys(p, o, w, keys, NULL);
    if (s == ST_OK)
        s = parse_joined(p, o, w, "rules_oper", &out->type);
    if (s == ST_OK)
        s = field_array(p, o, w, "rules", &rules);
    struct where at = at_key(w, "rules");
    if (s == ST_OK && js_size(rules) == 0)
        return circe_refuse(p, &at, "expected at least one rule");
    out->n_groups = js_size(rules);
    out->groups = arena_array(p->arena, out->n_groups, sizeof *out->groups);
    for (size_t i = 0; s == ST_OK && i < out->n_groups; i++) {
        struct where each = at_index(&at, i);
        s = parse_rule(p, js_at(rules, i), &each, &out->groups[i]);
    }
    return s;
}

static size_t count_rules(const struct js *groups)
{
    size_t n = 0;
    for (size_t i = 0; i < js_size(groups); i++)
        n += js_size(js_get(js_at(groups, i), "rules"));
    return n;
}

static enum status parse_groups(struct parser *p, const struct js *o, const struct where *w,
                                struct group *out)
{
    const struct js *groups;
    enum status s = parse_joined(p, o, w, "groups_oper", &out->type);
    if (s == ST_OK)
        s = field_array(p, o, w, "groups", &groups);
    struct where at = at_key(w, "groups");
    if (s != ST_OK)
        return s;
    if (js_size(groups) == 0)
        return circe_refuse(p, &at, "expected at least one group");
    p->d->sets = arena_array(p->arena, count_rules(groups), sizeof *p->d->sets);
    out->n_groups = js_size(groups);
    out->groups = arena_array(p->arena, out->n_groups, sizeof *out->groups);
    for (size_t i = 0; s == ST_OK && i < out->n_groups; i++) {
        struct where each = at_index(&at, i);
        s = parse_rules(p, js_at(groups, i), &each, &out->groups[i]);
    }
    return s;
}

static enum status parse_query(struct parser *p, const struct js *query)
{
    struct cohort_definition *d = p->d;
    const struct js *cohort;
    struct where root = ROOT, at = at_key(&root, "cohort");
    enum status s = field_object(p, query, &root, "cohort", &cohort);
    if (s == ST_OK && !cohort)
        s = circe_refuse(p, &at, "expected the groups of an availability query");
    d->title = "";
    d->n_primary = d->n_rules = 1;
    d->primary = arena_alloc(p->arena, sizeof *d->primary);
    *d->primary = (struct criterion){.type = CRIT_PERSON, .path = "$.cohort"};
    d->rules = arena_alloc(p->arena, sizeof *d->rules);
    d->rules->name = "query";
    d->rules->description = "";
    return s == ST_OK ? parse_groups(p, cohort, &at, &d->rules->group) : s;
}

enum status cohort_parse_rquest(const struct js *query, int32_t today, struct cohort_definition **out,
                                struct err *e)
{
    struct parser p = {.arena = arena_new(), .d = xcalloc(1, sizeof *p.d), .e = e};
    p.d->arena = p.arena;
    p.d->as_of = today;
    p.d->censor_start = p.d->censor_end = DATE_NONE;
    enum status s = parse_query(&p, query);
    *out = s == ST_OK ? p.d : NULL;
    if (s != ST_OK)
        cohort_definition_free(p.d);
    return s;
}
