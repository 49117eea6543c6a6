/* SPDX-License-Identifier: Apache-2.0 */
#include "store/spare.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/mem.h"

/* Blocks of a page of the system's big ones and more are mapped by themselves: what is given back to it goes
 * at once, and none lies between others that stay. */
enum { HUGE_PAGE = 2 << 20 };

static bool mapped(size_t bytes)
{
    return bytes >= HUGE_PAGE;
}

static size_t mapped_bytes(size_t bytes)
{
    return (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

/* Bytes of no memory yet, at a huge page's border: mapped with one huge page more, of which what is too much goes. */
static uint8_t *reserve(size_t bytes)
{
    const size_t n = mapped_bytes(bytes);
    uint8_t *p = mmap(NULL, n + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return xmalloc(SIZE_MAX); /* there is no memory: it says so */
    size_t before = (size_t)(-(uintptr_t)p % HUGE_PAGE);
    if (before)
        munmap(p, before);
    munmap(p + before + n, HUGE_PAGE - before);
    return p + before;
}

static void *map(size_t bytes)
{
    uint8_t *p = reserve(bytes);
    madvise(p, mapped_bytes(bytes), MADV_HUGEPAGE); /* only advice: without it the pages are small */
    return p;
}

/* The same pages and some more behind them. */
static void *grown(void *block, size_t bytes, size_t to)
{
    uint8_t *p = reserve(to);
    if (mremap(block, mapped_bytes(bytes), mapped_bytes(to), MREMAP_MAYMOVE | MREMAP_FIXED, p) == MAP_FAILED)
        return xmalloc(SIZE_MAX);
    return p;
}

static void *obtain(size_t bytes)
{
    return mapped(bytes) ? map(bytes) : xmalloc(bytes);
}

static void release(void *p, size_t bytes)
{
    if (mapped(bytes))
        munmap(p, mapped_bytes(bytes));
    else
        free(p);
}

struct block {
    void *memory;
    size_t bytes;
    bool used;
};

struct spare {
    pthread_mutex_t lock;
    struct block *blocks;
    size_t n, capacity;
};

struct spare *spare_new(void)
{
    struct spare *s = xcalloc(1, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void spare_free(struct spare *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        if (!s->blocks[i].used)
            release(s->blocks[i].memory, s->blocks[i].bytes);
    free(s->blocks);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* The smallest that fits and is not more than twice as large; the number of blocks where there is none. */
static size_t best_fit(const struct spare *s, size_t bytes)
{
    size_t best = s->n;
    for (size_t i = 0; i < s->n; i++) {
        const struct block *b = &s->blocks[i];
        bool fits = !b->used && b->bytes >= bytes && b->bytes / 2 <= bytes;
        if (fits && (best == s->n || b->bytes < s->blocks[best].bytes))
            best = i;
    }
    return best;
}

/* The largest of those mapped by themselves that are too small; the number of blocks where there is none. */
static size_t largest_below(const struct spare *s, size_t bytes)
{
    size_t most = s->n;
    for (size_t i = 0; i < s->n; i++) {
        const struct block *b = &s->blocks[i];
        bool fits = !b->used && mapped(b->bytes) && b->bytes < bytes;
        if (fits && (most == s->n || b->bytes > s->blocks[most].bytes))
            most = i;
    }
    return most;
}

static void drop(struct spare *s, size_t bytes)
{
    for (size_t i = s->n, freed = 0; i-- > 0 && freed < bytes;) {
        if (s->blocks[i].used)
            continue;
        freed += s->blocks[i].bytes;
        release(s->blocks[i].memory, s->blocks[i].bytes);
        s->blocks[i] = s->blocks[--s->n];
    }
}

/* A block of so many bytes behind the others: one that is too small made larger, or a new one. */
static void add(struct spare *s, size_t bytes)
{
    struct block b = {.bytes = bytes};
    size_t at = largest_below(s, bytes);
    if (at < s->n) {
        struct block small = s->blocks[at];
        s->blocks[at] = s->blocks[--s->n];
        drop(s, bytes - small.bytes);
        b.memory = grown(small.memory, small.bytes, bytes);
    } else {
        drop(s, bytes);
        b.memory = obtain(bytes);
    }
    GROW(s->blocks, s->n + 1, s->capacity);
    s->blocks[s->n++] = b;
}

void *spare_take(struct spare *s, size_t bytes)
{
    pthread_mutex_lock(&s->lock);
    size_t at = best_fit(s, bytes);
    if (at == s->n) {
        add(s, bytes);
        at = s->n - 1;
    }
    s->blocks[at].used = true;
    void *memory = s->blocks[at].memory;
    pthread_mutex_unlock(&s->lock);
    return memory;
}

void spare_give(struct spare *s, void *block)
{
    if (!block)
        return;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->n; i++)
        if (s->blocks[i].memory == block)
            s->blocks[i].used = false;
    pthread_mutex_unlock(&s->lock);
}
