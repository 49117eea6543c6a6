/* SPDX-License-Identifier: Apache-2.0
 *
 * Sorting events of which nobody looks at more than the person and the day: then (person, day) is all of an
 * event, equal ones are the same, and what moves is one number of 32 bits. Buckets of 1,024 persons, which
 * leave the 22 bits that every day of the calendar fits in, keep numbers and counters in the first-level
 * cache.
 */
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/mem.h"
#include "base/vectors.h"
#include "cohort/events.h"

enum { BUCKET_BITS = 10, BUCKET = 1 << BUCKET_BITS, DAY_BITS = 32 - BUCKET_BITS };
_Static_assert((int64_t)DATE_MAX - DATE_MIN < (int64_t)1 << DAY_BITS, "every day fits");

static inline uint32_t key_of(uint32_t person, int32_t day)
{
    uint32_t since = (uint32_t)day - (uint32_t)DATE_MIN;
    return person << DAY_BITS | (since & ((1U << DAY_BITS) - 1));
}

static int compare_keys(const void *a, const void *b)
{
    uint32_t p = *(const uint32_t *)a, q = *(const uint32_t *)b;
    return (p > q) - (p < q);
}

/* Keys that lie in the order of persons already. */
static void order_days(uint32_t *key, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint32_t x = key[i];
        size_t j = i;
        for (; j > 0 && x < key[j - 1]; j--)
            key[j] = key[j - 1];
        key[j] = x;
    }
}

enum { FEW = 64 }; /* keys of a person that are put in order one by one */

/* end[i] is where the keys of person i end. */
static void order_large(uint32_t *key, const uint32_t *end)
{
    for (int i = 0; i < BUCKET; i++) {
        uint32_t from = i ? end[i - 1] : 0;
        if (end[i] - from > FEW)
            qsort(key + from, end[i] - from, sizeof *key, compare_keys);
    }
}

static void sort_bucket(const uint32_t *from, size_t n, uint32_t *to)
{
    uint32_t at[BUCKET] = {0}, before = 0, most = 0;
    for (size_t i = 0; i < n; i++)
        at[from[i] >> DAY_BITS]++;
    for (int i = 0; i < BUCKET; i++) {
        uint32_t has = at[i];
        most = has > most ? has : most;
        at[i] = before;
        before += has;
    }
    for (size_t i = 0; i < n; i++)
        to[at[from[i] >> DAY_BITS]++] = from[i];
    if (most > FEW)
        order_large(to, at);
    order_days(to, n);
}

VECTORS static void take_apart(const uint32_t *restrict key, size_t n, uint32_t first,
                               uint32_t *restrict person, int32_t *restrict day)
{
    for (size_t i = 0; i < n; i++) {
        person[i] = first + (key[i] >> DAY_BITS);
        day[i] = (int32_t)((key[i] & ((1U << DAY_BITS) - 1)) + (uint32_t)DATE_MIN);
    }
}

void events_sort_days(const struct events *pieces, size_t n_pieces, size_t total, uint32_t n_persons,
                      struct events *out)
{
    size_t n_buckets = (n_persons >> BUCKET_BITS) + 1, most = 0;
    size_t *first = events_bucket_starts(pieces, n_pieces, BUCKET_BITS, n_buckets), *at = first + 1;
    for (size_t b = 0; b < n_buckets; b++)
        most = at[b + 1] - at[b] > most ? at[b + 1] - at[b] : most;
    uint32_t *keys = xrealloc_array(NULL, total, sizeof *keys),
             *sorted = xrealloc_array(NULL, most, sizeof *keys);
    for (size_t p = 0; p < n_pieces; p++)
        for (size_t i = 0; i < pieces[p].n; i++)
            keys[at[pieces[p].person[i] >> BUCKET_BITS]++] = key_of(pieces[p].person[i], pieces[p].start[i]);
    for (size_t b = 0; b < n_buckets; b++) {
        size_t n = first[b + 1] - first[b];
        if (n == 0)
            continue;
        sort_bucket(keys + first[b], n, sorted);
        take_apart(sorted, n, (uint32_t)b << BUCKET_BITS, out->person + first[b], out->start + first[b]);
    }
    free(sorted);
    free(keys);
    free(first);
}
