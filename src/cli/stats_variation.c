/* SPDX-License-Identifier: Apache-2.0
 *
 * accord stats quantile, sii, life-expectancy, funnel, xmr.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/stats_methods.h"
#include "stats/funnel.h"
#include "stats/life.h"
#include "stats/quantile.h"
#include "stats/sii.h"
#include "stats/xmr.h"

static double *gather(const struct stats_table *t, const double *v, const size_t *rows, size_t n)
{
    double *out = arena_array(t->arena, n, sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i] = v ? v[rows[i]] : (double)NAN;
    return out;
}

/* --groups Q: which quantile of areas each row belongs to. */
static enum status quantile_group_rows(const struct stats_table *t, const double *y,
                                       const struct stats_groups *g, int64_t groups, bool invert,
                                       struct js *rows)
{
    int *q = arena_array(t->arena, t->n_rows, sizeof *q);
    const char **reason = arena_array(t->arena, t->n_rows, sizeof *reason);
    for (size_t i = 0; i < g->n_groups; i++) {
        double *v = gather(t, y, g->rows[i], g->size[i]);
        int *place = arena_array(t->arena, g->size[i], sizeof *place);
        const char *why;
        quantile_groups(v, g->size[i], (int)groups, invert, place, &why);
        for (size_t k = 0; k < g->size[i]; k++) {
            q[g->rows[i][k]] = place[k];
            reason[g->rows[i][k]] = why ? why : place[k] ? NULL : reason_missing;
        }
    }
    for (size_t r = 0; r < t->n_rows; r++) {
        struct js *row = js_object();
        for (size_t c = 0; c < t->n_columns; c++)
            stats_put_cell(row, t, (int)c, r);
        js_put(row, "quantile", q[r] ? js_integer(q[r]) : js_null());
        js_put(row, "reason", reason[r] ? js_string(reason[r]) : js_null());
        js_push(rows, row);
    }
    return ST_OK;
}

static enum status read_probabilities(const struct args *a, const struct stats_table *t, double **p,
                                      size_t *n, struct err *e)
{
    const char **words = stats_words(t->arena, args_get_or(a, "p", "0.25,0.5,0.75"), n);
    *p = arena_array(t->arena, *n, sizeof **p);
    for (size_t i = 0; i < *n; i++)
        if (!parse_double(slice_of(words[i]), &(*p)[i]) || !((*p)[i] >= 0 && (*p)[i] <= 1))
            return err_set(e, ST_USAGE, "--p must be probabilities between 0 and 1, such as 0.1,0.5,0.9");
    return ST_OK;
}

static enum status sample_quantile_rows(const struct args *a, const struct stats_table *t, const double *y,
                                        const struct stats_groups *g, const struct confidences *level,
                                        struct js *rows, struct err *e)
{
    int64_t type;
    double *p;
    size_t n_p;
    enum status s = args_int(a, "type", 1, 9, 7, &type, e);
    if (s == ST_OK)
        s = read_probabilities(a, t, &p, &n_p, e);
    for (size_t i = 0; s == ST_OK && i < g->n_groups; i++) {
        double *v = gather(t, y, g->rows[i], g->size[i]);
        size_t n = 0;
        for (size_t k = 0; k < g->size[i]; k++)
            if (!isnan(v[k]))
                v[n++] = v[k];
        quantile_sort(v, n);
        for (size_t k = 0; k < n_p; k++) {
            struct interval ci = quantile_interval(v, n, p[k], level->level[0]);
            struct js *row = js_object();
            stats_put_keys(row, t, g, i);
            js_put_int(row, "n", (int64_t)n);
            stats_put(row, "p", p[k]);
            bool open = isnan(ci.lower) || isnan(ci.upper);
            struct estimate q = {quantile_of(v, n, p[k], (int)type), ci.lower, ci.upper,
                                 n == 0 ? reason_missing
                                 : open ? reason_small_sample
                                        : NULL};
            struct confidences one = {.level = {level->level[0]}, .n = 1};
            stats_put_estimate(row, &q, &one);
            js_push(rows, row);
        }
    }
    return s;
}

static enum status quantile_rows(const struct args *a, const struct stats_table *t,
                                 const struct confidences *level, struct js *rows, struct err *e)
{
    double *y;
    struct stats_groups g;
    int64_t groups;
    enum status s = stats_choose_numbers(a, t, "x", "x value values y", true, &y, e);
    if (s == ST_OK)
        s = stats_group(a, t, "group", &g, e);
    if (s == ST_OK)
        s = args_int(a, "groups", 2, 1000, 0, &groups, e);
    if (s != ST_OK)
        return s;
    return groups ? quantile_group_rows(t, y, &g, groups, args_has(a, "invert"), rows)
                  : sample_quantile_rows(a, t, y, &g, level, rows, e);
}

enum status stats_run_quantile(const struct args *a, struct err *e)
{
    return stats_run_table(a, "quantile", false, quantile_rows, e);
}

struct sii_input {
    double *quantile, *population, *value, *se, *lower, *upper;
};

static enum status read_sii(const struct args *a, const struct stats_table *t, struct sii_input *in,
                            struct err *e)
{
    enum status s =
        stats_choose_numbers(a, t, "quantile", "quantile quintile decile", false, &in->quantile, e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, t, "n", "population pop total_pop n measured", true, &in->population, e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, t, "value", "value rate y", true, &in->value, e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, t, "se", "standarderror standard_error se", false, &in->se, e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, t, "lower", "lowercl lower_cl lower lcl", false, &in->lower, e);
    return s == ST_OK
               ? stats_choose_numbers(a, t, "upper", "uppercl upper_cl upper ucl", false, &in->upper, e)
               : s;
}

struct by_quantile {
    double quantile;
    size_t row;
};

static int by_quantile(const void *a, const void *b)
{
    const struct by_quantile *x = a, *y = b;
    return x->quantile != y->quantile ? (x->quantile > y->quantile) - (x->quantile < y->quantile)
                                      : (x->row > y->row) - (x->row < y->row);
}

static double or_missing(const double *v, size_t row)
{
    return v ? v[row] : (double)NAN;
}

static void fill_groups(const struct stats_table *t, const struct sii_input *in, const size_t *rows, size_t n,
                        bool transform, struct sii_group *out)
{
    struct by_quantile *order = arena_array(t->arena, n, sizeof *order);
    for (size_t i = 0; i < n; i++)
        order[i] = (struct by_quantile){in->quantile ? in->quantile[rows[i]] : (double)i, rows[i]};
    qsort(order, n, sizeof *order, by_quantile);
    for (size_t i = 0; i < n; i++) {
        size_t r = order[i].row;
        bool limits = transform && in->lower && in->upper;
        out[i] =
            (struct sii_group){in->population[r], in->value[r], limits ? (double)NAN : or_missing(in->se, r),
                               or_missing(in->lower, r), or_missing(in->upper, r)};
    }
}

static enum status sii_rows(const struct args *a, const struct stats_table *t,
                            const struct confidences *level, struct js *rows, struct err *e)
{
    static const char *const scales[] = {"normal", "rate", "proportion", NULL};
    struct sii_input in;
    struct stats_groups g;
    double multiplier;
    int scale;
    bool transform = args_has(a, "transform");
    enum status s = stats_option_choice(a, "type", scales, &scale, e);
    if (s == ST_OK)
        s = stats_option_number(a, "multiplier", 1, &multiplier, e);
    if (s == ST_OK)
        s = stats_group(a, t, "group", &g, e);
    if (s == ST_OK)
        s = read_sii(a, t, &in, e);
    for (size_t i = 0; s == ST_OK && i < g.n_groups; i++) {
        struct sii_group *q = arena_array(t->arena, g.size[i], sizeof *q);
        struct sii v[2];
        fill_groups(t, &in, g.rows[i], g.size[i], transform, q);
        for (int c = 0; s == ST_OK && c < level->n; c++)
            s = stats_sii(q, g.size[i], (enum sii_scale)scale, transform, multiplier, level->level[c], &v[c],
                          e);
        if (s != ST_OK)
            return err_wrap(e, "%s", g.n_keys ? stats_group_name(t, &g, i) : t->name);
        for (int index = 0; index < 2; index++) {
            struct js *row = js_object();
            stats_put_keys(row, t, &g, i);
            js_put_str(row, "index", index ? "rii" : "sii");
            stats_put_estimate(
                row, (struct estimate[]){index ? v[0].rii : v[0].sii, index ? v[1].rii : v[1].sii}, level);
            stats_put(row, "intercept", v[0].intercept);
            js_push(rows, row);
        }
    }
    return s;
}

enum status stats_run_sii(const struct args *a, struct err *e)
{
    return stats_run_table(a, "sii", true, sii_rows, e);
}

static enum status life_rows(const struct args *a, const struct stats_table *t,
                             const struct confidences *level, struct js *rows, struct err *e)
{
    double *start, *people, *deaths;
    struct stats_groups g;
    enum status s = stats_choose_numbers(a, t, "age", "startage start_age age", true, &start, e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, t, "n", "pops pop population n", true, &people, e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, t, "deaths", "deaths dths x count", true, &deaths, e);
    if (s == ST_OK)
        s = stats_group(a, t, "group", &g, e);
    for (size_t i = 0; s == ST_OK && i < g.n_groups; i++) {
        size_t k = g.size[i];
        struct life_band *bands = arena_array(t->arena, k, sizeof *bands);
        struct life_row *life[2] = {arena_array(t->arena, k, sizeof **life),
                                    arena_array(t->arena, k, sizeof **life)};
        for (size_t j = 0; j < k; j++)
            bands[j] = (struct life_band){start[g.rows[i][j]], people[g.rows[i][j]], deaths[g.rows[i][j]]};
        for (int c = 0; s == ST_OK && c < level->n; c++)
            s = stats_life(bands, k, level->level[c], life[c], e);
        if (s != ST_OK)
            return err_wrap(e, "%s", g.n_keys ? stats_group_name(t, &g, i) : t->name);
        for (size_t j = 0; j < k; j++) {
            struct js *row = js_object();
            stats_put_keys(row, t, &g, i);
            stats_put(row, "startage", bands[j].start);
            stats_put_estimate(row, (struct estimate[]){life[0][j].expectancy, life[1][j].expectancy}, level);
            stats_put(row, "se", life[0][j].se);
            stats_put(row, "pops_used", life[0][j].population);
            stats_put(row, "dths_used", life[0][j].deaths);
            js_push(rows, row);
        }
    }
    return s;
}

enum status stats_run_life(const struct args *a, struct err *e)
{
    return stats_run_table(a, "life-expectancy", false, life_rows, e);
}

static enum status read_xmr(const struct args *a, const struct stats_table *t, double **y, double *target,
                            int64_t *fix_after, int *better, struct err *e)
{
    static const char *const choices[] = {"neutral", "increase", "decrease", NULL};
    enum status s = stats_choose_numbers(a, t, "y", "y value", true, y, e);
    if (s == ST_OK)
        s = args_int(a, "fix-after", 2, 1000000, 0, fix_after, e);
    if (s == ST_OK)
        s = stats_option_choice(a, "improvement", choices, better, e);
    for (size_t r = 0; s == ST_OK && r < t->n_rows; r++)
        if (isnan((*y)[r])) {
            err_set(e, ST_INVALID, "a point is missing; leave the row out if there was no measurement");
            s = stats_at(t, r, e);
        }
    return s == ST_OK ? stats_option_number(a, "target", (double)NAN, target, e) : s;
}

/* Segments begin where the column of --rebase is not 0, or at the periods it lists. */
static enum status read_rebase(const struct args *a, const struct stats_table *t, bool **out, struct err *e)
{
    double *flag;
    *out = NULL;
    enum status s = stats_choose_numbers(a, t, "rebase", "rebase", false, &flag, e);
    if (s != ST_OK || !flag)
        return s;
    *out = arena_array(t->arena, t->n_rows, sizeof **out);
    for (size_t r = 0; r < t->n_rows; r++)
        (*out)[r] = !isnan(flag[r]) && flag[r] != 0;
    return ST_OK;
}

static void put_xmr(struct js *row, const struct xmr_point *p, double target, enum xmr_better better)
{
    stats_put(row, "mean", p->mean);
    stats_put(row, "lower", p->lower);
    stats_put(row, "upper", p->upper);
    stats_put(row, "moving_range", p->moving_range);
    js_put_int(row, "outside", p->outside);
    js_put_int(row, "relative", p->side);
    js_put_int(row, "close", p->close);
    js_put_str(row, "special_cause", xmr_cause_text(p->cause));
    js_put_str(row, "point_type", xmr_point_type(p->cause, p->side, better));
    if (!isnan(target))
        js_put_str(row, "assurance", xmr_assurance(p, target, better));
}

static enum status xmr_rows(const struct args *a, const struct stats_table *t,
                            const struct confidences *level, struct js *rows, struct err *e)
{
    (void)level;
    double *y, target;
    int64_t fix_after;
    int better, period;
    bool *rebase;
    struct stats_groups g;
    enum status s = read_xmr(a, t, &y, &target, &fix_after, &better, e);
    if (s == ST_OK)
        s = read_rebase(a, t, &rebase, e);
    if (s == ST_OK)
        s = stats_choose(a, t, "period", "period date month time", false, &period, e);
    if (s == ST_OK)
        s = stats_group(a, t, "group", &g, e);
    for (size_t i = 0; s == ST_OK && i < g.n_groups; i++) {
        size_t n = g.size[i];
        double *v = gather(t, y, g.rows[i], n);
        bool *starts = arena_array(t->arena, n, sizeof *starts);
        for (size_t k = 0; k < n; k++)
            starts[k] = rebase && rebase[g.rows[i][k]];
        struct xmr_point *p = arena_array(t->arena, n, sizeof *p);
        s = stats_xmr(v, n, starts, (size_t)fix_after, !args_has(a, "keep-outliers"), p, e);
        if (s != ST_OK)
            return err_wrap(e, "%s", g.n_keys ? stats_group_name(t, &g, i) : t->name);
        for (size_t k = 0; k < n; k++) {
            struct js *row = js_object();
            stats_put_keys(row, t, &g, i);
            if (period >= 0)
                stats_put_cell(row, t, period, g.rows[i][k]);
            stats_put(row, "y", v[k]);
            put_xmr(row, &p[k], target, (enum xmr_better)better);
            js_push(rows, row);
        }
    }
    return s;
}

enum status stats_run_xmr(const struct args *a, struct err *e)
{
    return stats_run_table(a, "xmr", false, xmr_rows, e);
}
