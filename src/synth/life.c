/* SPDX-License-Identifier: Apache-2.0
 *
 * A person's life. Illness is drawn by inverting prevalence: for each disease the share of people of an age
 * who have ever had it, p(age), rises with age; a person draws one uniform u and falls ill at the age where
 * p reaches u. So the prevalence at every age, on every day, is what the table declares, whatever the ages of
 * the population, and gradients by sex, deprivation and ethnicity are exact multipliers. Walking a hazard
 * year by year was rejected: what it gives as prevalence has no closed form to test against.
 *
 * Shares by age follow the order of magnitude of QOF registers and Health Survey for England figures.
 */
#include "synth/population.h"

enum { AGES = 10, DECADE_DAYS = 3652, MORTALITY_NODES = 21, FIVE_YEARS_DAYS = 1826 };

const int32_t window_start = 17532;   /* 2018-01-01 */
const int32_t window_end = 20453;     /* 2025-12-31 */
const int32_t census_day = 20089;     /* 2025-01-01 */
static const int32_t age_day = 18993; /* 2022-01-01: the day the age mix refers to */

struct course {
    enum code code;
    uint16_t male[AGES], female[AGES];      /* ever had it, per 10,000, at ages 0, 10, ... 90 and over */
    uint16_t most_deprived, least_deprived; /* percent of that in deciles 1 and 10; linear between */
    uint16_t heritage[4];                   /* percent, in the order of enum heritage */
    uint16_t mortality;                     /* percent of the usual death rate while ill */
};

static const struct course courses[N_DISEASES] = {
    [SICK_COPD] = {CODE_COPD,
                   {0, 0, 0, 2, 30, 180, 470, 820, 1050, 1100},
                   {0, 0, 0, 2, 30, 170, 420, 700, 850, 850},
                   170,
                   40,
                   {105, 60, 50, 80},
                   100},
    [SICK_ASTHMA] = {CODE_ASTHMA,
                     {0, 700, 800, 800, 800, 800, 820, 850, 880, 880},
                     {0, 500, 750, 850, 900, 950, 1000, 1050, 1080, 1080},
                     115,
                     88,
                     {100, 100, 95, 95},
                     100},
    [SICK_T2DM] = {CODE_T2DM,
                   {0, 2, 10, 70, 300, 750, 1300, 1800, 1950, 1950},
                   {0, 3, 15, 60, 220, 550, 950, 1350, 1500, 1500},
                   140,
                   62,
                   {90, 230, 170, 130},
                   100},
    [SICK_HYPERTENSION] = {CODE_HYPERTENSION,
                           {0, 0, 20, 150, 650, 1800, 3300, 4700, 5500, 5700},
                           {0, 0, 15, 100, 500, 1500, 3000, 4700, 5900, 6100},
                           115,
                           88,
                           {98, 110, 135, 100},
                           100},
    [SICK_AF] = {CODE_AF,
                 {0, 0, 3, 10, 40, 150, 500, 1200, 2100, 2600},
                 {0, 0, 1, 4, 15, 70, 270, 800, 1700, 2300},
                 98,
                 102,
                 {105, 45, 45, 60},
                 100},
    [SICK_HEART_FAILURE] = {CODE_HEART_FAILURE,
                            {0, 1, 2, 8, 30, 110, 310, 700, 1300, 1700},
                            {0, 1, 1, 5, 18, 60, 170, 450, 1000, 1500},
                            135,
                            75,
                            {100, 115, 110, 90},
                            250},
    [SICK_CKD] = {CODE_CKD,
                  {0, 1, 4, 15, 50, 170, 600, 1700, 3200, 4000},
                  {0, 1, 4, 15, 60, 230, 800, 2100, 3600, 4300},
                  118,
                  88,
                  {100, 110, 115, 90},
                  120},
    [SICK_DEPRESSION] = {CODE_DEPRESSION,
                         {0, 10, 500, 850, 1050, 1150, 1150, 1150, 1150, 1150},
                         {0, 20, 950, 1500, 1800, 1950, 2000, 2000, 2050, 2100},
                         135,
                         72,
                         {108, 60, 60, 75},
                         100},
    [SICK_ANXIETY] = {CODE_ANXIETY,
                      {0, 20, 450, 700, 800, 850, 850, 850, 870, 880},
                      {0, 30, 850, 1250, 1450, 1550, 1600, 1650, 1700, 1720},
                      125,
                      78,
                      {108, 65, 55, 75},
                      100},
    [SICK_DEMENTIA] = {CODE_DEMENTIA,
                       {0, 0, 0, 0, 0, 2, 15, 120, 650, 1700},
                       {0, 0, 0, 0, 0, 2, 14, 115, 750, 2300},
                       118,
                       88,
                       {100, 95, 115, 90},
                       260},
    [SICK_STROKE] = {CODE_STROKE,
                     {0, 1, 3, 10, 35, 120, 320, 700, 1200, 1500},
                     {0, 1, 3, 10, 30, 90, 220, 500, 950, 1300},
                     130,
                     78,
                     {100, 110, 120, 85},
                     180},
    [SICK_MI] = {CODE_MI,
                 {0, 0, 1, 5, 50, 200, 450, 800, 1150, 1350},
                 {0, 0, 0, 2, 12, 50, 120, 270, 480, 650},
                 135,
                 75,
                 {100, 145, 60, 85},
                 140},
    [SICK_LUNG_CANCER] = {CODE_LUNG_CANCER,
                          {0, 0, 0, 0, 1, 6, 30, 75, 110, 115},
                          {0, 0, 0, 0, 1, 6, 28, 65, 80, 80},
                          165,
                          55,
                          {105, 55, 60, 80},
                          1200},
    [SICK_BREAST_CANCER] = {CODE_BREAST_CANCER,
                            {0, 0, 0, 0, 0, 1, 2, 3, 4, 5},
                            {0, 0, 0, 8, 60, 200, 390, 600, 760, 860},
                            94,
                            106,
                            {105, 65, 80, 80},
                            150},
    [SICK_PROSTATE_CANCER] = {CODE_PROSTATE_CANCER,
                              {0, 0, 0, 0, 3, 40, 200, 580, 900, 1050},
                              {0},
                              88,
                              110,
                              {97, 55, 200, 75},
                              140},
    [SICK_COLON_CANCER] = {CODE_COLON_CANCER,
                           {0, 0, 0, 3, 10, 35, 95, 200, 330, 390},
                           {0, 0, 0, 3, 10, 30, 70, 150, 260, 320},
                           103,
                           97,
                           {105, 50, 75, 75},
                           300},
    [SICK_HYPOTHYROIDISM] = {CODE_HYPOTHYROIDISM,
                             {0, 5, 20, 40, 80, 130, 200, 290, 380, 420},
                             {0, 8, 70, 230, 430, 650, 850, 1050, 1200, 1250},
                             102,
                             98,
                             {105, 105, 45, 85},
                             100},
    [SICK_OSTEOARTHRITIS] = {CODE_OSTEOARTHRITIS,
                             {0, 0, 5, 40, 180, 600, 1300, 2100, 2700, 2900},
                             {0, 0, 5, 50, 230, 850, 1900, 3000, 3800, 4000},
                             115,
                             88,
                             {103, 90, 95, 80},
                             100},
    [SICK_RA] = {CODE_RA,
                 {0, 2, 4, 12, 30, 60, 95, 125, 140, 145},
                 {0, 4, 12, 35, 80, 145, 210, 260, 280, 285},
                 108,
                 94,
                 {102, 95, 80, 85},
                 100},
    [SICK_EPILEPSY] = {CODE_EPILEPSY,
                       {0, 50, 80, 95, 105, 115, 125, 140, 155, 160},
                       {0, 45, 78, 95, 105, 112, 120, 130, 140, 145},
                       130,
                       76,
                       {105, 75, 80, 75},
                       100},
    [SICK_SCHIZOPHRENIA] = {CODE_SCHIZOPHRENIA,
                            {0, 0, 30, 75, 100, 110, 115, 115, 115, 115},
                            {0, 0, 15, 40, 60, 75, 85, 90, 92, 92},
                            190,
                            38,
                            {85, 120, 290, 120},
                            100},
    [SICK_GORD] = {CODE_GORD,
                   {0, 60, 120, 350, 700, 1050, 1350, 1600, 1750, 1800},
                   {0, 50, 140, 400, 800, 1250, 1650, 1950, 2150, 2200},
                   115,
                   86,
                   {100, 105, 85, 85},
                   100},
};

enum code disease_code(enum disease d)
{
    return courses[d].code;
}

bool disease_is_lethal(enum disease d)
{
    return courses[d].mortality != 100;
}

/* Death rates per million person-years at ages 0, 5, ... 100 of people without a lethal disease: with those
   diseases the whole comes to about the ONS national life tables. */
static const uint32_t mortality_male[MORTALITY_NODES] = {900,   110,   90,    250,   550,   620,    800,
                                                         1050,  1500,  2100,  2800,  4000,  5900,   8600,
                                                         12600, 20500, 34500, 58500, 95000, 150000, 215000};
static const uint32_t mortality_female[MORTALITY_NODES] = {750,  90,    70,    150,   230,   280,    400,
                                                           600,  900,   1300,  1800,  2600,  3900,   5700,
                                                           8600, 14600, 25600, 46000, 79000, 130000, 195000};

/* The height at `at` of a polygon through n nodes `step` apart; flat behind the last. */
static uint64_t polygon(const uint64_t *nodes, int n, int32_t step, int32_t at)
{
    int k = at / step;
    if (at < 0)
        return nodes[0];
    if (k >= n - 1)
        return nodes[n - 1];
    int64_t rise = (int64_t)nodes[k + 1] - (int64_t)nodes[k];
    return (uint64_t)((int64_t)nodes[k] + rise * (at - k * step) / step);
}

/* Percent squared (10,000 = 1): what deprivation and heritage make of the table's share. */
static uint64_t gradient(const struct course *c, const struct person *p)
{
    int32_t step = p->decile - 1;
    int32_t deprived = c->most_deprived * (9 - step) + c->least_deprived * step; /* times 9 */
    return (uint64_t)deprived * c->heritage[ethnic_groups[p->ethnic].heritage] / 9;
}

static void shares_of(const struct person *p, enum disease d, uint64_t shares[AGES])
{
    const struct course *c = &courses[d];
    const uint16_t *table = p->female ? c->female : c->male;
    uint64_t factor = gradient(c, p);
    for (int k = 0; k < AGES; k++) {
        uint64_t share = PER_10000(table[k]) * factor / 10000;
        shares[k] = share < P_ONE ? share : P_ONE;
    }
}

uint64_t disease_prevalence(const struct person *p, enum disease d, int32_t age_days)
{
    uint64_t shares[AGES];
    shares_of(p, d, shares);
    return polygon(shares, AGES, DECADE_DAYS, age_days);
}

/* Age in days at which prevalence reaches u, or INT32_MAX when it never does. */
static int32_t onset_age(const struct person *p, enum disease d, uint32_t u)
{
    uint64_t shares[AGES];
    shares_of(p, d, shares);
    if (u >= shares[AGES - 1])
        return INT32_MAX;
    int k = 0;
    while (u >= shares[k + 1])
        k++;
    uint64_t within = (u - shares[k]) * DECADE_DAYS / (shares[k + 1] - shares[k]);
    return k * DECADE_DAYS + (int32_t)within + 1;
}

static void draw_diseases(const struct population *pop, struct person *p)
{
    struct rng r = person_stream(pop, p, DRAW_DISEASE);
    for (enum disease d = 0; d < N_DISEASES; d++) {
        int32_t age = onset_age(p, d, rng_u32(&r));
        int32_t onset = age == INT32_MAX ? INT32_MAX : p->birth + age;
        p->first[d] = onset > p->end ? DATE_NONE : onset < p->start ? p->start : onset;
    }
}

/* Age on age_day from the site's five-year bands; the youngest band goes on being born until the window's
 * end. Minority groups are younger: half of their over-60s are drawn again. */
static int32_t draw_birth(struct rng *r, const struct site_mix *mix, enum heritage heritage)
{
    enum { BAND_DAYS = 1826, BORN_LATER_DAYS = 1460 };
    for (int tries = 0;; tries++) {
        uint32_t births = (uint32_t)mix->ages[0] * BORN_LATER_DAYS / BAND_DAYS;
        if (rng_below(r, 1000 + births) < births)
            return age_day + (int32_t)rng_below(r, BORN_LATER_DAYS);
        unsigned band = rng_weighted(r, mix->ages, AGE_BANDS, 1000);
        if (heritage != HERITAGE_WHITE && band >= 12 && tries == 0 && rng_chance(r, P_ONE / 2))
            continue;
        uint32_t width = band == AGE_BANDS - 1 ? 2 * BAND_DAYS : BAND_DAYS;
        return age_day - (int32_t)(band * BAND_DAYS + rng_below(r, width)) - 1;
    }
}

/* Registered at the window's start or birth, one in five later; leaves at 4% a year. */
static void draw_observation(struct rng *r, struct person *p)
{
    int32_t earliest = p->birth > window_start ? p->birth : window_start;
    p->start = earliest;
    if (rng_chance(r, P_ONE / 5))
        p->start += (int32_t)rng_below(r, (uint32_t)(window_end - earliest));
    int64_t stay = rng_wait_days(r, 40000);
    p->end = stay < window_end - p->start ? p->start + (int32_t)stay : window_end;
}

/* Practices are ordered by deprivation; a practice serves about three neighbouring deciles. */
static int32_t draw_practice(struct rng *r, const struct population *pop, int decile)
{
    int64_t place = (int64_t)(decile - 1) * 65536 + rng_below(r, 3 * 65536) - 65536;
    int64_t practice = place * pop->practices / (10 * 65536);
    return (int32_t)(practice < 0 ? 0 : practice >= pop->practices ? pop->practices - 1 : practice);
}

static enum code cause_of_death(const struct person *p)
{
    static const enum disease by_rank[] = {SICK_LUNG_CANCER,   SICK_COLON_CANCER, SICK_DEMENTIA,
                                           SICK_HEART_FAILURE, SICK_STROKE,       SICK_MI,
                                           SICK_COPD};
    for (size_t i = 0; i < sizeof by_rank / sizeof by_rank[0]; i++)
        if (person_has(p, by_rank[i], p->end))
            return courses[by_rank[i]].code;
    return CODE_NONE;
}

/* Percent of the usual rate, by deprivation and what the person has on that day. */
static uint64_t frailty(const struct person *p, int32_t day)
{
    uint64_t percent = (uint64_t)(160 - 10 * (p->decile - 1));
    for (enum disease d = 0; d < N_DISEASES; d++)
        if (courses[d].mortality != 100 && person_has(p, d, day))
            percent = percent * courses[d].mortality / 100;
    return percent;
}

/* One unit exponential is used up year by year at the rate of that year. */
static void draw_death(const struct population *pop, struct person *p)
{
    struct rng r = person_stream(pop, p, DRAW_DEATH);
    uint64_t nodes[MORTALITY_NODES], left = rng_exponential(&r);
    for (int k = 0; k < MORTALITY_NODES; k++)
        nodes[k] = (p->female ? mortality_female : mortality_male)[k];
    p->death = DATE_NONE;
    for (int32_t day = p->start; day <= p->end; day += 365) {
        uint64_t rate = polygon(nodes, MORTALITY_NODES, FIVE_YEARS_DAYS, day - p->birth + 182);
        rate = rate * frailty(p, day) / 100;
        uint64_t used = (rate << 24) / 1000000;
        if (left < used) {
            int32_t death = day + 1 + (int32_t)(left * 365 / used);
            if (death <= p->end)
                p->death = p->end = death;
            return;
        }
        left -= used;
    }
}

static void forget_after_death(struct person *p)
{
    for (enum disease d = 0; d < N_DISEASES; d++)
        if (p->first[d] > p->end)
            p->first[d] = DATE_NONE;
    enum code cause = cause_of_death(p);
    p->cause = cause == CODE_NONE ? 0 : code_id(cause);
}

void life_draw(const struct population *pop, uint64_t index, struct person *p)
{
    const struct site_mix *mix = pop->site.mix;
    *p = (struct person){.index = index};
    struct rng r = person_stream(pop, p, DRAW_PERSON);
    p->female = rng_chance(&r, PER_10000(5060));
    p->ethnic = (uint8_t)rng_weighted(&r, mix->ethnicity, ETHNIC_GROUPS, 1000);
    p->decile = (uint8_t)(1 + rng_weighted(&r, mix->deciles, DECILES, 1000));
    p->birth = draw_birth(&r, mix, ethnic_groups[p->ethnic].heritage);
    draw_observation(&r, p);
    p->practice = draw_practice(&r, pop, p->decile);
    p->bmi = (int16_t)(275 - p->decile + rng_normal(&r, 42));
    draw_diseases(pop, p);
    draw_death(pop, p);
    forget_after_death(p);
}
