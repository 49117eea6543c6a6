/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "disclose/guard_tables.h"

enum { SUM_BYTES = 8, MOST_SET = 1 << 30 };

/* Rows of the roster have no gaps: who comes after the last is numbered so. */
static enum status roster_size(struct guard_book *b, int64_t *out, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(
        b->db, "SELECT first + length(pseudonyms)/16 FROM roster ORDER BY first DESC LIMIT 1", &q, e);
    if (s != ST_OK)
        return s;
    return stmt_number(q, out, e);
}

static enum status check_set(struct guard_book *b, struct persons **set, struct err *e)
{
    int64_t n;
    enum status s = roster_size(b, &n, e);
    if (s == ST_OK && persons_count(*set) && persons_last(*set) >= n)
        s = err_set(e, ST_CORRUPT, "the guard's book counts a person who is not on its roster");
    if (s != ST_OK) {
        persons_free(*set);
        *set = NULL;
    }
    return s;
}

enum status set_read(struct guard_book *b, int64_t id, struct persons **out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    *out = NULL;
    enum status s = db_prepare(b->db, "SELECT sha256, bytes FROM personset WHERE id=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, id);
    s = stmt_step(q, &row, e);
    if (s == ST_OK && (!row || stmt_blob(q, 0).n != HASH_BYTES))
        s = err_set(e, ST_CORRUPT, "the guard's book lacks a set or its hash");
    if (s == ST_OK)
        s = persons_decode(stmt_blob(q, 1), (const uint8_t *)stmt_blob(q, 0).p, out, e);
    stmt_done(q);
    return s == ST_OK ? check_set(b, out, e) : s;
}

/* --- sketches ----------------------------------------------------------------------------------------- */

static void sum_of(const struct guard_kept *k, int sampling, uint8_t out[SUM_BYTES])
{
    uint8_t hash[HASH_BYTES];
    int64_t head[4] = {(int64_t)k->key, sampling, k->n, k->last};
    struct sha256 *h = sha256_new();
    sha256_add(h, head, sizeof head);
    sha256_add(h, k->sketch, GUARD_SKETCH_BYTES);
    sha256_end(h, hash);
    memcpy(out, hash, SUM_BYTES);
}

enum status sketch_read(struct stmt *q, int first, int sampling, struct guard_kept *out, bool *have,
                        struct err *e)
{
    uint8_t sum[SUM_BYTES];
    struct slice bytes = stmt_blob(q, first + 3), found = stmt_blob(q, first + 4);
    *out = (struct guard_kept){(uint64_t)stmt_int(q, first), stmt_int(q, first + 1),
                               (uint32_t)stmt_int(q, first + 2), 0, (const uint8_t *)bytes.p};
    *have = !stmt_is_null(q, first + 3);
    if (!*have)
        return ST_OK;
    if (bytes.n == GUARD_SKETCH_BYTES && found.n == SUM_BYTES) {
        sum_of(out, sampling, sum);
        if (memcmp(sum, found.p, SUM_BYTES) == 0)
            return ST_OK;
    }
    return err_set(e, ST_CORRUPT, "a sketch in the guard's book is not what was written");
}

static enum status sketch_write(struct guard_book *b, int64_t id, const struct persons *set, struct err *e)
{
    struct stmt *q;
    uint8_t bytes[GUARD_SKETCH_BYTES], sum[SUM_BYTES];
    guard_sketch(b->guard, set, bytes);
    struct guard_kept k = {(uint64_t)id, (int64_t)persons_count(set),
                           persons_count(set) ? persons_last(set) : 0, 0, bytes};
    sum_of(&k, b->sampling, sum);
    enum status s =
        db_prepare(b->db, "INSERT INTO sketch VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, id);
    stmt_bind_int(q, 2, b->sampling);
    stmt_bind_int(q, 3, k.n);
    stmt_bind_int(q, 4, k.last);
    stmt_bind_blob(q, 5, bytes, sizeof bytes);
    stmt_bind_blob(q, 6, sum, sizeof sum);
    return stmt_run(q, e);
}

static enum status lacking(struct guard_book *b, int64_t **out, size_t *n, struct err *e)
{
    struct stmt *q;
    bool row = false;
    size_t room = 0;
    *out = NULL;
    *n = 0;
    enum status s = db_prepare(b->db,
                               "SELECT id FROM personset p WHERE NOT EXISTS"
                               " (SELECT 1 FROM sketch WHERE personset=p.id AND sampling=?1)",
                               &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, b->sampling);
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        GROW(*out, *n + 1, room);
        (*out)[(*n)++] = stmt_int(q, 0);
    }
    stmt_done(q);
    return s;
}

enum status sketches_make(struct guard_book *b, struct err *e)
{
    int64_t *ids = NULL;
    size_t n = 0;
    enum status s = lacking(b, &ids, &n, e);
    for (size_t i = 0; s == ST_OK && i < n; i++) {
        struct persons *set;
        if ((s = set_read(b, ids[i], &set, e)) == ST_OK)
            s = sketch_write(b, ids[i], set, e);
        persons_free(set);
    }
    free(ids);
    return s;
}

/* --- writing ------------------------------------------------------------------------------------------ */

static enum status find_set(struct guard_book *b, const uint8_t hash[HASH_BYTES], int64_t *id, struct err *e)
{
    struct stmt *q;
    *id = 0;
    enum status s = db_prepare(b->db, "SELECT id FROM personset WHERE sha256=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_blob(q, 1, hash, HASH_BYTES);
    return stmt_number(q, id, e);
}

static enum status insert_set(struct guard_book *b, const uint8_t hash[HASH_BYTES], const struct buf *bytes,
                              int64_t *id, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(b->db, "INSERT INTO personset(sha256, bytes) VALUES(?1, ?2)", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_blob(q, 1, hash, HASH_BYTES);
    stmt_bind_blob(q, 2, bytes->p, bytes->n);
    s = stmt_run(q, e);
    *id = db_last_id(b->db);
    return s;
}

enum status set_write(struct guard_book *b, const struct persons *set, int64_t *id, struct err *e)
{
    struct buf bytes;
    uint8_t hash[HASH_BYTES];
    buf_init(&bytes, MOST_SET);
    persons_encode(set, &bytes, hash);
    enum status s = buf_check(&bytes, "a set of persons", e);
    if (s == ST_OK)
        s = find_set(b, hash, id, e);
    if (s == ST_OK && !*id) {
        s = insert_set(b, hash, &bytes, id, e);
        if (s == ST_OK)
            s = sketch_write(b, *id, set, e);
    }
    buf_deinit(&bytes);
    return s;
}
