/* SPDX-License-Identifier: Apache-2.0
 *
 * The checks of a request's head that libmicrohttpd does not make. It parses in place: it puts NULs where
 * the colon and line ends were and hands out pointers into the bytes as received. So a head is well formed
 * exactly when its parts lie one behind the other with nothing between them but what RFC 9112 allows:
 *
 *     GET /a?b HTTP/1.1\r\n Name: value\r\n ... \r\n
 *     ^start ^uri  ^version  ^name  ^value           ^start + n
 *
 * A NUL or bare LF shortens a value or a line end, a folded line moves a value elsewhere, a space before the
 * colon leaves bytes over: each makes the sum of the parts differ from the whole, and the request is refused.
 *
 * One thing cannot be told apart afterwards: a NUL that stands in the place of a line end's CR or LF, for the
 * library puts NULs there itself. Names, values and framing are then still the same for everybody behind the
 * door, and the proxies that are put in front of hubs refuse NULs. Should another version of the library lay
 * the head out differently, every request is refused, none let in.
 */
#ifndef ACCORD_HTTP_GUARD_H
#define ACCORD_HTTP_GUARD_H

#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

struct http_header {
    struct slice name, value;
};

struct http_head {
    const char *start;  /* the method's first byte */
    size_t n;           /* the head's bytes with the empty line */
    const char *uri_at; /* where the target lies; its '?' may be overwritten, so its text comes apart */
    struct slice method, uri, version;
    const struct http_header *headers;
    size_t n_headers;
};

/* ST_USAGE says which rule was broken; the public text never repeats bytes of the request. */
MUST_CHECK enum status guard_check(const struct http_head *head, struct err *e);

#endif
