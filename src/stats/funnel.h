/* SPDX-License-Identifier: Apache-2.0
 *
 * Funnel plots: control limits around a common level, and where each unit lies (D. Spiegelhalter, Stat. Med.
 * 24 (2005) 1185); over-dispersion by an additive variance (tau2) estimated from trimmed or winsorised z
 * scores.
 */
#ifndef ACCORD_STATS_FUNNEL_H
#define ACCORD_STATS_FUNNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "stats/interval.h"

/* Upper-tail probabilities of the two pairs of limits, "2s" and "3s". */
#define FUNNEL_TAIL_2S 0.025
#define FUNNEL_TAIL_3S 0.001

/* p0 -+ z sqrt(p0 (1 - p0) / n), kept within [0, 1]. */
struct interval funnel_proportion(double p0, double n, double tail);
/* The expected numbers between which `observed` events are no surprise: chi2 quantiles(tail, 2 O) / 2 and
 * (1 - tail, 2 O + 2) / 2. */
struct interval funnel_expected(double observed, double tail);
/* The ratios observed / expected between which a unit with `expected` events is no surprise, taking the
 * expectation for the count (as FunnelPlotR draws them). */
struct interval funnel_ratio(double expected, double tail);

enum funnel_place { FUNNEL_INSIDE, FUNNEL_LOW_2S, FUNNEL_HIGH_2S, FUNNEL_LOW_3S, FUNNEL_HIGH_3S };
enum funnel_place funnel_place_proportion(double p0, double x, double n);
enum funnel_place funnel_place_ratio(double observed, double expected);
const char *funnel_place_text(enum funnel_place p); /* "High (0.001)" ... "Not significant" */

/* n rising whole numbers from low to high, evenly spaced on the log scale as far as whole numbers allow. */
void funnel_axis(double low, double high, double *out, size_t n);
/* v rounded up (down) to two significant digits: the default ends of an axis. */
double funnel_axis_end(double v, bool up);

enum funnel_kind { FUNNEL_PROPORTION, FUNNEL_RATIO, FUNNEL_RATIO_OF_COUNTS };
enum funnel_trim { FUNNEL_TRUNCATE, FUNNEL_WINSORISE };

struct funnel_unit {
    double numerator, denominator;
    double y, s;          /* on the transformed scale, and its standard error */
    double z, z_adjusted; /* (y - target) / s, and with sqrt(s^2 + tau2) */
    double z_used;        /* z after winsorising; NaN where it was trimmed */
};

struct funnel_dispersion {
    double phi, tau2, target; /* target on the transformed scale */
    size_t used;
};

/* Over-dispersion over units whose numerator and denominator are filled in. Scales: proportion arcsine square
 * root; ratio log with truncation (SHMI) and square root with winsorising (CQC), expected as denominator;
 * ratio of counts log with 0.5 added. phi = mean z_used^2, tau2 = max(0, (n phi - (n - 1)) / (sum w - sum w^2
 * / sum w)), w = 1/s^2. Refused: fewer than 3 units, a denominator not above 0, a negative numerator. */
MUST_CHECK enum status funnel_overdispersion(struct funnel_unit *u, size_t n, enum funnel_kind kind,
                                             enum funnel_trim trim, double share,
                                             struct funnel_dispersion *out, struct err *e);
/* Limits at a denominator n under tau2, back on the natural scale. */
struct interval funnel_adjusted(enum funnel_kind kind, enum funnel_trim trim, double target, double tau2,
                                double n, double tail);

#endif
