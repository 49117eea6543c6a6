/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "disclose/guard_tables.h"

/* Everybody that a request counts. */
static enum status members_of(struct guard_book *b, int64_t request, struct persons **out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    *out = persons_new(NULL, 0);
    enum status s = db_prepare(b->db, "SELECT DISTINCT personset FROM cell WHERE request=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, request);
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct persons *set;
        if ((s = set_read(b, stmt_int(q, 0), &set, e)) != ST_OK)
            break;
        persons_join(*out, set);
        persons_free(set);
    }
    stmt_done(q);
    return s;
}

struct past {
    struct js *json;
    struct persons *members;
    bool wanted;
};

static enum status read_past(struct guard_book *b, const char *project, struct past **out, size_t *n,
                             struct err *e)
{
    static const char *const names[] = {"project", "run", "title", "state", "made", "snapshot"};
    struct stmt *q;
    bool row = false;
    size_t room = 0;
    *out = NULL;
    *n = 0;
    enum status s = db_prepare(b->db,
                               "SELECT p.name, r.run, r.title, r.state, r.made, r.snapshot, r.id,"
                               " (SELECT count(*) FROM cell WHERE request=r.id) FROM request r JOIN project p"
                               " ON p.id=r.project WHERE r.state<>'withdrawn' ORDER BY r.id",
                               &q, e);
    if (s != ST_OK)
        return s;
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        GROW(*out, *n + 1, room);
        struct past *p = &(*out)[(*n)++];
        *p = (struct past){js_object(), NULL, !project || strcmp(project, stmt_text(q, 0)) == 0};
        for (int i = 0; i < 6; i++)
            js_put_str(p->json, names[i], stmt_text(q, i));
        js_put_int(p->json, "cells", stmt_int(q, 7));
        if ((s = members_of(b, stmt_int(q, 6), &p->members, e)) != ST_OK)
            break;
    }
    stmt_done(q);
    return s;
}

enum status guard_book_history(struct guard_book *b, const char *project, struct js **out, struct err *e)
{
    struct past *past;
    size_t n;
    struct js *list = js_array();
    enum status s = read_past(b, project, &past, &n, e);
    for (size_t i = 0; s == ST_OK && i < n; i++) {
        struct js *overlaps = js_array();
        for (size_t k = 0; k < n; k++)
            if (k != i && persons_meet(past[i].members, past[k].members))
                js_push(overlaps, js_string(js_get_str(past[k].json, "run")));
        js_put(past[i].json, "overlaps", overlaps);
        if (past[i].wanted)
            js_push(list, js_share(past[i].json));
    }
    for (size_t i = 0; i < n; i++) {
        js_free(past[i].json);
        persons_free(past[i].members);
    }
    free(past);
    *out = s == ST_OK ? js_share(list) : NULL;
    js_free(list);
    return s;
}
