/* SPDX-License-Identifier: Apache-2.0
 *
 * A study: one JSON document (docs/study.schema.json)
 *
 *     {"title": "...", "cohorts": [{"name", "definition": <Circe JSON>}], "analyses": [{"kind", "name",
 * ...}]}
 *
 * parsed strictly (an unknown member is an error with its path and the nearest name), and its run as a state
 * machine over rounds. The same functions serve one site and many (grid/):
 *
 *     lead                                        every site
 *     study_run_new                               study_site_open (evaluates the cohorts once)
 *     study_run_parameters  ── sealed JSON ──>    study_size, study_bounds
 *                                                 study_local ── vector of sums ──> add up
 *     study_run_advance(total)   until study_run_finished
 *     study_run_finish  -> struct result, which only disclose/ can turn into something to show
 *
 * A run's whole state is JSON (study_run_save, study_run_restore), so a lead that was killed goes on where it
 * was. A struct study is immutable and may be shared between threads; a run and a site belong to one thread.
 */
#ifndef ACCORD_STUDY_STUDY_H
#define ACCORD_STUDY_STUDY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/json.h"
#include "base/pool.h"
#include "disclose/result.h"
#include "store/store.h"
#include "study/sums.h"

struct study;
/* ST_INVALID or ST_UNSUPPORTED with the JSON path of the fault. The document is shared, not copied. */
MUST_CHECK enum status study_parse(const struct js *document, struct study **out, struct err *e);
/* Every mistake that can be told without mending another first: texts with their paths are added to `faults`,
   an array. The status and `e` are those of the first; ST_OK where there is none. */
MUST_CHECK enum status study_faults(const struct js *document, struct js *faults, struct err *e);
MUST_CHECK enum status study_load(const char *path, struct study **out, struct err *e);
void study_free(struct study *s); /* NULL is fine */

const struct js *study_document(const struct study *s); /* borrowed */
const char *study_title(const struct study *s);
/* SHA-256 of the document's canonical JSON, hex: names the study in requests, agreements and results. */
void study_hash(const struct study *s, char out[2 * HASH_BYTES + 1]);
size_t study_n_cohorts(const struct study *s);
const char *study_cohort_name(const struct study *s, size_t i);
/* {"<cohort>": SHA-256 of its definition's canonical JSON}: for the disclosure record; the caller frees it.
 */
struct js *study_cohort_hashes(const struct study *s);
size_t study_n_analyses(const struct study *s);
const char *study_analysis_name(const struct study *s, size_t i);
const char *study_analysis_kind(const struct study *s, size_t i);

/* One round. `parameters` is what study_run_parameters gave, perhaps on another machine: it is checked.
   The vector is the analyses that take part in the round, one after the other. */
MUST_CHECK enum status study_size(const struct study *s, const struct js *parameters, size_t *n,
                                  struct err *e);
/* bounds[i]: what |sum i| of one site must not exceed; n as study_size gave it. */
MUST_CHECK enum status study_bounds(const struct study *s, const struct js *parameters, sum_t *bounds,
                                    size_t n, struct err *e);

/* A site's side: the cohorts over its store. Store and pool (NULL = one thread) must outlive it. */
struct site;
MUST_CHECK enum status study_site_open(const struct study *s, const struct store *store, struct pool *pool,
                                       struct site **out, struct err *e);
void study_site_close(struct site *site); /* NULL is fine */
/* The evaluated rows of a cohort; borrowed. */
const struct cohort_rows *study_site_cohort(const struct site *site, size_t i);
/* Who is in the cells of its tables (members.h), for the differencing guard at the site (guarding.h). */
struct members;
MUST_CHECK enum status study_site_members(const struct site *site, struct members **out, struct err *e);
/* Lets the site give keys of cells (keys.h) to runs that ask for them; without, such a run is refused. The
   secret is borrowed. */
struct record_keys;
void study_site_give_keys(struct site *site, const struct record_keys *keys);
bool study_site_gives_keys(const struct site *site);
const struct store *study_site_store(const struct site *site); /* borrowed */
const struct study *study_site_study(const struct site *site);
/* The sums of a round, within their bounds; `out` is initialised here and is the caller's. */
MUST_CHECK enum status study_local(const struct site *site, const struct js *parameters, struct sums *out,
                                   struct err *e);

/* The lead's side. The study must outlive the run. */
struct study_run;
struct study_run *study_run_new(const struct study *s);
/* Asks for keys of cells as well, for a policy that prints counts with their noise; before the first round.
 */
void study_run_ask_keys(struct study_run *r);
MUST_CHECK enum status study_run_restore(const struct study *s, const struct js *saved,
                                         struct study_run **out, struct err *e);
struct js *study_run_save(const struct study_run *r); /* the caller frees it */
void study_run_free(struct study_run *r);             /* NULL is fine */
/* {"round": 1, "analyses": [{"name", "parameters"?}]}: the analyses that still take part. Borrowed until the
   next advance. NULL when finished. */
const struct js *study_run_parameters(const struct study_run *r);
int study_run_round(const struct study_run *r); /* 1, 2, ...: of the round that is under way */
/* Takes a round's total. On an error the run is as before. */
MUST_CHECK enum status study_run_advance(struct study_run *r, const struct sums *total, struct err *e);
bool study_run_finished(const struct study_run *r);
/* Raw tables of all analyses, in the study's order, named "<analysis>_<table>" (or "<analysis>" alone). */
MUST_CHECK enum status study_run_finish(const struct study_run *r, struct result **out, struct err *e);

/* All rounds over the stores (one at least) of one site: what `accord study run` does. With keys of cells
   where the first of them gives keys. */
MUST_CHECK enum status study_run_at(const struct study *s, struct site *const *sites, size_t n,
                                    struct result **out, struct err *e);

#endif
