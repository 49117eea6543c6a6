/* SPDX-License-Identifier: Apache-2.0
 *
 * standardised_rate: directly (Dobson, European Standard Population 2013) or indirectly standardised
 * incidence by the levels of one dimension, over five-year age bands. The sums are those of incidence over
 * one interval.
 */
#include <math.h>

#include "stats/standardise.h"
#include "study/rates.h"

enum { ESP_BANDS = 19, FIRST_UNKNOWN = ESP_BANDS };

struct standardised {
    struct rates rates; /* by[0] = the groups, by[1] = age */
    bool indirect;
    double multiplier;
};

/* The bands of the ESP: 0-4, 5-9, ... 90 and over. */
static struct dimension esp_bands(struct spec *s)
{
    int cuts[ESP_BANDS - 1];
    for (int i = 0; i < ESP_BANDS - 1; i++)
        cuts[i] = 5 * (i + 1);
    return age_dimension(s, cuts, ESP_BANDS - 1);
}

static enum status standardised_parse(const struct js *specification, const struct analysis_scope *scope,
                                      void **spec, struct err *e)
{
    static const char *const methods[] = {"direct", "indirect", NULL};
    const char *allowed[24] = {"kind", "by", "method", "multiplier"};
    size_t n = 4;
    for (size_t i = 0; rates_members[i]; i++)
        allowed[n++] = rates_members[i];
    struct standardised *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    rates_read(&s, false, &c->rates);
    c->indirect = spec_choice(&s, "method", methods, 0) == 1;
    c->multiplier = spec_number(&s, "multiplier", 1, 1e6, 1e5);
    struct dimension *by = arena_array(scope->arena, 2, sizeof *by);
    const struct js *group = js_get(specification, "by");
    spec_dimension(&s, group, spec_path(&s, "by"), &by[0]);
    if (s.status == ST_OK && dimension_is_age(&by[0]))
        spec_fault(&s, "by", "age is what the rates are standardised for");
    by[1] = esp_bands(&s);
    c->rates.by = by;
    c->rates.n_by = 2;
    rates_prepare(&s, INTERVAL_OVERALL, false, &c->rates);
    *spec = c;
    return spec_done(&s);
}

static enum status standardised_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    *n = rates_n_sums(&((const struct standardised *)spec)->rates);
    return spec_no_parameters(parameters, e);
}

static enum status standardised_local(const void *spec, const struct js *parameters,
                                      const struct study_site *site, struct sums *out, struct err *e)
{
    (void)parameters;
    return rates_sums(&((const struct standardised *)spec)->rates, site, out, e);
}

static uint32_t group_of(const struct rates *r, uint32_t stratum)
{
    return stratum / r->by[1].n_levels;
}

static enum status standardised_members(const void *spec, const struct study_site *site, struct members *into,
                                        struct err *e)
{
    const struct rates *r = &((const struct standardised *)spec)->rates;
    return rates_collect(r, &(struct rates_printed){r->by, 1, group_of}, site, into, e);
}

/* Figures of one group, or of all groups together (group = SIZE_MAX), per age band. */
struct group_figures {
    double persons, event_persons, years, events;
    double band_years[ESP_BANDS], band_events[ESP_BANDS];
};

static void add_group(const struct sums *total, size_t group, struct group_figures *out)
{
    for (size_t band = 0; band <= FIRST_UNKNOWN; band++) {
        size_t at = (group * (FIRST_UNKNOWN + 1) + band) * RATES_N_FIGURES;
        double years = (double)sums_get_count(total, at + RATES_DAYS) / DAYS_PER_YEAR;
        double events = (double)sums_get_count(total, at + RATES_EVENTS);
        out->persons += (double)sums_get_count(total, at + RATES_PERSONS);
        out->event_persons += (double)sums_get_count(total, at + RATES_EVENT_PERSONS);
        out->years += years;
        out->events += events;
        if (band < ESP_BANDS) {
            out->band_years[band] += years;
            out->band_events[band] += events;
        }
    }
}

static enum status direct_rate(const struct group_figures *g, double multiplier, struct estimate *out,
                               struct err *e)
{
    struct stratum strata[ESP_BANDS];
    size_t n = 0;
    for (size_t i = 0; i < ESP_BANDS; i++)
        if (g->band_years[i] > 0)
            strata[n++] =
                (struct stratum){g->band_events[i], g->band_events[i], g->band_years[i], esp2013[i]};
    struct dsr dsr = {.rate = {NAN, NAN, NAN, NULL}};
    enum status st = n ? stats_dsr(strata, n, multiplier, 0.95, &dsr, e) : ST_OK;
    *out = dsr.rate;
    return st;
}

static enum status indirect_ratio(const struct group_figures *g, const struct group_figures *all,
                                  double multiplier, struct estimate *out, struct err *e)
{
    struct reference reference[ESP_BANDS];
    for (size_t i = 0; i < ESP_BANDS; i++)
        reference[i] = (struct reference){all->band_events[i], all->band_years[i]};
    struct isr isr = {.value = {NAN, NAN, NAN, NULL}};
    enum status st = ST_OK;
    if (all->events > 0 && g->years > 0)
        st = stats_isr(g->events, g->band_years, reference, ESP_BANDS, true, multiplier, 0.95, &isr, e);
    *out = isr.value;
    return st;
}

static enum status fill_cell(const struct standardised *c, const struct group_figures *g,
                             const struct group_figures *all, struct result_cell *cell, struct err *e)
{
    struct estimate estimate;
    enum status st =
        c->indirect ? indirect_ratio(g, all, 1, &estimate, e) : direct_rate(g, c->multiplier, &estimate, e);
    cell->persons = (int64_t)g->persons;
    cell->event_persons = (int64_t)g->event_persons;
    cell->numerator = g->events;
    cell->denominator = g->years;
    cell->value = estimate.value;
    cell->lower = estimate.lower;
    cell->upper = estimate.upper;
    return st;
}

static enum status standardised_finish(const void *spec, const struct js *parameters,
                                       const struct sums *total, const struct js *state, struct result *into,
                                       struct err *e)
{
    (void)parameters, (void)state;
    const struct standardised *c = spec;
    const struct dimension *groups = &c->rates.by[0];
    struct result_table *t =
        table_new(into, table_name(into, c->rates.name, ""),
                  c->indirect ? "Indirectly standardised ratio" : "Directly standardised rate",
                  c->indirect ? "observed over expected"
                              : arena_printf(into->arena, "per %g person-years", c->multiplier),
                  OUTPUT_RATE, groups, 1);
    if (c->indirect)
        t->picture = PICTURE_FOREST;
    struct group_figures all = {0};
    for (size_t g = 0; g < groups->n_levels; g++)
        add_group(total, g, &all);
    enum status st = fill_cell(c, &all, &all, &t->cells[0], e);
    for (size_t g = 0; st == ST_OK && g < groups->n_levels; g++) {
        struct group_figures one = {0};
        add_group(total, g, &one);
        st = fill_cell(c, &one, &all, &t->cells[g + 1], e);
    }
    return st;
}

const struct analysis standardised_analysis = {
    .kind = "standardised_rate",
    .summary = "directly (ESP 2013) or indirectly standardised rates by one dimension",
    .template =
        "{\"kind\": \"standardised_rate\", \"name\": \"dsr\", \"outcome\": \"outcome\","
        " \"from\": \"2015-01-01\", \"to\": \"2024-12-31\", \"method\": \"direct\", \"multiplier\": 100000,"
        " \"by\": \"deprivation_quintile\"}",
    .output = OUTPUT_RATE,
    .parse = standardised_parse,
    .size = standardised_size,
    .part_persons = PART_PERSONS,
    .local = standardised_local,
    .members = standardised_members,
    .finish = standardised_finish,
};
