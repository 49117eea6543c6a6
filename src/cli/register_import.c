/* SPDX-License-Identifier: Apache-2.0
 *
 * `accord register import`: vocabularies and lists of bodies from TSV files (vocab/README.md says their
 * form). */
#include "cli/register_import.h"

#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/date.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/connect.h"

enum { FILE_MOST = 64 << 20 };

/* Leading lines "# name: value", then the table. */
struct source {
    struct buf text;
    char *scheme, *version, *from;
    struct csv *csv;
};

static void source_deinit(struct source *f)
{
    csv_close(f->csv);
    buf_deinit(&f->text);
    free(f->scheme);
    free(f->version);
    free(f->from);
}

static void take_note(struct source *f, struct slice line)
{
    static const char *const names[] = {"# scheme:", "# version:", "# source:"};
    char **const places[] = {&f->scheme, &f->version, &f->from};
    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(names[i]);
        if (line.n > n && memcmp(line.p, names[i], n) == 0 && !*places[i]) {
            struct slice value = slice_trim((struct slice){line.p + n, line.n - n});
            *places[i] = xasprintf("%.*s", (int)value.n, value.p);
        }
    }
}

static enum status source_open(const char *path, struct source *f, struct err *e)
{
    buf_init(&f->text, FILE_MOST);
    enum status s = file_read(path, &f->text, e);
    struct slice rest = buf_slice(&f->text);
    while (s == ST_OK && rest.n && rest.p[0] == '#') {
        const char *end = memchr(rest.p, '\n', rest.n);
        size_t n = end ? (size_t)(end - rest.p) + 1 : rest.n;
        take_note(f, (struct slice){rest.p, n});
        rest = (struct slice){rest.p + n, rest.n - n};
    }
    const char *name = strrchr(path, '/');
    return s == ST_OK ? csv_open_memory(rest, name ? name + 1 : path, &f->csv, e) : s;
}

static void put_slice(struct js *object, const char *key, struct slice value)
{
    char *text = xasprintf("%.*s", (int)value.n, value.p);
    if (*text)
        js_put_str(object, key, text);
    free(text);
}

static enum status send(const struct args *a, const struct identity *id, const char *verb,
                        const char *subject, struct js *body, struct err *e)
{
    struct js *command;
    enum status s = command_make(id, verb, subject, body, &command, e);
    if (s != ST_OK)
        return s;
    s = connect_apply(a, command, NULL, e);
    js_free(command);
    return s;
}

/* Vocabularies */

static enum status vocabulary_row(struct source *f, const struct slice *fields, struct js *rows,
                                  struct err *e)
{
    static const char *const texts[] = {"code", "label", "parent", "from", "to"};
    struct js *row = js_object();
    int64_t amount;
    for (size_t i = 0; i < 5; i++) {
        int column = csv_find(f->csv, texts[i]);
        if (column >= 0)
            put_slice(row, texts[i], fields[column]);
    }
    enum status s = csv_i64(f->csv, csv_find(f->csv, "amount"), -1, &amount, e);
    if (s == ST_OK && amount >= 0)
        js_put_int(row, "amount", amount);
    js_push(rows, row);
    return s;
}

static enum status import_vocabulary(const struct args *a, const struct identity *id, struct source *f,
                                     struct err *e)
{
    const struct slice *fields;
    int column;
    struct js *body = js_object(), *rows = js_array();
    char *subject = xasprintf("vocabulary:%s", f->scheme);
    enum status s = csv_need(f->csv, "code", &column, e);
    if (s == ST_OK)
        s = csv_need(f->csv, "label", &column, e);
    while (s == ST_OK && (s = csv_next(f->csv, &fields, e)) == ST_OK && fields)
        s = vocabulary_row(f, fields, rows, e);
    js_put_str(body, "version", f->version ? f->version : "");
    js_put_str(body, "source", f->from ? f->from : "");
    js_put(body, "rows", rows);
    if (s == ST_OK)
        s = send(a, id, "vocabulary.load", subject, body, e);
    else
        js_free(body);
    free(subject);
    return s;
}

/* Bodies: a code may come twice (its statistical code changed); the later row gives what holds now. */

struct body_row {
    char *ods, *successors, *to;
    struct js *body;
};

struct body_rows {
    struct body_row *v;
    size_t n, capacity;
};

static struct body_row *row_of(struct body_rows *rows, const char *ods)
{
    for (size_t i = 0; i < rows->n; i++)
        if (strcmp(rows->v[i].ods, ods) == 0)
            return &rows->v[i];
    GROW(rows->v, rows->n + 1, rows->capacity);
    rows->v[rows->n] = (struct body_row){.ods = xstrdup(ods), .body = js_object()};
    return &rows->v[rows->n++];
}

static char *field_text(const struct source *f, const struct slice *fields, const char *column)
{
    int at = csv_find(f->csv, column);
    return at < 0 ? xstrdup("") : xasprintf("%.*s", (int)fields[at].n, fields[at].p);
}

static enum status body_row_add(struct source *f, const struct slice *fields, struct body_rows *rows,
                                struct err *e)
{
    static const char *const members[][2] = {
        {"name", "name"},       {"gss", "gss"},         {"region", "region"},
        {"valid_from", "from"}, {"kind", "kind"},       {"parent", "parent"},
        {"prices", "prices"},   {"contact", "contact"}, {"country", "country"}};
    bool coded = csv_find(f->csv, "id") < 0;
    char *id = field_text(f, fields, coded ? "ods" : "id");
    struct body_row *row = row_of(rows, id);
    int64_t least;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        char *text = field_text(f, fields, members[i][0]);
        bool kept = strcmp(members[i][1], "from") == 0 && js_get(row->body, "from"); /* since the first row */
        if (*text && !kept)
            js_put_str(row->body, members[i][1], text);
        free(text);
    }
    if (!js_get(row->body, "kind"))
        js_put_str(row->body, "kind", "icb");
    if (coded)
        js_put_str(row->body, "ods", id);
    enum status s = csv_i64(f->csv, csv_find(f->csv, "minimum_count"), -1, &least, e);
    if (s == ST_OK && least >= 0)
        js_put_int(row->body, "minimum_count", least);
    free(row->to);
    free(row->successors);
    row->to = field_text(f, fields, "valid_to");
    row->successors = field_text(f, fields, "successor_ods");
    free(id);
    return s;
}

static enum status send_close(const struct args *a, const struct identity *id, const struct body_row *row,
                              struct err *e)
{
    struct js *body = js_object(), *list = js_array();
    char *subject = xasprintf("body:%s", row->ods), *copy = xstrdup(row->successors), *rest = copy;
    for (char *one; (one = strsep(&rest, ";"));)
        if (*one)
            js_push(list, js_string(one));
    js_put_str(body, "to", row->to);
    if (js_size(list))
        js_put(body, "successors", list);
    else {
        js_free(list);
        js_put(body, "none", js_boolean(true));
    }
    enum status s = send(a, id, "body.close", subject, body, e);
    free(copy);
    free(subject);
    return s;
}

static enum status send_bodies(const struct args *a, const struct identity *id, const struct body_rows *rows,
                               struct err *e)
{
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < rows->n; i++) {
        char *subject = xasprintf("body:%s", rows->v[i].ods);
        s = send(a, id, "body.add", subject, js_share(rows->v[i].body), e);
        if (s == ST_CONFLICT)
            s = ST_OK; /* it is there from an earlier import */
        free(subject);
    }
    for (size_t i = 0; s == ST_OK && i < rows->n; i++)
        if (*rows->v[i].to) {
            s = send_close(a, id, &rows->v[i], e);
            if (s == ST_CONFLICT)
                s = ST_OK;
        }
    return s;
}

static enum status import_bodies(const struct args *a, const struct identity *id, struct source *f,
                                 struct err *e)
{
    const struct slice *fields;
    struct body_rows rows = {0};
    int column;
    enum status s = csv_need(f->csv, "name", &column, e);
    while (s == ST_OK && (s = csv_next(f->csv, &fields, e)) == ST_OK && fields)
        s = body_row_add(f, fields, &rows, e);
    if (s == ST_OK)
        s = send_bodies(a, id, &rows, e);
    for (size_t i = 0; i < rows.n; i++) {
        free(rows.v[i].ods);
        free(rows.v[i].to);
        free(rows.v[i].successors);
        js_free(rows.v[i].body);
    }
    free(rows.v);
    return s;
}

static enum status import_file(const struct args *a, const struct identity *id, const char *path,
                               struct err *e)
{
    struct source f = {0};
    enum status s = source_open(path, &f, e);
    if (s == ST_OK && f.scheme)
        s = import_vocabulary(a, id, &f, e);
    else if (s == ST_OK && (csv_find(f.csv, "ods") >= 0 || csv_find(f.csv, "id") >= 0))
        s = import_bodies(a, id, &f, e);
    else if (s == ST_OK)
        s = err_set(e, ST_INVALID,
                    "%s is neither a vocabulary (a first line '# scheme: NAME') nor a list of bodies (a "
                    "column 'ods' or 'id')",
                    csv_name(f.csv));
    source_deinit(&f);
    return s;
}

enum status run_register_import(const struct args *a, struct err *e)
{
    struct identity *id = NULL;
    enum status s = connect_identity(a, &id, e);
    for (int i = 0; s == ST_OK && i < args_count(a); i++)
        s = import_file(a, id, args_operand(a, i), e);
    if (id)
        identity_free(id);
    return s;
}
