/* SPDX-License-Identifier: Apache-2.0
 *
 * Intervals for proportions, counts, rates and means, as public health reports them. Everything is pure.
 * `confidence` is in (0, 1); stats_confidence reads what people write.
 *
 * A result that cannot be given carries its reason, a word of a fixed list (reason_text explains it), instead
 * of a blank. Where the value is there and only the interval is not, lower and upper are NaN.
 */
#ifndef ACCORD_STATS_INTERVAL_H
#define ACCORD_STATS_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct interval {
    double lower, upper;
};

struct estimate {
    double value, lower, upper;
    const char *reason; /* NULL, or one of the words below */
};

/* Words for a reason, with the sentence behind each; NULL for an unknown word. */
const char *reason_text(const char *reason);
extern const char *const reason_few_events;    /* "fewer_than_10_events" */
extern const char *const reason_missing;       /* "missing_input" */
extern const char *const reason_no_deviation;  /* "one_observation" */
extern const char *const reason_not_reached;   /* "not_reached" */
extern const char *const reason_no_one_left;   /* "no_one_left" */
extern const char *const reason_no_deaths;     /* "no_deaths_in_open_band" */
extern const char *const reason_wide;          /* "interval_over_20_years" */
extern const char *const reason_small;         /* "population_5000_or_less" */
extern const char *const reason_too_few_areas; /* "fewer_areas_than_quantiles" */
extern const char *const reason_no_population; /* "population_not_positive" */
extern const char *const reason_bad_deaths;    /* "bad_deaths" */
extern const char *const reason_small_sample;  /* "sample_too_small" */
extern const char *const reason_boundary;      /* "at_the_boundary" */
extern const char *const reason_no_freedom;    /* "no_degrees_of_freedom" */
extern const char *const reason_aliased;       /* "aliased" */
extern const char *const reason_not_positive;  /* "not_positive" */
extern const char *const reason_no_spread;     /* "no_spread" */
extern const char *const reason_not_finite;    /* "not_finite" */

/* A confidence level as given: 0.9 <= c <= 1, or a percentage 90 <= c <= 100; anything else is ST_INVALID. */
MUST_CHECK enum status stats_confidence(double given, double *confidence, struct err *e);

/* Wilson's score interval of x out of n (E. Wilson, JASA 22 (1927) 209). */
struct interval interval_wilson(double x, double n, double confidence);
/* Clopper and Pearson's exact binomial interval (Biometrika 26 (1934) 404), by the beta quantile. */
struct interval interval_binomial(double x, double n, double confidence);
/* Byar's approximation for a Poisson count (N. Breslow, N. Day, Statistical Methods in Cancer Research II
 * (1987) 69). At x = 0 and wherever the cube turns negative the lower limit is 0. */
struct interval interval_byar(double x, double confidence);
/* The same about x + 1/2 on both sides, near the mid-P limits (K. Rothman, J. Boice, NIH 79-1649 (1979); epiR's
   "byar"). */
struct interval interval_byar_mid(double x, double confidence);
/* Exact Poisson limits by the gamma quantile (F. Garwood, Biometrika 28 (1936) 437). */
struct interval interval_poisson(double x, double confidence);
/* Exact below 10 events, Byar from 10: the convention of the English public-health tools. */
struct interval interval_count(double x, double confidence);
/* Student's t interval of a mean. n < 2 gives NaN limits. */
struct interval interval_mean(double mean, double sd, double n, double confidence);

/* x out of n times multiplier; Wilson, or exact. Refused: x < 0, n <= 0, x > n. A NaN x or n gives reason
 * missing_input. */
MUST_CHECK enum status stats_proportion(double x, double n, bool exact, double multiplier, double confidence,
                                        struct estimate *out, struct err *e);
/* x events over n times multiplier: exact below 10 events and Byar from 10 (PHE's convention), exact
 * throughout (as IncidencePrevalence has it), or Byar throughout, or about x + 1/2. Refused: x < 0, n <= 0. */
enum rate_interval { RATE_PHE, RATE_EXACT, RATE_BYAR, RATE_BYAR_MID };
/* Exact two-sided test that x events came where mean were to be expected: the probability of all counts that are
   no more probable than x (as R's poisson.test, ties within 1e-7). */
double poisson_test(double x, double mean);
MUST_CHECK enum status stats_rate(double x, double n, enum rate_interval method, double multiplier,
                                  double confidence, struct estimate *out, struct err *e);

/* Sums for a mean: exact over sites, centred so that digits survive. */
struct moments {
    double n, mean, m2, m3, m4; /* m_k = sum (x - mean)^k */
};
struct moments moments_of(const double *x, size_t n);
struct moments moments_join(struct moments a, struct moments b); /* T. Chan et al. 1979; P. Pebay 2008 */
double moments_sd(const struct moments *m);
struct estimate stats_mean(const struct moments *m, double confidence);

#endif
