/* SPDX-License-Identifier: Apache-2.0
 *
 * accord stats propensity.
 */
#include <math.h>
#include <string.h>

#include "cli/stats_follow.h"
#include "cli/stats_methods.h"
#include "stats/glm.h"
#include "stats/matching.h"
#include "stats/propensity.h"

struct study_rows {
    struct stats_design design;
    double *y, *treated, *score, *weight;
    const double *const *x;
};

static enum status read_rows(const struct args *a, struct stats_table *t, struct study_rows *in,
                             struct err *e)
{
    int y = -1, treated = -1;
    enum status s = stats_choose(a, t, "y", "y outcome", true, &y, e);
    if (s == ST_OK)
        s = stats_choose(a, t, "treatment", "treatment treated treat", true, &treated, e);
    if (s == ST_OK)
        s = stats_numbers(t, y, &in->y, e);
    if (s == ST_OK)
        s = stats_numbers(t, treated, &in->treated, e);
    struct stats_roles roles = {.used = {y, treated, -1}, .needed = {in->y, in->treated}};
    if (s == ST_OK)
        s = stats_design(a, t, &roles, true, &in->design, e);
    for (size_t i = 0; s == ST_OK && i < in->design.n; i++)
        if (in->treated[i] != 0 && in->treated[i] != 1) {
            s = err_set(e, ST_INVALID, "--treatment: expected 0 or 1");
            return stats_at(t, i, e);
        }
    in->x = (const double *const *)in->design.x;
    return s;
}

/* Logistic regression of the treatment. */
static enum status fit_scores(struct study_rows *in, struct arena *a, struct glm_fit *fit, struct err *e)
{
    size_t n = in->design.n;
    struct glm_model model = {GLM_BINOMIAL, GLM_LOGIT, 0};
    struct glm_data d = {n, in->design.p, in->x, in->treated, NULL, NULL};
    enum status s = glm_fit(&model, &d, in->design.names, a, fit, e);
    in->score = arena_array(a, n, sizeof *in->score);
    for (size_t i = 0; s == ST_OK && i < n; i++) {
        double eta = 0;
        for (size_t j = 0; j < in->design.p; j++)
            eta += fit->aliased[j] ? 0 : fit->beta[j] * in->x[j][i];
        in->score[i] = glm_mean_of(GLM_LOGIT, eta);
    }
    return s;
}

/* Stabilised: each arm's weights times its share, which changes no estimate here but the look of the weights.
 */
static void weigh(struct study_rows *in, enum estimand of, bool stabilised, struct arena *a)
{
    size_t n = in->design.n;
    double share = 0;
    in->weight = arena_array(a, n, sizeof *in->weight);
    for (size_t i = 0; i < n; i++)
        share += in->treated[i] / (double)n;
    for (size_t i = 0; i < n; i++) {
        bool treated = in->treated[i] != 0;
        in->weight[i] =
            propensity_weight(of, treated, in->score[i]) * (stabilised ? (treated ? share : 1 - share) : 1);
    }
}

static void put_score_model(struct js *doc, const struct study_rows *in, const struct glm_fit *fit,
                            double level)
{
    struct js *rows = js_array(), *scores = js_array();
    size_t p = in->design.p;
    for (size_t j = 0; j < p; j++)
        js_push(rows, stats_coefficient(in->design.names[j], fit->beta[j], sqrt(fit->covariance[j * p + j]),
                                        level, (double)INFINITY, fit->aliased[j]));
    for (size_t i = 0; i < in->design.n; i++) {
        struct js *row = js_object();
        js_put_int(row, "row", (int64_t)i + 1);
        stats_put(row, "score", in->score[i]);
        stats_put(row, "weight", in->weight[i]);
        js_push(scores, row);
    }
    stats_put(doc, "deviance", fit->deviance);
    js_put(doc, "coefficients", rows);
    js_put(doc, "scores", scores);
}

static void put_balance(struct js *doc, const struct study_rows *in)
{
    struct js *rows = js_array();
    for (size_t j = 0; j < in->design.p; j++) {
        if (strcmp(in->design.names[j], "_intercept") == 0)
            continue;
        struct js *row = js_object();
        js_put_str(row, "term", in->design.names[j]);
        stats_put(row, "unweighted", standardised_difference(in->x[j], NULL, in->treated, in->design.n));
        stats_put(row, "weighted", standardised_difference(in->x[j], in->weight, in->treated, in->design.n));
        js_push(rows, row);
    }
    js_put(doc, "balance", rows);
}

static enum status put_effects(struct js *doc, const struct study_rows *in, double level, struct arena *a,
                               struct err *e)
{
    static const char *const kinds[] = {"se_hc0", "se_hc1", "se_hc3"};
    struct weighted_means w;
    struct doubly_robust robust;
    size_t n = in->design.n;
    enum status s = weighted_difference(in->y, in->weight, in->treated, n, a, &w, e);
    if (s == ST_OK)
        s = doubly_robust_difference(in->y, in->score, in->treated, in->x, in->design.p, n, in->design.names,
                                     a, &robust, e);
    if (s != ST_OK)
        return s;
    struct js *effects = js_array();
    const double values[] = {w.mean_untreated, w.difference};
    for (int j = 0; j < 2; j++) {
        struct js *row = stats_coefficient(j ? "difference" : "mean_untreated", values[j], w.survey[j], level,
                                           (double)INFINITY, false);
        for (int k = 0; k < 3; k++)
            stats_put(row, kinds[k], w.se[k][j]);
        js_push(effects, row);
    }
    js_push(effects, stats_coefficient("doubly_robust_difference", robust.difference, robust.se, level,
                                       (double)INFINITY, false));
    js_put(doc, "effects", effects);
    stats_put(doc, "effective_size_treated", effective_size(in->weight, in->treated, n, true));
    stats_put(doc, "effective_size_untreated", effective_size(in->weight, in->treated, n, false));
    return ST_OK;
}

static double spread_of(const double *v, size_t n)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        mean += v[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (v[i] - mean) * (v[i] - mean);
    return sqrt(squares / (double)(n - 1));
}

static enum status read_matching(const struct args *a, const struct study_rows *in, struct arena *arena,
                                 struct matching *how, double **by, struct err *e)
{
    static const char *const scales[] = {"logit", "score", NULL};
    static const char *const rules[] = {"closest", "highest", "matchit-4.5", NULL};
    size_t n = in->design.n;
    int scale, rule;
    double ratio, caliper;
    enum status s = stats_option_number(a, "match", 1, &ratio, e);
    if (s == ST_OK && !(ratio >= 1 && ratio <= 100 && ratio == floor(ratio)))
        s = err_set(e, ST_USAGE, "--match: expected how many untreated for each treated, 1 to 100");
    if (s == ST_OK)
        s = stats_option_number(a, "caliper", INFINITY, &caliper, e);
    if (s == ST_OK && !(caliper > 0))
        s = err_set(e, ST_USAGE, "--caliper: expected a number above 0, in standard deviations of the score");
    if (s == ST_OK)
        s = stats_option_choice(a, "match-on", scales, &scale, e);
    if (s == ST_OK)
        s = stats_option_choice(a, "match-rule", rules, &rule, e);
    if (s != ST_OK)
        return s;
    *by = arena_array(arena, n, sizeof **by);
    for (size_t i = 0; i < n; i++)
        (*by)[i] = scale == 0 ? log(in->score[i] / (1 - in->score[i])) : in->score[i];
    *how = (struct matching){.ratio = (size_t)ratio,
                             .replace = args_has(a, "replace"),
                             .caliper = caliper * spread_of(*by, n),
                             .closest_first = rule == 0,
                             .whole_differences = rule == 2};
    return ST_OK;
}

static struct js *pairs_of(const struct study_rows *in, const long *match, size_t ratio)
{
    struct js *pairs = js_array();
    for (size_t i = 0; i < in->design.n; i++)
        for (size_t k = 0; k < ratio && match[i * ratio + k] != MATCH_NONE; k++) {
            struct js *pair = js_object();
            js_put_int(pair, "treated", (int64_t)i + 1);
            js_put_int(pair, "untreated", match[i * ratio + k] + 1);
            js_push(pairs, pair);
        }
    return pairs;
}

/* The matched people's difference, the effect in the treated. */
static enum status put_matched_effect(struct js *j, const struct study_rows *in, const double *weight,
                                      double level, struct arena *arena, struct err *e)
{
    struct weighted_means w;
    size_t n = 0, arms[2] = {0};
    double *own = arena_array(arena, 3 * in->design.n, sizeof *own), *y = own, *treated = own + in->design.n,
           *weights = treated + in->design.n;
    for (size_t i = 0; i < in->design.n; i++) {
        if (weight[i] == 0)
            continue;
        y[n] = in->y[i];
        treated[n] = in->treated[i];
        weights[n++] = weight[i];
        arms[in->treated[i] != 0]++;
    }
    js_put_int(j, "matched_treated", (int64_t)arms[1]);
    js_put_int(j, "matched_untreated", (int64_t)arms[0]);
    if (n == 0)
        return err_set(e, ST_INVALID, "--caliper: nobody has a match so near");
    enum status s = weighted_difference(y, weights, treated, n, arena, &w, e);
    if (s == ST_OK)
        js_put(j, "effect",
               stats_coefficient("difference", w.difference, w.survey[1], level, (double)INFINITY, false));
    return s;
}

static enum status put_matching(struct js *doc, const struct args *a, const struct study_rows *in,
                                double level, struct arena *arena, struct err *e)
{
    struct matching how;
    size_t n = in->design.n;
    double *by, *weight = arena_array(arena, n, sizeof *weight);
    enum status s = read_matching(a, in, arena, &how, &by, e);
    if (s != ST_OK)
        return s;
    long *match = arena_array(arena, n * how.ratio, sizeof *match);
    struct js *j = js_object();
    js_put(doc, "matching", j);
    match_nearest(by, in->treated, n, &how, match);
    match_weights(match, in->treated, n, how.ratio, weight);
    js_put(j, "pairs", pairs_of(in, match, how.ratio));
    return put_matched_effect(j, in, weight, level, arena, e);
}

static enum status fill_propensity(const struct args *a, struct stats_table *t,
                                   const struct confidences *level, struct js *doc, struct err *e)
{
    static const char *const estimands[] = {"ate", "att", "overlap", NULL};
    struct study_rows in = {0};
    struct glm_fit fit;
    int of;
    enum status s = stats_option_choice(a, "estimand", estimands, &of, e);
    if (s == ST_OK)
        s = read_rows(a, t, &in, e);
    if (s == ST_OK)
        s = fit_scores(&in, t->arena, &fit, e);
    if (s != ST_OK)
        return err_wrap(e, "%s", t->name);
    weigh(&in, (enum estimand)of, args_has(a, "stabilised"), t->arena);
    js_put_str(doc, "estimand", estimands[of]);
    stats_put(doc, "confidence", level->level[0]);
    js_put_int(doc, "n", (int64_t)in.design.n);
    js_put_int(doc, "rows_dropped_missing", (int64_t)in.design.dropped);
    s = put_effects(doc, &in, level->level[0], t->arena, e);
    put_balance(doc, &in);
    if (s == ST_OK && args_has(a, "match"))
        s = put_matching(doc, a, &in, level->level[0], t->arena, e);
    put_score_model(doc, &in, &fit, level->level[0]);
    return s == ST_OK ? s : err_wrap(e, "%s", t->name);
}

enum status stats_run_propensity(const struct args *a, struct err *e)
{
    return stats_run_document(a, "propensity", "effects", fill_propensity, e);
}
