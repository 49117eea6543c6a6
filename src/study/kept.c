/* SPDX-License-Identifier: Apache-2.0 */
#include "study/kept.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

struct entry {
    const void *spec;
    uint32_t first, end;
    void *block;
};

struct kept {
    pthread_mutex_t lock;
    struct entry *entries;
    size_t n, capacity, left;
};

struct kept *kept_new(size_t most_bytes)
{
    struct kept *k = xcalloc(1, sizeof *k);
    pthread_mutex_init(&k->lock, NULL);
    k->left = most_bytes;
    return k;
}

void kept_free(struct kept *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->n; i++)
        free(k->entries[i].block);
    free(k->entries);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

static void *find(const struct kept *k, const void *spec, uint32_t first, uint32_t end)
{
    for (size_t i = 0; i < k->n; i++) {
        const struct entry *x = &k->entries[i];
        if (x->spec == spec && x->first == first && x->end == end)
            return x->block;
    }
    return NULL;
}

void kept_put(struct kept *k, const void *spec, uint32_t first, uint32_t end, void *block, size_t bytes)
{
    bool taken = false;
    if (k) {
        pthread_mutex_lock(&k->lock);
        taken = bytes <= k->left && !find(k, spec, first, end);
        if (taken) {
            GROW(k->entries, k->n + 1, k->capacity);
            k->entries[k->n++] = (struct entry){spec, first, end, block};
            k->left -= bytes;
        }
        pthread_mutex_unlock(&k->lock);
    }
    if (!taken)
        free(block);
}

const void *kept_get(struct kept *k, const void *spec, uint32_t first, uint32_t end)
{
    if (!k)
        return NULL;
    pthread_mutex_lock(&k->lock);
    const void *block = find(k, spec, first, end);
    pthread_mutex_unlock(&k->lock);
    return block;
}
