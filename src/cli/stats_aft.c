/* SPDX-License-Identifier: Apache-2.0
 *
 * accord stats aft.
 */
#include <math.h>

#include "cli/stats_follow.h"
#include "cli/stats_methods.h"
#include "stats/aft.h"

struct aft_input {
    struct follow_up follow;
    struct stats_design design;
    struct survival_rows rows;
    enum aft_distribution of;
};

static enum status read_aft(const struct args *a, struct stats_table *t, struct aft_input *in, struct err *e)
{
    static const char *const distributions[] = {"weibull", "exponential", "lognormal", "loglogistic", NULL};
    struct stats_roles roles;
    int of;
    enum status s = stats_option_choice(a, "distribution", distributions, &of, e);
    if (s == ST_OK)
        s = stats_follow_up(a, t, &in->follow, e);
    if (s == ST_OK)
        s = stats_status(a, t, in->follow.columns[1], in->follow.state, e);
    if (s == ST_OK && (in->follow.start || in->follow.weight))
        s = err_set(e, ST_UNSUPPORTED,
                    "accelerated failure time models take no entry times and no weights here");
    if (s != ST_OK)
        return s;
    in->of = (enum aft_distribution)of;
    stats_follow_roles(&in->follow, &roles);
    s = stats_design(a, t, &roles, true, &in->design, e);
    return s == ST_OK ? stats_follow_rows(&in->follow, &in->rows, e) : s;
}

static enum status fill_aft(const struct args *a, struct stats_table *t, const struct confidences *level,
                            struct js *doc, struct err *e)
{
    struct aft_input in = {0};
    struct aft_fit f;
    enum status s = read_aft(a, t, &in, e);
    if (s != ST_OK)
        return s;
    s = aft_fit(in.of, in.rows.time, in.rows.status, in.rows.n, (const double *const *)in.design.x,
                in.design.p, in.design.names, t->arena, &f, e);
    if (s != ST_OK)
        return err_wrap(e, "%s", t->name);
    struct js *rows = js_array();
    for (size_t j = 0; j < f.p; j++)
        js_push(rows,
                stats_coefficient(j < in.design.p ? in.design.names[j] : "log(scale)", f.beta[j],
                                  sqrt(f.covariance[j * f.p + j]), level->level[0], (double)INFINITY, false));
    stats_put(doc, "confidence", level->level[0]);
    stats_put(doc, "n", (double)in.rows.n);
    js_put_int(doc, "rows_dropped_missing", (int64_t)(in.design.dropped + in.follow.dropped));
    stats_put(doc, "scale", f.scale);
    stats_put(doc, "log_likelihood", f.log_likelihood);
    stats_put(doc, "log_likelihood_null", f.log_likelihood_null);
    js_put(doc, "coefficients", rows);
    return ST_OK;
}

enum status stats_run_aft(const struct args *a, struct err *e)
{
    return stats_run_document(a, "aft", "coefficients", fill_aft, e);
}
