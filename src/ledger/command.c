/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/command.h"

#include <stdio.h>

static const char *const signed_members[] = {"v", "actor", "verb", "subject", "body", "nonce"};
enum { SIGNED_MEMBERS = sizeof signed_members / sizeof *signed_members };

struct js *command_new(const char *verb, const char *subject, struct js *body, const char *nonce)
{
    struct js *c = js_object();
    char made[33];
    if (!nonce) {
        uint8_t random[16];
        random_bytes(random, sizeof random);
        hex_encode(random, sizeof random, made);
    }
    js_put_int(c, "v", 1);
    js_put_str(c, "verb", verb);
    js_put_str(c, "subject", subject);
    js_put(c, "body", body);
    js_put_str(c, "nonce", nonce ? nonce : made);
    return c;
}

void command_personal_hash(const uint8_t salt[COMMAND_SALT_BYTES], const char *text,
                           char hex[2 * HASH_BYTES + 1])
{
    uint8_t h[HASH_BYTES];
    hmac_sha256((struct slice){(const char *)salt, COMMAND_SALT_BYTES}, slice_of(text), h);
    hex_encode(h, sizeof h, hex);
}

void command_put_personal(struct js *command, const char *key, const char *text)
{
    uint8_t salt[COMMAND_SALT_BYTES];
    char hash[2 * HASH_BYTES + 1], salt_hex[2 * COMMAND_SALT_BYTES + 1];
    random_bytes(salt, sizeof salt);
    hex_encode(salt, sizeof salt, salt_hex);
    command_personal_hash(salt, text, hash);
    struct js *hidden = js_object(), *beside = js_object();
    js_put_str(hidden, "hashed", hash);
    js_put(js_edit(command, "body"), key, hidden);
    js_put_str(beside, "salt", salt_hex);
    js_put_str(beside, "text", text);
    if (!js_get(command, "personal"))
        js_put(command, "personal", js_object());
    js_put(js_edit(command, "personal"), hash, beside);
}

static enum status signed_text(const struct js *command, struct buf *out, struct err *e)
{
    buf_init(out, COMMAND_MOST);
    for (int i = 0; i < SIGNED_MEMBERS; i++)
        if (!js_get(command, signed_members[i]))
            return err_set(e, ST_INVALID, "$.%s: is missing", signed_members[i]);
    struct js *plain = js_object();
    for (int i = 0; i < SIGNED_MEMBERS; i++)
        js_put(plain, signed_members[i], js_share(js_get(command, signed_members[i])));
    enum status s = js_canonical(plain, out, e);
    js_free(plain);
    return s == ST_NO_MEMORY ? err_set(e, ST_INVALID, "the command is larger than %d bytes", COMMAND_MOST)
                             : s;
}

enum status command_sign(struct js *command, const struct identity *actor, struct err *e)
{
    char key[2 * SIGN_PUBLIC_BYTES + 1], hex[2 * SIGNATURE_BYTES + 1];
    uint8_t signature[SIGNATURE_BYTES];
    struct buf text;
    hex_encode(actor->sign_public, SIGN_PUBLIC_BYTES, key);
    js_put_str(command, "actor", key);
    enum status s = signed_text(command, &text, e);
    if (s == ST_OK) {
        sign_detached(actor, buf_slice(&text), signature);
        hex_encode(signature, sizeof signature, hex);
        js_put_str(command, "signature", hex);
    }
    buf_deinit(&text);
    return s;
}

enum status command_make(const struct identity *actor, const char *verb, const char *subject, struct js *body,
                         struct js **out, struct err *e)
{
    struct js *c = command_new(verb, subject, body, NULL);
    enum status s = command_sign(c, actor, e);
    if (s == ST_OK) {
        *out = c;
        return ST_OK;
    }
    js_free(c);
    *out = NULL;
    return s;
}

enum status command_check_signature(const struct js *command, struct err *e)
{
    uint8_t key[SIGN_PUBLIC_BYTES], signature[SIGNATURE_BYTES];
    const char *actor = js_get_str(command, "actor"), *hex = js_get_str(command, "signature");
    struct buf text;
    if (!actor || !hex_decode(slice_of(actor), key, sizeof key))
        return err_set(e, ST_INVALID, "$.actor: expected an Ed25519 public key of 64 lower-case hex digits");
    if (!hex || !hex_decode(slice_of(hex), signature, sizeof signature))
        return err_set(e, ST_INVALID, "$.signature: expected 128 lower-case hex digits");
    enum status s = signed_text(command, &text, e);
    if (s == ST_OK && !sign_verify(key, buf_slice(&text), signature))
        s = err_set(e, ST_UNAUTHENTICATED, "the signature is not that of $.actor over this command");
    buf_deinit(&text);
    return s;
}

static bool only_of(const char *s, const char *alphabet, size_t least, size_t most)
{
    size_t n = strlen(s);
    return n >= least && n <= most && strspn(s, alphabet) == n;
}

static enum status check_members(const struct js *c, struct err *e)
{
    static const char *const allowed[] = {"v",     "actor",     "verb",     "subject", "body",
                                          "nonce", "signature", "personal", NULL};
    const char *verb, *subject, *nonce;
    const struct js *body;
    int64_t v;
    if (!js_is(c, JS_OBJECT))
        return err_set(e, ST_INVALID, "$: expected a command, a JSON object");
    enum status s = js_only(c, allowed, "$", e);
    if (s == ST_OK)
        s = js_need_int(c, "v", "$", 1, 1, &v, e);
    if (s == ST_OK)
        s = js_need_str(c, "verb", "$", &verb, e);
    if (s == ST_OK)
        s = js_need_str(c, "subject", "$", &subject, e);
    if (s == ST_OK)
        s = js_need_str(c, "nonce", "$", &nonce, e);
    if (s == ST_OK)
        s = js_need(c, "body", JS_OBJECT, "$", &body, e);
    if (s != ST_OK)
        return s;
    if (!only_of(verb, "abcdefghijklmnopqrstuvwxyz_.", 1, COMMAND_VERB_MOST))
        return err_set(e, ST_INVALID, "$.verb: expected up to %d of a-z, '_' and '.'", COMMAND_VERB_MOST);
    if (strlen(subject) == 0 || strlen(subject) > COMMAND_SUBJECT_MOST)
        return err_set(e, ST_INVALID, "$.subject: expected 1 to %d bytes", COMMAND_SUBJECT_MOST);
    if (!only_of(nonce, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_", 16,
                 COMMAND_NONCE_MOST))
        return err_set(e, ST_INVALID, "$.nonce: expected 16 to %d letters, digits, '-' or '_'",
                       COMMAND_NONCE_MOST);
    return ST_OK;
}

/* Whether a hash is named by some {"hashed": hash} member of the body itself. */
static bool body_names(const struct js *body, const char *hash)
{
    for (void *it = js_first(body); it; it = js_next(body, it)) {
        const char *hashed = js_get_str(js_value(it), "hashed");
        if (hashed && strcmp(hashed, hash) == 0)
            return true;
    }
    return false;
}

static enum status check_personal(const struct js *c, struct err *e)
{
    const struct js *personal = js_get(c, "personal");
    if (!personal)
        return ST_OK;
    if (!js_is(personal, JS_OBJECT))
        return err_set(e, ST_INVALID, "$.personal: expected an object of hash to salt and text");
    for (void *it = js_first(personal); it; it = js_next(personal, it)) {
        const char *salt_hex = js_get_str(js_value(it), "salt"), *text = js_get_str(js_value(it), "text");
        uint8_t salt[COMMAND_SALT_BYTES];
        char hash[2 * HASH_BYTES + 1];
        if (!salt_hex || !text || js_size(js_value(it)) != 2 || strlen(text) > COMMAND_PERSONAL_MOST ||
            !hex_decode(slice_of(salt_hex), salt, sizeof salt))
            return err_set(e, ST_INVALID,
                           "$.personal: expected members {\"salt\": 64 hex digits, \"text\": up to %d bytes}",
                           COMMAND_PERSONAL_MOST);
        command_personal_hash(salt, text, hash);
        if (strcmp(hash, js_key(it)) != 0 || !body_names(js_get(c, "body"), hash))
            return err_set(e, ST_INVALID, "$.personal: a text does not hash to a member of the body");
        if (!text_is_plain(text))
            return err_set(
                e, ST_INVALID,
                "$.personal: expected text without control characters and marks that turn its direction");
    }
    return ST_OK;
}

enum status command_check(const struct js *command, struct err *e)
{
    enum status s = check_members(command, e);
    if (s == ST_OK)
        s = command_check_signature(command, e);
    if (s == ST_OK)
        s = check_personal(command, e);
    return s;
}
