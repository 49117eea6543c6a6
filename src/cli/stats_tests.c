/* SPDX-License-Identifier: Apache-2.0
 *
 * accord stats compare, correlate, table, adjust.
 */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "cli/stats_follow.h"
#include "cli/stats_methods.h"
#include "stats/compare.h"
#include "stats/contingency.h"

/* Drops rows where a number is missing (or a key, where g is given). */
static size_t drop_missing(struct stats_table *t, double *const *v, size_t k, int key)
{
    bool *keep = arena_array(t->arena, t->n_rows, sizeof *keep);
    size_t kept = 0, all = t->n_rows;
    for (size_t r = 0; r < all; r++) {
        keep[r] = key < 0 || t->cells[key][r];
        for (size_t i = 0; i < k; i++)
            keep[r] = keep[r] && !isnan(v[i][r]);
        for (size_t i = 0; i < k && keep[r]; i++)
            v[i][kept] = v[i][r];
        kept += keep[r];
    }
    stats_table_keep(t, keep);
    return all - kept;
}

static bool before(const char *a, const char *b)
{
    double x, y;
    bool numbers = parse_double(slice_of(a), &x) && parse_double(slice_of(b), &y);
    return numbers && x != y ? x < y : strcmp(a, b) < 0;
}

/* Groups by name, an insertion sort: there are few. */
static size_t *group_order(const struct stats_table *t, int key, const struct stats_groups *g)
{
    size_t *order = arena_array(t->arena, g->n_groups, sizeof *order);
    for (size_t i = 0; i < g->n_groups; i++) {
        size_t at = i;
        for (; at > 0 && before(t->cells[key][g->first[i]], t->cells[key][g->first[order[at - 1]]]); at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return order;
}

/* The groups' values, in the order of their names: numbers by size, text by byte order. */
static enum status read_samples(const struct args *a, struct stats_table *t, struct sample **samples,
                                const char ***names, size_t *k, size_t *dropped, struct err *e)
{
    double *x;
    int key;
    struct stats_groups g;
    enum status s = stats_choose_numbers(a, t, "x", "x value y", true, &x, e);
    if (s == ST_OK)
        s = stats_choose(a, t, "group", "group", true, &key, e);
    if (s != ST_OK)
        return s;
    *dropped = drop_missing(t, &x, 1, key);
    s = stats_group_by(t, &key, 1, &g, e);
    if (s != ST_OK)
        return s;
    size_t *order = group_order(t, key, &g);
    *samples = arena_array(t->arena, g.n_groups, sizeof **samples);
    *names = arena_array(t->arena, g.n_groups, sizeof **names);
    *k = g.n_groups;
    for (size_t i = 0; i < g.n_groups; i++) {
        size_t from = order[i];
        double *v = arena_array(t->arena, g.size[from], sizeof *v);
        for (size_t r = 0; r < g.size[from]; r++)
            v[r] = x[g.rows[from][r]];
        (*samples)[i] = (struct sample){v, g.size[from]};
        (*names)[i] = t->cells[key][g.first[from]];
    }
    return ST_OK;
}

enum { WELCH, STUDENT, PAIRED, RANK_SUM, KS, ANOVA, BARTLETT };
static const char *const comparisons[] = {"welch", "student", "paired",   "rank-sum",
                                          "ks",    "anova",   "bartlett", NULL};

static enum status compare(int kind, const struct sample *x, size_t k, bool continuity, double level,
                           struct comparison *out, struct err *e)
{
    if (kind == ANOVA)
        return welch_anova(x, k, out, e);
    if (kind == BARTLETT)
        return bartlett_test(x, k, out, e);
    if (k != 2)
        return err_set(e, ST_INVALID, "%zu groups: '%s' compares two (anova and bartlett take more)", k,
                       comparisons[kind]);
    if (kind == RANK_SUM)
        return rank_sum_test(&x[0], &x[1], continuity, out, e);
    if (kind == KS)
        return ks_test(&x[0], &x[1], out, e);
    return t_test(&x[0], &x[1], (enum t_kind)kind, level, out, e);
}

static enum status fill_compare(const struct args *a, struct stats_table *t, const struct confidences *level,
                                struct js *doc, struct err *e)
{
    struct sample *x;
    const char **names;
    size_t k, dropped;
    int kind;
    struct comparison c;
    enum status s = stats_option_choice(a, "test", comparisons, &kind, e);
    if (s == ST_OK)
        s = read_samples(a, t, &x, &names, &k, &dropped, e);
    if (s == ST_OK)
        s = compare(kind, x, k, !args_has(a, "no-continuity"), level->level[0], &c, e);
    if (s != ST_OK)
        return err_wrap(e, "%s", t->name);
    struct js *rows = js_array(), *row = js_object(), *groups = js_array();
    js_put_str(row, "test", comparisons[kind]);
    stats_put(row, "statistic", c.statistic);
    stats_put(row, "df", c.df);
    stats_put(row, "df2", c.df2);
    stats_put(row, "p", c.p);
    if (kind <= PAIRED) {
        stats_put(row, "difference", c.difference.value);
        stats_put(row, "lower", c.difference.lower);
        stats_put(row, "upper", c.difference.upper);
    }
    js_push(rows, row);
    for (size_t i = 0; i < k; i++) {
        double sum = 0;
        for (size_t r = 0; r < x[i].n; r++)
            sum += x[i].v[r];
        row = js_object();
        js_put_str(row, "group", names[i]);
        js_put_int(row, "n", (int64_t)x[i].n);
        stats_put(row, "mean", sum / (double)x[i].n);
        js_push(groups, row);
    }
    stats_put(doc, "confidence", level->level[0]);
    js_put_int(doc, "rows_dropped_missing", (int64_t)dropped);
    js_put(doc, "rows", rows);
    js_put(doc, "groups", groups);
    return ST_OK;
}

enum status stats_run_compare(const struct args *a, struct err *e)
{
    return stats_run_document(a, "compare", "rows", fill_compare, e);
}

static enum status fill_correlate(const struct args *a, struct stats_table *t,
                                  const struct confidences *level, struct js *doc, struct err *e)
{
    static const char *const kinds[] = {"pearson", "spearman", "kendall", NULL};
    double *v[2];
    int kind;
    struct correlation c;
    enum status s = stats_choose_numbers(a, t, "x", "x", true, &v[0], e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, t, "y", "y", true, &v[1], e);
    if (s == ST_OK)
        s = stats_option_choice(a, "kind", kinds, &kind, e);
    if (s != ST_OK)
        return s;
    size_t dropped = drop_missing(t, v, 2, -1);
    s = correlate(v[0], v[1], t->n_rows, (enum correlation_kind)kind, level->level[0], &c, e);
    if (s != ST_OK)
        return err_wrap(e, "%s", t->name);
    struct js *rows = js_array(), *row = js_object();
    js_put_str(row, "kind", kinds[kind]);
    js_put_int(row, "n", (int64_t)t->n_rows);
    stats_put(row, "value", c.value);
    stats_put(row, "lower", c.lower);
    stats_put(row, "upper", c.upper);
    stats_put(row, "statistic", c.statistic);
    stats_put(row, "p", c.p);
    js_push(rows, row);
    stats_put(doc, "confidence", level->level[0]);
    js_put_int(doc, "rows_dropped_missing", (int64_t)dropped);
    js_put(doc, "rows", rows);
    return ST_OK;
}

enum status stats_run_correlate(const struct args *a, struct err *e)
{
    return stats_run_document(a, "correlate", "rows", fill_correlate, e);
}

/* Counts over rows x columns x strata; levels in the order in which the file has them. */
struct counts {
    double *v;
    size_t rows, columns, strata;
    int row_column, column_column;
    const struct stats_groups *by_row, *by_column;
};

static enum status read_counts(const struct args *a, struct stats_table *t, struct stats_groups g[3],
                               struct counts *out, struct err *e)
{
    double *n;
    int column[3];
    static const char *const options[3] = {"rows", "columns", "strata"};
    enum status s = stats_choose_numbers(a, t, "n", "n count Freq", false, &n, e);
    for (int i = 0; s == ST_OK && i < 3; i++) {
        s = stats_choose(a, t, options[i], "", i < 2, &column[i], e);
        if (s == ST_OK && column[i] >= 0)
            s = stats_group_by(t, &column[i], 1, &g[i], e);
    }
    if (s != ST_OK)
        return s;
    *out = (struct counts){NULL,      g[0].n_groups, g[1].n_groups, column[2] < 0 ? 1 : g[2].n_groups,
                           column[0], column[1],     &g[0],         &g[1]};
    size_t cells = out->rows * out->columns;
    out->v = arena_array(t->arena, cells * out->strata, sizeof *out->v);
    for (size_t r = 0; r < t->n_rows; r++) {
        size_t stratum = column[2] < 0 ? 0 : g[2].of[r];
        double more = n ? n[r] : 1;
        if (!(more >= 0 && isfinite(more))) {
            s = err_set(e, ST_INVALID, "expected a count of 0 or more");
            return stats_at(t, r, e);
        }
        out->v[stratum * cells + g[0].of[r] * out->columns + g[1].of[r]] += more;
    }
    return ST_OK;
}

/* All strata added up. */
static double *margin(const struct counts *c, struct arena *a)
{
    size_t cells = c->rows * c->columns;
    double *out = arena_array(a, cells, sizeof *out);
    for (size_t i = 0; i < cells * c->strata; i++)
        out[i % cells] += c->v[i];
    return out;
}

static void put_measure(struct js *rows, const char *name, const struct estimate *x)
{
    struct js *row = js_object();
    js_put_str(row, "measure", name);
    stats_put(row, "value", x->value);
    stats_put(row, "lower", x->lower);
    stats_put(row, "upper", x->upper);
    js_push(rows, row);
}

static void put_risks(struct js *rows, const struct two_by_two *t, double level)
{
    struct risk_table x = risks_of(t, level);
    struct estimate score = {x.odds_ratio.value, x.odds_ratio_score.lower, x.odds_ratio_score.upper, NULL};
    put_measure(rows, "risk_ratio", &x.risk_ratio);
    put_measure(rows, "odds_ratio", &x.odds_ratio);
    put_measure(rows, "odds_ratio_score", &score);
    put_measure(rows, "risk_difference", &x.difference);
    score = (struct estimate){x.difference.value, x.difference_score.lower, x.difference_score.upper, NULL};
    put_measure(rows, "risk_difference_score", &score);
    put_measure(rows, "attributable_fraction", &x.attributable_fraction);
    put_measure(rows, "population_risk_difference", &x.population_difference);
    put_measure(rows, "population_attributable_fraction", &x.population_fraction);
    put_measure(rows, "number_needed", &x.number_needed);
}

static void put_strata(struct js *doc, const struct two_by_two *tables, size_t strata, double level,
                       struct js *rows)
{
    struct meta_tables pooled;
    struct err few;
    struct exact_odds exact = exact_odds_ratio(tables, strata, level);
    put_measure(rows, "odds_ratio_exact", &exact.odds_ratio);
    stats_put(doc, "exact_statistic", exact.statistic);
    stats_put(doc, "exact_p", exact.p);
    if (strata < 2 || meta_mantel_haenszel(tables, strata, &pooled, &few) != ST_OK)
        return;
    double z = normal_z(level);
    struct estimate common = {exp(pooled.estimate), exp(pooled.estimate - z * pooled.se),
                              exp(pooled.estimate + z * pooled.se), NULL};
    put_measure(rows, "odds_ratio_mantel_haenszel", &common);
    stats_put_test(doc, "mantel_haenszel", &pooled.test);
}

static void put_trend(struct js *doc, const struct counts *c, const double *v, struct arena *a)
{
    double *x = arena_array(a, c->rows, sizeof *x), *n = arena_array(a, c->rows, sizeof *n);
    for (size_t i = 0; i < c->rows; i++) {
        x[i] = v[i * 2];
        n[i] = v[i * 2] + v[i * 2 + 1];
    }
    struct test trend = trend_test(x, n, c->rows);
    stats_put_test(doc, "trend", &trend);
}

static enum status fill_table(const struct args *a, struct stats_table *t, const struct confidences *level,
                              struct js *doc, struct err *e)
{
    struct stats_groups g[3];
    struct counts c;
    enum status s = read_counts(a, t, g, &c, e);
    if (s == ST_OK && (c.rows < 2 || c.columns < 2))
        s = err_set(e, ST_INVALID, "a table needs two rows and two columns at least");
    if (s != ST_OK)
        return err_wrap(e, "%s", t->name);
    struct js *rows = js_array();
    double *v = margin(&c, t->arena);
    struct test chi2 = chi2_independence(v, c.rows, c.columns);
    stats_put(doc, "confidence", level->level[0]);
    stats_put_test(doc, "chi2", &chi2);
    if (c.rows == c.columns) {
        struct test change = mcnemar_test(v, c.rows);
        stats_put_test(doc, "mcnemar", &change);
    }
    if (c.columns == 2)
        put_trend(doc, &c, v, t->arena);
    if (c.rows == 2 && c.columns == 2) {
        struct two_by_two *tables = arena_array(t->arena, c.strata, sizeof *tables);
        for (size_t i = 0; i < c.strata; i++)
            tables[i] = (struct two_by_two){c.v[4 * i], c.v[4 * i + 1], c.v[4 * i + 2], c.v[4 * i + 3]};
        js_put_str(doc, "exposed", t->cells[c.row_column][c.by_row->first[0]]);
        js_put_str(doc, "event", t->cells[c.column_column][c.by_column->first[0]]);
        put_risks(rows, &(struct two_by_two){v[0], v[1], v[2], v[3]}, level->level[0]);
        put_strata(doc, tables, c.strata, level->level[0], rows);
    }
    js_put(doc, "rows", rows);
    return ST_OK;
}

enum status stats_run_crosstab(const struct args *a, struct err *e)
{
    return stats_run_document(a, "table", "rows", fill_table, e);
}

static enum status fill_adjust(const struct args *a, struct stats_table *t, const struct confidences *level,
                               struct js *doc, struct err *e)
{
    (void)level;
    double *p, *out = arena_array(t->arena, t->n_rows, sizeof *out);
    enum status s = stats_choose_numbers(a, t, "p", "p p_value", true, &p, e);
    for (size_t r = 0; s == ST_OK && r < t->n_rows; r++)
        if (!(p[r] >= 0 && p[r] <= 1)) {
            s = err_set(e, ST_INVALID, "expected a p-value from 0 to 1");
            return stats_at(t, r, e);
        }
    if (s != ST_OK)
        return s;
    struct js *rows = js_array(), **row = arena_array(t->arena, t->n_rows, sizeof(struct js *));
    for (size_t r = 0; r < t->n_rows; r++) {
        row[r] = js_object();
        for (size_t c = 0; c < t->n_columns; c++)
            stats_put_cell(row[r], t, (int)c, r);
    }
    for (int k = 0; adjustment_names[k]; k++) {
        adjust_p(p, t->n_rows, (enum adjustment)k, out);
        for (size_t r = 0; r < t->n_rows; r++)
            stats_put(row[r], adjustment_names[k], out[r]);
    }
    for (size_t r = 0; r < t->n_rows; r++)
        js_push(rows, row[r]);
    js_put(doc, "rows", rows);
    return ST_OK;
}

enum status stats_run_adjust(const struct args *a, struct err *e)
{
    return stats_run_document(a, "adjust", "rows", fill_adjust, e);
}
