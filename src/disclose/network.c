/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "disclose/rounding.h"

/* Two totals are compared whatever their number is; sums of many are looked for among the latest. */
enum { MOST_TOTALS = 64, MOST_SITES = 256 };

/* One document. */
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
                        const char *earlier)
{
    struct js *j = js_object();
    char *place = place_of(t, at);
    js_put_str(j, "table", t->name);
    js_put_str(j, "place", place);
    js_put_str(j, "earlier", earlier);
    js_push(findings, j);
    free(place);
}

static const char *run_of(const struct side *s)
{
    const char *run = js_get_str(s->context, "run");
    return run ? run : "";
}

/* A table with the same cells as the fresh one's; which of all sites it is a total of. */
struct total {
    const struct side *side;
    const struct released_table *table;
    bool over[MOST_SITES];
};

/* The totals beside each other: the fresh one, and the earlier ones, the latest of them first. */
struct totals {
    struct total fresh, *earlier;
    size_t n, room;
    const char *site[MOST_SITES];
    int n_sites;
    int64_t minimum;
    struct js *findings;
};

static enum status total_of(struct totals *all, const struct side *side, const struct released_table *t,
                            struct total *out, struct err *e)
{
    const struct js *sites = js_get(side->context, "sites");
    *out = (struct total){.side = side, .table = t};
    for (size_t i = 0; i < js_size(sites); i++) {
        const char *name = js_str(js_at(sites, i));
        int k = 0;
        while (k < all->n_sites && strcmp(all->site[k], name ? name : "") != 0)
            k++;
        if (k == MOST_SITES)
            return err_set(e, ST_UNSUPPORTED,
                           "totals over more than %d sites cannot be compared with earlier ones", MOST_SITES);
        if (k == all->n_sites)
            all->site[all->n_sites++] = name ? name : "";
        out->over[k] = true;
    }
    return ST_OK;
}

/* --- two totals --------------------------------------------------------------------------------------- */

/* What the prints show to lie between these. */
static bool singles_out(double low, double high, int64_t minimum)
{
    return low > 0 && high < (double)minimum;
}

static bool is_within(const struct total *few, const struct total *many)
{
    for (int i = 0; i < MOST_SITES; i++)
        if (few->over[i] && !many->over[i])
            return false;
    return true;
}

/* The larger total less the smaller: the persons of the sites that only the larger has. */
static bool pair_at(const struct totals *all, const struct total *earlier, const uint32_t *at)
{
    struct count_range more, fewer;
    const struct total *fresh = &all->fresh, *many = is_within(earlier, fresh) ? fresh : earlier,
                       *few = many == fresh ? earlier : fresh;
    if (!is_within(few, many) || is_within(many, few) || !range_at(many->side, many->table, at, &more) ||
        !range_at(few->side, few->table, at, &fewer))
        return false;
    return singles_out((double)(more.low - fewer.high), (double)(more.high - fewer.low), all->minimum);
}

/* --- many totals -------------------------------------------------------------------------------------- */

/* Rows of sites, reduced so that each has a column of its own; combination[i] says of which totals row i is
   the sum, and how often. */
struct reduced {
    double row[MOST_TOTALS][MOST_SITES], combination[MOST_TOTALS][MOST_TOTALS];
    int pivot[MOST_TOTALS], n;
};
static const double nothing = 1e-9; /* zeros and ones are reduced: fractions of small whole numbers */

static void add_times(double *to, const double *from, double times, int n)
{
    for (int i = 0; i < n; i++)
        to[i] += times * from[i];
}

static int first_left(const double *row, int n)
{
    for (int i = 0; i < n; i++)
        if (fabs(row[i]) > nothing)
            return i;
    return -1;
}

/* Adds the total `which`; what the ones before it already tell is no row. */
static void reduce(struct reduced *r, int n, const bool *over, int which)
{
    double *row = r->row[r->n], *combination = r->combination[r->n];
    memset(combination, 0, sizeof r->combination[0]);
    combination[which] = 1;
    for (int i = 0; i < n; i++)
        row[i] = over[i];
    for (int i = 0; i < r->n; i++) {
        double times = -row[r->pivot[i]];
        add_times(row, r->row[i], times, n);
        add_times(combination, r->combination[i], times, MOST_TOTALS);
    }
    int pivot = first_left(row, n);
    if (pivot < 0)
        return;
    double scale = 1 / row[pivot];
    for (int i = 0; i < n; i++)
        row[i] *= scale;
    for (int i = 0; i < MOST_TOTALS; i++)
        combination[i] *= scale;
    for (int i = 0; i < r->n; i++) {
        double times = -r->row[i][pivot];
        add_times(r->row[i], row, times, n);
        add_times(r->combination[i], combination, times, MOST_TOTALS);
    }
    r->pivot[r->n++] = pivot;
}

/* The combination of totals that is the total of these sites; false where there is none. */
static bool combine(const struct reduced *r, int n, const bool *sites, double *out)
{
    double rest[MOST_SITES];
    memset(out, 0, MOST_TOTALS * sizeof *out);
    for (int i = 0; i < n; i++)
        rest[i] = sites[i];
    for (int i = 0; i < r->n; i++)
        if (sites[r->pivot[i]]) {
            add_times(rest, r->row[i], -1, n);
            add_times(out, r->combination[i], 1, MOST_TOTALS);
        }
    return first_left(rest, n) < 0;
}

/* The totals that are combined at a place: earlier ones, and the fresh one behind them. */
struct combining {
    const struct totals *all;
    struct count_range range[MOST_TOTALS];
    struct reduced reduced;
    double combination[MOST_TOTALS];
    int n;                              /* earlier ones */
    bool group[MOST_SITES][MOST_SITES]; /* sites that are in the same totals cannot be told apart */
    int n_groups;
};

static const struct total *total_at(const struct combining *c, int i)
{
    return i < c->n ? &c->all->earlier[i] : &c->all->fresh;
}

static bool told_apart(const struct combining *c, int site, int other)
{
    for (int t = 0; t <= c->n; t++)
        if (total_at(c, t)->over[site] != total_at(c, t)->over[other])
            return true;
    return false;
}

static void group_sites(struct combining *c)
{
    int first[MOST_SITES];
    for (int i = 0; i < c->all->n_sites; i++) {
        int g = 0;
        while (g < c->n_groups && told_apart(c, i, first[g]))
            g++;
        if (g == c->n_groups)
            first[c->n_groups++] = i;
        c->group[g][i] = true;
    }
}

/* Whether the fresh total has a part in it, and the prints show that it is few persons. */
static bool combination_tells(const struct combining *c)
{
    double low = 0, high = 0;
    for (int i = 0; i <= c->n; i++) {
        double times = c->combination[i];
        low += times * (double)(times > 0 ? c->range[i].low : c->range[i].high);
        high += times * (double)(times > 0 ? c->range[i].high : c->range[i].low);
    }
    return fabs(c->combination[c->n]) > nothing &&
           singles_out(ceil(low - 1e-6), floor(high + 1e-6), c->all->minimum);
}

static void add_combined(const struct combining *c, const uint32_t *at)
{
    char *runs = xstrdup("");
    for (int i = 0; i < c->n; i++) {
        if (fabs(c->combination[i]) < nothing)
            continue;
        char *longer = xasprintf("%s%s%s", runs, *runs ? ", " : "", run_of(total_at(c, i)->side));
        free(runs);
        runs = longer;
    }
    add_finding(c->all->findings, c->all->fresh.table, at, runs);
    free(runs);
}

/* All choices of groups where they are few enough, else each by itself. */
static bool choose_tells(struct combining *c, uint32_t choice, bool all_choices)
{
    bool sites[MOST_SITES] = {0};
    for (int g = 0; g < c->n_groups; g++)
        for (int i = 0; i < c->all->n_sites && (all_choices ? choice >> g & 1 : choice == (uint32_t)g + 1);
             i++)
            sites[i] = sites[i] || c->group[g][i];
    return combine(&c->reduced, c->all->n_sites, sites, c->combination) && combination_tells(c);
}

/* One finding for a place at most. */
static void combine_at(const struct totals *all, const uint32_t *at)
{
    enum { ALL_CHOICES = 10 };
    struct combining *c = xcalloc(1, sizeof *c);
    c->all = all;
    c->n = all->n < MOST_TOTALS - 1 ? (int)all->n : MOST_TOTALS - 1;
    for (int i = 0; i <= c->n; i++)
        if (range_at(total_at(c, i)->side, total_at(c, i)->table, at, &c->range[i]))
            reduce(&c->reduced, all->n_sites, total_at(c, i)->over, i);
    group_sites(c);
    bool all_choices = c->n_groups <= ALL_CHOICES;
    uint32_t end = all_choices ? (uint32_t)1 << c->n_groups : (uint32_t)c->n_groups + 1, choice = 1;
    while (choice < end && !choose_tells(c, choice, all_choices))
        choice++;
    if (choice < end)
        add_combined(c, at);
    free(c);
}

/* --- all places --------------------------------------------------------------------------------------- */

static void compare_at(const struct totals *all, const uint32_t *at)
{
    struct count_range ignored;
    bool found = false;
    if (!range_at(all->fresh.side, all->fresh.table, at, &ignored))
        return;
    for (size_t i = 0; i < all->n; i++)
        if (pair_at(all, &all->earlier[i], at)) {
            add_finding(all->findings, all->fresh.table, at, run_of(all->earlier[i].side));
            found = true;
        }
    if (!found && all->n > 1)
        combine_at(all, at);
}

/* A cell that is not listed is a zero, in each. */
static void compare_tables(const struct totals *all)
{
    const struct released_table *fresh = all->fresh.table;
    for (uint64_t i = 0; i < fresh->n_cells; i++)
        compare_at(all, fresh->cells[i].at);
    for (size_t t = 0; t < all->n; t++)
        for (uint64_t i = 0; i < all->earlier[t].table->n_cells; i++) {
            const uint32_t *at = all->earlier[t].table->cells[i].at;
            bool seen = released_cell_find(fresh, at) != NULL;
            for (size_t k = 0; k < t && !seen; k++)
                seen = released_cell_find(all->earlier[k].table, at) != NULL;
            if (!seen)
                compare_at(all, at);
        }
}

static bool same_sites(const struct side *a, const struct side *b)
{
    const struct js *x = js_get(a->context, "sites"), *y = js_get(b->context, "sites");
    return js_size(x) == js_size(y) && all_among(x, y);
}

/* Those over the same sites are left out: the sites' own guards compare their persons. */
static enum status put_totals(struct totals *all, const struct side *fresh, const struct side *earlier,
                              const struct released_table *t, struct err *e)
{
    enum status s = ST_OK;
    if (!share_a_cohort(fresh, earlier) || same_sites(fresh, earlier))
        return ST_OK;
    for (uint32_t k = 0; s == ST_OK && k < released_n_tables(earlier->released); k++)
        if (same_cells(t, released_table(earlier->released, k))) {
            GROW(all->earlier, all->n + 1, all->room);
            s = total_of(all, earlier, released_table(earlier->released, k), &all->earlier[all->n++], e);
        }
    return s;
}

static enum status compare_table(const struct side *fresh, const struct side *earlier, size_t n,
                                 const struct released_table *t, struct js *findings, struct err *e)
{
    struct totals all = {.minimum = policy_minimum(&fresh->policy, OUTPUT_COUNT), .findings = findings};
    enum status s = total_of(&all, fresh, t, &all.fresh, e);
    for (size_t i = n; s == ST_OK && i-- > 0;)
        s = put_totals(&all, fresh, &earlier[i], t, e);
    if (s == ST_OK)
        compare_tables(&all);
    free(all.earlier);
    return s;
}

enum status network_compare(const struct released *fresh, struct released *const *earlier, size_t n,
                            struct js *findings, struct err *e)
{
    struct side now, *then = xcalloc(n + 1, sizeof *then);
    enum status s = open_side(fresh, &now, e);
    for (size_t i = 0; s == ST_OK && i < n; i++)
        s = open_side(earlier[i], &then[i], e);
    for (uint32_t i = 0; s == ST_OK && i < released_n_tables(fresh); i++)
        if (released_table(fresh, i)->type == OUTPUT_COUNT)
            s = compare_table(&now, then, n, released_table(fresh, i), findings, e);
    free(then);
    return s;
}
