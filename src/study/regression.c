/* SPDX-License-Identifier: Apache-2.0
 *
 * regression: logistic, Poisson, negative binomial and linear models of an outcome after cohort entry,
 * exactly the pooled fit over sites, with a site term by default (profiled out where the data are; models.h,
 * negative_binomial.h).
 */
#include <math.h>
#include <stdlib.h>

#include "study/models.h"
#include "study/negative_binomial.h"
#include "study/outcome.h"
#include "study/no_estimate.h"

#define LARGEST_LOG_THETA 16 /* variance within 1e-7 mu of the mean */

struct regression {
    const char *name;
    enum family family; /* of the mean */
    bool negative_binomial, site_term;
    size_t cohort;
    struct outcome outcome;
    struct design design;
    size_t p; /* columns, and log(theta) */
    const char **terms;
};
static const char *const log_theta[] = {"log(theta)"};

static void name_parameters(struct regression *c, struct arena *a)
{
    c->p = c->design.p + (c->negative_binomial ? 1 : 0);
    c->terms = arena_array(a, c->p, sizeof *c->terms);
    for (size_t k = 0; k < c->design.p; k++)
        c->terms[k] = c->design.terms[k];
    if (c->negative_binomial)
        c->terms[c->design.p] = *log_theta;
}

static enum status regression_parse(const struct js *specification, const struct analysis_scope *scope,
                                    void **spec, struct err *e)
{
    static const char *const families[] = {"logistic", "poisson", "linear", "negative_binomial", NULL};
    static const enum outcome_kind outcomes[] = {OUTCOME_BINARY, OUTCOME_COUNT, OUTCOME_VALUE};
    enum { NEGATIVE_BINOMIAL = 3 };
    const char *allowed[16] = {"kind", "family", "cohort", "covariates", "site_term"};
    size_t n = 5;
    for (size_t i = 0; outcome_members[i]; i++)
        allowed[n++] = outcome_members[i];
    struct regression *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    c->name = scope->name;
    int family = spec_choice(&s, "family", families, -1);
    c->negative_binomial = family == NEGATIVE_BINOMIAL;
    c->family = c->negative_binomial ? FAMILY_POISSON : (enum family)family;
    c->site_term = spec_bool(&s, "site_term", true);
    c->cohort = spec_cohort(&s, "cohort", true);
    outcome_read(&s, outcomes[c->family], &c->outcome);
    design_read(&s, true, !c->site_term, &c->design);
    name_parameters(c, scope->arena);
    *spec = c;
    return spec_done(&s);
}

static struct newton_form form_of(const struct regression *c)
{
    struct newton_form form = newton_form(c->p, true);
    form.identity = c->family == FAMILY_LINEAR;
    return form;
}

static enum status regression_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    const struct regression *c = spec;
    *n = newton_size(form_of(c), !parameters);
    return parameters ? newton_check(parameters, c->p, e) : ST_OK;
}

static sum_t regression_bound(const void *spec, const struct js *parameters, size_t i)
{
    return newton_bound(form_of(spec), !parameters, i);
}

static void regression_sums(const struct regression *c, const struct js *parameters,
                            const struct glm_data *data, struct sums *out)
{
    struct nb_data counted = {c->site_term, !parameters, data->n, data->p, data->x, data->y, data->offset};
    struct likelihood likelihood = c->negative_binomial ? (struct likelihood){c->p, &counted, nb_at, nb_third}
                                                        : (struct likelihood){c->p, data, glm_at, glm_third};
    struct model_counts counts = model_counts_new(c->p);
    double *happened = xmalloc((data->n + 1) * sizeof *happened);
    for (size_t i = 0; i < data->n; i++)
        happened[i] = c->family == FAMILY_LINEAR ? 1 : data->y[i];
    model_count(&c->design, data->x, happened, data->n, &counts);
    for (size_t k = c->design.p; k < c->p; k++) {
        counts.column_rows[k] = counts.rows;
        counts.column_events[k] = counts.events;
    }
    newton_local(&likelihood, parameters, &counts, out);
    free(happened);
    model_counts_free(&counts);
}

static enum status regression_local(const void *spec, const struct js *parameters,
                                    const struct study_site *site, struct sums *out, struct err *e)
{
    const struct regression *c = spec;
    struct index_rows rows;
    index_rows_init(&site->cohorts[c->cohort], &rows);
    double *y = xmalloc((rows.n + 1) * sizeof *y), *offset = xmalloc((rows.n + 1) * sizeof *offset),
           *x = NULL;
    enum status st = outcome_values(&c->outcome, site, &rows, y, offset, e);
    struct parallel parallel[] = {{y, sizeof *y}, {offset, sizeof *offset}};
    if (st == ST_OK)
        st = design_matrix(&c->design, site, &rows, parallel, 2, &x, e);
    if (st == ST_OK) {
        struct glm_data data = {c->family, c->site_term, rows.n, c->design.p, x, y, offset, 0};
        regression_sums(c, parameters, &data, out);
    }
    free(x);
    free(y);
    free(offset);
    index_rows_deinit(&rows);
    return st;
}

static enum status regression_next(const void *spec, const struct js *parameters, const struct sums *total,
                                   struct js **state, struct js **next, struct err *e)
{
    const struct regression *c = spec;
    enum status st = newton_next(form_of(c), c->terms, parameters, total, state, next, e);
    if (st != ST_OK || *next || !c->negative_binomial || no_estimate(*state))
        return st;
    /* Where the variance is no greater than the mean, theta grows by a factor in each round. */
    double theta = js_num(js_at(js_get(*state, "estimate"), c->design.p));
    bool aliased = js_bool(js_at(js_get(*state, "aliased"), c->design.p));
    if (!aliased && theta <= LARGEST_LOG_THETA && js_bool(js_get(*state, "converged")))
        return ST_OK;
    struct js *columns = js_array();
    js_push(columns, js_string(*log_theta));
    no_estimate_set(state, "no_overdispersion", js_get_int(*state, "rows", 0), columns,
                    "log(theta) has no finite estimate: the counts vary no more than Poisson's do; use "
                    "\"family\": \"poisson\"");
    return ST_OK;
}

static enum status regression_finish(const void *spec, const struct js *parameters, const struct sums *total,
                                     const struct js *state, struct result *into, struct err *e)
{
    (void)parameters, (void)total;
    static const char *const ratios[] = {"odds ratio", "rate ratio", NULL};
    const struct regression *c = spec;
    struct fit fit;
    enum status st = newton_fit_of(state, c->p, into->arena, &fit, e);
    if (st != ST_OK)
        return st;
    /* For a linear model the log-likelihood is minus half the residual sum of squares. */
    int64_t df = fit.rows - fit.rank - (c->site_term ? fit.sites : 0);
    double dispersion =
        c->family == FAMILY_LINEAR ? (df > 0 ? -2 * fit.log_likelihood / (double)df : (double)NAN) : 1;
    fit.extra = log_theta;
    uint32_t first = into->n_tables;
    model_tables(c->name, &c->design, &fit, dispersion, c->site_term, ratios[c->family], into);
    model_saturated(&c->design, &fit, c->family, c->site_term, into, first);
    return ST_OK;
}

const struct analysis regression_analysis = {
    .kind = "regression",
    .summary = "logistic, Poisson, negative binomial and linear regression, pooled exactly, with a site term",
    .template =
        "{\"kind\": \"regression\", \"name\": \"model\", \"family\": \"logistic\", \"cohort\": \"target\","
        " \"outcome\": \"outcome\", \"window\": [1, 365], \"covariates\": [\"sex\","
        " {\"number\": \"age\", \"per\": 10, \"centre\": 60}, \"deprivation_quintile\"]}",
    .output = OUTPUT_REGRESSION,
    .parse = regression_parse,
    .size = regression_size,
    .bound = regression_bound,
    .local = regression_local,
    .next = regression_next,
    .finish = regression_finish,
};
