/* SPDX-License-Identifier: Apache-2.0
 *
 * Randomness that is the same on every machine, compiler and thread count: a counter-based generator
 * (SplitMix64; Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014) with one
 * stream per (seed, site, person, purpose), and draws in integer arithmetic only. No floating point and no
 * libm decides anything. A draw that is added to one purpose leaves every other purpose as it was.
 */
#ifndef ACCORD_SYNTH_RNG_H
#define ACCORD_SYNTH_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

/* Probabilities are 32-bit: p / 2^32. */
#define P_ONE            ((uint64_t)1 << 32)
#define PER_10000(n)     ((uint64_t)(n)*P_ONE / 10000)
#define RATIO(part, all) ((uint64_t)(part)*P_ONE / (uint64_t)(all))

static inline uint64_t rng_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline uint64_t rng_next(struct rng *r)
{
    r->state += 0x9e3779b97f4a7c15u;
    return rng_mix(r->state);
}

/* The stream of one purpose of one person. `key` is rng_key(seed, site). */
static inline uint64_t rng_key(uint64_t seed, uint64_t site)
{
    return rng_mix(rng_mix(seed + 0x632be59bd9b4e019u) ^ (site * 0xd1342543de82ef95u));
}

static inline struct rng rng_stream(uint64_t key, uint64_t person, uint64_t purpose)
{
    return (struct rng){rng_mix(key ^ rng_mix((person << 10) | purpose))};
}

static inline uint32_t rng_u32(struct rng *r)
{
    return (uint32_t)(rng_next(r) >> 32);
}

/* True with probability p / 2^32. */
static inline bool rng_chance(struct rng *r, uint64_t p)
{
    return rng_u32(r) < p;
}

/* 0 .. n - 1; the bias is below n / 2^32. */
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
    return (uint32_t)(((uint64_t)rng_u32(r) * n) >> 32);
}

/* A unit exponential in 8.24 fixed point: -ln(U), by repeated squaring (Knuth, TAOCP 1.2.2, exercise 25). */
uint64_t rng_exponential(struct rng *r);

/* Days until the next event of a Poisson process of `rate` per million person-years (above 0). */
static inline int64_t rng_wait_days(struct rng *r, uint64_t rate)
{
    return (int64_t)((rng_exponential(r) * 365250000u / rate) >> 24);
}

/* A normal deviate times `sd`: the sum of eight 16-bit uniforms (Irwin-Hall), so within +-4.9 sd. */
static inline int32_t rng_normal(struct rng *r, int32_t sd)
{
    int64_t sum = -4 * 65535;
    for (int word = 0; word < 2; word++) {
        uint64_t u = rng_next(r);
        for (int i = 0; i < 4; i++, u >>= 16)
            sum += (int64_t)(u & 0xffff);
    }
    return (int32_t)(sum * sd / 53510); /* sqrt(8 / 12) * 65536 */
}

/* The index drawn from n weights that sum to `total`. */
static inline unsigned rng_weighted(struct rng *r, const uint16_t *weights, unsigned n, uint32_t total)
{
    uint32_t at = rng_below(r, total);
    for (unsigned i = 0; i + 1 < n; i++) {
        if (at < weights[i])
            return i;
        at -= weights[i];
    }
    return n - 1;
}

#endif
