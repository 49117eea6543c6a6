/* SPDX-License-Identifier: Apache-2.0
 *
 * The text form to the tree: a hand-written scanner and recursive descent. An error points at the character:
 * line and column in the text, the line with a caret in the detail.
 */
#include <math.h>
#include <stdlib.h>

#include "base/date.h"
#include "cohort/circe_fields.h"
#include "cohort/cohort.h"
#include "cohort/text_form.h"
#include "cohort/text_scan.h"

enum { MOST_DEPTH = 64 };

#define TRY(call)                                                                                            \
    do {                                                                                                     \
        enum status try_ = (call);                                                                           \
        if (try_ != ST_OK)                                                                                   \
            return try_;                                                                                     \
    } while (0)

/* A growing list in the arena: doubles by copying, so nothing has to be freed on the way out of an error. */
static void *grow(struct scanner *s, void *items, size_t n, size_t size)
{
    if (n & (n - 1)) /* room up to the next power of two */
        return items;
    char *bigger = arena_array(s->arena, n ? n * 2 : 1, size);
    if (n)
        memcpy(bigger, items, n * size);
    return bigger;
}
#define PUSH(s, items, n) ((items) = grow((s), (items), (n), sizeof *(items)), &(items)[(n)++])

/* set 3 "name": the name is optional, but must be that of the set. */
static enum status parse_set_id(struct scanner *s, int32_t *out)
{
    const char *name, *p;
    TRY(scan_need(s, "set"));
    TRY(scan_int(s, out));
    p = s->token.p;
    TRY(scan_optional_text(s, &name));
    const struct concept_set *set = definition_set_find(s->d, *out);
    if (*name && (!set || strcmp(set->name, name) != 0))
        return scan_fault(s, p, "set %d has another name", *out);
    return ST_OK;
}

/* --- attributes --- */

static enum status parse_op(struct scanner *s, enum range_op *out)
{
    static const char *const signs[] = {"<", "<=", "=", "!=", ">", ">="};
    if (scan_take(s, "not")) {
        *out = OP_NOT_BT;
        return scan_need(s, "between");
    }
    *out = OP_BT;
    if (scan_take(s, "between"))
        return ST_OK;
    for (int i = 0; i < 6; i++)
        if (scan_take(s, signs[i])) {
            *out = (enum range_op)i;
            return ST_OK;
        }
    return s->failed ? ST_INVALID : scan_expected(s, "one of < <= = != > >= between");
}

static enum status parse_range(struct scanner *s, struct attribute *a)
{
    enum range_op op;
    TRY(parse_op(s, &op));
    bool two = op == OP_BT || op == OP_NOT_BT;
    if (a->spec->kind == ATTR_DATE) {
        a->date.op = op;
        TRY(scan_day(s, &a->date.value));
        if (two)
            TRY(scan_need(s, "and"));
        return two ? scan_day(s, &a->date.extent) : ST_OK;
    }
    a->number.op = op;
    TRY(scan_number_value(s, &a->number.value));
    if (two) {
        TRY(scan_need(s, "and"));
        TRY(scan_number_value(s, &a->number.extent));
    }
    bool whole = a->spec->kind == ATTR_INTEGER;
    a->number.value = whole ? trunc(a->number.value) : round_decimal(a->number.value);
    a->number.extent = whole ? trunc(a->number.extent) : round_decimal(a->number.extent);
    return ST_OK;
}

static enum status parse_text(struct scanner *s, struct text_filter *f)
{
    static const char *const verbs[] = {"like", "starts", "ends", "contains"};
    f->negated = scan_take(s, "not");
    for (int i = 0; i < N_TEXT_OPS; i++)
        if (scan_take(s, verbs[i])) {
            f->op = (enum text_op)i;
            TRY(scan_text(s, &f->text));
            text_filter_make(f, s->arena);
            return ST_OK;
        }
    return s->failed ? ST_INVALID : scan_expected(s, "like, starts, ends or contains");
}

static enum status parse_list(struct scanner *s, struct attribute *a)
{
    struct concept_list *l = &a->list;
    bool has_exclude = a->spec[1].key && a->spec[1].kind == ATTR_LIST_FLAG;
    l->exclude = has_exclude && scan_take(s, "not");
    TRY(scan_need(s, "in"));
    TRY(scan_need(s, "("));
    do {
        struct concept_ref *c = PUSH(s, l->items, l->n);
        TRY(scan_int(s, &c->id));
        TRY(scan_optional_text(s, &c->name));
    } while (scan_take(s, ","));
    return scan_need(s, ")");
}

static enum status parse_choice(struct scanner *s, struct attribute *a)
{
    struct set_choice *c = &a->choice;
    bool only_set = a->spec->kind == ATTR_SET;
    if (!only_set && scan_take(s, "is")) {
        c->exclusion = scan_is(s, "unknown");
        return c->exclusion ? scan_next(s) : scan_need(s, "known");
    }
    c->exclusion = !only_set && scan_take(s, "not");
    c->has_set = true;
    TRY(scan_need(s, "in"));
    return parse_set_id(s, &c->set);
}

static enum status parse_near(struct scanner *s, struct near_place *p)
{
    TRY(scan_number_value(s, &p->latitude));
    TRY(scan_number_value(s, &p->longitude));
    TRY(scan_need(s, "within"));
    return scan_number_value(s, &p->metres);
}

static const struct attribute_spec *find_attribute(const struct attribute_spec *specs, const char *word)
{
    char name[TEXT_FORM_WORD];
    if (specs == demographic_attributes && strcmp(word, "near") == 0)
        return &near_attribute;
    for (; specs->key; specs++) {
        text_form_word(specs->key, name);
        bool own =
            specs->kind != ATTR_IGNORED && specs->kind != ATTR_LIST_FLAG && specs->kind != ATTR_UNAVAILABLE;
        if (own && strcmp(name, word) == 0)
            return specs;
    }
    return NULL;
}

static enum status unknown_attribute(struct scanner *s, const struct attribute_spec *specs)
{
    char words[64][TEXT_FORM_WORD];
    const char *names[64];
    size_t n = 0;
    for (; specs->key && n < 64; specs++) {
        text_form_word(specs->key, words[n]);
        names[n] = words[n];
        n++;
    }
    const char *near = s->token.kind == T_WORD ? text_nearest(s->token.text, names, n) : NULL;
    return near ? scan_fault(s, s->token.p, "there is no such attribute here; did you mean '%s'?", near)
                : scan_expected(s, "an attribute such as age");
}

static enum status parse_attribute(struct scanner *s, const struct attribute_spec *specs, struct attribute *a)
{
    if (s->failed)
        return ST_INVALID;
    a->spec = s->token.kind == T_WORD ? find_attribute(specs, s->token.text) : NULL;
    if (!a->spec)
        return unknown_attribute(s, specs);
    TRY(scan_next(s));
    switch (a->spec->kind) {
    case ATTR_INTEGER:
    case ATTR_DECIMAL:
    case ATTR_DATE:
        return parse_range(s, a);
    case ATTR_TEXT:
        return parse_text(s, &a->text);
    case ATTR_LIST:
        return parse_list(s, a);
    case ATTR_FLAG:
        a->flag = true;
        return ST_OK;
    case ATTR_NEAR:
        return parse_near(s, &a->near);
    default:
        return parse_choice(s, a);
    }
}

static enum status parse_attributes(struct scanner *s, const struct attribute_spec *specs,
                                    struct attribute **out, size_t *n)
{
    if (!scan_take(s, "where"))
        return s->failed ? ST_INVALID : ST_OK;
    do
        TRY(parse_attribute(s, specs, PUSH(s, *out, *n)));
    while (scan_take(s, "and"));
    return s->failed ? ST_INVALID : ST_OK;
}

/* --- criteria --- */

static enum status parse_group(struct scanner *s, struct group *g);

static enum status parse_base(struct scanner *s, bool *end, int32_t *offset)
{
    *end = scan_take(s, "end");
    if (!*end)
        TRY(scan_need(s, "start"));
    return scan_int(s, offset);
}

static enum status parse_adjustment(struct scanner *s, struct criterion *c)
{
    struct date_adjustment *a = arena_alloc(s->arena, sizeof *a);
    bool end_with_end;
    c->adjustment = a;
    TRY(parse_base(s, &a->start_with_end, &a->start_offset));
    TRY(scan_need(s, "to"));
    TRY(parse_base(s, &end_with_end, &a->end_offset));
    a->end_with_start = !end_with_end;
    return ST_OK;
}

static enum status parse_user_period(struct scanner *s, struct criterion *c)
{
    struct user_period *u = arena_alloc(s->arena, sizeof *u);
    *u = (struct user_period){DATE_NONE, DATE_NONE};
    if (scan_take(s, "from"))
        TRY(scan_day(s, &u->start));
    if (scan_take(s, "until"))
        TRY(scan_day(s, &u->end));
    if (u->start != DATE_NONE || u->end != DATE_NONE)
        c->period = u;
    return s->failed ? ST_INVALID : ST_OK;
}

static enum status parse_type(struct scanner *s, enum criterion_type *out)
{
    const char *words[N_CRITERION_TYPES];
    for (int t = 0; t < N_CRITERION_TYPES; t++) {
        words[t] = criterion_specs[t].word;
        if (scan_take(s, words[t])) {
            *out = (enum criterion_type)t;
            return ST_OK;
        }
    }
    if (s->failed)
        return ST_INVALID;
    const char *near = s->token.kind == T_WORD ? text_nearest(s->token.text, words, N_CRITERION_TYPES) : NULL;
    return near ? scan_fault(s, s->token.p, "this is no kind of event; did you mean '%s'?", near)
                : scan_expected(s, "a kind of event such as condition");
}

static enum status parse_nested(struct scanner *s, struct criterion *c)
{
    struct group *g = arena_alloc(s->arena, sizeof *g);
    if (!scan_take(s, "having"))
        return s->failed ? ST_INVALID : ST_OK;
    TRY(parse_group(s, g));
    if (group_size(g))
        c->nested = g;
    return ST_OK;
}

static enum status parse_criterion(struct scanner *s, struct criterion *c)
{
    const char *p = s->token.p;
    TRY(parse_type(s, &c->type));
    const struct criterion_spec *spec = &criterion_specs[c->type];
    c->path = arena_printf(s->arena, "character %zu", (size_t)(p - s->begin) + 1);
    c->has_set = spec->has_set && scan_take(s, "in");
    if (c->has_set)
        TRY(parse_set_id(s, &c->set));
    c->has_source_set = spec->source_key && scan_take(s, "source");
    if (c->has_source_set) {
        TRY(scan_need(s, "in"));
        TRY(parse_set_id(s, &c->source_set));
    }
    c->first = spec->has_first && scan_take(s, "first");
    if (scan_take(s, "dates"))
        TRY(parse_adjustment(s, c));
    if (c->type == CRIT_OBSERVATION_PERIOD || c->type == CRIT_PAYER_PLAN)
        TRY(parse_user_period(s, c));
    TRY(parse_attributes(s, spec->attributes, &c->attributes, &c->n_attributes));
    return parse_nested(s, c);
}

static enum status parse_before(struct scanner *s, bool *before)
{
    *before = scan_take(s, "before");
    return *before || scan_take(s, "after") ? ST_OK
           : s->failed                      ? ST_INVALID
                                            : scan_expected(s, "'before' or 'after'");
}

static enum status parse_bound(struct scanner *s, struct window_bound *b)
{
    bool before;
    b->all = scan_take(s, "all");
    if (b->all)
        return parse_before(s, &b->before);
    const char *p = s->token.p;
    TRY(scan_int(s, &b->days));
    if (b->days < 0 || b->days > 4000000)
        return scan_fault(s, p, "expected a number of days from 0 to 4000000");
    TRY(scan_need(s, "days"));
    TRY(parse_before(s, &before));
    b->days = before ? -b->days : b->days;
    return ST_OK;
}

static enum status parse_window(struct scanner *s, struct window *w)
{
    w->use_event_end = scan_take(s, "ending");
    if (!w->use_event_end)
        TRY(scan_need(s, "starting"));
    TRY(parse_bound(s, &w->start));
    TRY(scan_need(s, "to"));
    TRY(parse_bound(s, &w->end));
    TRY(scan_need(s, "index"));
    w->use_index_end = scan_take(s, "end");
    return w->use_index_end ? ST_OK : scan_need(s, "start");
}

static enum status parse_column(struct scanner *s, enum count_column *out, const char **where)
{
    char name[TEXT_FORM_WORD];
    *where = s->token.p;
    for (int i = 0; i < N_COUNT_COLUMNS; i++) {
        text_form_column((enum count_column)i, name);
        if (scan_take(s, name)) {
            *out = (enum count_column)i;
            return scan_need(s, "of");
        }
    }
    return s->failed ? ST_INVALID : scan_expected(s, "what to count, such as start-date");
}

static enum status parse_correlated(struct scanner *s, enum occurrence_type type, int32_t count,
                                    struct correlated *c)
{
    const char *column = NULL;
    c->occurrence = (struct occurrence){.type = type, .count = count};
    c->occurrence.distinct = scan_take(s, "distinct");
    if (c->occurrence.distinct)
        TRY(parse_column(s, &c->occurrence.column, &column));
    TRY(parse_criterion(s, &c->criterion));
    if (column && !count_column_fits(c->occurrence.column, c->criterion.type))
        return scan_fault(s, column, "a %s has no such thing to count",
                          criterion_specs[c->criterion.type].noun);
    TRY(parse_window(s, &c->start_window));
    c->has_end_window = scan_take(s, "and");
    if (c->has_end_window)
        TRY(parse_window(s, &c->end_window));
    c->restrict_visit = scan_take(s, "same");
    if (c->restrict_visit)
        TRY(scan_need(s, "visit"));
    c->ignore_observation_period = scan_take(s, "observed");
    if (c->ignore_observation_period) {
        TRY(scan_need(s, "or"));
        TRY(scan_need(s, "not"));
    }
    return s->failed ? ST_INVALID : ST_OK;
}

/* --- groups --- */

static enum status parse_members(struct scanner *s, struct group *g);

static enum status parse_braces(struct scanner *s, struct group *g)
{
    if (++s->depth > MOST_DEPTH)
        return scan_fault(s, s->token.p, "groups are nested deeper than %d", MOST_DEPTH);
    TRY(scan_need(s, "of"));
    TRY(scan_need(s, "{"));
    TRY(parse_members(s, g));
    s->depth--;
    return scan_need(s, "}");
}

/* "at least 2" or "at most 2"; false where neither is next. */
static enum status parse_at(struct scanner *s, bool *least, int32_t *count)
{
    *least = scan_take(s, "least");
    if (!*least)
        TRY(scan_need(s, "most"));
    return scan_int(s, count);
}

static enum status parse_group(struct scanner *s, struct group *g)
{
    bool least;
    if (scan_take(s, "all"))
        g->type = GROUP_ALL;
    else if (scan_take(s, "any"))
        g->type = GROUP_ANY;
    else if (scan_take(s, "at")) {
        TRY(parse_at(s, &least, &g->count));
        g->type = least ? GROUP_AT_LEAST : GROUP_AT_MOST;
    } else
        return s->failed ? ST_INVALID : scan_expected(s, "'all of', 'any of', 'at least' or 'at most'");
    return parse_braces(s, g);
}

/* After "at least 2" a group goes on with "of", a criterion with what it counts. */
static enum status parse_counted(struct scanner *s, struct group *g)
{
    int32_t count;
    bool least;
    TRY(parse_at(s, &least, &count));
    if (!scan_is(s, "of"))
        return parse_correlated(s, least ? AT_LEAST : AT_MOST, count, PUSH(s, g->criteria, g->n_criteria));
    struct group *sub = PUSH(s, g->groups, g->n_groups);
    sub->type = least ? GROUP_AT_LEAST : GROUP_AT_MOST;
    sub->count = count;
    return parse_braces(s, sub);
}

static enum status parse_member(struct scanner *s, struct group *g)
{
    int32_t count;
    if (scan_take(s, "exactly")) {
        TRY(scan_int(s, &count));
        return parse_correlated(s, EXACTLY, count, PUSH(s, g->criteria, g->n_criteria));
    }
    if (scan_take(s, "at"))
        return parse_counted(s, g);
    if (scan_take(s, "person")) {
        struct demographic *d = PUSH(s, g->demographics, g->n_demographics);
        return parse_attributes(s, demographic_attributes, &d->attributes, &d->n_attributes);
    }
    if (scan_is(s, "all") || scan_is(s, "any"))
        return parse_group(s, PUSH(s, g->groups, g->n_groups));
    return s->failed ? ST_INVALID
                     : scan_expected(s, "'exactly', 'at least', 'at most', 'person', 'all of' or 'any of'");
}

static enum status parse_members(struct scanner *s, struct group *g)
{
    while (!s->failed && !scan_is(s, "}"))
        TRY(parse_member(s, g));
    return s->failed ? ST_INVALID : ST_OK;
}

/* --- statements --- */

static enum status parse_item(struct scanner *s, struct concept_set *set)
{
    struct concept_item *k = PUSH(s, set->items, set->n_items);
    k->excluded = scan_take(s, "not");
    TRY(scan_int(s, &k->id));
    while (scan_take(s, "+")) {
        k->mapped |= scan_is(s, "mapped");
        k->descendants |= scan_is(s, "descendants");
        if (!scan_is(s, "mapped"))
            TRY(scan_need(s, "descendants"));
        else
            TRY(scan_next(s));
    }
    return scan_optional_text(s, &k->name);
}

static enum status parse_concept_set(struct scanner *s, bool literal)
{
    struct cohort_definition *d = s->d;
    const char *p = s->token.p;
    int32_t id;
    TRY(scan_int(s, &id));
    if (definition_set_find(d, id))
        return scan_fault(s, p, "another concept set has the id %d already", id);
    struct concept_set *set = PUSH(s, d->sets, d->n_sets);
    *set = (struct concept_set){.id = id, .literal = literal};
    TRY(scan_optional_text(s, &set->name));
    TRY(scan_need(s, "{"));
    while (!s->failed && !scan_is(s, "}"))
        TRY(parse_item(s, set));
    return scan_need(s, "}");
}

static enum status parse_criteria(struct scanner *s, struct criterion **out, size_t *n)
{
    TRY(scan_need(s, "{"));
    while (!s->failed && !scan_is(s, "}"))
        TRY(parse_criterion(s, PUSH(s, *out, *n)));
    return scan_need(s, "}");
}

static enum status parse_limit(struct scanner *s)
{
    struct cohort_definition *d = s->d;
    static const char *const words[] = {"all", "first", "last"};
    enum limit *out = scan_take(s, "entry")       ? &d->primary_limit
                      : scan_take(s, "qualified") ? &d->qualified_limit
                      : scan_take(s, "events")    ? &d->expression_limit
                                                  : NULL;
    if (!out)
        return s->failed ? ST_INVALID : scan_expected(s, "'entry', 'qualified' or 'events'");
    for (int i = 0; i < 3; i++)
        if (scan_take(s, words[i])) {
            *out = (enum limit)i;
            return ST_OK;
        }
    return s->failed ? ST_INVALID : scan_expected(s, "'all', 'first' or 'last'");
}

static enum status parse_rule(struct scanner *s)
{
    struct inclusion_rule *r = PUSH(s, s->d->rules, s->d->n_rules);
    TRY(scan_text(s, &r->name));
    TRY(scan_optional_text(s, &r->description));
    return parse_group(s, &r->group);
}

static enum status parse_exit(struct scanner *s)
{
    struct exit_strategy *x = &s->d->exit;
    *x = (struct exit_strategy){0};
    if (scan_take(s, "drug-era")) {
        x->type = END_ERA;
        TRY(scan_need(s, "of"));
        TRY(parse_set_id(s, &x->drug_set));
        TRY(scan_need(s, "gap"));
        TRY(scan_int(s, &x->gap_days));
        TRY(scan_need(s, "offset"));
        TRY(scan_int(s, &x->offset));
        x->has_supply_override = scan_take(s, "supply");
        return x->has_supply_override ? scan_int(s, &x->supply_override) : s->failed ? ST_INVALID : ST_OK;
    }
    x->type = END_OFFSET;
    TRY(parse_base(s, &x->from_end, &x->offset));
    return scan_need(s, "days");
}

static enum status parse_observed(struct scanner *s)
{
    TRY(scan_int(s, &s->d->prior_days));
    TRY(scan_need(s, "days"));
    TRY(scan_need(s, "before"));
    TRY(scan_int(s, &s->d->post_days));
    TRY(scan_need(s, "days"));
    return scan_need(s, "after");
}

static enum status parse_no(struct scanner *s)
{
    bool earlier = scan_take(s, "earlier");
    if (!earlier)
        TRY(scan_need(s, "later"));
    TRY(scan_need(s, "than"));
    return scan_day(s, earlier ? &s->d->censor_start : &s->d->censor_end);
}

static enum status parse_statement(struct scanner *s)
{
    struct cohort_definition *d = s->d;
    if (scan_take(s, "on"))
        return scan_day(s, &d->as_of);
    if (scan_take(s, "literal")) {
        TRY(scan_need(s, "set"));
        return parse_concept_set(s, true);
    }
    if (scan_take(s, "set"))
        return parse_concept_set(s, false);
    if (scan_take(s, "entry"))
        return parse_criteria(s, &d->primary, &d->n_primary);
    if (scan_take(s, "observed"))
        return parse_observed(s);
    if (scan_take(s, "limit"))
        return parse_limit(s);
    if (scan_take(s, "require")) {
        d->has_additional = true;
        d->additional = (struct group){0};
        return parse_group(s, &d->additional);
    }
    if (scan_take(s, "rule"))
        return parse_rule(s);
    if (scan_take(s, "exit"))
        return parse_exit(s);
    if (scan_take(s, "censor"))
        return parse_criteria(s, &d->censoring, &d->n_censoring);
    if (scan_take(s, "pad")) {
        TRY(scan_int(s, &d->era_pad));
        return scan_need(s, "days");
    }
    if (scan_take(s, "no"))
        return parse_no(s);
    return s->failed
               ? ST_INVALID
               : scan_expected(s,
                               "a statement: set, entry, observed, limit, require, rule, exit, censor, pad "
                               "or no");
}

static enum status parse_cohort(struct scanner *s)
{
    TRY(scan_next(s));
    TRY(scan_need(s, "cohort"));
    TRY(scan_text(s, &s->d->title));
    while (!s->failed && s->token.kind != T_END)
        TRY(parse_statement(s));
    if (s->failed)
        return ST_INVALID;
    bool persons = false;
    for (size_t i = 0; i < s->d->n_primary; i++)
        persons |= s->d->primary[i].type == CRIT_PERSON;
    if (s->d->n_primary == 0)
        return scan_fault(s, s->token.p, "there is no 'entry' with at least one kind of event");
    if (persons && (s->d->n_primary > 1 || s->d->as_of == DATE_NONE))
        return scan_fault(s, s->token.p,
                          "an entry of 'person' stands alone and needs a day: 'on 2026-01-31'");
    return ST_OK;
}

enum status cohort_parse_text(struct slice text, const char *name, struct cohort_definition **out,
                              struct err *e)
{
    struct cohort_definition *d = xcalloc(1, sizeof *d);
    d->arena = arena_new();
    d->as_of = d->censor_start = d->censor_end = DATE_NONE;
    d->primary_limit = d->qualified_limit = d->expression_limit = LIMIT_ALL;
    d->title = "";
    struct scanner s = {.name = name, .begin = text.p, .at = text.p, .end = text.p + text.n, .e = e};
    s.arena = d->arena;
    s.d = d;
    enum status st = parse_cohort(&s);
    *out = st == ST_OK ? d : NULL;
    if (st != ST_OK)
        cohort_definition_free(d);
    return st;
}
