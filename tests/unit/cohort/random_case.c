/* SPDX-License-Identifier: Apache-2.0 */
#include "random_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "cohort/tree.h"

/* Concepts 1..10 are standard, 11..14 source concepts, 15 has no CONCEPT row; sets have ids 0..4, and 9 is
   never there. */
enum { N_STANDARD = 10, N_CONCEPTS = 15, N_SETS = 5, NO_SUCH_SET = 9, DAYS = 90 };

uint64_t dice_roll(struct rng *d, uint64_t sides)
{
    return rng_next(d) % sides;
}

static int32_t roll(struct rng *d, int32_t sides)
{
    return (int32_t)dice_roll(d, (uint64_t)sides);
}

static int32_t first_day(void)
{
    return date_of(2010, 11, 15); /* the year changes within DAYS */
}

/* What one cohort is full of: features that are rare each would otherwise hardly ever meet. */
struct taste {
    enum criterion_type favourite;
    /* one in so many has it */
    uint64_t favourite_in, no_set_in, attribute_in, first_in, adjusted_in, period_in, distinct_in, nested_in,
        anchor_in;
};

static struct taste random_taste(struct rng *d)
{
    struct taste t = {(enum criterion_type)dice_roll(d, CRIT_PERSON), 1000, 4, 40, 4, 12, 4, 4, 6, 3};
    if (dice_one_in(d, 2))
        return t;
    t.favourite_in = 1 + dice_roll(d, 3);
    t.no_set_in = 2;
    t.attribute_in = dice_one_in(d, 3) ? 12 : 40;
    t.first_in = dice_one_in(d, 3) ? 2 : 4;
    t.adjusted_in = dice_one_in(d, 3) ? 2 : 12;
    t.period_in = 2;
    t.distinct_in = dice_one_in(d, 3) ? 1 : 4;
    t.nested_in = dice_one_in(d, 3) ? 2 : 6;
    t.anchor_in = 1 + dice_roll(d, 3);
    return t;
}

/* --- the CDM --- */

static const double numbers[] = {0,   -0.0, 0.1, 0.3,  0.5, 1,
                                 1.5, 2,    3,   29.9, -1,  0.3333}; /* 0.3 over 0.1 is 3 */
static const char *const texts[] = {"a", "ab",   "b_a",        "100%", "\xc3\xa9t\xc3\xa9",
                                    "A", "it's", "back\\slash"};
#define PICK(d, array) ((array)[dice_roll((d), sizeof(array) / sizeof *(array))])

static void random_person(struct rng *d, struct cdm *c, int64_t id)
{
    GROW(c->persons, c->n_persons + 1, c->persons_capacity);
    struct cdm_person *p = &c->persons[c->n_persons++];
    *p = (struct cdm_person){.id = id, .in_person = !dice_one_in(d, 12)};
    p->birth_year = !p->in_person || dice_one_in(d, 15) ? NONE_I64 : 1925 + roll(d, 90);
    p->gender = p->in_person && !dice_one_in(d, 6) ? 1 + roll(d, 3) : NONE_I64;
    p->race = p->in_person && !dice_one_in(d, 6) ? 1 + roll(d, 3) : NONE_I64;
    p->ethnicity = p->in_person ? roll(d, 3) : NONE_I64;
}

static void random_periods(struct rng *d, struct cdm *c, int64_t person, bool overlapping)
{
    int32_t day = first_day() - 20;
    for (int n = 1 + roll(d, 3) - dice_one_in(d, 8); n > 0; n--) {
        GROW(c->periods, c->n_periods + 1, c->periods_capacity);
        struct cdm_period *p = &c->periods[c->n_periods];
        int32_t start = day + roll(d, 40), end = start + roll(d, 60);
        *p = (struct cdm_period){.person_id = person, .start = start, .end = end, .type = 1 + roll(d, 3)};
        p->id = (int64_t)c->n_periods++ * 7 % 101;
        day = overlapping ? start : end + 1;
    }
}

/* Mostly one of the person's own visits, which lie behind row `own`. */
static int64_t random_visit(struct rng *d, const struct cdm *c, size_t own)
{
    const struct cdm_table *visits = &c->tables[STORE_VISIT];
    if (own == visits->n || dice_one_in(d, 3))
        return 1 + roll(d, 4);
    return visits->rows[own + dice_roll(d, visits->n - own)].v[COL_ID].i;
}

static union cdm_value random_value(struct rng *d, const struct cdm_column *m, int32_t start, int64_t id)
{
    union cdm_value v = {.i = NONE_I64};
    bool missing = dice_one_in(d, 4);
    if (m->column == COL_ID)
        v.i = id;
    else if (m->column == COL_START)
        v.i = start;
    else if (m->column == COL_CONCEPT)
        v.i = dice_one_in(d, 20) ? NONE_I64 : dice_one_in(d, 10) ? N_CONCEPTS : 1 + roll(d, N_STANDARD);
    else if (m->column == COL_SOURCE_CONCEPT)
        v.i = missing ? 0 : 11 + roll(d, 4);
    else if (m->column == COL_VISIT)
        v.i = NONE_I64;
    else if (m->column == COL_VALUE_CONCEPT && dice_one_in(d, 3))
        v.i = 4155142 + roll(d, 2); /* low, high: abnormal */
    else if (m->kind == 'd')
        v.i = missing ? NONE_I64 : start + roll(d, 20) - 2;
    else if (m->kind == 'f')
        v.d = missing ? (double)NAN : PICK(d, numbers);
    else if (m->kind == 't')
        v.s = missing ? NULL : PICK(d, texts);
    else
        v.i = missing ? NONE_I64 : roll(d, 6);
    return v;
}

static void random_events(struct rng *d, struct cdm *c, enum store_table t, int64_t person, size_t own_visits)
{
    for (int n = roll(d, 7); n > 0; n--) {
        struct cdm_row *r = cdm_add(c, t);
        r->person_id = person;
        int32_t start = first_day() + roll(d, DAYS);
        int64_t n_before = (int64_t)c->tables[t].n;
        int64_t id = n_before * 37 % 1009 - 300 + n_before / 1009 * 1009; /* in no order, some negative */
        for (const struct cdm_column *m = cdm_files[t].columns; m->csv; m++)
            r->v[m->column] = m->column == COL_VISIT && !dice_one_in(d, 4)
                                  ? (union cdm_value){.i = random_visit(d, c, own_visits)}
                                  : random_value(d, m, start, id);
        if (t == STORE_VISIT)
            r->v[COL_VISIT].i = id;
        if (t == STORE_DEATH)
            r->v[COL_ID].i = person;
        bool era = t == STORE_CONDITION_ERA || t == STORE_DRUG_ERA || t == STORE_DOSE_ERA ||
                   t == STORE_PAYER_PLAN || t == STORE_VISIT || t == STORE_VISIT_DETAIL;
        if (t == STORE_DEATH && dice_one_in(d, 4))
            r->v[COL_CONCEPT].i = NONE_I64;
        if (era && r->v[COL_END].i == NONE_I64 && !dice_one_in(d, 3))
            r->v[COL_END].i = start + roll(d, 10);
        if (t == STORE_DEATH)
            return;
    }
}

static void random_vocabulary(struct rng *d, struct cdm *c)
{
    for (int64_t id = 1; id < N_CONCEPTS; id++) {
        GROW(c->concepts, c->n_concepts + 1, c->concepts_capacity);
        c->concepts[c->n_concepts++] = (struct cdm_concept){id, dice_one_in(d, 6)};
    }
    for (int n = 0; n < 14; n++) {
        GROW(c->ancestors, c->n_ancestors + 1, c->ancestors_capacity);
        c->ancestors[c->n_ancestors++] = (struct cdm_pair){1 + roll(d, N_CONCEPTS), 1 + roll(d, N_CONCEPTS)};
    }
    for (int n = 0; n < 6; n++) {
        GROW(c->maps, c->n_maps + 1, c->maps_capacity);
        c->maps[c->n_maps++] = (struct cdm_pair){11 + roll(d, 4), 1 + roll(d, N_STANDARD)};
    }
}

struct cdm *random_crowd(struct rng *d, int n, bool overlapping)
{
    struct cdm *c = cdm_new();
    random_vocabulary(d, c);
    for (int i = 0; i < n; i++) {
        int64_t id = (int64_t)i * 5 - 9;
        random_person(d, c, id);
        random_periods(d, c, id, overlapping);
        size_t own_visits = c->tables[STORE_VISIT].n;
        random_events(d, c, STORE_VISIT, id, own_visits);
        for (int t = 0; t < STORE_N_TABLES; t++)
            if (t != STORE_VISIT)
                random_events(d, c, (enum store_table)t, id, own_visits);
    }
    cdm_index(c);
    return c;
}

struct cdm *random_cdm(struct rng *d, bool overlapping)
{
    return random_crowd(d, 1 + roll(d, 8), overlapping);
}

/* --- cohorts --- */

static int depth_left(int depth)
{
    return depth > 0 ? depth - 1 : 0;
}

static int32_t random_set_id(struct rng *d)
{
    return dice_one_in(d, 30) ? NO_SUCH_SET : roll(d, N_SETS);
}

static struct js *random_concepts(struct rng *d, int32_t from)
{
    struct js *list = js_array();
    for (int n = roll(d, 4); n > 0; n--) {
        struct js *concept = js_object();
        js_put_int(concept, "CONCEPT_ID", from + roll(d, 5));
        js_put_str(concept, "CONCEPT_NAME", "c");
        js_push(list, concept);
    }
    return list;
}

static struct js *random_day(struct rng *d)
{
    char text[11];
    date_format(first_day() + roll(d, DAYS), text);
    return js_string(text);
}

static struct js *random_range(struct rng *d, const struct attribute_spec *spec)
{
    struct js *o = js_object();
    js_put_str(o, "Op", range_op_names[dice_roll(d, N_RANGE_OPS)]);
    bool age = spec->operand == BY_AGE_AT_START || spec->operand == BY_AGE_AT_END;
    for (int i = 0; i < 2; i++) {
        struct js *v = spec->kind == ATTR_DATE ? random_day(d)
                       : age                   ? js_integer(10 + roll(d, 80))
                       : dice_one_in(d, 3)     ? js_integer(roll(d, 30))
                                               : js_real(PICK(d, numbers));
        js_put(o, i ? "Extent" : "Value", v);
    }
    return o;
}

static struct js *random_text_filter(struct rng *d)
{
    static const char *const parts[] = {"a", "b", "%", "_", "a%b", "\xc3\xa9", "it's", "\\%", "", "k\\\\s"};
    struct js *o = js_object();
    char *op = xasprintf("%s%s", dice_one_in(d, 3) ? "!" : "", text_op_names[dice_roll(d, N_TEXT_OPS)]);
    js_put_str(o, "Op", op);
    js_put_str(o, "Text", PICK(d, parts));
    free(op);
    return o;
}

static struct js *random_choice(struct rng *d)
{
    struct js *o = js_object();
    js_put(o, "CodesetId", dice_one_in(d, 6) ? js_null() : js_integer(random_set_id(d)));
    js_put(o, "IsExclusion", js_boolean(dice_one_in(d, 3)));
    return o;
}

static struct js *random_attribute(struct rng *d, const struct attribute_spec *spec)
{
    switch (spec->kind) {
    case ATTR_INTEGER:
    case ATTR_DECIMAL:
    case ATTR_DATE:
        return random_range(d, spec);
    case ATTR_TEXT:
        return random_text_filter(d);
    case ATTR_LIST:
        return random_concepts(d, spec->operand == BY_GENDER ? 1 : 0);
    case ATTR_CHOICE:
        return random_choice(d);
    case ATTR_SET:
        return js_integer(random_set_id(d));
    default:
        return js_boolean(dice_one_in(d, 2));
    }
}

static void random_attributes(struct rng *d, const struct attribute_spec *specs, uint64_t one_in,
                              struct js *o)
{
    for (const struct attribute_spec *a = specs; a->key; a++)
        if (a->kind != ATTR_UNAVAILABLE && dice_one_in(d, one_in))
            js_put(o, a->key, random_attribute(d, a));
}

static struct js *random_adjustment(struct rng *d)
{
    struct js *o = js_object();
    js_put_str(o, "StartWith", dice_one_in(d, 3) ? "END_DATE" : "START_DATE");
    js_put_str(o, "EndWith", dice_one_in(d, 3) ? "START_DATE" : "END_DATE");
    js_put_int(o, "StartOffset", roll(d, 20) - 10);
    js_put_int(o, "EndOffset", roll(d, 20) - 5);
    return o;
}

static struct js *random_group(struct rng *d, const struct taste *taste, int depth);

static enum criterion_type random_type(struct rng *d, const struct taste *taste)
{
    if (dice_one_in(d, taste->favourite_in))
        return taste->favourite;
    if (dice_one_in(d, 3))
        return dice_one_in(d, 2) ? CRIT_CONDITION_OCCURRENCE : CRIT_DRUG_EXPOSURE;
    return (enum criterion_type)dice_roll(d, CRIT_PERSON);
}

static struct js *random_criterion(struct rng *d, const struct taste *taste, int depth)
{
    enum criterion_type t = random_type(d, taste);
    const struct criterion_spec *spec = &criterion_specs[t];
    struct js *body = js_object(), *o = js_object();
    if (spec->has_set && !dice_one_in(d, taste->no_set_in))
        js_put_int(body, "CodesetId", random_set_id(d));
    if (spec->source_key && dice_one_in(d, 8))
        js_put_int(body, spec->source_key, random_set_id(d));
    if (spec->has_first && dice_one_in(d, taste->first_in))
        js_put(body, "First", js_boolean(true));
    random_attributes(d, spec->attributes, taste->attribute_in, body);
    if (dice_one_in(d, taste->adjusted_in))
        js_put(body, "DateAdjustment", random_adjustment(d));
    if (!spec->has_set && dice_one_in(d, taste->period_in)) {
        struct js *period = js_object();
        js_put(period, "StartDate", dice_one_in(d, 3) ? js_null() : random_day(d));
        js_put(period, "EndDate", dice_one_in(d, 3) ? js_null() : random_day(d));
        js_put(body, "UserDefinedPeriod", period);
    }
    if (depth > 0 && dice_one_in(d, taste->nested_in))
        js_put(body, "CorrelatedCriteria", random_group(d, taste, depth_left(depth)));
    js_put(o, spec->key, body);
    return o;
}

static enum criterion_type type_of(const struct js *criterion)
{
    int t = 0;
    while (strcmp(criterion_specs[t].key, js_key(js_first(criterion))) != 0)
        t++;
    return (enum criterion_type)t;
}

static struct js *random_bound(struct rng *d, bool start)
{
    struct js *o = js_object();
    if (!dice_one_in(d, 3))
        js_put_int(o, "Days", roll(d, 2) * roll(d, 40));
    js_put_int(o, "Coeff", dice_one_in(d, 3) == start ? 1 : -1);
    return o;
}

static struct js *random_window(struct rng *d, const struct taste *taste)
{
    struct js *o = js_object();
    js_put(o, "Start", random_bound(d, true));
    js_put(o, "End", random_bound(d, false));
    if (dice_one_in(d, 2))
        js_put(o, "UseIndexEnd", js_boolean(dice_one_in(d, taste->anchor_in)));
    if (dice_one_in(d, 2))
        js_put(o, "UseEventEnd", js_boolean(dice_one_in(d, taste->anchor_in)));
    return o;
}

static struct js *random_occurrence(struct rng *d, const struct taste *taste, enum criterion_type t)
{
    struct js *o = js_object();
    enum count_column column = (enum count_column)dice_roll(d, N_COUNT_COLUMNS);
    for (int i = 0; i < 4 && !count_column_fits(column, t); i++)
        column = (enum count_column)dice_roll(d, N_COUNT_COLUMNS);
    js_put_int(o, "Type", roll(d, 3));
    js_put_int(o, "Count", roll(d, 2) * roll(d, 4));
    js_put(o, "IsDistinct", js_boolean(dice_one_in(d, taste->distinct_in)));
    if (count_column_fits(column, t) && !dice_one_in(d, 3))
        js_put_str(o, "CountColumn", count_column_names[column]);
    return o;
}

static struct js *random_correlated(struct rng *d, const struct taste *taste, int depth)
{
    struct js *o = js_object(), *criterion = random_criterion(d, taste, depth);
    js_put(o, "StartWindow", random_window(d, taste));
    if (dice_one_in(d, 5))
        js_put(o, "EndWindow", random_window(d, taste));
    js_put(o, "Occurrence", random_occurrence(d, taste, type_of(criterion)));
    js_put(o, "Criteria", criterion);
    if (dice_one_in(d, 6))
        js_put(o, "RestrictVisit", js_boolean(true));
    if (dice_one_in(d, 4))
        js_put(o, "IgnoreObservationPeriod", js_boolean(true));
    return o;
}

static struct js *random_group(struct rng *d, const struct taste *taste, int depth)
{
    static const char *const types[] = {"ALL", "ANY", "AT_LEAST", "AT_MOST", "all"};
    struct js *o = js_object(), *criteria = js_array(), *demographics = js_array(), *groups = js_array();
    for (int n = roll(d, 3); n > 0; n--)
        js_push(criteria, random_correlated(d, taste, depth));
    if (dice_one_in(d, 4)) {
        struct js *demographic = js_object();
        random_attributes(d, demographic_attributes, 4, demographic);
        js_push(demographics, demographic);
    }
    if (depth > 0 && dice_one_in(d, 4))
        js_push(groups, random_group(d, taste, depth_left(depth)));
    js_put_str(o, "Type", PICK(d, types));
    js_put_int(o, "Count", roll(d, 3));
    js_put(o, "CriteriaList", criteria);
    js_put(o, "DemographicCriteriaList", demographics);
    js_put(o, "Groups", groups);
    return o;
}

static struct js *random_set(struct rng *d, int32_t id)
{
    struct js *o = js_object(), *expression = js_object(), *items = js_array();
    for (int n = roll(d, 5); n > 0; n--) {
        struct js *item = js_object(), *concept = js_object();
        js_put_int(concept, "CONCEPT_ID", 1 + roll(d, N_CONCEPTS));
        js_put(item, "concept", concept);
        js_put(item, "isExcluded", js_boolean(dice_one_in(d, 5)));
        js_put(item, "includeDescendants", js_boolean(dice_one_in(d, 2)));
        js_put(item, "includeMapped", js_boolean(dice_one_in(d, 5)));
        js_push(items, item);
    }
    js_put(expression, "items", items);
    js_put_int(o, "id", id);
    js_put_str(o, "name", "set");
    js_put(o, "expression", expression);
    return o;
}

static struct js *random_limit(struct rng *d, bool all)
{
    static const char *const types[] = {"All", "First", "Last", "All", "all"};
    struct js *o = js_object();
    js_put_str(o, "Type", all ? "All" : PICK(d, types));
    return o;
}

static struct js *random_exit(struct rng *d)
{
    struct js *o = js_object(), *strategy = js_object();
    if (dice_one_in(d, 2)) {
        js_put_str(strategy, "DateField", dice_one_in(d, 2) ? "EndDate" : "StartDate");
        js_put_int(strategy, "Offset", roll(d, 30) - 5);
        js_put(o, "DateOffset", strategy);
        return o;
    }
    js_put_int(strategy, "DrugCodesetId", random_set_id(d));
    js_put_int(strategy, "GapDays", roll(d, 2) * roll(d, 15));
    js_put_int(strategy, "Offset", roll(d, 2) * roll(d, 10));
    if (dice_one_in(d, 3))
        js_put_int(strategy, "DaysSupplyOverride", roll(d, 10));
    js_put(o, "CustomEra", strategy);
    return o;
}

static struct js *random_criteria(struct rng *d, const struct taste *taste, int least, int most)
{
    struct js *list = js_array();
    for (int n = least + roll(d, most - least + 1); n > 0; n--)
        js_push(list, random_criterion(d, taste, 1));
    return list;
}

static struct js *random_primary(struct rng *d, const struct taste *taste, bool all_events)
{
    struct js *o = js_object(), *window = js_object();
    js_put_int(window, "PriorDays", dice_one_in(d, 3) ? roll(d, 20) : 0);
    js_put_int(window, "PostDays", dice_one_in(d, 6) ? roll(d, 20) : 0);
    js_put(o, "CriteriaList", random_criteria(d, taste, 1, dice_one_in(d, 3) ? 1 : 3));
    js_put(o, "ObservationWindow", window);
    js_put(o, "PrimaryCriteriaLimit", random_limit(d, all_events));
    return o;
}

static struct js *random_rules(struct rng *d, const struct taste *taste)
{
    struct js *list = js_array();
    for (int n = dice_one_in(d, 2) ? roll(d, 4) : 0; n > 0; n--) {
        struct js *rule = js_object();
        js_put_str(rule, "name", "rule");
        js_put(rule, "expression", random_group(d, taste, 2));
        js_push(list, rule);
    }
    return list;
}

struct js *random_cohort(struct rng *d, bool all_events)
{
    struct js *o = js_object(), *sets = js_array(), *collapse = js_object(), *censor = js_object();
    struct taste taste = random_taste(d);
    for (int32_t id = 0; id < N_SETS; id++)
        js_push(sets, random_set(d, id));
    js_put(o, "ConceptSets", sets);
    js_put(o, "PrimaryCriteria", random_primary(d, &taste, all_events));
    if (dice_one_in(d, 4))
        js_put(o, "AdditionalCriteria", random_group(d, &taste, 1));
    js_put(o, "QualifiedLimit", random_limit(d, all_events));
    js_put(o, "InclusionRules", random_rules(d, &taste));
    js_put(o, "ExpressionLimit", random_limit(d, all_events));
    if (dice_one_in(d, 2))
        js_put(o, "EndStrategy", random_exit(d));
    js_put(o, "CensoringCriteria", random_criteria(d, &taste, 0, dice_one_in(d, 4) ? 2 : 0));
    js_put_int(collapse, "EraPad", roll(d, 2) * roll(d, 20));
    js_put(o, "CollapseSettings", collapse);
    if (dice_one_in(d, 8))
        js_put(censor, "StartDate", random_day(d));
    if (dice_one_in(d, 8))
        js_put(censor, "EndDate", random_day(d));
    js_put(o, "CensorWindow", censor);
    return o;
}
