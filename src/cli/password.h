/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ACCORD_CLI_PASSWORD_H
#define ACCORD_CLI_PASSWORD_H

#include "base/err.h"

enum { PASSWORD_LINE = 300 };
/* The first line of standard input: a password in the arguments would be in every list of processes. Wipe it
   when done. */
MUST_CHECK enum status password_read(char line[PASSWORD_LINE], struct err *e);

#endif
