/* SPDX-License-Identifier: Apache-2.0 */
#include "govern/search.h"

#include "base/date.h"
#include "govern/calendar.h"
#include "govern/items.h"

enum { WORDS_MOST = 500 };

/* Each word becomes a quoted string, so that nothing of FTS5's syntax is left in it. */
static bool match_expression(const char *words, struct buf *out)
{
    size_t n_words = 0;
    while (*words) {
        size_t n = strcspn(words, " \t\r\n");
        if (n) {
            bool prefix = n > 1 && words[n - 1] == '*';
            buf_adds(out, n_words++ ? " \"" : "\"");
            for (size_t i = 0; i < n - prefix; i++)
                if (words[i] == '"')
                    buf_adds(out, "\"\"");
                else
                    buf_addc(out, words[i]);
            buf_adds(out, prefix ? "\"*" : "\"");
        }
        words += n + (words[n] != '\0');
    }
    return n_words > 0 && !out->failed;
}

static enum status run_search(struct registry *r, const char *expression, const char *noun, int limit,
                              struct js *list, struct err *e)
{
    static const char *const columns[] = {"noun", "id", "state", "title", "snippet"};
    struct stmt *q;
    bool row = true;
    enum status s = db_prepare(
        ledger_db(registry_ledger(r)),
        "SELECT s.noun, s.id, i.state, coalesce(json_extract(i.doc, '$.title'), json_extract(i.doc, "
        "'$.name'), ''), s.snippet FROM (SELECT noun, id, snippet(search, 2, '', '', '…', 16) AS snippet, "
        "rank, "
        "rowid AS row FROM search WHERE search MATCH ?1 AND (?2 IS NULL OR noun=?2) ORDER BY rank, rowid "
        "LIMIT "
        "?3) s JOIN item i ON i.noun=s.noun AND i.id=s.id ORDER BY s.rank, s.row",
        &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, expression);
    stmt_bind_text(q, 2, noun);
    stmt_bind_int(q, 3, limit);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct js *hit = js_object();
        for (int i = 0; i < 5; i++)
            js_put_str(hit, columns[i], stmt_text(q, i) ? stmt_text(q, i) : "");
        js_push(list, hit);
    }
    stmt_done(q);
    return s;
}

enum status search_text(struct registry *r, const char *words, const char *noun, int limit, struct js **out,
                        struct err *e)
{
    struct buf expression;
    *out = js_array();
    if (strlen(words) > WORDS_MOST)
        return err_set(e, ST_INVALID, "the search is longer than %d bytes", WORDS_MOST);
    buf_init(&expression, (size_t)8 * WORDS_MOST);
    enum status s = match_expression(words, &expression) ? run_search(r, expression.p, noun, limit, *out, e)
                                                         : err_set(e, ST_INVALID, "the search has no word");
    buf_deinit(&expression);
    return s;
}

/* Every clock: what, which item, whose, due when. Dates sort as text. */
static const char clocks_sql[] =
    "SELECT 'contact', noun, id, body, coalesce(json_extract(doc, '$.purpose'), 'a need'), json_extract(doc, "
    "'$.due')"
    " FROM item WHERE noun='contact' AND state='open'"
    " UNION ALL SELECT 'verdict', 'project', p.id, p.body, json_extract(v.value, '$.perspective'),"
    "  json_extract(v.value, '$.due') FROM item p, json_each(p.doc, '$.reviews_due') v"
    "  WHERE p.noun='project' AND (p.state='submitted' OR (json_extract(v.value, '$.after')=1 AND p.state IN "
    "('approved', 'agreed', 'live', 'paused', 'closed'))) AND NOT EXISTS (SELECT 1 FROM item r WHERE "
    "r.noun='review' AND"
    "  r.about='project:' || p.id AND r.state='given' AND"
    "  json_extract(r.doc, '$.perspective')=json_extract(v.value, '$.perspective'))"
    " UNION ALL SELECT 'review', noun, id, body, json_extract(doc, '$.perspective'), json_extract(doc, "
    "'$.due')"
    "  FROM item WHERE noun='review' AND state='asked' AND json_extract(doc, '$.due') IS NOT NULL"
    " UNION ALL SELECT 'transfer', noun, id, body, coalesce(json_extract(doc, '$.what'), json_extract(doc,"
    "  '$.mechanism')), json_extract(doc, '$.due') FROM item WHERE noun='transfer' AND state IN ('promised', "
    "'due') AND"
    "  json_extract(doc, '$.due') IS NOT NULL"
    " UNION ALL SELECT 'measure', noun, id, body, json_extract(doc, '$.title'), json_extract(doc, '$.by') "
    "FROM item"
    "  WHERE noun='measure' AND state NOT IN ('met', 'missed') AND json_extract(doc, '$.by') IS NOT NULL"
    " UNION ALL SELECT 'double-running', 'project', p.id, json_extract(l.value, '$.owner'),"
    "  json_extract(l.value, '$.what'), json_extract(l.value, '$.double_running_until') FROM item p,"
    "  json_each(p.doc, '$.substitutes') l WHERE p.noun='project' AND p.state IN ('live', 'agreed', "
    "'paused') AND"
    "  json_extract(l.value, '$.double_running_until') IS NOT NULL"
    " UNION ALL SELECT 'emergency lane closes', noun, id, body, json_extract(doc, '$.emergency.reason'),"
    "  json_extract(doc, '$.emergency.until') FROM item WHERE noun='project' AND state IN ('submitted', "
    "'approved', "
    "'agreed', 'live', 'paused') AND json_extract(doc, '$.emergency.until') IS NOT NULL"
    " UNION ALL SELECT 'withheld', noun, id, body, json_extract(doc, '$.withheld.reason'),"
    "  json_extract(doc, '$.withheld.until') FROM item WHERE noun='artefact' AND state='released' AND"
    "  json_extract(doc, '$.withheld') IS NOT NULL"
    " ORDER BY 6, 2, 3";

static enum status push_clock(struct db *d, struct stmt *q, int32_t day, bool overdue_only, struct js *list,
                              struct err *e)
{
    static const char *const columns[] = {"kind", "noun", "id", "body", "what", "due"};
    int32_t due;
    int64_t late;
    const char *text = stmt_text(q, 5);
    if (!text || !date_parse(slice_of(text), &due) || (overdue_only && due >= day))
        return ST_OK;
    struct js *clock = js_object();
    for (int i = 0; i < 6; i++)
        js_put_str(clock, columns[i], stmt_text(q, i) ? stmt_text(q, i) : "");
    enum status s = working_days_between(d, due, day, &late, e);
    js_put_int(clock, "working_days_late", late);
    js_push(list, clock);
    return s;
}

enum status clocks(struct registry *r, int32_t day, bool overdue_only, struct js **out, struct err *e)
{
    struct db *d = ledger_db(registry_ledger(r));
    struct stmt *q;
    bool row = true;
    *out = js_array();
    struct reading reading = reads_begin(r);
    enum status s = db_prepare(d, clocks_sql, &q, e);
    if (s != ST_OK)
        return s;
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row)
        s = push_clock(d, q, day, overdue_only, *out, e);
    stmt_done(q);
    reads_nouns(r, "contact|project|review|transfer|measure|artefact|vocabulary");
    reads_end(r, reading);
    return s;
}
