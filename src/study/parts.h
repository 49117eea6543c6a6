/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the study module only: the parsed document, and which analyses take part in a round.
 */
#ifndef ACCORD_STUDY_PARTS_H
#define ACCORD_STUDY_PARTS_H

#include "base/mem.h"
#include "study/analysis.h"
#include "study/study.h"

struct study_analysis {
    const struct analysis *analysis;
    const char *name;
    void *spec;
};

struct study {
    struct arena *arena;
    struct js *document;
    const char *title;
    const char **cohort_names;
    const struct js **cohort_json;
    struct cohort_definition **cohorts;
    size_t n_cohorts;
    struct study_analysis *analyses;
    size_t n_analyses;
    char hash[2 * HASH_BYTES + 1];
    struct js *faults; /* while it is read for all its faults: their texts; else NULL */
    struct err first;  /* then: the first of them */
};

/* One analysis that takes part in a round. */
struct part {
    const struct study_analysis *analysis;
    const struct js *parameters; /* NULL in its first round */
    size_t first, n;             /* of the vector */
};

struct parts {
    struct part *part;
    size_t n, n_sums;
    size_t first_key, n_keys; /* sums of cell keys (keys.h), behind those of the analyses */
};

/* The analyses that `parameters` names, checked, with their places in the round's vector. The caller frees
   out->part, also on an error. */
MUST_CHECK enum status study_parts(const struct study *s, const struct js *parameters, struct parts *out,
                                   struct err *e);

/* study_local with ranges of at most so many persons, where an analysis allows ranges. */
MUST_CHECK enum status study_local_by(const struct site *site, const struct js *parameters, uint32_t most,
                                      struct sums *out, struct err *e);

#endif
