/* SPDX-License-Identifier: Apache-2.0
 *
 * The airlock is a type. An analysis gives a struct result: raw tables that never leave the site. Only
 * disclose/ turns it into a struct released (release.h), and only that is accepted by grid/, http/ and every
 * exporter.
 *
 * A table is a list of cells over its dimensions. Each cell carries the number of distinct persons behind it
 * and what the rules need beyond that (the two largest contributions for dominance, numerator and
 * denominator). What kind of output a table is decides its rules, not the function that made it
 * (../shared/disclosure.md section 2 is the source of the kinds).
 */
#ifndef ACCORD_DISCLOSE_RESULT_H
#define ACCORD_DISCLOSE_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"

enum output_type {
    OUTPUT_COUNT,      /* counts, cross-tabulations, attrition, histograms */
    OUTPUT_RATE,       /* numerator over denominator: rates, proportions, ratios */
    OUTPUT_SUM,        /* sums and means, with dominance */
    OUTPUT_QUANTILE,   /* quantiles, medians */
    OUTPUT_EXTREME,    /* minima, maxima */
    OUTPUT_SURVIVAL,   /* survival steps: at risk, events, censored */
    OUTPUT_REGRESSION, /* coefficients with degrees of freedom */
    OUTPUT_TEST,       /* test statistics, correlations */
    OUTPUT_MODEL,      /* trained models */
    OUTPUT_TYPES
};

struct result_level {
    const char *label;
    int32_t parent; /* level this one adds up into, -1 for none; a total level has children */
};

struct result_dimension {
    const char *name;
    struct result_level *levels;
    uint32_t n_levels;
};

struct result_cell {
    const uint32_t *at;            /* one level per dimension */
    int64_t persons;               /* distinct persons behind the cell */
    double value;                  /* what would be printed: the count itself, a sum, an estimate */
    double lower, upper;           /* its interval; NaN where there is none */
    double numerator, denominator; /* OUTPUT_RATE; NaN otherwise */
    double top1, top2;             /* OUTPUT_SUM: the two largest absolute contributions; NaN otherwise */
};

struct result_table {
    const char *name;  /* "by_age_sex" : unique in the result, [a-z0-9_]+ */
    const char *title; /* for people */
    const char *unit;  /* "persons", "per 1,000 person-years" */
    enum output_type type;
    struct result_dimension *dimensions;
    uint32_t n_dimensions;
    struct result_cell *cells;
    uint64_t n_cells;
    int64_t degrees_of_freedom; /* OUTPUT_REGRESSION, OUTPUT_TEST; -1 otherwise */
    const struct js *notes;     /* extra facts for people (rounds, model terms); may be NULL; borrowed */
};

struct result {
    struct arena *arena; /* owns everything below */
    const char *title;
    struct result_table *tables;
    uint32_t n_tables;
};

struct result *result_new(const char *title);
void result_free(struct result *r);
/* A table with its cells zeroed; dimensions and cells are filled by the caller from the arena. */
struct result_table *result_add_table(struct result *r, const char *name, const char *title,
                                      enum output_type type, uint32_t n_dimensions, uint64_t n_cells);

/* The site's own form of a raw result (documented in docs/formats/result.md): what `accord disclose check`
 * reads. */
struct js *result_to_json(const struct result *r);
MUST_CHECK enum status result_from_json(const struct js *j, struct result **out, struct err *e);

#endif
