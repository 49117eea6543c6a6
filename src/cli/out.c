/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of text on stdout in the format asked for: aligned for people, RFC 4180 CSV, or a JSON array of
 * objects.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/command.h"

struct out {
    enum out_format format;
    const char *const *columns;
    size_t n_columns;
    char **cells;
    size_t n_cells, capacity;
};

struct out *out_new(const struct args *a, const char *const *columns)
{
    struct out *o = xcalloc(1, sizeof *o);
    o->format = args_format(a);
    o->columns = columns;
    while (columns[o->n_columns])
        o->n_columns++;
    return o;
}

void out_row_values(struct out *o, const char *const *values)
{
    GROW(o->cells, o->n_cells + o->n_columns, o->capacity);
    for (size_t i = 0; i < o->n_columns; i++)
        o->cells[o->n_cells++] = xstrdup(values[i] ? values[i] : "");
}

void out_row(struct out *o, ...)
{
    va_list args;
    va_start(args, o);
    GROW(o->cells, o->n_cells + o->n_columns, o->capacity);
    for (size_t i = 0; i < o->n_columns; i++) {
        const char *v = va_arg(args, const char *);
        o->cells[o->n_cells++] = xstrdup(v ? v : "");
    }
    va_end(args);
}

/* Columns on the screen: code points, good enough for the Latin text that accord prints. */
static size_t width_of(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static void print_padded(const char *text, size_t width, bool right, bool last)
{
    size_t w = width_of(text);
    int pad = width > w ? (int)(width - w) : 0;
    if (right)
        printf("%*s%s", pad, "", text);
    else
        printf("%s%*s", text, last ? 0 : pad, "");
    fputs(last ? "\n" : "  ", stdout);
}

static void print_table(const struct out *o)
{
    size_t *widths = xcalloc(o->n_columns, sizeof *widths);
    for (size_t c = 0; c < o->n_columns; c++)
        widths[c] = width_of(o->columns[c]) - (o->columns[c][0] == '#');
    for (size_t i = 0; i < o->n_cells; i += o->n_columns)
        for (size_t c = 0; c < o->n_columns; c++) {
            size_t w = width_of(o->cells[i + c]);
            widths[c] = w > widths[c] ? w : widths[c];
        }
    for (size_t c = 0; c < o->n_columns; c++) {
        bool number = o->columns[c][0] == '#';
        print_padded(o->columns[c] + number, widths[c], number, c + 1 == o->n_columns);
    }
    for (size_t i = 0; i < o->n_cells; i += o->n_columns)
        for (size_t c = 0; c < o->n_columns; c++)
            print_padded(o->cells[i + c], widths[c], o->columns[c][0] == '#', c + 1 == o->n_columns);
    free(widths);
}

static void print_csv_field(const char *text, bool last)
{
    struct buf field;
    buf_init(&field, SIZE_MAX / 4);
    buf_csv(&field, text);
    fputs(field.p ? field.p : "", stdout);
    fputs(last ? "\n" : ",", stdout);
    buf_deinit(&field);
}

static void print_csv(const struct out *o)
{
    for (size_t c = 0; c < o->n_columns; c++)
        print_csv_field(o->columns[c] + (o->columns[c][0] == '#'), c + 1 == o->n_columns);
    for (size_t i = 0; i < o->n_cells; i += o->n_columns)
        for (size_t c = 0; c < o->n_columns; c++)
            print_csv_field(o->cells[i + c], c + 1 == o->n_columns);
}

static struct js *json_cell(const char *text, bool number)
{
    int64_t i;
    double d;
    if (number && parse_i64(slice_of(text), &i))
        return js_integer(i);
    if (number && parse_double(slice_of(text), &d))
        return js_real(d);
    return number && !*text ? js_null() : js_string(text);
}

static void print_json(const struct out *o, struct buf *text)
{
    struct js *rows = js_array();
    for (size_t i = 0; i < o->n_cells; i += o->n_columns) {
        struct js *row = js_object();
        for (size_t c = 0; c < o->n_columns; c++) {
            bool number = o->columns[c][0] == '#';
            js_put(row, o->columns[c] + number, json_cell(o->cells[i + c], number));
        }
        js_push(rows, row);
    }
    js_format(rows, JS_PRETTY, text);
    js_free(rows);
}

enum status out_flush(struct err *e)
{
    int code = fflush(stdout) != 0 ? errno : ferror(stdout) ? EIO : 0;
    return code ? err_errno(e, code, "cannot write to", "stdout") : ST_OK;
}

void out_drop(struct out *o)
{
    for (size_t i = 0; i < o->n_cells; i++)
        free(o->cells[i]);
    free(o->cells);
    free(o);
}

enum status out_end(struct out *o, struct err *e)
{
    if (o->format == OUT_TABLE)
        print_table(o);
    else if (o->format == OUT_CSV)
        print_csv(o);
    else {
        struct buf text;
        buf_init(&text, (size_t)1 << 30);
        print_json(o, &text);
        printf("%s\n", text.p);
        buf_deinit(&text);
    }
    out_drop(o);
    return out_flush(e);
}

enum status out_json(const struct js *j, struct err *e)
{
    struct buf text;
    buf_init(&text, (size_t)1 << 30);
    js_format(j, JS_PRETTY, &text);
    enum status s = buf_check(&text, "the answer", e);
    if (s == ST_OK)
        printf("%s\n", text.p);
    buf_deinit(&text);
    return s == ST_OK ? out_flush(e) : s;
}

void out_faults(const struct js *faults, const char *what, struct err *e)
{
    size_t n = js_size(faults);
    for (size_t i = 0; n > 1 && i < n; i++)
        fprintf(stderr, "%s\n", js_str(js_at(faults, i)));
    if (n > 1)
        err_set(e, e->status, "%s has %zu mistakes, as listed above", what, n);
}
