/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bits.h"

#include <stdbool.h>

static inline bool has(struct bits set, uint32_t v)
{
    uint32_t at = v - set.first;
    return at < set.n && (set.words[at / 64] >> at % 64 & 1);
}

/* Without a branch per number: whether it is in is as good as random. */
size_t bits_find_plain(struct bits set, const uint32_t *v, size_t n, uint16_t *places)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        places[found] = (uint16_t)i;
        found += has(set, v[i]);
    }
    return found;
}

size_t bits_count_distinct_plain(struct bits set, const uint32_t *v, size_t n, uint32_t before)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        found += (v[i] != before) & has(set, v[i]);
        before = v[i];
    }
    return found;
}

#define KEEP_PLAIN(type)                                                                                     \
    const type *in = from;                                                                                   \
    type *out = to;                                                                                          \
    size_t kept = 0;                                                                                         \
    for (size_t i = 0; i < n; i++) {                                                                         \
        out[kept] = in[i];                                                                                   \
        kept += mask[i];                                                                                     \
    }                                                                                                        \
    return kept

size_t bits_keep32_plain(void *to, const void *from, const uint8_t *mask, size_t n)
{
    KEEP_PLAIN(uint32_t);
}

size_t bits_keep64_plain(void *to, const void *from, const uint8_t *mask, size_t n)
{
    KEEP_PLAIN(uint64_t);
}

size_t bits_list32_plain(uint32_t *numbers, void *to, uint32_t first, const void *from, const uint8_t *mask,
                         size_t n)
{
    const uint32_t *in = from;
    uint32_t *out = to;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        numbers[kept] = first + (uint32_t)i;
        out[kept] = in[i];
        kept += mask[i];
    }
    return kept;
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,popcnt")))
enum { LANES = 16 };

static bool can_wide(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi2");
}

/* Sixteen words of the set from word `from` on; those behind its end are 0. */
WIDE static inline __m512i words_from(struct bits set, uint32_t from)
{
    const uint32_t *words = (const uint32_t *)(const void *)set.words + from;
    uint32_t left = set.n / 32 + 1 - from;
    return left >= LANES ? _mm512_loadu_si512(words)
                         : _mm512_maskz_loadu_epi32((__mmask16)((1U << left) - 1), words);
}

/* Which of sixteen numbers are in. While their words lie within sixteen of the first one's, one load fetches
 * all of them; else each is fetched. */
WIDE static inline __mmask16 which(struct bits set, __m512i v)
{
    const __m512i one = _mm512_set1_epi32(1), low = _mm512_set1_epi32(31);
    __m512i at = _mm512_sub_epi32(v, _mm512_set1_epi32((int)set.first));
    __mmask16 inside = _mm512_cmplt_epu32_mask(at, _mm512_set1_epi32((int)set.n));
    __m512i word = _mm512_srli_epi32(at, 5), bits;
    uint32_t from = (uint32_t)_mm_cvtsi128_si32(_mm512_castsi512_si128(word));
    __m512i near = _mm512_sub_epi32(word, _mm512_set1_epi32((int)from));
    __mmask16 far = _mm512_mask_cmpge_epu32_mask(inside, near, _mm512_set1_epi32(LANES));
    if ((inside & 1) && !far)
        bits = _mm512_permutexvar_epi32(near, words_from(set, from));
    else
        bits = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), inside, word, set.words, 4);
    return _mm512_mask_test_epi32_mask(inside, bits, _mm512_sllv_epi32(one, _mm512_and_si512(at, low)));
}

/* The places go to memory whole, because a compressing store is many times as slow as one in a register. */
WIDE static size_t find_wide(struct bits set, const uint32_t *v, size_t n, uint16_t *places)
{
    const __m256i step = _mm256_set1_epi16(LANES);
    __m256i place = _mm256_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    size_t found = 0, i = 0;
    for (; i + LANES <= n; i += LANES) {
        __mmask16 in = which(set, _mm512_loadu_si512(v + i));
        _mm256_storeu_si256((__m256i *)(void *)(places + found), _mm256_maskz_compress_epi16(in, place));
        found += (size_t)__builtin_popcount(in);
        place = _mm256_add_epi16(place, step);
    }
    for (; i < n; i++) {
        places[found] = (uint16_t)i;
        found += has(set, v[i]);
    }
    return found;
}

WIDE static size_t count_distinct_wide(struct bits set, const uint32_t *v, size_t n, uint32_t before)
{
    size_t found = 0, i = 1;
    if (n == 0)
        return 0;
    found = (v[0] != before) & has(set, v[0]);
    for (; i + LANES <= n; i += LANES) {
        __m512i x = _mm512_loadu_si512(v + i);
        __mmask16 fresh = _mm512_cmpneq_epi32_mask(x, _mm512_loadu_si512(v + i - 1));
        found += (size_t)__builtin_popcount(which(set, x) & fresh);
    }
    for (; i < n; i++)
        found += (v[i] != v[i - 1]) & has(set, v[i]);
    return found;
}

/* In place too: what a store leaves behind the kept ones was read before. */
WIDE static size_t keep32_wide(void *to, const void *from, const uint8_t *mask, size_t n)
{
    const uint32_t *in = from;
    uint32_t *out = to;
    size_t kept = 0, i = 0;
    for (; i + LANES <= n; i += LANES) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(mask + i));
        __mmask16 keep = _mm_test_epi8_mask(bytes, bytes);
        _mm512_storeu_si512(out + kept, _mm512_maskz_compress_epi32(keep, _mm512_loadu_si512(in + i)));
        kept += (size_t)__builtin_popcount(keep);
    }
    return kept + bits_keep32_plain(out + kept, in + i, mask + i, n - i);
}

WIDE static size_t list32_wide(uint32_t *numbers, void *to, uint32_t first, const void *from,
                               const uint8_t *mask, size_t n)
{
    const __m512i step = _mm512_set1_epi32(LANES);
    const uint32_t *in = from;
    uint32_t *out = to;
    size_t kept = 0, i = 0;
    __m512i number =
        _mm512_add_epi32(_mm512_set1_epi32((int)first),
                         _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    for (; i + LANES <= n; i += LANES) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(mask + i));
        __mmask16 keep = _mm_test_epi8_mask(bytes, bytes);
        _mm512_storeu_si512(numbers + kept, _mm512_maskz_compress_epi32(keep, number));
        _mm512_storeu_si512(out + kept, _mm512_maskz_compress_epi32(keep, _mm512_loadu_si512(in + i)));
        kept += (size_t)__builtin_popcount(keep);
        number = _mm512_add_epi32(number, step);
    }
    return kept + bits_list32_plain(numbers + kept, out + kept, first + (uint32_t)i, in + i, mask + i, n - i);
}

WIDE static size_t keep64_wide(void *to, const void *from, const uint8_t *mask, size_t n)
{
    enum { STEP = LANES / 2 };
    const uint64_t *in = from;
    uint64_t *out = to;
    size_t kept = 0, i = 0;
    for (; i + STEP <= n; i += STEP) {
        __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)(mask + i));
        __mmask8 keep = (__mmask8)_mm_test_epi8_mask(bytes, bytes);
        _mm512_storeu_si512(out + kept, _mm512_maskz_compress_epi64(keep, _mm512_loadu_si512(in + i)));
        kept += (size_t)__builtin_popcount(keep);
    }
    return kept + bits_keep64_plain(out + kept, in + i, mask + i, n - i);
}
#else
static bool can_wide(void)
{
    return false;
}
#define find_wide           bits_find_plain
#define count_distinct_wide bits_count_distinct_plain
#define keep32_wide         bits_keep32_plain
#define keep64_wide         bits_keep64_plain
#define list32_wide         bits_list32_plain
#endif

size_t bits_find(struct bits set, const uint32_t *v, size_t n, uint16_t *places)
{
    return can_wide() ? find_wide(set, v, n, places) : bits_find_plain(set, v, n, places);
}

size_t bits_count_distinct(struct bits set, const uint32_t *v, size_t n, uint32_t before)
{
    return can_wide() ? count_distinct_wide(set, v, n, before) : bits_count_distinct_plain(set, v, n, before);
}

void bits_add(uint64_t *words, uint32_t first, const uint32_t *v, const uint8_t *mask, size_t n)
{
    size_t word = 0;
    uint64_t bits = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t at = v[i] - first;
        if (at / 64 != word) {
            words[word] |= bits;
            word = at / 64;
            bits = 0;
        }
        bits |= (uint64_t)(mask ? mask[i] : 1) << at % 64;
    }
    words[word] |= bits;
}

size_t bits_keep32(void *to, const void *from, const uint8_t *mask, size_t n)
{
    return can_wide() ? keep32_wide(to, from, mask, n) : bits_keep32_plain(to, from, mask, n);
}

size_t bits_keep64(void *to, const void *from, const uint8_t *mask, size_t n)
{
    return can_wide() ? keep64_wide(to, from, mask, n) : bits_keep64_plain(to, from, mask, n);
}

size_t bits_list32(uint32_t *numbers, void *to, uint32_t first, const void *from, const uint8_t *mask,
                   size_t n)
{
    return can_wide() ? list32_wide(numbers, to, first, from, mask, n)
                      : bits_list32_plain(numbers, to, first, from, mask, n);
}
