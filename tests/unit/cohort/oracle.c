/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"

struct id_list {
    int64_t *at;
    size_t n, capacity;
};

struct oracle {
    const struct cohort_definition *d;
    const struct cdm *cdm;
    struct id_list *sets; /* resolved, in the order of d->sets */
    uint32_t person;
};

/* One event: dates as the criterion gives them, and the row it came from. */
struct event {
    int32_t start, end, sort;
    int64_t id, visit;
    const struct cdm_row *row;       /* NULL for observation periods and persons */
    const struct cdm_period *period; /* of an observation period */
    int32_t op_start, op_end;        /* of an index event */
    size_t number;                   /* of a primary event */
};
struct events {
    struct event *at;
    size_t n, capacity;
};

static void push(struct events *l, struct event e)
{
    GROW(l->at, l->n + 1, l->capacity);
    l->at[l->n++] = e;
}

/* --- concept sets --- */

static bool has_id(const struct id_list *l, int64_t id)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->at[i] == id)
            return true;
    return false;
}

static int by_id(const void *a, const void *b)
{
    int64_t p = *(const int64_t *)a, q = *(const int64_t *)b;
    return (p > q) - (p < q);
}

static bool sorted_has(const struct id_list *l, int64_t id)
{
    return l->n && bsearch(&id, l->at, l->n, sizeof id, by_id);
}

static void add_id(struct id_list *l, int64_t id)
{
    GROW(l->at, l->n + 1, l->capacity);
    l->at[l->n++] = id;
}

static const struct cdm_concept *find_concept(const struct cdm *c, int64_t id)
{
    for (size_t i = 0; i < c->n_concepts; i++)
        if (c->concepts[i].id == id)
            return &c->concepts[i];
    return NULL;
}

static void item_concepts(const struct cdm *c, const struct concept_item *item, bool literal,
                          struct id_list *out)
{
    struct id_list own = {0};
    if (literal || find_concept(c, item->id))
        add_id(&own, item->id);
    for (size_t i = 0; item->descendants && i < c->n_ancestors; i++) {
        if (c->ancestors[i].a != item->id)
            continue;
        const struct cdm_concept *k = find_concept(c, c->ancestors[i].b);
        if (k && !k->invalid)
            add_id(&own, k->id);
    }
    for (size_t i = 0; item->mapped && i < c->n_maps; i++)
        if (c->maps[i].b == item->id || has_id(&own, c->maps[i].b))
            add_id(out, c->maps[i].a);
    for (size_t i = 0; i < own.n; i++)
        add_id(out, own.at[i]);
    free(own.at);
}

static struct id_list resolve(const struct cdm *c, const struct concept_set *set)
{
    struct id_list in = {0}, out = {0}, result = {0};
    for (size_t i = 0; i < set->n_items; i++)
        item_concepts(c, &set->items[i], set->literal, set->items[i].excluded ? &out : &in);
    if (out.n)
        qsort(out.at, out.n, sizeof *out.at, by_id);
    if (in.n)
        qsort(in.at, in.n, sizeof *in.at, by_id);
    for (size_t i = 0; i < in.n; i++)
        if ((i == 0 || in.at[i] != in.at[i - 1]) && !sorted_has(&out, in.at[i]))
            add_id(&result, in.at[i]);
    free(in.at);
    free(out.at);
    return result;
}

static bool in_set(const struct oracle *o, int32_t set, int64_t id)
{
    for (size_t i = 0; i < o->d->n_sets; i++)
        if (o->d->sets[i].id == set)
            return id != NONE_I64 && sorted_has(&o->sets[i], id);
    return false;
}

/* --- attributes --- */

static bool in_range(const struct number_range *r, double v)
{
    if (isnan(v))
        return false;
    switch (r->op) {
    case OP_LT:
        return v < r->value;
    case OP_LTE:
        return v <= r->value;
    case OP_EQ:
        return v == r->value;
    case OP_NE:
        return v != r->value;
    case OP_GT:
        return v > r->value;
    case OP_GTE:
        return v >= r->value;
    case OP_BT:
        return v >= r->value && v <= r->extent;
    default:
        return !(v >= r->value && v <= r->extent);
    }
}

static size_t utf8_length(const char *s)
{
    size_t n = 1;
    while (((unsigned char)s[n] & 0xc0) == 0x80)
        n++;
    return n;
}

static bool like(const char *s, const char *pattern)
{
    if (!*pattern)
        return !*s;
    if (*pattern == '%') {
        for (;; s++) {
            if (like(s, pattern + 1))
                return true;
            if (!*s)
                return false;
        }
    }
    if (!*s)
        return false;
    if (*pattern == '_')
        return like(s + utf8_length(s), pattern + 1);
    if (*pattern == '\\' && pattern[1])
        pattern++;
    return *s == *pattern && like(s + 1, pattern + 1);
}

static bool text_passes(const struct text_filter *f, const char *s)
{
    if (!s)
        return false;
    bool before = f->op == TEXT_ENDS || f->op == TEXT_CONTAINS;
    bool after = f->op == TEXT_STARTS || f->op == TEXT_CONTAINS;
    char *pattern = xasprintf("%s%s%s", before ? "%" : "", f->text, after ? "%" : "");
    bool hit = like(s, pattern);
    free(pattern);
    return hit != f->negated;
}

static bool list_passes(const struct concept_list *l, int64_t id)
{
    if (id == NONE_I64)
        return false;
    for (size_t i = 0; i < l->n; i++)
        if (l->items[i].id == id)
            return !l->exclude;
    return l->exclude;
}

static bool choice_passes(const struct oracle *o, const struct set_choice *c, int64_t id)
{
    if (!c->has_set)
        return (id != NONE_I64) != c->exclusion;
    return id != NONE_I64 && in_set(o, c->set, id) != c->exclusion;
}

static double ratio(const struct event *e, enum store_column range)
{
    double by = e->row->v[range].d;
    double q = by == 0 ? (double)NAN : e->row->v[COL_VALUE_NUMBER].d / by;
    /* numeric division is exact to 16 digits and more: what is equal to 4 decimals there is equal here */
    double near = round(q * 10000) / 10000;
    return fabs(q - near) <= 1e-12 * fabs(q) ? near : q;
}

static bool abnormal(const struct cdm_row *r)
{
    double v = r->v[COL_VALUE_NUMBER].d;
    int64_t c = r->v[COL_VALUE_CONCEPT].i;
    return v < r->v[COL_RANGE_LOW].d || v > r->v[COL_RANGE_HIGH].d || c == 4155142 || c == 4155143;
}

static double column_number(enum store_table t, const struct cdm_row *r, enum store_column column)
{
    for (const struct cdm_column *m = cdm_files[t].columns; m->csv; m++)
        if (m->column == column && m->kind == 'f')
            return r->v[column].d;
    return r->v[column].i == NONE_I64 ? (double)NAN : (double)r->v[column].i;
}

static double number_of(const struct oracle *o, enum store_table t, const struct attribute *a,
                        const struct event *e)
{
    int64_t born = o->cdm->persons[o->person].birth_year;
    switch (a->spec->operand) {
    case BY_LENGTH:
        return e->end == NONE_I32 ? (double)NAN : (double)e->end - e->start;
    case BY_AGE_AT_START:
        return born == NONE_I64 ? (double)NAN : (double)(date_year(e->start) - born);
    case BY_AGE_AT_END:
        return born == NONE_I64 || e->end == NONE_I32 ? (double)NAN : (double)(date_year(e->end) - born);
    case BY_RATIO_LOW:
        return ratio(e, COL_RANGE_LOW);
    case BY_RATIO_HIGH:
        return ratio(e, COL_RANGE_HIGH);
    default:
        return column_number(t, e->row, a->spec->column);
    }
}

static int64_t concept_of(const struct oracle *o, const struct attribute *a, const struct event *e)
{
    const struct cdm_person *p = &o->cdm->persons[o->person];
    switch (a->spec->operand) {
    case BY_GENDER:
        return p->gender;
    case BY_RACE:
        return p->race;
    case BY_ETHNICITY:
        return p->ethnicity;
    case BY_PERIOD_TYPE:
        return e->period->type;
    default:
        return e->row->v[a->spec->column].i;
    }
}

static bool needs_person_row(const struct attribute *a)
{
    enum operand by = a->spec->operand;
    return by == BY_AGE_AT_START || by == BY_AGE_AT_END || by == BY_GENDER;
}

static bool date_passes(const struct attribute *a, const struct event *e)
{
    int32_t day = a->spec->operand == BY_END ? e->end : e->start;
    struct number_range r = {a->date.op, a->date.value, a->date.extent};
    return in_range(&r, day == NONE_I32 ? (double)NAN : (double)day);
}

static bool attribute_passes(const struct oracle *o, enum store_table t, const struct attribute *a,
                             const struct number_range *range, const struct event *e)
{
    if (needs_person_row(a) && !o->cdm->persons[o->person].in_person)
        return false;
    switch (a->spec->kind) {
    case ATTR_INTEGER:
    case ATTR_DECIMAL:
        return in_range(range, number_of(o, t, a, e));
    case ATTR_DATE:
        return date_passes(a, e);
    case ATTR_TEXT:
        return text_passes(&a->text, e->row->v[a->spec->column].s);
    case ATTR_LIST:
        return list_passes(&a->list, concept_of(o, a, e));
    case ATTR_CHOICE:
    case ATTR_SET:
        return choice_passes(o, &a->choice, concept_of(o, a, e));
    case ATTR_FLAG:
        return abnormal(e->row);
    default:
        return true;
    }
}

/* --- the events of a criterion --- */

static bool group_passes(struct oracle *o, const struct group *g, const struct event *index);

/* Beyond the calendar is its end. */
static int32_t in_calendar(int64_t day)
{
    return (int32_t)(day > DATE_MAX ? DATE_MAX : day < DATE_MIN ? DATE_MIN : day);
}

static void row_dates(enum end_rule rule, struct event *e)
{
    const union cdm_value *v = e->row->v;
    e->start = (int32_t)v[COL_START].i;
    int64_t end = v[COL_END].i;
    if (rule == END_NEXT_DAY || (rule != END_AS_IS && end == NONE_I64))
        end = in_calendar((int64_t)e->start + 1);
    if (rule == END_ELSE_SUPPLY_ELSE_NEXT_DAY && v[COL_END].i == NONE_I64 && v[COL_DAYS_SUPPLY].i != NONE_I64)
        end = in_calendar(e->start + v[COL_DAYS_SUPPLY].i);
    e->end = end == NONE_I64 ? NONE_I32 : (int32_t)end;
}

static void table_events(struct oracle *o, const struct criterion *c, struct events *out)
{
    const struct criterion_spec *spec = &criterion_specs[c->type];
    const struct cdm_table *t = &o->cdm->tables[spec->table];
    for (size_t i = t->first[o->person]; i < t->first[o->person + 1]; i++) {
        const struct cdm_row *r = &t->rows[i];
        struct event e = {.row = r, .id = r->v[COL_ID].i, .visit = r->v[COL_VISIT].i};
        if (c->has_set && !in_set(o, c->set, r->v[COL_CONCEPT].i))
            continue;
        if (c->has_source_set && !in_set(o, c->source_set, r->v[COL_SOURCE_CONCEPT].i))
            continue;
        row_dates(spec->end, &e);
        push(out, e);
    }
}

static void period_events(struct oracle *o, struct events *out)
{
    for (size_t i = 0; i < o->cdm->n_periods; i++) {
        const struct cdm_period *p = &o->cdm->periods[i];
        if (p->person == o->person)
            push(out, (struct event){
                          .start = p->start, .end = p->end, .id = p->id, .visit = NONE_I64, .period = p});
    }
}

static void keep_first(struct events *l)
{
    size_t best = 0;
    for (size_t i = 1; i < l->n; i++)
        if (l->at[i].start < l->at[best].start ||
            (l->at[i].start == l->at[best].start && l->at[i].id < l->at[best].id))
            best = i;
    if (l->n)
        l->at[0] = l->at[best];
    l->n = l->n > 0;
}

/* False where the adjusted event ends before it starts. */
static bool adjust(const struct criterion *c, struct event *e)
{
    const struct date_adjustment *a = c->adjustment;
    if (!a || c->type == CRIT_SPECIMEN)
        return true;
    bool death = c->type == CRIT_DEATH;
    int32_t start = a->start_with_end && !death ? e->end : e->start;
    int32_t end = a->end_with_start && !death ? e->start : e->end;
    if (start == NONE_I32 || end == NONE_I32)
        return false;
    e->start = in_calendar((int64_t)start + a->start_offset);
    e->end = in_calendar((int64_t)end + a->end_offset);
    return e->end >= e->start;
}

static bool contains(const struct event *e, int32_t day)
{
    return day == DATE_NONE || (e->start <= day && e->end != NONE_I32 && e->end >= day);
}

static bool event_passes(struct oracle *o, const struct criterion *c, struct event *e)
{
    if (!adjust(c, e))
        return false;
    for (size_t i = 0; i < c->n_attributes; i++)
        if (!attribute_passes(o, criterion_specs[c->type].table, &c->attributes[i],
                              criterion_range(c, &c->attributes[i]), e))
            return false;
    e->sort = e->start;
    if (!c->period)
        return true;
    if (!contains(e, c->period->start) || !contains(e, c->period->end))
        return false;
    e->start = c->period->start == DATE_NONE ? e->start : c->period->start;
    e->end = c->period->end == DATE_NONE ? e->end : c->period->end;
    return true;
}

static bool nested_passes(struct oracle *o, const struct group *g, struct event e)
{
    bool hit = false;
    for (size_t i = 0; !hit && i < o->cdm->n_periods; i++) {
        const struct cdm_period *p = &o->cdm->periods[i];
        if (p->person != o->person || e.start < p->start || e.start > p->end)
            continue;
        e.op_start = p->start;
        e.op_end = p->end;
        hit = group_passes(o, g, &e);
    }
    return hit;
}

static struct events criterion_events(struct oracle *o, const struct criterion *c)
{
    struct events all = {0}, kept = {0};
    if (c->type == CRIT_OBSERVATION_PERIOD)
        period_events(o, &all);
    else if (c->type == CRIT_PERSON && o->cdm->persons[o->person].in_person)
        push(&all, (struct event){.start = o->d->as_of, .end = o->d->as_of, .visit = NONE_I64});
    else if (c->type != CRIT_PERSON)
        table_events(o, c, &all);
    if (c->first)
        keep_first(&all);
    for (size_t i = 0; i < all.n; i++) {
        struct event e = all.at[i];
        if (event_passes(o, c, &e) && (!c->nested || nested_passes(o, c->nested, e)))
            push(&kept, e);
    }
    free(all.at);
    return kept;
}

/* --- groups --- */

/* A missing end (a visit without one) compares with nothing. */
static bool in_window(const struct window *w, const struct event *p, const struct event *a, bool ignore_op)
{
    int32_t day = w->use_event_end ? a->end : a->start;
    int32_t anchor = w->use_index_end ? p->end : p->start;
    const struct window_bound *b[2] = {&w->start, &w->end};
    for (int i = 0; i < 2; i++) {
        if (b[i]->all && ignore_op)
            continue;
        if (day == NONE_I32 || (!b[i]->all && anchor == NONE_I32))
            return false;
        int32_t limit = b[i]->all ? (b[i]->before ? p->op_start : p->op_end) : anchor + b[i]->days;
        if (i == 0 ? day < limit : day > limit)
            return false;
    }
    return true;
}

static bool correlates(const struct correlated *c, const struct event *p, const struct event *a)
{
    if (!c->ignore_observation_period && (a->start < p->op_start || a->start > p->op_end))
        return false;
    if (!in_window(&c->start_window, p, a, c->ignore_observation_period))
        return false;
    if (c->has_end_window && !in_window(&c->end_window, p, a, c->ignore_observation_period))
        return false;
    return !c->restrict_visit || (p->visit != NONE_I64 && a->visit == p->visit);
}

static bool count_value(const struct correlated *c, const struct event *a, double *out)
{
    enum store_table t = criterion_specs[c->criterion.type].table;
    switch (c->occurrence.column) {
    case COUNT_START_DATE:
        *out = a->start;
        return true;
    case COUNT_END_DATE:
        *out = a->end;
        return a->end != NONE_I32;
    case COUNT_DURATION:
        *out = (double)a->end - a->start;
        return a->end != NONE_I32;
    case COUNT_VISIT:
        *out = (double)a->visit;
        return a->visit != NONE_I64;
    case COUNT_DOMAIN_CONCEPT:
        if (a->period) {
            *out = (double)a->period->type;
            return a->period->type != NONE_I64;
        }
        *out = column_number(t, a->row, COL_CONCEPT);
        if (c->criterion.type == CRIT_DEATH && isnan(*out))
            *out = 0;
        return !isnan(*out);
    default:
        *out = column_number(t, a->row, count_column_of(c->occurrence.column, t));
        return !isnan(*out);
    }
}

static bool seen_before(const struct correlated *c, const struct events *l, const bool *hit, size_t i)
{
    double v, w;
    if (!count_value(c, &l->at[i], &v))
        return true;
    for (size_t j = 0; j < i; j++)
        if (hit[j] && count_value(c, &l->at[j], &w) && v == w)
            return true;
    return false;
}

static bool correlated_passes(struct oracle *o, const struct correlated *c, const struct event *p)
{
    struct events l = criterion_events(o, &c->criterion);
    bool *hit = xcalloc(l.n, sizeof *hit);
    int64_t n = 0;
    for (size_t i = 0; i < l.n; i++) {
        hit[i] = correlates(c, p, &l.at[i]);
        n += hit[i] && (!c->occurrence.distinct || !seen_before(c, &l, hit, i));
    }
    free(hit);
    free(l.at);
    int32_t wanted = c->occurrence.count;
    return c->occurrence.type == EXACTLY   ? n == wanted
           : c->occurrence.type == AT_MOST ? n <= wanted
                                           : n >= wanted;
}

static bool demographic_passes(struct oracle *o, const struct demographic *g, const struct event *p)
{
    if (!o->cdm->persons[o->person].in_person)
        return false;
    for (size_t i = 0; i < g->n_attributes; i++)
        if (!attribute_passes(o, STORE_N_TABLES, &g->attributes[i], &g->attributes[i].number, p))
            return false;
    return true;
}

static bool group_passes(struct oracle *o, const struct group *g, const struct event *index)
{
    int64_t hits = 0, children = (int64_t)group_size(g);
    for (size_t i = 0; i < g->n_criteria; i++)
        hits += correlated_passes(o, &g->criteria[i], index);
    for (size_t i = 0; i < g->n_demographics; i++)
        hits += demographic_passes(o, &g->demographics[i], index);
    for (size_t i = 0; i < g->n_groups; i++)
        hits += group_passes(o, &g->groups[i], index);
    if (children == 0)
        return true;
    switch (g->type) {
    case GROUP_ALL:
        return hits == children;
    case GROUP_ANY:
        return hits > 0;
    case GROUP_AT_LEAST:
        return hits >= g->count;
    default:
        return hits <= g->count;
    }
}

/* --- limits --- */

static int by_sort(const void *a, const void *b)
{
    const struct event *p = a, *q = b;
    if (p->sort != q->sort)
        return p->sort < q->sort ? -1 : 1;
    return (p->id > q->id) - (p->id < q->id);
}

static int by_sort_last(const void *a, const void *b)
{
    const struct event *p = a, *q = b;
    if (p->sort != q->sort)
        return p->sort > q->sort ? -1 : 1;
    return (p->id > q->id) - (p->id < q->id);
}

/* First or last by start date; of one day the lowest number. */
static void apply_limit(struct events *l, enum limit limit)
{
    if (limit == LIMIT_ALL || l->n < 2)
        return;
    size_t best = 0;
    for (size_t i = 1; i < l->n; i++) {
        const struct event *e = &l->at[i], *b = &l->at[best];
        bool before = limit == LIMIT_FIRST ? e->start < b->start : e->start > b->start;
        if (before || (e->start == b->start && e->number < b->number))
            best = i;
    }
    l->at[0] = l->at[best];
    l->n = 1;
}

static struct events primary_events(struct oracle *o)
{
    struct events out = {0};
    for (size_t c = 0; c < o->d->n_primary; c++) {
        struct events l = criterion_events(o, &o->d->primary[c]);
        for (size_t i = 0; i < l.n; i++) {
            struct event e = l.at[i];
            if (o->d->primary[c].type == CRIT_PERSON) {
                e.op_start = DATE_MIN;
                e.op_end = DATE_MAX;
                push(&out, e);
            }
            for (size_t p = 0; p < o->cdm->n_periods; p++) {
                const struct cdm_period *op = &o->cdm->periods[p];
                if (op->person != o->person || o->d->primary[c].type == CRIT_PERSON)
                    continue;
                e.op_start = op->start;
                e.op_end = op->end;
                if (e.start >= op->start && e.start <= op->end && op->start + o->d->prior_days <= e.start &&
                    e.start + o->d->post_days <= op->end)
                    push(&out, e);
            }
        }
        free(l.at);
    }
    if (out.n)
        qsort(out.at, out.n, sizeof *out.at, o->d->primary_limit == LIMIT_LAST ? by_sort_last : by_sort);
    for (size_t i = 0; i < out.n; i++)
        out.at[i].number = i;
    if (o->d->primary_limit != LIMIT_ALL && out.n > 1)
        out.n = 1;
    return out;
}

static void filter(struct oracle *o, struct events *l, const struct group *g)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        if (group_passes(o, g, &l->at[i]))
            l->at[n++] = l->at[i];
    l->n = n;
}

/* --- end dates --- */

struct span {
    int32_t start, end;
};

static int by_span(const void *a, const void *b)
{
    const struct span *p = a, *q = b;
    return (p->start > q->start) - (p->start < q->start);
}

/* Merges spans whose starts lie within the largest end so far; returns how many remain. */
static size_t merge(struct span *s, size_t n)
{
    size_t out = 0;
    if (n)
        qsort(s, n, sizeof *s, by_span);
    for (size_t i = 0; i < n; i++) {
        if (out && s[i].start <= s[out - 1].end)
            s[out - 1].end = s[i].end > s[out - 1].end ? s[i].end : s[out - 1].end;
        else
            s[out++] = s[i];
    }
    return out;
}

static void earlier(int32_t candidate, int32_t start, int32_t *end)
{
    if (candidate >= start && (*end == NONE_I32 || candidate < *end))
        *end = candidate;
}

static void era_ends(struct oracle *o, const struct event *e, int32_t *end)
{
    const struct exit_strategy *x = &o->d->exit;
    const struct cdm_table *t = &o->cdm->tables[STORE_DRUG];
    size_t first = t->first[o->person], n = 0, most = t->first[o->person + 1] - first;
    struct span *spans = xcalloc(most, sizeof *spans);
    for (size_t i = first; i < first + most; i++) {
        struct event exposure = {.row = &t->rows[i]};
        if (!in_set(o, x->drug_set, t->rows[i].v[COL_CONCEPT].i) &&
            !in_set(o, x->drug_set, t->rows[i].v[COL_SOURCE_CONCEPT].i))
            continue;
        row_dates(END_ELSE_SUPPLY_ELSE_NEXT_DAY, &exposure);
        if (x->has_supply_override)
            exposure.end = exposure.start + x->supply_override;
        spans[n++] = (struct span){exposure.start, exposure.end + x->offset + x->gap_days};
    }
    n = merge(spans, n);
    for (size_t i = 0; i < n; i++)
        if (spans[i].start <= e->start && e->start <= spans[i].end - x->gap_days)
            earlier(spans[i].end - x->gap_days, e->start, end);
    free(spans);
}

static void censoring_ends(struct oracle *o, const struct event *e, int32_t *end)
{
    for (size_t c = 0; c < o->d->n_censoring; c++) {
        struct events l = criterion_events(o, &o->d->censoring[c]);
        for (size_t i = 0; i < l.n; i++)
            if (l.at[i].start >= e->start && l.at[i].start <= e->op_end)
                earlier(l.at[i].start, e->start, end);
        free(l.at);
    }
}

static int32_t end_of(struct oracle *o, const struct event *e)
{
    const struct exit_strategy *x = &o->d->exit;
    int32_t end = NONE_I32, base = x->from_end ? e->end : e->start;
    if (x->type != END_OFFSET)
        earlier(e->op_end, e->start, &end);
    else if (base != NONE_I32)
        earlier(base + x->offset > e->op_end ? e->op_end : base + x->offset, e->start, &end);
    if (x->type == END_ERA)
        era_ends(o, e, &end);
    censoring_ends(o, e, &end);
    return end;
}

/* --- the whole --- */

static void step(struct oracle_rows *out, size_t i, const struct events *l)
{
    out->step_events[i] += l->n;
    out->step_persons[i] += l->n > 0;
}

static void emit(struct oracle *o, const struct events *l, struct oracle_rows *out, size_t *capacity)
{
    const struct cohort_definition *d = o->d;
    struct span *spans = xcalloc(l->n, sizeof *spans);
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        int32_t end = end_of(o, &l->at[i]);
        if (end != NONE_I32)
            spans[n++] = (struct span){l->at[i].start, end + d->era_pad};
    }
    n = merge(spans, n);
    for (size_t i = 0; i < n; i++) {
        struct oracle_row r = {o->person, spans[i].start, spans[i].end - d->era_pad};
        if (d->censor_start != DATE_NONE && r.start < d->censor_start)
            r.start = d->censor_start;
        if (d->censor_end != DATE_NONE && r.end > d->censor_end)
            r.end = d->censor_end;
        if ((d->censor_start != DATE_NONE || d->censor_end != DATE_NONE) && r.start > r.end)
            continue;
        GROW(out->at, out->n + 1, *capacity);
        out->at[out->n++] = r;
    }
    free(spans);
}

static void evaluate_person(struct oracle *o, struct oracle_rows *out, size_t *capacity)
{
    struct events l = primary_events(o);
    step(out, 0, &l);
    if (o->d->has_additional) {
        filter(o, &l, &o->d->additional);
        apply_limit(&l, o->d->qualified_limit);
    }
    step(out, 1, &l);
    for (size_t r = 0; r < o->d->n_rules; r++) {
        filter(o, &l, &o->d->rules[r].group);
        step(out, 2 + r, &l);
    }
    apply_limit(&l, o->d->expression_limit);
    emit(o, &l, out, capacity);
    free(l.at);
}

void oracle_evaluate(const struct cohort_definition *d, const struct cdm *c, struct oracle_rows *out)
{
    struct oracle o = {.d = d, .cdm = c};
    size_t capacity = 0;
    *out = (struct oracle_rows){.n_steps = 2 + d->n_rules};
    out->step_persons = xcalloc(out->n_steps, sizeof *out->step_persons);
    out->step_events = xcalloc(out->n_steps, sizeof *out->step_events);
    o.sets = xcalloc(d->n_sets, sizeof *o.sets);
    for (size_t i = 0; i < d->n_sets; i++)
        o.sets[i] = resolve(c, &d->sets[i]);
    for (o.person = 0; o.person < c->n_persons; o.person++)
        evaluate_person(&o, out, &capacity);
    for (size_t i = 0; i < d->n_sets; i++)
        free(o.sets[i].at);
    free(o.sets);
}

void oracle_rows_deinit(struct oracle_rows *r)
{
    free(r->at);
    free(r->step_persons);
    free(r->step_events);
}
