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

/* A transfer's own item: "<agreement>.t<n>". */
static enum status promise_add(struct change *c, const struct promise *p, int *n, struct err *e)
{
    char day[11];
    struct js *doc = js_object();
    const char *project = js_get_str(c->doc, "project");
    char *id = arena_printf(c->arena, "%.56s.t%d", c->id, ++*n);
    js_put_str(doc, "from", p->from);
    js_put_str(doc, "to", p->to);
    js_put_str(doc, "body", p->from);
    js_put_str(doc, "mechanism", p->mechanism);
    js_put_int(doc, "amount", p->pence);
    js_put_str(doc, "agreement", c->id);
    if (project)
        js_put_str(doc, "project", project);
    if (p->what)
        js_put_str(doc, "what", p->what);
    if (p->due != DATE_NONE) {
        date_format(p->due, day);
        js_put_str(doc, "due", day);
    }
    const struct item i = {.doc = doc,
                           .state = (char *)(uintptr_t) "promised",
                           .body = (char *)(uintptr_t)p->from,
                           .about = arena_printf(c->arena, "agreement:%s", c->id),
                           .made = c->entry->seq,
                           .changed = c->entry->seq};
    enum status s = item_put(c->db, "transfer", id, &i, e);
    js_free(doc);
    return s;
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

static enum status promise_periods(struct change *c, const struct js *mechanism, struct promise *p, int *n,
                                   struct err *e)
{
    int64_t period = js_get_int(mechanism, "period_months", 12);
    int32_t until = doc_day(mechanism, "until"), first = p->due;
    enum status s = ST_OK;
    if (until == DATE_NONE)
        until = doc_day(c->doc, "to");
    for (int64_t k = 0; s == ST_OK && period > 0 && k < 400; k++) {
        p->due = months_on(first, k * period);
        if (p->due > until)
            break;
        s = promise_add(c, p, n, e);
    }
    return s;
}

static enum status promise_mechanism(struct change *c, const struct js *m, int *n, struct err *e)
{
    const char *kind = js_get_str(m, "kind");
    struct promise p = {.from = js_get_str(m, "from"),
                        .to = js_get_str(m, "to"),
                        .mechanism = kind,
                        .what = js_get_str(m, "what") ? js_get_str(m, "what") : js_get_str(m, "trigger"),
                        .pence = js_get_int(m, "amount", 0),
                        .due = doc_day(m, "due")};
    if (word_in("royalty|equity|open_release", kind))
        return ST_OK; /* these are known only when a statement, an exit or a release happens: transfer.promise
                         then */
    if (strcmp(kind, "milestone") == 0)
        p.due = DATE_NONE;
    else if (p.due == DATE_NONE)
        p.due = c->today;
    return strcmp(kind, "subscription") == 0 ? promise_periods(c, m, &p, n, e) : promise_add(c, &p, n, e);
}

enum status transfers_schedule(struct change *c, struct err *e)
{
    const struct js *mechanisms = js_get(c->doc, "mechanisms");
    const char *payer = payer_of(c->doc), *payee = agreement_lead(c->doc);
    int64_t pence = 0, version = js_get_int(c->doc, "version", 1);
    int n = (int)(version - 1) * 1000; /* a varied agreement's transfers are new ones */
    enum status s = ST_OK;
    if (quote_total(c->db, c->doc, c->today, &pence, NULL) != ST_OK)
        pence = 0; /* a price that ended since the check: the parties promise it by hand */
    if (pence > 0 && payer && payee) {
        const struct promise p = {payer, payee, "quote", "cost of access", pence, months_on(c->today, 1)};
        s = promise_add(c, &p, &n, e);
    }
    for (size_t i = 0; s == ST_OK && i < js_size(mechanisms); i++)
        s = promise_mechanism(c, js_at(mechanisms, i), &n, e);
    return s;
}
