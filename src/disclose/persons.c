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

struct persons *persons_gather(uint32_t *numbers, size_t n)
{
    size_t kept = 0;
    if (n)
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

void persons_encode(const struct persons *p, struct buf *out, uint8_t hash[HASH_BYTES])
{
    size_t n = roaring_bitmap_portable_size_in_bytes(p->set);
    char *bytes = xmalloc(n);
    roaring_bitmap_portable_serialize(p->set, bytes);
    sha256(bytes, n, hash);
    buf_add(out, bytes, n);
    free(bytes);
}

enum status persons_decode(struct slice bytes, const uint8_t hash[HASH_BYTES], struct persons **out,
                           struct err *e)
{
    uint8_t found[HASH_BYTES];
    *out = NULL;
    sha256(bytes.p, bytes.n, found);
    roaring_bitmap_t *set = NULL;
    if (memcmp(found, hash, HASH_BYTES) == 0)
        set = roaring_bitmap_portable_deserialize_safe(bytes.p, bytes.n);
    if (!set)
        return err_set(e, ST_CORRUPT, "a set of persons in the guard's book is not what was written");
    *out = wrap(set);
    return ST_OK;
}
