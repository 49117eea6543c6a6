/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the register as a whole, from its file or from a hub: matching, search, clocks, what is known of
 * bodies, and the papers made from projects and agreements. Each command shows what the API says at one
 * address. */
#include "cli/register_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/connect.h"
#include "govern/papers.h"

enum { TARGET_MOST = 8192, COLUMNS_MOST = 12 };

static const char *number_text(const struct js *j, const char *key, char out[32])
{
    const struct js *v = js_get(j, key);
    out[0] = '\0';
    if (js_is(v, JS_INTEGER))
        snprintf(out, 32, "%" PRId64, js_int(v));
    else if (js_is_number(v))
        snprintf(out, 32, "%.4f", js_num(v));
    return out;
}

static char *joined(const struct js *list)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    for (size_t i = 0; i < js_size(list); i++)
        buf_printf(&text, "%s%s", i ? " " : "", js_str(js_at(list, i)));
    return text.p ? buf_steal(&text) : xstrdup("");
}

/* A list of objects of texts, numbers and lists of texts as a table; a column "#x" is a number. */
static enum status print_objects(const struct args *a, const struct js *list, const char *const *columns,
                                 struct err *e)
{
    if (args_format(a) == OUT_JSON)
        return out_json(list, e);
    struct out *o = out_new(a, columns);
    for (size_t i = 0; i < js_size(list); i++) {
        const char *cells[COLUMNS_MOST] = {0};
        char numbers[COLUMNS_MOST][32], *texts[COLUMNS_MOST] = {0};
        for (int k = 0; columns[k]; k++) {
            const char *name = columns[k] + (columns[k][0] == '#');
            const struct js *v = js_get(js_at(list, i), name);
            texts[k] = js_is(v, JS_ARRAY) ? joined(v) : NULL;
            cells[k] = texts[k]    ? texts[k]
                       : js_str(v) ? js_str(v)
                                   : number_text(js_at(list, i), name, numbers[k]);
        }
        out_row_values(o, cells);
        for (int k = 0; columns[k]; k++)
            free(texts[k]);
    }
    return out_end(o, e);
}

/* The items at an address, which is freed. */
static enum status show_items(const struct args *a, struct buf *target, const char *const *columns,
                              struct err *e)
{
    struct js *answer = NULL;
    enum status s = buf_check(target, "the address", e);
    if (s == ST_OK)
        s = connect_read(a, target->p, &answer, e);
    if (s == ST_OK)
        s = print_objects(a, js_get(answer, "items"), columns, e);
    js_free(answer);
    buf_deinit(target);
    return s;
}

/* "/api/v1/register/body/ID/tree" from its parts, ended by NULL. */
static void target_init(struct buf *target, const char *const *parts)
{
    buf_init(target, TARGET_MOST);
    buf_adds(target, "/api/v1");
    for (; *parts; parts++)
        target_add_part(target, *parts);
}
#define TARGET(target, ...) target_init(target, (const char *const[]){__VA_ARGS__, NULL})
#define COLUMNS(...)        ((const char *const[]){__VA_ARGS__, NULL})

static enum status add_limit(const struct args *a, int64_t absent, struct buf *target, struct err *e)
{
    char text[24];
    int64_t limit;
    enum status s = args_int(a, "limit", 1, 100, absent, &limit, e);
    snprintf(text, sizeof text, "%" PRId64, limit);
    if (s == ST_OK)
        target_add_member(target, "limit", text);
    return s;
}

/* --- matching ------------------------------------------------------------------------------------------ */

static void match_lines(struct out *o, const struct js *partner)
{
    const struct js *lines = js_get(partner, "lines");
    for (size_t i = 0; i < js_size(lines); i++) {
        const struct js *line = js_at(lines, i);
        char score[32], rank[32], share[32], points[32], *codes = joined(js_get(line, "codes"));
        out_row(o, i ? "" : js_get_str(partner, "body"), i ? "" : number_text(partner, "score", score),
                js_get_str(line, "need"), number_text(line, "rank", rank), js_get_str(line, "offer"), codes,
                number_text(line, "share", share), number_text(line, "points", points));
        free(codes);
    }
}

static enum status print_matches(const struct args *a, const struct js *list, struct err *e)
{
    if (args_format(a) == OUT_JSON)
        return out_json(list, e);
    struct out *o =
        out_new(a, COLUMNS("body", "#score", "need", "#rank", "offer", "codes", "#share", "#points"));
    for (size_t i = 0; i < js_size(list); i++)
        match_lines(o, js_at(list, i));
    return out_end(o, e);
}

static enum status run_match(const struct args *a, struct err *e)
{
    struct js *answer = NULL;
    struct buf target;
    TARGET(&target, "match", args_operand(a, 0));
    enum status s = add_limit(a, 10, &target, e);
    if (s == ST_OK)
        s = connect_read(a, target.p, &answer, e);
    if (s == ST_OK)
        s = print_matches(a, js_get(answer, "items"), e);
    js_free(answer);
    buf_deinit(&target);
    return s;
}

static enum status run_suggest(const struct args *a, struct err *e)
{
    struct buf target;
    TARGET(&target, "suggest");
    enum status s = add_limit(a, 10, &target, e);
    if (s != ST_OK) {
        buf_deinit(&target);
        return s;
    }
    return show_items(a, &target,
                      COLUMNS("needs_body", "need", "#rank", "offers_body", "offer", "codes", "#points"), e);
}

static enum status run_common(const struct args *a, struct err *e)
{
    struct buf target;
    TARGET(&target, "common", args_operand(a, 0), args_operand(a, 1));
    return show_items(a, &target, COLUMNS("scheme", "code", "label", "a", "b"), e);
}

static enum status run_search(const struct args *a, struct err *e)
{
    struct buf words, target;
    buf_init(&words, 4096);
    for (int i = 0; i < args_count(a); i++)
        buf_printf(&words, "%s%s", i ? " " : "", args_operand(a, i));
    TARGET(&target, "search");
    target_add_member(&target, "q", words.p);
    target_add_member(&target, "noun", args_get(a, "noun"));
    enum status s = buf_check(&words, "the search", e);
    buf_deinit(&words);
    if (s == ST_OK)
        s = add_limit(a, 20, &target, e);
    if (s != ST_OK) {
        buf_deinit(&target);
        return s;
    }
    return show_items(a, &target, COLUMNS("noun", "id", "state", "title", "snippet"), e);
}

static enum status run_clocks(const struct args *a, struct err *e)
{
    struct buf target;
    TARGET(&target, "clocks");
    target_add_member(&target, "overdue", args_has(a, "overdue") ? "true" : NULL);
    target_add_member(&target, "on", args_get(a, "on"));
    return show_items(a, &target, COLUMNS("kind", "noun", "id", "body", "what", "due", "#working_days_late"),
                      e);
}

/* --- bodies and forms ---------------------------------------------------------------------------------- */

static enum status run_tree(const struct args *a, struct err *e)
{
    struct buf target;
    TARGET(&target, "register", "body", args_operand(a, 0), "tree");
    return show_items(a, &target, COLUMNS("id", "name", "kind", "state", "parent", "#depth"), e);
}

static enum status run_gaps(const struct args *a, struct err *e)
{
    struct buf target;
    TARGET(&target, "register", "body", args_operand(a, 0), "gaps");
    return show_items(
        a, &target, COLUMNS("domain", "label", "held", "from", "#lag_days", "#coverage_percent", "gaps"), e);
}

static enum status run_team(const struct args *a, struct err *e)
{
    struct buf target;
    TARGET(&target, "register", "body", args_operand(a, 0), "team");
    return show_items(a, &target,
                      COLUMNS("person", "post", "role", "scope", "training", "declared", "#interests"), e);
}

static enum status run_leads(const struct args *a, struct err *e)
{
    struct buf target;
    TARGET(&target, "leads");
    return show_items(a, &target, COLUMNS("body", "name", "leads", "#contacts", "#answered", "#median_days"),
                      e);
}

static enum status run_environments(const struct args *a, struct err *e)
{
    struct buf target;
    TARGET(&target, "environments");
    return show_items(a, &target,
                      COLUMNS("body", "name", "region", "#minimum_count", "minimum_count_source", "prices",
                              "contact", "#nodes"),
                      e);
}

static enum status run_profile(const struct args *a, struct err *e)
{
    struct js *profile = NULL;
    struct buf target;
    TARGET(&target, "register", "body", args_operand(a, 0), "profile");
    enum status s = connect_read(a, target.p, &profile, e);
    if (s == ST_OK)
        s = out_json(profile, e);
    js_free(profile);
    buf_deinit(&target);
    return s;
}

static enum status run_forms_diff(const struct args *a, struct err *e)
{
    struct buf target;
    TARGET(&target, "forms", args_operand(a, 0), "diff", args_operand(a, 1));
    return show_items(a, &target, COLUMNS("question", "difference", "a", "b"), e);
}

/* --- papers -------------------------------------------------------------------------------------------- */

#define add_line(list, ...) paper_line(list, "check", __VA_ARGS__)

static void add_texts(struct js *list, const char *check, const struct js *texts)
{
    for (size_t i = 0; i < js_size(texts); i++)
        add_line(list, check, "%s", js_str(js_at(texts, i)));
}

static void add_substitution(struct js *list, const struct js *k)
{
    char new_cost[40], claimed[40], confirmed[40];
    paper_pounds(js_get_int(k, "new", 0), new_cost);
    paper_pounds(js_get_int(k, "claimed", 0), claimed);
    paper_pounds(js_get_int(k, "confirmed", 0), confirmed);
    add_line(list, "substitution",
             "%s: new %s a year, released %s claimed, %s confirmed by the budgets' owners",
             js_get_str(k, "class"), new_cost, claimed, confirmed);
    if (js_get_int(k, "overrun", 0))
        add_line(list, "double running", "%" PRId64 " old services run on past their day",
                 js_get_int(k, "overrun", 0));
}

static enum status run_project_check(const struct args *a, struct err *e)
{
    struct js *answer = NULL, *list = js_array();
    struct buf target;
    TARGET(&target, "register", "project", args_operand(a, 0), "check");
    enum status s = connect_read(a, target.p, &answer, e);
    if (s == ST_OK) {
        const struct js *given = js_get(answer, "contributions");
        add_texts(list, "missing", js_get(answer, "missing"));
        if (js_size(list) == 0)
            add_line(list, "complete", "it may be submitted");
        add_texts(list, "advice", js_get(answer, "advice"));
        add_texts(list, "verdict due", js_get(answer, "perspectives"));
        add_substitution(list, js_get(answer, "substitution"));
        for (size_t i = 0; i < js_size(given); i++) {
            char value[40];
            paper_pounds(js_get_int(js_at(given, i), "value", 0), value);
            add_line(list, "contribution", "%s: %s", js_get_str(js_at(given, i), "body"), value);
        }
        add_line(list, "balance", "%.3f (1 = even, 0 = one-sided)", js_num(js_get(answer, "balance")));
        s = print_objects(a, list, COLUMNS("check", "says"), e);
    }
    js_free(answer);
    js_free(list);
    buf_deinit(&target);
    return s;
}

static enum status run_project_form(const struct args *a, struct err *e)
{
    struct buf target;
    TARGET(&target, "register", "project", args_operand(a, 0), "form");
    target_add_member(&target, "form", args_get(a, "form"));
    return show_items(a, &target, COLUMNS("question", "asks", "answer"), e);
}

static enum status run_agreement_sheet(const struct args *a, struct err *e)
{
    struct buf target;
    TARGET(&target, "register", "agreement", args_operand(a, 0), "sheet");
    return show_items(a, &target, COLUMNS("term", "says"), e);
}

static enum status run_agreement_diff(const struct args *a, struct err *e)
{
    struct buf target;
    TARGET(&target, "register", "agreement", args_operand(a, 0), "diff");
    return show_items(a, &target, COLUMNS("#entry", "time", "actor", "field", "value"), e);
}

/* Pence as pounds, in the columns that are money. */
static enum status run_transfer_total(const struct args *a, struct err *e)
{
    static const char *const money[] = {"to_nhs", "from_nhs", "among_others", "made"};
    struct js *answer = NULL;
    enum status s = connect_read(a, "/api/v1/totals/transfers", &answer, e);
    struct js *list = js_get(answer, "items") ? js_copy(js_get(answer, "items")) : js_array();
    for (size_t i = 0; args_format(a) != OUT_JSON && i < js_size(list); i++)
        for (size_t k = 0; k < 4; k++) {
            char text[40];
            struct js *row = js_edit_at(list, i);
            paper_pounds(js_get_int(row, money[k], 0), text);
            js_put_str(row, money[k], text);
        }
    if (s == ST_OK)
        s = print_objects(a, list, COLUMNS("year", "#payments", "to_nhs", "from_nhs", "among_others", "made"),
                          e);
    js_free(list);
    js_free(answer);
    return s;
}

static enum status run_project_report(const struct args *a, struct err *e)
{
    struct js *report = NULL;
    struct buf target;
    TARGET(&target, "register", "project", args_operand(a, 0), "report");
    enum status s = connect_read(a, target.p, &report, e);
    if (s == ST_OK && args_format(a) == OUT_JSON)
        s = out_json(report, e);
    else if (s == ST_OK)
        s = print_objects(a, js_get(report, "measures"),
                          COLUMNS("group", "id", "title", "role", "unit", "#baseline", "#latest", "#change",
                                  "#target", "state"),
                          e);
    js_free(report);
    buf_deinit(&target);
    return s;
}

static enum status run_annex_read(const struct args *a, struct err *e)
{
    struct js *annex = NULL;
    struct identity *id = NULL;
    struct buf target;
    TARGET(&target, "annexes", args_operand(a, 0));
    enum status s = connect_identity(a, &id, e);
    if (s == ST_OK)
        s = connect_read_as(a, id, target.p, &annex, e);
    if (s == ST_OK)
        s = out_json(annex, e);
    js_free(annex);
    if (id)
        identity_free(id);
    buf_deinit(&target);
    return s;
}

enum status read_history(const struct args *a, const char *noun, const char *id, struct err *e)
{
    char *subject = xasprintf("%s:%s", noun, id);
    struct buf target;
    TARGET(&target, "log", "entries");
    target_add_member(&target, "subject", subject);
    target_add_member(&target, "limit", "1000");
    free(subject);
    return show_items(a, &target, COLUMNS("#seq", "time", "verb", "actor"), e);
}

/* --- the tables ---------------------------------------------------------------------------------------- */

static const struct option_spec place_options[] = {CONNECT_OPTIONS, {0}};
static const struct option_spec annex_options[] = {CONNECT_OPTIONS, IDENTITY_OPTION, {0}};
static const struct option_spec match_options[] = {
    CONNECT_OPTIONS, {"limit", "N", "at most so many, up to 100 (default: 10)"}, {0}};
static const struct option_spec search_options[] = {
    CONNECT_OPTIONS,
    {"noun", "NOUN", "only items of this noun"},
    {"limit", "N", "at most so many, up to 100 (default: 20)"},
    {0},
};
static const struct option_spec clocks_options[] = {
    CONNECT_OPTIONS,
    {"overdue", NULL, "only what is late"},
    {"on", "DATE", "as of this day (default: today)"},
    {0},
};
static const struct option_spec form_options[] = {
    CONNECT_OPTIONS, {"form", "SCHEME", "the form's vocabulary of questions (default: five-safes)"}, {0}};

const struct command match_commands[] = {
    {NULL, "BODY", "the best counterparts of a body, with the reasons",
     "Starts from needs, never from products. Each line is a need and the offer that answers it best:\n"
     "  points = share of the need's codes x 1/rank x people/(people + 100,000) x 1 or 1/2 for the pathway "
     "stage\n"
     "and a body's score is the sum of its lines, so that every score can be checked by hand.",
     match_options, 1, 1, run_match},
    {0},
};
const struct command suggest_commands[] = {
    {NULL, "", "the best pairs of a need and an offer that no project has taken up", NULL, match_options, 0,
     0, run_suggest},
    {0},
};
const struct command common_commands[] = {
    {NULL, "BODY BODY", "what two bodies' needs and offers have in common", NULL, place_options, 2, 2,
     run_common},
    {0},
};
const struct command search_commands[] = {
    {NULL, "WORD...", "search the register's public text; a word may end in *", NULL, search_options, 1, -1,
     run_search},
    {0},
};
const struct command clocks_commands[] = {
    {NULL, "", "what is due and what is late, whosever it is", NULL, clocks_options, 0, 0, run_clocks},
    {0},
};
const struct command body_commands[] = {
    {"tree", "ID", "the bodies under a body: trusts, places, networks", NULL, place_options, 1, 1, run_tree},
    {"team", "ID", "who acts for a body, with training and interests", NULL, place_options, 1, 1, run_team},
    {"leads", "", "every ICB's leads, the vacancies, and how they answer", NULL, place_options, 0, 0,
     run_leads},
    {"environments", "", "secure data environments: smallest count, prices, contact, nodes", NULL,
     place_options, 0, 0, run_environments},
    {"profile", "ID", "who decides, the next meeting, priorities, what a body lacks", NULL, place_options, 1,
     1, run_profile},
    {0},
};
const struct command data_commands[] = {
    {"gaps", "BODY", "the data domains that a body has and lacks", NULL, place_options, 1, 1, run_gaps},
    {0},
};
const struct command forms_commands[] = {
    {"diff", "SCHEME SCHEME", "what two forms ask differently", NULL, place_options, 2, 2, run_forms_diff},
    {0},
};
const struct command project_commands[] = {
    {"check", "ID", "what the project lacks, its substitution case and its balance", NULL, place_options, 1,
     1, run_project_check},
    {"report", "ID", "whom it serves: measures by group of people; with --format json money and areas too",
     NULL, place_options, 1, 1, run_project_report},
    {"form", "ID", "a form filled from the answers that the project gave once", NULL, form_options, 1, 1,
     run_project_form},
    {0},
};
const struct command agreement_commands[] = {
    {"sheet", "ID", "the terms on one page", NULL, place_options, 1, 1, run_agreement_sheet},
    {"diff", "ID", "who set which field, and to what", NULL, place_options, 1, 1, run_agreement_diff},
    {0},
};
const struct command transfer_commands[] = {
    {"total", "", "what was made, by year and in all: to NHS bodies, from them, among others", NULL,
     place_options, 0, 0, run_transfer_total},
    {0},
};
const struct command annex_commands[] = {
    {"read", "ID", "a private annex with its text, for those who may read it",
     "Asked of the hub, signed with one's key: its own body's people may read it and those of the "
     "agreement's "
     "NHS bodies, certifiers and auditors of no party, and nobody else.",
     annex_options, 1, 1, run_annex_read},
    {0},
};
