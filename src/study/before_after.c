/* SPDX-License-Identifier: Apache-2.0
 *
 * before_after: did a change help? Yearly (or monthly, quarterly) figures of the people it reached and of a
 * comparator, before and after its date, and the difference in differences between them:
 *
 *     (after - before in those reached) - (after - before in the comparator)
 *
 * of shares (full contribution: people present all of an interval) or of rates. A figure of a period is that
 * of its intervals pooled; variances are binomial or Poisson, and a person's intervals count as independent.
 * The sums are those of prevalence and incidence over intervals, so the same study can be run again later.
 *
 * With "segmented" the figures by interval are also an interrupted time series (stats/series.h): of those
 * reached, of the comparator, and of the difference between them, which takes away what changed for both.
 */
#include <math.h>

#include "base/date.h"
#include "stats/interval.h"
#include "stats/series.h"
#include "stats/special.h"
#include "study/rates.h"

enum { OTHERS, REACHED, N_GROUPS };
enum { BEFORE, AFTER, N_PERIODS };

struct before_after {
    struct rates rates; /* by[0] = reached or not */
    size_t change;      /* first interval after */
    bool segmented;
    size_t lag;
};

static void find_change(struct spec *s, struct before_after *c, int32_t date)
{
    const struct calendar *calendar = &c->rates.calendar;
    if (s->status != ST_OK)
        return;
    while (c->change < calendar->n && calendar->start[c->change] < date)
        c->change++;
    if (c->change == 0 || c->change == calendar->n)
        spec_fault(s, "change", "there must be whole intervals before and after it");
}

static void read_segmented(struct spec *s, struct before_after *c)
{
    size_t n = c->rates.calendar.n;
    c->segmented = spec_bool(s, "segmented", false);
    if (!c->segmented)
        spec_refuse(s, "lag", "it belongs to \"segmented\"");
    if (s->status != ST_OK || !c->segmented)
        return;
    c->lag = (size_t)spec_int(s, "lag", 0, SEGMENT_MOST_LAG, (int64_t)segmented_lag(n));
    if (c->change < SEGMENT_LEAST || n - c->change < SEGMENT_LEAST)
        spec_fault(s, "segmented", "needs %d whole intervals before and after the change; take shorter ones",
                   SEGMENT_LEAST);
    if (s->status == ST_OK && c->lag >= n)
        spec_fault(s, "lag", "expected fewer than the %zu intervals", n);
}

static enum status before_after_parse(const struct js *specification, const struct analysis_scope *scope,
                                      void **spec, struct err *e)
{
    static const char *const measures[] = {"incidence", "prevalence", NULL};
    const char *allowed[24] = {"kind", "reached", "change", "interval", "measure", "segmented", "lag"};
    size_t n = 7;
    for (size_t i = 0; rates_members[i]; i++)
        allowed[n++] = rates_members[i];
    struct before_after *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    bool prevalence = spec_choice(&s, "measure", measures, 0) == 1;
    rates_read(&s, prevalence, &c->rates);
    c->rates.full_contribution = prevalence;
    int interval = spec_choice(&s, "interval", interval_names, INTERVAL_YEARS);
    int32_t change = spec_date(&s, "change", DATE_NONE);
    c->rates.by = arena_array(scope->arena, 1, sizeof *c->rates.by);
    c->rates.n_by = 1;
    spec_dimension(&s, js_get(specification, "reached"), spec_path(&s, "reached"), c->rates.by);
    if (s.status == ST_OK && c->rates.by->n_levels != N_GROUPS)
        spec_fault(&s, "reached", "expected a dimension with the levels no and yes: concept or cohort");
    rates_prepare(&s, (enum interval_kind)interval, true, &c->rates);
    find_change(&s, c, change);
    read_segmented(&s, c);
    *spec = c;
    return spec_done(&s);
}

static enum status before_after_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    *n = rates_n_sums(&((const struct before_after *)spec)->rates);
    return spec_no_parameters(parameters, e);
}

static enum status before_after_local(const void *spec, const struct js *parameters,
                                      const struct study_site *site, struct sums *out, struct err *e)
{
    (void)parameters;
    return rates_sums(&((const struct before_after *)spec)->rates, site, out, e);
}

static enum status before_after_members(const void *spec, const struct study_site *site, struct members *into,
                                        struct err *e)
{
    return rates_collect(&((const struct before_after *)spec)->rates, NULL, site, into, e);
}

/* A share or rate per 1,000 person-years, with its variance. */
struct figure {
    double persons, event_persons, numerator, denominator, value, variance;
};

static void add_interval(const struct rates *r, const struct sums *total, size_t interval, size_t group,
                         struct figure *out)
{
    size_t at = (interval * N_GROUPS + group) * RATES_N_FIGURES;
    double persons = (double)sums_get_count(total, at + RATES_PERSONS),
           with = (double)sums_get_count(total, at + RATES_EVENT_PERSONS),
           events = (double)sums_get_count(total, at + RATES_EVENTS),
           years = (double)sums_get_count(total, at + RATES_DAYS) / DAYS_PER_YEAR;
    out->persons += persons;
    out->event_persons += with;
    out->numerator += r->prevalence ? with : events;
    out->denominator += r->prevalence ? persons : years;
}

static void finish_figure(const struct rates *r, struct figure *f)
{
    double share = f->numerator / f->denominator, scale = r->prevalence ? 1 : 1000;
    f->value = scale * share;
    f->variance = scale * scale * share * (r->prevalence ? 1 - share : 1) / f->denominator;
}

static void fill(const struct rates *r, const struct figure *f, struct result_cell *cell)
{
    struct interval i = r->prevalence ? interval_wilson(f->numerator, f->denominator, 0.95)
                                      : interval_poisson(f->numerator, 0.95);
    double scale = r->prevalence ? 1 : 1000 / f->denominator;
    cell->persons = (int64_t)f->persons;
    cell->event_persons = (int64_t)f->event_persons;
    cell->numerator = f->numerator;
    cell->denominator = f->denominator;
    cell->value = f->value;
    cell->lower = f->denominator > 0 ? i.lower * scale : (double)NAN;
    cell->upper = f->denominator > 0 ? i.upper * scale : (double)NAN;
}

static void series_table(const struct before_after *c, const struct sums *total, const char *unit,
                         struct result *into)
{
    const struct rates *r = &c->rates;
    struct dimension dimensions[] = {plain_dimension("interval", r->calendar.labels, r->calendar.n),
                                     r->by[0]};
    dimensions[0].no_total = dimensions[1].no_total = true;
    struct result_table *t = table_new(into, table_name(into, r->name, "series"), "Figures by interval", unit,
                                       OUTPUT_RATE, dimensions, 2);
    t->picture = PICTURE_SERIES;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        struct figure f = {0};
        add_interval(r, total, t->cells[i].at[0], t->cells[i].at[1], &f);
        finish_figure(r, &f);
        fill(r, &f, &t->cells[i]);
    }
}

static void effect_cell(const struct figure *smallest, double value, double variance,
                        struct result_cell *cell)
{
    double width = normal_z(0.95) * sqrt(variance);
    table_rests_on(cell, smallest->persons, smallest->event_persons);
    cell->value = value;
    cell->lower = value - width;
    cell->upper = value + width;
}

static void effect_table(const struct before_after *c, struct figure f[N_GROUPS][N_PERIODS], const char *unit,
                         struct result *into)
{
    static const char *names[] = {"change in those reached", "change in the comparator",
                                  "difference in differences"};
    struct result_table *t =
        table_of_list(into, table_name(into, c->rates.name, "effect"), "Before and after, with a comparator",
                      unit, OUTPUT_RATE, "figure", names, 3);
    const struct figure *smallest = &f[0][0];
    double change[N_GROUPS], variance[N_GROUPS];
    for (int g = 0; g < N_GROUPS; g++) {
        change[g] = f[g][AFTER].value - f[g][BEFORE].value;
        variance[g] = f[g][AFTER].variance + f[g][BEFORE].variance;
        for (int p = 0; p < N_PERIODS; p++)
            smallest = f[g][p].event_persons < smallest->event_persons ? &f[g][p] : smallest;
    }
    effect_cell(smallest, change[REACHED], variance[REACHED], &t->cells[0]);
    effect_cell(smallest, change[OTHERS], variance[OTHERS], &t->cells[1]);
    effect_cell(smallest, change[REACHED] - change[OTHERS], variance[REACHED] + variance[OTHERS],
                &t->cells[2]);
}

/* What the terms of a series rest on: the smaller of its periods. Persons come again in every interval, so
   that the largest interval is the count that is sure; first events do not. */
struct support {
    double persons, events;
};

static struct support period_support(const struct before_after *c, const struct sums *total, size_t group,
                                     size_t first, size_t end)
{
    bool once = !c->rates.prevalence && !c->rates.repeated;
    struct support s = {0, 0};
    for (size_t i = first; i < end; i++) {
        struct figure f = {0};
        add_interval(&c->rates, total, i, group, &f);
        s.persons = fmax(s.persons, f.persons);
        s.events = once ? s.events + f.event_persons : fmax(s.events, f.event_persons);
    }
    return s;
}

static struct support least(struct support a, struct support b)
{
    return (struct support){fmin(a.persons, b.persons), fmin(a.events, b.events)};
}

static struct support group_support(const struct before_after *c, const struct sums *total, size_t group)
{
    return least(period_support(c, total, group, 0, c->change),
                 period_support(c, total, group, c->change, c->rates.calendar.n));
}

static void segmented_cells(const struct before_after *c, const double *y, struct support support,
                            struct result_cell *cells)
{
    struct segmented fit;
    struct err missing;
    bool fitted = segmented_fit(y, c->rates.calendar.n, c->change, c->lag, 0.95, &fit, &missing) == ST_OK;
    const struct estimate *shown[] = {&fit.terms[SEGMENT_TREND], &fit.terms[SEGMENT_LEVEL_CHANGE],
                                      &fit.terms[SEGMENT_TREND_CHANGE], &fit.trend_after};
    for (size_t k = 0; k < sizeof shown / sizeof *shown; k++) {
        cells[k].persons = cells[k].level_persons = (int64_t)support.persons;
        cells[k].numerator = support.events;
        cells[k].value = fitted ? shown[k]->value : (double)NAN; /* an interval without anybody */
        cells[k].lower = fitted ? shown[k]->lower : (double)NAN;
        cells[k].upper = fitted ? shown[k]->upper : (double)NAN;
    }
}

static void segmented_table(const struct before_after *c, const struct sums *total, const char *unit,
                            struct result *into)
{
    enum { SERIES = 3, TERMS = 4 };
    static const char *series[] = {"comparator", "those reached", "difference"},
                      *terms[] = {"trend before", "change in level", "change in trend", "trend after"};
    size_t n = c->rates.calendar.n;
    struct dimension dimensions[] = {plain_dimension("series", series, SERIES),
                                     plain_dimension("term", terms, TERMS)};
    dimensions[0].no_total = dimensions[1].no_total = true;
    struct result_table *t = table_new(
        into, table_name(into, c->rates.name, "segmented"),
        arena_printf(into->arena, "Interrupted time series (Newey-West errors, lag %zu)", c->lag),
        arena_printf(into->arena, "%s; trends per interval", unit), OUTPUT_REGRESSION, dimensions, 2);
    t->picture = PICTURE_NONE;
    double *y = arena_array(into->arena, SERIES * n, sizeof *y);
    for (size_t i = 0; i < n; i++) {
        for (size_t g = 0; g < N_GROUPS; g++) {
            struct figure f = {0};
            add_interval(&c->rates, total, i, g, &f);
            finish_figure(&c->rates, &f);
            y[g * n + i] = f.value;
        }
        y[N_GROUPS * n + i] = y[REACHED * n + i] - y[OTHERS * n + i];
    }
    struct support support[] = {group_support(c, total, OTHERS), group_support(c, total, REACHED), {0, 0}};
    support[N_GROUPS] = least(support[OTHERS], support[REACHED]);
    for (size_t k = 0; k < SERIES; k++)
        segmented_cells(c, y + k * n, support[k], t->cells + k * TERMS);
    t->persons = (int64_t)support[N_GROUPS].persons;
    t->parameters = SEGMENT_TERMS;
    t->degrees_of_freedom = (int64_t)n - SEGMENT_TERMS;
}

static enum status before_after_finish(const void *spec, const struct js *parameters,
                                       const struct sums *total, const struct js *state, struct result *into,
                                       struct err *e)
{
    (void)parameters, (void)state, (void)e;
    const struct before_after *c = spec;
    const char *unit = c->rates.prevalence ? "share of persons" : "per 1,000 person-years";
    struct figure f[N_GROUPS][N_PERIODS] = {0};
    series_table(c, total, unit, into);
    for (size_t i = 0; i < c->rates.calendar.n; i++)
        for (size_t g = 0; g < N_GROUPS; g++)
            add_interval(&c->rates, total, i, g, &f[g][i < c->change ? BEFORE : AFTER]);
    for (int g = 0; g < N_GROUPS; g++)
        for (int p = 0; p < N_PERIODS; p++)
            finish_figure(&c->rates, &f[g][p]);
    effect_table(c, f, unit, into);
    if (c->segmented)
        segmented_table(c, total, unit, into);
    return ST_OK;
}

const struct analysis before_after_analysis = {
    .kind = "before_after",
    .summary = "before and after a change, with a comparator: difference in differences",
    .template = "{\"kind\": \"before_after\", \"name\": \"effect\", \"measure\": \"incidence\", \"outcome\": "
                "\"outcome\","
                " \"from\": \"2020-01-01\", \"to\": \"2023-12-31\", \"change\": \"2022-01-01\", "
                "\"interval\": \"years\","
                " \"reached\": {\"by\": \"cohort\", \"cohort\": \"target\"}}",
    .output = OUTPUT_RATE,
    .parse = before_after_parse,
    .size = before_after_size,
    .part_persons = PART_PERSONS,
    .local = before_after_local,
    .members = before_after_members,
    .finish = before_after_finish,
};
