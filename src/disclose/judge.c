/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules by type of output. Sources: ACRO 1.0.1 (NK, p-ratio, degrees of freedom), ABS DataLab rules
 * (dominance on absolute values, quantile contributors), OpenSAFELY output checking (rates from protected
 * counts, steps of survival curves), DataSHIELD (parameters at most a third of persons).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "disclose/gate.h"
#include "disclose/rounding.h"

void verdict_hide(struct verdict *v, enum cell_mark mark, const char *rule)
{
    *v = (struct verdict){.mark = mark,
                          .rule = rule,
                          .value = NAN,
                          .lower = NAN,
                          .upper = NAN,
                          .surely_low = NAN,
                          .surely_high = NAN};
}

static void show(struct verdict *v, double value, double lower, double upper)
{
    *v = (struct verdict){
        .value = value, .lower = lower, .upper = upper, .surely_low = NAN, .surely_high = NAN};
}

/* A figure that is no count, to the digits of its type. */
static void show_figure(const struct result_cell *c, enum output_type type, struct verdict *v)
{
    int digits = figure_digits(type);
    show(v, round_significant(c->value, digits), round_significant(c->lower, digits),
         round_significant(c->upper, digits));
}

static bool small(double n, int64_t minimum)
{
    return n > 0 && n < (double)minimum;
}

static double rounded(double n, const struct policy *p)
{
    return (double)round_count((int64_t)n, (enum rounding)p->rounding, p->base);
}

/* Whether a figure is a whole number of people or events that rounding applies to. */
static bool is_count(double n)
{
    return n >= 0 && n <= 9007199254740992.0 && n == floor(n);
}

/* The count with the noise of its key. A count of something else than the persons whose keys were added has
   no noise of its own. What cannot be printed is hidden, but is itself no secret that sums must not tell. */
static void show_noisy(const struct result_cell *c, const struct ptable *noise, int64_t minimum,
                       struct verdict *v)
{
    if (!noise || c->key < 0 || c->key > UINT32_MAX || c->value != (double)c->persons) {
        verdict_hide(v, CELL_SECONDARY, "no cell key");
        return;
    }
    int64_t printed = c->persons + ptable_noise(noise, c->persons, cell_key_u((uint32_t)c->key));
    if (printed < minimum)
        verdict_hide(v, CELL_SECONDARY, "minimum count with noise");
    else
        show(v, (double)printed, NAN, NAN);
}

static void judge_count(const struct result_cell *c, const struct policy *p, const struct ptable *noise,
                        struct verdict *v)
{
    int64_t minimum = policy_minimum(p, OUTPUT_COUNT);
    if (small((double)c->persons, minimum) || small(c->value, minimum))
        verdict_hide(v, CELL_PRIMARY, "minimum count");
    else if (c->value == 0 && !p->zero_shown)
        verdict_hide(v, CELL_PRIMARY, "zero not shown");
    else if (p->rounding == ROUNDING_CELL_KEY && c->value != 0)
        show_noisy(c, noise, minimum, v);
    else
        show(v, rounded(c->value, p), NAN, NAN);
}

/* A limit of an interval moved to the rounded count: its distance on the log scale goes with one over the
   root of the count, so what is printed depends on the rounded count only. */
static double move_limit(double limit, double value, double printed, double n, double n_rounded)
{
    if (!(limit > 0) || !(value > 0) || !(n > 0) || !(n_rounded > 0))
        return round_significant(limit, 2);
    return round_significant(printed * pow(limit / value, sqrt(n / n_rounded)), figure_digits(OUTPUT_RATE));
}

/* The rate recomputed from rounded counts; figures that are no plain ratio print to three digits. */
static void show_rate(const struct result_cell *c, const struct policy *p, struct verdict *v)
{
    double n = c->numerator, d = c->denominator;
    if (!is_count(n) || !(d > 0) || n == 0 || p->rounding == ROUNDING_NONE || !(c->value != 0)) {
        show_figure(c, OUTPUT_RATE, v);
        return;
    }
    bool of_persons = is_count(d) && (int64_t)d == c->persons;
    double n_rounded = rounded(n, p), d_rounded = of_persons ? rounded(d, p) : d;
    double scale = c->value / (n / d);
    double value = round_significant(scale * n_rounded / d_rounded, figure_digits(OUTPUT_RATE));
    show(v, value, move_limit(c->lower, c->value, value, n, n_rounded),
         move_limit(c->upper, c->value, value, n, n_rounded));
}

static void judge_rate(const struct result_cell *c, const struct policy *p, struct verdict *v)
{
    int64_t minimum = policy_minimum(p, OUTPUT_RATE);
    double with = c->event_persons >= 0 ? (double)c->event_persons : c->numerator;
    bool proportion = (double)c->persons == c->denominator;
    if (c->persons < minimum)
        verdict_hide(v, CELL_PRIMARY, "minimum denominator");
    else if (small(with, minimum) || small(c->numerator, minimum))
        verdict_hide(v, CELL_PRIMARY, "minimum numerator");
    else if (proportion && small((double)c->persons - with, minimum))
        verdict_hide(v, CELL_PRIMARY, "minimum complement");
    else if (!p->zero_shown && (c->numerator == 0 || (proportion && with == (double)c->persons)))
        verdict_hide(v, CELL_PRIMARY, "zero not shown");
    else
        show_rate(c, p, v);
}

static void judge_sum(const struct result_table *t, const struct result_cell *c, const struct policy *p,
                      struct verdict *v)
{
    double total = fabs(t->mean ? c->value * (double)c->persons : c->value);
    bool known = !isnan(c->top1) && !isnan(c->top2);
    double rest = total - fabs(c->top1) - fabs(c->top2);
    if (c->persons < policy_minimum(p, OUTPUT_SUM))
        verdict_hide(v, CELL_PRIMARY, "minimum count");
    else if (!known)
        verdict_hide(v, CELL_PRIMARY, "dominance unknown");
    else if (total >= (1 - 1e-12) * (double)c->persons * fabs(c->top1))
        verdict_hide(v, CELL_PRIMARY, "all values equal");
    else if (total > 0 && (fabs(c->top1) >= p->top1_share * total ||
                           fabs(c->top1) + fabs(c->top2) >= p->top2_share * total))
        verdict_hide(v, CELL_PRIMARY, "dominance");
    else if (c->top1 != 0 && rest / fabs(c->top1) < p->p_ratio)
        verdict_hide(v, CELL_PRIMARY, "p-ratio");
    else
        show_figure(c, OUTPUT_SUM, v);
}

/* The q-th quantile needs as many persons on the thinner side. */
static void judge_quantile(const struct result_cell *c, const struct policy *p, struct verdict *v)
{
    double minimum = (double)policy_minimum(p, OUTPUT_QUANTILE);
    double side = fmin(c->quantile, 1 - c->quantile);
    if (!(side > 0) || (double)c->persons < minimum / side)
        verdict_hide(v, CELL_PRIMARY, "minimum persons for this quantile");
    else if ((c->below >= 0 && (double)c->below < minimum) || (c->above >= 0 && (double)c->above < minimum))
        verdict_hide(v, CELL_PRIMARY, "minimum persons on either side");
    else
        show_figure(c, OUTPUT_QUANTILE, v);
}

static void judge_term(const struct result_cell *c, const struct policy *p, struct verdict *v)
{
    int64_t minimum = policy_minimum(p, OUTPUT_REGRESSION);
    if (c->level_persons >= 0 && c->level_persons < minimum)
        verdict_hide(v, CELL_PRIMARY, "minimum persons in a level");
    else if (small(c->numerator, minimum) || c->numerator == 0)
        verdict_hide(v, CELL_PRIMARY, "minimum events in a level");
    else
        show_figure(c, OUTPUT_REGRESSION, v);
}

static void judge_test(const struct result_table *t, const struct result_cell *c, const struct policy *p,
                       struct verdict *v)
{
    int64_t minimum = policy_minimum(p, OUTPUT_TEST);
    bool correlation = t->unit && strstr(t->unit, "correlation");
    if (t->persons >= 0 ? t->persons < minimum : c->persons < minimum)
        verdict_hide(v, CELL_PRIMARY, "minimum count");
    else if (correlation && fabs(c->value) >= 1 - 1e-9)
        verdict_hide(v, CELL_PRIMARY, "perfect fit");
    else
        show_figure(c, OUTPUT_TEST, v);
}

/* A step is printed only where events and the drop of the risk set since the last printed one are 0 or at
   least the minimum; what is not printed is thereby merged into the next. `steps` are the cells of one curve
   in order. */
static void judge_curve(const struct result_cell **steps, struct verdict **verdicts, uint32_t n,
                        const struct policy *p)
{
    double minimum = (double)policy_minimum(p, OUTPUT_SURVIVAL), events = 0;
    double at_risk = n ? steps[0]->denominator : 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct result_cell *c = steps[i];
        /* Those at risk when the next step begins: what this step's print gives away. */
        double left = i + 1 < n ? steps[i + 1]->denominator : c->denominator - c->numerator;
        double drop = at_risk - left;
        events += c->numerator;
        bool quiet = ((events == 0 && p->zero_shown) || events >= minimum) &&
                     ((drop == 0 && p->zero_shown) || drop >= minimum);
        if (!quiet || c->denominator < minimum || left < minimum) {
            verdict_hide(verdicts[i], CELL_PRIMARY, "events or risk set of the step");
            continue;
        }
        show(verdicts[i], nearbyint(c->value * 1000) / 1000, nearbyint(c->lower * 1000) / 1000,
             nearbyint(c->upper * 1000) / 1000);
        events = 0;
        at_risk = left;
    }
}

static bool same_curve(const struct result_table *t, const struct result_cell *a, const struct result_cell *b)
{
    return memcmp(a->at, b->at, (t->n_dimensions - 1) * sizeof *a->at) == 0;
}

/* Curves run along the last dimension; their cells lie one behind the other. */
static enum status judge_survival(const struct result_table *t, const struct policy *p,
                                  struct verdict *verdicts, struct err *e)
{
    const struct result_cell **steps = xcalloc(t->n_cells + 1, sizeof *steps);
    struct verdict **places = xcalloc(t->n_cells + 1, sizeof *places);
    enum status s = ST_OK;
    uint32_t n = 0;
    for (uint64_t i = 0; i <= t->n_cells && t->n_dimensions; i++) {
        bool more = i < t->n_cells;
        if (n && (!more || !same_curve(t, steps[0], &t->cells[i]))) {
            judge_curve(steps, places, n, p);
            n = 0;
        }
        if (!more)
            break;
        const struct result_cell *c = &t->cells[i];
        if (isnan(c->denominator) || isnan(c->numerator) ||
            (n && steps[n - 1]->at[t->n_dimensions - 1] >= c->at[t->n_dimensions - 1])) {
            s = err_set(e, ST_INVALID, "table '%s': steps must come in order with events and numbers at risk",
                        t->name);
            break;
        }
        steps[n] = c;
        places[n++] = &verdicts[i];
    }
    free(steps);
    free(places);
    return s;
}

/* --- saturated models: the rules of the table that they are ---------------------------------------------- */

/* One group of a saturated model: persons, and those with the event. NULL where it may be printed of. */
static const char *group_fault(double n, double with, enum saturated kind, const struct policy *p)
{
    enum output_type type = kind == SATURATED_MEANS ? OUTPUT_SUM : OUTPUT_RATE;
    double minimum = (double)policy_minimum(p, type);
    if (!(n >= minimum))
        return "minimum persons in a level";
    if (kind == SATURATED_MEANS)
        return NULL;
    if (!(with >= minimum))
        return "minimum events in a level";
    return kind != SATURATED_RATES && !(n - with >= minimum) ? "minimum complement" : NULL;
}

static double log_odds(double n, double with)
{
    return log(with / (n - with));
}

static double log_odds_variance(double n, double with)
{
    return 1 / with + 1 / (n - with);
}

/* Odds of the rounded counts: the estimate and its limits move by what rounding does to the logarithm of the
   odds, and the limits' distance with its standard error. */
static void show_odds(const struct result_cell *c, bool logarithm, const struct policy *p, struct verdict *v)
{
    double n = c->denominator, with = (double)c->event_persons;
    double shift = log_odds(rounded(n, p), rounded(with, p)) - log_odds(n, with);
    double was = log_odds_variance(n, with), is = log_odds_variance(rounded(n, p), rounded(with, p));
    if (c->against >= 0) {
        double m = (double)c->against, w = (double)c->against_events;
        shift -= log_odds(rounded(m, p), rounded(w, p)) - log_odds(m, w);
        was += log_odds_variance(m, w);
        is += log_odds_variance(rounded(m, p), rounded(w, p));
    }
    double value = logarithm ? c->value : log(c->value), wider = sqrt(is / was);
    double lower = (logarithm ? c->lower : log(c->lower)) - value;
    double upper = (logarithm ? c->upper : log(c->upper)) - value;
    struct result_cell moved = {.value = value + shift,
                                .lower = value + shift + wider * lower,
                                .upper = value + shift + wider * upper};
    if (!isfinite(moved.value)) {
        verdict_hide(v, CELL_PRIMARY, "minimum events in a level");
        return;
    }
    if (!logarithm)
        moved = (struct result_cell){
            .value = exp(moved.value), .lower = exp(moved.lower), .upper = exp(moved.upper)};
    show_figure(&moved, OUTPUT_RATE, v);
}

/* A term that its own rule lets print. A mean of its own has dominance to fear, of which a model tells
   nothing; a difference of two has not. */
static void judge_saturated(const struct result_table *t, const struct result_cell *c, const struct policy *p,
                            struct verdict *v)
{
    const char *fault = group_fault(c->denominator, (double)c->event_persons, t->saturated, p);
    if (!fault && c->against >= 0)
        fault = group_fault((double)c->against, (double)c->against_events, t->saturated, p);
    if (!fault && c->against < 0 && t->saturated == SATURATED_MEANS)
        fault = "dominance unknown";
    bool odds = t->saturated == SATURATED_ODDS || t->saturated == SATURATED_LOG_ODDS;
    if (fault)
        verdict_hide(v, CELL_PRIMARY, fault);
    else if (odds && p->rounding != ROUNDING_NONE && isfinite(c->value))
        show_odds(c, t->saturated == SATURATED_LOG_ODDS, p, v);
    else
        show_figure(c, t->saturated == SATURATED_MEANS ? OUTPUT_SUM : OUTPUT_RATE, v);
}

/* --- what keeps a whole table in: the rule, or NULL where nothing does ---------------------------------- */

static const char *model_fault(const struct result_table *t, const struct policy *p)
{
    const char *kind = js_get_str(t->notes, "kind");
    int64_t leaf = js_get_int(t->notes, "smallest_leaf", INT64_MAX);
    const struct js *train = js_get(t->notes, "train_auc"), *test = js_get(t->notes, "test_auc"),
                    *attack = js_get(t->notes, "attack_auc");
    static const char *const instance_based[] = {"knn", "svm", "gaussian process", NULL};
    for (int i = 0; instance_based[i]; i++)
        if (kind && strcmp(kind, instance_based[i]) == 0)
            return "a model that holds its training data";
    if (!kind || leaf < policy_minimum(p, OUTPUT_MODEL))
        return "leaves of too few persons";
    if (!js_is_number(train) || !js_is_number(test) || js_num(train) - js_num(test) > p->model_gap)
        return "fits its training data too closely";
    return js_is_number(attack) && js_num(attack) > p->model_attack ? "a membership attack succeeds" : NULL;
}

/* No estimate has an error: every outcome is what the model says. */
static bool fits_perfectly(const struct result_table *t)
{
    uint64_t exact = 0;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const struct result_cell *c = &t->cells[i];
        if (!isfinite(c->value))
            continue;
        if (!(c->upper - c->lower <= 1e-6 * fabs(c->value)))
            return false;
        exact++;
    }
    return exact > 0;
}

/* Degrees of freedom go first: who reads "too many parameters" then knows that there are persons enough. */
static const char *regression_fault(const struct result_table *t, const struct policy *p)
{
    if (t->degrees_of_freedom < p->degrees_of_freedom)
        return "too few degrees of freedom";
    if (fits_perfectly(t))
        return "perfect fit";
    bool many = t->parameters > 0 && t->persons >= 0 &&
                (double)t->parameters > p->parameter_share * (double)t->persons;
    return many ? "too many parameters" : NULL;
}

/* A reason why there is no estimate speaks of the persons in the model, and at times of none with the event
   or of nobody without it. */
static const char *no_estimate_fault(const struct result_table *t, const struct policy *p)
{
    if (t->persons < policy_minimum(p, OUTPUT_TEST))
        return "a reason that rests on too few persons";
    return t->no_estimate == NO_ESTIMATE_OF_NONE && !p->zero_shown ? "zero not shown" : NULL;
}

static const char *table_fault(const struct result_table *t, const struct policy *p)
{
    switch (t->type) {
    case OUTPUT_MODEL:
        return model_fault(t, p);
    case OUTPUT_REGRESSION:
        return regression_fault(t, p);
    case OUTPUT_TEST:
        if (t->no_estimate)
            return no_estimate_fault(t, p);
        return t->degrees_of_freedom >= 0 && t->degrees_of_freedom < p->degrees_of_freedom
                   ? "too few degrees of freedom"
                   : NULL;
    default:
        break;
    }
    return t->found && !p->zero_shown ? "its levels were found in the data" : NULL;
}

static void judge_cell(const struct result_table *t, const struct result_cell *c, const struct policy *p,
                       const struct ptable *noise, struct verdict *v)
{
    switch (t->type) {
    case OUTPUT_COUNT:
        judge_count(c, p, noise, v);
        break;
    case OUTPUT_RATE:
        judge_rate(c, p, v);
        break;
    case OUTPUT_SUM:
        judge_sum(t, c, p, v);
        break;
    case OUTPUT_QUANTILE:
        judge_quantile(c, p, v);
        break;
    case OUTPUT_REGRESSION:
        judge_term(c, p, v);
        if (t->saturated && v->mark == CELL_SHOWN && !isnan(c->denominator))
            judge_saturated(t, c, p, v);
        break;
    case OUTPUT_TEST:
        judge_test(t, c, p, v);
        break;
    case OUTPUT_MODEL:
        show(v, round_significant(c->value, figure_digits(OUTPUT_MODEL)), NAN, NAN);
        break;
    default:
        verdict_hide(v, CELL_PRIMARY, "observed extremes never leave");
        break;
    }
}

/* What an analysis could not estimate has nothing to print, where a rule would let it print. */
static void mark_absent(struct verdict *verdicts, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (verdicts[i].mark == CELL_SHOWN && !isfinite(verdicts[i].value))
            verdict_hide(&verdicts[i], CELL_ABSENT, "not estimated");
}

enum status judge_table(const struct result_table *t, const struct policy *p, const struct ptable *noise,
                        struct verdict *verdicts, const char **withheld, struct err *e)
{
    enum status s = ST_OK;
    *withheld = table_fault(t, p);
    for (uint64_t i = 0; *withheld && i < t->n_cells; i++)
        verdict_hide(&verdicts[i], CELL_PRIMARY, *withheld);
    if (*withheld)
        return ST_OK;
    if (t->type == OUTPUT_SURVIVAL)
        s = judge_survival(t, p, verdicts, e);
    for (uint64_t i = 0; t->type != OUTPUT_SURVIVAL && i < t->n_cells; i++)
        judge_cell(t, &t->cells[i], p, noise, &verdicts[i]);
    mark_absent(verdicts, t->n_cells);
    return s;
}
