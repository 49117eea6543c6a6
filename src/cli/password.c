/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/password.h"

#include <stdio.h>
#include <string.h>

enum status password_read(char line[PASSWORD_LINE], struct err *e)
{
    if (!fgets(line, PASSWORD_LINE, stdin))
        return err_set(e, ST_USAGE, "standard input: expected the password on its first line");
    line[strcspn(line, "\r\n")] = '\0';
    return ST_OK;
}
