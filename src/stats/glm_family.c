/* SPDX-License-Identifier: Apache-2.0
 *
 * Families and links. One block of rows at a time: mean and its derivative by link, then weight, score and
 * deviance by family; the logit link of the binomial has a path of its own, without cancellation near 0
 * and 1.
 */
#include <math.h>

#include "stats/glm.h"
#include "stats/kernel.h"
#include "stats/special.h"
#include "stats/sum.h"

const char *glm_family_name(enum glm_family f)
{
    static const char *const names[] = {"gaussian",     "binomial",         "poisson",
                                        "gamma",        "inverse.gaussian", "quasibinomial",
                                        "quasipoisson", "negative.binomial"};
    return names[f];
}

const char *glm_link_name(enum glm_link l)
{
    static const char *const names[] = {"identity", "logit",   "probit", "cloglog", "cauchit",
                                        "log",      "inverse", "sqrt",   "1/mu^2"};
    return names[l];
}

enum glm_link glm_default_link(enum glm_family f)
{
    static const enum glm_link links[] = {GLM_IDENTITY,       GLM_LOGIT, GLM_LOG, GLM_INVERSE,
                                          GLM_INVERSE_SQUARE, GLM_LOGIT, GLM_LOG, GLM_LOG};
    return links[f];
}

bool glm_dispersion_estimated(enum glm_family f)
{
    return f != GLM_BINOMIAL && f != GLM_POISSON && f != GLM_NEGATIVE_BINOMIAL;
}

static bool is_binomial(enum glm_family f)
{
    return f == GLM_BINOMIAL || f == GLM_QUASIBINOMIAL;
}

static bool is_poisson(enum glm_family f)
{
    return f == GLM_POISSON || f == GLM_QUASIPOISSON;
}

double glm_link_of(enum glm_link l, double mu)
{
    switch (l) {
    case GLM_LOGIT:
        return log(mu / (1 - mu));
    case GLM_PROBIT:
        return normal_quantile(mu);
    case GLM_CLOGLOG:
        return log(-log1p(-mu));
    case GLM_CAUCHIT:
        return tan(M_PI * (mu - 0.5));
    case GLM_LOG:
        return log(mu);
    case GLM_INVERSE:
        return 1 / mu;
    case GLM_SQRT:
        return sqrt(mu);
    case GLM_INVERSE_SQUARE:
        return 1 / (mu * mu);
    default:
        return mu;
    }
}

/* mu at eta, and its derivative there. */
static double mean_and_slope(enum glm_link l, double eta, double *slope)
{
    double t;
    switch (l) {
    case GLM_LOGIT:
        t = exp(-fabs(eta));
        *slope = t / ((1 + t) * (1 + t));
        return eta > 0 ? 1 / (1 + t) : t / (1 + t);
    case GLM_PROBIT:
        *slope = exp(-eta * eta / 2) / sqrt(2 * M_PI);
        return normal_cdf(eta);
    case GLM_CLOGLOG:
        t = exp(eta);
        *slope = t * exp(-t);
        return -expm1(-t);
    case GLM_CAUCHIT:
        *slope = 1 / (M_PI * (1 + eta * eta));
        return 0.5 + atan(eta) / M_PI;
    case GLM_LOG:
        return *slope = exp(eta);
    case GLM_INVERSE:
        *slope = -1 / (eta * eta);
        return 1 / eta;
    case GLM_SQRT:
        *slope = 2 * eta;
        return eta * eta;
    case GLM_INVERSE_SQUARE:
        t = 1 / sqrt(eta);
        *slope = -t / (2 * eta);
        return t;
    default:
        *slope = 1;
        return eta;
    }
}

double glm_mean_of(enum glm_link l, double eta)
{
    double slope;
    return mean_and_slope(l, eta, &slope);
}

static bool mean_valid(enum glm_family f, double mu)
{
    if (is_binomial(f))
        return mu > 0 && mu < 1;
    return f == GLM_GAUSSIAN ? isfinite(mu) : mu > 0 && isfinite(mu);
}

static double variance(const struct glm_model *m, double mu)
{
    switch (m->family) {
    case GLM_BINOMIAL:
    case GLM_QUASIBINOMIAL:
        return mu * (1 - mu);
    case GLM_POISSON:
    case GLM_QUASIPOISSON:
        return mu;
    case GLM_GAMMA:
        return mu * mu;
    case GLM_INVERSE_GAUSSIAN:
        return mu * mu * mu;
    case GLM_NEGATIVE_BINOMIAL:
        return mu + mu * mu / m->theta;
    default:
        return 1;
    }
}

static double y_log(double y, double mu) /* y log(y / mu), 0 at y = 0 */
{
    return y > 0 ? y * log(y / mu) : 0;
}

static double unit_deviance(const struct glm_model *m, double y, double mu)
{
    double d = y - mu;
    switch (m->family) {
    case GLM_BINOMIAL:
    case GLM_QUASIBINOMIAL:
        return 2 * (y_log(y, mu) + y_log(1 - y, 1 - mu));
    case GLM_POISSON:
    case GLM_QUASIPOISSON:
        return 2 * (y_log(y, mu) - d);
    case GLM_GAMMA:
        return -2 * (log((y > 0 ? y : 1) / mu) - d / mu);
    case GLM_INVERSE_GAUSSIAN:
        return d * d / (y * mu * mu);
    case GLM_NEGATIVE_BINOMIAL:
        return 2 * (y_log(y, mu) - (y + m->theta) * log((y + m->theta) / (mu + m->theta)));
    default:
        return d * d;
    }
}

/* R's start for the mean of a row. */
static double start_mean(const struct glm_model *m, double y, double w)
{
    if (is_binomial(m->family))
        return (w * y + 0.5) / (w + 1);
    if (is_poisson(m->family))
        return y + 0.1;
    if (m->family == GLM_NEGATIVE_BINOMIAL)
        return y == 0 ? 1.0 / 6 : y;
    return y;
}

static void add_row(const struct glm_model *m, double y, double pw, double mu, double slope, size_t i,
                    struct glm_block *out, struct csum *deviance, struct csum *pearson)
{
    double v = variance(m, mu), d = y - mu;
    out->valid = out->valid && mean_valid(m->family, mu);
    out->w[i] = pw * slope * slope / v;
    out->r[i] = pw * d * slope / v;
    csum_add(deviance, pw * unit_deviance(m, y, mu));
    csum_add(pearson, pw * d * d / v);
}

/* Binomial with logit: with t = exp(-|eta|), W = w t / (1 + t)^2 and the log-likelihood of a row is
 * y eta - max(eta, 0) - log(1 + t); a product of up to 512 factors (1 + t) <= 2 stays in range, so one
 * logarithm serves a block of weight 1. */
static void logit_block(const struct glm_data *d, size_t from, size_t n, const double *eta,
                        struct glm_block *out)
{
    double t[KERNEL_ROWS] = {0}, product = 1, plain = 0, pearson = 0;
    struct csum deviance = {0};
    for (size_t i = 0; i < n; i++)
        t[i] = -fabs(eta[i]);
    kernel_exp(t, t, n);
    for (size_t i = 0; i < n; i++) {
        double pw = d->weight ? d->weight[from + i] : 1, y = d->y[from + i], up = 1 + t[i];
        double small = t[i] / up, mu = eta[i] > 0 ? 1 / up : small, v = small / up;
        out->w[i] = pw * v;
        out->r[i] = pw * (y - mu);
        pearson += pw * (y - mu) * (y - mu) / v;
        if (pw == 1 && (y == 0 || y == 1)) {
            product *= up;
            plain += eta[i] > 0 ? (1 - y) * eta[i] : -y * eta[i];
        } else {
            double l = (eta[i] > 0 ? (1 - y) * eta[i] : -y * eta[i]) + log1p(t[i]);
            csum_add(&deviance, 2 * pw * (l + y_log(y, 1) + y_log(1 - y, 1)));
        }
    }
    out->deviance += csum_value(&deviance) + 2 * (plain + log(product));
    out->pearson += pearson;
}

/* What a row starts from depends on its outcome and weight alone: a 0/1 outcome has two of these. */
struct started {
    double y, pw, w, r, eta, deviance;
    bool known, valid;
};

static struct started start_row(const struct glm_model *m, double y, double pw)
{
    struct csum deviance = {0}, pearson = {0};
    double w, r, slope, mu = start_mean(m, y, pw), eta = glm_link_of(m->link, mu);
    struct glm_block one = {.w = &w, .r = &r, .valid = true};
    mean_and_slope(m->link, eta, &slope);
    add_row(m, y, pw, mu, slope, 0, &one, &deviance, &pearson);
    return (struct started){y, pw, w, r, eta, csum_value(&deviance), true, one.valid};
}

static void start_block(const struct glm_model *m, const struct glm_data *d, size_t from, size_t n,
                        struct glm_block *out)
{
    struct csum deviance = {0};
    struct started seen[2] = {{.known = false}, {.known = false}};
    for (size_t i = 0; i < n; i++) {
        double pw = d->weight ? d->weight[from + i] : 1, y = d->y[from + i];
        struct started *s = &seen[y == 0];
        if (!s->known || s->y != y || s->pw != pw)
            *s = start_row(m, y, pw);
        out->w[i] = s->w;
        out->r[i] = s->r + s->w * (s->eta - (d->offset ? d->offset[from + i] : 0));
        out->valid = out->valid && s->valid;
        csum_add(&deviance, s->deviance);
    }
    out->deviance += csum_value(&deviance);
}

void glm_family_block(const struct glm_model *m, const struct glm_data *d, size_t from, size_t n,
                      const double *eta, bool start, struct glm_block *out)
{
    if (start) {
        start_block(m, d, from, n, out);
        return;
    }
    for (size_t i = 0; i < n; i++)
        out->max_eta = fmax(out->max_eta, fabs(eta[i]));
    if (is_binomial(m->family) && m->link == GLM_LOGIT && out->max_eta < 700) {
        logit_block(d, from, n, eta, out);
        return;
    }
    struct csum deviance = {0}, pearson = {0};
    double fast[KERNEL_ROWS];
    if (m->link == GLM_LOG)
        kernel_exp(eta, fast, n);
    for (size_t i = 0; i < n; i++) {
        double slope, mu = m->link == GLM_LOG ? (slope = fast[i]) : mean_and_slope(m->link, eta[i], &slope);
        add_row(m, d->y[from + i], d->weight ? d->weight[from + i] : 1, mu, slope, i, out, &deviance,
                &pearson);
        out->valid = out->valid && (m->link != GLM_SQRT || eta[i] > 0);
    }
    out->deviance += csum_value(&deviance);
    out->pearson += csum_value(&pearson);
}

static double row_log_likelihood(const struct glm_model *m, double y, double w, double mu, double phi)
{
    double th = m->theta;
    switch (m->family) {
    case GLM_BINOMIAL:
        return binomial_log_density(nearbyint(w * y), nearbyint(w), mu);
    case GLM_POISSON:
        return w * poisson_log_density(y, mu);
    case GLM_GAMMA: /* shape 1 / phi, scale mu phi */
        return w * ((1 / phi - 1) * log(y) - y / (mu * phi) - log(mu * phi) / phi - log_gamma(1 / phi));
    case GLM_NEGATIVE_BINOMIAL:
        return w * (log_gamma(th + y) - log_gamma(th) - log_gamma(y + 1) + th * log(th / (mu + th)) +
                    (y > 0 ? y * log(mu / (mu + th)) : 0));
    default:
        return (double)NAN;
    }
}

static double closed_log_likelihood(const struct glm_model *m, const struct glm_data *d, double phi)
{
    struct csum total = {0}, logs = {0};
    double n = (double)d->n;
    for (size_t i = 0; i < d->n; i++) {
        double w = d->weight ? d->weight[i] : 1;
        csum_add(&total, w);
        csum_add(&logs, m->family == GLM_GAUSSIAN ? log(w) : w * log(d->y[i]));
    }
    double w = csum_value(&total), l = csum_value(&logs);
    if (m->family == GLM_GAUSSIAN)
        return -0.5 * (n * (log(2 * M_PI * phi * w / n) + 1) - l);
    return -0.5 * (w * (log(2 * M_PI * phi) + 1) + 3 * l);
}

double glm_log_likelihood(const struct glm_model *m, const struct glm_data *d, const double *beta,
                          double dispersion)
{
    if (m->family == GLM_GAUSSIAN || m->family == GLM_INVERSE_GAUSSIAN)
        return closed_log_likelihood(m, d, dispersion);
    struct csum s = {0};
    double eta[KERNEL_ROWS];
    for (size_t from = 0; from < d->n; from += KERNEL_ROWS) {
        size_t n = d->n - from < KERNEL_ROWS ? d->n - from : KERNEL_ROWS;
        kernel_linear(d->x, d->p, beta, d->offset, from, n, eta);
        for (size_t i = 0; i < n; i++)
            csum_add(&s, row_log_likelihood(m, d->y[from + i], d->weight ? d->weight[from + i] : 1,
                                            glm_mean_of(m->link, eta[i]), dispersion));
    }
    return csum_value(&s);
}

static bool outcome_valid(enum glm_family f, double y)
{
    if (is_binomial(f))
        return y >= 0 && y <= 1;
    if (f == GLM_GAMMA || f == GLM_INVERSE_GAUSSIAN)
        return y > 0;
    return f == GLM_GAUSSIAN ? isfinite(y) : y >= 0 && isfinite(y);
}

enum status glm_check(const struct glm_model *m, const struct glm_data *d, struct err *e)
{
    static const char *const range[] = {"a number", "from 0 to 1", "0 or more", "above 0",
                                        "above 0",  "from 0 to 1", "0 or more", "0 or more"};
    bool counts = is_binomial(m->family) || is_poisson(m->family) || m->family == GLM_NEGATIVE_BINOMIAL;
    double low = (double)INFINITY, high = -(double)INFINITY;
    if (d->n == 0)
        return err_set(e, ST_INVALID, "no rows are left");
    for (size_t i = 0; i < d->n; i++) {
        if (!outcome_valid(m->family, d->y[i]))
            return err_set(e, ST_INVALID, "row %zu: the outcome of a %s model must be %s", i + 1,
                           glm_family_name(m->family), range[m->family]);
        if (d->weight && !(d->weight[i] > 0))
            return err_set(e, ST_INVALID, "row %zu: a weight must be above 0", i + 1);
        low = fmin(low, d->y[i]);
        high = fmax(high, d->y[i]);
    }
    if (counts && high == 0)
        return err_set(e, ST_INVALID,
                       "no_events: the outcome is 0 in every row, so there is nothing to estimate");
    if (is_binomial(m->family) && low == 1)
        return err_set(e, ST_INVALID,
                       "no_events: the outcome is 1 in every row, so there is nothing to estimate");
    return ST_OK;
}
