/* SPDX-License-Identifier: Apache-2.0
 *
 * The nouns of the register on the command line, made from its table of verbs (govern/verbs.c): one command a
 * verb, one option a field, besides `list` and `show`. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/connect.h"
#include "cli/register_nouns.h"
#include "cli/register_read.h"
#include "govern/agreement.h"
#include "govern/fields.h"
#include "govern/verb.h"

static const struct option_spec shared_options[] = {
    CONNECT_OPTIONS,
    IDENTITY_OPTION,
    {"json", "JSON|@FILE", "the whole body as JSON; the other options then change members of it"},
    {"dry-run", NULL, "print the signed command instead of sending it"},
};
enum { SHARED = sizeof shared_options / sizeof *shared_options };

static const struct option_spec show_options[] = {
    CONNECT_OPTIONS, {"history", NULL, "the entries about it instead"}, {0}};
static const struct option_spec list_options[] = {
    CONNECT_OPTIONS,
    {"state", "STATE", "only those in this state"},
    {"of", "BODY", "only those of this body"},
    {"about", "NOUN:ID", "only those about this item"},
    {"kind", "KIND", "only those of this kind (icb, trust, company …)"},
    {"on", "DATE", "those that were there on a day"},
    {"stage", "STAGE", "only those of this pathway stage"},
    {"code", "SCHEME:CODE", "only those that have this code"},
    {"place", "PLACE", "only those of this place"},
    {"sort", "id|value", "value: most stated impact for its months first"},
    {"after", "ID", "only those behind this id"},
    {"limit", "N", "at most so many (default: 1000)"},
    {0},
};

/* The commands of each noun, made once and kept until the program ends. */
static struct made {
    const char *noun;
    struct command *commands;
    const struct verb **verbs; /* beside commands; NULL for list and show */
    size_t n;
} made[32];

static const struct made *made_with(const struct command *c, size_t *at)
{
    for (const struct made *m = made; m->noun; m++)
        for (size_t i = 0; i < m->n; i++)
            if (&m->commands[i] == c) {
                *at = i;
                return m;
            }
    abort(); /* only commands made here run functions of this file */
}

static const struct verb *verb_of(const struct args *a)
{
    size_t at;
    return made_with(args_command(a), &at)->verbs[at];
}

static const char *noun_of(const struct args *a)
{
    size_t at;
    return made_with(args_command(a), &at)->noun;
}

/* A field's option: "token_hash" is --token-hash. */
static char *option_name(const struct field *f)
{
    char *name = xstrdup(f->name);
    for (char *p = name; *p; p++)
        if (*p == '_')
            *p = '-';
    return name;
}

static bool is_json_field(const struct field *f)
{
    return f->type == F_OBJECT || f->type == F_LIST || f->type == F_CODES || f->type == F_ANY;
}

/* "one of a|b|c (needed)", "id of a body", "list of texts; may be given several times". */
static char *field_help(const struct field *f)
{
    const char *between = f->type == F_ENUM ? " " : f->type == F_ID ? " of a " : "";
    const char *what = f->arg && *between ? f->arg : "";
    const char *more = f->type == F_TEXTS || f->type == F_IDS ? "; may be given several times" : "";
    return xasprintf("%s%s%s%s%s", field_type_name(f->type), *what ? between : "", what, more,
                     f->required ? " (needed)" : "");
}

static struct option_spec field_option(const struct field *f)
{
    return (struct option_spec){option_name(f), is_json_field(f) ? "JSON|@FILE" : "VALUE", field_help(f)};
}

static const struct option_spec *verb_options(const struct verb *v)
{
    size_t n = 0;
    for (const struct field *f = v->fields; f && f->name; f++)
        n++;
    struct option_spec *o = xcalloc(n + SHARED + 1, sizeof *o);
    for (size_t i = 0; i < n; i++)
        o[i] = field_option(&v->fields[i]);
    memcpy(o + n, shared_options, sizeof shared_options);
    return o;
}

/* Text given on the command line, or in the file behind '@'. */
static enum status given_text(const char *value, struct buf *out, struct err *e)
{
    if (value[0] == '@')
        return file_read(value + 1, out, e);
    buf_adds(out, value);
    return ST_OK;
}

static enum status given_json(const char *value, const char *option, struct js **out, struct err *e)
{
    struct buf text;
    buf_init(&text, COMMAND_MOST);
    *out = NULL;
    enum status s = given_text(value, &text, e);
    if (s == ST_OK)
        s = js_parse(buf_slice(&text), option, out, e);
    buf_deinit(&text);
    return s;
}

static struct js *many(const struct args *a, const char *option)
{
    struct js *list = js_array();
    const char *v;
    for (int i = 0; (v = args_get_nth(a, option, i)); i++)
        js_push(list, js_string(v));
    return list;
}

static enum status plain_value(const struct field *f, const char *value, const char *option, struct js **out,
                               struct err *e)
{
    int64_t whole;
    double real;
    *out = NULL;
    if (f->type == F_INT || f->type == F_MONEY) {
        if (!parse_i64(slice_of(value), &whole))
            return err_set(e, ST_USAGE, "--%s must be a whole number%s", option,
                           f->type == F_MONEY ? " of pence" : "");
        *out = js_integer(whole);
    } else if (f->type == F_NUMBER) {
        if (!parse_double(slice_of(value), &real))
            return err_set(e, ST_USAGE, "--%s must be a number", option);
        *out = js_real(real);
    } else if (f->type == F_BOOL) {
        if (!word_in("true|false|yes|no", value))
            return err_set(e, ST_USAGE, "--%s must be true or false", option);
        *out = js_boolean(word_in("true|yes", value));
    } else {
        struct buf text;
        buf_init(&text, COMMAND_MOST);
        enum status s = given_text(value, &text, e);
        if (s == ST_OK)
            *out = js_string(text.p ? text.p : "");
        buf_deinit(&text);
        return s;
    }
    return ST_OK;
}

static enum status put_field(const struct args *a, const struct field *f, struct js *command, struct err *e)
{
    char *option = option_name(f);
    const char *value = args_get(a, option);
    struct js *v = NULL, *body = js_edit(command, "body");
    enum status s = ST_OK;
    if (value && f->type == F_PERSONAL)
        command_put_personal(command, f->name, value);
    else if (value && (f->type == F_TEXTS || f->type == F_IDS))
        v = many(a, option);
    else if (value && is_json_field(f))
        s = given_json(value, option, &v, e);
    else if (value)
        s = plain_value(f, value, option, &v, e);
    if (v)
        js_put(body, f->name, v);
    free(option);
    return s;
}

static enum status make_command(const struct args *a, const struct verb *v, const char *subject,
                                struct js **out, struct err *e)
{
    struct js *body = NULL;
    enum status s = args_has(a, "json") ? given_json(args_get(a, "json"), "--json", &body, e) : ST_OK;
    if (s == ST_OK && body && !js_is(body, JS_OBJECT))
        s = err_set(e, ST_USAGE, "--json: expected an object");
    if (s != ST_OK) {
        js_free(body);
        return s;
    }
    *out = command_new(v->name, subject, body ? body : js_object(), NULL);
    for (const struct field *f = v->fields; s == ST_OK && f && f->name; f++)
        s = put_field(a, f, *out, e);
    return s;
}

/* Signing an agreement: the hash of the terms as the register shows them now, when none was given. */
static enum status add_terms(const struct args *a, const char *id, struct js *command, struct err *e)
{
    struct js *agreement, *body = js_edit(command, "body");
    char hex[2 * HASH_BYTES + 1];
    if (js_get(body, "terms"))
        return ST_OK;
    enum status s = connect_item(a, "agreement", id, &agreement, e);
    if (s != ST_OK)
        return s;
    s = agreement_terms(agreement, hex, e);
    js_put_str(body, "terms", hex);
    js_free(agreement);
    return s;
}

static enum status print_entry(const struct args *a, const struct js *entry, struct err *e)
{
    static const char *const columns[] = {"#entry", "time", "verb", "subject", NULL};
    char seq[24];
    if (args_has(a, "quiet"))
        return ST_OK;
    snprintf(seq, sizeof seq, "%" PRId64, js_get_int(entry, "seq", -1));
    struct out *o = out_new(a, columns);
    out_row(o, seq, js_get_str(entry, "time"), js_get_str(entry, "verb"), js_get_str(entry, "subject"));
    return out_end(o, e);
}

static enum status run_verb(const struct args *a, struct err *e)
{
    const struct verb *v = verb_of(a);
    struct identity *id = NULL;
    struct js *command = NULL, *entry = NULL;
    char *subject = xasprintf("%.*s:%s", (int)strcspn(v->name, "."), v->name, args_operand(a, 0));
    enum status s = connect_identity(a, &id, e);
    if (s == ST_OK)
        s = make_command(a, v, subject, &command, e);
    if (s == ST_OK && strcmp(v->name, "agreement.sign") == 0)
        s = add_terms(a, args_operand(a, 0), command, e);
    if (s == ST_OK)
        s = command_sign(command, id, e);
    if (s == ST_OK && args_has(a, "dry-run"))
        s = out_json(command, e);
    else if (s == ST_OK && (s = connect_apply(a, command, &entry, e)) == ST_OK)
        s = print_entry(a, entry, e);
    js_free(command);
    js_free(entry);
    if (id)
        identity_free(id);
    free(subject);
    return s;
}

/* What a noun's list shows; the last is that of all others. */
static const struct {
    const char *noun;
    const char *columns[9];
} list_columns[] = {
    {"transfer", {"id", "state", "from", "to", "mechanism", "#amount", "due", "date"}},
    {"review", {"id", "state", "about", "perspective", "person", "verdict", "due"}},
    {"measure", {"id", "state", "project", "role", "title", "unit", "#baseline", "#target"}},
    {"grant", {"id", "state", "person", "role", "body", "scope", "until"}},
    {NULL, {"id", "state", "body", "title"}},
};

static const char *const *columns_of(const char *noun)
{
    size_t i = 0;
    while (list_columns[i].noun && strcmp(list_columns[i].noun, noun) != 0)
        i++;
    return list_columns[i].columns;
}

static const char *cell_of(const struct js *item, const char *column, char number[40])
{
    const struct js *v = js_get(item, column + (*column == '#'));
    if (strcmp(column, "title") == 0)
        return registry_item_title(item);
    if (js_is(v, JS_INTEGER))
        snprintf(number, 40, "%" PRId64, js_int(v));
    else if (js_is_number(v))
        js_format_double(js_num(v), number);
    return js_is_number(v) ? number : js_str(v);
}

static enum status print_list(const struct args *a, const struct js *list, struct err *e)
{
    const char *const *columns = columns_of(noun_of(a));
    if (args_format(a) == OUT_JSON)
        return out_json(list, e);
    struct out *o = out_new(a, columns);
    for (size_t i = 0; i < js_size(list); i++) {
        const char *cells[9] = {0};
        char numbers[9][40];
        for (int k = 0; columns[k]; k++)
            cells[k] = cell_of(js_at(list, i), columns[k], numbers[k]);
        out_row_values(o, cells);
    }
    return out_end(o, e);
}

static enum status run_list(const struct args *a, struct err *e)
{
    struct js *list = NULL;
    const char *sort = args_get_or(a, "sort", "id");
    struct registry_query q = {.noun = noun_of(a),
                               .state = args_get(a, "state"),
                               .body = args_get(a, "of"),
                               .about = args_get(a, "about"),
                               .kind = args_get(a, "kind"),
                               .on = args_get(a, "on"),
                               .stage = args_get(a, "stage"),
                               .code = args_get(a, "code"),
                               .place = args_get(a, "place"),
                               .by_value = strcmp(sort, "value") == 0,
                               .after = args_get(a, "after")};
    enum status s = args_int(a, "limit", 1, 100000, 1000, &q.limit, e);
    if (s == ST_OK && !word_in("id|value", sort))
        s = err_set(e, ST_USAGE, "--sort is id or value");
    if (s == ST_OK)
        s = connect_list(a, &q, &list, e);
    if (s == ST_OK)
        s = print_list(a, list, e);
    js_free(list);
    return s;
}

static enum status run_show(const struct args *a, struct err *e)
{
    struct js *item;
    const char *noun = noun_of(a);
    if (args_has(a, "history"))
        return read_history(a, noun, args_operand(a, 0), e);
    enum status s = connect_item(a, noun, args_operand(a, 0), &item, e);
    if (s != ST_OK)
        return s;
    s = out_json(item, e);
    js_free(item);
    return s;
}

static struct command verb_command(const struct verb *v)
{
    return (struct command){
        .verb = strchr(v->name, '.') + 1,
        .operands = "ID",
        .summary = v->about,
        .about = "Signs the command and sends it to the register. 'accord perms' says who may do this "
                 "and in which states.",
        .options = verb_options(v),
        .least = 1,
        .most = 1,
        .run = run_verb};
}

static bool has_command(const struct command *commands, const char *verb)
{
    for (const struct command *c = commands; c && c->run; c++)
        if (strcmp(c->verb, verb) == 0)
            return true;
    return false;
}

static void make_commands(struct made *m, const struct command *more)
{
    size_t length = strlen(m->noun), most = 2;
    for (const struct verb *v = verbs; v->name; v++)
        most++;
    for (const struct command *c = more; c && c->run; c++)
        most++;
    m->commands = xcalloc(most + 1, sizeof *m->commands);
    m->verbs = xcalloc(most + 1, sizeof(const struct verb *));
    for (const struct command *c = more; c && c->run; c++)
        m->commands[m->n++] = *c;
    for (const struct verb *v = verbs; v->name; v++)
        if (strncmp(v->name, m->noun, length) == 0 && v->name[length] == '.' &&
            !has_command(more, v->name + length + 1)) {
            m->verbs[m->n] = v;
            m->commands[m->n++] = verb_command(v);
        }
    m->commands[m->n++] = (struct command){"list", "", "list them", NULL, list_options, 0, 0, run_list};
    m->commands[m->n++] =
        (struct command){"show", "ID", "show one, or its history", NULL, show_options, 1, 1, run_show};
}

const struct command *register_noun_commands(const char *noun, const struct command *more)
{
    struct made *m = made;
    for (; m->noun; m++)
        if (strcmp(m->noun, noun) == 0)
            return m->commands;
    m->noun = noun;
    make_commands(m, more);
    return m->commands;
}
