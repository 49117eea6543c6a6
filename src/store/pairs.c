/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pairs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void pairs_add(struct pairs *p, int32_t from, int32_t to)
{
    GROW(p->packed, p->n + 1, p->capacity);
    p->packed[p->n++] = (uint64_t)(uint32_t)from << 32 | (uint32_t)to;
}

static void radix_pass(const uint64_t *in, uint64_t *out, size_t n, unsigned shift)
{
    enum { BITS = 11 };
    size_t count[1 << BITS] = {0};
    for (size_t i = 0; i < n; i++)
        count[in[i] >> shift & ((1 << BITS) - 1)]++;
    for (size_t d = 0, at = 0; d < 1 << BITS; d++) {
        size_t k = count[d];
        count[d] = at;
        at += k;
    }
    for (size_t i = 0; i < n; i++)
        out[count[in[i] >> shift & ((1 << BITS) - 1)]++] = in[i];
}

void pairs_sort(struct pairs *p)
{
    uint64_t *other = xrealloc_array(NULL, p->n, sizeof *other);
    for (unsigned shift = 0; shift < 64; shift += 11) {
        radix_pass(p->packed, other, p->n, shift);
        uint64_t *sorted = other;
        other = p->packed;
        p->packed = sorted;
    }
    p->capacity = p->n;
    free(other);
    size_t kept = 0;
    for (size_t i = 0; i < p->n; i++)
        if (i == 0 || p->packed[i] != p->packed[i - 1])
            p->packed[kept++] = p->packed[i];
    p->n = kept;
}

size_t pairs_find(const struct pairs *p, int32_t from)
{
    uint64_t wanted = (uint64_t)(uint32_t)from << 32;
    size_t low = 0, high = p->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (p->packed[mid] < wanted)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool begins(const struct pairs *p, size_t i)
{
    return i == 0 || p->packed[i] >> 32 != p->packed[i - 1] >> 32;
}

void pairs_write(const struct pairs *p, const char *name, struct arrays_writer *w)
{
    char full[32];
    arrays_begin(w, name, 4);
    for (size_t i = 0; i < p->n; i++) {
        uint32_t from = (uint32_t)(p->packed[i] >> 32);
        if (begins(p, i))
            arrays_append(w, &from, sizeof from);
    }
    arrays_end(w);
    snprintf(full, sizeof full, "%s.at", name);
    arrays_begin(w, full, 8);
    for (uint64_t i = 0; i <= p->n; i++)
        if (i == p->n || begins(p, i))
            arrays_append(w, &i, sizeof i);
    arrays_end(w);
    snprintf(full, sizeof full, "%s.to", name);
    arrays_begin(w, full, 4);
    for (size_t i = 0; i < p->n; i++) {
        uint32_t to = (uint32_t)p->packed[i];
        arrays_append(w, &to, sizeof to);
    }
    arrays_end(w);
}

void pairs_deinit(struct pairs *p)
{
    free(p->packed);
    *p = (struct pairs){0};
}
