/* SPDX-License-Identifier: Apache-2.0
 * What disclose_policy.c gives to the table of `accord disclose`. */
#ifndef ACCORD_CLI_DISCLOSE_POLICY_H
#define ACCORD_CLI_DISCLOSE_POLICY_H

#include "cli/command.h"

extern const char disclose_policy_about[];
enum status run_disclose_policy(const struct args *a, struct err *e);

#endif
