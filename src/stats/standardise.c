/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/standardise.h"

#include <math.h>

#include "stats/sum.h"

const double esp2013[19] = {5000, 5500, 5500, 5500, 6000, 6000, 6500, 7000, 7000, 7000,
                            7000, 6500, 6000, 5500, 5000, 4000, 2500, 1500, 1000};

static double or_zero(double v)
{
    return isnan(v) ? 0 : v;
}

static enum status check_stratum(const struct stratum *s, size_t i, struct err *e)
{
    if (s->events < 0 || s->events2 < 0)
        return err_set(e, ST_INVALID, "stratum %zu: the count of events is negative", i + 1);
    if (!(s->population > 0))
        return err_set(e, ST_INVALID, "stratum %zu: the population is missing, 0 or negative", i + 1);
    if (!(s->standard >= 0))
        return err_set(e, ST_INVALID, "stratum %zu: the standard population is missing or negative", i + 1);
    return ST_OK;
}

enum status stats_dsr(const struct stratum *s, size_t k, double multiplier, double confidence,
                      struct dsr *out, struct err *e)
{
    struct csum weight = {0}, rate = {0}, variance = {0}, events = {0}, population = {0};
    *out = (struct dsr){{(double)NAN, (double)NAN, (double)NAN, reason_few_events}, 0, 0};
    for (size_t i = 0; i < k; i++) {
        enum status st = check_stratum(&s[i], i, e);
        if (st != ST_OK)
            return st;
        double r = s[i].standard / s[i].population;
        csum_add(&weight, s[i].standard);
        csum_add(&rate, r * or_zero(s[i].events));
        csum_add(&variance, r * r * or_zero(s[i].events2));
        csum_add(&events, or_zero(s[i].events));
        csum_add(&population, s[i].population);
    }
    double w = csum_value(&weight), x = csum_value(&events);
    out->events = x;
    out->population = csum_value(&population);
    if (!(w > 0))
        return err_set(e, ST_INVALID, "the standard population adds up to 0");
    if (x < 10)
        return ST_OK;
    double value = csum_value(&rate) / w, scale = sqrt(csum_value(&variance) / x) / w;
    struct interval b = interval_byar(x, confidence);
    out->rate = (struct estimate){multiplier * value, multiplier * (value + scale * (b.lower - x)),
                                  multiplier * (value + scale * (b.upper - x)), NULL};
    return ST_OK;
}

enum status stats_isr(double observed, const double *population, const struct reference *reference, size_t k,
                      bool ratio, double multiplier, double confidence, struct isr *out, struct err *e)
{
    struct csum expected = {0}, events = {0}, people = {0};
    observed = or_zero(observed);
    if (observed < 0)
        return err_set(e, ST_INVALID, "the count of events is negative");
    for (size_t i = 0; i < k; i++) {
        if (population[i] < 0 || reference[i].events < 0 || reference[i].population < 0)
            return err_set(e, ST_INVALID, "stratum %zu: a population or a reference number is negative",
                           i + 1);
        csum_add(&expected, or_zero(population[i] * reference[i].events / reference[i].population));
        csum_add(&events, or_zero(reference[i].events));
        csum_add(&people, or_zero(reference[i].population));
    }
    double x = csum_value(&expected);
    if (!(x > 0) || isinf(x))
        return err_set(e, ST_INVALID, "no events are expected: the reference rates or the populations are 0");
    double crude = csum_value(&events) / csum_value(&people);
    double scale = multiplier * (ratio ? 1 : crude) / x;
    struct interval i = interval_count(observed, confidence);
    *out = (struct isr){
        {observed * scale, i.lower * scale, i.upper * scale, NULL}, observed, x, crude * multiplier};
    return ST_OK;
}
