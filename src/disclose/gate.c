/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/gate.h"

#include <math.h>

#include "disclose/rounding.h"

static void hide(struct verdict *v, enum cell_mark mark, const char *rule)
{
    *v = (struct verdict){.mark = mark, .rule = rule, .value = NAN, .lower = NAN, .upper = NAN};
}

/* Counts: 0 < persons < minimum is hidden; the others are rounded. */
static void judge_count(const struct result_cell *c, const struct policy *p, struct verdict *v)
{
    int64_t n = (int64_t)c->value;
    if (c->persons > 0 && c->persons < policy_minimum(p, OUTPUT_COUNT))
        hide(v, CELL_PRIMARY, "minimum count");
    else if (n == 0 && !p->zero_shown)
        hide(v, CELL_PRIMARY, "zero not shown");
    else
        *v = (struct verdict){CELL_SHOWN, NULL, (double)round_count(n, (enum rounding)p->rounding, p->base),
                              NAN, NAN};
}

static enum status judge_table(struct gate *g, uint32_t index, struct err *e)
{
    const struct result_table *t = &g->result->tables[index];
    if (t->type != OUTPUT_COUNT)
        return err_set(e, ST_UNSAFE, "table '%s': no rule of this policy lets a %s leave", t->name,
                       output_type_name(t->type));
    g->verdicts[index] = arena_array(g->arena, t->n_cells, sizeof **g->verdicts);
    for (uint64_t i = 0; i < t->n_cells; i++)
        judge_count(&t->cells[i], g->policy, &g->verdicts[index][i]);
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
    for (uint32_t i = 0; s == ST_OK && i < r->n_tables; i++)
        s = judge_table(g, i, e);
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
