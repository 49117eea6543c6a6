/* SPDX-License-Identifier: Apache-2.0
 * Fine and Gray's sums beside their definitions, written out over every pair of a row and an event time. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "stats/competing.h"
#include "../../lib/random.h"

enum { N = 180, P = 3 };
static double x[N * P], when[N];
static int state_of[N];
static struct rng seed = {88172645463325252U};

/* Tied days, both causes, censoring. */
static void make_rows(void)
{
    for (size_t i = 0; i < N; i++) {
        x[i * P] = random_uniform(&seed) < 0.4;
        x[i * P + 1] = 2 * random_uniform(&seed) - 1;
        x[i * P + 2] = random_uniform(&seed) < 0.2;
        double rate = exp(0.5 * x[i * P] - 0.3 * x[i * P + 1]);
        double first = -30 * log(random_uniform(&seed)) / rate, other = -50 * log(random_uniform(&seed)),
               lost = 60 * random_uniform(&seed);
        when[i] = 1 + floor(fmin(fmin(first, other), lost));
        state_of[i] = lost < first && lost < other ? 0 : first < other ? 1 : 2;
    }
}

/* Uncensored just before t: by every earlier time with a censoring. */
static double uncensored(double t)
{
    double g = 1;
    for (size_t c = 0; c < N; c++) {
        double at_risk = 0, censored = 0;
        bool first = state_of[c] == 0 && when[c] < t;
        for (size_t i = 0; i < N; i++) {
            first = first && !(i < c && state_of[i] == 0 && when[i] == when[c]);
            at_risk += when[i] >= when[c];
            censored += state_of[i] == 0 && when[i] == when[c];
        }
        g *= first ? 1 - censored / at_risk : 1;
    }
    return g;
}

static double weight(size_t i, double t)
{
    return when[i] >= t ? 1 : state_of[i] == 2 ? uncensored(t) / uncensored(when[i]) : 0;
}

static double risk(size_t i, const double *beta)
{
    double eta = 0;
    for (size_t j = 0; j < P; j++)
        eta += beta[j] * x[i * P + j];
    return exp(eta);
}

/* One term for each row with the event: all tied events see the same risk set. */
static double log_likelihood(const double *beta)
{
    double l = 0;
    for (size_t e = 0; e < N; e++) {
        double s0 = 0;
        for (size_t i = 0; i < N && state_of[e] == 1; i++)
            s0 += weight(i, when[e]) * risk(i, beta);
        l += state_of[e] == 1 ? log(risk(e, beta) / s0) : 0;
    }
    return l;
}

static void near(double computed, double expected, double tolerance)
{
    if (!(fabs(computed - expected) <= tolerance * fmax(1, fabs(expected))))
        fail_msg("%.17g, expected %.17g", computed, expected);
}

static const double beta[P] = {0.4, -0.2, 0.1};

static void the_likelihood_and_its_derivatives_are_those_of_the_definition(void **unused)
{
    (void)unused;
    struct arena *a = arena_new();
    const struct finegray_rows *rows = finegray_rows(when, state_of, N, x, P, 1, a);
    double score[P], information[P * P], from[P], to[P], far[P * P], h = 1e-4;
    near(finegray_at(rows, beta, score, information), log_likelihood(beta), 1e-12);
    for (size_t j = 0; j < P; j++) {
        double up[P], down[P];
        memcpy(up, beta, sizeof up);
        memcpy(down, beta, sizeof down);
        up[j] += h;
        down[j] -= h;
        near(score[j], (log_likelihood(up) - log_likelihood(down)) / (2 * h), 1e-6);
        finegray_at(rows, up, to, far);
        finegray_at(rows, down, from, far);
        for (size_t k = 0; k < P; k++)
            near(information[j * P + k], -(to[k] - from[k]) / (2 * h), 1e-6);
    }
    arena_free(a);
}

/* Weighted mean of column j, and total, of the risk set at t. */
static double mean_at(double t, size_t j, double *s0)
{
    double s1 = 0;
    *s0 = 0;
    for (size_t i = 0; i < N; i++) {
        double w = weight(i, t) * risk(i, beta);
        *s0 += w;
        s1 += w * x[i * P + j];
    }
    return s1 / *s0;
}

/* dM_i(t): its event, less its weighted hazard. */
static double martingale(size_t i, double t, double s0)
{
    double events = 0;
    for (size_t e = 0; e < N; e++)
        events += state_of[e] == 1 && when[e] == t;
    return (state_of[i] == 1 && when[i] == t) - weight(i, t) * risk(i, beta) * events / s0;
}

static double largest_time(void)
{
    double most = 0;
    for (size_t i = 0; i < N; i++)
        most = fmax(most, when[i]);
    return most;
}

/* J. Fine, R. Gray, JASA 94 (1999) 499: eta_i + psi_i with whole days for the integrals. */
static void naive_parts(double *eta)
{
    enum { MOST_DAYS = 64 };
    static double mean[MOST_DAYS][P], s0[MOST_DAYS];
    size_t days = (size_t)largest_time();
    assert_true(days < MOST_DAYS);
    for (size_t t = 1; t <= days; t++)
        for (size_t j = 0; j < P; j++)
            mean[t][j] = mean_at((double)t, j, &s0[t]);
    for (size_t i = 0; i < N; i++)
        for (size_t t = 1; t <= days; t++)
            for (size_t j = 0; s0[t] > 0 && j < P; j++)
                eta[i * P + j] += (x[i * P + j] - mean[t][j]) * martingale(i, (double)t, s0[t]);
    for (size_t u = 1; u <= days; u++) {
        double q[P] = {0}, at_risk = 0, censored = 0;
        for (size_t i = 0; i < N; i++) {
            at_risk += when[i] >= (double)u;
            censored += state_of[i] == 0 && when[i] == (double)u;
            for (size_t t = u + 1; t <= days && state_of[i] == 2 && when[i] <= (double)u; t++)
                for (size_t j = 0; s0[t] > 0 && j < P; j++)
                    q[j] -= (x[i * P + j] - mean[t][j]) * martingale(i, (double)t, s0[t]);
        }
        for (size_t i = 0; i < N && at_risk > 0; i++) {
            double dm =
                (state_of[i] == 0 && when[i] == (double)u) - (when[i] >= (double)u) * censored / at_risk;
            for (size_t j = 0; j < P; j++)
                eta[i * P + j] += q[j] / at_risk * dm;
        }
    }
}

static void the_variance_is_that_of_the_definition(void **unused)
{
    (void)unused;
    static double eta[N * P];
    double meat[P * P];
    struct arena *a = arena_new();
    naive_parts(eta);
    finegray_meat(finegray_rows(when, state_of, N, x, P, 1, a), beta, meat);
    for (size_t j = 0; j < P; j++)
        for (size_t k = 0; k < P; k++) {
            double expected = 0;
            for (size_t i = 0; i < N; i++)
                expected += eta[i * P + j] * eta[i * P + k];
            near(meat[j * P + k], expected, 1e-11);
        }
    arena_free(a);
}

static void the_order_of_rows_does_not_matter(void **unused)
{
    (void)unused;
    struct arena *a = arena_new();
    static double other_x[N * P], other_when[N];
    static int other_state[N];
    double score[2][P], information[2][P * P];
    for (size_t i = 0; i < N; i++) {
        size_t k = (i * 77 + 5) % N;
        memcpy(other_x + k * P, x + i * P, sizeof(double[P]));
        other_when[k] = when[i];
        other_state[k] = state_of[i];
    }
    near(finegray_at(finegray_rows(when, state_of, N, x, P, 1, a), beta, score[0], information[0]),
         finegray_at(finegray_rows(other_when, other_state, N, other_x, P, 1, a), beta, score[1],
                     information[1]),
         1e-13);
    for (size_t j = 0; j < P; j++)
        near(score[0][j], score[1][j], 1e-11);
    arena_free(a);
}

int main(void)
{
    make_rows();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_likelihood_and_its_derivatives_are_those_of_the_definition),
        cmocka_unit_test(the_variance_is_that_of_the_definition),
        cmocka_unit_test(the_order_of_rows_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
