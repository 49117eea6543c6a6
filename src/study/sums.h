/* SPDX-License-Identifier: Apache-2.0
 *
 * The only thing that crosses the wire in a study: vectors of 128-bit sums. A count is itself; a real
 * quantity is scaled by 2^64 and rounded to an integer once per contribution, so that adding is exact and the
 * total is the same bit for bit whatever the order of rows, threads and sites. Every component has a bound
 * that one site's |sum| must obey; SUM_COUNT_BOUND and SUM_REAL_BOUND leave room for 1,000 sites below 2^127,
 * so a total never wraps.
 */
#ifndef ACCORD_STUDY_SUMS_H
#define ACCORD_STUDY_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

__extension__ typedef __int128 sum_t;
__extension__ typedef unsigned __int128 sum_bits; /* the same modulo 2^128 */

#define SUM_COUNT_BOUND ((sum_t)1 << 40)  /* 1.1e12 persons or events */
#define SUM_REAL_BOUND  ((sum_t)1 << 116) /* |x| <= 2^52, in steps of 2^-64 */
enum { SUM_BYTES = 16, SUMS_MAX = 1 << 24 };

struct sums {
    sum_t *v;
    size_t n;
    bool failed; /* a contribution was not finite or beyond SUM_REAL_BOUND: study_local refuses the vector */
};
void sums_init(struct sums *s, size_t n); /* zeroed, heap */
void sums_deinit(struct sums *s);         /* fine on a zeroed struct */
/* Component by component; ST_INVALID when the sizes differ. */
MUST_CHECK enum status sums_add(struct sums *into, const struct sums *other, struct err *e);

static inline void sums_count(struct sums *s, size_t i, int64_t more)
{
    s->v[i] += more;
}
/* One more for each of n places, which lie within [first, first + range). */
void sums_count_each(struct sums *s, size_t first, size_t range, const uint32_t *places, size_t n);
void sums_real(struct sums *s, size_t i, double more);
int64_t sums_get_count(const struct sums *s, size_t i);
double sums_get_real(const struct sums *s, size_t i); /* correctly rounded */

/* A borrowed part [first, first + n). */
struct sums sums_part(const struct sums *s, size_t first, size_t n);

/* The wire: SUM_BYTES per component, two's complement, little-endian. Decode wants exactly n components. */
void sums_encode(const struct sums *s, struct buf *out);
MUST_CHECK enum status sums_decode(struct slice bytes, size_t n, struct sums *out, struct err *e);

#endif
