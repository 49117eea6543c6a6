/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/aft.h"

#include <math.h>
#include <string.h>

#include "stats/linalg.h"
#include "stats/special.h"

enum { MOST_STEPS = 100, MOST_HALVINGS = 40 };

struct problem {
    enum aft_distribution of;
    const double *time;
    const int *status;
    size_t n, columns, p;
    const double *const *x;
};

/* log density (of events) or log survival (of the censored) of W at z, with two derivatives. */
struct shape {
    double value, first, second;
};

static struct shape normal_shape(double z, bool event)
{
    if (event)
        return (struct shape){-z * z / 2 - log(2 * M_PI) / 2, -z, -1};
    double upper = normal_upper(z), hazard = exp(-z * z / 2) / sqrt(2 * M_PI) / upper;
    return (struct shape){log(upper), -hazard, -hazard * (hazard - z)};
}

static struct shape shape_at(enum aft_distribution of, double z, bool event)
{
    if (of == AFT_LOGNORMAL)
        return normal_shape(z, event);
    if (of == AFT_LOGLOGISTIC) {
        double p = 1 / (1 + exp(-z)), log_survival = z > 0 ? -z - log1p(exp(-z)) : -log1p(exp(z));
        return event ? (struct shape){z + 2 * log_survival, 1 - 2 * p, -2 * p * (1 - p)}
                     : (struct shape){log_survival, -p, -p * (1 - p)};
    }
    double hazard = exp(z);
    return event ? (struct shape){z - hazard, 1 - hazard, -hazard}
                 : (struct shape){-hazard, -hazard, -hazard};
}

/* Log-likelihood at b (and log sigma behind it), its gradient and minus its Hessian. */
static double likelihood_at(const struct problem *m, const double *b, double *gradient, double *information)
{
    size_t p = m->p, k = m->columns;
    double s = p > k ? b[k] : 0, sigma = exp(s), sum = 0;
    memset(gradient, 0, p * sizeof *gradient);
    memset(information, 0, p * p * sizeof *information);
    for (size_t i = 0; i < m->n; i++) {
        bool event = m->status[i] != 0;
        double log_time = log(m->time[i]), eta = 0;
        for (size_t j = 0; j < k; j++)
            eta += b[j] * m->x[j][i];
        double z = (log_time - eta) / sigma;
        struct shape g = shape_at(m->of, z, event);
        sum += g.value - (event ? s + log_time : 0);
        for (size_t j = 0; j < k; j++) {
            gradient[j] -= g.first * m->x[j][i] / sigma;
            for (size_t l = 0; l <= j; l++)
                information[j * p + l] -= g.second * m->x[j][i] * m->x[l][i] / (sigma * sigma);
            if (p > k)
                information[k * p + j] -= (g.second * z + g.first) * m->x[j][i] / sigma;
        }
        if (p > k) {
            gradient[k] -= g.first * z + (event ? 1 : 0);
            information[k * p + k] -= (g.second * z + g.first) * z;
        }
    }
    for (size_t j = 0; j < p; j++)
        for (size_t l = 0; l < j; l++)
            information[l * p + j] = information[j * p + l];
    return sum;
}

/* The mean and spread of log time, censored or not. */
static void start_at(const struct problem *m, double *b)
{
    double mean = 0, spread = 0;
    for (size_t i = 0; i < m->n; i++)
        mean += log(m->time[i]) / (double)m->n;
    for (size_t i = 0; i < m->n; i++)
        spread += pow(log(m->time[i]) - mean, 2) / (double)m->n;
    memset(b, 0, m->p * sizeof *b);
    b[0] = mean;
    if (m->p > m->columns)
        b[m->columns] = log(fmax(1e-3, sqrt(spread)));
}

static enum status maximise(const struct problem *m, const char *const *names, struct arena *a,
                            struct aft_fit *out, struct err *e)
{
    size_t p = m->p;
    double *step = arena_array(a, p, sizeof *step), *h = arena_array(a, p * p, sizeof *h),
           *from = arena_array(a, p, sizeof *from);
    bool *aliased = arena_array(a, p, sizeof *aliased);
    *out = (struct aft_fit){.p = p,
                            .beta = arena_array(a, p, sizeof(double)),
                            .covariance = arena_array(a, p * p, sizeof(double))};
    start_at(m, out->beta);
    double now = likelihood_at(m, out->beta, step, h);
    for (out->iterations = 1; out->iterations <= MOST_STEPS; out->iterations++) {
        double decrement = 0, before = now;
        memcpy(from, step, p * sizeof *from);
        ldl_factor(h, p, 1e-11, aliased);
        for (size_t j = 0; j < m->columns; j++)
            if (aliased[j])
                return err_set(e, ST_INVALID,
                               "'%s' is a combination of the columns before it, or without information",
                               names[j]);
        ldl_inverse(h, p, aliased, out->covariance);
        ldl_solve(h, p, aliased, step);
        for (size_t j = 0; j < p; j++) {
            decrement += step[j] * from[j];
            from[j] = out->beta[j];
            out->beta[j] += step[j];
        }
        if (fabs(decrement) < 1e-20 * fmax(1, fabs(now)))
            break;
        now = likelihood_at(m, out->beta, step, h);
        for (int k = 0; k < MOST_HALVINGS && !(now >= before - 1e-12 * fabs(before)); k++) {
            for (size_t j = 0; j < p; j++)
                out->beta[j] = (out->beta[j] + from[j]) / 2;
            now = likelihood_at(m, out->beta, step, h);
        }
    }
    out->log_likelihood = now;
    return out->iterations <= MOST_STEPS ? ST_OK : err_set(e, ST_INVALID, "the fit does not settle");
}

enum status aft_fit(enum aft_distribution of, const double *time, const int *status, size_t n,
                    const double *const *x, size_t p, const char *const *names, struct arena *a,
                    struct aft_fit *out, struct err *e)
{
    size_t scale = of == AFT_EXPONENTIAL ? 0 : 1, events = 0;
    struct problem m = {of, time, status, n, 1, 1 + scale, x};
    struct aft_fit null;
    for (size_t i = 0; i < n; i++) {
        events += status[i] != 0;
        if (!(time[i] > 0))
            return err_set(e, ST_INVALID, "row %zu: times must be above 0", i + 1);
    }
    if (events == 0)
        return err_set(e, ST_INVALID, "no events: the model has nothing to estimate from");
    enum status s = maximise(&m, names, a, &null, e);
    m.columns = p;
    m.p = p + scale;
    if (s == ST_OK)
        s = maximise(&m, names, a, out, e);
    if (s != ST_OK)
        return s;
    out->log_likelihood_null = null.log_likelihood;
    out->scale = scale ? exp(out->beta[p]) : 1;
    return ST_OK;
}
