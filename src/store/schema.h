/* SPDX-License-Identifier: Apache-2.0
 *
 * Which OMOP CDM table and column becomes which column of the store: the one table that import, reading,
 * documentation and tests share. OMOP CDM 5.4 names, with those of 5.3 as aliases.
 */
#ifndef ACCORD_STORE_SCHEMA_H
#define ACCORD_STORE_SCHEMA_H

#include "base/table.h"
#include "store/store.h"

/* Where a stored column comes from. */
enum column_origin {
    FROM_SOURCE,   /* the column of the source, as it is */
    FROM_PERSON,   /* person_id to the person's index */
    FROM_PROVIDER, /* provider_id to the provider's specialty */
    FROM_VISIT,    /* visit_occurrence_id to the visit's concept */
    FROM_SITE      /* care_site_id to its place of service */
};

struct schema_column {
    enum store_column column;
    enum column_origin origin;
    struct table_column source; /* the column it is made from */
};

enum { SCHEMA_MOST_COLUMNS = 24 };
struct schema_table {
    const char *name;                    /* "condition_occurrence" */
    const char *file;                    /* "condition": its files in the store begin with it */
    const struct schema_column *columns; /* n of them; the first four are person, concept, start, id */
    size_t n;
};

const struct schema_table *schema_table(enum store_table t);
const char *schema_column_name(enum store_column c); /* "start" */
/* Place of a column in the table's list; -1 when the table does not have it. */
int schema_find(enum store_table t, enum store_column c);
/* Whether OMOP CDM 5.3 or 5.4 has a column of that name that the store does not keep: not worth a remark. */
bool schema_known_column(const char *name);

#endif
