/* SPDX-License-Identifier: Apache-2.0
 *
 * Sorting is by counting, never by comparing all: rows come out of the store as runs that are each in person
 * order, so a stable pass over the person index leaves only the few events of one person to be ordered by
 * date. What moves is an entry of 16 bytes, (person, day) and the place it came from; the columns are
 * gathered once at the end. Long lists are cut into buckets of 2^14 persons, whose counters stay in the
 * first-level cache.
 */
#include "cohort/events.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem.h"
#include "base/vectors.h"

enum {
    BUCKET_BITS = 14,
    BUCKET = 1 << BUCKET_BITS,
    DIGIT_BITS = 8,
    DIGIT = 1 << DIGIT_BITS,
    SHORT_LIST = 1 << 16, /* below, a few passes over the digits are cheaper than all counters */
    SPARSE = 16           /* the same where only days are sorted: less than an event for so many persons */
};

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

void events_add(struct events *v, unsigned needs)
{
    for (int i = 0; i < N_COLUMNS; i++)
        if (columns[i].need & needs & ~v->needs)
            *column_of(v, &columns[i]) = xmalloc(v->capacity * columns[i].size);
    v->needs |= needs;
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

VECTORS static size_t count_mask(const uint8_t *mask, size_t n)
{
    size_t set = 0;
    for (size_t i = 0; i < n; i++)
        set += mask[i];
    return set;
}

static void keep_bytes(uint8_t *p, const uint8_t *mask, size_t n)
{
    for (size_t i = 0, kept = 0; i < n; i++) {
        p[kept] = p[i];
        kept += mask[i];
    }
}

static void keep_column(void *p, size_t size, const uint8_t *mask, size_t n)
{
    if (size == 4)
        bits_keep32(p, p, mask, n);
    else if (size == 8)
        bits_keep64(p, p, mask, n);
    else
        keep_bytes(p, mask, n);
}

void events_keep(struct events *v, const uint8_t *mask)
{
    size_t n = count_mask(mask, v->n);
    for (int k = 0; k < N_COLUMNS && n < v->n; k++)
        if (present(v, &columns[k]))
            keep_column(*column_of(v, &columns[k]), columns[k].size, mask, v->n);
    v->n = n;
}

static void concatenate(const struct events *pieces, size_t n, struct events *out)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < N_COLUMNS; k++)
            if (pieces[i].n && present(out, &columns[k]))
                memcpy((char *)*column_of(out, &columns[k]) + at * columns[k].size,
                       values_of(&pieces[i], &columns[k]), pieces[i].n * columns[k].size);
        at += pieces[i].n;
    }
}

void events_clone(const struct events *v, struct events *out)
{
    events_init(out, v->needs);
    events_reserve(out, v->n);
    concatenate(v, 1, out);
    out->n = v->n;
}

/* --- entries --- */

struct entry {
    uint64_t key;   /* person, then day, in an order that unsigned numbers have */
    uint64_t place; /* piece in the high half, position in the low */
};

static struct entry entry_of(const struct events *pieces, size_t piece, size_t i)
{
    const struct events *v = &pieces[piece];
    uint32_t day = (uint32_t)events_sort_day(v, i) ^ 0x80000000u;
    return (struct entry){(uint64_t)v->person[i] << 32 | day, (uint64_t)piece << 32 | i};
}

static bool comes_before(const struct events *pieces, const struct entry *a, const struct entry *b)
{
    if (a->key != b->key)
        return a->key < b->key;
    const struct events *p = &pieces[a->place >> 32], *q = &pieces[b->place >> 32];
    return p->id && q->id && p->id[(uint32_t)a->place] < q->id[(uint32_t)b->place];
}

static int compare_entries(const void *a, const void *b, void *pieces)
{
    const struct entry *p = a, *q = b;
    if (comes_before(pieces, p, q))
        return -1;
    return comes_before(pieces, q, p) ? 1 : (p->place > q->place) - (p->place < q->place);
}

static void order_person(const struct events *pieces, struct entry *e, size_t n)
{
    if (n > 24) {
        qsort_r(e, n, sizeof *e, compare_entries, (void *)(uintptr_t)pieces);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        struct entry x = e[i];
        size_t j = i;
        for (; j > 0 && comes_before(pieces, &x, &e[j - 1]); j--)
            e[j] = e[j - 1];
        e[j] = x;
    }
}

static void order_persons(const struct events *pieces, struct entry *e, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t j = i + 1;
        while (j < n && e[j].key >> 32 == e[i].key >> 32)
            j++;
        if (j - i > 1)
            order_person(pieces, e + i, j - i);
        i = j;
    }
}

#define GATHER(type)                                                                                         \
    for (size_t i = 0; i < n; i++)                                                                           \
    ((type *)to)[i] = ((const type *)from[e[i].place >> 32])[(uint32_t)e[i].place]

/* Column by column, so that each is written in one go. */
static void gather(const struct events *pieces, size_t n_pieces, const struct entry *e, size_t n,
                   struct events *out, size_t at)
{
    const void **from = xcalloc(n_pieces, sizeof *from);
    for (int k = 0; k < N_COLUMNS; k++) {
        const struct column *c = &columns[k];
        if (!present(out, c))
            continue;
        char *to = (char *)*column_of(out, c) + at * c->size;
        for (size_t p = 0; p < n_pieces; p++)
            from[p] = values_of(&pieces[p], c);
        if (c->size == 8)
            GATHER(uint64_t);
        else if (c->size == 4)
            GATHER(uint32_t);
        else
            GATHER(uint8_t);
    }
    free(from);
}

/* --- short lists: least significant digit first --- */

static void digit_pass(const struct entry *from, struct entry *to, size_t n, unsigned shift)
{
    size_t count[DIGIT + 1] = {0};
    for (size_t i = 0; i < n; i++)
        count[(from[i].key >> shift & (DIGIT - 1)) + 1]++;
    for (int i = 0; i < DIGIT; i++)
        count[i + 1] += count[i];
    for (size_t i = 0; i < n; i++)
        to[count[from[i].key >> shift & (DIGIT - 1)]++] = from[i];
}

static void sort_short(const struct events *pieces, size_t n_pieces, size_t total, uint32_t n_persons,
                       struct events *out)
{
    struct entry *a = xmalloc(total * sizeof *a), *b = xmalloc(total * sizeof *b);
    size_t n = 0;
    for (size_t p = 0; p < n_pieces; p++)
        for (size_t i = 0; i < pieces[p].n; i++)
            a[n++] = entry_of(pieces, p, i);
    for (unsigned shift = 0; shift < 32 && n_persons >> shift > 0; shift += DIGIT_BITS) {
        digit_pass(a, b, n, 32 + shift);
        struct entry *t = a;
        a = b;
        b = t;
    }
    order_persons(pieces, a, n);
    gather(pieces, n_pieces, a, n, out, 0);
    free(a);
    free(b);
}

/* --- long lists: buckets of persons --- */

static void sort_bucket(const struct events *pieces, size_t n_pieces, const struct entry *from, size_t n,
                        struct entry *to, uint32_t *count, struct events *out, size_t first)
{
    memset(count, 0, (BUCKET + 1) * sizeof *count);
    for (size_t i = 0; i < n; i++)
        count[(from[i].key >> 32 & (BUCKET - 1)) + 1]++;
    for (int i = 0; i < BUCKET; i++)
        count[i + 1] += count[i];
    for (size_t i = 0; i < n; i++)
        to[count[from[i].key >> 32 & (BUCKET - 1)]++] = from[i];
    order_persons(pieces, to, n);
    gather(pieces, n_pieces, to, n, out, first);
}

size_t *events_bucket_starts(const struct events *pieces, size_t n_pieces, unsigned bits, size_t n_buckets)
{
    size_t *first = xcalloc(n_buckets + 2, sizeof *first);
    for (size_t p = 0; p < n_pieces; p++)
        for (size_t i = 0; i < pieces[p].n; i++)
            first[(pieces[p].person[i] >> bits) + 2]++;
    for (size_t b = 2; b < n_buckets + 2; b++)
        first[b] += first[b - 1];
    return first;
}

static void sort_long(const struct events *pieces, size_t n_pieces, size_t total, uint32_t n_persons,
                      struct events *out)
{
    size_t n_buckets = (n_persons >> BUCKET_BITS) + 1, most = 0;
    size_t *first = events_bucket_starts(pieces, n_pieces, BUCKET_BITS, n_buckets), *at = first + 1;
    struct entry *entries = xmalloc(total * sizeof *entries);
    for (size_t b = 0; b < n_buckets; b++)
        most = at[b + 1] - at[b] > most ? at[b + 1] - at[b] : most;
    for (size_t p = 0; p < n_pieces; p++)
        for (size_t i = 0; i < pieces[p].n; i++)
            entries[at[pieces[p].person[i] >> BUCKET_BITS]++] = entry_of(pieces, p, i);
    struct entry *sorted = xmalloc(most * sizeof *sorted);
    uint32_t *count = xmalloc((BUCKET + 1) * sizeof *count);
    for (size_t b = 0; b < n_buckets; b++)
        sort_bucket(pieces, n_pieces, entries + first[b], first[b + 1] - first[b], sorted, count, out,
                    first[b]);
    free(count);
    free(sorted);
    free(entries);
    free(first);
}

/* --- lists to one list --- */

static bool is_sorted(const struct events *v)
{
    for (size_t i = 1; i < v->n; i++) {
        struct entry a = entry_of(v, 0, i - 1), b = entry_of(v, 0, i);
        if (comes_before(v, &b, &a))
            return false;
    }
    return true;
}

/* Each piece in order, and none begins before the one before it ended. */
static bool in_order(const struct events *pieces, size_t n)
{
    const struct events *last = NULL;
    for (size_t i = 0; i < n; i++) {
        if (pieces[i].n == 0)
            continue;
        if (last && last->person[last->n - 1] >= pieces[i].person[0])
            return false;
        if (!is_sorted(&pieces[i]))
            return false;
        last = &pieces[i];
    }
    return true;
}

void events_merge(struct events *pieces, size_t n, uint32_t n_persons, struct events *out)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += pieces[i].n;
    if (n == 1 && is_sorted(&pieces[0])) {
        *out = pieces[0];
        events_init(&pieces[0], out->needs);
        return;
    }
    events_reserve(out, total);
    if (in_order(pieces, n))
        concatenate(pieces, n, out);
    else if (out->needs == 0 && total >= n_persons / SPARSE)
        events_sort_days(pieces, n, total, n_persons, out);
    else if (total < SHORT_LIST)
        sort_short(pieces, n, total, n_persons, out);
    else
        sort_long(pieces, n, total, n_persons, out);
    out->n = total;
    for (size_t i = 0; i < n; i++)
        events_deinit(&pieces[i]);
}

/* --- walking --- */

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
