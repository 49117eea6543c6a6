/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/privacy.h"

#include <math.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/db.h"
#include "base/file.h"
#include "base/mem.h"

static const char *const migrations[] = {
    "CREATE TABLE budget(data_set TEXT NOT NULL, project TEXT NOT NULL, rho REAL NOT NULL,"
    " approved_by TEXT NOT NULL, PRIMARY KEY(data_set, project)) STRICT;"
    "CREATE TABLE charge(id INTEGER PRIMARY KEY AUTOINCREMENT, data_set TEXT NOT NULL, project TEXT NOT NULL,"
    " rho REAL NOT NULL, what TEXT NOT NULL, made TEXT NOT NULL) STRICT;"};

struct privacy_book {
    struct db *db;
};

enum status privacy_open(const char *path, struct privacy_book **out, struct err *e)
{
    struct privacy_book *b = xcalloc(1, sizeof *b);
    enum status s = ST_OK;
    *out = NULL;
    if (!file_exists(path))
        s = file_replace(path, SLICE(""), 0600, e);
    if (s == ST_OK)
        s = db_open(path, DB_CREATE, migrations, 1, &b->db, e);
    if (s == ST_OK)
        *out = b;
    else
        privacy_close(b);
    return s;
}

void privacy_close(struct privacy_book *b)
{
    if (!b)
        return;
    db_close(b->db);
    free(b);
}

/* -1 where there is no budget. */
static enum status look(struct privacy_book *b, const char *data_set, const char *project, double *allowed,
                        double *spent, struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s =
        db_prepare(b->db,
                   "SELECT coalesce((SELECT rho FROM budget WHERE data_set=?1 AND project=?2), -1.0),"
                   " coalesce((SELECT sum(rho) FROM charge WHERE data_set=?1 AND project=?2), 0.0)",
                   &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, data_set);
    stmt_bind_text(q, 2, project);
    s = stmt_step(q, &row, e);
    *allowed = s == ST_OK && row ? stmt_real(q, 0) : -1;
    *spent = s == ST_OK && row ? stmt_real(q, 1) : 0;
    stmt_done(q);
    return s;
}

static enum status put_allowed(struct privacy_book *b, const char *data_set, const char *project, double rho,
                               const char *approved_by, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(b->db,
                               "INSERT INTO budget VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET rho=?3,"
                               " approved_by=?4",
                               &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, data_set);
    stmt_bind_text(q, 2, project);
    stmt_bind_real(q, 3, rho);
    stmt_bind_text(q, 4, approved_by ? approved_by : "");
    return stmt_run(q, e);
}

enum status privacy_allow(struct privacy_book *b, const char *data_set, const char *project, double rho,
                          const char *approved_by, struct err *e)
{
    double allowed, spent;
    if (!(rho > 0 && rho <= 100))
        return err_set(e, ST_INVALID, "a budget is a rho above 0 and at most 100");
    enum status s = db_begin(b->db, e);
    if (s != ST_OK)
        return s;
    s = look(b, data_set, project, &allowed, &spent, e);
    if (s == ST_OK && rho < spent)
        s = err_set(e, ST_DENIED, "project '%s' has spent %g of data set '%s' already", project, spent,
                    data_set);
    else if (s == ST_OK && rho > allowed && !(approved_by && *approved_by))
        s = err_set(e, ST_DENIED, "a new or larger budget needs the name of who approved it");
    if (s == ST_OK)
        s = put_allowed(b, data_set, project, rho, approved_by, e);
    if (s == ST_OK)
        return db_commit(b->db, e);
    db_rollback(b->db);
    return s;
}

static enum status put_charge(struct privacy_book *b, const char *data_set, const char *project, double rho,
                              const char *what, struct err *e)
{
    struct stmt *q;
    char now[21];
    time_format(time_now_ms(), now);
    enum status s = db_prepare(
        b->db, "INSERT INTO charge(data_set, project, rho, what, made) VALUES(?1, ?2, ?3, ?4, ?5)", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, data_set);
    stmt_bind_text(q, 2, project);
    stmt_bind_real(q, 3, rho);
    stmt_bind_text(q, 4, what);
    stmt_bind_text(q, 5, now);
    return stmt_run(q, e);
}

/* Whether an answer can be paid for. */
static enum status look_for(struct privacy_book *b, const char *data_set, const char *project, double rho,
                            double *left, struct err *e)
{
    double allowed, spent;
    enum status s = look(b, data_set, project, &allowed, &spent, e);
    *left = allowed - spent;
    if (s == ST_OK && allowed < 0)
        return err_set(e, ST_UNSAFE, "project '%s' has no budget for data set '%s'", project, data_set);
    if (s == ST_OK && spent + rho > allowed * (1 + 1e-12))
        return err_set(e, ST_UNSAFE, "this answer costs %g; project '%s' has %g of %g left for data set '%s'",
                       rho, project, *left, allowed, data_set);
    return s;
}

static enum status check_price(double rho, struct err *e)
{
    return rho > 0 && isfinite(rho) ? ST_OK : err_set(e, ST_INVALID, "an answer costs a rho above 0");
}

enum status privacy_left(struct privacy_book *b, const char *data_set, const char *project, double rho,
                         double *left, struct err *e)
{
    enum status s = check_price(rho, e);
    return s == ST_OK ? look_for(b, data_set, project, rho, left, e) : s;
}

enum status privacy_charge(struct privacy_book *b, const char *data_set, const char *project, double rho,
                           const char *what, struct err *e)
{
    double left;
    enum status s = check_price(rho, e);
    if (s == ST_OK)
        s = db_begin(b->db, e);
    if (s != ST_OK)
        return s;
    s = look_for(b, data_set, project, rho, &left, e);
    if (s == ST_OK)
        s = put_charge(b, data_set, project, rho, what, e);
    if (s == ST_OK)
        return db_commit(b->db, e);
    db_rollback(b->db);
    return s;
}

enum status privacy_list(struct privacy_book *b, struct js **out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    struct js *list = js_array();
    *out = NULL;
    enum status s =
        db_prepare(b->db,
                   "SELECT data_set, project, rho, approved_by, coalesce((SELECT sum(rho) FROM charge c"
                   " WHERE c.data_set=b.data_set AND c.project=b.project), 0.0) FROM budget b"
                   " ORDER BY data_set, project",
                   &q, e);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct js *o = js_object();
        js_put_str(o, "data_set", stmt_text(q, 0));
        js_put_str(o, "project", stmt_text(q, 1));
        js_put(o, "allowed", js_real(stmt_real(q, 2)));
        js_put(o, "spent", js_real(stmt_real(q, 4)));
        js_put_str(o, "approved_by", stmt_text(q, 3));
        js_push(list, o);
    }
    stmt_done(q);
    if (s == ST_OK)
        *out = list;
    else
        js_free(list);
    return s;
}
