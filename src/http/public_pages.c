/* SPDX-License-Identifier: Apache-2.0
 * The public pages' routes: front page, lists and items of every noun, boards, uses, the log, downloads. */
#include "http/public.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/date.h"
#include "govern/register.h"
#include "http/tables.h"

enum { PAGE_MOST = 64 << 20, LOG_PAGE = 50, RECENT = 10, MOST_LISTED = 1000 };

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

/* --- the nouns ----------------------------------------------------------------------------------------- */

static const struct shown body_columns[] = {{"name", "Name", SHOW_TEXT, NULL},
                                            {"kind", "Kind", SHOW_WORDS, NULL},
                                            {"state", "State", SHOW_STATE, NULL},
                                            {0}};
static const struct shown body_fields[] = {{"kind", "Kind", SHOW_WORDS, NULL},
                                           {"parent", "Part of", SHOW_BODY, NULL},
                                           {"region", "Region", SHOW_TEXT, NULL},
                                           {"from", "Exists from", SHOW_DAY, NULL},
                                           {"to", "Until", SHOW_DAY, NULL},
                                           {"successors", "Followed by", SHOW_ITEMS, "bodies"},
                                           {"ods", "ODS code", SHOW_TEXT, NULL},
                                           {"checks", "Checked", SHOW_CHECKS, NULL},
                                           {0}};
static const struct shown signal_columns[] = {{"title", "What", SHOW_TEXT, NULL},
                                              {"side", "Side", SHOW_WORDS, NULL},
                                              {"body", "Whose", SHOW_BODY, NULL},
                                              {"rank", "Their rank", SHOW_NUMBER, NULL},
                                              {"stage", "Stage of care", SHOW_WORDS, NULL},
                                              {"state", "State", SHOW_STATE, NULL},
                                              {0}};
static const struct shown signal_fields[] = {{"side", "Need or offer", SHOW_WORDS, NULL},
                                             {"body", "Whose", SHOW_BODY, NULL},
                                             {"rank", "Rank among theirs", SHOW_NUMBER, NULL},
                                             {"type", "Of what kind", SHOW_WORDS, NULL},
                                             {"stage", "Stage of care", SHOW_WORDS, NULL},
                                             {"codes", "About", SHOW_CODES, NULL},
                                             {"population", "People it concerns", SHOW_NUMBER, NULL},
                                             {"evidence", "Evidence", SHOW_TEXT, NULL},
                                             {"published", "Published", SHOW_BY, NULL},
                                             {0}};
static const struct shown project_columns[] = {{"title", "Project", SHOW_TEXT, NULL},
                                               {"lay", "In plain words", SHOW_TEXT, NULL},
                                               {"body", "Led by", SHOW_BODY, NULL},
                                               {"state", "State", SHOW_STATE, NULL},
                                               {0}};
static const struct shown project_fields[] = {{"purpose", "Purpose", SHOW_TEXT, NULL},
                                              {"decision", "The decision it informs", SHOW_TEXT, NULL},
                                              {"signals", "Grew from", SHOW_ITEMS, "signals"},
                                              {"parties", "Parties", SHOW_BODIES, NULL},
                                              {"population", "Whose records", SHOW_TEXT, NULL},
                                              {"benefits", "Who gains what", SHOW_PAIRS, NULL},
                                              {"cost_per_year", "Cost a year", SHOW_POUNDS, NULL},
                                              {"use", "Use", SHOW_WORDS, NULL},
                                              {"access", "How data is reached", SHOW_WORDS, NULL},
                                              {"submitted", "Submitted", SHOW_BY, NULL},
                                              {"answers", "Five Safes, asked once", SHOW_PAIRS, NULL},
                                              {0}};
static const struct shown agreement_columns[] = {{"title", "Agreement", SHOW_TEXT, NULL},
                                                 {"summary", "In plain words", SHOW_TEXT, NULL},
                                                 {"state", "State", SHOW_STATE, NULL},
                                                 {"to", "Until", SHOW_DAY, NULL},
                                                 {0}};
static const struct shown agreement_fields[] = {{"purpose", "Purpose", SHOW_TEXT, NULL},
                                                {"parties", "Parties", SHOW_BODIES, NULL},
                                                {"project", "Project", SHOW_ITEM, "projects"},
                                                {"use", "Use", SHOW_WORDS, NULL},
                                                {"access", "How data is reached", SHOW_WORDS, NULL},
                                                {"from", "From", SHOW_DAY, NULL},
                                                {"to", "Until", SHOW_DAY, NULL},
                                                {"in_force", "In force since", SHOW_DAY, NULL},
                                                {"mechanisms", "What the NHS gets", SHOW_VALUE, NULL},
                                                {"nhs_share_percent", "Share of the NHS", SHOW_PERCENT, NULL},
                                                {"signatures", "Signed by", SHOW_SIGNED, NULL},
                                                {"exit_plan", "How it ends", SHOW_TEXT, NULL},
                                                {0}};
static const struct shown run_columns[] = {{"decision", "Study", SHOW_TEXT, NULL},
                                           {"agreement", "Under", SHOW_ITEM, "agreements"},
                                           {"asked", "Asked", SHOW_BY, NULL},
                                           {"state", "State", SHOW_STATE, NULL},
                                           {0}};
static const struct shown run_fields[] = {{"agreement", "Under the agreement", SHOW_ITEM, "agreements"},
                                          {"decision", "The decision it informs", SHOW_TEXT, NULL},
                                          {"asked", "Asked", SHOW_BY, NULL},
                                          {"lead", "Lead site", SHOW_BODY, NULL},
                                          {"study_hash", "SHA-256 of the study", SHOW_TEXT, NULL},
                                          {0}};
static const struct shown artefact_columns[] = {{"title", "Result", SHOW_TEXT, NULL},
                                                {"lay", "In plain words", SHOW_TEXT, NULL},
                                                {"body", "Released by", SHOW_BODY, NULL},
                                                {"state", "State", SHOW_STATE, NULL},
                                                {0}};
static const struct shown artefact_fields[] = {{"body", "Released by", SHOW_BODY, NULL},
                                               {"run", "From the study", SHOW_ITEM, "runs"},
                                               {"licence", "Licence", SHOW_TEXT, NULL},
                                               {"hash", "SHA-256 that the checkers signed", SHOW_TEXT, NULL},
                                               {0}};
static const struct shown transfer_columns[] = {
    {"id", "Transfer", SHOW_TEXT, NULL},  {"from", "From", SHOW_BODY, NULL},
    {"to", "To", SHOW_BODY, NULL},        {"amount", "Amount", SHOW_POUNDS, NULL},
    {"due", "Due", SHOW_DAY, NULL},       {"date", "Made", SHOW_DAY, NULL},
    {"state", "State", SHOW_STATE, NULL}, {0}};
static const struct shown transfer_fields[] = {{"from", "From", SHOW_BODY, NULL},
                                               {"to", "To", SHOW_BODY, NULL},
                                               {"amount", "Amount", SHOW_POUNDS, NULL},
                                               {"what", "For what", SHOW_TEXT, NULL},
                                               {"mechanism", "By which term", SHOW_WORDS, NULL},
                                               {"category", "Category", SHOW_WORDS, NULL},
                                               {"agreement", "Agreement", SHOW_ITEM, "agreements"},
                                               {"project", "Project", SHOW_ITEM, "projects"},
                                               {"due", "Due", SHOW_DAY, NULL},
                                               {"date", "Made", SHOW_DAY, NULL},
                                               {0}};
static const struct shown measure_columns[] = {{"title", "Measure", SHOW_TEXT, NULL},
                                               {"role", "Role", SHOW_WORDS, NULL},
                                               {"baseline", "Before", SHOW_NUMBER, NULL},
                                               {"target", "Target", SHOW_NUMBER, NULL},
                                               {"readings", "Read", SHOW_READINGS, NULL},
                                               {"state", "State", SHOW_STATE, NULL},
                                               {0}};
static const struct shown measure_fields[] = {
    {"project", "Project", SHOW_ITEM, "projects"}, {"role", "Role", SHOW_WORDS, NULL},
    {"for", "For whom", SHOW_WORDS, NULL},         {"unit", "Unit", SHOW_TEXT, NULL},
    {"better", "Better when", SHOW_WORDS, NULL},   {"baseline", "Before", SHOW_NUMBER, NULL},
    {"date", "Baseline of", SHOW_DAY, NULL},       {"source", "Source", SHOW_TEXT, NULL},
    {"target", "Target", SHOW_NUMBER, NULL},       {"floor", "Must not pass", SHOW_NUMBER, NULL},
    {"readings", "Read", SHOW_READINGS, NULL},     {0}};

static const struct noun_page {
    const char *path, *noun, *title, *lead, *none, *of_item;
    const struct shown *columns, *fields;
} pages[] = {
    {"bodies", "body", "Organisations",
     "The NHS bodies, companies, universities and charities that take part, with the dates they exist for "
     "and who "
     "came after them.",
     "No organisation has registered yet.", "An organisation that takes part in the register.", body_columns,
     body_fields},
    {"signals", "signal", "Needs and offers",
     "What NHS bodies need, in their own order of importance, and what partners can offer.",
     "Nothing has been asked for or offered yet.",
     "Something that an NHS body needs, or that a partner offers; anyone with the other half can answer it.",
     signal_columns, signal_fields},
    {"projects", "project", "Projects",
     "Work that grew from a need: who takes part, what each brings, what it replaces and what came of it.",
     "There is no project yet.",
     "Work of NHS bodies and partners, from the need it grew from to what came of it.", project_columns,
     project_fields},
    {"agreements", "agreement", "Agreements",
     "The terms that NHS bodies and partners have signed: what may be studied, where, by whom, and what the "
     "NHS "
     "gets in return.",
     "No agreement has been proposed yet.",
     "What the parties have agreed: nothing may run on patient data beyond it, and it is public before it "
     "binds.",
     agreement_columns, agreement_fields},
    {"runs", "run", "Studies that ran on patient data",
     "Every study that was run inside the NHS: who asked, under which agreement, which sites took part. "
     "Patient "
     "data stayed where it was.",
     "No study has been run yet.",
     "A study that went to the data: each site worked out sums and sent them masked, so that nobody can read "
     "one "
     "site's part.",
     run_columns, run_fields},
    {"artefacts", "artefact", "Results",
     "Tables that two independent output checkers have approved for everyone to see. Numbers small enough to "
     "point at a person are hidden or rounded.",
     "No result has been released yet.",
     "Numbers that left the NHS, after two people of no party to the agreement had checked them.",
     artefact_columns, artefact_fields},
    {"transfers", "transfer", "Transfers of value",
     "Money and help in kind that moved under the agreements: who gave what to whom, and when.",
     "Nothing has been transferred yet.", "Value that one party to an agreement gives to another.",
     transfer_columns, transfer_fields},
    {"measures", "measure", "Benefits and harms measured",
     "What each project set out to change, where it started, and what has been measured since.",
     "Nothing has been measured yet.",
     "A number that a project set out to change, or that must not get worse meanwhile.", measure_columns,
     measure_fields},
};

static const struct noun_page *page_find(const char *path)
{
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (strcmp(pages[i].path, path) == 0)
            return &pages[i];
    return NULL;
}

/* --- lists --------------------------------------------------------------------------------------------- */

static bool has_text(const struct js *item, const char *member, const char *wanted)
{
    const char *is = js_get_str(item, member);
    return !wanted || !*wanted || (is && strcmp(is, wanted) == 0);
}

/* A choice among the values that the items have. */
static void write_choice(struct buf *out, const char *name, const char *label, const struct js *items,
                         const char *chosen, const struct names *names)
{
    struct js *seen = js_object();
    html_add(out,
             "<div class=\"nhsuk-form-group\"><label class=\"nhsuk-label\" for=\"%s\">%s</label><select "
             "class=\"nhsuk-select\" id=\"%s\" name=\"%s\"><option value=\"\">all</option>",
             name, label, name, name);
    for (size_t i = 0; i < js_size(items); i++) {
        const char *value = js_get_str(js_at(items, i), name);
        if (!value || js_get(seen, value))
            continue;
        js_put(seen, value, js_boolean(true));
        const char *body = strcmp(name, "body") == 0 ? show_body_name(names, value) : NULL;
        html_add(out, "<option value=\"%s\"%s>", value,
                 chosen && strcmp(chosen, value) == 0 ? " selected" : "");
        if (body)
            html_add(out, "%s", body);
        else
            html_words(out, value);
        buf_adds(out, "</option>");
    }
    buf_adds(out, "</select></div>");
    js_free(seen);
}

struct filter {
    const char *name, *label, *chosen;
};

static enum status read_filters(struct call *c, struct filter *f, size_t n, struct err *e)
{
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < n; i++)
        s = call_query(c, f[i].name, &f[i].chosen, e);
    return s;
}

static struct js *filtered(const struct js *items, const struct filter *f, size_t n)
{
    struct js *some = js_array();
    for (size_t i = 0; i < js_size(items); i++) {
        bool wanted = true;
        for (size_t k = 0; k < n; k++)
            wanted = wanted && has_text(js_at(items, i), f[k].name, f[k].chosen);
        if (wanted)
            js_push(some, js_share(js_at(items, i)));
    }
    return some;
}

static void write_items(struct public_page *p, const struct noun_page *page, const struct js *items,
                        struct filter *f, size_t n)
{
    struct js *some = filtered(items, f, n);
    if (!js_size(items)) {
        html_add(&p->out, "<p class=\"nhsuk-inset-text\">%s</p>", page->none);
    } else {
        html_add(&p->out, "<form class=\"accord-filter\" action=\"/%s\">", page->path);
        for (size_t i = 0; i < n; i++)
            write_choice(&p->out, f[i].name, f[i].label, items, f[i].chosen, &p->names);
        buf_adds(&p->out,
                 "<button class=\"nhsuk-button nhsuk-button--secondary nhsuk-button--small\">Show</button>"
                 "</form>");
        show_table(&p->out, &p->names, page->columns, page->path,
                   arena_printf(p->call->request->arena, "%zu of %zu", js_size(some), js_size(items)), some);
    }
    js_free(some);
}

static enum status get_list(struct call *c, const struct noun_page *page, struct err *e)
{
    struct filter filters[] = {{"side", "Needs or offers", NULL},
                               {"kind", "Kind", NULL},
                               {"body", "Whose", NULL},
                               {"state", "State", NULL}};
    bool signals = strcmp(page->noun, "signal") == 0, bodies = strcmp(page->noun, "body") == 0;
    struct filter *f = signals ? filters : bodies ? filters + 1 : filters + 2;
    if (signals)
        filters[1] = filters[2], filters[2] = (struct filter){"stage", "Stage of care", NULL};
    size_t n = signals ? 3 : bodies ? 1 : 2;
    struct registry_query q = {.noun = page->noun, .limit = MOST_LISTED};
    struct public_page p;
    struct js *items = NULL;
    enum status s = read_filters(c, f, n, e);
    if (s != ST_OK)
        return s;
    s = public_begin(&p, c, page->title, page->lead, e);
    reads_nouns(c->registry, "body"); /* many rows name one each */
    if (s == ST_OK)
        s = registry_list(c->registry, &q, &items, e);
    if (s == ST_OK)
        write_items(&p, page, items, f, n);
    js_free(items);
    return public_end(&p, s, arena_printf(c->request->arena, "/api/v1/register/%s", page->noun), e);
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
    s = project ? story_project(p, item, e) : story_write(p, (const char *const[]){subject, NULL}, e);
    story_verify(out, js_get_int(item, "changed", 0));
    return s;
}

/* What its own people say of it in plain words, where they have. */
static const char *lead_of(const struct noun_page *page, const struct js *item)
{
    static const char *const members[] = {"lay", "summary"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (js_get_str(item, members[i]) && *js_get_str(item, members[i]))
            return js_get_str(item, members[i]);
    return page->of_item;
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

/* --- the front page ------------------------------------------------------------------------------------ */

static enum status count(struct call *c, const char *noun, const char *state, const char *kind, int64_t *n,
                         struct err *e)
{
    char today[11];
    struct registry_query q = {.noun = noun, .state = state, .kind = kind, .limit = MOST_LISTED};
    date_format((int32_t)(time_now_ms() / 86400000), today);
    if (strcmp(noun, "body") == 0)
        q.on = today;
    return registry_count(c->registry, &q, n, e);
}

static enum status write_live(struct public_page *p, struct err *e)
{
    static const struct {
        const char *path, *noun, *state, *kind, *label, *one;
    } live[] = {
        {"/boards", "body", NULL, "icb", "NHS boards on the register", "NHS board on the register"},
        {"/signals", "signal", "published", NULL, "needs and offers published", "need or offer published"},
        {"/projects", "project", NULL, NULL, "projects", "project"},
        {"/agreements", "agreement", "in_force", NULL, "agreements in force", "agreement in force"},
        {"/runs", "run", NULL, NULL, "studies asked for", "study asked for"},
        {"/artefacts", "artefact", NULL, NULL, "results", "result"},
        {"/transfers", "transfer", "made", NULL, "transfers of value made", "transfer of value made"},
        {"/measures", "measure", NULL, NULL, "benefits and harms measured", "benefit or harm measured"}};
    enum status s = ST_OK;
    buf_adds(&p->out, "<h2>Live now</h2><ul class=\"accord-cards\">");
    for (size_t i = 0; s == ST_OK && i < sizeof live / sizeof *live; i++) {
        int64_t n = 0;
        s = count(p->call, live[i].noun, live[i].state, live[i].kind, &n, e);
        html_add(&p->out, "<li class=\"accord-figure\"><a href=\"%s\"><strong>%d%s</strong> %s</a></li>",
                 live[i].path, (int)n, n == MOST_LISTED ? "+" : "", n == 1 ? live[i].one : live[i].label);
    }
    buf_adds(&p->out, "</ul>");
    return s;
}

static enum status get_home(struct call *c, struct err *e)
{
    struct public_page p;
    int64_t size = 0;
    enum status s = public_begin(
        &p, c, "Research on NHS data that never leaves the NHS",
        "Accord lets NHS bodies and their research partners learn from patient records without the "
        "records ever leaving the NHS. Studies go to the data; only tables that are safe to publish "
        "come out, after two people have checked them. Everything that happens is on a public log "
        "that nobody can rewrite, and that you can check yourself.",
        e);
    if (s == ST_OK)
        s = write_live(&p, e);
    if (s == ST_OK)
        s = ledger_size(registry_ledger(c->registry), &size, e);
    buf_adds(&p.out, "<h2>What happened last</h2>");
    if (s == ST_OK)
        s = story_table(&p, size > RECENT ? size - RECENT : 0, size, e);
    return public_end(&p, s, "/api/v1/hub", e);
}

/* --- who uses data for what ---------------------------------------------------------------------------- */

static enum status get_uses(struct call *c, struct err *e)
{
    static const struct shown columns[] = {
        {"title", "Agreement", SHOW_TEXT, NULL},  {"parties", "Who", SHOW_BODIES, NULL},
        {"purpose", "For what", SHOW_TEXT, NULL}, {"use", "Use", SHOW_WORDS, NULL},
        {"to", "Until", SHOW_DAY, NULL},          {0}};
    struct registry_query q = {.noun = "agreement", .state = "in_force", .limit = MOST_LISTED};
    struct js *items = NULL;
    struct public_page p;
    enum status s =
        public_begin(&p, c, "Who uses data, and for what",
                     "Every agreement in force under which studies may run on patient data, with who "
                     "may ask, why, and for how long. Nobody else may.",
                     e);
    if (s == ST_OK)
        s = registry_list(c->registry, &q, &items, e);
    if (s == ST_OK && js_size(items))
        show_table(&p.out, &p.names, columns, "agreements", "Agreements in force", items);
    else if (s == ST_OK)
        buf_adds(&p.out, "<p class=\"nhsuk-inset-text\">No agreement is in force.</p>");
    buf_adds(&p.out,
             "<p><a href=\"/api/v1/export/use-register\">The Data Use Register as CSV, 31 columns</a></p>");
    js_free(items);
    return public_end(&p, s, "/api/v1/register/agreement?state=in_force", e);
}

/* --- the log ------------------------------------------------------------------------------------------- */

static enum status get_log(struct call *c, struct err *e)
{
    struct public_page p;
    int64_t size = 0, to;
    enum status s = ledger_size(registry_ledger(c->registry), &size, e);
    if (s == ST_OK)
        s = call_query_int(c, "to", 0, INT64_MAX, size, &to, e);
    if (s != ST_OK)
        return s;
    to = to < size ? to : size;
    int64_t from = to > LOG_PAGE ? to - LOG_PAGE : 0;
    s = public_begin(
        &p, c, "The log",
        "Every step that anyone took, in order, signed by who took it. Nothing can be changed or "
        "removed without it showing.",
        e);
    buf_adds(&p.out,
             "<p class=\"nhsuk-inset-text\">Take a copy of the whole log and check it offline: accord ledger "
             "copy, then accord ledger verify.</p>");
    if (s == ST_OK)
        s = story_table(&p, from, to, e);
    if (from)
        html_add(&p.out, "<p><a href=\"/log?to=%ld\">Older entries</a></p>", (long)from);
    return public_end(&p, s, "/api/v1/log/entries", e);
}

static void write_members(struct buf *out, const struct js *o)
{
    buf_adds(out, "<dl class=\"nhsuk-summary-list\">");
    for (void *it = js_first(o); it; it = js_next(o, it)) {
        struct buf text;
        buf_init(&text, 1 << 16);
        if (js_str(js_value(it)))
            buf_adds(&text, js_str(js_value(it)));
        else
            js_format(js_value(it), JS_COMPACT, &text);
        buf_adds(out, "<div class=\"nhsuk-summary-list__row\"><dt class=\"nhsuk-summary-list__key\">");
        html_words(out, js_key(it));
        html_add(out, "</dt><dd class=\"nhsuk-summary-list__value\">%s</dd></div>",
                 text.failed ? "long: in the data below" : text.p);
        buf_deinit(&text);
    }
    buf_adds(out, "</dl>");
}

static enum status get_entry(struct call *c, struct err *e)
{
    struct public_page p;
    struct ledger_entry entry = {0};
    int64_t seq;
    if (!parse_i64(slice_of(c->param[0]), &seq) || seq < 0)
        return err_set(e, ST_NOT_FOUND, "there is no such entry");
    enum status s = ledger_get(registry_ledger(c->registry), seq, &entry, e);
    if (s != ST_OK)
        return s;
    struct arena *a = c->request->arena;
    s = public_begin(
        &p, c, arena_printf(a, "Entry %" PRId64 " of the log", seq),
        "One step that somebody took and signed. Your own browser can check that it is in the log, "
        "unchanged.",
        e);
    html_add(&p.out, "<p><strong>%s</strong>: ", story_phrase(entry.verb));
    show_value(&p.out, &p.names, &(struct shown){"subject", "", SHOW_ABOUT, NULL},
               js_get(entry.json, "subject"));
    buf_adds(&p.out, ", ");
    html_time(&p.out, js_get_str(entry.json, "time"));
    html_add(&p.out, "</p><div class=\"accord-verify\" data-seq=\"%ld\"></div>", (long)seq);
    write_members(&p.out, entry.json);
    ledger_entry_deinit(&entry);
    return public_end(&p, s, arena_printf(a, "/api/v1/log/entries/%" PRId64 "/proof", seq), e);
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
    buf_adds(&p.out, "<ul>");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        html_add(&p.out, "<li><a href=\"%s\">%s</a></li>", files[i][0], files[i][1]);
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        html_add(&p.out, "<li><a href=\"/api/v1/register/%s\">%s (JSON)</a></li>", pages[i].noun,
                 pages[i].title);
    buf_adds(&p.out, "</ul>");
    return public_end(&p, s, NULL, e);
}

/* --- routes -------------------------------------------------------------------------------------------- */

static enum status get_page(struct call *c, struct err *e)
{
    const struct noun_page *page = page_find(c->param[0]);
    return page ? get_list(c, page, e) : err_set(e, ST_NOT_FOUND, "there is no such page");
}

static enum status get_item_page(struct call *c, struct err *e)
{
    const struct noun_page *page = page_find(c->param[0]);
    return page ? get_item(c, page, c->param[1], e) : err_set(e, ST_NOT_FOUND, "there is no such page");
}

static enum status get_run_result(struct call *c, struct err *e)
{
    return get_item(c, page_find("runs"), c->param[0], e);
}

const struct route public_routes[] = {
    {"GET", "/", ACCESS_PUBLIC, "the front page", NULL, NULL, "HTML", get_home, HOLD_REGISTER},
    {"GET", "/boards", ACCESS_PUBLIC, "the boards and their leads", NULL, NULL, "HTML", public_boards,
     HOLD_REGISTER},
    {"GET", "/uses", ACCESS_PUBLIC, "who uses data for what", NULL, NULL, "HTML", get_uses, HOLD_REGISTER},
    {"GET", "/downloads", ACCESS_PUBLIC, "downloads and feeds", NULL, NULL, "HTML", get_downloads,
     HOLD_REGISTER},
    {"GET", "/log", ACCESS_PUBLIC, "the page of the log", "to=entries before this one", NULL, "HTML", get_log,
     HOLD_REGISTER},
    {"GET", "/log/{seq}", ACCESS_PUBLIC, "the page of an entry", NULL, NULL, "HTML", get_entry,
     HOLD_REGISTER},
    {"GET", "/artefacts/{id}/{file}", ACCESS_PUBLIC,
     "a released table as a picture (.svg, .narrow.svg) or CSV (.csv)", NULL, NULL, "SVG or CSV",
     public_artefact_file, HOLD_REGISTER},
    {"GET", "/runs/{id}/result", ACCESS_PUBLIC, "the page of a run with its result", NULL, NULL, "HTML",
     get_run_result, HOLD_REGISTER},
    {"GET", "/{page}", ACCESS_PUBLIC, "the page of a noun",
     "state=only in this state|body=only of this body|kind=only of this kind|side=need or offer|stage=stage "
     "of care",
     NULL, "HTML", get_page, HOLD_REGISTER},
    {"GET", "/{page}/{id}", ACCESS_PUBLIC, "the page of one item", NULL, NULL, "HTML", get_item_page,
     HOLD_REGISTER},
    {0},
};
