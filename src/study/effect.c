/* SPDX-License-Identifier: Apache-2.0
 *
 * comparative_effect: what a treatment does to a binary outcome, by inverse probability of treatment
 * weighting.
 *
 * The propensity score is a logistic regression of the treatment on the covariates over all sites with a site
 * term, fitted as any other (newton.h). One more round then adds up, per arm: weights and weighted outcomes
 * (unweighted, ATE w = T/e + (1-T)/(1-e), ATT w = T + (1-T) e/(1-e), overlap w = T (1-e) + (1-T) e), and the
 * weighted and unweighted sums of every covariate for balance. Estimates are Hajek's: weighted risks and
 * their difference and ratio; intervals from the robust variance sum w^2 (y - risk)^2 / (sum w)^2 of each
 * arm, which takes the score as known and so is, if anything, too wide (J. Lunceford, M. Davidian, Stat. Med.
 * 23 (2004) 2937). Scores are truncated to [truncate, 1 - truncate].
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/special.h"
#include "study/models.h"
#include "study/outcome.h"
#include "study/tables.h"

enum { UNWEIGHTED, ATE, ATT, OVERLAP, N_WEIGHTS };
enum { ARM_OTHER, ARM_TREATED, N_ARMS };
/* Sums of one arm under one weighting; the covariates' first and second moments follow. */
enum { PERSONS, CASES, W, WY, W2, W2Y, FIGURES };
static const char *const weight_names[] = {"unweighted", "average effect", "effect in the treated",
                                           "overlap"};

struct effect {
    const char *name;
    size_t cohort;
    struct dimension treatment; /* two levels: no, yes */
    struct outcome outcome;
    struct design design;
    double truncate;
};

static enum status effect_parse(const struct js *specification, const struct analysis_scope *scope,
                                void **spec, struct err *e)
{
    const char *allowed[16] = {"kind", "cohort", "treatment", "covariates", "truncate"};
    size_t n = 5;
    for (size_t i = 0; outcome_members[i]; i++)
        allowed[n++] = outcome_members[i];
    struct effect *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    c->name = scope->name;
    c->cohort = spec_cohort(&s, "cohort", true);
    if (s.status == ST_OK)
        s.status = dimension_parse(js_get(specification, "treatment"), spec_path(&s, "treatment"), scope,
                                   &c->treatment, e);
    if (s.status == ST_OK && c->treatment.n_levels != N_ARMS)
        spec_fault(&s, "treatment", "expected a dimension with the levels no and yes: concept or cohort");
    c->truncate = spec_number(&s, "truncate", 0, 0.2, 0.01);
    outcome_read(&s, OUTCOME_BINARY, &c->outcome);
    design_read(&s, true, false, &c->design);
    *spec = c;
    return spec_done(&s);
}

static bool weighting(const struct js *parameters)
{
    return js_bool(js_get(parameters, "weighting"));
}

static size_t arm_size(const struct effect *c)
{
    return FIGURES + 2 * c->design.p;
}

static size_t weighting_size(const struct effect *c)
{
    return (size_t)N_WEIGHTS * N_ARMS * arm_size(c);
}

static enum status effect_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    const struct effect *c = spec;
    *n = weighting(parameters) ? weighting_size(c) : newton_size(newton_form(c->design.p, true), !parameters);
    return parameters ? newton_check(parameters, c->design.p, e) : ST_OK;
}

static sum_t effect_bound(const void *spec, const struct js *parameters, size_t i)
{
    const struct effect *c = spec;
    if (!weighting(parameters))
        return newton_bound(newton_form(c->design.p, true), !parameters, i);
    return i % arm_size(c) <= CASES ? SUM_COUNT_BOUND : SUM_REAL_BOUND;
}

static double weight_of_row(int weights, bool treated, double score)
{
    switch (weights) {
    case ATE:
        return treated ? 1 / score : 1 / (1 - score);
    case ATT:
        return treated ? 1 : score / (1 - score);
    case OVERLAP:
        return treated ? 1 - score : score;
    default:
        return 1;
    }
}

static void add_row(const struct effect *c, const double *x, bool treated, double y, double score,
                    struct sums *out)
{
    score = fmin(fmax(score, c->truncate), 1 - c->truncate);
    for (int k = 0; k < N_WEIGHTS; k++) {
        size_t at = ((size_t)k * N_ARMS + treated) * arm_size(c);
        double w = weight_of_row(k, treated, score);
        sums_count(out, at + PERSONS, 1);
        sums_count(out, at + CASES, y != 0);
        sums_real(out, at + W, w);
        sums_real(out, at + WY, w * y);
        sums_real(out, at + W2, w * w);
        sums_real(out, at + W2Y, w * w * y);
        for (size_t i = 0; i < c->design.p; i++) {
            sums_real(out, at + FIGURES + 2 * i, w * x[i]);
            sums_real(out, at + FIGURES + 2 * i + 1, w * x[i] * x[i]);
        }
    }
}

/* Scores under the joint coefficients and this site's own intercept. A site where everybody or nobody is
   treated has no scores and nothing to compare: it is left out. */
static void weighted_sums(const struct effect *c, const struct js *parameters, const struct glm_data *data,
                          const double *y, struct sums *out)
{
    double *beta = xmalloc((data->p + 1) * sizeof *beta), *score = xmalloc((data->n + 1) * sizeof *score);
    for (size_t i = 0; i < data->p; i++)
        beta[i] = js_num(js_at(js_get(parameters, "beta"), i));
    if (glm_fitted(data, beta, score))
        for (size_t i = 0; i < data->n; i++)
            add_row(c, data->x + i * data->p, data->y[i] != 0, y[i], score[i], out);
    free(beta);
    free(score);
}

static void score_sums(const struct effect *c, const struct js *parameters, const struct glm_data *data,
                       struct sums *out)
{
    struct likelihood likelihood = {data->p, data, glm_at, glm_third};
    struct model_counts counts = {.column_rows = xcalloc(data->p, sizeof(int64_t)),
                                  .column_events = xcalloc(data->p, sizeof(int64_t))};
    model_count(&c->design, data->x, data->y, data->n, &counts);
    newton_local(&likelihood, parameters, &counts, out);
    free(counts.column_rows);
    free(counts.column_events);
}

static enum status effect_local(const void *spec, const struct js *parameters, const struct study_site *site,
                                struct sums *out, struct err *e)
{
    const struct effect *c = spec;
    struct index_rows rows;
    index_rows_init(&site->cohorts[c->cohort], &rows);
    size_t most = rows.n + 1;
    double *y = xmalloc(most * sizeof *y), *treated = xmalloc(most * sizeof *treated), *x = NULL;
    uint16_t *level = xmalloc(most * sizeof *level);
    enum status st = outcome_values(&c->outcome, site, &rows, y, treated, e);
    if (st == ST_OK)
        st = dimension_levels(&c->treatment, site, &rows, level, e);
    for (size_t i = 0; st == ST_OK && i < rows.n; i++)
        treated[i] = level[i];
    struct parallel parallel[] = {{y, sizeof *y}, {treated, sizeof *treated}};
    if (st == ST_OK)
        st = design_matrix(&c->design, site, &rows, parallel, 2, &x, e);
    if (st == ST_OK) {
        struct glm_data data = {FAMILY_LOGISTIC, true, rows.n, c->design.p, x, treated, NULL, 0};
        if (weighting(parameters))
            weighted_sums(c, parameters, &data, y, out);
        else
            score_sums(c, parameters, &data, out);
    }
    free(x);
    free(y);
    free(treated);
    free(level);
    index_rows_deinit(&rows);
    return st;
}

static enum status effect_next(const void *spec, const struct js *parameters, const struct sums *total,
                               struct js **state, struct js **next, struct err *e)
{
    const struct effect *c = spec;
    if (weighting(parameters))
        return ST_OK;
    enum status st =
        newton_next(newton_form(c->design.p, true), c->design.terms, parameters, total, state, next, e);
    if (st == ST_OK && !*next) {
        *next = js_object();
        js_put(*next, "beta", js_copy(js_get(*state, "estimate")));
        js_put(*next, "weighting", js_boolean(true));
    }
    return st;
}

/* One arm under one weighting. */
struct arm {
    double persons, cases, w, risk, variance, effective;
    size_t at;
};

static struct arm arm_of(const struct effect *c, const struct sums *total, int weights, int arm)
{
    struct arm a = {.at = ((size_t)weights * N_ARMS + (size_t)arm) * arm_size(c)};
    double wy = sums_get_real(total, a.at + WY), w2 = sums_get_real(total, a.at + W2),
           w2y = sums_get_real(total, a.at + W2Y);
    a.persons = (double)sums_get_count(total, a.at + PERSONS);
    a.cases = (double)sums_get_count(total, a.at + CASES);
    a.w = sums_get_real(total, a.at + W);
    a.risk = wy / a.w;
    /* sum w^2 (y - risk)^2 with y 0 or 1 */
    a.variance = (w2y * (1 - 2 * a.risk) + w2 * a.risk * a.risk) / (a.w * a.w);
    a.effective = a.w * a.w / w2;
    return a;
}

static void risk_cell(const struct arm *a, double value, double se, bool log_scale, struct result_cell *cell)
{
    double width = normal_z(0.95) * se;
    table_rests_on(cell, a->persons, a->cases);
    cell->value = value;
    cell->lower = log_scale ? value * exp(-width) : value - width;
    cell->upper = log_scale ? value * exp(width) : value + width;
}

static void effect_table(const struct effect *c, const struct sums *total, struct result *into)
{
    static const char *const figures[] = {"risk, treated", "risk, not treated", "risk difference",
                                          "risk ratio"};
    struct dimension dimensions[] = {labelled_dimension("estimand", weight_names, N_WEIGHTS, into->arena),
                                     labelled_dimension("figure", figures, 4, into->arena)};
    struct result_table *t =
        table_new(into, table_name(into, c->name, "effect"), "Risks and their comparison",
                  "share of persons, or ratio", OUTPUT_RATE, dimensions, 2);
    for (int k = 0; k < N_WEIGHTS; k++) {
        struct result_cell *cells = t->cells + (size_t)k * 4;
        struct arm yes = arm_of(c, total, k, ARM_TREATED), no = arm_of(c, total, k, ARM_OTHER);
        const struct arm *smaller = yes.cases < no.cases ? &yes : &no;
        risk_cell(&yes, yes.risk, sqrt(yes.variance), false, &cells[0]);
        risk_cell(&no, no.risk, sqrt(no.variance), false, &cells[1]);
        risk_cell(smaller, yes.risk - no.risk, sqrt(yes.variance + no.variance), false, &cells[2]);
        risk_cell(smaller, yes.risk / no.risk,
                  sqrt(yes.variance / (yes.risk * yes.risk) + no.variance / (no.risk * no.risk)), true,
                  &cells[3]);
    }
}

static double moment(const struct sums *total, const struct arm *a, size_t column, int power)
{
    return sums_get_real(total, a->at + FIGURES + 2 * column + (size_t)power - 1) / a->w;
}

/* Standardised differences: each weighting's difference of means over the unweighted spread. */
static void balance_table(const struct effect *c, const struct fit *score, const struct sums *total,
                          struct result *into)
{
    struct dimension dimensions[] = {
        labelled_dimension("covariate", c->design.terms, c->design.p, into->arena),
        labelled_dimension("estimand", weight_names, N_WEIGHTS, into->arena)};
    struct result_table *t =
        table_new(into, table_name(into, c->name, "balance"), "Standardised differences between the arms",
                  "standard deviations", OUTPUT_RATE, dimensions, 2);
    struct arm yes0 = arm_of(c, total, UNWEIGHTED, ARM_TREATED),
               no0 = arm_of(c, total, UNWEIGHTED, ARM_OTHER);
    for (uint64_t i = 0; i < t->n_cells; i++) {
        struct result_cell *cell = &t->cells[i];
        size_t column = cell->at[0];
        struct arm yes = arm_of(c, total, (int)cell->at[1], ARM_TREATED),
                   no = arm_of(c, total, (int)cell->at[1], ARM_OTHER);
        double m1 = moment(total, &yes0, column, 1), m0 = moment(total, &no0, column, 1);
        double v1 = moment(total, &yes0, column, 2) - m1 * m1, v0 = moment(total, &no0, column, 2) - m0 * m0;
        double spread = sqrt((v1 + v0) / 2),
               difference = moment(total, &yes, column, 1) - moment(total, &no, column, 1);
        table_rests_on(cell, (double)score->column_rows[column], (double)score->column_events[column]);
        cell->value =
            fabs(difference) < 1e-12 ? 0 : difference / spread; /* overlap weights balance exactly */
    }
}

static void sample_table(const struct effect *c, const struct sums *total, struct result *into)
{
    static const char *const arms[] = {"not treated", "treated"};
    struct dimension dimensions[] = {labelled_dimension("estimand", weight_names, N_WEIGHTS, into->arena),
                                     labelled_dimension("arm", arms, N_ARMS, into->arena)};
    struct result_table *t =
        table_new(into, table_name(into, c->name, "effective_size"),
                  "Effective sample size, (sum w)^2 / sum w^2", "persons", OUTPUT_RATE, dimensions, 2);
    for (uint64_t i = 0; i < t->n_cells; i++) {
        struct arm a = arm_of(c, total, (int)t->cells[i].at[0], (int)t->cells[i].at[1]);
        table_rests_on(&t->cells[i], a.persons, a.cases);
        t->cells[i].value = a.effective;
    }
}

static enum status effect_finish(const void *spec, const struct js *parameters, const struct sums *total,
                                 const struct js *state, struct result *into, struct err *e)
{
    (void)parameters;
    const struct effect *c = spec;
    struct fit score;
    enum status st = newton_fit_of(state, c->design.p, into->arena, &score, e);
    if (st != ST_OK)
        return st;
    effect_table(c, total, into);
    balance_table(c, &score, total, into);
    sample_table(c, total, into);
    model_tables(arena_printf(into->arena, "%s_score", c->name), &c->design, &score, 1, true, NULL, into);
    return ST_OK;
}

const struct analysis effect_analysis = {
    .kind = "comparative_effect",
    .summary = "effect of a treatment on an outcome by propensity-score weighting, with balance",
    .template = "{\"kind\": \"comparative_effect\", \"name\": \"effect\", \"cohort\": \"target\","
                " \"treatment\": {\"by\": \"concept\", \"name\": \"ramipril\", \"concepts\": [1334456], "
                "\"window\": [0, 0]},"
                " \"outcome\": \"outcome\", \"window\": [1, 365], \"covariates\": [\"sex\","
                " {\"by\": \"age_band\", \"cuts\": [55]}, {\"by\": \"concept\", \"name\": \"diabetes\","
                " \"concepts\": [201826]}]}",
    .output = OUTPUT_RATE,
    .parse = effect_parse,
    .size = effect_size,
    .bound = effect_bound,
    .local = effect_local,
    .next = effect_next,
    .finish = effect_finish,
};
