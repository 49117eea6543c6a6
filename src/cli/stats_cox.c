/* SPDX-License-Identifier: Apache-2.0
 *
 * accord stats cox.
 */
#include <math.h>
#include <string.h>

#include "cli/stats_follow.h"
#include "cli/stats_methods.h"
#include "stats/cox.h"

struct cox_input {
    struct follow_up follow;
    struct stats_design design;
    struct stats_groups strata, clusters;
    uint32_t *cluster;
    struct cox_data data;
    enum cox_ties ties;
    double confidence;
};

/* Option columns beyond the follow-up ones, which are no covariates either. */
static enum status add_roles(const struct args *a, const struct stats_table *t, struct stats_roles *roles,
                             double **offset, struct err *e)
{
    static const char *const options[] = {"strata", "cluster"};
    size_t used = 0, needed = 0;
    while (roles->used[used] >= 0)
        used++;
    while (roles->needed[needed])
        needed++;
    int column;
    enum status s = stats_choose(a, t, "offset", "offset", false, &column, e);
    if (s == ST_OK && column >= 0) {
        s = stats_numbers(t, column, offset, e);
        roles->used[used++] = column;
        roles->needed[needed++] = *offset;
    }
    for (size_t i = 0; s == ST_OK && i < 2; i++) {
        size_t n;
        const char **words = stats_words(t->arena, args_get(a, options[i]), &n);
        for (size_t k = 0; s == ST_OK && k < n && used < 15; k++)
            s = stats_column(t, words[k], &roles->used[used++], e);
    }
    roles->used[used] = -1;
    roles->needed[needed] = NULL;
    return s;
}

static enum status read_cox(const struct args *a, struct stats_table *t, struct cox_input *in, struct err *e)
{
    static const char *const ties[] = {"efron", "breslow", "exact", NULL};
    struct stats_roles roles;
    double *offset = NULL;
    int tie;
    enum status s = stats_option_choice(a, "ties", ties, &tie, e);
    if (s == ST_OK)
        s = stats_follow_up(a, t, &in->follow, e);
    if (s == ST_OK)
        s = stats_status(a, t, in->follow.columns[1], in->follow.state, e);
    if (s != ST_OK)
        return s;
    in->ties = (enum cox_ties)tie;
    stats_follow_roles(&in->follow, &roles);
    s = add_roles(a, t, &roles, &offset, e);
    if (s == ST_OK)
        s = stats_design(a, t, &roles, false, &in->design, e);
    if (s == ST_OK)
        s = stats_follow_rows(&in->follow, &in->data.rows, e);
    uint32_t *stratum;
    if (s == ST_OK)
        s = stats_group_column(t, a, "strata", &in->strata, &stratum, e);
    if (s == ST_OK)
        s = stats_group_column(t, a, "cluster", &in->clusters, &in->cluster, e);
    if (s == ST_OK && in->ties == COX_EXACT && in->follow.weight)
        return err_set(e, ST_UNSUPPORTED, "exact ties take no weights; use --ties efron");
    if (s != ST_OK)
        return s;
    in->data.p = in->design.p;
    in->data.x = (const double *const *)in->design.x;
    in->data.offset = offset;
    in->data.stratum = stratum;
    return ST_OK;
}

static void put_coefficients(struct js *doc, const struct cox_input *in, const struct cox_fit *f)
{
    struct js *rows = js_array();
    size_t p = f->p;
    double z = normal_z(in->confidence);
    for (size_t j = 0; j < p; j++) {
        double b = f->beta[j], se = sqrt(f->covariance[j * p + j]);
        struct js *row =
            stats_coefficient(in->design.names[j], b, se, in->confidence, (double)INFINITY, f->aliased[j]);
        bool aliased = f->aliased[j];
        stats_put(row, "hr", aliased ? (double)NAN : exp(b));
        stats_put(row, "hr_lower", aliased ? (double)NAN : exp(b - z * se));
        stats_put(row, "hr_upper", aliased ? (double)NAN : exp(b + z * se));
        if (f->robust)
            stats_put(row, "se_naive", aliased ? (double)NAN : sqrt(f->naive[j * p + j]));
        js_push(rows, row);
    }
    js_put(doc, "coefficients", rows);
    js_put(doc, "covariance", stats_matrix(in->design.names, f->covariance, p));
}

static void put_fit(struct js *doc, const struct cox_input *in, const struct cox_fit *f)
{
    static const char *const ties[] = {"efron", "breslow", "exact"};
    js_put_str(doc, "ties", ties[in->ties]);
    stats_put(doc, "confidence", in->confidence);
    stats_put(doc, "n", f->n);
    stats_put(doc, "events", f->events);
    js_put_int(doc, "rows_dropped_missing", (int64_t)in->design.dropped);
    stats_put(doc, "log_likelihood_null", f->log_likelihood_null);
    stats_put(doc, "log_likelihood", f->log_likelihood);
    stats_put(doc, "deviance", -2 * f->log_likelihood);
    stats_put(doc, "aic", 2 * (double)f->rank - 2 * f->log_likelihood);
    stats_put(doc, "bic", log(f->events) * (double)f->rank - 2 * f->log_likelihood);
    js_put_int(doc, "iterations", f->iterations);
    stats_put_test(doc, "likelihood_ratio_test", &f->likelihood_ratio);
    stats_put_test(doc, "wald_test", &f->wald);
    stats_put_test(doc, "score_test", &f->score);
}

static void put_concordance(struct js *doc, const struct cox_input *in, const struct cox_fit *f,
                            struct arena *arena)
{
    struct concordance c;
    double *risk = arena_array(arena, in->data.rows.n, sizeof *risk), z = normal_z(in->confidence);
    for (size_t j = 0; j < f->p; j++)
        for (size_t i = 0; i < in->data.rows.n; i++)
            risk[i] += f->beta[j] * in->data.x[j][i];
    for (size_t i = 0; in->data.offset && i < in->data.rows.n; i++)
        risk[i] += in->data.offset[i];
    cox_concordance(&in->data, risk, in->cluster, in->clusters.n_groups, &c);
    struct js *row = js_object();
    stats_put(row, "concordant", c.concordant);
    stats_put(row, "discordant", c.discordant);
    stats_put(row, "tied_x", c.tied_x);
    stats_put(row, "tied_y", c.tied_y);
    stats_put(row, "tied_xy", c.tied_xy);
    stats_put(row, "value", c.value);
    stats_put(row, "se", c.se);
    stats_put(row, "lower", c.value - z * c.se);
    stats_put(row, "upper", c.value + z * c.se);
    js_put(doc, "concordance", row);
}

static void put_zph(struct js *doc, const struct cox_input *in, const struct cox_fit *f, struct arena *arena)
{
    static const char *const names[] = {"km", "rank", "identity"};
    size_t terms = in->design.n_terms;
    struct test *tests = arena_array(arena, terms + 1, sizeof *tests);
    struct js *rows = js_array();
    for (int g = 0; g < 3; g++) {
        cox_zph(&in->data, f, in->ties, (enum cox_transform)g, in->design.term, terms, tests);
        for (size_t t = 0; t <= terms; t++) {
            struct js *row = js_object();
            js_put_str(row, "transform", names[g]);
            js_put_str(row, "term", t < terms ? in->design.terms[t] : "GLOBAL");
            stats_put(row, "chisq", tests[t].statistic);
            stats_put(row, "df", tests[t].df);
            stats_put(row, "p", tests[t].p);
            js_push(rows, row);
        }
    }
    js_put(doc, "proportional_hazards", rows);
}

static void put_baseline(struct js *doc, const struct cox_input *in, const struct cox_fit *f,
                         struct stats_table *t)
{
    struct cox_hazard *h;
    size_t n = cox_baseline(&in->data, f, in->ties, t->arena, &h);
    double mean = 0; /* the linear predictor at the covariates' means */
    for (size_t j = 0; j < f->p; j++) {
        double sum = 0;
        for (size_t i = 0; i < in->data.rows.n; i++)
            sum += in->data.x[j][i];
        mean += f->beta[j] * sum / (double)in->data.rows.n;
    }
    struct js *rows = js_array();
    for (size_t i = 0; i < n; i++) {
        struct js *row = js_object();
        if (in->data.stratum)
            js_put_str(row, "stratum", stats_group_name(t, &in->strata, h[i].stratum));
        stats_put(row, "time", h[i].time);
        stats_put(row, "hazard", h[i].hazard);
        stats_put(row, "hazard_at_means", h[i].hazard * exp(mean));
        js_push(rows, row);
    }
    js_put(doc, "baseline_hazard", rows);
}

static double sum_squares(const double *v, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++)
        s += v[i] * v[i];
    return s;
}

static enum status fill_cox(const struct args *a, struct stats_table *t, const struct confidences *level,
                            struct js *doc, struct err *e)
{
    struct cox_input in = {.confidence = level->level[0]};
    struct cox_fit f;
    struct cox_residuals r;
    enum status s = read_cox(a, t, &in, e);
    if (s != ST_OK)
        return s;
    s = cox_fit(&in.data, in.ties, in.design.names, t->arena, &f, e);
    if (s != ST_OK)
        return err_wrap(e, "%s", t->name);
    cox_residuals(&in.data, &f, in.ties, t->arena, &r);
    if (in.cluster || in.follow.weight || args_has(a, "robust")) {
        if (in.ties == COX_EXACT)
            return err_set(e, ST_UNSUPPORTED, "exact ties have no robust standard errors; use --ties efron");
        cox_robust(&in.data, &r, in.cluster, in.clusters.n_groups, &f);
    }
    put_fit(doc, &in, &f);
    put_coefficients(doc, &in, &f);
    stats_put(doc, "sum_sq_martingale", sum_squares(r.martingale, in.data.rows.n));
    stats_put(doc, "sum_sq_deviance_residuals", sum_squares(r.deviance, in.data.rows.n));
    put_concordance(doc, &in, &f, t->arena);
    if (in.ties != COX_EXACT)
        put_zph(doc, &in, &f, t->arena);
    put_baseline(doc, &in, &f, t);
    return ST_OK;
}

enum status stats_run_cox(const struct args *a, struct err *e)
{
    return stats_run_document(a, "cox", "coefficients", fill_cox, e);
}
