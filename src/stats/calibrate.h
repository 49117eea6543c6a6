/* SPDX-License-Identifier: Apache-2.0
 *
 * Empirical calibration (M. Schuemie et al., Stat. Med. 33 (2014) 209; PNAS 115 (2018) 2571): what a study
 * estimates for negative controls, outcomes that the exposure does not cause, shows its systematic error. The
 * error is taken to be normal on the log scale; its mean and standard deviation maximise the likelihood of
 * the controls' estimates, as EmpiricalCalibration's fitNull, and widen and shift the interval of interest.
 */
#ifndef ACCORD_STATS_CALIBRATE_H
#define ACCORD_STATS_CALIBRATE_H

#include <stddef.h>

#include "base/err.h"

enum { CALIBRATE_FEWEST = 5 }; /* controls: with fewer the spread is hardly known */

struct systematic_error {
    double mean, sd; /* of log ratios where the truth is 1 */
    size_t controls;
};
/* Refused: fewer than CALIBRATE_FEWEST controls, a standard error not above 0. */
MUST_CHECK enum status systematic_error_fit(const double *log_ratio, const double *se, size_t n,
                                            struct systematic_error *out, struct err *e);

struct calibrated {
    double log_ratio, se, lower, upper; /* interval at the confidence asked for */
    double p;                           /* two-sided, of a ratio of 1 */
};
struct calibrated calibrate_estimate(const struct systematic_error *s, double log_ratio, double se,
                                     double confidence);

#endif
