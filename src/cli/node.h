/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of `accord node` give to the table of its verbs in node.c.
 */
#ifndef ACCORD_CLI_NODE_H
#define ACCORD_CLI_NODE_H

#include "cli/command.h"

/* node_import.c */
extern const char node_import_about[];
extern const struct option_spec node_import_options[];
enum status run_node_import(const struct args *a, struct err *e);

#endif
