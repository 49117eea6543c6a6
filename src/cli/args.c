/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/args.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

const struct option_spec common_options[] = {
    {"format", "table|csv|json", "how to print the answer (default: table)"},
    {"threads", "N", "threads to use (default: as many as the machine gives)"},
    {"quiet", NULL, "no progress and no remarks on stderr"},
    {"help", NULL, "this help"},
    {0},
};

struct given {
    const struct option_spec *spec;
    const char *value;
};

struct args {
    const struct command *command;
    struct given *options;
    size_t n_options, cap_options;
    const char **operands;
    size_t n_operands, cap_operands;
    enum out_format format;
};

static const struct option_spec *find_in(const struct option_spec *o, struct slice name)
{
    for (; o && o->name; o++)
        if (slice_is(name, o->name))
            return o;
    return NULL;
}

static enum status unknown_option(const struct command *c, struct slice name, struct err *e)
{
    const char *names[64];
    size_t n = 0;
    for (const struct option_spec *o = c->options; o && o->name && n < 48; o++)
        names[n++] = o->name;
    for (const struct option_spec *o = common_options; o->name; o++)
        names[n++] = o->name;
    char given[48];
    size_t length = name.n < sizeof given - 1 ? name.n : sizeof given - 1;
    memcpy(given, name.p, length);
    given[length] = '\0';
    const char *near = text_nearest(given, names, n);
    return err_set(e, ST_USAGE, "unknown option --%s%s%s%s", given, near ? "; did you mean --" : "",
                   near ? near : "", near ? "?" : "");
}

static enum status take_option(const struct command *c, struct args *a, char **argv, int argc, int *i,
                               struct err *e)
{
    const char *text = argv[*i] + 2;
    const char *equals = strchr(text, '=');
    struct slice name = {text, equals ? (size_t)(equals - text) : strlen(text)};
    const struct option_spec *spec = find_in(c->options, name);
    if (!spec)
        spec = find_in(common_options, name);
    if (!spec)
        return unknown_option(c, name, e);
    const char *value = equals ? equals + 1 : NULL;
    if (spec->value && !value) {
        if (*i + 1 >= argc)
            return err_set(e, ST_USAGE, "--%s needs a value: --%s %s", spec->name, spec->name, spec->value);
        value = argv[++*i];
    }
    if (!spec->value && value)
        return err_set(e, ST_USAGE, "--%s takes no value", spec->name);
    GROW(a->options, a->n_options + 1, a->cap_options);
    a->options[a->n_options++] = (struct given){spec, value};
    return ST_OK;
}

static enum status check_format(struct args *a, struct err *e)
{
    static const char *const names[] = {[OUT_TABLE] = "table", [OUT_CSV] = "csv", [OUT_JSON] = "json"};
    const char *given = args_get_or(a, "format", "table");
    for (int i = 0; i < 3; i++)
        if (strcmp(given, names[i]) == 0) {
            a->format = (enum out_format)i;
            return ST_OK;
        }
    return err_set(e, ST_USAGE, "--format must be table, csv or json, not '%.40s'", given);
}

enum status args_parse(const struct command *c, int argc, char **argv, struct args **out, struct err *e)
{
    struct args *a = xcalloc(1, sizeof *a);
    a->command = c;
    enum status s = ST_OK;
    bool only_operands = false;
    for (int i = 0; s == ST_OK && i < argc; i++) {
        if (!only_operands && strcmp(argv[i], "--") == 0) {
            only_operands = true;
        } else if (!only_operands && strcmp(argv[i], "-h") == 0) {
            argv[i] = (char *)(uintptr_t) "--help";
            s = take_option(c, a, argv, argc, &i, e);
        } else if (!only_operands && strcmp(argv[i], "-o") == 0) {
            argv[i] = (char *)(uintptr_t) "--output";
            s = take_option(c, a, argv, argc, &i, e);
        } else if (!only_operands && strncmp(argv[i], "--", 2) == 0) {
            s = take_option(c, a, argv, argc, &i, e);
        } else if (!only_operands && argv[i][0] == '-' && argv[i][1]) {
            s = err_set(e, ST_USAGE, "unknown option %.40s (options begin with two dashes)", argv[i]);
        } else {
            GROW(a->operands, a->n_operands + 1, a->cap_operands);
            a->operands[a->n_operands++] = argv[i];
        }
    }
    bool help = args_has(a, "help");
    if (s == ST_OK && !help && (int)a->n_operands < c->least)
        s = err_set(e, ST_USAGE, "something is missing: expected %s", c->operands);
    if (s == ST_OK && !help && c->most >= 0 && (int)a->n_operands > c->most)
        s = err_set(e, ST_USAGE, "'%.60s' is one too many", a->operands[c->most]);
    if (s == ST_OK)
        s = check_format(a, e);
    if (s != ST_OK) {
        args_free(a);
        a = NULL;
    }
    *out = a;
    return s;
}

void args_free(struct args *a)
{
    if (!a)
        return;
    free(a->options);
    free(a->operands);
    free(a);
}

const char *args_get_nth(const struct args *a, const char *name, int i)
{
    for (size_t k = 0; k < a->n_options; k++)
        if (strcmp(a->options[k].spec->name, name) == 0 && i-- == 0)
            return a->options[k].value ? a->options[k].value : "";
    return NULL;
}

const char *args_get(const struct args *a, const char *name)
{
    const char *last = NULL, *v;
    for (int i = 0; (v = args_get_nth(a, name, i)); i++)
        last = v;
    return last;
}

const char *args_get_or(const struct args *a, const char *name, const char *absent)
{
    const char *v = args_get(a, name);
    return v ? v : absent;
}

bool args_has(const struct args *a, const char *name)
{
    return args_get(a, name) != NULL;
}

enum status args_need(const struct args *a, const char *name, const char **out, struct err *e)
{
    *out = args_get(a, name);
    return *out ? ST_OK : err_set(e, ST_USAGE, "--%s is needed", name);
}

enum status args_int(const struct args *a, const char *name, int64_t min, int64_t max, int64_t absent,
                     int64_t *out, struct err *e)
{
    const char *text = args_get(a, name);
    *out = absent;
    if (!text)
        return ST_OK;
    if (!parse_i64(slice_of(text), out) || *out < min || *out > max)
        return err_set(e, ST_USAGE,
                       "--%s must be a whole number from %" PRId64 " to %" PRId64 ", not '%.40s'", name, min,
                       max, text);
    return ST_OK;
}

const struct command *args_command(const struct args *a)
{
    return a->command;
}

int args_count(const struct args *a)
{
    return (int)a->n_operands;
}

const char *args_operand(const struct args *a, int i)
{
    return i >= 0 && (size_t)i < a->n_operands ? a->operands[i] : NULL;
}

enum out_format args_format(const struct args *a)
{
    return a->format;
}
