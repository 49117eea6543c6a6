/* SPDX-License-Identifier: Apache-2.0
 *
 * A definition in plain English: one sentence per step, for clinicians and committees.
 */
#include <math.h>
#include <stdlib.h>

#include "base/date.h"
#include "cohort/cohort.h"
#include "cohort/tree.h"

struct teller {
    const struct cohort_definition *d;
    struct buf *out;
};

static void indent(struct teller *t, int depth)
{
    for (int i = 0; i < depth; i++)
        buf_adds(t->out, "  ");
    buf_adds(t->out, "- ");
}

static const char *days(int32_t n)
{
    return n == 1 || n == -1 ? "day" : "days";
}

static void tell_day(struct teller *t, int32_t day)
{
    char text[11];
    date_format(day, text);
    buf_adds(t->out, text);
}

static void tell_number(struct teller *t, double v)
{
    char text[32];
    js_format_double(v, text);
    buf_adds(t->out, text);
}

static void tell_set(struct teller *t, int32_t id)
{
    const struct concept_set *set = definition_set_find(t->d, id);
    if (!set)
        buf_printf(t->out, "concept set %d (which the definition does not have: nothing is in it)", id);
    else if (*set->name)
        buf_printf(t->out, "'%s'", set->name);
    else if (set->n_items == 1)
        buf_printf(t->out, "concept %d", set->items[0].id);
    else
        buf_printf(t->out, "concept set %d", id);
}

/* --- attributes --- */

static void tell_range(struct teller *t, const struct attribute *a, const struct number_range *number)
{
    static const char *const words[] = {"below ", "at most ",  "",         "other than ",
                                        "above ", "at least ", "between ", "outside "};
    static const char *const date_words[] = {"before ", "on or before ", "on ",      "not on ",
                                             "after ",  "on or after ",  "between ", "outside "};
    bool date = a->spec->kind == ATTR_DATE;
    enum range_op op = date ? a->date.op : number->op;
    buf_printf(t->out, " %s", date ? date_words[op] : words[op]);
    if (date)
        tell_day(t, a->date.value);
    else
        tell_number(t, number->value);
    if (op != OP_BT && op != OP_NOT_BT)
        return;
    buf_adds(t->out, " and ");
    if (date)
        tell_day(t, a->date.extent);
    else
        tell_number(t, number->extent);
}

static void tell_list(struct teller *t, const struct concept_list *l)
{
    buf_adds(t->out, l->exclude ? " none of " : " ");
    for (size_t i = 0; i < l->n; i++) {
        buf_adds(t->out, i == 0 ? "" : i + 1 == l->n ? " or " : ", ");
        if (*l->items[i].name)
            buf_adds(t->out, l->items[i].name);
        else
            buf_printf(t->out, "concept %d", l->items[i].id);
    }
}

static void tell_choice(struct teller *t, const struct set_choice *c)
{
    if (!c->has_set) {
        buf_adds(t->out, c->exclusion ? " not recorded" : " recorded");
        return;
    }
    buf_adds(t->out, c->exclusion ? " not in " : " in ");
    tell_set(t, c->set);
}

static void tell_near(struct teller *t, const struct near_place *p)
{
    buf_addc(t->out, ' ');
    tell_number(t, p->metres);
    buf_adds(t->out, " metres of ");
    tell_number(t, p->latitude);
    buf_adds(t->out, ", ");
    tell_number(t, p->longitude);
}

static void tell_attribute(struct teller *t, const struct attribute *a, const struct number_range *range)
{
    static const char *const verbs[] = {"matching", "beginning with", "ending with", "containing"};
    buf_adds(t->out, a->spec->phrase);
    switch (a->spec->kind) {
    case ATTR_INTEGER:
    case ATTR_DECIMAL:
    case ATTR_DATE:
        tell_range(t, a, range);
        break;
    case ATTR_TEXT:
        buf_printf(t->out, "%s %s '%s'", a->text.negated ? " not" : "", verbs[a->text.op], a->text.text);
        break;
    case ATTR_LIST:
        tell_list(t, &a->list);
        break;
    case ATTR_CHOICE:
    case ATTR_SET:
        tell_choice(t, &a->choice);
        break;
    case ATTR_NEAR:
        tell_near(t, &a->near);
        break;
    default:
        break;
    }
}

/* --- criteria --- */

static void tell_group(struct teller *t, const struct group *g, int depth);

static void tell_adjustment(struct teller *t, const struct date_adjustment *a)
{
    buf_printf(t->out, ", taken to last from %d %s after its %s to %d %s after its %s", a->start_offset,
               days(a->start_offset), a->start_with_end ? "end" : "start", a->end_offset, days(a->end_offset),
               a->end_with_start ? "start" : "end");
}

static void tell_user_period(struct teller *t, const struct user_period *u)
{
    buf_adds(t->out, ", of which only");
    if (u->start != DATE_NONE) {
        buf_adds(t->out, " from ");
        tell_day(t, u->start);
    }
    if (u->end != DATE_NONE) {
        buf_adds(t->out, " until ");
        tell_day(t, u->end);
    }
    buf_adds(t->out, " counts (it must cover that)");
}

static void tell_criterion(struct teller *t, const struct criterion *c, int depth)
{
    const struct criterion_spec *spec = &criterion_specs[c->type];
    buf_printf(t->out, "%s%s", c->first ? "first ever " : "", spec->noun);
    if (c->has_set) {
        buf_adds(t->out, " of ");
        tell_set(t, c->set);
    }
    if (c->has_source_set) {
        buf_adds(t->out, " recorded with a source concept in ");
        tell_set(t, c->source_set);
    }
    for (size_t i = 0; i < c->n_attributes; i++) {
        buf_adds(t->out, i ? ", " : " with ");
        tell_attribute(t, &c->attributes[i], criterion_range(c, &c->attributes[i]));
    }
    if (c->adjustment)
        tell_adjustment(t, c->adjustment);
    if (c->period)
        tell_user_period(t, c->period);
    if (c->nested) {
        buf_adds(t->out, ", which itself has ");
        tell_group(t, c->nested, depth);
    }
}

static void tell_bound(struct teller *t, const struct window_bound *b, bool ignore_op)
{
    if (b->all && ignore_op)
        buf_adds(t->out, b->before ? "any time before" : "any time after");
    else if (b->all)
        buf_printf(t->out, "the %s of observation", b->before ? "start" : "end");
    else if (b->days == 0)
        buf_adds(t->out, "the day of");
    else
        buf_printf(t->out, "%d %s %s", abs(b->days), days(b->days), b->days < 0 ? "before" : "after");
}

static void tell_window(struct teller *t, const struct window *w, bool ignore_op)
{
    buf_adds(t->out, w->use_event_end ? " ending between " : " starting between ");
    tell_bound(t, &w->start, ignore_op);
    buf_adds(t->out, " and ");
    tell_bound(t, &w->end, ignore_op);
    buf_printf(t->out, " (counted from the %s of the index event)", w->use_index_end ? "end" : "start");
}

static void tell_column(struct teller *t, enum count_column c)
{
    for (const char *p = count_column_names[c]; *p; p++)
        buf_addc(t->out, *p == '_' ? ' ' : (char)(*p + ('a' - 'A')));
}

static void tell_correlated(struct teller *t, const struct correlated *c, int depth)
{
    static const char *const words[] = {"exactly", "at most", "at least"};
    const struct occurrence *o = &c->occurrence;
    if (o->type != AT_LEAST && o->count == 0)
        buf_adds(t->out, "no ");
    else
        buf_printf(t->out, "%s %d ", words[o->type], o->count);
    if (o->distinct) {
        buf_adds(t->out, "(counting each ");
        tell_column(t, o->column);
        buf_adds(t->out, " once) ");
    }
    tell_criterion(t, &c->criterion, depth);
    tell_window(t, &c->start_window, c->ignore_observation_period);
    if (c->has_end_window) {
        buf_adds(t->out, " and");
        tell_window(t, &c->end_window, c->ignore_observation_period);
    }
    buf_adds(t->out, c->restrict_visit ? ", in the same visit" : "");
    buf_adds(t->out, c->ignore_observation_period ? ", observed at that time or not" : "");
}

static void tell_demographic(struct teller *t, const struct demographic *d)
{
    buf_adds(t->out, d->n_attributes ? "a person with " : "a person with a PERSON row");
    for (size_t i = 0; i < d->n_attributes; i++) {
        buf_adds(t->out, i ? ", " : "");
        tell_attribute(t, &d->attributes[i], &d->attributes[i].number);
    }
}

static void tell_group(struct teller *t, const struct group *g, int depth)
{
    static const char *const words[] = {"all of", "any of", "at least", "at most"};
    if (group_size(g) == 0) {
        buf_adds(t->out, "no conditions: every event passes\n");
        return;
    }
    buf_adds(t->out, words[g->type]);
    if (g->type == GROUP_AT_LEAST || g->type == GROUP_AT_MOST)
        buf_printf(t->out, " %d of", g->count);
    buf_adds(t->out, ":\n");
    for (size_t i = 0; i < g->n_criteria; i++) {
        indent(t, depth + 1);
        tell_correlated(t, &g->criteria[i], depth + 1);
        if (!g->criteria[i].criterion.nested || t->out->p[t->out->n - 1] != '\n')
            buf_addc(t->out, '\n');
    }
    for (size_t i = 0; i < g->n_demographics; i++) {
        indent(t, depth + 1);
        tell_demographic(t, &g->demographics[i]);
        buf_addc(t->out, '\n');
    }
    for (size_t i = 0; i < g->n_groups; i++) {
        indent(t, depth + 1);
        tell_group(t, &g->groups[i], depth + 1);
    }
}

/* --- the whole --- */

static void tell_limit(struct teller *t, enum limit limit, const char *of)
{
    if (limit != LIMIT_ALL)
        buf_printf(t->out, "Of %s only the %s per person is kept.\n", of,
                   limit == LIMIT_FIRST ? "earliest" : "latest");
}

static void tell_criteria(struct teller *t, const struct criterion *c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        indent(t, 0);
        tell_criterion(t, &c[i], 0);
        if (t->out->p[t->out->n - 1] != '\n')
            buf_addc(t->out, '\n');
    }
}

static void tell_entry(struct teller *t)
{
    const struct cohort_definition *d = t->d;
    if (d->as_of != DATE_NONE) {
        buf_adds(t->out, "Persons are looked at on ");
        tell_day(t, d->as_of);
        buf_adds(t->out, ", whether observed or not.\n");
        return;
    }
    buf_printf(t->out, "A person enters the cohort with %s:\n",
               d->n_primary > 1 ? "any of these events" : "this event");
    tell_criteria(t, d->primary, d->n_primary);
    buf_adds(t->out, "The event must lie within a period of observation");
    if (d->prior_days)
        buf_printf(t->out, ", at least %d %s after its start", d->prior_days, days(d->prior_days));
    if (d->post_days)
        buf_printf(t->out, ", at least %d %s before its end", d->post_days, days(d->post_days));
    buf_adds(t->out, ".\n");
    tell_limit(t, d->primary_limit, "these events");
}

static void tell_rules(struct teller *t)
{
    const struct cohort_definition *d = t->d;
    if (d->has_additional) {
        buf_adds(t->out, "\nThe event must also have ");
        tell_group(t, &d->additional, 0);
        tell_limit(t, d->qualified_limit, "the events that do");
    }
    for (size_t i = 0; i < d->n_rules; i++) {
        buf_printf(t->out, "\nInclusion rule %zu", i + 1);
        if (*d->rules[i].name)
            buf_printf(t->out, ", '%s'", d->rules[i].name);
        buf_adds(t->out, ": the event must have ");
        tell_group(t, &d->rules[i].group, 0);
    }
    if (d->as_of == DATE_NONE)
        tell_limit(t, d->expression_limit, "the events that pass");
}

static void tell_exit(struct teller *t)
{
    const struct cohort_definition *d = t->d;
    const struct exit_strategy *x = &d->exit;
    buf_adds(t->out, "\nThe person leaves the cohort ");
    if (x->type == END_OFFSET)
        buf_printf(t->out, "%d %s after the %s of the event, at the latest when observation ends", x->offset,
                   days(x->offset), x->from_end ? "end" : "start");
    else
        buf_adds(t->out, "when observation ends");
    if (x->type == END_ERA) {
        buf_adds(t->out, ", or when treatment ends: exposures to ");
        tell_set(t, x->drug_set);
        buf_printf(t->out, " with gaps of at most %d %s, extended by %d %s", x->gap_days, days(x->gap_days),
                   x->offset, days(x->offset));
    }
    buf_adds(t->out, ".\n");
    if (d->n_censoring) {
        buf_adds(t->out, "The person leaves earlier at the first of:\n");
        tell_criteria(t, d->censoring, d->n_censoring);
    }
}

void cohort_describe(const struct cohort_definition *d, struct buf *out)
{
    struct teller t = {d, out};
    if (*d->title)
        buf_printf(out, "%s\n\n", d->title);
    tell_entry(&t);
    tell_rules(&t);
    if (d->as_of != DATE_NONE)
        return;
    tell_exit(&t);
    if (d->era_pad)
        buf_printf(out, "Stays of one person that lie at most %d %s apart count as one.\n", d->era_pad,
                   days(d->era_pad));
    if (d->censor_start != DATE_NONE) {
        buf_adds(out, "Time before ");
        tell_day(&t, d->censor_start);
        buf_adds(out, " does not count.\n");
    }
    if (d->censor_end != DATE_NONE) {
        buf_adds(out, "Time after ");
        tell_day(&t, d->censor_end);
        buf_adds(out, " does not count.\n");
    }
}
