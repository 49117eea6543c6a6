/* SPDX-License-Identifier: Apache-2.0
 *
 * Papers made from the register: `accord project check` (what a draft lacks, line by line), `accord project
 * form` (a custodian's form filled from the answers given once), `accord agreement sheet` (the terms on one
 * page) and `accord agreement diff` (who moved which field). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "cli/connect.h"
#include "govern/agreement.h"
#include "govern/project.h"

/* An item with the register that it was read from. */
static enum status open_item(const struct args *a, const char *noun, struct registry **r, struct js **item,
                             struct err *e)
{
    *item = NULL;
    enum status s = connect_file(a, DB_READ, r, e);
    return s == ST_OK ? registry_item(*r, noun, args_operand(a, 0), item, e) : s;
}

static void pounds(int64_t pence, char out[40])
{
    snprintf(out, 40, "£%" PRId64 ".%02d", pence / 100, (int)(pence % 100));
}

/* project check */

static void add_line(struct out *o, const char *what, const char *format, ...) PRINTF_LIKE(3, 4);
static void add_line(struct out *o, const char *what, const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    out_row(o, what, text);
}

static void check_money(struct out *o, const struct js *project)
{
    char new_cost[40], claimed[40], confirmed[40], value[40];
    const struct js *parties = js_get(project, "parties");
    struct substitution_case k = substitution_of(project, (int32_t)(time_now_ms() / 86400000));
    pounds(k.new_pence, new_cost);
    pounds(k.claimed_pence, claimed);
    pounds(k.confirmed_pence, confirmed);
    add_line(o, "substitution", "%s: new %s a year, released %s claimed, %s confirmed by the budgets' owners",
             substitution_name(k.class), new_cost, claimed, confirmed);
    if (k.overrun)
        add_line(o, "double running", "%" PRId64 " old services run on past their day", k.overrun);
    for (size_t i = 0; i < js_size(parties); i++) {
        pounds(contribution_of(js_at(parties, i)), value);
        add_line(o, "contribution", "%s: %s", js_get_str(js_at(parties, i), "body"), value);
    }
    add_line(o, "balance", "%.3f (1 = even, 0 = one-sided)", contribution_balance(project));
}

static enum status run_project_check(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"check", "says", NULL};
    struct registry *r = NULL;
    struct js *project = NULL, *faults = js_array();
    struct err first = {0};
    enum status s = open_item(a, "project", &r, &project, e);
    if (s == ST_OK) {
        s = project_faults(ledger_db(registry_ledger(r)), project, faults, &first);
        struct out *o = out_new(a, columns);
        for (size_t i = 0; i < js_size(faults); i++)
            out_row(o, "missing", js_str(js_at(faults, i)));
        if (js_size(faults) == 0)
            out_row(o, "complete", "it may be submitted");
        check_money(o, project);
        enum status printed = out_end(o, e);
        s = s == ST_OK ? printed : s;
    }
    js_free(project);
    js_free(faults);
    registry_close(r);
    return s;
}

/* project form: the questions are a vocabulary, the answers lie in the project. */

static enum status run_project_form(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"question", "asks", "answer", NULL};
    struct registry *r = NULL;
    struct js *project = NULL;
    struct stmt *q = NULL;
    bool row = true;
    enum status s = open_item(a, "project", &r, &project, e);
    if (s == ST_OK)
        s = db_prepare(ledger_db(registry_ledger(r)),
                       "SELECT code, label FROM vocabulary WHERE scheme=?1 ORDER BY parent, code", &q, e);
    if (s == ST_OK) {
        struct out *o = out_new(a, columns);
        stmt_bind_text(q, 1, args_get_or(a, "form", "five-safes"));
        while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row)
            out_row(o, stmt_text(q, 0), stmt_text(q, 1),
                    js_get_str(js_get(project, "answers"), stmt_text(q, 0)));
        stmt_done(q);
        enum status printed = out_end(o, s == ST_OK ? e : NULL);
        s = s == ST_OK ? printed : s;
    }
    js_free(project);
    registry_close(r);
    return s;
}

/* agreement sheet */

static void add_text(struct out *o, const struct js *doc, const char *key, const char *label)
{
    if (js_get_str(doc, key))
        out_row(o, label, js_get_str(doc, key));
}

static void add_parties(struct out *o, const struct js *doc)
{
    const struct js *parties = js_get(doc, "parties");
    for (size_t i = 0; i < js_size(parties); i++) {
        const char *body = js_get_str(js_at(parties, i), "body");
        const struct js *signatures = js_get(doc, "signatures");
        const char *signed_at = "not signed";
        for (size_t k = 0; k < js_size(signatures); k++)
            if (strcmp(js_get_str(js_at(signatures, k), "body"), body) == 0)
                signed_at = js_get_str(js_at(signatures, k), "time");
        add_line(o, "party", "%s, %s: %s", body, js_get_str(js_at(parties, i), "role"), signed_at);
    }
}

static enum status add_money(struct out *o, struct registry *r, const struct js *doc, struct err *e)
{
    char text[40];
    int64_t pence = 0;
    const struct js *mechanisms = js_get(doc, "mechanisms");
    enum status s =
        quote_total(ledger_db(registry_ledger(r)), doc, (int32_t)(time_now_ms() / 86400000), &pence, e);
    pounds(pence, text);
    if (s == ST_OK && pence)
        add_line(o, "quote", "%s for access, from the published price list", text);
    add_text(o, js_get(doc, "waiver"), "reason", "waiver");
    for (size_t i = 0; i < js_size(mechanisms); i++) {
        const struct js *m = js_at(mechanisms, i);
        pounds(js_get_int(m, "amount", 0), text);
        add_line(o, "mechanism", "%s: %s pays %s %s", js_get_str(m, "kind"), js_get_str(m, "from"),
                 js_get_str(m, "to"), js_get(m, "amount") ? text : "as stated");
    }
    if (js_get(doc, "nhs_share_percent"))
        add_line(o, "NHS share", "%.1f%%", js_num(js_get(doc, "nhs_share_percent")));
    return s;
}

static enum status run_agreement_sheet(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"term", "says", NULL};
    static const char *const texts[][2] = {
        {"title", "title"},
        {"state", "state"},
        {"purpose", "purpose"},
        {"access", "access"},
        {"use", "use"},
        {"from", "from"},
        {"to", "to"},
        {"exit_plan", "exit plan"},
        {"audit", "audit"},
        {"publication", "results"},
        {"template", "template, hash"},
        {"project", "project"},
    };
    struct registry *r = NULL;
    struct js *doc = NULL;
    char hex[2 * HASH_BYTES + 1];
    enum status s = open_item(a, "agreement", &r, &doc, e);
    if (s == ST_OK) {
        struct out *o = out_new(a, columns);
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            add_text(o, doc, texts[i][0], texts[i][1]);
        add_parties(o, doc);
        s = add_money(o, r, doc, e);
        if (s == ST_OK)
            s = agreement_terms(doc, hex, e);
        out_row(o, "terms, hash", s == ST_OK ? hex : "");
        enum status printed = out_end(o, s == ST_OK ? e : NULL);
        s = s == ST_OK ? printed : s;
    }
    js_free(doc);
    registry_close(r);
    return s;
}

/* agreement diff: each entry that set a field, with what it became. */

static enum status diff_row(void *context, struct db *d, const struct ledger_entry *entry, struct err *e)
{
    struct out *o = context;
    char seq[24], actor[13];
    (void)d, (void)e;
    if (!word_in("agreement.draft|agreement.edit", entry->verb))
        return ST_OK;
    snprintf(seq, sizeof seq, "%" PRId64, entry->seq);
    snprintf(actor, sizeof actor, "%.12s", entry->actor);
    for (void *it = js_first(entry->body); it; it = js_next(entry->body, it)) {
        struct buf value;
        buf_init(&value, COMMAND_MOST);
        if (js_str(js_value(it)))
            buf_adds(&value, js_str(js_value(it)));
        else
            js_format(js_value(it), JS_COMPACT, &value);
        out_row(o, seq, entry->time, actor, js_key(it), value.p);
        buf_deinit(&value);
    }
    return ST_OK;
}

static enum status run_agreement_diff(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"#entry", "time", "actor", "field", "value", NULL};
    struct registry *r = NULL;
    char subject[COMMAND_SUBJECT_MOST + 1];
    snprintf(subject, sizeof subject, "agreement:%s", args_operand(a, 0));
    enum status s = connect_file(a, DB_READ, &r, e);
    if (s != ST_OK)
        return s;
    struct out *o = out_new(a, columns);
    s = ledger_walk(registry_ledger(r), 0, -1, subject, diff_row, o, e);
    enum status printed = out_end(o, s == ST_OK ? e : NULL);
    registry_close(r);
    return s == ST_OK ? printed : s;
}

static const struct option_spec paper_options[] = {CONNECT_OPTIONS, {0}};
static const struct option_spec form_options[] = {
    CONNECT_OPTIONS, {"form", "SCHEME", "the form's vocabulary of questions (default: five-safes)"}, {0}};

const struct command project_commands[] = {
    {"check", "ID", "what the project lacks, its substitution case and its balance", NULL, paper_options, 1,
     1, run_project_check},
    {"form", "ID", "a form filled from the answers that the project gave once", NULL, form_options, 1, 1,
     run_project_form},
    {0},
};
const struct command agreement_commands[] = {
    {"sheet", "ID", "the terms on one page", NULL, paper_options, 1, 1, run_agreement_sheet},
    {"diff", "ID", "who set which field, and to what", NULL, paper_options, 1, 1, run_agreement_diff},
    {0},
};
