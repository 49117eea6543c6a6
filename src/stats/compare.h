/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of one number between groups, and of two numbers with each other. Figures and p-values are those of
 * R's stats package. Two-sided throughout; no missing values.
 */
#ifndef ACCORD_STATS_COMPARE_H
#define ACCORD_STATS_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "stats/interval.h"

struct comparison {
    double statistic, df, df2, p; /* df NaN where the test has none */
    struct estimate difference;   /* t tests: of means, the first group less the second */
};

/* Values of one group. */
struct sample {
    const double *v;
    size_t n;
};
/* Student's t, with Welch's degrees of freedom unless the variances are taken as equal; of pairs; each group
 * needs two values and some spread. */
enum t_kind { T_WELCH, T_STUDENT, T_PAIRED };
MUST_CHECK enum status t_test(const struct sample *a, const struct sample *b, enum t_kind kind,
                              double confidence, struct comparison *out, struct err *e);
/* Wilcoxon's rank sum, W of the first group, by the normal approximation with ties. */
MUST_CHECK enum status rank_sum_test(const struct sample *a, const struct sample *b, bool continuity,
                                     struct comparison *out, struct err *e);
/* Kolmogorov and Smirnov's D, by the limiting distribution. */
MUST_CHECK enum status ks_test(const struct sample *a, const struct sample *b, struct comparison *out,
                               struct err *e);
/* B. Welch's analysis of variance (Biometrika 38 (1951) 330), M. Bartlett's test of equal variances. */
MUST_CHECK enum status welch_anova(const struct sample *groups, size_t k, struct comparison *out,
                                   struct err *e);
MUST_CHECK enum status bartlett_test(const struct sample *groups, size_t k, struct comparison *out,
                                     struct err *e);

struct correlation {
    double value, statistic, p; /* t (Pearson), S (Spearman), z (Kendall's tau-b) */
    double lower, upper;        /* Pearson, by Fisher's z; NaN otherwise */
};
enum correlation_kind { PEARSON, SPEARMAN, KENDALL };
/* n >= 4; each side needs some spread. Kendall in O(n^2). */
MUST_CHECK enum status correlate(const double *x, const double *y, size_t n, enum correlation_kind kind,
                                 double confidence, struct correlation *out, struct err *e);

/* p-values for many tests at once: out[i] is p[i] adjusted (J. Wright, Biometrics 48 (1992) 1005 for Hommel).
 */
enum adjustment { ADJUST_BONFERRONI, ADJUST_HOLM, ADJUST_HOCHBERG, ADJUST_HOMMEL, ADJUST_BH, ADJUST_BY };
extern const char *const adjustment_names[]; /* ended by NULL */
void adjust_p(const double *p, size_t n, enum adjustment kind, double *out);

#endif
