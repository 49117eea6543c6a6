/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/network.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "disclose/rounding.h"

/* One document of the two. */
struct side {
    const struct released *released;
    const struct js *context;
    struct policy policy;
};

static enum status open_side(const struct released *r, struct side *out, struct err *e)
{
    const struct js *record = released_record(r);
    out->released = r;
    out->context = js_get(record, "context");
    return policy_from_json(js_get(record, "policy"), &out->policy, e);
}

static bool all_among(const struct js *few, const struct js *many)
{
    for (size_t i = 0; i < js_size(few); i++)
        if (!js_has_text(many, js_str(js_at(few, i))))
            return false;
    return true;
}

static bool has_value(const struct js *object, const char *text)
{
    for (void *it = js_first(object); it; it = js_next(object, it))
        if (js_str(js_value(it)) && strcmp(js_str(js_value(it)), text) == 0)
            return true;
    return false;
}

static bool share_a_cohort(const struct side *a, const struct side *b)
{
    const struct js *mine = js_get(a->context, "cohorts_sha256");
    for (void *it = js_first(mine); it; it = js_next(mine, it))
        if (js_str(js_value(it)) && has_value(js_get(b->context, "cohorts_sha256"), js_str(js_value(it))))
            return true;
    return false;
}

static bool same_levels(const struct result_dimension *a, const struct result_dimension *b)
{
    if (strcmp(a->name, b->name) != 0 || a->n_levels != b->n_levels)
        return false;
    for (uint32_t i = 0; i < a->n_levels; i++)
        if (strcmp(a->levels[i].label, b->levels[i].label) != 0)
            return false;
    return true;
}

static bool same_cells(const struct released_table *a, const struct released_table *b)
{
    if (a->type != OUTPUT_COUNT || b->type != OUTPUT_COUNT || a->n_dimensions != b->n_dimensions ||
        strcmp(a->unit, b->unit) != 0)
        return false;
    for (uint32_t i = 0; i < a->n_dimensions; i++)
        if (!same_levels(&a->dimensions[i], &b->dimensions[i]))
            return false;
    return true;
}

/* What a reader knows of the count at a place; nothing of a hidden one. */
static bool range_at(const struct side *s, const struct released_table *t, const uint32_t *at,
                     struct count_range *out)
{
    const struct released_cell *c = released_cell_find(t, at);
    const struct policy *p = &s->policy;
    if (c && c->hidden)
        return false;
    *out = round_range(c ? (int64_t)c->value : 0, (enum rounding)p->rounding, p->base,
                       policy_minimum(p, OUTPUT_COUNT));
    return true;
}

static char *place_of(const struct released_table *t, const uint32_t *at)
{
    char *place = xstrdup("");
    for (uint32_t d = 0; d < t->n_dimensions; d++) {
        char *longer = xasprintf("%s%s%s", place, d ? ", " : "", t->dimensions[d].levels[at[d]].label);
        free(place);
        place = longer;
    }
    return place;
}

static void add_finding(struct js *findings, const struct released_table *t, const uint32_t *at,
                        const struct side *earlier)
{
    struct js *j = js_object();
    char *place = place_of(t, at);
    const char *run = js_get_str(earlier->context, "run");
    js_put_str(j, "table", t->name);
    js_put_str(j, "place", place);
    js_put_str(j, "earlier", run ? run : "");
    js_push(findings, j);
    free(place);
}

/* The larger total less the smaller: the persons of the sites that only the larger has. */
static bool singles_out(struct count_range more, struct count_range fewer, int64_t minimum)
{
    int64_t low = more.low - fewer.high, high = more.high - fewer.low;
    return low > 0 && high < minimum;
}

struct comparison {
    struct side fresh, earlier;
    bool fresh_has_more;
    struct js *findings;
};

static void compare_at(const struct comparison *c, const struct released_table *t,
                       const struct released_table *before, const uint32_t *at)
{
    struct count_range now, then;
    int64_t minimum = policy_minimum(&c->fresh.policy, OUTPUT_COUNT);
    if (!range_at(&c->fresh, t, at, &now) || !range_at(&c->earlier, before, at, &then))
        return;
    if (c->fresh_has_more ? singles_out(now, then, minimum) : singles_out(then, now, minimum))
        add_finding(c->findings, t, at, &c->earlier);
}

/* A cell that is not listed is a zero, in either. */
static void compare_tables(const struct comparison *c, const struct released_table *t,
                           const struct released_table *before)
{
    for (uint64_t i = 0; i < t->n_cells; i++)
        compare_at(c, t, before, t->cells[i].at);
    for (uint64_t i = 0; i < before->n_cells; i++)
        if (!released_cell_find(t, before->cells[i].at))
            compare_at(c, t, before, before->cells[i].at);
}

enum status network_compare(const struct released *fresh, const struct released *earlier, struct js *findings,
                            struct err *e)
{
    struct comparison c = {.findings = findings};
    enum status s = open_side(fresh, &c.fresh, e);
    if (s == ST_OK)
        s = open_side(earlier, &c.earlier, e);
    if (s != ST_OK)
        return s;
    const struct js *now = js_get(c.fresh.context, "sites"), *then = js_get(c.earlier.context, "sites");
    c.fresh_has_more = all_among(then, now);
    if ((!c.fresh_has_more && !all_among(now, then)) || js_size(now) == js_size(then) ||
        !share_a_cohort(&c.fresh, &c.earlier))
        return ST_OK;
    for (uint32_t i = 0; i < released_n_tables(fresh); i++)
        for (uint32_t k = 0; k < released_n_tables(earlier); k++)
            if (same_cells(released_table(fresh, i), released_table(earlier, k)))
                compare_tables(&c, released_table(fresh, i), released_table(earlier, k));
    return ST_OK;
}
