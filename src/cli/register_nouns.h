/* SPDX-License-Identifier: Apache-2.0
 *
 * The nouns of the register as commands, made from its table of verbs. */
#ifndef ACCORD_CLI_REGISTER_NOUNS_H
#define ACCORD_CLI_REGISTER_NOUNS_H

#include "cli/command.h"

/* `more` (may be NULL): further commands of the noun, put in front; they take the place of a verb of the
   same name. */
const struct command *register_noun_commands(const char *noun, const struct command *more);

#endif
