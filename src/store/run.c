/* SPDX-License-Identifier: Apache-2.0
 *
 * Concept (as its place among those of the slice), person and day are put into one 64-bit key and sorted by
 * least-significant-digit radix, which is stable; rows of one key are then put in order of their ids. Input
 * that comes ordered by person, as exports mostly do, needs the digits of the concept only.
 */
#include "store/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/block.h"

/* Plain loops that become vector code. */
#if defined(__GNUC__) && !defined(__clang__)
#define WIDE_LOOPS __attribute__((optimize("O3")))
#else
#define WIDE_LOOPS
#endif

enum { MOST_DIGIT_BITS = 11, MOST_DIGITS = 1 << MOST_DIGIT_BITS };

static unsigned bits_of(uint64_t x)
{
    return x ? 64 - (unsigned)__builtin_clzll(x) : 0;
}

/* The distinct concept keys of a slice, sorted, with an open hash from key to place. */
struct places {
    uint32_t *keys, *slots; /* slots hold place + 1 */
    size_t n, capacity, mask;
};

static size_t slot_of(const struct places *p, uint32_t key)
{
    size_t at = (key * 2654435761U) & p->mask; /* Knuth's multiplicative hashing: 2^32 / golden ratio */
    while (p->slots[at] && p->keys[p->slots[at] - 1] != key)
        at = (at + 1) & p->mask;
    return at;
}

static void rehash(struct places *p, size_t slots)
{
    free(p->slots);
    p->slots = xcalloc(slots, sizeof *p->slots);
    p->mask = slots - 1;
    for (size_t i = 0; i < p->n; i++)
        p->slots[slot_of(p, p->keys[i])] = (uint32_t)i + 1;
}

static int by_key(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void places_init(struct places *p, const uint32_t *keys, size_t n)
{
    *p = (struct places){0};
    rehash(p, 1024);
    for (size_t i = 0; i < n; i++) {
        size_t at = slot_of(p, keys[i]);
        if (p->slots[at])
            continue;
        GROW(p->keys, p->n + 1, p->capacity);
        p->keys[p->n++] = keys[i];
        p->slots[at] = (uint32_t)p->n;
        if (2 * p->n > p->mask)
            rehash(p, 4 * (p->mask + 1));
    }
    qsort(p->keys, p->n, sizeof *p->keys, by_key);
    rehash(p, p->mask + 1);
}

/* Row numbers of the slice (from its beginning) with their keys, in two buffers that take turns. */
struct sorter {
    size_t n;
    uint64_t *key, *other_key;
    uint32_t *row, *other_row;
    unsigned low_bits; /* of person and day */
    unsigned bits;
};

static void radix_pass(struct sorter *s, unsigned shift, unsigned bits)
{
    const size_t digits = (size_t)1 << bits;
    size_t count[MOST_DIGITS] = {0};
    for (size_t i = 0; i < s->n; i++)
        count[s->key[i] >> shift & (digits - 1)]++;
    for (size_t d = 0, at = 0; d < digits; d++) {
        size_t n = count[d];
        count[d] = at;
        at += n;
    }
    for (size_t i = 0; i < s->n; i++) {
        size_t to = count[s->key[i] >> shift & (digits - 1)]++;
        s->other_key[to] = s->key[i];
        s->other_row[to] = s->row[i];
    }
    uint64_t *k = s->key;
    s->key = s->other_key;
    s->other_key = k;
    uint32_t *r = s->row;
    s->row = s->other_row;
    s->other_row = r;
}

static bool low_part_sorted(const struct sorter *s)
{
    uint64_t mask = s->low_bits < 64 ? ((uint64_t)1 << s->low_bits) - 1 : UINT64_MAX;
    for (size_t i = 1; i < s->n; i++)
        if ((s->key[i] & mask) < (s->key[i - 1] & mask))
            return false;
    return true;
}

struct tie {
    int32_t day;
    uint32_t row;
    int64_t id;
};

static int by_day_and_id(const void *a, const void *b)
{
    const struct tie *x = a, *y = b;
    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Rows [from, to) of the sorter have one key: puts them in order of day, id, and place in the source. */
static void order_ties(struct sorter *s, const struct batch *b, size_t slice, size_t from, size_t to)
{
    const int32_t *days = (const int32_t *)b->columns[AT_START] + slice;
    const int64_t *ids = (const int64_t *)b->columns[AT_ID] + slice;
    struct tie few[32], *ties = to - from <= 32 ? few : xrealloc_array(NULL, to - from, sizeof *ties);
    bool sorted = true;
    for (size_t i = from; i < to; i++) {
        uint32_t row = s->row[i];
        ties[i - from] = (struct tie){days[row], row, ids[row]};
        sorted = sorted && (i == from || by_day_and_id(&ties[i - from - 1], &ties[i - from]) <= 0);
    }
    if (!sorted)
        qsort(ties, to - from, sizeof *ties, by_day_and_id);
    for (size_t i = from; i < to && !sorted; i++)
        s->row[i] = ties[i - from].row;
    if (ties != few)
        free(ties);
}

static void order_all_ties(struct sorter *s, const struct batch *b, size_t slice)
{
    for (size_t from = 0, to; from < s->n; from = to) {
        for (to = from + 1; to < s->n && s->key[to] == s->key[from];)
            to++;
        if (to - from > 1)
            order_ties(s, b, slice, from, to);
    }
}

/* The days of a slice can span 22 bits, persons 32 and concepts 31: when that is too much for one key, the
 * day is left out of it, and order_all_ties sees to it. */
static void make_keys(struct sorter *s, const struct batch *b, size_t from, const struct places *places)
{
    const uint32_t *person = (const uint32_t *)b->columns[AT_PERSON] + from;
    const uint32_t *concept = (const uint32_t *)b->columns[AT_CONCEPT] + from;
    const int32_t *day = (const int32_t *)b->columns[AT_START] + from;
    int32_t first = INT32_MAX, last = INT32_MIN;
    for (size_t i = 0; i < s->n; i++) {
        first = day[i] < first ? day[i] : first;
        last = day[i] > last ? day[i] : last;
    }
    unsigned day_bits = bits_of((uint64_t)((int64_t)last - first)), person_bits = bits_of(b->persons);
    unsigned concept_bits = bits_of(places->n);
    bool whole = concept_bits + person_bits + day_bits <= 64;
    if (!whole)
        day_bits = 0;
    s->low_bits = person_bits + day_bits;
    s->bits = s->low_bits + concept_bits;
    for (size_t i = 0; i < s->n; i++) {
        uint64_t place = places->slots[slot_of(places, concept[i])] - 1;
        uint64_t low = (uint64_t)person[i] << day_bits | (whole ? (uint64_t)((int64_t)day[i] - first) : 0);
        s->key[i] = place << s->low_bits | low;
        s->row[i] = (uint32_t)i;
    }
}

static void sort_slice(struct sorter *s, const struct batch *b, size_t from, const struct places *places)
{
    make_keys(s, b, from, places);
    unsigned shift = low_part_sorted(s) ? s->low_bits : 0;
    /* As few digits as can be, all of about the same size: many places to write to at once are slow. */
    unsigned digits = (s->bits - shift + MOST_DIGIT_BITS - 1) / MOST_DIGIT_BITS;
    for (; digits; digits--) {
        unsigned bits = (s->bits - shift + digits - 1) / digits;
        radix_pass(s, shift, bits);
        shift += bits;
    }
    order_all_ties(s, b, from);
}

static void put_keys(struct run *r, const struct sorter *s, const struct places *places)
{
    uint32_t *keys = (uint32_t *)(void *)r->memory, *first = keys + places->n;
    memcpy(keys, places->keys, places->n * sizeof *keys);
    size_t key = 0;
    first[0] = 0;
    for (size_t i = 0; i < s->n; i++)
        for (uint64_t place = s->key[i] >> s->low_bits; key < place;)
            first[++key] = (uint32_t)i;
    first[places->n] = (uint32_t)s->n;
    r->keys = keys;
    r->first = first;
}

WIDE_LOOPS static struct block_range range_i32(const int32_t *v, size_t n)
{
    int32_t least = INT32_MAX, most = INT32_MIN, missing = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t present = v[i] == NONE_I32 ? INT32_MAX : v[i];
        missing |= v[i] == NONE_I32;
        least = present < least ? present : least;
        most = v[i] > most ? v[i] : most;
    }
    return (struct block_range){least, most == NONE_I32 ? INT64_MIN : most, missing};
}

static void choose_codes(const struct batch *b, size_t column, size_t from, size_t to, struct run_column *c)
{
    struct block_range found = b->wide[column]
                                   ? block_range((const int64_t *)b->columns[column] + from, to - from)
                                   : range_i32((const int32_t *)b->columns[column] + from, to - from);
    bool any = found.most != INT64_MIN;
    c->present = true;
    c->missing = found.missing;
    c->base = any ? found.least : 0;
    uint64_t range = any ? (uint64_t)found.most - (uint64_t)found.least + c->missing : 0;
    c->width = range == 0            ? 0
               : range <= UINT8_MAX  ? 1
               : range <= UINT16_MAX ? 2
               : range <= UINT32_MAX ? 4
                                     : 8;
}

static inline uint64_t code_of(const struct run_column *c, int64_t v)
{
    return !c->missing     ? (uint64_t)v - (uint64_t)c->base
           : v == NONE_I64 ? 0
                           : (uint64_t)v - (uint64_t)c->base + 1;
}

enum { AHEAD = 24 }; /* rows looked ahead, so that memory comes in time */
#define GATHER(from_type, none, to_type)                                                                     \
    do {                                                                                                     \
        const from_type *in = (const from_type *)b->columns[column] + from;                                  \
        for (size_t i = 0; i < n; i++) {                                                                     \
            if (i + AHEAD < n)                                                                               \
                __builtin_prefetch(&in[row[i + AHEAD]]);                                                     \
            from_type v = in[row[i]];                                                                        \
            ((to_type *)(void *)out)[i] = (to_type)code_of(c, v == (none) ? NONE_I64 : v);                   \
        }                                                                                                    \
    } while (0)
#define GATHER_WIDTHS(from_type, none)                                                                       \
    do {                                                                                                     \
        if (c->width == 1)                                                                                   \
            GATHER(from_type, none, uint8_t);                                                                \
        else if (c->width == 2)                                                                              \
            GATHER(from_type, none, uint16_t);                                                               \
        else if (c->width == 4)                                                                              \
            GATHER(from_type, none, uint32_t);                                                               \
        else if (c->width == 8)                                                                              \
            GATHER(from_type, none, uint64_t);                                                               \
    } while (0)

static void write_codes(const struct batch *b, size_t column, size_t from, const uint32_t *row, size_t n,
                        const struct run_column *c, uint8_t *out)
{
    if (b->wide[column])
        GATHER_WIDTHS(int64_t, NONE_I64);
    else
        GATHER_WIDTHS(int32_t, NONE_I32);
}

static size_t aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static void gather(const struct batch *b, size_t from, const struct sorter *s, const struct places *places,
                   struct run *r)
{
    size_t at[SCHEMA_MOST_COLUMNS] = {0};
    r->n_keys = places->n;
    r->bytes = aligned((2 * r->n_keys + 1) * sizeof *r->keys);
    for (size_t k = 0; k < b->n_columns; k++) {
        if (!b->columns[k] || k == AT_CONCEPT)
            continue;
        choose_codes(b, k, from, from + r->n, &r->columns[k]);
        at[k] = r->bytes;
        r->bytes = aligned(r->bytes + r->columns[k].width * r->n);
    }
    r->memory = spare_take(r->spare, r->bytes);
    put_keys(r, s, places);
    for (size_t k = 0; k < b->n_columns; k++) {
        if (!r->columns[k].present)
            continue;
        write_codes(b, k, from, s->row, r->n, &r->columns[k], r->memory + at[k]);
        r->columns[k].codes = r->memory + at[k];
    }
}

void run_make(const struct batch *b, size_t from, size_t to, struct spare *spare, struct run *out)
{
    *out = (struct run){.n = to - from, .spare = spare};
    struct sorter s = {.n = out->n};
    struct places places;
    uint64_t *keys = spare_take(spare, 2 * s.n * sizeof *keys);
    uint32_t *rows = spare_take(spare, 2 * s.n * sizeof *rows);
    s.key = keys;
    s.other_key = keys + s.n;
    s.row = rows;
    s.other_row = rows + s.n;
    places_init(&places, (const uint32_t *)b->columns[AT_CONCEPT] + from, s.n);
    sort_slice(&s, b, from, &places);
    gather(b, from, &s, &places, out);
    free(places.keys);
    free(places.slots);
    spare_give(spare, keys);
    spare_give(spare, rows);
}

/* The run now lies at `to`. */
static void move(struct run *r, uint8_t *to)
{
    r->keys = (const uint32_t *)(const void *)(to + ((const uint8_t *)r->keys - r->memory));
    r->first = (const uint32_t *)(const void *)(to + ((const uint8_t *)r->first - r->memory));
    for (size_t k = 0; k < SCHEMA_MOST_COLUMNS; k++)
        if (r->columns[k].codes)
            r->columns[k].codes = to + (r->columns[k].codes - r->memory);
    r->memory = to;
}

enum status run_spill(struct run *r, struct scratch *scratch, struct err *e)
{
    void *to;
    if (run_spilled(r))
        return ST_OK;
    enum status st = scratch_write(scratch, r->memory, r->bytes, &to, e);
    if (st != ST_OK)
        return st;
    uint8_t *before = r->memory;
    move(r, to);
    spare_give(r->spare, before);
    r->scratch = scratch;
    return ST_OK;
}

void run_deinit(struct run *r)
{
    if (run_spilled(r))
        scratch_unmap(r->scratch, r->memory);
    else
        spare_give(r->spare, r->memory);
    *r = (struct run){0};
}

static inline uint64_t raw_code(const struct run_column *c, size_t row)
{
    switch (c->width) {
    case 1:
        return c->codes[row];
    case 2:
        return ((const uint16_t *)(const void *)c->codes)[row];
    case 4:
        return ((const uint32_t *)(const void *)c->codes)[row];
    case 8:
        return ((const uint64_t *)(const void *)c->codes)[row];
    default:
        return 0;
    }
}

int64_t run_value(const struct run_column *c, size_t row)
{
    uint64_t code = raw_code(c, row);
    if (!c->missing)
        return (int64_t)((uint64_t)c->base + code);
    return code ? (int64_t)((uint64_t)c->base + code - 1) : NONE_I64;
}

#define COPY(type)                                                                                           \
    do {                                                                                                     \
        const type *in = (const type *)(const void *)c->codes + from;                                        \
        for (size_t i = 0; i < n; i++)                                                                       \
            out[i] = (int64_t)((uint64_t)in[i] + base);                                                      \
        for (size_t i = 0; c->missing && i < n; i++)                                                         \
            out[i] = in[i] ? out[i] : NONE_I64;                                                              \
    } while (0)

WIDE_LOOPS void run_copy(const struct run_column *c, size_t from, size_t n, int64_t *restrict out)
{
    const uint64_t base = (uint64_t)c->base - c->missing;
    if (c->width == 1)
        COPY(uint8_t);
    else if (c->width == 2)
        COPY(uint16_t);
    else if (c->width == 4)
        COPY(uint32_t);
    else if (c->width == 8)
        COPY(uint64_t);
    else
        for (size_t i = 0; i < n; i++)
            out[i] = c->missing ? NONE_I64 : c->base;
}
