/* SPDX-License-Identifier: Apache-2.0
 * `accord disclose history`: what a site's differencing guard remembers. */
#include "cli/disclose_history.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "disclose/guard_book.h"

const char disclose_history_about[] =
    "Every run that counted persons of this site: whom it was for, how many cells the guard remembers of it, "
    "and\n"
    "which other runs counted some of the same persons and so combine with it. Numbers of persons are not "
    "shown.\n"
    "A run's state is released, or given: this site's part was sent, and what became of it is not known "
    "here.\n"
    "With --withdraw a given run counts no more; only say so when nothing of it was released.";

const struct option_spec disclose_history_options[] = {
    {"data", "DIR", "the node's folder"},
    {"project", "NAME", "only this project's"},
    {"withdraw", "RUN", "nothing of this run left: forget its cells"},
    {0},
};

static const char *overlaps_of(const struct js *row, struct arena *a)
{
    const struct js *list = js_get(row, "overlaps");
    const char *text = "";
    for (size_t i = 0; i < js_size(list); i++)
        text = arena_printf(a, "%s%s%s", text, i ? " " : "", js_str(js_at(list, i)));
    return text;
}

static enum status print_history(const struct args *args, const struct js *history, struct err *e)
{
    static const char *const columns[] = {"project", "run",      "title",         "state", "made",
                                          "#cells",  "snapshot", "combines with", NULL};
    struct out *o = out_new(args, columns);
    struct arena *a = arena_new();
    for (size_t i = 0; i < js_size(history); i++) {
        const struct js *row = js_at(history, i);
        out_row(o, js_get_str(row, "project"), js_get_str(row, "run"), js_get_str(row, "title"),
                js_get_str(row, "state"), js_get_str(row, "made"),
                arena_printf(a, "%lld", (long long)js_get_int(row, "cells", 0)),
                arena_printf(a, "%.12s", js_get_str(row, "snapshot")), overlaps_of(row, a));
    }
    enum status s = out_end(o, e);
    arena_free(a);
    return s;
}

enum status run_disclose_history(const struct args *a, struct err *e)
{
    const char *data, *withdraw = args_get(a, "withdraw");
    struct guard_book *b = NULL;
    struct js *history = NULL;
    enum status s = args_need(a, "data", &data, e);
    if (s != ST_OK)
        return s;
    char *path = xasprintf("%s/guard.db", data);
    if (!file_exists(path))
        s = err_set(
            e, ST_NOT_FOUND,
            "there is no guard's book in this folder yet; the first run that counts persons makes it");
    if (s == ST_OK)
        s = guard_book_open(path, 10, &b, e); /* the minimum does not matter: nothing is asked */
    if (s == ST_OK && withdraw)
        s = guard_book_withdraw(b, withdraw, e);
    if (s == ST_OK)
        s = guard_book_history(b, args_get(a, "project"), &history, e);
    if (s == ST_OK)
        s = print_history(a, history, e);
    js_free(history);
    guard_book_close(b);
    free(path);
    return s;
}
