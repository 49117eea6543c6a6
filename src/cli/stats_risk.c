/* SPDX-License-Identifier: Apache-2.0
 *
 * accord stats cif, finegray, auc.
 */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "cli/stats_follow.h"
#include "cli/stats_methods.h"
#include "stats/auc.h"
#include "stats/competing.h"

/* The state as whole numbers from 0 (--censored CODE names another code for that). */
static enum status read_states(const struct args *a, const struct follow_up *f, int **out, int *most,
                               struct err *e)
{
    const struct stats_table *t = f->table;
    double censored;
    enum status s = stats_option_number(a, "censored", 0, &censored, e);
    *out = arena_array(t->arena, t->n_rows, sizeof **out);
    *most = 0;
    for (size_t r = 0; s == ST_OK && r < t->n_rows; r++) {
        double v = f->state[r];
        if (!(v >= 0 && v < 1000) || v != floor(v)) {
            err_set(e, ST_INVALID, "the status must be a small whole number: 0 for censored, or the cause");
            return stats_at(t, r, e);
        }
        (*out)[r] = v == censored ? 0 : (int)v;
        *most = (*out)[r] > *most ? (*out)[r] : *most;
    }
    return s;
}

static void push_row(struct js *rows, const char *group, int cause, double time, const struct cif_row *r)
{
    struct js *row = js_object();
    js_put_str(row, "group", group);
    js_put_int(row, "cause", cause);
    stats_put(row, "time", time);
    stats_put(row, "estimate", r ? r->incidence : 0);
    stats_put(row, "variance", r ? r->se * r->se : 0);
    stats_put(row, "se", r ? r->se : 0);
    stats_put(row, "lower", r ? r->lower : 0);
    stats_put(row, "upper", r ? r->upper : 0);
    js_put(row, "reason", r && isnan(r->lower) ? js_string(reason_boundary) : js_null());
    js_push(rows, row);
}

struct curve_request {
    const char *group;
    int cause;
    const double *times; /* NULL: at each event */
    size_t n_times;
    double confidence;
};

static void push_curve(struct js *rows, const struct curve_request *q, const double *time, const int *state,
                       size_t n, struct arena *arena)
{
    struct cif_row *c;
    size_t m = cif_curve(time, state, n, q->cause, q->confidence, arena, &c);
    for (size_t i = 0; !q->times && i < m; i++)
        push_row(rows, q->group, q->cause, c[i].time, &c[i]);
    for (size_t k = 0; q->times && k < q->n_times; k++) {
        size_t i = 0;
        while (i < m && c[i].time <= q->times[k])
            i++;
        push_row(rows, q->group, q->cause, q->times[k], i ? &c[i - 1] : NULL);
    }
}

static enum status read_times(const struct args *a, struct arena *arena, double **times, size_t *n,
                              struct err *e)
{
    const char **words = stats_words(arena, args_get(a, "times"), n);
    *times = *n ? arena_array(arena, *n, sizeof **times) : NULL;
    for (size_t i = 0; i < *n; i++)
        if (!parse_double(slice_of(words[i]), &(*times)[i]))
            return err_set(e, ST_USAGE, "--times must be numbers, comma-separated");
    return ST_OK;
}

static enum status open_competing(const struct args *a, struct stats_table *t, struct follow_up *f,
                                  struct stats_groups *g, int **state, int *causes, struct err *e)
{
    enum status s = stats_follow_up(a, t, f, e);
    if (s == ST_OK && (f->start || f->weight))
        return err_set(e, ST_UNSUPPORTED, "cumulative incidence takes neither entry times nor weights");
    if (s == ST_OK && (s = stats_group(a, t, "group", g, e)) == ST_OK)
        s = stats_follow_drop(f, g, e);
    if (s == ST_OK)
        s = stats_group(a, t, "group", g, e);
    if (s == ST_OK)
        s = read_states(a, f, state, causes, e);
    struct survival_rows unused;
    return s == ST_OK ? stats_follow_rows(f, &unused, e) : s;
}

static void put_gray(struct js *doc, const struct follow_up *f, const struct stats_groups *g,
                     const int *state, int causes, double rho)
{
    struct js *rows = js_array();
    for (int cause = 1; g->n_groups > 1 && cause <= causes; cause++) {
        bool any = false;
        for (size_t r = 0; r < f->table->n_rows; r++)
            any = any || state[r] == cause;
        if (!any)
            continue;
        struct test t = cif_gray_test(f->time, state, g->of, f->table->n_rows, g->n_groups, cause, rho);
        struct js *row = js_object();
        js_put_int(row, "cause", cause);
        stats_put(row, "chisq", t.statistic);
        stats_put(row, "df", t.df);
        stats_put(row, "p", t.p);
        js_push(rows, row);
    }
    js_put(doc, "gray_tests", rows);
}

static enum status fill_cif(const struct args *a, struct stats_table *t, const struct confidences *level,
                            struct js *doc, struct err *e)
{
    struct follow_up f;
    struct stats_groups g;
    int *state = NULL, causes = 0;
    double *times, rho;
    size_t n_times;
    enum status s = read_times(a, t->arena, &times, &n_times, e);
    if (s == ST_OK)
        s = stats_option_number(a, "rho", 0, &rho, e);
    if (s == ST_OK)
        s = open_competing(a, t, &f, &g, &state, &causes, e);
    if (s != ST_OK)
        return s;
    if (causes == 0)
        return err_set(e, ST_INVALID, "%s: no_events: every row is censored", t->name);
    struct js *rows = js_array();
    stats_put(doc, "confidence", level->level[0]);
    js_put_int(doc, "rows_dropped_missing", (int64_t)f.dropped);
    put_gray(doc, &f, &g, state, causes, rho);
    js_put(doc, "rows", rows);
    for (size_t i = 0; i < g.n_groups; i++) {
        double *time = arena_array(t->arena, g.size[i], sizeof *time);
        int *st = arena_array(t->arena, g.size[i], sizeof *st);
        for (size_t k = 0; k < g.size[i]; k++) {
            time[k] = f.time[g.rows[i][k]];
            st[k] = state[g.rows[i][k]];
        }
        for (int cause = 1; cause <= causes; cause++) {
            struct curve_request q = {stats_group_name(t, &g, i), cause, times, n_times, level->level[0]};
            push_curve(rows, &q, time, st, g.size[i], t->arena);
        }
    }
    return ST_OK;
}

enum status stats_run_cif(const struct args *a, struct err *e)
{
    return stats_run_document(a, "cif", "rows", fill_cif, e);
}

static enum status fill_finegray(const struct args *a, struct stats_table *t, const struct confidences *level,
                                 struct js *doc, struct err *e)
{
    struct follow_up f;
    struct stats_roles roles;
    struct stats_design d;
    struct finegray_fit fit;
    int64_t cause;
    int *state = NULL, causes = 0;
    enum status s = args_int(a, "cause", 1, 999, 1, &cause, e);
    if (s == ST_OK)
        s = stats_follow_up(a, t, &f, e);
    if (s != ST_OK)
        return s;
    stats_follow_roles(&f, &roles);
    s = stats_design(a, t, &roles, false, &d, e);
    if (s == ST_OK)
        s = read_states(a, &f, &state, &causes, e);
    struct survival_rows unused;
    if (s == ST_OK)
        s = stats_follow_rows(&f, &unused, e);
    if (s == ST_OK && (s = finegray_fit(f.time, state, d.n, (const double *const *)d.x, d.p, (int)cause,
                                        t->arena, &fit, e)) != ST_OK)
        err_wrap(e, "%s", t->name);
    if (s != ST_OK)
        return s;
    js_put_int(doc, "cause", cause);
    stats_put(doc, "n", fit.n);
    stats_put(doc, "events", fit.events);
    js_put_int(doc, "rows_dropped_missing", (int64_t)d.dropped);
    stats_put(doc, "log_likelihood_null", fit.log_likelihood_null);
    stats_put(doc, "log_likelihood", fit.log_likelihood);
    stats_put(doc, "deviance", -2 * fit.log_likelihood);
    stats_put(doc, "aic", 2 * (double)fit.p - 2 * fit.log_likelihood);
    struct js *rows = js_array();
    for (size_t j = 0; j < d.p; j++) {
        double se = sqrt(fit.covariance[j * d.p + j]);
        struct js *row =
            stats_coefficient(d.names[j], fit.beta[j], se, level->level[0], (double)INFINITY, false);
        stats_put(row, "hr", exp(fit.beta[j]));
        js_push(rows, row);
    }
    js_put(doc, "coefficients", rows);
    js_put(doc, "covariance", stats_matrix(d.names, fit.covariance, d.p));
    return ST_OK;
}

enum status stats_run_finegray(const struct args *a, struct err *e)
{
    return stats_run_document(a, "finegray", "coefficients", fill_finegray, e);
}

struct scores {
    size_t n, k, dropped;
    const char **names;
    double *y, **v;
};

static enum status read_scores(const struct args *a, struct stats_table *t, struct scores *in, struct err *e)
{
    const char **words = stats_words(t->arena, args_get_or(a, "score", "p"), &in->k);
    in->names = words;
    in->v = arena_array(t->arena, in->k, sizeof *in->v);
    enum status s = stats_choose_numbers(a, t, "y", "y outcome status", true, &in->y, e);
    for (size_t k = 0; s == ST_OK && k < in->k; k++) {
        int column;
        s = stats_column(t, words[k], &column, e);
        if (s == ST_OK)
            s = stats_numbers(t, column, &in->v[k], e);
    }
    for (size_t r = 0; s == ST_OK && r < t->n_rows; r++) {
        bool keep = !isnan(in->y[r]);
        for (size_t k = 0; k < in->k; k++)
            keep = keep && !isnan(in->v[k][r]);
        for (size_t k = 0; keep && k < in->k; k++)
            in->v[k][in->n] = in->v[k][r];
        if (keep)
            in->y[in->n++] = in->y[r];
        in->dropped += !keep;
    }
    return s;
}

static void put_calibration(struct js *row, const struct calibration *c)
{
    stats_put(row, "brier", c->brier);
    stats_put(row, "log_loss", c->log_loss);
    stats_put(row, "observed", c->observed);
    stats_put(row, "expected", c->expected);
    stats_put(row, "oe_ratio", c->observed / c->expected);
    struct interval oe = interval_count(c->observed, 0.95);
    stats_put(row, "oe_lower", oe.lower / c->expected);
    stats_put(row, "oe_upper", oe.upper / c->expected);
    stats_put(row, "calibration_slope", c->slope.value);
    stats_put(row, "calibration_slope_se", c->slope_se);
    stats_put(row, "calibration_slope_lower", c->slope.lower);
    stats_put(row, "calibration_slope_upper", c->slope.upper);
    stats_put(row, "calibration_in_the_large", c->intercept.value);
    stats_put(row, "calibration_in_the_large_se", c->intercept_se);
    stats_put(row, "calibration_in_the_large_lower", c->intercept.lower);
    stats_put(row, "calibration_in_the_large_upper", c->intercept.upper);
}

static void put_groups(struct js *doc, const double *p, const double *y, size_t n)
{
    enum { GROUPS = 10 };
    struct calibration_group g[GROUPS];
    struct test t = hosmer_lemeshow(p, y, n, GROUPS, g);
    stats_put_test(doc, "hosmer_lemeshow", &t);
    struct js *rows = js_array();
    for (int i = 0; i < GROUPS; i++) {
        struct js *row = js_object();
        js_put_int(row, "group", i + 1);
        stats_put(row, "n", g[i].n);
        stats_put(row, "mean_predicted", g[i].mean_predicted);
        stats_put(row, "observed_rate", g[i].observed_rate);
        js_push(rows, row);
    }
    js_put(doc, "calibration_groups", rows);
}

static enum status put_benefit(const struct args *a, struct js *doc, const double *p, const struct scores *in,
                               struct arena *arena, struct err *e)
{
    size_t n;
    const char **words = stats_words(arena, args_get_or(a, "thresholds", "0.05,0.1,0.2,0.3,0.4,0.5"), &n);
    struct js *rows = js_array();
    js_put(doc, "net_benefit", rows);
    for (size_t i = 0; i < n; i++) {
        double t;
        if (!parse_double(slice_of(words[i]), &t) || !(t > 0 && t < 1))
            return err_set(e, ST_USAGE, "--thresholds must be probabilities between 0 and 1");
        struct net_benefit b = net_benefit(p, in->y, in->n, t);
        struct js *row = js_object();
        stats_put(row, "threshold", t);
        stats_put(row, "model", b.model);
        stats_put(row, "all", b.all);
        stats_put(row, "true_positives", b.true_positives);
        stats_put(row, "false_positives", b.false_positives);
        js_push(rows, row);
    }
    return ST_OK;
}

static bool probabilities(const double *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(p[i] > 0 && p[i] < 1))
            return false;
    return true;
}

static enum status fill_auc(const struct args *a, struct stats_table *t, const struct confidences *level,
                            struct js *doc, struct err *e)
{
    struct scores in = {0};
    enum status s = read_scores(a, t, &in, e);
    struct auc *fits = arena_array(t->arena, in.k + 1, sizeof *fits);
    struct js *rows = js_array(), *pairs = js_array();
    js_put_int(doc, "rows_dropped_missing", (int64_t)in.dropped);
    stats_put(doc, "confidence", level->level[0]);
    js_put(doc, "rows", rows);
    js_put(doc, "comparisons", pairs);
    for (size_t k = 0; s == ST_OK && k < in.k; k++) {
        s = auc_fit(in.v[k], in.y, in.n, t->arena, &fits[k], e);
        if (s != ST_OK)
            return err_wrap(e, "%s", t->name);
        struct estimate v = auc_interval(&fits[k], level->level[0]);
        struct js *row = js_object();
        struct confidences one = {.level = {level->level[0]}, .n = 1};
        js_put_str(row, "score", in.names[k]);
        js_put_int(row, "cases", (int64_t)fits[k].n_cases);
        js_put_int(row, "controls", (int64_t)fits[k].n_controls);
        stats_put_estimate(row, &v, &one);
        stats_put(row, "se", sqrt(fits[k].variance));
        stats_put(row, "variance", fits[k].variance);
        js_push(rows, row);
        if (!probabilities(in.v[k], in.n))
            continue;
        struct calibration c;
        s = calibration_fit(in.v[k], in.y, in.n, level->level[0], t->arena, &c, e);
        if (s == ST_OK)
            put_calibration(row, &c);
        put_groups(row, in.v[k], in.y, in.n);
        if (s == ST_OK)
            s = put_benefit(a, row, in.v[k], &in, t->arena, e);
    }
    for (size_t i = 0; s == ST_OK && i < in.k; i++)
        for (size_t j = i + 1; j < in.k; j++) {
            struct test z = auc_compare(&fits[i], &fits[j]);
            struct js *row = js_object();
            js_put_str(row, "first", in.names[i]);
            js_put_str(row, "second", in.names[j]);
            stats_put(row, "difference", fits[i].value - fits[j].value);
            stats_put(row, "z", z.statistic);
            stats_put(row, "p", z.p);
            js_push(pairs, row);
        }
    return s;
}

enum status stats_run_auc(const struct args *a, struct err *e)
{
    return stats_run_document(a, "auc", "rows", fill_auc, e);
}
