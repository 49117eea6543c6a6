/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the generator share. Persons are made one by one from their own random streams
 * (life.c, care.c, truth.c; bench.c for the bench profiles) as events in the arrays of a chunk; chunks are
 * made in parallel, and only then numbered and written in order (write.c), so that neither the number of
 * threads nor the size of a chunk shows in the bytes.
 */
#ifndef ACCORD_SYNTH_POPULATION_H
#define ACCORD_SYNTH_POPULATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/date.h"
#include "base/text.h"
#include "synth/rng.h"
#include "synth/sites.h"
#include "synth/synth.h"
#include "synth/vocab.h"

/* Purposes of a person's random streams. */
enum purpose {
    DRAW_PERSON,
    DRAW_DISEASE,
    DRAW_DEATH,
    DRAW_ACUTE,
    DRAW_REVIEW,
    DRAW_THERAPY,
    DRAW_SCREENING,
    DRAW_TRUTH,
    DRAW_BENCH
};

enum table {
    TABLE_PERSON,
    TABLE_PERIOD,
    TABLE_VISIT,
    TABLE_CONDITION,
    TABLE_DRUG,
    TABLE_PROCEDURE,
    TABLE_MEASUREMENT,
    TABLE_OBSERVATION,
    TABLE_DEATH,
    TABLE_CONDITION_ERA, /* eras: the UK profile only */
    TABLE_DRUG_ERA,
    TABLE_DOSE_ERA
};
_Static_assert(TABLE_DOSE_ERA + 1 == SYNTH_TABLES, "one name per table");

/* One row of any event table. */
enum { NO_VISIT = -1 };
struct event {
    int32_t concept, source; /* source 0 = none */
    int32_t start, end;      /* end may be DATE_NONE */
    int32_t value, unit;     /* value is scaled by 10^decimals; unit 0 = none */
    uint32_t person;         /* within the chunk */
    int32_t visit;           /* within the chunk's visits, or NO_VISIT */
    int32_t gap_days;        /* of drug eras */
    uint8_t decimals;
    bool has_value;
};
struct events {
    struct event *v;
    size_t n, capacity;
};

enum disease {
    SICK_COPD,
    SICK_ASTHMA,
    SICK_T2DM,
    SICK_HYPERTENSION,
    SICK_AF,
    SICK_HEART_FAILURE,
    SICK_CKD,
    SICK_DEPRESSION,
    SICK_ANXIETY,
    SICK_DEMENTIA,
    SICK_STROKE,
    SICK_MI,
    SICK_LUNG_CANCER,
    SICK_BREAST_CANCER,
    SICK_PROSTATE_CANCER,
    SICK_COLON_CANCER,
    SICK_HYPOTHYROIDISM,
    SICK_OSTEOARTHRITIS,
    SICK_RA,
    SICK_EPILEPSY,
    SICK_SCHIZOPHRENIA,
    SICK_GORD,
    N_DISEASES
};

struct person {
    uint64_t index; /* 0-based in the site */
    int32_t birth, start, end;
    int32_t death;             /* DATE_NONE while alive at `end` */
    int32_t first[N_DISEASES]; /* first recorded: onset, or the start of observation if that is later */
    int32_t cause;             /* cause of death, concept id */
    int32_t practice;
    int16_t bmi; /* usual, times 10 */
    uint8_t ethnic, decile /* 1 to 10 */;
    bool female;
};

/* Sums over persons under observation on the census day, for truth.json. */
struct tally {
    uint64_t observed[N_DISEASES], expected[N_DISEASES];             /* expected in 2^-20 persons */
    uint64_t at_risk;                                                /* persons */
    uint64_t adults[DECILES], copd[DECILES], copd_expected[DECILES]; /* aged 40 and over */
};

struct chunk {
    struct person *persons;
    uint32_t n_persons;
    struct events events[SYNTH_TABLES]; /* those of TABLE_PERSON stay empty: persons are their own rows */
    struct buf texts[SYNTH_TABLES], packed[SYNTH_TABLES];
    struct tally tally;
};

struct zipf;
struct population {
    const struct synth_options *options;
    struct site site;
    uint64_t key;
    struct vocabulary vocabulary;
    int32_t practices;
    struct zipf *zipfs[3]; /* bench profiles: conditions, drugs, measurements */
};

/* The window of the UK profile, and the day on which prevalence is declared. */
extern const int32_t window_start, window_end, census_day;

static inline struct rng person_stream(const struct population *pop, const struct person *p, enum purpose d)
{
    return rng_stream(pop->key, p->index, d);
}

/* Appends; the pointer is good until the next append to the same table. */
struct event *event_add(struct chunk *c, enum table t, int32_t concept, int32_t start);
/* A visit of the chunk's newest person; returns its place for `visit`. */
int32_t visit_add(struct chunk *c, enum code kind, int32_t start, int32_t days);

/* bench.c */
void bench_init(struct population *pop);
void bench_deinit(struct population *pop);
void bench_person(const struct population *pop, uint64_t index, struct chunk *c);

/* life.c: who a person is, how long they are under observation, what they fall ill with. */
void life_draw(const struct population *pop, uint64_t index, struct person *p);
/* The probability (2^-32) that a person of this age, sex, decile and ethnic group has ever had the disease.
 */
uint64_t disease_prevalence(const struct person *p, enum disease d, int32_t age_days);
enum code disease_code(enum disease d);
/* Diseases that raise mortality: their prevalence among the living is below what is declared. */
bool disease_is_lethal(enum disease d);
static inline bool person_has(const struct person *p, enum disease d, int32_t day)
{
    return p->first[d] != DATE_NONE && p->first[d] <= day;
}

/* care.c: visits, records, medicines and measurements that follow from a life. */
void care_draw(const struct population *pop, const struct person *p, struct chunk *c);
/* Prescriptions of a medicine every `interval` days from a day to the end of observation or of treatment. */
void care_prescribe(const struct population *pop, struct chunk *c, struct rng *r, enum code drug,
                    int32_t from, int32_t to, int32_t interval);

/* era.c: the eras of the chunk's newest person, from the person's records of conditions and medicines, which
 * begin at those places of the chunk's. */
void era_draw(struct chunk *c, size_t first_condition, size_t first_drug);

/* truth.c: the planted effects, their tally, and truth.json. */
void truth_draw(const struct population *pop, const struct person *p, struct chunk *c);
void truth_tally(const struct person *p, struct tally *t);
void tally_add(struct tally *into, const struct tally *more);
void truth_report(const struct tally *t, struct synth_summary *out);
struct js *truth_json(const struct population *pop, const struct tally *t, const struct synth_summary *s);

/* write.c: rows to CSV text. ids[t] is the number of rows of table t before this chunk. */
void write_header(enum table t, struct buf *out);
void write_rows(const struct population *pop, const struct chunk *c, enum table t,
                const uint64_t ids[SYNTH_TABLES], uint64_t first_person, struct buf *out);
/* The small files: care sites, location, concepts and their relations, CDM source. */
MUST_CHECK enum status write_places(const struct population *pop, const char *folder, struct err *e);
MUST_CHECK enum status write_vocabulary(const struct population *pop, const char *folder, struct err *e);

#endif
