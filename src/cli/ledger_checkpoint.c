/* SPDX-License-Identifier: Apache-2.0
 * `accord ledger checkpoint` and `accord ledger witness`: what the hub's operator does for the log's readers.
 */
#include "cli/ledger_checkpoint.h"

#include <stdio.h>

#include "base/file.h"
#include "ledger/ledger.h"

/* Signs the present size when the hub's key is given; else shows the newest note that was signed. */
enum status run_ledger_checkpoint(const struct args *a, struct err *e)
{
    const char *key = args_get(a, "hub-identity");
    struct identity *hub = NULL;
    struct ledger *l = NULL;
    struct buf note;
    buf_init(&note, NOTE_MOST);
    enum status s = key ? identity_load(key, &hub, e) : ST_OK;
    if (s == ST_OK)
        s = ledger_open(args_operand(a, 0), key ? DB_WRITE : DB_READ, hub, NULL, &l, e);
    if (s == ST_OK)
        s = key ? ledger_checkpoint(l, &note, e) : ledger_checkpoint_last(l, &note, e);
    if (s == ST_OK)
        fputs(note.p, stdout);
    ledger_close(l);
    if (hub)
        identity_free(hub);
    buf_deinit(&note);
    return s;
}

static enum status keep_cosignature(struct ledger *l, const char *path, struct err *e)
{
    struct buf note;
    buf_init(&note, NOTE_MOST);
    enum status s = file_read(path, &note, e);
    if (s == ST_OK)
        s = ledger_cosign(l, buf_slice(&note), e);
    buf_deinit(&note);
    return s;
}

static enum status print_witnesses(const struct args *a, struct ledger *l, struct err *e)
{
    static const char *const columns[] = {"witness", NULL};
    struct js *list;
    enum status s = ledger_witnesses(l, &list, e);
    if (s != ST_OK)
        return s;
    struct out *o = out_new(a, columns);
    for (size_t i = 0; i < js_size(list); i++)
        out_row(o, js_str(js_at(list, i)));
    js_free(list);
    return out_end(o, e);
}

enum status run_ledger_witness(const struct args *a, struct err *e)
{
    const char *add = args_get(a, "add"), *keep = args_get(a, "keep");
    struct note_key witness;
    struct ledger *l = NULL;
    enum status s = ledger_open(args_operand(a, 0), add || keep ? DB_WRITE : DB_READ, NULL, NULL, &l, e);
    if (s == ST_OK && add) {
        s = note_vkey_parse(slice_of(add), &witness, e);
        if (s == ST_OK)
            s = ledger_witness_add(l, &witness, e);
    }
    if (s == ST_OK && keep)
        s = keep_cosignature(l, keep, e);
    if (s == ST_OK)
        s = print_witnesses(a, l, e);
    ledger_close(l);
    return s;
}

/* The key that a witness publishes, made from its key file. */
enum status run_ledger_vkey(const struct args *a, struct err *e)
{
    struct identity *id;
    const char *name, *path;
    struct note_key key = {.type = NOTE_COSIGNATURE};
    struct buf text;
    enum status s = args_need(a, "name", &name, e);
    if (s == ST_OK)
        s = args_need(a, "identity", &path, e);
    if (s == ST_OK && !note_name_valid(name))
        s = err_set(e, ST_USAGE, "--name: 1 to %d printable characters without spaces or '+'",
                    NOTE_NAME_MOST);
    if (s == ST_OK)
        s = identity_load(path, &id, e);
    if (s != ST_OK)
        return s;
    memcpy(key.name, name, strlen(name) + 1);
    memcpy(key.public_key, id->sign_public, SIGN_PUBLIC_BYTES);
    buf_init(&text, 512);
    note_vkey_format(&key, &text);
    puts(text.p);
    buf_deinit(&text);
    identity_free(id);
    return ST_OK;
}
