/* SPDX-License-Identifier: Apache-2.0
 * Noise of a differentially private release, and its budgets: what disclose_noise.c gives to disclose.c. */
#ifndef ACCORD_CLI_DISCLOSE_NOISE_H
#define ACCORD_CLI_DISCLOSE_NOISE_H

#include "cli/command.h"
#include "disclose/result.h"

/* With --noise: charges the project's budget and puts the noisy result in the place of *result; *record is
   for the disclosure record. Without: nothing. */
MUST_CHECK enum status apply_noise(const struct args *a, struct result **result, struct js **record,
                                   struct err *e);

/* With --noise: what such a release would cost and how large its noise would be, told on stderr and as
   *record; nothing is charged or drawn. Without: nothing. */
MUST_CHECK enum status plan_noise(const struct args *a, const struct result *result, struct js **record,
                                  struct err *e);

extern const char disclose_budget_about[];
extern const struct option_spec disclose_budget_options[];
enum status run_disclose_budget(const struct args *a, struct err *e);

#endif
