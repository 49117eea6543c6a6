/* SPDX-License-Identifier: Apache-2.0
 *
 * A seeded synthetic population as a folder of OMOP CDM 5.4 CSV files, of any size in constant memory
 * (docs/synthetic-data.md). Nobody in it exists. The same options give the same bytes on every machine and
 * for every number of threads.
 *
 * The folder is built beside its final place and renamed when it is whole; a failure or Ctrl-C leaves
 * nothing. What was planted (truth.json in the folder) is what analyses can be tested against.
 */
#ifndef ACCORD_SYNTH_SYNTH_H
#define ACCORD_SYNTH_SYNTH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/pool.h"
#include "base/zip.h"

enum synth_profile {
    SYNTH_UK,         /* the UK-like population with gradients and planted truths */
    SYNTH_BENCH_1M,   /* 113 events a person over 26,525 concepts: speed at population size */
    SYNTH_BENCH_DENSE /* 1,000 events a person: speed at record density */
};

struct synth_options {
    const char *site; /* a name that synth_site_known accepts, or any other name: England's mix */
    const char *folder;
    uint64_t persons; /* 1 to SYNTH_MOST_PERSONS */
    uint64_t seed;
    enum synth_profile profile;
    enum zip zip; /* of the event tables and persons; the small files stay plain */
};
#define SYNTH_MOST_PERSONS 100000000u /* a site's block of person ids */

/* One planted truth, for people: name, value, and what it is the truth of. */
struct synth_truth {
    const char *name; /* "hazard_ratio" */
    double value;
    const char *brief; /* a line for a table */
    const char *what;  /* population, exposure, outcome and the model that finds it */
};
#define SYNTH_MOST_TRUTHS 16
#define SYNTH_TABLES      12

struct synth_summary {
    uint64_t rows[SYNTH_TABLES]; /* in the order of synth_table_names */
    int n_tables;                /* how many of them the profile writes */
    uint64_t bytes;
    struct synth_truth truths[SYNTH_MOST_TRUTHS];
    size_t n_truths;
};
extern const char *const synth_table_names[SYNTH_TABLES];

/* Refuses a folder that exists and is not empty, persons out of range, and a site name that is nearly a known
   one. */
MUST_CHECK enum status synth_generate(const struct synth_options *o, struct pool *pool,
                                      struct synth_summary *out, struct err *e);

/* Sites with their own mix of age, ethnicity and deprivation: the i-th name, NULL behind the last. */
const char *synth_site_name(size_t i);

#endif
