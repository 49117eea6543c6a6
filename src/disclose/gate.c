/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/gate.h"

#include <string.h>

static enum status run_table(struct gate *g, uint32_t i, struct err *e)
{
    const struct result_table *t = &g->result->tables[i];
    g->verdicts[i] = arena_array(g->arena, t->n_cells, sizeof **g->verdicts);
    enum status s = judge_table(t, g->policy, g->verdicts[i], e);
    return s == ST_OK ? secure_table(t, g->policy, g->verdicts[i], &g->proofs[i], e) : s;
}

static bool hides(const struct gate *g, uint32_t i)
{
    for (uint64_t k = 0; k < g->result->tables[i].n_cells; k++)
        if (g->verdicts[i][k].mark != CELL_SHOWN)
            return true;
    return false;
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

/* Each table is proven by itself. Exact counts of another table over a shared dimension are further equations
   (the leak of ACRO's crosstab beside its one-way table), so under a policy that prints exact counts such
   tables do not leave together when one of them hides a cell. */
static enum status check_linked(const struct gate *g, struct err *e)
{
    const struct result *r = g->result;
    for (uint32_t i = 0; g->policy->rounding == ROUNDING_NONE && i < r->n_tables; i++)
        for (uint32_t k = i + 1; k < r->n_tables; k++) {
            const struct result_table *a = &r->tables[i], *b = &r->tables[k];
            if (a->type != OUTPUT_COUNT || b->type != OUTPUT_COUNT || !(hides(g, i) || hides(g, k)))
                continue;
            const char *name = shared_dimension(a, b);
            if (name)
                return err_set(e, ST_UNSAFE,
                               "tables '%s' and '%s' both count over '%s' and a cell is hidden: with exact "
                               "counts the one "
                               "could give the other away; release one of them, or use a policy that rounds",
                               a->name, b->name, name);
        }
    return ST_OK;
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
    for (uint32_t i = 0; s == ST_OK && i < r->n_tables; i++)
        s = run_table(g, i, e);
    if (s == ST_OK)
        s = check_linked(g, e);
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
