/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/monitor.h"

#include <math.h>

void cusum_risk_adjusted(const double *y, const double *p, size_t n, double odds_ratio, double *out)
{
    double s = 0;
    for (size_t i = 0; i < n; i++) {
        s = fmax(0, s + y[i] * log(odds_ratio) - log1p(p[i] * (odds_ratio - 1)));
        out[i] = s;
    }
}

void vlad(const double *y, const double *p, size_t n, double *out)
{
    double s = 0;
    for (size_t i = 0; i < n; i++) {
        s += p[i] - y[i];
        out[i] = s;
    }
}

void ewma(const double *y, size_t n, double lambda, double start, double *out)
{
    double s = start;
    for (size_t i = 0; i < n; i++) {
        s = lambda * y[i] + (1 - lambda) * s;
        out[i] = s;
    }
}
