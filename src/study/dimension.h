/* SPDX-License-Identifier: Apache-2.0
 *
 * Dimensions: what a table is broken down by. A dimension is a fixed list of levels, known from the
 * specification alone so that every site's vector has the same shape, and a function that gives each index
 * row one level. In a specification it is a name ("sex") or an object ({"by": "age_band", "cuts": [18, 65]}):
 *
 *     sex                   male, female, other or unknown (gender_concept_id 8507, 8532)
 *     age_band              completed years at entry; "cuts": first ages of the bands after the first
 *     deprivation_quintile, deprivation_decile
 *                           the latest value 1..10 on or before entry of an OBSERVATION ("concept",
 * 35812882), 1 = most deprived ethnicity, race       "levels": [{"label", "concepts"}]; standard lists where
 * not given care_site, region     "levels": [{"label", "ids"}] of the source's care_site_id or location_id
 *     entry_year            "from", "to": calendar years
 *     entry_month           "from", "to": calendar months, "2012-01"
 *     concept               "concepts", "descendants", "window": any record of them, yes or no
 *     measurement           "concepts", "cuts", "window": the latest value, cut
 *     cohort                "cohort", "window": a row of another cohort of the study starts there, yes or no
 *
 * "name" overrides the name shown, "reference" (a label) is the level that models compare with (the first).
 * The last level is "unknown" or "other" where a person can lack the fact.
 */
#ifndef ACCORD_STUDY_DIMENSION_H
#define ACCORD_STUDY_DIMENSION_H

#include "study/events.h"

enum { MAX_LEVELS = 1000, MAX_DIMENSIONS = 6 };

/* Levels that a list of ids leads to. */
struct id_group {
    int64_t *ids;
    size_t n;
};

struct dimension {
    int kind; /* of the table in dimension.c */
    const char *name;
    const char **labels;
    uint32_t n_levels;
    bool no_total; /* in tables: its levels do not add up to anything */
    double *cuts;  /* age_band, measurement */
    size_t n_cuts;
    int32_t from, to; /* entry_year; entry_month: months since the year 0 */
    struct id_group *groups;
    struct concept_list concepts;
    struct day_window window;
    size_t cohort;
    uint32_t reference; /* in models: the level the others are compared with */
};

MUST_CHECK enum status dimension_parse(const struct js *j, const char *path,
                                       const struct analysis_scope *scope, struct dimension *out,
                                       struct err *e);
/* A dimension under a member of `s`: its faults become those of `s`. `j` may be NULL, which is a fault. */
void spec_dimension(struct spec *s, const struct js *j, const char *path, struct dimension *out);
/* age_band with these first ages, for analyses whose bands are fixed. */
struct dimension age_dimension(struct spec *s, const int *cuts, size_t n);
/* A list of dimensions under a member, at most `most`; absent = none. In the arena. */
struct dimension *spec_dimensions(struct spec *s, const char *key, size_t most, bool required, size_t *n_out);
/* The level of each row; `out` has rows->n. */
MUST_CHECK enum status dimension_levels(const struct dimension *d, const struct study_site *site,
                                        const struct index_rows *rows, uint16_t *out, struct err *e);
bool dimension_is_age(const struct dimension *d);
/* The band of x between cuts (0 below the first), and labels: n_cuts + 1 bands, then "unknown". */
uint16_t band_of(const double *cuts, size_t n_cuts, double x);
const char **band_labels(struct arena *a, const double *cuts, size_t n_cuts, bool whole);

/* Combined strata of several dimensions: number of combinations, and each row's (row-major). */
size_t strata_count(const struct dimension *d, size_t n);
MUST_CHECK enum status strata_levels(const struct dimension *d, size_t n, const struct study_site *site,
                                     const struct index_rows *rows, uint32_t *out, struct err *e);

#endif
