/* SPDX-License-Identifier: Apache-2.0 */
#include "study/no_estimate.h"

#include <math.h>
#include <string.h>

#include "study/tables.h"

/* Reasons that say that nobody of some has the event, or that all of them have it. */
static bool rests_on_none(const char *reason)
{
    static const char *const reasons[] = {"no_rows", "no_events", "separation", "no_information"};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strcmp(reason, reasons[i]) == 0)
            return true;
    return false;
}

void no_estimate_set(struct js **state, const char *reason, int64_t persons, struct js *columns,
                     const char *text)
{
    struct js *why = js_object(), *j = js_object();
    js_put_str(why, "reason", reason);
    js_put_str(why, "text", text);
    js_put_int(why, "persons", persons);
    js_put(why, "of_none", js_boolean(rests_on_none(reason)));
    if (columns)
        js_put(why, "columns", columns);
    js_put(j, "no_estimate", why);
    js_free(*state);
    *state = j;
}

bool no_estimate(const struct js *state)
{
    return js_get(state, "no_estimate") != NULL;
}

void no_estimate_table(const struct js *state, const char *analysis, struct result *into)
{
    const struct js *why = js_get(state, "no_estimate"), *columns = js_get(why, "columns");
    struct arena *a = into->arena;
    size_t n = js_size(columns);
    const char *reason = arena_strdup(a, js_get_str(why, "reason"));
    const char **names = arena_array(a, n + 1, sizeof *names);
    for (size_t i = 0; i < n; i++)
        names[i] = js_str(js_at(columns, i));
    struct dimension dimensions[] = {labelled_dimension("reason", &reason, 1, a),
                                     labelled_dimension("column", names, n, a)};
    char *title = arena_printf(a, "No estimate: %s", js_get_str(why, "text"));
    struct result_table *t = table_new(into, table_name(into, analysis, "no_estimate"), title,
                                       "not estimated", OUTPUT_TEST, dimensions, n ? 2 : 1);
    t->persons = js_get_int(why, "persons", 0);
    t->no_estimate = js_bool(js_get(why, "of_none")) ? NO_ESTIMATE_OF_NONE : NO_ESTIMATE_SAID;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        t->cells[i].persons = t->persons;
        t->cells[i].value = NAN;
    }
}
