/* SPDX-License-Identifier: Apache-2.0
 *
 * Sorting events of which nobody looks at more than the person and the day: then (person, day) is all of an
 * event, equal ones are the same, and what moves is one number of 64 bits. As in events.c, buckets of persons
 * keep the counters in the first-level cache.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cohort/events.h"

enum { BUCKET_BITS = EVENTS_BUCKET_BITS, BUCKET = 1 << BUCKET_BITS };

/* In an order that unsigned numbers have. */
static uint64_t key_of(uint32_t person, int32_t day)
{
    return (uint64_t)person << 32 | ((uint32_t)day ^ 0x80000000u);
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t p = *(const uint64_t *)a, q = *(const uint64_t *)b;
    return (p > q) - (p < q);
}

static void order_person(uint64_t *key, size_t n)
{
    enum { FEW = 24 };
    if (n > FEW) {
        qsort(key, n, sizeof *key, compare_keys);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        uint64_t x = key[i];
        size_t j = i;
        for (; j > 0 && x < key[j - 1]; j--)
            key[j] = key[j - 1];
        key[j] = x;
    }
}

/* Keys of one person lie together. */
static void order_persons(uint64_t *key, size_t n)
{
    for (size_t i = 1, first = 0; i <= n; i++) {
        if (i < n && key[i] >> 32 == key[first] >> 32)
            continue;
        if (i - first > 1)
            order_person(key + first, i - first);
        first = i;
    }
}

static void sort_bucket(const uint64_t *from, size_t n, uint64_t *to, uint32_t *count)
{
    memset(count, 0, (BUCKET + 1) * sizeof *count);
    for (size_t i = 0; i < n; i++)
        count[(from[i] >> 32 & (BUCKET - 1)) + 1]++;
    for (int i = 0; i < BUCKET; i++)
        count[i + 1] += count[i];
    for (size_t i = 0; i < n; i++)
        to[count[from[i] >> 32 & (BUCKET - 1)]++] = from[i];
    order_persons(to, n);
}

void events_sort_days(const struct events *pieces, size_t n_pieces, size_t total, uint32_t n_persons,
                      struct events *out)
{
    size_t n_buckets = (n_persons >> BUCKET_BITS) + 1, most = 0;
    size_t *first = events_bucket_starts(pieces, n_pieces, n_buckets), *at = first + 1;
    for (size_t b = 0; b < n_buckets; b++)
        most = at[b + 1] - at[b] > most ? at[b + 1] - at[b] : most;
    uint64_t *keys = xrealloc_array(NULL, total, sizeof *keys),
             *sorted = xrealloc_array(NULL, most, sizeof *keys);
    uint32_t *count = xrealloc_array(NULL, BUCKET + 1, sizeof *count);
    for (size_t p = 0; p < n_pieces; p++)
        for (size_t i = 0; i < pieces[p].n; i++)
            keys[at[pieces[p].person[i] >> BUCKET_BITS]++] = key_of(pieces[p].person[i], pieces[p].start[i]);
    for (size_t b = 0; b < n_buckets; b++) {
        size_t n = first[b + 1] - first[b];
        sort_bucket(keys + first[b], n, sorted, count);
        for (size_t i = 0; i < n; i++) {
            out->person[first[b] + i] = (uint32_t)(sorted[i] >> 32);
            out->start[first[b] + i] = (int32_t)((uint32_t)sorted[i] ^ 0x80000000u);
        }
    }
    free(count);
    free(sorted);
    free(keys);
    free(first);
}
