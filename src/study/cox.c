/* SPDX-License-Identifier: Apache-2.0
 *
 * cox: proportional hazards, Efron's ties. Stratified by site unless told otherwise: each site has its own
 * baseline hazard and only its gradient and information leave it. That is exact, and it is the honest model
 * where sites' base rates differ. With one baseline in common the risk sets of all sites belong together, and
 * their sums at each event time would show single people: time is cut into cells first, of one or more steps,
 * each with enough events and censorings over all sites (hazards.h).
 *
 * Rounds: a start from the sites' own fits (and, for a common baseline, events and censorings per step),
 * Newton steps, and at the estimate the sums of the test of proportional hazards.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/linalg.h"
#include "study/followup.h"
#include "study/hazards.h"
#include "study/models.h"
#include "study/tables.h"
#include "study/no_estimate.h"

enum { BASELINE_SITE, BASELINE_COMMON };
enum { MOST_STEPS = 4000, EVENTS_PER_COLUMN = 3 };
#define ALIAS_TOLERANCE 1e-9

struct cox {
    const char *name;
    size_t cohort;
    struct followup followup;
    struct design design;
    int baseline;
    enum hazard_transform transform;
    int32_t step_days;
    size_t n_steps;
    int64_t least; /* events, and censorings if there are any, of a cell */
};

/* The members that belong to a common baseline. */
static void read_grid(struct spec *s, struct cox *c)
{
    int32_t horizon = c->followup.horizon;
    c->step_days = (int32_t)spec_int(s, "step_days", 1, 3660, 7);
    c->least = spec_int(s, "min_events", 5, 1000000, 10);
    if (c->baseline == BASELINE_SITE) {
        spec_refuse(s, "step_days", "belongs to \"baseline\": \"common\"");
        spec_refuse(s, "min_events", "belongs to \"baseline\": \"common\"");
        return;
    }
    if (horizon == INT32_MAX) {
        spec_fault(s, "horizon_days", "required: how many days a common baseline covers");
        return;
    }
    c->n_steps = (size_t)((horizon + c->step_days - 1) / c->step_days);
    if (c->n_steps > MOST_STEPS)
        spec_fault(s, "step_days", "makes more than %d steps up to the horizon", MOST_STEPS);
    /* As few people as columns could be worked out from a cell's sums. */
    if (c->least < (int64_t)(EVENTS_PER_COLUMN * c->design.p))
        c->least = (int64_t)(EVENTS_PER_COLUMN * c->design.p);
}

static enum status cox_parse(const struct js *specification, const struct analysis_scope *scope, void **spec,
                             struct err *e)
{
    static const char *const baselines[] = {"site", "common", NULL};
    const char *allowed[20] = {"kind",      "cohort",     "covariates", "baseline",
                               "step_days", "min_events", "transform"};
    size_t n = 7;
    for (size_t i = 0; followup_members[i]; i++)
        allowed[n++] = followup_members[i];
    struct cox *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    c->name = scope->name;
    c->cohort = spec_cohort(&s, "cohort", true);
    followup_read(&s, &c->followup);
    design_read(&s, true, false, &c->design);
    c->baseline = spec_choice(&s, "baseline", baselines, BASELINE_SITE);
    c->transform = (enum hazard_transform)spec_choice(&s, "transform", hazard_transforms, TRANSFORM_IDENTITY);
    read_grid(&s, c);
    *spec = c;
    return spec_done(&s);
}

static bool is_test(const struct js *parameters)
{
    return js_bool(js_get(parameters, "test"));
}

static struct newton_form form_of(const struct cox *c)
{
    return newton_form(c->design.p, false);
}

/* Steps joined to cells, as an earlier round found them. */
static enum status check_cells(const struct cox *c, const struct js *parameters, size_t *cells, struct err *e)
{
    const struct js *list = js_get(parameters, "cells");
    int64_t last = 0;
    *cells = js_is(list, JS_ARRAY) ? js_size(list) : 0;
    bool good = *cells > 0 && *cells <= c->n_steps;
    for (size_t i = 0; good && i < *cells; i++) {
        int64_t end = js_int(js_at(list, i));
        good = end > last && end <= (int64_t)c->n_steps;
        last = end;
    }
    if (!good || last != (int64_t)c->n_steps || !(fabs(js_num(js_get(parameters, "shift"))) < 1e6))
        return err_set(e, ST_INVALID, "cells: expected ascending steps that end with %zu, and a shift",
                       c->n_steps);
    return ST_OK;
}

static enum status cox_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    const struct cox *c = spec;
    size_t p = c->design.p, cells;
    *n = newton_size(form_of(c), !parameters);
    if (!parameters) {
        *n += c->baseline == BASELINE_COMMON ? p + 2 * c->n_steps : 0;
        return ST_OK;
    }
    enum status st = newton_check(parameters, p, e);
    if (st == ST_OK && c->baseline == BASELINE_COMMON) {
        st = check_cells(c, parameters, &cells, e);
        *n = grid_size(&(struct grid){.p = p, .cells = cells});
    } else if (is_test(parameters))
        *n = hazard_test_size(p);
    return st;
}

static sum_t cox_bound(const void *spec, const struct js *parameters, size_t i)
{
    const struct cox *c = spec;
    if (parameters)
        return SUM_REAL_BOUND;
    size_t first = newton_size(form_of(c), true);
    return i < first                 ? newton_bound(form_of(c), true, i)
           : i < first + c->design.p ? SUM_REAL_BOUND
                                     : SUM_COUNT_BOUND;
}

/* Rows by days, latest first; equal days keep the order of persons. */
struct sorted {
    const int32_t *days;
    size_t row;
};

static int latest_first(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;
    int32_t dx = x->days[x->row], dy = y->days[y->row];
    if (dx != dy)
        return dx < dy ? 1 : -1;
    return (x->row > y->row) - (x->row < y->row);
}

static void sort_rows(size_t n, size_t p, double **x, int32_t *days, double *event, uint8_t *status)
{
    struct sorted *order = xmalloc((n + 1) * sizeof *order);
    double *sorted_x = xmalloc((n * p + 1) * sizeof *sorted_x),
           *sorted_event = xmalloc((n + 1) * sizeof *sorted_event);
    int32_t *sorted_days = xmalloc((n + 1) * sizeof *sorted_days);
    for (size_t i = 0; i < n; i++)
        order[i] = (struct sorted){days, i};
    qsort(order, n, sizeof *order, latest_first);
    for (size_t i = 0; i < n; i++) {
        memcpy(sorted_x + i * p, *x + order[i].row * p, p * sizeof **x);
        sorted_days[i] = days[order[i].row];
        sorted_event[i] = status[order[i].row] == EVENT;
    }
    memcpy(days, sorted_days, n * sizeof *days);
    memcpy(event, sorted_event, n * sizeof *event);
    for (size_t i = 0; i < n; i++)
        status[i] = event[i] != 0;
    free(*x);
    *x = sorted_x;
    free(order);
    free(sorted_days);
    free(sorted_event);
}

static void read_beta(const struct js *parameters, size_t p, double *beta)
{
    for (size_t i = 0; i < p; i++)
        beta[i] = js_num(js_at(js_get(parameters, "beta"), i));
}

/* The grid that a round's parameters describe; end[] has room for c->n_steps. */
static struct grid grid_of(const struct cox *c, const struct js *parameters, double *end)
{
    const struct js *list = js_get(parameters, "cells");
    struct grid g = {c->design.p, js_size(list), end};
    for (size_t i = 0; i < g.cells; i++)
        end[i] = (double)js_int(js_at(list, i)) * c->step_days;
    return g;
}

static void put_reals(const double *v, size_t n, struct sums *out)
{
    for (size_t i = 0; i < n; i++)
        sums_real(out, i, v[i]);
}

static void first_sums(const struct cox *c, const struct hazard_data *d, const double *event,
                       struct sums *out)
{
    size_t p = d->p, newton = newton_size(form_of(c), true);
    struct likelihood likelihood = {p, d, cox_at, NULL};
    struct model_counts counts = model_counts_new(p);
    struct sums start = sums_part(out, 0, newton);
    model_count(&c->design, d->x, event, d->n, &counts);
    newton_local(&likelihood, NULL, &counts, &start);
    out->failed |= start.failed;
    for (size_t i = 0; i < d->n && c->baseline == BASELINE_COMMON; i++) {
        size_t step = (size_t)((d->days[i] - 1) / c->step_days);
        for (size_t k = 0; k < p; k++)
            sums_real(out, newton + k, d->x[i * p + k]);
        sums_count(out, newton + p + 2 * step + (d->event[i] ? 0 : 1), 1);
    }
    model_counts_free(&counts);
}

/* Newton steps on the sites' own likelihoods; the cells' sums; the test's sums. */
static void later_sums(const struct cox *c, const struct js *parameters, const struct hazard_data *d,
                       struct sums *out)
{
    size_t p = d->p;
    double *beta = xcalloc(p + 1, sizeof *beta), *v = xcalloc(out->n + 1, sizeof *v),
           *end = xcalloc(c->n_steps + 1, sizeof *end);
    read_beta(parameters, p, beta);
    if (c->baseline == BASELINE_COMMON) {
        struct grid g = grid_of(c, parameters, end);
        grid_sums(&g, d, beta, js_num(js_get(parameters, "shift")), v);
        put_reals(v, out->n, out);
    } else if (is_test(parameters)) {
        hazard_test_sums(d, beta, c->transform, v);
        put_reals(v, out->n, out);
    } else {
        struct likelihood likelihood = {p, d, cox_at, NULL};
        newton_local(&likelihood, parameters, &(struct model_counts){.rows = (int64_t)d->n}, out);
    }
    free(beta);
    free(v);
    free(end);
}

static enum status cox_local(const void *spec, const struct js *parameters, const struct study_site *site,
                             struct sums *out, struct err *e)
{
    const struct cox *c = spec;
    struct index_rows rows;
    index_rows_init(&site->cohorts[c->cohort], &rows);
    size_t most = rows.n + 1;
    int32_t *days = xmalloc(most * sizeof *days);
    uint8_t *status = xmalloc(most);
    double *event = xmalloc(most * sizeof *event), *x = NULL;
    followup_times(&c->followup, site, &rows, days, status);
    struct parallel parallel[] = {{days, sizeof *days}, {status, sizeof *status}};
    enum status st = design_matrix(&c->design, site, &rows, parallel, 2, &x, e);
    if (st == ST_OK) {
        sort_rows(rows.n, c->design.p, &x, days, event, status);
        struct hazard_data data = {rows.n, c->design.p, x, days, status};
        if (parameters)
            later_sums(c, parameters, &data, out);
        else
            first_sums(c, &data, event, out);
    }
    free(x);
    free(days);
    free(status);
    free(event);
    index_rows_deinit(&rows);
    return st;
}

/* The cells and the mean of each column, from round 1. */
static void plan_grid(const struct cox *c, const struct sums *total, struct js **state)
{
    size_t p = c->design.p, newton = newton_size(form_of(c), true), n = c->n_steps;
    int64_t *events = xcalloc(n + 1, sizeof *events), *censored = xcalloc(n + 1, sizeof *censored);
    size_t *ends = xcalloc(n + 1, sizeof *ends);
    for (size_t i = 0; i < n; i++) {
        events[i] = sums_get_count(total, newton + p + 2 * i);
        censored[i] = sums_get_count(total, newton + p + 2 * i + 1);
    }
    size_t cells = grid_cells(events, censored, n, c->least, ends);
    struct js *j = js_copy(*state), *list = js_array(), *means = js_array();
    for (size_t i = 0; i < cells; i++)
        js_push(list, js_integer((int64_t)ends[i]));
    for (size_t k = 0; k < p; k++)
        js_push(means, js_real(sums_get_real(total, newton + k) / (double)js_get_int(j, "rows", 1)));
    js_put(j, "cells", list);
    js_put(j, "means", means);
    js_free(*state);
    *state = j;
    free(events);
    free(censored);
    free(ends);
    if (cells == 0)
        no_estimate_set(
            state, "few_events", js_get_int(*state, "rows", 0), NULL,
            "a common baseline needs a stretch of time with enough events, and as many censorings "
            "or none; use \"baseline\": \"site\"");
}

/* Which columns repeat others: told by the pooled information, where a site's own may not (a column that is
   the same for all of a site). */
static void alias_on_grid(const double *information, size_t p, struct js **state)
{
    bool *aliased = xcalloc(p + 1, sizeof *aliased);
    double *factor = xcalloc(p * p + 1, sizeof *factor);
    struct js *j = js_copy(*state), *list = js_array();
    memcpy(factor, information, p * p * sizeof *factor);
    ldl_factor(factor, p, ALIAS_TOLERANCE, aliased);
    for (size_t i = 0; i < p; i++)
        js_push(list, js_boolean(aliased[i]));
    js_put(j, "aliased", list);
    js_free(*state);
    *state = j;
    free(aliased);
    free(factor);
}

static double *reals(const struct sums *total)
{
    double *v = xcalloc(total->n + 1, sizeof *v);
    for (size_t i = 0; i < total->n; i++)
        v[i] = sums_get_real(total, i);
    return v;
}

/* The cells' totals as those of a Newton round. */
static void newton_of_grid(const struct cox *c, const struct js *parameters, const struct sums *total,
                           struct js **state, struct sums *out)
{
    size_t p = c->design.p, at = 1 + p;
    double *beta = xcalloc(p + 1, sizeof *beta), *end = xcalloc(c->n_steps + 1, sizeof *end),
           *gradient = xcalloc(p + 1, sizeof *gradient),
           *information = xcalloc(p * p + 1, sizeof *information), *cells = reals(total);
    struct grid g = grid_of(c, parameters, end);
    read_beta(parameters, p, beta);
    sums_init(out, newton_size(form_of(c), false));
    sums_real(out, 0,
              grid_at(&g, cells, beta, js_num(js_get(parameters, "shift")), c->transform, gradient,
                      information, NULL));
    for (size_t i = 0; i < p; i++) {
        sums_real(out, 1 + i, gradient[i]);
        for (size_t k = 0; k <= i; k++)
            sums_real(out, at++, information[i * p + k]);
    }
    if (!js_get(*state, "log_likelihood"))
        alias_on_grid(information, p, state);
    free(beta);
    free(end);
    free(gradient);
    free(information);
    free(cells);
}

/* What the sites need to know of the grid: the cells, and x beta at the mean, which keeps exp(x beta) small.
 */
static void put_grid(const struct js *state, size_t p, struct js *next)
{
    double shift = 0;
    for (size_t k = 0; k < p; k++)
        shift += js_num(js_at(js_get(next, "beta"), k)) * js_num(js_at(js_get(state, "means"), k));
    js_put(next, "cells", js_copy(js_get(state, "cells")));
    js_put(next, "shift", js_real(shift));
}

static enum status cox_next(const void *spec, const struct js *parameters, const struct sums *total,
                            struct js **state, struct js **next, struct err *e)
{
    const struct cox *c = spec;
    bool common = c->baseline == BASELINE_COMMON;
    struct sums newton = sums_part(total, 0, newton_size(form_of(c), !parameters)), own = {0};
    if (is_test(parameters))
        return ST_OK;
    if (common && parameters) {
        newton_of_grid(c, parameters, total, state, &own);
        newton = own;
    }
    enum status st = newton_next(form_of(c), c->design.terms, parameters, &newton, state, next, e);
    bool goes_on = st == ST_OK && !no_estimate(*state);
    if (goes_on && common && !parameters) {
        plan_grid(c, total, state);
        goes_on = !no_estimate(*state);
    }
    if (goes_on && !*next) {
        *next = js_object();
        js_put(*next, "beta", js_copy(js_get(*state, "estimate")));
        js_put(*next, "test", js_boolean(true));
    }
    if (goes_on && common)
        put_grid(*state, c->design.p, *next);
    if (st == ST_OK && !goes_on) {
        js_free(*next);
        *next = NULL;
    }
    sums_deinit(&own);
    return st;
}

/* The covariate that each column belongs to, and their names with "all" at the end. */
static const char **covariates_of(const struct cox *c, size_t *of, struct arena *a)
{
    const char **names = arena_array(a, c->design.n + 1, sizeof *names);
    size_t column = 0;
    for (size_t i = 0; i < c->design.n; i++) {
        const struct covariate *v = &c->design.covariates[i];
        size_t width = v->is_number ? 1 : v->dimension.n_levels - 1;
        names[i] = v->is_number ? v->number.name : v->dimension.name;
        while (width--)
            of[column++] = i;
    }
    names[c->design.n] = "all";
    return names;
}

/* Score tests of proportional hazards, one for each covariate and one for all. */
static void hazard_table(const struct cox *c, const struct fit *fit, const double *sums, size_t cells,
                         struct result *into)
{
    static const char *const figures[] = {"chi-squared", "degrees of freedom", "p-value"};
    struct arena *a = into->arena;
    size_t groups = c->design.n, *of = arena_array(a, c->design.p, sizeof *of);
    const char **names = covariates_of(c, of, a);
    struct test *tests = arena_array(a, groups + 1, sizeof *tests);
    struct dimension dimensions[] = {labelled_dimension("covariate", names, groups + 1, a),
                                     labelled_dimension("statistic", figures, 3, a)};
    hazard_tests(c->design.p, sums, fit->aliased, of, groups, tests);
    char *title = cells ? arena_printf(a, "Test of proportional hazards (one baseline in %zu cells)", cells)
                        : arena_printf(a, "Test of proportional hazards (one baseline per site)");
    struct result_table *t = table_new(into, table_name(into, c->name, "proportional_hazards"), title,
                                       "as named", OUTPUT_TEST, dimensions, 2);
    t->persons = fit->rows;
    t->degrees_of_freedom = fit->rows - fit->rank;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const struct test *x = &tests[t->cells[i].at[0]];
        t->cells[i].persons = fit->rows;
        t->cells[i].value = t->cells[i].at[1] == 0 ? x->statistic : t->cells[i].at[1] == 1 ? x->df : x->p;
    }
}

static enum status cox_finish(const void *spec, const struct js *parameters, const struct sums *total,
                              const struct js *state, struct result *into, struct err *e)
{
    const struct cox *c = spec;
    size_t p = c->design.p, cells = 0;
    struct fit fit;
    enum status st = newton_fit_of(state, p, into->arena, &fit, e);
    if (st != ST_OK)
        return st;
    double *sums = reals(total), *beta = xcalloc(p + 1, sizeof *beta);
    if (c->baseline == BASELINE_COMMON) {
        double *end = arena_array(into->arena, c->n_steps, sizeof *end),
               *gradient = arena_array(into->arena, p, sizeof *gradient),
               *information = arena_array(into->arena, p * p, sizeof *information),
               *test = xcalloc(hazard_test_size(p), sizeof *test);
        struct grid g = grid_of(c, parameters, end);
        read_beta(parameters, p, beta);
        grid_at(&g, sums, beta, js_num(js_get(parameters, "shift")), c->transform, gradient, information,
                test);
        cells = g.cells;
        free(sums);
        sums = test;
    }
    fit.rounds++;
    model_tables(c->name, &c->design, &fit, 1, false, "hazard ratio", into);
    hazard_table(c, &fit, sums, cells, into);
    free(sums);
    free(beta);
    return ST_OK;
}

const struct analysis cox_analysis = {
    .kind = "cox",
    .summary = "proportional hazards with their test; a baseline per site, or one on a common safe grid",
    .template = "{\"kind\": \"cox\", \"name\": \"cox\", \"cohort\": \"target\", \"outcome\": \"outcome\","
                " \"covariates\": [\"sex\", {\"number\": \"age\", \"per\": 10, \"centre\": 60}]}",
    .output = OUTPUT_REGRESSION,
    .parse = cox_parse,
    .size = cox_size,
    .bound = cox_bound,
    .local = cox_local,
    .next = cox_next,
    .finish = cox_finish,
};
