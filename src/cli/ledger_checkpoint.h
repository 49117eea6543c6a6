/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs of `accord ledger` that sign and keep checkpoints. */
#ifndef ACCORD_CLI_LEDGER_CHECKPOINT_H
#define ACCORD_CLI_LEDGER_CHECKPOINT_H

#include "cli/command.h"

enum status run_ledger_checkpoint(const struct args *a, struct err *e);
enum status run_ledger_witness(const struct args *a, struct err *e);
enum status run_ledger_vkey(const struct args *a, struct err *e);

#endif
