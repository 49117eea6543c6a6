/* SPDX-License-Identifier: Apache-2.0 */
#include "govern/pairs.h"

#include <stdlib.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "govern/match.h"

/* The live bodies that a body's signals stand under: itself, or the heirs of a closed one. CROSS JOIN keeps
   SQLite to the order that is written: it has no statistics of the tables. */
static const char heirs_sql[] =
    "WITH RECURSIVE heir(id, now) AS ("
    "  SELECT id, id FROM item WHERE noun='body' AND state='closed' UNION"
    "  SELECT h.id, s.value FROM heir h CROSS JOIN item b ON b.noun='body' AND b.id=h.now AND "
    "b.state='closed',"
    "   json_each(b.doc, '$.successors') s)"
    " SELECT g.id, h.now FROM heir h CROSS JOIN item b ON b.noun='body' AND b.id=h.now AND "
    "+b.state='registered'"
    "  CROSS JOIN signal g ON g.body=h.id"
    " UNION ALL SELECT g.id, g.body FROM signal g CROSS JOIN item b ON b.noun='body' AND b.id=g.body AND "
    "+b.state='registered' ORDER BY 1, 2";

static const char signals_sql[] =
    "SELECT g.id, g.side='need', g.stage, g.rank, g.population, EXISTS(SELECT 1 FROM project_signal t CROSS "
    "JOIN item p ON p.noun='project' AND p.id=t.project WHERE t.signal=g.id AND +p.state NOT IN ('refused', "
    "'stopped')) FROM signal g ORDER BY g.id";

/* In the order of both primary keys, so that nothing is sorted. */
static const char codes_sql[] =
    "SELECT g.id, c.scheme || ':' || c.code FROM signal g CROSS JOIN code c ON c.noun='signal' AND c.id=g.id "
    "ORDER BY g.id, c.scheme, c.code";

static enum status load_signals(struct db *d, struct arena *a, struct signal_rows *out, struct err *e)
{
    struct stmt *q;
    bool row = true;
    enum status s = db_prepare(d, signals_sql, &q, e);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row) {
        GROW(out->v, out->n + 1, out->capacity);
        out->v[out->n++] =
            (struct signal_row){.id = arena_strdup(a, stmt_text(q, 0)),
                                .need = stmt_int(q, 1) == 1,
                                .stage = stmt_is_null(q, 2) ? NULL : arena_strdup(a, stmt_text(q, 2)),
                                .rank = stmt_int(q, 3),
                                .population = stmt_int(q, 4),
                                .taken = stmt_int(q, 5) == 1};
    }
    stmt_done(q);
    return s;
}

/* Gives each signal the rows of a query whose first column is its id, in order of id; `most` bounds them. */
enum { MOST_OF_ONE = 200 };
struct attached {
    const char *text[MOST_OF_ONE];
    int64_t number[MOST_OF_ONE];
    size_t n;
};

static void attach(struct signal_row *to, const struct attached *from, bool codes, struct arena *a)
{
    const char **text = arena_alloc(a, (from->n + 1) * sizeof *text);
    memcpy(text, from->text, from->n * sizeof *text);
    if (!codes) {
        to->body = text;
        to->n_bodies = from->n;
        return;
    }
    to->name = text;
    to->code = arena_alloc(a, (from->n + 1) * sizeof *to->code);
    memcpy(to->code, from->number, from->n * sizeof *to->code);
    to->n_codes = from->n;
}

/* Codes are compared as numbers: the first eight bytes of their SHA-256. */
static int64_t number_of(const char *code)
{
    uint8_t hash[HASH_BYTES];
    int64_t number;
    sha256(code, strlen(code), hash);
    memcpy(&number, hash, sizeof number);
    return number;
}

static enum status load_attached(struct db *d, struct arena *a, const char *sql, bool codes,
                                 struct signal_rows *rows, struct err *e)
{
    struct stmt *q;
    struct attached *found = xcalloc(1, sizeof *found);
    size_t at = 0;
    bool row = true;
    enum status s = db_prepare(d, sql, &q, e);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row) {
        const char *id = stmt_text(q, 0);
        for (; at < rows->n && strcmp(rows->v[at].id, id) < 0; at++, found->n = 0)
            attach(&rows->v[at], found, codes, a);
        if (found->n < MOST_OF_ONE && at < rows->n) {
            found->text[found->n] = arena_strdup(a, stmt_text(q, 1));
            found->number[found->n] = codes ? number_of(found->text[found->n]) : 0;
            found->n++;
        }
    }
    if (s == ST_OK && at < rows->n)
        attach(&rows->v[at], found, codes, a);
    stmt_done(q);
    free(found);
    return s;
}

enum status signals_load(struct db *d, struct arena *a, struct signal_rows *out, struct err *e)
{
    enum status s = load_signals(d, a, out, e);
    if (s == ST_OK)
        s = load_attached(d, a, codes_sql, true, out, e);
    if (s == ST_OK)
        s = load_attached(d, a, heirs_sql, false, out, e);
    return s;
}

static size_t shared_codes(const struct signal_row *x, const struct signal_row *y)
{
    size_t n = 0;
    for (size_t i = 0; i < x->n_codes; i++)
        for (size_t k = 0; k < y->n_codes; k++)
            n += x->code[i] == y->code[k];
    return n;
}

static bool pair_make(const struct signal_row *need, const struct signal_row *offer, struct pair *out)
{
    size_t shared = shared_codes(need, offer);
    bool same_stage = need->stage && offer->stage && strcmp(need->stage, offer->stage) == 0;
    if (!shared)
        return false;
    double share = (double)shared / (double)need->n_codes;
    *out = (struct pair){.need = need,
                         .offer = offer,
                         .share = share,
                         .points = match_points(share, need->rank, need->population, same_stage)};
    return true;
}

/* One pair for each two live bodies that it stands under. */
static void add_pair(const struct pair *p, const char *body, struct pairs *out)
{
    for (size_t i = 0; i < p->need->n_bodies; i++)
        for (size_t k = 0; k < p->offer->n_bodies; k++) {
            const char *needs = p->need->body[i], *offers = p->offer->body[k];
            if (strcmp(needs, offers) == 0 || (body && strcmp(needs, body) != 0 && strcmp(offers, body) != 0))
                continue;
            GROW(out->v, out->n + 1, out->capacity);
            out->v[out->n] = *p;
            out->v[out->n].needs_body = needs;
            out->v[out->n++].offers_body = offers;
        }
}

static bool stands_under(const struct signal_row *s, const char *body)
{
    for (size_t i = 0; i < s->n_bodies; i++)
        if (strcmp(s->body[i], body) == 0)
            return true;
    return false;
}

void pairs_of_body(const struct signal_rows *s, const char *body, struct pairs *out)
{
    bool *mine = xcalloc(s->n + 1, sizeof *mine);
    struct pair p;
    for (size_t i = 0; i < s->n; i++)
        mine[i] = stands_under(&s->v[i], body);
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; s->v[i].need && k < s->n; k++)
            if (!s->v[k].need && (mine[i] || mine[k]) && pair_make(&s->v[i], &s->v[k], &p))
                add_pair(&p, body, out);
    free(mine);
}

static int by_points(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int c = (x->points < y->points) - (x->points > y->points);
    if (c == 0)
        c = strcmp(x->need->id, y->need->id);
    if (c == 0)
        c = strcmp(x->offer->id, y->offer->id);
    if (c == 0)
        c = strcmp(x->needs_body, y->needs_body);
    return c ? c : strcmp(x->offers_body, y->offers_body);
}

static void keep_best(struct pairs *p, size_t most)
{
    if (p->n)
        qsort(p->v, p->n, sizeof *p->v, by_points);
    p->n = p->n < most ? p->n : most;
}

void pairs_best(const struct signal_rows *s, size_t most, struct pairs *out)
{
    double least = 0; /* of the best so far, when there are enough of them */
    struct pair p;
    for (size_t i = 0; i < s->n; i++) {
        const struct signal_row *need = &s->v[i];
        if (!need->need || need->taken || match_points(1, need->rank, need->population, true) < least)
            continue;
        for (size_t k = 0; k < s->n; k++)
            if (!s->v[k].need && pair_make(need, &s->v[k], &p) && p.points >= least)
                add_pair(&p, NULL, out);
        if (out->n < 4 * most)
            continue;
        keep_best(out, most);
        least = out->v[out->n - 1].points;
    }
    keep_best(out, most);
}
