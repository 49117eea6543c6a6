/* SPDX-License-Identifier: Apache-2.0
 *
 * Sorting is by counting, never by comparing all: rows come out of the store as runs that are each in person
 * order, so a stable pass over the person index leaves only the few events of one person to be ordered by
 * date. Large lists are merged in buckets of 2^14 persons, whose counters stay in the first-level cache and
 * which threads take in any order; where a bucket's events go is known beforehand, so the result is the same
 * for any number of threads.
 */
#include "cohort/events.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { BUCKET_BITS = 14, BUCKET = 1 << BUCKET_BITS, RADIX_BITS = 11, RADIX = 1 << RADIX_BITS };

/* The columns, so that every function below treats them alike. */
static const struct column {
    unsigned need;
    size_t offset, size;
} columns[] = {
    {0, offsetof(struct events, person), sizeof(uint32_t)},
    {0, offsetof(struct events, start), sizeof(int32_t)},
    {NEED_END, offsetof(struct events, end), sizeof(int32_t)},
    {NEED_SORT, offsetof(struct events, sort), sizeof(int32_t)},
    {NEED_RAW, offsetof(struct events, raw), sizeof(int32_t)},
    {NEED_ID, offsetof(struct events, id), sizeof(int64_t)},
    {NEED_VISIT, offsetof(struct events, visit), sizeof(int64_t)},
    {NEED_KEY, offsetof(struct events, key), sizeof(int64_t)},
    {NEED_PASS, offsetof(struct events, pass), sizeof(uint8_t)},
    {NEED_PERIOD, offsetof(struct events, op_start), sizeof(int32_t)},
    {NEED_PERIOD, offsetof(struct events, op_end), sizeof(int32_t)},
};
enum { N_COLUMNS = sizeof columns / sizeof *columns };

static bool present(const struct events *v, const struct column *c)
{
    return !c->need || (v->needs & c->need);
}

static void **column_of(struct events *v, const struct column *c)
{
    return (void **)(void *)((char *)v + c->offset);
}

static const void *values_of(const struct events *v, const struct column *c)
{
    return *(void *const *)(const void *)((const char *)v + c->offset);
}

void events_init(struct events *v, unsigned needs)
{
    *v = (struct events){.needs = needs};
}

void events_deinit(struct events *v)
{
    for (int i = 0; i < N_COLUMNS; i++)
        free(*column_of(v, &columns[i]));
    *v = (struct events){.needs = v->needs};
}

void events_drop(struct events *v, unsigned needs)
{
    for (int i = 0; i < N_COLUMNS; i++)
        if (columns[i].need && !(columns[i].need & needs)) {
            void **p = column_of(v, &columns[i]);
            free(*p);
            *p = NULL;
        }
    v->needs &= needs;
}

void events_reserve(struct events *v, size_t n)
{
    if (n <= v->capacity)
        return;
    size_t capacity = v->capacity ? v->capacity : 64;
    while (capacity < n)
        capacity *= 2;
    for (int i = 0; i < N_COLUMNS; i++)
        if (present(v, &columns[i])) {
            void **p = column_of(v, &columns[i]);
            *p = xrealloc_array(*p, capacity, columns[i].size);
        }
    v->capacity = capacity;
}

void events_copy(struct events *v, size_t at, const struct events *from, size_t i)
{
    v->person[at] = from->person[i];
    v->start[at] = from->start[i];
    if (v->needs & NEED_END)
        v->end[at] = from->end[i];
    if (v->needs & NEED_SORT)
        v->sort[at] = from->sort[i];
    if (v->needs & NEED_RAW)
        v->raw[at] = from->raw[i];
    if (v->needs & NEED_ID)
        v->id[at] = from->id[i];
    if (v->needs & NEED_VISIT)
        v->visit[at] = from->visit[i];
    if (v->needs & NEED_KEY)
        v->key[at] = from->key[i];
    if (v->needs & NEED_PASS)
        v->pass[at] = from->pass[i];
    if (v->needs & NEED_PERIOD) {
        v->op_start[at] = from->op_start[i];
        v->op_end[at] = from->op_end[i];
    }
}

void events_keep(struct events *v, const uint8_t *mask)
{
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++)
        if (mask[i])
            events_copy(v, n++, v, i);
    v->n = n;
}

/* --- order within a person --- */

/* A place in one of several lists: list in the high half, position in the low. */
static bool comes_before(const struct events *lists, uint64_t a, uint64_t b)
{
    const struct events *p = &lists[a >> 32], *q = &lists[b >> 32];
    size_t i = (uint32_t)a, j = (uint32_t)b;
    int32_t x = events_sort_day(p, i), y = events_sort_day(q, j);
    return x != y ? x < y : p->id && p->id[i] < q->id[j];
}

static int compare_places(const void *a, const void *b, void *lists)
{
    uint64_t p = *(const uint64_t *)a, q = *(const uint64_t *)b;
    if (comes_before(lists, p, q))
        return -1;
    return comes_before(lists, q, p) ? 1 : (p > q) - (p < q);
}

static void order_person(const struct events *lists, uint64_t *places, size_t n)
{
    if (n > 24) {
        qsort_r(places, n, sizeof *places, compare_places, (void *)(uintptr_t)lists);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        uint64_t x = places[i];
        size_t j = i;
        for (; j > 0 && comes_before(lists, x, places[j - 1]); j--)
            places[j] = places[j - 1];
        places[j] = x;
    }
}

static void order_persons(const struct events *lists, uint64_t *places, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint32_t person = lists[places[i] >> 32].person[(uint32_t)places[i]];
        size_t j = i + 1;
        while (j < n && lists[places[j] >> 32].person[(uint32_t)places[j]] == person)
            j++;
        if (j - i > 1)
            order_person(lists, places + i, j - i);
        i = j;
    }
}

#define GATHER(type)                                                                                         \
    for (size_t i = 0; i < n; i++)                                                                           \
    ((type *)to)[i] = ((const type *)values_of(&lists[places[i] >> 32], c))[(uint32_t)places[i]]

static void gather(const struct events *lists, const uint64_t *places, size_t n, struct events *out,
                   size_t at)
{
    for (int k = 0; k < N_COLUMNS; k++) {
        const struct column *c = &columns[k];
        if (!present(out, c))
            continue;
        char *to = (char *)*column_of(out, c) + at * c->size;
        if (c->size == 8)
            GATHER(uint64_t);
        else if (c->size == 4)
            GATHER(uint32_t);
        else
            GATHER(uint8_t);
    }
}

/* --- one list --- */

static bool is_sorted(const struct events *v)
{
    for (size_t i = 1; i < v->n; i++) {
        if (v->person[i - 1] > v->person[i])
            return false;
        if (v->person[i - 1] == v->person[i] && comes_before(v, i, i - 1))
            return false;
    }
    return true;
}

static void radix_pass(const struct events *v, const uint64_t *from, uint64_t *to, unsigned shift)
{
    size_t count[RADIX + 1] = {0};
    for (size_t i = 0; i < v->n; i++)
        count[((v->person[i] >> shift) & (RADIX - 1)) + 1]++;
    for (int i = 0; i < RADIX; i++)
        count[i + 1] += count[i];
    for (size_t i = 0; i < v->n; i++)
        to[count[(v->person[from[i]] >> shift) & (RADIX - 1)]++] = from[i];
}

void events_sort(struct events *v, uint32_t n_persons)
{
    if (is_sorted(v))
        return;
    uint64_t *a = xcalloc(v->n, sizeof *a), *b = xcalloc(v->n, sizeof *b);
    for (size_t i = 0; i < v->n; i++)
        a[i] = i;
    for (unsigned shift = 0; shift < 32 && (n_persons >> shift) > 0; shift += RADIX_BITS) {
        radix_pass(v, a, b, shift);
        uint64_t *t = a;
        a = b;
        b = t;
    }
    order_persons(v, a, v->n);
    struct events out;
    events_init(&out, v->needs);
    events_reserve(&out, v->n);
    gather(v, a, v->n, &out, 0);
    out.n = v->n;
    events_deinit(v);
    *v = out;
    free(a);
    free(b);
}

/* --- many lists --- */

struct merging {
    const struct events *pieces;
    size_t n_pieces;
    size_t n_buckets;
    size_t *bounds; /* [bucket * n_pieces + piece]: first event of the bucket in the piece; one row more */
    size_t *first;  /* of each bucket in the output */
    struct events *out;
};

static void copy_range(const struct events *from, size_t first, size_t n, struct events *out, size_t at)
{
    for (int k = 0; k < N_COLUMNS; k++)
        if (n && present(out, &columns[k]))
            memcpy((char *)*column_of(out, &columns[k]) + at * columns[k].size,
                   (const char *)values_of(from, &columns[k]) + first * columns[k].size, n * columns[k].size);
}

/* Fills `places` with the bucket's events in person order, stable in the order of pieces. */
static void count_bucket(const struct merging *m, size_t bucket, uint64_t *places)
{
    uint32_t *count = xcalloc(BUCKET + 1, sizeof *count);
    const size_t *low = m->bounds + bucket * m->n_pieces, *high = low + m->n_pieces;
    for (size_t p = 0; p < m->n_pieces; p++)
        for (size_t i = low[p]; i < high[p]; i++)
            count[(m->pieces[p].person[i] & (BUCKET - 1)) + 1]++;
    for (int i = 0; i < BUCKET; i++)
        count[i + 1] += count[i];
    for (size_t p = 0; p < m->n_pieces; p++)
        for (size_t i = low[p]; i < high[p]; i++)
            places[count[m->pieces[p].person[i] & (BUCKET - 1)]++] = (uint64_t)p << 32 | i;
    free(count);
}

static enum status merge_bucket(void *context, size_t bucket, struct err *e)
{
    (void)e;
    const struct merging *m = context;
    size_t n = m->first[bucket + 1] - m->first[bucket];
    if (n == 0)
        return ST_OK;
    uint64_t *places = xcalloc(n, sizeof *places);
    count_bucket(m, bucket, places);
    order_persons(m->pieces, places, n);
    gather(m->pieces, places, n, m->out, m->first[bucket]);
    free(places);
    return ST_OK;
}

static void find_bounds(struct merging *m)
{
    m->bounds = xcalloc((m->n_buckets + 1) * m->n_pieces, sizeof *m->bounds);
    m->first = xcalloc(m->n_buckets + 1, sizeof *m->first);
    for (size_t p = 0; p < m->n_pieces; p++) {
        size_t at = 0;
        for (size_t b = 0; b <= m->n_buckets; b++) {
            at = b == m->n_buckets ? m->pieces[p].n
                                   : events_find(&m->pieces[p], at, (uint32_t)(b << BUCKET_BITS));
            m->bounds[b * m->n_pieces + p] = at;
            m->first[b] += at;
        }
    }
}

static bool in_order(const struct events *pieces, const bool *continues, size_t n)
{
    const struct events *last = NULL;
    for (size_t i = 0; i < n; i++) {
        if (pieces[i].n == 0)
            continue;
        if (last && last->person[last->n - 1] >= pieces[i].person[0] && !(continues && continues[i]))
            return false;
        last = &pieces[i];
    }
    return true;
}

static void concatenate(struct events *pieces, size_t n, struct events *out)
{
    for (size_t i = 0; i < n; i++) {
        copy_range(&pieces[i], 0, pieces[i].n, out, out->n);
        out->n += pieces[i].n;
    }
}

enum status events_merge(struct pool *pool, struct events *pieces, const bool *continues, size_t n,
                         uint32_t n_persons, struct events *out, struct err *e)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += pieces[i].n;
    enum status s = ST_OK;
    if (n == 1) {
        *out = pieces[0];
        events_init(&pieces[0], out->needs);
        return s;
    }
    events_reserve(out, total);
    if (in_order(pieces, continues, n)) {
        concatenate(pieces, n, out);
    } else {
        struct merging m = {
            .pieces = pieces, .n_pieces = n, .n_buckets = (n_persons >> BUCKET_BITS) + 1, .out = out};
        find_bounds(&m);
        s = pool_run(pool, m.n_buckets, merge_bucket, &m, e);
        free(m.bounds);
        free(m.first);
        out->n = total;
    }
    for (size_t i = 0; i < n; i++)
        events_deinit(&pieces[i]);
    return s;
}

/* --- walking --- */

size_t events_cut(const struct events *v, size_t size, size_t *bounds)
{
    size_t n = 0;
    for (size_t at = 0; at < v->n;) {
        bounds[n++] = at;
        at += size;
        while (at < v->n && v->person[at] == v->person[at - 1])
            at++;
    }
    bounds[n] = v->n;
    return n;
}

size_t events_find(const struct events *v, size_t from, uint32_t person)
{
    size_t step = 1, low = from, high = from;
    while (high < v->n && v->person[high] < person) { /* gallop: usually it is near */
        low = high + 1;
        high += step;
        step *= 2;
    }
    if (high > v->n)
        high = v->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (v->person[middle] < person)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

__attribute__((target_clones("avx512f", "avx2", "default"))) size_t
days_between(const int32_t *days, size_t n, int32_t low, int32_t high)
{
    uint32_t hits = 0;
    for (size_t i = 0; i < n; i++)
        hits += (uint32_t)(days[i] >= low) & (uint32_t)(days[i] <= high);
    return hits;
}
