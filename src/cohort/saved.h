/* SPDX-License-Identifier: Apache-2.0
 *
 * Cohorts saved at a site: the rows of an evaluation under a name, in the site's own store and nowhere else
 * (docs/formats/saved-cohort.md). A saved cohort belongs to the import it was evaluated on; its id is the
 * hash of its content, so the same definition on the same import has the same id everywhere and always. Files
 * are for their owner only, replaced in one step, checked whole when read.
 */
#ifndef ACCORD_COHORT_SAVED_H
#define ACCORD_COHORT_SAVED_H

#include "cohort/cohort.h"

struct saved_cohort {
    char *name;
    char id[65], snapshot[65], definition[65]; /* hex SHA-256: of the file, of the import, of the text form */
    uint64_t rows, persons;
};
void saved_cohort_deinit(struct saved_cohort *c);

/* `store_path` is the folder that store_open was given. Names are 1 to 64 letters, digits, points, dashes and
 * underscores, and begin with none of the points. An older cohort of the name is replaced. */
MUST_CHECK enum status saved_cohort_write(const char *store_path, const char *name, const struct store *s,
                                          const struct cohort_definition *d, const struct cohort_rows *rows,
                                          struct saved_cohort *out, struct err *e);
/* Its rows, with one step, "cohort". ST_NOT_FOUND; ST_CONFLICT when it was saved from another import;
 * ST_CORRUPT when the file is damaged. */
MUST_CHECK enum status saved_cohort_read(const char *store_path, const char *name, const struct store *s,
                                         struct cohort_rows *out, struct err *e);
/* All of them by name; free each with _deinit, then the array. */
MUST_CHECK enum status saved_cohort_list(const char *store_path, struct saved_cohort **out, size_t *n,
                                         struct err *e);
MUST_CHECK enum status saved_cohort_remove(const char *store_path, const char *name, struct err *e);

#endif
