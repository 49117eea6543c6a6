/* SPDX-License-Identifier: Apache-2.0
 * The public pages' routes: front page, lists and items of every noun, boards, uses, the log, downloads. */
#include "http/public.h"

#include "govern/register.h"
#include "http/tables.h"

enum { PAGE_MOST = 64 << 20, PER_PAGE = 50 };

const struct html_link public_menu[] = {{"/", "Home"},
                                        {"/boards", "NHS boards"},
                                        {"/signals", "Needs and offers"},
                                        {"/projects", "Projects"},
                                        {"/agreements", "Agreements"},
                                        {"/uses", "Who uses data"},
                                        {"/artefacts", "Results"},
                                        {"/transfers", "Value"},
                                        {"/log", "The log"},
                                        {"/downloads", "Data"},
                                        {0}};

const char public_foot[] =
    "Patient data never leaves the NHS. Everything here is on a public log that anyone can check.";

/* --- every page ---------------------------------------------------------------------------------------- */

enum status public_begin(struct public_page *p, struct call *c, const char *title, const char *lead,
                         struct err *e)
{
    *p = (struct public_page){.call = c, .by_id = js_object()};
    p->names = (struct names){.by_id = p->by_id, .registry = c->registry};
    buf_init(&p->out, PAGE_MOST);
    p->frame = (struct html_frame){.title = title,
                                   .name = "Accord",
                                   .menu = public_menu,
                                   .path = c->request->path,
                                   .foot = public_foot,
                                   .script = true};
    html_begin(&p->frame, &p->out);
    html_add(&p->out, "<h1>%s</h1><p class=\"nhsuk-lede-text\">%s</p>", title, lead);
    return buf_check(&p->out, "the page", e);
}

enum status public_end(struct public_page *p, enum status s, const char *api, struct err *e)
{
    if (api)
        html_add(&p->out, "<p class=\"accord-data\"><a href=\"%s\">This page as data (JSON)</a></p>", api);
    html_end(&p->frame, &p->out);
    if (s == ST_OK)
        s = buf_check(&p->out, "the page", e);
    if (s == ST_OK)
        s = call_bytes(p->call, "text/html; charset=utf-8", buf_slice(&p->out));
    if (s == ST_OK)
        response_header(p->call->response, "Content-Security-Policy", html_policy);
    buf_deinit(&p->out);
    js_free(p->by_id);
    return s;
}

/* --- items --------------------------------------------------------------------------------------------- */

static const char *title_of(const struct js *item)
{
    static const char *const members[] = {"title", "name", "decision", "id"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (js_get_str(item, members[i]))
            return js_get_str(item, members[i]);
    return "";
}

static enum status write_item(struct public_page *p, const struct noun_page *page, const struct js *item,
                              struct err *e)
{
    struct buf *out = &p->out;
    const char *id = js_get_str(item, "id"),
               *subject = arena_printf(p->call->request->arena, "%s:%s", page->noun, id);
    buf_adds(out, "<p>");
    html_state(out, js_get_str(item, "state"));
    html_add(out, "</p><div id=\"actions\" data-noun=\"%s\" data-id=\"%s\"></div>", page->noun, id);
    show_item(out, &p->names, page->fields, item);
    enum status s = public_item_extra(p, page->noun, item, e);
    if (s != ST_OK)
        return s;
    bool project = strcmp(page->noun, "project") == 0;
    html_add(out, "<h2>%s</h2>",
             project ? "From the need to what came of it" : "What happened, step by step");
    const char *address = arena_printf(p->call->request->arena, "/%s/%s?page=", page->path, id);
    s = project ? story_project(p, item, address, e)
                : story_write(p, (const char *const[]){subject, NULL}, address, e);
    story_verify(out, js_get_int(item, "changed", 0));
    return s;
}

static const char *lead_of_kind(const char *kind, const char *otherwise)
{
    static const char *const leads[][2] = {
        {"icb",
         "An integrated care board: the NHS body that plans and pays for health care in its area. Here "
         "is what it needs, what it has agreed to, and how it answers whoever writes to it."},
        {"trust", "An NHS trust: it runs hospitals or other services that care for patients."},
        {"sde", "A secure data environment: a place where the NHS lets approved people study data without "
                "taking it away."},
        {"company", "A company. Here is what it offers the NHS, what it has agreed to, and what it gave."},
        {"university", "A university. Here is what it offers the NHS and what it has agreed to."},
        {"charity", "A charity. Here is what it offers the NHS and what it has agreed to."}};
    for (size_t i = 0; kind && i < sizeof leads / sizeof *leads; i++)
        if (strcmp(leads[i][0], kind) == 0)
            return leads[i][1];
    return otherwise;
}

/* What its own people say of it in plain words, where they have. */
static const char *lead_of(const struct noun_page *page, const struct js *item)
{
    static const char *const members[] = {"lay", "summary"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (js_get_str(item, members[i]) && *js_get_str(item, members[i]))
            return js_get_str(item, members[i]);
    return strcmp(page->noun, "body") == 0 ? lead_of_kind(js_get_str(item, "kind"), page->of_item)
                                           : page->of_item;
}

static enum status get_item(struct call *c, const struct noun_page *page, const char *id, struct err *e)
{
    struct public_page p;
    struct js *item = NULL;
    enum status s = registry_item(c->registry, page->noun, id, &item, e);
    if (s != ST_OK)
        return s;
    s = public_begin(&p, c, title_of(item), lead_of(page, item), e);
    if (s == ST_OK)
        s = write_item(&p, page, item, e);
    s = public_end(&p, s, arena_printf(c->request->arena, "/api/v1/register/%s/%s", page->noun, id), e);
    js_free(item);
    return s;
}

/* --- who uses data for what ---------------------------------------------------------------------------- */

static enum status get_uses(struct call *c, struct err *e)
{
    static const struct shown columns[] = {
        {"title", "Agreement", SHOW_TEXT, NULL},  {"parties", "Who", SHOW_BODIES, NULL},
        {"purpose", "For what", SHOW_TEXT, NULL}, {"use", "Use", SHOW_WORDS, NULL},
        {"to", "Until", SHOW_DAY, NULL},          {0}};
    struct registry_query q = {.noun = "agreement", .state = "in_force"};
    struct html_part part = {.per = PER_PAGE};
    struct js *items = NULL;
    struct public_page p;
    enum status s = registry_count(c->registry, &q, &part.total, e);
    if (s == ST_OK)
        s = public_part(c, PER_PAGE, part.total, &q, &part.at, e);
    if (s != ST_OK)
        return s;
    s = public_begin(&p, c, "Who uses data, and for what",
                     "Every agreement in force under which studies may run on patient data, with who "
                     "may ask, why, and for how long. Nobody else may.",
                     e);
    if (s == ST_OK)
        s = registry_list(c->registry, &q, &items, e);
    if (s == ST_OK && js_size(items)) {
        const char *caption = html_part_caption(c->request->arena, "Agreements in force", &part);
        show_table(&p.out, &p.names, columns, "agreements", caption, items);
        html_part_links(&p.out, "/uses?page=", &part);
    } else if (s == ST_OK)
        buf_adds(&p.out, "<p class=\"nhsuk-inset-text\">No agreement is in force.</p>");
    buf_adds(&p.out,
             "<p><a href=\"/api/v1/export/use-register\">The Data Use Register as CSV, 31 columns</a></p>");
    js_free(items);
    return public_end(&p, s, "/api/v1/register/agreement?state=in_force", e);
}

/* --- downloads ----------------------------------------------------------------------------------------- */

static enum status get_downloads(struct call *c, struct err *e)
{
    static const char *const files[][2] = {
        {"/api/v1/export/use-register", "Who uses data for what: the Data Use Register (CSV)"},
        {"/api/v1/export/disclosure-uk", "Transfers of value of this year, for Disclosure UK (CSV)"},
        {"/api/v1/export/catalogue", "Open results as a DCAT catalogue (JSON-LD)"},
        {"/api/v1/export/feed", "The newest entries as a feed (Atom)"},
        {"/api/v1/log/entries", "The log, 100 entries at a time (JSON)"},
        {"/api/v1/log/checkpoint", "The signed checkpoint of the log (C2SP)"},
        {"/api/v1/perms", "Who may do what: the permission table (JSON)"},
        {"/api/v1/openapi.json", "The interface for programs (OpenAPI)"}};
    struct public_page p;
    enum status s =
        public_begin(&p, c, "Downloads and feeds",
                     "Everything on these pages is open data: take it, check it, and build on it.", e);
    buf_adds(&p.out, "<h2>Tables, feeds and proofs</h2><ul>");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        html_add(&p.out, "<li><a href=\"%s\">%s</a></li>", files[i][0], files[i][1]);
    buf_adds(&p.out, "</ul><h2>Each list of these pages</h2><ul>");
    for (const struct noun_page *page = noun_pages; page->path; page++)
        html_add(&p.out, "<li><a href=\"/api/v1/register/%s\">%s (JSON)</a></li>", page->noun, page->title);
    buf_adds(&p.out, "</ul>");
    return public_end(&p, s, NULL, e);
}

/* --- routes -------------------------------------------------------------------------------------------- */

static enum status get_page(struct call *c, struct err *e)
{
    const struct noun_page *page = noun_page_find(c->param[0]);
    return page ? public_list(c, page, e) : err_set(e, ST_NOT_FOUND, "there is no such page");
}

static enum status get_item_page(struct call *c, struct err *e)
{
    const struct noun_page *page = noun_page_find(c->param[0]);
    return page ? get_item(c, page, c->param[1], e) : err_set(e, ST_NOT_FOUND, "there is no such page");
}

static enum status get_run_result(struct call *c, struct err *e)
{
    return get_item(c, noun_page_find("runs"), c->param[0], e);
}

const struct route public_routes[] = {
    {"GET", "/", ACCESS_PUBLIC, "the front page", NULL, NULL, "HTML", public_front, HOLD_REGISTER},
    {"GET", "/api/v1/activity", ACCESS_PUBLIC, "entries of the last four weeks, by day and kind", NULL, NULL,
     "kinds, days", public_activity, HOLD_REGISTER},
    {"GET", "/boards", ACCESS_PUBLIC, "the boards and their leads", NULL, NULL, "HTML", public_boards,
     HOLD_REGISTER},
    {"GET", "/uses", ACCESS_PUBLIC, "who uses data for what", "page=which fifty", NULL, "HTML", get_uses,
     HOLD_REGISTER},
    {"GET", "/downloads", ACCESS_PUBLIC, "downloads and feeds", NULL, NULL, "HTML", get_downloads,
     HOLD_REGISTER},
    {"GET", "/log", ACCESS_PUBLIC, "the page of the log", "to=entries before this one", NULL, "HTML",
     public_log, HOLD_REGISTER},
    {"GET", "/log/{seq}", ACCESS_PUBLIC, "the page of an entry", NULL, NULL, "HTML", public_entry,
     HOLD_REGISTER},
    {"GET", "/artefacts/{id}/{file}", ACCESS_PUBLIC,
     "a released table as a picture (.svg, .narrow.svg) or CSV (.csv)", NULL, NULL, "SVG or CSV",
     public_artefact_file, HOLD_REGISTER},
    {"GET", "/runs/{id}/result", ACCESS_PUBLIC, "the page of a run with its result", NULL, NULL, "HTML",
     get_run_result, HOLD_REGISTER},
    {"GET", "/{page}", ACCESS_PUBLIC, "the page of a noun",
     "state=only in this state|body=only of this body|kind=only of this kind|side=need or offer|stage=stage "
     "of care|page=which fifty",
     NULL, "HTML", get_page, HOLD_REGISTER},
    {"GET", "/{page}/{id}", ACCESS_PUBLIC, "the page of one item", NULL, NULL, "HTML", get_item_page,
     HOLD_REGISTER},
    {0},
};
