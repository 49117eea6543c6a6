/* SPDX-License-Identifier: Apache-2.0
 *
 * The airlock is a type. An analysis gives a struct result: raw tables that never leave the site. Only
 * disclose/ turns it into a struct released (release.h), and only that is accepted by grid/, http/ and every
 * exporter.
 *
 * A table is a list of cells over its dimensions. Each cell carries the number of distinct persons behind it
 * and what the rules need beyond that (the two largest contributions for dominance, numerator and
 * denominator). What kind of output a table is decides its rules, not the function that made it.
 *
 * Structure is what an attacker uses, so it must be said: a level with a `parent` adds up, with its siblings,
 * to that level's cell; levels of a `nested` dimension (attrition) are sets each within the one before;
 * levels without either are unrelated (persons may be in several). A table whose cells contradict what it
 * says is refused. Cells that are left out count as zero persons.
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
    OUTPUT_SURVIVAL,   /* survival steps: at risk, events */
    OUTPUT_REGRESSION, /* coefficients with degrees of freedom */
    OUTPUT_TEST,       /* test statistics, correlations */
    OUTPUT_MODEL,      /* trained models */
    OUTPUT_TYPES
};
const char *output_type_name(enum output_type t); /* "count" */

/* How people look at a table (disclose/picture.h): it follows from the analysis, not from a reader's guess.
 */
enum picture_kind {
    PICTURE_BY_SHAPE,    /* what type and dimensions suggest: flow, pyramid, heat map, bars, points */
    PICTURE_NONE,        /* nothing to look at, or drawn with another table */
    PICTURE_FUNNEL,      /* "_ratios" over units, with "_funnel" and "_dispersion" */
    PICTURE_GRADIENT,    /* "_groups" in order, with "_indices" */
    PICTURE_SURVIVAL,    /* "_curve": share without the event, with "_at_risk" */
    PICTURE_INCIDENCE,   /* "_cumulative_incidence": share with it, with "_at_risk" */
    PICTURE_FOREST,      /* ratios with intervals, on a log scale */
    PICTURE_DIFFERENCES, /* differences around 0 */
    PICTURE_PATHWAYS,    /* counts by path, "A > B + C" */
    PICTURE_CALIBRATION, /* predicted beside observed, with "_performance" */
    PICTURE_CONTROL,     /* interval by figure: XmR, CUSUM */
    PICTURE_SERIES,      /* figures over a dimension "interval" */
    PICTURE_KINDS
};
const char *picture_kind_name(enum picture_kind k); /* "funnel"; NULL for PICTURE_BY_SHAPE */
/* The kind of that name; NULL is PICTURE_BY_SHAPE. False for any other name. */
bool picture_kind_find(const char *name, enum picture_kind *out);

/* A model of one grouping of persons and nothing else is the table of its groups, written another way: what
   its terms are made of. */
enum saturated {
    SATURATED_NOT = 0,
    SATURATED_LOG_ODDS, /* logistic: coefficients */
    SATURATED_ODDS,     /* their exponentials */
    SATURATED_RATES,    /* Poisson, on either scale */
    SATURATED_MEANS     /* linear */
};

struct result_level {
    const char *label;
    int32_t parent; /* level this one adds up into, -1 for none; a total level has children */
};

struct result_dimension {
    const char *name;
    struct result_level *levels;
    uint32_t n_levels;
    bool nested;
};

/* A table (of type TEST) that says why a model has no estimate: its cells have no values. */
enum no_estimate {
    NO_ESTIMATE_NOT = 0,
    NO_ESTIMATE_SAID,
    NO_ESTIMATE_OF_NONE /* because nobody has the event, or nobody of a group */
};

/* result_add_table sets `persons` to 0, the doubles after `value` to NaN and the integers after them to -1:
   an analysis fills what its kind of output has. */
struct result_cell {
    const uint32_t *at;  /* one level per dimension */
    int64_t persons;     /* distinct persons behind the cell */
    double value;        /* what would be printed: the count itself, a sum, an estimate */
    double lower, upper; /* its interval */
    double numerator;    /* RATE: events or persons; SURVIVAL: events of the step; REGRESSION: events of the
                              smallest level behind the term */
    double denominator;  /* RATE: persons or person-time; SURVIVAL: at risk when the step begins; a saturated
                              REGRESSION: persons in the term's own group */
    double top1, top2;   /* SUM: the two largest absolute contributions */
    double quantile;     /* QUANTILE: 0..1, which one */
    int64_t event_persons;  /* RATE: distinct persons in the numerator, where it counts something else; a
                              saturated REGRESSION: persons with the event in the term's own group */
    int64_t below, above;   /* QUANTILE: persons strictly below and above the printed value */
    int64_t level_persons;  /* REGRESSION: persons in the smallest level or interaction behind the term */
    int64_t against;        /* a saturated REGRESSION: persons in the group it is compared with; -1 = it is a
                               level of its own, not a comparison */
    int64_t against_events; /* ... and those with the event */
    int64_t key;            /* COUNT: the sum of its persons' record keys modulo 2^32 (cellkey.h) */
};

struct result_table {
    const char *name;  /* "by_age_sex" : unique in the result, [a-z0-9_]+ */
    const char *title; /* for people */
    const char *unit;  /* "persons", "per 1,000 person-years" */
    enum output_type type;
    enum picture_kind picture;
    bool found;                   /* its levels are those that somebody has: one that is listed is not zero */
    bool mean;                    /* SUM: `value` is the mean of `persons` contributions, not their sum */
    enum no_estimate no_estimate; /* TEST */
    enum saturated saturated;     /* REGRESSION */
    struct result_dimension *dimensions;
    uint32_t n_dimensions;
    struct result_cell *cells;
    uint64_t n_cells;
    int64_t degrees_of_freedom; /* REGRESSION, TEST: residual; -1 otherwise */
    int64_t persons;            /* REGRESSION, TEST, MODEL: all persons behind it; -1 otherwise */
    int64_t parameters;         /* REGRESSION: estimated parameters; -1 otherwise */
    const struct js *notes;     /* extra facts (rounds, model terms); may be NULL; borrowed. MODEL: "kind",
                                   "smallest_leaf", "train_auc", "test_auc", "attack_auc" */
};

struct result {
    struct arena *arena; /* owns everything below */
    const char *title;
    struct result_table *tables;
    uint32_t n_tables;
    struct js *source; /* the document it was read from, whose notes it borrows; NULL otherwise */
};

struct result *result_new(const char *title);
void result_free(struct result *r); /* NULL is fine */
/* A table with its cells as said above; dimensions, cells' levels and values are filled by the caller from
   the arena. Pointers to earlier tables are no longer good. */
struct result_table *result_add_table(struct result *r, const char *name, const char *title,
                                      enum output_type type, uint32_t n_dimensions, uint64_t n_cells);
/* Whether names are unique, levels and parents exist, parents form trees, no cell is given twice, counts are
   whole and not negative. ST_INVALID names table and dimension or cell. */
MUST_CHECK enum status result_check(const struct result *r, struct err *e);

/* The site's own form of a raw result (docs/formats/result.md): what `accord disclose check` reads.
   result_from_json checks. */
struct js *result_to_json(const struct result *r);
/* A dimension with its levels, as results and released documents write it; the caller owns it. */
struct js *result_dimension_json(const struct result_dimension *d);
MUST_CHECK enum status result_from_json(const struct js *j, struct result **out, struct err *e);

#endif
