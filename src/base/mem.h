/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory by lifetime. An arena serves one request, query or import and is freed whole. Small allocations that
 * cannot be answered abort with a message that holds no data (xmalloc and friends); big buffers, whose size
 * follows from input, come out of a budget and can be refused (budget_take), so that tests can make each one
 * fail.
 */
#ifndef ACCORD_BASE_MEM_H
#define ACCORD_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Heap. Never NULL; size 0 is allowed. xrealloc_array checks n * size for overflow. Free with free(). */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc_array(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *format, ...) __attribute__((returns_nonnull, format(printf, 1, 2)));

/* Makes room for at least `need` items in a growable array (doubling): GROW(items, n + 1, capacity). */
#define GROW(array, need, capacity)                                                                          \
    do {                                                                                                     \
        if ((size_t)(need) > (size_t)(capacity)) {                                                           \
            size_t grow_to_ = (size_t)(capacity) ? (size_t)(capacity)*2 : 16;                                \
            while (grow_to_ < (size_t)(need))                                                                \
                grow_to_ *= 2;                                                                               \
            (array) = xrealloc_array((array), grow_to_, sizeof *(array));                                    \
            (capacity) = grow_to_;                                                                           \
        }                                                                                                    \
    } while (0)

/* An arena: allocations are 16-byte aligned, zeroed, and live until arena_free. Not thread-safe. */
struct arena;
struct arena *arena_new(void);
void arena_free(struct arena *a); /* NULL is fine */
void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull));
void *arena_array(struct arena *a, size_t n, size_t size) __attribute__((returns_nonnull));
char *arena_strdup(struct arena *a, const char *s) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *a, const char *s, size_t n) __attribute__((returns_nonnull));
char *arena_printf(struct arena *a, const char *format, ...)
    __attribute__((returns_nonnull, format(printf, 2, 3)));
size_t arena_used(const struct arena *a);

/* A budget: a ceiling for big buffers, thread-safe. limit_bytes 0 = no ceiling. fail_after >= 0 makes that
   many takes pass and every later one fail (tests). */
struct budget {
    uint64_t limit_bytes;
    _Atomic uint64_t used_bytes;
    _Atomic uint64_t peak_bytes;
    _Atomic int64_t fail_after;
};
void budget_init(struct budget *b, uint64_t limit_bytes);
/* Takes zeroed memory; ST_NO_MEMORY names `what` and the ceiling. Give back with budget_give and the same
 * size. */
MUST_CHECK enum status budget_take(struct budget *b, size_t bytes, const char *what, void **out,
                                   struct err *e);
void budget_give(struct budget *b, void *p, size_t bytes);

#endif
