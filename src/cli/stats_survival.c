/* SPDX-License-Identifier: Apache-2.0
 *
 * accord stats km, logrank, cox.
 */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "cli/stats_follow.h"
#include "cli/stats_methods.h"
#include "stats/cox.h"

enum status stats_group_column(const struct stats_table *t, const struct args *a, const char *option,
                               struct stats_groups *g, uint32_t **out, struct err *e)
{
    *out = NULL;
    if (!args_get(a, option))
        return ST_OK;
    enum status s = stats_group(a, t, option, g, e);
    if (s == ST_OK)
        *out = g->of;
    return s;
}

/* The status as 0 and 1: 1 or TRUE is an event among 0 and 1; 2 where 2 is the greatest value (R's coding);
 * --event names another code. Missing stays missing. */
enum status stats_status(const struct args *a, const struct stats_table *t, int column, double *v,
                         struct err *e)
{
    double event, high = 0;
    enum status s = stats_option_number(a, "event", (double)NAN, &event, e);
    if (s != ST_OK)
        return s;
    for (size_t r = 0; r < t->n_rows; r++)
        high = isnan(v[r]) ? high : fmax(high, v[r]);
    double code = !isnan(event) ? event : high == 2 ? 2 : 1;
    for (size_t r = 0; r < t->n_rows; r++) {
        if (isnan(event) && v[r] != code && v[r] != code - 1 && !isnan(v[r])) {
            err_set(e, ST_INVALID,
                    "column %s must hold 0 and 1, or 1 and 2; or name the code of an event with --event",
                    t->columns[column]);
            return stats_at(t, r, e);
        }
        v[r] = isnan(v[r]) ? v[r] : v[r] == code;
    }
    return ST_OK;
}

enum status stats_follow_up(const struct args *a, struct stats_table *t, struct follow_up *f, struct err *e)
{
    int column;
    *f = (struct follow_up){.table = t};
    enum status s =
        stats_choose(a, t, "time", "time stop futime rfstime etime tstop", true, &f->columns[0], e);
    if (s == ST_OK)
        s = stats_numbers(t, f->columns[0], &f->time, e);
    if (s == ST_OK)
        s = stats_choose(a, t, "status", "status event fustat", true, &column, e);
    if (s == ST_OK)
        s = stats_numbers(t, f->columns[1] = column, &f->state, e);
    if (s == ST_OK)
        s = stats_choose(a, t, "start", "start tstart entry", false, &f->columns[2], e);
    if (s == ST_OK && f->columns[2] >= 0)
        s = stats_numbers(t, f->columns[2], &f->start, e);
    if (s == ST_OK)
        s = stats_choose(a, t, "weights", "prior_weight", false, &f->columns[3], e);
    return s == ST_OK && f->columns[3] >= 0 ? stats_numbers(t, f->columns[3], &f->weight, e) : s;
}

void stats_follow_roles(const struct follow_up *f, struct stats_roles *roles)
{
    size_t used = 0, needed = 0;
    for (size_t i = 0; i < 4; i++)
        if (f->columns[i] >= 0)
            roles->used[used++] = f->columns[i];
    roles->used[used] = -1;
    double *v[4] = {f->time, f->state, f->start, f->weight};
    for (size_t i = 0; i < 4; i++)
        if (v[i])
            roles->needed[needed++] = v[i];
    roles->needed[needed] = NULL;
}

enum status stats_follow_drop(struct follow_up *f, const struct stats_groups *g, struct err *e)
{
    struct stats_table *t = f->table;
    bool *keep = arena_array(t->arena, t->n_rows, sizeof *keep);
    size_t to = 0;
    double *v[4] = {f->time, f->state, f->start, f->weight};
    for (size_t r = 0; r < t->n_rows; r++) {
        keep[r] = true;
        for (size_t i = 0; i < 4; i++)
            keep[r] = keep[r] && !(v[i] && isnan(v[i][r]));
        for (size_t k = 0; g && k < g->n_keys; k++)
            keep[r] = keep[r] && t->cells[g->keys[k]][r];
        if (!keep[r])
            continue;
        for (size_t i = 0; i < 4; i++)
            if (v[i])
                v[i][to] = v[i][r];
        to++;
    }
    f->dropped = t->n_rows - to;
    stats_table_keep(t, keep);
    return to ? ST_OK : err_set(e, ST_INVALID, "%s: every row has a missing value", t->name);
}

enum status stats_follow_rows(struct follow_up *f, struct survival_rows *out, struct err *e)
{
    size_t n = f->table->n_rows;
    int *status = arena_array(f->table->arena, n, sizeof *status);
    double *both[2] = {f->time, f->start};
    for (size_t r = 0; r < n; r++)
        status[r] = f->state[r] != 0;
    survival_merge_times(both, 2, n);
    *out = (struct survival_rows){n, f->start, f->time, status, f->weight};
    enum status s = survival_check(out, e);
    return s == ST_OK ? s : err_wrap(e, "%s", f->table->name);
}

/* The rows of one group. */
static struct survival_rows rows_of(struct arena *arena, const struct survival_rows *r, const size_t *rows,
                                    size_t n)
{
    double *v[3];
    const double *from[3] = {r->entry, r->time, r->weight};
    for (int k = 0; k < 3; k++) {
        v[k] = from[k] ? arena_array(arena, n, sizeof **v) : NULL;
        for (size_t i = 0; v[k] && i < n; i++)
            v[k][i] = from[k][rows[i]];
    }
    int *status = arena_array(arena, n, sizeof *status);
    for (size_t i = 0; i < n; i++)
        status[i] = r->status[rows[i]];
    return (struct survival_rows){n, v[0], v[1], status, v[2]};
}

static struct js *km_rows(const struct km *k)
{
    struct js *rows = js_array();
    for (size_t i = 0; i < k->n; i++) {
        const struct km_row *r = &k->rows[i];
        struct js *row = js_object();
        stats_put(row, "time", r->time);
        stats_put(row, "n_risk", r->at_risk);
        stats_put(row, "n_event", r->events);
        stats_put(row, "n_censor", r->censored);
        stats_put(row, "surv", r->survival);
        stats_put(row, "se", r->se);
        stats_put(row, "lower", r->lower);
        stats_put(row, "upper", r->upper);
        stats_put(row, "cumhaz", r->hazard);
        stats_put(row, "se_cumhaz", r->se_hazard);
        const char *reason = r->survival == 0 ? reason_no_one_left : isnan(r->lower) ? reason_boundary : NULL;
        js_put(row, "reason", reason ? js_string(reason) : js_null());
        js_push(rows, row);
    }
    return rows;
}

static struct js *km_quantiles(const struct km *k, const struct confidences *level)
{
    static const double p[3] = {0.25, 0.5, 0.75};
    struct js *rows = js_array();
    for (int i = 0; i < 3; i++) {
        struct estimate q = km_quantile(k, p[i]);
        struct js *row = js_object();
        stats_put(row, "p", p[i]);
        struct confidences one = *level;
        one.n = 1;
        stats_put_estimate(row, &q, &one);
        js_push(rows, row);
    }
    return rows;
}

static struct js *km_curve_js(const struct km *k, const struct confidences *level, double tau)
{
    struct js *curve = js_object();
    js_put(curve, "quantiles", km_quantiles(k, level));
    if (!isnan(tau)) {
        struct rmst m = km_restricted_mean(k, tau);
        struct js *rmst = js_object();
        double z = normal_z(level->level[0]);
        stats_put(rmst, "tau", tau);
        stats_put(rmst, "value", m.mean);
        stats_put(rmst, "se", m.se);
        stats_put(rmst, "lower", m.mean - z * m.se);
        stats_put(rmst, "upper", m.mean + z * m.se);
        js_put(curve, "restricted_mean", rmst);
    }
    return curve;
}

static enum status fill_km(const struct args *a, struct stats_table *t, const struct confidences *level,
                           struct js *doc, struct err *e)
{
    static const char *const types[] = {"log", "plain", "log-log", "logit", "arcsin", NULL};
    struct follow_up f;
    struct stats_groups g;
    struct survival_rows rows;
    double tau;
    int type;
    enum status s = stats_option_choice(a, "conf-type", types, &type, e);
    if (s == ST_OK)
        s = stats_option_number(a, "tau", (double)NAN, &tau, e);
    if (s == ST_OK)
        s = stats_follow_up(a, t, &f, e);
    if (s == ST_OK)
        s = stats_status(a, t, f.columns[1], f.state, e);
    if (s == ST_OK && (s = stats_group(a, t, "group", &g, e)) == ST_OK)
        s = stats_follow_drop(&f, &g, e);
    if (s == ST_OK)
        s = stats_group(a, t, "group", &g, e);
    if (s == ST_OK)
        s = stats_follow_rows(&f, &rows, e);
    if (s != ST_OK)
        return s;
    js_put_str(doc, "conf_type", types[type]);
    stats_put(doc, "confidence", level->level[0]);
    js_put_int(doc, "rows_dropped_missing", (int64_t)f.dropped);
    struct js *curves = js_array(), *flat = js_array();
    js_put(doc, "curves", curves);
    js_put(doc, "rows", flat);
    for (size_t i = 0; i < g.n_groups; i++) {
        struct km k;
        struct survival_rows some = rows_of(t->arena, &rows, g.rows[i], g.size[i]);
        km_curve(&some, (enum km_interval)type, level->level[0], t->arena, &k);
        struct js *curve = km_curve_js(&k, level, tau), *lines = km_rows(&k);
        js_put_str(curve, "stratum", stats_group_name(t, &g, i));
        for (size_t r = 0; r < js_size(lines); r++) {
            struct js *row = js_object();
            js_put_str(row, "stratum", stats_group_name(t, &g, i));
            for (void *it = js_first(js_at(lines, r)); it; it = js_next(js_at(lines, r), it))
                js_put(row, js_key(it), js_copy(js_value(it)));
            js_push(flat, row);
        }
        js_free(lines);
        js_push(curves, curve);
    }
    return ST_OK;
}

/* The frame of methods whose document is more than rows. */
enum status stats_run_document(const struct args *a, const char *method, const char *main_array, stats_fill f,
                               struct err *e)
{
    struct stats_table *t;
    struct confidences level;
    enum status s = stats_confidences(a, false, &level, e);
    if (s != ST_OK || (s = stats_table_open(a, &t, e)) != ST_OK)
        return s;
    struct js *doc = stats_document(method);
    s = f(a, t, &level, doc, e);
    stats_table_close(t);
    if (s == ST_OK)
        return stats_print(a, doc, main_array, e);
    js_free(doc);
    return s;
}

enum status stats_run_km(const struct args *a, struct err *e)
{
    return stats_run_document(a, "km", "rows", fill_km, e);
}

void stats_put_test(struct js *doc, const char *name, const struct test *t)
{
    struct js *row = js_object();
    stats_put(row, "chisq", t->statistic);
    stats_put(row, "df", t->df);
    stats_put(row, "p", t->p);
    js_put(doc, name, row);
}

static enum status fill_logrank(const struct args *a, struct stats_table *t, const struct confidences *level,
                                struct js *doc, struct err *e)
{
    (void)level;
    struct follow_up f;
    struct stats_groups g, by = {.n_groups = 1};
    struct survival_rows rows;
    double rho;
    uint32_t *stratum;
    const char *unused;
    enum status s = args_need(a, "group", &unused, e);
    if (s == ST_OK)
        s = stats_option_number(a, "rho", 0, &rho, e);
    if (s == ST_OK)
        s = stats_follow_up(a, t, &f, e);
    if (s == ST_OK)
        s = stats_status(a, t, f.columns[1], f.state, e);
    if (s == ST_OK && (s = stats_group(a, t, "group", &g, e)) == ST_OK)
        s = stats_follow_drop(&f, &g, e);
    if (s == ST_OK)
        s = stats_group(a, t, "group", &g, e);
    if (s == ST_OK)
        s = stats_group_column(t, a, "strata", &by, &stratum, e);
    if (s == ST_OK)
        s = stats_follow_rows(&f, &rows, e);
    if (s != ST_OK)
        return s;
    if (g.n_groups < 2)
        return err_set(e, ST_INVALID, "%s: a log-rank test needs at least two groups", t->name);
    struct logrank l;
    logrank_init(&l, g.n_groups, rho, t->arena);
    logrank_rows(&l, &rows, g.of, stratum, by.n_groups);
    struct test test = logrank_test(&l), trend = logrank_trend(&l);
    if (test.df < 1)
        return err_set(e, ST_INVALID,
                       "%s: no_events: nobody at risk beside another group has the event, so there is "
                       "nothing to compare",
                       t->name);
    stats_put(doc, "rho", rho);
    js_put_int(doc, "rows_dropped_missing", (int64_t)f.dropped);
    stats_put_test(doc, "test", &test);
    stats_put_test(doc, "trend", &trend);
    struct js *out = js_array();
    const char **names = arena_array(t->arena, g.n_groups, sizeof *names);
    for (size_t i = 0; i < g.n_groups; i++) {
        struct js *row = js_object();
        names[i] = stats_group_name(t, &g, i);
        js_put_str(row, "group", names[i]);
        js_put_int(row, "n", (int64_t)g.size[i]);
        stats_put(row, "observed", l.observed[i]);
        stats_put(row, "expected", l.expected[i]);
        stats_put(row, "chisq", test.statistic);
        stats_put(row, "df", test.df);
        stats_put(row, "p", test.p);
        js_push(out, row);
    }
    js_put(doc, "groups", out);
    js_put(doc, "variance", stats_matrix(names, l.variance, g.n_groups));
    return ST_OK;
}

enum status stats_run_logrank(const struct args *a, struct err *e)
{
    return stats_run_document(a, "logrank", "groups", fill_logrank, e);
}
