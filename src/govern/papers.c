/* SPDX-License-Identifier: Apache-2.0 */
#include "govern/papers.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/date.h"
#include "base/mem.h"
#include "govern/agreement.h"
#include "govern/items.h"

/* --- a form -------------------------------------------------------------------------------------------- */

enum status paper_form(struct registry *r, const char *project, const char *form, struct js **out,
                       struct err *e)
{
    struct js *item = NULL;
    struct stmt *q = NULL;
    bool row = true;
    *out = js_array();
    enum status s = registry_item(r, "project", project, &item, e);
    if (s == ST_OK)
        s = db_prepare(ledger_db(registry_ledger(r)),
                       "SELECT code, label FROM vocabulary WHERE scheme=?1 ORDER BY parent, code", &q, e);
    if (s == ST_OK)
        stmt_bind_text(q, 1, form);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row) {
        const char *answer = js_get_str(js_get(item, "answers"), stmt_text(q, 0));
        struct js *line = js_object();
        js_put_str(line, "question", stmt_text(q, 0));
        js_put_str(line, "asks", stmt_text(q, 1));
        js_put_str(line, "answer", answer ? answer : "");
        js_push(*out, line);
    }
    stmt_done(q);
    js_free(item);
    return s == ST_OK && js_size(*out) == 0 ? err_set(e, ST_NOT_FOUND, "there is no form '%.60s'", form) : s;
}

/* --- the terms on one page ------------------------------------------------------------------------------ */

void paper_line(struct js *list, const char *member, const char *name, const char *format, ...)
{
    char text[1200];
    struct js *line = js_object();
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    js_put_str(line, member, name);
    js_put_str(line, "says", text);
    js_push(list, line);
}
#define add_line(list, ...) paper_line(list, "term", __VA_ARGS__)

static void add_text(struct js *list, const struct js *doc, const char *key, const char *term)
{
    if (js_get_str(doc, key))
        add_line(list, term, "%s", js_get_str(doc, key));
}

void paper_pounds(int64_t pence, char out[40])
{
    snprintf(out, 40, "£%" PRId64 ".%02d", pence / 100, (int)(pence % 100));
}

static void add_parties(struct js *list, const struct js *doc)
{
    const struct js *parties = js_get(doc, "parties");
    for (size_t i = 0; i < js_size(parties); i++) {
        const char *body = js_get_str(js_at(parties, i), "body"),
                   *role = js_get_str(js_at(parties, i), "role");
        const char *when = js_get_str(list_find(js_get(doc, "signatures"), "body", body), "time");
        add_line(list, "party", "%s, %s: %s", body, role, when ? when : "not signed");
    }
}

/* "; floor £1,000.00": a member of a mechanism that is money. */
static void add_amount(const struct js *m, const char *key, const char *words, struct buf *out)
{
    char text[40];
    if (!js_get(m, key))
        return;
    paper_pounds(js_get_int(m, key, 0), text);
    buf_printf(out, "; %s %s", words, text);
}

static void add_detail(const struct js *m, const char *key, const char *words, struct buf *out)
{
    if (js_get_str(m, key))
        buf_printf(out, "; %s%s%s", words, *words ? " " : "", js_get_str(m, key));
}

static void add_mechanism(struct js *list, const struct js *m)
{
    struct buf text;
    char amount[40];
    buf_init(&text, 8192);
    paper_pounds(js_get_int(m, "amount", 0), amount);
    buf_printf(&text, "%s: %s to %s", js_get_str(m, "kind"), js_get_str(m, "from"), js_get_str(m, "to"));
    if (js_get(m, "amount"))
        buf_printf(&text, ", %s", amount);
    if (js_get(m, "rate_percent"))
        buf_printf(&text, "; %.4g%%", js_num(js_get(m, "rate_percent")));
    add_detail(m, "base", "of measure", &text);
    add_amount(m, "floor", "at least", &text);
    add_amount(m, "cap", "at most", &text);
    if (js_get(m, "period_months"))
        buf_printf(&text, "; every %" PRId64 " months", js_get_int(m, "period_months", 0));
    add_detail(m, "due", "due", &text);
    add_detail(m, "until", "until", &text);
    add_detail(m, "trigger", "when", &text);
    add_detail(m, "what", "", &text);
    add_detail(m, "estimated_by", "estimated by", &text);
    add_line(list, "mechanism", "%s", text.p ? text.p : "");
    buf_deinit(&text);
}

static enum status add_money(struct js *list, struct registry *r, const struct js *doc, int32_t day,
                             struct err *e)
{
    char text[40];
    int64_t pence = 0;
    const struct js *mechanisms = js_get(doc, "mechanisms");
    enum status s = quote_total(ledger_db(registry_ledger(r)), doc, day, &pence, e);
    paper_pounds(pence, text);
    if (s == ST_OK && pence)
        add_line(list, "quote", "%s for access, from the published price list", text);
    add_text(list, js_get(doc, "waiver"), "reason", "waiver");
    for (size_t i = 0; i < js_size(mechanisms); i++)
        add_mechanism(list, js_at(mechanisms, i));
    if (js_get(doc, "nhs_share_percent"))
        add_line(list, "NHS share", "%.1f%%", js_num(js_get(doc, "nhs_share_percent")));
    return s;
}

static void add_rights(struct js *list, const struct js *doc)
{
    const struct js *foreground = js_get(doc, "foreground_ip"), *exclusive = js_get(doc, "exclusivity"),
                    *annexes = js_get(doc, "private_annexes");
    if (foreground)
        add_line(list, "what is new", "belongs to %s; %s", js_get_str(foreground, "owner"),
                 js_get_str(foreground, "licence"));
    for (size_t i = 0; i < js_size(exclusive); i++)
        add_line(list, "exclusive", "%s: %s, until %s", js_get_str(js_at(exclusive, i), "over"),
                 js_get_str(js_at(exclusive, i), "what"), js_get_str(js_at(exclusive, i), "until"));
    for (size_t i = 0; i < js_size(annexes); i++)
        add_line(list, "private annex", "%s, %s: %s; hash %s", js_get_str(js_at(annexes, i), "annex"),
                 js_get_str(js_at(annexes, i), "body"), js_get_str(js_at(annexes, i), "title"),
                 js_get_str(js_at(annexes, i), "hash"));
    if (js_get(doc, "open_after_days"))
        add_line(list, "openness", "results become open %" PRId64 " days after their release",
                 js_get_int(doc, "open_after_days", 0));
    if (js_bool(js_get(doc, "consent_to_commercialise")))
        add_line(list, "commercial use", "asked for first; its terms are then agreed");
}

enum status paper_sheet(struct registry *r, const char *agreement, int32_t day, struct js **out,
                        struct err *e)
{
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
        {"parent", "under"},
    };
    struct js *doc = NULL;
    char hex[2 * HASH_BYTES + 1];
    *out = js_array();
    enum status s = registry_item(r, "agreement", agreement, &doc, e);
    for (size_t i = 0; s == ST_OK && i < sizeof texts / sizeof *texts; i++)
        add_text(*out, doc, texts[i][0], texts[i][1]);
    if (s == ST_OK) {
        add_parties(*out, doc);
        s = add_money(*out, r, doc, day, e);
    }
    if (s == ST_OK) {
        add_rights(*out, doc);
        s = agreement_terms(doc, hex, e);
    }
    if (s == ST_OK)
        add_line(*out, "terms, hash", "%s", hex);
    js_free(doc);
    return s;
}

/* --- who moved which field -------------------------------------------------------------------------------
 */

static enum status diff_rows(void *context, struct db *d, const struct ledger_entry *entry, struct err *e)
{
    struct js *list = context;
    (void)d, (void)e;
    if (!word_in("agreement.draft|agreement.edit", entry->verb))
        return ST_OK;
    for (void *it = js_first(entry->body); it; it = js_next(entry->body, it)) {
        struct js *line = js_object();
        struct buf value;
        buf_init(&value, COMMAND_MOST);
        if (js_str(js_value(it)))
            buf_adds(&value, js_str(js_value(it)));
        else
            js_format(js_value(it), JS_COMPACT, &value);
        js_put_int(line, "entry", entry->seq);
        js_put_str(line, "time", entry->time);
        js_put_str(line, "actor", entry->actor);
        js_put_str(line, "field", js_key(it));
        js_put_str(line, "value", value.p ? value.p : "");
        js_push(list, line);
        buf_deinit(&value);
    }
    return ST_OK;
}

enum status paper_diff(struct registry *r, const char *agreement, struct js **out, struct err *e)
{
    char subject[COMMAND_SUBJECT_MOST + 1];
    bool there;
    *out = js_array();
    snprintf(subject, sizeof subject, "agreement:%.70s", agreement);
    enum status s = item_exists(ledger_db(registry_ledger(r)), "agreement", agreement, &there, e);
    if (s == ST_OK && !there)
        s = err_set(e, ST_NOT_FOUND, "there is no agreement '%.64s'", agreement);
    return s == ST_OK ? ledger_walk(registry_ledger(r), 0, -1, subject, diff_rows, *out, e) : s;
}
