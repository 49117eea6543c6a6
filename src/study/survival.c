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

#include "stats/linalg.h"
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

static enum status survival_local(const void *spec, const struct js *parameters,
                                  const struct study_site *site, struct sums *out, struct err *e)
{
    (void)parameters;
    static const int figure_of[] = {[CENSORED] = CENSORINGS, [EVENT] = EVENTS, [COMPETING] = COMPETED};
    const struct survival *c = spec;
    struct index_rows rows;
    index_rows_init(&site->cohorts[c->cohort], &rows);
    int32_t *days = xmalloc((rows.n + 1) * sizeof *days);
    uint8_t *status = xmalloc(rows.n + 1);
    uint32_t *group = xmalloc((rows.n + 1) * sizeof *group);
    followup_times(&c->followup, site, &rows, days, status);
    enum status st = strata_levels(c->by, c->n_by, site, &rows, group, e);
    for (size_t i = 0; st == ST_OK && i < rows.n; i++) {
        size_t step = (size_t)((days[i] - 1) / c->step_days);
        sums_count(out, (group[i] * c->n_steps + step) * N_FIGURES + (size_t)figure_of[status[i]], 1);
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

/* Aalen's variance of the cumulative incidence, by its sums so far (R's survfit and cmprsk::cuminc agree to
   its order): sum over steps of (F(t) - F_j)^2 v_j + ... expanded in powers of F(t). */
struct aalen {
    double v0, v1, v2; /* coefficients of F^2, F, 1 */
};

static void aalen_add(struct aalen *a, const struct step *s, double before, double f)
{
    double n = s->at_risk, d = s->events, all = s->events + s->competing;
    if (n <= 0 || all <= 0)
        return;
    double g = n > all ? all / (n * (n - all)) : 0;
    double own = before * before * d * (n - d) / (n * n * n);
    double cross = before * d / (n * n);
    a->v0 += g;
    a->v1 += -2 * f * g - 2 * cross;
    a->v2 += f * f * g + own + 2 * f * cross;
}

static struct step *life_table(const struct survival *c, const struct sums *total, size_t group,
                               struct arena *arena)
{
    struct step *out = arena_array(arena, c->n_steps, sizeof *out);
    double at_risk = 0, survival = 1, greenwood = 0, all_survival = 1, incidence = 0;
    struct aalen aalen = {0, 0, 0};
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
        incidence += all_survival * share;
        aalen_add(&aalen, s, all_survival, incidence);
        all_survival *= at_risk > 0 ? 1 - (s->events + s->competing) / at_risk : 1;
        s->incidence = incidence;
        double se = sqrt(fmax(0, aalen.v0 * incidence * incidence + aalen.v1 * incidence + aalen.v2));
        s->incidence_lower = fmax(0, incidence - Z95 * se);
        s->incidence_upper = fmin(1, incidence + Z95 * se);
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

/* Observed less expected events per group and their hypergeometric covariance, over all steps. */
static void log_rank_sums(const struct survival *c, struct step *const *tables, double *difference,
                          double *covariance)
{
    size_t k = c->n_groups;
    for (size_t i = 0; i < c->n_steps; i++) {
        double n = 0, d = 0;
        for (size_t g = 0; g < k; g++) {
            n += tables[g][i].at_risk;
            d += tables[g][i].events;
        }
        double v = n > 1 ? d * (n - d) / (n - 1) : 0;
        for (size_t g = 0; n > 0 && g < k; g++) {
            double share = tables[g][i].at_risk / n;
            difference[g] += tables[g][i].events - d * share;
            for (size_t h = 0; h < k; h++)
                covariance[g * k + h] += v * share * ((g == h) - tables[h][i].at_risk / n);
        }
    }
}

static void log_rank(const struct survival *c, struct step *const *tables, struct result *into)
{
    static const char *names[] = {"chi-squared", "degrees of freedom", "p-value"};
    size_t k = c->n_groups, rank;
    double *difference = arena_array(into->arena, k, sizeof *difference);
    double *covariance = arena_array(into->arena, k * k, sizeof *covariance);
    log_rank_sums(c, tables, difference, covariance);
    double persons = 0, chi2 = quadratic_inverse(covariance, difference, k, 1e-9, &rank);
    for (size_t g = 0; g < k; g++)
        persons += tables[g][0].at_risk;
    struct result_table *t = table_of_list(into, table_name(into, c->name, "log_rank"), "Log-rank test",
                                           "as named", OUTPUT_TEST, "statistic", names, 3);
    t->persons = (int64_t)persons;
    t->degrees_of_freedom = (int64_t)persons - (int64_t)rank;
    t->cells[0].value = chi2;
    t->cells[1].value = (double)rank;
    t->cells[2].value = rank ? chi2_upper(chi2, (double)rank) : (double)NAN;
    for (int i = 0; i < 3; i++)
        t->cells[i].persons = t->persons;
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
    mean_table(c, tables, into);
    if (c->n_groups > 1)
        log_rank(c, tables, into);
    return ST_OK;
}

const struct analysis survival_analysis = {
    .kind = "survival",
    .summary = "Kaplan-Meier, log-rank, restricted mean, cumulative incidence with a competing event",
    .template = "{\"kind\": \"survival\", \"name\": \"km\", \"cohort\": \"target\", \"outcome\": \"outcome\","
                " \"horizon_days\": 1825, \"step_days\": 30, \"by\": [\"sex\"]}",
    .output = OUTPUT_SURVIVAL,
    .parse = survival_parse,
    .size = survival_size,
    .local = survival_local,
    .finish = survival_finish,
};
