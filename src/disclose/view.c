/* SPDX-License-Identifier: Apache-2.0
 *
 * The checker's view: what became of every cell and why, those at risk first (docs/formats/checks.md). About
 * a quarter of rejected outputs lack context (OpenSAFELY, output-checking), so context comes before cells.
 */
#include <math.h>

#include "disclose/gate.h"
#include "disclose/release.h"
#include "disclose/texts.h"
#include "disclose/whole_group.h"

#define CHECKS_FORMAT "accord-checks-1"

/* A reason as judge.c and secure.c give it, the policy's rule behind it, and what it says to a checker. */
static const struct reason {
    const char *name, *rule, *meaning;
} reasons[] = {
    {"minimum count", "minimum", "fewer persons than the minimum, but not none"},
    {"minimum count with noise", "minimum", "with its noise the count would print as less than the minimum"},
    {"no cell key", NULL,
     "the count has no key to make its noise from: the analysis does not say who is in it"},
    {"zero not shown", "zero_shown", "the policy does not print zeros"},
    {"minimum denominator", "minimum_rate", "fewer persons than the minimum below the line"},
    {"minimum numerator", "minimum_rate", "fewer persons or events than the minimum above the line"},
    {"minimum complement", "minimum_rate", "all but a few of the persons are counted"},
    {"dominance unknown", "top1_share", "the largest contributions are not known"},
    {"all values equal", NULL, "the sum gives every person's value away"},
    {"dominance", "top2_share", "one or two persons make up most of the sum"},
    {"p-ratio", "p_ratio", "the second largest contributor could estimate the largest too well"},
    {"minimum persons for this quantile", "minimum_quantile", "too few persons for so extreme a quantile"},
    {"minimum persons on either side", "minimum_quantile",
     "fewer persons than the minimum below or above the value"},
    {"minimum persons in a level", "minimum_regression", "a level of the model has fewer persons than this"},
    {"minimum events in a level", "minimum_regression", "a level of the model has fewer events than this"},
    {"too many parameters", "parameter_share", "more parameters than this share of the persons"},
    {"perfect fit", NULL, "a correlation of one, or a model without error, gives every person's value away"},
    {"events or risk set of the step", "minimum_survival",
     "fewer events, or a smaller drop of the risk set, than the minimum since the last printed step"},
    {"inside a merged step", "minimum_survival",
     "the curve prints no step that ends here: the number would tell how few left before it"},
    {"observed extremes never leave", NULL, "a minimum or maximum is one person's value"},
    {"not estimated", NULL, "no rule hides it, but the analysis has no estimate to print"},
    {"too few degrees of freedom", "degrees_of_freedom", "so small a model tells of single persons"},
    {"a model that holds its training data", NULL, "kNN, SVM and Gaussian processes carry persons' rows"},
    {"leaves of too few persons", "minimum_model",
     "a leaf has fewer persons than this, or the model does not say"},
    {"fits its training data too closely", "model_gap",
     "it does better than this on the persons that it was trained on, or does not say"},
    {"a membership attack succeeds", "model_attack", "who was in the training data can be told"},
    {"a reason that rests on too few persons", "minimum_test",
     "fewer persons than this, or none, are in the model that has no estimate"},
    {"its levels were found in the data", "zero_shown",
     "a level that is listed is one that somebody has, and the policy prints no zeros"},
    {"too many places to hide which are zero", "zero_shown",
     "the policy prints no zeros, so every place of the table needs a cell"},
    {"could not be proven safe", NULL,
     "a hidden cell cannot be made uncertain enough whatever else is hidden: merge levels or drop a total"},
    {"beside another table with exact counts", "rounding",
     "the other table could give its hidden cells away: release one of them, give both their total as a "
     "level, or use a policy that rounds"},
    {"complementary", NULL, "hidden so that no other hidden cell can be worked out from sums"},
};

static const struct reason *reason_find(const char *name)
{
    for (size_t i = 0; name && i < sizeof reasons / sizeof *reasons; i++)
        if (strcmp(reasons[i].name, name) == 0)
            return &reasons[i];
    return NULL;
}

/* The limit that governs this type of output: of the minima the one that counts, else the policy's value. */
static void put_rule(struct js *j, const struct reason *r, const struct policy *p, const struct js *rules,
                     enum output_type type)
{
    if (!r)
        return;
    js_put_str(j, "meaning", r->meaning);
    if (!r->rule)
        return;
    js_put_str(j, "rule", r->rule);
    if (strncmp(r->rule, "minimum", 7) == 0)
        js_put_int(j, "limit", policy_minimum(p, type));
    else
        js_put(j, "limit", js_share(js_get(rules, r->rule)));
}

static const char *const mark_names[] = {[CELL_SHOWN] = "safe",
                                         [CELL_PRIMARY] = "primary",
                                         [CELL_SECONDARY] = "secondary",
                                         [CELL_ABSENT] = "absent"};

static const char *place_of(const struct result_table *t, const struct result_cell *c, struct arena *a)
{
    const char *place = "";
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        place = arena_printf(a, "%s%s%s", place, d ? ", " : "", t->dimensions[d].levels[c->at[d]].label);
    return place;
}

/* What the requester will see, as released_print writes it. */
static const char *seen(const struct verdict *v, struct arena *a)
{
    char value[32], lower[32], upper[32];
    if (v->mark != CELL_SHOWN)
        return v->mark == CELL_ABSENT ? "[x]" : "[c]";
    released_format(v->value, value);
    if (isnan(v->lower) || isnan(v->upper))
        return arena_strdup(a, value);
    released_format(v->lower, lower);
    released_format(v->upper, upper);
    return arena_printf(a, "%s (%s to %s)", value, lower, upper);
}

static const char *done_to(const struct policy *p, const struct result_table *t, const struct result_cell *c,
                           const struct verdict *v)
{
    if (v->mark != CELL_SHOWN)
        return v->mark == CELL_ABSENT ? "no estimate" : "hidden";
    if (t->type == OUTPUT_COUNT && p->rounding == ROUNDING_CELL_KEY && c->value != 0)
        return "noise";
    return v->value == c->value ? "printed" : "rounded";
}

static struct js *cell_view(const struct gate *g, const struct js *rules, uint32_t table, uint64_t i,
                            const char *flag, struct arena *a)
{
    const struct result_table *t = &g->result->tables[table];
    const struct result_cell *c = &t->cells[i];
    const struct verdict *v = &g->verdicts[table][i];
    struct js *j = js_object(), *at = js_array();
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        js_push(at, js_integer(c->at[d]));
    js_put_str(j, "table", t->name);
    js_put(j, "at", at);
    js_put_str(j, "place", place_of(t, c, a));
    js_put_int(j, "persons", c->persons);
    js_put(j, "value", js_number(c->value));
    js_put_str(j, "verdict", mark_names[v->mark]);
    if (v->mark != CELL_SHOWN)
        js_put_str(j, "reason", v->rule);
    put_rule(j, reason_find(v->rule), g->policy, rules, t->type);
    if (flag && v->mark == CELL_SHOWN)
        js_put_str(j, "flag", flag);
    js_put_str(j, "done", done_to(g->policy, t, c, v));
    js_put_str(j, "seen", seen(v, a));
    if (!isnan(v->surely_low) && !isnan(v->surely_high)) {
        js_put(j, "attacker_low", js_number(v->surely_low));
        js_put(j, "attacker_high", js_number(v->surely_high)); /* null = any */
    }
    return j;
}

static struct js *table_view(const struct gate *g, const struct js *rules, uint32_t index,
                             int64_t counts[N_MARKS])
{
    const struct result_table *t = &g->result->tables[index];
    struct js *j = js_object(), *dimensions = js_array();
    int64_t own[N_MARKS] = {0};
    for (uint64_t i = 0; i < t->n_cells; i++)
        own[g->verdicts[index][i].mark]++;
    js_put_str(j, "name", t->name);
    js_put_str(j, "title", t->title);
    js_put_str(j, "unit", t->unit);
    js_put_str(j, "type", output_type_name(t->type));
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        js_push(dimensions, js_string(t->dimensions[d].name));
    js_put(j, "dimensions", dimensions);
    for (int k = 0; k < N_MARKS; k++) {
        js_put_int(j, mark_names[k], own[k]);
        counts[k] += own[k];
    }
    if (g->withheld[index]) {
        js_put_str(j, "withheld", g->withheld[index]);
        put_rule(j, reason_find(g->withheld[index]), g->policy, rules, t->type);
    }
    js_put_int(j, "proven", g->proofs[index].demands);
    js_put_int(j, "linked_tables", g->proofs[index].tables);
    js_put_int(j, "solves", g->proofs[index].solves);
    return j;
}

static void push_text(struct js *list, const char *table, const char *text)
{
    const char *like = text ? text_like_data(text) : NULL;
    if (!like)
        return;
    struct js *j = js_object();
    js_put_str(j, "table", table);
    js_put_str(j, "text", text);
    js_put_str(j, "like", like);
    js_push(list, j);
}

/* Texts that look like data of a person, wherever they are. */
static struct js *texts_view(const struct result *r)
{
    struct js *list = js_array();
    push_text(list, "", r->title);
    for (uint32_t i = 0; i < r->n_tables; i++) {
        const struct result_table *t = &r->tables[i];
        push_text(list, t->name, t->title);
        push_text(list, t->name, t->unit);
        for (uint32_t d = 0; d < t->n_dimensions; d++) {
            push_text(list, t->name, t->dimensions[d].name);
            for (uint32_t l = 0; l < t->dimensions[d].n_levels; l++)
                push_text(list, t->name, t->dimensions[d].levels[l].label);
        }
    }
    return list;
}

struct js *gate_view(const struct gate *g, const struct js *context)
{
    static const enum cell_mark order[N_MARKS] = {CELL_PRIMARY, CELL_SECONDARY, CELL_SHOWN, CELL_ABSENT};
    struct js *j = js_object(), *tables = js_array(), *cells = js_array(), *rules = policy_to_json(g->policy);
    struct arena *a = arena_new();
    int64_t counts[N_MARKS] = {0};
    const char *const **flags = arena_array(a, g->result->n_tables, sizeof *flags);
    js_put_str(j, "format", CHECKS_FORMAT);
    js_put_str(j, "title", g->result->title);
    if (context)
        js_put(j, "context", js_copy(context));
    js_put(j, "policy", js_share(rules));
    for (uint32_t t = 0; t < g->result->n_tables; t++) {
        js_push(tables, table_view(g, rules, t, counts));
        flags[t] = whole_groups(&g->result->tables[t], a);
    }
    for (int k = 0; k < N_MARKS; k++)
        js_put_int(j, mark_names[k], counts[k]);
    js_put(j, "tables", tables);
    js_put(j, "texts", texts_view(g->result));
    for (int k = 0; k < N_MARKS; k++)
        for (uint32_t t = 0; t < g->result->n_tables; t++)
            for (uint64_t i = 0; i < g->result->tables[t].n_cells; i++)
                if (g->verdicts[t][i].mark == order[k])
                    js_push(cells, cell_view(g, rules, t, i, flags[t][i], a));
    js_put(j, "cells", cells);
    js_free(rules);
    arena_free(a);
    return j;
}
