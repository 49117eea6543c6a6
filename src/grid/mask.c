/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/mask.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

enum { CHUNK_SUMS = 4096, BLOCK_BYTES = 64 };

static const char context_name[] = "accord-mask-1";
static const char part_name[] = "accord-part-1";

enum status mask_check_bounds(const struct sums *v, const sum_t *bounds, struct err *e)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->v[i] > bounds[i] || v->v[i] < -bounds[i])
            return err_set(e, ST_INTERNAL,
                           "sum %zu of this round exceeds the bound that its analysis declares; nothing was "
                           "sent",
                           i);
    return ST_OK;
}

enum status mask_check_total(const struct sums *total, const sum_t *bounds, size_t n_sites, struct err *e)
{
    for (size_t i = 0; i < total->n; i++) {
        sum_t most = bounds[i] * (sum_t)n_sites;
        if (total->v[i] > most || total->v[i] < -most)
            return err_set(
                e, ST_CORRUPT,
                "the total of %zu sites is beyond what they could have sent: the masks did not cancel",
                n_sites);
    }
    return ST_OK;
}

static sum_bits decode_sum(const uint8_t *p)
{
    sum_bits w = 0;
    for (int i = SUM_BYTES - 1; i >= 0; i--)
        w = w << 8 | p[i];
    return w;
}

static void place_line(const struct mask_place *p, const char *name, char out[192])
{
    snprintf(out, 192, "%s %s %d %d\n", name, p->run, p->round, p->attempt);
}

static enum status check_sites(const struct identity *own, const struct site_key *sites, size_t n,
                               struct err *e)
{
    if (n < MASK_LEAST_SITES || n > MASK_MOST_SITES)
        return err_set(e, ST_DENIED, "a masked sum needs %d to %d sites; this attempt has %zu",
                       MASK_LEAST_SITES, MASK_MOST_SITES, n);
    bool present = false;
    for (size_t i = 0; i < n; i++) {
        present = present || memcmp(sites[i].bytes, own->sign_public, SIGN_PUBLIC_BYTES) == 0;
        for (size_t k = 0; k < i; k++)
            if (memcmp(sites[i].bytes, sites[k].bytes, SIGN_PUBLIC_BYTES) == 0)
                return err_set(e, ST_DENIED, "the attempt names a site twice");
    }
    return present ? ST_OK : err_set(e, ST_DENIED, "the attempt does not name this site");
}

static void add_stream(const uint8_t key[STREAM_KEY_BYTES], bool negative, struct sums *v)
{
    uint8_t *stream = xmalloc((size_t)CHUNK_SUMS * SUM_BYTES);
    for (size_t from = 0; from < v->n; from += CHUNK_SUMS) {
        size_t n = v->n - from < CHUNK_SUMS ? v->n - from : CHUNK_SUMS;
        stream_bytes(key, from * SUM_BYTES / BLOCK_BYTES, stream, n * SUM_BYTES);
        for (size_t i = 0; i < n; i++) {
            sum_bits mask = decode_sum(stream + i * SUM_BYTES), sum = (sum_bits)v->v[from + i];
            v->v[from + i] = (sum_t)(negative ? sum - mask : sum + mask);
        }
    }
    secret_wipe(stream, (size_t)CHUNK_SUMS * SUM_BYTES);
    free(stream);
}

enum status mask_apply(const struct identity *own, const struct site_key *sites, size_t n_sites,
                       const struct mask_place *place, struct sums *v, struct err *e)
{
    enum status s = check_sites(own, sites, n_sites, e);
    char context[192];
    place_line(place, context_name, context);
    for (size_t i = 0; s == ST_OK && i < n_sites; i++) {
        uint8_t box[BOX_PUBLIC_BYTES], key[STREAM_KEY_BYTES];
        int order = memcmp(own->sign_public, sites[i].bytes, SIGN_PUBLIC_BYTES);
        if (order == 0)
            continue;
        if (!box_public_of(sites[i].bytes, box) || !agree_key(own, box, slice_of(context), key))
            return err_set(e, ST_INVALID, "a site's key is not a usable Ed25519 key");
        add_stream(key, order > 0, v);
        secret_wipe(key, sizeof key);
    }
    return s;
}

/* "accord-part-1 RUN ROUND ATTEMPT\n", site key, sums, signature over all before it. */
enum status part_seal(const struct identity *own, const struct site_key *lead, const struct mask_place *place,
                      const struct sums *masked, struct buf *out, struct err *e)
{
    uint8_t box[BOX_PUBLIC_BYTES], signature[SIGNATURE_BYTES];
    char line[192];
    struct buf plain;
    if (!box_public_of(lead->bytes, box))
        return err_set(e, ST_INVALID, "the lead node's key is not a usable Ed25519 key");
    buf_init(&plain, masked->n * SUM_BYTES + 1024);
    place_line(place, part_name, line);
    buf_adds(&plain, line);
    buf_add(&plain, own->sign_public, SIGN_PUBLIC_BYTES);
    sums_encode(masked, &plain);
    sign_detached(own, buf_slice(&plain), signature);
    buf_add(&plain, signature, sizeof signature);
    seal(box, buf_slice(&plain), out);
    buf_deinit(&plain);
    return buf_check(out, "a sealed part", e);
}

static bool part_read(const struct buf *plain, const struct site_key *site, const struct mask_place *place,
                      size_t n, struct sums *out)
{
    char line[192];
    place_line(place, part_name, line);
    size_t n_line = strlen(line), n_head = n_line + SIGN_PUBLIC_BYTES, n_signed = n_head + n * SUM_BYTES;
    if (plain->n != n_signed + SIGNATURE_BYTES || memcmp(plain->p, line, n_line) != 0 ||
        memcmp(plain->p + n_line, site->bytes, SIGN_PUBLIC_BYTES) != 0 ||
        !sign_verify(site->bytes, (struct slice){plain->p, n_signed}, (const uint8_t *)plain->p + n_signed))
        return false;
    return sums_decode((struct slice){plain->p + n_head, n * SUM_BYTES}, n, out, NULL) == ST_OK;
}

enum status part_open(const struct identity *lead, const struct site_key *site,
                      const struct mask_place *place, struct slice sealed, size_t n, struct sums *out,
                      struct err *e)
{
    struct buf plain;
    *out = (struct sums){0};
    buf_init(&plain, sealed.n);
    bool good = seal_open(lead, sealed, &plain) && part_read(&plain, site, place, n, out);
    buf_deinit(&plain);
    if (good)
        return ST_OK;
    char hex[2 * SIGN_PUBLIC_BYTES + 1];
    hex_encode(site->bytes, SIGN_PUBLIC_BYTES, hex);
    return err_set(e, ST_CORRUPT, "the part of site %.16s... for round %d, attempt %d is not one it made",
                   hex, place->round, place->attempt);
}
