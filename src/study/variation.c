/* SPDX-License-Identifier: Apache-2.0
 *
 * variation: does the figure of a practice, trust or area differ from all of them by more than chance?
 * Observed over expected per unit (expected from the rates of all units together within the strata adjusted
 * for), funnel limits around 1 at two and three standard deviations, and over-dispersion. The sums are those
 * of incidence and prevalence over one interval.
 */
#include <math.h>

#include "stats/funnel.h"
#include "stats/interval.h"
#include "stats/quantile.h"
#include "study/rates.h"

enum { LEAST_UNITS = 3, MOST_ADJUST = 4, LEAST_FOR_DECILES = 10 };

struct variation {
    struct rates rates; /* by[0] = units, then what is adjusted for */
    size_t n_units;     /* without "other" and "unknown" */
};

static enum status variation_parse(const struct js *specification, const struct analysis_scope *scope,
                                   void **spec, struct err *e)
{
    static const char *const measures[] = {"incidence", "prevalence", NULL};
    const char *allowed[24] = {"kind", "units", "adjust", "measure"};
    size_t n = 4, n_adjust;
    for (size_t i = 0; rates_members[i]; i++)
        allowed[n++] = rates_members[i];
    struct variation *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    rates_read(&s, spec_choice(&s, "measure", measures, 0) == 1, &c->rates);
    const struct dimension *adjust = spec_dimensions(&s, "adjust", MOST_ADJUST, false, &n_adjust);
    struct dimension *by = arena_array(scope->arena, n_adjust + 1, sizeof *by);
    spec_dimension(&s, js_get(specification, "units"), spec_path(&s, "units"), by);
    for (size_t i = 0; i < n_adjust; i++)
        by[i + 1] = adjust[i];
    c->rates.by = by;
    c->rates.n_by = n_adjust + 1;
    c->n_units = by->groups && by->n_levels > 2 ? by->n_levels - 2 : 0;
    if (s.status == ST_OK && c->n_units < LEAST_UNITS)
        spec_fault(&s, "units", "expected at least %d units: care_site, region or ethnicity with \"levels\"",
                   LEAST_UNITS);
    rates_prepare(&s, INTERVAL_OVERALL, false, &c->rates);
    *spec = c;
    return spec_done(&s);
}

static enum status variation_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    *n = rates_n_sums(&((const struct variation *)spec)->rates);
    return spec_no_parameters(parameters, e);
}

static enum status variation_local(const void *spec, const struct js *parameters,
                                   const struct study_site *site, struct sums *out, struct err *e)
{
    (void)parameters;
    return rates_sums(&((const struct variation *)spec)->rates, site, out, e);
}

/* The units, without the two levels behind them. */
static uint32_t unit_of(const struct rates *r, uint32_t stratum)
{
    uint32_t unit = stratum / (uint32_t)(r->n_strata / r->by[0].n_levels);
    return unit + 2 < r->by[0].n_levels ? unit : RATES_UNPRINTED;
}

static enum status variation_members(const void *spec, const struct study_site *site, struct members *into,
                                     struct err *e)
{
    const struct variation *c = spec;
    struct dimension units = plain_dimension(c->rates.by[0].name, c->rates.by[0].labels, c->n_units);
    return rates_collect(&c->rates, &(struct rates_printed){&units, 1, unit_of}, site, into, e);
}

struct unit {
    double persons, event_persons, observed, exposed, expected;
};

/* Cases and people, or events and years, of one unit in one stratum. */
static void at_risk(const struct rates *r, const struct sums *total, size_t cell, double *observed,
                    double *exposed)
{
    size_t at = cell * RATES_N_FIGURES;
    *observed = (double)sums_get_count(total, at + (r->prevalence ? RATES_EVENT_PERSONS : RATES_EVENTS));
    *exposed = r->prevalence ? (double)sums_get_count(total, at + RATES_PERSONS)
                             : (double)sums_get_count(total, at + RATES_DAYS) / DAYS_PER_YEAR;
}

static struct unit *units_of(const struct variation *c, const struct sums *total, struct arena *a)
{
    const struct rates *r = &c->rates;
    size_t strata = r->n_strata / r->by[0].n_levels;
    struct unit *u = arena_array(a, c->n_units, sizeof *u);
    for (size_t s = 0; s < strata; s++) {
        double all_observed = 0, all_exposed = 0, observed, exposed;
        for (size_t i = 0; i < c->n_units; i++) {
            at_risk(r, total, i * strata + s, &observed, &exposed);
            all_observed += observed;
            all_exposed += exposed;
        }
        for (size_t i = 0; i < c->n_units && all_exposed > 0; i++) {
            size_t at = (i * strata + s) * RATES_N_FIGURES;
            at_risk(r, total, i * strata + s, &observed, &exposed);
            u[i].observed += observed;
            u[i].exposed += exposed;
            u[i].expected += exposed * all_observed / all_exposed;
            u[i].persons += (double)sums_get_count(total, at + RATES_PERSONS);
            u[i].event_persons += (double)sums_get_count(total, at + RATES_EVENT_PERSONS);
        }
    }
    return u;
}

static void ratio_table(const struct variation *c, const struct unit *u, struct result *into)
{
    struct result_table *t = table_of_list(
        into, table_name(into, c->rates.name, "ratios"), "Observed over expected, with exact 95% intervals",
        "ratio", OUTPUT_RATE, c->rates.by[0].name, c->rates.by[0].labels, c->n_units);
    t->picture = PICTURE_FUNNEL;
    for (size_t i = 0; i < c->n_units; i++) {
        struct interval count = interval_poisson(u[i].observed, 0.95);
        struct result_cell *cell = &t->cells[i];
        cell->persons = (int64_t)u[i].persons;
        cell->event_persons = (int64_t)u[i].event_persons;
        cell->numerator = u[i].observed;
        cell->denominator = u[i].exposed;
        cell->value = u[i].expected > 0 ? u[i].observed / u[i].expected : (double)NAN;
        cell->lower = count.lower / u[i].expected;
        cell->upper = count.upper / u[i].expected;
    }
}

/* A unit's size, the expected number, and the limits around 1 that chance alone keeps a unit of that size
   within. */
static void funnel_table(const struct variation *c, const struct unit *u, struct result *into)
{
    enum { LIMITS = 4, FIGURES };
    static const double tails[] = {FUNNEL_TAIL_3S, FUNNEL_TAIL_2S, FUNNEL_TAIL_2S, FUNNEL_TAIL_3S};
    static const char *const levels[] = {"lower 99.8%", "lower 95%", "upper 95%", "upper 99.8%",
                                         "expected number"};
    struct dimension dimensions[] = {plain_dimension(c->rates.by[0].name, c->rates.by[0].labels, c->n_units),
                                     labelled_dimension("limit", levels, FIGURES, into->arena)};
    dimensions[0].no_total = true;
    struct result_table *t =
        table_new(into, table_name(into, c->rates.name, "funnel"),
                  "Funnel limits around 1, and expected numbers", "as named", OUTPUT_RATE, dimensions, 2);
    t->picture = PICTURE_NONE;
    for (uint64_t k = 0; k < t->n_cells; k++) {
        const struct unit *one = &u[t->cells[k].at[0]];
        uint32_t which = t->cells[k].at[1];
        table_rests_on(&t->cells[k], one->persons, one->event_persons);
        t->cells[k].value = which == LIMITS ? one->expected : (double)NAN;
        if (one->expected > 0 && which < LIMITS) {
            struct interval limits = funnel_ratio(one->expected, tails[which]);
            t->cells[k].value = which < LIMITS / 2 ? limits.lower : limits.upper;
        }
    }
}

/* Deciles of the units' own figures (type 7, as SQL's PERCENTILE_CONT). They lie between two units' figures
   each, so they rest on the least of the units. */
static void decile_table(const struct variation *c, const struct unit *u, struct result *into)
{
    enum { DECILES = 9 };
    const char **labels = arena_array(into->arena, DECILES, sizeof *labels);
    double *values = arena_array(into->arena, c->n_units, sizeof *values), persons = INFINITY,
           least = INFINITY;
    size_t n = 0;
    for (size_t i = 0; i < c->n_units; i++) {
        if (!(u[i].exposed > 0))
            continue;
        values[n++] = u[i].observed / u[i].exposed * (c->rates.prevalence ? 1 : 1e5);
        persons = fmin(persons, u[i].persons);
        least = fmin(least, u[i].event_persons);
    }
    if (n < LEAST_FOR_DECILES)
        return;
    quantile_sort(values, n);
    for (int k = 0; k < DECILES; k++)
        labels[k] = arena_printf(into->arena, "%d%%", 10 * (k + 1));
    struct result_table *t =
        table_of_list(into, table_name(into, c->rates.name, "deciles"), "Deciles over the units",
                      c->rates.prevalence ? "share of persons" : "per 100,000 person-years", OUTPUT_RATE,
                      "decile", labels, DECILES);
    t->picture = PICTURE_NONE;
    for (int k = 0; k < DECILES; k++) {
        table_rests_on(&t->cells[k], persons, least);
        t->cells[k].value = quantile_of(values, n, (k + 1) / 10.0, 7);
    }
}

static enum status dispersion_table(const struct variation *c, const struct unit *u, struct result *into,
                                    struct err *e)
{
    static const char *names[] = {"phi, mean squared z", "tau squared, between units"};
    struct funnel_unit *units = arena_array(into->arena, c->n_units, sizeof *units);
    struct funnel_dispersion d;
    double persons = 0;
    size_t n = 0;
    for (size_t i = 0; i < c->n_units; i++) {
        persons += u[i].persons;
        if (u[i].expected > 0)
            units[n++] = (struct funnel_unit){.numerator = u[i].observed, .denominator = u[i].expected};
    }
    if (n < LEAST_UNITS)
        return ST_OK;
    enum status st = funnel_overdispersion(units, n, FUNNEL_RATIO, FUNNEL_WINSORISE, 0.1, &d, e);
    if (st != ST_OK)
        return st;
    struct result_table *t = table_of_list(into, table_name(into, c->rates.name, "dispersion"),
                                           "Over-dispersion on the square-root scale, winsorised", "as named",
                                           OUTPUT_TEST, "figure", names, 2);
    t->persons = (int64_t)persons;
    t->degrees_of_freedom = t->persons - (int64_t)n;
    t->cells[0].value = d.phi;
    t->cells[1].value = d.tau2;
    t->cells[0].persons = t->cells[1].persons = t->persons;
    return ST_OK;
}

static enum status variation_finish(const void *spec, const struct js *parameters, const struct sums *total,
                                    const struct js *state, struct result *into, struct err *e)
{
    (void)parameters, (void)state;
    const struct variation *c = spec;
    const struct unit *u = units_of(c, total, into->arena);
    ratio_table(c, u, into);
    funnel_table(c, u, into);
    decile_table(c, u, into);
    return dispersion_table(c, u, into, e);
}

const struct analysis variation_analysis = {
    .kind = "variation",
    .summary = "funnel plot over practices or areas: observed over expected, limits, over-dispersion",
    .template =
        "{\"kind\": \"variation\", \"name\": \"practices\", \"measure\": \"prevalence\", \"outcome\": "
        "\"outcome\","
        " \"from\": \"2024-01-01\", \"to\": \"2024-01-01\", \"units\": {\"by\": \"care_site\", \"levels\": ["
        "{\"label\": \"practice 1\", \"ids\": [1]}, {\"label\": \"practice 2\", \"ids\": [2]},"
        " {\"label\": \"practice 3\", \"ids\": [3]}]}, \"adjust\": [\"sex\", \"age_band\"]}",
    .output = OUTPUT_RATE,
    .parse = variation_parse,
    .size = variation_size,
    .part_persons = PART_PERSONS,
    .local = variation_local,
    .members = variation_members,
    .finish = variation_finish,
};
