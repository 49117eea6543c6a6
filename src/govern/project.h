/* SPDX-License-Identifier: Apache-2.0
 *
 * What is worked out from a project's document. */
#ifndef ACCORD_GOVERN_PROJECT_H
#define ACCORD_GOVERN_PROJECT_H

#include "base/json.h"
#include "govern/verb.h"

/* What the project does to existing services: everything that it adds is paid for by what it ends
   (substitutive), some of it (part), nothing (additive). */
enum substitution { SUBSTITUTION_NONE, SUBSTITUTIVE, SUBSTITUTION_PART, ADDITIVE };
struct substitution_case {
    enum substitution class;
    int64_t new_pence;       /* a year */
    int64_t claimed_pence;   /* released a year, by the claim */
    int64_t confirmed_pence; /* of lines that their owners confirmed: only these count */
    int64_t overrun;         /* lines still running beside the new service after their day */
};
struct substitution_case substitution_of(const struct js *project, int32_t day);
const char *substitution_name(enum substitution s);

/* How even the parties' contributions are: 1 = equal, 0 = one-sided (the entropy of the shares over that of
 * equal ones). */
double contribution_balance(const struct js *project);
/* What one party brings, in pence. */
int64_t contribution_of(const struct js *party);

/* The perspectives whose verdict is due before approval: patient and ig for open or aggregate work and in an
   emergency, five otherwise. In an emergency the others are due afterwards. */
const char *const *project_perspectives(const struct js *project);
const char *const *project_all_perspectives(void);
/* Whether the project came through the emergency lane and its day has passed: then nothing new is begun. */
bool project_lane_closed(const struct js *project, int32_t day);

/* Everything that a draft lacks, as a list of texts (empty = it may be submitted). The register refuses with
 * the first. */
MUST_CHECK enum status project_faults(struct db *d, const struct js *project, struct js *faults,
                                      struct err *first);

/* What should be better and refuses nothing: texts for everybody that are hard to read, no group of people
   named. */
void project_advice(const struct js *project, struct js *advice);

#endif
