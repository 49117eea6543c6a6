/* SPDX-License-Identifier: Apache-2.0
 *
 * accord stats proportion, rate, mean, dsr, isr.
 */
#include <math.h>
#include <string.h>

#include "cli/stats_methods.h"
#include "cli/stats_table.h"
#include "stats/interval.h"
#include "stats/quantile.h"
#include "stats/standardise.h"

#define NUMERATORS   "x numerator count events obs observed cases deaths measured_count"
#define DENOMINATORS "n denominator population pop person_years total trials measured"

struct counts {
    double *x, *n;
    struct stats_groups groups;
    bool grouped;
};

static enum status read_counts(const struct args *a, const struct stats_table *t, struct counts *c,
                               struct err *e)
{
    enum status s = stats_choose_numbers(a, t, "x", NUMERATORS, true, &c->x, e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, t, "n", DENOMINATORS, true, &c->n, e);
    c->grouped = args_has(a, "group");
    return s == ST_OK && c->grouped ? stats_group(a, t, "group", &c->groups, e) : s;
}

static double sum_rows(const double *v, const size_t *rows, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++)
        s += v[rows[i]];
    return s;
}

struct count_method {
    const char *name;
    bool rate;
    int interval; /* of --method */
    double multiplier;
    double null; /* rate to test; NaN for none */
};

static enum status of_counts(const struct count_method *m, double x, double n, double confidence,
                             struct estimate *out, struct err *e)
{
    return m->rate ? stats_rate(x, n, (enum rate_interval)m->interval, m->multiplier, confidence, out, e)
                   : stats_proportion(x, n, m->interval != 0, m->multiplier, confidence, out, e);
}

/* One answer for each row or group. Each row of a group is checked on its own first. */
static enum status answer_counts(const struct stats_table *t, const struct counts *c,
                                 const struct count_method *m, const struct confidences *level,
                                 struct js *rows, struct err *e)
{
    struct estimate v[2];
    for (size_t r = 0; r < t->n_rows; r++)
        if (of_counts(m, c->x[r], c->n[r], level->level[0], &v[0], e) != ST_OK)
            return stats_at(t, r, e);
    size_t answers = c->grouped ? c->groups.n_groups : t->n_rows;
    for (size_t i = 0; i < answers; i++) {
        double x = c->grouped ? sum_rows(c->x, c->groups.rows[i], c->groups.size[i]) : c->x[i];
        double n = c->grouped ? sum_rows(c->n, c->groups.rows[i], c->groups.size[i]) : c->n[i];
        struct js *row = js_object();
        js_push(rows, row);
        for (int k = 0; k < level->n; k++)
            if (of_counts(m, x, n, level->level[k], &v[k], e) != ST_OK)
                return e->status;
        for (size_t col = 0; !c->grouped && col < t->n_columns; col++)
            stats_put_cell(row, t, (int)col, i);
        if (c->grouped)
            stats_put_keys(row, t, &c->groups, i);
        stats_put(row, "x", x);
        stats_put(row, "n", n);
        stats_put_estimate(row, v, level);
        if (m->rate && !isnan(m->null))
            stats_put(row, "p", poisson_test(x, n / m->multiplier * m->null));
    }
    return ST_OK;
}

static enum status run_counts(const struct args *a, struct count_method m, const char *const *methods,
                              struct err *e)
{
    struct stats_table *t;
    struct confidences level;
    struct counts c = {0};
    enum status s = stats_confidences(a, false, &level, e);
    if (s == ST_OK)
        s = stats_option_number(a, "multiplier", m.multiplier, &m.multiplier, e);
    if (s == ST_OK)
        s = stats_option_choice(a, "method", methods, &m.interval, e);
    if (s == ST_OK && m.rate)
        s = stats_option_number(a, "null", (double)NAN, &m.null, e);
    if (s == ST_OK && m.null <= 0)
        s = err_set(e, ST_USAGE, "--null: expected a rate above 0");
    if (s != ST_OK || (s = stats_table_open(a, &t, e)) != ST_OK)
        return s;
    struct js *doc = stats_document(m.name), *rows = js_array();
    js_put_str(doc, "interval", methods[m.interval]);
    stats_put(doc, "multiplier", m.multiplier);
    stats_put_confidence(doc, &level);
    js_put(doc, "rows", rows);
    s = read_counts(a, t, &c, e);
    if (s == ST_OK)
        s = answer_counts(t, &c, &m, &level, rows, e);
    stats_table_close(t);
    if (s == ST_OK)
        return stats_print(a, doc, "rows", e);
    js_free(doc);
    return s;
}

enum status stats_run_proportion(const struct args *a, struct err *e)
{
    static const char *const methods[] = {"wilson", "exact", NULL};
    return run_counts(a, (struct count_method){"proportion", false, 0, 1, (double)NAN}, methods, e);
}

enum status stats_run_rate(const struct args *a, struct err *e)
{
    static const char *const methods[] = {"phe", "exact", "byar", "byar-mid-p", NULL};
    return run_counts(a, (struct count_method){"rate", true, 0, 100000, (double)NAN}, methods, e);
}

/* Variance, extremes, Tukey's hinges, quartile range (type 7), 1.4826 times the median absolute deviation.
 * Sorts v. */
static void put_spread(struct js *row, double *v, size_t n, const struct moments *m)
{
    if (n == 0)
        return;
    quantile_sort(v, n);
    double depth = floor((double)(n + 3) / 2) / 2, median = quantile_of(v, n, 0.5, 7);
    size_t low = (size_t)floor(depth), high = (size_t)ceil(depth);
    stats_put(row, "variance", n > 1 ? m->m2 / (m->n - 1) : (double)NAN);
    stats_put(row, "min", v[0]);
    stats_put(row, "lower_hinge", (v[low - 1] + v[high - 1]) / 2);
    stats_put(row, "median", median);
    stats_put(row, "upper_hinge", (v[n - low] + v[n - high]) / 2);
    stats_put(row, "max", v[n - 1]);
    stats_put(row, "iqr", quantile_of(v, n, 0.75, 7) - quantile_of(v, n, 0.25, 7));
    for (size_t i = 0; i < n; i++)
        v[i] = fabs(v[i] - median);
    quantile_sort(v, n);
    stats_put(row, "mad", 1.4826 * quantile_of(v, n, 0.5, 7));
}

static enum status mean_rows(const struct args *a, const struct stats_table *t,
                             const struct confidences *level, struct js *rows, struct err *e)
{
    double *y;
    struct stats_groups g;
    enum status s = stats_choose_numbers(a, t, "x", "x value values y", true, &y, e);
    if (s == ST_OK)
        s = stats_group(a, t, "group", &g, e);
    for (size_t i = 0; s == ST_OK && i < g.n_groups; i++) {
        double *v = arena_array(t->arena, g.size[i], sizeof *v);
        size_t n = 0;
        for (size_t k = 0; k < g.size[i]; k++)
            if (!isnan(y[g.rows[i][k]]))
                v[n++] = y[g.rows[i][k]];
        struct moments m = moments_of(v, n);
        struct estimate out[2] = {stats_mean(&m, level->level[0]), stats_mean(&m, level->level[1])};
        struct js *row = js_object();
        stats_put_keys(row, t, &g, i);
        js_put_int(row, "n", (int64_t)n);
        js_put_int(row, "missing", (int64_t)(g.size[i] - n));
        stats_put(row, "sum", m.mean * m.n);
        stats_put(row, "sd", moments_sd(&m));
        stats_put_estimate(row, out, level);
        stats_put(row, "skewness", m.m3 / m.n / pow(m.m2 / m.n, 1.5));
        stats_put(row, "excess_kurtosis", m.m4 * m.n / (m.m2 * m.m2) - 3);
        if (!out[0].reason && !(m.m2 > 0))
            js_put_str(row, "shape_reason", "every value is the same: it has no shape");
        put_spread(row, v, n, &m);
        js_push(rows, row);
    }
    return s;
}

enum status stats_run_mean(const struct args *a, struct err *e)
{
    return stats_run_table(a, "mean", false, mean_rows, e);
}

/* The common frame of methods that answer with rows: options, table, document, print. */
enum status stats_run_table(const struct args *a, const char *method, bool any_pair, stats_rows f,
                            struct err *e)
{
    struct stats_table *t;
    struct confidences level;
    enum status s = stats_confidences(a, any_pair, &level, e);
    if (s != ST_OK || (s = stats_table_open(a, &t, e)) != ST_OK)
        return s;
    struct js *doc = stats_document(method), *rows = js_array();
    stats_put_confidence(doc, &level);
    js_put(doc, "rows", rows);
    s = f(a, t, &level, rows, e);
    stats_table_close(t);
    if (s == ST_OK)
        return stats_print(a, doc, "rows", e);
    js_free(doc);
    return s;
}

struct dsr_input {
    double *x, *n, *w, *freq;
    int age;
};

static enum status read_standard(const struct args *a, const struct stats_table *t,
                                 const struct stats_groups *g, double **w, struct err *e)
{
    enum status s = stats_choose_numbers(a, t, "standard",
                                         "standard stdpop standard_population esp2013 esp1976", false, w, e);
    if (s != ST_OK || *w)
        return s;
    *w = arena_array(t->arena, t->n_rows, sizeof **w);
    for (size_t i = 0; i < g->n_groups; i++) {
        if (g->size[i] != 19)
            return err_set(
                e, ST_INVALID,
                "%s has no standard population (--standard COLUMN), and without one every area must have "
                "the 19 age bands of the European standard population 2013 (0-4 ... 90+) in order",
                t->name);
        for (size_t k = 0; k < 19; k++)
            (*w)[g->rows[i][k]] = esp2013[k];
    }
    return ST_OK;
}

static enum status read_dsr(const struct args *a, const struct stats_table *t, const struct stats_groups *g,
                            struct dsr_input *in, struct err *e)
{
    enum status s = stats_choose_numbers(a, t, "freq", "freq frequency", false, &in->freq, e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, t, "x", in->freq ? "persons x count events" : NUMERATORS, true, &in->x,
                                 e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, t, "n", DENOMINATORS, true, &in->n, e);
    if (s == ST_OK)
        s = stats_choose(a, t, "age", "ageband age_band age_group age", false, &in->age, e);
    return s == ST_OK ? read_standard(a, t, g, &in->w, e) : s;
}

static enum status check_same(const struct stats_table *t, const struct dsr_input *in, size_t first,
                              size_t row, struct err *e)
{
    if (!in->freq)
        err_set(e, ST_INVALID, "this age band was given before; each may occur once in an area");
    else if (in->n[first] != in->n[row] || in->w[first] != in->w[row])
        err_set(e, ST_INVALID, "this age band was given before with another population or standard");
    else
        return ST_OK;
    return stats_at(t, row, e);
}

/* Strata of one area: one a row, or one an age band where frequencies of events are given. */
static enum status make_strata(const struct stats_table *t, const struct dsr_input *in, const size_t *rows,
                               size_t n, struct stratum *out, size_t *k, struct err *e)
{
    size_t *first = arena_array(t->arena, n, sizeof *first);
    *k = 0;
    for (size_t i = 0; i < n; i++) {
        size_t r = rows[i], at = *k;
        double f = in->freq ? in->freq[r] : 1, x = isnan(in->x[r]) ? 0 : in->x[r];
        const char *age = in->age >= 0 ? t->cells[in->age][r] : NULL;
        for (size_t j = 0; age && j < *k; j++)
            if (strcmp(age, t->cells[in->age][first[j]]) == 0)
                at = j;
        if (at < *k && check_same(t, in, first[at], r, e) != ST_OK)
            return e->status;
        if (at == *k) {
            first[(*k)++] = r;
            out[at] = (struct stratum){.population = in->n[r], .standard = in->w[r]};
        }
        if (!(x >= 0) || !(f >= 0)) {
            err_set(e, ST_INVALID, "a count is negative or a frequency missing");
            return stats_at(t, r, e);
        }
        out[at].events += f * x;
        out[at].events2 += f * f * x;
    }
    return ST_OK;
}

static enum status dsr_rows(const struct args *a, const struct stats_table *t,
                            const struct confidences *level, struct js *rows, struct err *e)
{
    struct stats_groups g;
    struct dsr_input in;
    double multiplier;
    enum status s = stats_option_number(a, "multiplier", 100000, &multiplier, e);
    if (s == ST_OK)
        s = stats_group(a, t, "group", &g, e);
    if (s == ST_OK)
        s = read_dsr(a, t, &g, &in, e);
    for (size_t i = 0; s == ST_OK && i < g.n_groups; i++) {
        struct stratum *strata = arena_array(t->arena, g.size[i], sizeof *strata);
        struct dsr d[2];
        size_t k;
        if ((s = make_strata(t, &in, g.rows[i], g.size[i], strata, &k, e)) != ST_OK)
            return s;
        for (int c = 0; s == ST_OK && c < level->n; c++)
            s = stats_dsr(strata, k, multiplier, level->level[c], &d[c], e);
        if (s != ST_OK)
            return err_wrap(e, "%s", g.n_keys ? stats_group_name(t, &g, i) : t->name);
        struct js *row = js_object();
        stats_put_keys(row, t, &g, i);
        stats_put(row, "total_count", d[0].events);
        stats_put(row, "total_pop", d[0].population);
        stats_put_estimate(row, (struct estimate[]){d[0].rate, d[1].rate}, level);
        js_push(rows, row);
    }
    return s;
}

enum status stats_run_dsr(const struct args *a, struct err *e)
{
    return stats_run_table(a, "dsr", false, dsr_rows, e);
}

struct isr_input {
    double *x, *n, *ref_x, *ref_n;
    size_t ref_rows; /* rows of --reference; 0 when the reference lies beside the data */
    struct stats_groups groups;
};

static enum status read_reference(const struct args *a, const struct stats_table *t, struct isr_input *in,
                                  struct err *e)
{
    const char *path = args_get(a, "reference");
    struct stats_table *other;
    if (!path) {
        enum status s =
            stats_choose_numbers(a, t, "ref-x", "refcount ref_x x_ref reference_count", true, &in->ref_x, e);
        return s == ST_OK ? stats_choose_numbers(a, t, "ref-n", "refpop ref_n n_ref reference_population",
                                                 true, &in->ref_n, e)
                          : s;
    }
    enum status s = stats_table_read(path, &other, e);
    double *x, *n;
    if (s == ST_OK)
        s = stats_choose_numbers(a, other, "ref-x", "refcount ref_x x_ref " NUMERATORS, true, &x, e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, other, "ref-n", "refpop ref_n n_ref " DENOMINATORS, true, &n, e);
    if (s == ST_OK) {
        in->ref_rows = other->n_rows;
        in->ref_x = arena_array(t->arena, other->n_rows, sizeof *x);
        in->ref_n = arena_array(t->arena, other->n_rows, sizeof *n);
        memcpy(in->ref_x, x, other->n_rows * sizeof *x);
        memcpy(in->ref_n, n, other->n_rows * sizeof *n);
    }
    stats_table_close(other);
    return s;
}

/* --observed FILE: the total of each area, where the counts by stratum are not known. */
static enum status read_observed(const struct args *a, const struct stats_table *t,
                                 const struct stats_groups *g, double *observed, struct err *e)
{
    struct stats_table *other;
    double *x;
    enum status s = stats_table_read(args_get(a, "observed"), &other, e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, other, "observed-x", "total_count " NUMERATORS, true, &x, e);
    for (size_t i = 0; s == ST_OK && i < g->n_groups; i++) {
        size_t found = other->n_rows, key = g->n_keys ? (size_t)g->keys[0] : 0;
        int column = 0;
        if (g->n_keys)
            s = stats_column(other, t->columns[key], &column, e);
        for (size_t r = 0; s == ST_OK && r < other->n_rows; r++) {
            const char *name = g->n_keys ? t->cells[key][g->first[i]] : NULL, *cell = other->cells[column][r];
            if (!g->n_keys || (name && cell && strcmp(name, cell) == 0))
                found = r;
        }
        if (s == ST_OK && found == other->n_rows)
            s = err_set(e, ST_INVALID, "%s has no row for %s", other->name, stats_group_name(t, g, i));
        if (s == ST_OK)
            observed[i] = x[found];
    }
    stats_table_close(other);
    return s;
}

static enum status read_isr(const struct args *a, const struct stats_table *t, struct isr_input *in,
                            double **observed, struct err *e)
{
    bool totals = args_has(a, "observed");
    enum status s = stats_group(a, t, "group", &in->groups, e);
    if (s == ST_OK && !totals)
        s = stats_choose_numbers(a, t, "x", NUMERATORS, true, &in->x, e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, t, "n", DENOMINATORS, true, &in->n, e);
    if (s == ST_OK)
        s = read_reference(a, t, in, e);
    const struct stats_groups *g = &in->groups;
    for (size_t i = 0; s == ST_OK && i < g->n_groups; i++)
        if (g->size[i] != g->size[0] || (in->ref_rows && in->ref_rows != g->size[i]))
            return err_set(e, ST_INVALID,
                           "every area, and the reference, must have the same number of strata; %s",
                           g->n_keys ? stats_group_name(t, g, i) : t->name);
    *observed = arena_array(t->arena, s == ST_OK ? g->n_groups : 1, sizeof **observed);
    if (s == ST_OK && totals)
        return read_observed(a, t, g, *observed, e);
    for (size_t r = 0; s == ST_OK && r < t->n_rows; r++) {
        if (in->x[r] < 0) {
            err_set(e, ST_INVALID, "the count of events is negative");
            return stats_at(t, r, e);
        }
        (*observed)[g->of[r]] += isnan(in->x[r]) ? 0 : in->x[r];
    }
    return s;
}

static enum status isr_rows(const struct args *a, const struct stats_table *t,
                            const struct confidences *level, struct js *rows, struct err *e)
{
    static const char *const kinds[] = {"rate", "ratio", NULL};
    struct isr_input in = {0};
    double multiplier, *observed = NULL;
    int ratio;
    enum status s = stats_option_choice(a, "type", kinds, &ratio, e);
    if (s == ST_OK)
        s = stats_option_number(a, "multiplier", ratio ? 1 : 100000, &multiplier, e);
    if (s == ST_OK)
        s = read_isr(a, t, &in, &observed, e);
    const struct stats_groups *g = &in.groups;
    for (size_t i = 0; s == ST_OK && i < g->n_groups; i++) {
        double *n = arena_array(t->arena, g->size[i], sizeof *n);
        struct reference *ref = arena_array(t->arena, g->size[i], sizeof *ref);
        for (size_t k = 0; k < g->size[i]; k++) {
            size_t r = g->rows[i][k], at = in.ref_rows ? k : r;
            n[k] = in.n[r];
            ref[k] = (struct reference){in.ref_x[at], in.ref_n[at]};
        }
        struct isr v[2];
        for (int c = 0; s == ST_OK && c < level->n; c++)
            s = stats_isr(observed[i], n, ref, g->size[i], ratio == 1, multiplier, level->level[c], &v[c], e);
        if (s != ST_OK)
            return err_wrap(e, "%s", g->n_keys ? stats_group_name(t, g, i) : t->name);
        struct js *row = js_object();
        stats_put_keys(row, t, g, i);
        stats_put(row, "observed", v[0].observed);
        stats_put(row, "expected", v[0].expected);
        if (!ratio)
            stats_put(row, "ref_rate", v[0].reference_rate);
        stats_put_estimate(row, (struct estimate[]){v[0].value, v[1].value}, level);
        js_push(rows, row);
    }
    return s;
}

enum status stats_run_isr(const struct args *a, struct err *e)
{
    return stats_run_table(a, "isr", false, isr_rows, e);
}
