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

/* node_serve.c */
extern const char node_init_about[], node_enrol_about[], node_run_about[];
extern const struct option_spec node_data_options[], node_enrol_options[], node_run_options[],
    node_reason_options[];
enum status run_node_init(const struct args *a, struct err *e);
enum status run_node_enrol(const struct args *a, struct err *e);
enum status run_node_run(const struct args *a, struct err *e);
enum status run_node_status(const struct args *a, struct err *e);
enum status run_node_runs(const struct args *a, struct err *e);
enum status run_node_admit(const struct args *a, struct err *e);
enum status run_node_trust(const struct args *a, struct err *e);
enum status run_node_refuse(const struct args *a, struct err *e);
enum status run_node_stop(const struct args *a, struct err *e);
enum status run_node_resume(const struct args *a, struct err *e);

/* node_account.c */
extern const char node_account_about[];
extern const struct option_spec node_account_options[];
enum status run_node_account(const struct args *a, struct err *e);

/* node_output.c */
extern const char node_output_about[];
extern const struct option_spec node_output_options[];
enum status run_node_output(const struct args *a, struct err *e);

/* node_discovery.c */
extern const char node_discovery_about[];
extern const struct option_spec node_discovery_options[];
enum status run_node_discovery(const struct args *a, struct err *e);

#endif
