/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/persons.h"

#include <roaring/roaring.h>
#include <stdlib.h>

#include "base/mem.h"

struct persons {
    roaring_bitmap_t *set;
    size_t n;
};

static void *need(void *p)
{
    if (!p)
        abort(); /* out of memory, as xmalloc */
    return p;
}

static struct persons *wrap(roaring_bitmap_t *set)
{
    struct persons *p = xmalloc(sizeof *p);
    *p = (struct persons){need(set), (size_t)roaring_bitmap_get_cardinality(set)};
    return p;
}

struct persons *persons_new(const uint32_t *numbers, size_t n)
{
    roaring_bitmap_t *set = need(roaring_bitmap_of_ptr(n, numbers));
    roaring_bitmap_run_optimize(set);
    roaring_bitmap_shrink_to_fit(set);
    return wrap(set);
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool ascend(const uint32_t *numbers, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (numbers[i] < numbers[i - 1])
            return false;
    return true;
}

struct persons *persons_gather(uint32_t *numbers, size_t n)
{
    size_t kept = 0;
    if (!ascend(numbers, n))
        qsort(numbers, n, sizeof *numbers, by_number);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || numbers[i] != numbers[i - 1])
            numbers[kept++] = numbers[i];
    return persons_new(numbers, kept);
}

void persons_free(struct persons *p)
{
    if (!p)
        return;
    roaring_bitmap_free(p->set);
    free(p);
}

size_t persons_count(const struct persons *p)
{
    return p->n;
}

bool persons_has(const struct persons *p, uint32_t number)
{
    return roaring_bitmap_contains(p->set, number);
}

uint32_t persons_last(const struct persons *p)
{
    return roaring_bitmap_maximum(p->set);
}

bool persons_meet(const struct persons *a, const struct persons *b)
{
    return roaring_bitmap_intersect(a->set, b->set);
}

void persons_join(struct persons *into, const struct persons *other)
{
    roaring_bitmap_or_inplace(into->set, other->set);
    into->n = (size_t)roaring_bitmap_get_cardinality(into->set);
}

uint32_t *persons_list(const struct persons *p)
{
    uint32_t *out = xmalloc((p->n + 1) * sizeof *out);
    roaring_bitmap_to_uint32_array(p->set, out);
    return out;
}

void persons_each(const struct persons *p, persons_fn fn, void *context)
{
    roaring_iterate(p->set, fn, context);
}

void persons_blocks(const struct persons *p, persons_block_fn fn, void *context)
{
    uint32_t block[4096], n;
    roaring_uint32_iterator_t *at = need(roaring_create_iterator(p->set));
    while ((n = roaring_read_uint32_iterator(at, block, sizeof block / sizeof *block)) > 0)
        fn(block, n, context);
    roaring_free_uint32_iterator(at);
}

/* --- bytes -------------------------------------------------------------------------------------------- */

/* Roaring's portable form begins with ':' or ';'. The other form is 'G' and the gaps: what a number is more
   than the one before it, less one (the first: the number itself), seven bits a byte, the lowest first, the
   top bit set where more follow. Roaring takes two bytes a person of sparse sets, the gaps one. */
enum { GAPS = 'G', GAP_BYTES = 5 };

struct gaps {
    uint8_t *at;
    uint32_t next; /* the least number that may follow */
};

static void put_gaps(const uint32_t *numbers, size_t n, void *context)
{
    struct gaps *g = context;
    for (size_t i = 0; i < n; i++) {
        uint32_t gap = numbers[i] - g->next;
        g->next = numbers[i] + 1;
        for (; gap > 127; gap >>= 7)
            *g->at++ = (uint8_t)(gap | 128);
        *g->at++ = (uint8_t)gap;
    }
}

static void encode_roaring(const struct persons *p, size_t n, struct buf *out)
{
    char *bytes = xmalloc(n);
    roaring_bitmap_portable_serialize(p->set, bytes);
    buf_add(out, bytes, n);
    free(bytes);
}

void persons_encode(const struct persons *p, struct buf *out, uint8_t hash[HASH_BYTES])
{
    size_t before = out->n, n = roaring_bitmap_portable_size_in_bytes(p->set);
    uint8_t *bytes = xmalloc(1 + p->n * GAP_BYTES);
    struct gaps g = {bytes + 1, 0};
    bytes[0] = GAPS;
    if (p->n < n) /* a gap takes a byte at least */
        persons_blocks(p, put_gaps, &g);
    if (p->n < n && (size_t)(g.at - bytes) < n)
        buf_add(out, bytes, (size_t)(g.at - bytes));
    else
        encode_roaring(p, n, out);
    free(bytes);
    sha256(out->p + before, out->n - before, hash);
}

/* NULL where it ends in the middle of a gap or passes the largest number. */
static roaring_bitmap_t *decode_gaps(const uint8_t *at, const uint8_t *end)
{
    uint32_t *numbers = xmalloc(((size_t)(end - at) + 1) * sizeof *numbers);
    uint64_t next = 0, gap = 0;
    size_t n = 0;
    int shift = 0;
    for (; at < end && next + gap <= UINT32_MAX && shift < 7 * GAP_BYTES; at++) {
        gap |= (uint64_t)(*at & 127) << shift;
        shift += 7;
        if (*at & 128)
            continue;
        numbers[n++] = (uint32_t)(next + gap);
        next += gap + 1;
        gap = 0;
        shift = 0;
    }
    bool whole = at == end && !shift && next <= (uint64_t)UINT32_MAX + 1;
    roaring_bitmap_t *set = whole ? need(roaring_bitmap_of_ptr(n, numbers)) : NULL;
    free(numbers);
    return set;
}

enum status persons_decode(struct slice bytes, const uint8_t hash[HASH_BYTES], struct persons **out,
                           struct err *e)
{
    uint8_t found[HASH_BYTES];
    *out = NULL;
    sha256(bytes.p, bytes.n, found);
    roaring_bitmap_t *set = NULL;
    if (memcmp(found, hash, HASH_BYTES) == 0 && bytes.n)
        set = bytes.p[0] == GAPS
                  ? decode_gaps((const uint8_t *)bytes.p + 1, (const uint8_t *)bytes.p + bytes.n)
                  : roaring_bitmap_portable_deserialize_safe(bytes.p, bytes.n);
    if (!set)
        return err_set(e, ST_CORRUPT, "a set of persons in the guard's book is not what was written");
    *out = wrap(set);
    return ST_OK;
}
