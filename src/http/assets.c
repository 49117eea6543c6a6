/* SPDX-License-Identifier: Apache-2.0 */
#include "http/assets.h"

#include <pthread.h>

#include "base/crypto.h"

extern const char accord_app_js[], accord_app_js_end[], accord_app_js_gz[], accord_app_js_gz_end[];
extern const char accord_app_css[], accord_app_css_end[], accord_app_css_gz[], accord_app_css_gz_end[];

static const struct {
    const char *name, *type, *begin, *end, *gz_begin, *gz_end;
} files[] = {
    {"app.js", "text/javascript; charset=utf-8", accord_app_js, accord_app_js_end, accord_app_js_gz,
     accord_app_js_gz_end},
    {"app.css", "text/css; charset=utf-8", accord_app_css, accord_app_css_end, accord_app_css_gz,
     accord_app_css_gz_end},
};
enum { N_FILES = sizeof files / sizeof *files, ETAG_DIGITS = 32 };

static char etags[N_FILES][ETAG_DIGITS + 3];

static struct slice between(const char *begin, const char *end)
{
    return (struct slice){begin, (size_t)(end - begin)};
}

static void make_etags(void)
{
    for (size_t i = 0; i < N_FILES; i++) {
        char hex[2 * HASH_BYTES + 1];
        sha256_hex(between(files[i].begin, files[i].end), hex);
        etags[i][0] = '"';
        memcpy(etags[i] + 1, hex, ETAG_DIGITS);
        etags[i][ETAG_DIGITS + 1] = '"';
    }
}

bool asset_find(const char *name, struct asset *out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_etags);
    for (size_t i = 0; i < N_FILES; i++)
        if (strcmp(files[i].name, name) == 0) {
            *out = (struct asset){files[i].type, etags[i], between(files[i].begin, files[i].end),
                                  between(files[i].gz_begin, files[i].gz_end)};
            return true;
        }
    return false;
}
