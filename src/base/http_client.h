/* SPDX-License-Identifier: Apache-2.0
 *
 * The door to libcurl (only http_client.c includes it): an HTTP client for one server, for one thread. HTTPS,
 * or plain HTTP to a loopback address; certificates are verified, against `ca_file` alone when one is given;
 * no redirects, no proxy from the environment, answers have a ceiling, every call a time limit, and Ctrl-C
 * or the caller's own flag ends a call within a second. Connections are kept between calls.
 */
#ifndef ACCORD_BASE_HTTP_CLIENT_H
#define ACCORD_BASE_HTTP_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/text.h"

struct http_client;
/* base_url: "https://hub.example.nhs.uk" or "http://127.0.0.1:8080", without a path. `stop` may be NULL; when
   it becomes true, calls end with ST_INTERRUPTED. */
MUST_CHECK enum status http_client_open(const char *base_url, const char *ca_file, const atomic_bool *stop,
                                        struct http_client **out, struct err *e);
void http_client_close(struct http_client *c); /* NULL is fine */

struct http_call {
    const char *method;
    const char *target;         /* path and query: "/api/v1/runs?state=running" */
    const char *const *headers; /* "Name: value", ended by NULL; may be NULL */
    const char *type;           /* Content-Type of the body; NULL without one */
    struct slice body;
    int timeout_ms; /* whole call */
};
struct http_reply {
    int code;
    struct buf body; /* the caller's: buf_init with the ceiling before, buf_deinit after */
    char etag[80];
};
/* ST_OK for every answer, whatever its code; ST_NETWORK, ST_TIMEOUT, ST_INTERRUPTED or ST_NO_MEMORY (answer
   too long) otherwise. */
MUST_CHECK enum status http_client_send(struct http_client *c, const struct http_call *call,
                                        struct http_reply *reply, struct err *e);

#endif
