/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/order.h"

#include <stdio.h>

enum {
    BOXED_KEY_BYTES = STREAM_KEY_BYTES + SEAL_OVERHEAD,
    ENTRY_BYTES = SIGN_PUBLIC_BYTES + BOXED_KEY_BYTES
};

static void head_line(const struct mask_place *p, char out[160])
{
    snprintf(out, 160, "accord-order-1 %s %d\n", p->run, p->round);
}

static enum status add_key(const struct site_key *site, const uint8_t key[STREAM_KEY_BYTES], struct buf *out,
                           struct err *e)
{
    uint8_t box[BOX_PUBLIC_BYTES];
    if (!box_public_of(site->bytes, box))
        return err_set(e, ST_INVALID, "a site's key is not a usable Ed25519 key");
    buf_add(out, site->bytes, SIGN_PUBLIC_BYTES);
    seal(box, (struct slice){(const char *)key, STREAM_KEY_BYTES}, out);
    return ST_OK;
}

static void add_text(const uint8_t key[STREAM_KEY_BYTES], const struct js *parameters, struct buf *out)
{
    struct buf text;
    buf_init(&text, ORDER_MOST);
    js_format(parameters, JS_COMPACT, &text);
    while (!text.failed && text.n % ORDER_STEP)
        buf_adds(&text, " ");
    secret_encrypt(key, buf_slice(&text), buf_slice(out), out);
    out->failed = out->failed || text.failed;
    secret_deinit(&text);
}

enum status order_seal(const struct site_key *sites, size_t n_sites, const struct mask_place *place,
                       const struct js *parameters, struct buf *out, struct err *e)
{
    uint8_t key[STREAM_KEY_BYTES], n[2] = {(uint8_t)n_sites, (uint8_t)(n_sites >> 8)};
    char line[160];
    enum status s = ST_OK;
    random_bytes(key, sizeof key);
    head_line(place, line);
    buf_adds(out, line);
    buf_add(out, n, sizeof n);
    for (size_t i = 0; s == ST_OK && i < n_sites; i++)
        s = add_key(&sites[i], key, out, e);
    if (s == ST_OK)
        add_text(key, parameters, out);
    secret_wipe(key, sizeof key);
    return s == ST_OK ? buf_check(out, "a sealed order", e) : s;
}

/* The round's key, from the entry for this site. */
static bool find_key(const struct identity *own, struct slice entries, uint8_t key[STREAM_KEY_BYTES])
{
    struct buf plain;
    bool good = false;
    buf_init(&plain, STREAM_KEY_BYTES);
    for (size_t at = 0; !good && at + ENTRY_BYTES <= entries.n; at += ENTRY_BYTES) {
        const char *entry = entries.p + at;
        good = memcmp(entry, own->sign_public, SIGN_PUBLIC_BYTES) == 0 &&
               seal_open(own, (struct slice){entry + SIGN_PUBLIC_BYTES, BOXED_KEY_BYTES}, &plain) &&
               plain.n == STREAM_KEY_BYTES;
    }
    if (good)
        memcpy(key, plain.p, STREAM_KEY_BYTES);
    secret_deinit(&plain);
    return good;
}

/* Splits an order into what is authenticated, the entries in it, and the encrypted text. */
static bool split(const struct mask_place *place, struct slice sealed, struct slice *head,
                  struct slice *entries, struct slice *text)
{
    char line[160];
    head_line(place, line);
    size_t n_line = strlen(line);
    if (sealed.n < n_line + 2 || memcmp(sealed.p, line, n_line) != 0)
        return false;
    const uint8_t *n = (const uint8_t *)sealed.p + n_line;
    size_t n_entries = ((size_t)n[0] | (size_t)n[1] << 8) * ENTRY_BYTES, n_head = n_line + 2 + n_entries;
    if (sealed.n < n_head)
        return false;
    *head = (struct slice){sealed.p, n_head};
    *entries = (struct slice){sealed.p + n_line + 2, n_entries};
    *text = (struct slice){sealed.p + n_head, sealed.n - n_head};
    return true;
}

bool order_names(const struct mask_place *place, struct slice sealed, const struct site_key *sites,
                 size_t n_sites)
{
    struct slice head, entries, text;
    if (!split(place, sealed, &head, &entries, &text) || entries.n != n_sites * ENTRY_BYTES)
        return false;
    for (size_t i = 0; i < n_sites; i++) {
        bool found = false;
        for (size_t at = 0; !found && at < entries.n; at += ENTRY_BYTES)
            found = memcmp(entries.p + at, sites[i].bytes, SIGN_PUBLIC_BYTES) == 0;
        if (!found)
            return false;
    }
    return true;
}

enum status order_open(const struct identity *own, const struct mask_place *place, struct slice sealed,
                       struct js **out, struct err *e)
{
    uint8_t key[STREAM_KEY_BYTES];
    struct slice head, entries, text;
    struct buf plain;
    *out = NULL;
    buf_init(&plain, ORDER_MOST);
    bool good = split(place, sealed, &head, &entries, &text) && find_key(own, entries, key) &&
                secret_decrypt(key, text, head, &plain) &&
                js_parse(buf_slice(&plain), "order", out, NULL) == ST_OK;
    secret_wipe(key, sizeof key);
    secret_deinit(&plain);
    return good ? ST_OK
                : err_set(e, ST_DENIED,
                          "the order of the round after %d is not one that the lead node sealed to this site",
                          place->round);
}
