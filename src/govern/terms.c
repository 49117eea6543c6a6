/* SPDX-License-Identifier: Apache-2.0
 *
 * Money: quotes from a price list, and the transfers that an agreement's quote and mechanisms promise. Prices
 * and tiers are vocabularies (schemes `prices-…` and `tiers`), never code. */
#include <inttypes.h>
#include <stdio.h>

#include "base/date.h"
#include "govern/agreement.h"
#include "govern/nouns.h"

static const char default_prices[] = "prices-sde";

static enum status price_of(struct db *d, const char *scheme, const char *code, int32_t day, int64_t *pence,
                            struct err *e)
{
    char text[16];
    snprintf(text, sizeof text, "%" PRId32, day);
    return db_number(
        d,
        "SELECT amount FROM vocabulary WHERE scheme=?1 AND code=?2 AND from_day<=CAST(?3 AS INT) AND "
        "until_day>=CAST(?3 AS INT) ORDER BY from_day DESC",
        PARAMS(scheme, code, text), -1, pence, e);
}

/* The first party that is neither site nor custodian pays. */
static const char *payer_of(const struct js *doc)
{
    const struct js *parties = js_get(doc, "parties");
    for (size_t i = 0; i < js_size(parties); i++)
        if (word_in("partner|sponsor", js_get_str(js_at(parties, i), "role")))
            return js_get_str(js_at(parties, i), "body");
    return NULL;
}

/* What share of the list price the payer pays, in percent: tiers by use and kind of body. */
static enum status tier_percent(struct db *d, const struct js *doc, int32_t day, int64_t *percent,
                                struct err *e)
{
    char code[64];
    struct item body = {0};
    bool found = false;
    const char *payer = payer_of(doc), *use = js_get_str(doc, "use");
    *percent = 100;
    enum status s = payer ? item_find(d, "body", payer, &body, &found, e) : ST_OK;
    if (s == ST_OK && found && use) {
        snprintf(code, sizeof code, "%s.%s", use, js_get_str(body.doc, "kind"));
        s = price_of(d, "tiers", code, day, percent, e);
        if (*percent < 0)
            *percent = 100;
    }
    item_deinit(&body);
    return s;
}

enum status quote_total(struct db *d, const struct js *doc, int32_t day, int64_t *pence, struct err *e)
{
    const struct js *quote = js_get(doc, "quote");
    const char *scheme = js_get_str(doc, "prices") ? js_get_str(doc, "prices") : default_prices;
    int64_t percent, total = 0;
    *pence = 0;
    enum status s = tier_percent(d, doc, day, &percent, e);
    for (size_t i = 0; s == ST_OK && i < js_size(quote); i++) {
        int64_t price, line;
        const char *code = js_get_str(js_at(quote, i), "code");
        s = price_of(d, scheme, code, day, &price, e);
        if (s == ST_OK && price < 0)
            s = refuse(e, RULE_VOCABULARY, "$.quote[%zu].code: '%.60s' has no price in %.60s", i, code,
                       scheme);
        if (s == ST_OK && (__builtin_mul_overflow(price, js_get_int(js_at(quote, i), "quantity", 0), &line) ||
                           __builtin_add_overflow(total, line, &total)))
            s = err_set(e, ST_INVALID, "$.quote[%zu]: the sum is too large", i);
    }
    *pence = (total / 100) * percent + (total % 100 * percent + 50) / 100;
    return s;
}

struct promise {
    const char *from, *to, *mechanism, *what;
    int64_t pence;
    int32_t due;
};

/* Promises are collected as documents of transfers; what is put into the register is these. */
static void promise_add(struct js *list, const struct promise *p)
{
    char day[11];
    struct js *doc = js_object();
    js_put_str(doc, "from", p->from);
    js_put_str(doc, "to", p->to);
    js_put_str(doc, "body", p->from);
    js_put_str(doc, "mechanism", p->mechanism);
    js_put_int(doc, "amount", p->pence);
    if (p->what)
        js_put_str(doc, "what", p->what);
    if (p->due != DATE_NONE) {
        date_format(p->due, day);
        js_put_str(doc, "due", day);
    }
    js_push(list, doc);
}

/* The same day, `months` later; the last of the month when there is none. */
static int32_t months_on(int32_t day, int64_t months)
{
    int y, m, d;
    date_parts(day, &y, &m, &d);
    m += (int)months - 1;
    y += m / 12;
    m = m % 12 + 1;
    while (!date_valid(y, m, d) && d > 28)
        d--;
    return date_valid(y, m, d) ? date_of(y, m, d) : DATE_MAX;
}

static void promise_periods(const struct js *agreement, const struct js *mechanism, struct promise *p,
                            struct js *list)
{
    int64_t period = js_get_int(mechanism, "period_months", 12);
    int32_t until = doc_day(mechanism, "until"), first = p->due;
    if (until == DATE_NONE)
        until = doc_day(agreement, "to");
    for (int64_t k = 0; period > 0 && k < 400; k++) {
        p->due = months_on(first, k * period);
        if (p->due > until)
            break;
        promise_add(list, p);
    }
}

static void promise_mechanism(const struct js *agreement, const struct js *m, int32_t day, struct js *list)
{
    const char *kind = js_get_str(m, "kind");
    struct promise p = {.from = js_get_str(m, "from"),
                        .to = js_get_str(m, "to"),
                        .mechanism = kind,
                        .what = js_get_str(m, "what") ? js_get_str(m, "what") : js_get_str(m, "trigger"),
                        .pence = js_get_int(m, "amount", 0),
                        .due = doc_day(m, "due")};
    if (!kind || !p.from || !p.to || word_in("royalty|equity|open_release", kind))
        return; /* these are known only when a statement, an exit or a release happens: transfer.promise then
                 */
    if (strcmp(kind, "milestone") == 0)
        p.due = DATE_NONE;
    else if (p.due == DATE_NONE)
        p.due = day;
    if (strcmp(kind, "subscription") == 0)
        promise_periods(agreement, m, &p, list);
    else
        promise_add(list, &p);
}

struct js *agreement_promises(struct db *d, const struct js *doc, int32_t day)
{
    const struct js *mechanisms = js_get(doc, "mechanisms");
    const char *payer = payer_of(doc), *payee = agreement_lead(doc);
    struct js *list = js_array();
    int64_t pence = 0;
    if (quote_total(d, doc, day, &pence, NULL) != ST_OK)
        pence = 0; /* a price that ended since the check: the parties promise it by hand */
    if (pence > 0 && payer && payee)
        promise_add(list,
                    &(struct promise){payer, payee, "quote", "cost of access", pence, months_on(day, 1)});
    for (size_t i = 0; i < js_size(mechanisms); i++)
        promise_mechanism(doc, js_at(mechanisms, i), day, list);
    return list;
}

/* A transfer's own item: "<agreement>.t<n>". */
static enum status put_transfer(struct change *c, struct js *doc, int64_t n, struct err *e)
{
    const char *project = js_get_str(c->doc, "project");
    js_put_str(doc, "agreement", c->id);
    if (project)
        js_put_str(doc, "project", project);
    const struct item i = {.doc = doc,
                           .state = (char *)(uintptr_t) "promised",
                           .body = (char *)(uintptr_t)js_get_str(doc, "from"),
                           .about = arena_printf(c->arena, "agreement:%s", c->id),
                           .made = c->entry->seq,
                           .changed = c->entry->seq};
    return item_put(c->db, "transfer", arena_printf(c->arena, "%.56s.t%" PRId64, c->id, n), &i, e);
}

enum status transfers_schedule(struct change *c, struct err *e)
{
    struct js *list = agreement_promises(c->db, c->doc, c->today);
    int64_t before = (js_get_int(c->doc, "version", 1) - 1) * 1000; /* a varied agreement's are new ones */
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < js_size(list); i++)
        s = put_transfer(c, js_edit_at(list, i), before + 1 + (int64_t)i, e);
    js_free(list);
    return s;
}
