/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/gate.h"

static enum status run_table(struct gate *g, uint32_t i, struct err *e)
{
    const struct result_table *t = &g->result->tables[i];
    g->verdicts[i] = arena_array(g->arena, t->n_cells, sizeof **g->verdicts);
    enum status s = judge_table(t, g->policy, g->verdicts[i], e);
    return s == ST_OK ? secure_table(t, g->policy, g->verdicts[i], &g->proofs[i], e) : s;
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
