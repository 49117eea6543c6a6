/* SPDX-License-Identifier: Apache-2.0
 *
 * Help, the man page and shell completion, all made from the command table.
 */
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/command.h"

static void print_usage(const char *noun, const struct command *c)
{
    printf("accord %s%s%s", noun, c->verb ? " " : "", c->verb ? c->verb : "");
    if (c->operands[0])
        printf(" %s", c->operands);
    if (c->options && c->options->name)
        printf(" [options]");
}

static void print_options(const struct option_spec *o)
{
    for (; o && o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
        printf("  %-28s %s\n", left, o->help);
    }
}

void help_command(const struct noun *n, const struct command *c)
{
    printf("%s\n\n  ", c->summary);
    print_usage(n->name, c);
    printf("\n");
    if (c->about)
        printf("\n%s\n", c->about);
    printf("\nOptions:\n");
    print_options(c->options);
    print_options(common_options);
}

void help_noun(const struct noun *n)
{
    if (noun_commands(n)[0].verb == NULL) {
        help_command(n, &noun_commands(n)[0]);
        return;
    }
    printf("accord %s: %s\n\n", n->name, n->summary);
    for (const struct command *c = noun_commands(n); c->run; c++) {
        char left[64];
        snprintf(left, sizeof left, "accord %s %s", n->name, c->verb);
        printf("  %-26s %s\n", left, c->summary);
    }
    printf("\n'accord %s VERB --help' tells more of each.\n", n->name);
}

void help_all(void)
{
    printf("accord: research on patient data that never leaves the NHS\n\nUsage: accord NOUN VERB [options] "
           "[operands]\n\n");
    for (const struct noun *n = nouns; n->name; n++)
        printf("  %-14s %s\n", n->name, n->summary);
    printf("\n'accord NOUN --help' lists the verbs of a noun. The guide is README.md; the whole manual: "
           "accord help --man\n");
}

static void man_text(const char *s)
{
    bool line_start = true;
    for (; *s; s++) {
        if (line_start && (*s == '.' || *s == '\''))
            printf("\\&");
        if (*s == '\\')
            printf("\\e");
        else if (*s == '-')
            printf("\\-");
        else
            putchar(*s);
        line_start = *s == '\n';
    }
}

static void man_options(const struct option_spec *o)
{
    for (; o && o->name; o++) {
        printf(".TP\n.B \\-\\-");
        man_text(o->name);
        if (o->value) {
            printf(" ");
            man_text(o->value);
        }
        printf("\n");
        man_text(o->help);
        printf("\n");
    }
}

void help_man(void)
{
    printf(".TH ACCORD 1 \"\" \"accord " ACCORD_VERSION
           "\"\n.SH NAME\naccord \\- research on patient data that never leaves the "
           "NHS\n.SH SYNOPSIS\n.B accord\n.I NOUN VERB\n[options] [operands]\n.SH COMMANDS\n");
    for (const struct noun *n = nouns; n->name; n++)
        for (const struct command *c = noun_commands(n); c->run; c++) {
            printf(".SS accord %s%s%s %s\n", n->name, c->verb ? " " : "", c->verb ? c->verb : "",
                   c->operands);
            man_text(c->summary);
            printf(".\n");
            if (c->about) {
                printf(".PP\n");
                man_text(c->about);
                printf("\n");
            }
            man_options(c->options);
        }
    printf(".SH COMMON OPTIONS\n");
    man_options(common_options);
    printf(".SH EXIT STATUS\n");
    for (int s = 0; s < ST_COUNT; s++) {
        printf(".TP\n.B %d\n", status_exit_code((enum status)s));
        man_text(status_title((enum status)s));
        printf("\n");
    }
}

void help_completion(void)
{
    printf("# bash completion for accord: eval \"$(accord help --completion)\"\n_accord() {\n  local words\n "
           " case $COMP_CWORD in\n"
           "  1) words='");
    for (const struct noun *n = nouns; n->name; n++)
        printf("%s ", n->name);
    printf("' ;;\n  2) case ${COMP_WORDS[1]} in\n");
    for (const struct noun *n = nouns; n->name; n++) {
        printf("    %s) words='", n->name);
        for (const struct command *c = noun_commands(n); c->run; c++)
            printf("%s ", c->verb ? c->verb : "");
        printf("' ;;\n");
    }
    printf("    esac ;;\n  *) case ${COMP_WORDS[1]}-${COMP_WORDS[2]} in\n");
    for (const struct noun *n = nouns; n->name; n++)
        for (const struct command *c = noun_commands(n); c->run; c++) {
            printf("    %s-%s) words='", n->name, c->verb ? c->verb : "*");
            for (const struct option_spec *o = c->options; o && o->name; o++)
                printf("--%s ", o->name);
            printf("--format --threads --quiet --help' ;;\n");
        }
    printf("    esac ;;\n  esac\n  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
           "\"${COMP_WORDS[COMP_CWORD]}\")\n}\n"
           "complete -o default -F _accord accord\n");
}
