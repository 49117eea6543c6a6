/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the patient store: an immutable directory of memory-mapped, checksummed column files
 * (docs/formats/store.md). Opening is cheap; nothing is decoded before it is asked for. A struct store may be
 * read by any number of threads.
 *
 * Persons have a dense index 0..n-1 in source person_id order. Each event table's rows lie in (concept,
 * person, start, id) order and are numbered 0..n-1; all rows of one concept are one run, concepts are
 * numbered in hierarchy order, so a concept with its descendants is mostly one row range. A column is decoded
 * for any row range into plain arrays.
 */
#ifndef ACCORD_STORE_STORE_H
#define ACCORD_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/pool.h"
#include "base/table.h" /* NONE_I32, NONE_I64 */

enum store_table {
    STORE_CONDITION,
    STORE_PROCEDURE,
    STORE_DRUG,
    STORE_DEVICE,
    STORE_MEASUREMENT,
    STORE_OBSERVATION,
    STORE_SPECIMEN,
    STORE_DEATH, /* concept = cause_concept_id; it has no id of its own: COL_ID is the person index + 1 */
    STORE_VISIT,
    STORE_VISIT_DETAIL,
    STORE_CONDITION_ERA,
    STORE_DRUG_ERA,
    STORE_DOSE_ERA,
    STORE_PAYER_PLAN, /* concept = payer_concept_id; the other three concept columns are attributes */
    STORE_N_TABLES
};

/* Columns of an event table. Which table has which is in schema.c. */
enum store_column {
    COL_PERSON, /* u32 person index, read as i32 */
    COL_CONCEPT,
    COL_START, /* days (base/date.h) */
    COL_END,   /* as the source has it: DATE_NONE where missing; no default is filled in */
    COL_ID,    /* the source's event id, i64 */
    COL_VISIT, /* visit_occurrence_id, i64; for visits their own id, for visit details their visit's */
    COL_TYPE,
    COL_SOURCE_CONCEPT,
    COL_STATUS,
    COL_STOP_REASON, /* text */
    COL_PROVIDER_SPECIALTY,
    COL_VISIT_CONCEPT, /* visit_concept_id of the linked visit of the same person; missing where there is none
                        */
    COL_PLACE_OF_SERVICE, /* of the visit's care site */
    COL_CARE_SITE,        /* i64 */
    COL_VALUE_NUMBER,     /* f64 */
    COL_VALUE_CONCEPT,
    COL_VALUE_TEXT, /* text */
    COL_UNIT,
    COL_OPERATOR,
    COL_RANGE_LOW,  /* f64 */
    COL_RANGE_HIGH, /* f64 */
    COL_QUALIFIER,
    COL_QUANTITY, /* f64 */
    COL_REFILLS,
    COL_DAYS_SUPPLY,
    COL_ROUTE,
    COL_LOT_NUMBER, /* text */
    COL_MODIFIER,
    COL_UNIQUE_DEVICE_ID, /* text */
    COL_ANATOMIC_SITE,
    COL_DISEASE_STATUS,
    COL_SOURCE_ID, /* specimen_source_id, text */
    COL_ADMITTED_FROM,
    COL_DISCHARGED_TO,
    COL_OCCURRENCE_COUNT,
    COL_GAP_DAYS,
    COL_DOSE_VALUE, /* f64 */
    COL_PLAN_CONCEPT,
    COL_SPONSOR_CONCEPT,
    COL_STOP_REASON_CONCEPT,
    COL_PLAN_SOURCE_CONCEPT, /* the payer's source concept is COL_SOURCE_CONCEPT */
    COL_SPONSOR_SOURCE_CONCEPT,
    COL_STOP_REASON_SOURCE_CONCEPT,
    STORE_N_COLUMNS
};

enum store_kind { KIND_ABSENT, KIND_I32, KIND_I64, KIND_F64, KIND_TEXT };
struct store;
MUST_CHECK enum status store_open(const char *path, struct store **out, struct err *e);
void store_close(struct store *s);
const struct js *store_manifest(const struct store *s); /* borrowed */
const char *store_snapshot_id(const struct store *s);   /* hex hash of the manifest: names this content */
/* The quality report of the import (docs/formats/store.md); the caller frees it. */
MUST_CHECK enum status store_quality(const struct store *s, struct js **out, struct err *e);

/* Persons: parallel arrays of n, mapped. */
struct store_persons {
    uint32_t n;
    const int16_t *birth_year;                /* INT16_MIN where in_person is 0 */
    const int8_t *birth_month;                /* 0 = missing */
    const int8_t *birth_day;                  /* 0 = missing */
    const int32_t *gender, *race, *ethnicity; /* concept ids; 0 as the source has it, NONE_I32 missing */
    const int32_t *location, *care_site;      /* for store_place, store_care_site; -1 missing */
    /* Persons that events or periods name but PERSON has no row for are kept with in_person = 0: Circe counts
     * them. */
    const uint8_t *in_person;
};
const struct store_persons *store_persons(const struct store *s);
/* The pseudonym: 16 bytes, HMAC of the source id under the site's key, equal for the same person in every
 * import. */
void store_pseudonym(const struct store *s, uint32_t person, uint8_t out[16]);
/* Source person_ids of all persons (n of them, caller frees), unsealed with the site's key; for digests and
   opt-outs at the site only. */
MUST_CHECK enum status store_source_ids(const struct store *s, const char *key_path, int64_t **out,
                                        struct err *e);

/* LOCATION (addresses are not kept) and CARE_SITE; false past the end. Texts are borrowed, "" where missing.
 */
struct store_place {
    int64_t id;
    double latitude, longitude; /* NaN where missing */
    const char *state, *county, *zip, *source_value;
};
struct store_care_site {
    int64_t id;
    int32_t place_of_service; /* NONE_I32 missing */
    int32_t place;            /* index of its location; -1 missing */
    const char *name, *source_value;
};
bool store_place(const struct store *s, uint32_t i, struct store_place *out);
bool store_care_site(const struct store *s, uint32_t i, struct store_care_site *out);

/* Observation periods of a person: [first, first + n) of parallel arrays, sorted by start, then id. */
struct store_periods {
    const uint32_t *offset; /* persons + 1 */
    const uint32_t *only;   /* per person: the one period there is, in 32 bits (only_period.h) */
    const int32_t *start, *end, *type;
    const int64_t *id;
};
const struct store_periods *store_periods(const struct store *s);

/* Vocabulary. Concept ids are the source's; a concept's index is its place in hierarchy order. */
struct store_concept {
    int32_t id;
    bool in_concept; /* has a row in CONCEPT */
    bool invalid;    /* invalid_reason is set */
    bool standard;
    const char *name, *domain, *vocabulary, *code, *concept_class; /* borrowed; "" where absent */
};
bool store_concept_find(const struct store *s, int32_t id, struct store_concept *out);
/* Ids of CONCEPT_ANCESTOR descendants of an id (without the id itself unless a row says so), valid or not,
 * ascending; borrowed array. */
void store_descendants(const struct store *s, int32_t id, const int32_t **ids, uint32_t *n);
/* All ids that have descendants, ascending (borrowed array), and the descendants of the i-th. */
void store_ancestors(const struct store *s, const int32_t **ids, uint32_t *n);
void store_descendants_at(const struct store *s, uint32_t i, const int32_t **ids, uint32_t *n);
/* concept_id_1 of valid 'Maps to' rows whose concept_id_2 is id. */
void store_mapped_from(const struct store *s, int32_t id, const int32_t **ids, uint32_t *n);

/* Events. */
const char *store_table_name(enum store_table t);               /* OMOP's: "condition_occurrence" */
uint64_t store_rows(const struct store *s, enum store_table t); /* 0 when the table was not imported */
enum store_kind store_column_kind(enum store_table t, enum store_column c);
struct store_run {
    int32_t concept_id;
    uint64_t first, n; /* rows */
    uint32_t persons;  /* distinct */
    int32_t first_day, last_day;
};
/* All runs of a table in row order; borrowed array. */
void store_runs(const struct store *s, enum store_table t, const struct store_run **runs, uint32_t *n);
/* Places in that array by ascending concept id. */
const uint32_t *store_runs_by_concept(const struct store *s, enum store_table t);
/* The run of a concept; false when there are no rows. */
bool store_run_find(const struct store *s, enum store_table t, int32_t concept_id, struct store_run *out);

/* The same counted from the rows: `out` has one element per run of store_runs. pool NULL = one thread. */
MUST_CHECK enum status store_recount(const struct store *s, enum store_table t, struct pool *pool,
                                     struct store_run *out, struct err *e);

/* Persons within a run: the first row of the run whose person is at or behind `person` (its end when there is
   none). A person range [a, b) of a run is the rows from seek(a) to seek(b). */
MUST_CHECK enum status store_run_seek(const struct store *s, enum store_table t, const struct store_run *r,
                                      uint32_t person, uint64_t *row, struct err *e);
/* Columns lie in blocks of 512 rows; decoding whole blocks is cheapest. The person of the first row of each
 * block of the table (block b holds rows [512 b, 512 b + 512)); within a run they ascend: skip blocks of
 * persons of no interest.
 */
enum { STORE_BLOCK_ROWS = 512 };
void store_block_persons(const struct store *s, enum store_table t, const uint32_t **first, uint64_t *n);
/* Whether any row of the table has a value there; a column without is cheap to read all the same. */
bool store_has_values(const struct store *s, enum store_table t, enum store_column c);

/* Decodes rows [first, first + n) of a column. The kind must fit: i32 for COL_PERSON, days, concepts and text
 * codes. */
MUST_CHECK enum status store_read_i32(const struct store *s, enum store_table t, enum store_column c,
                                      uint64_t first, uint64_t n, int32_t *out, struct err *e);
MUST_CHECK enum status store_read_i64(const struct store *s, enum store_table t, enum store_column c,
                                      uint64_t first, uint64_t n, int64_t *out, struct err *e);
MUST_CHECK enum status store_read_f64(const struct store *s, enum store_table t, enum store_column c,
                                      uint64_t first, uint64_t n, double *out, struct err *e);
/* Of the same rows those whose mask is 1 (0 or 1, one per row), side by side; `out` has room for them. */
MUST_CHECK enum status store_pick_f64(const struct store *s, enum store_table t, enum store_column c,
                                      uint64_t first, uint64_t n, const uint8_t *mask, double *out,
                                      struct err *e);
/* COL_END of those rows, of which the caller knows COL_START: starts[i] is of the i-th whose mask is 1. */
MUST_CHECK enum status store_pick_ends(const struct store *s, enum store_table t, uint64_t first, uint64_t n,
                                       const uint8_t *mask, const int32_t *starts, int32_t *out,
                                       struct err *e);
/* Ids mostly lie as distances to the least of their person. These of a range of persons, for reading ids of many of
 * them: `base` is NULL, and n is 0, where the table's do not lie so. */
struct store_id_bases {
    uint32_t first, n;
    int64_t *base;
};
MUST_CHECK enum status store_id_bases_read(const struct store *s, enum store_table t, uint32_t first,
                                           uint32_t n, struct store_id_bases *out, struct err *e);
void store_id_bases_deinit(struct store_id_bases *b);
/* COL_ID of the n rows first + at[i] (ascending), of which the caller knows the person: person[at[i]]. out[i] is of
 * the i-th. Persons that are not in `bases`, which may be empty, are looked up one by one. */
MUST_CHECK enum status store_pick_ids(const struct store *s, enum store_table t, uint64_t first,
                                      const uint16_t *at, size_t n, const int32_t *person,
                                      const struct store_id_bases *bases, int64_t *out, struct err *e);
/* The text of a code of a text column; borrowed, NUL-terminated; NULL for -1. n_texts is the dictionary's
 * size. */
const char *store_text(const struct store *s, enum store_table t, enum store_column c, int32_t code);
int32_t store_n_texts(const struct store *s, enum store_table t, enum store_column c);

/* Reads every byte of the store against its checksums, and counts the statistics of runs again; ST_CORRUPT
   names the file. */
MUST_CHECK enum status store_verify(const struct store *s, struct pool *pool, struct err *e);

#endif
