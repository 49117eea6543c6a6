/* SPDX-License-Identifier: Apache-2.0
 * What the node's pages are put together from: their frame, forms, rows. */
#include "http/visit.h"

static const struct html_link menu[] = {{"/", "Waiting for you"}, {"/stop", "Stop everything"}, {0}};
static const struct html_link checkers_menu[] = {{"/", "Waiting for you"}, {0}};

struct html_frame view_frame(const struct visit *v, const char *title)
{
    bool in = v->who.person[0];
    return (struct html_frame){
        .title = title,
        .name = "Accord node",
        .menu = !in                          ? NULL
                : visit_may(v, "controller") ? menu
                                             : checkers_menu,
        .path = v->request->path,
        .foot =
            "This page is of your site's own node. Patient data and unreleased numbers stay at this site.",
    };
}

void view_begin(struct visit *v, const struct html_frame *f, const char *lead)
{
    struct buf *out = &v->response->body;
    html_begin(f, out);
    if (v->fault)
        html_add(out,
                 "<div class=\"nhsuk-error-summary\" role=\"alert\"><h2 "
                 "class=\"nhsuk-error-summary__title\">That was not done</h2><p>%s</p></div>",
                 v->fault->text);
    html_add(out, "<h1>%s</h1><p class=\"nhsuk-lede-text\">%s</p>", f->title, lead);
}

void view_form_begin(struct visit *v, const char *action)
{
    html_add(&v->response->body,
             "<form method=\"post\" action=\"%s\"><input type=\"hidden\" name=\"csrf\" value=\"%s\">", action,
             v->csrf);
}

void view_form_end(struct visit *v, const char *button, const char *kind)
{
    html_add(&v->response->body, "<button class=\"nhsuk-button%s\">%s</button></form>", kind, button);
}

void view_reason(struct visit *v, const char *label, const char *hint)
{
    html_add(&v->response->body,
             "<div class=\"nhsuk-form-group\"><label class=\"nhsuk-label\" for=\"reason\">%s</label>"
             "<div class=\"nhsuk-hint\" id=\"reason-hint\">%s</div><textarea class=\"nhsuk-textarea\" "
             "id=\"reason\" name=\"reason\" rows=\"3\" required aria-describedby=\"reason-hint\"></textarea>"
             "</div>",
             label, hint);
}

enum status view_end(struct visit *v, const struct html_frame *f)
{
    struct buf *out = &v->response->body;
    if (v->who.person[0]) {
        html_add(out, "<div class=\"accord-signed\"><p>You are signed in as %s.</p>", v->who.person);
        view_form_begin(v, "/sign-out");
        view_form_end(v, "Sign out", " nhsuk-button--secondary nhsuk-button--small");
        buf_adds(out, "</div>");
    }
    html_end(f, out);
    if (!v->response->code)
        v->response->code = 200;
    v->response->type = "text/html; charset=utf-8";
    response_header(v->response, "Content-Security-Policy", html_policy);
    return ST_OK;
}

void view_row_begin(struct buf *out, const char *key)
{
    html_add(out,
             "<div class=\"nhsuk-summary-list__row\"><dt class=\"nhsuk-summary-list__key\">%s</dt><dd "
             "class=\"nhsuk-summary-list__value\">",
             key);
}

void view_row(struct buf *out, const char *key, const char *text)
{
    view_row_begin(out, key);
    html_add(out, "%s</dd></div>", text);
}

void view_names(struct buf *out, const struct js *names)
{
    for (size_t i = 0; i < js_size(names); i++)
        html_add(out, "%s%s", i ? ", " : "", js_str(js_at(names, i)));
}

void view_fault(struct visit *v, const struct err *fault)
{
    struct html_frame f = view_frame(v, "That cannot be shown");
    view_begin(v, &f, fault->text);
    buf_adds(&v->response->body, "<p><a href=\"/\">What is waiting for you</a></p>");
    view_end(v, &f);
}

bool view_in_state(const struct js *o, const char *state)
{
    const char *now = js_get_str(o, "state");
    return now && strcmp(now, state) == 0;
}
