/* SPDX-License-Identifier: Apache-2.0
 *
 * Options and answers of `accord stats`.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/stats_table.h"

const char **stats_words(struct arena *arena, const char *text, size_t *n)
{
    const char **words = arena_array(arena, text ? strlen(text) / 2 + 2 : 1, sizeof *words);
    *n = 0;
    for (const char *p = text; p && *p;) {
        size_t length = strcspn(p, ",");
        struct slice word = slice_trim((struct slice){p, length});
        if (word.n)
            words[(*n)++] = arena_strndup(arena, word.p, word.n);
        p += length + (p[length] == ',');
    }
    return words;
}

enum status stats_option_number(const struct args *a, const char *name, double absent, double *out,
                                struct err *e)
{
    const char *text = args_get(a, name);
    *out = absent;
    if (text && !parse_double(slice_of(text), out))
        return err_set(e, ST_USAGE, "--%s must be a number, not '%.40s'", name, text);
    return ST_OK;
}

enum status stats_confidences(const struct args *a, bool any_pair, struct confidences *out, struct err *e)
{
    const char *text = args_get_or(a, "confidence", "0.95");
    *out = (struct confidences){.n = 0};
    while (*text) {
        size_t n = strcspn(text, ",");
        double v;
        if (out->n == 2)
            return err_set(e, ST_USAGE, "--confidence takes one or two levels");
        if (!parse_double(slice_trim((struct slice){text, n}), &v))
            return err_set(e, ST_USAGE, "--confidence must be a number such as 0.95 or 99.8");
        enum status s = stats_confidence(v, &out->level[out->n++], e);
        if (s != ST_OK)
            return err_wrap(e, "--confidence");
        text += n + (text[n] == ',');
    }
    if (out->n == 0)
        return err_set(e, ST_USAGE, "--confidence must be a number such as 0.95 or 99.8");
    bool usual = fabs(out->level[0] - 0.95) < 1e-12 && fabs(out->level[1] - 0.998) < 1e-12;
    if (out->n == 2 && !any_pair && !usual)
        return err_set(e, ST_USAGE, "two confidence levels must be 0.95,0.998");
    return ST_OK;
}

enum status stats_option_choice(const struct args *a, const char *name, const char *const *choices, int *out,
                                struct err *e)
{
    const char *given = args_get(a, name);
    size_t n = 0;
    *out = 0;
    for (; choices[n]; n++)
        if (given && strcmp(given, choices[n]) == 0) {
            *out = (int)n;
            return ST_OK;
        }
    if (!given)
        return ST_OK;
    char list[200] = "";
    for (size_t i = 0; i < n; i++) {
        size_t at = strlen(list);
        snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", choices[i]);
    }
    return err_set(e, ST_USAGE, "--%s must be one of %s, not '%.40s'", name, list, given);
}

void stats_put(struct js *row, const char *key, double v)
{
    js_put(row, key, js_real(v));
}

/* 0.998 as "99_8". */
static void level_name(double level, char out[24])
{
    snprintf(out, 24, "%g", level * 100);
    char *point = strchr(out, '.');
    if (point)
        *point = '_';
}

void stats_put_estimate(struct js *row, const struct estimate *levels, const struct confidences *c)
{
    stats_put(row, "value", levels[0].value);
    stats_put(row, "lower", levels[0].lower);
    stats_put(row, "upper", levels[0].upper);
    if (c->n == 2) {
        char name[24], key[40];
        level_name(c->level[1], name);
        snprintf(key, sizeof key, "lower%s", name);
        stats_put(row, key, levels[1].lower);
        snprintf(key, sizeof key, "upper%s", name);
        stats_put(row, key, levels[1].upper);
    }
    const char *reason = levels[0].reason;
    if (!reason && !(isfinite(levels[0].value) && isfinite(levels[0].lower) && isfinite(levels[0].upper)))
        reason = reason_not_finite;
    js_put(row, "reason", reason ? js_string(reason) : js_null());
    if (reason)
        js_put_str(row, "explanation", reason_text(reason));
}

struct js *stats_document(const char *method)
{
    struct js *doc = js_object();
    js_put_str(doc, "method", method);
    return doc;
}

void stats_put_confidence(struct js *doc, const struct confidences *c)
{
    struct js *list = js_array();
    for (int i = 0; i < c->n; i++)
        js_push(list, js_real(c->level[i]));
    js_put(doc, "confidence", list);
}

static const char *cell_text(struct arena *arena, const struct js *v, bool short_form)
{
    if (!v || js_is(v, JS_NULL) || js_is(v, JS_OBJECT) || js_is(v, JS_ARRAY))
        return "";
    if (js_is(v, JS_STRING))
        return js_str(v);
    if (js_is_bool(v))
        return js_bool(v) ? "true" : "false";
    if (js_is(v, JS_INTEGER))
        return arena_printf(arena, "%lld", (long long)js_int(v));
    return arena_printf(arena, short_form ? "%.6g" : "%.17g", js_num(v));
}

enum { MOST_KEYS = 64 };

/* The union of the rows' scalar members in order of first appearance; number columns are marked with '#'. */
static size_t collect_columns(struct arena *arena, const struct js *rows, const char **keys,
                              const char **columns)
{
    size_t n = 0;
    for (size_t r = 0; r < js_size(rows); r++)
        for (void *it = js_first(js_at(rows, r)); it; it = js_next(js_at(rows, r), it)) {
            size_t i = 0;
            while (i < n && strcmp(keys[i], js_key(it)) != 0)
                i++;
            if (i == n && n < MOST_KEYS)
                keys[n++] = arena_strdup(arena, js_key(it));
        }
    for (size_t i = 0; i < n; i++) {
        bool number = false, text = false;
        for (size_t r = 0; r < js_size(rows); r++) {
            const struct js *v = js_get(js_at(rows, r), keys[i]);
            number = number || js_is_number(v);
            text = text || js_is(v, JS_STRING);
        }
        columns[i] = number && !text ? arena_printf(arena, "#%s", keys[i]) : keys[i];
    }
    columns[n] = NULL;
    return n;
}

static void print_scalars(struct arena *arena, const struct js *doc)
{
    for (void *it = js_first(doc); it; it = js_next(doc, it)) {
        const char *text = cell_text(arena, js_value(it), true);
        if (*text)
            printf("%s: %s\n", js_key(it), text);
    }
    printf("\n");
}

static enum status print_rows(const struct args *a, const struct js *doc, const struct js *rows,
                              struct err *e)
{
    struct arena *arena = arena_new();
    const char *keys[MOST_KEYS], *columns[MOST_KEYS + 1], *cells[MOST_KEYS];
    size_t n = collect_columns(arena, rows, keys, columns);
    bool screen = args_format(a) == OUT_TABLE;
    if (screen)
        print_scalars(arena, doc);
    struct out *o = out_new(a, columns);
    for (size_t r = 0; r < js_size(rows); r++) {
        for (size_t i = 0; i < n; i++)
            cells[i] = cell_text(arena, js_get(js_at(rows, r), keys[i]), screen);
        out_row_values(o, cells);
    }
    enum status s = out_end(o, e);
    arena_free(arena);
    return s;
}

enum status stats_print(const struct args *a, struct js *doc, const char *main_array, struct err *e)
{
    enum status s =
        args_format(a) == OUT_JSON ? out_json(doc, e) : print_rows(a, doc, js_get(doc, main_array), e);
    js_free(doc);
    return s;
}
