/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree to the text form (docs/cohort-language.md). Every part of the tree has one spelling, so text_parse
 * of what is written here gives the same tree.
 */
#include <ctype.h>
#include <math.h>

#include "base/date.h"
#include "cohort/cohort.h"
#include "cohort/text_form.h"

struct writer {
    const struct cohort_definition *d;
    struct buf *out;
    int indent;
};

static void line(struct writer *w)
{
    buf_addc(w->out, '\n');
    for (int i = 0; i < w->indent; i++)
        buf_adds(w->out, "  ");
}

void text_form_quote(const char *s, struct buf *out)
{
    buf_addc(out, '"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            buf_addc(out, '\\');
        if (*s == '\n')
            buf_adds(out, "\\n");
        else
            buf_addc(out, *s);
    }
    buf_addc(out, '"');
}

/* "ValueAsConceptCS" -> "value-as-concept-cs" */
void text_form_word(const char *key, char out[TEXT_FORM_WORD])
{
    size_t n = 0;
    for (size_t i = 0; key[i] && n + 2 < TEXT_FORM_WORD; i++) {
        bool capital = isupper((unsigned char)key[i]);
        if (capital && i > 0 && !isupper((unsigned char)key[i - 1]))
            out[n++] = '-';
        out[n++] = (char)tolower((unsigned char)key[i]);
    }
    out[n] = '\0';
}

void text_form_column(enum count_column c, char out[TEXT_FORM_WORD])
{
    size_t n = 0;
    for (const char *p = count_column_names[c]; *p; p++)
        out[n++] = *p == '_' ? '-' : (char)tolower((unsigned char)*p);
    out[n] = '\0';
}

static void write_day(struct writer *w, int32_t day)
{
    char text[11];
    date_format(day, text);
    buf_adds(w->out, text);
}

static void write_number(struct writer *w, double v)
{
    char text[32];
    js_format_double(v, text);
    buf_adds(w->out, text);
}

static void write_set_id(struct writer *w, int32_t id)
{
    const struct concept_set *set = definition_set_find(w->d, id);
    buf_printf(w->out, "set %d", id);
    if (set && *set->name) {
        buf_addc(w->out, ' ');
        text_form_quote(set->name, w->out);
    }
}

/* --- attributes --- */

static void write_range(struct writer *w, const struct attribute *a)
{
    static const char *const signs[] = {"<", "<=", "=", "!=", ">", ">=", "between", "not between"};
    bool date = a->spec->kind == ATTR_DATE;
    enum range_op op = date ? a->date.op : a->number.op;
    buf_printf(w->out, " %s ", signs[op]);
    if (date)
        write_day(w, a->date.value);
    else
        write_number(w, a->number.value);
    if (op != OP_BT && op != OP_NOT_BT)
        return;
    buf_adds(w->out, " and ");
    if (date)
        write_day(w, a->date.extent);
    else
        write_number(w, a->number.extent);
}

static void write_list(struct writer *w, const struct concept_list *l)
{
    buf_adds(w->out, l->exclude ? " not in (" : " in (");
    for (size_t i = 0; i < l->n; i++) {
        buf_printf(w->out, "%s%d", i ? ", " : "", l->items[i].id);
        if (*l->items[i].name) {
            buf_addc(w->out, ' ');
            text_form_quote(l->items[i].name, w->out);
        }
    }
    buf_addc(w->out, ')');
}

static void write_choice(struct writer *w, const struct set_choice *c)
{
    if (!c->has_set) {
        buf_adds(w->out, c->exclusion ? " is unknown" : " is known");
        return;
    }
    buf_adds(w->out, c->exclusion ? " not in " : " in ");
    write_set_id(w, c->set);
}

static void write_near(struct writer *w, const struct near_place *p)
{
    buf_addc(w->out, ' ');
    write_number(w, p->latitude);
    buf_addc(w->out, ' ');
    write_number(w, p->longitude);
    buf_adds(w->out, " within ");
    write_number(w, p->metres);
}

static void write_attribute(struct writer *w, const struct attribute *a)
{
    static const char *const verbs[] = {"like", "starts", "ends", "contains"};
    char word[TEXT_FORM_WORD];
    text_form_word(a->spec->key, word);
    buf_adds(w->out, word);
    switch (a->spec->kind) {
    case ATTR_INTEGER:
    case ATTR_DECIMAL:
    case ATTR_DATE:
        write_range(w, a);
        break;
    case ATTR_TEXT:
        buf_printf(w->out, " %s%s ", a->text.negated ? "not " : "", verbs[a->text.op]);
        text_form_quote(a->text.text, w->out);
        break;
    case ATTR_LIST:
        write_list(w, &a->list);
        break;
    case ATTR_CHOICE:
    case ATTR_SET:
        write_choice(w, &a->choice);
        break;
    case ATTR_NEAR:
        write_near(w, &a->near);
        break;
    default:
        break;
    }
}

static void write_attributes(struct writer *w, const struct attribute *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_adds(w->out, i ? " and " : " where ");
        write_attribute(w, &a[i]);
    }
}

/* --- criteria --- */

static void write_group(struct writer *w, const struct group *g);

static void write_adjustment(struct writer *w, const struct date_adjustment *a)
{
    buf_printf(w->out, " dates %s %+d to %s %+d", a->start_with_end ? "end" : "start", a->start_offset,
               a->end_with_start ? "start" : "end", a->end_offset);
}

static void write_user_period(struct writer *w, const struct user_period *u)
{
    if (u->start != DATE_NONE) {
        buf_adds(w->out, " from ");
        write_day(w, u->start);
    }
    if (u->end != DATE_NONE) {
        buf_adds(w->out, " until ");
        write_day(w, u->end);
    }
}

static void write_criterion(struct writer *w, const struct criterion *c)
{
    buf_adds(w->out, criterion_specs[c->type].word);
    if (c->has_set) {
        buf_adds(w->out, " in ");
        write_set_id(w, c->set);
    }
    if (c->has_source_set) {
        buf_adds(w->out, " source in ");
        write_set_id(w, c->source_set);
    }
    if (c->first)
        buf_adds(w->out, " first");
    if (c->adjustment)
        write_adjustment(w, c->adjustment);
    if (c->period)
        write_user_period(w, c->period);
    write_attributes(w, c->attributes, c->n_attributes);
    if (c->nested) {
        buf_adds(w->out, " having ");
        write_group(w, c->nested);
    }
}

static void write_bound(struct writer *w, const struct window_bound *b)
{
    if (b->all)
        buf_adds(w->out, b->before ? "all before" : "all after");
    else if (b->days < 0)
        buf_printf(w->out, "%d days before", -b->days);
    else
        buf_printf(w->out, "%d days after", b->days);
}

static void write_window(struct writer *w, const struct window *v)
{
    buf_adds(w->out, v->use_event_end ? " ending " : " starting ");
    write_bound(w, &v->start);
    buf_adds(w->out, " to ");
    write_bound(w, &v->end);
    buf_adds(w->out, v->use_index_end ? " index end" : " index start");
}

static void write_correlated(struct writer *w, const struct correlated *c)
{
    static const char *const words[] = {"exactly", "at most", "at least"};
    char column[TEXT_FORM_WORD];
    buf_printf(w->out, "%s %d ", words[c->occurrence.type], c->occurrence.count);
    if (c->occurrence.distinct) {
        text_form_column(c->occurrence.column, column);
        buf_printf(w->out, "distinct %s of ", column);
    }
    write_criterion(w, &c->criterion);
    write_window(w, &c->start_window);
    if (c->has_end_window) {
        buf_adds(w->out, " and");
        write_window(w, &c->end_window);
    }
    buf_adds(w->out, c->restrict_visit ? " same visit" : "");
    buf_adds(w->out, c->ignore_observation_period ? " observed or not" : "");
}

static void write_members(struct writer *w, const struct group *g)
{
    for (size_t i = 0; i < g->n_criteria; i++) {
        line(w);
        write_correlated(w, &g->criteria[i]);
    }
    for (size_t i = 0; i < g->n_demographics; i++) {
        line(w);
        buf_adds(w->out, "person");
        write_attributes(w, g->demographics[i].attributes, g->demographics[i].n_attributes);
    }
    for (size_t i = 0; i < g->n_groups; i++) {
        line(w);
        write_group(w, &g->groups[i]);
    }
}

static void write_group(struct writer *w, const struct group *g)
{
    static const char *const words[] = {"all", "any", "at least", "at most"};
    buf_adds(w->out, words[g->type]);
    if (g->type == GROUP_AT_LEAST || g->type == GROUP_AT_MOST)
        buf_printf(w->out, " %d", g->count);
    buf_adds(w->out, " of {");
    w->indent++;
    write_members(w, g);
    w->indent--;
    if (group_size(g))
        line(w);
    buf_addc(w->out, '}');
}

/* --- the whole --- */

static void write_concept_set(struct writer *w, const struct concept_set *set)
{
    buf_printf(w->out, "\n%sset %d ", set->literal ? "literal " : "", set->id);
    text_form_quote(set->name, w->out);
    buf_adds(w->out, " {");
    for (size_t i = 0; i < set->n_items; i++) {
        const struct concept_item *k = &set->items[i];
        buf_printf(w->out, "\n  %s%d%s%s", k->excluded ? "not " : "", k->id,
                   k->descendants ? " + descendants" : "", k->mapped ? " + mapped" : "");
        if (*k->name) {
            buf_addc(w->out, ' ');
            text_form_quote(k->name, w->out);
        }
    }
    buf_adds(w->out, set->n_items ? "\n}\n" : "}\n");
}

static void write_criteria(struct writer *w, const char *word, const struct criterion *c, size_t n)
{
    buf_printf(w->out, "\n%s {", word);
    w->indent = 1;
    for (size_t i = 0; i < n; i++) {
        line(w);
        write_criterion(w, &c[i]);
    }
    w->indent = 0;
    buf_adds(w->out, "\n}\n");
}

static void write_limit(struct writer *w, const char *of, enum limit limit)
{
    static const char *const words[] = {"all", "first", "last"};
    buf_printf(w->out, "limit %s %s\n", of, words[limit]);
}

static void write_exit(struct writer *w)
{
    const struct exit_strategy *x = &w->d->exit;
    if (x->type == END_OFFSET)
        buf_printf(w->out, "exit %s %+d days\n", x->from_end ? "end" : "start", x->offset);
    if (x->type != END_ERA)
        return;
    buf_adds(w->out, "exit drug-era of ");
    write_set_id(w, x->drug_set);
    buf_printf(w->out, " gap %d offset %d", x->gap_days, x->offset);
    if (x->has_supply_override)
        buf_printf(w->out, " supply %d", x->supply_override);
    buf_addc(w->out, '\n');
}

static void write_rules(struct writer *w)
{
    for (size_t i = 0; i < w->d->n_rules; i++) {
        const struct inclusion_rule *r = &w->d->rules[i];
        buf_adds(w->out, "\nrule ");
        text_form_quote(r->name, w->out);
        if (*r->description) {
            buf_addc(w->out, ' ');
            text_form_quote(r->description, w->out);
        }
        buf_addc(w->out, ' ');
        write_group(w, &r->group);
        buf_addc(w->out, '\n');
    }
}

static void write_censoring(struct writer *w)
{
    const struct cohort_definition *d = w->d;
    if (d->n_censoring)
        write_criteria(w, "censor", d->censoring, d->n_censoring);
    if (d->era_pad)
        buf_printf(w->out, "pad %d days\n", d->era_pad);
    if (d->censor_start != DATE_NONE) {
        buf_adds(w->out, "no earlier than ");
        write_day(w, d->censor_start);
        buf_addc(w->out, '\n');
    }
    if (d->censor_end != DATE_NONE) {
        buf_adds(w->out, "no later than ");
        write_day(w, d->censor_end);
        buf_addc(w->out, '\n');
    }
}

void cohort_format_text(const struct cohort_definition *d, struct buf *out)
{
    struct writer w = {.d = d, .out = out};
    buf_adds(out, "cohort ");
    text_form_quote(d->title, out);
    buf_addc(out, '\n');
    if (d->as_of != DATE_NONE) {
        buf_adds(out, "on ");
        write_day(&w, d->as_of);
        buf_addc(out, '\n');
    }
    for (size_t i = 0; i < d->n_sets; i++)
        write_concept_set(&w, &d->sets[i]);
    write_criteria(&w, "entry", d->primary, d->n_primary);
    if (d->prior_days || d->post_days)
        buf_printf(out, "observed %d days before %d days after\n", d->prior_days, d->post_days);
    write_limit(&w, "entry", d->primary_limit);
    if (d->has_additional) {
        buf_adds(out, "\nrequire ");
        write_group(&w, &d->additional);
        buf_addc(out, '\n');
    }
    write_limit(&w, "qualified", d->qualified_limit);
    write_rules(&w);
    write_limit(&w, "events", d->expression_limit);
    write_exit(&w);
    write_censoring(&w);
}
