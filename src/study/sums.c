/* SPDX-License-Identifier: Apache-2.0 */
#include "study/sums.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

void sums_init(struct sums *s, size_t n)
{
    *s = (struct sums){.v = xcalloc(n ? n : 1, sizeof *s->v), .n = n};
}

void sums_deinit(struct sums *s)
{
    free(s->v);
    *s = (struct sums){0};
}

enum status sums_add(struct sums *into, const struct sums *other, struct err *e)
{
    if (into->n != other->n)
        return err_set(e, ST_INVALID, "a vector of %zu sums cannot be added to one of %zu", other->n,
                       into->n);
    for (size_t i = 0; i < into->n; i++)
        into->v[i] = (sum_t)((sum_bits)into->v[i] + (sum_bits)other->v[i]);
    into->failed |= other->failed;
    return ST_OK;
}

void sums_count(struct sums *s, size_t i, int64_t more)
{
    s->v[i] += more;
}

void sums_real(struct sums *s, size_t i, double more)
{
    if (!(fabs(more) <= 0x1p52)) {
        s->failed = true;
        return;
    }
    /* rint(more * 2^64) in two halves: conversion to 128 bits at once is many times as slow. */
    double size = fabs(more), whole = floor(size);
    sum_t scaled = (sum_t)((sum_bits)(uint64_t)whole << 64) + (sum_t)(uint64_t)rint((size - whole) * 0x1p64);
    s->v[i] += more < 0 ? -scaled : scaled;
}

int64_t sums_get_count(const struct sums *s, size_t i)
{
    return (int64_t)s->v[i];
}

double sums_get_real(const struct sums *s, size_t i)
{
    return (double)s->v[i] * 0x1p-64;
}

struct sums sums_part(const struct sums *s, size_t first, size_t n)
{
    return (struct sums){.v = s->v + first, .n = n, .failed = s->failed};
}

void sums_encode(const struct sums *s, struct buf *out)
{
    for (size_t i = 0; i < s->n; i++) {
        sum_bits v = (sum_bits)s->v[i];
        uint8_t bytes[SUM_BYTES];
        for (int b = 0; b < SUM_BYTES; b++)
            bytes[b] = (uint8_t)(v >> (8 * b));
        buf_add(out, bytes, sizeof bytes);
    }
}

enum status sums_decode(struct slice bytes, size_t n, struct sums *out, struct err *e)
{
    *out = (struct sums){0};
    if (n > SUMS_MAX || bytes.n != n * SUM_BYTES)
        return err_set(e, ST_INVALID, "a vector of sums has %zu bytes where %zu sums of %d were expected",
                       bytes.n, n, SUM_BYTES);
    sums_init(out, n);
    for (size_t i = 0; i < n; i++) {
        sum_bits v = 0;
        for (int b = SUM_BYTES - 1; b >= 0; b--)
            v = v << 8 | (uint8_t)bytes.p[i * SUM_BYTES + (size_t)b];
        out->v[i] = (sum_t)v;
    }
    return ST_OK;
}
