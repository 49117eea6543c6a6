/* SPDX-License-Identifier: Apache-2.0
 *
 * A row's log-likelihood, with t = log(theta), mu = exp(eta) and s = theta + mu:
 *
 *     sum over j < y of log(theta + j) + theta log(theta / s) + y (eta - log s)
 *
 * (up to log y!, which no parameter moves). The sums over j are differences of log Gamma and its derivatives
 * without their cancellation at large theta; counts of events are small.
 *
 * Profiling: along the profile the intercept follows the other parameters, so each of them has a direction in
 * (eta, t): (x_k - mean_k, 0) for a coefficient, with the mean weighted by -d2/deta2, and (a, 1) for t, with
 * a = sum(d2/deta dt) / sum(-d2/deta2). Second and third derivatives of the profile likelihood are the row's
 * own, taken along these directions: what the directions' own change adds vanishes, as the score of the
 * intercept is 0.
 */
#include "study/negative_binomial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { MOST_PROFILE_STEPS = 60 };
#define MOST_LOG_THETA 20 /* beyond it the derivatives by theta are rounding, and the model is Poisson's */

/* Derivatives of a row's log-likelihood; e: by eta, t: by log(theta). */
struct row {
    double value, e, t, ee, et, tt, eee, eet, ett, ttt;
};

static struct row row_at(double y, double eta, double theta)
{
    double mu = exp(eta), s = theta + mu, m = y + theta, left = y - mu;
    double sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
    for (double j = 0; j < y; j++) {
        double r = 1 / (theta + j);
        sum0 += log(theta + j);
        sum1 += r;
        sum2 -= r * r;
        sum3 += 2 * r * r * r;
    }
    /* By theta first. log1p: theta log(theta / s) keeps its digits where mu is small beside theta. */
    double d1 = sum1 - log1p(mu / theta) + 1 - m / s, d2 = sum2 + 1 / theta - 2 / s + m / (s * s),
           d3 = sum3 - 1 / (theta * theta) + 3 / (s * s) - 2 * m / (s * s * s);
    double et = left * mu / (s * s), ett = -2 * left * mu / (s * s * s),
           eet = mu * (y - 2 * mu) / (s * s) - 2 * mu * mu * left / (s * s * s);
    return (struct row){.value = sum0 - theta * log1p(mu / theta) + y * (eta - log(s)),
                        .e = left * theta / s,
                        .t = theta * d1,
                        .ee = -mu * theta * m / (s * s),
                        .et = theta * et,
                        .tt = theta * (d1 + theta * d2),
                        .eee = -theta * m * mu * (theta - mu) / (s * s * s),
                        .eet = theta * eet,
                        .ett = theta * (et + theta * ett),
                        .ttt = theta * (d1 + 3 * theta * d2 + theta * theta * d3)};
}

/* The site's intercept at these etas; the likelihood is concave in it. False where it is infinite. */
static bool profile_intercept(const struct nb_data *d, const double *eta, double theta, double *intercept)
{
    double y = 0, fitted = 0;
    for (size_t i = 0; i < d->n; i++) {
        y += d->y[i];
        fitted += exp(eta[i]);
    }
    *intercept = log(y / fitted);
    for (int step = 0; y > 0 && step < MOST_PROFILE_STEPS; step++) {
        double score = 0, information = 0;
        for (size_t i = 0; i < d->n; i++) {
            double mu = exp(*intercept + eta[i]), s = theta + mu;
            score += (d->y[i] - mu) * theta / s;
            information += mu * theta * (d->y[i] + theta) / (s * s);
        }
        double change = fmax(-2, fmin(2, information > 0 ? score / information : 0));
        *intercept += change;
        if (fabs(change) < 1e-13 * (1 + fabs(*intercept)))
            break;
    }
    return y > 0;
}

/* All rows at the parameters, and the directions: mean[k] of the columns, then a. */
struct fit_rows {
    struct row *row;
    double *mean, theta;
    bool informative;
};

static struct fit_rows rows_at(const struct nb_data *d, const double *parameters)
{
    struct fit_rows f = {xcalloc(d->n + 1, sizeof *f.row), xcalloc(d->p + 1, sizeof *f.mean),
                         exp(fmin(parameters[d->p], MOST_LOG_THETA)), d->n > 0};
    double *eta = xcalloc(d->n + 1, sizeof *eta), intercept = 0, weights = 0;
    for (size_t i = 0; i < d->n; i++) {
        eta[i] = d->offset[i];
        for (size_t k = 0; k < d->p; k++)
            eta[i] += d->x[i * d->p + k] * parameters[k];
    }
    if (d->profile && f.informative)
        f.informative = profile_intercept(d, eta, f.theta, &intercept);
    for (size_t i = 0; f.informative && i < d->n; i++) {
        f.row[i] = row_at(d->y[i], eta[i] + intercept, f.theta);
        weights -= f.row[i].ee;
        for (size_t k = 0; k < d->p; k++)
            f.mean[k] -= f.row[i].ee * d->x[i * d->p + k];
        f.mean[d->p] += f.row[i].et;
    }
    for (size_t k = 0; k <= d->p; k++)
        f.mean[k] = d->profile && weights > 0 ? f.mean[k] / weights : 0;
    free(eta);
    return f;
}

static void rows_free(struct fit_rows *f)
{
    free(f->row);
    free(f->mean);
}

/* A row's eta direction of every parameter. */
static void directions(const struct nb_data *d, const struct fit_rows *f, size_t i, double *u)
{
    for (size_t k = 0; k < d->p; k++)
        u[k] = d->x[i * d->p + k] - f->mean[k];
    u[d->p] = f->mean[d->p];
}

/* The squared scores in place of a curvature that points the wrong way. */
static void keep_positive(const struct nb_data *d, const struct fit_rows *f, double *information)
{
    size_t p = d->p, q = p + 1;
    if (information[p * q + p] > 0)
        return;
    information[p * q + p] = 1e-6;
    for (size_t i = 0; i < d->n; i++)
        information[p * q + p] += f->row[i].t * f->row[i].t;
    for (size_t k = 0; k < p; k++)
        information[p * q + k] = information[k * q + p] = 0;
}

double nb_at(const void *nb_data, const double *parameters, double *gradient, double *information)
{
    const struct nb_data *d = nb_data;
    size_t p = d->p, q = p + 1;
    struct fit_rows f = rows_at(d, parameters);
    double *u = xcalloc(q, sizeof *u), log_likelihood = 0;
    memset(gradient, 0, q * sizeof *gradient);
    memset(information, 0, q * q * sizeof *information);
    for (size_t i = 0; f.informative && i < d->n; i++) {
        const struct row *r = &f.row[i];
        directions(d, &f, i, u);
        log_likelihood += r->value;
        gradient[p] += r->t;
        for (size_t j = 0; j < q; j++) {
            gradient[j] += r->e * u[j];
            for (size_t k = 0; k <= j; k++)
                information[j * q + k] -= r->ee * u[j] * u[k];
            information[p * q + j] -= r->et * u[j];
        }
        information[p * q + p] -= r->et * u[p] + r->tt;
    }
    for (size_t j = 0; j < q; j++)
        for (size_t k = 0; k < j; k++)
            information[k * q + j] = information[j * q + k];
    if (d->start)
        keep_positive(d, &f, information);
    rows_free(&f);
    free(u);
    return log_likelihood;
}

/* Minus the third derivatives, i >= j >= k: only the last parameter has a direction in t, so that it may
   stand for t once, twice or thrice. */
void nb_third(const void *nb_data, const double *parameters, double *tensor)
{
    const struct nb_data *d = nb_data;
    size_t p = d->p, q = p + 1;
    struct fit_rows f = rows_at(d, parameters);
    double *u = xcalloc(q, sizeof *u);
    for (size_t n = 0; f.informative && n < d->n; n++) {
        const struct row *r = &f.row[n];
        size_t at = 0;
        directions(d, &f, n, u);
        for (size_t i = 0; i < q; i++)
            for (size_t j = 0; j <= i; j++) {
                double vi = i == p, vj = j == p;
                double ee = r->eee * u[i] * u[j] + r->eet * (vi * u[j] + u[i] * vj) + r->ett * vi * vj;
                double tt = r->eet * u[i] * u[j] + r->ett * (vi * u[j] + u[i] * vj) + r->ttt * vi * vj;
                for (size_t k = 0; k <= j; k++)
                    tensor[at++] -= ee * u[k] + (k == p ? tt : 0);
            }
    }
    rows_free(&f);
    free(u);
}
