/* SPDX-License-Identifier: Apache-2.0
 *
 * What an agreement must hold before a certifier may pass it: the value rules (NHS England's Value Sharing
 * Framework, DHSC's five principles) as predicates. */
#include <inttypes.h>

#include "govern/agreement.h"
#include "govern/nouns.h"

static enum status check_parties(struct change *c, struct err *e)
{
    const struct js *parties = js_get(c->doc, "parties");
    size_t sites = 0, leads = 0, n = js_size(parties);
    for (size_t i = 0; i < n; i++) {
        const char *body = js_get_str(js_at(parties, i), "body"),
                   *role = js_get_str(js_at(parties, i), "role");
        bool registered;
        enum status s = item_state_is(c->db, "body", body, "registered", &registered, e);
        if (s != ST_OK)
            return s;
        if (!registered || list_find(parties, "body", body) != js_at(parties, i))
            return refuse(e, RULE_PARTIES, "%s", body);
        sites += word_in("site|lead_site", role);
        leads += strcmp(role, "lead_site") == 0;
    }
    if (n < 2)
        return refuse(e, RULE_PARTIES, NULL);
    return sites && leads != 1 ? refuse(e, RULE_LEAD_SITE, NULL) : ST_OK;
}

static enum status check_template(struct change *c, struct err *e)
{
    int64_t n;
    const char *hash = js_get_str(c->doc, "template");
    enum status s = db_number(c->db,
                              "SELECT count(*) FROM item WHERE noun='template' AND state='published' AND "
                              "json_extract(doc, '$.hash')=?1",
                              PARAMS(hash), 0, &n, e);
    return s == ST_OK && n == 0 ? refuse(e, RULE_TEMPLATE, "%s", hash) : s;
}

/* A waiver counts when a finance reviewer said yes to the terms as they were set last. */
static enum status waiver_agreed(struct change *c, bool *out, struct err *e)
{
    int64_t n;
    char *about = arena_printf(c->arena, "agreement:%s", c->id);
    const struct js *edits = js_get(c->doc, "edits");
    const struct js *last = js_size(edits) ? js_at(edits, js_size(edits) - 1) : js_get(c->doc, "drafted");
    char *since = arena_printf(c->arena, "%" PRId64, js_get_int(last, "at", 0));
    enum status s =
        db_number(c->db,
                  "SELECT count(*) FROM item WHERE noun='review' AND about=?1 AND state='given' AND "
                  "json_extract(doc, '$.perspective')='finance' AND json_extract(doc, '$.verdict')='yes' AND "
                  "json_extract(doc, '$.given.at')>CAST(?2 AS INT)",
                  PARAMS(about, since), 0, &n, e);
    *out = n > 0;
    return s;
}

static enum status check_quote(struct change *c, struct err *e)
{
    int64_t pence;
    bool waived = false;
    if (js_size(js_get(c->doc, "quote")) > 0)
        return quote_total(c->db, c->doc, c->today, &pence, e);
    if (!js_get(c->doc, "waiver"))
        return refuse(e, RULE_QUOTE, NULL);
    enum status s = waiver_agreed(c, &waived, e);
    return s == ST_OK && !waived ? refuse(e, RULE_QUOTE, "the waiver has no finance reviewer's yes") : s;
}

static enum status check_terms(struct change *c, struct err *e)
{
    if (list_find(js_get(c->doc, "exclusivity"), "over", "raw-data"))
        return refuse(e, RULE_EXCLUSIVITY, NULL);
    if (!js_get(c->doc, "exit_plan"))
        return refuse(e, RULE_EXIT_PLAN, NULL);
    if (js_bool(js_get(c->doc, "charges_patients")) || js_bool(js_get(c->doc, "limits_care")))
        return refuse(e, RULE_FREE_CARE, NULL);
    const char *use = js_get_str(c->doc, "use");
    if (use && strcmp(use, "non-commercial") == 0 && !js_bool(js_get(c->doc, "consent_to_commercialise")))
        return refuse(e, RULE_COMMERCIALISE, NULL);
    return ST_OK;
}

GUARD(agreement_check_guard)
{
    const char *drafter = js_get_str(js_get(c->doc, "drafted"), "person");
    if (drafter && c->person && strcmp(drafter, c->person) == 0)
        return refuse(e, RULE_CERTIFY_OWN, NULL);
    enum status s = check_parties(c, e);
    if (s == ST_OK)
        s = check_template(c, e);
    if (s == ST_OK)
        s = check_quote(c, e);
    return s == ST_OK ? check_terms(c, e) : s;
}
