/* SPDX-License-Identifier: Apache-2.0
 * `accord export`: the register in other people's forms, from its file or from a hub. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/connect.h"
#include "govern/export.h"

static enum status put_out(const struct args *a, struct slice bytes, struct err *e)
{
    const char *path = args_get(a, "output");
    if (path)
        return file_replace(path, bytes, 0644, e);
    if (fwrite(bytes.p, 1, bytes.n, stdout) != bytes.n || fflush(stdout) != 0)
        return err_set(e, ST_IO, "cannot write to stdout");
    return ST_OK;
}

static enum status year_of(const struct args *a, int64_t *year, struct err *e)
{
    return args_int(a, "year", 2000, 9999, date_year((int32_t)(time_now_ms() / 86400000)), year, e);
}

static bool is_workbook(const char *path)
{
    return path && strlen(path) > 5 && strcmp(path + strlen(path) - 5, ".xlsx") == 0;
}

static enum status put_workbook(const struct args *a, struct err *e)
{
    struct registry *r = NULL;
    int64_t year;
    enum status s = year_of(a, &year, e);
    if (s == ST_OK)
        s = connect_file(a, DB_READ, &r, e);
    if (s == ST_OK)
        s = export_disclosure_xlsx(r, (int)year, args_get(a, "output"), e);
    registry_close(r);
    return s;
}

/* The API's address of a kind of export. */
static enum status address_of(const struct args *a, struct buf *target, struct err *e)
{
    static const char *const kinds[][2] = {
        {"use-register", "use-register"},
        {"disclosure-uk", "disclosure-uk"},
        {"atom", "feed"},
        {"dcat", "catalogue"},
        {"dataset", "datasets"},
    };
    const char *kind = args_operand(a, 0), *path = NULL;
    char text[24];
    int64_t year;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kind, kinds[i][0]) == 0)
            path = kinds[i][1];
    if (!path)
        return err_set(e, ST_USAGE, "KIND is use-register, disclosure-uk, atom, dcat or dataset, not '%.40s'",
                       kind);
    buf_adds(target, "/api/v1/export");
    target_add_part(target, path);
    if (strcmp(kind, "dataset") == 0) {
        if (!args_operand(a, 1))
            return err_set(e, ST_USAGE, "name the dataset: accord export dataset ID");
        target_add_part(target, args_operand(a, 1));
    }
    if (strcmp(kind, "disclosure-uk") == 0) {
        enum status s = year_of(a, &year, e);
        snprintf(text, sizeof text, "%" PRId64, year);
        target_add_member(target, "year", text);
        return s;
    }
    if (strcmp(kind, "atom") == 0 || strcmp(kind, "dcat") == 0)
        target_add_member(target, "url", args_get(a, "url"));
    return ST_OK;
}

/* JSON is for people too: in lines. */
static void in_lines(struct buf *text)
{
    struct js *j = NULL;
    if (!text->n || text->p[0] != '{' || js_parse(buf_slice(text), "export", &j, NULL) != ST_OK)
        return;
    buf_clear(text);
    js_format(j, JS_PRETTY, text);
    buf_addc(text, '\n');
    js_free(j);
}

static enum status run_export(const struct args *a, struct err *e)
{
    struct buf text, target;
    if (strcmp(args_operand(a, 0), "disclosure-uk") == 0 && is_workbook(args_get(a, "output")))
        return put_workbook(a, e);
    buf_init(&text, (size_t)256 << 20);
    buf_init(&target, 8192);
    enum status s = address_of(a, &target, e);
    if (s == ST_OK)
        s = connect_bytes(a, target.p, &text, e);
    in_lines(&text);
    if (s == ST_OK)
        s = put_out(a, buf_slice(&text), e);
    buf_deinit(&text);
    buf_deinit(&target);
    return s;
}

static const struct option_spec export_options[] = {
    CONNECT_OPTIONS,
    {"output", "FILE",
     "write to FILE; disclosure-uk to a name ending in .xlsx makes a workbook (from the file)"},
    {"year", "YEAR", "disclosure-uk: transfers made in this year (default: this year)"},
    {"url", "URL", "atom, dcat: the address that the register is published under"},
    {0},
};

const struct command export_commands[] = {
    {NULL, "use-register|disclosure-uk|atom|dcat|dataset [ID]", "the register in other people's forms",
     "use-register: the Data Use Register, 31 columns, CSV. disclosure-uk: transfers of value of a year, CSV "
     "or XLSX. atom: the "
     "newest entries as a feed. dcat: open artefacts as a catalogue, JSON-LD. dataset ID: a dataset's "
     "metadata in HDR UK's "
     "form. 'accord NOUN list --format csv|json' gives the rest.",
     export_options, 1, 2, run_export},
    {0},
};
