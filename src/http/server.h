/* SPDX-License-Identifier: Apache-2.0
 *
 * The door to libmicrohttpd (only server.c includes it). One thread parses requests (epoll); complete
 * requests are suspended and given to worker threads, which call the one handler; a handler that has nothing
 * to say yet parks the request, which then costs memory but no thread, until server_wake or its time is up.
 *
 * Refused here, before any handler: a malformed head (guard.h), Transfer-Encoding (411: a body needs
 * Content-Length), a body over the ceiling (413), heads over 32 KiB (431), HTTP other than 1.1. Every answer
 * carries X-Content-Type-Options and, unless the handler says otherwise, a Content-Security-Policy that
 * allows nothing and Cache-Control: no-store. HTTP without TLS is only served on loopback addresses.
 */
#ifndef ACCORD_HTTP_SERVER_H
#define ACCORD_HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/guard.h"

struct http_request {
    const char *method; /* "GET"; HEAD is given as GET */
    const char *path;   /* as received, still percent-encoded */
    const char *query;  /* behind '?', as received; NULL without one */
    const struct http_header *headers;
    size_t n_headers;
    struct slice body;
    struct arena *arena; /* lives as long as the request */
    int64_t arrived_ns;  /* monotonic */
    int64_t park_until;  /* monotonic ns; the handler sets it before it returns HTTP_PARK */
    bool parked_before;  /* this is not the first call for the request */
    bool stopping;       /* the server is about to stop: answer now */
    char peer[46];       /* the client's address, for rate limits */
};
/* The value of a header, trimmed; NULL when absent. Arena memory. */
const char *request_header(const struct http_request *r, const char *name);
/* A query member, percent-decoded; NULL when absent, "" when empty. ST_USAGE for bad encoding or a repeat. */
MUST_CHECK enum status request_query(const struct http_request *r, const char *name, const char **out,
                                     struct err *e);

/* The value of a cookie; NULL when absent. Arena memory. */
const char *request_cookie(const struct http_request *r, const char *name);

/* Percent-decoding (application/x-www-form-urlencoded); arena memory, NULL where it is not valid. */
const char *percent_decode(struct arena *a, struct slice s);

struct http_response {
    int code;
    const char *type; /* static text: "application/json" */
    struct buf body;
    struct http_header extra[8]; /* static or arena memory */
    size_t n_extra;
};
void response_header(struct http_response *r, const char *name, const char *value);

enum http_turn { HTTP_ANSWER, HTTP_PARK };
/* Called on worker threads, for a parked request again on every wake. */
typedef enum http_turn (*http_handler)(void *context, struct http_request *request,
                                       struct http_response *response);

struct server_options {
    const char *listen;                 /* "127.0.0.1:8080", "[::1]:0"; port 0 takes a free one */
    const char *certificate, *key_path; /* PEM files; both or neither */
    size_t max_body;                    /* bytes */
    unsigned threads;                   /* workers */
    http_handler handler;
    void *context;
};

struct server;
MUST_CHECK enum status server_open(const struct server_options *o, struct server **out, struct err *e);
/* "http://127.0.0.1:8080": where it really listens; borrowed. */
const char *server_url(const struct server *s);
void server_wake(struct server *s); /* parked requests are handled again */
/* Stops accepting, lets requests in work end (at most 10 s), answers the parked ones, frees. */
void server_close(struct server *s);

#endif
