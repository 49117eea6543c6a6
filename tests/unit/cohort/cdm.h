/* SPDX-License-Identifier: Apache-2.0
 *
 * A small OMOP CDM in memory for the oracle: plain tables of rows, each row with a value per column. Read
 * from a folder of CSV files or made by the generator.
 */
#ifndef TESTS_COHORT_CDM_H
#define TESTS_COHORT_CDM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/store.h"

union cdm_value {
    int64_t i; /* NONE_I64 where missing; days and concepts too */
    double d;  /* NaN where missing */
    const char *s;
};

struct cdm_row {
    int64_t person_id;
    uint32_t person; /* index */
    union cdm_value v[STORE_N_COLUMNS];
};

struct cdm_table {
    struct cdm_row *rows;
    size_t n, capacity;
    size_t *first; /* rows of person p: [first[p], first[p + 1]), once indexed */
};

struct cdm_person {
    int64_t id;
    bool in_person;
    int64_t birth_year, gender, race, ethnicity;
};

struct cdm_period {
    int64_t person_id, id, type;
    uint32_t person;
    int32_t start, end;
};

struct cdm_concept {
    int64_t id;
    bool invalid;
};
struct cdm_pair {
    int64_t a, b;
};

struct cdm {
    struct arena *arena;
    struct cdm_person *persons;
    size_t n_persons, persons_capacity;
    struct cdm_period *periods;
    size_t n_periods, periods_capacity;
    struct cdm_table tables[STORE_N_TABLES];
    struct cdm_concept *concepts;
    size_t n_concepts, concepts_capacity;
    struct cdm_pair *ancestors; /* ancestor, descendant */
    size_t n_ancestors, ancestors_capacity;
    struct cdm_pair *maps; /* concept_id_1, concept_id_2 of valid 'Maps to' rows */
    size_t n_maps, maps_capacity;
};

struct cdm_column {
    const char *csv;
    enum store_column column;
    char kind; /* 'i' whole number, 'd' date, 'f' number, 't' text, 'p' provider, 's' care site, 'v' visit */
};
struct cdm_file {
    const char *name;                 /* "condition_occurrence" */
    const struct cdm_column *columns; /* ended by csv NULL */
};
extern const struct cdm_file cdm_files[STORE_N_TABLES];

struct cdm *cdm_new(void);
void cdm_free(struct cdm *c);
MUST_CHECK enum status cdm_load(const char *folder, struct cdm **out, struct err *e);
/* Sorts persons, periods and rows and fills in the indexes; persons without a PERSON row are added. */
void cdm_index(struct cdm *c);
struct cdm_row *cdm_add(struct cdm *c, enum store_table t); /* every value missing */

#endif
