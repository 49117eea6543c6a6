/* SPDX-License-Identifier: Apache-2.0
 *
 * Persons' numbers: a population that was seen before has them written down, in its order, and the roster of
 * all pseudonyms is not read. Mostly a population's numbers follow each other, so they are kept as runs.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "disclose/guard_tables.h"
#include "disclose/roster.h"
#include "disclose/varint.h"

enum { MOST_NUMBERING = 1 << 30 };

/* --- runs --------------------------------------------------------------------------------------------- */

/* Pairs: how far the run starts from where the last one ended (zigzag), and its length. */
static void runs_format(const uint32_t *numbers, size_t n, struct buf *out)
{
    int64_t next = 0;
    for (size_t i = 0, length; i < n; i += length) {
        int64_t jump = (int64_t)numbers[i] - next;
        for (length = 1; i + length < n && numbers[i + length] == numbers[i] + length;)
            length++;
        varint_put(out, (uint64_t)jump << 1 ^ (uint64_t)(jump >> 63));
        varint_put(out, length);
        next = (int64_t)numbers[i] + (int64_t)length;
    }
}

static bool runs_parse(struct slice bytes, uint32_t *numbers, size_t n)
{
    int64_t next = 0;
    size_t i = 0;
    uint64_t jump, length;
    while (bytes.n && varint_get(&bytes, &jump) && varint_get(&bytes, &length)) {
        next += (int64_t)(jump >> 1) ^ -(int64_t)(jump & 1);
        if (next < 0 || next > UINT32_MAX || length > n - i)
            return false;
        for (; length; length--)
            numbers[i++] = (uint32_t)next++;
    }
    return i == n && !bytes.n;
}

/* --- a population that is known ----------------------------------------------------------------------- */

static enum status find_numbering(struct guard_book *b, const struct guard_population *p, uint32_t *numbers,
                                  bool *found, struct err *e)
{
    struct stmt *q;
    uint8_t hash[HASH_BYTES];
    enum status s = db_prepare(b->db, "SELECT n, sha256, bytes FROM numbering WHERE population=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, p->name);
    s = stmt_step(q, found, e);
    if (s == ST_OK && *found) {
        struct slice bytes = stmt_blob(q, 2);
        sha256(bytes.p, bytes.n, hash);
        if (stmt_int(q, 0) != (int64_t)p->n || stmt_blob(q, 1).n != HASH_BYTES ||
            memcmp(hash, stmt_blob(q, 1).p, HASH_BYTES) != 0 || !runs_parse(bytes, numbers, p->n))
            s = err_set(e, ST_CORRUPT, "the numbering of a population in the guard's book is not its own");
    }
    stmt_done(q);
    return s;
}

/* --- a new one ---------------------------------------------------------------------------------------- */

static enum status read_roster(struct guard_book *b, struct roster *roster, struct err *e)
{
    struct stmt *q;
    bool row = false;
    enum status s = db_prepare(b->db, "SELECT first, pseudonyms FROM roster ORDER BY first", &q, e);
    if (s != ST_OK)
        return s;
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct slice bytes = stmt_blob(q, 1);
        if (stmt_int(q, 0) != (int64_t)roster->n || bytes.n % PSEUDONYM_BYTES) {
            s = err_set(e, ST_CORRUPT, "the roster of the guard's book has a gap");
            break;
        }
        for (size_t i = 0; i < bytes.n; i += PSEUDONYM_BYTES)
            roster_number(roster, (const uint8_t *)bytes.p + i);
        if (roster->n != (size_t)stmt_int(q, 0) + bytes.n / PSEUDONYM_BYTES) {
            s = err_set(e, ST_CORRUPT, "the roster of the guard's book names somebody twice");
            break;
        }
    }
    stmt_done(q);
    return s;
}

static enum status write_roster(struct guard_book *b, const struct roster *roster, size_t written,
                                struct err *e)
{
    struct stmt *q;
    if (roster->n == written)
        return ST_OK;
    enum status s = db_prepare(b->db, "INSERT INTO roster VALUES(?1, ?2)", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, (int64_t)written);
    stmt_bind_blob(q, 2, roster->pseudonyms[written], (roster->n - written) * PSEUDONYM_BYTES);
    return stmt_run(q, e);
}

static enum status write_numbering(struct guard_book *b, const struct guard_population *p,
                                   const uint32_t *numbers, struct err *e)
{
    struct stmt *q;
    struct buf bytes;
    uint8_t hash[HASH_BYTES];
    buf_init(&bytes, MOST_NUMBERING);
    runs_format(numbers, p->n, &bytes);
    sha256(bytes.p, bytes.n, hash);
    enum status s = buf_check(&bytes, "the numbering of a population", e);
    if (s == ST_OK)
        s = db_prepare(b->db, "INSERT INTO numbering VALUES(?1, ?2, ?3, ?4)", &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, p->name);
        stmt_bind_int(q, 2, (int64_t)p->n);
        stmt_bind_blob(q, 3, hash, sizeof hash);
        stmt_bind_blob(q, 4, bytes.p, bytes.n);
        s = stmt_run(q, e);
    }
    buf_deinit(&bytes);
    return s;
}

static enum status write_everybody(struct guard_book *b, const struct guard_population *p,
                                   const uint32_t *numbers, struct err *e)
{
    struct stmt *q;
    int64_t id = 0;
    uint32_t *sorted = xmalloc((p->n + 1) * sizeof *sorted);
    memcpy(sorted, numbers, p->n * sizeof *sorted);
    struct persons *everybody = persons_gather(sorted, p->n);
    free(sorted);
    enum status s = set_write(b, everybody, &id, e);
    persons_free(everybody);
    if (s == ST_OK)
        s = db_prepare(b->db, "INSERT INTO snapshot VALUES(?1, ?2) ON CONFLICT DO NOTHING", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, p->name);
    stmt_bind_int(q, 2, id);
    return stmt_run(q, e);
}

static enum status number_new(struct guard_book *b, const struct guard_population *p, uint32_t *numbers,
                              struct err *e)
{
    struct roster roster = {0};
    enum status s = read_roster(b, &roster, e);
    size_t written = roster.n;
    for (size_t i = 0; s == ST_OK && i < p->n; i++) {
        uint8_t pseudonym[PSEUDONYM_BYTES];
        p->pseudonym(p->context, i, pseudonym);
        numbers[i] = roster_number(&roster, pseudonym);
    }
    if (s == ST_OK)
        s = write_roster(b, &roster, written, e);
    if (s == ST_OK)
        s = write_numbering(b, p, numbers, e);
    if (s == ST_OK)
        s = write_everybody(b, p, numbers, e);
    roster_deinit(&roster);
    return s;
}

enum status guard_book_number(struct guard_book *b, const struct guard_population *p, uint32_t *numbers,
                              struct err *e)
{
    bool found = false;
    enum status s = find_numbering(b, p, numbers, &found, e);
    if (s != ST_OK || found)
        return s;
    if ((s = book_begin(b, e)) != ST_OK)
        return s;
    s = find_numbering(b, p, numbers, &found, e); /* another process may have been first */
    if (s == ST_OK && !found)
        s = number_new(b, p, numbers, e);
    return book_end(b, s, e);
}
