/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading bytes from a file that may be compressed: plain, gzip (also of several members) or zstd (also of
 * several frames), told apart by the first bytes and not by the name. A compressed file that ends before its
 * stream does, or whose checksum is wrong, is an error, never a short read. Single-threaded.
 */
#ifndef ACCORD_BASE_STREAM_H
#define ACCORD_BASE_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

struct stream;
MUST_CHECK enum status stream_open(const char *path, struct stream **out, struct err *e);
/* Over borrowed bytes, which must outlive the stream; `name` is what errors call them. */
MUST_CHECK enum status stream_open_memory(struct slice bytes, const char *name, struct stream **out,
                                          struct err *e);
void stream_close(struct stream *s);

/* Fills out; *got is less than n only at the end. */
MUST_CHECK enum status stream_read(struct stream *s, char *out, size_t n, size_t *got, struct err *e);
/* n, or some bytes more: asked for so many, a plain file is read in the pieces that the system is quickest at. */
size_t stream_even(const struct stream *s, size_t n);
const char *stream_name(const struct stream *s); /* the last component of the path */
uint64_t stream_size(const struct stream *s);    /* bytes of the file, as it lies there */
uint64_t stream_taken(const struct stream *s);   /* how many of those have been read: for progress */

#endif
