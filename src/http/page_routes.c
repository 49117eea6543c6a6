/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages that people open: each is the plain HTML view of one resource of the API, at the same address
 * where the web UI's script shows its richer view; and the script and styles themselves.
 */
#include <stdio.h>

#include "http/assets.h"
#include "http/html.h"
#include "http/plain.h"
#include "http/tables.h"

enum { PAGE_MOST = 64 << 20 };

static enum status send_page(struct call *c, const struct plain_page *page, struct err *e)
{
    struct buf html;
    buf_init(&html, PAGE_MOST);
    plain_write(page, &html);
    enum status s = buf_check(&html, "the page", e);
    if (s == ST_OK)
        s = call_bytes(c, "text/html; charset=utf-8", buf_slice(&html));
    if (s == ST_OK)
        response_header(c->response, "Content-Security-Policy", html_policy);
    buf_deinit(&html);
    return s;
}

/* The page of what the API holds at `api`. */
static enum status page_of(struct call *c, const char *title, const char *lead, const char *api,
                           struct err *e)
{
    struct js *resource = NULL;
    enum status s = call_get(c, api, &resource, e);
    if (s == ST_OK)
        s = send_page(c, &(struct plain_page){title, lead, api, resource}, e);
    js_free(resource);
    return s;
}

static const struct page {
    const char *path, *api, *title, *lead;
} pages[] = {
    {"bodies", "/api/v1/register/body", "Organisations",
     "The NHS bodies, companies, universities and charities that take part, with the dates they exist for."},
    {"signals", "/api/v1/register/signal", "Needs and offers",
     "What NHS bodies need, in their own order of importance, and what partners can offer."},
    {"projects", "/api/v1/register/project", "Projects",
     "Work that grew from a need: who takes part, what each brings, what it replaces and what came of it."},
    {"agreements", "/api/v1/register/agreement", "Agreements",
     "The terms that NHS bodies and partners have signed: what may be studied, where, by whom, and what the "
     "NHS gets."},
    {"runs", "/api/v1/runs", "Studies that ran on patient data",
     "Every study that was run inside the NHS: who asked, under which agreement, which sites took part."},
    {"artefacts", "/api/v1/register/artefact", "Results",
     "Tables that two independent output checkers have approved for everyone to see."},
    {"transfers", "/api/v1/register/transfer", "Transfers of value",
     "Money and help in kind that moved under the agreements: who gave what to whom, and when."},
    {"measures", "/api/v1/register/measure", "Benefits and harms measured",
     "What each project set out to change, where it started, and what has been measured since."},
    {"log", "/api/v1/log/entries", "The log",
     "Every step that anyone took, in order, signed by who took it. Nothing can be changed or removed "
     "without it showing."},
};

static const struct page *page_find(const char *path)
{
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (strcmp(pages[i].path, path) == 0)
            return &pages[i];
    return NULL;
}

static enum status no_page(struct err *e)
{
    return err_set(e, ST_NOT_FOUND, "there is no such page");
}

static enum status get_home(struct call *c, struct err *e)
{
    return page_of(c, "Research on NHS data that never leaves the NHS",
                   "Accord lets NHS bodies and their research partners learn from patient records without "
                   "the records ever "
                   "leaving the NHS. Studies go to the data; only tables that are safe to publish come out, "
                   "after two people "
                   "have checked them. Everything that happens is on a public log that nobody can rewrite.",
                   "/api/v1/hub", e);
}

/* Lists of the register are tables of one line an item; the board's lists are that already. */
static const char *brief_of(const struct page *p)
{
    return strcmp(p->path, "runs") == 0 ? "" : "?brief=true";
}

static enum status get_page(struct call *c, struct err *e)
{
    const struct page *p = page_find(c->param[0]);
    return p ? page_of(c, p->title, p->lead, arena_printf(c->request->arena, "%s%s", p->api, brief_of(p)), e)
             : no_page(e);
}

static enum status get_item_page(struct call *c, struct err *e)
{
    const struct page *p = page_find(c->param[0]);
    if (!p)
        return no_page(e);
    struct arena *a = c->request->arena;
    const char *id =
        strrchr(c->request->path, '/') + 1; /* still percent-encoded, as the API's path wants it */
    bool entry = strcmp(p->path, "log") == 0;
    const char *api = arena_printf(a, entry ? "%s/%s/proof" : "%s/%s", p->api, id);
    return page_of(c, arena_printf(a, "%s: %s", p->title, c->param[1]), p->lead, api, e);
}

/* A run's page shows its released tables too, so that they can be read without the script. */
static enum status get_result_page(struct call *c, struct err *e)
{
    struct arena *a = c->request->arena;
    const char *api = arena_printf(a, "/api/v1%s", c->request->path);
    return page_of(c, arena_printf(a, "Result of %s", c->param[0]),
                   "Tables that two independent output checkers have approved for everyone to see.", api, e);
}

/* Where people act: the script's alone, since each step is signed in a session. */
static enum status get_work_page(struct call *c, struct err *e)
{
    return send_page(c,
                     &(struct plain_page){"Your work",
                                          "Here people who act for a body sign in, see what is waiting for "
                                          "them, and do it. This part needs JavaScript. Without it, the "
                                          "command line does the same: accord help.",
                                          NULL, NULL},
                     e);
}

static enum status get_asset(struct call *c, struct err *e)
{
    struct asset asset;
    if (!asset_find(c->param[0], &asset))
        return no_page(e);
    return asset_answer(c->request, &asset, c->response);
}

const struct route page_routes[] = {
    {"GET", "/", ACCESS_PUBLIC, "the front page", NULL, NULL, "HTML", get_home, HOLD_SNAPSHOT},
    {"GET", "/assets/{file}", ACCESS_PUBLIC, "script and styles of the pages", NULL, NULL, "a file",
     get_asset, HOLD_NOTHING},
    {"GET", "/work", ACCESS_PUBLIC, "where people act", NULL, NULL, "HTML", get_work_page, HOLD_NOTHING},
    {"GET", "/work/{page}", ACCESS_PUBLIC, "where people act", NULL, NULL, "HTML", get_work_page,
     HOLD_NOTHING},
    {"GET", "/work/{page}/{id}", ACCESS_PUBLIC, "where people act", NULL, NULL, "HTML", get_work_page,
     HOLD_NOTHING},
    {"GET", "/work/{page}/{id}/{step}", ACCESS_PUBLIC, "where people act", NULL, NULL, "HTML", get_work_page,
     HOLD_NOTHING},
    {"GET", "/{page}", ACCESS_PUBLIC, "a page of the register", NULL, NULL, "HTML", get_page, HOLD_REGISTER},
    {"GET", "/{page}/{id}", ACCESS_PUBLIC, "the page of one item", NULL, NULL, "HTML", get_item_page,
     HOLD_REGISTER},
    {"GET", "/runs/{id}/result", ACCESS_PUBLIC, "the page of a released result", NULL, NULL, "HTML",
     get_result_page, HOLD_SNAPSHOT},
    {0},
};
