/* SPDX-License-Identifier: Apache-2.0
 *
 * accord stats meta, sccs, gini.
 */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "cli/stats_follow.h"
#include "cli/stats_methods.h"
#include "stats/gini.h"
#include "stats/meta.h"
#include "stats/sccs.h"

static enum status read_tables(const struct args *a, const struct stats_table *t, struct two_by_two **out,
                               struct err *e)
{
    static const char *const options[4] = {"a", "b", "c", "d"};
    static const char *const usual[4] = {"tpos ai a", "tneg bi b", "cpos ci c", "cneg di d"};
    double *v[4];
    *out = NULL;
    for (int i = 0; i < 4; i++) {
        enum status s = stats_choose_numbers(a, t, options[i], usual[i], false, &v[i], e);
        if (s != ST_OK || !v[i])
            return s;
    }
    *out = arena_array(t->arena, t->n_rows, sizeof **out);
    for (size_t r = 0; r < t->n_rows; r++)
        (*out)[r] = (struct two_by_two){v[0][r], v[1][r], v[2][r], v[3][r]};
    return ST_OK;
}

/* Estimates and variances: from 2 x 2 tables by --measure, or from columns yi and vi (or sei). */
static enum status read_effects(const struct args *a, const struct stats_table *t,
                                const struct two_by_two *tables, double **y, double **v, struct err *e)
{
    static const char *const measures[] = {"or", "rr", "rd", NULL};
    double *se = NULL;
    int measure;
    enum status s = stats_option_choice(a, "measure", measures, &measure, e);
    if (s == ST_OK && !tables) {
        s = stats_choose_numbers(a, t, "y", "yi y estimate", true, y, e);
        if (s == ST_OK)
            s = stats_choose_numbers(a, t, "v", "vi v variance", false, v, e);
        if (s == ST_OK && !*v)
            s = stats_choose_numbers(a, t, "se", "sei se", true, &se, e);
        if (s == ST_OK && se) {
            *v = arena_array(t->arena, t->n_rows, sizeof **v);
            for (size_t r = 0; r < t->n_rows; r++)
                (*v)[r] = se[r] * se[r];
        }
        return s;
    }
    *y = arena_array(t->arena, t->n_rows, sizeof **y);
    *v = arena_array(t->arena, t->n_rows, sizeof **v);
    for (size_t r = 0; s == ST_OK && r < t->n_rows; r++)
        meta_effect(&tables[r], (enum meta_measure)measure, &(*y)[r], &(*v)[r]);
    return s;
}

static enum status fill_pooled_tables(const struct stats_table *t, const struct two_by_two *tables, bool peto,
                                      const struct confidences *level, struct js *doc, struct err *e)
{
    struct meta_tables m;
    if (!tables)
        return err_set(e, ST_INVALID, "%s: this method needs the four counts of each table (--a --b --c --d)",
                       t->name);
    enum status s =
        peto ? meta_peto(tables, t->n_rows, &m, e) : meta_mantel_haenszel(tables, t->n_rows, &m, e);
    if (s != ST_OK)
        return err_wrap(e, "%s", t->name);
    struct js *rows = js_array(), *row = stats_coefficient("log odds ratio", m.estimate, m.se,
                                                           level->level[0], (double)INFINITY, false);
    double z = normal_z(level->level[0]);
    stats_put(row, "odds_ratio", exp(m.estimate));
    stats_put(row, "odds_ratio_lower", exp(m.estimate - z * m.se));
    stats_put(row, "odds_ratio_upper", exp(m.estimate + z * m.se));
    js_push(rows, row);
    js_put(doc, "coefficients", rows);
    stats_put_test(doc, "test", &m.test);
    stats_put_test(doc, peto ? "heterogeneity" : "breslow_day", &m.breslow_day);
    if (!peto)
        stats_put_test(doc, "tarone", &m.tarone);
    return ST_OK;
}

static void put_meta(struct js *doc, const struct meta *m, const char *const *names,
                     const struct confidences *level)
{
    struct js *rows = js_array(), *studies = js_array();
    double tail = (1 - level->level[0]) / 2, z = -t_quantile(tail, m->df);
    for (size_t j = 0; j < m->p; j++) {
        struct js *row = stats_coefficient(j ? names[j - 1] : "_intercept", m->beta[j], m->se[j],
                                           level->level[0], m->df, false);
        stats_put(row, "lower", m->beta[j] - z * m->se[j]);
        stats_put(row, "upper", m->beta[j] + z * m->se[j]);
        js_push(rows, row);
    }
    stats_put(doc, "k", (double)m->k);
    stats_put(doc, "tau2", m->tau2);
    stats_put(doc, "i2", m->i2);
    stats_put(doc, "h2", m->h2);
    stats_put(doc, "q", m->q);
    stats_put(doc, "q_p", m->q_p);
    if (m->p > 1) {
        stats_put(doc, "qm", m->qm);
        stats_put(doc, "qm_p", m->qm_p);
    } else if (m->blup) {
        double reach = z * sqrt(m->se[0] * m->se[0] + m->tau2);
        stats_put(doc, "prediction_lower", m->beta[0] - reach);
        stats_put(doc, "prediction_upper", m->beta[0] + reach);
    }
    js_put(doc, "coefficients", rows);
    for (size_t i = 0; m->blup && i < m->k; i++) {
        struct js *row = js_object();
        js_put_int(row, "study", (int64_t)i + 1);
        stats_put(row, "blup", m->blup[i]);
        stats_put(row, "se", m->blup_se[i]);
        stats_put(row, "lower", m->blup[i] - z * m->blup_se[i]);
        stats_put(row, "upper", m->blup[i] + z * m->blup_se[i]);
        js_push(studies, row);
    }
    js_put(doc, "studies", studies);
}

static enum status fill_meta(const struct args *a, struct stats_table *t, const struct confidences *level,
                             struct js *doc, struct err *e)
{
    static const char *const methods[] = {"reml", "fe", "dl", "he",   "sj", "ml",
                                          "eb",   "pm", "mh", "peto", NULL};
    static const enum meta_method kinds[] = {META_REML, META_FE, META_DL, META_HE,
                                             META_SJ,   META_ML, META_EB, META_PM};
    struct two_by_two *tables;
    double *y, *v, **x = NULL;
    size_t n_x;
    int method;
    enum status s = stats_option_choice(a, "tau2", methods, &method, e);
    if (s == ST_OK)
        s = read_tables(a, t, &tables, e);
    if (s != ST_OK)
        return s;
    js_put_str(doc, "estimator", methods[method]);
    stats_put(doc, "confidence", level->level[0]);
    if (method >= 8)
        return fill_pooled_tables(t, tables, method == 9, level, doc, e);
    s = read_effects(a, t, tables, &y, &v, e);
    const char **names = stats_words(t->arena, args_get(a, "x"), &n_x);
    x = arena_array(t->arena, n_x, sizeof *x);
    for (size_t j = 0; s == ST_OK && j < n_x; j++) {
        int column;
        s = stats_column(t, names[j], &column, e);
        if (s == ST_OK)
            s = stats_numbers(t, column, &x[j], e);
    }
    struct meta m;
    if (s != ST_OK)
        return s;
    s = meta_fit(y, v, t->n_rows, (const double *const *)x, n_x, kinds[method], args_has(a, "knapp-hartung"),
                 t->arena, &m, e);
    if (s != ST_OK)
        return err_wrap(e, "%s", t->name);
    put_meta(doc, &m, names, level);
    return ST_OK;
}

enum status stats_run_meta(const struct args *a, struct err *e)
{
    return stats_run_document(a, "meta", "coefficients", fill_meta, e);
}

static enum status number_list(const struct args *a, struct arena *arena, const char *option,
                               const char *absent, double **out, size_t *n, struct err *e)
{
    const char **words = stats_words(arena, args_get_or(a, option, absent), n);
    *out = arena_array(arena, *n + 1, sizeof **out);
    for (size_t i = 0; i < *n; i++)
        if (!parse_double(slice_of(words[i]), &(*out)[i]) || (i && (*out)[i] <= (*out)[i - 1]))
            return err_set(e, ST_USAGE, "--%s must be rising numbers, comma-separated", option);
    return ST_OK;
}

struct sccs_input {
    double *start, *end, *event, *exposed, *exposed_end;
    double days, *risk, *washout, *cuts;
    size_t n_risk, n_washout, n_cuts;
    struct stats_groups persons;
};

static enum status read_sccs(const struct args *a, const struct stats_table *t, struct sccs_input *in,
                             struct err *e)
{
    int column;
    enum status s = stats_choose(a, t, "person", "case indiv id person", true, &column, e);
    if (s == ST_OK)
        s = stats_group_by(t, &column, 1, &in->persons, e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, t, "start", "sta start astart", true, &in->start, e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, t, "end", "end aend", true, &in->end, e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, t, "event", "event aevent", true, &in->event, e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, t, "exposure", "exposure adrug", true, &in->exposed, e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, t, "exposure-end", "exposure_end aedrug", false, &in->exposed_end, e);
    if (s == ST_OK)
        s = stats_option_number(a, "days", (double)NAN, &in->days, e);
    if (s == ST_OK)
        s = number_list(a, t->arena, "risk", "0", &in->risk, &in->n_risk, e);
    if (s == ST_OK)
        s = number_list(a, t->arena, "washout", "", &in->washout, &in->n_washout, e);
    if (s == ST_OK)
        s = number_list(a, t->arena, "ages", "", &in->cuts, &in->n_cuts, e);
    if (s == ST_OK && !in->exposed_end && isnan(in->days))
        return err_set(e, ST_USAGE,
                       "say when exposure ends: --exposure-end COLUMN or --days N after it began");
    return s;
}

/* Risk windows of one row: those of --risk up to the end of exposure, then those of --washout after it. */
static size_t row_windows(const struct sccs_input *in, size_t row, struct sccs_window *out)
{
    double from = in->exposed[row], to = in->exposed_end ? in->exposed_end[row] : from + in->days;
    size_t n = 0;
    if (isnan(from) || isnan(to))
        return 0;
    for (size_t i = 0; i < in->n_risk; i++)
        out[n++] = (struct sccs_window){
            from + in->risk[i], i + 1 < in->n_risk ? fmin(to, from + in->risk[i + 1] - 1) : to, (int)i + 1};
    for (size_t i = 0; i + 1 < in->n_washout; i++)
        out[n++] =
            (struct sccs_window){to + in->washout[i], to + in->washout[i + 1] - 1, (int)(in->n_risk + i) + 1};
    return n;
}

struct sccs_table {
    struct sccs_data data;
    const char **names;
    uint32_t *person;
    double *events, *days, **x;
    size_t levels;
};

static enum status person_of(const struct stats_table *t, const struct sccs_input *in, size_t g,
                             struct sccs_person *p, struct err *e)
{
    const size_t *rows = in->persons.rows[g];
    size_t n = in->persons.size[g], m = 0, k = 0, each = in->n_risk + in->n_washout + 1;
    double *events = arena_array(t->arena, n, sizeof *events);
    struct sccs_window *w = arena_array(t->arena, n * each, sizeof *w);
    *p = (struct sccs_person){
        .start = in->start[rows[0]], .end = in->end[rows[0]], .events = events, .windows = w};
    for (size_t i = 0; i < n; i++) {
        double at = in->event[rows[i]];
        bool seen = isnan(at);
        for (size_t j = 0; j < m; j++)
            seen = seen || events[j] == at;
        if (!seen)
            events[m++] = at;
        k += row_windows(in, rows[i], w + k);
    }
    p->n_events = m;
    p->n_windows = k;
    if (p->end >= p->start)
        return ST_OK;
    err_set(e, ST_INVALID, "observation ends before it begins, or a day is missing");
    return stats_at(t, rows[0], e);
}

static enum status build_sccs(const struct stats_table *t, const struct sccs_input *in, const char *name,
                              struct sccs_table *out, struct err *e)
{
    size_t levels = in->n_risk + (in->n_washout ? in->n_washout - 1 : 0), p = levels + in->n_cuts, room = 0;
    for (size_t g = 0; g < in->persons.n_groups; g++)
        room += 2 * in->persons.size[g] * (in->n_risk + in->n_washout) + in->n_cuts + 1;
    out->person = arena_array(t->arena, room, sizeof *out->person);
    out->events = arena_array(t->arena, room, sizeof *out->events);
    out->days = arena_array(t->arena, room, sizeof *out->days);
    out->x = arena_array(t->arena, p, sizeof *out->x);
    out->names = arena_array(t->arena, p, sizeof *out->names);
    for (size_t j = 0; j < p; j++) {
        out->x[j] = arena_array(t->arena, room, sizeof **out->x);
        out->names[j] = j < levels ? arena_printf(t->arena, "%s%zu", name, j + 1)
                                   : arena_printf(t->arena, "age%zu", j - levels + 2);
    }
    struct sccs_interval *v = arena_array(t->arena, room, sizeof *v);
    size_t n = 0;
    for (size_t g = 0; g < in->persons.n_groups; g++) {
        struct sccs_person person;
        enum status s = person_of(t, in, g, &person, e);
        if (s != ST_OK)
            return s;
        size_t cut = sccs_cut(&person, in->cuts, in->n_cuts, v);
        for (size_t i = 0; i < cut; i++, n++) {
            out->person[n] = (uint32_t)g;
            out->events[n] = v[i].events;
            out->days[n] = v[i].days;
            if (v[i].level)
                out->x[v[i].level - 1][n] = 1;
            if (v[i].age)
                out->x[levels + (size_t)v[i].age - 1][n] = 1;
        }
    }
    out->data = (struct sccs_data){n, p, out->person, out->events, out->days, (const double *const *)out->x};
    return ST_OK;
}

static enum status fill_sccs(const struct args *a, struct stats_table *t, const struct confidences *level,
                             struct js *doc, struct err *e)
{
    struct sccs_input in = {0};
    struct sccs_table table;
    struct sccs_fit f;
    double z = normal_z(level->level[0]);
    enum status s = read_sccs(a, t, &in, e);
    if (s == ST_OK)
        s = build_sccs(t, &in, args_get_or(a, "exposure", "exposure"), &table, e);
    if (s == ST_OK && (s = sccs_fit(&table.data, table.names, t->arena, &f, e)) != ST_OK)
        err_wrap(e, "%s", t->name);
    if (s != ST_OK)
        return s;
    stats_put(doc, "confidence", level->level[0]);
    js_put_int(doc, "persons", (int64_t)in.persons.n_groups);
    stats_put(doc, "events", f.events);
    stats_put(doc, "log_likelihood", f.log_likelihood);
    stats_put(doc, "deviance", -2 * f.log_likelihood);
    stats_put(doc, "aic", 2 * (double)f.p - 2 * f.log_likelihood);
    js_put_int(doc, "iterations", f.iterations);
    struct js *rows = js_array();
    for (size_t j = 0; j < f.p; j++) {
        double se = sqrt(f.covariance[j * f.p + j]);
        struct js *row =
            stats_coefficient(table.names[j], f.beta[j], se, level->level[0], (double)INFINITY, false);
        stats_put(row, "rate_ratio", exp(f.beta[j]));
        stats_put(row, "rate_ratio_lower", exp(f.beta[j] - z * se));
        stats_put(row, "rate_ratio_upper", exp(f.beta[j] + z * se));
        js_push(rows, row);
    }
    js_put(doc, "coefficients", rows);
    js_put(doc, "covariance", stats_matrix(table.names, f.covariance, f.p));
    return ST_OK;
}

enum status stats_run_sccs(const struct args *a, struct err *e)
{
    return stats_run_document(a, "sccs", "coefficients", fill_sccs, e);
}

static void push_index(struct js *rows, const char *name, const struct estimate *v,
                       const struct confidences *level)
{
    struct js *row = js_object();
    struct confidences one = {.level = {level->level[0]}, .n = 1};
    js_put_str(row, "index", name);
    stats_put_estimate(row, v, &one);
    js_push(rows, row);
}

static enum status gini_values(double *v, size_t n, const struct confidences *level, struct js *rows,
                               struct err *e)
{
    static const struct {
        const char *name;
        enum inequality_index index;
        double aversion;
    } all[] = {{"gini", GINI, 0},
               {"gini_n_corrected", GINI_CORRECTED, 0},
               {"atkinson_0.25", ATKINSON, 0.25},
               {"atkinson_0.5", ATKINSON, 0.5},
               {"atkinson_1", ATKINSON, 1},
               {"atkinson_1.5", ATKINSON, 1.5},
               {"atkinson_2", ATKINSON, 2},
               {"theil_t", THEIL_T, 0},
               {"theil_l", THEIL_L, 0},
               {"herfindahl", HERFINDAHL, 0}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct estimate out;
        enum status s = inequality(v, n, all[i].index, all[i].aversion, level->level[0], &out, e);
        if (s != ST_OK)
            return s;
        push_index(rows, all[i].name, &out, level);
    }
    return ST_OK;
}

static enum status gini_gradient(const struct args *a, const double *v, const double *w, size_t n,
                                 const struct confidences *level, struct arena *arena, struct js *doc,
                                 struct js *rows, struct err *e)
{
    struct social_group *g = arena_array(arena, n, sizeof *g);
    struct social_gradient s;
    double low, high;
    enum status st = stats_option_number(a, "bound-low", 0, &low, e);
    if (st == ST_OK)
        st = stats_option_number(a, "bound-high", 100, &high, e);
    for (size_t i = 0; i < n; i++)
        g[i] = (struct social_group){v[i], w[i]};
    if (st == ST_OK)
        st = social_gradient(g, n, low, high, level->level[0], &s, e);
    if (st != ST_OK)
        return st;
    push_index(rows, "concentration_index", &s.concentration, level);
    stats_put(doc, "erreygers", s.erreygers);
    stats_put(doc, "wagstaff", s.wagstaff);
    stats_put(doc, "sii", s.slope);
    stats_put(doc, "rii", s.relative);
    stats_put(doc, "mean", s.mean);
    stats_put(doc, "between_group_variance", s.between_variance);
    stats_put(doc, "attributable_percent", s.attributable_percent);
    stats_put(doc, "index_of_disparity", s.disparity);
    stats_put(doc, "gini_population_weighted", s.gini);
    return ST_OK;
}

static enum status fill_gini(const struct args *a, struct stats_table *t, const struct confidences *level,
                             struct js *doc, struct err *e)
{
    double *v, *w;
    enum status s = stats_choose_numbers(a, t, "x", "x value rate values days", true, &v, e);
    if (s == ST_OK)
        s = stats_choose_numbers(a, t, "n", "population pop n", false, &w, e);
    if (s != ST_OK)
        return s;
    size_t n = 0;
    for (size_t r = 0; r < t->n_rows; r++) {
        if (isnan(v[r]) || (w && isnan(w[r])))
            continue;
        v[n] = v[r];
        if (w)
            w[n] = w[r];
        n++;
    }
    struct js *rows = js_array();
    js_put_int(doc, "rows_dropped_missing", (int64_t)(t->n_rows - n));
    stats_put(doc, "confidence", level->level[0]);
    js_put(doc, "rows", rows);
    s = w ? gini_gradient(a, v, w, n, level, t->arena, doc, rows, e) : gini_values(v, n, level, rows, e);
    return s == ST_OK ? s : err_wrap(e, "%s", t->name);
}

enum status stats_run_gini(const struct args *a, struct err *e)
{
    return stats_run_document(a, "gini", "rows", fill_gini, e);
}
