/* SPDX-License-Identifier: Apache-2.0
 * `accord ledger`: copying, checking and proving the log. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/http_client.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "cli/connect.h"
#include "cli/ledger_checkpoint.h"
#include "ledger/copy.h"
#include "ledger/proof.h"

enum { PAGE_ENTRIES = 1000 }; /* as many as the hub gives at once */

typedef enum status (*entry_visit)(void *context, const struct js *entry, struct err *e);

/* What the hub says of itself: its key, checkpoint, witnesses and number of entries. */
static enum status hub_of(struct http_client *client, const char *url, struct js **out, struct err *e)
{
    enum status s = connect_get_over(client, "/api/v1/hub", out, e);
    if (s == ST_NOT_FOUND || s == ST_INVALID || (s == ST_OK && !js_get(*out, "checkpoint")))
        return err_set(e, ST_NETWORK, "%.100s answers, but not as a hub does: is it the address of one?",
                       url);
    return s;
}

/* Entries [from, to) of a hub's log, in order. */
static enum status each_entry_at_hub(struct http_client *client, int64_t from, int64_t to,
                                     const char *subject, entry_visit visit, void *context, struct err *e)
{
    enum status s = ST_OK;
    struct progress progress;
    progress_start(&progress, "reading the log", "entries", (uint64_t)(to > from ? to - from : 0));
    for (int64_t at = from; s == ST_OK && at < to;) {
        int64_t n = to - at < PAGE_ENTRIES ? to - at : PAGE_ENTRIES;
        char *target =
            xasprintf("/api/v1/log/entries?from=%" PRId64 "&limit=%" PRId64 "%s%s", at,
                      subject ? PAGE_ENTRIES : n, subject ? "&subject=" : "", subject ? subject : "");
        struct js *page = NULL;
        s = connect_get_over(client, target, &page, e);
        free(target);
        const struct js *items = js_get(page, "items");
        size_t got = js_size(items);
        if (s != ST_OK)
            (void)err_wrap(e, "entries from %" PRId64, at);
        else if (!subject && got != (size_t)n)
            s = err_set(e, ST_CORRUPT, "the hub gave %zu entries from %" PRId64 " on instead of %" PRId64,
                        got, at, n);
        for (size_t i = 0; s == ST_OK && i < got; i++)
            s = visit(context, js_at(items, i), e);
        int64_t next = subject ? js_get_int(page, "next_from", to) : at + n;
        if (s == ST_OK && next <= at)
            s = err_set(e, ST_CORRUPT, "the hub's page from %" PRId64 " leads back to %" PRId64, at, next);
        at = next;
        progress_add(&progress, got);
        js_free(page);
    }
    progress_end(&progress);
    return s;
}

static enum status copy_entry(void *context, const struct js *entry, struct err *e)
{
    struct buf text;
    buf_init(&text, COMMAND_MOST + 4096);
    enum status s = js_canonical(entry, &text, e);
    if (s == ST_OK)
        s = copy_write_entry(buf_slice(&text), context, e);
    buf_deinit(&text);
    return s;
}

static enum status copy_from_hub(const struct args *a, const char *url, FILE *to, struct err *e)
{
    struct http_client *client;
    struct js *hub = NULL;
    const char *checkpoint, *key;
    const struct js *witnesses;
    int64_t entries;
    enum status s = connect_open(a, url, &client, e);
    if (s != ST_OK)
        return s;
    s = hub_of(client, url, &hub, e);
    if (s == ST_OK)
        s = js_need_str(hub, "checkpoint", "hub", &checkpoint, e);
    if (s == ST_OK)
        s = js_need_str(hub, "key", "hub", &key, e);
    if (s == ST_OK)
        s = js_need(hub, "witnesses", JS_ARRAY, "hub", &witnesses, e);
    if (s == ST_OK)
        s = js_need_int(hub, "entries", "hub", 0, INT64_MAX, &entries, e);
    if (s == ST_OK)
        s = copy_write_header(checkpoint, key, entries, witnesses, to, e);
    if (s == ST_OK)
        s = each_entry_at_hub(client, 0, entries, NULL, copy_entry, to, e);
    js_free(hub);
    http_client_close(client);
    return s;
}

static enum status copy_from_file(const char *path, FILE *to, struct err *e)
{
    struct ledger *l = NULL;
    enum status s = ledger_open(path, DB_READ, NULL, NULL, &l, e);
    if (s == ST_OK)
        s = ledger_copy(l, to, e);
    ledger_close(l);
    return s;
}

static enum status run_copy(const struct args *a, struct err *e)
{
    const char *at = args_operand(a, 0);
    struct file_new *f = NULL;
    enum status s = file_new_open(args_operand(a, 1), 0644, &f, e);
    if (s != ST_OK)
        return s;
    s = connect_is_url(at) ? copy_from_hub(a, at, file_new_stream(f), e)
                           : copy_from_file(at, file_new_stream(f), e);
    if (s == ST_OK)
        return file_new_commit(f, e);
    file_new_abandon(f);
    return s;
}

/* --key VKEY, or NULL where it was not given. */
static enum status pinned_key(const struct args *a, struct note_key *key, const struct note_key **out,
                              struct err *e)
{
    const char *text = args_get(a, "key");
    *out = NULL;
    if (!text)
        return ST_OK;
    enum status s = note_vkey_parse(slice_of(text), key, e);
    if (s != ST_OK) {
        err_wrap(e, "--key");
        return s;
    }
    *out = key;
    return ST_OK;
}

static enum status print_verified(const struct args *a, const struct ledger_verified *v, struct err *e)
{
    static const char *const columns[] = {"log", "#entries", "from", "to", "root", "key", "#witnesses", NULL};
    char entries[24], root[2 * HASH_BYTES + 1], witnesses[12];
    struct buf vkey;
    buf_init(&vkey, 512);
    note_vkey_format(&v->key, &vkey);
    hex_encode(v->checkpoint.root, HASH_BYTES, root);
    snprintf(entries, sizeof entries, "%" PRIu64, v->checkpoint.size);
    snprintf(witnesses, sizeof witnesses, "%u", v->witnesses);
    struct out *o = out_new(a, columns);
    out_row(o, v->checkpoint.origin, entries, v->first_time, v->last_time, root, vkey.p, witnesses);
    buf_deinit(&vkey);
    return out_end(o, e);
}

/* A copied log to read: the file, or what a hub gives, in a file that goes with its closing. */
static enum status open_copy(const struct args *a, FILE **out, struct err *e)
{
    const char *at = args_operand(a, 0);
    bool hub = connect_is_url(at);
    *out = hub ? tmpfile() : fopen(at, "r");
    if (!*out)
        return err_errno(e, errno, "cannot open", hub ? "a temporary file" : at);
    enum status s = hub ? copy_from_hub(a, at, *out, e) : ST_OK;
    if (s == ST_OK && hub && fflush(*out) != 0)
        s = err_errno(e, errno, "cannot write", "a temporary file");
    if (s == ST_OK) {
        rewind(*out);
        return ST_OK;
    }
    fclose(*out);
    return s;
}

static enum status run_verify(const struct args *a, struct err *e)
{
    struct note_key key;
    const struct note_key *pinned;
    struct ledger_verified v;
    enum status s = pinned_key(a, &key, &pinned, e);
    if (s != ST_OK)
        return s;
    FILE *from;
    s = open_copy(a, &from, e);
    if (s != ST_OK)
        return s;
    struct pool *pool = pool_new(0);
    s = ledger_verify(from, pinned, pool, &v, e);
    pool_free(pool);
    fclose(from);
    if (s != ST_OK)
        return s;
    if (!pinned && !args_has(a, "quiet"))
        fprintf(
            stderr,
            "accord: every signature, hash and the checkpoint are right; compare the key with the one that "
            "the hub publishes, or give it with --key\n");
    return print_verified(a, &v, e);
}

/* "17", or "agreement:a1": the entry that changed it last, as its page shows it. */
static enum status entry_to_prove(const struct args *a, const char *at, int64_t *seq, struct err *e)
{
    const char *text = args_operand(a, 1), *colon = strchr(text, ':');
    struct registry *r = NULL;
    struct js *item = NULL;
    if (parse_i64(slice_of(text), seq))
        return ST_OK;
    if (!colon)
        return err_set(e, ST_USAGE, "ENTRY must be the number of an entry, from 0, or NOUN:ID");
    char *noun = xasprintf("%.*s", (int)(colon - text), text);
    char *target = xasprintf("/api/v1/register/%s/%s", noun, colon + 1);
    enum status s;
    if (connect_is_url(at)) {
        s = connect_get(a, at, target, &item, e);
    } else {
        s = registry_open(at, DB_READ, NULL, NULL, &r, e);
        if (s == ST_OK)
            s = registry_item(r, noun, colon + 1, &item, e);
        registry_close(r);
    }
    *seq = js_get_int(item, "changed", -1);
    js_free(item);
    free(noun);
    free(target);
    return s;
}

static enum status run_prove(const struct args *a, struct err *e)
{
    struct ledger *l = NULL;
    struct js *proof = NULL;
    int64_t seq = -1;
    const char *at = args_operand(a, 0);
    enum status s = entry_to_prove(a, at, &seq, e);
    if (s == ST_OK && connect_is_url(at)) {
        char target[64];
        snprintf(target, sizeof target, "/api/v1/log/entries/%" PRId64 "/proof", seq);
        s = connect_get(a, at, target, &proof, e);
    } else if (s == ST_OK) {
        s = ledger_open(at, DB_READ, NULL, NULL, &l, e);
        if (s == ST_OK)
            s = proof_make(l, seq, &proof, e);
    }
    if (s == ST_OK)
        s = out_json(proof, e);
    js_free(proof);
    ledger_close(l);
    return s;
}

static enum status run_check(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"#entry", "time", "verb", "subject", "log", "#of", NULL};
    struct note_key key;
    const struct note_key *pinned;
    struct js *proof = NULL;
    struct ledger_entry entry = {0};
    struct checkpoint c;
    enum status s = pinned_key(a, &key, &pinned, e);
    if (s == ST_OK)
        s = js_load(args_operand(a, 0), &proof, e);
    if (s == ST_OK)
        s = proof_check(proof, pinned, &entry, &c, e);
    if (s == ST_OK) {
        char seq[24], size[24];
        snprintf(seq, sizeof seq, "%" PRId64, entry.seq);
        snprintf(size, sizeof size, "%" PRIu64, c.size);
        struct out *o = out_new(a, columns);
        out_row(o, seq, entry.time, entry.verb, entry.subject, c.origin, size);
        s = out_end(o, e);
    }
    ledger_entry_deinit(&entry);
    js_free(proof);
    return s;
}

static void print_row(struct out *o, int64_t number, const char *time, const char *verb, const char *subject,
                      const char *actor)
{
    char seq[24], short_key[13];
    snprintf(seq, sizeof seq, "%" PRId64, number);
    snprintf(short_key, sizeof short_key, "%.12s", actor ? actor : "");
    out_row(o, seq, time, verb, subject, short_key);
}

static enum status print_entry(void *context, struct db *d, const struct ledger_entry *entry, struct err *e)
{
    (void)d, (void)e;
    print_row(context, entry->seq, entry->time, entry->verb, entry->subject, entry->actor);
    return ST_OK;
}

static enum status print_hub_entry(void *context, const struct js *entry, struct err *e)
{
    (void)e;
    print_row(context, js_get_int(entry, "seq", -1), js_get_str(entry, "time"), js_get_str(entry, "verb"),
              js_get_str(entry, "subject"), js_get_str(entry, "actor"));
    return ST_OK;
}

static int64_t tail_start(int64_t size, int64_t count, const char *subject)
{
    return size > count && !subject ? size - count : 0;
}

static enum status tail_of_hub(const struct args *a, const char *url, int64_t count, struct out *o,
                               struct err *e)
{
    struct http_client *client;
    struct js *hub = NULL;
    const char *subject = args_get(a, "subject");
    enum status s = connect_open(a, url, &client, e);
    if (s != ST_OK)
        return s;
    s = hub_of(client, url, &hub, e);
    int64_t size = js_get_int(hub, "entries", 0);
    if (s == ST_OK)
        s = each_entry_at_hub(client, tail_start(size, count, subject), size, subject, print_hub_entry, o, e);
    js_free(hub);
    http_client_close(client);
    return s;
}

static enum status tail_of_file(const struct args *a, const char *path, int64_t count, struct out *o,
                                struct err *e)
{
    struct ledger *l = NULL;
    int64_t size = 0;
    const char *subject = args_get(a, "subject");
    enum status s = ledger_open(path, DB_READ, NULL, NULL, &l, e);
    if (s == ST_OK)
        s = ledger_size(l, &size, e);
    if (s == ST_OK)
        s = ledger_walk(l, tail_start(size, count, subject), size, subject, print_entry, o, e);
    ledger_close(l);
    return s;
}

static enum status run_tail(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"#seq", "time", "verb", "subject", "actor", NULL};
    const char *at = args_operand(a, 0);
    int64_t count;
    enum status s = args_int(a, "count", 1, 1000000, 20, &count, e);
    if (s != ST_OK)
        return s;
    struct out *o = out_new(a, columns);
    s = connect_is_url(at) ? tail_of_hub(a, at, count, o, e) : tail_of_file(a, at, count, o, e);
    enum status printed = out_end(o, s == ST_OK ? e : NULL);
    return s == ST_OK ? printed : s;
}

/* A witness signs a checkpoint that it got and trusts: the newest of a copy that it has verified. */
static enum status run_cosign(const struct args *a, struct err *e)
{
    struct identity *id = NULL;
    struct ledger_verified v;
    const char *name, *key;
    struct buf note;
    buf_init(&note, NOTE_MOST);
    FILE *from = NULL;
    enum status s = args_need(a, "name", &name, e);
    if (s == ST_OK)
        s = args_need(a, "identity", &key, e);
    if (s == ST_OK && !note_name_valid(name))
        s = err_set(e, ST_USAGE, "--name: 1 to %d printable characters without spaces or '+'",
                    NOTE_NAME_MOST);
    if (s == ST_OK)
        s = identity_load(key, &id, e);
    if (s == ST_OK && !(from = fopen(args_operand(a, 0), "r")))
        s = err_errno(e, errno, "cannot open", args_operand(a, 0));
    if (s == ST_OK)
        s = ledger_verify(from, NULL, NULL, &v, e);
    if (s == ST_OK)
        s = copy_cosign(from, name, id, &note, e);
    if (s == ST_OK)
        fputs(note.p, stdout);
    if (from)
        fclose(from);
    identity_free(id);
    buf_deinit(&note);
    return s;
}

static const struct option_spec place_options[] = {
    {"ca", "FILE", "trust only this authority's certificates"},
    {0},
};
static const struct option_spec verify_options[] = {
    {"key", "VKEY", "the hub's key as you know it; a log signed by another one is refused"},
    {"ca", "FILE", "trust only this authority's certificates"},
    {0},
};
static const struct option_spec check_options[] = {
    {"key", "VKEY", "the hub's key as you know it; a proof signed by another one is refused"},
    {0},
};
static const struct option_spec tail_options[] = {
    {"count", "N", "how many entries, the newest last (default: 20)"},
    {"subject", "SUBJECT", "only what is about this, such as 'agreement:a1'"},
    {"ca", "FILE", "trust only this authority's certificates"},
    {0},
};
static const struct option_spec cosign_options[] = {
    {"name", "NAME", "the witness's name, such as 'witness.example/w1'"},
    {"identity", "KEYFILE", "the witness's key"},
    {0},
};

static const struct option_spec checkpoint_options[] = {
    {"hub-identity", "KEYFILE", "the hub's key: sign the log as it is now"},
    {0},
};
static const struct option_spec witness_options[] = {
    {"add", "VKEY", "let this witness's cosignatures count ('accord ledger vkey' prints it)"},
    {"keep", "NOTE", "keep the cosignatures of a note that 'accord ledger cosign' printed"},
    {0},
};

const struct command ledger_commands[] = {
    {"copy", "DB|URL FILE", "copy the log into a file that anyone can verify",
     "Writes every entry up to the newest signed checkpoint, one canonical JSON object a line, without any "
     "personal "
     "text, from the register's file or a hub's address. The form is described in docs/formats/ledger.md.",
     place_options, 2, 2, run_copy},
    {"verify", "FILE|URL", "check a whole log: every signature, hash, the tree and the checkpoint",
     "Of a copy, offline, or of a hub's address: then the whole public log is fetched first. "
     "Fails with the number of the first entry that is wrong if a single byte was changed.",
     verify_options, 1, 1, run_verify},
    {"prove", "DB|URL ENTRY|NOUN:ID", "print a proof that an entry, or what a page shows, is in the log",
     "The proof is one JSON document with the entry, the hashes of its path in the Merkle tree, and the "
     "checkpoint that "
     "they lead to. 'accord ledger check' checks it anywhere.",
     place_options, 2, 2, run_prove},
    {"check", "PROOF", "check a proof of an entry, offline", NULL, check_options, 1, 1, run_check},
    {"tail", "DB|URL", "list the newest entries", NULL, tail_options, 1, 1, run_tail},
    {"cosign", "FILE", "verify a copied log as a witness and print its checkpoint with your cosignature",
     "The hub's operator keeps the line with 'accord ledger witness'. A hub that shows different histories "
     "to different "
     "people cannot get both cosigned.",
     cosign_options, 1, 1, run_cosign},
    {"vkey", "", "print a witness's key in the form that others check it by", NULL, cosign_options, 0, 0,
     run_ledger_vkey},
    {"witness", "DB", "list the witnesses; add one, or keep a cosignature", NULL, witness_options, 1, 1,
     run_ledger_witness},
    {"checkpoint", "DB", "print the signed checkpoint", NULL, checkpoint_options, 1, 1,
     run_ledger_checkpoint},
    {0},
};
