/* SPDX-License-Identifier: Apache-2.0
 *
 * The methods of `accord stats`, listed in stats.c; each reads its table, calls src/stats and prints one
 * document.
 */
#ifndef ACCORD_CLI_STATS_METHODS_H
#define ACCORD_CLI_STATS_METHODS_H

#include "cli/stats_table.h"

typedef enum status (*stats_rows)(const struct args *a, const struct stats_table *t,
                                  const struct confidences *level, struct js *rows, struct err *e);
/* Reads the options and the table, lets f fill `rows`, prints {"method", "confidence", "rows"}. */
MUST_CHECK enum status stats_run_table(const struct args *a, const char *method, bool any_pair, stats_rows f,
                                       struct err *e);

enum status stats_run_proportion(const struct args *a, struct err *e);
enum status stats_run_rate(const struct args *a, struct err *e);
enum status stats_run_mean(const struct args *a, struct err *e);
enum status stats_run_dsr(const struct args *a, struct err *e);
enum status stats_run_isr(const struct args *a, struct err *e);
enum status stats_run_quantile(const struct args *a, struct err *e);
enum status stats_run_sii(const struct args *a, struct err *e);
enum status stats_run_life(const struct args *a, struct err *e);
enum status stats_run_funnel(const struct args *a, struct err *e);
enum status stats_run_xmr(const struct args *a, struct err *e);
enum status stats_run_glm(const struct args *a, struct err *e);
enum status stats_run_nb(const struct args *a, struct err *e);
enum status stats_run_km(const struct args *a, struct err *e);
enum status stats_run_logrank(const struct args *a, struct err *e);
enum status stats_run_cox(const struct args *a, struct err *e);
enum status stats_run_aft(const struct args *a, struct err *e);
enum status stats_run_cif(const struct args *a, struct err *e);
enum status stats_run_finegray(const struct args *a, struct err *e);
enum status stats_run_auc(const struct args *a, struct err *e);
enum status stats_run_meta(const struct args *a, struct err *e);
enum status stats_run_sccs(const struct args *a, struct err *e);
enum status stats_run_compare(const struct args *a, struct err *e);
enum status stats_run_correlate(const struct args *a, struct err *e);
enum status stats_run_crosstab(const struct args *a, struct err *e);
enum status stats_run_adjust(const struct args *a, struct err *e);
enum status stats_run_propensity(const struct args *a, struct err *e);
enum status stats_run_cusum(const struct args *a, struct err *e);
enum status stats_run_ewma(const struct args *a, struct err *e);
enum status stats_run_its(const struct args *a, struct err *e);
enum status stats_run_shrink(const struct args *a, struct err *e);
enum status stats_run_calibrate(const struct args *a, struct err *e);
enum status stats_run_gini(const struct args *a, struct err *e);
enum status stats_run_news2(const struct args *a, struct err *e);

#endif
