/* SPDX-License-Identifier: Apache-2.0
 *
 * Small random CDMs as folders of CSV files, with everything that was written kept in memory, so that tests
 * can say what a store made from them must hold without asking the code under test.
 */
#ifndef ACCORD_TESTS_CDM_FIXTURE_H
#define ACCORD_TESTS_CDM_FIXTURE_H

#include "base/json.h"
#include "store/import.h"
#include "store/schema.h"

enum { CDM_PERSONS = 60, CDM_CONCEPTS = 40, CDM_LOOKUPS = 12, CDM_COLUMNS = 24, CDM_VISITS = 400 };

/* A cell as written: empty is missing. */
struct cell {
    char text[32];
};
struct cdm_row {
    struct cell cells[CDM_COLUMNS]; /* in the order of the table's schema */
    int line;
};
struct cdm_table {
    struct cdm_row *rows;
    int n;
    bool written;
};
struct cdm {
    char folder[64];
    unsigned seed;
    int n_persons;
    int64_t person_ids[CDM_PERSONS];
    int32_t concepts[CDM_CONCEPTS];
    int64_t providers[CDM_LOOKUPS], sites[CDM_LOOKUPS];
    int32_t specialties[CDM_LOOKUPS], places[CDM_LOOKUPS]; /* NONE_I32 missing */
    struct cdm_table tables[STORE_N_TABLES];
};

struct cdm *cdm_new(unsigned seed, int most_rows);
void cdm_free(struct cdm *c);                                           /* and its folder */
void cdm_write(const char *folder, const char *file, const char *text); /* one file more */
/* Imports `folder` into `store`; fails the test unless the status is `expected`. The error's text is returned
 * (static). */
const char *cdm_import(const char *folder, const char *store, const struct import_options *more,
                       enum status expected);
unsigned cdm_random(struct cdm *c, unsigned below);
void cdm_remove(const char *folder);

#endif
