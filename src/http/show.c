/* SPDX-License-Identifier: Apache-2.0 */
#include "http/show.h"

#include <stdio.h>
#include <string.h>

enum { FEW_PAIRS = 8, MOST_COLUMNS = 12 };

static const char *const paths[][2] = {{"body", "bodies"},          {"signal", "signals"},
                                       {"project", "projects"},     {"run", "runs"},
                                       {"agreement", "agreements"}, {"artefact", "artefacts"},
                                       {"transfer", "transfers"},   {"measure", "measures"}};

const char *show_path(const char *noun, size_t n)
{
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (strlen(paths[i][0]) == n && memcmp(paths[i][0], noun, n) == 0)
            return paths[i][1];
    return NULL;
}

static const char *noun_of(const char *path)
{
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (strcmp(paths[i][1], path) == 0)
            return paths[i][0];
    return path;
}

/* --- what items are called ----------------------------------------------------------------------------- */

/* What was promised has no title of its own. */
static void transfer_title(struct buf *out, const struct js *item)
{
    const char *what = js_get_str(item, "what");
    if (what && *what >= 'a' && *what <= 'z')
        html_add(out, "%s%s", (char[]){(char)(*what - 'a' + 'A'), 0}, what + 1);
    else if (what)
        html_add(out, "%s", what);
    else
        html_words(out, js_get_str(item, "mechanism"));
    if (js_get(item, "amount")) {
        buf_adds(out, ", ");
        html_pounds(out, js_get_int(item, "amount", 0));
    }
}

static void review_title(struct buf *out, const struct js *item)
{
    html_words(out, js_get_str(item, "perspective"));
    buf_adds(out, " review");
}

static void item_title(struct buf *out, const struct js *item)
{
    const char *noun = js_get_str(item, "noun"), *title = registry_item_title(item);
    if (strcmp(noun, "transfer") == 0)
        transfer_title(out, item);
    else if (strcmp(noun, "review") == 0)
        review_title(out, item);
    else
        html_add(out, "%s", *title ? title : js_get_str(item, "id"));
}

void show_title(struct buf *out, const struct names *names, const char *noun, const char *id)
{
    struct js *item = NULL;
    struct err ignored;
    bool titled = show_path(noun, strlen(noun)) || strcmp(noun, "review") == 0; /* people keep their ids */
    if (titled && names->registry && registry_item(names->registry, noun, id, &item, &ignored) == ST_OK)
        item_title(out, item);
    else
        html_add(out, "%s", id);
    js_free(item);
}

void show_about(struct buf *out, const struct names *names, const char *about)
{
    const char *colon = about ? strchr(about, ':') : NULL;
    char noun[32];
    if (!colon || (size_t)(colon - about) >= sizeof noun) {
        html_add(out, "%s", about);
        return;
    }
    snprintf(noun, sizeof noun, "%.*s", (int)(colon - about), about);
    const char *path = show_path(noun, strlen(noun));
    if (path)
        html_add(out, "<a href=\"/%s/%s\">", path, colon + 1);
    show_title(out, names, noun, colon + 1);
    if (path)
        buf_adds(out, "</a>");
}

static void show_link(struct buf *out, const struct names *names, const char *path, const char *id)
{
    html_add(out, "<a href=\"/%s/%s\">", path, id);
    show_title(out, names, noun_of(path), id);
    buf_adds(out, "</a>");
}

const char *show_body_name(const struct names *names, const char *id)
{
    struct js *item = NULL;
    struct err ignored;
    const char *name = js_get_str(names->by_id, id);
    if (name || !names->registry || registry_item(names->registry, "body", id, &item, &ignored) != ST_OK)
        return name;
    if (js_get_str(item, "name"))
        js_put_str(names->by_id, id, js_get_str(item, "name"));
    js_free(item);
    return js_get_str(names->by_id, id);
}

void show_body(struct buf *out, const struct names *names, const char *id)
{
    const char *name = id ? show_body_name(names, id) : NULL;
    if (name)
        html_add(out, "<a href=\"/bodies/%s\">%s</a>", id, name);
    else
        html_add(out, "%s", id);
}

static void show_by(struct buf *out, const struct names *names, const struct js *by)
{
    html_day(out, js_get_str(by, "time"));
    if (js_get_str(by, "body")) {
        buf_adds(out, ", for ");
        show_body(out, names, js_get_str(by, "body"));
    }
}

/* "Breathe Analytics pays Kent and Medway £25,000 when the agreement begins". */
static void show_mechanism(struct buf *out, const struct names *names, const struct js *m)
{
    html_words(out, js_get_str(m, "kind"));
    buf_adds(out, ": ");
    show_body(out, names, js_get_str(m, "from"));
    buf_adds(out, " gives ");
    show_body(out, names, js_get_str(m, "to"));
    if (js_get(m, "amount")) {
        buf_adds(out, " ");
        html_pounds(out, js_get_int(m, "amount", 0));
    }
    if (js_get(m, "rate_percent"))
        html_add(out, " %ld%% of income", (long)js_get_int(m, "rate_percent", 0));
    if (js_get(m, "floor")) {
        buf_adds(out, ", at least ");
        html_pounds(out, js_get_int(m, "floor", 0));
    }
    if (js_get(m, "cap")) {
        buf_adds(out, ", at most ");
        html_pounds(out, js_get_int(m, "cap", 0));
    }
}

static void show_element(struct buf *out, const struct names *names, const struct shown *f,
                         const struct js *x)
{
    switch (f->how) {
    case SHOW_BODIES:
        show_body(out, names, js_get_str(x, "body"));
        buf_adds(out, " (");
        html_words(out, js_get_str(x, "role"));
        buf_adds(out, ")");
        break;
    case SHOW_ITEMS:
        show_link(out, names, f->noun, js_str(x));
        break;
    case SHOW_SIGNED:
        show_body(out, names, js_get_str(x, "body"));
        buf_adds(out, ", ");
        html_day(out, js_get_str(x, "time"));
        break;
    case SHOW_CODES:
        html_add(out, "%s (%s)", js_get_str(x, "code"), js_get_str(x, "scheme"));
        break;
    case SHOW_CHECKS:
        html_words(out, js_get_str(x, "kind"));
        buf_adds(out, ", until ");
        html_day(out, js_get_str(x, "until"));
        break;
    case SHOW_READINGS:
        html_day(out, js_get_str(x, "date"));
        buf_adds(out, ": <strong>");
        html_number(out, js_get_int(x, "value", 0));
        html_add(out, "</strong> (%s)", js_get_str(x, "source"));
        break;
    default:
        show_mechanism(out, names, x);
    }
}

static void show_elements(struct buf *out, const struct names *names, const struct shown *f,
                          const struct js *list)
{
    buf_adds(out, "<ul>");
    for (size_t i = 0; i < js_size(list); i++) {
        buf_adds(out, "<li>");
        show_element(out, names, f, js_at(list, i));
        buf_adds(out, "</li>");
    }
    buf_adds(out, "</ul>");
}

static void show_pairs(struct buf *out, const struct js *pairs)
{
    buf_adds(out, js_size(pairs) > FEW_PAIRS
                      ? "<details class=\"nhsuk-details\"><summary class=\"nhsuk-details__summary\"><span "
                        "class=\"nhsuk-details__summary-text\">Show the answers</span></summary><dl "
                        "class=\"accord-pairs nhsuk-details__text\">"
                      : "<dl class=\"accord-pairs\">");
    for (void *it = js_first(pairs); it; it = js_next(pairs, it)) {
        const char *text = js_str(js_value(it)), *dot = strrchr(js_key(it), '.');
        buf_adds(out, "<dt>");
        html_words(out, dot ? dot + 1 : js_key(it));
        html_add(out, "</dt><dd>%s</dd>", text ? text : js_bool(js_value(it)) ? "yes" : "no");
    }
    buf_adds(out, js_size(pairs) > FEW_PAIRS ? "</dl></details>" : "</dl>");
}

static void show_scalar(struct buf *out, const struct names *names, const struct shown *f, const struct js *v)
{
    const char *text = js_str(v);
    if (f->how == SHOW_NUMBER && js_is(v, JS_INTEGER))
        html_number(out, js_int(v));
    else if (f->how == SHOW_POUNDS)
        html_pounds(out, js_int(v));
    else if (f->how == SHOW_STATE)
        html_state(out, text);
    else if (f->how == SHOW_WORDS)
        html_words(out, text);
    else if (f->how == SHOW_DAY)
        html_day(out, text);
    else if (f->how == SHOW_TIME)
        html_time(out, text);
    else if (f->how == SHOW_BODY)
        show_body(out, names, text);
    else if (f->how == SHOW_ABOUT)
        show_about(out, names, text);
    else if (f->how == SHOW_ITEM)
        show_link(out, names, f->noun, text);
    else if (text)
        html_add(out, "%s", text);
    else if (js_is_number(v)) {
        html_figure(out, js_num(v));
        buf_adds(out, f->how == SHOW_PERCENT ? "%" : "");
    } else
        buf_adds(out, js_bool(v) ? "yes" : "no");
}

void show_value(struct buf *out, const struct names *names, const struct shown *f, const struct js *v)
{
    if (!v || js_is(v, JS_NULL))
        return;
    if (js_is(v, JS_ARRAY))
        show_elements(out, names, f, v);
    else if (js_is(v, JS_OBJECT) && f->how == SHOW_BY)
        show_by(out, names, v);
    else if (js_is(v, JS_OBJECT) && f->how == SHOW_PAIRS)
        show_pairs(out, v);
    else if (!js_is(v, JS_OBJECT))
        show_scalar(out, names, f, v);
}

void show_item(struct buf *out, const struct names *names, const struct shown *fields, const struct js *item)
{
    buf_adds(out, "<dl class=\"nhsuk-summary-list\">");
    for (const struct shown *f = fields; f->member; f++) {
        const struct js *v = js_get(item, f->member);
        if (!v || js_is(v, JS_NULL) || (js_is(v, JS_ARRAY) && !js_size(v)))
            continue;
        html_add(out,
                 "<div class=\"nhsuk-summary-list__row\"><dt class=\"nhsuk-summary-list__key\">%s</dt><dd "
                 "class=\"nhsuk-summary-list__value\">",
                 f->label);
        show_value(out, names, f, v);
        buf_adds(out, "</dd></div>");
    }
    buf_adds(out, "</dl>");
}

/* --- tables -------------------------------------------------------------------------------------------- */

static bool is_numeric(const struct shown *f)
{
    return f->how == SHOW_NUMBER || f->how == SHOW_POUNDS;
}

/* The first column names the item and leads to its page. */
static void write_first(struct buf *out, const char *path, const struct js *item, const char *text)
{
    const char *id = js_get_str(item, "id");
    html_add(out, "<a href=\"/%s/%s\">", path, id);
    if (text && text != id)
        html_add(out, "%s", text);
    else
        item_title(out, item);
    buf_adds(out, "</a>");
}

static void table_row(struct buf *out, const struct names *names, const struct shown *columns,
                      const char *path, const struct js *item)
{
    html_row_begin(out);
    for (const struct shown *f = columns; f->member; f++) {
        const struct js *v = js_get(item, f->member);
        html_cell_begin(out, &(struct html_column){f->label, is_numeric(f)});
        if (f == columns && path)
            write_first(out, path, item, js_str(v));
        else
            show_value(out, names, f, v);
        buf_adds(out, "</td>");
    }
    buf_adds(out, "</tr>");
}

void show_table(struct buf *out, const struct names *names, const struct shown *columns, const char *path,
                const char *caption, const struct js *items)
{
    struct html_column heads[MOST_COLUMNS + 1] = {{0}};
    for (size_t i = 0; i < MOST_COLUMNS && columns[i].member; i++)
        heads[i] = (struct html_column){columns[i].label, is_numeric(&columns[i])};
    html_table_begin(out, caption, heads);
    for (size_t i = 0; i < js_size(items); i++)
        table_row(out, names, columns, path, js_at(items, i));
    html_table_end(out);
}
