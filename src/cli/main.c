/* SPDX-License-Identifier: Apache-2.0
 *
 * accord: one program, many subcommands. Finds the command in the table, parses, runs, prints the error, maps
 * it to an exit code (base/errors.def).
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/args.h"

enum { MOST_NAMES = 128 };

static const struct noun *find_noun(const char *name, struct err *e)
{
    const char *names[MOST_NAMES];
    size_t count = 0;
    for (const struct noun *n = nouns; n->name; n++) {
        if (strcmp(n->name, name) == 0)
            return n;
        if (count < MOST_NAMES)
            names[count++] = n->name;
    }
    const char *near = text_nearest(name, names, count);
    err_set(e, ST_USAGE, "there is no '%.40s'%s%s%s; 'accord help' lists what there is", name,
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}

static const struct command *find_verb(const struct noun *n, const char *verb, struct err *e)
{
    const char *names[MOST_NAMES];
    size_t count = 0;
    for (const struct command *c = noun_commands(n); c->run; c++) {
        if (c->verb && strcmp(c->verb, verb) == 0)
            return c;
        if (c->verb && count < MOST_NAMES)
            names[count++] = c->verb;
    }
    const char *near = text_nearest(verb, names, count);
    err_set(e, ST_USAGE, "'accord %s' has no '%.40s'%s%s%s", n->name, verb, near ? "; did you mean '" : "",
            near ? near : "", near ? "'?" : "");
    return NULL;
}

/* Errors quote files from anywhere: what would steer the terminal is not passed on to it. */
static void print_tame(const char *text)
{
    for (const char *p = text; *p; p++)
        fputc(((unsigned char)*p < ' ' && *p != '\n' && *p != '\t') || *p == 0x7f ? '?' : *p, stderr);
}

static int fail(const struct err *e)
{
    fputs("accord: ", stderr);
    print_tame(e->text);
    if (e->detail[0]) {
        fputs("\n        (", stderr);
        print_tame(e->detail);
        fputc(')', stderr);
    }
    fputc('\n', stderr);
    return status_exit_code(e->status);
}

static int run(const struct noun *n, const struct command *c, int argc, char **argv)
{
    struct err e = {0};
    struct args *a;
    if (args_parse(c, argc, argv, &a, &e) != ST_OK) {
        int code = fail(&e);
        fprintf(stderr, "        'accord %s%s%s --help' explains\n", n->name, c->verb ? " " : "",
                c->verb ? c->verb : "");
        return code;
    }
    enum status s = ST_OK;
    if (args_has(a, "quiet"))
        setenv("ACCORD_PROGRESS", "0", 1);
    if (args_has(a, "threads"))
        setenv("ACCORD_THREADS", args_get(a, "threads"), 1);
    if (args_has(a, "help"))
        help_command(n, c);
    else
        s = c->run(a, &e);
    args_free(a);
    if (s == ST_OK)
        s = out_flush(&e);
    return s == ST_OK ? 0 : fail(&e);
}

/* Keys and patients' rows are in memory: a crash writes no core file, and no other program of the same user
   may look in. The sanitizers' leak check is such a program. */
static void keep_memory_private(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

int main(int argc, char **argv)
{
    struct err e = {0};
    keep_memory_private();
    /* Buffers of some megabytes come and go with every query: keep them instead of asking the kernel for
     * cleared pages each time. */
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help_all();
        return argc < 2 ? status_exit_code(ST_USAGE) : 0;
    }
    if (strcmp(argv[1], "--version") == 0)
        argv[1] = (char *)(uintptr_t) "version";
    crypto_init();
    interrupt_watch();
    const struct noun *n = find_noun(argv[1], &e);
    if (!n)
        return fail(&e);
    if (noun_commands(n)[0].verb == NULL)
        return run(n, &noun_commands(n)[0], argc - 2, argv + 2);
    if (argc < 3 || strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0) {
        help_noun(n);
        return argc < 3 ? status_exit_code(ST_USAGE) : 0;
    }
    const struct command *c = find_verb(n, argv[2], &e);
    return c ? run(n, c, argc - 3, argv + 3) : fail(&e);
}
