/* SPDX-License-Identifier: Apache-2.0 */
#include "synth/rng.h"

enum { FRACTION_BITS = 24 };
#define LN2_Q24 11629080u /* ln 2 * 2^24 */

/* U = m * 2^-(zeros + 1) with m in [1, 2): -log2 U = zeros + 1 - log2 m. Squaring m doubles log2 m; its carry
 * is the next bit. */
uint64_t rng_exponential(struct rng *r)
{
    uint64_t u = rng_next(r) | 1;
    int zeros = __builtin_clzll(u);
    uint64_t m = (u << zeros) >> 32, log2_m = 0;
    for (int i = 0; i < FRACTION_BITS; i++) {
        m = (m * m) >> 31;
        uint64_t carry = m >> 32;
        m >>= carry;
        log2_m = (log2_m << 1) | carry;
    }
    uint64_t minus_log2 = ((uint64_t)(zeros + 1) << FRACTION_BITS) - log2_m;
    return (minus_log2 * LN2_Q24) >> FRACTION_BITS;
}
