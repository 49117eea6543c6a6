/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/auc.h"

#include <math.h>
#include <stdlib.h>

#include "stats/glm.h"
#include "stats/special.h"
#include "stats/sum.h"

struct ranked {
    double score;
    size_t row;
};

static int by_score(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return x->score != y->score ? (x->score > y->score) - (x->score < y->score)
                                : (x->row > y->row) - (x->row < y->row);
}

/* Midranks of the rows of one outcome (or of all, y NULL), by row. */
static void midranks(const double *score, const double *y, double wanted, size_t n, double *out)
{
    struct ranked *r = xcalloc(n + 1, sizeof *r);
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if (!y || y[i] == wanted)
            r[m++] = (struct ranked){score[i], i};
    qsort(r, m, sizeof *r, by_score);
    for (size_t i = 0, j; i < m; i = j) {
        for (j = i; j < m && r[j].score == r[i].score; j++)
            ;
        for (size_t k = i; k < j; k++)
            out[r[k].row] = (double)(i + j + 1) / 2;
    }
    free(r);
}

static double covariance(const double *x, double mx, const double *y, double my, size_t n)
{
    struct csum s = {0};
    for (size_t i = 0; i < n; i++)
        csum_add(&s, (x[i] - mx) * (y[i] - my));
    return csum_value(&s) / (double)(n - 1);
}

enum status auc_fit(const double *score, const double *y, size_t n, struct arena *a, struct auc *out,
                    struct err *e)
{
    *out = (struct auc){.cases = arena_array(a, n, sizeof(double)),
                        .controls = arena_array(a, n, sizeof(double))};
    for (size_t i = 0; i < n; i++) {
        if (y[i] != 0 && y[i] != 1)
            return err_set(e, ST_INVALID, "row %zu: the outcome must be 0 or 1", i + 1);
        ++*(y[i] == 1 ? &out->n_cases : &out->n_controls);
    }
    if (out->n_cases < 2 || out->n_controls < 2)
        return err_set(e, ST_INVALID,
                       "an ROC curve needs at least two rows with the outcome and two without");
    double *all = xcalloc(n, sizeof *all), *own = xcalloc(n, sizeof *own);
    midranks(score, NULL, 0, n, all);
    midranks(score, y, 0, n, own);
    midranks(score, y, 1, n, own);
    struct csum s = {0};
    size_t case_at = 0, control_at = 0;
    for (size_t i = 0; i < n; i++) {
        double won = all[i] - own[i]; /* of the other kind, below this score */
        if (y[i] == 1) {
            out->cases[case_at++] = won / (double)out->n_controls;
            csum_add(&s, won);
        } else {
            out->controls[control_at++] = 1 - won / (double)out->n_cases;
        }
    }
    free(all);
    free(own);
    out->value = csum_value(&s) / ((double)out->n_cases * (double)out->n_controls);
    out->variance =
        covariance(out->cases, out->value, out->cases, out->value, out->n_cases) / (double)out->n_cases +
        covariance(out->controls, out->value, out->controls, out->value, out->n_controls) /
            (double)out->n_controls;
    return ST_OK;
}

struct estimate auc_interval(const struct auc *a, double confidence)
{
    double half = normal_z(confidence) * sqrt(a->variance);
    return (struct estimate){a->value, fmax(0, a->value - half), fmin(1, a->value + half), NULL};
}

struct test auc_compare(const struct auc *a, const struct auc *b)
{
    double shared =
        covariance(a->cases, a->value, b->cases, b->value, a->n_cases) / (double)a->n_cases +
        covariance(a->controls, a->value, b->controls, b->value, a->n_controls) / (double)a->n_controls;
    double z = (a->value - b->value) / sqrt(a->variance + b->variance - 2 * shared);
    return (struct test){z, (double)INFINITY, 2 * normal_upper(fabs(z))};
}

static enum status fit_slope(const double *logit, const double *y, size_t n, bool offset, double z,
                             struct arena *a, struct estimate *out, double *se, struct err *e)
{
    static const char *const names[] = {"_intercept", "logit of p"};
    double *ones = arena_array(a, n, sizeof *ones);
    for (size_t i = 0; i < n; i++)
        ones[i] = 1;
    const double *x[2] = {ones, logit};
    struct glm_data d = {.n = n, .p = offset ? 1 : 2, .x = x, .y = y, .offset = offset ? logit : NULL};
    struct glm_model m = {GLM_BINOMIAL, GLM_LOGIT, 0};
    struct glm_fit f;
    enum status s = glm_fit(&m, &d, names, a, &f, e);
    if (s != ST_OK)
        return s;
    size_t j = d.p - 1;
    *se = sqrt(f.covariance[j * d.p + j]);
    *out = (struct estimate){f.beta[j], f.beta[j] - z * *se, f.beta[j] + z * *se, NULL};
    return ST_OK;
}

enum status calibration_fit(const double *p, const double *y, size_t n, double confidence, struct arena *a,
                            struct calibration *out, struct err *e)
{
    struct csum brier = {0}, loss = {0}, observed = {0}, expected = {0};
    double *logit = arena_array(a, n, sizeof *logit), z = normal_z(confidence);
    for (size_t i = 0; i < n; i++) {
        if (!(p[i] > 0 && p[i] < 1))
            return err_set(e, ST_INVALID, "row %zu: a predicted probability must be between 0 and 1", i + 1);
        logit[i] = log(p[i] / (1 - p[i]));
        csum_add(&brier, (y[i] - p[i]) * (y[i] - p[i]));
        csum_add(&loss, y[i] == 1 ? -log(p[i]) : -log1p(-p[i]));
        csum_add(&observed, y[i]);
        csum_add(&expected, p[i]);
    }
    *out = (struct calibration){.brier = csum_value(&brier) / (double)n,
                                .log_loss = csum_value(&loss) / (double)n,
                                .observed = csum_value(&observed),
                                .expected = csum_value(&expected)};
    enum status s = fit_slope(logit, y, n, false, z, a, &out->slope, &out->slope_se, e);
    return s == ST_OK ? fit_slope(logit, y, n, true, z, a, &out->intercept, &out->intercept_se, e) : s;
}

struct test hosmer_lemeshow(const double *p, const double *y, size_t n, size_t g,
                            struct calibration_group *groups)
{
    double *rank = xcalloc(n + 1, sizeof *rank), chi2 = 0;
    midranks(p, NULL, 0, n, rank);
    for (size_t k = 0; k < g; k++)
        groups[k] = (struct calibration_group){.n = 0};
    for (size_t i = 0; i < n; i++) {
        size_t k = (size_t)ceil(rank[i] * (double)g / (double)n) - 1;
        groups[k].n++;
        groups[k].mean_predicted += p[i];
        groups[k].observed_rate += y[i];
    }
    for (size_t k = 0; k < g; k++) {
        struct calibration_group *c = &groups[k];
        double o = c->observed_rate, ex = c->mean_predicted;
        chi2 += c->n > 0 ? (o - ex) * (o - ex) / (ex * (1 - ex / c->n)) : 0;
        c->mean_predicted /= c->n;
        c->observed_rate /= c->n;
    }
    free(rank);
    double df = (double)g - 2;
    return (struct test){chi2, df, chi2_upper(chi2, df)};
}

struct net_benefit net_benefit(const double *p, const double *y, size_t n, double threshold)
{
    double tp = 0, fp = 0, events = 0, odds = threshold / (1 - threshold), all = (double)n;
    for (size_t i = 0; i < n; i++) {
        events += y[i];
        tp += p[i] >= threshold && y[i] == 1;
        fp += p[i] >= threshold && y[i] == 0;
    }
    return (struct net_benefit){tp / all - fp / all * odds, events / all - (all - events) / all * odds, tp,
                                fp};
}
