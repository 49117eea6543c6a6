/* SPDX-License-Identifier: Apache-2.0
 *
 * `accord store`: what is in a store, and is it whole?
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"
#include "cli/command.h"
#include "store/store.h"

static void fact(struct out *o, const char *name, const char *value)
{
    out_row(o, name, value ? value : "");
}

static void number_fact(struct out *o, const char *name, int64_t n)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, n);
    out_row(o, name, text);
}

static void print_facts(struct out *o, const struct store *s)
{
    const struct js *m = store_manifest(s), *tables = js_get(m, "tables"), *opt_outs = js_get(m, "opt_outs");
    int64_t events = js_get_int(m, "events", 0), bytes = js_get_int(m, "bytes", 0);
    char text[64];
    fact(o, "snapshot", store_snapshot_id(s));
    fact(o, "created", js_get_str(m, "created"));
    fact(o, "made by", js_get_str(m, "program"));
    number_fact(o, "format version", js_get_int(m, "version", 0));
    fact(o, "source", js_get_str(js_get(m, "source"), "name"));
    fact(o, "source kind", js_get_str(js_get(m, "source"), "kind"));
    fact(o, "opt-outs checked", js_get_str(opt_outs, "checked") ? js_get_str(opt_outs, "checked") : "never");
    number_fact(o, "opt-outs listed", js_get_int(opt_outs, "listed", 0));
    number_fact(o, "persons", js_get_int(m, "persons", 0));
    number_fact(o, "events", events);
    number_fact(o, "bytes", bytes);
    snprintf(text, sizeof text, "%.2f", events ? (double)bytes / (double)events : 0.0);
    fact(o, "bytes per event", text);
    for (void *it = js_first(tables); it; it = js_next(tables, it))
        if (js_get(js_value(it), "stored")) {
            snprintf(text, sizeof text, "%s rows", js_key(it));
            number_fact(o, text, js_get_int(js_value(it), "stored", 0));
        }
}

static enum status run_info(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"what", "value", NULL};
    struct store *s;
    enum status st = store_open(args_operand(a, 0), &s, e);
    if (st != ST_OK)
        return st;
    if (args_format(a) == OUT_JSON) {
        st = out_json(store_manifest(s), e);
    } else {
        struct out *o = out_new(a, columns);
        print_facts(o, s);
        st = out_end(o, e);
    }
    store_close(s);
    return st;
}

static enum status run_verify(const struct args *a, struct err *e)
{
    struct store *s;
    enum status st = store_open(args_operand(a, 0), &s, e);
    if (st != ST_OK)
        return st;
    st = store_verify(s, e);
    if (st == ST_OK)
        printf("%s: every byte is as it was written\n", store_snapshot_id(s));
    store_close(s);
    return st;
}

static void print_check(struct out *o, const struct js *check)
{
    char rows[24], violations[24], percent[24];
    snprintf(rows, sizeof rows, "%" PRId64, js_get_int(check, "rows", 0));
    snprintf(violations, sizeof violations, "%" PRId64, js_get_int(check, "violations", 0));
    snprintf(percent, sizeof percent, "%.2f", js_num(js_get(check, "percent")));
    out_row(o, js_get_str(check, "category"), js_get_str(check, "table"), js_get_str(check, "column"),
            js_get_str(check, "check"), rows, violations, percent);
}

static enum status print_quality(const struct args *a, const struct js *report, struct err *e)
{
    static const char *const columns[] = {"category", "table",       "column",   "check",
                                          "#rows",    "#violations", "#percent", NULL};
    struct out *o = out_new(a, columns);
    const struct js *checks = js_get(report, "checks");
    for (size_t i = 0; i < js_size(checks); i++)
        if (args_has(a, "all") || js_get_int(js_at(checks, i), "violations", 0))
            print_check(o, js_at(checks, i));
    return out_end(o, e);
}

static enum status run_quality(const struct args *a, struct err *e)
{
    struct store *s;
    struct js *report = NULL;
    enum status st = store_open(args_operand(a, 0), &s, e);
    if (st != ST_OK)
        return st;
    st = store_quality(s, &report, e);
    if (st == ST_OK)
        st = print_quality(a, report, e);
    js_free(report);
    store_close(s);
    return st;
}

static const char quality_about[] =
    "Checks made at the import, in Kahn's categories: conformance (rejected rows, unknown concepts, visits "
    "that are not\n"
    "there), completeness (missing values, unmapped concepts), plausibility (before birth, in the future, "
    "outside\n"
    "observation, ends before starts). Counts are of the site's own rows: they are not for release.";

static const struct option_spec quality_options[] = {
    {"all", NULL, "also checks that every row passes"},
    {0},
};

const struct command store_commands[] = {
    {"info", "STORE", "what a store holds: counts, source, sizes, opt-out check", NULL, NULL, 1, 1, run_info},
    {"verify", "STORE", "read every byte of a store against its checksums", NULL, NULL, 1, 1, run_verify},
    {"quality", "STORE", "the quality report of the import", quality_about, quality_options, 1, 1,
     run_quality},
    {0},
};
