/* SPDX-License-Identifier: Apache-2.0 */
#include "govern/match.h"

#include <stdlib.h>

#include "base/mem.h"
#include "govern/pairs.h"

static const double half_population =
    100000; /* a need of this many people gets half of the points that a need of all gets */

double match_points(double share, int64_t rank, int64_t population, bool same_stage)
{
    double people = population < 0 ? 0.5 : (double)population / ((double)population + half_population);
    return share / (double)(rank > 0 ? rank : 1) * people * (same_stage ? 1 : 0.5);
}

static struct js *line_json(const struct pair *p)
{
    struct js *line = js_object(), *codes = js_array();
    const struct signal_row *need = p->need, *offer = p->offer;
    for (size_t i = 0; i < need->n_codes; i++)
        for (size_t k = 0; k < offer->n_codes; k++)
            if (need->code[i] == offer->code[k])
                js_push(codes, js_string(need->name[i]));
    js_put_str(line, "need", need->id);
    js_put_str(line, "offer", offer->id);
    js_put_int(line, "rank", need->rank);
    js_put(line, "share", js_real(p->share));
    js_put(line, "codes", codes);
    js_put(line, "points", js_real(p->points));
    return line;
}

/* Order: the other body, then the need, then points downwards: the first of each need is the one that counts.
 */
struct sorting {
    const struct pair *pair;
    const char *other;
};

static int by_other_need_points(const void *a, const void *b)
{
    const struct sorting *x = a, *y = b;
    int c = x->other == y->other ? 0 : strcmp(x->other, y->other);
    if (c == 0 && x->pair->need != y->pair->need)
        c = strcmp(x->pair->need->id, y->pair->need->id);
    if (c == 0)
        c = (x->pair->points < y->pair->points) - (x->pair->points > y->pair->points);
    return c ? c : strcmp(x->pair->offer->id, y->pair->offer->id);
}

/* A counterpart: its stretch of the sorted pairs. */
struct stretch {
    const struct sorting *from;
    size_t n;
    double score;
};

static int by_score(const void *a, const void *b)
{
    const struct stretch *x = a, *y = b;
    int c = (x->score < y->score) - (x->score > y->score);
    return c ? c : strcmp(x->from->other, y->from->other);
}

static enum status name_of(struct registry *r, const char *body, struct js *into, struct err *e)
{
    struct arena *a = arena_new();
    const char *name;
    enum status s = db_text(ledger_db(registry_ledger(r)), a,
                            "SELECT json_extract(doc, '$.name') FROM item WHERE noun='body' AND id=?1",
                            PARAMS(body), &name, e);
    js_put_str(into, "name", s == ST_OK && name ? name : "");
    arena_free(a);
    return s;
}

/* Of each need only the best offer counts: the first, as they are sorted. */
static bool counts(const struct stretch *s, size_t i)
{
    return i == 0 || s->from[i].pair->need != s->from[i - 1].pair->need;
}

static struct js *counterpart(const struct stretch *s)
{
    struct js *c = js_object(), *lines = js_array();
    for (size_t i = 0; i < s->n; i++)
        if (counts(s, i))
            js_push(lines, line_json(s->from[i].pair));
    js_put_str(c, "body", s->from->other);
    js_put(c, "score", js_real(s->score));
    js_put(c, "lines", lines);
    return c;
}

static size_t find_stretches(const struct sorting *sorted, size_t n, struct stretch *out)
{
    size_t found = 0;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && strcmp(sorted[end].other, sorted[i].other) == 0;)
            end++;
        struct stretch s = {sorted + i, end - i, 0};
        for (size_t k = 0; k < s.n; k++)
            s.score += counts(&s, k) ? s.from[k].pair->points : 0;
        out[found++] = s;
    }
    return found;
}

static struct js *counterparts(const struct pairs *p, const char *body, int limit)
{
    struct sorting *sorted = xcalloc(p->n + 1, sizeof *sorted);
    struct stretch *found = xcalloc(p->n + 1, sizeof *found);
    struct js *list = js_array();
    for (size_t i = 0; i < p->n; i++) {
        bool mine = strcmp(p->v[i].needs_body, body) == 0;
        sorted[i] = (struct sorting){&p->v[i], mine ? p->v[i].offers_body : p->v[i].needs_body};
    }
    qsort(sorted, p->n, sizeof *sorted, by_other_need_points);
    size_t n = find_stretches(sorted, p->n, found);
    qsort(found, n, sizeof *found, by_score);
    for (size_t i = 0; i < n && i < (size_t)limit; i++)
        js_push(list, counterpart(&found[i]));
    free(sorted);
    free(found);
    return list;
}

enum status match_body(struct registry *r, const char *body, int limit, struct js **out, struct err *e)
{
    struct db *d = ledger_db(registry_ledger(r));
    struct arena *a = arena_new();
    struct signal_rows signals = {0};
    struct pairs p = {0};
    bool there;
    *out = NULL;
    struct reading reading = reads_begin(r);
    enum status s = item_exists(d, "body", body, &there, e);
    if (s == ST_OK && !there)
        s = err_set(e, ST_NOT_FOUND, "there is no body '%.64s'", body);
    if (s == ST_OK)
        s = signals_load(d, a, &signals, e);
    if (s == ST_OK) {
        pairs_of_body(&signals, body, &p);
        *out = counterparts(&p, body, limit);
    }
    for (size_t i = 0; s == ST_OK && i < js_size(*out); i++)
        s = name_of(r, js_get_str(js_at(*out, i), "body"), js_edit_at(*out, i), e);
    reads_nouns(r, "signal|body|vocabulary");
    reads_end(r, reading);
    free(p.v);
    free(signals.v);
    arena_free(a);
    return s;
}

enum status match_suggest(struct registry *r, int limit, struct js **out, struct err *e)
{
    struct arena *a = arena_new();
    struct signal_rows signals = {0};
    struct pairs p = {0};
    *out = js_array();
    struct reading reading = reads_begin(r);
    enum status s = signals_load(ledger_db(registry_ledger(r)), a, &signals, e);
    if (s == ST_OK)
        pairs_best(&signals, (size_t)limit, &p);
    for (size_t i = 0; i < p.n; i++) {
        struct js *line = line_json(&p.v[i]);
        js_put_str(line, "needs_body", p.v[i].needs_body);
        js_put_str(line, "offers_body", p.v[i].offers_body);
        js_push(*out, line);
    }
    reads_nouns(r, "signal|body|project|vocabulary");
    reads_end(r, reading);
    free(p.v);
    free(signals.v);
    arena_free(a);
    return s;
}

static const char common_sql[] =
    "SELECT x.scheme, x.code, coalesce((SELECT label FROM vocabulary v WHERE v.scheme=x.scheme AND "
    "v.code=x.code "
    "ORDER BY from_day DESC), ''), group_concat(DISTINCT x.id), group_concat(DISTINCT y.id),"
    " min(coalesce(json_extract(i.doc, '$.rank'), 1000)) AS best"
    " FROM code x JOIN item i ON i.noun='signal' AND i.id=x.id AND i.body=?1"
    " JOIN code y ON y.noun='signal' AND y.scheme=x.scheme AND y.code=x.code"
    " JOIN item j ON j.noun='signal' AND j.id=y.id AND j.body=?2"
    " WHERE x.noun='signal' GROUP BY x.scheme, x.code ORDER BY best, x.scheme, x.code";

enum status match_common(struct registry *r, const char *a, const char *b, struct js **out, struct err *e)
{
    struct stmt *q;
    bool row = true;
    static const char *const columns[] = {"scheme", "code", "label", "a", "b"};
    *out = js_array();
    enum status s = db_prepare(ledger_db(registry_ledger(r)), common_sql, &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, a);
    stmt_bind_text(q, 2, b);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct js *line = js_object();
        for (int i = 0; i < 5; i++)
            js_put_str(line, columns[i], stmt_text(q, i));
        js_push(*out, line);
    }
    stmt_done(q);
    return s;
}
