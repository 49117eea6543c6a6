/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/interval.h"

#include <math.h>
#include <string.h>

#include "stats/special.h"
#include "stats/sum.h"

const char *const reason_few_events = "fewer_than_10_events";
const char *const reason_missing = "missing_input";
const char *const reason_no_deviation = "one_observation";
const char *const reason_not_reached = "not_reached";
const char *const reason_no_one_left = "no_one_left";
const char *const reason_no_deaths = "no_deaths_in_open_band";
const char *const reason_wide = "interval_over_20_years";
const char *const reason_small = "population_5000_or_less";
const char *const reason_too_few_areas = "fewer_areas_than_quantiles";
const char *const reason_no_population = "population_not_positive";
const char *const reason_bad_deaths = "bad_deaths";
const char *const reason_small_sample = "sample_too_small";
const char *const reason_boundary = "at_the_boundary";
const char *const reason_no_freedom = "no_degrees_of_freedom";
const char *const reason_aliased = "aliased";
const char *const reason_not_positive = "not_positive";
const char *const reason_no_spread = "no_spread";
const char *const reason_not_finite = "not_finite";

const char *reason_text(const char *reason)
{
    static const char *const texts[][2] = {
        {"fewer_than_10_events", "fewer than 10 events: a standardised rate would not be reliable"},
        {"missing_input", "a number that the estimate needs is missing"},
        {"one_observation", "a single observation has no standard deviation"},
        {"not_reached", "the curve does not go down to this level within follow-up"},
        {"no_one_left", "nobody is left at this point"},
        {"no_deaths_in_open_band", "nobody died in the last, open age band, so its length is unbounded"},
        {"interval_over_20_years", "the 95% interval is wider than 20 years"},
        {"population_5000_or_less", "the total population is 5,000 or less"},
        {"fewer_areas_than_quantiles", "there are fewer areas than quantiles"},
        {"population_not_positive", "a population is missing, 0 or negative"},
        {"bad_deaths", "a number of deaths is missing, negative or above the population"},
        {"sample_too_small", "the sample is too small for an interval at this confidence"},
        {"at_the_boundary", "the estimate is 0 or 1, where this scale has no interval"},
        {"no_degrees_of_freedom", "there are no more rows than coefficients, so no error can be estimated"},
        {"aliased", "the column is a linear combination of columns before it"},
        {"not_positive", "the quantity is zero or negative where the scale needs it to be positive"},
        {"no_spread", "the standard error is 0: there is no spread to judge the estimate by"},
        {"not_finite", "the numbers are too large or too small to be computed with"},
    };
    for (size_t i = 0; reason && i < sizeof texts / sizeof *texts; i++)
        if (strcmp(texts[i][0], reason) == 0)
            return texts[i][1];
    return NULL;
}

enum status stats_confidence(double given, double *confidence, struct err *e)
{
    *confidence = given >= 90 && given <= 100 ? given / 100 : given;
    if (*confidence >= 0.9 && *confidence <= 1)
        return ST_OK;
    return err_set(e, ST_INVALID,
                   "a confidence level must be from 0.9 to 1, or a percentage from 90 to 100, not %g", given);
}

struct interval interval_wilson(double x, double n, double confidence)
{
    double z = normal_z(confidence), z2 = z * z;
    if (isinf(z))
        return (struct interval){0, 1};
    double root = z * sqrt(z2 + 4 * x * (1 - x / n)), centre = 2 * x + z2, below = 2 * (n + z2);
    /* The lower limit as a quotient of positive terms: no cancellation when x is small. */
    double lower = x > 0 ? 2 * x * x / n / (centre + root) : 0;
    return (struct interval){lower, (centre + root) / below};
}

struct interval interval_binomial(double x, double n, double confidence)
{
    double tail = (1 - confidence) / 2;
    return (struct interval){x > 0 ? beta_quantile(tail, x, n - x + 1) : 0,
                             x < n ? 1 - beta_quantile(tail, n - x, x + 1) : 1};
}

struct interval interval_byar(double x, double confidence)
{
    double z = normal_z(confidence), y = x + 1;
    double low = 1 - 1 / (9 * x) - z / (3 * sqrt(x)), high = 1 - 1 / (9 * y) + z / (3 * sqrt(y));
    return (struct interval){x > 0 && low > 0 ? x * low * low * low : 0, y * high * high * high};
}

struct interval interval_byar_mid(double x, double confidence)
{
    double z = normal_z(confidence), y = x + 0.5;
    double low = 1 - 1 / (9 * y) - z / (3 * sqrt(y)), high = 1 - 1 / (9 * y) + z / (3 * sqrt(y));
    return (struct interval){low > 0 ? y * low * low * low : 0, y * high * high * high};
}

/* Poisson: the probability of at most k, and of at least k. */
static double at_most(double k, double mean)
{
    return k < 0 ? 0 : gamma_upper(k + 1, mean);
}

static double at_least(double k, double mean)
{
    return k <= 0 ? 1 : gamma_lower(k, mean);
}

/* The count nearest to the mean, on the other side of it from x, that is no more probable than x: the search is
   between `near`, which is more probable, and `far`, which is not. */
static double equal_beyond(double near, double far, double mean, double log_density)
{
    while (fabs(far - near) > 1) {
        double middle = floor((near + far) / 2);
        if (poisson_log_density(middle, mean) <= log_density)
            far = middle;
        else
            near = middle;
    }
    return far;
}

double poisson_test(double x, double mean)
{
    if (x == mean)
        return 1;
    double log_density = poisson_log_density(x, mean) + log1p(1e-7);
    if (x < mean) {
        double near = ceil(mean), far = near + 1;
        if (poisson_log_density(near, mean) <= log_density)
            return at_most(x, mean) + at_least(near, mean);
        while (poisson_log_density(far, mean) > log_density)
            far = near + 2 * (far - near);
        return at_most(x, mean) + at_least(equal_beyond(near, far, mean, log_density), mean);
    }
    double near = floor(mean);
    if (poisson_log_density(near, mean) <= log_density)
        return at_most(near, mean) + at_least(x, mean);
    double far = poisson_log_density(0, mean) <= log_density ? equal_beyond(near, 0, mean, log_density) : -1;
    return at_most(far, mean) + at_least(x, mean);
}

struct interval interval_poisson(double x, double confidence)
{
    double tail = (1 - confidence) / 2;
    return (struct interval){x > 0 ? gamma_quantile(x, tail) : 0, gamma_quantile_upper(x + 1, tail)};
}

struct interval interval_count(double x, double confidence)
{
    return x < 10 ? interval_poisson(x, confidence) : interval_byar(x, confidence);
}

struct interval interval_mean(double mean, double sd, double n, double confidence)
{
    if (!(n >= 2))
        return (struct interval){(double)NAN, (double)NAN};
    double half = t_quantile(confidence + (1 - confidence) / 2, n - 1) * sd / sqrt(n);
    return (struct interval){mean - half, mean + half};
}

#define MOST_EXACT_TRIALS 1e15 /* the beta fraction's steps grow with their square root */

enum status stats_proportion(double x, double n, bool exact, double multiplier, double confidence,
                             struct estimate *out, struct err *e)
{
    *out = (struct estimate){(double)NAN, (double)NAN, (double)NAN, reason_missing};
    if (x < 0)
        return err_set(e, ST_INVALID, "a numerator is negative; counts must be 0 or more");
    if (n <= 0)
        return err_set(e, ST_INVALID, "a denominator is 0 or negative; it must be above 0");
    if (x > n)
        return err_set(e, ST_INVALID, "a numerator is greater than its denominator");
    if (exact && n > MOST_EXACT_TRIALS)
        return err_set(e, ST_INVALID,
                       "the exact interval is for up to 1e15 trials; Wilson's is the same there");
    if (isnan(x) || isnan(n))
        return ST_OK;
    struct interval i = exact ? interval_binomial(x, n, confidence) : interval_wilson(x, n, confidence);
    *out = (struct estimate){x / n * multiplier, i.lower * multiplier, i.upper * multiplier, NULL};
    return ST_OK;
}

enum status stats_rate(double x, double n, enum rate_interval method, double multiplier, double confidence,
                       struct estimate *out, struct err *e)
{
    *out = (struct estimate){(double)NAN, (double)NAN, (double)NAN, reason_missing};
    if (x < 0)
        return err_set(e, ST_INVALID, "a count of events is negative; counts must be 0 or more");
    if (n <= 0)
        return err_set(e, ST_INVALID, "a denominator is 0 or negative; it must be above 0");
    if (isnan(x) || isnan(n))
        return ST_OK;
    struct interval i = method == RATE_EXACT      ? interval_poisson(x, confidence)
                        : method == RATE_BYAR     ? interval_byar(x, confidence)
                        : method == RATE_BYAR_MID ? interval_byar_mid(x, confidence)
                                                  : interval_count(x, confidence);
    *out = (struct estimate){x / n * multiplier, i.lower / n * multiplier, i.upper / n * multiplier, NULL};
    return ST_OK;
}

struct moments moments_of(const double *x, size_t n)
{
    struct csum total = {0}, s2 = {0}, s3 = {0}, s4 = {0}, left = {0};
    for (size_t i = 0; i < n; i++)
        csum_add(&total, x[i]);
    double mean = n ? csum_value(&total) / (double)n : (double)NAN;
    for (size_t i = 0; i < n; i++)
        csum_add(&left, x[i] - mean);
    mean += n ? csum_value(&left) / (double)n : 0;
    for (size_t i = 0; i < n; i++) {
        double d = x[i] - mean;
        csum_add(&s2, d * d);
        csum_add(&s3, d * d * d);
        csum_add(&s4, d * d * d * d);
    }
    return (struct moments){(double)n, mean, csum_value(&s2), csum_value(&s3), csum_value(&s4)};
}

struct moments moments_join(struct moments a, struct moments b)
{
    if (a.n == 0 || b.n == 0)
        return a.n == 0 ? b : a;
    double n = a.n + b.n, d = b.mean - a.mean, r = d / n, ab = a.n * b.n;
    struct moments m = {.n = n, .mean = a.mean + d * b.n / n, .m2 = a.m2 + b.m2 + d * r * ab};
    m.m3 = a.m3 + b.m3 + d * r * r * ab * (a.n - b.n) + 3 * r * (a.n * b.m2 - b.n * a.m2);
    m.m4 = a.m4 + b.m4 + d * r * r * r * ab * (a.n * a.n - ab + b.n * b.n) +
           6 * r * r * (a.n * a.n * b.m2 + b.n * b.n * a.m2) + 4 * r * (a.n * b.m3 - b.n * a.m3);
    return m;
}

double moments_sd(const struct moments *m)
{
    return m->n >= 2 ? sqrt(m->m2 / (m->n - 1)) : (double)NAN;
}

struct estimate stats_mean(const struct moments *m, double confidence)
{
    struct interval i = interval_mean(m->mean, moments_sd(m), m->n, confidence);
    const char *reason = m->n < 1 ? reason_missing : m->n < 2 ? reason_no_deviation : NULL;
    return (struct estimate){m->mean, i.lower, i.upper, reason};
}
