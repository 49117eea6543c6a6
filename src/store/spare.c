/* SPDX-License-Identifier: Apache-2.0 */
#include "store/spare.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

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
            free(s->blocks[i].memory);
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
        free(s->blocks[i].memory);
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
        s->blocks[at] = (struct block){xmalloc_large(bytes), bytes, false};
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
