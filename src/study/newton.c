/* SPDX-License-Identifier: Apache-2.0 */
#include "study/newton_space.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/linalg.h"

enum { MOST_LOCAL_STEPS = 25, MOST_HALVINGS = 20 };
#define ALIAS_TOLERANCE  1e-9
#define SMALL_DECREMENT  1e-18
#define SMALL_WITH_THIRD 1e-8
#define NEAR             4 /* decrement (standard errors, squared) from which third derivatives help a step */
#define LOCAL_DECREMENT  1e-12
#define FELL_BY          1e-12 /* of the log-likelihood's size: less is rounding */
#define SEPARATED_AT     30    /* |coefficient| of a 0/1 column: odds or hazards of 1e13 */

static size_t triangle(size_t p)
{
    return p * (p + 1) / 2;
}

static size_t counts_size(size_t p)
{
    return COLUMNS + 2 * p;
}

struct model_counts model_counts_new(size_t p)
{
    return (struct model_counts){.column_rows = xcalloc(p + 1, sizeof(int64_t)),
                                 .column_events = xcalloc(p + 1, sizeof(int64_t)),
                                 .column_squares = xcalloc(p + 1, sizeof(double))};
}

void model_counts_free(struct model_counts *c)
{
    free(c->column_rows);
    free(c->column_events);
    free(c->column_squares);
}

static size_t pyramid(size_t p)
{
    return p * (p + 1) * (p + 2) / 6;
}

struct newton_form newton_form(size_t p, bool has_third)
{
    return (struct newton_form){.p = p, .third = has_third && p <= NEWTON_MOST_THIRD};
}

size_t newton_size(struct newton_form f, bool first)
{
    size_t common = f.p + triangle(f.p);
    return first ? counts_size(f.p) + common + f.p : 1 + common + (f.third ? pyramid(f.p) : 0);
}

sum_t newton_bound(struct newton_form f, bool first, size_t i)
{
    return first && i < counts_size(f.p) ? SUM_COUNT_BOUND : SUM_REAL_BOUND;
}

static bool numbers(const struct js *parameters, const char *key, size_t p, double *out)
{
    const struct js *list = js_get(parameters, key);
    if (!js_is(list, JS_ARRAY) || js_size(list) != p)
        return false;
    for (size_t i = 0; i < p; i++) {
        if (!js_is_number(js_at(list, i)))
            return false;
        out[i] = js_num(js_at(list, i));
    }
    return true;
}

enum status newton_check(const struct js *parameters, size_t p, struct err *e)
{
    double *beta = xmalloc((p + 1) * sizeof *beta);
    bool good = numbers(parameters, "beta", p, beta);
    for (size_t i = 0; good && i < p; i++)
        good = fabs(beta[i]) < 1e9;
    free(beta);
    return good ? ST_OK : err_set(e, ST_INVALID, "beta: expected %zu numbers", p);
}

static struct space space_new(size_t p)
{
    size_t n = p + 1;
    return (struct space){p,
                          xcalloc(n, sizeof(double)),
                          xcalloc(n, sizeof(double)),
                          xcalloc(n * n, sizeof(double)),
                          xcalloc(n * n, sizeof(double)),
                          xcalloc(n, sizeof(double)),
                          xcalloc(n, sizeof(bool))};
}

static void space_free(struct space *s)
{
    free(s->beta);
    free(s->gradient);
    free(s->information);
    free(s->factor);
    free(s->step);
    free(s->aliased);
}

/* step = information^-1 gradient; returns the decrement. */
static double newton_step(struct space *s)
{
    double decrement = 0;
    memcpy(s->factor, s->information, s->p * s->p * sizeof *s->factor);
    memcpy(s->step, s->gradient, s->p * sizeof *s->step);
    ldl_factor(s->factor, s->p, ALIAS_TOLERANCE, s->aliased);
    ldl_solve(s->factor, s->p, s->aliased, s->step);
    for (size_t i = 0; i < s->p; i++)
        decrement += s->step[i] * s->gradient[i];
    return decrement;
}

static double largest_of(const double *v, size_t n)
{
    double largest = 0;
    for (size_t k = 0; k < n; k++)
        largest = fmax(largest, fabs(v[k]));
    return largest;
}

/* A site's own fit, only a start for the joint one: whatever is reached after a few steps will do. */
static void local_fit(const struct likelihood *l, struct space *s)
{
    double *from = xcalloc(s->p + 1, sizeof *from);
    double last = -INFINITY;
    for (int i = 0; i < MOST_LOCAL_STEPS; i++) {
        double now = l->at(l->data, s->beta, s->gradient, s->information);
        for (int h = 0; h < MOST_HALVINGS && !(now >= last - FELL_BY * fabs(last)) && i; h++) {
            for (size_t k = 0; k < s->p; k++)
                s->beta[k] = (s->beta[k] + from[k]) / 2;
            now = l->at(l->data, s->beta, s->gradient, s->information);
        }
        double decrement = newton_step(s);
        if (!isfinite(decrement) || decrement < LOCAL_DECREMENT)
            break;
        memcpy(from, s->beta, s->p * sizeof *from);
        last = now;
        if (largest_of(s->beta, s->p) > SEPARATED_AT)
            break;
        for (size_t k = 0; k < s->p; k++)
            s->beta[k] += s->step[k];
    }
    l->at(l->data, s->beta, s->gradient, s->information);
    free(from);
}

static void put_information(const struct space *s, size_t first, struct sums *out)
{
    for (size_t i = 0; i < s->p; i++)
        for (size_t k = 0; k <= i; k++)
            sums_real(out, first++, s->information[i * s->p + k]);
}

static void local_first(const struct likelihood *l, const struct model_counts *counts, struct space *s,
                        struct sums *out)
{
    size_t p = l->p, at = counts_size(p);
    sums_count(out, ROWS, counts->rows);
    sums_count(out, EVENTS, counts->events);
    sums_count(out, SITES, counts->sites);
    for (size_t k = 0; k < p; k++) {
        sums_count(out, COLUMNS + k, counts->column_rows[k]);
        sums_count(out, COLUMNS + p + k, counts->column_events[k]);
    }
    if (counts->rows == 0)
        return;
    local_fit(l, s);
    for (size_t i = 0; i < p; i++) {
        double weighted = s->gradient[i];
        for (size_t k = 0; k < p; k++)
            weighted += s->information[i * p + k] * s->beta[k];
        sums_real(out, at + i, weighted);
    }
    put_information(s, at + p, out);
    for (size_t k = 0; k < p; k++)
        sums_real(out, at + p + triangle(p) + k, counts->column_squares[k]);
}

static void local_later(const struct likelihood *l, struct space *s, struct sums *out)
{
    sums_real(out, 0, l->at(l->data, s->beta, s->gradient, s->information));
    for (size_t i = 0; i < l->p; i++)
        sums_real(out, 1 + i, s->gradient[i]);
    put_information(s, 1 + l->p, out);
    size_t at = 1 + l->p + triangle(l->p);
    if (out->n == at)
        return;
    double *tensor = xcalloc(pyramid(l->p), sizeof *tensor);
    l->third(l->data, s->beta, tensor);
    for (size_t i = 0; i < pyramid(l->p); i++)
        sums_real(out, at + i, tensor[i]);
    free(tensor);
}

void newton_local(const struct likelihood *l, const struct js *parameters, const struct model_counts *counts,
                  struct sums *out)
{
    struct space s = space_new(l->p);
    if (!parameters)
        local_first(l, counts, &s, out);
    else if (numbers(parameters, "beta", l->p, s.beta) && counts->rows)
        local_later(l, &s, out);
    space_free(&s);
}

static void get_information(const struct sums *total, size_t first, struct space *s)
{
    for (size_t i = 0; i < s->p; i++)
        for (size_t k = 0; k <= i; k++)
            s->information[i * s->p + k] = s->information[k * s->p + i] = sums_get_real(total, first++);
}

static struct js *array_of(const double *v, size_t n)
{
    struct js *j = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(j, js_real(v[i]));
    return j;
}

static struct js *counts_array(const struct sums *total, size_t first, size_t n)
{
    struct js *j = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(j, js_integer(sums_get_count(total, first + i)));
    return j;
}

static struct js *beta_parameters(const double *beta, size_t p)
{
    struct js *j = js_object();
    js_put(j, "beta", array_of(beta, p));
    return j;
}

/* A column's spread: standard deviation within sites; for a 0/1 column, nearly 1. */
static struct js *reach_of(const struct sums *total, size_t p)
{
    size_t at = counts_size(p) + p + triangle(p);
    struct js *reach = js_array();
    for (size_t k = 0; k < p; k++) {
        int64_t in = sums_get_count(total, COLUMNS + k);
        js_push(reach, js_real(in > 0 ? sqrt(sums_get_real(total, at + k) / (double)in) : 0));
    }
    return reach;
}

static void first_next(struct space *s, struct newton_form f, const char *const *terms,
                       const struct sums *total, struct js **state, struct js **next)
{
    size_t p = s->p, at = counts_size(p);
    if (newton_counts_tell(p, terms, total, state))
        return;
    for (size_t i = 0; i < p; i++)
        s->gradient[i] = sums_get_real(total, at + i);
    get_information(total, at + p, s);
    newton_step(s);
    struct js *aliased = js_array(), *j = js_object();
    for (size_t i = 0; i < p; i++)
        js_push(aliased, js_boolean(s->aliased[i]));
    js_put(j, "aliased", aliased);
    js_put_int(j, "rows", sums_get_count(total, ROWS));
    js_put_int(j, "events", sums_get_count(total, EVENTS));
    js_put_int(j, "sites", sums_get_count(total, SITES));
    js_put(j, "column_rows", counts_array(total, COLUMNS, p));
    js_put(j, "column_events", counts_array(total, COLUMNS + p, p));
    js_put(j, "reach", reach_of(total, p));
    js_put_int(j, "rounds", 1);
    js_free(*state);
    *state = j;
    if (!newton_step_tells(s, f, terms, 0, false, state))
        *next = beta_parameters(s->step, p);
}

static struct js *triangle_of(const double *m, size_t p)
{
    struct js *j = js_array();
    for (size_t i = 0; i < p; i++)
        for (size_t k = 0; k <= i; k++)
            js_push(j, js_real(m[i * p + k]));
    return j;
}

/* Aliased columns stay at 0: their rows and columns leave the system. */
static void mask_aliased(struct space *s, const struct js *state)
{
    const struct js *aliased = js_get(state, "aliased");
    for (size_t i = 0; i < s->p; i++) {
        if (!js_bool(js_at(aliased, i)))
            continue;
        s->gradient[i] = 0;
        for (size_t k = 0; k < s->p; k++)
            s->information[i * s->p + k] = s->information[k * s->p + i] = 0;
    }
}

/* After a fall of the log-likelihood: half way back to where the last good step began. */
static bool halve(struct space *s, double log_likelihood, const struct js *state, struct js **next)
{
    double *from = xcalloc(s->p + 1, sizeof *from);
    const struct js *last = js_get(state, "log_likelihood");
    bool fell = last && numbers(state, "beta", s->p, from) &&
                log_likelihood < js_num(last) - FELL_BY * fabs(js_num(last));
    for (size_t i = 0; fell && i < s->p; i++)
        s->beta[i] = (s->beta[i] + from[i]) / 2;
    if (fell)
        *next = beta_parameters(s->beta, s->p);
    free(from);
    return fell;
}

/* What the third derivatives say of the step's end: the information there, and what of the gradient is left,
   -T[step, step] / 2, which one more step takes away. */
static void third_order(struct space *s, const struct sums *total)
{
    size_t p = s->p, at = 1 + p + triangle(p);
    double *left = xcalloc(p + 1, sizeof *left);
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j <= i; j++)
            for (size_t k = 0; k <= j; k++) {
                double t = sums_get_real(total, at++);
                size_t a[3] = {i, j, k};
                static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                                 {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
                /* Each distinct ordering of (i, j, k) once. */
                for (int o = 0; o < 6; o++) {
                    size_t x = a[orders[o][0]], y = a[orders[o][1]], z = a[orders[o][2]];
                    bool repeated = false;
                    for (int q = 0; q < o; q++)
                        repeated |= a[orders[q][0]] == x && a[orders[q][1]] == y && a[orders[q][2]] == z;
                    if (repeated || s->aliased[x] || s->aliased[y])
                        continue;
                    s->information[x * p + y] += t * s->step[z];
                    left[x] -= t * s->step[y] * s->step[z] / 2;
                }
            }
    for (size_t i = 0; i < p; i++)
        s->beta[i] += s->step[i];
    memcpy(s->gradient, left, p * sizeof *left);
    newton_step(s);
    free(left);
}

static enum status later_next(struct space *s, struct newton_form f, const char *const *terms,
                              const struct js *parameters, const struct sums *total, struct js **state,
                              struct js **next, struct err *e)
{
    size_t p = s->p;
    double log_likelihood = sums_get_real(total, 0);
    int64_t rounds = js_get_int(*state, "rounds", 1) + 1;
    struct js *j = js_copy(*state);
    js_put_int(j, "rounds", rounds);
    js_free(*state);
    *state = j;
    if (!numbers(parameters, "beta", p, s->beta))
        return err_set(e, ST_INTERNAL, "the round's coefficients are missing");
    for (size_t i = 0; i < p; i++)
        s->gradient[i] = sums_get_real(total, 1 + i);
    get_information(total, 1 + p, s);
    if (rounds < NEWTON_MOST_ROUNDS && halve(s, log_likelihood, j, next))
        return ST_OK;
    mask_aliased(s, j);
    double decrement = newton_step(s);
    bool small = decrement < (f.third ? SMALL_WITH_THIRD : SMALL_DECREMENT);
    bool last = small || rounds >= NEWTON_MOST_ROUNDS || !isfinite(decrement);
    if (newton_step_tells(s, f, terms, decrement, last, state))
        return ST_OK;
    js_put(j, "beta", array_of(s->beta, p));
    js_put(j, "log_likelihood", js_real(log_likelihood));
    js_put(j, "estimate_log_likelihood", js_real(log_likelihood + decrement / 2));
    if (f.third && decrement < NEAR)
        third_order(s, total);
    js_put(j, "information", triangle_of(s->information, p));
    js_put(j, "converged", js_boolean(small));
    for (size_t i = 0; i < p; i++)
        s->beta[i] += s->step[i];
    js_put(j, "estimate", array_of(s->beta, p));
    if (!last)
        *next = beta_parameters(s->beta, p);
    return ST_OK;
}

enum status newton_next(struct newton_form f, const char *const *terms, const struct js *parameters,
                        const struct sums *total, struct js **state, struct js **next, struct err *e)
{
    struct space s = space_new(f.p);
    enum status st = ST_OK;
    if (parameters)
        st = later_next(&s, f, terms, parameters, total, state, next, e);
    else
        first_next(&s, f, terms, total, state, next);
    space_free(&s);
    return st;
}

static void counts_of(const struct js *state, const char *key, size_t p, int64_t *out)
{
    for (size_t i = 0; i < p; i++)
        out[i] = js_int(js_at(js_get(state, key), i));
}

enum status newton_fit_of(const struct js *state, size_t p, struct arena *a, struct fit *out, struct err *e)
{
    *out = (struct fit){.p = p,
                        .beta = arena_array(a, p, sizeof(double)),
                        .se = arena_array(a, p, sizeof(double)),
                        .covariance = arena_array(a, p * p, sizeof(double)),
                        .aliased = arena_array(a, p, sizeof(bool)),
                        .column_rows = arena_array(a, p, sizeof(int64_t)),
                        .column_events = arena_array(a, p, sizeof(int64_t)),
                        .log_likelihood = js_num(js_get(state, "estimate_log_likelihood")),
                        .rows = js_get_int(state, "rows", 0),
                        .events = js_get_int(state, "events", 0),
                        .sites = js_get_int(state, "sites", 0),
                        .rounds = (int)js_get_int(state, "rounds", 0),
                        .converged = js_bool(js_get(state, "converged"))};
    const struct js *information = js_get(state, "information");
    if (!numbers(state, "estimate", p, out->beta) || js_size(information) != triangle(p))
        return err_set(e, ST_INTERNAL, "the model has no fit");
    double *factor = arena_array(a, p * p, sizeof *factor);
    for (size_t i = 0, at = 0; i < p; i++)
        for (size_t k = 0; k <= i; k++)
            factor[i * p + k] = factor[k * p + i] = js_num(js_at(information, at++));
    out->rank = (int64_t)ldl_factor(factor, p, ALIAS_TOLERANCE, out->aliased);
    ldl_inverse(factor, p, out->aliased, out->covariance);
    counts_of(state, "column_rows", p, out->column_rows);
    counts_of(state, "column_events", p, out->column_events);
    for (size_t i = 0; i < p; i++) {
        out->se[i] = out->aliased[i] ? (double)NAN : sqrt(out->covariance[i * p + i]);
        if (out->aliased[i])
            out->beta[i] = NAN;
    }
    return ST_OK;
}
