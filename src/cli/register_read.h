/* SPDX-License-Identifier: Apache-2.0
 * What the register's nouns share of its readers. */
#ifndef ACCORD_CLI_REGISTER_READ_H
#define ACCORD_CLI_REGISTER_READ_H

#include "cli/command.h"

/* Prints the entries about an item. */
MUST_CHECK enum status read_history(const struct args *a, const char *noun, const char *id, struct err *e);

#endif
