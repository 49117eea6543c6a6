/* SPDX-License-Identifier: Apache-2.0
 *
 * Big blocks of memory that an import uses again and again: the system clears every page that it gives out,
 * which takes longer than much of what is then done with it. Threads may share it.
 */
#ifndef ACCORD_STORE_SPARE_H
#define ACCORD_STORE_SPARE_H

#include <stddef.h>

struct spare;
struct spare *spare_new(void);
void spare_free(struct spare *s); /* and all that was given back; NULL is fine */

/* A block of at least `bytes`, with anything in it: one that was given back where one fits, else a smaller one made
 * larger, else a new one. For the bytes that it is larger by, as many of those given back are freed: so the spare
 * never adds to the most that was in use. */
void *spare_take(struct spare *s, size_t bytes);
void spare_give(struct spare *s, void *block); /* NULL is fine */

#endif
