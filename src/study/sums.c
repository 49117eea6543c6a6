/* SPDX-License-Identifier: Apache-2.0 */
#include "study/sums.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* In small numbers first: a hundred-odd strata stay in the first-level cache, and half of their adding is
 * saved. */
void sums_count_each(struct sums *s, size_t first, size_t range, const uint32_t *places, size_t n)
{
    enum { FEW = 4096 };
    if (range > FEW || n < range || n > UINT32_MAX) {
        for (size_t i = 0; i < n; i++)
            sums_count(s, first + places[i], 1);
        return;
    }
    uint32_t even[FEW] = {0}, odd[FEW] = {0}; /* neighbours are often of one stratum: two that take turns */
    for (size_t i = 0; i + 1 < n; i += 2) {
        even[places[i]]++;
        odd[places[i + 1]]++;
    }
    if (n % 2)
        even[places[n - 1]]++;
    for (size_t k = 0; k < range; k++)
        sums_count(s, first + k, (int64_t)even[k] + odd[k]);
}

/* rint(size * 2^64) for 0 <= size < 2^-12, of which bits may be lost. */
static sum_t scale_small(double size)
{
    return (sum_t)(uint64_t)rint(size * 0x1p64);
}

/* A double is 53 bits times a power of two: from 2^-12 on, 2^64 times it is a whole number, and shifting
 * makes it. */
void sums_real(struct sums *s, size_t i, double more)
{
    enum { MANTISSA = 52, BIAS = 1023, AT_2_12 = BIAS - 12 };
    double size = fabs(more);
    if (!(size <= 0x1p52)) {
        s->failed = true;
        return;
    }
    uint64_t bits;
    memcpy(&bits, &size, sizeof bits);
    unsigned exponent = (unsigned)(bits >> MANTISSA);
    uint64_t mantissa = (bits & (((uint64_t)1 << MANTISSA) - 1)) | (uint64_t)1 << MANTISSA;
    sum_t scaled =
        exponent < AT_2_12 ? scale_small(size) : (sum_t)((sum_bits)mantissa << (exponent - AT_2_12));
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
