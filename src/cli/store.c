/* SPDX-License-Identifier: Apache-2.0
 *
 * `accord store`: what is in a store, and is it whole?
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/date.h"
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
    struct pool *pool = pool_new(0);
    st = store_verify(s, pool, e);
    pool_free(pool);
    if (st == ST_OK)
        printf("%s: every byte is as it was written, and the statistics are those of the rows\n",
               store_snapshot_id(s));
    store_close(s);
    return st;
}

static void print_run(struct out *o, const struct store *s, const char *table, const struct store_run *r)
{
    char concept[16], persons[16], records[24], first[11], last[11];
    struct store_concept c;
    snprintf(concept, sizeof concept, "%" PRId32, r->concept_id);
    snprintf(persons, sizeof persons, "%" PRIu32, r->persons);
    snprintf(records, sizeof records, "%" PRIu64, r->n);
    date_format(r->first_day, first);
    date_format(r->last_day, last);
    out_row(o, table, concept, store_concept_find(s, r->concept_id, &c) ? c.name : "", persons, records,
            first, last);
}

static enum status run_profile(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"table",    "#concept", "name", "#persons",
                                          "#records", "first",    "last", NULL};
    struct store *s;
    enum status st = store_open(args_operand(a, 0), &s, e);
    if (st != ST_OK)
        return st;
    struct out *o = out_new(a, columns);
    for (int t = 0; t < STORE_N_TABLES; t++) {
        const struct store_run *runs;
        uint32_t n;
        store_runs(s, (enum store_table)t, &runs, &n);
        for (uint32_t i = 0; i < n; i++)
            print_run(o, s, store_table_name((enum store_table)t), &runs[i]);
    }
    st = out_end(o, e);
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

static const char profile_about[] = "Read from the statistics that the import sealed: no rows are read. "
                                    "Counts are of the site's own rows: they "
                                    "are not\nfor release.";

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
    {"profile", "STORE", "persons and records of every concept", profile_about, NULL, 1, 1, run_profile},
    {"verify", "STORE", "read every byte of a store against its checksums and recount its statistics", NULL,
     NULL, 1, 1, run_verify},
    {"quality", "STORE", "the quality report of the import", quality_about, quality_options, 1, 1,
     run_quality},
    {0},
};
