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

/* At a huge page's border: mapped with one more, of which what is too much goes. */
static void *map(size_t bytes)
{
    const size_t n = mapped_bytes(bytes);
    uint8_t *p = mmap(NULL, n + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return xmalloc(SIZE_MAX); /* there is no memory: it says so */
    size_t before = (size_t)(-(uintptr_t)p % HUGE_PAGE);
    if (before)
        munmap(p, before);
    munmap(p + before + n, HUGE_PAGE - before);
    madvise(p + before, n, MADV_HUGEPAGE); /* only advice: without it the pages are small */
    return p + before;
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

void *spare_take(struct spare *s, size_t bytes)
{
    pthread_mutex_lock(&s->lock);
    size_t at = best_fit(s, bytes);
    if (at == s->n) {
        drop(s, bytes);
        GROW(s->blocks, s->n + 1, s->capacity);
        at = s->n++;
        s->blocks[at] = (struct block){obtain(bytes), bytes, false};
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
