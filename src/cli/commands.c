/* SPDX-License-Identifier: Apache-2.0
 *
 * The one list of nouns. To add a noun: write cli/<noun>.c with its commands, declare the table here and list
 * it.
 */
#include "cli/command.h"

extern const struct command help_commands[];
extern const struct command key_commands[];
extern const struct command ledger_commands[];
extern const struct command synth_commands[];
extern const struct command stats_commands[];
extern const struct command version_commands[];

const struct noun nouns[] = {
    {"key", "signing keys", key_commands},
    {"ledger", "the public log: copy, verify, prove", ledger_commands},
    {"synth", "make a synthetic population as OMOP CSV files", synth_commands},
    {"stats", "epidemiology and statistics on a plain CSV table", stats_commands},
    {"help", "this overview, the manual page, shell completion", help_commands},
    {"version", "the program's version and what it was built from", version_commands},
    {0},
};
