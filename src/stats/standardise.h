/* SPDX-License-Identifier: Apache-2.0
 *
 * Directly and indirectly standardised rates from stratum counts. The counts of several sites are added
 * stratum by stratum before these functions are called, so the federated answer is the pooled one.
 */
#ifndef ACCORD_STATS_STANDARDISE_H
#define ACCORD_STATS_STANDARDISE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "stats/interval.h"

/* One stratum (age band) of one area. For events that are independent, events2 = events; where a person can
 * have f events, events = sum f persons and events2 = sum f^2 persons. */
struct stratum {
    double events, events2, population, standard;
};

struct dsr {
    struct estimate rate;
    double events, population;
};

/* The 19 weights of the European standard population 2013 for ages 0-4, 5-9, ... 90 and over (Eurostat,
 * 2013). */
extern const double esp2013[19];

/* Directly standardised rate with Dobson's interval (A. Dobson et al., Stat. Med. 10 (1991) 457):
 *   R = m sum(w x/n) / sum w,  var = sum(x2 (w/n)^2) / (sum w)^2,  limit = R + m sqrt(var / X2) (Byar(X) -
 * X), X = events. For non-independent events var carries f^2 and the interval is scaled by sqrt(var / X) with
 * X the events as well (PHEindicatormethods 2.1.0). Fewer than 10 events: reason fewer_than_10_events. A NaN
 * count reads as 0. Refused: negative counts, populations <= 0 or missing, a missing or negative standard. */
MUST_CHECK enum status stats_dsr(const struct stratum *s, size_t k, double multiplier, double confidence,
                                 struct dsr *out, struct err *e);

struct reference {
    double events, population;
};

struct isr {
    struct estimate
        value; /* rate: observed over expected times the reference's crude rate; ratio: times multiplier */
    double observed, expected, reference_rate;
};

/* Indirect standardisation of `observed` events: E = sum n_i X_i / N_i over strata with reference events X
 * and population N (a missing number makes its stratum 0); exact limits below 10 events, Byar's from 10.
 * `ratio`: the SMR times multiplier instead of a rate per multiplier. Refused: negative counts, no expected
 * events. */
MUST_CHECK enum status stats_isr(double observed, const double *population, const struct reference *reference,
                                 size_t k, bool ratio, double multiplier, double confidence, struct isr *out,
                                 struct err *e);

#endif
