/* SPDX-License-Identifier: Apache-2.0
 *
 * The normal, chi-squared, Student t and F distributions.
 */
#include "stats/special.h"

#include <math.h>
#include <stddef.h>
#include <stdbool.h>

double normal_cdf(double x)
{
    return 0.5 * erfc(-x * M_SQRT1_2);
}

double normal_upper(double x)
{
    return 0.5 * erfc(x * M_SQRT1_2);
}

static double ratio(const double *top, const double *bottom, double r)
{
    double n = 0, d = 0;
    for (int i = 7; i >= 0; i--) {
        n = n * r + top[i];
        d = d * r + bottom[i];
    }
    return n / d;
}

/* AS 241, PPND16. */
double normal_quantile(double p)
{
    static const double a[8] = {3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3,
                                1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                3.3430575583588128105e+4, 2.5090809287301226727e+3};
    static const double b[8] = {1.0,
                                4.2313330701600911252e+1,
                                6.8718700749205790830e+2,
                                5.3941960214247511077e+3,
                                2.1213794301586595867e+4,
                                3.9307895800092710610e+4,
                                2.8729085735721942674e+4,
                                5.2264952788528545610e+3};
    static const double c[8] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                5.76949722146069140550e0,  3.64784832476320460504e0,
                                1.27045825245236838258e0,  2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static const double d[8] = {1.0,
                                2.05319162663775882187e0,
                                1.67638483018380384940e0,
                                6.89767334985100004550e-1,
                                1.48103976427480074590e-1,
                                1.51986665636164571966e-2,
                                5.47593808499534494600e-4,
                                1.05075007164441684324e-9};
    static const double e[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                1.78482653991729133580e0,  2.96560571828504891230e-1,
                                2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static const double f[8] = {1.0,
                                5.99832206555887937690e-1,
                                1.36929880922735805310e-1,
                                1.48753612908506148525e-2,
                                7.86869131145613259100e-4,
                                1.84631831751005468180e-5,
                                1.42151175831644588870e-7,
                                2.04426310338993978564e-15};
    if (!(p >= 0 && p <= 1))
        return (double)NAN;
    if (p == 0 || p == 1)
        return p == 0 ? -(double)INFINITY : (double)INFINITY;
    double q = p - 0.5;
    if (fabs(q) <= 0.425)
        return q * ratio(a, b, 0.180625 - q * q);
    double r = sqrt(-log(q < 0 ? p : 1 - p));
    double x = r <= 5 ? ratio(c, d, r - 1.6) : ratio(e, f, r - 5);
    return q < 0 ? -x : x;
}

double normal_z(double confidence)
{
    return normal_quantile(confidence + (1 - confidence) / 2);
}

double chi2_upper(double x, double df)
{
    return gamma_upper(df / 2, x / 2);
}

double chi2_quantile(double p, double df)
{
    return 2 * gamma_quantile(df / 2, p);
}

double t_two_sided(double t, double df)
{
    if (isinf(df))
        return 2 * normal_upper(fabs(t));
    if (isinf(t))
        return 0;
    double s = t * t, x = df / (df + s);
    return beta_lower(x, s / (df + s), df / 2, 0.5);
}

double t_upper(double t, double df)
{
    double half = t_two_sided(t, df) / 2;
    return t >= 0 ? half : 1 - half;
}

/* log density of t, for the Newton steps only. */
static double t_density(double t, double df)
{
    return exp(log_gamma((df + 1) / 2) - log_gamma(df / 2) - (df + 1) / 2 * log1p(t * t / df)) /
           sqrt(df * M_PI);
}

double t_quantile(double p, double df)
{
    if (!(p >= 0 && p <= 1) || !(df > 0))
        return (double)NAN;
    if (p == 0.5 || p == 0 || p == 1 || isinf(df))
        return normal_quantile(p);
    double tail = p < 0.5 ? p : 1 - p, low = 0, high = (double)INFINITY;
    double t = -normal_quantile(tail);
    t *= 1 + (t * t + 1) / (4 * df);
    for (int i = 0; i < 300; i++) {
        double f = t_two_sided(t, df) / 2;
        *(f > tail ? &low : &high) = t;
        double next = t * exp(log(f / tail) * f / (t * t_density(t, df)));
        if (!(next > low && next < high))
            next = isinf(high) ? 2 * t : (low + high) / 2;
        if (fabs(next - t) <= t * 2e-16)
            break;
        t = next;
    }
    return p < 0.5 ? -t : t;
}

double f_upper(double f, double df1, double df2)
{
    if (!(f > 0))
        return f <= 0 ? 1 : (double)NAN;
    double d = df2 + df1 * f;
    return beta_lower(df2 / d, df1 * f / d, df2 / 2, df1 / 2);
}
