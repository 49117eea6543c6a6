/* SPDX-License-Identifier: Apache-2.0 */
#include "study/models.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/special.h"
#include "study/no_estimate.h"
#include "study/tables.h"

enum { MOST_PROFILE_STEPS = 60 };

static double dot(const double *a, const double *b, size_t p)
{
    double s = 0;
    for (size_t k = 0; k < p; k++)
        s += a[k] * b[k];
    return s;
}

static double inverse_logit(double eta)
{
    return eta >= 0 ? 1 / (1 + exp(-eta)) : exp(eta) / (1 + exp(eta));
}

static double mean_of(enum family f, double eta)
{
    return f == FAMILY_LOGISTIC ? inverse_logit(eta) : f == FAMILY_POISSON ? exp(eta) : eta;
}

static double weight_of(enum family f, double mu)
{
    return f == FAMILY_LOGISTIC ? mu * (1 - mu) : f == FAMILY_POISSON ? mu : 1;
}

/* log(1 + exp(eta)) without overflow. */
static double log1p_exp(double eta)
{
    return eta > 0 ? eta + log1p(exp(-eta)) : log1p(exp(eta));
}

/* A row's log-likelihood without the terms that do not depend on the coefficients. */
static double log_density(enum family f, double y, double eta)
{
    switch (f) {
    case FAMILY_LOGISTIC:
        return y * eta - log1p_exp(eta);
    case FAMILY_POISSON:
        return y * eta - exp(eta);
    case FAMILY_LINEAR:
        break;
    }
    return -(y - eta) * (y - eta) / 2;
}

/* The intercept that maximises the likelihood at these etas; false where it is infinite (no events, or
   nothing but events). */
static bool profile_intercept(const struct glm_data *d, const double *eta, double *intercept)
{
    double y = 0, fitted = 0;
    for (size_t i = 0; i < d->n; i++) {
        y += d->y[i];
        fitted += d->family == FAMILY_LINEAR ? eta[i] : d->family == FAMILY_POISSON ? exp(eta[i]) : 0;
    }
    double n = (double)d->n;
    *intercept = d->family == FAMILY_LINEAR ? (y - fitted) / n : log(y / fitted);
    if (d->family == FAMILY_LINEAR)
        return true;
    if (d->family == FAMILY_POISSON)
        return y > 0;
    if (y <= 0 || y >= n)
        return false;
    *intercept = log(y / (n - y));
    for (int step = 0; step < MOST_PROFILE_STEPS; step++) {
        double score = 0, information = 0;
        for (size_t i = 0; i < d->n; i++) {
            double mu = inverse_logit(*intercept + eta[i]);
            score += d->y[i] - mu;
            information += mu * (1 - mu);
        }
        double change = information > 0 ? score / information : 0;
        change = fmax(-2, fmin(2, change));
        *intercept += change;
        if (fabs(change) < 1e-13 * (1 + fabs(*intercept)))
            break;
    }
    return true;
}

static void add_outer(double *information, const double *x, double w, size_t p)
{
    for (size_t i = 0; i < p; i++) {
        double wx = w * x[i];
        if (wx != 0)
            for (size_t k = 0; k <= i; k++)
                information[i * p + k] += wx * x[k];
    }
}

static void mirror(double *m, size_t p)
{
    for (size_t i = 0; i < p; i++)
        for (size_t k = 0; k < i; k++)
            m[k * p + i] = m[i * p + k];
}

/* Weighted means of the columns: what profiling the intercept takes off each row. */
static void weighted_means(const struct glm_data *d, const double *eta, double *mean)
{
    double total = 0;
    memset(mean, 0, d->p * sizeof *mean);
    for (size_t i = 0; i < d->n; i++) {
        double w = weight_of(d->family, mean_of(d->family, eta[i]));
        total += w;
        for (size_t k = 0; k < d->p; k++)
            mean[k] += w * d->x[i * d->p + k];
    }
    for (size_t k = 0; k < d->p; k++)
        mean[k] = total > 0 ? mean[k] / total : 0;
}

static double add_ridge(const struct glm_data *d, const double *beta, double *gradient, double *information)
{
    double penalty = 0;
    for (size_t k = d->profile ? 0 : 1; k < d->p && d->ridge > 0; k++) {
        penalty += d->ridge * beta[k] * beta[k] / 2;
        gradient[k] -= d->ridge * beta[k];
        information[k * d->p + k] += d->ridge;
    }
    return penalty;
}

/* eta per row, with the site's own intercept; false where that is infinite. */
static bool linear_predictor(const struct glm_data *d, const double *beta, double *eta)
{
    double intercept = 0;
    for (size_t i = 0; i < d->n; i++)
        eta[i] = dot(d->x + i * d->p, beta, d->p) + (d->offset ? d->offset[i] : 0);
    if (d->n == 0 || (d->profile && !profile_intercept(d, eta, &intercept)))
        return false;
    for (size_t i = 0; i < d->n; i++)
        eta[i] += intercept;
    return true;
}

bool glm_fitted(const struct glm_data *d, const double *beta, double *fitted)
{
    if (!linear_predictor(d, beta, fitted))
        return false;
    for (size_t i = 0; i < d->n; i++)
        fitted[i] = mean_of(d->family, fitted[i]);
    return true;
}

double glm_at(const void *glm_data, const double *beta, double *gradient, double *information)
{
    const struct glm_data *d = glm_data;
    size_t p = d->p;
    double *eta = xmalloc((d->n + 1) * sizeof *eta), *mean = xcalloc(2 * p + 1, sizeof *mean),
           *row = mean + p;
    double log_likelihood = 0;
    memset(gradient, 0, p * sizeof *gradient);
    memset(information, 0, p * p * sizeof *information);
    bool informative = linear_predictor(d, beta, eta);
    if (informative && d->profile)
        weighted_means(d, eta, mean);
    for (size_t i = 0; informative && i < d->n; i++) {
        double mu = mean_of(d->family, eta[i]), residual = d->y[i] - mu;
        log_likelihood += log_density(d->family, d->y[i], eta[i]);
        for (size_t k = 0; k < p; k++) {
            row[k] = d->x[i * p + k] - mean[k];
            gradient[k] += residual * row[k];
        }
        add_outer(information, row, weight_of(d->family, mu), p);
    }
    mirror(information, p);
    log_likelihood -= add_ridge(d, beta, gradient, information);
    free(eta);
    free(mean);
    return log_likelihood;
}

static double third_of(enum family f, double mu)
{
    return f == FAMILY_LOGISTIC ? mu * (1 - mu) * (1 - 2 * mu) : f == FAMILY_POISSON ? mu : 0;
}

/* Along the profile the weighted means of the columns come off each row here too: their own change drops out,
   because the weighted deviations add up to 0. */
void glm_third(const void *glm_data, const double *beta, double *tensor)
{
    const struct glm_data *d = glm_data;
    size_t p = d->p;
    double *eta = xmalloc((d->n + 1) * sizeof *eta), *mean = xcalloc(2 * p + 1, sizeof *mean),
           *row = mean + p;
    bool informative = d->family != FAMILY_LINEAR && linear_predictor(d, beta, eta);
    if (informative && d->profile)
        weighted_means(d, eta, mean);
    for (size_t n = 0; informative && n < d->n; n++) {
        double w = third_of(d->family, mean_of(d->family, eta[n]));
        size_t at = 0;
        for (size_t k = 0; k < p; k++)
            row[k] = d->x[n * p + k] - mean[k];
        for (size_t i = 0; i < p; i++)
            for (size_t j = 0; j <= i; j++) {
                double wxx = w * row[i] * row[j];
                for (size_t k = 0; k <= j; k++)
                    tensor[at++] += wxx * row[k];
            }
    }
    free(eta);
    free(mean);
}

/* Squares of the deviations from the mean, of every step-th number. */
static double column_squares(const double *x, size_t step, size_t n)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        mean += x[i * step] / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (x[i * step] - mean) * (x[i * step] - mean);
    return squares;
}

void model_count(const struct design *d, const double *x, const double *y, size_t n,
                 struct model_counts *counts)
{
    counts->rows = (int64_t)n;
    counts->sites = n > 0;
    for (size_t k = 0; k < d->p; k++)
        counts->column_squares[k] = column_squares(x + k, d->p, n);
    for (size_t i = 0; i < n; i++) {
        bool event = y[i] != 0;
        counts->events += event;
        size_t column = d->intercept ? 1 : 0;
        if (d->intercept) {
            counts->column_rows[0]++;
            counts->column_events[0] += event;
        }
        for (size_t c = 0; c < d->n; c++) {
            size_t width = d->covariates[c].is_number ? 1 : d->covariates[c].dimension.n_levels - 1;
            for (size_t k = column; k < column + width; k++) {
                bool in = d->covariates[c].is_number || x[i * d->p + k] != 0;
                counts->column_rows[k] += in;
                counts->column_events[k] += in && event;
            }
            column += width;
        }
    }
}

/* The smaller of a level and the one it is compared with. */
static void smallest_levels(const struct design *d, const struct fit *fit, struct result_table *t)
{
    size_t column = d->intercept ? 1 : 0;
    if (d->intercept) {
        t->cells[0].level_persons = fit->rows;
        t->cells[0].numerator = (double)fit->events;
    }
    for (size_t c = 0; c < d->n; c++) {
        bool number = d->covariates[c].is_number;
        size_t width = number ? 1 : d->covariates[c].dimension.n_levels - 1;
        int64_t rows = fit->rows, events = fit->events;
        for (size_t k = column; k < column + width && !number; k++) {
            rows -= fit->column_rows[k];
            events -= fit->column_events[k];
        }
        for (size_t k = column; k < column + width; k++) {
            int64_t own = fit->column_rows[k], own_events = fit->column_events[k];
            t->cells[k].level_persons = own < rows ? own : rows;
            t->cells[k].numerator = (double)(own_events < events ? own_events : events);
        }
        column += width;
    }
    for (size_t k = column; k < t->n_cells; k++) {
        t->cells[k].level_persons = fit->rows;
        t->cells[k].numerator = (double)fit->events;
    }
}

static struct result_table *term_table(const char *name, const char *title, const char *unit,
                                       const struct design *d, const struct fit *fit, bool site_term,
                                       bool extra, struct result *into)
{
    size_t n = extra ? fit->p : d->p;
    const char **terms = arena_array(into->arena, n, sizeof *terms);
    memcpy(terms, d->terms, d->p * sizeof *terms);
    for (size_t k = d->p; k < n; k++)
        terms[k] = fit->extra[k - d->p];
    struct result_table *t = table_of_list(into, name, title, unit, OUTPUT_REGRESSION, "term", terms, n);
    t->persons = fit->rows;
    t->parameters = fit->rank + (site_term ? fit->sites : 0);
    t->degrees_of_freedom = t->persons - t->parameters;
    for (uint64_t k = 0; k < t->n_cells; k++)
        t->cells[k].persons = fit->rows;
    smallest_levels(d, fit, t);
    return t;
}

/* ", left out as combinations of others: a, b" for columns that enough people have: an empty one says nothing
   of how few there are. */
static const char *left_out(const struct design *d, const struct fit *fit, struct arena *a)
{
    const char *text = "";
    for (size_t k = 0; k < d->p; k++)
        if (fit->aliased[k] && fit->column_rows[k] >= NO_ESTIMATE_NAMED)
            text = arena_printf(a, "%s%s %s", text,
                                *text ? "," : "; left out as combinations of others:", d->terms[k]);
    return text;
}

/* The groups behind the terms of a table: the level of each column, and the reference level. */
static void tell_groups(const struct design *d, const struct fit *fit, struct result_table *t)
{
    size_t first = d->intercept ? 1 : 0, last = first + d->covariates[0].dimension.n_levels - 1;
    int64_t rows = fit->rows, events = fit->events;
    for (size_t k = first; k < last; k++) {
        rows -= fit->column_rows[k];
        events -= fit->column_events[k];
    }
    for (size_t k = first; k < last; k++) {
        t->cells[k].denominator = (double)fit->column_rows[k];
        t->cells[k].event_persons = fit->column_events[k];
        t->cells[k].against = rows;
        t->cells[k].against_events = events;
    }
    if (d->intercept) {
        t->cells[0].denominator = (double)rows;
        t->cells[0].event_persons = events;
    }
}

void model_saturated(const struct design *d, const struct fit *fit, enum family family, bool site_term,
                     struct result *into, uint32_t first)
{
    bool one_baseline = d->intercept || (site_term && fit->sites == 1);
    if (d->n != 1 || d->covariates[0].is_number || !one_baseline)
        return;
    for (uint32_t i = first; i < into->n_tables; i++) {
        into->tables[i].saturated = family == FAMILY_POISSON  ? SATURATED_RATES
                                    : family == FAMILY_LINEAR ? SATURATED_MEANS
                                    : i == first              ? SATURATED_LOG_ODDS
                                                              : SATURATED_ODDS;
        tell_groups(d, fit, &into->tables[i]);
    }
}

void model_tables(const char *name, const struct design *d, const struct fit *fit, double dispersion,
                  bool site_term, const char *ratio, struct result *into)
{
    double z = normal_z(0.95);
    char *title = arena_printf(into->arena, "Coefficients (%d rounds%s%s)", fit->rounds,
                               fit->converged ? "" : ", not converged", left_out(d, fit, into->arena));
    struct result_table *t = term_table(table_name(into, name, "coefficients"), title, "as estimated", d, fit,
                                        site_term, true, into);
    t->picture = PICTURE_NONE;
    for (size_t k = 0; k < t->n_cells; k++) {
        double se = fit->se[k] * sqrt(dispersion);
        t->cells[k].value = fit->beta[k];
        t->cells[k].lower = fit->beta[k] - z * se;
        t->cells[k].upper = fit->beta[k] + z * se;
    }
    if (!ratio)
        return;
    t = term_table(table_name(into, name, "ratios"), "Ratios: exp of the coefficients", ratio, d, fit,
                   site_term, false, into);
    t->picture = PICTURE_FOREST;
    for (size_t k = 0; k < d->p; k++) {
        double se = fit->se[k] * sqrt(dispersion);
        t->cells[k].value = exp(fit->beta[k]);
        t->cells[k].lower = exp(fit->beta[k] - z * se);
        t->cells[k].upper = exp(fit->beta[k] + z * se);
    }
}
