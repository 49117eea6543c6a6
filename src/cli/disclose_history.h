/* SPDX-License-Identifier: Apache-2.0
 * What disclose_history.c gives to the table of `accord disclose`. */
#ifndef ACCORD_CLI_DISCLOSE_HISTORY_H
#define ACCORD_CLI_DISCLOSE_HISTORY_H

#include "cli/command.h"

extern const char disclose_history_about[];
extern const struct option_spec disclose_history_options[];
enum status run_disclose_history(const struct args *a, struct err *e);

#endif
