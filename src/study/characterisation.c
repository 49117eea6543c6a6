/* SPDX-License-Identifier: Apache-2.0
 *
 * characterisation (Table 1): shares of people with each feature, level and concept around entry, and means
 * of numbers, in a cohort and a comparator, with standardised differences. Features are listed in the
 * specification, or all concepts of domains, which rounds before the last one find (discovery.h); each is one
 * read of its concepts' runs, so ten thousand of them are one pass over those runs.
 *
 * Standardised difference: (p1 - p2) / sqrt((p1 q1 + p2 q2) / 2), for numbers (m1 - m2) / sqrt((v1 + v2) / 2)
 * (P. Austin, Stat. Med. 28 (2009) 3083).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "study/design.h"
#include "study/found.h"
#include "study/tables.h"

enum { MOST_FEATURES = 20000, GROUPS = 2 };

struct feature {
    const char *name;
    struct concept_list concepts;
    struct day_window window;
};

struct characterisation {
    const char *name;
    size_t cohorts[GROUPS], n_groups;
    const char *labels[GROUPS];
    struct dimension *dimensions;
    struct number *numbers;
    struct feature *features;
    size_t n_dimensions, n_numbers, n_features, n_levels; /* levels of all dimensions */
    struct discovery discovery;
    struct day_window window; /* of what is found */
    size_t top;               /* of what is found, only so many are shown */
    size_t n_found;           /* known in the last round only: of_round */
};

/* The specification with what the rounds before have found. */
static struct characterisation of_round(const void *spec, const struct js *parameters)
{
    struct characterisation c = *(const struct characterisation *)spec;
    c.n_found = discovery_n_found(&c.discovery, parameters);
    return c;
}

static size_t n_shares(const struct characterisation *c)
{
    return c->n_levels + c->n_features + c->n_found;
}

static size_t first_number(const struct characterisation *c)
{
    return 1 + n_shares(c);
}

/* Sums of one group: persons, levels, features, found concepts, then n, sum x, sum x^2 of each number. */
static size_t group_size(const struct characterisation *c)
{
    return first_number(c) + 3 * c->n_numbers;
}

static void read_feature(struct spec *s, const struct js *j, size_t i, struct day_window window,
                         struct feature *out)
{
    static const char *const allowed[] = {"name", "concepts", "descendants", "window", NULL};
    struct arena *a = s->scope->arena;
    if (js_is(j, JS_INTEGER) && js_int(j) > 0 && js_int(j) <= INT32_MAX) {
        int32_t *id = arena_alloc(a, sizeof *id);
        *id = (int32_t)js_int(j);
        *out = (struct feature){arena_printf(a, "concept %d", *id), {id, 1, true}, window};
        return;
    }
    struct spec f = spec_open(j, arena_printf(a, "%s.features[%zu]", s->path, i), s->scope, allowed, s->e);
    out->name = spec_need_text(&f, "name");
    out->concepts = spec_concepts(&f, true);
    out->window = spec_window(&f, "window", window);
    spec_join(s, spec_done(&f));
}

static void read_lists(struct spec *s, struct characterisation *c)
{
    c->window = spec_window(s, "window", (struct day_window){-365, 0});
    discovery_read(s, &c->discovery);
    c->top = (size_t)spec_int(s, "top", 1, DISCOVERY_MOST, DISCOVERY_MOST);
    if (c->discovery.n == 0)
        spec_refuse(s, "top", "it belongs to \"domains\"");
    c->dimensions = spec_dimensions(s, "by", 20, false, &c->n_dimensions);
    for (size_t i = 0; i < c->n_dimensions; i++)
        c->n_levels += c->dimensions[i].n_levels;
    const struct js *list = spec_array(s, "numbers", 100, false, &c->n_numbers);
    c->numbers = arena_array(s->scope->arena, c->n_numbers, sizeof *c->numbers);
    for (size_t i = 0; i < c->n_numbers && spec_goes_on(s); i++)
        number_read(s, js_at(list, i), arena_printf(s->scope->arena, "%s.numbers[%zu]", s->path, i), true,
                    &c->numbers[i]);
    list = spec_array(s, "features", MOST_FEATURES, false, &c->n_features);
    c->features = arena_array(s->scope->arena, c->n_features, sizeof *c->features);
    for (size_t i = 0; i < c->n_features && spec_goes_on(s); i++)
        read_feature(s, js_at(list, i), i, c->window, &c->features[i]);
    if (s->status == ST_OK && !c->n_dimensions && !c->n_numbers && !c->n_features && !c->discovery.n)
        spec_fault(s, "features",
                   "nothing to describe: give \"by\", \"numbers\", \"features\" or \"domains\"");
}

static enum status characterisation_parse(const struct js *specification, const struct analysis_scope *scope,
                                          void **spec, struct err *e)
{
    static const char *const allowed[] = {"kind",     "cohort",  "comparator",  "window",  "by",  "numbers",
                                          "features", "domains", "min_persons", "roll_up", "top", NULL};
    struct characterisation *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    c->name = scope->name;
    c->cohorts[0] = spec_cohort(&s, "cohort", true);
    c->cohorts[1] = spec_cohort(&s, "comparator", false);
    c->n_groups = c->cohorts[1] == SIZE_MAX ? 1 : 2;
    read_lists(&s, c);
    for (size_t g = 0; s.status == ST_OK && g < c->n_groups; g++)
        c->labels[g] = scope->cohorts[c->cohorts[g]];
    *spec = c;
    return spec_done(&s);
}

static enum status characterisation_size(const void *spec, const struct js *parameters, size_t *n,
                                         struct err *e)
{
    const struct characterisation *c = spec;
    enum status st = discovery_check(&c->discovery, parameters, e);
    *n = 0;
    if (st == ST_OK && !discovery_done(&c->discovery, parameters)) {
        *n = discovery_size(&c->discovery, parameters);
    } else if (st == ST_OK) {
        struct characterisation last = of_round(spec, parameters);
        *n = last.n_groups * group_size(&last);
    }
    return st;
}

static sum_t characterisation_bound(const void *spec, const struct js *parameters, size_t i)
{
    struct characterisation c = of_round(spec, parameters);
    size_t at = i % group_size(&c), first = first_number(&c);
    if (!discovery_done(&c.discovery, parameters))
        return SUM_COUNT_BOUND;
    return at >= first && (at - first) % 3 != 0 ? SUM_REAL_BOUND : SUM_COUNT_BOUND;
}

/* Counts each row once per feature: the stamp is the feature a row was last counted for. */
struct stamp {
    uint32_t *last, now;
    int64_t count;
};

static void stamp_row(void *context, const struct event *event)
{
    struct stamp *s = context;
    s->count += s->last[event->row] != s->now;
    s->last[event->row] = s->now;
}

static enum status count_features(const struct characterisation *c, const struct study_site *site,
                                  const struct index_rows *rows, size_t at, struct sums *out, struct err *e)
{
    struct stamp stamp = {.last = xcalloc(rows->n + 1, sizeof *stamp.last)};
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < c->n_features; i++) {
        const struct feature *f = &c->features[i];
        stamp.now = (uint32_t)i + 1;
        stamp.count = 0;
        st = events_scan(site, &f->concepts, rows, f->window, 0, stamp_row, &stamp, e);
        sums_count(out, at + i, stamp.count);
    }
    free(stamp.last);
    return st;
}

static enum status count_found(const struct characterisation *c, const struct js *parameters,
                               const struct study_site *site, const struct index_rows *rows, size_t at,
                               struct sums *out, struct err *e)
{
    struct found_concept *found = discovery_found(&c->discovery, parameters);
    enum status st = found_count(&c->discovery, found, c->n_found, site, rows, c->window, out, at, e);
    free(found);
    return st;
}

static enum status count_levels(const struct characterisation *c, const struct study_site *site,
                                const struct index_rows *rows, size_t at, struct sums *out, struct err *e)
{
    uint16_t *level = xmalloc((rows->n + 1) * sizeof *level);
    enum status st = ST_OK;
    for (size_t d = 0; st == ST_OK && d < c->n_dimensions; d++) {
        st = dimension_levels(&c->dimensions[d], site, rows, level, e);
        for (size_t i = 0; st == ST_OK && i < rows->n; i++)
            sums_count(out, at + level[i], 1);
        at += c->dimensions[d].n_levels;
    }
    free(level);
    return st;
}

static enum status sum_numbers(const struct characterisation *c, const struct study_site *site,
                               const struct index_rows *rows, size_t at, struct sums *out, struct err *e)
{
    double *value = xmalloc((rows->n + 1) * sizeof *value);
    enum status st = ST_OK;
    for (size_t k = 0; st == ST_OK && k < c->n_numbers; k++, at += 3) {
        st = number_values(&c->numbers[k], site, rows, value, e);
        for (size_t i = 0; st == ST_OK && i < rows->n; i++) {
            if (isnan(value[i]))
                continue;
            sums_count(out, at, 1);
            sums_real(out, at + 1, value[i]);
            sums_real(out, at + 2, value[i] * value[i]);
        }
    }
    free(value);
    return st;
}

static enum status characterisation_local(const void *spec, const struct js *parameters,
                                          const struct study_site *site, struct sums *out, struct err *e)
{
    struct characterisation round = of_round(spec, parameters), *c = &round;
    enum status st = ST_OK;
    if (!discovery_done(&c->discovery, parameters)) {
        if (site->first_person == 0) /* it is about the whole store: of its ranges the first one tells */
            discovery_local(&c->discovery, parameters, site->store, out);
        return ST_OK;
    }
    for (size_t g = 0; st == ST_OK && g < c->n_groups; g++) {
        size_t at = g * group_size(c) + 1;
        struct index_rows rows;
        index_rows_view(&site->cohorts[c->cohorts[g]], &rows);
        index_rows_map(&rows, site);
        sums_count(out, at - 1, (int64_t)rows.n);
        st = count_levels(c, site, &rows, at, out, e);
        if (st == ST_OK)
            st = count_features(c, site, &rows, at + c->n_levels, out, e);
        if (st == ST_OK)
            st = count_found(c, parameters, site, &rows, at + c->n_levels + c->n_features, out, e);
        if (st == ST_OK)
            st = sum_numbers(c, site, &rows, at + n_shares(c), out, e);
        index_rows_deinit(&rows);
    }
    return st;
}

static enum status characterisation_next(const void *spec, const struct js *parameters,
                                         const struct sums *total, struct js **state, struct js **next,
                                         struct err *e)
{
    (void)state;
    const struct characterisation *c = spec;
    return discovery_done(&c->discovery, parameters)
               ? ST_OK
               : discovery_next(&c->discovery, parameters, total, next, e);
}

static double count_at(const struct characterisation *c, const struct sums *total, size_t group, size_t i)
{
    return (double)sums_get_count(total, group * group_size(c) + i);
}

/* The shares that tables show: all that the specification names, and of what was found the `top` that most
   persons of the cohort have. */
struct shown {
    size_t n, *share;
    const char **labels;
};

struct found_share {
    double persons;
    size_t share;
};

static int by_persons(const void *a, const void *b)
{
    const struct found_share *x = a, *y = b;
    if (x->persons != y->persons)
        return x->persons > y->persons ? -1 : 1;
    return (x->share > y->share) - (x->share < y->share);
}

static int by_place(const void *a, const void *b)
{
    const struct found_share *x = a, *y = b;
    return (x->share > y->share) - (x->share < y->share);
}

static void choose_top(const struct characterisation *c, const struct sums *total, struct shown *s)
{
    size_t named = c->n_levels + c->n_features;
    struct found_share *found = xcalloc(c->n_found + 1, sizeof *found);
    for (size_t i = 0; i < c->n_found; i++)
        found[i] = (struct found_share){count_at(c, total, 0, 1 + named + i), named + i};
    if (c->n_found)
        qsort(found, c->n_found, sizeof *found, by_persons);
    size_t n = c->top < c->n_found ? c->top : c->n_found;
    /* In the order of concepts: that of persons would rank what rounding makes equal. */
    if (n)
        qsort(found, n, sizeof *found, by_place);
    for (size_t i = 0; i < n; i++)
        s->share[s->n++] = found[i].share;
    free(found);
}

/* Labels of the shares in the order they are shown. */
static void label_shown(const struct characterisation *c, const struct js *parameters, struct shown *s,
                        struct arena *a)
{
    const char **named = arena_array(a, c->n_levels + c->n_features + 1, sizeof *named);
    struct found_concept *found = discovery_found(&c->discovery, parameters);
    size_t n = 0;
    for (size_t d = 0; d < c->n_dimensions; d++)
        for (uint32_t k = 0; k < c->dimensions[d].n_levels; k++)
            named[n++] = arena_printf(a, "%s: %s", c->dimensions[d].name, c->dimensions[d].labels[k]);
    for (size_t i = 0; i < c->n_features; i++)
        named[n++] = c->features[i].name;
    for (size_t i = 0; i < s->n; i++) {
        const struct found_concept *f = &found[s->share[i] < n ? 0 : s->share[i] - n];
        s->labels[i] = s->share[i] < n ? named[s->share[i]]
                                       : arena_printf(a, "%s %d", c->discovery.domain[f->domain], f->id);
    }
    free(found);
}

static struct shown shown_of(const struct characterisation *c, const struct js *parameters,
                             const struct sums *total, struct arena *a)
{
    struct shown s = {0, arena_array(a, n_shares(c), sizeof *s.share),
                      arena_array(a, n_shares(c), sizeof *s.labels)};
    size_t always = c->top < c->n_found ? c->n_levels + c->n_features : n_shares(c);
    while (s.n < always) {
        s.share[s.n] = s.n;
        s.n++;
    }
    if (always < n_shares(c))
        choose_top(c, total, &s);
    label_shown(c, parameters, &s, a);
    return s;
}

static struct dimension unrelated(const char *name, const char **labels, size_t n)
{
    struct dimension d = plain_dimension(name, labels, n);
    d.no_total = true;
    return d;
}

static void share_table(const struct characterisation *c, const struct sums *total, const struct shown *shown,
                        struct result *into)
{
    const char **groups = arena_array(into->arena, GROUPS, sizeof *groups);
    memcpy(groups, c->labels, sizeof c->labels);
    struct dimension dimensions[] = {unrelated("feature", shown->labels, shown->n),
                                     unrelated("group", groups, c->n_groups)};
    struct result_table *t =
        table_new(into, table_name(into, c->name, "shares"), "Share of persons with the feature",
                  "share of persons", OUTPUT_RATE, dimensions, 2);
    for (uint64_t i = 0; i < t->n_cells; i++) {
        struct result_cell *cell = &t->cells[i];
        double persons = count_at(c, total, cell->at[1], 0),
               with = count_at(c, total, cell->at[1], 1 + shown->share[cell->at[0]]);
        cell->persons = (int64_t)persons;
        cell->event_persons = (int64_t)with;
        cell->numerator = with;
        cell->denominator = persons;
        cell->value = persons > 0 ? with / persons : (double)NAN;
    }
}

static double share_difference(double p1, double p2)
{
    double spread = sqrt((p1 * (1 - p1) + p2 * (1 - p2)) / 2);
    return p1 == p2 ? 0 : (p1 - p2) / spread;
}

static void difference_table(const struct characterisation *c, const struct sums *total,
                             const struct shown *shown, struct result *into)
{
    struct result_table *t = table_of_list(into, table_name(into, c->name, "differences"),
                                           "Standardised differences of the shares", "standard deviations",
                                           OUTPUT_RATE, "feature", shown->labels, shown->n);
    t->picture = PICTURE_DIFFERENCES;
    double n1 = count_at(c, total, 0, 0), n2 = count_at(c, total, 1, 0);
    for (size_t i = 0; i < shown->n; i++) {
        struct result_cell *cell = &t->cells[i];
        size_t at = 1 + shown->share[i];
        double x1 = count_at(c, total, 0, at), x2 = count_at(c, total, 1, at);
        bool first = fmin(x1, n1 - x1) <= fmin(x2, n2 - x2); /* the more telling of the two proportions */
        table_rests_on(cell, first ? n1 : n2, first ? x1 : x2);
        cell->value = n1 > 0 && n2 > 0 ? share_difference(x1 / n1, x2 / n2) : (double)NAN;
    }
}

struct number_sums {
    double n, mean, variance;
};

static struct number_sums number_of(const struct characterisation *c, const struct sums *total, size_t group,
                                    size_t k)
{
    size_t at = group * group_size(c) + first_number(c) + 3 * k;
    double n = (double)sums_get_count(total, at), sum = sums_get_real(total, at + 1),
           square = sums_get_real(total, at + 2), mean = n > 0 ? sum / n : (double)NAN;
    return (struct number_sums){n, mean, n > 1 ? fmax(0, (square - n * mean * mean) / (n - 1)) : (double)NAN};
}

static void number_cell(const struct number *number, const struct number_sums *s, double value,
                        struct result_cell *cell)
{
    cell->persons = (int64_t)s->n;
    cell->value = value;
    cell->top1 = cell->top2 = fmax(fabs(number->least), fabs(number->most));
}

static void number_tables(const struct characterisation *c, const struct sums *total, struct result *into)
{
    const char **labels = arena_array(into->arena, c->n_numbers, sizeof *labels),
               **groups = arena_array(into->arena, GROUPS, sizeof *groups),
               **figures = arena_array(into->arena, 2, sizeof *figures);
    for (size_t k = 0; k < c->n_numbers; k++)
        labels[k] = c->numbers[k].name;
    memcpy(groups, c->labels, sizeof c->labels);
    figures[0] = "mean";
    figures[1] = "standard deviation";
    struct dimension dimensions[] = {unrelated("number", labels, c->n_numbers),
                                     unrelated("group", groups, c->n_groups),
                                     unrelated("figure", figures, 2)};
    struct result_table *t =
        table_new(into, table_name(into, c->name, "numbers"), "Means and standard deviations", "as measured",
                  OUTPUT_SUM, dimensions, 3);
    t->picture = PICTURE_NONE;
    t->mean = true;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const uint32_t *at = t->cells[i].at;
        struct number_sums s = number_of(c, total, at[1], at[0]);
        number_cell(&c->numbers[at[0]], &s, at[2] ? sqrt(s.variance) : s.mean, &t->cells[i]);
    }
    if (c->n_groups < GROUPS)
        return;
    t = table_of_list(into, table_name(into, c->name, "number_differences"),
                      "Standardised differences of the means", "standard deviations", OUTPUT_TEST, "number",
                      labels, c->n_numbers);
    t->persons = t->degrees_of_freedom = INT64_MAX;
    for (size_t k = 0; k < c->n_numbers; k++) {
        struct number_sums s1 = number_of(c, total, 0, k), s2 = number_of(c, total, 1, k);
        int64_t least = (int64_t)fmin(s1.n, s2.n);
        t->cells[k].persons = least;
        t->cells[k].value = (s1.mean - s2.mean) / sqrt((s1.variance + s2.variance) / 2);
        t->persons = t->persons < least ? t->persons : least;
        t->degrees_of_freedom = t->persons - 1;
    }
}

static enum status characterisation_finish(const void *spec, const struct js *parameters,
                                           const struct sums *total, const struct js *state,
                                           struct result *into, struct err *e)
{
    (void)state, (void)e;
    struct characterisation round = of_round(spec, parameters), *c = &round;
    struct shown shown = shown_of(c, parameters, total, into->arena);
    if (shown.n) {
        share_table(c, total, &shown, into);
        if (c->n_groups == GROUPS)
            difference_table(c, total, &shown, into);
    }
    if (c->n_numbers)
        number_tables(c, total, into);
    return ST_OK;
}

const struct analysis characterisation_analysis = {
    .kind = "characterisation",
    .summary = "Table 1: features and numbers around entry, with standardised differences",
    .template =
        "{\"kind\": \"characterisation\", \"name\": \"table1\", \"cohort\": \"target\","
        " \"comparator\": \"comparator\", \"window\": [-365, 0], \"by\": [\"sex\", \"deprivation_quintile\"],"
        " \"numbers\": [{\"number\": \"age\"}], \"features\": [320128, {\"name\": \"diabetes\","
        " \"concepts\": [201826], \"window\": [null, 0]}]}",
    .output = OUTPUT_RATE,
    .parse = characterisation_parse,
    .size = characterisation_size,
    .bound = characterisation_bound,
    .part_persons = 8 * PART_PERSONS, /* each range looks into the run of every concept */
    .own_threads = true,
    .local = characterisation_local,
    .next = characterisation_next,
    .finish = characterisation_finish,
};
