/* SPDX-License-Identifier: Apache-2.0
 *
 * accord stats cusum, ewma, its, shrink, calibrate.
 */
#include <math.h>
#include <string.h>

#include "cli/stats_follow.h"
#include "cli/stats_methods.h"
#include "stats/calibrate.h"
#include "stats/monitor.h"
#include "stats/series.h"
#include "stats/shrink.h"

/* A column without gaps: a chart or a fit that skipped some would be another one. */
static enum status whole_column(const struct args *a, const struct stats_table *t, const char *option,
                                const char *usual, double least, double most, double **out, struct err *e)
{
    enum status s = stats_choose_numbers(a, t, option, usual, true, out, e);
    for (size_t r = 0; s == ST_OK && r < t->n_rows; r++)
        if (!((*out)[r] >= least && (*out)[r] <= most)) {
            s = err_set(e, ST_INVALID, "--%s: expected a number from %g to %g", option, least, most);
            return stats_at(t, r, e);
        }
    return s;
}

/* The number of each row and the columns that a method computed. */
static struct js *numbered_rows(size_t n, const char *const *names, double *const *columns, size_t k)
{
    struct js *rows = js_array();
    for (size_t i = 0; i < n; i++) {
        struct js *row = js_object();
        js_put_int(row, "row", (int64_t)i + 1);
        for (size_t c = 0; c < k; c++)
            stats_put(row, names[c], columns[c][i]);
        js_push(rows, row);
    }
    return rows;
}

static enum status fill_cusum(const struct args *a, struct stats_table *t, const struct confidences *level,
                              struct js *doc, struct err *e)
{
    (void)level;
    static const char *const names[] = {"y", "p", "cusum", "vlad"};
    double *v[4] = {NULL, NULL, arena_array(t->arena, t->n_rows, sizeof(double)),
                    arena_array(t->arena, t->n_rows, sizeof(double))},
           ratio;
    enum status s = whole_column(a, t, "y", "y outcome", 0, 1, &v[0], e);
    if (s == ST_OK)
        s = whole_column(a, t, "p", "p risk predicted", 0, 1, &v[1], e);
    if (s == ST_OK)
        s = stats_option_number(a, "odds-ratio", 2, &ratio, e);
    if (s == ST_OK && !(ratio > 0 && ratio != 1))
        s = err_set(e, ST_USAGE, "--odds-ratio must be above 0 and not 1: what the chart looks out for");
    if (s != ST_OK)
        return s;
    cusum_risk_adjusted(v[0], v[1], t->n_rows, ratio, v[2]);
    vlad(v[0], v[1], t->n_rows, v[3]);
    stats_put(doc, "odds_ratio", ratio);
    js_put(doc, "rows", numbered_rows(t->n_rows, names, v, 4));
    return ST_OK;
}

enum status stats_run_cusum(const struct args *a, struct err *e)
{
    return stats_run_document(a, "cusum", "rows", fill_cusum, e);
}

static enum status fill_ewma(const struct args *a, struct stats_table *t, const struct confidences *level,
                             struct js *doc, struct err *e)
{
    (void)level;
    static const char *const names[] = {"y", "ewma"};
    double *v[2] = {NULL, arena_array(t->arena, t->n_rows, sizeof(double))}, lambda, start, mean = 0;
    enum status s = whole_column(a, t, "y", "y value", -INFINITY, INFINITY, &v[0], e);
    for (size_t r = 0; s == ST_OK && r < t->n_rows; r++)
        mean += v[0][r] / (double)t->n_rows;
    if (s == ST_OK)
        s = stats_option_number(a, "lambda", 0.2, &lambda, e);
    if (s == ST_OK)
        s = stats_option_number(a, "start", mean, &start, e);
    if (s == ST_OK && !(lambda > 0 && lambda <= 1))
        s = err_set(e, ST_USAGE, "--lambda must be above 0 and at most 1");
    if (s != ST_OK)
        return s;
    ewma(v[0], t->n_rows, lambda, start, v[1]);
    stats_put(doc, "lambda", lambda);
    stats_put(doc, "start", start);
    js_put(doc, "rows", numbered_rows(t->n_rows, names, v, 2));
    return ST_OK;
}

enum status stats_run_ewma(const struct args *a, struct err *e)
{
    return stats_run_document(a, "ewma", "rows", fill_ewma, e);
}

static void put_segment(struct js *rows, const char *term, const struct estimate *x, double se)
{
    struct js *row = js_object();
    js_put_str(row, "term", term);
    stats_put(row, "estimate", x->value);
    stats_put(row, "se", se);
    stats_put(row, "lower", x->lower);
    stats_put(row, "upper", x->upper);
    js_push(rows, row);
}

static enum status fill_its(const struct args *a, struct stats_table *t, const struct confidences *level,
                            struct js *doc, struct err *e)
{
    static const char *const terms[] = {"level", "trend", "level_change", "trend_change"};
    double *y;
    int64_t change, lag;
    struct segmented fit;
    enum status s = whole_column(a, t, "y", "y value", -INFINITY, INFINITY, &y, e);
    if (s == ST_OK)
        s = args_int(a, "change", 2, INT32_MAX, 0, &change, e);
    if (s == ST_OK && change < 2)
        s = err_set(e, ST_USAGE,
                    "--change is needed: the row (counted from 1) of the first point after the change");
    if (s == ST_OK)
        s = args_int(a, "lag", 0, SEGMENT_MOST_LAG, (int64_t)segmented_lag(t->n_rows), &lag, e);
    if (s == ST_OK)
        s = segmented_fit(y, t->n_rows, (size_t)change - 1, (size_t)lag, level->level[0], &fit, e);
    if (s != ST_OK)
        return err_wrap(e, "%s", t->name);
    struct js *rows = js_array();
    for (int i = 0; i < SEGMENT_TERMS; i++)
        put_segment(rows, terms[i], &fit.terms[i], fit.se[i]);
    put_segment(rows, "trend_after", &fit.trend_after, fit.se_trend_after);
    stats_put(doc, "confidence", level->level[0]);
    js_put_int(doc, "lag", lag);
    js_put(doc, "coefficients", rows);
    return ST_OK;
}

enum status stats_run_its(const struct args *a, struct err *e)
{
    return stats_run_document(a, "its", "coefficients", fill_its, e);
}

static enum status shrink_rows(const struct args *a, const struct stats_table *t, double level, double *x,
                               double *n, struct estimate *out, struct js *doc, struct err *e)
{
    static const char *const methods[] = {"gamma", "marshall", NULL};
    int method;
    enum status s = stats_option_choice(a, "method", methods, &method, e);
    if (s == ST_OK && method == 0) {
        struct poisson_gamma fit;
        s = shrink_poisson_gamma(x, n, t->n_rows, level, out, &fit, e);
        stats_put(doc, "alpha", s == ST_OK ? fit.alpha : (double)NAN);
        stats_put(doc, "beta", s == ST_OK ? fit.beta : (double)NAN);
        stats_put(doc, "log_likelihood", s == ST_OK ? fit.log_likelihood : (double)NAN);
    } else if (s == ST_OK) {
        struct marshall fit;
        double *smooth = arena_array(t->arena, t->n_rows, sizeof *smooth);
        s = shrink_marshall(x, n, t->n_rows, smooth, &fit, e);
        for (size_t r = 0; s == ST_OK && r < t->n_rows; r++)
            out[r] = (struct estimate){.value = smooth[r], .lower = NAN, .upper = NAN};
        stats_put(doc, "mean", s == ST_OK ? fit.mean : (double)NAN);
        stats_put(doc, "variance", s == ST_OK ? fit.variance : (double)NAN);
    }
    return s;
}

static enum status fill_shrink(const struct args *a, struct stats_table *t, const struct confidences *level,
                               struct js *doc, struct err *e)
{
    double *x, *n;
    struct stats_groups g;
    struct confidences one = {.level = {level->level[0]}, .n = 1};
    struct estimate *out = arena_array(t->arena, t->n_rows, sizeof *out);
    enum status s = whole_column(a, t, "x", "x observed events", 0, INFINITY, &x, e);
    if (s == ST_OK)
        s = whole_column(a, t, "n", "n expected population", 0, INFINITY, &n, e);
    if (s == ST_OK)
        s = stats_group(a, t, "group", &g, e);
    if (s == ST_OK)
        s = shrink_rows(a, t, level->level[0], x, n, out, doc, e);
    if (s != ST_OK)
        return err_wrap(e, "%s", t->name);
    struct js *rows = js_array();
    for (size_t r = 0; r < t->n_rows; r++) {
        struct js *row = js_object();
        for (size_t k = 0; k < g.n_keys; k++)
            stats_put_cell(row, t, g.keys[k], r);
        stats_put(row, "ratio", x[r] / n[r]);
        stats_put_estimate(row, &out[r], &one);
        js_push(rows, row);
    }
    stats_put(doc, "confidence", level->level[0]);
    js_put(doc, "rows", rows);
    return ST_OK;
}

enum status stats_run_shrink(const struct args *a, struct err *e)
{
    return stats_run_document(a, "shrink", "rows", fill_shrink, e);
}

/* The controls' estimates, packed to the front of y and se. */
static size_t pack_controls(const struct stats_table *t, const double *control, const double *y,
                            const double *se, double *own_y, double *own_se)
{
    size_t n = 0;
    for (size_t r = 0; r < t->n_rows; r++)
        if (control[r] != 0) {
            own_y[n] = y[r];
            own_se[n++] = se[r];
        }
    return n;
}

static enum status fill_calibrate(const struct args *a, struct stats_table *t,
                                  const struct confidences *level, struct js *doc, struct err *e)
{
    double *y, *se, *control, *own = arena_array(t->arena, 2 * t->n_rows, sizeof *own);
    struct systematic_error error;
    enum status s = whole_column(a, t, "y", "log_rr logRr y estimate", -INFINITY, INFINITY, &y, e);
    if (s == ST_OK)
        s = whole_column(a, t, "se", "se seLogRr", 0, INFINITY, &se, e);
    if (s == ST_OK)
        s = whole_column(a, t, "control", "control negative", 0, 1, &control, e);
    if (s == ST_OK) {
        size_t n = pack_controls(t, control, y, se, own, own + t->n_rows);
        s = systematic_error_fit(own, own + t->n_rows, n, &error, e);
    }
    if (s != ST_OK)
        return err_wrap(e, "%s", t->name);
    struct js *rows = js_array();
    for (size_t r = 0; r < t->n_rows; r++) {
        struct calibrated x = calibrate_estimate(&error, y[r], se[r], level->level[0]);
        struct js *row = js_object();
        for (size_t c = 0; c < t->n_columns; c++)
            stats_put_cell(row, t, (int)c, r);
        stats_put(row, "value", x.log_ratio);
        stats_put(row, "lower", x.lower);
        stats_put(row, "upper", x.upper);
        stats_put(row, "calibrated_p", x.p);
        js_push(rows, row);
    }
    stats_put(doc, "confidence", level->level[0]);
    stats_put(doc, "mean_error", error.mean);
    stats_put(doc, "sd_error", error.sd);
    js_put_int(doc, "controls", (int64_t)error.controls);
    js_put(doc, "rows", rows);
    return ST_OK;
}

enum status stats_run_calibrate(const struct args *a, struct err *e)
{
    return stats_run_document(a, "calibrate", "rows", fill_calibrate, e);
}
