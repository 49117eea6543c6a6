/* SPDX-License-Identifier: Apache-2.0
 *
 * `accord register import`. */
#ifndef ACCORD_CLI_REGISTER_IMPORT_H
#define ACCORD_CLI_REGISTER_IMPORT_H

#include "cli/command.h"

enum status run_register_import(const struct args *a, struct err *e);

#endif
