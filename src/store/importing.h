/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of an import share. Private to the import's files (import.c, vocab_import.c,
 * people_import.c, visit_index.c, event_import.c, merge.c).
 */
#ifndef ACCORD_STORE_IMPORTING_H
#define ACCORD_STORE_IMPORTING_H

#include "base/crypto.h"
#include "base/log.h"
#include "store/arrays.h"
#include "store/idmap.h"
#include "store/import.h"
#include "store/quality.h"
#include "store/run.h"

/* Concepts in hierarchy order. */
struct ranks {
    int64_t *ids;    /* of CONCEPT, CONCEPT_ANCESTOR; sorted */
    uint32_t *rank;  /* of each */
    uint32_t *order; /* the place in ids of each rank */
    size_t n;
    struct idmap map; /* id to place in ids */
};

/* A provider or care site: its concept (specialty, place of service); NONE_I32 where missing. */
struct lookup {
    int64_t *ids;
    int32_t *concept;
    size_t n;
    struct idmap map;
};

/* Visits by person: person p has those of [first[p], first[p + 1]), sorted by id. In scratch. */
struct visit_index {
    uint64_t *first;
    int64_t *ids;
    int32_t *concepts;
    uint64_t n;
};

struct import {
    const struct import_options *o;
    const char *folder; /* of the new version */
    struct identity *key;
    bool key_is_new;
    struct js *tables;  /* of the manifest: one member per table of the source */
    struct js *remarks; /* array of texts */
    struct ranks ranks;
    struct lookup providers, care_sites;
    struct idmap locations;
    int64_t *location_ids;
    struct idmap opted_out;
    uint32_t n_persons, n_without_person;
    int64_t *person_ids; /* sorted: the dense index; in scratch, as all that grows with persons */
    struct idmap persons;
    struct visit_index visits;
    struct quality_persons known;   /* for the quality report */
    struct js *checks;              /* its lines */
    uint64_t n_events, n_opted_out; /* rows kept; persons left out */
    struct progress progress;
    struct spare *spare; /* of batches and runs */
    struct scratch *scratch;
};

/* Reads a whole table: `row_chunk` gets chunk after chunk on the caller's thread. Notes rows, faults, unknown
   and absent columns under the table's name. *found is false when an optional table is absent. */
typedef enum status (*import_chunk)(struct import *im, struct table_scan *scan, struct table_chunk *c,
                                    void *context, struct err *e);
struct import_table {
    const char *name;
    const struct table_column *columns;
    size_t n_columns;
    bool required;
};
MUST_CHECK enum status import_read(struct import *im, const struct import_table *t, import_chunk take,
                                   void *context, bool *found, struct err *e);
/* For readers that want all chunks of a step at once (on all threads). */
typedef enum status (*import_step)(struct import *im, struct table_scan *scan, struct table_chunk **chunks,
                                   size_t n, void *context, struct err *e);
MUST_CHECK enum status import_read_steps(struct import *im, const struct import_table *t, import_step take,
                                         void *context, bool *found, struct err *e);
void import_remark(struct import *im, const char *format, ...) PRINTF_LIKE(2, 3);
struct js *import_table_notes(struct import *im,
                              const char *table);             /* its object in the manifest; borrowed */
char *import_path(const struct import *im, const char *file); /* caller frees */

MUST_CHECK enum status import_vocabulary(struct import *im, struct err *e); /* vocab_import.c */
MUST_CHECK enum status import_places(struct import *im, struct err *e);     /* people_import.c */
MUST_CHECK enum status import_people(struct import *im, struct err *e);
/* From the sorted runs of VISIT_OCCURRENCE (visit_index.c). */
MUST_CHECK enum status visit_index_build(struct import *im, const struct run *runs, size_t n_runs,
                                         struct err *e);
/* Concept of a person's visit; NONE_I32 where there is none. */
int32_t visit_index_concept(const struct visit_index *v, uint32_t person, int64_t visit);
MUST_CHECK enum status import_events(struct import *im, enum store_table t,
                                     struct err *e); /* event_import.c */

static inline uint32_t concept_key(const struct ranks *r, int32_t id)
{
    if (id == NONE_I32)
        return KEY_MISSING;
    uint32_t at = idmap_find(&r->map, id);
    return at == IDMAP_NONE ? KEY_UNKNOWN | (uint32_t)id : r->rank[at];
}
int32_t concept_of_key(const struct ranks *r, uint32_t key);
void ranks_deinit(struct ranks *r);

/* A person's least id where there is none. Kept as id ^ LEAST_NONE, so that scratch, which begins as zeros, says
 * so of everybody. */
#define LEAST_NONE INT64_MAX

/* The second half of the sort: merges runs and writes the columns of a table (merge.c). */
struct text_list; /* a dictionary while it grows */
struct merge_input {
    enum store_table table;
    const struct run *runs;
    size_t n_runs;
    int64_t *least_id[SCHEMA_MOST_COLUMNS]; /* per person, of id columns, ^ LEAST_NONE; NULL = not
                                               gathered. The merge may write to it */
    const struct text_list *texts[SCHEMA_MOST_COLUMNS];
};
MUST_CHECK enum status merge_table(struct import *im, const struct merge_input *in, struct err *e);

/* Dictionaries of text columns. */
struct text_list *text_list_new(uint64_t most_bytes);
void text_list_free(struct text_list *t);
int32_t text_list_add(struct text_list *t, struct slice s); /* its code; -2 when there is no room */
/* As arrays NAME (the texts) and NAME.at (where each begins). */
void text_list_write(const struct text_list *t, const char *name, struct arrays_writer *w);

#endif
