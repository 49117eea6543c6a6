/* SPDX-License-Identifier: Apache-2.0
 *
 * The quality report that an import writes (quality.json): per table, how many rows break a check, in the
 * categories of Kahn et al., "A harmonized data quality assessment terminology and framework" (eGEMs 4(1),
 * 2016), as OHDSI's DataQualityDashboard uses them: conformance, completeness, plausibility. Counts only;
 * they stay at the site.
 */
#ifndef ACCORD_STORE_QUALITY_H
#define ACCORD_STORE_QUALITY_H

#include "base/json.h"
#include "store/schema.h"
#include "store/scratch.h"

enum quality_check {
    QUALITY_UNKNOWN_CONCEPT, /* conformance: the concept has no row in CONCEPT or CONCEPT_ANCESTOR */
    QUALITY_VISIT_NOT_FOUND, /* conformance: a visit_occurrence_id without such a visit of the person */
    QUALITY_UNMAPPED,        /* completeness: concept 0 or none */
    QUALITY_BEFORE_BIRTH,    /* plausibility: starts before the person's year of birth */
    QUALITY_IN_FUTURE,       /* plausibility: starts after the day of the import */
    QUALITY_END_BEFORE_START,
    QUALITY_OUTSIDE_PERIODS, /* plausibility: starts in none of the person's observation periods */
    QUALITY_CHECKS
};

struct quality_counts {
    uint64_t rows[QUALITY_CHECKS];
};

/* What is known of persons. Rows of one concept come from persons far apart, and each first look at something
 * waits for memory: so what is asked together lies together. */
struct quality_person {
    int32_t birth;         /* first day of the year of birth; INT32_MIN where unknown */
    uint32_t first_period; /* its periods end where the next person's begin */
};
struct quality_period {
    int32_t start, end;
};
struct quality_persons {
    struct quality_person *persons; /* by person index, and one more; in scratch, as the periods */
    struct quality_period *periods;
    struct scratch *scratch;
    int32_t today;
};

/* Columns of n rows of one concept, in order of persons, as the import has them; NULL where the source has none. */
struct quality_rows {
    const int64_t *person, *start, *end, *visit, *visit_concept;
    size_t n;
    uint32_t key;
    int32_t concept;
};
void quality_count(const struct quality_persons *p, const struct quality_rows *r, struct quality_counts *c);
void quality_add(struct quality_counts *to, const struct quality_counts *more);

/* One line per check for `checks` (an array), for a table of `rows` rows of which `rejected` more were
 * dropped. */
void quality_report(struct js *checks, enum store_table t, uint64_t rows, uint64_t rejected,
                    const struct quality_counts *c, const uint64_t *missing);

#endif
