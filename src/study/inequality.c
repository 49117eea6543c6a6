/* SPDX-License-Identifier: Apache-2.0
 *
 * inequality: slope, relative and concentration index over ordered groups (deprivation, first level = most
 * deprived), of an incidence rate or a prevalence, with the groups' own figures and the gap between the ends.
 * The sums are those of incidence and prevalence over one interval; the last level ("unknown") is left out of
 * the indices.
 */
#include <math.h>

#include "stats/gini.h"
#include "stats/interval.h"
#include "stats/sii.h"
#include "study/rates.h"

enum { LEAST_GROUPS = 5 };

struct inequality {
    struct rates rates;
    double multiplier;
    size_t n_groups; /* without "unknown" */
};

static enum status inequality_parse(const struct js *specification, const struct analysis_scope *scope,
                                    void **spec, struct err *e)
{
    static const char *const measures[] = {"incidence", "prevalence", NULL};
    const char *allowed[24] = {"kind", "by", "measure", "multiplier"};
    size_t n = 4;
    for (size_t i = 0; rates_members[i]; i++)
        allowed[n++] = rates_members[i];
    struct inequality *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    bool prevalence = spec_choice(&s, "measure", measures, 0) == 1;
    rates_read(&s, prevalence, &c->rates);
    c->multiplier = spec_number(&s, "multiplier", 1, 1e6, prevalence ? 1 : 1e5);
    struct dimension *by = arena_array(scope->arena, 1, sizeof *by);
    const struct js *group = js_get(specification, "by");
    struct js *absent = js_string("deprivation_decile");
    spec_dimension(&s, group ? group : absent, spec_path(&s, "by"), by);
    js_free(absent);
    c->rates.by = by;
    c->rates.n_by = 1;
    c->n_groups = by->n_levels ? by->n_levels - 1 : 0;
    if (s.status == ST_OK && c->n_groups < LEAST_GROUPS)
        spec_fault(&s, "by", "needs at least %d ordered levels, such as deprivation_quintile", LEAST_GROUPS);
    rates_prepare(&s, INTERVAL_OVERALL, false, &c->rates);
    *spec = c;
    return spec_done(&s);
}

static enum status inequality_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    *n = rates_n_sums(&((const struct inequality *)spec)->rates);
    return spec_no_parameters(parameters, e);
}

static enum status inequality_local(const void *spec, const struct js *parameters,
                                    const struct study_site *site, struct sums *out, struct err *e)
{
    (void)parameters;
    return rates_sums(&((const struct inequality *)spec)->rates, site, out, e);
}

static enum status inequality_members(const void *spec, const struct study_site *site, struct members *into,
                                      struct err *e)
{
    return rates_collect(&((const struct inequality *)spec)->rates, NULL, site, into, e);
}

/* A group's rate or share, with its interval. */
static void fill_group(const struct inequality *c, double persons, double event_persons, double days,
                       double events, struct result_cell *cell)
{
    bool prevalence = c->rates.prevalence;
    cell->persons = (int64_t)persons;
    cell->event_persons = (int64_t)event_persons;
    cell->numerator = prevalence ? event_persons : events;
    cell->denominator = prevalence ? persons : days / DAYS_PER_YEAR;
    cell->value = NAN;
    if (cell->denominator <= 0)
        return;
    double scale = prevalence ? c->multiplier : c->multiplier / cell->denominator;
    struct interval i = prevalence ? interval_wilson(cell->numerator, cell->denominator, 0.95)
                                   : interval_poisson(cell->numerator, 0.95);
    cell->value = cell->numerator / cell->denominator * c->multiplier;
    cell->lower = i.lower * scale;
    cell->upper = i.upper * scale;
}

static const struct result_cell *group_table(const struct inequality *c, const struct sums *total,
                                             struct result *into)
{
    const struct rates *r = &c->rates;
    struct result_table *t =
        table_new(into, table_name(into, r->name, "groups"),
                  r->prevalence ? "Prevalence by group" : "Incidence by group",
                  c->multiplier == 1
                      ? "share of persons"
                      : arena_printf(into->arena, r->prevalence ? "per %g persons" : "per %g person-years",
                                     c->multiplier),
                  OUTPUT_RATE, r->by, 1);
    t->picture = PICTURE_GRADIENT;
    const double *figures[RATES_N_FIGURES];
    for (int f = 0; f < RATES_N_FIGURES; f++)
        figures[f] = table_roll_up(into, t, rates_figure(into->arena, r, total, (enum rates_figure)f));
    for (uint64_t i = 0; i < t->n_cells; i++)
        fill_group(c, figures[RATES_PERSONS][i], figures[RATES_EVENT_PERSONS][i], figures[RATES_DAYS][i],
                   figures[RATES_EVENTS][i], &t->cells[i]);
    return t->cells;
}

static double standard_error(const struct inequality *c, const struct result_cell *cell)
{
    double x = cell->numerator, n = cell->denominator;
    return c->rates.prevalence ? sqrt(x / n * (1 - x / n) / n) * c->multiplier : sqrt(x) / n * c->multiplier;
}

/* Indices over groups with a population; NaN where a group has none. */
struct indices {
    struct sii sii;
    struct social_gradient gradient;
};

static enum status indices_of(const struct inequality *c, const struct result_cell *groups,
                              struct indices *out, struct err *e)
{
    struct sii_group g[MAX_LEVELS] = {0};
    struct social_group s[MAX_LEVELS] = {0};
    double events = 0;
    *out = (struct indices){.sii = {.sii = {NAN, NAN, NAN, NULL}, .rii = {NAN, NAN, NAN, NULL}},
                            .gradient = {.concentration = {NAN, NAN, NAN, NULL}}};
    for (size_t i = 0; i < c->n_groups; i++) {
        const struct result_cell *cell = &groups[i + 1];
        if (!(cell->denominator > 0))
            return ST_OK;
        events += cell->numerator;
        g[i] = (struct sii_group){cell->denominator, cell->value, standard_error(c, cell), NAN, NAN};
        s[i] = (struct social_group){cell->value, cell->denominator};
    }
    enum status st = stats_sii(g, c->n_groups, SII_NORMAL, false, 1, 0.95, &out->sii, e);
    if (st == ST_OK && events > 0)
        st = social_gradient(s, c->n_groups, 0, c->multiplier, 0.95, &out->gradient, e);
    return st;
}

static void fill_index(struct result_cell *cell, const struct result_cell *all, double value, double lower,
                       double upper)
{
    table_rests_on(cell, (double)all->persons, (double)all->event_persons);
    cell->value = value;
    cell->lower = lower;
    cell->upper = upper;
}

static enum status inequality_finish(const void *spec, const struct js *parameters, const struct sums *total,
                                     const struct js *state, struct result *into, struct err *e)
{
    (void)parameters, (void)state;
    const struct inequality *c = spec;
    static const char *names[] = {"slope index of inequality", "relative index of inequality",
                                  "gap, last less first level", "ratio, last over first level",
                                  "concentration index"};
    const struct result_cell *groups = group_table(c, total, into), *first = &groups[1],
                             *last = &groups[c->n_groups];
    struct indices x;
    enum status st = indices_of(c, groups, &x, e);
    if (st != ST_OK)
        return st;
    struct result_table *t = table_of_list(into, table_name(into, c->rates.name, "indices"),
                                           "Indices of inequality over the groups in order", "as named",
                                           OUTPUT_RATE, "index", names, 5);
    t->picture = PICTURE_NONE;
    fill_index(&t->cells[0], groups, x.sii.sii.value, x.sii.sii.lower, x.sii.sii.upper);
    fill_index(&t->cells[1], groups, x.sii.rii.value, x.sii.rii.lower, x.sii.rii.upper);
    double gap = last->value - first->value, z = 1.959963984540054;
    double se = hypot(standard_error(c, first), standard_error(c, last));
    double log_se = hypot(standard_error(c, first) / first->value, standard_error(c, last) / last->value);
    double ratio = last->value / first->value;
    fill_index(&t->cells[2], groups, gap, gap - z * se, gap + z * se);
    fill_index(&t->cells[3], groups, ratio, ratio * exp(-z * log_se), ratio * exp(z * log_se));
    fill_index(&t->cells[4], groups, x.gradient.concentration.value, x.gradient.concentration.lower,
               x.gradient.concentration.upper);
    return ST_OK;
}

const struct analysis inequality_analysis = {
    .kind = "inequality",
    .summary = "slope, relative and concentration index, gap and ratio, over deprivation",
    .template =
        "{\"kind\": \"inequality\", \"name\": \"sii\", \"measure\": \"prevalence\", \"outcome\": \"outcome\","
        " \"from\": \"2025-01-01\", \"to\": \"2025-01-01\", \"min_age\": 40, \"by\": \"deprivation_decile\"}",
    .output = OUTPUT_RATE,
    .parse = inequality_parse,
    .size = inequality_size,
    .part_persons = PART_PERSONS,
    .local = inequality_local,
    .members = inequality_members,
    .finish = inequality_finish,
};
