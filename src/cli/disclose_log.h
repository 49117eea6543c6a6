/* SPDX-License-Identifier: Apache-2.0
 * A released document on the log: what disclose_log.c gives to `accord disclose verify`. */
#ifndef ACCORD_CLI_DISCLOSE_LOG_H
#define ACCORD_CLI_DISCLOSE_LOG_H

#include "base/crypto.h"
#include "cli/command.h"

/* Checks a whole copy of the log, and finds in it the release of the document with this hash: the node's
   signed entry and its checkers' verdicts, which go to stderr. --key pins the hub. ST_NOT_FOUND when the log
   has no such release, ST_CORRUPT when the log or a signature is wrong. */
MUST_CHECK enum status find_on_log(const struct args *a, const char *path, const char *hash, struct err *e);

#endif
