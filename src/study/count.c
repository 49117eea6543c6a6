/* SPDX-License-Identifier: Apache-2.0
 *
 * count: persons of a cohort after each step of its attrition. The steps are sets of persons, each within the
 * one before, and their number follows from the definition alone.
 */
#include <stdlib.h>

#include "cohort/evaluate.h"
#include "study/members.h"
#include "study/tables.h"

enum { FIXED_STEPS = 3 }; /* primary events, qualified events, rows; the inclusion rules lie between */

struct count {
    const char *name, *cohort_name;
    size_t cohort, n_steps;
    const char **steps;
};

static void name_steps(struct count *c, const struct js *definition, struct arena *a)
{
    const struct js *rules = js_get(definition, "InclusionRules");
    size_t n_rules = js_is(rules, JS_ARRAY) ? js_size(rules) : 0;
    c->n_steps = n_rules + FIXED_STEPS;
    c->steps = arena_array(a, c->n_steps, sizeof *c->steps);
    c->steps[0] = "primary events";
    c->steps[1] = "qualified events";
    for (size_t i = 0; i < n_rules; i++) {
        const char *given = js_get_str(js_at(rules, i), "name");
        c->steps[2 + i] =
            given ? arena_printf(a, "rule %zu: %s", i + 1, given) : arena_printf(a, "rule %zu", i + 1);
    }
    c->steps[c->n_steps - 1] = "in the cohort";
}

static enum status count_parse(const struct js *specification, const struct analysis_scope *scope,
                               void **spec, struct err *e)
{
    static const char *const allowed[] = {"kind", "cohort", NULL};
    struct count *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    c->name = scope->name;
    c->cohort = spec_cohort(&s, "cohort", true);
    if (s.status == ST_OK) {
        c->cohort_name = scope->cohorts[c->cohort];
        name_steps(c, scope->definitions[c->cohort], scope->arena);
    }
    *spec = c;
    return spec_done(&s);
}

static enum status count_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    const struct count *c = spec;
    *n = c->n_steps;
    return spec_no_parameters(parameters, e);
}

static enum status count_local(const void *spec, const struct js *parameters, const struct study_site *site,
                               struct sums *out, struct err *e)
{
    (void)parameters;
    const struct count *c = spec;
    const struct cohort_rows *rows = &site->cohorts[c->cohort];
    if (rows->n_steps != c->n_steps)
        return err_set(e, ST_INTERNAL, "cohort %s has %zu attrition steps where %zu were expected",
                       c->cohort_name, rows->n_steps, c->n_steps);
    for (size_t i = 0; i < c->n_steps; i++)
        sums_count(out, i, (int64_t)rows->steps[i].persons);
    return ST_OK;
}

/* Who is left after a step. */
static void add_step(struct members *into, const char *name, const uint64_t *words, size_t n_words)
{
    uint32_t *persons = NULL;
    size_t n = 0, room = 0;
    for (size_t w = 0; w < n_words; w++)
        for (uint64_t left = words[w]; left; left &= left - 1) {
            GROW(persons, n + 1, room);
            persons[n++] = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(left);
        }
    members_add(into, name, persons, n);
    free(persons);
}

static void add_steps(const struct count *c, const struct cohort_trace *trace, struct members *into)
{
    for (size_t i = 0; i < c->n_steps; i++) {
        char *name = members_cell_name(c->name, &c->steps[i], 1);
        if (trace)
            add_step(into, name, trace->persons[i], trace->n_words);
        else
            members_add(into, name, NULL, 0);
        free(name);
    }
}

/* The rows say how many are left after a step, not who: the cohort is evaluated once more, with notes. */
static enum status count_members(const void *spec, const struct study_site *site, struct members *into,
                                 struct err *e)
{
    const struct count *c = spec;
    struct cohort_trace trace = {0};
    struct cohort_rows rows = {0};
    enum status s = site ? cohort_evaluate_noted(site->definitions[c->cohort], site->store, site->pool, NULL,
                                                 &trace, &rows, e)
                         : ST_OK;
    if (s == ST_OK && site && trace.n_steps != c->n_steps)
        s = err_set(e, ST_INTERNAL, "cohort %s noted %zu attrition steps where %zu were expected",
                    c->cohort_name, trace.n_steps, c->n_steps);
    if (s == ST_OK)
        add_steps(c, site ? &trace : NULL, into);
    cohort_trace_deinit(&trace);
    cohort_rows_deinit(&rows);
    return s;
}

static enum status count_finish(const void *spec, const struct js *parameters, const struct sums *total,
                                const struct js *state, struct result *into, struct err *e)
{
    (void)parameters, (void)state, (void)e;
    const struct count *c = spec;
    struct result_table *t = table_of_list(into, table_name(into, c->name, ""),
                                           arena_printf(into->arena, "Attrition of %s", c->cohort_name),
                                           "persons", OUTPUT_COUNT, "step", c->steps, c->n_steps);
    t->dimensions[0].nested = true;
    for (size_t i = 0; i < c->n_steps; i++) {
        t->cells[i].persons = sums_get_count(total, i);
        t->cells[i].value = (double)t->cells[i].persons;
    }
    return ST_OK;
}

const struct analysis count_analysis = {
    .kind = "count",
    .summary = "persons of a cohort, with attrition step by step",
    .template = "{\"kind\": \"count\", \"name\": \"attrition\", \"cohort\": \"target\"}",
    .output = OUTPUT_COUNT,
    .keyed = true,
    .parse = count_parse,
    .size = count_size,
    .local = count_local,
    .members = count_members,
    .finish = count_finish,
};
