/* SPDX-License-Identifier: Apache-2.0
 * `accord help` and `accord version`. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

static enum status run_help(const struct args *a, struct err *e)
{
    const char *name = args_operand(a, 0);
    if (args_has(a, "man")) {
        help_man();
        return ST_OK;
    }
    if (args_has(a, "completion")) {
        help_completion();
        return ST_OK;
    }
    if (!name) {
        help_all();
        return ST_OK;
    }
    for (const struct noun *n = nouns; n->name; n++)
        if (strcmp(n->name, name) == 0) {
            help_noun(n);
            return ST_OK;
        }
    return err_set(e, ST_USAGE, "there is no noun '%.40s'; 'accord help' lists them", name);
}

static const struct option_spec help_options[] = {
    {"man", NULL, "the manual page in man(7) form"},
    {"completion", NULL, "completion for bash"},
    {0},
};

const struct command help_commands[] = {
    {NULL, "[NOUN]", "show help", NULL, help_options, 0, 1, run_help},
    {0},
};

static enum status run_version(const struct args *a, struct err *e)
{
    (void)a, (void)e;
    printf("accord %s\n", ACCORD_VERSION);
    return ST_OK;
}

const struct command version_commands[] = {
    {NULL, "", "show the version", NULL, NULL, 0, 0, run_version},
    {0},
};
