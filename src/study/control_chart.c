/* SPDX-License-Identifier: Apache-2.0
 *
 * control_chart: has a rate or share changed over time by more than chance? An XmR chart with the rules of
 * NHS England's "Making Data Count" over calendar intervals and, where a ratio to look out for is given, a
 * CUSUM against the first intervals. The sums are those of incidence and prevalence.
 */
#include <math.h>

#include "stats/xmr.h"
#include "study/rates.h"

enum { LEAST_INTERVALS = 12, LEAST_BASELINE = 6 };
enum { VALUE, MEAN, LOWER, UPPER, SIGNAL, CUSUM, MOST_FIGURES };

struct control_chart {
    struct rates rates;
    double multiplier, ratio; /* ratio 0 = no CUSUM */
    int64_t fix_after;
};

static enum status chart_parse(const struct js *specification, const struct analysis_scope *scope,
                               void **spec, struct err *e)
{
    static const char *const measures[] = {"incidence", "prevalence", NULL};
    const char *allowed[24] = {"kind", "measure", "interval", "multiplier", "fix_after", "cusum_ratio"};
    size_t n = 6;
    for (size_t i = 0; rates_members[i]; i++)
        allowed[n++] = rates_members[i];
    struct control_chart *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    bool prevalence = spec_choice(&s, "measure", measures, 0) == 1;
    rates_read(&s, prevalence, &c->rates);
    int interval = spec_choice(&s, "interval", interval_names, INTERVAL_MONTHS);
    c->multiplier = spec_number(&s, "multiplier", 1, 1e6, prevalence ? 1 : 1e5);
    c->ratio = spec_number(&s, "cusum_ratio", 0.1, 10, 0);
    c->fix_after = spec_int(&s, "fix_after", LEAST_BASELINE, 1000, 0);
    rates_prepare(&s, (enum interval_kind)interval, true, &c->rates);
    if (s.status == ST_OK && c->rates.calendar.n < LEAST_INTERVALS)
        spec_fault(&s, "to", "a control chart needs at least %d whole intervals, here are %zu",
                   LEAST_INTERVALS, c->rates.calendar.n);
    if (s.status == ST_OK && c->fix_after > (int64_t)c->rates.calendar.n)
        spec_fault(&s, "fix_after", "there are only %zu intervals", c->rates.calendar.n);
    if (s.status == ST_OK && c->ratio == 1)
        spec_fault(&s, "cusum_ratio", "a ratio of 1 is no change to look out for");
    if (s.status == ST_OK && c->ratio > 0 && !c->fix_after)
        spec_fault(&s, "fix_after", "a CUSUM compares with the first intervals: say how many");
    *spec = c;
    return spec_done(&s);
}

static enum status chart_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    *n = rates_n_sums(&((const struct control_chart *)spec)->rates);
    return spec_no_parameters(parameters, e);
}

static enum status chart_local(const void *spec, const struct js *parameters, const struct study_site *site,
                               struct sums *out, struct err *e)
{
    (void)parameters;
    return rates_sums(&((const struct control_chart *)spec)->rates, site, out, e);
}

static enum status chart_members(const void *spec, const struct study_site *site, struct members *into,
                                 struct err *e)
{
    return rates_collect(&((const struct control_chart *)spec)->rates, NULL, site, into, e);
}

/* One interval: cases over people, or events over years. */
struct point {
    double persons, event_persons, observed, exposed;
};

static struct point point_of(const struct control_chart *c, const struct sums *total, size_t i)
{
    size_t at = i * RATES_N_FIGURES;
    struct point p = {.persons = (double)sums_get_count(total, at + RATES_PERSONS),
                      .event_persons = (double)sums_get_count(total, at + RATES_EVENT_PERSONS)};
    p.observed = c->rates.prevalence ? p.event_persons : (double)sums_get_count(total, at + RATES_EVENTS);
    p.exposed =
        c->rates.prevalence ? p.persons : (double)sums_get_count(total, at + RATES_DAYS) / DAYS_PER_YEAR;
    return p;
}

/* S = max(0, S + W): S. Steiner et al., Biostatistics 1 (2000) 441, summed over an interval's people (odds
   ratio R; share p before) or, for events in person-time, the Poisson form (rate ratio R). For a ratio below
   1 it looks out for a fall. */
static void cusum(const struct control_chart *c, const struct point *p, size_t n, double *out)
{
    double observed = 0, exposed = 0, s = 0;
    for (int64_t i = 0; i < c->fix_after; i++) {
        observed += p[i].observed;
        exposed += p[i].exposed;
    }
    double rate = observed / exposed, r = c->ratio;
    for (size_t i = 0; i < n; i++) {
        double each = c->rates.prevalence ? log(1 - rate + r * rate) : rate * (r - 1);
        s = fmax(0, s + p[i].observed * log(r) - p[i].exposed * each);
        out[i] = s;
    }
}

/* 1 and -1: a special cause on the high and on the low side. */
static int signal_of(enum xmr_cause cause)
{
    bool high =
        cause == XMR_ABOVE || cause == XMR_RISING || cause == XMR_2_OF_3_HIGH || cause == XMR_RUN_HIGH;
    return cause == XMR_COMMON ? 0 : high ? 1 : -1;
}

/* Mean and limits are sums over all points: one hidden point would follow from them. They rest on the least
   of the intervals. */
static struct point least_of(const struct point *p, size_t n)
{
    struct point least = p[0];
    for (size_t i = 1; i < n; i++) {
        least.persons = fmin(least.persons, p[i].persons);
        least.event_persons = fmin(least.event_persons, p[i].event_persons);
    }
    return least;
}

static struct result_table *chart_table(const struct control_chart *c, struct result *into)
{
    static const char *names[] = {
        "value", "mean", "lower limit", "upper limit", "special cause: 1 high, -1 low, 0 none", "CUSUM"};
    struct dimension dimensions[] = {
        plain_dimension("interval", c->rates.calendar.labels, c->rates.calendar.n),
        plain_dimension("figure", names, c->ratio > 0 ? MOST_FIGURES : CUSUM)};
    dimensions[0].no_total = dimensions[1].no_total = true;
    const char *unit = "share of persons";
    if (c->multiplier != 1)
        unit = arena_printf(into->arena, "per %g %s", c->multiplier,
                            c->rates.prevalence ? "persons" : "person-years");
    struct result_table *t = table_new(into, table_name(into, c->rates.name, ""), "Control chart (XmR)", unit,
                                       OUTPUT_RATE, dimensions, 2);
    t->picture = PICTURE_CONTROL;
    return t;
}

static enum status chart_finish(const void *spec, const struct js *parameters, const struct sums *total,
                                const struct js *state, struct result *into, struct err *e)
{
    (void)parameters, (void)state;
    const struct control_chart *c = spec;
    size_t n = c->rates.calendar.n, figures = c->ratio > 0 ? MOST_FIGURES : CUSUM;
    struct point *p = arena_array(into->arena, n, sizeof *p);
    double *y = arena_array(into->arena, n, sizeof *y), *s = arena_array(into->arena, n, sizeof *s);
    struct xmr_point *x = arena_array(into->arena, n, sizeof *x);
    for (size_t i = 0; i < n; i++) {
        p[i] = point_of(c, total, i);
        y[i] = p[i].observed / p[i].exposed * c->multiplier;
        if (!(p[i].exposed > 0))
            return err_set(e, ST_INVALID,
                           "a control chart needs people at risk in every interval; there is nobody in %s",
                           c->rates.calendar.labels[i]);
    }
    enum status st = stats_xmr(y, n, NULL, (size_t)c->fix_after, true, x, e);
    if (st != ST_OK)
        return st;
    if (c->ratio > 0)
        cusum(c, p, n, s);
    struct result_table *t = chart_table(c, into);
    struct point least = least_of(p, n);
    for (size_t i = 0; i < n; i++) {
        double values[] = {y[i], x[i].mean, x[i].lower, x[i].upper, signal_of(x[i].cause), s[i]};
        for (size_t f = 0; f < figures; f++) {
            const struct point *rests = f == VALUE ? &p[i] : &least;
            struct result_cell *cell = &t->cells[i * figures + f];
            table_rests_on(cell, rests->persons, rests->event_persons);
            cell->value = values[f];
        }
    }
    return ST_OK;
}

const struct analysis control_chart_analysis = {
    .kind = "control_chart",
    .summary = "XmR chart and CUSUM of a rate or share over time",
    .template =
        "{\"kind\": \"control_chart\", \"name\": \"spc\", \"measure\": \"incidence\", \"outcome\": "
        "\"outcome\","
        " \"from\": \"2022-01-01\", \"to\": \"2024-12-31\", \"interval\": \"months\", \"washout_days\": "
        "0,"
        " \"repeated_events\": true, \"fix_after\": 12, \"cusum_ratio\": 2}",
    .output = OUTPUT_RATE,
    .parse = chart_parse,
    .size = chart_size,
    .part_persons = PART_PERSONS,
    .local = chart_local,
    .members = chart_members,
    .finish = chart_finish,
};
