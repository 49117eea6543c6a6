/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/note.h"

#include <inttypes.h>
#include <stdio.h>

enum { KEY_ID_BYTES = 4, TIME_BYTES = 8, SIGNED_MOST = KEY_ID_BYTES + TIME_BYTES + SIGNATURE_BYTES };
static const char dash[] = "\xe2\x80\x94 "; /* U+2014 and a space begin a signature line */

bool note_name_valid(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > NOTE_NAME_MOST)
        return false;
    for (size_t i = 0; i < n; i++)
        if (name[i] <= ' ' || name[i] > '~' || name[i] == '+')
            return false;
    return true;
}

static void key_id(const struct note_key *k, uint8_t out[KEY_ID_BYTES])
{
    uint8_t hash[HASH_BYTES];
    struct sha256 *h = sha256_new();
    sha256_add(h, k->name, strlen(k->name));
    sha256_add(h, "\n", 1);
    sha256_add(h, &k->type, 1);
    sha256_add(h, k->public_key, SIGN_PUBLIC_BYTES);
    sha256_end(h, hash);
    memcpy(out, hash, KEY_ID_BYTES);
}

void note_vkey_format(const struct note_key *k, struct buf *out)
{
    uint8_t id[KEY_ID_BYTES], typed[1 + SIGN_PUBLIC_BYTES];
    char hex[2 * KEY_ID_BYTES + 1];
    key_id(k, id);
    hex_encode(id, KEY_ID_BYTES, hex);
    typed[0] = k->type;
    memcpy(typed + 1, k->public_key, SIGN_PUBLIC_BYTES);
    buf_printf(out, "%s+%s+", k->name, hex);
    base64_encode(typed, sizeof typed, out);
}

/* The bytes up to `end` and what is behind it; false if `end` does not occur. */
static bool cut(struct slice s, char end, struct slice *before, struct slice *after)
{
    const char *at = s.n ? memchr(s.p, end, s.n) : NULL;
    if (!at)
        return false;
    *before = (struct slice){s.p, (size_t)(at - s.p)};
    *after = (struct slice){at + 1, s.n - before->n - 1};
    return true;
}

static bool name_copy(struct slice s, char out[NOTE_NAME_MOST + 1])
{
    if (s.n == 0 || s.n > NOTE_NAME_MOST || memchr(s.p, '\0', s.n))
        return false;
    memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return note_name_valid(out);
}

enum status note_vkey_parse(struct slice text, struct note_key *out, struct err *e)
{
    struct slice name, hex, key;
    uint8_t typed[1 + SIGN_PUBLIC_BYTES], id[KEY_ID_BYTES], given[KEY_ID_BYTES];
    memset(out, 0, sizeof *out);
    bool good = cut(text, '+', &name, &text) && cut(text, '+', &hex, &key) && name_copy(name, out->name) &&
                hex_decode(hex, given, sizeof given) &&
                base64_decode(key, typed, sizeof typed) == (long)sizeof typed &&
                (typed[0] == NOTE_ED25519 || typed[0] == NOTE_COSIGNATURE);
    if (good) {
        out->type = typed[0];
        memcpy(out->public_key, typed + 1, SIGN_PUBLIC_BYTES);
        key_id(out, id);
        good = memcmp(id, given, sizeof id) == 0;
    }
    if (!good)
        return err_set(e, ST_INVALID, "this is not a verifier key (expected name+<8 hex digits>+<base64>)");
    return ST_OK;
}

static void checkpoint_body(const struct checkpoint *c, struct buf *out)
{
    buf_printf(out, "%s\n%" PRIu64 "\n", c->origin, c->size);
    base64_encode(c->root, HASH_BYTES, out);
    buf_addc(out, '\n');
}

void checkpoint_sign(const struct checkpoint *c, const struct identity *hub, struct buf *out)
{
    struct note_key key = {.type = NOTE_ED25519};
    uint8_t bytes[KEY_ID_BYTES + SIGNATURE_BYTES];
    struct buf body;
    memcpy(key.name, c->origin, sizeof key.name);
    memcpy(key.public_key, hub->sign_public, SIGN_PUBLIC_BYTES);
    buf_init(&body, NOTE_MOST);
    checkpoint_body(c, &body);
    key_id(&key, bytes);
    sign_detached(hub, buf_slice(&body), bytes + KEY_ID_BYTES);
    buf_printf(out, "%s\n%s%s ", body.p, dash, c->origin);
    base64_encode(bytes, sizeof bytes, out);
    buf_addc(out, '\n');
    buf_deinit(&body);
}

/* A note is a text that ends in a newline, an empty line, and signature lines. */
static bool note_split(struct slice note, struct slice *body, struct slice *signatures)
{
    const char *blank = note.n ? memmem(note.p, note.n, "\n\n", 2) : NULL;
    if (!blank || note.n > NOTE_MOST || note.p[note.n - 1] != '\n')
        return false;
    body->p = note.p;
    body->n = (size_t)(blank - note.p) + 1;
    signatures->p = blank + 2;
    signatures->n = note.n - body->n - 1;
    return signatures->n > 0;
}

/* The next signature line: its name and what its base64 holds; n_bytes -1 if the line is not one. */
static bool next_signature(struct slice *rest, struct slice *name, uint8_t bytes[SIGNED_MOST], long *n_bytes)
{
    struct slice line, text;
    size_t n_dash = sizeof dash - 1;
    if (!cut(*rest, '\n', &line, rest))
        return false;
    *n_bytes = -1;
    if (line.n > n_dash && memcmp(line.p, dash, n_dash) == 0) {
        line = (struct slice){line.p + n_dash, line.n - n_dash};
        if (cut(line, ' ', name, &text))
            *n_bytes = base64_decode(text, bytes, SIGNED_MOST);
    }
    return true;
}

/* Finds the line of `key`, with its signature's bytes behind the key id. */
static bool find_signature(struct slice signatures, const struct note_key *key, uint8_t bytes[SIGNED_MOST],
                           long *n_bytes)
{
    uint8_t id[KEY_ID_BYTES];
    struct slice name;
    key_id(key, id);
    while (next_signature(&signatures, &name, bytes, n_bytes))
        if (*n_bytes > KEY_ID_BYTES && slice_is(name, key->name) && memcmp(bytes, id, KEY_ID_BYTES) == 0)
            return true;
    return false;
}

static bool size_parse(struct slice s, uint64_t *out)
{
    return parse_u64(s, out) && (s.n == 1 || s.p[0] != '0');
}

enum status checkpoint_check(struct slice note, const struct note_key *key, struct checkpoint *out,
                             struct err *e)
{
    struct slice body, signatures, origin, size, root;
    uint8_t bytes[SIGNED_MOST];
    long n = 0;
    memset(out, 0, sizeof *out);
    if (!note_split(note, &body, &signatures))
        return err_set(e, ST_INVALID, "this is not a signed note (text, empty line, signature lines)");
    struct slice rest = body;
    if (!cut(rest, '\n', &origin, &rest) || !name_copy(origin, out->origin) ||
        !cut(rest, '\n', &size, &rest) || !size_parse(size, &out->size) || !cut(rest, '\n', &root, &rest) ||
        base64_decode(root, out->root, HASH_BYTES) != HASH_BYTES)
        return err_set(e, ST_INVALID, "this is not a checkpoint (lines: origin, size, base64 root hash)");
    if (strcmp(out->origin, key->name) != 0)
        return err_set(e, ST_CORRUPT, "the checkpoint is of the log '%s', expected '%s'", out->origin,
                       key->name);
    if (!find_signature(signatures, key, bytes, &n) || n != KEY_ID_BYTES + SIGNATURE_BYTES ||
        !sign_verify(key->public_key, body, bytes + KEY_ID_BYTES))
        return err_set(e, ST_CORRUPT, "the checkpoint is not signed by the log's key");
    return ST_OK;
}

static void cosign_message(struct slice body, int64_t unix_time, struct buf *out)
{
    buf_init(out, NOTE_MOST + 64);
    buf_printf(out, "cosignature/v1\ntime %" PRId64 "\n", unix_time);
    buf_add(out, body.p, body.n);
}

void checkpoint_cosign(struct slice note, const char *witness_name, const struct identity *witness,
                       int64_t unix_time, struct buf *line)
{
    struct note_key key = {.type = NOTE_COSIGNATURE};
    struct slice body = note, signatures;
    struct buf message;
    uint8_t bytes[SIGNED_MOST];
    if (!note_split(note, &body, &signatures))
        return;
    snprintf(key.name, sizeof key.name, "%s", witness_name);
    memcpy(key.public_key, witness->sign_public, SIGN_PUBLIC_BYTES);
    key_id(&key, bytes);
    for (int i = 0; i < TIME_BYTES; i++)
        bytes[KEY_ID_BYTES + i] = (uint8_t)((uint64_t)unix_time >> (8 * (TIME_BYTES - 1 - i)));
    cosign_message(body, unix_time, &message);
    sign_detached(witness, buf_slice(&message), bytes + KEY_ID_BYTES + TIME_BYTES);
    buf_printf(line, "%s%s ", dash, witness_name);
    base64_encode(bytes, sizeof bytes, line);
    buf_addc(line, '\n');
    buf_deinit(&message);
}

enum status checkpoint_cosigned(struct slice note, const struct note_key *witness, int64_t *unix_time,
                                struct err *e)
{
    struct slice body, signatures;
    uint8_t bytes[SIGNED_MOST];
    long n = 0;
    uint64_t t = 0;
    if (!note_split(note, &body, &signatures) || !find_signature(signatures, witness, bytes, &n))
        return err_set(e, ST_NOT_FOUND, "the checkpoint is not cosigned by %s", witness->name);
    for (int i = 0; i < TIME_BYTES; i++)
        t = t << 8 | bytes[KEY_ID_BYTES + i];
    *unix_time = (int64_t)t;
    struct buf message;
    cosign_message(body, *unix_time, &message);
    bool good = n == SIGNED_MOST &&
                sign_verify(witness->public_key, buf_slice(&message), bytes + KEY_ID_BYTES + TIME_BYTES);
    buf_deinit(&message);
    return good ? ST_OK : err_set(e, ST_CORRUPT, "the cosignature of %s is wrong", witness->name);
}

unsigned checkpoint_signatures(struct slice note)
{
    struct slice body, signatures, name;
    uint8_t bytes[SIGNED_MOST];
    unsigned count = 0;
    long n;
    if (!note_split(note, &body, &signatures))
        return 0;
    while (next_signature(&signatures, &name, bytes, &n))
        count++;
    return count;
}
