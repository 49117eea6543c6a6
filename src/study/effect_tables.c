/* SPDX-License-Identifier: Apache-2.0
 *
 * Estimates are Hajek's: weighted risks and their difference and ratio; intervals from the robust variance
 * sum w^2 (y - risk)^2 / (sum w)^2 of each arm, which takes the score as known and so is, if anything, too
 * wide (J. Lunceford, M. Davidian, Stat. Med. 23 (2004) 2937).
 */
#include <math.h>

#include "stats/calibrate.h"
#include "stats/interval.h"
#include "stats/special.h"
#include "study/effect.h"
#include "study/tables.h"

/* The doubly robust estimate is no weighting: it stands behind them where there is an effect. */
static const char *const weight_names[] = {"unweighted", "average effect", "effect in the treated", "overlap",
                                           "stratified", "matched",        "doubly robust"};
static const char *const arm_names[] = {"not treated", "treated"};

/* One arm under one weighting. */
struct arm {
    double persons, cases, w, risk, variance, effective;
};

static struct arm arm_of(const struct sums *total, size_t outcome, int weights, int arm)
{
    struct arm a = {0};
    size_t at = effect_figures_at(outcome, weights, arm);
    double wy = sums_get_real(total, at + WY), w2 = sums_get_real(total, at + W2),
           w2y = sums_get_real(total, at + W2Y);
    a.persons = (double)sums_get_count(total, at + PERSONS);
    a.cases = (double)sums_get_count(total, at + CASES);
    a.w = sums_get_real(total, at + W);
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

/* Two arms under one weighting: log risk ratio and its standard error. */
struct contrast {
    struct arm yes, no;
    const struct arm *smaller; /* what the contrast rests on */
    double log_ratio, se;
};

static void contrast_of(const struct sums *total, size_t outcome, int weights, struct contrast *out)
{
    struct arm yes = arm_of(total, outcome, weights, ARM_TREATED),
               no = arm_of(total, outcome, weights, ARM_OTHER);
    *out = (struct contrast){yes, no, NULL, log(yes.risk / no.risk),
                             sqrt(yes.variance / (yes.risk * yes.risk) + no.variance / (no.risk * no.risk))};
    out->smaller = yes.cases < no.cases ? &out->yes : &out->no;
}

/* Means of each person's risks if treated and if not, made up for by the score; their variance is that of the
   influence function (J. Robins, A. Rotnitzky, L. Zhao, JASA 89 (1994) 846). */
static void robust_cells(const struct effect *c, const struct sums *total, const struct contrast *persons,
                         struct result_cell *cells)
{
    double n = (double)sums_get_count(total, effect_robust_at(c, ROBUST_PERSONS)), f[N_ROBUST];
    for (size_t k = RISK_1; k < N_ROBUST; k++)
        f[k] = sums_get_real(total, effect_robust_at(c, k)) / n;
    double yes = f[RISK_1], no = f[RISK_0], v1 = (f[RISK_11] - yes * yes) / (n - 1),
           v0 = (f[RISK_00] - no * no) / (n - 1), v10 = (f[RISK_10] - yes * no) / (n - 1);
    double ratio_variance = v1 / (yes * yes) + v0 / (no * no) - 2 * v10 / (yes * no);
    risk_cell(&persons->yes, yes, sqrt(v1), false, &cells[0]);
    risk_cell(&persons->no, no, sqrt(v0), false, &cells[1]);
    risk_cell(persons->smaller, yes - no, sqrt(v1 + v0 - 2 * v10), false, &cells[2]);
    risk_cell(persons->smaller, yes / no, sqrt(ratio_variance), true, &cells[3]);
}

static void effect_table(const struct effect *c, const struct sums *total, struct result *into)
{
    static const char *const figures[] = {"risk, treated", "risk, not treated", "risk difference",
                                          "risk ratio"};
    struct dimension dimensions[] = {labelled_dimension("estimand", weight_names, N_WEIGHTS + 1, into->arena),
                                     labelled_dimension("figure", figures, 4, into->arena)};
    struct contrast unweighted;
    struct result_table *t =
        table_new(into, table_name(into, c->name, "effect"), "Risks and their comparison",
                  "share of persons, or ratio", OUTPUT_RATE, dimensions, 2);
    t->picture = PICTURE_FOREST;
    for (int k = 0; k < N_WEIGHTS; k++) {
        struct result_cell *cells = t->cells + (size_t)k * 4;
        struct contrast x;
        contrast_of(total, 0, k, &x);
        risk_cell(&x.yes, x.yes.risk, sqrt(x.yes.variance), false, &cells[0]);
        risk_cell(&x.no, x.no.risk, sqrt(x.no.variance), false, &cells[1]);
        risk_cell(x.smaller, x.yes.risk - x.no.risk, sqrt(x.yes.variance + x.no.variance), false, &cells[2]);
        risk_cell(x.smaller, exp(x.log_ratio), x.se, true, &cells[3]);
    }
    contrast_of(total, 0, UNWEIGHTED, &unweighted);
    robust_cells(c, total, &unweighted, t->cells + (size_t)N_WEIGHTS * 4);
}

static double moment(const struct effect *c, const struct sums *total, int weights, int arm, size_t column,
                     int power)
{
    double w = sums_get_real(total, effect_figures_at(0, weights, arm) + W);
    return sums_get_real(total, effect_moments_at(c, weights, arm, column) + (size_t)power - 1) / w;
}

static double spread_of(const struct effect *c, const struct sums *total, int arm, size_t column)
{
    double mean = moment(c, total, UNWEIGHTED, arm, column, 1);
    return moment(c, total, UNWEIGHTED, arm, column, 2) - mean * mean;
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
    t->picture = PICTURE_DIFFERENCES;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        struct result_cell *cell = &t->cells[i];
        size_t column = cell->at[0];
        int weights = (int)cell->at[1];
        double spread =
            sqrt((spread_of(c, total, ARM_TREATED, column) + spread_of(c, total, ARM_OTHER, column)) / 2);
        double difference = moment(c, total, weights, ARM_TREATED, column, 1) -
                            moment(c, total, weights, ARM_OTHER, column, 1);
        table_rests_on(cell, (double)score->column_rows[column], (double)score->column_events[column]);
        cell->value =
            fabs(difference) < 1e-12 ? 0 : difference / spread; /* overlap weights balance exactly */
    }
}

/* Persons by preference score, and the share of each arm where either treatment was likely. */
static void preference_tables(const struct effect *c, const struct sums *total, struct result *into)
{
    enum { LOW = 6, HIGH = 14 }; /* bands of 0.05: 0.3 to 0.7 */
    const char **labels = arena_array(into->arena, PREFERENCE_BANDS, sizeof *labels);
    for (int i = 0; i < PREFERENCE_BANDS; i++)
        labels[i] = arena_printf(into->arena, "%.2f to %.2f", i / (double)PREFERENCE_BANDS,
                                 (i + 1) / (double)PREFERENCE_BANDS);
    struct dimension arms = labelled_dimension("arm", arm_names, N_ARMS, into->arena), whole = arms;
    whole.no_total = false;
    struct dimension dimensions[] = {plain_dimension("preference score", labels, PREFERENCE_BANDS), whole};
    struct result_table *t = table_new(into, table_name(into, c->name, "preference"),
                                       "Persons by preference score", "persons", OUTPUT_COUNT, dimensions, 2);
    double *strata = arena_array(into->arena, PREFERENCE_BANDS * N_ARMS, sizeof *strata), all[N_ARMS] = {0},
           between[N_ARMS] = {0};
    for (size_t i = 0; i < PREFERENCE_BANDS; i++)
        for (int arm = 0; arm < N_ARMS; arm++) {
            double n = (double)sums_get_count(total, effect_preference_at(c, i, arm));
            strata[i * N_ARMS + (size_t)arm] = n;
            all[arm] += n;
            between[arm] += i >= LOW && i < HIGH ? n : 0;
        }
    const double *counts = table_roll_up(into, t, strata);
    for (uint64_t i = 0; i < t->n_cells; i++) {
        t->cells[i].persons = (int64_t)counts[i];
        t->cells[i].value = counts[i];
    }
    t = table_new(into, table_name(into, c->name, "equipoise"), "Share with a preference score of 0.3 to 0.7",
                  "share of persons", OUTPUT_RATE, &arms, 1);
    for (int arm = 0; arm < N_ARMS; arm++) {
        struct interval share = interval_wilson(between[arm], all[arm], 0.95);
        t->cells[arm].persons = (int64_t)all[arm];
        t->cells[arm].numerator = between[arm];
        t->cells[arm].denominator = all[arm];
        t->cells[arm].value = between[arm] / all[arm];
        t->cells[arm].lower = share.lower;
        t->cells[arm].upper = share.upper;
    }
}

static void sample_table(const struct effect *c, const struct sums *total, struct result *into)
{
    struct dimension dimensions[] = {labelled_dimension("estimand", weight_names, N_WEIGHTS, into->arena),
                                     labelled_dimension("arm", arm_names, N_ARMS, into->arena)};
    struct result_table *t =
        table_new(into, table_name(into, c->name, "effective_size"),
                  "Effective sample size, (sum w)^2 / sum w^2", "persons", OUTPUT_RATE, dimensions, 2);
    t->picture = PICTURE_NONE;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        struct arm a = arm_of(total, 0, (int)t->cells[i].at[0], (int)t->cells[i].at[1]);
        table_rests_on(&t->cells[i], a.persons, a.cases);
        t->cells[i].value = a.effective;
    }
}

static bool estimated(const struct contrast *x)
{
    return isfinite(x->log_ratio) && isfinite(x->se) && x->se > 0;
}

/* Each control's risk ratio: 1 but for systematic error and chance. */
static void control_table(const struct effect *c, const struct sums *total, struct result *into)
{
    struct dimension dimensions[] = {
        labelled_dimension("negative control", c->control_names, c->n_controls, into->arena),
        labelled_dimension("estimand", weight_names, N_WEIGHTS, into->arena)};
    struct result_table *t = table_new(into, table_name(into, c->name, "negative_controls"),
                                       "Risk ratios of outcomes that the treatment does not cause",
                                       "risk ratio", OUTPUT_RATE, dimensions, 2);
    t->picture = PICTURE_FOREST;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        struct contrast x;
        contrast_of(total, 1 + t->cells[i].at[0], (int)t->cells[i].at[1], &x);
        if (estimated(&x))
            risk_cell(x.smaller, exp(x.log_ratio), x.se, true, &t->cells[i]);
        else
            table_rests_on(&t->cells[i], x.smaller->persons, x.smaller->cases);
    }
}

static bool error_of(const struct effect *c, const struct sums *total, int weights,
                     struct systematic_error *out, struct arena *a)
{
    double *log_ratio = arena_array(a, c->n_controls, sizeof *log_ratio),
           *se = arena_array(a, c->n_controls, sizeof *se);
    size_t n = 0;
    struct err few;
    for (size_t i = 0; i < c->n_controls; i++) {
        struct contrast x;
        contrast_of(total, 1 + i, weights, &x);
        if (!estimated(&x))
            continue;
        log_ratio[n] = x.log_ratio;
        se[n++] = x.se;
    }
    return systematic_error_fit(log_ratio, se, n, out, &few) == ST_OK;
}

/* The risk ratio with the controls' error taken off, and that error; nothing where too few controls have an
   estimate. */
static void calibrated_table(const struct effect *c, const struct sums *total, struct result *into)
{
    static const char *const figures[] = {"risk ratio", "p-value", "mean error, log scale",
                                          "spread of errors, log scale"};
    struct dimension dimensions[] = {labelled_dimension("estimand", weight_names, N_WEIGHTS, into->arena),
                                     labelled_dimension("figure", figures, 4, into->arena)};
    struct result_table *t =
        table_new(into, table_name(into, c->name, "calibrated"), "Calibrated by the negative controls",
                  "as named", OUTPUT_RATE, dimensions, 2);
    t->picture = PICTURE_FOREST;
    for (int k = 0; k < N_WEIGHTS; k++) {
        struct result_cell *cells = t->cells + (size_t)k * 4;
        struct systematic_error error;
        struct contrast x;
        contrast_of(total, 0, k, &x);
        for (int i = 0; i < 4; i++) {
            table_rests_on(&cells[i], x.smaller->persons, x.smaller->cases);
            cells[i].value = NAN;
        }
        if (!estimated(&x) || !error_of(c, total, k, &error, into->arena))
            continue;
        struct calibrated y = calibrate_estimate(&error, x.log_ratio, x.se, 0.95);
        cells[0].value = exp(y.log_ratio);
        cells[0].lower = exp(y.lower);
        cells[0].upper = exp(y.upper);
        cells[1].value = y.p;
        cells[2].value = error.mean;
        cells[3].value = error.sd;
    }
}

void effect_tables(const struct effect *c, const struct fit *score, const struct sums *total,
                   struct result *into)
{
    effect_table(c, total, into);
    balance_table(c, score, total, into);
    sample_table(c, total, into);
    preference_tables(c, total, into);
    if (c->n_controls == 0)
        return;
    control_table(c, total, into);
    calibrated_table(c, total, into);
}
