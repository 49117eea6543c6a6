/* SPDX-License-Identifier: Apache-2.0
 *
 * A study at a site, before the differencing guard of that site. Membership is known only where the patient
 * data lie, so each site guards its own persons, and does so before it contributes: what it has given into a
 * masked total it cannot take back. Cells of fewer persons than the minimum at this site are not judged here:
 * by themselves they are never printed, and what their total over the sites gives away is the gate's question
 * at the lead node.
 */
#ifndef ACCORD_STUDY_GUARDING_H
#define ACCORD_STUDY_GUARDING_H

#include "disclose/guard_book.h"
#include "disclose/policy.h"
#include "study/study.h"

struct guarding {
    const char *book; /* path of the guard's book */
    const char *run, *project;
    const struct policy *policy; /* that governs what is printed */
    bool federated; /* totals over sites are printed, which nobody knows yet: a rounded one may at worst show
                       any difference */
    bool insist;    /* a person of the site has looked at a review and lets it pass */
};

/* Asks the guard about all cells of a study over the stores of one site, and writes them down when it may go
   on: then the verdict is GUARD_ALLOW. Otherwise nothing was written; `answer` is for the site's own people,
   and was given at the end of a whole period (guard_wait). */
MUST_CHECK enum status study_guard(const struct guarding *how, struct site *const *sites, size_t n,
                                   struct guard_answer *answer, struct err *e);

#endif
