/* SPDX-License-Identifier: Apache-2.0
 *
 * `accord node import`: a folder of OMOP CDM tables into a store.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/csv.h"
#include "base/date.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/node.h"
#include "source/source.h"
#include "store/import.h"

const char node_import_about[] = "DIR holds one file per table of the OMOP CDM 5.3 or 5.4: NAME.csv (or "
                                 ".tsv, .txt), plain, .gz or .zst. Column\n"
                                 "order is free; unknown columns are ignored and named. person, "
                                 "observation_period and concept must be there;\n"
                                 "other tables may be missing. The new store replaces the old one in one "
                                 "step when it is complete; whatever\n"
                                 "stops an import leaves the old one as it is.\n\n"
                                 "Person ids are replaced by pseudonyms under the site's key (--key; by "
                                 "default STORE.key, made when absent:\n"
                                 "keep it, and keep it secret). Persons of the national data opt-out list "
                                 "(--opt-outs: one person_id a line, or a\n"
                                 "CSV file with a column person_id) are left out with all that refers to "
                                 "them; the list's date is that of the file.";

const struct option_spec node_import_options[] = {
    {"store", "STORE", "the store to make or replace (needed)"},
    {"key", "FILE", "the site's key (default: STORE.key, made when absent)"},
    {"opt-outs", "FILE", "persons to leave out: the national data opt-out"},
    {"on-error", "stop|skip",
     "a faulty row stops the import, or is dropped, counted and reported (default: stop)"},
    {"without-periods", NULL, "go on when there is no observation_period table"},
    {"memory", "MB", "memory in all (default: 2048)"},
    {0},
};

struct id_list {
    int64_t *ids;
    size_t n, capacity;
    int64_t checked_ms;
};

static enum status add_id(struct id_list *l, struct slice text, uint64_t line, struct err *e)
{
    int64_t id;
    if (!parse_i64(slice_trim(text), &id))
        return err_set(e, ST_INVALID,
                       "the opt-out list, line %" PRIu64 ": expected a person_id, a whole number", line);
    GROW(l->ids, l->n + 1, l->capacity);
    l->ids[l->n++] = id;
    return ST_OK;
}

/* A list without a header begins with an id: then the "header" is the first of them. */
static enum status read_ids(struct csv *c, struct id_list *l, struct err *e)
{
    int column = csv_find(c, "person_id");
    enum status st = ST_OK;
    if (column < 0 && csv_columns(c) == 1) {
        column = 0;
        st = add_id(l, slice_of(csv_column(c, 0)), 1, e);
    } else if (column < 0) {
        st = csv_need(c, "person_id", &column, e);
    }
    const struct slice *fields = NULL;
    while (st == ST_OK && (st = csv_next(c, &fields, e)) == ST_OK && fields)
        st = add_id(l, fields[column], csv_line(c), e);
    return st;
}

static enum status read_opt_outs(const char *path, struct id_list *l, struct err *e)
{
    struct stat info;
    struct csv *c;
    if (!path)
        return ST_OK;
    if (stat(path, &info) != 0)
        return err_set(e, ST_NOT_FOUND, "there is no opt-out list %s", path);
    l->checked_ms = (int64_t)info.st_mtim.tv_sec * 1000;
    if (info.st_size == 0) /* nobody has opted out */
        return ST_OK;
    enum status st = csv_open(path, &c, e);
    if (st != ST_OK)
        return st;
    st = read_ids(c, l, e);
    csv_close(c);
    return st;
}

static void say_columns(const char *table, const struct js *names, const char *what)
{
    if (!js_size(names))
        return;
    fprintf(stderr, "%s: %s:", table, what);
    for (size_t i = 0; i < js_size(names); i++)
        fprintf(stderr, "%s %s", i ? "," : "", js_str(js_at(names, i)));
    fprintf(stderr, "\n");
}

/* Remarks go to stderr, counts to stdout. */
static void say_remarks(const struct js *report)
{
    const struct js *remarks = js_get(report, "remarks"), *tables = js_get(report, "tables");
    for (size_t i = 0; i < js_size(remarks); i++)
        fprintf(stderr, "%s\n", js_str(js_at(remarks, i)));
    for (void *it = js_first(tables); it; it = js_next(tables, it)) {
        const struct js *notes = js_value(it), *first = js_get(notes, "rejected_first");
        int64_t rejected = js_get_int(notes, "rejected", 0);
        say_columns(js_key(it), js_get(notes, "ignored_columns"), "unknown columns, ignored");
        if (rejected)
            fprintf(stderr, "%s: %" PRId64 " rows were rejected; the first:\n", js_key(it), rejected);
        for (size_t i = 0; i < js_size(first); i++)
            fprintf(stderr, "  %s\n", js_str(js_at(first, i)));
    }
}

static enum status print_counts(const struct args *a, const struct js *report, struct err *e)
{
    static const char *const columns[] = {"table", "#rows", "#rejected", "#stored", NULL};
    struct out *o = out_new(a, columns);
    const struct js *tables = js_get(report, "tables");
    for (void *it = js_first(tables); it; it = js_next(tables, it)) {
        char rows[24], rejected[24], stored[24] = "";
        const struct js *notes = js_value(it);
        snprintf(rows, sizeof rows, "%" PRId64, js_get_int(notes, "rows", 0));
        snprintf(rejected, sizeof rejected, "%" PRId64, js_get_int(notes, "rejected", 0));
        if (js_get(notes, "stored"))
            snprintf(stored, sizeof stored, "%" PRId64, js_get_int(notes, "stored", 0));
        out_row(o, js_key(it), rows, rejected, stored);
    }
    return out_end(o, e);
}

static void say_result(const struct js *report, double seconds)
{
    int64_t rows = 0;
    const struct js *tables = js_get(report, "tables");
    for (void *it = js_first(tables); it; it = js_next(tables, it))
        rows += js_get_int(js_value(it), "rows", 0);
    fprintf(stderr,
            "%" PRId64 " persons, %" PRId64 " events from %" PRId64 " rows in %.1f s (%.2f million rows/s)\n",
            js_get_int(report, "persons", 0), js_get_int(report, "events", 0), rows, seconds,
            (double)rows / 1e6 / (seconds > 0 ? seconds : 1e-9));
}

static enum status parse_options(const struct args *a, struct import_options *o, struct err *e)
{
    int64_t megabytes;
    const char *on_error = args_get_or(a, "on-error", "stop");
    enum status st = args_need(a, "store", &o->store, e);
    if (st == ST_OK)
        st = args_int(a, "memory", 64, 1 << 20, 2048, &megabytes, e);
    if (st != ST_OK)
        return st;
    if (strcmp(on_error, "stop") != 0 && strcmp(on_error, "skip") != 0)
        return err_set(e, ST_USAGE, "--on-error must be stop or skip, not '%.40s'", on_error);
    o->skip_faults = strcmp(on_error, "skip") == 0;
    o->periods_optional = args_has(a, "without-periods");
    o->key = args_get(a, "key");
    o->memory_bytes = (uint64_t)megabytes << 20;
    return ST_OK;
}

static enum status import(const struct args *a, struct import_options *o, struct err *e)
{
    struct js *report = NULL;
    int64_t began = time_monotonic_ns();
    enum status st = store_import(o, &report, e);
    if (st == ST_OK && !args_has(a, "quiet")) {
        say_remarks(report);
        say_result(report, (double)(time_monotonic_ns() - began) / 1e9);
    }
    if (st == ST_OK)
        st = print_counts(a, report, e);
    js_free(report);
    return st;
}

enum status run_node_import(const struct args *a, struct err *e)
{
    struct import_options o = {0};
    struct id_list opt_outs = {0};
    const char *folder = args_operand(a, 0), *slash = strrchr(folder, '/');
    o.source_name = slash && slash[1] ? slash + 1 : folder;
    enum status st = parse_options(a, &o, e);
    if (st == ST_OK)
        st = read_opt_outs(args_get(a, "opt-outs"), &opt_outs, e);
    if (st == ST_OK)
        st = source_open_csv(folder, &o.source, e);
    if (st == ST_OK) {
        o.opt_outs = opt_outs.ids;
        o.n_opt_outs = opt_outs.n;
        o.opt_outs_checked_ms = opt_outs.checked_ms;
        o.pool = pool_new(0);
        st = import(a, &o, e);
        pool_free(o.pool);
        o.source->close(o.source);
    }
    free(opt_outs.ids);
    return st;
}
