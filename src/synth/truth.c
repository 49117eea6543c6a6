/* SPDX-License-Identifier: Apache-2.0
 *
 * Planted truths: effects whose size is set here, so that analyses can be tested against truth and not
 * against each other. Each uses concepts that nothing else writes, so that no other process dilutes it.
 *
 *   hazard ratio       diabetes, dapagliflozin by a fair coin at the first record; constant hazard of the
 *                      admission, so the unadjusted Cox model is the right one and death censors at random
 *   odds ratios        diabetes, retinopathy within a year; odds multiply, so the logistic model is the right
 *                      one; all covariates are two-valued
 *   risk difference    hypertension, ramipril or amlodipine; treatment odds multiply over three measured
 *                      confounders, risks add, so the effect is the same in everybody (ATE = ATT = ATU)
 *   incidence          zoster, a Poisson process of one rate in everybody
 *   difference in      health checks of people aged 40 to 74 in practices with and without a programme from
 *   differences        2022; yearly risks add
 *   slope of           COPD at 40 and over on the census day; life.c declares the prevalence, and the slope
 *   inequality         here is that of the expected prevalences of the very people generated
 *
 * Probabilities are ratios of integers; doubles only report.
 */
#include "base/json.h"
#include "synth/population.h"

enum { YEAR_DAYS = 365 };

/* Admissions per million person-years without treatment, and with. */
enum { ADMISSION_RATE = 200000, TREATED_RATE = 144000 };
enum { ZOSTER_RATE = 5000 };
/* Odds of retinopathy 1 : 9 times these, in halves. */
enum { ODDS_BASE = 9, ODDS_HYPERTENSION = 4, ODDS_FEMALE_FIFTHS = 4, ODDS_DEPRIVED = 3 };
/* Risks of transient ischaemia in a year, per 10,000. */
enum { RISK_BASE = 1200, RISK_OVER_55 = 1200, RISK_DIABETES = 300, RISK_BLACK = 400, RISK_RAMIPRIL = -500 };
enum { FIRST_YEAR = 2020, N_YEARS = 4, PROGRAMME_YEAR = 2022, CHECK_LEVEL = 500, CHECK_EFFECT = 700 };
static const uint16_t check_base[N_YEARS] = {2000, 2300, 2500, 2800}; /* per 10,000 */

enum { OVER_40_DAYS = 14610, OVER_55_YEARS = 55 };

/* Birthdays passed. */
static int age_years(int32_t birth, int32_t day)
{
    int by, bm, bd, y, m, d;
    date_parts(birth, &by, &bm, &bd);
    date_parts(day, &y, &m, &d);
    return y - by - (m < bm || (m == bm && d < bd));
}

static void plant(const struct population *pop, struct chunk *c, struct rng *r, enum code code,
                  enum code visit, int32_t day)
{
    int32_t at = visit_add(c, visit, day, visit == CODE_INPATIENT ? 1 + (int32_t)rng_below(r, 6) : 0);
    event_add(c, TABLE_CONDITION, code_pick(&pop->vocabulary, code, r), day)->visit = at;
}

/* A day within the year after `index`, recorded only while the person is still under observation. */
static void plant_within_year(const struct population *pop, const struct person *p, struct chunk *c,
                              struct rng *r, enum code code, int32_t index)
{
    int32_t day = index + 1 + (int32_t)rng_below(r, YEAR_DAYS);
    if (day <= p->end)
        plant(pop, c, r, code, CODE_OUTPATIENT, day);
}

static void draw_diabetes(const struct population *pop, const struct person *p, struct chunk *c,
                          struct rng *r)
{
    int32_t index = p->first[SICK_T2DM];
    bool treated = rng_chance(r, P_ONE / 2);
    if (treated)
        care_prescribe(pop, c, r, CODE_DAPAGLIFLOZIN, index, p->end, 56);
    int64_t admission = index + 1 + rng_wait_days(r, treated ? TREATED_RATE : ADMISSION_RATE);
    if (admission <= p->end)
        plant(pop, c, r, CODE_DM_ADMISSION, CODE_INPATIENT, (int32_t)admission);
    uint64_t numerator = 1, denominator = ODDS_BASE;
    if (person_has(p, SICK_HYPERTENSION, index))
        numerator *= ODDS_HYPERTENSION, denominator *= 2;
    if (p->female)
        numerator *= ODDS_FEMALE_FIFTHS, denominator *= 5;
    if (p->decile <= 2)
        numerator *= ODDS_DEPRIVED, denominator *= 2;
    if (rng_chance(r, RATIO(numerator, numerator + denominator)))
        plant_within_year(pop, p, c, r, CODE_RETINOPATHY, index);
}

/* Treatment as guidance has it: ramipril below 55 and with diabetes, amlodipine from 55 and in Black people.
 */
static void draw_hypertension(const struct population *pop, const struct person *p, struct chunk *c,
                              struct rng *r)
{
    int32_t index = p->first[SICK_HYPERTENSION];
    bool over_55 = age_years(p->birth, index) >= OVER_55_YEARS;
    bool diabetes = person_has(p, SICK_T2DM, index);
    bool black = ethnic_groups[p->ethnic].heritage == HERITAGE_BLACK;
    uint64_t odds = diabetes ? 8 : 2, against = (over_55 ? 3u : 1u) * (black ? 3u : 1u);
    bool ramipril = rng_chance(r, RATIO(odds, odds + against));
    care_prescribe(pop, c, r, ramipril ? CODE_RAMIPRIL : CODE_AMLODIPINE, index, p->end, 56);
    int risk = RISK_BASE + over_55 * RISK_OVER_55 + diabetes * RISK_DIABETES + black * RISK_BLACK +
               ramipril * RISK_RAMIPRIL;
    if (rng_chance(r, PER_10000((uint64_t)risk)))
        plant_within_year(pop, p, c, r, CODE_TIA, index);
}

static bool in_programme(const struct person *p)
{
    return p->practice & 1;
}

static void draw_checks(const struct person *p, struct chunk *c, struct rng *r)
{
    if (in_programme(p))
        event_add(c, TABLE_OBSERVATION, code_id(CODE_PROGRAMME), p->start);
    for (int i = 0; i < N_YEARS; i++) {
        int32_t first = date_of(FIRST_YEAR + i, 1, 1), last = date_of(FIRST_YEAR + i, 12, 31);
        int age = age_years(p->birth, first);
        if (p->start > first || p->end < last || age < 40 || age > 74)
            continue;
        int share = check_base[i] + in_programme(p) * CHECK_LEVEL;
        if (in_programme(p) && FIRST_YEAR + i >= PROGRAMME_YEAR)
            share += CHECK_EFFECT;
        if (!rng_chance(r, PER_10000((uint64_t)share)))
            continue;
        int32_t day = first + (int32_t)rng_below(r, YEAR_DAYS);
        event_add(c, TABLE_PROCEDURE, code_id(CODE_HEALTH_CHECK), day)->visit =
            visit_add(c, CODE_OUTPATIENT, day, 0);
    }
}

void truth_draw(const struct population *pop, const struct person *p, struct chunk *c)
{
    struct rng r = person_stream(pop, p, DRAW_TRUTH);
    for (int64_t day = p->start; (day += rng_wait_days(&r, ZOSTER_RATE)) <= p->end;)
        plant(pop, c, &r, CODE_ZOSTER, CODE_OUTPATIENT, (int32_t)day);
    if (p->first[SICK_T2DM] != DATE_NONE)
        draw_diabetes(pop, p, c, &r);
    if (p->first[SICK_HYPERTENSION] != DATE_NONE)
        draw_hypertension(pop, p, c, &r);
    draw_checks(p, c, &r);
}

void truth_tally(const struct person *p, struct tally *t)
{
    if (p->start > census_day || p->end < census_day)
        return;
    int32_t age = census_day - p->birth;
    t->at_risk++;
    for (enum disease d = 0; d < N_DISEASES; d++) {
        t->observed[d] += person_has(p, d, census_day);
        t->expected[d] += disease_prevalence(p, d, age) >> 12;
    }
    if (age_years(p->birth, census_day) < 40)
        return;
    t->adults[p->decile - 1]++;
    t->copd[p->decile - 1] += person_has(p, SICK_COPD, census_day);
    t->copd_expected[p->decile - 1] += disease_prevalence(p, SICK_COPD, age) >> 12;
}

void tally_add(struct tally *into, const struct tally *more)
{
    into->at_risk += more->at_risk;
    for (int d = 0; d < N_DISEASES; d++) {
        into->observed[d] += more->observed[d];
        into->expected[d] += more->expected[d];
    }
    for (int i = 0; i < DECILES; i++) {
        into->adults[i] += more->adults[i];
        into->copd[i] += more->copd[i];
        into->copd_expected[i] += more->copd_expected[i];
    }
}

/* The slope index of inequality as UKHSA's PHEindicatormethods has it: the weighted least-squares line of the
   prevalence over the cumulative share of people, most deprived first. Returns the slope, and the value at
   the most deprived end. */
static double slope_of(const struct tally *t, double *intercept)
{
    double all = 0, below = 0, mean = 0, sxy = 0, sxx = 0;
    for (int i = 0; i < DECILES; i++)
        all += (double)t->adults[i];
    for (int i = 0; i < DECILES; i++)
        mean += (double)t->copd_expected[i] / (1 << 20) / (all > 0 ? all : 1);
    for (int i = 0; i < DECILES && all > 0; i++) {
        double n = (double)t->adults[i], rank = (below + n / 2) / all - 0.5;
        double y = n > 0 ? (double)t->copd_expected[i] / (1 << 20) / n : 0;
        sxy += n * rank * (y - mean);
        sxx += n * rank * rank;
        below += n;
    }
    double slope = sxx > 0 ? sxy / sxx : 0;
    *intercept = mean - slope / 2;
    return slope;
}

static const struct {
    const char *name, *brief, *what;
    enum code entry, exposure, outcome;
} specs[] = {
    {"hazard_ratio", "admission with a complication of diabetes, dapagliflozin or not",
     "first record of type 2 diabetes; dapagliflozin on that day or not; time to admission with a "
     "complication of diabetes; unadjusted Cox, censored at the end of observation",
     CODE_T2DM, CODE_DAPAGLIFLOZIN, CODE_DM_ADMISSION},
    {"untreated_rate_per_person_year", "the same people without dapagliflozin",
     "first record of type 2 diabetes without dapagliflozin on that day; first admissions a person-year",
     CODE_T2DM, CODE_DAPAGLIFLOZIN, CODE_DM_ADMISSION},
    {"odds_ratio_hypertension", "retinopathy in the first year of diabetes",
     "first record of type 2 diabetes, 365 days of follow-up; retinopathy within 365 days; logistic on "
     "hypertension recorded by then, female sex, deciles 1 and 2",
     CODE_T2DM, CODE_HYPERTENSION, CODE_RETINOPATHY},
    {"odds_ratio_female", "the same model", "see odds_ratio_hypertension", CODE_T2DM, CODE_FEMALE,
     CODE_RETINOPATHY},
    {"odds_ratio_most_deprived_fifth", "the same model", "see odds_ratio_hypertension", CODE_T2DM, CODE_IMD,
     CODE_RETINOPATHY},
    {"risk_difference", "transient ischaemia in a year, ramipril against amlodipine, confounded",
     "first record of hypertension, 365 days of follow-up; ramipril against amlodipine on that day; "
     "transient cerebral ischaemia within 365 days; confounded by age 55 and over, type 2 diabetes recorded "
     "by "
     "then, Black ethnicity (NHS codes M, N, P)",
     CODE_HYPERTENSION, CODE_RAMIPRIL, CODE_TIA},
    {"incidence_per_1000_person_years", "herpes zoster in everybody, repeats count",
     "records of herpes zoster per 1,000 person-years under observation; the same in everybody; repeats "
     "count",
     CODE_NONE, CODE_NONE, CODE_ZOSTER},
    {"difference_in_differences", "yearly health checks at 40 to 74, programme from 2022",
     "people aged 40 to 74 on 1 January and observed all year, 2020 to 2023; share with a health check in "
     "the "
     "year; practices of the programme from 2022 against the others",
     CODE_NONE, CODE_PROGRAMME, CODE_HEALTH_CHECK},
    {"slope_index_of_inequality", "COPD at 40 and over on 2025-01-01, by deprivation decile",
     "COPD recorded by 2025-01-01 in people aged 40 and over under observation that day; least minus most "
     "deprived, expected for the people generated",
     CODE_NONE, CODE_IMD, CODE_COPD},
    {"relative_index_of_inequality", "the same, least over most deprived", "see slope_index_of_inequality",
     CODE_NONE, CODE_IMD, CODE_COPD},
};
enum { N_SPECS = sizeof specs / sizeof specs[0] };
_Static_assert(N_SPECS <= SYNTH_MOST_TRUTHS, "room in the summary");

void truth_report(const struct tally *t, struct synth_summary *out)
{
    double intercept, slope = slope_of(t, &intercept);
    const double values[N_SPECS] = {(double)TREATED_RATE / ADMISSION_RATE,
                                    ADMISSION_RATE / 1e6,
                                    ODDS_HYPERTENSION / 2.0,
                                    ODDS_FEMALE_FIFTHS / 5.0,
                                    ODDS_DEPRIVED / 2.0,
                                    RISK_RAMIPRIL / 1e4,
                                    ZOSTER_RATE / 1e3,
                                    CHECK_EFFECT / 1e4,
                                    slope,
                                    intercept > 0 ? (intercept + slope) / intercept : 0};
    for (size_t i = 0; i < N_SPECS; i++)
        out->truths[out->n_truths++] =
            (struct synth_truth){specs[i].name, values[i], specs[i].brief, specs[i].what};
}

/* Six decimals, so that the last bits of a sum cannot show. */
static struct js *rounded(double v)
{
    return js_real((double)(int64_t)(v * 1e6 + (v < 0 ? -0.5 : 0.5)) / 1e6);
}

static void put_code(struct js *o, const char *key, enum code c)
{
    if (c != CODE_NONE)
        js_put_int(o, key, code_id(c));
}

static struct js *truths_json(const struct synth_summary *s)
{
    struct js *list = js_array();
    for (size_t i = 0; i < s->n_truths; i++) {
        struct js *o = js_object();
        js_put_str(o, "name", s->truths[i].name);
        js_put(o, "value", rounded(s->truths[i].value));
        js_put_str(o, "what", s->truths[i].what);
        put_code(o, "entry_concept_id", specs[i].entry);
        put_code(o, "exposure_concept_id", specs[i].exposure);
        put_code(o, "outcome_concept_id", specs[i].outcome);
        js_push(list, o);
    }
    return list;
}

static struct js *prevalence_json(const struct tally *t)
{
    struct js *list = js_array();
    for (enum disease d = 0; d < N_DISEASES; d++) {
        struct js *o = js_object();
        js_put_int(o, "concept_id", code_id(disease_code(d)));
        js_put_str(o, "name", code_name(disease_code(d)));
        js_put_int(o, "persons", (int64_t)t->observed[d]);
        js_put(o, "expected", rounded((double)t->expected[d] / (1 << 20)));
        js_put(o, "raises_mortality", js_boolean(disease_is_lethal(d)));
        js_push(list, o);
    }
    return list;
}

static struct js *deciles_json(const struct tally *t)
{
    struct js *list = js_array();
    for (int i = 0; i < DECILES; i++) {
        struct js *o = js_object();
        js_put_int(o, "decile", i + 1);
        js_put_int(o, "persons", (int64_t)t->adults[i]);
        js_put_int(o, "copd", (int64_t)t->copd[i]);
        js_put(o, "copd_expected", rounded((double)t->copd_expected[i] / (1 << 20)));
        js_push(list, o);
    }
    return list;
}

struct js *truth_json(const struct population *pop, const struct tally *t, const struct synth_summary *s)
{
    struct js *o = js_object();
    js_put_str(o, "format", "accord-synth-truth-1");
    js_put_str(o, "site", pop->site.name);
    js_put_str(o, "mix", pop->site.mix->name);
    js_put_int(o, "seed", (int64_t)pop->options->seed);
    js_put_int(o, "persons", (int64_t)pop->options->persons);
    js_put(o, "truths", truths_json(s));
    js_put_str(o, "census_date", "2025-01-01");
    js_put_int(o, "persons_on_census_date", (int64_t)t->at_risk);
    js_put(o, "prevalence_on_census_date", prevalence_json(t));
    js_put(o, "copd_aged_40_and_over", deciles_json(t));
    return o;
}
