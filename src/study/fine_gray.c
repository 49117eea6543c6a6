/* SPDX-License-Identifier: Apache-2.0
 *
 * fine_gray: proportional subdistribution hazards: how covariates change the cumulative incidence of an
 * outcome when another event can come first. Stratified by site: each site has its own baseline and its own
 * curve of being uncensored, so that only log-likelihood, gradient and information leave it, and the estimate
 * is exactly that of the stratified pooled model (stats/competing.h).
 *
 * Rounds: a start from the sites' own fits, Newton steps, and at the estimate the squares of what each person
 * adds to the score, for the variance.
 */
#include <math.h>
#include <stdlib.h>

#include "stats/competing.h"
#include "study/followup.h"
#include "study/models.h"
#include "study/no_estimate.h"

struct fine_gray {
    const char *name;
    size_t cohort;
    struct followup followup;
    struct design design;
};

static enum status fine_gray_parse(const struct js *specification, const struct analysis_scope *scope,
                                   void **spec, struct err *e)
{
    const char *allowed[20] = {"kind", "cohort", "covariates"};
    size_t n = 3;
    for (size_t i = 0; followup_members[i]; i++)
        allowed[n++] = followup_members[i];
    struct fine_gray *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    c->name = scope->name;
    c->cohort = spec_cohort(&s, "cohort", true);
    followup_read(&s, &c->followup);
    if (c->followup.competing == SIZE_MAX)
        spec_fault(&s, "competing", "required: the cohort whose event can come first; without one, use cox");
    design_read(&s, true, false, &c->design);
    *spec = c;
    return spec_done(&s);
}

static bool is_variance(const struct js *parameters)
{
    return js_bool(js_get(parameters, "variance"));
}

static struct newton_form form_of(const struct fine_gray *c)
{
    return newton_form(c->design.p, false);
}

static size_t meat_size(size_t p)
{
    return p * (p + 1) / 2;
}

static enum status fine_gray_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    const struct fine_gray *c = spec;
    *n = is_variance(parameters) ? meat_size(c->design.p) : newton_size(form_of(c), !parameters);
    return parameters ? newton_check(parameters, c->design.p, e) : ST_OK;
}

static sum_t fine_gray_bound(const void *spec, const struct js *parameters, size_t i)
{
    return is_variance(parameters) ? SUM_REAL_BOUND : newton_bound(form_of(spec), !parameters, i);
}

/* The rows of a site, in the arena. */
struct people {
    size_t n;
    double *x, *time, *event;
    int *state;
};

static enum status read_people(const struct fine_gray *c, const struct study_site *site, struct arena *a,
                               struct people *out, struct err *e)
{
    struct index_rows rows;
    index_rows_init(&site->cohorts[c->cohort], &rows);
    size_t most = rows.n + 1;
    int32_t *days = arena_array(a, most, sizeof *days);
    uint8_t *status = arena_array(a, most, sizeof *status);
    followup_times(&c->followup, site, &rows, days, status);
    struct parallel parallel[] = {{days, sizeof *days}, {status, sizeof *status}};
    enum status st = design_matrix(&c->design, site, &rows, parallel, 2, &out->x, e);
    out->n = rows.n;
    out->time = arena_array(a, most, sizeof *out->time);
    out->event = arena_array(a, most, sizeof *out->event);
    out->state = arena_array(a, most, sizeof *out->state);
    for (size_t i = 0; i < rows.n; i++) {
        out->time[i] = days[i];
        out->state[i] = status[i];
        out->event[i] = status[i] == EVENT;
    }
    index_rows_deinit(&rows);
    return st;
}

static void variance_sums(const struct finegray_rows *rows, const struct js *parameters, size_t p,
                          struct sums *out)
{
    double *beta = xcalloc(p + 1, sizeof *beta), *meat = xcalloc(p * p + 1, sizeof *meat);
    for (size_t i = 0; i < p; i++)
        beta[i] = js_num(js_at(js_get(parameters, "beta"), i));
    finegray_meat(rows, beta, meat);
    for (size_t i = 0, at = 0; i < p; i++)
        for (size_t k = 0; k <= i; k++)
            sums_real(out, at++, meat[i * p + k]);
    free(beta);
    free(meat);
}

static enum status fine_gray_local(const void *spec, const struct js *parameters,
                                   const struct study_site *site, struct sums *out, struct err *e)
{
    const struct fine_gray *c = spec;
    size_t p = c->design.p;
    struct arena *a = arena_new();
    struct people people = {0};
    enum status st = read_people(c, site, a, &people, e);
    if (st == ST_OK) {
        const struct finegray_rows *rows =
            finegray_rows(people.time, people.state, people.n, people.x, p, EVENT, a);
        struct likelihood likelihood = {p, rows, finegray_at, NULL};
        struct model_counts counts = model_counts_new(p);
        model_count(&c->design, people.x, people.event, people.n, &counts);
        if (is_variance(parameters))
            variance_sums(rows, parameters, p, out);
        else
            newton_local(&likelihood, parameters, &counts, out);
        model_counts_free(&counts);
    }
    free(people.x);
    arena_free(a);
    return st;
}

static enum status fine_gray_next(const void *spec, const struct js *parameters, const struct sums *total,
                                  struct js **state, struct js **next, struct err *e)
{
    const struct fine_gray *c = spec;
    if (is_variance(parameters))
        return ST_OK;
    enum status st = newton_next(form_of(c), c->design.terms, parameters, total, state, next, e);
    if (st == ST_OK && !*next && !no_estimate(*state)) {
        *next = js_object();
        js_put(*next, "beta", js_copy(js_get(*state, "estimate")));
        js_put(*next, "variance", js_boolean(true));
    }
    return st;
}

/* The model's own covariance (the inverse of the information) becomes the sandwich's. */
static void make_robust(struct fit *fit, const struct sums *total, struct arena *a)
{
    size_t p = fit->p;
    double *meat = arena_array(a, p * p, sizeof *meat), *robust = arena_array(a, p * p, sizeof *robust);
    for (size_t i = 0, at = 0; i < p; i++)
        for (size_t k = 0; k <= i; k++)
            meat[i * p + k] = meat[k * p + i] = sums_get_real(total, at++);
    finegray_sandwich(fit->covariance, meat, p, robust);
    fit->covariance = robust;
    for (size_t i = 0; i < p; i++)
        if (!fit->aliased[i])
            fit->se[i] = sqrt(robust[i * p + i]);
}

static enum status fine_gray_finish(const void *spec, const struct js *parameters, const struct sums *total,
                                    const struct js *state, struct result *into, struct err *e)
{
    (void)parameters;
    const struct fine_gray *c = spec;
    struct fit fit;
    enum status st = newton_fit_of(state, c->design.p, into->arena, &fit, e);
    if (st != ST_OK)
        return st;
    make_robust(&fit, total, into->arena);
    fit.rounds++;
    model_tables(c->name, &c->design, &fit, 1, false, "subdistribution hazard ratio", into);
    return ST_OK;
}

const struct analysis fine_gray_analysis = {
    .kind = "fine_gray",
    .summary = "subdistribution hazards: incidence of an outcome when another event can come first",
    .template = "{\"kind\": \"fine_gray\", \"name\": \"fine_gray\", \"cohort\": \"target\", \"outcome\":"
                " \"outcome\", \"competing\": \"comparator\", \"covariates\": [\"sex\","
                " {\"number\": \"age\", \"per\": 10, \"centre\": 60}]}",
    .output = OUTPUT_REGRESSION,
    .parse = fine_gray_parse,
    .size = fine_gray_size,
    .bound = fine_gray_bound,
    .local = fine_gray_local,
    .next = fine_gray_next,
    .finish = fine_gray_finish,
};
