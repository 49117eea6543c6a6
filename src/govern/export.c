/* SPDX-License-Identifier: Apache-2.0 */
#include "govern/export.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/date.h"
#include "govern/items.h"

/* Rows are arrays of texts and whole pence. */

static void row_text(struct js *row, const char *text)
{
    js_push(row, js_string(text ? text : ""));
}

static void rows_csv(const struct js *rows, struct buf *out)
{
    for (size_t i = 0; i < js_size(rows); i++) {
        const struct js *row = js_at(rows, i);
        for (size_t k = 0; k < js_size(row); k++) {
            const struct js *cell = js_at(row, k);
            if (k)
                buf_addc(out, ',');
            if (js_is(cell, JS_INTEGER))
                buf_printf(out, "%" PRId64 ".%02d", js_int(cell) / 100, (int)(js_int(cell) % 100));
            else
                buf_csv(out, js_str(cell));
        }
        buf_adds(out, "\r\n");
    }
}

static struct js *header_row(const char *const *names, size_t n)
{
    struct js *row = js_array();
    for (size_t i = 0; i < n; i++)
        row_text(row, names[i]);
    return row;
}

/* Data Use Register: where each of the 31 columns comes from. A path "a.b" is a member of a member of the
   project's document; "=" is worked out below. */
static const struct {
    const char *name, *path;
} use_columns[] = {
    {"Project ID", "=id"},
    {"Organisation name", "=organisation"},
    {"Organisation ID", "body"},
    {"Organisation sector", "=sector"},
    {"Applicant name(s)", "answers.people.applicant"},
    {"Applicant ID", "drafted.person"},
    {"Funders/Sponsors", "answers.project.funder"},
    {"DEA accredited researcher?", "answers.people.accredited"},
    {"Sub-licence arrangements", "answers.data.sublicence"},
    {"Project title", "title"},
    {"Lay summary", "lay"},
    {"Public benefit statement", "benefits.patients"},
    {"Request category type", "kind"},
    {"Technical summary", "answers.project.aims"},
    {"Other approval committees", "answers.project.ethics"},
    {"Project start date", "starts"},
    {"Project end date", "ends"},
    {"Latest approval date", "=approved"},
    {"Dataset(s) name", "=datasets"},
    {"Data sensitivity level", "data"},
    {"Article 6 basis", "answers.data.legal"},
    {"Article 9 condition", "answers.data.article9"},
    {"Common law duty", "answers.data.cldc"},
    {"National data opt-out applied?", "answers.data.optout"},
    {"Request frequency", "answers.data.refresh"},
    {"How linkage will take place", "answers.data.linkage"},
    {"Description of confidential data", "answers.data.needed"},
    {"Release/access date", "=approved"},
    {"Access type", "access"},
    {"How processed to enhance privacy", "answers.settings.where"},
    {"Link to research outputs", "answers.outputs.publish"},
};
enum { USE_COLUMNS = sizeof use_columns / sizeof *use_columns };

/* "answers.people.applicant" is the answer to question "people.applicant". */
static const char *member_at(const struct js *doc, const char *path)
{
    char first[32];
    const char *dot = strchr(path, '.');
    if (!dot)
        return js_get_str(doc, path);
    snprintf(first, sizeof first, "%.*s", (int)(dot - path), path);
    return js_get_str(js_get(doc, first), dot + 1);
}

static const char *sector_of(const char *kind)
{
    if (kind && word_in("icb|trust|place|pcn|sde|national", kind))
        return "NHS";
    return !kind                             ? ""
           : strcmp(kind, "university") == 0 ? "Academia"
           : strcmp(kind, "company") == 0    ? "Commercial"
                                             : "Charity/Non-profit";
}

static const char use_sql[] =
    "SELECT p.id, p.doc, b.doc, (SELECT substr(json_extract(e.text, '$.time'), 1, 10) FROM entry e WHERE "
    "e.subject='project:' || p.id AND e.verb='project.approve' ORDER BY e.seq DESC LIMIT 1),"
    " (SELECT group_concat(d.value, '; ') FROM item a, json_each(a.doc, '$.annex.datasets') d WHERE "
    "a.noun='agreement' "
    "AND a.about='project:' || p.id)"
    " FROM item p LEFT JOIN item b ON b.noun='body' AND b.id=p.body WHERE p.noun='project' AND p.state IN "
    "('approved', "
    "'agreed', 'live', 'paused', 'closed') ORDER BY p.id";

static const char *use_value(const char *path, struct stmt *q, const struct js *project,
                             const struct js *body)
{
    if (strcmp(path, "=id") == 0)
        return stmt_text(q, 0);
    if (strcmp(path, "=organisation") == 0)
        return js_get_str(body, "name");
    if (strcmp(path, "=sector") == 0)
        return sector_of(js_get_str(body, "kind"));
    if (strcmp(path, "=approved") == 0)
        return stmt_text(q, 3);
    if (strcmp(path, "=datasets") == 0)
        return stmt_text(q, 4);
    return member_at(project, path);
}

static enum status use_row(struct stmt *q, struct js *rows, struct err *e)
{
    struct js *project = NULL, *body = NULL, *row = js_array();
    enum status s = js_parse(stmt_blob(q, 1), "project", &project, e);
    if (s == ST_OK && !stmt_is_null(q, 2))
        s = js_parse(stmt_blob(q, 2), "body", &body, e);
    for (int i = 0; s == ST_OK && i < USE_COLUMNS; i++)
        row_text(row, use_value(use_columns[i].path, q, project, body));
    js_push(rows, row);
    js_free(project);
    js_free(body);
    return s;
}

enum status export_use_register(struct registry *r, struct buf *out, struct err *e)
{
    struct stmt *q;
    bool row = true;
    struct js *rows = js_array(), *head = js_array();
    for (int i = 0; i < USE_COLUMNS; i++)
        row_text(head, use_columns[i].name);
    js_push(rows, head);
    enum status s = db_prepare(ledger_db(registry_ledger(r)), use_sql, &q, e);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row)
        s = use_row(q, rows, e);
    stmt_done(q);
    if (s == ST_OK)
        rows_csv(rows, out);
    js_free(rows);
    return s == ST_OK ? buf_check(out, "the data use register", e) : s;
}

/* Disclosure UK */

static const char *const disclosure_columns[] = {
    "Year",     "Recipient", "Kind",         "Country",  "Unique identifier (ODS)",
    "Category", "Mechanism", "Amount (GBP)", "Payments", "Percent",
    "Payer",    "Project",   "Agreement",    "Date",     "Reference"};

static const char named_sql[] =
    "SELECT t.id, json_extract(b.doc, '$.name'), json_extract(b.doc, '$.kind'), coalesce(json_extract(b.doc, "
    "'$.country'), 'United Kingdom'), json_extract(t.doc, '$.to'), json_extract(t.doc, '$.category'), "
    "json_extract(t.doc, '$.mechanism'), json_extract(t.doc, '$.amount'), json_extract(t.doc, '$.from'), "
    "json_extract(t.doc, '$.project'), json_extract(t.doc, '$.agreement'), json_extract(t.doc, '$.date'), "
    "json_extract(t.doc, '$.reference')"
    " FROM item t LEFT JOIN item b ON b.noun='body' AND b.id=json_extract(t.doc, '$.to')"
    " WHERE t.noun='transfer' AND t.state IN ('made', 'disclosed') AND substr(json_extract(t.doc, '$.date'), "
    "1, 4)=?1"
    " AND json_extract(t.doc, '$.category')<>'research' AND coalesce(json_extract(t.doc, '$.named'), 1)=1"
    " ORDER BY t.id";

/* Who is not named, and all research, is given in total. */
static const char total_sql[] =
    "SELECT json_extract(t.doc, '$.category') AS category, sum(json_extract(t.doc, '$.amount')), count(*),"
    " (SELECT count(*) FROM item u WHERE u.noun='transfer' AND u.state IN ('made', 'disclosed') AND"
    "  substr(json_extract(u.doc, '$.date'), 1, 4)=?1)"
    " FROM item t WHERE t.noun='transfer' AND t.state IN ('made', 'disclosed') AND"
    " substr(json_extract(t.doc, '$.date'), 1, 4)=?1 AND (json_extract(t.doc, '$.category')='research' OR"
    " coalesce(json_extract(t.doc, '$.named'), 1)=0) GROUP BY category ORDER BY category";

static void named_row(struct stmt *q, const char *year, struct js *rows)
{
    struct js *row = js_array();
    row_text(row, year);
    for (int i = 1; i <= 6; i++)
        row_text(row, stmt_text(q, i));
    js_push(row, js_integer(stmt_int(q, 7)));
    row_text(row, "1");
    row_text(row, "");
    for (int i = 8; i <= 12; i++)
        row_text(row, stmt_text(q, i));
    js_push(rows, row);
}

static void total_row(struct stmt *q, const char *year, struct js *rows)
{
    struct js *row = js_array();
    char count[24], percent[24];
    int64_t all = stmt_int(q, 3);
    snprintf(count, sizeof count, "%" PRId64, stmt_int(q, 2));
    snprintf(percent, sizeof percent, "%.1f", all ? 100.0 * (double)stmt_int(q, 2) / (double)all : 0.0);
    row_text(row, year);
    row_text(row, "in total (not named)");
    for (int i = 0; i < 3; i++)
        row_text(row, "");
    row_text(row, stmt_text(q, 0));
    row_text(row, "");
    js_push(row, js_integer(stmt_int(q, 1)));
    row_text(row, count);
    row_text(row, percent);
    for (int i = 0; i < 5; i++)
        row_text(row, "");
    js_push(rows, row);
}

static enum status add_rows(struct db *d, const char *sql, const char *year, struct js *rows,
                            void (*add)(struct stmt *q, const char *year, struct js *rows), struct err *e)
{
    struct stmt *q;
    bool row = true;
    enum status s = db_prepare(d, sql, &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, year);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row)
        add(q, year, rows);
    stmt_done(q);
    return s;
}

enum status export_disclosure(struct registry *r, int year, struct js **out, struct err *e)
{
    struct db *d = ledger_db(registry_ledger(r));
    char text[12];
    snprintf(text, sizeof text, "%04d", year);
    *out = js_array();
    js_push(*out, header_row(disclosure_columns, sizeof disclosure_columns / sizeof *disclosure_columns));
    enum status s = add_rows(d, named_sql, text, *out, named_row, e);
    return s == ST_OK ? add_rows(d, total_sql, text, *out, total_row, e) : s;
}

enum status export_disclosure_csv(struct registry *r, int year, struct buf *out, struct err *e)
{
    struct js *rows = NULL;
    enum status s = export_disclosure(r, year, &rows, e);
    if (s == ST_OK)
        rows_csv(rows, out);
    js_free(rows);
    return s == ST_OK ? buf_check(out, "the disclosure sheet", e) : s;
}

enum status export_disclosure_xlsx(struct registry *r, int year, const char *path, struct err *e)
{
    struct js *rows = NULL;
    enum status s = export_disclosure(r, year, &rows, e);
    if (s == ST_OK)
        s = xlsx_write(rows, "Disclosure UK", path, e);
    js_free(rows);
    return s;
}
