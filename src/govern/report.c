/* SPDX-License-Identifier: Apache-2.0 */
#include "govern/report.h"

#include <stdio.h>

#include "govern/items.h"

enum { DEFAULT_MINIMUM_COUNT = 10 }; /* the threshold of the policy sde-10 (disclose/policy.c) */

/* Rows of a query as objects, as many columns as names; "#x" is a number, left out where it is NULL. */
static enum status rows_of(struct registry *r, const char *sql, const char *id, const char *const *columns,
                           struct js *list, struct err *e)
{
    struct stmt *q;
    bool row = true;
    enum status s = db_prepare(ledger_db(registry_ledger(r)), sql, &q, e);
    if (s != ST_OK)
        return s;
    if (id)
        stmt_bind_text(q, 1, id);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct js *object = js_object();
        for (int i = 0; columns[i]; i++)
            if (columns[i][0] != '#')
                js_put_str(object, columns[i], stmt_text(q, i) ? stmt_text(q, i) : "");
            else if (!stmt_is_null(q, i))
                js_put(object, columns[i] + 1, js_real(stmt_real(q, i)));
        js_push(list, object);
    }
    stmt_done(q);
    return s;
}
#define COLUMNS(...) ((const char *const[]){__VA_ARGS__, NULL})

#define NHS(body)                                                                                            \
    "EXISTS (SELECT 1 FROM item b WHERE b.noun='body' AND b.id=" body                                        \
    " AND b.kind IN ('icb', 'trust', 'place', 'pcn', 'sde', 'national'))"

enum status report_transfers(struct registry *r, struct js **out, struct err *e)
{
    static const char sql[] =
        "WITH made AS MATERIALIZED (SELECT substr(json_extract(doc, '$.date'), 1, 4) AS year,"
        " json_extract(doc, '$.amount') AS pence, " NHS("json_extract(t.doc, '$.to')") " AS to_nhs, " NHS(
            "json_extract(t.doc, '$.from')") " AS from_nhs FROM item t WHERE t.noun='transfer' AND t.state "
                                             "IN ('made', 'disclosed')),"
                                             " part AS (SELECT year, pence, CASE WHEN to_nhs AND NOT "
                                             "from_nhs THEN pence ELSE 0 END AS gained, CASE WHEN from_nhs "
                                             "AND NOT to_nhs THEN pence ELSE 0 END AS given FROM made)"
                                             " SELECT year, count(*), sum(gained), sum(given), "
                                             "sum(pence - gained - given), sum(pence) FROM part GROUP BY "
                                             "year"
                                             " UNION ALL SELECT 'all', count(*), coalesce(sum(gained), 0), "
                                             "coalesce(sum(given), 0), coalesce(sum(pence - gained - "
                                             "given), 0), coalesce(sum(pence), 0) FROM part ORDER BY 1";
    struct stmt *q;
    bool row = true;
    *out = js_array();
    enum status s = db_prepare(ledger_db(registry_ledger(r)), sql, &q, e);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row) {
        static const char *const names[] = {"payments", "to_nhs", "from_nhs", "among_others", "made"};
        struct js *one = js_object();
        js_put_str(one, "year", stmt_text(q, 0));
        for (int i = 0; i < 5; i++)
            js_put_int(one, names[i], stmt_int(q, i + 1));
        js_push(*out, one);
    }
    stmt_done(q);
    return s;
}

static struct js *code_texts(const struct js *codes)
{
    struct js *list = js_array();
    for (size_t i = 0; i < js_size(codes); i++) {
        char text[140];
        snprintf(text, sizeof text, "%.60s:%.60s", js_get_str(js_at(codes, i), "scheme"),
                 js_get_str(js_at(codes, i), "code"));
        js_push(list, js_string(text));
    }
    return list;
}

static enum status add_money(struct registry *r, const char *project, struct js *report, struct err *e)
{
    static const char sql[] =
        "SELECT coalesce(json_extract(t.doc, '$.country'), json_extract(b.doc, '$.country'), 'United "
        "Kingdom') AS country, count(*), sum(json_extract(t.doc, '$.amount')) FROM item t LEFT JOIN item b "
        "ON b.noun='body' AND b.id=json_extract(t.doc, '$.from') WHERE t.noun='transfer' AND t.state IN "
        "('made', 'disclosed') AND json_extract(t.doc, '$.project')=?1 GROUP BY country ORDER BY country";
    struct js *list = js_array();
    js_put(report, "money", list);
    return rows_of(r, sql, project, COLUMNS("country", "#payments", "#pence"), list, e);
}

static enum status add_measures(struct registry *r, const char *project, struct js *report, struct err *e)
{
    static const char sql[] =
        "SELECT coalesce(json_extract(doc, '$.group'), ''), id, json_extract(doc, '$.title'),"
        " json_extract(doc, '$.role'), json_extract(doc, '$.unit'), state, json_extract(doc, '$.baseline'),"
        " json_extract(doc, '$.readings[#-1].value'), json_extract(doc, '$.readings[#-1].value') -"
        " json_extract(doc, '$.baseline'), json_extract(doc, '$.target') FROM item WHERE noun='measure' AND"
        " about='project:' || ?1 ORDER BY 1, 2";
    struct js *list = js_array();
    js_put(report, "measures", list);
    return rows_of(r, sql, project,
                   COLUMNS("group", "id", "title", "role", "unit", "state", "#baseline", "#latest", "#change",
                           "#target"),
                   list, e);
}

enum status report_project(struct registry *r, const char *project, struct js **out, struct err *e)
{
    struct js *item = NULL, *report = js_object();
    *out = report;
    enum status s = registry_item(r, "project", project, &item, e);
    if (s == ST_OK) {
        const char *population = js_get_str(item, "population");
        js_put_str(report, "population", population ? population : "");
        js_put(report, "groups", code_texts(js_get(item, "groups")));
        js_put(report, "areas", js_get(item, "areas") ? js_share(js_get(item, "areas")) : js_array());
        s = add_money(r, project, report, e);
    }
    js_free(item);
    return s == ST_OK ? add_measures(r, project, report, e) : s;
}

enum status report_environments(struct registry *r, struct js **out, struct err *e)
{
    struct registry_query q = {.noun = "body", .kind = "sde", .state = "registered"};
    struct js *bodies = NULL;
    *out = js_array();
    enum status s = registry_list(r, &q, &bodies, e);
    for (size_t i = 0; s == ST_OK && i < js_size(bodies); i++) {
        static const char *const texts[] = {"name", "region", "prices", "contact"};
        const struct js *body = js_at(bodies, i);
        struct js *one = js_object();
        int64_t nodes = 0;
        bool own = js_get(body, "minimum_count");
        js_put_str(one, "body", js_get_str(body, "id"));
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            js_put_str(one, texts[k], js_get_str(body, texts[k]) ? js_get_str(body, texts[k]) : "");
        if (!*js_get_str(one, "prices"))
            js_put_str(one, "prices", "by quote");
        js_put_int(one, "minimum_count", js_get_int(body, "minimum_count", DEFAULT_MINIMUM_COUNT));
        js_put_str(one, "minimum_count_source", own ? "its own" : "the default policy sde-10");
        s = db_number(ledger_db(registry_ledger(r)),
                      "SELECT count(*) FROM item WHERE noun='node' AND body=?1 AND state='enrolled'",
                      PARAMS(js_get_str(body, "id")), 0, &nodes, e);
        js_put_int(one, "nodes", nodes);
        js_push(*out, one);
    }
    js_free(bodies);
    return s;
}
