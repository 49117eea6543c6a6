/* SPDX-License-Identifier: Apache-2.0
 *
 * Checkpoints of the log: signed when asked for, kept by size, cosigned by witnesses. */
#include <inttypes.h>

#include "ledger/ledger.h"

/* Appends the note of a size with its cosignature lines; *found false when that size was never signed. */
static enum status kept_note(struct ledger *l, int64_t size, struct buf *out, bool *found, struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(ledger_db(l), "SELECT note FROM checkpoint WHERE size=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, size);
    s = stmt_step(q, found, e);
    if (s == ST_OK && *found)
        buf_adds(out, stmt_text(q, 0));
    stmt_done(q);
    if (s != ST_OK || !*found)
        return s;
    s = db_prepare(ledger_db(l), "SELECT line FROM cosignature WHERE size=?1 ORDER BY witness", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, size);
    bool row = true;
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row)
        buf_adds(out, stmt_text(q, 0));
    stmt_done(q);
    return s == ST_OK ? buf_check(out, "the checkpoint", e) : s;
}

static enum status keep_note(struct ledger *l, int64_t size, const char *note, struct err *e)
{
    struct stmt *q;
    enum status s =
        db_prepare(ledger_db(l), "INSERT INTO checkpoint VALUES(?1, ?2) ON CONFLICT DO NOTHING", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, size);
    stmt_bind_text(q, 2, note);
    return stmt_run(q, e);
}

static enum status sign_size(struct ledger *l, int64_t size, struct buf *out, struct err *e)
{
    struct checkpoint c = {.size = (uint64_t)size};
    struct buf note;
    if (!ledger_hub(l))
        return err_set(e, ST_DENIED, "only the hub can sign a checkpoint of %" PRId64 " entries", size);
    enum status s = ledger_root(l, size, c.root, e);
    if (s != ST_OK)
        return s;
    memcpy(c.origin, ledger_key(l)->name, sizeof c.origin);
    buf_init(&note, NOTE_MOST);
    checkpoint_sign(&c, ledger_hub(l), &note);
    if (!ledger_read_only(l))
        s = keep_note(l, size, note.p, e);
    if (s == ST_OK)
        buf_add(out, note.p, note.n);
    buf_deinit(&note);
    return s;
}

enum status ledger_checkpoint(struct ledger *l, struct buf *out, struct err *e)
{
    int64_t size;
    bool found = false;
    enum status s = ledger_size(l, &size, e);
    if (s == ST_OK)
        s = kept_note(l, size, out, &found, e);
    return s == ST_OK && !found ? sign_size(l, size, out, e) : s;
}

enum status ledger_checkpoint_last(struct ledger *l, struct buf *out, struct err *e)
{
    struct stmt *q;
    bool row = false, found = false;
    enum status s = db_prepare(ledger_db(l), "SELECT max(size) FROM checkpoint", &q, e);
    if (s != ST_OK)
        return s;
    s = stmt_step(q, &row, e);
    int64_t size = s == ST_OK && row && !stmt_is_null(q, 0) ? stmt_int(q, 0) : -1;
    stmt_done(q);
    if (s == ST_OK && size >= 0)
        s = kept_note(l, size, out, &found, e);
    return s == ST_OK && !found ? err_set(e, ST_NOT_FOUND, "no checkpoint was signed yet") : s;
}

enum status ledger_witness_add(struct ledger *l, const struct note_key *witness, struct err *e)
{
    struct stmt *q;
    struct buf vkey;
    if (witness->type != NOTE_COSIGNATURE)
        return err_set(e, ST_INVALID, "a witness needs a cosignature key (type 04), not a note key");
    enum status s = db_prepare(ledger_db(l),
                               "INSERT INTO witness VALUES(?1, ?2) ON CONFLICT DO UPDATE SET vkey=vkey "
                               "WHERE vkey=excluded.vkey",
                               &q, e);
    if (s != ST_OK)
        return s;
    buf_init(&vkey, 512);
    note_vkey_format(witness, &vkey);
    stmt_bind_text(q, 1, witness->name);
    stmt_bind_text(q, 2, vkey.p);
    s = stmt_run(q, e);
    buf_deinit(&vkey);
    if (s == ST_OK && db_changes(ledger_db(l)) == 0)
        s = err_set(e, ST_CONFLICT, "a witness of this name is registered with another key");
    return s;
}

enum status ledger_witnesses(struct ledger *l, struct js **out, struct err *e)
{
    struct stmt *q;
    bool row = true;
    enum status s = db_prepare(ledger_db(l), "SELECT vkey FROM witness ORDER BY name", &q, e);
    if (s != ST_OK)
        return s;
    struct js *list = js_array();
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row)
        js_push(list, js_string(stmt_text(q, 0)));
    stmt_done(q);
    if (s == ST_OK)
        *out = list;
    else
        js_free(list);
    return s;
}

static enum status keep_line(struct ledger *l, int64_t size, const char *witness, const char *line,
                             struct err *e)
{
    struct stmt *q;
    enum status s = db_prepare(ledger_db(l),
                               "INSERT INTO cosignature VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET "
                               "line=excluded.line",
                               &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, size);
    stmt_bind_text(q, 2, witness);
    stmt_bind_text(q, 3, line);
    return stmt_run(q, e);
}

/* The signature line of `name` in a note, with its newline. */
static bool line_of(struct slice note, const char *name, struct buf *out)
{
    struct buf start;
    buf_init(&start, NOTE_MOST);
    buf_printf(&start, "\n\xe2\x80\x94 %s ", name);
    const char *at = memmem(note.p, note.n, start.p, start.n);
    const char *end = at ? memchr(at + 1, '\n', note.n - (size_t)(at + 1 - note.p)) : NULL;
    if (end)
        buf_add(out, at + 1, (size_t)(end - at));
    buf_deinit(&start);
    return end != NULL;
}

static enum status cosign_one(struct ledger *l, struct slice note, int64_t size, const char *vkey,
                              unsigned *kept, struct err *e)
{
    struct note_key witness;
    int64_t when;
    enum status s = note_vkey_parse(slice_of(vkey), &witness, e);
    if (s == ST_OK)
        s = checkpoint_cosigned(note, &witness, &when, e);
    if (s != ST_OK)
        return s == ST_NOT_FOUND ? ST_OK : s;
    struct buf line;
    buf_init(&line, NOTE_MOST);
    if (line_of(note, witness.name, &line)) {
        s = keep_line(l, size, witness.name, line.p, e);
        (*kept)++;
    }
    buf_deinit(&line);
    return s;
}

/* A checkpoint that was signed for a reader was not kept: the witness brings it back. */
static enum status keep_signed(struct ledger *l, struct slice note, int64_t size, struct err *e)
{
    struct buf ours, line;
    buf_init(&ours, NOTE_MOST);
    buf_init(&line, NOTE_MOST);
    const char *end = memmem(note.p, note.n, "\n\n", 2);
    if (end && line_of(note, ledger_origin(l), &line)) {
        buf_add(&ours, note.p, (size_t)(end - note.p) + 2);
        buf_add(&ours, line.p, line.n);
    }
    enum status s = buf_check(&ours, "the checkpoint", e);
    if (s == ST_OK)
        s = keep_note(l, size, ours.p ? ours.p : "", e);
    buf_deinit(&ours);
    buf_deinit(&line);
    return s;
}

enum status ledger_cosign(struct ledger *l, struct slice note, struct err *e)
{
    struct checkpoint c;
    uint8_t root[HASH_BYTES];
    struct js *witnesses = NULL;
    unsigned kept = 0;
    enum status s = checkpoint_check(note, ledger_key(l), &c, e);
    if (s == ST_OK)
        s = ledger_root(l, (int64_t)c.size, root, e);
    if (s == ST_OK && memcmp(root, c.root, HASH_BYTES) != 0)
        s = err_set(e, ST_CORRUPT, "the checkpoint's root is not that of this log");
    if (s == ST_OK)
        s = keep_signed(l, note, (int64_t)c.size, e);
    if (s == ST_OK)
        s = ledger_witnesses(l, &witnesses, e);
    for (size_t i = 0; s == ST_OK && i < js_size(witnesses); i++)
        s = cosign_one(l, note, (int64_t)c.size, js_str(js_at(witnesses, i)), &kept, e);
    if (s == ST_OK && kept == 0)
        s = err_set(e, ST_INVALID, "the note has no cosignature of a registered witness");
    js_free(witnesses);
    return s;
}
