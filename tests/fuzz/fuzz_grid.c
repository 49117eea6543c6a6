/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes to a node from elsewhere. The first byte chooses: a sealed order as it is, the bytes sealed
 * rightly and opened, the same with one byte changed (never taken), a sealed part whose inside is the bytes
 * (never taken: the signature would need the site's key), a page of the hub's log.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grid/node_state.h"
#include "grid/order.h"

static struct identity *own;
static const struct mask_place place = {.run = "r1", .round = 1, .attempt = 1};

static struct site_key own_key(void)
{
    struct site_key key;
    memcpy(key.bytes, own->sign_public, sizeof key.bytes);
    return key;
}

static void open_order(struct slice sealed, bool may_pass)
{
    struct js *parameters;
    enum status s = order_open(own, &place, sealed, &parameters, NULL);
    if ((s == ST_OK) != (parameters != NULL) || (s != ST_OK && s != ST_DENIED) || (s == ST_OK && !may_pass))
        abort();
    js_free(parameters);
}

static void seal_and_open(struct slice text, size_t flip)
{
    struct site_key key = own_key();
    struct js *parameters = NULL;
    struct buf sealed;
    buf_init(&sealed, ORDER_MOST);
    if (js_parse(text, "parameters", &parameters, NULL) == ST_OK &&
        order_seal(&key, 1, &place, parameters, &sealed, NULL) == ST_OK) {
        if (flip)
            sealed.p[flip % sealed.n] ^= (char)(1 + flip % 255);
        open_order(buf_slice(&sealed), !flip);
    }
    js_free(parameters);
    buf_deinit(&sealed);
}

static void open_part(struct slice inside)
{
    struct site_key key = own_key();
    struct sums v;
    uint8_t box[BOX_PUBLIC_BYTES];
    struct buf sealed;
    buf_init(&sealed, 1 << 20);
    if (!box_public_of(key.bytes, box))
        abort();
    seal(box, inside, &sealed);
    if (part_open(own, &key, &place, buf_slice(&sealed), inside.n / SUM_BYTES, &v, NULL) == ST_OK)
        abort();
    sums_deinit(&v);
    buf_deinit(&sealed);
}

static void read_log(struct slice text)
{
    struct log_reading r = {0};
    struct js *page = NULL;
    if (js_parse(text, "page", &page, NULL) == ST_OK) {
        enum status s = log_reading_page(&r, page, NULL);
        if (s == ST_OK && r.edge.size != js_size(page))
            abort();
    }
    js_free(page);
    log_reading_deinit(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seed[SEED_BYTES] = {1};
    if (!own) {
        crypto_init();
        own = identity_from_seed(seed);
    }
    if (size < 2)
        return 0;
    struct slice rest = {(const char *)data + 2, size - 2};
    switch (data[0] % 5) {
    case 0:
        open_order(rest, false);
        break;
    case 1:
        seal_and_open(rest, 0);
        break;
    case 2:
        seal_and_open(rest, 1 + 31 * (size_t)data[1]);
        break;
    case 3:
        open_part(rest);
        break;
    default:
        read_log(rest);
    }
    return 0;
}
