/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/copy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"

enum { LINE_MOST = COMMAND_MOST + 4096, HEADER_MOST = 65536, BATCH_LINES = 512, BATCH_BYTES = 8 << 20 };
static const char entry_start[] = "{\"entry\":";
static const char leaf_start[] = ",\"leaf\":\"";
static const char line_end[] = "\"}";

/* Writing */

enum status copy_write_header(const char *checkpoint, const char *key, int64_t entries,
                              const struct js *witnesses, FILE *to, struct err *e)
{
    struct js *header = js_object();
    struct buf text;
    buf_init(&text, HEADER_MOST);
    js_put_int(header, "accord_log", 1);
    js_put_int(header, "entries", entries);
    js_put_str(header, "checkpoint", checkpoint);
    js_put_str(header, "key", key);
    js_put(header, "witnesses", js_share(witnesses));
    enum status s = js_canonical(header, &text, e);
    if (s == ST_OK && fprintf(to, "%s\n", text.p) < 0)
        s = err_errno(e, errno, "cannot write", "the copy");
    js_free(header);
    buf_deinit(&text);
    return s;
}

enum status copy_write_entry(struct slice canonical, FILE *to, struct err *e)
{
    uint8_t leaf[HASH_BYTES];
    char hex[2 * HASH_BYTES + 1];
    merkle_leaf(canonical, leaf);
    hex_encode(leaf, sizeof leaf, hex);
    if (fprintf(to, "%s%.*s%s%s%s\n", entry_start, (int)canonical.n, canonical.p, leaf_start, hex, line_end) <
        0)
        return err_errno(e, errno, "cannot write", "the copy");
    return interrupted() ? interrupted_err(e) : ST_OK;
}

static enum status write_header(struct ledger *l, FILE *to, int64_t *size, struct err *e)
{
    struct buf note, vkey;
    struct checkpoint c;
    struct js *witnesses = NULL;
    buf_init(&note, NOTE_MOST);
    buf_init(&vkey, 512);
    enum status s = ledger_hub(l) ? ledger_checkpoint(l, &note, e) : ledger_checkpoint_last(l, &note, e);
    if (s == ST_OK)
        s = checkpoint_check(buf_slice(&note), ledger_key(l), &c, e);
    if (s == ST_OK)
        s = ledger_witnesses(l, &witnesses, e);
    if (s == ST_OK) {
        *size = (int64_t)c.size;
        note_vkey_format(ledger_key(l), &vkey);
        s = copy_write_header(note.p, vkey.p, *size, witnesses, to, e);
    }
    js_free(witnesses);
    buf_deinit(&note);
    buf_deinit(&vkey);
    return s;
}

static enum status write_entry(void *context, struct db *d, const struct ledger_entry *entry, struct err *e)
{
    (void)d;
    return copy_write_entry(buf_slice(&entry->text), context, e);
}

enum status ledger_copy(struct ledger *l, FILE *to, struct err *e)
{
    int64_t size = 0;
    enum status s = write_header(l, to, &size, e);
    if (s == ST_OK)
        s = ledger_walk(l, 0, size, NULL, write_entry, to, e);
    if (s == ST_OK && fflush(to) != 0)
        s = err_errno(e, errno, "cannot write", "the copy");
    return s;
}

/* Checking */

struct line {
    struct buf text;
    uint8_t leaf[HASH_BYTES];
    char time[21];
};

struct reader {
    FILE *from;
    struct line lines[BATCH_LINES];
    size_t n;        /* lines in the batch */
    uint64_t before; /* entries before the batch */
    bool ended;
};

/* One line without its newline. *got false at the end of the file. */
static enum status read_line(FILE *from, struct buf *out, bool *got, struct err *e)
{
    int c;
    buf_clear(out);
    *got = false;
    while ((c = getc_unlocked(from)) != EOF && c != '\n')
        buf_addc(out, (char)c);
    if (ferror(from))
        return err_errno(e, errno, "cannot read", "the copy");
    if (c == EOF && out->n == 0)
        return ST_OK;
    if (c == EOF)
        return err_set(e, ST_CORRUPT, "the file ends in the middle of a line");
    if (out->failed)
        return err_set(e, ST_CORRUPT, "the line is longer than an entry can be");
    *got = true;
    return ST_OK;
}

static bool ends(struct slice s, size_t at, const char *text, size_t n)
{
    return at + n <= s.n && memcmp(s.p + at, text, n) == 0;
}

/* Takes a line apart: what lies between its fixed parts. */
static bool line_split(struct slice line, struct slice *entry, struct slice *leaf)
{
    size_t n_start = sizeof entry_start - 1, n_leaf = sizeof leaf_start - 1, n_end = sizeof line_end - 1;
    size_t fixed = n_start + n_leaf + 2 * (size_t)HASH_BYTES + n_end;
    if (line.n <= fixed)
        return false;
    entry->p = line.p + n_start;
    entry->n = line.n - fixed;
    leaf->p = entry->p + entry->n + n_leaf;
    leaf->n = 2 * (size_t)HASH_BYTES;
    return ends(line, 0, entry_start, n_start) && ends(line, n_start + entry->n, leaf_start, n_leaf) &&
           ends(line, line.n - n_end, line_end, n_end);
}

static enum status check_entry(struct line *line, uint64_t seq, struct err *e)
{
    struct slice text, hex;
    uint8_t given[HASH_BYTES];
    struct ledger_entry entry;
    if (!line_split(buf_slice(&line->text), &text, &hex) || !hex_decode(hex, given, sizeof given))
        return err_set(e, ST_CORRUPT, "the line is not {\"entry\":{...},\"leaf\":\"64 hex digits\"}");
    merkle_leaf(text, line->leaf);
    if (memcmp(given, line->leaf, HASH_BYTES) != 0)
        return err_set(e, ST_CORRUPT, "the entry does not hash to its leaf: it was changed");
    enum status s = ledger_entry_parse(text, &entry, e);
    if (s != ST_OK)
        return s;
    if ((uint64_t)entry.seq != seq)
        s = err_set(e, ST_CORRUPT, "the entry says that it is number %" PRId64, entry.seq);
    if (s == ST_OK)
        s = command_check_signature(entry.json, e);
    memcpy(line->time, entry.time, sizeof line->time);
    ledger_entry_deinit(&entry);
    return s == ST_OK ? s : ST_CORRUPT;
}

static enum status check_entry_task(void *context, size_t i, struct err *e)
{
    struct reader *r = context;
    enum status s = check_entry(&r->lines[i], r->before + i, e);
    if (s == ST_OK)
        return s;
    if (e)
        e->status = ST_CORRUPT;
    err_wrap(e, "entry %" PRIu64, r->before + i);
    return ST_CORRUPT;
}

static enum status read_batch(struct reader *r, struct err *e)
{
    size_t bytes = 0;
    for (r->n = 0; r->n < BATCH_LINES && bytes < BATCH_BYTES && !r->ended; r->n++) {
        bool got;
        enum status s = read_line(r->from, &r->lines[r->n].text, &got, e);
        if (s != ST_OK) {
            err_wrap(e, "entry %" PRIu64, r->before + r->n);
            return s;
        }
        bytes += r->lines[r->n].text.n;
        if (!got) {
            r->ended = true;
            break;
        }
    }
    return ST_OK;
}

/* Adds the batch to the tree, in order; times may not go back. */
static enum status add_batch(struct reader *r, struct merkle_edge *edge, struct ledger_verified *v,
                             struct err *e)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct line *line = &r->lines[i];
        if (strcmp(line->time, v->last_time) < 0)
            return err_set(e, ST_CORRUPT,
                           "entry %" PRIu64 ": its time lies before that of the entry before it",
                           r->before + i);
        if (edge->size == 0)
            memcpy(v->first_time, line->time, sizeof v->first_time);
        memcpy(v->last_time, line->time, sizeof v->last_time);
        merkle_edge_add(edge, line->leaf);
    }
    r->before += r->n;
    return ST_OK;
}

static enum status check_witnesses(const struct js *header, struct slice note, struct ledger_verified *v,
                                   struct err *e)
{
    const struct js *list = js_get(header, "witnesses");
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < js_size(list); i++) {
        struct note_key witness;
        const char *vkey = js_str(js_at(list, i));
        int64_t when;
        s = note_vkey_parse(slice_of(vkey), &witness, e);
        if (s == ST_OK)
            s = checkpoint_cosigned(note, &witness, &when, e);
        if (s == ST_OK)
            v->witnesses++;
        else if (s == ST_NOT_FOUND)
            s = ST_OK;
    }
    if (s == ST_OK && checkpoint_signatures(note) != v->witnesses + 1)
        s = err_set(e, ST_CORRUPT, "the checkpoint has a signature line of nobody who is named");
    return s;
}

static enum status check_header(const struct js *header, const struct note_key *pinned,
                                struct ledger_verified *v, struct err *e)
{
    const char *note = js_get_str(header, "checkpoint"), *vkey = js_get_str(header, "key");
    if (js_get_int(header, "accord_log", 0) != 1 || js_size(header) != 5 || !note || !vkey ||
        !js_is(js_get(header, "witnesses"), JS_ARRAY))
        return err_set(e, ST_CORRUPT,
                       "this is not a copied log of version 1 (members accord_log, checkpoint, "
                       "entries, key, witnesses)");
    enum status s = note_vkey_parse(slice_of(vkey), &v->key, e);
    if (s == ST_OK && pinned &&
        (memcmp(pinned->public_key, v->key.public_key, SIGN_PUBLIC_BYTES) != 0 ||
         pinned->type != v->key.type))
        s = err_set(e, ST_CORRUPT, "the log is signed by another key than the one given");
    if (s == ST_OK)
        s = checkpoint_check(slice_of(note), &v->key, &v->checkpoint, e);
    if (s == ST_OK && js_get_int(header, "entries", -1) != (int64_t)v->checkpoint.size)
        s = err_set(e, ST_CORRUPT, "the number of entries is not that of the checkpoint");
    return s == ST_OK ? check_witnesses(header, slice_of(note), v, e) : s;
}

static enum status read_header(FILE *from, const struct note_key *pinned, struct ledger_verified *v,
                               struct err *e)
{
    struct buf line, canonical;
    struct js *header = NULL;
    bool got = false;
    buf_init(&line, HEADER_MOST);
    buf_init(&canonical, HEADER_MOST);
    enum status s = read_line(from, &line, &got, e);
    if (s == ST_OK && !got)
        s = err_set(e, ST_CORRUPT, "the file is empty");
    if (s == ST_OK)
        s = js_parse(buf_slice(&line), "header", &header, e);
    if (s == ST_OK)
        s = js_canonical(header, &canonical, e);
    if (s == ST_OK && !slice_equal(buf_slice(&line), buf_slice(&canonical)))
        s = err_set(e, ST_CORRUPT, "not in canonical form");
    if (s == ST_OK)
        s = check_header(header, pinned, v, e);
    js_free(header);
    buf_deinit(&line);
    buf_deinit(&canonical);
    if (s == ST_OK || s == ST_IO)
        return s;
    if (e)
        e->status = ST_CORRUPT;
    err_wrap(e, "header");
    return ST_CORRUPT;
}

static enum status check_total(const struct merkle_edge *edge, const struct ledger_verified *v, struct err *e)
{
    uint8_t root[HASH_BYTES];
    if (edge->size != v->checkpoint.size)
        return err_set(e, ST_CORRUPT, "the checkpoint has %" PRIu64 " entries, the file %" PRIu64,
                       v->checkpoint.size, edge->size);
    merkle_edge_root(edge, root);
    if (memcmp(root, v->checkpoint.root, HASH_BYTES) != 0)
        return err_set(e, ST_CORRUPT,
                       "the entries do not add up to the root that the checkpoint signs: one was "
                       "changed together with its leaf hash");
    return ST_OK;
}

enum status ledger_verify(FILE *from, const struct note_key *pinned, struct pool *pool,
                          struct ledger_verified *out, struct err *e)
{
    struct reader *r = xcalloc(1, sizeof *r);
    struct merkle_edge edge = {0};
    *out = (struct ledger_verified){0};
    r->from = from;
    for (size_t i = 0; i < BATCH_LINES; i++)
        buf_init(&r->lines[i].text, LINE_MOST);
    enum status s = read_header(from, pinned, out, e);
    while (s == ST_OK && !r->ended) {
        s = read_batch(r, e);
        if (s == ST_OK)
            s = pool_run(pool, r->n, check_entry_task, r, e);
        if (s == ST_OK)
            s = add_batch(r, &edge, out, e);
        if (s == ST_OK && interrupted())
            s = interrupted_err(e);
    }
    if (s == ST_OK)
        s = check_total(&edge, out, e);
    for (size_t i = 0; i < BATCH_LINES; i++)
        buf_deinit(&r->lines[i].text);
    free(r);
    return s;
}

static enum status restore_line(struct ledger *l, struct slice line, ledger_fold fold, void *context,
                                struct err *e)
{
    struct slice text, leaf;
    if (!line_split(line, &text, &leaf))
        return err_set(e, ST_CORRUPT, "the copy was changed since it was checked");
    return ledger_append_entry(l, text, fold, context, e);
}

/* The lines after the header and those that the ledger has. */
static enum status restore_lines(struct ledger *l, FILE *from, int64_t have, ledger_fold fold, void *context,
                                 int64_t *added, struct err *e)
{
    struct buf line;
    bool got = true;
    enum status s = ST_OK;
    buf_init(&line, LINE_MOST);
    for (int64_t at = -1; s == ST_OK && got; at++) {
        s = read_line(from, &line, &got, e);
        if (s == ST_OK && got && at >= have) {
            s = restore_line(l, buf_slice(&line), fold, context, e);
            *added += s == ST_OK;
        }
        if (s == ST_OK && interrupted())
            s = interrupted_err(e);
    }
    buf_deinit(&line);
    return s;
}

enum status ledger_restore(struct ledger *l, FILE *from, const struct ledger_verified *copy, ledger_fold fold,
                           void *context, int64_t *added, struct err *e)
{
    uint8_t root[HASH_BYTES];
    int64_t have = 0, shared = (int64_t)copy->checkpoint.size;
    *added = 0;
    rewind(from);
    enum status s = ledger_size(l, &have, e);
    if (s == ST_OK)
        s = restore_lines(l, from, have, fold, context, added, e);
    if (s == ST_OK)
        s = ledger_root(l, shared, root, e);
    if (s == ST_OK && memcmp(root, copy->checkpoint.root, HASH_BYTES) != 0)
        s = err_set(e, ST_CORRUPT,
                    "the copy tells another history than this register: their first %" PRId64
                    " entries differ; nothing was changed",
                    have < shared ? have : shared);
    return s;
}

enum status copy_cosign(FILE *from, const char *name, const struct identity *witness, struct buf *out,
                        struct err *e)
{
    struct buf line;
    struct js *header = NULL;
    bool got = false;
    buf_init(&line, HEADER_MOST);
    rewind(from);
    enum status s = read_line(from, &line, &got, e);
    if (s == ST_OK)
        s = js_parse(buf_slice(&line), "header", &header, e);
    const char *note = js_get_str(header, "checkpoint");
    if (s == ST_OK && !note)
        s = err_set(e, ST_CORRUPT, "header: it has no checkpoint");
    if (s == ST_OK) {
        buf_adds(out, note);
        checkpoint_cosign(slice_of(note), name, witness, time_now_ms() / 1000, out);
        s = buf_check(out, "the checkpoint", e);
    }
    js_free(header);
    buf_deinit(&line);
    return s;
}
