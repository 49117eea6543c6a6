/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/gate.h"

#include <math.h>
#include <string.h>

static bool is_hidden(const struct verdict *v)
{
    return v->mark == CELL_PRIMARY || v->mark == CELL_SECONDARY;
}

static bool hides(const struct gate *g, uint32_t i)
{
    for (uint64_t k = 0; k < g->result->tables[i].n_cells; k++)
        if (is_hidden(&g->verdicts[i][k]))
            return true;
    return false;
}

static void withhold(struct gate *g, uint32_t i, const char *rule)
{
    g->withheld[i] = rule;
    for (uint64_t k = 0; k < g->result->tables[i].n_cells; k++)
        verdict_hide(&g->verdicts[i][k], CELL_PRIMARY, rule);
}

static bool counts_that_leave(const struct gate *g, uint32_t i)
{
    return !g->withheld[i] && g->result->tables[i].type == OUTPUT_COUNT;
}

/* Whether the table is one of counts that others can be laid beside. */
static bool links(const struct gate *g, uint32_t i)
{
    return !g->withheld[i] && secure_links(&g->result->tables[i]);
}

/* A dimension that both tables count over (not the steps of an attrition); NULL when there is none. */
static const char *shared_dimension(const struct result_table *a, const struct result_table *b)
{
    for (uint32_t i = 0; i < a->n_dimensions; i++)
        for (uint32_t k = 0; k < b->n_dimensions; k++)
            if (!a->dimensions[i].nested && strcmp(a->dimensions[i].name, b->dimensions[k].name) == 0)
                return a->dimensions[i].name;
    return NULL;
}

/* All that a table counts: its cells at levels that are part of nothing. */
static double grand_total(const struct result_table *t)
{
    double sum = 0;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        bool root = true;
        for (uint32_t d = 0; d < t->n_dimensions; d++)
            root &= t->dimensions[d].levels[t->cells[i].at[d]].parent < 0;
        sum += root ? t->cells[i].value : 0;
    }
    return sum;
}

/* Whether exact counts of the one could be further equations for what the other hides: they have a dimension
   or their sum in common, and were not secured as one system. */
static bool tells_of(const struct gate *g, uint32_t i, uint32_t k)
{
    const struct result_table *a = &g->result->tables[i], *b = &g->result->tables[k];
    if (g->system[i] == g->system[k] || !(hides(g, i) || hides(g, k)))
        return false;
    return shared_dimension(a, b) || (links(g, i) && links(g, k) && grand_total(a) == grand_total(b));
}

/* Tables of one population that share a dimension were secured as one system. Under a policy that prints
   exact counts any other two of which the one could give the other's hidden cells away do not leave together:
   that which hides some stays in, of two such the later. */
static void withhold_beside_others(struct gate *g)
{
    const struct result *r = g->result;
    for (uint32_t i = 0; g->policy->rounding == ROUNDING_NONE && i < r->n_tables; i++)
        for (uint32_t k = i + 1; k < r->n_tables; k++)
            if (counts_that_leave(g, i) && counts_that_leave(g, k) && tells_of(g, i, k))
                withhold(g, hides(g, k) ? k : i, "beside another table with exact counts");
}

/* What makes tables one system; each is tried where the one before does not hold together. */
enum link { LINK_TOTAL, LINK_DIMENSION, LINK_NONE };

/* By a dimension that they share; a count without dimensions is the total of any; tables of one sum are taken
   for those of the same persons, but the sum of many rounded cells tells nothing. */
static bool are_linked(const struct gate *g, uint32_t i, uint32_t k, enum link how)
{
    enum { ROUNDED_MOST = 100 };
    const struct result_table *a = &g->result->tables[i], *b = &g->result->tables[k];
    if (how == LINK_NONE || !links(g, i) || !links(g, k))
        return false;
    if (a->n_dimensions == 0 || b->n_dimensions == 0 || shared_dimension(a, b))
        return true;
    bool tells =
        g->policy->rounding == ROUNDING_NONE || (a->n_cells <= ROUNDED_MOST && b->n_cells <= ROUNDED_MOST);
    return how == LINK_TOTAL && tells && grand_total(a) == grand_total(b);
}

/* Tables that are linked, directly or by others between them, get the number of the first of them. */
static void link_tables(struct gate *g, const uint32_t *index, uint32_t n, enum link how)
{
    for (uint32_t i = 0; i < n; i++) {
        g->system[index[i]] = index[i];
        for (uint32_t k = 0; k < i; k++) {
            uint32_t from = g->system[index[k]], to = g->system[index[i]];
            if (from == to || !are_linked(g, index[k], index[i], how))
                continue;
            for (uint32_t t = 0; t <= i; t++)
                if (g->system[index[t]] == from || g->system[index[t]] == to)
                    g->system[index[t]] = from < to ? from : to;
        }
    }
}

/* What could not be proven safe stays in; what else the result has does not rest on it. */
static enum status secure_or_withhold(struct gate *g, const uint32_t *index, uint32_t n, struct err *e)
{
    enum status s = secure_tables(g, index, n, e);
    if (s != ST_UNSAFE && (s != ST_UNSUPPORTED || n > 1))
        return s;
    for (uint32_t t = 0; t < n; t++)
        withhold(g, index[t], "could not be proven safe");
    return ST_OK;
}

static enum status secure_linked(struct gate *g, const uint32_t *index, uint32_t n, enum link how,
                                 struct err *e);

/* Secures one system; where its tables turn out not to be one population, in smaller ones. */
static enum status secure_system(struct gate *g, const uint32_t *index, uint32_t n, enum link how,
                                 struct err *e)
{
    enum status s = ST_OK;
    for (uint32_t t = 0; s == ST_OK && n > 1 && t < n; t++)
        s = secure_check(g, index[t], e);
    if (s != ST_OK)
        return s;
    s = secure_or_withhold(g, index, n, e);
    return n > 1 && (s == ST_INVALID || s == ST_UNSUPPORTED) ? secure_linked(g, index, n, how + 1, e) : s;
}

static enum status secure_linked(struct gate *g, const uint32_t *index, uint32_t n, enum link how,
                                 struct err *e)
{
    enum status s = ST_OK;
    uint32_t *group = arena_array(g->arena, n, sizeof *group);
    uint32_t *linked = arena_array(g->arena, n, sizeof *linked);
    link_tables(g, index, n, how);
    for (uint32_t i = 0; i < n; i++)
        linked[i] = g->system[index[i]];
    for (uint32_t i = 0; s == ST_OK && i < n; i++) {
        uint32_t many = 0;
        for (uint32_t k = i; linked[i] == index[i] && k < n; k++)
            if (linked[k] == index[i] && !g->withheld[index[k]])
                group[many++] = index[k];
        if (many)
            s = secure_system(g, group, many, how, e);
    }
    return s;
}

static enum status secure_all(struct gate *g, struct err *e)
{
    uint32_t n = g->result->n_tables, *index = arena_array(g->arena, n, sizeof *index);
    for (uint32_t i = 0; i < n; i++)
        index[i] = i;
    return secure_linked(g, index, n, LINK_TOTAL, e);
}

/* Where zeros are not printed, leaving a cell out must not say that it is one: every place gets its cell.
   False where these are too many. */
static bool complete_table(struct result_table *t, struct arena *a)
{
    enum { MOST = 1 << 20 };
    uint64_t places = 1, known = 0;
    for (uint32_t d = 0; d < t->n_dimensions && places <= MOST; d++)
        places *= t->dimensions[d].n_levels;
    if (places > MOST)
        return false;
    struct result_cell *cells = arena_array(a, places, sizeof *cells);
    bool *given = arena_array(a, places, sizeof *given);
    for (; known < t->n_cells; known++) {
        uint64_t place = 0;
        for (uint32_t d = 0; d < t->n_dimensions; d++)
            place = place * t->dimensions[d].n_levels + t->cells[known].at[d];
        given[place] = true;
        cells[known] = t->cells[known];
    }
    for (uint64_t place = 0; place < places; place++) {
        uint32_t *at = given[place] ? NULL : arena_array(a, t->n_dimensions + 1, sizeof *at);
        uint64_t rest = place;
        for (uint32_t d = t->n_dimensions; at && d-- > 0; rest /= t->dimensions[d].n_levels)
            at[d] = (uint32_t)(rest % t->dimensions[d].n_levels);
        if (at)
            cells[known++] = (struct result_cell){.at = at, .lower = NAN, .upper = NAN};
    }
    t->cells = cells;
    t->n_cells = places;
    return true;
}

static void complete(struct gate *g)
{
    struct result *r = arena_alloc(g->arena, sizeof *r);
    *r = *g->result;
    r->tables = arena_array(g->arena, r->n_tables, sizeof *r->tables);
    for (uint32_t i = 0; i < r->n_tables; i++) {
        r->tables[i] = g->result->tables[i];
        if (r->tables[i].type == OUTPUT_COUNT && !complete_table(&r->tables[i], g->arena))
            g->withheld[i] = "too many places to hide which are zero";
    }
    g->result = r;
}

static enum status judge_all(struct gate *g, struct err *e)
{
    const struct result *r = g->result;
    struct ptable_rules rules = policy_ptable(g->policy);
    struct ptable *noise = NULL;
    enum status s = g->policy->rounding == ROUNDING_CELL_KEY ? ptable_make(&rules, &noise, e) : ST_OK;
    for (uint32_t i = 0; s == ST_OK && i < r->n_tables; i++) {
        const char *early = g->withheld[i];
        g->verdicts[i] = arena_array(g->arena, r->tables[i].n_cells, sizeof **g->verdicts);
        s = judge_table(&r->tables[i], g->policy, noise, g->verdicts[i], &g->withheld[i], e);
        if (early)
            withhold(g, i, early);
        g->has_rates |= r->tables[i].type == OUTPUT_RATE;
    }
    ptable_free(noise);
    return s;
}

/* --- numbers at risk beside a curve -------------------------------------------------------------------- */

static uint32_t level_labelled(const struct result_dimension *d, const char *label)
{
    uint32_t i = 0;
    while (i < d->n_levels && strcmp(d->levels[i].label, label) != 0)
        i++;
    return i; /* n_levels: none */
}

/* Whether the counts are the numbers at risk on days of the curves: sets each within the one before, of the
   same groups. */
static bool at_risk_of(const struct result_table *counts, const struct result_table *curves)
{
    if (counts->type != OUTPUT_COUNT || curves->type != OUTPUT_SURVIVAL || counts->n_dimensions != 2 ||
        curves->n_dimensions != 2)
        return false;
    const struct result_dimension *day = &counts->dimensions[1], *time = &curves->dimensions[1];
    bool shared = false;
    for (uint32_t i = 0; i < day->n_levels && !shared; i++)
        shared = level_labelled(time, day->levels[i].label) < time->n_levels;
    return shared && day->nested && strcmp(counts->dimensions[0].name, curves->dimensions[0].name) == 0;
}

/* Where counts print exactly, a number at risk inside of a merged step would tell how few left before that
   day: it is hidden with the step. */
static void hide_inside_steps(struct gate *g, uint32_t counts, uint32_t curves)
{
    const struct result_table *n = &g->result->tables[counts], *c = &g->result->tables[curves];
    for (uint64_t i = 0; i < n->n_cells; i++) {
        const char *group = n->dimensions[0].levels[n->cells[i].at[0]].label;
        const char *day = n->dimensions[1].levels[n->cells[i].at[1]].label;
        for (uint64_t k = 0; k < c->n_cells; k++)
            if (is_hidden(&g->verdicts[curves][k]) && g->verdicts[counts][i].mark == CELL_SHOWN &&
                strcmp(c->dimensions[1].levels[c->cells[k].at[1]].label, day) == 0 &&
                strcmp(c->dimensions[0].levels[c->cells[k].at[0]].label, group) == 0)
                verdict_hide(&g->verdicts[counts][i], CELL_PRIMARY, "inside a merged step");
    }
}

static void judge_at_risk(struct gate *g)
{
    for (uint32_t i = 0; i < g->result->n_tables && g->policy->rounding == ROUNDING_NONE; i++)
        for (uint32_t k = 0; k < g->result->n_tables; k++)
            if (at_risk_of(&g->result->tables[i], &g->result->tables[k]))
                hide_inside_steps(g, i, k);
}

enum status gate_run(const struct result *r, const struct policy *p, struct gate **out, struct err *e)
{
    *out = NULL;
    enum status s = result_check(r, e);
    if (s != ST_OK)
        return s;
    struct arena *a = arena_new();
    struct gate *g = arena_alloc(a, sizeof *g);
    *g = (struct gate){.result = r, .policy = p, .arena = a};
    g->verdicts = arena_array(a, r->n_tables, sizeof(struct verdict *));
    g->proofs = arena_array(a, r->n_tables, sizeof *g->proofs);
    g->system = arena_array(a, r->n_tables, sizeof *g->system);
    g->withheld = arena_array(a, r->n_tables, sizeof *g->withheld);
    if (!p->zero_shown)
        complete(g);
    s = judge_all(g, e);
    if (s == ST_OK)
        judge_at_risk(g);
    if (s == ST_OK)
        s = secure_all(g, e);
    if (s == ST_OK)
        withhold_beside_others(g);
    if (s == ST_OK)
        *out = g;
    else
        gate_free(g);
    return s;
}

void gate_free(struct gate *g)
{
    if (g)
        arena_free(g->arena);
}
