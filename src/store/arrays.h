/* SPDX-License-Identifier: Apache-2.0
 *
 * The one container of the store's files: named arrays of fixed-size elements, each 64-byte aligned and with
 * its XXH3 checksum, and a table of them at the end (docs/formats/store.md). Written once, front to back;
 * read as a map. Little-endian, like the machines this runs on.
 */
#ifndef ACCORD_STORE_ARRAYS_H
#define ACCORD_STORE_ARRAYS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/file.h"

/* Writing. Failures are kept and told by arrays_commit, which also syncs and closes the file. */
struct arrays_writer;
MUST_CHECK enum status arrays_create(const char *path, struct arrays_writer **out, struct err *e);
void arrays_begin(struct arrays_writer *w, const char *name, size_t element_bytes);
void arrays_append(struct arrays_writer *w, const void *bytes, size_t n);
void arrays_end(struct arrays_writer *w);
/* All three at once. */
void arrays_add(struct arrays_writer *w, const char *name, size_t element_bytes, const void *elements,
                size_t count);
MUST_CHECK enum status arrays_commit(struct arrays_writer *w, struct err *e); /* frees w in any case */
void arrays_abandon(struct arrays_writer *w);                                 /* NULL is fine */

/* Reading. Opening checks the table (its checksum, that every array lies in the file), not the contents. */
struct arrays {
    struct file_map map;
    const uint8_t *table;
    size_t n;
    char *name; /* of the file, for errors */
};
MUST_CHECK enum status arrays_open(const char *path, struct arrays *out, struct err *e);
void arrays_close(struct arrays *a);
/* Has the array (NULL for the whole file) read while the caller goes on. */
void arrays_fetch(const struct arrays *a, const char *name);
/* The array, and how many elements it has; NULL when there is none of that name and element size. */
const void *arrays_get(const struct arrays *a, const char *name, size_t element_bytes, uint64_t *count);
/* As arrays_get, but absent, or of another count, is ST_CORRUPT. */
MUST_CHECK enum status arrays_need(const struct arrays *a, const char *name, size_t element_bytes,
                                   uint64_t count, const void **out, struct err *e);
#endif
