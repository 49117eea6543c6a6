/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes that read the register as a whole: matching, search, clocks, the permission table, and its exports
 * in other people's forms. All public.
 */
#include "base/date.h"
#include "govern/export.h"
#include "govern/match.h"
#include "govern/search.h"
#include "govern/verb.h"
#include "http/hub.h"
#include "http/tables.h"

enum { MOST_FOUND = 100, EXPORT_MOST = 64 << 20, FEED_ENTRIES = 100 };

static enum status answer_list(struct call *c, enum status s, struct js *list)
{
    if (s != ST_OK) {
        js_free(list);
        return s;
    }
    struct js *answer = js_object();
    js_put(answer, "items", list);
    return call_json(c, 200, answer);
}

static enum status get_match(struct call *c, struct err *e)
{
    struct js *list = NULL;
    int64_t limit = 0;
    enum status s = call_query_int(c, "limit", 1, MOST_FOUND, 10, &limit, e);
    if (s == ST_OK)
        s = match_body(c->registry, c->param[0], (int)limit, &list, e);
    return answer_list(c, s, list);
}

static enum status get_suggest(struct call *c, struct err *e)
{
    struct js *list = NULL;
    int64_t limit = 0;
    enum status s = call_query_int(c, "limit", 1, MOST_FOUND, 10, &limit, e);
    if (s == ST_OK)
        s = match_suggest(c->registry, (int)limit, &list, e);
    return answer_list(c, s, list);
}

static enum status get_common(struct call *c, struct err *e)
{
    struct js *list = NULL;
    enum status s = match_common(c->registry, c->param[0], c->param[1], &list, e);
    return answer_list(c, s, list);
}

static enum status get_search(struct call *c, struct err *e)
{
    struct js *list = NULL;
    const char *words = NULL, *noun = NULL;
    int64_t limit = 0;
    enum status s = call_query(c, "q", &words, e);
    if (s == ST_OK && !words)
        s = err_set(e, ST_USAGE, "the query member 'q' is needed: the words to search for");
    if (s == ST_OK)
        s = call_query(c, "noun", &noun, e);
    if (s == ST_OK)
        s = call_query_int(c, "limit", 1, MOST_FOUND, 20, &limit, e);
    if (s == ST_OK)
        s = search_text(c->registry, words, noun, (int)limit, &list, e);
    return answer_list(c, s, list);
}

static enum status get_clocks(struct call *c, struct err *e)
{
    struct js *list = NULL;
    const char *overdue = NULL;
    enum status s = call_query(c, "overdue", &overdue, e);
    if (s == ST_OK && overdue && !word_in("true|false", overdue))
        s = err_set(e, ST_USAGE, "the query member 'overdue' is true or false");
    if (s == ST_OK)
        s = clocks(c->registry, (int32_t)(time_now_ms() / 86400000), overdue && *overdue == 't', &list, e);
    return answer_list(c, s, list);
}

static struct js *role_names(uint32_t roles)
{
    struct js *names = js_array();
    for (int r = 0; r < ROLES; r++)
        if (roles >> r & 1)
            js_push(names, js_string(role_name((enum role)r)));
    return names;
}

static enum status get_perms(struct call *c, struct err *e)
{
    struct js *list = js_array();
    (void)e;
    for (const struct verb *v = verbs; v->name; v++) {
        struct js *row = js_object();
        js_put_str(row, "verb", v->name);
        js_put(row, "roles", role_names(v->roles));
        js_put_str(row, "from", v->from ? v->from : "");
        js_put_str(row, "to", v->to ? v->to : "");
        js_put_str(row, "about", v->about);
        js_push(list, row);
    }
    return answer_list(c, ST_OK, list);
}

static enum status bytes_out(struct call *c, enum status s, const char *type, struct buf *text)
{
    if (s == ST_OK)
        s = call_bytes(c, type, buf_slice(text));
    buf_deinit(text);
    return s;
}

static enum status get_use_register(struct call *c, struct err *e)
{
    struct buf text;
    buf_init(&text, EXPORT_MOST);
    return bytes_out(c, export_use_register(c->registry, &text, e), "text/csv; charset=utf-8", &text);
}

static enum status get_disclosure(struct call *c, struct err *e)
{
    struct buf text;
    int64_t year = 0;
    buf_init(&text, EXPORT_MOST);
    enum status s =
        call_query_int(c, "year", 2000, 9999, date_year((int32_t)(time_now_ms() / 86400000)), &year, e);
    if (s == ST_OK)
        s = export_disclosure_csv(c->registry, (int)year, &text, e);
    return bytes_out(c, s, "text/csv; charset=utf-8", &text);
}

/* The address that the reader came by is not to be trusted; the log's name is the register's own. */
static void public_address(struct call *c, struct buf *out)
{
    buf_printf(out, "https://%s", ledger_origin(registry_ledger(c->registry)));
}

static enum status get_feed(struct call *c, struct err *e)
{
    struct buf text, address;
    buf_init(&text, EXPORT_MOST);
    buf_init(&address, 256);
    public_address(c, &address);
    enum status s = export_atom(c->registry, address.p, FEED_ENTRIES, &text, e);
    buf_deinit(&address);
    return bytes_out(c, s, "application/atom+xml; charset=utf-8", &text);
}

static enum status get_catalogue(struct call *c, struct err *e)
{
    struct js *j = NULL;
    struct buf address;
    buf_init(&address, 256);
    public_address(c, &address);
    enum status s = export_dcat(c->registry, address.p, &j, e);
    buf_deinit(&address);
    if (s == ST_OK)
        return call_json(c, 200, j);
    js_free(j);
    return s;
}

static enum status get_dataset(struct call *c, struct err *e)
{
    struct js *j = NULL;
    enum status s = export_dataset(c->registry, c->param[0], &j, e);
    return s == ST_OK ? call_json(c, 200, j) : s;
}

const struct route partnership_routes[] = {
    {"GET", "/api/v1/match/{body}", ACCESS_PUBLIC, "the best counterparts of a body, with the reasons",
     "limit=1 to 100", NULL, "items", get_match, HOLD_REGISTER},
    {"GET", "/api/v1/suggest", ACCESS_PUBLIC, "needs and offers that no project has taken up",
     "limit=1 to 100", NULL, "items", get_suggest, HOLD_REGISTER},
    {"GET", "/api/v1/common/{body}/{other}", ACCESS_PUBLIC, "what two bodies have in common", NULL, NULL,
     "items", get_common, HOLD_REGISTER},
    {"GET", "/api/v1/search", ACCESS_PUBLIC, "search the register's public text",
     "q=words, each may end in *|noun=only items of this noun|limit=1 to 100", NULL, "items", get_search,
     HOLD_REGISTER},
    {"GET", "/api/v1/clocks", ACCESS_PUBLIC, "what is due and what is late",
     "overdue=true: only what is late", NULL, "items", get_clocks, HOLD_REGISTER},
    {"GET", "/api/v1/perms", ACCESS_PUBLIC, "the permission table", NULL, NULL, "items", get_perms,
     HOLD_REGISTER},
    {"GET", "/api/v1/export/use-register", ACCESS_PUBLIC, "the Data Use Register, 31 columns", NULL, NULL,
     "CSV", get_use_register, HOLD_REGISTER},
    {"GET", "/api/v1/export/disclosure-uk", ACCESS_PUBLIC, "transfers of value of a year",
     "year=transfers made in this year", NULL, "CSV", get_disclosure, HOLD_REGISTER},
    {"GET", "/api/v1/export/feed", ACCESS_PUBLIC, "the newest entries as an Atom feed", NULL, NULL, "Atom",
     get_feed, HOLD_REGISTER},
    {"GET", "/api/v1/export/catalogue", ACCESS_PUBLIC, "open artefacts as a DCAT catalogue", NULL, NULL,
     "JSON-LD", get_catalogue, HOLD_REGISTER},
    {"GET", "/api/v1/export/datasets/{id}", ACCESS_PUBLIC, "a dataset's metadata in HDR UK's form", NULL,
     NULL, "metadata of schema 3.0.0", get_dataset, HOLD_REGISTER},
    {0},
};
