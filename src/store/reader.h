/* SPDX-License-Identifier: Apache-2.0
 *
 * What an open store holds. Private to store.c, people.c, vocabulary.c and events.c.
 */
#ifndef ACCORD_STORE_READER_H
#define ACCORD_STORE_READER_H

#include "base/json.h"
#include "store/column.h"
#include "store/schema.h"

struct text_array { /* texts that codes point into */
    const char *bytes;
    const uint64_t *at;
    uint64_t n_bytes, n;
};

struct relation { /* from[i] has to[at[i]] .. to[at[i + 1]) */
    const int32_t *from, *to;
    const uint64_t *at;
    uint64_t n, n_to;
};

struct vocabulary_files {
    struct arrays file;
    uint64_t n;
    const int32_t *id;
    const uint8_t *flags;
    const uint16_t *domain, *vocabulary, *concept_class;
    const uint64_t *text_at;
    const char *text;
    uint64_t n_text;
    struct text_array domains, vocabularies, classes;
    struct relation ancestors, mapped;
};

struct place_files {
    struct arrays file;
    uint64_t n_places, n_sites;
    const int64_t *place_id, *site_id;
    const double *latitude, *longitude;
    const uint64_t *place_text[4], *site_text[2];
    const char *place_bytes, *site_bytes;
    uint64_t n_place_bytes, n_site_bytes;
    const int32_t *site_service, *site_place;
};

struct table_files {
    bool present;
    struct arrays runs_file;
    const struct store_run *runs;
    const uint32_t *by_concept;
    uint32_t n_runs;
    uint64_t rows;
    bool has[SCHEMA_MOST_COLUMNS];
    struct column columns[SCHEMA_MOST_COLUMNS]; /* in the order of the schema */
};

struct store {
    char *folder;
    int lock_fd;
    struct js *manifest;
    char snapshot[65];
    struct arrays persons_file, periods_file;
    struct store_persons persons;
    const uint8_t *pseudonyms;
    const uint8_t *sealed;
    uint64_t n_sealed;
    struct store_periods periods;
    uint32_t *made_only; /* where the store has none; else NULL */
    struct vocabulary_files vocabulary;
    struct place_files places;
    struct table_files tables[STORE_N_TABLES];
};

MUST_CHECK enum status store_open_arrays(const struct store *s, const char *file, struct arrays *out,
                                         struct err *e);
bool store_lists_file(const struct store *s, const char *file); /* in the manifest */
MUST_CHECK enum status store_damaged(const char *file, const char *what, struct err *e);
/* The NUL-terminated text at an offset; "" when the offset is not valid. */
const char *text_in(const char *bytes, uint64_t n_bytes, uint64_t at);

MUST_CHECK enum status people_open(struct store *s, struct err *e); /* people.c */
/* What `only` has to be, of every person; the caller frees it. */
uint32_t *periods_only(const struct store_periods *p, uint32_t n_persons);
MUST_CHECK enum status vocabulary_open(struct store *s, struct err *e);                 /* vocabulary.c */
MUST_CHECK enum status events_open(struct store *s, enum store_table t, struct err *e); /* events.c */
void events_close(struct table_files *t);

#endif
