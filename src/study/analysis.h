/* SPDX-License-Identifier: Apache-2.0
 *
 * The one interface of an analysis, so that every analysis is federated, disclosure-controlled and documented
 * the same way:
 *
 *     parse the specification -> local(node, parameters) gives a vector of sums
 *                                combine: vectors add up across nodes (that is all that ever crosses the
 * wire) next: new parameters for another round, or done finish: sums to raw result tables, which disclose/
 * makes safe
 *
 * Sums are exact: 128-bit integers. A real quantity is scaled by 2^scale and rounded once per node, so the
 * total is the same bit for bit whatever the order of nodes. Every component declares a bound that the node
 * checks before masking (grid/).
 */
#ifndef ACCORD_STUDY_ANALYSIS_H
#define ACCORD_STUDY_ANALYSIS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/pool.h"
#include "cohort/cohort.h"
#include "disclose/result.h"

typedef __int128 sum_t;

struct sums {
    sum_t *v;
    size_t n;
};
void sums_init(struct sums *s, size_t n); /* zeroed, heap */
void sums_deinit(struct sums *s);
MUST_CHECK enum status sums_add(struct sums *into, const struct sums *other,
                                struct err *e); /* sizes must agree */

/* What a node gives an analysis: its store and the evaluated cohorts of the study, by name in the study's
 * order. */
struct study_cohort {
    const char *name;
    struct cohort_rows rows;
};
struct study_site {
    const struct store *store;
    const struct study_cohort *cohorts;
    size_t n_cohorts;
    struct pool *pool;
};

/* Parameters of a round travel as JSON (public: hub and nodes see them). */
struct analysis {
    const char *kind;    /* "count", "crosstab": the "kind" member of a specification */
    const char *summary; /* one line for help and docs */
    enum output_type output;
    /* Parses a specification (already known to be an object with "kind" and "name") into the arena; `path`
     * for errors. */
    enum status (*parse)(const struct js *specification, const char *path, const char *const *cohort_names,
                         size_t n_cohorts, struct arena *a, void **spec, struct err *e);
    /* Number of sums of a round with these parameters (NULL in the first), and the bound every |sum| of one
     * node must obey. */
    size_t (*size)(const void *spec, const struct js *parameters);
    sum_t (*bound)(const void *spec, size_t i);
    enum status (*local)(const void *spec, const struct js *parameters, const struct study_site *site,
                         struct sums *out, struct err *e);
    /* After a round's total: *next = parameters for another round (owned by the caller), or NULL when done.
       `state` carries what earlier rounds left, as JSON, and is replaced. NULL function = always one round.
     */
    enum status (*next)(const void *spec, const struct sums *total, const struct js *parameters,
                        struct js **state, struct js **next, struct err *e);
    /* Totals of the last round (and the state) to tables appended to the result. */
    enum status (*finish)(const void *spec, const struct sums *total, const struct js *state,
                          struct result *into, struct err *e);
};

extern const struct analysis *const analyses[]; /* ended by NULL; analyses.c is the one list */
const struct analysis *analysis_find(const char *kind);

#endif
