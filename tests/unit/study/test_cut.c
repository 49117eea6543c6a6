/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows cut into 2, 3 and 5 sites by their number give the pooled answer to 1e-10: R's on its data sets (where
 * ../shared is), and our own on made-up rows for what R has no data of. And how many rounds that takes: one
 * and two with 100 events per parameter and a site term, never over eight.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/file.h"
#include "stats/competing.h"
#include "stats/linalg.h"
#include "study/hazards.h"
#include "study/models.h"
#include "study/negative_binomial.h"
#include "study/no_estimate.h"
#include "../../lib/random.h"

enum { MOST_P = 20, MOST_FIELDS = 64 };
static const size_t cuts[] = {1, 2, 3, 5};

enum method { LOGISTIC, POISSON, LINEAR, NEGATIVE_BINOMIAL, COX, FINE_GRAY };

/* All rows; COX: in descending time. */
struct rows {
    enum method method;
    bool site_term;
    size_t n, p; /* columns of x */
    double *x, *y, *offset, *time;
    int *state;
    size_t *site;
};

static size_t parameters_of(const struct rows *r)
{
    return r->p + (r->method == NEGATIVE_BINOMIAL ? 1 : 0);
}

static struct newton_form form_of(const struct rows *r)
{
    struct newton_form f = newton_form(parameters_of(r), r->method < COX);
    f.identity = r->method == LINEAR;
    return f;
}

/* One site's rows, packed. */
static struct rows pack(const struct rows *r, size_t site, struct arena *a)
{
    struct rows own = *r;
    own.n = 0;
    own.x = arena_array(a, r->n * r->p + 1, sizeof *own.x);
    own.y = arena_array(a, r->n + 1, sizeof *own.y);
    own.offset = arena_array(a, r->n + 1, sizeof *own.offset);
    own.time = arena_array(a, r->n + 1, sizeof *own.time);
    own.state = arena_array(a, r->n + 1, sizeof *own.state);
    for (size_t i = 0; i < r->n; i++) {
        if (r->site[i] != site)
            continue;
        memcpy(own.x + own.n * r->p, r->x + i * r->p, r->p * sizeof *own.x);
        own.y[own.n] = r->y[i];
        own.offset[own.n] = r->offset[i];
        own.time[own.n] = r->time[i];
        own.state[own.n++] = r->state[i];
    }
    return own;
}

static void local_sums(const struct rows *own, const struct js *parameters, struct sums *out, struct arena *a)
{
    static const enum family families[] = {FAMILY_LOGISTIC, FAMILY_POISSON, FAMILY_LINEAR};
    size_t p = parameters_of(own);
    int32_t *days = arena_array(a, own->n + 1, sizeof *days);
    uint8_t *event = arena_array(a, own->n + 1, sizeof *event);
    for (size_t i = 0; i < own->n; i++) {
        days[i] = (int32_t)own->time[i];
        event[i] = own->state[i] == 1;
    }
    struct glm_data glm = {families[own->method < COX ? own->method % 3 : 0],
                           own->site_term,
                           own->n,
                           own->p,
                           own->x,
                           own->y,
                           own->offset,
                           0};
    struct nb_data nb = {own->site_term, !parameters, own->n, own->p, own->x, own->y, own->offset};
    struct hazard_data cox = {own->n, own->p, own->x, days, event};
    struct likelihood l[] = {
        [LOGISTIC] = {p, &glm, glm_at, glm_third}, [POISSON] = {p, &glm, glm_at, glm_third},
        [LINEAR] = {p, &glm, glm_at, glm_third},   [NEGATIVE_BINOMIAL] = {p, &nb, nb_at, nb_third},
        [COX] = {p, &cox, cox_at, NULL},           [FINE_GRAY] = {p, NULL, finegray_at, NULL}};
    l[FINE_GRAY].data = finegray_rows(own->time, own->state, own->n, own->x, own->p, 1, a);
    struct model_counts counts = model_counts_new(p);
    counts.rows = (int64_t)own->n;
    counts.sites = own->n > 0;
    for (size_t i = 0; i < own->n; i++)
        counts.events += own->method >= COX ? own->state[i] == 1 : own->method == LINEAR || own->y[i] != 0;
    for (size_t k = 0; k < p; k++) {
        counts.column_rows[k] = counts.rows;
        counts.column_events[k] = counts.events;
    }
    newton_local(&l[own->method], parameters, &counts, out);
    model_counts_free(&counts);
}

/* A whole run over the sites that r->site names. */
static struct fit run(const struct rows *r, size_t sites, struct arena *a)
{
    static const char *const terms[MOST_P + 1] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k",
                                                  "l", "m", "n", "o", "p", "q", "r", "s", "t", "u"};
    struct js *parameters = NULL, *state = NULL, *next;
    struct err e = {0};
    struct fit fit;
    do {
        struct sums total;
        sums_init(&total, newton_size(form_of(r), !parameters));
        for (size_t s = 0; s < sites; s++) {
            struct sums part;
            struct rows own = pack(r, s, a);
            sums_init(&part, total.n);
            local_sums(&own, parameters, &part, a);
            assert_int_equal(sums_add(&total, &part, &e), ST_OK);
            sums_deinit(&part);
        }
        next = NULL;
        assert_int_equal(newton_next(form_of(r), terms, parameters, &total, &state, &next, &e), ST_OK);
        sums_deinit(&total);
        js_free(parameters);
        parameters = next;
    } while (parameters);
    if (no_estimate(state) || newton_fit_of(state, parameters_of(r), a, &fit, &e) != ST_OK)
        fail_msg("%s %s", js_get_str(js_get(state, "no_estimate"), "text"), e.text);
    js_free(state);
    return fit;
}

static size_t compared;

static void within(double tolerance, const char *what, size_t sites, size_t k, double computed,
                   double expected)
{
    if (isnan(expected))
        return;
    compared++;
    if (!(fabs(computed - expected) <= tolerance * fabs(expected)))
        fail_msg("%s over %zu sites, column %zu: %.17g, expected %.17g (%.1e)", what, sites, k, computed,
                 expected, fabs(computed / expected - 1));
}

static void near(const char *what, size_t sites, size_t k, double computed, double expected)
{
    within(1e-10, what, sites, k, computed, expected);
}

static void cut(struct rows *r, size_t sites)
{
    for (size_t i = 0; i < r->n; i++)
        r->site[i] = i % sites;
}

/* --- R's data sets ------------------------------------------------------------------------------------- */

static char *shared_file(const char *name, struct arena *a)
{
    const char *root = getenv("ACCORD_SHARED");
    return arena_printf(a, "%s/data/stats/r/%s", root ? root : SOURCE_DIR "/../shared", name);
}

/* The fields of a line; quotes only go around whole fields without commas in these files. */
static size_t split(char *line, char **field)
{
    size_t n = 0;
    line[strcspn(line, "\r\n")] = '\0';
    for (char *at = line; at && n < MOST_FIELDS;) {
        char *comma = strchr(at, ',');
        if (comma)
            *comma = '\0';
        if (*at == '"') {
            at++;
            at[strcspn(at, "\"")] = '\0';
        }
        field[n++] = at;
        at = comma ? comma + 1 : NULL;
    }
    return n;
}

/* Numbers by column: names[] gets the heads; "NA" is NaN. */
struct numbers {
    size_t n, columns;
    char *names[MOST_FIELDS];
    double *value[MOST_FIELDS];
};

static struct numbers read_numbers(const char *name, struct arena *a)
{
    struct numbers out = {0};
    char line[4096], *field[MOST_FIELDS];
    FILE *f = fopen(shared_file(name, a), "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    out.columns = split(line, field);
    for (size_t c = 0; c < out.columns; c++) {
        out.names[c] = arena_strdup(a, field[c]);
        out.value[c] = arena_array(a, 4000, sizeof(double));
    }
    while (fgets(line, sizeof line, f)) {
        size_t n = split(line, field);
        for (size_t c = 0; c < n; c++)
            out.value[c][out.n] = strtod(field[c], NULL);
        out.n++;
    }
    fclose(f);
    return out;
}

static const double *column(const struct numbers *t, const char *name)
{
    for (size_t c = 0; c < t->columns; c++)
        if (strcmp(t->names[c], name) == 0)
            return t->value[c];
    return NULL;
}

/* The value of a model's quantity for a term in one of R's long files; NaN where the copy at hand lacks it. */
static double expected_of(const char *file, const char *model, const char *quantity, const char *term,
                          struct arena *a)
{
    char line[4096], *field[MOST_FIELDS];
    double value = NAN;
    FILE *f = fopen(shared_file(file, a), "r");
    assert_non_null(f);
    while (isnan(value) && fgets(line, sizeof line, f))
        if (split(line, field) == 4 && strcmp(field[0], model) == 0 && strcmp(field[1], quantity) == 0 &&
            strcmp(field[2], term) == 0)
            value = strtod(field[3], NULL);
    fclose(f);
    return value;
}

static struct rows rows_new(enum method method, bool site_term, size_t n, size_t p, struct arena *a)
{
    assert_true(p <= MOST_P);
    return (struct rows){method,
                         site_term,
                         n,
                         p,
                         arena_array(a, n * p + 1, sizeof(double)),
                         arena_array(a, n + 1, sizeof(double)),
                         arena_array(a, n + 1, sizeof(double)),
                         arena_array(a, n + 1, sizeof(double)),
                         arena_array(a, n + 1, sizeof(int)),
                         arena_array(a, n + 1, sizeof(size_t))};
}

/* Sites that are cuts of one population need no site term: the pooled intercept is one of the columns. */
static void design_is_exact(const char *model, enum method method)
{
    struct arena *a = arena_new();
    struct numbers t = read_numbers(arena_printf(a, "design/%s.csv", model), a);
    const char *terms[MOST_P];
    size_t p = 0;
    const double *columns[MOST_P], *y = column(&t, "y"), *offset = column(&t, "offset");
    for (size_t c = 0; c < t.columns; c++)
        if (strcmp(t.names[c], "y") != 0 && strcmp(t.names[c], "offset") != 0 &&
            strcmp(t.names[c], "prior_weight") != 0) {
            terms[p] = t.names[c];
            columns[p++] = t.value[c];
        }
    struct rows r = rows_new(method, false, t.n, p, a);
    for (size_t i = 0; i < t.n; i++) {
        r.y[i] = y[i];
        r.offset[i] = offset ? offset[i] : 0;
        for (size_t k = 0; k < p; k++)
            r.x[i * p + k] = columns[k][i];
    }
    for (size_t c = 0; c < sizeof cuts / sizeof *cuts; c++) {
        cut(&r, cuts[c]);
        struct fit fit = run(&r, cuts[c], a);
        assert_true(fit.rounds <= NEWTON_MOST_ROUNDS);
        /* For a linear model the log-likelihood is minus half the residual sum of squares. */
        double scale = method == LINEAR ? sqrt(-2 * fit.log_likelihood / (double)(t.n - p)) : 1;
        for (size_t k = 0; k < p; k++) {
            near(model, cuts[c], k, fit.beta[k], expected_of("expected/glm.csv", model, "coef", terms[k], a));
            /* glm's are those of the step before its last. */
            within(method == LINEAR ? 1e-10 : 1e-8, model, cuts[c], k, fit.se[k] * scale,
                   expected_of("expected/glm.csv", model, "se", terms[k], a));
        }
    }
    arena_free(a);
}

static void r_designs_cut_by_row_number_give_the_pooled_fit(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        enum method method;
    } designs[] = {{"logit_birthwt", LOGISTIC},       {"logit_infert", LOGISTIC},
                   {"logit_infert_inter", LOGISTIC},  {"logit_pima", LOGISTIC},
                   {"poisson_epil", POISSON},         {"poisson_warpbreaks", POISSON},
                   {"poisson_insectsprays", POISSON}, {"poisson_insurance_offset", POISSON},
                   {"gaussian_mtcars", LINEAR},       {"gaussian_swiss", LINEAR},
                   {"gaussian_airquality", LINEAR},   {"gaussian_stackloss", LINEAR}};
    struct arena *a = arena_new();
    bool there = file_exists(shared_file("README.md", a));
    arena_free(a);
    if (!there)
        skip();
    compared = 0;
    for (size_t i = 0; i < sizeof designs / sizeof *designs; i++)
        design_is_exact(designs[i].model, designs[i].method);
    assert_true(compared >= 100);
}

static int latest_first(const void *x, const void *y)
{
    const double *a = x, *b = y;
    return (a[0] < b[0]) - (a[0] > b[0]);
}

/* Stratified by site, as R's strata(site) on the same cut. */
static void cox_is_exact(const char *data, const char *model, const char *time, const char *status,
                         double event, const char *const *terms, size_t p)
{
    struct arena *a = arena_new();
    struct numbers t = read_numbers(arena_printf(a, "data/%s.csv", data), a);
    for (size_t c = 1; c < sizeof cuts / sizeof *cuts; c++) {
        const char *name = arena_printf(a, "cox_%s_stratsite%zu", model, cuts[c]);
        struct rows r = rows_new(COX, true, t.n, p, a);
        double *order = arena_array(a, 2 * t.n, sizeof *order);
        for (size_t i = 0; i < t.n; i++) {
            order[2 * i] = column(&t, time)[i];
            order[2 * i + 1] = (double)i;
        }
        qsort(order, t.n, 2 * sizeof *order, latest_first);
        for (size_t i = 0; i < t.n; i++) {
            size_t row = (size_t)order[2 * i + 1];
            r.time[i] = order[2 * i];
            r.state[i] = column(&t, status)[row] == event;
            r.site[i] = row % cuts[c];
            for (size_t k = 0; k < p; k++)
                r.x[i * p + k] = column(&t, terms[k])[row];
        }
        struct fit fit = run(&r, cuts[c], a);
        for (size_t k = 0; k < p; k++) {
            near(name, cuts[c], k, fit.beta[k], expected_of("expected/cox.csv", name, "coef", terms[k], a));
            near(name, cuts[c], k, fit.se[k], expected_of("expected/cox.csv", name, "se", terms[k], a));
        }
    }
    arena_free(a);
}

static void r_survival_data_cut_by_row_number_give_the_stratified_fit(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    bool there = file_exists(shared_file("README.md", a));
    arena_free(a);
    if (!there)
        skip();
    compared = 0;
    cox_is_exact("lung_complete", "lung", "time", "status", 2,
                 (const char *const[]){"age", "sex", "ph.ecog", "wt.loss"}, 4);
    cox_is_exact("veteran", "veteran", "time", "status", 1, (const char *const[]){"trt", "karno", "age"}, 3);
    cox_is_exact("gbsg", "gbsg", "rfstime", "status", 1, (const char *const[]){"age", "nodes", "hormon"}, 3);
    assert_true(compared >= 10);
}

/* --- rows made up -------------------------------------------------------------------------------------- */

static struct rng seed = {88172645463325252U};

static double poisson(double mean)
{
    double product = random_uniform(&seed), count = 0;
    for (; product > exp(-mean); count++)
        product *= random_uniform(&seed);
    return count;
}

static void make_times(struct rows *r, size_t i, double eta)
{
    double first = -900 * log(random_uniform(&seed)) / exp(eta), other = -2500 * log(random_uniform(&seed)),
           lost = 1500 * random_uniform(&seed);
    r->time[i] = 1 + floor(fmin(first, fmin(other, lost)));
    r->state[i] = lost < first && lost < other ? 0 : first < other ? 1 : r->method == FINE_GRAY ? 2 : 0;
}

/* Half of the columns are 0 or 1; sites differ in base rates and people. */
static struct rows make_rows(enum method method, size_t n, size_t p, size_t sites, double base,
                             struct arena *a)
{
    struct rows r = rows_new(method, true, n, p, a);
    for (size_t i = 0; i < n; i++) {
        double *x = r.x + i * p, eta = base;
        r.site[i] = i % sites;
        eta += 0.3 * (double)r.site[i];
        for (size_t k = 0; k < p; k++) {
            x[k] = k % 2 ? random_uniform(&seed) < 0.3 + 0.05 * (double)r.site[i]
                         : 2 * random_uniform(&seed) - 1;
            eta += (k % 3 ? 0.25 : -0.4) * x[k];
        }
        if (method == LOGISTIC)
            r.y[i] = random_uniform(&seed) < 1 / (1 + exp(-eta));
        else if (method == POISSON)
            r.y[i] = poisson(exp(eta));
        else if (method == NEGATIVE_BINOMIAL)
            r.y[i] = poisson(-exp(eta) * log(random_uniform(&seed)));
        else if (method == LINEAR)
            r.y[i] = eta + random_uniform(&seed);
        else
            make_times(&r, i, eta);
    }
    return r;
}

struct order {
    double time;
    size_t row;
};

static int later(const void *x, const void *y)
{
    const struct order *a = x, *b = y;
    return a->time != b->time ? (a->time < b->time) - (a->time > b->time)
                              : (a->row > b->row) - (a->row < b->row);
}

static void sort_descending(struct rows *r, struct arena *a)
{
    struct order *order = arena_array(a, r->n + 1, sizeof *order);
    struct rows from = *r, to = rows_new(r->method, r->site_term, r->n, r->p, a);
    for (size_t i = 0; i < r->n; i++)
        order[i] = (struct order){r->time[i], i};
    qsort(order, r->n, sizeof *order, later);
    for (size_t i = 0; i < r->n; i++) {
        size_t row = order[i].row;
        memcpy(to.x + i * r->p, from.x + row * r->p, r->p * sizeof *to.x);
        to.y[i] = from.y[row];
        to.time[i] = from.time[row];
        to.state[i] = from.state[row];
        to.site[i] = from.site[row];
    }
    *r = to;
}

/* The pooled answer: Newton on everything at once, from the federated estimate, until nothing moves. */
static void pooled(const struct rows *r, size_t sites, const struct fit *from, double *beta, double *se,
                   struct arena *a)
{
    size_t p = parameters_of(r), at = 1 + p;
    memcpy(beta, from->beta, p * sizeof *beta);
    double h[(MOST_P + 1) * (MOST_P + 1)], inverse[(MOST_P + 1) * (MOST_P + 1)], g[MOST_P + 1];
    bool aliased[MOST_P + 1];
    for (int step = 0; step < 6; step++) {
        struct js *parameters = js_object(), *list = js_array();
        struct sums total;
        struct err e;
        for (size_t k = 0; k < p; k++)
            js_push(list, js_real(beta[k]));
        js_put(parameters, "beta", list);
        sums_init(&total, newton_size(form_of(r), false));
        for (size_t s = 0; s < sites; s++) {
            struct rows own = pack(r, s, a);
            struct sums part;
            sums_init(&part, total.n);
            local_sums(&own, parameters, &part, a);
            assert_int_equal(sums_add(&total, &part, &e), ST_OK);
            sums_deinit(&part);
        }
        for (size_t i = 0, q = at; i < p; i++) {
            g[i] = sums_get_real(&total, 1 + i);
            for (size_t k = 0; k <= i; k++)
                h[i * p + k] = h[k * p + i] = sums_get_real(&total, q++);
        }
        ldl_factor(h, p, 1e-12, aliased);
        ldl_inverse(h, p, aliased, inverse);
        ldl_solve(h, p, aliased, g);
        for (size_t k = 0; k < p; k++) {
            beta[k] += g[k];
            se[k] = sqrt(inverse[k * p + k]);
        }
        sums_deinit(&total);
        js_free(parameters);
    }
}

static void every_method_cut_by_row_number_gives_the_pooled_fit(void **state)
{
    (void)state;
    static const char *const names[] = {"logistic",          "poisson", "linear",
                                        "negative binomial", "cox",     "fine_gray"};
    struct arena *a = arena_new();
    for (enum method m = LOGISTIC; m <= FINE_GRAY; m++)
        for (size_t c = 0; c < sizeof cuts / sizeof *cuts; c++) {
            struct rows r = make_rows(m, 3000, 6, cuts[c], m == LOGISTIC ? -1 : 0, a);
            double beta[MOST_P + 1], se[MOST_P + 1];
            if (m == COX)
                sort_descending(&r, a);
            struct fit fit = run(&r, cuts[c], a);
            pooled(&r, cuts[c], &fit, beta, se, a);
            assert_true(fit.converged);
            for (size_t k = 0; k < parameters_of(&r); k++) {
                near(names[m], cuts[c], k, fit.beta[k], beta[k]);
                near(names[m], cuts[c], k, fit.se[k], se[k]);
            }
        }
    arena_free(a);
}

/* One round to start and two steps where there are 100 events per parameter; the fit knows its rounds. */
static void regressions_take_one_and_two_rounds_with_a_site_term(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    for (enum method m = LOGISTIC; m <= LINEAR; m++)
        for (int seeds = 0; seeds < 12; seeds++) {
            size_t sites = 3 + (size_t)seeds % 3, p = 4 + 2 * ((size_t)seeds % 4);
            double base = m == LOGISTIC ? -1.5 : m == POISSON ? -1 : 0;
            struct rows r = make_rows(m, 700 * (p + sites), p, sites, base, a);
            struct fit fit = run(&r, sites, a);
            assert_true(m == LINEAR || fit.events >= 100 * (int64_t)(p + sites));
            if (!fit.converged || fit.rounds > 3)
                fail_msg("%s, %zu columns, %zu sites: %d rounds", m == LOGISTIC ? "logistic" : "other", p,
                         sites, fit.rounds);
        }
    arena_free(a);
}

/* Few events, base rates far apart and no site term: more rounds, and never over eight. */
static void no_run_takes_over_eight_rounds(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    int most = 0;
    for (int seeds = 0; seeds < 30; seeds++) {
        struct rows r = make_rows(seeds % 2 ? LOGISTIC : POISSON, 600, 6, 5, -3.2, a);
        for (size_t i = 0; i < r.n; i++)
            r.x[i * r.p] = 1;
        r.site_term = false;
        struct fit fit = run(&r, 5, a);
        most = fit.rounds > most ? fit.rounds : most;
        assert_true(fit.rounds <= NEWTON_MOST_ROUNDS && fit.converged);
    }
    assert_true(most > 3);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r_designs_cut_by_row_number_give_the_pooled_fit),
        cmocka_unit_test(r_survival_data_cut_by_row_number_give_the_stratified_fit),
        cmocka_unit_test(every_method_cut_by_row_number_gives_the_pooled_fit),
        cmocka_unit_test(regressions_take_one_and_two_rounds_with_a_site_term),
        cmocka_unit_test(no_run_takes_over_eight_rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
