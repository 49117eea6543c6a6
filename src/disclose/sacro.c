/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/sacro.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "disclose/picture.h"

/* SACRO Viewer opens this version and later ones of the form. */
#define ACRO_VERSION "1.0.1"

static const char *const checks[] = {
    "negative", "missing", "threshold", "p-ratio", "nk-rule", "all-values-are-same",
};
enum { N_CHECKS = sizeof checks / sizeof *checks, MISSING = 1, THRESHOLD = 2 };

/* Rows and columns of the CSV from 0, without its header and its first column. */
static struct js *places(const struct released_table *t, bool not_estimated)
{
    struct js *list = js_array();
    for (uint64_t i = 0; i < t->n_cells; i++)
        if (t->cells[i].hidden && t->cells[i].not_estimated == not_estimated) {
            struct js *place = js_array();
            js_push(place, js_integer((int64_t)i));
            js_push(place, js_integer((int64_t)t->n_dimensions - 1));
            js_push(list, place);
        }
    return list;
}

static struct js *sdc_json(const struct released_table *t)
{
    struct js *sdc = js_object(), *summary = js_object(), *cells = js_object();
    js_put(summary, "suppressed", js_boolean(released_n_suppressed(t) > 0));
    for (int i = 0; i < N_CHECKS; i++) {
        struct js *list = i == THRESHOLD || i == MISSING ? places(t, i == MISSING) : js_array();
        js_put_int(summary, checks[i], (int64_t)js_size(list));
        js_put(cells, checks[i], list);
    }
    js_put(sdc, "summary", summary);
    js_put(sdc, "cells", cells);
    return sdc;
}

static void push_file(struct js *files, const struct released_table *t, const char *ending, struct js *sdc)
{
    struct js *file = js_object();
    char *name = xasprintf("%s.%s", t->name, ending);
    js_put_str(file, "name", name);
    js_put(file, "sdc", sdc);
    js_push(files, file);
    free(name);
}

static const char *type_of(enum output_type type)
{
    return type == OUTPUT_REGRESSION ? "regression" : "table";
}

static struct js *output_json(const struct released *r, const struct released_table *t, const char *time)
{
    struct js *j = js_object(), *files = js_array(), *comments = js_array(), *properties = js_object();
    uint64_t hidden = released_n_suppressed(t);
    const struct js *policy = js_get(released_record(r), "policy");
    char *summary = hidden ? xasprintf("pass; suppression applied: %llu cells", (unsigned long long)hidden)
                           : xasprintf("pass");
    char *comment =
        xasprintf("%s. Protected and proven by %s under policy %s; released.json holds the "
                  "disclosure record.",
                  t->title, js_get_str(released_record(r), "software"), js_get_str(policy, "name"));
    push_file(files, t, "csv", sdc_json(t));
    if (released_pictured(t))
        push_file(files, t, "svg", js_object());
    js_put_str(properties, "method", output_type_name(t->type));
    js_push(comments, js_string(comment));
    js_put_str(j, "uid", t->name);
    js_put_str(j, "status", "pass");
    js_put_str(j, "type", type_of(t->type));
    js_put(j, "properties", properties);
    js_put(j, "files", files);
    js_put(j, "outcome", js_object());
    js_put_str(j, "command", "accord disclose release");
    js_put_str(j, "summary", summary);
    js_put_str(j, "timestamp", time);
    js_put(j, "comments", comments);
    js_put_str(j, "exception", "");
    free(summary);
    free(comment);
    return j;
}

struct js *sacro_json(const struct released *r, const char *time)
{
    struct js *j = js_object(), *results = js_object();
    for (uint32_t i = 0; i < released_n_tables(r); i++)
        js_put(results, released_table(r, i)->name, output_json(r, released_table(r, i), time));
    js_put_str(j, "version", ACRO_VERSION);
    js_put(j, "results", results);
    return j;
}

static enum status write_checksum(const char *folder, const char *name, struct err *e)
{
    char hex[2 * HASH_BYTES + 1];
    char *path = xasprintf("%s/%s", folder, name), *sum = xasprintf("%s/checksums/%s.txt", folder, name);
    struct buf bytes;
    buf_init(&bytes, (size_t)1 << 30);
    enum status s = file_read(path, &bytes, e);
    sha256_hex(buf_slice(&bytes), hex);
    if (s == ST_OK)
        s = file_replace(sum, slice_of(hex), 0644, e);
    buf_deinit(&bytes);
    free(path);
    free(sum);
    return s;
}

static enum status write_table_checksums(const char *folder, const struct released_table *t, struct err *e)
{
    char *csv = xasprintf("%s.csv", t->name), *svg = xasprintf("%s.svg", t->name);
    enum status s = write_checksum(folder, csv, e);
    if (s == ST_OK && released_pictured(t))
        s = write_checksum(folder, svg, e);
    free(csv);
    free(svg);
    return s;
}

enum status sacro_write(const struct released *r, const char *folder, const char *time, struct err *e)
{
    struct buf text;
    struct js *j = sacro_json(r, time);
    char *path = xasprintf("%s/results.json", folder), *sums = xasprintf("%s/checksums", folder);
    buf_init(&text, (size_t)1 << 30);
    js_format(j, JS_PRETTY, &text);
    enum status s = buf_check(&text, "results.json", e);
    if (s == ST_OK)
        s = dir_make(sums, e);
    if (s == ST_OK)
        s = file_replace(path, buf_slice(&text), 0644, e);
    if (s == ST_OK)
        s = write_checksum(folder, "results.json", e);
    for (uint32_t i = 0; s == ST_OK && i < released_n_tables(r); i++)
        s = write_table_checksums(folder, released_table(r, i), e);
    buf_deinit(&text);
    js_free(j);
    free(path);
    free(sums);
    return s;
}
