/* SPDX-License-Identifier: Apache-2.0 */
#include "study/newton_space.h"

#include <math.h>
#include <stdlib.h>

#include "stats/linalg.h"
#include "study/no_estimate.h"

#define FAR               8    /* |coefficient| times spread: odds or hazards of 3,000 */
#define OUT_OF_BOUNDS     100  /* the same, where no likelihood can have its top */
#define LARGEST_DECREMENT 1e-6 /* of a fit that is said to be one: a thousandth of a standard error */

/* Whether enough people have a column and enough lack it for its name to say nothing of single ones. */
static bool nameable(int64_t in, int64_t rows)
{
    return in >= NO_ESTIMATE_NAMED && (in == rows || rows - in >= NO_ESTIMATE_NAMED);
}

/* 0/1 columns that all or no events have: their coefficients are infinite. */
static void find_separated(size_t p, const char *const *terms, const struct sums *total, struct js *named,
                           bool *any)
{
    int64_t rows = sums_get_count(total, ROWS), events = sums_get_count(total, EVENTS);
    for (size_t k = 0; k < p; k++) {
        int64_t in = sums_get_count(total, COLUMNS + k), with = sums_get_count(total, COLUMNS + p + k);
        if (in == 0 || in == rows || (with > 0 && with < events))
            continue;
        *any = true;
        if (nameable(in, rows))
            js_push(named, js_string(terms[k]));
    }
}

static void say_separation(struct js **state, int64_t rows, struct js *columns)
{
    no_estimate_set(
        state, "separation", rows, columns,
        js_size(columns)
            ? "separation: the columns named tell those with the event from those without, so "
              "their coefficients are infinite; leave them out or merge their levels"
            : "separation: a column that few people have, or lack, tells those with the event from "
              "those without, so its coefficient is infinite; leave it out or merge its levels");
}

/* What has no estimate: nobody, no events, or a 0/1 column that all or no events have. */
bool newton_counts_tell(size_t p, const char *const *terms, const struct sums *total, struct js **state)
{
    int64_t rows = sums_get_count(total, ROWS), events = sums_get_count(total, EVENTS);
    if (rows == 0) {
        no_estimate_set(state, "no_rows", 0, NULL, "nobody is in the model at any site");
        return true;
    }
    if (events == 0) {
        no_estimate_set(state, "no_events", rows, NULL,
                        "nobody in the model has the event, so there is nothing to estimate from");
        return true;
    }
    bool separated = false;
    struct js *columns = js_array();
    find_separated(p, terms, total, columns, &separated);
    if (separated)
        say_separation(state, rows, columns);
    else
        js_free(columns);
    return separated;
}

/* Every column is left out: all the same for everybody, or all had the event. */
static bool all_aliased(const struct space *s, const char *const *terms, struct js **state)
{
    const struct js *in = js_get(*state, "column_rows");
    int64_t rows = js_get_int(*state, "rows", 0);
    struct js *columns = js_array();
    bool all = true;
    for (size_t k = 0; k < s->p; k++) {
        all = all && s->aliased[k];
        if (nameable(js_int(js_at(in, k)), rows))
            js_push(columns, js_string(terms[k]));
    }
    if (all)
        no_estimate_set(state, "no_information", rows, columns,
                        "the data have no information on any column: they do not differ between people of a "
                        "site, or all of them had the event");
    else
        js_free(columns);
    return all;
}

/* Is the coefficient on its way to infinity? Odds or hazards from one end of the column to the other are out
   of all bounds; or at the last step they are over exp(FAR), with a standard error that says it could as well
   be nothing. covariance: NULL before the last step. */
static bool runs_away(const struct space *s, const struct js *state, const double *covariance, size_t k)
{
    double beta = s->beta[k] + s->step[k], effect = fabs(beta) * js_num(js_at(js_get(state, "reach"), k));
    if (!covariance)
        return !(effect <= OUT_OF_BOUNDS);
    bool known = !s->aliased[k] && fabs(beta) > 2 * sqrt(covariance[k * s->p + k]);
    return !(known || effect <= FAR);
}

/* Combinations of columns separate. The factor is that of the information, from the step. */
static bool separated(const struct space *s, const char *const *terms, bool last, struct js **state)
{
    const struct js *in = js_get(*state, "column_rows");
    int64_t rows = js_get_int(*state, "rows", 0);
    double *covariance = last ? xcalloc(s->p * s->p + 1, sizeof *covariance) : NULL;
    struct js *columns = js_array();
    bool any = false;
    if (last)
        ldl_inverse(s->factor, s->p, s->aliased, covariance);
    for (size_t k = 0; k < s->p; k++) {
        bool away = runs_away(s, *state, covariance, k);
        any = any || away;
        if (away && nameable(js_int(js_at(in, k)), rows))
            js_push(columns, js_string(terms[k]));
    }
    free(covariance);
    if (any)
        say_separation(state, rows, columns);
    else
        js_free(columns);
    return any;
}

bool newton_step_tells(const struct space *s, struct newton_form f, const char *const *terms,
                       double decrement, bool last, struct js **state)
{
    if (all_aliased(s, terms, state))
        return true;
    if (!f.identity && (separated(s, terms, false, state) || (last && separated(s, terms, true, state))))
        return true;
    if (!last || decrement <= LARGEST_DECREMENT)
        return false;
    no_estimate_set(state, "not_converged", js_get_int(*state, "rows", 0), NULL,
                    "the steps did not come to an end: too few events for so many columns; leave some out or "
                    "merge levels");
    return true;
}
