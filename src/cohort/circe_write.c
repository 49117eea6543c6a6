/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree back to Circe JSON, with the fields that ATLAS writes; parsing it again gives the same tree.
 */
#include <math.h>
#include <stdlib.h>

#include "base/date.h"
#include "cohort/cohort.h"
#include "cohort/tree.h"

static struct js *number(double v)
{
    bool whole = v == trunc(v) && fabs(v) < 1e15;
    return whole ? js_integer((int64_t)v) : js_real(v);
}

static struct js *day(int32_t v)
{
    char text[11];
    date_format(v, text);
    return js_string(text);
}

static bool between(enum range_op op)
{
    return op == OP_BT || op == OP_NOT_BT;
}

static struct js *write_number_range(const struct number_range *r)
{
    struct js *o = js_object();
    js_put(o, "Value", number(r->value));
    js_put_str(o, "Op", range_op_names[r->op]);
    if (between(r->op))
        js_put(o, "Extent", number(r->extent));
    return o;
}

static struct js *write_date_range(const struct date_range *r)
{
    struct js *o = js_object();
    js_put(o, "Value", day(r->value));
    js_put_str(o, "Op", range_op_names[r->op]);
    if (between(r->op))
        js_put(o, "Extent", day(r->extent));
    return o;
}

static struct js *write_text(const struct text_filter *f)
{
    struct js *o = js_object();
    char *op = xasprintf("%s%s", f->negated ? "!" : "", text_op_names[f->op]);
    js_put_str(o, "Text", f->text);
    js_put_str(o, "Op", op);
    free(op);
    return o;
}

static struct js *write_concept(int32_t id, const char *name)
{
    struct js *o = js_object();
    js_put_int(o, "CONCEPT_ID", id);
    if (*name)
        js_put_str(o, "CONCEPT_NAME", name);
    return o;
}

static struct js *write_list(const struct concept_list *l)
{
    struct js *a = js_array();
    for (size_t i = 0; i < l->n; i++)
        js_push(a, write_concept(l->items[i].id, l->items[i].name));
    return a;
}

static struct js *write_choice(const struct set_choice *c)
{
    struct js *o = js_object();
    js_put(o, "CodesetId", c->has_set ? js_integer(c->set) : js_null());
    js_put(o, "IsExclusion", js_boolean(c->exclusion));
    return o;
}

static void write_attribute(const struct attribute *a, struct js *o)
{
    const char *key = a->spec->key;
    switch (a->spec->kind) {
    case ATTR_INTEGER:
    case ATTR_DECIMAL:
        js_put(o, key, write_number_range(&a->number));
        break;
    case ATTR_DATE:
        js_put(o, key, write_date_range(&a->date));
        break;
    case ATTR_TEXT:
        js_put(o, key, write_text(&a->text));
        break;
    case ATTR_LIST:
        js_put(o, key, write_list(&a->list));
        if (a->list.exclude)
            js_put(o, a->spec[1].key, js_boolean(true));
        break;
    case ATTR_CHOICE:
        js_put(o, key, write_choice(&a->choice));
        break;
    case ATTR_SET:
        js_put_int(o, key, a->choice.set);
        break;
    case ATTR_FLAG:
        js_put(o, key, js_boolean(true));
        break;
    default:
        break;
    }
}

static struct js *write_group(const struct group *g);

static struct js *write_adjustment(const struct date_adjustment *a)
{
    struct js *o = js_object();
    js_put_str(o, "StartWith", a->start_with_end ? "END_DATE" : "START_DATE");
    js_put_int(o, "StartOffset", a->start_offset);
    js_put_str(o, "EndWith", a->end_with_start ? "START_DATE" : "END_DATE");
    js_put_int(o, "EndOffset", a->end_offset);
    return o;
}

static struct js *write_period(int32_t start, int32_t end)
{
    struct js *o = js_object();
    if (start != DATE_NONE)
        js_put(o, "StartDate", day(start));
    if (end != DATE_NONE)
        js_put(o, "EndDate", day(end));
    return o;
}

static struct js *write_criterion(const struct criterion *c)
{
    const struct criterion_spec *spec = &criterion_specs[c->type];
    struct js *body = js_object(), *o = js_object();
    if (c->has_set)
        js_put_int(body, "CodesetId", c->set);
    if (c->has_source_set)
        js_put_int(body, spec->source_key, c->source_set);
    if (c->first)
        js_put(body, "First", js_boolean(true));
    for (size_t i = 0; i < c->n_attributes; i++)
        write_attribute(&c->attributes[i], body);
    if (c->adjustment)
        js_put(body, "DateAdjustment", write_adjustment(c->adjustment));
    if (c->period)
        js_put(body, "UserDefinedPeriod", write_period(c->period->start, c->period->end));
    if (c->nested)
        js_put(body, "CorrelatedCriteria", write_group(c->nested));
    js_put(o, spec->key, body);
    return o;
}

static struct js *write_criteria(const struct criterion *c, size_t n)
{
    struct js *a = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(a, write_criterion(&c[i]));
    return a;
}

static struct js *write_bound(const struct window_bound *b)
{
    struct js *o = js_object();
    bool before = b->all ? b->before : b->days < 0;
    if (!b->all)
        js_put_int(o, "Days", b->days < 0 ? -(int64_t)b->days : b->days);
    js_put_int(o, "Coeff", before ? -1 : 1);
    return o;
}

static struct js *write_window(const struct window *w)
{
    struct js *o = js_object();
    js_put(o, "Start", write_bound(&w->start));
    js_put(o, "End", write_bound(&w->end));
    js_put(o, "UseIndexEnd", js_boolean(w->use_index_end));
    js_put(o, "UseEventEnd", js_boolean(w->use_event_end));
    return o;
}

static struct js *write_occurrence(const struct occurrence *x)
{
    struct js *o = js_object();
    js_put_int(o, "Type", x->type);
    js_put_int(o, "Count", x->count);
    js_put(o, "IsDistinct", js_boolean(x->distinct));
    if (x->distinct)
        js_put_str(o, "CountColumn", count_column_names[x->column]);
    return o;
}

static struct js *write_correlated(const struct correlated *c)
{
    struct js *o = js_object();
    js_put(o, "Criteria", write_criterion(&c->criterion));
    js_put(o, "StartWindow", write_window(&c->start_window));
    if (c->has_end_window)
        js_put(o, "EndWindow", write_window(&c->end_window));
    js_put(o, "Occurrence", write_occurrence(&c->occurrence));
    if (c->restrict_visit)
        js_put(o, "RestrictVisit", js_boolean(true));
    if (c->ignore_observation_period)
        js_put(o, "IgnoreObservationPeriod", js_boolean(true));
    return o;
}

static struct js *write_demographic(const struct demographic *d)
{
    struct js *o = js_object();
    for (size_t i = 0; i < d->n_attributes; i++)
        write_attribute(&d->attributes[i], o);
    return o;
}

static struct js *write_group(const struct group *g)
{
    static const char *const types[] = {"ALL", "ANY", "AT_LEAST", "AT_MOST"};
    struct js *o = js_object(), *criteria = js_array(), *demographics = js_array(), *groups = js_array();
    js_put_str(o, "Type", types[g->type]);
    if (g->type == GROUP_AT_LEAST || g->type == GROUP_AT_MOST)
        js_put_int(o, "Count", g->count);
    for (size_t i = 0; i < g->n_criteria; i++)
        js_push(criteria, write_correlated(&g->criteria[i]));
    for (size_t i = 0; i < g->n_demographics; i++)
        js_push(demographics, write_demographic(&g->demographics[i]));
    for (size_t i = 0; i < g->n_groups; i++)
        js_push(groups, write_group(&g->groups[i]));
    js_put(o, "CriteriaList", criteria);
    js_put(o, "DemographicCriteriaList", demographics);
    js_put(o, "Groups", groups);
    return o;
}

/* --- the expression --- */

static struct js *write_set(const struct concept_set *set)
{
    struct js *o = js_object(), *expression = js_object(), *items = js_array();
    for (size_t i = 0; i < set->n_items; i++) {
        const struct concept_item *k = &set->items[i];
        struct js *item = js_object();
        js_put(item, "concept", write_concept(k->id, k->name));
        js_put(item, "isExcluded", js_boolean(k->excluded));
        js_put(item, "includeDescendants", js_boolean(k->descendants));
        js_put(item, "includeMapped", js_boolean(k->mapped));
        js_push(items, item);
    }
    js_put_int(o, "id", set->id);
    js_put_str(o, "name", set->name);
    js_put(expression, "items", items);
    js_put(o, "expression", expression);
    return o;
}

static void put_limit(struct js *o, const char *key, enum limit limit)
{
    static const char *const names[] = {"All", "First", "Last"};
    struct js *v = js_object();
    js_put_str(v, "Type", names[limit]);
    js_put(o, key, v);
}

static struct js *write_primary(const struct cohort_definition *d)
{
    struct js *o = js_object(), *window = js_object();
    js_put(o, "CriteriaList", write_criteria(d->primary, d->n_primary));
    js_put_int(window, "PriorDays", d->prior_days);
    js_put_int(window, "PostDays", d->post_days);
    js_put(o, "ObservationWindow", window);
    put_limit(o, "PrimaryCriteriaLimit", d->primary_limit);
    return o;
}

static struct js *write_rules(const struct cohort_definition *d)
{
    struct js *a = js_array();
    for (size_t i = 0; i < d->n_rules; i++) {
        struct js *o = js_object();
        js_put_str(o, "name", d->rules[i].name);
        if (*d->rules[i].description)
            js_put_str(o, "description", d->rules[i].description);
        js_put(o, "expression", write_group(&d->rules[i].group));
        js_push(a, o);
    }
    return a;
}

static struct js *write_exit(const struct exit_strategy *x)
{
    struct js *o = js_object(), *v = js_object();
    if (x->type == END_OFFSET)
        js_put_str(v, "DateField", x->from_end ? "EndDate" : "StartDate");
    if (x->type == END_ERA) {
        js_put_int(v, "DrugCodesetId", x->drug_set);
        js_put_int(v, "GapDays", x->gap_days);
    }
    js_put_int(v, "Offset", x->offset);
    if (x->has_supply_override)
        js_put_int(v, "DaysSupplyOverride", x->supply_override);
    js_put(o, x->type == END_OFFSET ? "DateOffset" : "CustomEra", v);
    return o;
}

static bool beyond_circe(const struct cohort_definition *d)
{
    return d->as_of != DATE_NONE;
}

enum status cohort_to_circe(const struct cohort_definition *d, struct js **out, struct err *e)
{
    *out = NULL;
    if (beyond_circe(d))
        return err_set(e, ST_UNSUPPORTED,
                       "this cohort asks for persons on a day, whether observed or not (a Cohort Discovery "
                       "query); Circe cannot say that; use --as text");
    struct js *o = js_object(), *sets = js_array(), *collapse = js_object();
    if (*d->title)
        js_put_str(o, "Title", d->title);
    js_put_str(o, "cdmVersionRange", ">=5.0.0");
    js_put(o, "PrimaryCriteria", write_primary(d));
    if (d->has_additional)
        js_put(o, "AdditionalCriteria", write_group(&d->additional));
    for (size_t i = 0; i < d->n_sets; i++)
        js_push(sets, write_set(&d->sets[i]));
    js_put(o, "ConceptSets", sets);
    put_limit(o, "QualifiedLimit", d->qualified_limit);
    put_limit(o, "ExpressionLimit", d->expression_limit);
    js_put(o, "InclusionRules", write_rules(d));
    if (d->exit.type != END_OBSERVATION)
        js_put(o, "EndStrategy", write_exit(&d->exit));
    js_put(o, "CensoringCriteria", write_criteria(d->censoring, d->n_censoring));
    js_put_str(collapse, "CollapseType", "ERA");
    js_put_int(collapse, "EraPad", d->era_pad);
    js_put(o, "CollapseSettings", collapse);
    js_put(o, "CensorWindow", write_period(d->censor_start, d->censor_end));
    *out = o;
    return ST_OK;
}
