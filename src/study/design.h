/* SPDX-License-Identifier: Apache-2.0
 *
 * Design matrices. A covariate is a dimension (dimension.h), which becomes one 0/1 column per level but its
 * reference, or a number:
 *
 *     {"number": "age", "per": 10, "centre": 60}                     completed years at entry
 *     {"number": "measurement", "name", "concepts", "window", "per", "centre"}  the latest value
 *
 * entered as (x - centre) / per; values outside "range" count as missing. Rows that lack a number are left
 * out. The columns follow from the specification alone; one that is all zero or a combination of others is
 * found by the model, not here.
 */
#ifndef ACCORD_STUDY_DESIGN_H
#define ACCORD_STUDY_DESIGN_H

#include "study/dimension.h"

enum { MAX_COVARIATES = 60, MAX_COLUMNS = 200 };

struct number {
    bool age;
    const char *name;
    struct concept_list concepts;
    struct day_window window;
    double per, centre;
    double least, most; /* plausible values; others count as missing */
};
/* Reads one number; `need_range` makes "range": [least, most] required for measurements (ages have 0 to 120).
 */
void number_read(struct spec *s, const struct js *j, const char *path, bool need_range, struct number *out);
/* Values per row, NaN where missing, before centring and scaling. */
MUST_CHECK enum status number_values(const struct number *c, const struct study_site *site,
                                     const struct index_rows *rows, double *out, struct err *e);

struct covariate {
    bool is_number;
    struct dimension dimension;
    struct number number;
};

struct design {
    struct covariate *covariates;
    size_t n;
    bool intercept;     /* column 0 is 1 */
    const char **terms; /* "sex: female" */
    size_t p;
};
/* Reads the member "covariates" (which may be empty where `required` is false). */
void design_read(struct spec *s, bool required, bool intercept, struct design *d);

/* The matrix of the rows, row-major n x p; rows with a missing number are dropped from `rows` and from
   each of the parallel arrays (element sizes given, NULL-terminated pairs are not needed: at most two).
   The caller frees *x. */
struct parallel {
    void *array;
    size_t element;
};
MUST_CHECK enum status design_matrix(const struct design *d, const struct study_site *site,
                                     struct index_rows *rows, const struct parallel *parallel,
                                     size_t n_parallel, double **x, struct err *e);

#endif
