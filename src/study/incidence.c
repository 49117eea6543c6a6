/* SPDX-License-Identifier: Apache-2.0
 *
 * incidence and prevalence over calendar intervals, by strata.
 */
#include <math.h>
#include <string.h>

#include "stats/interval.h"
#include "study/rates.h"

/* The members of rates_members and some more, as one list. */
static enum status rates_parse(const struct js *specification, const struct analysis_scope *scope,
                               bool prevalence, void **spec, struct err *e)
{
    const char *allowed[24] = {"kind", "interval", "complete_intervals", "by",
                               prevalence ? "full_contribution" : "interval"};
    size_t n = 5;
    for (size_t i = 0; rates_members[i]; i++)
        allowed[n++] = rates_members[i];
    struct rates *r = arena_alloc(scope->arena, sizeof *r);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    rates_read(&s, prevalence, r);
    int interval = spec_choice(&s, "interval", interval_names, INTERVAL_YEARS);
    bool whole = spec_bool(&s, "complete_intervals", true);
    r->full_contribution = prevalence && spec_bool(&s, "full_contribution", false);
    r->by = spec_dimensions(&s, "by", MAX_DIMENSIONS - 1, false, &r->n_by);
    rates_prepare(&s, (enum interval_kind)interval, whole, r);
    *spec = r;
    return spec_done(&s);
}

static enum status incidence_parse(const struct js *j, const struct analysis_scope *scope, void **spec,
                                   struct err *e)
{
    return rates_parse(j, scope, false, spec, e);
}

static enum status prevalence_parse(const struct js *j, const struct analysis_scope *scope, void **spec,
                                    struct err *e)
{
    return rates_parse(j, scope, true, spec, e);
}

static enum status rates_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    *n = rates_n_sums(spec);
    return spec_no_parameters(parameters, e);
}

static enum status rates_local(const void *spec, const struct js *parameters, const struct study_site *site,
                               struct sums *out, struct err *e)
{
    (void)parameters;
    return rates_sums(spec, site, out, e);
}

static enum status rates_members_of(const void *spec, const struct study_site *site, struct members *into,
                                    struct err *e)
{
    return rates_collect(spec, NULL, site, into, e);
}

static double *cells_of(struct result *into, const struct result_table *t, const struct rates *r,
                        const struct sums *total, enum rates_figure which)
{
    return table_roll_up(into, t, rates_figure(into->arena, r, total, which));
}

static void rate_cell(const struct rates *r, struct result_cell *cell, double days, double events)
{
    double years = days / DAYS_PER_YEAR;
    struct interval i = {NAN, NAN};
    cell->numerator = r->prevalence ? (double)cell->event_persons : events;
    cell->denominator = r->prevalence ? (double)cell->persons : years;
    cell->value = NAN;
    if (cell->denominator <= 0)
        return;
    double scale = r->prevalence ? 1 : 1e5 / years;
    cell->value = r->prevalence ? cell->numerator / cell->denominator : events * scale;
    i = r->prevalence ? interval_wilson(cell->numerator, cell->denominator, 0.95)
                      : interval_poisson(events, 0.95);
    cell->lower = i.lower * scale;
    cell->upper = i.upper * scale;
}

static enum status rates_finish(const void *spec, const struct js *parameters, const struct sums *total,
                                const struct js *state, struct result *into, struct err *e)
{
    (void)parameters, (void)state, (void)e;
    const struct rates *r = spec;
    struct dimension dimensions[MAX_DIMENSIONS];
    dimensions[0] = plain_dimension("interval", r->calendar.labels, r->calendar.n);
    dimensions[0].no_total = true;
    memcpy(dimensions + 1, r->by, r->n_by * sizeof *r->by);
    struct result_table *t =
        table_new(into, table_name(into, r->name, ""), r->prevalence ? "Period prevalence" : "Incidence rate",
                  r->prevalence ? "share of persons" : "per 100,000 person-years", OUTPUT_RATE, dimensions,
                  r->n_by + 1);
    const double *persons = cells_of(into, t, r, total, RATES_PERSONS),
                 *days = cells_of(into, t, r, total, RATES_DAYS),
                 *events = cells_of(into, t, r, total, RATES_EVENTS),
                 *event_persons = cells_of(into, t, r, total, RATES_EVENT_PERSONS);
    for (uint64_t i = 0; i < t->n_cells; i++) {
        t->cells[i].persons = (int64_t)persons[i];
        t->cells[i].event_persons = (int64_t)event_persons[i];
        rate_cell(r, &t->cells[i], days[i], events[i]);
    }
    return ST_OK;
}

const struct analysis incidence_analysis = {
    .kind = "incidence",
    .summary = "incidence rates over calendar intervals, with wash-out and strata",
    .template = "{\"kind\": \"incidence\", \"name\": \"incidence\", \"outcome\": \"outcome\", \"from\": "
                "\"2015-01-01\","
                " \"to\": \"2024-12-31\", \"interval\": \"years\", \"prior_observation_days\": 365,"
                " \"washout_days\": null, \"repeated_events\": false, \"by\": [\"sex\", \"age_band\"]}",
    .output = OUTPUT_RATE,
    .parse = incidence_parse,
    .size = rates_size,
    .part_persons = PART_PERSONS / 8, /* no run is read, and what it needs stays in the cache */
    .local = rates_local,
    .members = rates_members_of,
    .finish = rates_finish,
};

const struct analysis prevalence_analysis = {
    .kind = "prevalence",
    .summary = "period or point prevalence over calendar intervals, by strata",
    .template = "{\"kind\": \"prevalence\", \"name\": \"prevalence\", \"outcome\": \"outcome\", \"from\": "
                "\"2015-01-01\","
                " \"to\": \"2024-12-31\", \"interval\": \"years\", \"full_contribution\": false,"
                " \"by\": [\"sex\", \"age_band\"]}",
    .output = OUTPUT_RATE,
    .parse = prevalence_parse,
    .size = rates_size,
    .part_persons = PART_PERSONS / 8, /* no run is read, and what it needs stays in the cache */
    .local = rates_local,
    .members = rates_members_of,
    .finish = rates_finish,
};
