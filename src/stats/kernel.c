/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/kernel.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* A second copy for processors with AVX2 (which brings no fused operations, so the bits are the same).
 * Sanitizers run before the resolver could. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&     \
    !defined(__SANITIZE_THREAD__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

enum { LANES = 8 };

/* 2^k from the bits of k plus 1.5 x 2^52, and the Taylor series on |r| <= log(2) / 2, whose term 14 is below
 * 1e-18. */
WIDE void kernel_exp(const double *in, double *out, size_t n)
{
    static const double inverse[14] = {1.0,
                                       1.0,
                                       1.0 / 2,
                                       1.0 / 6,
                                       1.0 / 24,
                                       1.0 / 120,
                                       1.0 / 720,
                                       1.0 / 5040,
                                       1.0 / 40320,
                                       1.0 / 362880,
                                       1.0 / 3628800,
                                       1.0 / 39916800,
                                       1.0 / 479001600,
                                       1.0 / 6227020800.0};
    for (size_t i = 0; i < n; i++) {
        double v = in[i] < -708 ? -708 : in[i], x = v > 709 ? 709 : v;
        double shifted = x * 1.44269504088896340736 + 6755399441055744.0, k = shifted - 6755399441055744.0;
        double r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
        double s = inverse[13];
        for (int j = 12; j >= 0; j--)
            s = s * r + inverse[j];
        uint64_t bits;
        memcpy(&bits, &shifted, sizeof bits);
        bits = (bits + 1023) << 52;
        double scale;
        memcpy(&scale, &bits, sizeof scale);
        double e = s * scale;
        e = in[i] < -708 ? 0 : e;
        out[i] = in[i] > 709 ? (double)INFINITY : e;
    }
}

WIDE void kernel_linear(const double *const *x, size_t p, const double *beta, const double *offset,
                        size_t from, size_t n, double *eta)
{
    for (size_t i = 0; i < n; i++)
        eta[i] = offset ? offset[from + i] : 0;
    for (size_t j = 0; j < p; j++) {
        const double *column = x[j] + from;
        double b = beta[j];
        for (size_t i = 0; i < n; i++)
            eta[i] += column[i] * b;
    }
}

static inline __attribute__((always_inline)) double dot(const double *a, const double *b, size_t n)
{
    double lane[LANES] = {0}, s = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lane[l] += a[i + l] * b[i + l];
    for (; i < n; i++)
        s += a[i] * b[i];
    for (size_t l = 0; l < LANES; l++)
        s += lane[l];
    return s;
}

WIDE void kernel_cross(const double *const *x, size_t p, size_t from, size_t n, const double *w,
                       const double *r, double *cross, double *score)
{
    double wx[KERNEL_ROWS];
    for (size_t j = 0; j < p; j++) {
        const double *column = x[j] + from;
        for (size_t i = 0; i < n; i++)
            wx[i] = w[i] * column[i];
        for (size_t k = 0; k <= j; k++)
            cross[j * p + k] += dot(wx, x[k] + from, n);
        score[j] += dot(r, column, n);
    }
}

WIDE void kernel_rank_one(double *restrict s1, double *restrict s2, const double *restrict x, size_t p,
                          double w)
{
    for (size_t j = 0; j < p; j++) {
        double wx = w * x[j];
        s1[j] += wx;
        for (size_t k = 0; k <= j; k++)
            s2[k] += wx * x[k];
        s2 += j + 1;
    }
}
