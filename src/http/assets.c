/* SPDX-License-Identifier: Apache-2.0 */
#include "http/assets.h"

#include <pthread.h>

#include "base/crypto.h"

/* A row of the table that assets.S makes. */
struct embedded {
    const char *name, *begin, *end, *gz_begin, *gz_end;
};
extern const struct embedded accord_assets[], accord_assets_end[];

enum { FILES_MOST = 64, ETAG_DIGITS = 32 };

static char etags[FILES_MOST][ETAG_DIGITS + 3];

static struct slice between(const char *begin, const char *end)
{
    return (struct slice){begin, (size_t)(end - begin)};
}

static size_t n_files(void)
{
    size_t n = (size_t)(accord_assets_end - accord_assets);
    return n < FILES_MOST ? n : FILES_MOST;
}

static void make_etags(void)
{
    for (size_t i = 0; i < n_files(); i++) {
        char hex[2 * HASH_BYTES + 1];
        sha256_hex(between(accord_assets[i].begin, accord_assets[i].end), hex);
        etags[i][0] = '"';
        memcpy(etags[i] + 1, hex, ETAG_DIGITS);
        etags[i][ETAG_DIGITS + 1] = '"';
    }
}

static const char *type_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && strcmp(dot, ".css") == 0 ? "text/css; charset=utf-8" : "text/javascript; charset=utf-8";
}

bool asset_find(const char *name, struct asset *out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_etags);
    for (size_t i = 0; i < n_files(); i++) {
        const struct embedded *f = &accord_assets[i];
        if (strcmp(f->name, name) != 0)
            continue;
        *out = (struct asset){type_of(name), etags[i], between(f->begin, f->end),
                              between(f->gz_begin, f->gz_end)};
        return true;
    }
    return false;
}

enum status asset_answer(const struct http_request *request, const struct asset *asset,
                         struct http_response *response)
{
    const char *known = request_header(request, "If-None-Match");
    const char *accepts = request_header(request, "Accept-Encoding");
    response_header(response, "ETag", asset->etag);
    response_header(response, "Cache-Control", "no-cache");
    response_header(response, "Vary", "Accept-Encoding");
    if (known && strcmp(known, asset->etag) == 0) {
        response->code = 304;
        return ST_OK;
    }
    bool gzip = accepts && strstr(accepts, "gzip");
    struct slice bytes = gzip ? asset->gzipped : asset->bytes;
    if (gzip)
        response_header(response, "Content-Encoding", "gzip");
    response->code = 200;
    response->type = asset->type;
    buf_add(&response->body, bytes.p, bytes.n);
    return ST_OK;
}
