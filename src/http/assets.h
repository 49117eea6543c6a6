/* SPDX-License-Identifier: Apache-2.0
 * The built files of the web UI (ui/dist), embedded in the program by assets.S. */
#ifndef ACCORD_HTTP_ASSETS_H
#define ACCORD_HTTP_ASSETS_H

#include <stdbool.h>

#include "base/text.h"
#include "http/server.h"

struct asset {
    const char *type; /* "text/css; charset=utf-8" */
    const char *etag; /* quoted; from the content */
    struct slice bytes;
    struct slice gzipped; /* the same for clients that accept gzip */
};
/* name: behind "/assets/", "app.css". */
bool asset_find(const char *name, struct asset *out);
/* The file as an answer: 304 where the client has it, gzipped where it may be. */
enum status asset_answer(const struct http_request *request, const struct asset *asset,
                         struct http_response *response);

#endif
