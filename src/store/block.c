/* SPDX-License-Identifier: Apache-2.0 */
#include "store/block.h"

#include <string.h>

#include "base/table.h"
#include "base/vectors.h"

enum { CACHE_LINE = 64 };

struct header {
    uint8_t width, flags;
    uint16_t n_exceptions;
    int32_t base;
};

/* Packs the low `width` (1..32) bits of 512 values into 16 * width words. */
VECTORS static void pack(const uint32_t *restrict v, unsigned width, uint32_t *restrict out)
{
    const uint32_t mask = width == 32 ? UINT32_MAX : (1U << width) - 1;
    memset(out, 0, (size_t)width * BLOCK_LANES * sizeof *out);
    for (unsigned row = 0; row < BLOCK_ROWS / BLOCK_LANES; row++) {
        unsigned bit = row * width, word = bit / 32, shift = bit % 32;
        for (unsigned lane = 0; lane < BLOCK_LANES; lane++)
            out[word * BLOCK_LANES + lane] |= (v[row * BLOCK_LANES + lane] & mask) << shift;
        if (shift + width > 32)
            for (unsigned lane = 0; lane < BLOCK_LANES; lane++)
                out[(word + 1) * BLOCK_LANES + lane] |= (v[row * BLOCK_LANES + lane] & mask) >> (32 - shift);
    }
}

/* Sixteen values side by side, one in each lane. */
typedef uint32_t lanes __attribute__((vector_size(4 * BLOCK_LANES)));

/* One width, which is known where this is written out: what a row is made of are then constants, and a word is
 * loaded once for all rows that it has a part of. */
static inline __attribute__((always_inline)) void
unpack_width(const uint32_t *restrict in, const unsigned width, uint32_t base, uint32_t *restrict v)
{
    const uint32_t mask = width == 32 ? UINT32_MAX : (1U << width) - 1;
#pragma GCC unroll 32
    for (unsigned row = 0; row < BLOCK_ROWS / BLOCK_LANES; row++) {
        unsigned bit = row * width, word = bit / 32, shift = bit % 32;
        lanes x, above;
        memcpy(&x, in + word * BLOCK_LANES, sizeof x);
        x >>= shift;
        if (shift + width > 32) {
            memcpy(&above, in + (word + 1) * BLOCK_LANES, sizeof above);
            x |= above << (32 - shift);
        }
        x = (x & mask) + base;
        memcpy(v + row * BLOCK_LANES, &x, sizeof x);
    }
}

/* Any width. Each row is taken from two words whether it needs both or not: without branches, and so at one speed. Behind the last
 * word the last stands in, of which nothing is used. */
static inline __attribute__((always_inline)) void unpack_any(const uint32_t *restrict in, unsigned width,
                                                             uint32_t base, uint32_t *restrict v)
{
    const uint32_t mask = width == 32 ? UINT32_MAX : (1U << width) - 1;
    for (unsigned row = 0; row < BLOCK_ROWS / BLOCK_LANES; row++) {
        unsigned bit = row * width, word = bit / 32, shift = bit % 32,
                 next = word + 1 < width ? word + 1 : word;
        const uint32_t *a = in + word * BLOCK_LANES, *b = in + next * BLOCK_LANES;
        for (unsigned lane = 0; lane < BLOCK_LANES; lane++)
            v[row * BLOCK_LANES + lane] =
                (((a[lane] >> shift) | (b[lane] << 1 << (31 - shift))) & mask) + base;
    }
}

/* The packed words of 512 values of `width` (1..32) bits, with `base` added to each. Widths that persons, days and
 * codes have are written out: three times as fast as the loop, in a scan that does little else. */
VECTORS static void unpack(const uint32_t *restrict in, unsigned width, uint32_t base, uint32_t *restrict v)
{
#define WIDTH(w)                                                                                             \
    case w:                                                                                                  \
        unpack_width(in, w, base, v);                                                                        \
        return
#define WIDTHS(w)                                                                                            \
    WIDTH(w);                                                                                                \
    WIDTH((w) + 1);                                                                                          \
    WIDTH((w) + 2);                                                                                          \
    WIDTH((w) + 3)
    switch (width) {
        WIDTHS(1);
        WIDTHS(5);
        WIDTHS(9);
        WIDTHS(13);
    default:
        unpack_any(in, width, base, v);
    }
}

/* Code 0 is missing, the others are one more than the distance to the base. */
VECTORS static void add_base_missing_i32(int32_t *restrict v, int32_t base)
{
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        v[i] = v[i] ? (int32_t)((uint32_t)v[i] + (uint32_t)base - 1) : NONE_I32;
}

/* Codes of at most 32 bits and of more, from the halves. */
VECTORS static void widen_i64(const uint32_t *restrict low, int64_t base, int64_t *restrict out)
{
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        out[i] = (int64_t)(low[i] + (uint64_t)base);
}

VECTORS static void widen_missing_i64(const uint32_t *restrict low, int64_t base, int64_t *restrict out)
{
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        out[i] = low[i] ? (int64_t)(low[i] + (uint64_t)base - 1) : NONE_I64;
}

VECTORS static void join_i64(const uint32_t *restrict low, const uint32_t *restrict high, int64_t base,
                             int64_t *restrict out)
{
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        out[i] = (int64_t)(((uint64_t)high[i] << 32 | low[i]) + (uint64_t)base);
}

VECTORS static void join_missing_i64(const uint32_t *restrict low, const uint32_t *restrict high,
                                     int64_t base, int64_t *restrict out)
{
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        out[i] = (low[i] | high[i]) ? (int64_t)(((uint64_t)high[i] << 32 | low[i]) + (uint64_t)base - 1)
                                    : NONE_I64;
}

/* Sixteen sums at a time: each doubling adds what stands 1, 2, 4, 8 places before. What comes before the sixteen is
 * added last, so that they do not wait for each other. Returns the bits that any difference has. */
VECTORS static uint32_t running_sum(uint32_t *restrict v, uint32_t from)
{
    const lanes none = {0};
    lanes before = none + from, all = none;
    for (unsigned i = 0; i < BLOCK_ROWS; i += BLOCK_LANES) {
        lanes x, sum;
        memcpy(&x, v + i, sizeof x);
        all |= x;
        x += __builtin_shufflevector(none, x, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
        x += __builtin_shufflevector(none, x, 0, 1, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
        x += __builtin_shufflevector(none, x, 0, 1, 2, 3, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27);
        x += __builtin_shufflevector(none, x, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
        sum = x + before;
        memcpy(v + i, &sum, sizeof sum);
        before +=
            __builtin_shufflevector(x, x, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15);
    }
    uint32_t bits = 0;
    for (unsigned lane = 0; lane < BLOCK_LANES; lane++)
        bits |= all[lane];
    return bits;
}

VECTORS static uint32_t largest_of(const uint32_t *v)
{
    uint32_t largest = 0;
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        largest = v[i] > largest ? v[i] : largest;
    return largest;
}

/* Differences that are too small to run over leave the last as the largest. */
uint32_t block_sum(int32_t *v, uint32_t from)
{
    uint32_t bits = running_sum((uint32_t *)v, from);
    bool ascends = bits < UINT32_MAX / 2 / BLOCK_ROWS && from < UINT32_MAX / 2;
    return ascends ? (uint32_t)v[BLOCK_ROWS - 1] : largest_of((const uint32_t *)v);
}

VECTORS static uint32_t count_outside(const int32_t *v, int32_t least, int32_t most)
{
    uint32_t outside = 0;
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        outside += (uint32_t)(v[i] != NONE_I32) & ((uint32_t)(v[i] < least) | (uint32_t)(v[i] > most));
    return outside;
}

bool block_within(const int32_t *v, int32_t least, int32_t most)
{
    return count_outside(v, least, most) == 0;
}

static unsigned bits_of(uint64_t x)
{
    return x ? 64 - (unsigned)__builtin_clzll(x) : 0;
}

static size_t round_up_8(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

static size_t exceptions_bytes(unsigned n)
{
    return round_up_8(2 * (size_t)n) + 8 * (size_t)n;
}

struct plan {
    int64_t base;
    bool missing;
    unsigned width, n_exceptions;
    size_t bytes;
};

static size_t header_bytes(int64_t base)
{
    return base < INT32_MIN || base > INT32_MAX ? 16 : 8;
}

VECTORS struct block_range block_range(const int64_t *values, size_t n)
{
    int64_t least = INT64_MAX, most = INT64_MIN, missing = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t present = values[i] == NONE_I64 ? INT64_MAX : values[i];
        missing |= values[i] == NONE_I64;
        least = present < least ? present : least;
        most = values[i] > most ? values[i] : most;
    }
    return (struct block_range){least, most, missing};
}

/* Distances to the base; where values are missing, one more, and 0 is a missing one. */
VECTORS static void make_codes(const int64_t *restrict values, int64_t base, bool missing,
                               uint64_t *restrict codes)
{
    const uint64_t from = (uint64_t)base - missing;
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        codes[i] = missing && values[i] == NONE_I64 ? 0 : (uint64_t)values[i] - from;
}

VECTORS static unsigned count_wider(const uint64_t *codes, unsigned width)
{
    uint64_t wider = 0;
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        wider += codes[i] >> width != 0;
    return (unsigned)wider;
}

/* The width with the fewest bytes: every value of more bits costs ten as an exception. Exceptions only become
 * more from width to width, so the search ends where they alone cost too much. */
static void choose_width(struct plan *p, const uint64_t *codes, unsigned widest)
{
    const size_t header = header_bytes(p->base);
    p->width = widest;
    p->n_exceptions = 0;
    p->bytes = header + 64 * (size_t)widest;
    for (unsigned width = widest; width-- > 0;) {
        unsigned above = count_wider(codes, width);
        size_t bytes = header + 64 * (size_t)width + exceptions_bytes(above);
        if (header + exceptions_bytes(above) >= p->bytes)
            return;
        if (bytes < p->bytes) {
            p->bytes = bytes;
            p->width = width;
            p->n_exceptions = above;
        }
    }
}

static struct plan make_plan(const int64_t *values, uint64_t *codes)
{
    struct block_range r = block_range(values, BLOCK_ROWS);
    struct plan p = {.base = r.most == NONE_I64 ? 0 : r.least, .missing = r.missing};
    make_codes(values, p.base, p.missing, codes);
    uint64_t widest = r.most == NONE_I64 ? 0 : (uint64_t)r.most - (uint64_t)p.base + p.missing;
    choose_width(&p, codes, bits_of(widest));
    return p;
}

size_t block_cost(const int64_t *values)
{
    uint64_t codes[BLOCK_ROWS];
    return make_plan(values, codes).bytes;
}

static uint8_t *put_header(const struct plan *p, unsigned user, uint8_t *out)
{
    bool wide = header_bytes(p->base) == 16;
    struct header h = {(uint8_t)p->width, (uint8_t)(user << BLOCK_USER_SHIFT), (uint16_t)p->n_exceptions,
                       wide ? 0 : (int32_t)p->base};
    h.flags |= (uint8_t)((p->missing ? BLOCK_MISSING : 0) | (wide ? BLOCK_WIDE_BASE : 0));
    memcpy(out, &h, sizeof h);
    if (wide)
        memcpy(out + 8, &p->base, 8);
    return out + header_bytes(p->base);
}

static uint8_t *put_exceptions(const struct plan *p, const uint64_t *codes, uint8_t *out)
{
    uint8_t *code_at = out + round_up_8(2 * (size_t)p->n_exceptions);
    memset(out, 0, (size_t)(code_at - out));
    for (unsigned i = 0; i < BLOCK_ROWS && p->n_exceptions; i++) {
        if (bits_of(codes[i]) <= p->width)
            continue;
        uint16_t at = (uint16_t)i;
        memcpy(out, &at, 2);
        memcpy(code_at, &codes[i], 8);
        out += 2;
        code_at += 8;
    }
    return code_at;
}

VECTORS static void half_of(const uint64_t *restrict codes, unsigned shift, uint32_t *restrict out)
{
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        out[i] = (uint32_t)(codes[i] >> shift);
}

size_t block_encode(const int64_t *values, unsigned user, uint8_t *out)
{
    uint64_t codes[BLOCK_ROWS];
    struct plan p = make_plan(values, codes);
    uint32_t part[BLOCK_ROWS], packed[BLOCK_ROWS];
    uint8_t *to = put_header(&p, user, out);
    for (unsigned shift = 0; shift < p.width; shift += 32) {
        unsigned width = p.width - shift < 32 ? p.width - shift : 32;
        half_of(codes, shift, part);
        pack(part, width, packed);
        memcpy(to, packed, 64 * (size_t)width);
        to += 64 * (size_t)width;
    }
    return (size_t)(put_exceptions(&p, codes, to) - out);
}

/* Where the parts of a block are; false when they do not fit into n bytes. */
struct parts {
    struct header h;
    int64_t base;
    const uint8_t *packed, *positions, *codes;
};

static bool find_parts(const uint8_t *p, size_t n, struct parts *out)
{
    if (n < sizeof out->h)
        return false;
    memcpy(&out->h, p, sizeof out->h);
    size_t header = out->h.flags & BLOCK_WIDE_BASE ? 16 : 8;
    size_t packed = 64 * (size_t)out->h.width;
    if (out->h.width > 64 || out->h.n_exceptions > BLOCK_ROWS ||
        n < header + packed + exceptions_bytes(out->h.n_exceptions))
        return false;
    out->base = out->h.base;
    if (header == 16)
        memcpy(&out->base, p + 8, 8);
    out->packed = p + header;
    out->positions = out->packed + packed;
    out->codes = out->positions + round_up_8(2 * (size_t)out->h.n_exceptions);
    return true;
}

/* The packed words; blocks lie 8-byte aligned in their file, but tests give any address. */
static void unpack_bytes(const uint8_t *packed, unsigned width, uint32_t base, uint32_t *out)
{
    if ((uintptr_t)packed % 4 == 0) {
        unpack((const uint32_t *)(const void *)packed, width, base, out);
        return;
    }
    uint32_t words[BLOCK_ROWS];
    memcpy(words, packed, 64 * (size_t)width);
    unpack(words, width, base, out);
}

VECTORS static void fill(int32_t *v, int32_t value)
{
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        v[i] = value;
}

static int64_t value_of(const struct parts *b, uint64_t code)
{
    if (!(b->h.flags & BLOCK_MISSING))
        return (int64_t)(code + (uint64_t)b->base);
    return code ? (int64_t)(code + (uint64_t)b->base - 1) : NONE_I64;
}

static bool exception(const struct parts *b, unsigned k, unsigned *at, uint64_t *code)
{
    uint16_t position;
    memcpy(&position, b->positions + 2 * (size_t)k, 2);
    memcpy(code, b->codes + 8 * (size_t)k, 8);
    *at = position;
    return position < BLOCK_ROWS;
}

bool block_surely_within(const uint8_t *p, int32_t least, int32_t most)
{
    struct parts b;
    if (!find_parts(p, BLOCK_MOST_BYTES, &b) || (b.h.flags & BLOCK_WIDE_BASE) || b.h.width >= 32 ||
        b.base < least || b.base + ((int64_t)1 << b.h.width) - 1 > most)
        return false;
    for (unsigned k = 0; k < b.h.n_exceptions; k++) {
        unsigned at;
        uint64_t code;
        int64_t v = exception(&b, k, &at, &code) ? value_of(&b, code) : INT64_MIN;
        if (v < least || v > most)
            return false;
    }
    return true;
}

/* Asks for the block behind this one, which is about as long: scans that do a lot between two blocks would wait for
 * it. What is asked for is not read, so that it may lie behind the end of a file. */
static void fetch_next(const uint8_t *p, const uint8_t *end)
{
    uintptr_t next = (uintptr_t)end, behind = next + (size_t)(end - p);
    for (; next < behind; next += CACHE_LINE)
        __builtin_prefetch((const void *)next);
}

bool block_decode_i32(const uint8_t *p, size_t n, int32_t *out)
{
    struct parts b;
    if (!find_parts(p, n, &b) || b.h.width > 32)
        return false;
    bool missing = b.h.flags & BLOCK_MISSING;
    fetch_next(p, b.codes + 8 * (size_t)b.h.n_exceptions);
    if (b.h.width)
        unpack_bytes(b.packed, b.h.width, missing ? 0 : (uint32_t)b.base, (uint32_t *)out);
    else
        fill(out, missing ? 0 : (int32_t)b.base);
    if (missing)
        add_base_missing_i32(out, (int32_t)b.base);
    for (unsigned k = 0; k < b.h.n_exceptions; k++) {
        unsigned at;
        uint64_t code;
        if (!exception(&b, k, &at, &code))
            return false;
        int64_t v = value_of(&b, code);
        out[at] = v == NONE_I64 ? NONE_I32 : (int32_t)v;
    }
    return true;
}

bool block_decode_i64(const uint8_t *p, size_t n, int64_t *out)
{
    struct parts b;
    uint32_t low[BLOCK_ROWS], high[BLOCK_ROWS];
    if (!find_parts(p, n, &b))
        return false;
    bool missing = b.h.flags & BLOCK_MISSING;
    if (b.h.width)
        unpack_bytes(b.packed, b.h.width < 32 ? b.h.width : 32, 0, low);
    else
        memset(low, 0, sizeof low);
    if (b.h.width > 32) {
        unpack_bytes(b.packed + 64 * 32, b.h.width - 32U, 0, high);
        (missing ? join_missing_i64 : join_i64)(low, high, b.base, out);
    } else {
        (missing ? widen_missing_i64 : widen_i64)(low, b.base, out);
    }
    for (unsigned k = 0; k < b.h.n_exceptions; k++) {
        unsigned at;
        uint64_t code;
        if (!exception(&b, k, &at, &code))
            return false;
        out[at] = value_of(&b, code);
    }
    return true;
}

unsigned block_user(const uint8_t *p)
{
    return p[1] >> BLOCK_USER_SHIFT;
}

static uint64_t packed_value(const uint8_t *packed, unsigned width, unsigned i)
{
    unsigned bit = i / BLOCK_LANES * width, word = bit / 32, shift = bit % 32, lane = i % BLOCK_LANES;
    uint32_t a, b = 0;
    memcpy(&a, packed + 4 * (size_t)(word * BLOCK_LANES + lane), 4);
    if (shift + width > 32)
        memcpy(&b, packed + 4 * (size_t)((word + 1) * BLOCK_LANES + lane), 4);
    uint64_t both = (uint64_t)b << 32 | a;
    return both >> shift & (((uint64_t)1 << width) - 1);
}

bool block_value(const uint8_t *p, size_t n, unsigned i, int64_t *out)
{
    struct parts b;
    if (!find_parts(p, n, &b))
        return false;
    uint64_t code = 0, other;
    unsigned low = b.h.width < 32 ? b.h.width : 32, at;
    if (low)
        code = packed_value(b.packed, low, i);
    if (b.h.width > 32)
        code |= packed_value(b.packed + 64 * 32, b.h.width - 32U, i) << 32;
    for (unsigned k = 0; k < b.h.n_exceptions; k++)
        if (exception(&b, k, &at, &other) && at == i)
            code = other;
    *out = value_of(&b, code);
    return true;
}
