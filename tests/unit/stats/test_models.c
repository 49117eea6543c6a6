/* SPDX-License-Identifier: Apache-2.0
 *
 * Regression and survival: laws that need no reference numbers, naive oracles, and sums over sites.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "stats/competing.h"
#include "stats/cox.h"
#include "stats/glm.h"
#include "stats/sccs.h"
#include "../../lib/random.h"

enum { N = 400, P = 4 };

static double column[P][2 * N], y[2 * N], counts[2 * N], when[2 * N], entry[2 * N];
static int status[2 * N];
static const double *x[P];
static const char *const names[P] = {"_intercept", "a", "b", "c"};

static struct rng seed;
static int make_data(void **state)
{
    (void)state;
    seed.state = 12345;
    for (int i = 0; i < N; i++) {
        column[0][i] = 1;
        column[1][i] = random_uniform(&seed) * 4 - 2;
        column[2][i] = random_uniform(&seed) < 0.3;
        column[3][i] = random_uniform(&seed) + random_uniform(&seed) - 1;
        double eta = -0.4 + 0.7 * column[1][i] - 0.5 * column[2][i] + 0.3 * column[3][i];
        y[i] = random_uniform(&seed) < 1 / (1 + exp(-eta));
        counts[i] = floor(-log(random_uniform(&seed)) * exp(eta));
        when[i] = ceil(-20 * log(random_uniform(&seed)) * exp(-eta / 2)); /* many ties */
        entry[i] = floor(when[i] * 0.4 * random_uniform(&seed));
        status[i] = random_uniform(&seed) < 0.7;
    }
    for (int j = 0; j < P; j++) {
        x[j] = column[j];
        memcpy(column[j] + N, column[j], N * sizeof(double));
    }
    memcpy(y + N, y, N * sizeof(double));
    return 0;
}

static void near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance * (1 + fabs(want))))
        fail_msg("%.17g, expected %.17g", got, want);
}

static struct glm_fit fit(const struct glm_data *d, enum glm_family family, struct arena *a)
{
    struct err e = {0};
    struct glm_fit f;
    struct glm_model m = {family, glm_default_link(family), 0};
    if (glm_fit(&m, d, names, a, &f, &e) != ST_OK)
        fail_msg("%s", e.text);
    return f;
}

/* At the maximum the score is 0; the gradient here is summed row by row, without the library's blocks. */
static void the_score_is_zero_at_the_fit(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct glm_fit f = fit(&(struct glm_data){.n = N, .p = P, .x = x, .y = y}, GLM_BINOMIAL, a);
    for (int j = 0; j < P; j++) {
        double score = 0;
        for (int i = 0; i < N; i++) {
            double eta = 0;
            for (int k = 0; k < P; k++)
                eta += f.beta[k] * column[k][i];
            score += column[j][i] * (y[i] - 1 / (1 + exp(-eta)));
        }
        near(score, 0, 1e-10);
    }
    arena_free(a);
}

static void duplicated_rows_halve_the_variance(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct glm_fit one = fit(&(struct glm_data){.n = N, .p = P, .x = x, .y = y}, GLM_BINOMIAL, a);
    struct glm_fit two = fit(&(struct glm_data){.n = 2 * N, .p = P, .x = x, .y = y}, GLM_BINOMIAL, a);
    for (int j = 0; j < P; j++) {
        near(two.beta[j], one.beta[j], 1e-11);
        near(2 * two.covariance[j * P + j], one.covariance[j * P + j], 1e-9);
    }
    arena_free(a);
}

static void swapped_labels_negate_and_shifts_move_the_intercept(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    static double other[N], shifted[N];
    for (int i = 0; i < N; i++) {
        other[i] = 1 - y[i];
        shifted[i] = column[1][i] + 1000; /* far from 0: the fit centres it */
    }
    struct glm_fit f = fit(&(struct glm_data){.n = N, .p = P, .x = x, .y = y}, GLM_BINOMIAL, a);
    struct glm_fit negated = fit(&(struct glm_data){.n = N, .p = P, .x = x, .y = other}, GLM_BINOMIAL, a);
    const double *moved[P] = {column[0], shifted, column[2], column[3]};
    struct glm_fit far = fit(&(struct glm_data){.n = N, .p = P, .x = moved, .y = y}, GLM_BINOMIAL, a);
    near(far.beta[0], f.beta[0] - 1000 * f.beta[1], 1e-10);
    for (int j = 0; j < P; j++) {
        near(negated.beta[j], -f.beta[j], 1e-11);
        if (j)
            near(far.beta[j], f.beta[j], 1e-10);
    }
    arena_free(a);
}

/* Sums of 2, 3 and 5 sites give the pooled step, and the pooled step again in another order. */
static void sites_add_up(void **state)
{
    (void)state;
    struct glm_model m = {GLM_POISSON, GLM_LOG, 0};
    double beta[P] = {-0.3, 0.5, -0.2, 0.1};
    struct glm_sums whole, part, total;
    glm_sums_init(&whole, P);
    glm_sums_init(&part, P);
    glm_local(&m, &(struct glm_data){.n = N, .p = P, .x = x, .y = counts}, beta, &whole);
    for (int sites = 2; sites <= 5; sites++) {
        glm_sums_init(&total, P);
        for (int s = 0; s < sites; s++) {
            size_t from = (size_t)(N * s / sites), to = (size_t)(N * (s + 1) / sites);
            const double *cut[P] = {x[0] + from, x[1] + from, x[2] + from, x[3] + from};
            glm_local(&m, &(struct glm_data){.n = to - from, .p = P, .x = cut, .y = counts + from}, beta,
                      &part);
            glm_sums_add(&total, &part);
        }
        near(total.deviance, whole.deviance, 1e-12);
        for (int i = 0; i < P * P; i++)
            near(total.information[i], whole.information[i], 1e-12);
        glm_sums_deinit(&total);
    }
    glm_sums_deinit(&whole);
    glm_sums_deinit(&part);
}

static void separation_and_no_events_are_named(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct err e = {0};
    struct glm_model m = {GLM_BINOMIAL, GLM_LOGIT, 0};
    struct glm_fit f;
    static double apart[N], none[N];
    for (int i = 0; i < N; i++)
        apart[i] = column[3][i] > 0;
    assert_int_equal(glm_fit(&m, &(struct glm_data){.n = N, .p = P, .x = x, .y = apart}, names, a, &f, &e),
                     ST_INVALID);
    assert_non_null(strstr(e.text, "separation"));
    assert_non_null(strstr(e.text, "c"));
    assert_int_equal(glm_fit(&m, &(struct glm_data){.n = N, .p = P, .x = x, .y = none}, names, a, &f, &e),
                     ST_INVALID);
    assert_non_null(strstr(e.text, "no_events"));
    arena_free(a);
}

static void a_repeated_column_is_aliased(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    static double twice[N];
    for (int i = 0; i < N; i++)
        twice[i] = 2 * column[1][i] - 3;
    const double *more[P] = {column[0], column[1], twice, column[3]};
    struct glm_fit f = fit(&(struct glm_data){.n = N, .p = P, .x = more, .y = y}, GLM_BINOMIAL, a);
    assert_true(f.aliased[2] && !f.aliased[1] && f.rank == 3);
    arena_free(a);
}

/* The partial likelihood written out: for each death every row is looked at. */
static double naive_cox(const struct cox_data *d, const double *beta, bool efron)
{
    double l = 0;
    for (size_t i = 0; i < d->rows.n; i++) {
        if (!d->rows.status[i])
            continue;
        double risk = 0, tied = 0, deaths = 0, before = 0, eta_i = 0;
        for (size_t k = 0; k < d->rows.n; k++) {
            double eta = 0;
            for (size_t j = 0; j < d->p; j++)
                eta += beta[j] * d->x[j][k];
            eta_i = k == i ? eta : eta_i;
            bool in = d->rows.time[k] >= d->rows.time[i] && d->rows.entry[k] < d->rows.time[i];
            risk += in ? exp(eta) : 0;
            if (d->rows.status[k] && d->rows.time[k] == d->rows.time[i]) {
                tied += exp(eta);
                deaths++;
                before += k < i;
            }
        }
        l += eta_i - log(risk - (efron ? before / deaths * tied : 0));
    }
    return l;
}

static struct cox_data cox_data(void)
{
    static const double *covariates[3];
    for (int j = 0; j < 3; j++)
        covariates[j] = column[j + 1];
    return (struct cox_data){.rows = {N, entry, when, status, NULL}, .p = 3, .x = covariates};
}

static void cox_likelihood_is_the_written_out_one(void **state)
{
    (void)state;
    struct cox_data d = cox_data();
    double beta[3] = {0.4, -0.3, 0.2};
    struct cox_rows *r = cox_rows_new(&d);
    struct cox_sums s;
    cox_sums_init(&s, 3);
    for (int efron = 0; efron < 2; efron++) {
        cox_local(r, beta, efron ? COX_EFRON : COX_BRESLOW, &s);
        near(s.log_likelihood, naive_cox(&d, beta, efron), 1e-12);
        for (int j = 0; j < 3; j++) { /* the score is the slope of the likelihood */
            double h = 1e-5, up[3], down[3];
            memcpy(up, beta, sizeof up);
            memcpy(down, beta, sizeof down);
            up[j] += h;
            down[j] -= h;
            near(s.score[j], (naive_cox(&d, up, efron) - naive_cox(&d, down, efron)) / (2 * h), 1e-6);
        }
    }
    cox_sums_deinit(&s);
    cox_rows_free(r);
}

/* Stratified by site: the sums of the sites are the sums of the stratified whole. */
static void cox_sites_add_up(void **state)
{
    (void)state;
    struct cox_data d = cox_data();
    static uint32_t site[N];
    double beta[3] = {0.4, -0.3, 0.2};
    struct cox_sums whole, part, total;
    cox_sums_init(&whole, 3);
    cox_sums_init(&part, 3);
    cox_sums_init(&total, 3);
    for (int i = 0; i < N; i++)
        site[i] = i < 150 ? 0 : i < 250 ? 1 : 2;
    static const size_t edge[4] = {0, 150, 250, N};
    for (int s = 0; s < 3; s++) {
        size_t from = edge[s], n = edge[s + 1] - from;
        const double *cut[3] = {d.x[0] + from, d.x[1] + from, d.x[2] + from};
        struct cox_data one = {.rows = {n, entry + from, when + from, status + from, NULL}, .p = 3, .x = cut};
        struct cox_rows *r = cox_rows_new(&one);
        cox_local(r, beta, COX_EFRON, &part);
        cox_sums_add(&total, &part);
        cox_rows_free(r);
    }
    d.stratum = site;
    struct cox_rows *r = cox_rows_new(&d);
    cox_local(r, beta, COX_EFRON, &whole);
    near(total.log_likelihood, whole.log_likelihood, 1e-13);
    for (int i = 0; i < 9; i++)
        near(total.information[i], whole.information[i], 1e-11);
    cox_rows_free(r);
    cox_sums_deinit(&whole);
    cox_sums_deinit(&part);
    cox_sums_deinit(&total);
}

static void concordance_is_the_count_of_pairs(void **state)
{
    (void)state;
    struct cox_data d = cox_data();
    struct concordance c;
    static double risk[N];
    double concordant = 0, discordant = 0, tied_x = 0;
    for (int i = 0; i < N; i++)
        risk[i] = floor(column[1][i] * 4);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) {
            bool later = when[k] > when[i] || (when[k] == when[i] && !status[k]);
            if (!status[i] || i == k || !later || !(entry[k] < when[i]))
                continue;
            concordant += risk[k] < risk[i];
            discordant += risk[k] > risk[i];
            tied_x += risk[k] == risk[i];
        }
    cox_concordance(&d, risk, NULL, 0, &c);
    near(c.concordant, concordant, 0);
    near(c.discordant, discordant, 0);
    near(c.tied_x, tied_x, 0);
}

static void nobody_dies_and_the_curve_stays_at_one(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct km k;
    static int none[N];
    km_curve(&(struct survival_rows){N, NULL, when, none, NULL}, KM_LOG, 0.95, a, &k);
    for (size_t i = 0; i < k.n; i++)
        assert_true(k.rows[i].survival == 1 && k.rows[i].se == 0);
    assert_true(isnan(km_quantile(&k, 0.5).value));
    arena_free(a);
}

/* Without competing events the incidence is 1 - Kaplan-Meier, with Greenwood's variance up to its tie
 * correction. */
static void incidence_of_the_only_cause_is_one_minus_survival(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct km k;
    struct cif_row *c;
    km_curve(&(struct survival_rows){N, NULL, when, status, NULL}, KM_LOG, 0.95, a, &k);
    size_t n = cif_curve(when, status, N, 1, 0.95, a, &c), at = 0;
    for (size_t i = 0; i < k.n; i++)
        if (k.rows[i].events > 0)
            near(c[at++].incidence, 1 - k.rows[i].survival, 1e-13);
    assert_int_equal(at, n);
    arena_free(a);
}

/* Fine and Gray without competing events is Breslow's Cox model. */
static void finegray_without_competitors_is_cox(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct err e = {0};
    struct cox_data d = cox_data();
    struct cox_fit cox;
    struct finegray_fit fg;
    d.rows.entry = NULL;
    assert_int_equal(cox_fit(&d, COX_BRESLOW, names + 1, a, &cox, &e), ST_OK);
    assert_int_equal(finegray_fit(when, status, N, d.x, 3, 1, a, &fg, &e), ST_OK);
    for (int j = 0; j < 3; j++)
        near(fg.beta[j], cox.beta[j], 1e-9);
    near(fg.log_likelihood, cox.log_likelihood, 1e-10);
    arena_free(a);
}

static void exact_ties_agree_where_there_are_none(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct err e = {0};
    struct cox_data d = cox_data();
    struct cox_fit exact, efron;
    static double apart[N];
    for (int i = 0; i < N; i++)
        apart[i] = when[i] + i * 1e-4;
    d.rows.time = apart;
    assert_int_equal(cox_fit(&d, COX_EXACT, names + 1, a, &exact, &e), ST_OK);
    assert_int_equal(cox_fit(&d, COX_EFRON, names + 1, a, &efron, &e), ST_OK);
    for (int j = 0; j < 3; j++)
        near(exact.beta[j], efron.beta[j], 1e-11);
    arena_free(a);
}

/* 10 days, a window of days 4 to 6, age groups from day 6: four intervals. */
static void sccs_cuts_time_at_every_edge(void **state)
{
    (void)state;
    double event = 5, cut = 6;
    struct sccs_window w = {4, 6, 1};
    struct sccs_person p = {1, 10, &event, 1, &w, 1};
    struct sccs_interval v[6];
    assert_int_equal(sccs_cut(&p, &cut, 1, v), 4);
    static const double days[4] = {3, 2, 1, 4};
    static const int level[4] = {0, 1, 1, 0}, age[4] = {0, 0, 1, 1};
    for (int i = 0; i < 4; i++) {
        near(v[i].days, days[i], 0);
        assert_int_equal(v[i].level, level[i]);
        assert_int_equal(v[i].age, age[i]);
        near(v[i].events, i == 1, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_score_is_zero_at_the_fit),
        cmocka_unit_test(duplicated_rows_halve_the_variance),
        cmocka_unit_test(swapped_labels_negate_and_shifts_move_the_intercept),
        cmocka_unit_test(sites_add_up),
        cmocka_unit_test(separation_and_no_events_are_named),
        cmocka_unit_test(a_repeated_column_is_aliased),
        cmocka_unit_test(cox_likelihood_is_the_written_out_one),
        cmocka_unit_test(cox_sites_add_up),
        cmocka_unit_test(concordance_is_the_count_of_pairs),
        cmocka_unit_test(nobody_dies_and_the_curve_stays_at_one),
        cmocka_unit_test(incidence_of_the_only_cause_is_one_minus_survival),
        cmocka_unit_test(finegray_without_competitors_is_cox),
        cmocka_unit_test(exact_ties_agree_where_there_are_none),
        cmocka_unit_test(sccs_cuts_time_at_every_edge),
    };
    return cmocka_run_group_tests(tests, make_data, NULL);
}
