/* SPDX-License-Identifier: Apache-2.0
 *
 * Gamma and beta functions. Quantiles are Newton steps on the logarithm of the smaller tail as a function of
 * the logarithm of x (both tails are log-concave there, so the steps do not overshoot for long), inside a
 * bracket that is halved whenever a step leaves it.
 */
#include "stats/special.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

#define LOG_SQRT_2PI 0.918938533204672741780329736406
#define TINY         1e-300

double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

double digamma(double x)
{
    if (!(x > 0))
        return (double)NAN;
    double below = 0;
    for (; x < 15; x++)
        below += 1 / x;
    double r = 1 / (x * x);
    double series =
        r *
        (1.0 / 12 - r * (1.0 / 120 -
                         r * (1.0 / 252 - r * (1.0 / 240 - r * (1.0 / 132 - r * (691.0 / 32760 - r / 12))))));
    return log(x) - 0.5 / x - series - below;
}

double trigamma(double x)
{
    if (!(x > 0))
        return (double)NAN;
    double below = 0;
    for (; x < 15; x++)
        below += 1 / (x * x);
    double r = 1 / (x * x);
    double series =
        r * (1.0 / 6 -
             r * (1.0 / 30 -
                  r * (1.0 / 42 - r * (1.0 / 30 - r * (5.0 / 66 - r * (691.0 / 2730 - r * (7.0 / 6)))))));
    return below + 1 / x + r / 2 + series / x;
}

/* log(n!) minus Stirling's formula, Loader's "stirlerr": the series from 15 up, the recurrence below. */
static double stirling_error(double n)
{
    double below = 0;
    for (; n < 15; n++)
        below += (n + 0.5) * log1p(1 / n) - 1;
    double r = 1 / (n * n);
    return below + (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r * (1.0 / 1188))))) / n;
}

/* x log(x / m) + m - x without cancellation when x is near m, Loader's "bd0". */
static double deviance_part(double x, double m)
{
    if (fabs(x - m) >= 0.1 * (x + m))
        return x * log(x / m) + m - x;
    double v = (x - m) / (x + m), sum = (x - m) * v, term = 2 * x * v;
    for (int j = 1; j < 1000; j++) {
        term *= v * v;
        double next = sum + term / (2 * j + 1);
        if (next == sum)
            break;
        sum = next;
    }
    return sum;
}

double poisson_log_density(double y, double mu)
{
    if (y < 0 || mu < 0)
        return (double)NAN;
    if (mu == 0)
        return y == 0 ? 0 : -(double)INFINITY;
    if (y == 0)
        return -mu;
    return -stirling_error(y) - deviance_part(y, mu) - LOG_SQRT_2PI - 0.5 * log(y);
}

double binomial_log_density(double y, double n, double p)
{
    if (y < 0 || y > n || p < 0 || p > 1)
        return (double)NAN;
    if (p == 0 || p == 1)
        return y == n * p ? 0 : -(double)INFINITY;
    if (y == 0)
        return n * log1p(-p);
    if (y == n)
        return n * log(p);
    return stirling_error(n) - stirling_error(y) - stirling_error(n - y) - deviance_part(y, n * p) -
           deviance_part(n - y, n * (1 - p)) - LOG_SQRT_2PI - 0.5 * log(y * (n - y) / n);
}

/* x^a e^-x / Gamma(a + 1). */
static double gamma_front(double a, double x)
{
    if (a < 20 && x < 600)
        return pow(x, a) * exp(-x) / tgamma(a + 1);
    return exp(poisson_log_density(a, x));
}

static double gamma_series(double a, double x)
{
    double term = 1, sum = 1;
    for (double k = a + 1; term > sum * (DBL_EPSILON / 8); k++) {
        term *= x / k;
        sum += term;
    }
    return gamma_front(a, x) * sum;
}

static double gamma_fraction(double a, double x)
{
    double b = x + 1 - a, c = 1 / TINY, d = 1 / b, h = d;
    for (int i = 1; i < 10000000; i++) {
        double an = -i * (i - a);
        b += 2;
        d = an * d + b;
        d = fabs(d) < TINY ? TINY : d;
        c = b + an / c;
        c = fabs(c) < TINY ? TINY : c;
        d = 1 / d;
        double step = d * c;
        h *= step;
        if (fabs(step - 1) < DBL_EPSILON)
            break;
    }
    return gamma_front(a, x) * a * h;
}

/* From this shape on the cube root of a gamma variate is normal to more digits than a double has (Wilson, Hilferty,
 * PNAS 17, 1931; the quantile's error is O(1/sqrt a)), and series and fraction would take millions of steps. */
#define NORMAL_SHAPE 1e12

static double gamma_normal(double a, double x)
{
    return 3 * sqrt(a) * (expm1(log1p((x - a) / a) / 3) + 1 / (9 * a));
}

double gamma_lower(double a, double x)
{
    if (!(a > 0) || !(x >= 0))
        return (double)NAN;
    if (x == 0 || isinf(x))
        return x == 0 ? 0 : 1;
    if (a > NORMAL_SHAPE)
        return normal_cdf(gamma_normal(a, x));
    return x < a + 1 ? gamma_series(a, x) : 1 - gamma_fraction(a, x);
}

double gamma_upper(double a, double x)
{
    if (!(a > 0) || !(x >= 0))
        return (double)NAN;
    if (x == 0 || isinf(x))
        return x == 0 ? 1 : 0;
    if (a > NORMAL_SHAPE)
        return normal_upper(gamma_normal(a, x));
    return x < a + 1 ? 1 - gamma_series(a, x) : gamma_fraction(a, x);
}

/* A start for the gamma quantile: Wilson-Hilferty, or the leading term x^a / Gamma(a + 1) far down the lower
 * tail. */
static double gamma_start(double a, double z, double p)
{
    double w = 1 - 1 / (9 * a) + z / (3 * sqrt(a));
    double x = a * w * w * w;
    double low = exp((log(p) + log_gamma(a + 1)) / a);
    return w > 0.1 && x > 0.05 * a ? x : (low > 0 ? low : DBL_MIN);
}

static double gamma_solve(double a, double tail, bool upper)
{
    double z = upper ? -normal_quantile(tail) : normal_quantile(tail);
    double x = gamma_start(a, z, upper ? 1 - tail : tail);
    if (a > NORMAL_SHAPE)
        return x;
    double low = 0, high = (double)INFINITY;
    for (int i = 0; i < 200; i++) {
        double f = upper ? gamma_upper(a, x) : gamma_lower(a, x);
        bool below = upper ? f > tail : f < tail;
        *(below ? &low : &high) = x;
        double slope = gamma_front(a, x) * a;
        double step = (upper ? 1 : -1) * log(f / tail) * f / slope;
        double next = x * exp(step);
        if (!(next > low && next < high))
            next = isinf(high) ? 2 * x : low > 0 ? sqrt(low) * sqrt(high) : high / 16;
        if (fabs(next - x) <= x * 2e-16)
            return next;
        x = next;
    }
    return x;
}

double gamma_quantile(double a, double p)
{
    if (!(a > 0) || !(p >= 0 && p <= 1))
        return (double)NAN;
    if (p == 0 || p == 1)
        return p == 0 ? 0 : (double)INFINITY;
    return p <= 0.5 ? gamma_solve(a, p, false) : gamma_solve(a, 1 - p, true);
}

double gamma_quantile_upper(double a, double q)
{
    if (!(a > 0) || !(q >= 0 && q <= 1))
        return (double)NAN;
    if (q == 0 || q == 1)
        return q == 1 ? 0 : (double)INFINITY;
    return q <= 0.5 ? gamma_solve(a, q, true) : gamma_solve(a, 1 - q, false);
}

/* x^a y^b / B(a, b), with y = 1 - x. */
static double beta_front(double x, double y, double a, double b)
{
    double n = a + b;
    double l = stirling_error(n) - stirling_error(a) - stirling_error(b) - deviance_part(a, n * x) -
               deviance_part(b, n * y);
    return exp(l) * sqrt(a * b / n) * exp(-LOG_SQRT_2PI);
}

static double beta_fraction(double x, double a, double b)
{
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < TINY ? TINY : d);
    double h = d;
    for (int m = 1; m < 1000000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / (fabs(1 + even * d) < TINY ? TINY : 1 + even * d);
        c = fabs(1 + even / c) < TINY ? TINY : 1 + even / c;
        h *= d * c;
        d = 1 / (fabs(1 + odd * d) < TINY ? TINY : 1 + odd * d);
        c = fabs(1 + odd / c) < TINY ? TINY : 1 + odd / c;
        double step = d * c;
        h *= step;
        if (fabs(step - 1) < DBL_EPSILON)
            break;
    }
    return h;
}

double beta_lower(double x, double y, double a, double b)
{
    if (!(a > 0) || !(b > 0) || !(x >= 0 && x <= 1))
        return (double)NAN;
    if (x == 0 || y == 0)
        return x == 0 ? 0 : 1;
    double front = beta_front(x, y, a, b);
    if (x <= (a + 1) / (a + b + 2))
        return front * beta_fraction(x, a, b) / a;
    return 1 - front * beta_fraction(y, b, a) / b;
}

/* Works in u = log(x / (1 - x)), where the density is x y f(x). */
double beta_quantile(double p, double a, double b)
{
    if (!(a > 0) || !(b > 0) || !(p >= 0 && p <= 1))
        return (double)NAN;
    if (p == 0 || p == 1)
        return p;
    bool upper = p > 0.5;
    double tail = upper ? 1 - p : p, low = -(double)INFINITY, high = (double)INFINITY, u = log(a / b);
    for (int i = 0; i < 300; i++) {
        double x = 1 / (1 + exp(-u)), y = 1 / (1 + exp(u));
        double f = upper ? beta_lower(y, x, b, a) : beta_lower(x, y, a, b);
        bool below = upper ? f > tail : f < tail;
        *(below ? &low : &high) = u;
        double next = u - (upper ? -1 : 1) * log(f / tail) * f / beta_front(x, y, a, b);
        if (!(next > low && next < high))
            next = isinf(high) ? u + 2 : isinf(low) ? u - 2 : (low + high) / 2;
        if (fabs(next - u) <= 1e-16 * (1 + fabs(u)))
            break;
        u = next;
    }
    return 1 / (1 + exp(-u));
}
