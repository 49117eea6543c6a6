/* SPDX-License-Identifier: Apache-2.0
 *
 * The book's index of who is in which exactly printed sets, so that a decision reads the sets of the few
 * persons that it asks for and not all sets. Sets get places in the order in which they come into it; a segment
 * has a range of places, and of each person in it the places of the sets, in rows of half a kilobyte.
 *
 * The index says nothing that the sets do not say: a set without a place is read itself. So it need not be
 * written with the cells, but afterwards, in transactions of its own; a process that is killed in between
 * leaves sets without places. A segment of new sets swallows the segments before it that are no larger than
 * what it has swallowed so far, up to SEGMENT_MOST: their number grows with the logarithm of the history, and
 * a set is written anew as often. It is always built from the sets.
 *
 * Rejected: rows by blocks of persons that every new cell adds to (a cell of three thousand persons touches a
 * thousand rows); a file beside the book (its backup would need both).
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "disclose/guard_sets.h"
#include "disclose/guard_tables.h"
#include "disclose/varint.h"

enum { ROW_BYTES = 512, MOST_ROW = 1 << 28 };
/* Persons over all sets: of the sets without a place, before it is worth a segment, as they are read before
   the first sum is looked for; of a segment, as one is built in memory (a hundred megabytes) and at a time. */
enum { WORTH_A_SEGMENT = 1 << 18, SEGMENT_MOST = 1 << 24 };

/* --- reading ------------------------------------------------------------------------------------------ */

enum status index_open(struct guard_book *b, struct err *e)
{
    struct stmt *q;
    bool row = false;
    b->n_segments = 0;
    enum status s = db_prepare(b->db, "SELECT id, first, last, persons FROM segment ORDER BY id", &q, e);
    if (s != ST_OK)
        return s;
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        GROW(b->segments, b->n_segments + 1, b->segments_room);
        b->segments[b->n_segments++] =
            (struct segment){stmt_int(q, 0), stmt_int(q, 1), stmt_int(q, 2) + 1, stmt_int(q, 3)};
    }
    stmt_done(q);
    return s;
}

static int64_t row_id(const struct segment *g, uint32_t person)
{
    return g->id << 32 | person;
}

/* Against damage, on the way of every look-up: SHA-256 would take longer than the look-up itself. */
static int64_t sum_of(int64_t id, struct slice bytes)
{
    uint64_t sum = mix((uint64_t)id ^ bytes.n << 48), word = 0;
    size_t i = 0;
    for (; i + sizeof word <= bytes.n; i += sizeof word) {
        memcpy(&word, bytes.p + i, sizeof word);
        sum = mix(sum ^ word) + i;
    }
    word = 0;
    if (i < bytes.n)
        memcpy(&word, bytes.p + i, bytes.n - i);
    return (int64_t)mix(sum ^ word);
}

bool index_row_find(struct slice bytes, uint32_t first, uint32_t person, int64_t place,
                    struct guard_places *into)
{
    uint64_t next = first, gap, n, more;
    while (bytes.n) {
        if (!varint_get(&bytes, &gap) || !varint_get(&bytes, &n))
            return false;
        bool found = next + gap == person;
        next += gap + 1;
        for (; n; n--) {
            if (!varint_get(&bytes, &more))
                return false;
            if (found)
                places_add(into, (uint32_t)(place += (int64_t)more));
        }
        if (next > person)
            return true;
    }
    return true;
}

static enum status find_in(struct guard_book *b, const struct segment *g, uint32_t person,
                           struct guard_places *into, struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s =
        db_prepare(b->db, "SELECT id, bytes, sum FROM holders WHERE id<=?1 ORDER BY id DESC LIMIT 1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, row_id(g, person));
    s = stmt_step(q, &row, e);
    if (s == ST_OK && row && stmt_int(q, 0) >= row_id(g, 0)) {
        int64_t id = stmt_int(q, 0);
        struct slice bytes = stmt_blob(q, 1);
        if (sum_of(id, bytes) != stmt_int(q, 2) ||
            !index_row_find(bytes, (uint32_t)id, person, g->first, into))
            s = err_set(e, ST_CORRUPT,
                        "the index of the guard's book is not what was written; restore the book from its "
                        "backup");
    }
    stmt_done(q);
    return s;
}

enum status index_holders(struct guard_book *b, uint32_t person, struct guard_places *into, struct err *e)
{
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < b->n_segments; i++)
        s = find_in(b, &b->segments[i], person, into, e);
    return s;
}

/* --- writing ------------------------------------------------------------------------------------------ */

static enum status row_write(struct guard_book *b, int64_t id, struct buf *bytes, struct err *e)
{
    struct stmt *q;
    enum status s = buf_check(bytes, "a row of the guard's index", e);
    if (s == ST_OK)
        s = db_prepare(b->db, "INSERT INTO holders VALUES(?1, ?2, ?3)", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, id);
    stmt_bind_blob(q, 2, bytes->p, bytes->n);
    stmt_bind_int(q, 3, sum_of(id, buf_slice(bytes)));
    buf_clear(bytes);
    return stmt_run(q, e);
}

static void row_add(struct buf *bytes, uint32_t gap, const struct guard_places *places)
{
    uint32_t last = 0;
    varint_put(bytes, gap);
    varint_put(bytes, places->n);
    for (size_t i = 0; i < places->n; i++) {
        varint_put(bytes, places->v[i] - last);
        last = places->v[i];
    }
}

static enum status rows_write(struct guard_book *b, const struct segment *g, const struct holders *h,
                              struct err *e)
{
    struct buf bytes;
    struct guard_places places = {0};
    enum status s = ST_OK;
    uint32_t first = 0, next = 0;
    buf_init(&bytes, MOST_ROW);
    for (uint32_t p = 0; s == ST_OK && p < h->n_persons; p++) {
        if (!h->of[p].n)
            continue;
        if (!bytes.n)
            first = next = p;
        places.n = 0;
        holders_find(h, p, &places);
        row_add(&bytes, p - next, &places);
        next = p + 1;
        if (bytes.n >= ROW_BYTES)
            s = row_write(b, row_id(g, first), &bytes, e);
    }
    if (s == ST_OK && bytes.n)
        s = row_write(b, row_id(g, first), &bytes, e);
    buf_deinit(&bytes);
    free(places.v);
    return s;
}

/* Who is in the sets of a segment. */
static enum status segment_read(struct guard_book *b, const struct segment *g, struct holders *out,
                                struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s = db_prepare(
        b->db, "SELECT personset, place FROM held WHERE place BETWEEN ?1 AND ?2 ORDER BY place", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, g->first);
    stmt_bind_int(q, 2, g->end - 1);
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct persons *set;
        if ((s = set_read(b, stmt_int(q, 0), &set, e)) != ST_OK)
            break;
        holders_add(out, set, (uint32_t)(stmt_int(q, 1) - g->first));
        persons_free(set);
    }
    stmt_done(q);
    return s;
}

static enum status run_with(struct guard_book *b, const char *sql, int64_t first, int64_t second,
                            struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(b->db, sql, &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, first);
    stmt_bind_int(q, 2, second);
    return stmt_run(q, e);
}

static enum status segment_drop(struct guard_book *b, const struct segment *g, struct err *e)
{
    enum status s =
        run_with(b, "DELETE FROM holders WHERE id BETWEEN ?1 AND ?2", row_id(g, 0), row_id(g, UINT32_MAX), e);
    return s == ST_OK ? run_with(b, "DELETE FROM segment WHERE id=?1 AND ?2", g->id, 1, e) : s;
}

static enum status segment_write(struct guard_book *b, struct segment *g, struct err *e)
{
    struct stmt *q;
    struct holders h = {0};
    enum status s = db_prepare(b->db, "INSERT INTO segment(first, last, persons) VALUES(?1, ?2, ?3)", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, g->first);
    stmt_bind_int(q, 2, g->end - 1);
    stmt_bind_int(q, 3, g->persons);
    s = stmt_run(q, e);
    g->id = db_last_id(b->db);
    if (s == ST_OK)
        s = segment_read(b, g, &h, e);
    if (s == ST_OK)
        s = rows_write(b, g, &h, e);
    holders_deinit(&h);
    return s;
}

/* --- keeping ------------------------------------------------------------------------------------------ */

/* Gives sets without a place one, as many as a segment takes, and adds them to it. */
static enum status place_sets(struct guard_book *b, struct segment *g, struct err *e)
{
    enum status s = ST_OK;
    size_t at = 0;
    uint32_t known;
    int64_t n;
    while (s == ST_OK && g->persons < SEGMENT_MOST && guard_next_unplaced(b->guard, &at, &known, &n)) {
        g->persons += n;
        guard_place(b->guard, known, (uint32_t)g->end);
        s = run_with(b, "INSERT INTO held VALUES(?1, ?2)", (int64_t)guard_key(b->guard, known), g->end++, e);
    }
    return s;
}

/* Within a transaction, and the guard has what was written before it. */
static enum status add_segment(struct guard_book *b, struct err *e)
{
    enum status s = index_open(b, e);
    size_t n = b->n_segments;
    struct segment g = {.first = n ? b->segments[n - 1].end : 1};
    g.end = g.first;
    if (s == ST_OK)
        s = place_sets(b, &g, e);
    for (; s == ST_OK && n && b->segments[n - 1].persons <= g.persons &&
           b->segments[n - 1].persons + g.persons <= SEGMENT_MOST;
         n--) {
        g.first = b->segments[n - 1].first;
        g.persons += b->segments[n - 1].persons;
        s = segment_drop(b, &b->segments[n - 1], e);
    }
    return s == ST_OK ? segment_write(b, &g, e) : s;
}

static enum status keep(struct guard_book *b, struct err *e)
{
    bool have;
    enum status s = book_begin(b, e);
    if (s != ST_OK)
        return s;
    s = book_catch_up(b, &have, e);
    b->stale = true; /* the guard knows places that are not written yet */
    if (s == ST_OK && have && guard_unplaced(b->guard) >= WORTH_A_SEGMENT)
        s = add_segment(b, e);
    s = book_end(b, s, e);
    b->stale = s != ST_OK || !have;
    return s;
}

void guard_book_tidy(struct guard_book *b)
{
    struct err e;
    enum status s = ST_OK;
    int64_t before = INT64_MAX;
    while (s == ST_OK && !b->stale && !interrupted() && guard_unplaced(b->guard) >= WORTH_A_SEGMENT &&
           guard_unplaced(b->guard) < before) {
        before = guard_unplaced(b->guard);
        s = keep(b, &e);
    }
    if (s != ST_OK)
        log_event(LOG_WARN, "guard.index", "problem", e.text, "detail", e.detail, NULL);
}
