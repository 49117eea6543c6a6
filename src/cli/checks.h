/* SPDX-License-Identifier: Apache-2.0
 * The checker's view (docs/formats/checks.md) on the command line. */
#ifndef ACCORD_CLI_CHECKS_H
#define ACCORD_CLI_CHECKS_H

#include "base/json.h"
#include "cli/command.h"

/* One line for each cell, or the document with --format json. Takes the view. */
MUST_CHECK enum status checks_print(const struct args *a, struct js *view, struct err *e);

#endif
