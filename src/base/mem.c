/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static _Noreturn void out_of_memory(void)
{
    fputs("accord: out of memory\n", stderr);
    exit(status_exit_code(ST_NO_MEMORY));
}

void *xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);
    if (!p)
        out_of_memory();
    return p;
}

void *xcalloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);
    if (!p)
        out_of_memory();
    return p;
}

void *xrealloc_array(void *p, size_t n, size_t size)
{
    void *q = reallocarray(p, n ? n : 1, size ? size : 1);
    if (!q)
        out_of_memory();
    return q;
}

char *xstrdup(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(xmalloc(n), s, n);
}

char *xasprintf(const char *format, ...)
{
    char *s = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&s, format, args);
    va_end(args);
    if (n < 0 || !s)
        out_of_memory();
    return s;
}

/* Chunks form a list, newest first; each begins with its header, padded so that data is 16-byte aligned. */
struct chunk {
    struct chunk *next;
    size_t size;
    size_t used;
    size_t pad;
};

struct arena {
    struct chunk *chunks;
    size_t next_size;
    size_t total;
};

struct arena *arena_new(void)
{
    struct arena *a = xcalloc(1, sizeof *a);
    a->next_size = 4096;
    return a;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    for (struct chunk *c = a->chunks; c;) {
        struct chunk *next = c->next;
        free(c);
        c = next;
    }
    free(a);
}

static void arena_grow(struct arena *a, size_t size)
{
    size_t n = a->next_size > size ? a->next_size : size;
    struct chunk *c = xcalloc(1, sizeof *c + n);
    c->size = n;
    c->next = a->chunks;
    a->chunks = c;
    if (a->next_size < (size_t)1 << 20)
        a->next_size *= 2;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > SIZE_MAX - 64)
        out_of_memory();
    size_t n = (size + 15) & ~(size_t)15;
    if (!a->chunks || a->chunks->size - a->chunks->used < n)
        arena_grow(a, n);
    struct chunk *c = a->chunks;
    void *p = (char *)(c + 1) + c->used;
    c->used += n;
    a->total += n;
    return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        out_of_memory();
    return arena_alloc(a, bytes);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *p = arena_alloc(a, n + 1);
    memcpy(p, s, n);
    p[n] = '\0';
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    size_t size = n < 0 ? 1 : (size_t)n + 1;
    char *p = arena_alloc(a, size);
    vsnprintf(p, size, format, again);
    va_end(again);
    return p;
}

size_t arena_used(const struct arena *a)
{
    return a->total;
}

void budget_init(struct budget *b, uint64_t limit_bytes)
{
    b->limit_bytes = limit_bytes;
    atomic_init(&b->used_bytes, 0);
    atomic_init(&b->peak_bytes, 0);
    atomic_init(&b->fail_after, -1);
}

static int budget_told_to_fail(struct budget *b)
{
    int64_t left = atomic_load(&b->fail_after);
    while (left > 0)
        if (atomic_compare_exchange_weak(&b->fail_after, &left, left - 1))
            return 0;
    return left == 0;
}

enum status budget_take(struct budget *b, size_t bytes, const char *what, void **out, struct err *e)
{
    *out = NULL;
    uint64_t used = atomic_fetch_add(&b->used_bytes, bytes) + bytes;
    int over = b->limit_bytes && used > b->limit_bytes;
    void *p = over || budget_told_to_fail(b) ? NULL : calloc(1, bytes ? bytes : 1);
    if (!p) {
        atomic_fetch_sub(&b->used_bytes, bytes);
        return err_set(e, ST_NO_MEMORY, "%s needs %zu bytes, which is over the memory limit of %llu bytes",
                       what, bytes, (unsigned long long)b->limit_bytes);
    }
    uint64_t peak = atomic_load(&b->peak_bytes);
    while (used > peak && !atomic_compare_exchange_weak(&b->peak_bytes, &peak, used)) {
    }
    *out = p;
    return ST_OK;
}

void budget_give(struct budget *b, void *p, size_t bytes)
{
    if (!p)
        return;
    free(p);
    atomic_fetch_sub(&b->used_bytes, bytes);
}
