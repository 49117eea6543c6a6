/* SPDX-License-Identifier: Apache-2.0
 *
 * accord stats glm, nb.
 */
#include <math.h>
#include <string.h>

#include "cli/stats_design.h"
#include "cli/stats_methods.h"
#include "stats/glm.h"
#include "stats/special.h"

struct glm_input {
    struct glm_model model;
    struct glm_data data;
    struct stats_design design;
    double confidence;
    size_t dropped;
};

static enum status read_model(const struct args *a, struct glm_model *m, struct err *e)
{
    static const char *const families[] = {"gaussian",         "binomial",      "poisson",      "gamma",
                                           "inverse.gaussian", "quasibinomial", "quasipoisson", NULL};
    static const char *const links[] = {"default", "identity", "logit", "probit", "cloglog", "cauchit",
                                        "log",     "inverse",  "sqrt",  "1/mu^2", NULL};
    int family, link;
    enum status s = stats_option_choice(a, "family", families, &family, e);
    if (s == ST_OK)
        s = stats_option_choice(a, "link", links, &link, e);
    if (s == ST_OK)
        *m = (struct glm_model){(enum glm_family)family,
                                link ? (enum glm_link)(link - 1) : glm_default_link((enum glm_family)family),
                                0};
    return s;
}

/* Rows of weight 0 say nothing and are left out, as in R. */
static void drop_weightless(struct glm_input *in, double *y, double *offset, double *weight)
{
    size_t to = 0;
    for (size_t i = 0; weight && i < in->design.n; i++) {
        if (weight[i] == 0)
            continue;
        for (size_t j = 0; j < in->design.p; j++)
            in->design.x[j][to] = in->design.x[j][i];
        y[to] = y[i];
        if (offset)
            offset[to] = offset[i];
        weight[to++] = weight[i];
    }
    if (weight)
        in->design.n = to;
}

static enum status read_glm(const struct args *a, struct stats_table *t, struct glm_input *in, struct err *e)
{
    int y = -1, offset = -1, weight = -1;
    double *v[3] = {0};
    struct stats_roles roles = {.used = {-1}};
    enum status s = stats_choose(a, t, "y", "y", true, &y, e);
    if (s == ST_OK)
        s = stats_choose(a, t, "offset", "offset", false, &offset, e);
    if (s == ST_OK)
        s = stats_choose(a, t, "weights", "prior_weight", false, &weight, e);
    int columns[3] = {y, offset, weight};
    for (int i = 0, used = 0, needed = 0; s == ST_OK && i < 3; i++) {
        if (columns[i] < 0)
            continue;
        s = stats_numbers(t, columns[i], &v[i], e);
        roles.used[used++] = columns[i];
        roles.used[used] = -1;
        roles.needed[needed++] = v[i];
    }
    if (s == ST_OK)
        s = stats_design(a, t, &roles, !args_has(a, "no-intercept"), &in->design, e);
    if (s != ST_OK)
        return s;
    bool plain = true;
    for (size_t i = 0; v[2] && i < in->design.n; i++)
        plain = plain && v[2][i] == 1;
    drop_weightless(in, v[0], v[1], v[2]);
    in->data = (struct glm_data){.n = in->design.n,
                                 .p = in->design.p,
                                 .x = (const double *const *)in->design.x,
                                 .y = v[0],
                                 .offset = v[1],
                                 .weight = plain ? NULL : v[2]};
    return ST_OK;
}

static void put_fit(struct js *doc, const struct glm_input *in, const struct glm_fit *f)
{
    js_put_str(doc, "family", glm_family_name(in->model.family));
    js_put_str(doc, "link", glm_link_name(in->model.link));
    stats_put(doc, "confidence", in->confidence);
    stats_put(doc, "n", f->n);
    js_put_int(doc, "rows_dropped_missing", (int64_t)in->design.dropped);
    stats_put(doc, "deviance", f->deviance);
    stats_put(doc, "null_deviance", f->null_deviance);
    stats_put(doc, "df_residual", f->df_residual);
    stats_put(doc, "df_null", f->df_null);
    stats_put(doc, "log_likelihood", f->log_likelihood);
    stats_put(doc, "aic", f->aic);
    stats_put(doc, "bic", f->bic);
    stats_put(doc, "pearson_chi2", f->pearson);
    stats_put(doc, "dispersion", f->dispersion);
    stats_put(doc, "log_det_information", f->log_det);
    js_put_int(doc, "rank", (int64_t)f->rank);
    js_put_int(doc, "iterations", f->iterations);
}

static void put_robust(struct js *row, const struct glm_input *in, const struct glm_fit *f, size_t j,
                       double *v[3])
{
    static const char *const names[3] = {"se_hc0", "se_hc1", "se_hc3"};
    for (int k = 0; k < 3; k++)
        stats_put(row, names[k], f->aliased[j] ? (double)NAN : sqrt(v[k][j * in->data.p + j]));
}

static void put_coefficients(struct js *doc, const struct glm_input *in, const struct glm_fit *f, bool robust,
                             struct arena *arena)
{
    struct js *rows = js_array();
    size_t p = f->p;
    double *v[3], z = normal_z(in->confidence);
    static const int kinds[3] = {0, 1, 3};
    for (int k = 0; robust && k < 3; k++) {
        v[k] = arena_array(arena, p * p, sizeof **v);
        glm_robust(&in->model, &in->data, f, kinds[k], v[k]);
    }
    double df = f->dispersion_estimated ? f->df_residual : (double)INFINITY;
    for (size_t j = 0; j < p; j++) {
        double b = f->beta[j], se = sqrt(f->covariance[j * p + j]);
        struct js *row = stats_coefficient(in->design.names[j], b, se, in->confidence, df, f->aliased[j]);
        if (f->dispersion_estimated && !f->aliased[j] && f->df_residual > 0) {
            double t = t_quantile(normal_cdf(z), f->df_residual);
            stats_put(row, "lower_t", b - t * se);
            stats_put(row, "upper_t", b + t * se);
        }
        if (in->model.link == GLM_LOG || in->model.link == GLM_LOGIT) {
            stats_put(row, "ratio", f->aliased[j] ? (double)NAN : exp(b));
            stats_put(row, "ratio_lower", f->aliased[j] ? (double)NAN : exp(b - z * se));
            stats_put(row, "ratio_upper", f->aliased[j] ? (double)NAN : exp(b + z * se));
        }
        if (robust)
            put_robust(row, in, f, j, v);
        js_push(rows, row);
    }
    js_put(doc, "coefficients", rows);
    js_put(doc, "covariance", stats_matrix(in->design.names, f->covariance, p));
}

/* What summary(lm) adds: sigma, R squared, the F test against the intercept alone. */
static void put_linear(struct js *doc, const struct glm_fit *f)
{
    double df = f->df_null - f->df_residual, r2 = 1 - f->deviance / f->null_deviance;
    double statistic = (f->null_deviance - f->deviance) / df / f->dispersion;
    stats_put(doc, "rss", f->deviance);
    stats_put(doc, "sigma", sqrt(f->dispersion));
    stats_put(doc, "r_squared", r2);
    stats_put(doc, "adj_r_squared", 1 - (1 - r2) * f->df_null / f->df_residual);
    stats_put(doc, "f_statistic", statistic);
    stats_put(doc, "f_df", df);
    stats_put(doc, "f_p", f_upper(statistic, df, f->df_residual));
}

/* Sequential sums of squares, a column at a time. */
static enum status put_anova(struct js *doc, const struct glm_input *in, const struct glm_fit *whole,
                             struct arena *arena, struct err *e)
{
    struct js *rows = js_array();
    js_put(doc, "anova", rows);
    struct glm_data d = in->data;
    double before = whole->null_deviance;
    for (size_t p = 2; p <= in->data.p; p++) {
        struct glm_fit f;
        d.p = p;
        enum status s = glm_fit(&in->model, &d, in->design.names, arena, &f, e);
        if (s != ST_OK)
            return s;
        double ss = before - f.deviance;
        struct js *row = js_object();
        js_put_str(row, "term", in->design.names[p - 1]);
        stats_put(row, "ss", ss);
        stats_put(row, "p", f_upper(ss / whole->dispersion, 1, whole->df_residual));
        js_push(rows, row);
        before = f.deviance;
    }
    return ST_OK;
}

static enum status answer_glm(const struct args *a, struct glm_input *in, struct arena *arena, struct js *doc,
                              struct err *e)
{
    struct glm_fit f;
    enum status s = glm_fit(&in->model, &in->data, in->design.names, arena, &f, e);
    if (s != ST_OK)
        return s;
    put_fit(doc, in, &f);
    put_coefficients(doc, in, &f, true, arena);
    if (in->model.family == GLM_GAUSSIAN && in->model.link == GLM_IDENTITY)
        put_linear(doc, &f);
    return args_has(a, "anova") ? put_anova(doc, in, &f, arena, e) : ST_OK;
}

static enum status answer_nb(const struct args *a, struct glm_input *in, struct arena *arena, struct js *doc,
                             struct err *e)
{
    (void)a;
    struct nb_fit f;
    enum status s = nb_fit(in->model.link, &in->data, in->design.names, arena, &f, e);
    if (s != ST_OK)
        return s;
    in->model.family = f.poisson_limit ? GLM_POISSON : GLM_NEGATIVE_BINOMIAL;
    in->model.theta = f.theta;
    put_fit(doc, in, &f.glm);
    stats_put(doc, "theta", f.theta);
    stats_put(doc, "se_theta", f.se_theta);
    double z = normal_z(in->confidence);
    stats_put(doc, "theta_lower", f.theta - z * f.se_theta);
    stats_put(doc, "theta_upper", f.theta + z * f.se_theta);
    stats_put(doc, "log_likelihood2", f.log_likelihood2);
    js_put(doc, "poisson_limit", js_boolean(f.poisson_limit));
    if (f.poisson_limit)
        js_put_str(doc, "reason", "no_overdispersion");
    put_coefficients(doc, in, &f.glm, false, arena);
    return ST_OK;
}

typedef enum status (*answer)(const struct args *a, struct glm_input *in, struct arena *arena, struct js *doc,
                              struct err *e);

static enum status run_model(const struct args *a, const char *method, answer f, struct glm_model model,
                             struct err *e)
{
    struct stats_table *t;
    struct glm_input in = {.model = model};
    struct confidences level;
    enum status s = stats_confidences(a, false, &level, e);
    if (s != ST_OK || (s = stats_table_open(a, &t, e)) != ST_OK)
        return s;
    in.confidence = level.level[0];
    struct js *doc = stats_document(method);
    s = read_glm(a, t, &in, e);
    if (s == ST_OK && (s = f(a, &in, t->arena, doc, e)) != ST_OK)
        err_wrap(e, "%s", t->name);
    stats_table_close(t);
    if (s == ST_OK)
        return stats_print(a, doc, "coefficients", e);
    js_free(doc);
    return s;
}

enum status stats_run_glm(const struct args *a, struct err *e)
{
    struct glm_model m;
    enum status s = read_model(a, &m, e);
    return s == ST_OK ? run_model(a, "glm", answer_glm, m, e) : s;
}

enum status stats_run_nb(const struct args *a, struct err *e)
{
    return run_model(a, "nb", answer_nb, (struct glm_model){GLM_NEGATIVE_BINOMIAL, GLM_LOG, 1}, e);
}
