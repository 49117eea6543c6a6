/* SPDX-License-Identifier: Apache-2.0
 *
 * The hub's log, read by the node itself: every entry once, in order, hashed into the tree whose root the hub
 * has signed. So the node knows how many entries there are about an agreement, a person or a grant, and a hub
 * can neither keep one back from a dossier (a revocation, a change of key) nor rewrite what a node has read.
 * What remains to a hub is to show this node another log than the rest of the world, from some point on and
 * for ever: copies and witnesses show that, and `accord node status` says what to compare.
 *
 * Kept in node.db: the right edge of the tree (merkle.h) and the numbers of the entries that matter to a run;
 * both are written only after the root was found right.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "govern/access.h"
#include "grid/node_state.h"
#include "ledger/command.h"

enum { PAGE_ENTRIES = 200, TOLD_EVERY = 50000 };

/* Subjects whose entries decide whether a run may go ahead. */
static bool matters(const char *subject)
{
    static const char *const nouns[] = {"agreement:", "person:", "grant:", "register:"};
    for (size_t i = 0; i < sizeof nouns / sizeof *nouns; i++)
        if (strncmp(subject, nouns[i], strlen(nouns[i])) == 0)
            return true;
    return false;
}

void log_reading_deinit(struct log_reading *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->mentions[i].subject);
    free(r->mentions);
    *r = (struct log_reading){0};
}

enum status log_reading_load(struct node *n, struct log_reading *out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    *out = (struct log_reading){0};
    enum status s = db_prepare(n->db, "SELECT size, edge FROM followed", &q, e);
    if (s == ST_OK)
        s = stmt_step(q, &row, e);
    if (s == ST_OK && row) {
        struct slice edge = stmt_blob(q, 1);
        if (edge.n != sizeof out->edge.hash)
            s = err_set(e, ST_CORRUPT, "node.db: what was read of the hub's log is damaged");
        else
            memcpy(out->edge.hash, edge.p, edge.n);
        out->before = out->edge.size = (uint64_t)stmt_int(q, 0);
    }
    stmt_done(q);
    return s;
}

static void mention(struct log_reading *r, const char *subject)
{
    GROW(r->mentions, r->n + 1, r->room);
    r->mentions[r->n++] = (struct log_mention){xstrdup(subject), (int64_t)r->edge.size};
}

static enum status read_entry(struct log_reading *r, const struct js *entry, struct buf *text, struct err *e)
{
    uint8_t leaf[HASH_BYTES];
    const char *subject = js_get_str(entry, "subject");
    if (!subject || js_get_int(entry, "seq", -1) != (int64_t)r->edge.size)
        return err_set(e, ST_CORRUPT, "the hub does not show entry %" PRIu64 " of its log", r->edge.size);
    buf_clear(text);
    enum status s = js_canonical(entry, text, e);
    if (s != ST_OK)
        return s;
    merkle_leaf(buf_slice(text), leaf);
    if (matters(subject))
        mention(r, subject);
    merkle_edge_add(&r->edge, leaf);
    return ST_OK;
}

enum status log_reading_page(struct log_reading *r, const struct js *entries, struct err *e)
{
    struct buf text;
    buf_init(&text, COMMAND_MOST + 4096);
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < js_size(entries); i++)
        s = read_entry(r, js_at(entries, i), &text, e);
    buf_deinit(&text);
    return s;
}

static enum status write_mentions(struct node *n, const struct log_reading *r, struct err *e)
{
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < r->n; i++) {
        struct stmt *q;
        s = db_prepare(n->db, "INSERT INTO log_entry(subject, seq) VALUES(?1, ?2)", &q, e);
        if (s != ST_OK)
            return s;
        stmt_bind_text(q, 1, r->mentions[i].subject);
        stmt_bind_int(q, 2, r->mentions[i].seq);
        s = stmt_run(q, e);
    }
    return s;
}

static enum status write_edge(struct node *n, const struct log_reading *r, struct err *e)
{
    struct stmt *q;
    enum status s =
        db_prepare(n->db, "INSERT OR REPLACE INTO followed(one, size, edge) VALUES(1, ?1, ?2)", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, (int64_t)r->edge.size);
    stmt_bind_blob(q, 2, r->edge.hash, sizeof r->edge.hash);
    return stmt_run(q, e);
}

enum status log_reading_keep(struct node *n, const struct log_reading *r, const struct checkpoint *c,
                             struct err *e)
{
    uint8_t root[HASH_BYTES];
    merkle_edge_root(&r->edge, root);
    if (c->size != r->edge.size || !secret_equal(root, c->root, HASH_BYTES))
        return err_set(e, ST_CORRUPT,
                       "the hub's log of %" PRIu64 " entries does not continue what this node has read of it "
                       "before: compare `accord node status` with a copy of the log, and tell the controller",
                       c->size);
    if (r->edge.size == r->before)
        return ST_OK;
    enum status s = db_begin(n->db, e);
    if (s != ST_OK)
        return s;
    s = write_mentions(n, r, e);
    if (s == ST_OK)
        s = write_edge(n, r, e);
    if (s == ST_OK)
        return db_commit(n->db, e);
    db_rollback(n->db);
    return s;
}

/* --- asking the hub ------------------------------------------------------------------------------------ */

static enum status newest_checkpoint(struct node *n, struct checkpoint *out, struct err *e)
{
    struct buf note;
    buf_init(&note, NOTE_MOST);
    enum status s = hub_get_bytes(n->hub, "/api/v1/log/checkpoint", &note, e);
    if (s == ST_OK)
        s = checkpoint_check(buf_slice(&note), &n->hub_key, out, e);
    buf_deinit(&note);
    return s;
}

static enum status read_page(struct node *n, struct log_reading *r, uint64_t to, struct err *e)
{
    uint64_t from = r->edge.size;
    int most = to - from < PAGE_ENTRIES ? (int)(to - from) : PAGE_ENTRIES;
    char target[96];
    struct js *page = NULL;
    snprintf(target, sizeof target, "/api/v1/log/entries?from=%" PRIu64 "&limit=%d", from, most);
    enum status s = hub_get(n->hub, target, 0, &page, e);
    if (s == ST_OK && js_size(js_get(page, "items")) == 0)
        s = err_set(e, ST_CORRUPT, "the hub does not show entry %" PRIu64 " of its log", from);
    if (s == ST_OK)
        s = log_reading_page(r, js_get(page, "items"), e);
    js_free(page);
    if (s == ST_OK && r->edge.size / TOLD_EVERY != from / TOLD_EVERY) {
        char read[24], of[24];
        snprintf(read, sizeof read, "%" PRIu64, r->edge.size);
        snprintf(of, sizeof of, "%" PRIu64, to);
        log_event(LOG_INFO, "node.log.reading", "entries", read, "of", of, NULL);
    }
    return s;
}

enum status log_follow(struct node *n, struct err *e)
{
    struct checkpoint c;
    struct log_reading r;
    enum status s = log_reading_load(n, &r, e);
    if (s == ST_OK)
        s = newest_checkpoint(n, &c, e);
    if (s == ST_OK && c.size < r.edge.size)
        s = err_set(e, ST_CORRUPT,
                    "the hub's log has %" PRIu64 " entries; this node has read %" PRIu64 " of it before",
                    c.size, r.edge.size);
    while (s == ST_OK && r.edge.size < c.size)
        s = read_page(n, &r, c.size, e);
    if (s == ST_OK)
        s = log_reading_keep(n, &r, &c, e);
    log_reading_deinit(&r);
    return s;
}

/* --- is a dossier whole? ------------------------------------------------------------------------------- */

enum status log_count(struct node *n, const char *subject, int64_t *entries, struct err *e)
{
    struct stmt *q;
    bool row;
    enum status s = db_prepare(n->db, "SELECT count(*) FROM log_entry WHERE subject=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_text(q, 1, subject);
    s = stmt_step(q, &row, e);
    if (s == ST_OK)
        *entries = stmt_int(q, 0);
    stmt_done(q);
    return s;
}

static enum status log_count_all(struct node *n, const struct js *subjects, int64_t *entries, struct err *e)
{
    enum status s = ST_OK;
    *entries = 0;
    for (size_t i = 0; s == ST_OK && i < js_size(subjects); i++) {
        int64_t more = 0;
        s = log_count(n, js_str(js_at(subjects, i)), &more, e);
        *entries += more;
    }
    return s;
}

/* What a run rests on: its agreement, and the analyst with the founding of the register. */
static struct js *subjects_of(const struct js *dossier, const char *agreement)
{
    const struct js *analyst = js_get(dossier, "analyst");
    const char *person = js_get_str(analyst, "person"), *body = js_get_str(analyst, "body");
    char *texts[] = {
        xasprintf("agreement:%s", agreement), xstrdup("register:accord"),
        xasprintf("person:%s", person ? person : ""),
        xasprintf("grant:%s.%s.%s", person ? person : "", role_name(ROLE_ANALYST), body ? body : "")};
    struct js *list = js_array();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        js_push(list, js_string(texts[i]));
        free(texts[i]);
    }
    return list;
}

enum status dossier_whole(struct node *n, const struct js *dossier, struct js *terms, struct err *e)
{
    const char *agreement = js_get_str(terms, "agreement");
    int64_t entries = 0;
    int64_t shown = (int64_t)(js_size(js_get(dossier, "agreement")) +
                              js_size(js_get(js_get(dossier, "analyst"), "entries")));
    struct js *subjects = subjects_of(dossier, agreement);
    enum status s = log_count_all(n, subjects, &entries, e);
    js_put(terms, "subjects", subjects);
    js_put_int(terms, "entries", entries);
    if (s == ST_OK && entries != shown)
        s = err_set(e, ST_DENIED,
                    "the hub shows %" PRId64 " of the log's %" PRId64
                    " entries about agreement %s and the analyst",
                    shown, entries, agreement);
    return s;
}

enum status log_moved(struct node *n, const struct js *terms, bool *moved, struct err *e)
{
    int64_t entries = 0;
    enum status s = log_follow(n, e);
    if (s == ST_OK)
        s = log_count_all(n, js_get(terms, "subjects"), &entries, e);
    *moved = s == ST_OK && entries != js_get_int(terms, "entries", -1);
    return s;
}
