/* SPDX-License-Identifier: Apache-2.0
 *
 * The one interface of an analysis, so that every analysis is federated, disclosure-controlled and documented
 * the same way:
 *
 *     parse    the specification
 *     local    at each site: rows and round parameters to a vector of sums (sums.h)
 *     (add)    vectors add up across sites: all that ever crosses the wire
 *     next     parameters for another round, or done
 *     finish   sums to raw result tables, which disclose/ makes safe
 *
 * What an analysis may rely on and must keep:
 * - the size of a round's vector follows from specification and parameters alone, never from a site's data;
 * - parameters come from another machine: `size` checks them, and nothing else is called before it;
 * - an analysis only reads the store and the cohorts' rows; it keeps nothing between calls but what a site
 *   keeps for it (kept.h), which does not show in its sums.
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
#include "study/sums.h"

/* What a specification is read against: where it stands in the document, and the study's cohorts. */
struct analysis_scope {
    const char *path; /* "$.analyses[0]", for errors */
    const char *name; /* of the analysis: prefix of its tables */
    const char *const *cohorts;
    const struct js *const *definitions; /* Circe JSON, one per cohort */
    size_t n_cohorts;
    struct arena *arena; /* lives as long as the study; for the parsed specification */
    struct js *faults;   /* where every fault is wanted: texts are added; else NULL */
};

enum { PART_PERSONS = 1 << 17 }; /* enough for a thread to be worth while, little enough for memory */

/* What a site gives an analysis: its store and the evaluated cohorts, in the study's order; or, of an
   analysis with part_persons, what is about the persons [first_person, end_person): cohorts then have rows
   only, no steps and no n_persons. */
struct study_site {
    const struct store *store;
    struct pool *pool; /* may be NULL */
    uint32_t first_person, end_person;
    const struct cohort_rows *cohorts;
    struct cohort_definition *const *definitions; /* of the cohorts; NULL with ranges */
    size_t n_cohorts;
    struct kept *kept; /* between rounds (kept.h); NULL = nothing is kept */
};

struct members;

struct analysis {
    const char *kind;     /* "count", "crosstab": the "kind" member of a specification */
    const char *summary;  /* one line for help and docs */
    const char *template; /* a specification to start from, JSON with "comment" members */
    enum output_type output;
    bool
        keyed; /* some of its tables count the persons of its members' cells: those have cell keys (keys.h) */
    /* Where what a site adds up is a sum over persons: `local` is called for ranges of so many persons, on all
       threads, and the ranges' sums are added. Ranges shorter than PART_PERSONS are made longer where a range would
       have fewer persons than sums. 0 = only ever called for all persons. */
    uint32_t part_persons;
    bool own_threads; /* `local` uses the pool itself: ranges come one after the other */
    enum status (*parse)(const struct js *specification, const struct analysis_scope *scope, void **spec,
                         struct err *e);
    /* Checks the parameters (NULL in the first round) and says how many sums the round has. */
    enum status (*size)(const void *spec, const struct js *parameters, size_t *n, struct err *e);
    /* What |sum i| of one site must not exceed: SUM_COUNT_BOUND at least. NULL = that for all. */
    sum_t (*bound)(const void *spec, const struct js *parameters, size_t i);
    /* Adds to `out`, which has the size asked for. */
    enum status (*local)(const void *spec, const struct js *parameters, const struct study_site *site,
                         struct sums *out, struct err *e);
    /* Who is counted in the cells of the tables, for the differencing guard at the site (members.h); called
       once, for all persons. NULL = the persons of the cohorts, and nobody by less. One that is keyed is also
       asked without a site which cells there are, all of nobody. */
    enum status (*members)(const void *spec, const struct study_site *site, struct members *into,
                           struct err *e);
    /* After a round's total: *next = parameters of another round (the caller frees them), or left NULL when
       done. *state carries what earlier rounds left, as JSON; it may be replaced. NULL = one round. What has
       no estimate says so there (no_estimate.h) and is done without `finish`; an error ends the whole run. */
    enum status (*next)(const void *spec, const struct js *parameters, const struct sums *total,
                        struct js **state, struct js **next, struct err *e);
    /* The last round's total (and the state) to tables appended to the result. */
    enum status (*finish)(const void *spec, const struct js *parameters, const struct sums *total,
                          const struct js *state, struct result *into, struct err *e);
};

extern const struct analysis *const analyses[]; /* ended by NULL; analyses.c is the one list */
const struct analysis *analysis_find(const char *kind);

#endif
