/* SPDX-License-Identifier: Apache-2.0 */
#include "http/plain.h"

#include <inttypes.h>
#include <string.h>

enum { MOST_DEPTH = 12, MOST_COLUMNS = 12 };

/* "opened_at" reads "Opened at". */
static void write_label(const char *key, struct buf *out)
{
    char label[128];
    size_t n = strlen(key) < sizeof label - 1 ? strlen(key) : sizeof label - 1;
    for (size_t i = 0; i < n; i++)
        label[i] = key[i] == '_' ? ' ' : key[i];
    label[n] = '\0';
    if (label[0] >= 'a' && label[0] <= 'z')
        label[0] = (char)(label[0] - 'a' + 'A');
    buf_xml(out, label);
}

static bool is_scalar(const struct js *j)
{
    return !js_is(j, JS_OBJECT) && !js_is(j, JS_ARRAY);
}

static void write_scalar(const struct js *j, struct buf *out)
{
    char number[32];
    if (!j || js_is(j, JS_NULL))
        buf_adds(out, "not given");
    else if (js_is(j, JS_STRING))
        buf_xml(out, js_str(j));
    else if (js_is(j, JS_INTEGER))
        buf_printf(out, "%" PRId64, js_int(j));
    else if (js_is(j, JS_REAL)) {
        js_format_double(js_num(j), number);
        buf_adds(out, number);
    } else
        buf_adds(out, js_bool(j) ? "yes" : "no");
}

static void write_value(const struct js *j, int depth, struct buf *out);

static void write_object(const struct js *j, int depth, struct buf *out)
{
    buf_adds(out, "<dl class=\"nhsuk-summary-list\">");
    for (void *it = js_first(j); it; it = js_next(j, it)) {
        buf_adds(out, "<div class=\"nhsuk-summary-list__row\"><dt class=\"nhsuk-summary-list__key\">");
        write_label(js_key(it), out);
        buf_adds(out, "</dt><dd class=\"nhsuk-summary-list__value\">");
        write_value(js_value(it), depth + 1, out);
        buf_adds(out, "</dd></div>");
    }
    buf_adds(out, "</dl>");
}

/* An array is a table when all its elements are objects of scalars only, with few enough members. */
static bool is_table(const struct js *j)
{
    for (size_t i = 0; i < js_size(j); i++) {
        const struct js *row = js_at(j, i);
        if (!js_is(row, JS_OBJECT) || js_size(row) > MOST_COLUMNS)
            return false;
        for (void *it = js_first(row); it; it = js_next(row, it))
            if (!is_scalar(js_value(it)))
                return false;
    }
    return js_size(j) > 0;
}

static void write_table(const struct js *j, struct buf *out)
{
    const struct js *first = js_at(j, 0);
    buf_adds(out, "<div class=\"accord-scroll\"><table class=\"nhsuk-table\"><thead><tr>");
    for (void *it = js_first(first); it; it = js_next(first, it)) {
        buf_adds(out, "<th scope=\"col\">");
        write_label(js_key(it), out);
        buf_adds(out, "</th>");
    }
    buf_adds(out, "</tr></thead><tbody>");
    for (size_t i = 0; i < js_size(j); i++) {
        buf_adds(out, "<tr>");
        for (void *it = js_first(first); it; it = js_next(first, it)) {
            const struct js *cell = js_get(js_at(j, i), js_key(it));
            buf_adds(out, js_is_number(cell) ? "<td class=\"nhsuk-table__cell--numeric\">" : "<td>");
            write_scalar(cell, out);
            buf_adds(out, "</td>");
        }
        buf_adds(out, "</tr>");
    }
    buf_adds(out, "</tbody></table></div>");
}

static void write_list(const struct js *j, int depth, struct buf *out)
{
    buf_adds(out, "<ul>");
    for (size_t i = 0; i < js_size(j); i++) {
        buf_adds(out, "<li>");
        write_value(js_at(j, i), depth + 1, out);
        buf_adds(out, "</li>");
    }
    buf_adds(out, "</ul>");
}

static void write_value(const struct js *j, int depth, struct buf *out)
{
    if (depth > MOST_DEPTH)
        buf_adds(out, "…");
    else if (!j || is_scalar(j))
        write_scalar(j, out);
    else if (js_size(j) == 0)
        buf_adds(out, "none");
    else if (js_is(j, JS_OBJECT))
        write_object(j, depth, out);
    else if (is_table(j))
        write_table(j, out);
    else
        write_list(j, depth, out);
}

static const struct {
    const char *path, *label;
} menu[] = {
    {"/", "Home"},
    {"/bodies", "Bodies"},
    {"/signals", "Needs and offers"},
    {"/projects", "Projects"},
    {"/runs", "Studies"},
    {"/agreements", "Agreements"},
    {"/artefacts", "Results"},
    {"/log", "The log"},
};

static void write_head(const char *title, struct buf *out)
{
    buf_adds(out, "<!doctype html><html lang=\"en\" class=\"nhsuk-template\"><head><meta charset=\"utf-8\">"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>");
    buf_xml(out, title);
    buf_adds(
        out,
        " – Accord</title><link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" "
        "href=\"/assets/app.css\">"
        "<script type=\"module\" src=\"/assets/app.js\"></script></head><body class=\"nhsuk-template__body\">"
        "<a class=\"nhsuk-skip-link\" href=\"#main\">Skip to main content</a>"
        "<header class=\"nhsuk-header\" role=\"banner\"><div class=\"nhsuk-width-container accord-header\">"
        "<a class=\"accord-name\" href=\"/\">Accord</a><nav aria-label=\"Menu\"><ul class=\"accord-menu\">");
    for (size_t i = 0; i < sizeof menu / sizeof *menu; i++)
        buf_printf(out, "<li><a href=\"%s\">%s</a></li>", menu[i].path, menu[i].label);
    buf_adds(
        out,
        "</ul></nav><div class=\"accord-who\" id=\"who\"><a href=\"/work\">Sign in</a></div></div></header>");
}

void plain_write(const struct plain_page *page, struct buf *out)
{
    write_head(page->title, out);
    buf_adds(out, "<div class=\"nhsuk-width-container\"><main class=\"nhsuk-main-wrapper\" id=\"main\"><h1>");
    buf_xml(out, page->title);
    buf_adds(out, "</h1><p class=\"nhsuk-lede-text\">");
    buf_xml(out, page->lead);
    buf_adds(out, "</p>");
    if (page->resource)
        write_value(page->resource, 0, out);
    if (page->api) {
        buf_adds(out, "<p><a href=\"");
        buf_xml(out, page->api);
        buf_adds(out, "\">This page as data (JSON)</a></p>");
    }
    buf_adds(out, "</main></div><footer class=\"nhsuk-footer\" role=\"contentinfo\"><div "
                  "class=\"nhsuk-width-container\"><p>"
                  "Patient data never leaves the NHS. Everything here is on a public log that anyone can "
                  "check.</p></div>"
                  "</footer></body></html>");
}
