/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/noise.h"

#include <math.h>
#include <stdbool.h>

#include "base/crypto.h"

__extension__ typedef unsigned __int128 wide;

static void system_bytes(void *context, void *out, size_t n)
{
    (void)context;
    random_bytes(out, n);
}

const struct noise_source noise_system = {system_bytes, NULL};

/* 0 .. n - 1, all alike: draws beyond the last whole multiple of n are thrown away. */
static wide below(const struct noise_source *from, wide n)
{
    wide draw, spare = -n % n; /* 2^128 mod n */
    do
        from->bytes(from->context, &draw, sizeof draw);
    while (draw < spare);
    return draw % n;
}

/* True with probability exp(-a / b), a <= b. */
static bool exp_to_one(const struct noise_source *from, wide a, wide b)
{
    wide k = 1;
    while (below(from, b * k) < a)
        k++;
    return k % 2 == 1;
}

/* True with probability exp(-a / b). */
static bool exp_of(const struct noise_source *from, wide a, wide b)
{
    for (; a > b; a -= b)
        if (!exp_to_one(from, 1, 1))
            return false;
    return exp_to_one(from, a, b);
}

int64_t noise_laplace(const struct noise_source *from, uint64_t s, uint64_t t)
{
    for (;;) {
        uint64_t u = (uint64_t)below(from, t), v = 0;
        if (!exp_of(from, u, t))
            continue;
        while (exp_to_one(from, 1, 1))
            v++;
        int64_t y = (int64_t)((u + t * v) / s);
        bool negative = below(from, 2) == 1;
        if (negative && y == 0)
            continue;
        return negative ? -y : y;
    }
}

int64_t noise_gaussian(const struct noise_source *from, uint64_t n, uint64_t d)
{
    uint64_t t = 1;
    while (t * t <= n / d) /* the floor of the standard deviation, and one */
        t++;
    for (;;) {
        int64_t y = noise_laplace(from, 1, t);
        wide size = (wide)(y < 0 ? -y : y) * t * d;
        wide off = size > n ? size - n : n - size;
        /* exp(-(|y| - n / (d t))^2 d / (2 n)) */
        if (exp_of(from, off * off, (wide)2 * n * t * t * d))
            return y;
    }
}

double rho_of_gaussian(double variance, int64_t k)
{
    return (double)k / (2 * variance);
}

double rho_of_laplace(double scale, int64_t k)
{
    double epsilon = (double)k / scale;
    return epsilon * epsilon / 2;
}

static double epsilon_at(double rho, double delta, double alpha)
{
    return alpha * rho + log(1 / (alpha * delta)) / (alpha - 1) + log1p(-1 / alpha);
}

double epsilon_of(double rho, double delta)
{
    /* One valley over log(alpha - 1). */
    double low = log(1e-6), high = log(1e12);
    for (int i = 0; i < 300; i++) {
        double a = low + (high - low) / 3, b = high - (high - low) / 3;
        if (epsilon_at(rho, delta, 1 + exp(a)) < epsilon_at(rho, delta, 1 + exp(b)))
            high = b;
        else
            low = a;
    }
    double epsilon = epsilon_at(rho, delta, 1 + exp((low + high) / 2));
    return epsilon > 0 ? epsilon : 0;
}
