/* SPDX-License-Identifier: Apache-2.0
 *
 * What the health service records of a life: consultations, annual reviews of chronic illness with their
 * measurements, acute illness, attendances and stays, medicines, screening and operations. What truth.c
 * plants uses concepts that nothing here writes: ramipril, amlodipine, dapagliflozin, transient ischaemia,
 * retinopathy, zoster, health checks, admissions with a complication of diabetes.
 */
#include "synth/population.h"

enum { YEAR_DAYS = 365, ADULT_DAYS = 6575, OLD_DAYS = 23741 /* 65 years */ };

/* Measurements of an annual review. */
enum {
    TAKE_BP = 1,
    TAKE_HBA1C = 2,
    TAKE_EGFR = 4,
    TAKE_BMI = 8,
    TAKE_CHOLESTEROL = 16,
    TAKE_SPIROMETRY = 32
};

static const uint8_t reviews[N_DISEASES] = {
    [SICK_COPD] = TAKE_SPIROMETRY | TAKE_BMI,
    [SICK_ASTHMA] = 0,
    [SICK_T2DM] = TAKE_BP | TAKE_HBA1C | TAKE_EGFR | TAKE_BMI | TAKE_CHOLESTEROL,
    [SICK_HYPERTENSION] = TAKE_BP | TAKE_EGFR,
    [SICK_AF] = TAKE_BP | TAKE_EGFR,
    [SICK_HEART_FAILURE] = TAKE_BP | TAKE_EGFR | TAKE_BMI,
    [SICK_CKD] = TAKE_BP | TAKE_EGFR,
    [SICK_STROKE] = TAKE_BP | TAKE_CHOLESTEROL,
    [SICK_MI] = TAKE_BP | TAKE_CHOLESTEROL,
    [SICK_SCHIZOPHRENIA] = TAKE_BP | TAKE_BMI | TAKE_HBA1C | TAKE_CHOLESTEROL,
};

static const struct therapy {
    enum disease disease;
    enum code drug;
    uint16_t percent, interval_days;
    uint32_t stops; /* per million person-years */
} therapies[] = {
    {SICK_COPD, CODE_SALBUTAMOL, 85, 75, 60000},
    {SICK_COPD, CODE_TIOTROPIUM, 55, 56, 90000},
    {SICK_COPD, CODE_BECLOMETASONE, 45, 56, 120000},
    {SICK_ASTHMA, CODE_SALBUTAMOL, 70, 90, 120000},
    {SICK_ASTHMA, CODE_BECLOMETASONE, 50, 70, 150000},
    {SICK_ASTHMA, CODE_SALMETEROL, 15, 56, 150000},
    {SICK_ASTHMA, CODE_MONTELUKAST, 10, 56, 200000},
    {SICK_T2DM, CODE_METFORMIN, 72, 56, 60000},
    {SICK_T2DM, CODE_GLICLAZIDE, 18, 56, 150000},
    {SICK_T2DM, CODE_SITAGLIPTIN, 14, 56, 150000},
    {SICK_T2DM, CODE_ATORVASTATIN, 55, 56, 70000},
    {SICK_HYPERTENSION, CODE_INDAPAMIDE, 16, 56, 120000},
    {SICK_HYPERTENSION, CODE_LOSARTAN, 14, 56, 90000},
    {SICK_HYPERTENSION, CODE_SIMVASTATIN, 22, 56, 90000},
    {SICK_AF, CODE_APIXABAN, 55, 56, 60000},
    {SICK_AF, CODE_RIVAROXABAN, 16, 56, 80000},
    {SICK_AF, CODE_WARFARIN, 12, 56, 150000},
    {SICK_AF, CODE_BISOPROLOL, 62, 56, 80000},
    {SICK_HEART_FAILURE, CODE_FUROSEMIDE, 62, 56, 80000},
    {SICK_HEART_FAILURE, CODE_SPIRONOLACTONE, 26, 56, 150000},
    {SICK_HEART_FAILURE, CODE_LISINOPRIL, 48, 56, 90000},
    {SICK_CKD, CODE_LISINOPRIL, 22, 56, 90000},
    {SICK_DEPRESSION, CODE_SERTRALINE, 34, 56, 600000},
    {SICK_DEPRESSION, CODE_CITALOPRAM, 22, 56, 500000},
    {SICK_DEPRESSION, CODE_MIRTAZAPINE, 12, 56, 600000},
    {SICK_ANXIETY, CODE_SERTRALINE, 14, 56, 700000},
    {SICK_DEMENTIA, CODE_DONEPEZIL, 36, 56, 200000},
    {SICK_STROKE, CODE_CLOPIDOGREL, 66, 56, 50000},
    {SICK_STROKE, CODE_ATORVASTATIN, 62, 56, 70000},
    {SICK_MI, CODE_ASPIRIN, 70, 56, 50000},
    {SICK_MI, CODE_BISOPROLOL, 60, 56, 80000},
    {SICK_MI, CODE_ATORVASTATIN, 76, 56, 60000},
    {SICK_HYPOTHYROIDISM, CODE_LEVOTHYROXINE, 93, 56, 20000},
    {SICK_OSTEOARTHRITIS, CODE_PARACETAMOL, 34, 80, 400000},
    {SICK_GORD, CODE_OMEPRAZOLE, 62, 56, 300000},
};

/* Illness that comes and goes: rates per million person-years below 18, 18 to 64, and from 65. */
static const struct acute {
    enum code code, visit;
    uint32_t child, adult, old;
    uint16_t most_deprived, least_deprived; /* percent */
    enum code drug;
    uint16_t drug_percent;
} acutes[] = {
    {CODE_URTI, CODE_OUTPATIENT, 450000, 130000, 90000, 115, 90, CODE_AMOXICILLIN, 28},
    {CODE_BRONCHITIS, CODE_OUTPATIENT, 50000, 40000, 120000, 135, 75, CODE_AMOXICILLIN, 62},
    {CODE_PNEUMONIA, CODE_INPATIENT, 2500, 3500, 21000, 145, 70, CODE_AMOXICILLIN, 80},
    {CODE_UTI, CODE_OUTPATIENT, 18000, 42000, 105000, 115, 90, CODE_NITROFURANTOIN, 72},
    {CODE_BACK_PAIN, CODE_OUTPATIENT, 4000, 68000, 60000, 120, 82, CODE_IBUPROFEN, 28},
    {CODE_ECZEMA, CODE_OUTPATIENT, 55000, 22000, 24000, 100, 100, CODE_NONE, 0},
    {CODE_INJURY, CODE_EMERGENCY, 85000, 62000, 90000, 130, 78, CODE_PARACETAMOL, 12},
    {CODE_NONE, CODE_OUTPATIENT, 1300000, 1100000, 2600000, 110, 92, CODE_NONE, 0},
    {CODE_NONE, CODE_EMERGENCY, 210000, 160000, 260000, 140, 70, CODE_NONE, 0},
    {CODE_NONE, CODE_INPATIENT, 35000, 50000, 160000, 130, 78, CODE_NONE, 0},
};

struct event *event_add(struct chunk *c, enum table t, int32_t concept, int32_t start)
{
    struct events *rows = &c->events[t];
    GROW(rows->v, rows->n + 1, rows->capacity);
    struct event *ev = &rows->v[rows->n++];
    *ev = (struct event){
        .concept = concept, .start = start, .end = DATE_NONE, .person = c->n_persons - 1, .visit = NO_VISIT};
    return ev;
}

int32_t visit_add(struct chunk *c, enum code kind, int32_t start, int32_t days)
{
    const struct person *p = &c->persons[c->n_persons - 1];
    struct event *visit = event_add(c, TABLE_VISIT, code_id(kind), start);
    visit->end = start + days < p->end ? start + days : p->end;
    return (int32_t)c->events[TABLE_VISIT].n - 1;
}

/* A record of a condition; two in five carry the source's own code. */
static void add_condition(const struct population *pop, struct chunk *c, struct rng *r, enum code code,
                          int32_t day, int32_t visit)
{
    struct event *ev = event_add(c, TABLE_CONDITION, code_pick(&pop->vocabulary, code, r), day);
    ev->visit = visit;
    if (ev->concept == code_id(code) && rng_chance(r, PER_10000(8000)))
        ev->source = code_source_id(code);
}

static void add_drug(const struct population *pop, struct chunk *c, struct rng *r, enum code drug,
                     int32_t day, int32_t days, int32_t visit)
{
    struct event *ev = event_add(c, TABLE_DRUG, code_pick(&pop->vocabulary, drug, r), day);
    ev->end = day + days - 1;
    ev->visit = visit;
    ev->value = rng_chance(r, P_ONE / 4) ? 2 * days : days;
    ev->has_value = true;
}

/* One product for the whole course, as repeat prescriptions are. */
void care_prescribe(const struct population *pop, struct chunk *c, struct rng *r, enum code drug,
                    int32_t from, int32_t to, int32_t interval)
{
    int32_t product = code_pick(&pop->vocabulary, drug, r);
    int32_t per_day = rng_chance(r, P_ONE / 4) ? 2 : 1;
    for (int32_t day = from; day <= to; day += interval + (int32_t)rng_below(r, 9) - 2) {
        struct event *ev = event_add(c, TABLE_DRUG, product, day);
        ev->end = day + interval - 1;
        ev->value = per_day * interval;
        ev->has_value = true;
    }
}

struct reading {
    enum code code, unit;
    uint8_t decimals;
    int32_t value;
};

static void add_reading(struct chunk *c, int32_t day, int32_t visit, struct reading m)
{
    struct event *ev = event_add(c, TABLE_MEASUREMENT, code_id(m.code), day);
    ev->visit = visit;
    ev->value = m.value;
    ev->decimals = m.decimals;
    ev->unit = code_id(m.unit);
    ev->has_value = true;
}

static int32_t at_least(int32_t value, int32_t least)
{
    return value < least ? least : value;
}

static void take_pressure(const struct person *p, struct chunk *c, struct rng *r, int32_t day, int32_t visit)
{
    int32_t age = (day - p->birth) / YEAR_DAYS;
    bool high = person_has(p, SICK_HYPERTENSION, day);
    int32_t systolic = 114 + (age < 70 ? age : 70) / 5 + (high ? 12 : 0) + rng_normal(r, 13);
    int32_t diastolic = 74 + (high ? 5 : 0) + (systolic - 126) / 4 + rng_normal(r, 7);
    add_reading(c, day, visit, (struct reading){CODE_SYSTOLIC, CODE_MMHG, 0, at_least(systolic, 80)});
    add_reading(c, day, visit, (struct reading){CODE_DIASTOLIC, CODE_MMHG, 0, at_least(diastolic, 40)});
}

static void take_spirometry(const struct person *p, struct chunk *c, struct rng *r, int32_t day,
                            int32_t visit)
{
    int32_t age = (day - p->birth) / YEAR_DAYS, usual = (p->female ? 330 : 430) - age * 5 / 2;
    bool obstructed = person_has(p, SICK_COPD, day);
    int32_t litres = (obstructed ? usual * 62 / 100 : usual) + rng_normal(r, 45);
    int32_t ratio = (obstructed ? 560 : 770) + rng_normal(r, obstructed ? 85 : 50);
    ratio = ratio > 960 ? 960 : ratio;
    add_reading(c, day, visit, (struct reading){CODE_FEV1, CODE_LITRE, 2, at_least(litres, 40)});
    add_reading(c, day, visit, (struct reading){CODE_FEV1_FVC, CODE_PERCENT, 1, at_least(ratio, 250)});
}

static void take_blood(const struct person *p, struct chunk *c, struct rng *r, int32_t day, int32_t visit,
                       unsigned what)
{
    int32_t age = (day - p->birth) / YEAR_DAYS;
    bool diabetic = person_has(p, SICK_T2DM, day);
    if (what & TAKE_HBA1C) {
        int32_t value = diabetic ? 56 + rng_normal(r, 13) : 37 + rng_normal(r, 3);
        add_reading(c, day, visit, (struct reading){CODE_HBA1C, CODE_MMOL_MOL, 0, at_least(value, 22)});
    }
    if (what & TAKE_EGFR) {
        int32_t usual = 108 - (age > 25 ? (age - 25) * 3 / 5 : 0);
        int32_t value =
            person_has(p, SICK_CKD, day) ? 48 + rng_normal(r, 9) : at_least(usual, 62) + rng_normal(r, 10);
        add_reading(c, day, visit, (struct reading){CODE_EGFR, CODE_ML_MIN_173, 0, at_least(value, 6)});
    }
    if (what & TAKE_CHOLESTEROL) {
        bool treated = diabetic || person_has(p, SICK_MI, day) || person_has(p, SICK_STROKE, day);
        int32_t value = (treated ? 43 : 52) + rng_normal(r, 10);
        add_reading(c, day, visit, (struct reading){CODE_CHOLESTEROL, CODE_MMOL_L, 1, at_least(value, 18)});
    }
}

static void take(const struct person *p, struct chunk *c, struct rng *r, int32_t day, int32_t visit,
                 unsigned what)
{
    if (what & TAKE_BP)
        take_pressure(p, c, r, day, visit);
    if (what & TAKE_BMI) {
        int32_t value = p->bmi + (person_has(p, SICK_T2DM, day) ? 35 : 0) + rng_normal(r, 8);
        add_reading(c, day, visit, (struct reading){CODE_BMI, CODE_KG_M2, 1, at_least(value, 140)});
    }
    if (what & TAKE_SPIROMETRY)
        take_spirometry(p, c, r, day, visit);
    take_blood(p, c, r, day, visit, what);
}

/* The first record and a review about once a year, three in five of which record the condition again. */
static void draw_reviews(const struct population *pop, const struct person *p, struct chunk *c,
                         enum disease d)
{
    struct rng r = rng_stream(pop->key, p->index, DRAW_REVIEW + 16 * ((unsigned)d + 1));
    enum code code = disease_code(d);
    bool sudden = d == SICK_STROKE || d == SICK_MI;
    bool seen_before = p->first[d] == p->start;
    int32_t visit = sudden && !seen_before
                        ? visit_add(c, CODE_INPATIENT, p->first[d], 2 + (int32_t)rng_below(&r, 9))
                        : visit_add(c, CODE_OUTPATIENT, p->first[d], 0);
    add_condition(pop, c, &r, code, p->first[d], visit);
    take(p, c, &r, p->first[d], visit, reviews[d]);
    int32_t day = p->first[d];
    while ((day += YEAR_DAYS - 30 + (int32_t)rng_below(&r, 61)) <= p->end) {
        if (rng_chance(&r, P_ONE / 5))
            continue; /* did not attend */
        visit = visit_add(c, CODE_OUTPATIENT, day, 0);
        if (rng_chance(&r, PER_10000(6000)))
            add_condition(pop, c, &r, code, day, visit);
        take(p, c, &r, day, visit, reviews[d]);
        if (d == SICK_COPD)
            event_add(c, TABLE_PROCEDURE, code_pick(&pop->vocabulary, CODE_SPIROMETRY, &r), day)->visit =
                visit;
    }
}

static void draw_therapies(const struct population *pop, const struct person *p, struct chunk *c)
{
    struct rng r = person_stream(pop, p, DRAW_THERAPY);
    for (size_t i = 0; i < sizeof therapies / sizeof therapies[0]; i++) {
        const struct therapy *t = &therapies[i];
        if (p->first[t->disease] == DATE_NONE)
            continue;
        bool treated = rng_chance(&r, RATIO(t->percent, 100));
        int64_t lasts = rng_wait_days(&r, t->stops);
        int64_t last = p->first[t->disease] + lasts;
        if (treated)
            care_prescribe(pop, c, &r, t->drug, p->first[t->disease], last < p->end ? (int32_t)last : p->end,
                           t->interval_days);
    }
}

static uint64_t acute_rate(const struct acute *a, const struct person *p, int32_t day)
{
    int32_t age = day - p->birth, step = p->decile - 1;
    uint64_t rate = age < ADULT_DAYS ? a->child : age < OLD_DAYS ? a->adult : a->old;
    return rate * (uint64_t)(a->most_deprived * (9 - step) + a->least_deprived * step) / 900;
}

static void add_acute(const struct population *pop, struct chunk *c, struct rng *r, const struct acute *a,
                      int32_t day)
{
    int32_t days = a->visit == CODE_INPATIENT ? 1 + (int32_t)rng_below(r, 12) : 0;
    int32_t visit = visit_add(c, a->visit, day, days);
    if (a->code != CODE_NONE)
        add_condition(pop, c, r, a->code, day, visit);
    if (a->drug != CODE_NONE && rng_chance(r, RATIO(a->drug_percent, 100)))
        add_drug(pop, c, r, a->drug, day, 7, visit);
}

static void draw_acutes(const struct population *pop, const struct person *p, struct chunk *c)
{
    struct rng r = person_stream(pop, p, DRAW_ACUTE);
    for (size_t i = 0; i < sizeof acutes / sizeof acutes[0]; i++) {
        int64_t day = p->start;
        while ((day += rng_wait_days(&r, acute_rate(&acutes[i], p, (int32_t)day))) <= p->end)
            add_acute(pop, c, &r, &acutes[i], (int32_t)day);
    }
    if (p->first[SICK_COPD] != DATE_NONE) {
        static const struct acute flare = {
            CODE_COPD_EXACERBATION, CODE_OUTPATIENT, 0, 0, 0, 0, 0, CODE_AMOXICILLIN, 70};
        int64_t day = p->first[SICK_COPD];
        while ((day += rng_wait_days(&r, 450000)) <= p->end)
            add_acute(pop, c, &r, &flare, (int32_t)day);
    }
}

/* Operations and checks that depend on age alone; blood pressure and weight of adults every few years. */
static void draw_screening(const struct population *pop, const struct person *p, struct chunk *c)
{
    static const struct {
        enum code code;
        uint32_t adult, old; /* per million person-years */
    } operations[] = {
        {CODE_HIP_REPLACEMENT, 600, 6500}, {CODE_CATARACT, 500, 21000}, {CODE_COLONOSCOPY, 6000, 14000}};
    struct rng r = person_stream(pop, p, DRAW_SCREENING);
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        bool old = p->start - p->birth >= OLD_DAYS;
        int64_t day = p->start + rng_wait_days(&r, old ? operations[i].old : operations[i].adult);
        if (day > p->end || day - p->birth < ADULT_DAYS)
            continue;
        int32_t visit = visit_add(c, CODE_INPATIENT, (int32_t)day, (int32_t)rng_below(&r, 3));
        event_add(c, TABLE_PROCEDURE, code_pick(&pop->vocabulary, operations[i].code, &r), (int32_t)day)
            ->visit = visit;
    }
    for (int64_t day = p->start; (day += rng_wait_days(&r, 330000)) <= p->end;)
        if (day - p->birth >= ADULT_DAYS)
            take(p, c, &r, (int32_t)day, visit_add(c, CODE_OUTPATIENT, (int32_t)day, 0),
                 TAKE_BP | TAKE_BMI |
                     (rng_chance(&r, P_ONE / 3) ? TAKE_CHOLESTEROL | TAKE_EGFR | TAKE_HBA1C : 0u));
}

/* What registration records: the decile of the home's area, and smoking (most people with COPD have smoked).
 */
static void draw_registration(const struct population *pop, const struct person *p, struct chunk *c)
{
    struct rng r = rng_stream(pop->key, p->index, DRAW_SCREENING + 16);
    struct event *imd = event_add(c, TABLE_OBSERVATION, code_id(CODE_IMD), p->start);
    imd->value = p->decile;
    imd->has_value = true;
    uint64_t smokes =
        p->first[SICK_COPD] != DATE_NONE ? PER_10000(5500) : PER_10000((uint64_t)(2300 - 170 * p->decile));
    if (p->start - p->birth >= ADULT_DAYS && rng_chance(&r, smokes))
        event_add(c, TABLE_OBSERVATION, code_id(CODE_SMOKER), p->start);
}

void care_draw(const struct population *pop, const struct person *p, struct chunk *c)
{
    event_add(c, TABLE_PERIOD, 0, p->start)->end = p->end;
    draw_registration(pop, p, c);
    for (enum disease d = 0; d < N_DISEASES; d++)
        if (p->first[d] != DATE_NONE)
            draw_reviews(pop, p, c, d);
    draw_therapies(pop, p, c);
    draw_acutes(pop, p, c);
    draw_screening(pop, p, c);
    if (p->death != DATE_NONE)
        event_add(c, TABLE_DEATH, p->cause, p->death);
}
