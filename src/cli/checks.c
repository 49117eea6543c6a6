/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/checks.h"

#include <stdio.h>

static const char *interval_of(const struct js *cell, char out[80])
{
    const struct js *low = js_get(cell, "attacker_low"), *high = js_get(cell, "attacker_high");
    if (!js_is_number(low))
        return "";
    if (js_is_number(high))
        snprintf(out, 80, "%.0f to %.0f or more", js_num(low), js_num(high));
    else
        snprintf(out, 80, "%.0f to any or more", js_num(low));
    return out;
}

/* For the site's own people, beside the table. */
static void note_differencing(const struct js *view)
{
    const struct js *found = js_get(view, "differencing");
    for (size_t i = 0; i < js_size(found); i++)
        fprintf(stderr,
                "differencing: '%s' of table '%s' beside run %s shows that the sites between the two hold a "
                "few persons\n",
                js_get_str(js_at(found, i), "place"), js_get_str(js_at(found, i), "table"),
                js_get_str(js_at(found, i), "earlier"));
}

static void note_withheld(const struct js *view)
{
    const struct js *tables = js_get(view, "tables");
    for (size_t i = 0; i < js_size(tables); i++)
        if (js_get_str(js_at(tables, i), "withheld"))
            fprintf(stderr, "table '%s' is withheld (%s): %s\n", js_get_str(js_at(tables, i), "name"),
                    js_get_str(js_at(tables, i), "withheld"), js_get_str(js_at(tables, i), "meaning"));
}

static void note_texts(const struct js *view)
{
    const struct js *texts = js_get(view, "texts");
    for (size_t i = 0; i < js_size(texts); i++)
        fprintf(stderr, "a text of table '%s' looks like %s: read it before it leaves\n",
                js_get_str(js_at(texts, i), "table"), js_get_str(js_at(texts, i), "like"));
}

enum status checks_print(const struct args *a, struct js *view, struct err *e)
{
    static const char *const columns[] = {"table", "cell",   "#persons", "verdict",
                                          "rule",  "prints", "attacker", NULL};
    enum status s;
    if (args_format(a) == OUT_JSON) {
        s = out_json(view, e);
    } else {
        const struct js *cells = js_get(view, "cells");
        struct out *o = out_new(a, columns);
        for (size_t i = 0; i < js_size(cells); i++) {
            const struct js *c = js_at(cells, i);
            char persons[24], interval[80];
            snprintf(persons, sizeof persons, "%lld", (long long)js_get_int(c, "persons", 0));
            out_row(o, js_get_str(c, "table"), js_get_str(c, "place"), persons, js_get_str(c, "verdict"),
                    js_get_str(c, js_get(c, "reason") ? "reason" : "flag"), js_get_str(c, "seen"),
                    interval_of(c, interval));
        }
        s = out_end(o, e);
        note_withheld(view);
        note_texts(view);
        note_differencing(view);
    }
    js_free(view);
    return s;
}
