/* SPDX-License-Identifier: Apache-2.0
 *
 * Slope and relative index of inequality over ordered population groups (quantiles of deprivation).
 *
 * With a_i the group's share of the population and b_i the midpoint of its cumulative share, y is regressed
 * on b with weights a (J. Mackenbach, A. Kunst, Soc. Sci. Med. 44 (1997) 757; PHDS guidance): SII = slope,
 * RII = (intercept + slope) / intercept. Both are linear combinations of the y, so the interval needs no
 * simulation:
 *  - values on their own scale: normal, exactly;
 *  - rates and proportions, whose errors are normal on the log or logit scale, untransformed: the cumulants
 * of the combination give a Cornish-Fisher quantile (E. Cornish, R. Fisher 1937); RII by inverting it (E.
 * Fieller 1954);
 *  - with transform: both ends of the fitted line are bivariate normal on the transformed scale, and the
 * quantile of their difference or ratio on the natural scale is found by one integral over the lower end.
 * PHEindicatormethods draws 100,000 samples for the same limits.
 */
#ifndef ACCORD_STATS_SII_H
#define ACCORD_STATS_SII_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "stats/interval.h"

enum sii_scale { SII_NORMAL, SII_RATE, SII_PROPORTION };

struct sii_group {
    double population, value;
    double se; /* on the scale's own errors: log for rates, logit for proportions; NaN = from the limits */
    double lower, upper; /* 95% limits of the value; used when se is NaN */
};

struct sii {
    struct estimate sii, rii;
    double intercept; /* of the line; with transform on the natural scale times |multiplier|, as the package
                         prints it */
};

/* multiplier scales the SII; a negative one turns the direction (RII becomes 1 / RII). Groups are in order.
 * Refused: fewer than 5 or more than 100 groups, a population missing or not above 0, a missing value,
 * neither se nor both limits, a negative se, a proportion outside [0, 1] or limits outside it, transform with
 * SII_NORMAL. */
MUST_CHECK enum status stats_sii(const struct sii_group *g, size_t k, enum sii_scale scale, bool transform,
                                 double multiplier, double confidence, struct sii *out, struct err *e);

#endif
