/* SPDX-License-Identifier: Apache-2.0
 *
 * accord stats funnel: where each unit lies, the limits to draw, and over-dispersion.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/stats_methods.h"
#include "stats/funnel.h"
#include "stats/sum.h"

enum kind { PROPORTION, RATIO, RATE, RATIO_OF_COUNTS };
enum { AXIS_POINTS = 100 };

struct funnel_input {
    enum kind kind;
    double *x, *n;
    double multiplier, years,
        level; /* level: the common proportion, or events per unit of population and year */
    const struct stats_table *table;
};

static enum status read_funnel(const struct args *a, const struct stats_table *t, struct funnel_input *in,
                               struct err *e)
{
    static const char *const kinds[] = {"proportion", "ratio", "rate", "ratio-of-counts", NULL};
    int kind;
    enum status s = stats_option_choice(a, "type", kinds, &kind, e);
    if (s != ST_OK)
        return s;
    *in = (struct funnel_input){.kind = (enum kind)kind, .table = t};
    s = stats_option_number(a, "multiplier",
                            kind == RATE    ? 100000
                            : kind == RATIO ? 100
                                            : 1,
                            &in->multiplier, e);
    if (s == ST_OK)
        s = stats_option_number(a, "years", 1, &in->years, e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, t, "x", "numerator obs observed count ev events x breaches", true, &in->x,
                                 e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, t, "n", "denominator expected pop population n attendances", true, &in->n,
                                 e);
    return s;
}

static enum status check_funnel(struct funnel_input *in, struct err *e)
{
    const struct stats_table *t = in->table;
    struct csum x = {0}, n = {0};
    for (size_t r = 0; r < t->n_rows; r++) {
        if (isnan(in->x[r]) || isnan(in->n[r]))
            continue;
        bool above = in->kind == PROPORTION && in->x[r] > in->n[r];
        if (in->x[r] < 0 || !(in->n[r] > 0) || above) {
            err_set(e, ST_INVALID,
                    above ? "the numerator is greater than the denominator"
                          : "the numerator must be 0 or more and the denominator above 0");
            return stats_at(t, r, e);
        }
        csum_add(&x, in->x[r]);
        csum_add(&n, in->n[r]);
    }
    in->level = csum_value(&x) / csum_value(&n);
    return ST_OK;
}

static double expected_of(const struct funnel_input *in, size_t r)
{
    return in->kind == RATE ? in->level * in->n[r] : in->n[r];
}

static void put_interval(struct js *row, const char *lower, const char *upper, struct interval i,
                         double scale)
{
    stats_put(row, lower, i.lower * scale);
    stats_put(row, upper, i.upper * scale);
}

static struct js *unit_row(const struct funnel_input *in, const struct stats_groups *keys, size_t r)
{
    struct js *row = js_object();
    stats_put_keys(row, in->table, keys, r);
    double x = in->x[r], n = in->n[r];
    stats_put(row, "x", x);
    stats_put(row, "n", n);
    if (isnan(x) || isnan(n)) {
        stats_put_estimate(row, &(struct estimate){(double)NAN, (double)NAN, (double)NAN, reason_missing},
                           &(struct confidences){.n = 1});
        return row;
    }
    double years = in->kind == RATE ? in->years : 1, scale = in->multiplier / years;
    stats_put(row, "value", x / n * scale);
    struct interval ci = in->kind == PROPORTION ? interval_wilson(x, n, 0.95) : interval_count(x, 0.95);
    put_interval(row, "lower", "upper", ci, in->kind == PROPORTION ? scale : scale / n);
    for (int pair = 0; pair < 2; pair++) {
        double tail = pair ? FUNNEL_TAIL_3S : FUNNEL_TAIL_2S;
        struct interval limits = in->kind == PROPORTION ? funnel_proportion(in->level, n, tail)
                                                        : funnel_ratio(expected_of(in, r), tail);
        double by = in->kind == RATE ? in->level * scale : scale;
        put_interval(row, pair ? "lower_3s_limit" : "lower_2s_limit",
                     pair ? "upper_3s_limit" : "upper_2s_limit", limits, by);
    }
    enum funnel_place place = in->kind == PROPORTION ? funnel_place_proportion(in->level, x, n)
                                                     : funnel_place_ratio(x, expected_of(in, r));
    js_put_str(row, "significance", funnel_place_text(place));
    return row;
}

/* The ends of the axis: --axis-min and --axis-max, or the data's range on two digits (from 1 when it spans
 * more than a factor of 2). */
static enum status axis_ends(const struct args *a, const double *v, size_t n, double *low, double *high,
                             struct err *e)
{
    double min = (double)INFINITY, max = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(v[i])) {
            min = fmin(min, v[i]);
            max = fmax(max, v[i]);
        }
    double start = max > 2 * min ? 1 : fmax(1, funnel_axis_end(min, false));
    enum status s = stats_option_number(a, "axis-min", start, low, e);
    if (s == ST_OK)
        s = stats_option_number(a, "axis-max", fmax(funnel_axis_end(max, true), start + 1), high, e);
    if (s == ST_OK && !(*low >= 1 && *high > *low))
        return err_set(e, ST_USAGE, "--axis-min must be at least 1 and below --axis-max");
    return s;
}

static void put_limits_proportion(struct js *row, const struct funnel_input *in, double n)
{
    stats_put(row, "population", n);
    for (int pair = 0; pair < 2; pair++)
        put_interval(row, pair ? "lower_3s_limit" : "lower_2s_limit",
                     pair ? "upper_3s_limit" : "upper_2s_limit",
                     funnel_proportion(in->level, n, pair ? FUNNEL_TAIL_3S : FUNNEL_TAIL_2S), in->multiplier);
    stats_put(row, "baseline", in->level * in->multiplier);
}

/* The curve of a given number of observed events: the expected number (or population) at which it touches a
 * limit. */
static void put_limits_events(struct js *row, const struct funnel_input *in, double events)
{
    static const char *const names[2][2] = {{"lower_2s", "upper_2s"}, {"lower_3s", "upper_3s"}};
    char key[48];
    stats_put(row, "events", events);
    for (int pair = 0; pair < 2; pair++) {
        struct interval at = funnel_expected(events, pair ? FUNNEL_TAIL_3S : FUNNEL_TAIL_2S);
        for (int side = 0; side < 2; side++) {
            double expected = side ? at.lower : at.upper;
            const char *name = names[pair][side];
            snprintf(key, sizeof key, "%s_%s", name, in->kind == RATE ? "population_1_year" : "exp_events");
            stats_put(row, key, in->kind == RATE ? expected / in->level : expected);
            snprintf(key, sizeof key, "%s_count", name);
            if (in->kind == RATIO)
                stats_put(row, key, events / expected - 1);
            snprintf(key, sizeof key, "%s_limit", name);
            stats_put(row, key,
                      events / expected * (in->kind == RATE ? in->level / in->years : 1) * in->multiplier);
        }
    }
    stats_put(row, "baseline", in->multiplier * (in->kind == RATE ? in->level / in->years : 1));
}

static enum status limit_rows(const struct args *a, const struct funnel_input *in, struct js *rows,
                              struct err *e)
{
    double low, high, axis[AXIS_POINTS];
    enum status s = axis_ends(a, in->kind == PROPORTION ? in->n : in->x, in->table->n_rows, &low, &high, e);
    if (s != ST_OK)
        return s;
    funnel_axis(low, high, axis, AXIS_POINTS);
    for (size_t i = 0; i < AXIS_POINTS; i++) {
        struct js *row = js_object();
        if (in->kind == PROPORTION)
            put_limits_proportion(row, in, axis[i]);
        else
            put_limits_events(row, in, axis[i]);
        js_push(rows, row);
    }
    return ST_OK;
}

static enum status disperse(const struct args *a, const struct funnel_input *in, struct js *doc,
                            struct js **units, struct err *e)
{
    static const char *const trims[] = {"truncate", "winsorise", NULL};
    const struct stats_table *t = in->table;
    struct funnel_unit *u = arena_array(t->arena, t->n_rows, sizeof *u);
    struct funnel_dispersion d;
    double share;
    int trim;
    if (in->kind == RATE)
        return err_set(e, ST_UNSUPPORTED,
                       "over-dispersion needs --type proportion, ratio or ratio-of-counts");
    enum status s = stats_option_choice(a, "overdispersion", trims, &trim, e);
    if (s == ST_OK)
        s = stats_option_number(a, "trim", 0.1, &share, e);
    if (s != ST_OK)
        return s;
    for (size_t r = 0; r < t->n_rows; r++)
        u[r] = (struct funnel_unit){.numerator = in->x[r], .denominator = in->n[r]};
    enum funnel_kind kind = in->kind == PROPORTION ? FUNNEL_PROPORTION
                            : in->kind == RATIO    ? FUNNEL_RATIO
                                                   : FUNNEL_RATIO_OF_COUNTS;
    s = funnel_overdispersion(u, t->n_rows, kind, (enum funnel_trim)trim, share, &d, e);
    if (s != ST_OK)
        return err_wrap(e, "%s", t->name);
    stats_put(doc, "phi", d.phi);
    stats_put(doc, "tau2", d.tau2);
    js_put_int(doc, "n_used", (int64_t)d.used);
    for (size_t r = 0; r < t->n_rows; r++) {
        struct js *row = units[r];
        stats_put(row, "z", u[r].z);
        stats_put(row, "z_used", u[r].z_used);
        stats_put(row, "z_adjusted", u[r].z_adjusted);
        for (int pair = 0; pair < 2; pair++)
            put_interval(row, pair ? "lower_od_998" : "lower_od_95", pair ? "upper_od_998" : "upper_od_95",
                         funnel_adjusted(kind, (enum funnel_trim)trim, d.target, d.tau2, in->n[r],
                                         pair ? FUNNEL_TAIL_3S : FUNNEL_TAIL_2S),
                         in->multiplier);
    }
    return ST_OK;
}

static enum status fill_funnel(const struct args *a, const struct stats_table *t, struct js *doc,
                               struct err *e)
{
    struct funnel_input in;
    struct stats_groups keys;
    struct js *rows = js_array(), *limits = js_array();
    js_put(doc, "rows", rows);
    js_put(doc, "limits", limits);
    enum status s = read_funnel(a, t, &in, e);
    if (s == ST_OK)
        s = check_funnel(&in, e);
    if (s == ST_OK)
        s = stats_group(a, t, "group", &keys, e);
    if (s != ST_OK)
        return s;
    keys.first = arena_array(t->arena, t->n_rows, sizeof *keys.first); /* every row is a unit of its own */
    for (size_t r = 0; r < t->n_rows; r++)
        keys.first[r] = r;
    stats_put(doc, "baseline",
              (in.kind == RATIO ? 1 : in.level) * in.multiplier / (in.kind == RATE ? in.years : 1));
    struct js **units = arena_array(t->arena, t->n_rows, sizeof(struct js *));
    for (size_t r = 0; r < t->n_rows; r++)
        js_push(rows, units[r] = unit_row(&in, &keys, r));
    if (args_has(a, "overdispersion"))
        s = disperse(a, &in, doc, units, e);
    return s == ST_OK && in.kind != RATIO_OF_COUNTS ? limit_rows(a, &in, limits, e) : s;
}

enum status stats_run_funnel(const struct args *a, struct err *e)
{
    struct stats_table *t;
    enum status s = stats_table_open(a, &t, e);
    if (s != ST_OK)
        return s;
    struct js *doc = stats_document("funnel");
    s = fill_funnel(a, t, doc, e);
    stats_table_close(t);
    if (s == ST_OK)
        return stats_print(a, doc, args_has(a, "limits") ? "limits" : "rows", e);
    js_free(doc);
    return s;
}
