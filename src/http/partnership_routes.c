/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes that read the register as a whole: matching, search, clocks, the permission table, and its exports
 * in other people's forms. All public.
 */
#include "base/date.h"
#include "govern/agreement.h"
#include "govern/export.h"
#include "govern/match.h"
#include "govern/papers.h"
#include "govern/profile.h"
#include "govern/report.h"
#include "govern/search.h"
#include "govern/verb.h"
#include "http/hub.h"
#include "http/tables.h"

enum { MOST_FOUND = 100, EXPORT_MOST = 64 << 20, FEED_ENTRIES = 100 };

static int32_t today(void)
{
    return (int32_t)(time_now_ms() / 86400000);
}

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
    const char *overdue = NULL, *on = NULL;
    int32_t day = today();
    enum status s = call_query(c, "overdue", &overdue, e);
    if (s == ST_OK)
        s = call_query(c, "on", &on, e);
    if (s == ST_OK && on && !date_parse(slice_of(on), &day))
        s = err_set(e, ST_USAGE, "the query member 'on' is a date such as 2026-11-22");
    if (s == ST_OK && overdue && !word_in("true|false", overdue))
        s = err_set(e, ST_USAGE, "the query member 'overdue' is true or false");
    if (s == ST_OK)
        s = clocks(c->registry, day, overdue && *overdue == 't', &list, e);
    return answer_list(c, s, list);
}

static enum status answer_object(struct call *c, enum status s, struct js *j)
{
    if (s == ST_OK)
        return call_json(c, 200, j);
    js_free(j);
    return s;
}

static enum status get_profile(struct call *c, struct err *e)
{
    struct js *j = NULL;
    enum status s = profile_body(c->registry, c->param[0], today(), &j, e);
    return answer_object(c, s, j);
}

static enum status get_tree(struct call *c, struct err *e)
{
    struct js *list = NULL;
    enum status s = profile_tree(c->registry, c->param[0], &list, e);
    return answer_list(c, s, list);
}

static enum status get_gaps(struct call *c, struct err *e)
{
    struct js *list = NULL;
    enum status s = profile_gaps(c->registry, c->param[0], &list, e);
    return answer_list(c, s, list);
}

static enum status get_team(struct call *c, struct err *e)
{
    struct js *list = NULL;
    enum status s = profile_team(c->registry, c->param[0], today(), &list, e);
    return answer_list(c, s, list);
}

static enum status get_leads(struct call *c, struct err *e)
{
    struct js *list = NULL;
    enum status s = profile_leads(c->registry, today(), &list, e);
    return answer_list(c, s, list);
}

static enum status get_forms_diff(struct call *c, struct err *e)
{
    struct js *list = NULL;
    enum status s = profile_forms(c->registry, c->param[0], c->param[1], &list, e);
    return answer_list(c, s, list);
}

static enum status get_form(struct call *c, struct err *e)
{
    const char *form = NULL;
    struct js *list = NULL;
    enum status s = call_query(c, "form", &form, e);
    if (s == ST_OK)
        s = paper_form(c->registry, c->param[0], form ? form : "five-safes", &list, e);
    return answer_list(c, s, list);
}

static enum status get_sheet(struct call *c, struct err *e)
{
    struct js *list = NULL;
    enum status s = paper_sheet(c->registry, c->param[0], today(), &list, e);
    return answer_list(c, s, list);
}

static enum status get_terms_diff(struct call *c, struct err *e)
{
    struct js *list = NULL;
    enum status s = paper_diff(c->registry, c->param[0], &list, e);
    return answer_list(c, s, list);
}

static enum status get_transfers_total(struct call *c, struct err *e)
{
    struct js *list = NULL;
    enum status s = report_transfers(c->registry, &list, e);
    return answer_list(c, s, list);
}

static enum status get_environments(struct call *c, struct err *e)
{
    struct js *list = NULL;
    enum status s = report_environments(c->registry, &list, e);
    return answer_list(c, s, list);
}

static enum status get_report(struct call *c, struct err *e)
{
    struct js *j = NULL;
    enum status s = report_project(c->registry, c->param[0], &j, e);
    return answer_object(c, s, j);
}

/* The person who asks: an account's, or whose key signed. */
static enum status person_of(struct call *c, const char **out, struct err *e)
{
    struct js *actor = NULL;
    *out = c->account ? c->account->person : NULL;
    if (c->account)
        return account_may(c->account, "read")
                   ? ST_OK
                   : err_set(e, ST_DENIED, "this API token's scopes do not include 'read'");
    enum status s = registry_actor(c->registry, c->signer, &actor, e);
    const char *kind = js_get_str(actor, "kind");
    if (s == ST_OK && kind && strcmp(kind, "person") == 0)
        *out = arena_strdup(c->request->arena, js_get_str(actor, "id"));
    else if (s == ST_OK || s == ST_NOT_FOUND)
        s = err_set(e, ST_DENIED, "the request's key is not that of a person on the register");
    js_free(actor);
    return s;
}

static enum status get_annex(struct call *c, struct err *e)
{
    struct js *j = NULL;
    const char *person = NULL;
    enum status s = person_of(c, &person, e);
    if (s == ST_OK)
        s = annex_read(c->registry, c->param[0], person, today(), &j, e);
    if (s == ST_OK)
        response_header(c->response, "Cache-Control", "no-store");
    return answer_object(c, s, j);
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

/* The address that the register is published under: the reader's word, or the log's own name. The address
   that the reader came by is not to be trusted. */
static enum status public_address(struct call *c, struct buf *out, struct err *e)
{
    const char *url = NULL;
    enum status s = call_query(c, "url", &url, e);
    if (s == ST_OK && url && strncmp(url, "https://", 8) != 0)
        s = err_set(e, ST_USAGE, "the query member 'url' begins with https://");
    if (s == ST_OK && url)
        buf_adds(out, url);
    else if (s == ST_OK)
        buf_printf(out, "https://%s", ledger_origin(registry_ledger(c->registry)));
    return s == ST_OK ? buf_check(out, "the address", e) : s;
}

static enum status get_feed(struct call *c, struct err *e)
{
    struct buf text, address;
    buf_init(&text, EXPORT_MOST);
    buf_init(&address, 2048);
    enum status s = public_address(c, &address, e);
    if (s == ST_OK)
        s = export_atom(c->registry, address.p, FEED_ENTRIES, &text, e);
    buf_deinit(&address);
    return bytes_out(c, s, "application/atom+xml; charset=utf-8", &text);
}

static enum status get_catalogue(struct call *c, struct err *e)
{
    struct js *j = NULL;
    struct buf address;
    buf_init(&address, 2048);
    enum status s = public_address(c, &address, e);
    if (s == ST_OK)
        s = export_dcat(c->registry, address.p, &j, e);
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
     "overdue=true: only what is late|on=a date: as of that day", NULL, "items", get_clocks, HOLD_REGISTER},
    {"GET", "/api/v1/leads", ACCESS_PUBLIC, "every ICB's leads, the vacancies, and how they answer", NULL,
     NULL, "items", get_leads, HOLD_REGISTER},
    {"GET", "/api/v1/register/body/{id}/profile", ACCESS_PUBLIC,
     "a body: who decides, when, priorities, what it lacks", NULL, NULL,
     "name, decides, next_meeting, priorities, leads, contacts, answered, median_days, warnings", get_profile,
     HOLD_REGISTER},
    {"GET", "/api/v1/register/body/{id}/tree", ACCESS_PUBLIC, "the bodies under a body", NULL, NULL, "items",
     get_tree, HOLD_REGISTER},
    {"GET", "/api/v1/register/body/{id}/gaps", ACCESS_PUBLIC, "the data domains that a body has and lacks",
     NULL, NULL, "items", get_gaps, HOLD_REGISTER},
    {"GET", "/api/v1/register/body/{id}/team", ACCESS_PUBLIC,
     "who acts for a body, with training and interests", NULL, NULL, "items", get_team, HOLD_REGISTER},
    {"GET", "/api/v1/forms/{form}/diff/{other}", ACCESS_PUBLIC, "what two forms ask differently", NULL, NULL,
     "items", get_forms_diff, HOLD_REGISTER},
    {"GET", "/api/v1/register/project/{id}/form", ACCESS_PUBLIC, "a form filled from the project's answers",
     "form=the form's vocabulary (default: five-safes)", NULL, "items", get_form, HOLD_REGISTER},
    {"GET", "/api/v1/register/agreement/{id}/sheet", ACCESS_PUBLIC, "the terms on one page", NULL, NULL,
     "items: term, says", get_sheet, HOLD_REGISTER},
    {"GET", "/api/v1/register/agreement/{id}/diff", ACCESS_PUBLIC,
     "who set which field of the terms, and to what", NULL, NULL, "items", get_terms_diff, HOLD_REGISTER},
    {"GET", "/api/v1/register/project/{id}/report", ACCESS_PUBLIC,
     "whom a project serves: its groups and small areas, money by country, measures by group", NULL, NULL,
     "population, groups, areas, money, measures", get_report, HOLD_REGISTER},
    {"GET", "/api/v1/annexes/{id}", ACCESS_PERSON,
     "a private annex with its text, for its own body and the agreement's NHS bodies", NULL, NULL,
     "the annex", get_annex, HOLD_SNAPSHOT},
    {"GET", "/api/v1/totals/transfers", ACCESS_PUBLIC,
     "transfers of value that were made, in pence, by year and in all", NULL, NULL,
     "items: year, payments, to_nhs, from_nhs, among_others, made", get_transfers_total, HOLD_REGISTER},
    {"GET", "/api/v1/environments", ACCESS_PUBLIC,
     "secure data environments: smallest count, prices, contact, nodes", NULL, NULL, "items",
     get_environments, HOLD_REGISTER},
    {"GET", "/api/v1/perms", ACCESS_PUBLIC, "the permission table", NULL, NULL, "items", get_perms,
     HOLD_REGISTER},
    {"GET", "/api/v1/export/use-register", ACCESS_PUBLIC, "the Data Use Register, 31 columns", NULL, NULL,
     "CSV", get_use_register, HOLD_REGISTER},
    {"GET", "/api/v1/export/disclosure-uk", ACCESS_PUBLIC, "transfers of value of a year",
     "year=transfers made in this year", NULL, "CSV", get_disclosure, HOLD_REGISTER},
    {"GET", "/api/v1/export/feed", ACCESS_PUBLIC, "the newest entries as an Atom feed",
     "url=the address that it is published under", NULL, "Atom", get_feed, HOLD_REGISTER},
    {"GET", "/api/v1/export/catalogue", ACCESS_PUBLIC, "open artefacts as a DCAT catalogue",
     "url=the address that it is published under", NULL, "JSON-LD", get_catalogue, HOLD_REGISTER},
    {"GET", "/api/v1/export/datasets/{id}", ACCESS_PUBLIC, "a dataset's metadata in HDR UK's form", NULL,
     NULL, "metadata of schema 3.0.0", get_dataset, HOLD_REGISTER},
    {0},
};
