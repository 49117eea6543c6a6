/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages' script and styles, and the frame of the pages where people act, which the script fills.
 */
#include "http/assets.h"
#include "http/public.h"
#include "http/tables.h"

enum status public_notice(struct call *c, const char *title, const char *lead, struct err *e)
{
    const struct html_frame frame = {
        .title = title, .name = "Accord", .menu = public_menu, .foot = public_foot, .script = true};
    struct buf *out = &c->response->body;
    html_begin(&frame, out);
    html_add(out, "<h1>%s</h1><p class=\"nhsuk-lede-text\">%s</p>", title, lead);
    html_end(&frame, out);
    c->response->code = 200;
    c->response->type = "text/html; charset=utf-8";
    response_header(c->response, "Content-Security-Policy", html_policy);
    return buf_check(out, "the page", e);
}

/* Each step is signed in a session, so this part is the script's alone. */
static enum status get_work_page(struct call *c, struct err *e)
{
    return public_notice(
        c, "Your work",
        "Here people who act for a body sign in, see what is waiting for them, and do it. This "
        "part needs JavaScript. Without it, the command line does the same: accord help.",
        e);
}

static enum status get_asset(struct call *c, struct err *e)
{
    struct asset asset;
    if (!asset_find(c->param[0], &asset))
        return err_set(e, ST_NOT_FOUND, "there is no such file");
    return asset_answer(c->request, &asset, c->response);
}

const struct route page_routes[] = {
    {"GET", "/assets/{file}", ACCESS_PUBLIC, "script and styles of the pages", NULL, NULL, "a file",
     get_asset, HOLD_NOTHING},
    {"GET", "/work", ACCESS_PUBLIC, "where people act", NULL, NULL, "HTML", get_work_page, HOLD_NOTHING},
    {"GET", "/work/{page}", ACCESS_PUBLIC, "where people act", NULL, NULL, "HTML", get_work_page,
     HOLD_NOTHING},
    {"GET", "/work/{page}/{id}", ACCESS_PUBLIC, "where people act", NULL, NULL, "HTML", get_work_page,
     HOLD_NOTHING},
    {"GET", "/work/{page}/{id}/{step}", ACCESS_PUBLIC, "where people act", NULL, NULL, "HTML", get_work_page,
     HOLD_NOTHING},
    {0},
};
