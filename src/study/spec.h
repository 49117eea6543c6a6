/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a specification strictly and shortly. A struct spec reads one JSON object: the first fault sticks
 * (with its path), later calls then return their defaults (or, where the scope wants every fault, read on and
 * note theirs), and the caller checks spec_done once. Members not
 * listed at spec_open are refused with the nearest name; "comment" is allowed everywhere, and "kind" and
 * "name" in the object of an analysis.
 */
#ifndef ACCORD_STUDY_SPEC_H
#define ACCORD_STUDY_SPEC_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "study/analysis.h"

struct spec {
    const struct js *object;
    const char *path;
    const struct analysis_scope *scope;
    enum status status;
    struct err *e;
    const char *faulty; /* the member of the last fault; one is told of a member */
};
/* A member that must be there. */
#define SPEC_REQUIRED_NUMBER NAN
#define SPEC_REQUIRED_INT    INT64_MIN
#define SPEC_UNBOUNDED       INT32_MAX /* the end of a window that has none; its start is -INT32_MAX */

/* `allowed` ends with NULL. */
struct spec spec_open(const struct js *object, const char *path, const struct analysis_scope *scope,
                      const char *const *allowed, struct err *e);
MUST_CHECK enum status spec_done(const struct spec *s);
/* Whether to read on: there was no fault, or every fault is wanted. What is worked out from members that may be
   at fault waits for `status` to be ST_OK instead. */
bool spec_goes_on(const struct spec *s);
/* Takes over how reading a nested object ended; an earlier fault stays. */
void spec_join(struct spec *s, enum status nested);
/* Records a fault at path.key unless one is there already (of this member, where every fault is wanted). */
void spec_fault(struct spec *s, const char *key, const char *format, ...) PRINTF_LIKE(3, 4);
char *spec_path(const struct spec *s, const char *key); /* "path.key" in the arena */

const char *spec_text(struct spec *s, const char *key, const char *absent); /* in the arena */
const char *spec_need_text(struct spec *s, const char *key);
double spec_number(struct spec *s, const char *key, double min, double max, double absent);
int64_t spec_int(struct spec *s, const char *key, int64_t min, int64_t max, int64_t absent);
bool spec_bool(struct spec *s, const char *key, bool absent);
/* Index in `names` (ended by NULL); absent -1 = required. */
int spec_choice(struct spec *s, const char *key, const char *const *names, int absent);
/* A date "YYYY-MM-DD"; DATE_NONE as `absent` makes it required. */
int32_t spec_date(struct spec *s, const char *key, int32_t absent);
/* Index of the cohort that is named there. required = false: SIZE_MAX when absent. */
size_t spec_cohort(struct spec *s, const char *key, bool required);
/* A list of cohorts, at most `most`, each once; NULL and *n = 0 when absent. In the arena. */
size_t *spec_cohorts(struct spec *s, const char *key, size_t most, size_t *n);
/* A window [from, to] in days from the index date, null = without end. */
struct day_window {
    int32_t from, to;
};
struct day_window spec_window(struct spec *s, const char *key, struct day_window absent);
/* An array of numbers that ascend strictly; NULL and *n = 0 when absent. */
double *spec_ascending(struct spec *s, const char *key, double min, double max, size_t *n);
/* {"concepts": [ids], "descendants": true}: read from the object itself. */
struct concept_list {
    int32_t *ids;
    size_t n;
    bool descendants;
};
struct concept_list spec_concepts(struct spec *s, bool required);
/* Elements of an array member of 1 to `most`; NULL (a fault was recorded or it is absent) gives *n = 0. */
const struct js *spec_array(struct spec *s, const char *key, size_t most, bool required, size_t *n);

/* Refuses a member that means nothing here, rather than to ignore it. */
void spec_refuse(struct spec *s, const char *key, const char *because);
/* For analyses of one round: there are no parameters. */
MUST_CHECK enum status spec_no_parameters(const struct js *parameters, struct err *e);

#endif
