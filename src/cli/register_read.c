/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the register's file: `accord match`, `suggest`, `common`, `search`, `clocks`, `export`. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/connect.h"
#include "govern/export.h"
#include "govern/match.h"
#include "govern/search.h"

static const char *number_text(const struct js *j, const char *key, char out[32])
{
    const struct js *v = js_get(j, key);
    if (js_is(v, JS_INTEGER))
        snprintf(out, 32, "%" PRId64, js_int(v));
    else
        snprintf(out, 32, "%.4f", js_num(v));
    return out;
}

static char *joined(const struct js *list)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    for (size_t i = 0; i < js_size(list); i++)
        buf_printf(&text, "%s%s", i ? " " : "", js_str(js_at(list, i)));
    return buf_steal(&text);
}

static void match_lines(struct out *o, const struct js *partner)
{
    const struct js *lines = js_get(partner, "lines");
    for (size_t i = 0; i < js_size(lines); i++) {
        const struct js *line = js_at(lines, i);
        char score[32], rank[32], share[32], points[32], *codes = joined(js_get(line, "codes"));
        out_row(o, i ? "" : js_get_str(partner, "body"), i ? "" : number_text(partner, "score", score),
                js_get_str(line, "need"), number_text(line, "rank", rank), js_get_str(line, "offer"), codes,
                number_text(line, "share", share), number_text(line, "points", points));
        free(codes);
    }
}

static enum status print_matches(const struct args *a, const struct js *list, struct err *e)
{
    static const char *const columns[] = {"body",  "#score", "need",    "#rank", "offer",
                                          "codes", "#share", "#points", NULL};
    if (args_format(a) == OUT_JSON)
        return out_json(list, e);
    struct out *o = out_new(a, columns);
    for (size_t i = 0; i < js_size(list); i++)
        match_lines(o, js_at(list, i));
    return out_end(o, e);
}

static enum status run_match(const struct args *a, struct err *e)
{
    struct registry *r = NULL;
    struct js *list = NULL;
    int64_t limit;
    enum status s = args_int(a, "limit", 1, 1000, 10, &limit, e);
    if (s == ST_OK)
        s = connect_file(a, DB_READ, &r, e);
    if (s == ST_OK)
        s = match_body(r, args_operand(a, 0), (int)limit, &list, e);
    if (s == ST_OK)
        s = print_matches(a, list, e);
    js_free(list);
    registry_close(r);
    return s;
}

static enum status run_suggest(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"needs", "need",  "#rank",   "offers",
                                          "offer", "codes", "#points", NULL};
    struct registry *r = NULL;
    struct js *list = NULL;
    int64_t limit;
    enum status s = args_int(a, "limit", 1, 1000, 10, &limit, e);
    if (s == ST_OK)
        s = connect_file(a, DB_READ, &r, e);
    if (s == ST_OK)
        s = match_suggest(r, (int)limit, &list, e);
    if (s == ST_OK) {
        struct out *o = out_new(a, columns);
        for (size_t i = 0; i < js_size(list); i++) {
            const struct js *p = js_at(list, i);
            char rank[32], points[32], *codes = joined(js_get(p, "codes"));
            out_row(o, js_get_str(p, "needs_body"), js_get_str(p, "need"), number_text(p, "rank", rank),
                    js_get_str(p, "offers_body"), js_get_str(p, "offer"), codes,
                    number_text(p, "points", points));
            free(codes);
        }
        s = out_end(o, e);
    }
    js_free(list);
    registry_close(r);
    return s;
}

/* A list of flat objects of texts and numbers as a table. */
static enum status print_objects(const struct args *a, const struct js *list, const char *const *columns,
                                 struct err *e)
{
    struct out *o = out_new(a, columns);
    for (size_t i = 0; i < js_size(list); i++) {
        const char *cells[12] = {0};
        char numbers[12][32];
        for (int k = 0; columns[k]; k++) {
            const char *name = columns[k] + (columns[k][0] == '#');
            const struct js *item = js_at(list, i);
            cells[k] = js_get_str(item, name) ? js_get_str(item, name) : number_text(item, name, numbers[k]);
        }
        out_row_values(o, cells);
    }
    return out_end(o, e);
}

static enum status run_common(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"scheme", "code", "label", "a", "b", NULL};
    struct registry *r = NULL;
    struct js *list = NULL;
    enum status s = connect_file(a, DB_READ, &r, e);
    if (s == ST_OK)
        s = match_common(r, args_operand(a, 0), args_operand(a, 1), &list, e);
    if (s == ST_OK)
        s = print_objects(a, list, columns, e);
    js_free(list);
    registry_close(r);
    return s;
}

static enum status run_search(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"noun", "id", "state", "title", "snippet", NULL};
    struct registry *r = NULL;
    struct js *list = NULL;
    struct buf words;
    int64_t limit;
    buf_init(&words, 4096);
    for (int i = 0; i < args_count(a); i++)
        buf_printf(&words, "%s%s", i ? " " : "", args_operand(a, i));
    enum status s = args_int(a, "limit", 1, 1000, 20, &limit, e);
    if (s == ST_OK)
        s = connect_file(a, DB_READ, &r, e);
    if (s == ST_OK)
        s = search_text(r, words.p, args_get(a, "noun"), (int)limit, &list, e);
    if (s == ST_OK)
        s = print_objects(a, list, columns, e);
    js_free(list);
    buf_deinit(&words);
    registry_close(r);
    return s;
}

static enum status run_clocks(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"kind", "noun", "id", "body", "what", "due", "#working_days_late",
                                          NULL};
    struct registry *r = NULL;
    struct js *list = NULL;
    int32_t day = (int32_t)(time_now_ms() / 86400000);
    if (args_get(a, "on") && !date_parse(slice_of(args_get(a, "on")), &day))
        return err_set(e, ST_USAGE, "--on must be a date such as 2026-11-22");
    enum status s = connect_file(a, DB_READ, &r, e);
    if (s == ST_OK)
        s = clocks(r, day, args_has(a, "overdue"), &list, e);
    if (s == ST_OK)
        s = print_objects(a, list, columns, e);
    js_free(list);
    registry_close(r);
    return s;
}

/* Exports */

static enum status put_out(const struct args *a, struct slice bytes, struct err *e)
{
    const char *path = args_get(a, "output");
    if (path)
        return file_replace(path, bytes, 0644, e);
    if (fwrite(bytes.p, 1, bytes.n, stdout) != bytes.n || fflush(stdout) != 0)
        return err_set(e, ST_IO, "cannot write to stdout");
    return ST_OK;
}

static enum status export_disclosure_to(const struct args *a, struct registry *r, struct buf *text,
                                        struct err *e)
{
    int64_t year;
    const char *path = args_get(a, "output");
    int y, m, d;
    date_parts((int32_t)(time_now_ms() / 86400000), &y, &m, &d);
    enum status s = args_int(a, "year", 2000, 9999, y, &year, e);
    if (s != ST_OK)
        return s;
    if (path && strlen(path) > 5 && strcmp(path + strlen(path) - 5, ".xlsx") == 0)
        return export_disclosure_xlsx(r, (int)year, path, e);
    s = export_disclosure_csv(r, (int)year, text, e);
    return s == ST_OK ? put_out(a, buf_slice(text), e) : s;
}

static enum status export_json(const struct args *a, struct js *j, struct buf *text, struct err *e)
{
    js_format(j, JS_PRETTY, text);
    buf_addc(text, '\n');
    js_free(j);
    return put_out(a, buf_slice(text), e);
}

static enum status run_export_kind(const struct args *a, struct registry *r, struct buf *text, struct err *e)
{
    const char *kind = args_operand(a, 0), *url = args_get_or(a, "url", "https://accord.example");
    struct js *j = NULL;
    enum status s;
    if (strcmp(kind, "use-register") == 0) {
        s = export_use_register(r, text, e);
    } else if (strcmp(kind, "disclosure-uk") == 0) {
        return export_disclosure_to(a, r, text, e);
    } else if (strcmp(kind, "atom") == 0) {
        s = export_atom(r, url, 100, text, e);
    } else if (strcmp(kind, "dcat") == 0) {
        s = export_dcat(r, url, &j, e);
        return s == ST_OK ? export_json(a, j, text, e) : s;
    } else if (strcmp(kind, "dataset") == 0) {
        const char *id = args_operand(a, 1);
        s = id ? export_dataset(r, id, &j, e)
               : err_set(e, ST_USAGE, "name the dataset: accord export dataset ID");
        return s == ST_OK ? export_json(a, j, text, e) : s;
    } else {
        return err_set(e, ST_USAGE, "KIND is use-register, disclosure-uk, atom, dcat or dataset, not '%.40s'",
                       kind);
    }
    return s == ST_OK ? put_out(a, buf_slice(text), e) : s;
}

static enum status run_export(const struct args *a, struct err *e)
{
    struct registry *r = NULL;
    struct buf text;
    buf_init(&text, (size_t)256 << 20);
    enum status s = connect_file(a, DB_READ, &r, e);
    if (s == ST_OK)
        s = run_export_kind(a, r, &text, e);
    buf_deinit(&text);
    registry_close(r);
    return s;
}

static const struct option_spec match_options[] = {
    CONNECT_OPTIONS, {"limit", "N", "at most so many (default: 10)"}, {0}};
static const struct option_spec common_body_options[] = {CONNECT_OPTIONS, {0}};
static const struct option_spec search_options[] = {
    CONNECT_OPTIONS,
    {"noun", "NOUN", "only items of this noun"},
    {"limit", "N", "at most so many (default: 20)"},
    {0},
};
static const struct option_spec clocks_options[] = {
    CONNECT_OPTIONS,
    {"overdue", NULL, "only what is late"},
    {"on", "DATE", "as of this day (default: today)"},
    {0},
};
static const struct option_spec export_options[] = {
    CONNECT_OPTIONS,
    {"output", "FILE", "write to FILE; disclosure-uk to a name ending in .xlsx makes a workbook"},
    {"year", "YEAR", "disclosure-uk: transfers made in this year (default: this year)"},
    {"url", "URL", "atom, dcat: the address that the register is published under"},
    {0},
};

const struct command match_commands[] = {
    {NULL, "BODY", "the best counterparts of a body, with the reasons",
     "Starts from needs, never from products. Each line is a need and the offer that answers it best:\n"
     "  points = share of the need's codes x 1/rank x people/(people + 100,000) x 1 or 1/2 for the pathway "
     "stage\n"
     "and a body's score is the sum of its lines, so that every score can be checked by hand.",
     match_options, 1, 1, run_match},
    {0},
};
const struct command suggest_commands[] = {
    {NULL, "", "the best pairs of a need and an offer that no project has taken up", NULL, match_options, 0,
     0, run_suggest},
    {0},
};
const struct command common_commands[] = {
    {NULL, "BODY BODY", "what two bodies' needs and offers have in common", NULL, common_body_options, 2, 2,
     run_common},
    {0},
};
const struct command search_commands[] = {
    {NULL, "WORD...", "search the register's public text; a word may end in *", NULL, search_options, 1, -1,
     run_search},
    {0},
};
const struct command clocks_commands[] = {
    {NULL, "", "what is due and what is late, whosever it is", NULL, clocks_options, 0, 0, run_clocks},
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
