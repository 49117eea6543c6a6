/* SPDX-License-Identifier: Apache-2.0
 *
 * Nearest neighbours of treated people among the untreated by a score (P. Rosenbaum, D. Rubin, Am. Stat. 39
 * (1985) 33), greedily, the highest scores first or the closest pairs first; with a ratio, everybody's first
 * match before anybody's second. Of two equally near the one of the lower score is taken, of equal scores the
 * later row. Where many share a score, the highest first take what the others need, and the matched differ
 * more than all did: the closest first.
 */
#ifndef ACCORD_STATS_MATCHING_H
#define ACCORD_STATS_MATCHING_H

#include <stdbool.h>
#include <stddef.h>

struct matching {
    size_t ratio;   /* untreated for each treated, 1 or more */
    bool replace;   /* an untreated may serve several treated */
    double caliper; /* largest difference of scores; INFINITY: any */
    bool closest_first;
    /* As MatchIt 4.5.1 computes it, so that what was published with it can be had again: its abs() cuts
       differences to whole numbers, so that the nearest of a lower score is taken whatever lies above, and a
       caliper below 1 lets through any difference below 1. */
    bool whole_differences;
};
enum { MATCH_NONE = -1 };
/* match[i * ratio + k]: the row that is the k-th match of treated row i, MATCH_NONE where there is none and
   for the untreated. */
void match_nearest(const double *score, const double *treated, size_t n, const struct matching *how,
                   long *match);
/* Weights for the effect in the treated: 1 for a treated with a match; each of their matches gets an equal
   share of 1, added up over those it serves; 0 for everybody else. */
void match_weights(const long *match, const double *treated, size_t n, size_t ratio, double *weight);

#endif
