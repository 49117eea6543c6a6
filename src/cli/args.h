/* SPDX-License-Identifier: Apache-2.0
 * Parsing of a command line against one command's table entry; used by main.c only. */
#ifndef ACCORD_CLI_ARGS_H
#define ACCORD_CLI_ARGS_H

#include "cli/command.h"

/* Options every command has: --format, --threads, --quiet, --help. */
extern const struct option_spec common_options[];

MUST_CHECK enum status args_parse(const struct command *c, int argc, char **argv, struct args **out,
                                  struct err *e);
void args_free(struct args *a);

#endif
