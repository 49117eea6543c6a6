/* SPDX-License-Identifier: Apache-2.0
 *
 * descriptive: a number at cohort entry: how many have it, mean and standard deviation, a histogram over bins
 * of the specification, and exact quantiles.
 *
 * Quantiles (R's type 7) need two order statistics each. Values are whole multiples of `resolution` above the
 * range's lower end, so an order statistic is a key below 2^30, found exactly by counting: round 1 counts the
 * whole range in 1,024 bins, each later round counts the bin that holds each order statistic in 1,024 finer
 * ones, until a bin is one key wide: 1 round for ages, 3 for anything.
 */
#include <math.h>
#include <stdlib.h>

#include "study/design.h"
#include "study/tables.h"

enum { BINS = 1024, MOST_QUANTILES = 19, MOST_HISTOGRAM = 200 };
enum { PERSONS, SUM, SQUARES, FIGURES }; /* round 1 starts with these, then histogram, then bins */
#define MOST_KEYS ((int64_t)1 << 30)

struct descriptive {
    const char *name;
    size_t cohort, n_quantiles, n_edges;
    struct number number;
    double resolution, *quantiles, *edges;
    int64_t keys; /* 0 ... keys - 1 */
};

static enum status descriptive_parse(const struct js *specification, const struct analysis_scope *scope,
                                     void **spec, struct err *e)
{
    static const char *const allowed[] = {"kind",      "cohort", "number", "resolution",
                                          "quantiles", "bins",   NULL};
    struct descriptive *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    c->name = scope->name;
    c->cohort = spec_cohort(&s, "cohort", true);
    if (s.status == ST_OK)
        number_read(&s, js_get(specification, "number"), spec_path(&s, "number"), true, &c->number);
    c->resolution = spec_number(&s, "resolution", 1e-9, 1e9, 1);
    c->quantiles = spec_ascending(&s, "quantiles", 0.01, 0.99, &c->n_quantiles);
    c->edges = spec_ascending(&s, "bins", -1e12, 1e12, &c->n_edges);
    if (c->n_quantiles > MOST_QUANTILES)
        spec_fault(&s, "quantiles", "at most %d", MOST_QUANTILES);
    if (c->n_edges == 1 || c->n_edges > MOST_HISTOGRAM)
        spec_fault(&s, "bins", "expected 2 to %d edges", MOST_HISTOGRAM);
    double keys = floor((c->number.most - c->number.least) / c->resolution + 0.5) + 1;
    if (s.status == ST_OK && !(keys <= (double)MOST_KEYS))
        spec_fault(&s, "resolution", "is too fine for the number's range: more than 2^30 values");
    c->keys = s.status == ST_OK ? (int64_t)keys : 1;
    *spec = c;
    return spec_done(&s);
}

static size_t n_bars(const struct descriptive *c)
{
    return c->n_edges ? c->n_edges - 1 : 0;
}

/* An order statistic that is being looked for: the keys [low, low + width) hold it, `below` lie before. */
struct target {
    int64_t rank, low, width, below, here; /* rank from 0; here = how many share the final key */
};

static int64_t bin_width(int64_t width)
{
    return (width + BINS - 1) / BINS;
}

static bool read_targets(const struct descriptive *c, const struct js *parameters, struct target *out)
{
    const struct js *list = js_get(parameters, "bins");
    if (js_size(list) != 2 * c->n_quantiles)
        return false;
    for (size_t i = 0; i < 2 * c->n_quantiles; i++) {
        const struct js *j = js_at(list, i);
        out[i].low = js_get_int(j, "low", -1);
        out[i].width = js_get_int(j, "width", -1);
        if (out[i].low < 0 || out[i].width < 1 ||
            out[i].low + out[i].width > c->keys + BINS * bin_width(c->keys))
            return false;
    }
    return true;
}

static enum status descriptive_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    const struct descriptive *c = spec;
    struct target targets[2 * MOST_QUANTILES];
    *n = parameters ? 2 * c->n_quantiles * BINS : FIGURES + n_bars(c) + (c->n_quantiles ? BINS : 0);
    if (parameters && !read_targets(c, parameters, targets))
        return err_set(e, ST_INVALID, "bins: expected {\"low\", \"width\"} for each of %zu order statistics",
                       2 * c->n_quantiles);
    return ST_OK;
}

static sum_t descriptive_bound(const void *spec, const struct js *parameters, size_t i)
{
    (void)spec;
    return !parameters && (i == SUM || i == SQUARES) ? SUM_REAL_BOUND : SUM_COUNT_BOUND;
}

static int64_t key_of(const struct descriptive *c, double value)
{
    int64_t key = (int64_t)floor((value - c->number.least) / c->resolution + 0.5);
    return key < 0 ? 0 : key >= c->keys ? c->keys - 1 : key;
}

static void count_first(const struct descriptive *c, double value, struct sums *out)
{
    sums_count(out, PERSONS, 1);
    sums_real(out, SUM, value);
    sums_real(out, SQUARES, value * value);
    for (size_t b = 0; b < n_bars(c); b++)
        if (value >= c->edges[b] && value < c->edges[b + 1])
            sums_count(out, FIGURES + b, 1);
    if (c->n_quantiles)
        sums_count(out, FIGURES + n_bars(c) + (size_t)(key_of(c, value) / bin_width(c->keys)), 1);
}

static void count_later(const struct descriptive *c, const struct target *targets, double value,
                        struct sums *out)
{
    int64_t key = key_of(c, value);
    for (size_t t = 0; t < 2 * c->n_quantiles; t++) {
        int64_t at = key - targets[t].low;
        if (at >= 0 && at < targets[t].width)
            sums_count(out, t * BINS + (size_t)(at / bin_width(targets[t].width)), 1);
    }
}

static enum status descriptive_local(const void *spec, const struct js *parameters,
                                     const struct study_site *site, struct sums *out, struct err *e)
{
    const struct descriptive *c = spec;
    struct target targets[2 * MOST_QUANTILES] = {0};
    struct index_rows rows;
    index_rows_init(&site->cohorts[c->cohort], &rows);
    double *value = xmalloc((rows.n + 1) * sizeof *value);
    enum status st = number_values(&c->number, site, &rows, value, e);
    if (st == ST_OK && parameters && !read_targets(c, parameters, targets))
        st = err_set(e, ST_INVALID, "bins: not understood");
    for (size_t i = 0; st == ST_OK && i < rows.n; i++) {
        if (isnan(value[i]))
            continue;
        if (parameters)
            count_later(c, targets, value[i], out);
        else
            count_first(c, value[i], out);
    }
    free(value);
    index_rows_deinit(&rows);
    return st;
}

/* Moves a target into the bin that holds its rank. */
static void refine(struct target *t, const struct sums *total, size_t first)
{
    int64_t width = bin_width(t->width);
    size_t bin = 0;
    for (; bin + 1 < BINS; bin++) {
        int64_t here = sums_get_count(total, first + bin);
        if (t->rank < t->below + here)
            break;
        t->below += here;
    }
    t->here = sums_get_count(total, first + bin);
    t->low += (int64_t)bin * width;
    t->width = width;
}

static struct js *target_json(const struct target *t, bool whole)
{
    struct js *j = js_object();
    js_put_int(j, "low", t->low);
    js_put_int(j, "width", t->width);
    if (!whole)
        return j;
    js_put_int(j, "rank", t->rank);
    js_put_int(j, "below", t->below);
    js_put_int(j, "here", t->here);
    return j;
}

static void targets_of_state(const struct js *state, size_t n, struct target *out)
{
    const struct js *list = js_get(state, "targets");
    for (size_t i = 0; i < n; i++) {
        const struct js *j = js_at(list, i);
        out[i] = (struct target){js_get_int(j, "rank", 0), js_get_int(j, "low", 0), js_get_int(j, "width", 1),
                                 js_get_int(j, "below", 0), js_get_int(j, "here", 0)};
    }
}

static void first_targets(const struct descriptive *c, int64_t persons, struct target *out)
{
    for (size_t q = 0; q < c->n_quantiles; q++) {
        int64_t rank = (int64_t)floor((double)(persons - 1) * c->quantiles[q]);
        int64_t after = rank + 1 < persons ? rank + 1 : persons - 1;
        out[2 * q] = (struct target){.rank = rank, .width = c->keys};
        out[2 * q + 1] = (struct target){.rank = after, .width = c->keys};
    }
}

static struct js *targets_json(const struct target *targets, size_t n, bool whole)
{
    struct js *list = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(list, target_json(&targets[i], whole));
    return list;
}

/* The figures of round 1, to be carried: its vector is not the last one. */
static struct js *first_state(const struct descriptive *c, const struct sums *total)
{
    struct js *state = js_object(), *bars = js_array();
    js_put_int(state, "persons", sums_get_count(total, PERSONS));
    js_put(state, "sum", js_real(sums_get_real(total, SUM)));
    js_put(state, "squares", js_real(sums_get_real(total, SQUARES)));
    for (size_t b = 0; b < n_bars(c); b++)
        js_push(bars, js_integer(sums_get_count(total, FIGURES + b)));
    js_put(state, "bars", bars);
    return state;
}

static enum status descriptive_next(const void *spec, const struct js *parameters, const struct sums *total,
                                    struct js **state, struct js **next, struct err *e)
{
    (void)e;
    const struct descriptive *c = spec;
    size_t n = 2 * c->n_quantiles;
    struct target targets[2 * MOST_QUANTILES];
    struct js *now = parameters ? js_copy(*state) : first_state(c, total);
    int64_t persons = js_get_int(now, "persons", 0), widest = 0;
    if (parameters)
        targets_of_state(now, n, targets);
    else
        first_targets(c, persons, targets);
    for (size_t i = 0; persons && i < n; i++) {
        refine(&targets[i], total, parameters ? i * BINS : FIGURES + n_bars(c));
        widest = targets[i].width > widest ? targets[i].width : widest;
    }
    js_put(now, "targets", targets_json(targets, n, true));
    js_free(*state);
    *state = now;
    if (widest > 1) {
        *next = js_object();
        js_put(*next, "bins", targets_json(targets, n, false));
    }
    return ST_OK;
}

static void moment_table(const struct descriptive *c, const struct js *state, struct result *into)
{
    static const char *names[] = {"mean", "standard deviation"};
    double n = (double)js_get_int(state, "persons", 0), sum = js_num(js_get(state, "sum")), mean = sum / n;
    double variance = (js_num(js_get(state, "squares")) - n * mean * mean) / (n - 1);
    struct result_table *t = table_of_list(into, table_name(into, c->name, "moments"), c->number.name,
                                           "as measured", OUTPUT_SUM, "figure", names, 2);
    t->mean = true;
    for (int i = 0; i < 2; i++) {
        t->cells[i].persons = (int64_t)n;
        t->cells[i].value = i ? sqrt(fmax(0, variance)) : mean;
        t->cells[i].top1 = t->cells[i].top2 = fmax(fabs(c->number.least), fabs(c->number.most));
    }
}

static void histogram_table(const struct descriptive *c, const struct js *state, struct result *into)
{
    size_t n = n_bars(c);
    const char **labels = arena_array(into->arena, n, sizeof *labels);
    for (size_t b = 0; b < n; b++)
        labels[b] = arena_printf(into->arena, "%g to under %g", c->edges[b], c->edges[b + 1]);
    struct result_table *t = table_of_list(into, table_name(into, c->name, "histogram"), c->number.name,
                                           "persons", OUTPUT_COUNT, "bin", labels, n);
    for (size_t b = 0; b < n; b++) {
        t->cells[b].persons = js_int(js_at(js_get(state, "bars"), b));
        t->cells[b].value = (double)t->cells[b].persons;
    }
}

static void quantile_cell(const struct descriptive *c, const struct target *low, const struct target *high,
                          int64_t persons, double p, struct result_cell *cell)
{
    double h = (double)(persons - 1) * p, part = h - floor(h);
    double from = c->number.least + (double)low->low * c->resolution,
           to = c->number.least + (double)high->low * c->resolution;
    bool same = low->low == high->low || part == 0;
    cell->quantile = p;
    cell->persons = persons;
    cell->value = from + part * (to - from);
    cell->below = same ? low->below : low->below + low->here;
    cell->above = persons - low->below - low->here;
}

static void quantile_table(const struct descriptive *c, const struct js *state, struct result *into)
{
    struct target targets[2 * MOST_QUANTILES];
    int64_t persons = js_get_int(state, "persons", 0);
    const char **labels = arena_array(into->arena, c->n_quantiles, sizeof *labels);
    for (size_t q = 0; q < c->n_quantiles; q++)
        labels[q] =
            c->quantiles[q] == 0.5 ? "median" : arena_printf(into->arena, "quantile %g", c->quantiles[q]);
    struct result_table *t =
        table_of_list(into, table_name(into, c->name, "quantiles"), c->number.name, "as measured",
                      OUTPUT_QUANTILE, "quantile", labels, c->n_quantiles);
    targets_of_state(state, 2 * c->n_quantiles, targets);
    for (size_t q = 0; persons && q < c->n_quantiles; q++)
        quantile_cell(c, &targets[2 * q], &targets[2 * q + 1], persons, c->quantiles[q], &t->cells[q]);
}

static enum status descriptive_finish(const void *spec, const struct js *parameters, const struct sums *total,
                                      const struct js *state, struct result *into, struct err *e)
{
    (void)parameters, (void)total, (void)e;
    const struct descriptive *c = spec;
    moment_table(c, state, into);
    if (n_bars(c))
        histogram_table(c, state, into);
    if (c->n_quantiles)
        quantile_table(c, state, into);
    return ST_OK;
}

const struct analysis descriptive_analysis = {
    .kind = "descriptive",
    .summary = "a number at entry: mean, histogram and exact quantiles",
    .template = "{\"kind\": \"descriptive\", \"name\": \"age\", \"cohort\": \"target\", \"number\": "
                "{\"number\": \"age\"},"
                " \"resolution\": 1, \"quantiles\": [0.25, 0.5, 0.75], \"bins\": [0, 20, 40, 60, 80, 120]}",
    .output = OUTPUT_QUANTILE,
    .parse = descriptive_parse,
    .size = descriptive_size,
    .bound = descriptive_bound,
    .local = descriptive_local,
    .next = descriptive_next,
    .finish = descriptive_finish,
};
