/* SPDX-License-Identifier: Apache-2.0
 *
 * Rounding of counts, and what a reader of a rounded count knows: an interval. Sources of the rules and their
 * vectors: OpenSAFELY docs outputs/sdc (midpoint-6; redact 7, round 5), ehrQL measures, NHS Digital HES/ECDS
 * method, ONS 10-5.
 */
#ifndef ACCORD_DISCLOSE_ROUNDING_H
#define ACCORD_DISCLOSE_ROUNDING_H

#include <stdbool.h>
#include <stdint.h>

#include "disclose/policy.h"

/* Counts are not negative, base at least 1. */
int64_t round_nearest(int64_t n, int64_t base);
int64_t round_even(int64_t n, int64_t base);     /* halves to the even multiple */
int64_t round_midpoint(int64_t n, int64_t base); /* ceil(n / base) * base - base / 2; 0 stays */
/* Where a print does not follow from the count alone (controlled, cell keys): the nearest multiple, which is
   what rates are made of. */
int64_t round_count(int64_t n, enum rounding kind, int64_t base);

/* The smallest and largest count that would print as `printed`, knowing that counts of 1 .. minimum - 1 are
   hidden and never printed. */
struct count_range {
    int64_t low, high;
};
struct count_range round_range(int64_t printed, enum rounding kind, int64_t base, int64_t minimum);

/* The same under a policy. A count that was rounded to let tables add up is within one base of its print;
   noise is at most noise_most. */
struct count_range print_range(const struct policy *p, int64_t printed, int64_t minimum);
/* What the print of a count of n tells at most, where that print is not known yet: one that is rounded to
   let tables add up may be the nearest, of one with noise the middle is taken for the count itself. */
struct count_range print_worst(const struct policy *p, int64_t n, int64_t minimum);
/* Whether a policy could print this. */
bool print_allowed(const struct policy *p, int64_t printed, int64_t minimum);

/* Of figures that are no counts: the significant digits that a type of output prints to; 0 for counts and
   curves, which have rules of their own, and for extremes, which never print. */
int figure_digits(enum output_type type);
double round_significant(double v, int digits);

#endif
