/* SPDX-License-Identifier: Apache-2.0
 *
 * The projections: their tables, and reading and writing them. Used inside govern/ only; the outside has
 * register.h. Each function works on the database of the change or registry that it is given. */
#ifndef ACCORD_GOVERN_ITEMS_H
#define ACCORD_GOVERN_ITEMS_H

#include "govern/reads.h"
#include "govern/verb.h"

/* The SQL that makes every projection, and their names (ended by NULL) with the order that lists their rows.
 */
extern const char *const projections_schema;
struct projection {
    const char *table, *rows; /* rows: "SELECT …" in the order of the key */
};
extern const struct projection projections[];
/* Changes whenever a fold or a table changes, so that older files are rebuilt. */
enum { PROJECTION_VERSION = 5 };

/* What is being taken down of the reading of a registry (reads.h). */
struct watch {
    struct reads *into; /* NULL = nothing */
    int64_t from, told; /* statements before, and those that were covered since */
};
struct watch *registry_watching(struct registry *r);

struct item {
    struct js *doc;
    char *state, *body, *about; /* body and about may be NULL */
    int64_t made, changed;
};
void item_deinit(struct item *i);
/* *found false and *out zeroed when there is none. */
MUST_CHECK enum status item_find(struct db *d, const char *noun, const char *id, struct item *out,
                                 bool *found, struct err *e);
MUST_CHECK enum status item_put(struct db *d, const char *noun, const char *id, const struct item *i,
                                struct err *e);
MUST_CHECK enum status item_exists(struct db *d, const char *noun, const char *id, bool *out, struct err *e);
MUST_CHECK enum status item_state_is(struct db *d, const char *noun, const char *id, const char *states,
                                     bool *out, struct err *e);
/* An id is 1 to 64 of letters, digits, '.', '_', '-', beginning with a letter or digit. */
bool item_id_valid(const char *id);
/* "noun:id" into its parts; false if it is not of that form. */
bool about_split(const char *about, char noun[24], char id[72]);

/* One row, or none, of a query with text parameters: the first column as a number (absent: `absent`). */
MUST_CHECK enum status db_number(struct db *d, const char *sql, const char *const *params, int64_t absent,
                                 int64_t *out, struct err *e);
/* The same as text in the arena, NULL when there is no row. */
MUST_CHECK enum status db_text(struct db *d, struct arena *a, const char *sql, const char *const *params,
                               const char **out, struct err *e);
/* Runs a statement with text parameters (ended by a NULL; "" binds an empty text). */
MUST_CHECK enum status db_change(struct db *d, const char *sql, const char *const *params, struct err *e);
#define PARAMS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Parties: of a project or agreement, set whole. `list` holds {"body","role"} objects. */
MUST_CHECK enum status parties_set(struct db *d, const char *noun, const char *id, const struct js *list,
                                   struct err *e);
/* Whether the body is a party of the item, or of what the item is about, up to its project or agreement. */
MUST_CHECK enum status parties_have(struct db *d, const char *noun, const char *id, const char *body,
                                    bool *out, struct err *e);
/* The codes of an item, set whole: {"scheme","code"} objects. */
MUST_CHECK enum status codes_set(struct db *d, const char *noun, const char *id, const struct js *list,
                                 struct err *e);
/* The item's public text for the search, replacing what was there. */
MUST_CHECK enum status search_set(struct db *d, int64_t made, const char *noun, const char *id,
                                  const char *text, struct err *e);

/* Helpers for documents. */
struct js *doc_list(struct js *doc, const char *key); /* the array member, made when absent */
/* The element of an array of objects whose member `key` is `value`; NULL if none. */
const struct js *list_find(const struct js *list, const char *key, const char *value);
bool doc_is(const struct js *doc, const char *key, const char *text); /* false when absent */
/* SHA-256 of the canonical JSON, in hex. */
MUST_CHECK enum status doc_hash(const struct js *doc, char hex[2 * HASH_BYTES + 1], struct err *e);
int32_t doc_day(const struct js *doc, const char *key); /* a date member; DATE_NONE when absent */

#endif
