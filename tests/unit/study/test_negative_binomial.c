/* SPDX-License-Identifier: Apache-2.0
 *
 * Negative binomial regression over sites: coefficients and theta of the pooled rows with a column for each
 * site (src/stats, which has the digits of R's glm.nb), in three rounds; derivatives beside finite
 * differences.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "stats/glm.h"
#include "stats/linalg.h"
#include "study/negative_binomial.h"
#include "study/newton.h"
#include "../../lib/random.h"

enum { ROWS = 3000, P = 3, Q = P + 1, MOST_SITES = 5, MOST_COLUMNS = P + MOST_SITES };

struct rows {
    double x[ROWS * P], y[ROWS], offset[ROWS], column[MOST_COLUMNS][ROWS];
    size_t site[ROWS];
};

static struct rng seed = {12};

static double poisson(double mean)
{
    double p = exp(-mean), sum = p, u = random_uniform(&seed), y = 0;
    for (; u > sum && y < 1000; y++) {
        p *= mean / (y + 1);
        sum += p;
    }
    return y;
}

/* theta = 2: the mean times the mean of two exponentials; without `spread`, Poisson. */
static struct rows *make_rows(size_t sites, bool spread)
{
    struct rows *r = calloc(1, sizeof *r);
    for (size_t i = 0; i < ROWS; i++) {
        double *x = r->x + i * P;
        r->site[i] = (size_t)(random_uniform(&seed) * (double)sites);
        x[0] = random_uniform(&seed) < 0.4;
        x[1] = 2 * random_uniform(&seed) - 1 + 0.2 * (double)r->site[i];
        x[2] = random_uniform(&seed) < 0.5;
        r->offset[i] = log(0.5 + random_uniform(&seed));
        double mean = exp(0.3 * (double)r->site[i] + 0.5 * x[0] - 0.4 * x[1] + 0.3 * x[2] + r->offset[i]);
        r->y[i] =
            poisson(spread ? -mean * (log(random_uniform(&seed)) + log(random_uniform(&seed))) / 2 : mean);
        for (size_t k = 0; k < P; k++)
            r->column[k][i] = x[k];
        r->column[P + r->site[i]][i] = 1;
    }
    return r;
}

/* Sums of a round over the sites, in the order first, first + 1, ... */
static void round_total(const struct rows *r, size_t sites, size_t first, const struct js *parameters,
                        struct sums *total)
{
    struct rows *own = calloc(1, sizeof *own);
    struct err e;
    sums_init(total, newton_size(newton_form(Q, true), !parameters));
    for (size_t s = 0; s < sites; s++) {
        struct nb_data d = {true, !parameters, 0, P, own->x, own->y, own->offset};
        for (size_t i = 0; i < ROWS; i++) {
            if (r->site[i] != (s + first) % sites)
                continue;
            memcpy(own->x + d.n * P, r->x + i * P, P * sizeof(double));
            own->y[d.n] = r->y[i];
            own->offset[d.n++] = r->offset[i];
        }
        struct model_counts counts = model_counts_new(Q);
        counts.rows = counts.events = (int64_t)d.n;
        counts.sites = 1;
        struct likelihood l = {Q, &d, nb_at, nb_third};
        struct sums part;
        sums_init(&part, total->n);
        newton_local(&l, parameters, &counts, &part);
        model_counts_free(&counts);
        assert_false(part.failed);
        assert_int_equal(sums_add(total, &part, &e), ST_OK);
        sums_deinit(&part);
    }
    free(own);
}

static struct fit run(const struct rows *r, size_t sites, size_t first, struct arena *a)
{
    static const char *const terms[Q] = {"a", "b", "c", "log(theta)"};
    struct js *parameters = NULL, *state = NULL, *next;
    struct err e;
    struct fit fit;
    do {
        struct sums total;
        round_total(r, sites, first, parameters, &total);
        next = NULL;
        if (newton_next(newton_form(Q, true), terms, parameters, &total, &state, &next, &e) != ST_OK)
            fail_msg("%s", e.text);
        sums_deinit(&total);
        js_free(parameters);
        parameters = next;
    } while (parameters);
    assert_int_equal(newton_fit_of(state, Q, a, &fit, &e), ST_OK);
    js_free(state);
    return fit;
}

/* The pooled rows with a column for each site, by Newton's steps until they stand still. */
static void pooled_newton(const struct rows *r, size_t sites, const double *start, double *estimate,
                          double *se)
{
    size_t p = P + sites, q = p + 1;
    double *x = calloc(ROWS * p, sizeof *x), *g = calloc(q, sizeof *g), *h = calloc(q * q, sizeof *h),
           *inverse = calloc(q * q, sizeof *inverse);
    bool aliased[MOST_COLUMNS + 1];
    for (size_t i = 0; i < ROWS; i++)
        for (size_t k = 0; k < p; k++)
            x[i * p + k] = r->column[k][i];
    struct nb_data d = {false, false, ROWS, p, x, r->y, r->offset};
    memcpy(estimate, start, q * sizeof *estimate);
    for (int step = 0; step < 8; step++) {
        nb_at(&d, estimate, g, h);
        ldl_factor(h, q, 1e-12, aliased);
        ldl_inverse(h, q, aliased, inverse);
        ldl_solve(h, q, aliased, g);
        for (size_t k = 0; k < q; k++) {
            estimate[k] += g[k];
            se[k] = sqrt(inverse[k * q + k]);
        }
    }
    free(x);
    free(g);
    free(h);
    free(inverse);
}

/* R stops its search for theta at steps of 1e-4: it is good to about 1e-8. */
static void glm_nb(const struct rows *r, size_t sites, struct arena *a, double *start)
{
    const double *columns[MOST_COLUMNS];
    const char *names[MOST_COLUMNS];
    struct nb_fit pooled;
    struct err e;
    for (size_t k = 0; k < MOST_COLUMNS; k++) {
        columns[k] = r->column[k];
        names[k] = "column";
    }
    struct glm_data d = {ROWS, P + sites, columns, r->y, r->offset, NULL};
    assert_int_equal(nb_fit(GLM_LOG, &d, names, a, &pooled, &e), ST_OK);
    memcpy(start, pooled.glm.beta, (P + sites) * sizeof *start);
    start[P + sites] = log(pooled.theta);
}

static void near(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance * fabs(b)))
        fail_msg("%.17g, expected %.17g", a, b);
}

static void the_fit_is_that_of_the_pooled_rows_in_three_rounds(void **unused)
{
    (void)unused;
    static const size_t cuts[] = {2, 3, 5};
    for (size_t c = 0; c < 3; c++) {
        struct rows *r = make_rows(cuts[c], true);
        struct arena *a = arena_new();
        double start[MOST_COLUMNS + 1], pooled[MOST_COLUMNS + 1], se[MOST_COLUMNS + 1];
        glm_nb(r, cuts[c], a, start);
        pooled_newton(r, cuts[c], start, pooled, se);
        struct fit fit = run(r, cuts[c], 0, a), other = run(r, cuts[c], 1, a);
        assert_true(fit.converged);
        assert_in_range(fit.rounds, 2, 3);
        for (size_t k = 0; k < Q; k++) {
            size_t at = k < P ? k : P + cuts[c];
            near(pooled[at], start[at], 1e-8);
            near(fit.beta[k], pooled[at], 1e-10);
            near(fit.se[k], se[at], 1e-10);
        }
        assert_true(fit.beta[P] > log(1.5) && fit.beta[P] < log(2.7));
        assert_memory_equal(fit.beta, other.beta, Q * sizeof *fit.beta);
        assert_memory_equal(fit.covariance, other.covariance, Q * Q * sizeof *fit.beta);
        arena_free(a);
        free(r);
    }
}

/* The profile likelihood by itself: its slope, curvature and third derivatives. */
static void derivatives_are_those_of_finite_differences(void **unused)
{
    (void)unused;
    struct rows *r = make_rows(1, true);
    double at[Q] = {0.3, -0.2, 0.1, 0.9}, gradient[Q], information[Q * Q], g[2][Q], m[2][Q * Q], h = 1e-5;
    double tensor[Q * (Q + 1) * (Q + 2) / 6] = {0};
    struct nb_data d = {true, false, 400, P, r->x, r->y, r->offset};
    nb_at(&d, at, gradient, information);
    nb_third(&d, at, tensor);
    for (size_t k = 0; k < Q; k++) {
        double beside[2][Q], value[2];
        for (int side = 0; side < 2; side++) {
            memcpy(beside[side], at, sizeof at);
            beside[side][k] += side ? h : -h;
            value[side] = nb_at(&d, beside[side], g[side], m[side]);
        }
        assert_true(fabs((value[1] - value[0]) / (2 * h) - gradient[k]) < 1e-5 * (1 + fabs(gradient[k])));
        for (size_t i = 0, t = 0; i < Q; i++) {
            assert_true(fabs((g[1][i] - g[0][i]) / (2 * h) + information[i * Q + k]) <
                        1e-5 * (1 + fabs(information[i * Q + k])));
            for (size_t j = 0; j <= i; j++)
                for (size_t l = 0; l <= j; l++, t++)
                    if (l == k)
                        assert_true(fabs((m[1][i * Q + j] - m[0][i * Q + j]) / (2 * h) - tensor[t]) <
                                    1e-4 * (1 + fabs(tensor[t])));
        }
    }
    free(r);
}

/* Poisson counts: the likelihood rises with theta for ever, or theta is huge. */
static void counts_without_spread_send_theta_away(void **unused)
{
    (void)unused;
    struct rows *r = make_rows(2, false);
    struct arena *a = arena_new();
    struct fit fit = run(r, 2, 0, a);
    assert_true(!fit.converged || fit.beta[P] > 3);
    arena_free(a);
    free(r);
}

static void a_site_without_events_takes_no_part(void **unused)
{
    (void)unused;
    struct rows *r = make_rows(3, true);
    struct arena *a = arena_new();
    for (size_t i = 0; i < ROWS; i++)
        if (r->site[i] == 2)
            r->y[i] = 0;
    struct fit with = run(r, 3, 0, a), without = run(r, 2, 0, a);
    for (size_t k = 0; k < Q; k++)
        assert_true(fabs(with.beta[k] - without.beta[k]) < 1e-10);
    arena_free(a);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fit_is_that_of_the_pooled_rows_in_three_rounds),
        cmocka_unit_test(derivatives_are_those_of_finite_differences),
        cmocka_unit_test(counts_without_spread_send_theta_away),
        cmocka_unit_test(a_site_without_events_takes_no_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
