/* SPDX-License-Identifier: Apache-2.0
 * What an item's page shows beyond its own members: an organisation's needs and agreements, a project's
 * story, a study's sites and result, a result's tables, pictures and disclosure record. */
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "govern/profile.h"
#include "http/figures.h"
#include "http/public.h"

enum { FILE_MOST = 64 << 20 };

static enum status list_of(struct public_page *p, const char *noun, const char *body, const char *about,
                           struct js **out, struct err *e)
{
    struct registry_query q = {.noun = noun, .body = body, .about = about};
    return registry_list(p->call->registry, &q, out, e);
}

/* --- results ------------------------------------------------------------------------------------------- */

static void write_table(struct public_page *p, const char *id, const struct released *r, uint32_t i)
{
    const char *name = released_table(r, i)->name;
    char *folder = xasprintf("/artefacts/%s", id);
    buf_adds(&p->out, "<section class=\"accord-result\">");
    figure_write(&p->out, r, i, folder, true);
    html_add(&p->out, "<p class=\"accord-downloads\"><a href=\"%s/%s.csv\" download>This table as CSV</a>",
             folder, name);
    if (released_pictured(released_table(r, i)))
        html_add(&p->out, " <a href=\"%s/%s.svg\" download>The picture as SVG</a>", folder, name);
    buf_adds(&p->out, "</p></section>");
    free(folder);
}

static void write_record(struct public_page *p, const struct released *r)
{
    static const struct shown policy_fields[] = {
        {"name", "Rules", SHOW_TEXT, NULL},
        {"version", "Version of the rules", SHOW_NUMBER, NULL},
        {"minimum", "Fewest persons in a printed number", SHOW_NUMBER, NULL},
        {"rounding", "Rounding", SHOW_TEXT, NULL},
        {"base", "Rounded to multiples of", SHOW_NUMBER, NULL},
        {0}};
    static const struct shown record_fields[] = {{"software", "Program", SHOW_TEXT, NULL},
                                                 {"policy_sha256", "SHA-256 of the rules", SHOW_TEXT, NULL},
                                                 {"tables_sha256", "SHA-256 of the tables", SHOW_TEXT, NULL},
                                                 {0}};
    const struct js *record = released_record(r), *tables = js_get(record, "tables");
    struct buf *out = &p->out;
    buf_adds(out,
             "<h2>How this was made safe</h2><p>Numbers small enough to point at a person are hidden, and so "
             "are as many others as are needed so that no hidden number can be worked out. A program has "
             "tried to, and two checkers have looked.</p>");
    show_item(out, &p->names, policy_fields, js_get(record, "policy"));
    buf_adds(out, "<ul>");
    for (size_t i = 0; i < js_size(tables); i++) {
        const char *withheld = js_get_str(js_at(tables, i), "withheld");
        buf_adds(out, "<li>");
        html_words(out, js_get_str(js_at(tables, i), "name"));
        if (withheld) {
            html_add(out, ": withheld, because of %s</li>", withheld);
            continue;
        }
        buf_adds(out, ": ");
        html_number(out, js_get_int(js_at(tables, i), "hidden", 0));
        buf_adds(out, " of ");
        html_number(out, js_get_int(js_at(tables, i), "cells", 0));
        buf_adds(out, " numbers hidden</li>");
    }
    buf_adds(out, "</ul>");
    show_item(out, &p->names, record_fields, record);
}

static enum status write_document(struct public_page *p, const struct js *artefact, struct err *e)
{
    struct released *r = NULL;
    const struct js *document = js_get(artefact, "document");
    if (!document)
        return ST_OK;
    enum status s = released_from_json(document, &r, e);
    if (s == ST_OK) {
        buf_adds(&p->out, "<h2>The result</h2>");
        for (uint32_t i = 0; i < released_n_tables(r); i++)
            write_table(p, js_get_str(artefact, "id"), r, i);
        write_record(p, r);
    }
    released_free(r);
    return s;
}

/* The project that a result is of: by its run and that run's agreement. Left NULL where one is not known. */
static enum status project_of(struct registry *r, const struct js *artefact, struct js **out, struct err *e)
{
    static const char *const nouns[] = {"run", "agreement", "project"};
    struct js *at = js_share(artefact);
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && at && i < sizeof nouns / sizeof *nouns; i++) {
        const char *id = js_get_str(at, nouns[i]);
        struct js *next = NULL;
        if (id)
            s = registry_item(r, nouns[i], id, &next, e);
        js_free(at);
        at = next;
    }
    *out = at;
    return s;
}

enum status public_artefact_file(struct call *c, struct err *e)
{
    struct js *artefact = NULL, *project = NULL;
    struct released *r = NULL;
    struct buf text;
    const char *type = NULL;
    char day[11] = "";
    buf_init(&text, FILE_MOST);
    enum status s = registry_item(c->registry, "artefact", c->param[0], &artefact, e);
    if (s == ST_OK)
        s = released_from_json(js_get(artefact, "document"), &r, e);
    if (s == ST_OK)
        s = project_of(c->registry, artefact, &project, e);
    if (s == ST_OK) {
        const char *time = js_get_str(js_get(artefact, "released"), "time");
        snprintf(day, sizeof day, "%s", time ? time : "");
        struct picture_source source = {project ? registry_item_title(project) : NULL, c->param[0],
                                        *day ? day : NULL};
        s = figure_file(r, c->param[1], &source, &text, &type, e);
    }
    if (s == ST_OK)
        s = call_bytes(c, type, buf_slice(&text));
    buf_deinit(&text);
    released_free(r);
    js_free(project);
    js_free(artefact);
    return s;
}

/* --- the nouns ----------------------------------------------------------------------------------------- */

static const struct shown signal_columns[] = {{"title", "What", SHOW_TEXT, NULL},
                                              {"side", "Side", SHOW_WORDS, NULL},
                                              {"rank", "Rank", SHOW_NUMBER, NULL},
                                              {"state", "State", SHOW_STATE, NULL},
                                              {0}};
static const struct shown agreement_columns[] = {{"title", "Agreement", SHOW_TEXT, NULL},
                                                 {"purpose", "Purpose", SHOW_TEXT, NULL},
                                                 {"state", "State", SHOW_STATE, NULL},
                                                 {"to", "Until", SHOW_DAY, NULL},
                                                 {0}};
static const struct shown run_columns[] = {{"decision", "Study", SHOW_TEXT, NULL},
                                           {"asked", "Asked", SHOW_BY, NULL},
                                           {"state", "State", SHOW_STATE, NULL},
                                           {0}};
static const struct shown transfer_columns[] = {
    {"id", "Transfer", SHOW_TEXT, NULL},  {"from", "From", SHOW_BODY, NULL},
    {"to", "To", SHOW_BODY, NULL},        {"amount", "Amount", SHOW_POUNDS, NULL},
    {"state", "State", SHOW_STATE, NULL}, {0}};

static void write_list(struct public_page *p, const struct shown *columns, const char *path,
                       const char *caption, const struct js *items)
{
    if (js_size(items))
        show_table(&p->out, &p->names, columns, path, caption, items);
}

static enum status listed(struct public_page *p, const char *noun, const char *body, const char *about,
                          const struct shown *columns, const char *caption, struct err *e)
{
    struct js *items = NULL;
    enum status s = list_of(p, noun, body, about, &items, e);
    if (s == ST_OK)
        write_list(p, columns, show_path(noun, strlen(noun)), caption, items);
    js_free(items);
    return s;
}

static void write_people(struct buf *out, const char *leads)
{
    int n = *leads != '\0';
    for (const char *c = leads; *c; c++)
        n += *c == ' ';
    if (n)
        html_add(out, "It has %d lead%s for partnerships. ", n, n == 1 ? "" : "s");
    else
        buf_adds(out, "The post of its lead for partnerships is vacant. ");
}

/* How a board answers those who write to it; nothing for other organisations that nobody leads or wrote to. */
static enum status body_answers(struct public_page *p, const char *id, struct err *e)
{
    const struct registry_query open = {.noun = "contact", .body = id, .state = "open"};
    struct js *profile = NULL;
    struct buf *out = &p->out;
    int64_t waiting = 0;
    enum status s = profile_body(p->call->registry, id, (int32_t)(time_now_ms() / 86400000), &profile, e);
    if (s == ST_OK)
        s = registry_count(p->call->registry, &open, &waiting, e);
    const char *kind = js_get_str(profile, "kind");
    int64_t letters = js_get_int(profile, "contacts", 0), answered = js_get_int(profile, "answered", 0),
            days = js_get_int(profile, "median_days", 0);
    if (s == ST_OK && ((kind && strcmp(kind, "icb") == 0) || letters)) {
        buf_adds(out, "<h2>How it answers</h2><p>");
        write_people(out, js_get_str(profile, "leads"));
        if (!letters)
            buf_adds(out, "Nobody has written to it here yet.");
        else
            html_add(out, "Of %ld letter%s it has answered %ld; %ld wait%s. ", (long)letters,
                     letters == 1 ? "" : "s", (long)answered, (long)waiting, waiting == 1 ? "s" : "");
        if (answered)
            html_add(out, "Half of the answers came within %ld working day%s.", (long)days,
                     days == 1 ? "" : "s");
        buf_adds(out, " An answer is due within five working days.</p>");
    }
    js_free(profile);
    return s;
}

static enum status body_extra(struct public_page *p, const char *id, struct err *e)
{
    enum status s = body_answers(p, id, e);
    if (s == ST_OK)
        s = listed(p, "signal", id, NULL, signal_columns, "What it needs and offers", e);
    if (s == ST_OK)
        s = listed(p, "agreement", id, NULL, agreement_columns, "Agreements that it drafted or leads", e);
    return s == ST_OK ? listed(p, "transfer", id, NULL, transfer_columns, "What it gave", e) : s;
}

static enum status run_extra(struct public_page *p, const struct js *run, struct err *e)
{
    static const struct shown site_columns[] = {{"body", "Site", SHOW_BODY, NULL},
                                                {"state", "Answer", SHOW_STATE, NULL},
                                                {"opt_outs_checked", "Opt-outs applied", SHOW_DAY, NULL},
                                                {0}};
    struct js *artefacts = NULL, *artefact = NULL;
    struct arena *a = p->call->request->arena;
    char *about = arena_printf(a, "run:%s", js_get_str(run, "id"));
    if (js_size(js_get(run, "sites")))
        show_table(&p->out, &p->names, site_columns, NULL, "Sites that take part", js_get(run, "sites"));
    enum status s = list_of(p, "artefact", NULL, about, &artefacts, e);
    for (size_t i = 0; s == ST_OK && i < js_size(artefacts); i++) {
        s = registry_item(p->call->registry, "artefact", js_get_str(js_at(artefacts, i), "id"), &artefact, e);
        if (s == ST_OK)
            s = write_document(p, artefact, e);
        js_free(artefact);
        artefact = NULL;
    }
    js_free(artefacts);
    return s;
}

static enum status agreement_extra(struct public_page *p, const char *id, struct err *e)
{
    char *about = arena_printf(p->call->request->arena, "agreement:%s", id);
    enum status s = listed(p, "run", NULL, about, run_columns, "Studies under it", e);
    return s == ST_OK ? listed(p, "transfer", NULL, about, transfer_columns, "Value that moves under it", e)
                      : s;
}

static enum status reviews_of(struct public_page *p, const char *noun, const char *id, struct err *e)
{
    static const struct shown columns[] = {{"perspective", "Perspective", SHOW_WORDS, NULL},
                                           {"verdict", "Verdict", SHOW_WORDS, NULL},
                                           {"given", "Given", SHOW_BY, NULL},
                                           {"text", "Words", SHOW_TEXT, NULL},
                                           {"state", "State", SHOW_STATE, NULL},
                                           {0}};
    struct js *items = NULL;
    enum status s =
        list_of(p, "review", NULL, arena_printf(p->call->request->arena, "%s:%s", noun, id), &items, e);
    if (s == ST_OK && js_size(items))
        show_table(&p->out, &p->names, columns, NULL, "Reviews", items);
    js_free(items);
    return s;
}

enum status public_item_extra(struct public_page *p, const char *noun, const struct js *item, struct err *e)
{
    const char *id = js_get_str(item, "id");
    enum status s = ST_OK;
    if (strcmp(noun, "body") == 0)
        return body_extra(p, id, e);
    if (strcmp(noun, "run") == 0)
        return run_extra(p, item, e);
    if (strcmp(noun, "agreement") == 0)
        return agreement_extra(p, id, e);
    if (strcmp(noun, "artefact") == 0)
        s = write_document(p, item, e);
    if (s == ST_OK && (strcmp(noun, "artefact") == 0 || strcmp(noun, "project") == 0))
        s = reviews_of(p, noun, id, e);
    return s;
}
