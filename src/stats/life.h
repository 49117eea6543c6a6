/* SPDX-License-Identifier: Apache-2.0
 *
 * Abridged life tables: Chiang's second method (C. Chiang, The Life Table and its Applications (1984)) with
 * the variance of P. Silcocks et al., J. Epidemiol. Community Health 55 (2001) 38, which adds that of the
 * open band.
 */
#ifndef ACCORD_STATS_LIFE_H
#define ACCORD_STATS_LIFE_H

#include <stddef.h>

#include "base/err.h"
#include "stats/interval.h"

struct life_band {
    double start; /* age in years; the last band is open */
    double population, deaths;
};

struct life_row {
    struct estimate expectancy;
    double se;                  /* of the expectancy */
    double population, deaths;  /* from this age up */
    double dying, alive, lived; /* q, l (out of 100,000), L */
};

/* Life expectancy at the start of each band. With n the width, a = 0.1 at age 0 and 0.5 above, M = D/P:
 * q = nM / (1 + nM(1 - a)), capped at 1 where D > P/n/a; open band q = 1, L = l/M.
 * Reasons: population_5000_or_less (all rows), no_deaths_in_open_band, no_one_left, interval_over_20_years
 * (value NaN, limits kept: judged on the 95% interval); for the whole table population_not_positive and
 * bad_deaths (missing, negative, or more than people). Refused: fewer than 2 bands, the first not at 0, bands
 * out of order. */
MUST_CHECK enum status stats_life(const struct life_band *bands, size_t k, double confidence,
                                  struct life_row *out, struct err *e);

#endif
