/* SPDX-License-Identifier: Apache-2.0
 *
 * Files: whole reads with a ceiling, atomic replacement (write beside, fsync, rename, fsync the directory),
 * maps, directories. A writer that is killed at any moment leaves the old file or the new one.
 */
#ifndef ACCORD_BASE_FILE_H
#define ACCORD_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/text.h"

/* Reads a file to the end of `out` (the buffer's max is the ceiling). */
MUST_CHECK enum status file_read(const char *path, struct buf *out, struct err *e);
/* Replaces path atomically. mode as for open(2); 0600 for keys. A device or pipe is written as it is. */
MUST_CHECK enum status file_replace(const char *path, struct slice bytes, unsigned mode, struct err *e);

/* The same for streams: write to file_new_stream(f), then commit or abandon; abandon after commit does
 * nothing. */
struct file_new;
MUST_CHECK enum status file_new_open(const char *path, unsigned mode, struct file_new **out, struct err *e);
FILE *file_new_stream(struct file_new *f);
MUST_CHECK enum status file_new_commit(struct file_new *f, struct err *e); /* frees f in any case */
void file_new_abandon(struct file_new *f);

/* A read-only map of a whole file; an empty file gives p = "" and n = 0. */
struct file_map {
    const uint8_t *p;
    size_t n;
};
MUST_CHECK enum status file_map_open(const char *path, struct file_map *out, struct err *e);
void file_map_close(struct file_map *m);
/* How its pages are going to be touched, which is only advice: one behind the other, so that reading ahead
   pays (what a new map is taken for), or a few here and there, where each brought megabytes with it. */
enum file_touching { FILE_IN_ORDER, FILE_HERE_AND_THERE };
void file_map_advise(const struct file_map *m, enum file_touching how);
/* Has bytes of it read while the caller goes on. */
void file_map_fetch(const struct file_map *m, size_t from, size_t n);
/* Has the first and the last `n` bytes of a file of `size` bytes read while the caller goes on. Says nothing
   where it cannot be: whoever reads them will. */
void file_fetch_ends(const char *path, uint64_t size, uint64_t n);

MUST_CHECK enum status dir_make(const char *path, struct err *e);   /* with parents; fine if there */
MUST_CHECK enum status dir_remove(const char *path, struct err *e); /* with all inside; fine if absent */
MUST_CHECK enum status dir_sync(const char *path, struct err *e);   /* fsync of the directory itself */
/* Says that this process alone works in a folder, until *fd is closed or the process ends, however it ends. ST_CONFLICT
   when another one does. The folder may be read-only; where its file system has no locks nothing is said. */
MUST_CHECK enum status dir_lock(const char *path, int *fd, struct err *e);
bool file_exists(const char *path);
bool dir_exists(const char *path);
/* Sorted names in a directory, without . and ..; n_out names, each malloced, in a malloced array. */
MUST_CHECK enum status dir_list(const char *path, char ***names, size_t *n_out, struct err *e);
void dir_list_free(char **names, size_t n);

#endif
