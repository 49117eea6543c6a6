/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line is a table: `accord <noun> <verb> [options] [operands]`. Each noun has one file that
 * defines its verbs
 * (`const struct command store_commands[]`, ended by an empty entry) and is listed once in commands.c.
 * Parsing, help, the man page, shell completion and "did you mean" all come from the table.
 *
 * Data goes to stdout, talk to stderr. A command returns an enum status; main prints the error and maps it to
 * an exit code.
 */
#ifndef ACCORD_CLI_COMMAND_H
#define ACCORD_CLI_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct option_spec {
    const char *name;  /* "store": given as --store VALUE or --store=VALUE */
    const char *value; /* "STORE"; NULL for a flag */
    const char *help;  /* one line, no full stop */
};

struct args; /* what was given */

struct command {
    const char *verb;                  /* NULL where the noun stands alone (accord synth) */
    const char *operands;              /* "DIR", "FILE...", "[FILE]"; "" for none */
    const char *summary;               /* one line, no full stop */
    const char *about;                 /* a paragraph or more for help and the man page; may be NULL */
    const struct option_spec *options; /* ended by an empty entry; NULL for none */
    int least, most;                   /* number of operands; most -1 = any */
    enum status (*run)(const struct args *a, struct err *e);
};

struct noun {
    const char *name;
    const char *summary;
    const struct command *commands; /* NULL: made from the register's table of verbs */
    const struct command *more;     /* further ones beside those; may be NULL */
};
const struct command *noun_commands(const struct noun *n);
extern const struct noun nouns[]; /* ended by an empty entry */

/* Options by name: NULL or false when absent. */
const char *args_get(const struct args *a, const char *name);
const char *args_get_or(const struct args *a, const char *name, const char *absent);
bool args_has(const struct args *a, const char *name);
/* Every value of an option that may be repeated: the i-th, or NULL behind the last. */
const char *args_get_nth(const struct args *a, const char *name, int i);
MUST_CHECK enum status args_need(const struct args *a, const char *name, const char **out, struct err *e);
/* A whole number within bounds; `absent` when not given. */
MUST_CHECK enum status args_int(const struct args *a, const char *name, int64_t min, int64_t max,
                                int64_t absent, int64_t *out, struct err *e);
const struct command *args_command(const struct args *a); /* which one runs */
int args_count(const struct args *a);                     /* operands */
const char *args_operand(const struct args *a, int i);    /* NULL past the end */

/* Output in the format asked for with --format: a table of text cells with a header; numbers are
   right-aligned in tables and unquoted in JSON when they are marked so. */
enum out_format { OUT_TABLE, OUT_CSV, OUT_JSON };
enum out_format args_format(const struct args *a);
struct out;
/* columns: names ended by NULL; a name that begins with '#' is a number column (the # is not printed). */
struct out *out_new(const struct args *a, const char *const *columns);
void out_row(struct out *o, ...); /* as many const char * as columns; NULL is empty */
void out_row_values(struct out *o, const char *const *values);
void out_drop(struct out *o); /* frees it unprinted */
MUST_CHECK enum status out_end(struct out *o,
                               struct err *e); /* prints and frees; ST_IO when stdout cannot be written */
/* Writes what stdout still holds: an answer that is lost is no success, which `main` sees to behind every command. */
MUST_CHECK enum status out_flush(struct err *e);
/* One JSON document (pretty) to stdout, whatever the format. */
struct js;
MUST_CHECK enum status out_json(const struct js *j, struct err *e);
/* Where `what` ("the study") has several mistakes each has its line on stderr, and the error that stands in `e`
   becomes how many there are; with one it stays. */
void out_faults(const struct js *faults, const char *what, struct err *e);

/* help.c */
void help_all(void);
void help_noun(const struct noun *n);
void help_command(const struct noun *n, const struct command *c);
void help_man(void);
void help_completion(void);

#endif
