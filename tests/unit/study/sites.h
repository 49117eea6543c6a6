/* SPDX-License-Identifier: Apache-2.0
 *
 * Synthetic sites for the study tests: five small stores, and one store of the persons of the first 2, 3 and
 * 5 of them together (row ids of sites do not overlap, so their files can be put one behind the other).
 */
#ifndef TESTS_STUDY_SITES_H
#define TESTS_STUDY_SITES_H

#include "study/study.h"
#include "synth/synth.h"

enum { N_SITES = 5, FEW_PERSONS = 500, PLANTED_PERSONS = 30000 };

struct sites {
    char folder[64];
    struct store *site[N_SITES];
    struct store *pooled[N_SITES + 1]; /* by number of sites: 2, 3, 5 */
};
struct sites *sites_make(void);
/* The first n of them with so many persons each, pooled[n] among them, and a copy of site 0 whose files have
   their rows in another order. */
struct sites *sites_make_shuffled(size_t n, uint64_t persons, struct store **shuffled);
/* A store of files: name, text, name, text, ..., NULL. The folder is removed by sites_free. */
struct sites *sites_of_files(const char *const *files);
/* One larger site, and what was planted in it. */
struct sites *sites_make_planted(struct synth_summary *planted);
/* A store of one of their folders ("site1", "pooled3") under the key of site 0: the same person has the same
   pseudonym in all of these. The caller closes it. */
struct store *sites_import(const struct sites *s, const char *folder);
double planted_value(const struct synth_summary *planted, const char *name);
void sites_free(struct sites *s);

/* truth_study.json without the analyses of the kinds named (NULL-terminated), or with nothing but them. */
struct study *truth_study(const char *const *kinds, bool only);

/* truth_study.json with this one analysis in the place of its own. */
struct study *study_of(const char *analysis);

/* All rounds over stores, which answer in the order first, first + 1, ... modulo n. */
struct result *run_over(const struct study *study, struct store *const *stores, size_t n, size_t first);

#endif
