/* SPDX-License-Identifier: Apache-2.0
 *
 * A plain HTML view of any public resource, for readers without JavaScript, printers and search engines: the
 * same JSON that the API serves, as headings, description lists and tables inside the page's frame. The
 * script of the web UI replaces the content of <main> with its richer view of the same resource.
 *
 * Everything that comes from the resource is escaped; the page carries no inline script or style.
 */
#ifndef ACCORD_HTTP_PLAIN_H
#define ACCORD_HTTP_PLAIN_H

#include "base/json.h"
#include "base/text.h"

struct plain_page {
    const char *title;
    const char *lead;          /* the first paragraph, in plain English */
    const char *api;           /* path of the resource in the API, "/api/v1/projects" */
    const struct js *resource; /* NULL: only title and lead */
};
void plain_write(const struct plain_page *page, struct buf *out);

#endif
