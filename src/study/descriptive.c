/* SPDX-License-Identifier: Apache-2.0
 *
 * descriptive: a number at cohort entry: how many have it, mean and standard deviation, a histogram over bins
 * of the specification, and exact quantiles; of everybody, or of each stratum of some dimensions.
 *
 * Quantiles (R's type 7) need two order statistics each. Values are whole multiples of `resolution` above the
 * range's lower end, so an order statistic is a key below 2^30, found exactly by counting: round 1 counts the
 * whole range in 1,024 bins, each later round counts the bin that holds each order statistic in 1,024 finer
 * ones, until a bin is one key wide: 1 round for ages, 3 for anything.
 */
#include <math.h>
#include <stdlib.h>

#include "base/vectors.h"
#include "study/design.h"
#include "study/kept.h"
#include "study/members.h"
#include "study/tables.h"

enum { BINS = 1024, MOST_QUANTILES = 19, MOST_HISTOGRAM = 200, MOST_STRATA = 400 };
enum {
    PERSONS,
    SUM,
    SQUARES,
    FIGURES
}; /* each stratum of round 1 starts with these, then histogram, then bins */
#define MOST_KEYS ((int64_t)1 << 30)

struct descriptive {
    const char *name;
    size_t cohort, n_quantiles, n_edges;
    struct number number;
    double resolution, *quantiles, *edges;
    int64_t keys; /* 0 ... keys - 1 */
    struct dimension *by;
    size_t n_by, n_strata;
};

static enum status descriptive_parse(const struct js *specification, const struct analysis_scope *scope,
                                     void **spec, struct err *e)
{
    static const char *const allowed[] = {"kind",      "cohort", "number", "resolution",
                                          "quantiles", "bins",   "by",     NULL};
    struct descriptive *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    c->name = scope->name;
    c->cohort = spec_cohort(&s, "cohort", true);
    if (spec_goes_on(&s))
        number_read(&s, js_get(specification, "number"), spec_path(&s, "number"), true, &c->number);
    c->resolution = spec_number(&s, "resolution", 1e-9, 1e9, 1);
    c->quantiles = spec_ascending(&s, "quantiles", 0.01, 0.99, &c->n_quantiles);
    c->edges = spec_ascending(&s, "bins", -1e12, 1e12, &c->n_edges);
    if (c->n_quantiles > MOST_QUANTILES)
        spec_fault(&s, "quantiles", "at most %d", MOST_QUANTILES);
    if (c->n_edges == 1 || c->n_edges > MOST_HISTOGRAM)
        spec_fault(&s, "bins", "expected 2 to %d edges", MOST_HISTOGRAM);
    c->by = spec_dimensions(&s, "by", MAX_DIMENSIONS - 1, false, &c->n_by);
    c->n_strata = strata_count(c->by, c->n_by);
    if (c->n_strata > MOST_STRATA)
        spec_fault(&s, "by", "these dimensions make more than %d strata", MOST_STRATA);
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

/* Order statistics of one stratum, and of all: stratum by stratum, quantile by quantile, the two of each. */
static size_t n_targets(const struct descriptive *c)
{
    return 2 * c->n_quantiles;
}

static size_t all_targets(const struct descriptive *c)
{
    return n_targets(c) * c->n_strata;
}

/* Sums of one stratum in round 1. */
static size_t first_size(const struct descriptive *c)
{
    return FIGURES + n_bars(c) + (c->n_quantiles ? BINS : 0);
}

/* An order statistic that is being looked for: the keys [low, low + width) hold it, `below` lie before. */
struct target {
    int64_t rank, low, width, below, here; /* rank from 0; here = how many share the final key */
};

static int64_t bin_width(int64_t width)
{
    return (width + BINS - 1) / BINS;
}

/* The targets that the parameters name, heap; NULL when they are not such a list. */
static struct target *read_targets(const struct descriptive *c, const struct js *parameters)
{
    const struct js *list = js_get(parameters, "bins");
    struct target *out = xcalloc(all_targets(c) + 1, sizeof *out);
    bool fine = js_size(list) == all_targets(c);
    for (size_t i = 0; fine && i < all_targets(c); i++) {
        const struct js *j = js_at(list, i);
        out[i].low = js_get_int(j, "low", -1);
        out[i].width = js_get_int(j, "width", -1);
        fine = out[i].low >= 0 && out[i].width >= 1 && out[i].low <= c->keys && out[i].width <= c->keys;
    }
    if (fine)
        return out;
    free(out);
    return NULL;
}

static enum status descriptive_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    const struct descriptive *c = spec;
    *n = parameters ? all_targets(c) * BINS : c->n_strata * first_size(c);
    if (!parameters)
        return ST_OK;
    struct target *targets = read_targets(c, parameters);
    if (!targets)
        return err_set(e, ST_INVALID, "bins: expected {\"low\", \"width\"} for each of %zu order statistics",
                       all_targets(c));
    free(targets);
    return ST_OK;
}

static sum_t descriptive_bound(const void *spec, const struct js *parameters, size_t i)
{
    size_t figure = parameters ? PERSONS : i % first_size(spec);
    return figure == SUM || figure == SQUARES ? SUM_REAL_BOUND : SUM_COUNT_BOUND;
}

/* The bar that a value is in; n_bars where it is in none (a missing one too). */
static size_t bar_of(const struct descriptive *c, double value)
{
    size_t b = 0;
    while (b < n_bars(c) && !(value >= c->edges[b] && value < c->edges[b + 1]))
        b++;
    return b;
}

/* Who has a value, as all rounds but the first see them: its key, and behind the keys its stratum. */
struct seen {
    size_t n;
    uint32_t key[];
};

static size_t seen_bytes(size_t n)
{
    return sizeof(struct seen) + n * (sizeof(uint32_t) + sizeof(uint16_t));
}

static uint16_t *seen_strata(struct seen *s)
{
    return (uint16_t *)(void *)(s->key + s->n);
}

/* A negative one becomes 0 whichever way it is rounded; `most`, the last key, is below 2^30. */
VECTORS static void keys_of(double least, double resolution, int32_t most, const double *restrict value,
                            size_t n, uint32_t *restrict key)
{
    for (size_t i = 0; i < n; i++) {
        double at = (value[i] - least) / resolution + 0.5;
        int32_t k = (int32_t)(at < most ? at : most);
        key[i] = (uint32_t)(k < 0 ? 0 : k);
    }
}

VECTORS static void narrow(const uint32_t *restrict stratum, size_t n, uint16_t *restrict out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint16_t)stratum[i];
}

static struct seen *seen_new(const struct descriptive *c, size_t n, const double *value,
                             const uint32_t *stratum)
{
    struct seen *s = xmalloc(seen_bytes(n));
    s->n = n;
    keys_of(c->number.least, c->resolution, (int32_t)c->keys - 1, value, n, s->key);
    narrow(stratum, n, seen_strata(s));
    return s;
}

static void count_figures(const struct descriptive *c, size_t n, const double *value, const uint32_t *stratum,
                          struct sums *out)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = stratum[i] * first_size(c);
        sums_count(out, at + PERSONS, 1);
        sums_real(out, at + SUM, value[i]);
        sums_real(out, at + SQUARES, value[i] * value[i]);
    }
    for (size_t i = 0; n_bars(c) && i < n; i++) {
        size_t bar = bar_of(c, value[i]);
        if (bar < n_bars(c))
            sums_count(out, stratum[i] * first_size(c) + FIGURES + bar, 1);
    }
}

static void count_bins(const struct descriptive *c, const struct seen *s, struct sums *out)
{
    const uint16_t *stratum = seen_strata((struct seen *)(uintptr_t)s);
    size_t size = first_size(c), behind = FIGURES + n_bars(c);
    uint32_t width = (uint32_t)bin_width(c->keys);
    for (size_t i = 0; i < s->n; i++)
        sums_count(out, stratum[i] * size + behind + s->key[i] / width, 1);
}

/* Most values lie in no target of their stratum: all are asked at once. */
static void count_later(const struct descriptive *c, const struct target *targets, const struct seen *s,
                        struct sums *out)
{
    const uint16_t *stratum = seen_strata((struct seen *)(uintptr_t)s);
    size_t each = n_targets(c);
    for (size_t i = 0; i < s->n; i++) {
        const struct target *own = targets + stratum[i] * each;
        uint32_t key = s->key[i], any = 0;
        for (size_t t = 0; t < each; t++)
            any |= key - (uint32_t)own[t].low < (uint32_t)own[t].width;
        for (size_t t = 0; any && t < each; t++) {
            uint32_t at = key - (uint32_t)own[t].low;
            if (at < (uint32_t)own[t].width)
                sums_count(out, (stratum[i] * each + t) * BINS + at / (uint32_t)bin_width(own[t].width), 1);
        }
    }
}

VECTORS static void mark_present(const double *restrict value, size_t n, uint8_t *restrict mask)
{
    for (size_t i = 0; i < n; i++)
        mask[i] = value[i] == value[i];
}

/* Leaves the rows that have a value, and their values. */
static void keep_present(struct index_rows *rows, double *value)
{
    struct index_rows kept;
    uint8_t *mask = xmalloc(rows->n + 1);
    mark_present(value, rows->n, mask);
    index_rows_keep(rows, mask, &kept);
    bits_keep64(value, value, mask, rows->n);
    free(mask);
    index_rows_deinit(rows);
    *rows = kept;
}

/* From the store; counts the figures of round 1 where `figures` is not NULL. */
static enum status see(const struct descriptive *c, const struct study_site *site, struct sums *figures,
                       struct seen **out, struct err *e)
{
    struct index_rows rows;
    index_rows_view(&site->cohorts[c->cohort], &rows);
    double *value = xmalloc((rows.n + 1) * sizeof *value);
    enum status st = number_values(&c->number, site, &rows, value, e);
    if (st == ST_OK)
        keep_present(&rows, value);
    uint32_t *stratum = xmalloc((rows.n + 1) * sizeof *stratum);
    if (st == ST_OK)
        st = strata_levels(c->by, c->n_by, site, &rows, stratum, e);
    if (st == ST_OK && figures)
        count_figures(c, rows.n, value, stratum, figures);
    if (st == ST_OK)
        *out = seen_new(c, rows.n, value, stratum);
    free(value);
    free(stratum);
    index_rows_deinit(&rows);
    return st;
}

static void count(const struct descriptive *c, const struct target *targets, const struct seen *s,
                  struct sums *out)
{
    if (targets)
        count_later(c, targets, s, out);
    else if (c->n_quantiles)
        count_bins(c, s, out);
}

/* Later rounds ask the same persons again: what the first saw is kept for them. */
static enum status descriptive_local(const void *spec, const struct js *parameters,
                                     const struct study_site *site, struct sums *out, struct err *e)
{
    const struct descriptive *c = spec;
    struct target *targets = parameters ? read_targets(c, parameters) : NULL;
    if (parameters && !targets)
        return err_set(e, ST_INVALID, "bins: not understood");
    const struct seen *kept = targets ? kept_get(site->kept, c, site->first_person, site->end_person) : NULL;
    struct seen *seen = NULL;
    enum status st = kept ? ST_OK : see(c, site, targets ? NULL : out, &seen, e);
    if (st == ST_OK)
        count(c, targets, kept ? kept : seen, out);
    if (seen && c->n_quantiles && c->keys > BINS)
        kept_put(site->kept, c, site->first_person, site->end_person, seen, seen_bytes(seen->n));
    else
        free(seen);
    free(targets);
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

/* Of one stratum; without persons there is nothing to look for. */
static void first_targets(const struct descriptive *c, int64_t persons, struct target *out)
{
    for (size_t q = 0; q < c->n_quantiles; q++) {
        int64_t rank = (int64_t)floor((double)(persons - 1) * c->quantiles[q]), width = persons ? c->keys : 1;
        int64_t after = rank + 1 < persons ? rank + 1 : persons - 1;
        out[2 * q] = (struct target){.rank = rank, .width = width};
        out[2 * q + 1] = (struct target){.rank = after, .width = width};
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
static struct js *first_figures(const struct descriptive *c, const struct sums *total, size_t stratum)
{
    struct js *figures = js_object(), *bars = js_array();
    size_t at = stratum * first_size(c);
    js_put_int(figures, "persons", sums_get_count(total, at + PERSONS));
    js_put(figures, "sum", js_real(sums_get_real(total, at + SUM)));
    js_put(figures, "squares", js_real(sums_get_real(total, at + SQUARES)));
    for (size_t b = 0; b < n_bars(c); b++)
        js_push(bars, js_integer(sums_get_count(total, at + FIGURES + b)));
    js_put(figures, "bars", bars);
    return figures;
}

static struct js *first_state(const struct descriptive *c, const struct sums *total)
{
    struct js *state = js_object(), *strata = js_array();
    for (size_t s = 0; s < c->n_strata; s++)
        js_push(strata, first_figures(c, total, s));
    js_put(state, "strata", strata);
    return state;
}

static const struct js *figures_of(const struct js *state, size_t stratum)
{
    return js_at(js_get(state, "strata"), stratum);
}

static int64_t persons_of(const struct js *state, size_t stratum)
{
    return js_get_int(figures_of(state, stratum), "persons", 0);
}

/* One round's answer to all targets; the widest bin that is left. */
static int64_t refine_all(const struct descriptive *c, const struct js *parameters, const struct sums *total,
                          const struct js *state, struct target *targets)
{
    int64_t widest = 0;
    for (size_t i = 0; i < all_targets(c); i++) {
        size_t stratum = i / n_targets(c);
        if (persons_of(state, stratum))
            refine(&targets[i], total, parameters ? i * BINS : stratum * first_size(c) + FIGURES + n_bars(c));
        widest = targets[i].width > widest ? targets[i].width : widest;
    }
    return widest;
}

static enum status descriptive_next(const void *spec, const struct js *parameters, const struct sums *total,
                                    struct js **state, struct js **next, struct err *e)
{
    (void)e;
    const struct descriptive *c = spec;
    size_t n = all_targets(c);
    struct target *targets = xcalloc(n + 1, sizeof *targets);
    struct js *now = parameters ? js_copy(*state) : first_state(c, total);
    if (parameters)
        targets_of_state(now, n, targets);
    for (size_t s = 0; !parameters && s < c->n_strata; s++)
        first_targets(c, persons_of(now, s), targets + s * n_targets(c));
    int64_t widest = refine_all(c, parameters, total, now, targets);
    js_put(now, "targets", targets_json(targets, n, true));
    js_free(*state);
    *state = now;
    if (widest > 1) {
        *next = js_object();
        js_put(*next, "bins", targets_json(targets, n, false));
    }
    free(targets);
    return ST_OK;
}

/* The strata and one more dimension, without totals: no figure here adds up over strata. */
static void strata_dimensions(const struct descriptive *c, const char *dimension, const char **labels,
                              size_t n, struct dimension dimensions[MAX_DIMENSIONS])
{
    for (size_t i = 0; i < c->n_by; i++)
        dimensions[i] = c->by[i];
    dimensions[c->n_by] = plain_dimension(dimension, labels, n);
    for (size_t i = 0; i <= c->n_by; i++)
        dimensions[i].no_total = true;
}

static struct result_table *strata_table(const struct descriptive *c, const char *suffix, const char *unit,
                                         enum output_type type, const char *dimension, const char **labels,
                                         size_t n, struct result *into)
{
    struct dimension dimensions[MAX_DIMENSIONS];
    strata_dimensions(c, dimension, labels, n, dimensions);
    return table_new(into, table_name(into, c->name, suffix), c->number.name, unit, type, dimensions,
                     c->n_by + 1);
}

static void moment_table(const struct descriptive *c, const struct js *state, struct result *into)
{
    static const char *names[] = {"mean", "standard deviation"};
    struct result_table *t = strata_table(c, "moments", "as measured", OUTPUT_SUM, "figure", names, 2, into);
    t->mean = true;
    for (size_t i = 0; i < t->n_cells; i++) {
        const struct js *figures = figures_of(state, i / 2);
        double n = (double)js_get_int(figures, "persons", 0), mean = js_num(js_get(figures, "sum")) / n;
        double variance = (js_num(js_get(figures, "squares")) - n * mean * mean) / (n - 1);
        t->cells[i].persons = (int64_t)n;
        t->cells[i].value = i % 2 ? sqrt(fmax(0, variance)) : mean;
        t->cells[i].top1 = t->cells[i].top2 = fmax(fabs(c->number.least), fabs(c->number.most));
    }
}

static const char **bar_labels(const struct descriptive *c, struct arena *a)
{
    const char **labels = arena_array(a, n_bars(c), sizeof *labels);
    for (size_t b = 0; b < n_bars(c); b++)
        labels[b] = arena_printf(a, "%g to under %g", c->edges[b], c->edges[b + 1]);
    return labels;
}

static void histogram_table(const struct descriptive *c, const struct js *state, struct result *into)
{
    size_t n = n_bars(c);
    struct result_table *t =
        strata_table(c, "histogram", "persons", OUTPUT_COUNT, "bin", bar_labels(c, into->arena), n, into);
    for (size_t i = 0; i < t->n_cells; i++) {
        t->cells[i].persons = js_int(js_at(js_get(figures_of(state, i / n), "bars"), i % n));
        t->cells[i].value = (double)t->cells[i].persons;
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
    size_t n = c->n_quantiles;
    struct target *targets = arena_array(into->arena, all_targets(c), sizeof *targets);
    const char **labels = arena_array(into->arena, n, sizeof *labels);
    for (size_t q = 0; q < n; q++)
        labels[q] =
            c->quantiles[q] == 0.5 ? "median" : arena_printf(into->arena, "quantile %g", c->quantiles[q]);
    struct result_table *t =
        strata_table(c, "quantiles", "as measured", OUTPUT_QUANTILE, "quantile", labels, n, into);
    targets_of_state(state, all_targets(c), targets);
    for (size_t i = 0; i < t->n_cells; i++)
        if (persons_of(state, i / n))
            quantile_cell(c, &targets[2 * i], &targets[2 * i + 1], persons_of(state, i / n),
                          c->quantiles[i % n], &t->cells[i]);
}

/* Rows to (person, stratum and bar) of those in a bar, in place. */
static size_t keep_in_bars(const struct descriptive *c, const double *value, struct index_rows *rows,
                           uint32_t *person, uint32_t *stratum)
{
    size_t n = 0;
    for (size_t i = 0; i < rows->n; i++) {
        size_t bar = bar_of(c, value[i]);
        if (bar == n_bars(c))
            continue;
        person[n] = rows->person[i];
        stratum[n++] = stratum[i] * (uint32_t)n_bars(c) + (uint32_t)bar;
    }
    return n;
}

/* The cells of the histogram; mean and quantiles are of nobody in particular. */
static enum status descriptive_members(const void *spec, const struct study_site *site, struct members *into,
                                       struct err *e)
{
    const struct descriptive *c = spec;
    struct dimension dimensions[MAX_DIMENSIONS];
    struct arena *a = arena_new();
    struct index_rows rows = {0};
    enum status st = ST_OK;
    size_t n = 0;
    if (site)
        index_rows_view(&site->cohorts[c->cohort], &rows);
    double *value = xmalloc((rows.n + 1) * sizeof *value);
    uint32_t *stratum = xmalloc((rows.n + 1) * sizeof *stratum),
             *person = xmalloc((rows.n + 1) * sizeof *person);
    char *name = xasprintf("%s_histogram", c->name);
    if (site && n_bars(c))
        st = number_values(&c->number, site, &rows, value, e);
    if (site && n_bars(c) && st == ST_OK)
        st = strata_levels(c->by, c->n_by, site, &rows, stratum, e);
    if (site && n_bars(c) && st == ST_OK)
        n = keep_in_bars(c, value, &rows, person, stratum);
    if (n_bars(c) && st == ST_OK) {
        strata_dimensions(c, "bin", bar_labels(c, a), n_bars(c), dimensions);
        members_table(into, name, dimensions, c->n_by + 1, person, stratum, n);
    }
    if (site)
        index_rows_deinit(&rows);
    free(value);
    free(stratum);
    free(person);
    free(name);
    arena_free(a);
    return st;
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
    .keyed = true,
    .parse = descriptive_parse,
    .size = descriptive_size,
    .bound = descriptive_bound,
    .part_persons = PART_PERSONS,
    .local = descriptive_local,
    .next = descriptive_next,
    .members = descriptive_members,
    .finish = descriptive_finish,
};
