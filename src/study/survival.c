/* SPDX-License-Identifier: Apache-2.0
 *
 * survival: Kaplan-Meier curves with limits and numbers at risk, log-rank, cumulative incidence where a
 * competing event is named, and restricted mean, on a time grid that is the same at every site. A step is
 * `step_days` long; the events of a step happen before its censorings, and everybody who has not left by its
 * beginning is at risk in it. With steps of one day this is the daily estimate, exactly.
 *
 * What is added up is, per group and step: events, competing events, censored. Everything else follows.
 */
#include <math.h>
#include <stdlib.h>

#include "base/vectors.h"
#include "stats/competing.h"
#include "stats/special.h"
#include "study/followup.h"
#include "study/tables.h"

enum { EVENTS, COMPETED, CENSORINGS, N_FIGURES };
enum { MOST_STEPS = 4000, MOST_SUMS = 1000000, MOST_GROUPS = 50 };
#define Z95 1.959963984540054

struct survival {
    const char *name;
    size_t cohort;
    struct followup followup;
    struct dimension *by; /* none or one */
    size_t n_by, n_groups, n_steps;
    int32_t step_days;
};

static enum status survival_parse(const struct js *specification, const struct analysis_scope *scope,
                                  void **spec, struct err *e)
{
    const char *allowed[16] = {"kind", "cohort", "by", "step_days"};
    size_t n = 4;
    for (size_t i = 0; followup_members[i]; i++)
        allowed[n++] = followup_members[i];
    struct survival *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    c->name = scope->name;
    c->cohort = spec_cohort(&s, "cohort", true);
    followup_read(&s, &c->followup);
    c->by = spec_dimensions(&s, "by", 1, false, &c->n_by);
    c->step_days = (int32_t)spec_int(&s, "step_days", 1, 3660, 30);
    c->n_groups = c->n_by ? c->by[0].n_levels : 1;
    int32_t horizon = c->followup.horizon;
    if (horizon == INT32_MAX)
        spec_fault(&s, "horizon_days", "required: how many days the curve covers");
    c->n_steps = horizon == INT32_MAX ? 1 : (size_t)((horizon + c->step_days - 1) / c->step_days);
    if (c->n_steps > MOST_STEPS)
        spec_fault(&s, "step_days", "makes more than %d steps up to the horizon", MOST_STEPS);
    if (c->n_groups > MOST_GROUPS)
        spec_fault(&s, "by", "makes more than %d curves", MOST_GROUPS);
    *spec = c;
    return spec_done(&s);
}

static enum status survival_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    const struct survival *c = spec;
    *n = c->n_groups * c->n_steps * N_FIGURES;
    return spec_no_parameters(parameters, e);
}

/* The place of each row's figure among the sums. Days are at least 1 and few enough for a double's division
 * to give the whole number of steps. */
VECTORS static void places_of(const struct survival *c, size_t n, const int32_t *restrict days,
                              const uint8_t *restrict status, uint32_t *restrict group)
{
    uint32_t n_steps = (uint32_t)c->n_steps;
    double step_days = c->step_days;
    for (size_t i = 0; i < n; i++) {
        uint32_t step = (uint32_t)(int32_t)((days[i] - 1) / step_days);
        uint32_t figure = status[i] == CENSORED ? CENSORINGS : status[i] == EVENT ? EVENTS : COMPETED;
        group[i] = (group[i] * n_steps + step) * N_FIGURES + figure;
    }
}

static enum status survival_local(const void *spec, const struct js *parameters,
                                  const struct study_site *site, struct sums *out, struct err *e)
{
    (void)parameters;
    const struct survival *c = spec;
    struct index_rows rows;
    index_rows_init(&site->cohorts[c->cohort], &rows);
    int32_t *days = xmalloc((rows.n + 1) * sizeof *days);
    uint8_t *status = xmalloc(rows.n + 1);
    uint32_t *group = xmalloc((rows.n + 1) * sizeof *group);
    followup_times(&c->followup, site, &rows, days, status);
    enum status st = strata_levels(c->by, c->n_by, site, &rows, group, e);
    if (st == ST_OK) {
        places_of(c, rows.n, days, status, group);
        sums_count_each(out, 0, c->n_groups * c->n_steps * N_FIGURES, group, rows.n);
    }
    free(days);
    free(status);
    free(group);
    index_rows_deinit(&rows);
    return st;
}

/* One step of one group's life table. */
struct step {
    double at_risk, events, competing;
    double survival, lower, upper;                      /* Kaplan-Meier, log-log limits */
    double incidence, incidence_lower, incidence_upper; /* Aalen-Johansen */
};

static double figure(const struct survival *c, const struct sums *total, size_t group, size_t step, int which)
{
    return (double)sums_get_count(total, (group * c->n_steps + step) * N_FIGURES + (size_t)which);
}

/* S^exp(+-z se(log S) / log S), with Greenwood's variance of log S; none where S is 0 or 1. */
static void log_log_limits(double s, double greenwood, double *lower, double *upper)
{
    *lower = *upper = NAN;
    if (s <= 0 || s >= 1)
        return;
    double width = Z95 * sqrt(greenwood) / log(s);
    *lower = pow(s, exp(-width));
    *upper = pow(s, exp(width));
}

static struct step *life_table(const struct survival *c, const struct sums *total, size_t group,
                               struct arena *arena)
{
    struct step *out = arena_array(arena, c->n_steps, sizeof *out);
    double at_risk = 0, survival = 1, greenwood = 0, variance = 0;
    struct aalen aalen = {.survival = 1};
    for (size_t i = 0; i < c->n_steps; i++)
        for (int f = 0; f < N_FIGURES; f++)
            at_risk += figure(c, total, group, i, f);
    for (size_t i = 0; i < c->n_steps; i++) {
        struct step *s = &out[i];
        s->at_risk = at_risk;
        s->events = figure(c, total, group, i, EVENTS);
        s->competing = figure(c, total, group, i, COMPETED);
        double censored = figure(c, total, group, i, CENSORINGS),
               share = at_risk > 0 ? s->events / at_risk : 0;
        survival *= 1 - share;
        greenwood += at_risk > s->events ? share / (at_risk - s->events) : 0;
        s->survival = survival;
        log_log_limits(survival, greenwood, &s->lower, &s->upper);
        if (s->events + s->competing > 0)
            variance = aalen_time(&aalen, s->events, s->competing, at_risk);
        s->incidence = aalen.incidence;
        cif_limits(s->incidence, sqrt(fmax(0, variance)), 0.95, &s->incidence_lower, &s->incidence_upper);
        at_risk -= s->events + s->competing + censored;
    }
    return out;
}

static struct dimension step_dimension(const struct survival *c, struct arena *a)
{
    const char **labels = arena_array(a, c->n_steps, sizeof *labels);
    for (size_t i = 0; i < c->n_steps; i++) {
        int32_t last = (int32_t)(i + 1) * c->step_days;
        labels[i] = arena_printf(a, "day %d", last < c->followup.horizon ? last : c->followup.horizon);
    }
    struct dimension d = plain_dimension("time", labels, c->n_steps);
    d.no_total = true;
    return d;
}

static struct dimension group_dimension(const struct survival *c, struct arena *a)
{
    const char **all = arena_alloc(a, sizeof *all);
    *all = "all";
    struct dimension d = c->n_by ? c->by[0] : plain_dimension("group", all, 1);
    d.no_total = true;
    return d;
}

static void curve_table(const struct survival *c, struct step *const *tables, bool incidence,
                        struct result *into)
{
    struct dimension dimensions[2] = {group_dimension(c, into->arena), step_dimension(c, into->arena)};
    struct result_table *t =
        table_new(into, table_name(into, c->name, incidence ? "cumulative_incidence" : "curve"),
                  incidence ? "Cumulative incidence (Aalen-Johansen)" : "Survival (Kaplan-Meier)",
                  "share of persons", OUTPUT_SURVIVAL, dimensions, 2);
    t->picture = incidence ? PICTURE_INCIDENCE : PICTURE_SURVIVAL;
    for (size_t g = 0; g < c->n_groups; g++)
        for (size_t i = 0; i < c->n_steps; i++) {
            struct result_cell *cell = &t->cells[g * c->n_steps + i];
            const struct step *s = &tables[g][i];
            cell->persons = (int64_t)s->at_risk;
            cell->denominator = s->at_risk;
            cell->numerator = s->events;
            cell->value = incidence ? s->incidence : s->survival;
            cell->lower = incidence ? s->incidence_lower : s->lower;
            cell->upper = incidence ? s->incidence_upper : s->upper;
        }
}

/* Steps between two columns of numbers at risk: 4 to 7 columns, at days as round as the steps allow. */
static size_t at_risk_every(const struct survival *c)
{
    static const size_t days[] = {365, 360, 180, 100, 90, 50, 30, 10, 7, 1};
    size_t least = (c->n_steps + 6) / 7, most = (c->n_steps + 3) / 4;
    for (size_t i = 0; i < sizeof days / sizeof *days; i++)
        for (size_t every = least; every <= most; every++)
            if (every * (size_t)c->step_days % days[i] == 0)
                return every;
    return most;
}

/* How many are at risk at the start of these steps: each set is within the one before. */
static void at_risk_table(const struct survival *c, struct step *const *tables, struct result *into)
{
    size_t every = at_risk_every(c), n = (c->n_steps - 1) / every + 1;
    const char **labels = arena_array(into->arena, n, sizeof *labels);
    for (size_t i = 0; i < n; i++)
        labels[i] = arena_printf(into->arena, "day %zu", i * every * (size_t)c->step_days);
    struct dimension dimensions[2] = {group_dimension(c, into->arena),
                                      plain_dimension("at risk on", labels, n)};
    dimensions[1].no_total = true;
    struct result_table *t = table_new(into, table_name(into, c->name, "at_risk"), "Number at risk",
                                       "persons", OUTPUT_COUNT, dimensions, 2);
    t->dimensions[1].nested = true;
    t->picture = PICTURE_NONE;
    for (uint64_t k = 0; k < t->n_cells; k++) {
        double persons = tables[t->cells[k].at[0]][t->cells[k].at[1] * every].at_risk;
        t->cells[k].persons = (int64_t)persons;
        t->cells[k].value = persons;
    }
}

/* Groups that have anybody, and one step's counts of them. */
struct groups {
    size_t n, *of;
    double *events, *competing, *at_risk, persons;
};

static struct groups groups_of(const struct survival *c, struct step *const *tables, struct arena *a)
{
    struct groups g = {0,
                       arena_array(a, c->n_groups, sizeof *g.of),
                       arena_array(a, c->n_groups, sizeof(double)),
                       arena_array(a, c->n_groups, sizeof(double)),
                       arena_array(a, c->n_groups, sizeof(double)),
                       0};
    for (size_t i = 0; i < c->n_groups; i++) {
        g.persons += tables[i][0].at_risk;
        if (tables[i][0].at_risk > 0)
            g.of[g.n++] = i;
    }
    return g;
}

static void read_step(struct groups *g, struct step *const *tables, size_t step)
{
    for (size_t i = 0; i < g->n; i++) {
        const struct step *s = &tables[g->of[i]][step];
        g->events[i] = s->events;
        g->competing[i] = s->competing;
        g->at_risk[i] = s->at_risk;
    }
}

static void test_table(const struct survival *c, const char *suffix, const char *title,
                       const struct test *test, double persons, struct result *into)
{
    static const char *names[] = {"chi-squared", "degrees of freedom", "p-value"};
    struct result_table *t = table_of_list(into, table_name(into, c->name, suffix), title, "as named",
                                           OUTPUT_TEST, "statistic", names, 3);
    t->persons = (int64_t)persons;
    t->degrees_of_freedom = (int64_t)(persons - test->df);
    t->cells[0].value = test->statistic;
    t->cells[1].value = test->df;
    t->cells[2].value = test->p;
    for (int i = 0; i < 3; i++)
        t->cells[i].persons = t->persons;
}

/* Are the groups' hazards the same (log-rank), and their cumulative incidences (Gray)? */
static void group_tests(const struct survival *c, struct step *const *tables, struct result *into)
{
    struct groups g = groups_of(c, tables, into->arena);
    if (g.n < 2)
        return;
    struct logrank log_rank;
    struct gray *gray = gray_new(g.n, 0, into->arena);
    logrank_init(&log_rank, g.n, 0, into->arena);
    double any = 0;
    for (size_t i = 0; i < c->n_steps; i++) {
        double here = 0;
        read_step(&g, tables, i);
        logrank_time(&log_rank, g.events, g.at_risk);
        for (size_t k = 0; k < g.n; k++) {
            here += g.events[k] + g.competing[k];
            any += g.events[k];
        }
        if (here > 0)
            gray_time(gray, g.events, g.competing, g.at_risk);
    }
    struct test t = logrank_test(&log_rank);
    test_table(c, "log_rank", "Log-rank test", &t, g.persons, into);
    if (c->followup.competing == SIZE_MAX || any == 0)
        return;
    t = gray_test(gray);
    test_table(c, "gray", "Gray's test of equal cumulative incidence", &t, g.persons, into);
}

/* Area under the curve up to the horizon, with its variance: sum of (area after)^2 d / (n (n - d)). */
static void restricted_mean(const struct survival *c, const struct step *s, double *mean, double *se)
{
    double after = 0, variance = 0;
    for (size_t i = c->n_steps; i-- > 0;) {
        double begin = (double)i * c->step_days, end = fmin(begin + c->step_days, c->followup.horizon);
        double n = s[i].at_risk, d = s[i].events;
        variance += n > d ? after * after * d / (n * (n - d)) : 0;
        after += (end - begin) * (i ? s[i - 1].survival : 1);
    }
    *mean = after;
    *se = sqrt(variance);
}

static void mean_table(const struct survival *c, struct step *const *tables, struct result *into)
{
    struct dimension group = group_dimension(c, into->arena);
    struct result_table *t =
        table_new(into, table_name(into, c->name, "restricted_mean"),
                  "Restricted mean survival time up to the horizon", "days", OUTPUT_RATE, &group, 1);
    for (size_t g = 0; g < c->n_groups; g++) {
        double mean, se, events = 0;
        for (size_t i = 0; i < c->n_steps; i++)
            events += tables[g][i].events;
        restricted_mean(c, tables[g], &mean, &se);
        struct result_cell *cell = &t->cells[g];
        table_rests_on(cell, tables[g][0].at_risk, events);
        cell->value = mean;
        cell->lower = mean - Z95 * se;
        cell->upper = mean + Z95 * se;
    }
}

static enum status survival_finish(const void *spec, const struct js *parameters, const struct sums *total,
                                   const struct js *state, struct result *into, struct err *e)
{
    (void)parameters, (void)state, (void)e;
    const struct survival *c = spec;
    struct step **tables = arena_array(into->arena, c->n_groups, sizeof *tables);
    for (size_t g = 0; g < c->n_groups; g++)
        tables[g] = life_table(c, total, g, into->arena);
    curve_table(c, tables, false, into);
    if (c->followup.competing != SIZE_MAX)
        curve_table(c, tables, true, into);
    at_risk_table(c, tables, into);
    mean_table(c, tables, into);
    group_tests(c, tables, into);
    return ST_OK;
}

const struct analysis survival_analysis = {
    .kind = "survival",
    .summary = "Kaplan-Meier, log-rank, restricted mean; with a competing event cumulative incidence and "
               "Gray's test",
    .template = "{\"kind\": \"survival\", \"name\": \"km\", \"cohort\": \"target\", \"outcome\": \"outcome\","
                " \"horizon_days\": 1825, \"step_days\": 30, \"by\": [\"sex\"]}",
    .output = OUTPUT_SURVIVAL,
    .parse = survival_parse,
    .size = survival_size,
    .part_persons = PART_PERSONS,
    .local = survival_local,
    .finish = survival_finish,
};
