/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static double pivot_of(const double *a, size_t p, size_t j)
{
    double s = a[j * p + j];
    for (size_t k = 0; k < j; k++)
        s -= a[j * p + k] * a[j * p + k] * a[k * p + k];
    return s;
}

size_t ldl_factor(double *a, size_t p, double tolerance, bool *aliased)
{
    size_t rank = 0;
    for (size_t j = 0; j < p; j++) {
        double whole = a[j * p + j], d = pivot_of(a, p, j);
        aliased[j] = !(d > tolerance * whole) || !(whole > 0);
        a[j * p + j] = aliased[j] ? 0 : d;
        rank += !aliased[j];
        for (size_t i = j + 1; i < p; i++) {
            double s = a[i * p + j];
            for (size_t k = 0; k < j; k++)
                s -= a[i * p + k] * a[j * p + k] * a[k * p + k];
            a[i * p + j] = aliased[j] ? 0 : s / d;
        }
    }
    return rank;
}

void ldl_solve(const double *l, size_t p, const bool *aliased, double *b)
{
    for (size_t i = 0; i < p; i++)
        for (size_t k = 0; k < i; k++)
            b[i] -= l[i * p + k] * b[k];
    for (size_t i = 0; i < p; i++)
        b[i] = aliased[i] ? 0 : b[i] / l[i * p + i];
    for (size_t i = p; i-- > 0;) {
        for (size_t k = i + 1; k < p; k++)
            b[i] -= aliased[k] ? 0 : l[k * p + i] * b[k];
        b[i] = aliased[i] ? 0 : b[i];
    }
}

void ldl_inverse(const double *l, size_t p, const bool *aliased, double *out)
{
    double *column = xcalloc(p, sizeof *column);
    for (size_t j = 0; j < p; j++) {
        memset(column, 0, p * sizeof *column);
        column[j] = aliased[j] ? 0 : 1;
        ldl_solve(l, p, aliased, column);
        for (size_t i = 0; i < p; i++)
            out[i * p + j] = column[i];
    }
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < i; j++)
            out[i * p + j] = out[j * p + i] = (out[i * p + j] + out[j * p + i]) / 2;
    free(column);
}

double ldl_log_det(const double *l, size_t p, const bool *aliased)
{
    double s = 0;
    for (size_t i = 0; i < p; i++)
        s += aliased[i] ? 0 : log(l[i * p + i]);
    return s;
}

double bilinear(const double *a, const double *m, const double *b, size_t p)
{
    double s = 0;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            s += a[i] * m[i * p + j] * b[j];
    return s;
}

double quadratic_inverse(const double *m, const double *x, size_t p, double tolerance, size_t *rank)
{
    double *l = xcalloc(p * p + 1, sizeof *l), *b = xcalloc(p + 1, sizeof *b), s = 0;
    bool *aliased = xcalloc(p + 1, sizeof *aliased);
    memcpy(l, m, p * p * sizeof *l);
    memcpy(b, x, p * sizeof *b);
    *rank = ldl_factor(l, p, tolerance, aliased);
    ldl_solve(l, p, aliased, b);
    for (size_t i = 0; i < p; i++)
        s += x[i] * b[i];
    free(l);
    free(b);
    free(aliased);
    return s;
}
