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

const struct command store_commands[] = {
    {"info", "STORE", "what a store holds: counts, source, sizes, opt-out check", NULL, NULL, 1, 1, run_info},
    {"verify", "STORE", "read every byte of a store against its checksums", NULL, NULL, 1, 1, run_verify},
    {0},
};
