/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes about by itself on its day, unless somebody gave a reason against it: a released output becomes
 * open, an emergency's lane closes. The hub says so in the log; the rules here are the same for it as for
 * everybody. */
#include "govern/due.h"

#include "base/date.h"
#include "govern/agreement.h"
#include "govern/nouns.h"
#include "govern/project.h"

enum { OPEN_AFTER_DAYS = 28, WITHHELD_DAYS_MOST = 366 };

const struct field artefact_withhold_fields[] = {
    {"reason", F_TEXT, true, NULL, 2000, NULL},
    {"until", F_DATE, true, NULL, 0, NULL},
    {0},
};

/* --- outputs that nobody withholds -----------------------------------------------------------------------
 */

GUARD(artefact_withhold_guard)
{
    int32_t until = doc_day(c->body, "until");
    if (until < c->today || until - c->today > WITHHELD_DAYS_MOST)
        return refuse(e, RULE_WITHHOLD, "give 'until' a day within %d days", WITHHELD_DAYS_MOST);
    return ST_OK;
}

FOLD(artefact_withhold_fold)
{
    struct js *withheld = js_copy(c->body);
    (void)e;
    js_put(withheld, "by", done_by(c));
    js_put(c->doc, "withheld", withheld);
    return ST_OK;
}

/* The output's run, and how many days after its release the agreement lets it become open. */
static enum status terms_of(struct db *d, const struct js *artefact, struct item *run, int64_t *days,
                            struct err *e)
{
    struct item agreement = {0};
    bool found = false;
    const char *id = js_get_str(artefact, "run");
    *run = (struct item){0};
    *days = OPEN_AFTER_DAYS;
    enum status s = id ? item_find(d, "run", id, run, &found, e) : ST_OK;
    const char *under = js_get_str(run->doc, "agreement");
    if (s == ST_OK && under)
        s = item_find(d, "agreement", under, &agreement, &found, e);
    if (s == ST_OK && js_get(agreement.doc, "open_after_days"))
        *days = js_get_int(agreement.doc, "open_after_days", OPEN_AFTER_DAYS);
    item_deinit(&agreement);
    return s;
}

static int32_t released_on(const struct js *artefact)
{
    int64_t ms;
    const char *time = js_get_str(js_get(artefact, "released"), "time");
    return time && time_parse(slice_of(time), &ms) ? (int32_t)(ms / 86400000) : DATE_NONE;
}

static int32_t opens_on(const struct js *artefact, int64_t days)
{
    int32_t released = released_on(artefact), withheld = doc_day(js_get(artefact, "withheld"), "until");
    int32_t day = released == DATE_NONE ? DATE_MAX : released + (int32_t)days;
    return withheld != DATE_NONE && withheld >= day ? withheld + 1 : day;
}

enum status artefact_opens_on(struct db *d, const struct js *artefact, int32_t *day, struct err *e)
{
    struct item run;
    int64_t days;
    enum status s = terms_of(d, artefact, &run, &days, e);
    *day = opens_on(artefact, days);
    item_deinit(&run);
    return s;
}

GUARD(artefact_fall_open_guard)
{
    int32_t day;
    char text[11];
    enum status s = artefact_opens_on(c->db, c->doc, &day, e);
    if (s != ST_OK || day <= c->today)
        return s;
    date_format(day, text);
    return refuse(e, RULE_NOT_DUE, "it becomes open on %s", text);
}

FOLD(artefact_fall_open_fold)
{
    struct item run;
    int64_t days;
    enum status s = terms_of(c->db, c->doc, &run, &days, e);
    const char *decision = js_get_str(run.doc, "decision"),
               *study = js_get_str(js_get(run.doc, "study"), "title");
    js_put_str(c->doc, "licence", "OGL-UK-3.0");
    js_put_str(c->doc, "title", study ? study : decision ? decision : c->id);
    js_put_str(c->doc, "lay",
               arena_printf(c->arena,
                            "Nobody gave a reason to withhold this result, so it became open by itself, %d "
                            "days after its release. It informs: %s",
                            (int)days, decision ? decision : "no decision that was named"));
    js_put(c->doc, "opened", done_by(c));
    item_deinit(&run);
    return s == ST_OK ? index_text(c, e) : s;
}

/* --- an emergency's lane ----------------------------------------------------------------------------------
 */

GUARD(project_lapse_guard)
{
    return project_lane_closed(c->doc, c->today) ? ST_OK : refuse(e, RULE_NOT_DUE, "the lane is open");
}

/* Agreements of the project, as an array of ids. */
static enum status agreements_of(struct change *c, struct js *ids, struct err *e)
{
    struct stmt *q;
    bool row = true;
    enum status s = db_prepare(
        c->db, "SELECT id FROM item WHERE noun='agreement' AND about='project:' || ?1 ORDER BY id", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, c->id);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row)
        js_push(ids, js_string(stmt_text(q, 0)));
    stmt_done(q);
    return s;
}

FOLD(project_lapse_fold)
{
    struct js *event = done_by(c), *ids = js_array();
    js_put_str(event, "reason", "the emergency lane closed on its day");
    js_put_str(event, "verb", c->verb->name);
    js_push(doc_list(c->doc, "events"), event);
    enum status s = agreements_of(c, ids, e);
    for (size_t i = 0; s == ST_OK && i < js_size(ids); i++)
        s = runs_kill(c, js_str(js_at(ids, i)), e);
    js_free(ids);
    return s;
}

/* --- what the hub has to say now ---------------------------------------------------------------------------
 */

/* Candidates; the guards above have the last word. */
static const char due_sql[] =
    "SELECT 'artefact.fall_open', 'artefact:' || a.id FROM item a LEFT JOIN item r ON r.noun='run' AND "
    "r.id=json_extract(a.doc, '$.run') LEFT JOIN item g ON g.noun='agreement' AND g.id=json_extract(r.doc, "
    "'$.agreement') WHERE a.noun='artefact' AND a.state='released' AND date(json_extract(a.doc, "
    "'$.released.time'), coalesce(json_extract(g.doc, '$.open_after_days'), CAST(?2 AS INT)) || ' days')<=?1 "
    "AND coalesce(json_extract(a.doc, '$.withheld.until'), '')<?1"
    " UNION ALL SELECT 'project.lapse', 'project:' || id FROM item WHERE noun='project' AND state IN "
    "('approved', 'agreed', 'live') AND json_extract(doc, '$.emergency.until')<?1 ORDER BY 2";

enum status registry_due(struct registry *r, int32_t day, struct js **out, struct err *e)
{
    struct stmt *q;
    bool row = true;
    char today[11];
    *out = js_array();
    date_format(day, today);
    enum status s = db_prepare(ledger_db(registry_ledger(r)), due_sql, &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, today);
    stmt_bind_int(q, 2, OPEN_AFTER_DAYS);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct js *one = js_object();
        js_put_str(one, "verb", stmt_text(q, 0));
        js_put_str(one, "subject", stmt_text(q, 1));
        js_push(*out, one);
    }
    stmt_done(q);
    return s;
}
