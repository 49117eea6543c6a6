/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/proof.h"

#include <inttypes.h>

struct js *proof_path_format(const struct merkle_proof *p)
{
    struct js *path = js_array();
    for (unsigned i = 0; i < p->n; i++) {
        struct buf text;
        buf_init(&text, 64);
        base64_encode(p->hash[i], HASH_BYTES, &text);
        js_push(path, js_string(text.p));
        buf_deinit(&text);
    }
    return path;
}

enum status proof_path_parse(const struct js *path, struct merkle_proof *out, struct err *e)
{
    out->n = 0;
    if (!js_is(path, JS_ARRAY) || js_size(path) > MERKLE_PROOF_MOST)
        return err_set(e, ST_INVALID, "$.path: expected an array of at most %d hashes", MERKLE_PROOF_MOST);
    for (size_t i = 0; i < js_size(path); i++) {
        const char *text = js_str(js_at(path, i));
        if (!text || base64_decode(slice_of(text), out->hash[i], HASH_BYTES) != HASH_BYTES)
            return err_set(e, ST_INVALID, "$.path[%zu]: expected the base64 of 32 bytes", i);
        out->n++;
    }
    return ST_OK;
}

enum status proof_make(struct ledger *l, int64_t seq, struct js **out, struct err *e)
{
    struct ledger_entry entry = {0};
    struct merkle_proof path;
    struct checkpoint c;
    struct buf note, vkey;
    buf_init(&note, NOTE_MOST);
    buf_init(&vkey, 512);
    *out = NULL;
    enum status s = ledger_get(l, seq, &entry, e);
    if (s == ST_OK)
        s = ledger_hub(l) ? ledger_checkpoint(l, &note, e) : ledger_checkpoint_last(l, &note, e);
    if (s == ST_OK)
        s = checkpoint_check(buf_slice(&note), ledger_key(l), &c, e);
    if (s == ST_OK && (uint64_t)seq >= c.size)
        s = err_set(e, ST_NOT_FOUND,
                    "entry %" PRId64 " is newer than the last checkpoint; ask again after the next", seq);
    if (s == ST_OK)
        s = ledger_inclusion(l, seq, (int64_t)c.size, &path, e);
    if (s == ST_OK) {
        note_vkey_format(ledger_key(l), &vkey);
        *out = js_object();
        js_put_int(*out, "accord_proof", 1);
        js_put(*out, "entry", js_share(entry.json));
        js_put(*out, "path", proof_path_format(&path));
        js_put_str(*out, "checkpoint", note.p);
        js_put_str(*out, "key", vkey.p);
    }
    ledger_entry_deinit(&entry);
    buf_deinit(&note);
    buf_deinit(&vkey);
    return s;
}

static enum status check_root(const struct js *proof, const struct ledger_entry *entry,
                              const struct checkpoint *c, struct err *e)
{
    struct merkle_proof path;
    uint8_t leaf[HASH_BYTES];
    enum status s = proof_path_parse(js_get(proof, "path"), &path, e);
    if (s != ST_OK)
        return s;
    merkle_leaf(buf_slice(&entry->text), leaf);
    if (!merkle_check_inclusion(&path, (uint64_t)entry->seq, c->size, leaf, c->root))
        return err_set(e, ST_CORRUPT, "the path does not lead from the entry to the checkpoint's root");
    return ST_OK;
}

static enum status check_key(const struct js *proof, const struct note_key *pinned, struct note_key *out,
                             struct err *e)
{
    const char *vkey = js_get_str(proof, "key");
    enum status s = note_vkey_parse(slice_of(vkey), out, e);
    if (s != ST_OK) {
        err_wrap(e, "$.key");
        return s;
    }
    if (pinned && memcmp(pinned->public_key, out->public_key, SIGN_PUBLIC_BYTES) != 0)
        return err_set(e, ST_CORRUPT, "the checkpoint is signed by another key than the one given");
    return ST_OK;
}

enum status proof_check(const struct js *proof, const struct note_key *pinned, struct ledger_entry *entry,
                        struct checkpoint *checkpoint, struct err *e)
{
    struct note_key key;
    struct buf text;
    const char *note = js_get_str(proof, "checkpoint");
    *entry = (struct ledger_entry){0};
    if (js_get_int(proof, "accord_proof", 0) != 1 || !js_is(js_get(proof, "entry"), JS_OBJECT) || !note)
        return err_set(e, ST_INVALID,
                       "this is not a proof of version 1 (members accord_proof, entry, path, "
                       "checkpoint, key)");
    buf_init(&text, COMMAND_MOST + 1024);
    enum status s = check_key(proof, pinned, &key, e);
    if (s == ST_OK)
        s = checkpoint_check(slice_of(note), &key, checkpoint, e);
    if (s == ST_OK)
        s = js_canonical(js_get(proof, "entry"), &text, e);
    if (s == ST_OK)
        s = ledger_entry_parse(buf_slice(&text), entry, e);
    if (s == ST_OK)
        s = command_check_signature(entry->json, e);
    if (s == ST_OK)
        s = check_root(proof, entry, checkpoint, e);
    if (s != ST_OK)
        ledger_entry_deinit(entry);
    buf_deinit(&text);
    return s;
}
